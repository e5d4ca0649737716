//! What a process does to itself: a fork, a call that is interrupted, a thread that must not block.
//!
//! They are about the SDK's blocking client, which other languages stand on, too. Each operation
//! connects one of its own; what the call under test says is the answer.

use std::io::{Read, Write};
use std::time::Duration;

use serde_json::Value;
use tidewire::blocking::{Canceller, Client};
use tokio::sync::oneshot;

use crate::ops::{Args, Outcome, done};
use crate::{Failure, values};

/// After which the child of a fork ends, should it hang, in seconds.
const CHILD_S: u32 = 20;

pub(crate) async fn run(a: &Args<'_>, what: &str) -> Outcome {
    let url = a.text("url")?.to_owned();
    match what {
        "forked" => aside(move || forked(&url)).await,
        "interrupted" => {
            let topic = a.text("topic")?.to_owned();
            aside(move || interrupted(&url, &topic)).await
        }
        // This is a thread of an asynchronous runtime.
        "blocked" => Ok(done(Client::connect(&url)?.close()?)),
        _ => Err(Failure::Unsupported(format!("no operation process.{what}"))),
    }
}

/// Runs it on a thread that may block.
async fn aside(work: impl FnOnce() -> Outcome + Send + 'static) -> Outcome {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || drop(sender.send(work())));
    receiver.await.unwrap_or_else(|_| Err(Failure::Bad("the thread panicked".to_owned())))
}

/// A call that waits for what never comes, cancelled from another thread.
fn interrupted(url: &str, topic: &str) -> Outcome {
    let consumer = Client::connect(url)?.consumer(topic).build()?;
    let canceller = Canceller::new();
    let beside = std::thread::spawn({
        let canceller = canceller.clone();
        move || {
            std::thread::sleep(Duration::from_millis(20));
            canceller.cancel();
        }
    });
    let outcome = canceller.run(|| consumer.next_batch().map(drop));
    drop(beside.join());
    Ok(done(outcome?))
}

/// What a child of this process is told when it goes on with its parent's client.
fn forked(url: &str) -> Outcome {
    let client = Client::connect(url)?;
    let bad = |error: std::io::Error| Failure::Bad(error.to_string());
    let (mut reader, mut writer) = std::io::pipe().map_err(bad)?;
    // SAFETY: the child calls the client, which is what is tested, writes to its pipe and ends by
    // `_exit`; it takes no lock of this program's.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: nothing handles the signal: it ends the process.
        unsafe { libc::alarm(CHILD_S) };
        let told = client.ping().err().map_or(Value::Null, |error| values::error(&error));
        let written = writer.write_all(told.to_string().as_bytes());
        // SAFETY: it ends the process without what the parent registered for its own end.
        unsafe { libc::_exit(i32::from(written.is_err())) };
    }
    drop(writer);
    if child < 0 {
        return Err(bad(std::io::Error::last_os_error()));
    }
    let mut told = String::new();
    let read = reader.read_to_string(&mut told);
    let mut status = 0;
    // SAFETY: the child is this function's own, and `status` a place for its status.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    read.map_err(bad)?;
    client.close()?;
    match serde_json::from_str(&told) {
        Ok(Value::Null) => Ok(done(())),
        Ok(error) => Err(Failure::Told(error)),
        Err(_) => {
            Err(Failure::Bad(format!("the child ended with {status}, having said {told:?}")))
        }
    }
}

//! The conformance adapter of the Rust SDK: JSON lines in, calls of the public SDK, JSON lines
//! out. It does what it is told and judges nothing; `conformance/README.md` describes the lines.
//!
//! Owns the loop and the handles by name; `ops`, `users` and `process` have the operations, `values`
//! how things are written in JSON. The one invariant: a line is read while operations are under way, so that one
//! can be cancelled or closed from beside it.

mod ops;
mod process;
mod users;
mod values;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tidewire::{Client, Consumer, ConsumerControl, Events, Producer, Ticket};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Why an operation did not succeed.
pub(crate) enum Failure {
    /// The SDK says so.
    Sdk(tidewire::Error),
    /// The SDK says so, in another process.
    Told(Value),
    /// The SDK has no such thing.
    Unsupported(String),
    /// The line makes no sense to this adapter.
    Bad(String),
}

impl From<tidewire::Error> for Failure {
    fn from(error: tidewire::Error) -> Self {
        Self::Sdk(error)
    }
}

/// A consumer may be closed while somebody waits for its next batch.
#[derive(Clone)]
pub(crate) struct OpenConsumer {
    pub(crate) consumer: Arc<tokio::sync::Mutex<Option<Consumer>>>,
    pub(crate) control: ConsumerControl,
}

/// Everything that was opened, by the name that the runner gave it.
#[derive(Default)]
pub(crate) struct Handles {
    pub(crate) clients: HashMap<String, Client>,
    pub(crate) producers: HashMap<String, Producer>,
    pub(crate) consumers: HashMap<String, OpenConsumer>,
    pub(crate) tickets: HashMap<String, Ticket>,
    pub(crate) next_ticket: u64,
    pub(crate) events: HashMap<String, Arc<tokio::sync::Mutex<Events>>>,
}

impl Handles {
    /// Keeps a ticket; the name that it gets.
    pub(crate) fn keep_ticket(&mut self, ticket: Ticket) -> String {
        self.next_ticket += 1;
        let name = format!("t{}", self.next_ticket);
        self.tickets.insert(name.clone(), ticket);
        name
    }
}

pub(crate) type Shared = Arc<Mutex<Handles>>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> std::io::Result<()> {
    let handles = Shared::default();
    let running: Arc<Mutex<HashMap<u64, AbortHandle>>> = Arc::default();
    let (answers, mut outbox) = mpsc::unbounded_channel::<Value>();
    let writer = tokio::spawn(async move {
        let mut stdout = tokio::io::stdout();
        while let Some(answer) = outbox.recv().await {
            let line = format!("{answer}\n");
            if stdout.write_all(line.as_bytes()).await.is_err() || stdout.flush().await.is_err()
            {
                return;
            }
        }
    });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let Ok(request) = serde_json::from_str::<Value>(&line) else {
            eprintln!("not a line of JSON: {line}");
            break;
        };
        let id = request["id"].as_u64().unwrap_or_default();
        let op = request["op"].as_str().unwrap_or_default().to_owned();
        let args = request["args"].clone();
        if op == "cancel" {
            let target = args["request"].as_u64().unwrap_or_default();
            let task = running.lock().expect("no panic inside").remove(&target);
            if let Some(task) = task {
                // The future is dropped: that is how a call is cancelled in Rust.
                task.abort();
                let _ = answers.send(json!({"id": target, "cancelled": true}));
            }
            let _ = answers.send(json!({"id": id, "ok": {}}));
            continue;
        }
        // The lock is held until the task is listed: none answers before it can be cancelled.
        let mut listed = running.lock().expect("no panic inside");
        let task = tokio::spawn({
            let (handles, answers, running) =
                (Arc::clone(&handles), answers.clone(), Arc::clone(&running));
            async move {
                let outcome = ops::run(&handles, &op, &args).await;
                // Who was cancelled has been answered already.
                if running.lock().expect("no panic inside").remove(&id).is_some() {
                    let _ = answers.send(answer(id, outcome));
                }
            }
        });
        listed.insert(id, task.abort_handle());
    }
    drop(answers);
    // The end of the input is the end of the adapter, whatever is still under way.
    let _ = tokio::time::timeout(std::time::Duration::from_millis(200), writer).await;
    std::process::exit(0)
}

fn answer(id: u64, outcome: Result<Value, Failure>) -> Value {
    match outcome {
        Ok(ok) => json!({"id": id, "ok": ok}),
        Err(Failure::Sdk(error)) => json!({"id": id, "err": values::error(&error)}),
        Err(Failure::Told(error)) => json!({"id": id, "err": error}),
        Err(Failure::Unsupported(what)) => json!({"id": id, "unsupported": what}),
        Err(Failure::Bad(what)) => json!({"id": id, "fail": what}),
    }
}

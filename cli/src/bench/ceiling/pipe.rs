//! Blocks of bytes from a socket into a file, and back.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tidewire::Acks;

use super::super::meter::Meter;
use super::Bytes;
use crate::failure::Failure;

/// Blocks under way on a connection before their answers are waited for.
const WINDOW: usize = 8;

/// How long a peer may be silent.
const SILENCE: Duration = Duration::from_secs(30);

/// Answers to a block.
pub const ANSWER: [u8; 8] = [1; 8];

type Work = std::io::Result<()>;

/// Sends blocks; the other side writes them to a file and answers each.
pub fn produce(directory: &Path, bytes: Bytes) -> Result<Meter, Failure> {
    let meter = Meter::new();
    all(bytes.connections, |number| {
        let file = File::create(directory.join(format!("log-{number}")))?;
        let (ours, theirs) = connection()?;
        thread::scope(|scope| {
            let writer = scope.spawn(move || keep(theirs, &file, bytes));
            let sent = send(ours, bytes, &meter);
            let kept = joined(writer);
            sent.and(kept)
        })
    })?;
    Ok(meter)
}

/// Sends what [`produce`] wrote; the other side reads it.
pub fn consume(directory: &Path, bytes: Bytes) -> Result<Meter, Failure> {
    let meter = Meter::new();
    all(bytes.connections, |number| {
        let file = File::open(directory.join(format!("log-{number}")))?;
        let (mut ours, theirs) = connection()?;
        thread::scope(|scope| {
            let sender = scope.spawn(move || give(theirs, &file, bytes));
            let mut block = vec![0; bytes.batch as usize];
            for _ in 0..bytes.blocks() {
                let begun = Instant::now();
                ours.read_exact(&mut block)?;
                note(&meter, bytes, begun);
            }
            joined(sender)
        })
    })?;
    Ok(meter)
}

/// What the thread found; a panic is told by itself.
fn joined(thread: thread::ScopedJoinHandle<'_, Work>) -> Work {
    thread.join().unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()))
}

fn note(meter: &Meter, bytes: Bytes, begun: Instant) {
    let now = Instant::now();
    meter.latencies(now, [now - begun]);
    meter.count(now, bytes.in_block(), u64::from(bytes.batch));
}

/// Runs the work of all connections at the same time.
fn all(connections: u32, work: impl Fn(u32) -> Work + Sync) -> Result<(), Failure> {
    let work = &work;
    let done: Work = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..connections).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().try_for_each(joined)
    });
    done.map_err(|error| Failure::io("measuring the ceiling", &error))
}

/// A connection through the loopback interface.
pub fn connection() -> std::io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let ours = TcpStream::connect(listener.local_addr()?)?;
    let (theirs, _) = listener.accept()?;
    for stream in [&ours, &theirs] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
    }
    Ok((ours, theirs))
}

fn send(stream: TcpStream, bytes: Bytes, meter: &Meter) -> Work {
    let mut writing = stream.try_clone()?;
    let (under_way, answers) = mpsc::sync_channel::<Instant>(WINDOW);
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut reading = stream;
            let mut answer = ANSWER;
            for begun in answers {
                reading.read_exact(&mut answer)?;
                note(meter, bytes, begun);
            }
            Ok(())
        });
        let block = vec![b'x'; bytes.batch as usize];
        let sent = (0..bytes.blocks()).try_for_each(|_| {
            // A reader that has failed says why below.
            let _ = under_way.send(Instant::now());
            writing.write_all(&block)
        });
        drop(under_way);
        let read = joined(reader);
        sent.and(read)
    })
}

fn keep(mut stream: TcpStream, file: &File, bytes: Bytes) -> Work {
    let mut block = vec![0; bytes.batch as usize];
    for number in 0..bytes.blocks() {
        stream.read_exact(&mut block)?;
        write(file, &block, number * u64::from(bytes.batch), bytes.acks)?;
        stream.write_all(&ANSWER)?;
    }
    Ok(())
}

/// What an answer promises is done before it.
pub fn write(file: &File, block: &[u8], at: u64, acks: Acks) -> Work {
    file.write_all_at(block, at)?;
    if acks == Acks::Synced {
        file.sync_data()?;
    }
    Ok(())
}

fn give(mut stream: TcpStream, file: &File, bytes: Bytes) -> Work {
    let mut block = vec![0; bytes.batch as usize];
    for number in 0..bytes.blocks() {
        file.read_exact_at(&mut block, number * u64::from(bytes.batch))?;
        stream.write_all(&block)?;
    }
    Ok(())
}

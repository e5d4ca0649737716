//! One record at a time: to a server on the runtime of Tidewire's, which writes it and answers.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use monoio::io::{AsyncReadRentExt, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::{FusionDriver, RuntimeBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use super::super::meter::Meter;
use super::Bytes;
use super::pipe::{ANSWER, write};
use crate::failure::Failure;

/// The part of the requests that warms up.
const WARMUP_PART: u64 = 5;

/// Sends `requests` records from so many clients, each with one under way.
pub fn requests(
    directory: &Path,
    bytes: Bytes,
    clients: u32,
    requests: u64,
) -> Result<Meter, Failure> {
    let failed = |error: std::io::Error| Failure::io("measuring the ceiling", &error);
    let file = File::create(directory.join("requests")).map_err(failed)?;
    let each = (requests / u64::from(clients)).max(1);
    let (ready, address) = mpsc::channel();
    let server = thread::spawn(move || serve(file, bytes, clients, ready));
    let meter = match address.recv() {
        Ok(address) => ask(address, bytes, clients, each),
        // The server says why.
        Err(_) => Ok(Meter::new()),
    };
    let served = server.join().unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()));
    let meter = meter.map_err(failed)?;
    served.map_err(failed)?;
    Ok(meter)
}

/// Serves until every client has gone.
fn serve(
    file: File,
    bytes: Bytes,
    clients: u32,
    ready: mpsc::Sender<SocketAddr>,
) -> std::io::Result<()> {
    let mut runtime = RuntimeBuilder::<FusionDriver>::new().enable_timer().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        // Nobody waits for it any more only if the measurement has ended.
        let _ = ready.send(listener.local_addr()?);
        let file = Rc::new(file);
        let mut served = Vec::new();
        for _ in 0..clients {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            served.push(monoio::spawn(answer(stream, Rc::clone(&file), bytes)));
        }
        for task in served {
            task.await?;
        }
        Ok(())
    })
}

async fn answer(mut stream: TcpStream, file: Rc<File>, bytes: Bytes) -> std::io::Result<()> {
    let mut block = vec![0; bytes.size as usize];
    let mut answer = ANSWER.to_vec();
    let mut at = 0;
    loop {
        let (read, back) = stream.read_exact(block).await;
        block = back;
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
        write(&file, &block, at, bytes.acks)?;
        at += block.len() as u64;
        let (written, back) = stream.write_all(answer).await;
        answer = back;
        written?;
    }
}

/// Asks from a runtime as the client's.
fn ask(address: SocketAddr, bytes: Bytes, clients: u32, each: u64) -> std::io::Result<Meter> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..clients {
            let stream = tokio::net::TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let warmup = Meter::new();
        let streams = round(streams, bytes, each.div_ceil(WARMUP_PART), &warmup).await?;
        let meter = Meter::new();
        round(streams, bytes, each, &meter).await?;
        Ok(meter)
    })
}

async fn round(
    streams: Vec<tokio::net::TcpStream>,
    bytes: Bytes,
    each: u64,
    meter: &Meter,
) -> std::io::Result<Vec<tokio::net::TcpStream>> {
    let mut tasks = JoinSet::new();
    for mut stream in streams {
        let meter = meter.clone();
        tasks.spawn(async move {
            let record = vec![b'x'; bytes.size as usize];
            let mut answer = ANSWER;
            for _ in 0..each {
                let begun = Instant::now();
                stream.write_all(&record).await?;
                stream.read_exact(&mut answer).await?;
                let now = Instant::now();
                meter.latencies(now, [now - begun]);
                meter.count(now, 1, u64::from(bytes.size));
            }
            Ok::<_, std::io::Error>(stream)
        });
    }
    let mut streams = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        streams.push(ended.map_err(std::io::Error::other)??);
    }
    Ok(streams)
}

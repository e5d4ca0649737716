//! One measurement of one server through its native Rust client: `bench-peers SERVER ADDRESS WORK
//! COUNT SIZE CLIENTS`, from which run.py makes tables.
//!
//! Works: `produce` (pipelined, everything acknowledged at the end), `consume` (what `produce`
//! left, from the beginning), `send` (each client waits for each acknowledgement). Prints a line
//! of JSON: `seconds`, and for `send` the median and 99th percentile of a send in µs.

mod kafka;
mod nats;
mod redis;
mod tidewire;

use std::error::Error;
use std::time::{Duration, Instant};

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Where records go, in each server's own terms.
pub const TOPIC: &str = "bench";
/// Records that a client may have unacknowledged when it produces.
pub const WINDOW: usize = 10_000;

/// What to do.
#[derive(Clone)]
pub struct Load {
    /// Where the server is.
    pub address: String,
    /// Acknowledgements mean that a record is on the disk.
    pub synced: bool,
    /// Records in all.
    pub count: usize,
    /// Bytes in a value.
    pub size: usize,
    /// Clients, each with a connection.
    pub clients: usize,
}

impl Load {
    /// Records of one client.
    pub fn share(&self) -> usize {
        self.count / self.clients
    }

    /// A value.
    pub fn value(&self) -> Vec<u8> {
        let text = b"{\"id\":812346,\"customer\":3911,\"city\":\"Bern\",\"cents\":1299,\"paid\":true}\n";
        text.iter().copied().cycle().take(self.size).collect()
    }
}

/// What came of it.
#[derive(Default)]
pub struct Done {
    /// From the first record to the last answer.
    pub took: Duration,
    /// Of each send, if they were measured.
    pub latencies: Vec<Duration>,
}

impl Done {
    /// Of something that began then.
    pub fn since(begun: Instant) -> Self {
        Self { took: begun.elapsed(), latencies: Vec::new() }
    }
}

fn percentile(sorted: &[Duration], part: f64) -> f64 {
    let at = (sorted.len() as f64 * part) as usize;
    sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .map_or(0.0, |took| took.as_secs_f64() * 1e6)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, address, work, count, size, clients] = arguments.as_slice() else {
        return Err("usage: bench-peers SERVER[-synced] ADDRESS produce|consume|send COUNT SIZE CLIENTS".into());
    };
    let (name, synced) = match server.strip_suffix("-synced") {
        Some(name) => (name, true),
        None => (server.as_str(), false),
    };
    let load = Load {
        address: address.clone(),
        synced,
        count: count.parse()?,
        size: size.parse()?,
        clients: clients.parse()?,
    };
    let mut done = match (name, work.as_str()) {
        ("tidewire", "produce") => tidewire::produce(&load).await?,
        ("tidewire", "consume") => tidewire::consume(&load).await?,
        ("tidewire", "send") => tidewire::send(&load).await?,
        ("nats", "produce") => nats::produce(&load).await?,
        ("nats", "consume") => nats::consume(&load).await?,
        ("nats", "send") => nats::send(&load).await?,
        ("redis", "produce") => redis::produce(&load).await?,
        ("redis", "consume") => redis::consume(&load).await?,
        ("redis", "send") => redis::send(&load).await?,
        ("kafka", "produce") => kafka::produce(&load).await?,
        ("kafka", "consume") => kafka::consume(&load).await?,
        ("kafka", "send") => kafka::send(&load).await?,
        _ => return Err(format!("{server} {work}: there is no such measurement").into()),
    };
    done.latencies.sort_unstable();
    let line = serde_json::json!({
        "seconds": done.took.as_secs_f64(),
        "p50_us": percentile(&done.latencies, 0.5),
        "p99_us": percentile(&done.latencies, 0.99),
    });
    println!("{line}");
    Ok(())
}

/// Has each client send its share one by one; `sender` makes what sends one.
pub async fn one_by_one<S, F>(load: &Load, sender: S) -> Result<Done>
where
    S: AsyncFn() -> Result<F>,
    F: Sender + 'static,
{
    let mut senders = Vec::new();
    for _ in 0..load.clients {
        let mut sender = sender().await?;
        // Connections, leaders and files are found with the first ones.
        for _ in 0..20 {
            sender.send().await?;
        }
        senders.push(sender);
    }
    let (share, begun) = (load.share(), Instant::now());
    let mut tasks = tokio::task::JoinSet::new();
    for mut sender in senders {
        tasks.spawn(async move {
            let mut latencies = Vec::with_capacity(share);
            for _ in 0..share {
                let before = Instant::now();
                sender.send().await?;
                latencies.push(before.elapsed());
            }
            Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        let one: Result<Vec<Duration>> = ended?;
        latencies.extend(one?);
    }
    Ok(Done { took: begun.elapsed(), latencies })
}

/// Sends a record and waits until it is acknowledged.
pub trait Sender: Send {
    fn send(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// Runs one task for each client, and waits for all.
pub async fn all<F>(load: &Load, mut task: impl FnMut(usize) -> F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..load.clients {
        tasks.spawn(task(client));
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

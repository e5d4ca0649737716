//! `tidewire bench request`: one record after the other, each once the one before is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tidewire::{Producer, Record};
use tokio::task::JoinSet;

use super::load::Load;
use super::meter::Meter;
use super::progress::phase;
use super::report::{Figures, Row};
use super::shape::{Records, Shape};
use super::target::Bench;
use crate::args::bench::RequestArgs;
use crate::failure::Failure;

/// Records of a measurement that says neither how many nor how long.
pub const DEFAULT_RECORDS: u64 = 20_000;

/// Measures.
pub async fn run(bench: &Bench, args: &RequestArgs) -> Result<Figures, Failure> {
    let mut producers = Vec::new();
    for _ in 0..args.producers {
        producers.push(bench.producer(&bench.connect().await?).build().await?);
    }
    let records = args.records.or_else(|| args.duration.is_none().then_some(DEFAULT_RECORDS));
    let load = Load { records, duration: args.duration, rate: None };
    if !bench.common.no_warmup {
        let meter = Meter::new();
        let _phase = phase("warming up", &meter, load.warmup().records);
        send(bench, &producers, load.warmup(), &meter).await?;
    }
    let meter = Meter::new();
    let phase = phase("sending", &meter, load.records);
    send(bench, &producers, load, &meter).await?;
    drop(phase);
    for producer in &producers {
        producer.close().await?;
    }
    let row = Row {
        name: "request",
        clients: args.producers,
        counts: meter.counts(),
        latency_of: "from sending one record to its acknowledgement",
    };
    Ok(Figures::new("request", bench, vec![row]))
}

/// Has every producer send until so many are sent by all, or the time is over.
async fn send(
    bench: &Bench,
    producers: &[Producer],
    load: Load,
    meter: &Meter,
) -> Result<(), Failure> {
    let left = Arc::new(AtomicU64::new(load.records.unwrap_or(u64::MAX)));
    let mut tasks = JoinSet::new();
    for (number, producer) in producers.iter().enumerate() {
        let worker = Worker {
            producer: producer.clone(),
            shape: bench.shape.clone(),
            records: bench.shape.records(number as u64),
            left: Arc::clone(&left),
            meter: meter.clone(),
            duration: load.duration,
        };
        tasks.spawn(worker.run());
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| Failure::new(format!("a producer ended: {error}")))??;
    }
    Ok(())
}

struct Worker {
    producer: Producer,
    shape: Shape,
    records: Records,
    /// Records that nobody has taken yet.
    left: Arc<AtomicU64>,
    meter: Meter,
    duration: Option<Duration>,
}

impl Worker {
    async fn run(mut self) -> Result<(), Failure> {
        let deadline = self.duration.map(|duration| self.meter.begun() + duration);
        let mut now = Instant::now();
        while deadline.is_none_or(|deadline| now < deadline) && self.take() {
            let (key, value) = self.shape.show(self.records.next());
            let bytes = value.len() as u64;
            let mut record = Record::new(value.to_vec());
            if let Some(key) = key {
                record = record.key(key.to_vec());
            }
            let begun = Instant::now();
            self.producer.send(record).await?;
            now = Instant::now();
            self.meter.latencies(now, [now - begun]);
            self.meter.count(now, 1, bytes);
        }
        Ok(())
    }

    fn take(&self) -> bool {
        let take = |left: u64| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

//! `tidewire bench produce`: records in.
//!
//! Owns the loop that enqueues and the timing of acknowledgements. The one invariant: a latency
//! begins when its record was due, not when there was room for it, so that waiting is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tidewire::{Code, Producer, Record, Ticket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Bench;
use super::report::{Figures, histogram, record};
use crate::args::bench::ProduceArgs;
use crate::failure::Failure;

/// Records of a measurement that says neither how many nor how long.
const DEFAULT_RECORDS: u64 = 2_000_000;

/// The part of the records that warms up, and its bounds.
const WARMUP_PART: u64 = 5;
const MIN_WARMUP_RECORDS: u64 = 1_000;
const MAX_WARMUP_RECORDS: u64 = 1_000_000;

/// Records between two turns for other tasks and two looks at the clock.
const TURN_RECORDS: u64 = 64;

/// Most latencies that a second of measurement may time; more would be a load of their own.
const TIMED_RECORDS: u64 = 50_000;

/// Latencies that may wait to be timed.
const MAX_TIMED: usize = 65_536;

/// Measures.
pub async fn run(bench: &Bench, args: &ProduceArgs) -> Result<Figures, Failure> {
    let records = match (args.records, args.duration) {
        (Some(records), _) => Some(records),
        (None, Some(_)) => None,
        (None, None) => Some(DEFAULT_RECORDS),
    };
    let mut producers = Vec::new();
    for _ in 0..args.producers {
        producers.push(bench.producer(&bench.connect().await?).build().await?);
    }
    let load =
        Load { size: bench.common.size, records, duration: args.duration, rate: args.rate };
    if !bench.common.no_warmup {
        let _phase = bench.phase("warming up");
        produce(&producers, load.warmup()).await?;
    }
    let phase = bench.phase("sending");
    let (records, elapsed, latency_us) = produce(&producers, load).await?;
    drop(phase);
    for producer in &producers {
        producer.close().await?;
    }
    Ok(Figures {
        what: "produce",
        topic: bench.topic.clone(),
        partitions: bench.partitions,
        clients: args.producers,
        size: bench.common.size,
        acks: bench.common.acks,
        records,
        elapsed,
        latency_us,
        latency_of: if args.rate.is_some() {
            "from when a record was due to its acknowledgement"
        } else {
            "from enqueueing to acknowledgement, under full load"
        },
    })
}

/// What to send.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Bytes in a value.
    pub size: u32,
    /// How many, over all producers.
    pub records: Option<u64>,
    /// For how long.
    pub duration: Option<Duration>,
    /// How many a second, over all producers.
    pub rate: Option<u64>,
}

impl Load {
    /// The same, shorter.
    pub fn warmup(self) -> Self {
        let records = self.records.unwrap_or(DEFAULT_RECORDS) / WARMUP_PART;
        Self {
            records: Some(records.clamp(MIN_WARMUP_RECORDS, MAX_WARMUP_RECORDS)),
            duration: self.duration.map(|duration| duration / 5),
            rate: self.rate,
            ..self
        }
    }
}

/// Sends a load through all producers; what was acknowledged, in which time, and how fast.
pub async fn produce(
    producers: &[Producer],
    load: Load,
) -> Result<(u64, Duration, Histogram<u64>), Failure> {
    let left = Arc::new(AtomicU64::new(load.records.unwrap_or(u64::MAX)));
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for producer in producers {
        let rate = load.rate.map(|rate| rate as f64 / producers.len() as f64);
        let worker = Worker {
            producer: producer.clone(),
            value: vec![b'x'; load.size as usize].into(),
            left: Arc::clone(&left),
            stop: Arc::clone(&stop),
            deadline: load.duration.map(|duration| begun + duration),
            rate,
        };
        tasks.spawn(worker.run(begun));
    }
    let mut sent = 0;
    let mut latency_us = histogram()?;
    while let Some(ended) = tasks.join_next().await {
        let ended =
            ended.map_err(|error| Failure::new(format!("a producer ended: {error}")))?;
        // The others would only make the failure wait.
        let (count, times) = ended.inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
        sent += count;
        latency_us
            .add(times)
            .map_err(|error| Failure::new(format!("latencies do not add up: {error}")))?;
    }
    Ok((sent, begun.elapsed(), latency_us))
}

struct Worker {
    producer: Producer,
    value: bytes::Bytes,
    /// Records that no producer has taken yet.
    left: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    deadline: Option<Instant>,
    /// Records a second.
    rate: Option<f64>,
}

impl Worker {
    async fn run(self, begun: Instant) -> Result<(u64, Histogram<u64>), Failure> {
        let (tickets, timing) = mpsc::channel(MAX_TIMED);
        let timing = tokio::spawn(time(timing));
        let mut sent = 0;
        let mut next_timed = begun;
        while let Some(count) = self.take() {
            for _ in 0..count {
                let due = self.due(begun, sent).await;
                let ticket = self.enqueue().await?;
                sent += 1;
                if due >= next_timed {
                    next_timed = due + Duration::from_secs(1) / TIMED_RECORDS as u32;
                    // A full channel drops a sample, which is better than holding up the load.
                    let _ = tickets.try_send((due, ticket));
                }
            }
            tokio::task::consume_budget().await;
        }
        self.producer.flush().await?;
        drop(tickets);
        let latency_us = timing
            .await
            .map_err(|error| Failure::new(format!("the timing ended: {error}")))??;
        Ok((sent, latency_us))
    }

    /// How many records to send before the next look; `None` at the end.
    fn take(&self) -> Option<u64> {
        if self.stop.load(Ordering::Relaxed)
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
        {
            return None;
        }
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(TURN_RECORDS.min(left)).filter(|_| left > 0)
        });
        taken.ok().map(|left| left.min(TURN_RECORDS))
    }

    /// Waits until record `number` is due, if there is a rate; when it was.
    async fn due(&self, begun: Instant, number: u64) -> Instant {
        let Some(rate) = self.rate else { return Instant::now() };
        let due = begun + Duration::from_secs_f64(number as f64 / rate);
        // A timer's resolution is a millisecond; what is due within it goes together.
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        due
    }

    async fn enqueue(&self) -> Result<Ticket, Failure> {
        loop {
            match self.producer.enqueue(Record::new(self.value.clone())) {
                Ok(ticket) => return Ok(ticket),
                Err(error) if error.error().code() == Code::QUEUE_FULL => {
                    self.producer.ready().await?;
                }
                Err(error) => return Err(tidewire::Error::from(error).into()),
            }
        }
    }
}

/// Times acknowledgements as they come, in any order.
async fn time(
    mut tickets: mpsc::Receiver<(Instant, Ticket)>,
) -> Result<Histogram<u64>, Failure> {
    let mut latency_us = histogram()?;
    let mut waiting = JoinSet::new();
    loop {
        tokio::select! {
            ticket = tickets.recv() => {
                let Some((due, ticket)) = ticket else { break };
                waiting.spawn(async move { ticket.await.map(|_| due.elapsed()) });
            }
            Some(ended) = waiting.join_next() => note(&mut latency_us, ended)?,
        }
    }
    while let Some(ended) = waiting.join_next().await {
        note(&mut latency_us, ended)?;
    }
    Ok(latency_us)
}

fn note(
    latency_us: &mut Histogram<u64>,
    ended: Result<Result<Duration, tidewire::Error>, tokio::task::JoinError>,
) -> Result<(), Failure> {
    let latency =
        ended.map_err(|error| Failure::new(format!("an ack was lost: {error}")))??;
    record(latency_us, latency);
    Ok(())
}

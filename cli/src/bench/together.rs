//! `tidewire bench end-to-end`, `latency` and `mixed`: producers and consumers at the same time.
//!
//! The one invariant: a measurement ends when everything that was sent was received, so that what
//! is lost or stuck shows as a failure and not as a good figure.

use std::time::{Duration, Instant};

use tidewire::{ConsumerControl, Producer};
use tokio::task::JoinSet;

use super::consume::fill;
use super::load::{Clock, Load, send};
use super::meter::Meter;
use super::progress::phase;
use super::read::{Latency, STALL, Until, read};
use super::report::{Figures, Row};
use super::target::Bench;
use crate::failure::Failure;

/// How often is looked whether all was received.
const LOOK: Duration = Duration::from_millis(5);

/// Who takes part.
pub struct Plan {
    /// Name of the measurement.
    pub what: &'static str,
    /// What is sent.
    pub load: Load,
    /// Producers, each with a connection.
    pub producers: u32,
    /// Consumers of what is sent, each with a connection.
    pub consumers: u32,
    /// Consumers that read again and again what was there before.
    pub readers: u32,
    /// Records that were there before.
    pub history: u64,
}

/// Measures.
pub async fn run(bench: &Bench, plan: &Plan) -> Result<Figures, Failure> {
    bench.check_consumers(plan.consumers.max(plan.readers))?;
    let history = bench.ends().await?;
    if plan.readers > 0 {
        fill(bench, plan.history).await?;
    }
    let mut producers = Vec::new();
    for _ in 0..plan.producers {
        producers.push(bench.producer(&bench.connect().await?).build().await?);
    }
    if !bench.common.no_warmup {
        let load = plan.load.warmup();
        Run::new(bench, plan, load, &history).run(&producers, "warming up").await?;
    }
    let run = Run::new(bench, plan, plan.load, &history);
    run.run(&producers, "sending and receiving").await?;
    for producer in &producers {
        producer.close().await?;
    }
    Ok(Figures::new(plan.what, bench, run.rows()))
}

/// One time through it.
struct Run<'a> {
    bench: &'a Bench,
    plan: &'a Plan,
    load: Load,
    history: &'a [(u32, u64)],
    clock: Clock,
    sent: Meter,
    received: Meter,
    reread: Meter,
}

impl<'a> Run<'a> {
    fn new(bench: &'a Bench, plan: &'a Plan, load: Load, history: &'a [(u32, u64)]) -> Self {
        let clock = Clock::new();
        let (sent, received, reread) = (Meter::new(), Meter::new(), Meter::new());
        Self { bench, plan, load, history, clock, sent, received, reread }
    }

    async fn run(&self, producers: &[Producer], what: &'static str) -> Result<(), Failure> {
        let starts = self.bench.ends().await?;
        let mut consumers = JoinSet::new();
        let mut closers: Vec<ConsumerControl> = Vec::new();
        for number in 0..self.plan.consumers {
            let client = self.bench.connect().await?;
            let share = self.bench.share(&starts, number, self.plan.consumers);
            let consumer = share.consumer(&client).await?;
            closers.push(consumer.control());
            let latency = Latency::Age(self.clock);
            consumers.spawn(read(consumer, Until::closed(), latency, self.received.clone()));
        }
        let mut readers = JoinSet::new();
        for number in 0..self.plan.readers {
            let client = self.bench.connect().await?;
            let share = self.bench.share(self.history, number, self.plan.readers);
            let meter = self.reread.clone();
            readers.spawn(async move {
                loop {
                    let consumer = share.consumer(&client).await?;
                    let until = Until { to_end: true, ..Until::closed() };
                    read(consumer, until, Latency::Wait, meter.clone()).await?;
                }
            });
        }
        let _phase = phase(what, &self.sent, self.load.records);
        let all = async {
            send(producers, &self.bench.shape, self.load, self.clock, &self.sent).await?;
            self.wait_for_all().await
        };
        tokio::select! {
            result = all => result?,
            Some(ended) = consumers.join_next() => ended_early(ended)?,
            Some(ended) = readers.join_next() => ended_early(ended)?,
        }
        for closer in &closers {
            closer.close();
        }
        while let Some(ended) = consumers.join_next().await {
            ended.map_err(|error| Failure::new(format!("a consumer ended: {error}")))??;
        }
        Ok(())
    }

    /// Waits until all that was sent was received.
    async fn wait_for_all(&self) -> Result<(), Failure> {
        let (sent, _) = self.sent.sums();
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            let (received, _) = self.received.sums();
            if received >= sent || self.plan.consumers == 0 {
                return Ok(());
            }
            if received > seen {
                (seen, since) = (received, Instant::now());
            } else if since.elapsed() > STALL {
                return Err(Failure::new(format!(
                    "{sent} records were sent and {received} received; nothing came for {} s",
                    STALL.as_secs()
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn rows(&self) -> Vec<Row> {
        let plan = self.plan;
        let paced = self.load.rate.is_some();
        let rows = [
            Row {
                name: "sent",
                clients: plan.producers,
                counts: self.sent.counts(),
                latency_of: match paced {
                    true => "from when a record was due to its acknowledgement",
                    false => "from enqueueing to acknowledgement, under full load",
                },
            },
            Row {
                name: "received",
                clients: plan.consumers,
                counts: self.received.counts(),
                latency_of: match paced {
                    true => "from when a record was due to its consumer",
                    false => "from enqueueing to its consumer, under full load",
                },
            },
            Row {
                name: "read again",
                clients: plan.readers,
                counts: self.reread.counts(),
                latency_of: "a consumer's wait for a batch",
            },
        ];
        rows.into_iter().filter(|row| row.clients > 0).collect()
    }
}

fn ended_early(
    ended: Result<Result<(), Failure>, tokio::task::JoinError>,
) -> Result<(), Failure> {
    ended.map_err(|error| Failure::new(format!("a consumer ended: {error}")))??;
    Err(Failure::new("a consumer ended before the measurement did"))
}

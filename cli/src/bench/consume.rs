//! `tidewire bench consume`: records out.
//!
//! The one invariant: only what was there before the clock started is read, from the first offset
//! of this measurement on.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::task::JoinSet;

use super::load::{Clock, Load, send};
use super::meter::Meter;
use super::progress::phase;
use super::read::{Latency, Until, read};
use super::report::{Figures, Row};
use super::target::Bench;
use crate::args::bench::ConsumeArgs;
use crate::failure::Failure;

/// Measures.
pub async fn run(bench: &Bench, args: &ConsumeArgs) -> Result<Figures, Failure> {
    bench.check_consumers(args.consumers)?;
    let starts = bench.ends().await?;
    fill(bench, args.records).await?;
    if !bench.common.no_warmup {
        let meter = Meter::new();
        let _phase = phase("warming up", &meter, Some(args.records));
        consume(bench, args, &starts, &meter).await?;
    }
    let meter = Meter::new();
    let phase = phase("reading", &meter, Some(args.records));
    consume(bench, args, &starts, &meter).await?;
    drop(phase);
    let row = Row {
        name: "read",
        clients: args.consumers,
        counts: meter.counts(),
        latency_of: "a consumer's wait for a batch",
    };
    Ok(Figures::new("consume", bench, vec![row]))
}

/// Sends what is then read.
pub async fn fill(bench: &Bench, records: u64) -> Result<(), Failure> {
    let producer = bench.producer(&bench.connect().await?).build().await?;
    let load = Load::new(Some(records), None, None);
    let meter = Meter::new();
    let _phase = phase("sending what is then read", &meter, Some(records));
    send(std::slice::from_ref(&producer), &bench.shape, load, Clock::new(), &meter).await?;
    Ok(producer.close().await?)
}

/// Reads all records once.
async fn consume(
    bench: &Bench,
    args: &ConsumeArgs,
    starts: &[(u32, u64)],
    meter: &Meter,
) -> Result<(), Failure> {
    let until = Until {
        left: Arc::new(AtomicU64::new(args.records)),
        to_end: true,
        deadline: args.duration.map(|duration| meter.begun() + duration),
    };
    let mut tasks = JoinSet::new();
    for number in 0..args.consumers {
        let client = bench.connect().await?;
        let consumer = bench.share(starts, number, args.consumers).consumer(&client).await?;
        tasks.spawn(read(consumer, until.clone(), Latency::Wait, meter.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| Failure::new(format!("a consumer ended: {error}")))??;
    }
    Ok(())
}

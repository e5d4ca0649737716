//! `tidewire bench produce`: records in.

use super::load::{Clock, Load, send};
use super::meter::Meter;
use super::progress::phase;
use super::report::{Figures, Row};
use super::target::Bench;
use crate::args::bench::ProduceArgs;
use crate::failure::Failure;

/// Measures.
pub async fn run(bench: &Bench, args: &ProduceArgs) -> Result<Figures, Failure> {
    let mut producers = Vec::new();
    for _ in 0..args.producers {
        producers.push(bench.producer(&bench.connect().await?).build().await?);
    }
    let load = Load::new(args.records, args.duration, args.rate);
    let clock = Clock::new();
    if !bench.common.no_warmup {
        let meter = Meter::new();
        let _phase = phase("warming up", &meter, load.warmup().records);
        send(&producers, &bench.shape, load.warmup(), clock, &meter).await?;
    }
    let meter = Meter::new();
    let phase = phase("sending", &meter, load.records);
    send(&producers, &bench.shape, load, clock, &meter).await?;
    drop(phase);
    for producer in &producers {
        producer.close().await?;
    }
    let latency_of = match args.rate {
        Some(_) => "from when a record was due to its acknowledgement",
        None => "from enqueueing to acknowledgement, under full load",
    };
    let row = Row { name: "sent", clients: args.producers, counts: meter.counts(), latency_of };
    Ok(Figures::new("produce", bench, vec![row]))
}

//! `tidewire bench consume`: records out.
//!
//! Owns the loop that reads. The one invariant: only what was there before the clock started is
//! read, from the first offset of this measurement on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tidewire::Client;
use tokio::task::JoinSet;

use super::Bench;
use super::produce::{Load, produce};
use super::report::{Figures, histogram, record};
use crate::args::bench::ConsumeArgs;
use crate::failure::Failure;

/// Silence after which the measurement fails.
const STALL: Duration = Duration::from_secs(30);

/// Measures.
pub async fn run(bench: &Bench, args: &ConsumeArgs) -> Result<Figures, Failure> {
    if args.consumers > bench.partitions {
        return Err(Failure::usage(format!(
            "{} consumers share {} partitions of {}: at most one each",
            args.consumers, bench.partitions, bench.topic
        )));
    }
    let before = bench.client.partitions(&bench.topic).await?;
    let starts: Vec<(u32, u64)> =
        before.iter().map(|partition| (partition.partition, partition.end_offset)).collect();
    let producer = bench.producer(&bench.connect().await?).build().await?;
    let load = Load {
        size: bench.common.size,
        records: Some(args.records),
        duration: None,
        rate: None,
    };
    let phase = bench.phase("sending what is then read");
    produce(std::slice::from_ref(&producer), load).await?;
    producer.close().await?;
    drop(phase);

    if !bench.common.no_warmup {
        let _phase = bench.phase("warming up");
        consume(bench, args, &starts).await?;
    }
    let phase = bench.phase("reading");
    let (records, elapsed, latency_us) = consume(bench, args, &starts).await?;
    drop(phase);
    Ok(Figures {
        what: "consume",
        topic: bench.topic.clone(),
        partitions: bench.partitions,
        clients: args.consumers,
        size: bench.common.size,
        acks: bench.common.acks,
        records,
        elapsed,
        latency_us,
        latency_of: "a consumer's wait for a batch",
    })
}

/// Reads all records once; how many, in which time, and how long each batch was waited for.
async fn consume(
    bench: &Bench,
    args: &ConsumeArgs,
    starts: &[(u32, u64)],
) -> Result<(u64, Duration, Histogram<u64>), Failure> {
    let left = Arc::new(AtomicU64::new(args.records));
    let mut clients = Vec::new();
    for _ in 0..args.consumers {
        clients.push(bench.connect().await?);
    }
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for (number, client) in clients.into_iter().enumerate() {
        let share: Vec<(u32, u64)> = starts
            .iter()
            .copied()
            .filter(|(partition, _)| *partition as usize % args.consumers as usize == number)
            .collect();
        let deadline = args.duration.map(|duration| begun + duration);
        tasks.spawn(read(client, bench.topic.clone(), share, Arc::clone(&left), deadline));
    }
    let mut records = 0;
    let mut latency_us = histogram()?;
    while let Some(ended) = tasks.join_next().await {
        let (count, times) =
            ended.map_err(|error| Failure::new(format!("a consumer ended: {error}")))??;
        records += count;
        latency_us
            .add(times)
            .map_err(|error| Failure::new(format!("latencies do not add up: {error}")))?;
    }
    Ok((records, begun.elapsed(), latency_us))
}

/// Reads the partitions of one consumer to their ends.
async fn read(
    client: Client,
    topic: String,
    share: Vec<(u32, u64)>,
    left: Arc<AtomicU64>,
    deadline: Option<Instant>,
) -> Result<(u64, Histogram<u64>), Failure> {
    let mut builder =
        client.consumer(&topic).partitions(share.iter().map(|(partition, _)| *partition));
    for (partition, offset) in &share {
        builder = builder.start_at(*partition, *offset);
    }
    let mut consumer = builder.build().await?;
    let mut latency_us = histogram()?;
    let mut records = 0;
    let mut bytes = 0;
    // What is known to follow, and how much all consumers still miss: the last record ends both.
    while consumer.lag() > 0 && left.load(Ordering::Relaxed) > 0 {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            break;
        }
        let begun = Instant::now();
        let batch = tokio::time::timeout(STALL, consumer.next_batch())
            .await
            .map_err(|_| Failure::new(format!("nothing came for {} s", STALL.as_secs())))??;
        let Some(batch) = batch else { break };
        record(&mut latency_us, begun.elapsed());
        // Every record is looked at, as an application would.
        bytes +=
            batch.iter().filter_map(|record| record.value()).map(<[u8]>::len).sum::<usize>();
        let count = batch.len() as u64;
        records += count;
        left.fetch_sub(count.min(left.load(Ordering::Relaxed)), Ordering::Relaxed);
    }
    std::hint::black_box(bytes);
    consumer.close().await;
    Ok((records, latency_us))
}

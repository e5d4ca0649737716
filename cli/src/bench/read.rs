//! Consumers at work.
//!
//! The one invariant: every record is looked at, as an application would.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tidewire::Consumer;

use super::load::Clock;
use super::meter::Meter;
use crate::failure::Failure;

/// Silence after which the measurement fails.
pub const STALL: Duration = Duration::from_secs(30);

/// Most records of a batch whose age is noted.
const AGES: usize = 64;

/// What a latency is of.
#[derive(Clone, Copy)]
pub enum Latency {
    /// The consumer's wait for a batch.
    Wait,
    /// From when a record was due to the consumer's having it.
    Age(Clock),
}

/// When to end.
#[derive(Clone)]
pub struct Until {
    /// Records that all consumers together still miss.
    pub left: Arc<AtomicU64>,
    /// What is known to follow ends it too.
    pub to_end: bool,
    /// A time that ends it as well.
    pub deadline: Option<Instant>,
}

impl Until {
    /// Not before the consumer is closed.
    pub fn closed() -> Self {
        Self { left: Arc::new(AtomicU64::new(u64::MAX)), to_end: false, deadline: None }
    }

    fn reached(&self, consumer: &Consumer) -> bool {
        self.left.load(Ordering::Relaxed) == 0
            || self.to_end && consumer.lag() == 0
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// Reads until there is no more to read.
pub async fn read(
    mut consumer: Consumer,
    until: Until,
    latency: Latency,
    meter: Meter,
) -> Result<(), Failure> {
    while !until.reached(&consumer) {
        let begun = Instant::now();
        let next = tokio::time::timeout(STALL, consumer.next_batch());
        let batch = match next.await {
            Ok(batch) => batch?,
            // Nobody promised more.
            Err(_) if !until.to_end => continue,
            Err(_) => {
                return Err(Failure::new(format!("nothing came for {} s", STALL.as_secs())));
            }
        };
        let Some(batch) = batch else { break };
        let now = Instant::now();
        match latency {
            Latency::Wait => meter.latencies(now, [now - begun]),
            Latency::Age(clock) => {
                let step = batch.len().div_ceil(AGES).max(1);
                let ages = batch.iter().step_by(step);
                meter.latencies(now, ages.map(|record| clock.age(record.timestamp_us(), now)));
            }
        }
        let values = batch.iter().filter_map(|record| record.value());
        let bytes = values.map(|value| std::hint::black_box(value).len() as u64).sum();
        let count = batch.len() as u64;
        meter.count(now, count, bytes);
        let _ = until.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            Some(left.saturating_sub(count))
        });
    }
    consumer.close().await;
    Ok(())
}

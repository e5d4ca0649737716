//! Counts what a measurement does, as a whole and over time.
//!
//! The one invariant: time is cut into slots that are merged in pairs when there are too many, so
//! that a measurement of a day takes as little memory as one of a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Slots when they are merged, and half of it after that.
const MAX_SLOTS: usize = 240;

/// The width of a slot at first.
const FIRST_SLOT: Duration = Duration::from_millis(50);

/// Longest latency that is told apart, in microseconds: ten minutes.
const MAX_LATENCY_US: u64 = 600_000_000;

/// Counts records, bytes and latencies. Cloning it gives the same meter.
#[derive(Clone)]
pub struct Meter(Arc<Mutex<Counts>>);

/// What was counted.
#[derive(Clone)]
pub struct Counts {
    begun: Instant,
    last: Instant,
    /// Records.
    pub records: u64,
    /// Bytes of their values.
    pub bytes: u64,
    /// Latencies, in microseconds.
    pub latency_us: Histogram<u64>,
    /// The width of a slot.
    pub slot: Duration,
    /// The same over time.
    pub slots: Vec<Slot>,
}

/// What was counted in a part of the time.
#[derive(Clone)]
pub struct Slot {
    /// Records.
    pub records: u64,
    /// Bytes of their values.
    pub bytes: u64,
    /// Latencies, in microseconds, in two digits.
    pub latency_us: Histogram<u64>,
}

impl Meter {
    /// Begins now.
    pub fn new() -> Self {
        let now = Instant::now();
        Self(Arc::new(Mutex::new(Counts {
            begun: now,
            last: now,
            records: 0,
            bytes: 0,
            latency_us: histogram(3),
            slot: FIRST_SLOT,
            slots: Vec::new(),
        })))
    }

    /// When it began.
    pub fn begun(&self) -> Instant {
        self.with(|counts| counts.begun)
    }

    /// Counts records that were done by `now`.
    pub fn count(&self, now: Instant, records: u64, bytes: u64) {
        self.with(|counts| {
            counts.records += records;
            counts.bytes += bytes;
            counts.last = counts.last.max(now);
            let slot = counts.slot_at(now);
            slot.records += records;
            slot.bytes += bytes;
        });
    }

    /// Takes note of latencies that ended `now`.
    pub fn latencies(&self, now: Instant, latencies: impl IntoIterator<Item = Duration>) {
        self.with(|counts| {
            for latency in latencies {
                let us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
                counts.latency_us.saturating_record(us);
                counts.slot_at(now).latency_us.saturating_record(us);
            }
        });
    }

    /// What was counted until now.
    pub fn counts(&self) -> Counts {
        self.with(|counts| counts.clone())
    }

    /// Records and bytes until now.
    pub fn sums(&self) -> (u64, u64) {
        self.with(|counts| (counts.records, counts.bytes))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Counts) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Counts {
    /// From the beginning to the last record.
    pub fn elapsed(&self) -> Duration {
        self.last - self.begun
    }

    fn slot_at(&mut self, now: Instant) -> &mut Slot {
        let at = loop {
            let since = now.saturating_duration_since(self.begun);
            let at = (since.as_nanos() / self.slot.as_nanos()) as usize;
            if at < MAX_SLOTS {
                break at;
            }
            self.merge();
        };
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, Slot::new);
        }
        &mut self.slots[at]
    }

    fn merge(&mut self) {
        self.slot *= 2;
        let mut old = std::mem::take(&mut self.slots).into_iter();
        while let Some(mut slot) = old.next() {
            if let Some(second) = old.next() {
                slot.records += second.records;
                slot.bytes += second.bytes;
                // Both have the same bounds.
                let _ = slot.latency_us.add(&second.latency_us);
            }
            self.slots.push(slot);
        }
    }
}

impl Slot {
    fn new() -> Self {
        Self { records: 0, bytes: 0, latency_us: histogram(2) }
    }
}

fn histogram(digits: u8) -> Histogram<u64> {
    Histogram::new_with_bounds(1, MAX_LATENCY_US, digits).expect("the bounds are sound")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_measurement_keeps_its_sums_in_few_slots() {
        let meter = Meter::new();
        let begun = meter.begun();
        for second in 0..100_000 {
            let now = begun + Duration::from_secs(second);
            meter.count(now, 2, 20);
            meter.latencies(now, [Duration::from_micros(500)]);
        }
        let counts = meter.counts();
        assert!(counts.slots.len() <= MAX_SLOTS);
        assert_eq!(counts.records, 200_000);
        assert_eq!(counts.slots.iter().map(|slot| slot.records).sum::<u64>(), 200_000);
        assert_eq!(counts.slots.iter().map(|slot| slot.latency_us.len()).sum::<u64>(), 100_000);
        assert_eq!(counts.elapsed(), Duration::from_secs(99_999));
        assert_eq!(counts.latency_us.value_at_quantile(0.5), 500);
    }
}

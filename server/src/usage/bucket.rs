//! A rate that many threads share, in one word: the time until which what was taken is paid for.
//!
//! What is asked for is carried out first and paid for afterwards: whoever comes while there is
//! debt waits until it is paid, so that a request larger than a second's worth gets through, too. A
//! short burst is free. The one invariant: over any time longer than the burst, what is taken
//! exceeds the rate by no more than the last request of each who asked at once.

use std::sync::atomic::{AtomicU64, Ordering};

use tidewire_protocol::connection::Time;

/// Debt that nobody waits for, in nanoseconds: what a pipeline takes at once.
const BURST_NS: u64 = 100_000_000;
/// Longest debt, in nanoseconds: nobody waits for longer, whatever was asked for.
const MAX_DEBT_NS: u64 = 600_000_000_000;

/// A rate's state: nanoseconds on the server's clock until which everything is paid for.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    paid_until: AtomicU64,
}

impl Bucket {
    /// How long the next has to wait, in nanoseconds.
    pub(super) fn wait_ns(&self, now: Time) -> u64 {
        // The word is all there is: nothing else is published by it.
        let paid_until = self.paid_until.load(Ordering::Relaxed);
        paid_until.saturating_sub(BURST_NS).saturating_sub(now.as_nanos())
    }

    /// Takes `amount` of what there are `per_sec` of in a second.
    pub(super) fn charge(&self, now: Time, amount: u64, per_sec: u64) {
        let cost = u128::from(amount) * 1_000_000_000 / u128::from(per_sec.max(1));
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        let now = now.as_nanos();
        let latest = now.saturating_add(MAX_DEBT_NS);
        let _ = self.paid_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |until| {
            Some(until.max(now).saturating_add(cost).min(latest))
        });
    }

    /// Whether nothing was ever taken.
    pub(super) fn is_untouched(&self) -> bool {
        self.paid_until.load(Ordering::Relaxed) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_over_time_is_the_rate() {
        let bucket = Bucket::default();
        let mut now = Time::ZERO;
        let mut taken = 0;
        while now < Time::ZERO.plus_ms(10_000) {
            match bucket.wait_ns(now) {
                0 => {
                    bucket.charge(now, 64, 1_000);
                    taken += 64;
                }
                wait => now = Time::from_nanos(now.as_nanos() + wait),
            }
        }
        assert!((10_000..=10_000 + 100 + 2 * 64).contains(&taken), "{taken}");
    }

    #[test]
    fn one_request_larger_than_the_rate_gets_through_and_the_next_waits_for_it() {
        let bucket = Bucket::default();
        assert_eq!(bucket.wait_ns(Time::ZERO), 0);
        bucket.charge(Time::ZERO, 8 << 20, 1 << 20);
        assert_eq!(bucket.wait_ns(Time::ZERO), 8_000_000_000 - BURST_NS);
        assert_eq!(bucket.wait_ns(Time::ZERO.plus_ms(8_000)), 0);
    }

    #[test]
    fn debt_is_bounded_and_quiet_times_save_nothing_up() {
        let bucket = Bucket::default();
        bucket.charge(Time::ZERO, u64::MAX, 1);
        assert_eq!(bucket.wait_ns(Time::ZERO), MAX_DEBT_NS - BURST_NS);
        let later = Time::ZERO.plus_ms(3_600_000);
        bucket.charge(later, 1_000, 1_000);
        assert_eq!(bucket.wait_ns(later), 900_000_000);
    }

    #[test]
    fn two_threads_do_not_lose_what_the_other_took() {
        let bucket = Bucket::default();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..1_000).for_each(|_| bucket.charge(Time::ZERO, 1, 1_000)));
            }
        });
        assert_eq!(bucket.wait_ns(Time::ZERO), 2_000_000_000 - BURST_NS);
    }
}

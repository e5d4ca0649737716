//! When the next sync is to begin: at once, or when those that the last one served are back.
//!
//! Producers that wait for their acknowledgement before they send again fall into two crowds: while
//! the disk syncs for one, the other arrives, and each waits for two syncs. Where a sync takes long
//! it pays to let the first crowd come back, and to sync for both.
//!
//! Invariants: a producer that is alone never waits for others; nobody waits for others longer than
//! a [`GATHER_PART`]th of what a sync takes.

/// Syncs that take less are not waited for, in microseconds: timers are not finer.
pub const GATHER_FROM_US: u64 = 1_000;
/// What is gathered for at most, as a part of the last sync.
const GATHER_PART: u64 = 4;

/// Decides when syncs begin. Time is the caller's.
#[derive(Debug, Default)]
pub struct Pace {
    /// While gathering: how many are expected to wait.
    expected: Option<usize>,
}

impl Pace {
    /// A sync ended that took `took_us`: it served `served`, and `waiting` wait for the next. If
    /// it is better to gather first, for how long at most, in microseconds; then call
    /// [`Pace::stop`].
    pub fn synced(&mut self, served: usize, waiting: usize, took_us: u64) -> Option<u64> {
        let expected = served + waiting;
        let gathers = took_us >= GATHER_FROM_US && served > 0 && expected > 1;
        self.expected = gathers.then_some(expected);
        gathers.then_some(took_us / GATHER_PART)
    }

    /// Whether a sync may begin for `waiting`. Once it may, nothing is gathered any more.
    pub fn may_begin(&mut self, waiting: usize) -> bool {
        if self.expected.is_some_and(|expected| waiting < expected) {
            return false;
        }
        self.stop();
        true
    }

    /// Whether somebody is waited for.
    pub fn is_gathering(&self) -> bool {
        self.expected.is_some()
    }

    /// Nobody is waited for any more.
    pub fn stop(&mut self) {
        self.expected = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_producer_that_is_alone_never_waits() {
        let mut pace = Pace::default();
        for _ in 0..3 {
            assert!(pace.may_begin(1));
            assert_eq!(pace.synced(1, 0, 50_000), None);
        }
    }

    #[test]
    fn two_crowds_become_one_and_stay_one() {
        let mut pace = Pace::default();
        assert!(pace.may_begin(1), "the first one to arrive");
        assert_eq!(pace.synced(1, 15, 8_000), Some(2_000));
        assert!(!pace.may_begin(15));
        assert!(pace.may_begin(16));
        assert_eq!(pace.synced(16, 0, 8_000), Some(2_000));
        assert!(!pace.may_begin(1), "the first of sixteen waits for the others");
        assert!(pace.may_begin(16));
        assert_eq!(pace.synced(16, 0, 8_000), Some(2_000));
        assert!(!pace.may_begin(9));
        pace.stop();
        assert!(pace.may_begin(9), "seven have gone");
        assert_eq!(pace.synced(9, 0, 8_000), Some(2_000), "and are not waited for again");
        assert!(pace.may_begin(9));
    }

    #[test]
    fn a_fast_disk_is_never_kept_waiting() {
        let mut pace = Pace::default();
        assert_eq!(pace.synced(8, 8, GATHER_FROM_US - 1), None);
        assert!(pace.may_begin(8));
    }
}

//! When the next sync is to begin: at once, or when those that the last one served are back.
//!
//! Producers that wait for their acknowledgement before they send again fall into two crowds: while
//! the disk syncs for one, the other arrives, and each waits for two syncs. It pays to let the first
//! crowd come back, and to sync for both. Where those that were served do not come back, as
//! producers do that send at a rate, they are waited for less and less often.
//!
//! Invariants: a producer that is alone never waits for others; nobody waits for others longer than
//! a sync takes.

/// Syncs that take less are not worth waiting for, in microseconds.
const WORTH_US: u64 = 50;
/// What is gathered for at most, as a part of the last sync.
const GATHER_PART: u64 = 4;
/// Time that producers beside the server on two cores need to hear of their
/// acknowledgements and to send again, in microseconds: what is gathered for although it is a
/// larger part of the sync.
const WAY_BACK_US: u64 = 400;
/// Syncs that are not waited for after gathering in vain again and again, as a power of two.
const MOST_SKIPPED: u32 = 6;

/// Decides when syncs begin. Time is the caller's.
#[derive(Debug, Default)]
pub struct Pace {
    gathering: Option<Gathering>,
    /// How often it was waited in vain, in a row.
    in_vain: u32,
    /// Syncs after which nobody is waited for.
    skip: u32,
}

#[derive(Clone, Copy, Debug)]
struct Gathering {
    /// Whom the last sync served.
    served: usize,
    /// Who waited when it ended.
    waiting: usize,
}

impl Pace {
    /// A sync ended that took `took_us`: it served `served`, and `waiting` wait for the next. If
    /// it is better to gather first, for how long at most, in microseconds; then call
    /// [`Pace::late`].
    pub fn synced(&mut self, served: usize, waiting: usize, took_us: u64) -> Option<u64> {
        self.stop();
        if took_us < WORTH_US || served == 0 || served + waiting < 2 {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.gathering = Some(Gathering { served, waiting });
        Some((took_us / GATHER_PART).max(took_us.min(WAY_BACK_US)))
    }

    /// Whether a sync may begin for `waiting`. Once it may, nothing is gathered any more.
    pub fn may_begin(&mut self, waiting: usize) -> bool {
        let Some(Gathering { served, waiting: before }) = self.gathering else { return true };
        if waiting < served + before {
            return false;
        }
        self.in_vain = 0;
        self.stop();
        true
    }

    /// Whether somebody is waited for.
    pub fn is_gathering(&self) -> bool {
        self.gathering.is_some()
    }

    /// The time is over: nobody is waited for any more, and `waiting` wait now.
    pub fn late(&mut self, waiting: usize) {
        let Some(Gathering { served, waiting: before }) = self.gathering.take() else { return };
        if waiting.saturating_sub(before) * 2 >= served {
            // Most have come: that was worth it.
            self.in_vain = 0;
            return;
        }
        self.in_vain = (self.in_vain + 1).min(MOST_SKIPPED);
        self.skip = (1 << self.in_vain) - 1;
    }

    /// Nobody is waited for any more, whoever has come.
    pub fn stop(&mut self) {
        self.gathering = None;
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
        for (took, gathered) in [(8_000, 2_000), (240, 240), (1_000, 400)] {
            let mut pace = Pace::default();
            assert!(pace.may_begin(1), "the first one to arrive");
            assert_eq!(pace.synced(1, 15, took), Some(gathered));
            assert!(!pace.may_begin(15));
            assert!(pace.may_begin(16));
            assert_eq!(pace.synced(16, 0, took), Some(gathered));
            assert!(!pace.may_begin(1), "the first of sixteen waits for the others");
            assert!(pace.may_begin(16));
            assert_eq!(pace.synced(16, 0, took), Some(gathered));
            assert!(!pace.may_begin(9));
            pace.late(9);
            assert!(pace.may_begin(9), "seven have gone");
            assert_eq!(pace.synced(9, 0, took), Some(gathered), "and are not waited for again");
            assert!(pace.may_begin(9));
        }
    }

    #[test]
    fn who_does_not_come_back_is_waited_for_less_and_less() {
        let mut pace = Pace::default();
        let waits = |pace: &mut Pace, syncs| {
            let synced = |_: &u32| {
                let gathers = pace.synced(8, 0, 240).is_some();
                pace.late(3);
                gathers
            };
            (0..syncs).filter(synced).count()
        };
        assert_eq!(waits(&mut pace, 1_000), 6 + (1_000_usize - 126).div_ceil(64));
        // Until they do.
        while pace.synced(8, 0, 240).is_none() {}
        assert!(pace.may_begin(8));
        assert_eq!(pace.synced(8, 0, 240), Some(240));
    }

    #[test]
    fn a_fast_disk_is_never_kept_waiting() {
        let mut pace = Pace::default();
        assert_eq!(pace.synced(8, 8, WORTH_US - 1), None);
        assert!(pace.may_begin(8));
        assert_eq!(pace.synced(8, 8, 60), Some(60), "no longer than a sync takes");
    }
}

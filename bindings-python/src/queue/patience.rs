//! Whether to keep the interpreter's lock while outcomes are about to come.
//!
//! A loop that sleeps gives the lock up, and where another thread computes it gets it back only after
//! Python's switch interval, five milliseconds. Where that has just happened, it is cheaper to wait
//! for a fifth of that with the lock in hand. The one invariant: a thread that computes still gets the
//! lock, as it asks for it between any two steps of Python's, and whenever nothing comes in time.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// From being told to being there: what takes longer was waiting for the lock.
const CONTENDED: Duration = Duration::from_millis(2);
/// How long the lock is kept at most for what may come, in milliseconds.
pub(super) const MOST_MS: i32 = 1;
/// How often, before it has to be seen again that others want the lock.
const TIMES: u32 = 64;

pub(super) struct Patience {
    since: Instant,
    /// When the loop was told, in nanoseconds from `since`; 0 if it was not, or has come.
    told: AtomicU64,
    left: AtomicU32,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), told: AtomicU64::new(0), left: AtomicU32::new(0) }
    }

    /// The loop is told that there is something.
    pub(super) fn tell(&self) {
        self.told.store(self.now(), Ordering::Relaxed);
    }

    /// The loop is there.
    pub(super) fn came(&self) {
        let told = self.told.swap(0, Ordering::Relaxed);
        if told != 0 && Duration::from_nanos(self.now().saturating_sub(told)) >= CONTENDED {
            self.left.store(TIMES, Ordering::Relaxed);
        }
    }

    /// Whether the lock is to be kept once more.
    pub(super) fn is_wanted(&self) -> bool {
        self.left.load(Ordering::Relaxed) > 0
    }

    /// Keeps it once more.
    pub(super) fn spend(&self) {
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(1), Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

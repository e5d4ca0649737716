//! Looking for an answer before sleeping.
//!
//! Who asks one thing after the other and waits for each pays, most of all, for being woken: a core
//! on which nobody does anything is woken last of all. A thread whose answers have lately come within
//! the time that being woken costs looks for so long before it sleeps, and gives its core away
//! between two looks. It stops where that was not worth it.
//!
//! Owns when a thread that waits looks, and that only some of a process's threads do. Invariant: who
//! waits for nothing sleeps.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use tidewire_protocol::options::client::BUSY_POLL_US;

use super::fork::PerProcess;

/// Answers that came soon enough, in a row, before looking is worth it.
const WORTH: u32 = 4;
/// How much good is remembered, in answers.
const MOST: u32 = 16;
/// How much later an answer may come to who slept.
const SLEEPY: u32 = 4;
/// What one that came too late costs, in answers.
const LATE: u32 = 4;

/// How long threads of this process look at most, in microseconds.
static LIMIT_US: AtomicU32 = AtomicU32::new(BUSY_POLL_US);
/// Threads that look: of this process, since those that did when it forked are not in the child.
static LOOKING: PerProcess<AtomicUsize> = PerProcess::new();

/// Sets how long threads of this process look.
pub(super) fn set_limit(us: u32) {
    LIMIT_US.store(us, Ordering::Relaxed);
}

/// How long threads of this process look at most.
pub(super) fn limit() -> Duration {
    Duration::from_micros(u64::from(LIMIT_US.load(Ordering::Relaxed)))
}

/// Whether who waits looks, by what came before: one for each thread that waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    credit: u32,
}

impl Look {
    /// One that knows of nothing.
    pub const fn new() -> Self {
        Self { credit: 0 }
    }

    /// How long to look for an answer at most, if that is worth it and others leave room.
    pub fn begin(&self) -> Option<Looking> {
        let limit = limit();
        (self.credit >= WORTH && !limit.is_zero()).then(|| Looking::begin(limit)).flatten()
    }

    /// The only answer that was waited for came after `took`, for which the thread had `looked` at
    /// first, or slept.
    pub fn came(&mut self, took: Duration, looked: bool) {
        // Who slept was late by being woken.
        let limit = if looked { limit() } else { limit() * SLEEPY };
        if took <= limit {
            self.credit = (self.credit + 1).min(MOST);
        } else {
            self.credit = self.credit.saturating_sub(LATE);
        }
    }

    /// Looks for the end of a future, for at most `limit`: its result, if that came and looking was
    /// worth it; and when waiting began, unless the result was there at once, and whether it looked.
    pub(super) async fn look_for<F: Future>(
        &self,
        limit: Option<Duration>,
        mut future: Pin<&mut F>,
    ) -> (Option<F::Output>, Option<(Instant, bool)>) {
        let mut begun = None;
        let mut looking = None;
        let found = poll_fn(|cx| {
            if let Poll::Ready(result) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(result));
            }
            let (begun, _) = *begun.get_or_insert_with(|| {
                looking = self.begin().filter(|_| limit.is_none_or(|limit| !limit.is_zero()));
                (Instant::now(), looking.is_some())
            });
            let most = looking.as_ref().map_or(Duration::ZERO, |looking| looking.limit);
            if begun.elapsed() >= limit.map_or(most, |limit| limit.min(most)) {
                return Poll::Ready(None);
            }
            std::thread::yield_now();
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        (found, begun)
    }

    /// Several things are waited for, or one in vain.
    pub fn busy(&mut self) {
        self.credit = self.credit.saturating_sub(LATE);
    }
}

/// The right to look. Half of the cores' number of threads have it at a time.
#[derive(Debug)]
pub struct Looking {
    limit: Duration,
    all: &'static AtomicUsize,
}

impl Looking {
    fn begin(limit: Duration) -> Option<Self> {
        static MOST_LOOKING: OnceLock<usize> = OnceLock::new();
        let most = *MOST_LOOKING.get_or_init(|| {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            (cores / 2).max(1)
        });
        let all = LOOKING.value();
        if all.fetch_add(1, Ordering::Relaxed) >= most {
            all.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self { limit, all })
    }

    /// How long, at most.
    pub fn limit(&self) -> Duration {
        self.limit
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_micros(BUSY_POLL_US as u64);

    #[test]
    fn who_is_answered_soon_looks_and_who_is_not_sleeps() {
        let mut look = Look::new();
        // It slept, and was woken late.
        (0..WORTH).for_each(|_| look.came(SOON * SLEEPY, false));
        assert!(look.credit >= WORTH);
        // It looks, and that was in vain.
        look.came(SOON * SLEEPY, true);
        assert!(look.credit < WORTH);
        (0..100).for_each(|_| look.came(SOON, true));
        let mut times = 0;
        while look.credit >= WORTH {
            look.came(SOON * 2, true);
            times += 1;
        }
        assert!((3..=4).contains(&times), "{times} times in vain");
    }

    #[test]
    fn who_looks_finds_what_comes_soon_and_who_does_not_goes_to_sleep() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("threads");
        let tried = |look: Look| {
            let mut asked = 0;
            let soon = poll_fn(|_| {
                asked += 1;
                if asked == 4 { Poll::Ready(()) } else { Poll::Pending }
            });
            let (found, waited) = runtime.block_on(look.look_for(None, std::pin::pin!(soon)));
            (found.is_some(), waited.is_some_and(|(_, looked)| looked), asked)
        };
        assert_eq!(tried(Look::new()), (false, false, 1));
        // Other tests may have the right, or the core, just then.
        let found = (0..10_000).any(|_| tried(Look { credit: MOST }) == (true, true, 4));
        assert!(found, "what comes soon is found");
    }

    #[test]
    fn who_may_not_look_is_judged_as_who_sleeps() {
        let mut look = Look::new();
        (0..100).for_each(|_| look.came(SOON * SLEEPY, false));
        assert_eq!(look.credit, MOST);
    }

    #[test]
    fn who_waits_for_several_things_sleeps() {
        let mut look = Look::new();
        (0..100).for_each(|_| look.came(SOON, true));
        (0..4).for_each(|_| look.busy());
        assert!(look.begin().is_none());
    }

    #[test]
    fn not_all_threads_look() {
        let most = std::thread::available_parallelism().map_or(1, usize::from);
        let all: Vec<_> = (0..=most).filter_map(|_| Looking::begin(SOON)).collect();
        assert!(all.len() <= (most / 2).max(1), "{} of {most}", all.len());
    }
}

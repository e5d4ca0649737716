//! Looking for the next request before sleeping.
//!
//! Who sends one request after the other and waits for each pays, most of all, for two threads that
//! wake each other. A shard that has lately been asked again within the time that being woken costs
//! looks for so long before it sleeps. It gives its core away between two looks, and stops looking
//! where that was not worth it.
//!
//! While the disk syncs for such a one, the shard looks for the end of that, too; and who looks can
//! tell times that are too short for timers.
//!
//! Owns when a shard looks, and the task that does. Invariant: a shard without requests sleeps.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::rt::{Notify, TIMER_GRAIN};

/// Requests that came soon enough, in a row, before looking is worth it.
const WORTH: u32 = 4;
/// How much good is remembered, in requests.
const MOST: u32 = 16;
/// How much later a request may come to a shard that slept.
const SLEEPY: u32 = 4;
/// What one that came too late costs, in requests.
const LATE: u32 = 4;

/// How much longer than for a request a shard looks for the end of a sync.
const SYNC: u32 = 5;

/// Decides whether a shard looks, by what came before.
pub(super) struct BusyPoll {
    limit: Duration,
    credit: Cell<u32>,
    /// When the last request that came by itself had been carried out.
    done: Cell<Option<Instant>>,
    /// Looks until then.
    until: Cell<Option<Instant>>,
    /// Something is due then, for which it looks, too, if that is soon.
    due: Cell<Option<Instant>>,
    begin: Notify,
    there: Notify,
    back: Notify,
    over: Cell<bool>,
}

impl BusyPoll {
    /// Looks for at most `limit`; never, if that is zero.
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            limit,
            credit: Cell::new(0),
            done: Cell::new(None),
            until: Cell::new(None),
            due: Cell::new(None),
            begin: Notify::default(),
            there: Notify::default(),
            back: Notify::default(),
            over: Cell::new(false),
        }
    }

    /// Requests were carried out that arrived at `arrived` by the earliest of them; `alone` says
    /// that it was one, and that its connection waits for nothing else; `syncing`, that a sync is
    /// under way: the answer may have to wait for it.
    pub(super) fn carried_out(
        &self,
        arrived: Instant,
        now: Instant,
        alone: bool,
        syncing: bool,
    ) {
        if self.limit.is_zero() {
            return;
        }
        self.until.set(None);
        if !alone {
            self.credit.set(self.credit.get().saturating_sub(LATE));
            self.done.set(None);
            return;
        }
        if let Some(done) = self.done.replace(Some(now)) {
            let credit = self.credit.get();
            // A shard that slept was late by being woken, and its peer, too.
            let limit = if credit >= WORTH { self.limit } else { self.limit * SLEEPY };
            let soon = arrived.saturating_duration_since(done) <= limit;
            self.credit.set(if soon {
                (credit + 1).min(MOST)
            } else {
                credit.saturating_sub(LATE)
            });
        }
        if self.credit.get() >= WORTH {
            let limit = if syncing { self.limit * SYNC } else { self.limit };
            self.look_until(now + limit);
        }
    }

    /// Requests were answered that had waited for a sync: only now they can be followed by others.
    pub(super) fn answered(&self, now: Instant) {
        if self.done.get().is_none() {
            return;
        }
        self.done.set(Some(now));
        if self.credit.get() >= WORTH {
            self.look_until(now + self.limit);
        }
    }

    /// How long it looks for the next request; zero, if that is not worth it.
    pub(super) fn look(&self) -> Duration {
        if self.credit.get() >= WORTH { self.limit } else { Duration::ZERO }
    }

    /// Something is due at `due`. If that is too soon for a timer, the shard looks for it.
    pub(super) fn expect(&self, due: Option<Instant>) {
        if !self.limit.is_zero() && self.due.replace(due) != due && due.is_some() {
            self.begin.notify();
        }
    }

    fn look_until(&self, until: Instant) {
        self.until.set(Some(until));
        self.begin.notify();
    }

    /// Whether it looks at `now`, and whether something is due then.
    fn looks(&self, now: Instant) -> (bool, bool) {
        if self.until.get().is_some_and(|until| now >= until) {
            self.until.set(None);
        }
        let due = self.due.get();
        let is_due = due.is_some_and(|due| now >= due);
        let is_soon = due.is_some_and(|due| due.saturating_duration_since(now) < TIMER_GRAIN);
        (self.until.get().is_some() || is_soon, is_due)
    }

    /// Ends the task.
    pub(super) fn stop(&self) {
        self.over.set(true);
        self.until.set(None);
        self.due.set(None);
        self.begin.notify();
        self.there.notify();
    }

    /// Keeps the shard awake while it is to look, and calls `look` each time, which is told whether
    /// something is due.
    ///
    /// Two tasks wake each other: monoio runs a task that wakes itself before all others, and hands
    /// the kernel what those have to write only once it sleeps.
    pub(super) async fn run(&self, now: impl Fn() -> Instant, look: impl Fn(bool)) {
        while !self.over.get() {
            let (looks, is_due) = self.looks(now());
            if !looks {
                self.begin.notified().await;
                continue;
            }
            look(is_due);
            // Whoever else wants this core may be who would ask.
            std::thread::yield_now();
            self.there.notify();
            self.back.notified().await;
        }
    }

    /// The other of the two tasks.
    pub(super) async fn echo(&self) {
        while !self.over.get() {
            self.there.notified().await;
            self.back.notify();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_micros(100);

    /// Requests by themselves, each carried out at once, so long after the one before.
    fn after(gaps_us: &[u64]) -> BusyPoll {
        let poll = BusyPoll::new(LIMIT);
        let mut now = Instant::now();
        poll.carried_out(now, now, true, false);
        for gap in gaps_us {
            now += Duration::from_micros(*gap);
            poll.carried_out(now, now, true, false);
        }
        poll
    }

    fn looks(poll: &BusyPoll) -> bool {
        poll.until.get().is_some()
    }

    #[test]
    fn a_shard_looks_once_it_was_asked_again_and_again() {
        assert!(!looks(&after(&[])));
        assert!(!looks(&after(&[90; 3])));
        assert!(looks(&after(&[90; 4])));
        // A shard that sleeps hears of them later.
        assert!(looks(&after(&[390; 4])));
        assert!(!looks(&after(&[410; 1_000])));
    }

    #[test]
    fn looking_in_vain_ends_it() {
        let good = [90; 1_000];
        assert!(looks(&after(&[&good[..], &[5_000; 3]].concat())), "that may be chance");
        assert!(!looks(&after(&[&good[..], &[5_000; 4]].concat())));
        assert!(looks(&after(&[&good[..], &[5_000; 4], &[90; 4]].concat())));
    }

    #[test]
    fn what_comes_together_is_not_looked_for() {
        let poll = after(&[90; 1_000]);
        let now = Instant::now();
        poll.carried_out(now, now, false, false);
        assert!(!looks(&poll));
        poll.carried_out(now, now, true, false);
        assert!(looks(&poll), "once is not often");
        (0..4).for_each(|_| poll.carried_out(now, now, false, false));
        poll.carried_out(now, now, true, false);
        assert!(!looks(&poll));
    }

    #[test]
    fn who_waits_for_the_disk_is_followed_as_soon_as_it_is_answered() {
        let (poll, mut now) = (BusyPoll::new(LIMIT), Instant::now());
        for _ in 0..5 {
            poll.carried_out(now, now, true, true);
            now += Duration::from_millis(8);
            poll.answered(now);
            now += Duration::from_micros(90);
        }
        assert_eq!(poll.look(), LIMIT);
        assert_eq!(poll.looks(now), (true, false), "for the next request");
        poll.carried_out(now, now, true, true);
        assert_eq!(poll.looks(now + LIMIT * 4), (true, false), "for the end of the sync");
        assert_eq!(poll.looks(now + LIMIT * 6), (false, false), "and not for ever");
    }

    #[test]
    fn what_is_due_too_soon_for_a_timer_is_looked_for() {
        let (poll, now) = (BusyPoll::new(LIMIT), Instant::now());
        let due = now + Duration::from_micros(300);
        poll.expect(Some(due));
        assert_eq!(poll.looks(now), (true, false));
        assert_eq!(poll.looks(due), (true, true));
        poll.expect(None);
        assert_eq!(poll.looks(due), (false, false));
        poll.expect(Some(due + TIMER_GRAIN));
        assert_eq!(poll.looks(due), (false, false), "a timer will tell");

        let never = BusyPoll::new(Duration::ZERO);
        never.expect(Some(due));
        assert_eq!(never.looks(now), (false, false));
    }

    #[test]
    fn without_a_time_nothing_is_looked_for() {
        let poll = BusyPoll::new(Duration::ZERO);
        let now = Instant::now();
        (0..100).for_each(|_| poll.carried_out(now, now, true, false));
        assert!(!looks(&poll));
    }
}

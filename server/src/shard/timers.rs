//! The times that the connections of a shard wait for: one timer for all of them.
//!
//! A timer of the runtime is half a kilobyte, and a task to wait for it as much; thousands of idle
//! connections would hold little else.
//!
//! Invariant: a connection has at most one time here, the earliest that it asked for.

use std::cell::RefCell;
use std::collections::BTreeSet;

use tidewire_protocol::connection::Time;

use crate::rt::Notify;

/// Connections by when they are to be looked at.
#[derive(Default)]
pub(super) struct Timers {
    due: RefCell<BTreeSet<(Time, u64)>>,
    /// Set when the first of them is another.
    changed: Notify,
}

impl Timers {
    /// Has connection `id` looked at, at `next` in place of `set`.
    pub(super) fn arm(&self, id: u64, set: Option<Time>, next: Option<Time>) {
        let mut due = self.due.borrow_mut();
        if let Some(set) = set {
            due.remove(&(set, id));
        }
        let Some(next) = next else { return };
        let is_first = due.first().is_none_or(|first| (next, id) < *first);
        due.insert((next, id));
        if is_first {
            self.changed.notify();
        }
    }

    /// When the first is due.
    pub(super) fn next(&self) -> Option<Time> {
        self.due.borrow().first().map(|(at, _)| *at)
    }

    /// A connection that is due at `now`, which has no time any more.
    pub(super) fn pop(&self, now: Time) -> Option<u64> {
        let mut due = self.due.borrow_mut();
        let (at, id) = *due.first()?;
        if at > now {
            return None;
        }
        due.pop_first();
        Some(id)
    }

    /// Set when [`Timers::next`] has become earlier.
    pub(super) fn changed(&self) -> &Notify {
        &self.changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_due_once_at_its_latest_time() {
        let at = |ms| Time::ZERO.plus_ms(ms);
        let timers = Timers::default();
        timers.arm(1, None, Some(at(30)));
        timers.arm(2, None, Some(at(20)));
        timers.arm(3, None, Some(at(20)));
        timers.arm(1, Some(at(30)), Some(at(10)));
        timers.arm(3, Some(at(20)), None);
        assert_eq!((timers.next(), timers.pop(at(9))), (Some(at(10)), None));
        assert_eq!((timers.pop(at(25)), timers.pop(at(25))), (Some(1), Some(2)));
        assert_eq!((timers.pop(at(25)), timers.next()), (None, None));
    }
}

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

    /// The connections that are due at `now`, which have no time any more. One that wants to be
    /// looked at again at once is looked at after the others had their turn.
    pub(super) fn take_due(&self, now: Time) -> Vec<u64> {
        let mut due = self.due.borrow_mut();
        let later = due.split_off(&(now, u64::MAX));
        std::mem::replace(&mut *due, later).into_iter().map(|(_, id)| id).collect()
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
        timers.arm(4, None, Some(at(26)));
        assert_eq!((timers.next(), timers.take_due(at(9))), (Some(at(10)), vec![]));
        assert_eq!((timers.take_due(at(20)), timers.next()), (vec![1, 2], Some(at(26))));
        assert_eq!((timers.take_due(at(26)), timers.next()), (vec![4], None));
    }
}

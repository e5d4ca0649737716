//! A membership of a group, whatever becomes of the connection.
//!
//! Owns the member's place in its group, what it has, and when to join (again); leaves reading,
//! storing offsets and the clock to the driver, which carries out each [`Change`] in order.
//!
//! The invariant: what [`Member`] says is held is what the server last said, and nothing that was
//! lost is held: so the driver never reads on what may belong to another.

use std::collections::{BTreeMap, BTreeSet};

use super::Backoff;
use crate::connection::Time;
use crate::error::{Code, Disposition, Error};
use crate::message::{GroupEvent, PartitionRef};

/// Pause before a join that failed is tried again, in milliseconds; it doubles.
const RETRY_MS: u32 = 50;
/// Longest such pause, in milliseconds.
const MAX_RETRY_MS: u32 = 2_000;
/// How long a join that was left on a lost connection may still arrive, in milliseconds.
const STRAY_MS: u32 = 60_000;

/// A partition: stream, topic and number.
pub type Key = (String, String, u32);

/// What the driver has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Begin to read, at the offset that is stored if there is one.
    Assigned {
        /// The partition.
        key: Key,
        /// Its topic's number.
        topic_id: u64,
        /// The stored offset.
        offset: Option<u64>,
    },
    /// Go on: it was held before the connection was lost. If less is stored than was stored
    /// before, the group was reset: go to the stored offset.
    Kept {
        /// The partition.
        key: Key,
        /// The stored offset.
        offset: Option<u64>,
    },
    /// Stop reading, store what was done, and release it.
    Revoked(Key),
    /// Stop reading at once: it is not the member's any more.
    Lost(Key),
}

/// What follows from an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It will join again.
    Again(Vec<Change>),
    /// The membership is over for good.
    Ended(Vec<Change>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// To join from then on.
    Idle {
        not_before: Time,
    },
    Asked {
        at: Time,
    },
    Joined,
    Ended,
}

/// A membership that outlives its connections.
#[derive(Clone, Debug)]
pub struct Member {
    phase: Phase,
    place: Option<(u64, u32)>,
    held: BTreeMap<Key, u64>,
    /// What was listed since the join, until the list is complete.
    listed: Option<BTreeSet<Key>>,
    backoff: Backoff,
    /// When a join was sent whose connection was lost before its answer: it may yet arrive, and
    /// take the place of this membership as another instance would.
    stray: Option<Time>,
}

impl Member {
    /// A membership that has not begun.
    pub fn new(seed: u64) -> Self {
        Self {
            phase: Phase::Idle { not_before: Time::ZERO },
            place: None,
            held: BTreeMap::new(),
            listed: None,
            backoff: Backoff::new(RETRY_MS, MAX_RETRY_MS, seed),
            stray: None,
        }
    }

    /// Number and epoch to join with (0 for a new member), if that is due and there is a
    /// connection. It counts as asked.
    pub fn poll_join(&mut self, now: Time) -> Option<(u64, u32)> {
        match self.phase {
            Phase::Idle { not_before } if now >= not_before => {}
            _ => return None,
        }
        self.phase = Phase::Asked { at: now };
        self.listed = Some(BTreeSet::new());
        Some(self.place.unwrap_or_default())
    }

    /// When [`Member::poll_join`] will have something, unless something happens.
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.phase {
            Phase::Idle { not_before } => Some(not_before),
            _ => None,
        }
    }

    /// The reply to GROUP_JOIN came.
    pub fn handle_joined(&mut self, member_id: u64, member_epoch: u32) {
        self.phase = Phase::Joined;
        self.place = Some((member_id, member_epoch));
        self.backoff.reset();
    }

    /// The join was refused, or the server ended the membership.
    // SPEC G-8, G-10
    pub fn handle_ended(&mut self, now: Time, error: &Error) -> Fate {
        const AGAIN: [Disposition; 3] =
            [Disposition::RETRIABLE, Disposition::RECONNECT, Disposition::OUTCOME_UNKNOWN];
        if error.code == Code::UNKNOWN_MEMBER {
            // It was given up: somebody else may read what it had.
            self.place = None;
            self.phase = Phase::Idle { not_before: now };
            return Fate::Again(self.lose_all());
        }
        if error.code == Code::STALE_GENERATION
            && self.stray.take().is_some_and(|at| now < at.plus_ms(STRAY_MS))
        {
            // As likely this one's own late join as another instance; if it was that, one of the
            // two is told so once more.
            self.place = None;
            self.phase = Phase::Idle { not_before: now };
            return Fate::Again(self.lose_all());
        }
        if AGAIN.iter().any(|bit| error.disposition.has(*bit)) {
            if error.disposition.has(Disposition::OUTCOME_UNKNOWN) {
                self.leave_stray();
            }
            self.phase = Phase::Idle { not_before: now.plus_ms(self.backoff.next_ms()) };
            return Fate::Again(Vec::new());
        }
        self.phase = Phase::Ended;
        Fate::Ended(self.lose_all())
    }

    /// The connection is gone: to join again as soon as there is another.
    pub fn handle_disconnected(&mut self) {
        self.leave_stray();
        if self.phase != Phase::Ended {
            self.phase = Phase::Idle { not_before: Time::ZERO };
        }
    }

    /// A join that was sent may have been lost, or be late.
    fn leave_stray(&mut self) {
        if let Phase::Asked { at } = self.phase {
            self.stray = Some(at);
        }
    }

    /// The server told what changed.
    // SPEC G-5
    pub fn handle_event(&mut self, event: GroupEvent) -> Vec<Change> {
        let mut changes = Vec::new();
        for partition in event.removed {
            let key = key(partition);
            if self.held.remove(&key).is_some() {
                changes.push(Change::Lost(key));
            }
        }
        for partition in event.revoked {
            let key = key(partition);
            if let Some(listed) = &mut self.listed {
                listed.insert(key.clone());
            }
            changes.push(Change::Revoked(key));
        }
        for assigned in event.assigned {
            let key = (assigned.stream, assigned.topic, assigned.partition);
            let offset = assigned.stored.then_some(assigned.offset);
            let topic_id = assigned.topic_id;
            if let Some(listed) = &mut self.listed {
                listed.insert(key.clone());
            }
            match self.held.insert(key.clone(), topic_id) {
                Some(before) if before == topic_id => {
                    changes.push(Change::Kept { key, offset })
                }
                before => {
                    if before.is_some() {
                        // Another topic of the same name.
                        changes.push(Change::Lost(key.clone()));
                    }
                    changes.push(Change::Assigned { key, topic_id, offset });
                }
            }
        }
        if event.complete
            && let Some(listed) = self.listed.take()
        {
            let lost: Vec<Key> =
                self.held.keys().filter(|key| !listed.contains(*key)).cloned().collect();
            for key in lost {
                self.held.remove(&key);
                changes.push(Change::Lost(key));
            }
        }
        changes
    }

    /// A partition that was revoked is about to be released.
    pub fn released(&mut self, key: &Key) {
        self.held.remove(key);
    }

    /// Number and epoch, once they are known.
    pub fn place(&self) -> Option<(u64, u32)> {
        self.place
    }

    /// Whether it has joined on the current connection.
    pub fn is_joined(&self) -> bool {
        self.phase == Phase::Joined
    }

    fn lose_all(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.held).into_keys().map(Change::Lost).collect()
    }
}

fn key(partition: PartitionRef) -> Key {
    (partition.stream, partition.topic, partition.partition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::AssignedPartition;

    fn at(partition: u32) -> Key {
        ("s".to_owned(), "t".to_owned(), partition)
    }

    fn event(assigned: &[(u32, u64)], revoked: &[u32], removed: &[u32]) -> GroupEvent {
        let refer = |&partition: &u32| {
            let (stream, topic, partition) = at(partition);
            PartitionRef { stream, topic, partition }
        };
        let assign = |&(partition, topic_id): &(u32, u64)| {
            let (stream, topic, partition) = at(partition);
            AssignedPartition { stream, topic, partition, topic_id, stored: true, offset: 7 }
        };
        GroupEvent {
            generation: 1,
            complete: true,
            assigned: assigned.iter().map(assign).collect(),
            revoked: revoked.iter().map(refer).collect(),
            removed: removed.iter().map(refer).collect(),
        }
    }

    fn joined() -> Member {
        let mut member = Member::new(1);
        assert_eq!(member.poll_join(Time::ZERO), Some((0, 0)));
        assert_eq!(member.poll_join(Time::ZERO), None, "asked once");
        member.handle_joined(5, 2);
        let changes = member.handle_event(event(&[(0, 1), (1, 1)], &[], &[]));
        assert_eq!(changes.len(), 2);
        assert_eq!(changes[0], Change::Assigned { key: at(0), topic_id: 1, offset: Some(7) });
        member
    }

    /// SPEC G-5, G-8: it comes back as who it was, goes on with what is listed and stops the rest.
    #[test]
    fn a_member_comes_back_to_what_it_still_has() {
        let mut member = joined();
        member.handle_disconnected();
        assert_eq!(member.poll_join(Time::ZERO), Some((5, 2)));
        member.handle_joined(5, 2);
        let mut first = event(&[(0, 1)], &[], &[]);
        first.complete = false;
        assert_eq!(member.handle_event(first), [Change::Kept { key: at(0), offset: Some(7) }]);
        let rest = member.handle_event(event(&[(2, 1)], &[], &[]));
        assert_eq!(rest[0], Change::Assigned { key: at(2), topic_id: 1, offset: Some(7) });
        assert_eq!(rest[1], Change::Lost(at(1)), "not listed");
    }

    /// SPEC G-8, G-10: who was given up loses everything and joins anew; who was replaced ends.
    #[test]
    fn a_place_that_is_gone_takes_everything_with_it() {
        let mut member = joined();
        let unknown = Error::new(Code::UNKNOWN_MEMBER, "");
        let Fate::Again(lost) = member.handle_ended(Time::ZERO, &unknown) else { panic!() };
        assert_eq!(lost, [Change::Lost(at(0)), Change::Lost(at(1))]);
        assert_eq!(member.poll_join(Time::ZERO), Some((0, 0)), "as a new one");
        let mut member = joined();
        let stale = Error::new(Code::STALE_GENERATION, "");
        assert!(
            matches!(member.handle_ended(Time::ZERO, &stale), Fate::Ended(lost) if lost.len() == 2)
        );
        member.handle_disconnected();
        assert_eq!((member.poll_join(Time::ZERO), member.poll_timeout()), (None, None));
    }

    #[test]
    fn what_may_pass_is_tried_again_after_a_pause() {
        let mut member = joined();
        let busy = Error::new(Code::OVERLOADED, "");
        assert_eq!(member.handle_ended(Time::ZERO, &busy), Fate::Again(Vec::new()));
        assert_eq!(member.poll_join(Time::ZERO), None);
        let then = member.poll_timeout().expect("a pause");
        assert_eq!(member.poll_join(then), Some((5, 2)));
    }

    /// SPEC G-6, G-11
    #[test]
    fn revoked_waits_for_its_release_and_removed_does_not() {
        let mut member = joined();
        let changes = member.handle_event(event(&[], &[0], &[1]));
        assert_eq!(changes, [Change::Lost(at(1)), Change::Revoked(at(0))]);
        member.released(&at(0));
        // A topic of the same name is another one.
        let changes = member.handle_event(event(&[(0, 9)], &[], &[]));
        assert!(matches!(&changes[..], [Change::Assigned { topic_id: 9, .. }]));
    }

    /// SPEC G-10
    #[test]
    fn its_own_late_join_does_not_end_a_member() {
        let stale = Error::new(Code::STALE_GENERATION, "another instance");
        let mut member = Member::new(1);
        member.poll_join(Time::ZERO).expect("due");
        member.handle_disconnected();
        member.poll_join(Time::ZERO).expect("due");
        member.handle_joined(7, 1);
        let now = Time::ZERO.plus_ms(900);
        assert_eq!(member.handle_ended(now, &stale), Fate::Again(Vec::new()));
        assert_eq!(member.poll_join(now), Some((0, 0)), "as a new member, under its name");
        member.handle_joined(7, 3);
        // Twice it was not.
        assert!(matches!(member.handle_ended(now, &stale), Fate::Ended(_)));

        let mut member = Member::new(1);
        member.poll_join(Time::ZERO).expect("due");
        member.handle_disconnected();
        member.poll_join(Time::ZERO).expect("due");
        member.handle_joined(7, 1);
        let unknown = Error {
            disposition: Disposition::RECONNECT.and(Disposition::OUTCOME_UNKNOWN),
            ..Error::new(Code::DISCONNECTED, "")
        };
        let mut told = Member::new(1);
        told.poll_join(Time::ZERO).expect("due");
        told.handle_ended(Time::ZERO, &unknown);
        assert!(matches!(told.handle_ended(now, &stale), Fate::Again(_)), "as if cut");

        let late = Time::ZERO.plus_ms(STRAY_MS);
        assert!(
            matches!(member.handle_ended(late, &stale), Fate::Ended(_)),
            "nothing is as late"
        );
    }
}

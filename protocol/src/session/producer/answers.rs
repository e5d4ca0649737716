//! What the answers to a producer's batches mean.
//!
//! Owns the conclusions: which batch is done, which is sent again, which is in doubt, and what
//! becomes of the sequence numbers behind one that is gone. The one invariant: a number is given
//! to other records only if it is certain that its batch was not appended and never will be, by
//! whatever copy of it may still be on its way on a connection that was lost. (What keeps such a copy
//! out after a refusal for its ids is that the server remembers the refusal: `take_out`.)

use super::seen::{Places, take_out};
use super::{Attempt, Entry, ProducerEvent, ProducerSession, State, certain, in_doubt};
use crate::connection::Time;
use crate::error::{Code, Disposition, Error};
use crate::message::AppendReply;

/// What a refusal says.
enum Refusal {
    /// The batch may have been appended.
    Doubt,
    /// It was not, and may be later.
    ForNow,
    /// What lies before it is missing.
    Gap,
    /// Its numbers were used.
    Overlap,
    /// The producer is over.
    Fenced,
    /// It was not, for records of it were seen before.
    Seen,
    /// It was not, and never will be.
    ForGood,
}

impl Refusal {
    fn of(error: &Error) -> Self {
        if error.code == Code::SEQUENCE_GAP {
            Self::Gap
        } else if error.code == Code::SEQUENCE_OVERLAP {
            Self::Overlap
        } else if error.code == Code::DUPLICATE_IDS {
            Self::Seen
        } else if error.disposition.has(Disposition::FENCED) {
            Self::Fenced
        } else if error.is_outcome_unknown() {
            Self::Doubt
        } else if error.is_retriable() {
            Self::ForNow
        } else {
            Self::ForGood
        }
    }
}

impl<T> ProducerSession<T> {
    /// What came of a sending: the reply, the server's error, or how the connection ended. One
    /// that was never sent is an error with RETRIABLE. The partition that it was sent to, whose
    /// window may have room now; `None` if nobody waits for the reply any more.
    pub fn handle_reply(
        &mut self,
        now: Time,
        attempt: Attempt,
        result: Result<AppendReply, Error>,
    ) -> Option<u32> {
        // Of a connection that was given up, or told twice.
        let at = self.attempts.remove(&attempt)?;
        let place = self.partitions.get_mut(&at)?;
        let on_wire = State::OnTheWire(attempt);
        let index = place.entries.iter().position(|entry| entry.state == on_wire)?;
        place.on_the_wire -= 1;
        match result {
            Ok(reply) => {
                place.backoff.reset();
                self.counters.duplicate_batches += u64::from(reply.duplicate);
                if let Some(entry) = place.entries.remove(index) {
                    self.settle(at, entry, Ok(reply));
                }
            }
            Err(error) => self.refused(now, at, index, error),
        }
        self.release(at);
        self.mark_ready(at);
        self.rest();
        Some(at)
    }

    fn refused(&mut self, now: Time, at: u32, index: usize, error: Error) {
        if error.disposition.has(Disposition::RECONNECT) {
            // Nothing more goes out until the driver has another connection.
            self.connected = false;
        }
        let idempotent = self.config.idempotent;
        let Some(place) = self.partitions.get_mut(&at) else {
            return;
        };
        let entry = &mut place.entries[index];
        entry.state = State::Waiting;
        place.held = true;
        match Refusal::of(&error) {
            Refusal::Fenced => {
                entry.doubt |= error.is_outcome_unknown();
                self.fail(&error);
            }
            // Sent again, it would be appended again.
            Refusal::Doubt if !idempotent => self.drop_entry(at, index, in_doubt(&error)),
            Refusal::Doubt => {
                entry.doubt = true;
                entry.refusal = Some(error.clone());
                self.pause(now, at, error);
            }
            Refusal::ForNow => {
                entry.refusal = Some(error.clone());
                self.pause(now, at, error);
            }
            // SPEC I-9: something before it was refused, too.
            Refusal::Gap if index > 0 || place.renumber_from.is_some() => {}
            // SPEC I-9: the server has forgotten the producer, or lost what it had acknowledged. The
            // application is told; what lies behind begins anew.
            Refusal::Gap => {
                place.chain_broken = true;
                let error = if entry.doubt { in_doubt(&error) } else { certain(&error) };
                self.drop_entry(at, index, error);
            }
            Refusal::Overlap => {
                place.chain_broken = true;
                self.drop_entry(at, index, in_doubt(&error));
            }
            Refusal::Seen => self.take_out(at, index, error),
            Refusal::ForGood => self.refused_for_good(at, index, error),
        }
    }

    fn refused_for_good(&mut self, at: u32, index: usize, error: Error) {
        let Some(place) = self.partitions.get_mut(&at) else {
            return;
        };
        if place.entries[index].doubt {
            place.chain_broken = true;
            self.drop_entry(at, index, in_doubt(&error));
        } else {
            self.drop_entry(at, index, error);
        }
    }

    /// Leaves in a batch what was not seen before; it keeps its number, and what was sent behind
    /// it is numbered anew.
    ///
    /// This holds for one that was in doubt, too: the refusal says that the batch was not
    /// appended, or it had been a duplicate (SPEC I-3), and a late copy of it is refused as well.
    // SPEC I-14, I-15
    fn take_out(&mut self, at: u32, index: usize, error: Error) {
        let Some(place) = self.partitions.get_mut(&at) else {
            return;
        };
        let entry = &mut place.entries[index];
        let records = entry.records;
        let sealing = self.sealing.as_ref().map(|sealing| (sealing, at));
        let places = entry.places.get_or_insert_with(|| Box::new(Places::all_left(records)));
        let Ok(left) = take_out(places, &entry.bytes, &error.seen, sealing) else {
            self.refused_for_good(at, index, error);
            return;
        };
        let Some((bytes, records)) = left else {
            let first = places.parts(None, self.config.acks).into_iter().next();
            let reply = first.and_then(|part| part.reply);
            self.remove(at, index, reply.ok_or(error));
            return;
        };
        entry.bytes = bytes;
        entry.records = records;
        if self.config.idempotent
            && let Some(base_sequence) = entry.base_sequence
        {
            let next = base_sequence + u64::from(records);
            place.renumber_from = Some(place.renumber_from.map_or(next, |from| from.min(next)));
        }
    }

    /// Sends nothing to a partition for a while, unless it has to wait for a connection anyway.
    fn pause(&mut self, now: Time, at: u32, error: Error) {
        if !self.connected {
            return;
        }
        let Some(place) = self.partitions.get_mut(&at) else {
            return;
        };
        // One pause for all that are refused together.
        if place.retry_at.is_none_or(|until| until <= now) {
            let until = now.plus_ms(place.backoff.next_ms());
            place.retry_at = Some(until);
            self.due(until);
            self.events.push_back(ProducerEvent::Throttled { partition: at, error });
        }
    }

    /// Gives a batch up.
    fn drop_entry(&mut self, at: u32, index: usize, error: Error) {
        self.remove(at, index, Err(error));
    }

    /// Takes an entry out whose number was not used: what was sent behind it has to be numbered
    /// anew.
    fn remove(&mut self, at: u32, index: usize, outcome: Result<AppendReply, Error>) {
        let Some(place) = self.partitions.get_mut(&at) else {
            return;
        };
        let Some(entry) = place.entries.remove(index) else {
            return;
        };
        match entry.base_sequence {
            Some(base) if self.config.idempotent => {
                let from = place.renumber_from.map_or(base, |from| from.min(base));
                place.renumber_from = Some(from);
                place.held = true;
            }
            Some(_) => {}
            None => place.unnumbered -= u64::from(entry.records),
        }
        self.settle(at, entry, outcome);
    }

    /// Goes on after a refusal, once everything was answered.
    // SPEC I-9
    fn release(&mut self, at: u32) {
        let Some(place) = self.partitions.get_mut(&at) else {
            return;
        };
        if !place.held || place.on_the_wire > 0 {
            return;
        }
        place.held = false;
        let Some(from) = place.renumber_from.take() else {
            return;
        };
        let broken = std::mem::take(&mut place.chain_broken);
        let behind = |entry: &Entry<T>| entry.base_sequence.is_some_and(|base| base >= from);
        let mut another = broken;
        let mut lost = Vec::new();
        if broken {
            // A late copy of what is gone may let late copies of these be appended, too.
            let mut index = 0;
            while index < place.entries.len() {
                if behind(&place.entries[index]) && place.entries[index].doubt {
                    lost.extend(place.entries.remove(index));
                } else {
                    index += 1;
                }
            }
        }
        for entry in place.entries.iter_mut().filter(|entry| behind(entry)) {
            // With a number in doubt, the same number may not be given to others, though this
            // batch itself can never be appended under it: what lies before it is gone.
            another |= entry.doubt;
            entry.doubt = false;
            entry.base_sequence = None;
            place.unnumbered += u64::from(entry.records);
        }
        place.next_sequence = from;
        self.wants_identity |= another;
        for entry in lost {
            let error = entry.refusal.clone().unwrap_or_else(|| {
                Error::new(Code::DISCONNECTED, "the connection was lost before the reply")
            });
            self.settle(at, entry, Err(in_doubt(&error)));
        }
    }

    /// Gives what is past its deadline its outcome.
    pub(super) fn expire(&mut self, now: Time, at: u32) {
        let mut index = 0;
        while let Some(place) = self.partitions.get_mut(&at)
            && let Some(entry) = place.entries.get_mut(index)
        {
            if entry.tag.is_none() || now < entry.deadline {
                index += 1;
                continue;
            }
            let on_the_wire = matches!(entry.state, State::OnTheWire(_));
            if on_the_wire || entry.doubt {
                // It keeps its place: what follows is a gap without it.
                let error = late(entry.refusal.as_ref(), true);
                if let Some(tag) = entry.tag.take() {
                    let (records, places) = (entry.pushed_records, entry.places.take());
                    self.tell(at, tag, records, places, Err(error));
                }
                index += 1;
            } else {
                let error = late(entry.refusal.as_ref(), false);
                self.drop_entry(at, index, error);
            }
        }
        self.release(at);
        self.mark_ready(at);
        self.rest();
    }

    /// Without batches nothing is due.
    fn rest(&mut self) {
        if self.attempts.is_empty() && self.is_idle() {
            self.earliest = None;
        }
    }
}

/// The outcome of a batch whose time is up.
fn late(refusal: Option<&Error>, unknown: bool) -> Error {
    let refusal = refusal.filter(|error| error.code != Code::DISCONNECTED);
    if unknown {
        let text = "no acknowledgement came in time; it may have been appended";
        return match refusal {
            Some(error) => {
                let message = format!("{text}; the last attempt failed: {error}");
                in_doubt(&Error { message, ..error.clone() })
            }
            None => Error::new(Code::TIMEOUT, text),
        };
    }
    // What the server said last is of more use than that time is up.
    match refusal {
        Some(error) => {
            let message = format!("not appended in time: {error}");
            certain(&Error { message, ..error.clone() })
        }
        None => Error {
            disposition: Disposition::RETRIABLE,
            ..Error::new(Code::TIMEOUT, "it could not be sent in time")
        },
    }
}

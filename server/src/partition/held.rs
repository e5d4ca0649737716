//! Answers that wait for batches that are there already: a repeated batch, one whose ids were
//! seen, and a flush. None of them adds anything to the log.
//!
//! Invariant: an answer leaves when what it speaks of has reached the level that it promises, or
//! when that cannot be reached any more.

use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{Acks, AppendReply, FlushReply};
use tidewire_storage::disk::Disk;

use super::{Effect, Partition};
use crate::message::Origin;

/// What is to be said.
pub(super) enum Held {
    /// The batch is there.
    Duplicate {
        base_offset: u64,
        /// `None` while the first one is queued.
        append_time_us: Option<i64>,
    },
    /// Records of the batch are there.
    Seen(Box<Error>),
    /// Everything up to here is on the disk.
    Flush,
}

/// An answer that waits.
pub(super) struct Waiting {
    /// Records below this offset must reach `acks`.
    end_offset: u64,
    acks: Acks,
    origin: Origin,
    held: Held,
}

impl<D: Disk> Partition<D> {
    /// Answers once all below `end_offset` has reached `acks`: now if it has.
    pub(super) fn answer_after(
        &mut self,
        end_offset: u64,
        acks: Acks,
        origin: Origin,
        held: Held,
        effects: &mut Vec<Effect<D>>,
    ) {
        let waiting = Waiting { end_offset, acks, origin, held };
        let reached = self.reached(end_offset);
        if reached >= acks {
            effects.push(self.say(waiting, reached));
        } else if self.log.is_fenced() {
            // No sync will come. Whether the records are on the disk, only a restart can tell.
            let text = format!("{} stopped after a failed sync", self.name);
            let error = Error::new(Code::PARTITION_FENCED, text);
            effects.push(refuse(waiting, error));
        } else {
            self.held.push(waiting);
            // What is queued is written first, at the end of this turn.
            if self.queue.is_empty() {
                self.start_sync(effects);
            }
        }
    }

    /// Waits until all that was appended, or is queued, is on the disk.
    // SPEC C-12
    pub(crate) fn sync_all(&mut self, origin: Origin, effects: &mut Vec<Effect<D>>) {
        let end_offset = self.log.end_offset() + self.queued_records;
        self.answer_after(end_offset, Acks::Synced, origin, Held::Flush, effects);
    }

    /// The level that all records below `end_offset` have reached.
    fn reached(&self, end_offset: u64) -> Acks {
        if end_offset <= self.log.synced_end() {
            Acks::Synced
        } else if end_offset <= self.log.end_offset() && !self.log.is_fenced() {
            // After a failed sync nobody knows whether it still is.
            Acks::Written
        } else {
            Acks::None
        }
    }

    /// Gives the answers that have waited long enough.
    pub(super) fn release_held(&mut self, effects: &mut Vec<Effect<D>>) {
        let mut at = 0;
        while let Some(waiting) = self.held.get(at) {
            let reached = self.reached(waiting.end_offset);
            if reached >= waiting.acks {
                let waiting = self.held.swap_remove(at);
                effects.push(self.say(waiting, reached));
            } else {
                at += 1;
            }
        }
    }

    /// What was queued is written: from now on the times of what is held are known.
    pub(super) fn written_held(&mut self, append_time_us: i64) {
        for waiting in &mut self.held {
            if let Held::Duplicate { append_time_us: time @ None, .. } = &mut waiting.held {
                *time = Some(append_time_us);
            }
        }
    }

    /// What was queued could not be written: whoever waits for it as for his own is told so, and
    /// a flush waits for less.
    pub(super) fn unwritten_held(&mut self, error: &Error, effects: &mut Vec<Effect<D>>) {
        let end = self.log.end_offset();
        let mut at = 0;
        while let Some(waiting) = self.held.get_mut(at) {
            if waiting.end_offset <= end {
                at += 1;
            } else if matches!(waiting.held, Held::Flush) && !self.log.is_fenced() {
                waiting.end_offset = end;
                at += 1;
            } else {
                effects.push(refuse(self.held.swap_remove(at), error.clone()));
            }
        }
        self.release_held(effects);
        self.start_sync(effects);
    }

    /// Nothing more will be synced.
    pub(super) fn fail_held(&mut self, error: &Error, effects: &mut Vec<Effect<D>>) {
        self.release_held(effects);
        effects.extend(self.held.drain(..).map(|waiting| refuse(waiting, error.clone())));
    }

    fn say(&self, waiting: Waiting, reached: Acks) -> Effect<D> {
        let Waiting { origin, acks, .. } = waiting;
        match waiting.held {
            Held::Duplicate { base_offset, append_time_us } => {
                let append_time_us = append_time_us.unwrap_or_default();
                let acks = reached.max(acks);
                let reply = AppendReply { base_offset, append_time_us, acks, duplicate: true };
                Effect::Appended(origin, Ok(reply))
            }
            Held::Seen(error) => Effect::Appended(origin, Err(*error)),
            Held::Flush => {
                Effect::Flushed(origin, Ok(FlushReply { synced_offset: self.log.synced_end() }))
            }
        }
    }
}

fn refuse<D: Disk>(waiting: Waiting, error: Error) -> Effect<D> {
    match waiting.held {
        Held::Duplicate { .. } | Held::Seen(_) => Effect::Appended(waiting.origin, Err(error)),
        Held::Flush => Effect::Flushed(waiting.origin, Err(error)),
    }
}

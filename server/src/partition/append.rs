//! Appending: everything that waits becomes one write, and one sync serves all that it covers.

use bytes::Bytes;
use tidewire_protocol::error::{Disposition, Error};
use tidewire_protocol::message::{Acks, AppendReply};
use tidewire_storage::disk::Disk;
use tidewire_storage::log::SyncOutcome;

use super::{Effect, Partition, storage_error};
use crate::message::Origin;

/// Bytes that may be written and not synced although nobody waits for the sync: what a loss of
/// power can take of records that were acknowledged as written, and what a later sync has to
/// carry for others.
pub(super) const MAX_UNSYNCED_BYTES: u64 = 16 << 20;

/// A validated batch that waits to be written.
pub(super) struct Queued {
    batch: Bytes,
    records: u64,
    pub(super) acks: Acks,
    pub(super) origin: Origin,
}

/// A written batch that is acknowledged once it is synced.
pub(super) struct Unsynced {
    base_offset: u64,
    end_offset: u64,
    append_time_us: i64,
    origin: Origin,
}

impl<D: Disk> Partition<D> {
    /// Queues a batch; [`Partition::flush`] writes it. With `Acks::None` the answer is given
    /// here: it promises nothing but the place in line.
    pub(crate) fn append(
        &mut self,
        batch: Bytes,
        records: u32,
        acks: Acks,
        origin: Origin,
        now_us: i64,
        effects: &mut Vec<Effect<D>>,
    ) {
        let records = u64::from(records);
        if acks == Acks::None {
            let reply = AppendReply {
                base_offset: self.log.end_offset() + self.queued_records,
                append_time_us: now_us,
                acks,
                duplicate: false,
            };
            effects.push(Effect::Appended(origin, Ok(reply)));
        }
        self.queued_records += records;
        self.queue.push(Queued { batch, records, acks, origin });
    }

    /// Writes all that is queued, in one vectored write, and starts a sync if one is wanted and
    /// none is under way.
    pub(crate) fn flush(&mut self, now_us: i64, effects: &mut Vec<Effect<D>>) {
        if self.queue.is_empty() {
            return;
        }
        self.group.extend(self.queue.iter().map(|queued| queued.batch.clone()));
        let was_fenced = self.log.is_fenced();
        let written = self.log.append(&self.group, now_us);
        let bytes: usize = self.group.iter().map(Bytes::len).sum();
        self.group.clear();
        self.queued_records = 0;
        let offsets = match written {
            Ok(offsets) => offsets,
            Err(error) => {
                let mut error = storage_error(&self.name, &error);
                if was_fenced {
                    // Refused before anything was tried.
                    error.disposition = Disposition::NONE;
                }
                tracing::error!(partition = %self.name, %error, "append failed");
                for queued in self.queue.drain(..) {
                    if queued.acks != Acks::None {
                        effects.push(Effect::Appended(queued.origin, Err(error.clone())));
                    }
                }
                return;
            }
        };
        // What the stamp says; the clock may have gone back.
        let now_us = self.log.last_append_time_us();
        self.appended_bytes += bytes as u64;
        self.unsynced_bytes += bytes as u64;
        let mut base_offset = offsets.start;
        for queued in self.queue.drain(..) {
            let end_offset = base_offset + queued.records;
            match queued.acks {
                Acks::None => {}
                Acks::Synced => self.unsynced.push_back(Unsynced {
                    base_offset,
                    end_offset,
                    append_time_us: now_us,
                    origin: queued.origin,
                }),
                _ => {
                    let reply = AppendReply {
                        base_offset,
                        append_time_us: now_us,
                        acks: Acks::Written,
                        duplicate: false,
                    };
                    effects.push(Effect::Appended(queued.origin, Ok(reply)));
                }
            }
            base_offset = end_offset;
        }
        debug_assert_eq!(base_offset, offsets.end);
        self.start_sync(effects);
        self.show(effects);
    }

    /// A sync ended: acknowledges what it covered, and starts the next if more waits.
    pub(crate) fn synced(&mut self, outcome: SyncOutcome, effects: &mut Vec<Effect<D>>) {
        self.syncing = false;
        match self.log.finish_sync(outcome) {
            Ok(synced_end) => {
                while self.unsynced.front().is_some_and(|first| first.end_offset <= synced_end)
                {
                    let Some(first) = self.unsynced.pop_front() else { break };
                    let reply = AppendReply {
                        base_offset: first.base_offset,
                        append_time_us: first.append_time_us,
                        acks: Acks::Synced,
                        duplicate: false,
                    };
                    effects.push(Effect::Appended(first.origin, Ok(reply)));
                }
                self.start_sync(effects);
                self.show(effects);
            }
            Err(error) => {
                // What the disk holds is unknown: nothing unsynced is acknowledged or shown, and
                // the log takes no more appends.
                let error = storage_error(&self.name, &error);
                tracing::error!(partition = %self.name, %error, "sync failed; the partition is fenced");
                self.fail_unsynced(&error, effects);
            }
        }
    }

    fn fail_unsynced(&mut self, error: &Error, effects: &mut Vec<Effect<D>>) {
        for waiting in self.unsynced.drain(..) {
            effects.push(Effect::Appended(waiting.origin, Err(error.clone())));
        }
    }

    fn start_sync(&mut self, effects: &mut Vec<Effect<D>>) {
        let wanted = !self.unsynced.is_empty() || self.unsynced_bytes >= MAX_UNSYNCED_BYTES;
        if self.syncing || !wanted {
            return;
        }
        if let Some(job) = self.log.begin_sync() {
            self.syncing = true;
            self.unsynced_bytes = 0;
            effects.push(Effect::Sync(job));
        }
    }

    /// Moves the visible end to where every record has reached its level, and serves readers.
    fn show(&mut self, effects: &mut Vec<Effect<D>>) {
        if self.log.is_fenced() {
            return;
        }
        let end =
            self.unsynced.front().map_or(self.log.end_offset(), |first| first.base_offset);
        if end > self.visible_end {
            self.visible_end = end;
            self.serve_waiters(effects);
        }
    }
}

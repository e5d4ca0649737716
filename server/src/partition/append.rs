//! Appending: everything that waits becomes one write, and one sync serves all that it covers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use tidewire_protocol::error::{Code, Disposition, Error};
use tidewire_protocol::idempotence::{Claim, Verdict, fenced};
use tidewire_protocol::message::{Acks, AppendReply};
use tidewire_storage::disk::Disk;
use tidewire_storage::log::{SnapshotOutcome, SyncOutcome};

use super::dedup::Seen;
use super::held::Held;
use super::{Effect, Partition, storage_error};
use crate::message::Origin;

/// Bytes that may be written and not synced although nobody waits for the sync: what a loss of
/// power can take of records that were acknowledged as written, and what a later sync has to
/// carry for others.
pub(super) const MAX_UNSYNCED_BYTES: u64 = 16 << 20;

/// A validated batch, and what is asked for it.
pub(crate) struct AppendRequest {
    pub(crate) batch: Bytes,
    pub(crate) claim: Claim,
    pub(crate) acks: Acks,
    /// The highest epoch of its producer that was opened, where it has a name.
    pub(crate) opened_epoch: Option<Arc<AtomicU32>>,
    /// The ids of its records, 16 bytes each; empty if it has none.
    pub(crate) ids: Bytes,
}

/// A validated batch that waits to be written.
pub(super) struct Queued {
    batch: Bytes,
    records: u64,
    producer_id: u64,
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
    /// Queues a batch, if it is the next one of its producer and its ids are new;
    /// [`Partition::flush`] writes it. With `Acks::None` the answer is given here: it promises
    /// nothing but the place in line.
    pub(crate) fn append(
        &mut self,
        request: AppendRequest,
        origin: Origin,
        now_us: i64,
        effects: &mut Vec<Effect<D>>,
    ) {
        let AppendRequest { batch, claim, acks, opened_epoch, ids } = request;
        let opened_epoch = opened_epoch.map_or(0, |epoch| epoch.load(Ordering::Acquire));
        // SPEC I-2
        if claim.producer_id != 0 {
            let verdict = if claim.producer_epoch < opened_epoch {
                Err(fenced(claim.producer_id, opened_epoch, claim.producer_epoch))
            } else {
                self.producers.judge(&claim)
            };
            match verdict {
                Ok(Verdict::Append) => {
                    // SPEC I-14
                    if let Some(seen) = self.refusals.find(&claim) {
                        self.answer_seen(seen, acks, origin, effects);
                        return;
                    }
                }
                Ok(Verdict::Duplicate(first)) => {
                    let written = first.base_offset < self.log.end_offset();
                    let held = Held::Duplicate {
                        base_offset: first.base_offset,
                        append_time_us: written.then_some(first.append_time_us),
                    };
                    self.answer_after(first.end_offset(), acks, origin, held, effects);
                    return;
                }
                Err(mut error) => {
                    error.message = format!("{}: {}", self.name, error.message);
                    effects.push(Effect::Appended(origin, Err(error)));
                    return;
                }
            }
        }
        let base_offset = self.log.end_offset() + self.queued_records;
        if let Some(dedup) = &mut self.dedup
            && !ids.is_empty()
            && let Err(seen) = dedup.push(&ids, base_offset, now_us)
        {
            self.refusals.remember(&claim, &seen);
            self.answer_seen(seen, acks, origin, effects);
            return;
        }
        if claim.producer_id != 0 {
            self.producers.push(&claim, base_offset);
        }
        if acks == Acks::None {
            let reply =
                AppendReply { base_offset, append_time_us: now_us, acks, duplicate: false };
            effects.push(Effect::Appended(origin, Ok(reply)));
        }
        let records = u64::from(claim.record_count);
        self.queued_records += records;
        let producer_id = claim.producer_id;
        self.queue.push(Queued { batch, records, producer_id, acks, origin });
    }

    // SPEC I-14
    fn answer_seen(
        &mut self,
        seen: Seen,
        acks: Acks,
        origin: Origin,
        effects: &mut Vec<Effect<D>>,
    ) {
        let Seen { ranges, records, end_offset } = seen;
        let text = format!("{}: ids of {records} records of the batch were seen", self.name);
        let error = Error { seen: ranges, ..Error::new(Code::DUPLICATE_IDS, text) };
        self.answer_after(end_offset, acks, origin, Held::Seen(Box::new(error)), effects);
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
        if written.is_ok() {
            self.keep_tail();
        }
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
                self.fail_queued(&error, effects);
                self.unwritten_held(&error, effects);
                return;
            }
        };
        self.appended_bytes += bytes as u64;
        self.unsynced_bytes += bytes as u64;
        // The time that was stamped: it never goes back, whatever the clock does.
        let append_time_us = self.log.last_append_time_us();
        let mut base_offset = offsets.start;
        for queued in self.queue.drain(..) {
            if queued.producer_id != 0 {
                self.producers.settle(queued.producer_id, append_time_us);
                self.refusals.forget(queued.producer_id);
            }
            let end_offset = base_offset + queued.records;
            match queued.acks {
                Acks::None => {}
                Acks::Synced => self.unsynced.push_back(Unsynced {
                    base_offset,
                    end_offset,
                    append_time_us,
                    origin: queued.origin,
                }),
                _ => {
                    let reply = AppendReply {
                        base_offset,
                        append_time_us,
                        acks: Acks::Written,
                        duplicate: false,
                    };
                    effects.push(Effect::Appended(queued.origin, Ok(reply)));
                }
            }
            base_offset = end_offset;
        }
        debug_assert_eq!(base_offset, offsets.end);
        self.producers.forget_oldest();
        if let Some(dedup) = &mut self.dedup {
            dedup.settle();
        }
        if !self.held.is_empty() {
            self.written_held(append_time_us);
            self.release_held(effects);
        }
        self.start_sync(effects);
        self.show(effects);
    }

    /// Refuses what is queued. It leaves no trace.
    // SPEC I-7
    pub(super) fn fail_queued(&mut self, error: &Error, effects: &mut Vec<Effect<D>>) {
        for queued in self.queue.drain(..) {
            if queued.producer_id != 0 {
                self.producers.revoke(queued.producer_id);
            }
            if queued.acks != Acks::None {
                effects.push(Effect::Appended(queued.origin, Err(error.clone())));
            }
        }
        if let Some(dedup) = &mut self.dedup {
            dedup.revoke();
        }
        self.refusals.revoke(self.log.end_offset());
        self.queued_records = 0;
    }

    /// A sync ended, which took `took_us`: acknowledges what it covered, and starts the next if
    /// more waits.
    pub(crate) fn synced(
        &mut self,
        outcome: SyncOutcome,
        took_us: u64,
        effects: &mut Vec<Effect<D>>,
    ) {
        self.syncing = false;
        let waited = self.unsynced.len();
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
                self.release_held(effects);
                self.write_snapshot(effects);
                let waiting = self.unsynced.len();
                if let Some(us) = self.pace.synced(waited - waiting, waiting, took_us) {
                    effects.push(Effect::Gather(us));
                }
                self.start_sync(effects);
                self.show(effects);
                self.advance_trim(effects);
            }
            Err(error) => {
                // What the disk holds is unknown: nothing unsynced is acknowledged or shown, and
                // the log takes no more appends.
                let error = storage_error(&self.name, &error);
                tracing::error!(partition = %self.name, %error, "sync failed; the partition is fenced");
                self.fail_unsynced(&error, effects);
                self.fail_trims(&error, effects);
                self.fail_held(&error, effects);
            }
        }
        self.look_up_again(effects);
        self.read_again(effects);
    }

    /// Those that the last sync served had time to come back.
    pub(crate) fn gathered(&mut self, effects: &mut Vec<Effect<D>>) {
        self.pace.late(self.unsynced.len());
        self.start_sync(effects);
    }

    /// Notes what is known now, once for each segment: it is written when the sync that begins
    /// here has made the log hold it.
    fn take_snapshot(&mut self) {
        if self.snapshot.is_none() && !self.writing_snapshot && self.log.wants_snapshot() {
            self.snapshot = Some(self.log.begin_snapshot(self.producers.encode()));
        }
    }

    pub(super) fn write_snapshot(&mut self, effects: &mut Vec<Effect<D>>) {
        if let Some(job) = self.snapshot.take_if(|job| job.offset() <= self.log.synced_end()) {
            self.writing_snapshot = true;
            effects.push(Effect::Snapshot(job));
        }
    }

    /// A snapshot was written, or could not be.
    pub(crate) fn snapshot_written(
        &mut self,
        outcome: SnapshotOutcome,
        effects: &mut Vec<Effect<D>>,
    ) {
        self.writing_snapshot = false;
        match self.log.finish_snapshot(outcome) {
            Ok(()) => self.advance_trim(effects),
            Err(error) => {
                // The log still holds all that it says, and goes on doing so.
                tracing::warn!(partition = %self.name, %error, "a snapshot could not be written");
                let text = format!("{}: a snapshot could not be written: {error}", self.name);
                self.fail_trims(&Error::new(Code::INTERNAL, text), effects);
            }
        }
    }

    fn fail_unsynced(&mut self, error: &Error, effects: &mut Vec<Effect<D>>) {
        for waiting in self.unsynced.drain(..) {
            effects.push(Effect::Appended(waiting.origin, Err(error.clone())));
        }
    }

    pub(super) fn start_sync(&mut self, effects: &mut Vec<Effect<D>>) {
        let wanted = !self.unsynced.is_empty()
            || !self.held.is_empty()
            || self.unsynced_bytes >= MAX_UNSYNCED_BYTES;
        if self.syncing {
            return;
        }
        let for_trim = self.takes_sync_for_trim();
        if !wanted && !for_trim {
            return;
        }
        // Others are waited for only by those who wait for the same as they.
        let urgent = for_trim
            || self.unsynced.is_empty()
            || !self.held.is_empty()
            || self.unsynced_bytes >= MAX_UNSYNCED_BYTES;
        if !urgent && !self.pace.may_begin(self.unsynced.len()) {
            return;
        }
        self.pace.stop();
        if let Some(job) = self.log.begin_sync() {
            self.syncing = true;
            self.take_snapshot();
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

//! Deleting the oldest records: by retention, by request, all of them.
//!
//! What is wanted is an offset, the highest that anyone asked for. The log's start moves there in
//! steps that run elsewhere: a sync, if it is not on the disk yet, a snapshot of the producers, if
//! none covers it, then the start itself; whoever asked is answered when the start is on the disk,
//! and files go after that.
//!
//! Invariant: readers see the start move only forward, and only once it cannot go back.

use tidewire_protocol::error::{Code, Error};
use tidewire_storage::disk::Disk;
use tidewire_storage::log::{Retention, TrimOutcome};

use super::{Effect, Partition, storage_error};
use crate::message::Origin;

/// Deletions that may wait on one partition: a client has few of them.
const MAX_WAITING_TRIMS: usize = 1_024;

/// What is to be deleted, and who waits for it.
#[derive(Default)]
pub(super) struct Trim {
    pub(super) retention: Retention,
    /// Where the log is to begin.
    wanted: u64,
    pub(super) in_flight: bool,
    /// A segment was sealed so that it can go: it is to be synced although nobody waits for it.
    sync_wanted: bool,
    /// Each with the offset that it waits for.
    waiting: Vec<(u64, Origin)>,
}

impl<D: Disk> Partition<D> {
    /// Deletes the records below `before`; answered once that is on the disk.
    pub(crate) fn truncate(
        &mut self,
        before: u64,
        origin: Origin,
        effects: &mut Vec<Effect<D>>,
    ) {
        if before > self.visible_end {
            effects.push(Effect::Trimmed(origin, Err(self.out_of_range(before))));
        } else {
            self.trim_to(before, Some(origin), effects);
        }
    }

    /// Deletes every record there is; answered once that is on the disk.
    pub(crate) fn purge(&mut self, origin: Origin, effects: &mut Vec<Effect<D>>) {
        // What was appended so far is to go with its file.
        if let Err(error) = self.log.seal() {
            let error = storage_error(&self.name, &error);
            effects.push(Effect::Trimmed(origin, Err(error)));
            return;
        }
        self.trim.sync_wanted = true;
        self.trim_to(self.log.end_offset(), Some(origin), effects);
        self.start_sync(effects);
    }

    /// Deletes what is too old or too much at `now_us`.
    pub(crate) fn expire(&mut self, now_us: i64, effects: &mut Vec<Effect<D>>) {
        let retention = self.trim.retention;
        if retention == Retention::default() || self.log.quarantined().is_some() {
            return;
        }
        if self.log.holds_expired(retention, now_us) && self.log.seal().is_ok() {
            self.trim.sync_wanted = true;
            self.start_sync(effects);
        }
        let offset = self.log.expired_to(retention, now_us);
        self.trim_to(offset, None, effects);
    }

    /// Whether records may go by age or size.
    pub(crate) fn has_retention(&self) -> bool {
        self.trim.retention != Retention::default()
    }

    /// When to call [`Partition::expire`], in microseconds since the Unix epoch; `None` if nothing
    /// there is will ever be too old.
    pub(crate) fn next_expiry_us(&self) -> Option<i64> {
        if self.trim.retention.ms == 0
            || self.log.is_fenced()
            || self.log.quarantined().is_some()
        {
            return None;
        }
        self.log.next_expiry_us(self.trim.retention)
    }

    /// A trim came back: answers whom it serves, and starts the next if more is wanted.
    pub(crate) fn trimmed(&mut self, outcome: TrimOutcome, effects: &mut Vec<Effect<D>>) {
        self.trim.in_flight = false;
        if let Err(error) = self.log.finish_trim(outcome) {
            let error = storage_error(&self.name, &error);
            tracing::error!(partition = %self.name, %error, "deleting records failed");
            self.fail_trims(&error, effects);
            return;
        }
        self.trim_kept();
        self.answer_trims(effects);
        self.refuse_overtaken(effects);
        self.advance_trim(effects);
    }

    /// Takes the next step there is to take: after a sync, and when a trim came back.
    pub(super) fn advance_trim(&mut self, effects: &mut Vec<Effect<D>>) {
        if let Some(job) = self.log.take_removable() {
            effects.push(Effect::Remove(job));
        }
        let wanted = self.trim.wanted;
        if self.trim.in_flight || wanted <= self.log.start_offset() {
            return;
        }
        if self.log.quarantined().is_some() {
            let text = format!("{} is damaged: nothing is deleted of it", self.name);
            self.fail_trims(&Error::new(Code::PARTITION_CORRUPT, text), effects);
            return;
        }
        if wanted > self.log.synced_end() && !self.log.is_fenced() {
            self.trim.sync_wanted = true;
            self.start_sync(effects);
            return;
        }
        // What the producers did must be known without the segments that go.
        if !self.log.is_fenced() && self.log.snapshot_offset() < Some(wanted) {
            if self.snapshot.is_none() && !self.writing_snapshot {
                self.snapshot = Some(self.log.begin_snapshot(self.producers.encode()));
            }
            self.write_snapshot(effects);
            if self.snapshot.is_some() {
                self.trim.sync_wanted = true;
                self.start_sync(effects);
            }
            return;
        }
        match self.log.begin_trim(wanted) {
            Ok(Some(job)) => {
                self.trim.in_flight = true;
                effects.push(Effect::Trim(job));
            }
            Ok(None) => {}
            Err(error) => {
                let error = storage_error(&self.name, &error);
                self.fail_trims(&error, effects);
            }
        }
    }

    /// Whether a sync is wanted for what is to be deleted. Asking takes note that it begins.
    pub(super) fn takes_sync_for_trim(&mut self) -> bool {
        std::mem::take(&mut self.trim.sync_wanted)
    }

    /// Gives up what is wanted, and says why to whoever waits.
    pub(super) fn fail_trims(&mut self, error: &Error, effects: &mut Vec<Effect<D>>) {
        self.trim.wanted = 0;
        for (_, origin) in self.trim.waiting.drain(..) {
            effects.push(Effect::Trimmed(origin, Err(error.clone())));
        }
    }

    fn trim_to(&mut self, offset: u64, origin: Option<Origin>, effects: &mut Vec<Effect<D>>) {
        if let Some(origin) = origin {
            if self.trim.waiting.len() >= MAX_WAITING_TRIMS {
                let text =
                    format!("{MAX_WAITING_TRIMS} deletions wait on {} already", self.name);
                let error = Error::new(Code::OVERLOADED, text);
                effects.push(Effect::Trimmed(origin, Err(error)));
                return;
            }
            self.trim.waiting.push((offset, origin));
        }
        self.trim.wanted = self.trim.wanted.max(offset);
        self.answer_trims(effects);
        self.advance_trim(effects);
    }

    fn answer_trims(&mut self, effects: &mut Vec<Effect<D>>) {
        let start = self.log.start_offset();
        for (_, origin) in self.trim.waiting.extract_if(.., |(offset, _)| *offset <= start) {
            effects.push(Effect::Trimmed(origin, Ok(start)));
        }
    }

    /// Tells waiting readers that what they wait after was deleted.
    fn refuse_overtaken(&mut self, effects: &mut Vec<Effect<D>>) {
        let start = self.log.start_offset();
        let mut index = 0;
        while index < self.waiters.len() {
            let offset = self.waiters[index].offset();
            if offset >= start {
                index += 1;
                continue;
            }
            let waiter = self.waiters.swap_remove(index);
            effects.push(Effect::Read(waiter.origin, Err(self.out_of_range(offset))));
        }
    }
}

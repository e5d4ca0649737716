//! A partition: appends in groups, acknowledgements, and reads that wait. A state machine: it
//! does no socket I/O, reads no clock and starts no thread; what must happen outside it leaves as
//! [`Effect`]s.
//!
//! Invariants:
//! * an append is acknowledged only when its level is reached, in the order of offsets;
//! * a record becomes visible to readers when it has reached the level that *its* producer asked
//!   for, and everything before it has too: nobody is shown what an acknowledgement still waits
//!   for;
//! * at most one sync is under way; what arrives meanwhile is the next group;
//! * what is known of producers and ids moves with the log: a batch that was not written leaves
//!   no trace in it.

mod append;
mod block;
mod cold;
mod dedup;
mod errors;
mod held;
mod place;
mod producers;
mod read;
mod refused;
mod restore;
mod tail;
#[cfg(test)]
mod tests;
mod trim;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{AppendReply, FlushReply, PartitionInfo};
use tidewire_storage::Topic;
use tidewire_storage::disk::Disk;
use tidewire_storage::log::{Log, Pace, RemoveJob, Retention, SnapshotJob, SyncJob, TrimJob};

use crate::message::{Origin, Position, ReadReply};
use crate::read_budget::ReadBudget;
pub(crate) use append::AppendRequest;
use append::{Queued, Unsynced};
use cold::Cold;
pub(crate) use cold::{FetchJob, FetchOutcome};
use dedup::Dedup;
pub(crate) use errors::storage_error;
use held::Waiting;
use place::Lookups;
pub(crate) use place::{LookupJob, LookupOutcome};
use producers::Producers;
use read::Waiter;
use refused::Refusals;
pub(crate) use restore::Memory;
use tail::Tail;
use trim::Trim;

/// Reads that may wait on one partition. A connection has one for each of its subscriptions and
/// fetches, so this is reached only by many thousands of them.
const MAX_WAITERS: usize = 65_536;

/// What a partition wants done.
pub(crate) enum Effect<D: Disk> {
    /// Tell a producer.
    Appended(Origin, Result<AppendReply, Error>),
    /// Tell who asked for a flush.
    Flushed(Origin, Result<FlushReply, Error>),
    /// Tell a reader.
    Read(Origin, Result<ReadReply, Error>),
    /// Run this where it may block, then call [`Partition::fetched`].
    Fetch(FetchJob<D>),
    /// Tell who begins to read.
    Resolved(Origin, Result<Position, Error>),
    /// Tell who asked for its state.
    Described(Origin, PartitionInfo),
    /// Run this where it may block, then call [`Partition::looked_up`].
    Lookup(LookupJob<D>),
    /// Run this where it may block, then call [`Partition::synced`].
    Sync(SyncJob<D>),
    /// Call [`Partition::gathered`] after so many microseconds.
    Gather(u64),
    /// Tell who deleted records where the partition begins now.
    Trimmed(Origin, Result<u64, Error>),
    /// Run this where it may block, then call [`Partition::trimmed`].
    Trim(TrimJob<D>),
    /// Run this where it may block; nobody waits for it.
    Remove(RemoveJob<D>),
    /// Run this where it may block, then call [`Partition::snapshot_written`].
    Snapshot(SnapshotJob<D>),
}

/// One partition of a topic, on the shard that owns it.
pub(crate) struct Partition<D: Disk> {
    /// `stream/topic[3]`, for messages.
    name: String,
    log: Log<D>,
    producers: Producers,
    /// `None` if the topic has no window.
    dedup: Option<Dedup>,
    refusals: Refusals,
    queue: Vec<Queued>,
    queued_records: u64,
    /// Written, and acknowledged once they are synced.
    unsynced: VecDeque<Unsynced>,
    /// Answers that wait for batches of others, or of before.
    held: Vec<Waiting>,
    syncing: bool,
    pace: Pace,
    /// Taken, and written once the sync that was begun with it is done.
    snapshot: Option<SnapshotJob<D>>,
    writing_snapshot: bool,
    /// Offset after the last record that readers may see.
    visible_end: u64,
    /// Bytes appended since the log was opened, to know when a waiting read has enough.
    appended_bytes: u64,
    /// Bytes written since the last sync began.
    unsynced_bytes: u64,
    waiters: Vec<Waiter>,
    budget: Arc<ReadBudget>,
    tail: Tail,
    cold: Cold,
    lookups: Lookups,
    trim: Trim,
    /// Batches on their way into the log; kept to reuse its allocation.
    group: Vec<Bytes>,
}

impl<D: Disk> Partition<D> {
    /// A partition over an opened log, whose whole content is visible, with what it has to know
    /// of it. What its readers hold is counted in `budget`.
    pub(crate) fn new(
        name: String,
        log: Log<D>,
        memory: Memory,
        budget: Arc<ReadBudget>,
    ) -> Self {
        let visible_end = log.end_offset();
        Self {
            name,
            log,
            producers: memory.producers,
            dedup: memory.dedup,
            refusals: Refusals::default(),
            queue: Vec::new(),
            queued_records: 0,
            unsynced: VecDeque::new(),
            held: Vec::new(),
            syncing: false,
            pace: Pace::default(),
            snapshot: None,
            writing_snapshot: false,
            visible_end,
            appended_bytes: 0,
            unsynced_bytes: 0,
            waiters: Vec::new(),
            budget,
            tail: Tail::default(),
            cold: Cold::default(),
            lookups: Lookups::default(),
            trim: Trim::default(),
            group: Vec::new(),
        }
    }

    /// Takes over the settings of its topic.
    pub(crate) fn keep_to(&mut self, topic: &Topic) {
        self.log.set_segment_bytes(topic.segment_bytes);
        self.trim.retention =
            Retention { ms: topic.retention_ms, bytes: topic.retention_bytes };
        match (&mut self.dedup, topic.dedup_window_ms) {
            (Some(_), 0) => self.dedup = None,
            (Some(dedup), window_ms) => dedup.keep_to(window_ms),
            // It begins with what comes: what was appended before the window was wanted may be
            // repeated.
            (None, 0) => {}
            (None, window_ms) => self.dedup = Some(Dedup::new(window_ms)),
        }
    }

    /// Answers everyone who waits with `error`: the topic is gone, or the server stops.
    pub(crate) fn fail_all(&mut self, error: &Error, effects: &mut Vec<Effect<D>>) {
        self.fail_queued(error, effects);
        self.fail_held(error, effects);
        for waiter in self.waiters.drain(..) {
            effects.push(Effect::Read(waiter.origin, Err(error.clone())));
        }
        for reader in self.cold.take_all() {
            effects.push(Effect::Read(reader.origin, Err(error.clone())));
        }
        self.fail_lookups(error, effects);
        self.fail_trims(error, effects);
    }

    /// Closes the log, synced. Only when nothing waits and no sync is under way.
    pub(crate) fn close(self) -> Result<(), Error> {
        let name = self.name;
        self.log.close().map_err(|error| storage_error(&name, &error))
    }

    /// Whether something waits for a sync, or a thread has work of this partition.
    pub(crate) fn is_busy(&self) -> bool {
        self.syncing
            || self.writing_snapshot
            || self.trim.in_flight
            || !self.unsynced.is_empty()
            || !self.held.is_empty()
            || !self.queue.is_empty()
    }

    fn out_of_range(&self, offset: u64) -> Error {
        // Records at and after damage are there, though they cannot be read: nobody is to take
        // them for trimmed or not yet written, and begin elsewhere.
        if let Some(quarantine) = self.log.quarantined()
            && offset >= quarantine.offset
        {
            let text = format!("{}: {quarantine}", self.name);
            return Error::new(Code::PARTITION_CORRUPT, text);
        }
        Error::new(
            Code::OFFSET_OUT_OF_RANGE,
            format!(
                "offset {offset} is outside {}, which holds {} to {}",
                self.name,
                self.log.start_offset(),
                self.visible_end
            ),
        )
    }
}

//! One partition over one log, driven request by request.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use bytes::Bytes;
use tidewire_protocol::batch::{Batch, Columns, Header};
use tidewire_protocol::error::Error;
use tidewire_protocol::idempotence::Claim;
use tidewire_protocol::message::{Acks, AppendReply, PartitionInfo, Start};
use tidewire_storage::Topic;
use tidewire_storage::disk::Disk;
use tidewire_storage::log::{
    Log, RemoveJob, SnapshotJob, SnapshotOutcome, SyncJob, SyncOutcome, TrimJob, TrimOutcome,
};

use crate::message::{Origin, Place, ReadRequest};
use crate::partition;
use crate::read_budget::ReadBudget;

/// Bytes that the readers of a partition may hold: so few that they come to the limit.
const READ_BUDGET_BYTES: usize = 64 << 10;

/// What a partition wants done, or told to the request with a token.
pub enum Effect<D: Disk> {
    /// An append was carried out, or refused.
    Appended(u64, Result<AppendReply, Error>),
    /// Everything below this offset is on the disk, or cannot be brought there.
    Flushed(u64, Result<u64, Error>),
    /// A read came to its end.
    Read(u64, Result<ReadReply, Error>),
    /// Run this where it may block, then call [`Partition::fetched`].
    Fetch(FetchJob<D>),
    /// A place that was asked for, or that it cannot be found.
    Resolved(u64, Result<u64, Error>),
    /// Run this where it may block, then call [`Partition::looked_up`].
    Lookup(LookupJob<D>),
    /// Run this where it may block, then call [`Partition::synced`].
    Sync(SyncJob<D>),
    /// Call [`Partition::gathered`] after so many microseconds.
    Gather(u64),
    /// Run this where it may block, then call [`Partition::snapshot_written`].
    Snapshot(SnapshotJob<D>),
    /// The partition begins at this offset, or records could not be deleted.
    Trimmed(u64, Result<u64, Error>),
    /// Run this where it may block, then call [`Partition::trimmed`].
    Trim(TrimJob<D>),
    /// Run this where it may block.
    Remove(RemoveJob<D>),
}

/// What a read found.
pub struct ReadReply {
    /// Whole batches, perhaps none.
    pub bytes: Bytes,
    /// Offset after them.
    pub next_offset: u64,
    /// First offset that can be read.
    pub start_offset: u64,
    /// Offset after the last record that can be read.
    pub end_offset: u64,
}

/// A read from the disk.
pub struct FetchJob<D: Disk>(partition::FetchJob<D>);

/// What came of it.
pub struct FetchOutcome<D: Disk>(partition::FetchOutcome<D>);

impl<D: Disk> FetchJob<D> {
    /// Reads.
    pub fn run(self) -> FetchOutcome<D> {
        FetchOutcome(self.0.run())
    }
}

/// A look-up by time.
pub struct LookupJob<D: Disk>(partition::LookupJob<D>);

/// What came of it.
pub struct LookupOutcome<D: Disk>(partition::LookupOutcome<D>);

impl<D: Disk> LookupJob<D> {
    /// Looks.
    pub fn run(self) -> LookupOutcome<D> {
        LookupOutcome(self.0.run())
    }
}

/// A partition as a shard owns it. Requests are told apart by tokens.
pub struct Partition<D: Disk> {
    inner: partition::Partition<D>,
    effects: Vec<partition::Effect<D>>,
}

impl<D: Disk> Partition<D> {
    /// A partition over an opened log, with what the log says of its producers, and of the ids
    /// within a window of so many milliseconds.
    ///
    /// # Errors
    /// The log could not be read.
    pub fn open(
        name: String,
        mut log: Log<D>,
        dedup_window_ms: u64,
        now_us: i64,
    ) -> Result<Self, tidewire_storage::Error> {
        let memory = partition::Memory::restore(&mut log, dedup_window_ms, now_us)?;
        Ok(Self::new(name, log, memory))
    }

    fn new(name: String, log: Log<D>, memory: partition::Memory) -> Self {
        let budget = ReadBudget::new(READ_BUDGET_BYTES);
        let inner = partition::Partition::new(name, log, memory, budget);
        Self { inner, effects: Vec::new() }
    }

    /// A partition with what another log says of its producers: a deliberate mistake.
    ///
    /// # Errors
    /// The other log could not be read.
    pub fn open_mistaken<E: Disk>(
        name: String,
        log: Log<D>,
        mut other: Log<E>,
    ) -> Result<Self, tidewire_storage::Error> {
        let memory = partition::Memory::restore(&mut other, 0, 0)?;
        Ok(Self::new(name, log, memory))
    }

    /// Takes over the settings of its topic.
    pub fn keep_to(&mut self, topic: &Topic) {
        self.inner.keep_to(topic);
    }

    /// Queues a validated batch; [`Partition::flush`] writes it. `opened_epoch` is the highest
    /// epoch that its producer was opened in, if it has a name.
    pub fn append(
        &mut self,
        batch: Bytes,
        header: &Header,
        acks: Acks,
        opened_epoch: Option<&Arc<AtomicU32>>,
        token: u64,
        now_us: i64,
    ) {
        let claim = Claim::from(header);
        let ids = if header.columns.has(Columns::IDS) {
            Batch::decode(batch.clone()).map_or_else(
                |_| Bytes::new(),
                |decoded| {
                    let range = decoded.id_range();
                    decoded.slice(range)
                },
            )
        } else {
            Bytes::new()
        };
        let opened_epoch = opened_epoch.cloned();
        let request = partition::AppendRequest { batch, claim, acks, opened_epoch, ids };
        self.inner.append(request, origin(token), now_us, &mut self.effects);
    }

    /// Deletes what is too old or too much at `now_us`.
    pub fn expire(&mut self, now_us: i64) {
        self.inner.expire(now_us, &mut self.effects);
    }

    /// A read from the disk ended.
    pub fn fetched(&mut self, outcome: FetchOutcome<D>) {
        self.inner.fetched(outcome.0, &mut self.effects);
    }

    /// Lets go of something that is kept in memory for readers; false if there is nothing.
    pub fn let_go(&mut self) -> bool {
        self.inner.let_go()
    }

    /// Asks for all that was appended to be synced.
    pub fn sync_all(&mut self, token: u64) {
        self.inner.sync_all(origin(token), &mut self.effects);
    }

    /// A snapshot was written, or could not be.
    pub fn snapshot_written(&mut self, outcome: SnapshotOutcome) {
        self.inner.snapshot_written(outcome, &mut self.effects);
    }

    /// Deletes the records below `before`.
    pub fn truncate(&mut self, before: u64, token: u64) {
        self.inner.truncate(before, origin(token), &mut self.effects);
    }

    /// Deletes all records.
    pub fn purge(&mut self, token: u64) {
        self.inner.purge(origin(token), &mut self.effects);
    }

    /// A start was written, or could not be.
    pub fn trimmed(&mut self, outcome: TrimOutcome) {
        self.inner.trimmed(outcome, &mut self.effects);
    }

    /// Writes all that is queued.
    pub fn flush(&mut self, now_us: i64) {
        self.inner.flush(now_us, &mut self.effects);
    }

    /// A sync ended, which took `took_us`.
    pub fn synced(&mut self, outcome: SyncOutcome, took_us: u64) {
        self.inner.synced(outcome, took_us, &mut self.effects);
    }

    /// The time that [`Effect::Gather`] named is over.
    pub fn gathered(&mut self) {
        self.inner.gathered(&mut self.effects);
    }

    /// Reads from `offset` on, about `max_bytes`, now or once there are `min_bytes`.
    pub fn read(&mut self, offset: u64, max_bytes: usize, min_bytes: usize, token: u64) {
        let request = ReadRequest { offset, max_bytes, min_bytes };
        self.inner.read(request, origin(token), &mut self.effects);
    }

    /// Answers a waiting read with what there is.
    pub fn expire_read(&mut self, token: u64) {
        self.inner.expire_read(origin(token), &mut self.effects);
    }

    /// Forgets a waiting read.
    pub fn cancel_read(&mut self, token: u64) {
        self.inner.cancel_read(origin(token));
    }

    /// The offset at which a subscription begins that does not begin at a time.
    ///
    /// # Errors
    /// The partition does not hold it.
    pub fn resolve(&self, start: Start, offset: u64) -> Result<u64, Error> {
        self.inner.offset_of(Place { start, at: offset })
    }

    /// Asks where the records since a time begin; answered by [`Effect::Resolved`].
    pub fn resolve_time(&mut self, time_us: u64, token: u64) {
        let place = Place { start: Start::Timestamp, at: time_us };
        self.inner.resolve(place, origin(token), &mut self.effects);
    }

    /// A look-up ended.
    pub fn looked_up(&mut self, outcome: LookupOutcome<D>) {
        self.inner.looked_up(outcome.0, &mut self.effects);
    }

    /// Its state.
    pub fn describe(&self) -> PartitionInfo {
        self.inner.info()
    }

    /// Answers everyone who waits with `error`.
    pub fn fail_all(&mut self, error: &Error) {
        self.inner.fail_all(error, &mut self.effects);
    }

    /// Whether appends wait for a sync, or one is under way.
    pub fn is_busy(&self) -> bool {
        self.inner.is_busy()
    }

    /// Closes the log, synced.
    ///
    /// # Errors
    /// What kept it from being synced.
    pub fn close(self) -> Result<(), Error> {
        self.inner.close()
    }

    /// What it wants done since the last call.
    pub fn take_effects(&mut self) -> Vec<Effect<D>> {
        let effect = |effect| {
            Some(match effect {
                partition::Effect::Appended(origin, result) => {
                    Effect::Appended(origin.token, result)
                }
                partition::Effect::Read(origin, result) => {
                    let reply = result.map(|reply| ReadReply {
                        bytes: reply.bytes.concat().into(),
                        next_offset: reply.next_offset,
                        start_offset: reply.start_offset,
                        end_offset: reply.end_offset,
                    });
                    Effect::Read(origin.token, reply)
                }
                partition::Effect::Flushed(origin, result) => {
                    Effect::Flushed(origin.token, result.map(|reply| reply.synced_offset))
                }
                partition::Effect::Fetch(job) => Effect::Fetch(FetchJob(job)),
                partition::Effect::Resolved(origin, result) => {
                    let offset = result.map(|position| position.next_offset);
                    Effect::Resolved(origin.token, offset)
                }
                // Nobody asks here but by `describe`, which answers at once.
                partition::Effect::Described(..) => return None,
                partition::Effect::Lookup(job) => Effect::Lookup(LookupJob(job)),
                partition::Effect::Sync(job) => Effect::Sync(job),
                partition::Effect::Gather(us) => Effect::Gather(us),
                partition::Effect::Snapshot(job) => Effect::Snapshot(job),
                partition::Effect::Trimmed(origin, result) => {
                    Effect::Trimmed(origin.token, result)
                }
                partition::Effect::Trim(job) => Effect::Trim(job),
                partition::Effect::Remove(job) => Effect::Remove(job),
            })
        };
        self.effects.drain(..).filter_map(effect).collect()
    }
}

fn origin(token: u64) -> Origin {
    Origin { shard: 0, connection: 0, token }
}

//! The partition's promises, over a simulated disk: no runtime, no sockets, no clock.

use std::io::ErrorKind;
use std::path::Path;

mod dedup;
mod idempotence;
mod places;
mod reads;
mod trim;

use bytes::Bytes;
use tidewire_protocol::batch::Header;
use tidewire_protocol::batch::{BatchBuilder, RecordRef, Sequence};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::idempotence::Claim;
use tidewire_protocol::message::{Acks, AppendReply, FlushReply, PartitionInfo, Start};
use tidewire_storage::disk::sim::{Fault, Operation, SimDisk};
use tidewire_storage::log::{Log, LogOptions, SnapshotJob, SyncJob, TrimJob};

use super::{AppendRequest, Effect, FetchJob, LookupJob, Memory, Partition};
use crate::message::{Origin, Place, ReadReply, ReadRequest};
use crate::read_budget::ReadBudget;

/// A partition, and what it wanted done so far.
struct World {
    disk: SimDisk,
    partition: Partition<SimDisk>,
    appended: Vec<(u64, Result<AppendReply, Error>)>,
    flushed: Vec<(u64, Result<FlushReply, Error>)>,
    read: Vec<(u64, Result<ReadReply, Error>)>,
    /// Reads from the disk that are under way, if [`World::hold_fetches`] was called.
    fetches: Vec<FetchJob<SimDisk>>,
    hold_fetches: bool,
    resolved: Vec<(u64, Result<u64, Error>)>,
    described: Vec<(u64, PartitionInfo)>,
    /// Look-ups that are under way.
    lookups: Vec<LookupJob<SimDisk>>,
    syncs: Vec<SyncJob<SimDisk>>,
    gathers: Vec<u64>,
    snapshots: Vec<SnapshotJob<SimDisk>>,
    trims: Vec<TrimJob<SimDisk>>,
    trimmed: Vec<(u64, Result<u64, Error>)>,
    now_us: i64,
}

impl World {
    fn new() -> Self {
        Self::open(SimDisk::new(1), LogOptions::default(), 0, 0).expect("an empty disk")
    }

    /// A partition over what the disk holds.
    fn open(
        disk: SimDisk,
        options: LogOptions,
        dedup_window_ms: u64,
        now_us: i64,
    ) -> Result<Self, tidewire_storage::Error> {
        let (mut log, _) = Log::open(disk.clone(), Path::new("/p"), options)?;
        let memory = Memory::restore(&mut log, dedup_window_ms, now_us)?;
        let budget = ReadBudget::new(1 << 20);
        Ok(Self {
            disk,
            partition: Partition::new("s/t[0]".to_owned(), log, memory, budget),
            appended: Vec::new(),
            flushed: Vec::new(),
            read: Vec::new(),
            fetches: Vec::new(),
            resolved: Vec::new(),
            described: Vec::new(),
            lookups: Vec::new(),
            hold_fetches: false,
            syncs: Vec::new(),
            gathers: Vec::new(),
            snapshots: Vec::new(),
            trims: Vec::new(),
            trimmed: Vec::new(),
            now_us,
        })
    }

    fn apply(&mut self, effects: Vec<Effect<SimDisk>>) {
        for effect in effects {
            match effect {
                Effect::Appended(origin, result) => self.appended.push((origin.token, result)),
                Effect::Flushed(origin, result) => self.flushed.push((origin.token, result)),
                Effect::Read(origin, result) => self.read.push((origin.token, result)),
                Effect::Fetch(job) if self.hold_fetches => self.fetches.push(job),
                Effect::Fetch(job) => self.fetch(job),
                Effect::Resolved(origin, result) => {
                    let found = result.map(|position| position.next_offset);
                    self.resolved.push((origin.token, found));
                }
                Effect::Described(origin, info) => self.described.push((origin.token, info)),
                Effect::Lookup(job) => self.lookups.push(job),
                Effect::Sync(job) => self.syncs.push(job),
                Effect::Gather(us) => self.gathers.push(us),
                Effect::Snapshot(job) => self.snapshots.push(job),
                Effect::Trimmed(origin, result) => self.trimmed.push((origin.token, result)),
                Effect::Trim(job) => self.trims.push(job),
                Effect::Remove(job) => {
                    assert!(job.run().is_empty() || self.disk.is_halted(), "the files go");
                }
            }
        }
    }

    fn append(&mut self, token: u64, acks: Acks, records: usize) {
        self.append_batch(token, acks, batch(records));
    }

    fn append_batch(&mut self, token: u64, acks: Acks, batch: Bytes) {
        self.request(token, request(batch, acks));
    }

    fn request(&mut self, token: u64, request: AppendRequest) {
        let mut effects = Vec::new();
        self.partition.append(request, origin(token), self.now_us, &mut effects);
        self.apply(effects);
    }

    fn flush(&mut self) {
        let mut effects = Vec::new();
        self.now_us += 1;
        self.partition.flush(self.now_us, &mut effects);
        self.apply(effects);
    }

    fn sync_all(&mut self, token: u64) {
        let mut effects = Vec::new();
        self.partition.sync_all(origin(token), &mut effects);
        self.apply(effects);
    }

    /// The one answer to `token` so far, if there is one.
    fn answer(&mut self, token: u64) -> Option<Result<AppendReply, Error>> {
        let at = self.appended.iter().position(|(given, _)| *given == token)?;
        Some(self.appended.remove(at).1)
    }

    /// Runs the sync that was asked for.
    fn sync(&mut self) {
        self.sync_that_takes(0);
    }

    fn sync_that_takes(&mut self, took_us: u64) {
        let job = self.syncs.pop().expect("a sync was asked for");
        let mut effects = Vec::new();
        self.partition.synced(job.run(), took_us, &mut effects);
        self.apply(effects);
    }

    /// Runs a read from the disk.
    fn fetch(&mut self, job: FetchJob<SimDisk>) {
        let mut effects = Vec::new();
        self.partition.fetched(job.run(), &mut effects);
        self.apply(effects);
    }

    fn snapshot(&mut self, job: SnapshotJob<SimDisk>) {
        let mut effects = Vec::new();
        self.partition.snapshot_written(job.run(), &mut effects);
        self.apply(effects);
    }

    fn read(&mut self, token: u64, offset: u64, min_bytes: usize) {
        let mut effects = Vec::new();
        let request = ReadRequest { offset, max_bytes: 1 << 20, min_bytes };
        self.partition.read(request, origin(token), &mut effects);
        self.apply(effects);
    }

    /// Tokens acknowledged so far, with their first offsets.
    fn acknowledged(&mut self) -> Vec<(u64, u64)> {
        self.appended
            .drain(..)
            .map(|(token, result)| (token, result.expect("appended").base_offset))
            .collect()
    }

    fn end(&self) -> u64 {
        self.partition.info().end_offset
    }
}

fn request(batch: Bytes, acks: Acks) -> AppendRequest {
    let claim = Claim::from(&Header::parse(&batch).expect("a batch"));
    AppendRequest { batch, claim, acks, opened_epoch: None, ids: Bytes::new() }
}

fn origin(token: u64) -> Origin {
    Origin { shard: 0, connection: 1, token }
}

fn batch(records: usize) -> Bytes {
    let mut builder = BatchBuilder::new(1 << 20, 1000);
    for _ in 0..records {
        builder.push(&RecordRef { value: Some(b"value"), ..RecordRef::at(0) }).expect("small");
    }
    builder.seal(Sequence::default())
}

#[test]
fn each_level_is_acknowledged_when_it_is_reached() {
    let mut world = World::new();
    world.append(1, Acks::None, 1);
    assert_eq!(world.acknowledged(), [(1, 0)], "none: at once, with the place in line");
    world.append(2, Acks::Written, 2);
    world.append(3, Acks::Synced, 3);
    world.append(4, Acks::None, 1);
    assert_eq!(world.acknowledged(), [(4, 6)]);
    world.flush();
    assert_eq!(world.acknowledged(), [(2, 1)], "written: once it is in the operating system");
    world.sync();
    assert_eq!(world.acknowledged(), [(3, 3)], "synced: once it is on the disk");
}

#[test]
fn one_sync_serves_all_that_was_written_before_it() {
    let mut world = World::new();
    for token in 1..=3 {
        world.append(token, Acks::Synced, 1);
    }
    world.flush();
    assert_eq!(world.syncs.len(), 1);
    // While it runs, more arrives: the next group.
    for token in 4..=6 {
        world.append(token, Acks::Synced, 1);
        world.flush();
    }
    assert_eq!(world.syncs.len(), 1, "one sync at a time");
    world.sync();
    assert_eq!(world.acknowledged(), [(1, 0), (2, 1), (3, 2)]);
    assert_eq!(world.syncs.len(), 1, "the next begins at once");
    world.sync();
    assert_eq!(world.acknowledged(), [(4, 3), (5, 4), (6, 5)]);
    assert!(world.syncs.is_empty() && !world.partition.is_busy());
}

#[test]
fn where_syncs_take_long_two_crowds_become_one_and_nobody_waits_for_ever() {
    let mut world = World::new();
    world.append(1, Acks::Synced, 1);
    world.flush();
    for token in 2..=4 {
        world.append(token, Acks::Synced, 1);
        world.flush();
    }
    world.sync_that_takes(8_000);
    assert_eq!(world.acknowledged(), [(1, 0)]);
    assert_eq!((world.syncs.len(), world.gathers.pop()), (0, Some(2_000)), "it may come back");
    world.append(1, Acks::Synced, 1);
    world.flush();
    assert_eq!(world.syncs.len(), 1, "all are here");
    world.sync_that_takes(8_000);
    assert_eq!(world.acknowledged().len(), 4);
    world.append(2, Acks::Synced, 1);
    world.flush();
    assert!(world.syncs.is_empty(), "the others were here a moment ago");
    assert_eq!(world.gathers.pop(), Some(2_000));
    let mut effects = Vec::new();
    world.partition.gathered(&mut effects);
    world.apply(effects);
    assert_eq!(world.syncs.len(), 1, "they have gone");
    world.sync_that_takes(8_000);
    assert_eq!(world.acknowledged(), [(2, 5)]);
    // After that one sync follows the other, once; a flush waits for nobody.
    for gathered in [None, Some(2_000)] {
        for token in 1..=2 {
            world.append(token, Acks::Synced, 1);
        }
        world.flush();
        world.sync_that_takes(8_000);
        assert_eq!(world.gathers.pop(), gathered);
    }
    world.append(3, Acks::Synced, 1);
    world.flush();
    assert!(world.syncs.is_empty());
    world.sync_all(9);
    assert_eq!(world.syncs.len(), 1);
}

#[test]
fn a_record_is_shown_when_it_and_all_before_it_have_their_level() {
    let mut world = World::new();
    world.append(1, Acks::Written, 1);
    world.flush();
    assert_eq!(world.end(), 1);
    world.append(2, Acks::Synced, 1);
    world.append(3, Acks::Written, 1);
    world.flush();
    assert_eq!(world.end(), 1, "offset 1 waits for its sync, and 2 behind it");
    world.sync();
    assert_eq!(world.end(), 3);
}

#[test]
fn a_waiting_read_wakes_when_there_is_enough_to_see() {
    let mut world = World::new();
    world.read(1, 0, 1);
    world.read(2, 0, batch(1).len() * 2);
    world.append(3, Acks::Synced, 1);
    world.flush();
    assert!(world.read.is_empty(), "written, but not shown yet");
    world.sync();
    let (token, reply) = world.read.pop().expect("one is satisfied");
    assert_eq!((token, reply.expect("readable").next_offset), (1, 1));
    world.append(4, Acks::Synced, 1);
    world.flush();
    world.sync();
    let (token, reply) = world.read.pop().expect("now the other is");
    assert_eq!((token, reply.expect("readable").next_offset), (2, 2));
}

#[test]
fn an_expired_read_gets_what_there_is_and_a_cancelled_one_nothing() {
    let mut world = World::new();
    world.read(1, 0, 1);
    world.read(2, 0, 1);
    let mut effects = Vec::new();
    world.partition.expire_read(origin(1), &mut effects);
    world.partition.cancel_read(origin(2));
    world.apply(effects);
    let (token, reply) = world.read.pop().expect("the expired one");
    assert_eq!(token, 1);
    assert_eq!(reply.expect("readable").len, 0);
    world.append(3, Acks::Written, 1);
    world.flush();
    assert!(world.read.is_empty());
}

#[test]
fn a_failed_sync_fences_and_shows_nothing_of_what_it_lost() {
    let mut world = World::new();
    world.append(1, Acks::Synced, 1);
    world.flush();
    world.sync();
    world.acknowledged();
    world.append(2, Acks::Synced, 1);
    world.append(3, Acks::Written, 1);
    world.flush();
    assert_eq!(world.acknowledged(), [(3, 2)]);
    world.disk.inject(Fault::once(Operation::Sync, ErrorKind::Other));
    world.sync();
    let (token, result) = world.appended.pop().expect("answered");
    let error = result.expect_err("its sync failed");
    assert_eq!((token, error.code), (2, Code::PARTITION_FENCED));
    assert!(error.is_outcome_unknown());
    assert_eq!(world.end(), 1);
    world.append(4, Acks::Synced, 1);
    world.flush();
    let (_, result) = world.appended.pop().expect("answered");
    let error = result.expect_err("fenced");
    assert_eq!(error.code, Code::PARTITION_FENCED);
    assert!(!error.is_outcome_unknown(), "it was refused before anything was tried");
    world.read(5, 0, 1);
    let (_, reply) = world.read.pop().expect("answered");
    assert_eq!(reply.expect("what was safe is readable").next_offset, 1);
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    let mut world = World::new();
    world.disk.inject(Fault::once(Operation::Write, ErrorKind::StorageFull));
    world.append(1, Acks::Synced, 1);
    world.flush();
    let (_, result) = world.appended.pop().expect("answered");
    let error = result.expect_err("no room");
    assert_eq!(error.code, Code::DISK_FULL);
    assert!(error.is_retriable());
    world.append(2, Acks::Synced, 1);
    world.flush();
    world.sync();
    assert_eq!(world.acknowledged(), [(2, 0)], "nothing of the refused one is there");
}

#[test]
fn what_nobody_waits_for_is_synced_all_the_same_before_it_is_much() {
    let mut world = World::new();
    let mut written = 0;
    while world.syncs.is_empty() {
        world.append(1, Acks::Written, 1000);
        world.flush();
        written += batch(1000).len() as u64;
        assert!(written < 2 * super::append::MAX_UNSYNCED_BYTES, "{written} bytes unsynced");
    }
    let end = world.end();
    world.sync();
    assert_eq!(world.partition.info().synced_offset, end);
}

#[test]
fn subscriptions_begin_where_they_ask() {
    let mut world = World::new();
    world.append(1, Acks::Written, 3);
    world.flush();
    let at = |start, offset| world.partition.offset_of(Place { start, at: offset });
    assert_eq!(at(Start::Earliest, 9), Ok(0));
    assert_eq!(at(Start::Latest, 9), Ok(3));
    assert_eq!(at(Start::Offset, 2), Ok(2));
    assert_eq!(at(Start::Offset, 3), Ok(3));
    let error = at(Start::Offset, 4).expect_err("past the end");
    assert_eq!(error.code, Code::OFFSET_OUT_OF_RANGE);
    assert!(error.message.contains("0 to 3"), "{error}");
}

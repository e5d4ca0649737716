//! The coordinator in a world of its own: virtual time, a catalog that changes when a test says
//! so, and a disk that can be slow, fail, and forget what was under way.

mod churn;
mod limits;
mod rules;

use std::collections::BTreeMap;
use std::sync::Arc;

use tidewire_protocol::connection::Time;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{
    AssignedPartition, GroupEvent, GroupJoin, OffsetStore, PartitionRef, StoreOffset,
    StoreResult, TopicRef,
};
use tidewire_storage::groups::{StoredGroup, Writes};
use tidewire_storage::{Catalog, Stream, Topic};

use super::{Coordinator, GroupReply, GroupRequest, Limits, Output, World};
use crate::message::Origin;

const SESSION_MS: u32 = 10_000;
const REBALANCE_MS: u32 = 5_000;

/// A coordinator and everything around it.
struct Bench {
    now: Time,
    catalog: Catalog,
    next_topic_id: u64,
    coordinator: Coordinator,
    disk: BTreeMap<String, StoredGroup>,
    writing: Option<Writes>,
    limits: Limits,
    starts: u64,
    next_origin: u64,
    /// What was told and not looked at yet.
    outputs: Vec<Output>,
}

impl Bench {
    fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    fn with_limits(limits: Limits) -> Self {
        let catalog = Catalog::default();
        let world = World { now: Time::ZERO, wall_us: 0, catalog: &catalog };
        let coordinator = Coordinator::new(world, limits.clone(), 1 << 32, Vec::new());
        Self {
            now: Time::ZERO,
            catalog,
            next_topic_id: 1,
            coordinator,
            disk: BTreeMap::new(),
            writing: None,
            limits,
            starts: 1,
            next_origin: 1,
            outputs: Vec::new(),
        }
    }

    /// A bench with the topic `t` of so many partitions.
    fn with_topic(partitions: u32) -> Self {
        let mut bench = Self::new();
        bench.set_topic("t", Some(partitions));
        bench
    }

    fn with<T>(&mut self, call: impl FnOnce(&mut Coordinator, World<'_>) -> T) -> T {
        let wall_us = self.now.as_nanos() as i64 / 1000;
        call(&mut self.coordinator, World { now: self.now, wall_us, catalog: &self.catalog })
    }

    /// Creates a topic, deletes it (`None`), or gives it more partitions.
    fn set_topic(&mut self, name: &str, partitions: Option<u32>) {
        let stream = self.catalog.streams.entry("s".to_owned()).or_insert_with(|| {
            Arc::new(Stream {
                id: 1,
                name: "s".to_owned(),
                created_us: 0,
                topics: BTreeMap::new(),
            })
        });
        let topics = &mut Arc::make_mut(stream).topics;
        match (topics.get_mut(name), partitions) {
            (Some(topic), Some(partitions)) => Arc::make_mut(topic).partitions = partitions,
            (_, None) => drop(topics.remove(name)),
            (None, Some(partitions)) => {
                let topic = new_topic(self.next_topic_id, name, partitions);
                self.next_topic_id += 1;
                topics.insert(name.to_owned(), Arc::new(topic));
            }
        }
        self.with(Coordinator::catalog_changed);
    }

    fn origin(&mut self) -> Origin {
        self.next_origin += 1;
        Origin { shard: 0, connection: self.next_origin, token: self.next_origin }
    }

    /// Begins to write what has to be written, if nothing is being written.
    fn start_write(&mut self) {
        if let Some(writes) = self.coordinator.take_writes() {
            assert!(self.writing.replace(writes).is_none(), "one write at a time");
        }
        self.outputs.extend(self.coordinator.take_outputs());
    }

    /// Ends the write that is under way.
    fn end_write(&mut self, result: Result<(), String>) {
        let Some(writes) = self.writing.take() else { return };
        if result.is_ok() {
            apply(&mut self.disk, &writes);
        }
        let now = self.now;
        self.coordinator.written(now, result);
        self.outputs.extend(self.coordinator.take_outputs());
    }

    /// Writes until nothing is left to write.
    fn flush(&mut self) {
        self.start_write();
        while self.writing.is_some() {
            self.end_write(Ok(()));
            self.start_write();
        }
    }

    fn advance(&mut self, ms: u32) {
        self.now = self.now.plus_ms(ms);
        while self.coordinator.poll_timeout().is_some_and(|at| at <= self.now) {
            self.with(Coordinator::handle_timeout);
        }
    }

    /// The server dies and starts again, with what was on the disk.
    fn restart(&mut self) {
        self.writing = None;
        self.outputs.clear();
        self.starts += 1;
        self.limits.count = Arc::default();
        let stored: Vec<StoredGroup> = self.disk.values().cloned().collect();
        let wall_us = self.now.as_nanos() as i64 / 1000;
        let world = World { now: self.now, wall_us, catalog: &self.catalog };
        self.coordinator =
            Coordinator::new(world, self.limits.clone(), self.starts << 32, stored);
    }

    /// Asks, and waits for the answer; events stay in `outputs`.
    fn ask(&mut self, request: GroupRequest) -> Result<GroupReply, Error> {
        let origin = self.origin();
        self.with(|groups, world| groups.request(world, origin, request));
        self.flush();
        let at = self
            .outputs
            .iter()
            .position(|output| matches!(output, Output::Answer(to, _) if *to == origin))
            .expect("every request is answered");
        match self.outputs.remove(at) {
            Output::Answer(_, result) => result,
            _ => unreachable!("just looked at"),
        }
    }

    /// Joins as a new member.
    fn join(&mut self, name: &str) -> Member {
        self.join_with(join(name, &["t"])).expect("joined")
    }

    fn join_with(&mut self, join: GroupJoin) -> Result<Member, Error> {
        let origin = self.origin();
        let member = origin;
        let request = GroupRequest::Join {
            join,
            member,
            client_name: "c".to_owned(),
            address: String::new(),
        };
        match self.ask(request)? {
            GroupReply::Join(reply) => {
                let member = Member { origin, id: reply.member_id, epoch: reply.member_epoch };
                Ok(member)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Comes back on another connection.
    fn rejoin(&mut self, member: Member) -> Result<Member, Error> {
        let join =
            GroupJoin { member_id: member.id, member_epoch: member.epoch, ..join("", &["t"]) };
        self.join_with(join)
    }

    /// What a member was told since the last time, in one event.
    fn news(&mut self, member: Member) -> GroupEvent {
        let mut sum = GroupEvent {
            generation: 0,
            complete: true,
            assigned: Vec::new(),
            revoked: Vec::new(),
            removed: Vec::new(),
        };
        self.outputs.retain(|output| match output {
            Output::Event(to, event) if *to == member.origin => {
                sum.generation = event.generation;
                sum.assigned.extend(event.assigned.iter().cloned());
                sum.revoked.extend(event.revoked.iter().cloned());
                sum.removed.extend(event.removed.iter().cloned());
                false
            }
            _ => true,
        });
        sum
    }

    /// Why a membership ended, if it did.
    fn ended(&mut self, member: Member) -> Option<Code> {
        let at = self.outputs.iter().position(
            |output| matches!(output, Output::Ended(to, _) if *to == member.origin),
        )?;
        match self.outputs.remove(at) {
            Output::Ended(_, error) => Some(error.code),
            _ => unreachable!("just looked at"),
        }
    }

    fn release(&mut self, member: Member, partitions: Vec<PartitionRef>) {
        let group = "g".to_owned();
        let request = GroupRequest::Release { group, member: member.origin, partitions };
        self.ask(request).expect("released");
    }

    fn detach(&mut self, member: Member) {
        let request = GroupRequest::Detach { group: "g".to_owned(), member: member.origin };
        self.with(|groups, world| groups.request(world, member.origin, request));
        self.flush();
    }

    fn leave(&mut self, member: Member, keep: bool) {
        let group = "g".to_owned();
        self.ask(GroupRequest::Leave { group, member: member.origin, keep }).expect("left");
    }

    fn store(&mut self, member: Member, partition: u32, offset: u64) -> (Code, u64) {
        match self.ask(GroupRequest::Store(store(member, "t", partition, offset))) {
            Ok(GroupReply::Store(reply)) => {
                let StoreResult { code, offset } = reply.results[0];
                (Code(code), offset)
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => (error.code, 0),
        }
    }
}

/// A membership, as its client knows it.
#[derive(Clone, Copy, Debug)]
struct Member {
    origin: Origin,
    id: u64,
    epoch: u32,
}

/// A named consumer.
const NOBODY: Member =
    Member { origin: Origin { shard: 0, connection: 0, token: 0 }, id: 0, epoch: 0 };

const OK: Code = Code(0);

fn join(name: &str, topics: &[&str]) -> GroupJoin {
    let topic = |topic: &&str| TopicRef { stream: "s".to_owned(), topic: (*topic).to_owned() };
    GroupJoin {
        group: "g".to_owned(),
        member_id: 0,
        member_epoch: 0,
        member_name: name.to_owned(),
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: REBALANCE_MS,
        topics: topics.iter().map(topic).collect(),
    }
}

fn store(member: Member, topic: &str, partition: u32, offset: u64) -> OffsetStore {
    OffsetStore {
        group: "g".to_owned(),
        member_id: member.id,
        member_epoch: member.epoch,
        offsets: vec![StoreOffset {
            stream: "s".to_owned(),
            topic: topic.to_owned(),
            partition,
            topic_id: 0,
            offset,
            note: String::new(),
        }],
    }
}

fn numbers(assigned: &[AssignedPartition]) -> Vec<u32> {
    assigned.iter().map(|partition| partition.partition).collect()
}

fn part(partition: u32) -> PartitionRef {
    PartitionRef { stream: "s".to_owned(), topic: "t".to_owned(), partition }
}

fn new_topic(id: u64, name: &str, partitions: u32) -> Topic {
    Topic {
        id,
        stream: "s".to_owned(),
        name: name.to_owned(),
        partitions,
        created_us: 0,
        segment_bytes: 1 << 20,
        codec: tidewire_protocol::batch::Codec::None,
        retention_ms: 0,
        retention_bytes: 0,
        dedup_window_ms: 0,
    }
}

/// What the disk holds after these writes.
fn apply(disk: &mut BTreeMap<String, StoredGroup>, writes: &Writes) {
    for name in &writes.cleared {
        disk.remove(name);
    }
    for (name, row) in &writes.groups {
        let group = disk.entry(name.clone()).or_insert_with(|| StoredGroup {
            name: name.clone(),
            row: row.clone(),
            members: BTreeMap::new(),
            offsets: BTreeMap::new(),
        });
        group.row = row.clone();
    }
    for ((name, id), row) in &writes.members {
        let group = disk.get_mut(name).expect("a member's group is stored first");
        match row {
            Some(row) => drop(group.members.insert(*id, row.clone())),
            None => drop(group.members.remove(id)),
        }
    }
    for ((name, topic, partition), row) in &writes.offsets {
        let group = disk.get_mut(name).expect("an offset's group is stored first");
        match row {
            Some(row) => drop(group.offsets.insert((*topic, *partition), row.clone())),
            None => drop(group.offsets.remove(&(*topic, *partition))),
        }
    }
}

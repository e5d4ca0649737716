//! Consumers that store offsets: the server's groups over a database on the simulated disk.
//!
//! Each consumer has a name, which is a group without members, and one partition; it stores, asks
//! and resets, one thing at a time. What it is told goes to the checker.

use std::path::Path;
use std::sync::Arc;

use tidewire_checker::Event;
use tidewire_protocol::connection::Time;
use tidewire_protocol::error::Code;
use tidewire_protocol::message::{
    OffsetGet, OffsetReset, OffsetStore, PartitionRef, ResetOffset, StoreOffset,
};
use tidewire_server::sim::{Groups, Told};
use tidewire_storage::groups::{GroupStore, Writes};
use tidewire_storage::{Catalog, Stream};

use crate::bug::Bug;
use crate::disk::TracedDisk;
use crate::world::{Task, World};

/// Where the database lies.
const DIR: &str = "/";
/// Longest pause of a consumer.
const PAUSE_US: u64 = 3_000;
/// Longest time until somebody restarts a server whose groups cannot be stored.
const BROKEN_US: u64 = 10_000;

/// A consumer with a name.
pub(crate) struct Committer {
    slot: usize,
    /// The partition's topic when it began.
    topic: u64,
    next: u64,
    /// What it waits for: the request's number and what it was.
    waiting: Option<(u64, Asked)>,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Store(u64),
    Get,
    Reset(u64),
}

/// The groups of a running server.
pub(crate) struct OpenGroups {
    groups: Groups,
    store: GroupStore,
    writing: bool,
    broken: bool,
}

impl World {
    pub fn add_committers(&mut self) {
        for committer in 0..self.plan.committers {
            let slot = self.rng.below(self.plan.partitions as u64) as usize;
            self.committers.push(Committer { slot, topic: 0, next: 0, waiting: None });
            self.after(1, Task::Commit(committer));
        }
    }

    /// Which topics there are.
    fn catalog(&self) -> Catalog {
        let topics = self.host.slots.iter().map(|slot| {
            let topic = slot.settings.topic(slot.topic);
            (topic.name.clone(), Arc::new(topic))
        });
        let stream =
            Stream { id: 1, name: "sim".to_owned(), created_us: 0, topics: topics.collect() };
        Catalog { streams: [("sim".to_owned(), Arc::new(stream))].into() }
    }

    pub fn catalog_changed(&mut self) {
        let (now, wall_us, catalog) = (self.time(), self.wall_us(), self.catalog());
        if let Some(open) = &mut self.host.groups {
            open.groups.set_catalog(now, wall_us, catalog);
        }
        self.write_groups();
    }

    fn time(&self) -> Time {
        Time::from_nanos(self.now_us * 1_000)
    }

    pub fn open_groups(&mut self, start: u64) {
        if start != self.host.start || self.plan.committers == 0 {
            return;
        }
        let opened = GroupStore::over(&self.disk, Path::new(DIR))
            .and_then(|store| store.load().map(|stored| (store, stored)));
        if self.ends_here() {
            return;
        }
        match opened {
            Ok((store, stored)) => {
                let groups = Groups::new(self.time(), self.wall_us(), self.catalog(), stored);
                self.host.groups =
                    Some(OpenGroups { groups, store, writing: false, broken: false });
                self.write_groups();
            }
            Err(error) => {
                self.say(format_args!("opening the groups fails: {error}"));
                if self.resting || error.kind() == tidewire_storage::ErrorKind::Corrupt {
                    self.fail(format!("the groups cannot be opened: {error}"));
                    return;
                }
                self.tally.failed_opens += 1;
                let delay = self.rng.below(PAUSE_US) + 1;
                self.after(delay, Task::OpenGroups { start });
            }
        }
    }

    /// A consumer does something, unless it waits for an answer.
    pub fn commit(&mut self, index: usize) {
        if !self.resting {
            let pause = self.rng.below(PAUSE_US) + 1;
            self.after(pause, Task::Commit(index));
        }
        let (now, wall_us) = (self.time(), self.wall_us());
        let choice = self.rng.below(10);
        let step = self.rng.below(4);
        let committer = &mut self.committers[index];
        let topic = self.host.slots[committer.slot].topic;
        if committer.topic != topic {
            (committer.topic, committer.next, committer.waiting) = (topic, 0, None);
        }
        if committer.waiting.is_some() || self.host.groups.is_none() {
            return;
        }
        let asked = match choice {
            0 => Asked::Reset(committer.next.saturating_sub(step * 3)),
            1..4 => Asked::Get,
            _ => {
                committer.next += step;
                // A consumer whose offset moves back stores that, too.
                Asked::Store(committer.next.saturating_sub(u64::from(choice == 4) * 2))
            }
        };
        if let Asked::Reset(offset) = asked {
            committer.next = offset;
        }
        let token = self.host.next_request;
        self.host.next_request += 1;
        self.committers[index].waiting = Some((token, asked));
        let (group, name) = (format!("c{index}"), format!("t{topic}"));
        let key = index as u64;
        match asked {
            Asked::Store(offset) => {
                self.observe(Event::CommitSent { group: key, partition: topic, offset })
            }
            Asked::Get => {
                self.observe(Event::CommitAsked { ask: token, group: key, partition: topic })
            }
            Asked::Reset(offset) => {
                self.observe(Event::ResetSent { group: key, partition: topic, offset })
            }
        }
        let Some(open) = &mut self.host.groups else { return };
        let groups = &mut open.groups;
        let stream = "sim".to_owned();
        match asked {
            Asked::Store(offset) => {
                let offset = StoreOffset {
                    stream,
                    topic: name,
                    partition: 0,
                    topic_id: topic,
                    offset,
                    note: String::new(),
                };
                let store =
                    OffsetStore { group, member_id: 0, member_epoch: 0, offsets: vec![offset] };
                groups.store(now, wall_us, token, store);
            }
            Asked::Get => {
                let partition = PartitionRef { stream, topic: name, partition: 0 };
                let get = OffsetGet { group, partitions: vec![partition] };
                groups.get(now, wall_us, token, get);
            }
            Asked::Reset(offset) => {
                let offset = ResetOffset { stream, topic: name, partition: 0, offset };
                let reset = OffsetReset { group, force: true, offsets: vec![offset] };
                groups.reset(now, wall_us, token, reset);
            }
        }
        self.write_groups();
    }

    /// Begins to write what is to be written, and tells what may be told.
    fn write_groups(&mut self) {
        let start = self.host.start;
        let Some(open) = &mut self.host.groups else { return };
        let writes = open.groups.take_writes();
        let told = open.groups.take_told();
        if let Some(writes) = writes {
            open.writing = true;
            let delay = self.rng.below(self.plan.sync_us) + 1;
            self.after(delay, Task::RunGroups { start, writes });
        }
        for (token, told) in told {
            self.group_told(token, told);
        }
    }

    pub fn run_groups(&mut self, start: u64, writes: &Writes) {
        if start != self.host.start {
            return;
        }
        let mut writes = writes.clone();
        if self.bug == Some(Bug::CommitBack) && self.rng.one_in(8) {
            for row in writes.offsets.values_mut().flatten() {
                row.offset = row.offset.saturating_sub(3);
            }
        }
        let Some(open) = &mut self.host.groups else { return };
        let result = if self.bug == Some(Bug::ForgetCommits) {
            Ok(())
        } else {
            open.store.write(&[&writes]).map_err(|error| error.to_string())
        };
        // What the log's directories have to do with it, others say.
        self.disk.take_failed_syncs();
        if self.ends_here() {
            return;
        }
        let delay = self.rng.below(self.plan.sync_us) + 1;
        self.after(delay, Task::GroupsWritten { start, result });
    }

    pub fn groups_written(&mut self, start: u64, result: Result<(), String>) {
        if start != self.host.start {
            return;
        }
        let now = self.time();
        let delay = self.rng.below(BROKEN_US) + 1;
        let Some(open) = &mut self.host.groups else { return };
        open.writing = false;
        // After a failed write the database takes nothing more: somebody restarts the server.
        let breaks = result.is_err() && !open.broken;
        open.broken |= result.is_err();
        open.groups.written(now, result.clone());
        if breaks {
            self.say(format_args!("the groups cannot be stored: {result:?}"));
            let crash = tidewire_checker::Crash::Process;
            self.after(delay, Task::EndNow { start, crash });
        }
        self.write_groups();
    }

    fn group_told(&mut self, token: u64, told: Told) {
        let waits = |committer: &Committer| committer.waiting.is_some_and(|(t, _)| t == token);
        let Some(index) = self.committers.iter().position(waits) else { return };
        let committer = &mut self.committers[index];
        let Some((_, asked)) = committer.waiting.take() else { return };
        let (group, partition) = (index as u64, committer.topic);
        if partition != self.host.slots[committer.slot].topic {
            // The topic is gone, and its offsets with it.
            return;
        }
        match (asked, told) {
            (Asked::Store(offset), Told::Stored(results)) => {
                let Some(&(0, kept)) = results.first() else {
                    self.say(format_args!("offset {offset} is refused: {results:?}"));
                    return;
                };
                self.tally.commits += 1;
                if kept < offset {
                    self.fail(format!("offset {offset} was stored as {kept}"));
                    return;
                }
                self.observe(Event::CommitAcknowledged { group, partition, offset });
            }
            (Asked::Get, Told::Found(found)) => {
                self.tally.told += 1;
                let offset = found.first().copied().flatten();
                self.observe(Event::CommitTold { ask: token, offset });
            }
            // A group that is not there has nothing stored.
            (Asked::Get, Told::Failed(error)) if error.code == Code::GROUP_NOT_FOUND => {
                self.tally.told += 1;
                self.observe(Event::CommitTold { ask: token, offset: None });
            }
            (Asked::Reset(offset), Told::Reset) => {
                self.tally.resets += 1;
                self.observe(Event::ResetAcknowledged { group, partition, offset });
            }
            (asked, told) => self.say(format_args!("{asked:?}: {told:?}")),
        }
    }

    /// The server has ended: nobody will answer.
    pub fn forget_committers(&mut self) {
        self.host.groups = None;
        self.committers.iter_mut().for_each(|committer| committer.waiting = None);
    }

    /// Whether a consumer waits for an answer.
    pub fn is_committing(&self) -> bool {
        self.committers.iter().any(|committer| committer.waiting.is_some())
    }
}

/// The disk of a database that is closed by the end of its process: what closing would write is
/// not written.
pub(crate) fn abandon(groups: Option<OpenGroups>, disk: &TracedDisk) {
    disk.set_dead(true);
    drop(groups);
    disk.set_dead(false);
}

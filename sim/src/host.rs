//! The server's side: partitions over the simulated disk, driven as a shard would drive them, and
//! ended in every way.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tidewire_checker::{Crash, Event, Level};
use tidewire_protocol::batch::Header;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{Acks, Start};
use tidewire_server::sim::{Effect, FetchJob, FetchOutcome, Partition};
use tidewire_storage::disk::sim::SimDisk;
use tidewire_storage::log::{
    Log, LogOptions, SnapshotJob, SnapshotOutcome, SyncJob, SyncOutcome,
};

use crate::bug::Bug;
use crate::commits::{self, OpenGroups};
use crate::disk::LogDisk;
use crate::keeping::{Loosest, Settings};
use crate::producer::Arrival;
use crate::world::{Task, World};

/// Longest time until requests of one turn are written.
const TURN_US: u64 = 50;
/// Longest pause between the end of a server and the next start.
const DOWN_US: u64 = 3_000;
/// Longest time until somebody restarts a server with a fenced partition.
const FENCED_US: u64 = 10_000;
/// Calls of the disk after which a planned end comes, at most.
const CALLS_TO_END: u64 = 60;

/// Where an answer goes.
pub(crate) enum Route {
    /// Outdated if its producer was opened anew before it came.
    Append {
        producer: usize,
        connection: u64,
        send: u64,
        outdated: bool,
    },
    Read {
        reader: usize,
        connection: u64,
        offset: u64,
    },
    Flush {
        topic: u64,
    },
    /// Where the partition ended when it was asked.
    Time {
        topic: u64,
        time_us: i64,
        end: u64,
    },
    Trim {
        topic: u64,
        before: u64,
    },
}

/// The place of a topic with one partition. A topic that is deleted is followed by another.
pub(crate) struct Slot {
    pub topic: u64,
    pub partition: Option<Partition<LogDisk>>,
    /// Counts openings, so that work of an earlier one is told apart.
    pub life: u64,
    flush_due: bool,
    restart_due: bool,
    /// How often records that were only written may have been lost.
    pub losses: u64,
    /// Since it was opened last, something happened after which damage may be found.
    pub rough: bool,
    /// A sync failed, and the partition may not have heard of it: what it writes meanwhile stands
    /// on what was lost.
    unheard: bool,
    /// A bit was changed: the first offset that may be missing, and whether good batches follow
    /// on it in a file whose name says that they were synced.
    pub damaged: Option<(u64, bool)>,
    pub settings: Settings,
    /// The highest offset that somebody deleted before.
    pub requested: u64,
    pub loosest: Loosest,
    /// Since when its window is as long as it is.
    pub window_since_us: i64,
}

impl Slot {
    fn new(topic: u64, settings: Settings) -> Self {
        Self {
            topic,
            partition: None,
            life: 0,
            flush_due: false,
            restart_due: false,
            losses: 0,
            rough: false,
            unheard: false,
            damaged: None,
            settings,
            requested: 0,
            loosest: Loosest::default(),
            window_since_us: i64::MIN,
        }
    }

    /// Its files may hold less than its partition believes, or more: a sync failed, or taking a
    /// write back.
    pub fn is_unsure(&self) -> bool {
        self.unheard || self.restart_due
    }
}

pub(crate) struct Host {
    /// Counts the server's starts and ends.
    pub start: u64,
    running: bool,
    pub slots: Vec<Slot>,
    routes: BTreeMap<u64, Route>,
    next_token: u64,
    next_topic: u64,
    next_life: u64,
    /// What the next failure of the simulated power is.
    pub armed: Crash,
    /// The highest epochs that producers with names were opened in, as the catalog has them.
    names: BTreeMap<u64, Arc<AtomicU32>>,
    pub groups: Option<OpenGroups>,
    /// Number of the next request to groups.
    pub next_request: u64,
}

impl Host {
    pub fn new() -> Self {
        Self {
            start: 0,
            running: false,
            slots: Vec::new(),
            routes: BTreeMap::new(),
            next_token: 1,
            next_topic: 1,
            next_life: 1,
            armed: Crash::Power,
            names: BTreeMap::new(),
            groups: None,
            next_request: 1,
        }
    }

    /// One partition more; its place.
    pub fn add_slot(&mut self, settings: Settings) -> usize {
        self.slots.push(Slot::new(self.next_topic, settings));
        self.next_topic += 1;
        self.slots.len() - 1
    }

    /// A producer with a name was opened.
    pub fn opened(&mut self, producer_id: u64, epoch: u32) {
        self.names.entry(producer_id).or_default().fetch_max(epoch, Ordering::Relaxed);
    }

    pub fn is_running(&self) -> bool {
        self.running
    }

    pub fn is_open(&self) -> bool {
        self.running && self.slots.iter().all(|slot| slot.partition.is_some())
    }

    pub fn is_slot_open(&self, slot: usize) -> bool {
        self.slots[slot].partition.is_some()
    }

    pub fn topic(&self, slot: usize) -> u64 {
        self.slots[slot].topic
    }

    pub fn losses(&self, slot: usize) -> u64 {
        self.slots[slot].losses
    }

    /// Whether a reader of this topic may be given bytes that its checksum refuses: a bit was
    /// changed on the disk, or the partition has not heard yet that bytes were lost.
    pub fn is_damaged(&self, topic: u64) -> bool {
        let of_topic = |slot: &&Slot| slot.topic == topic;
        self.slots
            .iter()
            .find(of_topic)
            .is_some_and(|slot| slot.damaged.is_some() || slot.unheard || slot.restart_due)
    }
}

/// The directory of a topic's partition.
pub(crate) fn dir(topic: u64) -> PathBuf {
    PathBuf::from(format!("/topics/{topic}"))
}

impl World {
    pub fn start_server(&mut self) {
        if self.host.running {
            return;
        }
        self.host.running = true;
        self.host.start += 1;
        self.tally.starts += 1;
        self.say(format_args!("--- start {}", self.host.start));
        self.after(1, Task::OpenGroups { start: self.host.start });
        for slot in 0..self.host.slots.len() {
            let delay = self.rng.below(TURN_US) + 1;
            self.after(delay, Task::Open { start: self.host.start, slot });
        }
    }

    pub fn open(&mut self, start: u64, index: usize) {
        if start != self.host.start || self.host.is_slot_open(index) {
            return;
        }
        if self.bug == Some(Bug::ReuseOffset) {
            self.cut_last_batch(self.host.topic(index));
        }
        if !self.resting && self.plan.crash_every_us.is_some() && self.rng.one_in(8) {
            self.arm(20);
        }
        let options = LogOptions {
            segment_bytes: self.host.slots[index].settings.segment_bytes,
            index_interval_bytes: 512,
            leader_epoch: start as u32,
        };
        let dir = dir(self.host.topic(index));
        self.disk.set_opening(true);
        let opened = Log::open(self.log_disk.clone(), &dir, options);
        let name = format!("sim/{}[0]", self.host.topic(index));
        let now_us = self.wall_us();
        let topic = self.server_topic(index);
        let opened = opened.and_then(|(log, recovery)| {
            let partition = if self.bug == Some(Bug::ForgetProducers) {
                let (other, _) = Log::open(SimDisk::new(0), &dir, options)?;
                Partition::open_mistaken(name, log, other)
            } else {
                let forget = self.bug == Some(Bug::ForgetIds);
                let window_ms = if forget { 0 } else { topic.dedup_window_ms };
                Partition::open(name, log, window_ms, now_us)
            };
            let mut partition = partition?;
            partition.keep_to(&topic);
            Ok((partition, recovery))
        });
        self.disk.set_opening(false);
        if self.ends_here() {
            return;
        }
        match opened {
            Ok((partition, recovery)) => {
                self.say(format_args!("opened {}: {recovery}", dir.display()));
                self.tally.torn += u64::from(recovery.torn.is_some());
                let life = self.host.next_life;
                self.host.next_life += 1;
                let slot = &mut self.host.slots[index];
                slot.partition = Some(partition);
                (slot.life, slot.flush_due, slot.restart_due) = (life, false, false);
                self.audit(index);
                self.expire_partition(index);
                self.retain_later(index);
            }
            Err(error) => {
                self.say(format_args!("opening {} fails: {error}", dir.display()));
                if self.resting {
                    self.fail(format!("opening fails though nothing is wrong: {error}"));
                    return;
                }
                self.tally.failed_opens += 1;
                let delay = self.rng.below(DOWN_US) + 1;
                self.after(delay, Task::Open { start, slot: index });
            }
        }
    }

    /// Calls a partition, and carries out what it wants.
    pub fn drive(&mut self, index: usize, call: impl FnOnce(&mut Partition<LogDisk>)) {
        let Some(partition) = self.host.slots[index].partition.as_mut() else { return };
        call(partition);
        let mut effects = partition.take_effects();
        if self.ends_here() {
            return;
        }
        if self.bug == Some(Bug::SwapAcks) {
            swap_acks(&mut effects);
        }
        if self.bug == Some(Bug::WrongDuplicateOffset) {
            for effect in &mut effects {
                if let Effect::Appended(_, Ok(reply)) = effect {
                    reply.base_offset += u64::from(reply.duplicate);
                }
            }
        }
        for effect in effects {
            self.carry_out(index, effect);
        }
        self.look_at(index);
    }

    fn carry_out(&mut self, index: usize, effect: Effect<LogDisk>) {
        let latency = self.rng.below(self.plan.latency_us) + 1;
        match effect {
            Effect::Appended(token, result) => {
                let Some(Route::Append { producer, connection, send, outdated }) =
                    self.host.routes.remove(&token)
                else {
                    self.fail(format!("append {token} is answered twice"));
                    return;
                };
                match &result {
                    Ok(_) if outdated => {
                        self.fail(format!("send {send} of an old instance is appended"));
                        return;
                    }
                    Err(error) if error.code == Code::DUPLICATE_IDS => {
                        self.check_seen(index, send, error);
                    }
                    _ => self.tally.outdated += u64::from(outdated),
                }
                let last = &mut self.producers[producer].last_answer_us;
                *last = (*last + 1).max(self.now_us + latency);
                let at = *last;
                self.at(at, Task::Appended { producer, connection, send, result });
            }
            Effect::Read(token, result) => {
                let Some(Route::Read { reader, connection, offset }) =
                    self.host.routes.remove(&token)
                else {
                    self.fail(format!("read {token} is answered twice"));
                    return;
                };
                let last = &mut self.readers[reader].last_answer_us;
                *last = (*last + 1).max(self.now_us + latency);
                let at = *last;
                self.at(at, Task::ReadDone { reader, connection, offset, result });
            }
            Effect::Flushed(token, result) => {
                let Some(Route::Flush { topic }) = self.host.routes.remove(&token) else {
                    self.fail(format!("flush {token} is answered twice"));
                    return;
                };
                if let Ok(end) = result {
                    self.tally.flushed += 1;
                    self.observe(Event::Durable { partition: topic, end });
                }
            }
            Effect::Resolved(token, result) => {
                let Some(Route::Time { topic, time_us, end }) = self.host.routes.remove(&token)
                else {
                    self.fail(format!("time {token} is answered twice"));
                    return;
                };
                self.time_told(index, (topic, time_us, end), result);
            }
            Effect::Lookup(job) => self.lookup_later(index, job),
            Effect::Fetch(job) => {
                let start = self.host.slots[index].life;
                let delay = self.rng.below(self.plan.sync_us) + 1;
                self.after(delay, Task::RunFetch { start, slot: index, job });
            }
            Effect::Snapshot(job) => {
                let start = self.host.slots[index].life;
                let delay = self.rng.below(self.plan.sync_us) + 1;
                self.after(delay, Task::RunSnapshot { start, slot: index, job });
            }
            Effect::Trimmed(token, result) => {
                let Some(Route::Trim { topic, before }) = self.host.routes.remove(&token)
                else {
                    self.fail(format!("deletion {token} is answered twice"));
                    return;
                };
                self.records_deleted(topic, before, result);
            }
            Effect::Trim(job) => self.begin_trim(index, job),
            Effect::Remove(job) => {
                let start = self.host.slots[index].life;
                let delay = self.rng.below(self.plan.sync_us) + 1;
                self.after(delay, Task::RunRemove { start, slot: index, job });
            }
            Effect::Sync(job) => {
                let start = self.host.slots[index].life;
                let delay = self.rng.below(self.plan.sync_us) + 1;
                let asked_us = self.now_us;
                self.after(delay, Task::RunSync { start, slot: index, job, asked_us });
            }
            Effect::Gather(us) => {
                let start = self.host.slots[index].life;
                self.after(us, Task::Gathered { start, slot: index });
            }
        }
    }

    /// A partition that fenced itself is restarted sooner or later.
    fn look_at(&mut self, index: usize) {
        let slot = &mut self.host.slots[index];
        let Some(partition) = &slot.partition else { return };
        let fenced = partition.describe().error == Code::PARTITION_FENCED.0;
        if fenced && !slot.restart_due {
            slot.restart_due = true;
            let unheard = std::mem::take(&mut slot.unheard);
            self.tally.fenced += 1;
            if unheard {
                self.lose_unsynced(index);
            }
            let delay = self.rng.below(FENCED_US) + 1;
            let start = self.host.start;
            self.after(delay, Task::EndNow { start, crash: Crash::Process });
        }
    }

    pub fn append(&mut self, arrival: Arrival) {
        let Arrival { producer, connection, slot, topic, send, batch, level, .. } = arrival;
        if self.plan.clock_jumps && self.rng.one_in(50) {
            self.clock_offset_us += self.rng.between(0, 4_000_000) as i64 - 2_000_000;
        }
        if self.host.slots[slot].partition.is_none() || self.host.topic(slot) != topic {
            let error = Error::new(Code::OVERLOADED, "the partition is not open");
            let latency = self.rng.below(self.plan.latency_us) + 1;
            let result = Err(error);
            self.after(latency, Task::Appended { producer, connection, send, result });
            return;
        }
        let acks = match level {
            Level::None => Acks::None,
            Level::Written => Acks::Written,
            Level::Synced => Acks::Synced,
        };
        let now_us = self.wall_us();
        let Ok(header) = Header::parse(&batch) else {
            self.fail(format!("send {send} is no batch"));
            return;
        };
        let opened = self.host.names.get(&header.producer_id).cloned();
        let newest = opened.as_ref().map_or(0, |epoch| epoch.load(Ordering::Relaxed));
        let outdated = header.producer_epoch < newest;
        let token = self.token(Route::Append { producer, connection, send, outdated });
        let opened = opened.filter(|_| self.bug != Some(Bug::NoFence));
        let batch = if self.bug == Some(Bug::WrongCodec) { mislabel(&batch) } else { batch };
        self.drive(slot, |partition| {
            partition.append(batch, &header, acks, opened.as_ref(), token, now_us);
        });
        if self.rng.one_in(40) {
            let token = self.token(Route::Flush { topic });
            self.drive(slot, |partition| partition.sync_all(token));
        }
        let held = &mut self.host.slots[slot];
        if !held.flush_due {
            held.flush_due = true;
            let start = held.life;
            let delay = self.rng.below(TURN_US);
            self.after(delay, Task::Flush { start, slot });
        }
    }

    pub fn flush(&mut self, life: u64, index: usize) {
        if self.host.slots[index].life != life {
            return;
        }
        self.host.slots[index].flush_due = false;
        let now_us = self.wall_us();
        self.drive(index, |partition| partition.flush(now_us));
        self.expire_partition(index);
    }

    pub fn gathered(&mut self, life: u64, index: usize) {
        if self.host.slots[index].life == life {
            self.drive(index, Partition::gathered);
        }
    }

    pub fn run_sync(&mut self, life: u64, index: usize, job: SyncJob<LogDisk>, asked_us: u64) {
        if self.host.slots[index].life != life || !self.host.is_slot_open(index) {
            return;
        }
        let outcome = job.run();
        if self.ends_here() {
            return;
        }
        let delay = self.rng.below(self.plan.sync_us) + 1;
        self.after(delay, Task::Synced { start: life, slot: index, outcome, asked_us });
    }

    pub fn run_fetch(&mut self, life: u64, index: usize, job: FetchJob<LogDisk>) {
        if self.host.slots[index].life != life || !self.host.is_slot_open(index) {
            return;
        }
        let outcome = job.run();
        if self.ends_here() {
            return;
        }
        let delay = self.rng.below(self.plan.sync_us) + 1;
        self.after(delay, Task::Fetched { start: life, slot: index, outcome });
    }

    pub fn fetched(&mut self, life: u64, index: usize, outcome: FetchOutcome<LogDisk>) {
        if self.host.slots[index].life != life {
            return;
        }
        let forgets = self.rng.one_in(4);
        self.drive(index, |partition| {
            partition.fetched(outcome);
            // As a shard has it when others need the room.
            if forgets {
                partition.let_go();
            }
        });
    }

    pub fn run_snapshot(&mut self, life: u64, index: usize, job: SnapshotJob<LogDisk>) {
        if self.host.slots[index].life != life || !self.host.is_slot_open(index) {
            return;
        }
        let outcome = job.run();
        // A snapshot that cannot be made durable takes no record with it.
        let failed = self.disk.take_failed_syncs();
        self.say(format_args!("snapshot, {} failed syncs", failed.len()));
        if self.ends_here() {
            return;
        }
        self.tally.snapshots += 1;
        let delay = self.rng.below(self.plan.sync_us) + 1;
        self.after(delay, Task::SnapshotWritten { start: life, slot: index, outcome });
    }

    pub fn snapshot_written(&mut self, life: u64, index: usize, outcome: SnapshotOutcome) {
        if self.host.slots[index].life == life {
            self.drive(index, |partition| partition.snapshot_written(outcome));
        }
    }

    pub fn synced(&mut self, life: u64, index: usize, outcome: SyncOutcome, asked_us: u64) {
        if self.host.slots[index].life != life {
            return;
        }
        let took_us = self.now_us - asked_us;
        self.drive(index, |partition| partition.synced(outcome, took_us));
        self.expire_partition(index);
        let slot = &self.host.slots[index];
        if let Some(partition) = &slot.partition {
            let (partition, end) = (slot.topic, partition.describe().synced_offset);
            self.observe(Event::Durable { partition, end });
        }
    }

    pub fn read(
        &mut self,
        slot: usize,
        reader: usize,
        connection: u64,
        offset: u64,
        max_bytes: usize,
        min_bytes: usize,
    ) -> u64 {
        let token = self.token(Route::Read { reader, connection, offset });
        self.drive(slot, |partition| partition.read(offset, max_bytes, min_bytes, token));
        token
    }

    pub fn expire(&mut self, reader: usize, token: u64) {
        if !self.host.routes.contains_key(&token) {
            return;
        }
        // Its slot is the one that it reads from; the others do not know the token.
        for slot in 0..self.host.slots.len() {
            self.drive(slot, |partition| partition.expire_read(token));
        }
        let _ = reader;
    }

    pub fn resolve(
        &mut self,
        slot: usize,
        start: Start,
        offset: u64,
    ) -> Option<Result<u64, Error>> {
        let resolved = self.host.slots[slot].partition.as_ref()?.resolve(start, offset);
        Some(resolved)
    }

    pub fn token(&mut self, route: Route) -> u64 {
        let token = self.host.next_token;
        self.host.next_token += 1;
        self.host.routes.insert(token, route);
        token
    }

    /// Tells the checker of syncs that failed; true if the server has come to its end within the
    /// last calls of the disk.
    pub fn ends_here(&mut self) -> bool {
        let failed = self.disk.take_failed_syncs();
        if self.disk.sim.is_halted() {
            self.end_server(self.host.armed);
            return true;
        }
        for index in 0..self.host.slots.len() {
            let slot = &mut self.host.slots[index];
            if failed.contains(&dir(slot.topic)) {
                slot.unheard = true;
                self.lose_unsynced(index);
            }
        }
        false
    }

    fn lose_unsynced(&mut self, index: usize) {
        let slot = &mut self.host.slots[index];
        slot.losses += 1;
        slot.rough = true;
        let partition = slot.topic;
        self.observe(Event::SyncFailed { partition });
    }

    /// Lets the server end within the next calls of the disk.
    fn arm(&mut self, calls: u64) {
        self.host.armed = self.choose_crash();
        let calls = self.rng.below(calls);
        self.say(format_args!("{:?} ends after {calls} calls", self.host.armed));
        self.disk.sim.halt_after(calls);
    }

    fn choose_crash(&mut self) -> Crash {
        if self.rng.one_in(self.plan.power_one_in) { Crash::Power } else { Crash::Process }
    }

    /// The server is to end, one way or another.
    pub fn plan_end(&mut self) {
        self.repeat(self.plan.crash_every_us, Task::End);
        let crash = self.choose_crash();
        match self.rng.below(6) {
            _ if !self.host.running => {}
            0 => self.end_server(crash),
            1 => {
                self.stop_cleanly();
                if self.host.running {
                    self.end_server(crash);
                }
            }
            _ => {
                self.arm(CALLS_TO_END);
                let crash = self.host.armed;
                self.after(10_000, Task::EndNow { start: self.host.start, crash });
            }
        }
    }

    fn stop_cleanly(&mut self) {
        self.say(format_args!("stopping"));
        let error = Error::new(Code::SHUTTING_DOWN, "the server stops");
        for index in 0..self.host.slots.len() {
            self.drive(index, |partition| partition.fail_all(&error));
            let slot = &mut self.host.slots[index];
            let Some(partition) = slot.partition.take_if(|partition| !partition.is_busy())
            else {
                continue;
            };
            let info = partition.describe();
            let closed = partition.close();
            if self.ends_here() {
                return;
            }
            if closed.is_ok() && info.error == 0 {
                let partition = self.host.slots[index].topic;
                self.observe(Event::Durable { partition, end: info.end_offset });
            }
        }
    }

    /// The server ends, here and now.
    pub fn end_server(&mut self, crash: Crash) {
        self.say(format_args!("--- end: {crash:?}"));
        self.disk.take_failed_syncs();
        self.host.start += 1;
        self.host.running = false;
        self.host.routes.clear();
        for index in 0..self.host.slots.len() {
            if std::mem::take(&mut self.host.slots[index].unheard) {
                self.lose_unsynced(index);
            }
        }
        for slot in &mut self.host.slots {
            slot.partition = None;
            slot.life = 0;
            slot.loosest = Loosest::default();
            if crash == Crash::Power {
                slot.losses += 1;
                slot.rough = true;
                // What followed on the damage, or the file's name, may be gone.
                if let Some((_, followed)) = &mut slot.damaged {
                    *followed = false;
                }
            }
        }
        self.observe(Event::Crashed(crash));
        commits::abandon(self.host.groups.take(), &self.disk);
        self.forget_committers();
        match crash {
            Crash::Power => {
                self.tally.power_failures += 1;
                self.disk.sim.crash();
                self.disk.forget_owed();
            }
            Crash::Process => {
                self.tally.kills += 1;
                self.disk.sim.heal();
            }
        }
        if self.plan.bits_flip && !self.resting && self.rng.one_in(3) {
            self.flip_bit();
        }
        self.disconnect_producers();
        self.disconnect_readers();
        let delay = self.rng.below(DOWN_US) + 1;
        self.after(delay, Task::Start);
    }

    /// A topic is deleted, and another takes its place.
    pub fn delete(&mut self) {
        let index = self.rng.below(self.host.slots.len() as u64) as usize;
        if self.host.is_slot_open(index) {
            self.replace(index);
        }
    }

    pub fn replace(&mut self, index: usize) {
        let topic = self.host.topic(index);
        self.say(format_args!("topic {topic} is deleted"));
        self.tally.deleted += 1;
        let error = Error::new(Code::TOPIC_NOT_FOUND, "the topic was deleted");
        self.observe(Event::Deleted { partition: topic });
        self.drive(index, |partition| partition.fail_all(&error));
        let slot = &mut self.host.slots[index];
        slot.partition = None;
        slot.life = 0;
        slot.damaged = None;
        slot.rough = false;
        slot.topic = self.host.next_topic;
        (slot.requested, slot.loosest) = (0, Loosest::default());
        self.host.next_topic += 1;
        self.catalog_changed();
        // What it leaves behind is nobody's.
        let _ = tidewire_storage::disk::Disk::remove_dir_all(&self.disk, &dir(topic));
        if self.ends_here() {
            return;
        }
        self.disconnect_producers();
        self.disconnect_readers();
        let delay = self.rng.below(DOWN_US) + 1;
        self.after(delay, Task::Open { start: self.host.start, slot: index });
    }
}

/// A compressed batch that says to be of the other codec.
fn mislabel(batch: &[u8]) -> bytes::Bytes {
    const CODEC_AT: usize = 33;
    let mut bytes = batch.to_vec();
    bytes[CODEC_AT] = match bytes[CODEC_AT] {
        0 => 0,
        1 => 2,
        _ => 1,
    };
    bytes.into()
}

/// Swaps the first two good answers.
fn swap_acks(effects: &mut [Effect<LogDisk>]) {
    let good: Vec<usize> = (0..effects.len())
        .filter(|&at| matches!(effects[at], Effect::Appended(_, Ok(_))))
        .collect();
    if let [first, second, ..] = good[..] {
        let (left, right) = effects.split_at_mut(second);
        if let (Effect::Appended(one, _), Effect::Appended(other, _)) =
            (&mut left[first], &mut right[0])
        {
            std::mem::swap(one, other);
        }
    }
}

//! The simulated server's life: starts, work that takes its time, and ends in every way.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use tidewire_checker::{Crash, Event};
use tidewire_protocol::connection::Time;
use tidewire_server::sim::{Options, Server, Work, set_time};
use tidewire_storage::disk::sim::{Fault, Operation};
use tidewire_storage::log::{Log, LogOptions};

use super::world::{Task, World};
use super::{DIR, GROUP, TOPIC};
use crate::batches::{self, Found};
use crate::disk::TracedDisk;

/// Longest pause between the end of a server and the next start.
const DOWN_US: u64 = 400_000;
/// Time that a stop gives to what is under way.
const DRAIN_US: u64 = 200_000;
/// Longest time until somebody restarts a server whose disk failed.
const FAULTY_US: u64 = 1_500_000;
/// Calls of the disk after which a planned end comes, at most.
const CALLS_TO_END: u64 = 80;

pub(crate) struct Host {
    pub server: Option<Server<TracedDisk>>,
    /// Counts starts and ends.
    pub start: u64,
    pub draining: bool,
    /// Work under way.
    work: BTreeMap<u64, Work<TracedDisk>>,
    next_work: u64,
    /// The catalog's thread does one thing after the other.
    catalog_us: u64,
    /// The server's next timer.
    armed_us: Option<u64>,
    /// How a planned end comes.
    armed: Crash,
    /// The start whose disk fails: somebody restarts it.
    faulty: Option<u64>,
}

impl Host {
    pub fn new() -> Self {
        Self {
            server: None,
            start: 0,
            draining: false,
            work: BTreeMap::new(),
            next_work: 1,
            catalog_us: 0,
            armed_us: None,
            armed: Crash::Power,
            faulty: None,
        }
    }

    /// Whether somebody is about to restart the server.
    pub fn is_faulty(&self) -> bool {
        self.faulty == Some(self.start)
    }
}

impl World {
    pub fn time(&self) -> Time {
        Time::from_nanos(self.now_us * 1_000)
    }

    pub fn set_server_time(&self) {
        set_time(Some((self.time(), 1_700_000_000_000_000 + self.now_us as i64)));
    }

    pub fn start_server(&mut self) {
        if self.host.server.is_some() {
            return;
        }
        let options = Options {
            dir: PathBuf::from(DIR),
            shards: self.plan.shards,
            server_id: 7,
            mistake: self.bug.and_then(crate::bug::Bug::mistake),
        };
        self.host.start += 1;
        self.say(format_args!("--- start {}", self.host.start));
        let started = Server::start(self.disk.clone(), &options);
        if self.ends_here() {
            return;
        }
        match started {
            Ok(server) => {
                self.tally.starts += 1;
                self.host.server = Some(server);
                self.host.draining = false;
                self.host.armed_us = None;
                self.pump_server();
            }
            Err(error) => {
                self.say(format_args!("the server does not start: {error}"));
                let corrupt = error.kind() == tidewire_storage::ErrorKind::Corrupt;
                if corrupt || self.resting {
                    self.fail(format!("the server does not start: {error}"));
                    return;
                }
                self.disk.sim.heal();
                let delay = self.rng.below(DOWN_US) + 1;
                self.after(delay, Task::StartServer);
            }
        }
    }

    /// Lets the server do what it can, and takes what comes of it.
    pub fn pump_server(&mut self) {
        if self.host.server.is_none() || self.failure.is_some() {
            return;
        }
        self.set_server_time();
        for _ in 0..64 {
            let Some(server) = self.host.server.as_mut() else { return };
            server.turn();
            let stored = server.take_stored();
            self.tally.moves += server.take_moves();
            let work = server.take_work();
            if self.ends_here() {
                return;
            }
            self.check_stored(&stored);
            let some = !work.is_empty();
            for work in work {
                self.schedule(work);
            }
            self.collect_from_server();
            if !some {
                break;
            }
        }
        self.arm_server();
    }

    fn schedule(&mut self, work: Work<TracedDisk>) {
        let mut at = self.now_us + 1 + self.rng.below(self.plan.sync_us);
        if matches!(work, Work::Catalog(_)) {
            at = at.max(self.host.catalog_us + 1);
            self.host.catalog_us = at;
        }
        let (number, start) = (self.host.next_work, self.host.start);
        self.host.next_work += 1;
        self.host.work.insert(number, work);
        self.at(at, Task::Work { start, number });
    }

    pub fn run_work(&mut self, start: u64, number: u64) {
        if start != self.host.start {
            return;
        }
        let Some(work) = self.host.work.remove(&number) else { return };
        self.set_server_time();
        let Some(server) = self.host.server.as_mut() else { return };
        server.run(work);
        self.disk.take_failed_syncs();
        if !self.ends_here() {
            self.pump_server();
        }
    }

    fn arm_server(&mut self) {
        let Some(server) = &self.host.server else { return };
        let Some(due) = server.poll_timeout() else { return };
        let due_us = (due.as_nanos().div_ceil(1_000)).max(self.now_us + 1);
        if self.host.armed_us.is_none_or(|armed| due_us < armed || armed <= self.now_us) {
            self.host.armed_us = Some(due_us);
            self.at(due_us, Task::ServerTimer { start: self.host.start });
        }
    }

    pub fn server_timer(&mut self, start: u64) {
        if start != self.host.start {
            return;
        }
        self.host.armed_us = None;
        self.set_server_time();
        if let Some(server) = self.host.server.as_mut() {
            server.handle_timeout();
        }
        self.pump_server();
    }

    /// True if the server has come to its end within the last calls of the disk.
    fn ends_here(&mut self) -> bool {
        self.disk.take_failed_syncs();
        if self.disk.sim.is_halted() {
            self.end_server(self.host.armed);
            return true;
        }
        false
    }

    /// The server is to end, one way or another.
    pub fn plan_end(&mut self) {
        if self.host.server.is_none() {
            return;
        }
        let start = self.host.start;
        if self.rng.one_in(self.plan.clean_one_in) {
            self.say(format_args!("--- the server stops"));
            self.host.draining = true;
            self.set_server_time();
            if let Some(server) = self.host.server.as_mut() {
                server.drain();
            }
            self.pump_server();
            return self.after(DRAIN_US, Task::Stopped { start });
        }
        let power = self.rng.one_in(self.plan.power_one_in);
        self.host.armed = if power { Crash::Power } else { Crash::Process };
        if self.rng.one_in(2) {
            return self.end_server(self.host.armed);
        }
        let calls = self.rng.below(CALLS_TO_END);
        self.say(format_args!("{:?} ends after {calls} calls", self.host.armed));
        self.disk.sim.halt_after(calls);
        let crash = self.host.armed;
        self.after(500_000, Task::EndServer { start, crash });
    }

    /// The time that a stop gives is over.
    pub fn stopped(&mut self, start: u64) {
        if start != self.host.start {
            return;
        }
        self.set_server_time();
        if self.host.server.as_ref().is_some_and(|server| !server.is_busy()) {
            self.tally.stops += 1;
            if let Some(server) = self.host.server.take() {
                server.close();
            }
            if self.ends_here() {
                return;
            }
        }
        self.end_server(Crash::Process);
    }

    /// The server ends, here and now.
    pub fn end_server(&mut self, crash: Crash) {
        self.say(format_args!("--- end: {crash:?}"));
        self.disk.take_failed_syncs();
        self.host.start += 1;
        // What objects do when they go, the process did not.
        self.disk.set_dead(true);
        self.host.server = None;
        self.host.work.clear();
        self.disk.set_dead(false);
        self.observe(Event::Crashed(crash));
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
        self.cut_all(crash == Crash::Power);
        let delay = self.rng.below(DOWN_US) + 1;
        self.after(delay, Task::StartServer);
    }

    /// A call of the disk will fail. Somebody will notice, and restart the server.
    pub fn inject_fault(&mut self) {
        let operation = *self.rng.pick(&[
            Operation::Write,
            Operation::Sync,
            Operation::SyncDir,
            Operation::Name,
            Operation::Open,
            Operation::Read,
        ]);
        let error = if operation == Operation::Write && self.rng.one_in(2) {
            io::ErrorKind::StorageFull
        } else {
            io::ErrorKind::Other
        };
        let after = self.rng.below(6);
        self.say(format_args!("fault: {operation:?} {error:?} after {after}"));
        self.tally.faults += 1;
        self.disk.sim.inject(Fault { after, ..Fault::once(operation, error) });
        let (start, delay) = (self.host.start, 1 + self.rng.below(FAULTY_US));
        self.host.faulty = Some(start);
        self.after(delay, Task::EndServer { start, crash: Crash::Process });
    }

    /// What the files of a partition hold.
    pub fn stored(&self, partition: u32) -> Found {
        self.stored_by(partition, batches::parse)
    }

    /// As [`World::stored`], of headers alone.
    pub fn stored_headers(&self, partition: u32) -> Found {
        self.stored_by(partition, batches::headers)
    }

    fn partition_dir(&self, partition: u32) -> Option<PathBuf> {
        let topic = self.topic_id?;
        Some(PathBuf::from(format!("{DIR}/topics/{topic}/{partition}")))
    }

    /// Opens a partition's log as the server does when it is first needed.
    pub fn recover(&mut self, partition: u32) {
        let Some(dir) = self.partition_dir(partition) else { return };
        match Log::open(self.disk.clone(), &dir, LogOptions::default()) {
            Ok((_, recovery)) => self.say(format_args!("partition {partition}: {recovery}")),
            Err(error) => self.fail(format!("partition {partition} does not open: {error}")),
        }
    }

    fn stored_by(&self, partition: u32, read: fn(Bytes, u64) -> Found) -> Found {
        let Some(dir) = self.partition_dir(partition) else { return Found::default() };
        let mut names = self.disk.sim.names(&dir).unwrap_or_default();
        let base = |name: &String| {
            let stem = name.strip_suffix(".log").or(name.strip_suffix(".next"))?;
            stem.parse::<u64>().ok()
        };
        names.retain(|name| base(name).is_some());
        names.sort_by_key(base);
        let mut all = Found::default();
        for name in names {
            let Ok(bytes) = self.disk.sim.contents(&dir.join(&name)) else { continue };
            let found = read(Bytes::from(bytes), base(&name).unwrap_or(0));
            all.records.extend(found.records);
            all.headers.extend(found.headers);
            all.damage = all.damage.or(found.damage);
        }
        all
    }

    /// An offset was stored by whoever has the partition, or nothing was stored.
    fn check_stored(&mut self, stored: &[tidewire_server::sim::Stored]) {
        for stored in stored.iter().filter(|stored| stored.member.0 != 0) {
            if stored.before == stored.after {
                self.tally.stale += u64::from(stored.owner != Some(stored.member));
            } else if stored.owner != Some(stored.member) {
                self.fail(format!(
                    "partition {} is of {:?} (number, epoch), and {:?} stored {:?} for it, \
                     where {:?} was",
                    stored.partition, stored.owner, stored.member, stored.after, stored.before
                ));
                return;
            }
        }
    }

    /// What the group has stored for a partition, as the server says.
    pub fn committed(&self, partition: u32) -> Option<u64> {
        self.host.server.as_ref()?.offset(GROUP, TOPIC, partition).1
    }
}

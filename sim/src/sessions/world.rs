//! The simulated world of sessions: time, what is to come, and what must hold in the end.
//!
//! Invariant: nothing but the seed decides what happens.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tidewire_checker::{Checker, Crash, Digest, Event};
use tidewire_server::sim::set_time;
use tidewire_storage::disk::sim::SimDisk;

use super::client::{Client, Role};
use super::host::Host;
use super::net::Link;
use super::plan::Plan;
use crate::bug::Bug;
use crate::disk::{TracedDisk, lock};
use crate::rng::Rng;
use crate::trace::Trace;
use crate::{Options, Report, SessionTally};

/// Simulated time after the faults have ended in which everything must come to rest.
const REST_US: u64 = 120_000_000;
/// Longest work of an application when the faults have ended.
const MAX_REST_PAUSE_US: u64 = 5_000;
/// How often it is looked whether all has come to rest.
const LOOK_US: u64 = 100_000;
/// More tasks than any run needs: one that never rests ends here.
const MAX_TASKS: u64 = 2_000_000;

/// What is to happen.
pub(crate) enum Task {
    Accept(usize),
    Established(usize),
    ToServer(usize, Bytes),
    ToClient(usize, Bytes),
    EndToServer(usize),
    EndToClient(usize),
    Broken(usize),
    BrokenAtServer(usize),
    ServerTimer {
        start: u64,
    },
    Work {
        start: u64,
        number: u64,
    },
    StartServer,
    EndServer {
        start: u64,
        crash: Crash,
    },
    Stopped {
        start: u64,
    },
    /// A program looks at its clock.
    Wake {
        client: usize,
        incarnation: u64,
    },
    /// A program makes a record, takes one, or has done its work on a batch.
    Act {
        client: usize,
        incarnation: u64,
    },
    StartClient(usize),
    /// A paused program goes on.
    Continue(usize),
    Cut,
    HalfOpen,
    Slow,
    End,
    Kill,
    Pause,
    Fault,
    Operate,
}

pub(crate) struct World {
    pub rng: Rng,
    pub plan: Plan,
    trace: Arc<Mutex<Trace>>,
    pub checker: Checker,
    pub disk: TracedDisk,
    pub bug: Option<Bug>,
    pub now_us: u64,
    pub host: Host,
    pub links: Vec<Link>,
    pub clients: Vec<Client>,
    pub topic_id: Option<u64>,
    pub next_send: u64,
    pub next_reader: u64,
    pub next_producer: u64,
    pub next_ask: u64,
    /// Records that members of the group have worked on: partition and offset.
    pub processed: BTreeSet<(u32, u64)>,
    /// Records of sends that somebody was told are there, without being told where.
    pub succeeded: Vec<(u64, Digest)>,
    pub tally: SessionTally,
    /// Faults have ended, and new records are no longer made.
    pub resting: bool,
    pub failure: Option<String>,
    tasks: BTreeMap<(u64, u64), Task>,
    next_task: u64,
}

impl World {
    pub fn run(seed: u64, options: &Options) -> Report {
        let mut rng = Rng::new(seed ^ 0x7365_7373_696f_6e73);
        let plan = Plan::new(&mut rng.fork());
        let trace = Arc::new(Mutex::new(Trace::new(options.keep_lines, !options.no_hash)));
        let disk = TracedDisk::new(SimDisk::new(rng.next()), Arc::clone(&trace), options.bug);
        // A hole would quarantine its partition, and all who read it would end. What comes of
        // that is for runs of storage.
        disk.sim.keep_order();
        let mut world = Self {
            host: Host::new(),
            links: Vec::new(),
            clients: Vec::new(),
            rng,
            plan,
            trace,
            checker: Checker::new(),
            disk,
            bug: options.bug,
            now_us: 0,
            topic_id: None,
            next_send: 1,
            next_reader: 1,
            next_producer: 1,
            next_ask: 1,
            processed: BTreeSet::new(),
            succeeded: Vec::new(),
            tally: SessionTally::default(),
            resting: false,
            failure: None,
            tasks: BTreeMap::new(),
            next_task: 0,
        };
        world.say(format_args!("plan {:?}", world.plan));
        world.begin();
        while world.failure.is_none() && world.now_us < world.plan.duration_us && world.step() {
        }
        world.rest();
        if world.failure.is_none() {
            world.judge();
        }
        world.disk.set_dead(true);
        world.host.server = None;
        set_time(None);
        world.report()
    }

    fn begin(&mut self) {
        self.at(0, Task::StartServer);
        let Plan { producers, readers, members, .. } = self.plan;
        let roles = std::iter::once(Role::Operator)
            .chain(std::iter::repeat_n(Role::Producer, producers))
            .chain(std::iter::repeat_n(Role::Reader, readers))
            .chain(std::iter::repeat_n(Role::Member, members));
        for role in roles.collect::<Vec<_>>() {
            self.add_client(role);
        }
        let plan = &self.plan;
        let troubles = [
            (plan.crash_every_us, Task::End),
            (plan.cut_every_us, Task::Cut),
            (plan.half_every_us, Task::HalfOpen),
            (plan.slow_every_us, Task::Slow),
            (plan.kill_every_us, Task::Kill),
            (plan.stop_every_us, Task::Pause),
            (plan.fault_every_us, Task::Fault),
            (plan.act_every_us, Task::Operate),
        ];
        for (every_us, task) in troubles {
            self.repeat(every_us, task);
        }
    }

    /// The faults end, and everything must come to rest.
    fn rest(&mut self) {
        if self.failure.is_some() {
            return;
        }
        self.say(format_args!("--- faults end"));
        self.resting = true;
        self.disk.sim.heal();
        self.hurry();
        for client in 0..self.clients.len() {
            self.continue_client(client);
        }
        let deadline = self.now_us + REST_US;
        let mut look_us = 0;
        while self.failure.is_none() {
            if self.now_us >= look_us {
                let Some(why) = self.unrest() else { return };
                if self.now_us > deadline {
                    self.fail(format!("no rest after {REST_US} µs without faults: {why}"));
                    return;
                }
                look_us = self.now_us + LOOK_US;
            }
            if !self.step() {
                self.fail("nothing is left to do, yet somebody waits".to_owned());
            }
        }
    }

    /// What is still to come, in words.
    fn unrest(&self) -> Option<String> {
        if self.host.server.is_none() || self.host.draining {
            return Some("the server is not up".to_owned());
        }
        if self.host.is_faulty() {
            return Some("the server is to be restarted".to_owned());
        }
        for (number, client) in self.clients.iter().enumerate() {
            if let Some(why) = client.unrest() {
                return Some(format!("client {number}: {why}"));
            }
        }
        if self.plan.members > 0 {
            for partition in 0..self.plan.partitions {
                let end =
                    self.stored_headers(partition).headers.last().and_then(|h| h.next_offset());
                let (end, kept) = (end.unwrap_or(0), self.committed(partition).unwrap_or(0));
                if kept < end {
                    let who = self.clients.iter().enumerate().filter_map(|(number, client)| {
                        let member = client.member.as_ref()?;
                        Some(format!("client {number} is {}", member.describe(partition)?))
                    });
                    let who: Vec<String> = who.collect();
                    return Some(format!(
                        "partition {partition} ends at {end}, stored is {kept}; {}",
                        if who.is_empty() {
                            "nobody has it".to_owned()
                        } else {
                            who.join("; ")
                        }
                    ));
                }
            }
        }
        None
    }

    /// Stops the server and compares what its files hold with what everybody was told.
    fn judge(&mut self) {
        self.end_server(Crash::Process);
        let mut there = BTreeSet::new();
        for partition in 0..self.plan.partitions {
            let mut found = self.stored(partition);
            if found.damage.is_some() {
                // Nobody has needed it since the power failed: what tore is cut off at first use.
                self.recover(partition);
                found = self.stored(partition);
            }
            if let Some(damage) = found.damage {
                return self.fail(format!("partition {partition} cannot be read: {damage}"));
            }
            there.extend(found.records.iter().copied());
            let count = found.records.len() as u64;
            let missed = (0..count).find(|&at| !self.processed.contains(&(partition, at)));
            let records = found.records;
            self.observe(Event::Audited { partition: u64::from(partition), start: 0, records });
            if let (Some(offset), true) = (missed, self.plan.members > 0) {
                self.fail(format!(
                    "nobody of the group has worked on record {offset} of partition {partition}"
                ));
            }
        }
        let lost = self.succeeded.iter().find(|(_, digest)| !there.contains(digest));
        if let Some((send, digest)) = lost {
            self.fail(format!("send {send} was called a success, and {digest} is not there"));
        }
    }

    /// Carries out the next task; false if there is none.
    fn step(&mut self) -> bool {
        let Some(((at, _), task)) = self.tasks.pop_first() else { return false };
        self.now_us = self.now_us.max(at);
        lock(&self.trace).set_now(self.now_us);
        self.set_server_time();
        if self.next_task > MAX_TASKS {
            self.fail(format!("{MAX_TASKS} tasks and no end"));
            return false;
        }
        match task {
            Task::Accept(link) => self.accept(link),
            Task::Established(link) => self.established(link),
            Task::ToServer(link, bytes) => self.arrive_at_server(link, Some(bytes)),
            Task::ToClient(link, bytes) => self.arrive_at_client(link, Some(bytes)),
            Task::EndToServer(link) => self.arrive_at_server(link, None),
            Task::EndToClient(link) => self.arrive_at_client(link, None),
            Task::Broken(link) => self.broken(link),
            Task::BrokenAtServer(link) => self.broken_at_server(link),
            Task::ServerTimer { start } => self.server_timer(start),
            Task::Work { start, number } => self.run_work(start, number),
            Task::StartServer => self.start_server(),
            Task::EndServer { start, crash } => {
                if start == self.host.start && self.host.server.is_some() {
                    self.end_server(crash);
                }
            }
            Task::Stopped { start } => self.stopped(start),
            Task::Wake { client, incarnation } => {
                if self.clients[client].incarnation == incarnation {
                    self.clients[client].armed_us = None;
                    self.pump_client(client);
                }
            }
            Task::Act { client, incarnation } => {
                if self.clients[client].incarnation == incarnation {
                    self.act(client);
                }
            }
            Task::StartClient(client) => self.start_client(client),
            Task::Continue(client) => self.continue_client(client),
            trouble => self.trouble(trouble),
        }
        true
    }

    fn trouble(&mut self, task: Task) {
        if self.resting {
            return;
        }
        let every_us = match task {
            Task::Cut => {
                self.cut();
                self.plan.cut_every_us
            }
            Task::HalfOpen => {
                self.half_open();
                self.plan.half_every_us
            }
            Task::Slow => {
                self.slow_down();
                self.plan.slow_every_us
            }
            Task::End => {
                self.plan_end();
                self.plan.crash_every_us
            }
            Task::Kill => {
                self.kill_client();
                self.plan.kill_every_us
            }
            Task::Pause => {
                self.pause_client();
                self.plan.stop_every_us
            }
            Task::Fault => {
                self.inject_fault();
                self.plan.fault_every_us
            }
            _ => {
                self.operate();
                self.plan.act_every_us
            }
        };
        self.repeat(every_us, task);
    }

    pub fn after(&mut self, delay_us: u64, task: Task) {
        self.at(self.now_us + delay_us, task);
    }

    pub fn at(&mut self, at_us: u64, task: Task) {
        self.tasks.insert((at_us, self.next_task), task);
        self.next_task += 1;
    }

    /// How long an application takes, by chance; at rest it hurries.
    pub fn pause(&mut self, most_us: u64) -> u64 {
        let most_us = if self.resting { most_us.min(MAX_REST_PAUSE_US) } else { most_us };
        self.rng.below(most_us) + 1
    }

    fn repeat(&mut self, every_us: Option<u64>, task: Task) {
        if let (Some(every_us), false) = (every_us, self.resting) {
            let delay = self.rng.below(2 * every_us) + 1;
            self.after(delay, task);
        }
    }

    pub fn say(&self, what: fmt::Arguments<'_>) {
        lock(&self.trace).say(what);
    }

    /// Tells the checker; a violation ends the run.
    pub fn observe(&mut self, event: Event) {
        match &event {
            Event::Audited { partition, start, records } => {
                let end = start + records.len() as u64;
                self.say(format_args!("event Audited {partition}: {start}..{end}"));
            }
            event => self.say(format_args!("event {event:?}")),
        }
        if let Err(violation) = self.checker.observe(event) {
            self.fail(violation.to_string());
        }
    }

    pub fn fail(&mut self, text: String) {
        self.say(format_args!("FAILURE {text}"));
        self.failure.get_or_insert(text);
    }

    fn report(mut self) -> Report {
        let mut trace = lock(&self.trace);
        self.tally.lines = trace.count();
        Report {
            hash: trace.hash(),
            counts: self.tally.entries(),
            lines: trace.take_lines(),
            failure: self.failure.take(),
        }
    }
}

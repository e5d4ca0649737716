//! The simulated world: time, what is to come, and who is there.
//!
//! One thread; everything that happens is a [`Task`] at a point of simulated time. Tasks of the
//! server carry the number of its start, those of a connection the connection's: what belongs to
//! one that is gone is dropped.
//!
//! Invariant: nothing but the seed decides what happens.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use tidewire_checker::{Checker, Crash, Event};
use tidewire_protocol::batch::{ENCRYPTION_KEY_LEN, EncryptionKey, EncryptionKeys};
use tidewire_protocol::error::Error;
use tidewire_protocol::message::AppendReply;
use tidewire_server::sim::{FetchJob, FetchOutcome, LookupJob, LookupOutcome, ReadReply};
use tidewire_storage::disk::sim::SimDisk;
use tidewire_storage::groups::Writes;
use tidewire_storage::log::{
    RemoveJob, SnapshotJob, SnapshotOutcome, SyncJob, SyncOutcome, TrimJob, TrimOutcome,
};

use crate::batches::Id;
use crate::bug::Bug;
use crate::commits::Committer;
use crate::disk::{LogDisk, TracedDisk, lock};
use crate::host::Host;
use crate::plan::Plan;
use crate::producer::{Arrival, Producer};
use crate::reader::Reader;
use crate::rng::Rng;
use crate::trace::Trace;
use crate::{Options, Report, Tally};

/// Simulated time after the faults have ended in which everything must come to rest.
const REST_US: u64 = 3_000_000;
/// Of the seeds, one in so many has logs that are encrypted at rest.
const AT_REST_ONE_IN: u64 = 4;
/// More tasks than any run needs: one that never rests ends here.
const MAX_TASKS: u64 = 200_000;

/// What is to happen.
pub(crate) enum Task {
    /// A producer may make a batch.
    Produce(usize),
    /// A batch arrives at the server.
    Arrive(Arrival),
    /// A producer is told.
    Appended { producer: usize, connection: u64, send: u64, result: Result<AppendReply, Error> },
    /// A producer finds its connection broken, or its pause over, and sends again.
    Reconnect { producer: usize, connection: u64 },
    /// A connection is cut.
    Cut,
    /// A reader goes on.
    ReadOn { reader: usize, connection: u64 },
    /// A reader is told.
    ReadDone { reader: usize, connection: u64, offset: u64, result: Result<ReadReply, Error> },
    /// A reader's patience ends.
    Expire { reader: usize, token: u64 },
    /// The queue of a partition is written.
    Flush { start: u64, slot: usize },
    /// A sync runs.
    RunSync { start: u64, slot: usize, job: SyncJob<LogDisk>, asked_us: u64 },
    /// The server hears of a sync.
    Synced { start: u64, slot: usize, outcome: SyncOutcome, asked_us: u64 },
    /// A partition no longer waits for producers to come back.
    Gathered { start: u64, slot: usize },
    /// A snapshot is written.
    RunSnapshot { start: u64, slot: usize, job: SnapshotJob<LogDisk> },
    /// The server hears of a snapshot.
    SnapshotWritten { start: u64, slot: usize, outcome: SnapshotOutcome },
    /// A partition reads from the disk for its readers.
    RunFetch { start: u64, slot: usize, job: FetchJob<LogDisk> },
    /// It hears of what was read.
    Fetched { start: u64, slot: usize, outcome: FetchOutcome<LogDisk> },
    /// A partition looks for a place by time.
    RunLookup { start: u64, slot: usize, job: LookupJob<LogDisk> },
    /// It hears of what was found.
    LookedUp { start: u64, slot: usize, outcome: LookupOutcome<LogDisk> },
    /// A log is opened.
    Open { start: u64, slot: usize },
    /// The start of a log is written.
    RunTrim { start: u64, slot: usize, job: TrimJob<LogDisk> },
    /// The server hears of it.
    Trimmed { start: u64, slot: usize, outcome: TrimOutcome },
    /// Segments are removed.
    RunRemove { start: u64, slot: usize, job: RemoveJob<LogDisk> },
    /// Somebody deletes records.
    Trim,
    /// A topic is changed.
    Change,
    /// A partition is looked at for what is too old.
    Retain { start: u64, slot: usize },
    /// A producer with a name is opened anew.
    Reopen,
    /// A consumer stores, asks or resets.
    Commit(usize),
    /// The groups are opened.
    OpenGroups { start: u64 },
    /// What the groups have to write is written.
    RunGroups { start: u64, writes: Writes },
    /// The server hears of it.
    GroupsWritten { start: u64, result: Result<(), String> },
    /// A topic is deleted and made again.
    Delete,
    /// The disk will fail.
    Fault,
    /// The disk is full for a while.
    Full,
    /// It is no longer full.
    Roomy,
    /// The server will end.
    End,
    /// It ends now.
    EndNow { start: u64, crash: Crash },
    /// The server starts.
    Start,
}

pub(crate) struct World {
    pub rng: Rng,
    pub plan: Plan,
    pub trace: Arc<Mutex<Trace>>,
    pub checker: Checker,
    pub disk: TracedDisk,
    /// What logs lie on: the disk, with or without encryption between.
    pub log_disk: LogDisk,
    /// The keys that logs are encrypted with; none if they are not.
    pub keys: EncryptionKeys,
    pub bug: Option<Bug>,
    pub now_us: u64,
    /// What the server's clock shows beyond the simulated time.
    pub clock_offset_us: i64,
    pub host: Host,
    pub producers: Vec<Producer>,
    pub readers: Vec<Reader>,
    pub committers: Vec<Committer>,
    /// Ids of the records of sends that have some.
    pub ids: BTreeMap<u64, Vec<Id>>,
    pub next_send: u64,
    pub tally: Tally,
    /// Faults have ended, and new records are no longer made.
    pub resting: bool,
    pub failure: Option<String>,
    tasks: BTreeMap<(u64, u64), Task>,
    next_task: u64,
}

impl World {
    pub fn run(seed: u64, options: &Options) -> Report {
        let mut rng = Rng::new(seed);
        let plan = Plan::new(&mut rng.fork());
        let trace = Arc::new(Mutex::new(Trace::new(options.keep_lines, !options.no_hash)));
        let sim = SimDisk::new(rng.next());
        if plan.short_writes {
            sim.allow_short_writes();
        }
        let disk = TracedDisk::new(sim, Arc::clone(&trace), options.bug);
        // Without a word to the plan: seeds of before stay what they were.
        let at_rest =
            options.at_rest || options.bug.is_none() && seed.is_multiple_of(AT_REST_ONE_IN);
        let mut keys = EncryptionKeys::default();
        if at_rest {
            let key = EncryptionKey::new(1, [7; ENCRYPTION_KEY_LEN]).expect("a good number");
            keys.add(key).expect("the first");
        }
        let log_disk = disk.for_logs(&keys, seed);
        let mut world = Self {
            host: Host::new(),
            producers: Vec::new(),
            readers: Vec::new(),
            committers: Vec::new(),
            ids: BTreeMap::new(),
            rng,
            plan,
            trace,
            checker: Checker::new(),
            disk,
            log_disk,
            keys,
            bug: options.bug,
            now_us: 0,
            clock_offset_us: 1_700_000_000_000_000,
            next_send: 1,
            tally: Tally::default(),
            resting: false,
            failure: None,
            tasks: BTreeMap::new(),
            next_task: 0,
        };
        world.say(format_args!("plan {:?}", world.plan));
        if at_rest {
            world.tally.at_rest = 1;
            world.say(format_args!("logs are encrypted at rest"));
        }
        world.begin();
        world.go_on_until(world.plan.duration_us);
        world.rest();
        world.report()
    }

    fn begin(&mut self) {
        for _ in 0..self.plan.partitions {
            let settings = self.new_settings();
            self.host.add_slot(settings);
        }
        self.add_producers();
        self.add_readers();
        self.add_committers();
        self.at(0, Task::Start);
        self.repeat(self.plan.trim_every_us, Task::Trim);
        self.repeat(self.plan.change_every_us, Task::Change);
        self.repeat(self.plan.reopen_every_us, Task::Reopen);
        self.repeat(self.plan.crash_every_us, Task::End);
        self.repeat(self.plan.fault_every_us, Task::Fault);
        self.repeat(self.plan.full_every_us, Task::Full);
        self.repeat(self.plan.cut_every_us, Task::Cut);
        self.repeat(self.plan.delete_every_us, Task::Delete);
    }

    /// The faults end, what is under way comes to its end, and the server is started once more.
    fn rest(&mut self) {
        if self.failure.is_some() {
            return;
        }
        self.say(format_args!("--- faults end"));
        self.resting = true;
        self.disk.sim.heal();
        let deadline = self.now_us + REST_US;
        while self.failure.is_none() && !self.is_quiet() {
            if self.now_us > deadline {
                let waiting: Vec<usize> =
                    self.producers.iter().map(|producer| producer.unanswered()).collect();
                self.fail(format!("producers still wait for {waiting:?} answers after {REST_US} µs without faults"));
                return;
            }
            if !self.step() {
                self.fail("nothing is left to do, yet somebody waits".to_owned());
                return;
            }
        }
        if self.failure.is_some() {
            return;
        }
        let crash = if self.rng.one_in(2) { Crash::Process } else { Crash::Power };
        self.end_server(crash);
        let deadline = self.now_us + REST_US;
        while self.failure.is_none() && !self.host.is_open() && self.now_us < deadline {
            self.step();
        }
        if self.failure.is_none() && !self.host.is_open() {
            self.fail("the server did not start though nothing was wrong".to_owned());
        }
    }

    fn is_quiet(&self) -> bool {
        self.host.is_open()
            && !self.is_committing()
            && self.producers.iter().all(|producer| producer.unanswered() == 0)
    }

    fn go_on_until(&mut self, end_us: u64) {
        while self.failure.is_none()
            && self.tasks.first_key_value().is_some_and(|((at, _), _)| *at <= end_us)
        {
            self.step();
        }
    }

    /// Carries out the next task; false if there is none.
    fn step(&mut self) -> bool {
        let Some(((at, _), task)) = self.tasks.pop_first() else { return false };
        self.now_us = self.now_us.max(at);
        lock(&self.trace).set_now(self.now_us);
        if self.next_task > MAX_TASKS {
            self.fail(format!("{MAX_TASKS} tasks and no end"));
            return false;
        }
        let trouble =
            matches!(task, Task::Cut | Task::Delete | Task::Fault | Task::Full | Task::End)
                || matches!(task, Task::Trim | Task::Change | Task::Reopen);
        if trouble && self.resting {
            return true;
        }
        match task {
            Task::Produce(producer) => self.produce(producer),
            Task::Arrive(arrival) => self.arrive(arrival),
            Task::Appended { producer, connection, send, result } => {
                self.appended(producer, connection, send, result);
            }
            Task::Reconnect { producer, connection } => self.reconnect(producer, connection),
            Task::Cut => {
                self.cut();
                self.repeat(self.plan.cut_every_us, Task::Cut);
            }
            Task::ReadOn { reader, connection } => self.read_on(reader, connection),
            Task::ReadDone { reader, connection, offset, result } => {
                self.read_done(reader, connection, offset, result);
            }
            Task::Expire { reader, token } => self.expire(reader, token),
            Task::Flush { start, slot } => self.flush(start, slot),
            Task::RunSync { start, slot, job, asked_us } => {
                self.run_sync(start, slot, job, asked_us);
            }
            Task::Synced { start, slot, outcome, asked_us } => {
                self.synced(start, slot, outcome, asked_us);
            }
            Task::Gathered { start, slot } => self.gathered(start, slot),
            Task::RunSnapshot { start, slot, job } => self.run_snapshot(start, slot, job),
            Task::SnapshotWritten { start, slot, outcome } => {
                self.snapshot_written(start, slot, outcome);
            }
            Task::RunFetch { start, slot, job } => self.run_fetch(start, slot, job),
            Task::Fetched { start, slot, outcome } => self.fetched(start, slot, outcome),
            Task::RunLookup { start, slot, job } => self.run_lookup(start, slot, job),
            Task::LookedUp { start, slot, outcome } => self.looked_up(start, slot, outcome),
            Task::Open { start, slot } => self.open(start, slot),
            Task::RunTrim { start, slot, job } => self.run_trim(start, slot, job),
            Task::Trimmed { start, slot, outcome } => self.trimmed(start, slot, outcome),
            Task::RunRemove { start, slot, job } => self.run_remove(start, slot, job),
            Task::Trim => {
                self.delete_records();
                self.repeat(self.plan.trim_every_us, Task::Trim);
            }
            Task::Change => {
                self.change_topic();
                self.repeat(self.plan.change_every_us, Task::Change);
            }
            Task::Retain { start, slot } => self.retain(start, slot),
            Task::Reopen => {
                self.reopen_producer();
                self.repeat(self.plan.reopen_every_us, Task::Reopen);
            }
            Task::Commit(committer) => self.commit(committer),
            Task::OpenGroups { start } => self.open_groups(start),
            Task::RunGroups { start, writes } => self.run_groups(start, &writes),
            Task::GroupsWritten { start, result } => self.groups_written(start, result),
            Task::Delete => {
                self.delete();
                self.repeat(self.plan.delete_every_us, Task::Delete);
            }
            Task::Fault => {
                self.inject_fault();
                self.repeat(self.plan.fault_every_us, Task::Fault);
            }
            Task::Full => {
                self.fill_disk();
                self.repeat(self.plan.full_every_us, Task::Full);
            }
            Task::Roomy => self.disk.sim.limit_capacity(None),
            Task::End => self.plan_end(),
            Task::EndNow { start, crash } => {
                if start == self.host.start {
                    self.end_server(crash);
                }
            }
            Task::Start => self.start_server(),
        }
        true
    }

    /// Does something after a delay.
    pub fn after(&mut self, delay_us: u64, task: Task) {
        self.at(self.now_us + delay_us, task);
    }

    pub fn at(&mut self, at_us: u64, task: Task) {
        self.tasks.insert((at_us, self.next_task), task);
        self.next_task += 1;
    }

    /// Does something after about `every_us`, unless faults have ended.
    pub fn repeat(&mut self, every_us: Option<u64>, task: Task) {
        if let (Some(every_us), false) = (every_us, self.resting) {
            let delay = self.rng.below(2 * every_us) + 1;
            self.after(delay, task);
        }
    }

    pub fn wall_us(&self) -> i64 {
        self.clock_offset_us + self.now_us as i64
    }

    pub fn say(&self, what: fmt::Arguments<'_>) {
        lock(&self.trace).say(what);
    }

    /// Tells the checker; a violation ends the run.
    pub fn observe(&mut self, event: Event) {
        match &event {
            Event::Audited { partition, start, records } => {
                let end = start + records.len() as u64;
                let all = records
                    .iter()
                    .fold(0_u64, |sum, digest| sum.wrapping_mul(31).wrapping_add(digest.0));
                self.say(format_args!("event Audited {partition}: {start}..{end} {all:016x}"));
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

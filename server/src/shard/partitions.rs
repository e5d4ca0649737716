//! The partitions that a shard owns: opened when first needed, on an I/O thread; let go of when
//! their topic is deleted.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidewire_protocol::connection::Time;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::PartitionInfo;
use tidewire_storage::Topic;
use tidewire_storage::disk::Disk;
use tidewire_storage::log::{LogOptions, SnapshotOutcome, SyncOutcome, TrimOutcome};

use super::kept::Kept;
use crate::io_pool::IoJob;
use crate::message::{Answer, OpenResult, Origin, PartitionId, PartitionRequest};
use crate::partition::{Effect, FetchOutcome, LookupOutcome, Partition, storage_error};
use crate::rt;
use crate::shared::Router;

/// How often a partition is looked at for records that are too old, at most.
const EXPIRY_GRAIN: Duration = Duration::from_secs(1);
/// A look is taken after this at the latest, in case the clock was set.
const MAX_EXPIRY_WAIT: Duration = Duration::from_secs(3_600);

type Answers = Vec<(Origin, Answer)>;

/// A partition, or its log on the way to one.
enum Slot<D: Disk> {
    /// An I/O thread opens the log; what is asked meanwhile waits, bounded by what connections
    /// may have in flight.
    Opening {
        topic: Arc<Topic>,
        waiting: Vec<(Origin, PartitionRequest)>,
        dropped: Vec<flume::Sender<()>>,
    },
    Open(Box<Open<D>>),
}

struct Open<D: Disk> {
    partition: Partition<D>,
    /// When something of it will be too old: its place in `expiries`.
    expiry: Option<Instant>,
    /// Bytes that it keeps for readers: its place in `kept`.
    kept: usize,
    /// When the sync was asked for that is under way.
    sync_began: Time,
    /// Has a place in `dirty`.
    dirty: bool,
    /// The topic was deleted while a sync was under way; drop these when it is back.
    dropped: Vec<flume::Sender<()>>,
}

/// All partitions of a shard.
pub(crate) struct Partitions<D: Disk> {
    router: Rc<Router<D>>,
    slots: HashMap<PartitionId, Slot<D>>,
    /// Partitions with appends that are not written yet.
    dirty: Vec<PartitionId>,
    /// Partitions of which something will be too old, by when.
    expiries: BTreeSet<(Instant, PartitionId)>,
    kept: Kept,
    /// Partitions that wait for producers to come back before they sync, and until when.
    gathers: BTreeSet<(Instant, PartitionId)>,
    /// Syncs that are under way.
    syncs: usize,
    answers: Answers,
    effects: Vec<Effect<D>>,
}

impl<D: Disk> Partitions<D> {
    pub(super) fn new(router: Rc<Router<D>>) -> Self {
        let shared = &router.shared;
        let kept = Kept::new(shared.read_budget.limit() / 2 / shared.inboxes.len());
        Self {
            kept,
            router,
            slots: HashMap::new(),
            dirty: Vec::new(),
            expiries: BTreeSet::new(),
            gathers: BTreeSet::new(),
            syncs: 0,
            answers: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Carries out a request, opening the partition if need be.
    pub(super) fn request(
        &mut self,
        topic: &Arc<Topic>,
        partition: u32,
        origin: Origin,
        request: PartitionRequest,
    ) {
        let id = PartitionId { topic: topic.id, partition };
        match self.slots.get_mut(&id) {
            Some(Slot::Open(_)) => self.carry_out(id, origin, request),
            Some(Slot::Opening { waiting, .. }) => waiting.push((origin, request)),
            None => self.open(id, topic, origin, request),
        }
    }

    fn open(
        &mut self,
        id: PartitionId,
        topic: &Arc<Topic>,
        origin: Origin,
        request: PartitionRequest,
    ) {
        let shared = &self.router.shared;
        // A topic that was deleted meanwhile must not come back as files.
        let catalog = shared.catalog.load();
        // What a session knows of its settings may be older than what the catalog says.
        let now = catalog.topic(&topic.stream, &topic.name).filter(|now| now.id == topic.id);
        let Some(topic) = now else {
            self.refuse(
                id,
                origin,
                &request,
                &deleted(&format!("{}/{}", topic.stream, topic.name)),
            );
            return;
        };
        let dir = shared.topic_dirs.partition(id.topic, id.partition);
        match &request {
            // A partition that was never written to needs no files to be described.
            PartitionRequest::Describe(_) if matches!(shared.disk.exists(&dir), Ok(false)) => {
                let info = self.info(id, empty_info());
                self.answers.push((origin, Answer::Describe(info)));
                return;
            }
            // Nor to be emptied.
            PartitionRequest::Purge if matches!(shared.disk.exists(&dir), Ok(false)) => {
                self.answers.push((origin, Answer::Trimmed(Ok(0))));
                return;
            }
            PartitionRequest::ExpireRead | PartitionRequest::CancelRead => return,
            _ => {}
        }
        let topic = Arc::clone(topic);
        if let Err(waiting) = self.start_opening(id, &topic, vec![(origin, request)]) {
            let error = Error::new(Code::SHUTTING_DOWN, "the server is shutting down");
            for (origin, request) in waiting {
                self.refuse(id, origin, &request, &error);
            }
        }
    }

    /// Has an I/O thread open a log; gives `waiting` back if there are none any more.
    fn start_opening(
        &mut self,
        id: PartitionId,
        topic: &Arc<Topic>,
        waiting: Vec<(Origin, PartitionRequest)>,
    ) -> Result<(), Vec<(Origin, PartitionRequest)>> {
        let shared = &self.router.shared;
        let dir = shared.topic_dirs.partition(id.topic, id.partition);
        let options = LogOptions {
            segment_bytes: topic.segment_bytes,
            leader_epoch: shared.leader_epoch,
            ..LogOptions::default()
        };
        let inbox = shared.inboxes[self.router.shard].clone();
        let dedup_window_ms = topic.dedup_window_ms;
        let now_us = shared.clock.wall_us();
        let disk = shared.disk.clone();
        let job = IoJob::Open { id, disk, dir, options, dedup_window_ms, now_us, inbox };
        if shared.io_jobs.send(job).is_err() {
            return Err(waiting);
        }
        let topic = Arc::clone(topic);
        self.slots.insert(id, Slot::Opening { topic, waiting, dropped: Vec::new() });
        Ok(())
    }

    /// An I/O thread opened a log, or could not.
    pub(super) fn opened(&mut self, id: PartitionId, result: OpenResult<D>) {
        let Some(Slot::Opening { topic, waiting, dropped }) = self.slots.remove(&id) else {
            return;
        };
        let name = format!("{}/{}[{}]", topic.stream, topic.name, id.partition);
        let refusal = if !dropped.is_empty() {
            deleted(&name)
        } else {
            match result {
                Ok((log, recovery, memory)) => {
                    if !recovery.is_clean() {
                        tracing::warn!(partition = %name, "recovered: {recovery}");
                    }
                    let budget = Arc::clone(&self.router.shared.read_budget);
                    let mut partition = Partition::new(name, log, memory, budget);
                    partition.keep_to(&topic);
                    let open = Open {
                        partition,
                        expiry: None,
                        kept: 0,
                        sync_began: Time::ZERO,
                        dirty: false,
                        dropped,
                    };
                    self.slots.insert(id, Slot::Open(Box::new(open)));
                    self.expire_partition(id);
                    for (origin, request) in waiting {
                        self.carry_out(id, origin, request);
                    }
                    return;
                }
                Err(error) => {
                    tracing::error!(partition = %name, %error, "the log cannot be opened");
                    storage_error(&name, &error)
                }
            }
        };
        // The next request tries again.
        for (origin, request) in waiting {
            self.refuse(id, origin, &request, &refusal);
        }
    }

    fn carry_out(&mut self, id: PartitionId, origin: Origin, request: PartitionRequest) {
        let Some(Slot::Open(open)) = self.slots.get_mut(&id) else { return };
        let partition = &mut open.partition;
        let effects = &mut self.effects;
        match request {
            PartitionRequest::Append(append) => {
                let now_us = self.router.shared.clock.wall_us();
                partition.append(append, origin, now_us, effects);
                if !open.dirty {
                    open.dirty = true;
                    self.dirty.push(id);
                }
            }
            PartitionRequest::Flush => partition.sync_all(origin, effects),
            PartitionRequest::Read(read) => partition.read(read, origin, effects),
            PartitionRequest::ExpireRead => partition.expire_read(origin, effects),
            PartitionRequest::CancelRead => partition.cancel_read(origin),
            PartitionRequest::Truncate { before } => {
                partition.truncate(before, origin, effects);
            }
            PartitionRequest::Purge => partition.purge(origin, effects),
            PartitionRequest::Resolve(place) => {
                partition.resolve(place, origin, effects);
            }
            PartitionRequest::Describe(place) => {
                partition.describe(place, origin, effects);
            }
        }
        self.apply_effects(id);
    }

    /// Writes the queues of all partitions that have one.
    pub(super) fn flush(&mut self) {
        if self.dirty.is_empty() {
            return;
        }
        let now_us = self.router.shared.clock.wall_us();
        for id in std::mem::take(&mut self.dirty) {
            if let Some(Slot::Open(open)) = self.slots.get_mut(&id) {
                open.dirty = false;
                open.partition.flush(now_us, &mut self.effects);
                if open.partition.has_retention() {
                    self.expire_partition(id);
                }
                self.apply_effects(id);
                self.note_kept(id);
            }
        }
    }

    /// A start was written.
    pub(super) fn trimmed(&mut self, id: PartitionId, outcome: TrimOutcome) {
        let Some(Slot::Open(open)) = self.slots.get_mut(&id) else { return };
        open.partition.trimmed(outcome, &mut self.effects);
        let dropped = !open.dropped.is_empty();
        self.apply_effects(id);
        if dropped && !self.is_partition_busy(id) {
            self.forget(id);
        }
    }

    /// Batches came from the disk.
    pub(super) fn fetched(&mut self, id: PartitionId, outcome: FetchOutcome<D>) {
        let Some(Slot::Open(open)) = self.slots.get_mut(&id) else { return };
        open.partition.fetched(outcome, &mut self.effects);
        self.apply_effects(id);
        self.note_kept(id);
    }

    /// A place was looked up.
    pub(super) fn looked_up(&mut self, id: PartitionId, outcome: LookupOutcome<D>) {
        let Some(Slot::Open(open)) = self.slots.get_mut(&id) else { return };
        open.partition.looked_up(outcome, &mut self.effects);
        self.apply_effects(id);
    }

    /// Takes note of what a partition keeps for readers, and has those that keep most let go of
    /// some of it if it is too much.
    fn note_kept(&mut self, id: PartitionId) {
        let mut id = id;
        loop {
            let Some(Slot::Open(open)) = self.slots.get_mut(&id) else { return };
            let before = std::mem::replace(&mut open.kept, open.partition.kept_bytes());
            self.kept.update(id, before, open.kept);
            let Some(largest) = self.kept.excess() else { return };
            if let Some(Slot::Open(open)) = self.slots.get_mut(&largest) {
                // A count that is too high is put right by looking again.
                open.partition.let_go();
            }
            id = largest;
        }
    }

    /// A sync came back.
    pub(super) fn synced(&mut self, id: PartitionId, outcome: SyncOutcome) {
        self.syncs -= 1;
        self.router.answered.set(true);
        let Some(Slot::Open(open)) = self.slots.get_mut(&id) else { return };
        let took = self.router.shared.clock.now().as_nanos() - open.sync_began.as_nanos();
        open.partition.synced(outcome, took / 1_000, &mut self.effects);
        if open.partition.has_retention() {
            let now_us = self.router.shared.clock.wall_us();
            open.partition.expire(now_us, &mut self.effects);
        }
        let dropped = !open.dropped.is_empty();
        self.apply_effects(id);
        if dropped && !self.is_partition_busy(id) {
            self.forget(id);
        }
    }

    /// Has a topic's partitions keep to its new settings.
    pub(super) fn topic_changed(&mut self, topic: &Arc<Topic>) {
        let mut changed = Vec::new();
        for (&id, slot) in self.slots.iter_mut().filter(|(id, _)| id.topic == topic.id) {
            match slot {
                // The log is told when it is there.
                Slot::Opening { topic: known, .. } => *known = Arc::clone(topic),
                Slot::Open(open) => {
                    open.partition.keep_to(topic);
                    changed.push(id);
                }
            }
        }
        changed.sort_unstable();
        for id in changed {
            self.expire_partition(id);
            self.apply_effects(id);
        }
        self.open_if_expiring(topic);
    }

    /// Opens the partitions with records that retention may delete: nobody else may ever ask for
    /// them.
    pub(super) fn open_expiring(&mut self) {
        let catalog = self.router.shared.catalog.load_full();
        for topic in catalog.topics() {
            self.open_if_expiring(topic);
        }
    }

    fn open_if_expiring(&mut self, topic: &Arc<Topic>) {
        if topic.retention_ms == 0 && topic.retention_bytes == 0 {
            return;
        }
        let shared = Arc::clone(&self.router.shared);
        for partition in 0..topic.partitions {
            let id = PartitionId { topic: topic.id, partition };
            if id.shard(shared.inboxes.len()) == self.router.shard
                && !self.slots.contains_key(&id)
                && shared
                    .disk
                    .exists(&shared.topic_dirs.partition(id.topic, partition))
                    .unwrap_or(true)
            {
                // A server that stops expires nothing.
                let _ = self.start_opening(id, topic, Vec::new());
            }
        }
    }

    /// Goes on with each partition whose time has come: deletes what is too old, syncs what was
    /// gathered.
    pub(super) fn expire(&mut self) {
        if self.expiries.is_empty() && self.gathers.is_empty() {
            return;
        }
        let clock = &self.router.shared.clock;
        let now = clock.instant(clock.now());
        while let Some(&(at, id)) = self.gathers.first()
            && at <= now
        {
            self.gathers.pop_first();
            if let Some(Slot::Open(open)) = self.slots.get_mut(&id) {
                open.partition.gathered(&mut self.effects);
                self.apply_effects(id);
            }
        }
        while let Some(&(at, id)) = self.expiries.first()
            && at <= now
        {
            self.expire_partition(id);
            self.apply_effects(id);
        }
    }

    /// When to call [`Partitions::expire`] next.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.expiries.first().map(|(at, _)| *at).into_iter().chain(self.next_gathered()).min()
    }

    /// The same, of what may be due sooner than a timer can tell.
    pub(super) fn next_gathered(&self) -> Option<Instant> {
        self.gathers.first().map(|(at, _)| *at)
    }

    /// Whether a sync is under way: somebody may wait for it.
    pub(super) fn is_syncing(&self) -> bool {
        self.syncs > 0
    }

    /// Deletes what is too old or too much of a partition, and takes note of when to look again.
    fn expire_partition(&mut self, id: PartitionId) {
        let Some(Slot::Open(open)) = self.slots.get_mut(&id) else { return };
        let clock = &self.router.shared.clock;
        let (now, now_us) = (clock.instant(clock.now()), clock.wall_us());
        open.partition.expire(now_us, &mut self.effects);
        let due = open.partition.next_expiry_us().map(|due_us| {
            let wait = Duration::from_micros(u64::try_from(due_us - now_us).unwrap_or(0));
            now + wait.clamp(EXPIRY_GRAIN, MAX_EXPIRY_WAIT)
        });
        // One that is set already is kept if it comes soon enough: this runs with each group.
        match (open.expiry, due) {
            (Some(set), Some(due)) if set <= due && set > now => {}
            (set, due) => {
                if let Some(set) = set {
                    self.expiries.remove(&(set, id));
                }
                open.expiry = due;
                self.expiries.extend(due.map(|due| (due, id)));
            }
        }
    }

    fn forget(&mut self, id: PartitionId) {
        if let Some(Slot::Open(open)) = self.slots.remove(&id) {
            self.kept.update(id, open.kept, 0);
            if let Some(expiry) = open.expiry {
                self.expiries.remove(&(expiry, id));
            }
        }
    }

    /// A snapshot was written, or could not be.
    pub(super) fn snapshot_written(&mut self, id: PartitionId, outcome: SnapshotOutcome) {
        let Some(Slot::Open(open)) = self.slots.get_mut(&id) else { return };
        open.partition.snapshot_written(outcome, &mut self.effects);
        let dropped = !open.dropped.is_empty();
        self.apply_effects(id);
        if dropped && !self.is_partition_busy(id) {
            self.forget(id);
        }
    }

    /// Lets go of a topic's partitions. `done` is dropped when the last one is gone.
    pub(super) fn drop_topic(&mut self, topic: u64, name: &str, done: flume::Sender<()>) {
        let mut ids: Vec<PartitionId> =
            self.slots.keys().copied().filter(|id| id.topic == topic).collect();
        ids.sort_unstable();
        for id in ids {
            match self.slots.get_mut(&id) {
                Some(Slot::Opening { dropped, .. }) => dropped.push(done.clone()),
                Some(Slot::Open(open)) => {
                    open.partition.fail_all(&deleted(name), &mut self.effects);
                    if open.partition.is_busy() {
                        open.dropped.push(done.clone());
                    }
                    self.apply_effects(id);
                    if !self.is_partition_busy(id) {
                        self.forget(id);
                    }
                }
                None => {}
            }
        }
    }

    fn is_partition_busy(&self, id: PartitionId) -> bool {
        match self.slots.get(&id) {
            Some(Slot::Open(open)) => open.partition.is_busy(),
            Some(Slot::Opening { .. }) => true,
            None => false,
        }
    }

    /// Whether appends wait, or I/O threads have work of this shard.
    pub(super) fn is_busy(&self) -> bool {
        self.slots.keys().any(|&id| self.is_partition_busy(id))
    }

    /// Syncs and closes every log.
    pub(super) fn close_all(&mut self) {
        for (_, slot) in self.slots.drain() {
            if let Slot::Open(open) = slot
                && let Err(error) = open.partition.close()
            {
                tracing::error!("closing failed: {error}");
            }
        }
    }

    fn apply_effects(&mut self, id: PartitionId) {
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Appended(origin, result) => {
                    self.answers.push((origin, Answer::Append(result)));
                }
                Effect::Flushed(origin, result) => {
                    self.answers.push((origin, Answer::Flush(result)));
                }
                Effect::Read(origin, result) => {
                    self.answers.push((origin, Answer::Read(result)))
                }
                Effect::Fetch(job) => {
                    let shared = &self.router.shared;
                    let inbox = shared.inboxes[self.router.shard].clone();
                    let _ = shared.read_jobs.send(IoJob::Fetch { id, job, inbox });
                }
                Effect::Resolved(origin, result) => {
                    self.answers.push((origin, Answer::Resolve(result)));
                }
                Effect::Described(origin, info) => {
                    let info = placed(self.router.shard, id, info);
                    self.answers.push((origin, Answer::Describe(info)));
                }
                Effect::Lookup(job) => {
                    let shared = &self.router.shared;
                    let inbox = shared.inboxes[self.router.shard].clone();
                    let _ = shared.read_jobs.send(IoJob::Lookup { id, job, inbox });
                }
                Effect::Snapshot(job) => {
                    let shared = &self.router.shared;
                    let inbox = shared.inboxes[self.router.shard].clone();
                    let _ = shared.io_jobs.send(IoJob::Snapshot { id, job, inbox });
                }
                Effect::Trimmed(origin, result) => {
                    self.answers.push((origin, Answer::Trimmed(result)));
                }
                Effect::Trim(job) => {
                    let shared = &self.router.shared;
                    let inbox = shared.inboxes[self.router.shard].clone();
                    let _ = shared.io_jobs.send(IoJob::Trim { id, job, inbox });
                }
                Effect::Remove(job) => {
                    let _ = self.router.shared.io_jobs.send(IoJob::Remove { job });
                }
                Effect::Gather(us) => {
                    let shared = &self.router.shared;
                    let wait = Duration::from_micros(us);
                    // Only a shard that looks knows times that are shorter than a timer's.
                    let wait = if wait < rt::TIMER_GRAIN && shared.busy_poll.is_zero() {
                        Duration::ZERO
                    } else {
                        wait
                    };
                    self.gathers.insert((shared.clock.instant(shared.clock.now()) + wait, id));
                }
                Effect::Sync(job) => {
                    let shared = &self.router.shared;
                    if let Some(Slot::Open(open)) = self.slots.get_mut(&id) {
                        open.sync_began = shared.clock.now();
                    }
                    self.syncs += 1;
                    let inbox = shared.inboxes[self.router.shard].clone();
                    // The threads outlive the shards: see `Server`.
                    let look = self.router.look.get();
                    let _ = shared.io_jobs.send(IoJob::Sync { id, job, look, inbox });
                }
            }
        }
    }

    fn refuse(
        &mut self,
        id: PartitionId,
        origin: Origin,
        request: &PartitionRequest,
        error: &Error,
    ) {
        let answer = match request {
            PartitionRequest::Append(_) => Answer::Append(Err(error.clone())),
            PartitionRequest::Flush => Answer::Flush(Err(error.clone())),
            PartitionRequest::Read(_) => Answer::Read(Err(error.clone())),
            PartitionRequest::Truncate { .. } | PartitionRequest::Purge => {
                Answer::Trimmed(Err(error.clone()))
            }
            PartitionRequest::Resolve(_) => Answer::Resolve(Err(error.clone())),
            PartitionRequest::Describe(_) => {
                let info = self.info(id, PartitionInfo { error: error.code.0, ..empty_info() });
                Answer::Describe(info)
            }
            PartitionRequest::ExpireRead | PartitionRequest::CancelRead => return,
        };
        self.answers.push((origin, answer));
    }

    fn info(&self, id: PartitionId, info: PartitionInfo) -> PartitionInfo {
        placed(self.router.shard, id, info)
    }

    /// The answers given since the last call, if there are any.
    pub(super) fn take_answers(&mut self) -> Option<Answers> {
        (!self.answers.is_empty()).then(|| std::mem::take(&mut self.answers))
    }

    /// An emptied list, to be filled again.
    pub(super) fn give_back(&mut self, answers: Answers) {
        if self.answers.is_empty() {
            self.answers = answers;
        }
    }
}

fn deleted(topic: &str) -> Error {
    Error::new(Code::TOPIC_NOT_FOUND, format!("topic {topic} was deleted"))
}

/// What a partition says of itself, with where it is.
fn placed(shard: usize, id: PartitionId, info: PartitionInfo) -> PartitionInfo {
    let shard = u32::try_from(shard).unwrap_or(u32::MAX);
    PartitionInfo { partition: id.partition, shard, ..info }
}

fn empty_info() -> PartitionInfo {
    PartitionInfo {
        partition: 0,
        shard: 0,
        start_offset: 0,
        end_offset: 0,
        synced_offset: 0,
        size_bytes: 0,
        segments: 0,
        error: 0,
        found_offset: 0,
    }
}

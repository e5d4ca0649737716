//! The partitions that a shard owns: opened when first needed, on an I/O thread; let go of when
//! their topic is deleted.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::PartitionInfo;
use tidewire_storage::Topic;
use tidewire_storage::disk::{Disk, RealDisk};
use tidewire_storage::log::{LogOptions, SnapshotOutcome, SyncOutcome};

use crate::io_pool::IoJob;
use crate::message::{Answer, OpenResult, Origin, PartitionId, PartitionRequest};
use crate::partition::{Effect, Partition, storage_error};
use crate::shared::Router;

type Answers = Vec<(Origin, Answer)>;

/// A partition, or its log on the way to one.
enum Slot {
    /// An I/O thread opens the log; what is asked meanwhile waits, bounded by what connections
    /// may have in flight.
    Opening {
        topic: Arc<Topic>,
        waiting: Vec<(Origin, PartitionRequest)>,
        dropped: Vec<flume::Sender<()>>,
    },
    Open(Box<Open>),
}

struct Open {
    partition: Partition<RealDisk>,
    /// Has a place in `dirty`.
    dirty: bool,
    /// The topic was deleted while a sync was under way; drop these when it is back.
    dropped: Vec<flume::Sender<()>>,
}

/// All partitions of a shard.
pub(super) struct Partitions {
    router: Rc<Router>,
    slots: HashMap<PartitionId, Slot>,
    /// Partitions with appends that are not written yet.
    dirty: Vec<PartitionId>,
    answers: Answers,
    effects: Vec<Effect<RealDisk>>,
}

impl Partitions {
    pub(super) fn new(router: Rc<Router>) -> Self {
        Self {
            router,
            slots: HashMap::new(),
            dirty: Vec::new(),
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
        let dir = shared.data_dir.partition_dir(id.topic, id.partition);
        match &request {
            // A partition that was never written to needs no files to be described.
            PartitionRequest::Describe(_) if matches!(RealDisk.exists(&dir), Ok(false)) => {
                let info = self.info(id, empty_info());
                self.answers.push((origin, Answer::Describe(info)));
                return;
            }
            PartitionRequest::ExpireRead | PartitionRequest::CancelRead => return,
            _ => {}
        }
        let options = LogOptions {
            segment_bytes: topic.segment_bytes,
            leader_epoch: shared.leader_epoch,
            ..LogOptions::default()
        };
        let inbox = shared.inboxes[self.router.shard].clone();
        let dedup_window_ms = topic.dedup_window_ms;
        let now_us = shared.clock.wall_us();
        let job = IoJob::Open { id, dir, options, dedup_window_ms, now_us, inbox };
        if shared.io_jobs.send(job).is_err() {
            let error = Error::new(Code::SHUTTING_DOWN, "the server is shutting down");
            self.refuse(id, origin, &request, &error);
            return;
        }
        let waiting = vec![(origin, request)];
        let topic = Arc::clone(topic);
        self.slots.insert(id, Slot::Opening { topic, waiting, dropped: Vec::new() });
    }

    /// An I/O thread opened a log, or could not.
    pub(super) fn opened(&mut self, id: PartitionId, result: OpenResult) {
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
                    let mut partition = Partition::new(name, log, memory);
                    partition.keep_to(&topic);
                    let open = Open { partition, dirty: false, dropped };
                    self.slots.insert(id, Slot::Open(Box::new(open)));
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
            PartitionRequest::Resolve(place) => {
                let position = partition.resolve(place);
                self.answers.push((origin, Answer::Resolve(position)));
            }
            PartitionRequest::Describe(place) => {
                let described = partition.describe(place);
                let info = self.info(id, described);
                self.answers.push((origin, Answer::Describe(info)));
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
                self.apply_effects(id);
            }
        }
    }

    /// A sync came back.
    pub(super) fn synced(&mut self, id: PartitionId, outcome: SyncOutcome) {
        let Some(Slot::Open(open)) = self.slots.get_mut(&id) else { return };
        open.partition.synced(outcome, &mut self.effects);
        let dropped = !open.dropped.is_empty();
        self.apply_effects(id);
        if dropped && !self.is_partition_busy(id) {
            self.slots.remove(&id);
        }
    }

    /// Has a topic's partitions keep to its new settings.
    pub(super) fn topic_changed(&mut self, topic: &Arc<Topic>) {
        for (_, slot) in self.slots.iter_mut().filter(|(id, _)| id.topic == topic.id) {
            match slot {
                // The log is told when it is there.
                Slot::Opening { topic: known, .. } => *known = Arc::clone(topic),
                Slot::Open(open) => open.partition.keep_to(topic),
            }
        }
    }

    /// A snapshot was written, or could not be.
    pub(super) fn snapshot_written(&mut self, id: PartitionId, outcome: SnapshotOutcome) {
        let Some(Slot::Open(open)) = self.slots.get_mut(&id) else { return };
        open.partition.snapshot_written(outcome);
        if !open.dropped.is_empty() && !self.is_partition_busy(id) {
            self.slots.remove(&id);
        }
    }

    /// Lets go of a topic's partitions. `done` is dropped when the last one is gone.
    pub(super) fn drop_topic(&mut self, topic: u64, name: &str, done: flume::Sender<()>) {
        let ids: Vec<PartitionId> =
            self.slots.keys().copied().filter(|id| id.topic == topic).collect();
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
                        self.slots.remove(&id);
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
                Effect::Snapshot(job) => {
                    let shared = &self.router.shared;
                    let inbox = shared.inboxes[self.router.shard].clone();
                    let _ = shared.io_jobs.send(IoJob::Snapshot { id, job, inbox });
                }
                Effect::Sync(job) => {
                    let shared = &self.router.shared;
                    let inbox = shared.inboxes[self.router.shard].clone();
                    // The threads outlive the shards: see `Server`.
                    let _ = shared.io_jobs.send(IoJob::Sync { id, job, inbox });
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
        let shard = u32::try_from(self.router.shard).unwrap_or(u32::MAX);
        PartitionInfo { partition: id.partition, shard, ..info }
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

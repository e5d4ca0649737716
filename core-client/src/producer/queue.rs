//! The producer's queue: records on their way into batches, batches on their way to the server.
//!
//! Owns which batch a record goes to, when a batch is sealed, and how much may wait. What happens
//! to a sealed batch is decided by the protocol's [`ProducerSession`]; sealing itself, which may
//! compress, is done outside of the queue's lock, by whoever takes a [`Job`]. The one invariant:
//! the batches of a partition are sealed one after the other, in the order in which their records
//! came.

mod many;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use tidewire_protocol::batch::{
    BatchBuilder, Codec, Compressor, PushError, RecordRef, Sealing, Sequence, ZSTD_LEVEL,
};
use tidewire_protocol::connection::Time;
use tidewire_protocol::message::AppendReply;
use tidewire_protocol::name::TopicName;
use tidewire_protocol::partitioner::partition_of;
use tidewire_protocol::session::{Attempt, ProducerEvent, ProducerSession};

use super::stats::ProducerStats;
use super::ticket::{Completion, Outcome, Ticket};
use super::{QueueFull, sender::Channel};
use crate::completion::{Attached, Run, extend_runs};
use crate::error::{Code, Error};

/// What a record is counted as besides its bytes: its place in the tables.
const RECORD_OVERHEAD: usize = 24;
/// Builders and compressors that are kept for the next batches: their memory is worth more than
/// that of a batch.
const MAX_SPARE: usize = 4;
/// Timers, besides two for each partition, above which those that are left over are dropped.
const MAX_TIMERS: usize = 64;

/// The producer's bounds.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    /// Wait for company, in milliseconds.
    pub linger_ms: u32,
    /// From a record's enqueueing to its outcome, in milliseconds.
    pub delivery_timeout_ms: u32,
    /// Size at which a batch is sealed.
    pub batch_bytes: usize,
    /// Record count at which a batch is sealed.
    pub batch_records: usize,
    /// Size that no batch may pass.
    pub max_batch_len: usize,
    /// Bytes past which no more is taken.
    pub queue_bytes: usize,
    /// What happens to a record past that.
    pub queue_full: QueueFull,
    /// Whether records may have ids: there are acknowledgements that tell of those seen.
    pub takes_ids: bool,
}

impl Bounds {
    fn builder(&self, encrypted: bool) -> BatchBuilder {
        match encrypted {
            true => BatchBuilder::of_encrypted(self.max_batch_len, self.batch_records),
            false => BatchBuilder::new(self.max_batch_len, self.batch_records),
        }
    }
}

/// What a push calls for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pushed {
    /// A batch may be sealed or sent now.
    pub send: bool,
    /// The next deadline is nearer than it was.
    pub sooner: bool,
}

/// What is known of a batch besides its bytes.
#[derive(Debug)]
pub(super) struct Pending {
    pub completion: Arc<Completion>,
    /// Its part of `queued_bytes`.
    cost: usize,
    /// When it has waited long enough for company.
    until: Time,
    /// When its outcome is due.
    deadline: Time,
    /// Which tickets it settles, if there is a queue to settle them into.
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Partition {
    builder: BatchBuilder,
    /// The batch that is being built.
    open: Option<Pending>,
    /// The open batch goes as soon as the window has room.
    expedited: bool,
    /// Batches that take no more records and are to be sealed. Bounded, as all that waits, by
    /// `queue_bytes`.
    full: VecDeque<(BatchBuilder, Pending)>,
    /// One is being sealed right now, by whoever took the job.
    sealing: Option<Arc<Completion>>,
    in_to_seal: bool,
    /// When it is looked at next, if something is open.
    timer: Option<Time>,
}

/// A batch to seal, outside of the lock.
#[derive(Debug)]
pub(super) struct Job {
    partition: u32,
    builder: BatchBuilder,
    compressor: Compressor,
    sealing: Option<Arc<Sealing>>,
    sequence: Sequence,
    pending: Pending,
    sealed: Option<(Bytes, u32)>,
}

impl Job {
    /// Adds the tables, compresses, encrypts, and computes the checksums.
    pub(super) fn seal(&mut self) {
        let records = self.builder.len() as u32;
        let (sequence, compressor) = (self.sequence, &mut self.compressor);
        let bytes = match &self.sealing {
            Some(sealing) => {
                self.builder.seal_encrypted(sequence, compressor, sealing, self.partition)
            }
            None => self.builder.seal_with(sequence, compressor),
        };
        self.sealed = Some((bytes, records));
    }
}

/// Records and batches that wait, by partition.
#[derive(Debug)]
pub(super) struct Queue {
    topic: TopicName,
    bounds: Bounds,
    codec: Codec,
    /// With what batches are encrypted, if they are.
    sealing: Option<Arc<Sealing>>,
    pub(super) session: ProducerSession<Pending>,
    /// Where batches go now.
    pub(super) channel: Option<Channel>,
    /// When the task will look by itself.
    pub(super) armed: Option<Time>,
    /// One place a partition of the topic, filled at its first record.
    partitions: Vec<Option<Box<Partition>>>,
    /// Where records go that have neither key nor partition, until its batch is sealed.
    sticky: u32,
    /// Partitions that may have something to seal; each at most once.
    to_seal: VecDeque<u32>,
    /// Partitions with an open batch, by when it lingered or waited long enough. An entry counts
    /// if its partition says the same; the others are left over.
    timers: BinaryHeap<Reverse<(Time, u32)>>,
    spare_builders: Vec<BatchBuilder>,
    spare_compressors: Vec<Compressor>,
    queued_bytes: usize,
    queued_records: u64,
    dropped_records: u64,
    /// Number of the next ticket.
    next_ticket: u64,
    /// Where outcomes go besides the tickets.
    pub(super) completions: Option<Attached>,
    closed: Option<Error>,
    /// A batch that failed since the last flush.
    failed: Option<Arc<Completion>>,
}

impl Queue {
    pub(super) fn new(
        topic: TopicName,
        bounds: Bounds,
        session: ProducerSession<Pending>,
        partitions: u32,
        codec: Codec,
        sealing: Option<Arc<Sealing>>,
    ) -> Self {
        let mut places = Vec::new();
        places.resize_with(partitions as usize, || None);
        let producer_id = session.identity().producer_id;
        Self {
            topic,
            bounds,
            codec,
            sealing,
            session,
            channel: None,
            armed: None,
            partitions: places,
            // Producers that begin at the same time begin at different places.
            sticky: (producer_id % u64::from(partitions.max(1))) as u32,
            to_seal: VecDeque::new(),
            timers: BinaryHeap::new(),
            spare_builders: Vec::new(),
            spare_compressors: Vec::new(),
            queued_bytes: 0,
            queued_records: 0,
            dropped_records: 0,
            next_ticket: 0,
            completions: None,
            closed: None,
            failed: None,
        }
    }

    pub(super) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Whether a record would be taken now; an error if none will be any more.
    pub(super) fn has_room(&self) -> Result<bool, Error> {
        match &self.closed {
            Some(error) => Err(error.clone()),
            None => Ok(self.queued_bytes < self.bounds.queue_bytes
                && self.completions.as_ref().is_none_or(|to| to.queue.has_room())),
        }
    }

    fn full_error(&self) -> Error {
        if self.queued_bytes < self.bounds.queue_bytes {
            let text = format!(
                "too many outcomes of the producer for {} wait to be drained from its \
                 completion queue",
                self.topic
            );
            return Error::new(Code::QUEUE_FULL, text);
        }
        Error::new(
            Code::QUEUE_FULL,
            format!(
                "the queue of the producer for {} holds {} bytes, its limit is {}",
                self.topic, self.queued_bytes, self.bounds.queue_bytes
            ),
        )
    }

    /// Puts a record into its partition's open batch.
    pub(super) fn push(
        &mut self,
        record: &RecordRef<'_>,
        partition: Option<u32>,
        expedite: bool,
        now: impl FnOnce() -> Time,
    ) -> Result<(Ticket, Pushed), Error> {
        let has_room = self.has_room()?;
        let at = self.place(record.key, partition)?;
        // SPEC I-10
        if record.id.is_some() && !self.bounds.takes_ids {
            return Err(Error::new(
                Code::INVALID_ARGUMENT,
                "a record with an id needs acks written or synced: with none nobody would learn \
                 that its batch was refused because an id of it was seen",
            ));
        }
        if !has_room {
            let error = self.full_error();
            if self.bounds.queue_full != QueueFull::Drop {
                return Err(error);
            }
            self.dropped_records += 1;
            let number = self.next_ticket;
            self.next_ticket += 1;
            let outcome = Outcome::of_all(Err(error));
            if let Some(to) = &self.completions {
                let run = Run { first_ticket: number, first_index: 0, count: 1 };
                to.settle(at, &[run], outcome.receipts(at, 1));
            }
            let completion = Completion::settled_with(at, outcome);
            return Ok((Ticket::new(completion, number, 0), Pushed::default()));
        }
        let len = record_len(record);
        let limit = self.bounds.max_batch_len;
        if len > limit {
            return Err(too_large(len, limit));
        }
        let (batch_bytes, batch_records) = (self.bounds.batch_bytes, self.bounds.batch_records);
        let mut pushed = Pushed::default();
        let mut place = self.partition(at);
        let mut size = place.builder.sealed_len() + len;
        let mut result = Err(PushError::Full);
        // A batch passes `batch_bytes` only with a single record.
        if size <= batch_bytes || place.builder.is_empty() {
            result = place.builder.push(record);
        }
        if result == Err(PushError::Full) {
            self.fill(at);
            pushed.send = true;
            place = self.partition(at);
            size = place.builder.sealed_len() + len;
            result = place.builder.push(record);
        }
        let index = match result {
            Ok(index) => index as u32,
            Err(PushError::TooLarge { len, limit }) => return Err(too_large(len, limit)),
            Err(why) => return Err(Error::new(Code::INVALID_ARGUMENT, why.to_string())),
        };

        let cost = len + RECORD_OVERHEAD;
        let (linger_ms, delivery_timeout_ms) =
            (self.bounds.linger_ms, self.bounds.delivery_timeout_ms);
        let (number, has_queue) = (self.next_ticket, self.completions.is_some());
        self.next_ticket += 1;
        let place = self.partition(at);
        place.expedited |= expedite;
        let pending = place.open.get_or_insert_with(|| {
            // The clock is asked once a batch, not once a record.
            let now = now();
            Pending {
                completion: Completion::new(at),
                cost: 0,
                until: now.plus_ms(linger_ms.min(delivery_timeout_ms)),
                deadline: now.plus_ms(delivery_timeout_ms),
                runs: Vec::new(),
            }
        });
        if has_queue {
            extend_runs(&mut pending.runs, number, index, 1);
        }
        pending.cost += cost;
        pending.completion.add_records(1);
        let until = pending.until;
        let ticket = Ticket::new(Arc::clone(&pending.completion), number, index);
        let full = size >= batch_bytes || place.builder.len() >= batch_records;
        self.queued_bytes += cost;
        self.queued_records += 1;

        if full {
            self.fill(at);
            pushed.send = true;
        } else if expedite {
            self.mark_to_seal(at);
            pushed.send = true;
        }
        if index == 0 && !full {
            self.set_timer(at, until);
            // What is expedited needs no timer, and is not worth a wake-up; but its timer stays,
            // and whoever comes next may rely on it.
            pushed.sooner = !expedite && self.is_timer_sooner();
        }
        Ok((ticket, pushed))
    }

    fn place(&self, key: Option<&[u8]>, partition: Option<u32>) -> Result<u32, Error> {
        let count = self.partitions.len() as u32;
        match (partition, key) {
            (Some(partition), _) if partition < count => Ok(partition),
            (Some(partition), _) => Err(Error::new(
                Code::PARTITION_NOT_FOUND,
                format!(
                    "partition {partition} of {} does not exist: it has {count}, from 0",
                    self.topic
                ),
            )),
            (None, Some(key)) => Ok(partition_of(key, count)),
            (None, None) => Ok(self.sticky),
        }
    }

    fn partition(&mut self, at: u32) -> &mut Partition {
        let (bounds, encrypted) = (&self.bounds, self.sealing.is_some());
        self.partitions[at as usize].get_or_insert_with(|| {
            Box::new(Partition {
                builder: bounds.builder(encrypted),
                open: None,
                expedited: false,
                full: VecDeque::new(),
                sealing: None,
                in_to_seal: false,
                timer: None,
            })
        })
    }

    /// Takes no more records into the open batch, if there is one.
    fn fill(&mut self, at: u32) {
        let bounds = &self.bounds;
        let Some(place) = &mut self.partitions[at as usize] else {
            return;
        };
        let Some(pending) = place.open.take() else {
            return;
        };
        let next =
            self.spare_builders.pop().unwrap_or_else(|| bounds.builder(self.sealing.is_some()));
        let builder = std::mem::replace(&mut place.builder, next);
        place.full.push_back((builder, pending));
        place.expedited = false;
        if at == self.sticky {
            self.sticky = (at + 1) % self.partitions.len() as u32;
        }
        self.mark_to_seal(at);
    }

    fn mark_to_seal(&mut self, at: u32) {
        let place = self.partition(at);
        if !place.in_to_seal {
            place.in_to_seal = true;
            self.to_seal.push_back(at);
        }
    }

    /// The next batch to seal. It has to be given back by [`Queue::finish`].
    pub(super) fn next_job(&mut self) -> Option<Job> {
        while let Some(at) = self.to_seal.pop_front() {
            let room = self.session.room(at);
            let place = self.partition(at);
            place.in_to_seal = false;
            if place.sealing.is_some() {
                // Whoever seals it comes back for more.
                continue;
            }
            // Records gather in the open batch while the window has no room for it.
            if place.full.is_empty() && place.expedited && room > 0 {
                self.fill(at);
            }
            let place = self.partition(at);
            let Some((builder, pending)) = place.full.pop_front() else {
                continue;
            };
            place.sealing = Some(Arc::clone(&pending.completion));
            let codec = self.codec;
            let compressor = self.spare_compressors.pop();
            return Some(Job {
                partition: at,
                builder,
                compressor: compressor.unwrap_or_else(|| Compressor::new(codec, ZSTD_LEVEL)),
                sealing: self.sealing.clone(),
                sequence: self.session.predict(at),
                pending,
                sealed: None,
            });
        }
        None
    }

    /// Whether there is something to seal now.
    pub(super) fn has_job(&self) -> bool {
        self.to_seal.iter().any(|&at| {
            self.partitions[at as usize].as_ref().is_some_and(|place| {
                place.sealing.is_none()
                    && (!place.full.is_empty()
                        || (place.expedited && self.session.room(at) > 0))
            })
        })
    }

    /// Hands a sealed batch to the session.
    pub(super) fn finish(&mut self, job: Job) {
        let Job { partition, builder, compressor, pending, sealed, .. } = job;
        if self.spare_builders.len() < MAX_SPARE {
            self.spare_builders.push(builder);
        }
        if self.spare_compressors.len() < MAX_SPARE {
            self.spare_compressors.push(compressor);
        }
        self.partition(partition).sealing = None;
        if let Some((bytes, records)) = sealed {
            self.session.push(partition, bytes, records, pending.deadline, pending);
        }
        self.mark_to_seal(partition);
    }

    /// Whether the nearest timer is before what the task sleeps for.
    fn is_timer_sooner(&self) -> bool {
        let nearest = self.timers.peek().map(|Reverse((until, _))| *until);
        nearest.is_some_and(|nearest| self.armed.is_none_or(|armed| nearest < armed))
    }

    /// Sets the timer of an open batch, unless its partition has an earlier one.
    fn set_timer(&mut self, at: u32, until: Time) {
        let place = self.partition(at);
        if place.timer.is_some_and(|timer| timer <= until) {
            return;
        }
        place.timer = Some(until);
        if self.timers.len() > MAX_TIMERS + 2 * self.partitions.len() {
            let partitions = &self.partitions;
            self.timers.retain(|Reverse((until, at))| {
                partitions[*at as usize].as_ref().is_some_and(|p| p.timer == Some(*until))
            });
        }
        self.timers.push(Reverse((until, at)));
    }

    /// Expedites what has waited long enough, and gives up what has waited too long; the next
    /// deadline.
    pub(super) fn expire(&mut self, now: Time) -> Option<Time> {
        let mut next = None;
        while let Some(&Reverse((until, at))) = self.timers.peek() {
            if until > now {
                next = Some(until);
                break;
            }
            self.timers.pop();
            let place = self.partition(at);
            if place.timer != Some(until) {
                continue;
            }
            place.timer = None;
            let Some(pending) = &place.open else {
                continue;
            };
            // The batch that the timer was set for may have gone, and another begun.
            let (until, deadline) = (pending.until, pending.deadline);
            if until > now {
                self.set_timer(at, until);
            } else if deadline > now {
                place.expedited = true;
                self.mark_to_seal(at);
                self.set_timer(at, deadline);
            } else {
                // Sealed too late to be sent: the session says so.
                self.fill(at);
            }
        }
        self.session.handle_timeout(now);
        match (next, self.session.poll_timeout()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// What came of a sending.
    pub(super) fn answered(
        &mut self,
        now: Time,
        attempt: Attempt,
        outcome: Result<AppendReply, tidewire_protocol::error::Error>,
    ) {
        if let Some(at) = self.session.handle_reply(now, attempt, outcome) {
            self.mark_to_seal(at);
        }
    }

    /// Takes out what the session has to tell: outcomes are set, and whom to wake is added to
    /// `woken`; what else there is goes to `tell`.
    pub(super) fn collect(
        &mut self,
        woken: &mut Vec<Arc<Completion>>,
        mut tell: impl FnMut(u32, Error),
    ) {
        while let Some(event) = self.session.poll_event() {
            match event {
                ProducerEvent::Settled { partition, tag, records, parts, outcome } => {
                    let outcome = outcome.map_err(|error| match error.code {
                        // What this side says of itself does not name the place.
                        Code::TIMEOUT | Code::DISCONNECTED => Error::from(error)
                            .about(format!("{} partition {partition}", self.topic)),
                        _ => error.into(),
                    });
                    self.settle(tag, u64::from(records), Outcome::new(parts, outcome), woken);
                    self.mark_to_seal(partition);
                }
                ProducerEvent::Throttled { partition, error } => tell(partition, error.into()),
                _ => {}
            }
        }
    }

    /// The one place where the records of a batch get their outcome.
    fn settle(
        &mut self,
        pending: Pending,
        records: u64,
        outcome: Outcome,
        woken: &mut Vec<Arc<Completion>>,
    ) {
        let Pending { completion, cost, runs, .. } = pending;
        // What went into a queue has been told.
        let failed = outcome.is_err() && self.completions.is_none();
        if let Some(to) = &self.completions {
            let partition = completion.partition();
            to.settle(partition, &runs, outcome.receipts(partition, records as u32));
        }
        completion.settle(outcome);
        self.queued_bytes -= cost;
        self.queued_records -= records;
        if failed && self.failed.as_ref().is_none_or(|earlier| earlier.is_claimed()) {
            self.failed = Some(Arc::clone(&completion));
        }
        woken.push(completion);
    }

    /// Takes no more records from now on, for this reason.
    pub(super) fn close(&mut self, why: Error) {
        self.closed.get_or_insert(why);
    }

    /// Ends everything with this reason, as unknown where it may have been appended.
    pub(super) fn fail(&mut self, error: &Error, woken: &mut Vec<Arc<Completion>>) {
        self.close(error.clone());
        self.session.fail(&error.to_wire());
        let definite = self.session.fatal().cloned().unwrap_or_else(|| error.to_wire());
        let definite = Error::from(tidewire_protocol::error::Error {
            disposition: tidewire_protocol::error::Disposition(
                definite.disposition.0
                    & !tidewire_protocol::error::Disposition::OUTCOME_UNKNOWN.0,
            ),
            ..definite
        });
        for at in 0..self.partitions.len() as u32 {
            if self.partitions[at as usize].is_none() {
                continue;
            }
            self.fill(at);
            for (builder, pending) in std::mem::take(&mut self.partition(at).full) {
                let outcome = Outcome::of_all(Err(definite.clone()));
                self.settle(pending, builder.len() as u64, outcome, woken);
            }
        }
        self.to_seal.clear();
        self.partitions.iter_mut().flatten().for_each(|place| place.in_to_seal = false);
    }

    /// Has every open batch sent without lingering.
    pub(super) fn expedite(&mut self) {
        for at in 0..self.partitions.len() as u32 {
            if let Some(place) = &mut self.partitions[at as usize]
                && place.open.is_some()
            {
                place.expedited = true;
                self.mark_to_seal(at);
            }
        }
    }

    /// Expedites everything; the batches to wait for, in the order of their partitions.
    pub(super) fn flush(&mut self) -> Vec<Arc<Completion>> {
        let mut batches: Vec<Arc<Completion>> =
            self.session.pending().map(|pending| Arc::clone(&pending.completion)).collect();
        for at in 0..self.partitions.len() as u32 {
            let Some(place) = &mut self.partitions[at as usize] else {
                continue;
            };
            batches.extend(place.sealing.iter().cloned());
            batches.extend(place.full.iter().map(|(_, p)| Arc::clone(&p.completion)));
            if let Some(open) = &place.open {
                batches.push(Arc::clone(&open.completion));
                place.expedited = true;
                self.mark_to_seal(at);
            }
        }
        batches
    }

    /// The failure that no ticket has told yet, of batches that failed since this was last asked.
    pub(super) fn take_failure(&mut self) -> Option<Error> {
        let failed = self.failed.take()?;
        if failed.is_claimed() { None } else { failed.error() }
    }

    /// What was counted so far, and what waits.
    pub(super) fn stats(&self) -> ProducerStats {
        let counters = self.session.counters();
        ProducerStats {
            queued_records: self.queued_records,
            queued_bytes: self.queued_bytes as u64,
            in_flight_batches: self.session.on_the_wire() as u64,
            sent_batches: counters.sent_batches,
            sent_bytes: counters.sent_bytes,
            retried_batches: counters.retried_batches,
            duplicate_batches: counters.duplicate_batches,
            acknowledged_records: counters.acknowledged_records,
            failed_records: counters.failed_records,
            unknown_records: counters.unknown_records,
            dropped_records: self.dropped_records,
        }
    }
}

fn record_len(record: &RecordRef<'_>) -> usize {
    let headers: usize = record.headers.iter().map(|(n, v)| 6 + n.len() + v.len()).sum();
    record.value.map_or(0, <[u8]>::len) + record.key.map_or(0, <[u8]>::len) + headers
}

fn too_large(len: usize, limit: usize) -> Error {
    let mib = limit >> 20;
    let shown = if limit == mib << 20 { format!(" ({mib} MiB)") } else { String::new() };
    Error::new(
        Code::RECORD_TOO_LARGE,
        format!("a record of {len} bytes is over the limit of {limit} bytes{shown}"),
    )
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;

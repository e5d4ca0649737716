//! The producer's queue: records on their way into batches, batches on their way to the server.
//!
//! Owns which batch a record goes to, when a batch is sealed and which is sent next, and how much
//! may wait; leaves sending and the clock to the [`sender`](super::sender). The one invariant:
//! the batches of a partition leave in the order in which their records came, with at most
//! `max_in_flight` of them unacknowledged.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidewire_protocol::batch::{BatchBuilder, Compressor, PushError, RecordRef, Sequence};
use tidewire_protocol::name::TopicName;
use tidewire_protocol::partitioner::partition_of;

use super::ticket::{Completion, Ticket};
use crate::error::{Code, Error};

/// What a record is counted as besides its bytes: its place in the tables.
const RECORD_OVERHEAD: usize = 24;

/// The producer's bounds.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    /// Wait for company.
    pub linger: Duration,
    /// Size at which a batch is sealed.
    pub batch_bytes: usize,
    /// Record count at which a batch is sealed.
    pub batch_records: usize,
    /// Size that no batch may pass.
    pub max_batch_len: usize,
    /// Bytes past which no more is taken.
    pub queue_bytes: usize,
    /// Unacknowledged batches of a partition.
    pub max_in_flight: usize,
}

/// What the server called this producer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    pub producer_id: u64,
    pub producer_epoch: u32,
}

/// A batch that is ready to be sent.
#[derive(Debug)]
pub(super) struct Sealed {
    pub partition: u32,
    pub bytes: Bytes,
    pub records: u32,
    pub completion: Arc<Completion>,
    /// Its part of `queued_bytes`.
    cost: usize,
}

/// What a push calls for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pushed {
    /// A batch may be sent now.
    pub send: bool,
    /// The next deadline is nearer than it was.
    pub sooner: bool,
}

#[derive(Debug)]
struct Partition {
    builder: BatchBuilder,
    /// The completion of the batch that is being built.
    open: Option<Arc<Completion>>,
    open_cost: usize,
    /// When the open batch has waited long enough.
    open_until: Instant,
    /// The open batch goes as soon as the window has room.
    expedited: bool,
    /// Bounded, as all that waits, by `queue_bytes`.
    sealed: VecDeque<Sealed>,
    in_flight: Vec<Arc<Completion>>,
    next_sequence: u64,
    in_ready: bool,
    in_lingering: bool,
}

/// Records and batches that wait, by partition.
#[derive(Debug)]
pub(super) struct Queue {
    topic: TopicName,
    bounds: Bounds,
    identity: Identity,
    /// One for all partitions: its memory is worth more than that of a batch.
    compressor: Compressor,
    /// One place a partition of the topic, filled at its first record.
    partitions: Vec<Option<Box<Partition>>>,
    /// Where records go that have neither key nor partition, until its batch is sealed.
    sticky: u32,
    /// Partitions that may have something to send; each at most once.
    ready: VecDeque<u32>,
    /// Partitions with a batch that lingers; each at most once.
    lingering: BinaryHeap<Reverse<(Instant, u32)>>,
    queued_bytes: usize,
    closed: Option<Error>,
    /// A batch that failed since the last flush.
    failed: Option<Arc<Completion>>,
}

impl Queue {
    pub(super) fn new(
        topic: TopicName,
        bounds: Bounds,
        identity: Identity,
        partitions: u32,
        compressor: Compressor,
    ) -> Self {
        let mut places = Vec::new();
        places.resize_with(partitions as usize, || None);
        Self {
            topic,
            bounds,
            identity,
            compressor,
            partitions: places,
            // Producers that begin at the same time begin at different places.
            sticky: (identity.producer_id % u64::from(partitions.max(1))) as u32,
            ready: VecDeque::new(),
            lingering: BinaryHeap::new(),
            queued_bytes: 0,
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
            None => Ok(self.queued_bytes < self.bounds.queue_bytes),
        }
    }

    /// Puts a record into its partition's open batch.
    pub(super) fn push(
        &mut self,
        record: &RecordRef<'_>,
        partition: Option<u32>,
        expedite: bool,
        now: impl FnOnce() -> Instant,
    ) -> Result<(Ticket, Pushed), Error> {
        if !self.has_room()? {
            return Err(Error::new(
                Code::QUEUE_FULL,
                format!(
                    "the queue of the producer for {} holds {} bytes, its limit is {}",
                    self.topic, self.queued_bytes, self.bounds.queue_bytes
                ),
            ));
        }
        let at = self.place(record.key, partition)?;
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
            self.seal(at);
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
        place.open_cost += cost;
        place.expedited |= expedite;
        let completion = place.open.get_or_insert_with(|| Completion::new(at));
        completion.add_record();
        let ticket = Ticket::new(Arc::clone(completion), index);
        let full = size >= batch_bytes || place.builder.len() >= batch_records;
        self.queued_bytes += cost;

        if full {
            self.seal(at);
            pushed.send = true;
        } else if expedite {
            self.mark_ready(at);
            pushed.send = true;
        } else if index == 0 {
            // The clock is asked once a batch, not once a record.
            let until = now() + self.bounds.linger;
            self.partition(at).open_until = until;
            pushed.sooner = self.linger(at, until);
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
        let bounds = &self.bounds;
        self.partitions[at as usize].get_or_insert_with(|| {
            Box::new(Partition {
                builder: BatchBuilder::new(bounds.max_batch_len, bounds.batch_records),
                open: None,
                open_cost: 0,
                open_until: Instant::now(),
                expedited: false,
                sealed: VecDeque::new(),
                in_flight: Vec::new(),
                next_sequence: 0,
                in_ready: false,
                in_lingering: false,
            })
        })
    }

    /// Closes the open batch, if there is one, and lines it up.
    fn seal(&mut self, at: u32) {
        let Identity { producer_id, producer_epoch } = self.identity;
        let Some(place) = &mut self.partitions[at as usize] else {
            return;
        };
        let Some(completion) = place.open.take() else {
            return;
        };
        let records = place.builder.len() as u32;
        let base_sequence = place.next_sequence;
        let sequence = Sequence { producer_id, producer_epoch, base_sequence };
        let bytes = place.builder.seal_with(sequence, &mut self.compressor);
        place.next_sequence += u64::from(records);
        place.expedited = false;
        let cost = std::mem::take(&mut place.open_cost);
        place.sealed.push_back(Sealed { partition: at, bytes, records, completion, cost });
        if at == self.sticky {
            self.sticky = (at + 1) % self.partitions.len() as u32;
        }
        self.mark_ready(at);
    }

    fn mark_ready(&mut self, at: u32) {
        let place = self.partition(at);
        if !place.in_ready {
            place.in_ready = true;
            self.ready.push_back(at);
        }
    }

    /// Sets the deadline of an open batch, unless its partition has one; whether it is the
    /// nearest now.
    fn linger(&mut self, at: u32, until: Instant) -> bool {
        let place = self.partition(at);
        if place.in_lingering {
            return false;
        }
        place.in_lingering = true;
        let sooner = self.lingering.peek().is_none_or(|Reverse((next, _))| until < *next);
        self.lingering.push(Reverse((until, at)));
        sooner
    }

    /// Expedites what has waited long enough; the next deadline.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        while let Some(&Reverse((until, at))) = self.lingering.peek() {
            if until > now {
                return Some(until);
            }
            self.lingering.pop();
            let place = self.partition(at);
            place.in_lingering = false;
            if place.open.is_none() || place.expedited {
                continue;
            }
            // The batch that the deadline was set for may have gone, and another begun.
            let until = place.open_until;
            if until > now {
                self.linger(at, until);
            } else {
                place.expedited = true;
                self.mark_ready(at);
            }
        }
        None
    }

    /// The next batch to send; it counts as in flight until it is put back or settled.
    pub(super) fn next_send(&mut self) -> Option<Sealed> {
        let max_in_flight = self.bounds.max_in_flight;
        while let Some(&at) = self.ready.front() {
            let place = self.partition(at);
            if place.in_flight.len() < max_in_flight {
                if place.sealed.is_empty() && place.expedited {
                    self.seal(at);
                }
                let place = self.partition(at);
                if let Some(batch) = place.sealed.pop_front() {
                    place.in_flight.push(Arc::clone(&batch.completion));
                    // Partitions take turns.
                    self.ready.rotate_left(1);
                    return Some(batch);
                }
            }
            self.partition(at).in_ready = false;
            self.ready.pop_front();
        }
        None
    }

    /// Undoes the last `next_send`.
    pub(super) fn put_back(&mut self, batch: Sealed) {
        let at = batch.partition;
        let place = self.partition(at);
        place.in_flight.pop();
        place.sealed.push_front(batch);
        self.mark_ready(at);
    }

    /// A batch that was sent, or that never will be, is settled.
    pub(super) fn settle(&mut self, batch: &Settled, failed: bool) {
        let place = self.partition(batch.partition);
        place.in_flight.retain(|completion| !Arc::ptr_eq(completion, &batch.completion));
        if !place.sealed.is_empty() || place.expedited {
            self.mark_ready(batch.partition);
        }
        self.queued_bytes -= batch.cost;
        if failed && self.failed.as_ref().is_none_or(|earlier| earlier.is_claimed()) {
            self.failed = Some(Arc::clone(&batch.completion));
        }
    }

    /// Takes no more records from now on, for this reason.
    pub(super) fn close(&mut self, why: Error) {
        self.closed.get_or_insert(why);
    }

    /// Takes out everything that was not sent.
    pub(super) fn take_unsent(&mut self) -> Vec<Settled> {
        let mut unsent = Vec::new();
        for at in 0..self.partitions.len() as u32 {
            if self.partitions[at as usize].is_some() {
                self.seal(at);
                let place = self.partition(at);
                unsent.extend(place.sealed.drain(..).map(|batch| batch.settled()));
            }
        }
        unsent
    }

    /// Expedites everything; the batches to wait for.
    pub(super) fn flush(&mut self) -> Vec<Arc<Completion>> {
        let mut batches = Vec::new();
        for at in 0..self.partitions.len() as u32 {
            let Some(place) = &mut self.partitions[at as usize] else {
                continue;
            };
            batches.extend(place.in_flight.iter().cloned());
            batches.extend(place.sealed.iter().map(|batch| Arc::clone(&batch.completion)));
            if let Some(open) = &place.open {
                batches.push(Arc::clone(open));
                place.expedited = true;
                self.mark_ready(at);
            }
        }
        batches
    }

    /// The failure that no ticket has told yet, of batches that failed since this was last asked.
    pub(super) fn take_failure(&mut self) -> Option<Error> {
        let failed = self.failed.take()?;
        if failed.is_claimed() { None } else { failed.error() }
    }
}

/// What is kept of a batch while it is on its way.
#[derive(Debug)]
pub(super) struct Settled {
    pub partition: u32,
    pub completion: Arc<Completion>,
    cost: usize,
}

impl Sealed {
    /// What `settle` needs.
    pub(super) fn settled(&self) -> Settled {
        Settled {
            partition: self.partition,
            completion: Arc::clone(&self.completion),
            cost: self.cost,
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
mod tests {
    use super::*;

    fn queue(partitions: u32, bounds: impl FnOnce(&mut Bounds)) -> Queue {
        let mut all = Bounds {
            linger: Duration::from_millis(5),
            batch_bytes: 1 << 16,
            batch_records: 100,
            max_batch_len: 8 << 20,
            queue_bytes: 1 << 20,
            max_in_flight: 2,
        };
        bounds(&mut all);
        let topic = TopicName::parse("t").expect("good");
        Queue::new(
            topic,
            all,
            Identity { producer_id: 8, producer_epoch: 1 },
            partitions,
            Compressor::default(),
        )
    }

    fn value(bytes: &[u8]) -> RecordRef<'_> {
        RecordRef { value: Some(bytes), ..RecordRef::at(0) }
    }

    #[test]
    fn records_without_a_key_stay_together_until_their_batch_is_sealed() {
        let mut queue = queue(3, |bounds| bounds.batch_records = 2);
        let now = Instant::now();
        let mut partitions = Vec::new();
        for _ in 0..6 {
            let (ticket, _) = queue.push(&value(b"x"), None, false, || now).expect("room");
            partitions.push(ticket.partition());
        }
        assert_eq!(partitions, [2, 2, 0, 0, 1, 1]);
    }

    #[test]
    fn a_batch_waits_for_its_deadline_and_no_longer() {
        let mut queue = queue(1, |_| {});
        let now = Instant::now();
        let (_, first) = queue.push(&value(b"a"), None, false, || now).expect("room");
        let (_, second) = queue.push(&value(b"b"), None, false, || now).expect("room");
        assert!(first.sooner && !second.sooner && !first.send);
        let until = queue.expire(now).expect("one lingers");
        assert_eq!(until, now + Duration::from_millis(5));
        assert!(queue.next_send().is_none());
        assert_eq!(queue.expire(until), None);
        assert_eq!(queue.next_send().map(|batch| batch.records), Some(2));
    }

    #[test]
    fn the_window_holds_and_records_gather_behind_it() {
        let mut queue = queue(1, |_| {});
        let now = Instant::now();
        let mut sent = Vec::new();
        for _ in 0..5 {
            queue.push(&value(b"x"), None, true, || now).expect("room");
            sent.extend(queue.next_send());
        }
        assert_eq!(sent.iter().map(|batch| batch.records).collect::<Vec<_>>(), [1, 1]);
        queue.settle(&sent[0].settled(), false);
        assert_eq!(queue.next_send().map(|batch| batch.records), Some(3));
    }

    #[test]
    fn sequence_numbers_follow_the_records_of_each_partition() {
        use tidewire_protocol::batch::Header;
        let mut queue = queue(2, |bounds| bounds.max_in_flight = 9);
        let mut seen = Vec::new();
        for partition in [0, 1, 0, 0] {
            for _ in 0..=partition {
                queue.push(&value(b"x"), Some(partition), false, Instant::now).expect("room");
            }
            queue.flush();
            let batch = queue.next_send().expect("flushed");
            let header = Header::parse(&batch.bytes).expect("sealed");
            assert_eq!((header.producer_id, header.producer_epoch), (8, 1));
            seen.push((batch.partition, header.base_sequence));
        }
        assert_eq!(seen, [(0, 0), (1, 0), (0, 1), (0, 2)]);
    }

    #[test]
    fn a_batch_that_was_put_back_is_the_next_again() {
        let mut queue = queue(1, |bounds| bounds.batch_records = 1);
        for bytes in [b"a", b"b"] {
            queue.push(&value(bytes), None, false, Instant::now).expect("room");
        }
        let first = queue.next_send().expect("sealed");
        let bytes = first.bytes.clone();
        queue.put_back(first);
        assert_eq!(queue.next_send().expect("again").bytes, bytes);
    }

    #[test]
    fn what_is_settled_makes_room() {
        let mut queue = queue(1, |bounds| bounds.queue_bytes = 100);
        let now = Instant::now();
        queue.push(&value(&[0; 90]), None, true, || now).expect("room");
        let error = queue.push(&value(b"x"), None, true, || now).expect_err("full");
        assert_eq!(error.code(), Code::QUEUE_FULL);
        let batch = queue.next_send().expect("expedited");
        queue.settle(&batch.settled(), false);
        assert_eq!((queue.queued_bytes(), queue.has_room().expect("open")), (0, true));
    }

    #[test]
    fn a_failure_is_told_once_unless_its_tickets_told_it() {
        let mut queue = queue(1, |_| {});
        for claim in [false, true] {
            let (mut ticket, _) =
                queue.push(&value(b"x"), None, true, Instant::now).expect("room");
            let batch = queue.next_send().expect("expedited");
            queue.settle(&batch.settled(), true);
            batch.completion.settle(Err(Error::new(Code::DISK_FULL, "full")));
            if claim {
                assert!(ticket.try_receipt().is_some());
            }
            assert_eq!(queue.take_failure().is_some(), !claim);
            assert!(queue.take_failure().is_none());
        }
    }
}

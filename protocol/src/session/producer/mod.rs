//! The producer's batches until their outcome is known, whatever becomes of the connection.
//!
//! Owns the order of each partition's batches, their sequence numbers, what is on the wire, what
//! has to be sent again and by when; leaves building batches, the bytes and the clock to the
//! driver. The driver calls [`push`](ProducerSession::push) with a sealed batch, sends what
//! [`poll_send`](ProducerSession::poll_send) gives, tells what came of it with
//! [`handle_reply`](ProducerSession::handle_reply), and hands on what
//! [`poll_event`](ProducerSession::poll_event) says.
//!
//! The invariants:
//!
//! * A batch gets its sequence number when it is first sent. From then on its bytes stay the same
//!   until it is certain that they were not appended (SPEC I-8): so it may be sent any number of
//!   times, and is appended at most once.
//! * Batches of a partition are sent in order. After a refusal nothing more is sent there until
//!   all that is on the wire was answered; then it goes on from the first that is left (I-9).
//! * Each batch has one outcome, at the latest at its deadline. One that may have been appended
//!   is then *unknown*, never failed; and it stays in its place, sent again in silence, so that
//!   what follows it is neither a gap nor out of order.

mod answers;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;

use super::Backoff;
use crate::batch::{self, Header, Sealing, Sequence};
use crate::connection::Time;
use crate::error::{Code, Disposition, Error};
use crate::message::{Acks, AppendReply};

pub use seen::Part;
use seen::Places;

/// Who appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The id that the server gave, not 0.
    pub producer_id: u64,
    /// Its epoch.
    pub producer_epoch: u32,
}

/// How a producer behaves.
#[derive(Clone, Copy, Debug)]
pub struct ProducerConfig {
    /// Unanswered batches of a partition, 1 or more. No more than
    /// [`MAX_REMEMBERED_BATCHES`](crate::limits::MAX_REMEMBERED_BATCHES), or a server could not
    /// tell all of them from new ones.
    pub max_in_flight: usize,
    /// Whether batches carry the identity and a sequence. Without, they are sent once at most:
    /// what was on the wire when the connection was lost is unknown.
    pub idempotent: bool,
    /// What the batches are sent with, for the receipts of records that were seen before.
    pub acks: Acks,
    /// Pause before a batch that was refused for now is sent again, in milliseconds; it doubles.
    pub retry_backoff_ms: u32,
    /// Longest such pause, in milliseconds.
    pub retry_backoff_max_ms: u32,
    /// For the randomness in the pauses.
    pub seed: u64,
}

/// One sending of one batch, told from all others of this producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attempt(u64);

/// A batch to send now, as an APPEND.
#[derive(Clone, Debug)]
pub struct Sending {
    /// What its reply is told by.
    pub attempt: Attempt,
    /// Where it goes.
    pub partition: u32,
    /// The batch.
    pub bytes: Bytes,
    /// Records in it.
    pub records: u32,
    /// When its outcome is due.
    pub deadline: Time,
}

/// What the driver hands on.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProducerEvent<T> {
    /// A batch has its outcome; the only one.
    Settled {
        /// Its partition.
        partition: u32,
        /// What it was pushed with.
        tag: T,
        /// Records in it.
        records: u32,
        /// What became of which records, in order and without a gap, if the partition had seen
        /// some of them before (SPEC I-15). Empty if not: then the outcome is that of all.
        parts: Vec<Part>,
        /// The reply; or an error. With the disposition OUTCOME_UNKNOWN the batch may have been
        /// appended, without it was certainly not. If some records were seen, it is that of the
        /// others; if all were, the reply of the first part.
        outcome: Result<AppendReply, Error>,
    },
    /// The server refused a batch for now; it is sent again after a pause.
    Throttled {
        /// Its partition.
        partition: u32,
        /// Why.
        error: Error,
    },
}

/// What was counted since the producer began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProducerCounters {
    /// Batches given out to be sent, each time counted.
    pub sent_batches: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Of them, those that had been sent before.
    pub retried_batches: u64,
    /// Batches that turned out to have been appended by an earlier sending.
    pub duplicate_batches: u64,
    /// Records acknowledged.
    pub acknowledged_records: u64,
    /// Records that were certainly not appended.
    pub failed_records: u64,
    /// Records that may have been appended.
    pub unknown_records: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    OnTheWire(Attempt),
}

#[derive(Debug)]
struct Entry<T> {
    /// `None` once its outcome was told: it only keeps its place.
    tag: Option<T>,
    bytes: Bytes,
    /// Records in `bytes`.
    records: u32,
    /// Records that it was pushed with.
    pushed_records: u32,
    /// Where these are, if some of them were seen before.
    places: Option<Box<Places>>,
    deadline: Time,
    /// Given at the first sending.
    base_sequence: Option<u64>,
    state: State,
    /// A sending of it ended without an answer that says what became of it.
    doubt: bool,
    sent_before: bool,
    /// Why it was refused last.
    refusal: Option<Error>,
}

#[derive(Debug)]
struct Partition<T> {
    /// In the order of their records: those with a sequence, then those without.
    entries: VecDeque<Entry<T>>,
    next_sequence: u64,
    on_the_wire: usize,
    /// Records of the entries without a sequence.
    unnumbered: u64,
    /// Something was refused: nothing is sent until all that is on the wire was answered.
    held: bool,
    /// A batch that had a sequence is gone for good: what lies behind is numbered anew from here.
    renumber_from: Option<u64>,
    /// One of those that are gone may have been appended, or the server knows less than it
    /// should: numbers can only be given anew under another identity.
    chain_broken: bool,
    retry_at: Option<Time>,
    backoff: Backoff,
    in_ready: bool,
}

/// A producer that outlives its connections. `T` is whatever the driver knows a batch by.
#[derive(Debug)]
pub struct ProducerSession<T> {
    config: ProducerConfig,
    /// What batches are encrypted with, if they are.
    sealing: Option<Sealing>,
    identity: Identity,
    connected: bool,
    /// Ordered, so that the same calls give the same run.
    partitions: BTreeMap<u32, Partition<T>>,
    /// Partitions that may have something to send; each at most once.
    ready: VecDeque<u32>,
    attempts: HashMap<Attempt, u32>,
    last_attempt: u64,
    /// Nothing is due before.
    earliest: Option<Time>,
    events: VecDeque<ProducerEvent<T>>,
    /// No sequence is given any more under this identity.
    wants_identity: bool,
    counters: ProducerCounters,
    fatal: Option<Error>,
}

impl<T> ProducerSession<T> {
    /// A producer that was opened as `identity` and has a connection.
    pub fn new(config: ProducerConfig, identity: Identity) -> Self {
        Self {
            config,
            sealing: None,
            identity,
            connected: true,
            partitions: BTreeMap::new(),
            ready: VecDeque::new(),
            attempts: HashMap::new(),
            last_attempt: 0,
            earliest: None,
            events: VecDeque::new(),
            wants_identity: false,
            counters: ProducerCounters::default(),
            fatal: None,
        }
    }

    /// Says what the batches are encrypted with that are pushed: one of which the partition has
    /// seen some records is opened, and what is left of it encrypted anew.
    pub fn encrypt_with(&mut self, sealing: Sealing) {
        self.sealing = Some(sealing);
    }

    /// Takes a sealed batch, to be sent behind all others of its partition. What it says of its
    /// producer and sequence need not be right; it costs a checksum less if it is what
    /// [`ProducerSession::predict`] said.
    pub fn push(&mut self, partition: u32, bytes: Bytes, records: u32, deadline: Time, tag: T) {
        if let Some(error) = &self.fatal {
            let outcome = Err(error.clone());
            self.tell(partition, tag, records, None, outcome);
            return;
        }
        let entry = Entry {
            tag: Some(tag),
            bytes,
            records,
            pushed_records: records,
            places: None,
            deadline,
            base_sequence: None,
            state: State::Waiting,
            doubt: false,
            sent_before: false,
            refusal: None,
        };
        let place = self.place(partition);
        place.unnumbered += u64::from(records);
        place.entries.push_back(entry);
        self.due(deadline);
        self.mark_ready(partition);
    }

    fn place(&mut self, partition: u32) -> &mut Partition<T> {
        let ProducerConfig { retry_backoff_ms, retry_backoff_max_ms, seed, .. } = self.config;
        self.partitions.entry(partition).or_insert_with(|| Partition {
            entries: VecDeque::new(),
            next_sequence: 0,
            on_the_wire: 0,
            unnumbered: 0,
            held: false,
            renumber_from: None,
            chain_broken: false,
            retry_at: None,
            backoff: Backoff::new(
                retry_backoff_ms,
                retry_backoff_max_ms,
                seed ^ u64::from(partition),
            ),
            in_ready: false,
        })
    }

    /// What a batch that is pushed next will most likely carry.
    pub fn predict(&self, partition: u32) -> Sequence {
        let next = self
            .partitions
            .get(&partition)
            .map_or(0, |place| place.next_sequence + place.unnumbered);
        self.sequence(next)
    }

    fn sequence(&self, base_sequence: u64) -> Sequence {
        if !self.config.idempotent {
            return Sequence::default();
        }
        let Identity { producer_id, producer_epoch } = self.identity;
        Sequence { producer_id, producer_epoch, base_sequence }
    }

    /// Whether [`ProducerSession::poll_send`] has something.
    pub fn has_send(&mut self, now: Time) -> bool {
        self.next_partition(now).is_some()
    }

    /// How many more batches of a partition would be sent at once.
    pub fn room(&self, partition: u32) -> usize {
        let most = self.config.max_in_flight;
        self.partitions.get(&partition).map_or(most, |place| {
            if place.held { 0 } else { most.saturating_sub(place.entries.len()) }
        })
    }

    /// The partition whose turn it is.
    fn next_partition(&mut self, now: Time) -> Option<u32> {
        if !self.connected || self.fatal.is_some() {
            return None;
        }
        while let Some(&at) = self.ready.front() {
            let renewing = self.wants_identity;
            let most = self.config.max_in_flight;
            let place = self.partitions.get_mut(&at)?;
            let next = place.entries.get(place.on_the_wire);
            let may = next.is_some_and(|entry| entry.base_sequence.is_some() || !renewing);
            let paused = place.retry_at.is_some_and(|until| now < until);
            if may && !paused && !place.held && place.on_the_wire < most {
                return Some(at);
            }
            place.in_ready = false;
            self.ready.pop_front();
        }
        None
    }

    /// The next batch to send. It counts as on the wire until it is answered.
    pub fn poll_send(&mut self, now: Time) -> Option<Sending> {
        let at = self.next_partition(now)?;
        self.last_attempt += 1;
        let attempt = Attempt(self.last_attempt);
        let place = self.partitions.get(&at)?;
        let numbered = place.entries[place.on_the_wire].base_sequence;
        let sequence = self.sequence(numbered.unwrap_or(place.next_sequence));
        let place = self.partitions.get_mut(&at)?;
        place.retry_at = None;
        let entry = &mut place.entries[place.on_the_wire];
        if numbered.is_none() {
            entry.base_sequence = Some(place.next_sequence);
            place.next_sequence += u64::from(entry.records);
            place.unnumbered -= u64::from(entry.records);
            if sequence_of(&entry.bytes) != Some(sequence) {
                entry.bytes = batch::reseal(std::mem::take(&mut entry.bytes), sequence);
            }
        }
        entry.state = State::OnTheWire(attempt);
        place.on_the_wire += 1;
        let sending = Sending {
            attempt,
            partition: at,
            bytes: entry.bytes.clone(),
            records: entry.records,
            deadline: entry.deadline,
        };
        self.counters.sent_batches += 1;
        self.counters.sent_bytes += sending.bytes.len() as u64;
        self.counters.retried_batches += u64::from(entry.sent_before);
        entry.sent_before = true;
        self.attempts.insert(attempt, at);
        // Partitions take turns.
        self.ready.rotate_left(1);
        Some(sending)
    }

    /// There is a connection, and the producer's channel is open on it as the same identity.
    pub fn handle_connected(&mut self) {
        self.connected = true;
        self.all_ready();
    }

    /// The connection is gone. What is on the wire without an answer is in doubt.
    pub fn handle_disconnected(&mut self, now: Time) {
        let error = Error::new(Code::DISCONNECTED, "the connection was lost");
        let mut lost: Vec<Attempt> = self.attempts.keys().copied().collect();
        lost.sort_unstable();
        for attempt in lost {
            self.handle_reply(now, attempt, Err(error.clone()));
        }
        self.connected = false;
        // Making the next connection takes its own time.
        for place in self.partitions.values_mut() {
            place.retry_at = None;
        }
    }

    /// Whether the producer has to be opened anew, as another identity; then
    /// [`ProducerSession::renew`] is due. Until then nothing that has no sequence yet is sent.
    pub fn wants_identity(&self) -> bool {
        // Those whose outcome was told have kept their place for nothing.
        let numbered = |place: &Partition<T>| {
            let kept = |entry: &Entry<T>| entry.base_sequence.is_some() && entry.tag.is_some();
            place.entries.iter().any(kept)
        };
        self.wants_identity && self.fatal.is_none() && !self.partitions.values().any(numbered)
    }

    /// The producer was opened anew: sequences begin at 0, in every partition.
    pub fn renew(&mut self, identity: Identity) {
        self.identity = identity;
        self.wants_identity = false;
        for place in self.partitions.values_mut() {
            place.next_sequence = 0;
            place.on_the_wire = 0;
            place.held = false;
            place.entries.retain(|entry| entry.base_sequence.is_none());
        }
        self.attempts.clear();
        self.all_ready();
    }

    /// The identity that batches are sent as.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Ends the producer: everything that has no outcome gets this one, as unknown where it may
    /// have been appended. What is pushed later fails with it.
    pub fn fail(&mut self, error: &Error) {
        if self.fatal.is_some() {
            return;
        }
        self.fatal = Some(error.clone());
        self.attempts.clear();
        for (at, place) in std::mem::take(&mut self.partitions) {
            for entry in place.entries {
                let on_the_wire = matches!(entry.state, State::OnTheWire(_));
                let unknown = entry.doubt || on_the_wire;
                let error = if unknown { in_doubt(error) } else { certain(error) };
                self.settle(at, entry, Err(error));
            }
        }
        self.ready.clear();
        self.earliest = None;
    }

    /// Why the producer has ended, if it has.
    pub fn fatal(&self) -> Option<&Error> {
        self.fatal.as_ref()
    }

    /// Tells the outcome of an entry that leaves, unless it was told.
    fn settle(&mut self, at: u32, entry: Entry<T>, outcome: Result<AppendReply, Error>) {
        if let Some(tag) = entry.tag {
            self.tell(at, tag, entry.pushed_records, entry.places, outcome);
        }
    }

    fn tell(
        &mut self,
        partition: u32,
        tag: T,
        records: u32,
        places: Option<Box<Places>>,
        outcome: Result<AppendReply, Error>,
    ) {
        let parts = places.map_or_else(Vec::new, |places| {
            places.parts(outcome.as_ref().ok(), self.config.acks)
        });
        let known = parts.iter().filter(|part| part.reply.is_some());
        let known: u32 = known.map(|part| part.count).sum();
        self.counters.acknowledged_records += u64::from(known);
        let count = match &outcome {
            Ok(_) => &mut self.counters.acknowledged_records,
            Err(error) if error.is_outcome_unknown() => &mut self.counters.unknown_records,
            Err(_) => &mut self.counters.failed_records,
        };
        *count += u64::from(records - known);
        let settled = ProducerEvent::Settled { partition, tag, records, parts, outcome };
        self.events.push_back(settled);
    }

    /// The next thing to hand on.
    pub fn poll_event(&mut self) -> Option<ProducerEvent<T>> {
        self.events.pop_front()
    }

    /// When to call [`ProducerSession::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        self.earliest
    }

    /// The time that [`ProducerSession::poll_timeout`] named has come.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return;
        }
        self.earliest = None;
        let all: Vec<u32> = self.partitions.keys().copied().collect();
        for at in all {
            self.expire(now, at);
            let Some(place) = self.partitions.get_mut(&at) else {
                continue;
            };
            if let Some(until) = place.retry_at {
                if now >= until || place.entries.is_empty() {
                    place.retry_at = None;
                    self.mark_ready(at);
                } else {
                    self.due(until);
                }
            }
            let place = &self.partitions[&at];
            let untold = place.entries.iter().filter(|entry| entry.tag.is_some());
            if let Some(deadline) = untold.map(|entry| entry.deadline).min() {
                self.due(deadline);
            }
        }
    }

    fn due(&mut self, at: Time) {
        self.earliest = Some(self.earliest.map_or(at, |earliest| earliest.min(at)));
    }

    fn mark_ready(&mut self, at: u32) {
        if let Some(place) = self.partitions.get_mut(&at)
            && !place.in_ready
        {
            place.in_ready = true;
            self.ready.push_back(at);
        }
    }

    fn all_ready(&mut self) {
        let all: Vec<u32> = self.partitions.keys().copied().collect();
        for at in all {
            self.mark_ready(at);
        }
    }

    /// Batches that were given out and not answered.
    pub fn on_the_wire(&self) -> usize {
        self.attempts.len()
    }

    /// Whether no batch waits for its outcome, nor keeps its place after it was told.
    pub fn is_idle(&self) -> bool {
        self.partitions.values().all(|place| place.entries.is_empty())
    }

    /// The tags of all batches without an outcome, by partition and in order.
    pub fn pending(&self) -> impl Iterator<Item = &T> {
        let entries = self.partitions.values().flat_map(|place| &place.entries);
        entries.filter_map(|entry| entry.tag.as_ref())
    }

    /// What was counted since the producer began.
    pub fn counters(&self) -> ProducerCounters {
        self.counters
    }
}

/// What a batch says of its producer.
fn sequence_of(bytes: &[u8]) -> Option<Sequence> {
    let header = Header::parse(bytes).ok()?;
    Some(Sequence {
        producer_id: header.producer_id,
        producer_epoch: header.producer_epoch,
        base_sequence: header.base_sequence,
    })
}

/// The error of a batch that may have been appended.
fn in_doubt(error: &Error) -> Error {
    Error { disposition: error.disposition.outcome_unknown(), ..error.clone() }
}

/// The error of a batch that was certainly not appended.
fn certain(error: &Error) -> Error {
    let disposition = Disposition(error.disposition.0 & !Disposition::OUTCOME_UNKNOWN.0);
    Error { disposition, ..error.clone() }
}

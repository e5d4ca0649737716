//! Tickets: what an enqueued record is acknowledged by.
//!
//! Owns the completion that all tickets of one batch share: a ticket is a reference to it and an
//! index, so that one reply settles a thousand records at once. The one invariant: a completion
//! is settled exactly once, and a ticket that is dropped takes nothing with it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use tidewire_protocol::message::{Acks, AppendReply};
use tidewire_protocol::session::Part;

use crate::error::Error;

/// What the server answered for one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The record's partition.
    pub partition: u32,
    /// Its offset there.
    pub offset: u64,
    /// When it was appended, in microseconds since the Unix epoch; 0 for a duplicate by its id,
    /// of which a server tells no time.
    pub append_time_us: i64,
    /// The promise that holds, at least the one asked for.
    pub acks: Acks,
    /// It was there already, or another record of its id was, within the topic's
    /// `dedup_window_ms`; the offset is that one's.
    pub duplicate: bool,
}

impl Receipt {
    /// That of a record by its place in the batch.
    pub(super) fn of(partition: u32, reply: &AppendReply, index: u32) -> Self {
        Self {
            partition,
            offset: reply.base_offset.saturating_add(u64::from(index)),
            append_time_us: reply.append_time_us,
            acks: reply.acks,
            duplicate: reply.duplicate,
        }
    }
}

/// A future of an enqueued record's [`Receipt`]. Dropping it changes nothing for the record.
#[derive(Debug)]
pub struct Ticket {
    completion: Arc<Completion>,
    number: u64,
    index: u32,
    slot: Option<usize>,
    claimed: bool,
}

impl Ticket {
    pub(super) fn new(completion: Arc<Completion>, number: u64, index: u32) -> Self {
        Self { completion, number, index, slot: None, claimed: false }
    }

    /// The same, whose outcome may have been told before.
    pub(super) fn claimed(self, claimed: bool) -> Self {
        Self { claimed, ..self }
    }

    /// What it refers to: the batch's outcome, its number, and its index there.
    pub(super) fn into_parts(self) -> (Arc<Completion>, u64, u32) {
        (self.completion, self.number, self.index)
    }

    /// Its number: 0 for the producer's first record, then rising by one with each that was
    /// taken. By it a [`CompletionQueue`](crate::CompletionQueue) tells the outcome.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The partition that the record went to.
    pub fn partition(&self) -> u32 {
        self.completion.partition
    }

    /// The outcome, if there is one yet.
    pub fn try_receipt(&mut self) -> Option<Result<Receipt, Error>> {
        let outcome = self.completion.outcome.get()?;
        if !self.claimed {
            self.claimed = true;
            self.completion.unclaimed.fetch_sub(1, Ordering::Relaxed);
        }
        let (reply, index) = outcome.at(self.index);
        Some(match reply {
            Ok(reply) => Ok(Receipt::of(self.completion.partition, reply, index)),
            Err(error) => Err(error.clone()),
        })
    }
}

impl Future for Ticket {
    type Output = Result<Receipt, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.completion.register(&mut this.slot, cx).is_pending() {
            return Poll::Pending;
        }
        this.try_receipt().map_or(Poll::Pending, Poll::Ready)
    }
}

/// What became of the records of one batch.
#[derive(Debug)]
pub(super) struct Outcome {
    /// In order and without a gap; empty if all have the same.
    parts: Vec<Part>,
    /// That of the records whose part has none.
    rest: Result<AppendReply, Error>,
}

impl Outcome {
    pub(super) fn new(parts: Vec<Part>, rest: Result<AppendReply, Error>) -> Self {
        Self { parts, rest }
    }

    /// The same for all.
    pub(super) fn of_all(outcome: Result<AppendReply, Error>) -> Self {
        Self::new(Vec::new(), outcome)
    }

    /// Whether some records failed.
    pub(super) fn is_err(&self) -> bool {
        self.rest.is_err()
    }

    /// The reply that holds for a record, and its index among those for which it does.
    fn at(&self, index: u32) -> (Result<&AppendReply, &Error>, u32) {
        let after = self.parts.partition_point(|part| part.first_index <= index);
        match after.checked_sub(1).and_then(|at| self.parts.get(at)) {
            Some(part) => (self.of(part), index - part.first_index),
            None => (self.rest.as_ref(), index),
        }
    }

    /// How many records from `index` on, itself included, have the reply that holds for it.
    fn alike(&self, index: u32) -> u32 {
        let after = self.parts.partition_point(|part| part.first_index <= index);
        let part = after.checked_sub(1).and_then(|at| self.parts.get(at));
        part.map_or(u32::MAX, |part| part.first_index + part.count - index)
    }

    fn of<'a>(&'a self, part: &'a Part) -> Result<&'a AppendReply, &'a Error> {
        part.reply.as_ref().map_or(self.rest.as_ref(), Ok)
    }

    /// Index of the first record, their count, and their reply, for each run of neighbours that
    /// stand at neighbouring offsets or have failed; in order. `records` are in the batch.
    fn runs(
        &self,
        records: u32,
    ) -> impl Iterator<Item = (u32, u32, Result<&AppendReply, &Error>)> {
        let parts = self.parts.iter();
        let parts = parts.map(|part| (part.first_index, part.count, self.of(part)));
        let all = self.parts.is_empty().then_some((0, records, self.rest.as_ref()));
        parts.chain(all)
    }

    /// The same, with the receipt of the first record of each run.
    pub(super) fn receipts(
        &self,
        partition: u32,
        records: u32,
    ) -> impl Iterator<Item = (u32, u32, Result<Receipt, Error>)> {
        self.runs(records).map(move |(first_index, count, reply)| {
            let receipt = reply.map(|reply| Receipt::of(partition, reply, 0));
            (first_index, count, receipt.map_err(Error::clone))
        })
    }
}

/// The outcome of one batch, shared by its tickets.
#[derive(Debug)]
pub(super) struct Completion {
    partition: u32,
    outcome: OnceLock<Outcome>,
    /// Tasks to wake; at most one a ticket, and one a flush.
    wakers: Mutex<Vec<Waker>>,
    /// Records whose ticket has not told its outcome.
    unclaimed: AtomicU32,
    /// Records in the batch.
    records: AtomicU32,
}

impl Completion {
    pub(super) fn new(partition: u32) -> Arc<Self> {
        Arc::new(Self {
            partition,
            outcome: OnceLock::new(),
            wakers: Mutex::new(Vec::new()),
            unclaimed: AtomicU32::new(0),
            records: AtomicU32::new(0),
        })
    }

    /// One that has its outcome.
    pub(super) fn settled_with(partition: u32, outcome: Outcome) -> Arc<Self> {
        let completion = Self::new(partition);
        completion.add_records(1);
        completion.settle(outcome);
        completion
    }

    /// The partition.
    pub(super) fn partition(&self) -> u32 {
        self.partition
    }

    /// Records in the batch so far.
    fn records(&self) -> u32 {
        self.records.load(Ordering::Relaxed)
    }

    /// Counts records in.
    pub(super) fn add_records(&self, count: u32) {
        self.unclaimed.fetch_add(count, Ordering::Relaxed);
        self.records.fetch_add(count, Ordering::Relaxed);
    }

    /// Whether every record's ticket has told its outcome.
    pub(super) fn is_claimed(&self) -> bool {
        self.unclaimed.load(Ordering::Relaxed) == 0
    }

    /// The error, if some of it failed.
    pub(super) fn error(&self) -> Option<Error> {
        self.outcome.get().and_then(|outcome| outcome.rest.as_ref().err().cloned())
    }

    /// Records that have that error.
    pub(super) fn failed_records(&self) -> u32 {
        let runs = self.outcome.get().map(|outcome| outcome.runs(self.records()));
        let failed = runs.into_iter().flatten().filter(|(_, _, reply)| reply.is_err());
        failed.map(|(_, count, _)| count).sum()
    }

    /// The outcome of record `index` of a settled batch, and for how many of `most` records from
    /// there on it holds; they count as told, if they were not `told` before.
    pub(super) fn claim(
        &self,
        index: u32,
        most: u32,
        told: bool,
    ) -> Option<(Result<Receipt, Error>, u32)> {
        let outcome = self.outcome.get()?;
        let (reply, place) = outcome.at(index);
        let receipt = reply.map(|reply| Receipt::of(self.partition, reply, place));
        let count = outcome.alike(index).min(most);
        if !told {
            self.unclaimed.fetch_sub(count, Ordering::Relaxed);
        }
        Some((receipt.map_err(Error::clone), count))
    }

    /// Sets the outcome. What comes after the first changes nothing.
    pub(super) fn settle(&self, outcome: Outcome) {
        // A second outcome cannot come: a batch has one reply, or was never sent.
        let _ = self.outcome.set(outcome);
    }

    /// Wakes everyone who waits for the outcome. Call it without a lock held.
    pub(super) fn wake(&self) {
        let wakers = {
            let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *wakers)
        };
        for waker in wakers {
            waker.wake();
        }
    }

    /// Waits until it is settled.
    pub(super) async fn settled(&self) {
        let mut slot = None;
        std::future::poll_fn(|cx| self.register(&mut slot, cx)).await;
    }

    /// Ready once it is settled; until then the task of `cx` is woken when it is.
    fn register(&self, slot: &mut Option<usize>, cx: &mut Context<'_>) -> Poll<()> {
        if self.outcome.get().is_some() {
            return Poll::Ready(());
        }
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        // The outcome is set before the wakers are taken: seen here, or woken there.
        if self.outcome.get().is_some() {
            return Poll::Ready(());
        }
        match slot.and_then(|slot| wakers.get_mut(slot)) {
            Some(waker) => waker.clone_from(cx.waker()),
            None => {
                *slot = Some(wakers.len());
                wakers.push(cx.waker().clone());
            }
        }
        Poll::Pending
    }
}

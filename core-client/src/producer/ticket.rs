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

use crate::error::Error;

/// What the server answered for one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The record's partition.
    pub partition: u32,
    /// Its offset there.
    pub offset: u64,
    /// When it was appended, in microseconds since the Unix epoch.
    pub append_time_us: i64,
    /// The promise that holds, at least the one asked for.
    pub acks: Acks,
    /// It was there already; the offset is its first one.
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
        Some(match outcome {
            Ok(reply) => Ok(Receipt::of(self.completion.partition, reply, self.index)),
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

/// The outcome of one batch, shared by its tickets.
#[derive(Debug)]
pub(super) struct Completion {
    partition: u32,
    outcome: OnceLock<Result<AppendReply, Error>>,
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
    pub(super) fn settled_with(
        partition: u32,
        outcome: Result<AppendReply, Error>,
    ) -> Arc<Self> {
        let completion = Self::new(partition);
        completion.add_record();
        completion.settle(outcome);
        completion
    }

    /// The partition.
    pub(super) fn partition(&self) -> u32 {
        self.partition
    }

    /// Records in the batch so far.
    pub(super) fn records(&self) -> u32 {
        self.records.load(Ordering::Relaxed)
    }

    /// Counts a record in.
    pub(super) fn add_record(&self) {
        self.unclaimed.fetch_add(1, Ordering::Relaxed);
        self.records.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether every record's ticket has told its outcome.
    pub(super) fn is_claimed(&self) -> bool {
        self.unclaimed.load(Ordering::Relaxed) == 0
    }

    /// The error, if it failed.
    pub(super) fn error(&self) -> Option<Error> {
        self.outcome.get().and_then(|outcome| outcome.as_ref().err().cloned())
    }

    /// Sets the outcome. What comes after the first changes nothing.
    pub(super) fn settle(&self, outcome: Result<AppendReply, Error>) {
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

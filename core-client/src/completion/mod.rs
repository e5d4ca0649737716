//! Outcomes in a queue: for programs that cannot await each ticket, as those behind a binding.
//!
//! Owns the entries that were settled and not yet drained, and the wake-up; numbering records and
//! deciding outcomes is the producer's. The one invariant: after the queue was found empty, the
//! next entry calls the wake-up exactly once, outside of every lock.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::error::Error;
use crate::producer::ticket::Receipt;
use crate::runtime::fork::Origin;

/// Entries that may wait to be drained before producers take no more records.
const MAX_WAITING: usize = 65_536;

/// A function that a queue calls when it is no longer empty.
pub(crate) struct Wake {
    call: Box<dyn Fn() + Send + Sync>,
}

impl Wake {
    pub(crate) fn new(call: impl Fn() + Send + Sync + 'static) -> Self {
        Self { call: Box::new(call) }
    }

    /// Calls it. It runs on the task that moves the connection's bytes, which must outlive it.
    pub(crate) fn call(&self) {
        if catch_unwind(AssertUnwindSafe(|| (self.call)())).is_err() {
            tracing::error!("a wake-up callback panicked");
        }
    }
}

impl fmt::Debug for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wake")
    }
}

/// The outcome of a run of records: those with the tickets `first_ticket` to
/// `first_ticket + count - 1`, which lie at consecutive offsets of one partition.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settled {
    /// The number under which the producer was given the queue.
    pub producer: u64,
    /// Number of the first ticket.
    pub first_ticket: u64,
    /// How many tickets, at least 1.
    pub count: u32,
    /// The partition that they went to.
    pub partition: u32,
    /// The receipt of the first record, or the error of all.
    pub outcome: Result<Receipt, Error>,
}

impl Settled {
    /// The outcome of one ticket; `None` if it is not of this run.
    pub fn receipt(&self, ticket: u64) -> Option<Result<Receipt, Error>> {
        let index = ticket.checked_sub(self.first_ticket)?;
        if index >= u64::from(self.count) {
            return None;
        }
        Some(
            self.outcome
                .clone()
                .map(|first| Receipt { offset: first.offset.saturating_add(index), ..first }),
        )
    }
}

/// A queue into which producers settle their tickets, for
/// [`ProducerBuilder::completions`](crate::ProducerBuilder::completions). Cheap to clone; clones
/// are the same queue.
///
/// One entry settles a run of tickets, in most cases a whole batch. Entries come in the order in
/// which they were settled. When the queue goes from empty to not empty it calls its wake-up once;
/// it does not call it again until [`drain`](Self::drain) has found it empty. So whoever is woken
/// drains until less comes than was asked for, and then sleeps.
///
/// It is bounded: with 65,536 entries waiting, its producers take no more records (`QUEUE_FULL`)
/// until some are drained.
#[derive(Clone, Debug)]
pub struct CompletionQueue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    wake: Wake,
    origin: Origin,
    /// Wakes producers that wait for room.
    space: Notify,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Settled>,
    /// The wake-up is to be called, once the locks are released.
    due: bool,
    /// It was called, or is due, since the queue was found empty.
    woken: bool,
}

impl CompletionQueue {
    /// A queue that calls `wake` when it is no longer empty: on any thread, and while it runs
    /// nothing else moves on the connection, so it should only signal: write to an eventfd, call a
    /// thread-safe function of Node, schedule on an event loop. A panic in it is logged and goes
    /// no further.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        let shared = Shared {
            state: Mutex::default(),
            wake: Wake::new(wake),
            origin: Origin::here(),
            space: Notify::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up to `max` entries out, the oldest first. If it gives `max` of them there may be
    /// more, of which no wake-up will tell: call it again.
    ///
    /// # Errors
    /// `FORKED` in a process other than the one that made the queue.
    pub fn drain(&self, max: usize) -> Result<Vec<Settled>, Error> {
        let mut out = Vec::new();
        self.drain_into(&mut out, max)?;
        Ok(out)
    }

    /// As [`drain`](Self::drain), appending to a vector that is kept; how many.
    ///
    /// # Errors
    /// Those of [`drain`](Self::drain).
    pub fn drain_into(&self, out: &mut Vec<Settled>, max: usize) -> Result<usize, Error> {
        self.shared.origin.check("completion queue")?;
        let mut state = self.lock();
        let was_full = state.entries.len() >= MAX_WAITING;
        let count = state.entries.len().min(max);
        out.extend(state.entries.drain(..count));
        if count < max {
            state.woken = false;
            state.due = false;
        }
        let has_room = state.entries.len() < MAX_WAITING;
        drop(state);
        if was_full && has_room {
            self.shared.space.notify_waiters();
        }
        Ok(count)
    }

    /// How many entries wait; 0 after a fork.
    pub fn len(&self) -> usize {
        if self.shared.origin.is_here() { self.lock().entries.len() } else { 0 }
    }

    /// Whether none waits. It does not count as finding the queue empty: the wake-up is not called
    /// again because of it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an entry. Whoever does so calls [`Self::notify`] after releasing its own locks.
    pub(crate) fn push(&self, entry: Settled) {
        let mut state = self.lock();
        state.entries.push_back(entry);
        if !state.woken {
            state.woken = true;
            state.due = true;
        }
    }

    /// Calls the wake-up if it is due.
    pub(crate) fn notify(&self) {
        if std::mem::take(&mut self.lock().due) {
            self.shared.wake.call();
        }
    }

    /// Whether producers may take records.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().entries.len() < MAX_WAITING
    }

    /// Tells when there is room again.
    pub(crate) fn space(&self) -> &Notify {
        &self.shared.space
    }
}

/// A run of consecutive tickets in one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub first_ticket: u64,
    /// The place of the first record in the batch.
    pub first_index: u32,
    pub count: u32,
}

/// Where a producer's outcomes go, and under which number.
#[derive(Clone, Debug)]
pub(crate) struct Attached {
    pub queue: CompletionQueue,
    pub producer: u64,
}

impl Attached {
    /// Settles the runs of a batch. `outcomes` are, in the order of the records and without a gap,
    /// the index of a first record, how many stand behind each other from there, and its receipt.
    pub(crate) fn settle(
        &self,
        partition: u32,
        runs: &[Run],
        outcomes: impl Iterator<Item = (u32, u32, Result<Receipt, Error>)>,
    ) {
        let mut runs = runs.iter().peekable();
        for (first_index, count, outcome) in outcomes {
            let end = first_index + count;
            while let Some(run) = runs.peek() {
                let run_end = run.first_index + run.count;
                let (from, to) = (run.first_index.max(first_index), run_end.min(end));
                if from < to {
                    let outcome = outcome.clone().map(|first| Receipt {
                        offset: first.offset.saturating_add(u64::from(from - first_index)),
                        ..first
                    });
                    self.queue.push(Settled {
                        producer: self.producer,
                        first_ticket: run.first_ticket + u64::from(from - run.first_index),
                        count: to - from,
                        partition,
                        outcome,
                    });
                }
                if run_end > end {
                    // It goes on in the next outcome.
                    break;
                }
                runs.next();
            }
        }
    }
}

/// Adds tickets that follow one another to the runs of a batch.
pub(crate) fn extend_runs(runs: &mut Vec<Run>, ticket: u64, index: u32, count: u32) {
    match runs.last_mut() {
        Some(run) if run.first_ticket + u64::from(run.count) == ticket => run.count += count,
        _ => runs.push(Run { first_ticket: ticket, first_index: index, count }),
    }
}

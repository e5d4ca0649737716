//! Producing: chunks of packed records in, outcomes by the run.
//!
//! Owns the handles. The one invariant: of a chunk that is taken only in part, exactly the first
//! records are taken, and the caller is told how many, and how many bytes they were.

use std::sync::Arc;

use tidewire::blocking::{self, Runtime};
use tidewire::foreign::{now_us, push_chunk};
use tidewire::{Error, Producer, QueueFull, Receipt, Tickets};

use crate::call::{limit, on, within};
use crate::client::NativeClient;
use crate::failure::{Failure, NativeError};
use crate::info::ProducerStats;
use crate::options::{self, Options};

/// A producer of the core's.
#[derive(Debug, uniffi::Object)]
pub struct NativeProducer {
    runtime: Runtime,
    /// It is told of forks, and dropped on the core's threads.
    producer: blocking::Producer,
}

/// What came of a push.
#[derive(Clone, uniffi::Record)]
pub struct Pushed {
    /// Records that were taken, from the first on.
    pub records: i32,
    /// Their bytes in the chunk.
    pub bytes: i32,
    /// Why the next one was not.
    pub failure: Option<Failure>,
    /// The outcomes of those that were taken, if they are wanted.
    pub tickets: Option<Arc<NativeTickets>>,
}

#[uniffi::export]
impl NativeClient {
    /// Opens a producer, under a name if one is given.
    pub async fn producer(
        &self,
        topic: String,
        name: Option<String>,
        options: Options,
    ) -> Result<Arc<NativeProducer>, NativeError> {
        let mut builder = self.inner()?.producer(&topic);
        if let Some(name) = name {
            builder = builder.name(name);
        }
        let builder = options::producer(&options, builder)?;
        let opening = async move { blocking::Producer::from_async(builder.build().await?) };
        let runtime = self.client.runtime().clone();
        let producer = on(&runtime, opening).await?;
        Ok(Arc::new(NativeProducer { runtime, producer }))
    }
}

impl NativeProducer {
    fn inner(&self) -> Result<&Producer, Error> {
        self.producer.as_async()
    }
}

#[uniffi::export]
impl NativeProducer {
    /// How many partitions the topic has.
    pub fn partitions(&self) -> Result<i32, NativeError> {
        Ok(self.inner()?.partitions().cast_signed())
    }

    /// Whether a record that finds no room is to be tried again once there is some; otherwise
    /// its refusal is the outcome.
    pub fn blocks(&self) -> Result<bool, NativeError> {
        Ok(self.inner()?.queue_full() == QueueFull::Block)
    }

    /// Takes the records of `chunk` in order, without waiting, and sends them at once if
    /// `expedite`.
    pub fn push(
        &self,
        chunk: &[u8],
        expedite: bool,
        wants_tickets: bool,
    ) -> Result<Pushed, NativeError> {
        let producer = self.inner()?;
        let mut tickets = Tickets::default();
        let (bytes, result) = push_chunk(chunk, now_us(), |records, partition| {
            let (taken, refused) = producer.enqueue_many(records, partition);
            let count = taken.len();
            tickets.append(taken);
            (count, refused)
        });
        if expedite {
            producer.expedite();
        }
        Ok(Pushed {
            records: tickets.len() as i32,
            bytes: bytes as i32,
            failure: result.err().map(|error| Failure::of(&error)),
            tickets: (wants_tickets && !tickets.is_empty()).then(|| {
                let runtime = self.runtime.clone();
                Arc::new(NativeTickets { runtime, tickets: Arc::new(tickets) })
            }),
        })
    }

    /// As [`push`](Self::push), for languages that cannot lend memory.
    pub fn push_copied(
        &self,
        chunk: Vec<u8>,
        expedite: bool,
        wants_tickets: bool,
    ) -> Result<Pushed, NativeError> {
        self.push(&chunk, expedite, wants_tickets)
    }

    /// Waits until the queue has room.
    pub async fn ready(&self, limit_ms: Option<i64>) -> Result<(), NativeError> {
        let (producer, limit) = (self.inner()?.clone(), limit("limit_ms", limit_ms)?);
        on(
            &self.runtime,
            within("waiting for room", limit, async move { producer.ready().await }),
        )
        .await
    }

    /// Sends all that is queued, and waits until it has its outcome.
    pub async fn flush(&self, limit_ms: Option<i64>) -> Result<(), NativeError> {
        let (producer, limit) = (self.inner()?.clone(), limit("limit_ms", limit_ms)?);
        on(&self.runtime, within("flush", limit, async move { producer.flush().await })).await
    }

    /// Takes no more records, flushes, and closes; after the limit, what is left fails.
    pub async fn close_within(&self, limit_ms: Option<i64>) -> Result<(), NativeError> {
        let (producer, limit) = (self.inner()?.clone(), limit("limit_ms", limit_ms)?);
        let closing = async move {
            match limit {
                Some(limit) => producer.close_within(limit).await,
                None => producer.close().await,
            }
        };
        on(&self.runtime, closing).await
    }

    /// What it did so far, and what waits.
    pub fn stats(&self) -> Result<ProducerStats, NativeError> {
        Ok(self.inner()?.stats().into())
    }
}

/// Records that were pushed together, until their outcome is known.
#[derive(Debug, uniffi::Object)]
pub struct NativeTickets {
    runtime: Runtime,
    tickets: Arc<Tickets>,
}

/// The outcomes of records that were pushed together, in order.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Outcomes {
    /// Runs of 32 bytes each, little-endian: the kind u32 (0 is a receipt, 1 a failure), how many
    /// records u32, the partition u32, the level of acknowledgement u8, whether it is a duplicate
    /// u8, u16 zero, the first record's offset u64 (or the number of the failure), the time of
    /// the append i64. The offsets of a run follow each other.
    pub runs: Vec<u8>,
    /// The failures, by their number.
    pub failures: Vec<Failure>,
}

#[uniffi::export]
impl NativeTickets {
    /// Waits until all have their outcome. After `TIMEOUT` it may be called again.
    pub async fn outcomes(&self, limit_ms: Option<i64>) -> Result<Outcomes, NativeError> {
        let (tickets, limit) = (Arc::clone(&self.tickets), limit("limit_ms", limit_ms)?);
        let waiting = async move { Ok::<_, Error>(tickets.outcomes().await) };
        let told = on(&self.runtime, within("waiting for acknowledgements", limit, waiting));
        Ok(Outcomes::of(told.await?))
    }
}

impl Outcomes {
    fn of(told: Vec<Result<Receipt, Error>>) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        let mut failures: Vec<Failure> = Vec::new();
        for outcome in told {
            let next = match outcome {
                Ok(receipt) => Run::of(&receipt),
                Err(error) => {
                    let failure = Failure::of(&error);
                    // Those of one batch have failed for one reason.
                    let known = failures.last().is_some_and(|last| last.text == failure.text);
                    if !known {
                        failures.push(failure);
                    }
                    Run::failed(failures.len() as u64 - 1)
                }
            };
            match runs.last_mut() {
                Some(last) if last.goes_on_with(&next) => last.count += 1,
                _ => runs.push(next),
            }
        }
        Self { runs: runs.iter().flat_map(Run::bytes).collect(), failures }
    }
}

/// Outcomes that follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Run {
    failed: bool,
    count: u32,
    partition: u32,
    acks: u8,
    duplicate: bool,
    offset: u64,
    append_time_us: i64,
}

impl Run {
    fn of(receipt: &Receipt) -> Self {
        Self {
            failed: false,
            count: 1,
            partition: receipt.partition,
            acks: u8::from(receipt.acks),
            duplicate: receipt.duplicate,
            offset: receipt.offset,
            append_time_us: receipt.append_time_us,
        }
    }

    fn failed(number: u64) -> Self {
        Self {
            failed: true,
            count: 1,
            partition: 0,
            acks: 0,
            duplicate: false,
            offset: number,
            append_time_us: 0,
        }
    }

    fn goes_on_with(&self, next: &Self) -> bool {
        let ahead = if self.failed { 0 } else { u64::from(self.count) };
        let offset = self.offset.wrapping_add(ahead);
        Self { count: next.count, offset, ..*self } == *next
    }

    fn bytes(&self) -> [u8; 32] {
        let mut out = [0; 32];
        out[0] = u8::from(self.failed);
        out[4..8].copy_from_slice(&self.count.to_le_bytes());
        out[8..12].copy_from_slice(&self.partition.to_le_bytes());
        out[12] = self.acks;
        out[13] = u8::from(self.duplicate);
        out[16..24].copy_from_slice(&self.offset.to_le_bytes());
        out[24..32].copy_from_slice(&self.append_time_us.to_le_bytes());
        out
    }
}

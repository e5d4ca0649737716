//! Consuming: batches in memory that is lent, taken when there are some.
//!
//! Owns the handle. The one invariant: what is delivered stays in the core, within its credit,
//! until the language takes it; a wait that is cancelled takes nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidewire::blocking::Runtime;
use tidewire::{ConsumerControl, Delivery, DeliveryQueue, Error, TopicName};
use tokio::sync::Notify;

use crate::batch::{Lending, Lent};
use crate::call::{limit, on, partitions, unsigned, unsigned32, within};
use crate::client::NativeClient;
use crate::failure::NativeError;
use crate::info::{ConsumerStats, Position, TopicPartition, all};
use crate::options::{self, Options};

/// A consumer of the core's.
#[derive(Debug, uniffi::Object)]
pub struct NativeConsumer {
    runtime: Runtime,
    deliveries: DeliveryQueue,
    control: ConsumerControl,
    /// Told when there is something after there was nothing.
    bell: Arc<Notify>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lending: Option<Lending>,
    /// Topics by the number that their batches carry.
    topics: Vec<TopicName>,
}

/// What a look for the next batch found.
#[derive(Clone, Copy, Debug, uniffi::Record)]
pub struct Taken {
    /// The next batch, valid until the next one is taken; if none, none is there now.
    pub batch: Option<Lent>,
    /// No more will come.
    pub closed: bool,
}

#[uniffi::export]
impl NativeClient {
    /// Subscribes, or joins the group.
    pub async fn consumer(
        &self,
        topics: Vec<String>,
        group: Option<String>,
        name: Option<String>,
        only: Option<Vec<i32>>,
        start_at: HashMap<i32, i64>,
        options: Options,
    ) -> Result<Arc<NativeConsumer>, NativeError> {
        let first = topics.first().map_or("", String::as_str);
        let mut builder = self.inner()?.consumer(first);
        for topic in topics.iter().skip(1) {
            builder = builder.topic(topic);
        }
        if let Some(group) = group {
            builder = builder.group(&group);
        }
        if let Some(name) = name {
            builder = builder.name(&name);
        }
        if let Some(only) = partitions(only)? {
            builder = builder.partitions(only);
        }
        for (partition, offset) in start_at {
            let partition = unsigned32("partition", partition)?;
            builder = builder.start_at(partition, unsigned("offset", offset)?);
        }
        let builder = options::consumer(&options, builder)?;
        let bell = Arc::new(Notify::new());
        let ring = Arc::clone(&bell);
        let opening = async move {
            let consumer = builder.build().await?;
            let deliveries = DeliveryQueue::new(consumer, None, move || ring.notify_one())?;
            let control = deliveries.control()?;
            Ok::<_, Error>((deliveries, control))
        };
        let runtime = self.client.runtime().clone();
        let (deliveries, control) = on(&runtime, opening).await?;
        let state = Mutex::default();
        Ok(Arc::new(NativeConsumer { runtime, deliveries, control, bell, state }))
    }
}

impl NativeConsumer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run<F>(&self, call: impl FnOnce(ConsumerControl) -> F) -> Result<(), NativeError>
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        on(&self.runtime, call(self.control.clone())).await
    }
}

#[uniffi::export]
impl NativeConsumer {
    /// Takes the next batch, if there is one, and gives back the memory of the last one; what it
    /// held counts as done by that.
    pub fn take(&self) -> Result<Taken, NativeError> {
        let mut state = self.state();
        state.lending = None;
        loop {
            // Asked before looking: an end that has been told of leaves nothing to find.
            let closed = self.deliveries.is_closed();
            let batch = match self.deliveries.try_next()? {
                None => return Ok(Taken { batch: None, closed }),
                Some(Delivery::Batch(batch)) => batch,
                Some(Delivery::Error(error)) => return Err(error.into()),
                Some(Delivery::Closed) => return Ok(Taken { batch: None, closed: true }),
                Some(_) => continue,
            };
            let topics = &mut state.topics;
            let topic = topics.iter().position(|known| known == batch.topic());
            let topic = topic.unwrap_or_else(|| {
                topics.push(batch.topic().clone());
                topics.len() - 1
            });
            let lending = state.lending.insert(Lending::new(&batch, topic as u32));
            return Ok(Taken { batch: Some(lending.lent()), closed: false });
        }
    }

    /// The topic, `stream/topic`, of batches that carry this number.
    pub fn topic(&self, number: i32) -> Option<String> {
        let number = usize::try_from(number).ok()?;
        self.state().topics.get(number).map(ToString::to_string)
    }

    /// Waits until something may have come since [`take`](Self::take) found nothing. False when
    /// the time is over. One at a time waits.
    pub async fn ready(&self, limit_ms: Option<i64>) -> Result<bool, NativeError> {
        let (bell, limit) = (Arc::clone(&self.bell), limit("limit_ms", limit_ms)?);
        let waiting = async move {
            Ok::<_, Error>(match limit {
                Some(limit) => tokio::time::timeout(limit, bell.notified()).await.is_ok(),
                None => {
                    bell.notified().await;
                    true
                }
            })
        };
        on(&self.runtime, waiting).await
    }

    /// Goes on reading a partition at another place.
    pub fn seek(&self, partition: i32, to: String) -> Result<(), NativeError> {
        let to = options::start(&to)?;
        Ok(self.deliveries.seek(unsigned32("partition", partition)?, to)?)
    }

    /// Returns nothing of a partition until it is resumed.
    pub fn pause(&self, partition: i32) -> Result<(), NativeError> {
        Ok(self.deliveries.pause(unsigned32("partition", partition)?)?)
    }

    /// Ends a pause.
    pub fn resume(&self, partition: i32) -> Result<(), NativeError> {
        Ok(self.deliveries.resume(unsigned32("partition", partition)?)?)
    }

    /// Reads a further partition.
    pub fn add_partition(&self, partition: i32, start: String) -> Result<(), NativeError> {
        let start = options::start(&start)?;
        Ok(self.deliveries.add_partition(unsigned32("partition", partition)?, start)?)
    }

    /// Stops reading a partition; whether it was read.
    pub fn remove_partition(&self, partition: i32) -> Result<bool, NativeError> {
        let partition = unsigned32("partition", partition)?;
        Ok(self.deliveries.remove_partition(partition)?.is_some())
    }

    /// Where it stands in what it reads.
    pub fn positions(&self) -> Vec<Position> {
        all(self.control.positions())
    }

    /// What it reads at the moment.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        all(self.control.assignment())
    }

    /// Records known to follow what was returned.
    pub fn lag(&self) -> i64 {
        self.control.lag().cast_signed()
    }

    /// What it did so far, and what it holds.
    pub fn stats(&self) -> ConsumerStats {
        self.control.stats().into()
    }

    /// Whether nothing will come any more, unless it is moved.
    pub fn is_closed(&self) -> bool {
        self.deliveries.is_closed()
    }

    /// Stores how far what was taken reaches.
    pub async fn commit(&self) -> Result<(), NativeError> {
        self.run(|control| async move { control.commit().await }).await
    }

    /// As [`commit`](Self::commit), but of the batch that was taken last only up to an offset: for
    /// who returns its records one by one.
    pub async fn commit_until(
        &self,
        topic: String,
        partition: i32,
        offset: i64,
    ) -> Result<(), NativeError> {
        let partition = unsigned32("partition", partition)?;
        let offset = unsigned("offset", offset)?;
        self.run(move |control| async move {
            control.commit_until((topic.as_str(), partition), offset).await
        })
        .await
    }

    /// Stores the offset of the next record to read.
    pub async fn commit_offset(
        &self,
        topic: String,
        partition: i32,
        offset: i64,
    ) -> Result<(), NativeError> {
        let partition = unsigned32("partition", partition)?;
        let offset = unsigned("offset", offset)?;
        self.run(move |control| async move {
            control.commit_offset((topic.as_str(), partition), offset).await
        })
        .await
    }

    /// Ends it: it unsubscribes, and a member stores what it is to, and leaves its group. Waits
    /// until the server has answered, or for the limit.
    pub async fn close_within(&self, limit_ms: Option<i64>) -> Result<(), NativeError> {
        let limit: Option<Duration> = limit("limit_ms", limit_ms)?;
        self.deliveries.close()?;
        // Who waits for a batch looks again, and finds the end.
        self.bell.notify_one();
        self.run(move |control| {
            within("closing the consumer", limit, async move {
                control.closed().await;
                Ok(())
            })
        })
        .await
    }
}

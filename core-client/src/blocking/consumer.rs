//! Consuming from threads that may block.
//!
//! Owns the waiting and who waits: one thread at a time takes batches, others may ask, move and
//! close meanwhile. The one invariant: a call that ends without a batch, for whatever reason, has
//! taken none.

use std::time::Duration;

use tokio::sync::Mutex;

use super::{Client, control, options};
use crate::consumer;
use crate::delivery::DeliveryQueue;
use crate::error::Error;
use crate::runtime::Bound;
use crate::{
    AutoCommit, Batch, ConsumerControl, ConsumerStats, Events, OnOutOfRange, OwnedRecord,
    PartitionRef, Position, Start, TopicPartition,
};

/// Options of a [`Consumer`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build()"]
pub struct ConsumerBuilder {
    client: Client,
    inner: consumer::ConsumerBuilder,
}

impl ConsumerBuilder {
    pub(super) fn new(client: &Client, topic: &str) -> Self {
        Self { client: client.clone(), inner: client.bound().unchecked().consumer(topic) }
    }

    options!(ConsumerBuilder:
        topic(&str),
        group(&str),
        name(&str),
        start(Start),
        partitions(impl IntoIterator<Item = u32>),
        prefetch_bytes(u32),
        on_out_of_range(OnOutOfRange),
        member_name(&str),
        session_timeout_ms(u32),
        rebalance_timeout_ms(u32),
        auto_commit(AutoCommit),
        auto_commit_interval_ms(u32),
    );

    /// See [`ConsumerBuilder::start_at`](crate::ConsumerBuilder::start_at).
    pub fn start_at(mut self, partition: u32, offset: u64) -> Self {
        self.inner = self.inner.start_at(partition, offset);
        self
    }

    /// See [`ConsumerBuilder::option`](crate::ConsumerBuilder::option).
    ///
    /// # Errors
    /// `INVALID_OPTION`.
    pub fn option(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.inner = self.inner.option(name, value)?;
        Ok(self)
    }

    /// The asynchronous builder with these options, for [`Runtime::spawn`](super::Runtime::spawn).
    pub fn into_async(self) -> consumer::ConsumerBuilder {
        self.inner
    }

    /// Subscribes, or joins the group, for a program that is woken instead of waiting; see [`DeliveryQueue::new`].
    ///
    /// # Errors
    /// Those of [`ConsumerBuilder::build`](crate::ConsumerBuilder::build).
    pub fn deliveries(
        self,
        events: Option<Events>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<DeliveryQueue, Error> {
        let runtime = self.client.runtime().clone();
        let consumer = runtime.wait("subscribing", None, self.inner.build())??;
        Ok(DeliveryQueue::on(runtime, consumer, events, wake))
    }

    /// Subscribes, or joins the group.
    ///
    /// # Errors
    /// Those of [`ConsumerBuilder::build`](crate::ConsumerBuilder::build).
    pub fn build(self) -> Result<Consumer, Error> {
        let runtime = self.client.runtime().clone();
        let consumer = runtime.wait("subscribing", None, self.inner.build())??;
        Ok(Consumer { bound: Bound::new(runtime, Shared::new(consumer)) })
    }
}

/// Receives a topic's records, on any thread. What [`crate::Consumer`] says holds here, too.
#[derive(Debug)]
pub struct Consumer {
    bound: Bound<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Who takes batches holds it while it waits; none once it was closed.
    consumer: Mutex<Option<consumer::Consumer>>,
    control: ConsumerControl,
}

impl Shared {
    fn new(consumer: consumer::Consumer) -> Self {
        let control = consumer.control();
        Self { consumer: Mutex::new(Some(consumer)), control }
    }
}

impl Shared {
    async fn next_batch(&self) -> Result<Option<Batch>, Error> {
        match &mut *self.consumer.lock().await {
            Some(consumer) => consumer.next_batch().await,
            None => Ok(None),
        }
    }

    async fn next_record(&self) -> Result<Option<OwnedRecord>, Error> {
        match &mut *self.consumer.lock().await {
            Some(consumer) => consumer.next_record().await,
            None => Ok(None),
        }
    }
}

impl Consumer {
    fn shared(&self) -> Result<&Shared, Error> {
        self.bound.value("consumer")
    }

    fn controlled(&self) -> Result<&ConsumerControl, Error> {
        Ok(&self.shared()?.control)
    }

    /// Waits for the next batch; `None` once the consumer or its client was closed.
    ///
    /// # Errors
    /// Those of [`crate::Consumer::next_batch`].
    pub fn next_batch(&self) -> Result<Option<Batch>, Error> {
        let shared = self.shared()?;
        let next = shared.next_batch();
        self.bound.runtime().wait("waiting for a batch", None, next)?
    }

    /// Waits for the next batch for at most `limit`; `None` if none came, or if there will be
    /// none ([`is_closed`](Self::is_closed)). With a limit of zero it gives what is there.
    ///
    /// # Errors
    /// Those of [`crate::Consumer::next_batch`].
    pub fn poll(&self, limit: Option<Duration>) -> Result<Option<Batch>, Error> {
        let shared = self.shared()?;
        let next = shared.next_batch();
        let batch = self.bound.runtime().try_wait("waiting for a batch", limit, next)?;
        batch.unwrap_or(Ok(None))
    }

    /// Waits for the next record; `None` once the consumer or its client was closed. Batches are
    /// faster.
    ///
    /// # Errors
    /// Those of [`crate::Consumer::next_batch`].
    pub fn next_record(&self) -> Result<Option<OwnedRecord>, Error> {
        let shared = self.shared()?;
        let next = shared.next_record();
        self.bound.runtime().wait("waiting for a record", None, next)?
    }

    /// As [`poll`](Self::poll), for a record.
    ///
    /// # Errors
    /// Those of [`crate::Consumer::next_batch`].
    pub fn poll_record(&self, limit: Option<Duration>) -> Result<Option<OwnedRecord>, Error> {
        let shared = self.shared()?;
        let next = shared.next_record();
        let record = self.bound.runtime().try_wait("waiting for a record", limit, next)?;
        record.unwrap_or(Ok(None))
    }

    /// Batches as they come, until the consumer is closed. After an error the next one is asked
    /// for, unless no partition is left.
    pub fn batches(&self) -> Batches<'_> {
        Batches { consumer: self, over: false }
    }

    /// Records as they come, as [`batches`](Self::batches).
    pub fn records(&self) -> Records<'_> {
        Records { consumer: self, over: false }
    }

    /// Ends all waiting, now and for ever, and waits until the server knows: it unsubscribes, or
    /// leaves its group; see [`crate::Consumer::close`]. Any thread may call it while another
    /// waits.
    ///
    /// # Errors
    /// `TIMEOUT` after `limit`; it is closed all the same.
    pub fn close(&self, limit: Option<Duration>) -> Result<(), Error> {
        let shared = self.shared()?;
        let closing = async {
            // Who waits for a batch then lets go.
            shared.control.close();
            if let Some(consumer) = shared.consumer.lock().await.take() {
                consumer.close().await;
            }
        };
        self.bound.runtime().wait("closing the consumer", limit, closing)
    }
}

control!(Consumer);

/// Batches as they come; see [`Consumer::batches`].
#[derive(Debug)]
pub struct Batches<'a> {
    consumer: &'a Consumer,
    over: bool,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        next(self.consumer, &mut self.over, Consumer::next_batch)
    }
}

/// Records as they come; see [`Consumer::records`].
#[derive(Debug)]
pub struct Records<'a> {
    consumer: &'a Consumer,
    over: bool,
}

impl Iterator for Records<'_> {
    type Item = Result<OwnedRecord, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        next(self.consumer, &mut self.over, Consumer::next_record)
    }
}

fn next<T>(
    consumer: &Consumer,
    over: &mut bool,
    next: impl FnOnce(&Consumer) -> Result<Option<T>, Error>,
) -> Option<Result<T, Error>> {
    if *over {
        return None;
    }
    let item = next(consumer);
    // A wait that cannot be is not to be tried for ever.
    let cannot = |error: &Error| {
        use crate::Code;
        matches!(error.code(), Code::WOULD_BLOCK | Code::INTERRUPTED | Code::FORKED)
    };
    *over = match &item {
        Ok(item) => item.is_none(),
        Err(error) => cannot(error) || consumer.is_closed(),
    };
    item.transpose()
}

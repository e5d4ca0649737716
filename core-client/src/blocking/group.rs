//! Consuming as a member of a group, from threads that may block.
//!
//! Owns the waiting, as [`consumer`](super::consumer) does. The one invariant: storing offsets
//! does not wait for who waits for batches.

use std::time::Duration;

use tokio::sync::Mutex;

use super::{Client, ConsumerBuilder, Runtime, options};
use crate::consumer::group;
use crate::error::Error;
use crate::runtime::Bound;
use crate::{
    AutoCommit, Batch, Events, GroupControl, GroupDeliveryQueue, Start, TopicPartition,
};

/// Options of a [`GroupConsumer`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build()"]
pub struct GroupConsumerBuilder {
    client: Client,
    inner: group::GroupConsumerBuilder,
}

impl ConsumerBuilder {
    /// Reads as a member of a group; see
    /// [`ConsumerBuilder::group`](crate::ConsumerBuilder::group).
    pub fn group(self, group: &str) -> GroupConsumerBuilder {
        let (client, inner) = self.into_parts();
        GroupConsumerBuilder { client, inner: inner.group(group) }
    }
}

impl GroupConsumerBuilder {
    options!(GroupConsumerBuilder:
        topic(&str),
        start(Start),
        prefetch_bytes(u32),
        member_name(&str),
        session_timeout_ms(u32),
        rebalance_timeout_ms(u32),
        auto_commit(AutoCommit),
        auto_commit_interval_ms(u32),
    );

    /// The asynchronous builder with these options, for [`Runtime::spawn`].
    pub fn into_async(self) -> group::GroupConsumerBuilder {
        self.inner
    }

    /// Joins the group, for a program that is woken instead of waiting; see
    /// [`GroupDeliveryQueue`].
    ///
    /// # Errors
    /// Those of [`GroupConsumerBuilder::build`](crate::GroupConsumerBuilder::build).
    pub fn deliveries(
        self,
        events: Option<Events>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<GroupDeliveryQueue, Error> {
        let runtime = self.client.runtime().clone();
        let consumer = runtime.wait("joining a group", None, self.inner.build())??;
        Ok(GroupDeliveryQueue::on(runtime, consumer, events, wake))
    }

    /// Joins the group.
    ///
    /// # Errors
    /// Those of [`GroupConsumerBuilder::build`](crate::GroupConsumerBuilder::build).
    pub fn build(self) -> Result<GroupConsumer, Error> {
        let runtime = self.client.runtime().clone();
        let consumer = runtime.wait("joining a group", None, self.inner.build())??;
        Ok(GroupConsumer::on(runtime, consumer))
    }
}

/// A member of a group, on any thread. What [`crate::GroupConsumer`] says holds here, too: a
/// batch counts as done when the next one is asked for.
#[derive(Debug)]
pub struct GroupConsumer {
    bound: Bound<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Who takes batches holds it while it waits; none once it was closed.
    consumer: Mutex<Option<group::GroupConsumer>>,
    control: GroupControl,
}

impl GroupConsumer {
    fn on(runtime: Runtime, consumer: group::GroupConsumer) -> Self {
        let control = consumer.control();
        let shared = Shared { consumer: Mutex::new(Some(consumer)), control };
        Self { bound: Bound::new(runtime, shared) }
    }

    fn shared(&self) -> Result<&Shared, Error> {
        self.bound.value("consumer")
    }

    /// Waits for the next batch; `None` once the consumer or its client was closed.
    ///
    /// # Errors
    /// Those of [`crate::GroupConsumer::next_batch`].
    pub fn next_batch(&self) -> Result<Option<Batch>, Error> {
        self.poll(None)
    }

    /// Waits for the next batch for at most `limit`; `None` if none came, or if the consumer was
    /// closed. With a limit of zero it gives what is there.
    ///
    /// # Errors
    /// Those of [`crate::GroupConsumer::next_batch`].
    pub fn poll(&self, limit: Option<Duration>) -> Result<Option<Batch>, Error> {
        let shared = self.shared()?;
        let next = async {
            match &mut *shared.consumer.lock().await {
                Some(consumer) => consumer.next_batch().await,
                None => Ok(None),
            }
        };
        let batch = self.bound.runtime().try_wait("waiting for a batch", limit, next)?;
        batch.unwrap_or(Ok(None))
    }

    /// Stores how far the batches reach that were returned, and waits until it is on the server's
    /// disk.
    ///
    /// # Errors
    /// Those of [`crate::GroupConsumer::commit`].
    pub fn commit(&self) -> Result<(), Error> {
        let control = &self.shared()?.control;
        self.bound.runtime().wait("commit", None, control.commit())?
    }

    /// Stores that a batch was done, and all before it in its partition.
    ///
    /// # Errors
    /// Those of [`crate::GroupConsumer::commit`].
    pub fn commit_batch(&self, batch: &Batch) -> Result<(), Error> {
        let control = &self.shared()?.control;
        self.bound.runtime().wait("commit", None, control.commit_batch(batch))?
    }

    /// Stores the offset of the next record to read in a partition.
    ///
    /// # Errors
    /// Those of [`crate::GroupConsumer::commit`].
    pub fn commit_offset(&self, topic: &str, partition: u32, offset: u64) -> Result<(), Error> {
        let committing = self.shared()?.control.commit_offset(topic, partition, offset);
        self.bound.runtime().wait("commit", None, committing)?
    }

    /// What it reads at the moment, in order.
    ///
    /// # Errors
    /// `FORKED`.
    pub fn assignment(&self) -> Result<Vec<TopicPartition>, Error> {
        Ok(self.shared()?.control.assignment())
    }

    /// Number and epoch of the member.
    ///
    /// # Errors
    /// `FORKED`.
    pub fn member(&self) -> Result<(u64, u32), Error> {
        Ok(self.shared()?.control.member())
    }

    /// Records known to follow what was returned, over all partitions.
    ///
    /// # Errors
    /// `FORKED`.
    pub fn lag(&self) -> Result<u64, Error> {
        Ok(self.shared()?.control.lag())
    }

    /// Ends all waiting, now and for ever, leaves the group, and waits until it has left; see
    /// [`crate::GroupConsumer::close`].
    ///
    /// # Errors
    /// `TIMEOUT` after `limit`; it leaves all the same.
    pub fn close(&self, limit: Option<Duration>) -> Result<(), Error> {
        let shared = self.shared()?;
        let closing = async {
            // Who waits for a batch then lets go.
            shared.control.close();
            if let Some(consumer) = shared.consumer.lock().await.take() {
                consumer.close().await;
            }
        };
        self.bound.runtime().wait("leaving the group", limit, closing)
    }
}

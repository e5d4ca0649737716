//! What any task or thread may ask and tell a consumer while another waits in it.
//!
//! Owns nothing: it is a reference to the [`Ledger`], as the [`Consumer`](super::Consumer) has one.

use std::sync::Arc;

use super::batch::Batch;
use super::ledger::{Identity, Ledger};
use super::{ConsumerStats, PartitionRef, Position, Start, TopicPartition};
use crate::error::Error;

/// Asks, moves, stores and closes for a [`Consumer`](crate::Consumer) while another task waits in
/// it. Cheap to clone; it does not keep the consumer open. What its methods do, and their errors,
/// are those of the consumer's of the same name.
#[derive(Clone, Debug)]
pub struct ConsumerControl {
    ledger: Arc<Ledger>,
}

impl ConsumerControl {
    pub(super) fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger }
    }

    /// See [`Consumer::commit`](crate::Consumer::commit).
    ///
    /// # Errors
    /// Those of [`Consumer::commit`](crate::Consumer::commit).
    pub async fn commit(&self) -> Result<(), Error> {
        self.ledger.commit().await
    }

    /// As [`commit`](Self::commit), but of one partition only up to `offset`: for who takes
    /// records one by one out of a batch, of which the rest is still to be done.
    ///
    /// # Errors
    /// Those of [`Consumer::commit`](crate::Consumer::commit).
    pub async fn commit_until<'a>(
        &self,
        partition: impl Into<PartitionRef<'a>>,
        offset: u64,
    ) -> Result<(), Error> {
        self.ledger.commit_until(partition.into(), offset).await
    }

    /// See [`Consumer::commit_batch`](crate::Consumer::commit_batch).
    ///
    /// # Errors
    /// Those of [`Consumer::commit`](crate::Consumer::commit).
    pub async fn commit_batch(&self, batch: &Batch) -> Result<(), Error> {
        self.ledger.commit_batch(batch).await
    }

    /// See [`Consumer::commit_offset`](crate::Consumer::commit_offset).
    ///
    /// # Errors
    /// Those of [`Consumer::commit`](crate::Consumer::commit).
    pub async fn commit_offset<'a>(
        &self,
        partition: impl Into<PartitionRef<'a>>,
        offset: u64,
    ) -> Result<(), Error> {
        self.ledger.commit_offset(partition.into(), offset).await
    }

    /// See [`Consumer::seek`](crate::Consumer::seek).
    ///
    /// # Errors
    /// Those of [`Consumer::seek`](crate::Consumer::seek).
    pub fn seek<'a>(
        &self,
        partition: impl Into<PartitionRef<'a>>,
        start: Start,
    ) -> Result<(), Error> {
        self.ledger.seek(partition.into(), start)
    }

    /// See [`Consumer::pause`](crate::Consumer::pause).
    ///
    /// # Errors
    /// Those of [`Consumer::seek`](crate::Consumer::seek).
    pub fn pause<'a>(&self, partition: impl Into<PartitionRef<'a>>) -> Result<(), Error> {
        self.ledger.pause(partition.into())
    }

    /// Ends a [`pause`](Self::pause).
    ///
    /// # Errors
    /// Those of [`Consumer::seek`](crate::Consumer::seek).
    pub fn resume<'a>(&self, partition: impl Into<PartitionRef<'a>>) -> Result<(), Error> {
        self.ledger.resume(partition.into())
    }

    /// See [`Consumer::add_partition`](crate::Consumer::add_partition).
    ///
    /// # Errors
    /// Those of [`Consumer::add_partition`](crate::Consumer::add_partition).
    pub fn add_partition<'a>(
        &self,
        partition: impl Into<PartitionRef<'a>>,
        start: Start,
    ) -> Result<(), Error> {
        self.ledger.add(partition.into(), start)
    }

    /// See [`Consumer::remove_partition`](crate::Consumer::remove_partition).
    ///
    /// # Errors
    /// Those of [`Consumer::remove_partition`](crate::Consumer::remove_partition).
    pub fn remove_partition<'a>(
        &self,
        partition: impl Into<PartitionRef<'a>>,
    ) -> Result<Option<Position>, Error> {
        self.ledger.remove(partition.into())
    }

    /// What the consumer reads at the moment, in order.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.ledger.assignment()
    }

    /// Where it stands in what it reads, in order.
    pub fn positions(&self) -> Vec<Position> {
        self.ledger.positions()
    }

    /// Records known to follow what was returned, over all partitions that it reads.
    pub fn lag(&self) -> u64 {
        self.ledger.lag()
    }

    /// What it did so far, and what it holds.
    pub fn stats(&self) -> ConsumerStats {
        self.ledger.stats()
    }

    /// Number and epoch of the member; `None` outside of a group.
    pub fn member(&self) -> Option<(u64, u32)> {
        let is_member = matches!(self.ledger.settings.identity, Identity::Group(_));
        is_member.then(|| self.ledger.place())
    }

    /// Whether nothing will come any more: it was closed, its membership is over, or every
    /// partition has ended with an error that was told.
    pub fn is_closed(&self) -> bool {
        self.ledger.is_over()
    }

    /// Ends the consumer's waiting, now and for ever: `next_batch` returns `None`. It unsubscribes,
    /// and leaves its group; first it stores what
    /// [`Consumer::close`](crate::Consumer::close) would store. [`closed`](Self::closed) waits for
    /// all of that. It has to be called within the client's runtime.
    pub fn close(&self) {
        self.ledger.done_with_hand();
        self.ledger.close();
    }

    /// Waits until the consumer was closed and has stored what it stores by itself, and the server
    /// has answered that it unsubscribed and left its group. It is bounded by
    /// `request_timeout_ms`; without a connection there is nobody to wait for.
    pub async fn closed(&self) {
        self.ledger.left().await;
    }
}

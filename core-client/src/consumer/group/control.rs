//! What any task or thread may ask and tell a member of a group while another waits in it.
//!
//! Owns nothing: it is a reference to the [`Ledger`], as the [`GroupConsumer`] has one.

use std::sync::Arc;

use super::ledger::Ledger;
use super::{GroupConsumer, TopicPartition};
use crate::consumer::batch::Batch;
use crate::consumer::topic_name;
use crate::error::Error;

/// Asks, stores and closes for a [`GroupConsumer`] while another task waits in it. Cheap to clone;
/// it does not keep the member in its group.
#[derive(Clone, Debug)]
pub struct GroupControl {
    ledger: Arc<Ledger>,
}

impl GroupConsumer {
    /// What other tasks may ask and store while one waits for batches.
    pub fn control(&self) -> GroupControl {
        GroupControl { ledger: Arc::clone(&self.ledger) }
    }
}

impl GroupControl {
    /// See [`GroupConsumer::commit`].
    ///
    /// # Errors
    /// Those of [`GroupConsumer::commit`].
    pub async fn commit(&self) -> Result<(), Error> {
        let taken = self.ledger.taken();
        self.ledger.store(&taken).await
    }

    /// See [`GroupConsumer::commit_batch`].
    ///
    /// # Errors
    /// Those of [`GroupConsumer::commit`].
    pub async fn commit_batch(&self, batch: &Batch) -> Result<(), Error> {
        let topic = batch.topic();
        let key = (topic.stream().to_owned(), topic.topic().to_owned(), batch.partition());
        self.ledger.store(&[(key, batch.next_offset())]).await
    }

    /// See [`GroupConsumer::commit_offset`].
    ///
    /// # Errors
    /// Those of [`GroupConsumer::commit`].
    pub async fn commit_offset(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
    ) -> Result<(), Error> {
        let topic = topic_name(topic)?;
        let key = (topic.stream().to_owned(), topic.topic().to_owned(), partition);
        self.ledger.store(&[(key, offset)]).await
    }

    /// What the member reads at the moment, in order.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.ledger.assignment()
    }

    /// Number and epoch of the member.
    pub fn member(&self) -> (u64, u32) {
        self.ledger.place()
    }

    /// Records known to follow what was returned, over all partitions.
    pub fn lag(&self) -> u64 {
        self.ledger.lag()
    }

    /// Ends the waiting; the member's task stores, up to what was returned last, and leaves.
    pub fn close(&self) {
        self.ledger.done_with_hand();
        self.ledger.close();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.ledger.is_over()
    }
}

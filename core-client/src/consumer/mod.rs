//! Consuming: batches of partitions as they arrive; all of a topic's, or those that a group gives.
//!
//! Owns the handle that the application holds. Behind it, the [`ledger`] keeps what is read and
//! how far it was shown, with a [`core`] for each topic that holds its partitions and what was
//! delivered, and an [`engine`] that keeps them subscribed; [`store`] says what is stored on the
//! server and when, [`member`] keeps a membership, and [`batch`] is what the application sees.
//! The one invariant: a position moves only when a batch or record is returned, so that a future
//! dropped half-way loses nothing, and a lost connection neither.

pub(crate) mod batch;
pub(crate) mod builder;
pub(crate) mod control;
mod core;
mod engine;
mod ledger;
mod member;
pub(crate) mod place;
pub(crate) mod start;
mod store;

use std::sync::Arc;

use tokio::task::coop::consume_budget;

use self::batch::{Batch, OwnedRecord};
use self::control::ConsumerControl;
use self::ledger::{Found, Ledger, Shown};
use self::place::{ConsumerStats, PartitionRef, Position, TopicPartition};
use self::start::{AutoCommit, OnOutOfRange, Start};
use crate::error::{Code, Error};

/// Receives records: whole batches, partition by partition in turn.
///
/// It reads what it was told to; or, as a member of a
/// [group](ConsumerBuilder::group), the partitions that the group gives it; and with a group or a
/// [name](ConsumerBuilder::name) it stores on the server how far it is, and goes on there.
///
/// What is delivered ahead is bounded by `prefetch_bytes`; the server sends on as batches are
/// taken. When the connection is lost the consumer waits for the next one and goes on at the very
/// record that is due: none is returned twice, none is left out, and the application sees nothing
/// of it but the time that it takes ([`Client::events`](crate::Client::events) tells).
///
/// # In a group
///
/// Members divide the partitions of their topics; when one joins, leaves or is lost, only the
/// partitions that have to move do, and where one of them stops the next goes on behind the offset
/// that was stored. [`Client::events`](crate::Client::events) tells which partitions come and go.
/// When the connection is lost a member comes back to what it had, if it does so within its
/// session timeout. A partition that is asked back is given up once the batch in the application's
/// hands is done, which it is when the next batch or record is asked for.
///
/// # Stored offsets
///
/// [`commit`](Self::commit) stores how far the batches and records reach that were returned: so
/// call it once they are done, or let `auto_commit` do so ([`AutoCommit`] says what each way
/// promises). What is stored never moves back; to read again, [`seek`](Self::seek), or reset the
/// group ([`Client::reset_offsets`](crate::Client::reset_offsets)).
///
/// Dropping a consumer closes it without waiting, and without storing what was returned last.
#[derive(Debug)]
pub struct Consumer {
    ledger: Arc<Ledger>,
    /// A batch some of whose records were returned one by one, or none yet.
    current: Option<Shown>,
}

pub use self::builder::ConsumerBuilder;

impl Consumer {
    /// Waits for the next batch; `None` once the consumer or its client was closed. A member
    /// without partitions waits until it gets some.
    ///
    /// The future may be dropped at any time; no batch is lost.
    ///
    /// # Errors
    /// A partition has ended, such as with `TOPIC_NOT_FOUND` when the topic was deleted (a member
    /// of a group goes on with what else it has, and is told nothing), with
    /// `OFFSET_OUT_OF_RANGE` when it stands behind the end or, if `on_out_of_range` says so, when
    /// records were deleted that it had yet to read; or with `CORRUPT_DELIVERY`, naming the topic,
    /// partition and offset, as do `ENCRYPTION_KEY_MISSING`, `ENCRYPTION_KEY_WRONG` and
    /// `DECRYPTION_FAILED` for an encrypted batch that cannot be read. That partition gives nothing more unless [`Consumer::seek`] moves it;
    /// the others go on. When none is left, the last error is returned every time. A lost
    /// connection is not an error, unless no server can be used any more.
    ///
    /// In a group also `STALE_GENERATION` if another instance has taken the place of this one
    /// (`member_name`), which is the end. With [`AutoCommit::After`] and [`AutoCommit::Before`]
    /// what could not be stored, as [`Consumer::commit`] says; it is tried again with the next
    /// call.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>, Error> {
        self.begin();
        self.ledger.store_after().await?;
        loop {
            let shown = match self.current.take() {
                Some(shown) => shown,
                None => match self.fresh().await? {
                    Some(shown) => shown,
                    None => return Ok(None),
                },
            };
            if self.ledger.show(&shown, shown.batch.next_offset()) {
                return Ok(Some(shown.batch));
            }
        }
    }

    /// Waits for the next record; `None` once the consumer or its client was closed.
    ///
    /// Batches are faster; this is for programs that treat records one by one. The future may be
    /// dropped at any time; no record is lost.
    ///
    /// # Errors
    /// Those of [`Consumer::next_batch`].
    pub async fn next_record(&mut self) -> Result<Option<OwnedRecord>, Error> {
        self.begin();
        loop {
            if self.current.is_none() {
                self.ledger.store_after().await?;
                self.current = self.fresh().await?;
            }
            let Some(shown) = &mut self.current else {
                return Ok(None);
            };
            let record = OwnedRecord::new(shown.batch.clone(), 0);
            shown.batch.hide(1);
            let shows = self.ledger.show(shown, shown.batch.base_offset());
            if !shows || shown.batch.is_empty() {
                self.current = None;
            }
            if shows {
                return Ok(record);
            }
        }
    }

    /// What was returned before is done, now that more is asked for.
    fn begin(&mut self) {
        if self.ledger.is_void() {
            self.current = None;
        }
        // The rest of what was stored as a whole is still to be done.
        if !self.current.as_ref().is_some_and(|shown| shown.stored) {
            self.ledger.done_with_hand();
        }
    }

    /// Waits for a batch of which nothing was returned yet; stored, if that comes first.
    async fn fresh(&mut self) -> Result<Option<Shown>, Error> {
        if self.ledger.settings.auto_commit != AutoCommit::Before
            || self.ledger.group().is_none()
        {
            return self.wait().await;
        }
        loop {
            if let Some(shown) = self.ledger.store_pending().await? {
                return Ok(Some(shown));
            }
            match self.wait().await? {
                Some(shown) => self.ledger.keep_pending(shown),
                None => return Ok(None),
            }
        }
    }

    /// Waits for a batch with at least one record that is wanted.
    async fn wait(&mut self) -> Result<Option<Shown>, Error> {
        // With a full inbox nothing below waits; the runtime's other tasks need their turn.
        consume_budget().await;
        loop {
            let (core, taken) = match self.ledger.take() {
                Found::Taken(core, taken) => (core, taken),
                Found::Failed(error) if error.code() == Code::CLOSED => return Ok(None),
                Found::Failed(error) => return Err(error),
                Found::Closed => return Ok(None),
                Found::Nothing => {
                    self.ledger.arrived.notified().await;
                    continue;
                }
            };
            let (partition, version) = (taken.partition, taken.version);
            let topic = &core.topic;
            let _span = tracing::debug_span!("deliver", %topic, partition).entered();
            let batch = taken.bytes.and_then(|bytes| {
                let keys = &self.ledger.client.settings.keys;
                Batch::verify(keys, topic, partition, taken.wanted, taken.end_offset, bytes)
            });
            match batch {
                // A whole batch may lie before the record that is due.
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => {
                    return Ok(Some(Shown { core, partition, version, batch, stored: false }));
                }
                Err(error) if core.fail(partition, version, &error) => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Stores how far the batches and records reach that were returned, and waits until it is on
    /// the server's disk.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a consumer without a group or a name; `GROUP_NOT_EMPTY` if the name
    /// is that of a group with members. In a group, `NOT_ASSIGNED` if a partition was given to
    /// another member meanwhile: what was done since the last commit will be done again there;
    /// `UNKNOWN_MEMBER` if the group has given up this member, which joins again by itself;
    /// `STALE_GENERATION` as of [`Consumer::next_batch`]. `TOPIC_NOT_FOUND` if the topic was
    /// deleted; `OUTCOME_UNKNOWN` if the server could not write it.
    pub async fn commit(&self) -> Result<(), Error> {
        self.ledger.commit().await
    }

    /// Stores that a batch was done, and all before it in its partition.
    ///
    /// # Errors
    /// Those of [`Consumer::commit`].
    pub async fn commit_batch(&self, batch: &Batch) -> Result<(), Error> {
        self.ledger.commit_batch(batch).await
    }

    /// Stores the offset of the next record to read in a partition.
    ///
    /// # Errors
    /// Those of [`Consumer::commit`].
    pub async fn commit_offset<'a>(
        &self,
        partition: impl Into<PartitionRef<'a>>,
        offset: u64,
    ) -> Result<(), Error> {
        self.ledger.commit_offset(partition.into(), offset).await
    }

    /// Goes on reading a partition at another place. What was delivered of it and not yet
    /// returned is dropped. A partition that has ended with an error begins anew. In a group it
    /// holds for as long as the partition is this member's; what is stored does not move back.
    ///
    /// # Errors
    /// `PARTITION_NOT_FOUND` if the consumer does not read it; `INVALID_ARGUMENT` if it reads
    /// several topics and none is named. Whether the offset exists is found out by
    /// [`Consumer::next_batch`].
    pub fn seek<'a>(
        &mut self,
        partition: impl Into<PartitionRef<'a>>,
        start: Start,
    ) -> Result<(), Error> {
        self.ledger.seek(partition.into(), start)
    }

    /// Returns nothing of a partition until it is resumed; others go on. What is delivered of it
    /// meanwhile stays within `prefetch_bytes`. A batch of which records were returned already is
    /// finished first. In a group it ends when the partition is given to another.
    ///
    /// # Errors
    /// Those of [`Consumer::seek`].
    pub fn pause<'a>(&mut self, partition: impl Into<PartitionRef<'a>>) -> Result<(), Error> {
        self.ledger.pause(partition.into())
    }

    /// Ends a [`Consumer::pause`].
    ///
    /// # Errors
    /// Those of [`Consumer::seek`].
    pub fn resume<'a>(&mut self, partition: impl Into<PartitionRef<'a>>) -> Result<(), Error> {
        self.ledger.resume(partition.into())
    }

    /// Reads a further partition of a topic that it reads, from `start` on, also if something is
    /// stored; one that is read already goes on as it does. Whether it exists is found out by
    /// [`Consumer::next_batch`].
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` in a group, which decides for itself.
    pub fn add_partition<'a>(
        &mut self,
        partition: impl Into<PartitionRef<'a>>,
        start: Start,
    ) -> Result<(), Error> {
        self.ledger.add(partition.into(), start)
    }

    /// Stops reading a partition; what was delivered of it and not yet returned is dropped. Where
    /// it stood, if it was read and its place was known.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` in a group, which decides for itself.
    pub fn remove_partition<'a>(
        &mut self,
        partition: impl Into<PartitionRef<'a>>,
    ) -> Result<Option<Position>, Error> {
        self.ledger.remove(partition.into())
    }

    /// What it reads at the moment, in order.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.ledger.assignment()
    }

    /// Where it stands in what it reads, in order; partitions whose place is not known yet are
    /// left out.
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
        self.control().member()
    }

    /// What other tasks may ask and tell while one waits for batches.
    pub fn control(&self) -> ConsumerControl {
        ConsumerControl::new(Arc::clone(&self.ledger))
    }

    /// Closes it, and waits until the server knows: it unsubscribes, or leaves its group. With
    /// [`AutoCommit::Interval`] and [`AutoCommit::After`] what was done is stored first; what was
    /// returned last counts as done. A member with a name only goes away: its place is kept for
    /// its session timeout.
    pub async fn close(mut self) {
        self.begin();
        self.ledger.close();
        // It is bounded by the timeout of its requests.
        self.ledger.left().await;
    }

    /// Waits until there may be something again, after every partition had ended with an error.
    pub(crate) async fn revived(&self) {
        self.ledger.revived().await;
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.ledger.close();
    }
}

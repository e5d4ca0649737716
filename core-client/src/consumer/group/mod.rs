//! Consuming as a member of a group, or under a name: several consumers divide the partitions,
//! and what was done is stored on the server.
//!
//! Owns the handle and its options; the [`ledger`] keeps what is read and how far it was stored,
//! the [`task`] keeps the membership. The one invariant: an offset is stored only for records
//! that the application was shown, and of a partition that was released nothing is shown.

pub(crate) mod control;
mod ledger;
mod task;

use std::sync::Arc;
use std::time::Duration;

use tidewire_protocol::name::{TopicName, check_name};
use tidewire_protocol::options::consumer as defaults;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, coop::consume_budget};

use self::ledger::{Found, Ledger, Settings};
use super::batch::Batch;
use super::{Start, topic_name};
use crate::client::Client;
use crate::error::{Code, Error};

/// When a consumer of a group stores offsets by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AutoCommit {
    /// Never: the application calls [`GroupConsumer::commit`]. At least once, if it does so after
    /// its work.
    Off,
    /// Every `auto_commit_interval_ms`, and when a partition is given up or the consumer closes:
    /// up to the batch before the one that was returned last, since asking for the next one says
    /// that it is done. At least once: after a crash, what was done since is returned again.
    After,
    /// Before a batch is returned, on the disk. At most once: after a crash, what was returned
    /// last is not returned again, whether its work was done or not.
    Before,
}

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct TopicPartition {
    /// The topic, `stream/topic`.
    pub topic: String,
    /// The partition.
    pub partition: u32,
}

/// Options of a [`GroupConsumer`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build()"]
pub struct GroupConsumerBuilder {
    client: Client,
    group: String,
    topics: Vec<String>,
    start: Option<Start>,
    prefetch_bytes: Option<u32>,
    member_name: Option<String>,
    session_timeout_ms: Option<u32>,
    rebalance_timeout_ms: Option<u32>,
    auto_commit: AutoCommit,
    auto_commit_interval_ms: Option<u32>,
}

impl GroupConsumerBuilder {
    pub(crate) fn new(
        client: Client,
        group: &str,
        topic: &str,
        start: Option<Start>,
        prefetch_bytes: Option<u32>,
    ) -> Self {
        Self {
            client,
            group: group.to_owned(),
            topics: vec![topic.to_owned()],
            start,
            prefetch_bytes,
            member_name: None,
            session_timeout_ms: None,
            rebalance_timeout_ms: None,
            auto_commit: AutoCommit::Off,
            auto_commit_interval_ms: None,
        }
    }

    /// A further topic to read, `stream/topic`.
    pub fn topic(mut self, topic: &str) -> Self {
        self.topics.push(topic.to_owned());
        self
    }

    /// Where to begin in partitions for which nothing is stored; at their end if not set.
    pub fn start(mut self, start: Start) -> Self {
        self.start = Some(start);
        self
    }

    /// Bound of the batches that were delivered but not yet taken, in bytes; topics share it.
    pub fn prefetch_bytes(mut self, prefetch_bytes: u32) -> Self {
        self.prefetch_bytes = Some(prefetch_bytes);
        self
    }

    /// A name that keeps the member's place: a program that is restarted within the session
    /// timeout gets its partitions back, and nothing moves. Unique in the group: a second member
    /// with it takes the place of the first.
    pub fn member_name(mut self, name: &str) -> Self {
        self.member_name = Some(name.to_owned());
        self
    }

    /// How long the group waits for a member whose connection is lost, in milliseconds.
    pub fn session_timeout_ms(mut self, session_timeout_ms: u32) -> Self {
        self.session_timeout_ms = Some(session_timeout_ms);
        self
    }

    /// How long the group waits for a member to let go of a partition, in milliseconds: longer
    /// than the work on a batch takes.
    pub fn rebalance_timeout_ms(mut self, rebalance_timeout_ms: u32) -> Self {
        self.rebalance_timeout_ms = Some(rebalance_timeout_ms);
        self
    }

    /// When offsets are stored without being asked; never if not set.
    pub fn auto_commit(mut self, auto_commit: AutoCommit) -> Self {
        self.auto_commit = auto_commit;
        self
    }

    /// How often [`AutoCommit::After`] stores, in milliseconds.
    pub fn auto_commit_interval_ms(mut self, auto_commit_interval_ms: u32) -> Self {
        self.auto_commit_interval_ms = Some(auto_commit_interval_ms);
        self
    }

    /// Joins the group.
    ///
    /// # Errors
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`, `INVALID_NAME`, `INVALID_OPTION`, `GROUP_FULL`,
    /// `TOO_MANY_GROUPS`.
    pub async fn build(self) -> Result<GroupConsumer, Error> {
        check_name("group", &self.group)?;
        let topics =
            self.topics.iter().map(|topic| topic_name(topic)).collect::<Result<Vec<_>, _>>()?;
        let options = &self.client.settings;
        let number = |name, given, default| options.number::<u32>(name, given, default);
        let settings = Settings {
            group: self.group,
            member_name: options.text("member_name", self.member_name, defaults::MEMBER_NAME),
            session_timeout_ms: number(
                "session_timeout_ms",
                self.session_timeout_ms,
                defaults::SESSION_TIMEOUT_MS,
            )?,
            rebalance_timeout_ms: number(
                "rebalance_timeout_ms",
                self.rebalance_timeout_ms,
                defaults::REBALANCE_TIMEOUT_MS,
            )?,
            auto_commit: self.auto_commit,
            auto_commit_interval_ms: number(
                "auto_commit_interval_ms",
                self.auto_commit_interval_ms,
                defaults::AUTO_COMMIT_INTERVAL_MS,
            )?,
            prefetch_bytes: number(
                "prefetch_bytes",
                self.prefetch_bytes,
                defaults::PREFETCH_BYTES,
            )? / u32::try_from(topics.len()).unwrap_or(u32::MAX),
            start: options.start(self.start),
            topics,
        };
        if !settings.member_name.is_empty() {
            check_name("member", &settings.member_name)?;
        }
        let timeout_ms = self.client.link.request_timeout_ms();
        let ledger = Ledger::new(self.client, settings);
        let (joined, first) = oneshot::channel();
        let task = tokio::spawn(task::run(Arc::clone(&ledger), joined));
        // Ends the task if this future is dropped half-way.
        let consumer = GroupConsumer { ledger, task: Some(task) };
        let limit = Duration::from_millis(u64::from(timeout_ms));
        match tokio::time::timeout(limit, first).await {
            Ok(Ok(Ok(()))) => Ok(consumer),
            Ok(Ok(Err(error))) => Err(error),
            _ => Err(Error::new(
                Code::TIMEOUT,
                format!("the group could not be joined within {timeout_ms} ms"),
            )),
        }
    }
}

/// A member of a group: receives the records of the partitions that the group gives it.
///
/// Several of them divide the partitions of their topics; when one joins, leaves or is lost,
/// only the partitions that have to move do, and where one of them stops the next goes on behind
/// the offset that was stored. [`Client::events`](crate::Client::events) tells which partitions
/// come and go. When the connection is lost the member comes back to what it had, if it does so
/// within its session timeout.
///
/// A partition that is asked back is given up once the batch in the application's hands is done,
/// which it is when [`GroupConsumer::next_batch`] is called again.
#[derive(Debug)]
pub struct GroupConsumer {
    ledger: Arc<Ledger>,
    task: Option<JoinHandle<()>>,
}

impl GroupConsumer {
    /// Waits for the next batch; `None` once the consumer or its client was closed. A member
    /// without partitions waits until it gets some.
    ///
    /// The future may be dropped at any time; no batch is lost, but one with
    /// [`AutoCommit::Before`] that was being stored.
    ///
    /// # Errors
    /// `STALE_GENERATION` if another instance has taken the place of this one (`member_name`);
    /// `OFFSET_OUT_OF_RANGE` if the stored offset lies after the partition's end;
    /// `CORRUPT_DELIVERY`; with [`AutoCommit::Before`] those of [`GroupConsumer::commit`].
    pub async fn next_batch(&mut self) -> Result<Option<Batch>, Error> {
        self.ledger.done_with_hand();
        consume_budget().await;
        loop {
            match self.ledger.take() {
                Found::Batch(found) => {
                    let (batch, key, offset) = *found;
                    if self.ledger.settings.auto_commit == AutoCommit::Before {
                        match self.ledger.store(&[(key, offset)]).await {
                            Ok(()) => {}
                            // Another member will read it.
                            Err(error) if error.code() == Code::NOT_ASSIGNED => {
                                self.ledger.done_with_hand();
                                continue;
                            }
                            Err(error) => return Err(error),
                        }
                    }
                    return Ok(Some(batch));
                }
                Found::Failed(error) if error.code() == Code::CLOSED => return Ok(None),
                Found::Failed(error) => return Err(error),
                Found::Closed => return Ok(None),
                Found::Nothing => self.ledger.arrived.notified().await,
            }
        }
    }

    /// Stores how far the batches reach that were returned, and waits until it is on the server's
    /// disk.
    ///
    /// # Errors
    /// `NOT_ASSIGNED` if a partition was given to another member meanwhile: what was done since
    /// the last commit will be done again there. `UNKNOWN_MEMBER` if the group has given up this
    /// member; it joins again by itself. `STALE_GENERATION` as of
    /// [`GroupConsumer::next_batch`].
    pub async fn commit(&self) -> Result<(), Error> {
        let taken = self.ledger.taken();
        self.ledger.store(&taken).await
    }

    /// Stores that a batch was done, and all before it in its partition.
    ///
    /// # Errors
    /// Those of [`GroupConsumer::commit`].
    pub async fn commit_batch(&self, batch: &Batch) -> Result<(), Error> {
        let topic = batch.topic();
        let key = (topic.stream().to_owned(), topic.topic().to_owned(), batch.partition());
        self.ledger.store(&[(key, batch.next_offset())]).await
    }

    /// Stores the offset of the next record to read in a partition.
    ///
    /// # Errors
    /// Those of [`GroupConsumer::commit`].
    pub async fn commit_offset(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
    ) -> Result<(), Error> {
        let topic: TopicName = topic_name(topic)?;
        let key = (topic.stream().to_owned(), topic.topic().to_owned(), partition);
        self.ledger.store(&[(key, offset)]).await
    }

    /// What it reads at the moment, in order.
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

    /// Leaves the group, and waits until it has; with [`AutoCommit::After`] stores what was done
    /// first. A member with a name only goes away: its place is kept for its session timeout.
    /// What was returned last counts as done.
    pub async fn close(mut self) {
        self.ledger.done_with_hand();
        self.ledger.close();
        if let Some(task) = self.task.take() {
            // It is bounded by the timeout of its requests.
            let _ = task.await;
        }
    }
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        self.ledger.close();
    }
}

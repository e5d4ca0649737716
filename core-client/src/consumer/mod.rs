//! Consuming: batches of some or all partitions of a topic, as they arrive.
//!
//! Owns the handle that the application holds and its options; the [`core`] holds the partitions
//! and what was delivered, the [`engine`] keeps them subscribed, [`batch`] is what the application
//! sees. The one invariant: a position moves only when a batch or record is returned, so that a
//! future dropped half-way loses nothing, and a lost connection neither.

pub(crate) mod batch;
pub(crate) mod core;
mod engine;
pub(crate) mod group;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tidewire_protocol::message::{self, Unsubscribe};
use tidewire_protocol::name::TopicName;
use tidewire_protocol::options::{consumer as defaults, parse_start};
use tidewire_protocol::session::From as Place;
use tokio::task::coop::consume_budget;

use self::core::{Core, Next};
use crate::client::{Client, topic_name};
use crate::error::{Code, Error};
use batch::{Batch, OwnedRecord};

/// Where a consumer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the first record that there is.
    Earliest,
    /// After the last record that there is.
    Latest,
    /// At this offset.
    Offset(u64),
    /// At the first record that the server appended at this time or later, in microseconds since
    /// the Unix epoch; after the last one if there is none.
    Timestamp(i64),
    /// As many records before the end, in each partition, or at the first that there is.
    Last(u64),
}

/// `earliest`, `latest`, an offset, `last:N` or `time:MICROSECONDS`.
impl FromStr for Start {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match parse_start(text) {
            Some((message::Start::Earliest, _)) => Ok(Self::Earliest),
            Some((message::Start::Latest, _)) => Ok(Self::Latest),
            Some((message::Start::Offset, at)) => Ok(Self::Offset(at)),
            Some((message::Start::Last, at)) => Ok(Self::Last(at)),
            Some((message::Start::Timestamp, at)) => Ok(Self::Timestamp(at as i64)),
            _ => {
                let text = format!(
                    "start is \"{text}\", but should be earliest, latest, an offset, last:N or \
                     time:MICROSECONDS"
                );
                Err(Error::new(Code::INVALID_OPTION, text))
            }
        }
    }
}

impl From<Start> for Place {
    fn from(start: Start) -> Self {
        match start {
            Start::Earliest => Self::Earliest,
            Start::Latest => Self::Latest,
            Start::Offset(offset) => Self::Offset(offset),
            Start::Timestamp(time_us) => Self::Timestamp(time_us),
            Start::Last(records) => Self::Last(records),
        }
    }
}

impl Start {
    /// As a request names it: the kind of place, and the number beside it.
    pub(crate) fn on_the_wire(self) -> (message::Start, u64) {
        match self {
            Self::Earliest => (message::Start::Earliest, 0),
            Self::Latest => (message::Start::Latest, 0),
            Self::Offset(offset) => (message::Start::Offset, offset),
            Self::Timestamp(time_us) => (message::Start::Timestamp, time_us.cast_unsigned()),
            Self::Last(records) => (message::Start::Last, records),
        }
    }
}

/// What a consumer did so far, and what it holds; known without asking the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsumerStats {
    /// Partitions that it reads.
    pub partitions: usize,
    /// Those that are subscribed on the current connection.
    pub live_partitions: usize,
    /// Bytes of batches that were delivered and not yet taken.
    pub buffered_bytes: u64,
    /// Batches taken.
    pub batches: u64,
    /// Their bytes, as they travelled.
    pub bytes: u64,
    /// How often a partition was subscribed again, after a lost connection or an error that may
    /// pass.
    pub resubscriptions: u64,
}

/// Where a consumer stands in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The partition.
    pub partition: u32,
    /// Offset of the record that the consumer returns next.
    pub next_offset: u64,
    /// Offset after the partition's last record, as far as it is known.
    pub end_offset: u64,
}

impl Position {
    /// Records known to follow.
    pub fn lag(&self) -> u64 {
        self.end_offset.saturating_sub(self.next_offset)
    }
}

/// Options of a [`Consumer`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build()"]
pub struct ConsumerBuilder {
    client: Client,
    topic: String,
    start: Option<Start>,
    partitions: Option<Vec<u32>>,
    start_at: Vec<(u32, u64)>,
    prefetch_bytes: Option<u32>,
}

impl ConsumerBuilder {
    pub(crate) fn new(client: Client, topic: &str) -> Self {
        Self {
            client,
            topic: topic.to_owned(),
            start: None,
            partitions: None,
            start_at: Vec::new(),
            prefetch_bytes: None,
        }
    }

    /// Where to begin; at the end of each partition if not set.
    pub fn start(mut self, start: Start) -> Self {
        self.start = Some(start);
        self
    }

    /// Which partitions; all of them if not set.
    pub fn partitions(mut self, partitions: impl IntoIterator<Item = u32>) -> Self {
        self.partitions = Some(partitions.into_iter().collect());
        self
    }

    /// Where to begin in one partition.
    pub fn start_at(mut self, partition: u32, offset: u64) -> Self {
        self.start_at.push((partition, offset));
        self
    }

    /// Reads as a member of a group: the group's members divide the partitions, and offsets are
    /// stored on the server. `partitions` and `start_at` count no more.
    pub fn group(self, group: &str) -> group::GroupConsumerBuilder {
        let Self { client, topic, start, prefetch_bytes, .. } = self;
        group::GroupConsumerBuilder::new(client, group, &topic, start, prefetch_bytes)
    }

    /// Bound of the batches that were delivered but not yet taken, over all partitions, in bytes.
    pub fn prefetch_bytes(mut self, prefetch_bytes: u32) -> Self {
        self.prefetch_bytes = Some(prefetch_bytes);
        self
    }

    /// Subscribes.
    ///
    /// # Errors
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`, `PARTITION_NOT_FOUND`; `OFFSET_OUT_OF_RANGE`, with
    /// the offsets that there are in [`Error::offsets`]; `TOO_MANY_CHANNELS`, `INVALID_ARGUMENT`,
    /// `INVALID_OPTION`.
    pub async fn build(self) -> Result<Consumer, Error> {
        let topic = topic_name(&self.topic)?;
        let settings = &self.client.settings;
        let prefetch_bytes =
            settings.number("prefetch_bytes", self.prefetch_bytes, defaults::PREFETCH_BYTES)?;
        let start = settings.start(self.start);
        let starts: BTreeMap<u32, u64> = self.start_at.iter().copied().collect();
        let info = self.client.describe_topic(&self.topic).await?;
        let partitions = choose(&topic, info.partitions, self.partitions, &starts)?;

        let link = Arc::clone(&self.client.link);
        let timeout_ms = link.request_timeout_ms();
        let core = Core::new(link, topic.clone(), info.id, prefetch_bytes, Arc::default());
        // Closes the core, and with it the engine, if this future is dropped half-way.
        let consumer = Consumer { core: Arc::clone(&core), current: None };
        for partition in partitions {
            let start = starts.get(&partition).map_or(start, |&offset| Start::Offset(offset));
            core.add(partition, start.into());
        }
        tokio::spawn(engine::run(Arc::clone(&core)));
        let limit = Duration::from_millis(u64::from(timeout_ms));
        match tokio::time::timeout(limit, core.settled()).await {
            Ok(Ok(())) => Ok(consumer),
            Ok(Err((_, error))) => Err(error),
            Err(_) => Err(Error::new(
                Code::TIMEOUT,
                format!("{topic} could not be subscribed to within {timeout_ms} ms"),
            )),
        }
    }
}

/// The partitions to subscribe to, in order.
fn choose(
    topic: &TopicName,
    count: u32,
    chosen: Option<Vec<u32>>,
    starts: &BTreeMap<u32, u64>,
) -> Result<BTreeSet<u32>, Error> {
    let partitions: BTreeSet<u32> =
        chosen.map_or_else(|| (0..count).collect(), |chosen| chosen.into_iter().collect());
    if let Some(&last) = partitions.last()
        && last >= count
    {
        return Err(Error::new(
            Code::PARTITION_NOT_FOUND,
            format!("partition {last} of {topic} does not exist: it has {count}, from 0"),
        ));
    }
    if partitions.is_empty() {
        let text = format!("a consumer of {topic} was given no partitions");
        return Err(Error::new(Code::INVALID_ARGUMENT, text));
    }
    if let Some(other) = starts.keys().find(|&partition| !partitions.contains(partition)) {
        return Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!("start_at names partition {other} of {topic}, which is not consumed"),
        ));
    }
    Ok(partitions)
}

/// Receives a topic's records: whole batches, partition by partition in turn.
///
/// What is delivered ahead is bounded by `prefetch_bytes`; the server sends on as batches are
/// taken. When the connection is lost the consumer waits for the next one and goes on at the very
/// record that is due: none is returned twice, none is left out, and the application sees nothing
/// of it but the time that it takes ([`Client::events`](crate::Client::events) tells).
#[derive(Debug)]
pub struct Consumer {
    core: Arc<Core>,
    /// A batch some of whose records were returned one by one.
    current: Option<Shown>,
}

/// A verified batch, and the stay of the partition that it belongs to.
#[derive(Debug)]
struct Shown {
    partition: u32,
    version: u64,
    batch: Batch,
}

impl Consumer {
    /// Waits for the next batch; `None` once the consumer or its client was closed.
    ///
    /// The future may be dropped at any time; no batch is lost.
    ///
    /// # Errors
    /// A subscription has ended, such as with `TOPIC_NOT_FOUND` when the topic was deleted, or
    /// with `OFFSET_OUT_OF_RANGE` when retention has overtaken the consumer; or
    /// `CORRUPT_DELIVERY`, naming the topic, partition and offset. That partition gives nothing
    /// more unless [`Consumer::seek`] moves it; the others go on. When none is left, the last
    /// error is returned every time. A lost connection is not an error, unless no server can be
    /// used any more.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>, Error> {
        loop {
            let shown = match self.current.take() {
                Some(shown) => shown,
                None => match self.wait().await? {
                    Some(shown) => shown,
                    None => return Ok(None),
                },
            };
            let Shown { partition, version, batch } = shown;
            if self.core.advance(partition, version, batch.next_offset()) {
                return Ok(Some(batch));
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
        loop {
            if self.current.is_none() {
                self.current = self.wait().await?;
            }
            let Some(Shown { partition, version, batch }) = &mut self.current else {
                return Ok(None);
            };
            let record = OwnedRecord::new(batch.clone(), 0);
            batch.hide(1);
            let shown = self.core.advance(*partition, *version, batch.base_offset());
            if !shown || batch.is_empty() {
                self.current = None;
            }
            if shown {
                return Ok(record);
            }
        }
    }

    /// Waits for a batch with at least one record that is wanted.
    async fn wait(&mut self) -> Result<Option<Shown>, Error> {
        // With a full inbox nothing below waits; the runtime's other tasks need their turn.
        consume_budget().await;
        loop {
            let taken = match self.core.take() {
                Next::Taken(taken) => taken,
                Next::Ended { error, .. } if error.code() == Code::CLOSED => return Ok(None),
                Next::Ended { error, .. } => return Err(error),
                Next::Closed => return Ok(None),
                Next::Empty => {
                    self.core.arrived().await;
                    continue;
                }
            };
            let (partition, version) = (taken.partition, taken.version);
            let topic = &self.core.topic;
            let _span = tracing::debug_span!("deliver", %topic, partition).entered();
            let batch = taken.bytes.and_then(|bytes| {
                Batch::verify(topic, partition, taken.wanted, taken.end_offset, bytes)
            });
            match batch {
                // A whole batch may lie before the record that is due.
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => return Ok(Some(Shown { partition, version, batch })),
                Err(error) if self.core.fail(partition, version, &error) => {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
    }

    /// Goes on reading a partition at another place. What was delivered of it and not yet
    /// returned is dropped. A partition that has ended with an error begins anew.
    ///
    /// # Errors
    /// `PARTITION_NOT_FOUND` if the consumer does not read it. Whether the offset exists is found
    /// out by [`Consumer::next_batch`].
    pub fn seek(&mut self, partition: u32, start: Start) -> Result<(), Error> {
        self.known(partition, self.core.seek(partition, start.into()))
    }

    /// Returns nothing of a partition until it is resumed; others go on. What is delivered of it
    /// meanwhile stays within `prefetch_bytes`. A batch of which records were returned already is
    /// finished first.
    ///
    /// # Errors
    /// `PARTITION_NOT_FOUND` if the consumer does not read it.
    pub fn pause(&mut self, partition: u32) -> Result<(), Error> {
        self.known(partition, self.core.pause(partition))
    }

    /// Ends a [`Consumer::pause`].
    ///
    /// # Errors
    /// `PARTITION_NOT_FOUND` if the consumer does not read it.
    pub fn resume(&mut self, partition: u32) -> Result<(), Error> {
        self.known(partition, self.core.resume(partition))
    }

    /// Reads a further partition, from `start` on; one that is read already goes on as it does.
    /// Whether it exists is found out by [`Consumer::next_batch`].
    pub fn add_partition(&mut self, partition: u32, start: Start) {
        self.core.add(partition, start.into());
    }

    /// Stops reading a partition; what was delivered of it and not yet returned is dropped. Where
    /// it stood, if it was read and its place was known.
    pub fn remove_partition(&mut self, partition: u32) -> Option<Position> {
        self.core.remove(partition)
    }

    fn known(&self, partition: u32, known: bool) -> Result<(), Error> {
        self.core.known(partition, known)
    }

    /// Where the consumer stands, by partition.
    pub fn positions(&self) -> Vec<Position> {
        self.core.positions()
    }

    /// Records known to follow what was returned, over all partitions.
    pub fn lag(&self) -> u64 {
        self.positions().iter().map(Position::lag).sum()
    }

    /// What it did so far, and what it holds.
    pub fn stats(&self) -> ConsumerStats {
        self.core.stats()
    }

    /// What may be asked and told of the consumer while another task waits in it.
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// A handle that closes this consumer from another task.
    pub fn closer(&self) -> Closer {
        Closer { core: Arc::clone(&self.core) }
    }

    /// Unsubscribes, and waits until the server has done so.
    pub async fn close(self) {
        let Some((connection, channels)) = self.core.leave() else {
            return;
        };
        let mut replies = Vec::new();
        for channel in channels {
            let timeout_ms = connection.request_timeout_ms();
            // A connection that is gone has closed the channel in its own way.
            replies.extend(connection.start(channel, &Unsubscribe {}, timeout_ms).await);
        }
        for reply in replies {
            let _ = connection.receive(reply).await;
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.core.abandon();
    }
}

/// Closes a [`Consumer`] from another task: its `next_batch` then returns `None`.
#[derive(Clone, Debug)]
pub struct Closer {
    core: Arc<Core>,
}

impl Closer {
    /// Ends the consumer's waiting, now and for ever.
    pub fn close(&self) {
        self.core.stop();
    }
}

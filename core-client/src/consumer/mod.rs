//! Consuming: batches of some or all partitions of a topic, as they arrive.
//!
//! Owns the subscriptions, one channel for each partition, and the consumer's position in each;
//! the [`inbox`] holds what was delivered and counts its credit, [`batch`] is what the
//! application sees. The one invariant: a position moves only when a batch or record is returned,
//! so that a future dropped half-way loses nothing.

pub(crate) mod batch;
mod inbox;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use tidewire_protocol::message::{self, Credit, Subscribe, Unsubscribe};
use tidewire_protocol::name::TopicName;
use tidewire_protocol::options::{consumer as defaults, parse_start};
use tokio::task::coop::consume_budget;

use crate::client::{Client, topic_name};
use crate::connection::{Connection, Route, decode_reply};
use crate::error::{Code, Error};
use batch::{Batch, OwnedRecord};
use inbox::{Inbox, Next, Taken};

/// The least that each partition may have on its way, in bytes.
const MIN_WINDOW_BYTES: u32 = 64 << 10;

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

impl Start {
    /// The two fields that say it on the wire.
    pub(crate) fn to_wire(self) -> (message::Start, u64) {
        match self {
            Self::Earliest => (message::Start::Earliest, 0),
            Self::Latest => (message::Start::Latest, 0),
            Self::Offset(offset) => (message::Start::Offset, offset),
            // Nothing was appended before 1970.
            Self::Timestamp(time_us) => {
                (message::Start::Timestamp, u64::try_from(time_us).unwrap_or(0))
            }
            Self::Last(records) => (message::Start::Last, records),
        }
    }
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
        let count = self.client.describe_topic(&self.topic).await?.partitions;
        let partitions = choose(&topic, count, self.partitions, &starts)?;

        let connection = &self.client.connection;
        let share = prefetch_bytes / u32::try_from(partitions.len()).unwrap_or(u32::MAX);
        let window = u64::from(share.max(MIN_WINDOW_BYTES));
        let places: Vec<(u32, u32)> = partitions
            .into_iter()
            .map(|partition| (partition, connection.new_channel()))
            .collect();
        let inbox = Arc::new(Inbox::new(topic.clone(), &places, window));
        // From here on channels may be open; dropping the consumer closes them.
        let mut consumer = Consumer {
            connection: Arc::clone(connection),
            topic: topic.clone(),
            inbox: Arc::clone(&inbox),
            slots: Vec::new(),
            current: None,
        };
        let mut replies = Vec::with_capacity(places.len());
        for &(partition, channel) in &places {
            let start = starts.get(&partition).map_or(start, |&offset| Start::Offset(offset));
            let (start, start_at) = start.to_wire();
            let request = Subscribe {
                stream: topic.stream().to_owned(),
                topic: topic.topic().to_owned(),
                partition,
                start,
                start_at,
                credit_bytes: window,
            };
            connection.add_route(channel, Arc::clone(&inbox) as Arc<dyn Route>);
            consumer.slots.push(Slot { partition, channel, next_offset: 0, open: true });
            let timeout_ms = connection.request_timeout_ms();
            replies.push(connection.start(channel, &request, timeout_ms).await?);
        }
        for (at, reply) in replies.into_iter().enumerate() {
            let frame = match connection.receive(reply).await {
                Ok(frame) => frame,
                Err(error) => {
                    let partition = consumer.slots[at].partition;
                    return Err(self.client.with_offsets(error, &topic, partition).await);
                }
            };
            let reply = decode_reply::<Subscribe>(&frame)?;
            consumer.slots[at].next_offset = reply.next_offset;
            inbox.set_end_offset(at, reply.end_offset);
        }
        Ok(consumer)
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
/// taken.
#[derive(Debug)]
pub struct Consumer {
    connection: Arc<Connection>,
    topic: TopicName,
    inbox: Arc<Inbox>,
    slots: Vec<Slot>,
    /// A batch some of whose records were returned one by one, and its slot.
    current: Option<(usize, Batch)>,
}

#[derive(Debug)]
struct Slot {
    partition: u32,
    channel: u32,
    next_offset: u64,
    /// Whether the server may still hold the channel open.
    open: bool,
}

impl Consumer {
    /// Waits for the next batch; `None` once the consumer or its client was closed.
    ///
    /// The future may be dropped at any time; no batch is lost.
    ///
    /// # Errors
    /// A subscription has ended, such as with `TOPIC_NOT_FOUND` when the topic was deleted or
    /// `DISCONNECTED`; or `CORRUPT_DELIVERY`, naming the topic, partition and offset. That
    /// partition gives nothing more; the others go on. When none is left, the last error is
    /// returned every time.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>, Error> {
        if let Some((at, batch)) = self.current.take() {
            self.slots[at].next_offset = batch.next_offset();
            return Ok(Some(batch));
        }
        Ok(self.wait().await?.map(|(at, batch)| {
            self.slots[at].next_offset = batch.next_offset();
            batch
        }))
    }

    /// Waits for the next record; `None` once the consumer or its client was closed.
    ///
    /// Batches are faster; this is for programs that treat records one by one. The future may be
    /// dropped at any time; no record is lost.
    ///
    /// # Errors
    /// Those of [`Consumer::next_batch`].
    pub async fn next_record(&mut self) -> Result<Option<OwnedRecord>, Error> {
        if self.current.is_none() {
            self.current = self.wait().await?;
        }
        let Some((at, batch)) = &mut self.current else {
            return Ok(None);
        };
        let record = OwnedRecord::new(batch.clone(), 0);
        batch.hide(1);
        let slot = &mut self.slots[*at];
        slot.next_offset = batch.base_offset();
        if batch.is_empty() {
            self.current = None;
        }
        Ok(record)
    }

    /// Waits for a batch with at least one record that is wanted.
    async fn wait(&mut self) -> Result<Option<(usize, Batch)>, Error> {
        // With a full inbox nothing below waits; the runtime's other tasks need their turn.
        consume_budget().await;
        loop {
            match self.inbox.take(|slot| self.slots[slot].next_offset) {
                Next::Taken(taken) => {
                    let at = taken.slot;
                    let batch = self.open_batch(taken)?;
                    if !batch.is_empty() {
                        return Ok(Some((at, batch)));
                    }
                }
                Next::Ended(error) if error.code() == Code::CLOSED => return Ok(None),
                Next::Ended(error) => return Err(error),
                Next::Closed => return Ok(None),
                Next::Empty => self.inbox.arrived().await,
            }
        }
    }

    /// Verifies a batch and grants what it made room for. A damaged one ends its partition: what
    /// follows it cannot be trusted to be what follows.
    fn open_batch(&mut self, taken: Taken) -> Result<Batch, Error> {
        let slot = &mut self.slots[taken.slot];
        if let Some(limit_bytes) = taken.grant {
            self.connection.send_one_way(slot.channel, &Credit { limit_bytes });
        }
        let batch = taken.bytes.and_then(|bytes| {
            let offset = slot.next_offset;
            Batch::verify(&self.topic, slot.partition, offset, taken.end_offset, bytes)
        });
        if let Err(error) = &batch {
            tracing::debug!(%error, "a subscription ends");
            self.inbox.abandon(taken.slot, error.clone());
            slot.unsubscribe(&self.connection);
        }
        batch
    }

    /// Where the consumer stands, by partition.
    pub fn positions(&self) -> Vec<Position> {
        let ends = self.inbox.end_offsets();
        self.slots
            .iter()
            .zip(ends)
            .map(|(slot, end_offset)| Position {
                partition: slot.partition,
                next_offset: slot.next_offset,
                end_offset,
            })
            .collect()
    }

    /// Records known to follow what was returned, over all partitions.
    pub fn lag(&self) -> u64 {
        self.positions().iter().map(Position::lag).sum()
    }

    /// A handle that closes this consumer from another task.
    pub fn closer(&self) -> Closer {
        Closer { inbox: Arc::clone(&self.inbox) }
    }

    /// Unsubscribes, and waits until the server has done so.
    pub async fn close(mut self) {
        self.inbox.close();
        let mut replies = Vec::new();
        for slot in &mut self.slots {
            self.connection.remove_route(slot.channel);
            let timeout_ms = self.connection.request_timeout_ms();
            // A connection that is gone has closed the channel in its own way.
            let started =
                self.connection.start(slot.channel, &Unsubscribe {}, timeout_ms).await;
            slot.open = false;
            replies.extend(started);
        }
        for reply in replies {
            let _ = self.connection.receive(reply).await;
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.inbox.close();
        for slot in &mut self.slots {
            slot.unsubscribe(&self.connection);
        }
    }
}

impl Slot {
    /// Closes the channel without waiting.
    fn unsubscribe(&mut self, connection: &Arc<Connection>) {
        if std::mem::take(&mut self.open) {
            connection.remove_route(self.channel);
            connection.request_and_forget(self.channel, Unsubscribe {});
        }
    }
}

/// Closes a [`Consumer`] from another task: its `next_batch` then returns `None`.
#[derive(Clone, Debug)]
pub struct Closer {
    inbox: Arc<Inbox>,
}

impl Closer {
    /// Ends the consumer's waiting, now and for ever.
    pub fn close(&self) {
        self.inbox.close();
    }
}

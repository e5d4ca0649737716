//! Streams, topics, partitions, and reading once.
//!
//! Owns the requests that need no channel of their own. The one invariant: a list is complete or
//! an error; pages are put together here.

use tidewire_protocol::limits;
use tidewire_protocol::message::{
    Codec, Fetch, LimitInfo, Limits, ListOffsets, PartitionInfo, PartitionsAdd, ProducerDelete,
    ProducerInfo, ProducerList, StreamCreate, StreamDelete, StreamDescribe, StreamInfo,
    StreamList, StreamPurge, TopicCreate, TopicDelete, TopicDescribe, TopicInfo, TopicList,
    TopicPurge, TopicUpdate, Truncate,
};
use tidewire_protocol::name::{TopicName, check_name};
use tidewire_protocol::options::topic as defaults;

use crate::Start;
use crate::client::{Client, topic_name};
use crate::consumer::batch::{Batch, split_batches};
use crate::error::{Code, Error};
use crate::link::Link;
use crate::options::option_by_name;

/// Most bytes that a fetch returns unless told otherwise.
const FETCH_MAX_BYTES: u32 = 1 << 20;

/// How a new topic is to be, or what is to be changed of one: see [`Client::create_topic`] and
/// [`Client::update_topic`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopicConfig {
    partitions: Option<u32>,
    segment_bytes: Option<u64>,
    codec: Option<Codec>,
    retention_ms: Option<u64>,
    retention_bytes: Option<u64>,
    dedup_window_ms: Option<u64>,
}

impl TopicConfig {
    /// Number of partitions, 1 to 100,000; 1 if not set. [`Client::add_partitions`] changes it.
    pub fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// Size at which a partition's log begins a new file, in bytes; 256 MiB if not set.
    pub fn segment_bytes(mut self, segment_bytes: u64) -> Self {
        self.segment_bytes = Some(segment_bytes);
        self
    }

    /// Compression by producers that do not choose for themselves; none if not set.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = Some(codec);
        self
    }

    /// Age at which records may be deleted, in milliseconds since they were appended; 0, as if
    /// not set, keeps them for ever. Whole segments go, never the one that takes appends, so
    /// records may stay for longer.
    pub fn retention_ms(mut self, retention_ms: u64) -> Self {
        self.retention_ms = Some(retention_ms);
        self
    }

    /// Size of a partition's log above which its oldest segments are deleted, in bytes; 0, as if
    /// not set, is unlimited.
    pub fn retention_bytes(mut self, retention_bytes: u64) -> Self {
        self.retention_bytes = Some(retention_bytes);
        self
    }

    /// How long ids of records are remembered, in milliseconds, to refuse those that come again;
    /// 0, as if not set, is not at all.
    pub fn dedup_window_ms(mut self, dedup_window_ms: u64) -> Self {
        self.dedup_window_ms = Some(dedup_window_ms);
        self
    }

    option_by_name!(Topic: partitions, segment_bytes, codec, retention_ms, retention_bytes,
        dedup_window_ms);
}

/// How much [`Client::fetch`] returns, and how long it waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchOptions {
    max_bytes: u32,
    min_bytes: u32,
    max_wait_ms: u32,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self { max_bytes: FETCH_MAX_BYTES, min_bytes: 0, max_wait_ms: 0 }
    }
}

impl FetchOptions {
    /// Most bytes to return; 1 MiB if not set. The first batch is returned whatever its size.
    pub fn max_bytes(mut self, max_bytes: u32) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Wait until there are this many bytes.
    pub fn min_bytes(mut self, min_bytes: u32) -> Self {
        self.min_bytes = min_bytes;
        self
    }

    /// Longest wait for `min_bytes`, in milliseconds, up to 60,000; then whatever there is.
    pub fn max_wait_ms(mut self, max_wait_ms: u32) -> Self {
        self.max_wait_ms = max_wait_ms;
        self
    }
}

/// What [`Client::fetch`] read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fetched {
    /// Batches in order; the first begins at the offset asked for, or after it.
    pub batches: Vec<Batch>,
    /// Offset of the partition's first record.
    pub start_offset: u64,
    /// Offset after the last record that could be read.
    pub end_offset: u64,
    /// The offset to fetch next.
    pub next_offset: u64,
}

impl Client {
    /// Creates a stream.
    ///
    /// # Errors
    /// `STREAM_EXISTS`, `INVALID_NAME`.
    pub async fn create_stream(&self, name: &str) -> Result<StreamInfo, Error> {
        check_name("stream", name)?;
        let request = StreamCreate { name: name.to_owned() };
        Ok(self.link.request(&request).await?.stream)
    }

    /// Describes a stream.
    ///
    /// # Errors
    /// `STREAM_NOT_FOUND`.
    pub async fn describe_stream(&self, name: &str) -> Result<StreamInfo, Error> {
        check_name("stream", name)?;
        let request = StreamDescribe { name: name.to_owned() };
        Ok(self.link.query(&request).await?.stream)
    }

    /// Deletes a stream; with its topics and their records if `with_topics`.
    ///
    /// # Errors
    /// `STREAM_NOT_FOUND`; `STREAM_NOT_EMPTY` without `with_topics`.
    pub async fn delete_stream(&self, name: &str, with_topics: bool) -> Result<(), Error> {
        check_name("stream", name)?;
        let request = StreamDelete { name: name.to_owned(), with_topics };
        self.link.request(&request).await.map(drop)
    }

    /// Lists all streams, by name.
    pub async fn list_streams(&self) -> Result<Vec<StreamInfo>, Error> {
        let mut streams: Vec<StreamInfo> = Vec::new();
        loop {
            let after = streams.last().map(|stream| stream.name.clone()).unwrap_or_default();
            let page = self.link.query(&StreamList { after: after.clone() }).await?;
            let first = page.streams.first().map(|stream| &stream.name);
            let more = page.more && check_progress("streams", first > Some(&after))?;
            streams.extend(page.streams);
            if !more {
                return Ok(streams);
            }
        }
    }

    /// Creates a topic, `stream/topic`, and its stream if there is none.
    ///
    /// # Errors
    /// `TOPIC_EXISTS`, `INVALID_NAME`, `INVALID_OPTION`.
    pub async fn create_topic(
        &self,
        topic: &str,
        config: TopicConfig,
    ) -> Result<TopicInfo, Error> {
        let name = topic_name(topic)?;
        let number =
            self.settings.number("partitions", config.partitions, defaults::PARTITIONS);
        let partitions = number?;
        let segment_bytes = self.settings.number(
            "segment_bytes",
            config.segment_bytes,
            defaults::SEGMENT_BYTES,
        )?;
        let request = TopicCreate {
            stream: name.stream().to_owned(),
            topic: name.topic().to_owned(),
            partitions,
            // A server's own default counts where nothing was asked for.
            segment_bytes: (segment_bytes != defaults::SEGMENT_BYTES
                || config.segment_bytes.is_some())
            .then_some(segment_bytes),
            codec: self.settings.codec(config.codec)?,
            retention_ms: self.asked("retention_ms", config.retention_ms)?,
            retention_bytes: self.asked("retention_bytes", config.retention_bytes)?,
            dedup_window_ms: self.asked("dedup_window_ms", config.dedup_window_ms)?,
        };
        Ok(self.link.request(&request).await?.topic)
    }

    /// A topic option that is off at 0: what was asked for, here or by name.
    fn asked(&self, name: &str, given: Option<u64>) -> Result<Option<u64>, Error> {
        let value = self.settings.number(name, given, 0)?;
        Ok((value != 0 || given.is_some()).then_some(value))
    }

    /// Changes settings of a topic, `stream/topic`, and returns how it is now. What `config` does
    /// not set stays as it is, whatever the URL and the environment say; new retention takes hold
    /// at once.
    ///
    /// # Errors
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`, `INVALID_OPTION`; `INVALID_ARGUMENT` if `config`
    /// sets `partitions`, which [`Client::add_partitions`] changes, or nothing at all.
    pub async fn update_topic(
        &self,
        topic: &str,
        config: TopicConfig,
    ) -> Result<TopicInfo, Error> {
        let name = topic_name(topic)?;
        if config.partitions.is_some() || config == TopicConfig::default() {
            let text = format!("an update of {name} sets options other than partitions");
            return Err(Error::new(Code::INVALID_ARGUMENT, text));
        }
        let checked = |option: &str, given: Option<u64>| match given {
            Some(value) => self.settings.number(option, Some(value), 0).map(Some),
            None => Ok(None),
        };
        let request = TopicUpdate {
            stream: name.stream().to_owned(),
            topic: name.topic().to_owned(),
            segment_bytes: checked("segment_bytes", config.segment_bytes)?,
            retention_ms: checked("retention_ms", config.retention_ms)?,
            retention_bytes: checked("retention_bytes", config.retention_bytes)?,
            dedup_window_ms: checked("dedup_window_ms", config.dedup_window_ms)?,
            codec: config.codec,
        };
        Ok(self.link.request(&request).await?.topic)
    }

    /// Gives a topic more partitions, `partitions` in all, and returns how it is now. Partitions
    /// are never taken away. A key's partition depends on their number, so from then on records
    /// of a key may go to another one than before; producers and consumers that are open know
    /// only those that there were.
    ///
    /// # Errors
    /// `INVALID_PARTITION_COUNT` if it has more already, or `partitions` is over 100,000;
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`.
    pub async fn add_partitions(
        &self,
        topic: &str,
        partitions: u32,
    ) -> Result<TopicInfo, Error> {
        let name = topic_name(topic)?;
        let request = PartitionsAdd {
            stream: name.stream().to_owned(),
            topic: name.topic().to_owned(),
            partitions,
        };
        Ok(self.link.request(&request).await?.topic)
    }

    /// Deletes all records of a topic, `stream/topic`; on the disk when this returns. Offsets go
    /// on.
    ///
    /// # Errors
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`; another if some partition could not be emptied, and
    /// the others are.
    pub async fn purge_topic(&self, topic: &str) -> Result<(), Error> {
        let name = topic_name(topic)?;
        let request =
            TopicPurge { stream: name.stream().to_owned(), topic: name.topic().to_owned() };
        self.link.request(&request).await.map(drop)
    }

    /// Deletes all records of all topics of a stream; on the disk when this returns. Offsets go
    /// on.
    ///
    /// # Errors
    /// `STREAM_NOT_FOUND`; others as [`Client::purge_topic`].
    pub async fn purge_stream(&self, name: &str) -> Result<(), Error> {
        check_name("stream", name)?;
        self.link.request(&StreamPurge { name: name.to_owned() }).await.map(drop)
    }

    /// Deletes the records of a partition below the offset `before`; on the disk when this
    /// returns. Returns the offset of the first record there is now: `before`, or where the
    /// partition began if that is later.
    ///
    /// # Errors
    /// `OFFSET_OUT_OF_RANGE` if `before` is after the partition's end; `PARTITION_NOT_FOUND`,
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`.
    pub async fn truncate(
        &self,
        topic: &str,
        partition: u32,
        before: u64,
    ) -> Result<u64, Error> {
        let name = topic_name(topic)?;
        let request = Truncate {
            stream: name.stream().to_owned(),
            topic: name.topic().to_owned(),
            partition,
            before_offset: before,
        };
        match self.link.request(&request).await {
            Ok(reply) => Ok(reply.start_offset),
            Err(error) => Err(with_offsets(&self.link, error, &name, partition).await),
        }
    }

    /// Describes a topic, `stream/topic`.
    ///
    /// # Errors
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`.
    pub async fn describe_topic(&self, topic: &str) -> Result<TopicInfo, Error> {
        let name = topic_name(topic)?;
        let request =
            TopicDescribe { stream: name.stream().to_owned(), topic: name.topic().to_owned() };
        Ok(self.link.query(&request).await?.topic)
    }

    /// Lists all topics of a stream, by name.
    ///
    /// # Errors
    /// `STREAM_NOT_FOUND`.
    pub async fn list_topics(&self, stream: &str) -> Result<Vec<TopicInfo>, Error> {
        check_name("stream", stream)?;
        let mut topics: Vec<TopicInfo> = Vec::new();
        loop {
            let after = topics.last().map(|topic| topic.name.clone()).unwrap_or_default();
            let request = TopicList { stream: stream.to_owned(), after: after.clone() };
            let page = self.link.query(&request).await?;
            let first = page.topics.first().map(|topic| &topic.name);
            let more = page.more && check_progress("topics", first > Some(&after))?;
            topics.extend(page.topics);
            if !more {
                return Ok(topics);
            }
        }
    }

    /// The limits that the server enforces, and how much of them is used: first those that its
    /// configuration sets, which may change while it runs, then those of the protocol.
    pub async fn describe_limits(&self) -> Result<Vec<LimitInfo>, Error> {
        Ok(self.link.query(&Limits {}).await?.limits)
    }

    /// The named producers of a topic, by name.
    ///
    /// # Errors
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`.
    pub async fn producers(&self, topic: &str) -> Result<Vec<ProducerInfo>, Error> {
        let name = topic_name(topic)?;
        let mut producers: Vec<ProducerInfo> = Vec::new();
        loop {
            let after = producers.last().map(|last| last.name.clone()).unwrap_or_default();
            let request = ProducerList {
                stream: name.stream().to_owned(),
                topic: name.topic().to_owned(),
                after: after.clone(),
            };
            let page = self.link.query(&request).await?;
            let first = page.producers.first().map(|producer| &producer.name);
            let more = page.more && check_progress("producers", first > Some(&after))?;
            producers.extend(page.producers);
            if !more {
                return Ok(producers);
            }
        }
    }

    /// Forgets the name of a producer; whoever has it is fenced. Opened again, it begins anew.
    ///
    /// # Errors
    /// `PRODUCER_NOT_FOUND`, `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`.
    pub async fn forget_producer(&self, topic: &str, name: &str) -> Result<(), Error> {
        let topic = topic_name(topic)?;
        let request = ProducerDelete {
            stream: topic.stream().to_owned(),
            topic: topic.topic().to_owned(),
            name: name.to_owned(),
        };
        self.link.request(&request).await.map(drop)
    }

    /// Deletes a topic, `stream/topic`, and its records.
    ///
    /// # Errors
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`.
    pub async fn delete_topic(&self, topic: &str) -> Result<(), Error> {
        let name = topic_name(topic)?;
        let request =
            TopicDelete { stream: name.stream().to_owned(), topic: name.topic().to_owned() };
        self.link.request(&request).await.map(drop)
    }

    /// The state of every partition of a topic, in order: offsets, sizes, owners.
    ///
    /// # Errors
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`.
    pub async fn partitions(&self, topic: &str) -> Result<Vec<PartitionInfo>, Error> {
        self.partitions_at(topic, Start::Earliest).await
    }

    /// As [`Client::partitions`]; `found_offset` is where `start` is in each.
    pub(crate) async fn partitions_at(
        &self,
        topic: &str,
        start: Start,
    ) -> Result<Vec<PartitionInfo>, Error> {
        let name = topic_name(topic)?;
        let count = self.describe_topic(topic).await?.partitions;
        let mut partitions: Vec<PartitionInfo> = Vec::new();
        loop {
            let first = partitions.last().map_or(0, |last| last.partition + 1);
            if first >= count {
                return Ok(partitions);
            }
            let most = limits::MAX_LIST_ITEMS;
            let page = partitions_page(&self.link, &name, first, most, start).await?;
            let next = page.first().map(|info| info.partition);
            check_progress("partitions", next >= Some(first))?;
            partitions.extend(page);
        }
    }

    /// Reads batches of a partition once, from `offset` on. A consumer is the better way to read
    /// on and on: it is sent what arrives.
    ///
    /// # Errors
    /// `OFFSET_OUT_OF_RANGE`, with the offsets that there are in [`Error::offsets`];
    /// `PARTITION_NOT_FOUND`; `CORRUPT_DELIVERY` if a batch was damaged on its way.
    pub async fn fetch(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
        options: FetchOptions,
    ) -> Result<Fetched, Error> {
        let name = topic_name(topic)?;
        if options.max_wait_ms > limits::MAX_WAIT_MS {
            return Err(Error::new(
                Code::INVALID_ARGUMENT,
                format!(
                    "max_wait_ms is {}, over the limit of {}",
                    options.max_wait_ms,
                    limits::MAX_WAIT_MS
                ),
            ));
        }
        let request = Fetch {
            stream: name.stream().to_owned(),
            topic: name.topic().to_owned(),
            partition,
            offset,
            max_bytes: options.max_bytes,
            min_bytes: options.min_bytes,
            max_wait_ms: options.max_wait_ms,
        };
        let timeout_ms = self.link.request_timeout_ms().saturating_add(options.max_wait_ms);
        let (reply, payload) = match self.link.query_within(&request, timeout_ms).await {
            Ok(reply) => reply,
            Err(error) => return Err(with_offsets(&self.link, error, &name, partition).await),
        };
        let mut batches =
            split_batches(&self.settings.keys, &name, partition, offset, payload)?;
        for batch in &mut batches {
            batch.end_offset = reply.end_offset;
        }
        let next_offset = batches.last().map_or(offset, Batch::next_offset);
        batches.retain(|batch| !batch.is_empty());
        Ok(Fetched {
            batches,
            start_offset: reply.start_offset,
            end_offset: reply.end_offset,
            next_offset,
        })
    }
}

/// Adds to an `OFFSET_OUT_OF_RANGE` the offsets that there are, if the server tells them.
pub(crate) async fn with_offsets(
    link: &Link,
    error: Error,
    name: &TopicName,
    partition: u32,
) -> Error {
    if error.code() != Code::OFFSET_OUT_OF_RANGE {
        return error;
    }
    match partitions_page(link, name, partition, 1, Start::Earliest).await.as_deref() {
        Ok([info]) if info.partition == partition => {
            error.with_offsets(info.start_offset..info.end_offset)
        }
        _ => error,
    }
}

async fn partitions_page(
    link: &Link,
    name: &TopicName,
    first_partition: u32,
    max_partitions: u32,
    start: Start,
) -> Result<Vec<PartitionInfo>, Error> {
    let place = start.on_the_wire();
    let request = ListOffsets {
        stream: name.stream().to_owned(),
        topic: name.topic().to_owned(),
        first_partition,
        max_partitions,
        start: place.0,
        start_at: place.1,
    };
    Ok(link.query(&request).await?.partitions)
}

/// A page that does not lead on would be followed by pages for ever.
pub(crate) fn check_progress(what: &str, leads_on: bool) -> Result<bool, Error> {
    if leads_on {
        return Ok(true);
    }
    Err(Error::new(
        Code::MALFORMED_META,
        format!("the server announced more {what} and listed none"),
    ))
}

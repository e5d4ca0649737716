//! Streams, topics and partitions.
//!
//! Owns the layout of what the server tells of them; each call is the blocking client's of the
//! same name. The one invariant: what a call gives belongs to its caller as a whole, and is freed
//! by one function.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use tidewire::{Error, PartitionInfo, ProducerInfo, StreamInfo, TopicInfo};

use crate::client::tw_client;
use crate::error::tw_error;
use crate::guard::{guard, place, read_sized, text, tw_status, value};
use crate::lists::{Items, Texts, hand_out, take_back};
use crate::options::tw_topic_options;

/// A stream.
#[repr(C)]
#[derive(Debug)]
pub struct tw_stream_info {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// Its name.
    pub name: *const c_char,
    /// Its number, never reused.
    pub id: u64,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// How many topics it has.
    pub topics: u32,
    /// Zero.
    pub reserved: u32,
}

/// A topic.
#[repr(C)]
#[derive(Debug)]
pub struct tw_topic_info {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// The stream that it belongs to.
    pub stream: *const c_char,
    /// Its name within the stream.
    pub name: *const c_char,
    /// Its number, never reused.
    pub id: u64,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// How many partitions it has.
    pub partitions: u32,
    /// Compression by producers that do not choose for themselves: one of `TW_CODEC_…`.
    pub codec: u32,
    /// Size at which a partition's log begins a new file, in bytes.
    pub segment_bytes: u64,
    /// Age at which records may be deleted, in milliseconds; 0 is never.
    pub retention_ms: u64,
    /// Size of a partition above which its oldest records may be deleted, in bytes; 0 is never.
    pub retention_bytes: u64,
    /// How long ids of records are remembered, in milliseconds; 0 is not at all.
    pub dedup_window_ms: u64,
}

/// A partition.
#[repr(C)]
#[derive(Debug)]
pub struct tw_partition_info {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// Its number, from 0.
    pub partition: u32,
    /// The server's shard that owns it.
    pub shard: u32,
    /// Offset of its first record.
    pub start_offset: u64,
    /// Offset after its last record.
    pub end_offset: u64,
    /// Offset after its last record that is on the disk.
    pub synced_offset: u64,
    /// Size of its log, in bytes.
    pub size_bytes: u64,
    /// Files of its log.
    pub segments: u32,
    /// Why it does not take appends: one of `TW_E_…`, or 0.
    pub error: i32,
}

/// A named producer of a topic.
#[repr(C)]
#[derive(Debug)]
pub struct tw_producer_info {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// Its name within the topic.
    pub name: *const c_char,
    /// Its id.
    pub producer_id: u64,
    /// When it was opened last, in microseconds since the Unix epoch.
    pub opened_us: i64,
    /// How often it was opened.
    pub producer_epoch: u32,
    /// Zero.
    pub reserved: u32,
}

/// Streams, by name.
#[repr(C)]
#[derive(Debug)]
pub struct tw_streams {
    /// How many.
    pub count: usize,
    /// Pointers to them.
    pub items: *const *const tw_stream_info,
}

/// Topics, by name.
#[repr(C)]
#[derive(Debug)]
pub struct tw_topics {
    /// How many.
    pub count: usize,
    /// Pointers to them.
    pub items: *const *const tw_topic_info,
}

/// Partitions, by number.
#[repr(C)]
#[derive(Debug)]
pub struct tw_partitions {
    /// How many.
    pub count: usize,
    /// Pointers to them.
    pub items: *const *const tw_partition_info,
}

/// Named producers, by name.
#[repr(C)]
#[derive(Debug)]
pub struct tw_producers {
    /// How many.
    pub count: usize,
    /// Pointers to them.
    pub items: *const *const tw_producer_info,
}

/// How a value of the core becomes a struct, whose texts are kept.
pub(crate) trait Show: Sized {
    type Shown: 'static;
    fn show(&self, texts: &mut Texts) -> Self::Shown;
}

impl Show for StreamInfo {
    type Shown = tw_stream_info;

    fn show(&self, texts: &mut Texts) -> tw_stream_info {
        tw_stream_info {
            size: size_of::<tw_stream_info>(),
            name: texts.keep(&self.name),
            id: self.id,
            created_us: self.created_us,
            topics: self.topics,
            reserved: 0,
        }
    }
}

impl Show for TopicInfo {
    type Shown = tw_topic_info;

    fn show(&self, texts: &mut Texts) -> tw_topic_info {
        tw_topic_info {
            size: size_of::<tw_topic_info>(),
            stream: texts.keep(&self.stream),
            name: texts.keep(&self.name),
            id: self.id,
            created_us: self.created_us,
            partitions: self.partitions,
            codec: u32::from(u8::from(self.codec)),
            segment_bytes: self.segment_bytes,
            retention_ms: self.retention_ms,
            retention_bytes: self.retention_bytes,
            dedup_window_ms: self.dedup_window_ms,
        }
    }
}

impl Show for PartitionInfo {
    type Shown = tw_partition_info;

    fn show(&self, _: &mut Texts) -> tw_partition_info {
        tw_partition_info {
            size: size_of::<tw_partition_info>(),
            partition: self.partition,
            shard: self.shard,
            start_offset: self.start_offset,
            end_offset: self.end_offset,
            synced_offset: self.synced_offset,
            size_bytes: self.size_bytes,
            segments: self.segments,
            error: i32::from(self.error),
        }
    }
}

impl Show for ProducerInfo {
    type Shown = tw_producer_info;

    fn show(&self, texts: &mut Texts) -> tw_producer_info {
        tw_producer_info {
            size: size_of::<tw_producer_info>(),
            name: texts.keep(&self.name),
            producer_id: self.producer_id,
            opened_us: self.opened_us,
            producer_epoch: self.producer_epoch,
            reserved: 0,
        }
    }
}

/// Gives one thing to the caller, if it wants it.
pub(crate) fn give<T: Show>(out: Option<&mut MaybeUninit<*mut T::Shown>>, it: &T) {
    if let Some(out) = out {
        let mut texts = Texts::default();
        let shown = it.show(&mut texts);
        out.write(hand_out(shown, texts));
    }
}

/// Gives many things to the caller.
pub(crate) fn give_all<T: Show, L: 'static>(
    out: Option<&mut MaybeUninit<*mut L>>,
    all: &[T],
    list: impl FnOnce(usize, *const *const T::Shown) -> L,
) -> Result<(), Error> {
    let out = place(out, "the place for the list")?;
    let mut texts = Texts::default();
    let items = Items::new(all.iter().map(|each| each.show(&mut texts)));
    out.write(hand_out(list(items.len(), items.as_ptr()), (items, texts)));
    Ok(())
}

/// Creates a stream. `info` may be NULL; what it is given is freed by `tw_stream_info_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_create_stream(
    client: Option<&tw_client>,
    name: *const c_char,
    info: Option<&mut MaybeUninit<*mut tw_stream_info>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let name = unsafe { text(name, "name") }?;
        give(info, &value(client)?.client()?.create_stream(name)?);
        Ok(())
    })
}

/// Describes a stream. What `info` is given is freed by `tw_stream_info_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_describe_stream(
    client: Option<&tw_client>,
    name: *const c_char,
    info: Option<&mut MaybeUninit<*mut tw_stream_info>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let name = unsafe { text(name, "name") }?;
        give(info, &value(client)?.client()?.describe_stream(name)?);
        Ok(())
    })
}

/// Lists all streams. What `streams` is given is freed by `tw_streams_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_list_streams(
    client: Option<&tw_client>,
    streams: Option<&mut MaybeUninit<*mut tw_streams>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let all = value(client)?.client()?.list_streams()?;
        give_all(streams, &all, |count, items| tw_streams { count, items })?;
        Ok(())
    })
}

/// Deletes all records of all topics of a stream; offsets go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_purge_stream(
    client: Option<&tw_client>,
    name: *const c_char,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let name = unsafe { text(name, "name") }?;
        Ok(value(client)?.client()?.purge_stream(name)?)
    })
}

/// Deletes a stream; with its topics and their records if `with_topics`, else only if it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_delete_stream(
    client: Option<&tw_client>,
    name: *const c_char,
    with_topics: bool,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let name = unsafe { text(name, "name") }?;
        Ok(value(client)?.client()?.delete_stream(name, with_topics)?)
    })
}

/// Creates a topic, such as `stream/topic`. `options` may be NULL, and `info`; what it is given is
/// freed by `tw_topic_info_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_create_topic(
    client: Option<&tw_client>,
    topic: *const c_char,
    options: *const tw_topic_options,
    info: Option<&mut MaybeUninit<*mut tw_topic_info>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let (topic, options) = unsafe { (text(topic, "topic")?, read_sized(options)?) };
        give(info, &value(client)?.client()?.create_topic(topic, options.config())?);
        Ok(())
    })
}

/// Changes those options of a topic that are set, but not its number of partitions. `info` may be
/// NULL; what it is given is freed by `tw_topic_info_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_update_topic(
    client: Option<&tw_client>,
    topic: *const c_char,
    options: *const tw_topic_options,
    info: Option<&mut MaybeUninit<*mut tw_topic_info>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let (topic, options) = unsafe { (text(topic, "topic")?, read_sized(options)?) };
        give(info, &value(client)?.client()?.update_topic(topic, options.config())?);
        Ok(())
    })
}

/// Gives a topic more partitions, `partitions` in all. `info` may be NULL; what it is given is
/// freed by `tw_topic_info_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_add_partitions(
    client: Option<&tw_client>,
    topic: *const c_char,
    partitions: u32,
    info: Option<&mut MaybeUninit<*mut tw_topic_info>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let topic = unsafe { text(topic, "topic") }?;
        give(info, &value(client)?.client()?.add_partitions(topic, partitions)?);
        Ok(())
    })
}

/// Describes a topic. What `info` is given is freed by `tw_topic_info_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_describe_topic(
    client: Option<&tw_client>,
    topic: *const c_char,
    info: Option<&mut MaybeUninit<*mut tw_topic_info>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let topic = unsafe { text(topic, "topic") }?;
        give(info, &value(client)?.client()?.describe_topic(topic)?);
        Ok(())
    })
}

/// Lists all topics of a stream. What `topics` is given is freed by `tw_topics_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_list_topics(
    client: Option<&tw_client>,
    stream: *const c_char,
    topics: Option<&mut MaybeUninit<*mut tw_topics>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let stream = unsafe { text(stream, "stream") }?;
        let all = value(client)?.client()?.list_topics(stream)?;
        give_all(topics, &all, |count, items| tw_topics { count, items })?;
        Ok(())
    })
}

/// Lists the partitions of a topic, with their offsets and sizes. What `partitions` is given is
/// freed by `tw_partitions_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_list_partitions(
    client: Option<&tw_client>,
    topic: *const c_char,
    partitions: Option<&mut MaybeUninit<*mut tw_partitions>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let topic = unsafe { text(topic, "topic") }?;
        let all = value(client)?.client()?.partitions(topic)?;
        give_all(partitions, &all, |count, items| tw_partitions { count, items })?;
        Ok(())
    })
}

/// Deletes all records of a topic; offsets go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_purge_topic(
    client: Option<&tw_client>,
    topic: *const c_char,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let topic = unsafe { text(topic, "topic") }?;
        Ok(value(client)?.client()?.purge_topic(topic)?)
    })
}

/// Deletes the records of a partition below an offset. `start_offset`, which may be NULL, is where
/// the partition begins then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_truncate(
    client: Option<&tw_client>,
    topic: *const c_char,
    partition: u32,
    before_offset: u64,
    start_offset: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let topic = unsafe { text(topic, "topic") }?;
        let start = value(client)?.client()?.truncate(topic, partition, before_offset)?;
        if let Some(out) = start_offset {
            out.write(start);
        }
        Ok(())
    })
}

/// Deletes a topic and its records.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_delete_topic(
    client: Option<&tw_client>,
    topic: *const c_char,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let topic = unsafe { text(topic, "topic") }?;
        Ok(value(client)?.client()?.delete_topic(topic)?)
    })
}

/// Lists the named producers that a topic remembers. What `producers` is given is freed by
/// `tw_producers_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_list_producers(
    client: Option<&tw_client>,
    topic: *const c_char,
    producers: Option<&mut MaybeUninit<*mut tw_producers>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let topic = unsafe { text(topic, "topic") }?;
        let all = value(client)?.client()?.producers(topic)?;
        give_all(producers, &all, |count, items| tw_producers { count, items })?;
        Ok(())
    })
}

/// Has a topic forget a named producer; whoever has the name is fenced.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_forget_producer(
    client: Option<&tw_client>,
    topic: *const c_char,
    name: *const c_char,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let (topic, name) = unsafe { (text(topic, "topic")?, text(name, "name")?) };
        Ok(value(client)?.client()?.forget_producer(topic, name)?)
    })
}

/// Frees what describes a stream. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_stream_info_free(info: *mut tw_stream_info) {
    // SAFETY: as the header says.
    unsafe { take_back(info) }
}

/// Frees a list of streams. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_streams_free(streams: *mut tw_streams) {
    // SAFETY: as the header says.
    unsafe { take_back(streams) }
}

/// Frees what describes a topic. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_topic_info_free(info: *mut tw_topic_info) {
    // SAFETY: as the header says.
    unsafe { take_back(info) }
}

/// Frees a list of topics. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_topics_free(topics: *mut tw_topics) {
    // SAFETY: as the header says.
    unsafe { take_back(topics) }
}

/// Frees a list of partitions. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_partitions_free(partitions: *mut tw_partitions) {
    // SAFETY: as the header says.
    unsafe { take_back(partitions) }
}

/// Frees a list of producers. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producers_free(producers: *mut tw_producers) {
    // SAFETY: as the header says.
    unsafe { take_back(producers) }
}

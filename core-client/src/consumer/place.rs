//! Partitions by name, where a consumer stands in them, and what it counts.

use crate::error::Error;
use tidewire_protocol::name::TopicName;

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct TopicPartition {
    /// The topic, `stream/topic`.
    pub topic: String,
    /// The partition.
    pub partition: u32,
}

/// Names a partition to a consumer: by its number where the consumer reads one topic, else as
/// `("stream/topic", number)`. Whatever says which partition it belongs to converts to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionRef<'a> {
    /// The topic, `stream/topic`; the consumer's only one if `None`.
    pub topic: Option<&'a str>,
    /// The partition.
    pub partition: u32,
}

impl From<u32> for PartitionRef<'_> {
    fn from(partition: u32) -> Self {
        Self { topic: None, partition }
    }
}

impl<'a> From<(&'a str, u32)> for PartitionRef<'a> {
    fn from((topic, partition): (&'a str, u32)) -> Self {
        Self { topic: Some(topic), partition }
    }
}

impl<'a> From<&'a TopicPartition> for PartitionRef<'a> {
    fn from(of: &'a TopicPartition) -> Self {
        Self { topic: Some(&of.topic), partition: of.partition }
    }
}

impl<'a> From<&'a Position> for PartitionRef<'a> {
    fn from(of: &'a Position) -> Self {
        Self { topic: Some(&of.topic), partition: of.partition }
    }
}

impl PartitionRef<'_> {
    pub(crate) fn topic_name(&self) -> Result<Option<TopicName>, Error> {
        self.topic.map(crate::client::topic_name).transpose()
    }
}

/// Where a consumer stands in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The topic, `stream/topic`.
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// Offset of the record that the consumer returns next.
    pub next_offset: u64,
    /// Offset after the partition's last record, as far as it is known.
    pub end_offset: u64,
    /// What is stored for the consumer's group or name, as far as it is known.
    pub stored_offset: Option<u64>,
}

impl Position {
    /// Records known to follow.
    pub fn lag(&self) -> u64 {
        self.end_offset.saturating_sub(self.next_offset)
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
    /// Offsets that were left out because their records were deleted before they were read
    /// ([`OnOutOfRange`](crate::OnOutOfRange)).
    pub skipped_offsets: u64,
    /// Offsets that were stored, by hand or automatically.
    pub stored_offsets: u64,
}

impl ConsumerStats {
    /// Counts what another part of the consumer did.
    pub(crate) fn add(&mut self, other: Self) {
        self.partitions += other.partitions;
        self.live_partitions += other.live_partitions;
        self.buffered_bytes += other.buffered_bytes;
        self.batches += other.batches;
        self.bytes += other.bytes;
        self.resubscriptions += other.resubscriptions;
        self.skipped_offsets += other.skipped_offsets;
        self.stored_offsets += other.stored_offsets;
    }
}

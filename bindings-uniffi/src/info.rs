//! What the server and the client tell of streams, topics, partitions, groups and users, on its
//! way into the languages, where each is a plain value of this name.
//!
//! Owns these values and nothing else. The one invariant: a number crosses with its bits, as a
//! signed one of the same width; those that are never above 2^63 keep their value by that.

use tidewire as core;
use tidewire::foreign::{codec_name, group_state_name};

pub(crate) fn all<T, U: From<T>>(list: Vec<T>) -> Vec<U> {
    list.into_iter().map(U::from).collect()
}

/// Limits that the server told of when the client connected.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ServerLimits {
    /// Longest frame, in bytes.
    pub max_frame_len: i32,
    /// Longest batch, in bytes.
    pub max_batch_len: i32,
    /// Most records of a batch.
    pub max_batch_records: i32,
    /// Most unanswered requests of a connection.
    pub max_in_flight: i32,
    /// Most channels of a connection.
    pub max_channels: i32,
}

impl From<core::ServerLimits> for ServerLimits {
    fn from(info: core::ServerLimits) -> Self {
        Self {
            max_frame_len: info.max_frame_len.cast_signed(),
            max_batch_len: info.max_batch_len.cast_signed(),
            max_batch_records: info.max_batch_records.cast_signed(),
            max_in_flight: info.max_in_flight.cast_signed(),
            max_channels: info.max_channels.cast_signed(),
        }
    }
}

/// What the server said of itself.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ServerInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it was reached, `host:port`.
    pub address: String,
    /// The number of its data directory, in decimal digits.
    pub id: String,
    /// What it allows a connection.
    pub limits: ServerLimits,
}

impl From<core::ServerInfo> for ServerInfo {
    fn from(info: core::ServerInfo) -> Self {
        Self {
            name: info.name,
            version: info.version,
            address: info.address,
            id: info.id.to_string(),
            limits: info.limits.into(),
        }
    }
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StreamInfo {
    /// Its name.
    pub name: String,
    /// Its number, never used again.
    pub id: i64,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// How many topics it has.
    pub topics: i32,
}

impl From<core::StreamInfo> for StreamInfo {
    fn from(info: core::StreamInfo) -> Self {
        Self {
            name: info.name,
            id: info.id.cast_signed(),
            created_us: info.created_us,
            topics: info.topics.cast_signed(),
        }
    }
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TopicInfo {
    /// Its stream.
    pub stream: String,
    /// Its name within the stream.
    pub name: String,
    /// Its number, never used again.
    pub id: i64,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// How many partitions it has.
    pub partitions: i32,
    /// Size at which a partition's log begins a new file, in bytes.
    pub segment_bytes: i64,
    /// Compression by producers that do not choose for themselves: `none`, `lz4` or `zstd`.
    pub codec: String,
    /// How long records are kept, in milliseconds; 0 is for ever.
    pub retention_ms: i64,
    /// How much of each partition is kept, in bytes; 0 is all.
    pub retention_bytes: i64,
    /// For how long a record's id is remembered, in milliseconds; 0 is not at all.
    pub dedup_window_ms: i64,
}

impl From<core::TopicInfo> for TopicInfo {
    fn from(info: core::TopicInfo) -> Self {
        Self {
            stream: info.stream,
            name: info.name,
            id: info.id.cast_signed(),
            created_us: info.created_us,
            partitions: info.partitions.cast_signed(),
            segment_bytes: info.segment_bytes.cast_signed(),
            codec: codec_name(info.codec),
            retention_ms: info.retention_ms.cast_signed(),
            retention_bytes: info.retention_bytes.cast_signed(),
            dedup_window_ms: info.dedup_window_ms.cast_signed(),
        }
    }
}

/// The state of a partition.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PartitionInfo {
    /// The partition.
    pub partition: i32,
    /// The server's shard that owns it.
    pub shard: i32,
    /// Offset of its first record.
    pub start_offset: i64,
    /// Offset after its last record.
    pub end_offset: i64,
    /// Offset up to which it is on the disk.
    pub synced_offset: i64,
    /// Its size, in bytes.
    pub size_bytes: i64,
    /// Files that it has.
    pub segments: i32,
    /// 0, or the number of the error for which it cannot be used.
    pub error: i32,
}

impl From<core::PartitionInfo> for PartitionInfo {
    fn from(info: core::PartitionInfo) -> Self {
        Self {
            partition: info.partition.cast_signed(),
            shard: info.shard.cast_signed(),
            start_offset: info.start_offset.cast_signed(),
            end_offset: info.end_offset.cast_signed(),
            synced_offset: info.synced_offset.cast_signed(),
            size_bytes: info.size_bytes.cast_signed(),
            segments: info.segments.cast_signed(),
            error: i32::from(info.error),
        }
    }
}

/// A named producer that a topic remembers.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ProducerInfo {
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: i64,
    /// How often the name was opened.
    pub epoch: i32,
    /// When it was opened last, in microseconds since the Unix epoch.
    pub opened_us: i64,
}

impl From<core::ProducerInfo> for ProducerInfo {
    fn from(info: core::ProducerInfo) -> Self {
        Self {
            name: info.name,
            id: info.producer_id.cast_signed(),
            epoch: info.producer_epoch.cast_signed(),
            opened_us: info.opened_us,
        }
    }
}

/// A group, or a named consumer.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct GroupInfo {
    /// Its name.
    pub name: String,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// `empty`, `stable` or `rebalancing`.
    pub state: String,
    /// Counts its assignments.
    pub generation: i32,
    /// How many members it has.
    pub members: i32,
    /// How many partitions they read.
    pub partitions: i32,
    /// How many offsets it has stored.
    pub offsets: i32,
}

impl From<core::GroupInfo> for GroupInfo {
    fn from(info: core::GroupInfo) -> Self {
        Self {
            name: info.name,
            created_us: info.created_us,
            state: group_state_name(info.state),
            generation: info.generation.cast_signed(),
            members: info.members.cast_signed(),
            partitions: info.partitions.cast_signed(),
            offsets: info.offsets.cast_signed(),
        }
    }
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct GroupMember {
    /// Its number.
    pub id: i64,
    /// How often it joined.
    pub epoch: i32,
    /// The name that it gave itself.
    pub name: String,
    /// Its client's name.
    pub client_name: String,
    /// Where it comes from.
    pub address: String,
    /// Whether it is connected.
    pub connected: bool,
    /// How long it may be silent, in milliseconds.
    pub session_timeout_ms: i32,
    /// How long it may take to give up a partition, in milliseconds.
    pub rebalance_timeout_ms: i32,
    /// How many partitions it reads.
    pub partitions: i32,
    /// The topics that it reads, `stream/topic`.
    pub topics: Vec<String>,
}

impl From<core::GroupMember> for GroupMember {
    fn from(info: core::GroupMember) -> Self {
        Self {
            id: info.member_id.cast_signed(),
            epoch: info.member_epoch.cast_signed(),
            name: info.member_name,
            client_name: info.client_name,
            address: info.address,
            connected: info.connected,
            session_timeout_ms: info.session_timeout_ms.cast_signed(),
            rebalance_timeout_ms: info.rebalance_timeout_ms.cast_signed(),
            partitions: info.partitions.cast_signed(),
            topics: info
                .topics
                .iter()
                .map(|topic| format!("{}/{}", topic.stream, topic.topic))
                .collect(),
        }
    }
}

/// A partition that a group reads, or has stored an offset for.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct GroupPartition {
    /// The topic, `stream/topic`.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The member that reads it; 0 is none.
    pub member_id: i64,
    /// Whether the member is asked to give it up.
    pub revoking: bool,
    /// The stored offset of the next record to read.
    pub offset: Option<i64>,
    /// When it was stored, in microseconds since the Unix epoch.
    pub commit_us: Option<i64>,
}

impl From<core::GroupPartition> for GroupPartition {
    fn from(info: core::GroupPartition) -> Self {
        Self {
            topic: format!("{}/{}", info.stream, info.topic),
            partition: info.partition.cast_signed(),
            member_id: info.member_id.cast_signed(),
            revoking: info.revoking,
            offset: info.stored.then(|| info.offset.cast_signed()),
            commit_us: info.stored.then_some(info.commit_us),
        }
    }
}

/// A group with its members and partitions.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct GroupDescription {
    /// The group.
    pub info: GroupInfo,
    /// Its members.
    pub members: Vec<GroupMember>,
    /// Its partitions.
    pub partitions: Vec<GroupPartition>,
}

impl From<core::GroupDescription> for GroupDescription {
    fn from(info: core::GroupDescription) -> Self {
        Self {
            info: info.info.into(),
            members: all(info.members),
            partitions: all(info.partitions),
        }
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct UserInfo {
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: i64,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// Whether it may log in.
    pub enabled: bool,
    /// Whether it has a password.
    pub password: bool,
    /// How many tokens it has.
    pub tokens: i32,
}

impl From<core::UserInfo> for UserInfo {
    fn from(info: core::UserInfo) -> Self {
        Self {
            name: info.name,
            id: info.id.cast_signed(),
            created_us: info.created_us,
            enabled: info.enabled,
            password: info.password,
            tokens: info.tokens.cast_signed(),
        }
    }
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TokenInfo {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When it ceases to be valid, in microseconds since the Unix epoch; never if there is none.
    pub expires_us: Option<i64>,
}

impl From<core::TokenInfo> for TokenInfo {
    fn from(info: core::TokenInfo) -> Self {
        Self {
            id: info.id.cast_signed(),
            name: info.name,
            user: info.user,
            created_us: info.created_us,
            expires_us: (info.expires_us != 0).then_some(info.expires_us),
        }
    }
}

/// A limit that a server enforces.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LimitInfo {
    /// Its name in the server's configuration, or the protocol's.
    pub name: String,
    /// How much is allowed; 0 is no limit.
    pub value: i64,
    /// What is counted.
    pub unit: String,
    /// Whether the server's configuration sets it; otherwise the protocol does.
    pub configured: bool,
    /// How much is used now; 0 where that is not counted, or not for this user to know.
    pub used: i64,
}

impl From<core::LimitInfo> for LimitInfo {
    fn from(info: core::LimitInfo) -> Self {
        Self {
            name: info.name,
            value: info.value.cast_signed(),
            unit: info.unit,
            configured: info.configured,
            used: info.used.cast_signed(),
        }
    }
}

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TopicPartition {
    /// The topic, `stream/topic`.
    pub topic: String,
    /// The partition.
    pub partition: i32,
}

impl From<core::TopicPartition> for TopicPartition {
    fn from(info: core::TopicPartition) -> Self {
        Self { topic: info.topic, partition: info.partition.cast_signed() }
    }
}

/// Where a consumer stands in a partition.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Position {
    /// The topic, `stream/topic`.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Offset of the record that the consumer returns next.
    pub next_offset: i64,
    /// Offset after the partition's last record, as far as it is known.
    pub end_offset: i64,
    /// What is stored for the consumer's group or name, as far as it is known.
    pub stored_offset: Option<i64>,
}

impl From<core::Position> for Position {
    fn from(info: core::Position) -> Self {
        Self {
            topic: info.topic,
            partition: info.partition.cast_signed(),
            next_offset: info.next_offset.cast_signed(),
            end_offset: info.end_offset.cast_signed(),
            stored_offset: info.stored_offset.map(u64::cast_signed),
        }
    }
}

/// What a producer did so far, and what waits.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ProducerStats {
    /// Records without an outcome.
    pub queued_records: i64,
    /// Their bytes, as they count against `queue_bytes`.
    pub queued_bytes: i64,
    /// Batches on the wire that are not answered.
    pub in_flight_batches: i64,
    /// Batches sent, each time counted.
    pub sent_batches: i64,
    /// Their bytes.
    pub sent_bytes: i64,
    /// Of them, those that had been sent before.
    pub retried_batches: i64,
    /// Batches that an earlier sending had appended already.
    pub duplicate_batches: i64,
    /// Records acknowledged.
    pub acknowledged_records: i64,
    /// Records that were certainly not appended.
    pub failed_records: i64,
    /// Records whose outcome is unknown.
    pub unknown_records: i64,
    /// Records dropped because the queue was full, with `queue_full` drop.
    pub dropped_records: i64,
}

impl From<core::ProducerStats> for ProducerStats {
    fn from(info: core::ProducerStats) -> Self {
        Self {
            queued_records: info.queued_records.cast_signed(),
            queued_bytes: info.queued_bytes.cast_signed(),
            in_flight_batches: info.in_flight_batches.cast_signed(),
            sent_batches: info.sent_batches.cast_signed(),
            sent_bytes: info.sent_bytes.cast_signed(),
            retried_batches: info.retried_batches.cast_signed(),
            duplicate_batches: info.duplicate_batches.cast_signed(),
            acknowledged_records: info.acknowledged_records.cast_signed(),
            failed_records: info.failed_records.cast_signed(),
            unknown_records: info.unknown_records.cast_signed(),
            dropped_records: info.dropped_records.cast_signed(),
        }
    }
}

/// What a consumer did so far, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ConsumerStats {
    /// Partitions that it reads.
    pub partitions: i32,
    /// Those that are subscribed on the current connection.
    pub live_partitions: i32,
    /// Bytes of batches that were delivered and not yet taken.
    pub buffered_bytes: i64,
    /// Batches taken.
    pub batches: i64,
    /// Their bytes, as they travelled.
    pub bytes: i64,
    /// How often a partition was subscribed again.
    pub resubscriptions: i64,
    /// Offsets left out because their records were deleted before they were read.
    pub skipped_offsets: i64,
    /// Offsets that were stored, by hand or automatically.
    pub stored_offsets: i64,
}

impl From<core::ConsumerStats> for ConsumerStats {
    fn from(info: core::ConsumerStats) -> Self {
        Self {
            partitions: info.partitions as i32,
            live_partitions: info.live_partitions as i32,
            buffered_bytes: info.buffered_bytes.cast_signed(),
            batches: info.batches.cast_signed(),
            bytes: info.bytes.cast_signed(),
            resubscriptions: info.resubscriptions.cast_signed(),
            skipped_offsets: info.skipped_offsets.cast_signed(),
            stored_offsets: info.stored_offsets.cast_signed(),
        }
    }
}

/// A user and its rights.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct UserDescription {
    /// The user.
    pub user: UserInfo,
    /// Its rights, each as its text: `read,write topic shop/orders`.
    pub grants: Vec<String>,
}

/// A token that was just made.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct NewToken {
    /// The token.
    pub token: TokenInfo,
    /// What logs in with it; it is told here and never again.
    pub secret: String,
}

/// An offset that a group, or a named consumer, has stored.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CommittedOffset {
    /// The partition.
    pub partition: i32,
    /// Offset of the next record to read.
    pub offset: i64,
    /// When it was stored, in microseconds since the Unix epoch.
    pub commit_us: i64,
    /// What the consumer keeps beside it.
    pub note: String,
}

/// An offset of a partition.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PartitionOffset {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

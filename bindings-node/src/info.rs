//! What the server tells of streams, topics, partitions, groups and producers, on its way.
//!
//! Owns plain objects and nothing else. The one invariant: a number that may pass 2^53 crosses as
//! a `bigint`.

use napi::bindgen_prelude::BigInt;
use napi_derive::napi;
use tidewire as core;
use tidewire::foreign::{codec_name, group_state_name};

#[napi(object)]
pub struct ServerInfo {
    pub name: String,
    pub version: String,
    pub address: String,
    pub id: BigInt,
    pub limits: ServerLimits,
}

#[napi(object)]
pub struct ServerLimits {
    pub max_frame_len: u32,
    pub max_batch_len: u32,
    pub max_batch_records: u32,
    pub max_in_flight: u32,
    pub max_channels: u32,
}

impl From<core::ServerInfo> for ServerInfo {
    fn from(info: core::ServerInfo) -> Self {
        let limits = info.limits;
        Self {
            name: info.name,
            version: info.version,
            address: info.address,
            id: info.id.into(),
            limits: ServerLimits {
                max_frame_len: limits.max_frame_len,
                max_batch_len: limits.max_batch_len,
                max_batch_records: limits.max_batch_records,
                max_in_flight: limits.max_in_flight,
                max_channels: limits.max_channels,
            },
        }
    }
}

#[napi(object)]
pub struct StreamInfo {
    pub name: String,
    pub id: BigInt,
    pub created_us: BigInt,
    pub topics: u32,
}

impl From<core::StreamInfo> for StreamInfo {
    fn from(info: core::StreamInfo) -> Self {
        Self {
            name: info.name,
            id: info.id.into(),
            created_us: info.created_us.into(),
            topics: info.topics,
        }
    }
}

#[napi(object)]
pub struct TopicInfo {
    pub stream: String,
    pub name: String,
    pub id: BigInt,
    pub created_us: BigInt,
    pub partitions: u32,
    pub segment_bytes: BigInt,
    pub codec: String,
    pub retention_ms: BigInt,
    pub retention_bytes: BigInt,
    pub dedup_window_ms: BigInt,
}

impl From<core::TopicInfo> for TopicInfo {
    fn from(info: core::TopicInfo) -> Self {
        Self {
            stream: info.stream,
            name: info.name,
            id: info.id.into(),
            created_us: info.created_us.into(),
            partitions: info.partitions,
            segment_bytes: info.segment_bytes.into(),
            codec: codec_name(info.codec),
            retention_ms: info.retention_ms.into(),
            retention_bytes: info.retention_bytes.into(),
            dedup_window_ms: info.dedup_window_ms.into(),
        }
    }
}

#[napi(object)]
pub struct PartitionInfo {
    pub partition: u32,
    pub shard: u32,
    pub start_offset: BigInt,
    pub end_offset: BigInt,
    pub synced_offset: BigInt,
    pub size_bytes: BigInt,
    pub segments: u32,
    pub error: u32,
}

impl From<core::PartitionInfo> for PartitionInfo {
    fn from(info: core::PartitionInfo) -> Self {
        Self {
            partition: info.partition,
            shard: info.shard,
            start_offset: info.start_offset.into(),
            end_offset: info.end_offset.into(),
            synced_offset: info.synced_offset.into(),
            size_bytes: info.size_bytes.into(),
            segments: info.segments,
            error: u32::from(info.error),
        }
    }
}

#[napi(object)]
pub struct ProducerInfo {
    pub name: String,
    pub id: BigInt,
    pub epoch: u32,
    pub opened_us: BigInt,
}

impl From<core::ProducerInfo> for ProducerInfo {
    fn from(info: core::ProducerInfo) -> Self {
        Self {
            name: info.name,
            id: info.producer_id.into(),
            epoch: info.producer_epoch,
            opened_us: info.opened_us.into(),
        }
    }
}

#[napi(object)]
pub struct GroupInfo {
    pub name: String,
    pub created_us: BigInt,
    pub state: String,
    pub generation: u32,
    pub members: u32,
    pub partitions: u32,
    pub offsets: u32,
}

impl From<core::GroupInfo> for GroupInfo {
    fn from(info: core::GroupInfo) -> Self {
        Self {
            name: info.name,
            created_us: info.created_us.into(),
            state: group_state_name(info.state),
            generation: info.generation,
            members: info.members,
            partitions: info.partitions,
            offsets: info.offsets,
        }
    }
}

#[napi(object)]
pub struct GroupMember {
    pub id: BigInt,
    pub epoch: u32,
    pub name: String,
    pub client_name: String,
    pub address: String,
    pub connected: bool,
    pub session_timeout_ms: u32,
    pub rebalance_timeout_ms: u32,
    pub partitions: u32,
    pub topics: Vec<String>,
}

impl From<core::GroupMember> for GroupMember {
    fn from(member: core::GroupMember) -> Self {
        let topics = member.topics.iter();
        Self {
            id: member.member_id.into(),
            epoch: member.member_epoch,
            name: member.member_name,
            client_name: member.client_name,
            address: member.address,
            connected: member.connected,
            session_timeout_ms: member.session_timeout_ms,
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            partitions: member.partitions,
            topics: topics.map(|topic| format!("{}/{}", topic.stream, topic.topic)).collect(),
        }
    }
}

#[napi(object)]
pub struct GroupPartition {
    pub topic: String,
    pub partition: u32,
    pub member_id: BigInt,
    pub revoking: bool,
    pub offset: Option<BigInt>,
    pub commit_us: Option<BigInt>,
}

impl From<core::GroupPartition> for GroupPartition {
    fn from(place: core::GroupPartition) -> Self {
        Self {
            topic: format!("{}/{}", place.stream, place.topic),
            partition: place.partition,
            member_id: place.member_id.into(),
            revoking: place.revoking,
            offset: place.stored.then(|| place.offset.into()),
            commit_us: place.stored.then(|| place.commit_us.into()),
        }
    }
}

#[napi(object)]
pub struct GroupDescription {
    pub info: GroupInfo,
    pub members: Vec<GroupMember>,
    pub partitions: Vec<GroupPartition>,
}

impl From<core::GroupDescription> for GroupDescription {
    fn from(group: core::GroupDescription) -> Self {
        Self {
            info: group.info.into(),
            members: group.members.into_iter().map(Into::into).collect(),
            partitions: group.partitions.into_iter().map(Into::into).collect(),
        }
    }
}

#[napi(object)]
pub struct LimitInfo {
    pub name: String,
    pub value: BigInt,
    pub unit: String,
    pub configured: bool,
    pub used: BigInt,
}

impl From<core::LimitInfo> for LimitInfo {
    fn from(info: core::LimitInfo) -> Self {
        Self {
            name: info.name,
            value: info.value.into(),
            unit: info.unit,
            configured: info.configured,
            used: info.used.into(),
        }
    }
}

#[napi(object)]
pub struct UserInfo {
    pub name: String,
    pub id: BigInt,
    pub created_us: BigInt,
    pub enabled: bool,
    pub password: bool,
    pub tokens: u32,
}

impl From<core::UserInfo> for UserInfo {
    fn from(info: core::UserInfo) -> Self {
        Self {
            name: info.name,
            id: info.id.into(),
            created_us: info.created_us.into(),
            enabled: info.enabled,
            password: info.password,
            tokens: info.tokens,
        }
    }
}

#[napi(object)]
pub struct NativeUserDescription {
    pub user: UserInfo,
    pub grants: Vec<String>,
}

#[napi(object)]
pub struct TokenInfo {
    pub id: BigInt,
    pub name: String,
    pub user: String,
    pub created_us: BigInt,
    pub expires_us: Option<BigInt>,
}

impl From<core::TokenInfo> for TokenInfo {
    fn from(info: core::TokenInfo) -> Self {
        Self {
            id: info.id.into(),
            name: info.name,
            user: info.user,
            created_us: info.created_us.into(),
            expires_us: (info.expires_us != 0).then(|| info.expires_us.into()),
        }
    }
}

#[napi(object)]
pub struct NativeNewToken {
    pub token: TokenInfo,
    pub secret: String,
}

#[napi(object)]
pub struct CommittedOffset {
    pub partition: u32,
    pub offset: BigInt,
    pub commit_us: BigInt,
    pub note: String,
}

#[napi(object)]
pub struct PartitionOffset {
    pub partition: u32,
    pub offset: BigInt,
}

#[napi(object)]
pub struct TopicPartition {
    pub topic: String,
    pub partition: u32,
}

impl From<core::TopicPartition> for TopicPartition {
    fn from(place: core::TopicPartition) -> Self {
        Self { topic: place.topic, partition: place.partition }
    }
}

#[napi(object)]
pub struct Position {
    pub partition: u32,
    pub next_offset: BigInt,
    pub end_offset: BigInt,
}

impl From<core::Position> for Position {
    fn from(position: core::Position) -> Self {
        Self {
            partition: position.partition,
            next_offset: position.next_offset.into(),
            end_offset: position.end_offset.into(),
        }
    }
}

#[napi(object)]
pub struct ProducerStats {
    pub queued_records: f64,
    pub queued_bytes: f64,
    pub in_flight_batches: f64,
    pub sent_batches: f64,
    pub sent_bytes: f64,
    pub retried_batches: f64,
    pub duplicate_batches: f64,
    pub acknowledged_records: f64,
    pub failed_records: f64,
    pub unknown_records: f64,
    pub dropped_records: f64,
}

impl From<core::ProducerStats> for ProducerStats {
    fn from(stats: core::ProducerStats) -> Self {
        Self {
            queued_records: stats.queued_records as f64,
            queued_bytes: stats.queued_bytes as f64,
            in_flight_batches: stats.in_flight_batches as f64,
            sent_batches: stats.sent_batches as f64,
            sent_bytes: stats.sent_bytes as f64,
            retried_batches: stats.retried_batches as f64,
            duplicate_batches: stats.duplicate_batches as f64,
            acknowledged_records: stats.acknowledged_records as f64,
            failed_records: stats.failed_records as f64,
            unknown_records: stats.unknown_records as f64,
            dropped_records: stats.dropped_records as f64,
        }
    }
}

#[napi(object)]
pub struct ConsumerStats {
    pub partitions: u32,
    pub live_partitions: u32,
    pub buffered_bytes: f64,
    pub batches: f64,
    pub bytes: f64,
    pub resubscriptions: f64,
    pub skipped_offsets: f64,
    pub stored_offsets: f64,
}

impl From<core::ConsumerStats> for ConsumerStats {
    fn from(stats: core::ConsumerStats) -> Self {
        Self {
            partitions: stats.partitions as u32,
            live_partitions: stats.live_partitions as u32,
            buffered_bytes: stats.buffered_bytes as f64,
            batches: stats.batches as f64,
            bytes: stats.bytes as f64,
            resubscriptions: stats.resubscriptions as f64,
            skipped_offsets: stats.skipped_offsets as f64,
            stored_offsets: stats.stored_offsets as f64,
        }
    }
}

//! What shards say to each other, and to themselves.
//!
//! A connection lives on the shard that accepted it or to which it moved, a partition on the shard
//! that owns it. What a connection wants of a partition travels as a [`ShardMessage`], even on one
//! shard: then it waits in a local queue instead of a channel, so that there is one way through the
//! code.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use bytes::Bytes;
use tidewire_protocol::error::Error;
use tidewire_protocol::message::{
    AppendReply, FlushReply, GroupEvent, PartitionInfo, ProducerIdentity, ProducerListReply,
    Start, StreamInfo, TopicInfo,
};
use tidewire_storage::Topic;
use tidewire_storage::disk::{Disk, ServerDisk};
use tidewire_storage::log::{Log, Recovery, SnapshotOutcome, SyncOutcome, TrimOutcome};

use crate::auth::requests::AccessChanged;
use crate::partition::{AppendRequest, FetchOutcome, LookupOutcome, Memory};

use crate::group::{GroupReply, GroupRequest};
use crate::rt;
use crate::session::Parcel;
use crate::usage;

/// A partition, by its topic's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PartitionId {
    pub(crate) topic: u64,
    pub(crate) partition: u32,
}

impl PartitionId {
    /// The shard that owns it. Neighbouring partitions of a topic lie on different shards.
    pub(crate) fn shard(self, shards: usize) -> usize {
        // Fibonacci hashing spreads the first partitions of many small topics.
        let start = self.topic.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        (start.wrapping_add(u64::from(self.partition)) % shards as u64) as usize
    }
}

/// Where an answer goes: to a request or subscription of a connection of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Origin {
    pub(crate) shard: usize,
    pub(crate) connection: u64,
    /// Chosen by the connection.
    pub(crate) token: u64,
}

/// A read that may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadRequest {
    /// First record wanted.
    pub(crate) offset: u64,
    /// Most bytes, but at least one batch.
    pub(crate) max_bytes: usize,
    /// Answer once there are this many bytes; 0 answers at once, even with nothing.
    pub(crate) min_bytes: usize,
}

/// What a read found.
#[derive(Clone, Debug)]
pub(crate) struct ReadReply {
    /// Whole batches, perhaps none, in order; shared with whoever else reads them.
    pub(crate) bytes: Arc<[Bytes]>,
    /// Bytes of them all.
    pub(crate) len: usize,
    /// Offset after them.
    pub(crate) next_offset: u64,
    pub(crate) start_offset: u64,
    pub(crate) end_offset: u64,
}

/// Where a subscription begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    pub(crate) next_offset: u64,
    pub(crate) start_offset: u64,
    pub(crate) end_offset: u64,
}

/// A place in a partition: `start`, and what it needs beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) start: Start,
    /// An offset, microseconds since the Unix epoch, or a number of records.
    pub(crate) at: u64,
}

/// A request to a partition. The topic comes along so that the owner can open the log.
pub(crate) enum PartitionRequest {
    Append(AppendRequest),
    /// Answers when all that was appended is on the disk.
    Flush,
    Read(ReadRequest),
    /// Answers a waiting read with what there is now.
    ExpireRead,
    /// Forgets a waiting read.
    CancelRead,
    /// Deletes the records below an offset.
    Truncate {
        before: u64,
    },
    /// Deletes all records.
    Purge,
    /// What `start` means now.
    Resolve(Place),
    /// Its state, and what a place means in it.
    Describe(Place),
}

/// What a request to a partition, a group or the catalog came to, or what a membership is told.
pub(crate) enum Answer {
    Append(Result<AppendReply, Error>),
    Flush(Result<FlushReply, Error>),
    Read(Result<ReadReply, Error>),
    Resolve(Result<Position, Error>),
    Describe(PartitionInfo),
    Stream(Result<StreamInfo, Error>),
    Topic(Result<TopicInfo, Error>),
    Deleted(Result<(), Error>),
    /// Where a partition begins after records were deleted.
    Trimmed(Result<u64, Error>),
    Group(Result<GroupReply, Error>),
    /// Something changed for a membership, whose token it goes to.
    Member(GroupEvent),
    /// A membership is over.
    MemberEnded(Error),
    Producer(Result<OpenedProducer, Error>),
    Producers(Result<ProducerListReply, Error>),
    ProducerDeleted(Result<(), Error>),
    Access(Result<AccessChanged, Error>),
}

/// A producer with a name, as it was opened.
pub(crate) struct OpenedProducer {
    pub(crate) producer: ProducerIdentity,
    /// The highest epoch that was opened: whoever opens it next raises this before he is told.
    pub(crate) opened_epoch: Arc<AtomicU32>,
}

/// A connection between two shards.
pub(crate) struct MovedConnection {
    pub(crate) socket: rt::Socket,
    pub(crate) session: Parcel,
    /// Its place among all connections.
    pub(crate) place: usage::Place,
}

/// What opening a log came to.
pub(crate) type OpenResult<D> = Result<(Log<D>, Recovery, Memory), tidewire_storage::Error>;

/// What lands in a shard's inbox.
pub(crate) enum ShardMessage<D: Disk = ServerDisk> {
    /// A request to a partition that this shard owns.
    Partition { topic: Arc<Topic>, partition: u32, origin: Origin, request: PartitionRequest },
    /// An answer for a connection of this shard.
    Answer { origin: Origin, answer: Answer },
    /// A log that an I/O thread opened.
    Opened { id: PartitionId, result: Box<OpenResult<D>> },
    /// A request to groups that this shard owns.
    Group { origin: Origin, request: Box<GroupRequest> },
    /// What the groups had to write is on the disk, or could not be written.
    GroupsWritten { result: Result<(), String> },
    /// Topics came, went or grew.
    CatalogChanged,
    /// Users, or what they may do, have changed.
    AccessChanged,
    /// A sync that an I/O thread ran.
    Synced { id: PartitionId, outcome: SyncOutcome },
    /// Batches that a thread read.
    Fetched { id: PartitionId, outcome: Box<FetchOutcome<D>> },
    /// A place that a thread looked up.
    LookedUp { id: PartitionId, outcome: Box<LookupOutcome<D>> },
    /// A start that an I/O thread wrote.
    Trimmed { id: PartitionId, outcome: TrimOutcome },
    /// The topic has other settings from now on; its partitions are to keep to them.
    TopicChanged(Arc<Topic>),
    /// A snapshot that an I/O thread wrote.
    Snapshot { id: PartitionId, outcome: SnapshotOutcome },
    /// The topic is gone from the catalog: let go of its partitions, then drop `done`.
    DropTopic { topic: u64, name: String, done: flume::Sender<()> },
    /// Drain and end.
    Stop,
    /// A connection that moves here.
    Connection(Box<MovedConnection>),
    /// A shard has no connections any more: see `Shared::serving_shards`.
    Drained,
}

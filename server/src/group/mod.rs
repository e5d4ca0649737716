//! Consumer groups and their stored offsets: a state machine, and the thread that stores.
//!
//! * `coordinator`: the groups of one shard. Time, the catalog and what was stored come in as
//!   arguments, answers and rows to store come out: no I/O, so that a simulator can drive it.
//! * `state`: one group: who has which partition, and how a partition goes from one member to
//!   the next.
//! * `members`: joining, leaving, being lost and coming back.
//! * `offsets`: storing, asking, resetting, deleting.
//! * `describe`: what is told of a group.
//! * `assign`: the pure function that divides partitions among members.
//! * `writer`: the one writer of the groups' file.
//!
//! A group lives on one shard, chosen by its name. Invariants: a partition has at most one
//! member, and only that member's offsets are stored; nothing is told before it is on the disk.

mod assign;
mod coordinator;
mod describe;
mod members;
mod offsets;
mod state;
#[cfg(test)]
mod tests;
pub(crate) mod writer;

use std::sync::Arc;

use tidewire_protocol::connection::Time;
use tidewire_protocol::error::Error;
use tidewire_protocol::message::{
    GroupCreateReply, GroupDescribeReply, GroupEvent, GroupInfo, GroupJoin, GroupJoinReply,
    GroupPartitionsReply, OffsetDelete, OffsetGet, OffsetGetReply, OffsetReset, OffsetStore,
    OffsetStoreReply, PartitionRef,
};
use tidewire_storage::Catalog;
use tidewire_storage::access::User;

pub(crate) use coordinator::{Coordinator, Limits};

use crate::message::Origin;

/// The world as it is when a coordinator is asked something.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    /// For timeouts.
    pub(crate) now: Time,
    /// Time of day, in microseconds since the Unix epoch.
    pub(crate) wall_us: i64,
    /// Which topics there are.
    pub(crate) catalog: &'a Catalog,
}

/// What a connection wants of a group. `member` is where events of a membership go.
pub(crate) enum GroupRequest {
    Create {
        name: String,
    },
    Delete {
        name: String,
    },
    Describe {
        name: String,
        after: u64,
    },
    /// Of the groups of one shard.
    List {
        after: String,
        /// Only those that this user may know of.
        user: Option<Arc<User>>,
    },
    Join {
        join: GroupJoin,
        member: Origin,
        client_name: String,
        address: String,
    },
    Leave {
        group: String,
        member: Origin,
        keep: bool,
    },
    /// The connection of a membership is gone.
    Detach {
        group: String,
        member: Origin,
    },
    Release {
        group: String,
        member: Origin,
        partitions: Vec<PartitionRef>,
    },
    Partitions {
        group: String,
        after: (String, String, u32),
    },
    Store(OffsetStore),
    Get(OffsetGet),
    Forget(OffsetDelete),
    Reset(OffsetReset),
}

impl GroupRequest {
    /// The name that says which shard has it; a list is of every shard.
    pub(crate) fn group(&self) -> &str {
        match self {
            Self::Create { name } | Self::Delete { name } | Self::Describe { name, .. } => name,
            Self::List { .. } => "",
            Self::Join { join, .. } => &join.group,
            Self::Leave { group, .. }
            | Self::Detach { group, .. }
            | Self::Release { group, .. }
            | Self::Partitions { group, .. } => group,
            Self::Store(store) => &store.group,
            Self::Get(get) => &get.group,
            Self::Forget(forget) => &forget.group,
            Self::Reset(reset) => &reset.group,
        }
    }
}

/// The shard that has a group.
pub(crate) fn shard_of(group: &str, shards: usize) -> usize {
    // FNV-1a: the same in every run, and good enough for names.
    let hash = group.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash % shards as u64) as usize
}

/// A request's answer.
#[derive(Debug)]
pub(crate) enum GroupReply {
    Create(GroupCreateReply),
    Describe(GroupDescribeReply),
    /// Groups of one shard by name, and whether there are more.
    List(Vec<GroupInfo>, bool),
    Join(GroupJoinReply),
    Partitions(GroupPartitionsReply),
    Store(OffsetStoreReply),
    Get(OffsetGetReply),
    /// Of `Delete`, `Leave`, `Release`, `Forget` and `Reset`.
    Done,
}

/// What a coordinator says.
#[derive(Debug)]
pub(crate) enum Output {
    /// The answer to a request.
    Answer(Origin, Result<GroupReply, Error>),
    /// Something changed for a member.
    Event(Origin, GroupEvent),
    /// A membership is over.
    Ended(Origin, Error),
}

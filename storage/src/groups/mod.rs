//! Groups on the disk: which there are, who belongs to them, and their stored offsets.
//!
//! A [`GroupStore`] is the one writer, on a redb file of its own (`groups.redb`), beside the
//! catalog: offsets are stored thousands of times a second, topics change rarely, and neither
//! should wait for the other. What a group means is left to the server: here it is rows. The
//! invariant: [`GroupStore::write`] puts all [`Writes`] that it is given on the disk as one
//! transaction, or none.

mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub(crate) use store::{FILE, LOCK_FILE};
pub use store::{GroupStore, check_groups};

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRow {
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// Counts how often its partitions were divided anew.
    pub generation: u32,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    /// Counts the instances that took this place.
    pub epoch: u32,
    /// The name that keeps its place; empty if it has none.
    pub name: String,
    /// The name of its client.
    pub client_name: String,
    /// How long it is waited for, in milliseconds.
    pub session_timeout_ms: u32,
    /// How long it may take to release a partition, in milliseconds.
    pub rebalance_timeout_ms: u32,
    /// Stream and name of the topics that it reads.
    pub topics: Vec<(String, String)>,
    /// What it has: a topic's number, a first partition and how many follow it without a gap.
    pub owned: Vec<(u64, u32, u32)>,
}

/// A stored offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetRow {
    /// Offset of the next record to read.
    pub offset: u64,
    /// When it was stored, in microseconds since the Unix epoch.
    pub commit_us: i64,
    /// What the consumer keeps beside it.
    pub note: String,
}

/// A group with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredGroup {
    /// Its name.
    pub name: String,
    /// The group itself.
    pub row: GroupRow,
    /// By number.
    pub members: BTreeMap<u64, MemberRow>,
    /// By topic's number and partition.
    pub offsets: BTreeMap<(u64, u32), OffsetRow>,
}

/// Rows to put (`Some`) or to remove (`None`). A later write of a row replaces an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// Groups that are removed, with their members and offsets, before the rest is written.
    pub cleared: BTreeSet<String>,
    /// By name.
    pub groups: BTreeMap<String, GroupRow>,
    /// By group and number.
    pub members: BTreeMap<(String, u64), Option<MemberRow>>,
    /// By group, topic's number and partition.
    pub offsets: BTreeMap<(String, u64, u32), Option<OffsetRow>>,
}

impl Writes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
            && self.members.is_empty()
            && self.offsets.is_empty()
            && self.cleared.is_empty()
    }

    /// Removes a group with all that belongs to it, and what these writes had for it.
    pub fn remove_group(&mut self, name: &str) {
        self.groups.remove(name);
        self.members.retain(|(group, _), _| group != name);
        self.offsets.retain(|(group, _, _), _| group != name);
        self.cleared.insert(name.to_owned());
    }

    /// These writes, followed by `later`.
    pub fn then(&mut self, later: Self) {
        for name in &later.cleared {
            self.remove_group(name);
        }
        self.groups.extend(later.groups);
        self.members.extend(later.members);
        self.offsets.extend(later.offsets);
    }
}

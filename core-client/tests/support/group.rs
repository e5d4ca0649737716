//! The one group of the server in this process: a membership whose partitions the test gives and
//! asks back.
//!
//! Owns what the group has decided and what its member did; leaves telling it to the connection.

use std::collections::{BTreeMap, BTreeSet};

use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::*;

/// What the test decides, and what came of it.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// What the member has, what is asked back among it.
    pub assigned: BTreeSet<u32>,
    /// What the member is asked for.
    pub revoked: BTreeSet<u32>,
    /// Offsets, by partition.
    pub stored: BTreeMap<u32, u64>,
    /// Number and epoch of each join.
    pub joins: Vec<(u64, u32)>,
    /// What the member gave back.
    pub released: Vec<u32>,
}

/// Number and epoch of the one member.
const MEMBER: (u64, u32) = (7, 1);

impl Group {
    /// The member joins, anew or again.
    pub(super) fn join(&mut self, join: &GroupJoin) -> Result<GroupJoinReply, Error> {
        let place = (join.member_id, join.member_epoch);
        self.joins.push(place);
        if place != (0, 0) && place != MEMBER {
            return Err(Error::new(Code::UNKNOWN_MEMBER, format!("no member {place:?}")));
        }
        Ok(GroupJoinReply { member_id: MEMBER.0, member_epoch: MEMBER.1, generation: 1 })
    }

    /// All that the member has.
    pub(super) fn all(&self, topic: &TopicRef, topic_id: u64) -> GroupEvent {
        let assigned = self.assigned.difference(&self.revoked).map(|&partition| {
            let offset = self.stored.get(&partition).copied();
            AssignedPartition {
                stream: topic.stream.clone(),
                topic: topic.topic.clone(),
                partition,
                topic_id,
                stored: offset.is_some(),
                offset: offset.unwrap_or(0),
            }
        });
        GroupEvent { assigned: assigned.collect(), ..revocation(topic, &self.revoked) }
    }

    /// The member gives partitions back; what was not asked for has no effect.
    pub(super) fn release(&mut self, release: &GroupRelease) {
        for PartitionRef { partition, .. } in &release.partitions {
            if self.revoked.remove(partition) {
                self.assigned.remove(partition);
                self.released.push(*partition);
            }
        }
    }

    /// The member's offsets.
    pub(super) fn store(&mut self, store: &OffsetStore) -> OffsetStoreReply {
        let results = store.offsets.iter().map(|row| {
            if (store.member_id, store.member_epoch) != MEMBER {
                return StoreResult { code: Code::UNKNOWN_MEMBER.0, offset: 0 };
            }
            if !self.assigned.contains(&row.partition) {
                return StoreResult { code: Code::NOT_ASSIGNED.0, offset: 0 };
            }
            let stored = self.stored.entry(row.partition).or_default();
            *stored = row.offset.max(*stored);
            StoreResult { code: 0, offset: *stored }
        });
        OffsetStoreReply { results: results.collect() }
    }
}

/// That partitions are asked back.
pub(super) fn revocation(topic: &TopicRef, partitions: &BTreeSet<u32>) -> GroupEvent {
    let revoked = partitions.iter().map(|&partition| PartitionRef {
        stream: topic.stream.clone(),
        topic: topic.topic.clone(),
        partition,
    });
    GroupEvent {
        generation: 1,
        complete: true,
        assigned: Vec::new(),
        revoked: revoked.collect(),
        removed: Vec::new(),
    }
}

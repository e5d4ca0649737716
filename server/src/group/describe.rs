//! What is told of groups: lists in pages, from memory.

use std::collections::BTreeMap;
use std::ops::Bound;

use tidewire_protocol::limits;
use tidewire_protocol::message::{
    GroupDescribeReply, GroupInfo, GroupMember, GroupPartition, GroupPartitionsReply,
    GroupState, TopicRef,
};

use tidewire_storage::access::User;

use super::GroupReply;
use super::assign::Place;
use super::coordinator::Coordinator;
use super::state::{Group, Member};
use crate::session::page;

impl Coordinator {
    pub(super) fn list(&self, after: &str, user: Option<&User>) -> GroupReply {
        let groups = self.groups.range::<str, _>((Bound::Excluded(after), Bound::Unbounded));
        // Before the page is cut: one that is empty has no name to go on from.
        let groups = groups
            .filter(|(name, _)| user.is_none_or(|user| !user.group_rights(name).is_empty()));
        let (groups, more) = page(groups.map(|(name, group)| (name.len(), group.info(name))));
        GroupReply::List(groups, more)
    }
}

#[cfg(feature = "sim")]
impl Coordinator {
    /// Number and epoch of who has a partition of a topic in a group, and what is stored for it.
    pub(crate) fn offset(
        &self,
        group: &str,
        topic: &str,
        partition: u32,
    ) -> (Option<(u64, u32)>, Option<u64>) {
        let Some(group) = self.groups.get(group) else { return (None, None) };
        let found = group.topics.iter().find(|(_, (_, name))| name == topic);
        let Some((&topic, _)) = found else { return (None, None) };
        let place = Place { topic, partition };
        let owner = group.owners.get(&place).and_then(|&id| {
            let member = group.members.get(&id)?;
            Some((id, member.epoch))
        });
        (owner, group.offsets.get(&place).map(|row| row.offset))
    }

    /// The epoch of a member of a group, if there is such a member.
    pub(crate) fn member(&self, group: &str, id: u64) -> Option<u32> {
        self.groups.get(group)?.members.get(&id).map(|member| member.epoch)
    }
}

impl Group {
    pub(super) fn info(&self, name: &str) -> GroupInfo {
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let state = if self.members.is_empty() {
            GroupState::Empty
        } else if self.target == self.owners
            && self.members.values().all(|member| member.revoking.is_empty())
        {
            GroupState::Stable
        } else {
            GroupState::Rebalancing
        };
        GroupInfo {
            name: name.to_owned(),
            created_us: self.row.created_us,
            state,
            generation: self.row.generation,
            members: count(self.members.len()),
            partitions: count(self.target.len()),
            offsets: count(self.offsets.len()),
        }
    }

    pub(super) fn describe(&self, name: &str, after: u64) -> GroupReply {
        let members = self.members.range((Bound::Excluded(after), Bound::Unbounded));
        let (members, more) = page(members.map(|(&id, member)| {
            let info = member_info(id, member);
            let topics: usize =
                info.topics.iter().map(|topic| topic.stream.len() + topic.topic.len()).sum();
            let names = info.member_name.len() + info.client_name.len() + info.address.len();
            (names + topics + 4 * info.topics.len(), info)
        }));
        GroupReply::Describe(GroupDescribeReply { group: self.info(name), members, more })
    }

    /// Partitions that members read or that have offsets, by name.
    pub(super) fn partitions(&self, after: &(String, String, u32)) -> GroupReply {
        let by_name: BTreeMap<(&str, &str), u64> = self
            .topics
            .iter()
            .map(|(&id, (stream, topic))| ((stream.as_str(), topic.as_str()), id))
            .collect();
        let first = (after.0.as_str(), after.1.as_str());
        let items = by_name.range(first..).flat_map(|(&(stream, topic), &id)| {
            let from = if (stream, topic) == first {
                Bound::Excluded(Place { topic: id, partition: after.2 })
            } else {
                Bound::Included(Place { topic: id, partition: 0 })
            };
            let to = Bound::Included(Place { topic: id, partition: u32::MAX });
            let mut places: Vec<Place> = self
                .target
                .range((from, to))
                .map(|(&place, _)| place)
                .take(limits::MAX_LIST_ITEMS as usize + 1)
                .collect();
            let owned = self.owners.range((from, to)).map(|(&place, _)| place);
            places.extend(owned.take(limits::MAX_LIST_ITEMS as usize + 1));
            let stored = self.offsets.range((from, to)).map(|(&place, _)| place);
            places.extend(stored.take(limits::MAX_LIST_ITEMS as usize + 1));
            places.sort_unstable();
            places.dedup();
            places.into_iter().map(move |place| {
                (stream.len() + topic.len(), self.partition_info(stream, topic, place))
            })
        });
        let (partitions, more) = page(items);
        GroupReply::Partitions(GroupPartitionsReply { partitions, more })
    }

    fn partition_info(&self, stream: &str, topic: &str, place: Place) -> GroupPartition {
        let owner = self.owners.get(&place).copied().unwrap_or(0);
        let member = self.members.get(&owner);
        let stored = self.offsets.get(&place);
        GroupPartition {
            stream: stream.to_owned(),
            topic: topic.to_owned(),
            partition: place.partition,
            member_id: owner,
            revoking: member.is_some_and(|member| member.revoking.contains(&place)),
            stored: stored.is_some(),
            offset: stored.map_or(0, |row| row.offset),
            commit_us: stored.map_or(0, |row| row.commit_us),
        }
    }
}

fn member_info(id: u64, member: &Member) -> GroupMember {
    let topics = member
        .topics
        .iter()
        .map(|(stream, topic)| TopicRef { stream: stream.clone(), topic: topic.clone() });
    GroupMember {
        member_id: id,
        member_epoch: member.epoch,
        member_name: member.name.clone(),
        client_name: member.client_name.clone(),
        address: member.address.clone(),
        connected: member.attached.is_some(),
        session_timeout_ms: member.session_timeout_ms,
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        partitions: u32::try_from(member.owned.len()).unwrap_or(u32::MAX),
        topics: topics.collect(),
    }
}

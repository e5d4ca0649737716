//! Groups and stored offsets, from outside: listing, describing, resetting, deleting.
//!
//! Owns the requests that need no membership. The one invariant: a list is complete or an error;
//! pages are put together here, and long lists of partitions are sent in parts.

use tidewire_protocol::limits;
use tidewire_protocol::message::{
    GroupCreate, GroupDelete, GroupDescribe, GroupInfo, GroupList, GroupMember, GroupPartition,
    GroupPartitions, OffsetDelete, OffsetGet, OffsetReset, PartitionRef, ResetOffset,
};
use tidewire_protocol::name::{TopicName, check_name};

use crate::Start;
use crate::admin::check_progress;
use crate::client::{Client, topic_name};
use crate::error::{Code, Error};

/// Most partitions that one request names; with the longest names they fit into a frame's meta.
const PART: usize = 64;

/// A group, its members and what they do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GroupDescription {
    /// The group.
    pub info: GroupInfo,
    /// Its members, by number.
    pub members: Vec<GroupMember>,
    /// Partitions that members read, or that have offsets, by stream, topic and number.
    pub partitions: Vec<GroupPartition>,
}

/// An offset that is stored for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommittedOffset {
    /// Offset of the next record to read.
    pub offset: u64,
    /// When it was stored, in microseconds since the Unix epoch.
    pub commit_us: i64,
    /// What the consumer keeps beside it.
    pub note: String,
}

impl Client {
    /// Creates a group without members. Joining one, and storing offsets, does so too.
    ///
    /// # Errors
    /// `GROUP_EXISTS`, `INVALID_NAME`, `TOO_MANY_GROUPS`.
    pub async fn create_group(&self, group: &str) -> Result<GroupInfo, Error> {
        check_name("group", group)?;
        let request = GroupCreate { name: group.to_owned() };
        Ok(self.link.request(&request).await?.group)
    }

    /// Lists all groups and named consumers, by name.
    pub async fn list_groups(&self) -> Result<Vec<GroupInfo>, Error> {
        let mut groups: Vec<GroupInfo> = Vec::new();
        loop {
            let after = groups.last().map(|group| group.name.clone()).unwrap_or_default();
            let page = self.link.query(&GroupList { after: after.clone() }).await?;
            let first = page.groups.first().map(|group| &group.name);
            let more = page.more && check_progress("groups", first > Some(&after))?;
            groups.extend(page.groups);
            if !more {
                return Ok(groups);
            }
        }
    }

    /// Describes a group, its members and partitions. It is not one moment: the group may change
    /// between the pages.
    ///
    /// # Errors
    /// `GROUP_NOT_FOUND`.
    pub async fn describe_group(&self, group: &str) -> Result<GroupDescription, Error> {
        let mut members: Vec<GroupMember> = Vec::new();
        let info = loop {
            let after = members.last().map_or(0, |member| member.member_id);
            let request = GroupDescribe { name: group.to_owned(), after };
            let page = self.link.query(&request).await?;
            let first = page.members.first().map(|member| member.member_id);
            let more = page.more && check_progress("members", first > Some(after))?;
            members.extend(page.members);
            if !more {
                break page.group;
            }
        };
        let mut partitions: Vec<GroupPartition> = Vec::new();
        loop {
            let last = partitions.last();
            let request = GroupPartitions {
                group: group.to_owned(),
                after_stream: last.map(|last| last.stream.clone()).unwrap_or_default(),
                after_topic: last.map(|last| last.topic.clone()).unwrap_or_default(),
                after_partition: last.map_or(0, |last| last.partition),
            };
            let page = self.link.query(&request).await?;
            let place = |p: &GroupPartition| (p.stream.clone(), p.topic.clone(), p.partition);
            let next = page.partitions.first().map(place);
            let leads_on = next > last.map(place);
            let more = page.more && check_progress("partitions", leads_on)?;
            partitions.extend(page.partitions);
            if !more {
                return Ok(GroupDescription { info, members, partitions });
            }
        }
    }

    /// Deletes a group and its offsets.
    ///
    /// # Errors
    /// `GROUP_NOT_FOUND`; `GROUP_NOT_EMPTY` while it has members.
    pub async fn delete_group(&self, group: &str) -> Result<(), Error> {
        let request = GroupDelete { name: group.to_owned() };
        self.link.request(&request).await.map(drop)
    }

    /// What a group, or a named consumer, has stored for each partition of a topic, in order.
    ///
    /// # Errors
    /// `GROUP_NOT_FOUND`, `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`.
    pub async fn committed(
        &self,
        group: &str,
        topic: &str,
    ) -> Result<Vec<Option<CommittedOffset>>, Error> {
        let name = topic_name(topic)?;
        let count = self.describe_topic(topic).await?.partitions;
        let partitions: Vec<u32> = (0..count).collect();
        self.committed_of(group, &name, &partitions).await
    }

    pub(crate) async fn committed_of(
        &self,
        group: &str,
        topic: &TopicName,
        partitions: &[u32],
    ) -> Result<Vec<Option<CommittedOffset>>, Error> {
        let mut all = Vec::with_capacity(partitions.len());
        for part in partitions.chunks(PART) {
            let partitions = part.iter().map(|&partition| reference(topic, partition));
            let request =
                OffsetGet { group: group.to_owned(), partitions: partitions.collect() };
            let found = self.link.query(&request).await?.offsets;
            if found.len() != part.len() {
                return Err(Error::new(
                    Code::MALFORMED_META,
                    format!("the server told {} of {} offsets", found.len(), part.len()),
                ));
            }
            all.extend(found.into_iter().map(|found| {
                found.stored.then_some(CommittedOffset {
                    offset: found.offset,
                    commit_us: found.commit_us,
                    note: found.note,
                })
            }));
        }
        Ok(all)
    }

    /// Sets where a group goes on in the partitions of a topic (all if `partitions` is `None`),
    /// also backwards. With `force` also while it has members: they are sent to the new place.
    /// The offsets that it goes on at, by partition; of [`Start::Offset`] the nearest that there
    /// is.
    ///
    /// # Errors
    /// `GROUP_NOT_FOUND`; `GROUP_NOT_EMPTY` while it has members, unless forced;
    /// `PARTITION_NOT_FOUND`, `TOPIC_NOT_FOUND`.
    pub async fn reset_offsets(
        &self,
        group: &str,
        topic: &str,
        partitions: Option<&[u32]>,
        to: Start,
        force: bool,
    ) -> Result<Vec<(u32, u64)>, Error> {
        let name = topic_name(topic)?;
        // An offset that the partition does not hold is moved to the nearest that it does.
        let looked_up = if matches!(to, Start::Offset(_)) { Start::Earliest } else { to };
        let infos = self.partitions_at(topic, looked_up).await?;
        let wanted: Vec<u32> = match partitions {
            Some(partitions) => partitions.to_vec(),
            None => infos.iter().map(|info| info.partition).collect(),
        };
        let mut offsets = Vec::with_capacity(wanted.len());
        for partition in wanted {
            let Some(info) = infos.get(partition as usize) else {
                let count = infos.len();
                let text = format!(
                    "partition {partition} of {name} does not exist: it has {count}, from 0"
                );
                return Err(Error::new(Code::PARTITION_NOT_FOUND, text));
            };
            let offset = match to {
                Start::Offset(offset) => offset.clamp(info.start_offset, info.end_offset),
                _ => info.found_offset,
            };
            offsets.push((partition, offset));
        }
        for part in offsets.chunks(PART) {
            let reset = |&(partition, offset): &(u32, u64)| ResetOffset {
                stream: name.stream().to_owned(),
                topic: name.topic().to_owned(),
                partition,
                offset,
            };
            let offsets = part.iter().map(reset).collect();
            let request = OffsetReset { group: group.to_owned(), force, offsets };
            self.link.request(&request).await?;
        }
        Ok(offsets)
    }

    /// Forgets what a group has stored for the partitions of a topic (all if `partitions` is
    /// `None`).
    ///
    /// # Errors
    /// `GROUP_NOT_FOUND`; `GROUP_NOT_EMPTY` if a member reads one of them.
    pub async fn delete_offsets(
        &self,
        group: &str,
        topic: &str,
        partitions: Option<&[u32]>,
    ) -> Result<(), Error> {
        let name = topic_name(topic)?;
        let all: Vec<u32> = match partitions {
            Some(partitions) => partitions.to_vec(),
            None => (0..self.describe_topic(topic).await?.partitions).collect(),
        };
        for part in all.chunks(PART) {
            let partitions = part.iter().map(|&partition| reference(&name, partition));
            let request =
                OffsetDelete { group: group.to_owned(), partitions: partitions.collect() };
            self.link.request(&request).await?;
        }
        Ok(())
    }
}

fn reference(topic: &TopicName, partition: u32) -> PartitionRef {
    PartitionRef {
        stream: topic.stream().to_owned(),
        topic: topic.topic().to_owned(),
        partition,
    }
}

const _: () = assert!(PART <= limits::MAX_LIST_ITEMS as usize);

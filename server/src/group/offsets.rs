//! Stored offsets: of a group's members, or of a named consumer, which is a group without any.
//!
//! Invariant: storing never moves an offset back, and only the owner of a partition moves it;
//! resetting does both, and then the owner is sent to the new place.

use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits;
use tidewire_protocol::message::{
    FoundOffset, OffsetGet, OffsetGetReply, OffsetReset, OffsetStore, OffsetStoreReply,
    PartitionRef, StoreOffset, StoreResult,
};
use tidewire_storage::Topic;
use tidewire_storage::groups::OffsetRow;

use super::assign::Place;
use super::coordinator::{Coordinator, Effects};
use super::state::Group;
use super::{GroupReply, World};

impl Coordinator {
    // SPEC O-1, O-2, O-3, O-4
    pub(super) fn store(
        &mut self,
        store: &OffsetStore,
        effects: &mut Effects<'_>,
    ) -> Result<GroupReply, Error> {
        check_len(store.offsets.len())?;
        let limit = self.limits.partitions;
        let name = &store.group;
        if store.member_id == 0 {
            self.open(name, effects)?.check_no_members(name)?;
        } else {
            let Some(group) = self.groups.get(name) else {
                let text = format!("group \"{name}\" does not exist, nor its members");
                return Err(Error::new(Code::UNKNOWN_MEMBER, text));
            };
            group.check_member(name, store.member_id, store.member_epoch)?;
        }
        let group = self.known(name)?;
        if let Some(member) = group.members.get_mut(&store.member_id) {
            member.confirmed = true;
        }
        let results = store
            .offsets
            .iter()
            .map(|offset| {
                let done = group.store(name, store.member_id, offset, limit, effects);
                match done {
                    Ok(offset) => StoreResult { code: 0, offset },
                    Err((code, offset)) => StoreResult { code: code.0, offset },
                }
            })
            .collect();
        Ok(GroupReply::Store(OffsetStoreReply { results }))
    }
}

impl Group {
    /// Stores one offset. Returns what is stored then, or why it is not, and what is.
    fn store(
        &mut self,
        name: &str,
        member: u64,
        store: &StoreOffset,
        limit: usize,
        effects: &mut Effects<'_>,
    ) -> Result<u64, (Code, u64)> {
        let StoreOffset { stream, topic, partition, topic_id, offset, note } = store;
        let place =
            place(effects.world, stream, topic, *partition).map_err(|error| (error.code, 0))?;
        if *topic_id != 0 && *topic_id != place.topic {
            // It was read from a topic of the same name, which was deleted.
            return Err((Code::TOPIC_NOT_FOUND, 0));
        }
        let stored = self.offsets.get(&place);
        let now = stored.map_or(0, |row| row.offset);
        if member != 0 {
            let own = self.owners.get(&place) == Some(&member);
            let reset = self.members.get(&member).is_some_and(|m| m.reset.contains(&place));
            if !own || reset {
                return Err((Code::NOT_ASSIGNED, now));
            }
        }
        if note.len() > limits::MAX_OFFSET_NOTE_LEN as usize
            || stored.is_none() && self.offsets.len() >= limit
        {
            return Err((Code::INVALID_ARGUMENT, now));
        }
        if stored.is_some_and(|row| {
            row.offset > *offset || row.offset == *offset && row.note == *note
        }) {
            return Ok(now);
        }
        let row =
            OffsetRow { offset: *offset, commit_us: effects.world.wall_us, note: note.clone() };
        self.put(name, place, (stream, topic), row, effects);
        Ok(*offset)
    }

    fn put(
        &mut self,
        name: &str,
        place: Place,
        (stream, topic): (&str, &str),
        row: OffsetRow,
        effects: &mut Effects<'_>,
    ) {
        let key = (name.to_owned(), place.topic, place.partition);
        effects.writes.offsets.insert(key, Some(row.clone()));
        self.topics.entry(place.topic).or_insert_with(|| (stream.to_owned(), topic.to_owned()));
        self.offsets.insert(place, row);
    }

    // SPEC O-5
    pub(super) fn get(&self, get: &OffsetGet, world: World<'_>) -> Result<GroupReply, Error> {
        check_len(get.partitions.len())?;
        let found = |partition: &PartitionRef| {
            let PartitionRef { stream, topic, partition } = partition;
            let place = place(world, stream, topic, *partition)?;
            let row = self.offsets.get(&place);
            Ok(FoundOffset {
                stored: row.is_some(),
                offset: row.map_or(0, |row| row.offset),
                commit_us: row.map_or(0, |row| row.commit_us),
                note: row.map_or_else(String::new, |row| row.note.clone()),
            })
        };
        let offsets = get.partitions.iter().map(found).collect::<Result<_, Error>>()?;
        Ok(GroupReply::Get(OffsetGetReply { offsets }))
    }

    // SPEC O-7
    pub(super) fn forget(
        &mut self,
        name: &str,
        partitions: &[PartitionRef],
        effects: &mut Effects<'_>,
    ) -> Result<GroupReply, Error> {
        check_len(partitions.len())?;
        let places = partitions
            .iter()
            .map(|PartitionRef { stream, topic, partition }| {
                let place = place(effects.world, stream, topic, *partition)?;
                match self.owners.get(&place) {
                    None => Ok(place),
                    Some(member) => Err(Error::new(
                        Code::GROUP_NOT_EMPTY,
                        format!(
                            "partition {partition} of {stream}/{topic} is read by member \
                             {member} of group \"{name}\""
                        ),
                    )),
                }
            })
            .collect::<Result<Vec<Place>, Error>>()?;
        for place in places {
            if self.offsets.remove(&place).is_some() {
                let key = (name.to_owned(), place.topic, place.partition);
                effects.writes.offsets.insert(key, None);
            }
        }
        Ok(GroupReply::Done)
    }

    // SPEC O-6
    pub(super) fn reset(
        &mut self,
        reset: &OffsetReset,
        limit: usize,
        effects: &mut Effects<'_>,
    ) -> Result<GroupReply, Error> {
        check_len(reset.offsets.len())?;
        let name = &reset.group;
        if !reset.force {
            self.check_no_members(name)?;
        }
        let places = reset
            .offsets
            .iter()
            .map(|at| place(effects.world, &at.stream, &at.topic, at.partition))
            .collect::<Result<Vec<Place>, Error>>()?;
        let new = places.iter().filter(|place| !self.offsets.contains_key(place)).count();
        if self.offsets.len() + new > limit {
            let text = format!("group \"{name}\" has offsets of too many partitions: {limit}");
            return Err(Error::new(Code::INVALID_ARGUMENT, text));
        }
        for (at, place) in reset.offsets.iter().zip(places) {
            let row = OffsetRow {
                offset: at.offset,
                commit_us: effects.world.wall_us,
                note: String::new(),
            };
            self.put(name, place, (&at.stream, &at.topic), row, effects);
            let Some(&owner) = self.owners.get(&place) else { continue };
            // What it read up to now counts no more; once it has let go it gets the new place.
            self.revoke(place, owner, effects);
            if let Some(member) = self.members.get_mut(&owner)
                && member.revoking.contains(&place)
            {
                member.reset.insert(place);
            }
        }
        Ok(GroupReply::Done)
    }
}

fn check_len(items: usize) -> Result<(), Error> {
    let most = limits::MAX_LIST_ITEMS as usize;
    if items <= most {
        return Ok(());
    }
    Err(Error::new(
        Code::INVALID_ARGUMENT,
        format!("{items} partitions in one request: the limit is {most}"),
    ))
}

/// A topic as the catalog has it now.
pub(super) fn topic<'a>(
    world: World<'a>,
    stream: &str,
    topic: &str,
) -> Result<&'a Topic, Error> {
    if let Some(found) = world.catalog.topic(stream, topic) {
        return Ok(found);
    }
    Err(if world.catalog.stream(stream).is_some() {
        Error::new(
            Code::TOPIC_NOT_FOUND,
            format!("topic \"{topic}\" does not exist in stream \"{stream}\""),
        )
    } else {
        Error::new(Code::STREAM_NOT_FOUND, format!("stream \"{stream}\" does not exist"))
    })
}

fn place(
    world: World<'_>,
    stream: &str,
    topic_name: &str,
    partition: u32,
) -> Result<Place, Error> {
    let topic = topic(world, stream, topic_name)?;
    if partition < topic.partitions {
        return Ok(Place { topic: topic.id, partition });
    }
    Err(Error::new(
        Code::PARTITION_NOT_FOUND,
        format!(
            "partition {partition} does not exist: {stream}/{topic_name} has partitions 0 to {}",
            topic.partitions - 1
        ),
    ))
}

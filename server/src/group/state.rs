//! One group: who has which partition, and how a partition goes from one member to the next.
//!
//! `target` is the division that [`assign`](super::assign) wants, `owners` the one that is. A
//! partition that must move is *revoked* from its owner, who *releases* it after its last commit;
//! then it is *granted* to its target. All others go on undisturbed. An owner that does not
//! release in time loses its membership, and with it everything it has.

use std::collections::{BTreeMap, BTreeSet};

use tidewire_protocol::connection::Time;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits;
use tidewire_protocol::message::{AssignedPartition, GroupEvent, PartitionRef};
use tidewire_storage::groups::{GroupRow, MemberRow, OffsetRow, StoredGroup};

use super::Output;
use super::assign::{Place, assign};
use super::coordinator::Effects;
use crate::message::Origin;

/// Bytes of names in one event, so that its meta stays within the limit.
const EVENT_NAME_BYTES: usize = limits::MAX_META_LEN as usize / 2;

/// Stream and name of a topic.
pub(super) type TopicName = (String, String);

/// A group of consumers.
pub(super) struct Group {
    pub(super) row: GroupRow,
    pub(super) members: BTreeMap<u64, Member>,
    /// Members that keep their place by name.
    pub(super) by_name: BTreeMap<String, u64>,
    /// Members that have a connection.
    pub(super) attached: BTreeMap<Origin, u64>,
    pub(super) target: BTreeMap<Place, u64>,
    pub(super) owners: BTreeMap<Place, u64>,
    pub(super) offsets: BTreeMap<Place, OffsetRow>,
    /// Of all topics that members read or that have offsets, those that exist, by number.
    pub(super) topics: BTreeMap<u64, TopicName>,
    /// Partitions of the topics that members read, by the topics' numbers.
    pub(super) counts: BTreeMap<u64, u32>,
    /// Members came, went or changed, or topics did: the division has to be made anew.
    pub(super) unbalanced: bool,
    /// Members whose row or news may have changed.
    pub(super) touched: BTreeSet<u64>,
}

/// A member of a group.
pub(super) struct Member {
    pub(super) epoch: u32,
    pub(super) name: String,
    pub(super) client_name: String,
    pub(super) address: String,
    pub(super) session_timeout_ms: u32,
    pub(super) rebalance_timeout_ms: u32,
    pub(super) topics: BTreeSet<TopicName>,
    pub(super) owned: BTreeSet<Place>,
    /// What it was asked to release.
    pub(super) revoking: BTreeSet<Place>,
    /// Of `revoking`, what was reset meanwhile: its offsets count no more.
    pub(super) reset: BTreeSet<Place>,
    /// When it must have released what it was asked to, while it has a connection.
    pub(super) release_by: Option<Time>,
    /// When it is given up, while it has no connection.
    pub(super) away_until: Option<Time>,
    pub(super) attached: Option<Origin>,
    /// It has shown that it knows its number: it may come back.
    pub(super) confirmed: bool,
    /// It has to be told all that it has.
    pub(super) untold: bool,
    pub(super) news: News,
    /// Its row has changed.
    pub(super) dirty: bool,
}

/// What a member has to be told.
#[derive(Default)]
pub(super) struct News {
    pub(super) assigned: BTreeSet<Place>,
    pub(super) revoked: BTreeSet<Place>,
    /// By name: their topics may be gone.
    pub(super) removed: Vec<PartitionRef>,
}

impl Group {
    pub(super) fn new(created_us: i64) -> Self {
        Self {
            row: GroupRow { created_us, generation: 0 },
            members: BTreeMap::new(),
            by_name: BTreeMap::new(),
            attached: BTreeMap::new(),
            target: BTreeMap::new(),
            owners: BTreeMap::new(),
            offsets: BTreeMap::new(),
            topics: BTreeMap::new(),
            counts: BTreeMap::new(),
            unbalanced: false,
            touched: BTreeSet::new(),
        }
    }

    /// A group as it was stored: its members are away. What belongs to topics that are gone is
    /// forgotten.
    pub(super) fn load(stored: StoredGroup, effects: &mut Effects<'_>) -> Self {
        let StoredGroup { name, row, members, offsets } = stored;
        let mut group = Self { row, unbalanced: true, ..Self::new(0) };
        let known: BTreeMap<u64, TopicName> = effects
            .world
            .catalog
            .topics()
            .map(|topic| (topic.id, (topic.stream.clone(), topic.name.clone())))
            .collect();
        for (id, row) in members {
            let mut member = Member::load(row);
            member.owned.retain(|place| known.contains_key(&place.topic));
            for &place in &member.owned {
                group.owners.insert(place, id);
                group.topics.insert(place.topic, known[&place.topic].clone());
            }
            member.away(effects.world.now, id, effects);
            if !member.name.is_empty() {
                group.by_name.insert(member.name.clone(), id);
            }
            group.members.insert(id, member);
        }
        for ((topic, partition), row) in offsets {
            let place = Place { topic, partition };
            if let Some(found) = known.get(&topic) {
                group.topics.insert(topic, found.clone());
                group.offsets.insert(place, row);
            } else {
                effects.writes.offsets.insert((name.clone(), topic, partition), None);
            }
        }
        group
    }

    /// Ends a change: divides anew if need be, stores what changed, and tells members.
    pub(super) fn settle(&mut self, name: &str, effects: &mut Effects<'_>) {
        if std::mem::take(&mut self.unbalanced) {
            self.balance(name, effects);
        }
        for id in std::mem::take(&mut self.touched) {
            // It may have left since.
            let Some(member) = self.members.get_mut(&id) else { continue };
            if std::mem::take(&mut member.dirty) {
                effects.writes.members.insert((name.to_owned(), id), Some(member.row()));
            }
            self.tell(id, effects);
        }
    }

    /// Makes the division anew and starts what leads to it.
    fn balance(&mut self, name: &str, effects: &mut Effects<'_>) {
        self.resolve(effects);
        let members = self
            .members
            .iter()
            .map(|(&id, member)| {
                let read = member.topics.iter().filter_map(|(stream, topic)| {
                    effects.world.catalog.topic(stream, topic).map(|found| found.id)
                });
                (id, read.collect())
            })
            .collect();
        // Where a partition is on its way from one member to another, it belongs to the other.
        let mut before = self.owners.clone();
        before.extend(self.target.iter().map(|(&place, &member)| (place, member)));
        self.target = assign(&members, &self.counts, &before);
        self.row.generation = self.row.generation.saturating_add(1);
        effects.writes.groups.insert(name.to_owned(), self.row.clone());
        let misplaced: Vec<(Place, u64)> = self
            .owners
            .iter()
            .filter(|(place, owner)| self.target.get(place) != Some(*owner))
            .map(|(&place, &owner)| (place, owner))
            .collect();
        for (place, owner) in misplaced {
            self.revoke(place, owner, effects);
        }
        let free: Vec<Place> = self
            .target
            .keys()
            .filter(|place| !self.owners.contains_key(place))
            .copied()
            .collect();
        for place in free {
            self.grant(place);
        }
    }

    /// Looks up how many partitions the topics have that members read.
    fn resolve(&mut self, effects: &Effects<'_>) {
        self.counts.clear();
        for (stream, topic) in self.members.values().flat_map(|member| &member.topics) {
            if let Some(found) = effects.world.catalog.topic(stream, topic) {
                self.counts.insert(found.id, found.partitions);
                self.topics.entry(found.id).or_insert_with(|| (stream.clone(), topic.clone()));
            }
        }
    }

    /// Asks an owner to release a partition.
    pub(super) fn revoke(&mut self, place: Place, owner: u64, effects: &mut Effects<'_>) {
        let Some(member) = self.members.get_mut(&owner) else { return };
        if member.revoking.contains(&place) {
            return;
        }
        self.touched.insert(owner);
        if !member.untold && member.news.assigned.remove(&place) {
            // It was never told that it had it.
            self.free(place, owner);
            self.grant(place);
            return;
        }
        member.revoking.insert(place);
        member.news.revoked.insert(place);
        if member.attached.is_some() && member.release_by.is_none() {
            member.must_release(owner, effects);
        }
    }

    /// A partition has no owner any more.
    pub(super) fn free(&mut self, place: Place, owner: u64) {
        self.owners.remove(&place);
        self.touched.insert(owner);
        if let Some(member) = self.members.get_mut(&owner) {
            member.owned.remove(&place);
            member.revoking.remove(&place);
            member.reset.remove(&place);
            member.dirty = true;
            if member.revoking.is_empty() {
                member.release_by = None;
            }
        }
    }

    /// Gives a partition without an owner to whom it belongs.
    pub(super) fn grant(&mut self, place: Place) {
        let Some(&target) = self.target.get(&place) else { return };
        let Some(member) = self.members.get_mut(&target) else { return };
        self.owners.insert(place, target);
        self.touched.insert(target);
        member.owned.insert(place);
        member.news.assigned.insert(place);
        member.dirty = true;
    }

    /// Takes a member out of the group, with all that it has.
    pub(super) fn remove(&mut self, name: &str, id: u64, effects: &mut Effects<'_>) {
        let Some(member) = self.members.remove(&id) else { return };
        if let Some(origin) = member.attached {
            self.attached.remove(&origin);
        }
        if !member.name.is_empty() {
            self.by_name.remove(&member.name);
        }
        for place in member.owned {
            self.owners.remove(&place);
        }
        effects.writes.members.insert((name.to_owned(), id), None);
        self.unbalanced = true;
    }

    /// A member's time may be up.
    pub(super) fn expire(&mut self, name: &str, id: u64, effects: &mut Effects<'_>) {
        let now = effects.world.now;
        let Some(member) = self.members.get(&id) else { return };
        if member.away_until.is_some_and(|until| now >= until) {
            self.remove(name, id, effects);
        } else if member.release_by.is_some_and(|by| now >= by) {
            let text = format!(
                "member {id} of group \"{name}\" did not release {} partitions within {} ms",
                member.revoking.len(),
                member.rebalance_timeout_ms
            );
            if let Some(origin) = member.attached {
                effects
                    .outputs
                    .push(Output::Ended(origin, Error::new(Code::UNKNOWN_MEMBER, text)));
            }
            self.remove(name, id, effects);
        }
    }

    /// Topics came, went or grew.
    pub(super) fn catalog_changed(&mut self, name: &str, effects: &mut Effects<'_>) {
        let catalog = effects.world.catalog;
        let gone: BTreeMap<u64, TopicName> = self
            .topics
            .iter()
            .filter(|(id, (stream, topic))| {
                catalog.topic(stream, topic).is_none_or(|found| found.id != **id)
            })
            .map(|(&id, name)| (id, name.clone()))
            .collect();
        for (id, (stream, topic)) in &gone {
            self.forget_topic(name, *id, stream, topic, effects);
        }
        let before = std::mem::take(&mut self.counts);
        self.resolve(effects);
        if self.counts != before || !gone.is_empty() {
            self.unbalanced = !self.members.is_empty();
        }
    }

    /// Drops everything that belongs to a topic that is gone.
    fn forget_topic(
        &mut self,
        name: &str,
        id: u64,
        stream: &str,
        topic: &str,
        effects: &mut Effects<'_>,
    ) {
        let places =
            Place { topic: id, partition: 0 }..=Place { topic: id, partition: u32::MAX };
        let owned: Vec<(Place, u64)> =
            self.owners.range(places.clone()).map(|(&place, &owner)| (place, owner)).collect();
        for (place, owner) in owned {
            self.free(place, owner);
            if let Some(member) = self.members.get_mut(&owner) {
                member.news.revoked.remove(&place);
                if !member.news.assigned.remove(&place) {
                    member.news.removed.push(PartitionRef {
                        stream: stream.to_owned(),
                        topic: topic.to_owned(),
                        partition: place.partition,
                    });
                }
            }
        }
        self.target.retain(|place, _| place.topic != id);
        let stored: Vec<Place> = self.offsets.range(places).map(|(&place, _)| place).collect();
        for place in stored {
            self.offsets.remove(&place);
            effects.writes.offsets.insert((name.to_owned(), id, place.partition), None);
        }
        self.topics.remove(&id);
    }

    /// Sends a member what it has to know.
    fn tell(&mut self, id: u64, effects: &mut Effects<'_>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let mut news = std::mem::take(&mut member.news);
        // One that is away will be told all when it is back.
        let Some(origin) = member.attached else { return };
        if std::mem::take(&mut member.untold) {
            news = News {
                assigned: member.owned.difference(&member.revoking).copied().collect(),
                revoked: member.revoking.clone(),
                removed: Vec::new(),
            };
        } else if news.is_empty() {
            return;
        }
        for event in news.events(self.row.generation, &self.topics, &self.offsets) {
            effects.outputs.push(Output::Event(origin, event));
        }
    }

    /// Refuses what cannot be done while there are members.
    pub(super) fn check_no_members(&self, name: &str) -> Result<(), Error> {
        if self.members.is_empty() {
            return Ok(());
        }
        let connected = self.attached.len();
        Err(Error::new(
            Code::GROUP_NOT_EMPTY,
            format!(
                "group \"{name}\" has {} members, {connected} of them connected",
                self.members.len()
            ),
        ))
    }
}

impl Member {
    fn load(row: MemberRow) -> Self {
        let places = row.owned.iter().flat_map(|&(topic, first, count)| {
            (first..first.saturating_add(count))
                .map(move |partition| Place { topic, partition })
        });
        Self {
            epoch: row.epoch,
            owned: places.collect(),
            name: row.name,
            client_name: row.client_name,
            address: String::new(),
            session_timeout_ms: row.session_timeout_ms,
            rebalance_timeout_ms: row.rebalance_timeout_ms,
            topics: row.topics.into_iter().collect(),
            revoking: BTreeSet::new(),
            reset: BTreeSet::new(),
            release_by: None,
            away_until: None,
            attached: None,
            confirmed: true,
            untold: false,
            news: News::default(),
            dirty: false,
        }
    }

    fn row(&self) -> MemberRow {
        let mut owned: Vec<(u64, u32, u32)> = Vec::new();
        for place in &self.owned {
            match owned.last_mut() {
                Some((topic, first, count))
                    if *topic == place.topic && *first + *count == place.partition =>
                {
                    *count += 1;
                }
                _ => owned.push((place.topic, place.partition, 1)),
            }
        }
        MemberRow {
            epoch: self.epoch,
            name: self.name.clone(),
            client_name: self.client_name.clone(),
            session_timeout_ms: self.session_timeout_ms,
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            topics: self.topics.iter().cloned().collect(),
            owned,
        }
    }

    /// Its connection is gone: it is waited for.
    pub(super) fn away(&mut self, now: Time, id: u64, effects: &mut Effects<'_>) {
        let until = now.plus_ms(self.session_timeout_ms);
        self.attached = None;
        self.address.clear();
        self.release_by = None;
        self.away_until = Some(until);
        effects.timers.push((until, id));
    }

    /// Gives it its time to release what it was asked to.
    pub(super) fn must_release(&mut self, id: u64, effects: &mut Effects<'_>) {
        let by = effects.world.now.plus_ms(self.rebalance_timeout_ms);
        self.release_by = Some(by);
        effects.timers.push((by, id));
    }
}

impl News {
    fn is_empty(&self) -> bool {
        self.assigned.is_empty() && self.revoked.is_empty() && self.removed.is_empty()
    }

    /// As few events as hold it; the last one is complete.
    fn events(
        self,
        generation: u32,
        topics: &BTreeMap<u64, TopicName>,
        offsets: &BTreeMap<Place, OffsetRow>,
    ) -> Vec<GroupEvent> {
        let mut pages =
            Pages { generation, done: Vec::new(), page: empty(generation), bytes: 0 };
        for partition in self.removed {
            pages.room(partition.stream.len() + partition.topic.len());
            pages.page.removed.push(partition);
        }
        for place in self.revoked {
            let Some((stream, topic)) = topics.get(&place.topic) else { continue };
            pages.room(stream.len() + topic.len());
            let (stream, topic) = (stream.clone(), topic.clone());
            let partition = place.partition;
            pages.page.revoked.push(PartitionRef { stream, topic, partition });
        }
        for place in self.assigned {
            let Some((stream, topic)) = topics.get(&place.topic) else { continue };
            pages.room(stream.len() + topic.len());
            let stored = offsets.get(&place);
            pages.page.assigned.push(AssignedPartition {
                stream: stream.clone(),
                topic: topic.clone(),
                partition: place.partition,
                topic_id: place.topic,
                stored: stored.is_some(),
                offset: stored.map_or(0, |row| row.offset),
            });
        }
        pages.page.complete = true;
        pages.done.push(pages.page);
        pages.done
    }
}

/// Events that are being filled.
struct Pages {
    generation: u32,
    done: Vec<GroupEvent>,
    page: GroupEvent,
    bytes: usize,
}

impl Pages {
    /// Makes room for one more item with names of so many bytes.
    fn room(&mut self, names: usize) {
        let page = &self.page;
        let items = page.assigned.len() + page.revoked.len() + page.removed.len();
        if items == limits::MAX_LIST_ITEMS as usize || self.bytes + names > EVENT_NAME_BYTES {
            self.done.push(std::mem::replace(&mut self.page, empty(self.generation)));
            self.bytes = 0;
        }
        self.bytes += names;
    }
}

fn empty(generation: u32) -> GroupEvent {
    GroupEvent {
        generation,
        complete: false,
        assigned: Vec::new(),
        revoked: Vec::new(),
        removed: Vec::new(),
    }
}

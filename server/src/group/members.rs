//! Joining, leaving, being lost and coming back.
//!
//! A membership lasts as long as its connection, and its session timeout longer. What comes back
//! in time finds everything as it was; a program that was restarted comes back by its name.

use std::collections::BTreeSet;

use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits;
use tidewire_protocol::message::{GroupJoin, GroupJoinReply, PartitionRef};
use tidewire_protocol::name::check_name;

use super::coordinator::{Coordinator, Effects};
use super::state::{Group, Member, News, TopicName};
use super::{GroupReply, Output};
use crate::message::Origin;

/// Longest name of a client that is kept, in bytes.
const MAX_CLIENT_NAME: usize = 255;

impl Coordinator {
    // SPEC G-1, G-2, G-3
    pub(super) fn join(
        &mut self,
        join: &GroupJoin,
        origin: Origin,
        client_name: String,
        address: String,
        effects: &mut Effects<'_>,
    ) -> Result<GroupReply, Error> {
        check_join(join)?;
        let topics: BTreeSet<TopicName> = join
            .topics
            .iter()
            .map(|topic| (topic.stream.clone(), topic.topic.clone()))
            .collect();
        if join.member_id == 0 {
            check_topics(&topics, effects)?;
        }
        let (max_members, max_partitions) = (self.limits.members, self.limits.partitions);
        let next_member_id = self.next_member_id;
        let known = self.groups.get(&join.group);
        if known.is_none() && join.member_id != 0 {
            return Err(unknown_member(join.member_id, &join.group));
        }
        check_partitions(known, join, &topics, max_partitions, effects)?;
        let group = self.open(&join.group, effects)?;
        let id = group.place_of(join, max_members, next_member_id, effects)?;
        if id == next_member_id {
            group.members.insert(id, Member::new(&join.member_name));
            if !join.member_name.is_empty() {
                group.by_name.insert(join.member_name.clone(), id);
            }
            group.unbalanced = true;
        }
        let epoch = group.attach(id, join, origin, topics, effects);
        let generation = group.row.generation + u32::from(group.unbalanced);
        if let Some(member) = group.members.get_mut(&id) {
            member.client_name = shortened(client_name);
            member.address = address;
        }
        if id == next_member_id {
            // Never given out again, whatever becomes of the member.
            self.next_member_id += 1;
        }
        Ok(GroupReply::Join(GroupJoinReply { member_id: id, member_epoch: epoch, generation }))
    }
}

impl Group {
    /// The number of the place that a join takes: its old one, or a new one.
    fn place_of(
        &mut self,
        join: &GroupJoin,
        max_members: usize,
        next_member_id: u64,
        effects: &mut Effects<'_>,
    ) -> Result<u64, Error> {
        if join.member_id != 0 {
            self.check_member(&join.group, join.member_id, join.member_epoch)?;
            return Ok(join.member_id);
        }
        if let Some(&id) = self.by_name.get(&join.member_name) {
            self.take_over(id, &join.group, effects);
            return Ok(id);
        }
        if self.members.len() >= max_members {
            return Err(Error::new(
                Code::GROUP_FULL,
                format!("group \"{}\" has {max_members} members, the limit", join.group),
            ));
        }
        Ok(next_member_id)
    }

    /// A new instance takes a member's place: the one before has nothing to say any more.
    fn take_over(&mut self, id: u64, name: &str, effects: &mut Effects<'_>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        member.epoch += 1;
        let text = format!(
            "another instance has joined group \"{name}\" as member \"{}\"",
            member.name
        );
        let revoking: Vec<_> = member.revoking.iter().copied().collect();
        self.detach_old(id, &text, effects);
        for place in revoking {
            self.free(place, id);
            self.grant(place);
        }
    }

    /// Ends the connection that a member had, if it still has one.
    fn detach_old(&mut self, id: u64, why: &str, effects: &mut Effects<'_>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        if let Some(old) = member.attached.take() {
            self.attached.remove(&old);
            let error = Error::new(Code::STALE_GENERATION, why);
            effects.outputs.push(Output::Ended(old, error));
        }
    }

    /// Ties a member to a connection. Returns its epoch.
    fn attach(
        &mut self,
        id: u64,
        join: &GroupJoin,
        origin: Origin,
        topics: BTreeSet<TopicName>,
        effects: &mut Effects<'_>,
    ) -> u32 {
        self.detach_old(id, "the member has come back on another connection", effects);
        self.attached.insert(origin, id);
        self.touched.insert(id);
        let member = self.members.get_mut(&id).expect("it was found or made");
        if member.topics != topics {
            member.topics = topics;
            self.unbalanced = true;
        }
        member.attached = Some(origin);
        member.away_until = None;
        member.untold = true;
        member.dirty = true;
        member.session_timeout_ms = join.session_timeout_ms;
        member.rebalance_timeout_ms = join.rebalance_timeout_ms;
        if !member.revoking.is_empty() {
            member.must_release(id, effects);
        }
        member.epoch
    }

    /// The member that a connection stands for, or why there is none.
    pub(super) fn check_member(&self, name: &str, id: u64, epoch: u32) -> Result<(), Error> {
        let Some(member) = self.members.get(&id) else {
            return Err(unknown_member(id, name));
        };
        if member.epoch == epoch {
            return Ok(());
        }
        Err(Error::new(
            Code::STALE_GENERATION,
            format!(
                "member {id} of group \"{name}\" is at epoch {}, not {epoch}: another instance \
                 has taken its place",
                member.epoch
            ),
        ))
    }

    /// A member goes, for good or for a while.
    // SPEC G-9
    pub(super) fn leave(
        &mut self,
        name: &str,
        origin: Origin,
        keep: bool,
        effects: &mut Effects<'_>,
    ) {
        if keep {
            return self.detach(name, origin, effects);
        }
        if let Some(&id) = self.attached.get(&origin) {
            self.remove(name, id, effects);
        }
    }

    /// The connection of a member is gone.
    // SPEC G-8
    pub(super) fn detach(&mut self, name: &str, origin: Origin, effects: &mut Effects<'_>) {
        let Some(id) = self.attached.remove(&origin) else { return };
        let Some(member) = self.members.get_mut(&id) else { return };
        if member.confirmed {
            member.away(effects.world.now, id, effects);
        } else {
            // It never learned its number, so it could not come back.
            self.remove(name, id, effects);
        }
    }

    /// A member has let go of partitions.
    // SPEC G-6
    pub(super) fn release(
        &mut self,
        origin: Origin,
        partitions: &[PartitionRef],
        effects: &Effects<'_>,
    ) -> Result<GroupReply, Error> {
        let Some(&id) = self.attached.get(&origin) else {
            return Err(Error::new(Code::UNKNOWN_MEMBER, "the membership is over"));
        };
        if let Some(member) = self.members.get_mut(&id) {
            member.confirmed = true;
        }
        for partition in partitions {
            let found = effects.world.catalog.topic(&partition.stream, &partition.topic);
            let Some(topic) = found else { continue };
            let place =
                super::assign::Place { topic: topic.id, partition: partition.partition };
            // What it was not asked for, it keeps: it may have been told in between.
            if self.members.get(&id).is_some_and(|member| member.revoking.contains(&place)) {
                self.free(place, id);
                self.grant(place);
            }
        }
        Ok(GroupReply::Done)
    }
}

impl Member {
    fn new(name: &str) -> Self {
        Self {
            epoch: 1,
            name: name.to_owned(),
            client_name: String::new(),
            address: String::new(),
            session_timeout_ms: 0,
            rebalance_timeout_ms: 0,
            topics: BTreeSet::new(),
            owned: BTreeSet::new(),
            revoking: BTreeSet::new(),
            reset: BTreeSet::new(),
            release_by: None,
            away_until: None,
            attached: None,
            confirmed: false,
            untold: true,
            news: News::default(),
            dirty: true,
        }
    }
}

fn check_join(join: &GroupJoin) -> Result<(), Error> {
    check_name("group", &join.group)?;
    if !join.member_name.is_empty() {
        check_name("member", &join.member_name)?;
    }
    let range = limits::MIN_SESSION_TIMEOUT_MS..=limits::MAX_SESSION_TIMEOUT_MS;
    for (name, value) in [
        ("session_timeout_ms", join.session_timeout_ms),
        ("rebalance_timeout_ms", join.rebalance_timeout_ms),
    ] {
        if !range.contains(&value) {
            return Err(Error::new(
                Code::INVALID_ARGUMENT,
                format!("{name} {value} is outside {} to {} ms", range.start(), range.end()),
            ));
        }
    }
    let most = limits::MAX_GROUP_TOPICS as usize;
    if join.topics.is_empty() || join.topics.len() > most {
        return Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!(
                "a member of group \"{}\" reads 1 to {most} topics, not {}",
                join.group,
                join.topics.len()
            ),
        ));
    }
    Ok(())
}

/// Who joins for the first time names topics that exist: anything else is a slip of the pen.
fn check_topics(topics: &BTreeSet<TopicName>, effects: &Effects<'_>) -> Result<(), Error> {
    topics.iter().try_for_each(|(stream, topic)| {
        super::offsets::topic(effects.world, stream, topic).map(|_| ())
    })
}

/// What the group would have to divide with these topics must be within its limit.
fn check_partitions(
    group: Option<&Group>,
    join: &GroupJoin,
    topics: &BTreeSet<TopicName>,
    max_partitions: usize,
    effects: &Effects<'_>,
) -> Result<(), Error> {
    let catalog = effects.world.catalog;
    let mut all: BTreeSet<&TopicName> = topics.iter().collect();
    let members = group.into_iter().flat_map(|group| group.members.values());
    all.extend(members.flat_map(|member| &member.topics));
    let partitions: u64 = all
        .iter()
        .filter_map(|(stream, topic)| catalog.topic(stream, topic))
        .map(|topic| u64::from(topic.partitions))
        .sum();
    if partitions <= max_partitions as u64 {
        return Ok(());
    }
    Err(Error::new(
        Code::INVALID_ARGUMENT,
        format!(
            "group \"{}\" would divide {partitions} partitions: the limit is {max_partitions}",
            join.group
        ),
    ))
}

fn unknown_member(id: u64, name: &str) -> Error {
    Error::new(
        Code::UNKNOWN_MEMBER,
        format!("group \"{name}\" has no member {id}: it left, or was given up"),
    )
}

fn shortened(mut name: String) -> String {
    let mut end = name.len().min(MAX_CLIENT_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}

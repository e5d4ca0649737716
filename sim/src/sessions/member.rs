//! A member of the group beyond its connections: the protocol's `Member`, a reading for each
//! partition that it has, how far its work came, and how far that was stored.
//!
//! It works on one batch at a time, stores what is done on an interval, and releases a partition
//! that is asked back once the batch in its hands is done and stored.

use std::collections::BTreeMap;

use tidewire_checker::Event;
use tidewire_protocol::connection::{ClientConnection, Time};
use tidewire_protocol::error::Error;
use tidewire_protocol::frame::Frame;
use tidewire_protocol::message::{
    GroupEvent, GroupJoin, GroupLeave, GroupRelease, OffsetStore, PartitionRef, StoreOffset,
    TopicRef,
};
use tidewire_protocol::session::{Change, Fate, From, Key, Member};

use super::client::Pending;
use super::reader::Reading;
use super::world::World;
use super::{GROUP, STREAM, TOPIC};

/// What a request of a member was for.
pub(crate) enum MemberReply {
    Join {
        channel: u32,
    },
    /// Offsets, by partition.
    Store {
        offsets: Vec<(u32, u64)>,
    },
    Nothing,
}

struct Held {
    reading: Reading,
    topic_id: u64,
    /// Everything before was worked on.
    done: Option<u64>,
    /// What is known to be stored.
    stored: Option<u64>,
    /// Nothing more of it is taken: it is to be released, or was when the connection was lost.
    leaving: bool,
    /// To be released at the latest then.
    release_by: Option<Time>,
}

/// A batch that is being worked on.
struct InHand {
    partition: u32,
    base_offset: u64,
    next_offset: u64,
}

pub(crate) struct GroupMember {
    member: Member,
    name: String,
    /// Of the membership, on this connection.
    channel: Option<u32>,
    held: BTreeMap<u32, Held>,
    in_hand: Option<InHand>,
    commit_at: Option<Time>,
    /// Not before that: an instance before it may still be about to join.
    join_at: Time,
    /// A request to store is under way.
    storing: bool,
    /// The partition whose batch is taken next.
    turn: u32,
}

impl GroupMember {
    pub fn unrest(&self) -> Option<String> {
        (!self.member.is_joined()).then(|| "a member has not joined".to_owned())
    }

    /// Whether a request to join is under way under a name.
    pub fn is_joining_by_name(&self) -> bool {
        self.channel.is_some() && !self.member.is_joined() && !self.name.is_empty()
    }

    /// How it stands with a partition, in words.
    pub fn describe(&self, partition: u32) -> Option<String> {
        let held = self.held.get(&partition)?;
        let Held { reading, done, stored, leaving, .. } = held;
        Some(format!(
            "{}, done {done:?}, stored {stored:?}{}",
            reading.describe(),
            if *leaving { ", leaving" } else { "" }
        ))
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        let readings = self.held.values().filter(|held| !held.leaving);
        let readings = readings.filter_map(|held| held.reading.subscription.poll_timeout());
        let may_store = self.member.is_joined() && !self.storing;
        let joining = self.member.poll_timeout().map(|at| at.max(self.join_at));
        let leaving = self.held.values().filter_map(|held| held.release_by);
        readings.chain(leaving.chain(self.commit_at).filter(|_| may_store)).chain(joining).min()
    }

    pub fn readings(&mut self) -> impl Iterator<Item = &mut Reading> {
        self.held.values_mut().map(|held| &mut held.reading)
    }

    /// What is done beyond what is stored, of one partition or of all.
    fn ahead(&self, only: Option<u32>) -> Vec<(u32, u64)> {
        let ahead = |(&partition, held): (&u32, &Held)| {
            let done = held.done.filter(|&done| held.stored.is_none_or(|at| done > at))?;
            only.is_none_or(|only| only == partition).then_some((partition, done))
        };
        self.held.iter().filter_map(ahead).collect()
    }
}

impl World {
    pub fn new_member(&mut self, number: usize) {
        let seed = self.rng.next();
        let client = &mut self.clients[number];
        client.member = Some(GroupMember {
            member: Member::new(seed),
            name: client.name.clone().unwrap_or_default(),
            channel: None,
            held: BTreeMap::new(),
            in_hand: None,
            commit_at: None,
            join_at: Time::from_nanos(client.late_open_us * 1_000),
            storing: false,
            turn: 0,
        });
    }

    pub fn member_disconnected(&mut self, number: usize) {
        let Some(member) = &mut self.clients[number].member else { return };
        member.member.handle_disconnected();
        member.channel = None;
        member.storing = false;
        for held in member.held.values_mut() {
            // What was asked back is asked back again, if it still is.
            held.release_by = None;
            held.reading.disconnected();
        }
    }

    /// Joins, subscribes, stores and releases, as far as each is due.
    pub fn drive_member(&mut self, number: usize) {
        if self.topic_id.is_none() {
            return;
        }
        let Some(mut member) = self.clients[number].member.take() else { return };
        self.join(number, &mut member);
        let bug = self.bug;
        for held in member.held.values_mut().filter(|held| !held.leaving) {
            self.with_access(number, |access| held.reading.drive(access, bug));
            if let Some(error) = &held.reading.ended {
                let partition = held.reading.partition;
                self.fail(format!(
                    "client {number} can read no more of partition {partition}: {error}"
                ));
            }
        }
        self.store_and_release(number, &mut member);
        self.clients[number].member = Some(member);
    }

    fn join(&mut self, number: usize, member: &mut GroupMember) {
        let (session_timeout_ms, rebalance_timeout_ms) =
            (self.plan.session_timeout_ms, self.plan.rebalance_timeout_ms);
        self.with_access(number, |access| {
            if !access.has_room() {
                return;
            }
            if access.now < member.join_at {
                return;
            }
            let Some((member_id, member_epoch)) = member.member.poll_join(access.now) else {
                return;
            };
            let join = GroupJoin {
                group: GROUP.to_owned(),
                member_id,
                member_epoch,
                member_name: member.name.clone(),
                session_timeout_ms,
                rebalance_timeout_ms,
                topics: vec![TopicRef { stream: STREAM.to_owned(), topic: TOPIC.to_owned() }],
            };
            // A channel of its own for each try.
            let channel = access.new_channel();
            let pending = Pending::Member(MemberReply::Join { channel });
            if access.ask(channel, &join, pending) {
                member.channel = Some(channel);
            } else {
                member.member.handle_disconnected();
            }
        });
    }

    fn store_and_release(&mut self, number: usize, member: &mut GroupMember) {
        let now = self.time();
        let interval_ms = self.plan.commit_interval_ms;
        if member.storing || !member.member.is_joined() {
            return;
        }
        let done_with = |at: &u32, by: Time, in_hand: &Option<InHand>| {
            by <= now || in_hand.as_ref().is_none_or(|in_hand| in_hand.partition != *at)
        };
        let ready: Vec<u32> = member
            .held
            .iter()
            .filter(|(at, held)| {
                held.release_by.is_some_and(|by| done_with(at, by, &member.in_hand))
            })
            .map(|(&at, _)| at)
            .collect();
        // What is released is stored first.
        if let Some(&partition) = ready.first() {
            let ahead = member.ahead(Some(partition));
            let gives_up = member.held[&partition].release_by.is_some_and(|by| by <= now);
            if !ahead.is_empty() && !gives_up {
                return self.store(number, member, ahead);
            }
            return self.release(number, member, &ready[..1]);
        }
        let ahead = member.ahead(None);
        if ahead.is_empty() {
            member.commit_at = None;
            return;
        }
        let due = *member.commit_at.get_or_insert(now.plus_ms(interval_ms));
        if due <= now {
            member.commit_at = None;
            self.store(number, member, ahead);
        }
    }

    fn store(&mut self, number: usize, member: &mut GroupMember, offsets: Vec<(u32, u64)>) {
        let (member_id, member_epoch) = member.member.place().unwrap_or_default();
        let row = |&(partition, offset): &(u32, u64)| StoreOffset {
            stream: STREAM.to_owned(),
            topic: TOPIC.to_owned(),
            partition,
            topic_id: member.held.get(&partition).map_or(0, |held| held.topic_id),
            offset,
            note: String::new(),
        };
        let store = OffsetStore {
            group: GROUP.to_owned(),
            member_id,
            member_epoch,
            offsets: offsets.iter().map(row).collect(),
        };
        let pending = Pending::Member(MemberReply::Store { offsets: offsets.clone() });
        let asked = self
            .with_access(number, |access| access.has_room() && access.ask(0, &store, pending));
        if asked == Some(true) {
            member.storing = true;
            for (partition, offset) in offsets {
                let partition = u64::from(partition);
                self.observe(Event::CommitSent { group: 0, partition, offset });
            }
        }
    }

    fn release(&mut self, number: usize, member: &mut GroupMember, partitions: &[u32]) {
        let Some(channel) = member.channel else { return };
        let reference = |&partition: &u32| PartitionRef {
            stream: STREAM.to_owned(),
            topic: TOPIC.to_owned(),
            partition,
        };
        let release = GroupRelease { partitions: partitions.iter().map(reference).collect() };
        let asked = self.with_access(number, |access| {
            let pending = Pending::Member(MemberReply::Nothing);
            access.has_room() && access.ask(channel, &release, pending)
        });
        if asked != Some(true) {
            return;
        }
        self.tally.released += 1;
        for &partition in partitions {
            member.member.released(&key(partition));
            self.drop_partition(number, member, partition);
        }
    }

    fn drop_partition(&mut self, number: usize, member: &mut GroupMember, partition: u32) {
        let Some(mut held) = member.held.remove(&partition) else { return };
        let left =
            self.with_access(number, |access| held.reading.leave(Some(access))).is_some();
        if !left {
            held.reading.leave(None);
        }
        if member.in_hand.as_ref().is_some_and(|in_hand| in_hand.partition == partition) {
            // The application finishes its work, and it counts for nothing here.
            member.in_hand = None;
        }
    }

    pub fn member_answered(
        &mut self,
        number: usize,
        reply: MemberReply,
        result: Result<Frame, Error>,
    ) {
        let Some(mut member) = self.clients[number].member.take() else { return };
        match reply {
            MemberReply::Join { channel } if member.channel == Some(channel) => {
                let reply = result
                    .and_then(|frame| ClientConnection::decode_reply::<GroupJoin>(&frame));
                match reply {
                    Ok(reply) => {
                        member.member.handle_joined(reply.member_id, reply.member_epoch);
                        self.tally.joined += 1;
                        let place = (reply.member_id, reply.member_epoch);
                        self.say(format_args!("client {number} is member {place:?}"));
                        // From now on it is waited for, should the connection be lost.
                        let confirm = GroupRelease { partitions: Vec::new() };
                        self.with_access(number, |access| {
                            let pending = Pending::Member(MemberReply::Nothing);
                            access.ask(channel, &confirm, pending)
                        });
                    }
                    Err(error) => {
                        if error.is_outcome_unknown() {
                            let leave = GroupLeave { keep: false };
                            self.with_access(number, |access| {
                                let pending = Pending::Member(MemberReply::Nothing);
                                access.ask(channel, &leave, pending)
                            });
                        }
                        self.membership_ended(number, &mut member, &error);
                    }
                }
            }
            MemberReply::Store { offsets } => {
                member.storing = false;
                self.stored_offsets(number, &mut member, &offsets, result);
            }
            MemberReply::Join { .. } | MemberReply::Nothing => {}
        }
        self.clients[number].member = Some(member);
    }

    fn stored_offsets(
        &mut self,
        number: usize,
        member: &mut GroupMember,
        offsets: &[(u32, u64)],
        result: Result<Frame, Error>,
    ) {
        let reply =
            result.and_then(|frame| ClientConnection::decode_reply::<OffsetStore>(&frame));
        let results = match reply {
            Ok(reply) => reply.results,
            Err(error) => {
                self.say(format_args!("client {number} could not store: {error}"));
                return self.forget_what_is_ahead(member, offsets, &error);
            }
        };
        for (&(partition, offset), result) in offsets.iter().zip(results) {
            if result.code != 0 {
                let code = result.code;
                self.say(format_args!("client {number}, {partition}: {offset} is {code}"));
                self.tally.refused += 1;
                match member.held.get_mut(&partition) {
                    // It is let go of all the same.
                    Some(held) if held.leaving => {
                        held.stored = held.stored.max(Some(offset));
                    }
                    _ => member.commit_at = Some(self.time().plus_ms(50)),
                }
                continue;
            }
            self.tally.commits += 1;
            if let Some(held) = member.held.get_mut(&partition) {
                held.stored = held.stored.max(Some(result.offset));
            }
            let partition = u64::from(partition);
            self.observe(Event::CommitAcknowledged { group: 0, partition, offset });
        }
    }

    /// A request to store was refused as a whole. What may pass is tried again.
    fn forget_what_is_ahead(
        &mut self,
        member: &mut GroupMember,
        offsets: &[(u32, u64)],
        error: &Error,
    ) {
        if super::producer::may_pass(error) {
            member.commit_at = Some(self.time().plus_ms(50));
            return;
        }
        for (partition, offset) in offsets {
            if let Some(held) = member.held.get_mut(partition) {
                held.stored = held.stored.max(Some(*offset));
            }
        }
    }

    pub fn group_event(&mut self, number: usize, channel: u32, event: GroupEvent) {
        let Some(mut member) = self.clients[number].member.take() else { return };
        if member.channel == Some(channel) {
            let changes = member.member.handle_event(event);
            self.carry_out(number, &mut member, changes);
        }
        self.clients[number].member = Some(member);
    }

    pub fn group_ended(&mut self, number: usize, channel: u32, error: &Error) {
        let Some(mut member) = self.clients[number].member.take() else { return };
        if member.channel == Some(channel) {
            self.membership_ended(number, &mut member, error);
        }
        self.clients[number].member = Some(member);
    }

    fn membership_ended(&mut self, number: usize, member: &mut GroupMember, error: &Error) {
        let now = self.time();
        self.say(format_args!("client {number} is no member: {error}"));
        member.channel = None;
        match member.member.handle_ended(now, error) {
            Fate::Again(lost) => self.carry_out(number, member, lost),
            // A name has one process at a time here.
            Fate::Ended(_) => {
                self.fail(format!("the membership of client {number} is over: {error}"));
            }
        }
    }

    fn carry_out(&mut self, number: usize, member: &mut GroupMember, changes: Vec<Change>) {
        let now = self.time();
        let patience_ms = self.plan.rebalance_timeout_ms / 4 * 3;
        for change in changes {
            match change {
                Change::Assigned { key: (_, _, partition), topic_id, offset } => {
                    self.tally.assigned += 1;
                    self.say(format_args!(
                        "client {number} gets partition {partition} at {offset:?}"
                    ));
                    if let Some(place) = member.member.place() {
                        self.check_sole_owner(number, place, partition);
                    }
                    let from = offset.map_or(From::Earliest, From::Offset);
                    let (window, seed) = (self.plan.window_bytes, self.rng.next());
                    let reading = Reading::new(partition, from, window, seed);
                    let held = Held {
                        reading,
                        topic_id,
                        done: offset,
                        stored: offset,
                        leaving: false,
                        release_by: None,
                    };
                    member.held.insert(partition, held);
                }
                Change::Kept { key: (_, _, partition), offset } => {
                    let Some(held) = member.held.get_mut(&partition) else { continue };
                    let left = std::mem::replace(&mut held.leaving, false);
                    held.release_by = None;
                    if left {
                        // What had arrived was let go of when it was asked back.
                        let next = held.reading.subscription.next_offset();
                        held.reading.seek(None, next.map_or(From::Earliest, From::Offset));
                    }
                    let back = offset.filter(|&at| held.stored.is_some_and(|s| s > at));
                    let Some(offset) = back else { continue };
                    (held.done, held.stored) = (Some(offset), Some(offset));
                    let reading = &mut held.reading;
                    let seeks = self
                        .with_access(number, |access| {
                            reading.seek(Some(access), From::Offset(offset));
                        })
                        .is_some();
                    if !seeks {
                        reading.seek(None, From::Offset(offset));
                    }
                    drop_hand(member, partition);
                }
                Change::Revoked((_, _, partition)) => {
                    let Some(held) = member.held.get_mut(&partition) else { continue };
                    self.tally.revoked += 1;
                    held.leaving = true;
                    held.release_by = Some(now.plus_ms(patience_ms));
                    let place = held.reading.subscription.next_offset();
                    let in_hand =
                        member.in_hand.as_ref().is_some_and(|hand| hand.partition == partition);
                    if let (Some(place), false) = (place, in_hand) {
                        // Where nothing was read the next one begins where this one did.
                        held.done.get_or_insert(place);
                    }
                    let reading = &mut held.reading;
                    self.with_access(number, |access| reading.leave(Some(access)));
                }
                Change::Lost((_, _, partition)) => {
                    self.tally.lost_partitions += 1;
                    self.drop_partition(number, member, partition);
                }
            }
        }
    }

    /// Who else thinks that it has a partition must have been given up by the group. Unless it is
    /// old news: whoever was paused may hear of what it was given before it was itself given up.
    fn check_sole_owner(&mut self, number: usize, (id, epoch): (u64, u32), partition: u32) {
        let server = self.host.server.as_ref();
        if server.and_then(|server| server.member(GROUP, id)) != Some(epoch) {
            return;
        }
        for other in 0..self.clients.len() {
            let Some(member) = &self.clients[other].member else { continue };
            if other == number || !member.held.contains_key(&partition) {
                continue;
            }
            let Some((id, epoch)) = member.member.place() else { continue };
            let known = self.host.server.as_ref().and_then(|server| server.member(GROUP, id));
            if known == Some(epoch) {
                self.fail(format!(
                    "client {number} is given partition {partition}, which client {other}, \
                     member {id}, has and did not release"
                ));
                return;
            }
        }
    }

    /// The application takes a batch, or is done with one.
    pub fn work(&mut self, number: usize) {
        let Some(mut member) = self.clients[number].member.take() else { return };
        if let Some(done) = member.in_hand.take() {
            for offset in done.base_offset..done.next_offset {
                self.processed.insert((done.partition, offset));
            }
            self.tally.worked += 1;
            if let Some(held) = member.held.get_mut(&done.partition) {
                held.done = held.done.max(Some(done.next_offset));
            }
        }
        let window = self.plan.window_bytes;
        let partitions: Vec<u32> = member.held.keys().copied().collect();
        let turn = member.turn;
        let (before, after): (Vec<u32>, Vec<u32>) =
            partitions.into_iter().partition(|&partition| partition <= turn);
        for partition in after.into_iter().chain(before) {
            let Some(held) = member.held.get_mut(&partition) else { continue };
            if held.leaving || !held.reading.has_delivery() {
                continue;
            }
            if let Some(text) = held.reading.overflow(window) {
                self.fail(format!("client {number}: {text}"));
            }
            let reading = &mut held.reading;
            let taken = self.with_access(number, |access| reading.take(Some(access)));
            let taken = taken.unwrap_or_else(|| reading.take(None));
            match taken {
                Ok(Some(taken)) => {
                    member.turn = partition;
                    member.in_hand = Some(InHand {
                        partition,
                        base_offset: taken.base_offset,
                        next_offset: taken.next_offset,
                    });
                    let work = self.pause(self.plan.work_us);
                    self.act_later(number, work);
                    break;
                }
                Ok(None) => {}
                Err(damage) => self.fail(format!("client {number} reads damage: {damage}")),
            }
        }
        self.clients[number].member = Some(member);
    }
}

fn drop_hand(member: &mut GroupMember, partition: u32) {
    if member.in_hand.as_ref().is_some_and(|in_hand| in_hand.partition == partition) {
        member.in_hand = None;
    }
}

fn key(partition: u32) -> Key {
    (STREAM.to_owned(), TOPIC.to_owned(), partition)
}

//! Groups and offsets on the wire, with a client that is nothing but the protocol: what members
//! are told, what survives `kill -9`, and what is refused.

mod support;

use std::net::SocketAddr;
use std::time::Instant;

use support::raw::{PATIENCE, RawClient};
use support::server::TestServer;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{
    GroupDescribe, GroupJoin, GroupJoinReply, GroupLeave, GroupList, GroupRelease, OffsetGet,
    OffsetReset, OffsetStore, PartitionRef, ResetOffset, StoreOffset, TopicDelete, TopicRef,
};

/// A member with a connection of its own.
struct Member {
    client: RawClient,
    channel: u32,
    place: GroupJoinReply,
    held: Vec<(u32, u64)>,
    revoked: Vec<u32>,
}

impl Member {
    fn join(address: SocketAddr, request: &GroupJoin) -> Result<Self, Error> {
        let mut client = RawClient::connect(address);
        let channel = client.channel();
        let place = client.call(channel, request)?;
        let confirm = GroupRelease { partitions: Vec::new() };
        let (held, revoked) = (Vec::new(), Vec::new());
        let mut member = Self { client, channel, place, held, revoked };
        member.client.call(channel, &confirm)?;
        member.listen();
        Ok(member)
    }

    /// Takes what it was told, and answers what it is asked to.
    fn listen(&mut self) {
        self.client.pump();
        for (channel, event) in std::mem::take(&mut self.client.group_events) {
            assert_eq!(channel, self.channel);
            self.revoked.extend(event.revoked.iter().map(|p| p.partition));
            self.held.retain(|(p, _)| event.removed.iter().all(|gone| gone.partition != *p));
            for assigned in event.assigned {
                let offset = if assigned.stored { assigned.offset } else { 0 };
                self.held.push((assigned.partition, offset));
            }
            self.held.sort_unstable();
        }
    }

    fn release(&mut self) {
        self.listen();
        let partitions: Vec<PartitionRef> = self.revoked.drain(..).map(part).collect();
        if !partitions.is_empty() {
            self.held.retain(|(held, _)| partitions.iter().all(|p| p.partition != *held));
            self.client.call(self.channel, &GroupRelease { partitions }).expect("released");
        }
    }

    fn store(&mut self, partition: u32, offset: u64) -> Result<Code, Error> {
        let store = store(self.place.member_id, self.place.member_epoch, partition, offset);
        self.client.call(0, &store).map(|reply| Code(reply.results[0].code))
    }

    fn partitions(&self) -> Vec<u32> {
        self.held.iter().map(|(partition, _)| *partition).collect()
    }
}

fn join(member: Option<&GroupJoinReply>) -> GroupJoin {
    GroupJoin {
        group: "g".into(),
        member_id: member.map_or(0, |member| member.member_id),
        member_epoch: member.map_or(0, |member| member.member_epoch),
        member_name: String::new(),
        session_timeout_ms: 60_000,
        rebalance_timeout_ms: 60_000,
        topics: vec![TopicRef { stream: "default".into(), topic: "t".into() }],
    }
}

fn part(partition: u32) -> PartitionRef {
    PartitionRef { stream: "default".into(), topic: "t".into(), partition }
}

fn store(member_id: u64, member_epoch: u32, partition: u32, offset: u64) -> OffsetStore {
    let offset = StoreOffset {
        stream: "default".into(),
        topic: "t".into(),
        partition,
        topic_id: 0,
        offset,
        note: "n".into(),
    };
    OffsetStore { group: "g".into(), member_id, member_epoch, offsets: vec![offset] }
}

/// Lets members listen and release until they have these numbers of partitions.
fn settle(members: &mut [&mut Member], counts: &[usize]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        members.iter_mut().for_each(|member| member.release());
        let have: Vec<usize> = members.iter().map(|member| member.held.len()).collect();
        if have == counts && members.iter().all(|member| member.revoked.is_empty()) {
            return;
        }
        assert!(Instant::now() < deadline, "{have:?} instead of {counts:?}");
    }
}

/// SPEC G-1, G-5, G-6, G-9: three members share, one leaves, one goes without a word.
#[test]
fn members_share_and_take_over() {
    let server = TestServer::start();
    let mut admin = RawClient::connect(server.address);
    admin.create_topic("t", 6).expect("new");
    let address = server.address;
    let mut a = Member::join(address, &join(None)).expect("joined");
    settle(&mut [&mut a], &[6]);
    let mut b = Member::join(address, &join(None)).expect("joined");
    settle(&mut [&mut a, &mut b], &[3, 3]);
    let short = GroupJoin { session_timeout_ms: 100, ..join(None) };
    let mut c = Member::join(address, &short).expect("joined");
    settle(&mut [&mut a, &mut b, &mut c], &[2, 2, 2]);
    let moved = c.partitions()[0];
    assert_eq!(c.store(moved, 7), Ok(Code(0)));
    // Its connection ends; after its session timeout its partitions go to the others.
    drop(c);
    settle(&mut [&mut a, &mut b], &[3, 3]);
    let held = a.held.iter().chain(&b.held).find(|(p, _)| *p == moved).expect("taken over");
    assert_eq!(held.1, 7, "where the one before it was");
    b.client.call(b.channel, &GroupLeave { keep: false }).expect("left");
    settle(&mut [&mut a], &[6]);
    let described =
        admin.call(0, &GroupDescribe { name: "g".into(), after: 0 }).expect("a group");
    assert_eq!((described.group.members, described.group.offsets), (1, 1));
    assert!(described.members[0].connected && described.members[0].address.contains("127"));
    // A topic that goes is taken from who reads it.
    let delete = TopicDelete { stream: "default".into(), topic: "t".into() };
    admin.call(0, &delete).expect("deleted");
    settle(&mut [&mut a], &[0]);
}

/// SPEC G-12, O-2: what was acknowledged is there after `kill -9`, and members go on with what
/// they had.
#[test]
fn groups_and_offsets_survive_kill_nine() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let data = own.path().join("data");
    let server = TestServer::start_in(&data);
    let mut admin = RawClient::connect(server.address);
    admin.create_topic("t", 4).expect("new");
    let mut a = Member::join(server.address, &join(None)).expect("joined");
    let mut b = Member::join(server.address, &join(None)).expect("joined");
    settle(&mut [&mut a, &mut b], &[2, 2]);
    for offset in 1..=50 {
        for (partition, _) in b.held.clone() {
            assert_eq!(b.store(partition, offset), Ok(Code(0)));
        }
    }
    server.kill();
    let server = TestServer::start_in(&data);
    let again = Member::join(server.address, &join(Some(&b.place))).expect("came back");
    assert_eq!(again.partitions(), b.partitions(), "the same as before");
    assert!(again.held.iter().all(|(_, offset)| *offset == 50), "{:?}", again.held);
    let mut first = Member::join(server.address, &join(Some(&a.place))).expect("came back");
    settle(&mut [&mut first], &[2]);
    assert_eq!(first.partitions(), a.partitions());
}

/// SPEC G-3, G-8: a program with a name gets its place back; the one before it is fenced.
#[test]
fn a_restarted_program_gets_its_place_back() {
    let server = TestServer::start();
    RawClient::connect(server.address).create_topic("t", 2).expect("new");
    let named = GroupJoin { member_name: "one".into(), ..join(None) };
    let mut a = Member::join(server.address, &named).expect("joined");
    settle(&mut [&mut a], &[2]);
    let mut b = Member::join(server.address, &named).expect("joined");
    settle(&mut [&mut b], &[2]);
    assert_eq!(b.place.member_id, a.place.member_id);
    a.client.pump_until("the end", |client| !client.ended.is_empty());
    assert_eq!(a.client.ended[0].1.code, Code::STALE_GENERATION);
    assert_eq!(a.store(0, 1).unwrap_err().code, Code::STALE_GENERATION);
    assert_eq!(b.store(0, 1), Ok(Code(0)));
    let stale = Member::join(server.address, &join(Some(&a.place)));
    assert_eq!(stale.err().map(|error| error.code), Some(Code::STALE_GENERATION));
    let nobody = GroupJoinReply { member_id: 9, member_epoch: 1, generation: 1 };
    let unknown = Member::join(server.address, &join(Some(&nobody)));
    assert_eq!(unknown.err().map(|error| error.code), Some(Code::UNKNOWN_MEMBER));
}

/// SPEC O-1, O-5, O-6, G-14: a named consumer, resets and lists over all shards.
#[test]
fn a_named_consumer_stores_and_is_reset() {
    let server = TestServer::start();
    let mut client = RawClient::connect(server.address);
    client.create_topic("t", 1).expect("new");
    client.call(0, &store(0, 0, 0, 5)).expect("stored");
    let get = OffsetGet { group: "g".into(), partitions: vec![part(0)] };
    let found = client.call(0, &get).expect("a group").offsets.remove(0);
    assert_eq!((found.stored, found.offset, found.note.as_str()), (true, 5, "n"));
    let at =
        ResetOffset { stream: "default".into(), topic: "t".into(), partition: 0, offset: 2 };
    let reset = OffsetReset { group: "g".into(), force: false, offsets: vec![at] };
    client.call(0, &reset).expect("reset");
    assert_eq!(client.call(0, &get).expect("a group").offsets[0].offset, 2);
    let mut names = Vec::new();
    for number in 0..300 {
        let name = format!("h{number:03}");
        let id =
            client.submit(0, &OffsetStore { group: name.clone(), ..store(0, 0, 0, 1) }, &[]);
        names.push(name);
        client.wait::<OffsetStore>(id).expect("stored");
    }
    let mut listed = Vec::new();
    loop {
        let after = listed.last().cloned().unwrap_or_default();
        let page = client.call(0, &GroupList { after }).expect("a page");
        listed.extend(page.groups.into_iter().map(|group| group.name));
        if !page.more {
            break;
        }
    }
    names.insert(0, "g".into());
    assert_eq!(listed, names);
}

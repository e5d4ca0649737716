//! The rules of groups and offsets, each by an example.

use tidewire_protocol::message::{
    GroupState, OffsetDelete, OffsetGet, OffsetReset, ResetOffset,
};

use super::*;

fn info(bench: &mut Bench) -> tidewire_protocol::message::GroupInfo {
    let request = GroupRequest::Describe { name: "g".to_owned(), after: 0 };
    match bench.ask(request).expect("a group") {
        GroupReply::Describe(reply) => reply.group,
        other => panic!("{other:?}"),
    }
}

fn reset(offset: u64, force: bool) -> GroupRequest {
    let (stream, topic) = ("s".to_owned(), "t".to_owned());
    let offsets = vec![ResetOffset { stream, topic, partition: 0, offset }];
    GroupRequest::Reset(OffsetReset { group: "g".to_owned(), force, offsets })
}

fn stored(bench: &mut Bench, partition: u32) -> Option<u64> {
    let get = OffsetGet { group: "g".to_owned(), partitions: vec![part(partition)] };
    match bench.ask(GroupRequest::Get(get)).expect("a group") {
        GroupReply::Get(reply) => reply.offsets[0].stored.then_some(reply.offsets[0].offset),
        other => panic!("{other:?}"),
    }
}

/// SPEC G-1, G-5: a join makes the group, and events tell the member all that it has.
#[test]
fn the_first_member_gets_everything() {
    let mut bench = Bench::with_topic(3);
    let a = bench.join("");
    assert_eq!(numbers(&bench.news(a).assigned), [0, 1, 2]);
    assert_eq!(info(&mut bench).state, GroupState::Stable);
}

/// SPEC G-6: a partition moves only after its owner has let go, and all others go on.
#[test]
fn a_second_member_gets_what_the_first_releases() {
    let mut bench = Bench::with_topic(4);
    let a = bench.join("");
    bench.news(a);
    let b = bench.join("");
    let revoked = bench.news(a).revoked;
    assert_eq!(revoked.len(), 2, "the other two were not touched");
    assert!(bench.news(b).assigned.is_empty(), "they are still the first member's");
    assert_eq!(info(&mut bench).state, GroupState::Rebalancing);
    let last = revoked[0].partition;
    assert_eq!(bench.store(a, last, 7), (OK, 7), "the last commit before the release counts");
    bench.release(a, revoked.clone());
    let assigned = bench.news(b).assigned;
    assert_eq!(assigned.len(), 2);
    let at = assigned.iter().find(|p| p.partition == last).expect("it moved");
    assert_eq!((at.stored, at.offset), (true, 7), "the next one goes on behind it");
    assert_eq!(bench.store(a, last, 9), (Code::NOT_ASSIGNED, 7));
    assert_eq!(bench.store(b, last, 9), (OK, 9));
    assert_eq!(info(&mut bench).state, GroupState::Stable);
}

/// SPEC G-7: who does not release in time is given up, with all that it has.
#[test]
fn a_member_that_never_lets_go_is_fenced() {
    let mut bench = Bench::with_topic(4);
    let a = bench.join("");
    let b = bench.join("");
    bench.advance(REBALANCE_MS - 1);
    bench.flush();
    assert_eq!(bench.ended(a), None);
    bench.advance(1);
    bench.flush();
    assert_eq!(bench.ended(a), Some(Code::UNKNOWN_MEMBER));
    assert_eq!(numbers(&bench.news(b).assigned), [0, 1, 2, 3]);
    assert_eq!(bench.store(a, 0, 5).0, Code::UNKNOWN_MEMBER);
    assert_eq!(bench.rejoin(a).unwrap_err().code, Code::UNKNOWN_MEMBER);
}

/// SPEC G-8: a member whose connection is lost is waited for, and finds everything as it was.
#[test]
fn a_short_cut_loses_nothing() {
    let mut bench = Bench::with_topic(4);
    let a = bench.join("");
    bench.release(a, Vec::new());
    let generation = info(&mut bench).generation;
    bench.detach(a);
    bench.advance(SESSION_MS - 1);
    let again = bench.rejoin(a).expect("it is waited for");
    assert_eq!((again.id, again.epoch), (a.id, a.epoch));
    assert_eq!(numbers(&bench.news(again).assigned), [0, 1, 2, 3]);
    assert_eq!(info(&mut bench).generation, generation);
    bench.advance(SESSION_MS * 2);
    assert_eq!(bench.store(again, 0, 1), (OK, 1), "it is there again, no time runs");
}

/// SPEC G-8: it is given up after its session timeout.
#[test]
fn a_member_that_does_not_come_back_loses_its_partitions() {
    let mut bench = Bench::with_topic(2);
    let a = bench.join("");
    bench.release(a, Vec::new());
    let b = bench.join("");
    let revoked = bench.news(a).revoked;
    bench.release(a, revoked);
    bench.news(b);
    bench.detach(a);
    assert!(bench.news(b).assigned.is_empty());
    bench.advance(SESSION_MS);
    bench.flush();
    assert_eq!(bench.news(b).assigned.len(), 1);
    assert_eq!(bench.rejoin(a).unwrap_err().code, Code::UNKNOWN_MEMBER);
}

/// SPEC G-8: one that never showed that it knows its number is not waited for: nobody could come
/// back as it.
#[test]
fn a_member_that_never_learned_its_number_goes_at_once() {
    let mut bench = Bench::with_topic(2);
    let a = bench.join("");
    bench.detach(a);
    assert_eq!(info(&mut bench).members, 0);
}

/// SPEC G-3: a restarted program with a name takes its place, and nothing moves; the instance
/// before it is fenced.
#[test]
fn a_name_keeps_the_place() {
    let mut bench = Bench::with_topic(4);
    let a = bench.join("one");
    let b = bench.join("two");
    let revoked = bench.news(a).revoked;
    bench.release(a, revoked);
    let had = bench.store(a, 0, 4);
    assert_eq!(had, (OK, 4));
    let generation = info(&mut bench).generation;
    bench.news(b);
    bench.leave(a, true);
    let again = bench.join("one");
    assert_eq!((again.id, again.epoch), (a.id, a.epoch + 1));
    let assigned = bench.news(again).assigned;
    assert_eq!(numbers(&assigned), [0, 1]);
    assert_eq!(assigned[0].offset, 4);
    assert_eq!(bench.store(a, 0, 9).0, Code::STALE_GENERATION);
    assert_eq!(info(&mut bench).generation, generation);
    assert!(bench.news(b).assigned.is_empty());
    // A second instance with the same name, while the first is there, takes over.
    let third = bench.join("one");
    assert_eq!(bench.ended(again), Some(Code::STALE_GENERATION));
    assert_eq!(bench.rejoin(again).unwrap_err().code, Code::STALE_GENERATION);
    assert_eq!(third.id, a.id);
}

/// SPEC G-9: leaving gives everything up at once.
#[test]
fn a_leaver_is_not_waited_for() {
    let mut bench = Bench::with_topic(3);
    let a = bench.join("");
    let b = bench.join("");
    bench.leave(a, false);
    assert_eq!(bench.news(b).assigned.len(), 3);
    assert_eq!(info(&mut bench).members, 1);
}

#[test]
fn more_members_than_partitions_wait_for_their_turn() {
    let mut bench = Bench::with_topic(1);
    let a = bench.join("");
    let b = bench.join("");
    assert!(bench.news(a).revoked.is_empty(), "nothing is gained by moving it");
    assert!(bench.news(b).assigned.is_empty());
    bench.leave(a, false);
    assert_eq!(numbers(&bench.news(b).assigned), [0]);
}

/// SPEC G-11: a topic that goes is taken from its members at once, one that grows is shared out,
/// and one that comes back is another topic.
#[test]
fn topics_go_grow_and_come_back() {
    let mut bench = Bench::with_topic(2);
    bench.set_topic("u", Some(1));
    let a = bench.join_with(join("", &["t", "u"])).unwrap();
    assert_eq!(bench.news(a).assigned.len(), 3);
    assert_eq!(bench.store(a, 1, 8), (OK, 8));
    bench.set_topic("t", Some(4));
    bench.flush();
    assert_eq!(numbers(&bench.news(a).assigned), [2, 3]);
    bench.set_topic("t", None);
    bench.flush();
    assert_eq!(bench.news(a).removed, [part(0), part(1), part(2), part(3)]);
    assert_eq!(bench.store(a, 1, 9).0, Code::TOPIC_NOT_FOUND);
    bench.set_topic("t", Some(2));
    bench.flush();
    let assigned = bench.news(a).assigned;
    assert_eq!(numbers(&assigned), [0, 1]);
    assert!(assigned.iter().all(|p| !p.stored), "offsets of the old topic are gone");
}

/// SPEC G-2: what a join names must exist and be within the limits.
#[test]
fn a_join_that_makes_no_sense_is_refused() {
    let mut bench = Bench::with_topic(1);
    let refused = |bench: &mut Bench, change: fn(&mut GroupJoin)| {
        let mut request = join("", &["t"]);
        change(&mut request);
        let error = bench.join_with(request).unwrap_err();
        assert!(!error.message.is_empty());
        error.code
    };
    assert_eq!(refused(&mut bench, |j| j.topics.clear()), Code::INVALID_ARGUMENT);
    assert_eq!(refused(&mut bench, |j| j.group = "a/b".into()), Code::INVALID_NAME);
    assert_eq!(refused(&mut bench, |j| j.member_name = "a/b".into()), Code::INVALID_NAME);
    assert_eq!(refused(&mut bench, |j| j.session_timeout_ms = 99), Code::INVALID_ARGUMENT);
    let long = |j: &mut GroupJoin| j.rebalance_timeout_ms = 3_600_001;
    assert_eq!(refused(&mut bench, long), Code::INVALID_ARGUMENT);
    let typo = |j: &mut GroupJoin| j.topics[0].topic = "tt".into();
    assert_eq!(refused(&mut bench, typo), Code::TOPIC_NOT_FOUND);
    let stream = |j: &mut GroupJoin| j.topics[0].stream = "ss".into();
    assert_eq!(refused(&mut bench, stream), Code::STREAM_NOT_FOUND);
    assert_eq!(refused(&mut bench, |j| j.member_id = 5), Code::UNKNOWN_MEMBER);
    let list = bench.ask(GroupRequest::List { after: String::new(), user: None }).unwrap();
    assert!(matches!(list, GroupReply::List(groups, false) if groups.is_empty()));
}

/// SPEC G-12: what was told is on the disk; after a restart members come back to what they had.
#[test]
fn a_restart_of_the_server_keeps_the_division() {
    let mut bench = Bench::with_topic(4);
    let a = bench.join("");
    let b = bench.join("");
    let revoked = bench.news(a).revoked;
    bench.release(a, revoked);
    bench.release(b, Vec::new());
    assert_eq!(bench.store(b, 2, 6), (OK, 6));
    bench.restart();
    let generation = info(&mut bench).generation;
    let again = bench.rejoin(b).unwrap();
    let assigned = bench.news(again).assigned;
    assert_eq!(numbers(&assigned), [2, 3]);
    assert_eq!((assigned[0].stored, assigned[0].offset), (true, 6));
    let first = bench.rejoin(a).unwrap();
    assert_eq!(numbers(&bench.news(first).assigned), [0, 1]);
    assert_eq!(info(&mut bench).generation, generation, "nothing was divided anew");
    let c = bench.join("");
    assert!(c.id > a.id && c.id > b.id, "numbers are never used again");
}

/// SPEC O-3: an offset that is lower than the stored one changes nothing, and is no error.
#[test]
fn storing_never_moves_back() {
    let mut bench = Bench::with_topic(1);
    let a = bench.join("");
    assert_eq!(bench.store(a, 0, 10), (OK, 10));
    assert_eq!(bench.store(a, 0, 3), (OK, 10));
    assert_eq!(stored(&mut bench, 0), Some(10));
    assert_eq!(bench.store(a, 1, 3).0, Code::PARTITION_NOT_FOUND);
}

/// SPEC O-1, O-4: a named consumer stores without joining, unless others have joined.
#[test]
fn a_named_consumer_is_a_group_without_members() {
    let mut bench = Bench::with_topic(1);
    assert_eq!(bench.store(NOBODY, 0, 4), (OK, 4));
    assert_eq!(stored(&mut bench, 0), Some(4));
    assert_eq!(info(&mut bench).state, GroupState::Empty);
    let a = bench.join("");
    assert_eq!(bench.store(NOBODY, 0, 5).0, Code::GROUP_NOT_EMPTY);
    assert_eq!(bench.news(a).assigned[0].offset, 4);
}

/// SPEC O-2: nothing is answered before it is on the disk, and a failure says that the outcome
/// is unknown.
#[test]
fn an_offset_is_answered_once_it_is_on_the_disk() {
    let mut bench = Bench::with_topic(1);
    let a = bench.join("");
    let ask = |bench: &mut Bench, offset| {
        let origin = bench.origin();
        let request = GroupRequest::Store(store(a, "t", 0, offset));
        bench.with(|groups, world| groups.request(world, origin, request));
        bench.start_write();
    };
    ask(&mut bench, 1);
    ask(&mut bench, 2);
    ask(&mut bench, 3);
    assert!(!bench.outputs.iter().any(|output| matches!(output, Output::Answer(..))));
    bench.end_write(Ok(()));
    let answers = |bench: &Bench| {
        let is = |output: &&Output| matches!(output, Output::Answer(_, Ok(_)));
        bench.outputs.iter().filter(is).count()
    };
    assert_eq!(answers(&bench), 1);
    bench.start_write();
    bench.end_write(Ok(()));
    assert_eq!(answers(&bench), 3, "what waited shared one write");
    ask(&mut bench, 4);
    bench.end_write(Err("the disk is full".to_owned()));
    let Some(Output::Answer(_, Err(error))) = bench.outputs.last() else { panic!() };
    assert_eq!(error.code, Code::INTERNAL);
    assert!(error.message.contains("the disk is full"));
    // It is tried again, and then stands.
    bench.start_write();
    assert!(bench.writing.is_none(), "not at once");
    bench.advance(1_000);
    bench.flush();
    assert_eq!(bench.disk["g"].offsets.values().next().unwrap().offset, 4);
}

/// SPEC O-6: a reset moves back, not while there are members; by force it sends them there.
#[test]
fn a_reset_sends_members_to_the_new_place() {
    let mut bench = Bench::with_topic(1);
    assert_eq!(bench.ask(reset(0, false)).unwrap_err().code, Code::GROUP_NOT_FOUND);
    assert_eq!(bench.store(NOBODY, 0, 9), (OK, 9));
    bench.ask(reset(5, false)).unwrap();
    assert_eq!(stored(&mut bench, 0), Some(5));
    let a = bench.join("");
    assert_eq!(bench.news(a).assigned[0].offset, 5);
    assert_eq!(bench.ask(reset(2, false)).unwrap_err().code, Code::GROUP_NOT_EMPTY);
    bench.ask(reset(2, true)).unwrap();
    assert_eq!(bench.store(a, 0, 20), (Code::NOT_ASSIGNED, 2), "what it had read is void");
    let revoked = bench.news(a).revoked;
    assert_eq!(revoked, [part(0)]);
    bench.release(a, revoked);
    assert_eq!(bench.news(a).assigned[0].offset, 2);
    assert_eq!(bench.store(a, 0, 3), (OK, 3));
}

/// SPEC O-5, O-7: what is not stored is not found; what a member reads is not deleted.
#[test]
fn offsets_can_be_deleted() {
    let mut bench = Bench::with_topic(2);
    bench.store(NOBODY, 0, 9);
    let forget = || {
        let group = "g".to_owned();
        GroupRequest::Forget(OffsetDelete { group, partitions: vec![part(0), part(1)] })
    };
    assert_eq!(stored(&mut bench, 1), None);
    bench.ask(forget()).unwrap();
    assert_eq!(stored(&mut bench, 0), None);
    let a = bench.join("");
    assert_eq!(bench.ask(forget()).unwrap_err().code, Code::GROUP_NOT_EMPTY);
    bench.leave(a, false);
    bench.ask(forget()).unwrap();
}

/// SPEC G-13: a group is deleted with its offsets, and not while it has members.
#[test]
fn a_group_can_be_deleted_once_it_is_empty() {
    let mut bench = Bench::with_topic(1);
    let delete = || GroupRequest::Delete { name: "g".to_owned() };
    assert_eq!(bench.ask(delete()).unwrap_err().code, Code::GROUP_NOT_FOUND);
    let a = bench.join("");
    bench.store(a, 0, 3);
    assert_eq!(bench.ask(delete()).unwrap_err().code, Code::GROUP_NOT_EMPTY);
    bench.leave(a, false);
    bench.ask(delete()).unwrap();
    assert!(bench.disk.is_empty());
    let create = || GroupRequest::Create { name: "g".to_owned() };
    bench.ask(create()).unwrap();
    assert_eq!(bench.ask(create()).unwrap_err().code, Code::GROUP_EXISTS);
    assert_eq!(stored(&mut bench, 0), None);
    assert_eq!(bench.store(a, 0, 4).0, Code::UNKNOWN_MEMBER);
}

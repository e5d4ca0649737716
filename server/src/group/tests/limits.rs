//! Every limit of groups is reached.

use super::*;

#[test]
fn groups_members_and_partitions_are_bounded() {
    let limits = Limits { groups: 2, members: 2, partitions: 3, ..Limits::default() };
    let mut bench = Bench::with_limits(limits);
    bench.set_topic("t", Some(3));
    bench.set_topic("u", Some(1));
    bench.join("");
    let b = bench.join("");
    let code = |result: Result<Member, Error>| result.unwrap_err().code;
    assert_eq!(code(bench.join_with(join("", &["t"]))), Code::GROUP_FULL);
    bench.rejoin(b).expect("who is a member is not one more");
    bench.leave(b, false);
    assert_eq!(code(bench.join_with(join("", &["u"]))), Code::INVALID_ARGUMENT);
    bench.ask(GroupRequest::Create { name: "h".to_owned() }).unwrap();
    let another = GroupRequest::Create { name: "i".to_owned() };
    assert_eq!(bench.ask(another).unwrap_err().code, Code::TOO_MANY_GROUPS);
    let mut third = join("", &["t"]);
    third.group = "i".to_owned();
    assert_eq!(code(bench.join_with(third)), Code::TOO_MANY_GROUPS);
    bench.ask(GroupRequest::Delete { name: "h".to_owned() }).unwrap();
    bench.ask(GroupRequest::Create { name: "i".to_owned() }).unwrap();
}

#[test]
fn notes_lists_and_offsets_are_bounded() {
    let limits = Limits { partitions: 2, ..Limits::default() };
    let mut bench = Bench::with_limits(limits);
    bench.set_topic("t", Some(400));
    assert_eq!(bench.store(NOBODY, 0, 1), (OK, 1));
    assert_eq!(bench.store(NOBODY, 1, 1), (OK, 1));
    assert_eq!(bench.store(NOBODY, 2, 1).0, Code::INVALID_ARGUMENT);
    let mut request = store(NOBODY, "t", 0, 2);
    request.offsets[0].note = "x".repeat(129);
    let Ok(GroupReply::Store(reply)) = bench.ask(GroupRequest::Store(request)) else {
        panic!()
    };
    assert_eq!(reply.results[0].code, Code::INVALID_ARGUMENT.0);
    let mut request = store(NOBODY, "t", 0, 2);
    request.offsets = vec![request.offsets[0].clone(); 257];
    let error = bench.ask(GroupRequest::Store(request)).unwrap_err();
    assert_eq!(error.code, Code::INVALID_ARGUMENT);
    assert!(error.message.contains("257") && error.message.contains("256"), "{error}");
}

/// SPEC G-5, G-14
#[test]
fn an_assignment_that_does_not_fit_into_one_event_comes_in_several() {
    let mut bench = Bench::with_topic(1000);
    let origin = bench.origin();
    let request = GroupRequest::Join {
        join: join("", &["t"]),
        member: origin,
        client_name: "é".repeat(300),
        address: String::new(),
    };
    bench.ask(request).unwrap();
    let events: Vec<&GroupEvent> = bench
        .outputs
        .iter()
        .filter_map(|output| match output {
            Output::Event(_, event) => Some(event),
            _ => None,
        })
        .collect();
    assert_eq!(events.len(), 4);
    assert!(events.iter().rev().skip(1).all(|event| !event.complete) && events[3].complete);
    let all: usize = events.iter().map(|event| event.assigned.len()).sum();
    assert_eq!(all, 1000);
    let list = |bench: &mut Bench, after: u32| {
        let after = ("s".to_owned(), "t".to_owned(), after);
        let after = if after.2 == 0 { Default::default() } else { after };
        let request = GroupRequest::Partitions { group: "g".to_owned(), after };
        match bench.ask(request).unwrap() {
            GroupReply::Partitions(reply) => (reply.partitions, reply.more),
            other => panic!("{other:?}"),
        }
    };
    let (first, more) = list(&mut bench, 0);
    assert!(more && first.len() == 256 && first[255].partition == 255);
    let (last, more) = list(&mut bench, 900);
    assert!(!more && last.len() == 99 && last[0].partition == 901);
}

//! Every request that was accepted ends in exactly one reply, whatever happens.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::error::Disposition;
use crate::message::SeenRange;

/// SPEC C-4: replies find their requests in any order.
#[test]
fn replies_may_come_in_any_order() {
    let mut pair = Pair::ready();
    let ids = [pair.ask(), pair.ask(), pair.ask()];
    pair.drive();
    while let Some((ticket, request, _)) = pair.asked.pop_back() {
        answer(&mut pair.server, ticket, &request);
    }
    pair.drive();
    let order: Vec<RequestId> = pair.replies().into_iter().map(|(id, _)| id).collect();
    assert_eq!(order, [ids[2], ids[1], ids[0]]);
}

/// SPEC W-7: kind, version, correlation and channel come back, with errors too.
#[test]
fn a_reply_repeats_its_request() {
    let mut pair = Pair::ready();
    let strange = Header { kind_version: 9, channel: 5, ..header(Kind(0x7abc), 77, 0) };
    pair.client_sends(&crafted(strange, &[], &[]));
    let (reply, _) = pair.server_frames().pop().expect("a reply");
    assert_eq!((reply.kind, reply.kind_version), (strange.kind, 9));
    assert_eq!((reply.correlation, reply.channel), (77, 5));
    assert!(reply.flags.has(Flags::RESPONSE));
    pair.request(6, &open_producer(), 0);
}

/// SPEC W-7, W-17: what nobody waits for is ignored, a reply of another kind is a fault.
#[test]
fn a_client_judges_replies_by_what_it_asked() {
    let mut pair = Pair::ready();
    let id = pair.ask();
    pair.drive();
    let head = |correlation| Head { flags: Flags::RESPONSE, correlation, ..Head::default() };
    let reply = StreamListReply { streams: Vec::new(), more: false };
    pair.server_sends(&raw(head(99), &reply));
    let push = Header { flags: Flags::ONE_WAY, ..header(Kind(0x0491), 0, 0) };
    pair.server_sends(&crafted(push, &[], &[]));
    assert!(pair.client_events.is_empty());
    pair.server_sends(&raw(head(2), &CloseProducerReply {}));
    assert_eq!(pair.client_closed().code, Code::UNEXPECTED_FRAME);
    let replies = pair.replies();
    assert_eq!((replies.len(), replies[0].0), (1, id));
}

/// SPEC W-8, E-1, E-2, E-3: status and disposition travel, also those unknown here.
#[test]
fn an_error_keeps_its_number_disposition_and_text() {
    let mut pair = Pair::ready();
    let id = pair.request(0, &list(), 1234);
    pair.drive();
    let (ticket, ..) = pair.asked.pop_front().expect("asked");
    assert_eq!(ticket.timeout_ms, 1234);
    let error = Error { disposition: Disposition(0x91), ..Error::new(Code(4321), "why") };
    pair.server.reply_error(ticket, &error);
    pair.drive();
    assert_eq!(pair.replies(), [(id, Err(error))]);
}

/// SPEC I-15: which records were seen travels behind the text, and with no other error.
#[test]
fn what_was_seen_comes_with_its_error() {
    let mut pair = Pair::ready();
    let seen: Vec<SeenRange> = (0..limits::MAX_SEEN_RANGES)
        .map(|at| SeenRange { first_index: 2 * at, count: 1, base_offset: u64::from(at) })
        .collect();
    for code in [Code::DUPLICATE_IDS, Code::INTERNAL] {
        let id = pair.ask();
        pair.drive();
        let (ticket, ..) = pair.asked.pop_front().expect("asked");
        let error = Error { seen: seen.clone(), ..Error::new(code, "x".repeat(1024)) };
        pair.server.reply_error(ticket, &error);
        pair.drive();
        let expected = if code == Code::DUPLICATE_IDS { seen.clone() } else { Vec::new() };
        assert_eq!(pair.replies(), [(id, Err(Error { seen: expected, ..error }))]);
    }
}

/// SPEC E-1: an error whose text cannot be read is still that error.
#[test]
fn an_unreadable_text_does_not_hide_the_error() {
    let mut pair = Pair::ready();
    pair.ask();
    pair.drive();
    let reply =
        Header { flags: Flags::RESPONSE, aux: 0x0001_0386, ..header(Kind::STREAM_LIST, 2, 8) };
    pair.server_sends(&crafted(reply, &[0xff; 8], &[]));
    let (_, result) = pair.replies().remove(0);
    let error = result.expect_err("status 902");
    assert_eq!((error.code, error.is_retriable()), (Code::OVERLOADED, true));
}

/// SPEC E-4: texts are cut before they leave, in replies, events and GOAWAY.
#[test]
fn long_texts_are_cut() {
    let mut pair = Pair::ready();
    pair.subscribe(1, 100);
    pair.ask();
    pair.drive();
    let long = Error::new(Code::INTERNAL, "é".repeat(100_000));
    let (ticket, ..) = pair.asked.pop_front().expect("asked");
    pair.server.reply_error(ticket, &long);
    pair.server.end_subscription(1, &long);
    pair.server.drain(&long);
    pair.drive();
    let mut lengths = Vec::new();
    for event in &pair.client_events {
        match event {
            ClientEvent::Reply { result: Err(error), .. }
            | ClientEvent::SubscriptionEnded { error, .. }
            | ClientEvent::GoingAway(error) => lengths.push(error.message.chars().count()),
            _ => {}
        }
    }
    assert_eq!(lengths, [1024, 1024, 1024]);
}

/// SPEC F-4: the client holds back; a server refuses what comes all the same, and it is no fault.
#[test]
fn too_many_in_flight_is_retriable() {
    let config = ServerConfig { max_in_flight: 2, ..ServerConfig::default() };
    let mut pair = Pair::ready_with(ClientConfig::default(), config);
    pair.ask();
    assert_eq!(pair.client.room(), 1);
    pair.ask();
    let error = pair.client.request(pair.now, 0, &list(), &[], 0).expect_err("full");
    assert_eq!((error.code, error.is_retriable()), (Code::TOO_MANY_IN_FLIGHT, true));
    pair.drive();
    for correlation in 10..60 {
        pair.client_sends(&raw(Head { correlation, ..Head::default() }, &list()));
    }
    assert_eq!(pair.asked.len(), 2);
    let refused = pair.server_frames().iter().filter(|(h, _)| h.correlation >= 10).count();
    assert_eq!(refused, 50);
    assert!(pair.server_closed.is_empty(), "not a bad request");
    pair.answer_all();
    assert_eq!((pair.replies().len(), pair.client.room()), (2, 2));
}

/// SPEC H-11: the deadline ends the request; a later reply is ignored and the connection stays.
#[test]
fn a_late_reply_is_ignored() {
    let mut pair = Pair::ready();
    let short = pair.request(0, &list(), 50);
    let long = pair.request(0, &list(), 100);
    pair.run_ms(49);
    assert!(pair.client_events.is_empty());
    pair.run_ms(1);
    let replies = pair.replies();
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].0, short);
    let error = replies[0].1.clone().expect_err("late");
    assert_eq!((error.code, error.is_outcome_unknown()), (Code::TIMEOUT, true));
    pair.answer_all();
    let replies = pair.replies();
    assert_eq!((replies.len(), replies[0].0), (1, long));
    assert!(!pair.client.is_closed());
}

/// SPEC H-11: a reply that has arrived when the deadline is looked at is in time.
#[test]
fn a_reply_that_has_arrived_is_in_time() {
    let mut pair = Pair::ready();
    pair.request(0, &list(), 50);
    pair.drive();
    let (ticket, request, _) = pair.asked.pop_front().expect("asked");
    answer(&mut pair.server, ticket, &request);
    let mut parts = Vec::new();
    pair.server.poll_transmit(&mut parts);
    let late = pair.now.plus_ms(60);
    feed_client(&mut pair.client, late, &parts.concat());
    pair.client.handle_timeout(late);
    pair.collect();
    assert!(pair.replies()[0].1.is_ok());
}

/// SPEC E-5: a cut connection says "unknown", never "nothing happened" beside it.
#[test]
fn a_cut_leaves_the_outcome_unknown() {
    let mut pair = Pair::ready();
    pair.ask();
    pair.cut();
    let (_, result) = pair.replies().remove(0);
    let error = result.expect_err("cut");
    assert!(error.is_outcome_unknown() && !error.is_retriable());

    let mut pair = Pair::ready();
    pair.ask();
    pair.client.close(Error::new(Code::SHUTTING_DOWN, "retriable by itself"));
    pair.drive();
    let error = pair.replies().remove(0).1.expect_err("closed");
    assert!(error.is_outcome_unknown() && !error.is_retriable());
}

/// What a run of the property below does.
#[derive(Clone, Debug)]
enum Step {
    Ask { timeout_ms: u32 },
    Answer { at: prop::sample::Index, fails: bool },
    Pass { ms: u32 },
    Drain,
    Leave,
    Cut,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0u32..200).prop_map(|timeout_ms| Step::Ask { timeout_ms }),
        6 => (any::<prop::sample::Index>(), any::<bool>())
            .prop_map(|(at, fails)| Step::Answer { at, fails }),
        4 => (0u32..100).prop_map(|ms| Step::Pass { ms }),
        1 => Just(Step::Drain),
        1 => Just(Step::Leave),
        1 => Just(Step::Cut),
    ]
}

proptest! {
    /// SPEC C-5, E-5: requests, answers out of order, deadlines, drain, goodbye and cuts in any
    /// interleaving.
    #[test]
    fn every_request_ends_in_exactly_one_reply(
        steps in prop::collection::vec(step(), 1..60),
        latency_ms in 0u32..40,
        chunk in 1usize..100,
    ) {
        let mut pair = Pair::ready();
        pair.up.latency_ms = latency_ms;
        pair.down.latency_ms = latency_ms;
        pair.up.chunk = chunk;
        pair.down.chunk = chunk;
        let mut asked: HashMap<RequestId, u32> = HashMap::new();
        let mut ran = 0;
        for step in steps {
            match step {
                Step::Ask { timeout_ms } => {
                    let now = pair.now;
                    if let Ok(id) = pair.client.request(now, 0, &list(), &[], timeout_ms) {
                        asked.insert(id, 0);
                    }
                }
                Step::Answer { at, fails } => {
                    if !pair.asked.is_empty() {
                        let at = at.index(pair.asked.len());
                        let (ticket, request, _) = pair.asked.remove(at).expect("in range");
                        ran += 1;
                        if fails {
                            let error = Error::new(Code::OVERLOADED, "no");
                            pair.server.reply_error(ticket, &error);
                        } else {
                            answer(&mut pair.server, ticket, &request);
                        }
                    }
                }
                Step::Pass { ms } => pair.run_ms(ms),
                Step::Drain => pair.server.drain(&Error::new(Code::SHUTTING_DOWN, "bye")),
                Step::Leave => pair.client.close(Error::new(Code::CLOSED, "bye")),
                Step::Cut => pair.cut(),
            }
        }
        pair.run_ms(300);
        ran += pair.asked.len();
        if pair.server_closed.is_empty() {
            pair.answer_all();
        }
        pair.run_ms(300);
        pair.cut();
        let closed = pair
            .client_events
            .iter()
            .filter(|event| matches!(event, ClientEvent::Closed(_)))
            .count();
        prop_assert_eq!(closed, 1);
        prop_assert!(matches!(pair.client_events.last(), Some(ClientEvent::Closed(_))));
        prop_assert_eq!(pair.server_closed.len(), 1);
        let mut never_ran = 0;
        for (id, result) in pair.replies() {
            *asked.get_mut(&id).expect("a request that was made") += 1;
            if let Err(error) = result {
                prop_assert!(!(error.is_retriable() && error.is_outcome_unknown()));
                never_ran += usize::from(
                    error.is_retriable() && error.disposition.has(Disposition::RECONNECT)
                );
            }
        }
        prop_assert!(asked.values().all(|&replies| replies == 1), "{:?}", asked);
        prop_assert!(never_ran + ran <= asked.len(), "what never ran was not seen by the server");
    }
}

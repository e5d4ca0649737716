//! Channels: who may open and use them, and the order of what passes on them.

use super::*;
use crate::message::{
    Credit, Deliver, GroupEvent, GroupJoin, GroupJoinReply, GroupLeave, GroupRelease,
};

/// SPEC C-1
#[test]
fn a_channel_is_opened_once_and_never_zero() {
    let mut pair = Pair::ready();
    pair.open_producer(1);
    for (channel, code) in [(0, Code::INVALID_ARGUMENT), (1, Code::CHANNEL_IN_USE)] {
        pair.request(channel, &open_producer(), 0);
        pair.drive();
        assert_eq!(pair.refusal(), code);
        pair.request(channel, &subscribe(1), 0);
        pair.drive();
        assert_eq!(pair.refusal(), code);
    }
    assert!(pair.asked.is_empty(), "nothing of it reached the application");
}

/// SPEC C-1, L-1
#[test]
fn channels_have_a_limit() {
    let config = ServerConfig { max_channels: 3, ..ServerConfig::default() };
    let mut pair = Pair::ready_with(ClientConfig::default(), config);
    for channel in 1..=3 {
        pair.open_producer(channel);
    }
    pair.request(4, &open_producer(), 0);
    pair.drive();
    assert_eq!(pair.refusal(), Code::TOO_MANY_CHANNELS);
    pair.request(2, &CloseProducer {}, 0);
    pair.request(4, &open_producer(), 0);
    pair.drive();
    pair.answer_all();
    assert_eq!(pair.replies().iter().filter(|(_, result)| result.is_ok()).count(), 2);
}

/// SPEC C-2: an open that the application refuses leaves the number free.
#[test]
fn a_refused_open_leaves_the_channel_closed() {
    let mut pair = Pair::ready();
    pair.request(1, &open_producer(), 0);
    pair.drive();
    let (ticket, ..) = pair.asked.pop_front().expect("asked");
    pair.server.reply_error(ticket, &Error::new(Code::TOPIC_NOT_FOUND, "no"));
    pair.drive();
    assert_eq!(pair.refusal(), Code::TOPIC_NOT_FOUND);
    pair.open_producer(1);
}

/// SPEC C-2: a bad request for a channel that is open does it no harm.
#[test]
fn a_bad_open_does_not_close_another_ones_channel() {
    let mut pair = Pair::ready();
    pair.open_producer(1);
    let critical = [0x01, 0x8f, 0, 0, 0, 0, 0, 0];
    let meta = [&[0u8; 4][..], &critical, &[0; 4]].concat();
    let bad = Header { channel: 1, ..header(Kind::OPEN_PRODUCER, 50, meta.len()) };
    pair.client_sends(&crafted(bad, &meta, &[]));
    let (reply, _) = pair.server_frames().pop().expect("a reply");
    assert_eq!(reply.status().0, Code::UNSUPPORTED_FIELD);
    let append = Head { correlation: 60, channel: 1, ..Head::default() };
    pair.client_sends(&raw(append, &super::append()));
    assert_eq!(pair.asked.len(), 1, "the channel is still open");
}

/// SPEC C-2, C-6: a number that was closed and opened again belongs to the later request.
#[test]
fn a_late_refusal_does_not_close_the_next_subscription() {
    let mut pair = Pair::ready();
    pair.request(1, &subscribe(100), 0);
    pair.request(1, &Unsubscribe {}, 0);
    pair.request(1, &subscribe(100), 0);
    pair.drive();
    assert_eq!(pair.asked.len(), 3);
    let (first, ..) = pair.asked.pop_front().expect("asked");
    pair.server.reply_error(first, &Error::new(Code::TOPIC_NOT_FOUND, "no"));
    pair.answer_all();
    assert_eq!(pair.server.sendable(1), 100);
}

/// SPEC C-3
#[test]
fn a_channel_serves_only_what_it_was_opened_for() {
    let mut pair = Pair::ready();
    pair.open_producer(1);
    pair.subscribe(2, 100);
    for channel in [0, 2, 3] {
        pair.request(channel, &append(), 0);
        pair.drive();
        assert_eq!(pair.refusal(), Code::UNKNOWN_CHANNEL);
        pair.request(channel, &CloseProducer {}, 0);
        pair.drive();
        assert_eq!(pair.refusal(), Code::UNKNOWN_CHANNEL);
    }
    pair.request(1, &Unsubscribe {}, 0);
    pair.drive();
    assert_eq!(pair.refusal(), Code::UNKNOWN_CHANNEL);
    for channel in [0, 1, 9] {
        let now = pair.now;
        pair.client.send_one_way(now, channel, &Credit { limit_bytes: 1 }).expect("sent");
    }
    pair.request(77, &list(), 0);
    pair.drive();
    assert!(pair.credits.is_empty());
    assert_eq!(pair.asked[0].0.channel, 77, "a channel without a meaning passes");
}

/// SPEC C-4: the application sees the requests of a channel as they were sent.
#[test]
fn requests_arrive_in_order() {
    let mut pair = Pair::ready();
    pair.up.chunk = 7;
    pair.open_producer(1);
    let ids: Vec<RequestId> = (0..20).map(|_| pair.request(1, &append(), 0)).collect();
    pair.drive();
    let seen: Vec<u64> = pair.asked.iter().map(|(ticket, ..)| ticket.correlation).collect();
    assert!(seen.is_sorted() && seen.len() == ids.len());
}

/// SPEC C-6: appends before a close are carried out, and may be answered after it.
#[test]
fn appends_before_a_close_are_carried_out() {
    let mut pair = Pair::ready();
    pair.open_producer(1);
    let appended = pair.request(1, &append(), 0);
    let closed = pair.request(1, &CloseProducer {}, 0);
    pair.request(1, &append(), 0);
    pair.drive();
    assert_eq!(pair.refusal(), Code::UNKNOWN_CHANNEL);
    assert_eq!(pair.asked.len(), 2);
    while let Some((ticket, request, _)) = pair.asked.pop_back() {
        answer(&mut pair.server, ticket, &request);
    }
    pair.drive();
    let order: Vec<RequestId> = pair.replies().into_iter().map(|(id, _)| id).collect();
    assert_eq!(order, [closed, appended]);
}

/// SPEC C-6: nothing is delivered once UNSUBSCRIBE was seen.
#[test]
fn nothing_is_delivered_after_the_end() {
    let mut pair = Pair::ready();
    pair.subscribe(1, 1000);
    pair.request(1, &Unsubscribe {}, 0);
    pair.drive();
    let deliver = Deliver { end_offset: 1 };
    assert!(!pair.server.deliver(1, &deliver, &[batch(8)]));
    assert_eq!(pair.server.sendable(1), 0);
    pair.answer_all();
    assert_eq!(pair.client_events.len(), 1, "only the reply");
}

/// SPEC C-7: the event is the last frame of its subscription.
#[test]
fn an_ended_subscription_is_told_once() {
    let mut pair = Pair::ready();
    pair.subscribe(1, 1000);
    let gone = Error::new(Code::TOPIC_NOT_FOUND, "deleted");
    pair.server.end_subscription(1, &gone);
    pair.server.end_subscription(1, &gone);
    assert!(!pair.server.deliver(1, &Deliver { end_offset: 1 }, &[batch(8)]));
    pair.drive();
    assert_eq!(pair.client_events.len(), 1);
    let ClientEvent::SubscriptionEnded { channel: 1, error } = pair.client_events.remove(0)
    else {
        panic!("not the event")
    };
    assert_eq!(error, gone);
    pair.subscribe(1, 10);
}

/// SPEC W-6: what the server sends unasked is one-way, without a correlation.
#[test]
fn pushes_have_no_correlation() {
    let mut pair = Pair::ready();
    pair.subscribe(1, 1000);
    pair.server.deliver(1, &Deliver { end_offset: 1 }, &[batch(8)]);
    pair.server.end_subscription(1, &Error::new(Code::TOPIC_NOT_FOUND, "deleted"));
    pair.server.drain(&Error::new(Code::SHUTTING_DOWN, "bye"));
    pair.drive();
    let frames = pair.server_frames();
    for kind in [Kind::DELIVER, Kind::SUBSCRIPTION_EVENT, Kind::GOAWAY] {
        let (header, _) = frames.iter().find(|(h, _)| h.kind == kind).expect("sent");
        assert_eq!((header.flags, header.correlation), (Flags::ONE_WAY, 0), "{kind}");
    }
}

fn join() -> GroupJoin {
    GroupJoin {
        group: "g".to_owned(),
        member_id: 0,
        member_epoch: 0,
        member_name: String::new(),
        session_timeout_ms: 1000,
        rebalance_timeout_ms: 1000,
        topics: Vec::new(),
    }
}

fn joined(channel: u32) -> Pair {
    let mut pair = Pair::ready();
    pair.request(channel, &join(), 0);
    pair.drive();
    let (ticket, ..) = pair.asked.pop_front().expect("asked");
    let reply = GroupJoinReply { member_id: 1, member_epoch: 1, generation: 1 };
    pair.server.reply(ticket, &reply, &[]);
    pair.drive();
    pair.client_events.clear();
    pair
}

fn event() -> GroupEvent {
    GroupEvent {
        generation: 1,
        complete: true,
        assigned: Vec::new(),
        revoked: Vec::new(),
        removed: Vec::new(),
    }
}

/// SPEC C-1, C-3: a membership has a channel, and only it takes what is of a membership.
#[test]
fn a_membership_has_a_channel() {
    let mut pair = joined(1);
    for channel in [1, 0] {
        let code = if channel == 0 { Code::INVALID_ARGUMENT } else { Code::CHANNEL_IN_USE };
        pair.request(channel, &join(), 0);
        pair.drive();
        assert_eq!(pair.refusal(), code);
    }
    pair.open_producer(2);
    for channel in [0, 2, 3] {
        pair.request(channel, &GroupRelease { partitions: Vec::new() }, 0);
        pair.drive();
        assert_eq!(pair.refusal(), Code::UNKNOWN_CHANNEL);
        pair.request(channel, &GroupLeave { keep: false }, 0);
        pair.drive();
        assert_eq!(pair.refusal(), Code::UNKNOWN_CHANNEL);
        assert!(!pair.server.group_event(channel, &event()));
    }
    pair.request(1, &GroupLeave { keep: false }, 0);
    pair.drive();
    assert_eq!(pair.asked.len(), 1, "it reaches the application, and the channel is closed");
    assert!(!pair.server.group_event(1, &event()));
}

/// SPEC G-10, W-6: the last frame of a membership, and one-way like every push.
#[test]
fn an_ended_membership_is_told_once() {
    let mut pair = joined(1);
    assert!(pair.server.group_event(1, &event()));
    let gone = Error::new(Code::UNKNOWN_MEMBER, "too slow");
    pair.server.end_subscription(1, &gone);
    pair.server.end_membership(1, &gone);
    pair.server.end_membership(1, &gone);
    pair.drive();
    let events: Vec<ClientEvent> = pair.client_events.drain(..).collect();
    let [
        ClientEvent::GroupEvent { channel: 1, event: told },
        ClientEvent::GroupEnded { channel: 1, error },
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((told, error), (&event(), &gone));
    for kind in [Kind::GROUP_EVENT, Kind::GROUP_ENDED] {
        let frames = pair.server_frames();
        let (header, _) = frames.iter().find(|(h, _)| h.kind == kind).expect("sent");
        assert_eq!((header.flags, header.correlation), (Flags::ONE_WAY, 0), "{kind}");
    }
}

//! Credit and back-pressure: nobody is sent more than it said it can take.

use proptest::prelude::*;

use super::*;
use crate::message::{Credit, Deliver};

fn deliver(pair: &mut Pair, len: usize) {
    assert!(pair.server.deliver(1, &Deliver { end_offset: 9 }, &[batch(len)]));
}

/// SPEC F-1, F-3: absolute limits; a lower or equal one means nothing.
#[test]
fn credit_is_absolute_and_only_rises() {
    let mut pair = Pair::ready();
    pair.subscribe(1, 100);
    assert_eq!(pair.server.sendable(1), 100);
    for (limit_bytes, sendable, told) in
        [(100, 100, 0), (99, 100, 0), (0, 100, 0), (300, 300, 1), (300, 300, 1), (301, 301, 2)]
    {
        let now = pair.now;
        pair.client.send_one_way(now, 1, &Credit { limit_bytes }).expect("sent");
        pair.drive();
        assert_eq!((pair.server.sendable(1), pair.credits.len()), (sendable, told));
    }
}

/// SPEC F-2: bytes of payload count, and one delivery may pass the limit.
#[test]
fn a_delivery_may_pass_the_limit_and_then_all_stop() {
    let mut pair = Pair::ready();
    pair.subscribe(1, 150);
    let one = batch(32).len() as u64;
    deliver(&mut pair, 32);
    assert_eq!(pair.server.sendable(1), 150 - one);
    deliver(&mut pair, 32);
    assert_eq!(pair.server.sendable(1), 0);
    let now = pair.now;
    pair.client.send_one_way(now, 1, &Credit { limit_bytes: 2 * one + 5 }).expect("sent");
    pair.drive();
    assert_eq!(pair.server.sendable(1), 5);
}

proptest! {
    /// SPEC F-2: over any exchange the sum stays below the limit and one delivery.
    #[test]
    fn what_is_delivered_stays_within_the_credit(
        steps in prop::collection::vec((any::<bool>(), 0u64..2000, 1usize..300), 1..50),
    ) {
        let mut pair = Pair::ready();
        pair.subscribe(1, 500);
        let (mut limit, mut sent) = (500u64, 0u64);
        for (grants, limit_bytes, len) in steps {
            if grants {
                let now = pair.now;
                pair.client.send_one_way(now, 1, &Credit { limit_bytes }).expect("sent");
                pair.drive();
                limit = limit.max(limit_bytes);
            } else if pair.server.sendable(1) > 0 {
                deliver(&mut pair, len);
                prop_assert!(sent < limit);
                sent += batch(len).len() as u64;
            }
            prop_assert_eq!(pair.server.sendable(1), limit.saturating_sub(sent));
        }
        pair.drive();
        let arrived: usize = pair.client_events.iter().map(|event| match event {
            ClientEvent::Deliver { payload, .. } => payload.len(),
            _ => 0,
        }).sum();
        prop_assert_eq!(arrived as u64, sent);
    }
}

/// SPEC F-5: unanswered payloads stop the reading, answers start it again.
#[test]
fn unanswered_payloads_stop_the_reading() {
    let mut pair = Pair::ready();
    pair.open_producer(1);
    let payload = Bytes::from(vec![0; 8 << 20]);
    let now = pair.now;
    for _ in 0..8 {
        let part = std::slice::from_ref(&payload);
        pair.client.request(now, 1, &append(), part, 0).expect("room");
    }
    pair.up.chunk = 1 << 20;
    pair.drive();
    assert!(!pair.server.wants_input());
    assert_eq!(pair.asked.len(), 5, "32 MiB and one frame more");
    let (ticket, request, _) = pair.asked.pop_front().expect("asked");
    answer(&mut pair.server, ticket, &request);
    assert!(pair.server.wants_input());
    pair.drive();
    assert_eq!(pair.asked.len(), 5);
    while !pair.asked.is_empty() {
        pair.answer_all();
    }
    assert_eq!(pair.replies().len(), 8);
}

/// SPEC F-5: so does a client that does not take what is sent to it.
#[test]
fn a_client_that_takes_nothing_is_not_read_from() {
    let config = ServerConfig { max_queued_bytes: 1000, ..ServerConfig::default() };
    let mut pair = Pair::ready_with(ClientConfig::default(), config);
    pair.subscribe(1, 1 << 20);
    deliver(&mut pair, 2000);
    assert!(!pair.server.wants_input());
    pair.drive();
    assert!(pair.server.wants_input());
}

/// SPEC L-2: what does not fit into the agreed frame ends the subscription with that reason.
#[test]
fn a_batch_that_does_not_fit_ends_the_subscription() {
    let config =
        ClientConfig { max_frame_len: limits::MAX_HANDSHAKE_FRAME_LEN, ..Default::default() };
    let mut pair = Pair::ready_with(config, ServerConfig::default());
    pair.subscribe(1, 1 << 20);
    assert!(!pair.server.deliver(1, &Deliver { end_offset: 1 }, &[batch(9000)]));
    pair.drive();
    assert!(matches!(
        &pair.client_events[..],
        [ClientEvent::SubscriptionEnded { channel: 1, error }]
            if error.code == Code::FRAME_TOO_LARGE
    ));
}

/// SPEC L-2: a reply that does not fit becomes the error.
#[test]
fn a_reply_that_does_not_fit_becomes_an_error() {
    let config =
        ClientConfig { max_frame_len: limits::MAX_HANDSHAKE_FRAME_LEN, ..Default::default() };
    let mut pair = Pair::ready_with(config, ServerConfig::default());
    pair.ask();
    pair.drive();
    let (ticket, ..) = pair.asked.pop_front().expect("asked");
    let reply = StreamListReply { streams: Vec::new(), more: false };
    pair.server.reply(ticket, &reply, &[Bytes::from(vec![0; 9000])]);
    pair.drive();
    assert_eq!(pair.refusal(), Code::FRAME_TOO_LARGE);
}

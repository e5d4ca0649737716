//! The end of a connection: drain, GOAWAY, goodbye, end of the stream.

use super::*;
use crate::error::Disposition;
use crate::message::{Credit, Deliver};

fn bye() -> Error {
    Error::new(Code::SHUTTING_DOWN, "the server stops")
}

/// SPEC H-6, H-7: what was accepted is answered, what came later never ran, then both close.
#[test]
fn a_drain_answers_what_was_accepted() {
    let mut pair = Pair::ready();
    let accepted = pair.ask();
    pair.drive();
    pair.up.latency_ms = 10;
    let late = pair.ask();
    pair.drive();
    pair.server.drain(&bye());
    pair.run_ms(20);
    let replies = pair.client_events.iter().find_map(|event| match event {
        ClientEvent::Reply { id, result: Err(error) } => Some((*id, error.clone())),
        _ => None,
    });
    let (id, error) = replies.expect("the late one failed");
    assert_eq!((id, error.code), (late, Code::SHUTTING_DOWN));
    assert_eq!(error.disposition, Disposition::RETRIABLE.and(Disposition::RECONNECT));
    assert_eq!(pair.asked.len(), 1, "the late one never ran");
    assert!(pair.server_closed.is_empty());

    let refused = pair.client.request(pair.now, 0, &list(), &[], 0).expect_err("draining");
    assert!(refused.is_retriable() && refused.disposition.has(Disposition::RECONNECT));

    pair.client_events.clear();
    pair.answer_all();
    assert_eq!(pair.client_closed().code, Code::DISCONNECTED);
    assert!(matches!(pair.server_closed[..], [None]));
    let replies = pair.replies();
    assert_eq!((replies.len(), replies[0].0), (1, accepted));
    assert!(replies[0].1.is_ok());
}

/// SPEC H-7: credit and deliveries go on while answers are due.
#[test]
fn a_drain_still_takes_credit_and_delivers() {
    let mut pair = Pair::ready();
    pair.subscribe(1, 10);
    pair.ask();
    pair.drive();
    // Sent before the client knows.
    let now = pair.now;
    pair.client.send_one_way(now, 1, &Credit { limit_bytes: 500 }).expect("ready");
    pair.server.drain(&bye());
    pair.drive();
    assert_eq!(pair.server.sendable(1), 500);
    assert!(pair.server.deliver(1, &Deliver { end_offset: 1 }, &[batch(8)]));
    pair.drive();
    assert!(pair.client_events.iter().any(|e| matches!(e, ClientEvent::Deliver { .. })));
    pair.answer_all();
    assert_eq!(pair.server_closed.len(), 1);
}

/// SPEC H-7: an idle connection is drained at once, and a second drain changes nothing.
#[test]
fn an_idle_connection_is_drained_at_once() {
    let mut pair = Pair::ready();
    pair.server.drain(&bye());
    pair.server.drain(&bye());
    pair.drive();
    assert!(pair.client.is_closed() && matches!(pair.server_closed[..], [None]));
    let goaways = pair.server_frames().iter().filter(|(h, _)| h.kind == Kind::GOAWAY).count();
    assert_eq!(goaways, 1);
}

/// SPEC H-6: a PING or a request whose time ran out does not keep a draining client alive.
#[test]
fn nothing_unanswered_closes_a_draining_client() {
    let mut pair = Pair::ready();
    pair.down.latency_ms = 5;
    pair.run_ms(limits::MIN_HEARTBEAT_MS);
    pair.request(0, &list(), 100);
    pair.drive();
    pair.server.drain(&bye());
    pair.run_ms(50);
    assert!(!pair.client.is_closed());
    pair.run_ms(51);
    assert!(pair.client.is_closed(), "its last request timed out");

    let mut pair = Pair::ready();
    pair.client.handle_timeout(pair.now.plus_ms(30_000));
    let mut parts = Vec::new();
    pair.client.poll_transmit(&mut parts);
    // GOAWAY that accepted the PING, then the PING's answer, and no end of stream.
    let goaway = crate::message::Goaway { last_accepted: 2, code: 901, message: String::new() };
    pair.server_sends(&raw(Head { flags: Flags::ONE_WAY, ..Head::default() }, &goaway));
    assert!(!pair.client.is_closed());
    let head = Head { flags: Flags::RESPONSE, correlation: 2, ..Head::default() };
    pair.server_sends(&raw(head, &crate::message::PingReply {}));
    assert!(pair.client.is_closed());
}

/// SPEC H-7, H-4: a drain that nobody ends is ended by the silence.
#[test]
fn a_silent_drain_ends() {
    let mut pair = Pair::ready();
    pair.ask();
    pair.drive();
    pair.server.drain(&bye());
    pair.run_ms(4 * 30_000);
    assert!(pair.client.is_closed());
    assert_eq!(pair.server_closed.len(), 1);
}

/// SPEC E-6, H-8: a fault while draining closes without a second GOAWAY.
#[test]
fn a_fault_is_said_once() {
    for drains in [false, true] {
        let mut pair = Pair::ready();
        pair.ask();
        pair.drive();
        if drains {
            pair.server.drain(&bye());
        }
        pair.client_sends(&[0; 32]);
        assert_eq!(pair.server_fault(), Code::MALFORMED_FRAME);
        let goaways =
            pair.server_frames().iter().filter(|(h, _)| h.kind == Kind::GOAWAY).count();
        assert_eq!(goaways, 1);
    }
}

/// SPEC H-9: requests sent before the goodbye are carried out, what follows it is ignored.
#[test]
fn a_client_says_goodbye() {
    let mut pair = Pair::ready();
    pair.ask();
    pair.client.close(Error::new(Code::CLOSED, "done"));
    pair.client.close(Error::new(Code::CLOSED, "again"));
    pair.drive();
    assert_eq!(pair.asked.len(), 1);
    assert!(matches!(pair.server_closed[..], [None]));
    assert_eq!(pair.client_closed().message, "done");
    let sent = frames(&pair.up.sent[frame::PREFACE_LEN..]);
    assert_eq!(sent.last().expect("frames").0.kind, Kind::GOAWAY);
    pair.client_sends(&[0xff; 64]);
    assert_eq!(pair.server_closed.len(), 1);
}

/// SPEC H-10: frames that arrived whole count, even if nobody looked before the end.
#[test]
fn what_arrived_before_the_end_counts() {
    let mut pair = Pair::ready();
    pair.ask();
    pair.ask();
    let mut parts = Vec::new();
    pair.client.poll_transmit(&mut parts);
    let mut bytes = parts.concat();
    bytes.truncate(bytes.len() - 1);
    feed_server(&mut pair.server, pair.now, &bytes);
    pair.server.handle_eof();
    assert!(!pair.server.wants_input());
    assert_eq!(pair.server.poll_timeout(), None);
    pair.collect();
    assert_eq!(pair.asked.len(), 1, "the one that is whole");
    assert!(matches!(pair.server_closed[..], [None]));

    let (ticket, request, _) = pair.asked.pop_front().expect("asked");
    let mut pair = Pair::ready();
    pair.ask();
    pair.drive();
    drop(ticket);
    let (ticket, ..) = pair.asked.pop_front().expect("asked");
    answer(&mut pair.server, ticket, &request);
    pair.server.poll_transmit(&mut parts);
    let bytes = parts.drain(..).next_back().expect("the reply");
    feed_client(&mut pair.client, pair.now, &bytes);
    pair.client.handle_eof();
    pair.collect();
    assert!(pair.replies()[0].1.is_ok());
}

//! Heartbeats: an idle pair lives on few wakes, a dead peer is noticed.

use super::*;

const BEAT: u32 = 30_000;

/// SPEC H-2: hours of silence cost one PING each interval and no more wakes than that.
#[test]
fn an_idle_pair_lives_for_hours_on_few_wakes() {
    let mut pair = Pair::ready();
    pair.up.latency_ms = 20;
    pair.down.latency_ms = 20;
    let hours = 10;
    pair.run_ms(hours * 3_600_000);
    assert!(!pair.client.is_closed() && pair.server_closed.is_empty());
    let intervals = hours * 3_600_000 / BEAT;
    let pings = pair.server_frames().iter().filter(|(h, _)| h.kind == Kind::PING).count();
    assert!((intervals * 9 / 10..=intervals).contains(&(pings as u32)), "{pings}");
    assert!(pair.client_wakes <= intervals, "{}", pair.client_wakes);
    assert_eq!(pair.server_wakes, 0);
    assert!(pair.client_events.is_empty(), "a heartbeat is nobody's business");
}

/// SPEC H-2: traffic in both directions needs no PING; in one direction it does.
#[test]
fn a_busy_connection_sends_no_ping() {
    let mut pair = Pair::ready();
    for _ in 0..20 {
        pair.run_ms(BEAT / 2);
        pair.ask();
        pair.drive();
        pair.answer_all();
    }
    let pings =
        |pair: &Pair| pair.server_frames().iter().filter(|(h, _)| h.kind == Kind::PING).count();
    assert_eq!(pings(&pair), 0);
    pair.subscribe(1, 1 << 30);
    for _ in 0..20 {
        pair.run_ms(BEAT / 2);
        pair.server.deliver(1, &crate::message::Deliver { end_offset: 1 }, &[batch(8)]);
    }
    pair.drive();
    assert!((9..=10).contains(&pings(&pair)), "the server must hear from the client");
    assert!(pair.server_closed.is_empty());
}

/// SPEC H-4: a server that fell silent.
#[test]
fn a_client_notices_a_dead_server() {
    let mut pair = Pair::ready();
    let id = pair.ask();
    let start = pair.now;
    // The wire takes everything and brings nothing.
    while let Some(at) = pair.client.poll_timeout() {
        pair.client.handle_timeout(at);
        pair.now = at;
        pair.client_events.extend(std::iter::from_fn(|| pair.client.poll_event()));
    }
    assert_eq!(pair.now, start.plus_ms(3 * BEAT));
    assert_eq!(pair.client_closed().code, Code::DISCONNECTED);
    assert_eq!(pair.replies()[0].0, id);
}

/// SPEC H-4: a client that fell silent is told why, in case it still hears.
#[test]
fn a_server_notices_a_dead_client() {
    let mut pair = Pair::ready();
    let deadline = pair.now.plus_ms(3 * BEAT);
    assert_eq!(pair.server.poll_timeout(), Some(deadline));
    pair.server.handle_timeout(Time::from_nanos(deadline.as_nanos() - 1));
    pair.collect();
    assert!(pair.server_closed.is_empty());
    pair.server.handle_timeout(deadline);
    pair.drive();
    assert_eq!(pair.server_fault(), Code::HEARTBEAT_TIMEOUT);
    assert!(matches!(
        &pair.client_events[0],
        ClientEvent::GoingAway(error) if error.code == Code::HEARTBEAT_TIMEOUT
    ));
}

/// SPEC H-3: with a full window the heart still beats, and nobody spins on a past deadline.
#[test]
fn a_full_window_does_not_stop_the_heart() {
    let config = ServerConfig { max_in_flight: 2, ..ServerConfig::default() };
    let mut pair = Pair::ready_with(ClientConfig::default(), config);
    pair.ask();
    pair.ask();
    assert_eq!(pair.client.room(), 0);
    pair.run_ms(10 * BEAT);
    assert!(!pair.client.is_closed() && pair.server_closed.is_empty());
    assert!(pair.client_wakes <= 10, "{}", pair.client_wakes);
    assert!(pair.client.poll_timeout().is_some_and(|at| at > pair.now));
    pair.answer_all();
    assert_eq!(pair.replies().len(), 2);
}

/// SPEC H-3: a PING that waits for its answer takes no place of a request.
#[test]
fn a_ping_takes_no_place() {
    let config = ServerConfig { max_in_flight: 1, ..ServerConfig::default() };
    let mut pair = Pair::ready_with(ClientConfig::default(), config);
    pair.up.latency_ms = 1000;
    pair.run_ms(BEAT);
    assert_eq!(pair.client_wakes, 1, "a PING is on its way");
    assert_eq!(pair.client.room(), 1);
    let id = pair.ask();
    pair.run_ms(2000);
    pair.answer_all();
    assert_eq!(pair.replies()[0].0, id);
}

/// SPEC H-5: a client that is slow to take what waits for it cannot be heard meanwhile, and is not
/// dead; one that takes nothing is.
#[test]
fn a_server_is_patient_with_who_takes_something() {
    let config = ServerConfig { max_queued_bytes: 1000, ..ServerConfig::default() };
    let mut pair = Pair::ready_with(ClientConfig::default(), config);
    pair.subscribe(1, 1 << 20);
    let (mut parts, mut deadline) = (Vec::new(), pair.now);
    for _ in 0..3 {
        pair.server.deliver(1, &crate::message::Deliver { end_offset: 1 }, &[batch(2000)]);
        assert!(!pair.server.wants_input());
        // What was given before has left.
        assert!(pair.server.poll_transmit(&mut parts));
        let due = pair.server.poll_timeout().expect("heartbeats");
        assert!(due > deadline);
        deadline = due;
        pair.server.handle_timeout(deadline);
        assert!(pair.server.poll_event().is_none());
    }
    pair.server.deliver(1, &crate::message::Deliver { end_offset: 1 }, &[batch(2000)]);
    deadline = pair.server.poll_timeout().expect("heartbeats");
    pair.server.handle_timeout(deadline);
    pair.collect();
    assert_eq!(pair.server_fault(), Code::HEARTBEAT_TIMEOUT);
}

/// SPEC H-5: a server that does not read cannot blame the client for its silence.
#[test]
fn a_server_that_does_not_read_is_patient() {
    let mut pair = Pair::ready();
    pair.open_producer(1);
    let payload = Bytes::from(vec![0; 8 << 20]);
    let now = pair.now;
    for _ in 0..5 {
        let part = std::slice::from_ref(&payload);
        pair.client.request(now, 1, &append(), part, 0).expect("room");
    }
    pair.drive();
    assert!(!pair.server.wants_input());
    let deadline = pair.server.poll_timeout().expect("heartbeats");
    pair.server.handle_timeout(deadline);
    pair.collect();
    assert!(pair.server_closed.is_empty());
    assert!(pair.server.poll_timeout().is_some_and(|at| at > deadline));
}

//! A server that takes its time: the client is told, and silence is nobody's fault.

use super::*;

fn rate() -> Error {
    Error::new(Code::RATE_LIMITED, "max_user_requests_per_sec is 5")
}

/// SPEC F-7: the client learns which rate it is, and for how long it waits.
#[test]
fn a_client_is_told_that_it_waits() {
    let mut pair = Pair::ready();
    pair.server.throttled(&rate(), 250);
    pair.drive();
    let [ClientEvent::Throttled { error, delay_ms: 250 }] = &pair.client_events[..] else {
        panic!("{:?}", pair.client_events)
    };
    assert_eq!(error, &rate());
    let frames = pair.server_frames();
    let (header, _) = frames.iter().find(|(h, _)| h.kind == Kind::THROTTLED).expect("sent");
    assert_eq!((header.flags, header.correlation, header.channel), (Flags::ONE_WAY, 0, 0));
}

/// SPEC F-6, H-5: while a server does not read because of a rate, the client's silence is not held
/// against it, and its own notices keep the client's heart at rest (F-7).
#[test]
fn a_server_that_reads_later_is_patient_and_its_notices_are_signs_of_life() {
    let mut pair = Pair::ready();
    pair.server.pause(true);
    assert!(!pair.server.wants_input());
    let death_ms = 3 * crate::options::client::HEARTBEAT_MS;
    let start = pair.now;
    while pair.now < start.plus_ms(2 * death_ms) {
        pair.run_ms(1_000);
        pair.server.throttled(&rate(), 1_000);
        pair.drive();
    }
    assert!(!pair.client.is_closed() && pair.server_closed.is_empty());
    pair.server.pause(false);
    let id = pair.ask();
    pair.drive();
    pair.answer_all();
    assert_eq!(pair.replies()[0].0, id);
}

/// SPEC F-7: before a connection is ready, and once it is over, there is nobody to tell.
#[test]
fn a_notice_is_for_those_who_are_there() {
    let config = ServerConfig::default();
    let mut server = ServerConnection::new(config.into(), Time::from_nanos(1));
    server.throttled(&rate(), 1);
    assert_eq!(server.queued_bytes(), 0);
    server.end(&rate());
    let queued = server.queued_bytes();
    server.throttled(&rate(), 1);
    assert_eq!(server.queued_bytes(), queued);
}

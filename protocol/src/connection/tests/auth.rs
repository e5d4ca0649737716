//! Between HELLO and ready: what a client that is not known may do, which is little.

use super::*;
use crate::auth::method;
use crate::message::{Auth, AuthReply, AuthSalt, AuthSaltReply};

fn challenged(authenticates: bool) -> Pair {
    let config = ClientConfig { authenticates, ..ClientConfig::default() };
    let mut pair = Pair::with(config, ServerConfig::default());
    let challenge = Challenge { methods: method::PASSWORD, nonce: vec![7; 32] };
    pair.server =
        ServerConnection::with_challenge(ServerConfig::default().into(), pair.now, challenge);
    pair.drive();
    pair
}

fn auth() -> Auth {
    Auth {
        method: method::PASSWORD,
        user: "ada".to_owned(),
        token: 0,
        nonce: vec![9; 32],
        proof: vec![0; 32],
    }
}

fn auth_reply() -> AuthReply {
    AuthReply { user: "ada".to_owned(), signature: vec![1; 32] }
}

fn salt() -> AuthSalt {
    AuthSalt { user: "ada".to_owned() }
}

fn salt_reply() -> AuthSaltReply {
    AuthSaltReply { salt: vec![1; 16], memory_kib: 19_456, iterations: 2, parallelism: 1 }
}

/// SPEC, P-6
#[test]
fn a_client_that_is_known_goes_on() {
    let mut pair = challenged(true);
    let ClientEvent::Challenged(hello) = pair.client_events.remove(0) else { panic!() };
    assert_eq!((hello.auth, hello.nonce), (method::PASSWORD, vec![7; 32]));
    assert_eq!(pair.server_ready, 0);
    let early = pair.client.request(pair.now, 0, &list(), &[], 0).expect_err("too early");
    assert_eq!(early.code, Code::UNEXPECTED_FRAME);

    pair.request(0, &salt(), 0);
    pair.drive();
    let (ticket, ..) = pair.asked.pop_front().expect("asked");
    pair.server.answer_salt(ticket, &salt_reply());
    pair.drive();
    pair.request(0, &auth(), 0);
    pair.drive();
    let (ticket, ..) = pair.asked.pop_front().expect("asked");
    assert_eq!(pair.server.nonce(), [7; 32]);
    pair.server.authenticated(ticket, &auth_reply());
    pair.drive();
    assert_eq!(pair.server_ready, 1);
    assert_eq!(pair.replies().len(), 2);
    pair.client.authenticated();

    // Nothing reminds of it: frames are large, requests are answered, nobody is pressed for time.
    pair.request(0, &list(), 0);
    pair.drive();
    pair.answer_all();
    assert!(pair.replies().remove(0).1.is_ok());
    pair.open_producer(1);
    let now = pair.now;
    let large = Bytes::from(vec![0; limits::MAX_HANDSHAKE_FRAME_LEN as usize]);
    pair.client.request(now, 1, &append(), &[large], 0).expect("large enough");
    pair.drive();
    assert_eq!(pair.asked.len(), 1);
    pair.answer_all();
    pair.run_ms(limits::HANDSHAKE_TIMEOUT_MS * 3);
    assert!(pair.server_closed.is_empty(), "{:?}", pair.server_closed);
}

/// SPEC A-7, P-9
#[test]
fn a_client_that_is_not_known_is_told_and_cut() {
    let mut pair = challenged(true);
    pair.client_events.clear();
    pair.request(0, &auth(), 0);
    pair.drive();
    let (ticket, ..) = pair.asked.pop_front().expect("asked");
    pair.server.refuse(ticket, &Error::new(Code::AUTH_FAILED, "no"));
    pair.drive();
    assert_eq!(pair.client_closed().code, Code::AUTH_FAILED);
    assert_eq!(pair.refusal(), Code::AUTH_FAILED);
    assert_eq!(pair.server_fault(), Code::AUTH_FAILED);
    assert_eq!(pair.server_ready, 0);
}

/// SPEC A-1: whatever else is sent ends the connection, and is not carried out.
#[test]
fn nothing_else_is_taken_before_the_client_is_known() {
    for kind in crate::message::KINDS {
        if matches!(kind.kind, Kind::AUTH | Kind::AUTH_SALT | Kind::GOAWAY) {
            continue;
        }
        let mut pair = challenged(true);
        pair.client_sends(&crafted(header(kind.kind, 2, 0), &[], &[]));
        assert!(pair.asked.is_empty(), "{}", kind.name);
        assert_eq!(pair.server_fault(), Code::AUTH_REQUIRED, "{}", kind.name);
    }
}

/// SPEC A-1: what is wrong with AUTH itself ends the connection too.
#[test]
fn a_malformed_attempt_ends_the_connection() {
    let good = raw(Head { correlation: 2, ..Head::default() }, &auth());
    let meta = good[HEADER_LEN..].to_vec();
    let with = |change: &dyn Fn(&mut Header)| {
        let mut header = header(Kind::AUTH, 2, meta.len());
        change(&mut header);
        header
    };
    let payload = Bytes::from_static(&[0; 8]);
    let cases = [
        (with(&|h| h.kind_version = 2), meta.clone(), vec![], Code::UNSUPPORTED_VERSION),
        (with(&|h| h.size += 8), meta.clone(), payload.to_vec(), Code::MALFORMED_META),
        (header(Kind::AUTH, 2, 8), vec![0xff; 8], vec![], Code::MALFORMED_META),
        (
            with(&|h| {
                h.correlation = 0;
                h.flags = Flags::ONE_WAY;
            }),
            meta.clone(),
            vec![],
            Code::AUTH_REQUIRED,
        ),
    ];
    for (header, meta, payload, code) in cases {
        let mut pair = challenged(true);
        pair.client_sends(&crafted(header, &meta, &payload));
        assert!(pair.asked.is_empty());
        assert_eq!(pair.server_fault(), code);
    }
}

/// SPEC A-1, P-7: one attempt at a time, few of them, small ones, and not for long.
#[test]
fn an_unknown_client_costs_little() {
    let mut pair = challenged(true);
    let attempts: Vec<u8> = (2..40u64)
        .flat_map(|correlation| raw(Head { correlation, ..Head::default() }, &salt()))
        .collect();
    pair.client_sends(&attempts);
    let mut answered = 0;
    while let Some((ticket, ..)) = pair.asked.pop_front() {
        assert!(pair.asked.is_empty(), "a second one before the first was answered");
        assert!(!pair.server.wants_input());
        pair.server.answer_salt(ticket, &salt_reply());
        answered += 1;
        pair.drive();
    }
    assert_eq!(answered, limits::MAX_AUTH_REQUESTS);
    assert_eq!(pair.server_fault(), Code::TOO_MANY_BAD_REQUESTS);

    let mut pair = challenged(true);
    let size = limits::MAX_HANDSHAKE_FRAME_LEN + 8;
    pair.client_sends(&crafted(Header { size, ..header(Kind::AUTH, 2, 0) }, &[], &[]));
    assert_eq!(pair.server_fault(), Code::FRAME_TOO_LARGE);

    // Neither one that says nothing nor one that waits for its answer is waited for.
    for asks in [false, true] {
        let mut pair = challenged(true);
        if asks {
            pair.client_sends(&raw(Head { correlation: 2, ..Head::default() }, &auth()));
        }
        pair.now = pair.now.plus_ms(limits::HANDSHAKE_TIMEOUT_MS);
        let now = pair.now;
        pair.server.handle_timeout(now);
        pair.drive();
        assert_eq!(pair.server_fault(), Code::HANDSHAKE_TIMEOUT);
    }
}

/// SPEC P-7, A-1: a stranger who sends as fast as it can is given little room, and one who holds
/// back the rest of a frame none for that.
#[test]
fn an_unknown_client_is_given_little_room() {
    const MOST: usize = 8 * limits::MAX_HANDSHAKE_FRAME_LEN as usize;
    let salt = AuthSalt { user: "x".repeat(8_000) };
    let salts = (2..40u64)
        .flat_map(|correlation| raw(Head { correlation, ..Head::default() }, &salt))
        .collect::<Vec<u8>>();
    let size = limits::MAX_HANDSHAKE_FRAME_LEN;
    let held_back = crafted(Header { size, ..header(Kind::AUTH, 2, 0) }, &[], &[0; 4_000]);
    for flood in [salts, held_back] {
        let mut pair = challenged(true);
        let (mut rest, mut largest) = (&flood[..], 0);
        while pair.server.wants_input() {
            let mut buf = pair.server.take_read_buf();
            largest = largest.max(buf.capacity());
            let (now, later) = rest.split_at(rest.len().min(buf.capacity() - buf.len()));
            if now.is_empty() {
                break;
            }
            buf.extend_from_slice(now);
            rest = later;
            pair.server.handle_input(pair.now, buf);
            while let Some(event) = pair.server.poll_event() {
                if let ServerEvent::Auth(ticket, _) = event {
                    pair.server.answer_salt(ticket, &salt_reply());
                }
            }
        }
        assert!((1..=MOST).contains(&largest), "{largest}");
    }
}

/// SPEC A-1, E-7: it is a bad request then, and the connection stays.
#[test]
fn a_ready_connection_takes_no_attempt() {
    let mut pair = Pair::ready();
    for request in [
        raw(Head { correlation: 2, ..Head::default() }, &auth()),
        raw(Head { correlation: 3, ..Head::default() }, &salt()),
    ] {
        pair.client_sends(&request);
    }
    let frames = pair.server_frames();
    for (header, _) in &frames[frames.len() - 2..] {
        assert_eq!(header.status().0, Code::MALFORMED_META);
    }
    assert!(pair.server_closed.is_empty());
}

/// SPEC A-8
#[test]
fn a_connection_whose_user_is_gone_ends() {
    let mut pair = Pair::ready();
    pair.request(0, &list(), 0);
    pair.drive();
    pair.server.end(&Error::new(Code::USER_DISABLED, "disabled"));
    pair.drive();
    assert_eq!(pair.server_fault(), Code::USER_DISABLED);
    let goaway = pair.client_events.iter().any(|event| {
        matches!(event, ClientEvent::GoingAway(error) if error.code == Code::USER_DISABLED)
    });
    assert!(goaway, "{:?}", pair.client_events);
}

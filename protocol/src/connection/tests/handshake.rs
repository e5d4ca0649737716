//! Preface, HELLO, and what may happen before a connection is ready.

use super::*;
use crate::codec::Reader;
use crate::message::{Goaway, Hello, HelloReply};

fn hello() -> Hello {
    Hello {
        client_name: String::new(),
        client_version: String::new(),
        capabilities: 0,
        codecs: 1,
        max_frame_len: limits::MAX_FRAME_LEN,
        heartbeat_ms: 30_000,
    }
}

fn hello_reply() -> HelloReply {
    HelloReply {
        server_name: String::new(),
        server_version: String::new(),
        server_id: 1,
        capabilities: 0,
        codecs: 1,
        auth: 0,
        nonce: Vec::new(),
        heartbeat_ms: 30_000,
        max_frame_len: limits::MAX_FRAME_LEN,
        max_batch_len: limits::MAX_BATCH_LEN,
        max_batch_records: limits::MAX_BATCH_RECORDS,
        max_in_flight: 8,
        max_channels: 8,
        kinds: Vec::new(),
    }
}

/// A server that a test speaks to by hand. What it sent, and how it ended.
fn server_hears(bytes: &[u8]) -> (Vec<u8>, Option<Code>) {
    let now = Time::ZERO;
    let mut server = ServerConnection::new(ServerConfig::default().into(), now);
    feed_server(&mut server, now, bytes);
    let mut fault = None;
    while let Some(event) = server.poll_event() {
        if let ServerEvent::Closed(error) = event {
            fault = error.map(|error| error.code);
        }
    }
    let mut parts = Vec::new();
    while server.poll_transmit(&mut parts) {}
    (parts.concat(), fault)
}

/// A client that hears `bytes` as its server's first. How it ended.
fn client_hears(bytes: &[u8]) -> Option<Error> {
    let mut client = ClientConnection::new(ClientConfig::default(), Time::ZERO);
    feed_client(&mut client, Time::ZERO, bytes);
    std::iter::from_fn(|| client.poll_event()).find_map(|event| match event {
        ClientEvent::Closed(error) => Some(error),
        _ => None,
    })
}

fn after_preface(frame: &[u8]) -> Vec<u8> {
    [&frame::PREFACE[..], frame].concat()
}

fn goaway_of(sent: &[u8]) -> Goaway {
    let frames = frames(&sent[frame::PREFACE_LEN..]);
    let (header, meta) = frames.last().expect("a frame");
    assert_eq!(header.kind, Kind::GOAWAY);
    Goaway::decode(Reader::new(meta)).expect("good")
}

/// SPEC P-1, P-2: preface and HELLO leave the client together; the server's preface waits for
/// the client's.
#[test]
fn both_sides_begin_with_a_preface() {
    let mut client = ClientConnection::new(ClientConfig::default(), Time::ZERO);
    let mut parts = Vec::new();
    client.poll_transmit(&mut parts);
    let sent = parts.concat();
    assert_eq!(sent[..8], *b"TIDE\x01\x00\x00\x00");
    assert_eq!(frames(&sent[8..])[0].0.kind, Kind::HELLO);
    assert_eq!(server_hears(b""), (Vec::new(), None));
    assert_eq!(server_hears(&frame::PREFACE), (frame::PREFACE.to_vec(), None));
}

/// SPEC P-3
#[test]
fn a_wrong_preface_ends_the_connection() {
    assert_eq!(server_hears(b"\x16\x03\x01\x02"), (Vec::new(), Some(Code::NOT_TIDEWIRE)));
    let other_major = b"TIDE\x02\0\0\0";
    let answer = (frame::PREFACE.to_vec(), Some(Code::UNSUPPORTED_PROTOCOL));
    assert_eq!(server_hears(other_major), answer);
    assert_eq!(client_hears(b"SSH-2.0").expect("over").code, Code::NOT_TIDEWIRE);
    // What a listener for TLS answers.
    let alert = client_hears(b"\x15\x03\x03\0\x02\x02\x32").expect("over");
    assert_eq!(alert.code, Code::NOT_TIDEWIRE);
    assert!(alert.message.contains("begins with tidewire+tls://"), "{alert}");
    let error = client_hears(other_major).expect("over");
    assert_eq!(error.code, Code::UNSUPPORTED_PROTOCOL);
    assert_eq!(server_hears(b"TIDE\x01\x07\xaa\xbb").0, frame::PREFACE);
}

/// SPEC P-10, W-11: also when it arrives byte by byte.
#[test]
fn an_http_client_is_told_in_its_own_words() {
    let (sent, fault) = server_hears(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(sent.starts_with(b"HTTP/1.1 400 "));
    assert_eq!(fault, Some(Code::NOT_TIDEWIRE));
    let mut server = ServerConnection::new(ServerConfig::default().into(), Time::ZERO);
    let mut closed = 0;
    for byte in b"GET / HTTP/1.1\r\n" {
        feed_server(&mut server, Time::ZERO, &[*byte]);
        while let Some(event) = server.poll_event() {
            assert!(matches!(event, ServerEvent::Closed(Some(_))));
            closed += 1;
        }
    }
    let mut parts = Vec::new();
    server.poll_transmit(&mut parts);
    assert_eq!((parts.concat(), closed), (sent, 1));
}

/// SPEC P-4, P-9
#[test]
fn only_hello_opens_a_connection() {
    let other = raw(Head { correlation: 1, ..Head::default() }, &list());
    let unanswered = raw(Head { flags: Flags::ONE_WAY, ..Head::default() }, &hello());
    let goodbye = Goaway { last_accepted: 0, code: 0, message: String::new() };
    let goodbye = raw(Head { flags: Flags::ONE_WAY, ..Head::default() }, &goodbye);
    let mut versioned = Header { kind_version: 2, ..header(Kind::HELLO, 1, 0) };
    let v2 = crafted(versioned, &[], &[]);
    versioned = header(Kind::HELLO, 1, 8);
    let unreadable = crafted(versioned, &[0xff; 8], &[]);
    let good = raw(Head { correlation: 1, ..Head::default() }, &hello());
    let meta = good[HEADER_LEN..].to_vec();
    let with_size =
        Header { size: (good.len() + 8) as u32, ..header(Kind::HELLO, 1, meta.len()) };
    let loaded = crafted(with_size, &meta, &[0; 8]);
    for (bytes, code) in [
        (other, Code::UNEXPECTED_FRAME),
        (unanswered, Code::UNEXPECTED_FRAME),
        (goodbye, Code::UNEXPECTED_FRAME),
        (v2, Code::UNSUPPORTED_VERSION),
        (unreadable, Code::MALFORMED_META),
        (loaded, Code::MALFORMED_META),
    ] {
        let (sent, fault) = server_hears(&after_preface(&bytes));
        assert_eq!(fault, Some(code));
        assert_eq!(goaway_of(&sent).code, code.0);
    }
}

/// SPEC P-5, H-1, L-1
#[test]
fn what_is_agreed_is_within_the_limits() {
    for (wish, agreed) in [(1, 1_000), (5_000, 5_000), (u32::MAX, 600_000)] {
        let config = ClientConfig { heartbeat_ms: wish, ..ClientConfig::default() };
        let mut pair = Pair::with(config, ServerConfig::default());
        pair.drive();
        let ClientEvent::Ready(reply) = pair.client_events.remove(0) else {
            panic!("not ready")
        };
        assert_eq!(reply.heartbeat_ms, agreed);
        assert_eq!((reply.capabilities, reply.codecs, reply.auth), (0, 7, 0));
        assert_eq!(reply.max_batch_records, limits::MAX_BATCH_RECORDS);
    }
}

/// SPEC P-5: a client does not believe what no server may state.
#[test]
fn a_client_holds_the_server_to_the_bounds() {
    let reply =
        HelloReply { heartbeat_ms: 0, max_frame_len: 0, max_in_flight: 0, ..hello_reply() };
    let mut client = ClientConnection::new(ClientConfig::default(), Time::ZERO);
    let head = Head { flags: Flags::RESPONSE, correlation: 1, ..Head::default() };
    feed_client(&mut client, Time::ZERO, &after_preface(&raw(head, &reply)));
    assert!(matches!(client.poll_event(), Some(ClientEvent::Ready(_))));
    assert_eq!(client.room(), 1);
    assert_eq!(client.poll_timeout(), Some(Time::ZERO.plus_ms(limits::MIN_HEARTBEAT_MS)));
    client.request(Time::ZERO, 0, &list(), &[], 0).expect("a small frame fits");
}

/// SPEC L-2
#[test]
fn the_frame_limit_is_the_smaller_one() {
    for (client, server, agreed) in [
        (1 << 20, 1 << 22, 1 << 20),
        (1 << 22, 1 << 20, 1 << 20),
        (1, 1 << 20, limits::MAX_HANDSHAKE_FRAME_LEN),
        (1 << 20, 1, limits::MAX_HANDSHAKE_FRAME_LEN),
        (u32::MAX, u32::MAX, limits::MAX_FRAME_LEN),
    ] {
        let mut pair = Pair::with(
            ClientConfig { max_frame_len: client, ..ClientConfig::default() },
            ServerConfig { max_frame_len: server, ..ServerConfig::default() },
        );
        pair.drive();
        let ClientEvent::Ready(reply) = pair.client_events.remove(0) else {
            panic!("not ready")
        };
        assert_eq!(reply.max_frame_len, agreed);
        // Both sides take a frame of just that size, and send none that is larger.
        pair.open_producer(1);
        let overhead = HEADER_LEN + 8;
        let room = (agreed as usize - overhead).min(limits::MAX_BATCH_LEN as usize) & !7;
        let fits = Bytes::from(vec![0; room]);
        let now = pair.now;
        pair.client.request(now, 1, &append(), &[fits], 0).expect("just fits");
        pair.drive();
        assert_eq!(pair.asked.len(), 1, "{client} {server}");
        let over = Bytes::from(vec![0; agreed as usize]);
        let error = pair.client.request(now, 1, &append(), &[over], 0).expect_err("over");
        assert_eq!(error.code, Code::FRAME_TOO_LARGE);
    }
}

/// SPEC P-6: bits in `auth` that the client has no answer to.
#[test]
fn a_client_without_credentials_says_so() {
    let head = Head { flags: Flags::RESPONSE, correlation: 1, ..Head::default() };
    let reply = raw(head, &HelloReply { auth: 1, ..hello_reply() });
    assert_eq!(client_hears(&after_preface(&reply)).expect("over").code, Code::AUTH_REQUIRED);
    let mut client = ClientConnection::new(ClientConfig::default(), Time::ZERO);
    let error = client.request(Time::ZERO, 0, &list(), &[], 0).expect_err("not ready");
    assert_eq!(error.code, Code::UNEXPECTED_FRAME);
}

/// SPEC P-7: the smaller limit holds for both sides until they are ready.
#[test]
fn frames_are_small_until_the_connection_is_ready() {
    let size = limits::MAX_HANDSHAKE_FRAME_LEN + 8;
    let big = crafted(Header { size, ..header(Kind::HELLO, 1, 0) }, &[], &[]);
    let (sent, fault) = server_hears(&after_preface(&big));
    assert_eq!(fault, Some(Code::FRAME_TOO_LARGE));
    assert_eq!(goaway_of(&sent).code, Code::FRAME_TOO_LARGE.0);
    assert_eq!(client_hears(&after_preface(&big)).expect("over").code, Code::FRAME_TOO_LARGE);
}

/// SPEC P-7, P-9
#[test]
fn a_handshake_has_a_deadline() {
    for heard in [&b""[..], b"TID", &frame::PREFACE] {
        let now = Time::ZERO;
        let mut server = ServerConnection::new(ServerConfig::default().into(), now);
        feed_server(&mut server, now, heard);
        assert!(server.poll_event().is_none());
        let deadline = now.plus_ms(limits::HANDSHAKE_TIMEOUT_MS);
        assert_eq!(server.poll_timeout(), Some(deadline));
        server.handle_timeout(Time::from_nanos(deadline.as_nanos() - 1));
        assert!(server.poll_event().is_none());
        server.handle_timeout(deadline);
        assert!(matches!(
            server.poll_event(),
            Some(ServerEvent::Closed(Some(error))) if error.code == Code::HANDSHAKE_TIMEOUT
        ));
        let mut parts = Vec::new();
        server.poll_transmit(&mut parts);
        assert_eq!(goaway_of(&parts.concat()).code, Code::HANDSHAKE_TIMEOUT.0);
    }
    let config = ClientConfig { connect_timeout_ms: 7, ..ClientConfig::default() };
    let mut client = ClientConnection::new(config, Time::ZERO);
    client.handle_timeout(Time::ZERO.plus_ms(7));
    let Some(ClientEvent::Closed(error)) = client.poll_event() else { panic!("still open") };
    assert_eq!(error.code, Code::TIMEOUT);
}

/// SPEC P-8
#[test]
fn a_second_hello_is_a_bad_request() {
    let mut pair = Pair::ready();
    pair.client_sends(&raw(Head { correlation: 2, ..Head::default() }, &hello()));
    let (header, _) = pair.server_frames().pop().expect("a reply");
    assert_eq!(header.status().0, Code::MALFORMED_META);
    assert!(pair.server_closed.is_empty());
}

/// SPEC P-9
#[test]
fn goaway_in_place_of_hello_is_the_reason() {
    let goaway = Goaway { last_accepted: 0, code: 902, message: "full".to_owned() };
    let frame = raw(Head { flags: Flags::ONE_WAY, ..Head::default() }, &goaway);
    let error = client_hears(&after_preface(&frame)).expect("over");
    assert_eq!((error.code, error.message.as_str()), (Code::OVERLOADED, "full"));
    assert!(error.is_retriable());

    let mut pair = Pair::with(ClientConfig::default(), ServerConfig::default());
    pair.server.drain(&Error::new(Code::SHUTTING_DOWN, "bye"));
    pair.drive();
    assert_eq!(pair.client_closed().code, Code::SHUTTING_DOWN);
}

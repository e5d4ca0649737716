//! What bad input gets: each time a clear error that names the thing and the limit, and a server
//! that goes on serving others.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use support::raw::{PATIENCE, RawClient, batch};
use support::server::TestServer;
use tidewire_protocol::batch::{BatchBuilder, RecordRef, Sequence};
use tidewire_protocol::codec::Reader;
use tidewire_protocol::crc::crc32c;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::frame::{self, Flags, Head, Header, PREFACE};
use tidewire_protocol::message::{
    Acks, Append, Fetch, Goaway, Hello, Kind, Message, OpenProducer, Start, StreamCreate,
    StreamDelete, StreamDescribe, Subscribe, TopicCreate, TopicDelete,
};

fn socket(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).expect("the server listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("a TCP socket");
    socket
}

/// Everything until the server closes.
fn read_all(socket: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset after the answer was read is an end like any other.
    let _ = socket.read_to_end(&mut bytes);
    bytes
}

/// The GOAWAY at the end of what a server said.
fn goaway(mut bytes: &[u8]) -> Goaway {
    bytes = bytes.strip_prefix(&PREFACE).expect("the preface comes first");
    loop {
        let head: &[u8; 32] = bytes.first_chunk().expect("a GOAWAY ends the conversation");
        let header = Header::parse(head, 1 << 24).expect("a valid header");
        let (frame, rest) = bytes.split_at(header.size as usize);
        if header.kind == Kind::GOAWAY {
            assert!(rest.is_empty(), "nothing follows a GOAWAY");
            let meta = &frame[32..32 + header.meta_len as usize];
            return Goaway::decode(Reader::new(meta)).expect("a valid GOAWAY");
        }
        bytes = rest;
    }
}

fn hello() -> BytesMut {
    let mut out = BytesMut::from(&PREFACE[..]);
    let hello = Hello {
        client_name: "hostile".into(),
        client_version: "0".into(),
        capabilities: 0,
        codecs: 1,
        max_frame_len: 1 << 24,
        heartbeat_ms: 30_000,
    };
    let head = Head { correlation: 1, ..Head::default() };
    frame::encode(&mut out, head, &hello, 0, 8192).expect("small");
    out
}

/// Says hello, sends `bytes`, and returns how the server took leave.
fn attack(server: &TestServer, bytes: &[u8]) -> Goaway {
    let mut socket = socket(server.address);
    socket.write_all(&hello()).expect("connected");
    socket.write_all(bytes).expect("connected");
    goaway(&read_all(&mut socket))
}

/// A frame header with a right checksum, whatever it says.
fn header(size: u32, kind: Kind, flags: u8, correlation: u64, meta_len: u32) -> Vec<u8> {
    let header = Header {
        size,
        kind,
        kind_version: 1,
        flags: Flags(flags),
        correlation,
        channel: 0,
        aux: 0,
        meta_len,
    };
    header.encode(&[]).to_vec()
}

#[test]
fn an_http_client_is_told_in_http_what_this_port_is() {
    let server = TestServer::start();
    let mut socket = socket(server.address);
    socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("connected");
    let answer = String::from_utf8(read_all(&mut socket)).expect("text");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("native port"), "{answer}");
    server.wait_for_log("does not speak the Tidewire protocol");
    server.assert_serves();
}

#[test]
fn random_bytes_harm_only_their_sender() {
    let server = TestServer::start();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = |len: usize| -> Vec<u8> {
        (0..len)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .collect()
    };
    for round in 0..50 {
        let mut socket = socket(server.address);
        let mut bytes = match round % 3 {
            0 => Vec::new(),
            1 => PREFACE.to_vec(),
            _ => hello().to_vec(),
        };
        bytes.extend(noise(round * 37));
        let _ = socket.write_all(&bytes);
        let _ = socket.shutdown(std::net::Shutdown::Write);
        read_all(&mut socket);
    }
    server.assert_serves();
}

#[test]
fn a_frame_that_claims_four_gigabytes_is_refused_by_name_and_costs_nothing() {
    let server = TestServer::start();
    let before = resident_kib(&server);
    let leave = attack(&server, &header(u32::MAX - 7, Kind::APPEND, 0, 2, 8));
    assert_eq!(Code(leave.code), Code::FRAME_TOO_LARGE);
    assert!(leave.message.contains("4294967288"), "{}", leave.message);
    assert!(leave.message.contains("16777216"), "names the limit: {}", leave.message);
    let grown = resident_kib(&server).saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB more after a frame that was only announced");
    server.assert_serves();
}

#[test]
fn impossible_frames_end_their_connection_with_a_reason() {
    let server = TestServer::start();
    let mut flipped = header(32, Kind::PING, 0, 2, 0);
    flipped[8] ^= 1;
    for (bytes, code) in [
        (header(0, Kind::PING, 0, 2, 0), Code::MALFORMED_FRAME),
        (header(33, Kind::PING, 0, 2, 0), Code::MALFORMED_FRAME),
        (header(32, Kind::PING, 0, 2, 8), Code::MALFORMED_FRAME),
        (header(32, Kind::PING, 0x80, 2, 0), Code::MALFORMED_FRAME),
        (flipped, Code::FRAME_CHECKSUM),
        (header(32, Kind::PING, 1, 2, 0), Code::UNEXPECTED_FRAME),
        (header(32, Kind::PING, 0, 1, 0), Code::MALFORMED_FRAME),
        (header(32, Kind::PING, 0, u64::MAX, 0), Code::MALFORMED_FRAME),
        (header(32, Kind::PING, 2, 2, 0), Code::MALFORMED_FRAME),
    ] {
        let leave = attack(&server, &bytes);
        assert_eq!(Code(leave.code), code, "{bytes:02x?}: {}", leave.message);
        assert!(!leave.message.is_empty());
    }
    server.assert_serves();
}

#[test]
fn nothing_but_hello_works_before_the_handshake() {
    let server = TestServer::start();
    let mut socket = socket(server.address);
    socket.write_all(&PREFACE).expect("connected");
    socket.write_all(&header(32, Kind::PING, 0, 1, 0)).expect("connected");
    let leave = goaway(&read_all(&mut socket));
    assert_eq!(Code(leave.code), Code::UNEXPECTED_FRAME);

    let mut socket = self::socket(server.address);
    socket.write_all(&PREFACE).expect("connected");
    socket.write_all(&header(16 << 10, Kind::HELLO, 0, 1, 0)).expect("connected");
    let leave = goaway(&read_all(&mut socket));
    assert_eq!(Code(leave.code), Code::FRAME_TOO_LARGE);
    assert!(leave.message.contains("8192"), "{}", leave.message);

    let mut socket = self::socket(server.address);
    socket.write_all(b"TIDE\x09\0\0\0").expect("connected");
    assert_eq!(read_all(&mut socket)[..4], *b"TIDE", "says which version it speaks");
    server.assert_serves();
}

#[test]
fn a_client_that_says_nothing_is_let_go_after_ten_seconds() {
    let server = TestServer::start();
    let mut silent = socket(server.address);
    let mut half = socket(server.address);
    half.write_all(&PREFACE).expect("connected");
    let start = Instant::now();
    let leave = goaway(&read_all(&mut silent));
    assert!(start.elapsed() >= Duration::from_secs(9), "{:?}", start.elapsed());
    assert_eq!(Code(leave.code), Code::HANDSHAKE_TIMEOUT);
    assert!(leave.message.contains("10000 ms"), "{}", leave.message);
    assert_eq!(Code(goaway(&read_all(&mut half)).code), Code::HANDSHAKE_TIMEOUT);
    server.assert_serves();
}

#[test]
fn requests_that_make_no_sense_are_answered_and_then_ended() {
    let server = TestServer::start();
    let mut socket = socket(server.address);
    let mut bytes = hello().to_vec();
    for correlation in 2..40 {
        bytes.extend(header(32, Kind(0x7001), 0, correlation, 0));
    }
    socket.write_all(&bytes).expect("connected");
    let leave = goaway(&read_all(&mut socket));
    assert_eq!(Code(leave.code), Code::TOO_MANY_BAD_REQUESTS);
    assert!(leave.message.contains("16"), "{}", leave.message);
    server.assert_serves();
}

#[test]
fn a_damaged_batch_is_refused_whole_and_the_connection_stays() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    let good = batch(&[b"one", b"two"]);

    let mut body = good.to_vec();
    body[81] ^= 1;
    let error = refuse(&mut client, channel, body);
    assert_eq!(error.code, Code::CORRUPT_BATCH);
    assert!(error.message.contains("checksum"), "{error}");

    let mut head = good.to_vec();
    head[40] ^= 1;
    assert_eq!(refuse(&mut client, channel, head).code, Code::CORRUPT_BATCH);

    let mut two = good.to_vec();
    two.extend_from_slice(&good);
    assert_eq!(refuse(&mut client, channel, two).code, Code::CORRUPT_BATCH);

    let mut codec = good.to_vec();
    codec[33] = 9;
    assert_eq!(refuse(&mut client, channel, reseal(codec)).code, Code::UNSUPPORTED_BATCH);

    let mut tables = good.to_vec();
    // The second of three value ends: 3 becomes 250.
    let at = tables.len() - 12;
    tables[at] = 250;
    assert_eq!(refuse(&mut client, channel, reseal(tables)).code, Code::CORRUPT_BATCH);

    assert_eq!(refuse(&mut client, channel, Vec::new()).code, Code::CORRUPT_BATCH);

    let reply = client.append(channel, 0, Acks::Synced, good).expect("the connection stays");
    assert_eq!(reply.base_offset, 0, "nothing of the damaged ones was appended");
}

fn refuse(client: &mut RawClient, channel: u32, bytes: Vec<u8>) -> Error {
    client.append(channel, 0, Acks::Synced, bytes.into()).expect_err("a damaged batch")
}

/// Makes a batch's checksums right for whatever it now says.
fn reseal(mut bytes: Vec<u8>) -> Vec<u8> {
    let body = crc32c(&bytes[28..]);
    bytes[24..28].copy_from_slice(&body.to_le_bytes());
    let mut covered = bytes[..20].to_vec();
    covered.extend_from_slice(&bytes[24..80]);
    let head = crc32c(&covered);
    bytes[20..24].copy_from_slice(&head.to_le_bytes());
    bytes
}

#[test]
fn a_batch_of_nine_mebibytes_is_refused_by_name_and_limit() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    // No builder makes one, so it is made by hand: the value's bytes, then two ends.
    let value = vec![1u8; 9 << 20];
    let mut builder = BatchBuilder::new(8 << 20, 10);
    builder.push(&RecordRef { value: Some(b"12345678"), ..RecordRef::at(0) }).expect("small");
    let mut bytes = builder.seal(Sequence::default()).to_vec();
    bytes.splice(80..88, value.iter().copied());
    let len = bytes.len();
    bytes[28..32].copy_from_slice(&(len as u32).to_le_bytes());
    bytes[68..72].copy_from_slice(&(len as u32 - 80).to_le_bytes());
    bytes[len - 4..].copy_from_slice(&(9u32 << 20).to_le_bytes());
    let error = refuse(&mut client, channel, reseal(bytes));
    assert_eq!(error.code, Code::BATCH_TOO_LARGE);
    assert!(error.message.contains("8388608"), "{error}");
    client.append(channel, 0, Acks::Synced, batch(&[b"x"])).expect("the connection stays");
}

#[test]
fn names_and_counts_that_cannot_be_are_refused_by_name_and_limit() {
    let server = TestServer::start();
    let mut client = server.connect();
    let mut create = |topic: &str, partitions: u32| client.create_topic(topic, partitions);
    for (topic, partitions, code, says) in [
        ("a/b", 1, Code::INVALID_NAME, "\"a/b\""),
        ("", 1, Code::INVALID_NAME, "empty"),
        ("a\nb", 1, Code::INVALID_NAME, "a\\nb"),
        (&"x".repeat(256), 1, Code::INVALID_NAME, "255"),
        ("t", 0, Code::INVALID_PARTITION_COUNT, "0 partitions"),
        ("t", 100_001, Code::INVALID_PARTITION_COUNT, "1 to 100000"),
    ] {
        let error = create(topic, partitions).expect_err(topic);
        assert_eq!(error.code, code, "{topic:?}");
        assert!(error.message.contains(says), "{error}");
    }
    create("t", 1).expect("the connection stays");
    let error = create("t", 1).expect_err("there already");
    assert_eq!(error.code, Code::TOPIC_EXISTS);

    let error = client
        .call(0, &StreamCreate { name: "a/b".into() })
        .expect_err("a slash separates a stream from a topic");
    assert_eq!(error.code, Code::INVALID_NAME);
    let error = client
        .call(0, &StreamDelete { name: "default".into(), with_topics: true })
        .expect_err("every bare topic lives there");
    assert_eq!(error.code, Code::INVALID_ARGUMENT);
    client.call(0, &StreamCreate { name: "s".into() }).expect("new");
    let request = TopicCreate {
        stream: "s".into(),
        topic: "t".into(),
        partitions: 1,
        segment_bytes: Some(1),
        codec: None,
        retention_ms: None,
        retention_bytes: None,
        dedup_window_ms: None,
    };
    let error = client.call(0, &request).expect_err("too small");
    assert!(error.message.contains("1048576"), "{error}");
    client.call(0, &TopicCreate { segment_bytes: None, ..request }).expect("new");
    let error = client
        .call(0, &StreamDelete { name: "s".into(), with_topics: false })
        .expect_err("not empty");
    assert_eq!(error.code, Code::STREAM_NOT_EMPTY);
}

#[test]
fn what_does_not_exist_is_named() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 2).expect("new");

    let error = client.open("nope").expect_err("no such topic");
    assert_eq!(error.code, Code::TOPIC_NOT_FOUND);
    assert!(error.message.contains("\"nope\""), "{error}");
    let channel = client.channel();
    let request = OpenProducer {
        stream: "nope".into(),
        topic: "t".into(),
        name: None,
        resume: None,
        opener: None,
    };
    let error = client.call(channel, &request).expect_err("no such stream");
    assert_eq!(error.code, Code::STREAM_NOT_FOUND);
    let error =
        client.call(0, &StreamDescribe { name: "nope".into() }).expect_err("no such stream");
    assert_eq!(error.code, Code::STREAM_NOT_FOUND);
    let request = TopicDelete { stream: "default".into(), topic: "nope".into() };
    assert_eq!(
        client.call(0, &request).expect_err("no such topic").code,
        Code::TOPIC_NOT_FOUND
    );

    let (channel, _) = client.open("t").expect("exists");
    let error =
        client.append(channel, 2, Acks::Synced, batch(&[b"x"])).expect_err("0 and 1 only");
    assert_eq!(error.code, Code::PARTITION_NOT_FOUND);
    assert!(error.message.contains("0 to 1"), "{error}");

    let mut fetch = Fetch {
        stream: "default".into(),
        topic: "t".into(),
        partition: 0,
        offset: 7,
        max_bytes: 1,
        min_bytes: 1,
        max_wait_ms: 0,
    };
    let error = client.call(0, &fetch).expect_err("an empty partition");
    assert_eq!(error.code, Code::OFFSET_OUT_OF_RANGE);
    assert!(error.message.contains("offset 7"), "{error}");
    fetch.max_wait_ms = 60_001;
    let error = client.call(0, &fetch).expect_err("too long");
    assert!(error.message.contains("60000"), "{error}");
}

#[test]
fn channels_are_checked() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let error = client.append(99, 0, Acks::Synced, batch(&[b"x"])).expect_err("not open");
    assert_eq!(error.code, Code::UNKNOWN_CHANNEL);
    let (channel, _) = client.open("t").expect("exists");
    let request = OpenProducer {
        stream: "default".into(),
        topic: "t".into(),
        name: None,
        resume: None,
        opener: None,
    };
    assert_eq!(client.call(channel, &request).expect_err("open").code, Code::CHANNEL_IN_USE);
    client.append(channel, 0, Acks::Synced, batch(&[b"x"])).expect("still open");
    let error = client.call(0, &request).expect_err("the connection itself");
    assert_eq!(error.code, Code::INVALID_ARGUMENT);
    let request = Subscribe {
        stream: "default".into(),
        topic: "t".into(),
        partition: 0,
        start: Start::Other(9),
        start_at: 0,
        credit_bytes: 1,
    };
    let free = client.channel();
    assert_eq!(client.call(free, &request).expect_err("start 9").code, Code::INVALID_ARGUMENT);
    let request = Subscribe { start: Start::Earliest, ..request };
    client.call(free, &request).expect("a refused request leaves its channel free");
}

#[test]
fn a_peer_that_takes_nothing_costs_bounded_memory() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    let value = vec![3u8; 1 << 20];
    let big = batch(&[&value]);
    for _ in 0..64 {
        client.append(channel, 0, Acks::Written, big.clone()).expect("appended");
    }
    let before = resident_kib(&server);
    // Endless credit, 64 MiB to deliver, and nobody reads.
    let mut greedy = server.connect();
    for _ in 0..16 {
        let channel = greedy.channel();
        let request = Subscribe {
            stream: "default".into(),
            topic: "t".into(),
            partition: 0,
            start: Start::Earliest,
            start_at: 0,
            credit_bytes: u64::MAX,
        };
        greedy.submit(channel, &request, &[]);
    }
    let mut parts = Vec::new();
    greedy.connection.poll_transmit(&mut parts);
    for part in parts {
        greedy.socket.write_all(&part).expect("connected");
    }
    std::thread::sleep(Duration::from_millis(500));
    let grown = resident_kib(&server).saturating_sub(before);
    assert!(grown < 48 << 10, "{grown} KiB more for a peer that reads nothing");
    client.append(channel, 0, Acks::Synced, batch(&[b"x"])).expect("others are served");
}

#[test]
fn appends_beyond_the_window_are_pushed_back_not_lost() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    let ids: Vec<_> = (0..1024u32)
        .map(|i| {
            let append = Append { partition: 0, acks: Acks::Synced };
            client.submit(channel, &append, &[batch(&[&i.to_le_bytes()])])
        })
        .collect();
    let now = client.now();
    let error = client
        .connection
        .request(now, 0, &StreamDescribe { name: "s".into() }, &[] as &[Bytes], 0)
        .expect_err("the window is full");
    assert_eq!(error.code, Code::TOO_MANY_IN_FLIGHT);
    for (i, id) in ids.into_iter().enumerate() {
        let reply = client.wait::<Append>(id).expect("appended");
        assert_eq!(reply.base_offset, i as u64);
    }
}

/// Resident memory of the server's process, in KiB.
fn resident_kib(server: &TestServer) -> u64 {
    let path = format!("/proc/{}/status", server.process_id());
    let status = std::fs::read_to_string(path).expect("a running process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux says so");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

//! Bytes that no honest peer sends: the worst that follows is the end of that connection.

use proptest::prelude::*;

use super::*;

/// The fault that these bytes of a client are, after the handshake.
fn fault_of(bytes: &[u8]) -> Code {
    let mut pair = Pair::ready();
    pair.client_sends(bytes);
    let fault = pair.server_fault();
    let (goaway, _) = pair.server_frames().pop().expect("a GOAWAY");
    assert_eq!(goaway.kind, Kind::GOAWAY);
    fault
}

/// SPEC W-3, W-4, W-5, W-6, E-6: each fault of a header, and its number.
#[test]
fn an_impossible_header_ends_the_connection() {
    let good = header(Kind::PING, 5, 0);
    let one_way = Header { flags: Flags::ONE_WAY, ..header(Kind::CREDIT, 0, 0) };
    let cases = [
        (Header { size: 0, ..good }, Code::MALFORMED_FRAME),
        (Header { size: 24, ..good }, Code::MALFORMED_FRAME),
        (Header { size: 33, ..good }, Code::MALFORMED_FRAME),
        (Header { size: limits::MAX_FRAME_LEN + 8, ..good }, Code::FRAME_TOO_LARGE),
        (Header { size: u32::MAX, ..good }, Code::FRAME_TOO_LARGE),
        (Header { meta_len: 8, ..good }, Code::MALFORMED_FRAME),
        (Header { size: 40, meta_len: 4, ..good }, Code::MALFORMED_FRAME),
        (Header { size: 1 << 20, meta_len: 65_544, ..good }, Code::MALFORMED_FRAME),
        (Header { flags: Flags(8), ..good }, Code::MALFORMED_FRAME),
        (Header { flags: Flags(128), ..good }, Code::MALFORMED_FRAME),
        (Header { flags: Flags::MORE, ..good }, Code::UNEXPECTED_FRAME),
        (Header { flags: Flags::RESPONSE, ..good }, Code::UNEXPECTED_FRAME),
        (Header { correlation: 0, ..good }, Code::MALFORMED_FRAME),
        (Header { correlation: 1, ..good }, Code::MALFORMED_FRAME),
        (Header { correlation: limits::MAX_CORRELATION + 1, ..good }, Code::MALFORMED_FRAME),
        (Header { correlation: 5, ..one_way }, Code::MALFORMED_FRAME),
    ];
    for (header, code) in cases {
        assert_eq!(fault_of(&crafted(header, &[], &[])), code, "{header:?}");
    }
}

/// SPEC W-5: a client, too, gets no frame with MORE.
#[test]
fn a_client_refuses_more() {
    let mut pair = Pair::ready();
    let more = Header { flags: Flags(5), ..header(Kind::PING, 2, 0) };
    pair.server_sends(&crafted(more, &[], &[]));
    assert_eq!(pair.client_closed().code, Code::UNEXPECTED_FRAME);
}

/// SPEC W-6: correlations that do not rise.
#[test]
fn a_correlation_used_twice_ends_the_connection() {
    let mut pair = Pair::ready();
    let ping = |correlation| crafted(header(Kind::PING, correlation, 0), &[], &[]);
    pair.client_sends(&ping(7));
    pair.client_sends(&ping(9));
    assert!(pair.server_closed.is_empty());
    pair.client_sends(&ping(8));
    assert_eq!(pair.server_fault(), Code::MALFORMED_FRAME);
}

/// SPEC W-9: judged once header and meta are there, however long the payload claims to be.
#[test]
fn a_wrong_checksum_is_noticed_before_the_payload() {
    let size = 8 << 20;
    let mut frame = crafted(Header { size, ..header(Kind::APPEND, 5, 8) }, &[0; 8], &[]);
    frame[33] ^= 1;
    let mut pair = Pair::ready();
    pair.client_sends(&frame[..39]);
    assert!(pair.server_closed.is_empty(), "the meta is not whole");
    pair.client_sends(&frame[39..40]);
    assert_eq!(pair.server_fault(), Code::FRAME_CHECKSUM);
}

/// SPEC W-9: any flipped bit of header and meta.
#[test]
fn any_flipped_bit_of_header_and_meta_is_noticed() {
    let good = crafted(header(Kind::STREAM_LIST, 5, 8), &[0; 8], &[]);
    for bit in (0..good.len() * 8).step_by(if cfg!(miri) { 13 } else { 1 }) {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let mut pair = Pair::ready();
        pair.client_sends(&bad);
        if pair.server_closed.is_empty() {
            // A meta length that grew: more has to arrive first.
            pair.client_sends(&vec![0; 1 << 17]);
        }
        assert_eq!(pair.server_closed.len(), 1, "bit {bit}");
        assert!(pair.asked.is_empty(), "bit {bit}");
    }
}

/// SPEC W-10: a size alone allocates nothing, neither one over the limit nor one below.
#[test]
fn a_size_allocates_nothing() {
    for size in [u32::MAX - 7, limits::MAX_FRAME_LEN] {
        let mut pair = Pair::ready();
        pair.client_sends(&crafted(Header { size, ..header(Kind::APPEND, 5, 0) }, &[], &[]));
        assert!(pair.server.take_read_buf().capacity() <= 8 << 10, "server, {size}");
        let push = Header { size, flags: Flags::ONE_WAY, ..header(Kind::DELIVER, 0, 0) };
        pair.server_sends(&crafted(push, &[], &[]));
        assert!(pair.client.take_read_buf().capacity() <= 8 << 10, "client, {size}");
    }
}

/// SPEC L-4: a frame that trickles in is held by what has arrived, within a factor.
#[test]
fn a_slow_trickle_is_bounded_by_what_arrived() {
    let mut pair = Pair::ready();
    let size = 4 << 20;
    let mut arrived = 0;
    let frame = crafted(Header { size, ..header(Kind::APPEND, 5, 0) }, &[], &[]);
    feed_server(&mut pair.server, pair.now, &frame);
    while arrived < 1 << 20 {
        assert!(pair.server.poll_event().is_none());
        let mut buf = pair.server.take_read_buf();
        let bound = (16 << 10) + 4 * (arrived + frame.len());
        assert!(buf.capacity() <= bound, "{} for {arrived} bytes", buf.capacity());
        buf.extend_from_slice(&[0; 777]);
        arrived += 777;
        pair.server.handle_input(pair.now, buf);
    }
}

/// SPEC L-4: after a burst an idle connection gives its buffer back.
#[test]
#[cfg_attr(miri, ignore = "too much data for Miri")]
fn a_quiet_connection_holds_little() {
    let mut pair = Pair::ready();
    pair.open_producer(1);
    for _ in 0..8 {
        let now = pair.now;
        pair.client.request(now, 1, &append(), &[batch(1 << 20)], 0).expect("room");
        pair.drive();
        pair.answer_all();
    }
    for _ in 0..16 {
        pair.ask();
        pair.drive();
        pair.answer_all();
    }
    assert!(pair.server.take_read_buf().capacity() <= 16 << 10);
}

/// SPEC E-7: bad requests are answered, the seventeenth ends the connection.
#[test]
fn bad_requests_are_counted() {
    let mut pair = Pair::ready();
    let strange = |correlation| crafted(header(Kind(0x7abc), correlation, 0), &[], &[]);
    for correlation in 10..26 {
        pair.client_sends(&strange(correlation));
        let (reply, _) = pair.server_frames().pop().expect("a reply");
        assert_eq!(reply.status().0, Code::UNKNOWN_KIND);
    }
    assert!(pair.server_closed.is_empty());
    pair.client_sends(&strange(26));
    assert_eq!(pair.server_fault(), Code::TOO_MANY_BAD_REQUESTS);
}

/// SPEC E-7, W-15: each kind of bad request, its number, and that the connection stays.
#[test]
fn a_bad_request_is_answered_and_harms_nothing() {
    let ping = header(Kind::PING, 5, 0);
    let cases: [(Header, &[u8], &[u8], Code); 8] = [
        (Header { kind: Kind(0x7abc), ..ping }, &[], &[], Code::UNKNOWN_KIND),
        (Header { kind: Kind::DELIVER, ..ping }, &[], &[], Code::UNKNOWN_KIND),
        (Header { kind_version: 0, ..ping }, &[], &[], Code::UNSUPPORTED_VERSION),
        (Header { kind_version: 2, ..ping }, &[], &[], Code::UNSUPPORTED_VERSION),
        (header(Kind::STREAM_LIST, 5, 0), &[], &[], Code::MALFORMED_META),
        (header(Kind::STREAM_LIST, 5, 8), &[9, 0, 0, 0, 0, 0, 0, 0], &[], Code::MALFORMED_META),
        (Header { size: 40, ..ping }, &[], &[0; 8], Code::MALFORMED_META),
        (header(Kind::CREDIT, 5, 8), &[0; 8], &[], Code::MALFORMED_META),
    ];
    for (head, meta, payload, code) in cases {
        let mut pair = Pair::ready();
        pair.client_sends(&crafted(head, meta, payload));
        let (reply, _) = pair.server_frames().pop().expect("a reply");
        assert_eq!(reply.status().0, code, "{head:?}");
        assert_eq!((reply.kind, reply.correlation), (head.kind, 5));
        assert!(pair.asked.is_empty() && pair.server_closed.is_empty());
    }
}

/// SPEC E-7: one-way nonsense is counted, and not answered.
#[test]
fn one_way_nonsense_is_counted_but_not_answered() {
    let mut pair = Pair::ready();
    let frames = pair.server_frames().len();
    let ping = Header { flags: Flags::ONE_WAY, ..header(Kind::PING, 0, 0) };
    for _ in 0..16 {
        pair.client_sends(&crafted(ping, &[], &[]));
    }
    assert_eq!(pair.server_frames().len(), frames);
    assert!(pair.server_closed.is_empty());
    pair.client_sends(&crafted(ping, &[], &[]));
    assert_eq!(pair.server_fault(), Code::TOO_MANY_BAD_REQUESTS);
}

/// Bytes that get somewhere: frames with good checksums and random heads, metas and ends.
fn nearly_frames() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop_oneof![
        3 => prop::sample::select(crate::message::KINDS).prop_map(|row| row.kind.0),
        1 => any::<u16>(),
    ];
    let frame = (
        kinds,
        prop_oneof![5 => Just(1u8), 1 => any::<u8>()],
        prop_oneof![3 => Just(0u8), 3 => Just(1u8), 2 => Just(2u8), 1 => any::<u8>()],
        0u64..20,
        0u32..4,
        any::<u32>(),
        prop::collection::vec(any::<u8>(), 0..64),
        0usize..3,
    )
        .prop_map(
            |(kind, kind_version, flags, correlation, channel, aux, mut meta, payload)| {
                meta.resize(meta.len().next_multiple_of(8), 0);
                let size = (HEADER_LEN + meta.len() + 8 * payload) as u32;
                let head = Header {
                    size,
                    kind_version,
                    flags: Flags(flags),
                    channel,
                    aux,
                    ..header(Kind(kind), correlation, meta.len())
                };
                crafted(head, &meta, &vec![0; 8 * payload])
            },
        );
    let noise = prop::collection::vec(any::<u8>(), 0..80);
    prop::collection::vec(prop_oneof![6 => frame, 1 => noise], 0..12)
        .prop_map(|parts| parts.concat())
}

proptest! {
    /// SPEC L-4, E-6: arbitrary bytes never panic, end a connection at most once, and nothing
    /// comes after its end.
    #[test]
    fn arbitrary_bytes_harm_only_their_connection(
        bytes in nearly_frames(),
        after_handshake in any::<bool>(),
        chunk in 1usize..100,
    ) {
        let new = || if after_handshake {
            Pair::ready()
        } else {
            Pair::with(ClientConfig::default(), ServerConfig::default())
        };
        let mut pair = new();
        for chunk in bytes.chunks(chunk) {
            feed_server(&mut pair.server, pair.now, chunk);
            pair.collect();
            while let Some((ticket, ..)) = pair.asked.pop_front() {
                prop_assert!(pair.server_closed.is_empty());
                pair.server.reply_error(ticket, &Error::new(Code::INTERNAL, ""));
            }
        }
        pair.run_ms(600_000 * 4);
        prop_assert!(pair.server_closed.len() <= 1);

        let mut pair = new();
        pair.subscribe_without_answer();
        for chunk in bytes.chunks(chunk) {
            feed_client(&mut pair.client, pair.now, chunk);
            pair.collect();
        }
        pair.client.handle_eof();
        pair.collect();
        prop_assert!(matches!(pair.client_events.pop(), Some(ClientEvent::Closed(_))));
        let closed = pair.client_events.iter().any(|e| matches!(e, ClientEvent::Closed(_)));
        prop_assert!(!closed, "it ends once");
    }
}

impl Pair {
    /// Leaves requests in flight, if the connection is ready, for hostile replies to meet.
    fn subscribe_without_answer(&mut self) {
        let now = self.now;
        let _ = self.client.request(now, 1, &subscribe(100), &[], 0);
        let _ = self.client.request(now, 0, &list(), &[], 50);
    }
}

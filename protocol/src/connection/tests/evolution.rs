//! Peers of another minor version: fields, versions and kinds that one side does not know.

use super::*;
use crate::message::{Deliver, KINDS, KindRange, SubscriptionEvent, TopicDescribe};

/// The status of the server's answer to STREAM_LIST with these bytes after its fields.
fn status_with(tlvs: &[u8]) -> Option<Code> {
    let mut meta = vec![0, 0];
    meta.extend_from_slice(tlvs);
    meta.resize(meta.len().next_multiple_of(8), 0);
    let mut pair = Pair::ready();
    pair.client_sends(&crafted(header(Kind::STREAM_LIST, 9, meta.len()), &meta, &[]));
    assert!(pair.server_closed.is_empty());
    if !pair.asked.is_empty() {
        return None;
    }
    pair.server_frames().pop().map(|(header, _)| header.status().0)
}

/// SPEC V-2, W-14: what is not known is skipped, unless it is critical.
#[test]
fn an_unknown_field_is_skipped_unless_critical() {
    assert_eq!(status_with(&[7, 0, 2, 0, 1, 2]), None);
    assert_eq!(status_with(&[7, 0, 0, 0, 8, 0, 0, 0]), None);
    assert_eq!(status_with(&[7, 0x80, 2, 0, 1, 2]), Some(Code::UNSUPPORTED_FIELD));
    assert_eq!(status_with(&[7, 0, 0, 0, 8, 0x80, 0, 0]), Some(Code::UNSUPPORTED_FIELD));
    assert_eq!(status_with(&[7, 0, 200, 0, 1, 2]), Some(Code::MALFORMED_META));
}

/// SPEC V-2: also in what a server sends.
#[test]
fn a_newer_server_may_add_fields() {
    let mut pair = Pair::ready();
    let deliver = [9, 0, 0, 0, 0, 0, 0, 0, 5, 0, 3, 0, 1, 2, 3, 0];
    let push = Header { flags: Flags::ONE_WAY, channel: 3, ..header(Kind::DELIVER, 0, 16) };
    pair.server_sends(&crafted(push, &deliver, &[]));
    assert!(matches!(
        &pair.client_events[..],
        [ClientEvent::Deliver { channel: 3, message: Deliver { end_offset: 9 }, .. }]
    ));
}

/// SPEC W-17: a known push in an unknown version cannot be read, and is not guessed at.
#[test]
fn a_push_of_an_unknown_version_ends_the_connection() {
    let mut pair = Pair::ready();
    let push = Header { kind_version: 2, flags: Flags::ONE_WAY, ..header(Kind::DELIVER, 0, 8) };
    pair.server_sends(&crafted(push, &[0; 8], &[]));
    assert_eq!(pair.client_closed().code, Code::UNSUPPORTED_VERSION);
}

/// SPEC V-3: a version that the server does not take.
#[test]
fn another_version_is_refused() {
    let mut pair = Pair::ready();
    let newer = Header { kind_version: 2, ..header(Kind::STREAM_LIST, 9, 8) };
    pair.client_sends(&crafted(newer, &[0; 8], &[]));
    let (reply, _) = pair.server_frames().pop().expect("a reply");
    assert_eq!((reply.status().0, reply.kind_version), (Code::UNSUPPORTED_VERSION, 2));
}

fn range(kind: Kind, min_version: u8, max_version: u8) -> KindRange {
    KindRange { kind: kind.0, min_version, max_version }
}

/// SPEC V-6: HELLO's list and what is refused agree, for every kind there is.
#[test]
fn a_server_carries_out_what_its_list_says_and_nothing_else() {
    for kinds in [
        ServerConfig::default().kinds,
        vec![range(Kind::PING, 1, 1), range(Kind::STREAM_LIST, 1, 1)],
    ] {
        for row in KINDS {
            let config = ServerConfig { kinds: kinds.clone(), ..ServerConfig::default() };
            let mut pair = Pair::ready_with(ClientConfig::default(), config);
            let listed = kinds.iter().any(|range| range.kind == row.kind.0);
            if [Kind::HELLO, Kind::GOAWAY].contains(&row.kind) {
                continue;
            }
            pair.client_sends(&crafted(header(row.kind, 9, 8), &[0xfe; 8], &[]));
            let refused = pair
                .server_frames()
                .pop()
                .is_some_and(|(reply, _)| reply.status().0 == Code::UNKNOWN_KIND);
            let push = row.direction == crate::message::Direction::Push;
            assert_eq!(refused, !listed || push, "{}", row.name);
        }
    }
}

/// SPEC V-4, V-6: what is planned is not promised.
#[test]
fn planned_kinds_are_not_in_the_list() {
    let kinds = ServerConfig::default().kinds;
    for row in KINDS {
        let listed = kinds.iter().any(|range| range.kind == row.kind.0);
        assert_eq!(listed, !row.planned, "{}", row.name);
    }
}

/// SPEC V-7: the client knows before it asks.
#[test]
fn a_client_does_not_ask_for_what_is_not_in_the_list() {
    let kinds = vec![range(Kind::STREAM_LIST, 1, 1), range(Kind::TOPIC_DESCRIBE, 2, 3)];
    let config = ServerConfig { kinds, ..ServerConfig::default() };
    let mut pair = Pair::ready_with(ClientConfig::default(), config);
    let now = pair.now;
    let error = pair.client.request(now, 1, &open_producer(), &[], 0).expect_err("unknown");
    assert_eq!(error.code, Code::UNKNOWN_KIND);
    let describe = TopicDescribe { stream: String::new(), topic: String::new() };
    let error = pair.client.request(now, 0, &describe, &[], 0).expect_err("too new");
    assert_eq!(error.code, Code::UNSUPPORTED_VERSION);
    pair.ask();
    pair.run_ms(60_000);
    assert!(!pair.client.is_closed(), "a PING is always taken");

    let config = ServerConfig { kinds: Vec::new(), ..ServerConfig::default() };
    let mut pair = Pair::ready_with(ClientConfig::default(), config);
    let now = pair.now;
    pair.client.request(now, 1, &open_producer(), &[], 0).expect("an empty list says nothing");
}

/// SPEC V-8: values of enums that are not known reach the application as they are.
#[test]
fn an_unknown_value_of_an_enum_is_kept() {
    let mut pair = Pair::ready();
    pair.open_producer(1);
    pair.request(1, &Append { partition: 0, acks: Acks::Other(9) }, 0);
    pair.drive();
    assert!(matches!(
        &pair.asked[0].1,
        AnyRequest::Append(Append { acks: Acks::Other(9), .. })
    ));
}

/// SPEC V-5: nothing is agreed that the server does not have, whatever the client offers.
#[test]
fn capabilities_are_those_of_both_sides() {
    let hello = crate::message::Hello {
        client_name: String::new(),
        client_version: String::new(),
        capabilities: u64::MAX,
        codecs: u32::MAX,
        max_frame_len: limits::MAX_FRAME_LEN,
        heartbeat_ms: 30_000,
    };
    let mut server = ServerConnection::new(ServerConfig::default().into(), Time::ZERO);
    let head = Head { correlation: 1, ..Head::default() };
    let bytes = [&frame::PREFACE[..], &raw(head, &hello)].concat();
    feed_server(&mut server, Time::ZERO, &bytes);
    assert!(matches!(server.poll_event(), Some(ServerEvent::Ready(_))));
    let mut parts = Vec::new();
    server.poll_transmit(&mut parts);
    let sent = parts.concat();
    let (_, meta) = &frames(&sent[frame::PREFACE_LEN..])[0];
    let reply = crate::message::HelloReply::decode(crate::codec::Reader::new(meta));
    let reply = reply.expect("good");
    assert_eq!((reply.capabilities, reply.codecs), (0, 7));
}

/// SPEC W-16: numbers are in order, below bit 15, and in the range of what they are about.
#[test]
fn kinds_lie_in_their_ranges() {
    assert!(KINDS.is_sorted_by(|a, b| a.kind < b.kind));
    for row in KINDS {
        assert!(matches!(row.kind.0 >> 8, 0..=5 | 7), "{}", row.name);
        assert_eq!(row.kind.info().expect("found").name, row.name);
    }
}

/// SPEC L-3: a full page of short names fits; one that does not becomes an error, not a cut list.
#[test]
fn a_page_fits_or_is_refused() {
    let page = |name: String| {
        let topic = crate::message::TopicInfo {
            stream: "default".to_owned(),
            name,
            id: 1,
            created_us: 2,
            partitions: 3,
            segment_bytes: 4,
            codec: crate::batch::Codec::None,
            retention_ms: 5,
            retention_bytes: 6,
            dedup_window_ms: 7,
        };
        let topics = vec![topic; limits::MAX_LIST_ITEMS as usize];
        crate::message::TopicListReply { topics, more: true }
    };
    for (name, fits) in [("x".repeat(100), true), ("x".repeat(255), false)] {
        let mut pair = Pair::ready();
        let list = crate::message::TopicList { stream: String::new(), after: String::new() };
        pair.request(0, &list, 0);
        pair.drive();
        let (ticket, ..) = pair.asked.pop_front().expect("asked");
        pair.server.reply(ticket, &page(name.clone()), &[]);
        pair.drive();
        let (_, result) = pair.replies().remove(0);
        match result {
            Ok(frame) => {
                assert!(fits);
                let reply = ClientConnection::decode_reply::<crate::message::TopicList>(&frame);
                assert_eq!(reply, Ok(page(name)));
            }
            Err(error) => assert_eq!((error.code, fits), (Code::FRAME_TOO_LARGE, false)),
        }
    }
}

/// SPEC V-9: numbers of errors that a newer server has are kept in events, too.
#[test]
fn an_unknown_error_ends_a_subscription_with_its_number() {
    let mut pair = Pair::ready();
    let event = SubscriptionEvent { code: 599, disposition: 0x41, message: "new".to_owned() };
    let head = Head { flags: Flags::ONE_WAY, channel: 4, ..Head::default() };
    pair.server_sends(&raw(head, &event));
    let ClientEvent::SubscriptionEnded { channel: 4, error } = &pair.client_events[0] else {
        panic!("not the event")
    };
    assert_eq!((error.code.0, error.disposition.0, error.is_retriable()), (599, 0x41, true));
}

//! How a stream was cut has no influence on what follows from it.

use proptest::prelude::*;

use super::*;
use crate::message::Deliver;

/// What a server tells of `bytes`, cut at `chunk`; its answers included.
fn server_story(bytes: &[u8], chunk: usize) -> Vec<String> {
    let now = Time::ZERO;
    let mut server = ServerConnection::new(ServerConfig::default().into(), now);
    let mut story = Vec::new();
    for part in bytes.chunks(chunk) {
        feed_server(&mut server, now, part);
        while let Some(event) = server.poll_event() {
            story.push(match &event {
                // Its text shows what had arrived by then.
                ServerEvent::Closed(Some(error)) if error.code == Code::NOT_TIDEWIRE => {
                    error.code.to_string()
                }
                event => format!("{event:?}"),
            });
            if let ServerEvent::Request(ticket, ..) = event {
                server.reply_error(ticket, &Error::new(Code::DENIED, "no"));
            }
        }
    }
    server.handle_eof();
    story.extend(std::iter::from_fn(|| server.poll_event()).map(|e| format!("{e:?}")));
    let mut parts = Vec::new();
    while server.poll_transmit(&mut parts) {}
    story.push(format!("{:?}", parts.concat()));
    story
}

/// What a client with requests 2 to 9 in flight tells of `bytes`, cut at `chunk`.
fn client_story(bytes: &[u8], chunk: usize) -> Vec<String> {
    let mut pair = Pair::ready();
    for _ in 0..4 {
        pair.ask();
        pair.request(1, &subscribe(1), 0);
    }
    let mut story = Vec::new();
    for part in bytes.chunks(chunk) {
        feed_client(&mut pair.client, pair.now, part);
        story.extend(std::iter::from_fn(|| pair.client.poll_event()).map(|e| format!("{e:?}")));
    }
    pair.client.handle_eof();
    story.extend(std::iter::from_fn(|| pair.client.poll_event()).map(|e| format!("{e:?}")));
    story
}

/// What one side says: frames of every sort, faults among them.
fn stream(server: bool) -> impl Strategy<Value = Vec<u8>> {
    let part = (0u32..12, 2u64..10, 0usize..2000, any::<u8>()).prop_map(
        move |(what, correlation, len, byte)| {
            let head = Head { correlation, channel: 1, ..Head::default() };
            let reply = Head { flags: Flags::RESPONSE, ..head };
            let push = Head { flags: Flags::ONE_WAY, channel: 1, ..Head::default() };
            match (what, server) {
                (0..=3, false) => raw(head, &list()),
                (4..=5, false) => raw(head, &open_producer()),
                (6..=8, false) => {
                    let payload = batch(len);
                    let mut out = BytesMut::new();
                    frame::encode(
                        &mut out,
                        head,
                        &append(),
                        payload.len(),
                        limits::MAX_FRAME_LEN,
                    )
                    .expect("small");
                    [&out[..], &payload[..]].concat()
                }
                (9, false) => raw(push, &crate::message::Credit { limit_bytes: 9 }),
                (0..=3, true) => {
                    raw(reply, &StreamListReply { streams: Vec::new(), more: false })
                }
                (4..=5, true) => {
                    let reply_to =
                        SubscribeReply { next_offset: 1, start_offset: 2, end_offset: 3 };
                    raw(reply, &reply_to)
                }
                (6..=8, true) => {
                    let payload = batch(len);
                    let message = Deliver { end_offset: 7 };
                    let mut out = BytesMut::new();
                    frame::encode(
                        &mut out,
                        push,
                        &message,
                        payload.len(),
                        limits::MAX_FRAME_LEN,
                    )
                    .expect("small");
                    [&out[..], &payload[..]].concat()
                }
                (9, true) => {
                    let goaway = crate::message::Goaway {
                        last_accepted: 6,
                        code: 901,
                        message: String::new(),
                    };
                    raw(push, &goaway)
                }
                (10, _) => crafted(header(Kind(0x7aaa), correlation, 0), &[], &[]),
                _ => vec![byte; len % 90],
            }
        },
    );
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    /// SPEC W-11: a server, from the first byte on.
    #[test]
    fn a_server_does_not_care_how_a_stream_is_cut(
        bytes in stream(false),
        shaken in prop::bool::weighted(0.9),
        chunk in 1usize..600,
    ) {
        let mut client = ClientConnection::new(ClientConfig::default(), Time::ZERO);
        let mut parts = Vec::new();
        client.poll_transmit(&mut parts);
        let mut whole = if shaken { parts.concat() } else { Vec::new() };
        whole.extend_from_slice(&bytes);
        prop_assert_eq!(server_story(&whole, chunk), server_story(&whole, usize::MAX));
    }

    /// SPEC W-11: a client.
    #[test]
    fn a_client_does_not_care_how_a_stream_is_cut(
        bytes in stream(true),
        chunk in 1usize..600,
    ) {
        prop_assert_eq!(client_story(&bytes, chunk), client_story(&bytes, usize::MAX));
    }
}

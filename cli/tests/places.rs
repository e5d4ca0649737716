//! Places in a partition: by offset, by time, by a number of records; the same for a subscription
//! and for a list of offsets. And topics that are changed while they are in use.

mod support;

use support::raw::{RawClient, batch};
use support::server::TestServer;
use tidewire_protocol::batch::Header;
use tidewire_protocol::error::Code;
use tidewire_protocol::message::{
    Acks, Fetch, ListOffsets, PartitionsAdd, Seek, Start, Subscribe, SubscribeReply,
    TopicDescribe, TopicUpdate, Unsubscribe,
};

const TOPIC: &str = "t";

fn found(client: &mut RawClient, start: Start, start_at: u64) -> u64 {
    let request = ListOffsets {
        stream: "default".into(),
        topic: TOPIC.into(),
        first_partition: 0,
        max_partitions: 1,
        start,
        start_at,
    };
    client.call(0, &request).expect("exists").partitions[0].found_offset
}

fn subscribed(
    client: &mut RawClient,
    start: Start,
    start_at: u64,
) -> Result<SubscribeReply, Code> {
    let channel = client.channel();
    let request = Subscribe {
        stream: "default".into(),
        topic: TOPIC.into(),
        partition: 0,
        start,
        start_at,
        credit_bytes: 0,
    };
    let reply = client.call(channel, &request).map_err(|error| error.code)?;
    client.call(channel, &Unsubscribe {}).expect("it was open");
    Ok(reply)
}

/// SPEC C-13, C-14.
#[test]
fn a_place_is_found_by_offset_by_time_and_from_the_end() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic(TOPIC, 1).expect("new");
    assert_eq!(found(&mut client, Start::Timestamp, 0), 0, "an empty partition");
    assert_eq!(found(&mut client, Start::Last, 5), 0);
    let (channel, _) = client.open(TOPIC).expect("exists");
    let mut times = Vec::new();
    for _ in 0..20 {
        let values: [&[u8]; 3] = [b"a", b"b", b"c"];
        let reply = client.append(channel, 0, Acks::Written, batch(&values)).expect("appended");
        times.push((reply.append_time_us, reply.base_offset));
    }
    assert!(times.is_sorted(), "time never goes back: {times:?}");
    // The first batch of each time, and what lies between and beyond.
    for &(time, _) in &times {
        let (_, first) = *times.iter().find(|(t, _)| *t == time).expect("itself");
        assert_eq!(found(&mut client, Start::Timestamp, time as u64), first);
        let after = times.iter().find(|(t, _)| *t > time).map_or(60, |(_, offset)| *offset);
        assert_eq!(found(&mut client, Start::Timestamp, time as u64 + 1), after);
        let reply = subscribed(&mut client, Start::Timestamp, time as u64).expect("found");
        assert_eq!((reply.next_offset, reply.end_offset), (first, 60));
    }
    for (start, at, place) in [
        (Start::Timestamp, 0, 0),
        (Start::Timestamp, u64::MAX, 60),
        (Start::Last, 0, 60),
        (Start::Last, 7, 53),
        (Start::Last, u64::MAX, 0),
        (Start::Offset, 41, 41),
        (Start::Earliest, 9, 0),
        (Start::Latest, 9, 60),
    ] {
        assert_eq!(found(&mut client, start, at), place, "{start:?} {at}");
        let reply = subscribed(&mut client, start, at).expect("a place");
        assert_eq!(reply.next_offset, place, "{start:?} {at}");
    }
    assert_eq!(subscribed(&mut client, Start::Offset, 61), Err(Code::OFFSET_OUT_OF_RANGE));
    assert_eq!(subscribed(&mut client, Start::Other(99), 0), Err(Code::INVALID_ARGUMENT));
    assert_eq!(found(&mut client, Start::Offset, 61), 60, "what means nothing is the end");
    assert_eq!(found(&mut client, Start::Other(99), 0), 60);
}

/// SPEC C-19
#[test]
fn a_subscription_is_moved_and_stays_where_it_was_if_that_fails() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic(TOPIC, 1).expect("new");
    let (producing, _) = client.open(TOPIC).expect("exists");
    for _ in 0..20 {
        client.append(producing, 0, Acks::Written, batch(&[b"x"])).expect("appended");
    }
    let channel = client.channel();
    let seek = |start, start_at| Seek { start, start_at };
    let closed = client.call(channel, &seek(Start::Earliest, 0)).expect_err("not open");
    assert_eq!(closed.code, Code::UNKNOWN_CHANNEL);
    let request = Subscribe {
        stream: "default".into(),
        topic: TOPIC.into(),
        partition: 0,
        start: Start::Latest,
        start_at: 0,
        credit_bytes: 1 << 20,
    };
    client.call(channel, &request).expect("exists");
    let offsets = |client: &mut RawClient, count: usize| {
        let mut offsets = Vec::new();
        while offsets.len() < count {
            client.pump_until("deliveries", |client| !client.deliveries.is_empty());
            for (_, _, payload) in client.deliveries.drain(..) {
                let mut rest = &payload[..];
                while let Ok(header) = Header::parse(rest) {
                    offsets.push(header.base_offset);
                    rest = &rest[header.total_len as usize..];
                }
            }
        }
        offsets
    };
    // Forwards, backwards, and while a read waits at the end.
    for (start, at, first) in
        [(Start::Offset, 15, 15), (Start::Earliest, 0, 0), (Start::Last, 3, 17)]
    {
        let reply = client.call(channel, &seek(start, at)).expect("a place");
        assert_eq!(reply.next_offset, first);
        let expected: Vec<u64> = (first..20).collect();
        assert_eq!(offsets(&mut client, expected.len()), expected);
    }
    let refused = client.call(channel, &seek(Start::Offset, 21)).expect_err("beyond");
    assert_eq!(refused.code, Code::OFFSET_OUT_OF_RANGE);
    client.append(producing, 0, Acks::Written, batch(&[b"y"])).expect("appended");
    assert_eq!(offsets(&mut client, 1), [20], "it goes on");
    client.call(channel, &Unsubscribe {}).expect("open");
}

fn update() -> TopicUpdate {
    TopicUpdate {
        stream: "default".into(),
        topic: TOPIC.into(),
        segment_bytes: None,
        retention_ms: None,
        retention_bytes: None,
        dedup_window_ms: None,
        codec: None,
    }
}

/// SPEC C-15: a channel from before takes the partitions that were added, and what was changed
/// is there after a restart.
#[test]
fn a_topic_is_changed_while_it_is_in_use() {
    let data = tempfile::tempdir().expect("a directory");
    let server = TestServer::start_in(data.path());
    let mut client = server.connect();
    client.create_topic(TOPIC, 1).expect("new");
    let (channel, _) = client.open(TOPIC).expect("exists");
    client.append(channel, 0, Acks::Synced, batch(&[b"x"])).expect("appended");
    let refused = client.append(channel, 1, Acks::Synced, batch(&[b"x"])).expect_err("one");
    assert_eq!(refused.code, Code::PARTITION_NOT_FOUND);

    let add = |partitions| PartitionsAdd {
        stream: "default".into(),
        topic: TOPIC.into(),
        partitions,
    };
    assert_eq!(client.call(0, &add(3)).expect("more").topic.partitions, 3);
    assert_eq!(client.call(0, &add(3)).expect("as many").topic.partitions, 3);
    for count in [0, 2, 100_001] {
        let error = client.call(0, &add(count)).expect_err("not that many");
        assert_eq!(error.code, Code::INVALID_PARTITION_COUNT, "{count}");
    }
    client.append(channel, 2, Acks::Synced, batch(&[b"y"])).expect("the channel took it");

    let change = TopicUpdate {
        retention_ms: Some(86_400_000),
        dedup_window_ms: Some(60_000),
        segment_bytes: Some(1 << 20),
        ..update()
    };
    let changed = client.call(0, &change).expect("good").topic;
    assert_eq!((changed.retention_ms, changed.retention_bytes), (86_400_000, 0));
    assert_eq!((changed.segment_bytes, changed.partitions), (1 << 20, 3));
    for bad in [
        TopicUpdate { dedup_window_ms: Some(604_800_001), ..update() },
        TopicUpdate { retention_ms: Some(u64::MAX), ..update() },
        TopicUpdate { segment_bytes: Some(1), ..update() },
    ] {
        let error = client.call(0, &bad).expect_err("out of range");
        assert_eq!(error.code, Code::INVALID_ARGUMENT, "{}", error.message);
    }
    let missing = TopicUpdate { topic: "no".into(), ..update() };
    assert_eq!(client.call(0, &missing).expect_err("no").code, Code::TOPIC_NOT_FOUND);

    server.kill();
    let server = TestServer::start_in(data.path());
    let mut client = server.connect();
    let describe = TopicDescribe { stream: "default".into(), topic: TOPIC.into() };
    assert_eq!(client.call(0, &describe).expect("exists").topic, changed);
    let fetch = Fetch {
        stream: "default".into(),
        topic: TOPIC.into(),
        partition: 2,
        offset: 0,
        max_bytes: 1 << 20,
        min_bytes: 1,
        max_wait_ms: 0,
    };
    assert_eq!(client.call(0, &fetch).expect("it is there").end_offset, 1);
}

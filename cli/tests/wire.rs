//! The wire as a third party meets it: requests overtake each other, subscriptions obey their
//! credit, partitions on other shards answer alike.

mod support;

use std::time::{Duration, Instant};

use support::raw::batch;
use support::server::TestServer;
use tidewire_protocol::batch::{Batch, Header};
use tidewire_protocol::error::Code;
use tidewire_protocol::message::{
    Acks, Append, Credit, Fetch, ListOffsets, Ping, Start, StreamCreate, StreamDelete,
    StreamDescribe, StreamList, Subscribe, TopicCreate, TopicDelete, TopicDescribe, TopicList,
    Unsubscribe,
};

fn fetch(topic: &str, offset: u64) -> Fetch {
    Fetch {
        stream: "default".into(),
        topic: topic.into(),
        partition: 0,
        offset,
        max_bytes: 1 << 20,
        min_bytes: 1,
        max_wait_ms: 0,
    }
}

fn subscribe(topic: &str, start: Start, credit_bytes: u64) -> Subscribe {
    Subscribe {
        stream: "default".into(),
        topic: topic.into(),
        partition: 0,
        start,
        start_at: 0,
        credit_bytes,
    }
}

#[test]
fn a_waiting_fetch_blocks_nothing_behind_it() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    let waiting = client.submit(0, &Fetch { max_wait_ms: 30_000, ..fetch("t", 0) }, &[]);
    client.call(0, &Ping {}).expect("answered at once");
    assert!(!client.is_answered(waiting), "there is nothing to fetch yet");
    client.append(channel, 0, Acks::Synced, batch(&[b"x"])).expect("appended");
    let frame = client.wait_frame(waiting).expect("woken by the append");
    let found = Batch::decode(frame.payload).expect("one batch");
    assert_eq!(found.get(0).and_then(|record| record.value()), Some(&b"x"[..]));
}

#[test]
fn a_fetch_waits_as_long_as_it_asked_and_no_longer() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let start = Instant::now();
    let id = client.submit(0, &Fetch { max_wait_ms: 200, ..fetch("t", 0) }, &[]);
    let frame = client.wait_frame(id).expect("an empty answer is no error");
    assert!(frame.payload.is_empty());
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
}

#[test]
fn a_fetch_waits_for_min_bytes() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    let one = batch(&[b"0123456789"]);
    let min_bytes = one.len() as u32 * 2;
    let request = Fetch { min_bytes, max_wait_ms: 30_000, ..fetch("t", 0) };
    let id = client.submit(0, &request, &[]);
    client.append(channel, 0, Acks::Synced, one.clone()).expect("appended");
    client.call(0, &Ping {}).expect("alive");
    assert!(!client.is_answered(id), "one batch is not enough");
    client.append(channel, 0, Acks::Synced, one.clone()).expect("appended");
    let frame = client.wait_frame(id).expect("enough now");
    assert_eq!(frame.payload.len(), one.len() * 2);
}

#[test]
fn pipelined_appends_keep_their_order() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 2).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    let ids: Vec<_> = (0..500u32)
        .map(|i| {
            let acks = [Acks::Synced, Acks::Written, Acks::None][i as usize % 3];
            let value = i.to_le_bytes();
            let append = Append { partition: i % 2, acks };
            client.submit(channel, &append, &[batch(&[&value])])
        })
        .collect();
    for (i, id) in ids.into_iter().enumerate() {
        let reply = client.wait::<Append>(id).expect("appended");
        assert_eq!(reply.base_offset, i as u64 / 2, "append {i}");
        assert!(reply.acks >= [Acks::Synced, Acks::Written, Acks::None][i % 3]);
    }
}

#[test]
fn the_server_changes_nothing_but_the_stamp() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    let sent = batch(&[b"a", b"b"]);
    client.append(channel, 0, Acks::Synced, batch(&[b"first"])).expect("appended");
    client.append(channel, 0, Acks::Synced, sent.clone()).expect("appended");
    let id = client.submit(0, &fetch("t", 1), &[]);
    let got = client.wait_frame(id).expect("there is something").payload;
    assert_eq!(got[24..], sent[24..]);
    let header = Header::parse(&got).expect("a stamped header");
    assert_eq!(header.base_offset, 1);
    assert!(header.leader_epoch >= 1 && header.append_time_us > 0);
}

#[test]
fn a_subscription_never_passes_its_credit_by_more_than_a_batch() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    let value = vec![7u8; 1000];
    let one = batch(&[&value]);
    for _ in 0..100 {
        client.append(channel, 0, Acks::Written, one.clone()).expect("appended");
    }
    let subscription = client.channel();
    let credit = one.len() as u64 * 10;
    client.call(subscription, &subscribe("t", Start::Earliest, credit)).expect("subscribed");
    let delivered = |client: &support::raw::RawClient| -> u64 {
        client.deliveries.iter().map(|(_, _, payload)| payload.len() as u64).sum()
    };
    client.pump_until("the first credit's worth", |client| delivered(client) >= credit);
    let settle = Instant::now() + Duration::from_millis(300);
    while Instant::now() < settle {
        client.pump();
    }
    assert!(delivered(&client) <= credit + one.len() as u64, "{}", delivered(&client));

    let now = client.now();
    let all = Credit { limit_bytes: u64::MAX };
    client.connection.send_one_way(now, subscription, &all).expect("open");
    let whole = one.len() as u64 * 100;
    client.pump_until("the rest", |client| delivered(client) == whole);

    client.call(subscription, &Unsubscribe {}).expect("open");
    client.append(channel, 0, Acks::Synced, one.clone()).expect("appended");
    client.call(0, &Ping {}).expect("alive");
    assert_eq!(delivered(&client), whole, "nothing follows the end of a subscription");
    let again = client.call(subscription, &Unsubscribe {}).expect_err("closed already");
    assert_eq!(again.code, Code::UNKNOWN_CHANNEL);
}

#[test]
fn a_subscription_from_latest_sees_only_what_comes() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    client.append(channel, 0, Acks::Synced, batch(&[b"old"])).expect("appended");
    let subscription = client.channel();
    let reply =
        client.call(subscription, &subscribe("t", Start::Latest, 1 << 20)).expect("subscribed");
    assert_eq!(reply.next_offset, 1);
    client.append(channel, 0, Acks::Synced, batch(&[b"new"])).expect("appended");
    client.pump_until("a delivery", |client| !client.deliveries.is_empty());
    let (_, _, payload) = client.deliveries.remove(0);
    let found = Batch::decode(payload).expect("one batch");
    assert_eq!(found.header().base_offset, 1);
}

#[test]
fn subscriptions_of_a_deleted_topic_end_with_its_name() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let subscription = client.channel();
    client.call(subscription, &subscribe("t", Start::Latest, 1 << 20)).expect("subscribed");
    let delete = TopicDelete { stream: "default".into(), topic: "t".into() };
    client.call(0, &delete).expect("deleted");
    client.pump_until("the end", |client| !client.ended.is_empty());
    let (channel, error) = client.ended.remove(0);
    assert_eq!(channel, subscription);
    assert_eq!(error.code, Code::TOPIC_NOT_FOUND);
    assert!(error.message.contains("default/t"), "{error}");
    assert!(!server.data().join("topics/1").exists(), "its files are gone");
    client.create_topic("t", 1).expect("the name is free again");
    let id = client.submit(0, &fetch("t", 0), &[]);
    assert!(client.wait_frame(id).expect("empty").payload.is_empty());
}

#[test]
fn partitions_of_all_shards_answer_alike() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 16).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    for partition in 0..16 {
        client.append(channel, partition, Acks::Synced, batch(&[b"x"])).expect("appended");
    }
    let list = ListOffsets {
        stream: "default".into(),
        topic: "t".into(),
        first_partition: 0,
        max_partitions: u32::MAX,
        start: Start::Earliest,
        start_at: 0,
    };
    let partitions = client.call(0, &list).expect("exists").partitions;
    assert_eq!(partitions.len(), 16);
    assert!(partitions.iter().all(|p| (p.end_offset, p.synced_offset, p.error) == (1, 1, 0)));
    let shards: std::collections::BTreeSet<u32> = partitions.iter().map(|p| p.shard).collect();
    assert_eq!(shards.len(), 2, "both shards own some");
}

#[test]
fn streams_and_topics_are_listed_in_pages_by_name() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.call(0, &StreamCreate { name: "shop".into() }).expect("new");
    let names: Vec<String> = (0..300).map(|i| format!("topic-{i:03}")).collect();
    for name in &names {
        client.create_topic(name, 1).expect("new");
    }
    let mut found = Vec::new();
    loop {
        let after = found.last().cloned().unwrap_or_default();
        let page =
            client.call(0, &TopicList { stream: "default".into(), after }).expect("a page");
        found.extend(page.topics.into_iter().map(|topic| topic.name));
        if !page.more {
            break;
        }
    }
    assert_eq!(found, names);
    let streams = client.call(0, &StreamList { after: String::new() }).expect("a page").streams;
    let streams: Vec<_> = streams.iter().map(|s| (s.name.as_str(), s.topics)).collect();
    assert_eq!(streams, [("default", 300), ("shop", 0)]);
    let delete = StreamDelete { name: "shop".into(), with_topics: false };
    client.call(0, &delete).expect("empty");
}

#[test]
fn a_topic_of_a_new_stream_creates_both() {
    let server = TestServer::start();
    let mut client = server.connect();
    let create = TopicCreate {
        stream: "shop".into(),
        topic: "orders".into(),
        partitions: 1,
        segment_bytes: None,
        codec: None,
        retention_ms: None,
        retention_bytes: None,
        dedup_window_ms: None,
    };
    client.call(0, &create).expect("both are new");
    let describe = StreamDescribe { name: "shop".into() };
    assert_eq!(client.call(0, &describe).expect("exists").stream.topics, 1);
    client.call(0, &TopicCreate { topic: "returns".into(), ..create }).expect("one is new");
    assert_eq!(client.call(0, &describe).expect("exists").stream.topics, 2);
}

#[test]
fn a_hundred_thousand_partitions_are_cheap_until_used() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("wide", 100_000).expect("the limit itself is allowed");
    let describe = TopicDescribe { stream: "default".into(), topic: "wide".into() };
    assert_eq!(client.call(0, &describe).expect("exists").topic.partitions, 100_000);
    let (channel, _) = client.open("wide").expect("exists");
    client.append(channel, 99_999, Acks::Synced, batch(&[b"last"])).expect("appended");
    let entries = std::fs::read_dir(server.data().join("topics/1")).expect("its files").count();
    assert_eq!(entries, 1, "only the partition that was written to has files");
}

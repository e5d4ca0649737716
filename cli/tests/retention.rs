//! Records that are deleted: by request, by age, by size; the files go, the start stays where it
//! was told, and nobody is left in the dark.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::raw::{RawClient, batch};
use support::server::TestServer;
use tidewire_protocol::error::Code;
use tidewire_protocol::message::{
    Acks, Credit, Fetch, ListOffsets, PartitionInfo, Start, StreamPurge, Subscribe,
    TopicCreate, TopicPurge, TopicUpdate, Truncate,
};

const TOPIC: &str = "t";
const SEGMENT: u64 = 1 << 20;

fn create(client: &mut RawClient, retention_ms: Option<u64>, retention_bytes: Option<u64>) {
    let request = TopicCreate {
        stream: "default".into(),
        topic: TOPIC.into(),
        partitions: 1,
        segment_bytes: Some(SEGMENT),
        codec: None,
        retention_ms,
        retention_bytes,
        dedup_window_ms: None,
    };
    client.call(0, &request).expect("new");
}

fn info(client: &mut RawClient) -> PartitionInfo {
    let request = ListOffsets {
        stream: "default".into(),
        topic: TOPIC.into(),
        first_partition: 0,
        max_partitions: 1,
        start: Start::Earliest,
        start_at: 0,
    };
    client.call(0, &request).expect("exists").partitions.remove(0)
}

/// Appends `count` batches of one record of 300 KiB.
fn fill(client: &mut RawClient, count: usize) {
    let value = vec![7; 300 << 10];
    let (channel, _) = client.open(TOPIC).expect("exists");
    for _ in 0..count {
        client.append(channel, 0, Acks::Synced, batch(&[&value])).expect("appended");
    }
}

/// Waits until `done`, which retention brings about in its own time.
fn wait_for(
    client: &mut RawClient,
    what: &str,
    done: impl Fn(&PartitionInfo) -> bool,
) -> PartitionInfo {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let info = info(client);
        if done(&info) {
            return info;
        }
        assert!(Instant::now() < deadline, "waited for {what}: {info:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn segment_files(data: &Path) -> usize {
    let mut found = 0;
    let mut dirs = vec![data.join("topics")];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten() {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|end| end == "log" || end == "next") {
                found += 1;
            }
        }
    }
    found
}

/// SPEC C-16
#[test]
fn what_was_deleted_by_request_stays_deleted() {
    let data = tempfile::tempdir().expect("a directory");
    let server = TestServer::start_in(data.path());
    let mut client = server.connect();
    create(&mut client, None, None);
    fill(&mut client, 10);
    let truncate = |before_offset| Truncate {
        stream: "default".into(),
        topic: TOPIC.into(),
        partition: 0,
        before_offset,
    };
    assert_eq!(client.call(0, &truncate(7)).expect("there").start_offset, 7);
    assert_eq!(client.call(0, &truncate(3)).expect("gone").start_offset, 7);
    let error = client.call(0, &truncate(11)).expect_err("not there");
    assert_eq!(error.code, Code::OFFSET_OUT_OF_RANGE, "{}", error.message);
    server.kill();

    let server = TestServer::start_in(data.path());
    let mut client = server.connect();
    let after = info(&mut client);
    assert_eq!((after.start_offset, after.end_offset), (7, 10));
    let fetch = |offset| Fetch {
        stream: "default".into(),
        topic: TOPIC.into(),
        partition: 0,
        offset,
        max_bytes: 1 << 20,
        min_bytes: 1,
        max_wait_ms: 0,
    };
    let error = client.call(0, &fetch(6)).expect_err("deleted");
    assert!(error.message.contains("7 to 10"), "{}", error.message);
    client.call(0, &fetch(7)).expect("there");

    let purge = TopicPurge { stream: "default".into(), topic: TOPIC.into() };
    client.call(0, &purge).expect("exists");
    fill(&mut client, 2);
    client.call(0, &StreamPurge { name: "default".into() }).expect("exists");
    let empty = info(&mut client);
    assert_eq!((empty.start_offset, empty.end_offset, empty.size_bytes), (12, 12, 0));
    let missing = StreamPurge { name: "none".into() };
    assert_eq!(client.call(0, &missing).expect_err("none").code, Code::STREAM_NOT_FOUND);
    server.kill();
    let server = TestServer::start_in(data.path());
    let mut client = server.connect();
    assert_eq!(info(&mut client).start_offset, 12, "offsets go on");
}

/// SPEC C-17: also what a server that was started anew finds, though nobody asks for it.
#[test]
fn old_records_go_by_themselves() {
    let data = tempfile::tempdir().expect("a directory");
    let server = TestServer::start_in(data.path());
    let mut client = server.connect();
    create(&mut client, None, None);
    fill(&mut client, 10);
    assert!(segment_files(data.path()) > 2);
    let update = |retention_ms| TopicUpdate {
        stream: "default".into(),
        topic: TOPIC.into(),
        segment_bytes: None,
        retention_ms: Some(retention_ms),
        retention_bytes: None,
        dedup_window_ms: None,
        codec: None,
    };
    client.call(0, &update(3_600_000)).expect("exists");
    assert_eq!(info(&mut client).start_offset, 0, "nothing is an hour old");
    client.call(0, &update(1_000)).expect("exists");
    // The log begins there before the files behind it go.
    wait_for(&mut client, "all to go", |info| info.start_offset == 10 && info.size_bytes == 0);
    fill(&mut client, 5);
    server.kill();
    let _server = TestServer::start_in(data.path());
    let deadline = Instant::now() + Duration::from_secs(60);
    while segment_files(data.path()) > 1 {
        assert!(Instant::now() < deadline, "files remain");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// SPEC C-17
#[test]
fn what_is_over_the_size_goes_and_what_is_not_stays() {
    let server = TestServer::start();
    let mut client = server.connect();
    create(&mut client, None, Some(3 * SEGMENT));
    fill(&mut client, 30);
    let kept = wait_for(&mut client, "the first segments to go", |info| {
        info.start_offset > 0 && info.size_bytes < 5 * SEGMENT
    });
    assert!(kept.size_bytes >= 3 * SEGMENT, "{kept:?}");
    assert_eq!(kept.end_offset, 30);
}

/// SPEC C-18
#[test]
fn a_subscription_that_was_overtaken_ends_with_the_reason() {
    let server = TestServer::start();
    let mut client = server.connect();
    create(&mut client, None, None);
    fill(&mut client, 10);
    let channel = client.channel();
    let request = Subscribe {
        stream: "default".into(),
        topic: TOPIC.into(),
        partition: 0,
        start: Start::Earliest,
        start_at: 0,
        credit_bytes: 1,
    };
    client.call(channel, &request).expect("exists");
    client.pump_until("the first batch", |client| !client.deliveries.is_empty());
    let purge = TopicPurge { stream: "default".into(), topic: TOPIC.into() };
    client.call(0, &purge).expect("exists");
    let now = client.now();
    let more = Credit { limit_bytes: 1 << 30 };
    client.connection.send_one_way(now, channel, &more).expect("open");
    client.pump_until("the reason", |client| !client.ended.is_empty());
    let (ended, error) = client.ended.remove(0);
    assert_eq!((ended, error.code), (channel, Code::OFFSET_OUT_OF_RANGE));
    assert!(error.message.contains("10 to 10"), "{}", error.message);
    assert_eq!(client.deliveries.len(), 1, "and nothing was passed over");
}

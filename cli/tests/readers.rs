//! Many readers of one partition: those that stopped cost bounded memory and hold nobody up, old
//! records are read beside new ones, and what is deleted under a reader does no harm.

mod support;

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use support::raw::{PATIENCE, RawClient, batch};
use support::server::TestServer;
use tidewire_protocol::batch::Batch;
use tidewire_protocol::error::Code;
use tidewire_protocol::message::{Acks, Start, Subscribe, TopicCreate, Truncate};

const TOPIC: &str = "t";
const VALUE_BYTES: usize = 60 << 10;
/// What the server may hold for readers, in the tests that come to the limit.
const READ_MEMORY_BYTES: u64 = 8 << 20;

fn create(client: &mut RawClient, segment_bytes: u64) {
    let request = TopicCreate {
        stream: "default".into(),
        topic: TOPIC.into(),
        partitions: 1,
        segment_bytes: Some(segment_bytes),
        codec: None,
        retention_ms: None,
        retention_bytes: None,
        dedup_window_ms: None,
    };
    client.call(0, &request).expect("new");
}

/// Appends batches of one record that says which offset it has.
fn fill(client: &mut RawClient, channel: u32, offsets: std::ops::Range<u64>) {
    for offset in offsets {
        let mut value = vec![7; VALUE_BYTES];
        value[..8].copy_from_slice(&offset.to_le_bytes());
        client.append(channel, 0, Acks::Written, batch(&[&value])).expect("appended");
    }
}

fn subscribe(client: &mut RawClient, start: Start, start_at: u64) -> u32 {
    let channel = client.channel();
    let request = Subscribe {
        stream: "default".into(),
        topic: TOPIC.into(),
        partition: 0,
        start,
        start_at,
        credit_bytes: u64::MAX,
    };
    client.call(channel, &request).expect("exists");
    channel
}

/// Takes what was delivered, checks it, and returns the offset after it.
fn take(client: &mut RawClient, mut next: u64) -> u64 {
    for (_, _, mut payload) in client.deliveries.drain(..) {
        while !payload.is_empty() {
            let header =
                tidewire_protocol::batch::Header::parse(&payload).expect("whole batches");
            let rest = payload.split_off(header.total_len as usize);
            let batch = Batch::decode(payload).expect("a good batch");
            let record = batch.get(0).expect("it has one");
            let value = record.value().expect("it has a value");
            assert_eq!(record.offset(), next);
            assert_eq!(value[..8], next.to_le_bytes());
            next += 1;
            payload = rest;
        }
    }
    next
}

fn read_to(client: &mut RawClient, mut next: u64, end: u64) {
    let mut deadline = Instant::now() + PATIENCE;
    while next < end {
        assert!(Instant::now() < deadline, "at {next} of {end}, and nothing for {PATIENCE:?}");
        client.pump();
        let after = take(client, next);
        if after > next {
            (next, deadline) = (after, Instant::now() + PATIENCE);
        }
    }
}

/// Memory of the server's process that is its own, in KiB.
fn resident_kib(server: &TestServer) -> u64 {
    let path = format!("/proc/{}/status", server.process_id());
    let status = std::fs::read_to_string(path).expect("a running process");
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).expect("Linux says so");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// Has the kernel take little for a client that does not read.
fn keep_small(client: &RawClient) {
    let bytes: libc::c_int = 96 << 10;
    // SAFETY: the option is an int, which lives across the call, and the socket is open.
    let set = unsafe {
        libc::setsockopt(
            client.socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUF,
            std::ptr::from_ref(&bytes).cast(),
            size_of_val(&bytes) as libc::socklen_t,
        )
    };
    assert_eq!(set, 0, "the buffer's size can be set");
}

/// `TIDEWIRE_READERS=1000` for more of them than CI has time for.
#[test]
fn readers_that_stopped_cost_bounded_memory_and_hold_nobody_up() {
    let readers: usize = std::env::var("TIDEWIRE_READERS")
        .map_or(150, |count| count.parse().expect("a number of readers"));
    let own = tempfile::tempdir().expect("a directory");
    let memory = READ_MEMORY_BYTES.to_string();
    let server = TestServer::start_with(
        &own.path().join("data"),
        &["--shards", "2", "--read-memory-bytes", &memory],
    );
    let mut client = server.connect();
    create(&mut client, 8 << 20);
    let (channel, _) = client.open(TOPIC).expect("exists");
    let end = 300;
    fill(&mut client, channel, 0..end);

    // Each begins somewhere else, so that nothing is shared by luck, has all the credit there is,
    // and reads no more than the answer.
    let before_kib = resident_kib(&server);
    let mut stopped = Vec::new();
    for reader in 0..readers {
        let mut client = server.connect();
        keep_small(&client);
        subscribe(&mut client, Start::Offset, (reader as u64 * 7) % (end - 50));
        stopped.push(client);
    }

    // Others are served, old records and new ones.
    let mut cold = server.connect();
    subscribe(&mut cold, Start::Earliest, 0);
    read_to(&mut cold, 0, end);
    let mut hot = server.connect();
    subscribe(&mut hot, Start::Latest, 0);
    fill(&mut client, channel, end..end + 50);
    read_to(&mut hot, end, end + 50);

    // The budget, one step for each, and what a connection costs anyway.
    let grown_kib = resident_kib(&server).saturating_sub(before_kib);
    let step_kib = 2 * (VALUE_BYTES as u64 >> 10);
    let connection_kib = 64;
    let bound_kib =
        (READ_MEMORY_BYTES >> 10) + readers as u64 * (step_kib + connection_kib) + (16 << 10);
    println!("{readers} stopped readers: {grown_kib} KiB, bound {bound_kib} KiB");
    assert!(grown_kib < bound_kib, "{grown_kib} KiB for {readers} readers, over {bound_kib}");

    // One that goes on after all finds everything.
    let reader = readers / 2;
    let begins = (reader as u64 * 7) % (end - 50);
    read_to(&mut stopped[reader], begins, end);
}

#[test]
fn old_records_are_read_beside_new_ones() {
    let server = TestServer::start();
    let mut producer = server.connect();
    create(&mut producer, 1 << 20);
    let (channel, _) = producer.open(TOPIC).expect("exists");
    fill(&mut producer, channel, 0..200);
    let mut cold = server.connect();
    subscribe(&mut cold, Start::Earliest, 0);
    let mut hot: Vec<RawClient> = (0..5)
        .map(|_| {
            let mut client = server.connect();
            subscribe(&mut client, Start::Latest, 0);
            client
        })
        .collect();
    // The old ones are read while the new ones come.
    let mut old = 0;
    for offset in 200..260 {
        fill(&mut producer, channel, offset..offset + 1);
        for client in &mut hot {
            read_to(client, offset, offset + 1);
        }
        cold.pump();
        old = take(&mut cold, old);
    }
    read_to(&mut cold, old, 260);
}

#[test]
fn what_is_deleted_under_a_reader_is_told_and_nothing_wrong_is_shown() {
    let own = tempfile::tempdir().expect("a directory");
    let memory = READ_MEMORY_BYTES.to_string();
    let server = TestServer::start_with(
        &own.path().join("data"),
        &["--shards", "2", "--read-memory-bytes", &memory],
    );
    let mut producer = server.connect();
    create(&mut producer, 1 << 20);
    let (channel, _) = producer.open(TOPIC).expect("exists");
    fill(&mut producer, channel, 0..100);
    let mut end = 100;
    for round in 0..15 {
        let mut reader = server.connect();
        let start = end - 100 + round;
        subscribe(&mut reader, Start::Offset, start);
        // Deleted before, while, or after it reads.
        for _ in 0..round % 4 {
            reader.pump();
        }
        let before = end - 20;
        let request = Truncate {
            stream: "default".into(),
            topic: TOPIC.into(),
            partition: 0,
            before_offset: before,
        };
        producer.call(0, &request).expect("within the log");
        let mut next = start;
        let deadline = Instant::now() + Duration::from_secs(20);
        while next < end && reader.ended.is_empty() {
            assert!(Instant::now() < deadline, "at {next} of {end}");
            reader.pump();
            next = take(&mut reader, next);
        }
        if let Some((_, error)) = reader.ended.pop() {
            assert_eq!(error.code, Code::OFFSET_OUT_OF_RANGE, "{error}");
            assert!(next <= before, "{next}: nothing after the start is missing");
        }
        fill(&mut producer, channel, end..end + 80);
        end += 80;
    }
    server.assert_serves();
}

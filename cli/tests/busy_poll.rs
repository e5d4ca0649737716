//! A shard that looks for requests before it sleeps answers all it is asked, by itself or by way of
//! another shard, and sleeps when it is asked no more.

mod support;

use std::time::Duration;

use support::raw::{RawClient, batch};
use support::server::{TestServer, run};
use tidewire_protocol::message::Acks;

/// Enough to be looked for.
const MANY: u64 = 200;
/// The longest that may be asked for.
const LONGEST: [&str; 4] = ["--shards", "2", "--busy-poll-us", "1000"];

/// Processor time of a process so far, in ticks of 10 ms.
fn ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

fn append_alone(client: &mut RawClient, channel: u32, partition: u32) {
    for offset in 0..MANY {
        let reply = client.append(channel, partition, Acks::Written, batch(&[b"alone"]));
        assert_eq!(reply.expect("appended").base_offset, offset);
    }
}

#[test]
fn it_answers_and_then_it_sleeps() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = TestServer::start_with(&dir.path().join("data"), &LONGEST);
    let mut client = server.connect();
    client.create_topic("t", 2).expect("created");
    let (channel, _) = client.open("t").expect("opened");
    for partition in [0, 1] {
        append_alone(&mut client, channel, partition);
    }
    let before = ticks(server.process_id());
    std::thread::sleep(Duration::from_secs(1));
    let used = ticks(server.process_id()) - before;
    assert!(used < 30, "{used} ticks of 100 while nothing was asked");
}

#[test]
fn it_stops_while_it_looks() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut server = TestServer::start_with(&dir.path().join("data"), &LONGEST);
    let mut client = server.connect();
    client.create_topic("t", 1).expect("created");
    let (channel, _) = client.open("t").expect("opened");
    append_alone(&mut client, channel, 0);
    assert!(server.terminate().success());
}

#[test]
fn a_time_that_is_too_long_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let data = data.to_str().expect("a name");
    let out = run(&["serve", "--dev", "--data", data, "--busy-poll-us", "1001"]);
    let told = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success() && told.contains("busy_poll_us"), "{told}");
    assert!(told.contains("1001") && told.contains("1000"), "{told}");
}

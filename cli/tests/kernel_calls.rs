//! What the server asks of the kernel for fixed work: operations of the ring and calls that write and
//! read, as the kernel counts them. They do not depend on time; one more for each request is a
//! regression that no clock would show here.

mod support;

use std::fs;

use support::raw::{RawClient, batch};
use support::server::TestServer;
use tidewire_protocol::message::{Acks, Fetch};

/// Requests that are counted, after as many that warm up.
const MANY: u64 = 1_000;
/// How many more than there should be are a regression, in a hundred.
const TOLERANCE: u64 = 5;

/// How often a process asked the kernel for something, so far.
#[derive(Clone, Copy, Debug)]
struct Calls {
    /// Operations handed to its rings.
    ring: u64,
    /// Calls that write, to files and to wake threads.
    writes: u64,
    /// Calls that read.
    reads: u64,
}

impl Calls {
    /// Of the server; none where it has no ring, or nobody may look.
    fn of(server: &TestServer) -> Option<Self> {
        let process = format!("/proc/{}", server.process_id());
        let mut ring = None;
        for entry in fs::read_dir(format!("{process}/fd")).ok()?.flatten() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            if !target.to_string_lossy().contains("io_uring") {
                continue;
            }
            let number = entry.file_name();
            let info = format!("{process}/fdinfo/{}", number.to_string_lossy());
            let info = fs::read_to_string(info).ok()?;
            *ring.get_or_insert(0) += field(&info, "SqTail")?;
        }
        let io = fs::read_to_string(format!("{process}/io")).ok()?;
        Some(Self { ring: ring?, writes: field(&io, "syscw")?, reads: field(&io, "syscr")? })
    }
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().parse().ok()
}

/// Does something many times, twice, and compares what the second time cost with what it should.
fn check(
    server: &TestServer,
    client: &mut RawClient,
    mut ask: impl FnMut(&mut RawClient),
    (ring, writes, reads): (u64, u64, u64),
) {
    (0..MANY).for_each(|_| ask(client));
    let Some(before) = Calls::of(server) else {
        println!("SKIPPED: the server has no ring, or the kernel does not count");
        return;
    };
    (0..MANY).for_each(|_| ask(client));
    let after = Calls::of(server).expect("as before");
    println!("{before:?} to {after:?}");
    for (what, count, each) in [
        ("operations of the ring", after.ring - before.ring, ring),
        ("writing calls", after.writes - before.writes, writes),
        ("reading calls", after.reads - before.reads, reads),
    ] {
        let most = MANY * (100 * each + TOLERANCE) / 100;
        assert!(count <= most, "{count} {what} for {MANY} requests, at most {most}");
    }
}

fn server() -> (tempfile::TempDir, TestServer) {
    let dir = tempfile::tempdir().expect("a directory");
    let server = TestServer::start_with(&dir.path().join("data"), &["--shards", "1"]);
    (dir, server)
}

#[test]
fn an_append_is_a_read_a_write_and_a_call_that_writes_the_file() {
    let (_dir, server) = server();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("created");
    let (channel, _) = client.open("t").expect("opened");
    let append = |client: &mut RawClient| {
        client.append(channel, 0, Acks::Written, batch(&[b"alone"])).expect("appended");
    };
    check(&server, &mut client, append, (2, 1, 0));
}

#[test]
fn a_fetch_from_the_end_is_a_read_and_a_write() {
    let (_dir, server) = server();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("created");
    let (channel, _) = client.open("t").expect("opened");
    client.append(channel, 0, Acks::Written, batch(&[b"x"])).expect("appended");
    let fetch = Fetch {
        stream: "default".into(),
        topic: "t".into(),
        partition: 0,
        offset: 0,
        max_bytes: 1,
        min_bytes: 0,
        max_wait_ms: 0,
    };
    let ask = |client: &mut RawClient| {
        let id = client.submit(0, &fetch, &[]);
        client.wait_frame(id).expect("answered");
    };
    check(&server, &mut client, ask, (2, 0, 0));
}

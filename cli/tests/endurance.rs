//! What goes on for long, or in numbers: a client that is stopped past its session and goes on, many
//! consumers that take nothing, and how often offsets can be stored. The full sizes are ignored
//! tests; small ones run always.

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use support::raw::PATIENCE;
use support::server::TestServer;
use tidewire::{AutoCommit, Client, Consumer, Record, Start, TopicConfig};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn send(client: &Client, numbers: std::ops::Range<u64>) {
    let producer = client.producer("t").batch_records(1).build().await.expect("opens");
    for number in numbers {
        let record = Record::new(number.to_string()).partition((number % 2) as u32);
        producer.enqueue(record).expect("room");
    }
    producer.close().await.expect("acknowledged");
}

async fn member(client: &Client) -> Consumer {
    let builder = client.consumer("t").group("g").start(Start::Earliest);
    let builder = builder.session_timeout_ms(500).rebalance_timeout_ms(10_000);
    builder.auto_commit(AutoCommit::After).build().await.expect("joins")
}

/// Which numbers were read, and how often.
type Seen = Arc<Mutex<BTreeMap<u64, u32>>>;

fn count(seen: &Seen) -> usize {
    seen.lock().unwrap_or_else(PoisonError::into_inner).len()
}

/// Not a test: the program of [`a_client_that_was_stopped_past_its_session_goes_on`], which runs
/// this binary again.
#[test]
#[ignore = "run by another test"]
fn member_process() {
    let Ok(url) = std::env::var("MEMBER_URL") else { return };
    runtime().block_on(async {
        let client = Client::connect(&url).await.expect("a server");
        let mut consumer = member(&client).await;
        println!("\njoined");
        while let Ok(Some(batch)) = consumer.next_batch().await {
            for record in &batch {
                println!(
                    "read {}",
                    String::from_utf8_lossy(record.value().unwrap_or_default())
                );
            }
        }
    });
}

/// A process that is ended whatever happens.
struct Running(Child);

impl Running {
    fn signal(&self, signal: libc::c_int) {
        // SAFETY: no memory is involved; the child was not waited for, so its number is its own.
        assert_eq!(unsafe { libc::kill(self.0.id() as libc::pid_t, signal) }, 0);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_client_that_was_stopped_past_its_session_goes_on() {
    let server = TestServer::start();
    let runtime = runtime();
    runtime.block_on(async {
        let client = Client::connect(&server.url()).await.expect("a server");
        client.create_topic("t", TopicConfig::default().partitions(2)).await.expect("new");
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "member_process", "--ignored", "--nocapture"])
            .env("MEMBER_URL", format!("{}/?heartbeat_ms=1000", server.url()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("runs");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let child = Running(child);
        let theirs = Seen::default();
        let reading = std::thread::spawn({
            let theirs = Arc::clone(&theirs);
            move || {
                for line in lines.map_while(Result::ok) {
                    if let Some(number) = line.strip_prefix("read ") {
                        let number = number.parse().expect("a number");
                        let mut theirs = theirs.lock().expect("no panic");
                        *theirs.entry(number).or_default() += 1;
                    }
                }
            }
        });
        send(&client, 0..20).await;
        until("the first records", || count(&theirs) == 20).await;

        // The server hears nothing for three heartbeats, and then waits for the session.
        child.signal(libc::SIGSTOP);
        let mut ours = member(&client).await;
        let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
        send(&client, 20..40).await;
        let deadline = Instant::now() + PATIENCE;
        while (20..40).any(|number| !seen.contains_key(&number)) {
            assert!(Instant::now() < deadline, "not taken over: {seen:?}");
            let next = tokio::time::timeout(Duration::from_secs(1), ours.next_batch()).await;
            let Ok(batch) = next else { continue };
            for record in &batch.expect("delivered").expect("open") {
                let value = String::from_utf8_lossy(record.value().unwrap_or_default());
                *seen.entry(value.parse().expect("a number")).or_default() += 1;
            }
        }
        // At least once: what was in work when it was stopped came again, and no more.
        let again = seen.keys().filter(|&&number| number < 20).count();
        assert!(again <= 2, "one batch of each partition at most: {seen:?}");
        let stored = client.committed("g", "t").await.expect("a group");

        child.signal(libc::SIGCONT);
        until_members(&client, 2).await;
        ours.close().await;
        send(&client, 40..60).await;
        until("the rest", || {
            (40..60).all(|number| theirs.lock().expect("no panic").contains_key(&number))
        })
        .await;
        // Nothing that it had stored or thought to have moved the group back.
        let after = client.committed("g", "t").await.expect("a group");
        for (before, after) in stored.iter().zip(&after) {
            let offset =
                |of: &Option<tidewire::CommittedOffset>| of.as_ref().map(|of| of.offset);
            assert!(offset(after) >= offset(before), "{before:?}, then {after:?}");
        }
        drop(child);
        reading.join().expect("no panic");
    });
}

async fn until_members(client: &Client, members: usize) {
    let deadline = Instant::now() + PATIENCE;
    while client.describe_group("g").await.expect("a group").members.len() != members {
        assert!(Instant::now() < deadline, "there were never {members} members");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Resident memory of a process, in KiB.
fn resident_kib(process_id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process_id}/status")).expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

/// Consumers that take one batch and no more, on ten connections, of a topic with more than each
/// may hold: how much the server and this process grew, in KiB for each consumer.
fn slow_consumers(consumers: usize) -> (u64, u64) {
    const CLIENTS: usize = 10;
    let server = TestServer::start();
    runtime().block_on(async {
        let client = Client::connect(&server.url()).await.expect("a server");
        client.create_topic("t", TopicConfig::default()).await.expect("new");
        let builder = client.producer("t").batch_bytes(16_384);
        let producer = builder.build().await.expect("opens");
        for _ in 0..4_096 {
            producer.ready().await.expect("open");
            producer.enqueue(Record::new(vec![7; 1_024])).expect("room");
        }
        producer.close().await.expect("acknowledged");
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(Client::connect(&server.url()).await.expect("a server"));
        }
        let (server_id, own_id) = (server.process_id(), std::process::id());
        let before = (resident_kib(server_id), resident_kib(own_id));
        let mut slow = Vec::new();
        for number in 0..consumers {
            let builder = clients[number % CLIENTS].consumer("t").start(Start::Earliest);
            let builder = builder.prefetch_bytes(65_536);
            let mut consumer = builder.build().await.expect("subscribes");
            let batch = consumer.next_batch().await.expect("delivered").expect("open");
            slow.push((consumer, batch));
        }
        let full = |consumer: &Consumer| consumer.stats().buffered_bytes >= 32_768;
        until("full buffers", || slow.iter().all(|(consumer, _)| full(consumer))).await;
        for (consumer, _) in &slow {
            let held = consumer.stats().buffered_bytes;
            assert!(held <= 65_536 + 32_768, "a consumer holds {held} bytes");
        }
        let after = (resident_kib(server_id), resident_kib(own_id));
        // One that takes what there is gets everything, whoever stands still beside it.
        let mut quick =
            client.consumer("t").start(Start::Earliest).build().await.expect("reads");
        let mut records = 0;
        while records < 4_096 {
            let next =
                tokio::time::timeout(PATIENCE, quick.next_batch()).await.expect("in time");
            records += next.expect("delivered").expect("open").len();
        }
        let each = |after: u64, before: u64| after.saturating_sub(before) / consumers as u64;
        println!(
            "{consumers} slow consumers: server {} to {} KiB, client {} to {} KiB",
            before.0, after.0, before.1, after.1
        );
        (each(after.0, before.0), each(after.1, before.1))
    })
}

#[test]
fn consumers_that_take_nothing_cost_no_more_than_their_credit() {
    let (server_kib, client_kib) = slow_consumers(100);
    // Of the credit, deliveries share buffers; what a server keeps for each is a few structures,
    // and for all of a connection at most a megabyte on its way.
    assert!(server_kib <= 160, "{server_kib} KiB of the server for each");
    assert!(client_kib <= 640, "{client_kib} KiB of the client for each");
}

#[test]
#[ignore = "a thousand of them"]
fn a_thousand_consumers_that_take_nothing_cost_no_more_than_their_credit() {
    let (server_kib, client_kib) = slow_consumers(1_000);
    assert!(server_kib <= 96, "{server_kib} KiB of the server for each");
    assert!(client_kib <= 640, "{client_kib} KiB of the client for each");
}

/// How many commits there are in a second: of one consumer, each waited for, and of fifty.
#[test]
#[ignore = "a measurement, for --release"]
fn commits_per_second() {
    let server = TestServer::start();
    runtime().block_on(async {
        let client = Client::connect(&server.url()).await.expect("a server");
        client.create_topic("t", TopicConfig::default()).await.expect("new");
        for consumers in [1, 50] {
            let mut all = Vec::new();
            for number in 0..consumers {
                let name = format!("c-{consumers}-{number}");
                all.push(client.consumer("t").name(&name).build().await.expect("begins"));
            }
            let begun = Instant::now();
            let mut running = Vec::new();
            for consumer in all {
                running.push(tokio::spawn(async move {
                    let mut commits = 0u64;
                    while begun.elapsed() < Duration::from_secs(3) {
                        commits += 1;
                        consumer.commit_offset(0, commits).await.expect("stored");
                    }
                    commits
                }));
            }
            let mut commits = 0;
            for each in running {
                commits += each.await.expect("no panic");
            }
            let second = commits as f64 / begun.elapsed().as_secs_f64();
            println!("{consumers} consumers: {second:.0} commits a second");
        }
    });
}

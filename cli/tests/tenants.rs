//! Many connections, and users that take more than their share: what each costs the server, and
//! what the others feel of it. The full sizes are ignored tests, for `--release`; small ones run
//! always.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use support::raw::{PATIENCE, batch};
use support::server::{TestServer, tidewire};
use tidewire::{Client, Grant, Record, Secret, Start, TopicConfig};
use tidewire_protocol::frame::{self, HEADER_LEN, Head, Header, PREFACE};
use tidewire_protocol::message::{Append, Hello, Kind, OpenProducer, TopicDescribe};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Lets this process have as many descriptors as it may; how many these are.
fn raise_descriptors() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit, written by the first call and read by the second.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)
}

fn server(arguments: &[&str]) -> (TestServer, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let arguments = [&["--shards", "2"], arguments].concat();
    (TestServer::start_with(&dir.path().join("data"), &arguments), dir)
}

/// Resident memory of a process, in KiB.
fn resident_kib(server: &TestServer) -> u64 {
    status_kib(server, "VmRSS:")
}

/// Memory that a process has for itself, touched or not, in KiB.
fn reserved_kib(server: &TestServer) -> u64 {
    status_kib(server, "VmData:")
}

fn status_kib(server: &TestServer, name: &str) -> u64 {
    let path = format!("/proc/{}/status", server.process_id());
    let status = std::fs::read_to_string(path).expect("Linux");
    let line = status.lines().find(|line| line.starts_with(name)).expect("a line of it");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

fn frame<M: tidewire_protocol::message::Message>(
    out: &mut BytesMut,
    correlation: u64,
    channel: u32,
    message: &M,
    payload: &[u8],
) {
    let head = Head { correlation, channel, ..Head::default() };
    frame::encode(out, head, message, payload.len(), 1 << 24).expect("small");
    out.extend_from_slice(payload);
}

fn hello() -> BytesMut {
    let mut out = BytesMut::from(&PREFACE[..]);
    let hello = Hello {
        client_name: "one of many".into(),
        client_version: "0".into(),
        capabilities: 0,
        codecs: 7,
        max_frame_len: 1 << 24,
        heartbeat_ms: 600_000,
    };
    frame(&mut out, 1, 0, &hello, &[]);
    out
}

/// A connection that says what it must and no more.
struct Plain(TcpStream);

impl Plain {
    fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).expect("the server listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a TCP socket");
        socket.set_nodelay(true).expect("a TCP socket");
        let mut plain = Self(socket);
        plain.0.write_all(&hello()).expect("connected");
        let mut preface = [0; PREFACE.len()];
        plain.0.read_exact(&mut preface).expect("answered");
        assert_eq!(plain.frame(), Kind::HELLO);
        plain
    }

    /// Reads a frame.
    fn frame(&mut self) -> Kind {
        let mut head = [0; HEADER_LEN];
        self.0.read_exact(&mut head).expect("a frame");
        let header = Header::parse(&head, 1 << 24).expect("a header");
        let mut rest = vec![0; header.size as usize - HEADER_LEN];
        self.0.read_exact(&mut rest).expect("the rest of it");
        assert_eq!(header.aux & 0xffff, 0, "refused: {}", String::from_utf8_lossy(&rest));
        header.kind
    }

    fn ask(&mut self, bytes: &[u8]) -> Kind {
        self.0.write_all(bytes).expect("connected");
        self.frame()
    }
}

/// Opens so many connections that say nothing, and what each costs the server, in bytes.
fn idle(count: usize) -> u64 {
    let (server, _dir) = server(&[]);
    // What a first connection costs is paid once.
    for _ in 0..64 {
        Plain::connect(server.address);
    }
    let before = resident_kib(&server);
    let begun = Instant::now();
    let held: Vec<Plain> = (0..count).map(|_| Plain::connect(server.address)).collect();
    let opened = begun.elapsed();
    server.assert_serves();
    let after = resident_kib(&server);
    drop(held);
    let each = after.saturating_sub(before) * 1_024 / count as u64;
    println!(
        "{count} idle connections in {opened:?}: server {before} to {after} KiB, {each} bytes each"
    );
    each
}

/// So many connections that append a batch each, wait for it, and do it again: appends a second.
fn busy(count: usize, time: Duration) -> u64 {
    let (server, _dir) = server(&[]);
    let mut first = server.connect();
    first.create_topic("t", 16).expect("created");
    let before = resident_kib(&server);
    let mut all: Vec<Plain> = (0..count).map(|_| Plain::connect(server.address)).collect();
    let open = OpenProducer {
        stream: "default".into(),
        topic: "t".into(),
        name: None,
        resume: None,
        opener: None,
    };
    let mut bytes = BytesMut::new();
    frame(&mut bytes, 2, 1, &open, &[]);
    for plain in &mut all {
        assert_eq!(plain.ask(&bytes), Kind::OPEN_PRODUCER);
    }
    let payload = batch(&[&[7; 1_000]]);
    let (mut correlation, mut appends) = (2, 0);
    let begun = Instant::now();
    let mut peak = before;
    while begun.elapsed() < time {
        correlation += 1;
        // All at once, then all answers: each has one on its way.
        for (number, plain) in all.iter_mut().enumerate() {
            let partition = (number % 16) as u32;
            let append = Append { partition, acks: tidewire_protocol::message::Acks::Written };
            bytes.clear();
            frame(&mut bytes, correlation, 1, &append, &payload);
            plain.0.write_all(&bytes).expect("connected");
        }
        for plain in &mut all {
            assert_eq!(plain.frame(), Kind::APPEND);
            appends += 1;
        }
        peak = peak.max(resident_kib(&server));
    }
    let a_second = (appends as f64 / begun.elapsed().as_secs_f64()) as u64;
    println!(
        "{count} busy connections: {a_second} appends a second; server {before} KiB, at most \
         {peak} KiB, {} KiB each",
        (peak - before) / count as u64
    );
    assert!(peak - before <= count as u64 * 96 + (64 << 10), "{peak} KiB");
    server.assert_serves();
    a_second
}

/// So many connections that each append two batches of a megabyte, in slices, all at the same time;
/// and then are idle: what the server needs for that, in KiB, at most resident, and afterwards in
/// buffers, whether they were read into or not.
fn bulk(count: usize) -> (u64, u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = tidewire();
    // What is freed goes back to the system, so that what is left is what the server holds.
    command.env("MALLOC_MMAP_THRESHOLD_", "32768");
    let server = TestServer::start_by(command, &dir.path().join("data"), &["--shards", "2"]);
    server.connect().create_topic("t", 16).expect("created");
    let mut all: Vec<Plain> = (0..count).map(|_| Plain::connect(server.address)).collect();
    let open = OpenProducer {
        stream: "default".into(),
        topic: "t".into(),
        name: None,
        resume: None,
        opener: None,
    };
    let mut bytes = BytesMut::new();
    frame(&mut bytes, 2, 1, &open, &[]);
    for plain in &mut all {
        assert_eq!(plain.ask(&bytes), Kind::OPEN_PRODUCER);
    }
    let (before, reserved) = (resident_kib(&server), reserved_kib(&server));
    let payload = batch(&[&[7; 1 << 20]]);
    let mut peak = before;
    let append = Append { partition: 0, acks: tidewire_protocol::message::Acks::Written };
    bytes.clear();
    frame(&mut bytes, 3, 1, &append, &payload);
    frame(&mut bytes, 4, 1, &append, &payload);
    for slice in bytes.chunks(128 << 10) {
        for plain in &mut all {
            plain.0.write_all(slice).expect("connected");
        }
        peak = peak.max(resident_kib(&server));
    }
    for plain in &mut all {
        assert_eq!((plain.frame(), plain.frame()), (Kind::APPEND, Kind::APPEND));
    }
    let after = resident_kib(&server);
    let held = reserved_kib(&server).saturating_sub(reserved);
    println!(
        "{count} connections with two megabytes each: server {before} KiB, at most {peak} KiB, \
         then {after} KiB, with {held} KiB more in buffers"
    );
    server.assert_serves();
    (peak - before, held)
}

/// What a burst has needed is given back by those who fall quiet, though each still waits for more.
#[test]
fn connections_that_were_busy_hold_little_when_they_are_idle() {
    let (_, held) = bulk(200);
    // The pools of two shards, and little more: not a megabyte for each of them.
    assert!(held < 64 << 10, "{held} KiB");
}

#[test]
#[ignore = "two thousand of them, for --release"]
fn two_thousand_connections_in_bulk() {
    if raise_descriptors() < 2_200 {
        return println!("SKIPPED: this system lets a process have too few descriptors");
    }
    let (peak, held) = bulk(2_000);
    // All that was sent, at the worst, and a little.
    assert!(peak < 2_000 * 2_200, "{peak} KiB");
    assert!(held < 96 << 10, "{held} KiB");
}

#[test]
fn idle_connections_cost_little() {
    raise_descriptors();
    let each = idle(300);
    assert!(each <= 12 << 10, "{each} bytes each");
}

#[test]
#[ignore = "ten thousand of them, for --release"]
fn ten_thousand_idle_connections() {
    if raise_descriptors() < 10_200 {
        return println!("SKIPPED: this system lets a process have too few descriptors");
    }
    let each = idle(10_000);
    assert!(each <= 8 << 10, "{each} bytes each");
}

#[test]
fn busy_connections_are_all_served() {
    assert!(busy(50, Duration::from_millis(300)) > 0);
}

#[test]
#[ignore = "two thousand of them, for --release"]
fn two_thousand_busy_connections() {
    if raise_descriptors() < 2_200 {
        return println!("SKIPPED: this system lets a process have too few descriptors");
    }
    busy(2_000, Duration::from_secs(5));
}

/// Those that drip a byte now and then are let go after ten seconds, and hold nobody up.
#[test]
fn slow_lorises_are_let_go_and_hold_nobody_up() {
    let (server, _dir) = server(&[]);
    let mut drips: Vec<TcpStream> = (0..200)
        .map(|_| TcpStream::connect(server.address).expect("the server listens"))
        .collect();
    let begun = Instant::now();
    let greeting = hello();
    let mut next = greeting.iter();
    while begun.elapsed() < Duration::from_secs(11) {
        // Never the last byte of HELLO.
        if let Some(byte) = next.next().filter(|_| next.len() > 0) {
            for drip in &mut drips {
                let _ = drip.write_all(&[*byte]);
            }
        }
        std::thread::sleep(Duration::from_millis(200));
        server.assert_serves();
    }
    for drip in &mut drips {
        drip.set_read_timeout(Some(PATIENCE)).expect("a TCP socket");
        let mut said = Vec::new();
        let _ = drip.read_to_end(&mut said);
        let text = String::from_utf8_lossy(&said).into_owned();
        assert!(text.contains("10000 ms"), "{text}");
    }
    server.wait_for_log("not done within 10000 ms");
}

/// A flood of connections finds a full house, is told so or closed, and fills neither memory nor
/// log; who was there before is served.
#[test]
fn a_flood_of_connections_harms_nobody_who_is_there() {
    let (server, _dir) = server(&["--max-connections", "20"]);
    let mut there = server.connect();
    let held: Vec<Plain> = (0..19).map(|_| Plain::connect(server.address)).collect();
    let before = resident_kib(&server);
    let stop = Arc::new(AtomicBool::new(false));
    let flood: Vec<_> = (0..4)
        .map(|_| {
            let (stop, address) = (Arc::clone(&stop), server.address);
            std::thread::spawn(move || {
                let mut told = 0;
                while !stop.load(Ordering::Relaxed) {
                    let Ok(mut socket) = TcpStream::connect(address) else { continue };
                    let _ = socket.set_read_timeout(Some(Duration::from_millis(200)));
                    let mut said = Vec::new();
                    let _ = socket.read_to_end(&mut said);
                    let text = String::from_utf8_lossy(&said);
                    told += u64::from(text.contains("max_connections is 20"));
                }
                told
            })
        })
        .collect();
    let begun = Instant::now();
    let mut asked = 0;
    while begun.elapsed() < Duration::from_secs(2) {
        let describe = TopicDescribe { stream: "default".into(), topic: "none".into() };
        there.call(0, &describe).expect_err("answered: there is no such topic");
        asked += 1;
    }
    stop.store(true, Ordering::Relaxed);
    let told: u64 = flood.into_iter().map(|each| each.join().expect("no panic")).sum();
    let grown = resident_kib(&server).saturating_sub(before);
    assert!(asked > 0 && told > 0, "{asked} answered, {told} told");
    assert!(grown < 16 << 10, "{grown} KiB");
    let lines = server.log().matches("refused a connection").count();
    assert!(lines <= 2 * 5, "{lines} lines in two seconds, of two shards");
    drop(held);
}

/// Consumers that never read what they asked for.
#[test]
fn consumers_that_never_read_hold_bounded_memory_and_nobody_up() {
    let (server, _dir) = server(&["--read-memory-bytes", "8388608"]);
    runtime().block_on(async {
        let client = Client::connect(&server.url()).await.expect("a server");
        client.create_topic("t", TopicConfig::default()).await.expect("new");
        let producer = client.producer("t").batch_bytes(65_536).build().await.expect("opens");
        for _ in 0..2_048 {
            producer.ready().await.expect("open");
            producer.enqueue(Record::new(vec![7; 8_192])).expect("room");
        }
        producer.close().await.expect("acknowledged");
        let before = resident_kib(&server);
        let mut deaf: Vec<Plain> = (0..50).map(|_| Plain::connect(server.address)).collect();
        let subscribe = tidewire_protocol::message::Subscribe {
            stream: "default".into(),
            topic: "t".into(),
            partition: 0,
            start: tidewire_protocol::message::Start::Earliest,
            start_at: 0,
            credit_bytes: 1 << 40,
        };
        let mut bytes = BytesMut::new();
        frame(&mut bytes, 2, 1, &subscribe, &[]);
        for plain in &mut deaf {
            plain.0.write_all(&bytes).expect("connected");
        }
        let mut consumer =
            client.consumer("t").start(Start::Earliest).build().await.expect("reads");
        let mut read = 0;
        while read < 2_048 {
            let next = tokio::time::timeout(PATIENCE, consumer.next_batch());
            read += next.await.expect("in time").expect("delivered").expect("open").len();
        }
        let grown = resident_kib(&server).saturating_sub(before);
        // A megabyte for each at most, and what readers may hold together.
        assert!(grown < 50 * 1_100 + (24 << 10), "{grown} KiB");
    });
}

/// How long one user's appends take while another appends as much as it can: the 99th of 100, and
/// how many bytes the other got through in a second.
fn beside_a_greedy_one(arguments: &[&str], time: Duration) -> (Duration, u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let server = TestServer::start_secured_with(&dir.path().join("data"), arguments);
    runtime().block_on(async {
        let root = Client::connect(&server.socket_url()).await.expect("the server's own user");
        for name in ["greedy", "modest"] {
            root.create_topic(name, TopicConfig::default().partitions(4)).await.expect("new");
            let grants = [Grant::topic(format!("default/{name}")).write()];
            root.create_user(name, Some(&Secret::new("pw")), &grants).await.expect("created");
        }
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let mut greedy = Vec::new();
        for _ in 0..8 {
            let client =
                Client::connect(&server.url_of("greedy", "pw")).await.expect("logged in");
            let producer = client.producer("greedy").linger_ms(0).build().await.expect("opens");
            let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
            greedy.push(tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let record = Record::new(vec![7; 16 << 10]);
                    let ready =
                        tokio::time::timeout(Duration::from_millis(100), producer.ready());
                    if matches!(ready.await, Ok(Ok(()))) {
                        let _ = producer.enqueue(record);
                    }
                }
                let records = producer.stats().acknowledged_records;
                sent.fetch_add(records * (16 << 10), Ordering::Relaxed);
            }));
        }
        let modest = Client::connect(&server.url_of("modest", "pw")).await.expect("logged in");
        let producer = modest.producer("modest").linger_ms(0).build().await.expect("opens");
        let mut took = Vec::new();
        let begun = Instant::now();
        while begun.elapsed() < time {
            let asked = Instant::now();
            producer.send(Record::new(vec![1; 100])).await.expect("acknowledged");
            took.push(asked.elapsed());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let took_all = begun.elapsed();
        stop.store(true, Ordering::Relaxed);
        for each in greedy {
            each.await.expect("no panic");
        }
        let a_second = sent.load(Ordering::Relaxed) as f64 / took_all.as_secs_f64();
        took.sort_unstable();
        (took[took.len() * 99 / 100], a_second as u64)
    })
}

#[test]
#[ignore = "a measurement, for --release"]
fn what_a_greedy_user_does_to_another() {
    let time = Duration::from_secs(10);
    let (free, sent) = beside_a_greedy_one(&[], time);
    println!("no rate: p99 of the other {free:?}, the greedy one {} MB/s", sent / 1_000_000);
    let rate = ["--max-user-in-bytes-per-sec", "10000000"];
    let (held, sent) = beside_a_greedy_one(&rate, time);
    println!("10 MB/s: p99 of the other {held:?}, the greedy one {} MB/s", sent / 1_000_000);
}

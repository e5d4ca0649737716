//! The limits of a server on the real process: each is met by somebody who is told its name and
//! value, and by nobody else; rates delay and lose nothing.

mod support;

use std::io::Write;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use serde_json::Value;
use support::raw::{PATIENCE, RawClient, batch};
use support::server::{TestServer, run};
use tidewire::{
    Client, Code, Error, Event, Grant, Producer, Record, Secret, Start, TopicConfig,
};
use tidewire_protocol::frame::{self, Head};
use tidewire_protocol::limits::{LIMITS, SERVER_LIMITS, ServerLimit};
use tidewire_protocol::message::{Acks, Append, Limits, Ping};

/// A server without credentials.
fn server(arguments: &[&str]) -> (TestServer, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let shards: &[&str] = match arguments.first() {
        Some(first) if first.starts_with("--shards") => &[],
        _ => &["--shards", "2"],
    };
    let arguments = [shards, arguments].concat();
    (TestServer::start_with(&dir.path().join("data"), &arguments), dir)
}

fn says(error: &Error, code: Code, name: &str, value: u64) {
    assert_eq!(error.code(), code, "{error}");
    let text = error.to_string();
    assert!(text.contains(&format!("{name} is {value}")), "{text}");
}

async fn connect(server: &TestServer) -> Result<Client, Error> {
    Client::connect(&server.url()).await
}

/// Connects once there is a place again.
async fn connect_again(server: &TestServer) -> Client {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match connect(server).await {
            Ok(client) => return client,
            Err(error) => assert!(Instant::now() < deadline, "never: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// SPEC L-5
#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_told_so_until_another_is_gone() {
    let (server, _dir) = server(&["--max-connections", "2"]);
    let first = connect(&server).await.expect("the first");
    let _second = connect(&server).await.expect("the second");
    let error = connect(&server).await.expect_err("one too many");
    says(&error, Code::TOO_MANY_CONNECTIONS, "max_connections", 2);
    assert!(error.is_retriable());
    server.wait_for_log("max_connections is 2");
    first.close().await.expect("closed");
    connect_again(&server).await.ping().await.expect("served");
}

/// SPEC L-5
#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_its_own_limit() {
    let (server, _dir) = server(&["--max-address-connections", "1"]);
    let _first = connect(&server).await.expect("the first");
    let error = connect(&server).await.expect_err("one too many");
    says(&error, Code::TOO_MANY_CONNECTIONS, "max_address_connections", 1);
}

/// SPEC L-5
#[tokio::test(flavor = "multi_thread")]
async fn a_user_s_limit_is_no_other_user_s() {
    let dir = tempfile::tempdir().expect("a directory");
    let arguments = ["--max-user-connections", "1"];
    let server = TestServer::start_secured_with(&dir.path().join("data"), &arguments);
    let root = Client::connect(&server.socket_url()).await.expect("the server's own user");
    for name in ["ada", "bob"] {
        root.create_user(name, Some(&Secret::new("pw")), &[]).await.expect("created");
    }
    let ada = Client::connect(&server.url_of("ada", "pw")).await.expect("the first");
    let error = Client::connect(&server.url_of("ada", "pw")).await.expect_err("too many");
    says(&error, Code::TOO_MANY_CONNECTIONS, "max_user_connections", 1);
    assert!(error.to_string().contains("user ada"), "{error}");
    let _bob = Client::connect(&server.url_of("bob", "pw")).await.expect("another user");

    // What there is in all is not for everybody to know.
    let used = |limits: &[tidewire::LimitInfo], name: &str| {
        limits.iter().find(|limit| limit.name == name).map(|limit| limit.used)
    };
    let seen = ada.describe_limits().await.expect("told");
    assert_eq!(used(&seen, "max_user_connections"), Some(1));
    assert_eq!(used(&seen, "max_connections"), Some(0));
    let seen = root.describe_limits().await.expect("told");
    assert_eq!(used(&seen, "max_connections"), Some(3));
}

/// SPEC L-5
#[tokio::test(flavor = "multi_thread")]
async fn topics_and_partitions_are_bounded_and_what_is_too_much_is_not_created() {
    let (server, _dir) = server(&["--max-server-topics", "2", "--max-server-partitions", "5"]);
    let client = connect(&server).await.expect("a server");
    client.create_topic("a", TopicConfig::default().partitions(2)).await.expect("room");
    let create = client.create_topic("b", TopicConfig::default().partitions(4)).await;
    let error = create.expect_err("too many partitions");
    says(&error, Code::TOO_MANY_PARTITIONS, "max_server_partitions", 5);
    assert!(!error.is_retriable());
    client.create_topic("b", TopicConfig::default()).await.expect("room for one");
    let error = client.add_partitions("a", 5).await.expect_err("too many");
    says(&error, Code::TOO_MANY_PARTITIONS, "max_server_partitions", 5);
    client.add_partitions("a", 4).await.expect("room for two");
    let error = client.create_topic("c", TopicConfig::default()).await.expect_err("too many");
    says(&error, Code::TOO_MANY_TOPICS, "max_server_topics", 2);
    assert_eq!(client.list_topics("default").await.expect("a list").len(), 2);
    client.delete_topic("a").await.expect("deleted");
    client.create_topic("c", TopicConfig::default()).await.expect("room again");
}

/// The beginning of an APPEND of a megabyte: its header, its meta, and `len` bytes of payload.
fn begun(channel: u32, len: usize) -> Vec<u8> {
    let mut out = BytesMut::new();
    let head = Head { correlation: 1_000, channel, ..Head::default() };
    let append = Append { partition: 0, acks: Acks::Written };
    frame::encode(&mut out, head, &append, 1 << 20, 1 << 24).expect("small");
    out.resize(out.len() + len, 0);
    out.to_vec()
}

/// SPEC H-12
#[test]
fn a_frame_that_stops_ends_its_connection_and_no_other() {
    let (server, _dir) = server(&["--frame-timeout-ms", "500"]);
    let mut there = RawClient::connect(server.address);
    there.create_topic("t", 1).expect("new");
    let (channel, _) = there.open("t").expect("opens");
    let mut stalled: Vec<RawClient> =
        (0..20).map(|_| RawClient::connect(server.address)).collect();
    let start = Instant::now();
    for client in &mut stalled {
        client.socket.write_all(&begun(1, 400_000)).expect("connected");
    }
    while stalled.iter().any(|client| client.closed.is_none()) {
        assert!(start.elapsed() < PATIENCE, "they are still there");
        there.append(channel, 0, Acks::Written, batch(&[b"v"])).expect("served");
        stalled.iter_mut().filter(|client| client.closed.is_none()).for_each(RawClient::pump);
    }
    assert!(start.elapsed() >= Duration::from_millis(500), "{:?}", start.elapsed());
    for client in stalled {
        let why = client.closed.expect("over").to_string();
        assert!(why.contains("frame_timeout_ms is 500: 400040 of the 1048616 bytes"), "{why}");
    }
    server.wait_for_log("FRAME_TIMEOUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_limit_is_described() {
    let (server, _dir) = server(&["--max-user-requests-per-sec", "1000"]);
    let describe = |more: &[&str]| {
        let url = server.url();
        let output = run(&[&["describe", "limits", "--url", &url], more].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let told: Vec<Value> = serde_json::from_str(&describe(&["--json"])).expect("JSON");
    let find = |name: &str| told.iter().find(|limit| limit["name"] == name).expect("told");
    for info in SERVER_LIMITS {
        let limit = find(info.name);
        let asked = info.limit == ServerLimit::MaxUserRequestsPerSec;
        assert_eq!(limit["value"], if asked { 1000 } else { info.default }, "{limit}");
        assert_eq!((&limit["unit"], &limit["configured"]), (&info.unit.into(), &true.into()));
    }
    for row in LIMITS {
        assert_eq!(find(row.name)["value"], row.value, "{}", row.name);
    }
    assert_eq!(told.len(), SERVER_LIMITS.len() + LIMITS.len());
    let table = describe(&[]);
    let line = table.lines().find(|line| line.starts_with("max_user_connections"));
    assert!(line.is_some_and(|line| line.contains("none")), "{table}");
}

/// Waits for the event that says that the client's user is over a rate.
async fn throttled(events: &mut tidewire::Events, rate: &str, value: u64) {
    let told = async {
        loop {
            match events.next().await.expect("a client") {
                Event::Throttled { topic, error, .. } if topic.is_empty() => return error,
                Event::Disconnected { error, .. } => panic!("disconnected: {error}"),
                _ => {}
            }
        }
    };
    let error = tokio::time::timeout(PATIENCE, told).await.expect("told in time");
    says(&error, Code::RATE_LIMITED, rate, value);
}

/// SPEC F-6, F-7
#[tokio::test(flavor = "multi_thread")]
async fn requests_over_the_rate_wait_on_all_connections_of_the_user() {
    let (server, _dir) = server(&["--max-user-requests-per-sec", "20"]);
    let clients = [connect(&server).await.expect("one"), connect(&server).await.expect("two")];
    clients[0].create_topic("t", TopicConfig::default()).await.expect("created");
    let mut events = clients[0].events();
    let begun = Instant::now();
    let asking = clients.map(|client| {
        tokio::spawn(async move {
            for _ in 0..15 {
                client.describe_topic("t").await.expect("later, but answered");
            }
            client
        })
    });
    for each in asking {
        each.await.expect("no panic");
    }
    // The first two and a burst of a tenth of a second are free.
    let least = Duration::from_millis((30 - 2 - 2) * 50 - 100);
    assert!(begun.elapsed() >= least, "30 requests took {:?}", begun.elapsed());
    throttled(&mut events, "max_user_requests_per_sec", 20).await;
}

async fn producer(client: &Client) -> Producer {
    let builder = client.producer("t").batch_bytes(32 << 10).batch_records(32);
    builder.build().await.expect("opens")
}

/// More than three of the shortest heartbeats of waiting: the connection stays, and nothing is
/// lost. SPEC F-6, F-7, H-5
#[tokio::test(flavor = "multi_thread")]
async fn bytes_over_the_rate_wait_and_heartbeats_do_not() {
    let (server, _dir) = server(&["--max-user-in-bytes-per-sec", "65536"]);
    let url = format!("{}/?heartbeat_ms=1000", server.url());
    let client = Client::connect(&url).await.expect("a server");
    client.create_topic("t", TopicConfig::default()).await.expect("created");
    let mut events = client.events();
    let producer = producer(&client).await;
    let begun = Instant::now();
    for _ in 0..320 {
        producer.enqueue(Record::new(vec![7; 1_000])).expect("room");
    }
    throttled(&mut events, "max_user_in_bytes_per_sec", 65_536).await;
    producer.close().await.expect("all acknowledged");
    // The last batch is paid for by whoever comes next.
    let bytes = 320 * 1_000 - (32 << 10);
    let least = Duration::from_millis(bytes * 1_000 / 65_536 - 200);
    assert!(begun.elapsed() >= least, "{:?} for {bytes} bytes", begun.elapsed());
    assert!(begun.elapsed() > Duration::from_secs(4), "no three heartbeats: no test");
    let partitions = client.partitions("t").await.expect("there");
    assert_eq!(partitions[0].end_offset, 320, "nothing lost, nothing twice");
    let next = tokio::time::timeout(Duration::from_millis(1), async {
        loop {
            if let Some(Event::Disconnected { error, .. }) = events.next().await {
                return error;
            }
        }
    });
    assert!(next.await.is_err(), "the connection was lost");
}

/// SPEC F-6
#[tokio::test(flavor = "multi_thread")]
async fn deliveries_and_fetches_over_the_rate_wait() {
    let (server, _dir) = server(&["--max-user-out-bytes-per-sec", "262144"]);
    let client = connect(&server).await.expect("a server");
    client.create_topic("t", TopicConfig::default()).await.expect("created");
    let producer = producer(&client).await;
    for _ in 0..640 {
        producer.ready().await.expect("open");
        producer.enqueue(Record::new(vec![7; 1_000])).expect("room");
    }
    producer.close().await.expect("no rate of that direction");
    let mut events = client.events();
    let begun = Instant::now();
    let builder = client.consumer("t").start(Start::Earliest).prefetch_bytes(65_536);
    let mut consumer = builder.build().await.expect("reads");
    let mut read = 0;
    while read < 640 {
        let next =
            tokio::time::timeout(PATIENCE, consumer.next_batch()).await.expect("in time");
        read += next.expect("delivered").expect("open").len();
    }
    // What is sent last is paid for by the fetch.
    let options = tidewire::FetchOptions::default();
    client.fetch("t", 0, 0, options).await.expect("later, but read");
    let bytes = 640 * 1_000;
    let least = Duration::from_millis(bytes * 1_000 / 262_144 - 500);
    assert!(begun.elapsed() >= least, "{:?} for {bytes} bytes", begun.elapsed());
    throttled(&mut events, "max_user_out_bytes_per_sec", 262_144).await;
}

/// What is held back for one user fills the shard: who has nothing in flight is heard all the same.
/// SPEC F-5
#[test]
fn a_full_shard_reads_only_from_those_that_have_nothing_in_flight() {
    let full = 16 << 20;
    let (server, _dir) = server(&[
        "--shards=1",
        "--max-shard-in-flight-bytes=16777216",
        "--max-user-in-bytes-per-sec=65536",
    ]);
    let mut newcomer = server.connect();
    newcomer.create_topic("t", 1).expect("created");
    let batch = batch(&[&vec![7; 950_000]]);
    let mut holders: Vec<RawClient> = Vec::new();
    for number in 0..20 {
        let mut holder = server.connect();
        let (channel, _) = holder.open("t").expect("opens");
        let append = Append { partition: 0, acks: Acks::None };
        holder.submit(channel, &append, std::slice::from_ref(&batch));
        let ping = holder.submit(0, &Ping {}, &[]);
        if number < 10 {
            // What is held back does not hold up a heartbeat.
            holder.wait::<Ping>(ping).expect("answered");
        } else {
            holder.pump();
        }
        holders.push(holder);
    }
    let mut used = |at_least: u64| {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let limits = newcomer.call(0, &Limits {}).expect("heard").limits;
            let name = "max_shard_in_flight_bytes";
            let now = limits.iter().find(|limit| limit.name == name).expect("told").used;
            if now >= at_least {
                return now;
            }
            assert!(Instant::now() < deadline, "only {now} bytes in flight");
        }
    };
    assert!(used(full) < full + (4 << 20));
    let holder = holders.last_mut().expect("twenty");
    let ping = holder.submit(0, &Ping {}, &[]);
    let until = Instant::now() + Duration::from_millis(300);
    while Instant::now() < until {
        holder.pump();
    }
    assert!(!holder.is_answered(ping), "read though the shard is full");
    used(full);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_s_rate_delays_nobody_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let arguments = ["--max-user-requests-per-sec", "2"];
    let server = TestServer::start_secured_with(&dir.path().join("data"), &arguments);
    let root = Client::connect(&server.socket_url()).await.expect("the server's own user");
    root.create_topic("t", TopicConfig::default()).await.expect("created");
    let mut clients = Vec::new();
    for name in ["ada", "bob"] {
        let grants = [Grant::topic("default/t").read()];
        let deadline = Instant::now() + PATIENCE;
        while root.create_user(name, Some(&Secret::new("pw")), &grants).await.is_err() {
            assert!(Instant::now() < deadline);
        }
        clients.push(Client::connect(&server.url_of(name, "pw")).await.expect("in"));
    }
    let bob = clients.pop().expect("two");
    let ada = clients.pop().expect("two");
    let mut events = ada.events();
    let asking: Vec<_> = (0..40)
        .map(|_| {
            let ada = ada.clone();
            tokio::spawn(async move { ada.describe_topic("t").await.map(drop) })
        })
        .collect();
    throttled(&mut events, "max_user_requests_per_sec", 2).await;
    // Ada's forty take twenty seconds; Bob's one is answered at once.
    bob.describe_topic("t").await.expect("answered");
    let waiting = asking.iter().filter(|each| !each.is_finished()).count();
    assert!(waiting > 10, "only {waiting} of Ada's were still waiting");
    let _ = ada.close().await;
}

/// Who sends and leaves at once does not lose what its rate holds back, nor get around the rate:
/// whoever comes next of the same user pays. SPEC F-6, H-9
#[test]
fn what_was_sent_before_leaving_is_carried_out_and_paid_for() {
    let (server, _dir) = server(&["--max-user-requests-per-sec", "10"]);
    let mut client = server.connect();
    client.create_topic("t", 1).expect("created");
    let (channel, _) = client.open("t").expect("opens");
    for _ in 0..30 {
        let append = Append { partition: 0, acks: Acks::None };
        client.submit(channel, &append, &[batch(&[b"x"])]);
    }
    client.connection.close(tidewire_protocol::error::Error::new(Code::CLOSED, "enough"));
    client.pump_until("the end", |client| client.closed.is_some());
    drop(client);
    let mut next = server.connect();
    let begun = Instant::now();
    let deadline = begun + PATIENCE;
    let list = tidewire_protocol::message::ListOffsets {
        stream: "default".into(),
        topic: "t".into(),
        first_partition: 0,
        max_partitions: 1,
        start: tidewire_protocol::message::Start::Latest,
        start_at: 0,
    };
    while next.call(0, &list).expect("answered").partitions[0].end_offset < 30 {
        assert!(Instant::now() < deadline, "something was lost");
    }
    assert!(begun.elapsed() > Duration::from_secs(1), "{:?}", begun.elapsed());
}

/// Guesses by the hundred at once: each is told why, those who have the secret come in beside them,
/// and no place is lost. SPEC A-7, L-5
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_guesses_takes_no_place_for_good() {
    let dir = tempfile::tempdir().expect("a directory");
    let arguments = ["--max-connections", "40"];
    let server = TestServer::start_secured_with(&dir.path().join("data"), &arguments);
    let root = Client::connect(&server.socket_url()).await.expect("the server's own user");
    root.create_user("ada", Some(&Secret::new("pw")), &[]).await.expect("created");
    let token = root.create_token(Some("ada"), "t", None).await.expect("created");
    let guesses: Vec<_> = (0..100)
        .map(|_| {
            let url = server.url_of("ada", "wrong");
            tokio::spawn(
                async move { Client::connect(&url).await.expect_err("refused").code() },
            )
        })
        .collect();
    let mut told = Vec::new();
    for guess in guesses {
        told.push(guess.await.expect("no panic"));
    }
    // A hundred passwords that are stretched at once may take a client all its time.
    let known = [
        Code::AUTH_FAILED,
        Code::TOO_MANY_ATTEMPTS,
        Code::TOO_MANY_CONNECTIONS,
        Code::CONNECT_FAILED,
        Code::TIMEOUT,
    ];
    assert!(told.iter().all(|code| known.contains(code)), "{told:?}");
    assert!(told.contains(&Code::TOO_MANY_CONNECTIONS), "{told:?}");
    let url = format!("tidewire://{}@{}", token.secret.expose(), server.address);
    let deadline = Instant::now() + PATIENCE;
    let ada = loop {
        match Client::connect(&url).await {
            Ok(ada) => break ada,
            Err(error) => assert!(Instant::now() < deadline, "never: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    ada.ping().await.expect("served");
    loop {
        let limits = root.describe_limits().await.expect("told");
        let used = limits.iter().find(|limit| limit.name == "max_connections");
        if used.is_some_and(|limit| limit.used == 2) {
            break;
        }
        assert!(Instant::now() < deadline, "{used:?} places are taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

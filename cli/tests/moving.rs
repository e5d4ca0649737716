//! A connection that appends one record at a time goes to the shard of its partition, and nobody
//! notices: by TCP, by the Unix socket, while rights change, while the server stops.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use support::raw::{PATIENCE, RawClient, batch};
use support::server::TestServer;
use tidewire::{Client, Code, Grant, Record, Secret, Start, TopicConfig};
use tidewire_protocol::message::{Acks, Append};

/// More than a connection sends before it moves.
const MANY: u64 = 40;
const MOVED: &str = "moved to the shard of its partition";
const DEBUG: [&str; 4] = ["--shards", "2", "--log", "info,tidewire_server=debug"];

fn moves(server: &TestServer) -> usize {
    server.log().matches(MOVED).count()
}

/// Appends to both partitions, one record at a time: one of them is another shard's.
fn append_alone(client: &mut RawClient, channel: u32, next: &mut [u64; 2]) {
    for partition in [0, 1] {
        for _ in 0..MANY {
            let at = &mut next[partition as usize];
            let reply = client.append(channel, partition, Acks::Written, batch(&[b"alone"]));
            assert_eq!(reply.expect("appended").base_offset, *at);
            *at += 1;
        }
    }
}

#[test]
fn it_goes_where_its_partition_is_and_loses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = TestServer::start_with(&dir.path().join("data"), &DEBUG);
    let mut client = server.connect();
    client.create_topic("t", 2).expect("created");
    let (channel, _) = client.open("t").expect("opened");
    let mut next = [0, 0];
    append_alone(&mut client, channel, &mut next);
    server.wait_for_log(MOVED);
    let seen = moves(&server);
    assert!(seen <= 2, "two partitions are two moves at most: {seen}");

    // Many at once: neither does it move for them, nor does their order change.
    let ids: Vec<_> = (0..500)
        .map(|_| {
            let append = Append { partition: 0, acks: Acks::Written };
            client.submit(channel, &append, &[batch(&[b"many"])])
        })
        .collect();
    for id in ids {
        let reply = client.wait::<Append>(id).expect("appended");
        assert_eq!(reply.base_offset, next[0]);
        next[0] += 1;
    }
    assert!(moves(&server) <= seen + 1, "only the first of them came alone");

    // It opens and closes as before, and moves on.
    let (second, _) = client.open("t").expect("opened");
    append_alone(&mut client, second, &mut next);
    assert!(client.closed.is_none());
    assert_eq!(server.log().matches("disconnected").count(), 0, "{}", server.log());
    server.assert_serves();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_goes_by_the_unix_socket_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = TestServer::start_secured_with(&dir.path().join("data"), &DEBUG[2..]);
    let client = Client::connect(&server.socket_url()).await.expect("connected");
    client.create_topic("t", TopicConfig::default().partitions(2)).await.expect("created");
    let producer = client.producer("t").linger_ms(0).build().await.expect("opened");
    for partition in [0, 1] {
        for sent in 0..MANY {
            let record = Record::new("alone").partition(partition);
            let receipt = producer.send(record).await.expect("acknowledged");
            assert_eq!(receipt.offset, sent);
        }
    }
    server.wait_for_log(MOVED);
    // It would have come back by itself.
    assert!(!server.log().contains("disconnected"), "{}", server.log());
}

/// What it reads goes on where it was: nothing twice, nothing left out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_subscriptions_go_along() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = TestServer::start_with(&dir.path().join("data"), &DEBUG);
    let client = Client::connect(&server.url()).await.expect("connected");
    client.create_topic("t", TopicConfig::default().partitions(2)).await.expect("created");
    let mut consumer =
        client.consumer("t").start(Start::Earliest).build().await.expect("subscribed");
    let producer = client.producer("t").linger_ms(0).build().await.expect("opened");
    let mut next = [0, 0];
    for turn in 0..4 {
        for partition in [0, 1] {
            for _ in 0..MANY {
                let record = Record::new("alone").partition(partition);
                producer.send(record).await.expect("acknowledged");
            }
        }
        while next.iter().sum::<u64>() < (turn + 1) * 2 * MANY {
            let batch = tokio::time::timeout(PATIENCE, consumer.next_batch());
            let batch = batch.await.expect("in time").expect("delivered").expect("open");
            for record in batch.iter() {
                let at = &mut next[record.partition() as usize];
                assert_eq!(record.offset(), *at);
                *at += 1;
            }
        }
    }
    assert!(moves(&server) >= 4, "it moves with each partition: {}", server.log());
    assert!(!server.log().contains("disconnected"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_hold_where_it_goes() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = TestServer::start_secured_with(&dir.path().join("data"), &DEBUG[2..]);
    let root = Client::connect(&server.socket_url()).await.expect("connected");
    root.create_topic("t", TopicConfig::default().partitions(2)).await.expect("created");
    let grants = [Grant::topic("default/t").write()];
    root.create_user("bob", Some(&Secret::new("pw")), &grants).await.expect("created");
    let bob = Client::connect(&server.url_of("bob", "pw")).await.expect("connected");
    let producer = bob.producer("t").linger_ms(0).build().await.expect("opened");
    for partition in [0, 1] {
        for _ in 0..MANY {
            let record = Record::new("alone").partition(partition);
            producer.send(record).await.expect("acknowledged");
        }
    }
    server.wait_for_log(MOVED);
    assert!(!server.log().contains("disconnected"), "{}", server.log());
    root.delete_user("bob").await.expect("deleted");
    let error = producer.send(Record::new("late").partition(0)).await.expect_err("nobody");
    assert_ne!(error.code(), Code::TIMEOUT, "{error}");
}

/// Connections that are between two shards do not keep a server from stopping, and what was
/// acknowledged to them is there.
#[test]
fn a_server_stops_while_connections_move() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let mut server = TestServer::start_with(&data, &DEBUG);
    server.connect().create_topic("t", 2).expect("created");
    let acknowledged = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (address, acknowledged) = (server.address, Arc::clone(&acknowledged));
            std::thread::spawn(move || {
                let mut client = RawClient::connect(address);
                let (channel, _) = client.open("t").expect("opened");
                // Until it is told to go.
                for turn in 0_u64.. {
                    if client.closed.is_some() {
                        return;
                    }
                    let partition = (turn / 20 % 2) as u32;
                    let append = Append { partition, acks: Acks::Written };
                    let id = client.submit(channel, &append, &[batch(&[b"alone"])]);
                    client.pump_until("an answer, or the end", |client| {
                        client.is_answered(id) || client.closed.is_some()
                    });
                    if !client.is_answered(id) || client.wait::<Append>(id).is_err() {
                        return;
                    }
                    acknowledged[partition as usize].fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let deadline = Instant::now() + PATIENCE;
    while moves(&server) < 30 {
        assert!(Instant::now() < deadline, "connections do not move:\n{}", server.log());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(server.terminate().success(), "{}", server.log());
    for client in clients {
        client.join().expect("told, and not stuck");
    }
    let server = TestServer::start_in(&data);
    let mut client = server.connect();
    let (channel, _) = client.open("t").expect("opened");
    for partition in [0, 1] {
        let reply = client.append(channel, partition, Acks::Written, batch(&[b"after"]));
        let there = reply.expect("appended").base_offset;
        let acknowledged = acknowledged[partition as usize].load(Ordering::Relaxed);
        assert!(there >= acknowledged, "partition {partition}: {there} of {acknowledged}");
    }
}

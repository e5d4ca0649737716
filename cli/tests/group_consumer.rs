//! Consumers of a group against a real server: nothing is lost when members come, go and die, and
//! what was stored survives the server's death.

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::raw::PATIENCE;
use support::server::TestServer;
use tidewire::{
    AutoCommit, Client, Consumer, Delivery, Event, Record, Start, TopicConfig, blocking,
};

/// How often each value was seen.
type Seen = Arc<Mutex<BTreeMap<u64, u32>>>;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

async fn member(client: &Client, auto_commit: AutoCommit) -> Consumer {
    client
        .consumer("t")
        .group("g")
        .start(Start::Earliest)
        .session_timeout_ms(500)
        .rebalance_timeout_ms(10_000)
        .auto_commit(auto_commit)
        .auto_commit_interval_ms(20)
        .build()
        .await
        .expect("joined")
}

/// Reads until it is closed.
async fn read(mut consumer: Consumer, seen: Seen) {
    while let Ok(Some(batch)) = consumer.next_batch().await {
        for record in &batch {
            let value = record.value().expect("a value");
            let number = u64::from_le_bytes(value.try_into().expect("8 bytes"));
            *seen.lock().expect("no panic").entry(number).or_default() += 1;
        }
    }
}

async fn produce(client: &Client, numbers: std::ops::Range<u64>) {
    let producer = client.producer("t").linger_ms(1).build().await.expect("a producer");
    for number in numbers {
        let key = number.to_le_bytes().to_vec();
        let record = Record::new(number.to_le_bytes().to_vec()).key(key);
        producer.enqueue(record).expect("room");
    }
    producer.flush().await.expect("acknowledged");
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn members_share_one_dies_and_nothing_is_lost() {
    let server = TestServer::start();
    runtime().block_on(async {
        let client = Client::connect(&server.url()).await.expect("a server");
        client.create_topic("t", TopicConfig::default().partitions(6)).await.expect("new");
        let seen = Seen::default();
        let mut clients = Vec::new();
        let mut readers = Vec::new();
        for _ in 0..3 {
            let own = Client::connect(&server.url()).await.expect("a server");
            let consumer = member(&own, AutoCommit::Interval).await;
            readers.push(tokio::spawn(read(consumer, Arc::clone(&seen))));
            clients.push(own);
        }
        produce(&client, 0..300).await;
        let count = |seen: &Seen| seen.lock().expect("no panic").len();
        until("the first records", || count(&seen) == 300).await;
        let group = client.describe_group("g").await.expect("a group");
        assert_eq!(group.members.len(), 3);
        // Its connection ends without a word to the group.
        clients.remove(0).close().await.expect("closed");
        produce(&client, 300..600).await;
        until("all records", || count(&seen) == 600).await;
        until("the last offsets", || {
            seen.lock().expect("no panic").values().all(|&times| times >= 1)
        })
        .await;
        for own in clients {
            own.close().await.expect("closed");
        }
        for reader in readers {
            reader.await.expect("no panic");
        }
    });
}

#[test]
fn what_was_committed_survives_kill_nine() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let data = own.path().join("data");
    let server = TestServer::start_in(&data);
    let runtime = runtime();
    let done = runtime.block_on(async {
        let client = Client::connect(&server.url()).await.expect("a server");
        client.create_topic("t", TopicConfig::default()).await.expect("new");
        produce(&client, 0..10).await;
        let mut consumer = member(&client, AutoCommit::Off).await;
        let batch = consumer.next_batch().await.expect("a batch").expect("open");
        assert_eq!(batch.base_offset(), 0);
        consumer.commit().await.expect("committed");
        produce(&client, 10..20).await;
        let next = consumer.next_batch().await.expect("a batch").expect("open");
        // Not committed: it comes again.
        assert_eq!(next.base_offset(), batch.next_offset());
        batch.next_offset()
    });
    server.kill();
    let server = TestServer::start_in(&data);
    runtime.block_on(async {
        let client = Client::connect(&server.url()).await.expect("a server");
        let committed = client.committed("g", "t").await.expect("a group");
        assert_eq!(committed[0].as_ref().map(|c| c.offset), Some(done));
        let mut consumer = member(&client, AutoCommit::Before).await;
        let batch = consumer.next_batch().await.expect("a batch").expect("open");
        assert_eq!(batch.base_offset(), done, "it goes on behind what was committed");
        // At most once: it is stored before it is returned.
        let committed = client.committed("g", "t").await.expect("a group");
        assert_eq!(committed[0].as_ref().map(|c| c.offset), Some(batch.next_offset()));
        consumer.close().await;
        assert!(client.describe_group("g").await.expect("a group").members.is_empty());
        client.delete_group("g").await.expect("nobody is in it");
    });
}

/// Members that join, read, leave and die while records keep coming.
async fn churn(server: &TestServer, members: usize, time: Duration) {
    let client = Client::connect(&server.url()).await.expect("a server");
    client.create_topic("t", TopicConfig::default().partitions(16)).await.expect("new");
    let seen = Seen::default();
    let end = Instant::now() + time;
    let mut tasks = Vec::new();
    for number in 0..members {
        let (url, seen) = (server.url(), Arc::clone(&seen));
        tasks.push(tokio::spawn(async move {
            let mut life = 0;
            while Instant::now() < end {
                life += 1;
                let own = Client::connect(&url).await.expect("a server");
                let consumer = member(&own, AutoCommit::Interval).await;
                let reader = tokio::spawn(read(consumer, Arc::clone(&seen)));
                let ms = 100 + (number as u64 * 37 + life * 101) % 700;
                tokio::time::sleep(Duration::from_millis(ms)).await;
                if (number as u64 + life).is_multiple_of(2) {
                    // Dropping the consumer leaves the group.
                    reader.abort();
                    let _ = reader.await;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                own.close().await.expect("closed");
            }
        }));
    }
    let mut sent = 0;
    while Instant::now() < end {
        produce(&client, sent..sent + 50).await;
        sent += 50;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    // One more reads what nobody has stored.
    let own = Client::connect(&server.url()).await.expect("a server");
    let reader =
        tokio::spawn(read(member(&own, AutoCommit::Interval).await, Arc::clone(&seen)));
    until("every record", || seen.lock().expect("no panic").len() as u64 == sent).await;
    own.close().await.expect("closed");
    reader.await.expect("no panic");
}

#[test]
fn a_few_members_churn_and_nothing_is_lost() {
    let server = TestServer::start();
    runtime().block_on(churn(&server, 6, Duration::from_secs(2)));
}

#[test]
#[ignore = "takes a minute"]
fn fifty_members_churn_for_a_minute_and_nothing_is_lost() {
    let server = TestServer::start();
    runtime().block_on(churn(&server, 50, Duration::from_secs(60)));
}

/// What a binding does with groups: threads that wait, others that store and close meanwhile.
#[test]
fn a_blocking_member_reads_stores_and_leaves() {
    let server = TestServer::start();
    let url = format!("tidewire://{}", server.address);
    let client = blocking::Client::connect(&url).expect("connects");
    client.create_topic("t", TopicConfig::default().partitions(1)).expect("new");
    let producer = client.producer("t").build().expect("opens");
    for number in 0..10u32 {
        producer.enqueue(Record::new(number.to_le_bytes().to_vec())).expect("room");
    }
    producer.close(Some(PATIENCE)).expect("acknowledged");

    let join = || {
        let consumer = client.consumer("t").group("g").start(Start::Earliest);
        Arc::new(consumer.auto_commit(AutoCommit::Off).build().expect("joined"))
    };
    let member = join();
    let mut read = 0;
    while read < 10 {
        read += member.poll(Some(PATIENCE)).expect("delivered").expect("in time").len();
    }
    let (begun, has_begun) = std::sync::mpsc::channel();
    let waiting = std::thread::spawn({
        let member = Arc::clone(&member);
        move || {
            begun.send(()).expect("the test waits");
            member.next_batch()
        }
    });
    has_begun.recv_timeout(PATIENCE).expect("begins");
    // Neither waits for the thread that waits for a batch.
    member.commit().expect("stored");
    assert_eq!(member.assignment().expect("not forked").len(), 1);
    member.close(Some(PATIENCE)).expect("leaves");
    assert!(waiting.join().expect("no panic").expect("no error").is_none());
    assert!(member.next_batch().expect("closed").is_none());
    let stored = client.committed("g", "t").expect("answered");
    assert_eq!(stored[0].as_ref().expect("stored").offset, 10);
    assert!(join().poll(Some(Duration::from_millis(50))).expect("nothing left").is_none());
}

/// The deliveries of a member come through a queue, and so do its partitions, as events.
#[test]
fn a_members_deliveries_and_partitions_come_with_one_wake_up() {
    let server = TestServer::start();
    let url = format!("tidewire://{}", server.address);
    let client = blocking::Client::connect(&url).expect("connects");
    client.create_topic("t", TopicConfig::default().partitions(2)).expect("new");
    let producer = client.producer("t").build().expect("opens");
    for number in 0..100u32 {
        let record = Record::new(number.to_le_bytes().to_vec()).partition(number % 2);
        producer.enqueue(record).expect("room");
    }
    producer.close(Some(PATIENCE)).expect("acknowledged");

    let (sender, woken) = std::sync::mpsc::channel();
    let events = client.events().expect("not forked");
    let consumer = client.consumer("t").group("g").start(Start::Earliest);
    let wake = move || {
        let _ = sender.send(());
    };
    let queue = consumer.deliveries(Some(events), wake).expect("joined");
    let (mut read, mut assigned) = (0, 0);
    while read < 100 || assigned < 2 {
        woken.recv_timeout(PATIENCE).expect("a wake-up");
        while let Some(delivery) = queue.try_next().expect("not forked") {
            match delivery {
                Delivery::Batch(batch) => read += batch.len(),
                Delivery::Event(Event::PartitionsAssigned { partitions, .. }) => {
                    assigned += partitions.len();
                }
                Delivery::Event(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((read, assigned), (100, 2));
    queue.close().expect("not forked");
    woken.recv_timeout(PATIENCE).expect("the end is told");
    assert!(matches!(queue.drain(9).expect("not forked").last(), Some(Delivery::Closed)));
}

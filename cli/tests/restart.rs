//! A producer and a consumer of the SDK do not notice that their server was restarted, stopped
//! or killed, or that the line to it went dead: nothing is lost, repeated or out of order.

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use support::server::TestServer;
use tidewire::{Client, Consumer, Producer, Record, Start, TopicConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

const PARTITIONS: u32 = 3;
const LIMIT: Duration = Duration::from_secs(60);

/// An address that stays while servers come and go, and a line that can go dead.
struct Proxy {
    address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
    /// Lines made before the last change carry nothing any more, without ending.
    dead: watch::Sender<u64>,
}

impl Proxy {
    async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let target = Arc::new(Mutex::new(target));
        let dead = watch::Sender::new(0);
        let (to, lines) = (Arc::clone(&target), dead.subscribe());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let to = *to.lock().unwrap_or_else(PoisonError::into_inner);
                let mut dead = lines.clone();
                let made = *dead.borrow_and_update();
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(to).await else { return };
                    let (client, server) = (client.into_split(), server.into_split());
                    tokio::select! {
                        () = carry(client.0, server.1) => {}
                        () = carry(server.0, client.1) => {}
                        () = goes_dead(&mut dead, made) => {
                            // Holds both ends open, and carries nothing.
                            std::future::pending::<()>().await;
                        }
                    }
                });
            }
        });
        Self { address, target, dead }
    }

    fn aim(&self, target: SocketAddr) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    fn url(&self) -> String {
        format!("tidewire://{}/?retry_backoff_max_ms=200&heartbeat_ms=1000", self.address)
    }
}

async fn goes_dead(dead: &mut watch::Receiver<u64>, made: u64) {
    let _ = dead.wait_for(|now| *now > made).await;
}

async fn carry(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin) {
    let mut buf = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut buf).await {
        if read == 0 || to.write_all(&buf[..read]).await.is_err() {
            return;
        }
    }
}

/// Enqueues until it is told to stop, waits for every outcome; what was sent, by partition.
async fn produce(producer: Producer, stop: Arc<watch::Sender<bool>>) -> Vec<Vec<String>> {
    let mut sent = vec![Vec::new(); PARTITIONS as usize];
    let mut tickets = Vec::new();
    let mut i = 0u64;
    while !*stop.borrow() {
        let partition = (i % u64::from(PARTITIONS)) as u32;
        let value = format!("{i}/{}", "x".repeat(i as usize % 200));
        producer.ready().await.expect("it goes on");
        let record = Record::new(value.clone()).partition(partition);
        let ticket = producer.enqueue(record).expect("room");
        sent[partition as usize].push(value);
        tickets.push((ticket, partition, sent[partition as usize].len() as u64 - 1));
        i += 1;
        if i.is_multiple_of(64) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    producer.close().await.expect("every record is acknowledged");
    for (ticket, partition, offset) in tickets {
        let receipt = ticket.await.expect("acknowledged");
        assert_eq!((receipt.partition, receipt.offset), (partition, offset));
    }
    sent
}

/// Reads until `count` says how much there is and that was read; by partition.
async fn consume(
    mut consumer: Consumer,
    mut count: watch::Receiver<Option<usize>>,
) -> Vec<Vec<String>> {
    let mut seen = vec![Vec::new(); PARTITIONS as usize];
    let mut total = 0;
    while count.borrow().is_none_or(|count| total < count) {
        let batch = tokio::select! {
            batch = consumer.next_batch() => batch.expect("it goes on").expect("open"),
            _ = count.changed() => continue,
        };
        for record in &batch {
            let seen = &mut seen[record.partition() as usize];
            assert_eq!(record.offset(), seen.len() as u64, "the record that is due");
            seen.push(String::from_utf8_lossy(record.value().expect("a value")).into_owned());
            total += 1;
        }
    }
    let more = timeout(Duration::from_millis(200), consumer.next_batch()).await;
    assert!(more.is_err(), "more came than was sent: {more:?}");
    seen
}

/// Runs a producer and a consumer while `disturb` does what it does.
fn undisturbed(disturb: impl AsyncFnOnce(&Path, &Proxy, TestServer) -> TestServer) {
    let own = tempfile::tempdir().expect("a temporary directory");
    let data = own.path().join("data");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let server = TestServer::start_in(&data);
        let proxy = Proxy::to(server.address).await;
        let client = Client::connect(&proxy.url()).await.expect("connects");
        let config = TopicConfig::default().partitions(PARTITIONS);
        client.create_topic("t", config).await.expect("new");
        let builder = client.producer("t").linger_ms(1).batch_bytes(4_096);
        let producer = builder.build().await.expect("opens");
        let consumer = client.consumer("t").start(Start::Earliest);
        let consumer = consumer.build().await.expect("subscribes");

        let stop = Arc::new(watch::Sender::new(false));
        let count = watch::Sender::new(None);
        let producing = tokio::spawn(produce(producer.clone(), Arc::clone(&stop)));
        let consuming = tokio::spawn(consume(consumer, count.subscribe()));
        let server = disturb(&data, &proxy, server).await;
        stop.send_replace(true);
        let sent = timeout(LIMIT, producing).await.expect("in time").expect("no failure");
        count.send_replace(Some(sent.iter().map(Vec::len).sum()));
        let seen = timeout(LIMIT, consuming).await.expect("in time").expect("no failure");
        for (partition, (sent, seen)) in sent.iter().zip(&seen).enumerate() {
            assert!(!sent.is_empty(), "nothing was sent to partition {partition}");
            assert_eq!(sent, seen, "partition {partition}");
        }
        println!("{:?}", producer.stats());
        drop(server);
    });
}

/// Some load before, between and after.
async fn load() {
    tokio::time::sleep(Duration::from_millis(150)).await;
}

#[test]
fn a_server_that_is_stopped_and_started_under_load_is_not_noticed() {
    undisturbed(async |data, proxy, mut server| {
        for _ in 0..3 {
            load().await;
            let stopped = tokio::task::spawn_blocking(move || server.terminate());
            assert!(stopped.await.expect("no panic").success());
            server = TestServer::start_in(data);
            proxy.aim(server.address);
        }
        load().await;
        server
    });
}

#[test]
fn a_server_that_is_killed_under_load_is_not_noticed() {
    undisturbed(async |data, proxy, mut server| {
        for _ in 0..4 {
            load().await;
            server.kill();
            server = TestServer::start_in(data);
            proxy.aim(server.address);
        }
        load().await;
        server
    });
}

#[test]
fn a_line_that_goes_dead_without_a_word_is_replaced() {
    undisturbed(async |_, proxy, server| {
        load().await;
        proxy.dead.send_modify(|dead| *dead += 1);
        // Three heartbeats of silence, and then some load.
        tokio::time::sleep(Duration::from_millis(4_500)).await;
        server
    });
}

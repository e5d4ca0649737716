//! What was acknowledged is there after `kill -9`, unchanged and in order.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::server::TestServer;
use tidewire::{Acks, Client, FetchOptions, Record, TopicConfig};

/// Rounds of produce, kill, restart and check.
const ROUNDS: u64 = 20;
const PARTITIONS: u32 = 4;
const PRODUCERS: u64 = 4;

/// What was acknowledged: (partition, offset) to value.
type Acknowledged = Arc<Mutex<BTreeMap<(u32, u64), Vec<u8>>>>;

#[test]
fn acknowledged_records_survive_kill_nine() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let data = own.path().join("data");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let acknowledged = Acknowledged::default();
    let mut seed = std::env::var("TIDEWIRE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| u64::from(std::process::id()) << 20 | 1);
    println!("TIDEWIRE_SEED={seed}");
    for round in 0..ROUNDS {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let life = Duration::from_millis(10 + seed % 120);
        runtime.block_on(one_life(&data, round, life, &acknowledged));
    }
    let total = acknowledged.lock().expect("no panic").len();
    assert!(total > 100, "only {total} records were acknowledged in {ROUNDS} rounds");
    let server = TestServer::start_in(&data);
    runtime.block_on(check(&server, &acknowledged));
}

/// Starts the server, checks all that was ever acknowledged, produces until it is killed.
async fn one_life(data: &Path, round: u64, life: Duration, acknowledged: &Acknowledged) {
    let server = TestServer::start_in(data);
    if round == 0 {
        let client = Client::connect(&server.url()).await.expect("a running server");
        let config = TopicConfig::default().partitions(PARTITIONS).segment_bytes(1 << 20);
        client.create_topic("t", config).await.expect("new");
    }
    check(&server, acknowledged).await;
    let mut producers = Vec::new();
    for number in 0..PRODUCERS {
        let url = server.url();
        let acknowledged = Arc::clone(acknowledged);
        producers.push(tokio::spawn(async move {
            // The server may be gone at any moment: every error ends this producer.
            let _ = produce(&url, round, number, &acknowledged).await;
        }));
    }
    tokio::time::sleep(life).await;
    server.kill();
    for producer in producers {
        tokio::time::timeout(Duration::from_secs(60), producer)
            .await
            .expect("a producer notices that its server is gone")
            .expect("no panic");
    }
}

async fn produce(
    url: &str,
    round: u64,
    number: u64,
    acknowledged: &Acknowledged,
) -> Result<(), tidewire::Error> {
    // Who was not through with its opening when the server died would wait for another one.
    let client = Client::connect(&format!("{url}?request_timeout_ms=2000")).await?;
    // The death of a process leaves what the operating system has, so both levels must hold.
    let acks = if number.is_multiple_of(2) { Acks::Synced } else { Acks::Written };
    // Its server does not come back here: what it waits for is of no use after a short while.
    let builder = client.producer("t").acks(acks).delivery_timeout_ms(300);
    let producer = builder.build().await?;
    for first in (0u64..).step_by(8) {
        let mut tickets = Vec::new();
        for sequence in first..first + 8 {
            let mut value = format!("{round}/{number}/{sequence}/").into_bytes();
            value.resize(value.len() + (sequence as usize * 97) % 3000, b'.');
            let partition = (sequence % u64::from(PARTITIONS)) as u32;
            let record = Record::new(value.clone()).partition(partition);
            let ticket = producer.enqueue(record).map_err(|refused| refused.into_parts().0)?;
            tickets.push((ticket, value));
        }
        producer.flush().await?;
        for (ticket, value) in tickets {
            let receipt = ticket.await?;
            let place = (receipt.partition, receipt.offset);
            let before = acknowledged.lock().expect("no panic").insert(place, value);
            assert!(before.is_none(), "{place:?} was given out twice");
        }
    }
    Ok(())
}

/// Reads everything and holds it against what was acknowledged.
async fn check(server: &TestServer, acknowledged: &Acknowledged) {
    let client = Client::connect(&server.url()).await.expect("a running server");
    let mut seen: HashMap<Vec<u8>, (u32, u64)> = HashMap::new();
    let mut found: BTreeMap<(u32, u64), Vec<u8>> = BTreeMap::new();
    for info in client.partitions("t").await.expect("the topic is kept") {
        assert_eq!(info.error, 0, "partition {} is healthy", info.partition);
        let mut next = info.start_offset;
        while next < info.end_offset {
            let fetched = client
                .fetch("t", info.partition, next, FetchOptions::default())
                .await
                .expect("readable to its end");
            assert!(!fetched.batches.is_empty(), "readable to its end");
            for batch in &fetched.batches {
                for record in batch {
                    assert_eq!(record.offset(), next, "offsets are dense");
                    next += 1;
                    let value = record.value().expect("never null").to_vec();
                    let place = (info.partition, record.offset());
                    let before = seen.insert(value.clone(), place);
                    assert_eq!(before, None, "a record stands at {place:?} too");
                    found.insert(place, value);
                }
            }
        }
    }
    for (place, value) in acknowledged.lock().expect("no panic").iter() {
        let there = found.get(place);
        assert_eq!(
            there.map(|there| String::from_utf8_lossy(there)),
            Some(String::from_utf8_lossy(value)),
            "acknowledged at {place:?}"
        );
    }
    // Each producer's records of a partition stand in the order in which it made them.
    let mut last: HashMap<(u32, String), u64> = HashMap::new();
    for ((partition, _), value) in &found {
        let text = String::from_utf8_lossy(value);
        let mut parts = text.split('/');
        let producer = format!("{}/{}", parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let sequence: u64 = parts.next().and_then(|s| s.parse().ok()).expect("a sequence");
        let before = last.insert((*partition, producer.clone()), sequence);
        assert!(
            before < Some(sequence),
            "{producer} in {partition}: {sequence} after {before:?}"
        );
    }
}

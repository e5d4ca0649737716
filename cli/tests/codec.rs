//! What a topic's codec does on the disk and on the wire of a real server.

mod support;

use std::path::Path;
use std::time::Duration;

use support::server::TestServer;
use tidewire::{Client, Code, Codec, FetchOptions, Record, Start, TopicConfig};
use tidewire_protocol::batch::{
    BatchBuilder, Compressor, HEADER_LEN, RecordRef, STAMP_LEN, Sequence, ZSTD_LEVEL,
};
use tidewire_protocol::crc::{crc32c, crc32c_append};
use tidewire_protocol::message::{Acks, Fetch, TopicCreate};

const RECORDS: u32 = 2_000;
const CODECS: [Codec; 3] = [Codec::None, Codec::Lz4, Codec::Zstd];

fn value(number: u32) -> String {
    format!("{{\"order\":{number},\"state\":\"paid\",\"city\":\"Rotterdam\",\"lines\":[]}}")
}

/// Bytes of all segment files below a directory.
fn log_bytes(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).expect("a directory");
    entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                log_bytes(&path)
            } else if path.extension().is_some_and(|extension| extension == "log") {
                path.metadata().expect("a file").len()
            } else {
                0
            }
        })
        .sum()
}

async fn partition_bytes(client: &Client, topic: &str) -> u64 {
    client.partitions(topic).await.expect("described")[0].size_bytes
}

async fn fill(client: &Client, topic: &str) {
    let producer = client.producer(topic).build().await.expect("opens");
    for number in 0..RECORDS {
        producer.ready().await.expect("open");
        producer.enqueue(Record::new(value(number))).expect("room");
    }
    producer.close().await.expect("acknowledged");
}

/// Reads all of a topic, fetched and delivered; every batch must be stored with the codec.
async fn check(client: &Client, topic: &str, codec: Codec) {
    let options = FetchOptions::default().max_bytes(4 << 20);
    let fetched = client.fetch(topic, 0, 0, options).await.expect("fetched");
    let mut number = 0;
    for batch in &fetched.batches {
        assert_eq!(batch.stored().header().codec, codec, "{topic}");
        for record in batch {
            assert_eq!(record.value(), Some(value(number).as_bytes()), "{topic}");
            number += 1;
        }
    }
    assert_eq!(number, RECORDS);

    let mut consumer =
        client.consumer(topic).start(Start::Earliest).build().await.expect("subscribes");
    let mut number = 0;
    while number < RECORDS {
        let next = tokio::time::timeout(Duration::from_secs(10), consumer.next_batch());
        let batch = next.await.expect("in time").expect("delivered").expect("open");
        assert_eq!(batch.stored().header().codec, codec, "{topic}");
        for record in &batch {
            assert_eq!(record.offset(), u64::from(number));
            assert_eq!(record.value(), Some(value(number).as_bytes()), "{topic}");
            number += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_batches_are_stored_delivered_and_kept_as_they_came() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let data = own.path().join("data");
    let mut server = TestServer::start_in(&data);
    let client = Client::connect(&server.url()).await.expect("a running server");
    let mut sizes = Vec::new();
    for codec in CODECS {
        let topic = codec.to_string();
        client.create_topic(&topic, TopicConfig::default().codec(codec)).await.expect("new");
        let before = log_bytes(&data);
        fill(&client, &topic).await;
        check(&client, &topic, codec).await;
        let stored = log_bytes(&data) - before;
        assert_eq!(stored, partition_bytes(&client, &topic).await, "{topic}");
        sizes.push(stored);
    }
    let [none, lz4, zstd] = sizes[..] else { panic!("three codecs") };
    assert!(lz4 < none / 2 && zstd < lz4, "bytes on the disk: {none}, {lz4}, {zstd}");
    drop(client);
    assert!(server.terminate().success());

    let server = TestServer::start_in(&data);
    let client = Client::connect(&server.url()).await.expect("a running server");
    for (codec, stored) in CODECS.into_iter().zip(sizes) {
        let topic = codec.to_string();
        let info = client.describe_topic(&topic).await.expect("it is still there");
        assert_eq!(info.codec, codec, "the catalog keeps the codec");
        assert_eq!(partition_bytes(&client, &topic).await, stored);
        check(&client, &topic, codec).await;
    }
}

/// A batch of one large value that shrinks to almost nothing.
fn large(codec: Codec) -> Vec<u8> {
    let mut builder = BatchBuilder::new(8 << 20, 1);
    let value = vec![b'x'; 1 << 20];
    builder.push(&RecordRef { value: Some(&value), ..RecordRef::at(7) }).expect("room");
    let mut compressor = Compressor::new(codec, ZSTD_LEVEL);
    builder.seal_with(Sequence::default(), &mut compressor).to_vec()
}

/// Makes both checksums right for whatever the bytes now say.
fn reseal(mut bytes: Vec<u8>) -> Vec<u8> {
    let body_crc = crc32c(&bytes[28..]);
    bytes[24..28].copy_from_slice(&body_crc.to_le_bytes());
    let crc = crc32c_append(crc32c(&bytes[..20]), &bytes[STAMP_LEN..HEADER_LEN]);
    bytes[20..24].copy_from_slice(&crc.to_le_bytes());
    bytes
}

#[test]
fn the_server_changes_nothing_but_the_stamp_of_a_compressed_batch() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let (channel, _) = client.open("t").expect("the topic exists");
    for (codec, offset) in [(Codec::Lz4, 0), (Codec::Zstd, 1)] {
        let sent = large(codec);
        assert!(sent.len() < 10_000, "{codec}: {} bytes", sent.len());
        client.append(channel, 0, Acks::Synced, sent.clone().into()).expect("appended");
        let fetch = Fetch {
            stream: "default".into(),
            topic: "t".into(),
            partition: 0,
            offset,
            max_bytes: 1,
            min_bytes: 0,
            max_wait_ms: 0,
        };
        let id = client.submit(0, &fetch, &[]);
        let stored = client.wait_frame(id).expect("answered").payload;
        assert_eq!(stored[STAMP_LEN..], sent[STAMP_LEN..], "{codec}");
    }
}

#[test]
fn a_compressed_batch_that_lies_is_refused_and_the_connection_stays() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    let (channel, _) = client.open("t").expect("the topic exists");
    for codec in [Codec::Lz4, Codec::Zstd] {
        let mut refuse = |at: usize, bytes: &[u8]| {
            let mut batch = large(codec);
            batch[at..at + bytes.len()].copy_from_slice(bytes);
            let refused = client.append(channel, 0, Acks::Synced, reseal(batch).into());
            refused.expect_err("it lies").code
        };
        // The length of the body once decompressed: over every limit, then less than it is.
        assert_eq!(refuse(68, &u32::MAX.to_le_bytes()), Code::BATCH_TOO_LARGE);
        assert_eq!(refuse(68, &64u32.to_le_bytes()), Code::CORRUPT_BATCH);
        // The length of the compressed data, then the data itself.
        assert_eq!(refuse(HEADER_LEN, &u32::MAX.to_le_bytes()), Code::CORRUPT_BATCH);
        assert_eq!(refuse(HEADER_LEN + 8, &[0xff; 16]), Code::CORRUPT_BATCH);
        assert_eq!(refuse(33, &[9]), Code::UNSUPPORTED_BATCH);
        client.append(channel, 0, Acks::Synced, large(codec).into()).expect("this one is true");
    }
}

#[test]
fn a_topic_with_a_codec_that_is_not_known_is_refused() {
    let server = TestServer::start();
    let mut client = server.connect();
    let create = |codec| TopicCreate {
        stream: "default".into(),
        topic: "t".into(),
        partitions: 1,
        segment_bytes: None,
        codec,
        retention_ms: None,
        retention_bytes: None,
        dedup_window_ms: None,
    };
    let error = client.call(0, &create(Some(Codec::Other(9)))).expect_err("strange");
    assert_eq!(error.code, Code::INVALID_ARGUMENT);
    let topic = client.call(0, &create(Some(Codec::Lz4))).expect("new").topic;
    assert_eq!(topic.codec, Codec::Lz4);
    assert_eq!(client.open("t").expect("it exists").1.codec, Codec::Lz4);
}

//! Ids within a topic's window, on the wire of a real server: across producers, codecs, a change
//! of the topic and `kill -9`.

mod support;

use bytes::Bytes;
use support::raw::RawClient;
use support::server::TestServer;
use tidewire::{Client, Codec, FetchOptions, Record, TopicConfig};
use tidewire_protocol::batch::{BatchBuilder, Compressor, RecordRef, Sequence, ZSTD_LEVEL};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{Acks, AppendReply, SeenRange, TopicCreate, TopicUpdate};

/// Longer than any test takes.
const WINDOW_MS: u64 = 600_000;

fn create(client: &mut RawClient, dedup_window_ms: Option<u64>) {
    let request = TopicCreate {
        stream: "default".into(),
        topic: "t".into(),
        partitions: 1,
        segment_bytes: None,
        codec: None,
        retention_ms: None,
        retention_bytes: None,
        dedup_window_ms,
    };
    client.call(0, &request).expect("new");
}

/// A channel, its producer's id, and the sequence that comes next.
struct Producer {
    channel: u32,
    id: u64,
    next: u64,
}

impl Producer {
    fn open(client: &mut RawClient) -> Self {
        let (channel, reply) = client.open("t").expect("exists");
        Self { channel, id: reply.producer_id, next: 0 }
    }

    /// Sends a record for each id, and counts them if they were taken.
    fn send(
        &mut self,
        client: &mut RawClient,
        codec: Codec,
        ids: &[u8],
    ) -> Result<AppendReply, Error> {
        let batch = self.batch(codec, ids);
        let sent = client.append(self.channel, 0, Acks::Synced, batch);
        self.next += sent.as_ref().map_or(0, |_| ids.len() as u64);
        sent
    }

    fn batch(&self, codec: Codec, ids: &[u8]) -> Bytes {
        let mut builder = BatchBuilder::new(1 << 20, 1000);
        for &id in ids {
            let value = [id; 100];
            let record =
                RecordRef { value: Some(&value), id: Some([id; 16]), ..RecordRef::at(5) };
            builder.push(&record).expect("small");
        }
        let (producer_id, base_sequence) = (self.id, self.next);
        let sequence = Sequence { producer_id, producer_epoch: 0, base_sequence };
        builder.seal_with(sequence, &mut Compressor::new(codec, ZSTD_LEVEL))
    }

    fn seen(&mut self, client: &mut RawClient, ids: &[u8]) -> Vec<SeenRange> {
        let error = self.send(client, Codec::None, ids).expect_err("seen");
        assert_eq!(error.code, Code::DUPLICATE_IDS, "{error}");
        assert!(!error.is_retriable() && !error.is_outcome_unknown());
        error.seen
    }
}

fn range(first_index: u32, count: u32, base_offset: u64) -> SeenRange {
    SeenRange { first_index, count, base_offset }
}

/// SPEC I-13, I-14, I-15
#[test]
fn ids_that_were_seen_are_named_across_producers_codecs_and_a_kill() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let data = own.path().join("data");
    let server = TestServer::start_in(&data);
    let mut client = server.connect();
    create(&mut client, Some(WINDOW_MS));
    let mut first = Producer::open(&mut client);
    let mut second = Producer::open(&mut client);
    first.send(&mut client, Codec::None, &[1, 2, 3]).expect("new");
    first.send(&mut client, Codec::Zstd, &[4, 5, 6]).expect("new");
    assert_eq!(second.seen(&mut client, &[9, 2, 3, 8, 5]), [range(1, 2, 1), range(4, 1, 4)]);
    assert_eq!(second.seen(&mut client, &[7, 7]), [range(1, 1, u64::MAX)], "in one batch");
    // What is left is sealed anew, with the sequence of the refused one.
    let sent = second.send(&mut client, Codec::Lz4, &[9, 8]).expect("new, and no gap");
    assert_eq!(sent.base_offset, 6);
    // Records without an id, and a batch that is sent again, are no matter of the window.
    let (channel, _) = client.open("t").expect("exists");
    for offset in [8, 9] {
        let plain = support::raw::batch(&[b"no id"]);
        let sent = client.append(channel, 0, Acks::Synced, plain).expect("new");
        assert_eq!(sent.base_offset, offset);
    }
    second.next = 0;
    let again = second.send(&mut client, Codec::Lz4, &[9, 8]).expect("there");
    assert_eq!((again.base_offset, again.duplicate), (6, true));
    server.kill();
    let server = TestServer::start_in(&data);
    let mut client = server.connect();
    let mut third = Producer::open(&mut client);
    assert_eq!(third.seen(&mut client, &[8, 10, 4]), [range(0, 1, 7), range(2, 1, 3)]);
    third.send(&mut client, Codec::None, &[10]).expect("new");
    assert_eq!(third.seen(&mut client, &[10]), [range(0, 1, 10)]);
}

/// SPEC I-13: a window that is set while the topic is in use holds for channels that are open.
#[test]
fn a_window_can_be_set_and_taken_away_while_the_topic_is_in_use() {
    let server = TestServer::start();
    let mut client = server.connect();
    create(&mut client, None);
    let mut producer = Producer::open(&mut client);
    for _ in 0..2 {
        producer.send(&mut client, Codec::None, &[1]).expect("no window");
    }
    for window in [WINDOW_MS, 0] {
        let update = TopicUpdate {
            stream: "default".into(),
            topic: "t".into(),
            segment_bytes: None,
            codec: None,
            retention_ms: None,
            retention_bytes: None,
            dedup_window_ms: Some(window),
        };
        client.call(0, &update).expect("exists");
        // Not the batch that was refused: that stays refused (SPEC I-14).
        let ids: &[u8] = if window > 0 { &[2] } else { &[2, 3] };
        producer.send(&mut client, Codec::None, ids).expect("new, or no window any more");
        if window > 0 {
            assert_eq!(producer.seen(&mut client, &[2]), [range(0, 1, 2)]);
        }
    }
}

/// Whoever looks for the setting finds it where topics are made.
#[test]
fn a_topic_with_a_window_is_made_by_the_client() {
    let server = TestServer::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let client = Client::connect(&server.url()).await.expect("a running server");
        let config = TopicConfig::default().dedup_window_ms(WINDOW_MS);
        client.create_topic("t", config).await.expect("new");
        let topic = client.describe_topic("t").await.expect("exists");
        assert_eq!(topic.dedup_window_ms, WINDOW_MS);
    });
    let mut client = server.connect();
    let mut producer = Producer::open(&mut client);
    producer.send(&mut client, Codec::None, &[1]).expect("new");
    assert_eq!(producer.seen(&mut client, &[1]).len(), 1);
}

/// SPEC I-13, I-15: two programs that send the same records, of which one is further.
#[test]
fn two_producers_with_the_same_ids_store_each_record_once() {
    const RECORDS: u32 = 2_000;
    let record = |number: u32| {
        let mut id = [7; 16];
        id[..4].copy_from_slice(&number.to_le_bytes());
        Record::new(format!("{number}")).id(id)
    };
    let server = TestServer::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let client = Client::connect(&server.url()).await.expect("a running server");
        let config = TopicConfig::default().partitions(1).dedup_window_ms(WINDOW_MS);
        client.create_topic("t", config).await.expect("new");
        // Every second record first, so that the second producer's batches are full of holes.
        let first = client.producer("t").build().await.expect("opens");
        let mut offsets = vec![None; RECORDS as usize];
        let mut tickets = Vec::new();
        for number in (0..RECORDS / 2).step_by(2) {
            tickets.push((number, first.enqueue(record(number)).expect("room")));
        }
        for (number, ticket) in tickets {
            let receipt = ticket.await.expect("acknowledged");
            assert!(!receipt.duplicate, "{number}");
            offsets[number as usize] = Some(receipt.offset);
        }
        let second = client.producer("t").batch_records(700).build().await.expect("opens");
        let mut tickets = Vec::new();
        for number in 0..RECORDS {
            tickets.push(second.enqueue(record(number)).expect("room"));
        }
        for (place, ticket) in offsets.iter_mut().zip(tickets) {
            let receipt = ticket.await.expect("acknowledged");
            assert_eq!(receipt.duplicate, place.is_some(), "{receipt:?}");
            assert_eq!(*place.get_or_insert(receipt.offset), receipt.offset);
        }
        let options = FetchOptions::default().max_bytes(1 << 24);
        let mut stored = Vec::new();
        while stored.len() < RECORDS as usize {
            let from = stored.len() as u64;
            let fetched = client.fetch("t", 0, from, options).await.expect("fetched");
            let before = stored.len();
            for read in fetched.batches.iter().flatten().filter(|r| r.offset() >= from) {
                assert_eq!(read.offset(), stored.len() as u64, "without a gap");
                stored
                    .push(String::from_utf8_lossy(read.value().expect("a value")).into_owned());
            }
            assert!(stored.len() > before, "only {before} records are there");
        }
        assert_eq!(stored.len(), RECORDS as usize, "each once");
        for (number, offset) in offsets.iter().enumerate() {
            let offset = offset.expect("all have one") as usize;
            assert_eq!(stored[offset], number.to_string());
        }
        let after = client.producer("t").build().await.expect("opens");
        let receipt = after.send(Record::new("the end")).await.expect("acknowledged");
        assert_eq!(receipt.offset, u64::from(RECORDS), "nothing more was stored");
    });
}

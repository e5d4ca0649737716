//! What a producer promises.

mod support;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use support::{Cut, Server};
use tidewire::{
    Acks, Client, Code, Error, Event, FetchOptions, Producer, ProducerBuilder, QueueFull,
    Receipt, Record, RecordRef, Ticket, TopicConfig,
};
use tidewire_protocol::connection::ServerConfig;
use tidewire_protocol::error::Error as WireError;
use tidewire_protocol::message::Kind;

async fn start(partitions: u32) -> (Server, Client) {
    let server = Server::start().await;
    let client = connect(&server, partitions).await;
    (server, client)
}

async fn connect(server: &Server, partitions: u32) -> Client {
    let client = Client::connect(&server.url()).await.expect("connects");
    let config = TopicConfig::default().partitions(partitions);
    client.create_topic("t", config).await.expect("new");
    client
}

async fn open(builder: ProducerBuilder) -> Producer {
    builder.build().await.expect("opens")
}

async fn values(client: &Client, partition: u32) -> Vec<Bytes> {
    let options = FetchOptions::default().max_bytes(1 << 30);
    let fetched = client.fetch("t", partition, 0, options).await.expect("fetched");
    let records = fetched.batches.iter().flatten();
    records.map(|record| Bytes::copy_from_slice(record.value().expect("a value"))).collect()
}

fn is_pending(ticket: &mut Ticket) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    matches!(pin!(ticket).poll(&mut cx), Poll::Pending)
}

#[tokio::test]
async fn what_is_sent_is_read_as_it_was() {
    let (_server, client) = start(1).await;
    let producer = open(client.producer("t")).await;
    let records = [
        Record::new("value").key("key").header("a", "1").header("a", "").timestamp_us(5),
        Record::new("").key(""),
        Record::tombstone().key("gone"),
        Record::new("no key"),
    ];
    for (record, offset) in records.clone().into_iter().zip(0..) {
        let receipt = producer.send(record).await.expect("acknowledged");
        assert_eq!((receipt.partition, receipt.offset), (0, offset));
        assert_eq!((receipt.acks, receipt.duplicate), (Acks::Synced, false));
        assert_eq!(receipt.append_time_us, 1_000 + offset as i64);
    }
    let fetched = client.fetch("t", 0, 0, FetchOptions::default()).await.expect("fetched");
    let read: Vec<_> = fetched.batches.iter().flatten().collect();
    assert_eq!(read.len(), records.len());
    for (read, sent) in read.iter().zip(&records) {
        assert_eq!(read.key(), sent.key.as_deref());
        assert_eq!(read.value(), sent.value.as_deref());
        let headers: Vec<_> =
            read.headers().map(|(n, v)| (n.to_owned(), Bytes::copy_from_slice(v))).collect();
        assert_eq!(headers, sent.headers);
        if let Some(timestamp_us) = sent.timestamp_us {
            assert_eq!(read.timestamp_us(), timestamp_us);
        } else {
            assert!(read.timestamp_us() > 1_000_000_000_000_000, "now");
        }
    }
    assert_eq!(fetched.next_offset, 4);
}

#[tokio::test]
async fn a_key_decides_the_partition_and_a_named_partition_comes_first() {
    let (_server, client) = start(7).await;
    let producer = open(client.producer("t")).await;
    assert_eq!(producer.partitions(), 7);
    for key in ["a", "b", "c"] {
        let receipt = producer.send(Record::new("x").key(key)).await.expect("acknowledged");
        let expected = tidewire_protocol::partitioner::partition_of(key.as_bytes(), 7);
        assert_eq!(receipt.partition, expected);
        let named = producer.send(Record::new("x").key(key).partition(3)).await;
        assert_eq!(named.expect("acknowledged").partition, 3);
    }
    let error = producer.enqueue(Record::new("x").partition(7)).expect_err("there is none");
    assert_eq!(error.error().code(), Code::PARTITION_NOT_FOUND);
    let text = error.to_string();
    assert!(text.contains("partition 7") && text.contains("default/t"), "{text}");
    assert_eq!(error.into_record().partition, Some(7));
}

#[tokio::test]
async fn a_thousand_enqueued_records_need_few_appends() {
    let (server, client) = start(1).await;
    let producer = open(client.producer("t").linger_ms(20)).await;
    let tickets: Vec<Ticket> = (0..1000)
        .map(|i| producer.enqueue(Record::new(format!("{i}"))).expect("room"))
        .collect();
    producer.flush().await.expect("acknowledged");
    for (ticket, offset) in tickets.into_iter().zip(0..) {
        assert_eq!(ticket.await.expect("acknowledged").offset, offset);
    }
    assert!(server.log().appends.len() <= 2, "{}", server.log().appends.len());
    assert_eq!(producer.queued_bytes(), 0);
}

#[tokio::test]
async fn an_enqueued_record_lingers_and_a_sent_one_does_not() {
    let (server, client) = start(1).await;
    let producer = open(client.producer("t").linger_ms(150)).await;
    let begun = Instant::now();
    producer.send(Record::new("now")).await.expect("acknowledged");
    assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());

    let begun = Instant::now();
    producer.enqueue(Record::new("a")).expect("room");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let ticket = producer.enqueue(Record::new("b")).expect("room");
    ticket.await.expect("acknowledged");
    assert!(begun.elapsed() >= Duration::from_millis(150), "{:?}", begun.elapsed());
    let sizes: Vec<u32> = server.log().appends.iter().map(|append| append.records).collect();
    assert_eq!(sizes, [1, 2]);
}

#[tokio::test]
async fn what_is_enqueued_behind_a_sent_record_goes_after_its_linger() {
    let (_server, client) = start(1).await;
    let producer = open(client.producer("t").linger_ms(20)).await;
    for round in 0..3 {
        producer.send(Record::new("waited for")).await.expect("acknowledged");
        let ticket = producer.enqueue(Record::new("behind it")).expect("room");
        // Nothing else would wake the producer within the test's time.
        let receipt = tokio::time::timeout(Duration::from_secs(60), ticket).await;
        assert_eq!(
            receipt.expect("after its linger").expect("acknowledged").offset,
            2 * round + 1
        );
    }
}

#[tokio::test]
async fn a_sent_record_takes_along_what_lingers() {
    let (server, client) = start(1).await;
    let producer = open(client.producer("t").linger_ms(60_000)).await;
    let lingering = producer.enqueue(Record::new("a")).expect("room");
    producer.send(Record::new("b")).await.expect("acknowledged");
    assert_eq!(lingering.await.expect("acknowledged").offset, 0);
    assert_eq!(server.log().appends.len(), 1);
}

#[tokio::test]
async fn expediting_sends_what_lingers_in_every_partition_and_once() {
    let (server, client) = start(2).await;
    let producer = open(client.producer("t").linger_ms(60_000)).await;
    // Nothing to send is nothing to do.
    producer.expedite();
    let tickets = [0, 1, 0, 1].map(|partition| {
        producer.enqueue(Record::new("a").partition(partition)).expect("room")
    });
    producer.expedite();
    for ticket in tickets {
        ticket.await.expect("acknowledged");
    }
    let sizes: Vec<u32> = server.log().appends.iter().map(|append| append.records).collect();
    assert_eq!(sizes, [2, 2]);
}

#[tokio::test]
async fn order_is_kept_in_a_partition_however_many_batches_are_in_flight() {
    let (server, client) = start(2).await;
    server.faults(|faults| {
        faults.delays_ms.insert(Kind::APPEND, 2);
    });
    let producer = open(client.producer("t").batch_records(3).max_in_flight(4)).await;
    for i in 0..300 {
        let record = Record::new(format!("{i}")).partition(i % 2);
        producer.enqueue(record).expect("room");
    }
    producer.flush().await.expect("acknowledged");
    for partition in 0..2 {
        let expected: Vec<Bytes> =
            (0..150).map(|i| Bytes::from(format!("{}", 2 * i + partition))).collect();
        assert_eq!(values(&client, partition).await, expected);
    }
    let log = server.log();
    let mut next = [0u64; 2];
    for append in &log.appends {
        let next = &mut next[append.partition as usize];
        assert_eq!(append.base_sequence, *next);
        *next += u64::from(append.records);
    }
}

#[tokio::test]
async fn the_window_is_respected() {
    let (server, client) = start(1).await;
    server.faults(|faults| faults.hold_appends = true);
    let producer = open(client.producer("t").max_in_flight(2)).await;
    let sends: Vec<_> = (0..20)
        .map(|i| {
            let producer = producer.clone();
            tokio::spawn(async move { producer.send(Record::new(format!("{i}"))).await })
        })
        .collect();
    server.until("two appends", |log| log.appends.len() == 2).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.log().appends.len(), 2, "no more than the window");
    server.faults(|faults| faults.hold_appends = false);
    for send in sends {
        send.await.expect("no panic").expect("acknowledged");
    }
    let log = server.log();
    assert_eq!(log.most_in_flight, 2);
    assert_eq!(log.appends.len(), 3, "what gathered behind the window is one batch");
}

#[tokio::test]
async fn a_full_queue_gives_the_record_back_and_ready_wakes() {
    let (server, client) = start(1).await;
    server.faults(|faults| faults.hold_appends = true);
    let producer = open(client.producer("t").queue_bytes(65_536)).await;
    let mut taken = 0;
    let back = loop {
        match producer.enqueue(Record::new(vec![7; 10_000])) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(taken, 7, "the last one may pass the limit");
    assert_eq!(back.error().code(), Code::QUEUE_FULL);
    assert!(back.error().is_retriable() && back.to_string().contains("65536"), "{back}");
    let record = back.into_record();
    assert_eq!(record.value.as_ref().map(Bytes::len), Some(10_000));

    let ready = tokio::time::timeout(Duration::from_millis(30), producer.ready()).await;
    assert!(ready.is_err(), "nothing was acknowledged");
    let waiting = tokio::spawn({
        let producer = producer.clone();
        async move { producer.send(record).await }
    });
    server.until("an append", |log| !log.appends.is_empty()).await;
    server.faults(|faults| faults.hold_appends = false);
    let limit = Duration::from_secs(5);
    tokio::time::timeout(limit, producer.ready()).await.expect("in time").expect("room");
    let waiting = tokio::time::timeout(limit, waiting).await.expect("in time");
    waiting.expect("no panic").expect("acknowledged");
}

#[tokio::test]
async fn a_record_over_the_limit_is_refused_and_the_producer_goes_on() {
    let (_server, client) = start(1).await;
    let producer = open(client.producer("t")).await;
    let before = producer.enqueue(Record::new("before")).expect("room");
    let error = producer.send(Record::new(vec![0; 9 << 20])).await.expect_err("too large");
    assert_eq!(error.code(), Code::RECORD_TOO_LARGE);
    let text = error.to_string();
    assert!(text.contains("9437184") && text.contains("8 MiB"), "{text}");
    // Its bytes alone would fit, what goes with them does not.
    let error = producer.enqueue(Record::new(vec![0; 8 << 20])).expect_err("too large");
    assert_eq!(error.error().code(), Code::RECORD_TOO_LARGE);
    let large = producer.send(Record::new(vec![0; 7 << 20])).await.expect("over batch_bytes");
    assert_eq!(large.offset, 1);
    assert_eq!(before.await.expect("acknowledged").offset, 0);
    let error = producer.enqueue(Record::new("x").header("", "x")).expect_err("no name");
    assert_eq!(error.error().code(), Code::INVALID_ARGUMENT);
    producer.close().await.expect("all was acknowledged");
}

#[tokio::test]
async fn tickets_of_a_refused_batch_carry_the_servers_error() {
    let (server, client) = start(1).await;
    let denied = WireError::new(Code::DENIED, "not permitted");
    server.faults(|faults| {
        faults.append_errors.insert(1, denied);
    });
    let producer = open(client.producer("t").batch_records(2)).await;
    let tickets: Vec<Ticket> =
        (0..6).map(|i| producer.enqueue(Record::new(format!("{i}"))).expect("room")).collect();
    let mut outcomes = Vec::new();
    for ticket in tickets {
        outcomes.push(ticket.await.map(|receipt| receipt.offset).map_err(|error| {
            assert_eq!(error.to_string(), "not permitted");
            error.code()
        }));
    }
    let denied = Err(Code::DENIED);
    assert_eq!(outcomes, [Ok(0), Ok(1), denied, denied, Ok(2), Ok(3)]);
    producer.flush().await.expect("the tickets told it");
    assert_eq!(values(&client, 0).await, ["0", "1", "4", "5"]);
    let stats = producer.stats();
    assert_eq!((stats.acknowledged_records, stats.failed_records), (4, 2));
}

fn id_of(number: u32) -> [u8; 16] {
    let mut id = [1; 16];
    id[..4].copy_from_slice(&number.to_le_bytes());
    id
}

/// SPEC I-15: more ranges than an answer has, batches behind one that was refused, and
/// connections that are cut in between.
#[tokio::test]
async fn records_whose_ids_were_seen_are_settled_where_they_are() {
    let (server, client) = start(1).await;
    let update = TopicConfig::default().dedup_window_ms(600_000);
    client.update_topic("t", update).await.expect("exists");
    let first = open(client.producer("t").linger_ms(1)).await;
    // Every third number, from the end to the start: no two that follow each other are neighbours.
    let old: Vec<u32> = (0..1_000).filter(|number| number % 3 == 0).rev().collect();
    for &number in &old {
        let record = Record::new(number.to_string()).id(id_of(number));
        drop(first.enqueue(record).expect("room"));
    }
    first.flush().await.expect("acknowledged");
    server.faults(|faults| {
        let cut = |after_read| Cut { after_read, after_written: usize::MAX };
        faults.cuts = [20_000, 9_000, 30_000].map(cut).into();
    });
    let url = format!("{}/?retry_backoff_ms=1&retry_backoff_max_ms=4", server.url());
    let other = Client::connect(&url).await.expect("connects");
    let second = open(other.producer("t").batch_records(900).linger_ms(1)).await;
    let mut tickets = Vec::new();
    for number in 0..1_000u32 {
        let record = Record::new(number.to_string()).id(id_of(number));
        tickets.push(second.enqueue(record).expect("room"));
    }
    let mut expected: Vec<u32> = old.clone();
    for (number, ticket) in (0..).zip(tickets) {
        let settled = tokio::time::timeout(Duration::from_secs(20), ticket).await;
        let receipt = settled.expect("in time").expect("there");
        let offset = match old.iter().position(|&other| other == number) {
            Some(offset) => {
                assert!(receipt.duplicate, "{number}");
                offset
            }
            None => {
                expected.push(number);
                expected.len() - 1
            }
        };
        assert_eq!(receipt.offset, offset as u64, "{number}");
    }
    let stored: Vec<u32> = server
        .values("t", 0)
        .iter()
        .map(|value| std::str::from_utf8(value).expect("digits").parse().expect("a number"))
        .collect();
    assert_eq!(stored, expected);
    assert_eq!(second.stats().acknowledged_records, 1_000);
    assert!(server.log().connections > 2, "it was never cut");
    // Once more, with nothing left to store.
    let receipt = second.send(Record::new("3 again").id(id_of(3))).await.expect("there");
    let at = old.iter().position(|&other| other == 3).expect("old") as u64;
    assert_eq!((receipt.offset, receipt.duplicate), (at, true));
    assert_eq!((receipt.acks, receipt.append_time_us), (Acks::Synced, 0));
    assert_eq!(server.values("t", 0).len(), 1_000);
}

#[tokio::test]
async fn a_flush_tells_the_failure_of_dropped_tickets() {
    let (server, client) = start(1).await;
    server.faults(|faults| {
        faults.append_errors.insert(0, WireError::new(Code::DENIED, "no"));
    });
    let producer = open(client.producer("t").linger_ms(0)).await;
    drop(producer.enqueue(Record::new("x")).expect("room"));
    server.until("the append", |log| log.appends.len() == 1).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(producer.flush().await.expect_err("failed").code(), Code::DENIED);
    producer.flush().await.expect("told once");
}

#[tokio::test]
async fn an_append_that_is_not_answered_in_time_is_unknown_and_keeps_its_place() {
    let (server, client) = start(1).await;
    let producer = open(client.producer("t").delivery_timeout_ms(80)).await;
    server.faults(|faults| faults.hold_appends = true);
    let error = producer.send(Record::new("a")).await.expect_err("no answer");
    assert_eq!((error.code(), error.is_outcome_unknown()), (Code::TIMEOUT, true));
    assert!(error.to_string().contains("default/t partition 0"), "{error}");
    server.faults(|faults| faults.hold_appends = false);
    assert_eq!(producer.send(Record::new("b")).await.expect("acknowledged").offset, 1);
    assert_eq!(values(&client, 0).await, ["a", "b"]);
    let stats = producer.stats();
    assert_eq!((stats.unknown_records, stats.acknowledged_records), (1, 1));
}

#[tokio::test]
async fn what_was_never_sent_fails_in_time_and_not_in_doubt() {
    let (server, setup) = start(1).await;
    setup.close().await.expect("closes");
    let url = format!("{}/?retry_backoff_ms=1&retry_backoff_max_ms=4", server.url());
    let client = Client::connect(&url).await.expect("connects");
    let producer = open(client.producer("t").delivery_timeout_ms(80)).await;
    server.faults(|faults| faults.turn_away = true);
    server.cut();
    server.until("the cut", |log| log.connections_ended == 2).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let error = producer.send(Record::new("a")).await.expect_err("no connection");
    assert_eq!(error.code(), Code::TIMEOUT);
    assert!(error.is_retriable() && !error.is_outcome_unknown(), "{error:?}");
    server.faults(|faults| faults.turn_away = false);
    assert_eq!(producer.send(Record::new("b")).await.expect("acknowledged").offset, 0);
}

#[tokio::test]
async fn a_refusal_for_now_is_tried_again_and_watchers_learn_of_it() {
    let (server, client) = start(1).await;
    let mut events = client.events();
    let producer = open(client.producer("t").batch_records(1)).await;
    let full = WireError::new(Code::DISK_FULL, "the disk of partition 0 is full");
    server.faults(|faults| faults.append_error = Some(full));
    let tickets: Vec<Ticket> =
        (0..5).map(|i| producer.enqueue(Record::new(format!("{i}"))).expect("room")).collect();
    let event = tokio::time::timeout(Duration::from_secs(5), events.next()).await;
    match event.expect("in time").expect("open") {
        Event::Throttled { topic, partition, error } => {
            assert_eq!((topic.as_str(), partition), ("default/t", 0));
            assert_eq!(error.code(), Code::DISK_FULL);
        }
        other => panic!("{other:?}"),
    }
    server.faults(|faults| faults.append_error = None);
    for (ticket, offset) in tickets.into_iter().zip(0..) {
        assert_eq!(ticket.await.expect("in the end").offset, offset);
    }
    assert!(producer.stats().retried_batches > 0);
    // To the end, the reason is told.
    let full = WireError::new(Code::DISK_FULL, "the disk of partition 0 is full");
    server.faults(|faults| faults.append_error = Some(full));
    let producer = open(client.producer("t").delivery_timeout_ms(80)).await;
    let error = producer.send(Record::new("x")).await.expect_err("full");
    assert_eq!((error.code(), error.is_outcome_unknown()), (Code::DISK_FULL, false));
}

/// Reads what a partition holds, and checks that `sent` of it is there once and in order.
fn check(server: &Server, partition: u32, sent: &[(String, Option<u64>)], seed: u64) {
    let stored = server.values("t", partition);
    let expected: Vec<&str> = sent.iter().map(|(value, _)| value.as_str()).collect();
    assert_eq!(stored, expected, "seed {seed}: lost, repeated or out of order");
    for (at, (_, offset)) in (0u64..).zip(sent) {
        assert_eq!(*offset, Some(at), "seed {seed}: the offset that was told");
    }
}

/// Cuts at seeded places of both directions, in the middle of frames too: appended and not
/// answered, half arrived, never arrived.
#[tokio::test]
async fn nothing_is_lost_repeated_or_reordered_wherever_the_connection_is_cut() {
    let mut connections = 0;
    for seed in 0..16u64 {
        let (server, setup) = start(2).await;
        setup.close().await.expect("closes");
        server.faults(|faults| {
            faults.cuts = (0..14u64)
                .map(|i| {
                    let mut random = seed * 7_919 + i * 104_729;
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let read = 700 + (random % 9_000) as usize;
                    let written = 500 + ((random >> 20) % 1_500) as usize;
                    match i % 3 {
                        0 => Cut { after_read: read, after_written: usize::MAX },
                        1 => Cut { after_read: usize::MAX, after_written: written },
                        _ => Cut { after_read: read, after_written: written },
                    }
                })
                .collect();
        });
        let url = format!("{}/?retry_backoff_ms=1&retry_backoff_max_ms=4", server.url());
        let client = Client::connect(&url).await.expect("connects");
        let producer = open(client.producer("t").batch_records(7).linger_ms(1)).await;
        let mut tickets: [Vec<(String, Ticket)>; 2] = Default::default();
        for i in 0..400u32 {
            let value = format!("{i} of {seed} {}", "x".repeat(i as usize % 50));
            let record = Record::new(value.clone()).partition(i % 2);
            let ticket = producer.enqueue(record).expect("room");
            tickets[i as usize % 2].push((value, ticket));
            if i % 16 == 0 {
                tokio::task::yield_now().await;
            }
        }
        for (partition, tickets) in (0..).zip(tickets) {
            let mut sent = Vec::new();
            for (value, ticket) in tickets {
                let settled = tokio::time::timeout(Duration::from_secs(20), ticket).await;
                let offset = settled.expect("in time").map(|receipt| receipt.offset);
                sent.push((value, Some(offset.expect("acknowledged in the end"))));
            }
            check(&server, partition, &sent, seed);
        }
        producer.close().await.expect("nothing is left");
        connections += server.log().connections;
        assert_eq!(producer.stats().acknowledged_records, 400);
    }
    assert!(connections > 100, "{connections} connections: little was cut");
}

#[tokio::test]
async fn a_producer_stays_itself_over_connections() {
    let (server, client) = start(1).await;
    let producer = open(client.producer("t")).await;
    for i in 0..4u64 {
        assert_eq!(producer.send(Record::new("x")).await.expect("in the end").offset, i);
        server.cut();
    }
    assert_eq!(producer.send(Record::new("x")).await.expect("in the end").offset, 4);
    let opened = server.log().opened_producers;
    assert!(opened.len() > 1 && opened.iter().all(|(_, id)| *id == opened[0].1), "{opened:?}");
    let sequences: Vec<u64> = server.log().appends.iter().map(|a| a.base_sequence).collect();
    assert_eq!(sequences, [0, 1, 2, 3, 4]);
}

/// SPEC I-12: it would fence itself if the lost opening came last.
#[tokio::test]
async fn an_opening_whose_reply_is_lost_is_sent_again_as_the_same() {
    let (server, client) = start(1).await;
    server.faults(|faults| faults.cut_at_first_open = true);
    let producer = open(client.producer("t").name("billing")).await;
    producer.send(Record::new("x")).await.expect("acknowledged");
    open(client.producer("t").name("billing")).await;
    let openers = server.log().openers;
    let [first, again, another] = openers[..] else { panic!("{openers:?}") };
    assert!(first.is_some() && first == again && first != another, "{openers:?}");
}

#[tokio::test]
async fn a_producer_that_the_server_has_forgotten_says_so_and_goes_on_as_another() {
    let (server, client) = start(2).await;
    let producer = open(client.producer("t")).await;
    for partition in [0, 0, 1] {
        producer.send(Record::new("x").partition(partition)).await.expect("acknowledged");
    }
    server.forget_producers();
    let limit = Duration::from_secs(5);
    let send = async |value: &'static str, partition| {
        let send = producer.send(Record::new(value).partition(partition));
        tokio::time::timeout(limit, send).await.expect("in time")
    };
    // It may have lost what it had acknowledged: that is for the application to know, once.
    let error = send("y", 0).await.expect_err("a gap");
    assert_eq!((error.code(), error.is_outcome_unknown()), (Code::SEQUENCE_GAP, false));
    for partition in [0, 1, 0] {
        assert_eq!(send("z", partition).await.expect("acknowledged").partition, partition);
    }
    let opened = server.log().opened_producers;
    assert!(opened.len() == 2 && opened[0].1 != opened[1].1, "{opened:?}");
    assert_eq!(values(&client, 0).await, ["x", "x", "z", "z"]);
}

#[tokio::test]
async fn a_topic_that_was_created_anew_ends_the_producer() {
    let (server, client) = start(1).await;
    let producer = open(client.producer("t")).await;
    producer.send(Record::new("x")).await.expect("acknowledged");
    server.cut();
    server.recreate("t");
    let error = producer.send(Record::new("y")).await.expect_err("another topic");
    assert_eq!(error.code(), Code::TOPIC_NOT_FOUND);
    let error = producer.enqueue(Record::new("z")).expect_err("it has ended");
    assert_eq!(error.error().code(), Code::TOPIC_NOT_FOUND);
    assert!(server.values("t", 0).is_empty());
}

#[tokio::test]
async fn without_acknowledgements_nothing_is_sent_twice() {
    let (server, client) = start(1).await;
    let producer = open(client.producer("t").acks(Acks::None).batch_records(1)).await;
    server.faults(|faults| faults.hold_appends = true);
    let sent = producer.enqueue(Record::new("a")).expect("room");
    server.until("the append", |log| log.appends.len() == 1).await;
    server.faults(|faults| faults.hold_appends = false);
    server.faults(|faults| faults.mute.push(Kind::APPEND));
    let lost = producer.enqueue(Record::new("b")).expect("room");
    sent.await.expect("answered");
    tokio::time::sleep(Duration::from_millis(20)).await;
    server.faults(|faults| faults.mute.clear());
    server.cut();
    let error = lost.await.expect_err("lost with the connection");
    assert_eq!((error.code(), error.is_outcome_unknown()), (Code::DISCONNECTED, true));
    producer.send(Record::new("c")).await.expect("answered");
    assert_eq!(server.values("t", 0), ["a", "c"]);
}

#[tokio::test]
async fn a_full_queue_waits_gives_back_or_drops_as_it_was_told() {
    let (server, client) = start(1).await;
    for queue_full in [QueueFull::Block, QueueFull::Error, QueueFull::Drop] {
        server.faults(|faults| faults.hold_appends = true);
        let builder = client.producer("t").queue_bytes(65_536).queue_full(queue_full);
        let producer = open(builder).await;
        let first = producer.enqueue(Record::new(vec![7; 70_000])).expect("room");
        let enqueued = producer.enqueue(Record::new("e")).map(|ticket| ticket.partition());
        let sending = producer.send(Record::new("s"));
        match queue_full {
            QueueFull::Drop => {
                assert_eq!(enqueued.expect("dropped"), 0);
                assert_eq!(sending.await.expect_err("dropped").code(), Code::QUEUE_FULL);
                assert_eq!(producer.stats().dropped_records, 2);
            }
            QueueFull::Error => {
                assert_eq!(enqueued.expect_err("full").error().code(), Code::QUEUE_FULL);
                assert_eq!(sending.await.expect_err("full").code(), Code::QUEUE_FULL);
            }
            QueueFull::Block => {
                assert_eq!(enqueued.expect_err("full").error().code(), Code::QUEUE_FULL);
                let mut sending = Box::pin(sending);
                let limit = Duration::from_millis(30);
                assert!(tokio::time::timeout(limit, &mut sending).await.is_err(), "it waits");
                server.faults(|faults| faults.hold_appends = false);
                sending.await.expect("acknowledged");
            }
        }
        server.faults(|faults| faults.hold_appends = false);
        first.await.expect("acknowledged");
    }
}

#[tokio::test]
async fn closing_ends_in_time_and_says_what_was_not_sent() {
    let (server, client) = start(3).await;
    let producer = open(client.producer("t").batch_records(2).max_in_flight(1)).await;
    server.faults(|faults| faults.hold_appends = true);
    let mut tickets = Vec::new();
    for i in 0..12u32 {
        let record = Record::new("x").partition(i % 2);
        tickets.push(producer.enqueue(record).expect("room"));
    }
    server.until("two appends", |log| log.appends.len() == 2).await;
    let error = producer.close_within(Duration::from_millis(50)).await.expect_err("not all");
    let told: Vec<(u32, u64, u64)> = error
        .partitions()
        .iter()
        .map(|unsent| (unsent.partition, unsent.failed_records, unsent.unknown_records))
        .collect();
    assert_eq!(told, [(0, 4, 2), (1, 4, 2)]);
    assert_eq!(error.error().code(), Code::TIMEOUT);
    let text = error.to_string();
    assert!(
        text.contains("8 records were not sent") && text.contains("of 4 is unknown"),
        "{text}"
    );
    let (mut failed, mut unknown) = (0, 0);
    for ticket in tickets {
        match ticket.await.expect_err("not acknowledged").is_outcome_unknown() {
            true => unknown += 1,
            false => failed += 1,
        }
    }
    assert_eq!((failed, unknown), (8, 4));
    let stats = producer.stats();
    assert_eq!((stats.queued_records, stats.queued_bytes), (0, 0));
    assert_eq!((stats.failed_records, stats.unknown_records), (8, 4));
}

#[tokio::test]
async fn futures_that_are_dropped_lose_no_record_and_hold_nothing() {
    let (server, client) = start(1).await;
    let producer = open(client.producer("t")).await;
    server.faults(|faults| faults.hold_appends = true);
    let limit = Duration::from_millis(5);
    for i in 0..10 {
        let sending = producer.send(Record::new(format!("{i}")));
        assert!(tokio::time::timeout(limit, sending).await.is_err());
        assert!(tokio::time::timeout(limit, producer.flush()).await.is_err());
    }
    server.faults(|faults| faults.hold_appends = false);
    producer.flush().await.expect("acknowledged");
    let expected: Vec<String> = (0..10).map(|i| i.to_string()).collect();
    assert_eq!(values(&client, 0).await, expected);
    assert_eq!(producer.queued_bytes(), 0);
}

/// The link is dead, but nobody says so: neither reads nor writes, nor a reset.
#[tokio::test]
async fn a_half_open_connection_is_noticed_and_replaced() {
    let server = Server::start().await;
    let url = format!("{}/?heartbeat_ms=1000", server.url());
    let client = Client::connect(&url).await.expect("connects");
    client.create_topic("t", TopicConfig::default()).await.expect("new");
    let producer = open(client.producer("t")).await;
    let builder = client.consumer("t").start(tidewire::Start::Earliest);
    let mut consumer = builder.build().await.expect("subscribes");
    producer.send(Record::new("before")).await.expect("acknowledged");
    consumer.next_record().await.expect("delivered").expect("open");
    let mut events = client.events();
    server.freeze_connections();
    let sending = tokio::spawn({
        let producer = producer.clone();
        async move { producer.send(Record::new("through")).await }
    });
    let event = tokio::time::timeout(Duration::from_secs(20), events.next()).await;
    let event = event.expect("noticed");
    assert!(matches!(event, Some(Event::Disconnected { .. })), "{event:?}");
    let sent = tokio::time::timeout(Duration::from_secs(20), sending).await;
    assert_eq!(sent.expect("in time").expect("no panic").expect("acknowledged").offset, 1);
    let record = tokio::time::timeout(Duration::from_secs(20), consumer.next_record()).await;
    let record = record.expect("in time").expect("delivered").expect("open");
    assert_eq!((record.offset(), record.value()), (1, Some(&b"through"[..])));
}

#[tokio::test]
async fn what_was_enqueued_is_sent_though_every_handle_is_dropped() {
    let (server, client) = start(1).await;
    let producer = open(client.producer("t").linger_ms(60_000)).await;
    let ticket = producer.enqueue(Record::new("kept")).expect("room");
    drop(producer);
    drop(client);
    assert_eq!(ticket.await.expect("acknowledged").offset, 0);
    server
        .until("the end", |log| log.closed_producers == 1 && log.connections_ended == 1)
        .await;
}

#[tokio::test]
async fn a_dropped_ticket_harms_nothing() {
    let (_server, client) = start(1).await;
    let producer = open(client.producer("t")).await;
    let mut polled = producer.enqueue(Record::new("a")).expect("room");
    assert!(is_pending(&mut polled));
    drop(polled);
    drop(producer.enqueue(Record::new("b")).expect("room"));
    producer.flush().await.expect("acknowledged");
    assert_eq!(values(&client, 0).await, ["a", "b"]);
}

#[tokio::test]
async fn a_closed_producer_takes_nothing_more() {
    let (server, client) = start(1).await;
    let producer = open(client.producer("t")).await;
    let ticket = producer.enqueue(Record::new("x")).expect("room");
    producer.close().await.expect("closes");
    assert!(ticket.await.is_ok(), "closing flushes");
    producer.close().await.expect("again");
    let error = producer.send(Record::new("y")).await.expect_err("closed");
    assert_eq!(error.code(), Code::CLOSED);
    assert_eq!(server.log().closed_producers, 1);
    client.ping().await.expect("the client goes on");
}

#[tokio::test]
async fn a_topic_that_is_not_there_is_named() {
    let (_server, client) = start(1).await;
    let error = client.producer("shop/none").build().await.expect_err("no topic");
    assert_eq!(error.code(), Code::TOPIC_NOT_FOUND);
    assert!(error.to_string().contains("shop/none"), "{error}");
    let error = client.producer("t").linger_ms(60_001).build().await.expect_err("too long");
    assert_eq!(error.code(), Code::INVALID_OPTION);
}

#[tokio::test]
async fn producers_share_a_connection_that_takes_few_requests_at_once() {
    let config = ServerConfig { max_in_flight: 2, ..ServerConfig::default() };
    let server = Server::with_config(config).await;
    let client = connect(&server, 4).await;
    let producers = [client.producer("t"), client.producer("t").linger_ms(0)]
        .map(|b| b.delivery_timeout_ms(9_000));
    let [first, second] = producers;
    let producers = [open(first).await, open(second).await];
    let mut tickets = Vec::new();
    for i in 0..400u32 {
        let record = Record::new("x").partition(i % 4);
        tickets.push(producers[i as usize % 2].enqueue(record).expect("room"));
        if i % 7 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for ticket in tickets {
        ticket.await.expect("acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_send_through_one_producer() {
    let (server, client) = start(3).await;
    let producer = open(client.producer("t")).await;
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let producer = producer.clone();
            tokio::spawn(async move {
                let mut last = None;
                for i in 0..50 {
                    let record = Record::new(format!("{i}")).key(format!("{task}"));
                    let offset = producer.send(record).await.expect("acknowledged").offset;
                    assert!(last < Some(offset), "order within a key");
                    last = Some(offset);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    let log = server.log();
    assert_eq!(log.appends.iter().map(|append| append.records).sum::<u32>(), 3200);
    assert!(log.appends.len() < 3200, "records gather while the window is full");
}

#[tokio::test]
async fn many_at_once_are_read_as_they_were_and_told_one_by_one() {
    let (_server, client) = start(1).await;
    let producer = open(client.producer("t").batch_records(10)).await;
    let texts: Vec<String> = (0..64).map(|number| format!("value {number}")).collect();
    let mut records: Vec<RecordRef<'_>> = texts
        .iter()
        .map(|text| RecordRef { value: Some(text.as_bytes()), ..RecordRef::at(5) })
        .collect();
    let (tickets, refused) = producer.enqueue_many(&records, Some(0));
    assert!(refused.is_none());
    producer.expedite();
    let offsets: Vec<u64> = tickets
        .outcomes()
        .await
        .into_iter()
        .map(|outcome| outcome.expect("acknowledged").offset)
        .collect();
    assert_eq!(offsets, (0..64).collect::<Vec<_>>());
    let read = values(&client, 0).await;
    assert!(read.iter().eq(texts.iter().map(|text| text.as_bytes())));

    // The one that no batch can hold is named; those before it are sent, those after it are not.
    let large = vec![0; 9 << 20];
    records[40].value = Some(&large);
    let (tickets, refused) = producer.enqueue_many(&records, None);
    assert_eq!(refused.expect("too large").code(), Code::RECORD_TOO_LARGE);
    assert_eq!(tickets.len(), 40);
    let (none, refused) = producer.enqueue_many(&records[..1], Some(7));
    assert_eq!(refused.expect("no such partition").code(), Code::PARTITION_NOT_FOUND);
    assert!(none.is_empty() && none.outcomes().await.is_empty());
    producer.close().await.expect("all is acknowledged");
    assert_eq!(values(&client, 0).await.len(), 104);
    let (none, refused) = producer.enqueue_many(&records, None);
    assert_eq!((none.len(), refused.expect("closed").code()), (0, Code::CLOSED));
}

/// SPEC I-15: what became of the records of one call, by neighbours that stand at neighbouring
/// offsets: also where some of a batch were seen, where two calls share one, and where it failed.
#[tokio::test]
async fn many_are_told_by_runs_of_neighbours() {
    let (server, client) = start(1).await;
    let update = TopicConfig::default().dedup_window_ms(600_000);
    client.update_topic("t", update).await.expect("exists");
    let producer = open(client.producer("t").batch_records(10).linger_ms(60_000)).await;
    let enqueue = |ids: &[u32]| {
        let records: Vec<RecordRef<'_>> = ids
            .iter()
            .map(|&id| RecordRef { id: Some(id_of(id)), value: Some(b"v"), ..RecordRef::at(5) })
            .collect();
        let (tickets, refused) = producer.enqueue_many(&records, Some(0));
        assert!(refused.is_none(), "{refused:?}");
        tickets
    };
    // Offset and whether it was there of the first, and how many, of each run.
    type Told = (Result<(u64, bool), Code>, u32);
    let told = |runs: Vec<(Result<Receipt, Error>, u32)>| -> Vec<Told> {
        let told = runs.into_iter().map(|(outcome, count)| {
            let first = outcome.map(|receipt| (receipt.offset, receipt.duplicate));
            (first.map_err(|error| error.code()), count)
        });
        told.collect()
    };

    let (one, two) = (enqueue(&[3, 4]), enqueue(&[5, 8]));
    producer.expedite();
    assert_eq!(told(one.into_runs().await), [(Ok((0, false)), 2)]);
    assert_eq!(told(two.into_runs().await), [(Ok((2, false)), 2)]);
    assert_eq!(server.log().appends.len(), 1, "they shared a batch");

    let mut ids: Vec<u32> = (0..20).collect();
    // Within one batch.
    ids[15] = 12;
    let tickets = enqueue(&ids);
    producer.expedite();
    let expected = [
        (Ok((4, false)), 3),
        (Ok((0, true)), 3),
        (Ok((7, false)), 2),
        (Ok((3, true)), 1),
        (Ok((9, false)), 1),
        (Ok((10, false)), 5),
        (Ok((12, true)), 1),
        (Ok((15, false)), 4),
    ];
    assert_eq!(told(tickets.into_runs().await), expected);

    let none = enqueue(&[]);
    assert_eq!(told(none.into_runs().await), []);
    server.faults(|faults| faults.append_error = Some(WireError::new(Code::DENIED, "no")));
    let tickets = enqueue(&[3, 30, 31]);
    producer.expedite();
    assert_eq!(told(tickets.into_runs().await), [(Err(Code::DENIED), 3)]);
    // All were told of it, so nothing is left to tell.
    producer.flush().await.expect("nothing is left");
}

//! Connections that are cut, servers that forget, refusals for now: nothing is lost, repeated or
//! said to be what it is not.

use std::time::Duration;

use tidewire::{Client, Code, Event, Record, Ticket, TopicConfig};
use tidewire_protocol::error::Error as WireError;

use crate::support::{Cut, Server};
use crate::{open, start, values};

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

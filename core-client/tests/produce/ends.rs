//! How a producer ends, and what becomes of tickets and handles that are dropped.

use std::time::Duration;

use tidewire::{Code, Record};

use crate::{is_pending, open, start, values};

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

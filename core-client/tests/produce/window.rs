//! Order, windows and full queues; what is refused, and ids that were seen.

use std::time::Duration;

use bytes::Bytes;
use tidewire::{Acks, Client, Code, QueueFull, Record, Ticket, TopicConfig};
use tidewire_protocol::error::Error as WireError;
use tidewire_protocol::message::Kind;

use crate::support::Cut;
use crate::{id_of, open, start, values};

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

//! What a consumer promises.

mod support;

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use support::{Cut, Server};
use tidewire::{
    Client, Code, Consumer, FetchOptions, OnOutOfRange, Record, Start, TopicConfig,
};
use tidewire_protocol::message::Kind;
use tokio::time::timeout;

const SHORT: Duration = Duration::from_millis(30);

async fn start(partitions: u32) -> (Server, Client) {
    let server = Server::start().await;
    let client = Client::connect(&server.url()).await.expect("connects");
    let config = TopicConfig::default().partitions(partitions);
    client.create_topic("t", config).await.expect("new");
    (server, client)
}

/// Sends `batches` batches of `records` records, each of `len` bytes, to a partition.
async fn fill(client: &Client, partition: u32, batches: u32, records: u32, len: usize) {
    let producer = client.producer("t").batch_records(records).build().await.expect("opens");
    for i in 0..batches * records {
        let mut value = i.to_string().into_bytes();
        value.resize(len.max(value.len()), b' ');
        producer.ready().await.expect("open");
        producer.enqueue(Record::new(value).partition(partition)).expect("room");
    }
    producer.close().await.expect("acknowledged");
}

async fn earliest(client: &Client) -> Consumer {
    client.consumer("t").start(Start::Earliest).build().await.expect("subscribes")
}

/// Reads until `count` records came: `(partition, offset)` of each.
async fn read(consumer: &mut Consumer, count: usize) -> Vec<(u32, u64)> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let batch = timeout(Duration::from_secs(5), consumer.next_batch());
        let batch = batch.await.expect("in time").expect("delivered").expect("open");
        assert!(!batch.is_empty());
        seen.extend(batch.iter().map(|record| (record.partition(), record.offset())));
    }
    seen
}

#[tokio::test]
async fn every_record_of_every_partition_comes_once_and_in_order() {
    let (_server, client) = start(3).await;
    for partition in 0..3 {
        fill(&client, partition, 4, 5, 10).await;
    }
    let mut consumer = earliest(&client).await;
    assert_eq!(consumer.lag(), 60);
    let seen = read(&mut consumer, 60).await;
    for partition in 0..3 {
        let offsets: Vec<u64> =
            seen.iter().filter(|(p, _)| *p == partition).map(|(_, offset)| *offset).collect();
        assert_eq!(offsets, (0..20).collect::<Vec<u64>>());
    }
    assert_eq!(consumer.lag(), 0);
    let positions = consumer.positions();
    assert!(positions.iter().all(|at| (at.next_offset, at.end_offset) == (20, 20)));
}

#[tokio::test]
async fn records_arrive_as_they_are_produced() {
    let (_server, client) = start(1).await;
    fill(&client, 0, 1, 3, 1).await;
    let mut consumer = client.consumer("t").build().await.expect("subscribes");
    assert!(timeout(SHORT, consumer.next_batch()).await.is_err(), "it begins at the end");
    let producer = client.producer("t").build().await.expect("opens");
    for offset in 3..6 {
        producer.send(Record::new("x")).await.expect("acknowledged");
        assert_eq!(read(&mut consumer, 1).await, [(0, offset)]);
    }
}

#[tokio::test]
async fn records_before_the_wanted_offset_are_skipped() {
    let (_server, client) = start(2).await;
    fill(&client, 0, 2, 10, 1).await;
    fill(&client, 1, 2, 10, 1).await;
    let builder = client.consumer("t").start(Start::Offset(15)).start_at(1, 4);
    let mut consumer = builder.build().await.expect("subscribes");
    let mut seen = read(&mut consumer, 21).await;
    seen.sort_unstable();
    let expected: Vec<(u32, u64)> =
        (15..20).map(|offset| (0, offset)).chain((4..20).map(|offset| (1, offset))).collect();
    assert_eq!(seen, expected);

    let fetched = client.fetch("t", 0, 7, FetchOptions::default()).await.expect("fetched");
    assert_eq!(fetched.batches[0].base_offset(), 7);
    assert_eq!((fetched.next_offset, fetched.end_offset), (20, 20));
}

#[tokio::test]
async fn only_the_partitions_asked_for_are_consumed() {
    let (_server, client) = start(3).await;
    for partition in 0..3 {
        fill(&client, partition, 1, 2, 1).await;
    }
    let builder = client.consumer("t").start(Start::Earliest).partitions([2, 0, 2]);
    let mut consumer = builder.build().await.expect("subscribes");
    let mut seen = read(&mut consumer, 4).await;
    seen.sort_unstable();
    assert_eq!(seen, [(0, 0), (0, 1), (2, 0), (2, 1)]);
    assert!(timeout(SHORT, consumer.next_batch()).await.is_err());

    let error = client.consumer("t").partitions([3]).build().await.expect_err("none");
    assert_eq!(error.code(), Code::PARTITION_NOT_FOUND);
    for wrong in [client.consumer("t").partitions([]), client.consumer("t").start_at(9, 0)] {
        let error = wrong.build().await.expect_err("makes no sense");
        assert_eq!(error.code(), Code::INVALID_ARGUMENT);
    }
}

/// Polls a future once, and drops it.
async fn once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[tokio::test]
async fn a_future_dropped_half_way_loses_nothing() {
    let (_server, client) = start(1).await;
    let mut consumer = earliest(&client).await;
    let producer = client.producer("t").build().await.expect("opens");
    let sending = tokio::spawn(async move {
        for _ in 0..200 {
            producer.send(Record::new("x")).await.expect("acknowledged");
        }
    });
    let mut seen = Vec::new();
    let mut dropped = 0;
    while seen.len() < 200 {
        // Batches and records by turns, each given up after one look.
        let offsets: Vec<u64> = if seen.len() % 2 == 0 {
            match once(consumer.next_batch()).await {
                Some(batch) => {
                    let batch = batch.expect("delivered").expect("open");
                    batch.iter().map(|record| record.offset()).collect()
                }
                None => Vec::new(),
            }
        } else {
            match once(consumer.next_record()).await {
                Some(record) => vec![record.expect("delivered").expect("open").offset()],
                None => Vec::new(),
            }
        };
        dropped += usize::from(offsets.is_empty());
        seen.extend(offsets);
        tokio::task::yield_now().await;
    }
    sending.await.expect("no panic");
    assert_eq!(seen, (0..200).collect::<Vec<u64>>());
    assert!(dropped > 0, "no future was dropped");
}

#[tokio::test]
async fn records_come_one_by_one_and_the_rest_of_a_batch_as_a_batch() {
    let (_server, client) = start(1).await;
    fill(&client, 0, 1, 5, 1).await;
    let mut consumer = earliest(&client).await;
    for offset in 0..2 {
        let record = consumer.next_record().await.expect("delivered").expect("open");
        assert_eq!(record.offset(), offset);
        assert_eq!(record.value(), Some(offset.to_string().as_bytes()));
        assert_eq!(record.value_bytes().as_deref(), record.value());
        assert_eq!(consumer.positions()[0].next_offset, offset + 1);
    }
    assert_eq!(read(&mut consumer, 3).await, [(0, 2), (0, 3), (0, 4)]);
}

#[tokio::test]
async fn no_more_than_the_credit_and_one_batch_is_sent_and_it_resumes() {
    let (server, client) = start(1).await;
    fill(&client, 0, 40, 1, 10_000).await;
    let builder = client.consumer("t").start(Start::Earliest).prefetch_bytes(65_536);
    let mut consumer = builder.build().await.expect("subscribes");
    let batch_len = 10_000 + 200;
    let delivered = |server: &Server| server.log().delivered_bytes.values().sum::<u64>();
    tokio::time::sleep(SHORT).await;
    let mut taken = 0;
    for _ in 0..40 {
        assert!(delivered(&server) <= taken + 65_536 + batch_len);
        let batch = consumer.next_batch().await.expect("delivered").expect("open");
        taken += batch.bytes().len() as u64;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(consumer.positions()[0].next_offset, 40);
    let credits = server.log().credits.len();
    assert!((5..20).contains(&credits), "granted by halves of the window: {credits}");
}

/// With the whole window held, the first credit on a new connection is nothing. What is taken
/// before the server answers makes room that only the answer can be followed by.
#[tokio::test]
async fn a_full_window_that_is_emptied_while_it_is_subscribed_again_fills_again() {
    let (server, client) = start(1).await;
    fill(&client, 0, 20, 1, 10_000).await;
    let builder = client.consumer("t").start(Start::Earliest).prefetch_bytes(65_536);
    let mut consumer = builder.build().await.expect("subscribes");
    server
        .until("a full window", |log| log.delivered_bytes.values().sum::<u64>() >= 65_536)
        .await;
    // Everything that was sent is here once an answer behind it is.
    client.ping().await.expect("the connection is good");
    server.faults(|faults| _ = faults.delays_ms.insert(Kind::SUBSCRIBE, 300));
    server.cut();
    server.until("the question", |log| log.subscribed == 2).await;
    let seen = read(&mut consumer, 20).await;
    assert!(seen.iter().map(|(_, offset)| *offset).eq(0..20), "{seen:?}");
}

#[tokio::test]
async fn a_batch_over_the_window_passes() {
    let (_server, client) = start(1).await;
    fill(&client, 0, 3, 1, 300_000).await;
    let builder = client.consumer("t").start(Start::Earliest).prefetch_bytes(65_536);
    let mut consumer = builder.build().await.expect("subscribes");
    assert_eq!(read(&mut consumer, 3).await.len(), 3);
}

#[tokio::test]
async fn a_stalled_partition_does_not_starve_another() {
    let (server, client) = start(2).await;
    server.faults(|faults| faults.stall_partition = Some(0));
    fill(&client, 0, 2, 1, 1).await;
    fill(&client, 1, 20, 1, 1).await;
    let mut consumer = earliest(&client).await;
    assert!(read(&mut consumer, 20).await.iter().all(|(partition, _)| *partition == 1));
    server.faults(|faults| faults.stall_partition = None);
    assert_eq!(read(&mut consumer, 2).await, [(0, 0), (0, 1)]);
}

#[tokio::test]
async fn partitions_take_turns() {
    let (_server, client) = start(2).await;
    fill(&client, 0, 30, 1, 1).await;
    fill(&client, 1, 5, 1, 1).await;
    let mut consumer = earliest(&client).await;
    tokio::time::sleep(SHORT).await;
    let seen = read(&mut consumer, 12).await;
    let of_the_second = seen.iter().filter(|(partition, _)| *partition == 1).count();
    assert_eq!(of_the_second, 5, "{seen:?}");
}

#[tokio::test]
async fn a_damaged_batch_ends_its_partition_and_no_other() {
    let (server, client) = start(2).await;
    fill(&client, 0, 3, 1, 1).await;
    fill(&client, 1, 3, 1, 1).await;
    server.faults(|faults| faults.damage_partition = Some(1));
    let mut consumer = earliest(&client).await;
    let mut good = Vec::new();
    let mut bad = Vec::new();
    while good.len() < 3 || bad.is_empty() {
        match consumer.next_batch().await {
            Ok(batch) => good.push(batch.expect("open").partition()),
            Err(error) => bad.push(error),
        }
    }
    assert_eq!(good, [0, 0, 0]);
    assert_eq!(bad.len(), 1);
    assert_eq!(bad[0].code(), Code::CORRUPT_DELIVERY);
    let text = bad[0].to_string();
    assert!(text.contains("offset 0 of default/t partition 1"), "{text}");
    assert!(timeout(SHORT, consumer.next_batch()).await.is_err(), "partition 0 goes on");
    server.until("its end", |log| log.unsubscribed == 1).await;
}

#[tokio::test]
async fn a_server_that_ignores_credit_is_cut_off() {
    let (server, client) = start(1).await;
    fill(&client, 0, 12, 1, 1 << 20).await;
    server.faults(|faults| faults.ignore_credit = true);
    let builder = client.consumer("t").start(Start::Earliest).prefetch_bytes(65_536);
    let mut consumer = builder.build().await.expect("subscribes");
    server
        .until("everything", |log| log.delivered_bytes.values().sum::<u64>() > 12 << 20)
        .await;
    client.ping().await.expect("all of it arrived");
    let mut batches = 0;
    let error = loop {
        match consumer.next_batch().await {
            Ok(_) => batches += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((batches, error.code()), (8, Code::UNEXPECTED_FRAME));
}

#[tokio::test]
async fn the_end_of_a_subscription_is_an_error_after_what_came_before() {
    let (_server, client) = start(1).await;
    fill(&client, 0, 2, 1, 1).await;
    let mut consumer = earliest(&client).await;
    tokio::time::sleep(SHORT).await;
    client.delete_topic("t").await.expect("deleted");
    assert_eq!(read(&mut consumer, 2).await.len(), 2);
    for _ in 0..2 {
        let error = consumer.next_batch().await.expect_err("ended");
        assert_eq!(error.code(), Code::TOPIC_NOT_FOUND);
    }
}

#[tokio::test]
async fn an_offset_that_is_not_there_comes_with_those_that_are() {
    let (server, client) = start(2).await;
    fill(&client, 1, 1, 9, 1).await;
    server.trim("t", 1, 4);
    let options = FetchOptions::default();
    for offset in [3, 10] {
        let error = client.fetch("t", 1, offset, options).await.expect_err("not there");
        assert_eq!((error.code(), error.offsets()), (Code::OFFSET_OUT_OF_RANGE, Some(4..9)));
        let builder = client.consumer("t").partitions([1]).start(Start::Offset(offset));
        let error = builder.build().await.expect_err("not there");
        assert_eq!((error.code(), error.offsets()), (Code::OFFSET_OUT_OF_RANGE, Some(4..9)));
        assert!(error.to_string().contains(&offset.to_string()), "{error}");
    }
}

#[tokio::test]
async fn a_cut_is_not_noticed_and_what_came_before_it_is_not_fetched_again() {
    let (server, client) = start(2).await;
    fill(&client, 0, 2, 5, 1).await;
    fill(&client, 1, 1, 5, 1).await;
    let mut consumer = earliest(&client).await;
    let first = consumer.next_record().await.expect("delivered").expect("open");
    assert_eq!(first.offset(), 0);
    tokio::time::sleep(SHORT).await;
    server.faults(|faults| faults.turn_away = true);
    server.cut();
    server.until("the cut", |log| log.connections_ended > 0).await;
    let mut seen = read(&mut consumer, 14).await;
    server.faults(|faults| faults.turn_away = false);
    server.until("subscriptions", |log| log.subscribed == 4).await;
    fill(&client, 0, 1, 5, 1).await;
    seen.extend(read(&mut consumer, 5).await);
    seen.push((first.partition(), 0));
    seen.sort_unstable();
    let expected: Vec<(u32, u64)> =
        (0..15).map(|offset| (0, offset)).chain((0..5).map(|offset| (1, offset))).collect();
    assert_eq!(seen, expected);
    assert_eq!(consumer.stats().resubscriptions, 2);
}

/// Cuts at seeded places, in the middle of frames too.
#[tokio::test]
async fn every_record_comes_once_and_in_order_wherever_the_connection_is_cut() {
    for seed in 0..12u64 {
        let (server, client) = start(2).await;
        fill(&client, 0, 20, 7, 300).await;
        fill(&client, 1, 20, 3, 900).await;
        client.close().await.expect("closes");
        server.faults(|faults| {
            faults.cuts = (0..10u64)
                .map(|i| Cut {
                    after_read: usize::MAX,
                    after_written: 400 + ((seed * 7_919 + i * 104_729) % 15_000) as usize,
                })
                .collect();
        });
        let url = format!("{}/?retry_backoff_ms=1&retry_backoff_max_ms=4", server.url());
        let client = Client::connect(&url).await.expect("connects");
        let builder = client.consumer("t").start(Start::Earliest).prefetch_bytes(65_536);
        let mut consumer = builder.build().await.expect("subscribes");
        let seen = read(&mut consumer, 200).await;
        for (partition, count) in [(0, 140), (1, 60)] {
            let offsets: Vec<u64> =
                seen.iter().filter(|(p, _)| *p == partition).map(|(_, o)| *o).collect();
            assert_eq!(offsets, (0..count).collect::<Vec<u64>>(), "seed {seed}");
        }
        assert!(timeout(SHORT, consumer.next_batch()).await.is_err(), "nothing twice");
        assert!(server.log().connections > 3, "seed {seed} cut nothing");
    }
}

#[tokio::test]
async fn a_place_that_retention_has_overtaken_is_an_error_with_the_offsets() {
    let (server, client) = start(1).await;
    fill(&client, 0, 3, 1, 1).await;
    let builder = client.consumer("t").start(Start::Earliest);
    let builder = builder.on_out_of_range(OnOutOfRange::Error);
    let mut consumer = builder.build().await.expect("subscribes");
    assert_eq!(read(&mut consumer, 3).await.len(), 3);
    server.faults(|faults| faults.turn_away = true);
    server.cut();
    server.until("the cut", |log| log.connections_ended > 0).await;
    server.append_and_trim("t", 0, 5);
    server.faults(|faults| faults.turn_away = false);
    let error = consumer.next_batch().await.expect_err("overtaken");
    assert_eq!((error.code(), error.offsets()), (Code::OFFSET_OUT_OF_RANGE, Some(5..5)));
    consumer.seek(0, Start::Latest).expect("it is read");
    fill(&client, 0, 1, 1, 1).await;
    consumer.seek(0, Start::Earliest).expect("it is read");
    assert_eq!(read(&mut consumer, 1).await, [(0, 5)]);
}

#[tokio::test]
async fn a_topic_that_was_created_anew_is_not_taken_for_the_old_one() {
    let (server, client) = start(1).await;
    fill(&client, 0, 3, 1, 1).await;
    let mut consumer = earliest(&client).await;
    assert_eq!(read(&mut consumer, 3).await.len(), 3);
    server.recreate("t");
    server.cut();
    let error = consumer.next_batch().await.expect_err("another topic");
    assert_eq!(error.code(), Code::TOPIC_NOT_FOUND);
    assert!(error.to_string().contains("another created"), "{error}");
}

#[tokio::test]
async fn partitions_come_and_go_pause_and_seek_while_it_runs() {
    let (server, client) = start(3).await;
    for partition in 0..3 {
        fill(&client, partition, 2, 5, 1).await;
    }
    let builder = client.consumer("t").start(Start::Earliest).partitions([0]);
    let mut consumer = builder.build().await.expect("subscribes");
    assert_eq!(read(&mut consumer, 5).await.len(), 5);
    let removed = consumer.remove_partition(0).expect("no group").expect("it was read");
    assert_eq!((removed.next_offset, removed.end_offset), (5, 10));
    assert!(timeout(SHORT, consumer.next_batch()).await.is_err(), "nothing is read");
    server.until("its end", |log| log.unsubscribed == 1).await;

    consumer.add_partition(1, Start::Offset(8)).expect("no group");
    assert_eq!(read(&mut consumer, 2).await, [(1, 8), (1, 9)]);
    consumer.pause(1).expect("it is read");
    fill(&client, 1, 1, 2, 1).await;
    consumer.add_partition(2, Start::Offset(9)).expect("no group");
    assert_eq!(read(&mut consumer, 1).await, [(2, 9)]);
    assert!(timeout(SHORT, consumer.next_batch()).await.is_err(), "1 is paused");
    server.cut();
    server.until("subscriptions", |log| log.subscribed == 5).await;
    consumer.resume(1).expect("it is read");
    assert_eq!(read(&mut consumer, 2).await, [(1, 10), (1, 11)]);

    // In the middle of a batch.
    consumer.seek(1, Start::Offset(5)).expect("it is read");
    let record = consumer.next_record().await.expect("delivered").expect("open");
    assert_eq!(record.offset(), 5);
    consumer.seek(1, Start::Offset(2)).expect("it is read");
    assert_eq!(read(&mut consumer, 3).await, [(1, 2), (1, 3), (1, 4)]);
    let unknown = consumer.seek(0, Start::Earliest).expect_err("it is not read");
    assert_eq!(unknown.code(), Code::PARTITION_NOT_FOUND);
    assert_eq!(consumer.stats().partitions, 2);
}

#[tokio::test]
async fn a_server_that_cannot_be_used_any_more_is_an_error_every_time() {
    let (server, client) = start(1).await;
    let mut consumer = earliest(&client).await;
    server.faults(|faults| faults.other_server_id = Some(77));
    server.cut();
    for _ in 0..2 {
        let error = consumer.next_batch().await.expect_err("other data");
        assert_eq!(error.code(), Code::CONNECT_FAILED);
        assert!(error.to_string().contains("other data"), "{error}");
    }
}

#[tokio::test]
async fn closing_ends_the_waiting() {
    let (server, client) = start(2).await;
    let mut consumer = earliest(&client).await;
    let closer = consumer.control();
    let waiting = tokio::spawn(async move { (consumer.next_batch().await, consumer) });
    tokio::time::sleep(SHORT).await;
    closer.close();
    let (batch, consumer) = waiting.await.expect("no panic");
    assert!(batch.expect("no error").is_none());
    consumer.close().await;
    assert_eq!(server.log().unsubscribed, 2);

    let mut consumer = earliest(&client).await;
    let waiting = tokio::spawn(async move { consumer.next_record().await });
    tokio::time::sleep(SHORT).await;
    client.close().await.expect("closes");
    assert!(waiting.await.expect("no panic").expect("no error").is_none());
}

#[tokio::test]
async fn a_dropped_consumer_unsubscribes() {
    let (server, client) = start(3).await;
    drop(earliest(&client).await);
    server.until("its end", |log| log.unsubscribed == 3).await;
    client.ping().await.expect("the client goes on");
}

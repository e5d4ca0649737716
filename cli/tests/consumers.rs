//! Consumers against a real server, whoever they are: what each way of storing offsets promises,
//! names without a group, moving and pausing within a group, and records deleted unread.

mod support;

use std::time::Duration;

use support::raw::PATIENCE;
use support::server::TestServer;
use tidewire::{
    AutoCommit, Client, Code, Consumer, ConsumerBuilder, Event, OnOutOfRange, Record, Start,
    TopicConfig,
};
use tokio::time::timeout;

/// A server, a client, and a topic `t`.
async fn world(partitions: u32) -> (TestServer, Client) {
    let server = TestServer::start();
    let client = Client::connect(&server.url()).await.expect("a server");
    let config = TopicConfig::default().partitions(partitions);
    client.create_topic("t", config).await.expect("new");
    (server, client)
}

/// Sends batches of two records to a partition of a topic.
async fn fill(client: &Client, topic: &str, partition: u32, batches: usize) {
    let builder = client.producer(topic).batch_records(2).linger_ms(60_000);
    let producer = builder.build().await.expect("opens");
    for _ in 0..batches * 2 {
        producer.enqueue(Record::new("x").partition(partition)).expect("room");
    }
    producer.close().await.expect("acknowledged");
}

/// The offsets of the next batch.
async fn next(consumer: &mut Consumer) -> Vec<u64> {
    let batch = timeout(PATIENCE, consumer.next_batch()).await.expect("in time");
    batch.expect("delivered").expect("open").iter().map(|record| record.offset()).collect()
}

async fn nothing_comes(consumer: &mut Consumer) {
    let more = timeout(Duration::from_millis(50), consumer.next_batch()).await;
    assert!(more.is_err(), "{more:?}");
}

/// What is stored for partition 0 of `t`.
async fn stored(client: &Client, name: &str) -> Option<u64> {
    match client.committed(name, "t").await {
        Ok(stored) => stored[0].as_ref().map(|stored| stored.offset),
        Err(error) if error.code() == Code::GROUP_NOT_FOUND => None,
        Err(error) => panic!("{error:?}"),
    }
}

/// The two ways to store offsets: under a name, and as a group.
fn both(client: &Client) -> [(&'static str, ConsumerBuilder); 2] {
    let builder = || client.consumer("t").start(Start::Earliest);
    [("alone", builder().name("alone")), ("together", builder().group("together"))]
}

#[tokio::test(flavor = "multi_thread")]
async fn by_hand_only_what_was_committed_is_stored() {
    let (_server, client) = world(1).await;
    fill(&client, "t", 0, 3).await;
    for (name, builder) in both(&client) {
        let mut consumer = builder.clone().build().await.expect("begins");
        assert_eq!(next(&mut consumer).await, [0, 1]);
        consumer.commit().await.expect("stored");
        assert_eq!(next(&mut consumer).await, [2, 3]);
        assert_eq!(consumer.stats().stored_offsets, 1);
        assert_eq!(consumer.positions()[0].stored_offset, Some(2));
        consumer.close().await;
        assert_eq!(stored(&client, name).await, Some(2));

        let mut consumer = builder.build().await.expect("begins");
        let batch = consumer.next_batch().await.expect("delivered").expect("open");
        assert_eq!(batch.base_offset(), 2, "it goes on behind what was committed");
        consumer.commit_batch(&batch).await.expect("stored");
        assert_eq!(stored(&client, name).await, Some(4));
        consumer.commit_offset(0, 3).await.expect("it never moves back");
        assert_eq!(stored(&client, name).await, Some(4));
        consumer.commit_offset(("t", 0), 6).await.expect("stored");
        assert_eq!(stored(&client, name).await, Some(6));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_batch_in_hand_a_part_is_stored_and_all_of_other_partitions() {
    let (_server, client) = world(2).await;
    fill(&client, "t", 0, 1).await;
    fill(&client, "t", 1, 1).await;
    for (name, builder) in both(&client) {
        let mut consumer = builder.build().await.expect("begins");
        assert_eq!(next(&mut consumer).await, [0, 1]);
        assert_eq!(next(&mut consumer).await, [0, 1]);
        let control = consumer.control();
        let committed = async || {
            let stored = client.committed(name, "t").await.expect("known");
            let offsets = stored.iter().map(|stored| stored.as_ref().map(|one| one.offset));
            offsets.collect::<Vec<_>>()
        };
        control.commit_until(0, 1).await.expect("stored");
        assert_eq!(committed().await, [Some(1), Some(2)]);
        control.commit_until(("t", 0), 9).await.expect("stored");
        assert_eq!(committed().await, [Some(2), Some(2)], "no further than what was returned");
        consumer.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_batch_is_stored_before_the_next_is_returned() {
    let (_server, client) = world(1).await;
    fill(&client, "t", 0, 3).await;
    for (name, builder) in both(&client) {
        let builder = builder.auto_commit(AutoCommit::After);
        let mut consumer = builder.build().await.expect("begins");
        next(&mut consumer).await;
        assert_eq!(stored(&client, name).await, None, "its work is not done");
        next(&mut consumer).await;
        assert_eq!(stored(&client, name).await, Some(2));
        // Dropped, as in a crash: what was in work comes again.
        drop(consumer);
        let builder = match name {
            "alone" => client.consumer("t").name(name),
            _ => client.consumer("t").group(name),
        };
        let mut consumer = builder.build().await.expect("begins");
        assert_eq!(next(&mut consumer).await, [2, 3]);
        consumer.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_batch_is_returned_it_is_stored() {
    let (_server, client) = world(1).await;
    fill(&client, "t", 0, 3).await;
    for (name, builder) in both(&client) {
        let builder = builder.auto_commit(AutoCommit::Before);
        let mut consumer = builder.build().await.expect("begins");
        next(&mut consumer).await;
        assert_eq!(stored(&client, name).await, Some(2));
        let record = consumer.next_record().await.expect("delivered").expect("open");
        assert_eq!(record.view().offset(), 2);
        assert_eq!(stored(&client, name).await, Some(4), "the whole batch, before its first");
        let record = consumer.next_record().await.expect("delivered").expect("open");
        assert_eq!(record.view().offset(), 3);
        consumer.close().await;
        assert_eq!(stored(&client, name).await, Some(4));
    }
}

/// A call that is given up while it stores returns the same batch the next time.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_being_stored_is_not_lost() {
    let (_server, client) = world(1).await;
    fill(&client, "t", 0, 20).await;
    for (_, builder) in both(&client) {
        let builder = builder.auto_commit(AutoCommit::Before);
        let mut consumer = builder.build().await.expect("begins");
        let (mut seen, mut given_up) = (Vec::new(), 0);
        while seen.len() < 40 {
            let wait = Duration::from_micros(100 * (1 + given_up % 20));
            match timeout(wait, consumer.next_batch()).await {
                Ok(batch) => {
                    let batch = batch.expect("delivered").expect("open");
                    seen.extend(batch.iter().map(|record| record.offset()));
                }
                Err(_) => given_up += 1,
            }
        }
        assert_eq!(seen, (0..40).collect::<Vec<u64>>());
        consumer.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_an_interval_what_was_done_is_stored_and_the_rest_at_the_close() {
    let (_server, client) = world(1).await;
    fill(&client, "t", 0, 3).await;
    for (name, builder) in both(&client) {
        let builder = builder.auto_commit(AutoCommit::Interval).auto_commit_interval_ms(1);
        let mut consumer = builder.build().await.expect("begins");
        next(&mut consumer).await;
        next(&mut consumer).await;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while stored(&client, name).await != Some(2) {
            assert!(tokio::time::Instant::now() < deadline, "waited {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Another task may do it, too.
        let control = consumer.control();
        control.close();
        control.closed().await;
        assert_eq!(stored(&client, name).await, Some(4));
        assert!(consumer.next_batch().await.expect("no error").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn record_by_record_progress_counts_records() {
    let (_server, client) = world(1).await;
    fill(&client, "t", 0, 2).await;
    for (name, builder) in both(&client) {
        let mut consumer = builder.build().await.expect("begins");
        for offset in 0..3 {
            let record = consumer.next_record().await.expect("delivered").expect("open");
            assert_eq!(record.view().offset(), offset);
        }
        consumer.commit().await.expect("stored");
        assert_eq!(stored(&client, name).await, Some(3));
        consumer.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_seeks_and_pauses_what_it_has() {
    let (_server, client) = world(2).await;
    fill(&client, "t", 0, 3).await;
    let mut consumer =
        client.consumer("t").group("g").start(Start::Earliest).build().await.expect("joins");
    for at in [[0, 1], [2, 3], [4, 5]] {
        assert_eq!(next(&mut consumer).await, at);
    }
    consumer.commit().await.expect("stored");
    consumer.seek(0, Start::Offset(3)).expect("it has it");
    assert_eq!(next(&mut consumer).await, [3]);
    // What is stored does not move back with it.
    consumer.commit().await.expect("nothing to store");
    assert_eq!(stored(&client, "g").await, Some(6));
    consumer.pause(("default/t", 0)).expect("it has it");
    nothing_comes(&mut consumer).await;
    fill(&client, "t", 1, 1).await;
    assert_eq!(next(&mut consumer).await, [0, 1], "the other partition goes on");
    consumer.resume(0).expect("it has it");
    assert_eq!(next(&mut consumer).await, [4, 5]);
    assert_eq!(consumer.lag(), 0);
    let names: Vec<u32> = consumer.assignment().iter().map(|each| each.partition).collect();
    assert_eq!(names, [0, 1]);
    assert_eq!(consumer.stats().partitions, 2);
    assert!(consumer.member().is_some());

    let error = consumer.seek(2, Start::Earliest).expect_err("there is none");
    assert_eq!(error.code(), Code::PARTITION_NOT_FOUND);
    let error = consumer.add_partition(0, Start::Earliest).expect_err("the group decides");
    assert_eq!(error.code(), Code::INVALID_ARGUMENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_topics_are_read_by_one_consumer() {
    let (_server, client) = world(1).await;
    client.create_topic("u", TopicConfig::default()).await.expect("new");
    fill(&client, "t", 0, 1).await;
    fill(&client, "u", 0, 2).await;
    let builder = || client.consumer("t").topic("u").start(Start::Earliest);
    for builder in [builder(), builder().name("n"), builder().group("g")] {
        let mut consumer = builder.build().await.expect("begins");
        let mut count = 0;
        while count < 6 {
            count += next(&mut consumer).await.len();
        }
        nothing_comes(&mut consumer).await;
        let error = consumer.seek(0, Start::Earliest).expect_err("of which topic?");
        assert_eq!(error.code(), Code::INVALID_ARGUMENT);
        consumer.seek(("u", 0), Start::Offset(3)).expect("it has it");
        assert_eq!(next(&mut consumer).await, [3]);
        let at: Vec<_> =
            consumer.positions().into_iter().map(|at| (at.topic, at.next_offset)).collect();
        assert_eq!(at, [("default/t".to_owned(), 2), ("default/u".to_owned(), 4)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn options_that_contradict_each_other_are_refused() {
    let (_server, client) = world(1).await;
    let of = || client.consumer("t");
    for (what, builder) in [
        ("group and name", of().group("g").name("n")),
        ("partitions of a group", of().group("g").partitions([0])),
        ("start_at of a group", of().group("g").start_at(0, 0)),
        ("partitions of two topics", of().topic("u").partitions([0])),
        ("a member without a group", of().member_name("m")),
        ("nowhere to store", of().auto_commit(AutoCommit::After)),
    ] {
        let error = builder.build().await.expect_err(what);
        assert_eq!(error.code(), Code::INVALID_ARGUMENT, "{what}: {error}");
    }
    let error = of().group("a/b").build().await.expect_err("a name");
    assert_eq!(error.code(), Code::INVALID_NAME);
    let consumer = of().build().await.expect("begins");
    let error = consumer.commit().await.expect_err("nowhere to store");
    assert_eq!(error.code(), Code::INVALID_ARGUMENT);
    let _member = of().group("g").build().await.expect("joins");
    let error = of().name("g").build().await.expect_err("a group at work");
    assert_eq!(error.code(), Code::GROUP_NOT_EMPTY);
}

/// What retention, or somebody, deleted before it was read.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_unread_is_skipped_and_told_or_is_an_error() {
    let (_server, client) = world(1).await;
    fill(&client, "t", 0, 1).await;
    for (name, builder) in both(&client) {
        let mut consumer = builder.build().await.expect("begins");
        assert_eq!(next(&mut consumer).await, [0, 1]);
        consumer.commit().await.expect("stored");
        consumer.close().await;
        assert_eq!(stored(&client, name).await, Some(2));
    }
    fill(&client, "t", 0, 2).await;
    client.truncate("t", 0, 4).await.expect("deleted");
    for (on_out_of_range, expected) in
        [(OnOutOfRange::Earliest, Some(vec![4, 5])), (OnOutOfRange::Latest, None)]
    {
        for (_, builder) in both(&client) {
            let mut events = client.events();
            let builder = builder.on_out_of_range(on_out_of_range);
            let mut consumer = builder.build().await.expect("begins");
            match &expected {
                Some(expected) => assert_eq!(&next(&mut consumer).await, expected),
                None => nothing_comes(&mut consumer).await,
            }
            let to = if expected.is_some() { 4 } else { 6 };
            loop {
                let event = timeout(PATIENCE, events.next()).await.expect("in time");
                let Event::RecordsSkipped { topic, partition, from_offset, to_offset } =
                    event.expect("open")
                else {
                    continue;
                };
                assert_eq!((topic.as_str(), partition), ("default/t", 0));
                assert_eq!((from_offset, to_offset), (2, to));
                break;
            }
            assert_eq!(consumer.stats().skipped_offsets, to - 2);
            consumer.close().await;
        }
    }
    let [(_, alone), (_, together)] = both(&client);
    let error = alone.on_out_of_range(OnOutOfRange::Error).build().await.expect_err("deleted");
    assert_eq!((error.code(), error.offsets()), (Code::OFFSET_OUT_OF_RANGE, Some(4..6)));
    let builder = together.on_out_of_range(OnOutOfRange::Error);
    let mut consumer = builder.build().await.expect("joins");
    let error = consumer.next_batch().await.expect_err("deleted");
    assert_eq!((error.code(), error.offsets()), (Code::OFFSET_OUT_OF_RANGE, Some(4..6)));
    consumer.seek(0, Start::Earliest).expect("it has it");
    assert_eq!(next(&mut consumer).await, [4, 5]);
    // An offset that the application names has to exist.
    let named = client.consumer("t").start(Start::Offset(1)).build().await;
    assert_eq!(named.expect_err("deleted").code(), Code::OFFSET_OUT_OF_RANGE);
}

/// A consumer that is slower than retention shows what it has, and then goes on behind the gap.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_was_overtaken_shows_what_it_has_and_goes_on() {
    let (_server, client) = world(1).await;
    // More than its credit.
    let builder = client.producer("t").batch_records(1).linger_ms(60_000);
    let producer = builder.build().await.expect("opens");
    for _ in 0..40 {
        producer.send(Record::new(vec![7; 20_000])).await.expect("acknowledged");
    }
    let builder = client.consumer("t").start(Start::Earliest).prefetch_bytes(65_536);
    let mut consumer = builder.build().await.expect("begins");
    assert_eq!(next(&mut consumer).await, [0]);
    client.truncate("t", 0, 38).await.expect("deleted");
    let mut seen = Vec::new();
    while seen.last() != Some(&39) {
        seen.extend(next(&mut consumer).await);
    }
    let gap = seen.iter().position(|&offset| offset == 38).expect("it goes on there");
    assert_eq!(seen[..gap], (1..=gap as u64).collect::<Vec<_>>(), "what it had comes first");
    assert!(gap < 30, "it was sent less than everything");
    assert_eq!(seen[gap..], [38, 39]);
    assert_eq!(consumer.stats().skipped_offsets, 38 - (gap as u64 + 1));
}

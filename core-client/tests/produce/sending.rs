//! What is sent arrives as it was, in few appends, and is told one by one.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tidewire::{
    Acks, Code, Error, FetchOptions, Receipt, Record, RecordRef, Ticket, TopicConfig,
};
use tidewire_protocol::connection::ServerConfig;
use tidewire_protocol::error::Error as WireError;

use crate::support::Server;
use crate::{connect, id_of, open, start, values};

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

//! The queue by itself: what is gathered, sealed and bounded.

use tidewire_protocol::batch::Header;
use tidewire_protocol::message::{Acks, AppendReply};
use tidewire_protocol::session::{Identity, ProducerConfig, Sending};

use super::super::tickets::Tickets;
use super::*;

fn queue(partitions: u32, max_in_flight: usize, bounds: impl FnOnce(&mut Bounds)) -> Queue {
    let mut all = Bounds {
        linger_ms: 5,
        delivery_timeout_ms: 1_000,
        batch_bytes: 1 << 16,
        batch_records: 100,
        max_batch_len: 8 << 20,
        queue_bytes: 1 << 20,
        queue_full: QueueFull::Block,
        takes_ids: true,
    };
    bounds(&mut all);
    let config = ProducerConfig {
        max_in_flight,
        idempotent: true,
        acks: Acks::Synced,
        retry_backoff_ms: 10,
        retry_backoff_max_ms: 100,
        seed: 1,
    };
    let session = ProducerSession::new(config, Identity { producer_id: 8, producer_epoch: 1 });
    let topic = TopicName::parse("t").expect("good");
    Queue::new(topic, all, session, partitions, Codec::None, None)
}

fn value(bytes: &[u8]) -> RecordRef<'_> {
    RecordRef { value: Some(bytes), ..RecordRef::at(0) }
}

fn now() -> Time {
    Time::ZERO
}

/// Seals what can be sealed, and gives what may be sent.
fn next_send(queue: &mut Queue) -> Option<Sending> {
    while let Some(mut job) = queue.next_job() {
        job.seal();
        queue.finish(job);
    }
    queue.session.poll_send(now())
}

fn acknowledge(queue: &mut Queue, sending: &Sending) {
    let reply =
        AppendReply { base_offset: 0, append_time_us: 0, acks: Acks::Synced, duplicate: false };
    queue.session.handle_reply(now(), sending.attempt, Ok(reply));
    queue.collect(&mut Vec::new(), |_, _| {});
}

#[test]
fn records_without_a_key_stay_together_until_their_batch_is_sealed() {
    let mut queue = queue(3, 2, |bounds| bounds.batch_records = 2);
    let mut partitions = Vec::new();
    for _ in 0..6 {
        let (ticket, _) = queue.push(&value(b"x"), None, false, now).expect("room");
        partitions.push(ticket.partition());
    }
    assert_eq!(partitions, [2, 2, 0, 0, 1, 1]);
}

#[test]
fn a_batch_waits_for_its_deadline_and_no_longer() {
    let mut queue = queue(1, 2, |_| {});
    let (_, first) = queue.push(&value(b"a"), None, false, now).expect("room");
    let (_, second) = queue.push(&value(b"b"), None, false, now).expect("room");
    assert!(first.sooner && !second.sooner && !first.send);
    let until = queue.expire(now()).expect("one lingers");
    assert_eq!(until, now().plus_ms(5));
    assert!(next_send(&mut queue).is_none());
    queue.expire(until);
    assert_eq!(next_send(&mut queue).map(|batch| batch.records), Some(2));
}

#[test]
fn a_batch_lingers_no_longer_because_the_one_before_was_given_more_time() {
    let mut queue = queue(1, 2, |_| {});
    let mut time = now();
    for _ in 0..3 {
        queue.push(&value(b"a"), None, false, || time).expect("room");
        let until = queue.expire(time).expect("one lingers");
        assert_eq!(until, time.plus_ms(5));
        queue.expire(until);
        let sending = next_send(&mut queue).expect("expedited");
        acknowledge(&mut queue, &sending);
        time = until;
    }
}

#[test]
fn the_window_holds_and_records_gather_behind_it() {
    let mut queue = queue(1, 2, |_| {});
    let mut sent = Vec::new();
    for _ in 0..5 {
        queue.push(&value(b"x"), None, true, now).expect("room");
        sent.extend(next_send(&mut queue));
    }
    assert_eq!(sent.iter().map(|batch| batch.records).collect::<Vec<_>>(), [1, 1]);
    acknowledge(&mut queue, &sent[0]);
    assert_eq!(next_send(&mut queue).map(|batch| batch.records), Some(3));
}

#[test]
fn sequence_numbers_follow_the_records_of_each_partition_and_are_sealed_only_once() {
    let mut queue = queue(2, 9, |_| {});
    let mut seen = Vec::new();
    for partition in [0, 1, 0, 0] {
        for _ in 0..=partition {
            queue.push(&value(b"x"), Some(partition), false, now).expect("room");
        }
        queue.flush();
        let mut job = queue.next_job().expect("flushed");
        job.seal();
        let sealed = job.sealed.as_ref().expect("sealed").0.clone();
        queue.finish(job);
        let batch = next_send(&mut queue).expect("sealed");
        assert_eq!(batch.bytes.as_ptr(), sealed.as_ptr(), "what was predicted held");
        let header = Header::parse(&batch.bytes).expect("sealed");
        assert_eq!((header.producer_id, header.producer_epoch), (8, 1));
        seen.push((batch.partition, header.base_sequence));
    }
    assert_eq!(seen, [(0, 0), (1, 0), (0, 1), (0, 2)]);
}

#[test]
fn a_partition_is_sealed_by_one_at_a_time_and_others_are_not_held_up() {
    let mut queue = queue(2, 9, |bounds| bounds.batch_records = 1);
    for partition in [0, 0, 1] {
        queue.push(&value(b"x"), Some(partition), false, now).expect("room");
    }
    let first = queue.next_job().expect("partition 0");
    let other = queue.next_job().expect("partition 1");
    assert_eq!((first.partition, other.partition), (0, 1));
    assert!(queue.next_job().is_none() && !queue.has_job());
    assert_eq!(queue.flush().len(), 3, "those in other hands count");
    for mut job in [first, other] {
        job.seal();
        queue.finish(job);
    }
    assert_eq!(queue.next_job().map(|job| job.partition), Some(0));
}

#[test]
fn what_is_settled_makes_room() {
    let mut queue = queue(1, 2, |bounds| bounds.queue_bytes = 100);
    queue.push(&value(&[0; 90]), None, true, now).expect("room");
    let error = queue.push(&value(b"x"), None, true, now).expect_err("full");
    assert_eq!(error.code(), Code::QUEUE_FULL);
    let batch = next_send(&mut queue).expect("expedited");
    acknowledge(&mut queue, &batch);
    assert_eq!((queue.queued_bytes(), queue.has_room().expect("open")), (0, true));
    assert_eq!(queue.stats().queued_records, 0);
}

#[test]
fn a_record_that_is_dropped_has_its_outcome_at_once() {
    let mut queue = queue(1, 2, |bounds| {
        bounds.queue_bytes = 100;
        bounds.queue_full = QueueFull::Drop;
    });
    queue.push(&value(&[0; 90]), None, true, now).expect("room");
    let (mut ticket, _) = queue.push(&value(b"x"), None, true, now).expect("dropped");
    let outcome = ticket.try_receipt().expect("at once");
    assert_eq!(outcome.expect_err("dropped").code(), Code::QUEUE_FULL);
    assert_eq!((queue.stats().dropped_records, queue.stats().queued_records), (1, 1));
}

#[test]
fn what_could_not_be_sent_in_time_fails_even_if_its_batch_was_never_full() {
    let mut queue = queue(1, 2, |_| {});
    queue.session.handle_disconnected(now());
    let (mut ticket, _) = queue.push(&value(b"x"), None, false, now).expect("room");
    let mut time = now();
    while let Some(next) = queue.expire(time) {
        assert!(ticket.try_receipt().is_none());
        time = next;
        if time >= now().plus_ms(1_000) {
            queue.expire(time);
            break;
        }
    }
    assert!(next_send(&mut queue).is_none());
    queue.expire(time);
    queue.collect(&mut Vec::new(), |_, _| {});
    let error = ticket.try_receipt().expect("in time").expect_err("not sent");
    assert_eq!((error.code(), error.is_outcome_unknown()), (Code::TIMEOUT, false));
    assert_eq!(queue.queued_bytes(), 0);
}

#[test]
fn a_failure_is_told_once_unless_its_tickets_told_it() {
    let mut queue = queue(1, 2, |_| {});
    for claim in [false, true] {
        let (mut ticket, _) = queue.push(&value(b"x"), None, true, now).expect("room");
        let batch = next_send(&mut queue).expect("expedited");
        let error = tidewire_protocol::error::Error::new(Code::CORRUPT_BATCH, "bad");
        queue.session.handle_reply(now(), batch.attempt, Err(error));
        queue.collect(&mut Vec::new(), |_, _| {});
        if claim {
            assert!(ticket.try_receipt().is_some());
        }
        assert_eq!(queue.take_failure().is_some(), !claim);
        assert!(queue.take_failure().is_none());
    }
}

/// SPEC I-10
#[test]
fn without_acknowledgements_records_have_no_ids() {
    let mut queue = queue(1, 1, |bounds| bounds.takes_ids = false);
    let with_id = RecordRef { id: Some([7; 16]), ..value(b"x") };
    let error = queue.push(&with_id, None, false, now).expect_err("nobody would learn");
    assert_eq!(error.code(), Code::INVALID_ARGUMENT);
    queue.push(&value(b"x"), None, false, now).expect("without an id");
}

/// Seals and acknowledges all there is; what was in it, by partition.
fn drain(queue: &mut Queue) -> Vec<(u32, u32, Bytes)> {
    queue.flush();
    let mut batches = Vec::new();
    while let Some(sending) = next_send(queue) {
        batches.push((sending.partition, sending.records, sending.bytes.clone()));
        acknowledge(queue, &sending);
    }
    batches
}

/// Records of all kinds, in an order that looks random.
fn mixture<'a>(data: &'a [u8], headers: &'a [(&'a str, &'a [u8])]) -> Vec<RecordRef<'a>> {
    let mut random = 7_u32;
    let mut below = |bound: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) % bound
    };
    let mut records = Vec::new();
    for number in 0..3_000 {
        let len = match below(40) {
            0 => 5_000,
            1 => 0,
            _ => below(120) as usize,
        };
        records.push(RecordRef {
            value: (below(30) > 0).then_some(&data[..len]),
            key: (below(6) == 0).then_some(&data[..below(9) as usize]),
            headers: if below(12) == 0 { headers } else { &[] },
            timestamp_us: 1_000 + i64::from(number / (1 + below(50))),
            id: (below(25) == 0).then_some([below(200) as u8; 16]),
        });
    }
    records
}

#[test]
fn many_at_once_are_as_many_one_by_one() {
    let data = [b'x'; 5_000];
    let headers = [("name", &data[..20]), ("other", &[])];
    let records = mixture(&data, &headers);
    for partition in [None, Some(1)] {
        let bounds = |bounds: &mut Bounds| {
            (bounds.batch_bytes, bounds.batch_records) = (4_000, 37);
            bounds.queue_bytes = 1 << 30;
        };
        let (mut single, mut many) = (queue(3, 1_000, bounds), queue(3, 1_000, bounds));
        let mut numbers = Vec::new();
        for record in &records {
            let (ticket, _) = single.push(record, partition, false, now).expect("room");
            numbers.push((ticket.number(), ticket.partition()));
        }
        let (mut left, mut tickets) = (&records[..], Tickets::default());
        while !left.is_empty() {
            let mut pushed = Pushed::default();
            let before = left.len();
            many.push_many(&mut left, partition, &mut tickets, &mut pushed, now).expect("room");
            assert!(left.len() < before);
        }
        assert_eq!(tickets.len(), records.len());
        assert_eq!(tickets.numbers().collect::<Vec<_>>(), (0..3_000).collect::<Vec<_>>());
        assert_eq!(single.stats(), many.stats());
        assert_eq!(drain(&mut single), drain(&mut many));
        many.collect(&mut Vec::new(), |_, _| {});
        let told: Vec<_> = tickets
            .into_iter()
            .map(|mut ticket| {
                let receipt = ticket.try_receipt().expect("settled").expect("acknowledged");
                (ticket.number(), receipt.partition)
            })
            .collect();
        assert_eq!(told, numbers);
        assert_eq!((many.queued_bytes(), many.stats().queued_records), (0, 0));
    }
}

#[test]
fn of_many_the_first_are_taken_and_the_rest_refused() {
    let bounds = |bounds: &mut Bounds| bounds.queue_bytes = 1_000;
    let (mut single, mut many) = (queue(1, 2, bounds), queue(1, 2, bounds));
    let records = [value(b"twenty bytes, no more"); 100];
    let fits = records.iter().take_while(|r| single.push(r, None, false, now).is_ok()).count();
    let (mut left, mut tickets) = (&records[..], Tickets::default());
    let mut pushed = Pushed::default();
    let error = many
        .push_many(&mut left, None, &mut tickets, &mut pushed, now)
        .expect_err("there is no room for all");
    assert_eq!(error.code(), Code::QUEUE_FULL);
    assert_eq!((tickets.len(), left.len()), (fits, records.len() - fits));
    assert!(pushed.sooner, "what was taken lingers, and no longer than it may");
    assert_eq!(single.stats(), many.stats());
}

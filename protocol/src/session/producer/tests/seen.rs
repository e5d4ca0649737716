//! SPEC I-15: batches of which some records were seen before.

use super::*;

/// Ids that the partition has, at the offsets 0 to 9.
const OLD: [u8; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/// A partition that has `OLD`, and a session whose requests it has not read yet.
fn world() -> World {
    let log = stored(&batch_of_ids(u32::MAX, &OLD));
    World { log, requests: vec![VecDeque::new()], ..World::default() }
}

/// The server without its faults.
fn append(world: &mut World, bytes: &Bytes) -> Result<AppendReply, Error> {
    let claim = Claim::from(&Header::parse(bytes).expect("sealed"));
    let state = world.producers.entry(claim.producer_id).or_default();
    if let Verdict::Duplicate(first) = state.judge(&claim)? {
        return ok(first.base_offset).map(|reply| AppendReply { duplicate: true, ..reply });
    }
    let records = stored(bytes);
    judge_ids(&world.log, &records)?;
    let base_offset = world.log.len() as u64;
    state.accept(&claim, base_offset, 1);
    world.log.extend(records);
    ok(base_offset)
}

/// Sends, has all carried out and answers, until nothing is left.
fn settle_all(session: &mut ProducerSession<u32>, world: &mut World) -> Vec<(u32, Vec<Fate>)> {
    let mut settled = Vec::new();
    for round in 0.. {
        assert!(round < 100, "it does not end");
        let sent: Vec<Sending> = std::iter::from_fn(|| session.poll_send(Time::ZERO)).collect();
        let replies: Vec<_> =
            sent.iter().map(|sending| append(world, &sending.bytes)).collect();
        for (sending, reply) in sent.iter().zip(replies) {
            session.handle_reply(Time::ZERO, sending.attempt, reply);
        }
        if session.wants_identity() {
            let producer_id = session.identity().producer_id + 1;
            session.renew(Identity { producer_id, producer_epoch: 0 });
        }
        while let Some(event) = session.poll_event() {
            if let ProducerEvent::Settled { tag, records, parts, outcome, .. } = event {
                settled.push((tag, fates(records, &parts, &outcome)));
            }
        }
        if session.is_idle() {
            break;
        }
    }
    settled
}

fn new(offset: u64) -> Fate {
    Fate::At { offset, duplicate: false }
}

fn old(offset: u64) -> Fate {
    Fate::At { offset, duplicate: true }
}

/// Ids of a batch, and what becomes of its records; what is new stands from offset 10 on.
fn cases() -> Vec<(&'static str, Vec<u8>, Vec<Fate>)> {
    vec![
        ("none", vec![51, 0, 52], vec![new(10), new(11), new(12)]),
        ("start", vec![1, 2, 51, 0], vec![old(0), old(1), new(10), new(11)]),
        ("middle", vec![51, 4, 5, 52], vec![new(10), old(3), old(4), new(11)]),
        ("end", vec![0, 51, 10], vec![new(10), new(11), old(9)]),
        ("all", vec![3, 4, 5], vec![old(2), old(3), old(4)]),
        ("all, apart", vec![5, 3, 1, 7], vec![old(4), old(2), old(0), old(6)]),
        (
            "more ranges than an answer has",
            vec![1, 51, 3, 52, 5, 53, 7],
            vec![old(0), new(10), old(2), new(11), old(4), new(12), old(6)],
        ),
        (
            "twice in the batch",
            vec![51, 51, 52, 51, 2],
            vec![new(10), old(10), new(11), old(10), old(1)],
        ),
        ("twice, and seen", vec![2, 2], vec![old(1), old(1)]),
    ]
}

/// SPEC B-19: what is left of an encrypted batch is encrypted anew, under another nonce.
#[test]
#[cfg_attr(miri, ignore = "AES-256-GCM is assembly")]
fn the_rest_of_an_encrypted_batch_is_encrypted() {
    use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

    use crate::batch::{Compressor, EncryptionKey, Sealing};
    use crate::name::TopicName;

    static DRAWN: AtomicU8 = AtomicU8::new(0);
    let key = EncryptionKey::new(4, [9; 32]).expect("a number");
    let topic = TopicName::parse("shop/orders").expect("a name");
    let sealing = Sealing::new(key, topic, || [DRAWN.fetch_add(1, Relaxed); 24]);
    let mut builder = BatchBuilder::of_encrypted(1 << 16, 100);
    for id in [51u8, 2, 52] {
        let record = RecordRef { value: Some(&[id]), id: Some([id; 16]), ..RecordRef::at(0) };
        builder.push(&record).expect("room");
    }
    let sequence = Sequence::default();
    let bytes = builder.seal_encrypted(sequence, &mut Compressor::default(), &sealing, 6);
    let mut session = session(3);
    session.encrypt_with(sealing.clone());
    session.push(6, bytes, 3, ms(1_000), 0);
    let first = session.poll_send(Time::ZERO).expect("the batch");
    let seen = vec![SeenRange { first_index: 1, count: 1, base_offset: 1 }];
    let refusal = Error { seen, ..Error::new(Code::DUPLICATE_IDS, "") };
    session.handle_reply(Time::ZERO, first.attempt, Err(refusal));
    let second = session.poll_send(Time::ZERO).expect("the rest");
    let open = |bytes: &Bytes| {
        Batch::decode_with(bytes.clone(), &sealing.keys(), sealing.place(6)).expect("opened")
    };
    assert_ne!(first.bytes[88..112], second.bytes[88..112], "another nonce");
    let rest = open(&second.bytes);
    let ids: Vec<_> = rest.iter().filter_map(|record| record.id()).collect();
    assert_eq!((rest.header().key_id, ids), (4, vec![[51; 16], [52; 16]]));
    assert_eq!(open(&first.bytes).len(), 3);
}

/// Alone, with batches behind it, and with the connection lost before or after it was carried
/// out: the records that are new stand once and in order, and the receipts say where.
#[test]
fn what_was_seen_is_settled_and_the_rest_sealed_anew() {
    for (name, ids, expected) in cases() {
        for behind in 0..4u32 {
            for lost in [None, Some(false), Some(true)] {
                let mut world = world();
                let mut session = session(3);
                let records = ids.len() as u32;
                session.push(0, batch_of_ids(0, &ids), records, ms(1_000), 0);
                for tag in 1..=behind {
                    let ids = [100 + tag as u8, 0];
                    session.push(0, batch_of_ids(tag, &ids), 2, ms(1_000), tag);
                }
                if let Some(carried_out) = lost {
                    // No answer arrives, whatever came of it.
                    while let Some(sending) = session.poll_send(Time::ZERO) {
                        if carried_out {
                            let _ = append(&mut world, &sending.bytes);
                        }
                    }
                    session.handle_disconnected(Time::ZERO);
                    session.handle_connected();
                }
                let case = format!("{name}, {behind} behind, lost: {lost:?}");
                let settled = settle_all(&mut session, &mut world);
                let tags: Vec<u32> = settled.iter().map(|(tag, _)| *tag).collect();
                assert_eq!(tags, (0..=behind).collect::<Vec<_>>(), "{case}");
                for ((at, fate), expected) in settled[0].1.iter().enumerate().zip(&expected) {
                    let (Fate::At { offset, .. }, Fate::At { offset: right, .. }) =
                        (fate, expected)
                    else {
                        panic!("{case}: record {at} has {fate:?}");
                    };
                    assert_eq!(offset, right, "{case}: record {at}");
                }
                if lost.is_none() {
                    assert_eq!(settled[0].1, expected, "{case}");
                }
                let mut right = stored(&batch_of_ids(u32::MAX, &OLD));
                let own = stored(&batch_of_ids(0, &ids));
                for record in own {
                    if record.2 == 0 || right.iter().all(|&(.., id)| id != record.2) {
                        right.push(record);
                    }
                }
                for tag in 1..=behind {
                    right.extend(stored(&batch_of_ids(tag, &[100 + tag as u8, 0])));
                }
                assert_eq!(world.log, right, "{case}");
                let total = u64::from(records + 2 * behind);
                assert_eq!(session.counters().acknowledged_records, total, "{case}");
            }
        }
    }
}

#[test]
fn if_all_was_seen_nothing_is_sent_and_what_is_behind_takes_the_numbers() {
    let mut world = world();
    let mut session = session(2);
    session.push(0, batch_of_ids(0, &[1, 2]), 2, ms(1_000), 0);
    push(&mut session, 1, 3);
    let sent: Vec<Sending> = std::iter::from_fn(|| session.poll_send(Time::ZERO)).collect();
    for sending in &sent {
        let reply = append(&mut world, &sending.bytes);
        session.handle_reply(Time::ZERO, sending.attempt, reply);
    }
    assert_eq!(tags_and_sequences(&send_all(&mut session, Time::ZERO)), [(1, 0)]);
    assert_eq!(session.counters().sent_batches, 3);
}

/// SPEC I-9: what is left keeps its number, and goes before what was behind it.
#[test]
fn what_is_left_is_sent_before_what_is_behind() {
    let mut world = world();
    let mut session = session(3);
    session.push(0, batch_of_ids(0, &[50, 2, 3]), 3, ms(1_000), 0);
    push(&mut session, 1, 2);
    push(&mut session, 2, 2);
    let sent: Vec<Sending> = std::iter::from_fn(|| session.poll_send(Time::ZERO)).collect();
    // The answers come in another order.
    let replies: Vec<_> = sent.iter().map(|s| append(&mut world, &s.bytes)).collect();
    for (sending, reply) in sent.iter().zip(replies).rev() {
        assert_eq!(send_all(&mut session, Time::ZERO), []);
        session.handle_reply(Time::ZERO, sending.attempt, reply);
    }
    let sent = send_all(&mut session, Time::ZERO);
    assert_eq!(tags_and_sequences(&sent), [(0, 0), (1, 1), (2, 3)]);
    assert!(!session.wants_identity());
}

/// A batch that fails after a part of it was seen: that part has its offsets all the same.
#[test]
fn what_was_seen_stays_so_if_the_rest_fails() {
    for (code, fate) in [(Code::CORRUPT_BATCH, Fate::Failed), (Code::INTERNAL, Fate::Unknown)] {
        let mut world = world();
        let mut session = session(1);
        session.push(0, batch_of_ids(0, &[50, 2, 50, 3]), 4, ms(1_000), 0);
        let sending = session.poll_send(Time::ZERO).expect("one");
        let reply = append(&mut world, &sending.bytes);
        session.handle_reply(Time::ZERO, sending.attempt, reply);
        let sending = session.poll_send(Time::ZERO).expect("what is left");
        session.handle_reply(Time::ZERO, sending.attempt, err(code));
        session.handle_timeout(ms(1_000));
        let event = std::iter::from_fn(|| session.poll_event()).last();
        let Some(ProducerEvent::Settled { records, parts, outcome, .. }) = event else {
            panic!("no outcome");
        };
        let expected = [fate, old(1), fate, fate];
        let got = fates(records, &parts, &outcome);
        // The server of this test tells two ranges at once: the last was not asked for again.
        assert_eq!(got[..3], expected[..3], "{code:?}");
        let counters = session.counters();
        let rest = counters.failed_records + counters.unknown_records;
        assert_eq!(counters.acknowledged_records + rest, 4);
    }
}

/// A list that makes no sense for the batch is a refusal like another: no panic, no loop.
#[test]
fn a_list_that_makes_no_sense_fails_the_batch() {
    let range = |first_index, count, base_offset| SeenRange { first_index, count, base_offset };
    let lists = [
        vec![],
        vec![range(0, 0, 0)],
        vec![range(2, 1, 0)],
        vec![range(0, u32::MAX, 0)],
        vec![range(u32::MAX, 2, 0)],
        vec![range(0, 2, u64::MAX - 1), range(1, u32::MAX, 5)],
        vec![range(0, 1, u64::MAX)],
        vec![range(1, 1, u64::MAX)],
    ];
    for seen in lists {
        let mut session = session(1);
        session.push(0, batch_of_ids(0, &[50, 51]), 2, ms(1_000), 0);
        let (attempt, ..) = send_all(&mut session, Time::ZERO)[0];
        let error = Error { seen: seen.clone(), ..Error::new(Code::DUPLICATE_IDS, "seen") };
        session.handle_reply(Time::ZERO, attempt, Err(error));
        let refused = (0, Some((Code::DUPLICATE_IDS, false)));
        assert_eq!(settled(&mut session), [refused], "{seen:?}");
        assert!(session.is_idle());
    }
}

//! Ids within a window: seen while they are queued, after a failed write, after a restart.

use tidewire_protocol::batch::{Codec, Columns, HEADER_LEN};
use tidewire_protocol::crc::crc32c;
use tidewire_protocol::message::SeenRange;

use super::*;

const WINDOW_MS: u64 = 1000;

/// A batch with one record of one byte for each id.
fn batch_of(ids: &[u8], sequence: Sequence) -> (Bytes, Bytes) {
    let count = ids.len();
    let mut body = vec![b'v'; count];
    body.resize(count.next_multiple_of(8), 0);
    for end in 0..=count as u32 {
        body.extend_from_slice(&end.to_le_bytes());
    }
    body.resize(body.len().next_multiple_of(8), 0);
    let ids: Vec<u8> = ids.iter().flat_map(|&id| [id; 16]).collect();
    body.extend_from_slice(&ids);
    let mut header = Header {
        base_offset: 0,
        append_time_us: 0,
        leader_epoch: 0,
        body_crc: 0,
        total_len: (HEADER_LEN + body.len()) as u32,
        codec: Codec::None,
        columns: Columns::IDS,
        record_count: count as u32,
        base_time_us: 0,
        producer_id: sequence.producer_id,
        base_sequence: sequence.base_sequence,
        producer_epoch: sequence.producer_epoch,
        raw_len: body.len() as u32,
        key_id: 0,
    };
    let whole = [&header.encode()[..], &body].concat();
    header.body_crc = crc32c(&whole[28..]);
    (Bytes::from([&header.encode()[..], &body].concat()), Bytes::from(ids))
}

fn with_ids(ids: &[u8], producer_id: u64, base_sequence: u64, acks: Acks) -> AppendRequest {
    let sequence = Sequence { producer_id, producer_epoch: 0, base_sequence };
    let (batch, ids) = batch_of(ids, sequence);
    AppendRequest { ids, ..request(batch, acks) }
}

fn world() -> World {
    World::open(SimDisk::new(1), LogOptions::default(), WINDOW_MS, 0).expect("an empty disk")
}

fn seen(world: &mut World, token: u64) -> Vec<SeenRange> {
    let error = world.answer(token).expect("answered").expect_err("seen");
    assert_eq!(error.code, Code::DUPLICATE_IDS);
    error.seen
}

/// SPEC I-13, I-14, I-15: across producers, and only what was seen is named.
#[test]
fn a_batch_with_ids_that_were_seen_is_refused_whole() {
    let mut world = world();
    world.request(1, with_ids(&[1, 2, 3], 7, 0, Acks::Written));
    world.flush();
    assert_eq!(world.answer(1).expect("answered").expect("new").base_offset, 0);
    world.request(2, with_ids(&[9, 2, 3], 8, 0, Acks::Written));
    world.flush();
    assert_eq!(seen(&mut world, 2), [SeenRange { first_index: 1, count: 2, base_offset: 1 }]);
    assert_eq!(world.end(), 3, "nothing was appended");
    // No trace: neither of the new id nor in the sequence.
    world.request(3, with_ids(&[9], 8, 0, Acks::Written));
    world.flush();
    assert_eq!(world.answer(3).expect("answered").expect("new").base_offset, 3);
}

/// SPEC I-14: a batch that is sent again is a duplicate, not a batch of ids that were seen.
#[test]
fn a_repeated_batch_is_judged_by_its_sequence_first() {
    let mut world = world();
    for token in 1..=2 {
        world.request(token, with_ids(&[1, 2], 7, 0, Acks::Written));
        world.flush();
        let reply = world.answer(token).expect("answered").expect("there");
        assert_eq!((reply.base_offset, reply.duplicate), (0, token == 2));
    }
}

/// SPEC I-14: a refusal outlives the window, for a copy of the batch that comes late.
#[test]
fn a_batch_that_was_refused_once_is_never_appended() {
    let mut world = world();
    world.request(1, with_ids(&[1], 7, 0, Acks::Written));
    world.flush();
    world.answer(1).expect("answered").expect("new");
    let refused = || with_ids(&[1, 9], 8, 0, Acks::Written);
    world.request(2, refused());
    let first = seen(&mut world, 2);
    assert_eq!(first, [SeenRange { first_index: 0, count: 1, base_offset: 0 }]);
    world.now_us = 10 * WINDOW_MS as i64 * 1_000;
    world.request(3, refused());
    assert_eq!(seen(&mut world, 3), first, "the window is over, the refusal is not");
    // Another producer's, or one with another number, is judged by its ids alone.
    world.request(4, with_ids(&[1, 9], 9, 0, Acks::Written));
    world.flush();
    world.answer(4).expect("answered").expect("the window is over");
    // What its client made of it; the copy is too late then.
    world.request(5, with_ids(&[8], 8, 0, Acks::Written));
    world.flush();
    world.answer(5).expect("answered").expect("new");
    world.request(6, refused());
    let error = world.answer(6).expect("answered").expect_err("too late");
    assert_eq!(error.code, Code::SEQUENCE_OVERLAP);
    assert_eq!(world.end(), 4);
}

/// SPEC I-7, I-14: a refusal that points to what could not be written is none.
#[test]
fn a_refusal_for_what_was_not_written_is_void() {
    let mut world = world();
    world.disk.inject(Fault::once(Operation::Write, ErrorKind::StorageFull));
    world.request(1, with_ids(&[1], 7, 0, Acks::Synced));
    world.request(2, with_ids(&[1], 8, 0, Acks::Synced));
    world.flush();
    assert_eq!(world.answer(2).expect("answered").expect_err("no room").code, Code::DISK_FULL);
    world.request(3, with_ids(&[1], 8, 0, Acks::Synced));
    world.flush();
    world.sync();
    assert!(world.answer(3).expect("answered").is_ok(), "the same batch again");
}

/// SPEC I-14: the refusal keeps the level that was asked for.
#[test]
fn a_refusal_waits_for_what_it_points_to() {
    let mut world = world();
    world.request(1, with_ids(&[1], 7, 0, Acks::Synced));
    world.request(2, with_ids(&[1], 8, 0, Acks::Synced));
    world.request(3, with_ids(&[1], 9, 0, Acks::Written));
    world.request(4, with_ids(&[1], 10, 0, Acks::None));
    assert_eq!(seen(&mut world, 4).len(), 1, "at once, as nothing is promised");
    assert!(world.appended.is_empty());
    world.flush();
    assert_eq!(seen(&mut world, 3).len(), 1);
    assert!(world.appended.is_empty());
    world.sync();
    assert_eq!(seen(&mut world, 2).len(), 1);
    assert!(world.answer(1).expect("answered").is_ok());
}

/// SPEC I-7, I-14: ids of a batch that was not written are new.
#[test]
fn a_failed_append_leaves_no_ids() {
    let mut world = world();
    world.disk.inject(Fault::once(Operation::Write, ErrorKind::StorageFull));
    world.request(1, with_ids(&[1], 7, 0, Acks::Synced));
    world.request(2, with_ids(&[1], 8, 0, Acks::Synced));
    world.flush();
    for token in [1, 2] {
        let error = world.answer(token).expect("answered").expect_err("no room");
        assert_eq!(error.code, Code::DISK_FULL);
    }
    world.request(3, with_ids(&[1], 8, 0, Acks::Synced));
    world.flush();
    world.sync();
    assert_eq!(world.answer(3).expect("answered").expect("new").base_offset, 0);
}

/// SPEC I-13: after a restart the window knows what the log holds of it.
#[test]
fn the_window_survives_a_restart() {
    let mut world = world();
    world.request(1, with_ids(&[1], 7, 0, Acks::Synced));
    world.flush();
    world.sync();
    world.now_us = 600_000;
    world.request(2, with_ids(&[2, 3], 7, 1, Acks::Synced));
    world.flush();
    world.sync();
    world.disk.crash();
    let options = LogOptions::default();
    let mut world =
        World::open(world.disk, options, WINDOW_MS, 1_200_000).expect("what was synced");
    world.request(3, with_ids(&[3], 8, 0, Acks::Synced));
    assert_eq!(seen(&mut world, 3)[0].base_offset, 2);
    world.request(4, with_ids(&[1], 8, 0, Acks::Synced));
    world.flush();
    world.sync();
    assert!(world.answer(4).expect("answered").is_ok(), "its time was over");
}

//! Exactly one copy: by example, and through crashes by seed.
//!
//! `TIDEWIRE_SEED=n` runs one seed alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tidewire_storage::disk::Disk;

use super::*;

/// The smallest segment that holds a few of these batches.
const SEGMENT_BYTES: u64 = 4 << 10;

fn options() -> LogOptions {
    LogOptions { segment_bytes: SEGMENT_BYTES, ..LogOptions::default() }
}

/// The batch of a producer's records `base_sequence..` of `count`: the same every time.
fn sealed(producer_id: u64, producer_epoch: u32, base_sequence: u64, count: usize) -> Bytes {
    let mut builder = BatchBuilder::new(1 << 20, 1000);
    for sequence in base_sequence..base_sequence + count as u64 {
        let value = format!("{producer_id}/{producer_epoch}/{sequence}");
        builder
            .push(&RecordRef { value: Some(value.as_bytes()), ..RecordRef::at(0) })
            .expect("small");
    }
    builder.seal(Sequence { producer_id, producer_epoch, base_sequence })
}

fn code(world: &mut World, token: u64) -> Code {
    world.answer(token).expect("answered").expect_err("refused").code
}

fn duplicate(world: &mut World, token: u64) -> (u64, bool) {
    let reply = world.answer(token).expect("answered").expect("there");
    (reply.base_offset, reply.duplicate)
}

/// SPEC I-2, I-3: within one group, too.
#[test]
fn a_repeated_batch_is_stored_once() {
    let mut world = World::new();
    world.append_batch(1, Acks::Written, sealed(7, 0, 0, 3));
    world.append_batch(2, Acks::Written, sealed(7, 0, 0, 3));
    world.append_batch(3, Acks::Written, sealed(7, 0, 3, 1));
    assert!(world.appended.is_empty());
    world.flush();
    assert_eq!(duplicate(&mut world, 1), (0, false));
    assert_eq!(duplicate(&mut world, 2), (0, true));
    assert_eq!(duplicate(&mut world, 3), (3, false));
    world.append_batch(4, Acks::Written, sealed(7, 0, 0, 3));
    assert_eq!(duplicate(&mut world, 4), (0, true));
    assert_eq!(world.end(), 4);
}

/// SPEC I-3: the time is the one that the batch was stamped with.
#[test]
fn a_duplicate_has_the_time_of_the_first() {
    let mut world = World::new();
    world.append_batch(1, Acks::Written, sealed(7, 0, 0, 1));
    world.append_batch(2, Acks::Written, sealed(7, 0, 0, 1));
    world.flush();
    world.now_us = 1_000;
    world.append_batch(3, Acks::Written, sealed(7, 0, 0, 1));
    let times: Vec<i64> = (1..=3)
        .map(|token| world.answer(token).expect("answered").expect("there").append_time_us)
        .collect();
    world.read(9, 0, 0);
    let (_, read) = world.read.pop().expect("read");
    let stamped = Header::parse(&read.expect("read").bytes[0]).expect("a batch").append_time_us;
    assert_eq!(times, [stamped; 3]);
}

/// SPEC I-3: a repeated request gets the level that it asks for, not that of the first.
#[test]
fn a_duplicate_waits_for_its_own_level() {
    let mut world = World::new();
    world.append_batch(1, Acks::Written, sealed(7, 0, 0, 1));
    world.append_batch(2, Acks::Synced, sealed(7, 0, 0, 1));
    world.append_batch(3, Acks::None, sealed(7, 0, 0, 1));
    assert_eq!(duplicate(&mut world, 3), (0, true));
    world.flush();
    assert_eq!(duplicate(&mut world, 1), (0, false));
    assert!(world.answer(2).is_none(), "it is not on the disk yet");
    world.sync();
    let reply = world.answer(2).expect("answered").expect("there");
    assert_eq!((reply.acks, reply.duplicate), (Acks::Synced, true));
    // The first one asked for less, and nobody else waits: the repeated one starts a sync.
    world.append_batch(4, Acks::Written, sealed(7, 0, 1, 1));
    world.flush();
    assert!(world.syncs.is_empty());
    world.append_batch(5, Acks::Synced, sealed(7, 0, 1, 1));
    assert!(world.answer(5).is_none());
    world.sync();
    assert_eq!(duplicate(&mut world, 5), (1, true));
    world.append_batch(6, Acks::Written, sealed(7, 0, 1, 1));
    let reply = world.answer(6).expect("answered").expect("there");
    assert_eq!(reply.acks, Acks::Synced, "the level that was reached");
}

/// SPEC I-3: after a failed sync nobody knows.
#[test]
fn a_duplicate_of_what_a_failed_sync_lost_is_not_acknowledged() {
    let mut world = World::new();
    world.append_batch(1, Acks::Synced, sealed(7, 0, 0, 1));
    world.append_batch(2, Acks::Synced, sealed(7, 0, 0, 1));
    world.flush();
    world.disk.inject(Fault::once(Operation::Sync, ErrorKind::Other));
    world.sync();
    world.append_batch(3, Acks::Synced, sealed(7, 0, 0, 1));
    // Not written either: what the page cache holds may be gone with the next start.
    world.append_batch(4, Acks::Written, sealed(7, 0, 0, 1));
    for token in 1..=4 {
        let error = world.answer(token).expect("answered").expect_err("lost");
        assert_eq!(error.code, Code::PARTITION_FENCED, "{token}");
        assert!(error.is_outcome_unknown(), "{token}");
    }
    assert!(!world.partition.is_busy());
}

/// SPEC I-4, I-5, I-6
#[test]
fn gap_overlap_and_an_old_epoch_are_refused() {
    let mut world = World::new();
    world.append_batch(1, Acks::Written, sealed(7, 1, 0, 3));
    world.append_batch(2, Acks::Written, sealed(7, 1, 4, 1));
    assert_eq!(code(&mut world, 2), Code::SEQUENCE_GAP);
    world.append_batch(3, Acks::Written, sealed(7, 1, 2, 2));
    assert_eq!(code(&mut world, 3), Code::SEQUENCE_OVERLAP);
    world.append_batch(4, Acks::Written, sealed(7, 2, 0, 1));
    world.append_batch(5, Acks::Written, sealed(7, 1, 3, 1));
    assert_eq!(code(&mut world, 5), Code::PRODUCER_FENCED);
    world.flush();
    assert_eq!(world.end(), 4);
}

/// SPEC I-6: an epoch that was opened fences before it has appended.
#[test]
fn an_opened_epoch_fences_at_once() {
    let mut world = World::new();
    let opened = Arc::new(AtomicU32::new(1));
    let of = |sequence| AppendRequest {
        opened_epoch: Some(Arc::clone(&opened)),
        ..request(sealed(7, 1, sequence, 1), Acks::Written)
    };
    world.request(1, of(0));
    world.flush();
    assert_eq!(duplicate(&mut world, 1), (0, false));
    opened.store(2, Ordering::Release);
    world.request(2, of(1));
    assert_eq!(code(&mut world, 2), Code::PRODUCER_FENCED);
    world.request(3, of(0));
    assert_eq!(code(&mut world, 3), Code::PRODUCER_FENCED, "what it sent before, too");
}

/// SPEC I-7, I-9: a refused group leaves no trace, and can be sent again in order.
#[test]
fn a_group_that_was_not_written_may_come_again() {
    let mut world = World::new();
    world.append_batch(1, Acks::Written, sealed(7, 0, 0, 1));
    world.flush();
    world.appended.clear();
    world.disk.inject(Fault::once(Operation::Write, ErrorKind::StorageFull));
    world.append_batch(2, Acks::Written, sealed(7, 0, 1, 2));
    world.append_batch(3, Acks::Written, sealed(7, 0, 3, 1));
    world.append_batch(4, Acks::Written, sealed(7, 0, 1, 2));
    world.append_batch(5, Acks::Written, sealed(8, 0, 0, 1));
    world.sync_all(6);
    world.flush();
    for token in 2..=5 {
        assert_eq!(code(&mut world, token), Code::DISK_FULL, "{token}");
    }
    // Sent before the refusal was known: behind a gap now.
    world.append_batch(7, Acks::Written, sealed(7, 0, 4, 1));
    assert_eq!(code(&mut world, 7), Code::SEQUENCE_GAP);
    world.append_batch(8, Acks::Written, sealed(7, 0, 1, 2));
    world.append_batch(9, Acks::Written, sealed(7, 0, 3, 1));
    world.flush();
    assert_eq!(duplicate(&mut world, 8), (1, false));
    assert_eq!(duplicate(&mut world, 9), (3, false));
    world.sync();
    let (_, flushed) = world.flushed.pop().expect("what was there is on the disk");
    assert!(flushed.expect("synced").synced_offset >= 1);
}

/// SPEC I-10: without acknowledgements a failure is only seen by what follows, so a client sends
/// such batches without a producer.
#[test]
fn without_acks_a_failure_shows_as_a_gap_unless_there_is_no_producer() {
    let mut world = World::new();
    world.disk.inject(Fault::once(Operation::Write, ErrorKind::StorageFull));
    for (token, producer_id) in [(1, 7), (2, 0)] {
        world.append_batch(token, Acks::None, sealed(producer_id, 0, 0, 1));
        assert!(world.answer(token).expect("at once").is_ok());
    }
    world.flush();
    assert!(world.appended.is_empty(), "nobody is told");
    world.append_batch(3, Acks::None, sealed(7, 0, 1, 1));
    assert_eq!(code(&mut world, 3), Code::SEQUENCE_GAP);
    world.append_batch(4, Acks::None, sealed(0, 0, 1, 1));
    world.flush();
    assert_eq!(world.end(), 1);
}

/// SPEC C-12
#[test]
fn a_flush_waits_until_all_is_on_the_disk() {
    let mut world = World::new();
    world.sync_all(1);
    let (_, flushed) = world.flushed.pop().expect("nothing to wait for");
    assert_eq!(flushed, Ok(FlushReply { synced_offset: 0 }));
    world.append(2, Acks::None, 1);
    world.append(3, Acks::Written, 2);
    world.sync_all(4);
    world.flush();
    assert!(world.flushed.is_empty());
    world.append(5, Acks::Written, 1);
    world.flush();
    world.sync();
    assert_eq!(world.flushed.pop(), Some((4, Ok(FlushReply { synced_offset: 3 }))));
    world.sync_all(6);
    world.disk.inject(Fault::once(Operation::Sync, ErrorKind::Other));
    world.sync();
    world.sync_all(7);
    for token in [7, 6] {
        let (given, flushed) = world.flushed.pop().expect("answered");
        assert_eq!(given, token);
        assert_eq!(flushed.expect_err("not on the disk").code, Code::PARTITION_FENCED);
    }
}

/// Appends batches of one record until there are `segments`, all on the disk; how many.
fn fill(world: &mut World, producer_id: u64, segments: u32) -> u64 {
    let mut sequence = 0;
    while world.partition.info().segments < segments {
        world.append_batch(1, Acks::Synced, sealed(producer_id, 0, sequence, 1));
        world.flush();
        run_jobs(world);
        sequence += 1;
    }
    assert!(world.appended.drain(..).all(|(_, result)| result.is_ok()));
    sequence
}

fn run_jobs(world: &mut World) {
    while !world.syncs.is_empty() || !world.snapshots.is_empty() {
        if !world.syncs.is_empty() {
            world.sync();
        }
        if let Some(job) = world.snapshots.pop() {
            world.snapshot(job);
        }
    }
}

/// Files in the partition's directory with this ending, in order.
fn files(disk: &SimDisk, ending: &str) -> Vec<std::path::PathBuf> {
    let dir = Path::new("/p");
    let names = disk.read_dir(dir).expect("it is there");
    let mut paths: Vec<_> =
        names.iter().filter(|name| name.ends_with(ending)).map(|name| dir.join(name)).collect();
    paths.sort();
    paths
}

/// Opens what `disk` holds and checks that producer 7 is where it was.
fn check_state(disk: &SimDisk, sequences: u64, what: &str) -> World {
    let mut world = World::open(disk.clone(), options(), 0, 0).expect("it can be opened");
    world.append_batch(1, Acks::Written, sealed(7, 0, sequences - 1, 1));
    assert_eq!(duplicate(&mut world, 1), (sequences - 1, true), "{what}");
    world.append_batch(2, Acks::Written, sealed(7, 0, sequences + 1, 1));
    assert_eq!(code(&mut world, 2), Code::SEQUENCE_GAP, "{what}");
    world
}

/// SPEC I-7: with the snapshot, without it, with an old one, with damaged ones.
#[test]
fn the_state_survives_a_restart_whatever_became_of_the_snapshots() {
    let mut world = World::open(SimDisk::new(1), options(), 0, 0).expect("an empty disk");
    let sequences = fill(&mut world, 7, 6);
    let disk = world.disk;
    disk.crash();
    let snapshots = files(&disk, ".state");
    assert_eq!(snapshots.len(), 2, "the newest and the one before it: {snapshots:?}");
    check_state(&disk, sequences, "both");
    disk.corrupt(&snapshots[1], |bytes| bytes[50] ^= 1).expect("it is there");
    check_state(&disk, sequences, "the older one");
    disk.corrupt(&snapshots[0], |bytes| bytes.truncate(20)).expect("it is there");
    check_state(&disk, sequences, "none of them is good");
    for snapshot in &snapshots {
        disk.remove_file(snapshot).expect("it is there");
    }
    check_state(&disk, sequences, "none");
}

/// SPEC I-7: the state outlives the segments that it came from.
#[test]
fn the_state_does_not_expire_with_the_log() {
    let mut world = World::open(SimDisk::new(1), options(), 0, 0).expect("an empty disk");
    let sequences = fill(&mut world, 7, 2);
    // From here on only others append, until nothing of producer 7 is in the last segments.
    fill(&mut world, 8, 6);
    let disk = world.disk;
    let covered = world.partition.log.snapshot_offset().expect("a segment was begun");
    drop(world.partition);
    let logs = files(&disk, ".log");
    let base = |path: &Path| -> u64 {
        path.file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a name")
            .parse()
            .expect("an offset")
    };
    for pair in logs.windows(2) {
        if base(&pair[1]) <= covered {
            disk.remove_file(&pair[0]).expect("it is there");
        }
    }
    assert!(base(&files(&disk, ".log")[0]) > sequences, "all of producer 7 is gone");
    let world = check_state(&disk, sequences, "from the snapshot");
    assert!(world.partition.info().start_offset > sequences);
}

/// SPEC I-7: what a snapshot knows and the log has lost must not be believed.
#[test]
fn a_snapshot_ahead_of_the_log_is_removed() {
    let mut world = World::open(SimDisk::new(1), options(), 0, 0).expect("an empty disk");
    fill(&mut world, 7, 3);
    let disk = world.disk;
    let newest = files(&disk, ".state").pop().expect("there is one");
    let ahead = newest.with_file_name("00000000000000009999.state");
    disk.rename(&newest, &ahead).expect("it is there");
    World::open(disk.clone(), options(), 0, 0).expect("it can be opened");
    assert!(!disk.exists(&ahead).expect("asked"));
}

/// A failed snapshot costs nothing but the snapshot.
#[test]
fn a_snapshot_that_cannot_be_written_is_tried_again_with_the_next_segment() {
    let mut world = World::open(SimDisk::new(1), options(), 0, 0).expect("an empty disk");
    let path_suffix = ".state-new";
    let error = ErrorKind::StorageFull;
    let fault = Fault { operation: Operation::Write, path_suffix, after: 0, times: 1, error };
    world.disk.inject(fault);
    fill(&mut world, 7, 2);
    assert_eq!(files(&world.disk, ".state").len(), 0);
    assert_eq!(files(&world.disk, path_suffix).len(), 0, "no rest is left");
    fill(&mut world, 8, 3);
    assert_eq!(files(&world.disk, ".state").len(), 1);
}

/// SplitMix64.
struct Steps(u64);

impl Steps {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (word ^ (word >> 27)) % bound
    }
}

/// A producer that follows the rules of SPEC I-8 and I-9.
#[derive(Default)]
struct Model {
    /// First sequence and length of each batch that was ever made, in order.
    batches: Vec<(u64, usize)>,
    /// The offsets of those that were acknowledged as synced.
    acknowledged: Vec<Option<u64>>,
}

/// SPEC I-3, I-7, I-8: power failures and kills anywhere, and every batch sent again until it is
/// acknowledged: each record is in the log once, in order, where its acknowledgements said.
#[test]
fn every_record_is_stored_once_through_crashes() {
    let seeds = std::env::var("TIDEWIRE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = seeds.map_or(0..150, |seed: u64| seed..seed + 1);
    let count = seeds.end - seeds.start;
    let (mut crashes, mut quarantined) = (0, 0);
    for seed in seeds {
        match one_seed(seed) {
            Some(crashed) => crashes += crashed,
            None => quarantined += 1,
        }
    }
    assert!(crashes > 0 || count == 1, "no seed reached a crash");
    assert!(quarantined < count / 4 || count == 1, "{quarantined} of {count} quarantined");
}

/// How often the power failed; `None` if a tear looked like damage, so that the log takes no
/// more.
fn one_seed(seed: u64) -> Option<u32> {
    let mut steps = Steps(!seed);
    let disk = SimDisk::new(seed);
    let mut producers: Vec<Model> = (0..3).map(|_| Model::default()).collect();
    let mut crashes = 0;
    for _ in 0..6 {
        if steps.below(4) > 0 {
            disk.halt_after(steps.below(200));
        }
        if let Ok(mut world) = World::open(disk.clone(), options(), 0, 0) {
            for _ in 0..30 {
                one_turn(&mut world, &mut producers, &mut steps, seed);
            }
        }
        crashes += u32::from(disk.is_halted());
        if disk.is_halted() || steps.below(2) == 0 {
            disk.crash();
        } else {
            // Only the process dies.
            disk.heal();
        }
    }
    disk.crash();
    let mut world = World::open(disk, options(), 0, 0).expect("a healthy disk");
    if world.partition.log.quarantined().is_some() {
        return None;
    }
    for (id, model) in (1u64..).zip(&mut producers) {
        settle(&mut world, id, model, seed);
    }
    check_log(&mut world, &producers, seed);
    Some(crashes)
}

/// Each producer sends what is not acknowledged, oldest first, and perhaps something new.
fn one_turn(world: &mut World, producers: &mut [Model], steps: &mut Steps, seed: u64) {
    for (id, model) in (1u64..).zip(producers.iter_mut()) {
        if steps.below(3) == 0 {
            let next = model.batches.last().map_or(0, |(base, count)| base + *count as u64);
            model.batches.push((next, 1 + steps.below(20) as usize));
            model.acknowledged.push(None);
        }
        let first = model.acknowledged.iter().position(Option::is_none);
        let Some(first) = first else { continue };
        // What is remembered of a producer bounds how far back it may go.
        for at in first..model.batches.len().min(first + 8) {
            let (base, count) = model.batches[at];
            world.append_batch(id << 32 | at as u64, Acks::Synced, sealed(id, 0, base, count));
        }
    }
    world.flush();
    if steps.below(3) > 0 && !world.syncs.is_empty() {
        world.sync();
    }
    if steps.below(2) == 0
        && let Some(job) = world.snapshots.pop()
    {
        world.snapshot(job);
    }
    for (token, result) in world.appended.drain(..) {
        let model = &mut producers[(token >> 32) as usize - 1];
        let place = &mut model.acknowledged[(token & 0xffff_ffff) as usize];
        match result {
            Ok(reply) => {
                let before = place.replace(reply.base_offset);
                assert!(before.is_none_or(|offset| offset == reply.base_offset), "seed {seed}");
            }
            Err(error) => assert_ne!(error.code, Code::SEQUENCE_OVERLAP, "seed {seed}"),
        }
    }
}

/// Sends again what is not acknowledged, now that nothing fails.
fn settle(world: &mut World, id: u64, model: &mut Model, seed: u64) {
    let waiting: Vec<usize> =
        (0..model.batches.len()).filter(|&at| model.acknowledged[at].is_none()).collect();
    for at in waiting {
        let (base, count) = model.batches[at];
        world.append_batch(1, Acks::Synced, sealed(id, 0, base, count));
        world.flush();
        run_jobs(world);
        let reply = world.answer(1).expect("answered");
        let reply = reply.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        model.acknowledged[at] = Some(reply.base_offset);
    }
}

fn check_log(world: &mut World, producers: &[Model], seed: u64) {
    let mut found: Vec<Vec<(u64, u64)>> = vec![Vec::new(); producers.len()];
    let mut offset = 0;
    while offset < world.end() {
        world.read(1, offset, 0);
        let (_, read) = world.read.pop().expect("answered");
        let read = read.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let mut rest = Bytes::from(read.bytes.concat());
        while let Ok(header) = Header::parse(&rest) {
            let records = &mut found[header.producer_id as usize - 1];
            records.push((header.base_sequence, header.base_offset));
            rest = rest.split_off(header.total_len as usize);
        }
        offset = read.next_offset;
    }
    for (model, found) in producers.iter().zip(found) {
        let expected: Vec<(u64, u64)> = model
            .batches
            .iter()
            .zip(&model.acknowledged)
            .map(|((base, _), offset)| (*base, offset.expect("acknowledged")))
            .collect();
        assert_eq!(found, expected, "seed {seed}: once, in order, where it was said to be");
    }
}

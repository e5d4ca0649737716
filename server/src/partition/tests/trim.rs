//! Deleting the oldest records: what is promised when it is answered, and what stays.

use tidewire_storage::log::Retention;

use super::*;

const SEGMENT: u64 = 4096;

fn options() -> LogOptions {
    LogOptions { segment_bytes: SEGMENT, ..LogOptions::default() }
}

fn open(disk: &SimDisk) -> World {
    World::open(disk.clone(), options(), 0, 0).expect("the log opens")
}

/// Appends and syncs batches of ten records until there are `segments`.
fn fill(world: &mut World, segments: u32) {
    while world.partition.info().segments < segments {
        world.append(0, Acks::Synced, 10);
        world.flush();
        settle(world);
    }
}

/// Runs all that was asked for, until nothing more is.
fn settle(world: &mut World) {
    for _ in 0..100 {
        let mut effects = Vec::new();
        if let Some(job) = world.syncs.pop() {
            world.partition.synced(job.run(), 0, &mut effects);
        } else if let Some(job) = world.snapshots.pop() {
            world.partition.snapshot_written(job.run(), &mut effects);
        } else if let Some(job) = world.trims.pop() {
            world.partition.trimmed(job.run(), &mut effects);
        } else {
            return;
        }
        world.apply(effects);
    }
    panic!("it goes on asking");
}

fn truncate(world: &mut World, token: u64, before: u64) {
    let mut effects = Vec::new();
    world.partition.truncate(before, origin(token), &mut effects);
    world.apply(effects);
}

fn purge(world: &mut World, token: u64) {
    let mut effects = Vec::new();
    world.partition.purge(origin(token), &mut effects);
    world.apply(effects);
}

fn expire(world: &mut World, retention: Retention, now_us: i64) {
    let mut effects = Vec::new();
    world.partition.trim.retention = retention;
    world.partition.expire(now_us, &mut effects);
    world.apply(effects);
    settle(world);
}

fn start(world: &World) -> u64 {
    world.partition.info().start_offset
}

/// What was answered about deletions.
fn trimmed(world: &mut World) -> Vec<(u64, Result<u64, Code>)> {
    world.trimmed.drain(..).map(|(token, r)| (token, r.map_err(|error| error.code))).collect()
}

/// SPEC C-16: an answered TRUNCATE is durable, and within a batch, too.
#[test]
fn a_truncation_is_durable_when_it_is_answered() {
    let disk = SimDisk::new(1);
    let mut world = open(&disk);
    fill(&mut world, 4);
    let before = world.partition.info();
    let cut = before.end_offset / 2 + 3;
    truncate(&mut world, 1, cut);
    assert!(world.trimmed.is_empty() && start(&world) == 0, "nothing is on the disk yet");
    settle(&mut world);
    assert_eq!(trimmed(&mut world), [(1, Ok(cut))]);
    disk.crash();
    let mut world = open(&disk);
    let after = world.partition.info();
    assert_eq!((after.start_offset, after.end_offset), (cut, before.end_offset));
    assert!(after.segments < before.segments, "files went");
    world.read(2, cut, 0);
    world.read(3, cut - 1, 0);
    let read: Vec<_> = world.read.drain(..).collect();
    assert!(read[0].1.as_ref().is_ok_and(|read| read.start_offset == cut));
    assert_eq!(read[1].1.as_ref().unwrap_err().code, Code::OFFSET_OUT_OF_RANGE);
}

/// SPEC C-16
#[test]
fn what_cannot_be_truncated_is_refused_and_what_is_gone_is_answered_at_once() {
    let mut world = World::open(SimDisk::new(1), options(), 0, 0).expect("an empty disk");
    fill(&mut world, 2);
    let end = world.partition.info().end_offset;
    truncate(&mut world, 1, end + 1);
    assert_eq!(trimmed(&mut world), [(1, Err(Code::OFFSET_OUT_OF_RANGE))]);
    truncate(&mut world, 2, end);
    truncate(&mut world, 3, end - 1);
    settle(&mut world);
    assert_eq!(trimmed(&mut world), [(2, Ok(end)), (3, Ok(end))]);
    truncate(&mut world, 4, 0);
    assert_eq!(trimmed(&mut world), [(4, Ok(end))]);
}

/// SPEC C-16: offsets go on, the producers are remembered, the space is free.
#[test]
fn a_purge_leaves_nothing_but_offsets_and_producers() {
    let disk = SimDisk::new(1);
    let mut world = open(&disk);
    fill(&mut world, 3);
    let end = world.partition.info().end_offset;
    purge(&mut world, 1);
    settle(&mut world);
    assert_eq!(trimmed(&mut world), [(1, Ok(end))]);
    for _ in 0..2 {
        let info = world.partition.info();
        assert_eq!((info.start_offset, info.end_offset), (end, end));
        assert_eq!((info.size_bytes, info.segments), (0, 1));
        disk.crash();
        world = open(&disk);
    }
    purge(&mut world, 2);
    assert_eq!(trimmed(&mut world), [(2, Ok(end))]);
    world.append(3, Acks::Synced, 1);
    world.flush();
    settle(&mut world);
    assert_eq!(world.answer(3).expect("answered").expect("appended").base_offset, end);
}

/// SPEC C-17
#[test]
fn old_segments_go_and_those_that_are_not_stay() {
    let disk = SimDisk::new(1);
    let mut world = open(&disk);
    fill(&mut world, 3);
    world.now_us = 10_000_000;
    let half = world.partition.info().end_offset;
    fill(&mut world, 6);
    let hour = Retention { ms: 3_600_000, bytes: 0 };
    let day = 3_600_000_000;
    expire(&mut world, hour, day - 1);
    assert_eq!(start(&world), 0);
    assert!(
        world.partition.next_expiry_us().is_some_and(|due| due > day - 1 && due < day + 1000)
    );
    expire(&mut world, hour, day + 1_000_000);
    let first = start(&world);
    assert!(first > 0 && first <= half, "{first} of {half}");
    let due = world.partition.next_expiry_us().expect("the rest");
    assert!(due > 10_000_000 + day);
    // In the end the segment that takes appends is begun anew, and nothing is left to wait for.
    expire(&mut world, hour, due + 1_000_000);
    expire(&mut world, hour, due + 1_000_000);
    let info = world.partition.info();
    assert_eq!((info.start_offset, info.size_bytes, info.segments), (info.end_offset, 0, 1));
    assert_eq!(world.partition.next_expiry_us(), None, "an idle partition sets no timer");
}

/// SPEC C-17
#[test]
fn what_is_too_much_goes_from_the_front() {
    let mut world = World::open(SimDisk::new(1), options(), 0, 0).expect("an empty disk");
    fill(&mut world, 8);
    let size = |world: &World| world.partition.info().size_bytes;
    for kept in [5 * SEGMENT, 2 * SEGMENT, 1] {
        let retention = Retention { ms: 0, bytes: kept };
        expire(&mut world, retention, 0);
        let size = size(&world);
        assert!(size >= kept && size < kept + 2 * SEGMENT, "{size} for {kept}");
        assert_eq!(world.partition.next_expiry_us(), None, "size needs no timer");
    }
    assert_eq!(world.partition.info().segments, 1, "the last one stays");
}

/// SPEC C-18: a reader that waits after what was deleted is told.
#[test]
fn a_reader_that_was_overtaken_is_told() {
    let mut world = World::open(SimDisk::new(1), options(), 0, 0).expect("an empty disk");
    fill(&mut world, 2);
    world.read(7, 1, 1 << 20);
    assert!(world.read.is_empty(), "it waits for more");
    purge(&mut world, 1);
    settle(&mut world);
    let (token, read) = world.read.pop().expect("it is told");
    let error = read.expect_err("what it wants is gone");
    assert_eq!((token, error.code), (7, Code::OFFSET_OUT_OF_RANGE));
    let end = world.partition.info().end_offset;
    assert!(error.to_string().contains(&format!("{end} to {end}")), "{error}");
}

#[test]
fn a_start_that_cannot_be_written_is_reported_and_may_be_tried_again() {
    let disk = SimDisk::new(1);
    let mut world = open(&disk);
    fill(&mut world, 3);
    truncate(&mut world, 1, 15);
    // The snapshot first, if one is due.
    while let Some(job) = world.snapshots.pop() {
        let mut effects = Vec::new();
        world.partition.snapshot_written(job.run(), &mut effects);
        world.apply(effects);
    }
    disk.inject(Fault::once(Operation::Write, ErrorKind::StorageFull));
    settle(&mut world);
    assert_eq!(trimmed(&mut world), [(1, Err(Code::DISK_FULL))]);
    assert_eq!(start(&world), 0);
    truncate(&mut world, 2, 15);
    settle(&mut world);
    assert_eq!(trimmed(&mut world), [(2, Ok(15))]);
    world.append(3, Acks::Synced, 1);
    world.flush();
    settle(&mut world);
    world.answer(3).expect("answered").expect("appends go on");
}

/// Crashes anywhere: the start never goes back behind what was answered, nothing after it is
/// lost, and what was acknowledged is there.
#[test]
fn a_crash_anywhere_leaves_the_start_where_it_was_answered_and_all_after_it() {
    let mut reached = 0;
    for seed in 0..150 {
        let disk = SimDisk::new(seed);
        let mut world = open(&disk);
        fill(&mut world, 3);
        let mut state = seed;
        let mut below = move |bound: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        let (mut acknowledged, mut answered) = (0, 0);
        for round in 0..4 {
            disk.halt_after(below(60));
            for step in 0..12 {
                let end = world.partition.info().end_offset;
                match below(4) {
                    0 => truncate(&mut world, step, below(end + 1)),
                    1 if below(3) == 0 => purge(&mut world, step),
                    2 => expire(&mut world, Retention { ms: 0, bytes: 2 * SEGMENT }, 0),
                    _ => {
                        for _ in 0..below(4) {
                            world.append(step, Acks::Synced, 10);
                        }
                        world.flush();
                    }
                }
                if below(2) == 0 {
                    settle(&mut world);
                }
                for (_, result) in world.appended.drain(..) {
                    acknowledged =
                        acknowledged.max(result.map_or(0, |reply| reply.base_offset + 10));
                }
                for (_, result) in world.trimmed.drain(..) {
                    answered = answered.max(result.unwrap_or(0));
                }
                answered = answered.max(start(&world));
            }
            reached += u64::from(disk.is_halted());
            disk.crash();
            world = open(&disk);
            let info = world.partition.info();
            assert!(
                info.start_offset >= answered,
                "seed {seed} round {round}: the start went back"
            );
            assert!(
                info.end_offset >= acknowledged,
                "seed {seed} round {round}: records are lost"
            );
            assert!(info.start_offset <= info.end_offset, "seed {seed}");
            let mut offset = info.start_offset;
            while offset < info.end_offset {
                world.read(1, offset, 0);
                let (_, read) = world.read.pop().expect("answered");
                let next =
                    read.unwrap_or_else(|e| panic!("seed {seed}: {offset}: {e}")).next_offset;
                assert!(next > offset, "seed {seed}");
                offset = next;
            }
        }
    }
    assert!(reached > 200, "crashes in the middle: {reached}");
}

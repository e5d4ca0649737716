//! Times are looked up elsewhere, and whoever asks is told once.

use super::*;

/// A partition with five batches of three records, one microsecond after the other, synced.
fn world() -> (World, u64) {
    let mut world = World::new();
    let first_us = world.now_us as u64 + 1;
    for token in 0..5 {
        world.append(token, Acks::Synced, 3);
        world.flush();
        world.sync();
    }
    assert_eq!(world.acknowledged().len(), 5);
    (world, first_us)
}

impl World {
    fn resolve(&mut self, token: u64, start: Start, at: u64) {
        let mut effects = Vec::new();
        self.partition.resolve(Place { start, at }, origin(token), &mut effects);
        self.apply(effects);
    }

    fn describe(&mut self, token: u64, start: Start, at: u64) {
        let mut effects = Vec::new();
        self.partition.describe(Place { start, at }, origin(token), &mut effects);
        self.apply(effects);
    }

    fn look_up(&mut self) {
        let job = self.lookups.remove(0);
        let mut effects = Vec::new();
        self.partition.looked_up(job.run(), &mut effects);
        self.apply(effects);
    }
}

#[test]
fn a_time_is_looked_up_and_the_rest_is_told_at_once() {
    let (mut world, first_us) = world();
    world.resolve(1, Start::Last, 4);
    world.resolve(2, Start::Timestamp, first_us + 2);
    world.describe(3, Start::Timestamp, first_us + 3);
    world.resolve(4, Start::Timestamp, first_us + 5);
    assert_eq!(world.resolved, [(1, Ok(11)), (4, Ok(15))], "behind all is known, too");
    world.look_up();
    world.look_up();
    assert_eq!(world.resolved.pop(), Some((2, Ok(6))));
    assert_eq!(world.described.len(), 1);
    assert_eq!((world.described[0].0, world.described[0].1.found_offset), (3, 9));
    assert!(world.lookups.is_empty());
}

#[test]
fn a_topic_that_goes_tells_those_who_wait_for_a_time() {
    let (mut world, first_us) = world();
    world.resolve(1, Start::Timestamp, first_us);
    world.describe(2, Start::Timestamp, first_us);
    let mut effects = Vec::new();
    world.partition.fail_all(&Error::new(Code::TOPIC_NOT_FOUND, "gone"), &mut effects);
    world.apply(effects);
    let error = world.resolved[0].1.clone().expect_err("it is gone");
    assert_eq!(error.code, Code::TOPIC_NOT_FOUND);
    assert_eq!(world.described[0].1.found_offset, 15, "where nothing is found, the end");
    world.look_up();
    world.look_up();
    assert_eq!((world.resolved.len(), world.described.len()), (1, 1), "told once");
}

/// A sync fails, and lets go of what it did not write before the partition hears of it. Whoever
/// looks there meanwhile is not told of damage.
#[test]
fn what_a_failing_sync_takes_away_is_never_called_damage() {
    let mut doubted = 0;
    for seed in 0..60 {
        let mut world =
            World::open(SimDisk::new(seed), LogOptions::default(), 0, 0).expect("it opens");
        world.hold_fetches = true;
        world.append(0, Acks::Synced, 3);
        world.flush();
        world.sync();
        // Written, and shown as such; and one that wants a sync.
        world.append(1, Acks::Written, 3);
        world.flush();
        let written_us = world.now_us as u64;
        world.append(2, Acks::Synced, 3);
        world.flush();
        world.read(3, 3, 0);
        world.resolve(4, Start::Timestamp, written_us);
        world.disk.inject(Fault::once(Operation::Sync, ErrorKind::Other));
        let outcome = world.syncs.pop().expect("somebody waits for it").run();
        let fetches = std::mem::take(&mut world.fetches);
        assert_eq!((fetches.len(), world.lookups.len()), (1, 1));
        fetches.into_iter().for_each(|job| world.fetch(job));
        world.look_up();
        doubted += u64::from(world.read.is_empty());
        let mut effects = Vec::new();
        world.partition.synced(outcome, 0, &mut effects);
        world.apply(effects);
        while !world.lookups.is_empty() {
            world.look_up();
        }
        let (token, read) = world.read.pop().expect("it is told");
        let read = read.map(|reply| reply.next_offset).map_err(|error| error.code);
        assert!(
            matches!((token, &read), (3, Ok(6) | Err(Code::PARTITION_FENCED))),
            "seed {seed}: {read:?}"
        );
        let (token, found) = world.resolved.pop().expect("it is told");
        assert!(matches!((token, &found), (4, Ok(3..=6))), "seed {seed}: {found:?}");
    }
    assert!(doubted > 0, "no seed took away what was read");
}

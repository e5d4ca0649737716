//! Reading: from memory, from the disk, shared, and while things change under it.

use super::*;

const SEGMENT: u64 = 64 << 10;

/// A partition with `batches` synced batches of `value_bytes` each, and nothing in memory.
fn cold_world(batches: usize, value_bytes: usize) -> World {
    let options = LogOptions { segment_bytes: SEGMENT, ..LogOptions::default() };
    let mut world = World::open(SimDisk::new(1), options, 0, 0).expect("an empty disk");
    for _ in 0..batches {
        world.append_batch(0, Acks::Synced, large(value_bytes));
        world.flush();
        while !world.syncs.is_empty() {
            world.sync();
        }
    }
    world.acknowledged();
    assert_eq!(world.partition.kept_bytes(), 0, "nobody reads: nothing is kept");
    world
}

fn large(value_bytes: usize) -> Bytes {
    let mut builder = BatchBuilder::new(1 << 20, 10);
    let value = vec![3; value_bytes];
    builder.push(&RecordRef { value: Some(&value), ..RecordRef::at(0) }).expect("small");
    builder.seal(Sequence::default())
}

/// Offsets of the batches in a reply.
fn offsets(reply: &ReadReply) -> Vec<u64> {
    let mut bytes = Bytes::from(reply.bytes.concat());
    assert_eq!(bytes.len(), reply.len);
    let mut offsets = Vec::new();
    while !bytes.is_empty() {
        let header = Header::parse(&bytes).expect("a whole batch");
        offsets.extend(header.base_offset..header.next_offset().expect("small"));
        bytes = bytes.split_off(header.total_len as usize);
    }
    assert_eq!(offsets.last().map_or(reply.next_offset, |last| last + 1), reply.next_offset);
    offsets
}

impl World {
    fn read_some(&mut self, token: u64, offset: u64, max_bytes: usize, min_bytes: usize) {
        let mut effects = Vec::new();
        let request = ReadRequest { offset, max_bytes, min_bytes };
        self.partition.read(request, origin(token), &mut effects);
        self.apply(effects);
    }

    fn reads(&self) -> u64 {
        self.disk.count(Operation::Read)
    }

    /// The one answer that was given.
    fn reply(&mut self, token: u64) -> ReadReply {
        let (given, reply) = self.read.pop().expect("answered");
        assert_eq!(given, token);
        reply.expect("readable")
    }
}

#[test]
fn readers_at_the_end_are_served_from_memory_and_share_it() {
    let mut world = cold_world(3, 100);
    for token in 1..=100 {
        world.read(token, 3, 1);
    }
    let reads = world.reads();
    world.append(200, Acks::Synced, 2);
    world.flush();
    world.sync();
    assert_eq!(world.read.len(), 100);
    let replies: Vec<ReadReply> =
        world.read.drain(..).map(|(_, reply)| reply.expect("readable")).collect();
    for reply in &replies {
        assert_eq!(offsets(reply), [3, 4]);
        assert!(std::ptr::eq(&*reply.bytes, &*replies[0].bytes), "one copy for all");
    }
    // They go on, one behind the other, and none of them needs the disk.
    for round in 0..50 {
        world.read(1, 5 + round, 1);
        world.append(201, Acks::Written, 1);
        world.flush();
        assert_eq!(offsets(&world.reply(1)), [5 + round]);
    }
    world.read(2, 30, 1);
    assert_eq!(offsets(&world.reply(2)), (30..55).collect::<Vec<_>>(), "from anywhere in it");
    assert_eq!(world.reads(), reads, "no call of the disk");
}

#[test]
fn a_reader_in_memory_sees_what_is_visible_and_no_more() {
    let mut world = World::new();
    world.read(1, 0, 1);
    world.append(2, Acks::Written, 1);
    world.append(3, Acks::Synced, 1);
    world.append(4, Acks::Written, 1);
    world.flush();
    assert_eq!(offsets(&world.reply(1)), [0], "the others wait for a sync");
    world.read(5, 0, 0);
    assert_eq!(offsets(&world.reply(5)), [0]);
    world.sync();
    world.read(6, 0, 0);
    assert_eq!(offsets(&world.reply(6)), [0, 1, 2]);
}

#[test]
fn nothing_is_kept_for_a_partition_that_nobody_follows_any_more() {
    let mut world = World::new();
    world.partition.budget = ReadBudget::new(1 << 30);
    world.read(1, 0, 1);
    world.append(2, Acks::Written, 1);
    world.flush();
    assert!(world.partition.kept_bytes() > 0);
    let mut appended = 0;
    while world.partition.kept_bytes() > 0 {
        world.append_batch(3, Acks::Written, large(100 << 10));
        world.flush();
        appended += 100 << 10;
        assert!(appended < 16 << 20, "kept for ever");
    }
    assert!(appended > 1 << 20, "a reader may be away for a moment");
}

#[test]
fn readers_of_one_place_share_a_fetch_and_the_next_ones_its_chunk() {
    let mut world = cold_world(40, 1_000);
    world.hold_fetches = true;
    for token in 1..=50 {
        world.read_some(token, 0, 4_000, 1);
    }
    assert_eq!(world.fetches.len(), 1, "one for all");
    world.hold_fetches = false;
    let job = world.fetches.pop().expect("it is there");
    world.fetch(job);
    let replies: Vec<_> = world.read.drain(..).collect();
    assert_eq!(replies.len(), 50);
    for (_, reply) in replies {
        assert_eq!(offsets(&reply.expect("readable")), [0, 1, 2]);
    }
    // The rest of the chunk is there for whoever goes on.
    let reads = world.reads();
    world.read_some(60, 3, 4_000, 1);
    assert_eq!(offsets(&world.reply(60)), [3, 4, 5]);
    assert_eq!(world.reads(), reads, "no call of the disk");
}

#[test]
fn fetches_of_one_partition_are_few_and_everyone_is_served_all_the_same() {
    let mut world = cold_world(100, 1_000);
    world.hold_fetches = true;
    for token in 0..100 {
        world.read_some(token, token, 1, 1);
    }
    let mut most = 0;
    let mut fetched = 0;
    while let Some(job) = world.fetches.pop() {
        most = most.max(world.fetches.len() + 1);
        fetched += 1;
        world.fetch(job);
    }
    assert!(most <= 4, "{most} fetches at once");
    assert!(fetched < 20, "{fetched} fetches for what a few hold");
    let mut tokens: Vec<u64> = Vec::new();
    for (token, reply) in world.read.drain(..) {
        assert_eq!(offsets(&reply.expect("readable")), [token]);
        tokens.push(token);
    }
    tokens.sort_unstable();
    assert_eq!(tokens, (0..100).collect::<Vec<_>>());
}

#[test]
fn a_fetch_that_is_waited_for_goes_on_over_the_end_of_a_segment() {
    // Each segment holds about 60 of these.
    let mut world = cold_world(100, 1_000);
    world.read_some(1, 50, 40_000, 40_000);
    let reply = world.reply(1);
    assert!(reply.len >= 38_000, "{} bytes", reply.len);
    assert_eq!(offsets(&reply)[0], 50);
}

#[test]
fn a_cancelled_read_gets_nothing_and_an_expired_one_what_the_disk_gives() {
    let mut world = cold_world(10, 1_000);
    world.hold_fetches = true;
    world.read_some(1, 0, 1 << 20, 1 << 20);
    world.read_some(2, 0, 1 << 20, 1);
    let mut effects = Vec::new();
    world.partition.expire_read(origin(1), &mut effects);
    world.partition.cancel_read(origin(2));
    world.apply(effects);
    assert!(world.read.is_empty(), "the disk is on its way");
    let job = world.fetches.pop().expect("one fetch");
    world.fetch(job);
    assert_eq!(offsets(&world.reply(1)).len(), 10);
    assert!(world.read.is_empty());
}

#[test]
fn what_was_deleted_while_it_was_read_is_not_shown() {
    let mut world = cold_world(200, 1_000);
    world.hold_fetches = true;
    world.read_some(1, 10, 4_000, 1);
    let mut effects = Vec::new();
    world.partition.truncate(100, origin(2), &mut effects);
    world.apply(effects);
    while let Some(job) = world.snapshots.pop() {
        world.snapshot(job);
    }
    let job = world.trims.pop().expect("the start is to be written");
    let mut effects = Vec::new();
    world.partition.trimmed(job.run(), &mut effects);
    world.apply(effects);
    let job = world.fetches.pop().expect("the read is under way");
    world.fetch(job);
    let (_, result) = world.read.pop().expect("answered");
    let error = result.expect_err("deleted");
    assert_eq!(error.code, Code::OFFSET_OUT_OF_RANGE);
    assert!(error.message.contains("100 to 200"), "{error}");
    world.hold_fetches = false;
    world.read_some(3, 100, 4_000, 1);
    assert_eq!(offsets(&world.reply(3))[0], 100);
}

#[test]
fn a_fence_takes_back_what_memory_and_fetches_hold_of_the_unsynced() {
    let mut world = World::new();
    world.read(1, 0, 1);
    world.append(2, Acks::Written, 1);
    world.append(3, Acks::Synced, 1);
    world.flush();
    assert_eq!(offsets(&world.reply(1)), [0]);
    world.sync();
    world.append(4, Acks::Written, 1);
    world.flush();
    assert_eq!(world.end(), 3);
    // One reader of what is not synced by way of the disk, and one in memory after the failure.
    while world.partition.let_go() {}
    world.hold_fetches = true;
    world.read_some(5, 1, 1 << 20, 1);
    world.append(6, Acks::Synced, 1);
    world.flush();
    world.disk.inject(Fault::once(Operation::Sync, ErrorKind::Other));
    world.sync();
    let job = world.fetches.pop().expect("under way");
    world.fetch(job);
    assert_eq!(offsets(&world.reply(5)), [1], "what was synced, and no more");
    world.read_some(7, 2, 1 << 20, 1);
    let (_, result) = world.read.pop().expect("answered");
    assert_eq!(result.expect_err("not synced").code, Code::PARTITION_FENCED);
}

#[test]
fn a_failing_disk_is_told_to_whoever_waited_for_it() {
    let mut world = cold_world(10, 1_000);
    world.hold_fetches = true;
    world.read_some(1, 0, 4_000, 1);
    world.read_some(2, 0, 4_000, 1);
    world.disk.inject(Fault::once(Operation::Read, ErrorKind::Other));
    let job = world.fetches.pop().expect("one fetch");
    world.fetch(job);
    assert_eq!(world.read.len(), 2);
    for (_, result) in world.read.drain(..) {
        assert!(result.expect_err("it failed").message.contains("reading"));
    }
    world.hold_fetches = false;
    world.read_some(3, 0, 4_000, 1);
    assert_eq!(offsets(&world.reply(3)), [0, 1, 2], "the next one tries again");
}

#[test]
fn readers_get_on_in_small_steps_when_the_memory_is_used_up() {
    let mut world = cold_world(300, 10_000);
    let budget = std::sync::Arc::clone(&world.partition.budget);
    // Replies that nobody takes: a peer that stopped.
    let mut stuck = Vec::new();
    let mut next = 0;
    while !budget.is_used_up() {
        world.read_some(1, next, 256 << 10, 1);
        let reply = world.reply(1);
        next = reply.next_offset;
        stuck.push(reply);
    }
    for offset in [0, 150, 299] {
        world.read_some(2, offset, 256 << 10, 1);
        let reply = world.reply(2);
        assert_eq!(offsets(&reply)[0], offset);
        assert!(reply.len <= 32 << 10, "{} bytes", reply.len);
    }
    // Those at the end are no exception.
    world.read(3, 300, 1);
    world.append_batch(4, Acks::Written, large(100));
    world.flush();
    assert_eq!(offsets(&world.reply(3)), [300]);
    drop(stuck);
    while world.partition.let_go() {}
    assert!(!budget.is_used_up());
    world.read_some(5, 0, 256 << 10, 1);
    assert!(world.reply(5).len > 32 << 10, "room again");
}

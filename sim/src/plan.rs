//! What a seed makes of a run: who is there, how fast, and what may go wrong. Each run has only
//! some of the faults, so that each shows without the others in its way.

use tidewire_storage::disk::sim::Operation;

use crate::rng::Rng;

/// The choices that hold for a whole run. Times are in microseconds of simulated time.
#[derive(Debug)]
pub(crate) struct Plan {
    /// How long producers make new records.
    pub duration_us: u64,
    pub partitions: usize,
    pub producers: usize,
    pub readers: usize,
    pub segment_bytes: u64,
    /// Longest way of a message.
    pub latency_us: u64,
    /// Longest pause of a producer.
    pub pause_us: u64,
    /// Longest time that a sync takes to begin, and to be heard of.
    pub sync_us: u64,
    /// Mean time between the ends of the server; `None` for none but the last.
    pub crash_every_us: Option<u64>,
    /// Of the ends, one in so many is a power failure.
    pub power_one_in: u64,
    /// Mean time between faults of the disk.
    pub fault_every_us: Option<u64>,
    /// Which calls fail.
    pub failing: Vec<Operation>,
    /// Mean time between full disks.
    pub full_every_us: Option<u64>,
    /// Mean time between cut connections.
    pub cut_every_us: Option<u64>,
    /// A crash may find a bit changed.
    pub bits_flip: bool,
    pub short_writes: bool,
    pub clock_jumps: bool,
    /// Mean time between deletions of a topic.
    pub delete_every_us: Option<u64>,
    /// Mean time between requests that delete records.
    pub trim_every_us: Option<u64>,
    /// Mean time between changes of a topic: its settings, or one partition more.
    pub change_every_us: Option<u64>,
    /// Whether topics keep records for a while only.
    pub retention: bool,
    /// Whether topics have a window in which ids are remembered, and records have ids.
    pub ids: bool,
    /// Whether batches are compressed.
    pub codecs: bool,
    /// Mean time between new instances of producers with names.
    pub reopen_every_us: Option<u64>,
    /// Consumers that store offsets.
    pub committers: usize,
}

impl Plan {
    pub fn new(rng: &mut Rng) -> Self {
        let all = [
            Operation::Write,
            Operation::SetLen,
            Operation::Name,
            Operation::Read,
            Operation::Sync,
            Operation::SyncDir,
            Operation::Open,
        ];
        let failing = all.into_iter().filter(|_| rng.one_in(2)).collect();
        let mut every = |one_in, low, high| rng.one_in(one_in).then(|| rng.between(low, high));
        let crash_every_us = every(1, 8_000, 40_000);
        let fault_every_us = every(3, 4_000, 30_000);
        let full_every_us = every(6, 10_000, 40_000);
        let cut_every_us = every(2, 4_000, 30_000);
        let delete_every_us = every(6, 30_000, 80_000);
        let trim_every_us = every(3, 3_000, 20_000);
        let change_every_us = every(4, 5_000, 30_000);
        let reopen_every_us = every(4, 5_000, 30_000);
        Self {
            duration_us: rng.between(20_000, 120_000),
            partitions: rng.between(1, 2) as usize,
            producers: rng.between(1, 4) as usize,
            readers: rng.between(0, 3) as usize,
            segment_bytes: *rng.pick(&[4 << 10, 4 << 10, 16 << 10, 1 << 20]),
            latency_us: *rng.pick(&[50, 300, 2_000]),
            pause_us: *rng.pick(&[200, 1_000, 4_000]),
            sync_us: *rng.pick(&[50, 1_000, 6_000]),
            crash_every_us: if rng.one_in(8) { None } else { crash_every_us },
            power_one_in: *rng.pick(&[1, 2, 2, 1_000_000]),
            fault_every_us,
            failing,
            full_every_us,
            cut_every_us,
            bits_flip: rng.one_in(6),
            short_writes: rng.one_in(3),
            clock_jumps: rng.one_in(4),
            delete_every_us,
            trim_every_us,
            change_every_us,
            retention: rng.one_in(4),
            ids: rng.one_in(4),
            codecs: rng.one_in(3),
            reopen_every_us,
            committers: if rng.one_in(6) { rng.between(1, 2) as usize } else { 0 },
        }
    }
}

//! What a seed makes of a run of sessions: who is there, how fast, and what may go wrong.

use tidewire_checker::Level;

use crate::rng::Rng;

/// The choices that hold for a whole run. Times are in microseconds of simulated time.
#[derive(Debug)]
pub(crate) struct Plan {
    /// How long producers make new records, and trouble comes.
    pub duration_us: u64,
    pub shards: usize,
    pub partitions: u32,
    /// Programs with producers, readers and members of the group.
    pub producers: usize,
    pub readers: usize,
    pub members: usize,
    /// Asked for by all producers. What only reached the operating system is lost with the power,
    /// so there the power does not fail.
    pub level: Level,
    /// Longest way of bytes, usually.
    pub latency_us: u64,
    /// Longest pause of a producer.
    pub pause_us: u64,
    /// Longest work on a batch.
    pub work_us: u64,
    /// Longest time that the disk takes.
    pub sync_us: u64,
    pub session_timeout_ms: u32,
    pub rebalance_timeout_ms: u32,
    pub delivery_timeout_ms: u32,
    pub commit_interval_ms: u32,
    pub window_bytes: u64,
    /// Mean time between ends of the server.
    pub crash_every_us: Option<u64>,
    /// Of these, one in so many is a clean stop, and one in so many a loss of power.
    pub clean_one_in: u64,
    pub power_one_in: u64,
    /// Mean time between cut connections.
    pub cut_every_us: Option<u64>,
    /// Mean time between connections that lose bytes and tell nobody.
    pub half_every_us: Option<u64>,
    /// Mean time between connections that become slow.
    pub slow_every_us: Option<u64>,
    /// Mean time between ends of programs.
    pub kill_every_us: Option<u64>,
    /// Mean time between pauses of programs.
    pub stop_every_us: Option<u64>,
    /// Mean time between faults of the disk.
    pub fault_every_us: Option<u64>,
    /// Mean time between acts of an operator: offsets that are reset, partitions that are added.
    pub act_every_us: Option<u64>,
}

impl Plan {
    pub fn new(rng: &mut Rng) -> Self {
        let mut every = |one_in, low, high| rng.one_in(one_in).then(|| rng.between(low, high));
        let crash_every_us = every(2, 1_500_000, 6_000_000);
        let cut_every_us = every(2, 300_000, 3_000_000);
        let half_every_us = every(3, 1_000_000, 4_000_000);
        let slow_every_us = every(3, 500_000, 3_000_000);
        let kill_every_us = every(3, 1_000_000, 5_000_000);
        let stop_every_us = every(3, 1_000_000, 5_000_000);
        let fault_every_us = every(4, 1_500_000, 5_000_000);
        let act_every_us = every(2, 500_000, 4_000_000);
        let level = if rng.one_in(4) { Level::Written } else { Level::Synced };
        let synced = level == Level::Synced;
        Self {
            duration_us: rng.between(2_000_000, 9_000_000),
            shards: rng.between(1, 2) as usize,
            partitions: rng.between(1, 4) as u32,
            producers: rng.between(1, 3) as usize,
            readers: rng.between(0, 2) as usize,
            members: rng.between(0, 4) as usize,
            level,
            latency_us: *rng.pick(&[500, 3_000, 20_000]),
            pause_us: *rng.pick(&[20_000, 100_000]),
            work_us: *rng.pick(&[1_000, 20_000, 200_000]),
            sync_us: *rng.pick(&[500, 5_000, 30_000]),
            session_timeout_ms: *rng.pick(&[300, 1_000, 4_000]),
            rebalance_timeout_ms: *rng.pick(&[500, 2_000]),
            delivery_timeout_ms: *rng.pick(&[400, 3_000, 30_000]),
            commit_interval_ms: *rng.pick(&[0, 50, 500]),
            window_bytes: *rng.pick(&[500, 4_000, 64_000]),
            crash_every_us,
            clean_one_in: 3,
            power_one_in: if synced { 2 } else { u64::MAX },
            cut_every_us,
            half_every_us,
            slow_every_us,
            kill_every_us,
            stop_every_us,
            fault_every_us: fault_every_us.filter(|_| synced),
            act_every_us,
        }
    }
}

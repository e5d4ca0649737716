//! Power failures and kills anywhere, by seed: what was synced is there, unchanged, and nothing is made up.
//!
//! `TIDEWIRE_SEED=n` runs one seed alone; `TIDEWIRE_SEEDS=n` runs more of them.

use std::io;
use std::sync::Mutex;

use super::*;
use tidewire_protocol::batch::{EncryptionKey, EncryptionKeys};

use crate::disk::EncryptedDisk;
use crate::disk::sim::{Fault, Operation, SimDisk};
use crate::log::SyncJob;

const SEEDS: u64 = 2000;
/// Power failures in one run.
const ROUNDS: u64 = 4;

/// SplitMix64, apart from the disk's own, so that the disk's choices do not shift the steps.
struct Steps(u64);

impl Steps {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (word ^ (word >> 27)) % bound
    }
}

/// How often each kind of thing happened, to show that the seeds reach it.
#[derive(Debug, Default)]
struct Tally {
    torn: u64,
    quarantined: u64,
    fenced: u64,
    halted: u64,
    killed: u64,
    failed_opens: u64,
    segments: u64,
}

struct Run {
    seed: u64,
    disk: SimDisk,
    /// What the log lies on: the disk, through encryption or as it is.
    over: EncryptedDisk<SimDisk>,
    steps: Steps,
    /// What the log should hold, in the operating system's view.
    model: Model,
    /// Every batch that was ever handed to `append`, under the offsets it was to get.
    attempted: Vec<Stored>,
    synced_end: u64,
    /// The log's end when its process was killed, if the next start is to find all of it.
    killed_at: Option<u64>,
    /// Append time, and what makes each batch unlike all others.
    time: i64,
}

impl Run {
    fn new(seed: u64, at_rest: bool) -> Self {
        let disk = SimDisk::new(seed);
        disk.allow_short_writes();
        let mut over = EncryptedDisk::passing(disk.clone());
        if at_rest {
            let mut keys = EncryptionKeys::default();
            keys.add(EncryptionKey::new(7, [7; 32]).unwrap()).unwrap();
            let salts = Mutex::new(Steps(seed));
            over = EncryptedDisk::new(disk.clone(), keys).with_salts(move || {
                let mut salts = salts.lock().unwrap();
                std::array::from_fn(|_| salts.below(256) as u8)
            });
        }
        Self {
            seed,
            over,
            disk,
            steps: Steps(!seed),
            model: Model::default(),
            attempted: Vec::new(),
            synced_end: 0,
            killed_at: None,
            time: 0,
        }
    }

    fn run(&mut self, tally: &mut Tally) {
        for _ in 0..ROUNDS {
            let Some(mut log) = self.open(tally) else { return };
            if self.steps.below(2) == 0 {
                self.disk.halt_after(self.steps.below(120));
            }
            self.use_log(&mut log);
            tally.fenced += u64::from(log.is_fenced() && !self.disk.is_halted());
            tally.halted += u64::from(self.disk.is_halted());
            tally.segments += log.segment_count() as u64;
            let mut certain = !log.is_fenced();
            if self.steps.below(4) == 0 {
                let closed = log.close().is_ok();
                self.synced_end = if closed { self.model.end() } else { self.synced_end };
                certain &= closed;
            }
            if self.disk.is_halted() || self.steps.below(3) > 0 {
                self.disk.crash();
            } else {
                // Only the process dies: the operating system still has what was written.
                self.disk.heal();
                self.killed_at = certain.then_some(self.model.end());
            }
        }
    }

    fn use_log(&mut self, log: &mut Log<EncryptedDisk<SimDisk>>) {
        let mut in_flight: Option<(SyncJob<EncryptedDisk<SimDisk>>, u64)> = None;
        for _ in 0..self.steps.below(30) {
            match self.steps.below(12) {
                0..=6 => self.append(log),
                7 => {
                    in_flight =
                        in_flight.or(log.begin_sync().map(|job| (job, log.end_offset())))
                }
                8 => {
                    if let Some((job, end)) = in_flight.take()
                        && log.finish_sync(job.run()).is_ok()
                    {
                        self.synced_end = self.synced_end.max(end);
                    }
                }
                9 => {
                    let idle = in_flight.is_none();
                    if let Ok(end) = log.sync() {
                        assert!(idle && end == self.model.end());
                        self.synced_end = end;
                    }
                }
                10 => self.check_read(log),
                _ => self.inject(),
            }
            assert_eq!(log.end_offset(), self.model.end());
            assert!(log.synced_end() <= self.synced_end);
        }
    }

    fn append(&mut self, log: &mut Log<EncryptedDisk<SimDisk>>) {
        self.time += 1;
        let mut next = self.model.clone();
        let mut batches = Vec::new();
        for _ in 0..1 + self.steps.below(3) {
            let records = 1 + self.steps.below(3) as usize;
            let len = if self.steps.below(20) == 0 { 5000 } else { self.steps.below(500) };
            let batch = batch(self.time as u8, records, len as usize);
            next.append(&batch, records, self.time);
            batches.push(batch);
        }
        self.attempted.extend_from_slice(&next.batches[self.model.batches.len()..]);
        if log.append(&batches, self.time).is_ok() {
            self.model = next;
        }
    }

    /// Any read gives what was appended, or an error.
    fn check_read(&mut self, log: &Log<EncryptedDisk<SimDisk>>) {
        let offset = self.steps.below(self.model.end() + 1);
        if let Ok(chunk) = log.read(offset, self.steps.below(4000) as usize, u64::MAX) {
            let inside = |stored: &&Stored| {
                stored.base >= chunk.base_offset && stored.next <= chunk.next_offset
            };
            let wanted = self.model.batches.iter().filter(inside);
            let wanted: Vec<u8> = wanted.flat_map(|stored| stored.bytes.clone()).collect();
            assert_eq!(chunk.bytes, wanted);
        }
    }

    fn inject(&mut self) {
        let operations = [
            Operation::Write,
            Operation::Write,
            Operation::SetLen,
            Operation::Name,
            Operation::Read,
            Operation::Sync,
            Operation::SyncDir,
        ];
        let operation = operations[self.steps.below(operations.len() as u64) as usize];
        let errors = [io::ErrorKind::Other, io::ErrorKind::StorageFull];
        let error = errors[self.steps.below(2) as usize];
        let after = self.steps.below(4);
        self.disk.inject(Fault { after, ..Fault::once(operation, error) });
    }

    /// Opens the log after a crash, perhaps with another one on the way, and compares. `None` if
    /// it is quarantined.
    fn open(&mut self, tally: &mut Tally) -> Option<Log<EncryptedDisk<SimDisk>>> {
        if self.steps.below(4) == 0 {
            self.disk.halt_after(self.steps.below(20));
        }
        let opened = Log::open(self.over.clone(), Path::new(DIR), OPTIONS);
        let (log, recovery) = match opened {
            Ok(opened) if !self.disk.is_halted() => opened,
            Ok(_) | Err(_) => {
                assert!(self.disk.is_halted(), "only a power failure keeps the log closed");
                tally.failed_opens += 1;
                self.killed_at = None;
                self.disk.crash();
                open(&self.over)
            }
        };
        self.disk.halt_after(u64::MAX);
        tally.torn += u64::from(recovery.torn.is_some());
        tally.quarantined += u64::from(recovery.quarantined.is_some());
        let end = log.end_offset();
        assert!(end >= self.synced_end, "{end} < {}: {recovery}", self.synced_end);
        if let Some(killed_at) = self.killed_at.take() {
            tally.killed += 1;
            assert_eq!(
                end, killed_at,
                "what a killed process wrote is still there: {recovery}"
            );
            assert!(recovery.is_clean(), "{recovery}");
        }
        self.compare(&log);
        recovery.quarantined.is_none().then_some(log)
    }

    /// Every batch found is one that was appended at its offset: before `synced_end` the one
    /// that was synced, after it one that was at least tried.
    fn compare(&mut self, log: &Log<EncryptedDisk<SimDisk>>) {
        let mut found = Model::default();
        let mut rest: &[u8] = &read_all(log, 2000, log.end_offset());
        while !rest.is_empty() {
            let base = found.end();
            let synced = base < self.synced_end;
            let candidates = if synced { &self.model.batches } else { &self.attempted };
            let stored = candidates
                .iter()
                .find(|stored| stored.base == base && rest.starts_with(&stored.bytes[..]))
                .unwrap_or_else(|| panic!("what stands at offset {base} was never written"));
            rest = &rest[stored.bytes.len()..];
            found.batches.push(stored.clone());
        }
        self.model = found;
        self.synced_end = self.model.end();
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|number| number.parse().ok())
}

/// Runs all seeds; of as many as usual every kind of thing happens more than `reached` times.
fn run_all(seeds: u64, at_rest: bool, reached: u64) {
    let usual = seeds;
    let seeds = match number("TIDEWIRE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TIDEWIRE_SEEDS").unwrap_or(seeds),
    };
    let many = seeds.end - seeds.start >= usual;
    let mut tally = Tally::default();
    for seed in seeds {
        let mut run = Run::new(seed, at_rest);
        let caught =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.run(&mut tally)));
        if let Err(panic) = caught {
            eprintln!("seed {}: run it alone with TIDEWIRE_SEED={}", run.seed, run.seed);
            std::panic::resume_unwind(panic);
        }
    }
    eprintln!("{tally:?}");
    let Tally { torn, quarantined, fenced, halted, killed, failed_opens, .. } = tally;
    let counts = [torn, quarantined, fenced, halted, killed, failed_opens];
    assert!(!many || counts.iter().all(|&count| count > reached), "{tally:?}");
}

#[test]
fn synced_batches_survive_power_failures_anywhere() {
    run_all(SEEDS, false, 10);
}

/// The same with encryption between the log and the disk.
#[test]
fn synced_batches_survive_power_failures_anywhere_at_rest() {
    run_all(SEEDS / 8, true, 0);
}

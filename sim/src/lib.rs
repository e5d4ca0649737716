//! A deterministic simulation of Tidewire's server: the proof that the log keeps its word.
//!
//! A seed decides a workload of producers and readers, their connections, the disk's faults and
//! when the server ends, by the death of its process or of its power, at any call of the disk.
//! What runs is the real thing — the server's partitions and the log with its recovery — over a
//! disk and a clock that are simulated. A [`Checker`](tidewire_checker::Checker) is told what
//! clients saw, and compares it with the whole log after each start.
//!
//! ```
//! let report = tidewire_sim::run(7, &tidewire_sim::Options::default());
//! assert_eq!(report.failure, None);
//! assert_eq!(report.hash, tidewire_sim::run(7, &tidewire_sim::Options::default()).hash);
//! ```
#![forbid(unsafe_code)]

mod batches;
mod bug;
mod damage;
mod disk;
mod host;
mod plan;
mod producer;
mod reader;
mod rng;
mod trace;
mod world;

use std::ops::AddAssign;

pub use bug::Bug;

/// How to run a seed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// A deliberate bug.
    pub bug: Option<Bug>,
    /// Whether [`Report::lines`] is wanted.
    pub keep_lines: bool,
    /// Whether [`Report::hash`] can do without the trace, which saves time.
    pub no_hash: bool,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Over the whole trace: the same seed gives the same.
    pub hash: u64,
    /// What happened, counted.
    pub tally: Tally,
    /// The broken promise, if one was.
    pub failure: Option<String>,
    /// The trace, if it was asked for.
    pub lines: Vec<String>,
}

macro_rules! tally {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// How often things happened, to show that runs reach them.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Tally {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl AddAssign for Tally {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)*
            }
        }

        impl Tally {
            /// Names and counts.
            pub fn entries(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

tally! {
    /// Lines of the trace.
    lines,
    /// Batches sent for the first time.
    sent,
    /// Batches sent again.
    resent,
    /// Batches acknowledged.
    acknowledged,
    /// Of these, known from before.
    duplicates,
    /// Batches refused or of unknown outcome.
    refused,
    /// Records that readers were given.
    read,
    /// Starts of the server.
    starts,
    /// Ends by the death of the process.
    kills,
    /// Ends by the loss of power.
    power_failures,
    /// Torn tails that were cut off.
    torn,
    /// Partitions found damaged in the middle.
    quarantined,
    /// Partitions that fenced themselves.
    fenced,
    /// Logs that could not be opened at first.
    failed_opens,
    /// Calls of the disk that were to fail.
    faults,
    /// Disks that became full.
    full,
    /// Bits that changed.
    flips,
    /// Flushes that were answered.
    flushed,
    /// Snapshots that were written.
    snapshots,
    /// Connections that were cut.
    cuts,
    /// Topics that were deleted.
    deleted,
}

/// Runs one seed.
pub fn run(seed: u64, options: &Options) -> Report {
    world::World::run(seed, options)
}

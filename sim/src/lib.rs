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
mod commits;
mod damage;
mod disk;
mod host;
mod keeping;
mod lookups;
mod plan;
mod producer;
mod reader;
mod rng;
mod sessions;
mod trace;
mod world;

pub use bug::Bug;

/// What is simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Partitions and stored offsets over a disk that fails, request by request.
    #[default]
    Storage,
    /// Programs with producers, readers and members of a group, over a network that fails,
    /// against a server whose disk fails.
    Sessions,
}

impl Kind {
    /// The deliberate bugs that it finds, with the words that choose them.
    pub fn bugs(self) -> &'static [(&'static str, Bug)] {
        match self {
            Self::Storage => Bug::STORAGE,
            Self::Sessions => Bug::SESSIONS,
        }
    }
}

/// How to run a seed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// What is simulated.
    pub kind: Kind,
    /// A deliberate bug.
    pub bug: Option<Bug>,
    /// Whether [`Report::lines`] is wanted.
    pub keep_lines: bool,
    /// Whether the logs of storage are encrypted at rest in any case, and not with some seeds only.
    pub at_rest: bool,
    /// Whether [`Report::hash`] can do without the trace, which saves time.
    pub no_hash: bool,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Over the whole trace: the same seed gives the same.
    pub hash: u64,
    /// What happened, counted: names and numbers, the same names for each kind.
    pub counts: Vec<(&'static str, u64)>,
    /// The broken promise, if one was.
    pub failure: Option<String>,
    /// The trace, if it was asked for.
    pub lines: Vec<String>,
}

macro_rules! tally {
    ($tally:ident: $($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// How often things happened, to show that runs reach them.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) struct $tally {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl $tally {
            /// Names and counts.
            pub fn entries(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

tally! {
    Tally:
    /// Lines of the trace.
    lines,
    /// Runs whose logs are encrypted at rest.
    at_rest,
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
    /// Places told that were looked up by time.
    times,
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
    /// Topics that were changed.
    changed,
    /// Times that the start of a log was moved.
    trims,
    /// Records that were deleted.
    trimmed,
    /// Segments that were removed.
    removed,
    /// Batches refused for ids that were seen.
    seen,
    /// New instances of producers with names.
    reopened,
    /// Batches of old instances that were refused.
    outdated,
    /// Offsets stored.
    commits,
    /// Offsets set by hand.
    resets,
    /// Offsets asked for and told.
    told,
}

tally! {
    SessionTally:
    /// Lines of the trace.
    lines,
    /// Connections that were begun.
    connections,
    /// Handshakes that were done.
    handshakes,
    /// Connections that clients lost.
    lost,
    /// Connections that were cut.
    cuts,
    /// Connections that lost bytes with nobody told.
    half_open,
    /// Connections that moved to the shard of their partition.
    moves,
    /// Connections that became slow.
    slowed,
    /// Programs that ended.
    client_kills,
    /// Programs that were paused.
    pauses,
    /// Starts of the server.
    starts,
    /// Ends by the death of the process.
    kills,
    /// Ends by the loss of power.
    power_failures,
    /// Clean stops.
    stops,
    /// Calls of the disk that were to fail.
    faults,
    /// Batches that applications made.
    sent,
    /// Batches acknowledged.
    acknowledged,
    /// Of these, known from before.
    duplicates,
    /// Batches that certainly failed.
    failed,
    /// Batches whose outcome is unknown.
    unknown,
    /// Batches refused for now.
    throttled,
    /// Producers that went on as another.
    renewed,
    /// Records that readers were given.
    read,
    /// Memberships begun, or come back to.
    joined,
    /// Partitions that members got.
    assigned,
    /// Partitions that were asked back.
    revoked,
    /// Partitions that were released.
    released,
    /// Partitions that members lost.
    lost_partitions,
    /// Batches that members worked on.
    worked,
    /// Offsets stored.
    commits,
    /// Offsets refused.
    refused,
    /// Offsets refused because another had the partition.
    stale,
    /// Offsets asked for and told.
    asked,
    /// Offsets set by an operator.
    resets,
    /// Partitions added.
    added,
}

/// Runs one seed.
pub fn run(seed: u64, options: &Options) -> Report {
    match options.kind {
        Kind::Storage => world::World::run(seed, options),
        Kind::Sessions => sessions::World::run(seed, options),
    }
}

/// Adds counts to others of the same names.
pub fn add_counts(sum: &mut Vec<(&'static str, u64)>, counts: &[(&'static str, u64)]) {
    if sum.is_empty() {
        sum.extend_from_slice(counts);
        return;
    }
    for ((_, sum), (_, count)) in sum.iter_mut().zip(counts) {
        *sum += count;
    }
}

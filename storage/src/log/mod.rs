//! One partition's log: batches in order of their offsets, in segment files.
//!
//! Owns the files of one directory: `<base offset>.log` holds batches and nothing else, and is
//! called `.next` until its first sync; `<base offset>.index` can always be rebuilt from it;
//! `<offset>.state` is a snapshot of what the server remembers of the records below; `start` says
//! where a log begins that was trimmed. Who calls when, which offsets a reader may see and what a
//! snapshot holds are left to the server.
//!
//! A [`Log`] takes appends on the thread that owns it, each a system call or two. Syncs, reads and
//! trims are cut in two so that the wait can happen elsewhere: [`Log::begin_sync`] gives a
//! [`SyncJob`] to run on another thread, [`Log::finish_sync`] takes its outcome back.
//!
//! Invariant: offsets are dense. A batch's base offset is the offset after the one before it,
//! in the file and across files, and a reader never sees it otherwise.

mod append;
mod check;
mod copy;
mod fetch;
mod index;
mod mend;
mod pace;
mod read;
mod recovery;
mod segment;
mod snapshot;
mod sync;
mod time;
mod trim;
mod walk;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::io::IoSlice;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use crate::disk::Disk;
use crate::error::{Error, ErrorKind};
pub use append::Stamped;
pub use check::{Fault, Finding, LogCheck, MAX_FINDINGS, check};
pub use copy::{LogCopier, LogCopy};
pub use fetch::{ReadJob, ReadOutcome};
pub use mend::{Aside, LOST_HEADER, Loss, MAX_FILLED_OFFSETS, Mended, losses, mend};
pub use pace::Pace;
use read::Readers;
pub use read::{Chunk, MARK_BYTES};
pub use recovery::{Quarantine, Recovery, TornTail};
use segment::Segment;
pub(crate) use snapshot::MAGIC as SNAPSHOT_MAGIC;
pub use snapshot::{MAX_SNAPSHOT_BYTES, SnapshotJob, SnapshotOutcome};
use sync::Syncs;
pub use sync::{SyncJob, SyncOutcome};
pub use time::{Lookup, LookupJob, LookupOutcome};
pub use trim::{RemoveJob, Retention, TrimJob, TrimOutcome};

/// Segment sizes that a log takes, in bytes. Index positions must fit in 32 bits.
pub const SEGMENT_BYTES_RANGE: RangeInclusive<u64> = 4 << 10..=1 << 30;

/// How a log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Largest segment file in bytes, within [`SEGMENT_BYTES_RANGE`]; a batch that is larger
    /// gets a segment of its own.
    pub segment_bytes: u64,
    /// Bytes of log between two index entries.
    pub index_interval_bytes: u32,
    /// Written into every batch: counts the starts of the server.
    pub leader_epoch: u32,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { segment_bytes: 256 << 20, index_interval_bytes: 64 << 10, leader_epoch: 0 }
    }
}

/// One partition's log, open for appends and reads.
#[derive(Debug)]
pub struct Log<D: Disk> {
    disk: D,
    dir: Arc<Path>,
    options: LogOptions,
    /// Where the log was last told to begin; within the first segment, or where that begins.
    start: u64,
    trim_in_flight: bool,
    /// In order of their offsets, never empty; the last one takes appends.
    segments: Vec<Segment<D::File>>,
    health: Health,
    last_append_time_us: i64,
    synced_end: u64,
    sync_in_flight: bool,
    syncs: Arc<Syncs>,
    /// Files created and removed since the log was opened, and how many of them durably so.
    names_changed: u64,
    names_synced: u64,
    /// Offset of the newest snapshot that was begun, and of the newest that is on the disk.
    snapshot_begun: u64,
    snapshot_offset: Option<u64>,
    readers: RefCell<Readers<D::File>>,
    scratch: Scratch,
}

/// Buffers that live from append to append, so that an append allocates nothing.
#[derive(Debug, Default)]
struct Scratch {
    stamps: Vec<Stamped>,
    pieces: Vec<IoSlice<'static>>,
}

/// Whether the log can be trusted.
#[derive(Debug)]
enum Health {
    Good,
    /// A failure after which it is unknown what the disk holds, in words.
    Fenced(String),
    /// Damage in the middle, found when the log was opened.
    Quarantined(Quarantine),
}

impl<D: Disk> Log<D> {
    /// Opens the log in `dir`, or creates it, and says what it found.
    ///
    /// A torn tail is cut off. Damage with something valid after it is left alone: the log
    /// opens, but from that offset on reads and all appends fail with [`ErrorKind::Corrupt`],
    /// and [`Recovery::quarantined`] says where.
    pub fn open(disk: D, dir: &Path, options: LogOptions) -> Result<(Self, Recovery), Error> {
        if !SEGMENT_BYTES_RANGE.contains(&options.segment_bytes) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "segment_bytes is {}, not within {} to {}",
                    options.segment_bytes,
                    SEGMENT_BYTES_RANGE.start(),
                    SEGMENT_BYTES_RANGE.end()
                ),
            ));
        }
        recovery::open(disk, dir, options)
    }

    /// First offset in the log. It never goes back, whatever happens to the machine.
    pub fn start_offset(&self) -> u64 {
        self.segments.first().map_or(0, |segment| segment.base).max(self.start)
    }

    /// The offset after the last record written. It may be in the operating system only.
    pub fn end_offset(&self) -> u64 {
        self.segments.last().map_or(0, |segment| segment.end)
    }

    /// The offset after the last record that is on the disk.
    pub fn synced_end(&self) -> u64 {
        self.synced_end
    }

    /// Bytes in all segments, indexes not counted.
    pub fn size_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.len).sum()
    }

    /// When the last batch was appended, in microseconds since the Unix epoch, as it is stamped;
    /// `i64::MIN` if there is none.
    pub fn last_append_time_us(&self) -> i64 {
        self.last_append_time_us
    }

    /// Where the first segment begins that lies wholly after `offset`, if there is one.
    pub fn next_segment(&self, offset: u64) -> Option<u64> {
        let after = self.segments.partition_point(|segment| segment.base <= offset);
        self.segments.get(after).map(|segment| segment.base)
    }

    /// Number of segment files.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// Has new segments begin at this size, in bytes; it is held within
    /// [`SEGMENT_BYTES_RANGE`].
    pub fn set_segment_bytes(&mut self, segment_bytes: u64) {
        let (min, max) = (*SEGMENT_BYTES_RANGE.start(), *SEGMENT_BYTES_RANGE.end());
        self.options.segment_bytes = segment_bytes.clamp(min, max);
    }

    /// The directory that holds the log.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether a failure stopped appends until the log is opened again.
    pub fn is_fenced(&self) -> bool {
        matches!(self.health, Health::Fenced(_))
    }

    /// Where damage was found when the log was opened, if any was.
    pub fn quarantined(&self) -> Option<&Quarantine> {
        match &self.health {
            Health::Quarantined(quarantine) => Some(quarantine),
            Health::Good | Health::Fenced(_) => None,
        }
    }

    /// Syncs, and writes the last segment's index so that it need not be rebuilt.
    ///
    /// Fails as [`Log::sync`] does: a sync in flight is to be finished first.
    /// Dropping a log instead is safe too: only what was not synced is at risk, and only if the
    /// machine fails.
    pub fn close(mut self) -> Result<(), Error> {
        if self.quarantined().is_some() {
            return Ok(());
        }
        self.sync()?;
        self.write_last_index();
        Ok(())
    }

    fn fence(&mut self, reason: String) -> Error {
        let error = Self::fenced(&self.dir, &reason);
        self.health = Health::Fenced(reason);
        error
    }

    fn fenced(dir: &Path, reason: &str) -> Error {
        Error::new(
            ErrorKind::Fenced,
            format!("the log in {} takes no more appends: {reason}", dir.display()),
        )
    }

    fn check_writable(&self) -> Result<(), Error> {
        match &self.health {
            Health::Good => Ok(()),
            Health::Fenced(reason) => Err(Self::fenced(&self.dir, reason)),
            Health::Quarantined(quarantine) => Err(quarantine.to_error()),
        }
    }
}

//! Examining a log that nobody has open: every checksum, and what is wrong in words.
//!
//! Goes further than opening it: sealed segments are walked too, the walk goes on behind damage,
//! and indexes are held against what they describe. Changes nothing; [`super::mend`] does.
//!
//! Invariant: what opening the log would cut off, quarantine or make anew is reported here, under
//! the same rules, before it happens.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use tidewire_protocol::batch::{HEADER_LEN, Header};

use super::index::{self, IndexFile, Summary};
use super::segment::{Name, index_path, log_path, next_path, snapshot_path, start_path};
use super::snapshot;
use super::trim::StartFile;
use super::walk::{BATCH_ALIGN, Check, WALK_WINDOW_BYTES, Window, find_batch, walk};
use crate::disk::crypt::is_key_missing;
use crate::disk::{Disk, DiskFile, OpenMode};
use crate::error::Error;

/// Most findings that are kept of one log: a disk that lost every other sector has millions.
pub const MAX_FINDINGS: usize = 1000;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The log ends in bytes that are no whole batch, and nothing valid follows: a write that was
    /// cut short. Opening the log cuts it off.
    TornTail,
    /// Bytes that are not the batch that should stand there, though the log goes on after them.
    Damaged,
    /// Offsets for which there are no bytes: a segment ends before the next begins.
    Missing,
    /// The system could not read the file.
    Unreadable,
    /// The file is encrypted at rest with a key that is not there. Nothing of its log is mended,
    /// for it may be whole.
    KeyMissing,
    /// A sealed segment has no index. It is walked when it is opened, which takes time.
    IndexMissing,
    /// An index whose checksum or contents are wrong. It is made anew when it is needed.
    IndexDamaged,
    /// An index of a log file of another length or end. It is made anew when it is needed.
    IndexStale,
    /// A snapshot of what the server remembers of the log, whose checksum is wrong. An older one
    /// is used, or it is gathered from the log again.
    SnapshotDamaged,
    /// A file that a crash left behind: a segment that was never synced and does not follow on
    /// the log's end, or an index without its segment. Opening the log removes it.
    LeftOver,
    /// The file that says where the log begins cannot be read. The log begins with its first
    /// segment: records that were deleted may be back.
    StartDamaged,
    /// A file that is not the log's. It is left alone.
    Foreign,
}

impl Fault {
    /// Whether records that may have been acknowledged cannot be read because of it.
    pub fn is_loss(self) -> bool {
        matches!(self, Self::Damaged | Self::Missing | Self::Unreadable)
    }

    /// Whether everything is as it should be all the same: nothing to repair.
    pub fn is_note(self) -> bool {
        matches!(self, Self::IndexMissing | Self::StartDamaged | Self::Foreign)
    }

    /// A short name, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::TornTail => "torn_tail",
            Self::Damaged => "damaged",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::KeyMissing => "key_missing",
            Self::IndexMissing => "index_missing",
            Self::IndexDamaged => "index_damaged",
            Self::IndexStale => "index_stale",
            Self::SnapshotDamaged => "snapshot_damaged",
            Self::LeftOver => "left_over",
            Self::StartDamaged => "start_damaged",
            Self::Foreign => "foreign",
        }
    }
}

/// One thing that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub fault: Fault,
    /// The file.
    pub file: PathBuf,
    /// Where in the file it begins, in bytes.
    pub position: u64,
    /// How many bytes are concerned.
    pub bytes: u64,
    /// The offsets of the records concerned; empty where none are, or their number is unknown.
    pub offsets: Range<u64>,
    /// What was found there.
    pub reason: String,
}

/// What a log holds, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogCheck {
    /// First offset.
    pub start: u64,
    /// The offset after the last good batch.
    pub end: u64,
    /// Good batches.
    pub batches: u64,
    /// Bytes of good batches.
    pub bytes: u64,
    /// Segment files.
    pub segments: usize,
    /// Findings, in the order of offsets; at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// Findings past the limit.
    pub more_findings: u64,
}

/// Examines the log in `dir`. `progress` is told of bytes as they are checked.
///
/// # Errors
/// If the directory cannot be listed. A file that cannot be read is a finding.
pub fn check<D: Disk>(
    disk: &D,
    dir: &Path,
    mut progress: impl FnMut(u64),
) -> Result<LogCheck, Error> {
    let names = disk.read_dir(dir).map_err(|error| Error::io("listing", dir, error))?;
    let mut checking = Checking { disk, dir, check: LogCheck::default(), vouched: None };
    let (mut named, mut unnamed) = (BTreeSet::new(), BTreeSet::new());
    let mut indexes = BTreeSet::new();
    let mut snapshots = Vec::new();
    for name in names {
        match Name::parse(&name) {
            Name::Log(base) => _ = named.insert(base),
            Name::Next(base) => _ = unnamed.insert(base),
            Name::Index(base) => _ = indexes.insert(base),
            // A bad one is passed over when the log is opened.
            Name::Start | Name::StartDraft => {}
            Name::Snapshot(offset) => snapshots.push(offset),
            Name::SnapshotTemporary => {}
            Name::Foreign => {
                let reason = "it is not one of the log's files".to_owned();
                checking.find(Fault::Foreign, dir.join(name), 0..0, 0..0, reason);
            }
        }
    }
    let start = match StartFile::load(disk, dir)? {
        Ok(file) => file.map_or(0, |file| file.offset),
        Err(reason) => {
            // The log begins with its first segment then.
            checking.find(Fault::StartDamaged, start_path(dir), 0..0, 0..0, reason);
            0
        }
    };
    // What lies wholly before the start is removed when the log is opened.
    let trimmed = named.range(..=start).next_back().copied().unwrap_or(0);
    let kept = named.split_off(&trimmed);
    for base in std::mem::replace(&mut named, kept) {
        indexes.remove(&base);
    }
    checking.check.segments = named.len() + unnamed.len();
    checking.check.start = named.first().copied().unwrap_or(0);
    checking.check.end = checking.check.start;
    let bases: Vec<u64> = named.iter().copied().collect();
    let mut torn = false;
    for (at, &base) in bases.iter().enumerate() {
        let next = bases.get(at + 1).copied();
        torn = checking.named_segment(base, next, indexes.contains(&base), &mut progress);
    }
    for base in unnamed {
        torn = checking.unnamed_segment(base, torn, named.is_empty(), &mut progress);
    }
    for base in indexes.into_iter().filter(|base| !named.contains(base)) {
        let reason = "there is no log file to this index".to_owned();
        checking.find(Fault::LeftOver, index_path(dir, base), 0..0, 0..0, reason);
    }
    checking.check.start = checking.check.start.max(start);
    checking.check.end = checking.check.end.max(start);
    checking.check_snapshots(&snapshots);
    Ok(checking.check)
}

/// What it is that a file cannot be read.
fn unread(error: &io::Error) -> Fault {
    if is_key_missing(error) { Fault::KeyMissing } else { Fault::Unreadable }
}

struct Checking<'a, D> {
    disk: &'a D,
    dir: &'a Path,
    check: LogCheck,
    /// What the index of the segment at hand says of it.
    vouched: Option<Summary>,
}

impl<D: Disk> Checking<'_, D> {
    fn find(
        &mut self,
        fault: Fault,
        file: PathBuf,
        bytes: Range<u64>,
        offsets: Range<u64>,
        reason: String,
    ) {
        if self.check.findings.len() == MAX_FINDINGS {
            self.check.more_findings += 1;
            return;
        }
        let (position, bytes) = (bytes.start, bytes.end - bytes.start);
        self.check.findings.push(Finding { fault, file, position, bytes, offsets, reason });
    }

    /// Checks a `.log` file and its index. Returns whether it ends in a torn tail.
    fn named_segment(
        &mut self,
        base: u64,
        next: Option<u64>,
        has_index: bool,
        progress: &mut impl FnMut(u64),
    ) -> bool {
        let path = log_path(self.dir, base);
        let index_file = if has_index {
            index::examine(self.disk, self.dir, base)
        } else {
            IndexFile::Missing
        };
        self.vouched = index_file.summary();
        let walked = match self.walk(&path, base, next, &index_file, progress) {
            Ok(walked) => walked,
            Err(error) => {
                let offsets = base..next.unwrap_or(base);
                self.find(unread(&error), path, 0..0, offsets, error.to_string());
                self.check.end = next.unwrap_or(base).max(self.check.end);
                return false;
            }
        };
        if let Some(next) = next
            && walked.offset < next
            && !walked.ended_damaged
        {
            let reason = format!(
                "it ends with offset {}, the next segment begins at {next}",
                walked.offset
            );
            let place = walked.position..walked.position;
            self.find(Fault::Missing, path, place, walked.offset..next, reason);
            self.check.end = next;
        }
        self.check_index(base, next, &index_file, &walked);
        walked.torn
    }

    /// Checks a `.next` file: it follows on the log's end, or is left over.
    fn unnamed_segment(
        &mut self,
        base: u64,
        torn: bool,
        first: bool,
        progress: &mut impl FnMut(u64),
    ) -> bool {
        let path = next_path(self.dir, base);
        if torn || first || base != self.check.end {
            let reason = format!(
                "it was never synced and does not follow on the log's end, offset {}",
                self.check.end
            );
            self.find(Fault::LeftOver, path, 0..0, 0..0, reason);
            return torn;
        }
        self.vouched = None;
        match self.walk(&path, base, None, &IndexFile::Missing, progress) {
            Ok(walked) => walked.torn,
            Err(error) => {
                self.find(unread(&error), path, 0..0, base..base, error.to_string());
                true
            }
        }
    }

    /// Walks to the file's end, over whatever is damaged.
    fn walk(
        &mut self,
        path: &Path,
        base: u64,
        next: Option<u64>,
        index: &IndexFile,
        progress: &mut impl FnMut(u64),
    ) -> io::Result<Walked> {
        let file = self.disk.open(path, OpenMode::Read)?;
        let len = file.len()?;
        let mut window = Window::new(&file, len, WALK_WINDOW_BYTES);
        let mut entries = index.entries().iter().copied().peekable();
        let mut walked = Walked { offset: base, ..Walked::default() };
        let synced_len = self.vouched.map_or(0, |summary| summary.log_len);
        let never_synced = Name::parse_path(path) == Name::Next(base);
        loop {
            let from = (walked.position, walked.offset);
            let (batches, bytes) = (&mut self.check.batches, &mut self.check.bytes);
            let end = walk(&mut window, from, next, Check::Bodies, |header, position| {
                *batches += 1;
                *bytes += u64::from(header.total_len);
                progress(u64::from(header.total_len));
                while let Some(entry) =
                    entries.next_if(|entry| u64::from(entry.position) <= position)
                {
                    walked.index_astray |= u64::from(entry.position) != position
                        || entry.base_offset != header.base_offset
                        || entry.append_time_us != header.append_time_us;
                }
                true
            })?;
            walked.position = end.position;
            walked.offset = end.offset;
            walked.last_append_time_us = end.last_append_time_us.or(walked.last_append_time_us);
            let Some(damage) = end.damage else { break };
            let search = damage.torn_unless_from.unwrap_or(end.position + BATCH_ALIGN);
            let found = find_batch(&mut window, search, end.offset)?
                .map(|at| {
                    Ok::<_, io::Error>((at, Header::parse(window.bytes(at, HEADER_LEN)?)))
                })
                .transpose()?;
            match found {
                Some((at, Ok(header)))
                    if (at, header.base_offset) != (end.position, end.offset)
                        && next.is_none_or(|next| header.base_offset < next) =>
                {
                    let offsets = end.offset..header.base_offset;
                    let place = end.position..at;
                    self.find(Fault::Damaged, path.to_owned(), place, offsets, damage.reason);
                    progress(at - end.position);
                    walked.position = at;
                    walked.offset = header.base_offset;
                    walked.damaged = true;
                }
                found => {
                    // A format unknown here is no torn write, and neither is what was synced.
                    walked.torn = next.is_none()
                        && (never_synced
                            || damage.torn_unless_from.is_some()
                                && found.is_none()
                                && synced_len <= end.position);
                    walked.ended_damaged = true;
                    let fault = if walked.torn { Fault::TornTail } else { Fault::Damaged };
                    let synced_end = self.vouched.map_or(0, |summary| summary.end);
                    let last = next.unwrap_or(if walked.torn { 0 } else { synced_end });
                    let offsets = end.offset..last.max(end.offset);
                    self.find(
                        fault,
                        path.to_owned(),
                        end.position..len,
                        offsets,
                        damage.reason,
                    );
                    progress(len - end.position);
                    break;
                }
            }
        }
        if next.is_none() && !walked.ended_damaged && walked.position < synced_len {
            let summary = self.vouched.map_or(0, |summary| summary.end);
            let reason = format!("it ends here, though {synced_len} bytes were synced");
            let place = walked.position..walked.position;
            let offsets = walked.offset..summary.max(walked.offset);
            self.find(Fault::Missing, path.to_owned(), place, offsets, reason);
            walked.damaged = true;
        }
        walked.index_astray |= entries.peek().is_some();
        self.check.end = walked.offset;
        if let (true, Some(next)) = (walked.ended_damaged, next) {
            self.check.end = next;
        }
        Ok(walked)
    }

    fn check_snapshots(&mut self, offsets: &[u64]) {
        let whole = self
            .check
            .findings
            .iter()
            .all(|finding| !finding.fault.is_loss() && finding.fault != Fault::KeyMissing);
        for &offset in offsets {
            let path = snapshot_path(self.dir, offset);
            let reason = match snapshot::load(self.disk, self.dir, offset) {
                Ok(Some(_)) => None,
                Ok(None) => Some("its length or a checksum is wrong".to_owned()),
                Err(error) if is_key_missing(&error) => {
                    self.find(Fault::KeyMissing, path, 0..0, 0..0, error.to_string());
                    continue;
                }
                Err(error) => Some(format!("it cannot be read: {error}")),
            };
            if let Some(reason) = reason {
                self.find(Fault::SnapshotDamaged, path, 0..0, 0..0, reason);
            } else if whole && offset > self.check.end {
                let end = self.check.end;
                let reason = format!("it knows of offset {offset}, the log ends with {end}");
                self.find(Fault::LeftOver, path, 0..0, 0..0, reason);
            }
        }
    }

    fn check_index(
        &mut self,
        base: u64,
        next: Option<u64>,
        index: &IndexFile,
        walked: &Walked,
    ) {
        let path = index_path(self.dir, base);
        match index {
            // The last segment gets its index when the log is closed.
            IndexFile::Missing if next.is_none() => {}
            IndexFile::Missing => {
                let reason = "the segment was sealed and has no index".to_owned();
                self.find(Fault::IndexMissing, path, 0..0, 0..0, reason);
            }
            IndexFile::Damaged(reason) => {
                self.find(Fault::IndexDamaged, path, 0..0, 0..0, (*reason).to_owned());
            }
            // Holding it against a damaged segment would blame the wrong file.
            IndexFile::Good(..) if walked.damaged || walked.ended_damaged => {}
            IndexFile::Good(summary, _) => {
                let fits = (summary.end, summary.log_len) == (walked.offset, walked.position);
                if !fits && next.is_some() {
                    let reason = format!(
                        "it describes {} bytes up to offset {}, the log file has {} up to {}",
                        summary.log_len, summary.end, walked.position, walked.offset
                    );
                    self.find(Fault::IndexStale, path, 0..0, 0..0, reason);
                } else if walked.index_astray {
                    let reason = "an entry points to where no such batch begins".to_owned();
                    self.find(Fault::IndexDamaged, path, 0..0, 0..0, reason);
                }
            }
        }
    }
}

/// What a walk over one file came to.
#[derive(Debug, Default)]
struct Walked {
    position: u64,
    offset: u64,
    last_append_time_us: Option<i64>,
    /// Damage that something valid follows.
    damaged: bool,
    /// The end of the file is not a batch.
    ended_damaged: bool,
    torn: bool,
    /// The index has an entry that does not hold.
    index_astray: bool,
}

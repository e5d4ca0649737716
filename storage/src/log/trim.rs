//! The log's start: where it begins, and moving it on.
//!
//! Owns the file `start`, 40 bytes: the offset of the first record that there is, and the last
//! append time when it was written. It is replaced as a whole: a draft is synced, renamed, and the
//! directory synced. A log that was never trimmed has none and begins with its first segment.
//!
//! A trim is cut in three, as a sync is in two, so that nobody waits for the disk on the log's
//! thread: [`Log::begin_trim`] gives a [`TrimJob`] that writes the file, [`Log::finish_trim`] takes
//! its outcome back and moves the start, and [`Log::take_removable`] gives a [`RemoveJob`] that
//! deletes the segments that lie wholly before it. Readers that have such a segment open read on.
//!
//! Invariants: the start is on the disk before anyone is told of it, and before any file goes, so
//! it never goes back; it is never after what is synced, so a log always ends at its start or
//! later; the last segment stays.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidewire_protocol::crc::crc32c;

use super::Log;
use super::index::{u32_at, u64_at};
use super::segment::{Segment, index_path, log_path, start_draft_path, start_path};
use crate::disk::{Disk, DiskFile, OpenMode, read_exact_at, write_all_vectored_at};
use crate::error::{Error, ErrorKind};

const MAGIC: &[u8; 8] = b"TIDESTRT";
const VERSION: u32 = 1;
const FILE_LEN: usize = 40;

/// What the file `start` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StartFile {
    /// Offset of the first record.
    pub offset: u64,
    /// No later batch has an earlier append time.
    pub last_append_time_us: i64,
}

/// How long records are kept. Zeros keep them for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Age after which a record may go, in milliseconds; 0 is never.
    pub ms: u64,
    /// Size of the log above which its oldest segments may go, in bytes; 0 is never.
    pub bytes: u64,
}

/// A start to write. Send it to a thread that may block, and [`run`](Self::run) it there.
#[derive(Debug)]
#[must_use = "a trim that is not run never finishes"]
pub struct TrimJob<D: Disk> {
    disk: D,
    dir: Arc<Path>,
    start: StartFile,
}

/// What came of a [`TrimJob`]; hand it to [`Log::finish_trim`].
#[derive(Debug)]
#[must_use = "the log does not know before `finish_trim`"]
pub struct TrimOutcome {
    offset: u64,
    result: io::Result<()>,
}

/// Segments to delete, which the log has let go of. [`run`](Self::run) it where it may block.
#[derive(Debug)]
#[must_use = "the files remain until it is run"]
pub struct RemoveJob<D: Disk> {
    disk: D,
    dir: Arc<Path>,
    bases: Vec<u64>,
}

impl<D: Disk> TrimJob<D> {
    /// The log's start once this is done.
    pub fn start_offset(&self) -> u64 {
        self.start.offset
    }

    /// Writes the start. Blocks for as long as the disk takes.
    pub fn run(self) -> TrimOutcome {
        let result = store(&self.disk, &self.dir, self.start);
        TrimOutcome { offset: self.start.offset, result }
    }
}

impl<D: Disk> RemoveJob<D> {
    /// Deletes the files, and returns those that could not be. They are deleted when the log is
    /// opened next.
    pub fn run(self) -> Vec<(PathBuf, io::Error)> {
        let paths = self
            .bases
            .iter()
            .flat_map(|&base| [index_path(&self.dir, base), log_path(&self.dir, base)]);
        paths
            .filter_map(|path| match self.disk.remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Some((path, error)),
                _ => None,
            })
            .collect()
    }
}

impl<D: Disk> Log<D> {
    /// The offset up to which whole segments may go, by `retention`, at `now_us` (microseconds
    /// since the Unix epoch). Nothing that is not synced, and never the last segment.
    pub fn expired_to(&self, retention: Retention, now_us: i64) -> u64 {
        let mut offset = self.start_offset();
        let mut size = self.size_bytes();
        let (_, sealed) = self.segments.split_last().expect("a log has a segment");
        for segment in sealed {
            let rest = size - segment.len;
            let old =
                expiry_us(segment.last_time_us, retention.ms).is_some_and(|at| at <= now_us);
            let over = retention.bytes > 0 && rest >= retention.bytes;
            if segment.end > self.synced_end || !(old || over) {
                break;
            }
            size = rest;
            offset = offset.max(segment.end);
        }
        offset
    }

    /// When something of the log will be too old, in microseconds since the Unix epoch: its first
    /// segment as a whole, or the first record of the one that takes appends, which is then to be
    /// sealed ([`Log::seal`]). `None` if nothing ever will be.
    pub fn next_expiry_us(&self, retention: Retention) -> Option<i64> {
        let (last, sealed) = self.segments.split_last()?;
        let sealed = sealed.iter().find(|segment| segment.end > self.start_offset());
        let sealed = sealed.and_then(|segment| expiry_us(segment.last_time_us, retention.ms));
        let open = self.first_time_us(last).and_then(|time| expiry_us(time, retention.ms));
        sealed.into_iter().chain(open).min()
    }

    /// Whether the segment that takes appends holds a record that is too old.
    pub fn holds_expired(&self, retention: Retention, now_us: i64) -> bool {
        let last = self.segments.last().and_then(|segment| self.first_time_us(segment));
        last.and_then(|time| expiry_us(time, retention.ms)).is_some_and(|at| at <= now_us)
    }

    fn first_time_us(&self, segment: &Segment<D::File>) -> Option<i64> {
        let live = segment.live.as_ref().filter(|_| segment.end > self.start_offset())?;
        live.index.first_time_us()
    }

    /// Begins a new segment, so that what there is can go once it is synced. Does nothing if the
    /// last segment is empty.
    ///
    /// # Errors
    /// As [`Log::append`]; the log is then as it was.
    pub fn seal(&mut self) -> Result<(), Error> {
        self.check_writable()?;
        if self.segments.last().is_some_and(|segment| segment.len == 0) {
            return Ok(());
        }
        self.roll()
    }

    /// Has the log begin at `offset`: what to write to make that last. `None` if it begins there
    /// or later already, or a trim is in flight.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] if `offset` is after what is synced; [`ErrorKind::Fenced`] and
    /// [`ErrorKind::Corrupt`] as for appends.
    pub fn begin_trim(&mut self, offset: u64) -> Result<Option<TrimJob<D>>, Error> {
        self.check_writable()?;
        let (start, end) = (self.start_offset(), self.synced_end);
        if offset > end {
            return Err(Error::new(
                ErrorKind::OutOfRange { start, end },
                format!(
                    "the log in {} cannot begin at offset {offset}: it is synced to {end}",
                    self.dir.display()
                ),
            ));
        }
        if offset <= start || self.trim_in_flight {
            return Ok(None);
        }
        self.trim_in_flight = true;
        let start = StartFile { offset, last_append_time_us: self.last_append_time_us };
        Ok(Some(TrimJob { disk: self.disk.clone(), dir: Arc::clone(&self.dir), start }))
    }

    /// Takes a trim's outcome back, and returns the log's start.
    ///
    /// # Errors
    /// If the start could not be written: it is where it was, and may be moved again.
    pub fn finish_trim(&mut self, outcome: TrimOutcome) -> Result<u64, Error> {
        self.trim_in_flight = false;
        outcome.result.map_err(|error| Error::io("writing", &start_path(&self.dir), error))?;
        self.start = self.start.max(outcome.offset);
        Ok(self.start_offset())
    }

    /// Lets go of segments that lie wholly before the start; `None` if there are none.
    ///
    /// Those whose follower has no name yet stay until the next sync has named it: a crash must
    /// not leave the log without a segment.
    pub fn take_removable(&mut self) -> Option<RemoveJob<D>> {
        let start = self.start;
        let gone = self
            .segments
            .windows(2)
            .take_while(|pair| {
                pair[0].end <= start && pair[0].live.is_none() && !pair[1].unnamed
            })
            .count();
        if gone == 0 {
            return None;
        }
        let bases: Vec<u64> = self.segments.drain(..gone).map(|segment| segment.base).collect();
        self.readers.borrow_mut().close(&bases);
        Some(RemoveJob { disk: self.disk.clone(), dir: Arc::clone(&self.dir), bases })
    }
}

/// When something of `time_us` is `retention_ms` old.
fn expiry_us(time_us: i64, retention_ms: u64) -> Option<i64> {
    let age_us = i64::try_from(retention_ms).ok()?.checked_mul(1_000)?;
    if age_us == 0 { None } else { time_us.checked_add(age_us) }
}

fn store(disk: &impl Disk, dir: &Path, start: StartFile) -> io::Result<()> {
    let draft = start_draft_path(dir);
    if disk.exists(&draft)? {
        disk.remove_file(&draft)?;
    }
    let file = disk.open(&draft, OpenMode::CreateNew)?;
    write_all_vectored_at(&file, &mut [IoSlice::new(&start.encode())], 0)?;
    file.sync_data()?;
    drop(file);
    disk.rename(&draft, &start_path(dir))?;
    disk.sync_dir(dir)
}

impl StartFile {
    fn encode(self) -> [u8; FILE_LEN] {
        let mut bytes = [0; FILE_LEN];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.offset.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.last_append_time_us.to_le_bytes());
        let crc = crc32c(&bytes[..FILE_LEN - 4]);
        bytes[FILE_LEN - 4..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the file of the log in `dir`: what it says, if there is one, or in words what is
    /// wrong with it.
    ///
    /// # Errors
    /// The disk failed: what the file says is not known, and may be known later.
    pub fn load(disk: &impl Disk, dir: &Path) -> Result<Result<Option<Self>, String>, Error> {
        let path = start_path(dir);
        let failed = |error: io::Error| Error::io("reading", &path, error);
        if !disk.exists(&path).map_err(failed)? {
            return Ok(Ok(None));
        }
        let mut bytes = [0; FILE_LEN];
        let file = disk.open(&path, OpenMode::Read).map_err(failed)?;
        match read_exact_at(&file, &mut bytes, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok(Err(format!("{} is too short", path.display())));
            }
            read => read.map_err(failed)?,
        }
        let good = bytes.starts_with(MAGIC)
            && u32_at(&bytes, 8) == VERSION
            && u32_at(&bytes, FILE_LEN - 4) == crc32c(&bytes[..FILE_LEN - 4]);
        if !good {
            return Ok(Err(format!("{} is damaged", path.display())));
        }
        Ok(Ok(Some(Self {
            offset: u64_at(&bytes, 16),
            last_append_time_us: u64_at(&bytes, 24) as i64,
        })))
    }
}

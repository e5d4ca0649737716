//! Opening a log: what the files hold, and what to do where they are torn or damaged.
//!
//! Segments before the last `.log` were synced whole. Their indexes' headers vouch for them, so
//! that the work is bounded by the last `.log` and the `.next` files after it, which a crash
//! caught before their first sync. These are walked, bodies and all, and then synced: a process
//! that was killed leaves bytes in the operating system that no disk has seen.
//!
//! Invariant: bytes are cut off only where they cannot have been synced, as far as is known: in a
//! `.next` file, or at the end of the last `.log` if its index does not vouch for them and no good
//! batch stands after them. Otherwise nothing is changed and the log is quarantined from there on.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::index::{self, Index, Summary};
use super::segment::{Live, Name, Segment, index_path, log_path, next_path, start_draft_path};
use super::trim::StartFile;
use super::walk::{Check, Damage, WALK_WINDOW_BYTES, WalkEnd, Window, find_batch, walk};
use super::{Health, Log, LogOptions};
use crate::disk::{Disk, DiskFile, OpenMode, create_dir_durable};
use crate::error::{Error, ErrorKind};

/// What opening a log found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// The log did not exist and was created.
    pub created: bool,
    /// What was cut off the end.
    pub torn: Option<TornTail>,
    /// Damage that was left as it is; appends and reads from there on fail.
    pub quarantined: Option<Quarantine>,
    /// Sealed segments whose index was missing, stale or damaged and was made anew.
    pub rebuilt_indexes: usize,
    /// Segment files that were never synced and do not follow on the log's end, and index files
    /// without a segment. They were removed.
    pub removed_files: usize,
    /// What is wrong with the file that says where the log begins, in words: it begins with its
    /// first segment then, and records that were deleted may be back.
    pub start_lost: Option<String>,
    /// Files in the directory that are not the log's. They were left alone.
    pub foreign_files: usize,
}

impl Recovery {
    /// Whether the log was found as a log should be.
    pub fn is_clean(&self) -> bool {
        self.torn.is_none()
            && self.quarantined.is_none()
            && self.removed_files == 0
            && self.start_lost.is_none()
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = false;
        let mut say = |f: &mut fmt::Formatter<'_>, part: fmt::Arguments<'_>| {
            let separator = if std::mem::replace(&mut said, true) { "; " } else { "" };
            write!(f, "{separator}{part}")
        };
        if self.created {
            say(f, format_args!("created"))?;
        }
        if let Some(torn) = &self.torn {
            say(f, format_args!("{torn}"))?;
        }
        if let Some(quarantine) = &self.quarantined {
            say(f, format_args!("quarantined: {quarantine}"))?;
        }
        if let Some(reason) = &self.start_lost {
            say(f, format_args!("where it begins is lost: {reason}"))?;
        }
        for (count, what) in [
            (self.rebuilt_indexes, "indexes rebuilt"),
            (self.removed_files, "left-over files removed"),
            (self.foreign_files, "foreign files ignored"),
        ] {
            if count > 0 {
                say(f, format_args!("{count} {what}"))?;
            }
        }
        if said { Ok(()) } else { f.write_str("clean") }
    }
}

/// The end of a write that did not come through whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The segment file.
    pub file: PathBuf,
    /// Where it was cut, in bytes.
    pub position: u64,
    /// Bytes cut off.
    pub bytes: u64,
    /// The log's end offset.
    pub offset: u64,
    /// What is wrong with the first batch that was cut off.
    pub reason: String,
}

impl fmt::Display for TornTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, position, bytes, offset, reason } = self;
        let file = file.display();
        write!(
            f,
            "a torn tail of {bytes} bytes was cut off {file} at byte {position}, offset {offset}: {reason}"
        )
    }
}

/// Damage in the middle of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// The first offset that cannot be read.
    pub offset: u64,
    /// The segment file.
    pub file: PathBuf,
    /// Where the damaged batch begins, in bytes.
    pub position: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl Quarantine {
    pub(super) fn to_error(&self) -> Error {
        Error::new(ErrorKind::Corrupt, self.to_string())
    }
}

impl fmt::Display for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, file, position, reason } = self;
        let file = file.display();
        write!(f, "{file} is damaged at byte {position}, offset {offset}: {reason}")
    }
}

/// Opens the log in `dir`.
pub(super) fn open<D: Disk>(
    disk: D,
    dir: &Path,
    options: LogOptions,
) -> Result<(Log<D>, Recovery), Error> {
    create_dir_durable(&disk, dir).map_err(|error| Error::io("creating", dir, error))?;
    let mut opening = Opening {
        disk,
        dir: Arc::from(dir),
        options,
        segments: Vec::new(),
        start: 0,
        last_append_time_us: i64::MIN,
        recovery: Recovery::default(),
    };
    opening.load_start()?;
    let (mut named, unnamed) = opening.scan()?;
    opening.remove_trimmed(&mut named)?;
    opening.take_named(&named)?;
    if opening.segments.is_empty() {
        opening.create_first()?;
    }
    if opening.recovery.quarantined.is_none() {
        opening.take_unnamed(&unnamed)?;
        opening.reach_start()?;
    }
    // A process that was killed may have left names that no disk has seen.
    opening.disk.sync_dir(dir).map_err(|error| Error::io("syncing", dir, error))?;
    let Opening { disk, dir, options, segments, start, last_append_time_us, recovery } =
        opening;
    let health = match &recovery.quarantined {
        Some(quarantine) => Health::Quarantined(quarantine.clone()),
        None => Health::Good,
    };
    let mut log = Log {
        disk,
        dir,
        options,
        start,
        trim_in_flight: false,
        segments,
        health,
        last_append_time_us,
        synced_end: 0,
        sync_in_flight: false,
        syncs: Arc::default(),
        names_changed: 0,
        names_synced: 0,
        snapshot_begun: 0,
        snapshot_offset: None,
        readers: Default::default(),
        scratch: Default::default(),
    };
    // Whatever was walked was synced, and the rest has an index, which is written after a sync.
    log.synced_end = log.end_offset();
    Ok((log, recovery))
}

/// A log in the course of being opened.
struct Opening<D: Disk> {
    disk: D,
    dir: Arc<Path>,
    options: LogOptions,
    segments: Vec<Segment<D::File>>,
    /// What the file `start` says; 0 if there is none.
    start: u64,
    last_append_time_us: i64,
    recovery: Recovery,
}

/// A segment that was walked to its end or to the first damage.
struct Walked<F> {
    file: F,
    file_len: u64,
    /// Bytes that were once synced, as an index says that was written afterwards.
    vouched_len: u64,
    index: Index,
    end: WalkEnd,
}

impl<D: Disk> Opening<D> {
    /// The base offsets of all segment files, in order: of `.log` and of `.next` files.
    fn scan(&mut self) -> Result<(Vec<u64>, Vec<u64>), Error> {
        let names = self
            .disk
            .read_dir(&self.dir)
            .map_err(|error| Error::io("listing", &self.dir, error))?;
        let (mut named, mut unnamed) = (BTreeSet::new(), BTreeSet::new());
        let mut indexes = Vec::new();
        for name in names {
            match Name::parse(&name) {
                Name::Log(base) => _ = named.insert(base),
                Name::Next(base) => _ = unnamed.insert(base),
                Name::Index(base) => indexes.push(base),
                // The server's, when it asks for them.
                Name::Snapshot(_) | Name::SnapshotTemporary => {}
                Name::Start => {}
                Name::StartDraft => {
                    let path = start_draft_path(&self.dir);
                    self.disk
                        .remove_file(&path)
                        .map_err(|error| Error::io("removing", &path, error))?;
                }
                Name::Foreign => self.recovery.foreign_files += 1,
            }
        }
        for base in indexes.into_iter().filter(|base| !named.contains(base)) {
            self.remove(&index_path(&self.dir, base))?;
        }
        Ok((named.into_iter().collect(), unnamed.into_iter().collect()))
    }

    /// A start that cannot be read just now is not lost: the log is not opened without it, or
    /// records that were deleted would be back.
    fn load_start(&mut self) -> Result<(), Error> {
        match StartFile::load(&self.disk, &self.dir)? {
            Ok(Some(file)) => {
                self.start = file.offset;
                self.last_append_time_us = file.last_append_time_us;
            }
            Ok(None) => {}
            Err(reason) => self.recovery.start_lost = Some(reason),
        }
        Ok(())
    }

    /// Removes segments that lie wholly before the start: a removal that was cut short. Not
    /// counted as left over, for they may well be there after a power failure.
    fn remove_trimmed(&mut self, named: &mut Vec<u64>) -> Result<(), Error> {
        let kept = named.partition_point(|&base| base <= self.start).saturating_sub(1);
        for base in named.drain(..kept) {
            for path in [index_path(&self.dir, base), log_path(&self.dir, base)] {
                match self.disk.remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(Error::io("removing", &path, error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// A log ends at its start or later. If it ends before, a disk has lost what it had synced,
    /// but only records that were deleted: offsets go on from the start.
    fn reach_start(&mut self) -> Result<(), Error> {
        let end = self.segments.last().map_or(0, |segment| segment.end);
        if end >= self.start {
            return Ok(());
        }
        for segment in std::mem::take(&mut self.segments) {
            self.remove(&log_path(&self.dir, segment.base))?;
        }
        self.create_first()
    }

    /// Takes the `.log` files over, in order, until the log's end or its quarantine.
    fn take_named(&mut self, bases: &[u64]) -> Result<(), Error> {
        for (at, &base) in bases.iter().enumerate() {
            let next = bases.get(at + 1).copied();
            if let Some(next) = next
                && self.vouched_for(base, next)?
            {
                continue;
            }
            let walked = self.walk_segment(&log_path(&self.dir, base), base, next)?;
            let whole =
                walked.end.damage.is_none() && walked.end.position >= walked.vouched_len;
            match next {
                Some(next) if whole && walked.end.offset == next => {
                    self.take_sealed(base, walked)?;
                }
                None if whole => self.take_last(base, walked)?,
                _ if next.is_some() || self.goes_on(base, &walked)? => {
                    return self.quarantine(base, walked, next);
                }
                _ => {
                    self.cut(&log_path(&self.dir, base), &walked)?;
                    self.take_last(base, walked)?;
                }
            }
        }
        Ok(())
    }

    /// Takes the `.next` files over that follow on the log's end, and names them. Nothing in them
    /// was acknowledged as synced, so whatever is not whole is cut off.
    fn take_unnamed(&mut self, bases: &[u64]) -> Result<(), Error> {
        for &base in bases {
            let path = next_path(&self.dir, base);
            let last = self.segments.last().expect("there is at least the first segment");
            if self.recovery.torn.is_some() || last.end != base || last.len == 0 {
                self.remove(&path)?;
                continue;
            }
            let walked = self.walk_segment(&path, base, None)?;
            if walked.end.damage.is_some() {
                self.cut(&path, &walked)?;
            }
            self.take_last(base, walked)?;
            // What stands before it was synced when it was taken over.
            self.disk
                .rename(&path, &log_path(&self.dir, base))
                .map_err(|error| Error::io("renaming", &path, error))?;
        }
        Ok(())
    }

    /// Takes a segment over if its index says that it reaches to `next`.
    fn vouched_for(&mut self, base: u64, next: u64) -> Result<bool, Error> {
        let Some(summary) = index::load_summary(&self.disk, &self.dir, base) else {
            return Ok(false);
        };
        let Summary { end, log_len, last_append_time_us, .. } = summary;
        let path = log_path(&self.dir, base);
        let file = self
            .disk
            .open(&path, OpenMode::Read)
            .map_err(|error| Error::io("opening", &path, error))?;
        let len = file.len().map_err(|error| Error::io("measuring", &path, error))?;
        let good = end == next && log_len == len;
        if good {
            self.last_append_time_us = self.last_append_time_us.max(last_append_time_us);
            let last_time_us = last_append_time_us;
            let segment = Segment { base, end, len, last_time_us, unnamed: false, live: None };
            self.segments.push(segment);
        }
        Ok(good)
    }

    fn walk_segment(
        &mut self,
        path: &Path,
        base: u64,
        next: Option<u64>,
    ) -> Result<Walked<D::File>, Error> {
        let file = self
            .disk
            .open(path, OpenMode::ReadWrite)
            .map_err(|error| Error::io("opening", path, error))?;
        // A process that was killed after a failed sync may have left pages that claim to be
        // clean and never reached the disk: syncing them again would vouch for nothing.
        file.forget_cached();
        let file_len = file.len().map_err(|error| Error::io("measuring", path, error))?;
        let mut index = Index::default();
        let mut window = Window::new(&file, file_len, WALK_WINDOW_BYTES);
        let interval = self.options.index_interval_bytes;
        let end = walk(&mut window, (0, base), next, Check::Bodies, |header, position| {
            index.note(header.base_offset, header.append_time_us, position, interval);
            true
        })
        .map_err(|error| Error::io("reading", path, error))?;
        let last_append_time_us = end.last_append_time_us.unwrap_or(i64::MIN);
        self.last_append_time_us = self.last_append_time_us.max(last_append_time_us);
        let summary = index::load_summary(&self.disk, &self.dir, base);
        let vouched_len = summary.map_or(0, |summary| summary.log_len);
        Ok(Walked { file, file_len, vouched_len, index, end })
    }

    /// A whole segment that had no good index.
    fn take_sealed(&mut self, base: u64, walked: Walked<D::File>) -> Result<(), Error> {
        self.sync(base, &walked.file)?;
        let (end, len) = (walked.end.offset, walked.end.position);
        let last_time_us = walked.end.last_append_time_us.unwrap_or(self.last_append_time_us);
        let bytes = walked.index.encode(base, end, len, last_time_us);
        // If it cannot be written, it is built in memory when it is needed.
        let _ = index::store(&self.disk, &self.dir, base, &bytes);
        self.recovery.rebuilt_indexes += 1;
        self.segments.push(Segment {
            base,
            end,
            len,
            last_time_us,
            unnamed: false,
            live: None,
        });
        Ok(())
    }

    /// A segment that takes appends, at least until another comes after it.
    fn take_last(&mut self, base: u64, walked: Walked<D::File>) -> Result<(), Error> {
        self.sync(base, &walked.file)?;
        self.push_live(base, walked);
        Ok(())
    }

    /// Cuts off what follows the last good batch.
    fn cut(&mut self, path: &Path, walked: &Walked<D::File>) -> Result<(), Error> {
        let WalkEnd { position, offset, damage, .. } = &walked.end;
        walked.file.set_len(*position).map_err(|error| Error::io("cutting", path, error))?;
        self.recovery.torn = Some(TornTail {
            file: path.to_path_buf(),
            position: *position,
            bytes: walked.file_len - position,
            offset: *offset,
            reason: damage.as_ref().map_or_else(String::new, |damage| damage.reason.clone()),
        });
        Ok(())
    }

    /// Leaves a damaged segment as it is. The log can be read up to the damage, no further.
    fn quarantine(
        &mut self,
        base: u64,
        walked: Walked<D::File>,
        next: Option<u64>,
    ) -> Result<(), Error> {
        let WalkEnd { position, offset, damage, .. } = &walked.end;
        let (position, offset) = (*position, *offset);
        let reason = match (damage, next) {
            (Some(Damage { reason, .. }), _) => reason.clone(),
            (None, Some(next)) => format!("it ends here, the next segment begins at {next}"),
            (None, None) => {
                format!("it ends here, though {} bytes were synced", walked.vouched_len)
            }
        };
        let file = log_path(&self.dir, base);
        self.recovery.quarantined = Some(Quarantine { offset, file, position, reason });
        self.take_last(base, walked)
    }

    /// Whether the last `.log` once went on after the place where a walk ended: it was synced
    /// further than that, no torn write looks like this, or a good batch follows.
    fn goes_on(&self, base: u64, walked: &Walked<D::File>) -> Result<bool, Error> {
        if walked.end.position < walked.vouched_len {
            return Ok(true);
        }
        let Some(damage) = &walked.end.damage else { return Ok(false) };
        let Some(from) = damage.torn_unless_from else { return Ok(true) };
        let mut window = Window::new(&walked.file, walked.file_len, WALK_WINDOW_BYTES);
        let found = find_batch(&mut window, from, walked.end.offset)
            .map_err(|error| Error::io("reading", &log_path(&self.dir, base), error))?;
        Ok(found.is_some())
    }

    fn push_live(&mut self, base: u64, walked: Walked<D::File>) {
        let Walked { file, index, end, .. } = walked;
        let end_time_us = end.last_append_time_us;
        let (end, len) = (end.offset, end.position);
        let live = Some(Live { file: Arc::new(file), index });
        let last_time_us = end_time_us.unwrap_or(self.last_append_time_us);
        self.segments.push(Segment { base, end, len, last_time_us, unnamed: false, live });
    }

    fn create_first(&mut self) -> Result<(), Error> {
        let base = self.start;
        let path = log_path(&self.dir, base);
        let file = self
            .disk
            .open(&path, OpenMode::CreateNew)
            .map_err(|error| Error::io("creating", &path, error))?;
        let live = Live { file: Arc::new(file), index: Index::default() };
        self.segments.push(Segment {
            base,
            end: base,
            len: 0,
            last_time_us: self.last_append_time_us,
            unnamed: false,
            live: Some(live),
        });
        self.recovery.created = true;
        Ok(())
    }

    fn sync(&self, base: u64, file: &D::File) -> Result<(), Error> {
        file.sync_data()
            .map_err(|error| Error::io("syncing", &log_path(&self.dir, base), error))
    }

    fn remove(&mut self, path: &Path) -> Result<(), Error> {
        self.disk.remove_file(path).map_err(|error| Error::io("removing", path, error))?;
        self.recovery.removed_files += 1;
        Ok(())
    }
}

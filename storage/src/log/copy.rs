//! Copying a log that a server may be writing to.
//!
//! Segments only grow at the end of the last one, and what was acknowledged is in the file before
//! it is acknowledged. So the files as they are listed, the last one up to the length that it has
//! then and cut at its last whole batch, are a state that the log was in.
//!
//! What is copied is fixed by [`LogCopier::begin`], before the first byte is: a log that grows
//! faster than it is copied would have no end.
//!
//! Invariant: a copy that is called whole was checked byte by byte after it was written, and is
//! on the disk.

use std::collections::BTreeSet;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::LogOptions;
use super::index::{self, Index};
use super::segment::{Name, index_path, log_path, next_path};
use super::walk::{Check, WALK_WINDOW_BYTES, WalkEnd, Window, find_batch, walk};
use crate::disk::{
    Disk, DiskFile, OpenMode, create_dir_durable, read_exact_append, write_all_vectored_at,
};
use crate::error::{Error, ErrorKind};

/// Bytes copied at once.
pub(super) const COPY_BYTES: u64 = 1 << 20;
/// A server may be writing the batch at the end just then; it is looked at again, this often.
const TRIES: u32 = 20;

/// What became of a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogCopy {
    /// First offset in the copy.
    pub start: u64,
    /// The offset after the last record in the copy.
    pub end: u64,
    /// Bytes of segments copied.
    pub bytes: u64,
    /// Segment files.
    pub segments: usize,
    /// Why the log is not whole: it was copied as it is, damage included.
    pub damage: Option<String>,
    /// Whether files went while they were copied, as those of a topic that is deleted do.
    pub vanished: bool,
}

/// A log that is about to be copied, up to where it ended when this was made.
#[derive(Debug)]
pub struct LogCopier<'a, D> {
    disk: &'a D,
    from: PathBuf,
    to: PathBuf,
    /// First offsets of the segments, in order.
    bases: Vec<u64>,
    /// Bytes of the last one.
    last_len: u64,
    copy: LogCopy,
}

impl<'a, D: Disk> LogCopier<'a, D> {
    /// Lists what there is in `from`, and copies the small files beside the segments to the
    /// directory `to`, which is created.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn begin(disk: &'a D, from: &Path, to: &Path) -> Result<Self, Error> {
        create_dir_durable(disk, to).map_err(|error| Error::io("creating", to, error))?;
        let mut copier = Self {
            disk,
            from: from.to_owned(),
            to: to.to_owned(),
            bases: Vec::new(),
            last_len: 0,
            copy: LogCopy::default(),
        };
        copier.list()?;
        Ok(copier)
    }

    /// Copies the segments. `progress` is told of bytes as they are copied.
    ///
    /// # Errors
    /// If the disk refuses, or the oldest segments are removed faster than they are copied.
    pub fn run(mut self, mut progress: impl FnMut(u64)) -> Result<LogCopy, Error> {
        let mut left = TRIES;
        while !self.segments(&mut progress)? {
            // Retention takes the oldest segments: the copy begins after them.
            self.forget()?;
            self.list()?;
            left -= 1;
            if left == 0 && !self.bases.is_empty() {
                let from = self.from.display();
                let text =
                    format!("the oldest segments of {from} go faster than they are copied");
                return Err(Error::new(ErrorKind::Io, text));
            }
        }
        self.disk.sync_dir(&self.to).map_err(|error| Error::io("syncing", &self.to, error))?;
        Ok(self.copy)
    }

    /// Fixes what is to be copied.
    fn list(&mut self) -> Result<(), Error> {
        let Self { disk, from, to, .. } = self;
        let names = match disk.read_dir(from) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.copy.vanished = true;
                return Ok(());
            }
            Err(error) => return Err(Error::io("listing", from, error)),
        };
        let mut segments = BTreeSet::new();
        for name in names {
            match Name::parse(&name) {
                Name::Log(base) | Name::Next(base) => _ = segments.insert(base),
                // It is made anew from what was copied.
                Name::Index(_) => {}
                Name::SnapshotTemporary | Name::StartDraft => {}
                // Whatever stands beside the log describes a state of it that is not newer than
                // the end that is looked up after this.
                Name::Snapshot(_) | Name::Start | Name::Foreign => {
                    copy_beside(*disk, &from.join(&name), &to.join(&name))?;
                }
            }
        }
        self.bases = segments.into_iter().collect();
        self.last_len = match self.bases.last().map(|base| self.open(*base)).transpose()? {
            Some(Some(file)) => {
                file.len().map_err(|error| Error::io("reading", &self.from, error))?
            }
            // If it is gone, so are those before it, which is noticed when they are copied.
            Some(None) | None => 0,
        };
        Ok(())
    }

    /// Copies what was listed; `false` if some of it is gone.
    fn segments(&mut self, progress: &mut impl FnMut(u64)) -> Result<bool, Error> {
        let bases = std::mem::take(&mut self.bases);
        for (at, &base) in bases.iter().enumerate() {
            let Some(from) = self.open(base)? else { return Ok(false) };
            self.segment(&from, base, bases.get(at + 1).copied(), progress)?;
        }
        Ok(true)
    }

    fn segment(
        &mut self,
        from: &D::File,
        base: u64,
        next: Option<u64>,
        progress: &mut impl FnMut(u64),
    ) -> Result<(), Error> {
        let to_path = log_path(&self.to, base);
        let failed = |error| Error::io("copying to", &to_path, error);
        let until = if next.is_none() { self.last_len } else { u64::MAX };
        let to = self.disk.open(&to_path, OpenMode::CreateNew).map_err(failed)?;
        if self.copy.segments == 0 {
            self.copy.start = base;
        }
        let mut end =
            WalkEnd { position: 0, offset: base, last_append_time_us: None, damage: None };
        let mut index = Index::default();
        let mut len = 0;
        for attempt in 1.. {
            if !to.takes(end.position) {
                // What stands there is not written over: once more from the start.
                to.set_len(0).map_err(failed)?;
                index = Index::default();
                let damage = end.damage.take();
                end = WalkEnd { position: 0, offset: base, last_append_time_us: None, damage };
            }
            let (position, offset) = (end.position, end.offset);
            len = copy_from(from, &to, position..until, progress).map_err(failed)?;
            let mut window = Window::new(&to, len, WALK_WINDOW_BYTES);
            let interval = LogOptions::default().index_interval_bytes;
            let walked =
                walk(&mut window, (position, offset), next, Check::Bodies, |header, at| {
                    index.note(header.base_offset, header.append_time_us, at, interval);
                    true
                });
            let walked = walked.map_err(failed)?;
            end = WalkEnd {
                last_append_time_us: walked.last_append_time_us.or(end.last_append_time_us),
                ..walked
            };
            let Some(damage) = &end.damage else { break };
            let follows = match damage.torn_unless_from {
                Some(from) => {
                    find_batch(&mut window, from, end.offset).map_err(failed)?.is_some()
                }
                None => true,
            };
            if next.is_none() && !follows {
                // The end of a write that is under way, or of a file that has more room.
                to.set_len(end.position).map_err(failed)?;
                len = end.position;
                break;
            }
            if attempt == TRIES {
                let reason = damage.reason.clone();
                self.damaged(base, &end, reason);
                break;
            }
        }
        if let (None, Some(next)) = (&end.damage, next)
            && end.offset != next
        {
            let reason = format!("it ends here, the next segment begins at {next}");
            self.damaged(base, &end, reason);
        }
        to.sync_data().map_err(failed)?;
        self.copy.segments += 1;
        self.copy.bytes += len;
        self.copy.end = end.offset;
        if self.copy.damage.is_none() {
            let time = end.last_append_time_us.unwrap_or(i64::MIN);
            let bytes = index.encode(base, end.offset, len, time);
            index::store(self.disk, &self.to, base, &bytes)
                .and_then(|()| {
                    let path = index_path(&self.to, base);
                    self.disk.open(&path, OpenMode::ReadWrite)?.sync_data()
                })
                .map_err(failed)?;
        }
        Ok(())
    }

    /// Opens a segment under the name that it has now.
    fn open(&self, base: u64) -> Result<Option<D::File>, Error> {
        let (log, next) = (log_path(&self.from, base), next_path(&self.from, base));
        // It may be named between the two looks.
        for path in [&log, &next, &log] {
            match self.disk.open(path, OpenMode::Read) {
                Ok(file) => return Ok(Some(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io("opening", path, error)),
            }
        }
        Ok(None)
    }

    /// Removes what was copied of the log so far, and what stands beside it: snapshots of before
    /// may not know what the segments said that are gone.
    fn forget(&mut self) -> Result<(), Error> {
        let failed = |error| Error::io("clearing", &self.to, error);
        for name in self.disk.read_dir(&self.to).map_err(failed)? {
            self.disk.remove_file(&self.to.join(name)).map_err(failed)?;
        }
        self.copy = LogCopy { vanished: true, ..LogCopy::default() };
        Ok(())
    }

    fn damaged(&mut self, base: u64, end: &WalkEnd, reason: String) {
        let file = log_path(&self.from, base);
        let text = format!(
            "{} is damaged at byte {}, offset {}: {reason}",
            file.display(),
            end.position,
            end.offset
        );
        self.copy.damage.get_or_insert(text);
    }
}

/// Copies these bytes, or those of them that there are, and returns where they end.
fn copy_from<F: DiskFile>(
    from: &F,
    to: &F,
    range: Range<u64>,
    progress: &mut impl FnMut(u64),
) -> io::Result<u64> {
    let len = from.len()?.min(range.end);
    let mut at = range.start;
    let mut bytes = Vec::new();
    while at < len {
        bytes.clear();
        let take = (len - at).min(COPY_BYTES) as usize;
        match read_exact_append(from, &mut bytes, take, at) {
            Ok(()) => {}
            // A failed append was undone: the file is shorter than it was a moment ago.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(error),
        }
        if bytes.is_empty() {
            break;
        }
        write_all_vectored_at(to, &mut [IoSlice::new(&bytes)], at)?;
        at += bytes.len() as u64;
        progress(bytes.len() as u64);
    }
    Ok(at)
}

/// Copies a small file that is replaced as a whole.
fn copy_beside(disk: &impl Disk, from: &Path, to: &Path) -> Result<(), Error> {
    let from_file = match disk.open(from, OpenMode::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("opening", from, error)),
    };
    disk.open(to, OpenMode::CreateNew)
        .and_then(|to| {
            copy_from(&from_file, &to, 0..u64::MAX, &mut |_| {})?;
            to.sync_data()
        })
        .map_err(|error| Error::io("copying to", to, error))
}

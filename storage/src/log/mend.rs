//! Repairing a log that nobody has open, after [`super::check`] has said what is wrong.
//!
//! Owns which repairs are safe and which lose records. Whatever is taken out of the log is kept
//! aside first. Where the kept bytes go, and the note about them, is left to [`Aside`].
//!
//! Invariant: every step leaves a log that can be examined and mended again, and what is kept
//! aside is on the disk before it leaves the log. Without [`Loss`], no record that could be read
//! is taken out, and none that was synced.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tidewire_protocol::batch::{
    BatchBuilder, Codec, Compressor, HEADER_LEN, Header, RecordRef, STAMP_LEN, Sequence, Stamp,
    ZSTD_LEVEL,
};
use tidewire_protocol::limits::{MAX_BATCH_LEN, MAX_BATCH_RECORDS};

use super::check::{Fault, Finding, LogCheck};
use super::copy::COPY_BYTES;
use super::index::{self, Index};
use super::segment::{Name, index_path, log_path};
use super::walk::{Check, WALK_WINDOW_BYTES, Window, walk};
use super::{LogOptions, SEGMENT_BYTES_RANGE};
use crate::disk::crypt::is_header_lost;
use crate::disk::{Disk, DiskFile, OpenMode, read_exact_append, write_all_vectored_at};
use crate::error::{Error, ErrorKind};

/// Most offsets that one gap may have to be filled with records that say they are lost.
pub const MAX_FILLED_OFFSETS: u64 = 10_000_000;
/// Name of the header of such a record.
pub const LOST_HEADER: &str = "tidewire-lost";
/// While a segment is written anew.
const DRAFT_SUFFIX: &str = ".mend";

/// What to do about records that are lost in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing: the damage stays where it is.
    Refuse,
    /// End the log where the damage begins; everything after it is kept aside.
    Cut,
    /// Put empty records in the place of the lost ones, each with the header [`LOST_HEADER`], so
    /// that everything after them stays, under its offsets.
    Fill,
}

/// Where bytes go that are taken out of a log.
pub trait Aside {
    /// Keeps a copy of these bytes of `file`, as far as it goes, durably, with a note of where
    /// they come from.
    fn keep(&mut self, file: &Path, bytes: Range<u64>, why: &str) -> Result<(), Error>;
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mended {
    /// What was wrong.
    pub fault: Fault,
    /// The file.
    pub file: PathBuf,
    /// What was done, in words.
    pub what: String,
    /// Offsets whose records are gone by it.
    pub lost: Range<u64>,
}

/// The offsets that would be lost by mending a log with `loss`: in order, each range once.
pub fn losses(check: &LogCheck, loss: Loss) -> Vec<Range<u64>> {
    let lost = check.findings.iter().filter(|finding| finding.fault.is_loss());
    match loss {
        Loss::Refuse => Vec::new(),
        Loss::Cut => {
            let mut lost = lost.map(|finding| finding.offsets.clone());
            let Some(first) = lost.next() else { return Vec::new() };
            let end = lost.map(|offsets| offsets.end).fold(first.end, u64::max);
            std::iter::once(first.start..end.max(check.end)).collect()
        }
        Loss::Fill => lost.map(|finding| finding.offsets.clone()).collect(),
    }
}

/// Mends what `check` found in the log in `dir`. To be called again with a new check until there
/// is nothing left to do: records that are given up move what lies behind them.
///
/// # Errors
/// If the disk refuses, or a gap is too large to be filled. What was done until then stays.
pub fn mend<D: Disk>(
    disk: &D,
    dir: &Path,
    check: &LogCheck,
    loss: Loss,
    aside: &mut impl Aside,
) -> Result<Vec<Mended>, Error> {
    if check.findings.iter().any(|finding| finding.fault == Fault::KeyMissing) {
        return Ok(Vec::new());
    }
    let mut mending = Mending { disk, dir, aside, done: Vec::new() };
    mending.remove_drafts()?;
    let lost = || check.findings.iter().filter(|finding| finding.fault.is_loss());
    match loss {
        Loss::Cut if let Some(first) = lost().next() => {
            let end = losses(check, loss).pop().map_or(first.offsets.end, |range| range.end);
            mending.cut_from(first, end)?;
        }
        Loss::Fill => {
            let mut files: Vec<&Path> = lost().map(|finding| finding.file.as_path()).collect();
            files.dedup();
            for file in files {
                let here: Vec<&Finding> =
                    lost().filter(|finding| finding.file == file).collect();
                mending.fill(file, &here)?;
            }
        }
        Loss::Refuse | Loss::Cut => {}
    }
    if !mending.done.is_empty() {
        // What else was found lies elsewhere in files that were changed: it is to be looked for
        // again.
        disk.sync_dir(dir).map_err(|error| failed(dir, error))?;
        return Ok(mending.done);
    }
    for finding in &check.findings {
        let there = disk.exists(&finding.file).map_err(|error| failed(&finding.file, error))?;
        match finding.fault {
            Fault::TornTail if there => mending.cut_tail(finding)?,
            Fault::LeftOver | Fault::SnapshotDamaged if there => mending.take_away(finding)?,
            Fault::IndexMissing | Fault::IndexDamaged | Fault::IndexStale => {
                mending.rebuild_index(finding)?;
            }
            _ => {}
        }
    }
    disk.sync_dir(dir).map_err(|error| failed(dir, error))?;
    Ok(mending.done)
}

struct Mending<'a, D, A> {
    disk: &'a D,
    dir: &'a Path,
    aside: &'a mut A,
    done: Vec<Mended>,
}

impl<D: Disk, A: Aside> Mending<'_, D, A> {
    fn done(&mut self, fault: Fault, file: &Path, what: String, lost: Range<u64>) {
        self.done.push(Mended { fault, file: file.to_owned(), what, lost });
    }

    /// A repair that a crash cut short may have left a draft; the log is as it was.
    fn remove_drafts(&mut self) -> Result<(), Error> {
        let names = self.disk.read_dir(self.dir).map_err(|error| failed(self.dir, error))?;
        for name in names.iter().filter(|name| name.ends_with(DRAFT_SUFFIX)) {
            let path = self.dir.join(name);
            self.disk.remove_file(&path).map_err(|error| failed(&path, error))?;
        }
        Ok(())
    }

    fn cut_tail(&mut self, finding: &Finding) -> Result<(), Error> {
        let file = &finding.file;
        self.cut_file(file, finding.position, "a torn tail")?;
        let what = format!(
            "cut {} bytes of a torn tail off at byte {}",
            finding.bytes, finding.position
        );
        self.done(finding.fault, file, what, 0..0);
        Ok(())
    }

    /// Keeps what follows `position` aside, and cuts it off.
    fn cut_file(&mut self, path: &Path, position: u64, why: &str) -> Result<(), Error> {
        let file =
            self.disk.open(path, OpenMode::ReadWrite).map_err(|error| failed(path, error))?;
        let len = file.len().map_err(|error| failed(path, error))?;
        if len > position {
            self.aside.keep(path, position..len, why)?;
            file.set_len(position)
                .and_then(|()| file.sync_data())
                .map_err(|error| failed(path, error))?;
        }
        Ok(())
    }

    /// Keeps all of a file aside that cannot even be opened, and puts an empty one in its place.
    fn empty_file(&mut self, path: &Path, why: &str) -> Result<(), Error> {
        self.aside.keep(path, 0..u64::MAX, why)?;
        let draft_path = draft_of(path);
        self.disk
            .open(&draft_path, OpenMode::CreateNew)
            .and_then(|draft| draft.sync_data())
            .and_then(|()| self.disk.rename(&draft_path, path))
            .map_err(|error| failed(&draft_path, error))
    }

    fn take_away(&mut self, finding: &Finding) -> Result<(), Error> {
        self.remove(&finding.file, &finding.reason)?;
        self.done(finding.fault, &finding.file, "moved it out of the log".to_owned(), 0..0);
        Ok(())
    }

    fn remove(&mut self, path: &Path, why: &str) -> Result<(), Error> {
        let file = self.disk.open(path, OpenMode::Read).map_err(|error| failed(path, error))?;
        let len = file.len().map_err(|error| failed(path, error))?;
        self.aside.keep(path, 0..len, why)?;
        self.disk.remove_file(path).map_err(|error| failed(path, error))
    }

    /// An index holds nothing that the log does not.
    fn drop_index(&mut self, base: u64) -> Result<(), Error> {
        let path = index_path(self.dir, base);
        if self.disk.exists(&path).map_err(|error| failed(&path, error))? {
            self.disk.remove_file(&path).map_err(|error| failed(&path, error))?;
        }
        Ok(())
    }

    /// Ends the log where `first` begins, whose last offset is `end - 1`.
    fn cut_from(&mut self, first: &Finding, end: u64) -> Result<(), Error> {
        let path = &first.file;
        let Name::Log(base) = Name::parse_path(path) else { return Ok(()) };
        let names = self.disk.read_dir(self.dir).map_err(|error| failed(self.dir, error))?;
        let mut later: Vec<(u64, PathBuf)> = names
            .iter()
            .filter_map(|name| match Name::parse(name) {
                Name::Log(other) | Name::Next(other) if other > base => {
                    Some((other, self.dir.join(name)))
                }
                _ => None,
            })
            .collect();
        // Backwards: whenever this stops, the log has an end and no hole.
        later.sort_by(|one, other| other.cmp(one));
        let why = format!("damage at offset {} before it", first.offsets.start);
        for (other, path) in later {
            self.remove(&path, &why)?;
            self.drop_index(other)?;
        }
        self.disk.sync_dir(self.dir).map_err(|error| failed(self.dir, error))?;
        // It would vouch for what is cut off.
        self.drop_index(base)?;
        self.disk.sync_dir(self.dir).map_err(|error| failed(self.dir, error))?;
        match self.disk.open(path, OpenMode::Read) {
            Err(error) if is_header_lost(&error) => self.empty_file(path, &first.reason)?,
            _ => self.cut_file(path, first.position, &first.reason)?,
        }
        let lost = first.offsets.start..end;
        let what = format!("ended the log at byte {}", first.position);
        self.done(first.fault, path, what, lost);
        Ok(())
    }

    /// Writes a segment anew, with empty records where `findings` say that there are none.
    fn fill(&mut self, path: &Path, findings: &[&Finding]) -> Result<(), Error> {
        let Name::Log(base) = Name::parse_path(path) else { return Ok(()) };
        for finding in findings {
            let count = finding.offsets.end - finding.offsets.start;
            if finding.fault == Fault::Unreadable || count > MAX_FILLED_OFFSETS {
                let text = format!(
                    "{} cannot be filled from offset {} to {}: the limit is \
                     {MAX_FILLED_OFFSETS} offsets of a file that can be read",
                    path.display(),
                    finding.offsets.start,
                    finding.offsets.end
                );
                return Err(Error::new(ErrorKind::Invalid, text));
            }
            if finding.bytes > 0 {
                let place = finding.position..finding.position + finding.bytes;
                self.aside.keep(path, place, &finding.reason)?;
            }
        }
        let draft_path = draft_of(path);
        self.write_filled(path, &draft_path, findings)
            .map_err(|error| failed(&draft_path, error))?;
        self.drop_index(base)?;
        self.disk.rename(&draft_path, path).map_err(|error| failed(path, error))?;
        self.disk.sync_dir(self.dir).map_err(|error| failed(self.dir, error))?;
        for finding in findings {
            let what = format!(
                "replaced {} bytes at byte {} by empty records that say they are lost",
                finding.bytes, finding.position
            );
            self.done(finding.fault, path, what, finding.offsets.clone());
        }
        self.store_index(base).map(drop)
    }

    fn write_filled(
        &self,
        path: &Path,
        draft_path: &Path,
        findings: &[&Finding],
    ) -> io::Result<()> {
        let from = self.disk.open(path, OpenMode::Read)?;
        let draft = self.disk.open(draft_path, OpenMode::CreateNew)?;
        let len = from.len()?;
        let mut to = Draft { file: &draft, len: 0, stamp: None };
        let mut position = 0;
        for finding in findings {
            to.copy(&from, position..finding.position)?;
            position = finding.position + finding.bytes;
            to.fill(finding.offsets.clone())?;
        }
        to.copy(&from, position..len)?;
        draft.sync_data()
    }

    fn rebuild_index(&mut self, finding: &Finding) -> Result<(), Error> {
        let Name::Index(base) = Name::parse_path(&finding.file) else { return Ok(()) };
        let path = log_path(self.dir, base);
        if !self.disk.exists(&path).map_err(|error| failed(&path, error))? {
            return Ok(());
        }
        if self.store_index(base)? {
            self.done(finding.fault, &finding.file, "made it anew".to_owned(), 0..0);
        }
        Ok(())
    }

    /// Writes the index of a whole segment; of a damaged one nothing is written.
    fn store_index(&self, base: u64) -> Result<bool, Error> {
        let path = log_path(self.dir, base);
        let stored = self.disk.open(&path, OpenMode::ReadWrite).and_then(|file| {
            // An index vouches for bytes that are on the disk.
            file.sync_data()?;
            let len = file.len()?;
            let mut window = Window::new(&file, len, WALK_WINDOW_BYTES);
            let mut index = Index::default();
            let interval = LogOptions::default().index_interval_bytes;
            let end = walk(&mut window, (0, base), None, Check::Bodies, |header, position| {
                index.note(header.base_offset, header.append_time_us, position, interval);
                true
            })?;
            if end.damage.is_some() {
                return Ok(false);
            }
            let time = end.last_append_time_us.unwrap_or(i64::MIN);
            let bytes = index.encode(base, end.offset, end.position, time);
            index::store(self.disk, self.dir, base, &bytes).map(|()| true)
        });
        stored.map_err(|error| failed(&index_path(self.dir, base), error))
    }
}

/// A segment that is written anew.
struct Draft<'a, F> {
    file: &'a F,
    len: u64,
    /// Of the last batch: those that fill a gap are stamped alike.
    stamp: Option<Stamp>,
}

impl<F: DiskFile> Draft<'_, F> {
    fn copy(&mut self, from: &F, range: Range<u64>) -> io::Result<()> {
        let mut window = Window::new(from, range.end, WALK_WINDOW_BYTES);
        let mut position = range.start;
        while position < range.end {
            let head = window.bytes(position, HEADER_LEN)?;
            let Ok(header) = Header::parse(head) else { break };
            self.stamp = Some(Stamp {
                base_offset: 0,
                append_time_us: header.append_time_us,
                leader_epoch: header.leader_epoch,
            });
            position += u64::from(header.total_len);
        }
        let mut position = range.start;
        while position < range.end {
            let take = (range.end - position).min(COPY_BYTES);
            let mut bytes = Vec::new();
            read_exact_append(from, &mut bytes, take as usize, position)?;
            self.write(&bytes)?;
            position += take;
        }
        Ok(())
    }

    fn fill(&mut self, offsets: Range<u64>) -> io::Result<()> {
        let mut next = offsets.start;
        while next < offsets.end {
            let count = (offsets.end - next).min(u64::from(MAX_BATCH_RECORDS) / 2);
            let batch = lost_batch(count as usize)?;
            let stamp = Stamp {
                base_offset: next,
                ..self.stamp.unwrap_or(Stamp {
                    base_offset: 0,
                    append_time_us: 0,
                    leader_epoch: 0,
                })
            };
            self.write(&stamp.encode_for(&batch))?;
            self.write(&batch[STAMP_LEN..])?;
            next += count;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.len + bytes.len() as u64 > *SEGMENT_BYTES_RANGE.end() + u64::from(MAX_BATCH_LEN)
        {
            let text = "the segment would pass its largest size";
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        write_all_vectored_at(self.file, &mut [IoSlice::new(bytes)], self.len)?;
        self.len += bytes.len() as u64;
        Ok(())
    }
}

/// A batch of empty records that say they are lost.
fn lost_batch(count: usize) -> io::Result<Bytes> {
    let mut builder = BatchBuilder::new(MAX_BATCH_LEN as usize, count);
    let headers: [(&str, &[u8]); 1] = [(LOST_HEADER, b"")];
    for _ in 0..count {
        builder
            .push(&RecordRef { headers: &headers, ..RecordRef::at(0) })
            .map_err(io::Error::other)?;
    }
    let mut compressor = Compressor::new(Codec::Zstd, ZSTD_LEVEL);
    Ok(builder.seal_with(Sequence::default(), &mut compressor))
}

fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(DRAFT_SUFFIX);
    PathBuf::from(name)
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::io("repairing", path, error)
}

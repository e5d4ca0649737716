//! Appending: stamp, write, remember; all or nothing.
//!
//! The stamps are written beside the producer's bytes, `[stamp][batch from byte 24]` for each
//! batch, one vectored write for each segment that the append touches.
//!
//! Invariant: after an error the log and its files are as they were before, or the log is fenced.

use std::fmt::Display;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tidewire_protocol::batch::{Header, STAMP_LEN, Stamp};

use super::index::Index;
use super::segment::{Live, Segment, next_path};
use super::{Log, Scratch};
use crate::disk::{Disk, DiskFile, OpenMode, write_all_vectored_at};
use crate::error::{Error, ErrorKind};

/// What the log added to one batch.
#[derive(Clone, Copy, Debug)]
pub struct Stamped {
    /// The first bytes of the batch as it is stored; the producer's own follow from there on.
    pub stamp: [u8; STAMP_LEN],
    /// Offset of its first record.
    pub base_offset: u64,
    /// The offset after its last record.
    pub next_offset: u64,
}

/// What an append restores when it fails.
struct Mark {
    segments: usize,
    end: u64,
    len: u64,
    last_time_us: i64,
    index_len: usize,
}

impl<D: Disk> Log<D> {
    /// Appends validated batches, all or none, and returns the offsets they got.
    ///
    /// Each batch is stamped with its offset, the log's epoch and `append_time_us`, or the time
    /// of the batch before it if the clock went back. The batches are in the operating system
    /// when this returns; they are on the disk once a sync begun later has finished.
    ///
    /// # Errors
    /// [`ErrorKind::Full`], [`ErrorKind::Io`] and [`ErrorKind::Invalid`] leave the log as it was;
    /// [`ErrorKind::Fenced`] if that could not be brought about.
    pub fn append(
        &mut self,
        batches: &[Bytes],
        append_time_us: i64,
    ) -> Result<Range<u64>, Error> {
        self.check_writable()?;
        let start = self.end_offset();
        let append_time_us = append_time_us.max(self.last_append_time_us);
        let mut scratch = std::mem::take(&mut self.scratch);
        let written = self.append_with(&mut scratch, batches, append_time_us);
        self.scratch = scratch;
        written?;
        if !batches.is_empty() {
            self.last_append_time_us = append_time_us;
        }
        Ok(start..self.end_offset())
    }

    /// What the last append added to each of its batches, in their order; meaningless after one
    /// that failed.
    pub fn stamped(&self) -> &[Stamped] {
        &self.scratch.stamps
    }

    fn append_with(
        &mut self,
        Scratch { stamps, pieces }: &mut Scratch,
        batches: &[Bytes],
        append_time_us: i64,
    ) -> Result<(), Error> {
        self.stamp(stamps, batches, append_time_us)?;
        let mark = self.mark();
        let mut from = 0;
        while from < batches.len() {
            let fitting = self.fitting(&batches[from..]);
            let written = if fitting == 0 {
                self.roll()
            } else {
                let run = from..from + fitting;
                from = run.end;
                self.write(&stamps[run.clone()], &batches[run], pieces, append_time_us)
            };
            if let Err(error) = written {
                return Err(self.roll_back(&mark, error));
            }
        }
        Ok(())
    }

    /// Fills in a stamp for each batch.
    fn stamp(
        &self,
        stamps: &mut Vec<Stamped>,
        batches: &[Bytes],
        append_time_us: i64,
    ) -> Result<(), Error> {
        let invalid = |reason: &dyn Display| {
            let text = format!("a batch for {} is refused: {reason}", self.dir.display());
            Error::new(ErrorKind::Invalid, text)
        };
        let leader_epoch = self.options.leader_epoch;
        let mut base_offset = self.end_offset();
        stamps.clear();
        for batch in batches {
            let header = Header::parse(batch).map_err(|malformed| invalid(&malformed))?;
            if header.total_len as usize != batch.len() {
                return Err(invalid(&format_args!(
                    "its header says {} bytes, it has {}",
                    header.total_len,
                    batch.len()
                )));
            }
            let stamp = Stamp { base_offset, append_time_us, leader_epoch }.encode_for(batch);
            let records = header.record_count;
            let next_offset = base_offset.checked_add(u64::from(records)).ok_or_else(|| {
                invalid(&format_args!(
                    "{records} records do not fit between offset {base_offset} and the largest"
                ))
            })?;
            stamps.push(Stamped { stamp, base_offset, next_offset });
            base_offset = next_offset;
        }
        Ok(())
    }

    /// How many of `batches` go into the last segment; an empty one takes at least the first, and
    /// one whose file takes nothing more takes none.
    fn fitting(&self, batches: &[Bytes]) -> usize {
        let active = self.active();
        let mut len = active.len;
        if len > 0 && !active.live.as_ref().is_some_and(|live| live.file.takes(len)) {
            return 0;
        }
        let limit = self.options.segment_bytes;
        let fits = |batch: &&Bytes| {
            let empty = len == 0;
            len += batch.len() as u64;
            empty || len <= limit
        };
        batches.iter().take_while(fits).count()
    }

    /// Writes batches that fit to the end of the last segment, and takes note of them.
    fn write(
        &mut self,
        stamps: &[Stamped],
        batches: &[Bytes],
        spare: &mut Vec<IoSlice<'static>>,
        append_time_us: i64,
    ) -> Result<(), Error> {
        let interval = self.options.index_interval_bytes;
        let segment = self.segments.last_mut().expect("a log has a segment");
        let live = segment.live.as_mut().expect("the last segment of a good log is live");

        let mut pieces = recycle(std::mem::take(spare));
        for (stamped, batch) in stamps.iter().zip(batches) {
            pieces.push(IoSlice::new(&stamped.stamp));
            pieces.push(IoSlice::new(&batch[STAMP_LEN..]));
        }
        let written = write_all_vectored_at(&*live.file, &mut pieces, segment.len);
        *spare = recycle(pieces);
        if let Err(error) = written {
            let path = segment.path(&self.dir);
            return Err(Error::io("writing to", &path, error));
        }

        for (stamped, batch) in stamps.iter().zip(batches) {
            live.index.note(stamped.base_offset, append_time_us, segment.len, interval);
            segment.len += batch.len() as u64;
            segment.end = stamped.next_offset;
        }
        segment.last_time_us = append_time_us;
        Ok(())
    }

    /// Starts a new segment at the log's end.
    ///
    /// The full one is not synced here, for that may take long; the next [`SyncJob`] does it, and
    /// gives the new one its name.
    ///
    /// [`SyncJob`]: super::SyncJob
    pub(super) fn roll(&mut self) -> Result<(), Error> {
        let base = self.end_offset();
        let path = next_path(&self.dir, base);
        let file = match self.disk.open(&path, OpenMode::CreateNew) {
            Ok(file) => file,
            Err(error) => {
                // One that was begun and could not be taken back would stand in the way.
                let left = error.kind() != io::ErrorKind::AlreadyExists
                    && !matches!(self.disk.exists(&path), Ok(false));
                let error = Error::io("creating", &path, error);
                return Err(if left { self.fence(error.to_string()) } else { error });
            }
        };
        self.names_changed += 1;
        let live = Live { file: Arc::new(file), index: Index::default() };
        self.segments.push(Segment {
            base,
            end: base,
            len: 0,
            last_time_us: self.active().last_time_us,
            unnamed: true,
            live: Some(live),
        });
        Ok(())
    }

    fn active(&self) -> &Segment<D::File> {
        self.segments.last().expect("a log has a segment")
    }

    fn mark(&self) -> Mark {
        let active = self.active();
        Mark {
            segments: self.segments.len(),
            end: active.end,
            len: active.len,
            last_time_us: active.last_time_us,
            index_len: active.live.as_ref().map_or(0, |live| live.index.len()),
        }
    }

    /// Undoes what an append did before it met `error`, and returns the error to report.
    ///
    /// First in memory, so that no reader sees what was refused even if the files keep it; and
    /// durably, so that no power failure brings back what its producer was told is not there. The
    /// sync is waited for here: it is rare, and a disk that is full has no use for haste.
    fn roll_back(&mut self, mark: &Mark, error: Error) -> Error {
        let new = self.segments.split_off(mark.segments);
        let segment = self.segments.last_mut().expect("a log has a segment");
        let path = segment.path(&self.dir);
        let live = segment.live.as_mut().expect("the last segment of a good log is live");
        segment.end = mark.end;
        segment.len = mark.len;
        segment.last_time_us = mark.last_time_us;
        live.index.truncate(mark.index_len);

        if let Err(second) = live.file.set_len(mark.len) {
            let path = path.display();
            return self.fence(format!("{error}; then cutting {path} back failed: {second}"));
        }
        if let Err(second) = self.syncs.sync(&*live.file) {
            let path = path.display();
            return self.fence(format!("{error}; then syncing {path} failed: {second}"));
        }
        let names_changed = !new.is_empty();
        for segment in new {
            let path = segment.path(&self.dir);
            if let Err(second) = self.disk.remove_file(&path) {
                let path = path.display();
                return self.fence(format!("{error}; then removing {path} failed: {second}"));
            }
            self.names_changed += 1;
        }
        if names_changed && let Err(second) = self.disk.sync_dir(&self.dir) {
            let dir = self.dir.display();
            return self.fence(format!("{error}; then syncing {dir} failed: {second}"));
        }
        error
    }
}

/// Empties a vector of slices and gives its memory to slices of another lifetime.
fn recycle<'a>(mut pieces: Vec<IoSlice<'_>>) -> Vec<IoSlice<'a>> {
    pieces.clear();
    // Collecting in place keeps the allocation.
    pieces.into_iter().map(|_| -> IoSlice<'a> { unreachable!("it was cleared") }).collect()
}

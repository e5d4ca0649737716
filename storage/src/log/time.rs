//! Finding a place by time.
//!
//! The time of a record is when the server appended it, the one in its batch's stamp. It never
//! goes back within a log, whatever the clock does (see [`super::append`]), so that the records
//! since a moment are those from one offset on. Each segment knows its last time and each index
//! entry its own: a look-up opens one segment and walks over at most one interval of headers.
//!
//! As a read, it is cut in three, so that nobody waits for the disk on the log's thread.

use std::sync::Arc;

use super::Log;
use super::fetch::{Extent, LOCATE_WINDOW_BYTES, Sealed, Source};
use super::read::end_of;
use super::walk::{Check, Window, walk};
use crate::disk::Disk;
use crate::error::{Error, ErrorKind};

/// Where the records since a moment begin.
pub enum Lookup<D: Disk> {
    /// At this offset: no segment has to be looked into.
    Known(u64),
    /// Where this job finds it.
    Job(LookupJob<D>),
}

/// A look-up by time. Send it to a thread that may block, and [`run`](Self::run) it there.
#[derive(Debug)]
#[must_use = "a look-up that is not run finds nothing"]
pub struct LookupJob<D: Disk> {
    disk: D,
    extent: Extent,
    /// Bytes between the entries of an index that has to be made anew.
    interval: u32,
    source: Source<D::File>,
    base: u64,
    len: u64,
    time_us: i64,
    end: u64,
}

/// What came of a [`LookupJob`]; hand it to [`Log::finish_lookup`].
#[derive(Debug)]
#[must_use = "the log decides in `finish_lookup` what it means now"]
pub struct LookupOutcome<D: Disk> {
    base: u64,
    end: u64,
    /// A segment that had to be opened, for later reads.
    opened: Option<Arc<Sealed<D::File>>>,
    /// With an error, the offset that it was met at.
    result: Result<u64, (u64, Error)>,
}

impl<D: Disk> LookupJob<D> {
    /// Looks. Blocks for as long as the disk takes.
    pub fn run(self) -> LookupOutcome<D> {
        let mut opened = None;
        let result = match &self.source {
            Source::Live { file, from } => self.walk(file, *from),
            Source::Open(sealed) => self.walk(sealed.file(), self.from(sealed)),
            Source::Closed => match Sealed::open(&self.disk, &self.extent, self.interval) {
                Ok(sealed) => {
                    let sealed = opened.insert(Arc::new(sealed));
                    self.walk(sealed.file(), self.from(sealed))
                }
                Err(error) => Err((self.base, error)),
            },
        };
        LookupOutcome { base: self.base, end: self.end, opened, result }
    }

    fn from(&self, sealed: &Sealed<D::File>) -> (u64, u64) {
        sealed.index().floor_time(self.time_us).unwrap_or((0, self.base))
    }

    fn walk(&self, file: &D::File, from: (u64, u64)) -> Result<u64, (u64, Error)> {
        let mut window = Window::new(file, self.len, LOCATE_WINDOW_BYTES);
        let mut found = None;
        let mut last = from.1;
        let walked = walk(&mut window, from, None, Check::Headers, |header, _| {
            last = end_of(header);
            if header.append_time_us >= self.time_us {
                found = Some(header.base_offset);
            }
            found.is_none()
        });
        let walked =
            walked.map_err(|error| (last, self.extent.read_error(from.0, from.1, error)))?;
        match (found, walked.damage) {
            (Some(offset), _) => Ok(offset),
            (None, None) => Ok(last),
            (None, Some(damage)) => {
                let (position, offset) = (walked.position, walked.offset);
                Err((offset, self.extent.corrupt(position, offset, damage.reason)))
            }
        }
    }
}

impl<D: Disk> Log<D> {
    /// The offset of the first record that was appended at `time_us` or later, or `end` if no
    /// record before `end` was.
    ///
    /// Waits for the disk where the bytes are not cached; [`Log::begin_lookup`] does not.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if damage is met on the way.
    pub fn offset_at_time(&self, time_us: i64, end: u64) -> Result<u64, Error> {
        match self.begin_lookup(time_us, end) {
            Lookup::Known(offset) => Ok(offset),
            Lookup::Job(job) => self.finish_lookup(job.run()),
        }
    }

    /// A look-up as [`Log::offset_at_time`] does it, for a thread that may block. Any number may
    /// be under way, beside appends, syncs and trims.
    pub fn begin_lookup(&self, time_us: i64, end: u64) -> Lookup<D> {
        let end = self.clamp_end(end);
        let after = self.segments.partition_point(|segment| segment.last_time_us < time_us);
        let Some(segment) = self.segments.get(after).filter(|segment| segment.base < end)
        else {
            return Lookup::Known(end);
        };
        let source = match &segment.live {
            Some(live) => Source::Live {
                file: Arc::clone(&live.file),
                from: live.index.floor_time(time_us).unwrap_or((0, segment.base)),
            },
            None => self.source_of_sealed(segment.base),
        };
        Lookup::Job(LookupJob {
            disk: self.disk.clone(),
            extent: segment.extent(&self.dir),
            interval: self.options.index_interval_bytes,
            source,
            base: segment.base,
            len: segment.len,
            time_us,
            end,
        })
    }

    /// Takes a look-up's outcome back: the offset, by the log as it is now.
    ///
    /// # Errors
    /// As [`Log::offset_at_time`].
    pub fn finish_lookup(&self, outcome: LookupOutcome<D>) -> Result<u64, Error> {
        let LookupOutcome { base, end, opened, result } = outcome;
        let start = self.start_offset();
        let segment = self.segments.binary_search_by_key(&base, |segment| segment.base);
        let Ok(segment) = segment.map(|at| &self.segments[at]) else {
            // Its file may be gone, and all in it is: what is left was appended later.
            return Ok(start);
        };
        if let Some(opened) = opened
            && segment.live.is_none()
        {
            self.keep_sealed(opened);
        }
        match result {
            Ok(found) => Ok(found.clamp(start, self.clamp_end(end))),
            // What a failed sync did not write is no damage: nobody is shown it any more.
            Err((offset, _)) if self.is_fenced() && offset >= self.synced_end => {
                Ok(self.synced_end.clamp(start, self.clamp_end(end)))
            }
            Err((_, error)) => Err(error),
        }
    }

    /// Whether an error that a read or a look-up came to may be no damage: a sync is under way,
    /// and if it fails, what it did not write is gone from the cache before the log hears of it.
    /// The same read tells after [`Log::finish_sync`].
    pub fn is_in_doubt(&self, error: &Error) -> bool {
        self.sync_in_flight && error.kind() == ErrorKind::Corrupt
    }

    /// An `end` that a reader was promised, as far as the log still goes.
    fn clamp_end(&self, end: u64) -> u64 {
        end.min(self.end_offset()).max(self.start_offset())
    }
}

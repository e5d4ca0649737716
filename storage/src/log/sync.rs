//! Syncing, cut in two so that nobody waits for the disk on the log's thread.
//!
//! Owns what a sync covers and what its failure means. When to sync, and who waits for it, is
//! left to the server: one sync in flight for each log, and whatever is appended meanwhile goes
//! into the next.
//!
//! A sync also names the segments that were begun since the last one; see [`super::segment`].
//!
//! Invariant: a failed sync is never tried again. The kernel marks the pages clean after telling
//! of the failure once, so a second sync would succeed without the bytes; the log is fenced.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::segment::{Segment, log_path, next_path};
use super::{Log, index};
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, ErrorKind};

/// What must be synced now. Send it to a thread that may block, and [`run`](Self::run) it there.
#[derive(Debug)]
#[must_use = "a sync that is not run never finishes"]
pub struct SyncJob<D: Disk> {
    disk: D,
    dir: Arc<Path>,
    /// Segments that were sealed since the last sync, oldest first. Mostly there are none.
    syncs: Arc<Syncs>,
    sealed: Vec<SealedFile<D::File>>,
    active: Arc<D::File>,
    active_base: u64,
    /// Base offsets of the segments to name.
    unnamed: Vec<u64>,
    names_changed: Option<u64>,
    end: u64,
}

#[derive(Debug)]
struct SealedFile<F> {
    base: u64,
    file: Arc<F>,
    index_bytes: Vec<u8>,
}

/// What came of a [`SyncJob`]; hand it to [`Log::finish_sync`].
#[derive(Debug)]
#[must_use = "the log does not know before `finish_sync`"]
pub struct SyncOutcome {
    end: u64,
    active_base: u64,
    names_changed: Option<u64>,
    result: Result<(), (PathBuf, io::Error)>,
}

/// The syncs of a log's files, whose thread ever they are on, one at a time.
///
/// Of two syncs of one file the kernel tells only one of a failure. Were the other taken for a good
/// one, a file would get its name whose bytes are lost.
#[derive(Debug, Default)]
pub(super) struct Syncs {
    failed: Mutex<bool>,
}

impl Syncs {
    /// Syncs a file, unless a sync has failed before.
    pub(super) fn sync(&self, file: &impl DiskFile) -> io::Result<()> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if *failed {
            return Err(io::Error::other("a sync has failed before"));
        }
        file.sync_data().inspect_err(|_| {
            *failed = true;
            file.forget_cached();
        })
    }
}

impl<D: Disk> SyncJob<D> {
    /// The offset up to which records will be on the disk.
    pub fn end_offset(&self) -> u64 {
        self.end
    }

    /// Syncs. Blocks for as long as the disk takes.
    pub fn run(self) -> SyncOutcome {
        let result = self.sync();
        if result.is_ok() {
            for sealed in &self.sealed {
                // Without an index the segment is walked when the log is opened next.
                let _ = index::store(&self.disk, &self.dir, sealed.base, &sealed.index_bytes);
            }
        }
        SyncOutcome {
            end: self.end,
            active_base: self.active_base,
            names_changed: self.names_changed,
            result,
        }
    }

    fn sync(&self) -> Result<(), (PathBuf, io::Error)> {
        // In the order of offsets: what is on the disk should have no gap, whenever power fails.
        let sealed = self.sealed.iter().map(|sealed| (sealed.base, &sealed.file));
        for (base, file) in sealed.chain([(self.active_base, &self.active)]) {
            self.syncs.sync(&**file).map_err(|error| (log_path(&self.dir, base), error))?;
        }
        for &base in &self.unnamed {
            let path = log_path(&self.dir, base);
            self.disk
                .rename(&next_path(&self.dir, base), &path)
                .map_err(|error| (path, error))?;
        }
        if self.names_changed.is_some() {
            self.disk.sync_dir(&self.dir).map_err(|error| (self.dir.to_path_buf(), error))?;
        }
        Ok(())
    }
}

impl<D: Disk> Log<D> {
    /// What must be synced now; `None` if nothing is dirty, a sync is already in flight, or the
    /// log is fenced or quarantined.
    pub fn begin_sync(&mut self) -> Option<SyncJob<D>> {
        if self.sync_in_flight || self.check_writable().is_err() {
            return None;
        }
        let job = self.sync_job()?;
        self.sync_in_flight = true;
        Some(job)
    }

    fn sync_job(&self) -> Option<SyncJob<D>> {
        let end = self.end_offset();
        let new_names = self.names_changed > self.names_synced;
        if self.synced_end == end && !new_names {
            return None;
        }
        let (last, before) = self.segments.split_last()?;
        let first = before.partition_point(|segment| segment.live.is_none());
        let sealed = before[first..].iter().filter_map(|segment| self.sealed_file(segment));
        let unnamed = self.segments[first..].iter().filter(|segment| segment.unnamed);
        Some(SyncJob {
            disk: self.disk.clone(),
            dir: Arc::clone(&self.dir),
            syncs: Arc::clone(&self.syncs),
            sealed: sealed.collect(),
            active: Arc::clone(&last.live.as_ref()?.file),
            active_base: last.base,
            unnamed: unnamed.map(|segment| segment.base).collect(),
            names_changed: new_names.then_some(self.names_changed),
            end,
        })
    }

    fn sealed_file(&self, segment: &Segment<D::File>) -> Option<SealedFile<D::File>> {
        let live = segment.live.as_ref()?;
        let time = segment.last_time_us;
        let index_bytes = live.index.encode(segment.base, segment.end, segment.len, time);
        Some(SealedFile { base: segment.base, file: Arc::clone(&live.file), index_bytes })
    }

    /// Takes a sync's outcome back and returns the new [`synced_end`](Log::synced_end).
    ///
    /// # Errors
    /// [`ErrorKind::Fenced`] if the sync failed: what was appended since the last good one may
    /// or may not be on the disk, and the log takes no more appends until it is opened again.
    pub fn finish_sync(&mut self, outcome: SyncOutcome) -> Result<u64, Error> {
        self.sync_in_flight = false;
        if let Err((path, error)) = outcome.result {
            let reason = format!("syncing {} failed: {error}", path.display());
            let fenced = self.fence(reason);
            return Err(Error::caused(ErrorKind::Fenced, fenced.to_string(), error));
        }
        // A log that was fenced meanwhile takes no good news: whoever waits is to be told that
        // the outcome is unknown.
        self.check_writable()?;
        self.synced_end = outcome.end;
        self.names_synced = outcome.names_changed.unwrap_or(self.names_synced);
        let Some((last, before)) = self.segments.split_last_mut() else {
            return Ok(self.synced_end);
        };
        if last.base <= outcome.active_base {
            last.unnamed = false;
        }
        for segment in before.iter_mut().rev().take_while(|segment| segment.live.is_some()) {
            if segment.base <= outcome.active_base {
                segment.unnamed = false;
            }
            if segment.end <= outcome.end {
                segment.live = None;
            }
        }
        Ok(self.synced_end)
    }

    /// Syncs here and now: begin, run, finish.
    ///
    /// # Errors
    /// [`ErrorKind::Fenced`] as [`Log::finish_sync`]; [`ErrorKind::Invalid`] while a [`SyncJob`]
    /// is in flight. Of two syncs of one file the kernel tells only one of a failure, and the
    /// other would be taken for a good one.
    pub fn sync(&mut self) -> Result<u64, Error> {
        self.check_writable()?;
        if self.sync_in_flight {
            let dir = self.dir.display();
            let text = format!("a sync of the log in {dir} is in flight already");
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        match self.begin_sync() {
            Some(job) => self.finish_sync(job.run()),
            None => Ok(self.synced_end),
        }
    }

    /// Writes the last segment's index, after a sync.
    pub(super) fn write_last_index(&self) {
        let sealed = self.segments.last().and_then(|segment| self.sealed_file(segment));
        if let Some(SealedFile { base, index_bytes, .. }) = sealed {
            // Without it the segment is walked when the log is opened next.
            let _ = index::store(&self.disk, &self.dir, base, &index_bytes);
        }
    }
}

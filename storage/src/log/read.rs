//! Reading: which bytes a reader may have, and what reads leave behind for later ones.
//!
//! Owns what is decided on the log's own thread: [`Log::begin_read`] says how far a reader may see
//! and gives a [`ReadJob`] to run where it may block; [`Log::finish_read`] takes its outcome back
//! and judges it by the log as it is then. The reading itself is in [`super::fetch`]; who shares
//! what was read, and how much of it is kept, is left to the server.
//!
//! Invariant: a [`Chunk`] holds whole batches with good checksums and dense offsets, or nothing.

use std::sync::Arc;

use bytes::Bytes;
use tidewire_protocol::batch::Header;

use super::fetch::{ReadJob, ReadOutcome, Sealed, Source};
use super::{Health, Log};
use crate::disk::Disk;
use crate::error::{Error, ErrorKind};

/// Sealed segments whose file and index are kept open, in each log.
pub(super) const MAX_OPEN_SEALED: usize = 8;
/// Readers whose place is remembered, in each log.
pub(super) const MAX_CURSORS: usize = 16;
/// Whole batches, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The batches, one after the other; empty at the end.
    pub bytes: Bytes,
    /// Offset of the first batch's first record; it may lie before the offset asked for.
    pub base_offset: u64,
    /// Where to go on reading.
    pub next_offset: u64,
    /// Beginnings of some of the batches, in order: position in `bytes` and first offset. The
    /// first one is always among them, and others about every [`MARK_BYTES`].
    pub marks: Vec<(u32, u64)>,
}

/// Bytes between two marks of a chunk, at least.
pub const MARK_BYTES: usize = 4 << 10;

impl Chunk {
    /// A chunk without batches, at `offset`.
    pub(super) fn nothing(offset: u64) -> Self {
        Self {
            bytes: Bytes::new(),
            base_offset: offset,
            next_offset: offset,
            marks: Vec::new(),
        }
    }

    /// Lets go of the batches that pass `end`.
    fn cut(&mut self, end: u64) {
        if self.next_offset <= end {
            return;
        }
        let (mut len, mut next_offset) = (0, self.base_offset);
        while let Ok(header) = Header::parse(&self.bytes[len..])
            && end_of(&header) <= end
        {
            (len, next_offset) = (len + header.total_len as usize, end_of(&header));
        }
        self.bytes.truncate(len);
        self.next_offset = next_offset;
        self.marks.retain(|(position, _)| (*position as usize) < len);
    }
}

/// What reads leave behind for later ones.
#[derive(Debug)]
pub(super) struct Readers<F> {
    /// Sealed segments, the last used one last.
    sealed: Vec<Arc<Sealed<F>>>,
    /// Where recent chunks ended, oldest overwritten first.
    cursors: Vec<Cursor>,
    oldest: usize,
}

impl<F> Default for Readers<F> {
    fn default() -> Self {
        Self { sealed: Vec::new(), cursors: Vec::new(), oldest: 0 }
    }
}

/// A batch boundary.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    offset: u64,
    position: u64,
}

impl<F> Readers<F> {
    #[cfg(test)]
    pub fn open_count(&self) -> usize {
        self.sealed.len()
    }

    #[cfg(test)]
    pub fn cursor_count(&self) -> usize {
        self.cursors.len()
    }

    /// Lets go of sealed segments, so that their files can go.
    pub fn close(&mut self, bases: &[u64]) {
        self.sealed.retain(|sealed| !bases.contains(&sealed.base()));
    }

    /// An open sealed segment, which becomes the last used one.
    fn open(&mut self, base: u64) -> Option<Arc<Sealed<F>>> {
        let at = self.sealed.iter().position(|open| open.base() == base)?;
        let open = self.sealed.remove(at);
        self.sealed.push(Arc::clone(&open));
        Some(open)
    }

    /// Keeps a sealed segment open, instead of the one that was not used for longest.
    fn keep(&mut self, open: Arc<Sealed<F>>) {
        if self.sealed.iter().any(|other| other.base() == open.base()) {
            return;
        }
        if self.sealed.len() == MAX_OPEN_SEALED {
            self.sealed.remove(0);
        }
        self.sealed.push(open);
    }

    fn cursor(&self, offset: u64) -> Option<u64> {
        self.cursors.iter().find(|cursor| cursor.offset == offset).map(|cursor| cursor.position)
    }

    fn remember(&mut self, offset: u64, position: u64) {
        if self.cursor(offset).is_some() {
            return;
        }
        let cursor = Cursor { offset, position };
        if self.cursors.len() < MAX_CURSORS {
            self.cursors.push(cursor);
        } else {
            self.cursors[self.oldest] = cursor;
            self.oldest = (self.oldest + 1) % MAX_CURSORS;
        }
    }
}

impl<D: Disk> Log<D> {
    /// Reads whole batches, from the one that holds `offset` on: about `max_bytes` of them and
    /// at least one, none with a record at `end` or later. The chunk is empty if `offset` is
    /// `end`, or the batch that holds it passes `end`.
    ///
    /// `end` says how far this reader may see: [`Log::synced_end`] or [`Log::end_offset`]. A
    /// chunk never crosses from one segment into the next, so it may be short of `max_bytes`.
    ///
    /// Waits for the disk where the bytes are not cached; [`Log::begin_read`] does not.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] if `offset` lies before the log's start or after `end`;
    /// [`ErrorKind::Corrupt`] if the batch it asks for is damaged; [`ErrorKind::Fenced`] if the
    /// log was fenced before that batch was synced.
    pub fn read(&self, offset: u64, max_bytes: usize, end: u64) -> Result<Chunk, Error> {
        match self.begin_read(offset, end)? {
            Some(job) => self.finish_read(job.run(max_bytes)),
            None => Ok(Chunk::nothing(offset)),
        }
    }

    /// A read as [`Log::read`] does it, for a thread that may block; `None` if there is nothing
    /// to read at `offset`. Any number may be under way, beside appends, syncs and trims.
    ///
    /// # Errors
    /// As [`Log::read`], for what can be told without the disk.
    pub fn begin_read(&self, offset: u64, end: u64) -> Result<Option<ReadJob<D>>, Error> {
        let end = self.readable_end(offset, end)?;
        if offset == end {
            return Ok(None);
        }
        let after = self.segments.partition_point(|segment| segment.base <= offset);
        let segment = &self.segments[after - 1];
        let source = match &segment.live {
            Some(live) => Source::Live {
                file: Arc::clone(&live.file),
                from: live.index.floor(offset).unwrap_or((0, segment.base)),
            },
            None => self.source_of_sealed(segment.base),
        };
        let exact =
            if offset == segment.base { Some(0) } else { self.readers.borrow().cursor(offset) };
        Ok(Some(ReadJob {
            disk: self.disk.clone(),
            extent: segment.extent(&self.dir),
            interval: self.options.index_interval_bytes,
            source,
            exact,
            offset,
            end,
        }))
    }

    /// Takes a read's outcome back.
    ///
    /// # Errors
    /// As [`Log::read`], by the log as it is now: what was trimmed meanwhile is
    /// [`ErrorKind::OutOfRange`], what a failed sync may have lost is [`ErrorKind::Fenced`].
    pub fn finish_read(&self, outcome: ReadOutcome<D>) -> Result<Chunk, Error> {
        let ReadOutcome { base, offset, opened, cursor, result } = outcome;
        let segment = self
            .segments
            .binary_search_by_key(&base, |segment| segment.base)
            .map(|at| &self.segments[at]);
        if let Ok(segment) = segment {
            let mut readers = self.readers.borrow_mut();
            if let Some(opened) = opened
                && segment.live.is_none()
            {
                readers.keep(opened);
            }
            if let Some((offset, position)) = cursor {
                readers.remember(offset, position);
            }
        }
        let end = result.as_ref().map_or(offset, |chunk| chunk.next_offset);
        let end = self.readable_end(offset, end)?;
        let mut chunk = result?;
        chunk.cut(end);
        Ok(chunk)
    }

    /// How far a reader at `offset` may see that may see up to `end`; `offset` if there is nothing.
    ///
    /// # Errors
    /// As [`Log::read`], for what can be told without the disk.
    pub fn readable_end(&self, offset: u64, end: u64) -> Result<u64, Error> {
        if let Health::Quarantined(quarantine) = &self.health
            && offset >= quarantine.offset
        {
            return Err(quarantine.to_error());
        }
        let start = self.start_offset();
        let end = end.min(self.end_offset());
        if offset < start || offset > end {
            return Err(Error::new(
                ErrorKind::OutOfRange { start, end },
                format!(
                    "offset {offset} is not in the log in {}, which holds {start}..{end}",
                    self.dir.display()
                ),
            ));
        }
        if offset == end {
            return Ok(end);
        }
        // What was not synced when the log was fenced may be gone from the cache, too.
        match &self.health {
            Health::Fenced(reason) if offset >= self.synced_end => {
                Err(Self::fenced(&self.dir, reason))
            }
            Health::Fenced(_) => Ok(end.min(self.synced_end)),
            Health::Good | Health::Quarantined(_) => Ok(end),
        }
    }

    /// A sealed segment, open if it is.
    pub(super) fn source_of_sealed(&self, base: u64) -> Source<D::File> {
        match self.readers.borrow_mut().open(base) {
            Some(open) => Source::Open(open),
            None => Source::Closed,
        }
    }

    /// Keeps a sealed segment open for later reads.
    pub(super) fn keep_sealed(&self, open: Arc<Sealed<D::File>>) {
        self.readers.borrow_mut().keep(open);
    }
}

/// The offset after the batch's last record.
pub(super) fn end_of(header: &Header) -> u64 {
    header.next_offset().unwrap_or(u64::MAX)
}

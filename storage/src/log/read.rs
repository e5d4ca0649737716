//! Reading: find the batch that holds an offset, read once, check what is handed out.
//!
//! A reader that goes on where its last read ended is found by its offset alone; any other read
//! starts from the index and walks over at most one interval of headers. Bodies in sealed segments
//! are checked, so that damage is met by name here and what stands before it is handed out; bodies
//! in the newest segment were checked when the log was opened or came in since.
//!
//! Invariant: a [`Chunk`] holds whole batches with good headers and dense offsets, or nothing.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tidewire_protocol::batch::{HEADER_LEN, Header};

use super::index::{self, Index};
use super::segment::Segment;
use super::walk::{Check, WALK_WINDOW_BYTES, Window, check_body, walk};
use super::{Health, Log, Quarantine};
use crate::disk::{Disk, OpenMode, read_exact_append};
use crate::error::{Error, ErrorKind};

/// Sealed segments whose file and index are kept open, in each log.
pub(super) const MAX_OPEN_SEALED: usize = 8;
/// Readers whose place is remembered, in each log.
pub(super) const MAX_CURSORS: usize = 16;
/// Bytes read at once while looking for a batch.
pub(super) const LOCATE_WINDOW_BYTES: usize = 64 << 10;

/// Whole batches, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The batches, one after the other; empty at the end.
    pub bytes: Bytes,
    /// Offset of the first batch's first record; it may lie before the offset asked for.
    pub base_offset: u64,
    /// Where to go on reading.
    pub next_offset: u64,
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

/// An open sealed segment.
#[derive(Debug)]
pub(super) struct Sealed<F> {
    base: u64,
    file: F,
    index: Index,
}

impl<F> Sealed<F> {
    pub fn file(&self) -> &F {
        &self.file
    }

    pub fn index(&self) -> &Index {
        &self.index
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
        self.sealed.retain(|sealed| !bases.contains(&sealed.base));
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
    /// # Errors
    /// [`ErrorKind::OutOfRange`] if `offset` lies before the log's start or after `end`;
    /// [`ErrorKind::Corrupt`] if the batch it asks for is damaged; [`ErrorKind::Fenced`] if the
    /// log was fenced before that batch was synced.
    pub fn read(&self, offset: u64, max_bytes: usize, end: u64) -> Result<Chunk, Error> {
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
            return Ok(Chunk { bytes: Bytes::new(), base_offset: offset, next_offset: offset });
        }
        // What was not synced when the log was fenced may be gone from the cache, too, and bodies
        // are not checked here.
        let end = match &self.health {
            Health::Fenced(reason) if offset >= self.synced_end => {
                return Err(Self::fenced(&self.dir, reason));
            }
            Health::Fenced(_) => end.min(self.synced_end),
            Health::Good | Health::Quarantined(_) => end,
        };
        let after = self.segments.partition_point(|segment| segment.base <= offset);
        let segment = &self.segments[after - 1];
        match &segment.live {
            Some(live) => {
                self.read_segment(segment, &*live.file, &live.index, offset, max_bytes, end)
            }
            None => {
                let sealed = self.sealed(segment)?;
                self.read_segment(segment, &sealed.file, &sealed.index, offset, max_bytes, end)
            }
        }
    }

    fn read_segment(
        &self,
        segment: &Segment<D::File>,
        file: &D::File,
        index: &Index,
        offset: u64,
        max_bytes: usize,
        end: u64,
    ) -> Result<Chunk, Error> {
        let (position, base_offset) = self.locate(segment, file, index, offset)?;
        let left = segment.len - position;
        let take = usize::try_from(left).map_or(max_bytes, |left| left.min(max_bytes));
        let mut bytes = Vec::new();
        let failed = |error| self.read_error(segment, position, base_offset, error);
        read_exact_append(file, &mut bytes, take.max(HEADER_LEN), position).map_err(failed)?;

        let mut cut = 0;
        let mut next_offset = base_offset;
        while bytes.len() - cut >= HEADER_LEN {
            let header = match check_header(&bytes[cut..], left - cut as u64, next_offset) {
                Ok(header) => header,
                // Hand out what is good; the next read meets the damage first.
                Err(_) if cut > 0 => break,
                Err(reason) => {
                    return Err(self.corrupt(segment, position, base_offset, reason));
                }
            };
            let (total_len, after) = (header.total_len as usize, end_of(&header));
            if after > end {
                break;
            }
            if cut == 0 && total_len > bytes.len() {
                let held = bytes.len();
                let rest = position + held as u64;
                read_exact_append(file, &mut bytes, total_len - held, rest).map_err(failed)?;
            }
            if total_len > bytes.len() - cut {
                break;
            }
            if segment.live.is_none()
                && let Err(reason) = check_body(&header, &bytes[cut..cut + total_len])
            {
                if cut > 0 {
                    break;
                }
                return Err(self.corrupt(segment, position, base_offset, reason));
            }
            cut += total_len;
            next_offset = after;
        }
        if cut == 0 {
            return Ok(Chunk { bytes: Bytes::new(), base_offset: offset, next_offset: offset });
        }
        bytes.truncate(cut);
        self.readers.borrow_mut().remember(next_offset, position + cut as u64);
        Ok(Chunk { bytes: Bytes::from(bytes), base_offset, next_offset })
    }

    /// Position and base offset of the batch that holds `offset`.
    fn locate(
        &self,
        segment: &Segment<D::File>,
        file: &D::File,
        index: &Index,
        offset: u64,
    ) -> Result<(u64, u64), Error> {
        if offset == segment.base {
            return Ok((0, offset));
        }
        if let Some(position) = self.readers.borrow().cursor(offset) {
            return Ok((position, offset));
        }
        let from = index.floor(offset).unwrap_or((0, segment.base));
        let mut found = None;
        let mut window = Window::new(file, segment.len, LOCATE_WINDOW_BYTES);
        let walked = walk(&mut window, from, None, Check::Headers, |header, position| {
            if end_of(header) > offset {
                found = Some((position, header.base_offset));
            }
            found.is_none()
        });
        let walked = walked.map_err(|error| self.read_error(segment, from.0, from.1, error))?;
        found.ok_or_else(|| {
            let reason = walked.damage.map_or_else(
                || format!("its batches end before offset {offset}"),
                |damage| damage.reason,
            );
            self.corrupt(segment, walked.position, walked.offset, reason)
        })
    }

    /// The open file and index of a sealed segment.
    pub(super) fn sealed(
        &self,
        segment: &Segment<D::File>,
    ) -> Result<Arc<Sealed<D::File>>, Error> {
        let mut readers = self.readers.borrow_mut();
        if let Some(at) = readers.sealed.iter().position(|open| open.base == segment.base) {
            let open = readers.sealed.remove(at);
            readers.sealed.push(Arc::clone(&open));
            return Ok(open);
        }
        let path = segment.path(&self.dir);
        let file = self
            .disk
            .open(&path, OpenMode::Read)
            .map_err(|error| Error::io("opening", &path, error))?;
        let index = match index::load(&self.disk, &self.dir, segment.base, segment.len) {
            Some(index) => index,
            None => self.rebuild_index(segment, &file)?,
        };
        let open = Arc::new(Sealed { base: segment.base, file, index });
        if readers.sealed.len() == MAX_OPEN_SEALED {
            readers.sealed.remove(0);
        }
        readers.sealed.push(Arc::clone(&open));
        Ok(open)
    }

    /// The index of a sealed segment from its headers, up to the first damage if there is any: a
    /// read that needs more will walk into it and report it.
    fn rebuild_index(
        &self,
        segment: &Segment<D::File>,
        file: &D::File,
    ) -> Result<Index, Error> {
        let mut index = Index::default();
        let mut window = Window::new(file, segment.len, WALK_WINDOW_BYTES);
        let interval = self.options.index_interval_bytes;
        walk(&mut window, (0, segment.base), None, Check::Headers, |header, position| {
            index.note(header.base_offset, header.append_time_us, position, interval);
            true
        })
        .map_err(|error| self.read_error(segment, 0, segment.base, error))?;
        Ok(index)
    }

    /// What to say of a failed read: a file that is shorter than it was is damaged, too.
    pub(super) fn read_error(
        &self,
        segment: &Segment<D::File>,
        position: u64,
        offset: u64,
        error: io::Error,
    ) -> Error {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return self.corrupt(segment, position, offset, "the file ends early".to_owned());
        }
        Error::io("reading", &segment.path(&self.dir), error)
    }

    pub(super) fn corrupt(
        &self,
        segment: &Segment<D::File>,
        position: u64,
        offset: u64,
        reason: String,
    ) -> Error {
        let file = segment.path(&self.dir);
        Quarantine { offset, file, position, reason }.to_error()
    }
}

/// The offset after the batch's last record.
pub(super) fn end_of(header: &Header) -> u64 {
    header.next_offset().unwrap_or(u64::MAX)
}

/// The header at the start of `bytes`, if it is good, follows on `offset` and its batch fits into
/// the `left` bytes of the segment.
fn check_header(bytes: &[u8], left: u64, offset: u64) -> Result<Header, String> {
    let header = Header::parse(bytes).map_err(|malformed| malformed.to_string())?;
    if header.base_offset != offset {
        return Err(format!(
            "it begins with offset {} instead of {offset}",
            header.base_offset
        ));
    }
    if u64::from(header.total_len) > left {
        return Err(format!("its {} bytes pass the segment's end", header.total_len));
    }
    Ok(header)
}

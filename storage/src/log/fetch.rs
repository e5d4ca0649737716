//! The part of a read that may wait for the disk: open the segment, find the batch that holds an
//! offset, read once, check what is handed out.
//!
//! A reader that goes on where its last read ended is found by its offset alone; any other read
//! starts from the index and walks over at most one interval of headers. Headers and bodies are
//! checked, so that damage is met by name here, and what stands before it is handed out.
//!
//! Invariant: a job reads only what was whole when it was begun. Appends, syncs and trims that
//! happen meanwhile add bytes behind, rename files that it holds open, or delete names; none of
//! them changes bytes that it may hand out. A sync that fails takes what it did not write from
//! the cache, perhaps before the log hears of it: see [`Log::is_in_doubt`](super::Log::is_in_doubt).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tidewire_protocol::batch::{HEADER_LEN, Header};

use super::Quarantine;
use super::index::{self, Index};
use super::read::{Chunk, MARK_BYTES, end_of};
use super::segment::{Segment, log_path, next_path};
use super::walk::{Check, WALK_WINDOW_BYTES, Window, check_body, walk};
use crate::disk::{Disk, DiskFile, OpenMode, read_exact_append, read_up_to_append};
use crate::error::Error;

/// Bytes read at once while looking for a batch.
pub(super) const LOCATE_WINDOW_BYTES: usize = 64 << 10;

/// A read. Send it to a thread that may block, and [`run`](Self::run) it there.
#[derive(Debug)]
#[must_use = "a read that is not run reads nothing"]
pub struct ReadJob<D: Disk> {
    pub(super) disk: D,
    pub(super) extent: Extent,
    /// Bytes between the entries of an index that has to be made anew.
    pub(super) interval: u32,
    pub(super) source: Source<D::File>,
    /// Where the batch begins that begins with `offset`, if that is known.
    pub(super) exact: Option<u64>,
    pub(super) offset: u64,
    pub(super) end: u64,
}

/// What came of a [`ReadJob`]; hand it to [`Log::finish_read`](super::Log::finish_read).
#[derive(Debug)]
#[must_use = "the log decides in `finish_read` what may be shown of it"]
pub struct ReadOutcome<D: Disk> {
    /// The segment.
    pub(super) base: u64,
    pub(super) offset: u64,
    /// A segment that had to be opened, for later reads.
    pub(super) opened: Option<Arc<Sealed<D::File>>>,
    /// Offset and position after what was read.
    pub(super) cursor: Option<(u64, u64)>,
    pub(super) result: Result<Chunk, Error>,
}

impl<D: Disk> ReadOutcome<D> {
    /// The bytes that it holds, whatever comes of them.
    pub fn bytes(&self) -> Bytes {
        self.result.as_ref().map_or_else(|_| Bytes::new(), |chunk| chunk.bytes.clone())
    }
}

/// Where the bytes of a segment are.
#[derive(Debug)]
pub(super) enum Source<F> {
    /// In a file that grows or was not synced; a batch at or before the wanted one, by position
    /// and first offset.
    Live { file: Arc<F>, from: (u64, u64) },
    /// In a sealed one that is open.
    Open(Arc<Sealed<F>>),
    /// In a sealed one that is not.
    Closed,
}

/// An open sealed segment.
#[derive(Debug)]
pub(super) struct Sealed<F> {
    base: u64,
    file: F,
    index: Index,
}

impl<F> Sealed<F> {
    pub fn base(&self) -> u64 {
        self.base
    }

    pub fn file(&self) -> &F {
        &self.file
    }

    pub fn index(&self) -> &Index {
        &self.index
    }
}

impl<F: DiskFile> Sealed<F> {
    /// Opens a segment and its index. An index that is not good is made anew from the headers, up
    /// to the first damage if there is any: a read that needs more walks into it and reports it.
    pub fn open<D: Disk<File = F>>(
        disk: &D,
        extent: &Extent,
        interval: u32,
    ) -> Result<Self, Error> {
        let Extent { dir, base, len, .. } = extent;
        let path = extent.path();
        let file = disk
            .open(&path, OpenMode::Read)
            .map_err(|error| Error::io("opening", &path, error))?;
        let index = match index::load(disk, dir, *base, *len) {
            Some(index) => index,
            None => {
                let mut index = Index::default();
                let mut window = Window::new(&file, *len, WALK_WINDOW_BYTES);
                walk(&mut window, (0, *base), None, Check::Headers, |header, position| {
                    index.note(header.base_offset, header.append_time_us, position, interval);
                    true
                })
                .map_err(|error| extent.read_error(0, *base, error))?;
                index
            }
        };
        Ok(Self { base: *base, file, index })
    }
}

/// Which bytes a segment has, and what to say when they are not as they should be.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    dir: Arc<Path>,
    base: u64,
    len: u64,
    unnamed: bool,
}

impl<F> Segment<F> {
    /// The segment as it is now.
    pub fn extent(&self, dir: &Arc<Path>) -> Extent {
        let Self { base, len, unnamed, .. } = *self;
        Extent { dir: Arc::clone(dir), base, len, unnamed }
    }
}

impl Extent {
    fn path(&self) -> PathBuf {
        if self.unnamed {
            next_path(&self.dir, self.base)
        } else {
            log_path(&self.dir, self.base)
        }
    }

    /// What to say of a failed read: a file that is shorter than it was is damaged, too.
    pub fn read_error(&self, position: u64, offset: u64, error: io::Error) -> Error {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return self.corrupt(position, offset, "the file ends early".to_owned());
        }
        Error::io("reading", &self.path(), error)
    }

    pub fn corrupt(&self, position: u64, offset: u64, reason: String) -> Error {
        Quarantine { offset, file: self.path(), position, reason }.to_error()
    }
}

impl<D: Disk> ReadJob<D> {
    /// The first offset wanted.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads about `max_bytes`, at least one batch. Blocks for as long as the disk takes.
    pub fn run(self, max_bytes: usize) -> ReadOutcome<D> {
        let (base, offset) = (self.extent.base, self.offset);
        let mut opened = None;
        let mut cursor = None;
        let result = match &self.source {
            Source::Live { file, from } => self.fetch(&**file, *from, max_bytes, &mut cursor),
            Source::Open(sealed) => self.fetch_sealed(sealed, max_bytes, &mut cursor),
            Source::Closed => {
                Sealed::open(&self.disk, &self.extent, self.interval).and_then(|sealed| {
                    let sealed = opened.insert(Arc::new(sealed));
                    self.fetch_sealed(sealed, max_bytes, &mut cursor)
                })
            }
        };
        ReadOutcome { base, offset, opened, cursor, result }
    }

    fn fetch_sealed(
        &self,
        sealed: &Sealed<D::File>,
        max_bytes: usize,
        cursor: &mut Option<(u64, u64)>,
    ) -> Result<Chunk, Error> {
        let from = sealed.index.floor(self.offset).unwrap_or((0, self.extent.base));
        self.fetch(&sealed.file, from, max_bytes, cursor)
    }

    fn fetch(
        &self,
        file: &D::File,
        from: (u64, u64),
        max_bytes: usize,
        cursor: &mut Option<(u64, u64)>,
    ) -> Result<Chunk, Error> {
        let Self { extent, offset, end, .. } = self;
        let (position, base_offset) = match self.exact {
            Some(position) => (position, *offset),
            None => self.locate(file, from)?,
        };
        let left = extent.len - position;
        let take = usize::try_from(left).map_or(max_bytes, |left| left.min(max_bytes));
        let mut bytes = Vec::new();
        let failed = |error| extent.read_error(position, base_offset, error);
        read_up_to_append(file, &mut bytes, take.max(HEADER_LEN), position).map_err(failed)?;
        if bytes.len() < HEADER_LEN {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }

        let mut cut = 0;
        let mut next_offset = base_offset;
        let mut marks: Vec<(u32, u64)> = Vec::new();
        while bytes.len() - cut >= HEADER_LEN {
            let header = match check_header(&bytes[cut..], left - cut as u64, next_offset) {
                Ok(header) => header,
                // Hand out what is good; the next read meets the damage first.
                Err(_) if cut > 0 => break,
                Err(reason) => return Err(extent.corrupt(position, base_offset, reason)),
            };
            let (total_len, after) = (header.total_len as usize, end_of(&header));
            if after > *end {
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
            if let Err(reason) = check_body(&header, &bytes[cut..cut + total_len]) {
                if cut > 0 {
                    break;
                }
                return Err(extent.corrupt(position, base_offset, reason));
            }
            if marks.last().is_none_or(|(at, _)| cut - *at as usize >= MARK_BYTES)
                && let Ok(at) = u32::try_from(cut)
            {
                marks.push((at, next_offset));
            }
            cut += total_len;
            next_offset = after;
        }
        if cut == 0 {
            return Ok(Chunk::nothing(*offset));
        }
        bytes.truncate(cut);
        // What is not handed out is not to be kept with what is.
        if bytes.capacity() > 2 * cut {
            bytes.shrink_to_fit();
        }
        *cursor = Some((next_offset, position + cut as u64));
        Ok(Chunk { bytes: Bytes::from(bytes), base_offset, next_offset, marks })
    }

    /// Position and base offset of the batch that holds the offset, looked for from one at or
    /// before it.
    fn locate(&self, file: &D::File, from: (u64, u64)) -> Result<(u64, u64), Error> {
        let Self { extent, offset, .. } = self;
        let mut found = None;
        let mut window = Window::new(file, extent.len, LOCATE_WINDOW_BYTES);
        let walked = walk(&mut window, from, None, Check::Headers, |header, position| {
            if end_of(header) > *offset {
                found = Some((position, header.base_offset));
            }
            found.is_none()
        });
        let walked = walked.map_err(|error| extent.read_error(from.0, from.1, error))?;
        found.ok_or_else(|| {
            let reason = walked.damage.map_or_else(
                || format!("its batches end before offset {offset}"),
                |damage| damage.reason,
            );
            extent.corrupt(walked.position, walked.offset, reason)
        })
    }
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

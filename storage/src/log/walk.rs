//! Walking through a segment file, batch by batch, and looking for batches where none are known.
//!
//! Reads through one window over the file. Decides only whether bytes are the batch that should
//! stand there; what follows from that is left to [`super::recovery`] and [`super::read`].

use std::io;

use tidewire_protocol::batch::{FORMAT, Fault, HEADER_LEN, Header};
use tidewire_protocol::crc::crc32c;

use crate::disk::{DiskFile, read_up_to_at};

/// Bytes read at once by a walk over a whole segment.
pub(super) const WALK_WINDOW_BYTES: usize = 1 << 20;
/// Bytes of bodies that a search checks at most. Only a batch that was made to slow a search down,
/// with thousands of headers inside, takes it there; the answer is then the cautious one.
const MAX_SEARCH_BYTES: u64 = 1 << 30;
/// Where `body_crc` begins to count.
const BODY_CRC_FROM: usize = 28;
/// Batches lie at multiples of this.
pub(super) const BATCH_ALIGN: u64 = 8;

/// A window over the first `len` bytes of a file.
pub(super) struct Window<'a, F> {
    file: &'a F,
    len: u64,
    chunk: usize,
    at: u64,
    bytes: Vec<u8>,
}

impl<'a, F: DiskFile> Window<'a, F> {
    /// Reads `chunk` bytes at once where it can.
    pub fn new(file: &'a F, len: u64, chunk: usize) -> Self {
        Self { file, len, chunk, at: 0, bytes: Vec::new() }
    }

    /// The bytes from `at` on: at least `need` of them, fewer only at the end.
    pub fn bytes(&mut self, at: u64, need: usize) -> io::Result<&[u8]> {
        let left = self.len.saturating_sub(at);
        let need = usize::try_from(left).map_or(need, |left| need.min(left));
        let held = self.at..self.at + self.bytes.len() as u64;
        if at < held.start || at + need as u64 > held.end {
            let take = usize::try_from(left).map_or(self.chunk, |left| left.min(self.chunk));
            self.bytes.resize(take.max(need), 0);
            self.at = at;
            let read = read_up_to_at(self.file, &mut self.bytes, at);
            // What is read ahead may be gone: of what a failed sync lost, no byte is needed here.
            self.bytes.truncate(*read.as_ref().unwrap_or(&0));
            if read? < need {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let from = usize::try_from(at - self.at).expect("the window begins at or before `at`");
        Ok(&self.bytes[from.min(self.bytes.len())..])
    }
}

/// What a walk checks of each batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// The header's checksum and that offsets are dense.
    Headers,
    /// The body's checksum, too.
    Bodies,
}

/// Why the bytes at a position are not the batch that should stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub reason: String,
    /// A write that was cut short may look like this, unless a good batch stands at this
    /// position or later. `None` if no torn write looks like this.
    pub torn_unless_from: Option<u64>,
}

/// Where a walk came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WalkEnd {
    /// Bytes of good batches.
    pub position: u64,
    /// The offset after the last good batch.
    pub offset: u64,
    /// Append time of the last good batch.
    pub last_append_time_us: Option<i64>,
    /// What is wrong with the rest of the file; `None` if there is none.
    pub damage: Option<Damage>,
}

/// Walks from the batch at `position`, which begins with `offset`, until the file's end, damage,
/// or until `visit` returns false. No batch may pass offset `limit`.
pub(super) fn walk<F: DiskFile>(
    window: &mut Window<'_, F>,
    (position, offset): (u64, u64),
    limit: Option<u64>,
    check: Check,
    mut visit: impl FnMut(&Header, u64) -> bool,
) -> io::Result<WalkEnd> {
    let mut end = WalkEnd { position, offset, last_append_time_us: None, damage: None };
    while end.position < window.len {
        match batch_at(window, end.position, check)? {
            Ok((header, next_offset)) => {
                let next_position = end.position + u64::from(header.total_len);
                let misplaced = if header.base_offset != end.offset {
                    Some(format!(
                        "it begins with offset {} instead of {}",
                        header.base_offset, end.offset
                    ))
                } else {
                    limit.filter(|limit| next_offset > *limit).map(|limit| {
                        format!("it ends at offset {next_offset}, the next segment begins at {limit}")
                    })
                };
                if let Some(reason) = misplaced {
                    end.damage = Some(Damage { reason, torn_unless_from: Some(end.position) });
                    return Ok(end);
                }
                if !visit(&header, end.position) {
                    return Ok(end);
                }
                end.position = next_position;
                end.offset = next_offset;
                end.last_append_time_us = Some(header.append_time_us);
            }
            Err(damage) => {
                end.damage = Some(damage);
                return Ok(end);
            }
        }
    }
    Ok(end)
}

/// The batch at `position` and the offset after it.
fn batch_at<F: DiskFile>(
    window: &mut Window<'_, F>,
    position: u64,
    check: Check,
) -> io::Result<Result<(Header, u64), Damage>> {
    let left = window.len - position;
    let header = match Header::parse(window.bytes(position, HEADER_LEN)?) {
        Ok(header) => header,
        Err(malformed) => {
            // Every other fault is found in a header whose checksum is right: whole, but of a
            // version unknown here. That must not be cut off.
            let torn = matches!(malformed.fault(), Fault::Truncated | Fault::HeaderChecksum);
            return Ok(Err(Damage {
                reason: malformed.to_string(),
                torn_unless_from: torn.then_some(position + BATCH_ALIGN),
            }));
        }
    };
    // A good header tells where the next batch begins; what lies before that is this one's body,
    // which may itself hold the bytes of batches.
    let torn_unless_from = Some(position + u64::from(header.total_len));
    if u64::from(header.total_len) > left {
        let reason =
            format!("a batch of {} bytes ends with the file after {left}", header.total_len);
        return Ok(Err(Damage { reason, torn_unless_from }));
    }
    let Some(next_offset) = header.next_offset() else {
        let reason = "its offsets pass the largest one".to_owned();
        return Ok(Err(Damage { reason, torn_unless_from: None }));
    };
    if check == Check::Bodies {
        let total_len = header.total_len as usize;
        let bytes = &window.bytes(position, total_len)?[..total_len];
        if let Err(reason) = check_body(&header, bytes) {
            return Ok(Err(Damage { reason, torn_unless_from }));
        }
    }
    Ok(Ok((header, next_offset)))
}

/// Checks the body of a whole batch.
pub(super) fn check_body(header: &Header, batch: &[u8]) -> Result<(), String> {
    let computed = crc32c(&batch[BODY_CRC_FROM..]);
    if computed == header.body_crc {
        return Ok(());
    }
    Err(format!(
        "the body's checksum is {:08x}, its bytes give {computed:08x}",
        header.body_crc
    ))
}

/// Position of the first whole, undamaged batch at or after `position` that could follow
/// `offset`, if there is any; or where the search was given up, after [`MAX_SEARCH_BYTES`].
pub(super) fn find_batch<F: DiskFile>(
    window: &mut Window<'_, F>,
    position: u64,
    offset: u64,
) -> io::Result<Option<u64>> {
    let mut position = position.next_multiple_of(BATCH_ALIGN);
    let mut searched = 0;
    while window.len.saturating_sub(position) >= HEADER_LEN as u64 {
        let left = window.len - position;
        let bytes = window.bytes(position, HEADER_LEN)?;
        // Most steps end here, a few nanoseconds each; a zero page in particular.
        let steps = (bytes.len() - HEADER_LEN) / BATCH_ALIGN as usize + 1;
        let likely = (0..steps).find(|step| {
            looks_like_header(&bytes[step * BATCH_ALIGN as usize..], left, offset)
        });
        let Some(step) = likely else {
            position += steps as u64 * BATCH_ALIGN;
            continue;
        };
        position += step as u64 * BATCH_ALIGN;
        if let Ok(header) = Header::parse(window.bytes(position, HEADER_LEN)?) {
            searched += u64::from(header.total_len);
            if searched > MAX_SEARCH_BYTES || batch_at(window, position, Check::Bodies)?.is_ok()
            {
                return Ok(Some(position));
            }
        }
        position += BATCH_ALIGN;
    }
    Ok(None)
}

/// A cheap test that every header of a later batch passes and few other bytes do.
#[inline]
fn looks_like_header(bytes: &[u8], left: u64, offset: u64) -> bool {
    let Some(head) = bytes.first_chunk::<HEADER_LEN>() else { return false };
    let word =
        |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let total_len = word(28);
    let base_offset = u64::from(word(0)) | u64::from(word(4)) << 32;
    head[32] == FORMAT
        && total_len as usize >= HEADER_LEN
        && u64::from(total_len) <= left
        && base_offset >= offset
}

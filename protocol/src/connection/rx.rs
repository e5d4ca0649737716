//! Bytes in, frames out.
//!
//! The receive buffer is handed to the driver by value (io_uring wants to own it) and comes back
//! with bytes at its end. Frames are split off without a copy; their payloads share the buffer.
//! The buffer's size follows the traffic, so that an idle connection holds little, and never
//! grows faster than bytes arrive, or than whole frames did before: a size field alone allocates
//! nothing. On a busy connection a read ends where a frame does if the next one would not fit
//! behind it, so that frames are seldom moved to another buffer.

use bytes::{Buf, BytesMut};

use crate::error::Error;
use crate::frame::{self, Frame, Header};

use super::read_pool::{self, ReadPool};

/// Room offered for a read on a quiet connection, in bytes: what each idle one costs, since a read
/// that waits has its buffer already.
const MIN_CHUNK: usize = 1 << 10;
/// Room offered for a read on a busy connection, in bytes.
const MAX_CHUNK: usize = 256 << 10;

/// Times the offered room that an empty buffer may hold and still be kept, and that a connection
/// with large frames is offered before it begins another.
const SPARE: usize = 8;

/// The receiving half of a connection.
#[derive(Debug)]
pub(super) struct Rx {
    buf: BytesMut,
    /// The rest of `buf`, past the end of a read that was kept short.
    rest: BytesMut,
    /// The capacity that `buf` had when it was made, if it was made by a pool; else 0.
    whole: usize,
    /// Bytes in `buf` before it was handed out, to measure the read.
    before: usize,
    chunk: usize,
    /// The size of the largest frame of late: what the next may need.
    usual: usize,
    /// The header at the front of `buf`, once its checksum was right; payload may be missing.
    head: Option<Header>,
    max_frame_len: u32,
}

impl Rx {
    pub(super) fn new(max_frame_len: u32) -> Self {
        Self {
            buf: BytesMut::new(),
            rest: BytesMut::new(),
            whole: 0,
            before: 0,
            chunk: MIN_CHUNK,
            usual: 0,
            head: None,
            max_frame_len,
        }
    }

    pub(super) fn set_max_frame_len(&mut self, max_frame_len: u32) {
        self.max_frame_len = max_frame_len;
    }

    /// The buffer, with room for more. A large one comes from `pool`, and goes there once it is
    /// used up.
    pub(super) fn take(&mut self, pool: &mut ReadPool) -> BytesMut {
        let mut buf = std::mem::take(&mut self.buf);
        self.before = buf.len();
        if buf.is_empty() && buf.capacity().max(self.whole) > SPARE * self.chunk {
            // What a burst needed is given back when the connection falls quiet.
            // SPEC L-4
            self.rest = BytesMut::new();
            pool.keep(std::mem::take(&mut buf), std::mem::take(&mut self.whole));
        } else if self.rest.capacity() > 0 {
            let left = buf.capacity() - buf.len();
            if left > 0 && (self.head.is_some() || left >= self.chunk / 4) {
                // The read that was kept short is not done.
                return buf;
            }
            let rest = std::mem::take(&mut self.rest);
            if left == 0 {
                buf.unsplit(rest);
            }
        }
        let room = self.room(buf.len());
        self.make_room(&mut buf, room, pool);
        let spare = buf.capacity() - buf.len();
        if self.whole > 0 && spare - room < self.usual && spare > room {
            self.rest = buf.split_off(buf.len() + room);
        }
        buf
    }

    /// Bytes to offer when `len` are there.
    fn room(&self, len: usize) -> usize {
        let Some(head) = self.head else {
            return self.chunk.max(self.usual.min(SPARE * self.chunk).saturating_sub(len));
        };
        let missing = (head.size as usize).saturating_sub(len);
        // At most as much again as has already arrived of this frame, or as others had.
        let room = missing.min(len.max(self.usual));
        // A frame that ends with this read is not moved to have more than that, unless it is small.
        if room == missing && head.size as usize >= self.chunk / 4 && room > 0 {
            room
        } else {
            room.max(self.chunk)
        }
    }

    /// Has `buf` take `room` more bytes.
    fn make_room(&mut self, buf: &mut BytesMut, room: usize, pool: &mut ReadPool) {
        if buf.try_reclaim(room) {
            return;
        }
        let len = buf.len() + room;
        if len < read_pool::BLOCK && self.chunk < MAX_CHUNK {
            buf.reserve(room);
            self.whole = 0;
            return;
        }
        let mut larger = pool.take(len);
        larger.extend_from_slice(buf);
        let whole = std::mem::replace(&mut self.whole, larger.capacity());
        pool.keep(std::mem::replace(buf, larger), whole);
    }

    /// The buffer back, with what was read at its end.
    pub(super) fn put(&mut self, buf: BytesMut) {
        let read = buf.len().saturating_sub(self.before);
        if buf.len() == buf.capacity() {
            // Who may send small frames only, since nobody knows yet who it is, gets little room.
            // SPEC P-7
            let most = MAX_CHUNK.min(self.max_frame_len as usize);
            self.chunk = (self.chunk * 4).min(most);
        } else if read < self.chunk / 8 {
            self.chunk = (self.chunk / 2).max(MIN_CHUNK);
        }
        self.buf = buf;
    }

    /// Takes the preface off the front; `Ok(false)` while it is incomplete.
    pub(super) fn preface(&mut self) -> Result<bool, Error> {
        let whole = frame::check_preface(&self.buf)?;
        if whole {
            self.buf.advance(frame::PREFACE_LEN);
        }
        Ok(whole)
    }

    /// What has arrived and was not taken.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buf
    }

    /// In words, the frame of which `len` bytes have arrived: the driver may have the buffer.
    // SPEC H-12
    pub(super) fn unfinished(&self, len: usize) -> String {
        match self.head {
            Some(Header { size, kind, .. }) => {
                format!("{len} of the {size} bytes of a frame of {kind}")
            }
            None => format!("{len} bytes of a frame's beginning"),
        }
    }

    /// Drops everything that arrived.
    pub(super) fn clear(&mut self) {
        (self.buf, self.rest, self.whole) = (BytesMut::new(), BytesMut::new(), 0);
        self.head = None;
    }

    /// The next whole frame.
    pub(super) fn frame(&mut self) -> Result<Option<Frame>, Error> {
        let Some(bytes) = self.buf.first_chunk::<{ frame::HEADER_LEN }>() else {
            return Ok(None);
        };
        let header = match self.head {
            Some(header) => header,
            None => {
                let header = Header::parse(bytes, self.max_frame_len)?;
                let meta_end = frame::HEADER_LEN + header.meta_len as usize;
                let Some(meta) = self.buf.get(frame::HEADER_LEN..meta_end) else {
                    return Ok(None);
                };
                // Before the payload is waited for: a lying size is found out here.
                Header::check_meta(bytes, meta)?;
                *self.head.insert(header)
            }
        };
        if self.buf.len() < header.size as usize {
            return Ok(None);
        }
        let meta_end = frame::HEADER_LEN + header.meta_len as usize;
        self.head = None;
        self.usual = (header.size as usize).max(self.usual - self.usual / 8);
        let mut frame = self.buf.split_to(header.size as usize).freeze();
        let payload = frame.split_off(meta_end);
        frame.advance(frame::HEADER_LEN);
        Ok(Some(Frame { header, meta: frame, payload }))
    }
}

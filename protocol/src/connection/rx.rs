//! Bytes in, frames out.
//!
//! The receive buffer is handed to the driver by value (io_uring wants to own it) and comes back
//! with bytes at its end. Frames are split off without a copy; their payloads share the buffer.
//! The buffer's size follows the traffic, so that an idle connection holds little, and never
//! grows faster than bytes arrive: a size field alone allocates nothing.

use bytes::{Buf, BytesMut};

use crate::error::Error;
use crate::frame::{self, Frame, Header};

/// Room offered for a read on a quiet connection, in bytes: what each idle one costs, since a read
/// that waits has its buffer already.
const MIN_CHUNK: usize = 1 << 10;
/// Room offered for a read on a busy connection, in bytes.
const MAX_CHUNK: usize = 256 << 10;

/// Times the offered room that an empty buffer may hold and still be kept.
const SPARE: usize = 4;

/// The receiving half of a connection.
#[derive(Debug)]
pub(super) struct Rx {
    buf: BytesMut,
    /// Bytes in `buf` before it was handed out, to measure the read.
    before: usize,
    chunk: usize,
    /// The header at the front of `buf`, once its checksum was right; payload may be missing.
    head: Option<Header>,
    max_frame_len: u32,
}

impl Rx {
    pub(super) fn new(max_frame_len: u32) -> Self {
        Self { buf: BytesMut::new(), before: 0, chunk: MIN_CHUNK, head: None, max_frame_len }
    }

    pub(super) fn set_max_frame_len(&mut self, max_frame_len: u32) {
        self.max_frame_len = max_frame_len;
    }

    /// The buffer, with room for more.
    pub(super) fn take(&mut self) -> BytesMut {
        let mut buf = std::mem::take(&mut self.buf);
        if buf.is_empty() && buf.capacity() > SPARE * self.chunk {
            // What a burst needed is given back when the connection falls quiet.
            // SPEC L-4
            buf = BytesMut::new();
        }
        self.before = buf.len();
        let missing = self.head.map_or(0, |head| head.size as usize).saturating_sub(buf.len());
        // At most as much again as has already arrived of this frame.
        let room = self.chunk.max(missing.min(buf.len()));
        buf.reserve(room);
        buf
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

    /// Drops everything that arrived.
    pub(super) fn clear(&mut self) {
        self.buf = BytesMut::new();
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
        let mut frame = self.buf.split_to(header.size as usize).freeze();
        let payload = frame.split_off(meta_end);
        frame.advance(frame::HEADER_LEN);
        Ok(Some(Frame { header, meta: frame, payload }))
    }
}

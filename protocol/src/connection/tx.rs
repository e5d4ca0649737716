//! Frames in, bytes out.
//!
//! Headers, metas and small payloads are gathered in one arena; large payloads pass by reference
//! between its pieces. The driver takes a list of parts and writes them in one call.

use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;

use crate::codec::Writer;
use crate::error::Error;
use crate::frame::{self, Head};
use crate::message::{Kind, Message};

/// Payloads up to this many bytes are copied into the arena: a part of its own costs more.
const COPY_MAX: usize = 1 << 10;
/// Most parts given out at once; well below the kernel's bound of 1,024 for one vectored write.
const MAX_PARTS: usize = 256;
/// First allocation of the arena, in bytes.
const ARENA: usize = 4 << 10;

/// The sending half of a connection.
#[derive(Debug, Default)]
pub(super) struct Tx {
    arena: BytesMut,
    parts: VecDeque<Bytes>,
    parts_len: usize,
    /// The arena goes once all that is in it has left.
    begins: bool,
}

impl Tx {
    /// The handshake is over: what its arena has left is not held for a connection that may never
    /// say anything more.
    // SPEC L-4
    pub(super) fn begin(&mut self) {
        self.begins = true;
    }

    /// Queues raw bytes.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.arena.extend_from_slice(bytes);
    }

    /// Queues a frame whose payload is the concatenation of `payload`. Nothing is queued if it
    /// would be over `max_frame_len`.
    pub(super) fn frame<M: Message>(
        &mut self,
        head: Head,
        message: &M,
        payload: &[Bytes],
        max_frame_len: u32,
    ) -> Result<(), Error> {
        if self.arena.capacity() - self.arena.len() < 128 {
            self.arena.reserve(ARENA);
        }
        let payload_len = payload.iter().map(Bytes::len).sum();
        frame::encode(&mut self.arena, head, message, payload_len, max_frame_len)?;
        for part in payload {
            if part.len() <= COPY_MAX {
                self.arena.extend_from_slice(part);
                continue;
            }
            self.seal_arena();
            self.parts_len += part.len();
            self.parts.push_back(part.clone());
        }
        Ok(())
    }

    /// Queues a frame without a payload, with its meta written by `meta`. Its length is the
    /// caller's to bound: it must be within the handshake's limit.
    pub(super) fn encode_with(
        &mut self,
        head: Head,
        kind: Kind,
        version: u8,
        meta: impl FnOnce(&mut Writer<'_>),
    ) {
        let limit = crate::limits::MAX_HANDSHAKE_FRAME_LEN;
        let fits = frame::encode_with(&mut self.arena, kind, version, head, 0, limit, meta);
        debug_assert!(fits.is_ok(), "bounded by the caller");
    }

    fn seal_arena(&mut self) {
        if !self.arena.is_empty() {
            self.parts_len += self.arena.len();
            self.parts.push_back(self.arena.split().freeze());
        }
    }

    /// Moves parts to `out`, in order; false if there were none.
    pub(super) fn poll(&mut self, out: &mut Vec<Bytes>) -> bool {
        if self.parts.len() < MAX_PARTS {
            self.seal_arena();
        }
        let count = self.parts.len().min(MAX_PARTS);
        if count == 0 && std::mem::take(&mut self.begins) {
            self.arena = BytesMut::new();
        }
        for part in self.parts.drain(..count) {
            self.parts_len -= part.len();
            out.push(part);
        }
        count > 0
    }

    /// Bytes queued and not yet taken.
    pub(super) fn len(&self) -> usize {
        self.parts_len + self.arena.len()
    }
}

//! Whether a frame that has begun goes on.
//!
//! Owns the deadline of a peer that stops, or trickles, in the middle of a frame; what ends then
//! is its holder's. The one invariant: there is a deadline only while a part of a frame is there,
//! and time in which this side reads nothing does not count.

use super::time::Time;
use crate::limits::MIN_FRAME_BYTES_PER_SEC;

/// How a frame that is not whole yet comes along.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// When enough of it was there last, or it began, and how much that was.
    since: Option<(Time, usize)>,
    /// How much is there now.
    len: usize,
    /// This side has not read all the time since then.
    held: bool,
}

impl Progress {
    /// A frame is whole, or there is none.
    pub(super) fn done(&mut self) {
        *self = Self::default();
    }

    /// Of a frame `len` bytes are there, the last of which came `at` this time. `reading` says
    /// whether this side goes on reading.
    pub(super) fn note(&mut self, at: Time, len: usize, timeout_ms: u32, reading: bool) {
        let enough = |seen| len.saturating_sub(seen) >= due(timeout_ms);
        if self.since.is_none_or(|(_, seen)| enough(seen)) {
            *self = Self { since: Some((at, len)), len, held: false };
        }
        self.len = len;
        self.held |= !reading;
    }

    /// Bytes of the frame that have arrived.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// This side reads nothing for now.
    pub(super) fn hold(&mut self) {
        self.held = true;
    }

    /// When more of the frame has to be there.
    pub(super) fn deadline(&self, timeout_ms: u32) -> Option<Time> {
        self.since.map(|(since, _)| since.plus_ms(timeout_ms))
    }

    /// Whether the frame is overdue. If this side has not read all the time, the time begins anew.
    pub(super) fn is_overdue(&mut self, now: Time, timeout_ms: u32, reading: bool) -> bool {
        if self.deadline(timeout_ms).is_none_or(|deadline| now < deadline) {
            return false;
        }
        if !self.held && reading {
            return true;
        }
        self.held = !reading;
        self.since = self.since.map(|(_, seen)| (now, seen));
        false
    }
}

/// Bytes of a frame that have to arrive in `timeout_ms`, unless it ends.
pub(super) fn due(timeout_ms: u32) -> usize {
    (u64::from(timeout_ms) * u64::from(MIN_FRAME_BYTES_PER_SEC) / 1000).max(1) as usize
}

//! A run of batches in memory, shared by all who read them.
//!
//! Owns finding whole batches in it: a few of their beginnings are marked, and from a mark on their
//! headers are followed. Where a block comes from and how long it is kept is left to [`super::tail`]
//! and [`super::cold`].
//!
//! Invariant: the bytes are whole batches with dense offsets from `base_offset` to `end_offset`.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tidewire_protocol::batch::Header;
use tidewire_storage::log::MARK_BYTES;

use crate::read_budget::Held;

/// Batches one after the other, as they are stored.
#[derive(Debug)]
pub(super) struct Block {
    held: Arc<Held>,
    pub(super) base_offset: u64,
    pub(super) end_offset: u64,
    marks: Marks,
}

/// Beginnings of batches: position and first offset, in order, the first one always.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<(u32, u64)>);

/// Keeps a block's buffer for a slice of it.
struct Share(Arc<Held>);

impl AsRef<[u8]> for Share {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl Marks {
    pub(super) fn new(marks: Vec<(u32, u64)>) -> Self {
        Self(marks)
    }

    /// Takes note of a batch, if the last mark is far enough before it.
    pub(super) fn note(&mut self, position: usize, offset: u64) {
        let due = self.0.last().is_none_or(|(last, _)| position - *last as usize >= MARK_BYTES);
        if let (true, Ok(position)) = (due, u32::try_from(position)) {
            self.0.push((position, offset));
        }
    }

    /// Takes the marks of a block that follows `shift` bytes later.
    pub(super) fn extend(&mut self, marks: &Self, shift: usize) {
        for (position, offset) in &marks.0 {
            self.note(*position as usize + shift, *offset);
        }
    }

    fn last(&self, known: impl Fn(&(u32, u64)) -> bool) -> Option<(usize, u64)> {
        let after = self.0.partition_point(known);
        self.0[..after].last().map(|(position, offset)| (*position as usize, *offset))
    }
}

impl Block {
    pub(super) fn new(held: Held, base_offset: u64, end_offset: u64, marks: Marks) -> Self {
        Self { held: Arc::new(held), base_offset, end_offset, marks }
    }

    pub(super) fn len(&self) -> usize {
        self.held.bytes().len()
    }

    pub(super) fn bytes(&self) -> &Bytes {
        self.held.bytes()
    }

    pub(super) fn marks(&self) -> &Marks {
        &self.marks
    }

    pub(super) fn holds(&self, offset: u64) -> bool {
        (self.base_offset..self.end_offset).contains(&offset)
    }

    /// Whether somebody holds a slice of it: then keeping it costs nothing.
    pub(super) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.held) > 1
    }

    /// The batches from the one that holds `offset` on: about `max_bytes` of them and at least
    /// one, none that passes `end`; and the offset after them. Nothing if there are none.
    pub(super) fn slice(
        &self,
        offset: u64,
        max_bytes: usize,
        end: u64,
    ) -> Option<(Bytes, u64)> {
        let (from, _) = self.batch_with(offset)?;
        let mut to = from;
        let mut next_offset = None;
        // A mark within what is wanted saves following the headers up to it.
        let fits = |mark: &(u32, u64)| {
            (mark.0 as usize).saturating_sub(from) <= max_bytes && mark.1 <= end
        };
        if let Some((position, base)) = self.marks.last(fits)
            && position > from
        {
            (to, next_offset) = (position, Some(base));
        }
        while let Some((batch, after)) = self.batch_at(to) {
            let enough = next_offset.is_some() && batch.end - from > max_bytes;
            if enough || after > end {
                break;
            }
            (to, next_offset) = (batch.end, Some(after));
        }
        let next_offset = next_offset?;
        Some((Bytes::from_owner(Share(Arc::clone(&self.held))).slice(from..to), next_offset))
    }

    /// Where the batch lies that holds `offset`, and the offset after it.
    fn batch_with(&self, offset: u64) -> Option<(usize, u64)> {
        if !self.holds(offset) {
            return None;
        }
        let (mut position, _) = self.marks.last(|(_, base)| *base <= offset)?;
        loop {
            let (batch, after) = self.batch_at(position)?;
            if after > offset {
                return Some((position, after));
            }
            position = batch.end;
        }
    }

    fn batch_at(&self, position: usize) -> Option<(Range<usize>, u64)> {
        let header = Header::parse(self.bytes().get(position..)?).ok()?;
        Some((position..position + header.total_len as usize, header.next_offset()?))
    }
}

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

#[cfg(test)]
mod tests {
    use tidewire_protocol::batch::{BatchBuilder, RecordRef, STAMP_LEN, Sequence, Stamp};

    use super::*;
    use crate::read_budget::ReadBudget;

    /// Batches of 1 to 3 records, from offset 10 on, and where each ends: byte and offset.
    fn batches(count: usize) -> (Vec<u8>, Vec<(usize, u64)>) {
        let (mut bytes, mut ends, mut next) = (Vec::new(), Vec::new(), 10);
        for number in 0..count {
            let mut builder = BatchBuilder::new(1 << 20, 10);
            let value = vec![number as u8; number * 37 % 900];
            for _ in 0..=number % 3 {
                builder
                    .push(&RecordRef { value: Some(&value), ..RecordRef::at(0) })
                    .expect("small");
            }
            let batch = builder.seal(Sequence::default());
            let stamp = Stamp { base_offset: next, append_time_us: 0, leader_epoch: 0 };
            bytes.extend_from_slice(&stamp.encode_for(&batch));
            bytes.extend_from_slice(&batch[STAMP_LEN..]);
            next += number as u64 % 3 + 1;
            ends.push((bytes.len(), next));
        }
        (bytes, ends)
    }

    #[test]
    fn a_slice_is_what_following_every_header_gives() {
        let (bytes, ends) = batches(60);
        let end_offset = ends[59].1;
        let mut marks = Marks::default();
        let starts = std::iter::once((0, 10)).chain(ends.iter().copied());
        starts.take(60).for_each(|(position, offset)| marks.note(position, offset));
        assert!(marks.0.len() > 3);
        let held = ReadBudget::new(1 << 20).hold(Bytes::from(bytes.clone()));
        let block = Block::new(held, 10, end_offset, marks);
        assert!(block.slice(9, 1, end_offset).is_none() && !block.holds(end_offset));
        for offset in 10..end_offset {
            let first = ends.partition_point(|(_, next)| *next <= offset);
            let from = if first == 0 { 0 } else { ends[first - 1].0 };
            for max_bytes in [0, 1, 500, 5_000, 9_000, 1 << 20] {
                for end in [offset + 1, offset + 17, end_offset] {
                    let expected = ends[first..]
                        .iter()
                        .enumerate()
                        .take_while(|(at, (to, next))| {
                            *next <= end && (*at == 0 || to - from <= max_bytes)
                        })
                        .last()
                        .map(|(_, (to, next))| (&bytes[from..*to], *next));
                    let slice = block.slice(offset, max_bytes, end);
                    let slice = slice.as_ref().map(|(bytes, next)| (&bytes[..], *next));
                    assert_eq!(slice, expected, "from {offset}, {max_bytes} bytes, to {end}");
                }
            }
        }
    }
}

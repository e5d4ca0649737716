//! The tail: batches that were appended last, kept in memory while somebody reads there.
//!
//! A reader who keeps up is served from here without a system call, and many share the same
//! bytes. Nothing is kept for a partition that nobody follows: readers at the end say so, and
//! after [`INTEREST_BYTES`] without one the tail goes. The batches are copied once, as the log
//! stamped them: their producer's buffers would hold all that they arrived with.
//!
//! Invariant: the blocks are without a gap, and end where the log ends.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tidewire_storage::log::Stamped;

use super::block::{Block, Marks};
use crate::read_budget::ReadBudget;

/// Bytes appended after which a tail goes that nobody has asked for.
const INTEREST_BYTES: u64 = 4 << 20;
/// Bytes of a block, unless a single batch is larger.
const BLOCK_BYTES: usize = 256 << 10;
/// Small blocks at the end are put together when they are this much, in bytes.
const MERGE_BYTES: usize = 64 << 10;

#[derive(Debug, Default)]
pub(super) struct Tail {
    blocks: VecDeque<Block>,
    bytes: usize,
    /// Blocks at the end that are small, and their bytes.
    small: usize,
    small_bytes: usize,
    /// While `appended_bytes` is below, what is appended is kept.
    wanted_until: u64,
}

impl Tail {
    /// Bytes kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A reader is at the end, or near it.
    pub(super) fn want(&mut self, appended_bytes: u64) {
        self.wanted_until = appended_bytes.saturating_add(INTEREST_BYTES);
    }

    /// Whether what is appended now is to be kept.
    pub(super) fn is_wanted(&self, appended_bytes: u64) -> bool {
        appended_bytes < self.wanted_until
    }

    /// Keeps what was appended.
    pub(super) fn push(
        &mut self,
        stamped: &[Stamped],
        batches: &[Bytes],
        budget: &Arc<ReadBudget>,
    ) {
        let mut from = 0;
        while let Some(first) = stamped.get(from) {
            let (mut to, mut len) = (from, 0);
            while let Some(batch) = batches.get(to)
                && (len == 0 || len + batch.len() <= BLOCK_BYTES)
            {
                (to, len) = (to + 1, len + batch.len());
            }
            let mut bytes = Vec::with_capacity(len);
            let mut marks = Marks::default();
            let mut end_offset = first.base_offset;
            for (stamped, batch) in stamped[from..to].iter().zip(&batches[from..to]) {
                marks.note(bytes.len(), stamped.base_offset);
                bytes.extend_from_slice(&stamped.stamp);
                bytes.extend_from_slice(&batch[stamped.stamp.len()..]);
                end_offset = stamped.next_offset;
            }
            let held = budget.hold(Bytes::from(bytes));
            self.push_block(Block::new(held, first.base_offset, end_offset, marks), budget);
            from = to;
        }
    }

    fn push_block(&mut self, block: Block, budget: &Arc<ReadBudget>) {
        if self.blocks.back().is_some_and(|last| last.end_offset != block.base_offset) {
            self.clear();
        }
        let len = block.len();
        self.bytes += len;
        self.blocks.push_back(block);
        if len >= MERGE_BYTES {
            (self.small, self.small_bytes) = (0, 0);
            return;
        }
        self.small += 1;
        self.small_bytes += len;
        if self.small_bytes >= MERGE_BYTES {
            self.merge(budget);
        }
    }

    /// Makes one block of the small ones at the end, so that a reader behind gets few pieces.
    fn merge(&mut self, budget: &Arc<ReadBudget>) {
        let first = self.blocks.len() - std::mem::take(&mut self.small);
        self.small_bytes = 0;
        let mut bytes = Vec::with_capacity(self.blocks.range(first..).map(Block::len).sum());
        let mut marks = Marks::default();
        let (mut base_offset, mut end_offset) = (None, 0);
        for block in self.blocks.drain(first..) {
            marks.extend(block.marks(), bytes.len());
            bytes.extend_from_slice(block.bytes());
            base_offset.get_or_insert(block.base_offset);
            end_offset = block.end_offset;
        }
        let held = budget.hold(Bytes::from(bytes));
        if let Some(base_offset) = base_offset {
            self.blocks.push_back(Block::new(held, base_offset, end_offset, marks));
        }
    }

    /// The block that holds `offset`.
    pub(super) fn block(&self, offset: u64) -> Option<&Block> {
        let at = self.blocks.partition_point(|block| block.end_offset <= offset);
        self.blocks.get(at).filter(|block| block.holds(offset))
    }

    /// Lets go of the oldest block. False if there is none.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let Some(block) = self.blocks.pop_front() else { return false };
        self.bytes -= block.len();
        if self.small > self.blocks.len() {
            self.small = self.blocks.len();
            self.small_bytes -= block.len();
        }
        true
    }

    /// Lets go of what lies wholly before `start`.
    pub(super) fn trim(&mut self, start: u64) {
        while self.blocks.front().is_some_and(|block| block.end_offset <= start) {
            self.drop_oldest();
        }
    }

    /// Lets go of everything.
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        (self.bytes, self.small, self.small_bytes) = (0, 0, 0);
    }
}

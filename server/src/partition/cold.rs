//! Cold reads: what is not in memory is fetched elsewhere, in large chunks that readers share.
//!
//! Owns who waits for which fetch, and the chunks that were fetched last. Readers at one place join
//! the fetch that is under way for it; the others wait in line while [`MAX_FETCHES`] are.
//!
//! Invariant: a reader is in one place only: with a fetch, in line, or in doubt; and with each
//! fetch that ends, whoever it was for is answered, or goes on behind it, or behind a sync.

use std::collections::VecDeque;
use std::sync::Arc;

use tidewire_storage::disk::Disk;
use tidewire_storage::log;

use super::block::Block;
use super::read::Reader;
use crate::message::Origin;
use crate::read_budget::{Held, ReadBudget};

/// Fetches of a partition that are under way at once.
const MAX_FETCHES: usize = 4;
/// Chunks that are kept for who comes next, beside those that somebody holds a part of anyway.
const MAX_KEPT: usize = 2;
/// Chunks that are known at all.
const MAX_KNOWN: usize = 64;

/// A read to run where it may block.
pub(crate) struct FetchJob<D: Disk> {
    job: log::ReadJob<D>,
    budget: Arc<ReadBudget>,
    wanted: usize,
}

/// What came of it.
pub(crate) struct FetchOutcome<D: Disk> {
    pub(super) offset: u64,
    pub(super) outcome: log::ReadOutcome<D>,
    /// Counts the bytes from when they were read.
    pub(super) counted: Held,
}

impl<D: Disk> FetchJob<D> {
    pub(super) fn new(job: log::ReadJob<D>, budget: &Arc<ReadBudget>, wanted: usize) -> Self {
        Self { job, budget: Arc::clone(budget), wanted }
    }

    /// Reads. Blocks for as long as the disk takes.
    pub(crate) fn run(self) -> FetchOutcome<D> {
        let offset = self.job.offset();
        let outcome = self.job.run(self.budget.allowance(self.wanted));
        let counted = self.budget.hold(outcome.bytes());
        FetchOutcome { offset, outcome, counted }
    }
}

/// The cold reads of a partition.
#[derive(Default)]
pub(super) struct Cold {
    fetches: Vec<Fetch>,
    /// Readers in line.
    waiting: VecDeque<Reader>,
    /// Readers to whom something looked damaged that a sync which fails may have taken away: they
    /// go on when the one that is under way has come to its end.
    in_doubt: Vec<Reader>,
    /// Chunks, the last used one last.
    kept: VecDeque<Block>,
}

struct Fetch {
    offset: u64,
    readers: Vec<Reader>,
}

impl Cold {
    /// Readers that wait.
    pub(super) fn readers(&self) -> usize {
        let waiting = self.waiting.len() + self.in_doubt.len();
        waiting + self.fetches.iter().map(|fetch| fetch.readers.len()).sum::<usize>()
    }

    /// Readers in line.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Has a reader wait for the fetch that is under way for its place, or in line if there are
    /// enough of them. Gives it back if it may begin one.
    pub(super) fn join(&mut self, reader: Reader) -> Result<(), Reader> {
        let offset = reader.next_offset;
        let busy = self.fetches.len() >= MAX_FETCHES;
        match self.fetches.iter_mut().find(|fetch| fetch.offset == offset) {
            Some(fetch) => fetch.readers.push(reader),
            None if busy => self.waiting.push_back(reader),
            None => return Err(reader),
        }
        Ok(())
    }

    /// A fetch has begun for a reader.
    pub(super) fn begin(&mut self, reader: Reader) {
        self.fetches.push(Fetch { offset: reader.next_offset, readers: vec![reader] });
    }

    /// A fetch has ended: who waited for it.
    pub(super) fn end(&mut self, offset: u64) -> Vec<Reader> {
        let at = self.fetches.iter().position(|fetch| fetch.offset == offset);
        at.map_or_else(Vec::new, |at| self.fetches.swap_remove(at).readers)
    }

    /// The next one in line who gets on now: its turn has come, or the newest chunk holds what it
    /// wants. `from` is where to look on.
    pub(super) fn next_waiting(&mut self, from: &mut usize) -> Option<Reader> {
        let has_room = self.fetches.len() < MAX_FETCHES;
        let newest = self.kept.back();
        let gets_on = |reader: &Reader| {
            has_room || newest.is_some_and(|block| block.holds(reader.next_offset))
        };
        let at = self.waiting.iter().skip(*from).position(gets_on)?;
        *from += at;
        self.waiting.remove(*from)
    }

    /// A reader by its origin.
    pub(super) fn reader(&mut self, origin: Origin) -> Option<&mut Reader> {
        let fetching = self.fetches.iter_mut().flat_map(|fetch| &mut fetch.readers);
        let waiting = self.waiting.iter_mut().chain(&mut self.in_doubt);
        fetching.chain(waiting).find(|reader| reader.origin == origin)
    }

    /// Forgets a reader. A fetch that nobody waits for any more comes to its end all the same.
    pub(super) fn forget(&mut self, origin: Origin) {
        self.waiting.retain(|reader| reader.origin != origin);
        self.in_doubt.retain(|reader| reader.origin != origin);
        for fetch in &mut self.fetches {
            fetch.readers.retain(|reader| reader.origin != origin);
        }
    }

    /// Everyone who waits.
    pub(super) fn take_all(&mut self) -> Vec<Reader> {
        let fetching = self.fetches.iter_mut().flat_map(|fetch| fetch.readers.drain(..));
        fetching.chain(self.waiting.drain(..)).chain(self.in_doubt.drain(..)).collect()
    }

    /// Has a reader wait for the end of a sync.
    pub(super) fn doubt(&mut self, reader: Reader) {
        self.in_doubt.push(reader);
    }

    /// Those who wait for the end of a sync.
    pub(super) fn take_doubtful(&mut self) -> Vec<Reader> {
        std::mem::take(&mut self.in_doubt)
    }

    /// Keeps a chunk for whoever comes next.
    pub(super) fn keep(&mut self, block: Block) {
        self.kept.push_back(block);
        while self.kept.iter().filter(|block| !block.is_shared()).count() > MAX_KEPT {
            self.drop_oldest();
        }
        if self.kept.len() > MAX_KNOWN {
            self.kept.pop_front();
        }
    }

    /// The chunk that holds `offset`.
    pub(super) fn block(&mut self, offset: u64) -> Option<&Block> {
        let at = self.kept.iter().position(|block| block.holds(offset))?;
        let block = self.kept.remove(at)?;
        self.kept.push_back(block);
        self.kept.back()
    }

    /// Bytes kept that nobody holds a part of.
    pub(super) fn bytes(&self) -> usize {
        self.kept.iter().filter(|block| !block.is_shared()).map(Block::len).sum()
    }

    /// Lets go of the oldest chunk that nobody holds a part of. False if there is none.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let oldest = self.kept.iter().position(|block| !block.is_shared());
        oldest.is_some_and(|at| self.kept.remove(at).is_some())
    }

    /// Lets go of what lies wholly before `start`.
    pub(super) fn trim(&mut self, start: u64) {
        self.kept.retain(|block| block.end_offset > start);
    }
}

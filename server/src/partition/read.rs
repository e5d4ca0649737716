//! Reading: at once from memory, from the disk where it is not there, later where there is
//! nothing yet.
//!
//! A reader first gathers what memory holds from its place on: the tail, and chunks that were
//! fetched before. If that is not enough for it and more is on the disk, a fetch brings it; if
//! there is no more, it waits with the partition until there is.
//!
//! Invariant: a reader is answered once, with batches that were visible when it was answered.

use std::sync::Arc;

use bytes::Bytes;
use tidewire_protocol::error::{Code, Error};
use tidewire_storage::disk::Disk;

use super::block::{Block, Marks};
use super::cold::{FetchJob, FetchOutcome};
use super::{Effect, MAX_WAITERS, Partition, storage_error};
use crate::message::{Origin, ReadReply, ReadRequest};
use crate::read_budget::LEAST_BYTES;

/// Someone who reads, and what was gathered so far.
pub(super) struct Reader {
    request: ReadRequest,
    pub(super) origin: Origin,
    gathered: Vec<Bytes>,
    len: usize,
    /// Where to go on.
    pub(super) next_offset: u64,
}

/// A read that waits for more bytes at the end of the log.
pub(super) struct Waiter {
    request: ReadRequest,
    pub(super) origin: Origin,
    /// Value of `appended_bytes` at which it has enough.
    enough_at: u64,
}

/// Where a reader stands once memory was searched.
enum Stand {
    /// It has enough, or may have no more.
    Enough,
    /// More of what it wants is on the disk.
    Cold,
    /// There is no more.
    End,
}

impl Waiter {
    /// The first record that it wants.
    pub(super) fn offset(&self) -> u64 {
        self.request.offset
    }
}

impl Reader {
    fn new(request: ReadRequest, origin: Origin) -> Self {
        let next_offset = request.offset;
        Self { request, origin, gathered: Vec::new(), len: 0, next_offset }
    }

    /// Bytes that it waits for.
    fn wanted(&self) -> usize {
        self.request.min_bytes.min(self.request.max_bytes)
    }

    fn room(&self) -> usize {
        self.request.max_bytes.saturating_sub(self.len)
    }

    /// Takes the block's batches from its place on, as far as they are visible and wanted. The
    /// first batch is taken however large it is.
    fn take(&mut self, block: &Block, max_bytes: usize, end: u64) -> bool {
        let room = self.room().min(max_bytes.saturating_sub(self.len));
        let Some((bytes, next_offset)) = block.slice(self.next_offset, room, end) else {
            return false;
        };
        if self.len > 0 && bytes.len() > room {
            return false;
        }
        self.len += bytes.len();
        self.next_offset = next_offset;
        self.gathered.push(bytes);
        true
    }
}

impl<D: Disk> Partition<D> {
    /// Answers a read, now or when there is enough.
    pub(crate) fn read(
        &mut self,
        request: ReadRequest,
        origin: Origin,
        effects: &mut Vec<Effect<D>>,
    ) {
        self.go_on(Reader::new(request, origin), effects);
    }

    /// Takes a reader a step further: to its answer, to a fetch, or to those who wait.
    fn go_on(&mut self, mut reader: Reader, effects: &mut Vec<Effect<D>>) {
        match self.gather(&mut reader) {
            Ok(Stand::Enough) => self.answer(reader, effects),
            Ok(Stand::End) if reader.len >= reader.wanted() => self.answer(reader, effects),
            Ok(Stand::End) => self.wait(&reader, effects),
            Ok(Stand::Cold) => self.fetch(reader, effects),
            // What was gathered is good; the next read meets the error first.
            Err(_) if reader.len > 0 => self.answer(reader, effects),
            Err(error) => effects.push(Effect::Read(reader.origin, Err(error))),
        }
    }

    /// Gathers what memory holds for a reader.
    fn gather(&mut self, reader: &mut Reader) -> Result<Stand, Error> {
        let (start_offset, visible_end) = (self.log.start_offset(), self.visible_end);
        if !(start_offset..=visible_end).contains(&reader.next_offset) {
            return Err(self.out_of_range(reader.next_offset));
        }
        // When readers hold all that they may, each gets on in small steps.
        let scarce = self.budget.is_used_up();
        let max_bytes = if scarce { LEAST_BYTES } else { usize::MAX };
        loop {
            let offset = reader.next_offset;
            let end = self
                .log
                .readable_end(offset, visible_end)
                .map_err(|error| storage_error(&self.name, &error))?;
            if offset == end {
                self.tail.want(self.appended_bytes);
                return Ok(Stand::End);
            }
            if reader.len >= reader.request.max_bytes {
                return Ok(Stand::Enough);
            }
            let found = match self.tail.block(offset) {
                Some(block) => {
                    let taken = reader.take(block, max_bytes, end);
                    self.tail.want(self.appended_bytes);
                    Some(taken)
                }
                None => self.cold.block(offset).map(|block| reader.take(block, max_bytes, end)),
            };
            match found {
                Some(true) => {}
                Some(false) => return Ok(Stand::Enough),
                // A read that asks for nothing more than it has does not wait for the disk.
                None if reader.len > 0 && (reader.len >= reader.wanted() || scarce) => {
                    return Ok(Stand::Enough);
                }
                None => return Ok(Stand::Cold),
            }
        }
    }

    fn answer(&self, reader: Reader, effects: &mut Vec<Effect<D>>) {
        let reply = self.reply(reader.gathered, reader.len, reader.next_offset);
        effects.push(Effect::Read(reader.origin, Ok(reply)));
    }

    fn reply(&self, bytes: Vec<Bytes>, len: usize, next_offset: u64) -> ReadReply {
        let (start_offset, end_offset) = (self.log.start_offset(), self.visible_end);
        ReadReply { bytes: Arc::from(bytes), len, next_offset, start_offset, end_offset }
    }

    /// Has a reader wait for more bytes at the end. What it gathered is gathered again then, so
    /// that those who wait hold nothing.
    fn wait(&mut self, reader: &Reader, effects: &mut Vec<Effect<D>>) {
        let (request, origin) = (reader.request, reader.origin);
        if self.has_many_readers() {
            effects.push(Effect::Read(origin, Err(self.too_many_readers())));
            return;
        }
        // What was appended but is not visible yet counts too soon; the read is then tried once
        // in vain and waits on.
        let missing = (reader.wanted() - reader.len) as u64;
        let enough_at = self.appended_bytes + missing;
        self.waiters.push(Waiter { request, origin, enough_at });
    }

    /// Has a reader wait for bytes from the disk.
    fn fetch(&mut self, reader: Reader, effects: &mut Vec<Effect<D>>) {
        if self.has_many_readers() {
            let error = self.too_many_readers();
            effects.push(Effect::Read(reader.origin, Err(error)));
            return;
        }
        let Err(reader) = self.cold.join(reader) else { return };
        match self.log.begin_read(reader.next_offset, self.visible_end) {
            Ok(Some(job)) => {
                let job = FetchJob::new(job, &self.budget, reader.room());
                self.cold.begin(reader);
                effects.push(Effect::Fetch(job));
            }
            // There was something a moment ago: nothing between has changed that.
            Ok(None) => self.answer(reader, effects),
            Err(error) => {
                let error = storage_error(&self.name, &error);
                effects.push(Effect::Read(reader.origin, Err(error)));
            }
        }
    }

    /// A fetch came back: serves whom it was for, and whoever waited in line.
    pub(crate) fn fetched(&mut self, done: FetchOutcome<D>, effects: &mut Vec<Effect<D>>) {
        let FetchOutcome { offset, outcome, counted } = done;
        let readers = self.cold.end(offset);
        match self.log.finish_read(outcome) {
            Ok(chunk) if chunk.next_offset > offset => {
                let marks = Marks::new(chunk.marks);
                // The same bytes, but for what is not to be shown any more.
                let counted = if counted.bytes().len() == chunk.bytes.len() {
                    counted
                } else {
                    self.budget.hold(chunk.bytes)
                };
                if chunk.next_offset == self.visible_end {
                    self.tail.want(self.appended_bytes);
                }
                let block = Block::new(counted, chunk.base_offset, chunk.next_offset, marks);
                for mut reader in readers {
                    self.take_fetched(&mut reader, &block);
                    self.go_on_after(reader, effects);
                }
                self.cold.keep(block);
            }
            Ok(_) => readers.into_iter().for_each(|reader| self.answer(reader, effects)),
            Err(error) => {
                // Only what is not synced may be taken away by a sync that fails.
                let in_doubt = offset >= self.log.synced_end() && self.log.is_in_doubt(&error);
                let trimmed = offset < self.log.start_offset();
                let error = if trimmed {
                    self.out_of_range(offset)
                } else {
                    storage_error(&self.name, &error)
                };
                for reader in readers {
                    if reader.len > 0 {
                        self.answer(reader, effects);
                    } else if in_doubt {
                        self.cold.doubt(reader);
                    } else {
                        effects.push(Effect::Read(reader.origin, Err(error.clone())));
                    }
                }
            }
        }
        // One that waits on goes to the end of the line, behind those that were there.
        let mut from = 0;
        let mut left = self.cold.waiting();
        while left > 0
            && let Some(reader) = self.cold.next_waiting(&mut from)
        {
            left -= 1;
            self.go_on(reader, effects);
        }
    }

    /// A sync came to its end: what was in doubt is read again.
    pub(super) fn read_again(&mut self, effects: &mut Vec<Effect<D>>) {
        for reader in self.cold.take_doubtful() {
            self.go_on(reader, effects);
        }
    }

    fn take_fetched(&self, reader: &mut Reader, block: &Block) {
        let scarce = self.budget.is_used_up();
        let max_bytes = if scarce { LEAST_BYTES } else { usize::MAX };
        reader.take(block, max_bytes, self.visible_end);
    }

    /// Goes on with a reader whom a fetch has brought something. It always gets on by that.
    fn go_on_after(&mut self, reader: Reader, effects: &mut Vec<Effect<D>>) {
        let enough = reader.len >= reader.wanted() || self.budget.is_used_up();
        if reader.len > 0 && enough {
            self.answer(reader, effects);
        } else {
            self.go_on(reader, effects);
        }
    }

    /// Answers a waiting read with what there is.
    pub(crate) fn expire_read(&mut self, origin: Origin, effects: &mut Vec<Effect<D>>) {
        if let Some(mut waiter) = self.take_waiter(origin) {
            waiter.request.min_bytes = 0;
            self.go_on(Reader::new(waiter.request, origin), effects);
        } else if let Some(reader) = self.cold.reader(origin) {
            // The disk is on its way to it.
            reader.request.min_bytes = 0;
        }
    }

    /// Forgets a waiting read.
    pub(crate) fn cancel_read(&mut self, origin: Origin) {
        if self.take_waiter(origin).is_none() {
            self.cold.forget(origin);
        }
    }

    fn take_waiter(&mut self, origin: Origin) -> Option<Waiter> {
        let at = self.waiters.iter().position(|waiter| waiter.origin == origin)?;
        Some(self.waiters.swap_remove(at))
    }

    /// Answers the waiting reads that have enough. Readers at one place share the answer.
    pub(super) fn serve_waiters(&mut self, effects: &mut Vec<Effect<D>>) {
        let mut shared: Option<(ReadRequest, ReadReply)> = None;
        let mut index = 0;
        while index < self.waiters.len() {
            let waiter = &self.waiters[index];
            let request = waiter.request;
            if request.min_bytes > 1 && self.appended_bytes < waiter.enough_at {
                index += 1;
                continue;
            }
            let Waiter { origin, .. } = self.waiters.swap_remove(index);
            if let Some((of, reply)) = &shared
                && *of == request
            {
                effects.push(Effect::Read(origin, Ok(reply.clone())));
                continue;
            }
            let given = effects.len();
            let before = self.waiters.len();
            self.go_on(Reader::new(request, origin), effects);
            if let Some(Effect::Read(_, Ok(reply))) = effects.get(given) {
                shared = Some((request, reply.clone()));
            } else if self.waiters.len() > before {
                // It waits on, and has its place back.
                let last = self.waiters.len() - 1;
                self.waiters.swap(index, last);
                index += 1;
            }
        }
    }

    /// Takes what was appended into the tail, if somebody reads there.
    pub(super) fn keep_tail(&mut self) {
        let wanted = !self.waiters.is_empty() || self.tail.is_wanted(self.appended_bytes);
        if wanted {
            self.tail.push(self.log.stamped(), &self.group, &self.budget);
        } else {
            self.tail.clear();
        }
    }

    /// Bytes that are kept in memory for readers to come.
    pub(crate) fn kept_bytes(&self) -> usize {
        self.tail.bytes() + self.cold.bytes()
    }

    /// Lets go of some of what is kept in memory; false if there is nothing.
    pub(crate) fn let_go(&mut self) -> bool {
        self.cold.drop_oldest() || self.tail.drop_oldest()
    }

    /// Lets go of what lies before the log's start.
    pub(super) fn trim_kept(&mut self) {
        let start = self.log.start_offset();
        self.tail.trim(start);
        self.cold.trim(start);
    }

    fn has_many_readers(&self) -> bool {
        self.waiters.len() + self.cold.readers() >= MAX_WAITERS
    }

    fn too_many_readers(&self) -> Error {
        let text = format!("{MAX_WAITERS} reads wait on {} already, the limit", self.name);
        Error::new(Code::OVERLOADED, text)
    }
}

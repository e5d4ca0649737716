//! Places: where a subscription begins, and what a partition says of itself.
//!
//! Owns the look-ups by time that are under way. Every other place is known at once; a time is
//! looked up elsewhere, where it may block.
//!
//! Invariant: whoever asks is answered once.

use std::collections::BTreeMap;

use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{PartitionInfo, Start};
use tidewire_storage::disk::Disk;
use tidewire_storage::log::{self, Lookup};

use super::{Effect, Partition, storage_error};
use crate::message::{Origin, Place, Position};

/// A look-up to run where it may block.
pub(crate) struct LookupJob<D: Disk> {
    number: u64,
    job: log::LookupJob<D>,
}

/// What came of it.
pub(crate) struct LookupOutcome<D: Disk> {
    number: u64,
    outcome: log::LookupOutcome<D>,
}

impl<D: Disk> LookupJob<D> {
    /// Looks. Blocks for as long as the disk takes.
    pub(crate) fn run(self) -> LookupOutcome<D> {
        LookupOutcome { number: self.number, outcome: self.job.run() }
    }
}

/// The look-ups of a partition, bounded by what connections may have in flight.
#[derive(Default)]
pub(super) struct Lookups {
    next: u64,
    under_way: BTreeMap<u64, Ask>,
    /// To be looked up again when the sync that is under way has come to its end.
    in_doubt: Vec<Ask>,
}

/// Someone who wants to know where the records since a time begin.
struct Ask {
    time_us: i64,
    origin: Origin,
    wanted: Wanted,
    /// It was in doubt before.
    again: bool,
}

#[derive(Clone, Copy)]
enum Wanted {
    Position,
    Info,
}

impl<D: Disk> Partition<D> {
    /// Tells where a subscription begins.
    pub(crate) fn resolve(
        &mut self,
        place: Place,
        origin: Origin,
        effects: &mut Vec<Effect<D>>,
    ) {
        self.find(place, origin, Wanted::Position, effects);
    }

    /// Tells its state, for people, and what `place` means in it, or its end if it means nothing.
    /// `partition` and `shard` are the caller's to fill in.
    pub(crate) fn describe(
        &mut self,
        place: Place,
        origin: Origin,
        effects: &mut Vec<Effect<D>>,
    ) {
        self.find(place, origin, Wanted::Info, effects);
    }

    fn find(
        &mut self,
        place: Place,
        origin: Origin,
        wanted: Wanted,
        effects: &mut Vec<Effect<D>>,
    ) {
        if place.start == Start::Timestamp {
            let time_us = i64::try_from(place.at).unwrap_or(i64::MAX);
            self.look_up(Ask { time_us, origin, wanted, again: false }, effects);
        } else {
            let found = self.offset_of(place);
            self.tell(origin, wanted, found, effects);
        }
    }

    /// What a place means that is not a time.
    pub(crate) fn offset_of(&self, Place { start, at }: Place) -> Result<u64, Error> {
        let (start_offset, end_offset) = (self.log.start_offset(), self.visible_end);
        match start {
            Start::Earliest => Ok(start_offset),
            Start::Latest => Ok(end_offset),
            Start::Offset if (start_offset..=end_offset).contains(&at) => Ok(at),
            Start::Offset => Err(self.out_of_range(at)),
            Start::Last => Ok(end_offset.saturating_sub(at).max(start_offset)),
            other => {
                let text = format!("start {} is not known here", u8::from(other));
                Err(Error::new(Code::INVALID_ARGUMENT, text))
            }
        }
    }

    fn look_up(&mut self, ask: Ask, effects: &mut Vec<Effect<D>>) {
        match self.log.begin_lookup(ask.time_us, self.visible_end) {
            Lookup::Known(offset) => self.tell(ask.origin, ask.wanted, Ok(offset), effects),
            Lookup::Job(job) => {
                let number = self.lookups.next;
                self.lookups.next += 1;
                self.lookups.under_way.insert(number, ask);
                effects.push(Effect::Lookup(LookupJob { number, job }));
            }
        }
    }

    /// A look-up came back.
    pub(crate) fn looked_up(
        &mut self,
        LookupOutcome { number, outcome }: LookupOutcome<D>,
        effects: &mut Vec<Effect<D>>,
    ) {
        // Whoever asked was told something else if the topic is gone.
        let Some(ask) = self.lookups.under_way.remove(&number) else { return };
        match self.log.finish_lookup(outcome) {
            Ok(offset) => self.tell(ask.origin, ask.wanted, Ok(offset), effects),
            Err(error) if !ask.again && self.log.is_in_doubt(&error) => {
                self.lookups.in_doubt.push(Ask { again: true, ..ask });
            }
            Err(error) => {
                let error = storage_error(&self.name, &error);
                self.tell(ask.origin, ask.wanted, Err(error), effects);
            }
        }
    }

    /// A sync came to its end: what was in doubt is looked up again.
    pub(super) fn look_up_again(&mut self, effects: &mut Vec<Effect<D>>) {
        for ask in std::mem::take(&mut self.lookups.in_doubt) {
            self.look_up(ask, effects);
        }
    }

    /// Answers everyone who waits for a look-up with `error`.
    pub(super) fn fail_lookups(&mut self, error: &Error, effects: &mut Vec<Effect<D>>) {
        let Lookups { under_way, in_doubt, .. } = &mut self.lookups;
        let asks: Vec<Ask> =
            std::mem::take(under_way).into_values().chain(in_doubt.drain(..)).collect();
        for ask in asks {
            self.tell(ask.origin, ask.wanted, Err(error.clone()), effects);
        }
    }

    fn tell(
        &self,
        origin: Origin,
        wanted: Wanted,
        found: Result<u64, Error>,
        effects: &mut Vec<Effect<D>>,
    ) {
        let (start_offset, end_offset) = (self.log.start_offset(), self.visible_end);
        effects.push(match wanted {
            Wanted::Position => {
                let position = |next_offset| Position { next_offset, start_offset, end_offset };
                Effect::Resolved(origin, found.map(position))
            }
            Wanted::Info => {
                let found_offset = found.unwrap_or(end_offset);
                Effect::Described(origin, PartitionInfo { found_offset, ..self.info() })
            }
        });
    }

    /// Its state, with its end for a place.
    pub(crate) fn info(&self) -> PartitionInfo {
        let error = if self.log.is_fenced() {
            Code::PARTITION_FENCED
        } else if self.log.quarantined().is_some() {
            Code::PARTITION_CORRUPT
        } else {
            Code(0)
        };
        PartitionInfo {
            partition: 0,
            shard: 0,
            start_offset: self.log.start_offset(),
            end_offset: self.visible_end,
            synced_offset: self.log.synced_end(),
            size_bytes: self.log.size_bytes(),
            segments: u32::try_from(self.log.segment_count()).unwrap_or(u32::MAX),
            error: error.0,
            found_offset: self.visible_end,
        }
    }
}

//! What is known of one partition: which record stands at which offset, and how surely.
//!
//! Knowledge comes from acknowledgements and from reads. A crash may make it doubtful: the record
//! is there still, or is gone and its offset free for another. Doubt ends when the offset is seen
//! again, or when an audit finds the log shorter.
//!
//! Invariant: of two things that are known for sure, neither contradicts the other; an event that
//! would contradict one is a violation.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use crate::violation::{Violation, ViolationKind};
use crate::{Crash, Digest, Level, Order, Retries};

/// A batch that was sent.
#[derive(Debug)]
struct Send {
    producer: u64,
    order: Order,
    retries: Retries,
    level: Level,
    records: Vec<Digest>,
    /// Attempts that were not refused.
    attempts: u32,
    /// How often what was only written was lost before the last attempt.
    losses: u32,
    /// Crashes before the last attempt.
    crashes: u32,
    /// Copies that were ever seen; only counted if every attempt is told.
    seen_copies: u32,
    /// First offsets of the copies that are there.
    copies: Vec<u64>,
    /// Found missing by an audit after its last attempt's process had died.
    gone: bool,
    /// Its client says that it is certainly not there.
    failed: bool,
}

/// The record at an offset.
#[derive(Clone, Copy, Debug)]
struct Slot {
    send: u64,
    index: u32,
    /// The level that was acknowledged.
    reached: Level,
    /// Shown to a reader.
    seen: bool,
    /// A crash may have taken it.
    doubtful: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Partition {
    id: u64,
    sends: BTreeMap<u64, Send>,
    /// Sends without a copy that is there for sure, to be settled by the next audit.
    open: Vec<u64>,
    by_digest: BTreeMap<Digest, (u64, u32)>,
    slots: BTreeMap<u64, Slot>,
    /// First offsets of ordered sends: by producer, epoch and sequence, with the record count.
    ordered: BTreeMap<(u64, u32, u64), (u64, u64)>,
    start: u64,
    /// The latest offset at which the log may begin.
    trim_allowed: u64,
    durable_end: u64,
    /// From here on the disk altered something.
    damaged_from: Option<u64>,
    losses: u32,
    crashes: u32,
    deleted: bool,
}

impl Partition {
    pub fn new(id: u64) -> Self {
        Self { id, ..Self::default() }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one event")]
    pub fn sent(
        &mut self,
        send: u64,
        producer: u64,
        order: Order,
        retries: Retries,
        level: Level,
        records: Vec<Digest>,
    ) -> Result<(), Violation> {
        for (index, digest) in (0..).zip(&records) {
            if self.by_digest.insert(*digest, (send, index)).is_some() {
                let text = format!("record {digest} of send {send} is like an earlier one");
                return Err(Violation::new(ViolationKind::Misuse, text));
            }
        }
        let (losses, crashes) = (self.losses, self.crashes);
        let known = Send {
            producer,
            order,
            retries,
            level,
            records,
            attempts: 1,
            losses,
            crashes,
            seen_copies: 0,
            copies: Vec::new(),
            gone: false,
            failed: false,
        };
        self.sends.insert(send, known);
        self.open.push(send);
        Ok(())
    }

    pub fn resent(&mut self, send: u64) -> Result<(), Violation> {
        let (losses, crashes) = (self.losses, self.crashes);
        let known = self.send(send)?;
        if matches!(known.order, Order::Ordered { .. }) {
            let key = order_key(known);
            known.order = Order::Loose;
            key.and_then(|key| self.ordered.remove(&key));
        }
        let known = self.send(send)?;
        known.attempts += 1;
        (known.losses, known.crashes) = (losses, crashes);
        if std::mem::take(&mut known.gone) {
            self.open.push(send);
        }
        Ok(())
    }

    pub fn refused(&mut self, send: u64) -> Result<(), Violation> {
        let known = self.send(send)?;
        known.attempts = known.attempts.saturating_sub(1);
        if known.retries == Retries::Told && known.seen_copies > known.attempts {
            let text = format!("send {send} was refused, and is at {:?}", known.copies);
            return Err(self.violation(ViolationKind::RefusedYetThere, text));
        }
        Ok(())
    }

    pub fn failed(&mut self, send: u64) -> Result<(), Violation> {
        let known = self.send(send)?;
        known.failed = true;
        if known.copies.is_empty() {
            return Ok(());
        }
        let text = format!("send {send} failed for certain, and is at {:?}", known.copies);
        Err(self.violation(ViolationKind::RefusedYetThere, text))
    }

    pub fn acknowledged(
        &mut self,
        send: u64,
        level: Level,
        base_offset: u64,
    ) -> Result<(), Violation> {
        if self.deleted {
            // The acknowledgement may have been under way.
            return Ok(());
        }
        let (start, losses) = (self.start, self.losses);
        let known = self.send(send)?;
        if level < known.level {
            let text = format!("send {send} wants {:?} and got {level:?}", known.level);
            return Err(self.violation(ViolationKind::TooLowALevel, text));
        }
        if level == Level::None || (level < Level::Synced && known.losses < losses) {
            // It was lost since, perhaps, together with its place.
            return Ok(());
        }
        let count = known.records.len() as u64;
        if base_offset + count <= start {
            if at_most_once(known.order) && known.copies.iter().any(|&copy| copy != base_offset)
            {
                let text = format!(
                    "send {send} is acknowledged at {base_offset}, it was at {:?}",
                    known.copies
                );
                return Err(self.violation(ViolationKind::Duplicate, text));
            }
            return Ok(());
        }
        for index in 0..count {
            let slot = self.place(base_offset + index, send, index as u32)?;
            slot.reached = slot.reached.max(level);
        }
        Ok(())
    }

    /// How often what was only written was lost. What a reader is shown of the time before the
    /// last one says nothing about now.
    pub fn losses(&self) -> u32 {
        self.losses
    }

    /// A reader is late: it is shown records of before a loss. They must have been sent.
    pub fn read_late(&self, base_offset: u64, records: &[Digest]) -> Result<(), Violation> {
        let mut records = (base_offset..).zip(records);
        match records.find(|(_, digest)| !self.by_digest.contains_key(digest)) {
            Some((offset, digest)) => {
                let text = format!("the record {digest} at offset {offset} was never sent");
                Err(self.violation(ViolationKind::Altered, text))
            }
            None => Ok(()),
        }
    }

    /// A reader saw these records.
    pub fn read(&mut self, base_offset: u64, records: &[Digest]) -> Result<(), Violation> {
        if self.deleted {
            let text = "a reader is shown records though it was deleted".to_owned();
            return Err(self.violation(ViolationKind::DeletedYetThere, text));
        }
        // What was under way when the log was trimmed is as good as late.
        let late =
            usize::try_from(self.start.saturating_sub(base_offset)).unwrap_or(usize::MAX);
        let (late, records) = records.split_at(late.min(records.len()));
        self.read_late(base_offset, late)?;
        let base_offset = base_offset + late.len() as u64;
        for (offset, digest) in (base_offset..).zip(records) {
            let Some(&(send, index)) = self.by_digest.get(digest) else {
                let expected = self.slots.get(&offset).map(|slot| (slot.send, slot.index));
                let text = format!(
                    "the record {digest} at offset {offset} was never sent; send and index \
                     known there: {expected:?}"
                );
                return Err(self.violation(ViolationKind::Altered, text));
            };
            self.place(offset, send, index)?.seen = true;
        }
        Ok(())
    }

    pub fn durable(&mut self, end: u64) {
        let end = self.damaged_from.map_or(end, |from| from.min(end));
        self.durable_end = self.durable_end.max(end);
    }

    pub fn trim_allowed(&mut self, before: u64) {
        self.trim_allowed = self.trim_allowed.max(before);
    }

    /// The log begins there, and never before that again.
    pub fn trimmed(&mut self, start: u64) -> Result<(), Violation> {
        if start > self.trim_allowed.max(self.start) {
            let text = format!("it begins at {start}, and may begin at {}", self.trim_allowed);
            return Err(self.violation(ViolationKind::TrimmedTooMuch, text));
        }
        if start > self.start && !self.deleted {
            self.begin_at(start);
        }
        Ok(())
    }

    pub fn sync_failed(&mut self) {
        self.lose_unsynced();
    }

    pub fn damaged(&mut self, offset: u64) {
        let from = self.damaged_from.map_or(offset, |from| from.min(offset));
        self.damaged_from = Some(from);
        self.durable_end = self.durable_end.min(from);
        self.doubt_from(from);
    }

    pub fn deleted(&mut self) {
        self.deleted = true;
    }

    pub fn crashed(&mut self, crash: Crash) {
        self.crashes += 1;
        if crash == Crash::Power {
            self.lose_unsynced();
        }
    }

    /// Everything is compared with the whole log as it is.
    pub fn audited(&mut self, start: u64, records: &[Digest]) -> Result<(), Violation> {
        if start < self.start {
            let text = format!("it begins at {start}, it began at {} before", self.start);
            return Err(self.violation(ViolationKind::StartWentBack, text));
        }
        if start > self.trim_allowed.max(self.start) {
            let text = format!("it begins at {start}, and may begin at {}", self.trim_allowed);
            return Err(self.violation(ViolationKind::TrimmedTooMuch, text));
        }
        self.begin_at(start);
        self.read(start, records)?;
        let end = start + records.len() as u64;
        // An acknowledgement that came after the damage does not undo it.
        let sound = self.damaged_from.map_or(u64::MAX, |from| from.max(end));
        let lost = self.slots.range(end..sound).find(|(_, slot)| !slot.doubtful);
        if let Some((offset, slot)) = lost {
            let text = format!(
                "it ends at {end}; record {} of send {} is missing at offset {offset}, \
                 acknowledged as {:?}{}",
                slot.index,
                slot.send,
                slot.reached,
                if slot.seen { " and seen" } else { "" }
            );
            return Err(self.violation(ViolationKind::Lost, text));
        }
        if end < self.durable_end {
            let text = format!("it ends at {end}, {} was said to be durable", self.durable_end);
            return Err(self.violation(ViolationKind::Lost, text));
        }
        self.forget(self.copies_in(end.., |_, _| true));
        self.check_whole(start, end)?;
        self.check_gaps(start)?;
        self.settle();
        Ok(())
    }

    /// Every batch is there whole.
    fn check_whole(&self, start: u64, end: u64) -> Result<(), Violation> {
        let mut offset = start;
        while let Some(slot) = self.slots.get(&offset) {
            let count = self.sends[&slot.send].records.len() as u64;
            let (base, next) = (
                offset.checked_sub(u64::from(slot.index)),
                offset - u64::from(slot.index) + count,
            );
            // A log may begin within a batch, at an offset that it was trimmed to.
            let torn = offset > start && slot.index > 0 || base.is_none() || next > end;
            if torn {
                let text = format!(
                    "of send {} with {count} records only some are there, from offset {offset} \
                     and record {}; the log is {start}..{end}",
                    slot.send, slot.index
                );
                return Err(self.violation(ViolationKind::TornBatch, text));
            }
            offset = next;
        }
        Ok(())
    }

    /// Before each record of an exactly-once producer stands the one before it, if it was not
    /// trimmed.
    fn check_gaps(&self, start: u64) -> Result<(), Violation> {
        let mut last: Option<((u64, u32), u64)> = None;
        for (&(producer, epoch, sequence), &(base, count)) in &self.ordered {
            if base < start {
                // Of what was trimmed not all may be known.
                continue;
            }
            let expected = match last {
                Some((of, next)) if of == (producer, epoch) => Some(next),
                _ if start == 0 => Some(0),
                _ => None,
            };
            let exactly_once = self.by_order_is_exactly_once(base);
            last = Some(((producer, epoch), sequence + count));
            if exactly_once && expected.is_some_and(|expected| expected != sequence) {
                let text = format!(
                    "producer {producer} of epoch {epoch} has records from sequence {sequence} \
                     on at offset {base}, those from {expected:?} on are missing"
                );
                return Err(self.violation(ViolationKind::Gap, text));
            }
        }
        Ok(())
    }

    fn by_order_is_exactly_once(&self, base: u64) -> bool {
        let send = self.slots.get(&base).and_then(|slot| self.sends.get(&slot.send));
        send.is_some_and(|send| matches!(send.order, Order::ExactlyOnce { .. }))
    }

    /// What was under way when the process died, and is not there now, will not come any more.
    fn settle(&mut self) {
        let crashes = self.crashes;
        let sends = &mut self.sends;
        self.open.retain(|id| {
            let Some(send) = sends.get_mut(id) else { return false };
            if !send.copies.is_empty() {
                return false;
            }
            send.gone = send.retries == Retries::Told && send.crashes < crashes;
            !send.gone
        });
    }

    /// Takes note that a record stands at an offset.
    fn place(&mut self, offset: u64, id: u64, index: u32) -> Result<&mut Slot, Violation> {
        if let Some(slot) = self.slots.get(&offset)
            && (slot.send, slot.index) != (id, index)
        {
            if !slot.doubtful {
                let text = format!(
                    "offset {offset} holds record {} of send {}, and now record {index} of send \
                     {id}",
                    slot.index, slot.send
                );
                return Err(self.violation(ViolationKind::OffsetReused, text));
            }
            // The log was cut here or before.
            self.forget_doubtful(offset..);
        }
        let Some(base) = offset.checked_sub(u64::from(index)) else {
            let text = format!("record {index} of send {id} stands at offset {offset}");
            return Err(self.violation(ViolationKind::TornBatch, text));
        };
        if !self.sends[&id].copies.contains(&base) {
            self.new_copy(id, base)?;
        }
        let slot = self.slots.entry(offset).or_insert(Slot {
            send: id,
            index,
            reached: Level::None,
            seen: false,
            doubtful: false,
        });
        slot.doubtful = false;
        Ok(slot)
    }

    fn new_copy(&mut self, id: u64, base: u64) -> Result<(), Violation> {
        let send = &self.sends[&id];
        if send.failed {
            let text = format!("send {id} failed for certain, and is at {base}");
            return Err(self.violation(ViolationKind::RefusedYetThere, text));
        }
        if send.gone {
            let text = format!("send {id} was found missing, and is at {base} now");
            return Err(self.violation(ViolationKind::Resurrected, text));
        }
        if at_most_once(send.order) {
            for copy in send.copies.clone() {
                // One that was in doubt is gone, since this one is there.
                if self.is_sure(id, copy) {
                    let text = format!("send {id} is at offset {copy}, and at {base} too");
                    return Err(self.violation(ViolationKind::Duplicate, text));
                }
                self.forget_copy(id, copy);
            }
        }
        let send = &self.sends[&id];
        if send.attempts == 0 && send.retries == Retries::Told {
            let text = format!("send {id} was refused, and is at {base}");
            return Err(self.violation(ViolationKind::RefusedYetThere, text));
        }
        if send.retries == Retries::Told && send.seen_copies >= send.attempts {
            let text = format!(
                "send {id} is at {:?} and at {base}, {} attempts, {} copies before",
                send.copies, send.attempts, send.seen_copies
            );
            return Err(self.violation(ViolationKind::Duplicate, text));
        }
        if let Some(key) = order_key(send) {
            let count = send.records.len() as u64;
            let before = self.ordered.range(..key).next_back();
            let after = self.ordered.range(key..).find(|(other, _)| **other != key);
            let same_line = |other: &(u64, u32, u64)| other.0 == key.0;
            let wrong_before = before.filter(|(other, at)| same_line(other) && at.0 > base);
            let wrong_after = after.filter(|(other, at)| same_line(other) && at.0 < base);
            if let Some((other, at)) = wrong_before.or(wrong_after) {
                let text = format!(
                    "send {id} (producer, epoch, sequence {key:?}) is at {base}, {other:?} at {}",
                    at.0
                );
                return Err(self.violation(ViolationKind::OutOfOrder, text));
            }
            self.ordered.insert(key, (base, count));
        }
        let send = self.sends.get_mut(&id).expect("it was looked up above");
        send.seen_copies += 1;
        send.copies.push(base);
        Ok(())
    }

    /// Whether a copy is there for sure, or was until it was trimmed.
    fn is_sure(&self, id: u64, base: u64) -> bool {
        let end = base + self.sends[&id].records.len() as u64;
        let mut slots = self.slots.range(base..end).filter(|(_, slot)| slot.send == id);
        base < self.start || slots.any(|(_, slot)| !slot.doubtful)
    }

    /// What was only written may be gone, and all that follows on what is sure to be there.
    fn lose_unsynced(&mut self) {
        self.losses += 1;
        let sends = &self.sends;
        let survives = |slot: &Slot| {
            !slot.doubtful
                && (slot.reached == Level::Synced
                    || slot.seen && sends[&slot.send].level == Level::Synced)
        };
        let last = self.slots.iter().rev().find(|(_, slot)| survives(slot));
        let end = last.map_or(0, |(offset, _)| offset + 1).max(self.durable_end);
        self.doubt_from(end);
    }

    fn doubt_from(&mut self, offset: u64) {
        self.slots.range_mut(offset..).for_each(|(_, slot)| slot.doubtful = true);
    }

    /// The log begins there: what was in doubt before is gone. Of a batch that `start` cuts, the
    /// records that follow tell whether it is.
    fn begin_at(&mut self, start: u64) {
        let sends = &self.sends;
        let gone = self.copies_in(self.start..start, |base, slot| {
            slot.doubtful && base + sends[&slot.send].records.len() as u64 <= start
        });
        self.forget(gone);
        self.start = start;
        self.slots = self.slots.split_off(&start);
    }

    /// What was in doubt at these offsets is gone.
    fn forget_doubtful(&mut self, offsets: impl RangeBounds<u64>) {
        self.forget(self.copies_in(offsets, |_, slot| slot.doubtful));
    }

    /// Copies with a slot at one of these offsets: their sends and first offsets.
    fn copies_in(
        &self,
        offsets: impl RangeBounds<u64>,
        which: impl Fn(u64, &Slot) -> bool,
    ) -> Vec<(u64, u64)> {
        self.slots
            .range(offsets)
            .map(|(offset, slot)| (offset - u64::from(slot.index), slot))
            .filter(|(base, slot)| which(*base, slot))
            .map(|(base, slot)| (slot.send, base))
            .collect()
    }

    fn forget(&mut self, copies: Vec<(u64, u64)>) {
        for (send, base) in copies {
            self.forget_copy(send, base);
        }
    }

    fn forget_copy(&mut self, id: u64, base: u64) {
        let Some(send) = self.sends.get_mut(&id) else { return };
        let held = send.copies.len();
        send.copies.retain(|&copy| copy != base);
        if send.copies.len() == held {
            return;
        }
        if let Some(key) = order_key(send)
            && self.ordered.get(&key).is_some_and(|at| at.0 == base)
        {
            self.ordered.remove(&key);
        }
        let count = send.records.len() as u64;
        self.open.push(id);
        for offset in base..base + count {
            if self.slots.get(&offset).is_some_and(|slot| slot.send == id) {
                self.slots.remove(&offset);
            }
        }
    }

    fn send(&mut self, send: u64) -> Result<&mut Send, Violation> {
        self.sends.get_mut(&send).ok_or_else(|| {
            Violation::new(ViolationKind::Misuse, format!("send {send} is not known"))
        })
    }

    fn violation(&self, kind: ViolationKind, text: String) -> Violation {
        Violation::new(kind, format!("partition {}: {text}", self.id))
    }
}

fn at_most_once(order: Order) -> bool {
    matches!(order, Order::ExactlyOnce { .. } | Order::Once { .. })
}

/// Producer, epoch and sequence of a send that keeps an order.
fn order_key(send: &Send) -> Option<(u64, u32, u64)> {
    match send.order {
        Order::ExactlyOnce { epoch, sequence } => Some((send.producer, epoch, sequence)),
        Order::Once { place } | Order::Ordered { place } => Some((send.producer, 0, place)),
        Order::Loose => None,
    }
}

//! The ids of records that a partition has appended within its topic's window.
//!
//! Owns how long an id is remembered, how many are, and what is said of a batch that holds some of
//! them. Ids come as they stand in a batch: 16 bytes for each record.
//!
//! Invariant: an id is in `offsets` exactly as long as the batch that brought it is in `batches`;
//! a batch that was refused, or not written, leaves none.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use tidewire_protocol::limits::{MAX_REMEMBERED_IDS, MAX_SEEN_RANGES};
use tidewire_protocol::message::SeenRange;

/// Bytes of an id.
pub(crate) const ID_LEN: usize = 16;
/// The id of a record that has none.
// SPEC B-13
const NO_ID: [u8; ID_LEN] = [0; ID_LEN];
const SAME_BATCH: u64 = SeenRange::SAME_BATCH;

type Id = [u8; ID_LEN];

/// What a window remembers.
#[derive(Debug)]
pub(crate) struct Dedup {
    window_us: i64,
    max_ids: usize,
    offsets: HashMap<Id, u64>,
    /// Oldest first.
    batches: VecDeque<Batch>,
    /// How many of them, at the end, are queued and may yet be revoked.
    queued: usize,
}

/// The ids of one batch.
#[derive(Debug)]
struct Batch {
    append_time_us: i64,
    base_offset: u64,
    ids: Box<[u8]>,
}

/// Records of a batch whose ids were seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// In order, perhaps not all.
    pub(super) ranges: Vec<SeenRange>,
    /// How many records of the batch, those included that `ranges` has no room for.
    pub(super) records: u32,
    /// The offset after the last one that they were seen at.
    pub(super) end_offset: u64,
}

impl Dedup {
    /// A window of this length.
    pub(crate) fn new(window_ms: u64) -> Self {
        Self {
            window_us: micros(window_ms),
            max_ids: MAX_REMEMBERED_IDS as usize,
            offsets: HashMap::new(),
            batches: VecDeque::new(),
            queued: 0,
        }
    }

    /// Takes another length for the window. A longer one does not bring back what was forgotten.
    pub(crate) fn keep_to(&mut self, window_ms: u64) {
        self.window_us = micros(window_ms);
    }

    /// What was appended before this is of no interest at `now_us`.
    pub(crate) fn begins_us(&self, now_us: i64) -> i64 {
        now_us.saturating_sub(self.window_us)
    }

    /// Queues the ids of a batch that is to be appended at `base_offset`; or says which of them
    /// were seen, and queues none.
    // SPEC I-13, I-14
    pub(super) fn push(
        &mut self,
        ids: &[u8],
        base_offset: u64,
        now_us: i64,
    ) -> Result<(), Seen> {
        self.expire(now_us);
        let mut seen = Seen { ranges: Vec::new(), records: 0, end_offset: 0 };
        for (index, id) in each(ids) {
            match self.offsets.entry(id) {
                Entry::Vacant(place) => _ = place.insert(base_offset + u64::from(index)),
                Entry::Occupied(place) => seen.add(index, *place.get(), base_offset),
            }
        }
        let batch = Batch { append_time_us: now_us, base_offset, ids: ids.into() };
        if seen.records > 0 {
            self.forget(&batch);
            return Err(seen);
        }
        self.batches.push_back(batch);
        self.queued += 1;
        Ok(())
    }

    /// What is queued was appended.
    pub(super) fn settle(&mut self) {
        self.queued = 0;
        while self.offsets.len() > self.max_ids {
            self.pop();
        }
    }

    /// What is queued could not be appended.
    pub(super) fn revoke(&mut self) {
        for _ in 0..std::mem::take(&mut self.queued) {
            if let Some(batch) = self.batches.pop_back() {
                self.forget(&batch);
            }
        }
    }

    /// Takes over a batch that stands in the log, newer than those before.
    pub(crate) fn accept(&mut self, ids: &[u8], base_offset: u64, append_time_us: i64) {
        for (index, id) in each(ids) {
            self.offsets.insert(id, base_offset + u64::from(index));
        }
        self.batches.push_back(Batch { append_time_us, base_offset, ids: ids.into() });
        self.settle();
    }

    /// Forgets what has left the window.
    fn expire(&mut self, now_us: i64) {
        let begins_us = self.begins_us(now_us);
        let over = |batch: &Batch| batch.append_time_us < begins_us;
        while self.batches.len() > self.queued && self.batches.front().is_some_and(over) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(batch) = self.batches.pop_front() {
            self.forget(&batch);
        }
        if self.offsets.is_empty() && self.offsets.capacity() > 1 << 16 {
            // A quiet topic gives its memory back.
            self.offsets = HashMap::new();
        }
    }

    fn forget(&mut self, batch: &Batch) {
        for (index, id) in each(&batch.ids) {
            if let Entry::Occupied(place) = self.offsets.entry(id)
                && *place.get() == batch.base_offset + u64::from(index)
            {
                place.remove();
            }
        }
    }
}

impl Seen {
    fn add(&mut self, index: u32, offset: u64, base_offset: u64) {
        self.records += 1;
        // Offsets of this very batch are not given out yet.
        let offset = if offset >= base_offset { SAME_BATCH } else { offset };
        if offset != SAME_BATCH {
            self.end_offset = self.end_offset.max(offset + 1);
        }
        if let Some(last) = self.ranges.last_mut()
            && last.first_index + last.count == index
            && (last.base_offset == SAME_BATCH) == (offset == SAME_BATCH)
            && (offset == SAME_BATCH || last.base_offset + u64::from(last.count) == offset)
        {
            last.count += 1;
        } else if self.ranges.len() < MAX_SEEN_RANGES as usize {
            self.ranges.push(SeenRange { first_index: index, count: 1, base_offset: offset });
        }
    }
}

fn micros(window_ms: u64) -> i64 {
    i64::try_from(window_ms.saturating_mul(1000)).unwrap_or(i64::MAX)
}

/// The ids of a batch and the records that have them.
fn each(ids: &[u8]) -> impl Iterator<Item = (u32, Id)> {
    let (ids, _) = ids.as_chunks::<ID_LEN>();
    (0u32..).zip(ids.iter().copied()).filter(|(_, id)| *id != NO_ID)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u8]) -> Vec<u8> {
        numbers.iter().flat_map(|&number| [number; ID_LEN]).collect()
    }

    fn range(first_index: u32, count: u32, base_offset: u64) -> SeenRange {
        SeenRange { first_index, count, base_offset }
    }

    /// SPEC I-13
    #[test]
    fn an_id_is_seen_until_its_window_is_over() {
        let mut dedup = Dedup::new(1);
        assert_eq!(dedup.push(&ids(&[1, 2, 3]), 10, 0), Ok(()));
        dedup.settle();
        let seen = dedup.push(&ids(&[9, 2, 3, 1]), 13, 1000).expect_err("within the window");
        assert_eq!(seen.ranges, [range(1, 2, 11), range(3, 1, 10)]);
        assert_eq!((seen.records, seen.end_offset), (3, 13));
        assert_eq!(dedup.push(&ids(&[9]), 13, 1000), Ok(()), "a refusal leaves no trace");
        dedup.settle();
        assert_eq!(dedup.push(&ids(&[1, 2, 3]), 14, 1001), Ok(()), "the window is over");
        dedup.settle();
        assert_eq!(dedup.push(&ids(&[9]), 17, 2000).expect_err("not yet").end_offset, 14);
    }

    /// SPEC I-14, I-15: of equal ids in one batch the first one counts.
    #[test]
    fn equal_ids_in_one_batch_are_seen_too() {
        let mut dedup = Dedup::new(1000);
        let seen = dedup.push(&ids(&[1, 1, 1, 2]), 0, 0).expect_err("twice");
        assert_eq!(seen.ranges, [range(1, 2, SAME_BATCH)]);
        assert_eq!((seen.records, seen.end_offset), (2, 0));
        assert_eq!(dedup.push(&ids(&[1, 2]), 0, 0), Ok(()));
    }

    /// SPEC B-13: zero bytes are no id.
    #[test]
    fn records_without_an_id_are_never_seen() {
        let mut dedup = Dedup::new(1000);
        assert_eq!(dedup.push(&ids(&[0, 0]), 0, 0), Ok(()));
        assert_eq!(dedup.push(&ids(&[0]), 2, 0), Ok(()));
        assert!(dedup.offsets.is_empty());
    }

    #[test]
    fn what_is_revoked_leaves_no_trace() {
        let mut dedup = Dedup::new(1000);
        assert_eq!(dedup.push(&ids(&[1]), 0, 0), Ok(()));
        dedup.settle();
        assert_eq!(dedup.push(&ids(&[2]), 1, 0), Ok(()));
        assert!(dedup.push(&ids(&[2]), 2, 0).is_err(), "queued counts");
        dedup.revoke();
        assert_eq!(dedup.push(&ids(&[2]), 1, 0), Ok(()));
        assert!(dedup.push(&ids(&[1]), 2, 0).is_err());
    }

    /// SPEC I-13, I-15: memory and answers are bounded.
    #[test]
    fn the_oldest_ids_go_when_there_are_too_many() {
        let mut dedup = Dedup { max_ids: 3, ..Dedup::new(1000) };
        for number in 1..=5 {
            dedup.push(&ids(&[number]), u64::from(number), 0).expect("new");
            dedup.settle();
        }
        assert_eq!(dedup.offsets.len(), 3);
        assert!(dedup.push(&ids(&[3]), 9, 0).is_err());
        assert_eq!(dedup.push(&ids(&[2]), 9, 0), Ok(()));
        let mut dedup = Dedup::new(1000);
        let many: Vec<u8> = (0..10_000u32)
            .flat_map(|number| [[1; 12].as_slice(), &number.to_le_bytes()].concat())
            .collect();
        dedup.push(&many, 0, 0).expect("new");
        dedup.settle();
        let backwards: Vec<u8> = many.chunks(ID_LEN).rev().flatten().copied().collect();
        let seen = dedup.push(&backwards, 10_000, 0).expect_err("all seen");
        assert_eq!(seen.records, 10_000);
        assert_eq!(seen.ranges.len(), MAX_SEEN_RANGES as usize);
        assert_eq!(seen.ranges[1], range(1, 1, 9_998));
    }
}

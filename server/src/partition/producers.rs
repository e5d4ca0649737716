//! What a partition knows of its producers, and how that outlives the process: in the snapshots
//! beside the log, and in the headers of the batches that came after the last one.
//!
//! Owns how many producers are remembered and which are forgotten. The rules for one of them are
//! [`ProducerState`]'s; when a snapshot is written is the partition's.
//!
//! Invariant: a snapshot holds what was appended and nothing that is merely queued.

use std::collections::HashMap;

use tidewire_protocol::error::Error;
use tidewire_protocol::idempotence::{Accepted, Claim, ProducerState, Verdict};
use tidewire_protocol::limits::{MAX_REMEMBERED_BATCHES, MAX_REMEMBERED_PRODUCERS};

/// Producers held before the oldest are forgotten, all over the limit at once: so that it costs
/// little for each that comes.
const MAX_HELD: usize = KEPT + KEPT / 8;
const KEPT: usize = MAX_REMEMBERED_PRODUCERS as usize;

const VERSION: u32 = 1;
/// Bytes of a snapshot before the producers: version and their number.
const HEAD_LEN: usize = 8;
/// Bytes of a producer before its batches: id and their number.
const PRODUCER_LEN: usize = 12;
/// Bytes of a batch.
const BATCH_LEN: usize = 36;

/// The producers of one partition, by id.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Producers {
    states: HashMap<u64, ProducerState>,
}

impl Producers {
    /// Judges a batch with a producer.
    pub(super) fn judge(&self, claim: &Claim) -> Result<Verdict, Error> {
        match self.states.get(&claim.producer_id) {
            Some(state) => state.judge(claim),
            None => ProducerState::default().judge(claim),
        }
    }

    /// Queues a batch that was judged [`Verdict::Append`].
    pub(super) fn push(&mut self, claim: &Claim, base_offset: u64) {
        self.states.entry(claim.producer_id).or_default().push(claim, base_offset);
    }

    /// What is queued of a producer was appended.
    pub(super) fn settle(&mut self, producer_id: u64, append_time_us: i64) {
        if let Some(state) = self.states.get_mut(&producer_id) {
            state.settle(append_time_us);
        }
    }

    /// What is queued of a producer could not be appended.
    pub(super) fn revoke(&mut self, producer_id: u64) {
        if let Some(state) = self.states.get_mut(&producer_id) {
            state.revoke();
            if state.newest().is_none() {
                self.states.remove(&producer_id);
            }
        }
    }

    /// Takes over a batch that stands in the log.
    pub(super) fn accept(&mut self, claim: &Claim, base_offset: u64, append_time_us: i64) {
        let state = self.states.entry(claim.producer_id).or_default();
        state.accept(claim, base_offset, append_time_us);
        self.forget_oldest();
    }

    /// Forgets those that appended longest ago, if there are too many. Only while nothing is
    /// queued.
    // SPEC I-7
    pub(super) fn forget_oldest(&mut self) {
        if self.states.len() <= MAX_HELD {
            return;
        }
        let last = |state: &ProducerState| state.newest().map_or(0, |batch| batch.base_offset);
        let mut offsets: Vec<u64> = self.states.values().map(last).collect();
        let surplus = offsets.len() - KEPT;
        let (_, &mut first_kept, _) = offsets.select_nth_unstable(surplus);
        self.states.retain(|_, state| last(state) >= first_kept);
    }

    /// The bytes of a snapshot.
    pub(super) fn encode(&self) -> Vec<u8> {
        let batches: usize = self.states.values().map(|state| state.accepted().len()).sum();
        let len = HEAD_LEN + PRODUCER_LEN * self.states.len() + BATCH_LEN * batches;
        let mut bytes = Vec::with_capacity(len);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        let known = self.states.values().filter(|state| state.accepted().len() > 0).count();
        bytes.extend_from_slice(&(known as u32).to_le_bytes());
        for (id, state) in &self.states {
            let accepted = state.accepted();
            if accepted.len() == 0 {
                continue;
            }
            bytes.extend_from_slice(&id.to_le_bytes());
            bytes.extend_from_slice(&(accepted.len() as u32).to_le_bytes());
            for batch in accepted {
                bytes.extend_from_slice(&batch.producer_epoch.to_le_bytes());
                bytes.extend_from_slice(&batch.record_count.to_le_bytes());
                bytes.extend_from_slice(&batch.body_crc.to_le_bytes());
                bytes.extend_from_slice(&batch.base_sequence.to_le_bytes());
                bytes.extend_from_slice(&batch.base_offset.to_le_bytes());
                bytes.extend_from_slice(&batch.append_time_us.to_le_bytes());
            }
        }
        bytes
    }

    /// What a snapshot says; `None` if it is of another version, or not what it should be.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let (version, producers) = (u32_of(&mut bytes)?, u32_of(&mut bytes)?);
        if version != VERSION || producers as usize > bytes.len() / PRODUCER_LEN {
            return None;
        }
        let mut states = HashMap::with_capacity(producers as usize);
        for _ in 0..producers {
            let (id, count) = (u64_of(&mut bytes)?, u32_of(&mut bytes)?);
            // A group that was large when the snapshot was taken may have left a few more.
            if count as usize > bytes.len() / BATCH_LEN {
                return None;
            }
            let mut batches = Vec::with_capacity(count as usize);
            for _ in 0..count {
                batches.push(Accepted {
                    producer_epoch: u32_of(&mut bytes)?,
                    record_count: u32_of(&mut bytes)?,
                    body_crc: u32_of(&mut bytes)?,
                    base_sequence: u64_of(&mut bytes)?,
                    base_offset: u64_of(&mut bytes)?,
                    append_time_us: u64_of(&mut bytes)? as i64,
                });
            }
            states.insert(id, ProducerState::from_accepted(batches));
        }
        bytes.is_empty().then_some(Self { states })
    }
}

fn u32_of(bytes: &mut &[u8]) -> Option<u32> {
    bytes.split_off(..4).map(|bytes| u32::from_le_bytes(bytes.try_into().expect("four bytes")))
}

fn u64_of(bytes: &mut &[u8]) -> Option<u64> {
    bytes.split_off(..8).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight bytes")))
}

// The largest snapshot must fit: every producer with all its batches, and one queued group.
const _: () = assert!(
    HEAD_LEN + MAX_HELD * (PRODUCER_LEN + MAX_REMEMBERED_BATCHES as usize * BATCH_LEN)
        < tidewire_storage::log::MAX_SNAPSHOT_BYTES / 2
);

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(producer_id: u64, base_sequence: u64) -> Claim {
        Claim { producer_id, base_sequence, record_count: 1, body_crc: 7, ..Claim::default() }
    }

    #[test]
    fn a_snapshot_survives_a_round_trip_without_what_is_queued() {
        let mut producers = Producers::default();
        for offset in 0..200 {
            producers.accept(&claim(1 + offset % 7, offset / 7), offset, offset as i64);
        }
        let settled = producers.encode();
        producers.push(&claim(1, 29), 200);
        producers.push(&claim(99, 0), 201);
        assert_eq!(Producers::decode(&producers.encode()).expect("good").states.len(), 7);
        producers.revoke(1);
        producers.revoke(99);
        assert_eq!(Producers::decode(&settled), Some(producers));
    }

    #[test]
    fn a_snapshot_that_is_cut_is_none() {
        let mut producers = Producers::default();
        producers.accept(&claim(1, 0), 0, 0);
        producers.accept(&claim(2, 0), 1, 0);
        let bytes = producers.encode();
        for len in 0..bytes.len() {
            assert_eq!(Producers::decode(&bytes[..len]), None, "{len}");
        }
        assert_eq!(Producers::decode(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(Producers::decode(&[&[9], &bytes[1..]].concat()), None, "another version");
    }

    /// SPEC I-7: the limit, and who stays.
    #[test]
    fn those_that_appended_last_are_remembered() {
        let mut producers = Producers::default();
        let all = 2 * MAX_HELD as u64;
        for offset in 0..all {
            producers.accept(&claim(1 + offset, 0), offset, 0);
            // One that goes on appending is never forgotten.
            producers.accept(&claim(u64::MAX, offset), offset, 0);
            assert!(producers.states.len() <= MAX_HELD);
        }
        let remembered =
            |id| matches!(producers.judge(&claim(id, 0)), Ok(Verdict::Duplicate(_)));
        assert!((all - KEPT as u64 + 2..=all).all(remembered));
        assert!(!remembered(1));
        assert_eq!(producers.judge(&claim(u64::MAX, all)), Ok(Verdict::Append));
    }
}

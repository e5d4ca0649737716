//! What a partition answers to a batch that its producer may have sent before.
//!
//! Owns the rules and the state of one producer in one partition; where the state is kept, and
//! that it moves with the append and never ahead of it, is the partition's. It calls
//! [`ProducerState::judge`], queues what is to be appended with [`ProducerState::push`], and then
//! says what became of it: [`ProducerState::settle`] or [`ProducerState::revoke`].
//!
//! Invariant: what was accepted once is never appended again.

use std::collections::VecDeque;

use crate::batch::Header;
use crate::error::{Code, Error};
use crate::limits::MAX_REMEMBERED_BATCHES;

/// What a batch says of its place among those of its producer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The producer's id; 0 takes no part in this.
    pub producer_id: u64,
    /// Sequence number of the first record.
    pub base_sequence: u64,
    /// The producer's epoch.
    pub producer_epoch: u32,
    /// Number of records.
    pub record_count: u32,
    /// Checksum of all that the producer wrote.
    pub body_crc: u32,
}

impl From<&Header> for Claim {
    fn from(header: &Header) -> Self {
        Self {
            producer_id: header.producer_id,
            base_sequence: header.base_sequence,
            producer_epoch: header.producer_epoch,
            record_count: header.record_count,
            body_crc: header.body_crc,
        }
    }
}

/// What to do with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the next one: append it.
    Append,
    /// It is there already, or queued: answer with `duplicate` and this.
    Duplicate(Accepted),
}

/// A batch that a partition took from a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The producer's epoch.
    pub producer_epoch: u32,
    /// Number of records.
    pub record_count: u32,
    /// Checksum of all that the producer wrote.
    pub body_crc: u32,
    /// Sequence number of the first record.
    pub base_sequence: u64,
    /// Offset of the first record.
    pub base_offset: u64,
    /// When it was appended, in microseconds since the Unix epoch; 0 while it is queued.
    pub append_time_us: i64,
}

impl Accepted {
    /// Sequence number of the record after the last one.
    pub fn next_sequence(&self) -> u64 {
        self.base_sequence.saturating_add(u64::from(self.record_count))
    }

    /// Offset after the last record.
    pub fn end_offset(&self) -> u64 {
        self.base_offset.saturating_add(u64::from(self.record_count))
    }
}

/// What a partition knows of one producer. The default knows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProducerState {
    /// The last batches, oldest first. The newest one tells epoch and next sequence.
    batches: VecDeque<Accepted>,
    /// How many of them, at the end, are queued and may yet be revoked. What they would push out
    /// stays until they are settled.
    queued: usize,
}

impl ProducerState {
    /// Judges a batch of this producer's, whose id is not 0. Changes nothing.
    ///
    /// # Errors
    /// `PRODUCER_FENCED`, `SEQUENCE_GAP` or `SEQUENCE_OVERLAP`; nothing may be appended.
    pub fn judge(&self, batch: &Claim) -> Result<Verdict, Error> {
        let Claim { producer_id, producer_epoch, base_sequence, .. } = *batch;
        let newest = self.batches.back();
        // SPEC I-6
        if let Some(newest) = newest
            && producer_epoch < newest.producer_epoch
        {
            return Err(fenced(producer_id, newest.producer_epoch, producer_epoch));
        }
        let next = newest
            .filter(|newest| newest.producer_epoch == producer_epoch)
            .map_or(0, Accepted::next_sequence);
        // SPEC I-4
        if base_sequence > next {
            return Err(Error::new(
                Code::SEQUENCE_GAP,
                format!(
                    "producer {producer_id} is at sequence {next}, the batch begins at \
                     {base_sequence}"
                ),
            ));
        }
        if base_sequence == next {
            return Ok(Verdict::Append);
        }
        // SPEC I-3
        let last = self.batches.iter().rev().take(MAX_REMEMBERED_BATCHES as usize);
        let same = last.into_iter().find(|old| {
            (old.producer_epoch, old.base_sequence, old.record_count, old.body_crc)
                == (producer_epoch, base_sequence, batch.record_count, batch.body_crc)
        });
        // SPEC I-5
        same.copied().map(Verdict::Duplicate).ok_or_else(|| {
            Error::new(
                Code::SEQUENCE_OVERLAP,
                format!(
                    "producer {producer_id} is at sequence {next}, the batch begins at \
                     {base_sequence} and is none of those remembered"
                ),
            )
        })
    }

    /// Queues a batch, judged [`Verdict::Append`]: later ones are judged as if it had been
    /// appended at `base_offset`.
    pub fn push(&mut self, batch: &Claim, base_offset: u64) {
        self.batches.push_back(Accepted {
            producer_epoch: batch.producer_epoch,
            record_count: batch.record_count,
            body_crc: batch.body_crc,
            base_sequence: batch.base_sequence,
            base_offset,
            append_time_us: 0,
        });
        self.queued += 1;
    }

    /// What is queued was appended.
    pub fn settle(&mut self, append_time_us: i64) {
        let queued = std::mem::take(&mut self.queued);
        let from = self.batches.len() - queued;
        for batch in self.batches.range_mut(from..) {
            batch.append_time_us = append_time_us;
        }
        let Some(epoch) = self.batches.back().map(|newest| newest.producer_epoch) else {
            return;
        };
        // Sequences of another epoch mean nothing any more.
        while self.batches.len() > MAX_REMEMBERED_BATCHES as usize
            || self.batches.front().is_some_and(|oldest| oldest.producer_epoch != epoch)
        {
            self.batches.pop_front();
        }
        // One large group must not cost memory for ever.
        if self.batches.capacity() > 4 * MAX_REMEMBERED_BATCHES as usize {
            self.batches.shrink_to(MAX_REMEMBERED_BATCHES as usize);
        }
    }

    /// What is queued could not be appended: it leaves no trace.
    // SPEC I-7
    pub fn revoke(&mut self) {
        let queued = std::mem::take(&mut self.queued);
        self.batches.truncate(self.batches.len() - queued);
    }

    /// Takes a batch over that stands in the log.
    pub fn accept(&mut self, batch: &Claim, base_offset: u64, append_time_us: i64) {
        self.push(batch, base_offset);
        self.settle(append_time_us);
    }

    /// The batches that are remembered and not merely queued, oldest first.
    pub fn accepted(&self) -> impl ExactSizeIterator<Item = &Accepted> {
        self.batches.range(..self.batches.len() - self.queued)
    }

    /// A state that remembers `accepted`, oldest first.
    pub fn from_accepted(accepted: impl IntoIterator<Item = Accepted>) -> Self {
        let mut state = Self { batches: accepted.into_iter().collect(), queued: 0 };
        if let Some(newest) = state.batches.back().copied() {
            // Cuts what is too much, and leaves the times alone.
            state.queued = 1;
            state.settle(newest.append_time_us);
        }
        state
    }

    /// The newest batch, queued or not.
    pub fn newest(&self) -> Option<&Accepted> {
        self.batches.back()
    }
}

/// The answer to a batch of an epoch that is over.
// SPEC I-6
pub fn fenced(producer_id: u64, epoch: u32, given: u32) -> Error {
    Error::new(
        Code::PRODUCER_FENCED,
        format!("producer {producer_id} has epoch {epoch}, the batch epoch {given}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{BatchBuilder, RecordRef, Sequence};

    fn batch(epoch: u32, sequence: u64, values: &[&[u8]]) -> Claim {
        let mut builder = BatchBuilder::new(1 << 20, 100);
        for value in values {
            builder.push(&RecordRef { value: Some(value), ..RecordRef::at(0) }).expect("room");
        }
        let sequence =
            Sequence { producer_id: 7, producer_epoch: epoch, base_sequence: sequence };
        Claim::from(&Header::parse(&builder.seal(sequence)).expect("sealed"))
    }

    fn code(state: &ProducerState, batch: &Claim) -> Code {
        state.judge(batch).expect_err("refused").code
    }

    fn state_after_three() -> ProducerState {
        let mut state = ProducerState::default();
        let first = batch(1, 0, &[b"a", b"b", b"c"]);
        assert_eq!(state.judge(&first), Ok(Verdict::Append));
        state.accept(&first, 100, 5);
        state
    }

    /// SPEC I-3: an equal batch is answered with its first offset and time.
    #[test]
    fn an_equal_batch_is_a_duplicate_with_its_first_offset() {
        let state = state_after_three();
        let again = batch(1, 0, &[b"a", b"b", b"c"]);
        let Ok(Verdict::Duplicate(first)) = state.judge(&again) else {
            panic!("{:?}", state.judge(&again));
        };
        assert_eq!((first.base_offset, first.append_time_us), (100, 5));
    }

    /// SPEC I-4: also at the start, where the first sequence is 0.
    #[test]
    fn a_gap_is_refused() {
        let state = state_after_three();
        assert_eq!(code(&state, &batch(1, 4, &[b"x"])), Code::SEQUENCE_GAP);
        assert_eq!(state.judge(&batch(1, 3, &[b"x"])), Ok(Verdict::Append));
        let fresh = ProducerState::default();
        assert_eq!(code(&fresh, &batch(1, 1, &[b"x"])), Code::SEQUENCE_GAP);
    }

    /// SPEC I-5: other records under old sequence numbers, and batches no longer remembered.
    #[test]
    fn an_overlap_is_refused() {
        let mut state = state_after_three();
        for (sequence, values) in
            [(0, &[b"a"][..]), (0, &[b"a", b"b", b"X"]), (1, &[b"b", b"c"]), (2, &[b"c", b"d"])]
        {
            let values: Vec<&[u8]> = values.iter().map(|value| &value[..]).collect();
            let refused = batch(1, sequence, &values);
            assert_eq!(code(&state, &refused), Code::SEQUENCE_OVERLAP, "{sequence}");
        }
        for sequence in 3..3 + u64::from(MAX_REMEMBERED_BATCHES) {
            state.accept(&batch(1, sequence, &[b"x"]), sequence, 0);
        }
        let forgotten = batch(1, 0, &[b"a", b"b", b"c"]);
        assert_eq!(code(&state, &forgotten), Code::SEQUENCE_OVERLAP);
        assert!(matches!(
            state.judge(&batch(1, 3, &[b"x"])),
            Ok(Verdict::Duplicate(Accepted { base_offset: 3, .. }))
        ));
    }

    /// SPEC I-6: a newer epoch begins at 0 and fences the older one.
    #[test]
    fn an_old_epoch_is_fenced() {
        let mut state = state_after_three();
        assert_eq!(code(&state, &batch(2, 3, &[b"x"])), Code::SEQUENCE_GAP);
        let newer = batch(2, 0, &[b"x"]);
        assert_eq!(state.judge(&newer), Ok(Verdict::Append));
        state.accept(&newer, 103, 6);
        assert_eq!(code(&state, &batch(1, 3, &[b"y"])), Code::PRODUCER_FENCED);
        assert_eq!(code(&state, &batch(1, 0, &[b"a", b"b", b"c"])), Code::PRODUCER_FENCED);
        let error = state.judge(&batch(1, 3, &[b"y"])).expect_err("fenced");
        assert!(error.disposition.has(crate::error::Disposition::FENCED));
    }

    /// SPEC I-7: judging changes nothing, and what was queued and not appended may come again.
    #[test]
    fn a_failed_append_leaves_the_state_behind() {
        let mut state = state_after_three();
        let next = batch(1, 3, &[b"x"]);
        assert_eq!(state.judge(&next), Ok(Verdict::Append));
        state.push(&next, 103);
        assert!(matches!(state.judge(&next), Ok(Verdict::Duplicate(_))), "queued");
        assert_eq!(state.judge(&batch(1, 4, &[b"y"])), Ok(Verdict::Append));
        assert_eq!(state.accepted().len(), 1, "queued is not accepted");
        state.revoke();
        assert_eq!(state, state_after_three());
        assert_eq!(state.judge(&next), Ok(Verdict::Append));
    }

    /// SPEC I-7: what the queued batches of a new epoch would push out is back when they fail.
    #[test]
    fn a_revoked_epoch_gives_the_old_one_back() {
        let mut state = state_after_three();
        for sequence in 0..2 * u64::from(MAX_REMEMBERED_BATCHES) {
            let newer = batch(2, sequence, &[b"x"]);
            assert_eq!(state.judge(&newer), Ok(Verdict::Append), "{sequence}");
            state.push(&newer, 103 + sequence);
        }
        assert_eq!(code(&state, &batch(1, 3, &[b"y"])), Code::PRODUCER_FENCED);
        let mut failed = state.clone();
        failed.revoke();
        assert_eq!(failed, state_after_three());
        state.settle(7);
        assert_eq!(state.accepted().len(), MAX_REMEMBERED_BATCHES as usize);
        assert!(state.accepted().all(|batch| batch.append_time_us == 7));
    }

    #[test]
    fn a_state_survives_being_taken_apart() {
        let mut state = state_after_three();
        for sequence in 3..40 {
            state.accept(&batch(1, sequence, &[b"x"]), sequence, sequence as i64);
        }
        assert_eq!(ProducerState::from_accepted(state.accepted().copied()), state);
        assert_eq!(ProducerState::from_accepted([]), ProducerState::default());
    }
}

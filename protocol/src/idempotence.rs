//! What a partition answers to a batch that its producer may have sent before.
//!
//! Owns the rules and the state of one producer in one partition; where the state is kept, and
//! that it moves with the append and never ahead of it, is the partition's: it calls
//! [`ProducerState::judge`] before it appends and [`ProducerState::accept`] once the batch has
//! its offset. Invariant: what was accepted once is never appended again.

use std::collections::VecDeque;

use crate::batch::Header;
use crate::error::{Code, Error};
use crate::limits::MAX_REMEMBERED_BATCHES;

/// What to do with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the next one: append it.
    Append,
    /// It is there already: answer with `duplicate` and this.
    Duplicate {
        /// Offset of its first record.
        base_offset: u64,
        /// When it was appended, in microseconds since the Unix epoch.
        append_time_us: i64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Accepted {
    base_sequence: u64,
    record_count: u32,
    body_crc: u32,
    base_offset: u64,
    append_time_us: i64,
}

/// What a partition knows of one producer. The default knows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProducerState {
    epoch: u32,
    next_sequence: u64,
    recent: VecDeque<Accepted>,
}

impl ProducerState {
    /// Judges a batch of this producer's, whose id is not 0.
    ///
    /// # Errors
    /// `PRODUCER_FENCED`, `SEQUENCE_GAP` or `SEQUENCE_OVERLAP`; nothing may be appended.
    pub fn judge(&self, batch: &Header) -> Result<Verdict, Error> {
        let (epoch, sequence) = (batch.producer_epoch, batch.base_sequence);
        let known = !self.recent.is_empty();
        // SPEC I-6
        if known && epoch < self.epoch {
            return Err(Error::new(
                Code::PRODUCER_FENCED,
                format!(
                    "producer {} has epoch {}, the batch epoch {epoch}",
                    batch.producer_id, self.epoch
                ),
            ));
        }
        let next = if known && epoch == self.epoch { self.next_sequence } else { 0 };
        // SPEC I-4
        if sequence > next {
            return Err(Error::new(
                Code::SEQUENCE_GAP,
                format!(
                    "producer {} is at sequence {next}, the batch begins at {sequence}",
                    batch.producer_id
                ),
            ));
        }
        if sequence == next {
            return Ok(Verdict::Append);
        }
        // SPEC I-3
        let same = self.recent.iter().find(|old| {
            (old.base_sequence, old.record_count, old.body_crc)
                == (sequence, batch.record_count, batch.body_crc)
        });
        // SPEC I-5
        same.map(|old| Verdict::Duplicate {
            base_offset: old.base_offset,
            append_time_us: old.append_time_us,
        })
        .ok_or_else(|| {
            Error::new(
                Code::SEQUENCE_OVERLAP,
                format!(
                    "producer {} is at sequence {next}, the batch begins at {sequence} and is \
                     none of those remembered",
                    batch.producer_id
                ),
            )
        })
    }

    /// Records that a batch, judged [`Verdict::Append`], got its offset.
    pub fn accept(&mut self, batch: &Header, base_offset: u64, append_time_us: i64) {
        if batch.producer_epoch != self.epoch {
            // Sequences of another epoch mean nothing any more.
            self.recent.clear();
            self.epoch = batch.producer_epoch;
        }
        if self.recent.len() == MAX_REMEMBERED_BATCHES as usize {
            self.recent.pop_front();
        }
        self.recent.push_back(Accepted {
            base_sequence: batch.base_sequence,
            record_count: batch.record_count,
            body_crc: batch.body_crc,
            base_offset,
            append_time_us,
        });
        self.next_sequence = batch.base_sequence.saturating_add(u64::from(batch.record_count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{BatchBuilder, RecordRef, Sequence};

    fn batch(epoch: u32, sequence: u64, values: &[&[u8]]) -> Header {
        let mut builder = BatchBuilder::new(1 << 20, 100);
        for value in values {
            builder.push(&RecordRef { value: Some(value), ..RecordRef::at(0) }).expect("room");
        }
        let sequence =
            Sequence { producer_id: 7, producer_epoch: epoch, base_sequence: sequence };
        Header::parse(&builder.seal(sequence)).expect("sealed")
    }

    fn code(state: &ProducerState, header: &Header) -> Code {
        state.judge(header).expect_err("refused").code
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
        let expected = Verdict::Duplicate { base_offset: 100, append_time_us: 5 };
        assert_eq!(state.judge(&again), Ok(expected));
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
            Ok(Verdict::Duplicate { base_offset: 3, .. })
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

    /// SPEC I-7: judging changes nothing, so a batch that could not be appended may come again.
    #[test]
    fn a_failed_append_leaves_the_state_behind() {
        let state = state_after_three();
        let next = batch(1, 3, &[b"x"]);
        assert_eq!(state.judge(&next), Ok(Verdict::Append));
        assert_eq!(state.judge(&next), Ok(Verdict::Append));
        assert_eq!(state, state_after_three());
    }
}

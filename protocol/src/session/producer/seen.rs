//! Batches of which the partition has seen some records before, by their ids.
//!
//! Owns taking those records out of a batch and sealing the rest anew (SPEC I-15), and where each
//! record of the batch stands in the end; leaves sequence numbers to the session. The one
//! invariant: a record keeps the index that it was pushed with, and one that was taken out is
//! never sent again.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use bytes::Bytes;

use super::sequence_of;
use crate::batch::{Batch, BatchBuilder, Compressor, RecordRef, Sealing, ZSTD_LEVEL};
use crate::limits;
use crate::message::{Acks, AppendReply, SeenRange};

/// Neighbouring records of a batch, and what an append of them alone would have been answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Index of the first one in the batch as it was pushed.
    pub first_index: u32,
    /// How many, 1 or more.
    pub count: u32,
    /// Where they stand. For those that were seen it is a duplicate, with the append time 0: a
    /// server does not tell the time of the first one. `None` if they have the batch's error.
    pub reply: Option<AppendReply>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In what is left of the batch, at this index.
    Left(u32),
    /// At this offset.
    Offset(u64),
    /// Where the record of this index is, a lower one.
    As(u32),
}

/// Where the records of a batch are, by the index that they were pushed with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Places(Vec<At>);

impl Places {
    /// All in the batch.
    pub(super) fn all_left(records: u32) -> Self {
        Self((0..records).map(At::Left).collect())
    }

    /// What became of the records. `rest` is the reply to what was left of the batch, `acks` what
    /// it was sent with.
    pub(super) fn parts(&self, rest: Option<&AppendReply>, acks: Acks) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for (index, at) in (0u32..).zip(&self.0) {
            let reply = self.reply(*at, rest, acks);
            if let Some(part) = parts.last_mut()
                && follows(part, reply.as_ref())
            {
                part.count += 1;
            } else {
                parts.push(Part { first_index: index, count: 1, reply });
            }
        }
        parts
    }

    fn reply(&self, at: At, rest: Option<&AppendReply>, acks: Acks) -> Option<AppendReply> {
        match at {
            At::Left(index) => rest.map(|rest| AppendReply {
                base_offset: rest.base_offset.saturating_add(u64::from(index)),
                ..rest.clone()
            }),
            // SPEC I-14: what was seen has reached the level that was asked for.
            At::Offset(base_offset) => {
                Some(AppendReply { base_offset, append_time_us: 0, acks, duplicate: true })
            }
            At::As(first) => {
                let first = self.reply(self.0[first as usize], rest, acks)?;
                Some(AppendReply { duplicate: true, ..first })
            }
        }
    }
}

/// Whether a record with this reply continues a part.
fn follows(part: &Part, reply: Option<&AppendReply>) -> bool {
    match (&part.reply, reply) {
        (Some(first), Some(reply)) => {
            let next = first.base_offset.checked_add(u64::from(part.count));
            next == Some(reply.base_offset)
                && AppendReply { base_offset: first.base_offset, ..reply.clone() } == *first
        }
        (first, reply) => first.is_none() && reply.is_none(),
    }
}

/// Takes the records that were seen out of a batch: what is left of it and the number of its
/// records, or `None` if nothing is. By what it is encrypted, and for which partition, says `sealing`.
/// An error, and no change, if `seen` makes no sense for it.
pub(super) fn take_out(
    places: &mut Places,
    bytes: &Bytes,
    seen: &[SeenRange],
    sealing: Option<(&Sealing, u32)>,
) -> Result<Option<(Bytes, u32)>, ()> {
    let batch = match sealing {
        Some((sealing, partition)) => {
            Batch::decode_with(bytes.clone(), &sealing.keys(), sealing.place(partition))
        }
        None => Batch::decode(bytes.clone()),
    };
    let batch = batch.map_err(drop)?;
    let sequence = sequence_of(bytes).ok_or(())?;
    // From the indices of this batch to those that its records were pushed with.
    let pushed: Vec<u32> = (0u32..)
        .zip(&places.0)
        .filter_map(|(index, at)| matches!(at, At::Left(_)).then_some(index))
        .collect();
    if seen.is_empty() || pushed.len() != batch.len() {
        return Err(());
    }
    let first_with = first_by_id(&batch, seen);
    let mut gone: Vec<Option<At>> = vec![None; batch.len()];
    for range in seen {
        for step in 0..range.count {
            let index = range.first_index.checked_add(step).ok_or(())? as usize;
            let place = gone.get_mut(index).ok_or(())?;
            *place = Some(if range.base_offset == SeenRange::SAME_BATCH {
                let id = batch.get(index).and_then(|record| record.id()).ok_or(())?;
                let first = *first_with.get(&id).filter(|first| **first < index).ok_or(())?;
                At::As(pushed[first])
            } else {
                At::Offset(range.base_offset.checked_add(u64::from(step)).ok_or(())?)
            });
        }
    }
    let taken = gone.iter().flatten().count();
    if taken == 0 {
        return Err(());
    }
    let (max_len, max_records) = (limits::MAX_BATCH_LEN, limits::MAX_BATCH_RECORDS);
    let mut builder = match sealing {
        Some(_) => BatchBuilder::of_encrypted(max_len as usize, max_records as usize),
        None => BatchBuilder::new(max_len as usize, max_records as usize),
    };
    for (record, _) in batch.iter().zip(&gone).filter(|(_, gone)| gone.is_none()) {
        let headers: Vec<(&str, &[u8])> = record.headers().collect();
        let record = RecordRef {
            key: record.key(),
            value: record.value(),
            headers: &headers,
            id: record.id(),
            timestamp_us: record.timestamp_us(),
        };
        // A part of a batch is no larger and spans no more time than the whole.
        builder.push(&record).map_err(drop)?;
    }
    let mut left = 0;
    for (index, gone) in pushed.into_iter().zip(gone) {
        places.0[index as usize] = gone.unwrap_or_else(|| {
            left += 1;
            At::Left(left - 1)
        });
    }
    if left == 0 {
        return Ok(None);
    }
    let mut compressor = Compressor::new(batch.header().codec, ZSTD_LEVEL);
    let rest = match sealing {
        Some((sealing, partition)) => {
            builder.seal_encrypted(sequence, &mut compressor, sealing, partition)
        }
        None => builder.seal_with(sequence, &mut compressor),
    };
    Ok(Some((rest, left)))
}

/// The first record of each id, if one is asked for.
fn first_by_id(batch: &Batch, seen: &[SeenRange]) -> HashMap<[u8; 16], usize> {
    let mut first = HashMap::new();
    if seen.iter().any(|range| range.base_offset == SeenRange::SAME_BATCH) {
        for (index, record) in batch.iter().enumerate() {
            if let Some(id) = record.id()
                && let Entry::Vacant(place) = first.entry(id)
            {
                place.insert(index);
            }
        }
    }
    first
}

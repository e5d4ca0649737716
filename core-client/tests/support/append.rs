//! Appending in the server in this process: duplicates, sequences and ids as a real one judges them.

use std::collections::HashMap;
use std::time::Instant;

use bytes::Bytes;
use tidewire_protocol::batch::{self, Limits, Stamp};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::idempotence::{Accepted, Claim, Verdict};
use tidewire_protocol::message::*;

use super::{Appended, Faults, Place, State};

pub(super) fn append(
    state: &mut State,
    place: &Place,
    payload: &Bytes,
    acks: Acks,
    faults: &Faults,
) -> Result<AppendReply, Error> {
    let (header, _) = batch::validate(payload, Limits::PROTOCOL)?;
    let number = state.log.appends.len();
    state.log.appends.push(Appended {
        partition: place.partition,
        records: header.record_count,
        base_sequence: header.base_sequence,
        codec: header.codec,
        len: payload.len(),
        at: Instant::now(),
    });
    if let Some(error) = faults.append_errors.get(&number).or(faults.append_error.as_ref()) {
        return Err(error.clone());
    }
    let has_window = state.topic(&place.stream, &place.topic)?.info.dedup_window_ms > 0;
    let partition = state.partition(place)?;
    let idempotent = header.producer_id != 0;
    if idempotent {
        let producer = partition.producers.entry(header.producer_id).or_default();
        if let Verdict::Duplicate(first) = producer.judge(&Claim::from(&header))? {
            state.log.duplicates += 1;
            let Accepted { base_offset, append_time_us, .. } = first;
            return Ok(AppendReply { base_offset, append_time_us, acks, duplicate: true });
        }
    }
    let base_offset = partition.next_offset;
    if has_window {
        judge_ids(&mut partition.ids, payload, base_offset)?;
    }
    let append_time_us = 1_000 + base_offset as i64;
    if idempotent && let Some(producer) = partition.producers.get_mut(&header.producer_id) {
        producer.accept(&Claim::from(&header), base_offset, append_time_us);
    }
    let stamp = Stamp { base_offset, append_time_us, leader_epoch: 1 };
    let mut bytes = payload.to_vec();
    let rest = bytes[batch::STAMP_LEN..batch::HEADER_LEN].try_into().expect("80 - 24 is 56");
    bytes[..batch::STAMP_LEN].copy_from_slice(&stamp.encode(&rest));
    partition.next_offset += u64::from(header.record_count);
    partition.batches.push((partition.next_offset, bytes.into()));
    Ok(AppendReply { base_offset, append_time_us, acks, duplicate: false })
}

/// Remembers the ids of a batch, or says which were seen: one range for each record, and no more
/// than [`MAX_SEEN_RANGES`](tidewire_protocol::limits::MAX_SEEN_RANGES).
fn judge_ids(
    ids: &mut HashMap<[u8; 16], u64>,
    payload: &Bytes,
    base_offset: u64,
) -> Result<(), Error> {
    let batch = batch::Batch::decode(payload.clone())?;
    let mut new = HashMap::new();
    let mut seen = Vec::new();
    for (index, record) in (0u32..).zip(batch.iter()) {
        let Some(id) = record.id() else {
            continue;
        };
        let offset = ids.get(&id).copied().or_else(|| new.get(&id).map(|_| u64::MAX));
        match offset {
            Some(base_offset) => {
                seen.push(SeenRange { first_index: index, count: 1, base_offset });
            }
            None => _ = new.insert(id, base_offset + u64::from(index)),
        }
    }
    if seen.is_empty() {
        ids.extend(new);
        return Ok(());
    }
    seen.truncate(tidewire_protocol::limits::MAX_SEEN_RANGES as usize);
    Err(Error { seen, ..Error::new(Code::DUPLICATE_IDS, "ids were seen") })
}

//! Batches of records unlike all others, and what a reader makes of bytes.

use bytes::Bytes;
use tidewire_checker::Digest;
use tidewire_protocol::batch::{
    Batch, BatchBuilder, Codec, Compressor, Header, RecordRef, Sequence, ZSTD_LEVEL,
};

use crate::rng::Rng;

/// A few lengths, so that batches often have the same: what is left of one then fits in the place
/// of another.
const VALUE_LENS: &[usize] = &[0, 40, 40, 40, 200, 200, 700];
/// Longer than the smallest segment.
const LONG_VALUE_LEN: usize = 5_000;

/// What an application knows a record by.
pub(crate) type Id = [u8; 16];

/// Ids that there are: few, so that they come again.
const IDS: u64 = 60;

/// How batches are made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Make {
    /// Some records have ids.
    pub ids: bool,
    /// Some batches are compressed.
    pub codecs: bool,
}

/// A batch, its records' digests, and their ids if they have some.
pub(crate) fn build(
    rng: &mut Rng,
    id: u64,
    records: u64,
    sequence: Sequence,
    make: Make,
) -> (Bytes, Vec<Digest>, Vec<Id>) {
    let with_ids = make.ids && rng.one_in(2);
    let mut ids = Vec::new();
    let len = if rng.one_in(40) { LONG_VALUE_LEN } else { *rng.pick(VALUE_LENS) };
    let mut builder = BatchBuilder::new(1 << 20, 1_000);
    let mut digests = Vec::new();
    for index in 0..records {
        let key = (id << 16 | index).to_le_bytes();
        let fill = rng.next().to_le_bytes();
        let value: Vec<u8> = fill.iter().copied().cycle().take(len).collect();
        let value = (!rng.one_in(16)).then_some(&value[..]);
        let header = [("h", &fill[..])];
        let headers: &[(&str, &[u8])] = if rng.one_in(4) { &header } else { &[] };
        let timestamp_us = 1_000_000 + rng.below(1_000) as i64;
        builder
            .push(&RecordRef {
                key: Some(&key),
                value,
                headers,
                id: with_ids.then(|| {
                    let id = (u128::from(rng.below(IDS)) + 1).to_le_bytes();
                    ids.push(id);
                    id
                }),
                timestamp_us,
            })
            .expect("a few kilobytes fit");
        let flat = headers.iter().flat_map(|(name, value)| [name.as_bytes(), value]);
        digests.push(digest(Some(&key), value, timestamp_us, flat));
    }
    let codec = if make.codecs {
        *rng.pick(&[Codec::None, Codec::Lz4, Codec::Zstd])
    } else {
        Codec::None
    };
    (builder.seal_with(sequence, &mut Compressor::new(codec, ZSTD_LEVEL)), digests, ids)
}

fn digest<'a>(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    timestamp_us: i64,
    headers: impl Iterator<Item = &'a [u8]>,
) -> Digest {
    let headers = headers.collect::<Vec<_>>();
    let time = timestamp_us.to_le_bytes();
    let fixed = [key, value, Some(&time[..])];
    Digest::of(fixed.into_iter().chain(headers.into_iter().map(Some)))
}

/// What bytes from the log turned out to be.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Offset of the first record.
    pub base_offset: u64,
    pub records: Vec<Digest>,
    /// The batches' headers.
    pub headers: Vec<Header>,
    /// Ids, each with the offset of its record and the time at which that was appended.
    pub ids: Vec<(Id, u64, i64)>,
    /// What is wrong with the first batch that cannot be read.
    pub damage: Option<String>,
}

/// The records from `offset` on: of whole batches, one after the other.
pub(crate) fn parse(bytes: Bytes, offset: u64) -> Found {
    walk(bytes, offset, true)
}

/// As [`parse`], of headers alone: most who look want no more, and it costs a tenth.
pub(crate) fn headers(bytes: Bytes, offset: u64) -> Found {
    walk(bytes, offset, false)
}

fn walk(mut bytes: Bytes, offset: u64, with_records: bool) -> Found {
    let mut found = Found { base_offset: offset, ..Found::default() };
    let mut next = None;
    while !bytes.is_empty() {
        let header = match Header::parse(&bytes) {
            Ok(header) if header.total_len as usize <= bytes.len() => header,
            Ok(header) => {
                found.damage = Some(format!("{} of {} bytes", bytes.len(), header.total_len));
                return found;
            }
            Err(malformed) => {
                found.damage = Some(malformed.to_string());
                return found;
            }
        };
        if next.is_some_and(|next| next != header.base_offset) {
            found.damage = Some(format!("{} follows, not {next:?}", header.base_offset));
            return found;
        }
        next = header.next_offset();
        let batch = bytes.split_to(header.total_len as usize);
        if !with_records {
            found.headers.push(header);
            continue;
        }
        let batch = match Batch::decode(batch) {
            Ok(batch) => batch,
            Err(malformed) => {
                found.damage = Some(malformed.to_string());
                return found;
            }
        };
        found.headers.push(header);
        for record in batch.iter().filter(|record| record.offset() >= offset) {
            if let Some(id) = record.id() {
                found.ids.push((id, record.offset(), header.append_time_us));
            }
            let names: Vec<(&str, &[u8])> = record.headers().collect();
            let flat = names.iter().flat_map(|(name, value)| [name.as_bytes(), value]);
            found.records.push(digest(
                record.key(),
                record.value(),
                record.timestamp_us(),
                flat,
            ));
        }
    }
    found
}

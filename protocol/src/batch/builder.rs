//! Building a batch: values go straight to their final place, the rest beside them.
//!
//! `push` copies a value once, into the buffer that will be sent; keys, headers and tables are
//! small and wait in side buffers that are reused from batch to batch. `seal` adds them, writes
//! the header and gives the buffer away. Nothing is allocated per record.

use bytes::Bytes;

use super::codec::{Codec, Compressor};
use super::header::{Columns, HEADER_LEN, Header};
use super::layout::{pad8, tables_len};
use crate::crc::crc32c;

/// A record to push, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'a> {
    /// `None` is no key, which is not an empty one.
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// `(name, value)` pairs; a name is 1 to 65,535 bytes.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Microseconds since the Unix epoch.
    pub timestamp_us: i64,
}

impl RecordRef<'_> {
    /// A tombstone without key or headers at a time: the base for struct update syntax.
    pub const fn at(timestamp_us: i64) -> Self {
        Self { key: None, value: None, headers: &[], timestamp_us }
    }
}

/// The producer's part of a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The producer's id; 0 takes no part in idempotence.
    pub producer_id: u64,
    /// Its epoch.
    pub producer_epoch: u32,
    /// Sequence number of the batch's first record.
    pub base_sequence: u64,
}

/// Why a record was not taken. The builder is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushError {
    /// The batch has no room for it: seal, then push again.
    Full,
    /// The record alone makes a batch of `len` bytes, over `limit`; it can never be sent.
    TooLarge {
        /// Bytes of a batch with only this record.
        len: usize,
        /// Largest batch allowed, in bytes.
        limit: usize,
    },
    /// A header name is empty or over 65,535 bytes.
    HeaderName,
}

impl std::fmt::Display for PushError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("the batch is full"),
            Self::TooLarge { len, limit } => {
                write!(f, "the record needs a batch of {len} bytes, over the limit of {limit}")
            }
            Self::HeaderName => {
                f.write_str("a header name is empty or longer than 65535 bytes")
            }
        }
    }
}

impl std::error::Error for PushError {}

/// Collects records into one batch.
#[derive(Debug)]
pub struct BatchBuilder {
    max_len: usize,
    max_records: usize,
    count: usize,
    /// The columns that the records so far need; a table is kept only once its column is here.
    columns: Columns,
    /// Header space, then values.
    buf: Vec<u8>,
    keys: Vec<u8>,
    headers: Vec<u8>,
    value_ends: Vec<u32>,
    key_ends: Vec<u32>,
    header_ends: Vec<u32>,
    times: Vec<i64>,
    min_time: i64,
    max_time: i64,
    value_validity: Vec<u8>,
    key_validity: Vec<u8>,
    /// Length of the last batch before compression: the next one is likely to be like it.
    last_len: usize,
}

/// Adds the bit of record `index` to a validity bitmap.
#[inline]
fn push_bit(bits: &mut Vec<u8>, index: usize, valid: bool) {
    if index.is_multiple_of(8) {
        bits.push(0);
    }
    bits[index / 8] |= u8::from(valid) << (index % 8);
}

impl BatchBuilder {
    /// A builder of batches of at most `max_len` bytes and `max_records` records; both are held
    /// to the protocol's limits.
    pub fn new(max_len: usize, max_records: usize) -> Self {
        Self {
            max_len: max_len.min(crate::limits::MAX_BATCH_LEN as usize),
            max_records: max_records.min(crate::limits::MAX_BATCH_RECORDS as usize),
            count: 0,
            columns: Columns::default(),
            buf: Vec::new(),
            keys: Vec::new(),
            headers: Vec::new(),
            value_ends: Vec::new(),
            key_ends: Vec::new(),
            header_ends: Vec::new(),
            times: Vec::new(),
            min_time: i64::MAX,
            max_time: i64::MIN,
            value_validity: Vec::new(),
            key_validity: Vec::new(),
            last_len: 0,
        }
    }

    /// Number of records so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no record yet.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes that the sealed batch would have at most.
    pub fn sealed_len(&self) -> usize {
        self.len_with(0, self.count, self.columns)
    }

    /// The columns that a batch needs once it holds `record` too.
    #[inline]
    fn columns_with(&self, record: &RecordRef<'_>, spread: bool) -> Columns {
        let keys = record.key.is_some() || self.columns.has(Columns::KEYS);
        // Some have a key and some do not: this one and one before it, or two before it.
        let first_key = record.key.is_some() && !self.columns.has(Columns::KEYS);
        let key_nulls = keys && (record.key.is_none() || (first_key && self.count > 0));
        self.columns
            .with(Columns::KEYS, keys)
            .with(Columns::KEY_NULLS, key_nulls)
            .with(Columns::HEADERS, !record.headers.is_empty())
            .with(Columns::VALUE_NULLS, record.value.is_none())
            .with(Columns::TIMES, spread)
    }

    #[inline]
    fn len_with(&self, extra: usize, count: usize, columns: Columns) -> usize {
        let data = self.buf.len().max(HEADER_LEN) - HEADER_LEN
            + self.keys.len()
            + self.headers.len()
            + extra;
        HEADER_LEN + pad8(data) + tables_len(count, columns)
    }

    /// Adds a record and returns its index.
    pub fn push(&mut self, record: &RecordRef<'_>) -> Result<usize, PushError> {
        let index = self.count;
        let value = record.value.unwrap_or_default();
        let key = record.key.unwrap_or_default();
        let mut headers_len = 0;
        for (name, value) in record.headers {
            if name.is_empty() || name.len() > usize::from(u16::MAX) {
                return Err(PushError::HeaderName);
            }
            headers_len += 6 + name.len() + value.len();
        }

        let min_time = self.min_time.min(record.timestamp_us);
        let max_time = self.max_time.max(record.timestamp_us);
        let columns = self.columns_with(record, min_time < max_time);
        let extra = value.len() + key.len() + headers_len;
        let len = self.len_with(extra, index + 1, columns);
        if len > self.max_len {
            return Err(if index == 0 {
                PushError::TooLarge { len, limit: self.max_len }
            } else {
                PushError::Full
            });
        }
        if index == self.max_records || max_time.abs_diff(min_time) > u64::from(u32::MAX) {
            return Err(PushError::Full);
        }

        if index == 0 {
            self.buf.reserve(self.last_len.min(self.max_len).max(HEADER_LEN + value.len()));
            self.buf.resize(HEADER_LEN, 0);
            self.value_ends.push(0);
        }
        if columns != self.columns {
            self.widen(columns);
        }
        // Every length is below `max_len`, itself below u32::MAX.
        self.buf.extend_from_slice(value);
        self.value_ends.push((self.buf.len() - HEADER_LEN) as u32);
        if columns.has(Columns::KEYS) {
            self.keys.extend_from_slice(key);
            self.key_ends.push(self.keys.len() as u32);
        }
        if columns.has(Columns::HEADERS) {
            for (name, value) in record.headers {
                self.headers.extend_from_slice(&(name.len() as u16).to_le_bytes());
                self.headers.extend_from_slice(&(value.len() as u32).to_le_bytes());
                self.headers.extend_from_slice(name.as_bytes());
                self.headers.extend_from_slice(value);
            }
            self.header_ends.push(self.headers.len() as u32);
        }
        if columns.has(Columns::TIMES) {
            self.times.push(record.timestamp_us);
        }
        if columns.has(Columns::VALUE_NULLS) {
            push_bit(&mut self.value_validity, index, record.value.is_some());
        }
        if columns.has(Columns::KEY_NULLS) {
            push_bit(&mut self.key_validity, index, record.key.is_some());
        }
        self.min_time = min_time;
        self.max_time = max_time;
        self.count += 1;
        Ok(index)
    }

    /// Begins the tables of columns that were not needed before, with what the records so far
    /// have there.
    #[cold]
    fn widen(&mut self, columns: Columns) {
        let count = self.count;
        let begins = |column: Columns| columns.has(column) && !self.columns.has(column);
        if begins(Columns::KEY_NULLS) {
            let had_keys = self.columns.has(Columns::KEYS);
            (0..count).for_each(|index| push_bit(&mut self.key_validity, index, had_keys));
        }
        if begins(Columns::KEYS) {
            self.key_ends.resize(count + 1, 0);
        }
        if begins(Columns::HEADERS) {
            self.header_ends.resize(count + 1, 0);
        }
        if begins(Columns::TIMES) {
            // Until now they all had the same.
            self.times.resize(count, self.min_time);
        }
        if begins(Columns::VALUE_NULLS) {
            (0..count).for_each(|index| push_bit(&mut self.value_validity, index, true));
        }
        self.columns = columns;
    }

    /// Finishes the batch, uncompressed, and leaves the builder empty, ready for the next.
    ///
    /// # Panics
    /// If no record was pushed: an empty batch does not exist.
    // SPEC B-1, B-8, B-12
    pub fn seal(&mut self, sequence: Sequence) -> Bytes {
        self.seal_with(sequence, &mut Compressor::default())
    }

    /// As [`BatchBuilder::seal`], compressed; a batch that would not become smaller stays plain.
    ///
    /// # Panics
    /// If no record was pushed: an empty batch does not exist.
    pub fn seal_with(&mut self, sequence: Sequence, compressor: &mut Compressor) -> Bytes {
        assert!(!self.is_empty(), "a batch holds at least one record");
        let (columns, count) = (self.columns, self.count);
        let total_len = self.len_with(0, count, columns);
        self.last_len = total_len;

        let mut buf = std::mem::take(&mut self.buf);
        buf.reserve_exact(total_len - buf.len());
        buf.extend_from_slice(&self.keys);
        buf.extend_from_slice(&self.headers);
        pad(&mut buf);
        put_words(&mut buf, self.value_ends.iter().copied());
        if columns.has(Columns::KEYS) {
            put_words(&mut buf, self.key_ends.iter().copied());
        }
        if columns.has(Columns::HEADERS) {
            put_words(&mut buf, self.header_ends.iter().copied());
        }
        if columns.has(Columns::TIMES) {
            // `push` keeps the span of times within u32.
            let base = self.min_time;
            put_words(&mut buf, self.times.iter().map(|time| time.wrapping_sub(base) as u32));
        }
        if columns.has(Columns::VALUE_NULLS) {
            buf.extend_from_slice(&self.value_validity);
            pad(&mut buf);
        }
        if columns.has(Columns::KEY_NULLS) {
            buf.extend_from_slice(&self.key_validity);
            pad(&mut buf);
        }
        debug_assert_eq!(buf.len(), total_len);

        let mut header = Header {
            base_offset: 0,
            append_time_us: 0,
            leader_epoch: 0,
            body_crc: 0,
            total_len: total_len as u32,
            codec: Codec::None,
            columns,
            record_count: count as u32,
            base_time_us: self.min_time,
            producer_id: sequence.producer_id,
            base_sequence: sequence.base_sequence,
            producer_epoch: sequence.producer_epoch,
            raw_len: (total_len - HEADER_LEN) as u32,
            key_id: 0,
        };
        let batch = if let Some(stored) = compressor.compress(&buf[HEADER_LEN..]) {
            let mut batch = Vec::with_capacity(HEADER_LEN + stored.len());
            batch.resize(HEADER_LEN, 0);
            batch.extend_from_slice(stored);
            header.codec = compressor.codec();
            // The plain form was not given away: the next batch is built in it.
            buf.clear();
            self.buf = buf;
            batch
        } else {
            buf
        };
        self.clear();
        Bytes::from(finish(batch, header))
    }

    fn clear(&mut self) {
        self.count = 0;
        self.columns = Columns::default();
        self.keys.clear();
        self.headers.clear();
        self.value_ends.clear();
        self.key_ends.clear();
        self.header_ends.clear();
        self.times.clear();
        self.min_time = i64::MAX;
        self.max_time = i64::MIN;
        self.value_validity.clear();
        self.key_validity.clear();
    }
}

/// Writes the header, with the length and both checksums, over the first bytes of a batch.
pub(super) fn finish(mut batch: Vec<u8>, mut header: Header) -> Vec<u8> {
    // Compression only makes it smaller than `max_len`, itself below u32::MAX.
    header.total_len = batch.len() as u32;
    // The body checksum covers most of the header, which in turn carries it.
    batch[..HEADER_LEN].copy_from_slice(&header.encode());
    header.body_crc = crc32c(&batch[28..]);
    batch[..HEADER_LEN].copy_from_slice(&header.encode());
    batch
}

/// The same records under another sequence, as their producer would have sealed them. Copies the
/// batch only if its bytes are shared.
///
/// The batch must be one that was sealed and never appended: a batch whose outcome is unknown is
/// sent again as it is.
// SPEC I-8, I-9
pub fn reseal(batch: Bytes, sequence: Sequence) -> Bytes {
    let Ok(header) = Header::parse(&batch) else {
        return batch;
    };
    let header = Header {
        producer_id: sequence.producer_id,
        base_sequence: sequence.base_sequence,
        producer_epoch: sequence.producer_epoch,
        ..header
    };
    Bytes::from(finish(Vec::from(batch), header))
}

/// Zeros up to a multiple of 8.
fn pad(buf: &mut Vec<u8>) {
    buf.resize(pad8(buf.len()), 0);
}

/// Appends u32s in little-endian order, then zeros up to a multiple of 8.
fn put_words(buf: &mut Vec<u8>, words: impl ExactSizeIterator<Item = u32>) {
    let at = buf.len();
    buf.resize(at + 4 * words.len(), 0);
    for (place, word) in buf[at..].chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    pad(buf);
}

#[cfg(test)]
mod tests {
    use super::super::{Batch, Fault, layout::SMALLEST};
    use super::*;
    use proptest::prelude::*;

    const MAX: usize = 8 << 20;

    fn value(bytes: &[u8]) -> RecordRef<'_> {
        RecordRef { value: Some(bytes), ..RecordRef::at(7) }
    }

    #[test]
    fn the_smallest_batch_is_one_empty_value() {
        let mut builder = BatchBuilder::new(MAX, 10);
        builder.push(&value(b"")).expect("room");
        assert_eq!(builder.seal(Sequence::default()).len(), SMALLEST);
    }

    #[test]
    fn a_batch_sealed_anew_is_as_if_it_had_been_sealed_so() {
        let sealed = |base_sequence| {
            let mut builder = BatchBuilder::new(MAX, 10);
            builder.push(&RecordRef { key: Some(b"k"), ..value(b"v") }).expect("room");
            builder.seal(Sequence { producer_id: 7, producer_epoch: 2, base_sequence })
        };
        let sequence = Sequence { producer_id: 7, producer_epoch: 2, base_sequence: 9 };
        let shared = sealed(3);
        assert_eq!(super::reseal(shared.clone(), sequence), sealed(9));
        assert_eq!(shared, sealed(3), "whoever shares it sees no change");
    }

    #[test]
    fn a_record_over_the_limit_is_told_from_a_full_batch() {
        let mut builder = BatchBuilder::new(4096, 10);
        let big = vec![1; 4096];
        assert!(matches!(
            builder.push(&value(&big)),
            Err(PushError::TooLarge { len: 4184, limit: 4096 })
        ));
        builder.push(&value(b"x")).expect("room");
        assert_eq!(builder.push(&value(&big)), Err(PushError::Full));
        assert_eq!(builder.len(), 1);
    }

    #[test]
    fn the_record_count_has_a_limit() {
        let mut builder = BatchBuilder::new(MAX, 2);
        assert_eq!(builder.push(&value(b"a")), Ok(0));
        assert_eq!(builder.push(&value(b"b")), Ok(1));
        assert_eq!(builder.push(&value(b"c")), Err(PushError::Full));
    }

    #[test]
    fn times_too_far_apart_go_to_another_batch() {
        let mut builder = BatchBuilder::new(MAX, 10);
        builder.push(&RecordRef::at(0)).expect("room");
        let far = i64::from(u32::MAX);
        builder.push(&RecordRef::at(far)).expect("just within reach");
        assert_eq!(builder.push(&RecordRef::at(far + 1)), Err(PushError::Full));
        assert_eq!(builder.push(&RecordRef::at(i64::MIN)), Err(PushError::Full));
    }

    #[test]
    fn null_and_empty_keys_and_values_stay_apart() {
        let mut builder = BatchBuilder::new(MAX, 10);
        type KeyAndValue = (Option<&'static [u8]>, Option<&'static [u8]>);
        let cases: [KeyAndValue; 4] =
            [(None, None), (Some(b""), Some(b"")), (None, Some(b"v")), (Some(b"k"), None)];
        for (key, value) in cases {
            builder.push(&RecordRef { key, value, ..RecordRef::at(0) }).expect("room");
        }
        let batch = Batch::decode(builder.seal(Sequence::default())).expect("valid");
        let got: Vec<_> = batch.iter().map(|record| (record.key(), record.value())).collect();
        assert_eq!(got, cases);
    }

    type Owned = (Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Vec<u8>)>, i64);

    fn owned_record() -> impl Strategy<Value = Owned> {
        (
            proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)),
            proptest::option::of(proptest::collection::vec(any::<u8>(), 0..50)),
            proptest::collection::vec(
                (".{1,8}", proptest::collection::vec(any::<u8>(), 0..9)),
                0..3,
            ),
            -1000i64..1000,
        )
    }

    fn build(records: &[Owned]) -> Bytes {
        let mut builder = BatchBuilder::new(MAX, 1000);
        for (key, value, headers, timestamp_us) in records {
            let headers: Vec<(&str, &[u8])> =
                headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
            let record = RecordRef {
                key: key.as_deref(),
                value: value.as_deref(),
                headers: &headers,
                timestamp_us: *timestamp_us,
            };
            builder.push(&record).expect("room");
        }
        let promised = builder.sealed_len();
        let bytes =
            builder.seal(Sequence { producer_id: 1, producer_epoch: 2, base_sequence: 3 });
        assert_eq!(promised, bytes.len());
        bytes
    }

    proptest! {
        #[test]
        fn what_is_built_is_read_back(records in proptest::collection::vec(owned_record(), 1..40)) {
            let batch = Batch::decode(build(&records)).expect("a built batch is valid");
            let got: Vec<Owned> = batch
                .iter()
                .map(|r| (
                    r.key().map(<[u8]>::to_vec),
                    r.value().map(<[u8]>::to_vec),
                    r.headers().map(|(n, v)| (n.to_owned(), v.to_vec())).collect(),
                    r.timestamp_us(),
                ))
                .collect();
            prop_assert_eq!(got, records);
        }

        #[test]
        fn a_flipped_bit_is_refused(
            records in proptest::collection::vec(owned_record(), 1..8),
            at in any::<proptest::sample::Index>(),
        ) {
            let mut bytes = build(&records).to_vec();
            let bit = at.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Batch::decode(bytes.into()).is_err());
        }

        /// With the checksums made good again, whatever the tables say must be refused or be
        /// readable without a panic.
        #[test]
        fn a_lying_table_never_panics(
            records in proptest::collection::vec(owned_record(), 1..8),
            edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut bytes = build(&records).to_vec();
            for (at, byte) in edits {
                let at = 33 + at.index(bytes.len() - 33);
                bytes[at] = byte;
            }
            reseal(&mut bytes);
            if let Ok(batch) = Batch::decode(bytes.into()) {
                for record in &batch {
                    let _ = (record.key(), record.value(), record.headers().count(), record.id());
                    let _ = (record.offset(), record.timestamp_us());
                }
            }
        }

        #[test]
        fn a_cut_batch_is_truncated(
            records in proptest::collection::vec(owned_record(), 1..8),
            at in any::<proptest::sample::Index>(),
        ) {
            let bytes = build(&records);
            let cut = bytes.slice(..at.index(bytes.len()));
            prop_assert_eq!(Batch::decode(cut).expect_err("cut").fault(), Fault::Truncated);
        }
    }

    /// Makes both checksums right for whatever the bytes now say.
    fn reseal(bytes: &mut [u8]) {
        let body_crc = crc32c(&bytes[28..]);
        bytes[24..28].copy_from_slice(&body_crc.to_le_bytes());
        let crc = crate::crc::crc32c_append(crc32c(&bytes[..20]), &bytes[24..HEADER_LEN]);
        bytes[20..24].copy_from_slice(&crc.to_le_bytes());
    }
}

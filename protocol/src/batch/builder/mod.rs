//! Building a batch: values go straight to their final place, the rest beside them.
//!
//! `push` copies a value once, into the buffer that will be sent; keys, headers and tables are
//! small and wait in side buffers that are reused from batch to batch. `seal` adds them, writes
//! the header and gives the buffer away. Nothing is allocated per record.

use bytes::Bytes;

use super::codec::{Codec, Compressor};
use super::encryption::{OVERHEAD, Sealing};
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
    /// What its application knows it by, where the topic drops records that it has seen.
    /// Sixteen zeros are the same as none.
    pub id: Option<[u8; 16]>,
}

impl RecordRef<'_> {
    /// A tombstone without key or headers at a time: the base for struct update syntax.
    pub const fn at(timestamp_us: i64) -> Self {
        Self { key: None, value: None, headers: &[], timestamp_us, id: None }
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
    /// Whether its batches are to be encrypted, and need room for that.
    encrypted: bool,
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
    /// From `first_time`, modulo 2³²: their span is held below that.
    times: Vec<u32>,
    first_time: i64,
    min_time: i64,
    max_time: i64,
    ids: Vec<u8>,
    value_validity: Vec<u8>,
    key_validity: Vec<u8>,
    /// Length of the last batch before compression: the next one is likely to be like it.
    last_len: usize,
    /// What the quick way may still take, and what a record costs there beside its data.
    quick: Quick,
}

/// The quick way of [`BatchBuilder::push`]: for records that need no other columns than those
/// before them, counted in bytes that are certainly there instead of by the batch's exact length.
#[derive(Clone, Copy, Debug)]
struct Quick {
    /// Bytes left; 0 closes the way, as every record costs more.
    room: usize,
    /// Bytes of a record's entries in the tables.
    per_record: usize,
    keys: bool,
    times: bool,
}

impl Quick {
    const CLOSED: Self = Self { room: 0, per_record: 4, keys: false, times: false };
}

#[inline]
fn has_id(record: &RecordRef<'_>) -> bool {
    record.id.is_some_and(|id| id != [0; 16])
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
            encrypted: false,
            count: 0,
            columns: Columns::default(),
            buf: Vec::new(),
            keys: Vec::new(),
            headers: Vec::new(),
            value_ends: Vec::new(),
            key_ends: Vec::new(),
            header_ends: Vec::new(),
            times: Vec::new(),
            first_time: 0,
            min_time: i64::MAX,
            max_time: i64::MIN,
            ids: Vec::new(),
            value_validity: Vec::new(),
            key_validity: Vec::new(),
            last_len: 0,
            quick: Quick::CLOSED,
        }
    }

    /// As [`BatchBuilder::new`], for batches that are sealed by [`BatchBuilder::seal_encrypted`].
    pub fn of_encrypted(max_len: usize, max_records: usize) -> Self {
        Self { encrypted: true, ..Self::new(max_len, max_records) }
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
            .with(Columns::IDS, has_id(record))
            .with(Columns::VALUE_NULLS, record.value.is_none())
            .with(Columns::TIMES, spread)
    }

    #[inline]
    fn len_with(&self, extra: usize, count: usize, columns: Columns) -> usize {
        let data = self.buf.len().max(HEADER_LEN) - HEADER_LEN
            + self.keys.len()
            + self.headers.len()
            + extra;
        let plain = HEADER_LEN + pad8(data) + tables_len(count, columns);
        if self.encrypted { plain + self.encryption_len(count, columns) } else { plain }
    }

    /// What encryption adds.
    #[cold]
    fn encryption_len(&self, count: usize, columns: Columns) -> usize {
        OVERHEAD + if columns.has(Columns::IDS) { 16 * count } else { 0 }
    }

    /// Adds a record and returns its index.
    #[inline]
    pub fn push(&mut self, record: &RecordRef<'_>) -> Result<usize, PushError> {
        if let (Some(value), true) = (record.value, record.headers.is_empty())
            && record.id.is_none()
            && record.key.is_some() == self.quick.keys
            && self.count < self.max_records
        {
            let key = record.key.unwrap_or_default();
            let cost = value.len() + key.len() + self.quick.per_record;
            let min_time = self.min_time.min(record.timestamp_us);
            let max_time = self.max_time.max(record.timestamp_us);
            let span = max_time.wrapping_sub(min_time) as u64;
            let limit = if self.quick.times { u64::from(u32::MAX) } else { 0 };
            if cost <= self.quick.room && span <= limit {
                self.quick.room -= cost;
                self.min_time = min_time;
                self.max_time = max_time;
                self.add(key, value, record.timestamp_us);
                self.count += 1;
                return Ok(self.count - 1);
            }
        }
        self.push_any(record)
    }

    /// What every record has, in the columns there are.
    #[inline]
    fn add(&mut self, key: &[u8], value: &[u8], timestamp_us: i64) {
        // Every length is below `max_len`, itself below u32::MAX.
        self.buf.extend_from_slice(value);
        self.value_ends.push((self.buf.len() - HEADER_LEN) as u32);
        if self.columns.has(Columns::KEYS) {
            self.keys.extend_from_slice(key);
            self.key_ends.push(self.keys.len() as u32);
        }
        if self.columns.has(Columns::TIMES) {
            self.times.push(timestamp_us.wrapping_sub(self.first_time) as u32);
        }
    }

    /// Opens the quick way for what follows, as wide as is certain.
    fn open_quick(&mut self) {
        let columns = self.columns;
        self.quick.room = 0;
        if Columns::KEYS.with(Columns::TIMES, true).has(columns) {
            // Paddings, and that a table of ends has one entry more than there are records.
            const SLACK: usize = 64;
            let used = self.len_with(0, self.count, columns) + SLACK;
            let (keys, times) = (columns.has(Columns::KEYS), columns.has(Columns::TIMES));
            self.quick = Quick {
                room: self.max_len.saturating_sub(used),
                per_record: 4 * (1 + usize::from(keys) + usize::from(times)),
                keys,
                times,
            };
        }
    }

    /// The general way: every check, and exact lengths.
    fn push_any(&mut self, record: &RecordRef<'_>) -> Result<usize, PushError> {
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
            self.first_time = record.timestamp_us;
        }
        if columns != self.columns {
            self.widen(columns);
        }
        self.add(key, value, record.timestamp_us);
        if columns.has(Columns::HEADERS) {
            for (name, value) in record.headers {
                self.headers.extend_from_slice(&(name.len() as u16).to_le_bytes());
                self.headers.extend_from_slice(&(value.len() as u32).to_le_bytes());
                self.headers.extend_from_slice(name.as_bytes());
                self.headers.extend_from_slice(value);
            }
            self.header_ends.push(self.headers.len() as u32);
        }
        if columns.has(Columns::IDS) {
            self.ids.extend_from_slice(&record.id.unwrap_or_default());
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
        self.open_quick();
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
            // Until now they all had the first one's.
            self.times.resize(count, 0);
        }
        if begins(Columns::IDS) {
            self.ids.resize(16 * count, 0);
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
        let (batch, header) = self.assemble(sequence, compressor);
        self.clear();
        Bytes::from(finish(batch, header))
    }

    /// As [`BatchBuilder::seal_with`], and encrypted, for a partition.
    ///
    /// # Panics
    /// If no record was pushed, or the builder was not made for this.
    // SPEC B-17
    pub fn seal_encrypted(
        &mut self,
        sequence: Sequence,
        compressor: &mut Compressor,
        sealing: &Sealing,
        partition: u32,
    ) -> Bytes {
        assert!(self.encrypted, "the builder has kept no room for encryption");
        let (mut batch, mut header) = self.assemble(sequence, compressor);
        let sealed = sealing.seal(&batch, &mut header, &self.ids, partition);
        if self.buf.capacity() == 0 {
            // What was encrypted was not given away: the next batch is built in it.
            batch.clear();
            self.buf = batch;
        }
        self.clear();
        Bytes::from(finish(sealed, header))
    }

    /// The batch but for its lengths and checksums.
    fn assemble(
        &mut self,
        sequence: Sequence,
        compressor: &mut Compressor,
    ) -> (Vec<u8>, Header) {
        assert!(!self.is_empty(), "a batch holds at least one record");
        let (columns, count) = (self.columns, self.count);
        self.last_len = self.len_with(0, count, columns);
        let mut total_len = self.last_len;
        if self.encrypted {
            total_len -= self.encryption_len(count, columns);
        }

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
            let base = self.min_time.wrapping_sub(self.first_time) as u32;
            put_words(&mut buf, self.times.iter().map(|time| time.wrapping_sub(base)));
        }
        if columns.has(Columns::IDS) {
            buf.extend_from_slice(&self.ids);
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
        (batch, header)
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
        self.ids.clear();
        self.quick = Quick::CLOSED;
        self.value_validity.clear();
        self.key_validity.clear();
    }
}

/// Writes the header, with the length and both checksums, over the first bytes of a batch.
pub(super) fn finish(mut batch: Vec<u8>, mut header: Header) -> Vec<u8> {
    // Compression only makes it smaller, and encryption has its room within `max_len`, itself
    // below u32::MAX.
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
mod tests;

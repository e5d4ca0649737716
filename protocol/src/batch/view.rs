//! Reading a batch: records are views into one shared buffer, made on demand.

use std::ops::Range;

use bytes::Bytes;

use super::codec::{self, Codec};
use super::encryption::{self, Place};
use super::header::{Columns, HEADER_LEN, Header};
use super::key::EncryptionKeys;
use super::layout::{Layout, bit_at, u32_at};
use super::malformed::{Malformed, malformed};
use super::validate::{Limits, check_body, check_stored, split_record_header};

/// A validated batch over one shared buffer. Cloning shares the bytes.
#[derive(Clone, Debug)]
pub struct Batch {
    bytes: Bytes,
    /// A part of `bytes`, unless it had to be decrypted or decompressed.
    body: Bytes,
    header: Header,
    layout: Layout,
}

impl Batch {
    /// Validates `bytes` as exactly one batch, with its checksums, and decompresses it. One that is
    /// encrypted is refused as [`Fault::KeyMissing`](super::Fault::KeyMissing).
    pub fn decode(bytes: Bytes) -> Result<Self, Malformed> {
        Self::read(bytes, &EncryptionKeys::default(), None)
    }

    /// As [`Batch::decode`]; one that is encrypted is opened with its key, if that is there, and
    /// if `place` is the one that it was sealed for.
    // SPEC B-20
    pub fn decode_with(
        bytes: Bytes,
        keys: &EncryptionKeys,
        place: Place<'_>,
    ) -> Result<Self, Malformed> {
        Self::read(bytes, keys, Some(place))
    }

    fn read(
        bytes: Bytes,
        keys: &EncryptionKeys,
        place: Option<Place<'_>>,
    ) -> Result<Self, Malformed> {
        let header = check_stored(&bytes, Limits::PROTOCOL)?;
        let stored = bytes.slice(HEADER_LEN..);
        let body = if header.key_id != 0 {
            let parts = encryption::parts(&header, &stored)?;
            let opened = parts.open(&header, keys, place)?;
            let body = match header.codec {
                Codec::None => opened,
                _ => codec::decompress_data(&header, &opened)?.into(),
            };
            let layout = check_body(&header, &body)?;
            let batch = Self { bytes: bytes.clone(), body, header, layout };
            if batch.ids() != parts.ids() {
                return Err(malformed!(
                    Layout,
                    "the ids differ from those that were encrypted"
                ));
            }
            return Ok(batch);
        } else if header.codec == Codec::None {
            stored
        } else {
            codec::decompress(&header, &stored)?.into()
        };
        let layout = check_body(&header, &body)?;
        Ok(Self { bytes, body, header, layout })
    }

    /// The batch's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The whole batch as it was stored and delivered.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Where the columns lie in [`Batch::body`].
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The bytes after the header, decrypted and decompressed.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// A range of the body as a shared buffer, without a copy.
    ///
    /// # Panics
    /// If `range` leaves the body.
    pub fn slice(&self, range: Range<usize>) -> Bytes {
        self.body.slice(range)
    }

    /// The ids of all records, 16 bytes for each; empty if the batch carries none.
    pub fn ids(&self) -> &[u8] {
        &self.body()[self.id_range()]
    }

    /// Where the ids lie in the batch's body.
    pub fn id_range(&self) -> Range<usize> {
        let Layout { ids, count, columns, .. } = self.layout;
        if columns.has(Columns::IDS) { ids..ids + 16 * count } else { 0..0 }
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.layout.count
    }

    /// Always false: a batch holds at least one record.
    pub fn is_empty(&self) -> bool {
        self.layout.count == 0
    }

    /// Record `index`, or `None` past the end.
    #[inline]
    pub fn get(&self, index: usize) -> Option<RecordView<'_>> {
        (index < self.layout.count).then_some(RecordView { batch: self, index })
    }

    /// All records in order.
    pub fn iter(&self) -> Iter<'_> {
        self.iter_from(0)
    }

    /// The records from `index` on.
    pub fn iter_from(&self, index: usize) -> Iter<'_> {
        Iter { batch: self, next: index.min(self.len()) }
    }

    /// Index of the first record whose offset is at least `offset`; `len()` if none is.
    pub fn index_of(&self, offset: u64) -> usize {
        let wanted = offset.saturating_sub(self.header.base_offset);
        if !self.layout.columns.has(Columns::OFFSET_DELTAS) {
            return usize::try_from(wanted).map_or(self.len(), |index| index.min(self.len()));
        }
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if u64::from(self.u32(self.layout.offset_deltas, middle)) < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Offset of the last record.
    pub fn last_offset(&self) -> u64 {
        self.offset(self.len() - 1)
    }

    #[inline]
    fn offset(&self, index: usize) -> u64 {
        let delta = if self.layout.columns.has(Columns::OFFSET_DELTAS) {
            u64::from(self.u32(self.layout.offset_deltas, index))
        } else {
            index as u64
        };
        self.header.base_offset.wrapping_add(delta)
    }

    #[inline]
    fn u32(&self, table: usize, index: usize) -> u32 {
        u32_at(self.body(), table + 4 * index)
    }

    /// Body range of entry `index` of the `ends` table whose data starts at `base`.
    #[inline]
    fn range(&self, ends: usize, base: usize, index: usize) -> Range<usize> {
        base + self.u32(ends, index) as usize..base + self.u32(ends, index + 1) as usize
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = RecordView<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The ids of the records of a batch, 16 bytes for each, without a copy unless it is compressed;
/// empty if it has none. Those of an encrypted batch are there without its key.
// SPEC B-13, B-17
pub fn ids(batch: &Bytes) -> Result<Bytes, Malformed> {
    let header = check_stored(batch, Limits::PROTOCOL)?;
    if !header.columns.has(Columns::IDS) {
        return Ok(Bytes::new());
    }
    if header.key_id == 0 {
        let batch = Batch::decode(batch.clone())?;
        return Ok(batch.slice(batch.id_range()));
    }
    let stored = batch.slice(HEADER_LEN..);
    let range = encryption::id_range(encryption::parts(&header, &stored)?.ids());
    Ok(stored.slice(range))
}

/// The records of a batch, in order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    batch: &'a Batch,
    next: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = RecordView<'a>;

    #[inline]
    fn next(&mut self) -> Option<RecordView<'a>> {
        let record = self.batch.get(self.next)?;
        self.next += 1;
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batch.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// One record of a batch.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    batch: &'a Batch,
    index: usize,
}

impl<'a> RecordView<'a> {
    /// Its place in the batch, from 0.
    #[inline]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its offset in the partition.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.batch.offset(self.index)
    }

    /// Its producer's time, in microseconds since the Unix epoch.
    #[inline]
    pub fn timestamp_us(&self) -> i64 {
        let delta = if self.batch.layout.columns.has(Columns::TIMES) {
            self.batch.u32(self.batch.layout.times, self.index)
        } else {
            0
        };
        self.batch.header.base_time_us.wrapping_add(i64::from(delta))
    }

    /// Its value; `None` is a tombstone.
    #[inline]
    pub fn value(&self) -> Option<&'a [u8]> {
        self.value_range().map(|range| &self.batch.body()[range])
    }

    /// Where its value lies in the batch's body.
    #[inline]
    pub fn value_range(&self) -> Option<Range<usize>> {
        let layout = &self.batch.layout;
        if layout.columns.has(Columns::VALUE_NULLS)
            && !bit_at(self.batch.body(), layout.value_validity, self.index)
        {
            return None;
        }
        Some(self.batch.range(layout.value_ends, 0, self.index))
    }

    /// Its key. A missing key is not an empty one.
    #[inline]
    pub fn key(&self) -> Option<&'a [u8]> {
        self.key_range().map(|range| &self.batch.body()[range])
    }

    /// Where its key lies in the batch's body.
    #[inline]
    pub fn key_range(&self) -> Option<Range<usize>> {
        let layout = &self.batch.layout;
        if !layout.columns.has(Columns::KEYS)
            || (layout.columns.has(Columns::KEY_NULLS)
                && !bit_at(self.batch.body(), layout.key_validity, self.index))
        {
            return None;
        }
        Some(self.batch.range(layout.key_ends, layout.values_end, self.index))
    }

    /// Its headers, in the producer's order; names may repeat.
    pub fn headers(&self) -> Headers<'a> {
        let layout = &self.batch.layout;
        if !layout.columns.has(Columns::HEADERS) {
            return Headers { rest: &[] };
        }
        let range = self.batch.range(layout.header_ends, layout.keys_end, self.index);
        Headers { rest: &self.batch.body()[range] }
    }

    /// Its 16-byte id for deduplication, if it has one.
    // SPEC B-13
    pub fn id(&self) -> Option<[u8; 16]> {
        let layout = &self.batch.layout;
        let at = layout.ids + 16 * self.index;
        layout
            .columns
            .has(Columns::IDS)
            .then(|| self.batch.body()[at..at + 16].try_into().expect("sixteen bytes"))
            .filter(|id| *id != [0; 16])
    }
}

/// The headers of one record: `(name, value)` pairs.
#[derive(Clone, Debug)]
pub struct Headers<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value, rest) = split_record_header(self.rest)?;
        self.rest = rest;
        // Validation saw UTF-8; a lie here could only come from a bug, and ends the iteration.
        Some((std::str::from_utf8(name).ok()?, value))
    }
}

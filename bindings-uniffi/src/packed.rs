//! Records packed into a chunk, as the languages hand them over.
//!
//! Owns the form, which `RecordBuffer.kt` and `packer.rb` write. The one invariant: every length
//! is checked against what is left of the chunk, so that any bytes give records or an end.
//!
//! A record is four words: what there is, and how long value, key and headers are. Then time (8
//! bytes), partition (4) and id (16), where there are any, the value, the key and the headers,
//! and zeros to a multiple of 4. A header is two lengths as words, then name and value. All
//! numbers are little-endian.

use tidewire::RecordRef;

const KEY: u32 = 1;
const VALUE: u32 = 2;
const TIMESTAMP: u32 = 4;
const PARTITION: u32 = 8;
const ID: u32 = 16;

/// A record of a chunk, and where its headers are.
pub(crate) struct Packed<'a> {
    pub(crate) record: RecordRef<'a>,
    pub(crate) partition: Option<u32>,
    pub(crate) headers: Reader<'a>,
}

/// What is left of a chunk.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// The time of records that have none.
    now_us: i64,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(chunk: &'a [u8], now_us: i64) -> Self {
        Self { rest: chunk, now_us }
    }

    /// Bytes that are left.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*bytes)
    }

    fn word(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn record(&mut self) -> Option<Packed<'a>> {
        let before = self.rest.len();
        let what = self.word()?;
        let value_len = self.word()? as usize;
        let key_len = self.word()? as usize;
        let headers_len = self.word()? as usize;
        let timestamp_us = if what & TIMESTAMP == 0 {
            self.now_us
        } else {
            self.array().map(i64::from_le_bytes)?
        };
        let partition = if what & PARTITION == 0 { None } else { Some(self.word()?) };
        let id = if what & ID == 0 { None } else { Some(self.array()?) };
        let value = self.bytes(value_len)?;
        let key = self.bytes(key_len)?;
        let headers = Self { rest: self.bytes(headers_len)?, now_us: self.now_us };
        let len = before - self.rest.len();
        self.bytes(len.wrapping_neg() & 3)?;
        let record = RecordRef {
            key: (what & KEY != 0).then_some(key),
            value: (what & VALUE != 0).then_some(value),
            headers: &[],
            timestamp_us,
            id,
        };
        Some(Packed { record, partition, headers })
    }

    /// All that is left, as headers; none if it is not well-formed.
    pub(crate) fn headers(mut self) -> Option<Vec<(&'a str, &'a [u8])>> {
        let mut headers = Vec::new();
        while !self.rest.is_empty() {
            let name_len = self.word()? as usize;
            let value_len = self.word()? as usize;
            let name = std::str::from_utf8(self.bytes(name_len)?).ok()?;
            headers.push((name, self.bytes(value_len)?));
        }
        Some(headers)
    }
}

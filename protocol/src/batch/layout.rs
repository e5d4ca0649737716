//! Where each column of a body lies, computed from the header and the tables.
//!
//! The tables stand at the end of the body and their lengths follow from `record_count` and
//! `columns` alone; the data regions before them get their lengths from the last entry of each
//! `*_ends` table. Nothing here allocates, and every position is checked against the body's
//! length before it is used.

use super::header::{Columns, Header};
use super::malformed::{Malformed, malformed};

/// Positions of the columns, in bytes from the start of the *body*. A table that is absent has
/// position 0 and is never read: the header's `columns` say which exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Number of records.
    pub count: usize,
    /// Which columns exist.
    pub columns: Columns,
    /// End of the value bytes; they start at 0.
    pub values_end: usize,
    /// End of the key bytes; they start at `values_end`.
    pub keys_end: usize,
    /// End of the record header bytes; they start at `keys_end`.
    pub headers_end: usize,
    /// `value_ends`, u32 × (n + 1).
    pub value_ends: usize,
    /// `key_ends`, u32 × (n + 1).
    pub key_ends: usize,
    /// `header_ends`, u32 × (n + 1).
    pub header_ends: usize,
    /// `time_delta_us`, u32 × n.
    pub times: usize,
    /// Record ids, 16 bytes × n.
    pub ids: usize,
    /// `offset_delta`, u32 × n.
    pub offset_deltas: usize,
    /// Validity bitmap of values, one bit a record.
    pub value_validity: usize,
    /// Validity bitmap of keys, one bit a record.
    pub key_validity: usize,
}

/// Rounds up to a multiple of 8.
#[inline]
pub(super) const fn pad8(len: usize) -> usize {
    (len + 7) & !7
}

/// Bytes of all tables of a body of `count` records.
#[inline]
pub(super) const fn tables_len(count: usize, columns: Columns) -> usize {
    let ends = pad8(4 * (count + 1));
    let words = pad8(4 * count);
    let bits = pad8(count.div_ceil(8));
    let mut len = ends;
    if columns.has(Columns::KEYS) {
        len += ends;
    }
    if columns.has(Columns::HEADERS) {
        len += ends;
    }
    if columns.has(Columns::TIMES) {
        len += words;
    }
    if columns.has(Columns::IDS) {
        len += 16 * count;
    }
    if columns.has(Columns::OFFSET_DELTAS) {
        len += words;
    }
    if columns.has(Columns::VALUE_NULLS) {
        len += bits;
    }
    if columns.has(Columns::KEY_NULLS) {
        len += bits;
    }
    len
}

impl Layout {
    /// Places the columns of an uncompressed `body`. Positions are in bounds afterwards; the
    /// *contents* of the tables are checked by [`validate`](super::validate).
    // SPEC B-8, B-9
    pub fn of(header: &Header, body: &[u8]) -> Result<Self, Malformed> {
        let count = header.record_count as usize;
        let columns = header.columns;
        if columns.0 & !Columns::KNOWN.0 != 0 {
            return Err(malformed!(
                Unsupported,
                "columns {:#x} hold bits that are not known here ({:#x})",
                columns.0,
                Columns::KNOWN.0
            ));
        }
        if columns.has(Columns::KEY_NULLS) && !columns.has(Columns::KEYS) {
            return Err(malformed!(Layout, "a key validity bitmap without a key column"));
        }
        // `count` is at most u32::MAX, so the sum stays far below usize::MAX on 64 bits.
        let tables = tables_len(count, columns);
        let Some(tables_at) = body.len().checked_sub(tables) else {
            return Err(malformed!(
                Layout,
                "the tables of {count} records need {tables} bytes, the body has {}",
                body.len()
            ));
        };

        let mut at = tables_at;
        let mut place = |present: bool, len: usize| {
            if !present {
                return 0;
            }
            let here = at;
            at += len;
            here
        };
        let ends = pad8(4 * (count + 1));
        let words = pad8(4 * count);
        let bits = pad8(count.div_ceil(8));
        let value_ends = place(true, ends);
        let key_ends = place(columns.has(Columns::KEYS), ends);
        let header_ends = place(columns.has(Columns::HEADERS), ends);
        let times = place(columns.has(Columns::TIMES), words);
        let ids = place(columns.has(Columns::IDS), 16 * count);
        let offset_deltas = place(columns.has(Columns::OFFSET_DELTAS), words);
        let value_validity = place(columns.has(Columns::VALUE_NULLS), bits);
        let key_validity = place(columns.has(Columns::KEY_NULLS), bits);

        let last = |table: usize, present: bool| {
            if present { u32_at(body, table + 4 * count) as usize } else { 0 }
        };
        let values_end = last(value_ends, true);
        let keys_end = values_end + last(key_ends, columns.has(Columns::KEYS));
        let headers_end = keys_end + last(header_ends, columns.has(Columns::HEADERS));
        if pad8(headers_end) != tables_at {
            return Err(malformed!(
                Layout,
                "values, keys and headers end at {headers_end}, the tables start at {tables_at}"
            ));
        }
        Ok(Self {
            count,
            columns,
            values_end,
            keys_end,
            headers_end,
            value_ends,
            key_ends,
            header_ends,
            times,
            ids,
            offset_deltas,
            value_validity,
            key_validity,
        })
    }
}

/// The little-endian u32 at `at`.
#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// Bit `index` of a bitmap at `at`, in Arrow's order (least significant bit first).
#[inline]
pub(super) fn bit_at(bytes: &[u8], at: usize, index: usize) -> bool {
    bytes[at + index / 8] >> (index % 8) & 1 == 1
}

/// Length in bytes of the smallest batch: one empty value.
#[cfg(test)]
pub(super) const SMALLEST: usize = super::HEADER_LEN + 8;

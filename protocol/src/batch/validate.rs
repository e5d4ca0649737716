//! The whole check of a batch that arrives from elsewhere, in one vectorisable pass a column.
//!
//! The server runs it on every batch before it appends, the client on every batch before it
//! shows a record. What passes can be read without any further check.

use super::codec::{self, Codec};
use super::encryption;
use super::header::{Columns, HEADER_LEN, Header};
use super::layout::{Layout, bit_at, pad8, u32_at};
use super::malformed::{Malformed, malformed};
use crate::crc::crc32c;

/// The largest batch to accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a whole batch.
    pub max_batch_len: u32,
    /// Records in a batch.
    pub max_batch_records: u32,
}

impl Limits {
    /// The protocol's own limits, which no peer may exceed.
    pub const PROTOCOL: Self = Self {
        max_batch_len: crate::limits::MAX_BATCH_LEN,
        max_batch_records: crate::limits::MAX_BATCH_RECORDS,
    };
}

/// Checks that `bytes` are exactly one whole, undamaged batch within `limits`. The layout is that
/// of the body once decompressed, which is looked at and not kept. The body of an encrypted batch
/// cannot be looked at: it has none here.
// SPEC B-1, B-4, B-6, B-7, B-17
pub fn validate(bytes: &[u8], limits: Limits) -> Result<(Header, Option<Layout>), Malformed> {
    let header = check_stored(bytes, limits)?;
    let stored = &bytes[HEADER_LEN..];
    if header.key_id != 0 {
        encryption::parts(&header, stored)?;
        return Ok((header, None));
    }
    let layout = if header.codec == Codec::None {
        check_body(&header, stored)?
    } else {
        codec::with_decompressed(&header, stored, |body| check_body(&header, body))?
    };
    Ok((header, Some(layout)))
}

/// Checks all but the body's contents: that `bytes` are one batch, whole and undamaged, and that
/// what it says of itself is within `limits`.
pub(super) fn check_stored(bytes: &[u8], limits: Limits) -> Result<Header, Malformed> {
    let header = Header::parse(bytes)?;
    if header.total_len > limits.max_batch_len {
        return Err(malformed!(
            Limit,
            "a batch of {} bytes is over the limit of {}",
            header.total_len,
            limits.max_batch_len
        ));
    }
    if header.record_count > limits.max_batch_records {
        return Err(malformed!(
            Limit,
            "a batch of {} records is over the limit of {}",
            header.record_count,
            limits.max_batch_records
        ));
    }
    if bytes.len() < header.total_len as usize {
        return Err(malformed!(
            Truncated,
            "a batch of {} bytes ends after {}",
            header.total_len,
            bytes.len()
        ));
    }
    if bytes.len() > header.total_len as usize {
        return Err(malformed!(
            Layout,
            "{} bytes follow a batch of {}",
            bytes.len() - header.total_len as usize,
            header.total_len
        ));
    }
    let computed = crc32c(&bytes[28..]);
    if computed != header.body_crc {
        return Err(malformed!(
            BodyChecksum,
            "the batch body's checksum is {:08x}, its bytes give {computed:08x}",
            header.body_crc
        ));
    }
    codec::check_header(&header, limits)?;
    Ok(header)
}

/// Checks a body that is not, or no longer, encrypted and compressed.
pub(super) fn check_body(header: &Header, body: &[u8]) -> Result<Layout, Malformed> {
    let layout = Layout::of(header, body)?;
    check_tables(&layout, body)?;
    check_ranges(header, &layout, body)?;
    Ok(layout)
}

/// No offset and no time of a record passes the end of its type.
// SPEC B-12, B-14
fn check_ranges(header: &Header, layout: &Layout, body: &[u8]) -> Result<(), Malformed> {
    let last = layout.count - 1;
    let last_delta = if layout.columns.has(Columns::OFFSET_DELTAS) {
        u64::from(u32_at(body, layout.offset_deltas + 4 * last))
    } else {
        last as u64
    };
    if header.base_offset.checked_add(last_delta).is_none() {
        return Err(malformed!(
            Layout,
            "the last record would have an offset {last_delta} above {}",
            header.base_offset
        ));
    }
    let near_the_end = header.base_time_us > i64::MAX - i64::from(u32::MAX);
    if near_the_end && layout.columns.has(Columns::TIMES) {
        let times = &body[layout.times..layout.times + 4 * layout.count];
        let latest = (0..layout.count).map(|index| u32_at(times, 4 * index)).max();
        if header.base_time_us.checked_add(i64::from(latest.unwrap_or(0))).is_none() {
            return Err(malformed!(
                Layout,
                "a record's time is too far after {}",
                header.base_time_us
            ));
        }
    }
    Ok(())
}

/// Checks the contents of every table, so that reading a record needs no check at all.
pub fn check_tables(layout: &Layout, body: &[u8]) -> Result<(), Malformed> {
    let n = layout.count;
    let columns = layout.columns;
    if body[layout.headers_end..pad8(layout.headers_end)].iter().any(|&byte| byte != 0) {
        return Err(malformed!(Layout, "the padding before the tables is not zero"));
    }
    check_ends(body, layout.value_ends, n, "value")?;
    if columns.has(Columns::KEYS) {
        check_ends(body, layout.key_ends, n, "key")?;
    }
    if columns.has(Columns::HEADERS) {
        check_ends(body, layout.header_ends, n, "header")?;
        check_record_headers(layout, body)?;
    }
    if columns.has(Columns::TIMES) {
        check_pad(body, layout.times + 4 * n, "time")?;
    }
    if columns.has(Columns::OFFSET_DELTAS) {
        check_offset_deltas(body, layout.offset_deltas, n)?;
    }
    if columns.has(Columns::VALUE_NULLS) {
        check_validity(body, layout.value_validity, layout.value_ends, n, "value")?;
    }
    if columns.has(Columns::KEY_NULLS) {
        check_validity(body, layout.key_validity, layout.key_ends, n, "key")?;
    }
    Ok(())
}

/// `ends` starts with 0, never falls, and is zero-padded. Its last entry was matched with the
/// data's length by [`Layout::of`].
// SPEC B-9, B-15
fn check_ends(body: &[u8], at: usize, n: usize, what: &str) -> Result<(), Malformed> {
    let table = &body[at..at + 4 * (n + 1)];
    if u32_at(table, 0) != 0 {
        return Err(malformed!(Layout, "the {what} offsets do not start with 0"));
    }
    // Without an early exit the loop compiles to vector compares.
    let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let falls = table
        .chunks_exact(4)
        .zip(table[4..].chunks_exact(4))
        .fold(0u32, |falls, (a, b)| falls | u32::from(word(a) > word(b)));
    if falls != 0 {
        return Err(malformed!(Layout, "the {what} offsets fall"));
    }
    check_pad(body, at + 4 * (n + 1), what)
}

/// The bytes from `at` to the next multiple of 8 (of a table that starts on one) are zero.
fn check_pad(body: &[u8], at: usize, what: &str) -> Result<(), Malformed> {
    if body[at..pad8(at)].iter().any(|&byte| byte != 0) {
        return Err(malformed!(Layout, "the padding of the {what} table is not zero"));
    }
    Ok(())
}

// SPEC B-14
fn check_offset_deltas(body: &[u8], at: usize, n: usize) -> Result<(), Malformed> {
    let rises = (1..n).all(|i| u32_at(body, at + 4 * i) > u32_at(body, at + 4 * (i - 1)));
    if !rises {
        return Err(malformed!(Layout, "the offset deltas do not rise"));
    }
    check_pad(body, at + 4 * n, "offset delta")
}

/// A null has no bytes, and the bits after the last record are zero.
// SPEC B-10
fn check_validity(
    body: &[u8],
    at: usize,
    ends: usize,
    n: usize,
    what: &str,
) -> Result<(), Malformed> {
    for i in 0..n {
        if !bit_at(body, at, i)
            && u32_at(body, ends + 4 * i) != u32_at(body, ends + 4 * (i + 1))
        {
            return Err(malformed!(Layout, "null {what} {i} has bytes"));
        }
    }
    let map = pad8(n.div_ceil(8));
    if (n..map * 8).any(|i| bit_at(body, at, i)) {
        return Err(malformed!(Layout, "the {what} bitmap has bits past its {n} records"));
    }
    Ok(())
}

/// Each record's headers are whole `(name, value)` pairs with UTF-8 names of 1 byte or more.
// SPEC B-11
fn check_record_headers(layout: &Layout, body: &[u8]) -> Result<(), Malformed> {
    let data = &body[layout.keys_end..layout.headers_end];
    for i in 0..layout.count {
        let from = u32_at(body, layout.header_ends + 4 * i) as usize;
        let to = u32_at(body, layout.header_ends + 4 * (i + 1)) as usize;
        let mut rest = &data[from..to];
        while !rest.is_empty() {
            let (name, _, after) = split_record_header(rest)
                .ok_or_else(|| malformed!(Layout, "the headers of record {i} are cut off"))?;
            if name.is_empty() || std::str::from_utf8(name).is_err() {
                return Err(malformed!(
                    Layout,
                    "a header name of record {i} is empty or not UTF-8"
                ));
            }
            rest = after;
        }
    }
    Ok(())
}

/// Splits `name_len u16, value_len u32, name, value` off the front of `bytes`.
#[inline]
pub(super) fn split_record_header(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (lens, rest) = bytes.split_first_chunk::<6>()?;
    let name_len = usize::from(u16::from_le_bytes([lens[0], lens[1]]));
    let value_len = u32::from_le_bytes([lens[2], lens[3], lens[4], lens[5]]) as usize;
    let (name, rest) = rest.split_at_checked(name_len)?;
    let (value, rest) = rest.split_at_checked(value_len)?;
    Some((name, value, rest))
}

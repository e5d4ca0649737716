//! The 80-byte batch header and the server's 24-byte stamp on it.
//!
//! The layout is fixed for ever (SPEC.md, section B). Parsing checks the header's own checksum,
//! so `total_len` can be trusted before the body has been read.

use super::malformed::{Malformed, malformed};
use crate::crc::{crc32c, crc32c_append};
use crate::message::Codec;

/// Bytes of the header.
pub const HEADER_LEN: usize = 80;
/// Bytes at the start of the header that the server writes: offset, append time, epoch and
/// header checksum.
pub const STAMP_LEN: usize = 24;
/// The only batch format so far.
pub const FORMAT: u8 = 1;

/// The set of columns that a body carries besides its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Columns(pub u16);

impl Columns {
    /// `key_ends`, and key bytes.
    pub const KEYS: Self = Self(1);
    /// `header_ends`, and record header bytes.
    pub const HEADERS: Self = Self(2);
    /// `time_delta_us`; absent when every record has the batch's base time.
    pub const TIMES: Self = Self(4);
    /// 16-byte record ids.
    pub const IDS: Self = Self(8);
    /// Validity bitmap of values; absent when no value is null.
    pub const VALUE_NULLS: Self = Self(16);
    /// Validity bitmap of keys; absent when no key is null, or all are.
    pub const KEY_NULLS: Self = Self(32);
    /// `offset_delta`: batches thinned by compaction. Producers never send it.
    pub const OFFSET_DELTAS: Self = Self(64);
    /// Every column that this implementation knows.
    pub const KNOWN: Self = Self(127);

    /// Whether all columns of `other` are present.
    #[inline]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// This set and `other`, if `present`.
    #[inline]
    pub const fn with(self, other: Self, present: bool) -> Self {
        if present { Self(self.0 | other.0) } else { self }
    }
}

/// A parsed batch header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Offset of the first record. Server; a producer writes 0.
    pub base_offset: u64,
    /// When the server appended the batch, in microseconds since the Unix epoch. Server.
    pub append_time_us: i64,
    /// Counts the starts of the partition's log, so that a reader notices a history that was
    /// cut. Server.
    pub leader_epoch: u32,
    /// CRC32C of bytes 28 to the end. Producer; never recomputed.
    pub body_crc: u32,
    /// Length of the whole batch in bytes, a multiple of 8.
    pub total_len: u32,
    /// Compression of the body.
    pub codec: Codec,
    /// Columns in the body.
    pub columns: Columns,
    /// Number of records, at least 1.
    pub record_count: u32,
    /// Time of the earliest record, in microseconds since the Unix epoch. Producer.
    pub base_time_us: i64,
    /// The producer's id; 0 when the batch takes no part in idempotence.
    pub producer_id: u64,
    /// The producer's sequence number of the first record in this partition.
    pub base_sequence: u64,
    /// The producer's epoch.
    pub producer_epoch: u32,
    /// Length of the body in bytes once decompressed.
    pub raw_len: u32,
    /// Encryption key of the body, 0 when it is plain.
    pub key_id: u32,
}

impl Header {
    /// Parses and checks the header at the start of `bytes`: its checksum, format, and that
    /// `total_len`, `record_count` and `raw_len` are possible. The body is not looked at and may
    /// be missing.
    // SPEC B-2, B-3, B-6
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let Some(head) = bytes.first_chunk::<HEADER_LEN>() else {
            return Err(malformed!(
                Truncated,
                "{} bytes are too few for a batch header of {HEADER_LEN}",
                bytes.len()
            ));
        };
        let stored = u32_at(head, 20);
        let computed = crc32c_append(crc32c(&head[..20]), &head[24..]);
        if stored != computed {
            return Err(malformed!(
                HeaderChecksum,
                "the batch header's checksum is {stored:08x}, its bytes give {computed:08x}"
            ));
        }
        if head[32] != FORMAT {
            return Err(malformed!(
                Unsupported,
                "batch format {} is not known here, only {FORMAT}",
                head[32]
            ));
        }
        let header = Self {
            base_offset: u64_at(head, 0),
            append_time_us: u64_at(head, 8) as i64,
            leader_epoch: u32_at(head, 16),
            body_crc: u32_at(head, 24),
            total_len: u32_at(head, 28),
            codec: Codec::from(head[33]),
            columns: Columns(u16::from_le_bytes([head[34], head[35]])),
            record_count: u32_at(head, 36),
            base_time_us: u64_at(head, 40) as i64,
            producer_id: u64_at(head, 48),
            base_sequence: u64_at(head, 56),
            producer_epoch: u32_at(head, 64),
            raw_len: u32_at(head, 68),
            key_id: u32_at(head, 72),
        };
        header.check(u32_at(head, 76))?;
        Ok(header)
    }

    fn check(&self, reserved: u32) -> Result<(), Malformed> {
        if (self.total_len as usize) < HEADER_LEN || !self.total_len.is_multiple_of(8) {
            return Err(malformed!(
                Layout,
                "batch length {} is not a multiple of 8 of at least {HEADER_LEN}",
                self.total_len
            ));
        }
        if self.record_count == 0 {
            return Err(malformed!(Layout, "the batch claims to hold no record"));
        }
        if reserved != 0 {
            return Err(malformed!(
                Unsupported,
                "the reserved header field is {reserved}, not 0"
            ));
        }
        if self.codec == Codec::None
            && self.key_id == 0
            && self.raw_len as usize != self.body_len()
        {
            return Err(malformed!(
                Layout,
                "raw length {} differs from the uncompressed body's {}",
                self.raw_len,
                self.body_len()
            ));
        }
        Ok(())
    }

    /// Bytes after the header.
    #[inline]
    pub fn body_len(&self) -> usize {
        self.total_len as usize - HEADER_LEN
    }

    /// The offset after the last record, for a batch whose offsets are dense. `None` if that
    /// would pass the end of the offset space.
    #[inline]
    pub fn next_offset(&self) -> Option<u64> {
        self.base_offset.checked_add(u64::from(self.record_count))
    }

    /// The header's bytes, with its checksum.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut head = [0u8; HEADER_LEN];
        head[24..28].copy_from_slice(&self.body_crc.to_le_bytes());
        head[28..32].copy_from_slice(&self.total_len.to_le_bytes());
        head[32] = FORMAT;
        head[33] = u8::from(self.codec);
        head[34..36].copy_from_slice(&self.columns.0.to_le_bytes());
        head[36..40].copy_from_slice(&self.record_count.to_le_bytes());
        head[40..48].copy_from_slice(&self.base_time_us.to_le_bytes());
        head[48..56].copy_from_slice(&self.producer_id.to_le_bytes());
        head[56..64].copy_from_slice(&self.base_sequence.to_le_bytes());
        head[64..68].copy_from_slice(&self.producer_epoch.to_le_bytes());
        head[68..72].copy_from_slice(&self.raw_len.to_le_bytes());
        head[72..76].copy_from_slice(&self.key_id.to_le_bytes());
        let stamp = Stamp {
            base_offset: self.base_offset,
            append_time_us: self.append_time_us,
            leader_epoch: self.leader_epoch,
        };
        let stamped = stamp.encode(head[STAMP_LEN..].try_into().expect("80 - 24 is 56"));
        head[..STAMP_LEN].copy_from_slice(&stamped);
        head
    }
}

/// What the server adds to a batch: bytes 0 to 24 of its header.
///
/// The stamp is written *beside* the producer's bytes, not into them: a vectored write of the
/// 24 stamped bytes and then the batch from byte 24 on needs no copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Offset of the batch's first record.
    pub base_offset: u64,
    /// When the batch was appended, in microseconds since the Unix epoch.
    pub append_time_us: i64,
    /// The log's epoch.
    pub leader_epoch: u32,
}

impl Stamp {
    /// The 24 bytes that replace the batch's first 24, given the header's remaining 56.
    pub fn encode(&self, rest: &[u8; HEADER_LEN - STAMP_LEN]) -> [u8; STAMP_LEN] {
        let mut out = [0u8; STAMP_LEN];
        out[..8].copy_from_slice(&self.base_offset.to_le_bytes());
        out[8..16].copy_from_slice(&self.append_time_us.to_le_bytes());
        out[16..20].copy_from_slice(&self.leader_epoch.to_le_bytes());
        let crc = crc32c_append(crc32c(&out[..20]), rest);
        out[20..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// As [`Stamp::encode`], for the first 80 or more bytes of a whole batch.
    ///
    /// # Panics
    /// If `batch` is shorter than a header; callers hold a validated batch.
    pub fn encode_for(&self, batch: &[u8]) -> [u8; STAMP_LEN] {
        self.encode(batch[STAMP_LEN..HEADER_LEN].try_into().expect("80 - 24 is 56"))
    }
}

#[inline]
fn u32_at(head: &[u8; HEADER_LEN], at: usize) -> u32 {
    u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
}

#[inline]
fn u64_at(head: &[u8; HEADER_LEN], at: usize) -> u64 {
    u64::from(u32_at(head, at)) | u64::from(u32_at(head, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Header {
        Header {
            base_offset: 41,
            append_time_us: 1_700_000_000_000_001,
            leader_epoch: 3,
            body_crc: 0xdead_beef,
            total_len: 96,
            codec: Codec::None,
            columns: Columns::KEYS,
            record_count: 1,
            base_time_us: -5,
            producer_id: u64::MAX,
            base_sequence: 1 << 40,
            producer_epoch: 9,
            raw_len: 16,
            key_id: 0,
        }
    }

    #[test]
    fn header_survives_a_round_trip() {
        assert_eq!(Header::parse(&sample().encode()), Ok(sample()));
    }

    #[test]
    fn any_flipped_bit_is_found() {
        let good = sample().encode();
        for bit in 0..HEADER_LEN * 8 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                Header::parse(&bad).expect_err("a flipped bit").fault(),
                super::super::Fault::HeaderChecksum,
                "bit {bit}"
            );
        }
    }

    #[test]
    fn a_stamp_changes_only_the_first_24_bytes() {
        let producer =
            Header { base_offset: 0, append_time_us: 0, leader_epoch: 0, ..sample() }.encode();
        let stamp =
            Stamp { base_offset: 41, append_time_us: 1_700_000_000_000_001, leader_epoch: 3 };
        let mut stamped = producer;
        stamped[..STAMP_LEN].copy_from_slice(&stamp.encode_for(&producer));
        assert_eq!(stamped, sample().encode());
        assert_eq!(stamped[STAMP_LEN..], producer[STAMP_LEN..]);
    }
}

//! The sparse index of a segment: where to start looking for an offset.
//!
//! Owns the entries in memory and the `.index` file: a 64-byte header and the entries, each with
//! its checksum. The header says which log file it belongs to by base, length and end offset, so
//! that a stale index is told from a good one without reading the entries.
//!
//! Invariant: the file is written only after its segment was sealed or closed *and* synced. A
//! good index therefore vouches for the segment; a missing one costs time and nothing else.

use std::io::{self, IoSlice};
use std::path::Path;

use tidewire_protocol::crc::crc32c;

use super::segment::index_path;
use crate::disk::{Disk, DiskFile, OpenMode, read_exact_at, write_all_vectored_at};

const MAGIC: &[u8; 8] = b"TIDEINDX";
const VERSION: u32 = 1;
const FILE_HEADER_LEN: usize = 64;
const ENTRY_LEN: usize = 24;

/// A place to start from: a batch's first offset, its append time and its position in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub base_offset: u64,
    pub append_time_us: i64,
    pub position: u32,
}

/// The entries of one segment, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    entries: Vec<Entry>,
}

/// What an index file says of its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub base: u64,
    pub end: u64,
    pub log_len: u64,
    pub last_append_time_us: i64,
    count: u32,
    entries_crc: u32,
}

impl Index {
    /// Takes note of the batch at `position` if the last entry is `interval` bytes back.
    pub fn note(
        &mut self,
        base_offset: u64,
        append_time_us: i64,
        position: u64,
        interval: u32,
    ) {
        let due = self
            .entries
            .last()
            .is_none_or(|last| position - u64::from(last.position) >= u64::from(interval));
        // Only a batch alone in its segment can end past 4 GiB, and that one starts at 0.
        if let (true, Ok(position)) = (due, u32::try_from(position)) {
            self.entries.push(Entry { base_offset, append_time_us, position });
        }
    }

    /// Position and base offset of a batch at or before the one that holds `offset`.
    pub fn floor(&self, offset: u64) -> Option<(u64, u64)> {
        let after = self.entries.partition_point(|entry| entry.base_offset <= offset);
        let entry = self.entries[..after].last()?;
        Some((u64::from(entry.position), entry.base_offset))
    }

    /// Position and base offset of a batch before every one that was appended at `time_us` or
    /// later, as close to them as the index knows; `None` if they may begin with the first.
    pub fn floor_time(&self, time_us: i64) -> Option<(u64, u64)> {
        let after = self.entries.partition_point(|entry| entry.append_time_us < time_us);
        let entry = self.entries[..after].last()?;
        Some((u64::from(entry.position), entry.base_offset))
    }

    /// When the first batch was appended; `None` if there is none.
    pub fn first_time_us(&self) -> Option<i64> {
        self.entries.first().map(|entry| entry.append_time_us)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn truncate(&mut self, len: usize) {
        self.entries.truncate(len);
    }

    /// The bytes of the file for a segment of `log_len` bytes.
    pub fn encode(
        &self,
        base: u64,
        end: u64,
        log_len: u64,
        last_append_time_us: i64,
    ) -> Vec<u8> {
        let mut bytes = vec![0; FILE_HEADER_LEN];
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.base_offset.to_le_bytes());
            bytes.extend_from_slice(&entry.append_time_us.to_le_bytes());
            bytes.extend_from_slice(&entry.position.to_le_bytes());
            bytes.extend_from_slice(&[0; 4]);
        }
        let entries_crc = crc32c(&bytes[FILE_HEADER_LEN..]);
        let count = self.entries.len() as u32; // one entry a batch at most, and under 2^30 bytes
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&count.to_le_bytes());
        bytes[16..24].copy_from_slice(&base.to_le_bytes());
        bytes[24..32].copy_from_slice(&end.to_le_bytes());
        bytes[32..40].copy_from_slice(&log_len.to_le_bytes());
        bytes[40..48].copy_from_slice(&last_append_time_us.to_le_bytes());
        bytes[48..52].copy_from_slice(&entries_crc.to_le_bytes());
        let header_crc = crc32c(&bytes[..FILE_HEADER_LEN - 4]);
        bytes[FILE_HEADER_LEN - 4..FILE_HEADER_LEN].copy_from_slice(&header_crc.to_le_bytes());
        bytes
    }
}

/// Replaces the index file of the segment at `base`.
///
/// It is neither renamed into place nor synced: its checksums tell a partial file, and a lost one
/// is rebuilt.
pub(super) fn store(disk: &impl Disk, dir: &Path, base: u64, bytes: &[u8]) -> io::Result<()> {
    let path = index_path(dir, base);
    if disk.exists(&path)? {
        disk.remove_file(&path)?;
    }
    let file = disk.open(&path, OpenMode::CreateNew)?;
    write_all_vectored_at(&file, &mut [IoSlice::new(bytes)], 0)
}

/// Reads only the header of an index file. `None` if there is no good one, for any reason: the
/// log has the last word.
pub(super) fn load_summary(disk: &impl Disk, dir: &Path, base: u64) -> Option<Summary> {
    let file = disk.open(&index_path(dir, base), OpenMode::Read).ok()?;
    summary_of(&file).filter(|summary| summary.base == base)
}

/// What an examination makes of an index file.
#[derive(Debug)]
pub(super) enum IndexFile {
    Missing,
    Damaged(&'static str),
    Good(Summary, Index),
}

impl IndexFile {
    pub fn summary(&self) -> Option<Summary> {
        match self {
            Self::Good(summary, _) => Some(*summary),
            Self::Missing | Self::Damaged(_) => None,
        }
    }

    pub fn entries(&self) -> &[Entry] {
        match self {
            Self::Good(_, index) => index.entries(),
            Self::Missing | Self::Damaged(_) => &[],
        }
    }
}

/// Reads a whole index file and says what is wrong with it.
pub(super) fn examine(disk: &impl Disk, dir: &Path, base: u64) -> IndexFile {
    let file = match disk.open(&index_path(dir, base), OpenMode::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return IndexFile::Missing,
        Err(_) => return IndexFile::Damaged("it cannot be read"),
    };
    match summary_of(&file).filter(|summary| summary.base == base) {
        None => IndexFile::Damaged("its header or the header's checksum is wrong"),
        Some(summary) => match load(disk, dir, base, summary.log_len) {
            Some(index) => IndexFile::Good(summary, index),
            None => IndexFile::Damaged("its entries or their checksum are wrong"),
        },
    }
}

/// Reads a whole index file, of a segment of `log_len` bytes. `None` if it is not good.
pub(super) fn load(disk: &impl Disk, dir: &Path, base: u64, log_len: u64) -> Option<Index> {
    let file = disk.open(&index_path(dir, base), OpenMode::Read).ok()?;
    let summary = summary_of(&file)?;
    // An entry stands for at least one batch, so the log's length bounds what is allocated.
    if summary.base != base
        || summary.log_len != log_len
        || u64::from(summary.count) * ENTRY_LEN as u64 > log_len
    {
        return None;
    }
    let mut bytes = vec![0; summary.count as usize * ENTRY_LEN];
    read_exact_at(&file, &mut bytes, FILE_HEADER_LEN as u64).ok()?;
    if crc32c(&bytes) != summary.entries_crc {
        return None;
    }
    let entries = bytes
        .chunks_exact(ENTRY_LEN)
        .map(|entry| Entry {
            base_offset: u64_at(entry, 0),
            append_time_us: u64_at(entry, 8) as i64,
            position: u32_at(entry, 16),
        })
        .collect();
    Some(Index { entries })
}

fn summary_of(file: &impl DiskFile) -> Option<Summary> {
    let mut head = [0; FILE_HEADER_LEN];
    read_exact_at(file, &mut head, 0).ok()?;
    let good = head.starts_with(MAGIC)
        && u32_at(&head, 8) == VERSION
        && u32_at(&head, FILE_HEADER_LEN - 4) == crc32c(&head[..FILE_HEADER_LEN - 4]);
    good.then(|| Summary {
        count: u32_at(&head, 12),
        base: u64_at(&head, 16),
        end: u64_at(&head, 24),
        log_len: u64_at(&head, 32),
        last_append_time_us: u64_at(&head, 40) as i64,
        entries_crc: u32_at(&head, 48),
    })
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    #[test]
    fn floor_is_the_last_entry_at_or_before_the_offset() {
        let mut index = Index::default();
        for i in 0..100u64 {
            index.note(i * 10, 0, i * 80, 200);
        }
        assert_eq!(index.len(), 34, "every third batch");
        assert_eq!(index.floor(0), Some((0, 0)));
        assert_eq!(index.floor(29), Some((0, 0)));
        assert_eq!(index.floor(30), Some((240, 30)));
        assert_eq!(index.floor(u64::MAX), Some((99 * 80, 990)));
        assert_eq!(Index::default().floor(5), None);
    }

    #[test]
    fn floor_time_is_the_last_entry_before_the_time() {
        let mut index = Index::default();
        for (i, time) in [10, 10, 20, 20, 30].into_iter().enumerate() {
            index.note(i as u64, time, i as u64 * 80, 1);
        }
        assert_eq!(index.floor_time(10), None);
        assert_eq!(index.floor_time(11), Some((80, 1)));
        assert_eq!(index.floor_time(20), Some((80, 1)));
        assert_eq!(index.floor_time(31), Some((320, 4)));
    }

    #[test]
    fn any_flipped_bit_in_the_file_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = Index::default();
        index.note(7, -1, 0, 1);
        index.note(9, 1, 120, 1);
        let good = index.encode(7, 12, 240, 1);
        store(&RealDisk, dir.path(), 7, &good).unwrap();
        assert_eq!(load(&RealDisk, dir.path(), 7, 240), Some(index));
        assert_eq!(load(&RealDisk, dir.path(), 7, 248), None, "stale");
        assert_eq!(load_summary(&RealDisk, dir.path(), 7).unwrap().end, 12);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            store(&RealDisk, dir.path(), 7, &bad).unwrap();
            assert_eq!(load(&RealDisk, dir.path(), 7, 240), None, "bit {bit}");
        }
    }
}

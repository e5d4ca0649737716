//! A segment: one file of batches, and its name.
//!
//! A segment is created as `<base>.next`; the sync that covers its beginning, and so everything
//! before it, renames it to `<base>.log`. After a crash the name thus tells whether anything in
//! the file can have been acknowledged as synced, and whether the one before it can be torn.
//!
//! Invariant: a file is called `.log` only if every byte of the log before it is on the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::index::Index;

/// Digits of a base offset in a file name: enough for `u64::MAX`, so that names sort.
const NAME_DIGITS: usize = 20;
const LOG_SUFFIX: &str = ".log";
const NEXT_SUFFIX: &str = ".next";
const INDEX_SUFFIX: &str = ".index";
const START_NAME: &str = "start";
const START_DRAFT_NAME: &str = "start.new";
const SNAPSHOT_SUFFIX: &str = ".state";
const SNAPSHOT_TEMPORARY_SUFFIX: &str = ".state-new";

/// What the log knows of one segment file.
#[derive(Debug)]
pub(super) struct Segment<F> {
    /// Offset of the first record, and the file's name.
    pub base: u64,
    /// The offset after the last record.
    pub end: u64,
    /// Bytes of whole batches.
    pub len: u64,
    /// When its last batch was appended; of an empty one, when the one before it was.
    pub last_time_us: i64,
    /// Whether the file is still called `.next`.
    pub unnamed: bool,
    /// `Some` while the segment grows or has unsynced bytes.
    pub live: Option<Live<F>>,
}

/// A segment that grows or has unsynced bytes.
#[derive(Debug)]
pub(super) struct Live<F> {
    /// Kept open: only this descriptor is sure to be told of a failed write-back.
    pub file: Arc<F>,
    pub index: Index,
}

/// What a file in a log's directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Log(u64),
    Next(u64),
    Index(u64),
    Snapshot(u64),
    /// A snapshot that was not finished.
    SnapshotTemporary,
    /// Where the log begins, and what is to replace it: see [`super::trim`].
    Start,
    StartDraft,
    Foreign,
}

impl<F> Segment<F> {
    /// The file's path as it is now.
    pub fn path(&self, dir: &Path) -> PathBuf {
        if self.unnamed { next_path(dir, self.base) } else { log_path(dir, self.base) }
    }
}

impl Name {
    /// What the file at `path` is.
    pub fn parse_path(path: &Path) -> Self {
        path.file_name().and_then(|name| name.to_str()).map_or(Self::Foreign, Self::parse)
    }

    pub fn parse(name: &str) -> Self {
        match name {
            START_NAME => return Self::Start,
            START_DRAFT_NAME => return Self::StartDraft,
            _ => {}
        }
        let base = |digits: &str| {
            let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
            (digits.len() == NAME_DIGITS && all_digits).then(|| digits.parse().ok()).flatten()
        };
        if let Some(base) = name.strip_suffix(LOG_SUFFIX).and_then(base) {
            Self::Log(base)
        } else if let Some(base) = name.strip_suffix(NEXT_SUFFIX).and_then(base) {
            Self::Next(base)
        } else if let Some(base) = name.strip_suffix(INDEX_SUFFIX).and_then(base) {
            Self::Index(base)
        } else if let Some(offset) = name.strip_suffix(SNAPSHOT_SUFFIX).and_then(base) {
            Self::Snapshot(offset)
        } else if name.strip_suffix(SNAPSHOT_TEMPORARY_SUFFIX).and_then(base).is_some() {
            Self::SnapshotTemporary
        } else {
            Self::Foreign
        }
    }
}

pub(super) fn start_path(dir: &Path) -> PathBuf {
    dir.join(START_NAME)
}

pub(super) fn start_draft_path(dir: &Path) -> PathBuf {
    dir.join(START_DRAFT_NAME)
}

pub(super) fn log_path(dir: &Path, base: u64) -> PathBuf {
    dir.join(format!("{base:0width$}{LOG_SUFFIX}", width = NAME_DIGITS))
}

pub(super) fn next_path(dir: &Path, base: u64) -> PathBuf {
    dir.join(format!("{base:0width$}{NEXT_SUFFIX}", width = NAME_DIGITS))
}

pub(super) fn index_path(dir: &Path, base: u64) -> PathBuf {
    dir.join(format!("{base:0width$}{INDEX_SUFFIX}", width = NAME_DIGITS))
}

pub(super) fn snapshot_path(dir: &Path, offset: u64) -> PathBuf {
    dir.join(format!("{offset:0width$}{SNAPSHOT_SUFFIX}", width = NAME_DIGITS))
}

pub(super) fn snapshot_temporary_path(dir: &Path, offset: u64) -> PathBuf {
    dir.join(format!("{offset:0width$}{SNAPSHOT_TEMPORARY_SUFFIX}", width = NAME_DIGITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_round_trip_and_others_are_foreign() {
        for base in [0, 1, u64::MAX] {
            let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
            assert_eq!(Name::parse(&name(log_path(Path::new("d"), base))), Name::Log(base));
            assert_eq!(Name::parse(&name(next_path(Path::new("d"), base))), Name::Next(base));
            assert_eq!(Name::parse(&name(index_path(Path::new("d"), base))), Name::Index(base));
            let snapshot = snapshot_path(Path::new("d"), base);
            assert_eq!(Name::parse(&name(snapshot)), Name::Snapshot(base));
            let temporary = snapshot_temporary_path(Path::new("d"), base);
            assert_eq!(Name::parse(&name(temporary)), Name::SnapshotTemporary);
        }
        for foreign in ["0.log", "99999999999999999999.log", "+0000000000000000001.log", "LOCK"]
        {
            assert_eq!(Name::parse(foreign), Name::Foreign, "{foreign}");
        }
    }
}

//! A snapshot of what somebody remembers of the log, beside the log: opaque bytes that hold for
//! all records below an offset, so that they need not be gathered from the log again.
//!
//! Owns the file `<offset>.state`: where it lies, its checksums, and that it is replaced as a
//! whole. What is in it is the server's. It is written to a temporary name, synced, renamed, and
//! the directory synced; the one before it is kept, for the case that the disk damages the newer.
//!
//! Invariant: a snapshot is written only once everything below its offset is on the disk, so that
//! none ever knows of a record that the log has lost. Losing one costs time, unless the segments
//! below it were removed: see [`Log::snapshot_offset`].

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

use tidewire_protocol::crc::crc32c;

use super::Log;
use super::segment::{Name, snapshot_path, snapshot_temporary_path};
use crate::disk::{Disk, DiskFile, OpenMode, read_exact_at, write_all_vectored_at};
use crate::error::Error;

pub(crate) const MAGIC: &[u8; 8] = b"TIDESTAT";
const VERSION: u32 = 1;
const FILE_HEADER_LEN: usize = 40;
/// Largest snapshot that is written or read, in bytes.
pub const MAX_SNAPSHOT_BYTES: usize = 64 << 20;

/// A snapshot to write. Send it to a thread that may block, and [`run`](Self::run) it there.
#[derive(Debug)]
#[must_use = "a snapshot that is not run is not written"]
pub struct SnapshotJob<D: Disk> {
    disk: D,
    dir: Arc<Path>,
    offset: u64,
    /// The newest one before it.
    previous: Option<u64>,
    bytes: Vec<u8>,
}

/// What came of a [`SnapshotJob`]; hand it to [`Log::finish_snapshot`].
#[derive(Debug)]
#[must_use = "the log does not know before `finish_snapshot`"]
pub struct SnapshotOutcome {
    offset: u64,
    result: io::Result<()>,
}

impl<D: Disk> SnapshotJob<D> {
    /// The offset below which it knows everything.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Writes it. Blocks for as long as the disk takes.
    pub fn run(self) -> SnapshotOutcome {
        SnapshotOutcome { offset: self.offset, result: self.store() }
    }

    fn store(&self) -> io::Result<()> {
        let Self { disk, dir, offset, previous, bytes } = self;
        let temporary = snapshot_temporary_path(dir, *offset);
        if disk.exists(&temporary)? {
            disk.remove_file(&temporary)?;
        }
        let file = disk.open(&temporary, OpenMode::CreateNew)?;
        let head = encode_head(*offset, bytes);
        let written =
            write_all_vectored_at(&file, &mut [IoSlice::new(&head), IoSlice::new(bytes)], 0)
                .and_then(|()| file.sync_data());
        drop(file);
        if let Err(error) = written {
            // A full disk should not stay full because of this.
            let _ = disk.remove_file(&temporary);
            return Err(error);
        }
        disk.rename(&temporary, &snapshot_path(dir, *offset))?;
        disk.sync_dir(dir)?;
        for name in disk.read_dir(dir)? {
            if let Name::Snapshot(old) = Name::parse(&name)
                && old != *offset
                && Some(old) != *previous
            {
                // One too many does no harm, and the next one tries again.
                let _ = disk.remove_file(&snapshot_path(dir, old));
            }
        }
        Ok(())
    }
}

impl<D: Disk> Log<D> {
    /// Whether a segment was begun since the last snapshot was: the time for another.
    pub fn wants_snapshot(&self) -> bool {
        let active = self.segments.last().map_or(0, |segment| segment.base);
        self.check_writable().is_ok() && active > self.snapshot_begun
    }

    /// Takes `bytes` as what is known of all records below [`Log::end_offset`]. Run the job once
    /// [`Log::synced_end`] has reached its offset, not before.
    pub fn begin_snapshot(&mut self, bytes: Vec<u8>) -> SnapshotJob<D> {
        let offset = self.end_offset();
        self.snapshot_begun = offset;
        SnapshotJob {
            disk: self.disk.clone(),
            dir: Arc::clone(&self.dir),
            offset,
            previous: self.snapshot_offset,
            bytes,
        }
    }

    /// Takes a snapshot's outcome back.
    ///
    /// # Errors
    /// It could not be written. The log is as good as before, and the next segment brings the
    /// next snapshot.
    pub fn finish_snapshot(&mut self, outcome: SnapshotOutcome) -> io::Result<()> {
        outcome.result?;
        self.snapshot_offset = Some(outcome.offset);
        Ok(())
    }

    /// The offset of the newest snapshot that is on the disk. Segments that reach beyond it hold
    /// what no snapshot knows: they must not be removed before there is a newer one.
    pub fn snapshot_offset(&self) -> Option<u64> {
        self.snapshot_offset
    }

    /// The newest good snapshot: its offset and bytes. A damaged one is passed over; one that
    /// knows of more than the log holds is removed, for the log may grow past it with other
    /// records.
    ///
    /// # Errors
    /// The disk failed; nothing was passed over for that.
    pub fn load_snapshot(&mut self) -> Result<Option<(u64, Vec<u8>)>, Error> {
        let failed = |error| Error::io("looking for a snapshot in", &self.dir, error);
        let mut offsets = Vec::new();
        for name in self.disk.read_dir(&self.dir).map_err(failed)? {
            match Name::parse(&name) {
                Name::Snapshot(offset) if offset <= self.end_offset() => offsets.push(offset),
                // A quarantined log may have these records still, and takes no others.
                Name::Snapshot(offset) if self.quarantined().is_none() => {
                    let path = snapshot_path(&self.dir, offset);
                    self.disk.remove_file(&path).map_err(failed)?;
                }
                Name::SnapshotTemporary => {
                    self.disk.remove_file(&self.dir.join(&name)).map_err(failed)?;
                }
                _ => {}
            }
        }
        offsets.sort_unstable();
        while let Some(offset) = offsets.pop() {
            let unread = |error| Error::io("reading", &snapshot_path(&self.dir, offset), error);
            if let Some(bytes) = load(&self.disk, &self.dir, offset).map_err(unread)? {
                self.snapshot_offset = Some(offset);
                self.snapshot_begun = offset;
                return Ok(Some((offset, bytes)));
            }
        }
        Ok(None)
    }
}

fn encode_head(offset: u64, bytes: &[u8]) -> [u8; FILE_HEADER_LEN] {
    let mut head = [0; FILE_HEADER_LEN];
    head[..8].copy_from_slice(MAGIC);
    head[8..12].copy_from_slice(&VERSION.to_le_bytes());
    head[12..16].copy_from_slice(&crc32c(bytes).to_le_bytes());
    head[16..24].copy_from_slice(&offset.to_le_bytes());
    head[24..32].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
    let crc = crc32c(&head[..36]);
    head[36..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// The bytes of a snapshot; `None` if it is not good, or not there.
///
/// # Errors
/// The disk failed: what it says is not known, and may be known later. To go on without it could
/// forget what no batch of the log tells any more.
pub(super) fn load(disk: &impl Disk, dir: &Path, offset: u64) -> io::Result<Option<Vec<u8>>> {
    match read(disk, &snapshot_path(dir, offset), offset) {
        Err(error) if is_of_the_file(error.kind()) => Ok(None),
        result => result,
    }
}

/// Whether it says something about the file, and not about the disk.
fn is_of_the_file(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof)
}

fn read(disk: &impl Disk, path: &Path, offset: u64) -> io::Result<Option<Vec<u8>>> {
    let file = disk.open(path, OpenMode::Read)?;
    let len =
        usize::try_from(file.len()?).ok().and_then(|len| len.checked_sub(FILE_HEADER_LEN));
    let Some(len) = len.filter(|&len| len <= MAX_SNAPSHOT_BYTES) else {
        return Ok(None);
    };
    let mut head = [0; FILE_HEADER_LEN];
    read_exact_at(&file, &mut head, 0)?;
    let mut bytes = vec![0; len];
    read_exact_at(&file, &mut bytes, FILE_HEADER_LEN as u64)?;
    Ok((head == encode_head(offset, &bytes)).then_some(bytes))
}

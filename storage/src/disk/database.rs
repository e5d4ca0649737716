//! A database's file on a [`Disk`], so that redb runs over a simulated one as it does over a real
//! one, on the calls that redb itself chooses.
//!
//! Invariant: what redb was told is written is written whole; a short write is gone on with. No
//! database is opened before [`write_back`], and none has its name before it is whole.

use std::fmt;
use std::io::{self, IoSlice};
use std::path::Path;

use redb::{DatabaseError, StorageBackend, StorageError};

use super::{Disk, DiskFile, OpenMode, read_exact_at, write_all_vectored_at};

/// Bytes that are written back at once.
const WRITE_BACK_BYTES: usize = 256 << 10;

/// The file of one database.
pub(crate) struct DiskBackend<F> {
    file: F,
}

impl<F: DiskFile> DiskBackend<F> {
    /// Opens the file, or creates it, its name durable. What it holds is on the disk.
    pub(crate) fn open<D: Disk<File = F>>(disk: &D, path: &Path) -> io::Result<Self> {
        if disk.exists(path)? {
            let file = disk.open(path, OpenMode::ReadWrite)?;
            write_back(&file)?;
            return Ok(Self { file });
        }
        let dir = path.parent().unwrap_or(Path::new("/"));
        super::create_dir_durable(disk, dir)?;
        let file = disk.open(path, OpenMode::CreateNew)?;
        disk.sync_dir(dir)?;
        Ok(Self { file })
    }
}

/// Makes an empty database at `path` if there is none, its name durable.
///
/// redb writes what tells its files from others last. One whose making was interrupted, by a kill
/// or a disk that failed, is refused for ever after, though nothing was stored in it; so it is made
/// under another name, which is free again the next time.
pub(crate) fn create_whole<D: Disk>(disk: &D, path: &Path) -> Result<(), DatabaseError> {
    let failed = |error: io::Error| DatabaseError::Storage(StorageError::Io(error));
    if disk.exists(path).map_err(failed)? {
        return Ok(());
    }
    let unfinished = path.with_extension("redb-new");
    if disk.exists(&unfinished).map_err(failed)? {
        disk.remove_file(&unfinished).map_err(failed)?;
    }
    let backend = DiskBackend::open(disk, &unfinished).map_err(failed)?;
    drop(redb::Builder::new().create_with_backend(backend)?);
    // Closing it may fail without a word.
    let file = disk.open(&unfinished, OpenMode::ReadWrite).map_err(failed)?;
    write_back(&file).map_err(failed)?;
    disk.rename(&unfinished, path).map_err(failed)?;
    disk.sync_dir(path.parent().unwrap_or(Path::new("/"))).map_err(failed)
}

/// Writes a file's bytes to where they are, and syncs them.
///
/// After a sync that failed, the kernel calls pages clean that never reached the disk: they can
/// be read, and no later sync writes them. A process that did not see the failure cannot know
/// which; what it reads is on the disk once it was written anew. Whatever moment the power fails
/// at, each sector holds what it held or what was read, which is a transaction that was
/// interrupted, and redb knows what to do about that.
pub(crate) fn write_back(file: &impl DiskFile) -> io::Result<()> {
    let len = file.len()?;
    let mut buf = Vec::new();
    let mut at = 0;
    while at < len {
        buf.resize(WRITE_BACK_BYTES.min(usize::try_from(len - at).unwrap_or(usize::MAX)), 0);
        read_exact_at(file, &mut buf, at)?;
        write_all_vectored_at(file, &mut [IoSlice::new(&buf)], at)?;
        at += buf.len() as u64;
    }
    file.sync_data()
}

impl<F> fmt::Debug for DiskBackend<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskBackend").finish_non_exhaustive()
    }
}

impl<F: DiskFile> StorageBackend for DiskBackend<F> {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        read_exact_at(&self.file, out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        write_all_vectored_at(&self.file, &mut [IoSlice::new(data)], offset)
    }
}

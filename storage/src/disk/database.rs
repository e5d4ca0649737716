//! A database's file on a [`Disk`], so that redb runs over a simulated one as it does over a real
//! one, on the calls that redb itself chooses.
//!
//! Invariant: what redb was told is written is written whole; a short write is gone on with.

use std::fmt;
use std::io::{self, IoSlice};
use std::path::Path;

use redb::StorageBackend;

use super::{Disk, DiskFile, OpenMode, read_exact_at, write_all_vectored_at};

/// The file of one database.
pub(crate) struct DiskBackend<F> {
    file: F,
}

impl<F: DiskFile> DiskBackend<F> {
    /// Opens the file, or creates it, its name durable.
    pub(crate) fn open<D: Disk<File = F>>(disk: &D, path: &Path) -> io::Result<Self> {
        if disk.exists(path)? {
            return Ok(Self { file: disk.open(path, OpenMode::ReadWrite)? });
        }
        let dir = path.parent().unwrap_or(Path::new("/"));
        super::create_dir_durable(disk, dir)?;
        let file = disk.open(path, OpenMode::CreateNew)?;
        disk.sync_dir(dir)?;
        Ok(Self { file })
    }
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

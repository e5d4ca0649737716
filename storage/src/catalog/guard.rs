//! A database of the data directory, and the lock that whoever copies its file takes.
//!
//! redb changes pages in place over a transaction, so a file copied meanwhile is neither the old
//! nor the new state. The one writer holds the lock (`catalog.lock` of the catalog) while it
//! writes, and whoever copies the file holds it while it reads: no server needs to be asked, and
//! a copier that dies lets go.
//!
//! A write that fails makes redb refuse everything until the file is opened again, so room for a
//! transaction is reserved before it begins: a full disk then refuses the change and nothing else.
//!
//! Invariant: the database's file changes only while this process holds the lock, and not before
//! all that can be read of it is on the disk.
//!
//! A simulation opens a database over its own disk; nobody else can copy or fill that.

#![expect(
    clippy::disallowed_types,
    reason = "the database opens its file by itself; this guards that file"
)]

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use redb::Database;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::store::open_error;
use crate::data_dir::DataDir;
use crate::disk::database::{DiskBackend, create_whole, write_back};
use crate::disk::{Disk, OpenMode, RealDisk};
use crate::error::Error;

/// Beside the catalog; empty.
pub(super) const LOCK_FILE: &str = "catalog.lock";
/// Bytes reserved behind the file for what a transaction adds.
const RESERVE_BYTES: u64 = 1 << 20;

/// A database that is written to only under its lock.
#[derive(Debug)]
pub(crate) struct GuardedDatabase {
    database: Database,
    /// `None` on a disk that nobody shares.
    guard: Option<Guard>,
}

#[derive(Debug)]
struct Guard {
    /// The database's file, to reserve room in.
    file: File,
    lock: File,
}

impl GuardedDatabase {
    /// Opens a database of the data directory, or creates it, durably.
    pub fn open(
        data_dir: &DataDir,
        file: &str,
        lock_file: &str,
        cache_bytes: usize,
    ) -> Result<Self, Error> {
        let (path, lock_path) = (data_dir.path().join(file), data_dir.path().join(lock_file));
        let lock = open_lock(&lock_path)
            .and_then(|lock| lock.lock().map(|()| lock))
            .map_err(|error| Error::io("locking", &lock_path, error))?;
        create_whole(&RealDisk, &path).map_err(|error| open_error(&path, error))?;
        RealDisk
            .open(&path, OpenMode::ReadWrite)
            .and_then(|file| write_back(&file))
            .map_err(|error| Error::io("writing back", &path, error))?;
        let database = redb::Builder::new()
            .set_cache_size(cache_bytes)
            .create(&path)
            .map_err(|error| open_error(&path, error))?;
        lock.unlock().map_err(|error| Error::io("unlocking", &lock_path, error))?;
        let file = OpenOptions::new()
            .write(true)
            .open(&path)
            .map_err(|error| Error::io("opening", &path, error))?;
        // It may hold what passwords can be tried against.
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(|error| Error::io("protecting", &path, error))?;
        Ok(Self { database, guard: Some(Guard { file, lock }) })
    }

    /// Opens a database on a disk that nobody shares, or creates it, durably.
    pub fn over<D: Disk>(disk: &D, path: &Path, cache_bytes: usize) -> Result<Self, Error> {
        create_whole(disk, path).map_err(|error| open_error(path, error))?;
        let backend =
            DiskBackend::open(disk, path).map_err(|error| Error::io("opening", path, error))?;
        let database = redb::Builder::new()
            .set_cache_size(cache_bytes)
            .create_with_backend(backend)
            .map_err(|error| open_error(path, error))?;
        Ok(Self { database, guard: None })
    }

    /// Calls `write` while nobody copies the file, and if there is room.
    pub fn locked<T, E>(
        &self,
        failed: impl Fn(redb::Error) -> E,
        write: impl FnOnce(&Database) -> Result<T, E>,
    ) -> Result<T, E> {
        let Some(guard) = &self.guard else { return write(&self.database) };
        guard.lock.lock().map_err(|error| failed(redb::Error::Io(error)))?;
        let result = guard
            .reserve()
            .map_err(|error| failed(redb::Error::Io(error)))
            .and_then(|()| write(&self.database));
        guard.lock.unlock().map_err(|error| failed(redb::Error::Io(error)))?;
        result
    }
}

impl Guard {
    /// Makes sure that a transaction finds room, in the holes of the file and behind it.
    fn reserve(&self) -> io::Result<()> {
        let len = self.file.metadata()?.len() + RESERVE_BYTES;
        match fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, len) {
            // A file system that cannot reserve: what is written may not fit.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(()),
        }
    }
}

impl Deref for GuardedDatabase {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl Drop for GuardedDatabase {
    fn drop(&mut self) {
        // Closing writes, too. The lock goes with its file, after the database.
        if let Some(guard) = &self.guard {
            let _ = guard.lock.lock();
        }
    }
}

/// Opens the lock's file, which is created if there is none.
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

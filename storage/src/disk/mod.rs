//! The disk as the log sees it: a few blocking calls, and nothing else of the operating system.
//!
//! Owns the traits and the loops over short reads and writes. [`RealDisk`] is the operating
//! system; [`sim::SimDisk`] loses what was not synced; [`EncryptedDisk`] lies over another. What
//! the calls mean to a log (when to sync, what to do about a failure) is left to [`crate::log`].
//!
//! Invariant to code against: a write is in the operating system once it returns, on the disk
//! only after `sync_data`; a file's name is on the disk only after `sync_dir` of its directory.

pub(crate) mod crypt;
pub(crate) mod database;
mod real;
pub mod sim;

use std::io::{self, IoSlice};
use std::path::Path;

pub use crypt::{EncryptedDisk, EncryptedFile};
pub use real::{RealDisk, RealFile};

/// The disk of a server: the operating system's, on which segments are encrypted if there are keys.
pub type ServerDisk = EncryptedDisk<RealDisk>;

/// How to open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// An existing file, to read.
    Read,
    /// An existing file, to read and write.
    ReadWrite,
    /// A file that must not exist yet, to read and write.
    CreateNew,
}

/// A file system. Cloning shares it.
pub trait Disk: Clone + Send + Sync + 'static {
    /// An open file.
    type File: DiskFile;

    /// Creates a directory and its parents where they are missing. The new names are durable
    /// once the parents were synced; [`create_dir_durable`] does both.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Opens a file.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Self::File>;
    /// The names in a directory, in no order; a name that is not UTF-8 is shown with
    /// replacement characters.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Removes a file's name.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and all in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Renames a file, replacing what had the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Whether something has this name.
    fn exists(&self, path: &Path) -> io::Result<bool>;
}

/// An open file. Every call names its position, so that a file can be shared.
pub trait DiskFile: Send + Sync + 'static {
    /// Reads up to `buf.len()` bytes; 0 at the end.
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize>;
    /// Whether bytes may be written at `at`. What an encrypted file has held there once, it never
    /// takes something else for.
    fn takes(&self, _at: u64) -> bool {
        true
    }
    /// Writes the buffers one after the other; may write only part of them.
    fn write_vectored_at(&self, bufs: &[IoSlice<'_>], at: u64) -> io::Result<usize>;
    /// Appends what one read of at most `len` bytes gives to `buf`, without zeroing its room
    /// first where the implementation can.
    fn read_append(&self, buf: &mut Vec<u8>, len: usize, at: u64) -> io::Result<usize> {
        let held = buf.len();
        buf.resize(held + len, 0);
        let read = self.read_at(&mut buf[held..], at);
        buf.truncate(held + *read.as_ref().unwrap_or(&0));
        read
    }
    /// Makes the file's bytes and length durable.
    fn sync_data(&self) -> io::Result<()>;
    /// Cuts the file, or extends it: with zeros, unless it is encrypted.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// The file's length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Drops cached bytes that claim to be clean, so that reads show what the disk holds. Called
    /// after a failed sync, when the cache and the disk may differ; best effort.
    fn forget_cached(&self) {}
}

/// Reads exactly `buf.len()` bytes.
pub(crate) fn read_exact_at(file: &impl DiskFile, buf: &mut [u8], at: u64) -> io::Result<()> {
    if read_up_to_at(file, buf, at)? < buf.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// Reads `buf.len()` bytes, or fewer if the file ends before; says how many.
pub(crate) fn read_up_to_at(
    file: &impl DiskFile,
    buf: &mut [u8],
    at: u64,
) -> io::Result<usize> {
    let mut done = 0;
    while done < buf.len() {
        match file.read_at(&mut buf[done..], at + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Appends exactly `len` bytes to `buf`.
pub(crate) fn read_exact_append(
    file: &impl DiskFile,
    buf: &mut Vec<u8>,
    len: usize,
    at: u64,
) -> io::Result<()> {
    let held = buf.len();
    read_up_to_append(file, buf, len, at)?;
    if buf.len() - held < len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// Appends `len` bytes to `buf`, or fewer if the file ends before.
pub(crate) fn read_up_to_append(
    file: &impl DiskFile,
    buf: &mut Vec<u8>,
    len: usize,
    at: u64,
) -> io::Result<()> {
    let start = buf.len();
    buf.reserve_exact(len);
    while buf.len() - start < len {
        let done = buf.len() - start;
        match file.read_append(buf, len - done, at + done as u64) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes all of `bufs`. After an error any part of them may have been written.
pub(crate) fn write_all_vectored_at(
    file: &impl DiskFile,
    mut bufs: &mut [IoSlice<'_>],
    mut at: u64,
) -> io::Result<()> {
    while !bufs.is_empty() {
        match file.write_vectored_at(bufs, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                IoSlice::advance_slices(&mut bufs, count);
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Creates a directory and its missing parents, and makes their names durable.
///
/// Each name is synced before the next is created in it, and so is the name of the deepest one
/// that exists: a process that was killed in here has left at most that one behind unsynced.
pub fn create_dir_durable(disk: &impl Disk, path: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut existing = path;
    while !disk.exists(existing)? && parent_of(existing) != existing {
        missing.push(existing);
        existing = parent_of(existing);
    }
    disk.sync_dir(parent_of(existing))?;
    for dir in missing.into_iter().rev() {
        disk.create_dir_all(dir)?;
        disk.sync_dir(parent_of(dir))?;
    }
    Ok(())
}

/// The directory that holds `path`'s name; the root holds its own.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

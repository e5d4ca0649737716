//! The operating system's files.
//!
//! Plain blocking calls: an inline `pwritev` to the page cache costs a few microseconds, far
//! less than a round trip through an io_uring worker. Whatever may block for longer is called
//! from a thread that may.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is the real disk"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{Advice, fadvise};

use super::{Disk, DiskFile, OpenMode};

/// The operating system's file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

/// A file of the operating system.
#[derive(Debug)]
pub struct RealFile(File);

impl Disk for RealDisk {
    type File = RealFile;

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<RealFile> {
        let mut options = OpenOptions::new();
        options.read(true);
        match mode {
            OpenMode::Read => &mut options,
            OpenMode::ReadWrite => options.write(true),
            OpenMode::CreateNew => options.write(true).create_new(true),
        };
        options.open(path).map(RealFile)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        fs::exists(path)
    }
}

impl DiskFile for RealFile {
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        FileExt::read_at(&self.0, buf, at)
    }

    fn read_append(&self, buf: &mut Vec<u8>, len: usize, at: u64) -> io::Result<usize> {
        // The kernel reads into all the room there is; a reader that wants less has reserved
        // less, and what is read beyond is cut off.
        let held = buf.len();
        buf.reserve(len);
        rustix::io::pread(&self.0, rustix::buffer::spare_capacity(buf), at)?;
        buf.truncate(held + len);
        Ok(buf.len() - held)
    }

    fn write_vectored_at(&self, bufs: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        // rustix passes at most IOV_MAX buffers to the kernel; the rest is a short write.
        Ok(rustix::io::pwritev(&self.0, bufs, at)?)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn forget_cached(&self) {
        // An advice: there is nothing to do if the kernel does not take it.
        let _ = fadvise(&self.0, 0, None, Advice::DontNeed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{create_dir_durable, read_exact_at, write_all_vectored_at};
    use super::*;

    #[test]
    fn a_write_of_more_buffers_than_the_kernel_takes_is_completed() {
        let dir = tempfile::tempdir().unwrap();
        let file = RealDisk.open(&dir.path().join("f"), OpenMode::CreateNew).unwrap();
        let data: Vec<u8> = (0..10_000u32).map(|i| i as u8).collect();
        let mut bufs: Vec<IoSlice<'_>> = data.chunks(2).map(IoSlice::new).collect();
        write_all_vectored_at(&file, &mut bufs, 3).unwrap();
        let mut back = vec![0; data.len()];
        read_exact_at(&file, &mut back, 3).unwrap();
        assert_eq!(back, data);
        assert!(read_exact_at(&file, &mut back, 4).is_err());
    }

    #[test]
    fn missing_parents_are_created() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b/c");
        create_dir_durable(&RealDisk, &deep).unwrap();
        create_dir_durable(&RealDisk, &deep).unwrap();
        assert!(RealDisk.exists(&deep).unwrap());
    }
}

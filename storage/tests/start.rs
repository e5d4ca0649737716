//! What a start reads: bounded by the newest segment and the number of segments, not by the data.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tidewire_protocol::batch::{BatchBuilder, RecordRef, Sequence};
use tidewire_storage::disk::{Disk, DiskFile, OpenMode, RealDisk, RealFile};
use tidewire_storage::log::{Log, LogOptions};

/// The operating system's files, with a count of the bytes that are read.
#[derive(Clone, Default)]
struct CountingDisk(Arc<AtomicU64>);

struct CountingFile {
    file: RealFile,
    read: Arc<AtomicU64>,
}

impl CountingDisk {
    fn bytes_read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Disk for CountingDisk {
    type File = CountingFile;

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dir_all(path)
    }
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<CountingFile> {
        let file = RealDisk.open(path, mode)?;
        Ok(CountingFile { file, read: Arc::clone(&self.0) })
    }
    fn read_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        RealDisk.read_dir(path)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove_dir_all(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }
}

impl DiskFile for CountingFile {
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        let count = self.file.read_at(buf, at)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
    fn write_vectored_at(&self, bufs: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        self.file.write_vectored_at(bufs, at)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}

const SEGMENT_BYTES: u64 = 64 << 10;
const OPTIONS: LogOptions =
    LogOptions { segment_bytes: SEGMENT_BYTES, index_interval_bytes: 4096, leader_epoch: 1 };

fn batch() -> Bytes {
    let mut builder = BatchBuilder::new(1 << 20, 10);
    builder.push(&RecordRef { value: Some(&[7; 4000]), ..RecordRef::at(0) }).expect("small");
    builder.seal(Sequence::default())
}

/// Bytes read by opening a log of about `bytes`, which was closed or not.
fn read_at_open(bytes: u64, closed: bool) -> (u64, usize) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut log, _) = Log::open(RealDisk, dir.path(), OPTIONS).expect("a new log");
    let batch = batch();
    while log.size_bytes() < bytes {
        log.append(std::slice::from_ref(&batch), 0).expect("room");
        if log.segment_count().is_multiple_of(20) {
            log.sync().expect("a disk that syncs");
        }
    }
    log.sync().expect("a disk that syncs");
    let (size, segments) = (log.size_bytes(), log.segment_count());
    if closed {
        log.close().expect("a disk that syncs");
    } else {
        drop(log);
    }
    let disk = CountingDisk::default();
    let (log, recovery) = Log::open(disk.clone(), dir.path(), OPTIONS).expect("it opens");
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!((log.size_bytes(), log.segment_count()), (size, segments));
    (disk.bytes_read(), segments)
}

#[test]
fn a_start_reads_the_newest_segment_and_a_header_for_each_other() {
    for closed in [true, false] {
        let (small, _) = read_at_open(1 << 20, closed);
        let (large, segments) = read_at_open(8 << 20, closed);
        // The newest segment once, and again what a search behind its end looks at.
        let bound = 2 * SEGMENT_BYTES + 64 * segments as u64;
        assert!(large <= bound, "{large} bytes read of 8 MiB, {segments} segments; {bound}");
        assert!(small <= bound);
    }
}

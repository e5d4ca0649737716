//! Segments that are encrypted on their way to the disk: what is there, under which key, and what
//! becomes of a log whose key is missing.

use std::collections::BTreeSet;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::path::PathBuf;

use tidewire_protocol::batch::{EncryptionKey, EncryptionKeys};
use tidewire_protocol::crc::crc32c;

use super::*;
use crate::disk::crypt::BODY_AT;
use crate::disk::sim::{self, Operation, SimDisk};
use crate::disk::{DiskFile, EncryptedDisk, OpenMode, read_exact_at, write_all_vectored_at};
use crate::error::{Error, ErrorKind};
use crate::log::{Aside, Fault, Finding, Loss, check, mend};

/// What was kept aside, as it lay on the disk.
struct Kept(SimDisk, Vec<Vec<u8>>);

impl Aside for Kept {
    fn keep(&mut self, file: &Path, _bytes: Range<u64>, _why: &str) -> Result<(), Error> {
        self.1.push(raw(&self.0, file));
        Ok(())
    }
}

fn keys(ids: &[u32]) -> EncryptionKeys {
    let mut keys = EncryptionKeys::default();
    for &id in ids {
        keys.add(EncryptionKey::new(id, [id as u8; 32]).unwrap()).unwrap();
    }
    keys
}

fn sealed(disk: &SimDisk, ids: &[u32]) -> EncryptedDisk<SimDisk> {
    EncryptedDisk::new(disk.clone(), keys(ids))
}

/// What a file has on the disk itself.
fn raw(disk: &SimDisk, path: &Path) -> Vec<u8> {
    let file = disk.open(path, OpenMode::Read).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    read_exact_at(&file, &mut bytes, 0).unwrap();
    bytes
}

fn files(disk: &SimDisk) -> Vec<PathBuf> {
    let mut names = disk.read_dir(Path::new(DIR)).unwrap();
    names.sort();
    names.iter().map(|name| Path::new(DIR).join(name)).collect()
}

fn segments(disk: &SimDisk) -> Vec<PathBuf> {
    let is_segment = |path: &PathBuf| {
        path.extension().is_some_and(|suffix| suffix == "log" || suffix == "next")
    };
    files(disk).into_iter().filter(is_segment).collect()
}

/// The number of the key in a segment's header.
fn key_of(disk: &SimDisk, path: &Path) -> u32 {
    let bytes = raw(disk, path);
    assert!(bytes.starts_with(b"TWATREST"), "{} has no header", path.display());
    u32::from_le_bytes(bytes[12..16].try_into().unwrap())
}

fn filled(over: &EncryptedDisk<SimDisk>, batches: u8) -> Model {
    let (mut log, _) = open(over);
    let mut model = Model::default();
    for fill in 0..batches {
        append(&mut log, &mut model, b'a' + fill, 2, 500);
    }
    let offset = log.end_offset();
    log.sync().unwrap();
    let job = log.begin_snapshot(b"what is remembered of aaaaaaaaaaaaaaaa".to_vec());
    assert_eq!(job.offset(), offset);
    log.finish_snapshot(job.run()).unwrap();
    log.close().unwrap();
    model
}

#[test]
fn no_record_is_readable_on_the_disk_and_all_are_through_it() {
    for ids in [&[][..], &[1]] {
        let disk = SimDisk::new(1);
        let over = sealed(&disk, ids);
        let model = filled(&over, 10);
        let readable = files(&disk).iter().any(|path| {
            raw(&disk, path).windows(16).any(|bytes| {
                bytes[0].is_ascii_lowercase() && bytes.iter().all(|byte| *byte == bytes[0])
            })
        });
        assert_eq!(readable, ids.is_empty());
        let (mut log, recovery) = open(&over);
        assert!(recovery.is_clean(), "{recovery}");
        assert_eq!(read_all(&log, 700, model.end()), model.bytes());
        let (_, snapshot) = log.load_snapshot().unwrap().expect("there is one");
        assert!(snapshot.starts_with(b"what is remembered"));
        assert!(check(&over, Path::new(DIR), |_| ()).unwrap().findings.is_empty());
    }
}

#[test]
fn a_log_that_is_opened_again_goes_on_in_another_file() {
    let disk = SimDisk::new(2);
    let over = sealed(&disk, &[1]);
    let mut model = Model::default();
    let mut salts = BTreeSet::new();
    for fill in 0..5 {
        let (mut log, recovery) = open(&over);
        assert!(recovery.is_clean(), "{recovery}");
        let before: Vec<_> =
            segments(&disk).into_iter().map(|path| (raw(&disk, &path), path)).collect();
        append(&mut log, &mut model, fill, 1, 100);
        append(&mut log, &mut model, fill, 1, 100);
        log.sync().unwrap();
        for (bytes, path) in before {
            // But for one that had nothing yet.
            assert!(bytes.len() == BODY_AT || raw(&disk, &path) == bytes, "{path:?}");
        }
        assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
        drop(log);
    }
    for path in segments(&disk) {
        assert!(salts.insert(raw(&disk, &path)[24..48].to_vec()), "a key stream twice");
    }
    assert_eq!(salts.len(), 5);
}

/// What stood behind the end may still be on the disk.
#[test]
fn what_was_cut_off_is_not_written_over() {
    let disk = SimDisk::new(3);
    let over = sealed(&disk, &[1]);
    let (mut log, _) = open(&over);
    let mut model = Model::default();
    append(&mut log, &mut model, 1, 1, 300);
    log.sync().unwrap();
    let first = segments(&disk)[0].clone();
    let written = raw(&disk, &first).len();
    disk.limit_capacity(Some(written as u64 + 100));
    assert_eq!(log.append(&[batch(2, 1, 400)], 0).unwrap_err().kind(), ErrorKind::Full);
    disk.limit_capacity(None);
    append(&mut log, &mut model, 3, 1, 400);
    log.sync().unwrap();
    assert_eq!(raw(&disk, &first).len(), written, "it went into another file");
    assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
    drop(log);
    disk.crash();
    let (log, recovery) = open(&over);
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!(read_all(&log, 1000, model.end()), model.bytes());

    let path = Path::new(DIR).join("7.log");
    let file = over.open(&path, OpenMode::CreateNew).unwrap();
    let write = |bytes: &[u8], at| file.write_vectored_at(&[IoSlice::new(bytes)], at);
    write(b"12345678", 0).unwrap();
    assert!(file.takes(8) && !file.takes(7));
    write(b"other", 4).expect_err("it stands there already");
    file.set_len(4).unwrap();
    assert!(!file.takes(4));
    write(b"5678", 4).expect_err("it stood there once");
    let before = raw(&disk, &path)[..BODY_AT].to_vec();
    file.set_len(0).unwrap();
    assert_ne!(raw(&disk, &path)[..BODY_AT], before, "it begins anew");
    write(b"other", 0).unwrap();
    let mut back = [0; 5];
    read_exact_at(&file, &mut back, 0).unwrap();
    assert_eq!(&back, b"other");
}

#[test]
fn keys_change_from_segment_to_segment() {
    let disk = SimDisk::new(4);
    let mut model = filled(&sealed(&disk, &[1]), 3);
    let both = sealed(&disk, &[1, 2]);
    let (mut log, _) = open(&both);
    let old = segments(&disk);
    append(&mut log, &mut model, 9, 1, 100);
    assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
    log.close().unwrap();
    for path in segments(&disk) {
        assert_eq!(key_of(&disk, &path), if old.contains(&path) { 1 } else { 2 });
    }
    let names = |ids: &[u32]| {
        let error = Log::open(sealed(&disk, ids), Path::new(DIR), OPTIONS).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        error.to_string()
    };
    let before: Vec<_> = files(&disk).iter().map(|path| raw(&disk, path)).collect();
    let missing = names(&[2]);
    assert!(missing.contains("with key 1: there is only key 2"), "{missing}");
    assert!(names(&[]).contains("there is no encryption key"), "{}", names(&[]));
    let mut wrong = keys(&[2]);
    wrong.add(EncryptionKey::new(1, [9; 32]).unwrap()).unwrap();
    let wrong = EncryptedDisk::new(disk.clone(), wrong);
    let error = Log::open(wrong, Path::new(DIR), OPTIONS).unwrap_err();
    assert!(error.to_string().contains("another key 1"), "{error}");
    let with_two = sealed(&disk, &[2]);
    let found = check(&with_two, Path::new(DIR), |_| ()).unwrap();
    let missing = |found: &Finding| found.fault == Fault::KeyMissing;
    assert!(found.findings.iter().filter(|found| missing(found)).count() > 1, "{found:?}");
    for loss in [Loss::Refuse, Loss::Cut, Loss::Fill] {
        let mut kept = Kept(disk.clone(), Vec::new());
        let done = mend(&with_two, Path::new(DIR), &found, loss, &mut kept).unwrap();
        assert!(done.is_empty() && kept.1.is_empty(), "{done:?}");
    }
    let after: Vec<_> = files(&disk).iter().map(|path| raw(&disk, path)).collect();
    assert_eq!(after, before, "nothing was cut off for want of a key");
    let (log, recovery) = open(&both);
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
}

#[test]
fn a_log_of_before_there_was_a_key_stays_readable() {
    let disk = SimDisk::new(5);
    let mut model = filled(&sealed(&disk, &[]), 3);
    let plain: Vec<_> =
        segments(&disk).into_iter().map(|path| (raw(&disk, &path), path)).collect();
    let over = sealed(&disk, &[1]);
    let (mut log, recovery) = open(&over);
    assert!(recovery.is_clean(), "{recovery}");
    append(&mut log, &mut model, 9, 1, 100);
    assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
    log.close().unwrap();
    for path in segments(&disk) {
        match plain.iter().find(|(_, other)| *other == path) {
            Some((bytes, _)) => assert_eq!(raw(&disk, &path), *bytes),
            None => assert_eq!(key_of(&disk, &path), 1),
        }
    }
}

/// A log with three batches in one segment, on a disk whose bytes are then changed.
struct Damaged {
    disk: SimDisk,
    over: EncryptedDisk<SimDisk>,
    model: Model,
    path: PathBuf,
    good: Vec<u8>,
}

impl Damaged {
    fn new(seed: u64) -> Self {
        let disk = SimDisk::new(seed);
        let over = sealed(&disk, &[1]);
        let (mut log, _) = open(&over);
        let mut model = Model::default();
        for fill in 1..4 {
            append(&mut log, &mut model, fill, 1, 300);
        }
        log.sync().unwrap();
        drop(log);
        let path = segments(&disk)[0].clone();
        let good = raw(&disk, &path);
        Self { disk, over, model, path, good }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.good.clone();
        change(&mut bytes);
        self.disk.corrupt(&self.path, |held| *held = bytes).unwrap();
    }

    fn is_whole(&self) {
        let (log, recovery) = open(&self.over);
        assert!(recovery.is_clean(), "{recovery}");
        assert_eq!(read_all(&log, 1000, self.model.end()), self.model.bytes());
    }
}

/// Where its two headers stand, and how long one is.
const HEADERS: [usize; 2] = [0, 4096];
const HEADER_LEN: usize = 64;

#[test]
fn a_segment_survives_the_loss_of_either_header() {
    let it = Damaged::new(6);
    for at in HEADERS {
        for bit in (at..at + HEADER_LEN).map(|byte| byte * 8 + byte % 8) {
            it.change(|bytes| bytes[bit / 8] ^= 1 << (bit % 8));
            it.is_whole();
        }
        // What a disk gives for a page that it lost: the first offset is 0, too.
        for lost in [0, 0xff, 0x5a] {
            it.change(|bytes| bytes[at..at + 4096].fill(lost));
            it.is_whole();
        }
    }
}

/// A log whose headers are both damaged is not one that was torn: nothing of it is cut off.
#[test]
fn damaged_headers_are_told_and_nothing_is_lost() {
    let it = Damaged::new(7);
    type Change<'a> = &'a dyn Fn(&mut Vec<u8>);
    let changes: [Change<'_>; 4] = [
        &|bytes| HEADERS.iter().for_each(|at| bytes[at + 13] ^= 1),
        &|bytes| HEADERS.iter().for_each(|at| bytes[at + 30] ^= 1),
        &|bytes| bytes[..BODY_AT].fill(0),
        &|bytes| bytes[..BODY_AT].fill(0xff),
    ];
    for change in changes {
        it.change(change);
        let bad = raw(&it.disk, &it.path);
        let error = Log::open(it.over.clone(), Path::new(DIR), OPTIONS).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("the header that tells its key"), "{error}");
        assert_eq!(raw(&it.disk, &it.path), bad, "nothing was cut off");
    }
    // Repairs end the log there, and what cannot be read is kept as it lies.
    it.change(changes[0]);
    let found = check(&it.over, Path::new(DIR), |_| ()).unwrap();
    assert_eq!(found.findings[0].fault, Fault::Unreadable);
    let mut kept = Kept(it.disk.clone(), Vec::new());
    let bad = raw(&it.disk, &it.path);
    mend(&it.over, Path::new(DIR), &found, Loss::Cut, &mut kept).unwrap();
    assert_eq!(kept.1, [bad]);
    let found = check(&it.over, Path::new(DIR), |_| ()).unwrap();
    assert!(found.findings.is_empty(), "{found:?}");
    let (log, _) = open(&it.over);
    assert_eq!(log.end_offset(), 0);
    drop(log);
    // Of a later version.
    it.change(|bytes| {
        for at in HEADERS {
            bytes[at + 8] = 2;
            let sum = crc32c(&bytes[at..at + HEADER_LEN - 4]);
            bytes[at + HEADER_LEN - 4..at + HEADER_LEN].copy_from_slice(&sum.to_le_bytes());
        }
    });
    let error = Log::open(it.over.clone(), Path::new(DIR), OPTIONS).unwrap_err();
    assert!(error.to_string().contains("version 2"), "{error}");
    it.change(|_| ());
    it.is_whole();
}

/// As without encryption: a bit that changed is found by the batch's checksum.
#[test]
fn a_bit_that_changed_behind_the_header_is_found() {
    let it = Damaged::new(8);
    for byte in [BODY_AT, BODY_AT + 70, BODY_AT + 200] {
        it.change(|bytes| bytes[byte] ^= 4);
        let bad = raw(&it.disk, &it.path);
        let (log, recovery) = open(&it.over);
        let quarantine = recovery.quarantined.expect("the log goes on behind it");
        assert_eq!((quarantine.offset, quarantine.position), (0, 0));
        assert_eq!(log.read(0, 1000, 1).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(raw(&it.disk, &it.path), bad, "nothing was cut off");
    }
}

/// A snapshot is passed over if it is damaged, wherever that is, and not for want of a key.
#[test]
fn a_damaged_snapshot_is_passed_over() {
    let disk = SimDisk::new(9);
    let over = sealed(&disk, &[1]);
    filled(&over, 3);
    let path = files(&disk).into_iter().find(|path| path.to_string_lossy().ends_with(".state"));
    let path = path.unwrap();
    let good = raw(&disk, &path);
    let load = |ids| {
        let (mut log, _) = open(&over);
        log.disk = sealed(&disk, ids);
        log.load_snapshot()
    };
    for bytes in [0..1, 0..BODY_AT, 10..11, BODY_AT + 3..BODY_AT + 4] {
        disk.corrupt(&path, |held| held[bytes.clone()].fill(0x5a)).unwrap();
        if bytes.len() == 1 && bytes.start < BODY_AT {
            assert!(load(&[1]).unwrap().is_some(), "the second header tells");
            disk.corrupt(&path, |held| held[4096 + bytes.start] = 0x5a).unwrap();
        }
        assert!(load(&[1]).unwrap().is_none(), "{bytes:?}");
        disk.corrupt(&path, |held| held.clone_from(&good)).unwrap();
    }
    assert_eq!(load(&[2]).unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(load(&[1]).unwrap().is_some());
}

/// What a record holds is its sender's: a plain segment is plain, whatever stands in it.
#[test]
fn the_bytes_of_a_header_in_a_record_mean_nothing() {
    let disk = SimDisk::new(10);
    let over = sealed(&disk, &[1]);
    let path = Path::new(DIR).join("8.log");
    disk.create_dir_all(Path::new(DIR)).unwrap();
    drop(over.open(&path, OpenMode::CreateNew).unwrap());
    let header = raw(&disk, &path)[..HEADER_LEN].to_vec();
    disk.remove_file(&path).unwrap();

    let plain = sealed(&disk, &[]);
    let (mut log, _) = open(&plain);
    let mut model = Model::default();
    append(&mut log, &mut model, 1, 1, 6000);
    log.sync().unwrap();
    drop(log);
    let path = segments(&disk)[0].clone();
    disk.corrupt(&path, |bytes| bytes[4096..4096 + HEADER_LEN].copy_from_slice(&header))
        .unwrap();
    let written = raw(&disk, &path);
    for (ids, flip) in [(&[1][..], 0), (&[], 0), (&[1], 1), (&[1], 33)] {
        disk.corrupt(&path, |bytes| {
            bytes.clone_from(&written);
            bytes[flip] ^= u8::from(flip > 0);
        })
        .unwrap();
        let over = sealed(&disk, ids);
        let file = over.open(&path, OpenMode::Read).unwrap();
        let mut back = vec![0; written.len()];
        read_exact_at(&file, &mut back, 0).unwrap();
        assert_eq!(back, raw(&disk, &path));
    }
}

/// A write that a signal broke off may be made again; one that failed may not.
#[test]
fn only_what_was_surely_not_written_is_written_again() {
    let disk = SimDisk::new(11);
    let over = sealed(&disk, &[1]);
    disk.create_dir_all(Path::new(DIR)).unwrap();
    let path = Path::new(DIR).join("7.log");
    let file = over.open(&path, OpenMode::CreateNew).unwrap();
    let write = |at| write_all_vectored_at(&file, &mut [IoSlice::new(b"12345678")], at);
    disk.inject(sim::Fault::once(Operation::Write, io::ErrorKind::Interrupted));
    write(0).unwrap();
    disk.inject(sim::Fault::once(Operation::Write, io::ErrorKind::Other));
    write(8).unwrap_err();
    write(8).expect_err("some of it may be there");
    write(16).unwrap();
}

#[test]
fn a_copy_is_encrypted_too_and_with_the_last_key() {
    let disk = SimDisk::new(7);
    let model = filled(&sealed(&disk, &[1]), 10);
    let both = sealed(&disk, &[1, 2]);
    let to = Path::new("/copy");
    let copied = copy(&both, to).unwrap();
    assert_eq!((copied.damage, copied.end), (None, model.end()));
    let names = disk.read_dir(to).unwrap();
    for name in names.iter().filter(|name| name.ends_with(".log")) {
        assert_eq!(key_of(&disk, &to.join(name)), 2);
    }
    let (log, recovery) = Log::open(sealed(&disk, &[2]), to, OPTIONS).unwrap();
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
    let error = copy(&sealed(&disk, &[2]), Path::new("/other"));
    assert!(error.unwrap_err().to_string().contains("key 1"));
}

//! Segments that are encrypted on their way to the disk: what is there, under which key, and what
//! becomes of a log whose key is missing.

use std::collections::BTreeSet;
use std::io::IoSlice;
use std::path::PathBuf;

use tidewire_protocol::batch::{EncryptionKey, EncryptionKeys};

use super::*;
use crate::disk::crypt::HEADER_LEN;
use crate::disk::sim::SimDisk;
use crate::disk::{DiskFile, EncryptedDisk, OpenMode, read_exact_at};
use crate::error::ErrorKind;
use crate::log::{Fault, check, copy};

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
            assert!(bytes.len() == HEADER_LEN || raw(&disk, &path) == bytes, "{path:?}");
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
    let before = raw(&disk, &path)[..HEADER_LEN].to_vec();
    file.set_len(0).unwrap();
    assert_ne!(raw(&disk, &path)[..HEADER_LEN], before, "it begins anew");
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
    let found = check(&sealed(&disk, &[2]), Path::new(DIR), |_| ()).unwrap().findings;
    assert!(found.iter().any(|found| found.fault == Fault::Unreadable), "{found:?}");
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

/// A log whose header is damaged is not one that was torn: nothing of it is cut off.
#[test]
fn a_damaged_header_is_told_and_nothing_is_lost() {
    let disk = SimDisk::new(6);
    let over = sealed(&disk, &[1]);
    let (mut log, _) = open(&over);
    let mut model = Model::default();
    append(&mut log, &mut model, 1, 3, 300);
    log.sync().unwrap();
    drop(log);
    let path = segments(&disk)[0].clone();
    let good = raw(&disk, &path);
    let write = |bytes: &[u8]| {
        let file = disk.open(&path, OpenMode::ReadWrite).unwrap();
        file.write_vectored_at(&[IoSlice::new(bytes)], 0).unwrap();
    };
    let mut cases: Vec<Vec<u8>> = (0..HEADER_LEN)
        .map(|at| {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            bad
        })
        .collect();
    let mut lost = good.clone();
    lost[..HEADER_LEN].fill(0xff);
    cases.push(lost);
    for bad in cases {
        write(&bad);
        let error = Log::open(over.clone(), Path::new(DIR), OPTIONS).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert_eq!(raw(&disk, &path), bad, "nothing was cut off");
    }
    write(&good);
    let (log, recovery) = open(&over);
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
}

#[test]
fn a_copy_is_encrypted_too_and_with_the_last_key() {
    let disk = SimDisk::new(7);
    let model = filled(&sealed(&disk, &[1]), 10);
    let both = sealed(&disk, &[1, 2]);
    let to = Path::new("/copy");
    let copied = copy(&both, Path::new(DIR), to, |_| ()).unwrap();
    assert_eq!((copied.damage, copied.end), (None, model.end()));
    let names = disk.read_dir(to).unwrap();
    for name in names.iter().filter(|name| name.ends_with(".log")) {
        assert_eq!(key_of(&disk, &to.join(name)), 2);
    }
    let (log, recovery) = Log::open(sealed(&disk, &[2]), to, OPTIONS).unwrap();
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
    let error = copy(&sealed(&disk, &[2]), Path::new(DIR), Path::new("/other"), |_| ());
    assert!(error.unwrap_err().to_string().contains("key 1"));
}

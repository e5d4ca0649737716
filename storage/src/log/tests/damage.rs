//! Torn is not the same as damaged: what recovery cuts off, and what it leaves alone.

use std::path::PathBuf;

use bytes::Bytes;
use tidewire_protocol::batch::Header;

use super::super::segment::{index_path, log_path, next_path};
use super::*;
use crate::disk::sim::SimDisk;
use crate::disk::{DiskFile, OpenMode};
use crate::error::ErrorKind;

fn log_file(base: u64) -> PathBuf {
    log_path(Path::new(DIR), base)
}

fn index_file(base: u64) -> PathBuf {
    index_path(Path::new(DIR), base)
}

/// A log of `count` batches of two records, synced but not closed, as a killed process leaves it.
fn written(count: u8, len: usize) -> (SimDisk, Model) {
    let disk = SimDisk::new(0);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    for fill in 0..count {
        append(&mut log, &mut model, fill + 1, 2, len);
    }
    log.sync().unwrap();
    (disk, model)
}

/// The log goes on after what it holds now, and the next start finds nothing amiss.
fn goes_on(disk: &SimDisk, mut log: Log<SimDisk>, mut model: Model) {
    assert_eq!(log.end_offset(), model.end());
    append(&mut log, &mut model, 0xaa, 1, 50);
    log.close().unwrap();
    disk.crash();
    let (log, recovery) = open(disk);
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!(read_all(&log, 4000, model.end()), model.bytes());
}

/// What may stand where the rest of a torn batch should be.
fn tails(len: usize) -> [Vec<u8>; 4] {
    let garbage = (0..len).map(|at| (at * 31 + 7) as u8).collect();
    [Vec::new(), vec![0; len], garbage, vec![0; len + 3 * 512]]
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_off_and_the_rest_is_whole() {
    let (disk, mut model) = written(3, 60);
    let whole = disk.contents(&log_file(0)).unwrap();
    let last = model.batches.pop().unwrap();
    let start = whole.len() - last.bytes.len();
    for cut in start + 1..whole.len() {
        for tail in tails(whole.len() - cut) {
            if whole[cut..] == tail[..] {
                continue;
            }
            let torn = [&whole[..cut], &tail].concat();
            // The batch's own padding may end in zeros: then all of it is there after all.
            if torn.starts_with(&whole) {
                continue;
            }
            disk.corrupt(&log_file(0), |bytes| *bytes = torn.clone()).unwrap();
            let (log, recovery) = open(&disk);
            let cut_off = recovery.torn.unwrap_or_else(|| panic!("cut at {cut}"));
            assert_eq!((cut_off.position, cut_off.offset), (start as u64, 4), "cut at {cut}");
            assert_eq!(cut_off.bytes, (torn.len() - start) as u64);
            assert_eq!(recovery.quarantined, None);
            assert_eq!(read_all(&log, 1000, 4), model.bytes());
            goes_on(&disk, log, model.clone());
            // The next torn tail is that of a log that was not closed.
            let _ = disk.remove_file(&index_file(0));
        }
    }
}

#[test]
fn whatever_follows_the_last_batch_is_cut_off() {
    let long = vec![0; 3 << 20];
    let noise: Vec<u8> = (0..100_000u32).map(|at| (at.wrapping_mul(at) >> 7) as u8).collect();
    for tail in [&long[..1], &long[..80], &long, &noise[..7], &noise[..80], &noise] {
        let (disk, model) = written(3, 60);
        disk.corrupt(&log_file(0), |bytes| bytes.extend_from_slice(tail)).unwrap();
        let (log, recovery) = open(&disk);
        assert_eq!(recovery.torn.map(|torn| torn.bytes), Some(tail.len() as u64));
        goes_on(&disk, log, model);
    }
}

/// Opens a log that is damaged at `position` of the segment at `base`, where `offset` should be.
fn is_quarantined(disk: &SimDisk, model: &Model, base: u64, position: u64, offset: u64) {
    let before = disk.contents(&log_file(base));
    let (mut log, recovery) = open(disk);
    let found = recovery.quarantined.expect("the damage is found");
    assert_eq!((found.position, found.offset), (position, offset));
    assert_eq!(recovery.torn, None);
    assert_eq!((log.end_offset(), log.synced_end()), (offset, offset));
    let good = Model {
        batches: model.batches.iter().filter(|stored| stored.next <= offset).cloned().collect(),
    };
    assert_eq!(read_all(&log, 4000, offset), good.bytes());
    for error in [
        log.read(offset, 100, u64::MAX).unwrap_err(),
        log.read(offset + 1, 100, u64::MAX).unwrap_err(),
        log.append(&[batch(1, 1, 1)], 0).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let text = error.to_string();
        assert!(text.contains(found.file.to_str().unwrap()), "{text}");
        assert!(text.contains(&format!("byte {position}, offset {offset}")), "{text}");
    }
    assert!(log.begin_sync().is_none());
    log.close().unwrap();
    assert_eq!(disk.contents(&log_file(base)).ok(), before.ok(), "the evidence is kept");
}

#[test]
fn any_flipped_bit_in_the_middle_quarantines_what_follows() {
    let (disk, model) = written(3, 20);
    let whole = disk.contents(&log_file(0)).unwrap();
    let (from, to) = (model.batches[0].bytes.len(), whole.len() - model.batches[2].bytes.len());
    for bit in from * 8..to * 8 {
        disk.corrupt(&log_file(0), |bytes| {
            bytes.clone_from(&whole);
            bytes[bit / 8] ^= 1 << (bit % 8);
        })
        .unwrap();
        is_quarantined(&disk, &model, 0, from as u64, 2);
    }
}

#[test]
fn damage_in_a_log_that_was_closed_is_never_taken_for_a_torn_tail() {
    let (disk, model) = written(3, 60);
    open(&disk).0.close().unwrap();
    let whole = disk.contents(&log_file(0)).unwrap();
    let last = whole.len() - model.batches[2].bytes.len();
    for change in [
        |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1,
        |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1),
    ] {
        disk.corrupt(&log_file(0), |bytes| bytes.clone_from(&whole)).unwrap();
        disk.corrupt(&log_file(0), change).unwrap();
        is_quarantined(&disk, &model, 0, last as u64, 4);
    }
    disk.corrupt(&log_file(0), |bytes| bytes.truncate(last)).unwrap();
    is_quarantined(&disk, &model, 0, last as u64, 4);
}

#[test]
fn a_batch_of_a_later_format_is_not_cut_off() {
    let (disk, model) = written(2, 60);
    let last = model.batches[0].bytes.len();
    disk.corrupt(&log_file(0), |bytes| {
        bytes[last + 32] = 2;
        let sums = [&bytes[last..last + 20], &bytes[last + 24..last + 80]].concat();
        let crc = tidewire_protocol::crc::crc32c(&sums);
        bytes[last + 20..last + 24].copy_from_slice(&crc.to_le_bytes());
    })
    .unwrap();
    is_quarantined(&disk, &model, 0, last as u64, 2);
}

#[test]
fn a_batch_inside_a_torn_batch_is_not_taken_for_one_that_follows() {
    let disk = SimDisk::new(0);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    append(&mut log, &mut model, 1, 1, 10);
    let mut inner = Model { batches: vec![] };
    inner.append(&batch(2, 9, 10), 9, 0);
    inner.append(&batch(2, 9, 10), 9, 0);
    let mut builder = BatchBuilder::new(8 << 20, 10);
    builder.push(&RecordRef { value: Some(&inner.bytes()), ..RecordRef::at(0) }).unwrap();
    log.append(&[builder.seal(Sequence::default())], 0).unwrap();
    log.sync().unwrap();
    disk.corrupt(&log_file(0), |bytes| bytes.truncate(bytes.len() - 8)).unwrap();
    let (log, recovery) = open(&disk);
    assert!(recovery.torn.is_some(), "{recovery}");
    goes_on(&disk, log, model);
}

#[test]
fn a_search_through_thousands_of_headers_ends_in_caution() {
    let (disk, model) = written(1, 60);
    let start = model.size_bytes();
    let batch_header = Header::parse(&model.batches[0].bytes).unwrap();
    let (count, body) = (3000, 2 << 20);
    let header = Header { base_offset: 2, total_len: body, raw_len: body - 80, ..batch_header };
    disk.corrupt(&log_file(0), |bytes| {
        bytes.extend_from_slice(&[0xff; 80]);
        (0..count).for_each(|_| bytes.extend_from_slice(&header.encode()));
        bytes.resize(bytes.len() + body as usize, 7);
    })
    .unwrap();
    is_quarantined(&disk, &model, 0, start, 2);
}

#[test]
fn a_batch_that_does_not_follow_on_the_one_before_quarantines() {
    let (disk, model) = written(3, 60);
    let len = model.batches[0].bytes.len();
    disk.corrupt(&log_file(0), |bytes| drop(bytes.drain(len..2 * len))).unwrap();
    is_quarantined(&disk, &model, 0, len as u64, 2);
}

#[test]
fn a_missing_segment_quarantines_what_follows() {
    let (disk, model) = written(30, 300);
    let bases: Vec<u64> = open(&disk).0.segments.iter().map(|segment| segment.base).collect();
    let at = bases.len() / 2;
    disk.remove_file(&log_file(bases[at])).unwrap();
    let position = disk.contents(&log_file(bases[at - 1])).unwrap().len();
    is_quarantined(&disk, &model, bases[at - 1], position as u64, bases[at]);
}

#[test]
fn a_damaged_sealed_batch_is_found_when_it_is_read_and_harms_no_other() {
    // In its header, and in its body.
    [50, 200].into_iter().for_each(a_damaged_sealed_batch_is_found);
}

fn a_damaged_sealed_batch_is_found(byte: usize) {
    let (disk, mut model) = written(30, 300);
    let (log, _) = open(&disk);
    let base = log.segments[1].base;
    assert!(log.segment_count() > 3);
    drop(log);
    // The second batch of the second segment.
    let at = model.batches.iter().position(|stored| stored.base == base).unwrap() + 1;
    let (offset, position) = (model.batches[at].base, model.batches[at - 1].bytes.len());
    disk.corrupt(&log_file(base), |bytes| bytes[position + byte] ^= 4).unwrap();
    let (mut log, recovery) = open(&disk);
    assert!(recovery.is_clean(), "{recovery}");
    let chunk = log.read(base, 10_000, u64::MAX).unwrap();
    assert_eq!(chunk.next_offset, offset, "what is good before it is handed out");
    for wanted in [offset, offset + 1] {
        let error = log.read(wanted, 10_000, u64::MAX).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains(log_file(base).to_str().unwrap()), "{error}");
        assert!(error.to_string().contains(&format!("byte {position}")), "{error}");
    }
    let next = log.segments[2].base;
    let chunk = log.read(next, 0, u64::MAX).unwrap();
    assert_eq!((chunk.base_offset, chunk.bytes.is_empty()), (next, false));
    append(&mut log, &mut model, 9, 1, 10);
    assert_eq!(log.sync().unwrap(), model.end());
}

#[test]
fn a_missing_stale_or_damaged_index_is_made_anew() {
    type Change = fn(&SimDisk, &Path);
    let changes: [Change; 4] = [
        |disk, path| disk.remove_file(path).unwrap(),
        |disk, path| disk.corrupt(path, |bytes| bytes[30] ^= 1).unwrap(),
        |disk, path| disk.corrupt(path, |bytes| bytes.truncate(20)).unwrap(),
        |disk, path| {
            // Of the same segment when it was shorter.
            let bytes = super::super::index::Index::default().encode(0, 1, 150, 0);
            disk.corrupt(path, |old| *old = bytes).unwrap();
        },
    ];
    for (at, change) in changes.iter().enumerate() {
        let (disk, model) = written(30, 300);
        let good = disk.contents(&index_file(0)).unwrap();
        change(&disk, &index_file(0));
        let (log, recovery) = open(&disk);
        assert_eq!(recovery.rebuilt_indexes, 1, "change {at}");
        assert!(recovery.is_clean());
        assert_eq!(read_all(&log, 700, model.end()), model.bytes());
        assert_eq!(disk.contents(&index_file(0)).unwrap(), good, "change {at}");
        assert_eq!(open(&disk).1, Recovery::default());
    }
}

#[test]
fn damaged_index_entries_lead_no_read_astray() {
    let (disk, model) = written(30, 300);
    disk.corrupt(&index_file(0), |bytes| bytes[64 + 24 + 16] ^= 8).unwrap();
    let (log, recovery) = open(&disk);
    assert!(recovery.is_clean());
    for stored in &model.batches {
        assert_eq!(log.read(stored.next - 1, 0, u64::MAX).unwrap().bytes, stored.bytes);
    }
}

#[test]
fn sealed_segments_with_an_index_are_not_read_at_start() {
    let (disk, _) = written(200, 300);
    let reads = disk.count(crate::disk::sim::Operation::Read);
    let (log, _) = open(&disk);
    let reads = disk.count(crate::disk::sim::Operation::Read) - reads;
    assert!(log.segment_count() > 30);
    // One for each index header, a few for the last segment.
    assert!(reads <= log.segment_count() as u64 + 4, "{reads} reads");
}

#[test]
fn an_empty_last_segment_takes_the_next_append() {
    let (disk, model) = written(3, 60);
    disk.open(&log_file(model.end()), OpenMode::CreateNew).unwrap();
    let (log, recovery) = open(&disk);
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!((log.segment_count(), log.end_offset()), (2, model.end()));
    goes_on(&disk, log, model);
}

#[test]
fn segments_that_were_never_synced_go_with_the_torn_one_before_them() {
    let disk = SimDisk::new(0);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    append(&mut log, &mut model, 1, 2, 500);
    log.sync().unwrap();
    for fill in 2..15 {
        append(&mut log, &mut model, fill, 2, 500);
    }
    let later = log.segment_count() - 1;
    assert!(later > 2);
    drop(log);
    disk.corrupt(&log_file(0), |bytes| bytes.truncate(bytes.len() - 8)).unwrap();
    model.batches.truncate(2);
    let (log, recovery) = open(&disk);
    assert_eq!((recovery.removed_files, log.segment_count()), (later, 1));
    assert!(recovery.torn.is_some() && recovery.quarantined.is_none(), "{recovery}");
    goes_on(&disk, log, model);
}

#[test]
fn a_segment_that_was_never_synced_is_cut_at_its_first_bad_batch() {
    let disk = SimDisk::new(0);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    for fill in 0..6 {
        append(&mut log, &mut model, fill, 2, 500);
    }
    let base = log.segments[1].base;
    drop(log);
    let path = next_path(Path::new(DIR), base);
    let len = model.batches[3].bytes.len();
    disk.corrupt(&path, |bytes| bytes[len + 100] ^= 1).unwrap();
    model.batches.truncate(4);
    let (log, recovery) = open(&disk);
    assert_eq!(recovery.torn.as_ref().map(|torn| torn.offset), Some(model.end()), "{recovery}");
    assert!(disk.exists(&log_file(base)).unwrap() && !disk.exists(&path).unwrap());
    goes_on(&disk, log, model);
}

#[test]
fn a_segment_that_ends_early_before_a_synced_one_is_damaged() {
    let (disk, model) = written(3, 60);
    disk.open(&log_file(model.end()), OpenMode::CreateNew).unwrap();
    disk.corrupt(&log_file(0), |bytes| bytes.truncate(bytes.len() - 8)).unwrap();
    let position = model.batches[0].bytes.len() * 2;
    is_quarantined(&disk, &model, 0, position as u64, 4);
}

#[test]
fn an_index_without_a_log_is_removed_and_foreign_files_are_left_alone() {
    let (disk, model) = written(3, 60);
    disk.open(&index_file(77), OpenMode::CreateNew).unwrap();
    let foreign = Path::new(DIR).join("notes.log");
    disk.open(&foreign, OpenMode::CreateNew).unwrap();
    let (log, recovery) = open(&disk);
    assert_eq!((recovery.removed_files, recovery.foreign_files), (1, 1));
    assert!(!disk.exists(&index_file(77)).unwrap() && disk.exists(&foreign).unwrap());
    goes_on(&disk, log, model);
}

#[test]
fn a_file_that_shrinks_while_it_is_open_is_damaged() {
    let (disk, _) = written(3, 60);
    let (log, _) = open(&disk);
    disk.open(&log_file(0), OpenMode::ReadWrite).unwrap().set_len(100).unwrap();
    assert_eq!(log.read(2, 1000, u64::MAX).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn what_a_killed_process_wrote_is_synced_before_it_counts_as_synced() {
    let disk = SimDisk::new(0);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    for fill in 0..10 {
        append(&mut log, &mut model, fill, 1, 900);
    }
    drop(log);
    let (log, recovery) = open(&disk);
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!(log.synced_end(), model.end());
    assert!(log.segments.iter().all(|segment| disk.exists(&log_file(segment.base)).unwrap()));
    drop(log);
    disk.crash();
    let (log, _) = open(&disk);
    assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
    let header: Bytes = log.read(0, 0, 1).unwrap().bytes;
    assert_eq!(Header::parse(&header).unwrap().leader_epoch, EPOCH);
}

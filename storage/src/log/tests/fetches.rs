//! Reads that run elsewhere, and what happens to the log meanwhile.

use std::io;

use super::*;
use crate::disk::sim::{Fault, Operation, SimDisk};
use crate::error::ErrorKind;
use crate::log::ReadJob;

/// A log of synced batches over a few segments, none of them open.
fn long_log() -> (SimDisk, Log<SimDisk>, Model) {
    let disk = SimDisk::new(1);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    for fill in 0..20 {
        append(&mut log, &mut model, fill, 1, 900);
    }
    log.sync().unwrap();
    assert!(log.segment_count() > 3);
    (disk, log, model)
}

fn begin(log: &Log<SimDisk>, offset: u64) -> ReadJob<SimDisk> {
    let job = log.begin_read(offset, log.end_offset()).expect("it is in the log");
    let job = job.expect("there is something");
    assert_eq!(job.offset(), offset);
    job
}

/// Deletes all below `offset`, files and all.
fn trim(log: &mut Log<SimDisk>, offset: u64) {
    let job = log.begin_trim(offset).unwrap().expect("it begins before");
    log.finish_trim(job.run()).unwrap();
    if let Some(job) = log.take_removable() {
        assert!(job.run().is_empty());
    }
}

#[test]
fn a_read_finds_what_was_there_though_the_log_has_gone_on() {
    let (_disk, mut log, mut model) = long_log();
    // Of the segment that takes appends, of one that will be renamed, and of a sealed one.
    append(&mut log, &mut model, 30, 1, 3000);
    let jobs: Vec<(u64, ReadJob<SimDisk>)> =
        [0, 7, 19, 20].into_iter().map(|offset| (offset, begin(&log, offset))).collect();
    for fill in 31..40 {
        append(&mut log, &mut model, fill, 1, 3000);
    }
    log.sync().unwrap();
    for (offset, job) in jobs {
        let chunk = log.finish_read(job.run(1)).unwrap();
        assert_eq!((chunk.base_offset, chunk.next_offset), (offset, offset + 1));
        let expected = &model.batches[offset as usize].bytes;
        assert_eq!(&chunk.bytes, expected);
    }
    assert_eq!(read_all(&log, 10_000, model.end()), model.bytes());
}

#[test]
fn what_was_deleted_before_or_while_it_was_read_is_out_of_range() {
    let (_disk, mut log, model) = long_log();
    let before = begin(&log, 0);
    let outcome = begin(&log, 1).run(10_000);
    let stays = begin(&log, 15);
    trim(&mut log, 12);
    for outcome in [before.run(10_000), outcome] {
        let error = log.finish_read(outcome).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::OutOfRange { start: 12, .. }), "{error}");
    }
    let chunk = log.finish_read(stays.run(1)).unwrap();
    assert_eq!(chunk.bytes, model.batches[15].bytes);
    assert!(log.readers.borrow().open_count() <= 1, "what is gone is not kept open");
}

#[test]
fn a_failed_sync_takes_back_what_was_read_of_the_unsynced() {
    let (disk, mut log, mut model) = long_log();
    let synced = model.end();
    append(&mut log, &mut model, 50, 1, 100);
    append(&mut log, &mut model, 51, 1, 100);
    let across = begin(&log, synced - 1).run(10_000);
    let after = begin(&log, synced).run(10_000);
    disk.inject(Fault::once(Operation::Sync, io::ErrorKind::Other));
    log.sync().unwrap_err();
    let chunk = log.finish_read(across).unwrap();
    assert_eq!((chunk.base_offset, chunk.next_offset), (synced - 1, synced));
    assert_eq!(chunk.bytes, model.batches[synced as usize - 1].bytes);
    let error = log.finish_read(after).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
}

#[test]
fn a_body_that_changed_is_met_in_the_newest_segment_too() {
    let disk = SimDisk::new(1);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    for fill in 0..3 {
        append(&mut log, &mut model, fill, 1, 200);
    }
    log.sync().unwrap();
    let first = model.batches[0].bytes.len();
    let file = Path::new(DIR).join("00000000000000000000.log");
    disk.corrupt(&file, |bytes| bytes[first + 150] ^= 1).unwrap();
    let chunk = log.finish_read(begin(&log, 0).run(10_000)).unwrap();
    assert_eq!(chunk.next_offset, 1, "what stands before it is handed out");
    let error = log.finish_read(begin(&log, 1).run(10_000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains("offset 1"), "{error}");
}

#[test]
fn marks_are_beginnings_of_batches() {
    let disk = SimDisk::new(1);
    let options = LogOptions { segment_bytes: 1 << 20, ..OPTIONS };
    let (mut log, _) = Log::open(disk, Path::new(DIR), options).unwrap();
    let mut model = Model::default();
    for fill in 0..100 {
        append(&mut log, &mut model, fill, 2, 300);
    }
    let chunk = log.read(0, 1 << 20, log.end_offset()).unwrap();
    assert_eq!(chunk.marks[0], (0, 0));
    assert!((5..30).contains(&chunk.marks.len()), "{}", chunk.marks.len());
    for (position, offset) in chunk.marks {
        let header =
            tidewire_protocol::batch::Header::parse(&chunk.bytes[position as usize..]).unwrap();
        assert_eq!(header.base_offset, offset);
    }
}

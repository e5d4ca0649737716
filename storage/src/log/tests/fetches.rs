//! Reads that run elsewhere, and what happens to the log meanwhile.

use std::io;

use super::*;
use crate::disk::sim::{Fault, Operation, SimDisk};
use crate::error::ErrorKind;
use crate::log::{Lookup, LookupJob, ReadJob};

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

/// The process that syncs lets go of what was not written before the log hears of it.
#[test]
fn what_a_failing_sync_takes_away_is_in_doubt_and_no_damage() {
    for seed in 0..40 {
        let disk = SimDisk::new(seed);
        let (mut log, _) = open(&disk);
        let mut model = Model::default();
        for fill in 0..3 {
            append(&mut log, &mut model, fill, 1, 100);
        }
        log.sync().unwrap();
        log.append(&[batch(3, 1, 600)], 1).unwrap();
        let (before, after) = (begin(&log, 1), begin(&log, 3));
        let lookup = look(&log, 1);
        disk.inject(Fault::once(Operation::Sync, io::ErrorKind::Other));
        let sync = log.begin_sync().expect("something is dirty");
        let outcome = sync.run();

        let chunk = log.finish_read(before.run(10_000)).unwrap();
        assert!(chunk.next_offset >= 3, "seed {seed}: what was synced is there");
        let read = log.finish_read(after.run(10_000));
        assert!(
            read.as_ref().is_ok() || read.as_ref().is_err_and(|error| log.is_in_doubt(error)),
            "seed {seed}: {read:?}"
        );
        let looked = lookup.run();
        log.finish_sync(outcome).unwrap_err();
        assert!((3..=4).contains(&log.finish_lookup(looked).unwrap()), "seed {seed}");
        let error = log.begin_read(3, 4).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Fenced, "seed {seed}: {error}");
        assert!(!log.is_in_doubt(&error));
    }
}

/// A log whose batch with offset n was appended at 100 + 10 n.
fn timed_log() -> (SimDisk, Log<SimDisk>) {
    let disk = SimDisk::new(1);
    let (mut log, _) = open(&disk);
    for offset in 0..20_u8 {
        log.append(&[batch(offset, 1, 900)], 100 + 10 * i64::from(offset)).unwrap();
    }
    log.sync().unwrap();
    assert!(log.segment_count() > 3);
    (disk, log)
}

fn look(log: &Log<SimDisk>, time_us: i64) -> LookupJob<SimDisk> {
    match log.begin_lookup(time_us, log.end_offset()) {
        Lookup::Job(job) => job,
        Lookup::Known(offset) => panic!("{time_us} is known to be {offset}"),
    }
}

#[test]
fn a_time_is_found_though_the_log_has_gone_on() {
    let (_disk, mut log) = timed_log();
    let asked = [(0, 0), (100, 0), (101, 1), (154, 6), (199, 10), (290, 19)];
    let jobs: Vec<_> = asked.iter().map(|&(time, offset)| (look(&log, time), offset)).collect();
    assert!(matches!(log.begin_lookup(291, 20), Lookup::Known(20)), "nobody has to look");
    for fill in 30..40 {
        log.append(&[batch(fill, 1, 900)], 1_000).unwrap();
    }
    log.sync().unwrap();
    for (job, offset) in jobs {
        assert_eq!(log.finish_lookup(job.run()).unwrap(), offset);
    }
}

#[test]
fn a_time_whose_records_are_deleted_meanwhile_is_where_the_log_begins() {
    let (_disk, mut log) = timed_log();
    let before = look(&log, 110);
    let outcome = look(&log, 120).run();
    let stays = look(&log, 250);
    trim(&mut log, 12);
    for outcome in [before.run(), outcome] {
        assert_eq!(log.finish_lookup(outcome).unwrap(), 12);
    }
    assert_eq!(log.finish_lookup(stays.run()).unwrap(), 15);
}

#[test]
fn a_time_that_damage_hides_is_an_error_that_names_it() {
    let (disk, log) = timed_log();
    let file = Path::new(DIR).join("00000000000000000000.log");
    disk.corrupt(&file, |bytes| bytes[1_000..1_100].fill(7)).unwrap();
    let error = log.finish_lookup(look(&log, 120).run()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains("offset 1"), "{error}");
    assert!(!log.is_in_doubt(&error), "no sync is under way");
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

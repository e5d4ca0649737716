//! A disk that refuses: all or nothing, fenced where that cannot be kept.

use std::io;

use super::*;
use crate::disk::sim::{Fault, Operation, SimDisk};
use crate::error::ErrorKind;

/// A log with a few batches in two segments, on a disk with room for nothing more.
fn full_disk() -> (SimDisk, Log<SimDisk>, Model) {
    let disk = SimDisk::new(1);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    for fill in 0..5 {
        append(&mut log, &mut model, fill, 2, 500);
    }
    assert_eq!(log.segment_count(), 2);
    disk.limit_capacity(Some(model.size_bytes() + 700));
    (disk, log, model)
}

#[test]
fn a_full_disk_is_retriable_and_leaves_the_log_as_it_was() {
    let (disk, mut log, mut model) = full_disk();
    for _ in 0..3 {
        let error = log.append(&[batch(9, 1, 100), batch(9, 1, 700)], 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Full, "{error}");
        assert!(error.to_string().contains("/00000000000000000006.next"), "{error}");
        assert_eq!(log.end_offset(), model.end());
        assert_eq!(log.size_bytes(), model.size_bytes());
    }
    append(&mut log, &mut model, 7, 1, 400);
    disk.limit_capacity(None);
    append(&mut log, &mut model, 8, 3, 700);
    log.sync().unwrap();
    assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
    disk.crash();
    let (log, recovery) = open(&disk);
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
}

#[test]
fn an_append_that_fails_in_its_second_segment_undoes_the_first() {
    for (operation, after) in
        [(Operation::Name, 0), (Operation::Write, 1), (Operation::Write, 2)]
    {
        let disk = SimDisk::new(2);
        let (mut log, _) = open(&disk);
        let mut model = Model::default();
        append(&mut log, &mut model, 1, 1, 2000);
        disk.inject(Fault { after, ..Fault::once(operation, io::ErrorKind::Other) });
        let batches: Vec<_> = (0..6).map(|fill| batch(fill, 1, 1500)).collect();
        let error = log.append(&batches, 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        assert_eq!((log.end_offset(), log.segment_count()), (1, 1));
        append(&mut log, &mut model, 2, 1, 3000);
        log.sync().unwrap();
        disk.crash();
        let (log, recovery) = open(&disk);
        assert!(recovery.is_clean(), "{operation:?} {after}: {recovery}");
        assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
    }
}

#[test]
fn a_refused_append_does_not_come_back_after_a_power_failure() {
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        let (mut log, _) = open(&disk);
        let mut model = Model::default();
        append(&mut log, &mut model, 1, 1, 300);
        log.sync().unwrap();
        // The first batch is written whole, the second in part, perhaps in another segment.
        let len = if seed % 2 == 0 { 400 } else { 3800 };
        disk.limit_capacity(Some(model.size_bytes() + 1000));
        let error = log.append(&[batch(2, 1, 200), batch(3, 1, len), batch(4, 1, 900)], 0);
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Full);
        disk.crash();
        let (log, recovery) = open(&disk);
        assert!(recovery.is_clean(), "seed {seed}: {recovery}");
        assert_eq!(read_all(&log, 1000, log.end_offset()), model.bytes(), "seed {seed}");
    }
}

#[test]
fn what_a_failed_sync_lost_is_not_vouched_for_after_a_kill() {
    let disk = SimDisk::new(4);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    append(&mut log, &mut model, 1, 1, 300);
    log.sync().unwrap();
    let lost = batch(2, 1, 300);
    log.append(std::slice::from_ref(&lost), 0).unwrap();
    // The process is killed between the failure and what it would have done about it.
    disk.inject(Fault::once(Operation::Sync, io::ErrorKind::Other));
    let job = log.begin_sync().unwrap();
    disk.keep_cached_once();
    drop((job.run(), log));
    disk.heal();
    let (mut log, recovery) = open(&disk);
    assert!(log.end_offset() <= 2, "{recovery}");
    let held = read_all(&log, 1000, log.end_offset());
    log.sync().unwrap();
    disk.crash();
    let (log, _) = open(&disk);
    assert_eq!(read_all(&log, 1000, log.end_offset()), held, "what was shown is still there");
}

#[test]
fn a_failed_append_that_cannot_be_undone_fences() {
    let disk = SimDisk::new(3);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    append(&mut log, &mut model, 1, 1, 100);
    log.sync().unwrap();
    append(&mut log, &mut model, 2, 1, 100);
    disk.inject(Fault::once(Operation::Write, io::ErrorKind::Other));
    disk.inject(Fault::once(Operation::SetLen, io::ErrorKind::Other));
    for _ in 0..2 {
        let error = log.append(&[batch(2, 1, 100)], 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
    }
    assert!(log.is_fenced() && log.begin_sync().is_none());
    assert_eq!(read_all(&log, 1000, 1), model.batches[0].bytes, "synced, so it can be read");
    assert_eq!(log.read(1, 1000, 2).unwrap_err().kind(), ErrorKind::Fenced);
    drop(log);
    let (mut log, _) = open(&disk);
    assert!((2..=3).contains(&log.end_offset()));
    log.append(&[batch(3, 1, 100)], 0).unwrap();
}

/// Of two syncs of one file the kernel tells only one of a failure: the sync of an append that is
/// undone, and the one that is in flight.
#[test]
fn a_sync_in_flight_does_not_succeed_after_another_has_failed() {
    let disk = SimDisk::new(7);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    append(&mut log, &mut model, 1, 1, 100);
    let job = log.begin_sync().expect("something to sync");
    disk.inject(Fault::once(Operation::Write, io::ErrorKind::Other));
    disk.inject(Fault::once(Operation::Sync, io::ErrorKind::Other));
    let error = log.append(&[batch(2, 1, 100)], 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
    let (syncs, names) = (disk.count(Operation::Sync), disk.count(Operation::Name));
    let error = log.finish_sync(job.run()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
    assert_eq!(disk.count(Operation::Sync), syncs, "it is not tried");
    assert_eq!(disk.count(Operation::Name), names, "no file gets its name");
}

#[test]
fn an_append_is_not_undone_for_good_after_the_sync_in_flight_has_failed() {
    let disk = SimDisk::new(8);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    append(&mut log, &mut model, 1, 1, 100);
    let job = log.begin_sync().expect("something to sync");
    disk.inject(Fault::once(Operation::Sync, io::ErrorKind::Other));
    let outcome = job.run();
    disk.inject(Fault::once(Operation::Write, io::ErrorKind::Other));
    let error = log.append(&[batch(2, 1, 100)], 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
    assert!(log.finish_sync(outcome).is_err() && log.is_fenced());
}

#[test]
fn a_failed_sync_fences_and_is_not_tried_again() {
    for operation in [Operation::Sync, Operation::SyncDir] {
        let disk = SimDisk::new(4);
        let (mut log, _) = open(&disk);
        let mut model = Model::default();
        append(&mut log, &mut model, 1, 1, 100);
        let synced_end = log.sync().unwrap();
        append(&mut log, &mut model, 2, 1, 5000);
        disk.inject(Fault::once(operation, io::ErrorKind::Other));
        let error = log.begin_sync().map(|job| job.run()).map(|done| log.finish_sync(done));
        let error = error.expect("there is something to sync").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
        assert_eq!(log.synced_end(), synced_end);
        let syncs = disk.count(Operation::Sync);
        assert!(log.begin_sync().is_none());
        for result in [log.sync().map(|_| ()), log.append(&[batch(3, 1, 1)], 0).map(|_| ())] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Fenced);
        }
        assert_eq!(log.close().unwrap_err().kind(), ErrorKind::Fenced);
        assert_eq!(disk.count(Operation::Sync), syncs);
    }
}

#[test]
fn one_sync_is_in_flight_and_appends_go_on_meanwhile() {
    let disk = SimDisk::new(5);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    append(&mut log, &mut model, 1, 1, 100);
    let job = log.begin_sync().unwrap();
    assert_eq!(job.end_offset(), 1);
    append(&mut log, &mut model, 2, 1, 5000);
    assert!(log.begin_sync().is_none(), "one at a time");
    assert_eq!(log.sync().unwrap_err().kind(), ErrorKind::Invalid);
    let outcome = std::thread::spawn(move || job.run()).join().unwrap();
    assert_eq!(log.finish_sync(outcome).unwrap(), 1);
    assert_eq!((log.synced_end(), log.end_offset()), (1, 2));
    let job = log.begin_sync().unwrap();
    assert_eq!(log.finish_sync(job.run()).unwrap(), 2);
    assert!(log.begin_sync().is_none(), "nothing is dirty");
    disk.crash();
    assert_eq!(open(&disk).0.end_offset(), 2);
}

#[test]
fn a_log_can_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Log<SimDisk>>();
    is_send::<super::super::SyncJob<SimDisk>>();
    is_send::<super::super::SyncOutcome>();
}

#[test]
fn options_out_of_range_are_refused() {
    for segment_bytes in [0, 4095, (1 << 30) + 1] {
        let options = LogOptions { segment_bytes, ..OPTIONS };
        let error = Log::open(SimDisk::new(0), Path::new(DIR), options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
}

#[test]
fn a_start_that_cannot_be_read_just_now_is_not_lost() {
    for operation in [Operation::Open, Operation::Read] {
        let disk = SimDisk::new(3);
        let (mut log, _) = open(&disk);
        let mut model = Model::default();
        append(&mut log, &mut model, 1, 4, 100);
        log.sync().unwrap();
        let job = log.begin_trim(3).unwrap().expect("to be moved");
        log.finish_trim(job.run()).unwrap();
        drop(log);
        let fault =
            Fault { path_suffix: "/start", ..Fault::once(operation, io::ErrorKind::Other) };
        disk.inject(fault);
        let error = Log::open(disk.clone(), Path::new(DIR), OPTIONS).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        let (log, recovery) = open(&disk);
        assert!(recovery.is_clean(), "{recovery}");
        assert_eq!(log.start_offset(), 3);
    }
}

#[test]
fn a_snapshot_that_cannot_be_read_now_is_not_passed_over() {
    for operation in [Operation::Open, Operation::Read] {
        let disk = SimDisk::new(4);
        let (mut log, _) = open(&disk);
        append(&mut log, &mut Model::default(), 1, 1, 100);
        log.sync().unwrap();
        let job = log.begin_snapshot(b"what is remembered".to_vec());
        log.finish_snapshot(job.run()).unwrap();
        drop(log);

        let (mut log, _) = open(&disk);
        let fault = Fault::once(operation, io::ErrorKind::Other);
        disk.inject(Fault { path_suffix: ".state", ..fault });
        let error = log.load_snapshot().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        assert!(error.to_string().contains(".state"), "{error}");
        let (_, bytes) = log.load_snapshot().unwrap().expect("it is there still");
        assert_eq!(bytes, b"what is remembered");
    }
}

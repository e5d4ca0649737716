//! What is appended is read back, from anywhere, in pieces of any size, and after a restart.

use bytes::Bytes;
use proptest::prelude::*;
use tidewire_protocol::batch::Header;

use super::*;
use crate::disk::RealDisk;
use crate::disk::sim::{Operation, SimDisk};
use crate::error::ErrorKind;

/// Records and value length of each batch of one append.
type Shape = Vec<(usize, usize)>;

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let batch = (1..6usize, prop_oneof![4 => 0..300usize, 1 => 0..3000usize]);
    proptest::collection::vec(proptest::collection::vec(batch, 1..5), 1..20)
}

fn fill<D: Disk>(log: &mut Log<D>, shapes: &[Shape]) -> Model {
    let mut model = Model::default();
    for (at, shape) in shapes.iter().enumerate() {
        let batches: Vec<Bytes> =
            shape.iter().map(|&(records, len)| batch(at as u8, records, len)).collect();
        let start = model.end();
        for (bytes, (records, _)) in batches.iter().zip(shape) {
            model.append(bytes, *records, at as i64);
        }
        assert_eq!(log.append(&batches, at as i64).unwrap(), start..model.end());
    }
    model
}

/// Reads from `offset` and compares with the model.
fn check_read<D: Disk>(log: &Log<D>, model: &Model, offset: u64, max_bytes: usize, end: u64) {
    let chunk = log.read(offset, max_bytes, end).unwrap();
    let at = model.batches.iter().position(|stored| stored.next > offset);
    let Some(first) = at.filter(|&at| model.batches[at].next <= end) else {
        assert!(chunk.bytes.is_empty());
        assert_eq!(chunk.next_offset, offset);
        return;
    };
    assert_eq!(chunk.base_offset, model.batches[first].base);
    let last = model.batches.iter().position(|stored| stored.next == chunk.next_offset);
    let run = &model.batches[first..=last.expect("a chunk ends with a batch")];
    let bytes: Vec<u8> = run.iter().flat_map(|stored| stored.bytes.iter().copied()).collect();
    assert_eq!(chunk.bytes, bytes);
    assert!(chunk.next_offset <= end);
    assert!(run.len() == 1 || bytes.len() <= max_bytes, "{} over {max_bytes}", bytes.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_was_appended_is_read_back_from_anywhere(
        shapes in shapes(),
        reads in proptest::collection::vec((any::<prop::sample::Index>(), 0..10_000usize, any::<prop::sample::Index>()), 30),
        seed: u64,
    ) {
        let disk = SimDisk::new(seed);
        disk.allow_short_writes();
        let (mut log, _) = open(&disk);
        let model = fill(&mut log, &shapes);
        for reopened in [false, true] {
            if reopened {
                log.close().unwrap();
                let (again, recovery) = open(&disk);
                prop_assert_eq!(recovery, Recovery::default());
                log = again;
            }
            prop_assert_eq!(log.end_offset(), model.end());
            prop_assert_eq!(log.size_bytes(), model.size_bytes());
            prop_assert_eq!(read_all(&log, 1000, model.end()), model.bytes());
            for (offset, max_bytes, end) in &reads {
                let end = end.index(model.end() as usize + 1) as u64;
                let offset = offset.index(end as usize + 1) as u64;
                check_read(&log, &model, offset, *max_bytes, end);
            }
        }
    }
}

#[test]
fn the_log_works_on_the_operating_systems_files() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("topics/1/0");
    let (mut log, recovery) = Log::open(RealDisk, &dir, OPTIONS).unwrap();
    assert!(recovery.created);
    let shapes: Vec<Shape> =
        (0..100).map(|at| vec![(1 + at % 3, at * 20); 1 + at % 4]).collect();
    let model = fill(&mut log, &shapes);
    assert!(log.segment_count() > 20);
    assert_eq!(log.sync().unwrap(), model.end());
    assert_eq!(read_all(&log, 3000, model.end()), model.bytes());
    log.close().unwrap();
    let (log, recovery) = Log::open(RealDisk, &dir, OPTIONS).unwrap();
    assert_eq!(recovery, Recovery::default());
    assert_eq!(read_all(&log, 3000, model.end()), model.bytes());
}

#[test]
fn a_batch_larger_than_a_segment_gets_one_of_its_own() {
    let (mut log, _) = open(&SimDisk::new(0));
    let mut model = Model::default();
    for len in [100, 10_000, 100, 10_000, 10_000] {
        append(&mut log, &mut model, 1, 1, len);
    }
    assert_eq!(log.segment_count(), 5);
    assert_eq!(read_all(&log, 0, model.end()), model.bytes());
}

#[test]
fn an_append_across_segments_is_one_write_each() {
    let disk = SimDisk::new(0);
    let (mut log, _) = open(&disk);
    let batches: Vec<Bytes> = (0..8).map(|fill| batch(fill, 1, 800)).collect();
    log.append(&batches, 0).unwrap();
    assert_eq!(log.segment_count(), 2);
    assert_eq!(disk.count(Operation::Write), 2);
}

#[test]
fn reading_on_from_where_the_last_read_ended_is_one_read() {
    let disk = SimDisk::new(0);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    for fill in 0..20 {
        append(&mut log, &mut model, fill, 1, 50);
    }
    let first = log.read(0, 200, model.end()).unwrap();
    let before = disk.count(Operation::Read);
    log.read(first.next_offset, 200, model.end()).unwrap();
    assert_eq!(disk.count(Operation::Read) - before, 1);
}

#[test]
fn more_readers_than_are_remembered_read_on_all_the_same() {
    let (mut log, _) = open(&SimDisk::new(0));
    let mut model = Model::default();
    for fill in 0..120 {
        append(&mut log, &mut model, fill, 1, 50);
    }
    let readers = 2 * super::super::read::MAX_CURSORS as u64;
    let mut offsets: Vec<u64> = (0..readers).collect();
    for _ in 0..model.batches.len() {
        for offset in &mut offsets {
            check_read(&log, &model, *offset, 300, model.end());
            *offset = log.read(*offset, 300, model.end()).unwrap().next_offset;
        }
    }
    assert!(offsets.iter().all(|&offset| offset == model.end()));
    assert_eq!(log.readers.borrow().cursor_count(), super::super::read::MAX_CURSORS);
}

#[test]
fn append_times_never_go_back() {
    let disk = SimDisk::new(0);
    let (mut log, _) = open(&disk);
    let mut times = Vec::new();
    for (at, time) in [5, 3, 9, -1].into_iter().enumerate() {
        log.append(&[batch(at as u8, 1, 10)], time).unwrap();
    }
    // A segment that ends with the latest time and one that holds nothing yet do not hide it.
    log.append(&[batch(0, 1, 5000)], 4).unwrap();
    log.close().unwrap();
    let (mut log, _) = open(&disk);
    log.append(&[batch(9, 1, 10)], 2).unwrap();
    for offset in 0..log.end_offset() {
        let chunk = log.read(offset, 0, u64::MAX).unwrap();
        times.push(Header::parse(&chunk.bytes).unwrap().append_time_us);
    }
    assert_eq!(times, [5, 5, 9, 9, 9, 9]);
}

#[test]
fn an_offset_outside_the_log_is_answered_with_its_range() {
    let (mut log, _) = open(&SimDisk::new(0));
    log.append(&[batch(0, 3, 10)], 0).unwrap();
    assert!(log.read(3, 100, u64::MAX).unwrap().bytes.is_empty());
    let error = log.read(4, 100, u64::MAX).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfRange { start: 0, end: 3 });
    assert!(error.to_string().contains(DIR), "{error}");
    let error = log.read(2, 100, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfRange { start: 0, end: 1 });
}

#[test]
fn a_broken_batch_is_refused_and_the_log_goes_on() {
    let (mut log, _) = open(&SimDisk::new(0));
    let good = batch(1, 1, 10);
    let cut = good.slice(..good.len() - 8);
    let mut flipped = good.to_vec();
    flipped[40] ^= 1;
    for bad in [cut, Bytes::from(flipped), Bytes::new()] {
        let error = log.append(&[good.clone(), bad], 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert_eq!(log.end_offset(), 0);
    }
    assert_eq!(log.append(&[good], 0).unwrap(), 0..1);
}

#[test]
fn an_empty_append_changes_nothing() {
    let (mut log, _) = open(&SimDisk::new(0));
    assert_eq!(log.append(&[], 7).unwrap(), 0..0);
    assert!(log.begin_sync().is_none());
    log.append(&[batch(0, 1, 1)], 3).unwrap();
    let chunk = log.read(0, 1000, 1).unwrap();
    assert_eq!(Header::parse(&chunk.bytes).unwrap().append_time_us, 3);
}

#[test]
fn nothing_is_appended_past_the_largest_offset() {
    let disk = SimDisk::new(0);
    let near_end = u64::MAX - 3;
    drop(open(&disk));
    let path = |base: u64| super::super::segment::log_path(Path::new(DIR), base);
    disk.rename(&path(0), &path(near_end)).unwrap();
    let (mut log, _) = open(&disk);
    assert_eq!(log.start_offset(), near_end);
    let error = log.append(&[batch(0, 4, 1)], 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert_eq!(log.append(&[batch(0, 3, 1)], 0).unwrap(), near_end..u64::MAX);
    assert!(log.append(&[batch(0, 1, 1)], 0).is_err());
    assert_eq!(log.read(u64::MAX - 1, 0, u64::MAX).unwrap().base_offset, near_end);
}

#[test]
fn a_long_log_keeps_few_files_open() {
    let (mut log, _) = open(&SimDisk::new(0));
    let mut model = Model::default();
    for fill in 0..200 {
        append(&mut log, &mut model, fill, 1, 900);
    }
    log.sync().unwrap();
    for round in 0..2 {
        assert_eq!(read_all(&log, 500 + round, model.end()), model.bytes());
    }
    let readers = log.readers.borrow();
    assert_eq!(readers.open_count(), super::super::read::MAX_OPEN_SEALED);
    assert_eq!(log.segments.iter().filter(|segment| segment.live.is_some()).count(), 1);
}

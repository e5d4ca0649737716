//! Examining, mending and copying: what is found is what opening would find, nothing that could
//! be read is lost, and a second time there is nothing to do.

use std::ops::Range;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tidewire_protocol::batch::Batch;

use super::super::index::Index;
use super::super::segment::snapshot_path;
use super::{DIR, Model, append, batch, copy, open, read_all};
use crate::disk::sim::{Operation, SimDisk};
use crate::disk::{Disk, DiskFile, OpenMode, read_exact_at};
use crate::error::Error;
use crate::log::{Aside, Fault, LOST_HEADER, LogCheck, LogCopier, Loss, check, losses, mend};

/// What was kept aside: file, bytes.
#[derive(Default)]
struct Kept {
    disk: Option<SimDisk>,
    parts: Vec<(PathBuf, Vec<u8>)>,
}

impl Aside for Kept {
    fn keep(&mut self, file: &Path, bytes: Range<u64>, _why: &str) -> Result<(), Error> {
        let disk = self.disk.as_ref().expect("set");
        let file_ = disk.open(file, OpenMode::Read).expect("it is there");
        let mut part = vec![0; (bytes.end - bytes.start) as usize];
        read_exact_at(&file_, &mut part, bytes.start).expect("it is there");
        self.parts.push((file.to_owned(), part));
        Ok(())
    }
}

fn checked(disk: &SimDisk) -> LogCheck {
    check(disk, Path::new(DIR), |_| {}).expect("a listing")
}

fn faults(check: &LogCheck) -> Vec<Fault> {
    check.findings.iter().map(|finding| finding.fault).collect()
}

/// A log of 20 batches over several segments, synced, and closed if `closed`.
fn written(closed: bool) -> (SimDisk, Model) {
    let disk = SimDisk::new(7);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    for fill in 0..20 {
        append(&mut log, &mut model, fill, 3, 300);
    }
    if closed {
        log.close().expect("it syncs");
    } else {
        log.sync().expect("it syncs");
    }
    (disk, model)
}

fn segment_files(disk: &SimDisk) -> Vec<PathBuf> {
    let mut names = disk.read_dir(Path::new(DIR)).expect("a listing");
    names.retain(|name| name.ends_with(".log"));
    names.sort();
    names.into_iter().map(|name| Path::new(DIR).join(name)).collect()
}

fn mended(disk: &SimDisk, loss: Loss) -> (usize, Kept) {
    let mut kept = Kept { disk: Some(disk.clone()), ..Kept::default() };
    let mut done = 0;
    loop {
        let mended =
            mend(disk, Path::new(DIR), &checked(disk), loss, &mut kept).expect("mends");
        done += mended.len();
        if mended.is_empty() {
            return (done, kept);
        }
    }
}

#[test]
fn a_whole_log_has_no_findings_and_nothing_is_changed() {
    for closed in [true, false] {
        let (disk, model) = written(closed);
        let writes = [Operation::Write, Operation::Name, Operation::SetLen, Operation::Sync];
        let before = writes.map(|operation| disk.count(operation));
        let mut bytes = 0;
        let check = check(&disk, Path::new(DIR), |more| bytes += more).expect("a listing");
        assert_eq!(check.findings, []);
        assert_eq!((check.end, check.bytes, check.batches), (60, model.size_bytes(), 20));
        assert_eq!(bytes, check.bytes, "progress adds up");
        assert_eq!(before, writes.map(|operation| disk.count(operation)));
        assert_eq!(mended(&disk, Loss::Fill).0, 0);
    }
}

#[test]
fn a_torn_tail_is_found_kept_aside_and_cut() {
    let (disk, model) = written(false);
    let last = segment_files(&disk).pop().expect("a segment");
    disk.corrupt(&last, |bytes| bytes.truncate(bytes.len() - 5)).expect("there");
    let check = checked(&disk);
    assert_eq!(faults(&check), [Fault::TornTail]);
    assert_eq!(check.findings[0].file, last);
    let torn = check.findings[0].bytes as usize;
    let (done, kept) = mended(&disk, Loss::Refuse);
    assert_eq!((done, kept.parts.len()), (1, 1));
    assert_eq!(kept.parts[0].1.len(), torn);
    assert_eq!(checked(&disk).findings, []);
    let (log, recovery) = open(&disk);
    assert!(recovery.is_clean());
    assert_eq!(read_all(&log, 1000, log.end_offset()), model.bytes()[..check.bytes as usize]);
}

#[test]
fn damage_in_the_middle_stays_unless_its_loss_is_accepted() {
    let (disk, _) = written(true);
    let first = segment_files(&disk).remove(0);
    disk.corrupt(&first, |bytes| bytes[200] ^= 1).expect("there");
    let check = checked(&disk);
    assert_eq!(faults(&check), [Fault::Damaged]);
    assert_eq!((check.findings[0].position, check.findings[0].offsets.clone()), (0, 0..3));
    let before = disk.contents(&first).expect("there");
    let (done, kept) = mended(&disk, Loss::Refuse);
    assert_eq!((done, kept.parts.len()), (0, 0));
    assert_eq!(disk.contents(&first).expect("there"), before);
}

#[test]
fn a_missing_segment_is_named_by_its_offsets_and_can_be_filled() {
    let (disk, model) = written(true);
    let files = segment_files(&disk);
    disk.remove_file(&files[1]).expect("there");
    let check = checked(&disk);
    let missing = check.findings.iter().find(|finding| finding.fault == Fault::Missing);
    let offsets = missing.expect("the gap is found").offsets.clone();
    assert!(faults(&check).contains(&Fault::LeftOver), "and the index without its segment");
    let (_, _) = mended(&disk, Loss::Fill);
    assert_eq!(checked(&disk).findings, []);
    check_filled(&disk, &model, &[offsets]);
}

#[test]
fn damaged_stale_and_missing_indexes_are_told_apart_and_made_anew() {
    let (disk, model) = written(true);
    let index = |file: &Path| file.with_extension("index");
    let files = segment_files(&disk);
    assert!(files.len() >= 4, "{files:?}");
    disk.remove_file(&index(&files[0])).expect("there");
    disk.corrupt(&index(&files[1]), |bytes| bytes[70] ^= 4).expect("there");
    // As it would have been written before the last batch of its segment came.
    let short = Index::default().encode(24, 33, 3000, 0);
    disk.corrupt(&index(&files[2]), |bytes| *bytes = short).expect("there");
    assert_eq!(
        faults(&checked(&disk)),
        [Fault::IndexMissing, Fault::IndexDamaged, Fault::IndexStale]
    );
    assert_eq!(mended(&disk, Loss::Refuse).0, 3);
    assert_eq!(checked(&disk).findings, []);
    let (log, recovery) = open(&disk);
    assert_eq!(recovery.rebuilt_indexes, 0);
    assert_eq!(read_all(&log, 1000, log.end_offset()), model.bytes());
}

/// The file is written anew and longer: the tail is not where it was.
#[test]
fn damage_and_a_torn_tail_in_one_file_are_mended_one_after_the_other() {
    let disk = SimDisk::new(5);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    for fill in 0..4 {
        append(&mut log, &mut model, fill, 1, 8);
    }
    log.sync().expect("it syncs");
    drop(log);
    let file = segment_files(&disk).pop().expect("a segment");
    disk.corrupt(&file, |bytes| {
        bytes[90] ^= 1;
        bytes.truncate(bytes.len() - 5);
    })
    .expect("there");
    assert_eq!(faults(&checked(&disk)), [Fault::Damaged, Fault::TornTail]);
    mended(&disk, Loss::Fill);
    model.batches.pop();
    let lost = 0..1;
    check_filled(&disk, &model, &[lost]);
}

#[test]
fn damaged_snapshots_and_those_that_know_too_much_are_moved_aside() {
    let (disk, model) = written(false);
    let (mut log, _) = open(&disk);
    log.sync().expect("it syncs");
    let job = log.begin_snapshot(b"what is remembered".to_vec());
    log.finish_snapshot(job.run()).expect("it is written");
    drop(log);
    assert_eq!(checked(&disk).findings, []);
    let path = snapshot_path(Path::new(DIR), model.end());
    let good = disk.contents(&path).expect("there");
    disk.corrupt(&path, |bytes| bytes[45] ^= 1).expect("there");
    assert_eq!(faults(&checked(&disk)), [Fault::SnapshotDamaged]);
    let (done, kept) = mended(&disk, Loss::Refuse);
    assert_eq!((done, kept.parts.len()), (1, 1));
    assert_eq!(checked(&disk).findings, []);

    disk.open(&path, OpenMode::CreateNew).expect("it was moved");
    disk.corrupt(&path, |bytes| *bytes = good).expect("there");
    let last = segment_files(&disk).pop().expect("a segment");
    disk.corrupt(&last, |bytes| bytes.truncate(bytes.len() - 5)).expect("there");
    assert_eq!(faults(&checked(&disk)), [Fault::TornTail, Fault::LeftOver]);
    assert_eq!(mended(&disk, Loss::Refuse).0, 2);
    assert_eq!(checked(&disk).findings, []);
}

#[test]
fn a_segment_that_was_cut_after_it_was_closed_is_no_torn_tail() {
    let (disk, model) = written(true);
    let last = segment_files(&disk).pop().expect("a segment");
    let base = model.end() - 3;
    disk.corrupt(&last, |bytes| bytes.truncate(bytes.len() - 8)).expect("there");
    let check = checked(&disk);
    assert_eq!(faults(&check), [Fault::Damaged]);
    assert_eq!(check.findings[0].offsets, base..base + 3, "the index says what was there");
    mended(&disk, Loss::Fill);
    assert_eq!(checked(&disk).findings, []);
    let lost = base..base + 3;
    check_filled(&disk, &model, &[lost]);
}

/// The log opens whole; outside `lost` it holds the model's very bytes, inside records that say
/// that they are lost.
fn check_filled(disk: &SimDisk, model: &Model, lost: &[Range<u64>]) {
    let (log, recovery) = open(disk);
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!(log.end_offset(), model.end());
    let inside = |offset: u64| lost.iter().any(|range| range.contains(&offset));
    for stored in &model.batches {
        let chunk = log.read(stored.base, 1, log.end_offset()).expect("readable");
        if !inside(stored.base) {
            assert_eq!(chunk.bytes, stored.bytes, "offset {}", stored.base);
            continue;
        }
        let filled = Batch::decode(chunk.bytes).expect("a good batch");
        let index = (stored.base - chunk.base_offset) as usize;
        let record = filled.get(index).expect("dense");
        assert_eq!((record.key(), record.value()), (None, None));
        let (name, _) = record.headers().next().expect("a header");
        assert_eq!(name, LOST_HEADER);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever bytes are flipped or cut: what is found is what opening the log finds, filling
    /// leaves every other batch as it was, cutting leaves a prefix, and both end in a clean log.
    #[test]
    fn any_damage_is_found_and_can_be_mended(
        closed: bool,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u16>()), 0..4),
        cut in prop::option::of(1u16..900),
        fill: bool,
    ) {
        let (disk, model) = written(closed);
        let files = segment_files(&disk);
        for (file, at) in &flips {
            let file = file.get(&files);
            disk.corrupt(file, |bytes| {
                let at = usize::from(*at) % bytes.len();
                bytes[at] ^= 0x40;
            }).expect("there");
        }
        if let Some(cut) = cut {
            disk.corrupt(&files[files.len() - 1], |bytes| {
                bytes.truncate(bytes.len().saturating_sub(usize::from(cut)));
            }).expect("there");
        }
        let found = checked(&disk);
        let lost = found.findings.iter().filter(|finding| finding.fault.is_loss());
        let lost: Vec<Range<u64>> = lost.map(|finding| finding.offsets.clone()).collect();
        // Opening changes files, so it is asked of a copy.
        let twin = SimDisk::new(1);
        twin.create_dir_all(Path::new(DIR)).expect("new");
        for name in disk.read_dir(Path::new(DIR)).expect("a listing") {
            let path = Path::new(DIR).join(name);
            let bytes = disk.contents(&path).expect("there");
            twin.open(&path, OpenMode::CreateNew).expect("new");
            twin.corrupt(&path, |to| *to = bytes).expect("there");
        }
        twin.sync_dir(Path::new(DIR)).expect("a directory");
        let (_, recovery) = open(&twin);
        let torn = faults(&found).contains(&Fault::TornTail);
        if let Some(quarantine) = &recovery.quarantined {
            prop_assert!(lost.iter().any(|range| range.start == quarantine.offset), "{quarantine}");
        } else {
            prop_assert_eq!(recovery.torn.is_some(), torn);
        }

        let loss = if fill { Loss::Fill } else { Loss::Cut };
        let given_up = losses(&found, loss);
        let (_, kept) = mended(&disk, loss);
        prop_assert_eq!(checked(&disk).findings, []);
        prop_assert_eq!(mended(&disk, loss).0, 0, "a second time there is nothing to do");
        let (log, recovery) = open(&disk);
        prop_assert!(recovery.is_clean());
        if fill {
            // Without what was torn off.
            let mut whole = model.clone();
            let end = given_up.iter().map(|range| range.end).fold(found.end, u64::max);
            whole.batches.retain(|stored| stored.next <= end);
            check_filled(&disk, &whole, &given_up);
        } else if !fill {
            let held = read_all(&log, 1000, log.end_offset());
            prop_assert!(model.bytes().starts_with(&held));
            if let Some(first) = given_up.first() {
                prop_assert_eq!(log.end_offset(), first.start);
                prop_assert!(!kept.parts.is_empty());
            }
        }
    }

    /// A copy taken between any two appends of a log that goes on is a whole log, with all that
    /// was there.
    #[test]
    fn a_copy_holds_what_was_there(before in 0usize..14, torn in 0usize..200) {
        let disk = SimDisk::new(3);
        let (mut log, _) = open(&disk);
        let mut model = Model::default();
        for fill in 0..before {
            append(&mut log, &mut model, fill as u8, 2, 400);
        }
        // A write under way: part of a batch behind the end.
        let path = segment_files(&disk).pop();
        if let (Some(path), false) = (path, torn == 0) {
            let next = batch(9, 1, 300);
            let file = disk.open(&path, OpenMode::ReadWrite).expect("there");
            let len = file.len().expect("there");
            let part = std::io::IoSlice::new(&next[..torn]);
            if log.segment_count() == 1 {
                file.write_vectored_at(&[part], len).expect("room");
            }
        }
        let to = Path::new("/copy/topics/1/0");
        let copied = copy(&disk, to).expect("copies");
        prop_assert_eq!((copied.end, copied.bytes), (model.end(), model.size_bytes()));
        prop_assert!(copied.damage.is_none() && !copied.vanished);
        disk.crash();
        let check = check(&disk, to, |_| {}).expect("a listing");
        prop_assert_eq!(check.findings, []);
        prop_assert_eq!(check.end, model.end());
    }
}

#[test]
fn a_copy_ends_where_the_log_ended_when_it_began() {
    let disk = SimDisk::new(3);
    let (mut log, _) = open(&disk);
    let mut model = Model::default();
    (0..5).for_each(|fill| append(&mut log, &mut model, fill, 2, 400));
    let to = Path::new("/copy");
    let copier = LogCopier::begin(&disk, Path::new(DIR), to).expect("it is listed");
    // In the segment that was the last one, and in others.
    let mut later = model.clone();
    (5..30).for_each(|fill| append(&mut log, &mut later, fill, 2, 400));
    assert!(log.segment_count() > 3);
    let copied = copier.run(|_| {}).expect("copies");
    assert_eq!((copied.start, copied.end), (0, model.end()));
    assert_eq!((copied.damage, copied.bytes), (None, model.size_bytes()));
    let check = check(&disk, to, |_| {}).expect("a listing");
    assert_eq!((check.findings, check.end), (Vec::new(), model.end()));
}

#[test]
fn a_copy_of_a_log_whose_oldest_segments_go_begins_after_them() {
    let (disk, model) = written(false);
    let to = Path::new("/copy");
    let copier = LogCopier::begin(&disk, Path::new(DIR), to).expect("it is listed");
    let mut files = segment_files(&disk);
    files[..2].iter().for_each(|path| disk.remove_file(path).expect("it goes"));
    let copied = copier.run(|_| {}).expect("copies");
    assert!(copied.vanished && copied.start > 0, "{copied:?}");
    assert_eq!((copied.damage, copied.end), (None, model.end()));

    // All of them, as those of a topic that is deleted.
    let other = Path::new("/other");
    let copier = LogCopier::begin(&disk, Path::new(DIR), other).expect("it is listed");
    files.drain(2..).for_each(|path| disk.remove_file(&path).expect("it goes"));
    for next in disk.read_dir(Path::new(DIR)).expect("a listing") {
        disk.remove_file(&Path::new(DIR).join(next)).expect("it goes");
    }
    let copied = copier.run(|_| {}).expect("copies");
    assert!(copied.vanished);
    assert_eq!((copied.segments, copied.bytes), (0, 0));
}

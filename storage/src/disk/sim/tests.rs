//! The simulated disk keeps what it must and is able to lose the rest.

use super::*;
use crate::disk::{create_dir_durable, write_all_vectored_at};

const SEEDS: u64 = 200;

fn write(file: &SimFile, bytes: &[u8], at: u64) {
    write_all_vectored_at(file, &mut [IoSlice::new(bytes)], at).unwrap();
}

/// A file with 1000 synced bytes under a synced name.
fn disk_with_file(seed: u64) -> (SimDisk, SimFile, PathBuf) {
    let disk = SimDisk::new(seed);
    let path = PathBuf::from("/d/file");
    create_dir_durable(&disk, Path::new("/d")).unwrap();
    let file = disk.open(&path, OpenMode::CreateNew).unwrap();
    write(&file, &[1; 1000], 0);
    file.sync_data().unwrap();
    disk.sync_dir(Path::new("/d")).unwrap();
    (disk, file, path)
}

#[test]
fn what_was_synced_survives_and_the_rest_is_lost_in_every_way() {
    let mut outcomes = [0; 3];
    for seed in 0..SEEDS {
        let (disk, file, path) = disk_with_file(seed);
        write(&file, &[2; 3000], 1000);
        disk.crash();
        let bytes = disk.contents(&path).unwrap();
        assert_eq!(bytes[..1000], [1; 1000], "seed {seed}");
        let kept = bytes[1000..].iter().filter(|&&byte| byte == 2).count();
        assert!(bytes[1000..].iter().all(|&byte| byte == 0 || byte == 2), "seed {seed}");
        outcomes[if kept == 0 {
            0
        } else if kept == 3000 {
            1
        } else {
            2
        }] += 1;
        assert!(file.len().is_err(), "an open file does not survive");
    }
    assert!(outcomes.iter().all(|&count| count > 0), "none, all, part: {outcomes:?}");
}

#[test]
fn a_disk_that_keeps_order_leaves_no_hole() {
    for seed in 0..SEEDS {
        let (disk, file, path) = disk_with_file(seed);
        disk.keep_order();
        write(&file, &[2; 3000], 1000);
        if seed % 2 == 0 {
            disk.inject(Fault::once(Operation::Sync, io::ErrorKind::Other));
            assert!(file.sync_data().is_err());
        }
        write(&file, &[2; 3000], 4000);
        disk.crash();
        let bytes = disk.contents(&path).unwrap();
        let kept = bytes[1000..].iter().take_while(|&&byte| byte == 2).count();
        assert!(bytes[1000 + kept..].iter().all(|&byte| byte == 0), "seed {seed}: a hole");
    }
}

#[test]
fn a_name_survives_only_if_its_directory_was_synced() {
    let mut lost = 0;
    for seed in 0..SEEDS {
        let (disk, _, path) = disk_with_file(seed);
        let other = Path::new("/d/other");
        disk.open(other, OpenMode::CreateNew).unwrap().sync_data().unwrap();
        disk.crash();
        assert!(disk.exists(&path).unwrap(), "seed {seed}");
        lost += u64::from(!disk.exists(other).unwrap());
    }
    assert!(lost > 0 && lost < SEEDS, "{lost} of {SEEDS}");
}

#[test]
fn what_a_failed_sync_lost_is_not_written_by_the_next() {
    let mut lost = 0;
    for seed in 0..SEEDS {
        let (disk, file, path) = disk_with_file(seed);
        write(&file, &[2; 100], 1000);
        disk.inject(Fault::once(Operation::Sync, io::ErrorKind::Other));
        assert!(file.sync_data().is_err());
        assert_eq!(disk.contents(&path).unwrap().len(), 1100, "it can still be read");
        file.sync_data().unwrap();
        disk.crash();
        lost += u64::from(
            disk.contents(&path).unwrap() != [[1; 1000].as_slice(), &[2; 100]].concat(),
        );
    }
    assert!(lost > 0, "no seed of {SEEDS} lost anything");
}

#[test]
fn a_full_disk_takes_what_fits_and_then_nothing() {
    let (disk, file, path) = disk_with_file(0);
    disk.limit_capacity(Some(1010));
    assert_eq!(file.write_vectored_at(&[IoSlice::new(&[2; 50])], 1000).unwrap(), 10);
    let error = file.write_vectored_at(&[IoSlice::new(&[2; 50])], 1010).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(disk.contents(&path).unwrap().len(), 1010);
    disk.limit_capacity(None);
    write(&file, &[2; 50], 1010);
}

#[test]
fn a_rename_is_never_half_done() {
    for seed in 0..SEEDS {
        let (disk, _, path) = disk_with_file(seed);
        let to = Path::new("/d/renamed");
        disk.rename(&path, to).unwrap();
        disk.crash();
        assert!(disk.exists(&path).unwrap() != disk.exists(to).unwrap(), "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let (disk, file, path) = disk_with_file(seed);
        disk.allow_short_writes();
        write(&file, &[2; 9000], 500);
        disk.crash();
        disk.contents(&path).unwrap()
    };
    assert!((0..SEEDS).all(|seed| run(seed) == run(seed)));
}

#[test]
fn after_the_power_failed_nothing_works_until_the_next_start() {
    let (disk, file, path) = disk_with_file(0);
    disk.halt_after(1);
    file.len().unwrap();
    assert!(file.len().is_err() && disk.exists(&path).is_err() && disk.is_halted());
    disk.crash();
    assert!(disk.exists(&path).unwrap());
}

#[test]
fn the_end_may_come_in_the_middle_of_a_write_and_in_no_later_one() {
    let mut lens = std::collections::BTreeSet::new();
    for seed in 0..SEEDS {
        let (disk, file, path) = disk_with_file(seed);
        disk.halt_after(0);
        assert!(!disk.is_halted(), "before the next call nobody can tell");
        assert!(file.write_vectored_at(&[IoSlice::new(&[2; 10])], 1000).is_err());
        assert!(file.write_vectored_at(&[IoSlice::new(&[2; 10])], 1010).is_err());
        disk.heal();
        let len = disk.contents(&path).unwrap().len();
        assert!((1000..=1010).contains(&len), "seed {seed}: {len}");
        lens.insert(len);
    }
    assert_eq!(lens.len(), 11, "any part of it: {lens:?}");
}

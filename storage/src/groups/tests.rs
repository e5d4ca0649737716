//! The store's promises, each on a directory of its own.

use std::path::Path;

use super::store::FILE;
use super::*;
use crate::data_dir::DataDir;
use crate::disk::sim::{Fault, Operation, SimDisk};
use crate::error::ErrorKind;

fn open(path: &Path) -> (DataDir, GroupStore) {
    let dir = DataDir::open(path).unwrap();
    let store = GroupStore::open(&dir).unwrap();
    (dir, store)
}

fn group(generation: u32) -> GroupRow {
    GroupRow { created_us: 7, generation }
}

fn member(name: &str) -> MemberRow {
    MemberRow {
        epoch: 3,
        name: name.to_owned(),
        client_name: "c".to_owned(),
        session_timeout_ms: 1,
        rebalance_timeout_ms: 2,
        topics: vec![("shop".to_owned(), "orders".to_owned())],
        owned: vec![(9, 0, 4), (10, 7, 1)],
    }
}

fn offset(offset: u64) -> OffsetRow {
    OffsetRow { offset, commit_us: -1, note: "é".to_owned() }
}

/// A group of this name with one member and two offsets.
fn filled(name: &str) -> Writes {
    let mut writes = Writes::default();
    writes.groups.insert(name.to_owned(), group(5));
    writes.members.insert((name.to_owned(), 1), Some(member("m")));
    for partition in [0, u32::MAX] {
        writes.offsets.insert((name.to_owned(), 9, partition), Some(offset(u64::MAX)));
    }
    writes
}

#[test]
fn what_was_written_survives_a_restart() {
    let temp = tempfile::tempdir().unwrap();
    let (dir, store) = open(temp.path());
    assert_eq!(store.load().unwrap(), []);
    store.write(&[&filled("a"), &filled("b")]).unwrap();
    drop((store, dir));
    let groups = open(temp.path()).1.load().unwrap();
    assert_eq!(groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(groups[1].row, group(5));
    assert_eq!(groups[1].members, BTreeMap::from([(1, member("m"))]));
    assert_eq!(groups[1].offsets[&(9, u32::MAX)], offset(u64::MAX));
    assert_eq!(groups[1].offsets.len(), 2);
}

#[test]
fn a_removed_group_leaves_nothing_and_harms_no_neighbour() {
    let temp = tempfile::tempdir().unwrap();
    let (_dir, store) = open(temp.path());
    store.write(&[&filled("a"), &filled("aa"), &filled("b")]).unwrap();
    let mut writes = Writes::default();
    writes.remove_group("a");
    store.write(&[&writes]).unwrap();
    // A group of the same name begins with nothing.
    let mut again = Writes::default();
    again.groups.insert("a".to_owned(), group(1));
    store.write(&[&again]).unwrap();
    let groups = store.load().unwrap();
    assert_eq!(groups.len(), 3);
    assert_eq!((groups[0].members.len(), groups[0].offsets.len()), (0, 0));
    for other in &groups[1..] {
        assert_eq!((other.members.len(), other.offsets.len()), (1, 2), "{}", other.name);
    }
}

#[test]
fn rows_can_be_removed_one_by_one() {
    let temp = tempfile::tempdir().unwrap();
    let (_dir, store) = open(temp.path());
    let mut writes = filled("a");
    let mut later = Writes::default();
    later.members.insert(("a".to_owned(), 1), None);
    later.offsets.insert(("a".to_owned(), 9, 0), None);
    writes.then(later);
    store.write(&[&writes]).unwrap();
    let groups = store.load().unwrap();
    assert_eq!((groups[0].members.len(), groups[0].offsets.len()), (0, 1));
}

#[test]
fn later_writes_win_and_a_removal_wipes_what_came_before_it() {
    let mut writes = filled("a");
    let mut later = Writes::default();
    later.remove_group("a");
    later.groups.insert("a".to_owned(), group(9));
    writes.then(later);
    assert_eq!(writes.groups, BTreeMap::from([("a".to_owned(), group(9))]));
    assert!(writes.members.is_empty() && writes.offsets.is_empty());
    assert_eq!(writes.cleared.len(), 1);
    assert!(!writes.is_empty());
}

#[test]
fn a_row_with_fields_of_a_later_version_can_be_read() {
    let row: GroupRow =
        serde_json::from_str(r#"{"created_us":3,"generation":4,"colour":"later"}"#).unwrap();
    assert_eq!(row, GroupRow { created_us: 3, generation: 4 });
}

#[test]
fn a_damaged_file_is_refused_by_name() {
    let temp = tempfile::tempdir().unwrap();
    let dir = DataDir::open(temp.path()).unwrap();
    std::fs::write(temp.path().join(FILE), "these are no groups at all".repeat(400)).unwrap();
    let error = GroupStore::open(&dir).unwrap_err();
    assert!(error.to_string().contains(FILE), "{error}");
    assert_ne!(error.kind(), ErrorKind::Locked);
}

/// A sync fails, the process ends, and the next one reads what the disk may not hold.
#[test]
fn what_a_failed_sync_left_in_the_cache_is_not_built_upon() {
    let dir = Path::new("/");
    let mut failures = 0;
    for seed in 0..60 {
        let disk = SimDisk::new(seed);
        let store = GroupStore::over(&disk, dir).unwrap();
        let mut written = 0;
        let mut store = Some(store);
        for round in 0..12_u64 {
            let fails = (seed + round).is_multiple_of(3);
            if fails {
                let after = (seed / 3) % 3;
                let fault = Fault::once(Operation::Sync, std::io::ErrorKind::Other);
                disk.inject(Fault { after, ..fault });
            }
            let open = store.take().unwrap();
            let mut writes = filled(&format!("g{}", round % 4));
            writes.offsets.insert(("a".to_owned(), 1, 0), Some(offset(round)));
            writes.groups.insert("a".to_owned(), group(0));
            let result = open.write(&[&writes]);
            if result.is_ok() {
                written = round;
                store = Some(open);
                continue;
            }
            failures += 1;
            disk.heal();
            drop(open);
            store = Some(GroupStore::over(&disk, dir).unwrap());
        }
        disk.crash();
        drop(store);
        let found = GroupStore::over(&disk, dir)
            .and_then(|store| store.load())
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let group = found.iter().find(|group| group.name == "a").unwrap();
        let stored = group.offsets[&(1, 0)].offset;
        assert!(stored >= written, "seed {seed}: {stored} is there, {written} was written");
    }
    assert!(failures > 40, "{failures} syncs failed");
}

/// Whatever interrupts the making of the file, the next one to open it finds groups, or none.
#[test]
fn a_file_whose_making_was_interrupted_is_made_anew() {
    let dir = Path::new("/");
    let mut interrupted = 0;
    for seed in 0..200 {
        let disk = SimDisk::new(seed);
        let after = seed / 4;
        match seed % 4 {
            0 | 1 => disk.halt_after(after),
            kind => {
                let operation = if kind == 2 { Operation::Sync } else { Operation::Write };
                let fault = Fault::once(operation, std::io::ErrorKind::Other);
                disk.inject(Fault { after: after % 12, ..fault });
            }
        }
        let first = GroupStore::over(&disk, dir);
        interrupted += u32::from(first.is_err());
        drop(first);
        // The power fails, or the process is killed.
        if seed % 4 == 0 {
            disk.crash()
        } else {
            disk.heal()
        }
        if seed % 4 == 1 {
            disk.crash();
        }
        GroupStore::over(&disk, dir)
            .and_then(|store| store.load())
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    assert!(interrupted > 50, "{interrupted} were interrupted");
}

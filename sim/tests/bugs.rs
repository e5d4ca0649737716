//! The checker bites: each deliberate bug is found within a bounded number of seeds.

use tidewire_sim::{Kind, Options, run};

/// Most that a bug may need. A seed of sessions takes longer, and finds more.
const STORAGE_SEEDS: u64 = 400;
const SESSION_SEEDS: u64 = 100;

#[test]
fn every_deliberate_bug_of_storage_is_found() {
    all_are_found(Kind::Storage, STORAGE_SEEDS);
}

#[test]
fn every_deliberate_bug_of_sessions_is_found() {
    all_are_found(Kind::Sessions, SESSION_SEEDS);
}

fn all_are_found(kind: Kind, seeds: u64) {
    let missed: Vec<&str> = kind
        .bugs()
        .iter()
        .filter(|(name, bug)| {
            let options =
                Options { kind, bug: Some(*bug), no_hash: true, ..Options::default() };
            let found = (0..seeds).find_map(|seed| Some((seed, run(seed, &options).failure?)));
            println!("{name}: {found:?}");
            found.is_none()
        })
        .map(|(name, _)| *name)
        .collect();
    assert!(missed.is_empty(), "not found within {seeds} seeds: {missed:?}");
}

//! The checker bites: each deliberate bug is found within a bounded number of seeds.

use tidewire_sim::{Kind, Options, run};

const SEEDS: u64 = 400;

#[test]
fn every_deliberate_bug_of_storage_is_found() {
    all_are_found(Kind::Storage);
}

#[test]
#[ignore = "takes minutes unless it is built with the profile `sim`"]
fn every_deliberate_bug_of_sessions_is_found() {
    all_are_found(Kind::Sessions);
}

fn all_are_found(kind: Kind) {
    let missed: Vec<&str> = kind
        .bugs()
        .iter()
        .filter(|(name, bug)| {
            let options =
                Options { kind, bug: Some(*bug), no_hash: true, ..Options::default() };
            let found = (0..SEEDS).find_map(|seed| Some((seed, run(seed, &options).failure?)));
            println!("{name}: {found:?}");
            found.is_none()
        })
        .map(|(name, _)| *name)
        .collect();
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}

//! The checker bites: each deliberate bug is found within a bounded number of seeds.

use tidewire_sim::{Bug, Options, run};

const SEEDS: u64 = 400;

#[test]
fn every_deliberate_bug_is_found() {
    let missed: Vec<&str> = Bug::ALL
        .iter()
        .filter(|(name, bug)| {
            let options = Options { bug: Some(*bug), ..Options::default() };
            let found = (0..SEEDS).find_map(|seed| Some((seed, run(seed, &options).failure?)));
            println!("{name}: {found:?}");
            found.is_none()
        })
        .map(|(name, _)| *name)
        .collect();
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}

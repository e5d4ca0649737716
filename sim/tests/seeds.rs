//! A few seeds, and the same seed twice. `cargo xtask sim` runs many.

use tidewire_sim::{Kind, Options, add_counts, run};

/// As many of each kind as an unoptimised build does in seconds.
const STORAGE_SEEDS: u64 = 100;
const SESSION_SEEDS: u64 = 12;

#[test]
fn seeds_of_storage_are_clean_and_meet_every_kind_of_trouble() {
    let sum = seeds_are_clean(Kind::Storage, STORAGE_SEEDS, "");
    let missing: Vec<_> = sum.into_iter().filter(|(_, count)| *count == 0).collect();
    assert!(missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn seeds_of_sessions_are_clean() {
    let sum = seeds_are_clean(Kind::Sessions, SESSION_SEEDS, " --sessions");
    let moves = sum.iter().find(|(name, _)| *name == "moves");
    assert!(moves.is_some_and(|(_, count)| *count > 0), "no connection moved: {sum:?}");
}

fn seeds_are_clean(kind: Kind, seeds: u64, flag: &str) -> Vec<(&'static str, u64)> {
    let mut sum = Vec::new();
    for seed in 0..seeds {
        let report = run(seed, &Options { kind, ..Options::default() });
        assert_eq!(report.failure, None, "replay: cargo xtask sim{flag} --seed {seed}");
        add_counts(&mut sum, &report.counts);
    }
    sum
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for kind in [Kind::Storage, Kind::Sessions] {
        let options = Options { kind, ..Options::default() };
        for seed in 0..if kind == Kind::Storage { 10 } else { 3 } {
            let first = run(seed, &Options { keep_lines: true, ..options });
            let second = run(seed, &Options { keep_lines: true, ..options });
            let differ =
                first.lines.iter().zip(&second.lines).find(|(one, other)| one != other);
            assert_eq!(differ, None, "{kind:?}, seed {seed}");
            assert_eq!((first.hash, first.lines.len()), (second.hash, second.lines.len()));
            let unkept = run(seed, &options);
            assert_eq!(unkept.hash, first.hash, "whether lines are kept changes nothing");
        }
        assert_ne!(run(1, &options).hash, run(2, &options).hash);
    }
}

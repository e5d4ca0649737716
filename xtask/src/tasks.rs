//! `cargo xtask test`: every test in every language, and a summary at the end.
//!
//! Each step is a command that anyone could type; its output passes through, and the result lines
//! of its test runner are counted. A step that fails, or has to be ended, does not keep the others
//! from running.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::generate::root;
use crate::watch::Watch;

/// Time that a step may take, building included: four times what the longest takes on two cores.
const LIMIT: Duration = Duration::from_secs(25 * 60);
/// The same of the first one, which builds most of what there is.
const LIMIT_OF_FIRST: Duration = Duration::from_secs(50 * 60);

struct Step {
    name: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

/// In order: what is broken shows up early.
const STEPS: &[Step] = &[
    Step {
        name: "rust",
        // The module for Python links only where Python loads it; its own step tests it.
        arguments: &[
            "test",
            "--workspace",
            "--exclude",
            "tidewire-python",
            "--all-targets",
            "--no-fail-fast",
        ],
        environment: &[("TIDEWIRE_TEST_PACKAGES", "--workspace --exclude tidewire-python")],
    },
    Step {
        name: "rust: examples in the docs",
        arguments: &[
            "test",
            "--workspace",
            "--exclude",
            "tidewire-python",
            "--doc",
            "--no-fail-fast",
        ],
        environment: &[],
    },
    Step {
        name: "rust: processes and server on epoll",
        arguments: &["xtask", "epoll"],
        environment: &[],
    },
    Step {
        name: "torture: kill -9, damage, backups",
        arguments: &["xtask", "torture", "--rounds", "30"],
        environment: &[],
    },
    Step {
        name: "protocol: fuzz smoke, 8 s a target",
        arguments: &["xtask", "fuzz-smoke", "8"],
        environment: &[],
    },
    Step {
        name: "instructions of the hot paths",
        arguments: &["xtask", "counters"],
        environment: &[],
    },
    // Fresh seeds each time; one that fails is printed with the command that replays it.
    Step {
        name: "simulation of storage, 40 s",
        arguments: &["xtask", "sim-smoke", "--seconds", "40"],
        environment: &[],
    },
    Step {
        name: "simulation of sessions, 40 s",
        arguments: &["xtask", "sim-smoke", "--sessions", "--seconds", "40"],
        environment: &[],
    },
    Step {
        name: "node: the npm package against the server",
        arguments: &["xtask", "node"],
        environment: &[],
    },
    Step {
        name: "python: package, types, examples",
        arguments: &["xtask", "python"],
        environment: &[],
    },
    Step {
        name: "c: the C library, and C++ and Go on it",
        arguments: &["xtask", "c"],
        environment: &[],
    },
    Step {
        name: "kotlin: the module for Kotlin and Java",
        arguments: &["xtask", "kotlin"],
        environment: &[],
    },
    Step { name: "ruby: the gem", arguments: &["xtask", "ruby"], environment: &[] },
    Step { name: "swift: the package", arguments: &["xtask", "swift"], environment: &[] },
    Step {
        name: "conformance: every SDK against the server",
        arguments: &["xtask", "conformance", "--report", "target/conformance"],
        environment: &[],
    },
];

#[derive(Default, Clone, Copy)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

struct Outcome {
    name: &'static str,
    counts: Counts,
    success: bool,
    took: Duration,
    /// What it said of its failures, to be read where the run ends.
    findings: Vec<String>,
}

/// Lines about failures that a step's summary repeats.
const MAX_FINDINGS: usize = 40;

/// Runs all steps.
pub(crate) fn test() -> ExitCode {
    let outcomes: Vec<Outcome> = STEPS.iter().map(run).collect();
    summarise(&outcomes)
}

fn run(step: &Step) -> Outcome {
    println!("\n=== {} ===", step.name);
    let start = Instant::now();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut counts = Counts::default();
    let mut findings = Vec::new();
    let mut command = Command::new(cargo);
    command
        .args(step.arguments)
        .envs(step.environment.iter().copied())
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let success = match command.spawn() {
        Ok(mut child) => {
            let limit = if step.name == STEPS[0].name { LIMIT_OF_FIRST } else { LIMIT };
            let watch = Watch::over(child.id(), limit);
            if let Some(stdout) = child.stdout.take() {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    count(&line, &mut counts);
                    if findings.len() < MAX_FINDINGS && is_finding(&line) {
                        findings.push(line.trim().to_owned());
                    }
                    // A reader that went away does not stop the tests.
                    let _ = writeln!(std::io::stdout(), "{line}");
                }
            }
            let success = child.wait().is_ok_and(|status| status.success());
            if watch.stop() {
                let minutes = limit.as_secs() / 60;
                findings.push(format!("had not ended after {minutes} min, and was ended"));
            }
            success
        }
        Err(error) => {
            eprintln!("{}: {error}", step.name);
            false
        }
    };
    Outcome { name: step.name, counts, success, took: start.elapsed(), findings }
}

/// Whether a line names what failed, or how to see it again.
fn is_finding(line: &str) -> bool {
    ["FAILED", "FAILS: ", "replay: ", "not ok "].iter().any(|word| line.contains(word))
}

/// Adds up lines of the form `test result: ok. 3 passed; 0 failed; 1 ignored; …`, of the fuzz
/// smoke, of the simulation and of the torture.
fn count(line: &str, counts: &mut Counts) {
    if line.starts_with("sim: ") && line.contains(" seeds ran clean ") {
        // However many there were: the number depends on the machine.
        counts.passed += 1;
    }
    if line.starts_with("sim: ") && line.contains(" FAILS: ") {
        counts.failed += 1;
    }
    if line.contains(" runs from ") {
        // A target of the fuzz smoke: it would have ended the run if it had failed.
        counts.passed += 1;
    }
    if line.starts_with("no promise was broken in ") {
        counts.passed += 1;
    }
    if line.starts_with("SKIPPED: ") {
        // A test says so itself where the machine does not allow what it needs.
        counts.skipped += 1;
    }
    let line = line.trim();
    // Of cargo's own test runner, and of the conformance suite.
    let result =
        line.strip_prefix("test result: ").or(line.strip_prefix("conformance result: "));
    let Some(result) = result else { return };
    let words: Vec<&str> = result.split([' ', ';', '.']).filter(|w| !w.is_empty()).collect();
    for pair in words.windows(2) {
        let Ok(number) = pair[0].parse::<u64>() else { continue };
        match pair[1] {
            "passed" => counts.passed += number,
            "failed" => counts.failed += number,
            "ignored" => counts.skipped += number,
            _ => {}
        }
    }
}

fn summarise(outcomes: &[Outcome]) -> ExitCode {
    let width = outcomes.iter().map(|outcome| outcome.name.len()).max().unwrap_or(0);
    println!("\n=== summary ===");
    let mut total = Counts::default();
    let mut success = true;
    for outcome in outcomes {
        let Counts { passed, failed, skipped } = outcome.counts;
        println!(
            "{:6} {:width$}  {passed:5} passed {failed:3} failed {skipped:3} skipped {:6.1} s",
            if outcome.success { "ok" } else { "FAILED" },
            outcome.name,
            outcome.took.as_secs_f64(),
        );
        total.passed += passed;
        total.failed += failed;
        total.skipped += skipped;
        // What a machine cannot run says so; a step that ran nothing at all has failed.
        success &= outcome.success && passed + skipped > 0;
    }
    if !success && total.failed == 0 {
        // A step that did not build, or ran nothing, has failed as a whole.
        total.failed = 1;
    }
    for outcome in outcomes.iter().filter(|outcome| !outcome.success) {
        println!("\n{}:", outcome.name);
        outcome.findings.iter().for_each(|line| println!("  {line}"));
    }
    println!("\n{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_counted() {
        let mut counts = Counts::default();
        count(
            "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            &mut counts,
        );
        count("test result: FAILED. 1 passed; 2 failed; 0 ignored;", &mut counts);
        count("running 9 tests", &mut counts);
        assert_eq!((counts.passed, counts.failed, counts.skipped), (13, 2, 3));
    }

    #[test]
    fn what_failed_is_said_again_in_the_summary() {
        for line in [
            "test appends_are_kept ... FAILED",
            "sim: seed 7 FAILS: record 3 of t/0 is gone",
            "     replay: cargo xtask sim --sessions --seed 7",
            "FAILED tests/test_produce.py::test_send",
            "not ok 4 - sends",
        ] {
            assert!(is_finding(line), "{line}");
        }
        for line in
            ["test appends_are_kept ... ok", "ok 4 - sends", "sim: 7 of 7 seeds ran clean"]
        {
            assert!(!is_finding(line), "{line}");
        }
    }
}

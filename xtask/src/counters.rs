//! `cargo xtask counters`: instructions that fixed work on the hot paths takes, by callgrind,
//! against those in `bench/counters/baseline.toml`.
//!
//! Instructions do not depend on what else the machine does. They depend on the compiler, so that
//! figures of another one are not compared. The one invariant: work that costs over
//! [`TOLERANCE`] more than its figure fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::generate::root;

/// The work, the rounds that are counted, and of how many one figure is.
const WORK: [(&str, usize, usize); 5] = [
    ("build", 20, 1_000),
    ("build-keys", 20, 1_000),
    ("validate", 20, 1_000),
    ("read", 20, 1_000),
    ("append", 400, 1),
];
/// By how much a figure may grow, in parts of it.
const TOLERANCE: f64 = 0.05;

/// Counts and compares; `--update` writes the figures instead.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    match arguments {
        [] => finish(compare()),
        ["--update"] => finish(update()),
        _ => {
            eprintln!("usage: cargo xtask counters [--update]");
            ExitCode::FAILURE
        }
    }
}

fn finish(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask counters: {error}");
            ExitCode::FAILURE
        }
    }
}

fn baseline() -> PathBuf {
    root().join("bench/counters/baseline.toml")
}

fn compare() -> Result<(), String> {
    let path = baseline();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let table: toml::Table =
        text.parse().map_err(|error| format!("{}: {error}", path.display()))?;
    let of = table.get("compiler").and_then(toml::Value::as_str).unwrap_or_default();
    let here = compiler()?;
    if of != here {
        println!("SKIPPED: instruction counts: the figures are of {of}, this is {here}");
        return Ok(());
    }
    let Some(counted) = count()? else { return Ok(()) };
    let (mut passed, mut failed) = (0, 0);
    for (work, figure) in counted {
        let known = table.get("instructions").and_then(|table| table.get(&work));
        let known = known.and_then(toml::Value::as_float);
        let known = known.ok_or_else(|| format!("{}: no figure for {work}", path.display()))?;
        let ratio = figure / known;
        let verdict = if ratio > 1.0 + TOLERANCE { "FAILED: it costs more" } else { "ok" };
        println!("{work:12} {figure:10.2} instructions, {ratio:.3} of {known:.2}: {verdict}");
        *(if ratio > 1.0 + TOLERANCE { &mut failed } else { &mut passed }) += 1;
        if ratio < 1.0 - TOLERANCE {
            println!("{work:12} costs less: `cargo xtask counters --update` keeps that");
        }
    }
    println!("test result: {passed} passed; {failed} failed;");
    if failed == 0 {
        return Ok(());
    }
    Err("if it is worth its price, `cargo xtask counters --update` says so".to_owned())
}

fn update() -> Result<(), String> {
    let counted = count()?.ok_or("there is nothing to count with")?;
    let mut text = String::from(
        "# Instructions of fixed work on the hot paths, by callgrind: for a record of 100 bytes in a\n\
         # batch of 1,000, and for an APPEND of 4 with its reply, both ends together.\n\
         # Written by `cargo xtask counters --update`.\n\n",
    );
    let _ = writeln!(text, "compiler = {:?}\n\n[instructions]", compiler()?);
    for (work, figure) in counted {
        let _ = writeln!(text, "{work} = {figure:.2}");
    }
    std::fs::write(baseline(), text).map_err(|error| error.to_string())
}

/// The compiler by its version, which is what counts.
fn compiler() -> Result<String, String> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let told = Command::new(&rustc).arg("--version").output();
    let told = told.map_err(|error| format!("{rustc}: {error}"))?;
    let text = String::from_utf8_lossy(&told.stdout);
    let version: Vec<&str> = text.split_whitespace().take(2).collect();
    Ok(format!("{} {}", version.join(" "), std::env::consts::ARCH))
}

/// Instructions by work; `None`, and why is told, where they cannot be counted.
fn count() -> Result<Option<BTreeMap<String, f64>>, String> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("SKIPPED: instruction counts: there is no valgrind (Debian: valgrind)");
        return Ok(None);
    }
    let program = build()?;
    let mut counted = BTreeMap::new();
    for (work, rounds, parts) in WORK {
        // What the first rounds pay for, and the start, is in both.
        let few = instructions(&program, work, rounds)?;
        let many = instructions(&program, work, 2 * rounds)?;
        let figure = many.saturating_sub(few) as f64 / (rounds * parts) as f64;
        counted.insert(work.to_owned(), figure);
    }
    Ok(Some(counted))
}

fn build() -> Result<PathBuf, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "-p", "tidewire-counters", "--locked"])
        .current_dir(root())
        .status();
    match built {
        Ok(status) if status.success() => {
            let target = std::env::var_os("CARGO_TARGET_DIR");
            let target = target.map_or_else(|| root().join("target"), PathBuf::from);
            Ok(root().join(target).join("release/tidewire-counters"))
        }
        Ok(status) => Err(format!("cargo build: {status}")),
        Err(error) => Err(format!("cargo build: {error}")),
    }
}

fn instructions(program: &Path, work: &str, rounds: usize) -> Result<u64, String> {
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([work, &rounds.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let told = String::from_utf8_lossy(&ran.stderr);
    let collected = told
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, number)| number.trim().parse().ok());
    match collected {
        Some(number) if ran.status.success() => Ok(number),
        _ => Err(format!("valgrind of {work}: {}\n{told}", ran.status)),
    }
}

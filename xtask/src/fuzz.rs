//! `cargo xtask fuzz`: libFuzzer over the protocol's targets, with nightly Rust and cargo-fuzz,
//! which is installed inside the checkout.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::generate::root;

/// Names of the targets: those that have a committed corpus.
fn targets(corpus: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(corpus)
        .map(|entries| entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

/// Fuzzes each target for `seconds`; with `minimise`, then keeps in the committed corpus the
/// smallest inputs that reach everything reached.
pub(crate) fn run(seconds: u32, minimise: bool, names: &[String]) -> ExitCode {
    let root = root();
    let corpus = root.join("protocol/fuzz/corpus");
    let known = targets(&corpus);
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        eprintln!(
            "cargo xtask fuzz: there is no target {unknown}; the targets are {}",
            known.join(", ")
        );
        return ExitCode::FAILURE;
    }
    let names = if names.is_empty() { known } else { names.to_vec() };
    let tool = match cargo_fuzz(&root) {
        Ok(tool) => tool,
        Err(error) => {
            eprintln!("cargo xtask fuzz: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut failed = Vec::new();
    for name in names {
        println!("\n=== {name}, {seconds} s ===");
        let found = root.join("target/fuzz-corpus").join(&name);
        let committed = corpus.join(&name);
        let time = format!("-max_total_time={seconds}");
        let fuzz = |dirs: &[&Path], flags: &[&str]| {
            Command::new(&tool)
                .args(["run", "fuzz", "--fuzz-dir", "protocol/fuzz", "--features", "libfuzzer"])
                .args(dirs)
                .arg("--")
                .args(flags)
                .env("TIDEWIRE_FUZZ_TARGET", &name)
                .env("RUSTUP_TOOLCHAIN", "nightly")
                .current_dir(&root)
                .status()
                .is_ok_and(|status| status.success())
        };
        let made = std::fs::create_dir_all(&found).is_ok();
        let flags = [&time, "-max_len=4096", "-rss_limit_mb=2048", "-print_final_stats=1"];
        if !made || !fuzz(&[&found, &committed], &flags) {
            failed.push(name);
            continue;
        }
        if minimise {
            let least = root.join("target/fuzz-least").join(&name);
            let flags = ["-set_cover_merge=1", "-max_len=4096"];
            let merged = replace_dir(&least, None).is_ok()
                && fuzz(&[&least, &committed, &found], &flags)
                && replace_dir(&committed, Some(&least)).is_ok();
            if !merged {
                failed.push(name);
            }
        }
    }
    if failed.is_empty() {
        println!("\nno target failed");
        return ExitCode::SUCCESS;
    }
    eprintln!("\nfailed: {}", failed.join(", "));
    ExitCode::FAILURE
}

/// Empties `dir`, which then gets the files of `source`.
fn replace_dir(dir: &Path, source: Option<&Path>) -> std::io::Result<()> {
    if dir.exists() {
        std::fs::remove_dir_all(dir)?;
    }
    std::fs::create_dir_all(dir)?;
    for entry in source.map(std::fs::read_dir).into_iter().flatten().flatten() {
        let entry = entry?;
        std::fs::copy(entry.path(), dir.join(entry.file_name()))?;
    }
    Ok(())
}

/// cargo-fuzz in the checkout's own tools.
fn cargo_fuzz(root: &Path) -> Result<PathBuf, String> {
    let tools = root.join(".tools");
    let tool = tools.join("bin/cargo-fuzz");
    if tool.exists() {
        return Ok(tool);
    }
    let installed = Command::new("cargo")
        .args(["install", "cargo-fuzz", "--locked", "--root"])
        .arg(&tools)
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo install: {error}"))?;
    if installed.success() {
        Ok(tool)
    } else {
        Err("cargo-fuzz cannot be installed".to_owned())
    }
}

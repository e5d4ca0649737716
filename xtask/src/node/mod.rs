//! `cargo xtask node`: builds the Node.js package in the checkout and tests it against the real
//! server: its types, then `node --test`. With `--packages`, it makes what npm would have, and tries
//! that on every runtime that npm has, and on Node.js for musl.
//!
//! Owns what has to be there before (packages from npm, the server, the native module), and the
//! one line that `cargo xtask test` counts. The one invariant: a machine without Node, or without
//! npm's packages, is told of in one line and is no failure.

mod packages;

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::generate::root;
use crate::packages::build_programs;
use crate::sdk::{command, is_installed};

/// Oldest major version that the package runs on.
const OLDEST: u32 = 20;

/// What is tried with `--packages`.
const ELSEWHERE: &str = "test/elsewhere/elsewhere.test.mjs";

/// Builds, and unless the first word is `--build`, tests; the files that are named, or all.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let root = root();
    let outcome = prepare(&root).and_then(|()| match words {
        ["--build", ..] => Ok(develop(&root).map(|()| true)?),
        ["--packages"] => Ok(test(&root, &[ELSEWHERE], packages::make(&root)?)?),
        files => Ok(develop(&root).and_then(|()| test(&root, files, Vec::new()))?),
    });
    let outcome = match outcome {
        Ok(passed) => Ok(passed),
        Err(Lack::Machine(what)) => {
            println!("SKIPPED: the Node.js package: {what}");
            Ok(true)
        }
        Err(Lack::Build(error)) => Err(error),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo xtask node: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Why it could not be built.
enum Lack {
    /// This machine has not what it takes.
    Machine(String),
    /// It does not build.
    Build(String),
}

impl From<String> for Lack {
    fn from(error: String) -> Self {
        Self::Build(error)
    }
}

/// What has to be there before the package is built, and the server.
fn prepare(root: &Path) -> Result<(), Lack> {
    for program in ["node", "npm"] {
        if !is_installed(program) {
            return Err(Lack::Machine(format!("this machine has no {program}")));
        }
    }
    let version = Command::new("node").arg("--version").output();
    let version = version.map_err(|error| Lack::Machine(format!("node: {error}")))?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    if major(&version).is_none_or(|major| major < OLDEST) {
        let text = format!("node is {version}, and {OLDEST} is the oldest that it runs on");
        return Err(Lack::Machine(text));
    }
    install(&root.join("bindings-node"))?;
    build_programs(&["tidewire"])?;
    Ok(())
}

/// Builds the package in the checkout, for tests.
fn develop(root: &Path) -> Result<(), String> {
    let build = ["bindings-node/scripts/build.mjs", "--dev"].map(str::to_owned);
    command(root, "node", &build)
}

/// `v20.1.0` is 20.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Packages as `package-lock.json` names them, unless they are there.
fn install(package: &Path) -> Result<(), Lack> {
    let changed = |path: PathBuf| std::fs::metadata(path).and_then(|meta| meta.modified());
    let installed = changed(package.join("node_modules/.package-lock.json"));
    let wanted = changed(package.join("package-lock.json"));
    if let (Ok(installed), Ok(wanted)) = (installed, wanted)
        && installed >= wanted
    {
        return Ok(());
    }
    // Building is the next step's.
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"].map(str::to_owned);
    command(package, "npm", &arguments).map_err(|error| {
        Lack::Machine(format!("npm could not install what its build needs ({error})"))
    })
}

/// Runs these files of tests, or all, with these variables.
fn test(
    root: &Path,
    files: &[&str],
    variables: Vec<(&'static str, OsString)>,
) -> Result<bool, String> {
    let package = root.join("bindings-node");
    let types = ["node_modules/typescript/bin/tsc", "-p", "test/types"].map(str::to_owned);
    command(&package, "node", &types)?;
    let mut line = vec!["--test".to_owned(), "--test-reporter=spec".to_owned()];
    if files.is_empty() {
        line.extend(tests(&package.join("test"))?);
    } else {
        line.extend(files.iter().map(|&file| file.to_owned()));
    }
    let mut child = Command::new("node")
        .args(&line)
        .current_dir(&package)
        .env("TIDEWIRE_TEST_SERVER", server(root))
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("node --test: {error}"))?;
    let mut counts = [0u64; 3];
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            count(&line, &mut counts);
            println!("{line}");
        }
    }
    let success = child.wait().is_ok_and(|status| status.success());
    let [passed, failed, skipped] = counts;
    let result = if success { "ok" } else { "FAILED" };
    println!("test result: {result}. {passed} passed; {failed} failed; {skipped} ignored;");
    Ok(success && passed > 0)
}

/// Adds up the last lines of Node's own reporter.
fn count(line: &str, counts: &mut [u64; 3]) {
    let mut words = line.split_whitespace();
    let (Some("ℹ" | "#"), Some(what), Some(number)) =
        (words.next(), words.next(), words.next())
    else {
        return;
    };
    let Ok(number) = number.parse() else { return };
    match what {
        "pass" => counts[0] = number,
        "fail" | "cancelled" => counts[1] += number,
        "skipped" | "todo" => counts[2] += number,
        _ => {}
    }
}

/// The test files, by name: Node's own pattern differs from version to version.
fn tests(directory: &Path) -> Result<Vec<String>, String> {
    let shown = directory.display();
    let entries = std::fs::read_dir(directory).map_err(|error| format!("{shown}: {error}"))?;
    let mut found: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".test.mjs"))
        .map(|name| format!("test/{name}"))
        .collect();
    found.sort();
    Ok(found)
}

/// The server that was just built.
fn server(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    root.join(target.unwrap_or_else(|| "target".into())).join("debug/tidewire")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_nodes_reporter_are_counted() {
        let mut counts = [0; 3];
        for line in
            ["ℹ tests 9", "ℹ pass 6", "ℹ fail 1", "ℹ cancelled 1", "ℹ skipped 1", "pass 99"]
        {
            count(line, &mut counts);
        }
        assert_eq!(counts, [6, 2, 1]);
        assert_eq!((major("v22.1.0"), major("nonsense")), (Some(22), None));
    }
}

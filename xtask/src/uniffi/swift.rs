//! `cargo xtask swift`: builds the package for Swift in the checkout and tests it against the real
//! server.
//!
//! Owns what has to be there before (the server, the library), the words that tell Swift where the
//! library is, and the one line that `cargo xtask test` counts. The one invariant: a machine without
//! Swift is told of in one line and is no failure.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use super::{failed, library, server, target, tests_of};
use crate::generate::root;
use crate::sdk::is_installed;

/// `--build` only builds.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let build = match words {
        [] => false,
        ["--build"] => true,
        _ => return failed("swift", "usage: cargo xtask swift [--build]"),
    };
    if !is_installed("swift") {
        println!("SKIPPED: the package for Swift: this machine has no swift");
        return ExitCode::SUCCESS;
    }
    let root = root();
    let outcome = library(&root, false).and_then(|library| match build {
        true => finish(swift(&root, &library, "build").arg("--build-tests")),
        false => test(&root, &library),
    });
    outcome.map_or_else(|error| failed("swift", &error), |()| ExitCode::SUCCESS)
}

/// Swift in the package, with the library that was just built.
fn swift(root: &Path, library: &Path, task: &str) -> Command {
    let directory = library.parent().unwrap_or(root).display().to_string();
    let mut swift = Command::new("swift");
    swift.current_dir(root.join("bindings-uniffi/swift"));
    swift.arg(task).arg("--scratch-path").arg(target(root).join("swift"));
    for word in [&format!("-L{directory}"), "-rpath", &directory] {
        swift.args(["-Xlinker", word]);
    }
    swift.stdin(Stdio::null());
    swift
}

fn finish(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

fn test(root: &Path, library: &Path) -> Result<(), String> {
    let mut tests = swift(root, library, "test");
    tests_of(tests.env("TIDEWIRE_TEST_SERVER", server(root)?), counted)
}

/// `Executed 9 tests, with 1 test skipped and 2 failures (0 unexpected) in …`; each suite tells its
/// sum, and the last is that of all.
fn counted(line: &str) -> Option<[u64; 3]> {
    let rest = line.trim().strip_prefix("Executed ")?;
    let before = |what: &str| -> Option<u64> {
        let (numbers, _) = rest.split_once(what)?;
        numbers.trim().rsplit(' ').next()?.parse().ok()
    };
    let run = before("test")?;
    let failed = before("failure")?;
    let skipped = before("test skipped").or_else(|| before("tests skipped")).unwrap_or(0);
    Some([run.saturating_sub(failed + skipped), failed, skipped])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_of_xctest_are_counted() {
        let some = "\t Executed 9 tests, with 1 test skipped and 2 failures (0 unexpected) in 1.2 (1.2) seconds";
        assert_eq!(counted(some), Some([6, 2, 1]));
        let one = "Executed 1 test, with 0 failures (0 unexpected) in 0.006 (0.006) seconds";
        assert_eq!(counted(one), Some([1, 0, 0]));
        assert_eq!(counted("Test Case 'T.testOne' passed (0.006 seconds)"), None);
    }
}

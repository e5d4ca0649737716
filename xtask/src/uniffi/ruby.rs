//! `cargo xtask ruby`: tests the gem in the checkout against the real server.
//!
//! Owns what has to be there before (the server, the library), and the one line that `cargo xtask
//! test` counts. The one invariant: a machine without Ruby, or without the gems that it needs, is
//! told of in one line and is no failure.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use super::{failed, library, same_version, server, tests_of};
use crate::generate::root;
use crate::sdk::is_installed;

/// `--build` only builds.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let build = match words {
        [] => false,
        ["--build"] => true,
        _ => return failed("ruby", "usage: cargo xtask ruby [--build]"),
    };
    if let Some(lack) = lack() {
        println!("SKIPPED: the gem for Ruby: {lack}");
        return ExitCode::SUCCESS;
    }
    let root = root();
    let outcome = library(&root, false).and_then(|library| match build {
        true => checked(&root),
        false => test(&root, &library),
    });
    outcome.map_or_else(|error| failed("ruby", &error), |()| ExitCode::SUCCESS)
}

/// What this machine has not.
fn lack() -> Option<String> {
    if !is_installed("ruby") {
        return Some("this machine has no ruby".to_owned());
    }
    let asks = "require 'ffi'; require 'minitest'; exit(RUBY_VERSION >= '3.0')";
    let has = Command::new("ruby").args(["-e", asks]).stderr(Stdio::null()).status();
    let lacks = "it wants Ruby 3.0 or newer with the gems ffi and minitest (Debian: ruby-ffi, \
                 ruby-minitest)";
    (!has.is_ok_and(|status| status.success())).then(|| lacks.to_owned())
}

/// Says to the conformance suite that its adapter can run here.
fn checked(root: &Path) -> Result<(), String> {
    let directory = root.join("target/ruby");
    std::fs::create_dir_all(&directory)
        .and_then(|()| std::fs::write(directory.join("checked"), ""))
        .map_err(|error| format!("{}: {error}", directory.display()))
}

fn test(root: &Path, library: &Path) -> Result<(), String> {
    let gem = root.join("bindings-uniffi/ruby");
    let version = format!("'{}'", env!("CARGO_PKG_VERSION"));
    same_version(&gem.join("lib/tidewire/version.rb"), &version)?;
    let run = "Dir['test/*_test.rb'].sort.each { |file| require File.expand_path(file) }";
    let mut tests = Command::new("ruby");
    tests
        .current_dir(&gem)
        .args(["-Ilib", "-Itest", "-e", run])
        .env("TIDEWIRE_LIBRARY", library)
        .env("TIDEWIRE_TEST_SERVER", server(root)?)
        .stdin(Stdio::null());
    tests_of(&mut tests, counted)
}

/// `9 runs, 30 assertions, 1 failures, 2 errors, 3 skips`
fn counted(line: &str) -> Option<[u64; 3]> {
    let mut numbers = [0; 5];
    let words = ["runs", "assertions", "failures", "errors", "skips"];
    let mut parts = line.split(", ");
    for (number, word) in numbers.iter_mut().zip(words) {
        *number = parts.next()?.strip_suffix(word)?.trim().parse().ok()?;
    }
    let [run, _, failures, errors, skipped] = numbers;
    let failed = failures + errors;
    Some([run - failed - skipped, failed, skipped])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_minitest_is_counted() {
        let line = "9 runs, 30 assertions, 1 failures, 2 errors, 3 skips";
        assert_eq!(counted(line), Some([3, 3, 3]));
        assert_eq!(counted("Finished in 1.2s, 7 runs/s"), None);
    }
}

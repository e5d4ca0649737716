//! `cargo xtask uniffi`, `kotlin`, `ruby` and `swift`: what is made with UniFFI.
//!
//! Owns the library that the languages load, and the sources that UniFFI writes for them. Those
//! are committed, because writing them needs a tool that takes minutes to build; each language
//! compares them with the library when it loads it, by checksums that UniFFI has put in both, so
//! that sources of another library fail every test.

pub(crate) mod kotlin;
pub(crate) mod ruby;
pub(crate) mod swift;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::generate::root;
use crate::packages::{WORKSPACE, build_programs};
use crate::sdk::{cargo, command};

/// The name of the library's file.
const LIBRARY: &str = "libtidewire_uniffi.so";

/// What UniFFI writes: the language, the file among its output, where it is committed.
const SOURCES: [(&str, &str, &str); 5] = [
    (
        "kotlin",
        "io/tidewire/core/tidewire_native.kt",
        "kotlin/src/main/kotlin/io/tidewire/core/TidewireNative.kt",
    ),
    ("ruby", "tidewire_native.rb", "ruby/lib/tidewire/native/tidewire_native.rb"),
    ("swift", "TidewireNative.swift", "swift/Sources/TidewireNative/TidewireNative.swift"),
    ("swift", "TidewireNativeFFI.h", "swift/Sources/TidewireNativeFFI/TidewireNativeFFI.h"),
    (
        "swift",
        "TidewireNativeFFI.modulemap",
        "swift/Sources/TidewireNativeFFI/module.modulemap",
    ),
];

/// `[--check]`: writes the sources, or says which differ.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let outcome = match words {
        [] => generate(false),
        ["--check"] => generate(true),
        _ => Err("usage: cargo xtask uniffi [--check]".to_owned()),
    };
    match outcome {
        Ok(differing) if differing.is_empty() => {
            println!("UniFFI's sources agree with the library");
            ExitCode::SUCCESS
        }
        Ok(differing) => {
            let check = words == ["--check"];
            for path in differing {
                if check {
                    eprintln!("{path} differs from the library: run `cargo xtask uniffi`");
                } else {
                    println!("wrote {path}");
                }
            }
            if check { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => failed("uniffi", &error),
    }
}

fn failed(task: &str, error: &str) -> ExitCode {
    eprintln!("cargo xtask {task}: {error}");
    ExitCode::FAILURE
}

/// The directory that cargo builds into.
fn target(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    root.join(target.unwrap_or_else(|| "target".into()))
}

/// Builds the library, and says where it is.
fn library(root: &Path, release: bool) -> Result<PathBuf, String> {
    let mut line = vec!["build", "--quiet"];
    match release {
        true => line.extend(["--release", "-p", "tidewire-uniffi"]),
        false => line.extend(WORKSPACE.into_iter().chain(["--lib"])),
    }
    let line: Vec<String> = line.into_iter().map(str::to_owned).collect();
    command(root, &cargo(), &line)?;
    let profile = if release { "release" } else { "debug" };
    Ok(target(root).join(profile).join(LIBRARY))
}

/// Builds the server that tests run against, and says where it is.
fn server(root: &Path) -> Result<PathBuf, String> {
    build_programs(&["tidewire"])?;
    Ok(target(root).join("debug/tidewire"))
}

/// Runs a language's tests, shows what they say, and tells their number as Rust's own tests do:
/// those that passed, failed and were left out, which `counted` finds in one line or another. The
/// last that it finds counts, and none that passed is a failure.
fn tests_of(
    tests: &mut Command,
    counted: impl Fn(&str) -> Option<[u64; 3]>,
) -> Result<(), String> {
    let program = tests.get_program().to_string_lossy().into_owned();
    let mut child =
        tests.stdout(Stdio::piped()).spawn().map_err(|error| format!("{program}: {error}"))?;
    let mut counts = [0; 3];
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            println!("{line}");
            counts = counted(&line).unwrap_or(counts);
        }
    }
    let success = child.wait().is_ok_and(|status| status.success());
    let [passed, failed, skipped] = counts;
    let verdict = if success { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {passed} passed; {failed} failed; {skipped} ignored;");
    if success && passed > 0 { Ok(()) } else { Err("tests failed".to_owned()) }
}

/// Copies the library for a package, without what only a debugger reads where it can be left out.
fn stripped(library: &Path, to: &Path) -> Result<(), String> {
    let shown = to.display();
    let directory = to.parent().ok_or("a package without a directory")?;
    std::fs::create_dir_all(directory).map_err(|error| format!("{shown}: {error}"))?;
    let strip = Command::new("strip").arg("-S").arg("-o").arg(to).arg(library).status();
    if !strip.is_ok_and(|status| status.success()) {
        std::fs::copy(library, to).map_err(|error| format!("{shown}: {error}"))?;
    }
    Ok(())
}

/// That a package has the workspace's version.
fn same_version(path: &Path, wanted: &str) -> Result<(), String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    match text.contains(wanted) {
        true => Ok(()),
        false => Err(format!("{shown} should have {wanted}, the version of the workspace")),
    }
}

fn generate(check: bool) -> Result<Vec<String>, String> {
    let root = root();
    let build = ["build", "-p", "tidewire-uniffi", "--features", "cli"].map(str::to_owned);
    command(&root, &cargo(), &build)?;
    let built = target(&root).join("debug");
    let out = built.join("uniffi");
    let text = |path: &Path| path.to_string_lossy().into_owned();
    for language in ["kotlin", "ruby", "swift"] {
        let line = [
            "generate",
            &text(&built.join(LIBRARY)),
            "--language",
            language,
            "--no-format",
            "--config",
            &text(&root.join("bindings-uniffi/uniffi.toml")),
            "--out-dir",
            &text(&out),
        ]
        .map(str::to_owned);
        // It reads the workspace, too, and so has to run in it.
        command(&root, &text(&built.join("tidewire-uniffi-bindgen")), &line)?;
    }
    let mut differing = Vec::new();
    for (_, from, to) in SOURCES {
        let from = out.join(from);
        let written = std::fs::read_to_string(&from)
            .map_err(|error| format!("{}: {error}", from.display()))?;
        let written = ours(&written);
        let path = root.join("bindings-uniffi").join(to);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == written) {
            continue;
        }
        if !check {
            let directory = path.parent().ok_or("a source without a directory")?;
            std::fs::create_dir_all(directory)
                .and_then(|()| std::fs::write(&path, written))
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        differing.push(format!("bindings-uniffi/{to}"));
    }
    Ok(differing)
}

/// The source with a first line that says who writes it here, and without spaces at ends of lines.
fn ours(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    for line in written.lines() {
        let line = line.trim_end();
        let mark = ["// ", "# "].into_iter().find(|mark| line.starts_with(mark));
        match (line, mark) {
            (line, Some(mark)) if line.contains("autogenerated by some hot garbage") => {
                out.push_str(mark);
                out.push_str("Written by UniFFI: `cargo xtask uniffi`. Do not edit.");
            }
            (line, _) if line.contains("Trust me, you don't want to mess with it") => continue,
            (line, _) => out.push_str(line),
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_count_that_ended_well_and_of_which_some_passed() {
        let run = |script: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]);
            tests_of(&mut shell, |line| {
                Some([line.strip_prefix("passed ")?.parse().ok()?, 0, 0])
            })
        };
        assert_eq!(run("echo passed 0; echo passed 3; echo more"), Ok(()));
        for bad in ["echo passed 3; exit 1", "echo passed 3; echo passed 0", "echo nothing"] {
            assert_eq!(run(bad), Err("tests failed".to_owned()), "{bad}");
        }
        let missing = tests_of(&mut Command::new("no-such-program"), |_| None);
        assert!(missing.is_err_and(|error| error.starts_with("no-such-program: ")));
    }

    #[test]
    fn a_written_source_says_who_writes_it() {
        let written = "# This file was autogenerated by some hot garbage in the `uniffi` crate.\n\
                       # Trust me, you don't want to mess with it!\n\nmodule X  \nend\n\n\n";
        let expected =
            "# Written by UniFFI: `cargo xtask uniffi`. Do not edit.\n\nmodule X\nend\n";
        assert_eq!(ours(written), expected);
    }
}

//! Which packages are built together.
//!
//! Owns the selection that everything in development is built with. Cargo gives a dependency the
//! features that the selected packages want of it: selected one by one, most of them, and all that
//! stands on them, would be built anew for each.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::generate::root;

/// All packages but the module for Python, which links only where Python loads it.
pub(crate) const WORKSPACE: [&str; 3] = ["--workspace", "--exclude", "tidewire-python"];

/// The tests of these directories are run a second time on epoll.
const ON_EPOLL: [&str; 2] = ["cli", "server"];

/// Builds these programs, with the features of the whole workspace, as its tests have built them.
pub(crate) fn build_programs(programs: &[&str]) -> Result<(), String> {
    let mut command = cargo();
    command.args(["build", "--quiet"]).args(WORKSPACE);
    programs.iter().for_each(|program| _ = command.args(["--bin", program]));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

/// Where a program lies that was built in the profile `dev` or `release`.
pub(crate) fn program(name: &str, release: bool) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let target = own.parent().and_then(Path::parent).ok_or("xtask lies nowhere")?;
    Ok(target.join(if release { "release" } else { "debug" }).join(name))
}

/// `cargo xtask fuzz-smoke`: the protocol's fuzz targets on stable Rust, without coverage.
pub(crate) fn fuzz_smoke(arguments: &[&str]) -> ExitCode {
    run_built("smoke", "fuzz-smoke", arguments)
}

/// `cargo xtask sim-smoke`: the simulator as the tests have built it, for a short run.
pub(crate) fn sim_smoke(arguments: &[&str]) -> ExitCode {
    run_built("tidewire-sim", "sim-smoke", arguments)
}

/// Runs a program of the workspace that was built with all of it.
fn run_built(name: &str, task: &str, arguments: &[&str]) -> ExitCode {
    let run = build_programs(&[name]).and_then(|()| {
        let mut command = Command::new(program(name, false)?);
        command.args(arguments).current_dir(root());
        command.status().map_err(|error| format!("{command:?}: {error}"))
    });
    match run {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo xtask {task}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `cargo xtask epoll`: the tests of the server and of its processes, without io_uring.
pub(crate) fn on_epoll() -> ExitCode {
    let tests = match tests() {
        Ok(tests) if !tests.is_empty() => tests,
        Ok(_) => {
            eprintln!("cargo xtask epoll: no tests were found");
            return ExitCode::FAILURE;
        }
        Err(error) => {
            eprintln!("cargo xtask epoll: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut failed = Vec::new();
    for (test, directory) in tests {
        println!("\n{test}");
        // monoio's own switch: as if the kernel refused io_uring.
        let status = Command::new(&test)
            .env("MONOIO_FORCE_LEGACY_DRIVER", "1")
            .env("CARGO_MANIFEST_DIR", &directory)
            .current_dir(&directory)
            .status();
        if !status.is_ok_and(|status| status.success()) {
            failed.push(test);
        }
    }
    failed.iter().for_each(|test| eprintln!("cargo xtask epoll: {test} failed"));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The built tests, and the directories that they run in.
fn tests() -> Result<Vec<(String, String)>, String> {
    let mut command = cargo();
    command.arg("test").args(WORKSPACE).args(["--all-targets", "--no-run"]);
    command.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status));
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    let messages = lines.lines().filter_map(|line| serde_json::from_str(line).ok());
    Ok(messages.filter_map(|message: serde_json::Value| test_of(&message)).collect())
}

fn test_of(message: &serde_json::Value) -> Option<(String, String)> {
    let executable = message["executable"].as_str()?;
    let directory = Path::new(message["manifest_path"].as_str()?).parent()?;
    let kinds = message["target"]["kind"].as_array()?;
    let is_test = message["profile"]["test"].as_bool()?
        && kinds.iter().any(|kind| ["lib", "bin", "test"].iter().any(|one| kind == one));
    let listed = ON_EPOLL.iter().any(|one| directory == root().join(one));
    (is_test && listed)
        .then(|| (executable.to_owned(), directory.to_string_lossy().into_owned()))
}

fn cargo() -> Command {
    let mut command =
        Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.current_dir(root());
    command
}

//! `cargo xtask torture` builds the server and the program that torments it, and runs it;
//! `cargo xtask bench-log` measures the log.

use std::process::{Command, ExitCode};

use crate::generate::root;
use crate::packages::{WORKSPACE, program};

/// Runs `tidewire-torture` with these arguments; `--release` is for the build.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let release = arguments.contains(&"--release");
    let passed: Vec<&str> =
        arguments.iter().copied().filter(|word| *word != "--release").collect();
    let profile = if release { vec!["--release"] } else { Vec::new() };
    // The program looks for the server beside itself.
    let programs = ["--bin", "tidewire", "--bin", "tidewire-torture"];
    let line: Vec<&str> = ["build"].into_iter().chain(WORKSPACE).chain(programs).collect();
    if !cargo(&line, &profile, &[]) {
        return ExitCode::FAILURE;
    }
    let run = program("tidewire-torture", release).and_then(|program| {
        let status = Command::new(program).args(passed).current_dir(root()).status();
        status.map_err(|error| error.to_string())
    });
    match run {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo xtask torture: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures the log beside the bare system calls.
pub(crate) fn bench_log(arguments: &[&str]) -> ExitCode {
    if cargo(&["bench", "-p", "tidewire-storage", "--bench", "log"], &[], arguments) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn cargo(arguments: &[&str], profile: &[&str], passed: &[&str]) -> bool {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(arguments).args(profile).current_dir(root());
    if !passed.is_empty() {
        command.arg("--").args(passed);
    }
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("cargo xtask torture: {error}");
            false
        }
    }
}

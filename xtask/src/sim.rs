//! `cargo xtask sim`: the simulator, built so that a seed costs milliseconds and every assertion
//! holds.

use std::process::{Command, ExitCode};

use crate::generate::root;

/// Runs the simulator with these arguments.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status = Command::new(cargo)
        .args(["run", "--quiet", "--profile", "sim", "-p", "tidewire-sim", "--"])
        .args(arguments)
        .current_dir(root())
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)),
        Err(error) => {
            eprintln!("cargo xtask sim: {error}");
            ExitCode::FAILURE
        }
    }
}

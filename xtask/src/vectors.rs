//! `cargo xtask vectors`: writes golden vectors that are missing. Those that exist are frozen.
//!
//! The generator is a part of the test that drives them (`protocol/tests/vectors`), since it
//! needs the codecs; this only starts it, so that the repository's tasks build without them.

use std::process::{Command, ExitCode};

/// Writes missing vectors.
pub(crate) fn run() -> ExitCode {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "-p", "tidewire-protocol", "--test", "vectors", "--", "--ignored"])
        .args(["--exact", "generate::missing_vectors_are_written", "--nocapture"])
        .current_dir(crate::generate::root())
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo xtask vectors: cargo: {error}");
            ExitCode::FAILURE
        }
    }
}

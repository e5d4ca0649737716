//! `cargo xtask miri`: the protocol's unit tests under Miri, with nightly Rust.

use std::process::{Command, ExitCode};

use crate::generate::root;

/// Runs them; what Miri cannot run (C) or takes too long for says so in its `ignore`.
pub(crate) fn run() -> ExitCode {
    let status = Command::new("cargo")
        .args(["miri", "test", "-p", "tidewire-protocol", "--lib", "--no-fail-fast"])
        .env("RUSTUP_TOOLCHAIN", "nightly")
        // Property tests read the directory of their regressions, and few cases take minutes.
        .env("MIRIFLAGS", "-Zmiri-disable-isolation")
        .env("PROPTEST_CASES", "3")
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
        .current_dir(root())
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => {
            eprintln!(
                "cargo xtask miri: failed; it needs nightly Rust with the components miri and \
                 rust-src"
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("cargo xtask miri: {error}");
            ExitCode::FAILURE
        }
    }
}

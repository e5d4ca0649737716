//! Zig, from PyPI, as the linker of what is to run on an old glibc and on musl.
//!
//! Owns what is asked of PyPI, and Rust's names of the targets; x86-64 is all that is made. What is
//! built for them is its users' affair.

use std::path::Path;
use std::process::Command;

/// The linker, as pip knows it.
pub(crate) const ZIG: &str = "ziglang>=0.13,<1";
/// What Rust calls them. Both are always named, so that what zig compiled lies apart from what the C
/// compiler did.
pub(crate) const GLIBC_TARGET: &str = "x86_64-unknown-linux-gnu";
pub(crate) const MUSL_TARGET: &str = "x86_64-unknown-linux-musl";

/// Whether Rust's library for `target` is installed.
pub(crate) fn has_target(target: &str) -> bool {
    let found =
        Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    found.is_ok_and(|found| {
        found.status.success()
            && Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_dir()
    })
}

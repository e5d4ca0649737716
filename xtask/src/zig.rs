//! Zig, from PyPI, as the linker of what is to run on an old glibc and on musl.
//!
//! Owns what is asked of PyPI, Rust's names of the targets, and an environment of Python in
//! `target/zig` whose cargo links by zig; x86-64 is all that is made. What is built is its users'
//! affair.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The linker, as pip knows it.
pub(crate) const ZIG: &str = "ziglang>=0.13,<1";
/// What tells cargo to link by it, as maturin does by itself.
const ZIGBUILD: &str = "cargo-zigbuild>=0.20,<1";
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

/// An environment of Python that has zig.
pub(crate) struct Zig {
    root: PathBuf,
    home: PathBuf,
}

impl Zig {
    /// Makes it by this Python, unless it is there.
    pub(crate) fn prepare(root: &Path, python: &Path) -> Result<Self, String> {
        let zig = Self { root: root.to_owned(), home: root.join("target/zig") };
        if !zig.python().exists() {
            succeed(Command::new(python).args(["-m", "venv", "--clear"]).arg(&zig.home))?;
        }
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        succeed(Command::new(zig.python()).args(pip).args([ZIG, ZIGBUILD]))?;
        Ok(zig)
    }

    pub(crate) fn python(&self) -> PathBuf {
        self.home.join("bin/python")
    }

    /// Builds the dynamic library of a package for release; where it lies. `glibc` is the oldest
    /// that it is to run with.
    pub(crate) fn library(
        &self,
        package: &str,
        target: &str,
        glibc: Option<&str>,
    ) -> Result<PathBuf, String> {
        let linked = glibc.map_or(target.to_owned(), |version| format!("{target}.{version}"));
        let others = std::env::var_os("PATH").unwrap_or_default();
        let own = std::iter::once(self.home.join("bin"));
        let path = std::env::join_paths(own.chain(std::env::split_paths(&others)))
            .map_err(|error| error.to_string())?;
        let mut build = Command::new(self.home.join("bin/cargo-zigbuild"));
        build
            .args(["zigbuild", "--quiet", "--release", "--package", package])
            .args(["--target", &linked])
            .current_dir(&self.root)
            .env("CARGO_ZIGBUILD_CACHE_DIR", self.home.join("cache"))
            .env("PATH", path);
        if target == MUSL_TARGET {
            // Rust links musl into what it makes, unless it is told that the process has it.
            let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
            build.env("RUSTFLAGS", format!("{flags} -C target-feature=-crt-static"));
        }
        succeed(&mut build)?;
        let name = format!("lib{}.so", package.replace('-', "_"));
        Ok(self.target().join(target).join("release").join(name))
    }

    /// Cargo's.
    fn target(&self) -> PathBuf {
        let given = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        self.root.join(given.unwrap_or_else(|| "target".into()))
    }
}

fn succeed(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

//! `cargo xtask node --packages`: the packages as npm would have them, in `bindings-node/packages`.
//!
//! Owns what they promise of the C library, and how their native modules are built: on Linux on
//! x86-64 one for glibc and one for musl, by zig; elsewhere one for the machine, by its own means.
//! That they are packed, and how they are tried, is written in JavaScript.

use std::ffi::OsString;
use std::path::Path;

use crate::python::find_python;
use crate::sdk::command;
use crate::zig::{GLIBC_TARGET, MUSL_TARGET, Zig, has_target};

/// Oldest glibc that the package runs with; Node.js itself wants 2.28 in what it distributes.
const GLIBC: &str = "2.17";
const PACKAGE: &str = "tidewire-node";

/// Builds and packs them. What is to be told to the tests: where there is a Python with zig, and what
/// is promised of glibc.
pub(super) fn make(root: &Path) -> Result<Vec<(&'static str, OsString)>, String> {
    let Some(zig) = zig(root)? else {
        script(root, "build.mjs", &[])?;
        script(root, "package.mjs", &[])?;
        return Ok(Vec::new());
    };
    script(root, "build.mjs", &["--only-ts".to_owned()])?;
    let mut modules = Vec::new();
    let mut build = |platform: &str, target, glibc| {
        let module = zig.library(PACKAGE, target, glibc)?;
        modules.push(format!("{platform}={}", module.display()));
        Ok::<(), String>(())
    };
    build("linux-x64-gnu", GLIBC_TARGET, Some(GLIBC))?;
    if has_target(MUSL_TARGET) {
        build("linux-x64-musl", MUSL_TARGET, None)?;
    } else {
        println!("SKIPPED: the package for musl needs `rustup target add {MUSL_TARGET}`");
    }
    script(root, "package.mjs", &modules)?;
    Ok(vec![
        ("TIDEWIRE_TEST_PYTHON", zig.python().into()),
        ("TIDEWIRE_TEST_GLIBC", GLIBC.into()),
    ])
}

/// Zig, where it is of use and can be had.
fn zig(root: &Path) -> Result<Option<Zig>, String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(None);
    }
    let Some(python) = find_python() else {
        println!(
            "SKIPPED: modules for old glibc and for musl are made with zig, which pip installs, \
             and there is no Python with venv: the package is for this machine's C library"
        );
        return Ok(None);
    };
    Zig::prepare(root, &python).map(Some)
}

fn script(root: &Path, name: &str, arguments: &[String]) -> Result<(), String> {
    let mut line = vec![format!("bindings-node/scripts/{name}")];
    line.extend_from_slice(arguments);
    command(root, "node", &line)
}

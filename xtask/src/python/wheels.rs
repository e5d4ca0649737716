//! `cargo xtask python --wheels`: the source distribution and the wheels as PyPI would have them, each
//! tried where there is neither Rust nor this checkout.
//!
//! Owns how they are built (zig, from PyPI, links against an old glibc and against musl) and how they
//! are tried: a fresh environment of each Python on the search path, with pip and nothing else, sends
//! and reads records of a real server. A Python that was built for musl is tried with that wheel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Environment, NAMES, cargo, command, find_python, is_python};
use crate::zig::{GLIBC_TARGET, MUSL_TARGET, ZIG, has_target};

/// What the wheels promise of the C library: glibc from 2014 on, and musl.
const GLIBC: &str = "manylinux_2_17";
const MUSL: &str = "musllinux_1_2";
/// Milliseconds of a processor that importing the package may take, in the middle of twenty runs.
const IMPORT_MS: f64 = 50.0;

/// Builds them into `target/wheels`, and tries them.
pub(super) fn run(environment: &Environment) -> Result<(), String> {
    let out = environment.root.join("target/wheels");
    // Of an earlier version, perhaps.
    let _ = fs::remove_dir_all(&out);
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ZIG];
    command(environment.python().args(pip))?;
    let mut server = Command::new(cargo());
    server.args(["build", "--quiet", "--release", "--bin", "tidewire"]);
    command(server.current_dir(&environment.root))?;

    command(environment.python().args(["-m", "maturin", "sdist", "--out"]).arg(&out))?;
    build(environment, &out, GLIBC, GLIBC_TARGET)?;
    if has_target(MUSL_TARGET) {
        build(environment, &out, MUSL, MUSL_TARGET)?;
    } else {
        println!("SKIPPED: the wheel for musl needs `rustup target add {MUSL_TARGET}`");
    }
    let made = files(&out)?;
    for file in &made {
        let bytes = fs::metadata(file).map_err(|error| error.to_string())?.len();
        println!("{} ({:.1} MiB)", file.display(), bytes as f64 / 1_048_576.0);
    }
    let wheel = |libc: &str| made.iter().find(|file| file.to_string_lossy().contains(libc));
    wheel(GLIBC).ok_or_else(|| format!("maturin made no wheel for {GLIBC}: {made:?}"))?;
    let mut tried = Vec::new();
    for python in NAMES.iter().map(PathBuf::from).filter(|program| is_python(program)) {
        let found = (version(&python)?, if is_musl(&python) { MUSL } else { GLIBC });
        let Some(wheel) = wheel(found.1).filter(|_| !tried.contains(&found)) else { continue };
        let took = try_it(environment, &python, wheel, false)?;
        println!(
            "ok: the wheel for {}, on Python {}, without Rust; imported in {took:.0} ms",
            found.1, found.0
        );
        tried.push(found);
    }
    let sdist = made
        .iter()
        .find(|file| file.extension().is_some_and(|ending| ending == "gz"))
        .ok_or("maturin made no source distribution")?;
    let python = find_python().ok_or("no Python")?;
    try_it(environment, &python, sdist, true)?;
    println!("ok: the source distribution, built by pip");
    try_it(environment, &python, &environment.package(), true)?;
    println!("ok: the directory, built by pip");
    Ok(())
}

fn build(
    environment: &Environment,
    out: &Path,
    compatibility: &str,
    target: &str,
) -> Result<(), String> {
    let mut maturin = environment.python();
    maturin
        .args(["-m", "maturin", "build", "--quiet", "--release", "--zig"])
        .args(["--target", target, "--compatibility", compatibility, "--out"])
        .arg(out)
        .env("PATH", environment.path()?);
    command(&mut maturin)
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        found.push(entry.map_err(failed)?.path());
    }
    found.sort();
    Ok(found)
}

/// Whether a Python was built for musl, and so takes wheels for it only.
fn is_musl(python: &Path) -> bool {
    let asks = "import sysconfig; print(sysconfig.get_config_var('HOST_GNU_TYPE'))";
    let said = Command::new(python).args(["-c", asks]).output();
    said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains("musl"))
}

fn version(python: &Path) -> Result<String, String> {
    let asks = "import sys; print('%d.%d' % sys.version_info[:2])";
    let said = Command::new(python)
        .args(["-c", asks])
        .output()
        .map_err(|error| format!("{}: {error}", python.display()))?;
    Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

/// Installs `what` into a new environment, uses it, and says how many milliseconds importing it takes;
/// `with_rust` leaves the search path as it is.
fn try_it(
    environment: &Environment,
    python: &Path,
    what: &Path,
    with_rust: bool,
) -> Result<f64, String> {
    let venv = environment.home.join("tried");
    command(Command::new(python).args(["-m", "venv", "--clear"]).arg(&venv))?;
    let program = venv.join("bin/python");
    let mut install = Command::new(&program);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).arg(what);
    if with_rust {
        // Where pip unpacks it. In a directory that is shared, cargo takes the crates of the checkout
        // and of the source distribution for each other's, by their age.
        install.env_remove("CARGO_TARGET_DIR");
    } else {
        // Nothing is fetched, nothing is built.
        install.args(["--no-index", "--only-binary", ":all:"]).env("PATH", venv.join("bin"));
    }
    command(install.current_dir(&environment.home))?;
    let binary = target(&environment.root).join("release/tidewire");
    let mut smoke = Command::new(&program);
    smoke.arg(environment.package().join("tests/smoke.py")).arg(binary);
    if !with_rust {
        smoke.env("PATH", venv.join("bin"));
    }
    // Not from the checkout, where `tidewire` could be found without having been installed.
    let outcome = command(smoke.current_dir(&environment.home).stdin(Stdio::null()))
        .and_then(|()| import_ms(&program, &environment.home));
    let _ = fs::remove_dir_all(&venv);
    outcome.map_err(|error| format!("{}: {error}", what.display()))
}

/// How long importing takes, in the middle of twenty runs; an error if it is too long.
fn import_ms(program: &Path, directory: &Path) -> Result<f64, String> {
    // Not by the clock: what else the machine does is not the package's.
    let code = "import time; begun = time.process_time(); import tidewire; \
                print((time.process_time() - begun) * 1000)";
    let mut runs = Vec::new();
    for _ in 0..20 {
        let run = Command::new(program).args(["-c", code]).current_dir(directory).output();
        let said = run.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        runs.push(
            text.parse::<f64>().map_err(|_| format!("importing tidewire said {text:?}"))?,
        );
    }
    runs.sort_by(f64::total_cmp);
    match runs[runs.len() / 2] {
        took if took <= IMPORT_MS => Ok(took),
        took => Err(format!("importing tidewire takes {took:.0} ms, and may take {IMPORT_MS}")),
    }
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

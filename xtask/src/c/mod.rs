//! What is made of `bindings-c`: the installed library, its tests, and the conformance adapters on
//! top of it.
//!
//! Owns building the library and where things lie; `install` lays them out for others, `check`
//! compiles and runs, `reference` makes the HTML. The one invariant: tests use the library as it is
//! installed, so that what is shipped is what was tried.

mod adapters;
mod check;
mod install;
mod reference;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::generate::root;
use crate::packages::WORKSPACE;

/// Which build of the library.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    Dev,
    Release,
}

impl Profile {
    fn directory(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// `cargo xtask c`: everything that can be tried on this machine.
pub(crate) fn check(arguments: &[&str]) -> ExitCode {
    told("c", check::run(arguments))
}

/// `cargo xtask c-install --prefix P [--libdir D] [--profile release|dev]`.
pub(crate) fn install(arguments: &[&str]) -> ExitCode {
    told("c-install", install::run(arguments))
}

/// `cargo xtask c-adapter NAME`: builds an adapter of the conformance suite.
pub(crate) fn adapter(arguments: &[&str]) -> ExitCode {
    told("c-adapter", adapters::run(arguments))
}

fn told(task: &str, outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask {task}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bindings() -> PathBuf {
    root().join("bindings-c")
}

/// The directory that cargo builds into, from where this program lies in it.
fn target() -> Result<PathBuf, String> {
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    let target = here.parent().and_then(Path::parent).ok_or("xtask lies nowhere")?;
    Ok(target.to_path_buf())
}

/// Builds the libraries.
fn build(profile: Profile) -> Result<(), String> {
    let mut command = cargo();
    command.arg("build");
    match profile {
        Profile::Release => command.args(["--release", "-p", "tidewire-c"]),
        _ => command.args(WORKSPACE).arg("--lib"),
    };
    run(&mut command)
}

fn cargo() -> Command {
    let mut command =
        Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.current_dir(root());
    command
}

/// Runs a command to its end; an error unless it succeeds.
fn run(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

/// Whether a program can be found.
fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// The C or C++ compiler that builds what is not tried with several.
fn compiler(plus: bool) -> String {
    let (variable, usual) = if plus { ("CXX", "c++") } else { ("CC", "cc") };
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}

/// The library as programs see it that are built here: installed into the target directory.
fn staged() -> Result<PathBuf, String> {
    build(Profile::Dev)?;
    let stage = target()?.join("debug/c-stage");
    install::install(&stage, Path::new("lib"), Profile::Dev)?;
    Ok(stage)
}

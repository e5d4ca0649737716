//! `cargo xtask python`: builds the Python package and tests it, in an environment of its own.
//!
//! Everything lies in `target/python` of the checkout: a virtual environment with what
//! `requirements-dev.txt` names, and pyright from npm where there is npm. Where there is no Python
//! that is new enough, one line says so and nothing fails.

mod wheels;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::generate::root;
use crate::packages::WORKSPACE;

/// The oldest Python that the package is for.
const OLDEST: (u32, u32) = (3, 11);
/// Programs that may be Python, in the order of preference.
const NAMES: [&str; 5] = ["python3.11", "python3.12", "python3.13", "python3.14", "python3"];
/// The type checker that is not on PyPI itself.
const PYRIGHT: &str = "pyright@1.1.407";

/// `--build` only builds; `--release` builds what is measured; `--wheels` makes and tries what PyPI
/// would have. Other arguments are pytest's.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let build_only = arguments.contains(&"--build");
    let release = arguments.contains(&"--release");
    let rest: Vec<&str> = arguments
        .iter()
        .copied()
        .filter(|argument| !["--build", "--release"].contains(argument))
        .collect();
    let environment = match Environment::prepare() {
        Ok(Some(environment)) => environment,
        Ok(None) => {
            println!(
                "SKIPPED: the Python package needs Python {}.{} or newer with venv (Debian: \
                 python3-venv), or PYTHON set to one",
                OLDEST.0, OLDEST.1
            );
            return ExitCode::SUCCESS;
        }
        Err(error) => return failed(&error),
    };
    if arguments == ["--wheels"] {
        return wheels::run(&environment)
            .map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS);
    }
    let outcome = environment
        .build(release)
        .and_then(|()| if build_only { Ok(()) } else { environment.test(&rest) });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &str) -> ExitCode {
    eprintln!("cargo xtask python: {error}");
    ExitCode::FAILURE
}

struct Environment {
    root: PathBuf,
    /// Where everything lies.
    home: PathBuf,
}

impl Environment {
    /// Makes it, unless it is there and has what is needed; `None` without Python.
    fn prepare() -> Result<Option<Self>, String> {
        let root = root();
        let home = root.join("target/python");
        let environment = Self { root, home };
        let wanted =
            std::fs::read_to_string(environment.package().join("requirements-dev.txt"))
                .map_err(|error| format!("requirements-dev.txt: {error}"))?;
        let stamp = environment.home.join("installed.txt");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(Some(environment));
        }
        let Some(python) = find_python() else { return Ok(None) };
        std::fs::create_dir_all(&environment.home)
            .map_err(|error| format!("{}: {error}", environment.home.display()))?;
        let venv = environment.home.join("venv");
        command(Command::new(python).args(["-m", "venv", "--clear"]).arg(&venv))?;
        let requirements = environment.package().join("requirements-dev.txt");
        command(
            environment
                .python()
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(requirements),
        )?;
        std::fs::write(&stamp, wanted)
            .map_err(|error| format!("{}: {error}", stamp.display()))?;
        Ok(Some(environment))
    }

    fn package(&self) -> PathBuf {
        self.root.join("bindings-python")
    }

    fn python(&self) -> Command {
        let mut command = Command::new(self.home.join("venv/bin/python"));
        command.current_dir(self.package()).env("VIRTUAL_ENV", self.home.join("venv"));
        command
    }

    /// The search path with this environment's programs first.
    fn path(&self) -> Result<std::ffi::OsString, String> {
        let others = std::env::var_os("PATH").unwrap_or_default();
        let own = std::iter::once(self.home.join("venv/bin"));
        std::env::join_paths(own.chain(std::env::split_paths(&others)))
            .map_err(|error| error.to_string())
    }

    /// Builds the server and the package, and installs the latter to be edited in place.
    fn build(&self, release: bool) -> Result<(), String> {
        let mut server = Command::new(cargo());
        server.args(["build", "--quiet"]).args(WORKSPACE).args(["--bin", "tidewire"]);
        server.current_dir(&self.root);
        let mut maturin = self.python();
        maturin.args(["-m", "maturin", "develop", "--quiet"]);
        if release {
            server.arg("--release");
            maturin.arg("--release");
        }
        command(&mut server)?;
        command(&mut maturin)
    }

    fn test(&self, arguments: &[&str]) -> Result<(), String> {
        if !arguments.is_empty() {
            return self.pytest(arguments);
        }
        let mut failures = Vec::new();
        let mut note = |result: Result<(), String>| failures.extend(result.err());
        note(self.pytest(&[]));
        note(self.check("mypy", self.python().args(["-m", "mypy"])));
        let stubtest = ["-m", "mypy.stubtest", "tidewire._native", "--ignore-disjoint-bases"];
        note(self.check("stubtest", self.python().args(stubtest)));
        note(self.pyright());
        if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
    }

    /// Runs the tests, and tells their number as Rust's own tests do.
    fn pytest(&self, arguments: &[&str]) -> Result<(), String> {
        let mut tests = self.python();
        tests
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=5"])
            .args(arguments)
            .stdout(Stdio::piped());
        let mut child = tests.spawn().map_err(|error| format!("pytest: {error}"))?;
        let mut last = String::new();
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                println!("{line}");
                last = line;
            }
        }
        let status = child.wait().map_err(|error| format!("pytest: {error}"))?;
        let count = |what: &str| {
            let words: Vec<&str> = last.split([' ', ',']).filter(|w| !w.is_empty()).collect();
            let at = words.iter().position(|word| *word == what)?;
            words.get(at.checked_sub(1)?)?.parse::<u32>().ok()
        };
        let counts = ["passed", "failed", "skipped"].map(|what| count(what).unwrap_or(0));
        let verdict = if status.success() { "ok" } else { "FAILED" };
        let [passed, failed, skipped] = counts;
        println!("test result: {verdict}. {passed} passed; {failed} failed; {skipped} ignored");
        if status.success() { Ok(()) } else { Err(format!("pytest: {status}")) }
    }

    /// A check that passes or fails as a whole.
    fn check(&self, name: &str, checking: &mut Command) -> Result<(), String> {
        println!("--- {name} ---");
        let result = command(checking);
        let counts = if result.is_ok() { "ok. 1 passed; 0" } else { "FAILED. 0 passed; 1" };
        println!("test result: {counts} failed; 0 ignored");
        result
    }

    fn pyright(&self) -> Result<(), String> {
        let node = self.home.join("node");
        let program = node.join("node_modules/.bin/pyright");
        if !program.exists() {
            let install = Command::new("npm")
                .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
                .arg(&node)
                .arg(PYRIGHT)
                .stdout(Stdio::null())
                .status();
            if !install.is_ok_and(|status| status.success()) || !program.exists() {
                println!("SKIPPED: pyright: npm cannot install {PYRIGHT}");
                return Ok(());
            }
        }
        let mut checking = Command::new(program);
        checking
            .current_dir(self.package())
            .arg("--pythonpath")
            .arg(self.home.join("venv/bin/python"));
        self.check("pyright", &mut checking)
    }
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// A Python that is new enough and can make environments.
pub(crate) fn find_python() -> Option<PathBuf> {
    let named = std::env::var_os("PYTHON").map(PathBuf::from);
    let names = NAMES.iter().map(PathBuf::from);
    named.into_iter().chain(names).find(|program| is_python(program))
}

fn is_python(program: &Path) -> bool {
    let asks = format!(
        "import sys, venv, ensurepip; sys.exit(sys.version_info < ({}, {}))",
        OLDEST.0, OLDEST.1
    );
    Command::new(program)
        .args(["-c", &asks])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn command(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown}: {status}")),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}

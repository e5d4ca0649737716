//! `cargo xtask c`: compiles and runs all that is built on the C library, with whatever compilers
//! and tools the machine has.
//!
//! Owns the steps, and the two servers that they share, one of which asks for credentials; what is tried stands in `bindings-c/tests`,
//! `bindings-c/examples` and `bindings-c/go`. The one invariant: a tool that is missing is told in a
//! line that begins with `SKIPPED:`, and a step that fails does not keep the others from running.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{bindings, is_there, run as finish, staged, target};

/// How long one program may take: they wait for conditions, and a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(240);

/// What a run came to.
#[derive(Default)]
struct Tally {
    passed: u32,
    failed: Vec<String>,
}

impl Tally {
    fn step(&mut self, name: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => {
                println!("c: {name}: ok");
                self.passed += 1;
            }
            Err(error) => {
                println!("c: {name}: FAILED: {error}");
                self.failed.push(name.to_owned());
            }
        }
    }
}

/// A place where things are built, and the server that they talk to.
struct Bench {
    stage: PathBuf,
    out: PathBuf,
    server: Server,
    /// It asks for credentials.
    secured: Server,
}

pub(super) fn run(arguments: &[&str]) -> Result<(), String> {
    let wanted = |name: &str| arguments.is_empty() || arguments.contains(&name);
    let stage = staged()?;
    // With the features of the whole workspace, as its tests have built it.
    crate::packages::build_programs(&["tidewire"])?;
    let out = target()?.join("debug/c-check");
    std::fs::create_dir_all(&out).map_err(|error| error.to_string())?;
    let secured = Server::secured(&out.join("secured"))?;
    let bench = Bench { stage, out, server: Server::start()?, secured };
    let mut tally = Tally::default();
    if wanted("symbols") {
        tally.step("only what the header declares is exported", symbols(&bench.stage));
    }
    if wanted("c") {
        c(&bench, &mut tally);
    }
    if wanted("valgrind") {
        valgrind(&bench, &mut tally);
    }
    if wanted("cmake") {
        cmake(&bench, &mut tally);
    }
    if wanted("cpp") {
        cpp(&bench, &mut tally);
    }
    if wanted("go") {
        go_tests(&bench, &mut tally);
    }
    if wanted("other") {
        others(&bench, &mut tally);
    }
    drop(bench);
    let (passed, failed) = (tally.passed, tally.failed.len());
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {passed} passed; {failed} failed; 0 ignored");
    if failed > 0 { Err(tally.failed.join(", ")) } else { Ok(()) }
}

/// The names that the library exports are those of the committed list.
fn symbols(stage: &Path) -> Result<(), String> {
    let listed = std::fs::read_to_string(bindings().join("symbols.txt"))
        .map_err(|error| format!("symbols.txt: {error}"))?;
    let listed: BTreeSet<&str> =
        listed.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    if !is_there("nm") {
        println!("SKIPPED: the exported symbols: there is no nm");
        return Ok(());
    }
    let output = Command::new("nm")
        .args(["-D", "--defined-only", "--format=just-symbols"])
        .arg(stage.join("lib/libtidewire.so"))
        .output()
        .map_err(|error| format!("nm: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let exported: BTreeSet<&str> = text.lines().map(str::trim).collect();
    let more: Vec<&&str> = exported.difference(&listed).collect();
    let fewer: Vec<&&str> = listed.difference(&exported).collect();
    if more.is_empty() && fewer.is_empty() {
        return Ok(());
    }
    Err(format!("exported and not listed: {more:?}; listed and not exported: {fewer:?}"))
}

/// The C programs that are tests, and those that are examples: their name and whether they need
/// more than the library.
fn programs(directory: &str) -> Result<Vec<PathBuf>, String> {
    let directory = bindings().join(directory);
    let mut found: Vec<PathBuf> = std::fs::read_dir(&directory)
        .map_err(|error| format!("{}: {error}", directory.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    found.sort();
    Ok(found)
}

fn name_of(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

const SANITIZERS: &str = "-fsanitize=address,undefined";

fn c(bench: &Bench, tally: &mut Tally) {
    for compiler in ["gcc", "clang"] {
        if !is_there(compiler) {
            println!("SKIPPED: the C programs by {compiler}, which is not there");
            continue;
        }
        let all = programs("tests").and_then(|mut all| {
            all.extend(programs("examples")?);
            Ok(all)
        });
        let all = match all {
            Ok(all) => all,
            Err(error) => return tally.step("C programs", Err(error)),
        };
        for source in all {
            let name = name_of(&source);
            if name == "event_loop_uv" && !has_package("libuv") {
                println!("SKIPPED: the example {name}: there is no libuv");
                continue;
            }
            let program = bench.out.join(format!("{name}-{compiler}"));
            let outcome = compile(bench, compiler, &source, &program, &[SANITIZERS])
                .and_then(|()| bench.run(&program));
            tally.step(&format!("{name}, {compiler} with sanitizers"), outcome);
        }
    }
}

fn has_package(name: &str) -> bool {
    let found = Command::new("pkg-config").args(["--exists", name]).status();
    found.is_ok_and(|status| status.success())
}

fn compile(
    bench: &Bench,
    compiler: &str,
    source: &Path,
    program: &Path,
    more: &[&str],
) -> Result<(), String> {
    let mut command = Command::new(compiler);
    let standard = if source.extension().is_some_and(|extension| extension == "cpp") {
        "-std=c++17"
    } else {
        "-std=c11"
    };
    command.args(["-g", "-Wall", "-Wextra", "-Werror", standard]).args(more);
    command.arg("-I").arg(bench.stage.join("include")).arg(source);
    let lib = bench.stage.join("lib");
    command.arg("-L").arg(&lib).arg(format!("-Wl,-rpath,{}", lib.display()));
    command.args(["-ltidewire", "-lpthread"]);
    if name_of(source) == "event_loop_uv" {
        command.arg("-luv");
    }
    finish(command.arg("-o").arg(program))
}

fn valgrind(bench: &Bench, tally: &mut Tally) {
    if !is_there("valgrind") || !is_there("gcc") {
        println!("SKIPPED: valgrind, which is not there");
        return;
    }
    let all = match programs("examples") {
        Ok(all) => all,
        Err(error) => return tally.step("valgrind", Err(error)),
    };
    for source in all.into_iter().chain([bindings().join("tests/memory.c")]) {
        let name = name_of(&source);
        if name == "event_loop_uv" {
            // What libuv keeps is not ours.
            continue;
        }
        let program = bench.out.join(format!("{name}-plain"));
        let outcome = compile(bench, "gcc", &source, &program, &[]).and_then(|()| {
            let mut command = Command::new("valgrind");
            command.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
            // What is possibly lost are tables of Rust's, to which pointers lead into the middle.
            command.args(["--show-leak-kinds=definite,indirect"]);
            command.args(["--errors-for-leak-kinds=definite,indirect"]);
            bench.finish(command.arg(&program))
        });
        tally.step(&format!("{name}, valgrind"), outcome);
    }
}

/// The installed library as a project finds it.
fn cmake(bench: &Bench, tally: &mut Tally) {
    if !is_there("cmake") {
        println!("SKIPPED: the CMake project: there is no cmake");
        return;
    }
    let build = bench.out.join("cmake");
    let _ = std::fs::remove_dir_all(&build);
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(bindings().join("tests/cmake")).arg("-B").arg(&build);
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", bench.stage.display()));
    configure.stdout(Stdio::null());
    let mut make = Command::new("cmake");
    make.arg("--build").arg(&build).stdout(Stdio::null());
    let built = finish(&mut configure).and_then(|()| finish(&mut make));
    let outcome = built.and_then(|()| {
        bench.run(&build.join("shared"))?;
        bench.run(&build.join("static"))
    });
    tally.step("a CMake project, shared and static", outcome);
    if !is_there("pkg-config") {
        println!("SKIPPED: pkg-config, which is not there");
        return;
    }
    let outcome = pkg_config(bench);
    tally.step("what pkg-config says is enough", outcome);
}

fn pkg_config(bench: &Bench) -> Result<(), String> {
    let output = Command::new("pkg-config")
        .args(["--cflags", "--libs", "tidewire"])
        .env("PKG_CONFIG_PATH", bench.stage.join("lib/pkgconfig"))
        .output()
        .map_err(|error| error.to_string())?;
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let program = bench.out.join("pkg-config");
    let mut command = Command::new(super::compiler(false));
    command.arg(bindings().join("tests/cmake/main.c")).args(words.split_whitespace());
    command.arg(format!("-Wl,-rpath,{}", bench.stage.join("lib").display()));
    finish(command.arg("-o").arg(&program))?;
    bench.run(&program)
}

fn cpp(bench: &Bench, tally: &mut Tally) {
    for compiler in ["g++", "clang++"] {
        if !is_there(compiler) {
            println!("SKIPPED: the C++ tests by {compiler}, which is not there");
            continue;
        }
        let source = bindings().join("tests/cpp/tidewire.cpp");
        let program = bench.out.join(format!("cpp-{compiler}"));
        let outcome = compile(bench, compiler, &source, &program, &[SANITIZERS])
            .and_then(|()| bench.run(&program));
        tally.step(&format!("C++, {compiler} with sanitizers"), outcome);
    }
}

/// Go with the staged library.
pub(super) fn go(stage: &Path) -> Command {
    let mut command = Command::new("go");
    command.env("CGO_ENABLED", "1");
    command.env("PKG_CONFIG_PATH", stage.join("lib/pkgconfig"));
    // Nothing is to be fetched: the modules have no dependencies but each other.
    command
        .env("GOFLAGS", "-mod=mod -buildvcs=false")
        .env("GOPROXY", "off")
        .env("GOWORK", "off");
    command
}

fn go_tests(bench: &Bench, tally: &mut Tally) {
    if !is_there("go") || !is_there("pkg-config") {
        println!("SKIPPED: the Go module: there is no go, or no pkg-config");
        return;
    }
    let directory = bindings().join("go");
    let mut vet = go(&bench.stage);
    tally.step("go vet", finish(vet.current_dir(&directory).args(["vet", "./..."])));
    let mut test = go(&bench.stage);
    test.current_dir(&directory)
        .args(["test", "-race", "-count=1", "-timeout", "200s", "./..."]);
    test.env("TW_TEST_URL", &bench.server.url);
    tally.step("go test -race", bench.finish(&mut test));
}

/// Languages that load the shared library by themselves.
fn others(bench: &Bench, tally: &mut Tally) {
    let directory = bindings().join("examples/other");
    for (program, script) in [("luajit", "produce.lua")] {
        if !is_there(program) {
            println!("SKIPPED: the example {script}: there is no {program}");
            continue;
        }
        let mut command = Command::new(program);
        command.arg(directory.join(script)).arg(bench.stage.join("lib/libtidewire.so.0"));
        tally.step(script, bench.finish(&mut command));
    }
    let arrow = bindings().join("tests/arrow.py");
    if !arrow.exists() {
        return;
    }
    match python(bench) {
        Ok(python) => {
            let mut command = Command::new(python);
            command.arg(&arrow).arg(bench.stage.join("lib/libtidewire.so.0"));
            tally.step("a batch as Arrow has it, by pyarrow", bench.finish(&mut command));
        }
        Err(why) => println!("SKIPPED: a batch as Arrow has it: {why}"),
    }
}

/// A Python with pyarrow: the machine's, or one of our own.
fn python(bench: &Bench) -> Result<PathBuf, String> {
    if !is_there("python3") {
        return Err("there is no python3".to_owned());
    }
    let has = |python: &Path| {
        let mut command = Command::new(python);
        command.args(["-c", "import pyarrow"]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if has(Path::new("python3")) {
        return Ok("python3".into());
    }
    let venv = bench.out.join("venv");
    let python = venv.join("bin/python");
    if !has(&python) {
        let made = finish(Command::new("python3").args(["-m", "venv"]).arg(&venv));
        made.map_err(|_| "python3 makes no venv".to_owned())?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "pyarrow"]);
        finish(&mut pip).map_err(|_| "pip has no pyarrow".to_owned())?;
    }
    Ok(python)
}

impl Bench {
    fn run(&self, program: &Path) -> Result<(), String> {
        self.finish(&mut Command::new(program))
    }

    /// Runs a program with the server's URL behind its arguments.
    fn finish(&self, command: &mut Command) -> Result<(), String> {
        if command.get_program() != "go" {
            command.arg(&self.server.url);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TIDEWIRE_") {
                command.env_remove(name);
            }
        }
        let shown = format!("{command:?}");
        command.env("TW_TEST_SECURED_URL", &self.secured.url);
        command.env("TW_TEST_ROOT_URL", &self.secured.root);
        let mut child = command.spawn().map_err(|error| format!("{shown}: {error}"))?;
        let begun = Instant::now();
        loop {
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("{shown}: {status}")),
                None if begun.elapsed() > PATIENCE => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(format!("{shown}: not done within {} s", PATIENCE.as_secs()));
                }
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

/// A server on a directory of its own.
struct Server {
    child: Child,
    url: String,
    /// Where root logs in, if it asks for that.
    root: String,
}

impl Server {
    fn start() -> Result<Self, String> {
        let mut command = Command::new(target()?.join("debug/tidewire"));
        command.args(["serve", "--dev"]);
        Self::launch(command)
    }

    /// One that asks for credentials, on a new directory.
    fn secured(data: &Path) -> Result<Self, String> {
        let sockets = data.with_extension("sockets");
        for left in [data, &sockets] {
            match std::fs::remove_dir_all(left) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(format!("{}: {error}", left.display()));
                }
                _ => {}
            }
        }
        let mut command = Command::new(target()?.join("debug/tidewire"));
        command.arg("serve").arg("--data").arg(data).arg("--socket-dir").arg(&sockets);
        let mut server = Self::launch(command)?;
        let root = std::fs::read_to_string(data.join("root.url"))
            .map_err(|error| format!("root.url: {error}"))?;
        server.root = root.trim().to_owned();
        Ok(server)
    }

    fn launch(mut command: Command) -> Result<Self, String> {
        command.args(["--listen", "127.0.0.1:0", "--log", "error"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let stdout = child.stdout.take().ok_or("the server has no stdout")?;
        let mut server = Self { child, url: String::new(), root: String::new() };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
        let url = line.trim().strip_prefix("listening on ");
        server.url = url.ok_or(format!("the server said {line:?}"))?.to_owned();
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGTERM lets it delete its temporary directory.
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

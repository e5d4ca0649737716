//! `cargo xtask`: the repository's own tasks. Each task is a room of its own; this file only
//! chooses one.

mod c;
mod counters;
mod fuzz;
mod generate;
mod miri;
mod node;
mod packages;
mod python;
mod rules;
mod sdk;
mod sim;
mod tasks;
mod torture;
mod uniffi;
mod vectors;
mod watch;
mod zig;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  test            run every test there is, on io_uring and on the epoll fallback
  c [STEP …]      compile and run what is built on the C library: symbols, c, valgrind, cmake, cpp,
                  go, other; all of them by default
  c-adapter NAME  build an adapter of the conformance suite: c, cpp or go
  c-install --prefix DIR [--libdir DIR] [--profile release|dev]
                  install tidewire.h, libtidewire and what finds them
  counters [--update]
                  count the instructions of fixed work by callgrind, and compare them with
                  bench/counters/baseline.toml; or write them there
  gen             write the generated files from protocol/spec
  fuzz [--seconds N] [--minimise] [TARGET …]
                  fuzz the protocol with libFuzzer (nightly), 60 s a target by default
  fuzz-smoke SECONDS [TARGET …]
                  the same targets on stable Rust, from the corpus and simple mutations of it
  epoll           run the tests of the server and of its processes without io_uring
  miri            run the protocol's unit tests under Miri (nightly)
  node [--build] [TEST …]
                  build the Node.js package and test it, or only these files of its tests
  node --packages make the packages for npm, for glibc and for musl, and try them on each runtime, from
                  a bundle, and with TypeScript
  gen --check     say which generated files differ from protocol/spec; 1 if any does
  conformance [ARGUMENTS]
                  build what `sdk` does, and play the conformance suite
  sdk [NAME …]    build the server and the adapters of the conformance suite
  kotlin [--build | --release]
                  build the module for Kotlin and Java and test it
  python [--build | --release] [ARGUMENTS]
                  build the Python package and test it: pytest (with these arguments), types
  python --wheels make the wheels and the source distribution, and try them where there is no Rust
  ruby [--build]  test the gem for Ruby
  rules           list the rules of protocol/SPEC.md that no test names; 1 if there are any
  sim [--sessions] [--seeds A..B | --seconds N | --seed N] [--bug NAME] [--jobs N]
                  simulate the server with faults and crashes, by seed; --help tells more
  sim-smoke [--sessions] --seconds N
                  the same as the tests have built it, which takes no time, and longer for a seed
  swift [--build] test the package for Swift
  uniffi [--check]
                  write the sources that UniFFI makes of bindings-uniffi; or say which differ
  vectors         write the golden vectors that protocol/vectors does not have yet
  bench-log [DIR]
                  measure the log beside the bare system calls, on the file system of DIR
  torture [--release] [--rounds N] [--seed S]
                  kill a real server over and over, damage its files, check its promises; 30 rounds
                  by default
";

fn main() -> ExitCode {
    forget_own_package();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => tasks::test(),
        ["c", rest @ ..] => c::check(rest),
        ["c-adapter", rest @ ..] => c::adapter(rest),
        ["c-install", rest @ ..] => c::install(rest),
        ["gen"] => generate::run(false),
        ["gen", "--check"] => generate::run(true),
        ["rules"] => rules::run(),
        ["sim", rest @ ..] => sim::run(rest),
        ["vectors"] => vectors::run(),
        ["bench-log", rest @ ..] => torture::bench_log(rest),
        ["torture", rest @ ..] => torture::run(rest),
        ["python", rest @ ..] => python::run(rest),
        ["kotlin", rest @ ..] => uniffi::kotlin::run(rest),
        ["ruby", rest @ ..] => uniffi::ruby::run(rest),
        ["swift", rest @ ..] => uniffi::swift::run(rest),
        ["uniffi", rest @ ..] => uniffi::run(rest),
        ["miri"] => miri::run(),
        ["node", rest @ ..] => node::run(rest),
        ["conformance", rest @ ..] => sdk::conformance(rest),
        ["sdk", rest @ ..] => sdk::run(rest),
        ["fuzz-smoke", rest @ ..] => packages::fuzz_smoke(rest),
        ["sim-smoke", rest @ ..] => packages::sim_smoke(rest),
        ["epoll"] => packages::on_epoll(),
        ["counters", rest @ ..] => counters::run(rest),
        ["fuzz", rest @ ..] => fuzz_arguments(rest),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("unknown task: {}\n\n{USAGE}", words.join(" "));
            ExitCode::from(2)
        }
    }
}

/// Cargo tells a program that it runs of its package, and what the program starts hears it, too.
/// Build scripts that ask for their own package under these names would run again after each change
/// between a cargo that was started by hand and one that was started here, and all that stands on
/// their crates would be built anew.
fn forget_own_package() {
    let names: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
    for name in names {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            // SAFETY: no other thread runs yet.
            unsafe { std::env::remove_var(&name) };
        }
    }
}

/// `[--seconds N] [--minimise] [TARGET …]`
fn fuzz_arguments(words: &[&str]) -> ExitCode {
    let mut seconds = 60;
    let mut minimise = false;
    let mut names = Vec::new();
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        match word {
            "--minimise" => minimise = true,
            "--seconds" => match words.next().and_then(|text| text.parse().ok()) {
                Some(number) => seconds = number,
                None => {
                    eprintln!("--seconds wants a whole number");
                    return ExitCode::from(2);
                }
            },
            name => names.push(name.to_owned()),
        }
    }
    fuzz::run(seconds, minimise, &names)
}

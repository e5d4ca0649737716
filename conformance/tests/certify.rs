//! The suite itself: it lets a good client pass, and finds out bad ones, each in its own way.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::LazyLock;

/// The server and the Rust adapter, built if they are not there yet: with the packages that the
/// workspace's tests are built with, so that nothing is built anew.
static BIN: LazyLock<PathBuf> = LazyLock::new(|| {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--quiet", "--workspace", "--exclude", "tidewire-python"])
        .args(["--bin", "tidewire", "--bin", "tidewire-adapter-rust"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    // What cargo says of this package would have build scripts of others run again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&name);
        }
    }
    let status = build.status().expect("cargo runs");
    assert!(status.success(), "the server and the adapter could not be built");
    let runner = PathBuf::from(env!("CARGO_BIN_EXE_tidewire-conformance"));
    runner.parent().expect("a directory").to_owned()
});

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tidewire-conformance"))
        .args(arguments)
        .output()
        .expect("the runner runs")
}

/// Certifies the Rust adapter, with a mistake put in.
fn certify(mode: &str, cases: &str) -> Output {
    let adapter = BIN.join("tidewire-adapter-rust").display().to_string();
    let broken = env!("CARGO_BIN_EXE_tidewire-broken-adapter");
    run(&[
        "certify",
        "--quiet",
        "--retries",
        "0",
        "--patience-ms",
        "5000",
        "--case",
        cases,
        "--adapter",
        broken,
        mode,
        &adapter,
    ])
}

fn assert_found_out(mode: &str, cases: &str, says: &str) {
    let output = certify(mode, cases);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{mode} was not found out:\n{text}");
    assert!(text.contains("not certified"), "{mode}:\n{text}");
    assert!(text.contains(says), "{mode} was found out, but not by {says:?}:\n{text}");
}

#[test]
fn a_client_without_a_mistake_is_certified() {
    let output = certify("none", "prod/single,cat/topic-crud,hs/connect");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("certified: level core"), "{text}");
}

#[test]
fn mistakes_about_records_are_found_out() {
    assert_found_out("offset-off-by-one", "prod/single", "offset: expected 0, got \"1\"");
    assert_found_out("loses-a-record", "prod/binary", "expected 2 items, got 1");
    assert_found_out("doubles-a-record", "prod/binary", "expected 2 items, got 3");
    assert_found_out("reverses-records", "prod/unicode", "records[0].");
    assert_found_out("drops-headers", "prod/headers-repeat-*", "headers: expected 4 items");
}

#[test]
fn mistakes_about_values_are_found_out() {
    assert_found_out("empty-key-is-null", "prod/null-is-not-empty", "records[1].key");
    assert_found_out("null-value-is-empty", "prod/null-is-not-empty", "records[1].value");
    assert_found_out("double-precision", "prod/times-before-*", "timestamp_us: expected");
    assert_found_out("milliseconds-for-microseconds", "prod/single", "append_time_us");
    assert_found_out("latin1", "cat/names-in-every-script", "stream: expected");
}

#[test]
fn mistakes_about_errors_are_found_out() {
    assert_found_out("wrong-error-code", "cat/missing-things-*", "is of the class");
    assert_found_out("wrong-disposition", "cat/missing-things-*", "disposition");
    assert_found_out("says-yes-to-everything", "cat/stream-exists", "expected the error");
}

#[test]
fn an_adapter_that_dies_hangs_or_talks_nonsense_fails_its_case_and_no_more() {
    assert_found_out("dies", "cat/stream-crud,hs/nobody-listens", "the adapter has ended");
    assert_found_out("dies", "cat/stream-crud", "broken on purpose: dying now");
    assert_found_out("hangs", "cat/stream-crud", "it hangs");
    assert_found_out("talks-nonsense", "cat/stream-crud", "no JSON");
    assert_found_out("answers-twice", "cat/stream-crud", "twice");
}

#[test]
fn what_is_missing_or_misspelt_is_an_error_and_not_a_pass() {
    let run = |arguments: &[&str]| {
        let output = run(arguments);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (status, text) = run(&["run", "--case", "nothing/like-this"]);
    assert!(status == Some(2) && text.contains("nothing/like-this"), "{text}");
    let (status, text) = run(&["run", "--sdk", "cobol"]);
    assert!(status == Some(2) && text.contains("cobol"), "{text}");
    let (status, text) = run(&["run", "--server", "/nowhere/tidewire"]);
    assert!(status == Some(2) && text.contains("/nowhere/tidewire"), "{text}");
    let (status, text) = run(&["certify", "--adapter", "/nowhere/adapter"]);
    assert!(status == Some(2) && text.contains("/nowhere"), "{text}");
    let (status, text) = run(&["run", "--sdk", "rust,cobol"]);
    assert!(status == Some(2) && text.contains("rust and server"), "{text}");
    let (status, text) = run(&["describe", "prod/singel"]);
    assert!(status == Some(2) && text.contains("perhaps prod/single"), "{text}");
    let (status, text) = run(&["describe", "nosuchcaseatall"]);
    assert!(status == Some(2) && text.contains("`list` shows all"), "{text}");
}

/// A run of one case through a spoilt Rust adapter, with a list of known failures.
fn run_with(mode: &str, case: &str, known: &str) -> (Option<i32>, String, String) {
    let own = tempfile::tempdir().expect("a directory");
    let of = |name: &str| own.path().join(name).display().to_string();
    let (adapters, lists, report) = (of("adapters"), of("known"), of("report"));
    std::fs::create_dir_all(own.path().join("adapters/spoilt")).expect("a directory");
    std::fs::create_dir_all(&lists).expect("a directory");
    let broken = env!("CARGO_BIN_EXE_tidewire-broken-adapter");
    let adapter = BIN.join("tidewire-adapter-rust").display().to_string();
    let manifest = format!(
        "name = \"spoilt\"\nlanguage = \"Rust\"\nbuild = []\n\
         command = [{broken:?}, {mode:?}, {adapter:?}]\n"
    );
    std::fs::write(own.path().join("adapters/spoilt/adapter.toml"), manifest).expect("written");
    std::fs::write(own.path().join("known/spoilt.toml"), known).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_tidewire-conformance"))
        .args(["run", "--sdk", "spoilt", "--case", case, "--adapters", &adapters])
        .args(["--known", &lists, "--report", &report])
        .env("BROKEN_ADAPTER_MARK", own.path().join("mark"))
        .output()
        .expect("the runner runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let page = std::fs::read_to_string(own.path().join("report/index.html"));
    (output.status.code(), text, page.expect("a report"))
}

const KNOWN: &str = "[[failure]]\ncase = \"cat/*\"\nreason = \"for the test\"\n";

#[test]
fn a_known_failure_is_played_and_one_that_passes_is_stale() {
    let case = "cat/missing-things-*";
    let known = format!("{KNOWN}expires = \"2999-01-01\"\n");
    let (status, text, page) = run_with("wrong-error-code", case, &known);
    assert!(status == Some(0) && text.contains("1 known"), "{text}");
    assert!(page.contains("for the test"));
    let (status, text, _) = run_with("none", case, &known);
    assert!(status == Some(1) && text.contains("STALE cat/missing-things-"), "{text}");
    assert!(text.contains("passes, though known to fail: for the test"), "{text}");
    let expired = format!("{KNOWN}expires = \"2001-01-01\"\n");
    let (status, text, _) = run_with("wrong-error-code", case, &expired);
    assert!(status == Some(1) && text.contains("FAIL cat/missing-things-"), "{text}");
}

#[test]
fn what_passes_the_second_time_is_flaky_and_told() {
    let (status, text, page) = run_with("fails-once", "cat/missing-things-*", "");
    assert!(status == Some(0) && text.contains("1 flaky"), "{text}");
    assert!(page.contains("passed when played again"), "{text}");
}

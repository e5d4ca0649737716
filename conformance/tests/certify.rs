//! The suite itself: it lets a good client pass, and finds out bad ones, each in its own way.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The server and the Rust adapter, built if they are not there yet.
fn built() -> &'static PathBuf {
    static BIN: OnceLock<PathBuf> = OnceLock::new();
    BIN.get_or_init(build)
}

fn build() -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "-p", "tidewire-cli", "-p", "tidewire-conformance-rust"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the server and the adapter could not be built");
    let runner = PathBuf::from(env!("CARGO_BIN_EXE_tidewire-conformance"));
    runner.parent().expect("a directory").to_owned()
}

/// Certifies the Rust adapter, with a mistake put in.
fn certify(mode: &str, cases: &str) -> Output {
    let bin = built();
    let adapter = bin.join("tidewire-adapter-rust");
    Command::new(env!("CARGO_BIN_EXE_tidewire-conformance"))
        .args([
            "certify",
            "--quiet",
            "--retries",
            "0",
            "--patience-ms",
            "5000",
            "--case",
            cases,
        ])
        .arg("--adapter")
        .arg(env!("CARGO_BIN_EXE_tidewire-broken-adapter"))
        .arg(mode)
        .arg(adapter)
        .output()
        .expect("the runner runs")
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
        let output = Command::new(env!("CARGO_BIN_EXE_tidewire-conformance"))
            .args(arguments)
            .output()
            .expect("the runner runs");
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
    let (status, text) = run(&["describe", "prod/nulls"]);
    assert!(status == Some(2) && text.contains("prod/nulls"), "{text}");
}

//! The examples do what they say, one after the other, as a newcomer would run them.

mod support;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use support::Server;

const PATIENCE: Duration = Duration::from_secs(60);

/// An example, built like this test and put where cargo puts it: `cargo test --all-targets`
/// builds examples only as tests.
fn example(name: &str) -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let test = std::env::current_exe().expect("this test");
        let profile = test.ancestors().nth(2).expect("target/PROFILE/deps");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        // With the packages that this test was built with, so that nothing is built anew.
        let packages = std::env::var("TIDEWIRE_TEST_PACKAGES");
        let packages = packages.unwrap_or_else(|_| "-p tidewire".to_owned());
        build.args(["build", "--quiet", "--examples"]).args(packages.split_whitespace());
        if profile.ends_with("release") {
            build.arg("--release");
        }
        build.env("CARGO_TARGET_DIR", profile.parent().expect("target"));
        // What cargo says of this package would have build scripts of others run again.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                build.env_remove(&name);
            }
        }
        assert!(build.status().expect("cargo").success(), "the examples do not build");
        profile.join("examples")
    });
    BUILT.join(name)
}

/// Runs one to its end; what it printed.
fn run(server: &Server, name: &str, arguments: &[&str]) -> String {
    let mut child = Command::new(example(name))
        .args(arguments)
        .env("TIDEWIRE_URL", server.url())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let begun = Instant::now();
    // They print less than a pipe holds, so that none waits for a reader.
    while child.try_wait().expect("a child of ours").is_none() {
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("{name} did not end within {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("ended");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_examples_run() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let server = runtime.block_on(Server::start());

    let printed = run(&server, "request_log", &["50"]);
    assert_eq!(printed, "50 requests are on the disk\n");

    let printed = run(&server, "worker_pool", &["requests", "2"]);
    assert!(printed.ends_with("50 records\n"), "{printed}");

    let printed = run(&server, "fan_out", &["requests", "50"]);
    for name in ["audit", "search", "mail"] {
        assert!(printed.contains(&format!("{name}: 50 records")), "{printed}");
    }

    let printed = run(&server, "transform", &["requests", "capitals"]);
    assert_eq!(printed, "50 records\n");

    let printed = run(&server, "blocking", &["lines"]);
    assert!(printed.contains("partition 0 offset 0"), "{printed}");
    assert!(printed.ends_with("1001 records\n"), "{printed}");
}

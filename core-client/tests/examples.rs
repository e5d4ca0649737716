//! The examples do what they say, one after the other, as a newcomer would run them.

mod support;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use support::Server;

const PATIENCE: Duration = Duration::from_secs(60);

/// Where cargo puts the examples of the profile that this test was built with.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("target/PROFILE/deps");
    let path = profile.join("examples").join(name);
    assert!(path.exists(), "not built: run `cargo build -p tidewire --examples` first");
    path
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

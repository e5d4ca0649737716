//! SIGHUP: settings read again while the server runs, all or nothing; and a terminal that is
//! closed.

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use support::raw::{PATIENCE, RawClient};
use support::server::{TestServer, finish, tidewire};
use tidewire::{Client, Code};

struct World {
    server: TestServer,
    file: PathBuf,
    _dir: tempfile::TempDir,
}

/// A server whose settings are in a file.
fn world(settings: &str) -> World {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("tidewire.toml");
    std::fs::write(&file, settings).expect("written");
    let arguments = ["--shards", "2", "--config", file.to_str().expect("a path of our own")];
    let server = TestServer::start_with(&dir.path().join("data"), &arguments);
    World { server, file, _dir: dir }
}

impl World {
    /// Changes the file, has it read, and waits for what the log says of it.
    fn reload(&self, settings: &str, says: &str) {
        std::fs::write(&self.file, settings).expect("written");
        self.server.hang_up();
        self.server.wait_for_log(says);
    }

    async fn max_connections(&self, expected: u64) {
        let client = Client::connect(&self.server.url()).await.expect("a server");
        let limits = client.describe_limits().await.expect("told");
        let limit = limits.iter().find(|limit| limit.name == "max_connections");
        assert_eq!(limit.map(|limit| limit.value), Some(expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_the_log_change_and_the_log_says_what() {
    let world = world("max_connections = 1\nlog = \"info\"\n");
    let first = Client::connect(&world.server.url()).await.expect("the first");
    let error = Client::connect(&world.server.url()).await.expect_err("one too many");
    assert_eq!(error.code(), Code::TOO_MANY_CONNECTIONS);
    assert!(!world.server.log().contains("DEBUG"));
    world.reload(
        "max_connections = 3\nlog = \"info,tidewire_server=debug\"\n",
        "reloaded: max_connections: 1 → 3; log: info → info,tidewire_server=debug",
    );
    world.max_connections(3).await;
    world.server.wait_for_log("DEBUG");
    first.ping().await.expect("untouched");
    // Back to the default, and below what there is: nobody is sent away.
    world.reload("", "max_connections: 3 → 16384");
    world.reload("max_connections = 1\n", "max_connections: 16384 → 1");
    first.ping().await.expect("untouched");
    world.reload("max_connections = 1\n", "reloaded: nothing changed");
}

/// SPEC H-12: a frame that has begun already meets the new time, too.
#[test]
fn the_time_for_a_frame_changes_on_open_connections() {
    let world = world("frame_timeout_ms = 600000\n");
    let mut client = RawClient::connect(world.server.address);
    client.socket.write_all(&[32, 0, 0, 0]).expect("connected");
    world.reload("frame_timeout_ms = 100\n", "frame_timeout_ms: 600000 → 100");
    std::thread::sleep(Duration::from_millis(100));
    client.socket.write_all(&[0]).expect("connected");
    client.pump_until("the end", |client| client.closed.is_some());
    let why = client.closed.expect("over").to_string();
    assert!(why.contains("frame_timeout_ms is 100: 5 bytes of a frame's beginning"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_or_cannot_change_changes_nothing() {
    let world = world("max_connections = 5\n");
    for (settings, says) in [
        (
            "max_connections = 6\nio_threads = 9\n",
            "io_threads cannot change while the server runs",
        ),
        (
            "max_connections = 6\nread_memory_bytes = 2000000\ndrain_timeout_ms = 1\n",
            "read_memory_bytes, drain_timeout_ms cannot change while the server runs",
        ),
        ("max_connections = 6\nmax_server_topics = 0\n", "max_server_topics is 0"),
        ("max_connections = 6\nmax_topics = 0\n", "unknown field `max_topics`"),
        ("max_connections = 6\nlog = \"tidewire=loud\"\n", "the log filter"),
        ("max_connections = \n", "TOML parse error at line 1"),
    ] {
        world.reload(settings, says);
        world.max_connections(5).await;
    }
    assert_eq!(world.server.log().matches("nothing was reloaded").count(), 6);
    world.reload("max_connections = 6\n", "reloaded: max_connections: 5 → 6");
    world.max_connections(6).await;
}

/// A terminal: the end that a person would sit at, and the other.
fn terminal() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&person)?;
    unlockpt(&person)?;
    let name = ptsname(&person, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok((person, rustix::fs::open(name, flags, Mode::empty())?))
}

fn hang_up(child: &Child) {
    // SAFETY: no memory is involved; the process is our child and was not waited for.
    unsafe {
        libc::kill(child.id() as libc::pid_t, libc::SIGHUP);
    }
}

#[test]
fn a_closed_terminal_stops_the_server_and_an_open_one_does_not() {
    let (person, programs) = match terminal() {
        Ok(both) => both,
        Err(error) => return println!("SKIPPED: this system gives no terminal: {error}"),
    };
    let dir = tempfile::tempdir().expect("a directory");
    let mut child = tidewire()
        .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"])
        .arg(dir.path().join("data"))
        .stdin(File::from(programs))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut said = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("a line");
    assert!(line.starts_with("listening"), "{line}");
    let mut log = BufReader::new(child.stderr.take().expect("piped"));
    let deadline = Instant::now() + PATIENCE;
    hang_up(&child);
    while !line.contains("reloaded") {
        line.clear();
        log.read_line(&mut line).expect("a line");
        assert!(Instant::now() < deadline && !line.is_empty(), "the log ended");
    }
    assert!(child.try_wait().expect("a child of ours").is_none());
    drop(person);
    // The kernel tells of the end a moment after the descriptor is gone.
    std::thread::sleep(Duration::from_millis(50));
    hang_up(&child);
    child.stderr = Some(log.into_inner());
    let output = finish(child);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("stopped"), "{output:?}");
}

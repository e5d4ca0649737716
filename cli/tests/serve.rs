//! `tidewire serve` as an operator meets it: starting, refusing to start, and stopping.

mod support;

use std::net::TcpListener;
use std::path::Path;

use support::raw::batch;
use support::server::{TestServer, run, tidewire};
use tidewire_protocol::message::{Acks, Append, Fetch, Ping, TopicDescribe};

/// Runs `serve` with arguments that cannot work, and returns what it said.
fn refused(arguments: &[&str]) -> String {
    let mut all = vec!["serve"];
    all.extend(arguments);
    let output = run(&all);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
    assert!(output.stdout.is_empty(), "nothing listens");
    assert!(stderr.contains("error: "), "{stderr}");
    stderr
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn a_stopped_server_exits_well_and_keeps_everything() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let data = own.path().join("data");
    let mut server = TestServer::start_in(&data);
    let mut client = server.connect();
    client.create_topic("t", 2).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    for acks in [Acks::Synced, Acks::Written, Acks::None] {
        client.append(channel, 1, acks, batch(&[b"kept"])).expect("appended");
    }
    assert_eq!(server.terminate().code(), Some(0), "{}", server.log());
    client.pump_until("the end", |client| client.closed.is_some());

    let server = TestServer::start_in(&data);
    let mut client = server.connect();
    let describe = TopicDescribe { stream: "default".into(), topic: "t".into() };
    assert_eq!(client.call(0, &describe).expect("kept").topic.partitions, 2);
    let fetch = Fetch {
        stream: "default".into(),
        topic: "t".into(),
        partition: 1,
        offset: 0,
        max_bytes: 1 << 20,
        min_bytes: 1,
        max_wait_ms: 0,
    };
    let id = client.submit(0, &fetch, &[]);
    let frame = client.wait_frame(id).expect("kept");
    assert_eq!(frame.payload.len(), batch(&[b"kept"]).len() * 3);
}

#[test]
fn a_stop_answers_what_was_accepted() {
    let mut server = TestServer::start();
    let mut client = server.connect();
    // One partition of the shard that has the connection, and one of the other.
    client.create_topic("t", 2).expect("new");
    let (channel, _) = client.open("t").expect("exists");
    let waiting: Vec<_> = (0..2)
        .map(|partition| {
            let append = Append { partition, acks: Acks::Synced };
            let appended = client.submit(channel, &append, &[batch(&[b"x"])]);
            client.wait::<Append>(appended).expect("appended");
            let fetch = Fetch {
                stream: "default".into(),
                topic: "t".into(),
                partition,
                offset: 0,
                max_bytes: 1 << 21,
                min_bytes: 1 << 20,
                max_wait_ms: 60_000,
            };
            client.submit(0, &fetch, &[])
        })
        .collect();
    client.call(0, &Ping {}).expect("what was asked before has arrived");
    assert_eq!(server.terminate().code(), Some(0), "{}", server.log());
    for id in waiting {
        let frame = client.wait_frame(id).expect("a waiting fetch gets what there is");
        assert!(!frame.payload.is_empty());
    }
    assert!(!server.log().contains("cut off"), "{}", server.log());
}

#[test]
fn a_second_server_on_the_same_directory_is_refused_by_name() {
    let server = TestServer::start();
    let data = text(server.data());
    let said = refused(&["--dev", "--listen", "127.0.0.1:0", "--data", data]);
    assert!(said.contains(data), "{said}");
    assert!(said.contains(&format!("pid {}", server.process_id())), "{said}");
    server.assert_serves();
}

#[test]
fn a_port_in_use_is_refused_by_name() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let said = refused(&["--dev", "--listen", &address]);
    assert!(said.contains(&address) && said.contains("in use"), "{said}");

    // A server of ours shares its port with itself, but with nobody else.
    let server = TestServer::start();
    let address = server.address.to_string();
    let said = refused(&["--dev", "--listen", &address]);
    assert!(said.contains(&address) && said.contains("in use"), "{said}");
    server.assert_serves();
}

#[test]
fn a_directory_that_cannot_be_used_is_refused_by_name() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let serve =
        |data: &Path| refused(&["--dev", "--listen", "127.0.0.1:0", "--data", text(data)]);

    // Not even root may write here.
    let said = serve(Path::new("/proc/tidewire"));
    assert!(said.contains("/proc/tidewire"), "{said}");

    let file = own.path().join("file");
    std::fs::write(&file, "x").expect("writable");
    let said = serve(&file);
    assert!(said.contains(text(&file)), "{said}");

    let foreign = own.path().join("foreign");
    std::fs::create_dir(&foreign).expect("writable");
    std::fs::write(foreign.join("letter.txt"), "x").expect("writable");
    let said = serve(&foreign);
    assert!(said.contains("not a Tidewire data directory"), "{said}");
    assert!(foreign.join("letter.txt").exists() && !foreign.join("FORMAT").exists());

    let newer = own.path().join("newer");
    drop(TestServer::start_in(&newer));
    std::fs::write(newer.join("FORMAT"), "tidewire 99\n").expect("writable");
    let said = serve(&newer);
    assert!(said.contains("99") && said.contains('1'), "names both versions: {said}");
}

#[test]
fn without_credentials_it_stays_on_this_machine() {
    let said = refused(&["--listen", "127.0.0.1:0"]);
    assert!(said.contains("--dev"), "{said}");
    let said = refused(&["--dev", "--listen", "0.0.0.0:0"]);
    assert!(said.contains("0.0.0.0") && said.contains("loopback"), "{said}");
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let config = own.path().join("tidewire.toml");
    let with = |content: &str| {
        std::fs::write(&config, content).expect("writable");
        refused(&["--config", text(&config)])
    };
    let said = with("dev = true\nlisten = \"127.0.0.1:0\"\nshard = 2\n");
    assert!(said.contains("shard") && said.contains(text(&config)), "{said}");
    let said = with("dev = true\nlisten = \"127.0.0.1:0\"\nshards = 1000\n");
    assert!(said.contains("1000") && said.contains("256"), "{said}");
    let said = refused(&["--config", "/nonexistent/tidewire.toml"]);
    assert!(said.contains("/nonexistent/tidewire.toml"), "{said}");
}

#[test]
fn a_configuration_file_is_obeyed() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let config = own.path().join("tidewire.toml");
    std::fs::write(&config, "shards = 3\n").expect("writable");
    let server = TestServer::start_with(&own.path().join("data"), &["--config", text(&config)]);
    server.wait_for_log("shards=3");
    server.assert_serves();
}

#[test]
fn a_variable_that_sets_nothing_is_in_the_log() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let mut command = tidewire();
    command
        .env("TIDEWIRE_SHARD", "2")
        .env("TIDEWIRE_SHARDS", "2")
        .env("TIDEWIRE_LINGER_MS", "5");
    let server = TestServer::start_by(command, &own.path().join("data"), &[]);
    server.wait_for_log("TIDEWIRE_SHARD sets nothing; did you mean TIDEWIRE_SHARDS?");
    assert_eq!(server.log().matches("sets nothing").count(), 1, "{}", server.log());
}

#[test]
fn the_log_says_how_it_talks_to_the_kernel() {
    let server = TestServer::start();
    let forced = std::env::var("MONOIO_FORCE_LEGACY_DRIVER").is_ok_and(|value| value == "1");
    let epoll = forced || !kernel_grants_io_uring();
    server.wait_for_log(if epoll { "driver=epoll" } else { "driver=io_uring" });
}

/// Whether this process may make a ring at all: containers often forbid it.
fn kernel_grants_io_uring() -> bool {
    let mut parameters = [0u8; 120];
    // SAFETY: `parameters` has the size of io_uring_params; a descriptor that it returns is closed.
    unsafe {
        let fd = libc::syscall(libc::SYS_io_uring_setup, 2, parameters.as_mut_ptr());
        fd >= 0 && libc::close(fd as libc::c_int) == 0
    }
}

#[test]
fn an_idle_server_does_nothing() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    client.open("t").expect("exists");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let before = context_switches(server.process_id());
    std::thread::sleep(std::time::Duration::from_secs(2));
    let switches = context_switches(server.process_id()) - before;
    assert!(switches <= 10, "{switches} context switches in two idle seconds");
}

/// Voluntary context switches of all threads of a process.
fn context_switches(process: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("a running process");
    tasks
        .map(|task| {
            let status = task.expect("a thread").path().join("status");
            let status = std::fs::read_to_string(status).expect("a running thread");
            let line = status.lines().find(|line| line.starts_with("voluntary_ctxt"));
            line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
                .unwrap_or(0)
        })
        .sum()
}

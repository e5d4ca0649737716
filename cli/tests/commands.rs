//! The commands as a person types them, against a real server: what they print, where it goes,
//! and how they exit.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Output, Stdio};

use support::server::{TestServer, finish, run, tidewire};

/// Runs a command against `server`, feeding it `stdin`.
fn feed(server: &TestServer, arguments: &[&str], stdin: &[u8]) -> Output {
    let mut child = tidewire()
        .args(arguments)
        .env("TIDEWIRE_URL", server.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut pipe = child.stdin.take().expect("piped");
    let bytes = stdin.to_vec();
    // A command that does not read its input may end first.
    let writer = std::thread::spawn(move || {
        let _ = pipe.write_all(&bytes);
    });
    let output = finish(child);
    writer.join().expect("no panic");
    output
}

fn command(server: &TestServer, arguments: &[&str]) -> Output {
    feed(server, arguments, b"")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn succeeds(server: &TestServer, arguments: &[&str]) -> String {
    let output = command(server, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    stdout(&output)
}

/// What a command that fails says.
fn fails(server: &TestServer, arguments: &[&str], stdin: &[u8]) -> String {
    let output = feed(server, arguments, stdin);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
    assert!(stderr.starts_with("error: "), "{stderr}");
    stderr
}

#[test]
fn what_is_sent_is_tailed_byte_for_byte() {
    let server = TestServer::start();
    succeeds(&server, &["topic", "create", "shop/orders"]);
    let lines: Vec<u8> = b"plain\n\n  spaces \r\nnot utf-8 \xff\xfe\nlast without end".to_vec();
    let output = feed(&server, &["send", "shop/orders"], &lines);
    assert_eq!(output.status.code(), Some(0));
    let output =
        command(&server, &["tail", "shop/orders", "--from", "earliest", "--count", "5"]);
    let mut expected = lines.clone();
    expected.push(b'\n');
    assert_eq!(output.stdout, expected);
}

#[test]
fn a_single_record_says_where_it_went() {
    let server = TestServer::start();
    succeeds(&server, &["topic", "create", "t", "--partitions", "3"]);
    let place = succeeds(&server, &["send", "t", "v", "--partition", "2"]);
    assert_eq!(place.trim(), "default/t[2] @ 0");
    let json = succeeds(
        &server,
        &["tail", "t", "--from", "0", "--partition", "2", "--count", "1", "--json"],
    );
    assert!(json.contains("\"partition\":2") && json.contains("\"value\":\"v\""), "{json}");
}

#[test]
fn equal_keys_share_a_partition() {
    let server = TestServer::start();
    succeeds(&server, &["topic", "create", "t", "--partitions", "8"]);
    let lines: String =
        (0..100).map(|i| format!("{{\"user\":\"u{}\",\"i\":{i}}}\n", i % 7)).collect();
    let output = feed(&server, &["send", "t", "--key-field", "user"], lines.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    let json =
        succeeds(&server, &["tail", "t", "--from", "earliest", "--count", "100", "--json"]);
    let mut homes = std::collections::HashMap::new();
    for line in json.lines() {
        let field = |name: &str| {
            let at = line.find(&format!("\"{name}\":")).expect("a field") + name.len() + 3;
            line[at..].split([',', '}']).next().expect("a value").to_owned()
        };
        let home = homes.entry(field("key")).or_insert_with(|| field("partition"));
        assert_eq!(*home, field("partition"), "{line}");
    }
    assert_eq!(homes.len(), 7);
}

#[test]
fn tail_begins_where_it_is_told() {
    let server = TestServer::start();
    succeeds(&server, &["topic", "create", "t"]);
    let before = "2020-01-02T03:04:05Z";
    assert_eq!(feed(&server, &["send", "t"], b"a\nb\nc\nd\n").status.code(), Some(0));
    let tail = |arguments: &[&str]| succeeds(&server, &[&["tail", "t"], arguments].concat());
    assert_eq!(tail(&["--first", "2"]), "a\nb\n");
    assert_eq!(tail(&["--last", "2", "--count", "2"]), "c\nd\n");
    assert_eq!(tail(&["--since", before, "--count", "1"]), "a\n");
    assert_eq!(tail(&["--since", "1h", "--count", "1"]), "a\n");
    for wrong in [
        &["--since", "yesterday"][..],
        &["--first", "1", "--last", "1"],
        &["--since", "1h", "--from", "earliest"],
        &["--last", "0"],
    ] {
        let output = command(&server, &[&["tail", "t"], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_topic_is_changed_and_says_what_it_is() {
    let server = TestServer::start();
    let made = succeeds(
        &server,
        &["topic", "create", "t", "--retention", "7d", "--retention-bytes", "10GiB"],
    );
    assert!(made.contains("kept for 7 d and up to 10 GiB a partition"), "{made}");
    let made = succeeds(
        &server,
        &["topic", "update", "t", "--retention", "none", "--dedup-window", "10m"],
    );
    assert!(made.contains("kept up to 10 GiB a partition"), "{made}");
    assert!(made.contains("ids remembered for 10 min"), "{made}");
    let made = succeeds(&server, &["topic", "add-partitions", "t", "--partitions", "3"]);
    assert!(made.contains("3 partitions"), "{made}");
    let error = fails(&server, &["topic", "add-partitions", "t", "--partitions", "2"], b"");
    assert!(error.contains("has 3 partitions"), "{error}");
    let json = succeeds(&server, &["topic", "describe", "t", "--json"]);
    for part in [
        "\"retention_ms\": 0",
        "\"retention_bytes\": 10737418240",
        "\"dedup_window_ms\": 600000",
    ] {
        assert!(json.replace("\":", "\": ").replace(":  ", ": ").contains(part), "{json}");
    }
    assert_eq!(command(&server, &["topic", "update", "t"]).status.code(), Some(2));
    let error = fails(&server, &["topic", "update", "t", "--dedup-window", "8d"], b"");
    assert!(error.contains("dedup_window_ms"), "{error}");
}

#[test]
fn records_are_deleted_from_the_front_or_all() {
    let server = TestServer::start();
    succeeds(&server, &["topic", "create", "shop/t"]);
    assert_eq!(feed(&server, &["send", "shop/t"], b"a\nb\nc\nd\n").status.code(), Some(0));
    let truncate = |before: &str| {
        ["topic", "truncate", "shop/t", "--partition", "0", "--before", before]
            .map(str::to_owned)
    };
    let run = |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        succeeds(&server, &arguments)
    };
    assert_eq!(run(&truncate("2")), "shop/t[0] begins at offset 2\n");
    assert_eq!(run(&truncate("1")), "shop/t[0] begins at offset 2\n");
    assert_eq!(succeeds(&server, &["tail", "shop/t", "--first", "2"]), "c\nd\n");
    let error =
        fails(&server, &["topic", "truncate", "shop/t", "-p", "0", "--before", "9"], b"");
    assert!(error.contains("OFFSET_OUT_OF_RANGE") || error.contains("2 to 4"), "{error}");
    let said = succeeds(&server, &["topic", "purge", "shop/t"]);
    assert_eq!(said, "deleted all records of topic shop/t\n");
    assert_eq!(succeeds(&server, &["send", "shop/t", "e"]).trim(), "shop/t[0] @ 4");
    succeeds(&server, &["stream", "purge", "shop"]);
    assert_eq!(succeeds(&server, &["send", "shop/t", "f"]).trim(), "shop/t[0] @ 5");
    assert_eq!(succeeds(&server, &["tail", "shop/t", "--first", "1"]), "f\n");
    fails(&server, &["topic", "purge", "shop/none"], b"");
    fails(&server, &["stream", "purge", "none"], b"");
}

#[test]
fn tail_follows_what_comes() {
    let server = TestServer::start();
    succeeds(&server, &["topic", "create", "t"]);
    succeeds(&server, &["send", "t", "old"]);
    let mut tail = tidewire()
        .args(["tail", "t", "--from", "earliest"])
        .env("TIDEWIRE_URL", server.url())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(tail.stdout.take().expect("piped")).lines();
    let mut next = || lines.next().expect("a line").expect("UTF-8");
    assert_eq!(next(), "old");
    succeeds(&server, &["send", "t", "new"]);
    assert_eq!(next(), "new");
    // SAFETY: no memory is involved; the process is our child and was not waited for.
    unsafe {
        libc::kill(tail.id() as libc::pid_t, libc::SIGINT);
    }
    assert_eq!(tail.wait().expect("a child of ours").code(), Some(130));
}

#[test]
fn a_reader_that_has_enough_ends_tail_quietly() {
    let server = TestServer::start();
    succeeds(&server, &["topic", "create", "t"]);
    let many = "x\n".repeat(100_000);
    assert_eq!(feed(&server, &["send", "t"], many.as_bytes()).status.code(), Some(0));
    let mut tail = tidewire()
        .args(["tail", "t", "--from", "earliest"])
        .env("TIDEWIRE_URL", server.url())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut first = String::new();
    let mut reader = BufReader::new(tail.stdout.take().expect("piped"));
    reader.read_line(&mut first).expect("a line");
    drop(reader);
    let output = finish(tail);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_cannot_be_is_said_by_name_and_limit() {
    let server = TestServer::start();
    succeeds(&server, &["topic", "create", "t"]);
    for (arguments, names) in [
        (&["send", "nope", "v"][..], &["nope", "topic create"][..]),
        (&["tail", "nope"], &["nope"]),
        (&["topic", "describe", "nope/t"], &["nope"]),
        (&["topic", "create", "a/b/c"], &["b/c", "/"]),
        (&["topic", "create", "x", "--partitions", "0"], &["0", "1 to 100000"]),
        (&["topic", "create", "x", "--partitions", "100001"], &["100001", "100000"]),
        (&["topic", "create", "t"], &["default/t", "exists"]),
        (&["stream", "create", "a/b"], &["a/b"]),
        (&["stream", "delete", "default"], &["default"]),
        (&["send", "t", "-f", "/nonexistent/file"], &["/nonexistent/file"]),
        (&["send", "t", "v", "--partition", "1"], &["1", "t"]),
        (&["tail", "t", "--partition", "0", "--from", "7"], &["7", "default/t"]),
    ] {
        let said = fails(&server, arguments, b"").replace(',', "");
        for name in names {
            assert!(said.contains(name), "{arguments:?} should name {name:?}: {said}");
        }
    }
    server.assert_serves();
}

#[test]
fn a_record_of_nine_mebibytes_is_refused_and_what_came_before_is_kept() {
    let server = TestServer::start();
    succeeds(&server, &["topic", "create", "t"]);
    let mut input = b"small\n".to_vec();
    input.resize(input.len() + (9 << 20), b'x');
    let said = fails(&server, &["send", "t"], &input);
    assert!(said.contains("8 MiB") && said.contains("line 2"), "{said}");
    let kept = succeeds(&server, &["tail", "t", "--from", "earliest", "--count", "1"]);
    assert_eq!(kept, "small\n");
}

#[test]
fn a_line_without_the_key_field_is_named() {
    let server = TestServer::start();
    succeeds(&server, &["topic", "create", "t"]);
    for bad in ["{\"other\":1}", "not json", "[1]"] {
        let input = format!("{{\"id\":1}}\n{bad}\n");
        let said = fails(&server, &["send", "t", "--key-field", "id"], input.as_bytes());
        assert!(said.contains("line 2"), "{said}");
    }
}

#[test]
fn a_server_that_is_not_there_is_named_with_what_to_do() {
    let output = run(&["ping", "--url", "tidewire://127.0.0.1:1"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("127.0.0.1:1") && said.contains("tidewire serve"), "{said}");

    let output = run(&["ping", "--url", "tidewire://127.0.0.1:1/?nope=1"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_ne!(output.status.code(), Some(0));
    assert!(said.contains("nope"), "{said}");
}

#[test]
fn a_key_that_was_made_encrypts_and_reads() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let (keys, others) = (own.path().join("keys"), own.path().join("others"));
    let made = |id: &str| stdout(&run(&["keygen", "--id", id]));
    let (one, two) = (made("1"), made("2"));
    assert!(one.starts_with("twk_1_") && one != made("1"), "each is another");
    std::fs::write(&keys, format!("# of the shop\n{one}{two}")).expect("written");
    std::fs::write(&others, made("1")).expect("written");
    let (keys, others) = (keys.to_str().expect("text"), others.to_str().expect("text"));

    let (data, copy) = (own.path().join("data"), own.path().join("copy"));
    let mut server = TestServer::start_in(&data);
    succeeds(&server, &["topic", "create", "t"]);
    for (id, value) in [("1", "of key 1"), ("2", "of key 2")] {
        let send =
            ["send", "t", value, "--encryption-key-file", keys, "--encryption-key-id", id];
        succeeds(&server, &send);
    }
    succeeds(&server, &["send", "t", "plain"]);
    let tail = ["tail", "t", "--first", "3", "--encryption-key-file"];
    let tailed = succeeds(&server, &[&tail[..], &[keys]].concat());
    assert_eq!(tailed, "of key 1\nof key 2\nplain\n");

    let said = fails(&server, &["tail", "t", "--first", "3"], b"");
    for part in ["offset 0", "default/t partition 0", "key 1", "--encryption-key-file"] {
        assert!(said.contains(part), "{said}");
    }
    let said = fails(&server, &[&tail[..], &[others]].concat(), b"");
    assert!(said.contains("another key 1"), "{said}");
    let said = fails(&server, &["send", "t", "x", "--encryption-key-id", "3"], b"");
    assert!(said.contains("encryption_key_id is 3"), "{said}");
    let at = ["tail", "t", "--partition", "0", "--from", "2", "-n", "1"];
    assert_eq!(succeeds(&server, &at), "plain\n", "what is plain needs no key");
    assert_eq!(run(&["keygen", "--id", "0"]).status.code(), Some(2));

    // Who keeps the server's data needs no key to examine, copy and move it.
    let (data, copied) = (data.to_str().expect("text"), copy.to_str().expect("text"));
    assert!(run(&["backup", data, copied]).status.success());
    assert!(server.terminate().success());
    for directory in [data, copied] {
        let examined = run(&["doctor", directory]);
        assert!(examined.status.success(), "{}", stdout(&examined));
    }
    let server = TestServer::start_in(&copy);
    let tailed = succeeds(&server, &[&tail[..], &[keys]].concat());
    assert_eq!(tailed, "of key 1\nof key 2\nplain\n");
}

#[test]
fn usage_errors_exit_with_two() {
    for arguments in [&["frobnicate"][..], &["send"], &["tail", "t", "--from", "yesterday"]] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["--version"], &["send", "--help"]] {
        assert_eq!(run(arguments).status.code(), Some(0), "{arguments:?}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]);
        assert!(script.status.success() && script.stdout.len() > 1000, "{shell}");
    }
}

#[test]
fn streams_and_topics_come_and_go() {
    let server = TestServer::start();
    succeeds(&server, &["stream", "create", "shop"]);
    succeeds(&server, &["topic", "create", "shop/orders", "--partitions", "2"]);
    let described = succeeds(&server, &["topic", "describe", "shop/orders", "--json"]);
    assert!(described.contains("\"partitions\""), "{described}");
    let listed = succeeds(&server, &["topic", "list", "shop"]);
    assert!(listed.contains("shop/orders"), "{listed}");
    let said = fails(&server, &["stream", "delete", "shop"], b"");
    assert!(said.contains("--with-topics"), "{said}");
    succeeds(&server, &["stream", "delete", "shop", "--with-topics"]);
    let listed = succeeds(&server, &["stream", "list", "--json"]);
    assert!(!listed.contains("shop"), "{listed}");
}

#[test]
fn a_topic_is_compressed_as_it_was_created() {
    let server = TestServer::start();
    let created = succeeds(&server, &["topic", "create", "t", "--codec", "zstd"]);
    assert!(created.contains("zstd"), "{created}");
    let lines = "the same line again and again\n".repeat(10_000);
    for more in [&["send", "t"][..], &["send", "t", "--codec", "lz4"]] {
        assert_eq!(feed(&server, more, lines.as_bytes()).status.code(), Some(0));
    }
    let back = succeeds(&server, &["tail", "t", "--from", "earliest", "--count", "20000"]);
    assert_eq!(back, lines.repeat(2));
    let described = succeeds(&server, &["topic", "describe", "t", "--json"]);
    let size = described.split("\"size_bytes\":").nth(1).expect("a field");
    let size: String = size.trim().chars().take_while(char::is_ascii_digit).collect();
    let size: usize = size.parse().expect("a number");
    assert!(size < lines.len() / 2, "{size} bytes for {}", lines.len() * 2);
    let refused = run(&["topic", "create", "u", "--codec", "gzip"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn the_demo_holds() {
    let output = finish(
        tidewire()
            .arg("demo")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs"),
    );
    let said = stdout(&output);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}\n{stderr}");
    for part in ["1,707", "Hualian, Taiwan", "identical", "in order", "still there"] {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
}

#[test]
fn a_group_is_listed_described_reset_and_deleted() {
    let server = TestServer::start();
    succeeds(&server, &["topic", "create", "shop/orders", "--partitions", "2"]);
    for number in 0..5 {
        let value = number.to_string();
        succeeds(&server, &["send", "shop/orders", &value, "--partition", "1"]);
    }
    assert!(fails(&server, &["group", "describe", "billing"], b"").contains("billing"));
    succeeds(&server, &["group", "create", "billing"]);
    assert!(fails(&server, &["group", "create", "billing"], b"").contains("exists"));
    let reset = ["group", "reset", "billing", "shop/orders", "--to", "3"];
    let said = succeeds(&server, &reset);
    assert!(
        said.contains("shop/orders[0] @ 0") && said.contains("shop/orders[1] @ 3"),
        "{said}"
    );
    let described = succeeds(&server, &["group", "describe", "billing", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&described).expect("JSON");
    assert_eq!(value["state"], "empty");
    let second = &value["partition_details"][1];
    assert_eq!((&second["committed_offset"], &second["end_offset"]), (&3.into(), &5.into()));
    assert_eq!(second["lag"], 2);
    let last =
        ["group", "reset", "billing", "shop/orders", "--to", "last:1", "--partition", "1"];
    assert!(succeeds(&server, &last).contains("[1] @ 4"));
    let table = succeeds(&server, &["group", "describe", "billing"]);
    assert!(table.contains("committed") && table.contains("shop/orders"), "{table}");
    assert!(succeeds(&server, &["group", "list"]).contains("billing"));
    succeeds(&server, &["group", "forget", "billing", "shop/orders", "--partition", "0"]);
    let listed = succeeds(&server, &["group", "list", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!((&value[0]["name"], &value[0]["offsets"]), (&"billing".into(), &1.into()));
    let typo = ["group", "reset", "billing", "shop/order", "--to", "latest"];
    assert!(fails(&server, &typo, b"").contains("shop"));
    succeeds(&server, &["group", "delete", "billing"]);
    assert_eq!(succeeds(&server, &["group", "list"]), "");
}

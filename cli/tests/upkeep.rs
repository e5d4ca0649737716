//! `tidewire doctor` and `tidewire backup` on the directories of real servers.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use support::raw::{RawClient, batch};
use support::server::{TestServer, run};
use tidewire_protocol::batch::Header;
use tidewire_protocol::connection::ClientConnection;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{Acks, Fetch, OffsetStore, StoreOffset};

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr)
}

fn doctor(data: &Path, more: &[&str]) -> (i32, String) {
    let mut arguments = vec!["doctor", data.to_str().expect("UTF-8")];
    arguments.extend(more);
    let output = run(&arguments);
    (output.status.code().expect("no signal"), text(&output))
}

/// Appends `count` batches of one record each to `t[0]`, synced.
fn append(client: &mut RawClient, count: u32) {
    let (channel, _) = client.open("t").expect("the topic exists");
    for number in 0..count {
        let value = vec![number as u8; 1000];
        client.append(channel, 0, Acks::Synced, batch(&[&value])).expect("appends");
    }
}

fn stopped_with(count: u32, kill: bool) -> (tempfile::TempDir, PathBuf) {
    let own = tempfile::tempdir().expect("a temporary directory");
    let data = own.path().join("data");
    let mut server = TestServer::start_in(&data);
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    append(&mut client, count);
    if kill {
        server.kill();
    } else {
        assert!(server.terminate().success());
    }
    (own, data)
}

fn segment(data: &Path) -> PathBuf {
    data.join("topics/1/0/00000000000000000000.log")
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("there");
    bytes[at] ^= 0x10;
    fs::write(path, bytes).expect("writable");
}

/// First offset of the batch that holds `offset`, and the offset after it.
fn fetch(client: &mut RawClient, offset: u64) -> Result<[u64; 2], Error> {
    let channel = client.channel();
    let request = Fetch {
        stream: "default".into(),
        topic: "t".into(),
        partition: 0,
        offset,
        max_bytes: 1,
        min_bytes: 0,
        max_wait_ms: 0,
    };
    let id = client.submit(channel, &request, &[]);
    let frame = client.wait_frame(id)?;
    ClientConnection::decode_reply::<Fetch>(&frame)?;
    let header = Header::parse(&frame.payload).expect("a batch");
    Ok([header.base_offset, header.next_offset().expect("small")])
}

#[test]
fn a_healthy_directory_is_clean_and_left_as_it_is() {
    for kill in [false, true] {
        let (_own, data) = stopped_with(20, kill);
        let before = fs::read(segment(&data)).expect("there");
        let (code, said) = doctor(&data, &[]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("all is well") && said.contains("20 good batches"), "{said}");
        let (code, said) = doctor(&data, &["--json"]);
        assert_eq!(code, 0, "{said}");
        let json: serde_json::Value = serde_json::from_str(said.trim()).expect("JSON");
        assert_eq!(json["clean"], true);
        assert_eq!(json["partitions"][0]["end_offset"], 20);
        assert_eq!(fs::read(segment(&data)).expect("there"), before);
    }
}

#[test]
fn a_directory_that_cannot_be_looked_at_is_exit_code_two() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let (code, said) = doctor(own.path(), &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("is not a Tidewire data directory"), "{said}");
    let (code, said) = doctor(&own.path().join("nowhere"), &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("No such file"), "{said}");
    fs::write(own.path().join("FORMAT"), "tidewire 2\n").expect("writable");
    let (code, said) = doctor(own.path(), &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("format 2"), "{said}");

    let server = TestServer::start();
    let (code, said) = doctor(server.data(), &["--repair"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("in use by another Tidewire server"), "{said}");
    server.assert_serves();
}

#[test]
fn a_torn_tail_is_cut_by_repair_and_the_second_run_finds_nothing() {
    let (_own, data) = stopped_with(5, true);
    let file = fs::OpenOptions::new().write(true).open(segment(&data)).expect("there");
    let len = file.metadata().expect("there").len();
    file.set_len(len - 9).expect("writable");
    let (code, said) = doctor(&data, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("default/t[0]") && said.contains("torn tail"), "{said}");
    let (code, said) = doctor(&data, &["--repair"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("repaired") && said.contains("all is well"), "{said}");
    let notes = fs::read_to_string(data.join("removed/NOTES.txt")).expect("a note");
    assert!(notes.contains("topics/1/0/00000000000000000000.log"), "{notes}");
    let kept = fs::read_dir(data.join("removed")).expect("there").count();
    assert_eq!(kept, 2, "the bytes and the note");
    let (code, said) = doctor(&data, &["--repair"]);
    assert!(code == 0 && !said.contains("repaired"), "{said}");
    assert_eq!(fs::read_dir(data.join("removed")).expect("there").count(), kept);
    let server = TestServer::start_in(&data);
    let mut client = server.connect();
    assert_eq!(fetch(&mut client, 3).expect("readable"), [3, 4]);
}

#[test]
fn damage_in_the_middle_is_served_around_described_and_repaired_only_on_request() {
    let (_own, data) = stopped_with(10, false);
    let len = fs::metadata(segment(&data)).expect("there").len() as usize;
    flip(&segment(&data), len / 10 * 4 + 200);

    // The server: reads before it, nothing at or after it, and says so.
    let server = TestServer::start_in(&data);
    let mut client = server.connect();
    assert_eq!(fetch(&mut client, 3).expect("before the damage"), [3, 4]);
    for offset in [4, 7] {
        let error = fetch(&mut client, offset).expect_err("at and after the damage");
        assert_eq!(error.code, Code::PARTITION_CORRUPT, "{error}");
    }
    let (channel, _) = client.open("t").expect("the topic exists");
    let error =
        client.append(channel, 0, Acks::Synced, batch(&[b"x"])).expect_err("no appends");
    assert_eq!(error.code, Code::PARTITION_CORRUPT);
    assert!(error.to_string().contains("offset 4"), "{error}");
    let described = run(&["topic", "describe", "t", "--url", &server.url()]);
    assert!(text(&described).contains("PARTITION_CORRUPT"), "{}", text(&described));
    client.create_topic("other", 1).expect("other partitions are not harmed");
    server.assert_serves();
    server.kill();

    let (code, said) = doctor(&data, &[]);
    assert_eq!(code, 1, "{said}");
    for part in ["damage", "default/t[0]", "offset 4 (1 record)", "checksum", "--accept-loss"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let before = fs::read(segment(&data)).expect("there");
    let (code, said) = doctor(&data, &["--repair"]);
    assert_eq!(code, 1, "it is not repaired by itself: {said}");
    assert_eq!(fs::read(segment(&data)).expect("there"), before);
    let (code, said) = doctor(&data, &["--repair", "--accept-loss", "fill"]);
    assert_eq!(code, 2, "nobody to ask: {said}");
    assert!(said.contains("offset 4 (1 record)") && said.contains("--yes"), "{said}");
    assert_eq!(fs::read(segment(&data)).expect("there"), before);
    let (code, said) = doctor(&data, &["--repair", "--accept-loss", "fill", "--yes"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("lost: offset 4 (1 record)"), "{said}");
    assert_eq!(doctor(&data, &[]).0, 0);

    let server = TestServer::start_in(&data);
    let tail = run(&[
        "tail",
        "t",
        "--from",
        "earliest",
        "--count",
        "10",
        "--json",
        "--url",
        &server.url(),
    ]);
    let lines = String::from_utf8_lossy(&tail.stdout).into_owned();
    assert_eq!(lines.lines().count(), 10, "{}", text(&tail));
    let lost: Vec<&str> = lines.lines().filter(|line| line.contains("tidewire-lost")).collect();
    assert_eq!(lost.len(), 1, "{lines}");
    assert!(lost[0].contains("\"offset\":4"), "{}", lost[0]);
    append(&mut server.connect(), 1);
}

#[test]
fn a_cut_ends_the_log_before_the_damage() {
    let (_own, data) = stopped_with(10, false);
    let len = fs::metadata(segment(&data)).expect("there").len() as usize;
    flip(&segment(&data), len / 10 * 6 + 10);
    let (code, said) = doctor(&data, &["--repair", "--accept-loss", "cut", "--yes", "--json"]);
    assert_eq!(code, 0, "{said}");
    let (losses, json) = said.split_once('{').map_or(("", ""), |(_, rest)| (rest, rest));
    let json: serde_json::Value =
        serde_json::from_str(&format!("{{{}", json.lines().next().unwrap_or(losses)))
            .expect("JSON");
    assert_eq!(json["repaired"][0]["lost_offsets"]["start"], 6);
    assert_eq!(json["repaired"][0]["lost_offsets"]["end"], 10);
    let server = TestServer::start_in(&data);
    let mut client = server.connect();
    append(&mut client, 1);
    assert_eq!(fetch(&mut client, 6).expect("appended after the cut"), [6, 7]);
}

#[test]
fn a_damaged_catalog_is_named_and_a_missing_one_loses_no_log() {
    let (_own, data) = stopped_with(3, false);
    let catalog = data.join("catalog.redb");
    let good = fs::read(&catalog).expect("there");
    let mut bad = good.clone();
    for byte in &mut bad[..512] {
        *byte ^= 0xff;
    }
    fs::write(&catalog, bad).expect("writable");
    let (code, said) = doctor(&data, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("catalog.redb") && said.contains("backup"), "{said}");
    assert!(said.contains("3 good batches"), "logs are checked all the same: {said}");

    fs::remove_file(&catalog).expect("there");
    let (code, said) = doctor(&data, &[]);
    assert_eq!(code, 1, "{said}");
    let serve = run(&[
        "serve",
        "--dev",
        "--listen",
        "127.0.0.1:0",
        "--data",
        data.to_str().expect("UTF-8"),
    ]);
    assert!(!serve.status.success());
    assert!(text(&serve).contains("restore it from a backup"), "{}", text(&serve));
    assert!(segment(&data).exists(), "a new catalog would have had the logs removed");
    fs::write(&catalog, good).expect("writable");
    assert_eq!(doctor(&data, &[]).0, 0);
    let server = TestServer::start_in(&data);
    assert_eq!(fetch(&mut server.connect(), 2).expect("readable"), [2, 3]);
}

#[test]
fn a_backup_that_cannot_be_made_says_why() {
    let server = TestServer::start();
    let data = server.data().to_str().expect("UTF-8").to_owned();
    let own = tempfile::tempdir().expect("a temporary directory");
    fs::write(own.path().join("thesis.txt"), "years of work").expect("writable");
    let inside = server.data().join("copy");
    for (out, why) in [(own.path(), "not empty"), (&inside, "lies in the data directory")] {
        let output = run(&["backup", &data, out.to_str().expect("UTF-8")]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output).contains(why), "{}", text(&output));
    }
    let output = run(&["backup", "/nowhere", own.path().to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("/nowhere"), "{}", text(&output));
    server.assert_serves();
}

fn serve_fails(data: &Path) -> String {
    let dir = data.to_str().expect("UTF-8");
    let serve = run(&["serve", "--dev", "--listen", "127.0.0.1:0", "--data", dir]);
    assert!(!serve.status.success());
    text(&serve)
}

#[test]
fn groups_are_looked_at_and_held_against_the_logs() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let data = own.path().join("data");
    let mut server = TestServer::start_in(&data);
    let mut client = server.connect();
    client.create_topic("t", 1).expect("new");
    append(&mut client, 3);
    let offset = StoreOffset {
        stream: "default".into(),
        topic: "t".into(),
        partition: 0,
        topic_id: 0,
        offset: 3,
        note: String::new(),
    };
    let offsets = vec![offset];
    let store = OffsetStore { group: "billing".into(), member_id: 0, member_epoch: 0, offsets };
    client.call(0, &store).expect("within the log");
    assert!(server.terminate().success());
    let (code, said) = doctor(&data, &[]);
    assert!(code == 0 && said.contains("1 group"), "{said}");

    // The last batch is torn, and its index gone with it.
    let log = segment(&data);
    let bytes = fs::read(&log).expect("there");
    fs::write(&log, &bytes[..bytes.len() - 8]).expect("writable");
    fs::remove_file(log.with_extension("index")).expect("a clean stop writes it");
    let (code, said) = doctor(&data, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("\"billing\" has read up to offset 3, the log ends at 2"), "{said}");
    fs::write(&log, bytes).expect("writable");
    assert_eq!(doctor(&data, &["--repair"]).0, 0);

    let groups = data.join("groups.redb");
    let good = fs::read(&groups).expect("there");
    let mut bad = good.clone();
    bad[..512].iter_mut().for_each(|byte| *byte ^= 0xff);
    fs::write(&groups, bad).expect("writable");
    let (code, said) = doctor(&data, &["--json"]);
    assert!(
        code == 1
            && said.contains("\"fault\":\"groups\"") | said.contains("\"fault\": \"groups\""),
        "{said}"
    );
    let said = serve_fails(&data);
    assert!(said.contains("groups.redb"), "{said}");
    fs::remove_file(&groups).expect("there");
    let (code, said) = doctor(&data, &[]);
    assert!(code == 1 && said.contains("groups.redb") && said.contains("backup"), "{said}");
    fs::write(&groups, good).expect("writable");
    assert_eq!(doctor(&data, &[]).0, 0);
}

//! What a real server does on a real disk that is full, and on one that fails to sync.
//!
//! The full disks are file systems of their own, mounted for the test, which needs the right to
//! mount; the failing sync is the C library's own call, replaced in the server's process. Where
//! the machine does not allow one of these, the test says SKIPPED on stdout.

mod support;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::raw::{RawClient, batch};
use support::server::{TestServer, run, tidewire};
use tempfile::TempDir;
use tidewire_protocol::batch::{Batch, Header};
use tidewire_protocol::connection::ClientConnection;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{Acks, Fetch};

/// Says that a test did not run. The test harness keeps only what is printed by macros.
fn skipped(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stdout(), "SKIPPED: {test}: {why}");
}

/// A file system of its own, unmounted when dropped.
struct Mount {
    own: TempDir,
}

impl Mount {
    fn path(&self) -> PathBuf {
        self.own.path().join("mnt")
    }

    fn new(what: &str, size: u64) -> Result<Self, String> {
        let own = tempfile::tempdir().map_err(|error| error.to_string())?;
        let point = own.path().join("mnt");
        fs::create_dir(&point).map_err(|error| error.to_string())?;
        let mut mount = Command::new("mount");
        if what == "tmpfs" {
            mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]);
        } else {
            let image = own.path().join("image");
            let file = fs::File::create(&image).map_err(|error| error.to_string())?;
            file.set_len(size).map_err(|error| error.to_string())?;
            let mut mkfs = Command::new("mkfs.ext4");
            succeed(mkfs.args(["-q", "-F", "-m", "0"]).arg(&image))?;
            mount.args(["-o", "loop"]).arg(&image);
        }
        succeed(mount.arg(&point))?;
        Ok(Self { own })
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // The server is gone: it is dropped before.
        let unmounted = succeed(Command::new("umount").arg(self.path()));
        if let Err(error) = unmounted
            && !std::thread::panicking()
        {
            panic!("{error}");
        }
    }
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("{command:?} ended with {}: {said}", output.status))
}

/// Large, so that a disk is full after few syncs.
const VALUE_BYTES: usize = 200_000;

fn value(number: u64) -> Vec<u8> {
    let mut value = format!("record {number} ").into_bytes();
    value.resize(VALUE_BYTES, number as u8);
    value
}

fn append(
    client: &mut RawClient,
    channel: u32,
    partition: u32,
    number: u64,
) -> Result<u64, Error> {
    let batch = batch(&[&value(number)]);
    client.append(channel, partition, Acks::Synced, batch).map(|reply| reply.base_offset)
}

/// The value of the one record at `offset`.
fn read(client: &mut RawClient, partition: u32, offset: u64) -> Result<Vec<u8>, Error> {
    let channel = client.channel();
    let request = Fetch {
        stream: "default".into(),
        topic: "t".into(),
        partition,
        offset,
        max_bytes: 1,
        min_bytes: 0,
        max_wait_ms: 0,
    };
    let id = client.submit(channel, &request, &[]);
    let frame = client.wait_frame(id)?;
    ClientConnection::decode_reply::<Fetch>(&frame)?;
    let len = Header::parse(&frame.payload).expect("a batch").total_len as usize;
    let batch = Batch::decode(frame.payload.slice(..len)).expect("a good batch");
    assert_eq!(batch.header().base_offset, offset);
    Ok(batch.get(0).and_then(|record| record.value()).expect("a value").to_vec())
}

fn a_full_disk_refuses_appends_serves_reads_and_recovers(what: &str, size: u64) {
    let mount = match Mount::new(what, size) {
        Ok(mount) => mount,
        Err(error) => return skipped(&error),
    };
    let data = mount.path().join("data");
    let ballast = mount.path().join("ballast");
    fs::write(&ballast, vec![7; 4 << 20]).expect("room");

    let server = TestServer::start_in(&data);
    let mut client = server.connect();
    client.create_topic("t", 2).expect("new");
    let (channel, _) = client.open("t").expect("the topic exists");
    let mut acknowledged = Vec::new();
    let refused = loop {
        let number = acknowledged.len() as u64;
        assert!(number * (VALUE_BYTES as u64) < size, "it is full before {number} records");
        match append(&mut client, channel, 0, number) {
            Ok(offset) => acknowledged.push((offset, number)),
            Err(error) => break error,
        }
    };
    assert!(acknowledged.len() > 30, "{refused}");
    assert_eq!(refused.code, Code::DISK_FULL, "{refused}");
    assert!(refused.is_retriable() && !refused.is_outcome_unknown(), "{refused}");

    // Full to the last byte, for the catalog too.
    while append(&mut client, channel, 1, 0).is_ok() {}
    let mut filler =
        fs::File::create(mount.path().join("filler")).expect("a name takes no room");
    while filler.write_all(&[0; 4096]).is_ok() {}
    for _ in 0..3 {
        let again = append(&mut client, channel, 0, 1).expect_err("still full");
        assert_eq!(again.code, Code::DISK_FULL, "{again}");
    }
    for &(offset, number) in acknowledged.iter().step_by(7).chain(acknowledged.last()) {
        assert_eq!(read(&mut client, 0, offset).expect("readable"), value(number));
    }
    // The catalog may have some room of its own. Once it refuses, it must not do so for good.
    let created = client.create_topic("more", 1);
    if let Err(error) = &created {
        assert_eq!(error.code, Code::DISK_FULL, "{error}");
    }
    let described = run(&["topic", "describe", "t", "--json", "--url", &server.url()]);
    let described = String::from_utf8_lossy(&described.stdout).into_owned();
    assert!(described.contains("\"error\":null"), "a full disk is no damage: {described}");

    // Room: the same server goes on by itself.
    drop(filler);
    fs::remove_file(mount.path().join("filler")).expect("there");
    fs::remove_file(&ballast).expect("there");
    // Not all of it: the catalog reserves a mebibyte before it changes anything.
    for number in 1000..1010 {
        let offset = append(&mut client, channel, 0, number).expect("there is room again");
        acknowledged.push((offset, number));
    }
    if created.is_err() {
        client.create_topic("more", 1).expect("the catalog goes on, too");
    }
    client.create_topic("yet more", 1).expect("the catalog goes on, too");
    assert!(client.open("more").is_ok());

    server.kill();
    let report = run(&["doctor", data.to_str().expect("UTF-8")]);
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stdout));
    let server = TestServer::start_in(&data);
    let mut client = server.connect();
    for &(offset, number) in &acknowledged {
        assert_eq!(read(&mut client, 0, offset).expect("readable"), value(number));
    }
    client.open("more").expect("created");
    server.kill();
}

#[test]
fn a_full_tmpfs_refuses_appends_serves_reads_and_recovers() {
    a_full_disk_refuses_appends_serves_reads_and_recovers("tmpfs", 16 << 20);
}

#[test]
fn a_full_ext4_refuses_appends_serves_reads_and_recovers() {
    a_full_disk_refuses_appends_serves_reads_and_recovers("ext4", 32 << 20);
}

/// `fdatasync` and `fsync` that fail with EIO for files whose path holds the text in the file
/// that `TIDEWIRE_TEST_FAIL_SYNC` names, as long as there is one.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int fd) {
    char text[256] = {0}, link[64], path[4096] = {0};
    const char *name = getenv("TIDEWIRE_TEST_FAIL_SYNC");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (got <= 0 || readlink(link, path, sizeof path - 1) < 0) return 0;
    return strstr(path, text) != NULL;
}

int fdatasync(int fd) {
    int (*next)(int) = dlsym(RTLD_NEXT, "fdatasync");
    if (fails(fd)) { errno = EIO; return -1; }
    return next(fd);
}

int fsync(int fd) {
    int (*next)(int) = dlsym(RTLD_NEXT, "fsync");
    if (fails(fd)) { errno = EIO; return -1; }
    return next(fd);
}
"#;

#[test]
fn a_failed_fsync_fences_the_partition_until_a_restart() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let (source, shim) = (own.path().join("shim.c"), own.path().join("shim.so"));
    fs::write(&source, SHIM).expect("writable");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(&source).arg("-ldl");
    if let Err(error) = succeed(&mut compiler) {
        return skipped(&error);
    }
    let data = own.path().join("data");
    let switch = own.path().join("switch");
    let mut command = tidewire();
    command.env("LD_PRELOAD", &shim).env("TIDEWIRE_TEST_FAIL_SYNC", &switch);
    let server = TestServer::start_by(command, &data, &["--shards", "2"]);
    let mut client = server.connect();
    client.create_topic("t", 2).expect("new");
    let (channel, _) = client.open("t").expect("the topic exists");
    for number in 0..5 {
        append(&mut client, channel, 0, number).expect("the disk is fine");
    }

    fs::write(&switch, "/topics/1/0/").expect("writable");
    let error = append(&mut client, channel, 0, 5).expect_err("its sync fails");
    assert_eq!(error.code, Code::PARTITION_FENCED, "{error}");
    assert!(error.is_outcome_unknown() && !error.is_retriable(), "{error}");
    assert!(error.to_string().contains("Input/output error"), "{error}");

    // The disk is fine again, but what it holds is not known: no sync is tried as if nothing had
    // happened.
    fs::remove_file(&switch).expect("there");
    for acks in [Acks::Synced, Acks::Written] {
        let error = client
            .append(channel, 0, acks, batch(&[b"x"]))
            .expect_err("fenced until it is opened again");
        assert_eq!(error.code, Code::PARTITION_FENCED, "{error}");
        assert!(!error.is_outcome_unknown(), "nothing was tried: {error}");
    }
    for offset in 0..5 {
        assert_eq!(read(&mut client, 0, offset).expect("it was synced"), value(offset));
    }
    read_ends_at(&mut client, 5);
    let described = run(&["topic", "describe", "t", "--url", &server.url()]);
    let described = String::from_utf8_lossy(&described.stdout).into_owned();
    assert!(described.contains("PARTITION_FENCED"), "{described}");
    append(&mut client, channel, 1, 0).expect("the other partition is not concerned");
    server.kill();

    let server = TestServer::start_in(&data);
    let mut client = server.connect();
    let (channel, _) = client.open("t").expect("the topic exists");
    for offset in 0..5 {
        assert_eq!(read(&mut client, 0, offset).expect("it was synced"), value(offset));
    }
    let offset = append(&mut client, channel, 0, 6).expect("a restart lifts the fence");
    assert!(offset == 5 || offset == 6, "the batch that failed may be there: {offset}");
    server.kill();
    let report = run(&["doctor", Path::new(&data).to_str().expect("UTF-8")]);
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stdout));
}

/// Nothing unsynced is shown.
fn read_ends_at(client: &mut RawClient, end: u64) {
    let channel = client.channel();
    let request = Fetch {
        stream: "default".into(),
        topic: "t".into(),
        partition: 0,
        offset: end,
        max_bytes: 1,
        min_bytes: 0,
        max_wait_ms: 0,
    };
    let id = client.submit(channel, &request, &[]);
    match client.wait_frame(id) {
        Ok(frame) => assert!(frame.payload.is_empty(), "an unsynced record is shown"),
        Err(error) => assert_eq!(error.code, Code::PARTITION_FENCED, "{error}"),
    }
}

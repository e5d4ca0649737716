//! A server that encrypts what it stores, as a process: what lies on the disk, keys that change and
//! keys that are missing, and the tools beside it.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use support::server::{TestServer, run, tidewire};
use tidewire::{Client, Code, Record, Start, TopicConfig};

/// What no file may have.
const SECRET: &str = "the wind over Terschelling is 17 knots";

fn keygen(id: u32) -> String {
    let output = run(&["keygen", "--id", &id.to_string()]);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Files under a directory that have the text.
fn with_text(directory: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(with_text(&path, text));
        } else {
            let bytes = fs::read(&path).expect("readable");
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path);
            }
        }
    }
    found
}

async fn send(server: &TestServer, count: usize) {
    let client = Client::connect(&server.url()).await.expect("connects");
    let producer = client.producer("t").open().await.expect("opens");
    for _ in 0..count {
        producer.send(Record::new(SECRET)).await.expect("synced");
    }
    client.close().await.expect("closes");
}

async fn read(server: &TestServer, count: usize) -> Result<(), tidewire::Error> {
    let client = Client::connect(&server.url()).await.expect("connects");
    let mut consumer = client.consumer("t").start(Start::Earliest).open().await?;
    let mut seen = 0;
    while seen < count {
        let batch = consumer.next_batch().await?.expect("there is more");
        for record in batch.records() {
            assert_eq!(record.value(), Some(SECRET.as_bytes()));
            seen += 1;
        }
    }
    Ok(())
}

struct Place {
    own: tempfile::TempDir,
    keys: PathBuf,
}

impl Place {
    fn new() -> Self {
        let own = tempfile::tempdir().expect("a directory");
        let keys = own.path().join("keys");
        Self { own, keys }
    }

    fn data(&self) -> PathBuf {
        self.own.path().join("data")
    }

    fn start(&self) -> TestServer {
        let keys = self.keys.to_str().expect("UTF-8");
        TestServer::start_with(&self.data(), &["--at-rest-key-file", keys])
    }

    fn with_keys(&self, arguments: &[&str]) -> Output {
        let keys = self.keys.to_str().expect("UTF-8");
        run(&[arguments, &["--at-rest-key-file", keys]].concat())
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_stores_is_encrypted_and_keys_can_be_changed() {
    let place = Place::new();
    let (first, second) = (keygen(1), keygen(2));
    fs::write(&place.keys, &first).expect("written");
    let mut server = place.start();
    server.wait_for_log("encrypted at rest");
    let root = Client::connect(&server.url()).await.expect("connects");
    root.create_topic("t", TopicConfig::default()).await.expect("created");
    send(&server, 3).await;
    read(&server, 3).await.expect("readable");
    assert!(!server.log().contains("twk_"), "a key is in the log");
    assert!(server.terminate().success());
    assert_eq!(with_text(&place.data(), SECRET), Vec::<PathBuf>::new());

    // The key changes, and one that was killed goes on.
    fs::write(&place.keys, format!("{first}{second}")).expect("written");
    let server = place.start();
    send(&server, 2).await;
    read(&server, 5).await.expect("readable");
    server.kill();
    let mut server = place.start();
    send(&server, 1).await;
    read(&server, 6).await.expect("readable");

    // Beside the server, and after it.
    let (data, copy) = (place.data(), place.own.path().join("copy"));
    let (data, copied) = (data.to_str().expect("UTF-8"), copy.to_str().expect("UTF-8"));
    let output = place.with_keys(&["backup", data, copied]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(server.terminate().success());
    assert_eq!(with_text(place.own.path(), SECRET), Vec::<PathBuf>::new());
    for directory in [data, copied] {
        let output = place.with_keys(&["doctor", directory]);
        assert!(output.status.success(), "{}", text(&output));
    }
    fs::write(&place.keys, &second).expect("written");
    let keys = place.keys.to_str().expect("UTF-8");
    let server = TestServer::start_with(&copy, &["--at-rest-key-file", keys]);
    read(&server, 6).await.expect("a copy has the last key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_missing_is_named_and_nothing_is_lost() {
    let place = Place::new();
    let (first, second) = (keygen(1), keygen(2));
    fs::write(&place.keys, &first).expect("written");
    let server = place.start();
    let root = Client::connect(&server.url()).await.expect("connects");
    root.create_topic("t", TopicConfig::default()).await.expect("created");
    root.create_topic("other", TopicConfig::default()).await.expect("created");
    send(&server, 3).await;
    server.kill();

    let other = [None, Some(format!("{second}# of spring\n")), Some(keygen(1))];
    for (keys, says) in
        other.into_iter().zip(["no encryption key", "only key 2", "another key 1"])
    {
        let server = match keys {
            Some(keys) => {
                fs::write(&place.keys, keys).expect("written");
                place.start()
            }
            None => TestServer::start_in(&place.data()),
        };
        let error = read(&server, 3).await.expect_err("unreadable");
        assert_eq!(error.code(), Code::PARTITION_CORRUPT, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        // The others are not concerned.
        let client = Client::connect(&server.url()).await.expect("connects");
        let producer = client.producer("other").open().await.expect("opens");
        producer.send(Record::new("x")).await.expect("synced");
        // Nor are names.
        client.list_topics("default").await.expect("listed");
        client.purge_topic("other").await.expect("purged");
        client.delete_topic("other").await.expect("deleted");
        client.create_topic("other", TopicConfig::default()).await.expect("created");
        server.kill();
    }
    let data = place.data();
    let data = data.to_str().expect("UTF-8");
    let output = run(&["doctor", data]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("with key 1"), "{}", text(&output));
    let output = run(&["backup", data, place.own.path().join("copy").to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("with key 1"), "{}", text(&output));

    fs::write(&place.keys, &first).expect("written");
    let server = place.start();
    read(&server, 3).await.expect("the key is back");
}

#[test]
fn a_file_of_keys_is_read_before_anything_else() {
    let place = Place::new();
    let data = place.data();
    let serve =
        ["serve", "--dev", "--listen", "127.0.0.1:0", "--data", data.to_str().expect("UTF-8")];
    for (keys, says) in [
        (None, "No such file"),
        (Some("# nothing yet\n"), "has no key"),
        (Some("twk_1_00"), "key 1 was cut or changed"),
    ] {
        if let Some(keys) = keys {
            fs::write(&place.keys, keys).expect("written");
        }
        for arguments in [&serve[..], &["doctor", "."], &["backup", ".", "out"]] {
            let output = place.with_keys(arguments);
            assert!(!output.status.success());
            let said = text(&output);
            assert!(said.contains(says) && said.contains("keys"), "{said}");
        }
    }
    assert!(!data.exists(), "nothing was made");
    // The environment and a file of settings do as well.
    let mut command = tidewire();
    command.args(serve).env("TIDEWIRE_AT_REST_KEY_FILE", &place.keys);
    let output = command.output().expect("the binary runs");
    assert!(text(&output).contains("key 1 was cut"), "{}", text(&output));
    let config = place.own.path().join("config.toml");
    let keys = place.keys.to_str().expect("UTF-8");
    fs::write(&config, format!("at_rest_key_file = \"{keys}\"\n")).expect("written");
    let output = run(&["config", "check", config.to_str().expect("UTF-8")]);
    assert!(text(&output).contains("key 1 was cut"), "{}", text(&output));
}

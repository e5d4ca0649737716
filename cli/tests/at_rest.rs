//! A server that encrypts what it stores, as a process: what lies on the disk, keys that change and
//! keys that are missing, and the tools beside it.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
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
    found.sort();
    found
}

async fn send(server: &TestServer, count: usize) {
    let client = Client::connect(&server.url()).await.expect("connects");
    let producer = client.producer("t").build().await.expect("opens");
    for _ in 0..count {
        producer.send(Record::new(SECRET)).await.expect("synced");
    }
    client.close().await.expect("closes");
}

async fn read(server: &TestServer, count: usize) -> Result<(), tidewire::Error> {
    let client = Client::connect(&server.url()).await.expect("connects");
    let mut consumer = client.consumer("t").start(Start::Earliest).build().await?;
    let mut seen = 0;
    while seen < count {
        let batch = consumer.next_batch().await?.expect("there is more");
        for record in &batch {
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

    fn data_text(&self) -> String {
        self.data().to_str().expect("UTF-8").to_owned()
    }

    fn write_keys(&self, text: &str) {
        fs::write(&self.keys, text).expect("written");
        fs::set_permissions(&self.keys, fs::Permissions::from_mode(0o600)).expect("it is ours");
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
    place.write_keys(&first);
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
    place.write_keys(&format!("{first}{second}"));
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
        let both = ["with key 1", "with key 2"].map(|key| text(&output).contains(key));
        assert_eq!(both, [directory == data, true], "{}", text(&output));
    }
    place.write_keys(&second);
    let keys = place.keys.to_str().expect("UTF-8");
    let server = TestServer::start_with(&copy, &["--at-rest-key-file", keys]);
    read(&server, 6).await.expect("a copy has the last key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_missing_is_named_and_nothing_is_lost() {
    let place = Place::new();
    let (first, second) = (keygen(1), keygen(2));
    place.write_keys(&first);
    let server = place.start();
    let root = Client::connect(&server.url()).await.expect("connects");
    root.create_topic("t", TopicConfig::default()).await.expect("created");
    send(&server, 3).await;
    server.kill();
    let both = format!("{first}{second}");
    place.write_keys(&both);
    let server = place.start();
    let root = Client::connect(&server.url()).await.expect("connects");
    root.create_topic("other", TopicConfig::default()).await.expect("created");
    server.kill();

    // An old key was taken out too early.
    let spring = format!("{second}# of spring\n");
    for (keys, says) in
        [(spring, "only key 2"), (format!("{}{second}", keygen(1)), "another key 1")]
    {
        place.write_keys(&keys);
        let server = place.start();
        let error = read(&server, 3).await.expect_err("unreadable");
        assert_eq!(error.code(), Code::PARTITION_CORRUPT, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        // The others are not concerned.
        let client = Client::connect(&server.url()).await.expect("connects");
        let producer = client.producer("other").build().await.expect("opens");
        producer.send(Record::new("x")).await.expect("synced");
        // Nor are names.
        client.list_topics("default").await.expect("listed");
        client.purge_topic("other").await.expect("purged");
        client.delete_topic("other").await.expect("deleted");
        client.create_topic("other", TopicConfig::default()).await.expect("created");
        server.kill();
        let output = place.with_keys(&["doctor", &place.data_text()]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert!(text(&output).contains(says), "{}", text(&output));
    }

    // That for new files is not there: nothing begins, and nothing is written as it is.
    let (data, copy) = (place.data_text(), place.own.path().join("copy"));
    let copied = copy.to_str().expect("UTF-8");
    let serve = ["serve", "--dev", "--listen", "127.0.0.1:0", "--data", &data];
    let commands = [&serve[..], &["doctor", &data], &["backup", &data, copied]];
    place.write_keys(&first);
    for arguments in commands {
        for (output, says) in [
            (run(arguments), "with key 2: there is no encryption key"),
            (place.with_keys(arguments), "with key 2: there is only key 1"),
        ] {
            assert!(!output.status.success());
            let said = text(&output);
            assert!(said.contains(says) && said.contains("at_rest_key_file"), "{said}");
        }
    }
    assert!(!copy.exists(), "nothing was made");

    place.write_keys(&both);
    let server = place.start();
    read(&server, 3).await.expect("the key is back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_before_is_encrypted_from_now_on() {
    let place = Place::new();
    let server = TestServer::start_in(&place.data());
    let root = Client::connect(&server.url()).await.expect("connects");
    root.create_topic("t", TopicConfig::default()).await.expect("created");
    send(&server, 2).await;
    server.kill();
    let before = with_text(&place.data(), SECRET);
    assert!(!before.is_empty(), "records are found as they are");
    place.write_keys(&keygen(1));
    let mut server = place.start();
    send(&server, 2).await;
    read(&server, 4).await.expect("readable");
    assert!(server.terminate().success());
    assert_eq!(with_text(&place.data(), SECRET), before);
    let output = place.with_keys(&["doctor", &place.data_text()]);
    assert!(output.status.success(), "{}", text(&output));
    let said = text(&output);
    assert!(said.contains("with key 1") && !said.contains("0 files are not"), "{said}");
}

#[test]
fn a_file_of_keys_is_read_before_anything_else() {
    let place = Place::new();
    let data = place.data_text();
    let serve = ["serve", "--dev", "--listen", "127.0.0.1:0", "--data", &data];
    let good = keygen(1);
    let long = format!("{good}# {}\n", "x".repeat(64 << 10));
    let twice = format!("{good}{}", keygen(1));
    for (keys, mode, says) in [
        (None, 0o600, "No such file"),
        (Some("# nothing yet\n"), 0o600, "has no key"),
        (Some("twk_1_00"), 0o600, "key 1 was cut or changed"),
        (Some(twice.as_str()), 0o600, "two encryption keys with the number 1"),
        (Some(long.as_str()), 0o600, "more than 65536 bytes"),
        (Some(good.as_str()), 0o644, "others may read or change it (mode 644)"),
        (Some(good.as_str()), 0o620, "others may read or change it (mode 620)"),
    ] {
        if let Some(keys) = keys {
            place.write_keys(keys);
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(&place.keys, permissions).expect("it is ours");
        }
        for arguments in [&serve[..], &["doctor", "."], &["backup", ".", "out"]] {
            let output = place.with_keys(arguments);
            assert!(!output.status.success());
            let said = text(&output);
            let named = said.contains(place.keys.to_str().expect("UTF-8"));
            assert!(said.contains(says) && named, "{said}");
            assert!(!said.contains(&good[8..20]), "a key is shown");
        }
    }
    assert!(!place.data().exists(), "nothing was made");
    // The environment and a file of settings do as well.
    place.write_keys("twk_1_00");
    let mut command = tidewire();
    command.args(serve).env("TIDEWIRE_AT_REST_KEY_FILE", &place.keys);
    let output = command.output().expect("the binary runs");
    assert!(text(&output).contains("key 1 was cut"), "{}", text(&output));
    let config = place.own.path().join("config.toml");
    let keys = place.keys.to_str().expect("UTF-8");
    let settings = format!("data = \"{data}\"\nat_rest_key_file = \"{keys}\"\n");
    fs::write(&config, settings).expect("written");
    let output = run(&["config", "check", config.to_str().expect("UTF-8")]);
    assert!(text(&output).contains("key 1 was cut"), "{}", text(&output));
}

//! The audit log of the real process, and its settings checked beforehand.

mod support;

use std::path::Path;

use serde_json::Value;
use support::server::{TestServer, run};
use tidewire::{Client, Grant, Secret, TopicConfig};

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("readable");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_what_and_what_was_refused_is_in_the_audit_log() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("audit.jsonl");
    let arguments = ["--audit-log", log.to_str().expect("a path of our own"), "--log", "error"];
    let server = TestServer::start_secured_with(&dir.path().join("data"), &arguments);
    let root = Client::connect(&server.socket_url()).await.expect("the server's own user");
    root.create_topic("t", TopicConfig::default()).await.expect("created");
    let password = Secret::new("sesame");
    let grants = [Grant::topic("default/t").read()];
    root.create_user("ada", Some(&password), &grants).await.expect("created");
    let token = root.create_token(Some("ada"), "laptop", None).await.expect("created");
    let ada = Client::connect(&server.url_of("ada", "sesame")).await.expect("in");
    ada.delete_topic("t").await.expect_err("denied");
    Client::connect(&server.url_of("ada", "wrong")).await.expect_err("refused");

    let found = lines(&log);
    let has = |wanted: &[(&str, &str)]| {
        let all = |line: &Value| {
            wanted.iter().all(|(name, value)| {
                line[name].as_str().is_some_and(|text| text.contains(value))
            })
        };
        assert!(found.iter().any(all), "{wanted:?} is not in {found:#?}");
    };
    has(&[
        ("event", "administration"),
        ("user", "root"),
        ("kind", "TOPIC_CREATE"),
        ("on", "default/t"),
    ]);
    has(&[("event", "create user ada"), ("by", "root"), ("peer", "unix:uid=")]);
    has(&[("event", "create token \"laptop\" of user ada"), ("by", "root")]);
    has(&[("event", "logged in"), ("user", "ada"), ("peer", "127.0.0.1:")]);
    has(&[("event", "refused"), ("user", "ada"), ("kind", "TOPIC_DELETE")]);
    has(&[("event", "login failed"), ("user", "ada")]);
    assert!(found.iter().all(|line| line["time"].as_str().is_some_and(|t| t.ends_with('Z'))));
    let text = std::fs::read_to_string(&log).expect("readable");
    assert!(!text.contains("sesame") && !text.contains(token.secret.expose()), "{text}");

    // It can be moved away.
    std::fs::rename(&log, dir.path().join("audit.1")).expect("moved");
    server.hang_up();
    let patience = std::time::Instant::now() + support::raw::PATIENCE;
    while !log.exists() {
        assert!(std::time::Instant::now() < patience, "the file never came back");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    ada.delete_topic("t").await.expect_err("denied");
    assert_eq!(lines(&log).len(), 1);
}

#[test]
fn settings_are_checked_without_a_server() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("tidewire.toml");
    let check = |text: &str| {
        std::fs::write(&file, text).expect("written");
        let output = run(&["config", "check", file.to_str().expect("a path of our own")]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = check("data = \"d\"\nlisten = \"0.0.0.0:1\"\ntls_self_signed = true\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(!Path::new("d").exists(), "checking made something");
    for (text, says) in [
        ("shard = 2", "did you mean shards?"),
        ("shards = \"two\"", "shards"),
        ("data = \"d\"\nshards = 0", "1 to 256"),
        ("listen = \"127.0.0.1:1\"", "--data"),
        ("dev = true\nlisten = \"0.0.0.0:1\"", "loopback"),
        ("data = \"d\"\ntls_cert = \"/nowhere\"", "tls_key"),
        ("data = \"d\"\ntls_cert = \"/nowhere\"\ntls_key = \"/nowhere\"", "/nowhere"),
        ("data = \"d\"\nlog = \"tidewire=loud\"", "filter"),
    ] {
        let (code, said) = check(text);
        assert_eq!(code, Some(1), "{text}: {said}");
        assert!(said.contains(says), "{text}: {said}");
    }
}

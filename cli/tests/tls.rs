//! TLS on the real process: whose certificates are believed, who a client is by its own, and new
//! certificates while connections go on.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use support::raw::PATIENCE;
use support::server::TestServer;
use tidewire::{Client, ClientBuilder, Code, Error, Grant, Record, Secret, Start, TopicConfig};

/// Makes certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: PathBuf,
}

impl Authority {
    fn new(directory: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let root = directory.join(format!("{name}.pem"));
        std::fs::write(&root, params.self_signed(&key).expect("signed").pem())
            .expect("written");
        Self { issuer: Issuer::new(params, key), root }
    }

    /// Writes a certificate for a name, and its key.
    fn issue(&self, cert: &Path, key: &Path, name: &str) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let pair = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&pair, &self.issuer).expect("signed");
        std::fs::write(cert, signed.pem()).expect("written");
        std::fs::write(key, pair.serialize_pem()).expect("written");
    }
}

struct World {
    dir: tempfile::TempDir,
    ours: Authority,
    theirs: Authority,
    server: TestServer,
    root: Client,
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of our own")
}

impl World {
    /// A server with a certificate of `ours` for 127.0.0.1.
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let ours = Authority::new(dir.path(), "ours");
        let theirs = Authority::new(dir.path(), "theirs");
        let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        ours.issue(&cert, &key, "127.0.0.1");
        let arguments = ["--tls-cert", text(&cert), "--tls-key", text(&key)];
        let clients = ["--tls-client-ca", text(&ours.root)];
        let data = dir.path().join("data");
        let server =
            TestServer::start_secured_with(&data, &[&arguments[..], &clients[..]].concat());
        let root = Client::connect(&server.socket_url()).await.expect("the server's own user");
        Self { dir, ours, theirs, server, root }
    }

    fn url(&self) -> String {
        format!("tidewire+tls://{}", self.server.address)
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder().url(self.url()).tls_ca_file(text(&self.ours.root))
    }

    async fn user(&self, name: &str) {
        let password = Secret::new("pw");
        let grants = [Grant::topic("*").read().write()];
        self.root.create_user(name, Some(&password), &grants).await.expect("created");
    }
}

fn refused(result: Result<Client, Error>, code: Code, says: &str) {
    let error = result.expect_err("refused");
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

/// SPEC A-5
#[tokio::test(flavor = "multi_thread")]
async fn records_travel_encrypted_and_logins_are_bound_to_the_connection() {
    let world = World::new().await;
    world.user("ada").await;
    world.root.create_topic("t", TopicConfig::default()).await.expect("created");
    // By password and by token: both proofs hold what only this connection's ends know.
    let ada =
        world.builder().user("ada").secret(Secret::new("pw")).connect().await.expect("in");
    let token = ada.create_token(None, "laptop", None).await.expect("created");
    let by_token = world.builder().secret(token.secret).connect().await.expect("in");
    let producer = ada.producer("t").build().await.expect("open");
    // More than fits any buffer on the way, in both directions.
    let mut values: Vec<Vec<u8>> = (0..40u8).map(|n| vec![n; 100_000]).collect();
    for value in &values {
        producer.enqueue(Record::new(value.clone())).expect("room");
    }
    producer.flush().await.expect("sent");
    // And large ones with pauses between: the server reads with large buffers, and waits without.
    for n in 40..50u8 {
        values.push(vec![n; 700_000]);
        producer.send(Record::new(vec![n; 700_000])).await.expect("acknowledged");
    }
    let mut consumer =
        by_token.consumer("t").start(Start::Earliest).build().await.expect("open");
    let mut found = Vec::new();
    while found.len() < values.len() {
        let batch =
            tokio::time::timeout(PATIENCE, consumer.next_batch()).await.expect("in time");
        for record in &batch.expect("a batch").expect("more") {
            found.push(record.value().expect("a value").to_vec());
        }
    }
    assert_eq!(found, values);
}

/// SPEC A-11
#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_believed_only_for_its_name_and_root() {
    let world = World::new().await;
    let plain = |url: String| Client::builder().url(url);
    let theirs = plain(world.url()).tls_ca_file(text(&world.theirs.root)).connect().await;
    refused(theirs, Code::CONNECT_FAILED, "tls_ca_file");
    let port = world.server.address.port();
    let other = plain(format!("tidewire+tls://localhost:{port}"))
        .tls_ca_file(text(&world.ours.root))
        .connect();
    refused(other.await, Code::CONNECT_FAILED, "another name");
    // The one way around it; who the client is is asked all the same.
    let danger = plain(world.url()).tls_danger("trust-any-server").connect().await;
    refused(danger, Code::AUTH_REQUIRED, "credentials");
    for (builder, says) in [
        (plain(world.url()).tls_danger("yes"), "trust-any-server"),
        (plain(world.url()).tls_ca_file("/nowhere"), "tls_ca_file"),
        (world.builder().tls_cert_file("/nowhere"), "tls_key_file"),
        (plain(world.server.url()).tls_ca_file("x"), "tidewire+tls://"),
    ] {
        refused(builder.connect().await, Code::INVALID_OPTION, says);
    }
}

/// SPEC A-11
#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_the_other_way_is_told_so() {
    let world = World::new().await;
    refused(Client::connect(&world.server.url()).await, Code::TLS_REQUIRED, "tidewire+tls://");
    let plain = TestServer::start();
    let url = format!("tidewire+tls://{}", plain.address);
    let client = Client::builder().url(url).tls_ca_file(text(&world.ours.root)).connect();
    refused(client.await, Code::CONNECT_FAILED, "TLS");
}

/// SPEC A-2
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_who_its_name_says() {
    let world = World::new().await;
    world.user("ada").await;
    let issued = std::cell::Cell::new(0);
    let files = |authority: &Authority, name: &str| {
        let number = issued.replace(issued.get() + 1);
        let cert = world.dir.path().join(format!("client-{number}.pem"));
        let key = world.dir.path().join(format!("client-{number}.key"));
        authority.issue(&cert, &key, name);
        world.builder().tls_cert_file(text(&cert)).tls_key_file(text(&key))
    };
    let ada = files(&world.ours, "ada");
    let client = ada.clone().connect().await.expect("in");
    assert_eq!(client.describe_user(None).await.expect("itself").user.name, "ada");
    // It is nobody else, and what it shows does not make up for a wrong password.
    refused(ada.clone().user("root").connect().await, Code::AUTH_FAILED, "");
    let wrong = ada.clone().user("ada").secret(Secret::new("wrong")).connect();
    refused(wrong.await, Code::AUTH_FAILED, "");
    refused(files(&world.ours, "nobody").connect().await, Code::AUTH_FAILED, "");
    let stranger = files(&world.theirs, "ada").connect().await.expect_err("not one of ours");
    assert_ne!(stranger.code(), Code::AUTH_REQUIRED, "{stranger}");
    world.root.enable_user("ada", false).await.expect("disabled");
    refused(ada.connect().await, Code::USER_DISABLED, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_certificates_are_for_new_connections() {
    let world = World::new().await;
    world.user("ada").await;
    let by = |authority: &Authority| {
        let builder = Client::builder().url(world.url()).user("ada").secret(Secret::new("pw"));
        builder.tls_ca_file(text(&authority.root)).connect()
    };
    let before = by(&world.ours).await.expect("in");
    let (cert, key) = (world.dir.path().join("cert.pem"), world.dir.path().join("key.pem"));
    // Broken ones change nothing.
    let kept = std::fs::read(&key).expect("there");
    std::fs::write(&key, "no key").expect("written");
    world.server.hang_up();
    world.server.wait_for_log("nothing was reloaded: the certificates");
    std::fs::write(&key, kept).expect("written");
    by(&world.ours).await.expect("still in");

    world.theirs.issue(&cert, &key, "127.0.0.1");
    world.server.hang_up();
    world.server.wait_for_log("read the certificates again");
    by(&world.theirs).await.expect("in by the new one");
    refused(by(&world.ours).await, Code::CONNECT_FAILED, "tls_ca_file");
    before.ping().await.expect("the connection from before goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_stranger_sends_others_are_served() {
    let mut world = World::new().await;
    world.user("ada").await;
    let connect = || TcpStream::connect(world.server.address).expect("reached");
    let mut strangers: Vec<TcpStream> = Vec::new();
    // Silence, a hello that never ends, noise, half of our own preface, and one that leaves.
    for bytes in
        [&b""[..], &[22, 3, 1, 2, 0, 1][..], &[0xff; 300], b"TI", b"GET / HTTP/1.1\r\n\r\n"]
    {
        let mut stream = connect();
        stream.write_all(bytes).expect("sent");
        strangers.push(stream);
    }
    drop(connect());
    let noise = &mut strangers[2];
    noise.set_read_timeout(Some(PATIENCE)).expect("set");
    let mut answer = Vec::new();
    // An alert, or just the end: it is over either way.
    let _ = noise.read_to_end(&mut answer);
    assert!(answer.len() < 100, "{answer:?}");
    let client = world.builder().user("ada").secret(Secret::new("pw")).connect();
    let client = tokio::time::timeout(PATIENCE, client).await.expect("in time").expect("in");
    client.ping().await.expect("served");
    // Those that still shake hands do not hold up the end.
    drop(client);
    let World { server, .. } = &mut world;
    assert!(server.terminate().success());
    tokio::time::sleep(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_needs_no_certificates() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let server = TestServer::start_with(&data, &["--tls-self-signed"]);
    let url = format!("tidewire+tls://{}", server.address);
    let cert = data.join("self-signed.pem");
    let client = Client::builder().url(url).tls_ca_file(text(&cert)).connect().await;
    client.expect("in").ping().await.expect("served");
}

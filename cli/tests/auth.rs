//! Credentials on the real process: who comes in, as whom, what they may do, and what becomes of
//! open connections when that changes.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use support::raw::PATIENCE;
use support::server::{TestServer, finish, run, tidewire};
use tidewire::{Acks, Client, Code, Error, Grant, Record, Secret, Start, TopicConfig};
use tidewire_protocol::codec::Reader;
use tidewire_protocol::frame::{self, HEADER_LEN, Head, PREFACE};
use tidewire_protocol::limits::MAX_FRAME_LEN;
use tidewire_protocol::message::{
    Auth, AuthSalt, Goaway, Hello, Kind, Message, Ping, StreamList, TopicCreate,
};

/// Every test has a server of its own, which asks for credentials.
struct World {
    server: TestServer,
    root: Client,
    _dir: tempfile::TempDir,
}

async fn world() -> World {
    let dir = tempfile::tempdir().expect("a directory");
    let server = TestServer::start_secured(&dir.path().join("data"));
    let root = Client::connect(&server.socket_url()).await.expect("the server's own user");
    World { server, root, _dir: dir }
}

impl World {
    async fn user(&self, name: &str, grants: &[Grant]) -> Client {
        let password = Secret::new(format!("{name}'s password"));
        self.root.create_user(name, Some(&password), grants).await.expect("created");
        self.login(name).await.expect("logged in")
    }

    async fn login(&self, name: &str) -> Result<Client, Error> {
        Client::builder()
            .url(self.server.url())
            .user(name)
            .secret(Secret::new(format!("{name}'s password")))
            .connect()
            .await
    }

    async fn topic(&self, topic: &str) {
        self.root.create_topic(topic, TopicConfig::default()).await.expect("created");
    }
}

async fn code(url: &str) -> Code {
    Client::connect(url).await.expect_err("refused").code()
}

/// Waits until the client has learnt that it may not come back, and why.
async fn ended(client: &Client) -> Code {
    let patience = tokio::time::timeout(PATIENCE, async {
        loop {
            match client.ping().await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(error) if error.is_retriable() || error.is_outcome_unknown() => {}
                Err(error) => return error.code(),
            }
        }
    });
    patience.await.expect("the connection ends")
}

#[test]
fn the_first_start_tells_root_s_url_once_and_keeps_it_for_the_owner() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let mut server = TestServer::start_secured(&data);
    let path = data.join("root.url");
    let mode = std::fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let url = std::fs::read_to_string(&path).expect("readable");
    assert!(url.starts_with("tidewire://root:twt_1_"), "{url}");
    let whoami = |url: &str| {
        let child = tidewire()
            .args(["user", "whoami"])
            .env("TIDEWIRE_URL", url)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        finish(child)
    };
    let output = whoami(url.trim());
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("user root"));
    let output = whoami(&server.url());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("root.url"), "{output:?}");
    assert!(!server.log().contains("twt_"), "the log has a secret");
    assert!(server.terminate().success());
    drop(server);

    // The token is good on the next start, too, which makes no other.
    let server = TestServer::start_secured(&data);
    assert_eq!(std::fs::read_to_string(&path).expect("still there"), url);
    let secret = url.trim().split(['/', '@']).nth(2).expect("user and secret");
    let again = whoami(&format!("tidewire://{secret}@{}", server.address));
    assert!(again.status.success(), "{again:?}");
}

#[test]
fn the_cli_needs_nothing_on_the_server_s_machine() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = TestServer::start_secured(&dir.path().join("data"));
    // The default is the socket of the default port.
    let sockets = dir.path().join("data.sockets");
    let runtime = dir.path().join("tidewire");
    std::fs::rename(&sockets, &runtime).expect("moved");
    let own = runtime.join(format!("{}.sock", server.address.port()));
    std::fs::rename(own, runtime.join("8433.sock")).expect("moved");
    let list = || {
        let mut command = tidewire();
        command.args(["topic", "list"]).env("XDG_RUNTIME_DIR", dir.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(command.spawn().expect("the binary runs"))
    };
    let output = list();
    assert!(output.status.success(), "{output:?}");
    // A directory that others may write to is not trusted.
    std::fs::set_permissions(&runtime, std::fs::Permissions::from_mode(0o777)).expect("set");
    let output = list();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() || said.contains("127.0.0.1:8433"), "{said}");
}

#[test]
fn a_server_without_dev_wants_a_directory_and_takes_it_from_nobody() {
    let output = run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--data"), "{output:?}");

    let dir = tempfile::tempdir().expect("a directory");
    let open = dir.path().join("open");
    std::fs::create_dir(&open).expect("made");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).expect("set");
    let data = dir.path().join("data");
    let (data, open) = (data.to_str().expect("UTF-8"), open.to_str().expect("UTF-8"));
    let arguments = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--socket-dir", open];
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(open), "{output:?}");
}

/// SPEC
#[tokio::test(flavor = "multi_thread")]
async fn who_shows_the_secret_comes_in_and_nobody_else() {
    let world = world().await;
    let server = &world.server;
    let ada = world.user("ada", &[]).await;
    assert_eq!(ada.describe_user(None).await.expect("itself").user.name, "ada");
    let token = ada.create_token(None, "laptop", None).await.expect("created");
    let secret = token.secret.expose();
    for url in [
        server.url_of("ada", "ada%27s%20password"),
        server.url_of("ada", secret),
        format!("tidewire://{secret}@{}", server.address),
    ] {
        let client = Client::connect(&url).await.expect("logged in");
        assert_eq!(client.describe_user(None).await.expect("itself").user.name, "ada");
    }
    assert_eq!(code(&server.url()).await, Code::AUTH_REQUIRED);
    assert_eq!(code(&server.url_of("ada", "wrong")).await, Code::AUTH_FAILED);
    assert_eq!(code(&server.url_of("eve", "wrong")).await, Code::AUTH_FAILED);
    assert_eq!(code(&server.url_of("root", "")).await, Code::INVALID_URL);
    assert_eq!(code(&server.url_of("root", secret)).await, Code::AUTH_FAILED);
    let mut guess = secret.to_owned();
    let last = if guess.pop() == Some('0') { '1' } else { '0' };
    guess.push(last);
    assert_eq!(code(&server.url_of("", &guess)).await, Code::AUTH_FAILED);
    world.server.wait_for_log("login failed");
    let log = world.server.log();
    assert!(!log.contains(secret) && !log.contains("password\""), "{log}");
}

/// SPEC A-8
#[tokio::test(flavor = "multi_thread")]
async fn what_is_revoked_ends_connections_that_use_it() {
    let world = world().await;
    let ada = world.user("ada", &[]).await;
    let token = |name: &'static str, lifetime| ada.create_token(None, name, lifetime);
    let connect = async |secret: &Secret| {
        let url = format!("tidewire://{}@{}", secret.expose(), world.server.address);
        Client::connect(&url).await.expect("logged in")
    };
    let deleted = token("deleted", None).await.expect("created");
    let short = token("short", Some(Duration::from_millis(1_500))).await.expect("created");
    let kept = token("kept", None).await.expect("created");
    let (by_deleted, by_short, by_kept) = (
        connect(&deleted.secret).await,
        connect(&short.secret).await,
        connect(&kept.secret).await,
    );

    world.root.delete_token(deleted.info.id).await.expect("deleted");
    assert_eq!(ended(&by_deleted).await, Code::AUTH_FAILED);
    assert_eq!(ended(&by_short).await, Code::TOKEN_EXPIRED);
    by_kept.ping().await.expect("not concerned");

    // A new password ends what the old one opened, and nothing else.
    world.root.change_password(Some("ada"), &Secret::new("new")).await.expect("changed");
    assert_eq!(ended(&ada).await, Code::AUTH_FAILED);
    by_kept.ping().await.expect("not concerned");
    assert_eq!(world.login("ada").await.expect_err("old").code(), Code::AUTH_FAILED);

    world.root.enable_user("ada", false).await.expect("disabled");
    assert_eq!(ended(&by_kept).await, Code::USER_DISABLED);
    world.root.enable_user("ada", true).await.expect("enabled");
    let by_kept = connect(&kept.secret).await;
    world.root.delete_user("ada").await.expect("deleted");
    assert_eq!(ended(&by_kept).await, Code::AUTH_FAILED);
    world.root.ping().await.expect("root goes on");
}

/// SPEC
#[tokio::test(flavor = "multi_thread")]
async fn a_user_reaches_itself_and_nobody_else() {
    let world = world().await;
    let ada = world.user("ada", &[]).await;
    world.root.create_user("eve", None, &[]).await.expect("created");
    let eves = world.root.create_token(Some("eve"), "t", None).await.expect("created");
    let denied = |error: Option<Error>| assert_eq!(error.expect("denied").code(), Code::DENIED);
    denied(ada.list_users().await.err());
    denied(ada.describe_user(Some("eve")).await.err());
    denied(ada.describe_user(Some("nobody")).await.err());
    denied(ada.create_user("bob", None, &[]).await.err());
    denied(ada.delete_user("eve").await.err());
    denied(ada.enable_user("eve", false).await.err());
    denied(ada.change_password(Some("eve"), &Secret::new("x")).await.err());
    denied(ada.change_grants("ada", &[], &[Grant::server().admin()]).await.err());
    denied(ada.create_token(Some("eve"), "t", None).await.err());
    denied(ada.list_tokens(Some("eve")).await.err());
    denied(ada.delete_token(eves.info.id).await.err());
    denied(ada.delete_token(999).await.err());

    // A token gives no more than it is.
    let hour = Some(Duration::from_secs(3_600));
    let short = ada.create_token(None, "short", hour).await.expect("created");
    let url = format!("tidewire://{}@{}", short.secret.expose(), world.server.address);
    let by_token = Client::connect(&url).await.expect("logged in");
    denied(by_token.create_token(None, "longer", None).await.err());
    denied(by_token.create_token(None, "longer", Some(Duration::from_secs(7_200))).await.err());
    denied(by_token.change_password(None, &Secret::new("mine")).await.err());
    by_token
        .create_token(None, "shorter", Some(Duration::from_secs(60)))
        .await
        .expect("created");
    let names: Vec<String> =
        ada.list_tokens(None).await.expect("own").into_iter().map(|token| token.name).collect();
    assert_eq!(names, ["short", "shorter"]);

    let root = &world.root;
    let refused = |error: Option<Error>, code| assert_eq!(error.expect("refused").code(), code);
    refused(root.create_user("ada", None, &[]).await.err(), Code::USER_EXISTS);
    refused(root.create_user("a:b", None, &[]).await.err(), Code::INVALID_NAME);
    refused(root.create_user("twt_1_a", None, &[]).await.err(), Code::INVALID_NAME);
    refused(root.delete_user("nobody").await.err(), Code::USER_NOT_FOUND);
    refused(root.delete_user("root").await.err(), Code::INVALID_ARGUMENT);
    refused(root.enable_user("root", false).await.err(), Code::INVALID_ARGUMENT);
    refused(root.delete_token(999).await.err(), Code::TOKEN_NOT_FOUND);
    refused(ada.create_token(None, "short", None).await.err(), Code::TOKEN_EXISTS);
    let many: Vec<Grant> = (0..101).map(|i| Grant::group(format!("g{i}")).read()).collect();
    refused(root.change_grants("ada", &[], &many).await.err(), Code::ACCESS_LIMIT);
    let odd = [Grant::topic("shop").read(), Grant::topic("s/t").admin(), Grant::group("g")];
    for grant in odd {
        let error = root.change_grants("ada", &[], &[grant]).await.err();
        refused(error, Code::INVALID_ARGUMENT);
    }
}

/// SPEC
#[tokio::test(flavor = "multi_thread")]
async fn what_is_denied_looks_the_same_whether_it_exists_or_not() {
    let world = world().await;
    for topic in ["shop/orders", "shop/secrets", "bank/accounts"] {
        world.topic(topic).await;
    }
    let ada = world.user("ada", &[Grant::topic("shop/or*").read()]).await;
    let without_name = |error: &Error, name: &str| error.to_string().replace(name, "X");
    for (there, not) in [("bank/accounts", "bank/nothing"), ("shop/secrets", "nowhere/at all")]
    {
        for operation in 0..6 {
            let mut said = Vec::new();
            for topic in [there, not] {
                let error = match operation {
                    0 => ada.describe_topic(topic).await.err(),
                    1 => ada.partitions(topic).await.err(),
                    2 => ada.producer(topic).build().await.err(),
                    3 => ada.fetch(topic, 0, 0, tidewire::FetchOptions::default()).await.err(),
                    4 => ada.create_topic(topic, TopicConfig::default()).await.err(),
                    _ => ada.delete_topic(topic).await.err(),
                }
                .expect("denied");
                said.push((error.code(), error.disposition(), without_name(&error, topic)));
            }
            assert_eq!(said[0], said[1], "operation {operation}");
            assert_eq!(said[0].0, Code::DENIED);
        }
    }
    for stream in ["bank", "nowhere"] {
        assert_eq!(ada.list_topics(stream).await.expect_err("denied").code(), Code::DENIED);
        assert_eq!(ada.describe_stream(stream).await.expect_err("denied").code(), Code::DENIED);
    }
    let streams = ada.list_streams().await.expect("what it may know of");
    assert_eq!(streams.len(), 1);
    assert_eq!((streams[0].name.as_str(), streams[0].topics), ("shop", 1));
    let topics = ada.list_topics("shop").await.expect("what it may know of");
    assert_eq!(topics.iter().map(|topic| topic.name.as_str()).collect::<Vec<_>>(), ["orders"]);
    // What it may read it may not write to.
    ada.partitions("shop/orders").await.expect("may");
    let error = ada.producer("shop/orders").build().await.expect_err("may not");
    assert_eq!(error.code(), Code::DENIED);
    // What it has a right to may be told not to exist.
    let error = ada.partitions("shop/orphans").await.expect_err("not there");
    assert_eq!(error.code(), Code::TOPIC_NOT_FOUND);
}

/// SPEC R-6
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_grants_holds_on_open_connections_at_once() {
    let world = world().await;
    world.topic("shop/orders").await;
    let rights = Grant::topic("shop/*").read().write();
    let group = Grant::group("billing*").read();
    let ada = world.user("ada", &[rights.clone(), group.clone()]).await;
    let producer = ada.producer("shop/orders").acks(Acks::Synced).build().await.expect("may");
    producer.send(Record::new("one")).await.expect("may");
    let consumer = ada.consumer("shop/orders").start(Start::Earliest);
    let mut consumer = consumer.build().await.expect("may");
    consumer.next_batch().await.expect("may").expect("one");
    let mut member = ada.consumer("shop/orders").group("billing-1").build().await.expect("may");

    let only_write = Grant::topic("shop/*").read();
    let left = world.root.change_grants("ada", &[only_write], &[]).await.expect("changed");
    assert_eq!(left, [Grant::topic("shop/*").write(), group.clone()]);
    producer.send(Record::new("two")).await.expect("still may write");
    let denied = tokio::time::timeout(PATIENCE, consumer.next_batch()).await.expect("told");
    assert_eq!(denied.expect_err("may not read").code(), Code::DENIED);
    let denied = tokio::time::timeout(PATIENCE, member.next_batch()).await.expect("told");
    assert_eq!(denied.expect_err("may not read").code(), Code::DENIED);

    let write = Grant::topic("shop/*").write();
    world.root.change_grants("ada", std::slice::from_ref(&write), &[]).await.expect("changed");
    let error = producer.send(Record::new("three")).await.expect_err("may not");
    assert_eq!(error.code(), Code::DENIED);
    world.root.change_grants("ada", &[], &[rights]).await.expect("changed");
    let reader = ada.consumer("shop/orders").start(Start::Earliest);
    let mut reader = reader.build().await.expect("may again");
    let batch = reader.next_batch().await.expect("may").expect("some");
    let first = batch.iter().next().expect("one");
    assert_eq!(first.value(), Some(&b"one"[..]));
}

/// SPEC
#[tokio::test(flavor = "multi_thread")]
async fn groups_have_rights_of_their_own() {
    let world = world().await;
    world.topic("shop/orders").await;
    for group in ["billing", "audit"] {
        world.root.create_group(group).await.expect("created");
    }
    let grants = [Grant::topic("shop/*").read(), Grant::group("bill*").read()];
    let ada = world.user("ada", &grants).await;
    let names: Vec<String> =
        ada.list_groups().await.expect("own").into_iter().map(|group| group.name).collect();
    assert_eq!(names, ["billing"]);
    ada.describe_group("billing").await.expect("may");
    ada.committed("billing", "shop/orders").await.expect("may");
    let denied = |error: Option<Error>| assert_eq!(error.expect("denied").code(), Code::DENIED);
    for group in ["audit", "nothing"] {
        denied(ada.describe_group(group).await.err());
        denied(ada.committed(group, "shop/orders").await.err());
        denied(ada.consumer("shop/orders").group(group).build().await.err());
    }
    denied(ada.create_group("billing2").await.err());
    denied(ada.delete_group("billing").await.err());
    let to = Start::Earliest;
    denied(ada.reset_offsets("billing", "shop/orders", None, to, false).await.err());
}

/// A connection that speaks by hand.
struct Raw {
    socket: TcpStream,
    correlation: u64,
}

impl Raw {
    /// Up to the reply to HELLO.
    fn connect(server: &TestServer) -> Self {
        let socket = TcpStream::connect(server.address).expect("listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a TCP socket");
        let mut raw = Self { socket, correlation: 0 };
        raw.socket.write_all(&PREFACE).expect("sent");
        let hello = Hello {
            client_name: "attacker".to_owned(),
            client_version: String::new(),
            capabilities: 0,
            codecs: 7,
            max_frame_len: MAX_FRAME_LEN,
            heartbeat_ms: 30_000,
        };
        raw.send(&hello);
        let mut preface = [0; 8];
        raw.socket.read_exact(&mut preface).expect("a preface");
        assert_eq!(raw.frame().expect("a reply").0, Kind::HELLO);
        raw
    }

    fn send<M: Message>(&mut self, message: &M) {
        self.correlation += 1;
        let head = Head { correlation: self.correlation, ..Head::default() };
        let mut out = bytes::BytesMut::new();
        frame::encode(&mut out, head, message, 0, MAX_FRAME_LEN).expect("small");
        // Past the end of the connection nothing arrives.
        let _ = self.socket.write_all(&out);
    }

    /// Kind, status and meta of the next frame; `None` at the end.
    fn frame(&mut self) -> Option<(Kind, Code, Vec<u8>)> {
        let mut head = [0; HEADER_LEN];
        self.socket.read_exact(&mut head).ok()?;
        let header = frame::Header::parse(&head, MAX_FRAME_LEN).expect("a good header");
        let mut rest = vec![0; header.size as usize - HEADER_LEN];
        self.socket.read_exact(&mut rest).expect("whole");
        Some((header.kind, header.status().0, rest))
    }

    /// Why the server ended the connection, without having answered anything.
    fn goaway(&mut self) -> Code {
        let (kind, _, meta) = self.frame().expect("a reason");
        assert_eq!(kind, Kind::GOAWAY);
        assert!(self.frame().is_none(), "and then the end");
        Code(Goaway::decode(Reader::new(&meta)).expect("readable").code)
    }
}

fn attempt(user: &str) -> Auth {
    Auth { method: 1, user: user.to_owned(), token: 0, nonce: vec![1; 32], proof: vec![0; 32] }
}

/// SPEC A-1
#[tokio::test(flavor = "multi_thread")]
async fn an_attacker_gets_nothing_without_around_or_after_the_login() {
    let world = world().await;
    let server = &world.server;
    // Without.
    let mut raw = Raw::connect(server);
    raw.send(&StreamList { after: String::new() });
    assert_eq!(raw.goaway(), Code::AUTH_REQUIRED);
    let mut raw = Raw::connect(server);
    raw.send(&Ping {});
    assert_eq!(raw.goaway(), Code::AUTH_REQUIRED);

    // Around: an attempt, and what it would be good for right behind it.
    let mut raw = Raw::connect(server);
    raw.send(&attempt("root"));
    let create = TopicCreate {
        stream: "default".to_owned(),
        topic: "stolen".to_owned(),
        partitions: 1,
        segment_bytes: None,
        codec: None,
        retention_ms: None,
        retention_bytes: None,
        dedup_window_ms: None,
    };
    raw.send(&create);
    let (kind, code, _) = raw.frame().expect("an answer");
    assert_eq!((kind, code), (Kind::AUTH, Code::AUTH_FAILED));
    assert_eq!(raw.goaway(), Code::AUTH_FAILED);
    // The transport of a TCP connection shows nothing.
    let mut raw = Raw::connect(server);
    let bare = Auth { method: 4, nonce: Vec::new(), proof: Vec::new(), ..attempt("root") };
    raw.send(&bare);
    assert_eq!(raw.frame().expect("an answer").1, Code::AUTH_FAILED);
    // Asking for salts is no way to stay.
    let mut raw = Raw::connect(server);
    for _ in 0..9 {
        raw.send(&AuthSalt { user: "root".to_owned() });
    }
    let answers =
        std::iter::from_fn(|| raw.frame()).filter(|(kind, ..)| *kind == Kind::AUTH_SALT);
    assert_eq!(answers.count(), 8);

    // After: the refusal was the end.
    let topics = world.root.list_topics("default").await.expect("root's");
    assert!(topics.is_empty(), "{topics:?}");
}

/// SPEC A-7
#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slow_and_keeps_no_token_out() {
    let world = world().await;
    let ada = world.user("ada", &[]).await;
    let token = ada.create_token(None, "t", None).await.expect("created");
    // Many at once, each on a connection of its own.
    let mut guessing: Vec<Raw> = (0..40).map(|_| Raw::connect(&world.server)).collect();
    for raw in &mut guessing {
        raw.send(&attempt("ada"));
    }
    let url = format!("tidewire://{}@{}", token.secret.expose(), world.server.address);
    Client::connect(&url).await.expect("a token comes in at once");
    // The local socket is another address.
    Client::connect(&world.server.socket_url()).await.expect("the server's own user");
    let mut codes: Vec<Code> =
        guessing.iter_mut().filter_map(|raw| raw.frame().map(|(_, code, _)| code)).collect();
    codes.sort_unstable_by_key(|code| code.0);
    let judged = codes.iter().filter(|code| **code == Code::AUTH_FAILED).count();
    assert_eq!(codes.len(), 40);
    assert!((2..12).contains(&judged), "{judged} guesses were judged");
    assert!(codes.contains(&Code::TOO_MANY_ATTEMPTS), "{codes:?}");
    world.server.wait_for_log("too many failed attempts");
}

/// SPEC A-7: the longest that anybody stands in line is less than a client waits by default.
#[tokio::test(flavor = "multi_thread")]
async fn an_honest_user_behind_a_guesser_stands_in_line_and_comes_in() {
    let world = world().await;
    world.user("ada", &[]).await;
    // The pauses after five guesses and a sixth add up to 6.3 seconds, just over what one may wait.
    let mut guessing: Vec<Raw> = (0..6).map(|_| Raw::connect(&world.server)).collect();
    for raw in &mut guessing {
        raw.send(&attempt("ada"));
    }
    let ada = loop {
        match world.login("ada").await {
            Ok(ada) => break ada,
            // Retriable: the line is still too long to stand in.
            Err(error) => assert_eq!(error.code(), Code::TOO_MANY_ATTEMPTS, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    ada.ping().await.expect("served");
}

//! Exactly one copy, on the wire of a real server: duplicates, gaps, overlaps, zombies; and what
//! of it survives `kill -9`.

mod support;

use support::raw::{RawClient, batch_of};
use support::server::TestServer;
use tidewire::{Client, Record};
use tidewire_protocol::batch::Sequence;
use tidewire_protocol::error::{Code, Disposition};
use tidewire_protocol::message::{
    Acks, Append, AppendReply, CloseProducer, Flush, OpenProducer, OpenProducerReply,
};

/// A producer channel and its identity.
struct Producer {
    channel: u32,
    id: u64,
    epoch: u32,
}

impl Producer {
    fn new((channel, reply): (u32, OpenProducerReply)) -> Self {
        Self { channel, id: reply.producer_id, epoch: reply.producer_epoch }
    }

    fn open(client: &mut RawClient, name: &str) -> Self {
        Self::new(client.open_as("t", Some(name), None).expect("it can be opened"))
    }

    fn sequence(&self, base_sequence: u64) -> Sequence {
        Sequence { producer_id: self.id, producer_epoch: self.epoch, base_sequence }
    }

    /// Sends the one record of this sequence number: the same bytes every time.
    fn send(
        &self,
        client: &mut RawClient,
        sequence: u64,
    ) -> Result<AppendReply, tidewire_protocol::error::Error> {
        let value = format!("{}/{}/{sequence}", self.id, self.epoch);
        let batch = batch_of(&[value.as_bytes()], self.sequence(sequence));
        client.append(self.channel, 0, Acks::Synced, batch)
    }

    fn code(&self, client: &mut RawClient, sequence: u64) -> Code {
        self.send(client, sequence).expect_err("refused").code
    }
}

fn connected(server: &TestServer, topic: bool) -> RawClient {
    let mut client = server.connect();
    if topic {
        client.create_topic("t", 4).expect("new");
    }
    client
}

/// SPEC I-2, I-3, I-4, I-5, I-9
#[test]
fn duplicates_gaps_and_overlaps_are_told_apart() {
    let server = TestServer::start();
    let mut client = connected(&server, true);
    let producer = Producer::new(client.open("t").expect("exists"));
    assert!(!producer.send(&mut client, 0).expect("new").duplicate);
    let again = producer.send(&mut client, 0).expect("there");
    assert_eq!((again.base_offset, again.duplicate), (0, true));
    assert_eq!(producer.code(&mut client, 2), Code::SEQUENCE_GAP);
    let other = batch_of(&[b"other"], producer.sequence(0));
    let refused = client.append(producer.channel, 0, Acks::Synced, other);
    assert_eq!(refused.expect_err("other bytes").code, Code::SEQUENCE_OVERLAP);
    // Of three batches on the way the second is bad: the third is refused, and can come again.
    let good = |sequence| batch_of(&[b"x"], producer.sequence(sequence));
    let mut bad = good(2).to_vec();
    *bad.last_mut().expect("bytes") ^= 1;
    let append = Append { partition: 0, acks: Acks::Synced };
    let ids: Vec<_> = [good(1), bad.into(), good(3)]
        .into_iter()
        .map(|batch| client.submit(producer.channel, &append, &[batch]))
        .collect();
    let codes: Vec<Option<Code>> = ids
        .into_iter()
        .map(|id| client.wait::<Append>(id).err().map(|error| error.code))
        .collect();
    assert_eq!(codes, [None, Some(Code::CORRUPT_BATCH), Some(Code::SEQUENCE_GAP)]);
    for sequence in [2, 3] {
        let sent = client.append(producer.channel, 0, Acks::Synced, good(sequence));
        assert_eq!(sent.expect("in order").base_offset, sequence);
    }
}

/// SPEC I-11: who a batch may be of, and how a producer goes on after a lost connection.
#[test]
fn a_channel_takes_batches_of_its_own_producer_only() {
    let server = TestServer::start();
    let mut client = connected(&server, true);
    let first = Producer::new(client.open("t").expect("exists"));
    let second = Producer::new(client.open("t").expect("exists"));
    assert_ne!(first.id, second.id);
    first.send(&mut client, 0).expect("new");
    for (id, epoch) in [(first.id, 0), (second.id, 1)] {
        let foreign = Producer { channel: second.channel, id, epoch };
        assert_eq!(foreign.code(&mut client, 1), Code::INVALID_ARGUMENT, "{id} {epoch}");
    }
    let nobody = Producer { channel: second.channel, id: 0, epoch: 9 };
    nobody.send(&mut client, 77).expect("takes no part");
    // The connection is lost: another one goes on.
    let mut other = connected(&server, false);
    let resumed =
        Producer::new(other.open_as("t", None, Some((first.id, 0))).expect("was opened"));
    assert_eq!((resumed.id, resumed.epoch), (first.id, 0));
    assert!(resumed.send(&mut other, 0).expect("there").duplicate);
    assert!(!resumed.send(&mut other, 1).expect("new").duplicate);
    for never in [(0, 0), (u64::MAX, 0), (second.id + 1000, 0), (first.id, 1)] {
        let refused = other.open_as("t", None, Some(never)).expect_err("never opened");
        assert_eq!(refused.code, Code::INVALID_ARGUMENT, "{never:?}");
    }
}

/// SPEC I-6, I-12: the new instance fences the old one in every partition, before it has
/// appended, on whatever shard partition and connections live.
#[test]
fn a_zombie_is_fenced_before_its_successor_appends() {
    let server = TestServer::start();
    let mut old = connected(&server, true);
    let zombie = Producer::open(&mut old, "billing");
    assert_eq!(zombie.epoch, 1);
    for sequence in 0..3 {
        zombie.send(&mut old, sequence).expect("new");
    }
    let mut new = connected(&server, false);
    let successor = Producer::open(&mut new, "billing");
    assert_eq!((successor.id, successor.epoch), (zombie.id, 2));
    for partition in 0..4 {
        let batch = batch_of(&[b"z"], zombie.sequence(3));
        let refused = old.append(zombie.channel, partition, Acks::Synced, batch);
        let error = refused.expect_err("fenced");
        assert_eq!(error.code, Code::PRODUCER_FENCED, "{partition}");
        assert!(error.disposition.has(Disposition::FENCED));
    }
    assert_eq!(zombie.code(&mut old, 2), Code::PRODUCER_FENCED, "repeated");
    // It cannot come back by another connection, either.
    let back = old.open_as("t", Some("billing"), Some((zombie.id, zombie.epoch)));
    assert_eq!(back.expect_err("fenced").code, Code::PRODUCER_FENCED);
    let sent = successor.send(&mut new, 0).expect("a new epoch begins at 0");
    assert_eq!((sent.base_offset, sent.duplicate), (3, false));
    let mut again = connected(&server, false);
    let identity = Some((successor.id, successor.epoch));
    let resumed =
        Producer::new(again.open_as("t", Some("billing"), identity).expect("the same one"));
    assert!(resumed.send(&mut again, 0).expect("there").duplicate);
    assert!(successor.send(&mut new, 1).is_ok(), "a resumed producer fences nobody");
}

/// SPEC I-12: names belong to their topic, and are names.
#[test]
fn a_name_is_known_by_its_topic_and_checked() {
    let server = TestServer::start();
    let mut client = connected(&server, true);
    client.create_topic("u", 1).expect("new");
    let first = Producer::open(&mut client, "a");
    let (_, other) = client.open_as("u", Some("a"), None).expect("another topic");
    assert_ne!(first.id, other.producer_id);
    assert_eq!(Producer::open(&mut client, "b").epoch, 1);
    for bad in ["", "a/b", "a\nb", &"x".repeat(256)] {
        let refused = client.open_as("t", Some(bad), None).expect_err("no name");
        assert_eq!(refused.code, Code::INVALID_NAME, "{bad:?}");
    }
    for (name, identity) in [
        (Some("a"), (first.id, 9)),
        (Some("b"), (first.id, 1)),
        (Some("c"), (first.id, 1)),
        (None, (first.id, 1)),
    ] {
        let refused = client.open_as("t", name, Some(identity)).expect_err("not the one");
        assert_eq!(refused.code, Code::INVALID_ARGUMENT, "{name:?} {identity:?}");
    }
    // A topic that was created anew knows nothing of the old one's names.
    client
        .call(
            0,
            &tidewire_protocol::message::TopicDelete {
                stream: "default".into(),
                topic: "t".into(),
            },
        )
        .expect("exists");
    client.create_topic("t", 1).expect("new");
    let anew = Producer::open(&mut client, "a");
    assert_eq!(anew.epoch, 1);
    assert_ne!(anew.id, first.id);
}

/// SPEC I-12
#[test]
fn names_are_listed_and_forgotten() {
    let server = TestServer::start();
    let mut raw = connected(&server, true);
    let held = Producer::open(&mut raw, "held");
    held.send(&mut raw, 0).expect("new");
    let names: Vec<String> = (0..300).map(|number| format!("{number:03}")).collect();
    let opening: Vec<_> = names
        .iter()
        .map(|name| {
            let channel = raw.channel();
            let (stream, topic) = ("default".into(), "t".into());
            let open = OpenProducer {
                stream,
                topic,
                name: Some(name.clone()),
                resume: None,
                opener: None,
            };
            raw.submit(channel, &open, &[])
        })
        .collect();
    for id in opening {
        raw.wait::<OpenProducer>(id).expect("opened");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let client = Client::connect(&server.url()).await.expect("a running server");
        let listed = client.producers("t").await.expect("listed");
        let listed: Vec<&str> = listed.iter().map(|producer| producer.name.as_str()).collect();
        let expected: Vec<&str> = names.iter().map(String::as_str).chain(["held"]).collect();
        assert_eq!(listed, expected, "two pages");
        let url = server.url();
        let shown = support::server::run(&["topic", "producers", "t", "--url", &url]);
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.lines().any(|line| line.starts_with("held ")), "{shown}");
        let forget = ["topic", "producers", "t", "--forget", "held", "--url", &url];
        let forgotten = support::server::run(&forget);
        assert!(forgotten.status.success());
        let forgotten = support::server::run(&forget);
        let told = String::from_utf8_lossy(&forgotten.stderr).into_owned();
        assert!(!forgotten.status.success() && told.contains("\"held\""), "{told}");
        let again = client.forget_producer("t", "held").await.expect_err("it was forgotten");
        assert_eq!(again.code(), Code::PRODUCER_NOT_FOUND);
    });
    assert_eq!(held.code(&mut raw, 1), Code::PRODUCER_FENCED);
    let anew = Producer::open(&mut raw, "held");
    assert_eq!(anew.epoch, 1);
    assert_ne!(anew.id, held.id);
}

/// SPEC I-12: an opening that was given up with its connection, and comes late, fences nobody who is
/// the same; another one does.
#[test]
fn an_opening_that_arrives_twice_counts_once() {
    let server = TestServer::start();
    let mut lost = connected(&server, true);
    let mut client = connected(&server, false);
    let open = |client: &mut RawClient, opener| {
        let channel = client.channel();
        let (stream, topic) = ("default".into(), "t".into());
        let name = Some("billing".to_owned());
        let request = OpenProducer { stream, topic, name, resume: None, opener };
        Producer::new((channel, client.call(channel, &request).expect("it can be opened")))
    };
    let producer = open(&mut client, Some(7));
    producer.send(&mut client, 0).expect("new");
    let late = open(&mut lost, Some(7));
    assert_eq!((late.id, late.epoch), (producer.id, producer.epoch));
    producer.send(&mut client, 1).expect("nobody took its place");
    let another = open(&mut lost, Some(8));
    assert_eq!((another.id, another.epoch), (producer.id, 2));
    assert_eq!(producer.code(&mut client, 2), Code::PRODUCER_FENCED);
    assert_eq!(open(&mut lost, None).epoch, 3, "without a number each opening is one");
}

/// SPEC I-11: a channel is no producer's before its opening is answered, and none after it was
/// closed, whatever was on the way.
#[test]
fn a_channel_that_is_still_being_opened_takes_no_appends() {
    let server = TestServer::start();
    let mut client = connected(&server, true);
    let open = OpenProducer {
        stream: "default".into(),
        topic: "t".into(),
        name: Some("a".into()),
        resume: None,
        opener: None,
    };
    let opening = client.submit(50, &open, &[]);
    let append = Append { partition: 0, acks: Acks::Synced };
    let early = client.submit(50, &append, &[support::raw::batch(&[b"x"])]);
    let closing = client.submit(50, &CloseProducer {}, &[]);
    let opening_again = client.submit(50, &OpenProducer { name: None, ..open }, &[]);
    // Whether the opening was quicker is the server's affair; an answer comes for each.
    let _ = client.wait::<Append>(early);
    client.wait::<CloseProducer>(closing).expect("it was open");
    client.wait::<OpenProducer>(opening).expect("opened, and closed");
    let reply = client.wait::<OpenProducer>(opening_again).expect("free");
    let producer = Producer::new((50, reply));
    producer.send(&mut client, 0).expect("the channel is of the later opening");
}

/// SPEC I-7, I-8, I-12: kill the server, and send again.
#[test]
fn a_batch_that_was_sent_before_a_kill_is_stored_once() {
    let own = tempfile::tempdir().expect("a temporary directory");
    let data = own.path().join("data");
    let server = TestServer::start_in(&data);
    let mut client = connected(&server, true);
    let nameless = Producer::new(client.open("t").expect("exists"));
    let named = Producer::open(&mut client, "billing");
    let zombie = Producer::open(&mut client, "shipping");
    for sequence in 0..20 {
        for producer in [&nameless, &named, &zombie] {
            producer.send(&mut client, sequence).expect("new");
        }
    }
    let successor = Producer::open(&mut client, "shipping");
    server.kill();
    let server = TestServer::start_in(&data);
    let mut client = connected(&server, false);
    let resume = |client: &mut RawClient, name, producer: &Producer| {
        client.open_as("t", name, Some((producer.id, producer.epoch))).map(Producer::new)
    };
    let zombie = resume(&mut client, Some("shipping"), &zombie).err().expect("fenced");
    assert_eq!(zombie.code, Code::PRODUCER_FENCED);
    resume(&mut client, Some("shipping"), &successor).expect("the last one that was opened");
    assert_eq!(Producer::open(&mut client, "shipping").epoch, 3);
    let nameless = resume(&mut client, None, &nameless).expect("was opened");
    let named = resume(&mut client, Some("billing"), &named).expect("the last one");
    for (at, producer) in [&nameless, &named].into_iter().enumerate() {
        let again = producer.send(&mut client, 19).expect("there");
        assert_eq!((again.base_offset, again.duplicate), (19 * 3 + at as u64, true));
        assert_eq!(producer.code(&mut client, 21), Code::SEQUENCE_GAP);
        assert!(!producer.send(&mut client, 20).expect("new").duplicate);
    }
    let fresh = Producer::new(client.open("t").expect("exists"));
    assert!(fresh.id > nameless.id && fresh.id < named.id);
}

/// SPEC C-12
#[test]
fn a_flush_says_what_is_on_the_disk() {
    let server = TestServer::start();
    let mut client = connected(&server, true);
    let (channel, _) = client.open("t").expect("exists");
    for partition in 0..4 {
        let append = Append { partition, acks: Acks::None };
        for _ in 0..3 {
            client.submit(channel, &append, &[support::raw::batch(&[b"x", b"y"])]);
        }
        let reply = client.call(channel, &Flush { partition }).expect("flushed");
        assert_eq!(reply.synced_offset, 6, "{partition}");
    }
    let refused = client.call(channel, &Flush { partition: 4 }).expect_err("there is none");
    assert_eq!(refused.code, Code::PARTITION_NOT_FOUND);
    let refused = client.call(99, &Flush { partition: 0 }).expect_err("not open");
    assert_eq!(refused.code, Code::UNKNOWN_CHANNEL);
}

/// The same by the client and the command line.
#[test]
fn the_client_opens_a_producer_by_name() {
    let server = TestServer::start();
    connected(&server, true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let client = Client::connect(&server.url()).await.expect("a running server");
        let old = client.producer("t").name("billing").build().await.expect("opens");
        old.send(Record::new("first").partition(0)).await.expect("sent");
        let refused = client.producer("t").name("a/b").build().await.expect_err("no name");
        assert_eq!(refused.code(), Code::INVALID_NAME);
        let url = server.url();
        let arguments = [
            "send",
            "t",
            "second",
            "--partition",
            "0",
            "--producer-name",
            "billing",
            "--url",
            &url,
        ];
        let sent = support::server::run(&arguments);
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        let fenced = old.send(Record::new("third").partition(0)).await.expect_err("fenced");
        assert_eq!(fenced.code(), Code::PRODUCER_FENCED);
    });
}

//! What a member of a group promises when what it reads is asked back.

mod support;

use std::time::{Duration, Instant};

use support::Server;
use support::group::Group;
use tidewire::{AutoCommit, Client, Consumer, Event, Events, Record, Start, TopicConfig};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(50);
/// Records in the one partition that is asked back, five to a batch.
const RECORDS: u64 = 20;

/// How the application takes records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Batches,
    Records,
}

struct World {
    server: Server,
    events: Events,
    consumer: Consumer,
    by: By,
}

impl World {
    /// A member that has both partitions of a topic and was shown the first records of one.
    async fn new(by: By, auto_commit: AutoCommit) -> Self {
        let server = Server::start().await;
        let url = format!("{}/?retry_backoff_ms=1&retry_backoff_max_ms=4", server.url());
        let client = Client::connect(&url).await.expect("connects");
        client.create_topic("t", TopicConfig::default().partitions(2)).await.expect("new");
        let producer = client.producer("t").batch_records(5).build().await.expect("opens");
        for number in 0..RECORDS {
            let record = Record::new(number.to_string()).partition(0);
            producer.enqueue(record).expect("room");
        }
        producer.close().await.expect("acknowledged");
        server.group(|group| group.assigned = [0, 1].into());
        let events = client.events();
        let builder = client.consumer("t").group("g").start(Start::Earliest);
        let consumer = builder.auto_commit(auto_commit).build().await.expect("joins");
        Self { server, events, consumer, by }
    }

    /// The next offsets that are shown.
    async fn take(&mut self) -> Vec<u64> {
        match self.by {
            By::Batches => {
                let batch = self.consumer.next_batch().await.expect("delivered").expect("open");
                batch.iter().map(|record| record.offset()).collect()
            }
            By::Records => {
                let record = self.consumer.next_record().await.expect("delivered");
                vec![record.expect("open").offset()]
            }
        }
    }

    /// Adds all that is shown from here on, until that was enough and nothing more comes.
    async fn rest(&mut self, shown: &mut Vec<u64>, enough: impl Fn(&[u64], &Group) -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            match timeout(SHORT, self.take()).await {
                Ok(more) => shown.extend(more),
                Err(_) if self.server.group(|group| enough(shown, group)) => return,
                Err(_) => assert!(Instant::now() < until, "only {shown:?} came"),
            }
        }
    }

    async fn event(&mut self, is: impl Fn(&Event) -> bool) {
        let found =
            timeout(PATIENCE, async { while !is(&self.events.next().await.expect("open")) {} });
        found.await.expect("told in time");
    }

    /// The partition is asked back, and before it can be released the connection is lost; when the
    /// member comes back, the group wants what `then` says.
    async fn ask_back_and_cut(&mut self, then: &[u32]) {
        self.server.group(|group| group.revoked = [0].into());
        self.event(|event| matches!(event, Event::PartitionsRevoked { .. })).await;
        assert_eq!(self.reads(), [1], "it is not read any more");
        self.server.group(|group| group.revoked = then.iter().copied().collect());
        self.server.cut();
        self.event(|event| matches!(event, Event::Connected { .. })).await;
        for _ in 0..1_000 {
            let joined = self.server.group(|group| group.joins.len() == 2);
            if joined && (!then.is_empty() || self.reads() == [0, 1]) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it did not come back: {:?}", self.server.group(|group| group.clone()));
    }

    /// Partitions that it reads.
    fn reads(&self) -> Vec<u32> {
        self.consumer.assignment().iter().map(|of| of.partition).collect()
    }
}

const WAYS: [(By, AutoCommit); 6] = [
    (By::Batches, AutoCommit::Off),
    (By::Batches, AutoCommit::After),
    (By::Batches, AutoCommit::Before),
    (By::Records, AutoCommit::Off),
    (By::Records, AutoCommit::After),
    (By::Records, AutoCommit::Before),
];

/// SPEC G-5, G-8: what it has in hand is neither lost nor shown twice, and it may store its offset.
#[tokio::test]
async fn what_was_asked_back_and_is_kept_after_all_goes_on_where_the_application_is() {
    for (by, auto_commit) in WAYS {
        let mut world = World::new(by, auto_commit).await;
        let mut shown = world.take().await;
        shown.extend(world.take().await);
        world.ask_back_and_cut(&[]).await;
        let at = shown.last().expect("two") + 1;
        if auto_commit == AutoCommit::Off {
            world.consumer.commit().await.expect("it is still its own");
            assert_eq!(world.server.group(|group| group.stored.get(&0).copied()), Some(at));
        }
        world.rest(&mut shown, |shown, _| shown.len() as u64 >= RECORDS).await;
        assert_eq!(shown, (0..RECORDS).collect::<Vec<_>>(), "{by:?}, {auto_commit:?}");
        world.consumer.commit().await.expect("it is its own");
        let group = world.server.group(|group| group.clone());
        assert_eq!(group.stored.get(&0), Some(&RECORDS), "{by:?}, {auto_commit:?}");
        assert_eq!(group.joins, [(0, 0), (7, 1)], "{by:?}, {auto_commit:?}");
        assert_eq!(group.released, [0; 0], "{by:?}, {auto_commit:?}");
    }
}

/// SPEC G-6: what is still asked back is stored as far as it was done, and released.
#[tokio::test]
async fn what_is_asked_back_still_after_a_lost_connection_is_released() {
    for (by, auto_commit) in WAYS {
        let mut world = World::new(by, auto_commit).await;
        let mut shown = world.take().await;
        shown.extend(world.take().await);
        world.ask_back_and_cut(&[0]).await;
        // What the application has in hand is done once it asks for more.
        world.rest(&mut shown, |_, group| !group.released.is_empty()).await;
        let group = world.server.group(|group| group.clone());
        assert_eq!(group.released, [0], "{by:?}, {auto_commit:?}");
        assert_eq!(group.assigned, [1].into(), "{by:?}, {auto_commit:?}");
        let done = shown.len() as u64;
        assert_eq!(shown, (0..done).collect::<Vec<_>>(), "{by:?}, {auto_commit:?}");
        let stored = (auto_commit != AutoCommit::Off).then_some(done);
        assert_eq!(group.stored.get(&0).copied(), stored, "{by:?}, {auto_commit:?}");
        assert!(done < RECORDS, "all of it was shown");
    }
}

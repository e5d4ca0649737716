//! A small server in this process, for tests of the client alone.
//!
//! Owns an in-memory store behind the protocol's own `ServerConnection`, and a table of
//! [`Faults`] that tests change while it runs. It keeps the order and the credit rules of a real
//! server, so that what it is told to break is all that is broken.
#![allow(dead_code, reason = "each test file uses its own part")]

mod append;
pub mod group;
pub mod raw;
mod session;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidewire_protocol::batch;
use tidewire_protocol::connection::{ServerConfig, Time};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::idempotence::ProducerState;
use tidewire_protocol::message::*;
use tokio::net::TcpListener;
use tokio::sync::watch;

use group::Group;
use session::Session;

/// What the server does wrong, and what it holds back.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Answer no append until this is false again.
    pub hold_appends: bool,
    /// Answer requests of these kinds late, by this many milliseconds.
    pub delays_ms: HashMap<Kind, u64>,
    /// Never answer these kinds.
    pub mute: Vec<Kind>,
    /// Answer these appends, counted from 0, with this error.
    pub append_errors: HashMap<usize, Error>,
    /// Answer every append with this error.
    pub append_error: Option<Error>,
    /// Cut the connection when this append, counted from 0, arrives.
    pub cut_at_append: Option<usize>,
    /// Cut the connection when the first opening of a producer arrives, which is carried out.
    pub cut_at_first_open: bool,
    /// Answer requests of this kind with bytes that are no frame.
    pub garbage_for: Option<Kind>,
    /// Flip a bit in what is delivered of this partition.
    pub damage_partition: Option<u32>,
    /// Deliver without regard to credit.
    pub ignore_credit: bool,
    /// Deliver nothing of this partition.
    pub stall_partition: Option<u32>,
    /// Close connections as soon as they are made.
    pub turn_away: bool,
    /// Cut the next connections, one each, after so many bytes. What arrived before is carried
    /// out, whether or not its answer leaves.
    pub cuts: VecDeque<Cut>,
    /// Say that this is another server.
    pub other_server_id: Option<u64>,
}

/// Where a connection is cut.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub after_read: usize,
    pub after_written: usize,
}

/// What arrived and left, for tests to look at.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub appends: Vec<Appended>,
    /// Most appends of one partition that were unanswered at once.
    pub most_in_flight: usize,
    pub credits: Vec<(u32, u64)>,
    pub delivered_bytes: HashMap<u32, u64>,
    pub closed_producers: usize,
    /// Channel and producer id.
    pub opened_producers: Vec<(u32, u64)>,
    /// Who said to have opened them.
    pub openers: Vec<Option<u64>>,
    pub unsubscribed: usize,
    pub connections_ended: usize,
    pub connections: usize,
    pub subscribed: usize,
    /// Batches that were there already.
    pub duplicates: usize,
}

#[derive(Clone, Debug)]
pub struct Appended {
    pub partition: u32,
    pub records: u32,
    pub base_sequence: u64,
    pub codec: Codec,
    pub len: usize,
    pub at: Instant,
}

#[derive(Debug, Default)]
struct Partition {
    batches: Vec<(u64, Bytes)>,
    start_offset: u64,
    next_offset: u64,
    producers: HashMap<u64, ProducerState>,
    /// Offsets of the ids, if the topic has a window; nothing is forgotten.
    ids: HashMap<[u8; 16], u64>,
}

#[derive(Debug)]
struct Topic {
    info: TopicInfo,
    partitions: Vec<Partition>,
}

#[derive(Default)]
struct State {
    streams: BTreeMap<String, StreamInfo>,
    topics: BTreeMap<(String, String), Topic>,
    group: Group,
    faults: Faults,
    log: Log,
    next_id: u64,
    cuts: u64,
    /// Connections up to this number read nothing and write nothing, as behind a dead link.
    frozen: usize,
}

struct Shared {
    state: Mutex<State>,
    config: Arc<ServerConfig>,
    changed: watch::Sender<u64>,
    started: Instant,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Time {
        Time::from_nanos(self.started.elapsed().as_nanos() as u64)
    }
}

pub struct Server {
    shared: Arc<Shared>,
    port: u16,
    accept: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::with_config(ServerConfig::default()).await
    }

    pub async fn with_config(config: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let mut state = State::default();
        state.create_stream("default");
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            config: Arc::new(config),
            changed: watch::Sender::new(0),
            started: Instant::now(),
        });
        let accepting = Arc::clone(&shared);
        let accept = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let turned_away = {
                    let mut state = accepting.lock();
                    state.log.connections += 1;
                    state.faults.turn_away
                };
                if !turned_away {
                    tokio::spawn(Session::new(Arc::clone(&accepting)).serve(stream));
                }
            }
        });
        Self { shared, port, accept }
    }

    pub fn url(&self) -> String {
        format!("tidewire://127.0.0.1:{}", self.port)
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.shared.lock().faults);
        self.shared.changed.send_modify(|version| *version += 1);
    }

    pub fn log(&self) -> Log {
        self.shared.lock().log.clone()
    }

    /// Has the group decide something, or tells what it has done.
    pub fn group<T>(&self, with: impl FnOnce(&mut Group) -> T) -> T {
        let told = with(&mut self.shared.lock().group);
        self.shared.changed.send_modify(|version| *version += 1);
        told
    }

    /// Has all connections that there are do nothing any more, without ending them.
    pub fn freeze_connections(&self) {
        let mut state = self.shared.lock();
        state.frozen = state.log.connections;
        drop(state);
        self.shared.changed.send_modify(|version| *version += 1);
    }

    /// Cuts every connection without a word.
    pub fn cut(&self) {
        self.shared.lock().cuts += 1;
        self.shared.changed.send_modify(|version| *version += 1);
    }

    /// Every record of a partition, by offset: what its producer sealed, from byte 24 on.
    pub fn values(&self, topic: &str, partition: u32) -> Vec<Bytes> {
        let mut state = self.shared.lock();
        let topic = state.topics.get_mut(&("default".to_owned(), topic.to_owned()));
        let partition = &topic.expect("exists").partitions[partition as usize];
        let mut values = Vec::new();
        for (_, bytes) in &partition.batches {
            let batch = batch::Batch::decode(bytes.clone()).expect("stored as it came");
            let records = (0..batch.len()).filter_map(|index| batch.get(index));
            values
                .extend(records.map(|r| Bytes::copy_from_slice(r.value().unwrap_or_default())));
        }
        values
    }

    /// Forgets all producers, as a server that has lost what it had not synced.
    pub fn forget_producers(&self) {
        for topic in self.shared.lock().topics.values_mut() {
            topic.partitions.iter_mut().for_each(|partition| partition.producers.clear());
        }
    }

    /// Forgets all records and producers of a topic, and gives it another id.
    pub fn recreate(&self, topic: &str) {
        let mut state = self.shared.lock();
        state.next_id += 1;
        let id = state.next_id;
        let topic = state.topics.get_mut(&("default".to_owned(), topic.to_owned()));
        let topic = topic.expect("exists");
        topic.info.id = id;
        topic.partitions.iter_mut().for_each(|partition| *partition = Partition::default());
    }

    /// Has a partition go on at `offset`, and forgets everything before.
    pub fn append_and_trim(&self, topic: &str, partition: u32, offset: u64) {
        let mut state = self.shared.lock();
        let topic = state.topics.get_mut(&("default".to_owned(), topic.to_owned()));
        let partition = &mut topic.expect("exists").partitions[partition as usize];
        partition.batches.clear();
        partition.start_offset = offset;
        partition.next_offset = offset;
    }

    /// Forgets the records of a partition before `offset`.
    pub fn trim(&self, topic: &str, partition: u32, offset: u64) {
        let mut state = self.shared.lock();
        let topic = state.topics.get_mut(&("default".to_owned(), topic.to_owned()));
        let partition = &mut topic.expect("exists").partitions[partition as usize];
        partition.start_offset = offset;
    }

    /// Waits until the log says so, for at most five seconds.
    pub async fn until(&self, what: &str, holds: impl Fn(&Log) -> bool) {
        for _ in 0..500 {
            if holds(&self.shared.lock().log) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{what} did not happen within five seconds: {:?}", self.log());
    }
}

impl State {
    fn create_stream(&mut self, name: &str) -> StreamInfo {
        self.next_id += 1;
        let info =
            StreamInfo { name: name.to_owned(), id: self.next_id, created_us: 1, topics: 0 };
        self.streams.insert(name.to_owned(), info.clone());
        info
    }

    fn topic(&mut self, stream: &str, topic: &str) -> Result<&mut Topic, Error> {
        self.topics.get_mut(&(stream.to_owned(), topic.to_owned())).ok_or_else(|| {
            Error::new(Code::TOPIC_NOT_FOUND, format!("topic {stream}/{topic} does not exist"))
        })
    }

    fn partition(&mut self, at: &Place) -> Result<&mut Partition, Error> {
        let topic = self.topic(&at.stream, &at.topic)?;
        let count = topic.partitions.len();
        topic.partitions.get_mut(at.partition as usize).ok_or_else(|| {
            Error::new(
                Code::PARTITION_NOT_FOUND,
                format!("partition {} does not exist, there are {count}", at.partition),
            )
        })
    }
}

#[derive(Clone, Debug)]
struct Place {
    stream: String,
    topic: String,
    partition: u32,
}

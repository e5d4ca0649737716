//! A small server in this process, for tests of the client alone.
//!
//! Owns an in-memory store behind the protocol's own `ServerConnection`, and a table of
//! [`Faults`] that tests change while it runs. It keeps the order and the credit rules of a real
//! server, so that what it is told to break is all that is broken.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod group;
pub mod raw;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tidewire_protocol::batch::{self, Limits, Stamp};
use tidewire_protocol::connection::{
    ServerConfig, ServerConnection, ServerEvent, Ticket, Time,
};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::idempotence::{Accepted, Claim, ProducerState, Verdict};
use tidewire_protocol::message::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use group::Group;

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

type Answer = Box<dyn FnOnce(&mut ServerConnection) + Send>;

/// One connection.
struct Session {
    shared: Arc<Shared>,
    connection: ServerConnection,
    producers: HashMap<u32, (String, String)>,
    subscriptions: HashMap<u32, (Place, u64)>,
    /// The channel and topic of the membership, and what its member knows to be asked back.
    member: Option<(u32, TopicRef, BTreeSet<u32>)>,
    later: Vec<(Instant, Answer)>,
    held: Vec<Answer>,
    in_flight: HashMap<u32, Arc<()>>,
    garbage: bool,
}

impl Session {
    fn new(shared: Arc<Shared>) -> Self {
        let mut config = Arc::clone(&shared.config);
        if let Some(server_id) = shared.lock().faults.other_server_id {
            Arc::make_mut(&mut config).server_id = server_id;
        }
        let connection = ServerConnection::new(config, shared.now());
        Self {
            shared,
            connection,
            producers: HashMap::new(),
            subscriptions: HashMap::new(),
            member: None,
            later: Vec::new(),
            held: Vec::new(),
            in_flight: HashMap::new(),
            garbage: false,
        }
    }

    async fn serve(mut self, mut stream: TcpStream) {
        let shared = Arc::clone(&self.shared);
        let mut changed = shared.changed.subscribe();
        let (number, cuts, cut) = {
            let mut state = shared.lock();
            (state.log.connections, state.cuts, state.faults.cuts.pop_front())
        };
        let cut = cut.unwrap_or(Cut { after_read: usize::MAX, after_written: usize::MAX });
        let (mut may_read, mut may_write) = (cut.after_read, cut.after_written);
        let mut buf = BytesMut::new();
        let (mut over, mut last) = (false, false);
        while !over {
            while let Some(event) = self.connection.poll_event() {
                match event {
                    ServerEvent::Request(ticket, request, payload) => {
                        let goes_on = self.handle(ticket, request, payload);
                        if !goes_on {
                            shared.lock().log.connections_ended += 1;
                            return;
                        }
                    }
                    ServerEvent::Credit { channel } => {
                        let credit = self.connection.sendable(channel);
                        shared.lock().log.credits.push((channel, credit));
                    }
                    ServerEvent::Closed(_) => over = true,
                    _ => {}
                }
            }
            if buf.capacity() == 0 {
                // Only now: frames are read from the buffer while the connection has it.
                buf = self.connection.take_read_buf();
            }
            if last || shared.lock().cuts != cuts {
                break;
            }
            if number <= shared.lock().frozen {
                let _ = changed.changed().await;
                continue;
            }
            self.answer_due();
            self.tell_member();
            self.deliver();
            let mut out = Vec::new();
            while self.connection.poll_transmit(&mut out) {
                for part in out.drain(..) {
                    let part = &part[..part.len().min(may_write)];
                    may_write -= part.len();
                    if stream.write_all(part).await.is_err() || may_write == 0 {
                        over = true;
                    }
                }
            }
            if std::mem::take(&mut self.garbage) {
                let _ = stream.write_all(&[0xff; 64]).await;
            }
            if over {
                break;
            }
            let next = self.later.iter().map(|(at, _)| *at).min();
            let wait = next.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                read = stream.read_buf(&mut buf) => {
                    let count = *read.as_ref().unwrap_or(&0);
                    buf.truncate(buf.len() - count + count.min(may_read));
                    may_read -= count.min(may_read);
                    // It is carried out, but the answers do not leave.
                    last |= may_read == 0;
                    self.connection.handle_input(shared.now(), std::mem::take(&mut buf));
                    if !matches!(read, Ok(count) if count > 0) {
                        self.connection.handle_eof();
                    }
                }
                _ = changed.changed() => {}
                () = tokio::time::sleep_until(wait.into()) => {}
            }
        }
        shared.lock().log.connections_ended += 1;
    }

    fn answer_due(&mut self) {
        if !self.shared.lock().faults.hold_appends {
            for answer in self.held.drain(..) {
                answer(&mut self.connection);
            }
        }
        let now = Instant::now();
        let (due, later) =
            std::mem::take(&mut self.later).into_iter().partition(|l| l.0 <= now);
        self.later = later;
        let due: Vec<(Instant, Answer)> = due;
        for (_, answer) in due {
            answer(&mut self.connection);
        }
    }

    /// Carries out a request; false cuts the connection.
    fn handle(&mut self, ticket: Ticket, request: AnyRequest, payload: Bytes) -> bool {
        let kind = ticket.kind;
        let faults = self.shared.lock().faults.clone();
        if faults.mute.contains(&kind) {
            return true;
        }
        if faults.garbage_for == Some(kind) {
            self.garbage = true;
            return true;
        }
        let Some(answer) = self.carry_out(ticket, request, payload, &faults) else {
            return false;
        };
        match faults.delays_ms.get(&kind) {
            Some(&ms) => {
                self.later.push((Instant::now() + Duration::from_millis(ms), answer));
            }
            None if kind == Kind::APPEND && faults.hold_appends => self.held.push(answer),
            None => answer(&mut self.connection),
        }
        true
    }

    fn carry_out(
        &mut self,
        ticket: Ticket,
        request: AnyRequest,
        payload: Bytes,
        faults: &Faults,
    ) -> Option<Answer> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        let channel = ticket.channel;
        Some(match request {
            AnyRequest::StreamCreate(r) => {
                let stream = state.create_stream(&r.name);
                answer(ticket, Ok(StreamCreateReply { stream }))
            }
            AnyRequest::StreamDescribe(r) => {
                let found = state.streams.get(&r.name).cloned();
                let found = found.ok_or_else(|| {
                    Error::new(Code::STREAM_NOT_FOUND, format!("no {}", r.name))
                });
                answer(ticket, found.map(|stream| StreamDescribeReply { stream }))
            }
            AnyRequest::StreamList(r) => {
                // Small pages, so that a client has to ask for more.
                let mut all = state.streams.values().filter(|s| s.name > r.after).cloned();
                let streams: Vec<StreamInfo> = all.by_ref().take(2).collect();
                answer(ticket, Ok(StreamListReply { streams, more: all.next().is_some() }))
            }
            AnyRequest::StreamDelete(r) => {
                state.streams.remove(&r.name);
                answer(ticket, Ok(StreamDeleteReply {}))
            }
            AnyRequest::TopicCreate(r) => {
                state.next_id += 1;
                let info = TopicInfo {
                    stream: r.stream.clone(),
                    name: r.topic.clone(),
                    id: state.next_id,
                    created_us: 1,
                    partitions: r.partitions,
                    segment_bytes: r.segment_bytes.unwrap_or(1 << 28),
                    codec: r.codec.unwrap_or(Codec::None),
                    retention_ms: r.retention_ms.unwrap_or(0),
                    retention_bytes: r.retention_bytes.unwrap_or(0),
                    dedup_window_ms: r.dedup_window_ms.unwrap_or(0),
                };
                let partitions = (0..r.partitions).map(|_| Partition::default()).collect();
                let topic = Topic { info: info.clone(), partitions };
                state.topics.insert((r.stream, r.topic), topic);
                answer(ticket, Ok(TopicCreateReply { topic: info }))
            }
            AnyRequest::TopicUpdate(r) => {
                let changed = state.topic(&r.stream, &r.topic).map(|topic| {
                    let info = &mut topic.info;
                    info.segment_bytes = r.segment_bytes.unwrap_or(info.segment_bytes);
                    info.codec = r.codec.unwrap_or(info.codec);
                    info.retention_ms = r.retention_ms.unwrap_or(info.retention_ms);
                    info.retention_bytes = r.retention_bytes.unwrap_or(info.retention_bytes);
                    info.dedup_window_ms = r.dedup_window_ms.unwrap_or(info.dedup_window_ms);
                    info.clone()
                });
                answer(ticket, changed.map(|topic| TopicUpdateReply { topic }))
            }
            AnyRequest::TopicDescribe(r) => {
                let found = state.topic(&r.stream, &r.topic).map(|topic| topic.info.clone());
                answer(ticket, found.map(|topic| TopicDescribeReply { topic }))
            }
            AnyRequest::TopicList(r) => {
                let mut all = state
                    .topics
                    .values()
                    .map(|topic| topic.info.clone())
                    .filter(|info| info.stream == r.stream && info.name > r.after);
                let topics: Vec<TopicInfo> = all.by_ref().take(2).collect();
                let more = all.next().is_some();
                drop(all);
                answer(ticket, Ok(TopicListReply { topics, more }))
            }
            AnyRequest::TopicDelete(r) => {
                state.topics.remove(&(r.stream.clone(), r.topic.clone()));
                let gone = Error::new(Code::TOPIC_NOT_FOUND, "the topic was deleted");
                let ended = self.subscriptions.extract_if(|_, (place, _)| {
                    place.stream == r.stream && place.topic == r.topic
                });
                for (channel, _) in ended {
                    self.connection.end_subscription(channel, &gone);
                }
                answer(ticket, Ok(TopicDeleteReply {}))
            }
            AnyRequest::ListOffsets(r) => {
                let listed = state.topic(&r.stream, &r.topic).map(|topic| {
                    let each = topic.partitions.iter().zip(0u32..);
                    each.skip(r.first_partition as usize)
                        .take(r.max_partitions.min(2) as usize)
                        .map(|(partition, number)| PartitionInfo {
                            partition: number,
                            shard: 0,
                            start_offset: partition.start_offset,
                            end_offset: partition.next_offset,
                            synced_offset: partition.next_offset,
                            size_bytes: 0,
                            segments: 1,
                            error: 0,
                            found_offset: partition.start_offset,
                        })
                        .collect()
                });
                answer(ticket, listed.map(|partitions| ListOffsetsReply { partitions }))
            }
            AnyRequest::OpenProducer(r) => {
                let opened = state.topic(&r.stream, &r.topic).map(|topic| OpenProducerReply {
                    producer_id: 0,
                    producer_epoch: 2,
                    topic_id: topic.info.id,
                    partitions: topic.info.partitions,
                    codec: topic.info.codec,
                });
                state.next_id += 1;
                let fresh =
                    ProducerIdentity { producer_id: 40 + state.next_id, producer_epoch: 2 };
                let identity = r.resume.unwrap_or(fresh);
                state.log.opened_producers.push((channel, identity.producer_id));
                state.log.openers.push(r.opener);
                if faults.cut_at_first_open && state.log.openers.len() == 1 {
                    return None;
                }
                let opened = opened.map(|opened| OpenProducerReply {
                    producer_id: identity.producer_id,
                    producer_epoch: identity.producer_epoch,
                    ..opened
                });
                self.producers.insert(channel, (r.stream, r.topic));
                answer(ticket, opened)
            }
            AnyRequest::CloseProducer(_) => {
                state.log.closed_producers += 1;
                answer(ticket, Ok(CloseProducerReply {}))
            }
            AnyRequest::Append(r) => {
                if faults.cut_at_append == Some(state.log.appends.len()) {
                    return None;
                }
                let (stream, topic) = self.producers[&channel].clone();
                let place = Place { stream, topic, partition: r.partition };
                let open = self.in_flight.entry(r.partition).or_default();
                let token = Arc::clone(open);
                let most = Arc::strong_count(open) - 1;
                state.log.most_in_flight = state.log.most_in_flight.max(most);
                let appended = append(&mut state, &place, &payload, r.acks, faults);
                shared.changed.send_modify(|version| *version += 1);
                let answer = answer(ticket, appended);
                Box::new(move |connection| {
                    drop(token);
                    answer(connection);
                })
            }
            AnyRequest::Subscribe(r) => {
                let place = Place { stream: r.stream, topic: r.topic, partition: r.partition };
                let subscribed = state.partition(&place).and_then(|partition| {
                    let next_offset = match r.start {
                        Start::Earliest => partition.start_offset,
                        Start::Latest => partition.next_offset,
                        Start::Last => {
                            let start = partition.next_offset.saturating_sub(r.start_at);
                            start.max(partition.start_offset)
                        }
                        _ => r.start_at,
                    };
                    check_offset(partition, next_offset)?;
                    Ok(SubscribeReply {
                        next_offset,
                        start_offset: partition.start_offset,
                        end_offset: partition.next_offset,
                    })
                });
                if let Ok(reply) = &subscribed {
                    state.log.subscribed += 1;
                    self.subscriptions.insert(channel, (place, reply.next_offset));
                }
                answer(ticket, subscribed)
            }
            AnyRequest::Unsubscribe(_) => {
                state.log.unsubscribed += 1;
                self.subscriptions.remove(&channel);
                answer(ticket, Ok(UnsubscribeReply {}))
            }
            AnyRequest::Fetch(r) => {
                let place = Place { stream: r.stream, topic: r.topic, partition: r.partition };
                let mut batches = Vec::new();
                let fetched = state.partition(&place).and_then(|partition| {
                    check_offset(partition, r.offset)?;
                    let mut len = 0;
                    for (next, bytes) in &partition.batches {
                        if *next > r.offset
                            && (len == 0 || len + bytes.len() <= r.max_bytes as usize)
                        {
                            len += bytes.len();
                            batches.push(bytes.clone());
                        }
                    }
                    Ok(FetchReply {
                        start_offset: partition.start_offset,
                        end_offset: partition.next_offset,
                    })
                });
                match fetched {
                    Ok(reply) => Box::new(move |connection: &mut ServerConnection| {
                        connection.reply(ticket, &reply, &batches);
                    }),
                    Err(error) => answer::<FetchReply>(ticket, Err(error)),
                }
            }
            AnyRequest::GroupJoin(r) => {
                let topic = r.topics[0].clone();
                let topic_id =
                    state.topic(&topic.stream, &topic.topic).map_or(0, |t| t.info.id);
                let joined = state.group.join(&r);
                let all = state.group.all(&topic, topic_id);
                let told = state.group.revoked.clone();
                self.member = joined.is_ok().then_some((channel, topic, told));
                let answer = answer(ticket, joined);
                Box::new(move |connection| {
                    answer(connection);
                    connection.group_event(channel, &all);
                })
            }
            AnyRequest::GroupRelease(r) => {
                state.group.release(&r);
                answer(ticket, Ok(GroupReleaseReply {}))
            }
            AnyRequest::GroupLeave(_) => {
                self.member = None;
                answer(ticket, Ok(GroupLeaveReply {}))
            }
            AnyRequest::OffsetStore(r) => answer(ticket, Ok(state.group.store(&r))),
            other => panic!("the test server does not know {other:?}"),
        })
    }

    /// Asks back what the group has decided to since.
    fn tell_member(&mut self) {
        let Some((channel, topic, told)) = &mut self.member else { return };
        let revoked = self.shared.lock().group.revoked.clone();
        let new: BTreeSet<u32> = revoked.difference(told).copied().collect();
        if !new.is_empty() {
            self.connection.group_event(*channel, &group::revocation(topic, &new));
            told.extend(new);
        }
    }

    fn deliver(&mut self) {
        let mut state = self.shared.lock();
        let faults = state.faults.clone();
        let channels: Vec<u32> = self.subscriptions.keys().copied().collect();
        for channel in channels {
            let Some((place, next)) = self.subscriptions.get_mut(&channel) else {
                continue;
            };
            if faults.stall_partition == Some(place.partition) {
                continue;
            }
            let Ok(partition) = state.partition(place) else {
                continue;
            };
            let end_offset = partition.next_offset;
            let mut sent = 0;
            for (after, bytes) in &partition.batches {
                if *after <= *next {
                    continue;
                }
                if self.connection.sendable(channel) == 0 && !faults.ignore_credit {
                    break;
                }
                let mut bytes = bytes.clone();
                if faults.damage_partition == Some(place.partition) {
                    let mut damaged = bytes.to_vec();
                    damaged[batch::HEADER_LEN] ^= 1;
                    bytes = damaged.into();
                }
                sent += bytes.len() as u64;
                self.connection.deliver(channel, &Deliver { end_offset }, &[bytes]);
                *next = *after;
            }
            if sent > 0 {
                *state.log.delivered_bytes.entry(channel).or_default() += sent;
            }
        }
    }
}

fn check_offset(partition: &Partition, offset: u64) -> Result<(), Error> {
    if (partition.start_offset..=partition.next_offset).contains(&offset) {
        return Ok(());
    }
    Err(Error::new(Code::OFFSET_OUT_OF_RANGE, format!("offset {offset} is not there")))
}

fn append(
    state: &mut State,
    place: &Place,
    payload: &Bytes,
    acks: Acks,
    faults: &Faults,
) -> Result<AppendReply, Error> {
    let (header, _) = batch::validate(payload, Limits::PROTOCOL)?;
    let number = state.log.appends.len();
    state.log.appends.push(Appended {
        partition: place.partition,
        records: header.record_count,
        base_sequence: header.base_sequence,
        codec: header.codec,
        len: payload.len(),
        at: Instant::now(),
    });
    if let Some(error) = faults.append_errors.get(&number).or(faults.append_error.as_ref()) {
        return Err(error.clone());
    }
    let has_window = state.topic(&place.stream, &place.topic)?.info.dedup_window_ms > 0;
    let partition = state.partition(place)?;
    let idempotent = header.producer_id != 0;
    if idempotent {
        let producer = partition.producers.entry(header.producer_id).or_default();
        if let Verdict::Duplicate(first) = producer.judge(&Claim::from(&header))? {
            state.log.duplicates += 1;
            let Accepted { base_offset, append_time_us, .. } = first;
            return Ok(AppendReply { base_offset, append_time_us, acks, duplicate: true });
        }
    }
    let base_offset = partition.next_offset;
    if has_window {
        judge_ids(&mut partition.ids, payload, base_offset)?;
    }
    let append_time_us = 1_000 + base_offset as i64;
    if idempotent && let Some(producer) = partition.producers.get_mut(&header.producer_id) {
        producer.accept(&Claim::from(&header), base_offset, append_time_us);
    }
    let stamp = Stamp { base_offset, append_time_us, leader_epoch: 1 };
    let mut bytes = payload.to_vec();
    let rest = bytes[batch::STAMP_LEN..batch::HEADER_LEN].try_into().expect("80 - 24 is 56");
    bytes[..batch::STAMP_LEN].copy_from_slice(&stamp.encode(&rest));
    partition.next_offset += u64::from(header.record_count);
    partition.batches.push((partition.next_offset, bytes.into()));
    Ok(AppendReply { base_offset, append_time_us, acks, duplicate: false })
}

/// Remembers the ids of a batch, or says which were seen: one range for each record, and no more
/// than [`MAX_SEEN_RANGES`](tidewire_protocol::limits::MAX_SEEN_RANGES).
fn judge_ids(
    ids: &mut HashMap<[u8; 16], u64>,
    payload: &Bytes,
    base_offset: u64,
) -> Result<(), Error> {
    let batch = batch::Batch::decode(payload.clone())?;
    let mut new = HashMap::new();
    let mut seen = Vec::new();
    for (index, record) in (0u32..).zip(batch.iter()) {
        let Some(id) = record.id() else {
            continue;
        };
        let offset = ids.get(&id).copied().or_else(|| new.get(&id).map(|_| u64::MAX));
        match offset {
            Some(base_offset) => {
                seen.push(SeenRange { first_index: index, count: 1, base_offset });
            }
            None => _ = new.insert(id, base_offset + u64::from(index)),
        }
    }
    if seen.is_empty() {
        ids.extend(new);
        return Ok(());
    }
    seen.truncate(tidewire_protocol::limits::MAX_SEEN_RANGES as usize);
    Err(Error { seen, ..Error::new(Code::DUPLICATE_IDS, "ids were seen") })
}

fn answer<M: Message + Send + 'static>(ticket: Ticket, reply: Result<M, Error>) -> Answer {
    Box::new(move |connection| match reply {
        Ok(reply) => connection.reply(ticket, &reply, &[]),
        Err(error) => connection.reply_error(ticket, &error),
    })
}

//! One connection of the server in this process: what it answers, and when.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tidewire_protocol::batch;
use tidewire_protocol::connection::{ServerConnection, ServerEvent, Ticket};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::append::append;
use super::{Cut, Faults, Partition, Place, Shared, Topic, group};

type Answer = Box<dyn FnOnce(&mut ServerConnection) + Send>;

/// One connection.
pub(super) struct Session {
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
    pub(super) fn new(shared: Arc<Shared>) -> Self {
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

    pub(super) async fn serve(mut self, mut stream: TcpStream) {
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

fn answer<M: Message + Send + 'static>(ticket: Ticket, reply: Result<M, Error>) -> Answer {
    Box::new(move |connection| match reply {
        Ok(reply) => connection.reply(ticket, &reply, &[]),
        Err(error) => connection.reply_error(ticket, &error),
    })
}

//! A producer beyond its connections: the protocol's `ProducerSession`, its channel, and the
//! application behind it, which is told of each batch once.

use std::collections::BTreeMap;

use bytes::Bytes;
use tidewire_checker::{Digest, Event, Level, Order, Retries};
use tidewire_protocol::batch::Sequence;
use tidewire_protocol::connection::{ClientConnection, Time};
use tidewire_protocol::error::{Code, Disposition, Error};
use tidewire_protocol::frame::Frame;
use tidewire_protocol::message::{
    Acks, Append, AppendReply, CloseProducer, OpenProducer, ProducerIdentity,
};
use tidewire_protocol::session::{
    Attempt, Backoff, Identity, ProducerConfig, ProducerEvent, ProducerSession,
};

use super::client::Pending;
use super::member::GroupMember;
use super::world::World;
use super::{STREAM, TOPIC};
use crate::batches::{self, Make};
use crate::bug::Bug;

/// Pauses before a channel that could not be opened is tried again, in milliseconds.
const REOPEN_MS: (u32, u32) = (50, 2_000);
/// Batches without an outcome beyond which the application waits.
const MAX_UNSETTLED: usize = 12;

pub(crate) struct Producer {
    /// For the checker: the producer's number, and the place of its next send by partition.
    number: u64,
    places: BTreeMap<u32, u64>,
    name: Option<String>,
    acks: Acks,
    session: Option<ProducerSession<u64>>,
    seed: u64,
    partitions: u32,
    /// Open on this connection.
    channel: Option<u32>,
    opening: bool,
    /// Openings that did not renew it but made it another.
    anew: u64,
    /// From then on no opening of the program before it can arrive any more.
    alone_at: Option<Time>,
    reopen_at: Option<Time>,
    backoff: Backoff,
    /// Sends without an outcome, and when that is due.
    unsettled: BTreeMap<u64, Unsettled>,
    over: bool,
}

struct Unsettled {
    partition: u32,
    bytes: Bytes,
    records: Vec<Digest>,
    deadline: Time,
}

impl Producer {
    pub fn unrest(&self) -> Option<String> {
        let waits = !self.unsettled.is_empty();
        waits.then(|| format!("a producer waits for the outcome of {}", self.unsettled.len()))
    }

    pub fn poll_timeout(&self, speaks: bool) -> Option<Time> {
        let session = self.session.as_ref().and_then(ProducerSession::poll_timeout);
        let opens = self.reopen_at.max(self.alone_at).filter(|_| speaks);
        session.into_iter().chain(opens).min()
    }
}

impl World {
    pub fn new_producer(&mut self, number: usize) {
        let seed = self.rng.next();
        let client = &mut self.clients[number];
        // A name stands for one line of records, whatever process writes it.
        let (id, places) = match (&client.name, client.lasting.take()) {
            (Some(_), Some(lasting)) => lasting,
            _ => {
                self.next_producer += 1;
                (self.next_producer, BTreeMap::new())
            }
        };
        let acks = if self.plan.level == Level::Synced { Acks::Synced } else { Acks::Written };
        let late_open_us = client.late_open_us;
        client.producer = Some(Producer {
            number: id,
            places,
            name: client.name.clone(),
            acks,
            session: None,
            seed,
            partitions: 0,
            channel: None,
            opening: false,
            anew: 0,
            alone_at: client.name.is_some().then(|| Time::from_nanos(late_open_us * 1_000)),
            reopen_at: None,
            backoff: Backoff::new(REOPEN_MS.0, REOPEN_MS.1, seed),
            unsettled: BTreeMap::new(),
            over: false,
        });
    }

    /// The application makes a batch.
    pub fn produce(&mut self, number: usize) {
        if self.resting {
            return;
        }
        let pause = self.rng.below(self.plan.pause_us) + 1;
        self.act_later(number, pause);
        let now = self.time();
        let (count, choice) = (self.rng.between(1, 3), self.rng.next());
        let (send, level) = (self.next_send, self.plan.level);
        let timeout_ms = self.plan.delivery_timeout_ms;
        let client = &mut self.clients[number];
        let Some(producer) = &mut client.producer else { return };
        let Some(session) = producer.session.as_mut().filter(|_| !producer.over) else {
            return;
        };
        if producer.unsettled.len() >= MAX_UNSETTLED {
            return;
        }
        self.next_send += 1;
        let partition = (choice % u64::from(producer.partitions)) as u32;
        let place = producer.places.entry(partition).or_insert(0);
        *place += 1;
        let order = Order::Once { place: *place };
        client.lasting = Some((producer.number, producer.places.clone()));
        let (bytes, records, _) =
            batches::build(&mut self.rng, send, count, Sequence::default(), Make::default());
        let deadline = now.plus_ms(timeout_ms);
        session.push(partition, bytes.clone(), count as u32, deadline, send);
        let unsettled = Unsettled { partition, bytes, records: records.clone(), deadline };
        producer.unsettled.insert(send, unsettled);
        let event = Event::Sent {
            send,
            partition: u64::from(partition),
            producer: producer.number,
            order,
            retries: Retries::Hidden,
            level,
            records,
        };
        self.tally.sent += 1;
        self.observe(event);
    }

    pub fn producer_disconnected(&mut self, number: usize) {
        let now = self.time();
        let bug = self.bug;
        let Some(producer) = &mut self.clients[number].producer else { return };
        producer.channel = None;
        producer.opening = false;
        producer.reopen_at = None;
        let Some(session) = &mut producer.session else { return };
        if bug == Some(Bug::LostIsSuccess) && !producer.unsettled.is_empty() {
            // Whoever waits is told that all is well.
            let all = std::mem::take(&mut producer.unsettled);
            let told = all.into_iter().flat_map(|(send, unsettled)| {
                unsettled.records.into_iter().map(move |digest| (send, digest))
            });
            self.succeeded.extend(told);
            producer.session = None;
            return;
        }
        if bug == Some(Bug::RetryAsNew) {
            // It begins anew, with the same records under other numbers.
            producer.session = None;
            return;
        }
        session.handle_disconnected(now);
    }

    /// Keeps the channel open, and sends what may be sent.
    pub fn drive_producer(&mut self, number: usize) {
        let now = self.time();
        if self.topic_id.is_none() {
            return;
        }
        if let Some(producer) = &mut self.clients[number].producer
            && let Some(session) = &mut producer.session
        {
            session.handle_timeout(now);
        }
        self.open_channel(number, now);
        self.send_batches(number, now);
        self.settle(number);
    }

    /// A connection is given up on which the opening of a name may still be under way, of a producer
    /// or a member. The same program opens it again at once; another one would be fenced by it.
    pub fn note_late_open(&mut self, number: usize, link: usize) {
        let last_us = self.last_to_server_us(link);
        let client = &mut self.clients[number];
        let opens = client.naming_link.take_if(|naming| *naming == link).is_some();
        let joins = client.member.as_ref().is_some_and(GroupMember::is_joining_by_name);
        if opens || joins {
            client.late_open_us = client.late_open_us.max(last_us + 1);
        }
    }

    fn open_channel(&mut self, number: usize, now: Time) {
        let Some(mut producer) = self.clients[number].producer.take() else { return };
        producer.alone_at.take_if(|at| *at <= now);
        let due = producer.alone_at.is_none() && producer.reopen_at.is_none_or(|at| at <= now);
        let renews = producer.session.as_ref().is_some_and(ProducerSession::wants_identity);
        if !producer.opening && !producer.over && due && (producer.channel.is_none() || renews)
        {
            let session = producer.session.as_ref().filter(|_| !renews);
            let resume = session.map(|session| {
                let Identity { producer_id, producer_epoch } = session.identity();
                ProducerIdentity { producer_id, producer_epoch }
            });
            let resumed = resume.is_some();
            let open = OpenProducer {
                stream: STREAM.to_owned(),
                topic: TOPIC.to_owned(),
                name: producer.name.clone(),
                resume,
                // A session that begins anew, too, is opened by somebody else.
                opener: Some(producer.seed ^ producer.anew),
            };
            let asked = self.with_access(number, |access| {
                let channel = access.new_channel();
                access.has_room()
                    && access.ask(channel, &open, Pending::Open { channel, resumed })
            });
            if asked == Some(true) {
                self.say(format_args!("client {number} opens its producer, resumed {resumed}"));
                producer.opening = true;
                let client = &mut self.clients[number];
                if producer.name.is_some() && !resumed {
                    client.naming_link = client.connection.as_ref().map(|open| open.link);
                }
                producer.reopen_at = None;
            }
        }
        self.clients[number].producer = Some(producer);
    }

    pub fn producer_opened(
        &mut self,
        number: usize,
        channel: u32,
        resumed: bool,
        result: Result<Frame, Error>,
    ) {
        let now = self.time();
        let topic_id = self.topic_id;
        let reply =
            result.and_then(|frame| ClientConnection::decode_reply::<OpenProducer>(&frame));
        let max_in_flight = 1 + (self.rng.below(5) as usize);
        if reply.is_ok() {
            self.clients[number].naming_link = None;
        }
        let Some(producer) = &mut self.clients[number].producer else { return };
        producer.opening = false;
        match reply {
            Ok(reply) => {
                if Some(reply.topic_id) != topic_id {
                    return self.fail("the topic is another one".to_owned());
                }
                producer.backoff.reset();
                producer.partitions = reply.partitions;
                let epoch = reply.producer_epoch;
                let identity = Identity {
                    producer_id: reply.producer_id,
                    producer_epoch: reply.producer_epoch,
                };
                let before = producer.channel.replace(channel);
                match &mut producer.session {
                    Some(session) if resumed => session.handle_connected(),
                    Some(session) => {
                        producer.anew += 1;
                        session.renew(identity);
                        session.handle_connected();
                        self.tally.renewed += 1;
                    }
                    None => {
                        let config = ProducerConfig {
                            max_in_flight,
                            idempotent: true,
                            acks: producer.acks,
                            retry_backoff_ms: 20,
                            retry_backoff_max_ms: 500,
                            seed: producer.seed,
                        };
                        let mut session = ProducerSession::new(config, identity);
                        for (send, unsettled) in &producer.unsettled {
                            // Only of a bug: a session is made once.
                            let Unsettled { partition, bytes, records, deadline } = unsettled;
                            let count = records.len() as u32;
                            session.push(*partition, bytes.clone(), count, *deadline, *send);
                        }
                        producer.session = Some(session);
                    }
                }
                self.plan.partitions = self.plan.partitions.max(reply.partitions);
                self.say(format_args!(
                    "the producer of client {number} is open, epoch {epoch}"
                ));
                if let Some(before) = before {
                    self.with_access(number, |access| {
                        access.ask(before, &CloseProducer {}, Pending::Nothing)
                    });
                }
            }
            Err(error) if may_pass(&error) => {
                producer.reopen_at = Some(now.plus_ms(producer.backoff.next_ms()));
            }
            Err(error) => {
                self.say(format_args!("producer of client {number} is over: {error}"));
                // A name has one process at a time here, so nobody else can have it.
                self.fail(format!("the producer of client {number} is refused: {error}"));
            }
        }
    }

    fn send_batches(&mut self, number: usize, now: Time) {
        let Some(mut producer) = self.clients[number].producer.take() else { return };
        let acks = producer.acks;
        if let (Some(channel), Some(session)) = (producer.channel, &mut producer.session) {
            self.with_access(number, |access| {
                while access.has_room()
                    && session.has_send(now)
                    && let Some(sending) = session.poll_send(now)
                {
                    let append = Append { partition: sending.partition, acks };
                    let pending = Pending::Append(sending.attempt);
                    // Its deadline is the session's to keep.
                    let payload = std::slice::from_ref(&sending.bytes);
                    if let Err(error) = access.request(channel, &append, payload, 0, pending) {
                        session.handle_reply(now, sending.attempt, Err(error));
                    }
                }
            });
        }
        self.clients[number].producer = Some(producer);
    }

    pub fn append_answered(
        &mut self,
        number: usize,
        attempt: Attempt,
        result: Result<Frame, Error>,
    ) {
        let now = self.time();
        let reply = result.and_then(|frame| ClientConnection::decode_reply::<Append>(&frame));
        if let Some(producer) = &mut self.clients[number].producer
            && let Some(session) = &mut producer.session
        {
            session.handle_reply(now, attempt, reply);
        }
        self.settle(number);
    }

    /// Tells the application what became of its batches.
    fn settle(&mut self, number: usize) {
        loop {
            let Some(producer) = &mut self.clients[number].producer else { return };
            let Some(session) = &mut producer.session else { return };
            let fatal = session.fatal().cloned();
            let Some(event) = session.poll_event() else {
                if let (Some(error), false) = (fatal, producer.over) {
                    producer.over = true;
                    self.fail(format!("the producer of client {number} is over: {error}"));
                }
                return;
            };
            match event {
                ProducerEvent::Settled { tag, outcome, .. } => {
                    let known = producer.unsettled.remove(&tag).is_some();
                    if !known {
                        return self.fail(format!("send {tag} has two outcomes"));
                    }
                    self.outcome(tag, outcome);
                }
                ProducerEvent::Throttled { partition, error } => {
                    self.tally.throttled += 1;
                    self.say(format_args!("client {number}, partition {partition}: {error}"));
                }
                _ => {}
            }
        }
    }

    fn outcome(&mut self, send: u64, outcome: Result<AppendReply, Error>) {
        match outcome {
            Ok(reply) => {
                let level = match reply.acks {
                    Acks::Synced => Level::Synced,
                    Acks::Written => Level::Written,
                    _ => Level::None,
                };
                self.tally.acknowledged += 1;
                self.tally.duplicates += u64::from(reply.duplicate);
                let base_offset = reply.base_offset;
                self.observe(Event::Acknowledged { send, level, base_offset });
            }
            Err(error) if error.is_outcome_unknown() => {
                self.tally.unknown += 1;
                self.say(format_args!("send {send} is unknown: {error}"));
            }
            Err(error) => {
                self.tally.failed += 1;
                self.say(format_args!("send {send} failed: {error}"));
                if error.code == Code::PRODUCER_FENCED {
                    self.fail(format!("send {send} is fenced: {error}"));
                }
                self.observe(Event::Failed { send });
            }
        }
    }
}

/// Whether opening a channel may succeed later, or on another connection.
pub(crate) fn may_pass(error: &Error) -> bool {
    const BITS: [Disposition; 3] =
        [Disposition::RETRIABLE, Disposition::RECONNECT, Disposition::OUTCOME_UNKNOWN];
    BITS.iter().any(|bit| error.disposition.has(*bit))
}

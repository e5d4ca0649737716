//! A program: its way to a connection by the client's own rules, what it asks on it, and to whom
//! what arrives goes. It may be paused, or end and be started anew.

use std::collections::BTreeMap;

use bytes::Bytes;
use tidewire_checker::Event;
use tidewire_protocol::connection::{
    ClientConfig, ClientConnection, ClientEvent, RESERVED_REQUESTS, RequestId, Time,
};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::frame::Frame;
use tidewire_protocol::message::{
    Message, OffsetGet, OffsetReset, PartitionRef, PartitionsAdd, Request, ResetOffset,
    TopicCreate, TopicDescribe,
};
use tidewire_protocol::session::{Backoff, Reconnect, Step};

use super::member::{GroupMember, MemberReply};
use super::producer::Producer;
use super::reader::Reader;
use super::world::{Task, World};
use super::{GROUP, STREAM, TOPIC};

const REQUEST_TIMEOUT_MS: u32 = 5_000;
const CONNECT_TIMEOUT_MS: u32 = 2_000;
const HEARTBEAT_MS: u32 = 1_000;
const RETRY_MS: (u32, u32) = (20, 500);
/// Longest time until a program that ended is started again.
const DOWN_US: u64 = 1_000_000;
/// Longest pause of a program.
const PAUSE_US: u64 = 6_000_000;
/// Most partitions that an operator makes.
const MAX_PARTITIONS: u32 = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Creates the topic, adds partitions, resets offsets, and asks for them.
    Operator,
    Producer,
    Reader,
    Member,
}

/// What a request was for.
pub(crate) enum Pending {
    Open { channel: u32, resumed: bool },
    Append(tidewire_protocol::session::Attempt),
    Subscribe { channel: u32 },
    Member(MemberReply),
    Create,
    Describe,
    Add(u32),
    Ask { ask: u64 },
    Reset { partition: u32, offset: u64 },
    Nothing,
}

pub(crate) struct Connection {
    pub link: usize,
    pub protocol: ClientConnection,
    established: bool,
    pub ready: bool,
}

pub(crate) struct Client {
    pub role: Role,
    /// Counts its processes.
    pub incarnation: u64,
    running: bool,
    paused: bool,
    reconnect: Reconnect,
    was_connected: bool,
    /// The next attempt to connect is not made before.
    wait_until: Option<Time>,
    pub connection: Option<Connection>,
    pending: BTreeMap<RequestId, Pending>,
    next_channel: u32,
    /// A wake-up that is on its way.
    pub armed_us: Option<u64>,
    pub producer: Option<Producer>,
    pub reader: Option<Reader>,
    pub member: Option<GroupMember>,
    /// Names outlive the process.
    pub name: Option<String>,
    /// Number of the producer with a name, for the checker, and its place by partition.
    pub lasting: Option<(u64, BTreeMap<u32, u64>)>,
    /// Until then an opening of the name may arrive that nobody waits for any more: whenever it
    /// does, it takes the place of who has the name then.
    pub late_open_us: u64,
    /// The connection that the opening of a name is under way on.
    pub naming_link: Option<usize>,
    acting: bool,
}

/// What a part of a program may do with its connection.
pub(crate) struct Access<'a> {
    pub now: Time,
    pub connection: &'a mut Connection,
    pending: &'a mut BTreeMap<RequestId, Pending>,
    next_channel: &'a mut u32,
}

impl Access<'_> {
    pub fn new_channel(&mut self) -> u32 {
        *self.next_channel += 1;
        *self.next_channel
    }

    pub fn has_room(&self) -> bool {
        self.connection.ready && self.connection.protocol.room() > RESERVED_REQUESTS
    }

    /// Makes a request; false if there is no room for it, or no connection any more.
    pub fn request<R: Request>(
        &mut self,
        channel: u32,
        request: &R,
        payload: &[Bytes],
        timeout_ms: u32,
        pending: Pending,
    ) -> Result<(), Error> {
        let protocol = &mut self.connection.protocol;
        let id = protocol.request(self.now, channel, request, payload, timeout_ms)?;
        self.pending.insert(id, pending);
        Ok(())
    }

    /// Makes a request within the usual time.
    pub fn ask<R: Request>(&mut self, channel: u32, request: &R, pending: Pending) -> bool {
        self.request(channel, request, &[], REQUEST_TIMEOUT_MS, pending).is_ok()
    }

    pub fn tell<M: Message>(&mut self, channel: u32, message: &M) {
        // On a connection that is over nothing happens.
        let _ = self.connection.protocol.send_one_way(self.now, channel, message);
    }
}

impl Client {
    /// What it still waits for, in words.
    pub fn unrest(&self) -> Option<String> {
        if !self.running || self.paused {
            return Some("is not running".to_owned());
        }
        if !self.connection.as_ref().is_some_and(|connection| connection.ready) {
            return Some("has no connection".to_owned());
        }
        if self.role == Role::Operator && !self.pending.is_empty() {
            return Some("an operator waits".to_owned());
        }
        let producer = self.producer.as_ref().and_then(Producer::unrest);
        let reader = self.reader.as_ref().and_then(Reader::unrest);
        producer.or(reader).or(self.member.as_ref().and_then(GroupMember::unrest))
    }
}

impl World {
    pub fn add_client(&mut self, role: Role) {
        let number = self.clients.len();
        let named = match role {
            Role::Producer | Role::Member => self.rng.one_in(2),
            Role::Operator | Role::Reader => false,
        };
        self.clients.push(Client {
            role,
            incarnation: 0,
            late_open_us: 0,
            naming_link: None,
            running: false,
            paused: false,
            reconnect: Reconnect::new(0, Backoff::new(1, 1, 0)),
            was_connected: false,
            wait_until: None,
            connection: None,
            pending: BTreeMap::new(),
            next_channel: 0,
            armed_us: None,
            producer: None,
            reader: None,
            member: None,
            name: named.then(|| format!("n{number}")),
            lasting: None,
            acting: false,
        });
        let delay = self.rng.below(200_000) + 1;
        self.after(delay, Task::StartClient(number));
    }

    pub fn start_client(&mut self, number: usize) {
        if self.clients[number].running {
            return;
        }
        let seed = self.rng.next();
        let client = &mut self.clients[number];
        client.incarnation += 1;
        client.running = true;
        client.paused = false;
        client.armed_us = None;
        client.next_channel = 0;
        client.reconnect = Reconnect::new(1, Backoff::new(RETRY_MS.0, RETRY_MS.1, seed));
        client.was_connected = false;
        client.wait_until = None;
        client.acting = false;
        let role = client.role;
        self.say(format_args!("client {number} starts, {role:?}"));
        match role {
            Role::Operator => {}
            Role::Producer => self.new_producer(number),
            Role::Reader => self.new_reader(number),
            Role::Member => self.new_member(number),
        }
        self.act_later(number, 1);
        self.pump_client(number);
        self.pump_server();
    }

    /// A program ends without a word.
    pub fn kill_client(&mut self) {
        let number = self.rng.below(self.clients.len() as u64) as usize;
        let client = &mut self.clients[number];
        if !client.running || client.role == Role::Operator {
            return;
        }
        self.tally.client_kills += 1;
        client.running = false;
        client.incarnation += 1;
        let connection = client.connection.take();
        if let Some(connection) = &connection {
            self.note_late_open(number, connection.link);
        }
        let client = &mut self.clients[number];
        client.pending.clear();
        client.producer = None;
        client.reader = None;
        client.member = None;
        self.say(format_args!("client {number} is killed"));
        if let Some(connection) = connection {
            // Its machine closes the socket, unless it went with it.
            if self.rng.one_in(3) {
                self.links[connection.link].client_open = false;
            } else {
                self.end_to_server(connection.link);
            }
        }
        let delay = self.rng.below(DOWN_US) + 1;
        self.after(delay, Task::StartClient(number));
    }

    /// A program stops in its tracks for a while, and does not know it.
    pub fn pause_client(&mut self) {
        let number = self.rng.below(self.clients.len() as u64) as usize;
        let client = &mut self.clients[number];
        if !client.running || client.paused {
            return;
        }
        client.paused = true;
        self.tally.pauses += 1;
        let pause = self.rng.below(PAUSE_US) + 1;
        self.say(format_args!("client {number} is paused for {pause} µs"));
        self.after(pause, Task::Continue(number));
    }

    pub fn continue_client(&mut self, number: usize) {
        if !std::mem::take(&mut self.clients[number].paused) {
            return;
        }
        self.say(format_args!("client {number} goes on"));
        self.clients[number].armed_us = None;
        if !std::mem::replace(&mut self.clients[number].acting, true) {
            let incarnation = self.clients[number].incarnation;
            self.after(1, Task::Act { client: number, incarnation });
        }
        self.pump_client(number);
        self.pump_server();
    }

    /// Has a program act after a while; once at a time.
    pub fn act_later(&mut self, number: usize, delay_us: u64) {
        let client = &mut self.clients[number];
        if !std::mem::replace(&mut client.acting, true) {
            let incarnation = client.incarnation;
            self.after(delay_us.max(1), Task::Act { client: number, incarnation });
        }
    }

    /// The application does something.
    pub fn act(&mut self, number: usize) {
        let client = &mut self.clients[number];
        client.acting = false;
        if !client.running || client.paused {
            return;
        }
        match client.role {
            Role::Operator => self.act_as_operator(number),
            Role::Producer => self.produce(number),
            Role::Reader => self.read(number),
            Role::Member => self.work(number),
        }
        self.pump_client(number);
        self.pump_server();
    }

    /// A connection was accepted: the client may speak.
    pub fn established(&mut self, link: usize) {
        let number = self.links[link].client;
        if let Some(connection) = &mut self.clients[number].connection
            && connection.link == link
        {
            connection.established = true;
            self.pump_client(number);
        }
    }

    /// Lets a program do what it can, until nothing is left.
    pub fn pump_client(&mut self, number: usize) {
        let client = &self.clients[number];
        if !client.running || client.paused || self.failure.is_some() {
            return;
        }
        for _ in 0..100 {
            self.go_on_connecting(number);
            let heard = self.hear(number);
            self.drive_parts(number);
            let said = self.speak(number);
            if !heard && !said {
                break;
            }
        }
        self.arm_client(number);
    }

    fn go_on_connecting(&mut self, number: usize) {
        let now = self.time();
        let client = &mut self.clients[number];
        if client.connection.is_some() || client.wait_until.is_some_and(|until| now < until) {
            return;
        }
        client.wait_until = None;
        match client.reconnect.step(now) {
            Step::Connect { .. } => {
                let link = self.dial(number);
                let config = ClientConfig {
                    client_name: format!("c{number}"),
                    heartbeat_ms: HEARTBEAT_MS,
                    connect_timeout_ms: CONNECT_TIMEOUT_MS,
                    ..ClientConfig::default()
                };
                let protocol = ClientConnection::new(config, now);
                let connection =
                    Connection { link, protocol, established: false, ready: false };
                self.clients[number].connection = Some(connection);
            }
            Step::GiveUp if !client.was_connected => {
                // A program that finds no server at its start tries again.
                let seed = self.rng.next();
                let way = Reconnect::new(1, Backoff::new(RETRY_MS.0, RETRY_MS.1, seed));
                let pause_ms = self.rng.below(200) as u32 + 1;
                let client = &mut self.clients[number];
                client.reconnect = way;
                client.wait_until = Some(now.plus_ms(pause_ms));
            }
            Step::GiveUp => self.fail(format!("client {number} has given up")),
            Step::Wait(until) => client.wait_until = Some(until),
            Step::Rest => {}
        }
    }

    /// Takes what arrived, and what came of it; whether something did.
    fn hear(&mut self, number: usize) -> bool {
        let now = self.time();
        let Some(link) = self.clients[number].connection.as_ref().map(|found| found.link)
        else {
            return false;
        };
        let (parts, ended) = self.take_at_client(link);
        let Some(connection) = &mut self.clients[number].connection else { return false };
        for part in parts {
            let mut buf = connection.protocol.take_read_buf();
            buf.extend_from_slice(&part);
            connection.protocol.handle_input(now, buf);
        }
        if ended {
            connection.protocol.handle_eof();
        }
        connection.protocol.handle_timeout(now);
        let mut some = false;
        while let Some(connection) = &mut self.clients[number].connection
            && let Some(event) = connection.protocol.poll_event()
        {
            some = true;
            self.handle_event(number, event);
            if self.failure.is_some() {
                return false;
            }
        }
        some
    }

    fn handle_event(&mut self, number: usize, event: ClientEvent) {
        let now = self.time();
        match event {
            ClientEvent::Ready(hello) => {
                let client = &mut self.clients[number];
                if let Err(error) = client.reconnect.connected(now, hello.server_id) {
                    return self.fail(format!("client {number}: {error}"));
                }
                client.was_connected = true;
                if let Some(connection) = &mut client.connection {
                    connection.ready = true;
                }
                self.tally.handshakes += 1;
            }
            ClientEvent::Reply { id, result } => {
                if let Some(pending) = self.clients[number].pending.remove(&id) {
                    self.handle_reply(number, pending, result);
                }
            }
            ClientEvent::Deliver { channel, message, payload } => {
                self.delivered(number, channel, message.end_offset, payload);
            }
            ClientEvent::SubscriptionEnded { channel, error } => {
                self.subscription_ended(number, channel, &error);
            }
            ClientEvent::GroupEvent { channel, event } => {
                self.group_event(number, channel, event);
            }
            ClientEvent::GroupEnded { channel, error } => {
                self.group_ended(number, channel, &error);
            }
            ClientEvent::Closed(error) => self.disconnected(number, error),
            _ => {}
        }
    }

    fn disconnected(&mut self, number: usize, error: Error) {
        let now = self.time();
        self.say(format_args!("client {number} is disconnected: {error}"));
        // What was still to be said, goodbye perhaps.
        self.speak(number);
        let client = &mut self.clients[number];
        let Some(connection) = client.connection.take() else { return };
        if connection.ready {
            client.reconnect.lost(now);
            self.tally.lost += 1;
        } else {
            client.reconnect.failed(now, error);
        }
        self.note_late_open(number, connection.link);
        self.clients[number].pending.clear();
        self.end_to_server(connection.link);
        self.producer_disconnected(number);
        self.readers_disconnected(number);
        self.member_disconnected(number);
    }

    fn handle_reply(&mut self, number: usize, pending: Pending, result: Result<Frame, Error>) {
        match pending {
            Pending::Open { channel, resumed } => {
                self.producer_opened(number, channel, resumed, result);
            }
            Pending::Append(attempt) => self.append_answered(number, attempt, result),
            Pending::Subscribe { channel } => self.subscribed(number, channel, result),
            Pending::Member(reply) => self.member_answered(number, reply, result),
            Pending::Nothing => {}
            operators => self.operator_answered(number, operators, result),
        }
    }

    fn drive_parts(&mut self, number: usize) {
        self.drive_producer(number);
        self.drive_readers(number);
        self.drive_member(number);
    }

    /// Sends what is to be sent; whether something was.
    fn speak(&mut self, number: usize) -> bool {
        let Some(connection) = &mut self.clients[number].connection else { return false };
        if !connection.established {
            return false;
        }
        let link = connection.link;
        let mut parts = Vec::new();
        connection.protocol.poll_transmit(&mut parts);
        let bytes: Vec<u8> = parts.concat();
        if bytes.is_empty() {
            return false;
        }
        self.send_to_server(link, bytes.into());
        true
    }

    fn arm_client(&mut self, number: usize) {
        let client = &self.clients[number];
        let way = client.wait_until.filter(|_| client.connection.is_none());
        let connection =
            client.connection.as_ref().and_then(|found| found.protocol.poll_timeout());
        // Without a connection there is nothing to subscribe, join or open on.
        let speaks = self.topic_id.is_some()
            && client.connection.as_ref().is_some_and(|connection| connection.ready);
        let producer = client.producer.as_ref();
        let producer = producer.and_then(|producer| producer.poll_timeout(speaks));
        let reader = client.reader.as_ref().filter(|_| speaks).and_then(Reader::poll_timeout);
        let member =
            client.member.as_ref().filter(|_| speaks).and_then(GroupMember::poll_timeout);
        let all = [way, connection, producer, reader, member];
        let Some(due) = all.into_iter().flatten().min() else { return };
        let due_us = due.as_nanos().div_ceil(1_000).max(self.now_us + 1);
        let client = &mut self.clients[number];
        if client.armed_us.is_none_or(|armed| due_us < armed || armed <= self.now_us) {
            client.armed_us = Some(due_us);
            let incarnation = client.incarnation;
            self.at(due_us, Task::Wake { client: number, incarnation });
        }
    }

    /// Does something with the connection of a program, if there is one that is ready.
    pub fn with_access<T>(
        &mut self,
        number: usize,
        call: impl FnOnce(&mut Access<'_>) -> T,
    ) -> Option<T> {
        let now = self.time();
        let client = &mut self.clients[number];
        let connection = client.connection.as_mut().filter(|connection| connection.ready)?;
        Some(call(&mut Access {
            now,
            connection,
            pending: &mut client.pending,
            next_channel: &mut client.next_channel,
        }))
    }

    /// The operator creates the topic, and looks at offsets now and then.
    fn act_as_operator(&mut self, number: usize) {
        let partitions = self.plan.partitions;
        let topic_is_there = self.topic_id.is_some();
        let idle = self.clients[number].pending.is_empty();
        let asks = self.plan.members > 0 && topic_is_there;
        let partition = self.rng.below(u64::from(partitions)) as u32;
        if idle && !topic_is_there {
            let create = TopicCreate {
                stream: STREAM.to_owned(),
                topic: TOPIC.to_owned(),
                partitions,
                segment_bytes: None,
                retention_ms: None,
                retention_bytes: None,
                dedup_window_ms: None,
                codec: None,
            };
            self.with_access(number, |access| access.ask(0, &create, Pending::Create));
        } else if idle && asks && !self.resting {
            let ask = self.next_ask;
            self.next_ask += 1;
            let place =
                PartitionRef { stream: STREAM.to_owned(), topic: TOPIC.to_owned(), partition };
            let get = OffsetGet { group: GROUP.to_owned(), partitions: vec![place] };
            let asked =
                self.with_access(number, |access| access.ask(0, &get, Pending::Ask { ask }));
            if asked == Some(true) {
                let partition = u64::from(partition);
                self.observe(Event::CommitAsked { ask, group: 0, partition });
            }
        }
        let pause = self.rng.below(300_000) + 1;
        self.act_later(number, pause);
    }

    /// An operator adds a partition, or has the group begin again somewhere.
    pub fn operate(&mut self) {
        if self.topic_id.is_none() {
            return;
        }
        let partitions = self.plan.partitions;
        if partitions < MAX_PARTITIONS && self.rng.one_in(3) {
            let add = PartitionsAdd {
                stream: STREAM.to_owned(),
                topic: TOPIC.to_owned(),
                partitions: partitions + 1,
            };
            let pending = Pending::Add(partitions + 1);
            self.with_access(0, |access| access.ask(0, &add, pending));
        } else if self.plan.members > 0 {
            let partition = self.rng.below(u64::from(partitions)) as u32;
            let stored = self.committed(partition).unwrap_or(0);
            let offset = self.rng.between(0, stored);
            let at = ResetOffset {
                stream: STREAM.to_owned(),
                topic: TOPIC.to_owned(),
                partition,
                offset,
            };
            let reset = OffsetReset { group: GROUP.to_owned(), force: true, offsets: vec![at] };
            let pending = Pending::Reset { partition, offset };
            let asked = self.with_access(0, |access| access.ask(0, &reset, pending));
            if asked == Some(true) {
                let partition = u64::from(partition);
                self.observe(Event::ResetSent { group: 0, partition, offset });
            }
        }
        self.pump_client(0);
        self.pump_server();
    }

    fn operator_answered(
        &mut self,
        number: usize,
        pending: Pending,
        result: Result<Frame, Error>,
    ) {
        match (pending, result) {
            (Pending::Create, Ok(frame)) => {
                match ClientConnection::decode_reply::<TopicCreate>(&frame) {
                    Ok(reply) => self.topic_id = Some(reply.topic.id),
                    Err(error) => self.fail(format!("a reply cannot be read: {error}")),
                }
            }
            (Pending::Create, Err(error)) if error.code == Code::TOPIC_EXISTS => {
                let describe =
                    TopicDescribe { stream: STREAM.to_owned(), topic: TOPIC.to_owned() };
                self.with_access(number, |access| access.ask(0, &describe, Pending::Describe));
            }
            (Pending::Describe, Ok(frame)) => {
                match ClientConnection::decode_reply::<TopicDescribe>(&frame) {
                    Ok(reply) => self.topic_id = Some(reply.topic.id),
                    Err(error) => self.fail(format!("a reply cannot be read: {error}")),
                }
            }
            (Pending::Add(partitions), Ok(_)) => {
                self.plan.partitions = self.plan.partitions.max(partitions);
                self.tally.added += 1;
            }
            (Pending::Add(partitions), Err(error)) if error.is_outcome_unknown() => {
                // It may be there.
                let _ = partitions;
            }
            (Pending::Ask { ask }, Ok(frame)) => {
                match ClientConnection::decode_reply::<OffsetGet>(&frame) {
                    Ok(reply) => {
                        let found = reply.offsets.first();
                        let offset =
                            found.filter(|found| found.stored).map(|found| found.offset);
                        self.tally.asked += 1;
                        self.observe(Event::CommitTold { ask, offset });
                    }
                    Err(error) => self.fail(format!("a reply cannot be read: {error}")),
                }
            }
            // A group that is not there has nothing stored.
            (Pending::Ask { ask }, Err(error)) if error.code == Code::GROUP_NOT_FOUND => {
                self.tally.asked += 1;
                self.observe(Event::CommitTold { ask, offset: None });
            }
            (Pending::Reset { partition, offset }, Ok(_)) => {
                self.tally.resets += 1;
                let partition = u64::from(partition);
                self.observe(Event::ResetAcknowledged { group: 0, partition, offset });
            }
            (_, Err(error)) => self.say(format_args!("an operator is told: {error}")),
            _ => {}
        }
    }
}

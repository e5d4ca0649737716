//! Both sides of a connection in memory, on virtual time: a [`Pair`], and what it must keep.
//!
//! The links between them have latency, cut what passes into chunks, and can be broken; nothing
//! sleeps, so that hours pass in milliseconds. What the rooms prove is in their names; each test
//! names the rules of SPEC.md that it keeps.

mod auth;
mod channels;
mod chunking;
mod closing;
mod corruption;
mod credit;
mod evolution;
mod examples;
mod handshake;
mod heartbeat;
mod hostile;
mod model;
mod progress;
mod reading;
mod replies;
mod throttle;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::{
    Challenge, ClientConfig, ClientConnection, ClientEvent, RequestId, ServerConfig,
    ServerConnection, ServerEvent, Ticket, Time,
};
use crate::batch::{BatchBuilder, RecordRef, Sequence};
use crate::error::{Code, Error};
use crate::frame::{self, Flags, Frame, HEADER_LEN, Head, Header};
use crate::limits;
use crate::message::{
    Acks, AnyRequest, Append, AppendReply, CloseProducer, CloseProducerReply, Kind, Message,
    OpenProducer, OpenProducerReply, Request, Start, StreamList, StreamListReply, Subscribe,
    SubscribeReply, Unsubscribe, UnsubscribeReply,
};

/// One direction of the wire.
struct Link {
    latency_ms: u32,
    /// Most bytes that arrive at once.
    chunk: usize,
    /// On its way: when it arrives, and what.
    bytes: VecDeque<(Time, Bytes)>,
    /// All that was ever sent.
    sent: Vec<u8>,
}

impl Link {
    fn new() -> Self {
        Self { latency_ms: 0, chunk: usize::MAX, bytes: VecDeque::new(), sent: Vec::new() }
    }

    fn send(&mut self, now: Time, parts: &mut Vec<Bytes>) {
        for part in parts.drain(..) {
            self.sent.extend_from_slice(&part);
            self.bytes.push_back((now.plus_ms(self.latency_ms), part));
        }
    }

    fn next_arrival(&self) -> Option<Time> {
        self.bytes.front().map(|(at, _)| *at)
    }

    /// What arrives now, at most a chunk.
    fn receive(&mut self, now: Time) -> Option<Bytes> {
        let (at, bytes) = self.bytes.front_mut()?;
        if *at > now {
            return None;
        }
        if bytes.len() > self.chunk {
            return Some(bytes.split_to(self.chunk));
        }
        self.bytes.pop_front().map(|(_, bytes)| bytes)
    }
}

/// A client and a server with a wire between them, and an application that collects.
struct Pair {
    now: Time,
    client: ClientConnection,
    server: ServerConnection,
    up: Link,
    down: Link,
    client_events: Vec<ClientEvent>,
    /// Requests that the server's application has not answered.
    asked: VecDeque<(Ticket, AnyRequest, Bytes)>,
    server_ready: usize,
    server_closed: Vec<Option<Error>>,
    credits: Vec<u32>,
    /// Times at which a side was woken by its own timer.
    client_wakes: u32,
    server_wakes: u32,
}

impl Pair {
    fn with(client: ClientConfig, server: ServerConfig) -> Self {
        let now = Time::from_nanos(1);
        Self {
            now,
            client: ClientConnection::new(client, now),
            server: ServerConnection::new(server.into(), now),
            up: Link::new(),
            down: Link::new(),
            client_events: Vec::new(),
            asked: VecDeque::new(),
            server_ready: 0,
            server_closed: Vec::new(),
            credits: Vec::new(),
            client_wakes: 0,
            server_wakes: 0,
        }
    }

    /// A pair whose handshake is done.
    fn ready() -> Self {
        Self::ready_with(ClientConfig::default(), ServerConfig::default())
    }

    fn ready_with(client: ClientConfig, server: ServerConfig) -> Self {
        let mut pair = Self::with(client, server);
        pair.drive();
        assert!(matches!(pair.client_events.remove(0), ClientEvent::Ready(_)));
        assert_eq!(pair.server_ready, 1);
        pair
    }

    /// Moves what can be moved at this moment of virtual time.
    fn drive(&mut self) {
        let mut parts = Vec::new();
        loop {
            let mut moved = false;
            while self.client.poll_transmit(&mut parts) {
                self.up.send(self.now, &mut parts);
                moved = true;
            }
            while self.server.poll_transmit(&mut parts) {
                self.down.send(self.now, &mut parts);
                moved = true;
            }
            while self.server.wants_input()
                && let Some(bytes) = self.up.receive(self.now)
            {
                feed_server(&mut self.server, self.now, &bytes);
                self.collect();
                moved = true;
            }
            while let Some(bytes) = self.down.receive(self.now) {
                feed_client(&mut self.client, self.now, &bytes);
                self.collect();
                moved = true;
            }
            moved |= self.collect();
            if !moved {
                return;
            }
        }
    }

    fn collect(&mut self) -> bool {
        let mut any = false;
        while let Some(event) = self.client.poll_event() {
            any = true;
            self.client_events.push(event);
        }
        while let Some(event) = self.server.poll_event() {
            any = true;
            match event {
                ServerEvent::Ready(_) => self.server_ready += 1,
                ServerEvent::Request(ticket, request, payload) => {
                    self.asked.push_back((ticket, request, payload));
                }
                ServerEvent::Auth(ticket, request) => {
                    self.asked.push_back((ticket, request, Bytes::new()));
                }
                ServerEvent::Credit { channel } => self.credits.push(channel),
                ServerEvent::Closed(error) => self.server_closed.push(error),
            }
        }
        any
    }

    /// Lets virtual time pass, stopping wherever something happens.
    fn run_ms(&mut self, ms: u32) {
        let end = self.now.plus_ms(ms);
        loop {
            self.drive();
            let next = [
                self.up.next_arrival(),
                self.down.next_arrival(),
                self.client.poll_timeout(),
                self.server.poll_timeout(),
            ]
            .into_iter()
            .flatten()
            .filter(|&at| at > self.now)
            .min();
            let Some(next) = next.filter(|&at| at <= end) else { break };
            self.now = next;
            if self.client.poll_timeout().is_some_and(|at| at <= next) {
                self.client_wakes += 1;
                self.client.handle_timeout(next);
            }
            if self.server.poll_timeout().is_some_and(|at| at <= next) {
                self.server_wakes += 1;
                self.server.handle_timeout(next);
            }
        }
        self.now = end;
        self.drive();
    }

    /// The wire breaks: what is on it is lost, and both sides are told.
    fn cut(&mut self) {
        self.up.bytes.clear();
        self.down.bytes.clear();
        self.client.handle_eof();
        self.server.handle_eof();
        self.collect();
    }

    fn request<R: Request>(&mut self, channel: u32, request: &R, timeout_ms: u32) -> RequestId {
        self.client
            .request(self.now, channel, request, &[], timeout_ms)
            .expect("a ready connection takes requests")
    }

    /// A small request that the server's application has to answer.
    fn ask(&mut self) -> RequestId {
        self.request(0, &list(), 0)
    }

    /// Bytes of a client that does not keep the rules.
    fn client_sends(&mut self, bytes: &[u8]) {
        self.up.send(self.now, &mut vec![Bytes::copy_from_slice(bytes)]);
        self.drive();
    }

    /// Bytes of a server that does not keep the rules.
    fn server_sends(&mut self, bytes: &[u8]) {
        self.down.send(self.now, &mut vec![Bytes::copy_from_slice(bytes)]);
        self.drive();
    }

    /// Answers all that was asked, in order, and moves it.
    fn answer_all(&mut self) {
        while let Some((ticket, request, _)) = self.asked.pop_front() {
            answer(&mut self.server, ticket, &request);
        }
        self.drive();
    }

    /// How each request ended, by its id, and nothing else that happened.
    fn replies(&mut self) -> Vec<(RequestId, Result<Frame, Error>)> {
        let mut replies = Vec::new();
        for event in self.client_events.drain(..) {
            if let ClientEvent::Reply { id, result } = event {
                replies.push((id, result));
            }
        }
        replies
    }

    /// The only reply there is, as an error's code.
    fn refusal(&mut self) -> Code {
        let mut replies = self.replies();
        assert_eq!(replies.len(), 1, "{replies:?}");
        replies.remove(0).1.expect_err("refused").code
    }

    /// Why the client's connection ended, once.
    fn client_closed(&self) -> Error {
        let closed: Vec<_> = self
            .client_events
            .iter()
            .filter_map(|event| match event {
                ClientEvent::Closed(error) => Some(error.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(closed.len(), 1, "{:?}", self.client_events);
        closed[0].clone()
    }

    /// Which fault ended the server's connection, once.
    fn server_fault(&self) -> Code {
        assert_eq!(self.server_closed.len(), 1);
        self.server_closed[0].as_ref().expect("a fault").code
    }

    /// Opens a producer on a channel.
    fn open_producer(&mut self, channel: u32) {
        self.request(channel, &open_producer(), 0);
        self.drive();
        self.answer_all();
        assert!(self.replies().remove(0).1.is_ok());
    }

    /// Opens a subscription with a first credit.
    fn subscribe(&mut self, channel: u32, credit_bytes: u64) {
        self.request(channel, &subscribe(credit_bytes), 0);
        self.drive();
        self.answer_all();
        assert!(self.replies().remove(0).1.is_ok());
    }

    /// The frames that the server has sent since the handshake's preface.
    fn server_frames(&self) -> Vec<(Header, Vec<u8>)> {
        frames(&self.down.sent[frame::PREFACE_LEN..])
    }
}

fn feed_client(client: &mut ClientConnection, now: Time, bytes: &[u8]) {
    let mut buf = client.take_read_buf();
    buf.extend_from_slice(bytes);
    client.handle_input(now, buf);
}

fn feed_server(server: &mut ServerConnection, now: Time, bytes: &[u8]) {
    let mut buf = server.take_read_buf();
    buf.extend_from_slice(bytes);
    server.handle_input(now, buf);
}

/// What an honest application would answer.
fn answer(server: &mut ServerConnection, ticket: Ticket, request: &AnyRequest) {
    match request {
        AnyRequest::OpenProducer(_) => {
            let reply = OpenProducerReply {
                producer_id: 9,
                producer_epoch: 0,
                topic_id: 1,
                partitions: 1,
                codec: crate::batch::Codec::None,
            };
            server.reply(ticket, &reply, &[]);
        }
        AnyRequest::Append(_) => server.reply(ticket, &appended(41), &[]),
        AnyRequest::CloseProducer(_) => server.reply(ticket, &CloseProducerReply {}, &[]),
        AnyRequest::Subscribe(_) => {
            let reply = SubscribeReply { next_offset: 0, start_offset: 0, end_offset: 0 };
            server.reply(ticket, &reply, &[]);
        }
        AnyRequest::Unsubscribe(_) => server.reply(ticket, &UnsubscribeReply {}, &[]),
        AnyRequest::StreamList(_) => {
            server.reply(ticket, &StreamListReply { streams: Vec::new(), more: false }, &[]);
        }
        other => panic!("no test asks for {other:?}"),
    }
}

fn list() -> StreamList {
    StreamList { after: String::new() }
}

fn open_producer() -> OpenProducer {
    OpenProducer {
        stream: "default".to_owned(),
        topic: "t".to_owned(),
        name: None,
        resume: None,
        opener: None,
    }
}

fn append() -> Append {
    Append { partition: 0, acks: Acks::Synced }
}

fn appended(base_offset: u64) -> AppendReply {
    AppendReply { base_offset, append_time_us: 2, acks: Acks::Synced, duplicate: false }
}

fn subscribe(credit_bytes: u64) -> Subscribe {
    Subscribe {
        stream: "default".to_owned(),
        topic: "t".to_owned(),
        partition: 0,
        start: Start::Earliest,
        start_at: 0,
        credit_bytes,
    }
}

/// A batch with one value of `len` bytes.
fn batch(len: usize) -> Bytes {
    let mut builder = BatchBuilder::new(limits::MAX_BATCH_LEN as usize, 1000);
    let value = vec![b'v'; len];
    builder.push(&RecordRef { value: Some(&value), ..RecordRef::at(1) }).expect("room");
    builder.seal(Sequence::default())
}

/// A frame as bytes, whatever its head says.
fn raw<M: Message>(head: Head, message: &M) -> Vec<u8> {
    let mut out = BytesMut::new();
    frame::encode(&mut out, head, message, 0, limits::MAX_FRAME_LEN).expect("small");
    out.to_vec()
}

/// A request's frame with meta and header of the test's choice, under a good checksum.
fn crafted(header: Header, meta: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = header.encode(meta).to_vec();
    out.extend_from_slice(meta);
    out.extend_from_slice(payload);
    out
}

/// The header of a request with `meta_len` bytes of meta and no payload.
fn header(kind: Kind, correlation: u64, meta_len: usize) -> Header {
    Header {
        size: (HEADER_LEN + meta_len) as u32,
        kind,
        kind_version: 1,
        flags: Flags::default(),
        correlation,
        channel: 0,
        aux: 0,
        meta_len: meta_len as u32,
    }
}

/// Splits a stream into frames.
fn frames(mut bytes: &[u8]) -> Vec<(Header, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some(head) = bytes.first_chunk::<HEADER_LEN>() {
        let header = Header::parse(head, limits::MAX_FRAME_LEN).expect("a good header");
        let (frame, rest) = bytes.split_at(header.size as usize);
        frames.push((header, frame[HEADER_LEN..].to_vec()));
        bytes = rest;
    }
    assert!(bytes.is_empty(), "whole frames");
    frames
}

//! The server's side of a connection.
//!
//! Owns the handshake, the checks on every frame, channels and their credit, heartbeats and the
//! order in which a connection ends. What requests mean is the application's: it gets each with a
//! [`Ticket`] and answers it once. The one invariant: whatever bytes arrive, the worst that
//! follows is the end of this connection.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::progress::{self, Progress};
use super::read_pool::ReadPool;
use super::rx::Rx;
use super::time::Time;
use super::tx::Tx;
use super::{HEARTBEATS_TO_DEATH, SEEN_TAG, courtesy};
use crate::batch::CODECS;
use crate::codec::{Field, Reader, Writer};
use crate::error::{Code, Error};
use crate::frame::{self, Flags, Frame, Head};
use crate::limits;
use crate::message::Direction;
use crate::message::{
    AnyRequest, AuthReply, AuthSaltReply, Deliver, Goaway, GroupEnded, GroupEvent, Hello,
    HelloReply, KINDS, Kind, KindRange, Message, SubscriptionEvent, Throttled,
};

/// What a server says of itself, and its limits. One for all its connections.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Its name, for logs.
    pub server_name: String,
    /// Its version.
    pub server_version: String,
    /// A number that stays with its data.
    pub server_id: u64,
    /// Largest frame that it takes and sends, in bytes.
    pub max_frame_len: u32,
    /// Most unanswered requests.
    pub max_in_flight: u32,
    /// Most open channels.
    pub max_channels: u32,
    /// Bytes queued for the socket past which nothing more is read from it.
    pub max_queued_bytes: usize,
    /// Time for the handshake, in milliseconds.
    pub handshake_timeout_ms: u32,
    /// Time in which a frame that has begun has to go on, in milliseconds, unless
    /// [`ServerConnection::set_frame_timeout_ms`] says otherwise.
    pub frame_timeout_ms: u32,
    /// Versions of the kinds that it carries out, by kind; HELLO states them, and others are
    /// answered with `UNKNOWN_KIND`.
    pub kinds: Vec<KindRange>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            server_name: "tidewire".to_owned(),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            server_id: 0,
            max_frame_len: limits::MAX_FRAME_LEN,
            max_in_flight: limits::MAX_IN_FLIGHT,
            max_channels: limits::MAX_CHANNELS,
            max_queued_bytes: 4 << 20,
            handshake_timeout_ms: limits::HANDSHAKE_TIMEOUT_MS,
            frame_timeout_ms: limits::ServerLimit::FrameTimeoutMs.info().default as u32,
            kinds: KINDS
                .iter()
                .filter(|row| !row.planned)
                .map(|row| KindRange {
                    kind: row.kind.0,
                    min_version: row.version,
                    max_version: row.version,
                })
                .collect(),
        }
    }
}

/// What a client has to show before its connection is ready.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// Ways to authenticate that it may choose from: see [`method`](crate::auth::method).
    pub methods: u32,
    /// Random bytes, of this connection alone.
    pub nonce: Vec<u8>,
}

/// A request that waits for its answer. Give it back with [`ServerConnection::reply`] or
/// [`ServerConnection::reply_error`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "every request is answered"]
pub struct Ticket {
    /// The request's number on its connection.
    pub correlation: u64,
    /// Its channel.
    pub channel: u32,
    /// Its kind.
    pub kind: Kind,
    /// How long the client waits, in milliseconds; 0 is no bound.
    pub timeout_ms: u32,
    kind_version: u8,
    payload_len: usize,
}

/// What happened on a server's connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerEvent {
    /// The handshake is done. Happens once, before any request.
    Ready(Hello),
    /// AUTH or AUTH_SALT, of a client that is not known yet. Nothing more is read until it is
    /// answered, by [`ServerConnection::authenticated`], [`ServerConnection::answer_salt`] or
    /// [`ServerConnection::refuse`].
    Auth(Ticket, AnyRequest),
    /// A request to carry out.
    Request(Ticket, AnyRequest, Bytes),
    /// A subscription may send more.
    Credit {
        /// Its channel.
        channel: u32,
    },
    /// The connection is over: its peer left, or broke a rule. Happens once, last. What
    /// `poll_transmit` gives must still be written.
    Closed(Option<Error>),
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum State {
    Preface,
    Hello,
    /// HELLO was answered; the client has to say who it is.
    Auth,
    /// It did, and waits for what is made of it.
    Judging,
    Ready,
    /// GOAWAY was sent; accepted requests are still answered.
    Draining,
    /// `Closed` is to be told.
    Closing,
    Closed,
}

#[derive(Debug)]
struct Channel {
    /// Correlation of the request that opened it: a number may be opened again.
    opened_by: u64,
    role: Role,
}

#[derive(Debug)]
enum Role {
    Producer,
    Subscription { sent: u64, limit: u64 },
    Member,
}

/// The server's side of a connection. See the [module](super) for its verbs.
#[derive(Debug)]
pub struct ServerConnection {
    config: Arc<ServerConfig>,
    state: State,
    rx: Rx,
    tx: Tx,
    max_frame_len: u32,
    heartbeat_ms: u32,
    last_accepted: u64,
    in_flight: usize,
    in_flight_bytes: usize,
    bad_requests: u32,
    channels: HashMap<u32, Channel>,
    handshake_deadline: Time,
    challenge: Option<Box<Challenge>>,
    /// Requests since HELLO, while the connection is not ready.
    auth_requests: u32,
    /// What the client said of itself, until the connection is ready.
    hello: Option<Box<Hello>>,
    last_received: Time,
    frame_timeout_ms: u32,
    /// Of the frame that is not whole yet, on a connection that is ready.
    progress: Progress,
    /// Since then reading has stopped because too much waits to be taken, and whether some of
    /// that was taken.
    unheard: bool,
    taken: bool,
    /// Its driver reads nothing for now.
    paused: bool,
    /// Nothing more will arrive; what has still counts.
    eof: bool,
    close_error: Option<Box<Error>>,
}

impl ServerConnection {
    /// A connection over a socket that was just accepted.
    pub fn new(config: Arc<ServerConfig>, now: Time) -> Self {
        Self {
            state: State::Preface,
            rx: Rx::new(limits::MAX_HANDSHAKE_FRAME_LEN),
            tx: Tx::default(),
            max_frame_len: config.max_frame_len,
            heartbeat_ms: limits::MAX_HEARTBEAT_MS,
            last_accepted: 0,
            in_flight: 0,
            in_flight_bytes: 0,
            bad_requests: 0,
            channels: HashMap::new(),
            handshake_deadline: now.plus_ms(config.handshake_timeout_ms),
            challenge: None,
            auth_requests: 0,
            hello: None,
            last_received: now,
            frame_timeout_ms: config.frame_timeout_ms,
            progress: Progress::default(),
            unheard: false,
            taken: false,
            paused: false,
            eof: false,
            close_error: None,
            config,
        }
    }

    /// The same, for a client that has to authenticate.
    pub fn with_challenge(config: Arc<ServerConfig>, now: Time, challenge: Challenge) -> Self {
        Self { challenge: Some(Box::new(challenge)), ..Self::new(config, now) }
    }

    /// Whether to read from the socket now. Reading stops while the peer's unanswered payloads
    /// or the bytes that it has not taken are over their limits.
    // SPEC F-5
    pub fn wants_input(&self) -> bool {
        !matches!(self.state, State::Judging | State::Closing | State::Closed)
            && !self.eof
            && !self.paused
            && self.in_flight_bytes <= limits::MAX_IN_FLIGHT_BYTES as usize
            && self.tx.len() <= self.config.max_queued_bytes
    }

    /// Says whether this side reads nothing for now, for reasons of its own; the silence that
    /// follows is not the client's.
    // SPEC F-6, H-5
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
        if paused {
            self.progress.hold();
        }
    }

    /// Sets the time in which a frame that has begun has to go on.
    // SPEC H-12
    pub fn set_frame_timeout_ms(&mut self, frame_timeout_ms: u32) {
        self.frame_timeout_ms = frame_timeout_ms;
    }

    /// Payload bytes of requests that are not answered yet.
    pub fn in_flight_bytes(&self) -> usize {
        self.in_flight_bytes
    }

    /// Tells the client that its user is over a rate, and how long it waits.
    // SPEC F-7
    pub fn throttled(&mut self, error: &Error, delay_ms: u32) {
        if !matches!(self.state, State::Ready | State::Draining) {
            return;
        }
        let notice = Throttled {
            code: error.code.0,
            disposition: error.disposition.0,
            message: short_text(error),
            delay_ms,
        };
        // At most 4 KiB of text: within every limit that can have been agreed.
        let _ = self.tx.frame(push_head(0), &notice, &[], limits::MAX_HANDSHAKE_FRAME_LEN);
    }

    /// A buffer to read into, at its end.
    pub fn take_read_buf(&mut self) -> BytesMut {
        self.take_read_buf_from(&mut ReadPool::new(0))
    }

    /// The same; a large one comes from `pool`, to which it goes back when it is used up.
    pub fn take_read_buf_from(&mut self, pool: &mut ReadPool) -> BytesMut {
        self.rx.take(pool)
    }

    /// Whether a read would wait with a large buffer that nothing is in. A driver that finds
    /// nothing to read yet, and can wait without a buffer, gives this one back by
    /// [`ServerConnection::release_read_buf`] first: so those who fall quiet behind a burst hold
    /// nothing of it.
    pub fn would_wait_with_much(&self) -> bool {
        self.rx.is_empty_and_large()
    }

    /// Gives such a buffer back to `pool`.
    // SPEC L-4
    pub fn release_read_buf(&mut self, pool: &mut ReadPool) {
        self.rx.release(pool);
    }

    /// The buffer back, with what arrived.
    pub fn handle_input(&mut self, now: Time, buf: BytesMut) {
        self.rx.put(buf);
        self.last_received = now;
        (self.unheard, self.taken) = (false, false);
        if matches!(self.state, State::Closing | State::Closed) {
            self.rx.clear();
        }
    }

    /// The peer closed its side, or the socket failed. What arrived before still counts.
    pub fn handle_eof(&mut self) {
        self.eof = true;
    }

    /// The time that [`ServerConnection::poll_timeout`] named has come.
    pub fn handle_timeout(&mut self, now: Time) {
        // Nothing is read until this side has answered, or until the peer has taken more, which it
        // does: the silence is this side's own.
        // SPEC H-5
        let answers = self.in_flight_bytes > limits::MAX_IN_FLIGHT_BYTES as usize;
        if answers || self.paused || std::mem::take(&mut self.taken) {
            self.last_received = now;
        }
        let reading = self.wants_input();
        let overdue = self.progress.is_overdue(now, self.frame_timeout_ms, reading);
        match self.state {
            State::Preface | State::Hello | State::Auth | State::Judging
                if now >= self.handshake_deadline =>
            {
                self.fail(Error::new(
                    Code::HANDSHAKE_TIMEOUT,
                    format!(
                        "the handshake was not done within {} ms",
                        self.config.handshake_timeout_ms
                    ),
                ));
            }
            State::Ready | State::Draining
                if now >= self.last_received.plus_ms(self.death_ms()) =>
            {
                self.fail(Error::new(
                    Code::HEARTBEAT_TIMEOUT,
                    format!("nothing was heard from the client for {} ms", self.death_ms()),
                ));
            }
            State::Ready | State::Draining if overdue => {
                let timeout_ms = self.frame_timeout_ms;
                self.fail(Error::new(
                    Code::FRAME_TIMEOUT,
                    format!(
                        "frame_timeout_ms is {timeout_ms}: {} are there, and in that time fewer \
                         than {} came",
                        self.rx.unfinished(self.progress.len()),
                        progress::due(timeout_ms)
                    ),
                ));
            }
            _ => {}
        }
    }

    /// When to call [`ServerConnection::handle_timeout`], unless something else happens first.
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.state {
            _ if self.eof => None,
            State::Preface | State::Hello | State::Auth | State::Judging => {
                Some(self.handshake_deadline)
            }
            State::Ready | State::Draining => {
                let death = self.last_received.plus_ms(self.death_ms());
                let frame = self.progress.deadline(self.frame_timeout_ms);
                Some(frame.map_or(death, |deadline| deadline.min(death)))
            }
            State::Closing | State::Closed => None,
        }
    }

    fn death_ms(&self) -> u32 {
        self.heartbeat_ms.saturating_mul(HEARTBEATS_TO_DEATH)
    }

    /// Moves bytes to write to `out`, in order; false if there are none.
    pub fn poll_transmit(&mut self, out: &mut Vec<Bytes>) -> bool {
        if self.tx.len() > self.config.max_queued_bytes {
            self.unheard = true;
            self.progress.hold();
        }
        let some = self.tx.poll(out);
        // It is asked for more once what it gave before has left.
        self.taken |= some && self.unheard;
        some
    }

    /// Bytes queued for the socket.
    pub fn queued_bytes(&self) -> usize {
        self.tx.len()
    }

    /// Whether the connection is over and `Closed` was told.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        loop {
            let step = match self.state {
                State::Closed => return None,
                State::Closing => {
                    self.state = State::Closed;
                    return Some(ServerEvent::Closed(
                        self.close_error.take().map(|error| *error),
                    ));
                }
                State::Preface => self.handle_preface(),
                State::Judging => Ok(Step::Wait),
                State::Ready if self.hello.is_some() => Ok(self
                    .hello
                    .take()
                    .map_or(Step::Again, |hello| Step::Event(ServerEvent::Ready(*hello)))),
                State::Hello | State::Auth | State::Ready | State::Draining => {
                    self.handle_frame()
                }
            };
            match step {
                Ok(Step::Event(event)) => return Some(event),
                Ok(Step::Again) => {}
                Ok(Step::Wait) => {
                    if self.eof || self.state == State::Draining && self.in_flight == 0 {
                        self.state = State::Closing;
                        self.rx.clear();
                        continue;
                    }
                    self.note_progress();
                    return None;
                }
                Err(error) => self.fail(error),
            }
        }
    }

    /// All whole frames were taken: what is left is the beginning of one.
    // SPEC H-12
    fn note_progress(&mut self) {
        let len = self.rx.bytes().len();
        if len == 0 || !matches!(self.state, State::Ready | State::Draining) {
            return;
        }
        let reading = self.wants_input();
        self.progress.note(self.last_received, len, self.frame_timeout_ms, reading);
    }

    // SPEC P-3, P-10
    fn handle_preface(&mut self) -> Result<Step, Error> {
        match self.rx.preface() {
            Ok(true) => {
                self.tx.raw(&frame::PREFACE);
                self.state = State::Hello;
                Ok(Step::Again)
            }
            Ok(false) => Ok(Step::Wait),
            Err(error) => {
                // HTTP's methods are told apart by their first four bytes.
                let received = self.rx.bytes();
                if let Some(answer) = courtesy::answer(received) {
                    self.tx.raw(answer);
                } else if error.code == Code::UNSUPPORTED_PROTOCOL {
                    self.tx.raw(&frame::PREFACE);
                }
                self.close_silently(error);
                Ok(Step::Again)
            }
        }
    }

    // SPEC P-4, W-5, W-6, H-9
    fn handle_frame(&mut self) -> Result<Step, Error> {
        let Some(frame) = self.rx.frame()? else {
            return Ok(Step::Wait);
        };
        self.progress.done();
        let header = frame.header;
        if header.flags.has(Flags::RESPONSE) || header.flags.has(Flags::MORE) {
            return Err(unexpected(header.kind, "an answer, which a client never gives"));
        }
        if header.kind == Kind::GOAWAY {
            if self.state == State::Hello {
                return Err(unexpected(header.kind, "sent where HELLO was due"));
            }
            // The client says goodbye: nothing more will come.
            self.state = State::Closing;
            self.rx.clear();
            return Ok(Step::Again);
        }
        let one_way = header.flags.has(Flags::ONE_WAY);
        if one_way != (header.correlation == 0) {
            return Err(Error::new(
                Code::MALFORMED_FRAME,
                format!(
                    "{} has correlation {} and flags {:#04x}: only one-way frames have none",
                    header.kind, header.correlation, header.flags.0
                ),
            ));
        }
        if !one_way {
            if header.correlation > limits::MAX_CORRELATION {
                return Err(Error::new(
                    Code::MALFORMED_FRAME,
                    format!(
                        "correlation {} is over the limit of {}",
                        header.correlation,
                        limits::MAX_CORRELATION
                    ),
                ));
            }
            if header.correlation <= self.last_accepted {
                return Err(Error::new(
                    Code::MALFORMED_FRAME,
                    format!(
                        "correlation {} does not rise above {}",
                        header.correlation, self.last_accepted
                    ),
                ));
            }
            if self.state == State::Draining {
                // GOAWAY named the last request that counts.
                return Ok(Step::Again);
            }
            self.last_accepted = header.correlation;
        }
        match self.state {
            State::Hello => self.handle_hello(frame),
            State::Auth => self.handle_auth(frame),
            _ => self.handle_request(frame, one_way),
        }
    }

    // SPEC P-4, P-5, L-2
    fn handle_hello(&mut self, frame: Frame) -> Result<Step, Error> {
        if frame.header.kind != Kind::HELLO || frame.header.correlation == 0 {
            return Err(unexpected(frame.header.kind, "sent where HELLO was due"));
        }
        if frame.header.kind_version != Hello::VERSION {
            return Err(Error::new(
                Code::UNSUPPORTED_VERSION,
                format!("version {} of HELLO does not exist", frame.header.kind_version),
            ));
        }
        if !frame.payload.is_empty() {
            return Err(Error::new(Code::MALFORMED_META, "HELLO has a payload"));
        }
        let hello = Hello::decode(Reader::new(&frame.meta))?;
        self.max_frame_len =
            frame::agreed_frame_len(self.config.max_frame_len, hello.max_frame_len);
        self.heartbeat_ms =
            hello.heartbeat_ms.clamp(limits::MIN_HEARTBEAT_MS, limits::MAX_HEARTBEAT_MS);
        let (auth, nonce) = match &self.challenge {
            Some(challenge) => (challenge.methods, challenge.nonce.clone()),
            None => (0, Vec::new()),
        };
        let reply = HelloReply {
            server_name: self.config.server_name.clone(),
            server_version: self.config.server_version.clone(),
            server_id: self.config.server_id,
            capabilities: 0,
            codecs: CODECS,
            auth,
            nonce,
            heartbeat_ms: self.heartbeat_ms,
            max_frame_len: self.max_frame_len,
            max_batch_len: limits::MAX_BATCH_LEN,
            max_batch_records: limits::MAX_BATCH_RECORDS,
            max_in_flight: self.config.max_in_flight,
            max_channels: self.config.max_channels,
            kinds: self.config.kinds.clone(),
        };
        let head = Head {
            flags: Flags::RESPONSE,
            correlation: frame.header.correlation,
            ..Head::default()
        };
        self.tx.frame(head, &reply, &[], limits::MAX_HANDSHAKE_FRAME_LEN)?;
        self.hello = Some(Box::new(hello));
        if self.challenge.is_some() {
            self.state = State::Auth;
        } else {
            self.ready();
        }
        Ok(Step::Again)
    }

    /// Frames may be large from here on.
    fn ready(&mut self) {
        self.rx.set_max_frame_len(self.max_frame_len);
        self.tx.begin();
        self.state = State::Ready;
    }

    /// Takes one step of an unknown client's, and no more before it is answered.
    // SPEC A-1, P-7
    fn handle_auth(&mut self, frame: Frame) -> Result<Step, Error> {
        let header = frame.header;
        if !matches!(header.kind, Kind::AUTH | Kind::AUTH_SALT) || header.correlation == 0 {
            return Err(Error::new(
                Code::AUTH_REQUIRED,
                format!("{} was sent before the client has said who it is", header.kind),
            ));
        }
        if header.kind_version != header.kind.info().map_or(0, |row| row.version) {
            return Err(Error::new(
                Code::UNSUPPORTED_VERSION,
                format!("version {} of {} does not exist", header.kind_version, header.kind),
            ));
        }
        if !frame.payload.is_empty() {
            return Err(Error::new(
                Code::MALFORMED_META,
                format!("{} has a payload", header.kind),
            ));
        }
        self.auth_requests += 1;
        if self.auth_requests > limits::MAX_AUTH_REQUESTS {
            return Err(Error::new(
                Code::TOO_MANY_BAD_REQUESTS,
                format!(
                    "more than {} requests before the connection was ready",
                    limits::MAX_AUTH_REQUESTS
                ),
            ));
        }
        let request = AnyRequest::decode(header.kind, Reader::new(&frame.meta))
            .expect("both kinds are in the table")?;
        let ticket = Ticket {
            correlation: header.correlation,
            channel: header.channel,
            kind: header.kind,
            timeout_ms: header.aux,
            kind_version: header.kind_version,
            payload_len: 0,
        };
        self.in_flight += 1;
        self.state = State::Judging;
        Ok(Step::Event(ServerEvent::Auth(ticket, request)))
    }

    /// Ways to authenticate that its client was offered; 0 if it needs none.
    pub fn methods(&self) -> u32 {
        self.challenge.as_ref().map_or(0, |challenge| challenge.methods)
    }

    /// Whether it has ended, whether or not that was told.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Closing | State::Closed)
    }

    /// Random bytes of this connection, which a proof is made for.
    pub fn nonce(&self) -> &[u8] {
        self.challenge.as_ref().map_or(&[], |challenge| &challenge.nonce)
    }

    /// Tells a client how the key of a password is computed; it has not shown anything yet.
    pub fn answer_salt(&mut self, ticket: Ticket, reply: &AuthSaltReply) {
        self.reply(ticket, reply, &[]);
        if self.state == State::Judging {
            self.state = State::Auth;
        }
    }

    /// The client is who it says: the connection is ready.
    pub fn authenticated(&mut self, ticket: Ticket, reply: &AuthReply) {
        self.reply(ticket, reply, &[]);
        if self.state == State::Judging {
            self.ready();
        }
    }

    /// The client is not known: it is told, and the connection ends.
    // SPEC A-7
    pub fn refuse(&mut self, ticket: Ticket, error: &Error) {
        self.reply_error(ticket, error);
        if self.state == State::Judging {
            self.fail(error.clone());
        }
    }

    /// Ends the connection, saying why: its user may not go on.
    // SPEC A-8
    pub fn end(&mut self, error: &Error) {
        if !matches!(self.state, State::Closing | State::Closed) {
            self.fail(error.clone());
        }
    }

    fn handle_request(&mut self, frame: Frame, one_way: bool) -> Result<Step, Error> {
        let header = frame.header;
        let ticket = Ticket {
            correlation: header.correlation,
            channel: header.channel,
            kind: header.kind,
            timeout_ms: header.aux,
            kind_version: header.kind_version,
            payload_len: frame.payload.len(),
        };
        if !one_way {
            self.in_flight += 1;
            self.in_flight_bytes += ticket.payload_len;
            if self.in_flight_bytes > limits::MAX_IN_FLIGHT_BYTES as usize {
                self.progress.hold();
            }
        }
        match self.admit(&frame, one_way) {
            Ok(AnyRequest::Ping(_)) => {
                self.reply(ticket, &crate::message::PingReply {}, &[]);
                Ok(Step::Again)
            }
            Ok(AnyRequest::Credit(credit)) => {
                let channel = header.channel;
                // A subscription that ended while the credit was on its way is no fault.
                if let Some(Role::Subscription { limit, .. }) =
                    self.channels.get_mut(&channel).map(|open| &mut open.role)
                    && credit.limit_bytes > *limit
                {
                    *limit = credit.limit_bytes;
                    return Ok(Step::Event(ServerEvent::Credit { channel }));
                }
                Ok(Step::Again)
            }
            Ok(request) => {
                if let Err(error) = self.check_channel(&ticket, &request) {
                    self.reply_error(ticket, &error);
                    return Ok(Step::Again);
                }
                Ok(Step::Event(ServerEvent::Request(ticket, request, frame.payload)))
            }
            Err(error) => {
                if error.code != Code::TOO_MANY_IN_FLIGHT {
                    self.bad_requests += 1;
                    if self.bad_requests > limits::MAX_BAD_REQUESTS {
                        return Err(Error::new(
                            Code::TOO_MANY_BAD_REQUESTS,
                            format!(
                                "more than {} requests made no sense; the last one: {error}",
                                limits::MAX_BAD_REQUESTS
                            ),
                        ));
                    }
                }
                if !one_way {
                    self.reply_error(ticket, &error);
                }
                Ok(Step::Again)
            }
        }
    }

    /// Decodes a request, or says why it cannot be carried out.
    // SPEC E-7, F-4, V-3, V-6, W-15
    fn admit(&self, frame: &Frame, one_way: bool) -> Result<AnyRequest, Error> {
        let header = frame.header;
        // SPEC V-6
        let served = self.config.kinds.iter().any(|range| range.kind == header.kind.0);
        let known = header
            .kind
            .info()
            .filter(|row| served && row.direction != Direction::Push)
            .ok_or_else(|| {
                Error::new(
                    Code::UNKNOWN_KIND,
                    format!("{} is not carried out here", header.kind),
                )
            })?;
        // SPEC A-1, P-8
        if matches!(header.kind, Kind::HELLO | Kind::AUTH | Kind::AUTH_SALT) {
            return Err(Error::new(
                Code::MALFORMED_META,
                format!("{} was sent to a connection that is ready", header.kind),
            ));
        }
        if one_way != (known.direction == Direction::OneWay) {
            return Err(Error::new(
                Code::MALFORMED_META,
                format!("{} has the wrong ONE_WAY flag", header.kind),
            ));
        }
        if header.kind_version != known.version {
            return Err(Error::new(
                Code::UNSUPPORTED_VERSION,
                format!(
                    "version {} of {} is not supported, only {}",
                    header.kind_version, header.kind, known.version
                ),
            ));
        }
        if !frame.payload.is_empty() && !known.request_payload {
            return Err(Error::new(
                Code::MALFORMED_META,
                format!("{} has a payload, which that kind never has", header.kind),
            ));
        }
        // The request itself is counted already. A PING is answered at once, so that it takes no
        // place of another request: heartbeats go on when the window is full.
        // SPEC H-3
        if header.kind != Kind::PING && self.in_flight > self.config.max_in_flight as usize {
            return Err(Error::new(
                Code::TOO_MANY_IN_FLIGHT,
                format!("more than {} requests wait for a reply", self.config.max_in_flight),
            ));
        }
        AnyRequest::decode(header.kind, Reader::new(&frame.meta)).unwrap_or_else(|| {
            Err(Error::new(Code::UNKNOWN_KIND, format!("{} is not known here", header.kind)))
        })
    }

    /// Opens, closes and checks channels as requests pass.
    // SPEC C-3, C-6
    fn check_channel(&mut self, ticket: &Ticket, request: &AnyRequest) -> Result<(), Error> {
        let channel = ticket.channel;
        let role = self.channels.get(&channel).map(|open| &open.role);
        let producer = matches!(role, Some(Role::Producer));
        let subscription = matches!(role, Some(Role::Subscription { .. }));
        let member = matches!(role, Some(Role::Member));
        match request {
            AnyRequest::OpenProducer(_) => return self.open(ticket, Role::Producer),
            AnyRequest::GroupJoin(_) => return self.open(ticket, Role::Member),
            AnyRequest::Subscribe(subscribe) => {
                let role = Role::Subscription { sent: 0, limit: subscribe.credit_bytes };
                return self.open(ticket, role);
            }
            AnyRequest::Append(_) | AnyRequest::Flush(_) if producer => {}
            AnyRequest::Seek(_) if subscription => {}
            AnyRequest::CloseProducer(_) if producer => {
                self.channels.remove(&channel);
            }
            AnyRequest::Unsubscribe(_) if subscription => {
                self.channels.remove(&channel);
            }
            AnyRequest::GroupRelease(_) if member => {}
            AnyRequest::GroupLeave(_) if member => {
                self.channels.remove(&channel);
            }
            AnyRequest::GroupRelease(_) | AnyRequest::GroupLeave(_) => {
                return Err(unknown_channel(channel, "membership"));
            }
            AnyRequest::Append(_) | AnyRequest::Flush(_) | AnyRequest::CloseProducer(_) => {
                return Err(unknown_channel(channel, "producer"));
            }
            AnyRequest::Unsubscribe(_) | AnyRequest::Seek(_) => {
                return Err(unknown_channel(channel, "subscription"));
            }
            _ => {}
        }
        Ok(())
    }

    // SPEC C-1
    fn open(&mut self, ticket: &Ticket, role: Role) -> Result<(), Error> {
        let channel = ticket.channel;
        if channel == 0 {
            return Err(Error::new(
                Code::INVALID_ARGUMENT,
                "channel 0 is the connection itself and cannot be opened",
            ));
        }
        if self.channels.contains_key(&channel) {
            return Err(Error::new(
                Code::CHANNEL_IN_USE,
                format!("channel {channel} is open already"),
            ));
        }
        if self.channels.len() >= self.config.max_channels as usize {
            return Err(Error::new(
                Code::TOO_MANY_CHANNELS,
                format!("{} channels are open already, the limit", self.config.max_channels),
            ));
        }
        self.channels.insert(channel, Channel { opened_by: ticket.correlation, role });
        Ok(())
    }

    /// Answers a request. `payload` is a whole number of batches, in any number of parts.
    pub fn reply<M: Message>(&mut self, ticket: Ticket, reply: &M, payload: &[Bytes]) {
        debug_assert_eq!(M::KIND, ticket.kind);
        let head = Head {
            flags: Flags::RESPONSE,
            correlation: ticket.correlation,
            channel: ticket.channel,
            aux: 0,
        };
        if let Err(error) = self.tx.frame(head, reply, payload, self.max_frame_len) {
            self.reply_error(ticket, &error);
            return;
        }
        self.settle(&ticket);
    }

    /// Answers a request with an error. A channel that the request would have opened stays
    /// closed.
    // SPEC C-2, E-1, W-7
    pub fn reply_error(&mut self, ticket: Ticket, error: &Error) {
        let opened = self.channels.get(&ticket.channel);
        if opened.is_some_and(|open| open.opened_by == ticket.correlation) {
            self.channels.remove(&ticket.channel);
        }
        let [low, high] = error.code.0.to_le_bytes();
        let head = Head {
            flags: Flags::RESPONSE,
            correlation: ticket.correlation,
            channel: ticket.channel,
            aux: u32::from_le_bytes([low, high, error.disposition.0, 0]),
        };
        self.tx.error(head, ticket.kind, ticket.kind_version, error);
        self.settle(&ticket);
    }

    fn settle(&mut self, ticket: &Ticket) {
        self.in_flight -= 1;
        self.in_flight_bytes -= ticket.payload_len;
    }

    /// Bytes of batches that a subscription may still be sent; a delivery may overshoot by one
    /// batch. 0 if the channel is not a subscription's.
    // SPEC F-1, F-2
    pub fn sendable(&self, channel: u32) -> u64 {
        match self.channels.get(&channel).map(|open| &open.role) {
            Some(Role::Subscription { sent, limit }) => limit.saturating_sub(*sent),
            _ => 0,
        }
    }

    /// Sends batches to a subscription and counts them against its credit. False if there is no
    /// such subscription any more.
    pub fn deliver(&mut self, channel: u32, message: &Deliver, payload: &[Bytes]) -> bool {
        let open = self.channels.get_mut(&channel).map(|open| &mut open.role);
        let Some(Role::Subscription { sent, .. }) = open else {
            return false;
        };
        let head = push_head(channel);
        let len: usize = payload.iter().map(Bytes::len).sum();
        *sent += len as u64;
        if let Err(error) = self.tx.frame(head, message, payload, self.max_frame_len) {
            self.end_subscription(channel, &error);
            return false;
        }
        true
    }

    /// Tells the client that a subscription is over, and closes its channel.
    // SPEC C-7
    pub fn end_subscription(&mut self, channel: u32, error: &Error) {
        if !self.close_channel(channel, |role| matches!(role, Role::Subscription { .. })) {
            return;
        }
        let event = SubscriptionEvent {
            code: error.code.0,
            disposition: error.disposition.0,
            message: short_text(error),
        };
        // At most 4 KiB of text: within every limit that can have been agreed.
        let head = push_head(channel);
        let _ = self.tx.frame(head, &event, &[], limits::MAX_HANDSHAKE_FRAME_LEN);
    }

    /// Tells a member of a group what changed for it. False if the channel has no membership any
    /// more, or the event does not fit into a frame.
    // SPEC G-5
    pub fn group_event(&mut self, channel: u32, event: &GroupEvent) -> bool {
        let role = self.channels.get(&channel).map(|open| &open.role);
        matches!(role, Some(Role::Member))
            && self.tx.frame(push_head(channel), event, &[], self.max_frame_len).is_ok()
    }

    /// Tells a member of a group that its membership is over, and closes the channel.
    // SPEC G-10
    pub fn end_membership(&mut self, channel: u32, error: &Error) {
        if !self.close_channel(channel, |role| matches!(role, Role::Member)) {
            return;
        }
        let event = GroupEnded {
            code: error.code.0,
            disposition: error.disposition.0,
            message: short_text(error),
        };
        let head = push_head(channel);
        let _ = self.tx.frame(head, &event, &[], limits::MAX_HANDSHAKE_FRAME_LEN);
    }

    /// Closes a channel if its role is such; false if there is none.
    fn close_channel(&mut self, channel: u32, is: impl Fn(&Role) -> bool) -> bool {
        let found = self.channels.get(&channel).is_some_and(|open| is(&open.role));
        if found {
            self.channels.remove(&channel);
        }
        found
    }

    /// Stops taking requests: says so with GOAWAY, and closes once those accepted are answered.
    // SPEC H-7
    pub fn drain(&mut self, error: &Error) {
        match self.state {
            State::Ready => {
                self.goaway(error);
                self.state = State::Draining;
            }
            State::Preface | State::Hello | State::Auth | State::Judging => {
                self.fail(error.clone());
            }
            State::Draining | State::Closing | State::Closed => {}
        }
    }

    /// Ends the connection for a fault of the peer's, saying why.
    // SPEC E-6, H-8, P-9
    fn fail(&mut self, error: Error) {
        if self.state != State::Preface && self.state != State::Draining {
            self.goaway(&error);
        } else if self.state == State::Preface && error.code != Code::NOT_TIDEWIRE {
            self.tx.raw(&frame::PREFACE);
            self.goaway(&error);
        }
        self.close_silently(error);
    }

    fn close_silently(&mut self, error: Error) {
        self.state = State::Closing;
        self.rx.clear();
        self.close_error = Some(Box::new(error));
    }

    fn goaway(&mut self, error: &Error) {
        let message = short_text(error);
        let goaway = Goaway { last_accepted: self.last_accepted, code: error.code.0, message };
        // At most 4 KiB of text: within every limit.
        let _ = self.tx.frame(push_head(0), &goaway, &[], limits::MAX_HANDSHAKE_FRAME_LEN);
    }
}

/// Longest text of an error on the wire: at most 4 KiB of UTF-8, so that it fits into any frame.
const MAX_TEXT_CHARS: usize = 1024;

fn short_text(error: &Error) -> String {
    error.message.chars().take(MAX_TEXT_CHARS).collect()
}

enum Step {
    Event(ServerEvent),
    Again,
    Wait,
}

impl Tx {
    /// Queues an error reply: its meta is the text, and what was seen where that is the error.
    fn error(&mut self, head: Head, kind: Kind, version: u8, error: &Error) {
        let message = short_text(error);
        debug_assert!(error.seen.len() <= limits::MAX_SEEN_RANGES as usize);
        self.encode_with(head, kind, version, |writer: &mut Writer<'_>| {
            message.put(writer);
            if !error.seen.is_empty() {
                writer.tlv(SEEN_TAG, false, &error.seen);
            }
        });
    }
}

/// What the server sends unasked is one-way: it has no correlation.
fn push_head(channel: u32) -> Head {
    Head { flags: Flags::ONE_WAY, channel, ..Head::default() }
}

fn unexpected(kind: Kind, why: &str) -> Error {
    Error::new(Code::UNEXPECTED_FRAME, format!("{kind} was {why}"))
}

fn unknown_channel(channel: u32, what: &str) -> Error {
    Error::new(Code::UNKNOWN_CHANNEL, format!("channel {channel} is not open as a {what}"))
}

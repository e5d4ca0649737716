//! The server's side of a connection.
//!
//! Owns its state, the checks on every frame, heartbeats and the order in which a connection ends;
//! the handshake, requests and channels have rooms of their own. What requests mean is the application's: it gets each with a
//! [`Ticket`] and answers it once. The one invariant: whatever bytes arrive, the worst that
//! follows is the end of this connection.

mod channels;
mod config;
mod handshake;
mod requests;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use channels::Channel;
pub use config::{Challenge, ServerConfig};
use handshake::unexpected;

use super::progress::{self, Progress};
use super::read_pool::ReadPool;
use super::rx::Rx;
use super::time::Time;
use super::tx::Tx;
use super::{HEARTBEATS_TO_DEATH, SEEN_TAG};
use crate::codec::{Field, Writer};
use crate::error::{Code, Error};
use crate::frame::{self, Flags, Head, Header};
use crate::limits;
use crate::message::{AnyRequest, Goaway, Hello, Kind, Throttled};

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

impl Ticket {
    fn of(header: &Header, payload_len: usize) -> Self {
        Self {
            correlation: header.correlation,
            channel: header.channel,
            kind: header.kind,
            timeout_ms: header.aux,
            kind_version: header.kind_version,
            payload_len,
        }
    }
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

    /// Whether it has ended, whether or not that was told.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Closing | State::Closed)
    }

    /// Ends the connection, saying why: its user may not go on.
    // SPEC A-8
    pub fn end(&mut self, error: &Error) {
        if !matches!(self.state, State::Closing | State::Closed) {
            self.fail(error.clone());
        }
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

//! The client's side of a connection.
//!
//! Owns the handshake, correlation of replies, deadlines and heartbeats. It knows nothing of
//! producers, consumers or retries: those stand above it. The one invariant: every request that
//! was accepted ends in exactly one `Reply` event, whatever becomes of the connection.

use std::collections::{HashMap, VecDeque};

use bytes::{Bytes, BytesMut};

use super::progress::{self, Progress};
use super::read_pool::ReadPool;
use super::rx::Rx;
use super::time::Time;
use super::tx::Tx;
use super::{HEARTBEATS_TO_DEATH, SEEN_TAG};
use crate::batch::CODECS;
use crate::codec::Reader;
use crate::error::{Code, Disposition, Error};
use crate::frame::{self, Flags, Frame, Head, Header};
use crate::limits;
use crate::message::{
    Deliver, Direction, Goaway, GroupEnded, GroupEvent, Hello, HelloReply, Kind, KindRange,
    Message, Ping, Request, SeenRange, SubscriptionEvent, Throttled,
};

/// What a client says of itself.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Its name, for logs.
    pub client_name: String,
    /// Its library's name and version.
    pub client_version: String,
    /// The heartbeat interval that it would like, in milliseconds.
    pub heartbeat_ms: u32,
    /// Time for the handshake, in milliseconds.
    pub connect_timeout_ms: u32,
    /// Largest frame that it takes, in bytes.
    pub max_frame_len: u32,
    /// Whether it can say who it is: see [`ClientEvent::Challenged`].
    pub authenticates: bool,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            client_name: String::new(),
            client_version: concat!("tidewire-protocol/", env!("CARGO_PKG_VERSION")).to_owned(),
            heartbeat_ms: crate::options::client::HEARTBEAT_MS,
            connect_timeout_ms: crate::options::client::CONNECT_TIMEOUT_MS,
            max_frame_len: limits::MAX_FRAME_LEN,
            authenticates: false,
        }
    }
}

/// A request's correlation number: rises from 1 on each connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(u64);

/// What happened on a client's connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The handshake is done; requests may be made. Happens once, first.
    Ready(Box<HelloReply>),
    /// In place of `Ready`: the server wants to know who the client is. Until
    /// [`ClientConnection::authenticated`] only AUTH_SALT and AUTH may be sent.
    Challenged(Box<HelloReply>),
    /// A request ended.
    Reply {
        /// Which.
        id: RequestId,
        /// The reply's frame, or why there is none. [`decode_reply`](ClientConnection::decode_reply)
        /// reads the frame.
        result: Result<Frame, Error>,
    },
    /// Batches arrived for a subscription.
    Deliver {
        /// Its channel.
        channel: u32,
        /// Facts about the partition.
        message: Deliver,
        /// One or more whole batches.
        payload: Bytes,
    },
    /// Something changed for a member of a group.
    GroupEvent {
        /// The channel of its membership.
        channel: u32,
        /// What changed.
        event: GroupEvent,
    },
    /// The server ended a membership of a group.
    GroupEnded {
        /// The channel of the membership, which is closed.
        channel: u32,
        /// Why.
        error: Error,
    },
    /// The server ended a subscription; its channel is closed.
    SubscriptionEnded {
        /// Its channel.
        channel: u32,
        /// Why.
        error: Error,
    },
    /// What the client's user asks for is carried out later, since it is over a rate.
    Throttled {
        /// Which rate, in its text.
        error: Error,
        /// How long the next request or delivery waits, in milliseconds.
        delay_ms: u32,
    },
    /// The server will close when what it accepted is answered.
    GoingAway(Error),
    /// The connection is over. Happens once, last.
    Closed(Error),
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum State {
    Preface,
    Hello,
    Auth,
    Ready,
    Draining,
    Closed,
}

#[derive(Debug)]
struct InFlight {
    kind: Kind,
    deadline: Option<Time>,
}

/// The client's side of a connection. See the [module](super) for its verbs.
#[derive(Debug)]
pub struct ClientConnection {
    state: State,
    /// Why the server leaves, if it said so.
    goodbye: Option<Error>,
    rx: Rx,
    tx: Tx,
    heartbeat_ms: u32,
    max_frame_len: u32,
    max_in_flight: usize,
    authenticates: bool,
    /// Versions of the kinds that the server takes, by kind; empty if it does not say.
    kinds: Vec<KindRange>,
    next_id: u64,
    in_flight: HashMap<u64, InFlight>,
    /// No deadline is earlier than this; some requests that set it may have ended since.
    earliest_deadline: Option<Time>,
    handshake_deadline: Time,
    last_received: Time,
    last_sent: Time,
    /// Of the frame that is not whole yet, on a connection that is ready.
    progress: Progress,
    ping: Option<u64>,
    events: VecDeque<ClientEvent>,
}

impl ClientConnection {
    /// A connection over a socket that was just opened.
    pub fn new(config: ClientConfig, now: Time) -> Self {
        let mut tx = Tx::default();
        tx.raw(&frame::PREFACE);
        let hello = Hello {
            client_name: config.client_name,
            client_version: config.client_version,
            capabilities: 0,
            codecs: CODECS,
            max_frame_len: config.max_frame_len,
            heartbeat_ms: config.heartbeat_ms,
        };
        let head = Head { correlation: 1, ..Head::default() };
        let mut connection = Self {
            state: State::Preface,
            goodbye: None,
            rx: Rx::new(limits::MAX_HANDSHAKE_FRAME_LEN),
            tx,
            heartbeat_ms: config.heartbeat_ms,
            max_frame_len: config.max_frame_len,
            max_in_flight: limits::MAX_IN_FLIGHT as usize,
            authenticates: config.authenticates,
            kinds: Vec::new(),
            next_id: 2,
            in_flight: HashMap::new(),
            earliest_deadline: None,
            handshake_deadline: now.plus_ms(config.connect_timeout_ms),
            last_received: now,
            last_sent: now,
            progress: Progress::default(),
            ping: None,
            events: VecDeque::new(),
        };
        if let Err(error) =
            connection.tx.frame(head, &hello, &[], limits::MAX_HANDSHAKE_FRAME_LEN)
        {
            connection.close_with(error);
        }
        connection
    }

    /// Queues a request. It will end in a [`ClientEvent::Reply`], at the latest after
    /// `timeout_ms` (0: never by itself).
    ///
    /// # Errors
    /// `TOO_MANY_IN_FLIGHT` (retriable) when replies must come first, `FRAME_TOO_LARGE`,
    /// `UNKNOWN_KIND` or `UNSUPPORTED_VERSION` when the server said that it does not take such
    /// requests, or the connection is not ready.
    pub fn request<R: Request>(
        &mut self,
        now: Time,
        channel: u32,
        request: &R,
        payload: &[Bytes],
        timeout_ms: u32,
    ) -> Result<RequestId, Error> {
        let authenticating =
            self.state == State::Auth && matches!(R::KIND, Kind::AUTH | Kind::AUTH_SALT);
        if !authenticating {
            self.check_ready()?;
        }
        self.check_kind(R::KIND, R::VERSION)?;
        if !authenticating && self.room() == 0 && R::KIND != Kind::PING {
            return Err(Error::new(
                Code::TOO_MANY_IN_FLIGHT,
                format!("{} requests wait for their reply already", self.max_in_flight),
            ));
        }
        let id = self.next_id;
        let head = Head { correlation: id, channel, aux: timeout_ms, flags: Flags::default() };
        self.tx.frame(head, request, payload, self.max_frame_len)?;
        self.next_id += 1;
        let deadline = (timeout_ms > 0).then(|| now.plus_ms(timeout_ms));
        if let Some(deadline) = deadline {
            self.earliest_deadline =
                Some(self.earliest_deadline.map_or(deadline, |first| first.min(deadline)));
        }
        self.in_flight.insert(id, InFlight { kind: R::KIND, deadline });
        self.last_sent = now;
        Ok(RequestId(id))
    }

    /// Queues a message that is not answered.
    pub fn send_one_way<M: Message>(
        &mut self,
        now: Time,
        channel: u32,
        message: &M,
    ) -> Result<(), Error> {
        self.check_ready()?;
        self.check_kind(M::KIND, M::VERSION)?;
        let head = Head { channel, flags: Flags::ONE_WAY, ..Head::default() };
        self.tx.frame(head, message, &[], self.max_frame_len)?;
        self.last_sent = now;
        Ok(())
    }

    /// Reads the reply to a request of type `R`.
    pub fn decode_reply<R: Request>(frame: &Frame) -> Result<R::Reply, Error> {
        R::Reply::decode(Reader::new(&frame.meta))
    }

    /// How many more requests may be made now. A heartbeat's PING takes no place.
    pub fn room(&self) -> usize {
        let waiting = self.in_flight.len() - usize::from(self.ping.is_some());
        match self.state {
            State::Ready => self.max_in_flight.saturating_sub(waiting),
            _ => 0,
        }
    }

    /// Whether the server said in HELLO that it takes this kind and version.
    // SPEC V-7
    fn check_kind(&self, kind: Kind, version: u8) -> Result<(), Error> {
        if self.kinds.is_empty() || kind == Kind::PING {
            return Ok(());
        }
        let Ok(at) = self.kinds.binary_search_by_key(&kind.0, |range| range.kind) else {
            return Err(Error::new(
                Code::UNKNOWN_KIND,
                format!("the server does not carry out {kind}"),
            ));
        };
        let range = &self.kinds[at];
        if (range.min_version..=range.max_version).contains(&version) {
            return Ok(());
        }
        Err(Error::new(
            Code::UNSUPPORTED_VERSION,
            format!(
                "the server takes versions {} to {} of {kind}, this client speaks {version}",
                range.min_version, range.max_version
            ),
        ))
    }

    /// The server knows who the client is: the connection is ready.
    pub fn authenticated(&mut self) {
        if self.state == State::Auth {
            self.state = State::Ready;
            self.rx.set_max_frame_len(self.max_frame_len);
        }
    }

    /// Bytes queued for the socket.
    pub fn queued_bytes(&self) -> usize {
        self.tx.len()
    }

    /// Ends the connection from this side; requests without a reply fail with `error`.
    pub fn close(&mut self, error: Error) {
        if self.state == State::Ready {
            let goodbye = Goaway { last_accepted: 0, code: 0, message: String::new() };
            // It is a courtesy; a frame this small is within every limit.
            let _ = self.tx.frame(one_way(), &goodbye, &[], limits::MAX_HANDSHAKE_FRAME_LEN);
        }
        self.close_with(error);
    }

    /// A buffer to read into, at its end.
    pub fn take_read_buf(&mut self) -> BytesMut {
        self.take_read_buf_from(&mut ReadPool::new(0))
    }

    /// The same; a large one comes from `pool`, to which it goes back when it is used up.
    pub fn take_read_buf_from(&mut self, pool: &mut ReadPool) -> BytesMut {
        self.rx.take(pool)
    }

    /// The buffer back, with what arrived.
    pub fn handle_input(&mut self, now: Time, buf: BytesMut) {
        self.rx.put(buf);
        self.last_received = now;
        if self.state == State::Closed {
            self.rx.clear();
        }
    }

    /// The peer closed its side, or the socket failed.
    pub fn handle_eof(&mut self) {
        let is_ready = !matches!(self.state, State::Preface | State::Hello | State::Auth);
        // Frames that arrived before the end still count.
        while self.poll_frame() {}
        self.close_with(match is_ready {
            true => self.closed_by_server(),
            false => Error::new(
                Code::DISCONNECTED,
                "the server closed the connection before the handshake was done",
            ),
        });
    }

    /// The time that [`ClientConnection::poll_timeout`] named has come.
    pub fn handle_timeout(&mut self, now: Time) {
        // What has arrived is in time, even if nobody has looked at it yet.
        while self.poll_frame() {}
        match self.state {
            State::Closed => return,
            State::Preface | State::Hello | State::Auth => {
                if now >= self.handshake_deadline {
                    self.close_with(Error::new(
                        Code::TIMEOUT,
                        "the server did not finish the handshake in time",
                    ));
                }
                return;
            }
            State::Ready | State::Draining => {}
        }
        if now >= self.last_received.plus_ms(self.death_ms()) {
            self.close_with(Error::new(
                Code::DISCONNECTED,
                format!("nothing was heard from the server for {} ms", self.death_ms()),
            ));
            return;
        }
        if self.progress.is_overdue(now, self.death_ms(), true) {
            self.close_with(Error::new(
                Code::DISCONNECTED,
                format!(
                    "the server does not go on: {} are there, and in {} ms fewer than {} came",
                    self.rx.unfinished(self.progress.len()),
                    self.death_ms(),
                    progress::due(self.death_ms())
                ),
            ));
            return;
        }
        if self.state == State::Ready && self.ping.is_none() && now >= self.ping_time() {
            self.ping = self.request(now, 0, &Ping {}, &[], 0).ok().map(|id| id.0);
        }
        self.expire(now);
    }

    // SPEC H-11
    fn expire(&mut self, now: Time) {
        if self.earliest_deadline.is_none_or(|first| now < first) {
            return;
        }
        let mut late: Vec<u64> = Vec::new();
        self.earliest_deadline = None;
        for (&id, request) in &self.in_flight {
            match request.deadline {
                Some(deadline) if now >= deadline => late.push(id),
                Some(deadline) => {
                    self.earliest_deadline = Some(
                        self.earliest_deadline.map_or(deadline, |first| first.min(deadline)),
                    );
                }
                None => {}
            }
        }
        late.sort_unstable();
        for id in late {
            let kind = self.in_flight.remove(&id).map(|request| request.kind);
            let what = kind.map(|kind| kind.to_string()).unwrap_or_default();
            self.events.push_back(ClientEvent::Reply {
                id: RequestId(id),
                result: Err(Error::new(
                    Code::TIMEOUT,
                    format!("no reply to {what} came in time; it may have been carried out"),
                )),
            });
        }
        self.close_when_drained();
    }

    /// When to call [`ClientConnection::handle_timeout`], unless something else happens first.
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.state {
            State::Closed => None,
            State::Preface | State::Hello | State::Auth => Some(self.handshake_deadline),
            State::Ready | State::Draining => {
                let mut next = self.last_received.plus_ms(self.death_ms());
                if let Some(deadline) = self.progress.deadline(self.death_ms()) {
                    next = next.min(deadline);
                }
                if self.ping.is_none() && self.state == State::Ready {
                    next = next.min(self.ping_time());
                }
                Some(self.earliest_deadline.map_or(next, |first| first.min(next)))
            }
        }
    }

    // SPEC H-2
    fn ping_time(&self) -> Time {
        self.last_received.min(self.last_sent).plus_ms(self.heartbeat_ms)
    }

    // SPEC H-4
    fn death_ms(&self) -> u32 {
        self.heartbeat_ms.saturating_mul(HEARTBEATS_TO_DEATH)
    }

    /// Moves bytes to write to `out`, in order; false if there are none.
    pub fn poll_transmit(&mut self, out: &mut Vec<Bytes>) -> bool {
        self.tx.poll(out)
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        while self.events.is_empty() && self.poll_frame() {}
        self.events.pop_front()
    }

    /// Whether the connection is over; events may still wait.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Handles one frame; false when there is none.
    fn poll_frame(&mut self) -> bool {
        let handled = match self.state {
            State::Closed => Ok(false),
            State::Preface => self.rx.preface().inspect(|&whole| {
                if whole {
                    self.state = State::Hello;
                }
            }),
            _ => self.rx.frame().and_then(|frame| match frame {
                Some(frame) => {
                    self.progress.done();
                    self.handle_frame(frame).map(|()| true)
                }
                None => {
                    self.note_progress();
                    Ok(false)
                }
            }),
        };
        handled.unwrap_or_else(|error| {
            self.close_with(error);
            false
        })
    }

    /// All whole frames were taken: what is left is the beginning of one.
    // SPEC H-12
    fn note_progress(&mut self) {
        let len = self.rx.bytes().len();
        if len > 0 && matches!(self.state, State::Ready | State::Draining) {
            self.progress.note(self.last_received, len, self.death_ms(), true);
        }
    }

    fn handle_frame(&mut self, frame: Frame) -> Result<(), Error> {
        let header = frame.header;
        if header.kind == Kind::GOAWAY {
            return self.handle_goaway(&frame);
        }
        if header.flags.has(Flags::MORE) {
            return Err(Error::new(
                Code::UNEXPECTED_FRAME,
                format!("{} has the reserved flag MORE", header.kind),
            ));
        }
        if self.state == State::Hello {
            return self.handle_hello(&frame);
        }
        if header.flags.has(Flags::RESPONSE) {
            return self.handle_reply(frame);
        }
        if let Some(row) = header.kind.info()
            && row.direction == Direction::Push
            && row.version != header.kind_version
        {
            return Err(Error::new(
                Code::UNSUPPORTED_VERSION,
                format!("version {} of {} is not known here", header.kind_version, header.kind),
            ));
        }
        match header.kind {
            Kind::DELIVER => {
                let message = Deliver::decode(Reader::new(&frame.meta))?;
                self.events.push_back(ClientEvent::Deliver {
                    channel: header.channel,
                    message,
                    payload: frame.payload,
                });
            }
            Kind::GROUP_EVENT => {
                let event = GroupEvent::decode(Reader::new(&frame.meta))?;
                self.events
                    .push_back(ClientEvent::GroupEvent { channel: header.channel, event });
            }
            Kind::GROUP_ENDED => {
                let event = GroupEnded::decode(Reader::new(&frame.meta))?;
                self.events.push_back(ClientEvent::GroupEnded {
                    channel: header.channel,
                    error: Error {
                        code: Code(event.code),
                        disposition: Disposition(event.disposition),
                        message: event.message,
                        seen: Vec::new(),
                    },
                });
            }
            Kind::SUBSCRIPTION_EVENT => {
                let event = SubscriptionEvent::decode(Reader::new(&frame.meta))?;
                self.events.push_back(ClientEvent::SubscriptionEnded {
                    channel: header.channel,
                    error: Error {
                        disposition: Disposition(event.disposition),
                        ..Error::new(Code(event.code), event.message)
                    },
                });
            }
            Kind::THROTTLED => {
                let notice = Throttled::decode(Reader::new(&frame.meta))?;
                self.events.push_back(ClientEvent::Throttled {
                    error: Error {
                        disposition: Disposition(notice.disposition),
                        ..Error::new(Code(notice.code), notice.message)
                    },
                    delay_ms: notice.delay_ms,
                });
            }
            // A push that a newer server added; HELLO's capabilities said that we cannot want it.
            _ => {}
        }
        Ok(())
    }

    // SPEC P-5, P-6
    fn handle_hello(&mut self, frame: &Frame) -> Result<(), Error> {
        let header = frame.header;
        if header.kind != Kind::HELLO || !header.flags.has(Flags::RESPONSE) {
            return Err(Error::new(
                Code::UNEXPECTED_FRAME,
                format!("the server sent {} where the reply to HELLO was due", header.kind),
            ));
        }
        if let Some(error) = reply_error(frame) {
            return Err(error);
        }
        let hello = HelloReply::decode(Reader::new(&frame.meta))?;
        if hello.auth != 0 && !self.authenticates {
            return Err(Error::new(
                Code::AUTH_REQUIRED,
                "the server asks for credentials, and this client has none",
            ));
        }
        self.max_frame_len = frame::agreed_frame_len(self.max_frame_len, hello.max_frame_len);
        self.max_in_flight = hello.max_in_flight.clamp(1, limits::MAX_IN_FLIGHT) as usize;
        self.heartbeat_ms =
            hello.heartbeat_ms.clamp(limits::MIN_HEARTBEAT_MS, limits::MAX_HEARTBEAT_MS);
        self.kinds.clone_from(&hello.kinds);
        self.kinds.sort_unstable_by_key(|range| range.kind);
        if hello.auth != 0 {
            self.state = State::Auth;
            self.events.push_back(ClientEvent::Challenged(Box::new(hello)));
            return Ok(());
        }
        self.rx.set_max_frame_len(self.max_frame_len);
        self.state = State::Ready;
        self.events.push_back(ClientEvent::Ready(Box::new(hello)));
        Ok(())
    }

    // SPEC W-7
    fn handle_reply(&mut self, frame: Frame) -> Result<(), Error> {
        let Header { correlation: id, kind, .. } = frame.header;
        // A reply to a request that timed out, or was never made, is of no use to anyone.
        let Some(request) = self.in_flight.get(&id) else {
            return Ok(());
        };
        if request.kind != kind {
            return Err(Error::new(
                Code::UNEXPECTED_FRAME,
                format!("the reply to {} says that it answers {kind}", request.kind),
            ));
        }
        self.in_flight.remove(&id);
        if self.ping == Some(id) {
            self.ping = None;
            self.close_when_drained();
            return Ok(());
        }
        let result = match reply_error(&frame) {
            Some(error) => Err(error),
            None => Ok(frame),
        };
        self.events.push_back(ClientEvent::Reply { id: RequestId(id), result });
        self.close_when_drained();
        Ok(())
    }

    // SPEC H-6, P-9
    fn handle_goaway(&mut self, frame: &Frame) -> Result<(), Error> {
        let goaway = Goaway::decode(Reader::new(&frame.meta))?;
        let error = Error::new(Code(goaway.code), goaway.message);
        if matches!(self.state, State::Preface | State::Hello | State::Auth) {
            return Err(error);
        }
        // What the server did not accept never ran.
        let mut refused: Vec<u64> =
            self.in_flight.keys().copied().filter(|&id| id > goaway.last_accepted).collect();
        refused.sort_unstable();
        for id in refused {
            self.in_flight.remove(&id);
            let mut error = error.clone();
            error.disposition = Disposition::RETRIABLE.and(Disposition::RECONNECT);
            self.fail(id, error);
        }
        self.state = State::Draining;
        self.goodbye = Some(error.clone());
        self.events.push_back(ClientEvent::GoingAway(error));
        self.close_when_drained();
        Ok(())
    }

    fn close_when_drained(&mut self) {
        if self.state == State::Draining && self.in_flight.is_empty() {
            self.close_with(self.closed_by_server());
        }
    }

    fn closed_by_server(&self) -> Error {
        let text = match &self.goodbye {
            Some(why) => format!("the server closed the connection: {} ({why})", why.code),
            None => "the server closed the connection".to_owned(),
        };
        Error::new(Code::DISCONNECTED, text)
    }

    fn fail(&mut self, id: u64, error: Error) {
        if self.ping == Some(id) {
            self.ping = None;
            return;
        }
        self.events.push_back(ClientEvent::Reply { id: RequestId(id), result: Err(error) });
    }

    // SPEC C-5, E-5
    fn close_with(&mut self, error: Error) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        self.rx.clear();
        let mut ids: Vec<u64> = self.in_flight.drain().map(|(id, _)| id).collect();
        ids.sort_unstable();
        for id in ids {
            let mut error = error.clone();
            error.disposition = error.disposition.outcome_unknown();
            self.fail(id, error);
        }
        self.events.push_back(ClientEvent::Closed(error));
    }

    fn check_ready(&self) -> Result<(), Error> {
        match self.state {
            State::Ready => Ok(()),
            State::Preface | State::Hello | State::Auth => {
                Err(Error::new(Code::UNEXPECTED_FRAME, "the connection is not ready yet"))
            }
            State::Draining | State::Closed => Err(Error {
                disposition: Disposition::RETRIABLE.and(Disposition::RECONNECT),
                ..Error::new(Code::DISCONNECTED, "the connection is closed")
            }),
        }
    }
}

fn one_way() -> Head {
    Head { flags: Flags::ONE_WAY, ..Head::default() }
}

/// The error that a reply carries, if it is one.
fn reply_error(frame: &Frame) -> Option<Error> {
    let (code, disposition) = frame.header.status();
    if code.0 == 0 {
        return None;
    }
    // The text is diagnostic: a reply whose text cannot be read is still that error.
    let mut reader = Reader::new(&frame.meta);
    let message = reader.text().unwrap_or_default();
    let mut error = Error { disposition, ..Error::new(code, message) };
    if code == Code::DUPLICATE_IDS {
        error.seen = seen_ranges(reader).unwrap_or_default();
    }
    Some(error)
}

/// What follows the text of `DUPLICATE_IDS`.
// SPEC I-15
fn seen_ranges(mut reader: Reader<'_>) -> Result<Vec<SeenRange>, Error> {
    let mut seen = None;
    while let Some(tlv) = reader.tlv()? {
        match tlv.tag {
            SEEN_TAG => tlv.fill(&mut seen)?,
            _ => tlv.skip()?,
        }
    }
    Ok(seen.unwrap_or_default())
}

//! From the first byte to a connection that is ready.
//!
//! Owns the preface, HELLO, and the steps in which a client shows who it is. The one invariant:
//! until it has, one request at a time is read, and no frame is large.

use super::{ServerConnection, ServerEvent, State, Step, Ticket};
use crate::batch::CODECS;
use crate::codec::Reader;
use crate::connection::courtesy;
use crate::error::{Code, Error};
use crate::frame::{self, Flags, Frame, Head};
use crate::limits;
use crate::message::{AnyRequest, AuthReply, AuthSaltReply, Hello, HelloReply, Kind, Message};

impl ServerConnection {
    // SPEC P-3, P-10
    pub(super) fn handle_preface(&mut self) -> Result<Step, Error> {
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

    // SPEC P-4, P-5, L-2
    pub(super) fn handle_hello(&mut self, frame: Frame) -> Result<Step, Error> {
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
    pub(super) fn ready(&mut self) {
        self.rx.set_max_frame_len(self.max_frame_len);
        self.tx.begin();
        self.state = State::Ready;
    }

    /// Takes one step of an unknown client's, and no more before it is answered.
    // SPEC A-1, P-7
    pub(super) fn handle_auth(&mut self, frame: Frame) -> Result<Step, Error> {
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
        let ticket = Ticket::of(&header, 0);
        self.in_flight += 1;
        self.state = State::Judging;
        Ok(Step::Event(ServerEvent::Auth(ticket, request)))
    }

    /// Ways to authenticate that its client was offered; 0 if it needs none.
    pub fn methods(&self) -> u32 {
        self.challenge.as_ref().map_or(0, |challenge| challenge.methods)
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
}

pub(super) fn unexpected(kind: Kind, why: &str) -> Error {
    Error::new(Code::UNEXPECTED_FRAME, format!("{kind} was {why}"))
}

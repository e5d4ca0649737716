//! Requests and their answers.
//!
//! Owns the checks that a request passes before the application sees it, and what is under way. The
//! one invariant: each request that was counted is answered once.

use bytes::Bytes;

use super::channels::Role;
use super::{ServerConnection, ServerEvent, Step, Ticket};
use crate::codec::Reader;
use crate::error::{Code, Error};
use crate::frame::{Flags, Frame, Head};
use crate::limits;
use crate::message::{AnyRequest, Direction, Kind, Message};

impl ServerConnection {
    pub(super) fn handle_request(
        &mut self,
        frame: Frame,
        one_way: bool,
    ) -> Result<Step, Error> {
        let header = frame.header;
        let ticket = Ticket::of(&header, frame.payload.len());
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
    pub(super) fn admit(&self, frame: &Frame, one_way: bool) -> Result<AnyRequest, Error> {
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

    pub(super) fn settle(&mut self, ticket: &Ticket) {
        self.in_flight -= 1;
        self.in_flight_bytes -= ticket.payload_len;
    }
}

//! Channels: producers, subscriptions and memberships of a connection.
//!
//! Owns which are open, as what, and how much a subscription may be sent. The one invariant: what
//! is sent on a channel is what it was opened for.

use bytes::Bytes;

use super::{ServerConnection, Ticket, push_head, short_text};
use crate::error::{Code, Error};
use crate::limits;
use crate::message::{AnyRequest, Deliver, GroupEnded, GroupEvent, SubscriptionEvent};

#[derive(Debug)]
pub(super) struct Channel {
    /// Correlation of the request that opened it: a number may be opened again.
    pub(super) opened_by: u64,
    pub(super) role: Role,
}

#[derive(Debug)]
pub(super) enum Role {
    Producer,
    Subscription { sent: u64, limit: u64 },
    Member,
}

impl ServerConnection {
    /// Opens, closes and checks channels as requests pass.
    // SPEC C-3, C-6
    pub(super) fn check_channel(
        &mut self,
        ticket: &Ticket,
        request: &AnyRequest,
    ) -> Result<(), Error> {
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
    pub(super) fn open(&mut self, ticket: &Ticket, role: Role) -> Result<(), Error> {
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
    pub(super) fn close_channel(&mut self, channel: u32, is: impl Fn(&Role) -> bool) -> bool {
        let found = self.channels.get(&channel).is_some_and(|open| is(&open.role));
        if found {
            self.channels.remove(&channel);
        }
        found
    }
}

fn unknown_channel(channel: u32, what: &str) -> Error {
    Error::new(Code::UNKNOWN_CHANNEL, format!("channel {channel} is not open as a {what}"))
}

//! Going to the shard of the partition that is appended to.
//!
//! A request for a partition of another shard costs two more wake-ups, which is most of the time
//! of somebody who sends one record after the other and waits for each. Such a connection moves:
//! between two requests, with no other under way, so that nobody is told of it. Its subscriptions
//! go along and read on from where they were. One that has more under way stays where it is, since
//! then the work of two cores is worth more than the way; so does one that is of a group, whose
//! shard knows where its members are.
//!
//! Owns when a connection moves, and what goes with it. Invariant: the request because of which it
//! moves is carried out once, on the shard where it arrives.

use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use tidewire_protocol::connection::{ServerConnection, Ticket, Time};
use tidewire_protocol::message::{AnyRequest, Append};
use tidewire_storage::disk::Disk;

use super::consume::Subscription;
use super::produce::Producing;
use super::throttle::Throttle;
use super::{ByNumber, SMALL_BYTES, Session};
use crate::auth::Who;
use crate::message::PartitionId;
use crate::rt::Peer;
use crate::shared::Router;

/// Appends that came one at a time, one after the other, for partitions of the same shard.
#[derive(Default)]
pub(super) struct Moving {
    /// Whether it can move at all.
    allowed: bool,
    /// It is being handed what was read: whoever drives it is between two reads, and can take it
    /// away.
    between_reads: bool,
    shard: usize,
    appends: u32,
    /// What it is to do first where it goes, once it has decided to. Boxed, since most connections
    /// never do.
    first: Option<Box<Request>>,
}

struct Request {
    ticket: Ticket,
    request: AnyRequest,
    payload: Bytes,
}

/// A session between two shards.
pub(crate) struct Parcel {
    protocol: ServerConnection,
    peer: Peer,
    client_name: String,
    who: Who,
    auth_methods: u32,
    access_version: u64,
    login_ends: Option<Time>,
    producers: ByNumber<u32, Producing>,
    subscriptions: ByNumber<u64, Subscription>,
    subscribed: BTreeMap<u32, u64>,
    next_token: u64,
    throttle: Throttle,
    first: Box<Request>,
}

impl<D: Disk> Session<D> {
    /// Lets it move: whoever drives it looks at [`Session::destination`].
    pub(crate) fn allow_moving(&mut self) {
        self.moving.allowed = true;
    }

    /// The shard that it wants to move to: looked at after each input. It takes nothing up until it
    /// is there.
    pub(crate) fn destination(&self) -> Option<usize> {
        self.moving.first.as_ref().map(|_| self.moving.shard)
    }

    /// Carries out what was just read, and may move because of it.
    pub(super) fn handle_arrived(&mut self, now: Time) {
        self.moving.between_reads = true;
        self.handle_events(now);
        self.moving.between_reads = false;
    }

    /// Whether it goes to another shard with this request.
    pub(super) fn moves_with(
        &mut self,
        ticket: &Ticket,
        request: &AnyRequest,
        payload: &Bytes,
    ) -> bool {
        let AnyRequest::Append(append) = request else { return false };
        self.moving.allowed
            && self.moving.between_reads
            && self.is_worth_moving(ticket, append, payload)
    }

    /// Takes nothing up any more before it is there.
    pub(super) fn leave_with(&mut self, ticket: Ticket, request: AnyRequest, payload: Bytes) {
        self.moving.first = Some(Box::new(Request { ticket, request, payload }));
    }

    fn is_worth_moving(&mut self, ticket: &Ticket, append: &Append, payload: &Bytes) -> bool {
        let alone = self.pending.is_empty() && payload.len() <= SMALL_BYTES;
        let shard = self.producers.get(&ticket.channel).map(|producing| {
            let id = PartitionId { topic: producing.topic().id, partition: append.partition };
            id.shard(self.router.shared.inboxes.len())
        });
        let elsewhere = shard.filter(|shard| alone && *shard != self.router.shard);
        let Some(shard) = elsewhere else {
            self.moving.appends = 0;
            return false;
        };
        if self.moving.shard != shard {
            (self.moving.shard, self.moving.appends) = (shard, 0);
        }
        self.moving.appends += 1;
        self.moving.appends > self.router.shared.appends_before_moving
            && self.opening.is_empty()
            && self.memberships.is_empty()
            && self.judging.is_none()
            && self.throttle.is_free()
    }

    /// Packs it up, once what it had to say is on its way.
    pub(crate) fn pack(mut self) -> Option<Parcel> {
        let first = self.moving.first.take()?;
        // What partitions answer from here on is for nobody; it is read again.
        self.stop_reading();
        Some(Parcel {
            protocol: self.protocol,
            peer: self.peer,
            client_name: self.client_name,
            who: self.who,
            auth_methods: self.auth_methods,
            access_version: self.access_version,
            login_ends: self.login_ends,
            producers: self.producers,
            subscriptions: self.subscriptions,
            subscribed: self.subscribed,
            next_token: self.next_token,
            throttle: self.throttle,
            first,
        })
    }

    /// Unpacks it on another shard, where it goes on with what it came for.
    pub(crate) fn unpack(parcel: Parcel, router: Rc<Router<D>>, id: u64, now: Time) -> Self {
        let Parcel { protocol, peer, first, .. } = parcel;
        let mut session = Self::new(protocol, router, id, peer);
        session.client_name = parcel.client_name;
        session.who = parcel.who;
        session.auth_methods = parcel.auth_methods;
        session.access_version = parcel.access_version;
        session.login_ends = parcel.login_ends;
        session.producers = parcel.producers;
        session.subscriptions = parcel.subscriptions;
        session.subscribed = parcel.subscribed;
        session.next_token = parcel.next_token;
        session.throttle = parcel.throttle;
        session.moving.allowed = true;
        tracing::debug!(
            peer = %session.peer, client = %session.client_name, shard = session.router.shard,
            "moved to the shard of its partition"
        );
        // What its user may do can have changed on the way; it ends then, and the request with it.
        session.access_changed(now);
        // So it does if that was told, or its time was up, after it had decided to move.
        if !session.protocol.is_over() {
            let Request { ticket, request, payload } = *first;
            session.handle_request(now, ticket, request, payload);
            session.resume_subscriptions();
        }
        session.handle_events(now);
        session
    }
}

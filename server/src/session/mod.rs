//! A connection's business: what its requests mean, which answers it still waits for, and which
//! subscriptions it feeds. The sockets are elsewhere; what leaves goes through the [`Router`] and
//! the protocol's own [`ServerConnection`].
//!
//! Invariants: every ticket is answered once; at most one read is under way for a subscription;
//! what is queued for a slow peer is bounded, since nothing is delivered while
//! [`HIGH_WATER_BYTES`] or more lie in the queue.

mod access;
mod admin;
mod auth;
mod consume;
mod group;
mod limits;
mod moving;
mod names;
mod produce;
mod rights;
mod throttle;
mod trim;

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tidewire_protocol::batch::Header as BatchHeader;
use tidewire_protocol::connection::{ReadPool, ServerConnection, ServerEvent, Ticket, Time};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits::ServerLimit;
use tidewire_protocol::message::{AnyRequest, GroupInfo, PartitionInfo};
use tidewire_storage::Topic;
use tidewire_storage::access::ROOT;
use tidewire_storage::disk::{Disk, ServerDisk};

use crate::auth::Who;
use crate::message::{Answer, Origin};
use crate::rt::Peer;
use crate::shared::Router;
pub(crate) use admin::page;
use consume::Subscription;
use group::Membership;
use moving::Moving;
pub(crate) use moving::Parcel;
use produce::Producing;
use throttle::Throttle;

/// Bytes of a request above which ways and wake-ups hardly count.
const SMALL_BYTES: usize = 64 << 10;
/// Bytes queued for the socket at which deliveries pause.
const HIGH_WATER_BYTES: usize = 1 << 20;

/// A request that waits for an answer from elsewhere.
enum Pending {
    Append(Ticket),
    Flush(Ticket),
    OpenProducer {
        ticket: Ticket,
        topic: Arc<Topic>,
    },
    Fetch {
        ticket: Ticket,
        topic: Arc<Topic>,
        partition: u32,
        deadline: Time,
        /// An answer was asked for, whatever there is.
        expired: bool,
    },
    Subscribe {
        ticket: Ticket,
        token: u64,
    },
    Describe {
        ticket: Ticket,
        missing: usize,
        infos: Vec<PartitionInfo>,
    },
    Seek {
        ticket: Ticket,
        token: u64,
    },
    /// A deletion of records in one or many partitions.
    Trim {
        ticket: Ticket,
        missing: usize,
        failed: Option<Error>,
    },
    Catalog(Ticket),
    Group(Ticket),
    /// A list of groups; some shards have not answered yet.
    Groups {
        ticket: Ticket,
        missing: usize,
        groups: Vec<GroupInfo>,
        more: bool,
    },
    Join {
        ticket: Ticket,
        token: u64,
    },
}

/// By a number that the peer chose, of which it may have no more than channels and requests: there
/// are too few to make them collide for, and a secret for each map would be most of it.
type ByNumber<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// One client's connection.
pub(crate) struct Session<D: Disk = ServerDisk> {
    protocol: ServerConnection,
    router: Rc<Router<D>>,
    /// Unique on its shard.
    id: u64,
    peer: Peer,
    client_name: String,
    who: Who,
    /// Ways to log in that this connection was offered.
    auth_methods: u32,
    /// Which change of users `who` is of.
    access_version: u64,
    judging: Option<Box<auth::Judging>>,
    /// When the token ends that it logged in with.
    login_ends: Option<Time>,
    pending: ByNumber<u64, Pending>,
    /// By channel.
    producers: ByNumber<u32, Producing>,
    /// Channels that wait for the catalog before they are open for appends, and the request that
    /// is to open them.
    opening: BTreeMap<u32, u64>,
    /// By token; a channel may be closed and opened anew while an old answer is on its way.
    subscriptions: ByNumber<u64, Subscription>,
    /// Tokens of open subscription channels.
    subscribed: BTreeMap<u32, u64>,
    /// By token, as subscriptions.
    memberships: ByNumber<u64, Membership>,
    /// Tokens of open membership channels.
    member_channels: BTreeMap<u32, u64>,
    next_token: u64,
    /// Some subscription found the queue full and has to be looked at again.
    paused: bool,
    /// No waiting fetch gives up before this; the one that set it may have been answered.
    fetch_deadline: Option<Time>,
    throttle: Throttle,
    moving: Moving,
    closed: bool,
}

/// Tokens of subscriptions and memberships have this bit; those of requests are correlations, which a client
/// may not choose that high.
const SUBSCRIPTION_TOKEN: u64 = 1 << 63;

impl<D: Disk> Session<D> {
    pub(crate) fn new(
        protocol: ServerConnection,
        router: Rc<Router<D>>,
        id: u64,
        peer: Peer,
    ) -> Self {
        let auth_methods = protocol.methods();
        Self {
            protocol,
            router,
            id,
            peer,
            client_name: String::new(),
            who: if auth_methods == 0 { Who::Everybody } else { Who::Nobody },
            auth_methods,
            access_version: 0,
            judging: None,
            login_ends: None,
            pending: ByNumber::default(),
            producers: ByNumber::default(),
            opening: BTreeMap::new(),
            subscriptions: ByNumber::default(),
            subscribed: BTreeMap::new(),
            memberships: ByNumber::default(),
            member_channels: BTreeMap::new(),
            next_token: SUBSCRIPTION_TOKEN,
            paused: false,
            fetch_deadline: None,
            throttle: Throttle::default(),
            moving: Moving::default(),
            closed: false,
        }
    }

    /// The connection begins; where nobody is asked who he is, it may be one too many.
    pub(crate) fn begin(&mut self, now: Time) {
        if matches!(self.who, Who::Everybody)
            && let Err(error) = self.enter_user(now, 0, ROOT)
        {
            self.refuse(now, &error);
        }
    }

    /// Payload bytes of requests that are not answered yet.
    pub(crate) fn in_flight_bytes(&self) -> usize {
        if self.closed || self.destination().is_some() {
            0
        } else {
            self.protocol.in_flight_bytes()
        }
    }

    /// Ends the connection, saying why.
    pub(crate) fn refuse(&mut self, now: Time, error: &Error) {
        self.protocol.end(error);
        self.handle_events(now);
    }

    /// See [`ServerConnection::wants_input`].
    pub(crate) fn wants_input(&self) -> bool {
        self.protocol.wants_input()
    }

    /// See [`ServerConnection::take_read_buf_from`].
    pub(crate) fn take_read_buf(&mut self, pool: &mut ReadPool) -> BytesMut {
        self.protocol.take_read_buf_from(pool)
    }

    /// See [`ServerConnection::would_wait_with_much`].
    pub(crate) fn would_wait_with_much(&self) -> bool {
        self.protocol.would_wait_with_much()
    }

    /// See [`ServerConnection::release_read_buf`].
    pub(crate) fn release_read_buf(&mut self, pool: &mut ReadPool) {
        self.protocol.release_read_buf(pool);
    }

    /// Takes what was read, and does what it asks for.
    pub(crate) fn handle_input(&mut self, now: Time, buf: BytesMut) {
        self.renew_frame_timeout();
        self.protocol.handle_input(now, buf);
        self.handle_arrived(now);
    }

    /// The peer is gone.
    pub(crate) fn handle_eof(&mut self, now: Time) {
        self.protocol.handle_eof();
        self.handle_events(now);
    }

    /// A time that [`Session::poll_timeout`] named has come.
    pub(crate) fn handle_timeout(&mut self, now: Time) {
        self.renew_frame_timeout();
        self.protocol.handle_timeout(now);
        if !self.protocol.is_over() {
            self.auth_timeout(now);
        }
        self.expire_fetches(now);
        self.throttle_timeout(now);
        self.handle_events(now);
    }

    /// The limit may have changed since it was looked at last.
    // SPEC H-12
    fn renew_frame_timeout(&mut self) {
        let frame_timeout_ms = self.router.shared.limits.get(ServerLimit::FrameTimeoutMs);
        self.protocol.set_frame_timeout_ms(frame_timeout_ms as u32);
    }

    /// When to call [`Session::handle_timeout`].
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let own = self.fetch_deadline.into_iter().chain(self.auth_deadline());
        let own = own.chain(self.throttle.deadline());
        self.protocol.poll_timeout().into_iter().chain(own).min()
    }

    /// Bytes to write; false if there are none.
    pub(crate) fn poll_transmit(&mut self, out: &mut Vec<Bytes>) -> bool {
        if self.paused && self.protocol.queued_bytes() < HIGH_WATER_BYTES {
            self.paused = false;
            self.resume_subscriptions();
        }
        self.protocol.poll_transmit(out)
    }

    /// Whether the connection is over; what `poll_transmit` gives should still be written.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Bytes that wait for the socket.
    #[cfg(feature = "sim")]
    pub(crate) fn queued_bytes(&self) -> usize {
        self.protocol.queued_bytes()
    }

    /// Stops taking requests; see [`ServerConnection::drain`]. Waiting fetches are answered.
    pub(crate) fn drain(&mut self, now: Time, error: &Error) {
        self.protocol.drain(error);
        self.release_all(now);
        self.expire_fetches(Time::from_nanos(u64::MAX));
        self.handle_events(now);
    }

    /// An answer arrived from a partition or the catalog.
    pub(crate) fn handle_answer(&mut self, now: Time, token: u64, answer: Answer) {
        if self.closed {
            return;
        }
        if token & SUBSCRIPTION_TOKEN != 0 {
            match answer {
                Answer::Read(result) => self.handle_subscription_read(token, result),
                other => self.handle_member(token, other),
            }
        } else {
            self.answer_request(token, answer);
        }
        // A drained connection closes with its last answer.
        self.handle_events(now);
    }

    fn answer_request(&mut self, token: u64, answer: Answer) {
        let Some(pending) = self.pending.remove(&token) else { return };
        match (pending, answer) {
            (Pending::Append(ticket), Answer::Append(Ok(reply))) => {
                self.protocol.reply(ticket, &reply, &[]);
            }
            (Pending::Append(ticket), Answer::Append(Err(error))) => {
                self.protocol.reply_error(ticket, &error);
            }
            (Pending::Flush(ticket), Answer::Flush(result)) => {
                self.answer_flush(ticket, result);
            }
            (Pending::OpenProducer { ticket, topic }, Answer::Producer(result)) => {
                self.answer_open_producer(ticket, topic, result);
            }
            (Pending::Catalog(ticket), Answer::Producers(result)) => {
                self.answer_producers(ticket, result);
            }
            (Pending::Catalog(ticket), Answer::ProducerDeleted(result)) => {
                self.answer_producer_deleted(ticket, result);
            }
            (Pending::Fetch { ticket, .. }, Answer::Read(result)) => {
                self.answer_fetch(ticket, result);
            }
            (Pending::Subscribe { ticket, token }, Answer::Resolve(result)) => {
                self.answer_subscribe(ticket, token, result);
            }
            (Pending::Describe { ticket, missing, infos }, Answer::Describe(info)) => {
                self.answer_describe(token, ticket, missing, infos, info);
            }
            (Pending::Seek { ticket, token }, Answer::Resolve(result)) => {
                self.answer_seek(ticket, token, result);
            }
            (Pending::Trim { ticket, missing, failed }, Answer::Trimmed(result)) => {
                self.answer_trim(token, ticket, missing, failed, result);
            }
            (Pending::Catalog(ticket), Answer::Access(changed)) => {
                self.answer_access(ticket, changed);
            }
            (Pending::Catalog(ticket), answer) => self.answer_catalog(ticket, answer),
            (Pending::Group(ticket), Answer::Group(result)) => {
                self.answer_group(ticket, result);
            }
            (Pending::Groups { ticket, missing, groups, more }, Answer::Group(result)) => {
                self.answer_group_list(ticket, missing, (groups, more), result);
            }
            (Pending::Join { ticket, token }, Answer::Group(result)) => {
                self.answer_join(ticket, token, result);
            }
            _ => unreachable!("an answer of another kind than its request"),
        }
    }

    /// Carries out all that arrived.
    fn handle_events(&mut self, now: Time) {
        while self.destination().is_none()
            && let Some(event) = self.protocol.poll_event()
        {
            match event {
                ServerEvent::Ready(hello) => {
                    self.client_name = hello.client_name;
                    tracing::debug!(
                        peer = %self.peer, client = %self.client_name,
                        version = %hello.client_version, "connected"
                    );
                }
                ServerEvent::Auth(ticket, request) => self.handle_auth(now, ticket, request),
                ServerEvent::Request(ticket, request, payload) => {
                    self.take_request(now, ticket, request, payload);
                }
                ServerEvent::Credit { channel } => self.feed(channel),
                ServerEvent::Closed(error) => self.handle_closed(now, error),
                _ => {}
            }
        }
    }

    fn handle_request(
        &mut self,
        now: Time,
        ticket: Ticket,
        request: AnyRequest,
        payload: Bytes,
    ) {
        if !matches!(self.who, Who::Everybody) {
            // A change that was answered counts, even if this shard has not been told of it yet.
            if self.access_version != self.router.shared.auth.access.load().version {
                self.renew_login(now);
                if self.protocol.is_over() {
                    return;
                }
            }
            if let Err(error) = self.authorize(&ticket, &request) {
                tracing::info!(
                    target: "tidewire::audit", peer = %self.peer, user = self.who.name(),
                    kind = %ticket.kind, "refused: {error}"
                );
                self.protocol.reply_error(ticket, &error);
                return;
            }
            if let Some(on) = rights::administered(&request) {
                tracing::info!(
                    target: "tidewire::audit", peer = %self.peer, user = self.who.name(),
                    kind = %ticket.kind, on, "administration"
                );
            }
        }
        self.router.note_request(now, self.pending.is_empty() && is_single(&payload));
        if self.moves_with(&ticket, &request, &payload) {
            return self.leave_with(ticket, request, payload);
        }
        let result = match request {
            AnyRequest::Append(append) => self.append(ticket, &append, payload),
            AnyRequest::OpenProducer(open) => self.open_producer(ticket, open),
            AnyRequest::ProducerList(list) => self.list_producers(ticket, list),
            AnyRequest::ProducerDelete(delete) => self.delete_producer(ticket, delete),
            AnyRequest::Flush(flush) => self.flush(ticket, &flush),
            AnyRequest::CloseProducer(_) => self.close_producer(ticket),
            AnyRequest::Fetch(fetch) => self.fetch(now, ticket, &fetch),
            AnyRequest::Subscribe(subscribe) => self.subscribe(ticket, &subscribe),
            AnyRequest::Seek(seek) => self.seek(ticket, &seek),
            AnyRequest::Unsubscribe(_) => self.unsubscribe(ticket),
            AnyRequest::ListOffsets(list) => self.list_offsets(ticket, &list),
            AnyRequest::Truncate(truncate) => self.truncate(ticket, &truncate),
            AnyRequest::TopicPurge(purge) => self.purge_topic(ticket, &purge),
            AnyRequest::StreamPurge(purge) => self.purge_stream(ticket, &purge.name),
            AnyRequest::Limits(_) => {
                self.describe_limits(ticket);
                Ok(())
            }
            other => self.group(ticket, other),
        };
        if let Err((ticket, error)) = result {
            self.protocol.reply_error(ticket, &error);
        }
    }

    fn handle_closed(&mut self, now: Time, error: Option<Error>) {
        // What a client has sent before it left counts.
        // SPEC H-9
        self.release_all(now);
        self.closed = true;
        self.throttle = Throttle::default();
        self.judging = None;
        self.login_ends = None;
        match error {
            Some(error) => tracing::info!(
                peer = %self.peer, client = %self.client_name, code = %error.code,
                "connection closed: {error}"
            ),
            None => tracing::debug!(
                peer = %self.peer, client = %self.client_name, "disconnected"
            ),
        }
        self.cancel_reads();
        self.detach_memberships();
        self.pending.clear();
        self.producers.clear();
        self.opening.clear();
        self.subscriptions.clear();
        self.subscribed.clear();
    }

    fn origin(&self, token: u64) -> Origin {
        Origin { shard: self.router.shard, connection: self.id, token }
    }

    /// The topic `stream/topic`, as the catalog has it now.
    fn topic(&self, stream: &str, topic: &str) -> Result<Arc<Topic>, Error> {
        let catalog = self.router.shared.catalog.load();
        if let Some(found) = catalog.topic(stream, topic) {
            return Ok(Arc::clone(found));
        }
        Err(if catalog.streams.contains_key(stream) {
            Error::new(
                Code::TOPIC_NOT_FOUND,
                format!("topic \"{topic}\" does not exist in stream \"{stream}\""),
            )
        } else {
            no_stream(stream)
        })
    }
}

/// Whether a payload is at most one record: who gathers several has more to do than to wait.
fn is_single(payload: &[u8]) -> bool {
    payload.is_empty()
        || payload.len() <= SMALL_BYTES
            && BatchHeader::parse(payload).is_ok_and(|header| header.record_count <= 1)
}

/// In order, so that the same run is the same whatever the order of a map.
fn sorted<'a>(tokens: impl Iterator<Item = &'a u64>) -> Vec<u64> {
    let mut tokens: Vec<u64> = tokens.copied().collect();
    tokens.sort_unstable();
    tokens
}

/// A request that could not be carried out, and why.
type Refused = (Ticket, Error);

fn no_stream(stream: &str) -> Error {
    Error::new(Code::STREAM_NOT_FOUND, format!("stream \"{stream}\" does not exist"))
}

fn check_partition(topic: &Topic, partition: u32) -> Result<(), Error> {
    if partition < topic.partitions {
        return Ok(());
    }
    Err(Error::new(
        Code::PARTITION_NOT_FOUND,
        format!(
            "partition {partition} does not exist: {}/{} has partitions 0 to {}",
            topic.stream,
            topic.name,
            topic.partitions - 1
        ),
    ))
}

//! One connection, shared by everything that was made from a client.
//!
//! Owns the protocol's [`ClientConnection`] behind a mutex, the callbacks that wait for replies
//! and the channels that deliveries go to; the [`driver`] task moves the bytes. Callers queue a
//! request under the mutex; [`writing`] decides who writes it.
//!
//! The one invariant: every request that was accepted ends in exactly one call of its callback,
//! whatever becomes of the connection, and never with the mutex held.

mod driver;
mod transport;
mod writing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidewire_protocol::connection::{
    ClientConfig, ClientConnection, RESERVED_REQUESTS, RequestId, Time,
};
use tidewire_protocol::error::{self as wire, Disposition};
use tidewire_protocol::frame::Frame;
use tidewire_protocol::message::{GroupEvent, HelloReply, Message, Request};
use tidewire_protocol::url::Address;
use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError, oneshot, watch};

use crate::error::{Code, Error};
use crate::events::EventSender;
use crate::login::Login;
use crate::tls::Tls;
use writing::Wire;

/// Longest that `close` waits for the goodbye to leave, in milliseconds.
const CLOSE_TIMEOUT_MS: u64 = 1_000;

/// Called once with a request's reply.
type OnReply = Box<dyn FnOnce(Result<Frame, Error>) + Send>;

/// Where deliveries of a channel go. Called by the driver, with no lock held.
pub(crate) trait Route: Send + Sync {
    /// Batches arrived on `channel`.
    fn deliver(&self, channel: u32, end_offset: u64, payload: Bytes);
    /// Something changed for the membership that `channel` stands for.
    fn group_event(&self, _channel: u32, _event: GroupEvent) {}
    /// The server ended what `channel` stands for.
    fn ended(&self, channel: u32, error: Error);
    /// The connection is gone, and the channel with it.
    fn cut(&self, channel: u32);
}

/// How far a connection has come.
#[derive(Clone, Debug)]
pub(crate) enum Life {
    Open,
    /// No more requests; the goodbye may still be on its way.
    Closed(Error),
    /// The socket is gone.
    Ended(Error),
}

/// The right to make one request. It is used by making it; dropped, it goes to the next who
/// waits.
#[derive(Debug)]
pub(crate) struct Room(OwnedSemaphorePermit);

/// A handle on a connection. The connection closes when its last handle is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
    hello: HelloReply,
    address: Address,
    /// What a login is bound to; empty without TLS.
    binding: Vec<u8>,
    request_timeout_ms: u32,
}

/// What the handles and the driver share.
pub(crate) struct Shared {
    state: Mutex<State>,
    wire: Wire,
    /// Wakes the driver: something was queued, or the connection was closed.
    wake: Notify,
    /// One permit for each request that may be made.
    room: Arc<Semaphore>,
    life: watch::Sender<Life>,
    started: Instant,
    peer: String,
    runtime: Handle,
    events: EventSender,
}

struct State {
    connection: ClientConnection,
    /// Bounded by `room`.
    pending: HashMap<RequestId, OnReply>,
    /// Bounded by the server's limit of channels.
    routes: HashMap<u32, Arc<dyn Route>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic half-way through a change runs under it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Time {
        Time::from_nanos(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// Why there is no connection any more.
    fn closed_error(&self) -> Option<Error> {
        match &*self.life.borrow() {
            Life::Open => None,
            Life::Closed(error) | Life::Ended(error) => Some(never_sent(error)),
        }
    }

    fn close(&self, error: wire::Error) {
        self.life.send_if_modified(|life| {
            let open = matches!(life, Life::Open);
            if open {
                *life = Life::Closed(error.clone().into());
            }
            open
        });
        self.lock().connection.close(error);
        self.wake.notify_one();
    }
}

/// What a request gets that comes too late: nothing of it ran.
fn never_sent(why: &Error) -> Error {
    if why.code() == Code::CLOSED {
        return why.clone().with_disposition(Disposition::NONE);
    }
    Error::new(Code::DISCONNECTED, format!("there is no connection any more: {why}"))
        .with_disposition(Disposition::RETRIABLE.and(Disposition::RECONNECT))
}

impl Connection {
    /// Connects to `address` and shakes hands.
    pub(crate) async fn open(
        address: &Address,
        tls: Option<&Tls>,
        config: ClientConfig,
        login: &Login,
        request_timeout_ms: u32,
        events: &EventSender,
    ) -> Result<Self, Error> {
        let limit = Duration::from_millis(u64::from(config.connect_timeout_ms));
        let begun = Instant::now();
        let (reader, writer, binding) = transport::connect(address, tls, limit).await?;
        let left = limit.saturating_sub(begun.elapsed());
        let config = ClientConfig {
            connect_timeout_ms: u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1),
            authenticates: true,
            ..config
        };
        let (ready, hello) = oneshot::channel();
        let started = Instant::now();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                connection: ClientConnection::new(config, Time::ZERO),
                pending: HashMap::new(),
                routes: HashMap::new(),
            }),
            wire: Wire::new(writer),
            wake: Notify::new(),
            room: Arc::new(Semaphore::new(0)),
            life: watch::Sender::new(Life::Open),
            started,
            peer: address.to_string(),
            runtime: Handle::current(),
            events: events.clone(),
        });
        // Ends the driver if this future is dropped half-way.
        let guard = CloseOnDrop(&shared);
        tokio::spawn(driver::run(Arc::clone(&shared), reader, ready));
        let hello = match hello.await {
            Ok(Ok(hello)) => *hello,
            Ok(Err(error)) => return Err(handshake_error(address, limit, &error)),
            Err(_) => return Err(Error::new(Code::CONNECT_FAILED, "the runtime is stopping")),
        };
        let requests =
            hello.max_in_flight.min(tidewire_protocol::limits::MAX_IN_FLIGHT) as usize;
        if requests <= RESERVED_REQUESTS {
            return Err(Error::new(
                Code::MALFORMED_META,
                format!("{address} takes {requests} requests at once, too few to work with"),
            ));
        }
        std::mem::forget(guard);
        // From here on the connection closes when the handle is dropped.
        let connection = Self {
            shared: Arc::clone(&shared),
            hello,
            address: address.clone(),
            binding,
            request_timeout_ms,
        };
        if connection.hello.auth != 0 {
            let left_ms = limit.saturating_sub(begun.elapsed()).as_millis();
            let left_ms = u32::try_from(left_ms).unwrap_or(u32::MAX).max(1);
            login
                .run(&connection, &connection.hello, left_ms)
                .await
                .map_err(|error| handshake_error(address, limit, &error))?;
            shared.lock().connection.authenticated();
            // The replies gave back room that nobody had taken.
            shared.room.forget_permits(shared.room.available_permits());
        }
        let hello = &connection.hello;
        shared.room.add_permits(requests - RESERVED_REQUESTS);
        tracing::debug!(%address, server = hello.server_name, version = hello.server_version,
            "connected");
        Ok(connection)
    }

    /// Makes a request of the login, which needs no room.
    pub(crate) async fn authenticate<R: Request>(
        &self,
        request: &R,
        timeout_ms: u32,
    ) -> Result<R::Reply, Error> {
        let (sender, receiver) = oneshot::channel();
        let queued = {
            let now = self.shared.now();
            let mut state = self.shared.lock();
            let queued = state.connection.request(now, 0, request, &[], timeout_ms);
            if let Ok(id) = queued {
                state.pending.insert(id, Box::new(move |result| drop(sender.send(result))));
            }
            queued
        };
        if let Err(error) = queued {
            return Err(self.shared.closed_error().unwrap_or_else(|| error.into()));
        }
        self.shared.wake.notify_one();
        let frame = self.receive(receiver).await?;
        // Nothing was carried out that could be of unknown outcome.
        decode_reply::<R>(&frame).map_err(|error| error.with_disposition(Disposition::NONE))
    }

    /// What both ends of this connection know, and nobody in between: empty without TLS.
    pub(crate) fn binding(&self) -> &[u8] {
        &self.binding
    }

    /// What the server said of itself.
    pub(crate) fn hello(&self) -> &HelloReply {
        &self.hello
    }

    /// The server's address.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Time until an unanswered request fails, in milliseconds.
    pub(crate) fn request_timeout_ms(&self) -> u32 {
        self.request_timeout_ms
    }

    /// Room for a request, if there is some now.
    pub(crate) fn try_room(&self) -> Result<Option<Room>, Error> {
        match Arc::clone(&self.shared.room).try_acquire_owned() {
            Ok(permit) => Ok(Some(Room(permit))),
            Err(TryAcquireError::NoPermits) => Ok(None),
            Err(TryAcquireError::Closed) => Err(self.closed_error()),
        }
    }

    /// Waits for room for a request; an error if none can be made any more.
    pub(crate) async fn room(&self) -> Result<Room, Error> {
        let room = Arc::clone(&self.shared.room);
        room.acquire_owned().await.map(Room).map_err(|_| self.closed_error())
    }

    /// Whether `room` is room on this connection.
    pub(crate) fn owns(&self, room: &Room) -> bool {
        Arc::ptr_eq(room.0.semaphore(), &self.shared.room)
    }

    /// Queues a request; `on_reply` is called with its reply.
    ///
    /// # Errors
    /// Nothing was sent and `on_reply` will not be called.
    pub(crate) fn submit<R: Request>(
        &self,
        room: Room,
        channel: u32,
        request: &R,
        payload: &[Bytes],
        timeout_ms: u32,
        on_reply: impl FnOnce(Result<Frame, Error>) + Send + 'static,
    ) -> Result<(), Error> {
        let now = self.shared.now();
        let mut state = self.shared.lock();
        match state.connection.request(now, channel, request, payload, timeout_ms) {
            Ok(id) => {
                state.pending.insert(id, Box::new(on_reply));
                drop(state);
                // The driver gives it back with the reply.
                room.0.forget();
                self.shared.transmit();
                Ok(())
            }
            Err(error) => {
                drop(state);
                Err(self.shared.closed_error().unwrap_or_else(|| error.into()))
            }
        }
    }

    /// Makes a request as soon as there is room, and gives its reply by a channel.
    pub(crate) async fn start<R: Request>(
        &self,
        channel: u32,
        request: &R,
        timeout_ms: u32,
    ) -> Result<oneshot::Receiver<Result<Frame, Error>>, Error> {
        let room = self.room().await?;
        let (sender, receiver) = oneshot::channel();
        self.submit(room, channel, request, &[], timeout_ms, move |result| {
            // A receiver that is gone was dropped by a caller that has stopped waiting.
            drop(sender.send(result));
        })?;
        Ok(receiver)
    }

    /// Makes a request and waits for its reply.
    pub(crate) async fn request<R: Request>(
        &self,
        channel: u32,
        request: &R,
    ) -> Result<R::Reply, Error> {
        self.request_within(channel, request, self.request_timeout_ms).await.map(|(r, _)| r)
    }

    /// Makes a request and waits for its reply and payload, for at most `timeout_ms`.
    pub(crate) async fn request_within<R: Request>(
        &self,
        channel: u32,
        request: &R,
        timeout_ms: u32,
    ) -> Result<(R::Reply, Bytes), Error> {
        let receiver = self.start(channel, request, timeout_ms).await?;
        let frame = self.receive(receiver).await?;
        Ok((decode_reply::<R>(&frame)?, frame.payload))
    }

    /// Waits for the reply to a request that was started.
    pub(crate) async fn receive(
        &self,
        receiver: oneshot::Receiver<Result<Frame, Error>>,
    ) -> Result<Frame, Error> {
        // Without an answer the driver was dropped with its runtime.
        receiver.await.unwrap_or_else(|_| {
            Err(Error::new(Code::DISCONNECTED, "the runtime stopped before the reply came"))
        })
    }

    /// Makes a request whose reply is of no interest, now if there is room for it, else from a
    /// task of its own as soon as there is.
    pub(crate) fn request_and_forget<R>(self: &Arc<Self>, channel: u32, request: R)
    where
        R: Request + Send + Sync + 'static,
    {
        self.request_and_drop(channel, request, ());
    }

    /// As [`request_and_forget`](Self::request_and_forget); `until_answered` is dropped when the
    /// reply came, or when none will, at the latest when the request's time is over.
    pub(crate) fn request_and_drop<R, T>(
        self: &Arc<Self>,
        channel: u32,
        request: R,
        until_answered: T,
    ) where
        R: Request + Send + Sync + 'static,
        T: Send + 'static,
    {
        let timeout_ms = self.request_timeout_ms;
        match self.try_room() {
            Ok(Some(room)) => {
                let answered = move |_reply| drop(until_answered);
                // Where it fails the connection is gone, and with it the channel.
                let _ = self.submit(room, channel, &request, &[], timeout_ms, answered);
            }
            Ok(None) => {
                let connection = Arc::clone(self);
                self.shared.runtime.spawn(async move {
                    if let Ok(reply) = connection.start(channel, &request, timeout_ms).await {
                        let _ = connection.receive(reply).await;
                    }
                    drop(until_answered);
                });
            }
            Err(_) => {}
        }
    }

    /// Sends a message that is not answered. On a closed connection nothing happens: those who
    /// wait for its effect learn of the end in their own way.
    pub(crate) fn send_one_way<M: Message>(&self, channel: u32, message: &M) {
        let now = self.shared.now();
        let sent = self.shared.lock().connection.send_one_way(now, channel, message);
        match sent {
            Ok(()) => self.shared.transmit(),
            Err(error) => tracing::debug!(channel, %error, "a message could not be sent"),
        }
    }

    /// Sends the deliveries of `channel` to `route`.
    pub(crate) fn add_route(&self, channel: u32, route: Arc<dyn Route>) {
        self.shared.lock().routes.insert(channel, route);
    }

    /// Drops the deliveries of `channel` from now on.
    pub(crate) fn remove_route(&self, channel: u32) {
        let removed = self.shared.lock().routes.remove(&channel);
        drop(removed);
    }

    /// How far the connection has come, to wait on.
    pub(crate) fn life(&self) -> watch::Receiver<Life> {
        self.shared.life.subscribe()
    }

    /// Why no request can be made any more.
    pub(crate) fn closed_error(&self) -> Error {
        self.shared
            .closed_error()
            .unwrap_or_else(|| Error::new(Code::DISCONNECTED, "the connection is closing"))
    }

    /// Closes the connection and waits, for a bounded time, until the goodbye was sent.
    pub(crate) async fn close(&self) {
        self.shared.close(closed_by_caller());
        let mut life = self.life();
        let ended = life.wait_for(|life| matches!(life, Life::Ended(_)));
        // Past the limit the driver goes on by itself.
        let _ = tokio::time::timeout(Duration::from_millis(CLOSE_TIMEOUT_MS), ended).await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.close(closed_by_caller());
    }
}

struct CloseOnDrop<'a>(&'a Shared);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close(closed_by_caller());
    }
}

fn closed_by_caller() -> wire::Error {
    wire::Error::new(Code::CLOSED, "the client is closed")
}

/// Reads the reply to a request of type `R`. One that cannot be read leaves open what happened.
pub(crate) fn decode_reply<R: Request>(frame: &Frame) -> Result<R::Reply, Error> {
    ClientConnection::decode_reply::<R>(frame).map_err(|error| {
        Error::from(error)
            .about(format!("the server's reply to {} cannot be read", R::KIND))
            .with_disposition(Disposition::OUTCOME_UNKNOWN)
    })
}

fn handshake_error(address: &Address, limit: Duration, error: &Error) -> Error {
    match error.code() {
        Code::TIMEOUT => transport::timed_out(format!(
            "{address} took the connection but did not finish the handshake within {} ms; \
             is it a Tidewire server?",
            limit.as_millis()
        )),
        Code::DISCONNECTED => Error::new(
            Code::CONNECT_FAILED,
            format!("{address}: {error}; is it a Tidewire server?"),
        ),
        _ => error.clone().about(address),
    }
}

//! The way to a server, over as many connections as it takes.
//!
//! Owns the current connection and the task that makes the next one when it is lost, by the rules
//! of [`Reconnect`]; tells its users of both. A producer or consumer opens its channels anew on
//! each connection; requests of administration go through [`Link::request`] and [`Link::query`].
//!
//! The one invariant: a request that may change something is sent at most once, unless it is
//! certain that the earlier one was not carried out.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidewire_protocol::connection::{ClientConfig, Time};
use tidewire_protocol::error::Disposition;
use tidewire_protocol::message::Request;
use tidewire_protocol::session::{Backoff, Reconnect, Step};
use tidewire_protocol::url::Address;
use tokio::sync::{Notify, watch};

use crate::connection::{Connection, Life};
use crate::error::{Code, Error};
use crate::events::{Event, EventSender};
use crate::login::Login;
use crate::tls::Tls;

/// What a link is made with.
#[derive(Clone, Debug)]
pub(crate) struct LinkConfig {
    /// Servers to try, in order; at least one.
    pub addresses: Vec<Address>,
    /// Set where TLS is spoken.
    pub tls: Option<Tls>,
    pub connection: ClientConfig,
    pub login: Login,
    pub request_timeout_ms: u32,
    pub retry_backoff_ms: u32,
    pub retry_backoff_max_ms: u32,
}

/// Whether there is a connection.
#[derive(Clone, Debug)]
pub(crate) enum Status {
    /// There is. Another one later is another `Arc`.
    Up(Arc<Connection>),
    /// There was, and there will be.
    Down(Error),
    /// There will be none any more.
    Over(Error),
}

/// A handle on the way to a server. The connection closes when the last handle is dropped.
#[derive(Debug)]
pub(crate) struct Link {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: LinkConfig,
    status: watch::Sender<Status>,
    events: EventSender,
    last_channel: AtomicU32,
    started: Instant,
    /// Ends the task.
    ended: Notify,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.end(closed_by_caller());
    }
}

impl Shared {
    fn now(&self) -> Time {
        Time::from_nanos(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// Ends it, once; the connection that there was.
    fn end(&self, error: Error) -> Option<Arc<Connection>> {
        let mut last = None;
        self.status.send_if_modified(|status| {
            if matches!(status, Status::Over(_)) {
                return false;
            }
            if let Status::Up(connection) = std::mem::replace(status, Status::Over(error)) {
                last = Some(connection);
            }
            true
        });
        self.ended.notify_one();
        last
    }

    /// Replaces the status unless it is over; whether it did.
    fn set(&self, next: Status) -> bool {
        self.status.send_if_modified(|status| {
            let goes_on = !matches!(status, Status::Over(_));
            if goes_on {
                *status = next;
            }
            goes_on
        })
    }

    fn address(&self, server: usize) -> String {
        self.config.addresses[server].to_string()
    }

    fn backoff(&self) -> Backoff {
        let LinkConfig { retry_backoff_ms, retry_backoff_max_ms, .. } = self.config;
        Backoff::new(retry_backoff_ms, retry_backoff_max_ms, random_seed())
    }

    async fn open(&self, server: usize) -> Result<Connection, Error> {
        let LinkConfig { addresses, tls, connection, login, request_timeout_ms, .. } =
            &self.config;
        let address = &addresses[server];
        let (tls, connection) = (tls.as_ref(), connection.clone());
        Connection::open(address, tls, connection, login, *request_timeout_ms, &self.events)
            .await
    }
}

/// A seed that differs between clients, also of the same program started at the same time.
pub(crate) fn random_seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

fn closed_by_caller() -> Error {
    Error::new(Code::CLOSED, "the client is closed")
}

/// Whether an error says that another connection may do better.
fn is_of_connection(error: &Error) -> bool {
    error.disposition().has(Disposition::RECONNECT)
}

impl Link {
    /// Connects to the first server that can be used, trying each once.
    pub(crate) async fn connect(config: LinkConfig) -> Result<Arc<Self>, Error> {
        let mut errors = Vec::new();
        let shared = Arc::new(Shared {
            status: watch::Sender::new(Status::Down(closed_by_caller())),
            events: EventSender::default(),
            last_channel: AtomicU32::new(0),
            started: Instant::now(),
            ended: Notify::new(),
            config,
        });
        let mut reconnect = Reconnect::new(shared.config.addresses.len(), shared.backoff());
        while let Step::Connect { server, .. } = reconnect.step(shared.now()) {
            match shared.open(server).await {
                Ok(connection) => {
                    // The first connection decides which data the client works with.
                    let _ = reconnect.connected(shared.now(), connection.hello().server_id);
                    let life = connection.life();
                    shared.status.send_replace(Status::Up(Arc::new(connection)));
                    tokio::spawn(supervise(Arc::clone(&shared), reconnect, server, life));
                    return Ok(Arc::new(Self { shared }));
                }
                Err(error) => {
                    tracing::debug!(address = shared.address(server), %error, "not connected");
                    reconnect.failed(shared.now(), error.to_wire());
                    errors.push(error);
                }
            }
        }
        Err(summary(&shared.config.addresses, errors))
    }

    /// Whether there is a connection, to look at and wait on.
    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.shared.status.subscribe()
    }

    /// Where to tell and watch what happens.
    pub(crate) fn events(&self) -> &EventSender {
        &self.shared.events
    }

    /// Time until an unanswered request fails, in milliseconds.
    pub(crate) fn request_timeout_ms(&self) -> u32 {
        self.shared.config.request_timeout_ms
    }

    /// First and longest pause before what failed is tried again, in milliseconds.
    pub(crate) fn retry_backoff_ms(&self) -> (u32, u32) {
        (self.shared.config.retry_backoff_ms, self.shared.config.retry_backoff_max_ms)
    }

    /// The time, on the link's own clock.
    pub(crate) fn now(&self) -> Time {
        self.shared.now()
    }

    /// The moment of a time on the link's clock.
    pub(crate) fn instant(&self, time: Time) -> tokio::time::Instant {
        (self.shared.started + Duration::from_nanos(time.as_nanos())).into()
    }

    /// A number for a channel that no connection of this link has used before.
    pub(crate) fn new_channel(&self) -> u32 {
        self.shared.last_channel.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1)
    }

    /// Waits for a connection other than `not`.
    pub(crate) async fn connection(
        &self,
        not: Option<&Arc<Connection>>,
    ) -> Result<Arc<Connection>, Error> {
        let mut status = self.status();
        let found = status.wait_for(|status| match status {
            Status::Up(connection) => not.is_none_or(|not| !Arc::ptr_eq(not, connection)),
            Status::Down(_) => false,
            Status::Over(_) => true,
        });
        match found.await.as_deref() {
            Ok(Status::Up(connection)) => Ok(Arc::clone(connection)),
            Ok(Status::Over(error)) => Err(error.clone()),
            _ => Err(closed_by_caller()),
        }
    }

    /// Has `attempt` be made on a connection, and on the next where that one is lost, for as long
    /// in all as a request may take. It is given the milliseconds that are left.
    pub(crate) async fn attempt<T, F: Future<Output = Result<T, Error>>>(
        &self,
        attempt: impl Fn(Arc<Connection>, u32) -> F,
    ) -> Result<T, Error> {
        self.attempt_within(self.request_timeout_ms(), is_of_connection, attempt).await
    }

    /// The same within a time, and on the next connection only after an error that is `passing`.
    async fn attempt_within<T, F: Future<Output = Result<T, Error>>>(
        &self,
        timeout_ms: u32,
        passing: impl Fn(&Error) -> bool,
        attempt: impl Fn(Arc<Connection>, u32) -> F,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + Duration::from_millis(u64::from(timeout_ms));
        let mut last: Option<(Arc<Connection>, Error)> = None;
        loop {
            let found = self.connection(last.as_ref().map(|(connection, _)| connection));
            let connection = match within(deadline, found).await {
                Some(Ok(connection)) => connection,
                Some(Err(over)) => return Err(last.map_or(over, |(_, error)| error)),
                None => {
                    return Err(last.map_or_else(|| self.no_connection(timeout_ms), |l| l.1));
                }
            };
            match attempt(Arc::clone(&connection), ms_until(deadline)).await {
                Err(error) if passing(&error) => last = Some((connection, error)),
                result => return result,
            }
        }
    }

    /// Makes a request once there is a connection. It is made again only if it is certain that
    /// it was not carried out.
    ///
    /// # Errors
    /// If the connection is lost before the reply, the outcome is unknown.
    pub(crate) async fn request<R: Request>(&self, request: &R) -> Result<R::Reply, Error> {
        let (reply, _) = self.make(request, self.request_timeout_ms(), false).await?;
        Ok(reply)
    }

    /// Makes a request that changes nothing; again, if the connection is lost before the reply.
    pub(crate) async fn query<R: Request>(&self, request: &R) -> Result<R::Reply, Error> {
        let (reply, _) = self.query_within(request, self.request_timeout_ms()).await?;
        Ok(reply)
    }

    /// As [`Link::query`], within a time; the payload too.
    pub(crate) async fn query_within<R: Request>(
        &self,
        request: &R,
        timeout_ms: u32,
    ) -> Result<(R::Reply, Bytes), Error> {
        self.make(request, timeout_ms, true).await
    }

    async fn make<R: Request>(
        &self,
        request: &R,
        timeout_ms: u32,
        again: bool,
    ) -> Result<(R::Reply, Bytes), Error> {
        let passing =
            |error: &Error| is_of_connection(error) && (again || error.is_retriable());
        let ask = |connection: Arc<Connection>, left_ms| async move {
            connection.request_within(0, request, left_ms).await
        };
        self.attempt_within(timeout_ms, passing, ask).await
    }

    /// What a request gets that found no connection in time.
    fn no_connection(&self, timeout_ms: u32) -> Error {
        let why = match &*self.shared.status.borrow() {
            Status::Down(error) | Status::Over(error) => format!(": {error}"),
            Status::Up(_) => String::new(),
        };
        Error::new(
            Code::DISCONNECTED,
            format!("there was no connection for {timeout_ms} ms{why}"),
        )
        .with_disposition(Disposition::RETRIABLE.and(Disposition::RECONNECT))
    }

    /// Closes the connection for everyone, and waits until the goodbye was sent.
    pub(crate) async fn close(&self) {
        if let Some(connection) = self.shared.end(closed_by_caller()) {
            connection.close().await;
        }
    }
}

/// `None` if the time is up first.
async fn within<T>(deadline: Instant, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout_at(deadline.into(), future).await.ok()
}

/// Milliseconds that are left, at least one.
fn ms_until(deadline: Instant) -> u32 {
    let left = deadline.saturating_duration_since(Instant::now()).as_millis();
    u32::try_from(left).unwrap_or(u32::MAX).max(1)
}

/// The link's task: waits for the end of a connection, and makes the next.
async fn supervise(
    shared: Arc<Shared>,
    mut reconnect: Reconnect,
    mut server: usize,
    mut life: watch::Receiver<Life>,
) {
    let _over = OverOnDrop(&shared);
    loop {
        let lost = tokio::select! {
            ended = life.wait_for(|life| matches!(life, Life::Closed(_) | Life::Ended(_))) => {
                match ended.as_deref() {
                    Ok(Life::Closed(error) | Life::Ended(error)) => error.clone(),
                    _ => Error::new(Code::DISCONNECTED, "the connection is gone"),
                }
            }
            () = shared.ended.notified() => return,
        };
        if !shared.set(Status::Down(lost.clone())) {
            return;
        }
        let address = shared.address(server);
        tracing::info!(address, error = %lost, "disconnected");
        shared.events.tell(|| Event::Disconnected { address, error: lost });
        reconnect.lost(shared.now());
        let connection = tokio::select! {
            made = next_connection(&shared, &mut reconnect) => made,
            () = shared.ended.notified() => return,
        };
        let Some((next, connection)) = connection else {
            return;
        };
        server = next;
        life = connection.life();
        let address = shared.address(server);
        if !shared.set(Status::Up(Arc::new(connection))) {
            return;
        }
        tracing::info!(address, "connected again");
        shared.events.tell(|| Event::Connected { address });
    }
}

/// Tries until there is a connection; `None` if there will be none.
async fn next_connection(
    shared: &Shared,
    reconnect: &mut Reconnect,
) -> Option<(usize, Connection)> {
    loop {
        match reconnect.step(shared.now()) {
            Step::Wait(until) => {
                let until = shared.started + Duration::from_nanos(until.as_nanos());
                tokio::time::sleep_until(until.into()).await;
            }
            Step::Connect { server, attempt } => {
                let address = || shared.address(server);
                shared.events.tell(|| Event::Reconnecting { address: address(), attempt });
                let error = match shared.open(server).await {
                    Ok(connection) => {
                        let server_id = connection.hello().server_id;
                        match reconnect.connected(shared.now(), server_id) {
                            Ok(()) => return Some((server, connection)),
                            Err(error) => error,
                        }
                    }
                    Err(error) => {
                        let error = error.to_wire();
                        reconnect.failed(shared.now(), error.clone());
                        error
                    }
                };
                tracing::debug!(address = address(), attempt, %error, "not connected");
            }
            Step::Rest => return None,
            Step::GiveUp => {
                let failures =
                    reconnect.failures().iter().map(|(_, e)| Error::from(e.clone())).collect();
                let error = summary(&shared.config.addresses, failures);
                shared.events.tell(|| Event::GaveUp { error: error.clone() });
                shared.end(error);
                return None;
            }
        }
    }
}

/// Tells the users of a link whose task was dropped with its runtime.
struct OverOnDrop<'a>(&'a Shared);

impl Drop for OverOnDrop<'_> {
    fn drop(&mut self) {
        drop(self.0.end(Error::new(Code::DISCONNECTED, "the runtime of the client stopped")));
    }
}

/// One failure stands for itself; several are listed.
fn summary(addresses: &[Address], mut failures: Vec<Error>) -> Error {
    if failures.len() == 1
        && let Some(only) = failures.pop()
    {
        return only;
    }
    let first = failures.first().map_or(Code::CONNECT_FAILED, Error::code);
    let same = failures.iter().all(|error| error.code() == first);
    let list: Vec<String> = failures.iter().map(|error| format!("\n  {error}")).collect();
    let disposition =
        failures.iter().fold(Disposition::NONE, |all, error| all.and(error.disposition()));
    Error::new(
        if same { first } else { Code::CONNECT_FAILED },
        format!("none of {} servers could be used:{}", addresses.len(), list.concat()),
    )
    .with_disposition(disposition)
}

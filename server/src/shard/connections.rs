//! The connections that a shard accepted: sockets and tasks around [`Session`]s.
//!
//! Each connection has two tasks: one reads, one writes; a third keeps the time for all of them. They
//! end when the session is closed; the last thing written is what the session had left to say.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use tidewire_protocol::connection::{ReadPool, ServerConnection, Time};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits::{HANDSHAKE_TIMEOUT_MS, ServerLimit};

use super::READ_POOL_BYTES;
use super::core::Connected;
use super::shutting_down;
use super::timers::Timers;
use crate::clock::Clock;
use crate::message::{Answer, MovedConnection, Origin, ShardMessage};
use crate::rt::{self, Acceptor, Closer, Notify, Peer, ReadHalf, Shaken, WriteHalf};
use crate::session::Session;
use crate::shared::Router;
use crate::tls;
use crate::usage::Place;

/// Connections of a shard that are one too many and are told so, at the same time; others are
/// closed without a word.
const MAX_REFUSED: usize = 64;
/// How often the log tells of connections that were refused, in milliseconds.
const REFUSED_LOG_MS: u32 = 1_000;
/// Pause after an accept that failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time that a peer has to take the last bytes of a connection that is over, in milliseconds.
const LINGER_MS: u32 = 2_000;

/// All connections of a shard.
pub(super) struct Connections {
    /// For the tasks of a connection that another shard sends.
    own: Weak<Self>,
    router: Rc<Router>,
    by_id: RefCell<HashMap<u64, Rc<Connection>>>,
    /// Those that shake hands, for TLS.
    shaking: RefCell<HashMap<u64, Closer>>,
    next_id: Cell<u64>,
    /// Those that are being told that they are one too many.
    refused: Cell<usize>,
    /// When that was logged, and how many were refused since.
    refused_logged: Cell<(Option<Time>, u64)>,
    /// Those that would read but for these bytes.
    full: RefCell<Vec<Weak<Connection>>>,
    timers: Timers,
    /// What its connections read into.
    read_pool: RefCell<ReadPool>,
    stopping: Cell<bool>,
    /// Nothing waits for connections any more.
    closed: Cell<bool>,
    /// Set when the shard is told to stop, and when a connection is gone.
    changed: Notify,
}

struct Connection {
    id: u64,
    session: RefCell<Session>,
    connections: Rc<Connections>,
    clock: Clock,
    /// Its part of the shard's bytes in flight.
    in_flight_bytes: Cell<usize>,
    /// There may be something to write, or the end has come.
    writable: Notify,
    /// Reading may go on, or the end has come.
    readable: Notify,
    /// When it is to be looked at.
    armed: Cell<Option<Time>>,
    /// The end has come: at that time the socket is cut.
    ending: Cell<bool>,
    /// It goes to another shard: its tasks end, and the socket stays open.
    leaving: Cell<bool>,
    closer: Closer,
}

impl Connections {
    pub(super) fn new(router: Rc<Router>) -> Rc<Self> {
        Rc::new_cyclic(|own| Self {
            own: Weak::clone(own),
            router,
            by_id: RefCell::default(),
            shaking: RefCell::default(),
            next_id: Cell::new(1),
            refused: Cell::new(0),
            refused_logged: Cell::new((None, 0)),
            full: RefCell::default(),
            timers: Timers::default(),
            read_pool: RefCell::new(ReadPool::new(READ_POOL_BYTES)),
            stopping: Cell::new(false),
            closed: Cell::new(false),
            changed: Notify::default(),
        })
    }

    pub(super) fn changed(&self) -> &Notify {
        &self.changed
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.borrow().is_empty() && self.shaking.borrow().is_empty()
    }

    /// Has every connection finish what it accepted and close.
    pub(super) fn drain_all(&self, now: Time, error: &Error) {
        for connection in self.all() {
            connection.session.borrow_mut().drain(now, error);
            connection.touched();
        }
    }

    /// Cuts every connection that is left and waits until their tasks have ended.
    pub(super) async fn close_all(&self) {
        self.closed.set(true);
        for connection in self.all() {
            connection.closer.close();
        }
        self.shaking.borrow().values().for_each(Closer::close);
        while !self.is_empty() {
            self.changed.notified().await;
        }
        // Nobody waits for any time any more.
        self.timers.changed().notify();
    }

    fn all(&self) -> Vec<Rc<Connection>> {
        self.by_id.borrow().values().cloned().collect()
    }

    /// Takes note of what a connection has in flight, and has others read again if there is room.
    fn note_in_flight(&self, connection: &Connection) {
        let now = connection.session.borrow().in_flight_bytes();
        let before = connection.in_flight_bytes.replace(now);
        if before == now {
            return;
        }
        let in_flight_bytes = &self.router.in_flight_bytes;
        in_flight_bytes.set(in_flight_bytes.get() - before + now);
        if now == 0 {
            connection.session.borrow_mut().set_shard_full(false);
            connection.readable.notify();
        }
        if now < before && !self.full.borrow().is_empty() && self.has_room() {
            for waiting in self.full.take().iter().filter_map(Weak::upgrade) {
                waiting.session.borrow_mut().set_shard_full(false);
                waiting.readable.notify();
            }
        }
    }

    /// Whether the shard may take more payloads of those that have some in flight already. One
    /// that has none is always heard: whoever fills the shard does not shut others out.
    // SPEC F-5
    fn has_room(&self) -> bool {
        let most = self.router.shared.limits.get(ServerLimit::MaxShardInFlightBytes);
        (self.router.in_flight_bytes.get() as u64) < most
    }

    /// Tells of a connection that is one too many; a flood of them does not flood the log.
    fn log_refused(&self, peer: &Peer, error: &Error) {
        let now = self.router.shared.clock.now();
        let (logged, more) = self.refused_logged.get();
        if logged.is_some_and(|at| now < at.plus_ms(REFUSED_LOG_MS)) {
            self.refused_logged.set((logged, more + 1));
            return;
        }
        self.refused_logged.set((Some(now), 0));
        tracing::warn!(%peer, more_since_the_last = more, "refused a connection: {error}");
    }

    fn new_id(&self) -> u64 {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        id
    }

    /// Begins with TLS where that is asked for.
    fn accepted(self: &Rc<Self>, read: ReadHalf, write: WriteHalf, closer: Closer, peer: Peer) {
        let shared = &self.router.shared;
        let admission = match shared.usage.enter(&shared.limits, peer.source()) {
            Ok(place) => Admission::welcome(place),
            Err(error) => {
                self.log_refused(&peer, &error);
                if self.refused.get() >= MAX_REFUSED {
                    return closer.close();
                }
                Admission::refused(error, Refused::new(self))
            }
        };
        match (&shared.tls, peer) {
            (Some(tls), Peer::Tcp(address)) => {
                let io = Io { read, write, closer };
                self.shake_hands(tls.config(), io, address, admission);
            }
            (_, peer) => self.start(read, write, closer, peer, admission),
        }
    }

    fn shake_hands(
        self: &Rc<Self>,
        config: Arc<rustls::ServerConfig>,
        io: Io,
        address: SocketAddr,
        admission: Admission,
    ) {
        let Io { read, write, closer } = io;
        let id = self.new_id();
        self.shaking.borrow_mut().insert(id, closer);
        let connections = Rc::clone(self);
        // Not joined: `close_all` waits for the entry in `shaking` to go.
        let _ = rt::spawn(async move {
            let over = Rc::new(Notify::default());
            let shaking = rt::spawn({
                let over = Rc::clone(&over);
                async move {
                    let shaken = rt::shake_hands(read, write, config).await;
                    over.notify();
                    shaken
                }
            });
            let clock = connections.router.shared.clock;
            // As long as it has for the protocol's own, which follows.
            let deadline = clock.instant(clock.now().plus_ms(HANDSHAKE_TIMEOUT_MS));
            if rt::until(Some(deadline), over.notified()).await.is_none()
                && let Some(closer) = connections.shaking.borrow().get(&id)
            {
                closer.close();
            }
            let shaken = shaking.join().await;
            let closer = connections.shaking.borrow_mut().remove(&id);
            if let Some(closer) = closer.filter(|_| !connections.is_stopping()) {
                connections.shaken(shaken, closer, address, admission);
            }
            connections.changed.notify();
        });
    }

    fn shaken(
        self: &Rc<Self>,
        shaken: io::Result<Shaken>,
        closer: Closer,
        address: SocketAddr,
        admission: Admission,
    ) {
        match shaken {
            Ok(Shaken::Tls(read, write, facts)) => {
                let user = facts.certificate.as_ref().and_then(tls::user_of);
                let peer = Peer::Tls { address, user, binding: Box::new(facts.binding) };
                self.start(read, write, closer, peer, admission);
            }
            // Without TLS it would not understand why: it is told in its own words.
            Ok(Shaken::Plain(read, write)) => {
                let text = "this server speaks TLS only: its URL begins with tidewire+tls://";
                let admission = admission.or_refused(Error::new(Code::TLS_REQUIRED, text));
                self.start(read, write, closer, Peer::Tcp(address), admission);
            }
            Err(error) => {
                tracing::debug!(peer = %address, %error, "no TLS");
                closer.close();
            }
        }
    }

    /// Starts the tasks of a connection. One that is not welcome is told why, and ends.
    fn start(
        self: &Rc<Self>,
        read: ReadHalf,
        write: WriteHalf,
        closer: Closer,
        peer: Peer,
        admission: Admission,
    ) {
        let shared = &self.router.shared;
        let challenge = match shared.auth.challenge(&peer) {
            Ok(challenge) => challenge,
            Err(error) => {
                tracing::error!(%peer, %error, "refused a connection");
                return;
            }
        };
        let id = self.new_id();
        let now = shared.clock.now();
        let config = Arc::clone(&shared.protocol);
        let movable = !matches!(peer, Peer::Tls { .. }) && shared.inboxes.len() > 1;
        let protocol = match challenge {
            Some(challenge) => ServerConnection::with_challenge(config, now, challenge),
            None => ServerConnection::new(config, now),
        };
        let mut session = Session::new(protocol, Rc::clone(&self.router), id, peer);
        match &admission.error {
            Some(error) => session.refuse(now, error),
            None => session.begin(now),
        }
        if movable {
            session.allow_moving();
        }
        self.run(id, session, Io { read, write, closer }, admission);
    }

    /// Runs the tasks of a connection until it is over, or goes to another shard.
    fn run(self: &Rc<Self>, id: u64, session: Session, io: Io, admission: Admission) {
        let Io { read, write, closer } = io;
        let connection = Rc::new(Connection {
            id,
            session: RefCell::new(session),
            connections: Rc::clone(self),
            clock: self.router.shared.clock,
            in_flight_bytes: Cell::new(0),
            writable: Notify::default(),
            readable: Notify::default(),
            armed: Cell::new(None),
            ending: Cell::new(false),
            leaving: Cell::new(false),
            closer,
        });
        self.note_in_flight(&connection);
        connection.rearm();
        self.by_id.borrow_mut().insert(id, Rc::clone(&connection));
        let connections = Rc::clone(self);
        // Not joined: `close_all` waits for the entry in `by_id` to go.
        let _ = rt::spawn(async move {
            let reading = rt::spawn(read_loop(Rc::clone(&connection), read));
            write_loop(&connection, write).await;
            reading.join().await;
            connections.timers.arm(id, connection.armed.take(), None);
            connections.by_id.borrow_mut().remove(&id);
            connections.note_in_flight(&connection);
            connections.send_off(connection, admission);
            connections.changed.notify();
        });
    }

    /// Sends a connection whose tasks have ended to the shard that it wants to go to, if it does.
    fn send_off(&self, connection: Rc<Connection>, admission: Admission) {
        // Nobody else has it any more: it is in no list, and its tasks are gone.
        let Some(connection) = Rc::into_inner(connection) else { return };
        let session = connection.session.into_inner();
        let (Some(shard), false) = (session.destination(), session.is_closed()) else { return };
        match (connection.closer.socket(), session.pack(), admission.place) {
            (Ok(socket), Some(session), Some(place)) => {
                let moved = MovedConnection { socket, session, place };
                self.router.send(shard, ShardMessage::Connection(Box::new(moved)));
            }
            // The peer connects anew.
            (Err(error), ..) => tracing::warn!(%error, "a connection cannot move"),
            _ => {}
        }
    }
}

/// A socket that was accepted.
struct Io {
    read: ReadHalf,
    write: WriteHalf,
    closer: Closer,
}

/// Whether a connection may be there; its place is free again when this is dropped.
struct Admission {
    /// Why it may not stay.
    error: Option<Error>,
    place: Option<Place>,
    _refused: Option<Refused>,
}

impl Admission {
    fn welcome(place: Place) -> Self {
        Self { error: None, place: Some(place), _refused: None }
    }

    fn refused(error: Error, counted: Refused) -> Self {
        Self { error: Some(error), place: None, _refused: Some(counted) }
    }

    /// As it was if it was refused already, else refused for this.
    fn or_refused(self, error: Error) -> Self {
        Self { error: self.error.or(Some(error)), ..self }
    }
}

/// Counts those that are being refused.
struct Refused(Rc<Connections>);

impl Refused {
    fn new(connections: &Rc<Connections>) -> Self {
        connections.refused.set(connections.refused.get() + 1);
        Self(Rc::clone(connections))
    }
}

impl Drop for Refused {
    fn drop(&mut self) {
        self.0.refused.set(self.0.refused.get() - 1);
    }
}

impl Connected for Connections {
    fn answer(&self, now: Time, origin: Origin, answer: Answer) {
        let connection = self.by_id.borrow().get(&origin.connection).cloned();
        if let Some(connection) = connection {
            connection.session.borrow_mut().handle_answer(now, origin.token, answer);
            connection.touched();
        }
    }

    fn access_changed(&self, now: Time) {
        for connection in self.all() {
            connection.session.borrow_mut().access_changed(now);
            connection.touched();
        }
    }

    fn arrived(&self, now: Time, moved: MovedConnection) {
        // One that comes too late is closed, as those were that were here.
        let Some(connections) = self.own.upgrade().filter(|_| !self.closed.get()) else {
            return;
        };
        let MovedConnection { socket, session, place } = moved;
        let (read, write, closer) = match socket.open() {
            Ok(halves) => halves,
            Err(error) => return tracing::warn!(%error, "a connection could not move"),
        };
        let id = self.new_id();
        let mut session = Session::unpack(session, Rc::clone(&self.router), id, now);
        if self.is_stopping() {
            session.drain(now, &shutting_down());
        }
        connections.run(id, session, Io { read, write, closer }, Admission::welcome(place));
    }

    fn stop(&self) {
        self.stopping.set(true);
    }
}

impl Connection {
    /// The session was given something: whatever waits for it looks again.
    fn touched(&self) {
        self.connections.note_in_flight(self);
        self.writable.notify();
        self.readable.notify();
        self.rearm();
    }

    /// Has it looked at when something is due, if that is earlier than it will be; and soon after its
    /// end, when a peer that does not take the hint is cut.
    fn rearm(&self) {
        let next = {
            let session = self.session.borrow();
            if session.is_closed() { None } else { session.poll_timeout() }
        };
        if self.is_closed() {
            if !self.ending.replace(true) {
                self.readable.notify();
                self.writable.notify();
                self.arm(Some(self.clock.now().plus_ms(LINGER_MS)));
            }
        } else if next.is_some_and(|next| self.armed.get().is_none_or(|at| next < at)) {
            self.arm(next);
        }
    }

    fn arm(&self, next: Option<Time>) {
        self.connections.timers.arm(self.id, self.armed.replace(next), next);
    }

    /// Its time has come: tells the session, or cuts the socket of one that is over.
    fn handle_timeout(&self) {
        self.armed.set(None);
        if self.ending.get() {
            return self.closer.close();
        }
        self.session.borrow_mut().handle_timeout(self.clock.now());
        self.touched();
    }

    fn is_closed(&self) -> bool {
        self.session.borrow().is_closed()
    }

    fn release_read_buf(&self) {
        let mut pool = self.connections.read_pool.borrow_mut();
        self.session.borrow_mut().release_read_buf(&mut pool);
    }
}

/// Accepts until it is stopped.
pub(super) async fn accept(
    connections: Rc<Connections>,
    acceptor: Acceptor,
    stop: rt::CancelHandle,
) {
    while !connections.is_stopping() {
        match acceptor.accept(stop.clone()).await {
            Ok((read, write, closer, peer)) => connections.accepted(read, write, closer, peer),
            Err(_) if connections.is_stopping() => return,
            Err(error) => {
                // A peer that left early is no reason to wait; want of descriptors is.
                if error.kind() != io::ErrorKind::ConnectionAborted {
                    tracing::warn!(%error, "accept failed");
                    rt::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Reads until the peer closes its side. What arrives after the session's end is thrown away:
/// closing a socket with unread bytes would make the kernel throw away what we said last.
async fn read_loop(connection: Rc<Connection>, mut read: ReadHalf) {
    let mut ready = false;
    loop {
        let wanted = {
            let session = connection.session.borrow();
            session.wants_input() || session.is_closed()
        };
        if wanted
            && connection.in_flight_bytes.get() > 0
            && !connection.is_closed()
            && !connection.connections.has_room()
        {
            // Its silence is ours meanwhile.
            connection.session.borrow_mut().set_shard_full(true);
            connection.connections.full.borrow_mut().push(Rc::downgrade(&connection));
            connection.readable.notified().await;
            continue;
        }
        if !wanted {
            connection.readable.notified().await;
            continue;
        }
        // Thousands that were busy once do not each wait for more with a large buffer in hand; one
        // that is busy keeps its own.
        if !std::mem::replace(&mut ready, false)
            && connection.session.borrow().would_wait_with_much()
            && !read.has_bytes()
        {
            connection.release_read_buf();
            read.ready().await;
            ready = true;
            continue;
        }
        let buf = {
            let mut pool = connection.connections.read_pool.borrow_mut();
            connection.session.borrow_mut().take_read_buf(&mut pool)
        };
        let (result, buf) = read.read(buf).await;
        let now = connection.clock.now();
        let more = matches!(result, Ok(1..));
        {
            let mut session = connection.session.borrow_mut();
            session.handle_input(now, buf);
            if !more {
                session.handle_eof(now);
            }
        }
        connection.connections.note_in_flight(&connection);
        connection.writable.notify();
        connection.rearm();
        if !more {
            return;
        }
        if connection.session.borrow().destination().is_some() {
            connection.leaving.set(true);
            return;
        }
    }
}

/// Writes until the session is over and has nothing left to say, or the peer takes no more.
async fn write_loop(connection: &Connection, mut write: WriteHalf) {
    let mut parts = Vec::new();
    loop {
        let some = connection.session.borrow_mut().poll_transmit(&mut parts);
        if some {
            if write.write_all(&mut parts).await.is_err() {
                connection.closer.close();
                return;
            }
            // The queue has room again.
            connection.readable.notify();
        } else if connection.is_closed() {
            write.finish().await;
            connection.closer.close_write();
            return;
        } else if connection.leaving.get() {
            return write.leave();
        } else {
            connection.writable.notified().await;
        }
    }
}

/// Tells connections when their time has come.
pub(super) async fn keep_time(connections: Rc<Connections>) {
    let clock = connections.router.shared.clock;
    while !connections.closed.get() || !connections.by_id.borrow().is_empty() {
        let next = connections.timers.next().map(|time| clock.instant(time));
        if rt::until(next, connections.timers.changed().notified()).await.is_some() {
            continue;
        }
        for id in connections.timers.take_due(clock.now()) {
            let connection = connections.by_id.borrow().get(&id).cloned();
            if let Some(connection) = connection {
                connection.handle_timeout();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of what a call gives, which is never made.
    fn size<F>(_: impl FnOnce() -> F) -> usize {
        size_of::<F>()
    }

    fn any<T>() -> T {
        unreachable!("nothing is called")
    }

    /// What thousands of idle connections hold is this, their buffers, and little else.
    #[test]
    fn a_connection_is_small() {
        let reading = size(|| read_loop(any(), any()));
        let writing = size(|| write_loop(any::<&'static Connection>(), any()));
        let own = size_of::<Connection>();
        let all = own + reading + writing;
        assert!(all <= 1_920, "{own} + {reading} + {writing} bytes");
    }
}

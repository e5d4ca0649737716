//! The connections that a shard accepted: sockets and tasks around [`Session`]s.
//!
//! Each connection has three tasks: one reads, one writes, one keeps the time. They end when the
//! session is closed; the last thing written is what the session had left to say.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tidewire_protocol::connection::{ServerConnection, Time};
use tidewire_protocol::error::{Code, Error};

use super::core::Connected;
use crate::clock::Clock;
use crate::message::{Answer, Origin};
use crate::rt::{self, Acceptor, Closer, Notify, Peer, ReadHalf, Shaken, WriteHalf};
use crate::session::Session;
use crate::shared::Router;
use crate::tls;

/// Most connections of a shard.
const MAX_CONNECTIONS: usize = 10_000;
/// Pause after an accept that failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time that a peer has for its half of the handshake of TLS, in milliseconds.
const HANDSHAKE_TIMEOUT_MS: u32 = 10_000;
/// Time that a peer has to take the last bytes of a connection that is over.
const LINGER: Duration = Duration::from_secs(2);

/// All connections of a shard.
pub(super) struct Connections {
    router: Rc<Router>,
    by_id: RefCell<HashMap<u64, Rc<Connection>>>,
    /// Those that shake hands, for TLS.
    shaking: RefCell<HashMap<u64, Closer>>,
    next_id: Cell<u64>,
    stopping: Cell<bool>,
    /// Set when the shard is told to stop, and when a connection is gone.
    changed: Notify,
}

struct Connection {
    session: RefCell<Session>,
    clock: Clock,
    /// There may be something to write, or the end has come.
    writable: Notify,
    /// Reading may go on, or the end has come.
    readable: Notify,
    /// The next timeout may be earlier than before, or the end has come.
    timer: Notify,
    /// The time that the timer waits for.
    armed: Cell<Option<Time>>,
    /// Both directions have ended.
    finished: Cell<bool>,
    closer: Closer,
}

impl Connections {
    pub(super) fn new(router: Rc<Router>) -> Self {
        Self {
            router,
            by_id: RefCell::default(),
            shaking: RefCell::default(),
            next_id: Cell::new(1),
            stopping: Cell::new(false),
            changed: Notify::default(),
        }
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
        for connection in self.all() {
            connection.closer.close();
        }
        self.shaking.borrow().values().for_each(Closer::close);
        while !self.is_empty() {
            self.changed.notified().await;
        }
    }

    fn all(&self) -> Vec<Rc<Connection>> {
        self.by_id.borrow().values().cloned().collect()
    }

    fn len(&self) -> usize {
        self.by_id.borrow().len() + self.shaking.borrow().len()
    }

    fn new_id(&self) -> u64 {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        id
    }

    /// Begins with TLS where that is asked for.
    fn accepted(self: &Rc<Self>, read: ReadHalf, write: WriteHalf, closer: Closer, peer: Peer) {
        match (&self.router.shared.tls, peer) {
            (Some(tls), Peer::Tcp(address)) => {
                self.shake_hands(tls.config(), read, write, closer, address);
            }
            (_, peer) => self.start(read, write, closer, peer, true),
        }
    }

    fn shake_hands(
        self: &Rc<Self>,
        config: Arc<rustls::ServerConfig>,
        read: ReadHalf,
        write: WriteHalf,
        closer: Closer,
        address: SocketAddr,
    ) {
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
            let deadline = clock.instant(clock.now().plus_ms(HANDSHAKE_TIMEOUT_MS));
            if rt::until(Some(deadline), over.notified()).await.is_none()
                && let Some(closer) = connections.shaking.borrow().get(&id)
            {
                closer.close();
            }
            let shaken = shaking.join().await;
            let closer = connections.shaking.borrow_mut().remove(&id);
            if let Some(closer) = closer.filter(|_| !connections.is_stopping()) {
                connections.shaken(shaken, closer, address);
            }
            connections.changed.notify();
        });
    }

    fn shaken(
        self: &Rc<Self>,
        shaken: io::Result<Shaken>,
        closer: Closer,
        address: SocketAddr,
    ) {
        match shaken {
            Ok(Shaken::Tls(read, write, facts)) => {
                let user = facts.certificate.as_ref().and_then(tls::user_of);
                let peer = Peer::Tls { address, user, binding: facts.binding };
                self.start(read, write, closer, peer, true);
            }
            // Without TLS it would not understand why: it is told in its own words.
            Ok(Shaken::Plain(read, write)) => {
                self.start(read, write, closer, Peer::Tcp(address), false);
            }
            Err(error) => {
                tracing::debug!(peer = %address, %error, "no TLS");
                closer.close();
            }
        }
    }

    /// Starts the tasks of a connection. One that is not `welcome`, since it does not speak TLS
    /// where that is spoken, is told so and ends.
    fn start(
        self: &Rc<Self>,
        read: ReadHalf,
        write: WriteHalf,
        closer: Closer,
        peer: Peer,
        welcome: bool,
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
        let clock = shared.clock;
        let config = Arc::clone(&shared.protocol);
        let protocol = match challenge {
            Some(challenge) => ServerConnection::with_challenge(config, clock.now(), challenge),
            None => ServerConnection::new(config, clock.now()),
        };
        let mut session = Session::new(protocol, Rc::clone(&self.router), id, peer);
        if !welcome {
            let text = "this server speaks TLS only: its URL begins with tidewire+tls://";
            session.refuse(clock.now(), &Error::new(Code::TLS_REQUIRED, text));
        }
        let connection = Rc::new(Connection {
            session: RefCell::new(session),
            clock,
            writable: Notify::default(),
            readable: Notify::default(),
            timer: Notify::default(),
            armed: Cell::new(None),
            finished: Cell::new(false),
            closer,
        });
        self.by_id.borrow_mut().insert(id, Rc::clone(&connection));
        let connections = Rc::clone(self);
        // Not joined: `close_all` waits for the entry in `by_id` to go.
        let _ = rt::spawn(async move {
            let reading = rt::spawn(read_loop(Rc::clone(&connection), read));
            let timing = rt::spawn(time_loop(Rc::clone(&connection)));
            write_loop(&connection, write).await;
            reading.join().await;
            connection.finished.set(true);
            connection.timer.notify();
            timing.join().await;
            connections.by_id.borrow_mut().remove(&id);
            connections.changed.notify();
        });
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

    fn stop(&self) {
        self.stopping.set(true);
    }
}

impl Connection {
    /// The session was given something: whatever waits for it looks again.
    fn touched(&self) {
        self.writable.notify();
        self.readable.notify();
        self.rearm();
    }

    /// Wakes the timer if something is due earlier than it thinks.
    fn rearm(&self) {
        let session = self.session.borrow();
        let next = session.poll_timeout();
        if session.is_closed()
            || next.is_some_and(|next| self.armed.get().is_none_or(|at| next < at))
        {
            self.timer.notify();
        }
    }

    fn is_closed(&self) -> bool {
        self.session.borrow().is_closed()
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
            Ok((_, _, _, peer)) if connections.len() >= MAX_CONNECTIONS => {
                tracing::warn!(%peer, limit = MAX_CONNECTIONS, "refused: too many connections");
            }
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
    loop {
        let wanted = {
            let session = connection.session.borrow();
            session.wants_input() || session.is_closed()
        };
        if !wanted {
            connection.readable.notified().await;
            continue;
        }
        let buf = connection.session.borrow_mut().take_read_buf();
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
        connection.writable.notify();
        connection.rearm();
        if !more {
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
        } else {
            connection.writable.notified().await;
        }
    }
}

/// Tells the session when a time has come, and cuts the socket of one that is over when its peer
/// does not take the hint.
async fn time_loop(connection: Rc<Connection>) {
    while !connection.is_closed() {
        let next = connection.session.borrow().poll_timeout();
        connection.armed.set(next);
        let deadline = next.map(|time| connection.clock.instant(time));
        if rt::until(deadline, connection.timer.notified()).await.is_none() {
            connection.session.borrow_mut().handle_timeout(connection.clock.now());
            connection.writable.notify();
            connection.readable.notify();
        }
    }
    connection.readable.notify();
    connection.writable.notify();
    let deadline = connection.clock.instant(connection.clock.now()) + LINGER;
    while !connection.finished.get() {
        if rt::until(Some(deadline), connection.timer.notified()).await.is_none() {
            connection.closer.close();
            break;
        }
    }
}

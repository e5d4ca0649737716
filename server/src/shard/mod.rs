//! A shard: one pinned thread with one runtime, the partitions that it owns and the connections
//! that it accepted.
//!
//! One task carries out messages ([`Shard::work`]); each connection has tasks of its own that
//! only move bytes and queue messages. So a partition is touched from one place, appends that
//! arrive in one turn become one write, and no borrow is ever held across an await.

mod busy_poll;
mod connections;
mod core;
mod groups;
mod kept;
mod partitions;
mod timers;

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use flume::r#async::RecvStream;
use futures_core::Stream;
use tidewire_protocol::error::{Code, Error};
use tidewire_storage::disk::ServerDisk;

use crate::message::ShardMessage;
use crate::rt;
use crate::shared::{Arrived, Router, Shared};
use busy_poll::BusyPoll;
use connections::Connections;

#[cfg(feature = "sim")]
pub(crate) use self::core::Connected;
pub(crate) use self::core::Core;
pub(crate) use groups::StoredGroups;

/// Appends that came one at a time before a connection is worth moving: moving costs about as much
/// as the way to another shard and back.
pub(crate) const APPENDS_BEFORE_MOVING: u32 = 16;
/// Messages carried out before the partitions' queues are written, so that a group and the
/// latency of its first member stay bounded.
const TURN_MESSAGES: usize = 4_096;

/// Receive buffers that a shard keeps for use again, in bytes.
pub(crate) const READ_POOL_BYTES: usize = 8 << 20;

/// What a shard starts with.
pub(crate) struct Start {
    pub(crate) shard: usize,
    pub(crate) shared: Arc<Shared>,
    pub(crate) inbox: flume::Receiver<ShardMessage>,
    pub(crate) listener: std::net::TcpListener,
    /// A Unix socket beside it, on one shard.
    pub(crate) socket: Option<std::os::unix::net::UnixListener>,
    pub(crate) groups: StoredGroups,
}

/// Runs a shard on this thread until it is stopped.
pub(crate) fn run(mut start: Start, ready: flume::Sender<rt::Driver>) -> std::io::Result<()> {
    rt::pin_to_core(start.shard % std::thread::available_parallelism().map_or(1, usize::from));
    rt::run(move |driver| {
        let _ = ready.send(driver);
        drop(ready);
        async move { Shard::new(&mut start).serve(start).await }
    })?
}

/// Why a server that stops ends its connections.
fn shutting_down() -> Error {
    Error::new(Code::SHUTTING_DOWN, "the server is shutting down")
}

struct Shard {
    router: Rc<Router>,
    connections: Rc<Connections>,
    core: RefCell<Core<ServerDisk>>,
    busy_poll: Rc<BusyPoll>,
}

impl Shard {
    fn new(start: &mut Start) -> Self {
        let router = Rc::new(Router::new(Arc::clone(&start.shared), start.shard));
        Self {
            connections: Connections::new(Rc::clone(&router)),
            core: RefCell::new(Core::new(Rc::clone(&router), &mut start.groups)),
            busy_poll: Rc::new(BusyPoll::new(router.shared.busy_poll)),
            router,
        }
    }

    async fn serve(self, start: Start) -> std::io::Result<()> {
        let mut acceptors = vec![rt::Acceptor::new(start.listener)?];
        if let Some(socket) = start.socket {
            acceptors.push(rt::Acceptor::unix(socket)?);
        }
        let mut accepting = Vec::new();
        for acceptor in acceptors {
            let (stopper, cancel) = rt::accept_canceller();
            let connections = Rc::clone(&self.connections);
            let task = rt::spawn(connections::accept(connections, acceptor, cancel));
            accepting.push((stopper, task));
        }
        let timing = rt::spawn(connections::keep_time(Rc::clone(&self.connections)));
        let echo = Rc::clone(&self.busy_poll);
        let echo = rt::spawn(async move { echo.echo().await });
        let looking = rt::spawn({
            let (busy_poll, router) = (Rc::clone(&self.busy_poll), Rc::clone(&self.router));
            let inbox = start.inbox.clone();
            async move {
                let clock = router.shared.clock;
                let now = || clock.instant(clock.now());
                // What other threads send is seen by a shard that sleeps, or here.
                let look = |due: bool| {
                    if due || !inbox.is_empty() {
                        router.wake.notify()
                    }
                };
                busy_poll.run(now, look).await;
            }
        });
        let mut inbox = start.inbox.into_stream();
        self.core.borrow_mut().begin();
        self.work(&mut inbox, |shard| shard.connections.is_stopping()).await;

        self.busy_poll.stop();
        looking.join().await;
        echo.join().await;
        // Stopping: no new connections, no new requests; what was accepted is answered.
        for (stopper, task) in accepting {
            stopper.stop();
            task.join().await;
        }
        let now = self.router.shared.clock.now();
        self.connections.drain_all(now, &shutting_down());
        let shared = &self.router.shared;
        let deadline = shared.clock.instant(now.plus_ms(shared.drain_timeout_ms));
        let quiet = |shard: &Self| shard.connections.is_empty();
        if rt::until(Some(deadline), self.work(&mut inbox, quiet)).await.is_none() {
            tracing::warn!(shard = self.router.shard, "requests were cut off by the stop");
        }
        self.connections.close_all().await;
        timing.join().await;
        // Connections of other shards may still wait for partitions of this one; and a sync that
        // is under way must come back before its log can be closed.
        self.router.shared.drained();
        let over =
            |shard: &Self| shard.router.shared.is_drained() && !shard.core.borrow().is_busy();
        self.work(&mut inbox, over).await;
        self.core.borrow_mut().close_all();
        Ok(())
    }

    /// Carries out messages until `done`, sleeping while there are none.
    async fn work(
        &self,
        inbox: &mut RecvStream<'_, ShardMessage>,
        done: impl Fn(&Self) -> bool,
    ) {
        let mut batch = Vec::new();
        let mut alarm = rt::Alarm::default();
        loop {
            let connections = &*self.connections;
            while let Some(message) = self.router.pop_local() {
                self.core.borrow_mut().handle(message, connections);
            }
            for message in batch.drain(..) {
                self.core.borrow_mut().handle(message, connections);
            }
            self.core.borrow_mut().flush(connections);
            self.note_turn();
            if done(self) {
                return;
            }
            alarm.set(self.core.borrow().partitions_due());
            let due = self.core.borrow().groups_due();
            let messages = poll_fn(|context| {
                let woken = self.router.wake.poll(context).is_ready()
                    | self.connections.changed().poll(context).is_ready();
                while batch.len() < TURN_MESSAGES {
                    match Pin::new(&mut *inbox).poll_next(context) {
                        Poll::Ready(Some(message)) => batch.push(message),
                        Poll::Ready(None) | Poll::Pending => break,
                    }
                }
                let woken = alarm.poll(context).is_ready() | woken;
                if woken || !batch.is_empty() { Poll::Ready(()) } else { Poll::Pending }
            });
            if rt::until(due, messages).await.is_none() {
                self.core.borrow_mut().handle_timeout();
            }
        }
    }

    /// Tells what came since the last turn to who decides how to wait.
    fn note_turn(&self) {
        let Arrived { first, count, together } = self.router.arrived.take();
        let core = self.core.borrow();
        let clock = self.router.shared.clock;
        let now = || clock.instant(clock.now());
        if let Some(first) = first {
            let alone = count == 1 && !together;
            self.busy_poll.carried_out(clock.instant(first), now(), alone, core.is_syncing());
        }
        if self.router.answered.take() {
            self.busy_poll.answered(now());
        }
        self.busy_poll.expect(core.gathered_at());
        self.router.look.set(self.busy_poll.look());
    }
}

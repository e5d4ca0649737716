//! A shard: one pinned thread with one runtime, the partitions that it owns and the connections
//! that it accepted.
//!
//! One task carries out messages ([`Shard::work`]); each connection has tasks of its own that
//! only move bytes and queue messages. So a partition is touched from one place, appends that
//! arrive in one turn become one write, and no borrow is ever held across an await.

mod connections;
mod groups;
mod kept;
mod partitions;

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use flume::r#async::RecvStream;
use futures_core::Stream;
use tidewire_protocol::error::{Code, Error};

use crate::message::{Answer, Origin, ShardMessage};
use crate::rt;
use crate::shared::{Router, Shared};
use connections::Connections;
use groups::Groups;
use partitions::Partitions;

pub(crate) use groups::StoredGroups;

/// Messages carried out before the partitions' queues are written, so that a group and the
/// latency of its first member stay bounded.
const TURN_MESSAGES: usize = 4_096;

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

struct Shard {
    router: Rc<Router>,
    connections: Rc<Connections>,
    partitions: RefCell<Partitions>,
    groups: RefCell<Groups>,
}

impl Shard {
    fn new(start: &mut Start) -> Self {
        let router = Rc::new(Router::new(Arc::clone(&start.shared), start.shard));
        Self {
            connections: Rc::new(Connections::new(Rc::clone(&router))),
            partitions: RefCell::new(Partitions::new(Rc::clone(&router))),
            groups: RefCell::new(Groups::new(Rc::clone(&router), &mut start.groups)),
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
        let mut inbox = start.inbox.into_stream();
        self.partitions.borrow_mut().open_expiring();
        self.work(&mut inbox, |shard| shard.connections.is_stopping()).await;

        // Stopping: no new connections, no new requests; what was accepted is answered.
        for (stopper, task) in accepting {
            stopper.stop();
            task.join().await;
        }
        let now = self.router.shared.clock.now();
        let error = Error::new(Code::SHUTTING_DOWN, "the server is shutting down");
        self.connections.drain_all(now, &error);
        let shared = &self.router.shared;
        let deadline = shared.clock.instant(now.plus_ms(shared.drain_timeout_ms));
        let quiet = |shard: &Self| shard.connections.is_empty();
        if rt::until(Some(deadline), self.work(&mut inbox, quiet)).await.is_none() {
            tracing::warn!(shard = self.router.shard, "requests were cut off by the stop");
        }
        self.connections.close_all().await;
        // Connections of other shards may still wait for partitions of this one; and a sync that
        // is under way must come back before its log can be closed.
        self.router.shared.drained();
        let over = |shard: &Self| {
            shard.router.shared.is_drained()
                && !shard.partitions.borrow().is_busy()
                && !shard.groups.borrow().is_busy()
        };
        self.work(&mut inbox, over).await;
        self.partitions.borrow_mut().close_all();
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
            while let Some(message) = self.router.pop_local() {
                self.handle(message);
            }
            for message in batch.drain(..) {
                self.handle(message);
            }
            self.flush();
            if done(self) {
                return;
            }
            alarm.set(self.partitions.borrow().next_expiry());
            let due = self.groups.borrow().deadline();
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
                self.groups.borrow_mut().handle_timeout();
            }
        }
    }

    fn handle(&self, message: ShardMessage) {
        let mut partitions = self.partitions.borrow_mut();
        match message {
            ShardMessage::Partition { topic, partition, origin, request } => {
                partitions.request(&topic, partition, origin, request);
            }
            ShardMessage::Answer { origin, answer } => {
                drop(partitions);
                self.answer(origin, answer);
                return;
            }
            ShardMessage::Opened { id, result } => partitions.opened(id, *result),
            ShardMessage::Synced { id, outcome } => partitions.synced(id, outcome),
            ShardMessage::Fetched { id, outcome } => partitions.fetched(id, *outcome),
            ShardMessage::Trimmed { id, outcome } => partitions.trimmed(id, outcome),
            ShardMessage::TopicChanged(topic) => partitions.topic_changed(&topic),
            ShardMessage::Snapshot { id, outcome } => partitions.snapshot_written(id, outcome),
            ShardMessage::Group { origin, request } => {
                return self.groups.borrow_mut().request(origin, *request);
            }
            ShardMessage::GroupsWritten { result } => {
                return self.groups.borrow_mut().written(result);
            }
            ShardMessage::CatalogChanged => {
                return self.groups.borrow_mut().catalog_changed();
            }
            ShardMessage::AccessChanged => {
                drop(partitions);
                let now = self.router.shared.clock.now();
                return self.connections.access_changed(now);
            }
            ShardMessage::DropTopic { topic, name, done } => {
                partitions.drop_topic(topic, &name, done);
            }
            ShardMessage::Stop => {
                drop(partitions);
                self.connections.stop();
                return;
            }
            // Whoever waits for it looks again after every message.
            ShardMessage::Drained => {}
        }
        drop(partitions);
        self.deliver_answers();
    }

    /// Writes what the partitions and groups queued in this turn.
    fn flush(&self) {
        let mut partitions = self.partitions.borrow_mut();
        partitions.flush();
        partitions.expire();
        drop(partitions);
        self.deliver_answers();
        let answers = self.groups.borrow_mut().flush();
        for (origin, answer) in answers {
            self.answer(origin, answer);
        }
    }

    /// Hands on the answers that partitions gave.
    fn deliver_answers(&self) {
        let answers = self.partitions.borrow_mut().take_answers();
        let Some(mut answers) = answers else { return };
        for (origin, answer) in answers.drain(..) {
            self.answer(origin, answer);
        }
        self.partitions.borrow_mut().give_back(answers);
    }

    fn answer(&self, origin: Origin, answer: Answer) {
        if origin.shard == self.router.shard {
            let now = self.router.shared.clock.now();
            self.connections.answer(now, origin, answer);
        } else {
            self.router.send(origin.shard, ShardMessage::Answer { origin, answer });
        }
    }
}

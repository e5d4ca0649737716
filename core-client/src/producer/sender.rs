//! From the queue to the connection, and back with the acknowledgements.
//!
//! Owns the producer's channel on the server and the task that opens it on each connection and
//! keeps the deadlines. Whoever makes a batch ready (a full batch, a `send`, a reply that opens
//! the window) seals and sends it at once; the task is needed for lingering, for a connection
//! without room or none at all, and for the end. The one invariant: outcomes are told outside of
//! the queue's lock, and nothing that may take long is done under it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use tidewire_protocol::connection::Time;
use tidewire_protocol::error::Disposition;
use tidewire_protocol::frame::Frame;
use tidewire_protocol::message::{Acks, Append, CloseProducer};
use tidewire_protocol::name::TopicName;
use tidewire_protocol::session::{Backoff, Sending};
use tokio::sync::{Notify, watch};
use tokio::task::coop::consume_budget;

use super::open::{As, Opened, open};
use super::queue::Queue;
use super::stats::{CloseError, Unsent};
use super::ticket::Completion;
use crate::completion::CompletionQueue;
use crate::connection::{Connection, Room, decode_reply};
use crate::error::{Code, Error};
use crate::events::Event;
use crate::link::{Link, Status, random_seed};

/// Pauses before a channel that could not be opened is tried again, in milliseconds.
const REOPEN_MS: (u32, u32) = (50, 2_000);

/// An open channel on a connection.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub connection: Arc<Connection>,
    pub number: u32,
}

/// What a producer's handles, its task and its replies share.
#[derive(Debug)]
pub(super) struct Sender {
    link: Arc<Link>,
    pub(super) topic: TopicName,
    topic_id: u64,
    name: Option<String>,
    acks: Acks,
    /// Sealing is cheap enough for the task that moves the connection's bytes.
    seals_inline: bool,
    queue: Mutex<Queue>,
    completions: Option<CompletionQueue>,
    end: watch::Sender<End>,
    /// Wakes the task: a deadline came nearer, there is something to seal or send that others
    /// could not, or the end.
    wake: Notify,
    /// Wakes those who wait for room in the queue.
    space: Notify,
}

/// How the producer ends.
#[derive(Clone, Debug)]
enum End {
    /// Not yet.
    Open,
    /// Send what is queued, then close the channel.
    Closing,
    /// The channel is closed on the server, or why not.
    Over(Result<(), Error>),
}

/// What a look at the queue left undone.
#[derive(Clone, Copy, Debug, Default)]
struct Left {
    /// The connection had no room.
    blocked: bool,
    /// There is something to seal.
    to_seal: bool,
}

type Opening = Pin<Box<dyn Future<Output = (Arc<Connection>, Result<Opened, Error>)> + Send>>;

impl Sender {
    pub(super) fn new(
        link: Arc<Link>,
        topic: TopicName,
        topic_id: u64,
        name: Option<String>,
        acks: Acks,
        seals_inline: bool,
        queue: Queue,
    ) -> Self {
        let completions = queue.completions.as_ref().map(|to| to.queue.clone());
        Self {
            link,
            topic,
            topic_id,
            name,
            acks,
            seals_inline,
            queue: Mutex::new(queue),
            completions,
            end: watch::Sender::new(End::Open),
            wake: Notify::new(),
            space: Notify::new(),
        }
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Time {
        self.link.now()
    }

    /// Does something to the queue, and tells what came of it.
    fn with_queue<R>(&self, act: impl FnOnce(&mut Queue, &mut Vec<Arc<Completion>>) -> R) -> R {
        let mut woken = Vec::new();
        let mut throttled = Vec::new();
        let (result, sooner) = {
            let mut queue = self.queue();
            let result = act(&mut queue, &mut woken);
            queue.collect(&mut woken, |partition, error| throttled.push((partition, error)));
            let due = queue.session.poll_timeout();
            (result, due.is_some_and(|due| queue.armed.is_none_or(|armed| due < armed)))
        };
        self.notify_queue();
        for completion in &woken {
            completion.wake();
        }
        if !woken.is_empty() {
            self.space.notify_waiters();
        }
        for (partition, error) in throttled {
            tracing::debug!(topic = %self.topic, partition, %error, "refused for now");
            let topic = || self.topic.to_string();
            self.link.events().tell(|| Event::Throttled { topic: topic(), partition, error });
        }
        if sooner || !woken.is_empty() && matches!(*self.end.borrow(), End::Closing) {
            self.wake.notify_one();
        }
        result
    }

    /// Calls the completion queue's wake-up if something was settled into it.
    pub(super) fn notify_queue(&self) {
        if let Some(completions) = &self.completions {
            completions.notify();
        }
    }

    /// Waits until there is room in the completion queue, if there is one.
    async fn drained(&self) {
        match &self.completions {
            Some(completions) => completions.space().notified().await,
            None => std::future::pending().await,
        }
    }

    /// Has the task look at the deadlines again.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until the queue takes a record.
    pub(super) async fn ready(&self) -> Result<(), Error> {
        // With an empty queue nothing below waits; the runtime's other tasks, the connection's
        // among them, need their turn.
        consume_budget().await;
        loop {
            let mut space = pin!(self.space.notified());
            let mut drained = pin!(self.drained());
            // Registered before looking, so that no room is missed that comes in between.
            space.as_mut().enable();
            let registered =
                std::future::poll_fn(|cx| Poll::Ready(drained.as_mut().poll(cx))).await;
            if registered.is_ready() {
                continue;
            }
            if self.queue().has_room()? {
                return Ok(());
            }
            tokio::select! {
                () = space => {}
                () = drained => {}
            }
        }
    }

    /// Seals and sends what may be.
    pub(super) fn pump(self: &Arc<Self>) {
        if self.go_on(None, true).blocked {
            // The task waits for room.
            self.wake();
        }
    }

    /// Sends what may be sent, the first batch into `room` if there is some already; seals what
    /// is to be sealed if it may.
    fn go_on(self: &Arc<Self>, mut room: Option<Room>, may_seal: bool) -> Left {
        loop {
            let (blocked, job, to_seal) = self.with_queue(|queue, _| {
                let blocked = self.send_ready(queue, &mut room);
                let job = if may_seal { queue.next_job() } else { None };
                (blocked, job, !may_seal && queue.has_job())
            });
            let Some(mut job) = job else {
                return Left { blocked, to_seal };
            };
            job.seal();
            self.with_queue(|queue, _| queue.finish(job));
        }
    }

    /// Whether the connection had no room for the rest.
    fn send_ready(self: &Arc<Self>, queue: &mut Queue, room: &mut Option<Room>) -> bool {
        let now = self.now();
        let Some(Channel { connection, number }) = queue.channel.clone() else {
            return false;
        };
        while queue.session.has_send(now) {
            let room = match room.take().filter(|room| connection.owns(room)) {
                Some(room) => Ok(room),
                None => match connection.try_room() {
                    Ok(Some(room)) => Ok(room),
                    Ok(None) => return true,
                    Err(error) => Err(error),
                },
            };
            let Some(sending) = queue.session.poll_send(now) else {
                return false;
            };
            let attempt = sending.attempt;
            let submitted =
                room.and_then(|room| self.submit(&connection, number, room, sending));
            if let Err(error) = submitted {
                queue.answered(now, attempt, Err(error.to_wire()));
            }
        }
        false
    }

    fn submit(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        channel: u32,
        room: Room,
        sending: Sending,
    ) -> Result<(), Error> {
        let Sending { attempt, partition, bytes, records, .. } = sending;
        let sender = Arc::downgrade(self);
        connection.submit(
            room,
            channel,
            &Append { partition, acks: self.acks },
            std::slice::from_ref(&bytes),
            // Its deadline is kept by the session: a batch that is late is not given up.
            0,
            move |reply| answered(&sender, attempt, reply),
        )?;
        tracing::debug!(topic = %self.topic, partition, records, bytes = bytes.len(),
            "batch sent");
        Ok(())
    }

    /// Sends all that is enqueued, without lingering and without waiting.
    pub(super) fn expedite(self: &Arc<Self>) {
        self.queue().expedite();
        self.pump();
    }

    /// Waits until all that was enqueued before has its outcome; the first failure.
    pub(super) async fn flush(self: &Arc<Self>) -> Result<(), Error> {
        let batches = self.queue().flush();
        self.pump();
        let mut first = None;
        for batch in batches {
            batch.settled().await;
            first = first.or_else(|| batch.error());
        }
        // A failure of before is older than those just waited for.
        let earlier = self.queue().take_failure();
        match earlier.or(first) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Takes no more records, flushes, and closes the channel; within `limit`, if there is one.
    pub(super) async fn close(
        self: &Arc<Self>,
        limit: Option<Duration>,
    ) -> Result<(), CloseError> {
        self.queue().close(closed(&self.topic));
        self.space.notify_waiters();
        let batches = self.queue().flush();
        self.pump();
        let all_settled = async {
            for batch in &batches {
                batch.settled().await;
            }
        };
        match limit {
            Some(limit) => {
                if tokio::time::timeout(limit, all_settled).await.is_err() {
                    let ms = limit.as_millis();
                    let text =
                        format!("the producer for {} was closed within {ms} ms", self.topic);
                    self.fail(&Error::new(Code::TIMEOUT, text));
                    // Those that are being sealed right now.
                    for batch in &batches {
                        batch.settled().await;
                    }
                }
            }
            None => all_settled.await,
        }
        let earlier = self.queue().take_failure();
        let first = earlier.or_else(|| batches.iter().find_map(|batch| batch.error()));
        self.begin_end();
        let mut end = self.end.subscribe();
        let closed = match end.wait_for(|end| matches!(end, End::Over(_))).await.as_deref() {
            Ok(End::Over(result)) => result.clone(),
            _ => Ok(()),
        };
        match first.or_else(|| closed.err()) {
            Some(error) => Err(CloseError { error, partitions: unsent(&batches) }),
            None => Ok(()),
        }
    }

    /// Ends everything with this reason.
    fn fail(&self, error: &Error) {
        self.with_queue(|queue, woken| queue.fail(error, woken));
        self.space.notify_waiters();
        self.wake();
    }

    /// The last handle is gone: what was enqueued is still sent.
    pub(super) fn abandon(&self) {
        {
            let mut queue = self.queue();
            queue.close(closed(&self.topic));
            queue.flush();
        }
        self.begin_end();
    }

    fn begin_end(&self) {
        self.end.send_if_modified(|end| {
            let open = matches!(end, End::Open);
            if open {
                *end = End::Closing;
            }
            open
        });
        self.wake();
    }

    /// The producer's task: keeps its channel open and its deadlines until the producer ends.
    pub(super) async fn run(self: Arc<Self>) {
        let over = OverOnDrop(&self);
        let mut status = self.link.status();
        let mut room = None;
        let mut opening: Option<Opening> = None;
        let mut backoff = Backoff::new(REOPEN_MS.0, REOPEN_MS.1, random_seed());
        let mut reopen_at: Option<Time> = None;
        let mut anew = random_seed();
        loop {
            let now = self.now();
            match status.borrow_and_update().clone() {
                Status::Up(connection) => {
                    let due = reopen_at.is_none_or(|at| at <= now);
                    if opening.is_none()
                        && due
                        && let Some(who) = self.what_to_open(&connection, anew)
                    {
                        reopen_at = None;
                        opening = Some(self.open(connection, who));
                    }
                }
                Status::Down(_) => {
                    opening = None;
                    self.disconnected();
                }
                Status::Over(error) => {
                    self.fail(&error);
                    return over.with(Err(error));
                }
            }
            let deadline = self.with_queue(|queue, _| {
                let next = queue.expire(now);
                queue.armed = next;
                next
            });
            let left = self.go_on(room.take(), true);
            if matches!(*self.end.borrow(), End::Closing) && self.queue().flush().is_empty() {
                return over.with(self.close_channel().await);
            }
            let fatal = self.queue().session.fatal().is_some();
            let channel = self.queue().channel.clone();
            let deadline = [deadline, reopen_at].into_iter().flatten().min();
            let sleep = async {
                match deadline {
                    Some(deadline) => {
                        tokio::time::sleep_until(self.link.instant(deadline)).await;
                    }
                    None => std::future::pending().await,
                }
            };
            let opened = async {
                match &mut opening {
                    Some(opening) => opening.await,
                    None => std::future::pending().await,
                }
            };
            let more_room = async {
                match &channel {
                    // Kept until it is used: given back, it would go to another who waits, who
                    // would give it back in turn.
                    Some(channel) if left.blocked => channel.connection.room().await.ok(),
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.wake.notified() => {}
                () = sleep => {}
                found = more_room => room = found,
                _ = status.changed() => {}
                (connection, result) = opened, if !fatal => {
                    opening = None;
                    match result {
                        Ok(opened) => {
                            backoff.reset();
                            anew = random_seed();
                            if let Err(error) = self.opened(connection, opened) {
                                self.fail(&error);
                            }
                        }
                        Err(error) if may_pass(&error) => {
                            tracing::debug!(topic = %self.topic, %error, "not opened");
                            reopen_at = Some(self.now().plus_ms(backoff.next_ms()));
                        }
                        Err(error) => self.fail(&error),
                    }
                }
            }
        }
    }

    /// Whether a channel has to be opened on this connection, and as whom.
    fn what_to_open(&self, connection: &Arc<Connection>, anew: u64) -> Option<As> {
        let queue = self.queue();
        if queue.session.fatal().is_some() {
            return None;
        }
        let here = queue
            .channel
            .as_ref()
            .is_some_and(|channel| Arc::ptr_eq(&channel.connection, connection));
        if queue.session.wants_identity() {
            // An opening that was lost with its connection may have made the old one be fenced.
            return Some(As::New(anew));
        }
        (!here).then(|| As::Resumed(queue.session.identity()))
    }

    fn open(&self, connection: Arc<Connection>, who: As) -> Opening {
        let (topic, number) = (self.topic.clone(), self.link.new_channel());
        let name = self.name.clone();
        Box::pin(async move {
            let left_ms = connection.request_timeout_ms();
            let result = open(&connection, number, &topic, name.as_deref(), who, left_ms).await;
            (connection, result)
        })
    }

    /// A channel was opened: batches go there from now on.
    fn opened(
        self: &Arc<Self>,
        connection: Arc<Connection>,
        opened: Opened,
    ) -> Result<(), Error> {
        if opened.topic_id != self.topic_id {
            let text =
                format!("{} was deleted, and another created under its name", self.topic);
            return Err(Error::new(Code::TOPIC_NOT_FOUND, text));
        }
        let before = self.with_queue(|queue, _| {
            let before = queue.channel.take();
            if opened.resumed {
                queue.session.handle_connected();
            } else {
                tracing::warn!(topic = %self.topic, "the producer goes on as another");
                queue.session.renew(opened.identity);
                queue.session.handle_connected();
            }
            queue.channel = Some(Channel { connection, number: opened.channel });
            before
        });
        if let Some(Channel { connection, number }) = before {
            connection.request_and_forget(number, CloseProducer {});
        }
        Ok(())
    }

    fn disconnected(&self) {
        let now = self.now();
        self.with_queue(|queue, _| {
            if queue.channel.take().is_some() {
                queue.session.handle_disconnected(now);
            }
        });
    }

    async fn close_channel(&self) -> Result<(), Error> {
        let Some(Channel { connection, number }) = self.queue().channel.take() else {
            return Ok(());
        };
        let closed = connection.request(number, &CloseProducer {}).await;
        if let Err(error) = &closed {
            // The server closes it with the connection, or has forgotten it: nothing is lost.
            tracing::debug!(topic = %self.topic, %error, "not closed on the server");
        }
        Ok(())
    }
}

/// A batch's reply came.
fn answered(
    sender: &Weak<Sender>,
    attempt: tidewire_protocol::session::Attempt,
    reply: Result<Frame, Error>,
) {
    let Some(sender) = sender.upgrade() else {
        return;
    };
    let outcome = reply.and_then(|frame| decode_reply::<Append>(&frame));
    let outcome = outcome.map_err(|error| error.to_wire());
    let now = sender.now();
    sender.with_queue(|queue, _| queue.answered(now, attempt, outcome));
    let left = sender.go_on(None, sender.seals_inline);
    if left.blocked || left.to_seal || sender.queue().session.wants_identity() {
        sender.wake();
    }
}

/// Whether opening a channel may succeed later, or on another connection.
fn may_pass(error: &Error) -> bool {
    const BITS: [Disposition; 3] =
        [Disposition::RETRIABLE, Disposition::RECONNECT, Disposition::OUTCOME_UNKNOWN];
    BITS.iter().any(|bit| error.disposition().has(*bit))
}

/// What was not acknowledged, by partition.
fn unsent(batches: &[Arc<Completion>]) -> Vec<Unsent> {
    let mut all = std::collections::BTreeMap::new();
    for batch in batches {
        let Some(error) = batch.error() else {
            continue;
        };
        let partition = batch.partition();
        let unsent = all.entry(partition).or_insert(Unsent {
            partition,
            failed_records: 0,
            unknown_records: 0,
        });
        match error.is_outcome_unknown() {
            true => unsent.unknown_records += u64::from(batch.failed_records()),
            false => unsent.failed_records += u64::from(batch.failed_records()),
        }
    }
    all.into_values().collect()
}

/// Ends the producer whatever ends its task, even its runtime.
struct OverOnDrop<'a>(&'a Sender);

impl OverOnDrop<'_> {
    fn with(self, result: Result<(), Error>) {
        self.0.end.send_replace(End::Over(result));
    }
}

impl Drop for OverOnDrop<'_> {
    fn drop(&mut self) {
        if matches!(*self.0.end.borrow(), End::Over(_)) {
            return;
        }
        self.0.fail(&Error::new(Code::DISCONNECTED, "the runtime of the client stopped"));
        let error = Error::new(Code::CLOSED, "the runtime stopped");
        self.0.end.send_replace(End::Over(Err(error)));
    }
}

fn closed(topic: &TopicName) -> Error {
    Error::new(Code::CLOSED, format!("the producer for {topic} is closed"))
}

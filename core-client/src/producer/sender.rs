//! From the queue to the connection, and back with the acknowledgements.
//!
//! Owns the producer's channel on the server and the task that keeps its deadlines. Whoever makes
//! a batch ready (a full batch, a `send`, a reply that opens the window) sends it at once; the
//! task is needed for lingering, for a connection without room, and for the end. The one
//! invariant: every completion is settled exactly once, outside of the queue's lock.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tidewire_protocol::frame::Frame;
use tidewire_protocol::message::{Acks, Append, CloseProducer};
use tidewire_protocol::name::TopicName;
use tokio::sync::{Notify, watch};
use tokio::task::coop::consume_budget;

use super::queue::{Queue, Sealed, Settled};
use crate::connection::{Connection, Life, Room, decode_reply};
use crate::error::{Code, Error};
use crate::link::Link;

/// What a producer's handles, its task and its replies share.
#[derive(Debug)]
pub(super) struct Sender {
    /// Keeps the connection.
    _link: Arc<Link>,
    pub(super) connection: Arc<Connection>,
    pub(super) topic: TopicName,
    channel: u32,
    acks: Acks,
    queue: Mutex<Queue>,
    end: watch::Sender<End>,
    /// Wakes the task: a deadline came nearer, or the end.
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

impl Sender {
    pub(super) fn new(
        link: Arc<Link>,
        connection: Arc<Connection>,
        topic: TopicName,
        channel: u32,
        acks: Acks,
        queue: Queue,
    ) -> Self {
        Self {
            _link: link,
            connection,
            topic,
            channel,
            acks,
            queue: Mutex::new(queue),
            end: watch::Sender::new(End::Open),
            wake: Notify::new(),
            space: Notify::new(),
        }
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
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
            // Registered before looking, so that no room is missed that comes in between.
            space.as_mut().enable();
            if self.queue().has_room()? {
                return Ok(());
            }
            space.await;
        }
    }

    /// Sends what may be sent.
    pub(super) fn pump(self: &Arc<Self>) {
        if self.send_ready(None) {
            // The task waits for room.
            self.wake();
        }
    }

    /// Sends what may be sent, the first batch into `room` if there is some already; whether the
    /// connection had no room for the rest.
    fn send_ready(self: &Arc<Self>, mut room: Option<Room<'_>>) -> bool {
        let mut queue = self.queue();
        while let Some(batch) = queue.next_send() {
            let settled = batch.settled();
            let found = match room.take() {
                Some(room) => Ok(Some(room)),
                None => self.connection.try_room(),
            };
            let submitted = match found {
                Ok(Some(room)) => self.submit(room, &batch, settled),
                Ok(None) => {
                    queue.put_back(batch);
                    return true;
                }
                Err(error) => Err(error),
            };
            if let Err(error) = submitted {
                queue.put_back(batch);
                drop(queue);
                self.fail_unsent(&error);
                return false;
            }
        }
        false
    }

    fn submit(
        self: &Arc<Self>,
        room: Room<'_>,
        batch: &Sealed,
        settled: Settled,
    ) -> Result<(), Error> {
        let sender = Arc::clone(self);
        let Sealed { partition, bytes, records, .. } = batch;
        self.connection.submit(
            room,
            self.channel,
            &Append { partition: *partition, acks: self.acks },
            std::slice::from_ref(bytes),
            self.connection.request_timeout_ms(),
            move |reply| sender.settle(&settled, reply),
        )?;
        tracing::debug!(topic = %self.topic, partition, records, bytes = bytes.len(),
            "batch sent");
        Ok(())
    }

    /// A batch's reply came.
    fn settle(self: &Arc<Self>, batch: &Settled, reply: Result<Frame, Error>) {
        let outcome = reply.and_then(|frame| decode_reply::<Append>(&frame));
        let failed = outcome.is_err();
        {
            // Under one lock, so that a flush finds the batch or its failure.
            let mut queue = self.queue();
            batch.completion.settle(outcome);
            queue.settle(batch, failed);
        }
        batch.completion.wake();
        self.space.notify_waiters();
        self.pump();
        if matches!(*self.end.borrow(), End::Closing) {
            self.wake();
        }
    }

    /// Nothing can be sent any more: fails what waits, and what would come.
    fn fail_unsent(&self, error: &Error) {
        let unsent = {
            let mut queue = self.queue();
            queue.close(error.clone());
            let unsent = queue.take_unsent();
            for batch in &unsent {
                batch.completion.settle(Err(error.clone()));
                queue.settle(batch, true);
            }
            unsent
        };
        for batch in unsent {
            batch.completion.wake();
        }
        self.space.notify_waiters();
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

    /// Takes no more records, flushes, and closes the channel.
    pub(super) async fn close(self: &Arc<Self>) -> Result<(), Error> {
        self.queue().close(closed(&self.topic));
        self.space.notify_waiters();
        let flushed = self.flush().await;
        self.begin_end();
        let mut end = self.end.subscribe();
        let closed = match end.wait_for(|end| matches!(end, End::Over(_))).await.as_deref() {
            Ok(End::Over(result)) => result.clone(),
            _ => Ok(()),
        };
        flushed.and(closed)
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

    /// The producer's task: keeps deadlines until the producer ends.
    pub(super) async fn run(self: Arc<Self>) {
        let over = OverOnDrop(&self);
        let mut life = self.connection.life();
        let mut room = None;
        loop {
            let deadline = self.queue().expire(Instant::now());
            let blocked = self.send_ready(room.take());
            let closing = matches!(*self.end.borrow(), End::Closing);
            if closing && self.queue().flush().is_empty() {
                let closed = self.connection.request(self.channel, &CloseProducer {}).await;
                if let Err(error) = &closed {
                    tracing::debug!(topic = %self.topic, %error, "not closed on the server");
                }
                return over.with(closed.map(drop));
            }
            let sleep = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.wake.notified() => {}
                () = sleep => {}
                // Kept until it is used: given back, it would go to another who waits, who
                // would give it back in turn. Its error is that of `life`.
                found = self.connection.room(), if blocked => room = found.ok(),
                _ = life.wait_for(|life| !matches!(life, Life::Open)) => {
                    let error = self.connection.closed_error();
                    self.fail_unsent(&error);
                    return over.with(Err(error));
                }
            }
        }
    }
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
        self.0.end.send_if_modified(|end| {
            let running = !matches!(end, End::Over(_));
            if running {
                *end = End::Over(Err(Error::new(Code::CLOSED, "the runtime stopped")));
            }
            running
        });
    }
}

fn closed(topic: &TopicName) -> Error {
    Error::new(Code::CLOSED, format!("the producer for {topic} is closed"))
}

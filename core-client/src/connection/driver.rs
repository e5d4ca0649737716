//! The task that moves a connection's bytes.
//!
//! Owns the reading half of the socket. Each turn it hands what arrived to the protocol's
//! connection, takes what is to be written and what happened, and calls those who wait, with no
//! lock held; then it sleeps until the socket, a caller or a deadline has something for it. The one
//! invariant: it ends when the connection does, and on its way out everyone who waits has been
//! told.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidewire_protocol::connection::{ClientEvent, ReadPool, Time};
use tidewire_protocol::error as wire;
use tidewire_protocol::frame::Frame;
use tidewire_protocol::message::{GroupEvent, HelloReply};
use tokio::io::AsyncReadExt;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

use super::transport::Reader;
use super::{CLOSE_TIMEOUT_MS, Life, OnReply, Route, Shared};
use crate::error::{Code, Error};
use crate::events::Event;

/// The timer's rest when nothing is due, in seconds.
const FAR_S: u64 = 3_600;
/// Receive buffers that a connection keeps for use again, in bytes.
const READ_POOL_BYTES: usize = 16 << 20;

type Ready = oneshot::Sender<Result<Box<HelloReply>, Error>>;

/// Something to tell, once the lock is released.
enum Notice {
    Ready(Box<HelloReply>),
    Reply(OnReply, Result<Frame, Error>),
    Deliver(Arc<dyn Route>, u32, u64, Bytes),
    Group(Arc<dyn Route>, u32, GroupEvent),
    Ended(Arc<dyn Route>, u32, Error),
    Cut(Arc<dyn Route>, u32),
    Throttled(Error),
    Closed(Error),
}

/// What the socket or a caller had.
enum Input {
    /// Bytes were read; none is the end.
    Read(usize),
    /// The socket failed.
    Failed(io::Error),
    /// All was written, something was queued, or a deadline has come.
    Woken,
}

/// Drives a connection until it ends.
pub(super) async fn run(shared: Arc<Shared>, mut reader: Reader, ready: Ready) {
    let mut ready = Some(ready);
    let _last = LastTurn(&shared);
    let mut notices = Vec::new();
    let mut pool = ReadPool::new(READ_POOL_BYTES);
    let mut buf = shared.lock().connection.take_read_buf_from(&mut pool);
    let mut timer = pin!(sleep_until(Instant::now() + Duration::from_secs(FAR_S)));
    let mut input = Input::Woken;
    let reason = loop {
        let deadline = turn(&shared, input, &mut buf, &mut pool, &mut notices);
        let mut over = None;
        for notice in notices.drain(..) {
            if let Some(error) = tell(&shared, notice, &mut ready) {
                over = Some(error);
            }
        }
        if let Some(error) = over {
            break error;
        }
        arm(timer.as_mut(), &shared, deadline);
        let mut woken = pin!(shared.wake.notified());
        input = poll_fn(|cx| {
            poll_input(cx, &shared, &mut reader, &mut buf, timer.as_mut(), woken.as_mut())
        })
        .await;
    };
    // A peer that takes nothing any more does not need to be told.
    let limit = Duration::from_millis(CLOSE_TIMEOUT_MS);
    let _ = tokio::time::timeout(limit, shared.say_goodbye()).await;
    tracing::debug!(peer = shared.peer, reason = %reason, "disconnected");
    shared.life.send_replace(Life::Ended(reason));
}

/// Tells everyone who waits even if the task is dropped with its runtime.
struct LastTurn<'a>(&'a Shared);

impl Drop for LastTurn<'_> {
    fn drop(&mut self) {
        if matches!(*self.0.life.borrow(), Life::Ended(_)) {
            return;
        }
        let error = wire::Error::new(Code::DISCONNECTED, "the runtime of the client stopped");
        self.0.drop_wire();
        self.0.lock().connection.close(error.clone());
        let mut notices = Vec::new();
        let (mut buf, mut pool) = (BytesMut::new(), ReadPool::new(0));
        turn(self.0, Input::Woken, &mut buf, &mut pool, &mut notices);
        for notice in notices {
            tell(self.0, notice, &mut None);
        }
        self.0.life.send_replace(Life::Ended(error.into()));
    }
}

/// Everything that needs a lock, at once.
fn turn(
    shared: &Shared,
    input: Input,
    buf: &mut BytesMut,
    pool: &mut ReadPool,
    notices: &mut Vec<Notice>,
) -> Option<Time> {
    let now = shared.now();
    let mut state = shared.lock();
    match input {
        Input::Read(read) => {
            state.connection.handle_input(now, std::mem::take(buf));
            if read == 0 {
                state.connection.handle_eof();
            }
        }
        Input::Failed(error) => {
            let text = format!("the connection to {} was lost: {error}", shared.peer);
            state.connection.close(wire::Error::new(Code::DISCONNECTED, text));
        }
        Input::Woken => {}
    }
    // It does nothing before its time.
    state.connection.handle_timeout(now);
    while let Some(event) = state.connection.poll_event() {
        match event {
            // With the second, who waits for it logs in first.
            ClientEvent::Ready(hello) | ClientEvent::Challenged(hello) => {
                notices.push(Notice::Ready(hello));
            }
            ClientEvent::Reply { id, result } => {
                if let Some(on_reply) = state.pending.remove(&id) {
                    notices.push(Notice::Reply(on_reply, result.map_err(Error::from)));
                }
            }
            ClientEvent::Deliver { channel, message, payload } => {
                // A subscription that was just closed may still be on the server's way.
                if let Some(route) = state.routes.get(&channel) {
                    let route = Arc::clone(route);
                    notices.push(Notice::Deliver(route, channel, message.end_offset, payload));
                }
            }
            ClientEvent::GroupEvent { channel, event } => {
                if let Some(route) = state.routes.get(&channel) {
                    notices.push(Notice::Group(Arc::clone(route), channel, event));
                }
            }
            ClientEvent::SubscriptionEnded { channel, error }
            | ClientEvent::GroupEnded { channel, error } => {
                if let Some(route) = state.routes.remove(&channel) {
                    notices.push(Notice::Ended(route, channel, error.into()));
                }
            }
            ClientEvent::Throttled { error, .. } => {
                notices.push(Notice::Throttled(error.into()))
            }
            ClientEvent::GoingAway(error) => {
                tracing::debug!(peer = shared.peer, %error, "the server is going away");
            }
            ClientEvent::Closed(error) => {
                let error = Error::from(error);
                for (channel, route) in state.routes.drain() {
                    notices.push(Notice::Cut(route, channel));
                }
                notices.push(Notice::Closed(error));
            }
            _ => {}
        }
    }
    if buf.capacity() == 0 {
        *buf = state.connection.take_read_buf_from(pool);
    }
    drop(state);
    shared.fill_wire()
}

/// Tells one who waits; the error if that was the end of the connection.
fn tell(shared: &Shared, notice: Notice, ready: &mut Option<Ready>) -> Option<Error> {
    match notice {
        Notice::Ready(hello) => {
            if let Some(ready) = ready.take() {
                // A caller that is gone has closed the connection.
                let _ = ready.send(Ok(hello));
            }
        }
        Notice::Reply(on_reply, result) => {
            shared.room.add_permits(1);
            on_reply(result);
        }
        Notice::Deliver(route, channel, end_offset, payload) => {
            route.deliver(channel, end_offset, payload);
        }
        Notice::Group(route, channel, event) => route.group_event(channel, event),
        Notice::Ended(route, channel, error) => route.ended(channel, error),
        Notice::Cut(route, channel) => route.cut(channel),
        Notice::Throttled(error) => {
            tracing::debug!(peer = shared.peer, %error, "throttled");
            let (topic, partition) = (String::new(), 0);
            shared.events.tell(|| Event::Throttled { topic, partition, error });
        }
        Notice::Closed(error) => {
            shared.life.send_replace(Life::Closed(error.clone()));
            shared.room.close();
            if let Some(ready) = ready.take() {
                let _ = ready.send(Err(error.clone()));
            }
            return Some(error);
        }
    }
    None
}

/// Sets the timer for `deadline` if it would come too late. An early one is harmless, and
/// cheaper than moving it with every byte.
fn arm(mut timer: Pin<&mut Sleep>, shared: &Shared, deadline: Option<Time>) {
    let Some(deadline) = deadline else {
        return;
    };
    let in_ns = deadline.as_nanos().saturating_sub(shared.now().as_nanos());
    let at = Instant::now() + Duration::from_nanos(in_ns).min(Duration::from_secs(FAR_S));
    if at < timer.deadline() || timer.is_elapsed() {
        timer.as_mut().reset(at);
        shared.wire.arm(deadline);
    }
}

fn poll_input(
    cx: &mut Context<'_>,
    shared: &Shared,
    reader: &mut Reader,
    buf: &mut BytesMut,
    timer: Pin<&mut Sleep>,
    woken: Pin<&mut impl Future<Output = ()>>,
) -> Poll<Input> {
    shared.wire.park(false);
    // Read in the same turn: a socket that always takes more must not starve the replies.
    let written = match shared.wire.poll_write(cx) {
        Poll::Ready(Some(Err(error))) => return Poll::Ready(Input::Failed(error)),
        Poll::Ready(Some(Ok(()))) => true,
        Poll::Ready(None) | Poll::Pending => false,
    };
    // The future holds nothing between polls, so that one made anew goes on where it was.
    match pin!(reader.read_buf(buf)).poll(cx) {
        Poll::Ready(Ok(read)) => return Poll::Ready(Input::Read(read)),
        Poll::Ready(Err(error)) => return Poll::Ready(Input::Failed(error)),
        Poll::Pending => {}
    }
    if written || woken.poll(cx).is_ready() || timer.poll(cx).is_ready() {
        return Poll::Ready(Input::Woken);
    }
    shared.wire.park(true);
    Poll::Pending
}

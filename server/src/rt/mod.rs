//! The only room that knows monoio.
//!
//! What the server needs of a runtime is little: run a future on this thread, spawn more, sleep,
//! and own sockets. Everything else is plain Rust, so that another completion runtime is a change
//! to this folder alone. monoio 0.2.4 has traps (its `BufWriter`, `spawn_blocking`, cancelled
//! accepts that leak, a runtime dropped with operations pending); none of them is reachable from
//! here: every task is ended and awaited before the runtime goes.

#![expect(clippy::disallowed_methods, reason = "the runtime's timers count from its own clock")]

mod driver;
mod net;
mod notify;
mod parts;
mod tls;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

pub(crate) use driver::{Driver, pin_to_core, raise_limits, run};
pub(crate) use net::shake_hands;
pub(crate) use net::{
    Acceptor, CancelHandle, Closer, Peer, ReadHalf, Socket, WriteHalf, accept_canceller,
    own_uid,
};
pub(crate) use notify::Notify;
pub(crate) use tls::Shaken;

/// Runs a future on this thread beside the others.
pub(crate) fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Task<T> {
    Task(monoio::spawn(future))
}

/// A spawned future; await it with [`Task::join`]. Dropping it lets the future run on.
pub(crate) struct Task<T>(monoio::task::JoinHandle<T>);

impl<T> Task<T> {
    /// Waits for the future's end.
    pub(crate) async fn join(self) -> T {
        self.0.await
    }
}

/// Shortest time that timers can tell.
pub(crate) const TIMER_GRAIN: Duration = Duration::from_millis(1);

/// Sleeps. The timer's grain is [`TIMER_GRAIN`].
pub(crate) async fn sleep(duration: Duration) {
    monoio::time::sleep(duration).await;
}

/// A wake-up call for a task that waits for other things, too. One that is not set costs nothing.
#[derive(Default)]
pub(crate) struct Alarm {
    at: Option<Instant>,
    sleep: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

impl Alarm {
    /// Sets it to a time, or to none.
    pub(crate) fn set(&mut self, at: Option<Instant>) {
        if at == self.at {
            return;
        }
        self.at = at;
        self.sleep = at.map(|at| -> Pin<Box<dyn Future<Output = ()>>> {
            Box::pin(sleep(at.saturating_duration_since(Instant::now())))
        });
    }

    /// Ready once, when its time has come.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(sleep) = &mut self.sleep else { return Poll::Pending };
        let ready = sleep.as_mut().poll(context);
        if ready.is_ready() {
            self.sleep = None;
            self.at = None;
        }
        ready
    }
}

/// Waits for `future`, at the longest until `deadline`; `None` then.
pub(crate) async fn until<T>(
    deadline: Option<Instant>,
    future: impl Future<Output = T>,
) -> Option<T> {
    // A timer is half a kilobyte, and aligned to 128 bytes: in the future itself it would have
    // every task that waits be more than twice that.
    let mut alarm = Alarm::default();
    alarm.set(deadline);
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => alarm.poll(context).map(|()| None),
    })
    .await
}

//! Interrupting what blocks.
//!
//! Owns the signal and which one counts for the calls of a thread; the waiting itself is the
//! [`Runtime`](super::Runtime)'s. The one invariant: a cancelled canceller stays so, so that a
//! call that is about to wait is interrupted as one that waits already.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

thread_local! {
    /// Cancellers of the calls that this thread is in, the innermost last.
    static CURRENT: RefCell<Vec<Canceller>> = const { RefCell::new(Vec::new()) };
}

/// Makes blocked calls return at once, with `INTERRUPTED`. Cheap to clone; clones are the same
/// canceller.
///
/// ```
/// use tidewire::Code;
/// use tidewire::blocking::{Canceller, Client};
///
/// let canceller = Canceller::new();
/// canceller.cancel(); // from another thread, a signal handler's, ...
/// let result = canceller.run(|| Client::connect("tidewire://127.0.0.1:1"));
/// assert_eq!(result.expect_err("interrupted").code(), Code::INTERRUPTED);
/// ```
#[derive(Clone)]
pub struct Canceller {
    shared: Arc<Shared>,
}

struct Shared {
    cancelled: watch::Sender<bool>,
    check: Option<Check>,
}

struct Check {
    every: Duration,
    call: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Canceller {
    /// One that is cancelled by [`cancel`](Self::cancel).
    pub fn new() -> Self {
        Self { shared: Arc::new(Shared { cancelled: watch::Sender::new(false), check: None }) }
    }

    /// One that is also cancelled once `check` returns true. It is asked on the thread that is
    /// blocked, when it begins to sleep and then in intervals of `every`, at least a millisecond:
    /// there a binding lets its language handle signals.
    pub fn checking(every: Duration, check: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        let check = Check { every: every.max(Duration::from_millis(1)), call: Box::new(check) };
        let cancelled = watch::Sender::new(false);
        Self { shared: Arc::new(Shared { cancelled, check: Some(check) }) }
    }

    /// Interrupts every call that is within [`run`](Self::run), and all that will be.
    pub fn cancel(&self) {
        self.shared.cancelled.send_replace(true);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        *self.shared.cancelled.borrow()
    }

    /// Calls `f`, in which every blocking call of this thread returns `INTERRUPTED` once this is
    /// cancelled. Of several that enclose a call, each one interrupts it.
    pub fn run<T>(&self, f: impl FnOnce() -> T) -> T {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                CURRENT.with_borrow_mut(|current| current.pop());
            }
        }
        CURRENT.with_borrow_mut(|current| current.push(self.clone()));
        let _leave = Leave;
        f()
    }

    /// Those that count for this thread's calls.
    pub(super) fn current() -> Vec<Self> {
        CURRENT.with_borrow(|current| current.clone())
    }

    /// Waits until it is cancelled.
    pub(super) async fn cancelled(&self) {
        let mut cancelled = self.shared.cancelled.subscribe();
        let cancel = cancelled.wait_for(|cancelled| *cancelled);
        let Some(check) = &self.shared.check else {
            // The sender is kept here, so that it cannot fail.
            let _ = cancel.await;
            return;
        };
        let mut cancel = std::pin::pin!(cancel);
        loop {
            if (check.call)() {
                self.cancel();
                return;
            }
            tokio::select! {
                _ = &mut cancel => return,
                () = tokio::time::sleep(check.every) => {}
            }
        }
    }
}

/// Waits until one of them is cancelled; for ever without any.
pub(super) async fn any_cancelled(cancellers: &[Canceller]) {
    let mut all: Vec<_> =
        cancellers.iter().map(|canceller| Box::pin(canceller.cancelled())).collect();
    std::future::poll_fn(|cx| {
        let ready = all.iter_mut().any(|one| one.as_mut().poll(cx).is_ready());
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

impl Default for Canceller {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller").field("cancelled", &self.is_cancelled()).finish()
    }
}

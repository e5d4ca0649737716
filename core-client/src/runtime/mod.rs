//! The runtime that the blocking clients of a process share, and waiting for it.
//!
//! Owns its few threads and how a thread outside of them waits for a future: within a time, until
//! interrupted, and only where it may block. The one invariant: what was made before a fork is
//! refused in the child, never waited for.

pub(crate) mod canceller;
pub(crate) mod fork;
pub(crate) mod look;
mod signal;

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidewire_protocol::options::client::{BUSY_POLL_US, RUNTIME_THREADS};
use tokio::runtime::Handle;

use crate::error::{Code, Error};
use canceller::{Canceller, any_cancelled};
use fork::{Origin, PerProcess};
use look::Look;

static SHARED: PerProcess<Mutex<Option<tokio::runtime::Runtime>>> = PerProcess::new();

/// The runtime that all blocking clients of this process share. Cheap to clone; clones are the
/// same runtime.
///
/// Its threads are named `tidewire`, and there are `runtime_threads` of them, as the first client
/// asked for. They begin with the first use and stay until the process ends, parked and without
/// using a processor while there is nothing to do: a producer whose last handle is gone still
/// sends what it was given. The end of the process does not wait for them.
///
/// After a fork the child has none of the parent's threads: there, every handle that the parent
/// made answers with `FORKED`, and the first new client begins with a runtime of its own.
#[derive(Clone, Debug)]
pub struct Runtime {
    handle: Handle,
    origin: Origin,
}

impl Runtime {
    /// The runtime of this process, begun if there is none yet.
    ///
    /// # Errors
    /// `INTERNAL` if threads cannot be made.
    pub fn shared() -> Result<Self, Error> {
        Self::with_options(RUNTIME_THREADS, BUSY_POLL_US)
    }

    /// As [`shared`](Self::shared); it begins with this many threads, and those that wait look so
    /// long for what they wait for, unless it has begun.
    pub(crate) fn with_options(threads: u32, busy_poll_us: u32) -> Result<Self, Error> {
        let origin = Origin::here();
        let mut shared = SHARED.value().lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = match &mut *shared {
            Some(runtime) => runtime,
            none => {
                look::set_limit(busy_poll_us);
                none.insert(begin(threads)?)
            }
        };
        Ok(Self { handle: runtime.handle().clone(), origin })
    }

    /// How many threads it has.
    pub fn threads(&self) -> usize {
        self.handle.metrics().num_workers()
    }

    /// Whether this is the process that it runs in.
    pub(crate) fn check(&self, what: &str) -> Result<(), Error> {
        self.origin.check(what)
    }

    pub(crate) fn is_here(&self) -> bool {
        self.origin.is_here()
    }

    /// Enters the runtime, so that what is dropped or polled finds it.
    pub(crate) fn enter(&self) -> tokio::runtime::EnterGuard<'_> {
        self.handle.enter()
    }

    /// Runs a future to its end on the runtime, then calls `done` there with what came of it:
    /// for a binding whose language waits in its own way. `done` should only hand the result on,
    /// as [`CompletionQueue::new`](crate::CompletionQueue::new) says of its wake-up.
    ///
    /// If the canceller is cancelled first, the future is dropped and `done` called with
    /// `INTERRUPTED`. It is called in any case, and once.
    ///
    /// # Errors
    /// `FORKED`; `done` is not called.
    pub fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, Error>> + Send + 'static,
        done: impl FnOnce(Result<T, Error>) + Send + 'static,
    ) -> Result<Canceller, Error> {
        self.check("runtime")?;
        let canceller = Canceller::new();
        let cancelled = canceller.clone();
        self.handle.spawn(async move {
            let result = tokio::select! {
                biased;
                () = cancelled.cancelled() => Err(interrupted("the operation")),
                result = future => result,
            };
            done(result);
        });
        Ok(canceller)
    }

    /// Waits for a future on the calling thread, as every call of the blocking client does.
    /// `what` names it in errors.
    ///
    /// # Errors
    /// `FORKED`, `WOULD_BLOCK`, `INTERRUPTED`, and `TIMEOUT` with the time in its text.
    pub fn wait<T>(
        &self,
        what: &str,
        limit: Option<Duration>,
        future: impl Future<Output = T>,
    ) -> Result<T, Error> {
        self.try_wait(what, limit, future)?.ok_or_else(|| {
            let ms = limit.unwrap_or_default().as_millis();
            Error::new(Code::TIMEOUT, format!("{what} was not done within {ms} ms"))
        })
    }

    /// As [`Self::wait`]; `None` when the time is over.
    ///
    /// # Errors
    /// `FORKED`, `WOULD_BLOCK`, `INTERRUPTED`.
    pub fn try_wait<T>(
        &self,
        what: &str,
        limit: Option<Duration>,
        future: impl Future<Output = T>,
    ) -> Result<Option<T>, Error> {
        self.check("client")?;
        if Handle::try_current().is_ok() {
            let text = format!(
                "{what} would block a thread of an asynchronous runtime: use the asynchronous \
                 client there, or a thread of its own"
            );
            return Err(Error::new(Code::WOULD_BLOCK, text));
        }
        let cancellers = Canceller::current();
        let waiting = async {
            if cancellers.iter().any(Canceller::is_cancelled) {
                return Err(interrupted(what));
            }
            let mut future = pin!(future);
            let mut look = LOOK.get();
            // Without the timers of what interrupts it, which would wake others.
            let (found, begun) = look.look_for(limit, future.as_mut()).await;
            let result = match found {
                Some(result) => Ok(Some(result)),
                None => {
                    let cancelled = pin!(any_cancelled(&cancellers));
                    // A limit past what the clock holds is none.
                    let over = async {
                        let waited = begun.map_or(Duration::ZERO, |(begun, _)| begun.elapsed());
                        let left = limit.map(|limit| limit.saturating_sub(waited));
                        match left
                            .and_then(|left| tokio::time::Instant::now().checked_add(left))
                        {
                            Some(at) => tokio::time::sleep_until(at).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        biased;
                        () = cancelled => Err(interrupted(what)),
                        result = future => Ok(Some(result)),
                        () = over => Ok(None),
                    }
                }
            };
            match (&result, begun) {
                (Ok(Some(_)), Some((begun, looked))) => look.came(begun.elapsed(), looked),
                // Who asks without waiting, or is interrupted at once, did not wait in vain.
                (_, Some((begun, _))) if begun.elapsed() >= look::limit() => look.busy(),
                _ => {}
            }
            LOOK.set(look);
            result
        };
        self.handle.block_on(waiting)
    }
}

thread_local! {
    /// What this thread waited for lately.
    static LOOK: Cell<Look> = const { Cell::new(Look::new()) };
}

fn interrupted(what: &str) -> Error {
    Error::new(Code::INTERRUPTED, format!("{what} was interrupted"))
}

fn begin(threads: u32) -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.max(1) as usize)
        .thread_name("tidewire")
        .on_thread_start(signal::shield)
        .enable_io()
        .enable_time()
        .build()
        .map_err(|source| {
            let text = format!("{threads} threads cannot be begun: {source}");
            Error::new(Code::INTERNAL, text).with_source(source)
        })
}

/// A value of this process that needs no runtime to be dropped. In the child of a fork it is
/// neither used nor dropped, since the parent's threads may have held its locks.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    origin: Origin,
    value: Option<T>,
}

impl<T> Kept<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { origin: Origin::here(), value: Some(value) }
    }

    /// # Errors
    /// `FORKED`.
    pub(crate) fn value_mut(&mut self, what: &str) -> Result<&mut T, Error> {
        self.origin.check(what)?;
        Ok(self.value.as_mut().expect("it is taken only when it is dropped"))
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        if !self.origin.is_here() {
            std::mem::forget(self.value.take());
        }
    }
}

/// As [`Kept`], a value of the runtime, which is there when it is dropped.
#[derive(Debug)]
pub(crate) struct Bound<T> {
    runtime: Runtime,
    value: Option<T>,
}

impl<T> Bound<T> {
    pub(crate) fn new(runtime: Runtime, value: T) -> Self {
        Self { runtime, value: Some(value) }
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The value, for what touches no lock of it; checked before it is used in earnest.
    pub(crate) fn unchecked(&self) -> &T {
        self.value.as_ref().expect("it is taken only when it is dropped")
    }

    /// # Errors
    /// `FORKED`.
    pub(crate) fn value(&self, what: &str) -> Result<&T, Error> {
        self.runtime.check(what)?;
        Ok(self.value.as_ref().expect("it is taken only when it is dropped"))
    }
}

impl<T: Clone> Clone for Bound<T> {
    fn clone(&self) -> Self {
        // A count of references is all that is touched.
        Self { runtime: self.runtime.clone(), value: self.value.clone() }
    }
}

impl<T> Drop for Bound<T> {
    fn drop(&mut self) {
        let value = self.value.take();
        if self.runtime.is_here() {
            let _inside = self.runtime.enter();
            drop(value);
        } else {
            std::mem::forget(value);
        }
    }
}

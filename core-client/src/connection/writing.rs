//! The writing half of a connection.
//!
//! Owns the frames that are on their way to the socket, and who writes them: the driver, which
//! gathers what many callers queued into one call; or, while the driver sleeps and nothing else is
//! under way, the caller itself, which saves the wake-up of a thread. The one invariant: frames
//! leave in the order in which they were queued, because they are taken from the connection's
//! state only under the lock of [`Wire`], and only when those taken before are written. That lock
//! is taken before the state's, never after.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tidewire_protocol::connection::Time;
use tokio::io::AsyncWrite;

use super::Shared;
use super::transport::Writer;

/// Parts given to one vectored write.
const MAX_SLICES: usize = 256;
/// Bytes up to which a caller writes by itself. More is left to the driver, which copies it to
/// the socket while the caller goes on.
const DIRECT_BYTES: usize = 64 << 10;

/// What the driver and the callers share of the socket.
pub(super) struct Wire {
    /// `None` when the connection is over.
    half: Mutex<Option<Half>>,
    /// Whether the driver sleeps. A hint: who reads it late wakes the driver without need, or
    /// writes beside it.
    parked: AtomicBool,
    /// When the driver's timer goes off at the latest, in nanoseconds of the connection's clock.
    armed_ns: AtomicU64,
}

/// The socket's half, and what it has yet to write.
struct Half {
    writer: Writer,
    out: Outgoing,
}

impl Wire {
    pub(super) fn new(writer: Writer) -> Self {
        Self {
            half: Mutex::new(Some(Half { writer, out: Outgoing::default() })),
            parked: AtomicBool::new(false),
            armed_ns: AtomicU64::new(u64::MAX),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Half>> {
        // Nothing that can panic half-way through a change runs under it.
        self.half.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The driver sleeps from now on, or no longer.
    pub(super) fn park(&self, parked: bool) {
        // With it goes what the timer was set to before.
        self.parked.store(parked, Ordering::Release);
    }

    /// The driver wakes at `at` at the latest.
    pub(super) fn arm(&self, at: Time) {
        self.armed_ns.store(at.as_nanos(), Ordering::Relaxed);
    }

    /// Writes until all is written and flushed, or the socket is full. Ready without a value:
    /// there was nothing to write.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>) -> Poll<Option<io::Result<()>>> {
        match &mut *self.lock() {
            Some(half) if !half.out.is_empty() => {
                half.out.poll_write(cx, &mut half.writer).map(Some)
            }
            _ => Poll::Ready(None),
        }
    }

    /// Takes the half away: nobody writes any more.
    fn take(&self) -> Option<Half> {
        self.lock().take()
    }
}

impl Shared {
    /// Takes what is queued for the socket, unless it has something to write already; when the
    /// connection has something to do next.
    pub(super) fn fill_wire(&self) -> Option<Time> {
        let mut half = self.wire.lock();
        let mut state = self.lock();
        if let Some(half) = &mut *half
            && half.out.is_empty()
        {
            half.out.clear();
            state.connection.poll_transmit(&mut half.out.parts);
        }
        state.connection.poll_timeout()
    }

    /// Has what was just queued written: now and by this thread if that is the quicker way, else
    /// by the driver, which is woken.
    pub(super) fn transmit(&self) {
        if !self.transmit_directly() {
            self.wake.notify_one();
        }
    }

    /// Whether nothing is left to the driver.
    fn transmit_directly(&self) -> bool {
        // A driver that is awake comes by anyway, and writes more in one call.
        if !self.wire.parked.load(Ordering::Acquire) {
            return false;
        }
        let Ok(mut half) = self.wire.half.try_lock() else {
            return false;
        };
        let Some(half) = &mut *half else {
            return false;
        };
        if !half.out.is_empty() || !half.writer.is_direct() {
            return false;
        }
        let deadline = {
            let mut state = self.lock();
            // With more under way, replies are about to wake the driver, and what is queued until
            // then leaves in one call.
            if state.pending.len() > 1 || state.connection.queued_bytes() > DIRECT_BYTES {
                return false;
            }
            half.out.clear();
            state.connection.poll_transmit(&mut half.out.parts);
            state.connection.poll_timeout()
        };
        // What is not written, and why, is found again by the driver.
        half.out.try_write(&half.writer)
            && deadline
                .is_none_or(|at| at.as_nanos() >= self.wire.armed_ns.load(Ordering::Relaxed))
    }

    /// Writes what is left, such as the GOAWAY that says why, and closes the socket's half.
    pub(super) async fn say_goodbye(&self) -> io::Result<()> {
        let Some(mut half) = self.wire.take() else {
            return Ok(());
        };
        loop {
            while !half.out.is_empty() {
                std::future::poll_fn(|cx| half.out.poll_write(cx, &mut half.writer)).await?;
            }
            half.out.clear();
            if !self.lock().connection.poll_transmit(&mut half.out.parts) {
                break;
            }
        }
        std::future::poll_fn(|cx| Pin::new(&mut half.writer).poll_shutdown(cx)).await
    }

    /// Closes the socket's half at once.
    pub(super) fn drop_wire(&self) {
        drop(self.wire.take());
    }
}

/// Parts on their way to the socket.
#[derive(Default)]
struct Outgoing {
    parts: Vec<Bytes>,
    /// Those before are written.
    next: usize,
    /// Something was written that may be kept back on its way, as TLS does.
    unflushed: bool,
}

impl Outgoing {
    fn is_empty(&self) -> bool {
        self.next == self.parts.len() && !self.unflushed
    }

    /// Forgets what is written.
    fn clear(&mut self) {
        self.parts.clear();
        self.next = 0;
    }

    /// Writes until all is written and flushed, or the socket is full.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut Writer,
    ) -> Poll<io::Result<()>> {
        while self.next < self.parts.len() {
            let written = self
                .with_slices(|slices| Pin::new(&mut *writer).poll_write_vectored(cx, slices));
            match written {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => self.advance(written),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        match Pin::new(writer).poll_flush(cx) {
            Poll::Ready(result) => {
                self.unflushed = false;
                Poll::Ready(result)
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Writes what the socket takes without waiting; whether that was all.
    fn try_write(&mut self, writer: &Writer) -> bool {
        while self.next < self.parts.len() {
            match self.with_slices(|slices| writer.try_write_vectored(slices)) {
                Ok(written @ 1..) => self.advance(written),
                _ => return false,
            }
        }
        // Nothing is kept back by a socket that is written to directly.
        self.unflushed = false;
        true
    }

    fn with_slices<T>(&self, write: impl FnOnce(&[IoSlice<'_>]) -> T) -> T {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let parts = &self.parts[self.next..];
        let count = parts.len().min(MAX_SLICES);
        for (slice, part) in slices.iter_mut().zip(parts) {
            *slice = IoSlice::new(part);
        }
        write(&slices[..count])
    }

    fn advance(&mut self, mut written: usize) {
        self.unflushed = true;
        while written > 0 {
            let part = &mut self.parts[self.next];
            let step = written.min(part.len());
            part.advance(step);
            written -= step;
            if part.is_empty() {
                // Frees it now rather than with the last one.
                *part = Bytes::new();
                self.next += 1;
            }
        }
    }
}

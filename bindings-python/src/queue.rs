//! What an event loop is told: outcomes of operations and of records, and consumers that have
//! something.
//!
//! Owns the file descriptor that the loop watches and the futures that it waits for. The one
//! invariant: threads of the core only add to lists and write to the descriptor; futures are
//! touched with the interpreter's lock alone, by [`Queue::drain`] on the loop's thread.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use tidewire::blocking::{Canceller, Runtime};
use tidewire::{Code, CompletionQueue, Error, Settled};

use crate::error::{exception, own, raise};
use crate::producer::Receipt;

mod glance;
mod patience;
mod wakeup;

use glance::{Found, Glance};
use patience::{MOST_MS, Patience};
use wakeup::Wakeup;

/// Makes an operation's result an object of Python's, once there is its lock.
pub(crate) type Make = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// Entries of completions taken at once.
const DRAIN: usize = 1024;

/// The half that threads of the core know.
pub(crate) struct Shared {
    wakeup: Wakeup,
    /// The descriptor was written to since it was last read, or the loop's thread looks by itself.
    signalled: AtomicBool,
    /// It does.
    looking: AtomicBool,
    patience: Patience,
    done: Mutex<Vec<(u64, Result<Make, Error>)>>,
    ready: Mutex<Vec<u64>>,
}

impl Shared {
    /// Wakes the loop, unless it is awake.
    fn signal(&self) {
        // Who stops looking looks once more afterwards: one of the two sees what the other did.
        if !self.signalled.swap(true, Ordering::SeqCst) {
            self.patience.tell();
            if !self.looking.load(Ordering::SeqCst) {
                self.wakeup.write();
            }
        }
    }

    /// A consumer, by its number, has something.
    pub(crate) fn tell_ready(&self, number: u64) {
        lock(&self.ready).push(number);
        self.signal();
    }
}

/// Futures of one ticket: the first, and those of others who wait for the same.
type Futures = (Py<PyAny>, Vec<Py<PyAny>>);

/// The half that only the interpreter's lock makes safe to touch.
#[derive(Default)]
struct Waiting {
    operations: HashMap<u64, Py<PyAny>>,
    /// By producer that has any, futures of tickets by their number.
    tickets: HashMap<u64, BTreeMap<u64, Futures>>,
    /// Futures that wait for a consumer to have something.
    consumers: HashMap<u64, Vec<Py<PyAny>>>,
    settled: Vec<Settled>,
    /// What a signal's handler raised while futures were completed.
    broken_off: Option<PyErr>,
    /// Nobody drains any more.
    stopped: bool,
}

impl Waiting {
    fn take_ticket(&mut self, producer: u64, ticket: u64) -> Option<Futures> {
        let tickets = self.tickets.get_mut(&producer)?;
        let futures = tickets.remove(&ticket);
        if tickets.is_empty() {
            self.tickets.remove(&producer);
        }
        futures
    }

    fn pending(&self) -> usize {
        self.operations.len()
            + self.tickets.values().map(BTreeMap::len).sum::<usize>()
            + self.consumers.values().map(Vec::len).sum::<usize>()
    }
}

/// The bridge between the core and one event loop: `fileno()` becomes readable when `drain()` has
/// futures to complete.
#[pyclass(frozen, module = "tidewire._native")]
pub(crate) struct Queue {
    shared: Arc<Shared>,
    completions: CompletionQueue,
    waiting: Mutex<Waiting>,
    glance: Mutex<Glance>,
    event_loop: Py<PyAny>,
    next: AtomicU64,
}

/// An operation that is under way: what it resolves, and how it is cancelled.
#[pyclass(frozen, module = "tidewire._native")]
pub(crate) struct Operation {
    #[pyo3(get)]
    future: Py<PyAny>,
    canceller: Canceller,
}

#[pymethods]
impl Operation {
    /// Gives the operation up; its future will not be completed with a result.
    fn cancel(&self) {
        self.canceller.cancel();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[pymethods]
impl Queue {
    #[new]
    fn new(event_loop: Py<PyAny>) -> PyResult<Self> {
        let shared = Arc::new(Shared {
            wakeup: Wakeup::new()?,
            signalled: AtomicBool::new(false),
            looking: AtomicBool::new(false),
            patience: Patience::new(),
            done: Mutex::default(),
            ready: Mutex::default(),
        });
        let told = Arc::clone(&shared);
        let completions = CompletionQueue::new(move || told.signal());
        Ok(Self {
            shared,
            completions,
            waiting: Mutex::default(),
            glance: Mutex::default(),
            event_loop,
            next: AtomicU64::new(1),
        })
    }

    /// The descriptor to watch.
    fn fileno(&self) -> i32 {
        self.shared.wakeup.fileno()
    }

    /// The event loop that it belongs to.
    #[getter]
    pub(crate) fn event_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.event_loop.clone_ref(py)
    }

    /// Completes the futures of all that has happened; never waits.
    fn drain(slf: &Bound<'_, Self>) -> PyResult<()> {
        let queue = slf.get();
        queue.complete_all(slf.py())?;
        if queue.shared.patience.is_wanted() && queue.unsettled() > 0 {
            // Behind whoever was waiting for what came now, and may send more.
            let linger = slf.getattr(intern!(slf.py(), "linger"))?;
            let event_loop = queue.event_loop.bind(slf.py());
            event_loop.call_method1(intern!(slf.py(), "call_soon"), (linger,))?;
        }
        Ok(())
    }

    /// Waits a moment for outcomes with the interpreter's lock in hand, where that is cheaper than to
    /// get it back; what has come by then is completed.
    fn linger(slf: &Bound<'_, Self>) -> PyResult<()> {
        let shared = &slf.get().shared;
        shared.patience.spend();
        if shared.looking.load(Ordering::Relaxed) {
            // Nobody writes, and it is looked for.
            return Ok(());
        }
        if slf.get().unsettled() > 0 && shared.wakeup.wait(MOST_MS) {
            Self::drain(slf)
        } else {
            Ok(())
        }
    }

    /// Looks for a moment whether the one thing has come that is waited for, in place of the loop's
    /// sleep; and again in the next turn of the loop, as long as that is worth it.
    fn glance(slf: &Bound<'_, Self>) -> PyResult<()> {
        let queue = slf.get();
        let found = lock(&queue.glance).look(&queue.shared);
        // Most signals arrive while the thread looks. Here nothing is half done.
        if let Err(error) = slf.py().check_signals() {
            lock(&queue.glance).stop(&queue.shared);
            if matches!(found, Found::Something) {
                queue.shared.wakeup.write();
            }
            return Err(error);
        }
        match found {
            Found::Something => Self::drain(slf),
            Found::Nothing => Self::glance_soon(slf),
            Found::Over => Ok(()),
        }
    }

    /// As `drain`, for the last time: whoever waits still is told that there will be nothing.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        self.stop_looking();
        self.complete_all(py)?;
        let over = Waiting { stopped: true, ..Waiting::default() };
        let left = std::mem::replace(&mut *lock(&self.waiting), over);
        let tickets = left.tickets.into_values().flat_map(BTreeMap::into_values);
        let tickets = tickets.flat_map(|(first, others)| std::iter::once(first).chain(others));
        for future in left.operations.into_values().chain(tickets) {
            let text = "the client was closed before the outcome was known";
            self.complete(py, &future, Err(own(py, Code::DISCONNECTED, text)));
        }
        for future in left.consumers.into_values().flatten() {
            self.complete(py, &future, Ok(py.None()));
        }
        Ok(())
    }

    /// Records whose outcome is still awaited.
    fn unsettled(&self) -> usize {
        lock(&self.waiting).tickets.values().map(BTreeMap::len).sum()
    }

    /// Futures that nobody has completed yet.
    fn pending(&self) -> usize {
        lock(&self.waiting).pending()
    }
}

impl Queue {
    fn glance_soon(slf: &Bound<'_, Self>) -> PyResult<()> {
        let soon = || {
            let glance = slf.getattr(intern!(slf.py(), "glance"))?;
            let event_loop = slf.get().event_loop.bind(slf.py());
            event_loop.call_method1(intern!(slf.py(), "call_soon"), (glance,))
        };
        match soon() {
            Ok(_) => Ok(()),
            Err(error) => {
                lock(&slf.get().glance).stop(&slf.get().shared);
                Err(error)
            }
        }
    }

    /// Something else is waited for, too, or nothing any more.
    fn stop_looking(&self) {
        lock(&self.glance).stop(&self.shared);
    }

    fn complete_all(&self, py: Python<'_>) -> PyResult<()> {
        self.shared.wakeup.clear();
        self.shared.patience.came();
        // Whatever comes from here on writes again.
        self.shared.signalled.store(false, Ordering::Release);
        self.drain_operations(py);
        self.drain_tickets(py)?;
        self.drain_consumers(py);
        if self.pending() == 0 {
            lock(&self.glance).came();
        }
        lock(&self.waiting).broken_off.take().map_or(Ok(()), Err)
    }

    /// Runs a future on the core's runtime; what it brings completes a future of the loop.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        py: Python<'_>,
        runtime: &Runtime,
        future: impl Future<Output = Result<T, Error>> + Send + 'static,
        make: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Operation> {
        let waiter = self.future(py)?;
        self.stop_looking();
        let number = self.number();
        lock(&self.waiting).operations.insert(number, waiter.clone_ref(py));
        let shared = Arc::clone(&self.shared);
        let done = move |result: Result<T, Error>| {
            let made = result.map(|value| -> Make { Box::new(move |py| make(py, value)) });
            lock(&shared.done).push((number, made));
            shared.signal();
        };
        match runtime.spawn(future, done) {
            Ok(canceller) => Ok(Operation { future: waiter, canceller }),
            Err(error) => {
                lock(&self.waiting).operations.remove(&number);
                Err(raise(py, &error))
            }
        }
    }

    /// A number for a producer or consumer.
    pub(crate) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn completions(&self) -> &CompletionQueue {
        &self.completions
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// A future that `drain` will complete.
    fn future(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if lock(&self.waiting).stopped {
            return Err(own(py, Code::CLOSED, "the client is closed"));
        }
        self.event_loop.call_method0(py, intern!(py, "create_future"))
    }

    /// A future of a ticket's receipt; `number` is of the producer.
    pub(crate) fn wait_ticket(
        slf: &Bound<'_, Self>,
        number: u64,
        ticket: u64,
    ) -> PyResult<Py<PyAny>> {
        let (queue, py) = (slf.get(), slf.py());
        let future = queue.future(py)?;
        let kept = future.clone_ref(py);
        let alone = {
            let mut waiting = lock(&queue.waiting);
            match waiting.tickets.entry(number).or_default().entry(ticket) {
                Entry::Vacant(place) => _ = place.insert((kept, Vec::new())),
                Entry::Occupied(mut place) => place.get_mut().1.push(kept),
            }
            waiting.pending() == 1
        };
        if lock(&queue.glance).asked(alone, &queue.shared) {
            Self::glance_soon(slf)?;
        }
        Ok(future)
    }

    /// A future of a ticket's is not waited for any more.
    pub(crate) fn forget_ticket(&self, number: u64, ticket: u64, future: &Bound<'_, PyAny>) {
        // Dropped once the lock is free: it may run code of Python's.
        let mut forgotten = Vec::new();
        let mut waiting = lock(&self.waiting);
        if let Some((first, others)) = waiting.take_ticket(number, ticket) {
            let (own, mut left): (Vec<_>, Vec<_>) = std::iter::once(first)
                .chain(others)
                .partition(|one| one.as_ptr() == future.as_ptr());
            forgotten = own;
            if !left.is_empty() {
                let first = left.remove(0);
                waiting.tickets.entry(number).or_default().insert(ticket, (first, left));
            }
        }
        drop(waiting);
        drop(forgotten);
    }

    /// A future that is completed when a consumer may have something.
    pub(crate) fn wait_ready(&self, py: Python<'_>, number: u64) -> PyResult<Py<PyAny>> {
        let future = self.future(py)?;
        self.stop_looking();
        let kept = future.clone_ref(py);
        lock(&self.waiting).consumers.entry(number).or_default().push(kept);
        Ok(future)
    }

    fn drain_operations(&self, py: Python<'_>) {
        let done = std::mem::take(&mut *lock(&self.shared.done));
        for (number, result) in done {
            let Some(future) = lock(&self.waiting).operations.remove(&number) else { continue };
            let made = match result {
                Ok(make) => make(py),
                Err(error) => Err(raise(py, &error)),
            };
            self.complete(py, &future, made);
        }
    }

    fn drain_tickets(&self, py: Python<'_>) -> PyResult<()> {
        loop {
            let mut settled = std::mem::take(&mut lock(&self.waiting).settled);
            settled.clear();
            let taken = self.completions.drain_into(&mut settled, DRAIN);
            let taken = taken.map_err(|error| raise(py, &error))?;
            for run in &settled {
                self.settle(py, run);
            }
            lock(&self.waiting).settled = settled;
            if taken < DRAIN {
                return Ok(());
            }
        }
    }

    fn settle(&self, py: Python<'_>, run: &Settled) {
        let range = run.first_ticket..run.first_ticket + u64::from(run.count);
        loop {
            let (ticket, (first, others)) = {
                let mut waiting = lock(&self.waiting);
                let Some(tickets) = waiting.tickets.get(&run.producer) else { return };
                let Some((&ticket, _)) = tickets.range(range.clone()).next() else { return };
                let Some(futures) = waiting.take_ticket(run.producer, ticket) else { return };
                (ticket, futures)
            };
            for future in std::iter::once(first).chain(others) {
                let Some(outcome) = run.receipt(ticket) else { return };
                let made = match outcome {
                    Ok(receipt) => Receipt::new(receipt).into_object(py),
                    Err(error) => {
                        exception(py, &error, &[]).and_then(|e| Err(PyErr::from_value(e)))
                    }
                };
                self.complete(py, &future, made);
            }
        }
    }

    fn drain_consumers(&self, py: Python<'_>) {
        let ready = std::mem::take(&mut *lock(&self.shared.ready));
        for number in ready {
            let futures = lock(&self.waiting).consumers.remove(&number);
            for future in futures.into_iter().flatten() {
                self.complete(py, &future, Ok(py.None()));
            }
        }
    }

    /// Completes a future, unless whoever waited has given up.
    fn complete(&self, py: Python<'_>, future: &Py<PyAny>, result: PyResult<Py<PyAny>>) {
        let future = future.bind(py);
        let outcome = match result {
            Ok(value) => future.call_method1(intern!(py, "set_result"), (value,)),
            Err(error) => future.call_method1(intern!(py, "set_exception"), (error,)),
        };
        let Err(error) = outcome else { return };
        if !error.is_instance_of::<PyException>(py) {
            // A signal's handler raised it: after all that has happened is told.
            lock(&self.waiting).broken_off.get_or_insert(error);
            return;
        }
        let cancelled = future
            .call_method0(intern!(py, "done"))
            .and_then(|done| done.is_truthy())
            .unwrap_or(false);
        // The loop may be closed by now: there is nobody left to tell.
        if !cancelled && !error.is_instance_of::<PyRuntimeError>(py) {
            error.write_unraisable(py, Some(future));
        }
    }
}

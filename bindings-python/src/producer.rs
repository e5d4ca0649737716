//! Producing: records into the core's queue, outcomes back.
//!
//! Owns the handles; how records are read is in [`records`], sending many at once in [`many`]. The
//! one invariant: a record is copied into its batch while the interpreter's lock is held, so that
//! nothing of Python's is kept.

mod many;
mod receipts;
mod records;
mod tickets;

use std::future::Future;
use std::time::Instant;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tidewire::blocking;
use tidewire::{Code, Error, QueueFull};

use crate::call::call;
use crate::error::{raise, raise_close};
use crate::options::Options;
use crate::queue::Queue;
use crate::wait::{limit, wait, wait_as};

pub(crate) use many::{Sending, expand};
pub(crate) use receipts::{ReceiptIter, Receipts};
pub(crate) use records::Given;
pub(crate) use tickets::{AsyncTicket, Receipt, Ticket};

/// A producer that was opened, to be wrapped.
#[pyclass(frozen, module = "tidewire._native")]
pub(crate) struct Opened {
    inner: blocking::Producer,
    queue: Option<(Py<Queue>, u64)>,
    queue_full: QueueFull,
}

impl Opened {
    pub(crate) fn open(
        py: Python<'_>,
        client: &blocking::Client,
        queue: Option<Py<Queue>>,
        topic: &str,
        options: &Options<'_, '_>,
    ) -> PyResult<Py<PyAny>> {
        // Before a fork's child touches anything of its parent's.
        client.as_async().map_err(|error| raise(py, &error))?;
        let mut builder = client.producer(topic);
        if let Some(name) = options.text("name")? {
            builder = builder.name(name);
        }
        macro_rules! number {
            ($($name:ident)*) => {$(
                if let Some(value) = options.number(stringify!($name))? {
                    builder = builder.$name(value);
                }
            )*};
        }
        number!(linger_ms batch_bytes batch_records queue_bytes max_in_flight
            delivery_timeout_ms encryption_key_id);
        if let Some(acks) = options.acks()? {
            builder = builder.acks(acks);
        }
        if let Some(codec) = options.codec(true)? {
            builder = builder.codec(codec);
        }
        if let Some(queue_full) = options.queue_full()? {
            builder = builder.queue_full(queue_full);
        }
        let told = queue.as_ref().map(|queue| (queue.clone_ref(py), queue.get().number()));
        if let Some((queue, number)) = &told {
            builder = builder.completions(queue.get().completions(), *number);
        }
        let building = builder.into_async();
        let opening = async move { building.build().await };
        let runtime = client.runtime();
        let asked = queue.as_ref().map(Py::get);
        call(py, runtime, asked, "opening a producer", opening, move |py, producer| {
            let queue_full = producer.queue_full();
            let inner = blocking::Producer::from_async(producer);
            let inner = inner.map_err(|error| raise(py, &error))?;
            Ok(Py::new(py, Self { inner, queue: told, queue_full })?.into_any())
        })
    }
}

/// The half of a producer that is the core's; see ``tidewire.Producer``.
#[pyclass(subclass, frozen, module = "tidewire._native")]
pub(crate) struct Producer {
    pub(crate) inner: blocking::Producer,
    /// The queue of its event loop, in which it has a number; none if its calls wait.
    queue: Option<(Py<Queue>, u64)>,
    pub(crate) queue_full: QueueFull,
}

impl Producer {
    pub(crate) fn core(&self, py: Python<'_>) -> PyResult<tidewire::Producer> {
        self.inner.as_async().cloned().map_err(|error| raise(py, &error))
    }

    fn waits(&self) -> bool {
        self.queue_full == QueueFull::Block
    }

    fn asked(&self) -> Option<&Queue> {
        self.queue.as_ref().map(|(queue, _)| queue.get())
    }
}

#[pymethods]
impl Producer {
    #[new]
    fn new(py: Python<'_>, opened: &Opened) -> Self {
        let queue = opened.queue.as_ref().map(|(queue, number)| (queue.clone_ref(py), *number));
        Self { inner: opened.inner.clone(), queue, queue_full: opened.queue_full }
    }

    /// Puts a record into the queue, without waiting, and returns a ticket of its outcome.
    ///
    /// It is sent when its batch is full, after `linger_ms`, or with the next `send` or `flush`.
    /// `value` and `key` are `str`, anything bytes-like, or `None`: a record without a value is a
    /// tombstone, which says that what its key named is gone. `headers` maps names to values.
    /// `timestamp` is a `datetime` or an `int` of microseconds since the Unix epoch; now, if it is
    /// not given. A record goes to `partition`, else to its key's; the others stay together.
    /// `id` (16 bytes or a `uuid.UUID`) is what topics with a `dedup_window_ms` know it by.
    ///
    /// Raises `QueueFullError` if the queue has no room (`ready()` waits), `RecordTooLargeError`,
    /// `PartitionNotFoundError`, `ClientClosedError`, or `TypeError`.
    #[pyo3(signature = (value, *, key=None, headers=None, timestamp=None, partition=None, id=None))]
    #[expect(clippy::too_many_arguments, reason = "they are a record's")]
    fn enqueue(
        &self,
        py: Python<'_>,
        value: &Bound<'_, PyAny>,
        key: Option<&Bound<'_, PyAny>>,
        headers: Option<&Bound<'_, PyAny>>,
        timestamp: Option<&Bound<'_, PyAny>>,
        partition: Option<&Bound<'_, PyAny>>,
        id: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Ticket> {
        let given = Given { value, key, headers, timestamp, partition, id };
        let ticket =
            given.with(|record, partition| self.inner.enqueue_ref(record, partition))?;
        Ok(Ticket::new(ticket.map_err(|error| raise(py, &error))?))
    }

    /// As `enqueue`, for an event loop.
    #[pyo3(signature = (value, *, key=None, headers=None, timestamp=None, partition=None, id=None))]
    #[expect(clippy::too_many_arguments, reason = "they are a record's")]
    fn enqueue_async(
        &self,
        py: Python<'_>,
        value: &Bound<'_, PyAny>,
        key: Option<&Bound<'_, PyAny>>,
        headers: Option<&Bound<'_, PyAny>>,
        timestamp: Option<&Bound<'_, PyAny>>,
        partition: Option<&Bound<'_, PyAny>>,
        id: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<AsyncTicket> {
        let given = Given { value, key, headers, timestamp, partition, id };
        let ticket =
            given.with(|record, partition| self.inner.enqueue_ref(record, partition))?;
        let ticket = ticket.map_err(|error| raise(py, &error))?;
        let (queue, number) = self.queue.as_ref().expect("only producers of a loop call it");
        Ok(AsyncTicket::new(ticket, queue.clone_ref(py), *number))
    }

    /// Sends a record that is waited for; `None` if the queue is full and it is to wait.
    #[pyo3(signature = (value, key=None, headers=None, timestamp=None, partition=None, id=None))]
    #[expect(clippy::too_many_arguments, reason = "they are a record's")]
    fn send_async(
        &self,
        py: Python<'_>,
        value: &Bound<'_, PyAny>,
        key: Option<&Bound<'_, PyAny>>,
        headers: Option<&Bound<'_, PyAny>>,
        timestamp: Option<&Bound<'_, PyAny>>,
        partition: Option<&Bound<'_, PyAny>>,
        id: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let given = Given { value, key, headers, timestamp, partition, id };
        let pushed =
            given.with(|record, partition| self.inner.enqueue_now_ref(record, partition))?;
        let (queue, number) = self.queue.as_ref().expect("only producers of a loop call it");
        match pushed {
            Ok(ticket) => {
                Queue::wait_ticket(queue.bind(py), *number, ticket.number()).map(Some)
            }
            Err(error) if self.waits() && error.code() == Code::QUEUE_FULL => Ok(None),
            Err(error) => Err(raise(py, &error)),
        }
    }

    /// Sends a record and waits for its acknowledgement; see the package.
    #[pyo3(signature = (
        value, key=None, headers=None, timestamp=None, partition=None, id=None, timeout=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are a record's")]
    fn send_sync(
        &self,
        py: Python<'_>,
        value: &Bound<'_, PyAny>,
        key: Option<&Bound<'_, PyAny>>,
        headers: Option<&Bound<'_, PyAny>>,
        timestamp: Option<&Bound<'_, PyAny>>,
        partition: Option<&Bound<'_, PyAny>>,
        id: Option<&Bound<'_, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<Receipt> {
        let (limit, begun) = (limit(timeout)?, Instant::now());
        let left = || limit.map(|limit| limit.saturating_sub(begun.elapsed()));
        let given = Given { value, key, headers, timestamp, partition, id };
        loop {
            let pushed = given
                .with(|record, partition| self.inner.enqueue_now_ref(record, partition))?;
            match pushed {
                Ok(mut ticket) => {
                    return wait(py, || ticket.wait(left())).map(Receipt::new);
                }
                Err(error) if self.waits() && error.code() == Code::QUEUE_FULL => {
                    wait(py, || self.inner.ready(left()))?;
                }
                Err(error) => return Err(raise(py, &error)),
            }
        }
    }

    /// Begins to send many records.
    #[pyo3(signature = (values, keys=None, timestamps=None, headers=None, partition=None))]
    fn send_many(
        slf: &Bound<'_, Self>,
        values: &Bound<'_, PyAny>,
        keys: Option<&Bound<'_, PyAny>>,
        timestamps: Option<&Bound<'_, PyAny>>,
        headers: Option<&Bound<'_, PyAny>>,
        partition: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Sending> {
        Sending::of_values(slf, values, keys, timestamps, headers, partition)
    }

    /// Begins to send the rows of a table.
    fn send_table(
        slf: &Bound<'_, Self>,
        table: &Bound<'_, PyAny>,
        columns: (String, Option<String>, Option<String>),
        headers: Option<&Bound<'_, PyAny>>,
        partition: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Sending> {
        Sending::of_table(slf, table, columns, headers, partition)
    }

    /// Waits until the queue has room for a record.
    fn wait_ready(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        let limit = limit(timeout)?;
        if self.queue.is_none() {
            wait(py, || self.inner.ready(limit))?;
            return Ok(py.None());
        }
        let producer = self.core(py)?;
        let ready = async move { producer.ready().await };
        self.start(py, "waiting for room", ready)
    }

    /// Sends all that is enqueued and waits until it has its outcome.
    fn wait_flush(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        let limit = limit(timeout)?;
        if self.queue.is_none() {
            wait(py, || self.inner.flush(limit))?;
            return Ok(py.None());
        }
        let producer = self.core(py)?;
        let flush = async move { producer.flush().await };
        self.start(py, "flush", flush)
    }

    /// Flushes and closes.
    fn wait_close(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        let limit = limit(timeout)?;
        let Some(queue) = self.asked() else {
            let closed = wait_as(py, || self.inner.close(limit), |error| error.error().code());
            closed.map_err(|failed| failed.into_py(py, raise_close))?;
            return Ok(py.None());
        };
        let producer = self.core(py)?;
        let close = async move {
            // What closing reports becomes an exception where there is Python's lock.
            Ok::<_, Error>(match limit {
                Some(limit) => producer.close_within(limit).await,
                None => producer.close().await,
            })
        };
        let runtime = self.runtime(py)?;
        let operation = queue.start(py, &runtime, close, |py, closed| match closed {
            Ok(()) => Ok(py.None()),
            Err(error) => Err(raise_close(py, &error)),
        })?;
        Ok(Py::new(py, operation)?.into_any())
    }

    /// What it did so far, and what waits.
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.inner.stats().map_err(|error| raise(py, &error))?;
        let dict = PyDict::new(py);
        macro_rules! set {
            ($($name:ident)*) => {$( dict.set_item(stringify!($name), stats.$name)?; )*};
        }
        set!(queued_records queued_bytes in_flight_batches sent_batches sent_bytes
            retried_batches duplicate_batches acknowledged_records failed_records
            unknown_records dropped_records);
        Ok(dict)
    }

    /// How many partitions the topic has.
    #[getter]
    fn partitions(&self, py: Python<'_>) -> PyResult<u32> {
        self.inner.partitions().map_err(|error| raise(py, &error))
    }
}

impl Producer {
    pub(crate) fn runtime(&self, py: Python<'_>) -> PyResult<blocking::Runtime> {
        blocking::Runtime::shared().map_err(|error| raise(py, &error))
    }

    fn start(
        &self,
        py: Python<'_>,
        what: &str,
        future: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) -> PyResult<Py<PyAny>> {
        call(py, &self.runtime(py)?, self.asked(), what, future, crate::call::none)
    }
}

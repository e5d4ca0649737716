//! Receipts, and tickets to wait for them by.
//!
//! Owns how an outcome is told. The one invariant: a ticket that is dropped changes nothing for its
//! record.

use std::sync::{Mutex, PoisonError};

use pyo3::intern;
use pyo3::prelude::*;
use tidewire::{Acks, blocking};

use crate::batch::datetime;
use crate::error::raise;
use crate::options::acks_name;
use crate::queue::Queue;
use crate::wait::{limit, wait};

/// What the server answered for one record.
#[pyclass(frozen, eq, hash, module = "tidewire")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Receipt {
    /// The record's partition.
    #[pyo3(get)]
    partition: u32,
    /// Its offset there.
    #[pyo3(get)]
    offset: u64,
    /// When it was appended, in microseconds since the Unix epoch; 0 for a duplicate by its id.
    #[pyo3(get)]
    append_time_us: i64,
    /// Whether it was there already, or another record of its id was; the offset is that one's.
    #[pyo3(get)]
    duplicate: bool,
    level: u8,
}

impl Receipt {
    pub(crate) fn new(receipt: tidewire::Receipt) -> Self {
        Self {
            partition: receipt.partition,
            offset: receipt.offset,
            append_time_us: receipt.append_time_us,
            duplicate: receipt.duplicate,
            level: receipt.acks.into(),
        }
    }

    /// That of a record so many behind this one's.
    pub(super) fn behind(&self, index: u64) -> Self {
        Self { offset: self.offset + index, ..self.clone() }
    }

    /// An object that the garbage collector does not look at: it holds none, and there may be a million.
    pub(crate) fn into_object(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let object = Py::new(py, self)?.into_any();
        // SAFETY: it is an object of a type that the collector knows, and is freed as one that is tracked is.
        unsafe { pyo3::ffi::PyObject_GC_UnTrack(object.as_ptr().cast()) };
        Ok(object)
    }
}

#[pymethods]
impl Receipt {
    /// The promise that holds: ``"none"``, ``"written"`` or ``"synced"``.
    #[getter]
    fn acks(&self) -> &'static str {
        acks_name(Acks::from(self.level))
    }

    /// When it was appended, as an aware ``datetime`` in UTC.
    #[getter]
    fn append_time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.append_time_us)
    }

    fn __repr__(&self) -> String {
        self.to_string()
    }
}

impl std::fmt::Display for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let duplicate = if self.duplicate { ", duplicate=True" } else { "" };
        let (partition, offset, acks) = (self.partition, self.offset, self.acks());
        write!(f, "Receipt(partition={partition}, offset={offset}, acks={acks:?}{duplicate})")
    }
}

/// The outcome of an enqueued record, to come. Dropping it changes nothing for the record.
#[pyclass(frozen, module = "tidewire")]
pub(crate) struct Ticket {
    ticket: Mutex<blocking::Ticket>,
}

impl Ticket {
    pub(crate) fn new(ticket: blocking::Ticket) -> Self {
        Self { ticket: Mutex::new(ticket) }
    }
}

#[pymethods]
impl Ticket {
    /// Waits for the receipt, at most `timeout` seconds. May be called again.
    ///
    /// Raises what became of the record if it failed, and `RequestTimeoutError` when the time is
    /// over: the outcome is then still to come.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Receipt> {
        let limit = limit(timeout)?;
        let waited =
            wait(py, || self.ticket.lock().unwrap_or_else(PoisonError::into_inner).wait(limit));
        waited.map(Receipt::new)
    }

    /// Whether there is an outcome.
    fn done(&self) -> bool {
        match self.ticket.try_lock() {
            Ok(mut ticket) => ticket.try_receipt().is_some(),
            // Somebody waits for it.
            Err(_) => false,
        }
    }

    /// The receipt if there is one yet, else `None`; raises what became of the record if it
    /// failed.
    fn receipt(&self, py: Python<'_>) -> PyResult<Option<Receipt>> {
        let Ok(mut ticket) = self.ticket.try_lock() else { return Ok(None) };
        let outcome = ticket.try_receipt().transpose();
        drop(ticket);
        Ok(outcome.map_err(|error| raise(py, &error))?.map(Receipt::new))
    }

    fn __repr__(&self) -> String {
        format!("Ticket(done={})", if self.done() { "True" } else { "False" })
    }
}

/// The outcome of a record that was enqueued on an event loop, to be awaited. Dropping it changes
/// nothing for the record.
#[pyclass(frozen, module = "tidewire")]
pub(crate) struct AsyncTicket {
    ticket: Mutex<blocking::Ticket>,
    queue: Py<Queue>,
    producer: u64,
}

impl AsyncTicket {
    pub(crate) fn new(ticket: blocking::Ticket, queue: Py<Queue>, producer: u64) -> Self {
        Self { ticket: Mutex::new(ticket), queue, producer }
    }

    fn try_receipt(&self, py: Python<'_>) -> PyResult<Option<Receipt>> {
        let outcome = self.ticket.lock().unwrap_or_else(PoisonError::into_inner).try_receipt();
        let outcome = outcome.transpose().map_err(|error| raise(py, &error))?;
        Ok(outcome.map(Receipt::new))
    }

    /// A future that has the outcome.
    fn told<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let future = self.queue.get().event_loop(py).into_bound(py);
        let future = future.call_method0(intern!(py, "create_future"))?;
        match self.try_receipt(py) {
            Ok(receipt) => future.call_method1(intern!(py, "set_result"), (receipt,))?,
            Err(error) => future.call_method1(intern!(py, "set_exception"), (error,))?,
        };
        Ok(future)
    }
}

#[pymethods]
impl AsyncTicket {
    /// Whether there is an outcome.
    fn done(&self, py: Python<'_>) -> bool {
        !matches!(self.try_receipt(py), Ok(None))
    }

    /// The receipt if there is one yet, else `None`; raises what became of the record if it
    /// failed.
    fn receipt(&self, py: Python<'_>) -> PyResult<Option<Receipt>> {
        self.try_receipt(py)
    }

    /// A future of the receipt.
    fn future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let queue = self.queue.get();
        if let Ok(Some(_)) | Err(_) = self.try_receipt(py) {
            return self.told(py);
        }
        let number = self.ticket.lock().unwrap_or_else(PoisonError::into_inner).number();
        let future = Queue::wait_ticket(self.queue.bind(py), self.producer, number)?;
        let future = future.into_bound(py);
        // What was told before nobody will tell again.
        if let Ok(None) = self.try_receipt(py) {
            return Ok(future);
        }
        queue.forget_ticket(self.producer, number, &future);
        self.told(py)
    }

    fn __await__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.future(py)?.call_method0(intern!(py, "__await__"))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("AsyncTicket(done={})", if self.done(py) { "True" } else { "False" })
    }
}

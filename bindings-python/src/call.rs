//! One operation, for whoever waits and for whoever is told.
//!
//! Owns nothing. The one invariant: both ways do the same, and make the same object of it.

use std::future::Future;

use pyo3::prelude::*;
use tidewire::Error;
use tidewire::blocking::Runtime;

use crate::queue::Queue;
use crate::wait::wait;

/// Waits for `future` and returns what `make` makes of its result; with a queue, returns an
/// [`Operation`](crate::queue::Operation) of it at once.
pub(crate) fn call<T: Send + 'static>(
    py: Python<'_>,
    runtime: &Runtime,
    queue: Option<&Queue>,
    what: &str,
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
    make: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Py<PyAny>> {
    match queue {
        None => {
            let value = wait(py, || runtime.wait(what, None, future)?)?;
            make(py, value)
        }
        Some(queue) => {
            let operation = queue.start(py, runtime, future, make)?;
            Ok(Py::new(py, operation)?.into_any())
        }
    }
}

/// Nothing.
pub(crate) fn none<T>(py: Python<'_>, _: T) -> PyResult<Py<PyAny>> {
    Ok(py.None())
}

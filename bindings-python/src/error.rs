//! Errors of the core as exceptions.
//!
//! Owns the way there; the exceptions themselves are Python's, generated from the same table. The
//! one invariant: number, disposition and offsets arrive as they were, also for a number that the
//! package does not know.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tidewire::{CloseError, Code, Error};

static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception for an error of the core.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    match exception(py, error, &[]) {
        Ok(made) => PyErr::from_value(made),
        Err(failed) => failed,
    }
}

/// The exception for a producer that was closed without every record being acknowledged.
pub(crate) fn raise_close(py: Python<'_>, error: &CloseError) -> PyErr {
    let unsent: Vec<_> = error
        .partitions()
        .iter()
        .map(|unsent| (unsent.partition, unsent.failed_records, unsent.unknown_records))
        .collect();
    let inner = error.error();
    match make(py, inner, error.to_string(), &unsent) {
        Ok(made) => PyErr::from_value(made),
        Err(failed) => failed,
    }
}

/// An exception that is not raised here.
pub(crate) fn exception<'py>(
    py: Python<'py>,
    error: &Error,
    unsent: &[(u32, u64, u64)],
) -> PyResult<Bound<'py, PyAny>> {
    make(py, error, error.to_string(), unsent)
}

fn make<'py>(
    py: Python<'py>,
    error: &Error,
    text: String,
    unsent: &[(u32, u64, u64)],
) -> PyResult<Bound<'py, PyAny>> {
    let offsets = error.offsets().map(|offsets| (offsets.start, offsets.end));
    let arguments = (error.code().0, error.disposition().0, text, offsets, unsent.to_vec());
    MAKE.import(py, "tidewire._error", "from_core")?.call1(arguments)
}

/// An error that this side finds, with a number of the table.
pub(crate) fn own(py: Python<'_>, code: Code, text: &str) -> PyErr {
    let disposition = code.info().map_or(0, |info| info.disposition.0);
    let no_offsets: Option<(u64, u64)> = None;
    let no_unsent: Vec<(u32, u64, u64)> = Vec::new();
    let made = MAKE
        .import(py, "tidewire._error", "from_core")
        .and_then(|make| make.call1((code.0, disposition, text, no_offsets, no_unsent)));
    made.map_or_else(|failed| failed, PyErr::from_value)
}

//! Blocking a thread of Python.
//!
//! Owns how a wait lets go of the interpreter and comes back for signals. The one invariant: what
//! interrupts a wait is raised as what it is, such as `KeyboardInterrupt`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tidewire::blocking::Canceller;
use tidewire::{Code, Error};

use crate::error::raise;

/// How often a wait of the main thread looks for signals: what feels like at once.
const SLICE: Duration = Duration::from_millis(50);

/// Waits in `call`, without the interpreter's lock.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    call: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    wait_as(py, call, Error::code).map_err(|failed| failed.into_py(py, raise))
}

/// Why a wait brought nothing.
pub(crate) enum Failed<E> {
    /// The core says so.
    Core(E),
    /// A signal's handler raised it.
    Signal(PyErr),
}

impl<E> Failed<E> {
    pub(crate) fn into_py(
        self,
        py: Python<'_>,
        raise: impl Fn(Python<'_>, &E) -> PyErr,
    ) -> PyErr {
        match self {
            Self::Core(error) => raise(py, &error),
            Self::Signal(error) => error,
        }
    }
}

/// As [`wait`], for calls with errors of their own.
pub(crate) fn wait_as<T: Send, E: Send>(
    py: Python<'_>,
    call: impl FnOnce() -> Result<T, E> + Send,
    code: impl Fn(&E) -> Code,
) -> Result<T, Failed<E>> {
    if !handles_signals() {
        // Only the main thread runs the handlers of signals.
        return py.detach(call).map_err(Failed::Core);
    }
    let raised: Arc<Mutex<Option<PyErr>>> = Arc::default();
    let begun = Instant::now();
    let keep = Arc::clone(&raised);
    let canceller = Canceller::checking(SLICE, move || {
        // Most waits are over before the first slice; they pay nothing.
        if begun.elapsed() < SLICE {
            return false;
        }
        let signal = Python::attach(|py| py.check_signals());
        let interrupted = signal.is_err();
        if let Err(error) = signal {
            *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        interrupted
    });
    let result = py.detach(|| canceller.run(call));
    result.map_err(|error| {
        let signal = raised.lock().unwrap_or_else(PoisonError::into_inner).take();
        match signal {
            Some(signal) if code(&error) == Code::INTERRUPTED => Failed::Signal(signal),
            _ => Failed::Core(error),
        }
    })
}

/// Whether this is the thread that the process began with.
fn handles_signals() -> bool {
    #[cfg(target_os = "linux")]
    // SAFETY: both only ask.
    return unsafe { libc::gettid() == libc::getpid() };
    #[cfg(not(target_os = "linux"))]
    true
}

/// A time in seconds, as Python gives it; `None` is no limit.
pub(crate) fn limit(timeout: Option<f64>) -> PyResult<Option<Duration>> {
    let Some(seconds) = timeout else { return Ok(None) };
    if seconds.is_nan() || seconds < 0.0 {
        let text = format!("timeout is {seconds}, but should be seconds from 0, or None");
        return Err(pyo3::exceptions::PyValueError::new_err(text));
    }
    // What is longer than a duration holds is for ever.
    Ok(Duration::try_from_secs_f64(seconds).ok())
}

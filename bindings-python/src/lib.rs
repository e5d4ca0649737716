//! `tidewire._native`: the client core as Python sees it, thin; what a user calls is the typed
//! package around it.
//!
//! * [`wait`] blocks a thread of Python, with signals handled; [`queue`] completes futures of an
//!   event loop. [`call`] runs one operation either way.
//! * [`client`], [`admin`], [`users`], [`producer`], [`consumer`] are the handles, [`batch`] what they return.
//! * [`arrow`] hands batches to data frames and takes tables from them.
//! * [`input`], [`options`], [`error`] are the conversions.
//!
//! The one invariant: no thread of the core ever takes the interpreter's lock, nor touches an
//! object of Python. What it has to tell goes into a queue, and a file descriptor is written.

mod admin;
mod arrow;
mod batch;
mod call;
mod client;
mod consumer;
mod error;
mod input;
mod options;
mod producer;
mod queue;
mod users;
mod wait;

use pyo3::prelude::*;

/// The native half of the package; its names may change in any release.
#[pymodule(gil_used = true)]
mod _native {
    #[pymodule_export]
    use crate::batch::{Batch, BatchIter, Record, View};
    #[pymodule_export]
    use crate::client::{Client, Events, connect};
    #[pymodule_export]
    use crate::consumer::Consumer;
    #[pymodule_export]
    use crate::producer::{
        AsyncTicket, Opened, Producer, Receipt, ReceiptIter, Receipts, Sending, Ticket, expand,
    };
    #[pymodule_export]
    use crate::queue::{Operation, Queue};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}

//! The client: connecting, what it says of itself, and what is made from it.
//!
//! Owns the handle; administration is in [`admin`](crate::admin). The one invariant: every method
//! takes a queue, and without one it waits.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tidewire::blocking;
use tidewire::{Code, Error, Event, FetchOptions, Secret};
use tokio::sync::Mutex;

use crate::batch::Batch;
use crate::call::{call, none};
use crate::error::{exception, raise};
use crate::input::{Count, number};
use crate::options::Options;
use crate::producer::Opened;
use crate::queue::Queue;

/// A connection to a server.
#[pyclass(frozen, module = "tidewire._native")]
pub(crate) struct Client {
    pub(crate) inner: blocking::Client,
}

/// Connects to the first server that can be reached.
#[pyfunction]
pub(crate) fn connect(
    py: Python<'_>,
    queue: Option<&Queue>,
    url: Option<String>,
    options: &Bound<'_, PyDict>,
) -> PyResult<Py<PyAny>> {
    let options = Options::new(options);
    let mut builder = blocking::Client::builder();
    if let Some(url) = url {
        builder = builder.url(url);
    }
    if let Some(name) = options.text("client_name")? {
        builder = builder.client_name(name);
    }
    if let Some(secret) = options.text("secret")? {
        builder = builder.secret(Secret::new(secret));
    }
    if let Some(keys) = options.text("encryption_keys")? {
        builder = builder.encryption_keys(Secret::new(keys));
    }
    macro_rules! text {
        ($($name:ident)*) => {$(
            if let Some(value) = options.text(stringify!($name))? {
                builder = builder.$name(value);
            }
        )*};
    }
    text!(user secret_file tls_ca_file tls_cert_file tls_key_file tls_danger
        encryption_key_file);
    macro_rules! number {
        ($($name:ident)*) => {$(
            if let Some(value) = options.number(stringify!($name))? {
                builder = builder.$name(value);
            }
        )*};
    }
    number!(connect_timeout_ms request_timeout_ms heartbeat_ms retry_backoff_ms
        retry_backoff_max_ms runtime_threads busy_poll_us);
    let (runtime, connecting) = builder.connecting().map_err(|error| raise(py, &error))?;
    call(py, &runtime, queue, "connecting", connecting, |py, inner| {
        Ok(Py::new(py, Client { inner })?.into_any())
    })
}

impl Client {
    pub(crate) fn core(&self, py: Python<'_>) -> PyResult<tidewire::Client> {
        self.inner.as_async().cloned().map_err(|error| raise(py, &error))
    }
}

#[pymethods]
impl Client {
    /// What the server said of itself.
    fn server<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let info = self.inner.server().map_err(|error| raise(py, &error))?;
        let limits = info.limits;
        let limits = (
            limits.max_frame_len,
            limits.max_batch_len,
            limits.max_batch_records,
            limits.max_in_flight,
            limits.max_channels,
        );
        let server = (info.name, info.version, info.address, info.id, limits);
        Ok(server.into_pyobject(py)?.into_any())
    }

    fn ping(&self, py: Python<'_>, queue: Option<&Queue>) -> PyResult<Py<PyAny>> {
        let client = self.core(py)?;
        let ping = async move { client.ping().await };
        call(py, self.inner.runtime(), queue, "ping", ping, |py, took| {
            Ok(took.as_secs_f64().into_pyobject(py)?.into_any().unbind())
        })
    }

    fn close(&self, py: Python<'_>, queue: Option<&Queue>) -> PyResult<Py<PyAny>> {
        let client = self.core(py)?;
        let close = async move { client.close().await };
        call(py, self.inner.runtime(), queue, "closing", close, none)
    }

    fn events(&self, py: Python<'_>) -> PyResult<Events> {
        let events = self.inner.events().map_err(|error| raise(py, &error))?;
        let runtime = self.inner.runtime().clone();
        Ok(Events { events: Arc::new(Mutex::new(events)), runtime })
    }

    fn producer(
        &self,
        py: Python<'_>,
        queue: Option<Py<Queue>>,
        topic: &str,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Py<PyAny>> {
        Opened::open(py, &self.inner, queue, topic, &Options::new(options))
    }

    fn consumer(
        &self,
        py: Python<'_>,
        queue: Option<Py<Queue>>,
        topics: Vec<String>,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Py<PyAny>> {
        crate::consumer::open(py, &self.inner, queue, topics, options)
    }

    /// Batches of a partition, and its first, last and next offset.
    fn fetch(
        &self,
        py: Python<'_>,
        queue: Option<&Queue>,
        topic: String,
        partition: Count<u32>,
        offset: &Bound<'_, PyAny>,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Py<PyAny>> {
        let offset = number(offset, "offset", (0, u64::MAX), Code::INVALID_ARGUMENT)?;
        let given = Options::new(options);
        let mut options = FetchOptions::default();
        if let Some(max_bytes) = given.number("max_bytes")? {
            options = options.max_bytes(max_bytes);
        }
        if let Some(min_bytes) = given.number("min_bytes")? {
            options = options.min_bytes(min_bytes);
        }
        if let Some(max_wait_ms) = given.number("max_wait_ms")? {
            options = options.max_wait_ms(max_wait_ms);
        }
        let client = self.core(py)?;
        let fetch = async move { client.fetch(&topic, partition.0, offset, options).await };
        call(py, self.inner.runtime(), queue, "fetch", fetch, |py, fetched| {
            let batches: Vec<Batch> = fetched.batches.into_iter().map(Batch::new).collect();
            let all = (batches, fetched.start_offset, fetched.end_offset, fetched.next_offset);
            Ok(all.into_pyobject(py)?.into_any().unbind())
        })
    }
}

/// A watch of what happens to a client.
#[pyclass(frozen, module = "tidewire._native")]
pub(crate) struct Events {
    events: Arc<Mutex<tidewire::Events>>,
    runtime: blocking::Runtime,
}

#[pymethods]
impl Events {
    /// The next event as a dictionary; `None` when the time is over or the client is gone.
    fn next(
        &self,
        py: Python<'_>,
        queue: Option<&Queue>,
        timeout: Option<f64>,
    ) -> PyResult<Py<PyAny>> {
        let limit = crate::wait::limit(timeout)?;
        let events = Arc::clone(&self.events);
        let next = async move {
            let wait = async { events.lock().await.next().await };
            Ok::<_, Error>(match limit {
                Some(limit) => match tokio::time::timeout(limit, wait).await {
                    Ok(event) => event.map(Some),
                    Err(_) => Some(None),
                },
                None => wait.await.map(Some),
            })
        };
        call(py, &self.runtime, queue, "waiting for an event", next, |py, event| {
            // Whether there may be more, and the event if there is one.
            let more = event.is_some();
            let event = event.flatten().map(|event| event_dict(py, &event)).transpose()?;
            Ok((more, event).into_pyobject(py)?.into_any().unbind())
        })
    }
}

fn event_dict<'py>(py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let kind = |name: &str| dict.set_item("type", name);
    let failed = |error: &Error| dict.set_item("error", exception(py, error, &[])?);
    let parts = |group: &str, partitions: &[tidewire::TopicPartition]| {
        dict.set_item("group", group)?;
        let partitions: Vec<_> =
            partitions.iter().map(|part| (part.topic.as_str(), part.partition)).collect();
        dict.set_item("partitions", partitions)
    };
    match event {
        Event::Connected { address } => {
            kind("connected")?;
            dict.set_item("address", address)?;
        }
        Event::Disconnected { address, error } => {
            kind("disconnected")?;
            dict.set_item("address", address)?;
            failed(error)?;
        }
        Event::Reconnecting { address, attempt } => {
            kind("reconnecting")?;
            dict.set_item("address", address)?;
            dict.set_item("attempt", attempt)?;
        }
        Event::GaveUp { error } => {
            kind("gave_up")?;
            failed(error)?;
        }
        Event::Throttled { topic, partition, error } => {
            kind("throttled")?;
            dict.set_item("topic", topic)?;
            dict.set_item("partition", partition)?;
            failed(error)?;
        }
        Event::PartitionsAssigned { group, partitions } => {
            kind("partitions_assigned")?;
            parts(group, partitions)?;
        }
        Event::PartitionsRevoked { group, partitions } => {
            kind("partitions_revoked")?;
            parts(group, partitions)?;
        }
        Event::PartitionsLost { group, partitions } => {
            kind("partitions_lost")?;
            parts(group, partitions)?;
        }
        Event::RecordsSkipped { topic, partition, from_offset, to_offset } => {
            kind("records_skipped")?;
            dict.set_item("topic", topic)?;
            dict.set_item("partition", partition)?;
            dict.set_item("from_offset", from_offset)?;
            dict.set_item("to_offset", to_offset)?;
        }
        Event::Missed(count) => {
            kind("missed")?;
            dict.set_item("missed", count)?;
        }
        _ => kind("other")?,
    }
    Ok(dict)
}

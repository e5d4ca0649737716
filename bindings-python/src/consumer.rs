//! Consuming: batches as they come, for who waits and for an event loop.
//!
//! Owns the two forms of a consumer (waiting or woken) behind one class; whether it is alone, has a
//! name or is a member of a group makes no difference here. The one invariant: a form that cannot
//! do something says so by an error, never by doing less.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tidewire::blocking;
use tidewire::{Code, Delivery, DeliveryQueue, Error, Position, Start};

use crate::arrow::stream::{self, Source};
use crate::batch::{Batch, BatchIter};
use crate::call::{call, none};
use crate::error::{own, raise};
use crate::input::{Count, start};
use crate::options::Options;
use crate::queue::Queue;
use crate::wait::{limit, wait};

#[expect(clippy::large_enum_variant, reason = "there is one for each consumer")]
enum Form {
    Waiting(blocking::Consumer),
    Woken(DeliveryQueue),
}

/// A consumer, or a member of a group.
#[pyclass(frozen, module = "tidewire._native")]
pub(crate) struct Consumer {
    form: Arc<Form>,
    runtime: blocking::Runtime,
    /// The queue of its event loop, in which it has a number.
    queue: Option<(Py<Queue>, u64)>,
}

/// What `subscribe` was told.
pub(crate) fn open(
    py: Python<'_>,
    client: &blocking::Client,
    queue: Option<Py<Queue>>,
    topics: Vec<String>,
    given: &Bound<'_, PyDict>,
) -> PyResult<Py<PyAny>> {
    // Before a fork's child touches anything of its parent's.
    client.as_async().map_err(|error| raise(py, &error))?;
    let options = Options::new(given);
    let invalid = |text: &str| own(py, Code::INVALID_ARGUMENT, text);
    let Some((first, more)) = topics.split_first() else {
        return Err(invalid("a consumer needs a topic"));
    };
    let mut builder = client.consumer(first);
    if let Some(start) = start(options.get("start")?.as_ref())? {
        builder = builder.start(start);
    }
    if let Some(bytes) = options.number("prefetch_bytes")? {
        builder = builder.prefetch_bytes(bytes);
    }
    for topic in more {
        builder = builder.topic(topic);
    }
    if let Some(group) = options.text("group")? {
        builder = builder.group(&group);
    }
    if let Some(name) = options.text("name")? {
        builder = builder.name(&name);
    }
    if let Some(name) = options.text("member_name")? {
        builder = builder.member_name(&name);
    }
    if let Some(value) = options.number("session_timeout_ms")? {
        builder = builder.session_timeout_ms(value);
    }
    if let Some(value) = options.number("rebalance_timeout_ms")? {
        builder = builder.rebalance_timeout_ms(value);
    }
    if let Some(value) = options.number("auto_commit_interval_ms")? {
        builder = builder.auto_commit_interval_ms(value);
    }
    for word in ["auto_commit", "on_out_of_range"] {
        if let Some(value) = options.text(word)? {
            builder = builder.option(word, &value).map_err(|error| raise(py, &error))?;
        }
    }
    if let Some(partitions) = options.get("partitions")? {
        let wrong = |_| PyTypeError::new_err("partitions must be several int");
        builder = builder.partitions(partitions.extract::<Vec<u32>>().map_err(wrong)?);
    }
    if let Some(places) = options.get("start_at")? {
        let wrong = |_| PyTypeError::new_err("start_at must map partitions to offsets");
        for (partition, offset) in places.extract::<BTreeMap<u32, u64>>().map_err(wrong)? {
            builder = builder.start_at(partition, offset);
        }
    }
    let told = queue.as_ref().map(|queue| (queue.clone_ref(py), queue.get().number()));
    let runtime = client.runtime().clone();
    let (asked, kept) = (queue.as_ref().map(Py::get), runtime.clone());
    if asked.is_none() {
        let consumer = wait(py, || builder.build())?;
        return Consumer::wrap(py, Form::Waiting(consumer), kept, None);
    }
    let building = builder.into_async();
    let subscribing = async move { building.build().await };
    call(py, &runtime, asked, "subscribing", subscribing, move |py, consumer| {
        let wake = waker(told.as_ref());
        let woken = DeliveryQueue::new(consumer, None, wake);
        let woken = woken.map_err(|error| raise(py, &error))?;
        Consumer::wrap(py, Form::Woken(woken), kept, told)
    })
}

fn waker(told: Option<&(Py<Queue>, u64)>) -> impl Fn() + Send + Sync + 'static {
    let told = told.map(|(queue, number)| (Arc::clone(queue.get().shared()), *number));
    move || {
        if let Some((shared, number)) = &told {
            shared.tell_ready(*number);
        }
    }
}

/// The call that every form has.
macro_rules! each {
    ($form:expr, $consumer:ident => $call:expr) => {
        match $form {
            Form::Waiting($consumer) => $call,
            Form::Woken($consumer) => $call,
        }
    };
}

impl Consumer {
    fn wrap(
        py: Python<'_>,
        form: Form,
        runtime: blocking::Runtime,
        queue: Option<(Py<Queue>, u64)>,
    ) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, Self { form: Arc::new(form), runtime, queue })?.into_any())
    }

    fn asked(&self) -> Option<&Queue> {
        self.queue.as_ref().map(|(queue, _)| queue.get())
    }
}

fn place(py: Python<'_>, position: Position) -> PyResult<Py<PyAny>> {
    let place = (position.partition, position.next_offset, position.end_offset);
    Ok(place.into_pyobject(py)?.into_any().unbind())
}

#[pymethods]
impl Consumer {
    /// The next batch, waited for; `None` if there was none in time, or none will come.
    fn poll(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Batch>> {
        let limit = limit(timeout)?;
        let batch = wait(py, || match &*self.form {
            Form::Waiting(consumer) => consumer.poll(limit),
            Form::Woken(_) => Ok(None),
        })?;
        Ok(batch.map(Batch::new))
    }

    /// Of a loop: the next batch if there is one.
    fn try_next(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        loop {
            let next = match &*self.form {
                Form::Woken(consumer) => consumer.try_next(),
                Form::Waiting(_) => Ok(None),
            };
            match next.map_err(|error| raise(py, &error))? {
                Some(Delivery::Batch(batch)) => return Ok(Some(Batch::new(batch))),
                Some(Delivery::Error(error)) => return Err(raise(py, &error)),
                Some(Delivery::Closed) | None => return Ok(None),
                Some(_) => {}
            }
        }
    }

    /// Of a loop: a future that is completed when there may be something.
    fn ready(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let (queue, number) = self.queue.as_ref().expect("only consumers of a loop call it");
        queue.get().wait_ready(py, *number)
    }

    /// Whether nothing will come any more.
    fn is_closed(&self) -> bool {
        each!(&*self.form, consumer => consumer.is_closed())
    }

    fn seek(
        &self,
        py: Python<'_>,
        partition: Count<u32>,
        to: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let to = place_of(to)?;
        each!(&*self.form, consumer => consumer.seek(partition.0, to))
            .map_err(|error| raise(py, &error))
    }

    fn pause(&self, py: Python<'_>, partition: Count<u32>) -> PyResult<()> {
        each!(&*self.form, consumer => consumer.pause(partition.0))
            .map_err(|error| raise(py, &error))
    }

    fn resume(&self, py: Python<'_>, partition: Count<u32>) -> PyResult<()> {
        each!(&*self.form, consumer => consumer.resume(partition.0))
            .map_err(|error| raise(py, &error))
    }

    fn add_partition(
        &self,
        py: Python<'_>,
        partition: Count<u32>,
        from_: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let place = place_of(from_)?;
        each!(&*self.form, consumer => consumer.add_partition(partition.0, place))
            .map_err(|error| raise(py, &error))
    }

    fn remove_partition(
        &self,
        py: Python<'_>,
        partition: Count<u32>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let removed = each!(&*self.form, consumer => consumer.remove_partition(partition.0));
        let removed = removed.map_err(|error| raise(py, &error))?;
        removed.map(|position| place(py, position)).transpose()
    }

    fn positions(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let positions = each!(&*self.form, consumer => consumer.positions());
        let positions = positions.map_err(|error| raise(py, &error))?;
        positions.into_iter().map(|position| place(py, position)).collect()
    }

    fn lag(&self, py: Python<'_>) -> PyResult<u64> {
        each!(&*self.form, consumer => consumer.lag()).map_err(|error| raise(py, &error))
    }

    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = each!(&*self.form, consumer => consumer.stats());
        let stats = stats.map_err(|error| raise(py, &error))?;
        let dict = PyDict::new(py);
        macro_rules! set {
            ($($name:ident)*) => {$( dict.set_item(stringify!($name), stats.$name)?; )*};
        }
        set!(partitions live_partitions buffered_bytes batches bytes resubscriptions
            skipped_offsets stored_offsets);
        Ok(dict)
    }

    fn assignment(&self, py: Python<'_>) -> PyResult<Vec<(String, u32)>> {
        let parts = each!(&*self.form, consumer => consumer.assignment());
        let parts = parts.map_err(|error| raise(py, &error))?;
        Ok(parts.into_iter().map(|part| (part.topic, part.partition)).collect())
    }

    fn member(&self, py: Python<'_>) -> PyResult<(u64, u32)> {
        let member = each!(&*self.form, consumer => consumer.member());
        member.map_err(|error| raise(py, &error))?.ok_or_else(|| {
            let text = "member is for members of a group: open the consumer with group=";
            own(py, Code::INVALID_ARGUMENT, text)
        })
    }

    /// Stores how far the batches reach that were returned, or one of them, or an offset. Of the
    /// batch of `left` it is only what was given of it.
    fn commit(
        &self,
        py: Python<'_>,
        batch: Option<&Batch>,
        offset: Option<(String, u32, u64)>,
        left: Option<&BatchIter>,
    ) -> PyResult<Py<PyAny>> {
        let left = left.and_then(BatchIter::place);
        match &*self.form {
            Form::Waiting(consumer) => {
                wait(py, || match (batch, &offset, &left) {
                    (Some(batch), ..) => consumer.commit_batch(&batch.inner),
                    (None, Some((topic, partition, offset)), _) => {
                        consumer.commit_offset((topic.as_str(), *partition), *offset)
                    }
                    (None, None, Some((topic, partition, offset))) => {
                        consumer.commit_until((topic.as_str(), *partition), *offset)
                    }
                    (None, None, None) => consumer.commit(),
                })?;
                Ok(py.None())
            }
            Form::Woken(consumer) => {
                let control = consumer.control().map_err(|error| raise(py, &error))?;
                let batch = batch.map(|batch| Arc::clone(&batch.inner));
                let commit = async move {
                    match (batch, offset, left) {
                        (Some(batch), ..) => control.commit_batch(&batch).await,
                        (None, Some((topic, partition, offset)), _) => {
                            control.commit_offset((topic.as_str(), partition), offset).await
                        }
                        (None, None, Some((topic, partition, offset))) => {
                            control.commit_until((topic.as_str(), partition), offset).await
                        }
                        (None, None, None) => control.commit().await,
                    }
                };
                call(py, &self.runtime, self.asked(), "commit", commit, none)
            }
        }
    }

    /// The same as a pyarrow ``Table``.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::arrow::pyarrow(slf.py(), "table", slf.as_any())
    }

    /// Ends all waiting, now and for ever, and waits until the server knows; of a loop, an
    /// `Operation` of that, begun already.
    fn close(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        let limit = limit(timeout)?;
        let deliveries = match &*self.form {
            Form::Waiting(consumer) => {
                wait(py, || consumer.close(limit))?;
                return Ok(py.None());
            }
            Form::Woken(deliveries) => deliveries,
        };
        let closed = deliveries.close().and_then(|()| deliveries.control());
        let control = closed.map_err(|error| raise(py, &error))?;
        let closing = async move {
            control.closed().await;
            Ok(())
        };
        call(py, &self.runtime, self.asked(), "closing", closing, none)
    }

    /// What there is, up to its end as it is known now, through the Arrow PyCapsule interface.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        drop(requested_schema);
        let Form::Waiting(consumer) = &*self.form else {
            let text = "only a consumer of a Client is an Arrow stream: use batch.to_arrow()";
            return Err(own(py, Code::INVALID_ARGUMENT, text));
        };
        let member = consumer.member().map_err(|error| raise(py, &error))?;
        if member.is_some() {
            let text = "a member of a group is no Arrow stream: use batch.to_arrow()";
            return Err(own(py, Code::INVALID_ARGUMENT, text));
        }
        let positions = consumer.positions().map_err(|error| raise(py, &error))?;
        let ends = positions
            .into_iter()
            .filter(|position| position.next_offset < position.end_offset)
            .map(|position| (position.partition, position.end_offset));
        let source = Waiting { form: Arc::clone(&self.form) };
        let made = stream::new(Box::new(source), ends.collect());
        crate::arrow::capsule(py, crate::arrow::STREAM, made)
    }
}

struct Waiting {
    form: Arc<Form>,
}

/// What is known to be there comes soon, or something is wrong.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

impl Source for Waiting {
    fn next(&mut self) -> Result<Option<tidewire::Batch>, Error> {
        let Form::Waiting(consumer) = &*self.form else { return Ok(None) };
        consumer.poll(Some(PATIENCE))
    }
}

fn place_of(object: &Bound<'_, PyAny>) -> PyResult<Start> {
    start(Some(object))?.ok_or_else(|| {
        let text = "a place is \"earliest\", \"latest\", an offset or a time, not None";
        PyTypeError::new_err(text)
    })
}

//! Consuming: batches as they come, for who waits and for an event loop.
//!
//! Owns the four forms of a consumer (alone or in a group, waiting or woken) behind one class. The
//! one invariant: a form that cannot do something says so by an error, never by doing less.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tidewire::blocking;
use tidewire::{
    AutoCommit, Code, Delivery, DeliveryQueue, Error, GroupDeliveryQueue, Position, Start,
};

use crate::arrow::stream::{self, Source};
use crate::batch::Batch;
use crate::call::{call, none};
use crate::error::{own, raise};
use crate::input::{Count, start};
use crate::options::Options;
use crate::queue::Queue;
use crate::wait::{limit, wait};

#[expect(clippy::large_enum_variant, reason = "there is one for each consumer")]
enum Form {
    Alone(blocking::Consumer),
    Member(blocking::GroupConsumer),
    AloneWoken(DeliveryQueue),
    MemberWoken(GroupDeliveryQueue),
}

/// A consumer, or a member of a group.
#[pyclass(frozen, module = "tidewire._native")]
pub(crate) struct Consumer {
    form: Arc<Form>,
    runtime: blocking::Runtime,
    /// The queue of its event loop, in which it has a number.
    queue: Option<(Py<Queue>, u64)>,
    /// It was told that nothing will come any more.
    over: AtomicBool,
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
    let told = queue.as_ref().map(|queue| (queue.clone_ref(py), queue.get().number()));
    let runtime = client.runtime().clone();
    let (asked, kept) = (queue.as_ref().map(Py::get), runtime.clone());
    if let Some(group) = options.text("group")? {
        if options.get("partitions")?.is_some() || options.get("start_at")?.is_some() {
            return Err(invalid(
                "partitions and start_at are not for members of a group, which divides the \
                 partitions by itself",
            ));
        }
        let mut builder = builder.group(&group);
        for topic in more {
            builder = builder.topic(topic);
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
        if let Some(auto) = auto_commit(&options)? {
            builder = builder.auto_commit(auto);
        }
        if asked.is_none() {
            let member = wait(py, || builder.build())?;
            return Consumer::wrap(py, Form::Member(member), kept, None);
        }
        let building = builder.into_async();
        let joining = async move { building.build().await };
        return call(py, &runtime, asked, "joining a group", joining, move |py, member| {
            let wake = waker(told.as_ref());
            let woken = GroupDeliveryQueue::new(member, None, wake);
            let woken = woken.map_err(|error| raise(py, &error))?;
            Consumer::wrap(py, Form::MemberWoken(woken), kept, told)
        });
    }
    let of_groups = [
        "member_name",
        "session_timeout_ms",
        "rebalance_timeout_ms",
        "auto_commit",
        "auto_commit_interval_ms",
    ];
    for name in of_groups {
        if options.get(name)?.is_some() {
            let text = format!("{name} is for members of a group: give group=, too");
            return Err(invalid(&text));
        }
    }
    if !more.is_empty() {
        return Err(invalid("several topics are for members of a group: give group=, too"));
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
    if asked.is_none() {
        let consumer = wait(py, || builder.build())?;
        return Consumer::wrap(py, Form::Alone(consumer), kept, None);
    }
    let building = builder.into_async();
    let subscribing = async move { building.build().await };
    call(py, &runtime, asked, "subscribing", subscribing, move |py, consumer| {
        let wake = waker(told.as_ref());
        let woken = DeliveryQueue::new(consumer, None, wake);
        let woken = woken.map_err(|error| raise(py, &error))?;
        Consumer::wrap(py, Form::AloneWoken(woken), kept, told)
    })
}

fn auto_commit(options: &Options<'_, '_>) -> PyResult<Option<AutoCommit>> {
    let words = [
        ("off", AutoCommit::Off),
        ("after", AutoCommit::After),
        ("before", AutoCommit::Before),
    ];
    options.word("auto_commit", &words)
}

fn waker(told: Option<&(Py<Queue>, u64)>) -> impl Fn() + Send + Sync + 'static {
    let told = told.map(|(queue, number)| (Arc::clone(queue.get().shared()), *number));
    move || {
        if let Some((shared, number)) = &told {
            shared.tell_ready(*number);
        }
    }
}

/// For each form, the call that it has for it.
macro_rules! each {
    ($form:expr, $consumer:ident => $call:expr, member: $other:expr) => {
        match $form {
            Form::Alone($consumer) => $call,
            Form::AloneWoken($consumer) => $call,
            Form::Member(_) | Form::MemberWoken(_) => $other,
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
        Ok(Py::new(
            py,
            Self { form: Arc::new(form), runtime, queue, over: AtomicBool::new(false) },
        )?
        .into_any())
    }

    fn asked(&self) -> Option<&Queue> {
        self.queue.as_ref().map(|(queue, _)| queue.get())
    }

    /// The error of a call that members of a group do not have.
    fn not_for_members<T>(what: &str) -> Result<T, (Code, String)> {
        Err((Code::INVALID_ARGUMENT, format!("{what} is not for members of a group")))
    }
}

/// What came of a call: an error of the core's, or one of this side.
type Told<T> = Result<Result<T, Error>, (Code, String)>;

fn told<T>(py: Python<'_>, told: Told<T>) -> PyResult<T> {
    match told {
        Ok(result) => result.map_err(|error| raise(py, &error)),
        Err((code, text)) => Err(own(py, code, &text)),
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
            Form::Alone(consumer) => consumer.poll(limit),
            Form::Member(member) => member.poll(limit),
            Form::AloneWoken(_) | Form::MemberWoken(_) => Ok(None),
        })?;
        Ok(batch.map(Batch::new))
    }

    /// Of a loop: the next batch if there is one.
    fn try_next(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        loop {
            let next = match &*self.form {
                Form::AloneWoken(consumer) => consumer.try_next(),
                Form::MemberWoken(member) => member.try_next(),
                Form::Alone(_) | Form::Member(_) => Ok(None),
            };
            match next.map_err(|error| raise(py, &error))? {
                Some(Delivery::Batch(batch)) => return Ok(Some(Batch::new(batch))),
                Some(Delivery::Error(error)) => return Err(raise(py, &error)),
                Some(Delivery::Closed) => {
                    self.over.store(true, Ordering::Relaxed);
                    return Ok(None);
                }
                None => return Ok(None),
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
        match &*self.form {
            Form::Alone(consumer) => consumer.is_closed(),
            Form::AloneWoken(consumer) => consumer.is_closed(),
            Form::Member(_) | Form::MemberWoken(_) => self.over.load(Ordering::Relaxed),
        }
    }

    fn seek(
        &self,
        py: Python<'_>,
        partition: Count<u32>,
        to: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let to = place_of(to)?;
        told(
            py,
            each!(&*self.form, consumer => Ok(consumer.seek(partition.0, to)),
            member: Self::not_for_members("seek")),
        )
    }

    fn pause(&self, py: Python<'_>, partition: Count<u32>) -> PyResult<()> {
        told(
            py,
            each!(&*self.form, consumer => Ok(consumer.pause(partition.0)),
            member: Self::not_for_members("pause")),
        )
    }

    fn resume(&self, py: Python<'_>, partition: Count<u32>) -> PyResult<()> {
        told(
            py,
            each!(&*self.form, consumer => Ok(consumer.resume(partition.0)),
            member: Self::not_for_members("resume")),
        )
    }

    fn add_partition(
        &self,
        py: Python<'_>,
        partition: Count<u32>,
        from_: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let place = place_of(from_)?;
        told(
            py,
            each!(&*self.form, consumer => Ok(consumer.add_partition(partition.0, place)),
            member: Self::not_for_members("add_partition")),
        )
    }

    fn remove_partition(
        &self,
        py: Python<'_>,
        partition: Count<u32>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let removed = each!(&*self.form,
            consumer => Ok(consumer.remove_partition(partition.0)),
            member: Self::not_for_members("remove_partition"));
        told(py, removed)?.map(|position| place(py, position)).transpose()
    }

    fn positions(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let positions = each!(&*self.form, consumer => Ok(consumer.positions()),
            member: Self::not_for_members("positions"));
        told(py, positions)?.into_iter().map(|position| place(py, position)).collect()
    }

    fn lag(&self, py: Python<'_>) -> PyResult<u64> {
        let lag = match &*self.form {
            Form::Alone(consumer) => consumer.lag(),
            Form::AloneWoken(consumer) => consumer.lag(),
            Form::Member(member) => member.lag(),
            Form::MemberWoken(member) => member.control().map(|control| control.lag()),
        };
        lag.map_err(|error| raise(py, &error))
    }

    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = each!(&*self.form, consumer => Ok(consumer.stats()),
            member: Self::not_for_members("stats"));
        let stats = told(py, stats)?;
        let dict = PyDict::new(py);
        macro_rules! set {
            ($($name:ident)*) => {$( dict.set_item(stringify!($name), stats.$name)?; )*};
        }
        set!(partitions live_partitions buffered_bytes batches bytes resubscriptions);
        Ok(dict)
    }

    fn assignment(&self, py: Python<'_>) -> PyResult<Vec<(String, u32)>> {
        let parts = match &*self.form {
            Form::Member(member) => Ok(member.assignment()),
            Form::MemberWoken(member) => Ok(member.control().map(|c| c.assignment())),
            Form::Alone(_) | Form::AloneWoken(_) => alone("assignment"),
        };
        let parts = told(py, parts)?;
        Ok(parts.into_iter().map(|part| (part.topic, part.partition)).collect())
    }

    fn member(&self, py: Python<'_>) -> PyResult<(u64, u32)> {
        let member = match &*self.form {
            Form::Member(member) => Ok(member.member()),
            Form::MemberWoken(member) => Ok(member.control().map(|c| c.member())),
            Form::Alone(_) | Form::AloneWoken(_) => alone("member"),
        };
        told(py, member)
    }

    /// Stores how far the batches reach that were returned, or one of them, or an offset.
    fn commit(
        &self,
        py: Python<'_>,
        batch: Option<&Batch>,
        offset: Option<(String, u32, u64)>,
    ) -> PyResult<Py<PyAny>> {
        match &*self.form {
            Form::Member(member) => {
                wait(py, || match (batch, &offset) {
                    (Some(batch), _) => member.commit_batch(&batch.inner),
                    (None, Some((topic, partition, offset))) => {
                        member.commit_offset(topic, *partition, *offset)
                    }
                    (None, None) => member.commit(),
                })?;
                Ok(py.None())
            }
            Form::MemberWoken(member) => {
                let control = member.control().map_err(|error| raise(py, &error))?;
                let batch = batch.map(|batch| Arc::clone(&batch.inner));
                let commit = async move {
                    match (batch, offset) {
                        (Some(batch), _) => control.commit_batch(&batch).await,
                        (None, Some((topic, partition, offset))) => {
                            control.commit_offset(&topic, partition, offset).await
                        }
                        (None, None) => control.commit().await,
                    }
                };
                call(py, &self.runtime, self.asked(), "commit", commit, none)
            }
            Form::Alone(_) | Form::AloneWoken(_) => told(py, alone("commit")),
        }
    }

    /// The same as a pyarrow ``Table``.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::arrow::pyarrow(slf.py(), "table", slf.as_any())
    }

    /// Ends all waiting, now and for ever.
    fn close(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let limit = limit(timeout)?;
        let closed = match &*self.form {
            Form::Alone(consumer) => consumer.close(),
            Form::AloneWoken(consumer) => consumer.close(),
            Form::Member(member) => return wait(py, || member.close(limit)),
            Form::MemberWoken(member) => member.close(),
        };
        closed.map_err(|error| raise(py, &error))
    }

    /// What there is, up to its end as it is known now, through the Arrow PyCapsule interface.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        drop(requested_schema);
        let Form::Alone(consumer) = &*self.form else {
            let text = "only a consumer without a group, of a Client, is an Arrow stream: use \
                        batch.to_arrow()";
            return Err(own(py, Code::INVALID_ARGUMENT, text));
        };
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
        let Form::Alone(consumer) = &*self.form else { return Ok(None) };
        consumer.poll(Some(PATIENCE))
    }
}

fn alone<T>(what: &str) -> Told<T> {
    let text = format!("{what} is for members of a group: open the consumer with group=");
    Err((Code::INVALID_ARGUMENT, text))
}

fn place_of(object: &Bound<'_, PyAny>) -> PyResult<Start> {
    start(Some(object))?.ok_or_else(|| {
        let text = "a place is \"earliest\", \"latest\", an offset or a time, not None";
        PyTypeError::new_err(text)
    })
}

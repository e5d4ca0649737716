//! Sending many records at once, by one call.
//!
//! Owns the records that are still to be taken and the tickets of those that were. The one
//! invariant: records are taken in order, each once, however often the queue is full between.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyIterator, PyList, PyString, PyTuple, PyType};
use tidewire::blocking;
use tidewire::{Code, Error, RecordRef, Tickets};

use super::Producer;
use super::receipts::Receipts;
use super::records::{Given, now_us};
use super::tickets::Receipt;
use crate::arrow::rows::Rows;
use crate::batch::Record;
use crate::error::{exception, raise};
use crate::input::{HeaderObjects, partition};
use crate::queue::Queue;
use crate::wait::{limit, wait};

/// Values that are taken at once.
const RUN: usize = 256;

static NEW_RECORD: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Records on their way; see the package's `send_batch` and `send_arrow`.
#[pyclass(frozen, module = "tidewire._native")]
pub(crate) struct Sending {
    producer: blocking::Producer,
    owner: Py<Producer>,
    state: Mutex<State>,
}

struct State {
    source: Source,
    /// Those of all records.
    headers: Vec<(String, Vec<u8>)>,
    partition: Option<u32>,
    tickets: Tickets,
}

enum Source {
    List(List),
    Values(Values),
    Rows(Box<Rows>),
}

/// A list of values and nothing beside them.
struct List {
    list: Py<PyList>,
    /// Index of the first that is not in the queue yet.
    next: usize,
}

/// Columns of Python's, side by side.
struct Values {
    values: Py<PyIterator>,
    keys: Option<Py<PyIterator>>,
    timestamps: Option<Py<PyIterator>>,
    /// How many to take at once: more than one only of what is there already.
    run: usize,
    /// Taken from the iterators, but not yet into the queue.
    held: VecDeque<Item>,
    /// What the iterators raised, behind those.
    failed: Option<PyErr>,
    /// How many were taken.
    index: usize,
}

struct Item {
    value: Py<PyAny>,
    key: Option<Py<PyAny>>,
    timestamp: Option<Py<PyAny>>,
}

/// What came of pushing.
enum Pushed {
    Taken,
    Full,
    Over,
}

impl Sending {
    pub(super) fn of_values(
        producer: &Bound<'_, Producer>,
        values: &Bound<'_, PyAny>,
        keys: Option<&Bound<'_, PyAny>>,
        timestamps: Option<&Bound<'_, PyAny>>,
        headers: Option<&Bound<'_, PyAny>>,
        partition: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let iterator = |object: &Bound<'_, PyAny>| object.try_iter().map(Bound::unbind);
        let given = |object: Option<&Bound<'_, PyAny>>| {
            object.filter(|object| !object.is_none()).map(iterator).transpose()
        };
        // Its characters would be sent one by one.
        if values.is_instance_of::<PyString>() || values.is_instance_of::<PyBytes>() {
            let text = "values must be several values, not one: send() sends one";
            return Err(pyo3::exceptions::PyTypeError::new_err(text));
        }
        let (keys, timestamps) = (given(keys)?, given(timestamps)?);
        let source = match values.cast_exact::<PyList>() {
            Ok(list) if keys.is_none() && timestamps.is_none() => {
                Source::List(List { list: list.clone().unbind(), next: 0 })
            }
            list => Source::Values(Values {
                values: iterator(values)?,
                keys,
                timestamps,
                run: if list.is_ok() { RUN } else { 1 },
                held: VecDeque::new(),
                failed: None,
                index: 0,
            }),
        };
        Self::new(producer, source, headers, partition)
    }

    pub(super) fn of_table(
        producer: &Bound<'_, Producer>,
        table: &Bound<'_, PyAny>,
        columns: (String, Option<String>, Option<String>),
        headers: Option<&Bound<'_, PyAny>>,
        partition: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let (value, key, timestamp) = columns;
        let rows = Rows::of(table, &value, key.as_deref(), timestamp.as_deref())?;
        Self::new(producer, Source::Rows(Box::new(rows)), headers, partition)
    }

    fn new(
        producer: &Bound<'_, Producer>,
        source: Source,
        headers: Option<&Bound<'_, PyAny>>,
        partition: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let objects = HeaderObjects::of(headers)?;
        let inputs = objects.inputs()?;
        let headers = inputs
            .iter()
            .map(|(name, value)| {
                ((*name).to_owned(), value.bytes().unwrap_or_default().to_vec())
            })
            .collect();
        let state = State {
            source,
            headers,
            partition: self::partition(partition)?,
            tickets: Tickets::default(),
        };
        // Checks for a fork.
        producer.get().core(producer.py())?;
        Ok(Self {
            producer: producer.get().inner.clone(),
            owner: producer.clone().unbind(),
            state: Mutex::new(state),
        })
    }
}

#[pymethods]
impl Sending {
    /// Puts records into the queue until all are there (true) or it is full (false).
    fn push(&self, py: Python<'_>) -> PyResult<bool> {
        let waits = self.owner.get().waits();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let producer = self.producer.as_async().map_err(|error| raise(py, &error))?;
        loop {
            match state.push(py, producer, waits)? {
                Pushed::Taken => {}
                Pushed::Full => return Ok(false),
                Pushed::Over => {
                    producer.expedite();
                    return Ok(true);
                }
            }
        }
    }

    /// Pushes all, waiting for room, and waits for all outcomes.
    fn finish(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        let (limit, begun) = (limit(timeout)?, Instant::now());
        let left = || limit.map(|limit| limit.saturating_sub(begun.elapsed()));
        while !self.push(py)? {
            let room = left();
            wait(py, || self.producer.ready(room))?;
        }
        let tickets = self.take_tickets();
        let runtime = self.owner.get().runtime(py)?;
        let room: Option<Duration> = left();
        let outcomes =
            wait(py, || runtime.wait("waiting for acknowledgements", room, outcomes(tickets)))?;
        into_object(outcomes, py)
    }

    /// Of a loop: an operation that brings all outcomes once all is pushed.
    fn outcomes(&self, py: Python<'_>, queue: &Queue) -> PyResult<Py<PyAny>> {
        let tickets = self.take_tickets();
        let runtime = self.owner.get().runtime(py)?;
        let all = async move { Ok::<_, Error>(outcomes(tickets).await) };
        let operation = queue.start(py, &runtime, all, |py, all| into_object(all, py))?;
        Ok(Py::new(py, operation)?.into_any())
    }
}

impl Sending {
    fn take_tickets(&self) -> Tickets {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.tickets)
    }
}

impl State {
    fn push(
        &mut self,
        py: Python<'_>,
        producer: &tidewire::Producer,
        waits: bool,
    ) -> PyResult<Pushed> {
        let mut shared: Vec<(&str, &[u8])> = Vec::new();
        if !self.headers.is_empty() {
            shared = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
        }
        let waits_for = |error: &Error| waits && error.code() == Code::QUEUE_FULL;
        match &mut self.source {
            Source::List(list) => {
                let Some((tickets, refused)) =
                    list.push(py, producer, &shared, self.partition)?
                else {
                    return Ok(Pushed::Over);
                };
                self.tickets.append(tickets);
                match refused {
                    None => Ok(Pushed::Taken),
                    Some(error) if waits_for(&error) => Ok(Pushed::Full),
                    Some(error) => Err(raise(py, &error)),
                }
            }
            Source::Values(values) => {
                if !values.take(py) {
                    return values.failed.take().map_or(Ok(Pushed::Over), Err);
                }
                let refused =
                    values.push(py, producer, &shared, self.partition, |tickets| {
                        self.tickets.append(tickets);
                    })?;
                match refused {
                    None => Ok(Pushed::Taken),
                    Some(error) if waits_for(&error) => Ok(Pushed::Full),
                    Some(error) => Err(raise(py, &error)),
                }
            }
            Source::Rows(rows) => {
                let Some(row) = rows.peek()? else { return Ok(Pushed::Over) };
                let record = RecordRef {
                    key: row.key,
                    value: row.value,
                    headers: &shared,
                    timestamp_us: row.timestamp_us.unwrap_or_else(now_us),
                    id: None,
                };
                let (tickets, refused) = producer.enqueue_many(&[record], self.partition);
                self.tickets.append(tickets);
                match refused {
                    Some(error) if waits_for(&error) => return Ok(Pushed::Full),
                    Some(error) => return Err(raise(py, &error)),
                    None => rows.advance(),
                }
                Ok(Pushed::Taken)
            }
        }
    }
}

/// Says which of many values it was.
fn located(py: Python<'_>, error: PyErr, index: usize) -> PyErr {
    let note = format!("in values[{index}]; the records before it are sent all the same");
    let _ = error.value(py).call_method1("add_note", (note,));
    error
}

impl List {
    /// Puts the next ones into the queue: as many as are plain by one call, else one. None if
    /// there are no more. The list may grow and shrink between calls; what is taken is held.
    fn push(
        &mut self,
        py: Python<'_>,
        producer: &tidewire::Producer,
        shared: &[(&str, &[u8])],
        partition: Option<u32>,
    ) -> PyResult<Option<(Tickets, Option<Error>)>> {
        let list = self.list.bind(py);
        let end = list.len().min(self.next.saturating_add(RUN));
        let run: Vec<Bound<'_, PyAny>> =
            (self.next..end).map_while(|index| list.get_item(index).ok()).collect();
        let Some(first) = run.first() else { return Ok(None) };
        let timestamp_us = now_us();
        let plain: Vec<RecordRef<'_>> = run
            .iter()
            .map_while(|value| {
                let value = Some(bytes_of(value)?);
                Some(RecordRef { key: None, value, headers: shared, timestamp_us, id: None })
            })
            .collect();
        let (tickets, refused) = match plain.is_empty() {
            false => producer.enqueue_many(&plain, partition),
            true => push_one(first, None, None, producer, shared, partition)
                .map_err(|error| located(py, error, self.next))?,
        };
        self.next += tickets.len();
        Ok(Some((tickets, refused)))
    }
}

impl Values {
    /// Takes values from the iterators, if none are held; false if there are no more.
    fn take(&mut self, py: Python<'_>) -> bool {
        while self.held.len() < self.run && self.failed.is_none() {
            match self.next(py) {
                Ok(Some(item)) => self.held.push_back(item),
                Ok(None) => break,
                Err(error) => self.failed = Some(error),
            }
        }
        !self.held.is_empty()
    }

    fn next(&mut self, py: Python<'_>) -> PyResult<Option<Item>> {
        let Some(value) = self.values.bind(py).clone().next() else { return Ok(None) };
        let value = value?.unbind();
        let index = self.index;
        let beside = |iterator: &Option<Py<PyIterator>>, what: &str| {
            let Some(iterator) = iterator else { return Ok(None) };
            match iterator.bind(py).clone().next() {
                Some(object) => object.map(|object| Some(object.unbind())),
                None => {
                    let text = format!("{what} has {index} entries, values has more");
                    Err(PyValueError::new_err(text))
                }
            }
        };
        let key = beside(&self.keys, "keys")?;
        let timestamp = beside(&self.timestamps, "timestamps")?;
        self.index += 1;
        Ok(Some(Item { value, key, timestamp }))
    }

    /// Puts those that are held into the queue: as many as are plain by one call, else the first.
    /// What refused the next one, if anything did; it is held on, and so are those behind it.
    fn push(
        &mut self,
        py: Python<'_>,
        producer: &tidewire::Producer,
        shared: &[(&str, &[u8])],
        partition: Option<u32>,
        taken: impl FnOnce(Tickets),
    ) -> PyResult<Option<Error>> {
        let now = now_us();
        let plain: Vec<RecordRef<'_>> =
            self.held.iter().map_while(|item| item.plain(py, shared, now)).collect();
        let (tickets, refused) = match plain.is_empty() {
            false => producer.enqueue_many(&plain, partition),
            true => {
                let first = self.index - self.held.len();
                let item = self.held.front().expect("some are held");
                let pushed = item.push(py, producer, shared, partition);
                pushed.map_err(|error| located(py, error, first))?
            }
        };
        self.held.drain(..tickets.len());
        taken(tickets);
        Ok(refused)
    }
}

impl Item {
    /// The record, if its parts are bytes or text, and nothing else is said of it.
    fn plain<'a>(
        &'a self,
        py: Python<'a>,
        headers: &'a [(&'a str, &'a [u8])],
        timestamp_us: i64,
    ) -> Option<RecordRef<'a>> {
        if self.timestamp.is_some() {
            return None;
        }
        let value = Some(bytes_of(self.value.bind(py))?);
        let key = match &self.key {
            Some(key) if key.is_none(py) => None,
            Some(key) => Some(bytes_of(key.bind(py))?),
            None => None,
        };
        Some(RecordRef { key, value, headers, timestamp_us, id: None })
    }

    fn push(
        &self,
        py: Python<'_>,
        producer: &tidewire::Producer,
        shared: &[(&str, &[u8])],
        partition: Option<u32>,
    ) -> PyResult<(Tickets, Option<Error>)> {
        let key = self.key.as_ref().map(|key| key.bind(py));
        let timestamp = self.timestamp.as_ref().map(|time| time.bind(py));
        push_one(self.value.bind(py), key, timestamp, producer, shared, partition)
    }
}

/// Puts a record into the queue that is a value of any type, one that was read, or a new one.
fn push_one(
    value: &Bound<'_, PyAny>,
    key: Option<&Bound<'_, PyAny>>,
    timestamp: Option<&Bound<'_, PyAny>>,
    producer: &tidewire::Producer,
    shared: &[(&str, &[u8])],
    partition: Option<u32>,
) -> PyResult<(Tickets, Option<Error>)> {
    let push = |record: &RecordRef<'_>, own: Option<u32>| {
        producer.enqueue_many(std::slice::from_ref(record), own.or(partition))
    };
    let with_headers = |record: &RecordRef<'_>, own: Option<u32>| {
        if shared.is_empty() {
            return push(record, own);
        }
        let headers = [shared, record.headers].concat();
        push(&RecordRef { headers: &headers, ..*record }, own)
    };
    // One that was read goes on as it is, to where its key or `partition` says.
    if let Ok(record) = value.cast::<Record>() {
        let view = record.get().view();
        let headers: Vec<(&str, &[u8])> = view.headers().collect();
        let record = RecordRef {
            key: view.key(),
            value: view.value(),
            headers: &headers,
            timestamp_us: view.timestamp_us(),
            id: None,
        };
        return Ok(with_headers(&record, None));
    }
    if let Ok(tuple) = value.cast::<PyTuple>()
        && value.is_instance(NEW_RECORD.import(
            value.py(),
            "tidewire._records",
            "NewRecord",
        )?)?
    {
        let parts: Vec<Bound<'_, PyAny>> = tuple.iter().collect();
        let part = |at: usize| parts.get(at).filter(|part| !part.is_none());
        let given = Given {
            value: &parts[0],
            key: part(1),
            headers: part(2),
            timestamp: part(3),
            partition: part(4),
            id: part(5),
        };
        return given.with(with_headers);
    }
    let given = Given { value, key, headers: None, timestamp, partition: None, id: None };
    given.with(with_headers)
}

/// What is in `bytes` or `str`; nothing of other types is looked at.
fn bytes_of<'a>(object: &'a Bound<'_, PyAny>) -> Option<&'a [u8]> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Some(bytes.as_bytes());
    }
    // Text that is not UTF-8 is told of where records go one by one.
    object.cast::<PyString>().ok()?.to_str().ok().map(str::as_bytes)
}

/// First receipt and count, or an error and count.
type Outcomes = Vec<(Result<tidewire::Receipt, Error>, u32)>;

async fn outcomes(tickets: Tickets) -> Outcomes {
    tickets.into_runs().await
}

/// The receipts of all; if any failed, runs of receipts (first receipt, count) and errors
/// (error, count), in order, as a list.
fn into_object(outcomes: Outcomes, py: Python<'_>) -> PyResult<Py<PyAny>> {
    if outcomes.iter().all(|(outcome, _)| outcome.is_ok()) {
        let runs = outcomes.into_iter().filter_map(|(outcome, count)| {
            outcome.ok().map(|receipt| (Receipt::new(receipt), count as usize))
        });
        return Ok(Py::new(py, Receipts::of(runs))?.into_any());
    }
    let list = PyList::empty(py);
    for (outcome, count) in outcomes {
        let first = match outcome {
            Ok(receipt) => Receipt::new(receipt).into_object(py)?,
            Err(error) => exception(py, &error, &[])?.unbind(),
        };
        list.append((first, count))?;
    }
    Ok(list.into_any().unbind())
}

/// Outcomes of records, one by one, of runs as above.
#[pyfunction]
pub(crate) fn expand<'py>(
    py: Python<'py>,
    runs: &Bound<'py, PyList>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for run in runs.iter() {
        let (first, count): (Bound<'py, PyAny>, u64) = run.extract()?;
        if let Ok(receipt) = first.cast::<Receipt>() {
            for index in 0..count {
                list.append(receipt.get().behind(index).into_object(py)?)?;
            }
        } else {
            for _ in 0..count {
                list.append(&first)?;
            }
        }
    }
    Ok(list)
}

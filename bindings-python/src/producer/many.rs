//! Sending many records at once, by one call.
//!
//! Owns the records that are still to be taken and the tickets of those that were. The one
//! invariant: records are taken in order, each once, however often the queue is full between.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyIterator, PyList, PyTuple, PyType};
use tidewire::blocking;
use tidewire::{Code, Error, RecordRef};

use super::Producer;
use super::records::{Given, now_us};
use super::tickets::Receipt;
use crate::arrow::rows::Rows;
use crate::batch::Record;
use crate::error::{exception, raise};
use crate::input::{HeaderObjects, partition};
use crate::queue::Queue;
use crate::wait::{limit, wait};

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
    tickets: Vec<tidewire::Ticket>,
}

enum Source {
    Values(Values),
    Rows(Box<Rows>),
}

/// Columns of Python's, side by side.
struct Values {
    values: Py<PyIterator>,
    keys: Option<Py<PyIterator>>,
    timestamps: Option<Py<PyIterator>>,
    /// Taken from the iterators, but not yet into the queue.
    held: Option<Item>,
    /// How many were taken.
    index: usize,
}

struct Item {
    value: Py<PyAny>,
    key: Option<Py<PyAny>>,
    timestamp: Option<Py<PyAny>>,
}

/// What came of pushing one record.
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
        if values.is_instance_of::<pyo3::types::PyString>()
            || values.is_instance_of::<pyo3::types::PyBytes>()
        {
            let text = "values must be several values, not one: send() sends one";
            return Err(pyo3::exceptions::PyTypeError::new_err(text));
        }
        let source = Source::Values(Values {
            values: iterator(values)?,
            keys: given(keys)?,
            timestamps: given(timestamps)?,
            held: None,
            index: 0,
        });
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
            tickets: Vec::new(),
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
        outcomes.into_object(py)
    }

    /// Of a loop: an operation that brings all outcomes once all is pushed.
    fn outcomes(&self, py: Python<'_>, queue: &Queue) -> PyResult<Py<PyAny>> {
        let tickets = self.take_tickets();
        let runtime = self.owner.get().runtime(py)?;
        let all = async move { Ok::<_, Error>(outcomes(tickets).await) };
        let operation = queue.start(py, &runtime, all, |py, all| all.into_object(py))?;
        Ok(Py::new(py, operation)?.into_any())
    }
}

impl Sending {
    fn take_tickets(&self) -> Vec<tidewire::Ticket> {
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
        let result = match &mut self.source {
            Source::Values(values) => {
                let Some(item) = values.next(py)? else { return Ok(Pushed::Over) };
                let pushed = item.push(py, producer, &shared, self.partition);
                let pushed = pushed.map_err(|error| located(py, error, values.index - 1))?;
                if matches!(&pushed, Err(error) if waits && error.code() == Code::QUEUE_FULL) {
                    values.held = Some(item);
                    return Ok(Pushed::Full);
                }
                pushed
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
                let pushed = producer.enqueue_ref(&record, self.partition);
                if matches!(&pushed, Err(error) if waits && error.code() == Code::QUEUE_FULL) {
                    return Ok(Pushed::Full);
                }
                rows.advance();
                pushed
            }
        };
        self.tickets.push(result.map_err(|error| raise(py, &error))?);
        Ok(Pushed::Taken)
    }
}

/// Says which of many values it was.
fn located(py: Python<'_>, error: PyErr, index: usize) -> PyErr {
    let note = format!("in values[{index}]; the records before it are sent all the same");
    let _ = error.value(py).call_method1("add_note", (note,));
    error
}

impl Values {
    fn next(&mut self, py: Python<'_>) -> PyResult<Option<Item>> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
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
}

impl Item {
    fn push(
        &self,
        py: Python<'_>,
        producer: &tidewire::Producer,
        shared: &[(&str, &[u8])],
        partition: Option<u32>,
    ) -> PyResult<Result<tidewire::Ticket, Error>> {
        let value = self.value.bind(py);
        let push = |record: &RecordRef<'_>, own: Option<u32>| {
            producer.enqueue_ref(record, own.or(partition))
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
            && value.is_instance(NEW_RECORD.import(py, "tidewire._records", "NewRecord")?)?
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
        let key = self.key.as_ref().map(|key| key.bind(py));
        let timestamp = self.timestamp.as_ref().map(|time| time.bind(py));
        let given = Given { value, key, headers: None, timestamp, partition: None, id: None };
        given.with(with_headers)
    }
}

/// Outcomes of records, in order, in runs of neighbours.
struct Outcomes {
    /// First receipt and count, or an error and count.
    runs: Vec<(Result<tidewire::Receipt, Error>, u64)>,
}

async fn outcomes(tickets: Vec<tidewire::Ticket>) -> Outcomes {
    let mut runs: Vec<(Result<tidewire::Receipt, Error>, u64)> = Vec::new();
    for mut ticket in tickets {
        let outcome = match ticket.try_receipt() {
            Some(outcome) => outcome,
            None => ticket.await,
        };
        if let (Some((Ok(first), count)), Ok(next)) = (runs.last_mut(), &outcome)
            && next.offset == first.offset + *count
            && next.partition == first.partition
            && next.append_time_us == first.append_time_us
            && (next.acks, next.duplicate) == (first.acks, first.duplicate)
        {
            *count += 1;
            continue;
        }
        runs.push((outcome, 1));
    }
    Outcomes { runs }
}

impl Outcomes {
    /// Runs of receipts (first receipt, count) and errors (error, count), in order.
    fn into_object(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let list = PyList::empty(py);
        for (outcome, count) in self.runs {
            let first = match outcome {
                Ok(receipt) => Receipt::new(receipt).into_object(py)?,
                Err(error) => exception(py, &error, &[])?.unbind(),
            };
            list.append((first, count))?;
        }
        Ok(list.into_any().unbind())
    }
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
                list.append(Bound::new(py, receipt.get().behind(index))?)?;
            }
        } else {
            for _ in 0..count {
                list.append(&first)?;
            }
        }
    }
    Ok(list)
}

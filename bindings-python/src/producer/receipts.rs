//! The receipts of records that were sent together, by runs.
//!
//! Owns the sequence that a user sees: neighbours with neighbouring offsets take one entry, however
//! many they are, and become receipts when they are asked for. The one invariant: it never changes.

use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::{PyList, PySlice, PyTuple};

use super::tickets::Receipt;
use crate::input::type_name;

/// The receipts of records that were sent together, in order: an immutable sequence.
///
/// A receipt is made when it is asked for, so that those of a million records take no more room
/// than those of a few. Equal to a list or tuple of equal receipts; `list()` of it is a list.
#[pyclass(frozen, sequence, module = "tidewire")]
pub(crate) struct Receipts {
    /// The first of neighbours, and the index behind the last of them.
    runs: Vec<(Receipt, usize)>,
}

impl Receipts {
    pub(super) fn of(runs: impl Iterator<Item = (Receipt, usize)>) -> Self {
        let mut end = 0;
        let ends = runs.map(|(first, count)| {
            end += count;
            (first, end)
        });
        Self { runs: ends.collect() }
    }

    fn len(&self) -> usize {
        self.runs.last().map_or(0, |(_, end)| *end)
    }

    fn at(&self, index: usize) -> Option<Receipt> {
        let run = self.runs.partition_point(|(_, end)| *end <= index);
        let (first, _) = self.runs.get(run)?;
        let begin = run.checked_sub(1).map_or(0, |before| self.runs[before].1);
        Some(first.behind((index - begin) as u64))
    }

    fn iter(&self) -> impl Iterator<Item = Receipt> + '_ {
        let mut begin = 0;
        self.runs.iter().flat_map(move |(first, end)| {
            let count = *end - std::mem::replace(&mut begin, *end);
            (0..count).map(|index| first.behind(index as u64))
        })
    }

    fn list<'py>(
        &self,
        py: Python<'py>,
        which: impl Iterator<Item = Receipt>,
    ) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for receipt in which {
            list.append(receipt.into_object(py)?)?;
        }
        Ok(list)
    }

    /// Whether `other`, of a sequence, has the same receipts.
    fn is(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        if let Ok(other) = other.cast::<Self>() {
            let other = other.get();
            return Ok(self.len() == other.len() && self.iter().eq(other.iter()));
        }
        if other.len()? != self.len() {
            return Ok(false);
        }
        for (own, item) in self.iter().zip(other.try_iter()?) {
            if !same(&own, &item?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether an object is equal to a receipt: by its own word, if it is none.
fn same(own: &Receipt, item: &Bound<'_, PyAny>) -> PyResult<bool> {
    match item.cast::<Receipt>() {
        Ok(item) => Ok(item.get() == own),
        Err(_) => item.eq(own.clone().into_object(item.py())?),
    }
}

#[pymethods]
impl Receipts {
    fn __len__(&self) -> usize {
        self.len()
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = index.py();
        let len = self.len();
        if let Ok(slice) = index.cast::<PySlice>() {
            let slice = slice.indices(len as isize)?;
            let places = (0..slice.slicelength as isize)
                .map(|place| (slice.start + place * slice.step) as usize);
            return Ok(self.list(py, places.filter_map(|at| self.at(at)))?.into_any());
        }
        let at: isize = match index.extract() {
            Ok(at) => at,
            // None of them is there, either.
            Err(error) if error.is_instance_of::<PyOverflowError>(py) => isize::MAX,
            Err(_) => {
                let text = format!("indices must be int or slices, not {}", type_name(index));
                return Err(PyTypeError::new_err(text));
            }
        };
        let from_start = if at < 0 { at.saturating_add(len as isize) } else { at };
        let found = usize::try_from(from_start).ok().and_then(|at| self.at(at));
        match found {
            Some(receipt) => Ok(receipt.into_object(py)?.into_bound(py)),
            None => Err(PyIndexError::new_err(format!("index {index} of {len} receipts"))),
        }
    }

    fn __iter__(slf: Bound<'_, Self>) -> ReceiptIter {
        ReceiptIter { end: slf.get().len(), all: slf.unbind(), next: 0, run: 0, begin: 0 }
    }

    fn __contains__(&self, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        for own in self.iter() {
            if same(&own, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The index of the first that is equal to `value`, from `start` to before `stop`.
    #[pyo3(signature = (value, start=0, stop=None))]
    fn index(
        &self,
        value: &Bound<'_, PyAny>,
        start: isize,
        stop: Option<isize>,
    ) -> PyResult<usize> {
        let len = self.len() as isize;
        let bound =
            |at: isize| if at < 0 { at.saturating_add(len).max(0) } else { at.min(len) };
        let (start, stop) = (bound(start) as usize, bound(stop.unwrap_or(len)) as usize);
        for (at, own) in self.iter().enumerate().take(stop).skip(start) {
            if same(&own, value)? {
                return Ok(at);
            }
        }
        Err(PyValueError::new_err("no receipt there is equal to it"))
    }

    /// How many are equal to `value`.
    fn count(&self, value: &Bound<'_, PyAny>) -> PyResult<usize> {
        let mut count = 0;
        for own in self.iter() {
            count += usize::from(same(&own, value)?);
        }
        Ok(count)
    }

    fn __concat__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let list = self.list(other.py(), self.iter())?;
        list.call_method1("extend", (other,))?;
        Ok(list.into_any())
    }

    fn __radd__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let Ok(before) = other.cast::<PyList>() else { return Ok(py.NotImplemented()) };
        let list = before.get_slice(0, before.len());
        list.call_method1("extend", (self.list(py, self.iter())?,))?;
        Ok(list.into_any().unbind())
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let comparable = other.is_instance_of::<Self>()
            || other.is_instance_of::<PyList>()
            || other.is_instance_of::<PyTuple>();
        let equal = match op {
            CompareOp::Eq | CompareOp::Ne if comparable => self.is(other)?,
            _ => return Ok(py.NotImplemented()),
        };
        let answer = equal == matches!(op, CompareOp::Eq);
        Ok(answer.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __repr__(&self) -> String {
        let one = |receipt: Option<Receipt>| receipt.map(|receipt| receipt.to_string());
        match (self.len(), one(self.at(0)), one(self.at(self.len().saturating_sub(1)))) {
            (1, Some(first), _) => format!("Receipts([{first}])"),
            (2, Some(first), Some(last)) => format!("Receipts([{first}, {last}])"),
            (len, Some(first), Some(last)) => {
                format!("Receipts([{first}, ..., {last}], len={len})")
            }
            _ => "Receipts([])".to_owned(),
        }
    }
}

/// Goes through receipts.
#[pyclass(module = "tidewire._native")]
pub(crate) struct ReceiptIter {
    all: Py<Receipts>,
    next: usize,
    end: usize,
    /// That of `next`, and the index of its first.
    run: usize,
    begin: usize,
}

#[pymethods]
impl ReceiptIter {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if self.next == self.end {
            return Ok(None);
        }
        let runs = &self.all.get().runs;
        while runs[self.run].1 <= self.next {
            self.begin = runs[self.run].1;
            self.run += 1;
        }
        let receipt = runs[self.run].0.behind((self.next - self.begin) as u64);
        self.next += 1;
        receipt.into_object(py).map(Some)
    }

    fn __length_hint__(&self) -> usize {
        self.end - self.next
    }
}

//! Batches and records as Python sees them.
//!
//! Owns the views and when bytes are copied: a value becomes `bytes` each time it is asked for,
//! `value_view` and the like share the batch's buffer. The one invariant: whatever shares the
//! buffer keeps it alive.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use pyo3::exceptions::{PyBufferError, PyIndexError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBytes, PyDelta, PyDict, PyList, PyMemoryView, PyRange, PySlice, PyTuple, PyType, PyTzInfo,
};
use tidewire::RecordView;

static DATETIME: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

const DAY_US: i64 = 86_400_000_000;

/// The time as an aware `datetime`, in UTC.
pub(crate) fn datetime<'py>(py: Python<'py>, time_us: i64) -> PyResult<Bound<'py, PyAny>> {
    let epoch = EPOCH.get_or_try_init(py, || -> PyResult<_> {
        let class = DATETIME.import(py, "datetime", "datetime")?;
        let utc = PyTzInfo::utc(py)?.to_owned();
        Ok(class.call1((1970, 1, 1, 0, 0, 0, 0, utc))?.unbind())
    })?;
    let (days, rest) = (time_us.div_euclid(DAY_US), time_us.rem_euclid(DAY_US));
    let delta = PyDelta::new(
        py,
        i32::try_from(days)?,
        (rest / 1_000_000) as i32,
        (rest % 1_000_000) as i32,
        false,
    )?;
    epoch.bind(py).add(delta)
}

/// Microseconds since the Unix epoch of a `datetime`; one without a zone is local time.
pub(crate) fn micros_of(datetime: &Bound<'_, PyAny>) -> PyResult<i64> {
    let py = datetime.py();
    let utc = PyTzInfo::utc(py)?;
    let aware = datetime.call_method1(intern!(py, "astimezone"), (utc,))?;
    let zero = self::datetime(py, 0)?;
    let delta = aware.sub(zero)?;
    let part = |name: &str| -> PyResult<i64> { delta.getattr(name)?.extract() };
    Ok(part("days")? * DAY_US + part("seconds")? * 1_000_000 + part("microseconds")?)
}

fn optional_bytes<'py>(py: Python<'py>, bytes: Option<&[u8]>) -> Option<Bound<'py, PyBytes>> {
    bytes.map(|bytes| PyBytes::new(py, bytes))
}

/// Consecutive records of one partition, over one shared buffer.
///
/// It is a sequence of :class:`Record`. Reading whole columns (``values()``, ``keys()``,
/// ``to_arrow()``) is faster than record by record.
#[pyclass(frozen, sequence, module = "tidewire")]
pub(crate) struct Batch {
    pub(crate) inner: Arc<tidewire::Batch>,
}

impl Batch {
    pub(crate) fn new(inner: tidewire::Batch) -> Self {
        Self { inner: Arc::new(inner) }
    }

    fn record(&self, index: usize) -> Record {
        Record { batch: Arc::clone(&self.inner), index }
    }
}

#[pymethods]
impl Batch {
    /// The topic, ``stream/topic``.
    #[getter]
    fn topic(&self) -> String {
        self.inner.topic().to_string()
    }

    /// The partition.
    #[getter]
    fn partition(&self) -> u32 {
        self.inner.partition()
    }

    /// Offset of its first record.
    #[getter]
    fn base_offset(&self) -> u64 {
        self.inner.base_offset()
    }

    /// Offset after its last record: where to go on reading.
    #[getter]
    fn next_offset(&self) -> u64 {
        self.inner.next_offset()
    }

    /// Offset after the partition's last record, as known when the batch was delivered.
    #[getter]
    fn end_offset(&self) -> u64 {
        self.inner.end_offset()
    }

    /// Records of the partition that were known to follow this batch.
    #[getter]
    fn lag(&self) -> u64 {
        self.inner.lag()
    }

    /// When the server appended it, in microseconds since the Unix epoch.
    #[getter]
    fn append_time_us(&self) -> i64 {
        self.inner.append_time_us()
    }

    /// When the server appended it, as an aware ``datetime`` in UTC.
    #[getter]
    fn append_time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.inner.append_time_us())
    }

    /// Bytes of the batch as it travelled.
    #[getter]
    fn nbytes(&self) -> usize {
        self.inner.bytes().len()
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        index: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let len = self.inner.len() as isize;
        if let Ok(slice) = index.cast::<PySlice>() {
            let at = slice.indices(len)?;
            let list = PyList::empty(py);
            let mut next = at.start;
            for _ in 0..at.slicelength {
                list.append(self.record(next as usize))?;
                next += at.step;
            }
            return Ok(list.into_any());
        }
        let index: isize = index.extract()?;
        let place = if index < 0 { index + len } else { index };
        if !(0..len).contains(&place) {
            let text = format!("record {index} of a batch of {len}");
            return Err(PyIndexError::new_err(text));
        }
        Ok(Bound::new(py, self.record(place as usize))?.into_any())
    }

    fn __iter__(&self) -> BatchIter {
        BatchIter { batch: Arc::clone(&self.inner), next: 0.into() }
    }

    fn __repr__(&self) -> String {
        format!(
            "Batch(topic={:?}, partition={}, base_offset={}, records={})",
            self.topic(),
            self.partition(),
            self.base_offset(),
            self.inner.len()
        )
    }

    /// The values of all records, in order; a tombstone's is ``None``.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.column(py, |record| record.value())
    }

    /// The keys of all records, in order; ``None`` where there is none.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.column(py, |record| record.key())
    }

    /// The offsets of all records, in order.
    fn offsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (first, next) = (self.inner.base_offset(), self.inner.next_offset());
        if next - first == self.inner.len() as u64 {
            let bounds = (isize::try_from(first)?, isize::try_from(next)?);
            return Ok(PyRange::new(py, bounds.0, bounds.1)?.into_any());
        }
        let offsets = self.inner.iter().map(|record| record.offset());
        Ok(PyList::new(py, offsets.collect::<Vec<_>>())?.into_any())
    }

    /// The producers' times of all records, in order, in microseconds since the Unix epoch.
    fn timestamps_us<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let times = self.inner.iter().map(|record| record.timestamp_us());
        PyList::new(py, times.collect::<Vec<_>>())
    }

    /// The batch as a pyarrow ``RecordBatch``, without copying keys and values.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::arrow::pyarrow(slf.py(), "record_batch", slf.as_any())
    }

    /// The batch through the Arrow PyCapsule interface.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        // The interface asks for a schema at best; there is this one.
        drop(requested_schema);
        crate::arrow::export(py, &self.inner)
    }

    /// The batch's schema through the Arrow PyCapsule interface.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        crate::arrow::export_schema(py)
    }
}

impl Batch {
    fn column<'py>(
        &self,
        py: Python<'py>,
        part: impl for<'a> Fn(&RecordView<'a>) -> Option<&'a [u8]>,
    ) -> PyResult<Bound<'py, PyList>> {
        let parts = self.inner.iter().map(|record| optional_bytes(py, part(&record)));
        PyList::new(py, parts)
    }
}

/// The records of a batch, in order.
#[pyclass(frozen, module = "tidewire._native")]
pub(crate) struct BatchIter {
    batch: Arc<tidewire::Batch>,
    next: std::sync::atomic::AtomicUsize,
}

impl BatchIter {
    /// Where the next record is that it gives; `None` if it has given all.
    pub(crate) fn place(&self) -> Option<(String, u32, u64)> {
        let next = self.next.load(std::sync::atomic::Ordering::Relaxed);
        let record = self.batch.get(next)?;
        Some((self.batch.topic().to_string(), self.batch.partition(), record.offset()))
    }
}

#[pymethods]
impl BatchIter {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> Option<Record> {
        use std::sync::atomic::Ordering::Relaxed;
        let index = self.next.load(Relaxed);
        if index >= self.batch.len() {
            return None;
        }
        self.next.store(index + 1, Relaxed);
        Some(Record { batch: Arc::clone(&self.batch), index })
    }

    /// Those that were not given yet, as a batch; `None` if there are none.
    fn rest(&self) -> Option<Batch> {
        let next = self.next.load(std::sync::atomic::Ordering::Relaxed);
        (next < self.batch.len()).then(|| Batch::new(self.batch.skip(next)))
    }

    /// The partition.
    #[getter]
    fn partition(&self) -> u32 {
        self.batch.partition()
    }

    fn __length_hint__(&self) -> usize {
        self.batch.len() - self.next.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// One record, as it was read. It keeps its batch's buffer alive; ``bytes(...)`` of its parts do
/// not.
#[pyclass(frozen, module = "tidewire", freelist = 256)]
pub(crate) struct Record {
    batch: Arc<tidewire::Batch>,
    index: usize,
}

impl Record {
    pub(crate) fn view(&self) -> RecordView<'_> {
        self.batch.get(self.index).expect("records are made within their batch")
    }

    fn share<'py>(
        &self,
        py: Python<'py>,
        part: Option<&[u8]>,
    ) -> PyResult<Option<Bound<'py, PyMemoryView>>> {
        let Some(part) = part else { return Ok(None) };
        let view = View { _batch: Arc::clone(&self.batch), at: part.as_ptr(), len: part.len() };
        PyMemoryView::from(Bound::new(py, view)?.as_any()).map(Some)
    }
}

#[pymethods]
impl Record {
    /// The topic, ``stream/topic``.
    #[getter]
    fn topic(&self) -> String {
        self.batch.topic().to_string()
    }

    /// The partition.
    #[getter]
    fn partition(&self) -> u32 {
        self.batch.partition()
    }

    /// The offset within the partition.
    #[getter]
    fn offset(&self) -> u64 {
        self.view().offset()
    }

    /// The value, copied; ``None`` is a tombstone.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        optional_bytes(py, self.view().value())
    }

    /// The key, copied; ``None`` is no key, which is not an empty one.
    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        optional_bytes(py, self.view().key())
    }

    /// The headers by name. Of a name that repeats the last value counts; ``header_items`` has
    /// all of them.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, value) in self.view().headers() {
            dict.set_item(name, PyBytes::new(py, value))?;
        }
        Ok(dict)
    }

    /// The headers as pairs of name and value, in their producer's order.
    #[getter]
    fn header_items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let items = self.view().headers().map(|(name, value)| (name, PyBytes::new(py, value)));
        PyList::new(py, items.collect::<Vec<_>>())
    }

    /// The producer's time, as an aware ``datetime`` in UTC.
    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.view().timestamp_us())
    }

    /// The producer's time, in microseconds since the Unix epoch.
    #[getter]
    fn timestamp_us(&self) -> i64 {
        self.view().timestamp_us()
    }

    /// When the server appended it, as an aware ``datetime`` in UTC.
    #[getter]
    fn append_time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.batch.append_time_us())
    }

    /// When the server appended it, in microseconds since the Unix epoch.
    #[getter]
    fn append_time_us(&self) -> i64 {
        self.batch.append_time_us()
    }

    /// The value without a copy; it keeps the whole batch alive.
    #[getter]
    fn value_view<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyMemoryView>>> {
        self.share(py, self.view().value())
    }

    /// The key without a copy; it keeps the whole batch alive.
    #[getter]
    fn key_view<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyMemoryView>>> {
        self.share(py, self.view().key())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        fn shown(py: Python<'_>, bytes: Option<&[u8]>) -> PyResult<String> {
            let Some(bytes) = bytes else { return Ok("None".to_owned()) };
            let head = PyBytes::new(py, bytes.get(..64).unwrap_or(bytes)).repr()?.to_string();
            Ok(if bytes.len() > 64 {
                format!("{head}... ({} bytes)", bytes.len())
            } else {
                head
            })
        }
        let view = self.view();
        Ok(format!(
            "Record(partition={}, offset={}, key={}, value={})",
            view.partition(),
            view.offset(),
            shown(py, view.key())?,
            shown(py, view.value())?
        ))
    }
}

/// Bytes of a batch, through the buffer protocol.
#[pyclass(frozen, module = "tidewire._native")]
pub(crate) struct View {
    _batch: Arc<tidewire::Batch>,
    at: *const u8,
    len: usize,
}

// SAFETY: it points to bytes of the batch that it keeps alive, which nobody changes.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

#[pymethods]
impl View {
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("no view"));
        }
        let (at, len) = (slf.get().at.cast_mut().cast::<c_void>(), slf.get().len);
        // SAFETY: `view` is the caller's to be filled; the bytes live as long as `slf`, to which
        // the view takes a reference, and it says that they are read-only.
        let failed = unsafe {
            ffi::PyBuffer_FillInfo(view, slf.as_ptr(), at, len as ffi::Py_ssize_t, 1, flags)
        };
        if failed == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}

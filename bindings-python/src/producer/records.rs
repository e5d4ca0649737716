//! Records as a user gives them, borrowed for as long as it takes to copy them.
//!
//! Owns which arguments a record is made of. The one invariant: what is wrong with a record is
//! said before anything of it is taken.

use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;
use tidewire::RecordRef;

use crate::input::{HeaderObjects, Input, id, partition, time_us};

/// What a record is made of.
pub(crate) struct Given<'a, 'py> {
    pub(crate) value: &'a Bound<'py, PyAny>,
    pub(crate) key: Option<&'a Bound<'py, PyAny>>,
    pub(crate) headers: Option<&'a Bound<'py, PyAny>>,
    pub(crate) timestamp: Option<&'a Bound<'py, PyAny>>,
    pub(crate) partition: Option<&'a Bound<'py, PyAny>>,
    pub(crate) id: Option<&'a Bound<'py, PyAny>>,
}

impl Given<'_, '_> {
    /// Calls `push` with the record and the partition that it names.
    #[inline]
    pub(crate) fn with<T>(
        &self,
        push: impl FnOnce(&RecordRef<'_>, Option<u32>) -> T,
    ) -> PyResult<T> {
        let value = Input::of(self.value, || "value".to_owned())?;
        let key = match self.key {
            Some(key) => Input::of(key, || "key".to_owned())?,
            None => Input::None,
        };
        let mut record = RecordRef {
            key: key.bytes(),
            value: value.bytes(),
            headers: &[],
            timestamp_us: time_us(self.timestamp, "timestamp")?.unwrap_or_else(now_us),
            id: id(self.id)?,
        };
        let partition = partition(self.partition)?;
        if self.headers.is_none() {
            return Ok(push(&record, partition));
        }
        let objects = HeaderObjects::of(self.headers)?;
        let inputs = objects.inputs()?;
        let headers: Vec<(&str, &[u8])> = inputs
            .iter()
            .map(|(name, value)| (*name, value.bytes().unwrap_or_default()))
            .collect();
        record.headers = &headers;
        Ok(push(&record, partition))
    }
}

/// Microseconds since the Unix epoch; 0 on a clock that is set before it.
pub(crate) fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

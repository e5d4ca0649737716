//! The rows of a table of somebody else's, to be sent.
//!
//! Owns which columns and types are taken, and that the table's parts are released. The one
//! invariant: a row is borrowed from the part that is being read, which stays until the next.

use std::ffi::{CStr, c_void};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use super::abi::{ArrowArray, ArrowArrayStream, ArrowSchema};
use super::{ARRAY, Empty, SCHEMA, STREAM, take};

/// A table, row by row.
pub(crate) struct Rows {
    parts: Parts,
    schema: Owned<ArrowSchema>,
    columns: Columns,
    /// The part that is read.
    current: Option<Owned<ArrowArray>>,
    row: usize,
}

/// Columns by their place.
struct Columns {
    value: (usize, Kind),
    key: Option<(usize, Kind)>,
    timestamp: Option<(usize, i64, i64)>,
}

enum Parts {
    One(Option<Owned<ArrowArray>>),
    Stream(Owned<ArrowArrayStream>),
}

/// A row as it is sent.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) timestamp_us: Option<i64>,
}

/// How bytes are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Short,
    Long,
    View,
}

/// Released when it is dropped.
struct Owned<T: super::Releasable>(T);

impl<T: super::Releasable> Drop for Owned<T> {
    fn drop(&mut self) {
        self.0.release();
    }
}

// SAFETY: Arrow's structures may be moved between threads; they are used by one at a time.
unsafe impl<T: super::Releasable> Send for Owned<T> {}

impl Rows {
    /// The rows of anything with `__arrow_c_stream__` or `__arrow_c_array__`.
    pub(crate) fn of(
        table: &Bound<'_, PyAny>,
        value: &str,
        key: Option<&str>,
        timestamp: Option<&str>,
    ) -> PyResult<Self> {
        let (schema, parts) = if table.hasattr("__arrow_c_stream__")? {
            let capsule = table.call_method0("__arrow_c_stream__")?;
            let mut stream = Owned(take::<ArrowArrayStream>(&capsule, STREAM)?);
            let mut schema = Owned(ArrowSchema::empty());
            let get = stream.0.get_schema.ok_or_else(|| released("table"))?;
            // SAFETY: the stream is ours, and fills in the schema.
            let status = unsafe { get(&raw mut stream.0, &raw mut schema.0) };
            check(&mut stream.0, status)?;
            (schema, Parts::Stream(stream))
        } else if table.hasattr("__arrow_c_array__")? {
            let capsules = table.call_method0("__arrow_c_array__")?;
            let schema = Owned(take::<ArrowSchema>(&capsules.get_item(0)?, SCHEMA)?);
            let array = Owned(take::<ArrowArray>(&capsules.get_item(1)?, ARRAY)?);
            (schema, Parts::One(Some(array)))
        } else {
            return Err(PyTypeError::new_err(format!(
                "table must be a pyarrow, polars, duckdb or other table with \
                 __arrow_c_stream__ or __arrow_c_array__, not {}",
                crate::input::type_name(table)
            )));
        };
        let columns = Columns::find(&schema.0, value, key, timestamp)?;
        Ok(Self { parts, schema, columns, current: None, row: 0 })
    }

    /// The row that is due; `None` after the last.
    pub(crate) fn peek(&mut self) -> PyResult<Option<Row<'_>>> {
        while self.current.as_ref().is_none_or(|part| self.row as i64 >= part.0.length) {
            self.row = 0;
            self.current = self.next_part()?;
            if self.current.is_none() {
                return Ok(None);
            }
        }
        let part = &self.current.as_ref().expect("there is one").0;
        debug_assert!(!self.schema.0.format.is_null());
        self.columns.row(part, self.row).map(Some)
    }

    /// Goes on to the next row.
    pub(crate) fn advance(&mut self) {
        self.row += 1;
    }

    fn next_part(&mut self) -> PyResult<Option<Owned<ArrowArray>>> {
        match &mut self.parts {
            Parts::One(part) => Ok(part.take()),
            Parts::Stream(stream) => {
                let get = stream.0.get_next.ok_or_else(|| released("table"))?;
                let mut part = Owned(ArrowArray::empty());
                // SAFETY: the stream is ours, and fills in the array, or leaves it empty at its
                // end.
                let status = unsafe { get(&raw mut stream.0, &raw mut part.0) };
                check(&mut stream.0, status)?;
                Ok(part.0.release.is_some().then_some(part))
            }
        }
    }
}

fn released(what: &str) -> PyErr {
    PyValueError::new_err(format!("{what} was released already"))
}

fn check(stream: &mut ArrowArrayStream, status: i32) -> PyResult<()> {
    if status == 0 {
        return Ok(());
    }
    let text = stream.get_last_error.map(|told| {
        // SAFETY: after an error the stream tells a text, or null.
        unsafe {
            let text = told(stream);
            if text.is_null() {
                String::new()
            } else {
                CStr::from_ptr(text).to_string_lossy().into_owned()
            }
        }
    });
    let text = text.unwrap_or_default();
    Err(PyValueError::new_err(format!("the table could not be read ({status}): {text}")))
}

impl Columns {
    fn find(
        schema: &ArrowSchema,
        value: &str,
        key: Option<&str>,
        timestamp: Option<&str>,
    ) -> PyResult<Self> {
        let names: Vec<&str> = schema.children().map(ArrowSchema::name).collect();
        if schema.format() != "+s" {
            let text = format!("a table has columns, this is an array of {}", schema.format());
            return Err(PyTypeError::new_err(text));
        }
        let find = |name: &str| {
            let at = names.iter().position(|known| *known == name);
            let column = at.and_then(|at| Some((at, schema.children().nth(at)?)));
            column.ok_or_else(|| {
                let known = names.join(", ");
                PyValueError::new_err(format!(
                    "the table has no column {name:?}: it has {known}"
                ))
            })
        };
        let bytes = |name: &str| {
            let (at, column) = find(name)?;
            let kind = match column.format() {
                "z" | "u" => Kind::Short,
                "Z" | "U" => Kind::Long,
                "vz" | "vu" => Kind::View,
                other => {
                    return Err(PyTypeError::new_err(format!(
                        "column {name:?} is of type {other:?}, but should be binary or string: \
                         cast it first"
                    )));
                }
            };
            if !column.dictionary.is_null() {
                let text = format!("column {name:?} is a dictionary: cast it to string first");
                return Err(PyTypeError::new_err(text));
            }
            Ok((at, kind))
        };
        let time = |name: &str| {
            let (at, column) = find(name)?;
            // To microseconds: multiplied, then divided.
            let (times, parts) = match column.format().get(..3) {
                Some("tss") => (1_000_000, 1),
                Some("tsm") => (1_000, 1),
                Some("tsu") => (1, 1),
                Some("tsn") => (1, 1_000),
                _ => {
                    return Err(PyTypeError::new_err(format!(
                        "column {name:?} is of type {:?}, but should be a timestamp",
                        column.format()
                    )));
                }
            };
            Ok((at, times, parts))
        };
        Ok(Self {
            value: bytes(value)?,
            key: key.map(bytes).transpose()?,
            timestamp: timestamp.map(time).transpose()?,
        })
    }

    fn row<'a>(&self, part: &'a ArrowArray, row: usize) -> PyResult<Row<'a>> {
        // The table's own rows may begin within its columns.
        let row = row + part.offset as usize;
        let bytes = |(at, kind): (usize, Kind)| -> PyResult<Option<&'a [u8]>> {
            let column = part.child(at).ok_or_else(|| released("column"))?;
            Ok(entry(column, kind, row))
        };
        let timestamp_us = match self.timestamp {
            Some((at, times, parts)) => {
                let column = part.child(at).ok_or_else(|| released("column"))?;
                time(column, row).map(|time| time.saturating_mul(times).div_euclid(parts))
            }
            None => None,
        };
        let key = self.key.map(bytes).transpose()?.flatten();
        Ok(Row { value: bytes(self.value)?, key, timestamp_us })
    }
}

/// Whether an entry, counted from the start of the column's buffers, is there.
fn is_valid(column: &ArrowArray, at: usize) -> bool {
    let bits = column.buffer(0).cast::<u8>();
    // SAFETY: a bitmap has a bit for each entry.
    bits.is_null() || unsafe { *bits.add(at / 8) } >> (at % 8) & 1 == 1
}

fn time(column: &ArrowArray, row: usize) -> Option<i64> {
    let at = row + column.offset as usize;
    if !is_valid(column, at) {
        return None;
    }
    // SAFETY: a column of times has eight bytes for each entry.
    Some(unsafe { column.buffer(1).cast::<i64>().add(at).read_unaligned() })
}

/// An entry's bytes.
fn entry(column: &ArrowArray, kind: Kind, row: usize) -> Option<&[u8]> {
    let at = row + column.offset as usize;
    if !is_valid(column, at) {
        return None;
    }
    let slice = |data: *const c_void, from: usize, len: usize| -> &[u8] {
        if len == 0 {
            return &[];
        }
        // SAFETY: the offsets of a valid array lie within its data.
        unsafe { std::slice::from_raw_parts(data.cast::<u8>().add(from), len) }
    };
    // SAFETY: there is an offset for each entry and one more; a view has sixteen bytes.
    unsafe {
        match kind {
            Kind::Short => {
                let ends = column.buffer(1).cast::<i32>();
                let (from, to) =
                    (ends.add(at).read_unaligned(), ends.add(at + 1).read_unaligned());
                Some(slice(column.buffer(2), from as usize, (to - from) as usize))
            }
            Kind::Long => {
                let ends = column.buffer(1).cast::<i64>();
                let (from, to) =
                    (ends.add(at).read_unaligned(), ends.add(at + 1).read_unaligned());
                Some(slice(column.buffer(2), from as usize, (to - from) as usize))
            }
            Kind::View => {
                let view = column.buffer(1).cast::<[u32; 4]>().add(at);
                let [len, _, buffer, from] = view.read_unaligned();
                if len <= 12 {
                    // Short ones lie in the view itself.
                    return Some(slice(view.cast(), 4, len as usize));
                }
                Some(slice(column.buffer(2 + buffer as usize), from as usize, len as usize))
            }
        }
    }
}

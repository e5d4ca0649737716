//! Batches for data frames, and tables from them, through the Arrow PyCapsule interface.
//!
//! Owns the capsules and how a batch's columns become Arrow's; the C structures are in [`abi`],
//! what is read out of a table in [`rows`], a consumer as a stream in [`stream`]. The one
//! invariant: keys and values stay where the network put them, and whoever holds an array holds
//! their buffer.
//!
//! A batch lies in memory as Arrow's binary arrays do, so that of keys and values nothing is
//! copied, neither bytes nor offsets (those of a buffer that is not aligned to four bytes are).
//! Offsets, times and headers are made anew: they are small.

mod abi;
mod build;
pub(crate) mod rows;
pub(crate) mod stream;

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use abi::{ArrowArray, ArrowArrayStream, ArrowSchema};

pub(crate) const SCHEMA: &CStr = c"arrow_schema";
pub(crate) const ARRAY: &CStr = c"arrow_array";
pub(crate) const STREAM: &CStr = c"arrow_array_stream";

/// A structure of the interface, which is released by its own function.
pub(crate) trait Releasable {
    fn release(&mut self);
}

/// Puts a structure into a capsule, which releases it unless somebody has taken it out.
pub(crate) fn capsule<'py, T: Releasable>(
    py: Python<'py>,
    name: &'static CStr,
    value: T,
) -> PyResult<Bound<'py, PyAny>> {
    unsafe extern "C" fn destroy<T: Releasable>(capsule: *mut ffi::PyObject) {
        // SAFETY: Python calls it once, with the capsule that was made below; the name is its own.
        unsafe {
            let name = ffi::PyCapsule_GetName(capsule);
            let at = ffi::PyCapsule_GetPointer(capsule, name).cast::<T>();
            if !at.is_null() {
                Box::from_raw(at).release();
            }
        }
    }
    let at = NonNull::from(Box::leak(Box::new(value)));
    // SAFETY: the pointer is a box's, which the destructor takes back.
    let made = unsafe {
        PyCapsule::new_with_pointer_and_destructor(
            py,
            at.cast::<c_void>(),
            name,
            Some(destroy::<T>),
        )
    };
    made.map(Bound::into_any).inspect_err(|_| {
        // SAFETY: nobody else has seen it.
        unsafe { Box::from_raw(at.as_ptr()) }.release();
    })
}

/// Moves a structure out of its capsule, which then has nothing to release.
pub(crate) fn take<T: Releasable + Empty>(
    capsule: &Bound<'_, PyAny>,
    name: &'static CStr,
) -> PyResult<T> {
    let capsule = capsule.cast::<PyCapsule>()?;
    let at = capsule.pointer_checked(Some(name))?.cast::<T>();
    // SAFETY: a capsule of this name holds such a structure, and whoever takes it leaves an empty
    // one: that is the interface.
    Ok(unsafe { std::ptr::replace(at.as_ptr(), T::empty()) })
}

/// A structure that holds nothing.
pub(crate) trait Empty {
    fn empty() -> Self;
}

/// A batch as capsules of its schema and its array.
pub(crate) fn export<'py>(
    py: Python<'py>,
    batch: &tidewire::Batch,
) -> PyResult<Bound<'py, PyTuple>> {
    let schema = capsule(py, SCHEMA, build::schema())?;
    let array = capsule(py, ARRAY, build::array(batch))?;
    PyTuple::new(py, [schema, array])
}

/// The schema of all batches.
pub(crate) fn export_schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    capsule(py, SCHEMA, build::schema())
}

/// What a function of pyarrow makes of an object.
pub(crate) fn pyarrow<'py>(
    py: Python<'py>,
    function: &str,
    object: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let module = py.import("pyarrow").map_err(|error| {
        let text = "to_arrow() needs pyarrow: pip install pyarrow. polars, duckdb and others \
                    read the object itself.";
        let told = pyo3::exceptions::PyImportError::new_err(text);
        told.set_cause(py, Some(error));
        told
    })?;
    module.call_method1(function, (object,))
}

impl Releasable for ArrowSchema {
    fn release(&mut self) {
        Self::release(self);
    }
}

impl Releasable for ArrowArray {
    fn release(&mut self) {
        Self::release(self);
    }
}

impl Releasable for ArrowArrayStream {
    fn release(&mut self) {
        Self::release(self);
    }
}

//! A consumer as an Arrow stream: what its topic holds, to its end.
//!
//! Owns where such a stream ends: at the records that there were when it was asked for. The one
//! invariant: it may be read on any thread, and none of it takes the interpreter's lock.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int};
use std::ptr;

use super::abi::{ArrowArray, ArrowArrayStream, ArrowSchema};
use super::{Empty, build};

/// Where batches come from.
pub(crate) trait Source: Send {
    /// The next batch; `None` if there will be none.
    fn next(&mut self) -> Result<Option<tidewire::Batch>, tidewire::Error>;
}

struct State {
    source: Box<dyn Source>,
    /// Offsets at which partitions end; those that are reached are taken out.
    ends: BTreeMap<u32, u64>,
    error: Option<CString>,
}

/// Reads `source` until every partition of `ends` is at its offset.
pub(crate) fn new(source: Box<dyn Source>, ends: BTreeMap<u32, u64>) -> ArrowArrayStream {
    let state = Box::new(State { source, ends, error: None });
    ArrowArrayStream {
        get_schema: Some(get_schema),
        get_next: Some(get_next),
        get_last_error: Some(get_last_error),
        release: Some(release),
        private_data: Box::into_raw(state).cast(),
    }
}

impl State {
    fn next(&mut self) -> Result<Option<ArrowArray>, tidewire::Error> {
        if self.ends.is_empty() {
            return Ok(None);
        }
        let Some(batch) = self.source.next()? else { return Ok(None) };
        let partition = batch.partition();
        if self.ends.get(&partition).is_some_and(|&end| batch.next_offset() >= end) {
            self.ends.remove(&partition);
        }
        Ok(Some(build::array(&batch)))
    }
}

unsafe extern "C" fn get_schema(_: *mut ArrowArrayStream, out: *mut ArrowSchema) -> c_int {
    // SAFETY: `out` is the caller's, to be filled.
    unsafe { ptr::write(out, build::schema()) };
    0
}

unsafe extern "C" fn get_next(stream: *mut ArrowArrayStream, out: *mut ArrowArray) -> c_int {
    // SAFETY: a stream that is not released has the state that it was made with; calls come one
    // after the other, says the interface.
    let state = unsafe { &mut *(*stream).private_data.cast::<State>() };
    match state.next() {
        Ok(next) => {
            // SAFETY: `out` is the caller's, to be filled; empty is the end.
            unsafe { ptr::write(out, next.unwrap_or_else(ArrowArray::empty)) };
            0
        }
        Err(error) => {
            let text = format!("{error:?}").replace('\0', "");
            state.error = CString::new(text).ok();
            libc::EIO
        }
    }
}

unsafe extern "C" fn get_last_error(stream: *mut ArrowArrayStream) -> *const c_char {
    // SAFETY: as above.
    let state = unsafe { &*(*stream).private_data.cast::<State>() };
    state.error.as_ref().map_or(ptr::null(), |error| error.as_ptr())
}

unsafe extern "C" fn release(stream: *mut ArrowArrayStream) {
    // SAFETY: the state is a box of `new`, taken back once.
    unsafe {
        let stream = &mut *stream;
        drop(Box::from_raw(stream.private_data.cast::<State>()));
        stream.release = None;
        stream.private_data = ptr::null_mut();
    }
}

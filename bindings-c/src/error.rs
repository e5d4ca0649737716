//! Errors as C sees them.
//!
//! Owns the handle with its text kept ready, and what is known of a number. The one invariant: an
//! error never changes once it was made, so that any thread may read it.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;

use tidewire::{Code, Error, ErrorKind, Unsent};

use crate::guard::{boxed, free, guard_value, handle, value};

/// What went wrong, and what goes with it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) unsent: Vec<Unsent>,
    /// What it says in place of the error's own text.
    pub(crate) text: Option<String>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, unsent: Vec::new(), text: None }
    }
}

impl From<tidewire::CloseError> for Failure {
    fn from(error: tidewire::CloseError) -> Self {
        let text = Some(error.to_string());
        let unsent = error.partitions().to_vec();
        Self { error: error.into(), unsent, text }
    }
}

/// An error, its text ready.
#[derive(Debug)]
pub struct ErrorValue {
    failure: Failure,
    text: CString,
}

handle! {
    /// An error: a number, what may be concluded from it, and a text for people.
    ///
    /// It belongs to whoever received it through a `tw_error **`, and is freed by `tw_error_free`.
    /// One within an event belongs to the event's list. Any number of threads may read it.
    tw_error(ErrorValue), b"tw_error", "error"
}

impl tw_error {
    pub(crate) fn boxed(failure: Failure) -> *mut Self {
        let text = failure.text.clone().unwrap_or_else(|| failure.error.to_string());
        let text = CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default();
        boxed(ErrorValue { failure, text })
    }
}

/// What became of records of a partition that closing a producer waited for.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct tw_unsent {
    /// The partition.
    pub partition: u32,
    /// Zero.
    pub reserved: u32,
    /// Records that were certainly not appended.
    pub failed_records: u64,
    /// Records that may have been appended.
    pub unknown_records: u64,
}

fn of(error: Option<&tw_error>) -> Option<&ErrorValue> {
    value(error).ok()
}

/// The error's number, one of `TW_E_…`; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_error_code(error: Option<&tw_error>) -> i32 {
    guard_value(0, || of(error).map_or(0, |it| i32::from(it.failure.error.code().0)))
}

/// What may be concluded from it, whatever the number: bits of `TW_DISPOSITION_…`; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_error_disposition(error: Option<&tw_error>) -> u32 {
    guard_value(0, || of(error).map_or(0, |it| u32::from(it.failure.error.disposition().0)))
}

/// What happened, for people, naming the object and the limit. UTF-8 that ends with a NUL, and
/// lives as long as the error; an empty text for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_error_message(error: Option<&tw_error>) -> *const c_char {
    guard_value(c"".as_ptr(), || of(error).map_or(c"".as_ptr(), |it| it.text.as_ptr()))
}

/// Whether nothing happened and the same call may succeed later.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_error_is_retriable(error: Option<&tw_error>) -> bool {
    guard_value(false, || of(error).is_some_and(|it| it.failure.error.is_retriable()))
}

/// Whether nobody knows if what was asked for was done.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_error_is_outcome_unknown(error: Option<&tw_error>) -> bool {
    guard_value(false, || of(error).is_some_and(|it| it.failure.error.is_outcome_unknown()))
}

/// The group that the error belongs to, such as "not_found": one of those in the reference of
/// errors. Static; an empty text for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_error_kind(error: Option<&tw_error>) -> *const c_char {
    guard_value(c"".as_ptr(), || {
        let kind = match of(error).map(|it| it.failure.error.kind()) {
            None => c"",
            Some(ErrorKind::Protocol) => c"protocol",
            Some(ErrorKind::Auth) => c"auth",
            Some(ErrorKind::Invalid) => c"invalid",
            Some(ErrorKind::NotFound) => c"not_found",
            Some(ErrorKind::Conflict) => c"conflict",
            Some(ErrorKind::Append) => c"append",
            Some(ErrorKind::Storage) => c"storage",
            Some(ErrorKind::Consume) => c"consume",
            Some(ErrorKind::Busy) => c"busy",
            Some(ErrorKind::Server) => c"server",
            Some(ErrorKind::Connection) => c"connection",
            Some(ErrorKind::Timeout) => c"timeout",
            Some(ErrorKind::Closed) => c"closed",
            Some(_) => c"other",
        };
        kind.as_ptr()
    })
}

/// With `TW_E_OFFSET_OUT_OF_RANGE`, the offsets that the partition does hold, where they could be
/// learnt: from its first record to after its last. Returns whether they are known; only then
/// `first` and `next`, which may be NULL, are set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_error_offsets(
    error: Option<&tw_error>,
    first: Option<&mut MaybeUninit<u64>>,
    next: Option<&mut MaybeUninit<u64>>,
) -> bool {
    guard_value(false, || {
        let Some(offsets) = of(error).and_then(|it| it.failure.error.offsets()) else {
            return false;
        };
        if let Some(first) = first {
            first.write(offsets.start);
        }
        if let Some(next) = next {
            next.write(offsets.end);
        }
        true
    })
}

/// With an error of `tw_producer_close`, how many partitions have records that were not
/// acknowledged; 0 otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_error_unsent_count(error: Option<&tw_error>) -> usize {
    guard_value(0, || of(error).map_or(0, |it| it.failure.unsent.len()))
}

/// One of those partitions. Returns false, and sets nothing, past the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_error_unsent(
    error: Option<&tw_error>,
    index: usize,
    unsent: Option<&mut MaybeUninit<tw_unsent>>,
) -> bool {
    guard_value(false, || {
        let found = of(error).and_then(|it| it.failure.unsent.get(index));
        let (Some(found), Some(unsent)) = (found, unsent) else { return false };
        unsent.write(tw_unsent {
            partition: found.partition,
            reserved: 0,
            failed_records: found.failed_records,
            unknown_records: found.unknown_records,
        });
        true
    })
}

/// Frees an error. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_error_free(error: *mut tw_error) {
    // SAFETY: as the header says.
    unsafe { free(error) }
}

/// The name of an error's number, such as "TOPIC_NOT_FOUND". Static; NULL if the number is not
/// known to this version, and "OK" for 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_error_name(code: i32) -> *const c_char {
    guard_value(std::ptr::null(), || {
        if code == 0 {
            return c"OK".as_ptr();
        }
        let Ok(number) = u16::try_from(code) else { return std::ptr::null() };
        match names().iter().find(|(known, _)| known.0 == number) {
            Some((_, name)) => name.as_ptr(),
            None => std::ptr::null(),
        }
    })
}

/// All names, as C writes them.
fn names() -> &'static [(Code, CString)] {
    static NAMES: std::sync::OnceLock<Vec<(Code, CString)>> = std::sync::OnceLock::new();
    NAMES.get_or_init(|| {
        let rows = tidewire_protocol::error::CODES.iter();
        rows.map(|row| (row.code, CString::new(row.name).unwrap_or_default())).collect()
    })
}

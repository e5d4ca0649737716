//! Errors of the core as JavaScript's skin makes exceptions of them.
//!
//! Owns the form that they cross in. The one invariant: nothing of an error is lost but its type
//! of Rust; numbers, not texts, say what it is.

use napi::bindgen_prelude::BigInt;
use napi_derive::napi;
use tidewire::{CloseError, Code, Disposition, Error};

/// An error on its way.
#[napi(object)]
pub struct Failure {
    /// Tells it from a result.
    pub failed: bool,
    /// The stable number.
    pub number: u32,
    /// The disposition's bits.
    pub disposition: u32,
    /// The text.
    pub message: String,
    /// With `OFFSET_OUT_OF_RANGE`: the first offset that there is.
    pub first_offset: Option<BigInt>,
    /// With `OFFSET_OUT_OF_RANGE`: the offset after the last.
    pub next_offset: Option<BigInt>,
    /// Of a producer that was closed: what became of records.
    pub unsent: Option<Vec<Unsent>>,
}

/// Records of a partition that were not acknowledged.
#[napi(object)]
pub struct Unsent {
    pub partition: u32,
    pub failed_records: f64,
    pub unknown_records: f64,
}

impl Failure {
    pub(crate) fn of(error: &Error) -> Self {
        let offsets = error.offsets();
        Self {
            failed: true,
            number: u32::from(error.code().0),
            disposition: u32::from(error.disposition().0),
            message: error.to_string(),
            first_offset: offsets.as_ref().map(|range| range.start.into()),
            next_offset: offsets.map(|range| range.end.into()),
            unsent: None,
        }
    }

    pub(crate) fn of_close(error: &CloseError) -> Self {
        let unsent = error.partitions().iter().map(|unsent| Unsent {
            partition: unsent.partition,
            failed_records: unsent.failed_records as f64,
            unknown_records: unsent.unknown_records as f64,
        });
        Self {
            message: error.to_string(),
            unsent: Some(unsent.collect()),
            ..Self::of(error.error())
        }
    }

    /// Of what the skin gave; it checks everything before, so this is seldom seen.
    pub(crate) fn invalid(code: Code, message: String) -> Self {
        Self {
            failed: true,
            number: u32::from(code.0),
            disposition: u32::from(Disposition::NONE.0),
            message,
            first_offset: None,
            next_offset: None,
            unsent: None,
        }
    }
}

//! Errors of the core, as each language makes exceptions of them.
//!
//! Owns the form that they cross in. The one invariant: nothing of an error is lost but its type
//! of Rust; numbers, not texts, say what it is.

use std::fmt;

use tidewire::{CloseError, Code, Error};

/// What went wrong.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Failure {
    /// The stable number.
    pub number: i32,
    /// The number's name, such as `TOPIC_NOT_FOUND`; `UNKNOWN` if this version has none for it.
    pub name: String,
    /// Its class in the table of errors, such as `not_found`.
    pub kind: String,
    /// The disposition's bits.
    pub disposition: i32,
    /// Nothing happened, and the same request may succeed later.
    pub retriable: bool,
    /// The request may or may not have been carried out.
    pub outcome_unknown: bool,
    /// The text, for people.
    pub text: String,
    /// With `OFFSET_OUT_OF_RANGE`: the first offset that there is.
    pub first_offset: Option<i64>,
    /// With `OFFSET_OUT_OF_RANGE`: the offset after the last.
    pub next_offset: Option<i64>,
    /// Of a producer that was closed: what became of records.
    pub unsent: Vec<Unsent>,
}

/// Records of a partition that were not acknowledged when their producer was closed.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Unsent {
    /// The partition.
    pub partition: i32,
    /// Records that were certainly not appended.
    pub failed_records: i64,
    /// Records that may have been appended.
    pub unknown_records: i64,
}

/// The one error of all calls.
#[derive(Debug, uniffi::Error)]
pub enum NativeError {
    /// It failed.
    Failed {
        /// Why.
        failure: Failure,
    },
}

impl fmt::Display for NativeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Failed { failure } = self;
        f.write_str(&failure.text)
    }
}

impl std::error::Error for NativeError {}

/// `NotFound` is `not_found`, as the table of errors writes it.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

impl Failure {
    pub(crate) fn of(error: &Error) -> Self {
        let offsets = error.offsets();
        Self {
            number: i32::from(error.code().0),
            name: error.code().name().unwrap_or("UNKNOWN").to_owned(),
            kind: snake(&format!("{:?}", error.kind())),
            disposition: i32::from(error.disposition().0),
            retriable: error.is_retriable(),
            outcome_unknown: error.is_outcome_unknown(),
            text: error.to_string(),
            first_offset: offsets.as_ref().map(|range| range.start.cast_signed()),
            next_offset: offsets.map(|range| range.end.cast_signed()),
            unsent: Vec::new(),
        }
    }

    /// Of what the caller gave, before the core is asked.
    pub(crate) fn invalid(code: Code, text: String) -> Self {
        Self::of(&Error::from(tidewire_protocol::error::Error::new(code, text)))
    }
}

impl From<Failure> for NativeError {
    fn from(failure: Failure) -> Self {
        Self::Failed { failure }
    }
}

impl From<Error> for NativeError {
    fn from(error: Error) -> Self {
        Failure::of(&error).into()
    }
}

impl From<CloseError> for NativeError {
    fn from(error: CloseError) -> Self {
        let unsent = error.partitions().iter().map(|unsent| Unsent {
            partition: unsent.partition.cast_signed(),
            failed_records: unsent.failed_records.cast_signed(),
            unknown_records: unsent.unknown_records.cast_signed(),
        });
        let unsent = unsent.collect();
        Failure { text: error.to_string(), unsent, ..Failure::of(error.error()) }.into()
    }
}

//! What a producer counts, and what it reports when it is closed.
//!
//! Plain values; the queue and the sender fill them in.

use std::fmt;

use crate::error::Error;

/// What a producer did so far, and what waits; known without asking the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProducerStats {
    /// Records without an outcome.
    pub queued_records: u64,
    /// Their bytes, as they count against `queue_bytes`.
    pub queued_bytes: u64,
    /// Batches on the wire that are not answered.
    pub in_flight_batches: u64,
    /// Batches sent, each time counted.
    pub sent_batches: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Of them, those that had been sent before.
    pub retried_batches: u64,
    /// Batches that an earlier sending had appended already.
    pub duplicate_batches: u64,
    /// Records acknowledged.
    pub acknowledged_records: u64,
    /// Records that were certainly not appended.
    pub failed_records: u64,
    /// Records whose outcome is unknown.
    pub unknown_records: u64,
    /// Records dropped because the queue was full, with `queue_full` drop.
    pub dropped_records: u64,
}

/// What became of the records of a partition that closing waited for and that were not
/// acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unsent {
    /// The partition.
    pub partition: u32,
    /// Records that were certainly not appended.
    pub failed_records: u64,
    /// Records that may have been appended.
    pub unknown_records: u64,
}

/// A producer was closed, but not all of its records were acknowledged.
#[derive(Clone, Debug)]
pub struct CloseError {
    pub(super) error: Error,
    pub(super) partitions: Vec<Unsent>,
}

impl CloseError {
    /// The first failure.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The records without an acknowledgement, by partition. Empty if the failure was told by a
    /// record before, or if only closing itself failed.
    pub fn partitions(&self) -> &[Unsent] {
        &self.partitions
    }
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed: u64 = self.partitions.iter().map(|unsent| unsent.failed_records).sum();
        let unknown: u64 = self.partitions.iter().map(|unsent| unsent.unknown_records).sum();
        if failed + unknown > 0 {
            write!(
                f,
                "{failed} records were not sent and the outcome of {unknown} is unknown, in {} \
                 partitions; first: ",
                self.partitions.len()
            )?;
        }
        fmt::Display::fmt(&self.error, f)
    }
}

impl std::error::Error for CloseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Closing could not even begin, or was not waited for.
impl From<Error> for CloseError {
    fn from(error: Error) -> Self {
        Self { error, partitions: Vec::new() }
    }
}

impl From<CloseError> for Error {
    fn from(error: CloseError) -> Self {
        error.error
    }
}

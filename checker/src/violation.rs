//! A broken promise.

use std::fmt;

/// Which promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// A record that must be there is not.
    Lost,
    /// A record was never sent like this.
    Altered,
    /// One offset was given to two records.
    OffsetReused,
    /// A record is there more often than it may.
    Duplicate,
    /// A record was refused, and is there.
    RefusedYetThere,
    /// A record was found missing after a crash, and is there without having been sent again.
    Resurrected,
    /// A producer's records stand in another order than they were sent.
    OutOfOrder,
    /// A record of an exactly-once producer is missing before one that is there.
    Gap,
    /// Part of a batch is there without the rest.
    TornBatch,
    /// A reader was given another offset than the next one.
    Skipped,
    /// The log begins later than it may.
    TrimmedTooMuch,
    /// The log begins earlier than it did.
    StartWentBack,
    /// An acknowledgement is of a lower level than asked for.
    TooLowALevel,
    /// A deleted partition answered.
    DeletedYetThere,
    /// A group's offset is behind one that was acknowledged.
    CommitWentBack,
    /// A group's offset was never committed.
    CommitInvented,
    /// The history itself makes no sense: a mistake of whoever made it.
    Misuse,
}

/// A broken promise, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which promise.
    pub kind: ViolationKind,
    /// What happened, for people.
    pub text: String,
}

impl Violation {
    pub(crate) fn new(kind: ViolationKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.text)
    }
}

impl std::error::Error for Violation {}

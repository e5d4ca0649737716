//! Deliberate mistakes, made to messages between the server's parts: the proof that the simulation
//! finds them. Nothing of them is in those parts.

/// What the server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// All producers of a partition share one line of sequence numbers.
    SharedSequences,
    /// Whoever stores an offset is taken for the partition's owner.
    StaleCommits,
    /// A partition that is asked back counts as released at once.
    EarlyGrants,
    /// What groups have to store is told and not stored.
    ForgottenGroups,
}

//! Deliberate bugs: the proof that the checker bites.
//!
//! Each one breaks the server at its edge — what it asks of the disk, what it answers — so that
//! nothing of them is in the product.

/// What the server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bug {
    /// Some syncs of segment files are left out.
    SkipSync,
    /// A sync returns before the disk has the bytes.
    AckEarly,
    /// What was torn is not cut off when a log is opened.
    KeepTornTail,
    /// After a restart the last batch's offsets are given out again.
    ReuseOffset,
    /// Directories are never synced.
    SkipDirSync,
    /// A failed sync is taken for a good one.
    IgnoreFailedSync,
    /// Now and then a write is answered and not carried out.
    LoseWrite,
    /// Now and then a bit changes on the way to the disk.
    FlipBit,
    /// Two acknowledgements are swapped.
    SwapAcks,
    /// A batch that was sent before is answered with another offset than its own.
    WrongDuplicateOffset,
    /// After a restart no producer is known.
    ForgetProducers,
}

impl Bug {
    /// All of them, with the words that choose them on the command line.
    pub const ALL: &[(&str, Self)] = &[
        ("skip-sync", Self::SkipSync),
        ("ack-early", Self::AckEarly),
        ("keep-torn-tail", Self::KeepTornTail),
        ("reuse-offset", Self::ReuseOffset),
        ("skip-dir-sync", Self::SkipDirSync),
        ("ignore-failed-sync", Self::IgnoreFailedSync),
        ("lose-write", Self::LoseWrite),
        ("flip-bit", Self::FlipBit),
        ("swap-acks", Self::SwapAcks),
        ("wrong-duplicate-offset", Self::WrongDuplicateOffset),
        ("forget-producers", Self::ForgetProducers),
    ];
}

//! Deliberate bugs: the proof that the checker bites.
//!
//! They are made at the edges — what the server asks of the disk, what its parts tell each other,
//! what a client makes of an answer — so that nothing of them is in the product.

use tidewire_server::sim::Mistake;

/// What the server, or a client, does wrong.
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
    /// Retention deletes twice as much as it may.
    KeepTooLittle,
    /// Where a log begins is told before it is on the disk, and never written.
    ForgetStart,
    /// After a restart no id is remembered.
    ForgetIds,
    /// Ids are remembered for longer than the topic says.
    RememberIds,
    /// Nobody is fenced.
    NoFence,
    /// A compressed batch is said to be of the other codec.
    WrongCodec,
    /// Offsets that were stored are told before they are on the disk, and never written.
    ForgetCommits,
    /// Now and then a stored offset is moved back.
    CommitBack,
    /// A client sends what was not answered again as new records.
    RetryAsNew,
    /// A client takes what was not answered for done.
    LostIsSuccess,
    /// A subscription goes on one record late.
    ResumeLate,
    /// Producers are taken for one another.
    SharedSequences,
    /// Anybody may store offsets.
    StaleCommits,
    /// A partition is given before it was released.
    EarlyGrants,
    /// Groups and offsets are told and not stored.
    ForgetGroups,
}

impl Bug {
    /// Those of storage, with the words that choose them on the command line.
    pub const STORAGE: &[(&str, Self)] = &[
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
        ("keep-too-little", Self::KeepTooLittle),
        ("forget-start", Self::ForgetStart),
        ("forget-ids", Self::ForgetIds),
        ("remember-ids", Self::RememberIds),
        ("no-fence", Self::NoFence),
        ("wrong-codec", Self::WrongCodec),
        ("forget-commits", Self::ForgetCommits),
        ("commit-back", Self::CommitBack),
    ];

    /// Those of sessions and groups.
    pub const SESSIONS: &[(&str, Self)] = &[
        ("retry-as-new", Self::RetryAsNew),
        ("lost-is-success", Self::LostIsSuccess),
        ("resume-late", Self::ResumeLate),
        ("shared-sequences", Self::SharedSequences),
        ("stale-commits", Self::StaleCommits),
        ("early-grants", Self::EarlyGrants),
        ("forget-groups", Self::ForgetGroups),
        ("skip-sync", Self::SkipSync),
        ("ack-early", Self::AckEarly),
    ];

    /// What it comes to between the server's parts.
    pub(crate) fn mistake(self) -> Option<Mistake> {
        Some(match self {
            Self::SharedSequences => Mistake::SharedSequences,
            Self::StaleCommits => Mistake::StaleCommits,
            Self::EarlyGrants => Mistake::EarlyGrants,
            Self::ForgetGroups => Mistake::ForgottenGroups,
            _ => return None,
        })
    }
}

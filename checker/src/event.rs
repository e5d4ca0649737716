//! What can happen in a history.
//!
//! All numbers (of sends, partitions, producers, readers, groups) are the caller's own. A topic
//! that is deleted and made again has new partitions.

use crate::Digest;

/// How safe a record is. It survives everything that the levels before it survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing is promised.
    None,
    /// In the operating system: it survives the death of the process.
    Written,
    /// On the disk: it survives the loss of power.
    Synced,
}

/// What a producer was promised about its sends to one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Idempotent: in order, once, without a gap. Sequences count records, in each epoch from 0.
    ExactlyOnce {
        /// The producer's epoch.
        epoch: u32,
        /// Number of the first record within the partition.
        sequence: u64,
    },
    /// In order and once, though what failed or is unknown may be missing: a client library
    /// tries again by itself.
    Once {
        /// Place among the producer's sends to the partition.
        place: u64,
    },
    /// In order while nothing is sent again.
    Ordered {
        /// Place among the producer's sends to the partition.
        place: u64,
    },
    /// In no order.
    Loose,
}

/// Whether the history tells when a send is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retries {
    /// Each one is an [`Event::Resent`].
    Told,
    /// A client library tries again by itself.
    Hidden,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process died, the operating system lives: what was written is there.
    Process,
    /// The power failed: what was synced is there.
    Power,
}

/// One thing that happened, in the order in which clients and operators saw it happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A batch is sent for the first time.
    Sent {
        /// A new number.
        send: u64,
        /// Where to.
        partition: u64,
        /// By whom.
        producer: u64,
        /// What the producer was promised.
        order: Order,
        /// Whether the history tells of retries.
        retries: Retries,
        /// The level asked for.
        level: Level,
        /// The records, each unlike all others in the history.
        records: Vec<Digest>,
    },
    /// The batch is sent again, unchanged.
    Resent {
        /// Its number.
        send: u64,
    },
    /// The server says that the batch is in the log.
    Acknowledged {
        /// Its number.
        send: u64,
        /// The level that was reached.
        level: Level,
        /// Offset of its first record.
        base_offset: u64,
    },
    /// The server says that one attempt was not appended and never will be. An error that leaves
    /// this open is no event.
    Refused {
        /// The batch's number.
        send: u64,
    },
    /// A client says, in the end, that the batch is certainly not in the log and never will be.
    Failed {
        /// Its number.
        send: u64,
    },
    /// A reader begins to read, or begins anew.
    Subscribed {
        /// Which reader.
        reader: u64,
        /// Of what.
        partition: u64,
        /// The first offset it will be given.
        offset: u64,
    },
    /// A reader was given records, which follow on those before.
    Read {
        /// Which reader.
        reader: u64,
        /// Offset of the first.
        base_offset: u64,
        /// All records, without gaps.
        records: Vec<Digest>,
    },
    /// The server says that everything before an offset is on the disk.
    Durable {
        /// Of which partition.
        partition: u64,
        /// The offset after the last durable record.
        end: u64,
    },
    /// From now on the log may begin as late as this offset: retention, or a request to trim.
    TrimAllowed {
        /// Of which partition.
        partition: u64,
        /// The latest offset at which it may begin.
        before: u64,
    },
    /// The server says that the log begins at this offset.
    Trimmed {
        /// Of which partition.
        partition: u64,
        /// Where it begins.
        start: u64,
    },
    /// The disk refused to make written records durable: only what was synced before is safe.
    SyncFailed {
        /// Of which partition.
        partition: u64,
    },
    /// The disk altered what it held. Records may be missing from here on, yet none altered.
    Damaged {
        /// Of which partition.
        partition: u64,
        /// The first record that may be missing.
        offset: u64,
    },
    /// The server ended without warning.
    Crashed(Crash),
    /// The whole of a partition, while nothing is under way: every record that can be read.
    Audited {
        /// Which partition.
        partition: u64,
        /// Offset of the first record.
        start: u64,
        /// All records, without gaps.
        records: Vec<Digest>,
    },
    /// The partition's topic is gone.
    Deleted {
        /// Which partition.
        partition: u64,
    },
    /// A group is about to commit an offset.
    CommitSent {
        /// Which group.
        group: u64,
        /// Of which partition.
        partition: u64,
        /// The next offset to read.
        offset: u64,
    },
    /// The server says that the commit is kept.
    CommitAcknowledged {
        /// Which group.
        group: u64,
        /// Of which partition.
        partition: u64,
        /// The next offset to read.
        offset: u64,
    },
    /// Someone is about to set a group's offset, forwards or back.
    ResetSent {
        /// Which group.
        group: u64,
        /// Of which partition.
        partition: u64,
        /// The next offset to read.
        offset: u64,
    },
    /// The server says that it is set.
    ResetAcknowledged {
        /// Which group.
        group: u64,
        /// Of which partition.
        partition: u64,
        /// The next offset to read.
        offset: u64,
    },
    /// Someone asks for a group's committed offset.
    CommitAsked {
        /// A new number.
        ask: u64,
        /// Which group.
        group: u64,
        /// Of which partition.
        partition: u64,
    },
    /// And is told.
    CommitTold {
        /// The question's number.
        ask: u64,
        /// The next offset to read; `None` if nothing was committed.
        offset: Option<u64>,
    },
}

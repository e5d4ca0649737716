//! The catalog: which streams and topics exist.
//!
//! A [`Catalog`] is an immutable snapshot that readers share; a [`CatalogStore`] is its one
//! writer, on redb. Owns ids (never used twice), the leader epoch and producer ids. Which names
//! and numbers are allowed, and the logs that belong to a topic, are left to the server.
//!
//! Invariant: a snapshot shows only what is on the disk; each change is one durable transaction.

pub mod access;
mod check;
mod error;
mod guard;
mod producers;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use tidewire_protocol::batch::Codec;

pub use check::{CatalogCheck, check_catalog, read_catalog_file};
pub(crate) use check::{check_bytes, forget_topics, open_file, read_guarded_file};
pub use error::{CatalogError, CatalogErrorKind};
pub(crate) use guard::GuardedDatabase;
pub use producers::{FIRST_NAMED_PRODUCER_ID, NamedProducer};
pub use store::{CatalogStore, remove_orphans};

/// All streams and topics at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// By name.
    pub streams: BTreeMap<String, Arc<Stream>>,
}

/// A namespace of topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Never used for another stream.
    pub id: u64,
    /// Unique among streams.
    pub name: String,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// By name.
    pub topics: BTreeMap<String, Arc<Topic>>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Never used for another topic; names its directory.
    pub id: u64,
    /// Name of its stream.
    pub stream: String,
    /// Unique within its stream.
    pub name: String,
    /// Number of partitions.
    pub partitions: u32,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// Largest segment file of its logs, in bytes.
    pub segment_bytes: u64,
    /// Compression by producers that do not choose for themselves. The log stores what comes.
    pub codec: Codec,
    /// Age at which records may be deleted, in milliseconds; 0 is never.
    pub retention_ms: u64,
    /// Size of a partition above which its oldest records may be deleted, in bytes; 0 is never.
    pub retention_bytes: u64,
    /// How long ids of records are remembered, in milliseconds; 0 is not at all.
    pub dedup_window_ms: u64,
}

/// What a topic is created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicSettings {
    /// Number of partitions.
    pub partitions: u32,
    /// Largest segment file of its logs, in bytes.
    pub segment_bytes: u64,
    /// Compression by producers that do not choose for themselves.
    pub codec: Codec,
    /// Age at which records may be deleted, in milliseconds; 0 is never.
    pub retention_ms: u64,
    /// Size of a partition above which its oldest records may be deleted, in bytes; 0 is never.
    pub retention_bytes: u64,
    /// How long ids of records are remembered, in milliseconds; 0 is not at all.
    pub dedup_window_ms: u64,
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self {
            partitions: 1,
            segment_bytes: 256 << 20,
            codec: Codec::None,
            retention_ms: 0,
            retention_bytes: 0,
            dedup_window_ms: 0,
        }
    }
}

/// What is changed of a topic; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopicChange {
    /// Number of partitions; it only ever grows.
    pub partitions: Option<u32>,
    /// See [`TopicSettings::segment_bytes`]. Files that were begun keep their size.
    pub segment_bytes: Option<u64>,
    /// See [`TopicSettings::codec`].
    pub codec: Option<Codec>,
    /// See [`TopicSettings::retention_ms`].
    pub retention_ms: Option<u64>,
    /// See [`TopicSettings::retention_bytes`].
    pub retention_bytes: Option<u64>,
    /// See [`TopicSettings::dedup_window_ms`].
    pub dedup_window_ms: Option<u64>,
}

impl Catalog {
    /// The stream of this name.
    pub fn stream(&self, stream: &str) -> Option<&Arc<Stream>> {
        self.streams.get(stream)
    }

    /// The topic of this name.
    pub fn topic(&self, stream: &str, topic: &str) -> Option<&Arc<Topic>> {
        self.streams.get(stream)?.topics.get(topic)
    }

    /// All topics, by stream and name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.streams.values().flat_map(|stream| stream.topics.values())
    }
}

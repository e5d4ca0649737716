//! Tidewire's storage: the log of each partition, the catalog of streams and topics, and the
//! directory that holds them.
//!
//! - [`log`]: one partition's [`Log`](log::Log): append, read, group commit, recovery.
//! - [`disk`]: the operating system behind the [`Disk`](disk::Disk) trait, real or simulated.
//! - [`data_dir`]: the directory that one server owns.
//! - [`catalog`]: which streams and topics exist, on redb.
//! - [`groups`]: groups of consumers and their stored offsets, on redb.
//! - [`backup`]: copying the directory, also while a server runs on it.
//! - [`doctor`]: examining and repairing a directory that no server has open.
//! - [`error`]: what can go wrong, by what the caller should do about it.
//!
//! Nothing here opens a socket, reads a clock or starts a thread: times are arguments, and the
//! one call that may block for long, [`SyncJob::run`](log::SyncJob::run), is a value that the
//! caller sends to a thread of its choice.
//!
//! Invariant: what [`Log::synced_end`](log::Log::synced_end) once covered is either read back
//! unchanged after any crash or refused as damaged; it is never silently shorter or different.
//!
//! ```
//! use tidewire_protocol::batch::{Batch, BatchBuilder, RecordRef, Sequence};
//! use tidewire_storage::disk::RealDisk;
//! use tidewire_storage::log::{Log, LogOptions};
//!
//! # let dir = tempfile::tempdir()?;
//! let mut builder = BatchBuilder::new(1 << 20, 1000);
//! builder.push(&RecordRef { value: Some(b"hello"), ..RecordRef::at(0) })?;
//! let batch = builder.seal(Sequence::default());
//!
//! let (mut log, recovery) = Log::open(RealDisk, dir.path(), LogOptions::default())?;
//! assert!(recovery.is_clean());
//! assert_eq!(log.append(&[batch], 1_700_000_000_000_000)?, 0..1);
//! assert_eq!(log.sync()?, 1);
//!
//! let chunk = log.read(0, 1 << 20, log.synced_end())?;
//! let batch = Batch::decode(chunk.bytes)?;
//! assert_eq!(batch.get(0).and_then(|record| record.value()), Some(&b"hello"[..]));
//! log.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "tests of the real thing"
    )
)]

mod at_rest;
pub mod backup;
pub mod catalog;
pub mod data_dir;
pub mod disk;
pub mod doctor;
pub mod error;
pub mod groups;
pub mod log;

pub use catalog::access;
pub use catalog::{
    Catalog, CatalogError, CatalogErrorKind, CatalogStore, Stream, Topic, TopicChange,
    TopicSettings,
};
pub use data_dir::{DataDir, TopicDirs};
pub use error::{Error, ErrorKind};

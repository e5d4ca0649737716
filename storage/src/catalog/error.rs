//! Why a change to the catalog was refused. Nothing was changed then.

use std::fmt;
use std::io;

/// What the caller should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CatalogErrorKind {
    /// Create the stream, or correct its name.
    StreamNotFound,
    /// Create the topic, or correct its name.
    TopicNotFound,
    /// Use the stream that exists.
    StreamExists,
    /// Use the topic that exists.
    TopicExists,
    /// The disk or a quota is full. Make room, then try again.
    Full,
    /// Ask for as many partitions as there are, or more.
    FewerPartitions,
    /// Use fewer names of producers.
    TooManyProducers,
    /// Use the user that exists.
    UserExists,
    /// Create the user, or correct its name.
    UserNotFound,
    /// Call the token by another name.
    TokenExists,
    /// Look up the token's number.
    TokenNotFound,
    /// Have fewer users, tokens or grants.
    AccessLimit,
    /// Not to the user that is always there.
    Root,
    /// The store failed; report it.
    Storage,
}

/// An error of the catalog.
#[derive(Debug)]
pub struct CatalogError {
    kind: CatalogErrorKind,
    text: String,
    source: Option<Box<redb::Error>>,
}

impl CatalogError {
    pub(super) fn new(kind: CatalogErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), source: None }
    }

    pub(super) fn stream_not_found(name: &str) -> Self {
        Self::new(CatalogErrorKind::StreamNotFound, format!("stream {name} does not exist"))
    }

    pub(super) fn topic_not_found(stream: &str, name: &str) -> Self {
        let text = format!("topic {stream}/{name} does not exist");
        Self::new(CatalogErrorKind::TopicNotFound, text)
    }

    pub(super) fn storage(error: impl Into<redb::Error>) -> Self {
        let error = error.into();
        let text = format!("the catalog could not be stored: {error}");
        let kind = match &error {
            redb::Error::Io(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                ) =>
            {
                CatalogErrorKind::Full
            }
            _ => CatalogErrorKind::Storage,
        };
        Self { kind, text, source: Some(Box::new(error)) }
    }

    /// What the caller should do.
    pub fn kind(&self) -> CatalogErrorKind {
        self.kind
    }
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for CatalogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

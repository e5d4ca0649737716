//! What can go wrong with a log or a data directory.
//!
//! An [`Error`] is a kind, chosen by what the caller should do, and a sentence for people that
//! names the file and the limit. Which wire error it becomes is decided where it is answered.
//! Errors of the catalog's own operations are in [`crate::catalog`].

use std::fmt;
use std::io;
use std::path::Path;

use crate::disk::crypt::is_cannot_decrypt;

/// What the caller should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The disk refused and nothing was changed. Trying again may help; report it.
    Io,
    /// The disk or a quota is full and nothing was changed. Make room, then try again.
    Full,
    /// It is not known what the disk holds. The log takes no more appends until it is opened
    /// again; what was synced can still be read.
    Fenced,
    /// Stored bytes are damaged, or encrypted with a key that is not there. Restore them from
    /// elsewhere, or start with the key; trying again does not help.
    Corrupt,
    /// The offset is not in the log, which holds `start..end`.
    OutOfRange {
        /// First offset that can be read.
        start: u64,
        /// The offset after the last that can be read.
        end: u64,
    },
    /// The request can never succeed: a broken batch, an option out of its range, or no offsets
    /// left.
    Invalid,
    /// Another process uses the data directory. Stop it, or use another directory.
    Locked,
    /// The directory is not a data directory, or of a version unknown here.
    Format,
}

/// An error of the log or the data directory.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    text: String,
    source: Option<io::Error>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, text: text.into(), source: None }))
    }

    /// `source` happened while `doing` (a gerund) something to `path`.
    pub(crate) fn io(doing: &str, path: &Path, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
            // Trying again does not help: a key has to be found, or a file restored.
            _ if is_cannot_decrypt(&source) => ErrorKind::Corrupt,
            _ => ErrorKind::Io,
        };
        Self::caused(kind, format!("{doing} {} failed: {source}", path.display()), source)
    }

    pub(crate) fn caused(
        kind: ErrorKind,
        text: impl Into<String>,
        source: impl Into<Option<io::Error>>,
    ) -> Self {
        Self(Box::new(Inner { kind, text: text.into(), source: source.into() }))
    }

    /// What the caller should do.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}

//! Why a server cannot start, or did not stop well.

use std::fmt;

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration cannot work as it is.
    Config,
    /// The address cannot be listened on.
    Listen,
    /// The data directory cannot be used.
    Storage,
    /// The system refused something, or a thread failed.
    System,
}

/// An error of the server as a whole.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    text: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// What to do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

impl From<tidewire_storage::Error> for Error {
    fn from(error: tidewire_storage::Error) -> Self {
        Self::new(ErrorKind::Storage, error.to_string())
    }
}

//! What can go wrong, in one type.
//!
//! Owns how an error is shown and what is kept beside the protocol's number, disposition and
//! text; leaves the numbers and their meaning to the protocol's table. The one invariant: a
//! program can decide by [`Error::kind`], [`Error::code`] and the two questions alone; the text
//! is for people and may change.

use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use tidewire_protocol::error as wire;

pub use tidewire_protocol::error::{Class as ErrorKind, Code, Disposition};

/// An error of this client or of the server. Cheap to clone: one failed batch fails all its
/// tickets with the same one.
#[derive(Clone)]
pub struct Error {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    wire: wire::Error,
    offsets: Option<Range<u64>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        wire::Error::new(code, message).into()
    }

    /// What the caller can do about it: one of a few groups.
    pub fn kind(&self) -> ErrorKind {
        self.inner.wire.class()
    }

    /// The stable number. One that is unknown here keeps its value.
    pub fn code(&self) -> Code {
        self.inner.wire.code
    }

    /// What may be concluded, whatever the number.
    pub fn disposition(&self) -> Disposition {
        self.inner.wire.disposition
    }

    /// Whether nothing happened and the same request may succeed later.
    pub fn is_retriable(&self) -> bool {
        self.inner.wire.is_retriable()
    }

    /// Whether the request may or may not have been carried out.
    pub fn is_outcome_unknown(&self) -> bool {
        self.inner.wire.is_outcome_unknown()
    }

    /// For `OFFSET_OUT_OF_RANGE`, the offsets that the partition does hold, where they could be
    /// learnt: from its first record to after its last.
    pub fn offsets(&self) -> Option<Range<u64>> {
        self.inner.offsets.clone()
    }

    pub(crate) fn with_disposition(mut self, disposition: Disposition) -> Self {
        Arc::make_mut(&mut self.inner).wire.disposition = disposition;
        self
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.inner).source = Some(Arc::new(source));
        self
    }

    pub(crate) fn with_offsets(mut self, offsets: Range<u64>) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        inner.offsets = Some(offsets);
        self
    }

    /// The error as the protocol has it.
    pub(crate) fn to_wire(&self) -> wire::Error {
        self.inner.wire.clone()
    }

    /// The same error with a text that says what it is about.
    pub(crate) fn about(mut self, what: impl fmt::Display) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        inner.wire.message = format!("{what}: {}", inner.wire);
        self
    }
}

impl From<wire::Error> for Error {
    fn from(wire: wire::Error) -> Self {
        Self { inner: Arc::new(Inner { wire, offsets: None, source: None }) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner.wire, f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self)?;
        let disposition = self.disposition();
        if disposition != Disposition::NONE {
            write!(f, " {disposition:?}")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small_and_can_be_decided_on_without_its_text() {
        let error = Error::new(Code::DISCONNECTED, "the server closed the connection");
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert!(error.is_outcome_unknown() && !error.is_retriable());
        assert!(size_of::<Error>() == size_of::<usize>());
    }

    #[test]
    fn its_debug_form_has_number_text_and_disposition() {
        let error = Error::new(Code::TIMEOUT, "no answer within 5 ms");
        assert_eq!(
            format!("{error:?}"),
            "TIMEOUT (952): no answer within 5 ms {\"outcome_unknown\"}"
        );
    }

    #[test]
    fn an_offset_error_carries_the_offsets_and_keeps_the_servers_text() {
        let error = Error::new(Code::OFFSET_OUT_OF_RANGE, "offset 9").with_offsets(2..5);
        assert_eq!(error.offsets(), Some(2..5));
        assert_eq!(error.to_string(), "offset 9");
    }
}

//! What is wrong with bytes that claim to be a batch.
//!
//! A [`Malformed`] names the field and the limit; which wire error it becomes is decided where
//! it is answered, by its [`Fault`].

use std::fmt;

/// The kind of damage, chosen by what the receiver does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Fewer bytes than the structure needs: at the end of a log, a torn write.
    Truncated,
    /// The header's checksum does not match its bytes.
    HeaderChecksum,
    /// The body's checksum does not match its bytes.
    BodyChecksum,
    /// A batch format, codec, or column that this implementation does not know.
    Unsupported,
    /// A field contradicts another or the bytes that follow.
    Layout,
    /// A field exceeds a limit.
    Limit,
    /// It is encrypted, and there is no key with that number.
    KeyMissing,
    /// It is encrypted with another key than the one with that number.
    KeyWrong,
    /// It is encrypted, and not as whoever has the key encrypted it for this place.
    Forged,
}

/// Bytes that are not a valid batch, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    fault: Fault,
    text: String,
}

impl Malformed {
    pub(super) fn new(fault: Fault, text: impl Into<String>) -> Self {
        Self { fault, text: text.into() }
    }

    /// The kind of damage.
    pub fn fault(&self) -> Fault {
        self.fault
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Malformed {}

macro_rules! malformed {
    ($fault:ident, $($arg:tt)*) => {
        $crate::batch::malformed::Malformed::new(
            $crate::batch::malformed::Fault::$fault,
            format!($($arg)*),
        )
    };
}
pub(super) use malformed;

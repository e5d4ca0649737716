//! Errors that cross the wire: a stable number, a disposition, and a text for people.
//!
//! Programs decide by [`Disposition`] and [`Code`], never by the text, which may change.

use std::fmt;

pub use crate::generated::codes::CODES;
use crate::message::SeenRange;

/// A stable error number. Numbers unknown here survive a round trip.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub u16);

/// What a receiver may conclude from an error, whatever its number: a set.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Disposition(pub u8);

impl Disposition {
    /// Asking again is pointless.
    pub const NONE: Self = Self(0);
    /// Nothing happened; the same request may succeed later.
    pub const RETRIABLE: Self = Self(1);
    /// The request may or may not have been carried out.
    pub const OUTCOME_UNKNOWN: Self = Self(2);
    /// The connection is of no more use.
    pub const RECONNECT: Self = Self(4);
    /// What the client knows of streams and topics is out of date.
    pub const REFRESH_METADATA: Self = Self(8);
    /// A newer instance has taken this one's place.
    pub const FENCED: Self = Self(16);

    /// Whether all of `other` holds.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// This set, but that nobody knows whether the request was carried out: which excludes that
    /// it certainly was not.
    // SPEC E-5
    pub const fn outcome_unknown(self) -> Self {
        Self(self.0 & !Self::RETRIABLE.0 | Self::OUTCOME_UNKNOWN.0)
    }

    /// Both sets.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 5] =
            ["retriable", "outcome_unknown", "reconnect", "refresh_metadata", "fenced"];
        f.debug_set()
            .entries(
                NAMES.iter().enumerate().filter(|(i, _)| self.0 >> i & 1 == 1).map(|(_, n)| n),
            )
            .finish()
    }
}

/// Groups of codes that a caller treats alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The peers misunderstand each other.
    Protocol,
    /// Credentials or permission.
    Auth,
    /// The request can never succeed as it is.
    Invalid,
    /// Something named does not exist.
    NotFound,
    /// Something exists already, or is in use.
    Conflict,
    /// A batch was refused.
    Append,
    /// A partition cannot store or read.
    Storage,
    /// A read was refused.
    Consume,
    /// Too much at once; try again later.
    Busy,
    /// The server failed or is stopping.
    Server,
    /// No connection.
    Connection,
    /// No answer in time.
    Timeout,
    /// This side was closed.
    Closed,
}

/// A row of the table of codes.
#[derive(Clone, Copy, Debug)]
pub struct CodeInfo {
    /// The number.
    pub code: Code,
    /// Its name.
    pub name: &'static str,
    /// Its class.
    pub class: Class,
    /// The disposition that it has unless a server says otherwise.
    pub disposition: Disposition,
    /// What it means, for people.
    pub text: &'static str,
}

impl Code {
    /// The code's row, if it is known here.
    pub fn info(self) -> Option<&'static CodeInfo> {
        CODES.binary_search_by_key(&self, |row| row.code).ok().map(|at| &CODES[at])
    }

    /// Its name, such as `TOPIC_NOT_FOUND`.
    pub fn name(self) -> Option<&'static str> {
        self.info().map(|row| row.name)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "error {}", self.0),
        }
    }
}

/// An error as it crosses the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The number.
    pub code: Code,
    /// What may be concluded.
    pub disposition: Disposition,
    /// What happened, naming the object and the limit. For people.
    pub message: String,
    /// With `DUPLICATE_IDS`, which records of the batch were seen; in order, at most
    /// `MAX_SEEN_RANGES`, so perhaps not all. Empty with every other code.
    pub seen: Vec<SeenRange>,
}

impl Error {
    /// An error with its code's usual disposition.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let disposition = code.info().map(|row| row.disposition).unwrap_or_default();
        Self { code, disposition, message: message.into(), seen: Vec::new() }
    }

    /// The class of its code; errors of unknown codes are the server's.
    pub fn class(&self) -> Class {
        self.code.info().map_or(Class::Server, |row| row.class)
    }

    /// Whether nothing happened and the same request may succeed later.
    pub fn is_retriable(&self) -> bool {
        self.disposition.has(Disposition::RETRIABLE)
    }

    /// Whether the request may or may not have been carried out.
    pub fn is_outcome_unknown(&self) -> bool {
        self.disposition.has(Disposition::OUTCOME_UNKNOWN)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.message.is_empty(), self.code.info()) {
            (false, _) => f.write_str(&self.message),
            (true, Some(row)) => f.write_str(row.text),
            (true, None) => write!(f, "{}", self.code),
        }
    }
}

impl std::error::Error for Error {}

/// Which error a refused batch becomes.
impl From<crate::batch::Malformed> for Error {
    fn from(malformed: crate::batch::Malformed) -> Self {
        use crate::batch::Fault;
        let code = match malformed.fault() {
            Fault::Limit => Code::BATCH_TOO_LARGE,
            Fault::Unsupported => Code::UNSUPPORTED_BATCH,
            Fault::KeyMissing => Code::ENCRYPTION_KEY_MISSING,
            Fault::KeyWrong => Code::ENCRYPTION_KEY_WRONG,
            Fault::Forged => Code::DECRYPTION_FAILED,
            _ => Code::CORRUPT_BATCH,
        };
        Self::new(code, malformed.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
    }

    /// SPEC E-9: each class has its range.
    #[test]
    fn numbers_lie_in_the_range_of_their_class() {
        use Class::*;
        for row in CODES {
            let classes: &[Class] = match row.code.0 {
                1..=99 => &[Protocol, Busy],
                100..=199 => &[Auth],
                200..=299 => &[Invalid],
                300..=399 => &[NotFound, Conflict],
                400..=499 => &[Append, Storage, Busy],
                500..=599 => &[Consume],
                900..=949 => &[Server, Busy],
                950..=999 => &[Connection, Timeout, Closed],
                other => panic!("{other} has no range"),
            };
            assert!(classes.contains(&row.class), "{}", row.name);
        }
    }

    /// SPEC E-3, E-5: the two that exclude each other never stand together.
    #[test]
    fn no_error_is_both_retriable_and_of_unknown_outcome() {
        for row in CODES {
            let error = Error::new(row.code, "");
            assert!(!(error.is_retriable() && error.is_outcome_unknown()), "{}", row.name);
            assert!(row.disposition.outcome_unknown().has(Disposition::OUTCOME_UNKNOWN));
        }
    }

    /// SPEC E-2
    #[test]
    fn an_unknown_code_keeps_its_number_and_disposition() {
        let error = Error { disposition: Disposition(1), ..Error::new(Code(777), "x") };
        assert!(error.is_retriable());
        assert_eq!(error.code.to_string(), "error 777");
    }
}

//! What a frame's meta can say: the kinds, and the traits that generated messages have.

pub use crate::generated::messages::*;

use std::fmt;

use crate::codec::{Reader, Writer};
use crate::error::Error;

/// The number of a kind of frame. Numbers unknown here survive a round trip.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub u16);

impl Kind {
    /// The kind's row, if it is known here.
    pub fn info(self) -> Option<&'static KindInfo> {
        KINDS.binary_search_by_key(&self, |row| row.kind).ok().map(|at| &KINDS[at])
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.info() {
            Some(row) => f.write_str(row.name),
            None => write!(f, "kind {:#06x}", self.0),
        }
    }
}

impl SeenRange {
    /// In place of an offset: the records' ids stand earlier in the same batch.
    // SPEC I-15
    pub const SAME_BATCH: u64 = u64::MAX;
}

/// Who sends a kind, and whether it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From client to server, answered by a frame of the same kind.
    Request,
    /// From the server, unasked.
    Push,
    /// From client to server, never answered.
    OneWay,
}

/// A row of the table of kinds.
#[derive(Clone, Copy, Debug)]
pub struct KindInfo {
    /// The number.
    pub kind: Kind,
    /// Its name.
    pub name: &'static str,
    /// The version of its fields that this implementation speaks.
    pub version: u8,
    /// Its number and fields are settled, but no server carries it out yet.
    pub planned: bool,
    /// Who sends it.
    pub direction: Direction,
    /// Whether a request or push of this kind has a payload.
    pub request_payload: bool,
    /// Whether a reply of this kind has a payload.
    pub response_payload: bool,
}

/// The meta of one kind of frame, in one direction.
pub trait Message: Sized {
    /// The kind.
    const KIND: Kind;
    /// The version of the fields.
    const VERSION: u8;
    /// Appends the fields.
    fn encode(&self, writer: &mut Writer<'_>);
    /// Decodes all of a meta.
    fn decode(reader: Reader<'_>) -> Result<Self, Error>;
}

/// A message that is answered.
pub trait Request: Message {
    /// The answer.
    type Reply: Message;
}

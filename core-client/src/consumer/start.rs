//! Where a consumer begins, and what it does by itself: the values of its options.

use std::str::FromStr;

use tidewire_protocol::message;
use tidewire_protocol::options::parse_start;
use tidewire_protocol::session::From as Place;

use crate::error::{Code, Error};

/// Where a consumer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the first record that there is.
    Earliest,
    /// After the last record that there is.
    Latest,
    /// At this offset.
    Offset(u64),
    /// At the first record that the server appended at this time or later, in microseconds since
    /// the Unix epoch; after the last one if there is none.
    Timestamp(i64),
    /// As many records before the end, in each partition, or at the first that there is.
    Last(u64),
}

/// `earliest`, `latest`, an offset, `last:N` or `time:MICROSECONDS`.
impl FromStr for Start {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match parse_start(text) {
            Some((message::Start::Earliest, _)) => Ok(Self::Earliest),
            Some((message::Start::Latest, _)) => Ok(Self::Latest),
            Some((message::Start::Offset, at)) => Ok(Self::Offset(at)),
            Some((message::Start::Last, at)) => Ok(Self::Last(at)),
            Some((message::Start::Timestamp, at)) => Ok(Self::Timestamp(at as i64)),
            _ => Err(unknown(
                "start",
                text,
                "earliest, latest, an offset, last:N or time:MICROSECONDS",
            )),
        }
    }
}

impl From<Start> for Place {
    fn from(start: Start) -> Self {
        match start {
            Start::Earliest => Self::Earliest,
            Start::Latest => Self::Latest,
            Start::Offset(offset) => Self::Offset(offset),
            Start::Timestamp(time_us) => Self::Timestamp(time_us),
            Start::Last(records) => Self::Last(records),
        }
    }
}

impl Start {
    /// As a request names it: the kind of place, and the number beside it.
    pub(crate) fn on_the_wire(self) -> (message::Start, u64) {
        match self {
            Self::Earliest => (message::Start::Earliest, 0),
            Self::Latest => (message::Start::Latest, 0),
            Self::Offset(offset) => (message::Start::Offset, offset),
            Self::Timestamp(time_us) => (message::Start::Timestamp, time_us.cast_unsigned()),
            Self::Last(records) => (message::Start::Last, records),
        }
    }

    /// Whether it is an offset that somebody named.
    pub(crate) fn is_offset(self) -> bool {
        matches!(self, Self::Offset(_))
    }
}

/// When a consumer with a group or a name stores offsets by itself. A batch counts as done when
/// the next one is asked for, and when the consumer is closed; it does not when the consumer is
/// dropped, or its program dies.
///
/// | | stored | after a crash |
/// |---|---|---|
/// | `Off` | when the application commits | at least once, if it commits after its work; at most once, if before |
/// | `Interval` | every `auto_commit_interval_ms`, when a partition is given up, at the close | at least once: what was done since is returned again |
/// | `After` | each batch, on the disk, when the next one is asked for | at least once: one batch of each partition is returned again |
/// | `Before` | each batch, on the disk, before it is returned | at most once: the batch in work is not returned again, done or not |
///
/// Record by record the unit is a batch, too: with `After` it is stored once its last record is
/// done, with `Before` before its first is returned. `Interval` and `commit` count records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AutoCommit {
    /// Never: the application calls [`Consumer::commit`](crate::Consumer::commit).
    Off,
    /// What was done, on an interval, without waiting.
    Interval,
    /// Each batch once it is done, waiting for it.
    After,
    /// Each batch before it is returned, waiting for it.
    Before,
}

/// `off`, `interval`, `after` or `before`.
impl FromStr for AutoCommit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "off" => Self::Off,
            "interval" => Self::Interval,
            "after" => Self::After,
            "before" => Self::Before,
            _ => return Err(unknown("auto_commit", text, "off, interval, after or before")),
        })
    }
}

/// What a consumer does when records were deleted, by retention or by hand, that it had yet to
/// read. An offset that the application itself names and that does not exist is always an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnOutOfRange {
    /// It goes on at the first record that is left, and
    /// [`Event::RecordsSkipped`](crate::Event::RecordsSkipped) tells.
    Earliest,
    /// It goes on behind the last record, and
    /// [`Event::RecordsSkipped`](crate::Event::RecordsSkipped) tells.
    Latest,
    /// The partition ends with `OFFSET_OUT_OF_RANGE`, until it is moved.
    Error,
}

/// `earliest`, `latest` or `error`.
impl FromStr for OnOutOfRange {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "earliest" => Self::Earliest,
            "latest" => Self::Latest,
            "error" => Self::Error,
            _ => return Err(unknown("on_out_of_range", text, "earliest, latest or error")),
        })
    }
}

fn unknown(option: &str, text: &str, expected: &str) -> Error {
    let text = format!("{option} is \"{text}\", but should be {expected}");
    Error::new(Code::INVALID_OPTION, text)
}

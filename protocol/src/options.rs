//! The options of clients, producers, consumers and topics: one table for URLs, environment,
//! builders and every language.

use std::str::FromStr;

pub use crate::generated::options::*;

use crate::error::{Code, Error};
use crate::message::{Acks, Start};

/// Reads a value of the type [`OptionType::Start`]: the place, and what it needs beside it.
pub fn parse_start(text: &str) -> Option<(Start, u64)> {
    match text.split_once(':') {
        None if text == "earliest" => Some((Start::Earliest, 0)),
        None if text == "latest" => Some((Start::Latest, 0)),
        None => Some((Start::Offset, text.parse().ok()?)),
        Some(("last", records)) => Some((Start::Last, records.parse().ok()?)),
        Some(("time", time_us)) => {
            let time_us = time_us.parse().ok().filter(|time| *time <= i64::MAX as u64)?;
            Some((Start::Timestamp, time_us))
        }
        Some(_) => None,
    }
}

/// `none`, `written` or `synced`.
impl FromStr for Acks {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "none" => Self::None,
            "written" => Self::Written,
            "synced" => Self::Synced,
            _ => {
                let text = format!("acks is \"{text}\", but should be none, written or synced");
                return Err(Error::new(Code::INVALID_OPTION, text));
            }
        })
    }
}

/// What an option belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A connection.
    Client,
    /// A producer.
    Producer,
    /// A consumer.
    Consumer,
    /// A topic.
    Topic,
}

/// How an option's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionType {
    /// Any text.
    String,
    /// Encryption keys: a secret, which no URL, error or debug form has.
    Keys,
    /// A number.
    U32,
    /// A number.
    U64,
    /// `none`, `written` or `synced`.
    Acks,
    /// `earliest`, `latest`, an offset, `last:N` or `time:MICROSECONDS`: see [`parse_start`].
    Start,
    /// `none`, `lz4` or `zstd`; of a producer also `topic`.
    Codec,
    /// `block`, `error` or `drop`.
    QueueFull,
    /// `off`, `interval`, `after` or `before`.
    AutoCommit,
    /// `earliest`, `latest` or `error`.
    OnOutOfRange,
}

/// A row of the table of options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionInfo {
    /// What it belongs to.
    pub scope: Scope,
    /// Its name.
    pub name: &'static str,
    /// How its value is written.
    pub ty: OptionType,
    /// Its default, as it would be written.
    pub default: &'static str,
    /// Smallest number allowed.
    pub min: Option<u64>,
    /// Largest number allowed.
    pub max: Option<u64>,
    /// Unit of a number.
    pub unit: &'static str,
    /// What it does.
    pub doc: &'static str,
}

impl OptionInfo {
    /// The option called `name`; of options that share it, the first of the table.
    pub fn find(name: &str) -> Option<&'static Self> {
        OPTIONS.iter().find(|row| row.name == name)
    }

    /// Checks a number against the option's range.
    pub fn check(&self, value: u64) -> Result<u64, Error> {
        let (min, max) = (self.min.unwrap_or(0), self.max.unwrap_or(u64::MAX));
        if (min..=max).contains(&value) {
            return Ok(value);
        }
        Err(Error::new(
            Code::INVALID_OPTION,
            format!("{} is {value}, outside {min} to {max} {}", self.name, self.unit)
                .trim_end()
                .to_owned(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_words_offsets_counts_and_times() {
        for (text, start) in [
            ("earliest", (Start::Earliest, 0)),
            ("latest", (Start::Latest, 0)),
            ("17", (Start::Offset, 17)),
            ("last:10", (Start::Last, 10)),
            ("time:1700000000000000", (Start::Timestamp, 1_700_000_000_000_000)),
        ] {
            assert_eq!(parse_start(text), Some(start), "{text}");
        }
        for bad in
            ["", "newest", "-1", "last:", "last:x", "time:-5", "time:9999999999999999999"]
        {
            assert_eq!(parse_start(bad), None, "{bad}");
        }
    }
}

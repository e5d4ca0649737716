//! The options of clients, producers, consumers and topics: one table for URLs, environment,
//! builders and every language.

pub use crate::generated::options::*;

use crate::error::{Code, Error};

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
    /// A number.
    U32,
    /// A number.
    U64,
    /// `none`, `written` or `synced`.
    Acks,
    /// `earliest`, `latest` or an offset.
    Start,
    /// `none`, `lz4` or `zstd`; of a producer also `topic`.
    Codec,
    /// `block`, `error` or `drop`.
    QueueFull,
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

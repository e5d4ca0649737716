//! Limits: those of the protocol, and those that a server's configuration sets.
//!
//! Owns what a row of the tables is; the rows come from `protocol/spec/limits.toml`. The one
//! invariant: a value that [`ServerLimitInfo::check`] took is one that a server can enforce.

use crate::error::{Code, Error};

pub use crate::generated::limits::*;
pub use crate::generated::server_limits::{LIMITS, SERVER_LIMITS, ServerLimit};

/// A limit of the protocol.
#[derive(Clone, Copy, Debug)]
pub struct LimitRow {
    /// Its name, in lower case.
    pub name: &'static str,
    /// How much.
    pub value: u64,
    /// What is counted.
    pub unit: &'static str,
    /// What it bounds.
    pub doc: &'static str,
}

/// A limit that a server's configuration sets.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimitInfo {
    /// Which.
    pub limit: ServerLimit,
    /// Its name in the configuration.
    pub name: &'static str,
    /// What it is unless it is set.
    pub default: u64,
    /// The smallest value; if it is 0, that is no limit.
    pub min: u64,
    /// The smallest value other than 0.
    pub least: u64,
    /// The largest value.
    pub max: u64,
    /// What is counted.
    pub unit: &'static str,
    /// What whoever meets it is told.
    pub error: Option<Code>,
    /// What it bounds.
    pub doc: &'static str,
}

impl ServerLimit {
    /// Its row of the table.
    pub fn info(self) -> &'static ServerLimitInfo {
        &SERVER_LIMITS[self as usize]
    }

    /// The limit of a name.
    pub fn find(name: &str) -> Option<Self> {
        SERVER_LIMITS.iter().find(|info| info.name == name).map(|info| info.limit)
    }
}

impl ServerLimitInfo {
    /// Whether a server can be told so.
    ///
    /// # Errors
    /// `INVALID_OPTION`, with the range.
    pub fn check(&self, value: u64) -> Result<u64, Error> {
        if value == 0 && self.min == 0 || (self.least.max(1)..=self.max).contains(&value) {
            return Ok(value);
        }
        let none = if self.min == 0 { "neither 0, which is no limit, nor " } else { "not " };
        Err(Error::new(
            Code::INVALID_OPTION,
            format!(
                "{} is {value}, {none}{} to {} {}",
                self.name,
                self.least.max(1),
                self.max,
                self.unit
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_their_limits() {
        for info in SERVER_LIMITS {
            assert_eq!(info.limit.info().name, info.name);
            assert_eq!(ServerLimit::find(info.name), Some(info.limit));
            assert_eq!(info.check(info.default), Ok(info.default));
        }
        assert_eq!(ServerLimit::find("max_connection"), None);
    }

    #[test]
    fn values_out_of_range_are_refused_with_the_range() {
        let text = |limit: ServerLimit, value| limit.info().check(value).unwrap_err().message;
        assert_eq!(
            text(ServerLimit::MaxConnections, 0),
            "max_connections is 0, not 1 to 1000000 connections"
        );
        assert_eq!(
            text(ServerLimit::MaxUserInBytesPerSec, 1),
            "max_user_in_bytes_per_sec is 1, neither 0, which is no limit, nor 65536 to \
             1099511627776 bytes a second"
        );
        assert_eq!(ServerLimit::MaxUserInBytesPerSec.info().check(0), Ok(0));
        assert!(ServerLimit::MaxUserConnections.info().check(1_000_001).is_err());
    }
}

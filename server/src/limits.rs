//! The limits that a server's configuration sets: as they are given, and as they hold now.
//!
//! Owns their values; what counts against them is [`usage`](crate::usage)'s. The one invariant: a
//! value that holds was checked against the table.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tidewire_protocol::limits::{SERVER_LIMITS, ServerLimit};

use crate::error::{Error, ErrorKind};

const COUNT: usize = SERVER_LIMITS.len();

/// The limits that a server's configuration sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits([u64; COUNT]);

impl Default for Limits {
    fn default() -> Self {
        Self(std::array::from_fn(|place| SERVER_LIMITS[place].default))
    }
}

impl Limits {
    /// How much a limit allows; 0 is no limit.
    pub fn get(&self, limit: ServerLimit) -> u64 {
        self.0[limit as usize]
    }

    /// Sets a limit.
    ///
    /// # Errors
    /// The value is outside the limit's range.
    pub fn set(&mut self, limit: ServerLimit, value: u64) -> Result<(), Error> {
        let checked = limit.info().check(value);
        self.0[limit as usize] =
            checked.map_err(|error| Error::new(ErrorKind::Config, error.message))?;
        Ok(())
    }
}

/// The limits of a running server, to be looked at by all of its threads.
#[derive(Debug)]
pub(crate) struct LiveLimits {
    values: [AtomicU64; COUNT],
    /// Whether users are held to any rate: most servers hold them to none.
    rates: AtomicBool,
}

/// Those that are rates.
const RATES: [ServerLimit; 3] = [
    ServerLimit::MaxUserRequestsPerSec,
    ServerLimit::MaxUserInBytesPerSec,
    ServerLimit::MaxUserOutBytesPerSec,
];

impl LiveLimits {
    pub(crate) fn new(limits: &Limits) -> Self {
        let live = Self {
            values: std::array::from_fn(|_| AtomicU64::new(0)),
            rates: AtomicBool::new(false),
        };
        live.set(limits);
        live
    }

    /// How much a limit allows now; 0 is no limit.
    pub(crate) fn get(&self, limit: ServerLimit) -> u64 {
        // A number that is looked at again and again: nothing else hangs on it.
        self.values[limit as usize].load(Ordering::Relaxed)
    }

    /// Whether users are held to any rate.
    pub(crate) fn any_rate(&self) -> bool {
        self.rates.load(Ordering::Relaxed)
    }

    /// Has others hold from now on.
    pub(crate) fn set(&self, limits: &Limits) {
        for (value, new) in self.values.iter().zip(limits.0) {
            value.store(new, Ordering::Relaxed);
        }
        let any = RATES.iter().any(|rate| limits.get(*rate) != 0);
        self.rates.store(any, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_changes_nothing() {
        let mut limits = Limits::default();
        let error = limits.set(ServerLimit::MaxConnections, 0).unwrap_err();
        assert!(error.to_string().contains("max_connections is 0"), "{error}");
        assert_eq!(limits, Limits::default());
    }

    #[test]
    fn a_rate_is_noticed_and_so_is_its_end() {
        let live = LiveLimits::new(&Limits::default());
        assert!(!live.any_rate());
        let mut limits = Limits::default();
        limits.set(ServerLimit::MaxUserRequestsPerSec, 7).unwrap();
        live.set(&limits);
        assert!(live.any_rate());
        assert_eq!(live.get(ServerLimit::MaxUserRequestsPerSec), 7);
        live.set(&Limits::default());
        assert!(!live.any_rate());
    }
}

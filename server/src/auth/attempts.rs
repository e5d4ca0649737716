//! How long an address that guesses has to wait.
//!
//! Every failed attempt makes the next one of the same address wait twice as long, up to
//! [`MAX_PAUSE_MS`]; those that come meanwhile stand in line, up to [`MAX_WAIT_MS`]. So an address
//! gets a guess every few seconds, through however many connections. Tokens that are right need
//! not wait: nobody guesses one. IPv6 counts by networks of 64 bits, which is what a host has.
//!
//! The one invariant: at most [`MAX_SOURCES`] addresses are remembered.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use tidewire_protocol::connection::Time;
use tidewire_protocol::limits::HANDSHAKE_TIMEOUT_MS;
use tidewire_protocol::options::client::CONNECT_TIMEOUT_MS;

use crate::rt::Peer;

/// Pause after the first failure, in milliseconds.
const FIRST_PAUSE_MS: u32 = 100;
/// Longest pause after a failure, in milliseconds.
const MAX_PAUSE_MS: u32 = 4_000;
/// Longest that an attempt stands in line, in milliseconds: the handshake has to end in time.
const MAX_WAIT_MS: u32 = 6_000;
/// What a login takes besides, in milliseconds: the way there and back, and a password's stretching.
const LOGIN_MS: u32 = 2_000;
// An honest user behind an address that guesses stands in line, and still comes in: neither side
// has given the handshake up by then.
const _: () = assert!(MAX_WAIT_MS + LOGIN_MS <= HANDSHAKE_TIMEOUT_MS);
const _: () = assert!(MAX_WAIT_MS + LOGIN_MS <= CONNECT_TIMEOUT_MS);
/// Time without an attempt after which an address is forgotten, in milliseconds.
const FORGET_MS: u32 = 60_000;
/// Most addresses that are remembered.
const MAX_SOURCES: usize = 16_384;

/// Where attempts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    V4(u32),
    V6(u64),
    /// A user of this machine, through a Unix socket.
    Local(u32),
}

impl Peer {
    /// What its failures count for.
    pub(crate) fn source(&self) -> Source {
        match self {
            Self::Tcp(address) | Self::Tls { address, .. } => match address.ip().to_canonical()
            {
                IpAddr::V4(address) => Source::V4(address.to_bits()),
                IpAddr::V6(address) => Source::V6((address.to_bits() >> 64) as u64),
            },
            Self::Unix { uid, .. } => Source::Local(*uid),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    /// When the next attempt may be judged.
    free_at: Time,
}

impl Failures {
    fn is_over(&self, now: Time) -> bool {
        now >= self.free_at.plus_ms(FORGET_MS)
    }

    fn pause_ms(&self) -> u32 {
        match self.count {
            0 => 0,
            count => (FIRST_PAUSE_MS << (count - 1).min(16)).min(MAX_PAUSE_MS),
        }
    }
}

/// The failures of all addresses.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<Source, Failures>>);

impl Attempts {
    /// When an attempt may be judged, which takes its place in the line; `None` if it would wait
    /// too long. It counts as failed until [`Attempts::succeeded`] says otherwise: so those that
    /// come at the same time wait for each other as if they came one after the other.
    pub(crate) fn take_place(&self, source: Source, now: Time) -> Option<Time> {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.get(&source).is_some_and(|failures| failures.is_over(now)) {
            sources.remove(&source);
        }
        make_room(&mut sources, source, now);
        let failures =
            sources.entry(source).or_insert(Failures { count: 0, free_at: Time::ZERO });
        let at = failures.free_at.max(now);
        if at > now.plus_ms(MAX_WAIT_MS) {
            return None;
        }
        failures.count = failures.count.saturating_add(1);
        failures.free_at = at.plus_ms(failures.pause_ms());
        Some(at)
    }

    /// An attempt that had taken its place was right.
    pub(crate) fn succeeded(&self, source: Source) {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failures) = sources.get_mut(&source) {
            failures.count = failures.count.saturating_sub(1);
            if failures.count == 0 {
                sources.remove(&source);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Forgets others if there are too many to remember one more.
fn make_room(sources: &mut HashMap<Source, Failures>, source: Source, now: Time) {
    if sources.len() < MAX_SOURCES || sources.contains_key(&source) {
        return;
    }
    sources.retain(|_, failures| !failures.is_over(now));
    if sources.len() >= MAX_SOURCES {
        // Those that failed least are the least to lose.
        let fewest = sources.values().map(|failures| failures.count).min();
        sources.retain(|_, failures| Some(failures.count) != fewest);
    }
}

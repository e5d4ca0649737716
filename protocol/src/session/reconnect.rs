//! Which server to connect to, and when.
//!
//! Owns the order of attempts: at first every server once, without waiting, so that a wrong
//! address is told at once; after a connection was lost every server again and again, with pauses
//! between the rounds. Leaves connecting and the clock to the driver.
//!
//! The invariant: once connected, the client goes on with the same data or not at all. A server
//! that holds other data (it says another `server_id`) is refused, because offsets and sequence
//! numbers would mean something else there.

use super::Backoff;
use crate::connection::Time;
use crate::error::{Class, Code, Error};

/// What the driver does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Connect to this server, then tell [`Reconnect::connected`] or [`Reconnect::failed`].
    Connect {
        /// Its place in the list.
        server: usize,
        /// Which attempt it is since the last connection, from 1.
        attempt: u32,
    },
    /// Nothing until then.
    Wait(Time),
    /// There is a connection; wait until it ends, then tell [`Reconnect::lost`].
    Rest,
    /// No more attempts: [`Reconnect::failures`] says why.
    GiveUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Trying,
    Waiting(Time),
    Connecting,
    Connected { since: Time },
    Over,
}

/// The client's way to a connection, and to the next one.
#[derive(Clone, Debug)]
pub struct Reconnect {
    servers: usize,
    /// Where the next attempt goes.
    next: usize,
    attempt: u32,
    backoff: Backoff,
    phase: Phase,
    /// Which data the client works with, once it is known.
    server_id: Option<u64>,
    /// Of this round, in the order of the attempts.
    failures: Vec<(usize, Error)>,
}

impl Reconnect {
    /// The way to the first of `servers` servers that can be reached.
    pub fn new(servers: usize, backoff: Backoff) -> Self {
        Self {
            servers,
            next: 0,
            attempt: 0,
            backoff,
            phase: if servers == 0 { Phase::Over } else { Phase::Trying },
            server_id: None,
            failures: Vec::new(),
        }
    }

    /// What to do now.
    pub fn step(&mut self, now: Time) -> Step {
        match self.phase {
            Phase::Waiting(until) if now < until => return Step::Wait(until),
            Phase::Trying | Phase::Waiting(_) => {}
            Phase::Connecting | Phase::Connected { .. } => return Step::Rest,
            Phase::Over => return Step::GiveUp,
        }
        self.phase = Phase::Connecting;
        self.attempt = self.attempt.saturating_add(1);
        Step::Connect { server: self.next, attempt: self.attempt }
    }

    /// The server of the last [`Step::Connect`] was reached and shook hands.
    ///
    /// # Errors
    /// It holds other data than the one before. The connection is of no use; the attempt counts
    /// as failed.
    pub fn connected(&mut self, now: Time, server_id: u64) -> Result<(), Error> {
        if let Some(before) = self.server_id
            && before != server_id
        {
            let error = Error::new(
                Code::CONNECT_FAILED,
                format!(
                    "the server has other data than before (its id is {server_id:016x}, it was \
                     {before:016x}); offsets would mean something else there"
                ),
            );
            self.fail(now, error.clone(), true);
            return Err(error);
        }
        self.server_id = Some(server_id);
        self.phase = Phase::Connected { since: now };
        self.failures.clear();
        self.attempt = 0;
        Ok(())
    }

    /// The server of the last [`Step::Connect`] could not be used.
    pub fn failed(&mut self, now: Time, error: Error) {
        let permanent = is_permanent(&error);
        self.fail(now, error, permanent);
    }

    fn fail(&mut self, now: Time, mut error: Error, permanent: bool) {
        if permanent {
            // What `failures` is asked by: no disposition means that trying again is pointless.
            error.disposition = Default::default();
        }
        if self.failures.len() == self.servers {
            self.failures.clear();
        }
        self.failures.push((self.next, error));
        self.next = (self.next + 1) % self.servers;
        self.phase = Phase::Trying;
        if self.failures.len() < self.servers {
            return;
        }
        let hopeless =
            self.failures.iter().all(|(_, error)| error.disposition == Default::default());
        self.phase = if self.server_id.is_none() || hopeless {
            Phase::Over
        } else {
            Phase::Waiting(now.plus_ms(self.backoff.next_ms()))
        };
    }

    /// The connection has ended. The same server is tried first, after a short pause.
    pub fn lost(&mut self, now: Time) {
        let Phase::Connected { since } = self.phase else {
            return;
        };
        // One that breaks as soon as it is made is a failure like any other.
        if now >= since.plus_ms(self.backoff.max_ms()) {
            self.backoff.reset();
        }
        self.phase = Phase::Waiting(now.plus_ms(self.backoff.next_ms()));
    }

    /// What went wrong in the last round: the server's place, and why.
    pub fn failures(&self) -> &[(usize, Error)] {
        &self.failures
    }
}

/// Whether the same server will say the same again, whatever the time.
fn is_permanent(error: &Error) -> bool {
    error.class() == Class::Auth && !error.is_retriable()
        || error.code == Code::UNSUPPORTED_PROTOCOL
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Error {
        Error::new(Code::CONNECT_FAILED, "refused")
    }

    fn reconnect(servers: usize) -> Reconnect {
        Reconnect::new(servers, Backoff::new(100, 1_000, 3))
    }

    fn connect(server: usize, attempt: u32) -> Step {
        Step::Connect { server, attempt }
    }

    #[test]
    fn at_first_every_server_is_tried_once_without_a_pause() {
        let mut way = reconnect(3);
        for server in 0..3 {
            assert_eq!(way.step(Time::ZERO), connect(server, server as u32 + 1));
            assert_eq!(way.step(Time::ZERO), Step::Rest);
            way.failed(Time::ZERO, refused());
        }
        assert_eq!(way.step(Time::ZERO), Step::GiveUp);
        let places: Vec<usize> = way.failures().iter().map(|(place, _)| *place).collect();
        assert_eq!(places, [0, 1, 2]);
    }

    #[test]
    fn after_a_loss_rounds_go_on_with_growing_pauses_from_the_same_server() {
        let mut way = reconnect(2);
        let mut now = Time::ZERO;
        way.step(now);
        way.failed(now, refused());
        assert_eq!(way.step(now), connect(1, 2));
        way.connected(now, 7).expect("the first");
        now = now.plus_ms(60_000);
        way.lost(now);
        let mut pauses = Vec::new();
        for round in 0..6u32 {
            let Step::Wait(until) = way.step(now) else { panic!("no pause") };
            pauses.push((until.as_nanos() - now.as_nanos()) / 1_000_000);
            now = until;
            for (server, attempt) in [(1, 2 * round + 1), (0, 2 * round + 2)] {
                assert_eq!(way.step(now), connect(server, attempt));
                way.failed(now, refused());
            }
        }
        assert!(pauses[0] <= 100 && pauses[4] >= 500, "{pauses:?}");
        let Step::Wait(until) = way.step(now) else { panic!("no pause") };
        assert_eq!(way.step(until), connect(1, 13));
        way.connected(until, 7).expect("the same data");
        assert_eq!(way.step(until), Step::Rest);
    }

    #[test]
    fn a_connection_that_breaks_at_once_does_not_shorten_the_pauses() {
        let mut way = reconnect(1);
        let mut now = Time::ZERO;
        let mut longest = 0;
        for _ in 0..8 {
            if let Step::Wait(until) = way.step(now) {
                longest = longest.max((until.as_nanos() - now.as_nanos()) / 1_000_000);
                now = until;
                way.step(now);
            }
            way.connected(now, 1).expect("the same");
            way.lost(now);
        }
        assert!(longest >= 500, "{longest}");
    }

    #[test]
    fn a_server_with_other_data_is_refused_and_ends_it_if_there_is_no_other() {
        let mut way = reconnect(1);
        way.step(Time::ZERO);
        way.connected(Time::ZERO, 1).expect("the first");
        way.lost(Time::ZERO);
        let later = Time::ZERO.plus_ms(200);
        assert_eq!(way.step(later), connect(0, 1));
        let error = way.connected(later, 2).expect_err("another");
        assert!(error.message.contains("0000000000000002"), "{error}");
        assert_eq!(way.step(later), Step::GiveUp);
    }

    #[test]
    fn one_server_that_may_come_back_is_reason_to_go_on() {
        let mut way = reconnect(2);
        way.step(Time::ZERO);
        way.connected(Time::ZERO, 1).expect("the first");
        way.lost(Time::ZERO);
        let later = Time::ZERO.plus_ms(200);
        way.step(later);
        way.failed(later, Error::new(Code::AUTH_FAILED, "no"));
        way.step(later);
        way.failed(later, refused());
        assert!(matches!(way.step(later), Step::Wait(_)));
        let later = later.plus_ms(10_000);
        for _ in 0..2 {
            assert!(matches!(way.step(later), Step::Connect { .. }));
            way.failed(later, Error::new(Code::AUTH_FAILED, "no"));
        }
        assert_eq!(way.step(later), Step::GiveUp);
    }
}

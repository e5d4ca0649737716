//! Holding a user to its rates: requests that come while it owes something are held back, in
//! order, and deliveries wait. Nothing is refused or dropped for that.
//!
//! Owns what is held, and when it goes on; how much is owed is counted by
//! [`usage`](crate::usage), over all connections of the user. The one invariant: what is held is
//! bounded, since nothing more is read while there is [`HELD_REQUESTS`] or [`HELD_BYTES`] of it.

use std::collections::VecDeque;

use bytes::Bytes;
use tidewire_protocol::connection::{Ticket, Time};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits::ServerLimit;
use tidewire_protocol::message::AnyRequest;
use tidewire_storage::disk::Disk;

use super::Session;
use crate::auth::Who;
use crate::usage::UserPlace;

/// Requests held back at which nothing more is read.
const HELD_REQUESTS: usize = 64;
/// Bytes of payloads held back at which nothing more is read.
const HELD_BYTES: usize = 1 << 20;
/// How often a client is told that it waits, in milliseconds: more often than the shortest
/// heartbeat, since it is a sign of life, too.
const NOTICE_MS: u32 = 1_000;

const REQUESTS: ServerLimit = ServerLimit::MaxUserRequestsPerSec;
const IN_BYTES: ServerLimit = ServerLimit::MaxUserInBytesPerSec;
const OUT_BYTES: ServerLimit = ServerLimit::MaxUserOutBytesPerSec;

/// What a connection waits for because of its user's rates.
#[derive(Default)]
pub(super) struct Throttle {
    /// Its place among the user's connections; there is none before the user is known.
    pub(super) place: Option<UserPlace>,
    held: VecDeque<(Ticket, AnyRequest, Bytes)>,
    held_bytes: usize,
    /// When to look at what is held.
    held_until: Option<Time>,
    /// When deliveries go on.
    out_until: Option<Time>,
    /// When the client was told that it waits.
    told: Option<Time>,
    /// As much is held as may be.
    full: bool,
    /// The shard has no room for more.
    shard_full: bool,
}

impl Throttle {
    fn is_waiting(&self) -> bool {
        self.held_until.is_some() || self.out_until.is_some()
    }

    /// Whether nothing is held back or waits.
    pub(super) fn is_free(&self) -> bool {
        self.held.is_empty() && !self.is_waiting() && !self.full && !self.shard_full
    }

    /// When to look again, or to tell the client again.
    pub(super) fn deadline(&self) -> Option<Time> {
        let notice = self.told.filter(|_| self.is_waiting()).map(|at| at.plus_ms(NOTICE_MS));
        self.held_until.into_iter().chain(self.out_until).chain(notice).min()
    }
}

impl<D: Disk> Session<D> {
    /// Takes a place among the connections of the user that it is now known to be of.
    pub(super) fn enter_user(&mut self, now: Time, id: u64, name: &str) -> Result<(), Error> {
        let shared = &self.router.shared;
        let place = shared.usage.enter_user(&shared.limits, (id, name), now)?;
        self.throttle.place = Some(place);
        Ok(())
    }

    /// Carries a request out, now or once its user may ask for it.
    // SPEC F-6
    pub(super) fn take_request(
        &mut self,
        now: Time,
        ticket: Ticket,
        request: AnyRequest,
        payload: Bytes,
    ) {
        // Most servers have no rates: that is all it costs there.
        if !self.router.shared.limits.any_rate() && self.throttle.held.is_empty() {
            return self.handle_request(now, ticket, request, payload);
        }
        if self.throttle.held.is_empty() && self.owes(now, &request, &payload).is_none() {
            return self.charge_and_handle(now, ticket, request, payload);
        }
        self.throttle.held_bytes += payload.len();
        self.throttle.held.push_back((ticket, request, payload));
        self.release_held(now);
    }

    /// Carries out what was held back and may go on.
    fn release_held(&mut self, now: Time) {
        self.throttle.held_until = None;
        while let Some((_, request, payload)) = self.throttle.held.front() {
            if let Some((rate, wait_ns)) = self.owes(now, request, payload) {
                self.throttle.held_until = Some(after(now, wait_ns));
                self.tell_throttled(now, rate, wait_ns);
                break;
            }
            if let Some((ticket, request, payload)) = self.throttle.held.pop_front() {
                self.throttle.held_bytes -= payload.len();
                self.charge_and_handle(now, ticket, request, payload);
            }
        }
        let held = &self.throttle;
        self.throttle.full = held.held.len() >= HELD_REQUESTS || held.held_bytes >= HELD_BYTES;
        self.pause_or_go_on();
    }

    /// Says whether the shard has room for what this connection would read.
    pub(crate) fn set_shard_full(&mut self, full: bool) {
        self.throttle.shard_full = full;
        self.pause_or_go_on();
    }

    fn pause_or_go_on(&mut self) {
        self.protocol.pause(self.throttle.full || self.throttle.shard_full);
    }

    /// Carries out all that was held back, whatever its user owes: nothing more will come.
    pub(super) fn release_all(&mut self, now: Time) {
        self.throttle.held_until = None;
        while let Some((ticket, request, payload)) = self.throttle.held.pop_front() {
            self.throttle.held_bytes -= payload.len();
            self.charge_and_handle(now, ticket, request, payload);
        }
        self.throttle.full = false;
        self.pause_or_go_on();
    }

    fn charge_and_handle(
        &mut self,
        now: Time,
        ticket: Ticket,
        request: AnyRequest,
        payload: Bytes,
    ) {
        if let Some(place) = &self.throttle.place {
            let limits = &self.router.shared.limits;
            place.user().charge(limits, REQUESTS, now, 1);
            place.user().charge(limits, IN_BYTES, now, payload.len() as u64);
        }
        self.handle_request(now, ticket, request, payload);
    }

    /// The rate because of which a request waits, and for how long, in nanoseconds.
    fn owes(
        &self,
        now: Time,
        request: &AnyRequest,
        payload: &Bytes,
    ) -> Option<(ServerLimit, u64)> {
        let user = self.throttle.place.as_ref()?.user();
        let limits = &self.router.shared.limits;
        let of_bytes = match request {
            AnyRequest::Fetch(_) => Some(OUT_BYTES),
            _ => (!payload.is_empty()).then_some(IN_BYTES),
        };
        let rates = [REQUESTS].into_iter().chain(of_bytes);
        let waits = rates.map(|rate| (rate, user.wait_ns(limits, rate, now)));
        waits.max_by_key(|(_, wait_ns)| *wait_ns).filter(|(_, wait_ns)| *wait_ns > 0)
    }

    /// Whether deliveries wait, since the user was sent more than its rate.
    // SPEC F-6
    pub(super) fn delivers_later(&mut self) -> bool {
        let shared = &self.router.shared;
        if !shared.limits.any_rate() {
            return false;
        }
        let Some(place) = &self.throttle.place else { return false };
        let now = shared.clock.now();
        let wait_ns = place.user().wait_ns(&shared.limits, OUT_BYTES, now);
        if wait_ns == 0 {
            return false;
        }
        self.throttle.out_until = Some(after(now, wait_ns));
        self.tell_throttled(now, OUT_BYTES, wait_ns);
        true
    }

    /// Counts batches that are sent.
    pub(super) fn charge_sent(&self, bytes: usize) {
        let shared = &self.router.shared;
        if shared.limits.any_rate()
            && let Some(place) = &self.throttle.place
        {
            let now = shared.clock.now();
            place.user().charge(&shared.limits, OUT_BYTES, now, bytes as u64);
        }
    }

    /// A time has come: goes on with what waited.
    pub(super) fn throttle_timeout(&mut self, now: Time) {
        // What waits for its time only to be told of it is looked at, too: rates may have changed.
        if self.throttle.deadline().is_none_or(|at| now < at) {
            return;
        }
        self.release_held(now);
        if self.throttle.out_until.take().is_some() {
            self.resume_subscriptions();
        }
    }

    /// Tells the client that it waits, unless it was told a moment ago.
    // SPEC F-7
    fn tell_throttled(&mut self, now: Time, rate: ServerLimit, wait_ns: u64) {
        if self.throttle.told.is_some_and(|at| now < at.plus_ms(NOTICE_MS)) {
            return;
        }
        self.throttle.told = Some(now);
        let value = self.router.shared.limits.get(rate);
        let info = rate.info();
        let name = match &self.who {
            Who::Known(login) => format!("user {}", login.user.name),
            Who::Everybody | Who::Nobody => "this server's clients".to_owned(),
        };
        let text = format!(
            "{name} may have {value} {}, and asked for more: {} is {value}",
            info.unit, info.name
        );
        tracing::debug!(
            peer = %self.peer, client = %self.client_name, wait_ms = wait_ns / 1_000_000,
            "throttled: {text}"
        );
        let delay_ms = u32::try_from(wait_ns.div_ceil(1_000_000)).unwrap_or(u32::MAX);
        self.protocol.throttled(&Error::new(Code::RATE_LIMITED, text), delay_ms);
    }
}

/// At the next whole millisecond: the timer has no finer grain.
fn after(now: Time, wait_ns: u64) -> Time {
    Time::from_nanos(now.as_nanos().saturating_add(wait_ns.next_multiple_of(1_000_000)))
}

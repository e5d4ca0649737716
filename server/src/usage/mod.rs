//! What counts against a server's limits: connections in all, of an address and of a user, and
//! how much each user asks for in a second.
//!
//! Owns the counts, which all shards share; who is refused or waits is for the connections to act
//! on. A place that was taken is given back when its [`Place`] is dropped. The one invariant: what
//! is remembered is bounded by the connections there are and the users that are in debt.

mod bucket;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tidewire_protocol::connection::Time;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits::ServerLimit;

use crate::auth::Source;
use crate::limits::LiveLimits;
use bucket::Bucket;

/// Users without connections that are remembered while they are in debt, before it is looked
/// whether they still are.
const MAX_ABSENT: usize = 1_024;

/// The counts of a server.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    connections: AtomicU64,
    addresses: Mutex<HashMap<Source, u64>>,
    users: Mutex<HashMap<u64, Arc<UserUsage>>>,
}

/// What a user has and asks for, over all of its connections.
#[derive(Debug, Default)]
pub(crate) struct UserUsage {
    connections: AtomicU64,
    requests: Bucket,
    in_bytes: Bucket,
    out_bytes: Bucket,
}

impl UserUsage {
    fn bucket(&self, rate: ServerLimit) -> &Bucket {
        match rate {
            ServerLimit::MaxUserRequestsPerSec => &self.requests,
            ServerLimit::MaxUserInBytesPerSec => &self.in_bytes,
            _ => &self.out_bytes,
        }
    }

    /// How long, in nanoseconds, the next of what a rate bounds has to wait; 0 if it may come now.
    pub(crate) fn wait_ns(&self, limits: &LiveLimits, rate: ServerLimit, now: Time) -> u64 {
        match limits.get(rate) {
            0 => 0,
            _ => self.bucket(rate).wait_ns(now),
        }
    }

    /// Counts `amount` against a rate.
    pub(crate) fn charge(
        &self,
        limits: &LiveLimits,
        rate: ServerLimit,
        now: Time,
        amount: u64,
    ) {
        let per_sec = limits.get(rate);
        if per_sec != 0 {
            self.bucket(rate).charge(now, amount, per_sec);
        }
    }

    fn in_debt(&self, now: Time) -> bool {
        [&self.requests, &self.in_bytes, &self.out_bytes].iter().any(|b| b.wait_ns(now) > 0)
    }
}

/// A connection's place among all, and among those of its address.
#[derive(Debug)]
pub(crate) struct Place {
    usage: Arc<Usage>,
    source: Source,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.usage.connections.fetch_sub(1, Ordering::Relaxed);
        let mut addresses = lock(&self.usage.addresses);
        if let Some(count) = addresses.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&self.source);
            }
        }
    }
}

/// A connection's place among its user's.
#[derive(Debug)]
pub(crate) struct UserPlace {
    usage: Arc<Usage>,
    id: u64,
    user: Arc<UserUsage>,
}

impl UserPlace {
    pub(crate) fn user(&self) -> &Arc<UserUsage> {
        &self.user
    }
}

impl Drop for UserPlace {
    fn drop(&mut self) {
        let mut users = lock(&self.usage.users);
        let left = self.user.connections.fetch_sub(1, Ordering::Relaxed) - 1;
        // One that owes something is remembered: who comes back pays.
        if left == 0 && self.user.is_untouched() {
            users.remove(&self.id);
        }
    }
}

impl UserUsage {
    fn is_untouched(&self) -> bool {
        [&self.requests, &self.in_bytes, &self.out_bytes].iter().all(|b| b.is_untouched())
    }
}

impl Usage {
    /// Takes a place for a connection from `source`.
    // SPEC L-5
    pub(crate) fn enter(
        self: &Arc<Self>,
        limits: &LiveLimits,
        source: Source,
    ) -> Result<Place, Error> {
        let most = limits.get(ServerLimit::MaxConnections);
        let most_of_address = limits.get(ServerLimit::MaxAddressConnections);
        // Under the lock, so that two shards do not both take the last place.
        let mut addresses = lock(&self.addresses);
        if self.connections() >= most {
            return Err(too_many(ServerLimit::MaxConnections, most, "the server"));
        }
        let count = addresses.get(&source).copied().unwrap_or(0);
        if most_of_address != 0 && count >= most_of_address {
            let limit = ServerLimit::MaxAddressConnections;
            return Err(too_many(limit, most_of_address, "this address"));
        }
        addresses.insert(source, count + 1);
        self.connections.fetch_add(1, Ordering::Relaxed);
        Ok(Place { usage: Arc::clone(self), source })
    }

    /// Takes a place for a connection of a user.
    // SPEC L-5
    pub(crate) fn enter_user(
        self: &Arc<Self>,
        limits: &LiveLimits,
        (id, name): (u64, &str),
        now: Time,
    ) -> Result<UserPlace, Error> {
        let most = limits.get(ServerLimit::MaxUserConnections);
        let mut users = lock(&self.users);
        if users.len() >= MAX_ABSENT {
            let here = |user: &UserUsage| user.connections.load(Ordering::Relaxed) > 0;
            users.retain(|_, user| here(user) || user.in_debt(now));
        }
        let user = Arc::clone(users.entry(id).or_default());
        if most != 0 && user.connections.load(Ordering::Relaxed) >= most {
            let limit = ServerLimit::MaxUserConnections;
            return Err(too_many(limit, most, &format!("user {name}")));
        }
        user.connections.fetch_add(1, Ordering::Relaxed);
        Ok(UserPlace { usage: Arc::clone(self), id, user })
    }

    /// Connections there are.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Connections there are from a source.
    pub(crate) fn connections_from(&self, source: Source) -> u64 {
        lock(&self.addresses).get(&source).copied().unwrap_or(0)
    }
}

impl UserUsage {
    /// Connections that it has.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // No code that can panic half-way through a change runs under it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_many(limit: ServerLimit, most: u64, whose: &str) -> Error {
    let name = limit.info().name;
    Error::new(
        Code::TOO_MANY_CONNECTIONS,
        format!("{whose} has as many connections as it may: {name} is {most}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn live(set: &[(ServerLimit, u64)]) -> LiveLimits {
        let mut limits = Limits::default();
        for &(limit, value) in set {
            limits.set(limit, value).unwrap();
        }
        LiveLimits::new(&limits)
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_is_gone() {
        let usage = Arc::new(Usage::default());
        let limits =
            live(&[(ServerLimit::MaxConnections, 3), (ServerLimit::MaxAddressConnections, 2)]);
        let (here, there) = (Source::V4(1), Source::V6(1));
        let first = usage.enter(&limits, here).unwrap();
        let _second = usage.enter(&limits, here).unwrap();
        let error = usage.enter(&limits, here).unwrap_err();
        assert_eq!(error.code, Code::TOO_MANY_CONNECTIONS);
        assert!(error.message.contains("max_address_connections is 2"), "{error}");
        let third = usage.enter(&limits, there).unwrap();
        let error = usage.enter(&limits, there).unwrap_err();
        assert!(error.message.contains("max_connections is 3"), "{error}");
        drop(first);
        assert_eq!((usage.connections(), usage.connections_from(here)), (2, 1));
        drop(third);
        assert_eq!(lock(&usage.addresses).len(), 1, "an address without connections is gone");
        usage.enter(&limits, here).unwrap();
    }

    #[test]
    fn users_are_counted_by_themselves_and_forgotten_when_they_owe_nothing() {
        let usage = Arc::new(Usage::default());
        let limits = live(&[(ServerLimit::MaxUserConnections, 1)]);
        let ada = usage.enter_user(&limits, (1, "ada"), Time::ZERO).unwrap();
        let error = usage.enter_user(&limits, (1, "ada"), Time::ZERO).unwrap_err();
        assert!(
            error.message.contains("user ada") && error.message.contains("is 1"),
            "{error}"
        );
        let _bob = usage.enter_user(&limits, (2, "bob"), Time::ZERO).unwrap();
        drop(ada);
        assert_eq!(lock(&usage.users).len(), 1);
    }

    #[test]
    fn who_comes_back_in_debt_still_owes_it() {
        let usage = Arc::new(Usage::default());
        let rate = ServerLimit::MaxUserRequestsPerSec;
        let limits = live(&[(rate, 10)]);
        let ada = usage.enter_user(&limits, (1, "ada"), Time::ZERO).unwrap();
        ada.user().charge(&limits, rate, Time::ZERO, 100);
        drop(ada);
        let again = usage.enter_user(&limits, (1, "ada"), Time::ZERO).unwrap();
        assert!(again.user().wait_ns(&limits, rate, Time::ZERO) > 9_000_000_000);
        let none = live(&[]);
        assert_eq!(again.user().wait_ns(&none, rate, Time::ZERO), 0, "the rate is gone");
    }
}

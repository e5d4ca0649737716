//! Who may come in, and as whom.
//!
//! * `attempts`: how long the next attempt of an address waits.
//! * `judge`: whether an attempt is right.
//! * `first`: the user that is always there, and its first token.
//! * `requests`: users and tokens changed, on the catalog's thread.
//!
//! A shard computes only hashes here: what takes long, stretching a password, is the client's
//! part. The one invariant: what an unknown client is told does not depend on which users exist.

mod attempts;
mod first;
mod judge;
pub(crate) mod requests;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arc_swap::ArcSwap;
use tidewire_protocol::auth::{KEY_LEN, NONCE_LEN, method};
use tidewire_protocol::connection::{Challenge, Time};
use tidewire_storage::CatalogStore;
use tidewire_storage::access::{Access, AccessToken, ROOT, User};

pub(crate) use attempts::{Attempts, Source};
pub(crate) use first::first_start;
pub(crate) use judge::{judge, salt};

use crate::error::{Error, ErrorKind};
use crate::rt::Peer;

/// What all shards share about users.
pub(crate) struct Auth {
    /// Whether clients must say who they are.
    pub(crate) required: bool,
    pub(crate) access: ArcSwap<Access>,
    pub(crate) attempts: Attempts,
    /// Salts of users that do not exist come from it.
    salt_key: [u8; KEY_LEN],
}

impl Auth {
    pub(crate) fn new(required: bool, store: &mut CatalogStore) -> Result<Self, Error> {
        let mut fresh = [0; 4];
        for word in &mut fresh {
            *word = u64::from_le_bytes(random()?);
        }
        let mut salt_key = [0; KEY_LEN];
        for (bytes, word) in salt_key.chunks_exact_mut(8).zip(store.salt_key(fresh)?) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let access = ArcSwap::new(store.access());
        Ok(Self { required, access, attempts: Attempts::default(), salt_key })
    }

    /// For a server that asks nobody, and draws no random numbers.
    #[cfg(feature = "sim")]
    pub(crate) fn open_to_all(store: &CatalogStore) -> Self {
        Self {
            required: false,
            access: ArcSwap::new(store.access()),
            attempts: Attempts::default(),
            salt_key: [0; KEY_LEN],
        }
    }

    /// What a new connection has to show; `None` if nothing.
    pub(crate) fn challenge(&self, peer: &Peer) -> Result<Option<Challenge>, Error> {
        if !self.required {
            return Ok(None);
        }
        let mut methods = method::PASSWORD | method::TOKEN;
        if transport_user(peer).is_some() {
            methods |= method::TRANSPORT;
        }
        let nonce = random::<NONCE_LEN>()?.to_vec();
        Ok(Some(Challenge { methods, nonce }))
    }
}

/// Whom the transport shows to be there.
fn transport_user(peer: &Peer) -> Option<&str> {
    match peer {
        Peer::Tls { user, .. } => user.as_deref(),
        Peer::Tcp(_) | Peer::Unix { .. } => peer.is_owner().then_some(ROOT),
    }
}

/// Bytes of the system's randomness.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(ErrorKind::System, format!("the system gives no random bytes: {error}"))
    })?;
    Ok(bytes)
}

/// How a connection showed who it is.
#[derive(Clone, Debug)]
pub(crate) enum Via {
    /// By what is kept of the password of that time.
    Password([u8; KEY_LEN]),
    Token(u64),
    Transport,
}

/// Whom a connection is taken for.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) user: Arc<User>,
    pub(crate) via: Via,
    /// When its token ends, by the time of day; 0 is never.
    pub(crate) expires_us: i64,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    /// The server asks nobody: everybody may do everything.
    Everybody,
    /// It has not been told yet.
    Nobody,
    Known(Login),
}

impl Who {
    /// Its name; `root` where nobody is asked.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Everybody => ROOT,
            Self::Nobody => "",
            Self::Known(login) => &login.user.name,
        }
    }
}

impl Login {
    /// Whom a user's number and a way of logging in stand for now; why not, if for nobody.
    pub(crate) fn renewed(&self, access: &Access, now_us: i64) -> Result<Self, Refusal> {
        let user = access.user_by_id(self.user.id).ok_or(Refusal::Gone)?;
        match &self.via {
            Via::Password(stored_key) => {
                let password = user.password.as_ref().ok_or(Refusal::Gone)?;
                if password.verifier.stored_key != *stored_key {
                    return Err(Refusal::Gone);
                }
            }
            Via::Token(id) => {
                let token = access.tokens.get(id).ok_or(Refusal::Gone)?;
                check_token(token, now_us)?;
            }
            Via::Transport => {}
        }
        check_user(user)?;
        Ok(Self { user: Arc::clone(user), ..self.clone() })
    }

    /// When the connection has to end, on the monotonic clock.
    pub(crate) fn deadline(&self, now: Time, now_us: i64) -> Option<Time> {
        let left_us = self.expires_us.checked_sub(now_us)?;
        (self.expires_us != 0).then(|| {
            let left_ns = u64::try_from(left_us).unwrap_or(0).saturating_mul(1_000);
            Time::from_nanos(now.as_nanos().saturating_add(left_ns))
        })
    }
}

/// Why somebody may not, or no longer, be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The user, token or password is not known, or is another.
    Gone,
    Disabled,
    Expired,
}

fn check_user(user: &User) -> Result<(), Refusal> {
    if user.enabled { Ok(()) } else { Err(Refusal::Disabled) }
}

fn check_token(token: &AccessToken, now_us: i64) -> Result<(), Refusal> {
    if token.is_expired(now_us) { Err(Refusal::Expired) } else { Ok(()) }
}

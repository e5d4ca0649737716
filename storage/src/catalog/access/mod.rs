//! Who may do what: users, their tokens and their grants.
//!
//! An [`Access`] is an immutable snapshot that readers share, as the [`Catalog`](super::Catalog)
//! is; the [`CatalogStore`](super::CatalogStore) writes it, in tables of its own in the same file.
//! Owns which rights a pattern gives. What a request needs is the server's to say.
//!
//! Invariant: nothing here is, or can be made into, what logs in: of a secret there is a verifier.

mod rows;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tidewire_protocol::auth::Verifier;
use tidewire_protocol::message::GrantScope;

pub(super) use store::{create_tables, load};

/// The user that is always there, and can do everything.
pub const ROOT: &str = "root";

/// What may be done: a set of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(pub u32);

impl Rights {
    /// Reading records and what describes them; joining a group.
    pub const READ: Self = Self(1);
    /// Appending.
    pub const WRITE: Self = Self(2);
    /// Creating, changing, emptying and deleting.
    pub const MANAGE: Self = Self(4);
    /// Users and what they may do; on the server only.
    pub const ADMIN: Self = Self(8);
    /// All of them.
    pub const ALL: Self = Self(15);

    /// Whether all of `other` are among these.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Rights to what a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What the pattern is a pattern of.
    pub scope: GrantScope,
    /// A name, or the start of names and `*`; empty for the server.
    pub pattern: String,
    /// What may be done.
    pub rights: Rights,
}

/// Whether a pattern matches a name given in parts, which are joined without being copied.
fn matches(pattern: &str, name: [&str; 3]) -> bool {
    let (wanted, prefix) = match pattern.strip_suffix('*') {
        Some(start) => (start, true),
        None => (pattern, false),
    };
    let mut rest = wanted.as_bytes();
    for part in name {
        let len = rest.len().min(part.len());
        let (here, after) = rest.split_at(len);
        if here != &part.as_bytes()[..len] {
            return false;
        }
        rest = after;
        if len < part.len() {
            // The pattern ends within the name.
            return prefix;
        }
    }
    rest.is_empty()
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Never used for another user.
    pub id: u64,
    /// Unique among users.
    pub name: String,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// Whether it may log in.
    pub enabled: bool,
    /// What is kept of its password, if it has one.
    pub password: Option<Password>,
    /// What it may do, without those of `root`, which may do everything.
    pub grants: Vec<Grant>,
}

impl User {
    /// Whether it is [`ROOT`].
    pub fn is_root(&self) -> bool {
        self.name == ROOT
    }

    fn rights(&self, gives: impl Fn(&Grant) -> bool) -> Rights {
        if self.is_root() {
            return Rights::ALL;
        }
        self.grants
            .iter()
            .filter(|grant| grant.scope == GrantScope::Server || gives(grant))
            .fold(Rights::default(), |rights, grant| rights.and(grant.rights))
    }

    /// What it may do to the server itself.
    pub fn server_rights(&self) -> Rights {
        self.rights(|_| false)
    }

    /// What it may do to a stream.
    pub fn stream_rights(&self, stream: &str) -> Rights {
        self.rights(|grant| {
            grant.scope == GrantScope::Stream && matches(&grant.pattern, [stream, "", ""])
        })
    }

    /// What it may do to a topic.
    pub fn topic_rights(&self, stream: &str, topic: &str) -> Rights {
        self.rights(|grant| match grant.scope {
            GrantScope::Stream => matches(&grant.pattern, [stream, "", ""]),
            GrantScope::Topic => matches(&grant.pattern, [stream, "/", topic]),
            _ => false,
        })
    }

    /// What it may do to a group.
    pub fn group_rights(&self, group: &str) -> Rights {
        self.rights(|grant| {
            grant.scope == GrantScope::Group && matches(&grant.pattern, [group, "", ""])
        })
    }

    /// Whether it may know of a stream: it has a right to it, or to what may be a topic of it.
    pub fn sees_stream(&self, stream: &str) -> bool {
        !self.stream_rights(stream).is_empty()
            || self.grants.iter().any(|grant| {
                grant.scope == GrantScope::Topic
                    && !grant.rights.is_empty()
                    && match grant.pattern.split_once('/') {
                        Some((of, _)) => of == stream,
                        None => matches(&grant.pattern, [stream, "", ""]),
                    }
            })
    }
}

/// What is kept of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// Salt of Argon2id.
    pub salt: Vec<u8>,
    /// Memory of Argon2id, in KiB.
    pub memory_kib: u32,
    /// Passes of Argon2id.
    pub iterations: u32,
    /// Lanes of Argon2id.
    pub parallelism: u32,
    /// Tells whether a proof is right.
    pub verifier: Verifier,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Never used for another token.
    pub id: u64,
    /// Whose it is.
    pub user_id: u64,
    /// Unique among its user's.
    pub name: String,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When it ends, in microseconds since the Unix epoch; 0 is never.
    pub expires_us: i64,
    /// Tells whether a proof is right.
    pub verifier: Verifier,
}

impl AccessToken {
    /// Whether its time is over.
    pub fn is_expired(&self, now_us: i64) -> bool {
        self.expires_us != 0 && self.expires_us <= now_us
    }
}

/// A token to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Unique among its user's.
    pub name: String,
    /// When it ends, in microseconds since the Unix epoch; 0 is never.
    pub expires_us: i64,
    /// Tells whether a proof is right.
    pub verifier: Verifier,
}

/// All users and tokens at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Counts the changes since the server started.
    pub version: u64,
    /// By name.
    pub users: BTreeMap<String, Arc<User>>,
    /// By number.
    pub tokens: BTreeMap<u64, Arc<AccessToken>>,
    names: HashMap<u64, String>,
}

impl Access {
    /// The user of this name.
    pub fn user(&self, name: &str) -> Option<&Arc<User>> {
        self.users.get(name)
    }

    /// The user of this number.
    pub fn user_by_id(&self, id: u64) -> Option<&Arc<User>> {
        self.users.get(self.names.get(&id)?)
    }

    /// The tokens of a user, by number.
    pub fn tokens_of(&self, user: u64) -> impl Iterator<Item = &Arc<AccessToken>> {
        self.tokens.values().filter(move |token| token.user_id == user)
    }
}

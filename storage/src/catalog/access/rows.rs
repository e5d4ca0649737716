//! Users and tokens as rows of JSON.
//!
//! Owns their form on the disk: unknown fields are passed over, bytes are hex.

use serde::{Deserialize, Serialize};
use tidewire_protocol::auth::{KEY_LEN, Verifier};

use super::{AccessToken, Grant, Password, Rights, User};
use crate::catalog::{CatalogError, CatalogErrorKind};

#[derive(Serialize, Deserialize)]
pub(super) struct UserRow {
    name: String,
    created_us: i64,
    enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<PasswordRow>,
    #[serde(default)]
    grants: Vec<GrantRow>,
}

#[derive(Serialize, Deserialize)]
struct PasswordRow {
    salt: String,
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
    stored_key: String,
    server_key: String,
}

#[derive(Serialize, Deserialize)]
struct GrantRow {
    /// The number of the scope on the wire.
    scope: u8,
    pattern: String,
    rights: u32,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TokenRow {
    user_id: u64,
    name: String,
    created_us: i64,
    #[serde(default)]
    expires_us: i64,
    stored_key: String,
    server_key: String,
}

impl UserRow {
    pub(super) fn of(user: &User) -> Self {
        Self {
            name: user.name.clone(),
            created_us: user.created_us,
            enabled: user.enabled,
            password: user.password.as_ref().map(|password| PasswordRow {
                salt: hex(&password.salt),
                memory_kib: password.memory_kib,
                iterations: password.iterations,
                parallelism: password.parallelism,
                stored_key: hex(&password.verifier.stored_key),
                server_key: hex(&password.verifier.server_key),
            }),
            grants: user
                .grants
                .iter()
                .map(|grant| GrantRow {
                    scope: grant.scope.into(),
                    pattern: grant.pattern.clone(),
                    rights: grant.rights.0,
                })
                .collect(),
        }
    }

    pub(super) fn user(self, id: u64) -> Result<User, CatalogError> {
        let password = match self.password {
            Some(row) => Some(Password {
                salt: bytes("user", id, &row.salt)?,
                memory_kib: row.memory_kib,
                iterations: row.iterations,
                parallelism: row.parallelism,
                verifier: verifier("user", id, &row.stored_key, &row.server_key)?,
            }),
            None => None,
        };
        let grants = self.grants.into_iter().map(|row| Grant {
            scope: row.scope.into(),
            pattern: row.pattern,
            rights: Rights(row.rights),
        });
        Ok(User {
            id,
            name: self.name,
            created_us: self.created_us,
            enabled: self.enabled,
            password,
            grants: grants.collect(),
        })
    }
}

impl TokenRow {
    pub(super) fn of(token: &AccessToken) -> Self {
        Self {
            user_id: token.user_id,
            name: token.name.clone(),
            created_us: token.created_us,
            expires_us: token.expires_us,
            stored_key: hex(&token.verifier.stored_key),
            server_key: hex(&token.verifier.server_key),
        }
    }

    pub(super) fn token(self, id: u64) -> Result<AccessToken, CatalogError> {
        Ok(AccessToken {
            id,
            user_id: self.user_id,
            name: self.name,
            created_us: self.created_us,
            expires_us: self.expires_us,
            verifier: verifier("token", id, &self.stored_key, &self.server_key)?,
        })
    }
}

fn verifier(
    what: &str,
    id: u64,
    stored_key: &str,
    server_key: &str,
) -> Result<Verifier, CatalogError> {
    let key = |text| -> Result<[u8; KEY_LEN], CatalogError> {
        bytes(what, id, text)?.try_into().map_err(|_| unreadable(what, id))
    };
    Ok(Verifier { stored_key: key(stored_key)?, server_key: key(server_key)? })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String");
        text
    })
}

fn bytes(what: &str, id: u64, text: &str) -> Result<Vec<u8>, CatalogError> {
    let digit = |at: u8| char::from(at).to_digit(16).ok_or_else(|| unreadable(what, id));
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Ok((digit(*high)? * 16 + digit(*low)?) as u8),
            _ => Err(unreadable(what, id)),
        })
        .collect()
}

/// Without the contents: they are nobody's business.
fn unreadable(what: &str, id: u64) -> CatalogError {
    CatalogError::new(CatalogErrorKind::Storage, format!("the keys of {what} {id} are damaged"))
}

//! Users and tokens as requests name them: checked on the shard, changed on the catalog's thread.
//!
//! Owns what an argument may be. Who may ask is the session's to know.

use tidewire_protocol::auth::{TOKEN_PREFIX, Verifier, check_password};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits::{MAX_TOKEN_LIFETIME_MS, MAX_USER_GRANTS};
use tidewire_protocol::message::{
    Grant as WireGrant, GrantScope, PasswordVerifier, TokenInfo, UserInfo,
};
use tidewire_protocol::name::check_name;
use tidewire_storage::CatalogStore;
use tidewire_storage::access::{Access, AccessToken, Grant, NewToken, Password, Rights, User};

/// A change to make; everything was checked that does not depend on what there is.
pub(crate) enum AccessChange {
    CreateUser { name: String, password: Option<Password>, grants: Vec<Grant> },
    DeleteUser { name: String },
    EnableUser { name: String, enabled: bool },
    ChangePassword { name: String, password: Password },
    ChangeGrants { name: String, revoke: Vec<Grant>, grant: Vec<Grant> },
    CreateToken { user: String, name: String, lifetime_ms: u64, verifier: Verifier },
    DeleteToken { id: u64 },
}

impl AccessChange {
    /// What is done to whom, for the log.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::CreateUser { name, .. } => format!("create user {name}"),
            Self::DeleteUser { name } => format!("delete user {name}"),
            Self::EnableUser { name, enabled: true } => format!("enable user {name}"),
            Self::EnableUser { name, enabled: false } => format!("disable user {name}"),
            Self::ChangePassword { name, .. } => format!("change the password of user {name}"),
            Self::ChangeGrants { name, revoke, grant } => {
                format!("change what user {name} may do: take {revoke:?}, give {grant:?}")
            }
            Self::CreateToken { user, name, .. } => {
                format!("create token \"{name}\" of user {user}")
            }
            Self::DeleteToken { id } => format!("delete token {id}"),
        }
    }
}

/// What a change came to.
pub(crate) enum AccessChanged {
    User(UserInfo),
    Grants(Vec<WireGrant>),
    Token(TokenInfo),
    Done,
}

/// Makes a change.
pub(crate) fn carry_out(
    store: &mut CatalogStore,
    change: AccessChange,
    now_us: i64,
) -> Result<AccessChanged, Error> {
    let error = |error: tidewire_storage::CatalogError| crate::catalog::error(&error);
    match change {
        AccessChange::CreateUser { name, password, grants } => {
            let user = store.create_user(&name, password, &grants, now_us).map_err(error)?;
            Ok(AccessChanged::User(user_info(&store.access(), &user)))
        }
        AccessChange::DeleteUser { name } => {
            store.delete_user(&name).map_err(error)?;
            Ok(AccessChanged::Done)
        }
        AccessChange::EnableUser { name, enabled } => {
            let user = store.enable_user(&name, enabled).map_err(error)?;
            Ok(AccessChanged::User(user_info(&store.access(), &user)))
        }
        AccessChange::ChangePassword { name, password } => {
            store.change_password(&name, password).map_err(error)?;
            Ok(AccessChanged::Done)
        }
        AccessChange::ChangeGrants { name, revoke, grant } => {
            let user = store.change_grants(&name, &revoke, &grant).map_err(error)?;
            Ok(AccessChanged::Grants(wire_grants(&user)))
        }
        AccessChange::CreateToken { user, name, lifetime_ms, verifier } => {
            let expires_us = match lifetime_ms {
                0 => 0,
                // The limit is a hundred years: no overflow before the year 292,000.
                _ => now_us.saturating_add(lifetime_ms.saturating_mul(1_000) as i64),
            };
            let new = NewToken { name, expires_us, verifier };
            let token = store.create_token(&user, new, now_us).map_err(error)?;
            Ok(AccessChanged::Token(token_info(&user, &token)))
        }
        AccessChange::DeleteToken { id } => {
            store.delete_token(id).map_err(error)?;
            Ok(AccessChanged::Done)
        }
    }
}

/// A user as it is described on the wire.
pub(crate) fn user_info(access: &Access, user: &User) -> UserInfo {
    UserInfo {
        name: user.name.clone(),
        id: user.id,
        created_us: user.created_us,
        enabled: user.enabled,
        password: user.password.is_some(),
        tokens: u32::try_from(access.tokens_of(user.id).count()).unwrap_or(u32::MAX),
    }
}

/// A token as it is described on the wire.
pub(crate) fn token_info(user: &str, token: &AccessToken) -> TokenInfo {
    TokenInfo {
        id: token.id,
        name: token.name.clone(),
        user: user.to_owned(),
        created_us: token.created_us,
        expires_us: token.expires_us,
    }
}

/// What a user may do, as it is described on the wire.
pub(crate) fn wire_grants(user: &User) -> Vec<WireGrant> {
    let wire = |grant: &Grant| WireGrant {
        scope: grant.scope,
        pattern: grant.pattern.clone(),
        rights: grant.rights.0,
    };
    user.grants.iter().map(wire).collect()
}

/// Checks the name of a new user.
// SPEC A-9
pub(crate) fn check_user_name(name: &str) -> Result<(), Error> {
    check_name("user", name)?;
    if name.contains(':') || name.starts_with(TOKEN_PREFIX) {
        return Err(Error::new(
            Code::INVALID_NAME,
            format!(
                "the user name \"{name}\" contains \":\" or begins as a token does, which could \
                 not stand in a URL"
            ),
        ));
    }
    Ok(())
}

/// Checks a password's verifier.
pub(crate) fn password(wire: PasswordVerifier) -> Result<Password, Error> {
    let verifier = check_password(&wire)?;
    let PasswordVerifier { salt, memory_kib, iterations, parallelism, .. } = wire;
    Ok(Password { salt, memory_kib, iterations, parallelism, verifier })
}

/// Checks the life of a token.
pub(crate) fn check_lifetime(lifetime_ms: u64) -> Result<(), Error> {
    if lifetime_ms <= MAX_TOKEN_LIFETIME_MS {
        return Ok(());
    }
    Err(Error::new(
        Code::INVALID_ARGUMENT,
        format!("a lifetime of {lifetime_ms} ms: the limit is {MAX_TOKEN_LIFETIME_MS}"),
    ))
}

/// Checks grants.
// SPEC
pub(crate) fn grants(wire: Vec<WireGrant>) -> Result<Vec<Grant>, Error> {
    if wire.len() > MAX_USER_GRANTS as usize {
        return Err(Error::new(
            Code::ACCESS_LIMIT,
            format!("{} grants in one request, the limit is {MAX_USER_GRANTS}", wire.len()),
        ));
    }
    wire.into_iter().map(grant).collect()
}

fn grant(wire: WireGrant) -> Result<Grant, Error> {
    let WireGrant { scope, pattern, rights } = wire;
    let rights = Rights(rights);
    let wrong = |text: String| Err(Error::new(Code::INVALID_ARGUMENT, text));
    if !Rights::ALL.has(rights) || rights.is_empty() {
        return wrong(format!("rights {} are not of 1, 2, 4 and 8", rights.0));
    }
    if rights.has(Rights::ADMIN) && scope != GrantScope::Server {
        return wrong("the right to administer is one to the server alone".to_owned());
    }
    let names: Vec<&str> = match scope {
        GrantScope::Server if pattern.is_empty() => Vec::new(),
        GrantScope::Server => return wrong(format!("a server has no pattern: \"{pattern}\"")),
        GrantScope::Stream | GrantScope::Group => vec![&pattern],
        GrantScope::Topic => match pattern.split_once('/') {
            Some((stream, "*")) => vec![stream],
            Some((stream, topic)) => vec![stream, topic],
            None if pattern.ends_with('*') => vec![&pattern],
            None => {
                return wrong(format!(
                    "the pattern \"{pattern}\" has no stream: it looks like shop/orders or shop/*"
                ));
            }
        },
        other => return wrong(format!("scope {} is not known here", u8::from(other))),
    };
    for name in names {
        check_name("pattern's", name)?;
    }
    Ok(Grant { scope, pattern, rights })
}

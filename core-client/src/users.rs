//! Users, their tokens, and what they may do.
//!
//! Owns the requests and what a grant is. The one invariant: a password or a token's secret is
//! made into a verifier here, and nothing else of it is sent.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tidewire_protocol::auth::{Secret, Token};
use tidewire_protocol::message::{
    Grant as WireGrant, GrantScope, TokenCreate, TokenDelete, TokenInfo, TokenList, UserCreate,
    UserDelete, UserDescribe, UserGrants, UserInfo, UserList, UserPassword, UserUpdate,
};

use crate::admin::check_progress;
use crate::client::Client;
use crate::error::{Code, Error};
use crate::login;

/// What a user may do: a right to what a pattern matches.
///
/// ```
/// use tidewire::Grant;
///
/// let grant = Grant::topic("shop/*").read().write();
/// assert_eq!(grant.to_string(), "read,write topic shop/*");
/// assert_eq!("read,write topic shop/*".parse(), Ok(grant));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant {
    scope: &'static str,
    pattern: String,
    rights: u32,
}

/// Scopes and rights by the names that people use.
const SCOPES: [(&str, GrantScope); 4] = [
    ("server", GrantScope::Server),
    ("stream", GrantScope::Stream),
    ("topic", GrantScope::Topic),
    ("group", GrantScope::Group),
];
const RIGHTS: [(&str, u32); 4] = [("read", 1), ("write", 2), ("manage", 4), ("admin", 8)];

impl Grant {
    fn new(scope: &'static str, pattern: impl Into<String>) -> Self {
        Self { scope, pattern: pattern.into(), rights: 0 }
    }

    /// To everything on the server, and to the server itself.
    pub fn server() -> Self {
        Self::new("server", "")
    }

    /// To streams and all of their topics: a name, or its beginning and `*`.
    pub fn stream(pattern: impl Into<String>) -> Self {
        Self::new("stream", pattern)
    }

    /// To topics: `stream/topic`, `stream/*`, or another beginning and `*`.
    pub fn topic(pattern: impl Into<String>) -> Self {
        Self::new("topic", pattern)
    }

    /// To groups and named consumers: a name, or its beginning and `*`.
    pub fn group(pattern: impl Into<String>) -> Self {
        Self::new("group", pattern)
    }

    /// With the right to read; for a group, to take part in it.
    #[must_use]
    pub fn read(self) -> Self {
        Self { rights: self.rights | 1, ..self }
    }

    /// With the right to append.
    #[must_use]
    pub fn write(self) -> Self {
        Self { rights: self.rights | 2, ..self }
    }

    /// With the right to create, change, empty and delete; for a group, to reset it.
    #[must_use]
    pub fn manage(self) -> Self {
        Self { rights: self.rights | 4, ..self }
    }

    /// With the right to administer users: for [`Grant::server`] only.
    #[must_use]
    pub fn admin(self) -> Self {
        Self { rights: self.rights | 8, ..self }
    }

    /// `server`, `stream`, `topic` or `group`.
    pub fn scope(&self) -> &'static str {
        self.scope
    }

    /// What the names look like; empty for the server.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The names of its rights: `read`, `write`, `manage`, `admin`.
    pub fn rights(&self) -> Vec<&'static str> {
        let has = |row: &&(&str, u32)| self.rights & row.1 != 0;
        RIGHTS.iter().filter(has).map(|(name, _)| *name).collect()
    }

    /// Reads several, each as [`FromStr`] does.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, with what is wrong with the first that cannot be read.
    pub fn parse_all<T: AsRef<str>>(
        texts: impl IntoIterator<Item = T>,
    ) -> Result<Vec<Self>, Error> {
        let one = |text: T| {
            text.as_ref().parse().map_err(|why| {
                let text = format!("the grant \"{}\": {why}", text.as_ref());
                Error::new(Code::INVALID_ARGUMENT, text)
            })
        };
        texts.into_iter().map(one).collect()
    }

    fn to_wire(&self) -> WireGrant {
        let scope = SCOPES.iter().find(|(name, _)| *name == self.scope);
        WireGrant {
            scope: scope.map_or(GrantScope::Server, |(_, scope)| *scope),
            pattern: self.pattern.clone(),
            rights: self.rights,
        }
    }

    fn of_wire(wire: WireGrant) -> Self {
        let scope = SCOPES.iter().find(|(_, scope)| *scope == wire.scope);
        Self {
            scope: scope.map_or("unknown", |(name, _)| name),
            pattern: wire.pattern,
            rights: wire.rights,
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rights().join(","), self.scope)?;
        if self.pattern.is_empty() { Ok(()) } else { write!(f, " {}", self.pattern) }
    }
}

impl FromStr for Grant {
    type Err = String;

    /// Reads `RIGHT[,RIGHT…] SCOPE [PATTERN]`, as in `read,write topic shop/*`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.splitn(3, ' ');
        let (rights, scope) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let pattern = words.next().unwrap_or("").trim();
        let &(scope, _) = SCOPES.iter().find(|(name, _)| *name == scope).ok_or_else(|| {
            format!(
                "\"{scope}\" is not server, stream, topic or group, as in read topic shop/*"
            )
        })?;
        let mut grant = Self::new(scope, pattern);
        for right in rights.split(',') {
            let &(_, bit) = RIGHTS
                .iter()
                .find(|(name, _)| *name == right)
                .ok_or_else(|| format!("\"{right}\" is not read, write, manage or admin"))?;
            grant.rights |= bit;
        }
        if grant.pattern.is_empty() != (scope == "server") {
            return Err(match scope {
                "server" => format!("a server has no pattern: \"{pattern}\""),
                _ => format!("which {scope}? A name, or its beginning and *"),
            });
        }
        Ok(grant)
    }
}

/// A user and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserDescription {
    /// The user.
    pub user: UserInfo,
    /// What it may do. `root` may do everything, and has none.
    pub grants: Vec<Grant>,
}

/// A token that was just created.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewToken {
    /// What the server knows of it.
    pub info: TokenInfo,
    /// What logs in. Nobody else knows it, and it is not kept anywhere.
    pub secret: Secret,
}

impl Client {
    /// Creates a user. Without a password it logs in with tokens only.
    ///
    /// # Errors
    /// `USER_EXISTS`, `INVALID_NAME`, `INVALID_ARGUMENT`, `ACCESS_LIMIT`, `DENIED`.
    pub async fn create_user(
        &self,
        name: &str,
        password: Option<&Secret>,
        grants: &[Grant],
    ) -> Result<UserInfo, Error> {
        let password = match password {
            Some(password) => Some(login::new_verifier(password).await?),
            None => None,
        };
        let grants = grants.iter().map(Grant::to_wire).collect();
        let request = UserCreate { name: name.to_owned(), grants, password };
        Ok(self.link.request(&request).await?.user)
    }

    /// Deletes a user and its tokens, and ends its connections.
    ///
    /// # Errors
    /// `USER_NOT_FOUND`, `DENIED`; `INVALID_ARGUMENT` for `root`.
    pub async fn delete_user(&self, name: &str) -> Result<(), Error> {
        self.link.request(&UserDelete { name: name.to_owned() }).await.map(drop)
    }

    /// Lets a user log in again, or keeps it out and ends its connections.
    ///
    /// # Errors
    /// `USER_NOT_FOUND`, `DENIED`; `INVALID_ARGUMENT` for `root`.
    pub async fn enable_user(&self, name: &str, enabled: bool) -> Result<UserInfo, Error> {
        let request = UserUpdate { name: name.to_owned(), enabled };
        Ok(self.link.request(&request).await?.user)
    }

    /// Changes a password: of the user that this client is if `user` is `None`. Connections that
    /// logged in with the old one end, this one among them.
    ///
    /// # Errors
    /// `USER_NOT_FOUND`, `INVALID_ARGUMENT`, `DENIED`.
    pub async fn change_password(
        &self,
        user: Option<&str>,
        password: &Secret,
    ) -> Result<(), Error> {
        let password = login::new_verifier(password).await?;
        let request = UserPassword { name: user.unwrap_or("").to_owned(), password };
        self.link.request(&request).await.map(drop)
    }

    /// Describes a user: the one that this client is if `user` is `None`.
    ///
    /// # Errors
    /// `USER_NOT_FOUND`, `DENIED`.
    pub async fn describe_user(&self, user: Option<&str>) -> Result<UserDescription, Error> {
        let request = UserDescribe { name: user.unwrap_or("").to_owned() };
        let reply = self.link.query(&request).await?;
        let grants = reply.grants.into_iter().map(Grant::of_wire).collect();
        Ok(UserDescription { user: reply.user, grants })
    }

    /// Lists all users, by name.
    ///
    /// # Errors
    /// `DENIED`.
    pub async fn list_users(&self) -> Result<Vec<UserInfo>, Error> {
        let mut users: Vec<UserInfo> = Vec::new();
        loop {
            let after = users.last().map(|user| user.name.clone()).unwrap_or_default();
            let page = self.link.query(&UserList { after: after.clone() }).await?;
            let first = page.users.first().map(|user| &user.name);
            let more = page.more && check_progress("users", first > Some(&after))?;
            users.extend(page.users);
            if !more {
                return Ok(users);
            }
        }
    }

    /// Takes rights away from a user and then gives it others, at once, also on its open
    /// connections; what it may do then. Rights are taken from grants of exactly the same scope
    /// and pattern.
    ///
    /// # Errors
    /// `USER_NOT_FOUND`, `INVALID_ARGUMENT`, `ACCESS_LIMIT`, `DENIED`.
    pub async fn change_grants(
        &self,
        user: &str,
        revoke: &[Grant],
        grant: &[Grant],
    ) -> Result<Vec<Grant>, Error> {
        let request = UserGrants {
            name: user.to_owned(),
            revoke: revoke.iter().map(Grant::to_wire).collect(),
            grant: grant.iter().map(Grant::to_wire).collect(),
        };
        let reply = self.link.request(&request).await?;
        Ok(reply.grants.into_iter().map(Grant::of_wire).collect())
    }

    /// Creates a token: of the user that this client is if `user` is `None`. Its secret is made
    /// here, and told nobody but the caller. `lifetime` is for ever if `None`, and counts in whole
    /// milliseconds, 1 to 100 years.
    ///
    /// # Errors
    /// `TOKEN_EXISTS`, `USER_NOT_FOUND`, `INVALID_NAME`, `INVALID_ARGUMENT`, `ACCESS_LIMIT`,
    /// `DENIED`.
    pub async fn create_token(
        &self,
        user: Option<&str>,
        name: &str,
        lifetime: Option<Duration>,
    ) -> Result<NewToken, Error> {
        let lifetime_ms = match lifetime {
            None => 0,
            Some(lifetime) => match u64::try_from(lifetime.as_millis()) {
                Ok(ms) if ms > 0 => ms,
                _ => {
                    let text = format!("a token's lifetime of {lifetime:?}");
                    return Err(Error::new(Code::INVALID_ARGUMENT, text));
                }
            },
        };
        let key = login::new_key()?;
        let verifier = key.verifier();
        let request = TokenCreate {
            user: user.unwrap_or("").to_owned(),
            name: name.to_owned(),
            lifetime_ms,
            stored_key: verifier.stored_key.to_vec(),
            server_key: verifier.server_key.to_vec(),
        };
        let info = self.link.request(&request).await?.token;
        let secret = Token { id: info.id, key }.text();
        Ok(NewToken { info, secret })
    }

    /// Lists the tokens of a user, by number: of the one that this client is if `user` is `None`.
    ///
    /// # Errors
    /// `USER_NOT_FOUND`, `DENIED`.
    pub async fn list_tokens(&self, user: Option<&str>) -> Result<Vec<TokenInfo>, Error> {
        let mut tokens: Vec<TokenInfo> = Vec::new();
        loop {
            let after = tokens.last().map_or(0, |token| token.id);
            let user = user.unwrap_or("").to_owned();
            let page = self.link.query(&TokenList { user, after }).await?;
            let first = page.tokens.first().map(|token| token.id);
            let more = page.more && check_progress("tokens", first > Some(after))?;
            tokens.extend(page.tokens);
            if !more {
                return Ok(tokens);
            }
        }
    }

    /// Deletes a token, and ends the connections that were made with it.
    ///
    /// # Errors
    /// `TOKEN_NOT_FOUND`, `DENIED`.
    pub async fn delete_token(&self, id: u64) -> Result<(), Error> {
        self.link.request(&TokenDelete { id }).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_survives_its_text_and_the_wire() {
        for text in [
            "read topic shop/*",
            "read,write,manage stream shop",
            "read group billing*",
            "read,write,manage,admin server",
        ] {
            let grant: Grant = text.parse().expect(text);
            assert_eq!(grant.to_string(), text);
            assert_eq!(Grant::of_wire(grant.to_wire()), grant);
        }
        let spaced: Grant = "read topic shop/new orders".parse().expect("spaces in names");
        assert_eq!(spaced.pattern(), "shop/new orders");
        for bad in ["", "read", "read topic", "fly topic a/b", "read table a", "read server x"]
        {
            assert!(bad.parse::<Grant>().is_err(), "{bad}");
            let error = Grant::parse_all(["read server", bad]).expect_err(bad);
            assert_eq!(error.code(), Code::INVALID_ARGUMENT);
            assert!(error.to_string().contains(&format!("\"{bad}\"")), "{error}");
        }
    }
}

//! Users, tokens and grants.
//!
//! Owns how they are handed to Python, as [`admin`](crate::admin) does: a grant is its text. The
//! one invariant: a secret goes to whoever asked for it, and into no text of an error.

use std::time::Duration;

use pyo3::prelude::*;
use tidewire::{Code, Error, Grant, NewToken, Secret, TokenInfo, UserDescription, UserInfo};

use crate::admin::{object, requests};
use crate::call::{call, none};
use crate::client::Client;
use crate::input::Count;
use crate::queue::Queue;

type User = (String, u64, i64, bool, bool, u32);

fn user(info: UserInfo) -> User {
    (info.name, info.id, info.created_us, info.enabled, info.password, info.tokens)
}

fn texts(grants: &[Grant]) -> Vec<String> {
    grants.iter().map(Grant::to_string).collect()
}

fn described(found: UserDescription) -> (User, Vec<String>) {
    (user(found.user), texts(&found.grants))
}

type Token = (u64, String, String, i64, Option<i64>);

fn token(info: TokenInfo) -> Token {
    let expires = (info.expires_us != 0).then_some(info.expires_us);
    (info.id, info.name, info.user, info.created_us, expires)
}

fn new_token(new: NewToken) -> (Token, String) {
    (token(new.info), new.secret.expose().to_owned())
}

/// How long a token lives, of seconds.
fn lifetime(seconds: Option<f64>) -> Result<Option<Duration>, Error> {
    let Some(seconds) = seconds else { return Ok(None) };
    Duration::try_from_secs_f64(seconds).map(Some).map_err(|why| {
        let text = format!("a token's lifetime of {seconds} seconds: {why}");
        tidewire_protocol::error::Error::new(Code::INVALID_ARGUMENT, text).into()
    })
}

requests! {
    create_user(name: String, password: Option<String>, grants: Vec<String>) as "create_user"
        |client| async move {
            let (password, grants) = (password.map(Secret::new), Grant::parse_all(grants)?);
            client.create_user(&name, password.as_ref(), &grants).await
        } => |py, info| object(py, user(info));
    delete_user(name: String) as "delete_user"
        |client| client.delete_user(&name) => none;
    enable_user(name: String, enabled: bool) as "enable_user"
        |client| client.enable_user(&name, enabled) => |py, info| object(py, user(info));
    change_password(password: String, name: Option<String>) as "change_password"
        |client| async move {
            client.change_password(name.as_deref(), &Secret::new(password)).await
        } => none;
    describe_user(name: Option<String>) as "describe_user"
        |client| client.describe_user(name.as_deref()) =>
        |py, found| object(py, described(found));
    list_users() as "list_users"
        |client| client.list_users() =>
        |py, all| object(py, all.into_iter().map(user).collect::<Vec<_>>());
    change_grants(name: String, revoke: Vec<String>, grant: Vec<String>) as "change_grants"
        |client| async move {
            let (revoke, grant) = (Grant::parse_all(revoke)?, Grant::parse_all(grant)?);
            client.change_grants(&name, &revoke, &grant).await
        } => |py, all| object(py, texts(&all));
    create_token(name: String, user: Option<String>, seconds: Option<f64>) as "create_token"
        |client| async move {
            client.create_token(user.as_deref(), &name, lifetime(seconds)?).await
        } => |py, new| object(py, new_token(new));
    list_tokens(user: Option<String>) as "list_tokens"
        |client| client.list_tokens(user.as_deref()) =>
        |py, all| object(py, all.into_iter().map(token).collect::<Vec<_>>());
    delete_token(id: Count<u64>) as "delete_token"
        |client| client.delete_token(id.0) => none;
}

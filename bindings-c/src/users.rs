//! Users, tokens and grants.
//!
//! Owns the layout of what the server tells of them, as [`admin`](crate::admin) does; a grant is
//! its text. The one invariant: a secret is in no text of an error.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::time::Duration;

use tidewire::{Error, Grant, Secret, TokenInfo, UserInfo};

use crate::admin::{Show, give, give_all};
use crate::client::tw_client;
use crate::error::tw_error;
use crate::guard::{array, guard, optional_text, place, text, tw_status, value};
use crate::lists::{Items, Texts, hand_out, take_back};

/// A user.
#[repr(C)]
#[derive(Debug)]
pub struct tw_user_info {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// Its name.
    pub name: *const c_char,
    /// Its number, never reused.
    pub id: u64,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// Whether it may log in: 1 or 0.
    pub enabled: u32,
    /// Whether it has a password: 1 or 0.
    pub password: u32,
    /// How many tokens it has.
    pub tokens: u32,
    /// Zero.
    pub reserved: u32,
}

/// Users, by name.
#[repr(C)]
#[derive(Debug)]
pub struct tw_users {
    /// How many.
    pub count: usize,
    /// Pointers to them.
    pub items: *const *const tw_user_info,
}

/// What a user may do.
#[repr(C)]
#[derive(Debug)]
pub struct tw_grants {
    /// How many.
    pub count: usize,
    /// Texts such as `read,write topic shop/orders`.
    pub items: *const *const c_char,
}

/// A user and what it may do.
#[repr(C)]
#[derive(Debug)]
pub struct tw_user_description {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// The user.
    pub user: *const tw_user_info,
    /// How many grants; `root` may do everything, and has none.
    pub grant_count: usize,
    /// Texts such as `read,write topic shop/orders`.
    pub grants: *const *const c_char,
}

/// A token, without what logs in.
#[repr(C)]
#[derive(Debug)]
pub struct tw_token_info {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// Its number, never reused.
    pub id: u64,
    /// What it is called.
    pub name: *const c_char,
    /// The user that it stands for.
    pub user: *const c_char,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When it ends, in microseconds since the Unix epoch; 0 is never.
    pub expires_us: i64,
}

/// Tokens, by number.
#[repr(C)]
#[derive(Debug)]
pub struct tw_tokens {
    /// How many.
    pub count: usize,
    /// Pointers to them.
    pub items: *const *const tw_token_info,
}

/// A token that was just created.
#[repr(C)]
#[derive(Debug)]
pub struct tw_new_token {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// What the server knows of it.
    pub token: *const tw_token_info,
    /// What logs in. Nobody else knows it, and it is not kept anywhere.
    pub secret: *const c_char,
}

impl Show for UserInfo {
    type Shown = tw_user_info;

    fn show(&self, texts: &mut Texts) -> tw_user_info {
        tw_user_info {
            size: size_of::<tw_user_info>(),
            name: texts.keep(&self.name),
            id: self.id,
            created_us: self.created_us,
            enabled: self.enabled.into(),
            password: self.password.into(),
            tokens: self.tokens,
            reserved: 0,
        }
    }
}

impl Show for TokenInfo {
    type Shown = tw_token_info;

    fn show(&self, texts: &mut Texts) -> tw_token_info {
        tw_token_info {
            size: size_of::<tw_token_info>(),
            id: self.id,
            name: texts.keep(&self.name),
            user: texts.keep(&self.user),
            created_us: self.created_us,
            expires_us: self.expires_us,
        }
    }
}

/// The grants of an array of texts.
///
/// # Safety
/// NULL, or so many texts.
unsafe fn grants(
    items: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Vec<Grant>, Error> {
    // SAFETY: as the caller says.
    let items = unsafe { array(items, count, name) }?;
    let one = |&item: &*const c_char| {
        // SAFETY: as the caller says.
        unsafe { text(item, name) }
    };
    let texts: Vec<&str> = items.iter().map(one).collect::<Result<_, _>>()?;
    Grant::parse_all(texts)
}

fn kept(grants: &[Grant], texts: &mut Texts) -> Vec<*const c_char> {
    grants.iter().map(|grant| texts.keep(&grant.to_string())).collect()
}

/// Creates a user, who may do what `grant_count` texts say, such as `read,write topic shop/orders`: of
/// read, write, manage and admin, on server, stream, topic or group. If `password` is NULL, it
/// logs in with tokens only; the password itself stays here. `info` may be NULL; what it is given
/// is freed by `tw_user_info_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_create_user(
    client: Option<&tw_client>,
    name: *const c_char,
    password: *const c_char,
    grants: *const *const c_char,
    grant_count: usize,
    info: Option<&mut MaybeUninit<*mut tw_user_info>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let (name, password, grants) = unsafe {
            let grants = self::grants(grants, grant_count, "grants")?;
            (text(name, "name")?, optional_text(password, "password")?, grants)
        };
        let password = password.map(Secret::new);
        let made = value(client)?.client()?.create_user(name, password.as_ref(), &grants)?;
        give(info, &made);
        Ok(())
    })
}

/// Deletes a user and its tokens, and ends its connections.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_delete_user(
    client: Option<&tw_client>,
    name: *const c_char,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let name = unsafe { text(name, "name") }?;
        Ok(value(client)?.client()?.delete_user(name)?)
    })
}

/// Lets a user log in again; with false keeps it out, and ends its connections. `info` may be
/// NULL; what it is given is freed by `tw_user_info_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_enable_user(
    client: Option<&tw_client>,
    name: *const c_char,
    enabled: bool,
    info: Option<&mut MaybeUninit<*mut tw_user_info>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let name = unsafe { text(name, "name") }?;
        give(info, &value(client)?.client()?.enable_user(name, enabled)?);
        Ok(())
    })
}

/// Changes a password: that of the user that this client is if `user` is NULL. Connections that
/// logged in with the old one end, this one among them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_change_password(
    client: Option<&tw_client>,
    user: *const c_char,
    password: *const c_char,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let (user, password) =
            unsafe { (optional_text(user, "user")?, text(password, "password")?) };
        Ok(value(client)?.client()?.change_password(user, &Secret::new(password))?)
    })
}

/// Describes a user: the one that this client is if `name` is NULL. What `description` is given is
/// freed by `tw_user_description_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_describe_user(
    client: Option<&tw_client>,
    name: *const c_char,
    description: Option<&mut MaybeUninit<*mut tw_user_description>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let name = unsafe { optional_text(name, "name") }?;
        let out = place(description, "description")?;
        let found = value(client)?.client()?.describe_user(name)?;
        let mut texts = Texts::default();
        let user = Items::new([found.user.show(&mut texts)]);
        let grants = kept(&found.grants, &mut texts);
        let shown = tw_user_description {
            size: size_of::<tw_user_description>(),
            // SAFETY: there is one.
            user: unsafe { *user.as_ptr() },
            grant_count: grants.len(),
            grants: grants.as_ptr(),
        };
        out.write(hand_out(shown, (user, grants, texts)));
        Ok(())
    })
}

/// Lists all users. What `users` is given is freed by `tw_users_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_list_users(
    client: Option<&tw_client>,
    users: Option<&mut MaybeUninit<*mut tw_users>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let all = value(client)?.client()?.list_users()?;
        give_all(users, &all, |count, items| tw_users { count, items })?;
        Ok(())
    })
}

/// Takes rights away from a user and then gives it others, at once, also on its open connections.
/// Rights are taken from grants of exactly the same scope and pattern. `left` may be NULL; what it
/// is given, all that the user may do then, is freed by `tw_grants_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_change_grants(
    client: Option<&tw_client>,
    user: *const c_char,
    revoke: *const *const c_char,
    revoke_count: usize,
    grant: *const *const c_char,
    grant_count: usize,
    left: Option<&mut MaybeUninit<*mut tw_grants>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let (user, revoke, grant) = unsafe {
            let revoke = grants(revoke, revoke_count, "revoke")?;
            (text(user, "user")?, revoke, grants(grant, grant_count, "grant")?)
        };
        let found = value(client)?.client()?.change_grants(user, &revoke, &grant)?;
        if let Some(out) = left {
            let mut texts = Texts::default();
            let items = kept(&found, &mut texts);
            let shown = tw_grants { count: items.len(), items: items.as_ptr() };
            out.write(hand_out(shown, (items, texts)));
        }
        Ok(())
    })
}

/// Creates a token: of the user that this client is if `user` is NULL. It ends after
/// `lifetime_ms`, or never with 0. Its secret is made here, and told nobody but the caller. What
/// `token` is given is freed by `tw_new_token_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_create_token(
    client: Option<&tw_client>,
    user: *const c_char,
    name: *const c_char,
    lifetime_ms: u64,
    token: Option<&mut MaybeUninit<*mut tw_new_token>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let (user, name) = unsafe { (optional_text(user, "user")?, text(name, "name")?) };
        let out = place(token, "token")?;
        let lifetime = (lifetime_ms != 0).then(|| Duration::from_millis(lifetime_ms));
        let made = value(client)?.client()?.create_token(user, name, lifetime)?;
        let mut texts = Texts::default();
        let token = Items::new([made.info.show(&mut texts)]);
        let shown = tw_new_token {
            size: size_of::<tw_new_token>(),
            // SAFETY: there is one.
            token: unsafe { *token.as_ptr() },
            secret: texts.keep(made.secret.expose()),
        };
        out.write(hand_out(shown, (token, texts)));
        Ok(())
    })
}

/// Lists the tokens of a user: of the one that this client is if `user` is NULL. What `tokens` is
/// given is freed by `tw_tokens_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_list_tokens(
    client: Option<&tw_client>,
    user: *const c_char,
    tokens: Option<&mut MaybeUninit<*mut tw_tokens>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let user = unsafe { optional_text(user, "user") }?;
        let all = value(client)?.client()?.list_tokens(user)?;
        give_all(tokens, &all, |count, items| tw_tokens { count, items })?;
        Ok(())
    })
}

/// Deletes a token, and ends the connections that were made with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_delete_token(
    client: Option<&tw_client>,
    id: u64,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || Ok(value(client)?.client()?.delete_token(id)?))
}

/// Frees what describes a user. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_user_info_free(info: *mut tw_user_info) {
    // SAFETY: as the header says.
    unsafe { take_back(info) }
}

/// Frees a list of users. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_users_free(users: *mut tw_users) {
    // SAFETY: as the header says.
    unsafe { take_back(users) }
}

/// Frees a list of grants. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_grants_free(grants: *mut tw_grants) {
    // SAFETY: as the header says.
    unsafe { take_back(grants) }
}

/// Frees a description. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_user_description_free(description: *mut tw_user_description) {
    // SAFETY: as the header says.
    unsafe { take_back(description) }
}

/// Frees a list of tokens. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_tokens_free(tokens: *mut tw_tokens) {
    // SAFETY: as the header says.
    unsafe { take_back(tokens) }
}

/// Frees a token and its secret. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_new_token_free(token: *mut tw_new_token) {
    // SAFETY: as the header says.
    unsafe { take_back(token) }
}

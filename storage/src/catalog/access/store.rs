//! Changes to users and tokens, each one durable transaction; the snapshot is replaced after it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use redb::{ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use tidewire_protocol::limits::{MAX_USER_GRANTS, MAX_USER_TOKENS, MAX_USERS};

use super::rows::{TokenRow, UserRow};
use super::{Access, AccessToken, Grant, NewToken, Password, ROOT, Rights, User};
use crate::catalog::store::{CatalogStore, commit, decode, insert, remove, take_ids};
use crate::catalog::{CatalogError, CatalogErrorKind};

const USERS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("users");
const TOKENS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("tokens");
const NEXT_USER_ID: &str = "next_user_id";
const NEXT_TOKEN_ID: &str = "next_token_id";

/// Creates the tables, so that reading finds them later.
pub(in crate::catalog) fn create_tables(
    transaction: &WriteTransaction,
) -> Result<(), CatalogError> {
    transaction.open_table(USERS).map_err(CatalogError::storage)?;
    transaction.open_table(TOKENS).map_err(CatalogError::storage)?;
    Ok(())
}

/// All users and tokens.
pub(in crate::catalog) fn load(database: &redb::Database) -> Result<Access, CatalogError> {
    let transaction = database.begin_read().map_err(CatalogError::storage)?;
    let mut users = BTreeMap::new();
    let rows = transaction.open_table(USERS).map_err(CatalogError::storage)?;
    for row in rows.iter().map_err(CatalogError::storage)? {
        let (id, bytes) = row.map_err(CatalogError::storage)?;
        let row: UserRow = decode("user", id.value(), bytes.value())?;
        let user = row.user(id.value())?;
        users.insert(user.name.clone(), Arc::new(user));
    }
    let mut tokens = BTreeMap::new();
    let rows = transaction.open_table(TOKENS).map_err(CatalogError::storage)?;
    for row in rows.iter().map_err(CatalogError::storage)? {
        let (id, bytes) = row.map_err(CatalogError::storage)?;
        let row: TokenRow = decode("token", id.value(), bytes.value())?;
        tokens.insert(id.value(), Arc::new(row.token(id.value())?));
    }
    let names: HashMap<u64, String> =
        users.values().map(|user: &Arc<User>| (user.id, user.name.clone())).collect();
    Ok(Access { version: 0, users, tokens, names })
}

impl CatalogStore {
    /// All users and tokens as they are now.
    pub fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access)
    }

    /// Creates a user.
    ///
    /// # Errors
    /// [`CatalogErrorKind::UserExists`], [`CatalogErrorKind::AccessLimit`].
    pub fn create_user(
        &mut self,
        name: &str,
        password: Option<Password>,
        grants: &[Grant],
        now_us: i64,
    ) -> Result<Arc<User>, CatalogError> {
        if self.access.user(name).is_some() {
            let text = format!("user {name} exists already");
            return Err(CatalogError::new(CatalogErrorKind::UserExists, text));
        }
        if self.access.users.len() >= MAX_USERS as usize {
            return Err(limit(format!("there are {MAX_USERS} users already, the limit")));
        }
        let mut user = User {
            id: 0,
            name: name.to_owned(),
            created_us: now_us,
            enabled: true,
            password,
            grants: Vec::new(),
        };
        give(&mut user, grants)?;
        let user = commit(self.database(), |transaction| {
            user.id = take_ids(transaction, NEXT_USER_ID, 1)?.start;
            insert(transaction, USERS, user.id, &UserRow::of(&user))?;
            Ok(user)
        })?;
        Ok(self.publish_user(user))
    }

    /// Changes a user, and returns it as it is now. What `change` refuses is not done.
    ///
    /// # Errors
    /// [`CatalogErrorKind::UserNotFound`].
    fn change_user(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut User) -> Result<(), CatalogError>,
    ) -> Result<Arc<User>, CatalogError> {
        let mut user = User::clone(self.existing_user(name)?);
        change(&mut user)?;
        commit(self.database(), |transaction| {
            insert(transaction, USERS, user.id, &UserRow::of(&user))
        })?;
        Ok(self.publish_user(user))
    }

    /// Enables or disables a user.
    ///
    /// # Errors
    /// [`CatalogErrorKind::UserNotFound`], [`CatalogErrorKind::Root`].
    pub fn enable_user(
        &mut self,
        name: &str,
        enabled: bool,
    ) -> Result<Arc<User>, CatalogError> {
        if name == ROOT && !enabled {
            return Err(is_root("disabled"));
        }
        self.change_user(name, |user| {
            user.enabled = enabled;
            Ok(())
        })
    }

    /// Gives a user another password.
    ///
    /// # Errors
    /// [`CatalogErrorKind::UserNotFound`].
    pub fn change_password(
        &mut self,
        name: &str,
        password: Password,
    ) -> Result<Arc<User>, CatalogError> {
        self.change_user(name, |user| {
            user.password = Some(password);
            Ok(())
        })
    }

    /// Takes rights away, from grants of exactly these patterns, and then gives others.
    ///
    /// # Errors
    /// [`CatalogErrorKind::UserNotFound`], [`CatalogErrorKind::AccessLimit`].
    pub fn change_grants(
        &mut self,
        name: &str,
        revoke: &[Grant],
        grant: &[Grant],
    ) -> Result<Arc<User>, CatalogError> {
        self.change_user(name, |user| {
            for taken in revoke {
                for old in &mut user.grants {
                    if (old.scope, &old.pattern) == (taken.scope, &taken.pattern) {
                        old.rights = old.rights.without(taken.rights);
                    }
                }
            }
            user.grants.retain(|grant| !grant.rights.is_empty());
            give(user, grant)
        })
    }

    /// Deletes a user and its tokens.
    ///
    /// # Errors
    /// [`CatalogErrorKind::UserNotFound`], [`CatalogErrorKind::Root`].
    pub fn delete_user(&mut self, name: &str) -> Result<(), CatalogError> {
        if name == ROOT {
            return Err(is_root("deleted"));
        }
        let id = self.existing_user(name)?.id;
        let tokens: Vec<u64> = self.access.tokens_of(id).map(|token| token.id).collect();
        commit(self.database(), |transaction| {
            remove(transaction, USERS, &[id])?;
            remove(transaction, TOKENS, &tokens)
        })?;
        let access = self.changed_access();
        access.users.remove(name);
        access.names.remove(&id);
        access.tokens.retain(|_, token| token.user_id != id);
        Ok(())
    }

    /// Creates a token.
    ///
    /// # Errors
    /// [`CatalogErrorKind::UserNotFound`], [`CatalogErrorKind::TokenExists`],
    /// [`CatalogErrorKind::AccessLimit`].
    pub fn create_token(
        &mut self,
        user: &str,
        new: NewToken,
        now_us: i64,
    ) -> Result<Arc<AccessToken>, CatalogError> {
        let user_id = self.existing_user(user)?.id;
        // One that has ended makes room for another, also of its name.
        let ended = |token: &&Arc<AccessToken>| token.is_expired(now_us);
        let old: Vec<u64> =
            self.access.tokens_of(user_id).filter(ended).map(|token| token.id).collect();
        let left = || self.access.tokens_of(user_id).filter(|token| !ended(token));
        if left().any(|token| token.name == new.name) {
            let text = format!("user {user} has a token called {} already", new.name);
            return Err(CatalogError::new(CatalogErrorKind::TokenExists, text));
        }
        if left().count() >= MAX_USER_TOKENS as usize {
            return Err(limit(format!(
                "user {user} has {MAX_USER_TOKENS} tokens already, the limit"
            )));
        }
        let token = commit(self.database(), |transaction| {
            let token = AccessToken {
                id: take_ids(transaction, NEXT_TOKEN_ID, 1)?.start,
                user_id,
                name: new.name,
                created_us: now_us,
                expires_us: new.expires_us,
                verifier: new.verifier,
            };
            remove(transaction, TOKENS, &old)?;
            insert(transaction, TOKENS, token.id, &TokenRow::of(&token))?;
            Ok(Arc::new(token))
        })?;
        let access = self.changed_access();
        access.tokens.retain(|id, _| !old.contains(id));
        access.tokens.insert(token.id, Arc::clone(&token));
        Ok(token)
    }

    /// Deletes a token.
    ///
    /// # Errors
    /// [`CatalogErrorKind::TokenNotFound`].
    pub fn delete_token(&mut self, id: u64) -> Result<(), CatalogError> {
        if !self.access.tokens.contains_key(&id) {
            let text = format!("token {id} does not exist");
            return Err(CatalogError::new(CatalogErrorKind::TokenNotFound, text));
        }
        commit(self.database(), |transaction| remove(transaction, TOKENS, &[id]))?;
        self.changed_access().tokens.remove(&id);
        Ok(())
    }

    fn existing_user(&self, name: &str) -> Result<&Arc<User>, CatalogError> {
        self.access.user(name).ok_or_else(|| {
            let text = format!("user {name} does not exist");
            CatalogError::new(CatalogErrorKind::UserNotFound, text)
        })
    }

    fn publish_user(&mut self, user: User) -> Arc<User> {
        let user = Arc::new(user);
        let access = self.changed_access();
        access.names.insert(user.id, user.name.clone());
        access.users.insert(user.name.clone(), Arc::clone(&user));
        user
    }

    fn changed_access(&mut self) -> &mut Access {
        let access = Arc::make_mut(&mut self.access);
        access.version += 1;
        access
    }
}

/// Adds grants to a user's; rights to the same pattern are joined.
fn give(user: &mut User, grants: &[Grant]) -> Result<(), CatalogError> {
    for given in grants.iter().filter(|given| !given.rights.is_empty()) {
        let known = user
            .grants
            .iter_mut()
            .find(|old| (old.scope, &old.pattern) == (given.scope, &given.pattern));
        match known {
            Some(old) => old.rights = Rights::and(old.rights, given.rights),
            None => user.grants.push(given.clone()),
        }
    }
    if user.grants.len() > MAX_USER_GRANTS as usize {
        let text = format!(
            "user {} would have {} grants, the limit is {MAX_USER_GRANTS}",
            user.name,
            user.grants.len()
        );
        return Err(limit(text));
    }
    Ok(())
}

fn limit(text: String) -> CatalogError {
    CatalogError::new(CatalogErrorKind::AccessLimit, text)
}

fn is_root(what: &str) -> CatalogError {
    CatalogError::new(CatalogErrorKind::Root, format!("the user {ROOT} cannot be {what}"))
}

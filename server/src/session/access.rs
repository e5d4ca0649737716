//! Users, tokens and grants: described from the snapshot, changed by the catalog's writer.
//!
//! Invariant: a user who may not administer the server reaches nothing here but itself.

use std::ops::Bound;

use tidewire_protocol::auth::Verifier;
use tidewire_protocol::connection::Ticket;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{
    AnyRequest, Kind, TokenCreate, TokenCreateReply, TokenDeleteReply, TokenListReply,
    UserCreateReply, UserDeleteReply, UserDescribeReply, UserGrantsReply, UserListReply,
    UserPasswordReply, UserUpdateReply,
};
use tidewire_protocol::name::check_name;
use tidewire_storage::access::ROOT;
use tidewire_storage::disk::Disk;

use super::{Pending, Refused, Session, page};
use crate::auth::requests::{
    AccessChange, AccessChanged, check_lifetime, check_user_name, grants, password, token_info,
    user_info, wire_grants,
};
use crate::auth::{Via, Who};
use crate::catalog::CatalogJob;

impl<D: Disk> Session<D> {
    /// Carries out a request about users or tokens; gives back any other.
    pub(super) fn access(
        &mut self,
        ticket: Ticket,
        request: AnyRequest,
    ) -> Result<(), Refused> {
        let change = match request {
            AnyRequest::UserDescribe(describe) => {
                return match self.describe_user(&describe.name) {
                    Ok(reply) => {
                        self.protocol.reply(ticket, &reply, &[]);
                        Ok(())
                    }
                    Err(error) => Err((ticket, error)),
                };
            }
            AnyRequest::UserList(list) => {
                if let Err(error) = self.may_administer() {
                    return Err((ticket, error));
                }
                let access = self.router.shared.auth.access.load();
                let after = (Bound::Excluded(list.after.as_str()), Bound::Unbounded);
                let users = access.users.range::<str, _>(after);
                let (users, more) =
                    page(users.map(|(name, user)| (name.len(), user_info(&access, user))));
                self.protocol.reply(ticket, &UserListReply { users, more }, &[]);
                return Ok(());
            }
            AnyRequest::TokenList(list) => {
                let user = match self.own_or_administered(list.user) {
                    Ok(user) => user,
                    Err(error) => return Err((ticket, error)),
                };
                let access = self.router.shared.auth.access.load();
                let Some(found) = access.user(&user) else {
                    return Err((ticket, no_user(&user)));
                };
                let tokens = access.tokens_of(found.id).filter(|token| token.id > list.after);
                let (tokens, more) =
                    page(tokens.map(|token| {
                        (token.name.len() + user.len(), token_info(&user, token))
                    }));
                self.protocol.reply(ticket, &TokenListReply { tokens, more }, &[]);
                return Ok(());
            }
            other => self.access_change(other),
        };
        match change {
            Ok(Some(change)) => {
                let origin = self.origin(ticket.correlation);
                let by = self.who.name().to_owned();
                let peer = self.peer.to_string();
                let job = CatalogJob::Access { origin, change, by, peer };
                if self.router.shared.catalog_jobs.send(job).is_err() {
                    return Err((ticket, Error::new(Code::SHUTTING_DOWN, "")));
                }
                self.pending.insert(ticket.correlation, Pending::Catalog(ticket));
                Ok(())
            }
            Ok(None) => {
                let text = format!("this server does not carry out {}", ticket.kind);
                Err((ticket, Error::new(Code::UNKNOWN_KIND, text)))
            }
            Err(error) => Err((ticket, error)),
        }
    }

    /// What a request changes, if it is one of these; checked, and allowed.
    // SPEC A-10
    fn access_change(&self, request: AnyRequest) -> Result<Option<AccessChange>, Error> {
        Ok(Some(match request {
            AnyRequest::UserCreate(create) => {
                self.may_administer()?;
                check_user_name(&create.name)?;
                AccessChange::CreateUser {
                    name: create.name,
                    password: create.password.map(password).transpose()?,
                    grants: grants(create.grants)?,
                }
            }
            AnyRequest::UserDelete(delete) => {
                self.may_administer()?;
                AccessChange::DeleteUser { name: delete.name }
            }
            AnyRequest::UserUpdate(update) => {
                self.may_administer()?;
                AccessChange::EnableUser { name: update.name, enabled: update.enabled }
            }
            AnyRequest::UserGrants(change) => {
                self.may_administer()?;
                AccessChange::ChangeGrants {
                    name: change.name,
                    revoke: grants(change.revoke)?,
                    grant: grants(change.grant)?,
                }
            }
            AnyRequest::UserPassword(change) => {
                let name = self.own_or_administered(change.name)?;
                if name == self.who.name()
                    && matches!(&self.who, Who::Known(l) if matches!(l.via, Via::Token(_)))
                {
                    // Whoever has a token only must not be able to take the account over.
                    self.may_administer()?;
                }
                AccessChange::ChangePassword { name, password: password(change.password)? }
            }
            AnyRequest::TokenCreate(create) => self.create_token(create)?,
            AnyRequest::TokenDelete(delete) => {
                let access = self.router.shared.auth.access.load();
                let token = access.tokens.get(&delete.id);
                let own = matches!((&self.who, token), (Who::Known(login), Some(token))
                    if token.user_id == login.user.id);
                if !own {
                    self.may_administer()?;
                }
                AccessChange::DeleteToken { id: delete.id }
            }
            _ => return Ok(None),
        }))
    }

    // SPEC A-10
    fn create_token(&self, create: TokenCreate) -> Result<AccessChange, Error> {
        let user = self.own_or_administered(create.user)?;
        check_name("token", &create.name)?;
        check_lifetime(create.lifetime_ms)?;
        let verifier = Verifier::new(&create.stored_key, &create.server_key)?;
        if let Who::Known(login) = &self.who
            && login.expires_us != 0
        {
            let left_us = login.expires_us.saturating_sub(self.router.shared.clock.wall_us());
            let left_ms = u64::try_from(left_us / 1_000).unwrap_or(0);
            if create.lifetime_ms == 0 || create.lifetime_ms > left_ms {
                return Err(Error::new(
                    Code::DENIED,
                    format!(
                        "this connection was made with a token that lives for {left_ms} ms more, \
                         and may not create one that lives longer"
                    ),
                ));
            }
        }
        let (name, lifetime_ms) = (create.name, create.lifetime_ms);
        Ok(AccessChange::CreateToken { user, name, lifetime_ms, verifier })
    }

    /// The user that a request is about: the connection's own, or any for who may administer.
    fn own_or_administered(&self, name: String) -> Result<String, Error> {
        if name.is_empty() || name == self.who.name() {
            return Ok(self.who.name().to_owned());
        }
        self.may_administer()?;
        Ok(name)
    }

    fn describe_user(&self, name: &str) -> Result<UserDescribeReply, Error> {
        let name = self.own_or_administered(name.to_owned())?;
        let access = self.router.shared.auth.access.load();
        let user = access.user(&name).ok_or_else(|| no_user(&name))?;
        Ok(UserDescribeReply { user: user_info(&access, user), grants: wire_grants(user) })
    }

    pub(super) fn answer_access(
        &mut self,
        ticket: Ticket,
        changed: Result<AccessChanged, Error>,
    ) {
        let protocol = &mut self.protocol;
        match changed {
            Ok(AccessChanged::User(user)) if ticket.kind == Kind::USER_CREATE => {
                protocol.reply(ticket, &UserCreateReply { user }, &[]);
            }
            Ok(AccessChanged::User(user)) => {
                protocol.reply(ticket, &UserUpdateReply { user }, &[]);
            }
            Ok(AccessChanged::Grants(grants)) => {
                protocol.reply(ticket, &UserGrantsReply { grants }, &[]);
            }
            Ok(AccessChanged::Token(token)) => {
                protocol.reply(ticket, &TokenCreateReply { token }, &[]);
            }
            Ok(AccessChanged::Done) => match ticket.kind {
                Kind::USER_DELETE => protocol.reply(ticket, &UserDeleteReply {}, &[]),
                Kind::USER_PASSWORD => protocol.reply(ticket, &UserPasswordReply {}, &[]),
                _ => protocol.reply(ticket, &TokenDeleteReply {}, &[]),
            },
            Err(error) => protocol.reply_error(ticket, &error),
        }
    }
}

fn no_user(name: &str) -> Error {
    let text = if name == ROOT {
        "there are no users yet: the first start without --dev makes root".to_owned()
    } else {
        format!("user \"{name}\" does not exist")
    };
    Error::new(Code::USER_NOT_FOUND, text)
}

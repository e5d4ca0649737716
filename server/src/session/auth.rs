//! Logging in, and staying so: whom this connection is taken for, from one moment to the next.
//!
//! Invariant: before anything is carried out for a user, what is known of it is as new as the
//! last change that was answered.

use tidewire_protocol::auth::method;
use tidewire_protocol::connection::{Ticket, Time};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{AnyRequest, Auth as Attempt};
use tidewire_storage::access::Rights;
use tidewire_storage::disk::Disk;

use super::Session;
use crate::auth::{Login, Who, judge, salt};

/// Characters of a name that nobody is known by which are logged.
const SHOWN_CHARS: usize = 64;

/// An attempt to log in that stands in line.
pub(super) struct Judging {
    ticket: Ticket,
    attempt: Attempt,
    at: Time,
}

impl<D: Disk> Session<D> {
    /// A step of a client that is not known yet.
    // SPEC
    pub(super) fn handle_auth(&mut self, now: Time, ticket: Ticket, request: AnyRequest) {
        let auth = &self.router.shared.auth;
        let attempt = match request {
            AnyRequest::AuthSalt(ask) => {
                let reply = salt(auth, &ask.user);
                return self.protocol.answer_salt(ticket, &reply);
            }
            AnyRequest::Auth(attempt) => attempt,
            _ => unreachable!("the protocol lets nothing else through"),
        };
        // A right token comes in at once: other people's guesses must not keep programs out.
        if attempt.method != method::PASSWORD && self.try_login(now, &attempt).is_ok() {
            return self.judge_attempt(now, ticket, &attempt, false);
        }
        match auth.attempts.take_place(self.peer.source(), now) {
            Some(at) if at > now => {
                self.judging = Some(Box::new(Judging { ticket, attempt, at }));
            }
            Some(_) => self.judge_attempt(now, ticket, &attempt, true),
            None => {
                let error = Error::new(
                    Code::TOO_MANY_ATTEMPTS,
                    "too many attempts from this address have failed; wait a while",
                );
                tracing::warn!(
                    target: "tidewire::audit", peer = %self.peer, user = shown(&attempt.user),
                    "login refused: too many failed attempts from this address"
                );
                self.protocol.refuse(ticket, &error);
            }
        }
    }

    /// When an attempt that stands in line is due, or the token of this connection ends.
    pub(super) fn auth_deadline(&self) -> Option<Time> {
        let judging = self.judging.as_ref().map(|judging| judging.at);
        judging.into_iter().chain(self.login_ends).min()
    }

    /// A time has come.
    pub(super) fn auth_timeout(&mut self, now: Time) {
        if let Some(judging) = self.judging.take_if(|judging| judging.at <= now) {
            self.judge_attempt(now, judging.ticket, &judging.attempt, true);
        }
        if self.login_ends.is_some_and(|end| end <= now) {
            self.renew_login(now);
        }
    }

    fn try_login(
        &self,
        now: Time,
        attempt: &Attempt,
    ) -> Result<(Login, tidewire_protocol::message::AuthReply, Option<Time>), Error> {
        let shared = &self.router.shared;
        let now_us = shared.clock.wall_us();
        let access = shared.auth.access.load();
        let (login, reply) = judge(
            &access,
            attempt,
            self.auth_methods,
            self.protocol.nonce(),
            &self.peer,
            now_us,
        )?;
        let ends = login.deadline(now, now_us);
        Ok((login, reply, ends))
    }

    fn judge_attempt(&mut self, now: Time, ticket: Ticket, attempt: &Attempt, in_line: bool) {
        // Read before what is judged by: a change in between is then found out, and not missed.
        let version = self.router.shared.auth.access.load().version;
        match self.try_login(now, attempt) {
            Ok((login, reply, ends)) => {
                if in_line {
                    self.router.shared.auth.attempts.succeeded(self.peer.source());
                }
                let (id, name) = (login.user.id, login.user.name.clone());
                if let Err(error) = self.enter_user(now, id, &name) {
                    tracing::warn!(
                        target: "tidewire::audit", peer = %self.peer, user = name,
                        "login refused: {error}"
                    );
                    return self.protocol.refuse(ticket, &error);
                }
                tracing::debug!(
                    target: "tidewire::audit", peer = %self.peer, user = login.user.name,
                    "logged in"
                );
                self.access_version = version;
                self.who = Who::Known(login);
                self.login_ends = ends;
                self.protocol.authenticated(ticket, &reply);
            }
            Err(error) => {
                tracing::warn!(
                    target: "tidewire::audit", peer = %self.peer, user = shown(&attempt.user),
                    token = attempt.token, code = %error.code, "login failed"
                );
                self.protocol.refuse(ticket, &error);
            }
        }
    }

    /// Users or what they may do have changed: this connection's may be gone, or may no longer do
    /// what it is doing.
    pub(crate) fn access_changed(&mut self, now: Time) {
        if !self.closed && self.access_version != self.router.shared.auth.access.load().version
        {
            self.renew_login(now);
            self.handle_events(now);
        }
    }

    /// Learns anew what its user may do; ends the connection if it is nobody's any more.
    // SPEC
    pub(super) fn renew_login(&mut self, now: Time) {
        let shared = std::sync::Arc::clone(&self.router.shared);
        let access = shared.auth.access.load();
        self.access_version = access.version;
        let Who::Known(login) = &self.who else { return };
        let now_us = shared.clock.wall_us();
        match login.renewed(&access, now_us) {
            Ok(login) => {
                self.login_ends = login.deadline(now, now_us);
                let same = matches!(&self.who, Who::Known(old) if old.user == login.user);
                self.who = Who::Known(login);
                if !same {
                    self.end_what_is_denied();
                }
            }
            Err(refusal) => {
                self.login_ends = None;
                self.who = Who::Nobody;
                self.protocol.end(&refusal.error());
            }
        }
    }

    /// Ends subscriptions and memberships that their user may not have any more. Producers learn
    /// of it with their next append.
    fn end_what_is_denied(&mut self) {
        let subscribed: Vec<u64> = self.subscribed.values().copied().collect();
        for token in subscribed {
            let Some(topic) = self.subscribed_topic(token) else { continue };
            if let Err(error) = self.may_topic(Rights::READ, &topic.stream, &topic.name) {
                self.end_subscription(token, &error);
            }
        }
        let members: Vec<u64> = self.member_channels.values().copied().collect();
        for token in members {
            let Some((group, topics)) = self.member_reads(token) else { continue };
            let denied = self.may_group(Rights::READ, &group).and_then(|()| {
                topics
                    .iter()
                    .try_for_each(|(stream, topic)| self.may_topic(Rights::READ, stream, topic))
            });
            if let Err(error) = denied {
                self.leave_membership(token, &error);
            }
        }
    }
}

/// A name that somebody claims, as it may stand in a log.
fn shown(name: &str) -> String {
    name.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect()
}

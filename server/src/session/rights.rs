//! What a request needs, and whether its user has it.
//!
//! Invariant: a request is refused before anything is looked up, with words that are the same
//! whether or not what it names exists.

use std::sync::Arc;

use tidewire_protocol::connection::Ticket;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::AnyRequest;
use tidewire_storage::access::{Rights, User};
use tidewire_storage::disk::Disk;

use super::Session;
use crate::auth::Who;

impl<D: Disk> Session<D> {
    /// The user whose rights count; `None` if everything is allowed.
    fn limited(&self) -> Result<Option<&User>, Error> {
        match &self.who {
            Who::Everybody => Ok(None),
            Who::Known(login) => Ok(Some(&login.user)),
            Who::Nobody => Err(Error::new(Code::AUTH_REQUIRED, "the client is not known")),
        }
    }

    pub(super) fn may_topic(
        &self,
        right: Rights,
        stream: &str,
        topic: &str,
    ) -> Result<(), Error> {
        match self.limited()? {
            Some(user) if !user.topic_rights(stream, topic).has(right) => {
                Err(denied(user, right, &format!("topic {stream}/{topic}")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn may_stream(&self, right: Rights, stream: &str) -> Result<(), Error> {
        match self.limited()? {
            Some(user) if !user.stream_rights(stream).has(right) => {
                Err(denied(user, right, &format!("stream {stream}")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn may_group(&self, right: Rights, group: &str) -> Result<(), Error> {
        match self.limited()? {
            Some(user) if !user.group_rights(group).has(right) => {
                Err(denied(user, right, &format!("group {group}")))
            }
            _ => Ok(()),
        }
    }

    /// Whether it may do everything to users.
    pub(super) fn may_administer(&self) -> Result<(), Error> {
        match self.limited()? {
            Some(user) if !user.server_rights().has(Rights::ADMIN) => {
                Err(denied(user, Rights::ADMIN, "the server"))
            }
            _ => Ok(()),
        }
    }

    /// Whether it may know of a stream.
    pub(super) fn sees_stream(&self, stream: &str) -> bool {
        match self.limited() {
            Ok(Some(user)) => user.sees_stream(stream),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Whether it may know of a topic.
    pub(super) fn sees_topic(&self, stream: &str, topic: &str) -> bool {
        match self.limited() {
            Ok(Some(user)) => !user.topic_rights(stream, topic).is_empty(),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Whose groups are listed; `None` lists all.
    pub(super) fn listing_user(&self) -> Option<Arc<User>> {
        match &self.who {
            Who::Known(login) => Some(Arc::clone(&login.user)),
            Who::Everybody | Who::Nobody => None,
        }
    }

    /// Whether it may know of everything there is, so that no list needs a second look.
    pub(super) fn sees_all(&self) -> bool {
        match self.limited() {
            Ok(Some(user)) => !user.server_rights().is_empty(),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Whether a request may be carried out. Lists leave out what their user may not know of.
    // SPEC
    pub(super) fn authorize(&self, ticket: &Ticket, request: &AnyRequest) -> Result<(), Error> {
        if matches!(self.who, Who::Everybody) {
            return Ok(());
        }
        match request {
            AnyRequest::Append(_) | AnyRequest::Flush(_) => {
                match self.produced_topic(ticket.channel) {
                    Some(topic) => self.may_topic(Rights::WRITE, &topic.stream, &topic.name),
                    // The channel is not open yet: that is another error.
                    None => Ok(()),
                }
            }
            AnyRequest::OpenProducer(open) => {
                self.may_topic(Rights::WRITE, &open.stream, &open.topic)
            }
            AnyRequest::Fetch(r) => self.may_topic(Rights::READ, &r.stream, &r.topic),
            AnyRequest::Subscribe(r) => self.may_topic(Rights::READ, &r.stream, &r.topic),
            AnyRequest::ListOffsets(r) => self.may_know_topic(&r.stream, &r.topic),
            AnyRequest::TopicDescribe(r) => self.may_know_topic(&r.stream, &r.topic),
            AnyRequest::ProducerList(r) => {
                self.may_topic(Rights::MANAGE, &r.stream, &r.topic)
            }
            AnyRequest::ProducerDelete(r) => {
                self.may_topic(Rights::MANAGE, &r.stream, &r.topic)
            }
            AnyRequest::Truncate(r) => self.may_topic(Rights::MANAGE, &r.stream, &r.topic),
            AnyRequest::TopicPurge(r) => self.may_topic(Rights::MANAGE, &r.stream, &r.topic),
            AnyRequest::TopicCreate(r) => self.may_topic(Rights::MANAGE, &r.stream, &r.topic),
            AnyRequest::TopicUpdate(r) => self.may_topic(Rights::MANAGE, &r.stream, &r.topic),
            AnyRequest::TopicDelete(r) => self.may_topic(Rights::MANAGE, &r.stream, &r.topic),
            AnyRequest::PartitionsAdd(r) => {
                self.may_topic(Rights::MANAGE, &r.stream, &r.topic)
            }
            AnyRequest::StreamCreate(r) => self.may_stream(Rights::MANAGE, &r.name),
            AnyRequest::StreamDelete(r) => self.may_stream(Rights::MANAGE, &r.name),
            AnyRequest::StreamPurge(r) => self.may_stream(Rights::MANAGE, &r.name),
            AnyRequest::StreamDescribe(r) => self.may_know_stream(&r.name),
            AnyRequest::TopicList(r) => self.may_know_stream(&r.stream),
            AnyRequest::GroupJoin(r) => {
                self.may_group(Rights::READ, &r.group)?;
                r.topics
                    .iter()
                    .try_for_each(|t| self.may_topic(Rights::READ, &t.stream, &t.topic))
            }
            AnyRequest::GroupCreate(r) => self.may_group(Rights::MANAGE, &r.name),
            AnyRequest::GroupDelete(r) => self.may_group(Rights::MANAGE, &r.name),
            AnyRequest::GroupDescribe(r) => self.may_group(Rights::READ, &r.name),
            AnyRequest::GroupPartitions(r) => self.may_group(Rights::READ, &r.group),
            AnyRequest::OffsetStore(r) => {
                self.may_group(Rights::READ, &r.group)?;
                let mut named = r.offsets.iter();
                named.try_for_each(|o| self.may_topic(Rights::READ, &o.stream, &o.topic))
            }
            AnyRequest::OffsetGet(r) => {
                self.may_group(Rights::READ, &r.group)?;
                let mut named = r.partitions.iter();
                named.try_for_each(|p| self.may_topic(Rights::READ, &p.stream, &p.topic))
            }
            AnyRequest::OffsetDelete(r) => {
                self.may_group(Rights::MANAGE, &r.group)?;
                let mut named = r.partitions.iter();
                named.try_for_each(|p| self.may_topic(Rights::READ, &p.stream, &p.topic))
            }
            AnyRequest::OffsetReset(r) => {
                self.may_group(Rights::MANAGE, &r.group)?;
                let mut named = r.offsets.iter();
                named.try_for_each(|o| self.may_topic(Rights::READ, &o.stream, &o.topic))
            }
            // They act on what was opened with the right to it.
            AnyRequest::CloseProducer(_)
            | AnyRequest::Seek(_)
            | AnyRequest::Unsubscribe(_)
            | AnyRequest::GroupRelease(_)
            | AnyRequest::GroupLeave(_)
            // They leave out what is not for their user.
            | AnyRequest::StreamList(_)
            | AnyRequest::GroupList(_)
            | AnyRequest::Limits(_)
            // Their own rules: see `access`.
            | AnyRequest::UserCreate(_)
            | AnyRequest::UserDelete(_)
            | AnyRequest::UserUpdate(_)
            | AnyRequest::UserPassword(_)
            | AnyRequest::UserDescribe(_)
            | AnyRequest::UserList(_)
            | AnyRequest::UserGrants(_)
            | AnyRequest::TokenCreate(_)
            | AnyRequest::TokenList(_)
            | AnyRequest::TokenDelete(_) => Ok(()),
            // What is added later needs a rule before it is anybody's but root's.
            _ => self.may_administer(),
        }
    }

    fn may_know_topic(&self, stream: &str, topic: &str) -> Result<(), Error> {
        if self.sees_topic(stream, topic) {
            return Ok(());
        }
        self.may_topic(Rights::READ, stream, topic)
    }

    fn may_know_stream(&self, stream: &str) -> Result<(), Error> {
        if self.sees_stream(stream) {
            return Ok(());
        }
        self.may_stream(Rights::READ, stream)
    }
}

/// What a request of administration is about; `None` for others. Users have a log of their own,
/// where they are changed.
pub(super) fn administered(request: &AnyRequest) -> Option<String> {
    let topic = |stream: &str, topic: &str| Some(format!("topic {stream}/{topic}"));
    match request {
        AnyRequest::TopicCreate(r) => topic(&r.stream, &r.topic),
        AnyRequest::TopicUpdate(r) => topic(&r.stream, &r.topic),
        AnyRequest::TopicDelete(r) => topic(&r.stream, &r.topic),
        AnyRequest::TopicPurge(r) => topic(&r.stream, &r.topic),
        AnyRequest::PartitionsAdd(r) => topic(&r.stream, &r.topic),
        AnyRequest::Truncate(r) => topic(&r.stream, &r.topic),
        AnyRequest::ProducerDelete(r) => topic(&r.stream, &r.topic),
        AnyRequest::StreamCreate(r) => Some(format!("stream {}", r.name)),
        AnyRequest::StreamDelete(r) => Some(format!("stream {}", r.name)),
        AnyRequest::StreamPurge(r) => Some(format!("stream {}", r.name)),
        AnyRequest::GroupCreate(r) => Some(format!("group {}", r.name)),
        AnyRequest::GroupDelete(r) => Some(format!("group {}", r.name)),
        AnyRequest::OffsetReset(r) => Some(format!("group {}", r.group)),
        AnyRequest::OffsetDelete(r) => Some(format!("group {}", r.group)),
        _ => None,
    }
}

fn denied(user: &User, right: Rights, what: &str) -> Error {
    let right = match right {
        Rights::READ => "read",
        Rights::WRITE => "write to",
        Rights::MANAGE => "manage",
        _ => "administer",
    };
    Error::new(Code::DENIED, format!("user {} may not {right} {what}", user.name))
}

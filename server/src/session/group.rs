//! Groups and stored offsets: requests go to the shard that owns the group; memberships have a
//! channel, on which the member is told what it has.

use tidewire_protocol::connection::Ticket;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits;
use tidewire_protocol::message::{
    AnyRequest, GroupDeleteReply, GroupInfo, GroupJoin, GroupLeaveReply, GroupListReply,
    GroupReleaseReply, Kind, OffsetDeleteReply, OffsetResetReply,
};

use tidewire_storage::disk::Disk;

use super::{Pending, Refused, SUBSCRIPTION_TOKEN, Session, sorted};
use crate::group::{GroupReply, GroupRequest};
use crate::message::{Answer, ShardMessage};

/// Bytes queued for a member at which its membership is cut: it comes back when it reads again,
/// and is then told all anew.
const MAX_QUEUED_BYTES: usize = 8 << 20;

/// A membership of this connection.
pub(super) struct Membership {
    channel: u32,
    group: String,
    /// Streams and topics that it reads.
    topics: Vec<(String, String)>,
}

impl<D: Disk> Session<D> {
    /// Carries out a request about groups or offsets; gives back any other.
    pub(super) fn group(&mut self, ticket: Ticket, request: AnyRequest) -> Result<(), Refused> {
        let request = match request {
            AnyRequest::GroupJoin(join) => return self.group_join(ticket, join),
            AnyRequest::GroupList(list) => return self.group_list(ticket, &list.after),
            AnyRequest::GroupLeave(leave) => {
                let token = self.member_channels.remove(&ticket.channel);
                let Some((token, membership)) =
                    token.and_then(|token| Some((token, self.memberships.remove(&token)?)))
                else {
                    return Err((ticket, no_membership()));
                };
                let (member, group) = (self.origin(token), membership.group);
                GroupRequest::Leave { group, member, keep: leave.keep }
            }
            AnyRequest::GroupRelease(release) => {
                let token = self.member_channels.get(&ticket.channel).copied();
                let Some((token, membership)) =
                    token.and_then(|token| Some((token, self.memberships.get(&token)?)))
                else {
                    return Err((ticket, no_membership()));
                };
                let group = membership.group.clone();
                let member = self.origin(token);
                GroupRequest::Release { group, member, partitions: release.partitions }
            }
            AnyRequest::GroupCreate(create) => GroupRequest::Create { name: create.name },
            AnyRequest::GroupDelete(delete) => GroupRequest::Delete { name: delete.name },
            AnyRequest::GroupDescribe(describe) => {
                GroupRequest::Describe { name: describe.name, after: describe.after }
            }
            AnyRequest::GroupPartitions(list) => {
                let after = (list.after_stream, list.after_topic, list.after_partition);
                GroupRequest::Partitions { group: list.group, after }
            }
            AnyRequest::OffsetStore(store) => GroupRequest::Store(store),
            AnyRequest::OffsetGet(get) => GroupRequest::Get(get),
            AnyRequest::OffsetDelete(forget) => GroupRequest::Forget(forget),
            AnyRequest::OffsetReset(reset) => GroupRequest::Reset(reset),
            other => return self.administer(ticket, other),
        };
        let token = ticket.correlation;
        self.router.group(self.origin(token), request);
        self.pending.insert(token, Pending::Group(ticket));
        Ok(())
    }

    fn group_join(&mut self, ticket: Ticket, join: GroupJoin) -> Result<(), Refused> {
        let token = self.next_token;
        self.next_token += 1;
        self.member_channels.insert(ticket.channel, token);
        let topics = join.topics.iter().map(|t| (t.stream.clone(), t.topic.clone()));
        let membership = Membership {
            channel: ticket.channel,
            group: join.group.clone(),
            topics: topics.collect(),
        };
        self.memberships.insert(token, membership);
        let request = GroupRequest::Join {
            join,
            member: self.origin(token),
            client_name: self.client_name.clone(),
            address: self.peer.to_string(),
        };
        let correlation = ticket.correlation;
        self.router.group(self.origin(correlation), request);
        self.pending.insert(correlation, Pending::Join { ticket, token });
        Ok(())
    }

    fn group_list(&mut self, ticket: Ticket, after: &str) -> Result<(), Refused> {
        let token = ticket.correlation;
        let shards = self.router.shared.inboxes.len();
        for shard in 0..shards {
            let (after, user) = (after.to_owned(), self.listing_user());
            let request = Box::new(GroupRequest::List { after, user });
            let origin = self.origin(token);
            self.router.send(shard, ShardMessage::Group { origin, request });
        }
        let pending =
            Pending::Groups { ticket, missing: shards, groups: Vec::new(), more: false };
        self.pending.insert(token, pending);
        Ok(())
    }

    /// The groups of one more shard are there.
    pub(super) fn answer_group_list(
        &mut self,
        ticket: Ticket,
        missing: usize,
        (mut groups, mut more): (Vec<GroupInfo>, bool),
        answer: Result<GroupReply, Error>,
    ) {
        match answer {
            Ok(GroupReply::List(some, some_more)) => {
                groups.extend(some);
                more |= some_more;
            }
            Ok(_) => unreachable!("another answer than to a list"),
            Err(error) => return self.protocol.reply_error(ticket, &error),
        }
        if missing > 1 {
            let token = ticket.correlation;
            let pending = Pending::Groups { ticket, missing: missing - 1, groups, more };
            self.pending.insert(token, pending);
            return;
        }
        groups.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        // Each shard gave a whole page from `after` on, so the first of all are among them.
        let mut bytes = 0;
        let fit = groups.iter().take(limits::MAX_LIST_ITEMS as usize).take_while(|group| {
            bytes += group.name.len();
            bytes <= limits::MAX_META_LEN as usize / 2
        });
        let fit = fit.count();
        more |= fit < groups.len();
        groups.truncate(fit);
        self.protocol.reply(ticket, &GroupListReply { groups, more }, &[]);
    }

    pub(super) fn answer_join(
        &mut self,
        ticket: Ticket,
        token: u64,
        answer: Result<GroupReply, Error>,
    ) {
        match answer {
            Ok(GroupReply::Join(reply)) => self.protocol.reply(ticket, &reply, &[]),
            Ok(_) => unreachable!("another answer than to a join"),
            Err(error) => {
                // If the outcome is unknown it may have joined: nobody would ever speak for it.
                self.detach_membership(token);
                self.protocol.reply_error(ticket, &error);
            }
        }
    }

    pub(super) fn answer_group(&mut self, ticket: Ticket, answer: Result<GroupReply, Error>) {
        let protocol = &mut self.protocol;
        match answer {
            Ok(GroupReply::Create(reply)) => protocol.reply(ticket, &reply, &[]),
            Ok(GroupReply::Describe(reply)) => protocol.reply(ticket, &reply, &[]),
            Ok(GroupReply::Partitions(reply)) => protocol.reply(ticket, &reply, &[]),
            Ok(GroupReply::Store(reply)) => protocol.reply(ticket, &reply, &[]),
            Ok(GroupReply::Get(reply)) => protocol.reply(ticket, &reply, &[]),
            Ok(GroupReply::Done) => match ticket.kind {
                Kind::GROUP_DELETE => protocol.reply(ticket, &GroupDeleteReply {}, &[]),
                Kind::GROUP_LEAVE => protocol.reply(ticket, &GroupLeaveReply {}, &[]),
                Kind::GROUP_RELEASE => protocol.reply(ticket, &GroupReleaseReply {}, &[]),
                Kind::OFFSET_DELETE => protocol.reply(ticket, &OffsetDeleteReply {}, &[]),
                _ => protocol.reply(ticket, &OffsetResetReply {}, &[]),
            },
            Ok(GroupReply::Join(_) | GroupReply::List(..)) => {
                unreachable!("an answer of another kind than its request")
            }
            Err(error) => protocol.reply_error(ticket, &error),
        }
    }

    /// A membership is told something.
    pub(super) fn handle_member(&mut self, token: u64, answer: Answer) {
        debug_assert!(token & SUBSCRIPTION_TOKEN != 0);
        let Some(membership) = self.memberships.get(&token) else { return };
        let channel = membership.channel;
        match answer {
            Answer::Member(event) => {
                let slow = self.protocol.queued_bytes() > MAX_QUEUED_BYTES;
                if !slow && self.protocol.group_event(channel, &event) {
                    return;
                }
                let error = Error::new(
                    Code::OVERLOADED,
                    "the member does not read what it is sent; it may come back",
                );
                self.detach_membership(token);
                self.protocol.end_membership(channel, &error);
            }
            Answer::MemberEnded(error) => {
                self.forget_membership(token);
                self.protocol.end_membership(channel, &error);
            }
            _ => {}
        }
    }

    /// The group of a membership, and the topics that it reads.
    pub(super) fn member_reads(&self, token: u64) -> Option<(String, Vec<(String, String)>)> {
        let membership = self.memberships.get(&token)?;
        Some((membership.group.clone(), membership.topics.clone()))
    }

    /// Gives a membership up, and says why.
    pub(super) fn leave_membership(&mut self, token: u64, error: &Error) {
        if let Some(membership) = self.forget_membership(token) {
            let member = self.origin(token);
            let (channel, group) = (membership.channel, membership.group);
            self.router.group(member, GroupRequest::Leave { group, member, keep: false });
            self.protocol.end_membership(channel, error);
        }
    }

    fn forget_membership(&mut self, token: u64) -> Option<Membership> {
        let membership = self.memberships.remove(&token)?;
        // The channel may have been closed and opened anew.
        if self.member_channels.get(&membership.channel) == Some(&token) {
            self.member_channels.remove(&membership.channel);
        }
        Some(membership)
    }

    fn detach_membership(&mut self, token: u64) {
        if let Some(membership) = self.forget_membership(token) {
            let member = self.origin(token);
            let request = GroupRequest::Detach { group: membership.group, member };
            self.router.group(member, request);
        }
    }

    /// Lets groups know that this connection is over: its members may come back on another.
    pub(super) fn detach_memberships(&mut self) {
        for token in sorted(self.memberships.keys()) {
            self.detach_membership(token);
        }
    }
}

fn no_membership() -> Error {
    Error::new(Code::UNKNOWN_MEMBER, "the membership of this channel is over")
}

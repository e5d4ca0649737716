//! Consuming: fetches that may wait, and subscriptions that are fed while they have credit.
//!
//! A subscription is a loop of reads: one is asked of the partition, its batches are delivered,
//! the next is asked for while there is credit and the peer keeps up. At the end of the log the
//! read waits with the partition, so that an idle subscription costs nothing.

use std::sync::Arc;

use tidewire_protocol::connection::{Ticket, Time};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::frame;
use tidewire_protocol::limits;
use tidewire_protocol::message::{
    Deliver, Fetch, FetchReply, ListOffsets, ListOffsetsReply, PartitionInfo, Seek, SeekReply,
    Subscribe, SubscribeReply, UnsubscribeReply,
};
use tidewire_storage::Topic;
use tidewire_storage::disk::Disk;

use super::{HIGH_WATER_BYTES, Pending, Refused, Session, check_partition, sorted};
use crate::message::{Origin, PartitionRequest, Place, Position, ReadReply, ReadRequest};
use crate::read_budget::LEAST_BYTES;

/// Most bytes of one delivery, unless a single batch is larger.
const DELIVERY_BYTES: u64 = 256 << 10;

/// An open subscription.
pub(super) struct Subscription {
    channel: u32,
    topic: Arc<Topic>,
    partition: u32,
    next_offset: u64,
    /// Where it begins is known, and the client was told.
    resolved: bool,
    /// A read is under way.
    reading: bool,
}

/// Bytes queued for the socket at which deliveries pause. When readers hold all the memory that
/// they may, a peer is given more only once it has taken what it was given.
fn high_water(scarce: bool) -> usize {
    if scarce { 1 } else { HIGH_WATER_BYTES }
}

fn not_subscribed(ticket: Ticket) -> Refused {
    let text = format!("channel {} is not open as a subscription", ticket.channel);
    (ticket, Error::new(Code::UNKNOWN_CHANNEL, text))
}

impl<D: Disk> Session<D> {
    pub(super) fn fetch(
        &mut self,
        now: Time,
        ticket: Ticket,
        fetch: &Fetch,
    ) -> Result<(), Refused> {
        let checked = self.topic(&fetch.stream, &fetch.topic).and_then(|topic| {
            check_partition(&topic, fetch.partition)?;
            if fetch.max_wait_ms > limits::MAX_WAIT_MS {
                return Err(Error::new(
                    Code::INVALID_ARGUMENT,
                    format!(
                        "max_wait_ms {} is over the limit of {}",
                        fetch.max_wait_ms,
                        limits::MAX_WAIT_MS
                    ),
                ));
            }
            Ok(topic)
        });
        let topic = match checked {
            Ok(topic) => topic,
            Err(error) => return Err((ticket, error)),
        };
        // A reply must fit into a frame; one batch always does.
        let max_bytes = fetch.max_bytes.clamp(1, limits::MAX_BATCH_LEN - frame::OVERHEAD);
        let waits = fetch.max_wait_ms > 0;
        let request = ReadRequest {
            offset: fetch.offset,
            max_bytes: max_bytes as usize,
            min_bytes: if waits { fetch.min_bytes as usize } else { 0 },
        };
        let token = ticket.correlation;
        let origin = self.origin(token);
        let partition = fetch.partition;
        self.router.partition(&topic, partition, origin, PartitionRequest::Read(request));
        let deadline = now.plus_ms(fetch.max_wait_ms);
        if waits {
            let first = self.fetch_deadline.map_or(deadline, |first| first.min(deadline));
            self.fetch_deadline = Some(first);
        }
        let pending = Pending::Fetch { ticket, topic, partition, deadline, expired: !waits };
        self.pending.insert(token, pending);
        Ok(())
    }

    pub(super) fn answer_fetch(&mut self, ticket: Ticket, result: Result<ReadReply, Error>) {
        match result {
            Ok(read) => {
                let reply =
                    FetchReply { start_offset: read.start_offset, end_offset: read.end_offset };
                self.charge_sent(read.len);
                self.protocol.reply(ticket, &reply, &read.bytes);
            }
            Err(error) => self.protocol.reply_error(ticket, &error),
        }
    }

    /// Asks for an answer now to each fetch whose time is up.
    pub(super) fn expire_fetches(&mut self, now: Time) {
        if self.fetch_deadline.is_none_or(|first| now < first) {
            return;
        }
        self.fetch_deadline = None;
        let (shard, connection) = (self.router.shard, self.id);
        for (&token, pending) in &mut self.pending {
            let Pending::Fetch { topic, partition, deadline, expired, .. } = pending else {
                continue;
            };
            if *expired {
                continue;
            }
            if now < *deadline {
                let first = self.fetch_deadline.map_or(*deadline, |first| first.min(*deadline));
                self.fetch_deadline = Some(first);
                continue;
            }
            *expired = true;
            let origin = Origin { shard, connection, token };
            self.router.partition(topic, *partition, origin, PartitionRequest::ExpireRead);
        }
    }

    pub(super) fn subscribe(
        &mut self,
        ticket: Ticket,
        subscribe: &Subscribe,
    ) -> Result<(), Refused> {
        let checked = self.topic(&subscribe.stream, &subscribe.topic).and_then(|topic| {
            check_partition(&topic, subscribe.partition)?;
            Ok(topic)
        });
        let topic = match checked {
            Ok(topic) => topic,
            Err(error) => return Err((ticket, error)),
        };
        let token = self.next_token;
        self.next_token += 1;
        let correlation = ticket.correlation;
        let place = Place { start: subscribe.start, at: subscribe.start_at };
        let request = PartitionRequest::Resolve(place);
        self.router.partition(&topic, subscribe.partition, self.origin(correlation), request);
        self.subscribed.insert(ticket.channel, token);
        self.subscriptions.insert(
            token,
            Subscription {
                channel: ticket.channel,
                topic,
                partition: subscribe.partition,
                next_offset: 0,
                resolved: false,
                reading: false,
            },
        );
        self.pending.insert(correlation, Pending::Subscribe { ticket, token });
        Ok(())
    }

    pub(super) fn answer_subscribe(
        &mut self,
        ticket: Ticket,
        token: u64,
        result: Result<Position, Error>,
    ) {
        let channel = ticket.channel;
        match result {
            Ok(position) => {
                let reply = SubscribeReply {
                    next_offset: position.next_offset,
                    start_offset: position.start_offset,
                    end_offset: position.end_offset,
                };
                self.protocol.reply(ticket, &reply, &[]);
                // An UNSUBSCRIBE may have overtaken the answer.
                if let Some(subscription) = self.subscriptions.get_mut(&token) {
                    subscription.next_offset = position.next_offset;
                    subscription.resolved = true;
                    self.feed(channel);
                }
            }
            Err(error) => {
                self.forget_subscription(token);
                self.protocol.reply_error(ticket, &error);
            }
        }
    }

    /// Moves a subscription. It goes on under a new token, so that what the partition still
    /// answers for the old place is told from what comes.
    // SPEC C-19
    pub(super) fn seek(&mut self, ticket: Ticket, seek: &Seek) -> Result<(), Refused> {
        let Some(&old) = self.subscribed.get(&ticket.channel) else {
            return Err(not_subscribed(ticket));
        };
        if self.subscriptions.get(&old).is_none_or(|subscription| !subscription.resolved) {
            let text = "the subscription has not begun yet: SEEK waits for its reply";
            return Err((ticket, Error::new(Code::INVALID_ARGUMENT, text)));
        }
        self.cancel_read(old);
        let Some(mut subscription) = self.subscriptions.remove(&old) else {
            return Err(not_subscribed(ticket));
        };
        let token = self.next_token;
        self.next_token += 1;
        subscription.reading = false;
        subscription.resolved = false;
        let (topic, partition) = (Arc::clone(&subscription.topic), subscription.partition);
        self.subscribed.insert(ticket.channel, token);
        self.subscriptions.insert(token, subscription);
        let correlation = ticket.correlation;
        let place = Place { start: seek.start, at: seek.start_at };
        let origin = self.origin(correlation);
        self.router.partition(&topic, partition, origin, PartitionRequest::Resolve(place));
        self.pending.insert(correlation, Pending::Seek { ticket, token });
        Ok(())
    }

    pub(super) fn answer_seek(
        &mut self,
        ticket: Ticket,
        token: u64,
        result: Result<Position, Error>,
    ) {
        let channel = ticket.channel;
        // An UNSUBSCRIBE may have overtaken the answer.
        let subscription = self.subscriptions.get_mut(&token);
        match (result, subscription) {
            (Ok(Position { next_offset, .. }), subscription) => {
                if let Some(subscription) = subscription {
                    subscription.next_offset = next_offset;
                    subscription.resolved = true;
                }
                self.protocol.reply(ticket, &SeekReply { next_offset }, &[]);
            }
            (Err(error), subscription) => {
                // It stays where it was.
                if let Some(subscription) = subscription {
                    subscription.resolved = true;
                }
                self.protocol.reply_error(ticket, &error);
            }
        }
        self.feed(channel);
    }

    pub(super) fn unsubscribe(&mut self, ticket: Ticket) -> Result<(), Refused> {
        if let Some(&token) = self.subscribed.get(&ticket.channel) {
            self.cancel_read(token);
            self.forget_subscription(token);
        }
        self.protocol.reply(ticket, &UnsubscribeReply {}, &[]);
        Ok(())
    }

    /// What a subscription reads.
    pub(super) fn subscribed_topic(&self, token: u64) -> Option<Arc<Topic>> {
        self.subscriptions.get(&token).map(|subscription| Arc::clone(&subscription.topic))
    }

    /// Ends a subscription, and says why.
    pub(super) fn end_subscription(&mut self, token: u64, error: &Error) {
        let channel = self.subscriptions.get(&token).map(|subscription| subscription.channel);
        if let Some(channel) = channel {
            self.cancel_read(token);
            self.forget_subscription(token);
            self.protocol.end_subscription(channel, error);
        }
    }

    fn forget_subscription(&mut self, token: u64) {
        if let Some(subscription) = self.subscriptions.remove(&token)
            && self.subscribed.get(&subscription.channel) == Some(&token)
        {
            self.subscribed.remove(&subscription.channel);
        }
    }

    /// Asks for the next batches of a channel's subscription, if it may have them.
    pub(super) fn feed(&mut self, channel: u32) {
        let Some(&token) = self.subscribed.get(&channel) else { return };
        let origin = self.origin(token);
        let Some(subscription) = self.subscriptions.get(&token) else { return };
        if subscription.reading || !subscription.resolved {
            return;
        }
        let credit = self.protocol.sendable(channel);
        if credit == 0 || self.delivers_later() {
            return;
        }
        let Some(subscription) = self.subscriptions.get_mut(&token) else { return };
        let scarce = self.router.shared.read_budget.is_used_up();
        if self.protocol.queued_bytes() >= high_water(scarce) {
            self.paused = true;
            return;
        }
        let most = if scarce { LEAST_BYTES as u64 } else { DELIVERY_BYTES };
        subscription.reading = true;
        let request = ReadRequest {
            offset: subscription.next_offset,
            max_bytes: credit.min(most) as usize,
            min_bytes: 1,
        };
        let (topic, partition) = (&subscription.topic, subscription.partition);
        self.router.partition(topic, partition, origin, PartitionRequest::Read(request));
    }

    /// Looks again at subscriptions that found the queue full.
    pub(super) fn resume_subscriptions(&mut self) {
        let channels: Vec<u32> = self.subscribed.keys().copied().collect();
        for channel in channels {
            self.feed(channel);
        }
    }

    pub(super) fn handle_subscription_read(
        &mut self,
        token: u64,
        result: Result<ReadReply, Error>,
    ) {
        let Some(subscription) = self.subscriptions.get_mut(&token) else { return };
        subscription.reading = false;
        let channel = subscription.channel;
        match result {
            Ok(read) => {
                let scarce = self.router.shared.read_budget.is_used_up();
                if self.protocol.queued_bytes() >= high_water(scarce) {
                    // The peer fell behind while the read was under way: read again later
                    // rather than hold the bytes for it.
                    self.paused = true;
                    return;
                }
                subscription.next_offset = read.next_offset;
                self.deliver(channel, &read);
                self.feed(channel);
            }
            Err(error) => {
                self.forget_subscription(token);
                self.protocol.end_subscription(channel, &error);
            }
        }
    }

    fn deliver(&mut self, channel: u32, read: &ReadReply) {
        if read.len == 0 {
            return;
        }
        let message = Deliver { end_offset: read.end_offset };
        self.charge_sent(read.len);
        self.protocol.deliver(channel, &message, &read.bytes);
    }

    pub(super) fn list_offsets(
        &mut self,
        ticket: Ticket,
        list: &ListOffsets,
    ) -> Result<(), Refused> {
        let topic = match self.topic(&list.stream, &list.topic) {
            Ok(topic) => topic,
            Err(error) => return Err((ticket, error)),
        };
        let end = topic.partitions.min(
            list.first_partition
                .saturating_add(list.max_partitions.min(limits::MAX_LIST_ITEMS)),
        );
        let page = list.first_partition..end;
        if page.is_empty() {
            self.protocol.reply(ticket, &ListOffsetsReply { partitions: Vec::new() }, &[]);
            return Ok(());
        }
        let token = ticket.correlation;
        let place = Place { start: list.start, at: list.start_at };
        let missing = page.len();
        for partition in page {
            let origin = self.origin(token);
            self.router.partition(&topic, partition, origin, PartitionRequest::Describe(place));
        }
        self.pending.insert(
            token,
            Pending::Describe { ticket, missing, infos: Vec::with_capacity(missing) },
        );
        Ok(())
    }

    pub(super) fn answer_describe(
        &mut self,
        token: u64,
        ticket: Ticket,
        missing: usize,
        mut infos: Vec<PartitionInfo>,
        info: PartitionInfo,
    ) {
        infos.push(info);
        if missing > 1 {
            let pending = Pending::Describe { ticket, missing: missing - 1, infos };
            self.pending.insert(token, pending);
            return;
        }
        infos.sort_unstable_by_key(|info| info.partition);
        self.protocol.reply(ticket, &ListOffsetsReply { partitions: infos }, &[]);
    }

    /// Has no read under way any more. What was asked for is asked for again by
    /// [`Session::resume_subscriptions`].
    pub(super) fn stop_reading(&mut self) {
        self.cancel_reads();
        for subscription in self.subscriptions.values_mut() {
            subscription.reading = false;
        }
    }

    fn cancel_read(&self, token: u64) {
        if let Some(subscription) = self.subscriptions.get(&token)
            && subscription.reading
        {
            let origin = self.origin(token);
            let (topic, partition) = (&subscription.topic, subscription.partition);
            self.router.partition(topic, partition, origin, PartitionRequest::CancelRead);
        }
    }

    /// Lets partitions forget the reads of a connection that is over.
    pub(super) fn cancel_reads(&self) {
        for token in sorted(self.subscriptions.keys()) {
            self.cancel_read(token);
        }
        for token in sorted(self.pending.keys()) {
            if let Some(Pending::Fetch { topic, partition, .. }) = self.pending.get(&token) {
                let origin = self.origin(token);
                self.router.partition(topic, *partition, origin, PartitionRequest::CancelRead);
            }
        }
    }
}

//! The channels on which a consumer's partitions are subscribed, on whichever connection there is.
//!
//! Owns subscribing, what becomes of replies, and what arrives. The one invariant: a channel stands
//! for one try at one partition, and what comes on one that was left counts no more.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use tidewire_protocol::frame::Frame;
use tidewire_protocol::message::{Credit, Subscribe, Unsubscribe};
use tidewire_protocol::session::From;

use super::super::batch::reach;
use super::{Core, Pass, Slot};
use crate::OnOutOfRange;
use crate::connection::{Connection, Room, Route, decode_reply};
use crate::error::{Code, Error};
use crate::events::Event;

impl Core {
    /// Stops, and leaves all channels but for telling the server, which is the caller's.
    pub(crate) fn leave(&self) -> Option<(Arc<Connection>, Vec<u32>)> {
        self.stop();
        let mut state = self.lock();
        let connection = state.connection.take()?;
        let channels: Vec<u32> =
            state.slots.values_mut().filter_map(|slot| slot.channel.take()).collect();
        state.by_channel.clear();
        drop(state);
        for &channel in &channels {
            connection.remove_route(channel);
        }
        Some((connection, channels))
    }

    /// Stops and unsubscribes without waiting.
    pub(crate) fn abandon(&self) {
        if let Some((connection, channels)) = self.leave() {
            for channel in channels {
                connection.request_and_forget(channel, Unsubscribe {});
            }
        }
    }

    /// There is a connection, or none; partitions of another are subscribed again.
    pub(crate) fn set_connection(&self, connection: Option<&Arc<Connection>>) {
        let mut state = self.lock();
        let same = match (&state.connection, connection) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (None, None) => true,
            _ => false,
        };
        if same || state.closed {
            return;
        }
        state.connection = connection.cloned();
        state.by_channel.clear();
        let mut again = 0;
        for slot in state.slots.values_mut() {
            again += u64::from(slot.channel.take().is_some());
            slot.subscription.handle_disconnected();
        }
        state.stats.resubscriptions += again;
    }

    /// There will be no connection any more.
    pub(crate) fn set_over(&self, error: &Error) {
        let mut state = self.lock();
        state.over.get_or_insert_with(|| (error.clone(), false));
        state.connection = None;
        drop(state);
        self.arrived.notify_one();
        self.settled.notify_waiters();
    }

    /// Subscribes what is to be subscribed, the first into `room` if there is some already.
    pub(crate) fn subscribe_due(self: &Arc<Self>, mut room: Option<Room>) -> Pass {
        let now = self.link.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let mut pass = Pass { closed: state.closed, ..Pass::default() };
        let Some(connection) = state.connection.clone() else {
            return pass;
        };
        for (&partition, slot) in &mut state.slots {
            let Some(due) = slot.subscription.poll_timeout() else {
                continue;
            };
            if due > now {
                pass.next = Some(pass.next.map_or(due, |next| next.min(due)));
                continue;
            }
            let room = match room.take().filter(|room| connection.owns(room)) {
                Some(room) => room,
                None => match connection.try_room() {
                    Ok(Some(room)) => room,
                    Ok(None) => {
                        pass.blocked = true;
                        break;
                    }
                    // The link will tell what comes next.
                    Err(_) => break,
                },
            };
            let Some(place) = slot.subscription.poll_subscribe(now) else {
                continue;
            };
            // A channel of its own for each try: what a late reply or delivery belongs to is
            // never in doubt.
            let channel = self.link.new_channel();
            let request = Subscribe {
                stream: self.topic.stream().to_owned(),
                topic: self.topic.topic().to_owned(),
                partition,
                start: place.start,
                start_at: place.start_at,
                credit_bytes: place.credit_bytes,
            };
            connection.add_route(channel, Arc::clone(self) as Arc<dyn Route>);
            let core = Arc::downgrade(self);
            let submitted = connection.submit(
                room,
                channel,
                &request,
                &[],
                connection.request_timeout_ms(),
                move |reply| subscribed(&core, channel, reply),
            );
            match submitted {
                Ok(()) => {
                    slot.channel = Some(channel);
                    state.by_channel.insert(channel, partition);
                }
                Err(error) => {
                    tracing::debug!(partition, %error, "not subscribed");
                    connection.remove_route(channel);
                    slot.subscription.handle_disconnected();
                    break;
                }
            }
        }
        pass
    }

    /// The reply to a subscription came.
    fn subscribed(self: &Arc<Self>, channel: u32, reply: Result<Frame, Error>) {
        let reply = reply.and_then(|frame| decode_reply::<Subscribe>(&frame));
        let mut state = self.lock();
        // It may have been removed, or subscribed on another connection.
        let Some(&partition) = state.by_channel.get(&channel) else {
            return;
        };
        let slot = state.slots.get_mut(&partition).expect("channels are those of slots");
        let result = match reply {
            Ok(reply) => slot
                .subscription
                .handle_subscribed(reply.next_offset, reply.end_offset)
                .map_err(|error| Error::from(error).about(&self.topic)),
            Err(error) => Err(error),
        };
        match result {
            Ok(grant) => {
                slot.named = false;
                let connection = grant.and(state.connection.clone());
                drop(state);
                send_credit(connection.as_deref(), Some(channel), grant);
                self.settled.notify_waiters();
            }
            Err(error) => {
                drop(state);
                self.end(channel, error, true);
            }
        }
    }

    /// A subscription ended, for now or for ever. With `doubt` the server may not know it.
    fn end(&self, channel: u32, error: Error, doubt: bool) {
        if error.code() == Code::OFFSET_OUT_OF_RANGE {
            self.explain(channel, error, doubt);
        } else {
            self.finish(channel, error, doubt);
        }
    }

    /// Asks for the offsets that there are, which is what follows depends on.
    fn explain(&self, channel: u32, error: Error, doubt: bool) {
        let Some(&partition) = self.lock().by_channel.get(&channel) else {
            return;
        };
        let (core, link, topic) =
            (self.this.clone(), Arc::clone(&self.link), self.topic.clone());
        tokio::spawn(async move {
            let error = crate::admin::with_offsets(&link, error, &topic, partition).await;
            // Where the partition was moved meanwhile, the channel is none of its own any more.
            if let Some(core) = core.upgrade() {
                core.finish(channel, error, doubt);
            }
        });
    }

    /// Goes on behind what was deleted before it was read, if that is wanted.
    fn skip(&self, slot: &mut Slot, partition: u32, error: &Error) -> Option<u64> {
        let offsets = error.offsets().filter(|_| error.code() == Code::OFFSET_OUT_OF_RANGE)?;
        let due = slot.subscription.arriving().filter(|&due| due < offsets.start)?;
        let (to, place) = match self.on_out_of_range {
            OnOutOfRange::Earliest => (offsets.start, From::Earliest),
            OnOutOfRange::Latest => (offsets.end, From::Latest),
            OnOutOfRange::Error => return None,
        };
        if slot.named {
            return None;
        }
        slot.subscription.skip_to(place);
        tracing::warn!(topic = %self.topic, partition, due, to, "records were deleted unread");
        self.link.events().tell(|| Event::RecordsSkipped {
            topic: self.topic.to_string(),
            partition,
            from_offset: due,
            to_offset: to,
        });
        Some(to - due)
    }

    fn finish(&self, channel: u32, error: Error, doubt: bool) {
        let now = self.link.now();
        let mut state = self.lock();
        let Some(partition) = state.by_channel.remove(&channel) else {
            return;
        };
        let connection = state.connection.clone();
        let slot = state.slots.get_mut(&partition).expect("channels are those of slots");
        slot.channel = None;
        if let Some(skipped) = self.skip(slot, partition, &error) {
            state.stats.skipped_offsets += skipped;
        } else if slot.subscription.handle_ended(now, &error.to_wire()) {
            tracing::debug!(topic = %self.topic, partition, %error, "a subscription ended");
            if slot.ended.is_none() {
                slot.ended = Some(error.clone());
                state.line_up(partition);
            }
        } else {
            tracing::debug!(topic = %self.topic, partition, %error, "to be subscribed again");
            state.stats.resubscriptions += 1;
        }
        drop(state);
        if let Some(connection) = connection {
            connection.remove_route(channel);
            // A request that timed out may have been carried out.
            if doubt && error.is_outcome_unknown() {
                connection.request_and_forget(channel, Unsubscribe {});
            }
        }
        self.work.notify_one();
        self.arrived.notify_one();
        self.settled.notify_waiters();
    }
}

fn subscribed(core: &Weak<Core>, channel: u32, reply: Result<Frame, Error>) {
    if let Some(core) = core.upgrade() {
        core.subscribed(channel, reply);
    }
}

pub(crate) fn send_credit(
    connection: Option<&Connection>,
    channel: Option<u32>,
    grant: Option<u64>,
) {
    if let (Some(connection), Some(channel), Some(limit_bytes)) = (connection, channel, grant) {
        connection.send_one_way(channel, &Credit { limit_bytes });
    }
}

impl Route for Core {
    fn deliver(&self, channel: u32, end_offset: u64, payload: Bytes) {
        let reached = reach(&payload);
        let mut state = self.lock();
        let Some(&partition) = state.by_channel.get(&channel) else {
            return;
        };
        let slot = state.slots.get_mut(&partition).expect("channels are those of slots");
        if payload.is_empty() {
            return;
        }
        let taken =
            slot.subscription.handle_delivery(payload.len() as u64, reached, end_offset);
        if let Err(error) = taken {
            drop(state);
            let error =
                Error::from(error).about(format!("{} partition {partition}", self.topic));
            self.end(channel, error, false);
            return;
        }
        slot.deliveries.push_back(payload);
        state.line_up(partition);
        drop(state);
        self.arrived.notify_one();
    }

    fn ended(&self, channel: u32, error: Error) {
        self.end(channel, error, false);
    }

    fn cut(&self, _channel: u32) {
        // The engine learns of it from the link, once for all channels.
    }
}

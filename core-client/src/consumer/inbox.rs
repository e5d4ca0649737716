//! What was delivered and not yet taken.
//!
//! Owns the deliveries of every subscribed partition, whose turn it is, and the credit that each
//! was granted; leaves reading the batches to the [`Consumer`](super::Consumer). The one
//! invariant: a partition holds at most its window and one batch, because it is granted again
//! only what was taken, and a server that sends more is cut off.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tidewire_protocol::limits::MAX_BATCH_LEN;
use tidewire_protocol::name::TopicName;
use tokio::sync::Notify;

use super::batch::split_first;
use crate::connection::Route;
use crate::error::{Code, Error};

/// Deliveries on their way from the connection to the consumer.
#[derive(Debug)]
pub(super) struct Inbox {
    topic: TopicName,
    state: Mutex<State>,
    /// Wakes the consumer: something arrived, or ended.
    arrived: Notify,
}

#[derive(Debug)]
struct State {
    slots: Vec<Slot>,
    by_channel: HashMap<u32, usize>,
    /// Slots with a delivery or an end to tell; each at most once.
    turns: VecDeque<usize>,
    /// Slots that may still get something.
    open: usize,
    /// The end of the last slot, told again for ever.
    last_end: Option<Error>,
    closed: bool,
}

#[derive(Debug)]
struct Slot {
    partition: u32,
    /// Bytes that may be on their way or waiting.
    window: u64,
    /// The limit that the server was told last.
    granted: u64,
    received: u64,
    taken: u64,
    /// Whole deliveries but for the first, from which batches were taken. Bounded by `granted`.
    deliveries: VecDeque<Bytes>,
    end_offset: u64,
    ended: Option<Error>,
    in_turns: bool,
}

/// A batch that was taken, not yet verified.
#[derive(Debug)]
pub(super) struct Taken {
    /// Its place in the list of partitions.
    pub slot: usize,
    /// Why it cannot be told from its neighbours, or its bytes.
    pub bytes: Result<Bytes, Error>,
    pub end_offset: u64,
    /// The credit to grant now.
    pub grant: Option<u64>,
}

/// What the consumer finds.
#[derive(Debug)]
pub(super) enum Next {
    Taken(Taken),
    /// A partition has ended, or all have.
    Ended(Error),
    /// The consumer was closed.
    Closed,
    /// Nothing yet.
    Empty,
}

impl Inbox {
    /// An inbox for `(partition, channel)` pairs, each with a window of `window` bytes.
    pub(super) fn new(topic: TopicName, places: &[(u32, u32)], window: u64) -> Self {
        let slots = places.iter().map(|&(partition, _)| Slot {
            partition,
            window,
            granted: window,
            received: 0,
            taken: 0,
            deliveries: VecDeque::new(),
            end_offset: 0,
            ended: None,
            in_turns: false,
        });
        let by_channel =
            places.iter().enumerate().map(|(slot, &(_, channel))| (channel, slot)).collect();
        let state = State {
            slots: slots.collect(),
            by_channel,
            turns: VecDeque::new(),
            open: places.len(),
            last_end: None,
            closed: false,
        };
        Self { topic, state: Mutex::new(state), arrived: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next batch, of the partition whose turn it is. `wanted` gives a slot's next
    /// offset, for the text of an error.
    pub(super) fn take(&self, wanted: impl Fn(usize) -> u64) -> Next {
        let mut state = self.lock();
        if state.closed {
            return Next::Closed;
        }
        let Some(at) = state.turns.pop_front() else {
            return match &state.last_end {
                Some(error) if state.open == 0 => Next::Ended(error.clone()),
                _ => Next::Empty,
            };
        };
        let slot = &mut state.slots[at];
        slot.in_turns = false;
        let Some(delivery) = slot.deliveries.front_mut() else {
            // Its deliveries are all taken; what is left to tell is its end.
            let error = slot.ended.clone().expect("a slot has a turn for a delivery or an end");
            state.open -= 1;
            state.last_end = Some(error.clone());
            return Next::Ended(error);
        };
        let before = delivery.len();
        let bytes = split_first(&self.topic, slot.partition, wanted(at), delivery);
        let step = if bytes.is_ok() { before - delivery.len() } else { before };
        if bytes.is_err() || delivery.is_empty() {
            slot.deliveries.pop_front();
        }
        slot.taken += step as u64;
        let limit = slot.taken + slot.window;
        // Half a window at a time: neither a grant for each batch nor a pause of the flow.
        let grant =
            (slot.ended.is_none() && limit - slot.granted >= slot.window / 2).then_some(limit);
        slot.granted = grant.unwrap_or(slot.granted);
        let end_offset = slot.end_offset;
        if !slot.deliveries.is_empty() || slot.ended.is_some() {
            state.line_up(at);
        }
        Next::Taken(Taken { slot: at, bytes, end_offset, grant })
    }

    /// Drops what a partition has left and tells nothing more of it.
    pub(super) fn abandon(&self, at: usize, error: Error) {
        let mut state = self.lock();
        let slot = &mut state.slots[at];
        slot.deliveries.clear();
        slot.ended = Some(error.clone());
        if std::mem::take(&mut slot.in_turns) {
            state.turns.retain(|&other| other != at);
        }
        state.open -= 1;
        state.last_end = Some(error);
    }

    /// Waits until [`Inbox::take`] may find something. Only one may wait at a time.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// From now on there is nothing more to take.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for slot in &mut state.slots {
            slot.deliveries.clear();
        }
        drop(state);
        self.arrived.notify_one();
    }

    /// The end offsets as last heard, by slot.
    pub(super) fn end_offsets(&self) -> Vec<u64> {
        self.lock().slots.iter().map(|slot| slot.end_offset).collect()
    }

    /// What the reply to the subscription said of the partition's end.
    pub(super) fn set_end_offset(&self, at: usize, end_offset: u64) {
        let slot = &mut self.lock().slots[at];
        slot.end_offset = slot.end_offset.max(end_offset);
    }

    fn end(&self, channel: u32, error: Error) {
        let mut state = self.lock();
        let Some(&at) = state.by_channel.get(&channel) else {
            return;
        };
        if state.slots[at].ended.is_none() {
            state.slots[at].ended = Some(error);
            state.line_up(at);
        }
        drop(state);
        self.arrived.notify_one();
    }
}

impl State {
    fn line_up(&mut self, at: usize) {
        let slot = &mut self.slots[at];
        if !slot.in_turns {
            slot.in_turns = true;
            self.turns.push_back(at);
        }
    }
}

impl Route for Inbox {
    fn deliver(&self, channel: u32, end_offset: u64, payload: Bytes) {
        let mut state = self.lock();
        let Some(&at) = state.by_channel.get(&channel) else {
            return;
        };
        let closed = state.closed;
        let slot = &mut state.slots[at];
        if closed || slot.ended.is_some() || payload.is_empty() {
            return;
        }
        slot.received += payload.len() as u64;
        slot.end_offset = slot.end_offset.max(end_offset);
        // The rule lets the last batch pass the limit, whatever its size.
        if slot.received > slot.granted + u64::from(MAX_BATCH_LEN) {
            let text = format!(
                "the server sent {} bytes of {} partition {}, but was granted {}",
                slot.received, self.topic, slot.partition, slot.granted
            );
            drop(state);
            self.end(channel, Error::new(Code::UNEXPECTED_FRAME, text));
            return;
        }
        slot.deliveries.push_back(payload);
        state.line_up(at);
        drop(state);
        self.arrived.notify_one();
    }

    fn ended(&self, channel: u32, error: Error) {
        self.end(channel, error);
    }
}

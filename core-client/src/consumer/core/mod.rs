//! The partitions that a consumer reads, what was delivered of them, and what is to be done.
//!
//! Owns a [`Subscription`] for each partition, the deliveries that were not taken and whose turn
//! it is. Partitions come, go, pause and seek while the consumer runs, from any task; the
//! [`engine`](super::engine) keeps them subscribed, over as many connections as it takes, by what
//! stands in [`channels`]; the [`Consumer`](super::Consumer) takes batches out.
//!
//! The one invariant: a record is shown only under the lock that moves its partition's place past
//! it. So whoever removes a partition or moves its place knows exactly what was shown before, and
//! nothing of it is shown after.

mod channels;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use tidewire_protocol::message::Unsubscribe;
use tidewire_protocol::name::TopicName;
use tidewire_protocol::session::{From, Subscription};
use tokio::sync::Notify;

use self::channels::send_credit;
use super::batch::split_first;
use super::{ConsumerStats, Position};
use crate::OnOutOfRange;
use crate::connection::Connection;
use crate::error::Error;
use crate::link::{Link, random_seed};

/// The least that each partition may have on its way, in bytes.
const MIN_WINDOW_BYTES: u64 = 64 << 10;

/// A consumer's partitions, shared by its handle, its task and its deliveries.
#[derive(Debug)]
pub(crate) struct Core {
    this: Weak<Self>,
    pub(crate) link: Arc<Link>,
    pub(crate) topic: Arc<TopicName>,
    pub(crate) topic_id: u64,
    prefetch_bytes: u64,
    on_out_of_range: OnOutOfRange,
    state: Mutex<State>,
    /// Wakes the consumer: something arrived, or ended. Only one waits at a time.
    arrived: Arc<Notify>,
    /// Wakes the engine: something is to be subscribed, or the consumer is closed.
    work: Notify,
    /// Wakes those who wait until partitions are subscribed.
    settled: Notify,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<Arc<Connection>>,
    slots: BTreeMap<u32, Slot>,
    by_channel: HashMap<u32, u32>,
    /// Partitions with a delivery or an end to tell; each at most once.
    turns: VecDeque<u32>,
    /// The end that was told last, told again when all partitions have ended.
    last_end: Option<Error>,
    /// Nothing will come any more, and whether that was told.
    over: Option<(Error, bool)>,
    closed: bool,
    last_version: u64,
    stats: ConsumerStats,
}

#[derive(Debug)]
struct Slot {
    subscription: Subscription,
    /// Tells this stay of the partition, at this place, from the one before.
    version: u64,
    /// The channel on the current connection.
    channel: Option<u32>,
    /// The application named the offset at which it begins; the server has not confirmed it yet.
    named: bool,
    /// Whole deliveries but for the first, from which batches were taken. Bounded by credit.
    deliveries: VecDeque<Bytes>,
    ended: Option<Error>,
    /// The end was told to the application.
    told: bool,
    in_turns: bool,
}

/// A batch that was taken, not yet verified.
#[derive(Debug)]
pub(crate) struct Taken {
    pub partition: u32,
    pub version: u64,
    /// The record that is due.
    pub wanted: u64,
    pub end_offset: u64,
    /// Its bytes, or why it cannot be told from its neighbours.
    pub bytes: Result<Bytes, Error>,
}

/// What the consumer finds.
#[derive(Debug)]
pub(crate) enum Next {
    Taken(Taken),
    /// A partition has ended, or all of this topic have; told once.
    Ended(Error),
    /// All have, which was told.
    Over(Error),
    /// The consumer was closed.
    Closed,
    /// Nothing yet.
    Empty,
}

/// What the engine did, and what it waits for.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    /// The connection had no room for all requests.
    pub blocked: bool,
    /// When a partition is to be subscribed again.
    pub next: Option<tidewire_protocol::connection::Time>,
    pub closed: bool,
}

impl Core {
    pub(crate) fn new(
        link: Arc<Link>,
        topic: TopicName,
        topic_id: u64,
        prefetch_bytes: u32,
        on_out_of_range: OnOutOfRange,
        arrived: Arc<Notify>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            link,
            topic: Arc::new(topic),
            topic_id,
            prefetch_bytes: u64::from(prefetch_bytes),
            on_out_of_range,
            state: Mutex::default(),
            arrived,
            work: Notify::new(),
            settled: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic half-way through a change runs under it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to read a partition; one that is read already goes on as it does. An offset may be
    /// one that the application has `named`, or one that was stored.
    pub(crate) fn add(&self, partition: u32, from: From, named: bool) {
        let mut state = self.lock();
        if state.closed || state.slots.contains_key(&partition) {
            return;
        }
        state.last_version += 1;
        let slot = Slot {
            subscription: Subscription::new(from, MIN_WINDOW_BYTES, random_seed()),
            version: state.last_version,
            channel: None,
            named,
            deliveries: VecDeque::new(),
            ended: None,
            told: false,
            in_turns: false,
        };
        state.slots.insert(partition, slot);
        state.share(self.prefetch_bytes);
        drop(state);
        self.work.notify_one();
    }

    /// Stops reading a partition: nothing more of it is shown. Where the application stood, if
    /// that was known.
    pub(crate) fn remove(&self, partition: u32) -> Option<Position> {
        let mut state = self.lock();
        let mut slot = state.slots.remove(&partition)?;
        if slot.in_turns {
            state.turns.retain(|&other| other != partition);
        }
        state.detach(&mut slot);
        state.share(self.prefetch_bytes);
        drop(state);
        self.settled.notify_waiters();
        // Without it, the end of the others may be all that is left to tell.
        self.arrived.notify_one();
        slot.position(&self.topic, partition)
    }

    /// Goes on reading a partition elsewhere, also after its end; false if it is not read. As to
    /// `named` see [`Core::add`].
    pub(crate) fn seek(&self, partition: u32, from: From, named: bool) -> bool {
        let mut state = self.lock();
        state.last_version += 1;
        let version = state.last_version;
        let Some(mut slot) = state.slots.remove(&partition) else {
            return false;
        };
        if std::mem::take(&mut slot.in_turns) {
            state.turns.retain(|&other| other != partition);
        }
        state.detach(&mut slot);
        slot.subscription.seek(from);
        slot.version = version;
        slot.named = named;
        slot.ended = None;
        slot.told = false;
        state.slots.insert(partition, slot);
        drop(state);
        self.work.notify_one();
        true
    }

    /// Shows nothing more of a partition until it is resumed; false if it is not read.
    pub(crate) fn pause(&self, partition: u32) -> bool {
        let mut state = self.lock();
        state.slots.get_mut(&partition).map(|slot| slot.subscription.pause()).is_some()
    }

    /// Ends a pause; false if the partition is not read.
    pub(crate) fn resume(&self, partition: u32) -> bool {
        let mut state = self.lock();
        let Some(slot) = state.slots.get_mut(&partition) else {
            return false;
        };
        let grant = slot.subscription.resume();
        let channel = slot.channel;
        if !slot.deliveries.is_empty() || (slot.ended.is_some() && !slot.told) {
            state.line_up(partition);
        }
        let connection = state.connection.clone();
        drop(state);
        send_credit(connection.as_deref(), channel, grant);
        self.arrived.notify_one();
        true
    }

    /// Whether nothing will come any more, and that was told.
    pub(crate) fn is_over(&self) -> bool {
        let state = self.lock();
        state.closed || state.turns.is_empty() && !matches!(state.nothing(), Next::Empty)
    }

    /// Takes the next batch, of the partition whose turn it is.
    pub(crate) fn take(&self) -> Next {
        let mut state = self.lock();
        if state.closed {
            return Next::Closed;
        }
        let (partition, slot) = loop {
            let Some(partition) = state.turns.pop_front() else {
                return state.nothing_now();
            };
            let slot = state.slots.get_mut(&partition).expect("only slots have turns");
            slot.in_turns = false;
            // A paused one is lined up again when it is resumed.
            if !slot.subscription.is_paused() {
                break (partition, slot);
            }
        };
        let wanted = slot.subscription.next_offset().unwrap_or(0);
        let Some(delivery) = slot.deliveries.front_mut() else {
            // Its deliveries are all taken; what is left to tell is its end.
            let error = slot.ended.clone().expect("a slot has a turn for a delivery or an end");
            slot.told = true;
            state.last_end = Some(error.clone());
            return Next::Ended(error);
        };
        let before = delivery.len();
        let bytes = split_first(&self.topic, partition, wanted, delivery);
        let step = if bytes.is_ok() { before - delivery.len() } else { before };
        if bytes.is_err() || delivery.is_empty() {
            slot.deliveries.pop_front();
        }
        let grant = slot.subscription.handle_taken(step as u64);
        let (channel, version) = (slot.channel, slot.version);
        let end_offset = slot.subscription.end_offset();
        if !slot.deliveries.is_empty() || slot.ended.is_some() {
            state.line_up(partition);
        }
        state.stats.batches += 1;
        state.stats.bytes += step as u64;
        let connection = grant.and(state.connection.clone());
        drop(state);
        send_credit(connection.as_deref(), channel, grant);
        Next::Taken(Taken { partition, version, wanted, end_offset, bytes })
    }

    /// Moves a partition's place past what is about to be shown; false if it must not be shown,
    /// because the partition was removed or its place was moved meanwhile.
    pub(crate) fn advance(&self, partition: u32, version: u64, next_offset: u64) -> bool {
        let mut state = self.lock();
        match state.slots.get_mut(&partition) {
            Some(slot) if slot.version == version => {
                slot.subscription.advance(next_offset);
                true
            }
            _ => false,
        }
    }

    /// Ends a partition whose batch is damaged: what follows it cannot be trusted to be what
    /// follows. False if it was removed, or its place was moved, meanwhile.
    pub(crate) fn fail(&self, partition: u32, version: u64, error: &Error) -> bool {
        let mut state = self.lock();
        let Some(mut slot) = state.slots.remove(&partition) else {
            return false;
        };
        let same = slot.version == version;
        if same {
            slot.deliveries.clear();
            slot.ended = Some(error.clone());
            slot.told = true;
            if std::mem::take(&mut slot.in_turns) {
                state.turns.retain(|&other| other != partition);
            }
            state.detach(&mut slot);
            state.last_end = Some(error.clone());
        }
        state.slots.insert(partition, slot);
        same
    }

    /// Waits until the engine may have something to do.
    pub(crate) async fn work(&self) {
        self.work.notified().await;
    }

    /// Waits until the places of all partitions are known.
    ///
    /// # Errors
    /// Why the first partition that has ended did.
    pub(crate) async fn settled(&self) -> Result<(), Error> {
        loop {
            let mut settled = std::pin::pin!(self.settled.notified());
            // Registered before looking, so that nothing is missed that comes in between.
            settled.as_mut().enable();
            {
                let state = self.lock();
                if let Some((error, _)) = &state.over {
                    return Err(error.clone());
                }
                if let Some(error) = state.slots.values().find_map(|slot| slot.ended.clone()) {
                    return Err(error);
                }
                let known = |slot: &Slot| {
                    slot.subscription.is_live() && slot.subscription.next_offset().is_some()
                };
                if state.slots.values().all(known) {
                    return Ok(());
                }
            }
            settled.await;
        }
    }

    /// Where the application stands, by partition; those whose place is not known yet are left
    /// out.
    pub(crate) fn positions(&self) -> Vec<Position> {
        let state = self.lock();
        let position =
            |(&partition, slot): (&u32, &Slot)| slot.position(&self.topic, partition);
        state.slots.iter().filter_map(position).collect()
    }

    /// Records known to follow what the application was shown.
    pub(crate) fn lag(&self) -> u64 {
        let lag = |slot: &Slot| {
            let next_offset = slot.subscription.next_offset()?;
            Some(slot.subscription.end_offset().saturating_sub(next_offset))
        };
        self.lock().slots.values().filter_map(lag).sum()
    }

    /// What the consumer did so far, and what it holds.
    pub(crate) fn stats(&self) -> ConsumerStats {
        let state = self.lock();
        let held = state.slots.values().map(|slot| slot.subscription.held_bytes()).sum();
        let live = state.slots.values().filter(|slot| slot.subscription.is_live()).count();
        ConsumerStats {
            partitions: state.slots.len(),
            live_partitions: live,
            buffered_bytes: held,
            ..state.stats
        }
    }

    /// From now on there is nothing more to take.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.closed = true;
        for slot in state.slots.values_mut() {
            slot.deliveries.clear();
        }
        drop(state);
        self.work.notify_one();
        self.arrived.notify_one();
        self.settled.notify_waiters();
    }
}

impl Slot {
    fn position(&self, topic: &TopicName, partition: u32) -> Option<Position> {
        Some(Position {
            topic: topic.to_string(),
            partition,
            next_offset: self.subscription.next_offset()?,
            end_offset: self.subscription.end_offset(),
            stored_offset: None,
        })
    }
}

impl State {
    fn line_up(&mut self, partition: u32) {
        let slot = self.slots.get_mut(&partition).expect("only slots have turns");
        if !slot.in_turns {
            slot.in_turns = true;
            self.turns.push_back(partition);
        }
    }

    /// Gives each partition its share of the window.
    fn share(&mut self, prefetch_bytes: u64) {
        let share = prefetch_bytes / (self.slots.len() as u64).max(1);
        for slot in self.slots.values_mut() {
            slot.subscription.set_window(share.max(MIN_WINDOW_BYTES));
        }
    }

    /// Leaves a slot's channel, and what came on it.
    fn detach(&mut self, slot: &mut Slot) {
        slot.deliveries.clear();
        let Some(channel) = slot.channel.take() else {
            return;
        };
        self.by_channel.remove(&channel);
        if let Some(connection) = &self.connection {
            connection.remove_route(channel);
            connection.request_and_forget(channel, Unsubscribe {});
        }
    }

    /// What there is to tell when it is nobody's turn; now it is told.
    fn nothing_now(&mut self) -> Next {
        if let Some((error, told)) = &mut self.over
            && !std::mem::replace(told, true)
        {
            return Next::Ended(error.clone());
        }
        self.nothing()
    }

    fn nothing(&self) -> Next {
        if let Some((error, _)) = &self.over {
            return Next::Over(error.clone());
        }
        let all_told = !self.slots.is_empty() && self.slots.values().all(|slot| slot.told);
        match &self.last_end {
            Some(error) if all_told => Next::Over(error.clone()),
            _ => Next::Empty,
        }
    }
}

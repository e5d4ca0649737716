//! The partitions that a consumer reads, what was delivered of them, and what is to be done.
//!
//! Owns a [`Subscription`] for each partition, the deliveries that were not taken and whose turn
//! it is. Partitions come, go, pause and seek while the consumer runs, from any task; the
//! [`engine`](super::engine) keeps them subscribed, over as many connections as it takes, and the
//! [`Consumer`](super::Consumer) takes batches out.
//!
//! The one invariant: a record is shown only under the lock that moves its partition's place past
//! it. So whoever removes a partition or moves its place knows exactly what was shown before, and
//! nothing of it is shown after.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use tidewire_protocol::frame::Frame;
use tidewire_protocol::message::{Credit, Subscribe, Unsubscribe};
use tidewire_protocol::name::TopicName;
use tidewire_protocol::session::{From, Subscription};
use tokio::sync::Notify;

use super::batch::{reach, split_first};
use super::{ConsumerStats, Position};
use crate::connection::{Connection, Room, Route, decode_reply};
use crate::error::{Code, Error};
use crate::link::{Link, random_seed};

/// The least that each partition may have on its way, in bytes.
const MIN_WINDOW_BYTES: u64 = 64 << 10;

/// A consumer's partitions, shared by its handle, its task and its deliveries.
#[derive(Debug)]
pub(crate) struct Core {
    pub(super) link: Arc<Link>,
    pub(super) topic: Arc<TopicName>,
    pub(super) topic_id: u64,
    prefetch_bytes: u64,
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
    /// The link is over.
    over: Option<Error>,
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
    /// Whole deliveries but for the first, from which batches were taken. Bounded by credit.
    deliveries: VecDeque<Bytes>,
    ended: Option<Error>,
    /// The end was told to the application.
    told: bool,
    in_turns: bool,
}

/// A batch that was taken, not yet verified.
#[derive(Debug)]
pub(super) struct Taken {
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
pub(super) enum Next {
    Taken(Taken),
    /// A partition has ended, or all have.
    Ended {
        partition: Option<u32>,
        error: Error,
    },
    /// The consumer was closed.
    Closed,
    /// Nothing yet.
    Empty,
}

/// What the engine did, and what it waits for.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// The connection had no room for all requests.
    pub blocked: bool,
    /// When a partition is to be subscribed again.
    pub next: Option<tidewire_protocol::connection::Time>,
    pub closed: bool,
}

impl Core {
    pub(super) fn new(
        link: Arc<Link>,
        topic: TopicName,
        topic_id: u64,
        prefetch_bytes: u32,
        arrived: Arc<Notify>,
    ) -> Arc<Self> {
        Arc::new(Self {
            link,
            topic: Arc::new(topic),
            topic_id,
            prefetch_bytes: u64::from(prefetch_bytes),
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

    /// Begins to read a partition; one that is read already goes on as it does.
    pub(crate) fn add(&self, partition: u32, from: From) {
        let mut state = self.lock();
        if state.closed || state.slots.contains_key(&partition) {
            return;
        }
        state.last_version += 1;
        let slot = Slot {
            subscription: Subscription::new(from, MIN_WINDOW_BYTES, random_seed()),
            version: state.last_version,
            channel: None,
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
        slot.position(partition)
    }

    /// Goes on reading a partition elsewhere, also after its end; false if it is not read.
    pub(crate) fn seek(&self, partition: u32, from: From) -> bool {
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

    /// An error if a partition was named that is not read.
    pub(crate) fn known(&self, partition: u32, known: bool) -> Result<(), Error> {
        if known {
            return Ok(());
        }
        let topic = &self.topic;
        let text = format!("the consumer of {topic} does not read partition {partition}");
        Err(Error::new(Code::PARTITION_NOT_FOUND, text))
    }

    /// Whether nothing will come any more, and that was told.
    pub(crate) fn is_over(&self) -> bool {
        let state = self.lock();
        state.closed || state.turns.is_empty() && !matches!(state.nothing(), Next::Empty)
    }

    /// Takes the next batch, of the partition whose turn it is.
    pub(super) fn take(&self) -> Next {
        let mut state = self.lock();
        if state.closed {
            return Next::Closed;
        }
        let (partition, slot) = loop {
            let Some(partition) = state.turns.pop_front() else {
                return state.nothing();
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
            return Next::Ended { partition: Some(partition), error };
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
    pub(super) fn advance(&self, partition: u32, version: u64, next_offset: u64) -> bool {
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
    pub(super) fn fail(&self, partition: u32, version: u64, error: &Error) -> bool {
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

    /// Waits until [`Core::take`] may find something.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Waits until the engine may have something to do.
    pub(super) async fn work(&self) {
        self.work.notified().await;
    }

    /// Waits until the places of all partitions are known.
    ///
    /// # Errors
    /// The first partition that has ended, and why; `None` for all of them.
    pub(crate) async fn settled(&self) -> Result<(), (Option<u32>, Error)> {
        loop {
            let mut settled = std::pin::pin!(self.settled.notified());
            // Registered before looking, so that nothing is missed that comes in between.
            settled.as_mut().enable();
            {
                let state = self.lock();
                if let Some(error) = &state.over {
                    return Err((None, error.clone()));
                }
                let ended = |(&at, slot): (&u32, &Slot)| Some((at, slot.ended.clone()?));
                if let Some((at, error)) = state.slots.iter().find_map(ended) {
                    return Err((Some(at), error));
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
        state.slots.iter().filter_map(|(&partition, slot)| slot.position(partition)).collect()
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
    pub(super) fn stop(&self) {
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

    /// Stops, and leaves all channels but for telling the server, which is the caller's.
    pub(super) fn leave(&self) -> Option<(Arc<Connection>, Vec<u32>)> {
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
    pub(super) fn set_connection(&self, connection: Option<&Arc<Connection>>) {
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
    pub(super) fn set_over(&self, error: &Error) {
        let mut state = self.lock();
        state.over.get_or_insert_with(|| error.clone());
        state.connection = None;
        drop(state);
        self.arrived.notify_one();
        self.settled.notify_waiters();
    }

    /// Subscribes what is to be subscribed, the first into `room` if there is some already.
    pub(super) fn subscribe_due(self: &Arc<Self>, mut room: Option<Room>) -> Pass {
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
        let Err(error) = result else {
            drop(state);
            self.settled.notify_waiters();
            return;
        };
        if error.code() == Code::OFFSET_OUT_OF_RANGE && error.offsets().is_none() {
            // The offsets that there are have to be asked for first.
            let version = slot.version;
            drop(state);
            let core = Arc::downgrade(self);
            self.explain(core, partition, version, channel, error);
            return;
        }
        drop(state);
        self.end(channel, error, true);
    }

    fn explain(
        &self,
        core: Weak<Self>,
        partition: u32,
        version: u64,
        channel: u32,
        error: Error,
    ) {
        let (link, topic) = (Arc::clone(&self.link), self.topic.clone());
        tokio::spawn(async move {
            let error = crate::admin::with_offsets(&link, error, &topic, partition).await;
            if let Some(core) = core.upgrade() {
                let same =
                    core.lock().slots.get(&partition).is_some_and(|s| s.version == version);
                if same {
                    core.end(channel, error, true);
                }
            }
        });
    }

    /// A subscription ended, for now or for ever. With `doubt` the server may not know it.
    fn end(&self, channel: u32, error: Error, doubt: bool) {
        let now = self.link.now();
        let mut state = self.lock();
        let Some(partition) = state.by_channel.remove(&channel) else {
            return;
        };
        let connection = state.connection.clone();
        let slot = state.slots.get_mut(&partition).expect("channels are those of slots");
        slot.channel = None;
        if slot.subscription.handle_ended(now, &error.to_wire()) {
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

fn send_credit(connection: Option<&Connection>, channel: Option<u32>, grant: Option<u64>) {
    if let (Some(connection), Some(channel), Some(limit_bytes)) = (connection, channel, grant) {
        connection.send_one_way(channel, &Credit { limit_bytes });
    }
}

impl Slot {
    fn position(&self, partition: u32) -> Option<Position> {
        let next_offset = self.subscription.next_offset()?;
        let end_offset = self.subscription.end_offset();
        Some(Position { partition, next_offset, end_offset })
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

    /// What there is to tell when it is nobody's turn.
    fn nothing(&self) -> Next {
        if let Some(error) = &self.over {
            return Next::Ended { partition: None, error: error.clone() };
        }
        let all_told = !self.slots.is_empty() && self.slots.values().all(|slot| slot.told);
        match &self.last_end {
            Some(error) if all_told => Next::Ended { partition: None, error: error.clone() },
            _ => Next::Empty,
        }
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

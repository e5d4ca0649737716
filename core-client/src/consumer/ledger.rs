//! What a consumer reads, how far the application was shown it, and how far that is done.
//!
//! Shared by the handle, the controls and the task; what of it is stored on the server, and when,
//! stands in [`store`](super::store). The invariant: a partition's entry moves and goes under the
//! one lock, so nothing is stored for a partition after it was let go of.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidewire_protocol::message::Unsubscribe;
use tidewire_protocol::name::TopicName;
use tidewire_protocol::session::Key;
use tokio::sync::{Notify, watch};

use super::batch::Batch;
use super::core::{Core, Next, Taken};
use super::{
    AutoCommit, ConsumerStats, OnOutOfRange, PartitionRef, Position, Start, TopicPartition,
    engine,
};
use crate::client::Client;
use crate::error::{Code, Error};

/// Who a consumer is to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Nobody: it stores nothing.
    None,
    /// A consumer that stores offsets under its name, alone.
    Name(String),
    /// A member of a group.
    Group(String),
}

/// What a consumer was made with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub identity: Identity,
    pub topics: Vec<TopicName>,
    pub member_name: String,
    pub session_timeout_ms: u32,
    pub rebalance_timeout_ms: u32,
    pub auto_commit: AutoCommit,
    pub auto_commit_interval_ms: u32,
    /// For each topic, in bytes.
    pub prefetch_bytes: u32,
    pub start: Start,
    pub on_out_of_range: OnOutOfRange,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    pub(super) client: Client,
    pub(super) settings: Settings,
    state: Mutex<State>,
    /// Wakes the consumer.
    pub(super) arrived: Arc<Notify>,
    /// Wakes the task.
    pub(super) work: Notify,
    farewell: watch::Sender<Farewell>,
}

/// What has yet to happen after the consumer was closed.
#[derive(Debug, Default)]
struct Farewell {
    /// The task, if there was one, is over.
    task_ended: bool,
    /// Unsubscriptions that the server has not answered.
    unanswered: usize,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Taken in turn.
    pub(super) topics: VecDeque<Topic>,
    place: (u64, u32),
    /// The topic and partition that the application was given last.
    in_hand: Option<(u64, u32)>,
    /// What is in hand was moved away from, so the rest of it is not to be shown.
    void: bool,
    /// Taken, and to be stored before it is returned.
    pub(super) pending: Option<Shown>,
    over: Option<Error>,
    closed: bool,
    /// The task knows that there is something to store.
    planned: bool,
    /// Of topics that are read no more, and of offsets that were stored.
    pub(super) past: ConsumerStats,
}

/// A topic that is read; another one created under its name has another number.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) core: Arc<Core>,
    pub(super) held: BTreeMap<u32, Held>,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    /// The application was shown everything before.
    pub(super) position: Option<u64>,
    /// The application has done everything before.
    pub(super) done: Option<u64>,
    /// What is known to be stored.
    pub(super) stored: Option<u64>,
    /// It is to be released.
    leaving: bool,
}

/// A verified batch, and the stay of the partition that it belongs to.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) core: Arc<Core>,
    pub(super) partition: u32,
    pub(super) version: u64,
    pub(super) batch: Batch,
    /// It was stored as a whole before anything of it is returned.
    pub(super) stored: bool,
}

/// What [`Ledger::take`] finds.
pub(super) enum Found {
    Taken(Arc<Core>, Taken),
    Failed(Error),
    Closed,
    Nothing,
}

/// Tells those who wait for the consumer's end, however its task ends.
pub(super) struct Leaving(Arc<Ledger>);

impl Drop for Leaving {
    fn drop(&mut self) {
        if self.0.is_closed() {
            self.0.close();
        }
        self.0.farewell.send_modify(|farewell| farewell.task_ended = true);
    }
}

/// An unsubscription that the server has yet to answer, for those who wait for the consumer's end.
struct Unanswered(watch::Sender<Farewell>);

impl Unanswered {
    fn new(ledger: &Ledger) -> Self {
        ledger.farewell.send_modify(|farewell| farewell.unanswered += 1);
        // Not the ledger, which holds the connection that this is going to wait in.
        Self(ledger.farewell.clone())
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.0.send_modify(|farewell| farewell.unanswered -= 1);
    }
}

impl Ledger {
    pub(super) fn new(client: Client, settings: Settings) -> Arc<Self> {
        let (arrived, work) = (Arc::new(Notify::new()), Notify::new());
        let farewell = watch::Sender::default();
        Arc::new(Self { client, settings, state: Mutex::default(), arrived, work, farewell })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic half-way through a change runs under it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where offsets are stored, if anywhere.
    pub(super) fn group(&self) -> Option<&str> {
        match &self.settings.identity {
            Identity::None => None,
            Identity::Name(name) | Identity::Group(name) => Some(name),
        }
    }

    fn is_member(&self) -> bool {
        matches!(self.settings.identity, Identity::Group(_))
    }

    /// The application asks for more: it is done with what it has.
    pub(super) fn done_with_hand(&self) {
        let mut state = self.lock();
        // What was never returned is not done.
        if state.pending.is_some() {
            return;
        }
        let Some((topic_id, partition)) = state.in_hand.take() else { return };
        let plans = self.settings.auto_commit == AutoCommit::Interval && self.group().is_some();
        let wake_for_plan = plans && !state.planned;
        if let Some(held) = state.held(topic_id, partition) {
            held.done = held.position;
            let wake = held.leaving || wake_for_plan;
            state.planned |= plans;
            drop(state);
            if wake {
                self.work.notify_one();
            }
        }
    }

    /// Whether there is something to store by the interval.
    pub(super) fn is_planned(&self) -> bool {
        self.lock().planned
    }

    /// What is done from now on has to be planned anew.
    pub(super) fn clear_plan(&self) {
        self.lock().planned = false;
    }

    /// The next batch of whichever topic has one.
    pub(super) fn take(&self) -> Found {
        let mut state = self.lock();
        if let Some(error) = &state.over {
            return Found::Failed(error.clone());
        }
        if state.closed {
            return Found::Closed;
        }
        let (mut over, mut last) = (0, None);
        for _ in 0..state.topics.len() {
            state.topics.rotate_left(1);
            let Some(topic) = state.topics.back() else { break };
            loop {
                match topic.core.take() {
                    Next::Taken(taken) => return Found::Taken(Arc::clone(&topic.core), taken),
                    Next::Ended(error) if self.is_told_by_the_group(&error) => {}
                    Next::Ended(error) => return Found::Failed(error),
                    Next::Over(error) => {
                        over += 1;
                        last = Some(error);
                        break;
                    }
                    Next::Closed | Next::Empty => break,
                }
            }
        }
        match last {
            // A member may be given others.
            Some(error) if !self.is_member() && over == state.topics.len() => {
                Found::Failed(error)
            }
            _ => Found::Nothing,
        }
    }

    /// A group tells its members what is gone.
    fn is_told_by_the_group(&self, error: &Error) -> bool {
        const GONE: [Code; 3] =
            [Code::TOPIC_NOT_FOUND, Code::STREAM_NOT_FOUND, Code::PARTITION_NOT_FOUND];
        self.is_member() && GONE.contains(&error.code())
    }

    /// Moves past what is about to be returned; false if it must not be, because its partition
    /// was let go of, or its place was moved.
    pub(super) fn show(&self, shown: &Shown, next_offset: u64) -> bool {
        let mut state = self.lock();
        let current = shown.core.advance(shown.partition, shown.version, next_offset);
        // What was stored is shown even if the partition is asked back meanwhile: nobody else
        // will read it.
        if !current && !shown.stored {
            return false;
        }
        let at = (shown.core.topic_id, shown.partition);
        if let Some(held) = state.held(at.0, at.1) {
            // All of it will be shown, and is not read again if the partition comes back meanwhile.
            let whole = shown.stored.then(|| shown.batch.next_offset());
            held.position = Some(whole.unwrap_or(next_offset));
        }
        state.in_hand = Some(at);
        state.void = false;
        true
    }

    /// Keeps what is to be stored before it is returned.
    pub(super) fn keep_pending(&self, mut shown: Shown) {
        if self.show(&shown, shown.batch.next_offset()) {
            shown.stored = true;
            self.lock().pending = Some(shown);
        }
    }

    /// Whether the rest of what is in hand is not to be shown.
    pub(super) fn is_void(&self) -> bool {
        std::mem::take(&mut self.lock().void)
    }

    /// Begins to read a partition from `from` on. What is `stored` is nothing that the
    /// application named.
    pub(super) fn read(
        &self,
        topic: &TopicName,
        topic_id: u64,
        partition: u32,
        from: Start,
        stored: Option<u64>,
    ) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let found = state.topics.iter().position(|topic| topic.core.topic_id == topic_id);
        let at = found.unwrap_or_else(|| {
            let core = Core::new(
                Arc::clone(&self.client.link),
                topic.clone(),
                topic_id,
                self.settings.prefetch_bytes,
                self.settings.on_out_of_range,
                Arc::clone(&self.arrived),
            );
            tokio::spawn(engine::run(Arc::clone(&core)));
            state.topics.push_back(Topic { core, held: BTreeMap::new() });
            state.topics.len() - 1
        });
        let topic = &mut state.topics[at];
        let held = Held { position: stored, done: stored, stored, leaving: false };
        topic.held.entry(partition).or_insert(held);
        let core = Arc::clone(&topic.core);
        drop(state);
        let named = stored.is_none() && from.is_offset();
        core.add(partition, stored.map_or(from, Start::Offset).into(), named);
    }

    /// A group gave a partition.
    pub(super) fn assign(&self, key: Key, topic_id: u64, offset: Option<u64>) {
        let Ok(topic) = TopicName::new(&key.0, &key.1) else { return };
        // A stay that was to end begins anew.
        self.drop_partition(&key);
        self.read(&topic, topic_id, key.2, self.settings.start, offset);
    }

    /// Goes on with a partition after the connection was lost; at the stored offset, if that was
    /// moved back meanwhile. One that was to be released when the connection was lost, and is not
    /// asked back any more, is read again from where the application stands.
    pub(super) fn keep(&self, key: &Key, offset: Option<u64>) {
        let mut state = self.lock();
        let Some(topic) = state.topic_of(key) else { return };
        let Some(held) = topic.held.get_mut(&key.2) else { return };
        let left = std::mem::replace(&mut held.leaving, false);
        let moved = offset.filter(|&offset| held.stored.is_some_and(|stored| stored > offset));
        if let Some(offset) = moved {
            (held.position, held.done, held.stored) =
                (Some(offset), Some(offset), Some(offset));
            topic.core.seek(key.2, Start::Offset(offset).into(), false);
        }
        if left {
            let from = held.position.map_or(self.settings.start, Start::Offset);
            topic.core.add(key.2, from.into(), false);
        }
    }

    /// Shows nothing more of a partition that has to be released.
    pub(super) fn revoke(&self, key: &Key) {
        let mut state = self.lock();
        let Some(topic) = state.topic_of(key) else { return };
        let place = topic.core.remove(key.2).map(|position| position.next_offset);
        let Some(held) = topic.held.get_mut(&key.2) else { return };
        held.leaving = true;
        if let Some(place) = place {
            // Where nothing was read and nothing stored, the next one begins where this one did.
            held.position.get_or_insert(place);
            held.done.get_or_insert(place);
        }
    }

    /// Whether a partition that has to be released can be: the application is done with it.
    pub(super) fn is_done(&self, key: &Key) -> bool {
        let mut state = self.lock();
        let topic_id = state.topic_of(key).map(|topic| topic.core.topic_id);
        topic_id.is_none_or(|topic_id| state.in_hand != Some((topic_id, key.2)))
    }

    /// Forgets a partition; where the application stood.
    pub(super) fn drop_partition(&self, key: &Key) -> Option<Position> {
        let mut state = self.lock();
        let topic = state.topic_of(key)?;
        let stored_offset = topic.held.remove(&key.2).and_then(|held| held.stored);
        let position = topic.core.remove(key.2);
        let topic_id = topic.core.topic_id;
        if topic.held.is_empty() && self.is_member() {
            let at = state.topics.iter().position(|topic| topic.core.topic_id == topic_id);
            if let Some(topic) = at.and_then(|at| state.topics.remove(at)) {
                state.past.add(topic.core.stats());
                topic.core.abandon();
            }
        }
        Some(Position { stored_offset, ..position? })
    }

    pub(super) fn set_place(&self, place: (u64, u32)) {
        self.lock().place = place;
    }

    pub(super) fn place(&self) -> (u64, u32) {
        self.lock().place
    }

    /// The membership is over.
    pub(super) fn set_over(&self, error: Error) {
        self.lock().over.get_or_insert(error);
        self.arrived.notify_one();
    }

    /// Ends the waiting; what is subscribed stays so until the consumer or its task ends.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.closed = true;
        let cores: Vec<_> = state.topics.iter().map(|topic| Arc::clone(&topic.core)).collect();
        drop(state);
        for core in cores {
            core.stop();
        }
        self.work.notify_one();
        self.arrived.notify_one();
    }

    /// Ends the waiting, and unsubscribes; [`left`](Self::left) waits for the server's answers.
    pub(super) fn close(&self) {
        self.stop();
        let state = self.lock();
        let cores: Vec<_> = state.topics.iter().map(|topic| Arc::clone(&topic.core)).collect();
        drop(state);
        for (connection, channels) in cores.into_iter().filter_map(|core| core.leave()) {
            for channel in channels {
                let unanswered = Unanswered::new(self);
                connection.request_and_drop(channel, Unsubscribe {}, unanswered);
            }
        }
    }

    /// For the task, to drop when it ends.
    pub(super) fn leaving(self: &Arc<Self>) -> Leaving {
        Leaving(Arc::clone(self))
    }

    /// Waits until the consumer's task, if there is one, has ended, and the server has answered
    /// every unsubscription, or its time is over.
    pub(super) async fn left(&self) {
        let gone = |farewell: &Farewell| farewell.task_ended && farewell.unanswered == 0;
        // It lives as long as this ledger.
        let _ = self.farewell.subscribe().wait_for(gone).await;
    }

    /// Waits until a consumer that was over, because each of its partitions had ended, is not any
    /// more; or is so for ever.
    pub(super) async fn revived(&self) {
        loop {
            let arrived = self.arrived.notified();
            if !self.is_over() || self.is_closed() {
                return;
            }
            arrived.await;
        }
    }

    /// Waits until the places of all partitions are known.
    ///
    /// # Errors
    /// Why the first partition that has ended did.
    pub(super) async fn settled(&self) -> Result<(), Error> {
        let topics: Vec<_> =
            self.lock().topics.iter().map(|topic| Arc::clone(&topic.core)).collect();
        for core in topics {
            core.settled().await?;
        }
        Ok(())
    }

    /// Whether nothing will come any more.
    pub(super) fn is_over(&self) -> bool {
        let state = self.lock();
        let ended = || state.topics.iter().all(|topic| topic.core.is_over());
        state.closed
            || state.over.is_some()
            || !self.is_member() && !state.topics.is_empty() && ended()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(super) fn assignment(&self) -> Vec<TopicPartition> {
        let state = self.lock();
        let mut all: Vec<TopicPartition> = Vec::new();
        for topic in &state.topics {
            let name = topic.core.topic.to_string();
            let reads = topic.held.iter().filter(|(_, held)| !held.leaving);
            all.extend(
                reads.map(|(&partition, _)| TopicPartition { topic: name.clone(), partition }),
            );
        }
        all.sort_unstable();
        all
    }

    pub(super) fn positions(&self) -> Vec<Position> {
        let state = self.lock();
        let mut all = Vec::new();
        for topic in &state.topics {
            all.extend(topic.core.positions().into_iter().map(|position| Position {
                stored_offset: topic.held.get(&position.partition).and_then(|held| held.stored),
                ..position
            }));
        }
        all.sort_unstable_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        all
    }

    pub(super) fn lag(&self) -> u64 {
        self.lock().topics.iter().map(|topic| topic.core.lag()).sum()
    }

    pub(super) fn stats(&self) -> ConsumerStats {
        let state = self.lock();
        let mut stats = state.past;
        for topic in &state.topics {
            stats.add(topic.core.stats());
        }
        stats
    }

    pub(super) fn seek(&self, which: PartitionRef<'_>, start: Start) -> Result<(), Error> {
        let mut state = self.lock();
        let topic = state.read_topic(self, which)?;
        topic.core.seek(which.partition, start.into(), start.is_offset());
        let topic_id = topic.core.topic_id;
        let place = match start {
            Start::Offset(offset) => Some(offset),
            _ => None,
        };
        if let Some(held) = topic.held.get_mut(&which.partition) {
            (held.position, held.done) = (place, place);
        }
        if state.in_hand == Some((topic_id, which.partition)) {
            (state.pending, state.in_hand, state.void) = (None, None, true);
        }
        Ok(())
    }

    pub(super) fn pause(&self, which: PartitionRef<'_>) -> Result<(), Error> {
        self.lock().read_topic(self, which)?.core.pause(which.partition);
        Ok(())
    }

    pub(super) fn resume(&self, which: PartitionRef<'_>) -> Result<(), Error> {
        self.lock().read_topic(self, which)?.core.resume(which.partition);
        Ok(())
    }

    /// Reads a further partition of a topic that is read; for consumers that choose themselves.
    pub(super) fn add(&self, which: PartitionRef<'_>, start: Start) -> Result<(), Error> {
        self.chooses()?;
        let mut state = self.lock();
        let topic = state.topic_named(self, which)?;
        let (name, topic_id) = (Arc::clone(&topic.core.topic), topic.core.topic_id);
        drop(state);
        self.read(&name, topic_id, which.partition, start, None);
        Ok(())
    }

    /// Reads a partition no more; where it stood, if it was read and its place was known.
    pub(super) fn remove(&self, which: PartitionRef<'_>) -> Result<Option<Position>, Error> {
        self.chooses()?;
        let mut state = self.lock();
        let topic = state.topic_named(self, which)?;
        let name = Arc::clone(&topic.core.topic);
        drop(state);
        let key = (name.stream().to_owned(), name.topic().to_owned(), which.partition);
        Ok(self.drop_partition(&key))
    }

    fn chooses(&self) -> Result<(), Error> {
        if !self.is_member() {
            return Ok(());
        }
        let text = "which partitions a member of a group reads is for the group to say";
        Err(Error::new(Code::INVALID_ARGUMENT, text))
    }
}

impl State {
    pub(super) fn held(&mut self, topic_id: u64, partition: u32) -> Option<&mut Held> {
        let topic = self.topics.iter_mut().find(|topic| topic.core.topic_id == topic_id)?;
        topic.held.get_mut(&partition)
    }

    /// The topic of which a partition is held.
    fn topic_of(&mut self, key: &Key) -> Option<&mut Topic> {
        self.topics.iter_mut().find(|topic| {
            let name = &topic.core.topic;
            name.stream() == key.0 && name.topic() == key.1 && topic.held.contains_key(&key.2)
        })
    }

    /// The topic that somebody means.
    fn topic_named(
        &mut self,
        ledger: &Ledger,
        which: PartitionRef<'_>,
    ) -> Result<&mut Topic, Error> {
        let named = which.topic_name()?;
        let wanted = match (&named, &ledger.settings.topics[..]) {
            (Some(named), _) => named,
            (None, [only]) => only,
            (None, several) => {
                let text = format!(
                    "the consumer reads {} topics: partition {} has to be named with its topic",
                    several.len(),
                    which.partition
                );
                return Err(Error::new(Code::INVALID_ARGUMENT, text));
            }
        };
        // The newest of those that had the name.
        let mut found = self.topics.iter_mut().filter(|topic| *topic.core.topic == *wanted);
        let first = found.next();
        let newest = found.fold(first, |best, topic| match best {
            Some(best) if best.core.topic_id > topic.core.topic_id => Some(best),
            _ => Some(topic),
        });
        newest.ok_or_else(|| not_read(wanted, which.partition))
    }

    /// The topic of a partition that is read.
    fn read_topic(
        &mut self,
        ledger: &Ledger,
        which: PartitionRef<'_>,
    ) -> Result<&mut Topic, Error> {
        let topic = self.topic_named(ledger, which)?;
        match topic.held.get(&which.partition) {
            Some(held) if !held.leaving => Ok(topic),
            _ => Err(not_read(&topic.core.topic, which.partition)),
        }
    }
}

fn not_read(topic: &TopicName, partition: u32) -> Error {
    let text = format!("the consumer of {topic} does not read partition {partition}");
    Error::new(Code::PARTITION_NOT_FOUND, text)
}

pub(super) fn part(key: &Key) -> TopicPartition {
    TopicPartition { topic: format!("{}/{}", key.0, key.1), partition: key.2 }
}

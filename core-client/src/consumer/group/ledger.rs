//! What a member reads, how far the application was shown it, and how far that was stored.
//!
//! Shared by the handle and the task. The invariant: a partition's entry moves and goes under the
//! one lock, so nothing is stored for a partition after it was let go of.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidewire_protocol::message::{OffsetStore, StoreOffset};
use tidewire_protocol::name::TopicName;
use tidewire_protocol::session::Key;
use tokio::sync::Notify;

use super::super::batch::Batch;
use super::super::core::{Core, Next};
use super::super::{Start, engine};
use super::{AutoCommit, TopicPartition};
use crate::client::Client;
use crate::error::{Code, Error};

/// Most offsets of one request; with the longest names they fit into a frame's meta.
const PART: usize = 64;

/// What a member was made with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub group: String,
    pub topics: Vec<TopicName>,
    pub member_name: String,
    pub session_timeout_ms: u32,
    pub rebalance_timeout_ms: u32,
    pub auto_commit: AutoCommit,
    pub auto_commit_interval_ms: u32,
    pub prefetch_bytes: u32,
    pub start: Start,
}

#[derive(Debug)]
pub(super) struct Ledger {
    pub client: Client,
    pub settings: Settings,
    state: Mutex<State>,
    /// Wakes the consumer.
    pub arrived: Arc<Notify>,
    /// Wakes the task.
    pub work: Notify,
}

#[derive(Debug, Default)]
struct State {
    held: BTreeMap<Key, Held>,
    /// By topic's number; taken in turn.
    cores: VecDeque<(u64, Arc<Core>)>,
    place: (u64, u32),
    /// What the application was given last.
    in_hand: Option<Key>,
    over: Option<Error>,
    closed: bool,
    /// The task knows that there is something to store.
    planned: bool,
}

#[derive(Debug)]
struct Held {
    topic_id: u64,
    /// The application was shown everything before.
    position: Option<u64>,
    /// The application has done everything before.
    done: Option<u64>,
    /// What is known to be stored.
    stored: Option<u64>,
    /// It is to be released.
    leaving: bool,
}

/// What [`Ledger::take`] finds.
pub(super) enum Found {
    Batch(Box<(Batch, Key, u64)>),
    Failed(Error),
    Closed,
    Nothing,
}

impl Ledger {
    pub(super) fn new(client: Client, settings: Settings) -> Arc<Self> {
        let (arrived, work) = (Arc::new(Notify::new()), Notify::new());
        Arc::new(Self { client, settings, state: Mutex::default(), arrived, work })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic half-way through a change runs under it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The application asks for more: it is done with what it has.
    pub(super) fn done_with_hand(&self) {
        let mut state = self.lock();
        let Some(key) = state.in_hand.take() else { return };
        if let Some(held) = state.held.get_mut(&key) {
            held.done = held.position;
            let wake = held.leaving || self.plans() && !state.planned;
            state.planned |= self.plans();
            drop(state);
            if wake {
                self.work.notify_one();
            }
        }
    }

    fn plans(&self) -> bool {
        self.settings.auto_commit == AutoCommit::After
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
        for _ in 0..state.cores.len() {
            state.cores.rotate_left(1);
            let Some((topic_id, core)) = state.cores.back().cloned() else { break };
            loop {
                match core.take() {
                    Next::Taken(taken) => {
                        let key = key_of(&core.topic, taken.partition);
                        let batch = taken.bytes.and_then(|bytes| {
                            let topic = &core.topic;
                            let (partition, wanted) = (taken.partition, taken.wanted);
                            Batch::verify(topic, partition, wanted, taken.end_offset, bytes)
                        });
                        let batch = match batch {
                            Ok(batch) if batch.is_empty() => continue,
                            Ok(batch) => batch,
                            Err(error) if core.fail(taken.partition, taken.version, &error) => {
                                return Found::Failed(error);
                            }
                            Err(_) => continue,
                        };
                        let next = batch.next_offset();
                        let Some(held) = state.held.get_mut(&key) else { continue };
                        if held.leaving
                            || held.topic_id != topic_id
                            || !core.advance(taken.partition, taken.version, next)
                        {
                            continue;
                        }
                        held.position = Some(next);
                        state.in_hand = Some(key.clone());
                        return Found::Batch(Box::new((batch, key, next)));
                    }
                    Next::Ended { partition, error } => {
                        if let Some(error) = fate(&state, &core, partition, error) {
                            return Found::Failed(error);
                        }
                        if partition.is_none() {
                            break;
                        }
                    }
                    Next::Closed | Next::Empty => break,
                }
            }
        }
        Found::Nothing
    }

    /// Begins to read a partition, at the stored offset if there is one.
    pub(super) fn assign(&self, key: Key, topic_id: u64, offset: Option<u64>) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let core = state.cores.iter().find(|(id, _)| *id == topic_id).map(|(_, core)| core);
        let core = match core {
            Some(core) => Arc::clone(core),
            None => {
                let Ok(topic) = TopicName::new(&key.0, &key.1) else { return };
                let core = Core::new(
                    Arc::clone(&self.client.link),
                    topic,
                    topic_id,
                    self.settings.prefetch_bytes,
                    Arc::clone(&self.arrived),
                );
                tokio::spawn(engine::run(Arc::clone(&core)));
                state.cores.push_back((topic_id, Arc::clone(&core)));
                core
            }
        };
        let held =
            Held { topic_id, position: offset, done: offset, stored: offset, leaving: false };
        state.held.insert(key.clone(), held);
        drop(state);
        let from = offset.map_or(self.settings.start, Start::Offset);
        core.add(key.2, from.into());
    }

    /// Goes on with a partition after the connection was lost; at the stored offset, if that was
    /// moved back meanwhile.
    pub(super) fn keep(&self, key: &Key, offset: Option<u64>) {
        let mut state = self.lock();
        let Some(held) = state.held.get_mut(key) else { return };
        held.leaving = false;
        let Some(offset) = offset.filter(|&offset| held.stored.is_some_and(|s| s > offset))
        else {
            return;
        };
        (held.position, held.done, held.stored) = (Some(offset), Some(offset), Some(offset));
        let topic_id = held.topic_id;
        if let Some((_, core)) = state.cores.iter().find(|(id, _)| *id == topic_id) {
            core.seek(key.2, Start::Offset(offset).into());
        }
    }

    /// Shows nothing more of a partition that has to be released.
    pub(super) fn revoke(&self, key: &Key) {
        let mut state = self.lock();
        let Some(held) = state.held.get_mut(key) else { return };
        held.leaving = true;
        let topic_id = held.topic_id;
        let place = state.stop(key, topic_id);
        if let (Some(held), Some(place)) = (state.held.get_mut(key), place) {
            // Where nothing was read and nothing stored, the next one begins where this one did.
            held.position.get_or_insert(place);
            held.done.get_or_insert(place);
        }
    }

    /// Whether a partition that has to be released can be: the application is done with it.
    pub(super) fn is_done(&self, key: &Key) -> bool {
        self.lock().in_hand.as_ref() != Some(key)
    }

    /// Forgets a partition.
    pub(super) fn drop_partition(&self, key: &Key) {
        let mut state = self.lock();
        if let Some(held) = state.held.remove(key) {
            state.stop(key, held.topic_id);
        }
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

    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let cores = std::mem::take(&mut state.cores);
        drop(state);
        for (_, core) in cores {
            core.abandon();
        }
        self.work.notify_one();
        self.arrived.notify_one();
    }

    /// Whether nothing will come any more.
    pub(super) fn is_over(&self) -> bool {
        let state = self.lock();
        state.closed || state.over.is_some()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// How far the application was shown each partition, beyond what is stored.
    pub(super) fn taken(&self) -> Vec<(Key, u64)> {
        self.ahead(|held| held.position)
    }

    /// How far the application has done each partition, beyond what is stored; of one or of all.
    pub(super) fn done(&self, only: Option<&Key>) -> Vec<(Key, u64)> {
        let mut done = self.ahead(|held| held.done);
        done.retain(|(key, _)| only.is_none_or(|only| key == only));
        done
    }

    fn ahead(&self, of: impl Fn(&Held) -> Option<u64>) -> Vec<(Key, u64)> {
        let state = self.lock();
        let ahead = |(key, held): (&Key, &Held)| {
            let offset = of(held)?;
            held.stored.is_none_or(|stored| offset > stored).then(|| (key.clone(), offset))
        };
        state.held.iter().filter_map(ahead).collect()
    }

    /// Stores offsets. Sending them twice does no harm, so it is done again on a new connection.
    pub(super) async fn store(&self, offsets: &[(Key, u64)]) -> Result<(), Error> {
        let mut failed = None;
        for part in offsets.chunks(PART) {
            let (member_id, member_epoch) = self.place();
            let request = OffsetStore {
                group: self.settings.group.clone(),
                member_id,
                member_epoch,
                offsets: part.iter().map(|(key, offset)| self.row(key, *offset)).collect(),
            };
            let results = self.client.link.query(&request).await?.results;
            for ((key, offset), result) in part.iter().zip(results) {
                if result.code == 0 {
                    if let Some(held) = self.lock().held.get_mut(key) {
                        held.stored = held.stored.max(Some(result.offset));
                    }
                } else if failed.is_none() {
                    failed = Some(Error::new(
                        Code(result.code),
                        format!(
                            "offset {offset} of {}/{}[{}] was not stored for group \"{}\"",
                            key.0, key.1, key.2, self.settings.group
                        ),
                    ));
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn row(&self, key: &Key, offset: u64) -> StoreOffset {
        let topic_id = self.lock().held.get(key).map_or(0, |held| held.topic_id);
        StoreOffset {
            stream: key.0.clone(),
            topic: key.1.clone(),
            partition: key.2,
            topic_id,
            offset,
            note: String::new(),
        }
    }

    pub(super) fn assignment(&self) -> Vec<TopicPartition> {
        self.lock()
            .held
            .iter()
            .filter(|(_, held)| !held.leaving)
            .map(|(k, _)| part(k))
            .collect()
    }

    pub(super) fn lag(&self) -> u64 {
        let state = self.lock();
        let positions = state.cores.iter().flat_map(|(_, core)| core.positions());
        positions.map(|position| position.lag()).sum()
    }
}

impl State {
    /// Stops reading a partition; where the application stood.
    fn stop(&mut self, key: &Key, topic_id: u64) -> Option<u64> {
        let at = self.cores.iter().position(|(id, _)| *id == topic_id)?;
        let core = &self.cores[at].1;
        let place = core.remove(key.2).map(|position| position.next_offset);
        if self.held.values().all(|held| held.topic_id != topic_id || held.leaving)
            && core.positions().is_empty()
            && let Some((_, core)) = self.cores.remove(at)
        {
            core.abandon();
        }
        place
    }
}

/// What to tell of a subscription that ended, if anything.
fn fate(state: &State, core: &Core, partition: Option<u32>, error: Error) -> Option<Error> {
    const GONE: [Code; 3] =
        [Code::TOPIC_NOT_FOUND, Code::STREAM_NOT_FOUND, Code::PARTITION_NOT_FOUND];
    // The group will tell that they are gone.
    if GONE.contains(&error.code()) {
        return None;
    }
    let (Some(partition), Some(offsets)) = (partition, error.offsets()) else {
        return Some(error);
    };
    let position = state.held.get(&key_of(&core.topic, partition)).and_then(|h| h.position);
    if position.is_some_and(|position| position < offsets.start) {
        // Retention was faster: it goes on with what is left.
        tracing::warn!(topic = %core.topic, partition, %error, "records were deleted unread");
        core.seek(partition, Start::Earliest.into());
        return None;
    }
    Some(error)
}

fn key_of(topic: &TopicName, partition: u32) -> Key {
    (topic.stream().to_owned(), topic.topic().to_owned(), partition)
}

pub(super) fn part(key: &Key) -> TopicPartition {
    TopicPartition { topic: format!("{}/{}", key.0, key.1), partition: key.2 }
}

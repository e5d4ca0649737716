//! What happens to the connection, for a program that watches.
//!
//! Owns the event that waits to be taken. The one invariant: a wait that is cancelled loses no
//! event, because waiting and taking are two calls.

use std::sync::{Arc, PoisonError};

use tidewire::blocking::Runtime;
use tidewire::{Event, Events};
use tokio::sync::Mutex;

use crate::call::{limit, on};
use crate::failure::{Failure, NativeError};
use crate::info::{TopicPartition, all};

/// Events that are watched.
#[derive(Debug, uniffi::Object)]
pub struct NativeEvents {
    runtime: Runtime,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Who waits holds it.
    events: Mutex<Events>,
    next: std::sync::Mutex<Option<Event>>,
}

/// An event; what belongs to it is there.
#[derive(Clone, Debug, Default, uniffi::Record)]
pub struct NativeEvent {
    /// `connected`, `disconnected`, `reconnecting`, `gave_up`, `throttled`,
    /// `partitions_assigned`, `partitions_revoked`, `partitions_lost`, `records_skipped` or
    /// `missed`.
    pub kind: String,
    /// The server's address.
    pub address: Option<String>,
    /// Which attempt it is.
    pub attempt: Option<i32>,
    /// Why.
    pub failure: Option<Failure>,
    /// The topic, `stream/topic`.
    pub topic: Option<String>,
    /// The partition.
    pub partition: Option<i32>,
    /// The group.
    pub group: Option<String>,
    /// Partitions of the group.
    pub partitions: Option<Vec<TopicPartition>>,
    /// The record that was due.
    pub from_offset: Option<i64>,
    /// The record at which it goes on.
    pub to_offset: Option<i64>,
    /// How many events were lost.
    pub count: Option<i64>,
}

impl NativeEvents {
    pub(crate) fn new(runtime: Runtime, events: Events) -> Self {
        let shared = Shared { events: Mutex::new(events), next: std::sync::Mutex::new(None) };
        Self { runtime, shared: Arc::new(shared) }
    }
}

impl Shared {
    fn next(&self) -> std::sync::MutexGuard<'_, Option<Event>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait(&self) -> bool {
        let mut events = self.events.lock().await;
        if self.next().is_some() {
            return true;
        }
        let event = events.next().await;
        let some = event.is_some();
        *self.next() = event;
        some
    }
}

#[uniffi::export]
impl NativeEvents {
    /// Waits until there is an event to take; false when the time is over, or when there will be
    /// no more.
    pub async fn ready(&self, limit_ms: Option<i64>) -> Result<bool, NativeError> {
        let (shared, limit) = (Arc::clone(&self.shared), limit("limit_ms", limit_ms)?);
        let waiting = async move {
            Ok::<_, tidewire::Error>(match limit {
                Some(limit) => {
                    tokio::time::timeout(limit, shared.wait()).await.unwrap_or(false)
                }
                None => shared.wait().await,
            })
        };
        on(&self.runtime, waiting).await
    }

    /// The event that was waited for.
    pub fn take(&self) -> Option<NativeEvent> {
        self.shared.next().take().map(Into::into)
    }
}

impl From<Event> for NativeEvent {
    fn from(event: Event) -> Self {
        let named = |kind: &str| Self { kind: kind.to_owned(), ..Self::default() };
        let at = |kind: &str, address: String| Self { address: Some(address), ..named(kind) };
        let places = |kind: &str, group: String, partitions: Vec<tidewire::TopicPartition>| {
            Self { group: Some(group), partitions: Some(all(partitions)), ..named(kind) }
        };
        match event {
            Event::Connected { address } => at("connected", address),
            Event::Disconnected { address, error } => {
                Self { failure: Some(Failure::of(&error)), ..at("disconnected", address) }
            }
            Event::Reconnecting { address, attempt } => {
                Self { attempt: Some(attempt.cast_signed()), ..at("reconnecting", address) }
            }
            Event::GaveUp { error } => {
                Self { failure: Some(Failure::of(&error)), ..named("gave_up") }
            }
            Event::Throttled { topic, partition, error } => Self {
                topic: Some(topic),
                partition: Some(partition.cast_signed()),
                failure: Some(Failure::of(&error)),
                ..named("throttled")
            },
            Event::PartitionsAssigned { group, partitions } => {
                places("partitions_assigned", group, partitions)
            }
            Event::PartitionsRevoked { group, partitions } => {
                places("partitions_revoked", group, partitions)
            }
            Event::PartitionsLost { group, partitions } => {
                places("partitions_lost", group, partitions)
            }
            Event::RecordsSkipped { topic, partition, from_offset, to_offset } => Self {
                topic: Some(topic),
                partition: Some(partition.cast_signed()),
                from_offset: Some(from_offset.cast_signed()),
                to_offset: Some(to_offset.cast_signed()),
                ..named("records_skipped")
            },
            Event::Missed(count) => {
                Self { count: Some(count.cast_signed()), ..named("missed") }
            }
            // One that is newer than this file.
            other => named(&format!("{other:?}")),
        }
    }
}

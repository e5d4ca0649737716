//! What happens to the connection, for an application that wants to watch.
//!
//! Owns the stream of events; those who cause them tell it and never wait for a watcher. The one
//! invariant: a watcher that is too slow loses the oldest events and is told how many, and costs
//! nobody else anything.

use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::TopicPartition;
use crate::error::Error;
use crate::runtime::Runtime;
use crate::runtime::fork::Origin;

/// Events kept for a watcher that is behind.
const KEPT_EVENTS: usize = 256;

/// Something that happened to a client. None of it calls for action: the client goes on by
/// itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A connection was made. The first one is not told: whoever watches has it already.
    Connected {
        /// The server's address, `host:port`.
        address: String,
    },
    /// The connection has ended. What was under way is sent again on the next one.
    Disconnected {
        /// The server's address, `host:port`.
        address: String,
        /// Why.
        error: Error,
    },
    /// A server is about to be tried.
    Reconnecting {
        /// The server's address, `host:port`.
        address: String,
        /// Which attempt it is since the connection was lost, from 1.
        attempt: u32,
    },
    /// There will be no further attempt: no server can be used.
    GaveUp {
        /// Why.
        error: Error,
    },
    /// It goes on more slowly than it could. Either the server refused a batch for now, which is
    /// sent again after a pause; or the client's user is over one of the server's rates
    /// (`RATE_LIMITED`), and what it asks for is carried out later. The latter is told at most once
    /// a second.
    Throttled {
        /// The topic of the batch, `stream/topic`; empty if all that the client asks for waits.
        topic: String,
        /// The partition of the batch.
        partition: u32,
        /// Why: names the rate, and its value.
        error: Error,
    },
    /// A member of a group got partitions to read.
    PartitionsAssigned {
        /// The group.
        group: String,
        /// The partitions.
        partitions: Vec<TopicPartition>,
    },
    /// A member of a group gives up partitions: what was done of them is stored first.
    PartitionsRevoked {
        /// The group.
        group: String,
        /// The partitions.
        partitions: Vec<TopicPartition>,
    },
    /// A member of a group has lost partitions: their topic was deleted, or others read them
    /// already, from the offset that was stored last.
    PartitionsLost {
        /// The group.
        group: String,
        /// The partitions.
        partitions: Vec<TopicPartition>,
    },
    /// A consumer went on behind records that were deleted before it had read them
    /// ([`OnOutOfRange`](crate::OnOutOfRange)).
    RecordsSkipped {
        /// The topic, `stream/topic`.
        topic: String,
        /// The partition.
        partition: u32,
        /// The record that was due.
        from_offset: u64,
        /// The record at which it goes on.
        to_offset: u64,
    },
    /// This many events were lost here, because the watcher was too slow.
    Missed(u64),
}

/// A stream of [`Event`]s, from [`Client::events`](crate::Client::events).
#[derive(Debug)]
pub struct Events {
    receiver: broadcast::Receiver<Event>,
    origin: Origin,
}

impl Events {
    /// Waits for the next event; `None` once the client and all that was made from it are gone.
    /// The future may be dropped at any time; no event is lost by that.
    pub async fn next(&mut self) -> Option<Event> {
        match self.receiver.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(missed)) => Some(Event::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}

impl Events {
    /// As [`next`](Self::next), for a thread that may block: for at most `limit`, after which it
    /// is `None`, too.
    ///
    /// # Errors
    /// Those that [`blocking`](crate::blocking) names.
    pub fn blocking_next(&mut self, limit: Option<Duration>) -> Result<Option<Event>, Error> {
        self.origin.check("watch of events")?;
        let runtime = Runtime::shared()?;
        let event = runtime.try_wait("waiting for an event", limit, self.next())?;
        Ok(event.flatten())
    }
}

/// Where events are told.
#[derive(Clone, Debug)]
pub(crate) struct EventSender {
    sender: broadcast::Sender<Event>,
}

impl Default for EventSender {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(KEPT_EVENTS) }
    }
}

impl EventSender {
    /// Tells an event; made only if somebody watches.
    pub(crate) fn tell(&self, event: impl FnOnce() -> Event) {
        if self.sender.receiver_count() > 0 {
            // A watcher that has just gone is no loss.
            let _ = self.sender.send(event());
        }
    }

    pub(crate) fn subscribe(&self) -> Events {
        Events { receiver: self.sender.subscribe(), origin: Origin::here() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_watcher_is_told_how_many_events_it_missed() {
        let sender = EventSender::default();
        let mut events = sender.subscribe();
        let told = KEPT_EVENTS as u32 + 7;
        for attempt in 1..=told {
            sender.tell(|| Event::Reconnecting { address: "a:1".to_owned(), attempt });
        }
        assert!(matches!(events.next().await, Some(Event::Missed(7))));
        assert!(matches!(events.next().await, Some(Event::Reconnecting { attempt: 8, .. })));
        drop(sender);
        let mut left = 0;
        while events.next().await.is_some() {
            left += 1;
        }
        assert_eq!(left, KEPT_EVENTS - 1);
    }

    #[test]
    fn without_a_watcher_no_event_is_made() {
        EventSender::default().tell(|| panic!("nobody watches"));
    }
}

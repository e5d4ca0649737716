//! The consumer's task: keeps its partitions subscribed.
//!
//! Owns nothing but the waiting: for a connection, for room on it, for the time to try again, and
//! for partitions that were added or moved. The one invariant: it ends when the consumer is
//! closed or the link is over, and sleeps while nothing is due.

use std::sync::Arc;

use tidewire_protocol::message::TopicDescribe;

use super::core::Core;
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::link::Status;

/// Runs until the consumer is closed.
pub(super) async fn run(core: Arc<Core>) {
    let mut status = core.link.status();
    let mut known: Option<Arc<Connection>> = None;
    let mut begun = false;
    let mut room = None;
    loop {
        let now = status.borrow_and_update().clone();
        match now {
            Status::Up(connection) => {
                let fresh = known.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &connection));
                // The consumer was built on the first.
                if fresh && begun && !same_topic(&core, &connection).await {
                    return;
                }
                begun = true;
                core.set_connection(Some(&connection));
                known = Some(connection);
            }
            Status::Down(_) => {
                core.set_connection(None);
                known = None;
            }
            Status::Over(error) => return core.set_over(&error),
        }
        let pass = core.subscribe_due(room.take());
        if pass.closed {
            return;
        }
        let sleep = async {
            match pass.next {
                Some(next) => tokio::time::sleep_until(core.link.instant(next)).await,
                None => std::future::pending().await,
            }
        };
        let more_room = async {
            if let Some(connection) = known.as_ref().filter(|_| pass.blocked) {
                // Kept for the next pass: given back, it would go to another who waits, who would
                // give it back in turn.
                connection.room().await.ok()
            } else {
                std::future::pending().await
            }
        };
        tokio::select! {
            () = core.work() => {}
            _ = status.changed() => {}
            () = sleep => {}
            found = more_room => room = found,
        }
    }
}

/// Whether the topic is still the one that the consumer began with; if not, that is its end. One
/// of the same name has other records under the same offsets.
async fn same_topic(core: &Core, connection: &Connection) -> bool {
    let request = TopicDescribe {
        stream: core.topic.stream().to_owned(),
        topic: core.topic.topic().to_owned(),
    };
    match connection.request(0, &request).await {
        Ok(reply) if reply.topic.id != core.topic_id => {
            core.set_over(&Error::new(
                Code::TOPIC_NOT_FOUND,
                format!("{} was deleted, and another created under its name", core.topic),
            ));
            false
        }
        // Where it is gone, or nothing can be asked, the subscriptions find out.
        _ => true,
    }
}

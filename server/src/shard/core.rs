//! What a shard does, without its runtime and its sockets: it carries out messages, writes what
//! they queued, and hands answers on. The shard's task drives it, or a simulation.
//!
//! Invariant: a partition and a group are touched from here alone.

use std::rc::Rc;
use std::time::Instant;

use tidewire_protocol::connection::Time;
use tidewire_storage::disk::Disk;

use super::groups::{Groups, StoredGroups};
use super::partitions::Partitions;
use crate::message::{Answer, MovedConnection, Origin, ShardMessage};
use crate::shared::Router;

/// The connections of a shard, as far as messages are about them.
pub(crate) trait Connected {
    /// Hands an answer to the connection that waits for it; one that is gone waits no more.
    fn answer(&self, now: Time, origin: Origin, answer: Answer);
    /// Users, or what they may do, have changed: every connection looks again at its own.
    fn access_changed(&self, now: Time);
    /// A connection of another shard has moved here.
    fn arrived(&self, now: Time, moved: MovedConnection);
    /// The shard is to stop.
    fn stop(&self);
}

/// A shard's partitions and groups.
pub(crate) struct Core<D: Disk> {
    router: Rc<Router<D>>,
    partitions: Partitions<D>,
    groups: Groups<D>,
}

impl<D: Disk> Core<D> {
    pub(crate) fn new(router: Rc<Router<D>>, groups: &mut StoredGroups) -> Self {
        Self {
            partitions: Partitions::new(Rc::clone(&router)),
            groups: Groups::new(Rc::clone(&router), groups),
            router,
        }
    }

    /// The server has started.
    pub(crate) fn begin(&mut self) {
        self.partitions.open_expiring();
    }

    pub(crate) fn handle(&mut self, message: ShardMessage<D>, connected: &impl Connected) {
        let partitions = &mut self.partitions;
        match message {
            ShardMessage::Partition { topic, partition, origin, request } => {
                partitions.request(&topic, partition, origin, request);
            }
            ShardMessage::Answer { origin, answer } => {
                return self.answer(origin, answer, connected);
            }
            ShardMessage::Opened { id, result } => partitions.opened(id, *result),
            ShardMessage::Synced { id, outcome } => partitions.synced(id, outcome),
            ShardMessage::Fetched { id, outcome } => partitions.fetched(id, *outcome),
            ShardMessage::LookedUp { id, outcome } => partitions.looked_up(id, *outcome),
            ShardMessage::Trimmed { id, outcome } => partitions.trimmed(id, outcome),
            ShardMessage::TopicChanged(topic) => partitions.topic_changed(&topic),
            ShardMessage::Snapshot { id, outcome } => partitions.snapshot_written(id, outcome),
            ShardMessage::Group { origin, request } => {
                return self.groups.request(origin, *request);
            }
            ShardMessage::GroupsWritten { result } => return self.groups.written(result),
            ShardMessage::CatalogChanged => return self.groups.catalog_changed(),
            ShardMessage::DropTopic { topic, name, done } => {
                partitions.drop_topic(topic, &name, done);
            }
            ShardMessage::AccessChanged => {
                return connected.access_changed(self.router.shared.clock.now());
            }
            ShardMessage::Connection(moved) => {
                return connected.arrived(self.router.shared.clock.now(), *moved);
            }
            ShardMessage::Stop => return connected.stop(),
            // Whoever waits for it looks again after every message.
            ShardMessage::Drained => {}
        }
        self.deliver_answers(connected);
    }

    /// Writes what the partitions and groups queued in this turn.
    pub(crate) fn flush(&mut self, connected: &impl Connected) {
        self.partitions.flush();
        self.partitions.expire();
        self.deliver_answers(connected);
        for (origin, answer) in self.groups.flush() {
            self.answer(origin, answer, connected);
        }
    }

    /// A time that [`Core::groups_due`] named has come.
    pub(crate) fn handle_timeout(&mut self) {
        self.groups.handle_timeout();
    }

    /// When to call [`Core::handle_timeout`].
    pub(crate) fn groups_due(&self) -> Option<Instant> {
        self.groups.deadline()
    }

    /// When to call [`Core::flush`] though nothing was queued.
    pub(crate) fn partitions_due(&self) -> Option<Instant> {
        self.partitions.next_expiry()
    }

    /// The same, of what may be due sooner than a timer can tell.
    pub(crate) fn gathered_at(&self) -> Option<Instant> {
        self.partitions.next_gathered()
    }

    /// Whether a sync is under way.
    pub(crate) fn is_syncing(&self) -> bool {
        self.partitions.is_syncing()
    }

    /// Whether something waits for the disk, or a thread has work of this shard.
    pub(crate) fn is_busy(&self) -> bool {
        self.partitions.is_busy() || self.groups.is_busy()
    }

    /// Syncs and closes every log.
    pub(crate) fn close_all(&mut self) {
        self.partitions.close_all();
    }

    /// Number and epoch of who has a partition of a topic in a group, and what is stored for it.
    #[cfg(feature = "sim")]
    pub(crate) fn offset(
        &self,
        group: &str,
        topic: &str,
        partition: u32,
    ) -> (Option<(u64, u32)>, Option<u64>) {
        self.groups.offset(group, topic, partition)
    }

    /// The epoch of a member of a group, if there is such a member.
    #[cfg(feature = "sim")]
    pub(crate) fn member(&self, group: &str, id: u64) -> Option<u32> {
        self.groups.member(group, id)
    }

    /// Hands on the answers that partitions gave.
    fn deliver_answers(&mut self, connected: &impl Connected) {
        let Some(mut answers) = self.partitions.take_answers() else { return };
        for (origin, answer) in answers.drain(..) {
            self.answer(origin, answer, connected);
        }
        self.partitions.give_back(answers);
    }

    fn answer(&self, origin: Origin, answer: Answer, connected: &impl Connected) {
        if origin.shard == self.router.shard {
            connected.answer(self.router.shared.clock.now(), origin, answer);
        } else {
            self.router.send(origin.shard, ShardMessage::Answer { origin, answer });
        }
    }
}

//! The groups that a shard owns: a [`Coordinator`] with the shard's clock, the catalog, and the
//! groups' writer behind it.

use std::rc::Rc;
use std::time::Instant;

use tidewire_storage::disk::Disk;
use tidewire_storage::groups::StoredGroup;

use crate::group::writer::GroupJob;
use crate::group::{Coordinator, GroupRequest, Limits, Output, World};
use crate::message::{Answer, Origin};
use crate::shared::Router;

/// What the groups of a shard start with.
pub(crate) struct StoredGroups {
    pub(crate) groups: Vec<StoredGroup>,
    pub(crate) limits: Limits,
}

/// All groups of a shard.
pub(crate) struct Groups<D: Disk> {
    router: Rc<Router<D>>,
    coordinator: Coordinator,
}

impl<D: Disk> Groups<D> {
    pub(super) fn new(router: Rc<Router<D>>, stored: &mut StoredGroups) -> Self {
        let shared = &router.shared;
        // The epoch counts the server's starts: no number is ever given out twice.
        let first_member_id = u64::from(shared.leader_epoch) << 32;
        let groups = std::mem::take(&mut stored.groups);
        let catalog = shared.catalog.load();
        let world = World {
            now: shared.clock.now(),
            wall_us: shared.clock.wall_us(),
            catalog: &catalog,
        };
        let coordinator =
            Coordinator::new(world, stored.limits.clone(), first_member_id, groups);
        drop(catalog);
        Self { router, coordinator }
    }

    fn with_world<T>(&mut self, call: impl FnOnce(&mut Coordinator, World<'_>) -> T) -> T {
        let shared = &self.router.shared;
        let catalog = shared.catalog.load();
        let world = World {
            now: shared.clock.now(),
            wall_us: shared.clock.wall_us(),
            catalog: &catalog,
        };
        call(&mut self.coordinator, world)
    }

    pub(super) fn request(&mut self, origin: Origin, request: GroupRequest) {
        self.with_world(|groups, world| groups.request(world, origin, request));
    }

    pub(super) fn catalog_changed(&mut self) {
        self.with_world(Coordinator::catalog_changed);
    }

    pub(super) fn handle_timeout(&mut self) {
        self.with_world(Coordinator::handle_timeout);
    }

    pub(super) fn written(&mut self, result: Result<(), String>) {
        self.with_world(|groups, world| groups.written(world.now, result));
    }

    /// When to call [`Groups::handle_timeout`].
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.coordinator.poll_timeout().map(|time| self.router.shared.clock.instant(time))
    }

    /// See [`Core::offset`](super::Core::offset).
    #[cfg(feature = "sim")]
    pub(super) fn offset(
        &self,
        group: &str,
        topic: &str,
        partition: u32,
    ) -> (Option<(u64, u32)>, Option<u64>) {
        self.coordinator.offset(group, topic, partition)
    }

    /// See [`Core::member`](super::Core::member).
    #[cfg(feature = "sim")]
    pub(super) fn member(&self, group: &str, id: u64) -> Option<u32> {
        self.coordinator.member(group, id)
    }

    /// Whether something waits for the disk.
    pub(super) fn is_busy(&self) -> bool {
        self.coordinator.is_busy()
    }

    /// Sends off what has to be written, and returns what may be told.
    pub(super) fn flush(&mut self) -> Vec<(Origin, Answer)> {
        if let Some(writes) = self.coordinator.take_writes() {
            let shard = self.router.shard;
            // The writer outlives the shards: see `Server`.
            let _ = self.router.shared.group_jobs.send(GroupJob::Write { shard, writes });
        }
        self.coordinator
            .take_outputs()
            .into_iter()
            .map(|output| match output {
                Output::Answer(origin, result) => (origin, Answer::Group(result)),
                Output::Event(origin, event) => (origin, Answer::Member(event)),
                Output::Ended(origin, error) => (origin, Answer::MemberEnded(error)),
            })
            .collect()
    }
}

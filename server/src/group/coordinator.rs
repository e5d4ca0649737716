//! The groups of one shard, and the order in which what happens to them is stored and told.
//!
//! Requests change the groups at once, but what they answer waits until the rows that changed are
//! on the disk. One write is under way at a time; whatever happens meanwhile is the next: so many
//! offsets share one transaction. Reading waits too, so that nobody sees what a crash could undo.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidewire_protocol::connection::Time;
use tidewire_protocol::error::{Code, Disposition, Error};
use tidewire_protocol::limits;
use tidewire_protocol::name::check_name;
use tidewire_storage::groups::{StoredGroup, Writes};

use super::state::Group;
use super::{GroupReply, GroupRequest, Output, World};
use crate::message::Origin;

/// Pause after a write that failed, in milliseconds.
const RETRY_MS: u32 = 1_000;

/// What bounds the groups of a server; those of the protocol unless a test wants less.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) groups: usize,
    pub(crate) members: usize,
    pub(crate) partitions: usize,
    /// How many groups there are, on all shards.
    pub(crate) count: Arc<AtomicUsize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            groups: limits::MAX_GROUPS as usize,
            members: limits::MAX_GROUP_MEMBERS as usize,
            partitions: limits::MAX_GROUP_PARTITIONS as usize,
            count: Arc::default(),
        }
    }
}

/// All groups of a shard.
pub(crate) struct Coordinator {
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) limits: Limits,
    /// Never given out before, by any start of the server.
    pub(super) next_member_id: u64,
    /// When to look at a member again; entries that are out of date do no harm.
    timers: BTreeSet<(Time, String, u64)>,
    /// What happened since the last write began.
    pending: Turn,
    /// What is being written.
    in_flight: Option<Turn>,
    /// The last write failed: the next one not before this.
    retry: Option<Time>,
    /// What may be told.
    ready: Vec<Output>,
}

/// Rows to write, and what to tell once they are on the disk.
#[derive(Default)]
struct Turn {
    writes: Writes,
    outputs: Vec<Output>,
}

/// What carrying out a request leads to, besides the change of the group itself.
pub(super) struct Effects<'a> {
    pub(super) world: World<'a>,
    pub(super) writes: Writes,
    pub(super) outputs: Vec<Output>,
    pub(super) timers: Vec<(Time, u64)>,
}

impl<'a> Effects<'a> {
    pub(super) fn new(world: World<'a>) -> Self {
        Self { world, writes: Writes::default(), outputs: Vec::new(), timers: Vec::new() }
    }
}

impl Coordinator {
    /// The groups that were stored. Their members are away, and waited for from now on.
    /// `first_member_id` is above every number that was ever given out.
    pub(crate) fn new(
        world: World<'_>,
        limits: Limits,
        first_member_id: u64,
        stored: Vec<StoredGroup>,
    ) -> Self {
        limits.count.fetch_add(stored.len(), Ordering::Relaxed);
        let mut coordinator = Self {
            groups: BTreeMap::new(),
            limits,
            next_member_id: first_member_id,
            timers: BTreeSet::new(),
            pending: Turn::default(),
            in_flight: None,
            retry: None,
            ready: Vec::new(),
        };
        for stored in stored {
            let name = stored.name.clone();
            let mut effects = Effects::new(world);
            let group = Group::load(stored, &mut effects);
            coordinator.groups.insert(name.clone(), group);
            coordinator.finish(&name, effects);
        }
        coordinator
    }

    /// Carries out a request. Its answer comes out of [`Coordinator::take_outputs`].
    pub(crate) fn request(&mut self, world: World<'_>, origin: Origin, request: GroupRequest) {
        let name = request.group().to_owned();
        let mut effects = Effects::new(world);
        let wants_answer = !matches!(request, GroupRequest::Detach { .. });
        let result = self.carry_out(&name, request, &mut effects);
        // Events that follow from a request come after its answer.
        if wants_answer {
            effects.outputs.insert(0, Output::Answer(origin, result));
        }
        self.finish(&name, effects);
    }

    fn carry_out(
        &mut self,
        name: &str,
        request: GroupRequest,
        effects: &mut Effects<'_>,
    ) -> Result<GroupReply, Error> {
        match request {
            GroupRequest::Create { .. } => self.create(name, effects),
            GroupRequest::Delete { .. } => self.delete(name, effects),
            GroupRequest::List { after, user } => Ok(self.list(&after, user.as_deref())),
            GroupRequest::Join { join, member, client_name, address } => {
                self.join(&join, member, client_name, address, effects)
            }
            GroupRequest::Leave { member, keep, .. } => {
                if let Some(group) = self.groups.get_mut(name) {
                    group.leave(name, member, keep, effects);
                }
                Ok(GroupReply::Done)
            }
            GroupRequest::Detach { member, .. } => {
                if let Some(group) = self.groups.get_mut(name) {
                    group.detach(name, member, effects);
                }
                Ok(GroupReply::Done)
            }
            GroupRequest::Release { member, partitions, .. } => {
                self.known(name)?.release(member, &partitions, effects)
            }
            GroupRequest::Describe { after, .. } => Ok(self.known(name)?.describe(name, after)),
            GroupRequest::Partitions { after, .. } => Ok(self.known(name)?.partitions(&after)),
            GroupRequest::Store(store) => self.store(&store, effects),
            GroupRequest::Get(get) => self.known(name)?.get(&get, effects.world),
            GroupRequest::Forget(forget) => {
                self.known(name)?.forget(name, &forget.partitions, effects)
            }
            GroupRequest::Reset(reset) => {
                let partitions = self.limits.partitions;
                self.known(name)?.reset(&reset, partitions, effects)
            }
        }
    }

    fn create(&mut self, name: &str, effects: &mut Effects<'_>) -> Result<GroupReply, Error> {
        if self.groups.contains_key(name) {
            let text = format!("group \"{name}\" exists already");
            return Err(Error::new(Code::GROUP_EXISTS, text));
        }
        let group = self.open(name, effects)?.info(name);
        Ok(GroupReply::Create(tidewire_protocol::message::GroupCreateReply { group }))
    }

    /// The group of this name, which is made if there is none.
    pub(super) fn open(
        &mut self,
        name: &str,
        effects: &mut Effects<'_>,
    ) -> Result<&mut Group, Error> {
        if !self.groups.contains_key(name) {
            check_name("group", name)?;
            let count = &self.limits.count;
            if count.load(Ordering::Relaxed) >= self.limits.groups {
                let limit = self.limits.groups;
                return Err(Error::new(
                    Code::TOO_MANY_GROUPS,
                    format!("group \"{name}\" is one too many: there are {limit}, the limit"),
                ));
            }
            count.fetch_add(1, Ordering::Relaxed);
            let group = Group::new(effects.world.wall_us);
            effects.writes.groups.insert(name.to_owned(), group.row.clone());
            self.groups.insert(name.to_owned(), group);
        }
        Ok(self.groups.get_mut(name).expect("it was made"))
    }

    fn delete(&mut self, name: &str, effects: &mut Effects<'_>) -> Result<GroupReply, Error> {
        self.known(name)?.check_no_members(name)?;
        self.groups.remove(name);
        self.limits.count.fetch_sub(1, Ordering::Relaxed);
        effects.writes.remove_group(name);
        Ok(GroupReply::Done)
    }

    pub(super) fn known(&mut self, name: &str) -> Result<&mut Group, Error> {
        self.groups.get_mut(name).ok_or_else(|| {
            Error::new(Code::GROUP_NOT_FOUND, format!("group \"{name}\" does not exist"))
        })
    }

    /// Topics came, went or grew.
    pub(crate) fn catalog_changed(&mut self, world: World<'_>) {
        let names: Vec<String> = self.groups.keys().cloned().collect();
        for name in names {
            let mut effects = Effects::new(world);
            if let Some(group) = self.groups.get_mut(&name) {
                group.catalog_changed(&name, &mut effects);
            }
            self.finish(&name, effects);
        }
    }

    /// A time that [`Coordinator::poll_timeout`] named has come.
    pub(crate) fn handle_timeout(&mut self, world: World<'_>) {
        while let Some((time, name, member)) = self.timers.first().cloned() {
            if time > world.now {
                break;
            }
            self.timers.remove(&(time, name.clone(), member));
            let mut effects = Effects::new(world);
            if let Some(group) = self.groups.get_mut(&name) {
                group.expire(&name, member, &mut effects);
            }
            self.finish(&name, effects);
        }
        if self.retry.is_some_and(|retry| world.now >= retry) {
            self.retry = None;
        }
    }

    /// When to call [`Coordinator::handle_timeout`].
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let first = self.timers.first().map(|(time, _, _)| *time);
        first.into_iter().chain(self.retry).min()
    }

    /// Collects what became of a group's change: rows, answers and events in this order.
    fn finish(&mut self, name: &str, mut effects: Effects<'_>) {
        if let Some(group) = self.groups.get_mut(name) {
            group.settle(name, &mut effects);
        }
        self.timers.extend(
            effects.timers.into_iter().map(|(at, member)| (at, name.to_owned(), member)),
        );
        self.pending.writes.then(effects.writes);
        self.pending.outputs.append(&mut effects.outputs);
    }

    /// Rows to write now, if there are any and no write is under way. Report what came of it with
    /// [`Coordinator::written`].
    pub(crate) fn take_writes(&mut self) -> Option<Writes> {
        if self.in_flight.is_some() || self.retry.is_some() {
            return None;
        }
        let turn = std::mem::take(&mut self.pending);
        if turn.writes.is_empty() {
            self.ready.extend(turn.outputs);
            return None;
        }
        let writes = turn.writes.clone();
        self.in_flight = Some(turn);
        Some(writes)
    }

    /// A write came back. After a failure those who asked are told that the outcome is unknown,
    /// and the rows are written with the next ones.
    pub(crate) fn written(&mut self, now: Time, result: Result<(), String>) {
        let Some(mut turn) = self.in_flight.take() else { return };
        let Err(why) = result else {
            self.ready.append(&mut turn.outputs);
            return;
        };
        let mut later = std::mem::take(&mut self.pending);
        let mut held = Vec::new();
        for output in turn.outputs {
            match output {
                Output::Answer(origin, _) => {
                    let text = format!("the group could not be stored: {why}");
                    let mut error = Error::new(Code::INTERNAL, text);
                    error.disposition = Disposition::OUTCOME_UNKNOWN;
                    self.ready.push(Output::Answer(origin, Err(error)));
                }
                event => held.push(event),
            }
        }
        held.append(&mut later.outputs);
        turn.writes.then(later.writes);
        self.pending = Turn { writes: turn.writes, outputs: held };
        self.retry = Some(now.plus_ms(RETRY_MS));
    }

    /// What may be told now, in order.
    pub(crate) fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.ready)
    }

    /// Whether something waits for the disk.
    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight.is_some() || !self.pending.writes.is_empty() && self.retry.is_none()
    }
}

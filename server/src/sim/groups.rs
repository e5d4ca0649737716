//! The groups of one shard without their shard: what is asked, and what is to be stored.

use tidewire_protocol::connection::Time;
use tidewire_protocol::error::Error;
use tidewire_protocol::message::{OffsetGet, OffsetReset, OffsetStore};
use tidewire_storage::Catalog;
use tidewire_storage::groups::{StoredGroup, Writes};

use crate::group::{Coordinator, GroupReply, GroupRequest, Limits, Output, World};
use crate::message::Origin;

/// What somebody is told.
#[derive(Debug)]
pub enum Told {
    /// Of each offset: its code, 0 if it is stored, and what is stored.
    Stored(Vec<(u16, u64)>),
    /// What is stored, for each partition asked for.
    Found(Vec<Option<u64>>),
    /// It was reset.
    Reset,
    /// Whatever was asked, this is in its way.
    Failed(Error),
}

/// The groups of a server of one shard.
pub struct Groups {
    coordinator: Coordinator,
    catalog: Catalog,
}

impl Groups {
    /// The groups as they were stored.
    pub fn new(now: Time, wall_us: i64, catalog: Catalog, stored: Vec<StoredGroup>) -> Self {
        let world = World { now, wall_us, catalog: &catalog };
        let coordinator = Coordinator::new(world, Limits::default(), 1, stored);
        Self { coordinator, catalog }
    }

    /// Topics came, went or grew.
    pub fn set_catalog(&mut self, now: Time, wall_us: i64, catalog: Catalog) {
        self.catalog = catalog;
        let world = World { now, wall_us, catalog: &self.catalog };
        self.coordinator.catalog_changed(world);
    }

    /// Stores offsets.
    pub fn store(&mut self, now: Time, wall_us: i64, token: u64, store: OffsetStore) {
        self.request(now, wall_us, token, GroupRequest::Store(store));
    }

    /// Asks for offsets.
    pub fn get(&mut self, now: Time, wall_us: i64, token: u64, get: OffsetGet) {
        self.request(now, wall_us, token, GroupRequest::Get(get));
    }

    /// Sets offsets, also backwards.
    pub fn reset(&mut self, now: Time, wall_us: i64, token: u64, reset: OffsetReset) {
        self.request(now, wall_us, token, GroupRequest::Reset(reset));
    }

    fn request(&mut self, now: Time, wall_us: i64, token: u64, request: GroupRequest) {
        let origin = Origin { shard: 0, connection: 0, token };
        let world = World { now, wall_us, catalog: &self.catalog };
        self.coordinator.request(world, origin, request);
    }

    /// What is to be written now, if anything is.
    pub fn take_writes(&mut self) -> Option<Writes> {
        self.coordinator.take_writes()
    }

    /// A write came back.
    pub fn written(&mut self, now: Time, result: Result<(), String>) {
        self.coordinator.written(now, result);
    }

    /// When to call [`Groups::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        self.coordinator.poll_timeout()
    }

    /// A time that [`Groups::poll_timeout`] named has come.
    pub fn handle_timeout(&mut self, now: Time, wall_us: i64) {
        let world = World { now, wall_us, catalog: &self.catalog };
        self.coordinator.handle_timeout(world);
    }

    /// What may be told now, in order.
    pub fn take_told(&mut self) -> Vec<(u64, Told)> {
        let told = |output| match output {
            Output::Answer(origin, result) => Some((origin.token, told(result)?)),
            Output::Event(..) | Output::Ended(..) => None,
        };
        self.coordinator.take_outputs().into_iter().filter_map(told).collect()
    }
}

fn told(result: Result<GroupReply, Error>) -> Option<Told> {
    Some(match result {
        Ok(GroupReply::Store(reply)) => {
            let results = reply.results.into_iter();
            Told::Stored(results.map(|result| (result.code, result.offset)).collect())
        }
        Ok(GroupReply::Get(reply)) => {
            let found = reply.offsets.into_iter();
            Told::Found(found.map(|found| found.stored.then_some(found.offset)).collect())
        }
        Ok(GroupReply::Done) => Told::Reset,
        Ok(_) => return None,
        Err(error) => Told::Failed(error),
    })
}

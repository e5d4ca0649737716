//! What all threads of a server share, and how a shard sends messages.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tidewire_protocol::connection::{ServerConfig, Time};
use tidewire_storage::disk::{Disk, ServerDisk};
use tidewire_storage::{Catalog, TopicDirs};

use crate::auth::Auth;
use crate::catalog::CatalogJob;
use crate::clock::Clock;
use crate::group::writer::GroupJob;
use crate::group::{GroupRequest, shard_of};
use crate::io_pool::IoJob;
use crate::limits::LiveLimits;
use crate::message::{Origin, PartitionId, PartitionRequest, ShardMessage};
use crate::read_budget::ReadBudget;
use crate::rt::Notify;
use crate::tls::Tls;
use crate::usage::Usage;

/// Shared by all threads of a server over the disk `D`; immutable but for the catalog's
/// snapshot, limits and counters.
pub(crate) struct Shared<D: Disk = ServerDisk> {
    pub(crate) clock: Clock,
    pub(crate) disk: D,
    pub(crate) topic_dirs: TopicDirs,
    pub(crate) catalog: ArcSwap<Catalog>,
    pub(crate) auth: Auth,
    pub(crate) limits: Arc<LiveLimits>,
    pub(crate) usage: Arc<Usage>,
    /// Certificates, where TCP connections speak TLS.
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) leader_epoch: u32,
    pub(crate) protocol: Arc<ServerConfig>,
    pub(crate) drain_timeout_ms: u32,
    /// Appends that come one at a time for another shard before their connection moves there.
    pub(crate) appends_before_moving: u32,
    /// How long a shard may look for more before it sleeps.
    pub(crate) busy_poll: Duration,
    /// Shards that still have connections, or take them. A partition is kept until this is 0: any
    /// connection of any shard may wait for it.
    pub(crate) serving_shards: AtomicUsize,
    /// Inboxes. They are not bounded themselves: what lies in them is bounded by the requests
    /// that each connection may have in flight, and shards must never wait for each other.
    pub(crate) inboxes: Vec<flume::Sender<ShardMessage<D>>>,
    pub(crate) catalog_jobs: flume::Sender<CatalogJob>,
    pub(crate) group_jobs: flume::Sender<GroupJob>,
    pub(crate) io_jobs: flume::Sender<IoJob<D>>,
    /// Cold reads. They are not bounded here: each partition has few of them at a time, and they
    /// take memory only once they run, as the budget allows.
    pub(crate) read_jobs: flume::Sender<IoJob<D>>,
    pub(crate) read_budget: Arc<ReadBudget>,
    /// The next producer id, from a range that the catalog reserved.
    pub(crate) next_producer_id: AtomicU64,
}

impl<D: Disk> Shared<D> {
    /// Says that a shard has no connections any more, and wakes those that wait for it.
    pub(crate) fn drained(&self) {
        self.serving_shards.fetch_sub(1, Ordering::AcqRel);
        for inbox in &self.inboxes {
            // A shard that is gone does not wait.
            let _ = inbox.send(ShardMessage::Drained);
        }
    }

    /// Whether no shard has connections any more.
    pub(crate) fn is_drained(&self) -> bool {
        self.serving_shards.load(Ordering::Acquire) == 0
    }

    /// An id that no producer had before.
    pub(crate) fn producer_id(&self) -> u64 {
        self.next_producer_id.fetch_add(1, Ordering::Relaxed)
    }

    /// The id that the next producer will get; all that were given out lie below.
    pub(crate) fn producer_ids_end(&self) -> u64 {
        self.next_producer_id.load(Ordering::Relaxed)
    }
}

/// What requests a shard was asked since it looked last.
#[derive(Clone, Copy, Default)]
pub(crate) struct Arrived {
    /// When the first of them came.
    pub(crate) first: Option<Time>,
    pub(crate) count: u32,
    /// Some have company: of other requests of their connection, or many bytes.
    pub(crate) together: bool,
}

/// A shard's way to everyone, itself included.
pub(crate) struct Router<D: Disk = ServerDisk> {
    pub(crate) shared: Arc<Shared<D>>,
    pub(crate) shard: usize,
    /// Payload bytes of unanswered requests, of all connections of this shard.
    pub(crate) in_flight_bytes: Cell<usize>,
    /// Requests that came while their connection waited for nothing else, and others.
    pub(crate) arrived: Cell<Arrived>,
    /// A sync came to its end, and with it the answers that waited for it.
    pub(crate) answered: Cell<bool>,
    /// How long this shard looks for the next request; zero, if it does not.
    pub(crate) look: Cell<Duration>,
    local: RefCell<VecDeque<ShardMessage<D>>>,
    /// Set when the local queue has something.
    pub(crate) wake: Notify,
}

impl<D: Disk> Router<D> {
    pub(crate) fn new(shared: Arc<Shared<D>>, shard: usize) -> Self {
        Self {
            shared,
            shard,
            in_flight_bytes: Cell::new(0),
            arrived: Cell::default(),
            answered: Cell::default(),
            look: Cell::default(),
            local: RefCell::default(),
            wake: Notify::default(),
        }
    }

    /// Sends to a shard. A shard that is gone takes nothing more: the server is stopping.
    pub(crate) fn send(&self, shard: usize, message: ShardMessage<D>) {
        if shard == self.shard {
            self.local.borrow_mut().push_back(message);
            self.wake.notify();
        } else {
            let _ = self.shared.inboxes[shard].send(message);
        }
    }

    /// Sends a request to a partition, wherever it lives.
    pub(crate) fn partition(
        &self,
        topic: &Arc<tidewire_storage::Topic>,
        partition: u32,
        origin: Origin,
        request: PartitionRequest,
    ) {
        let id = PartitionId { topic: topic.id, partition };
        let message =
            ShardMessage::Partition { topic: Arc::clone(topic), partition, origin, request };
        self.send(id.shard(self.shared.inboxes.len()), message);
    }

    /// Sends a request to a group, wherever it lives.
    pub(crate) fn group(&self, origin: Origin, request: GroupRequest) {
        let shard = shard_of(request.group(), self.shared.inboxes.len());
        self.send(shard, ShardMessage::Group { origin, request: Box::new(request) });
    }

    /// Notes a request that a connection made.
    pub(crate) fn note_request(&self, now: Time, alone: bool) {
        let Arrived { first, count, together } = self.arrived.get();
        let first = first.or(Some(now));
        self.arrived.set(Arrived { first, count: count + 1, together: together || !alone });
    }

    /// The next message that this shard sent to itself.
    pub(crate) fn pop_local(&self) -> Option<ShardMessage<D>> {
        self.local.borrow_mut().pop_front()
    }
}

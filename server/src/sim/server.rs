//! A whole server but for sockets, threads and the runtime: sessions, shards with their partitions
//! and groups, the catalog. One thread drives it: it hands bytes to connections, carries out
//! [`Work`] when it sees fit, and tells the time (see [`set_time`](super::set_time)).
//!
//! Invariant: nothing happens but by a call, and the same calls do the same.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use tidewire_protocol::connection::{ReadPool, ServerConfig, ServerConnection, Time};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::GroupEvent;
use tidewire_storage::catalog::remove_orphans;
use tidewire_storage::disk::Disk;
use tidewire_storage::groups::{GroupStore, StoredGroup};
use tidewire_storage::{CatalogStore, TopicDirs};

use super::Mistake;
use crate::auth::Auth;
use crate::catalog::{Answered, CatalogJob, Writer};
use crate::clock::Clock;
use crate::group::writer::{self, GroupJob};
use crate::group::{GroupRequest, Limits, shard_of};
use crate::io_pool::{self, IoJob};
use crate::limits::LiveLimits;
use crate::message::{Answer, MovedConnection, Origin, PartitionRequest, ShardMessage};
use crate::read_budget::ReadBudget;
use crate::rt;
use crate::session::Session;
use crate::shard::{Connected, Core, READ_POOL_BYTES, StoredGroups};
use crate::shared::{Router, Shared};

/// Bytes that readers may hold: so few that they come to the limit.
const READ_BUDGET_BYTES: usize = 128 << 10;
/// See [`Shared::appends_before_moving`]: so few that connections do move.
const APPENDS_BEFORE_MOVING: u32 = 1;
/// Producer ids reserved at each start.
const PRODUCER_IDS: u64 = 1 << 20;

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory.
    pub dir: PathBuf,
    /// How many shards, 1 or more.
    pub shards: usize,
    /// The number that stays with the data.
    pub server_id: u64,
    /// A deliberate mistake.
    pub mistake: Option<Mistake>,
}

/// One connection, from the server's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    shard: usize,
    id: u64,
}

/// Work for a thread that may block. Catalog work is to be run in the order in which it came.
pub enum Work<D: Disk> {
    /// A sync, a snapshot, the opening of a log and the like.
    Log(LogWork<D>),
    /// A change of streams, topics or named producers.
    Catalog(CatalogWork),
    /// Rows of groups and offsets.
    Groups,
}

/// See [`Work::Log`].
pub struct LogWork<D: Disk>(IoJob<D>);

/// See [`Work::Catalog`].
pub struct CatalogWork(CatalogJob);

/// An offset that somebody wanted to store, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The group.
    pub group: String,
    /// Who wanted it: number and epoch.
    pub member: (u64, u32),
    /// Who had the partition.
    pub owner: Option<(u64, u32)>,
    /// The topic's name.
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// What was stored before.
    pub before: Option<u64>,
    /// What is stored now.
    pub after: Option<u64>,
}

/// The server.
pub struct Server<D: Disk> {
    shared: Arc<Shared<D>>,
    shards: Vec<Shard<D>>,
    catalog: Writer<D>,
    catalog_jobs: flume::Receiver<CatalogJob>,
    /// What waits for a topic that shards still let go of.
    catalog_queue: VecDeque<CatalogJob>,
    deleting: Option<Answered>,
    groups: GroupStore,
    group_jobs: flume::Receiver<GroupJob>,
    group_writes: Vec<GroupJob>,
    io_jobs: flume::Receiver<IoJob<D>>,
    mistake: Option<Mistake>,
    stored: Vec<Stored>,
    /// Where connections are that moved to another shard.
    moved: BTreeMap<Peer, Peer>,
    moves: u64,
}

struct Shard<D: Disk> {
    router: Rc<Router<D>>,
    core: Core<D>,
    inbox: flume::Receiver<ShardMessage<D>>,
    connections: Connections<D>,
}

struct Connections<D: Disk> {
    router: Rc<Router<D>>,
    sessions: RefCell<BTreeMap<u64, Session<D>>>,
    read_pool: RefCell<ReadPool>,
    next_id: Cell<u64>,
    mistake: Option<Mistake>,
    /// The groups of memberships, for a mistake.
    members: RefCell<BTreeMap<Origin, String>>,
}

impl<D: Disk> Connected for Connections<D> {
    fn answer(&self, now: Time, origin: Origin, answer: Answer) {
        if self.mistake == Some(Mistake::EarlyGrants)
            && let Answer::Member(event) = &answer
        {
            self.release_early(origin, event);
        }
        if let Some(session) = self.sessions.borrow_mut().get_mut(&origin.connection) {
            session.handle_answer(now, origin.token, answer);
        }
    }

    fn access_changed(&self, now: Time) {
        for session in self.sessions.borrow_mut().values_mut() {
            session.access_changed(now);
        }
    }

    fn arrived(&self, _: Time, _: MovedConnection) {
        unreachable!("connections of a simulation have no sockets to send");
    }

    fn stop(&self) {}
}

impl<D: Disk> Connections<D> {
    fn release_early(&self, member: Origin, event: &GroupEvent) {
        let Some(group) = self.members.borrow().get(&member).cloned() else { return };
        if !event.revoked.is_empty() {
            let partitions = event.revoked.clone();
            let nobody = Origin { connection: u64::MAX, ..member };
            self.router.group(nobody, GroupRequest::Release { group, member, partitions });
        }
    }
}

impl<D: Disk> Server<D> {
    /// Starts a server on what the disk holds.
    ///
    /// # Errors
    /// The catalog or the groups cannot be opened.
    pub fn start(disk: D, options: &Options) -> Result<Self, tidewire_storage::Error> {
        let clock = Clock::new();
        let topic_dirs = TopicDirs::under(&options.dir);
        let mut store = CatalogStore::over(&disk, &options.dir, clock.wall_us())?;
        let snapshot = store.snapshot();
        remove_orphans(&disk, &topic_dirs, &snapshot)?;
        let groups = GroupStore::over(&disk, &options.dir)?;
        let stored = groups.load()?;
        let server_id = store.server_id(options.server_id)?;
        let producer_ids = store.reserve_producer_ids(PRODUCER_IDS)?;
        let (catalog_sender, catalog_jobs) = flume::unbounded();
        let (group_sender, group_jobs) = flume::unbounded();
        let (io_sender, io_jobs) = flume::unbounded();
        let (inboxes, receivers): (Vec<_>, Vec<_>) =
            (0..options.shards).map(|_| flume::unbounded()).unzip();
        let shared = Arc::new(Shared {
            clock,
            disk,
            topic_dirs,
            catalog: ArcSwap::new(snapshot),
            auth: Auth::open_to_all(&store),
            limits: Arc::new(LiveLimits::new(&crate::limits::Limits::default())),
            usage: Arc::default(),
            tls: None,
            leader_epoch: store.leader_epoch(),
            protocol: Arc::new(ServerConfig { server_id, ..ServerConfig::default() }),
            drain_timeout_ms: 0,
            appends_before_moving: APPENDS_BEFORE_MOVING,
            // Of it, only that short times can be told.
            busy_poll: Duration::from_micros(200),
            serving_shards: AtomicUsize::new(options.shards),
            inboxes,
            catalog_jobs: catalog_sender,
            group_jobs: group_sender,
            io_jobs: io_sender.clone(),
            read_jobs: io_sender,
            read_budget: ReadBudget::new(READ_BUDGET_BYTES),
            next_producer_id: AtomicU64::new(producer_ids.start),
        });
        let limits = Limits::default();
        let mut by_shard: Vec<Vec<StoredGroup>> =
            (0..options.shards).map(|_| Vec::new()).collect();
        for group in stored {
            by_shard[shard_of(&group.name, options.shards)].push(group);
        }
        let mut shards = Vec::new();
        for (number, (inbox, groups)) in receivers.into_iter().zip(by_shard).enumerate() {
            let router = Rc::new(Router::new(Arc::clone(&shared), number));
            let mut groups = StoredGroups { groups, limits: limits.clone() };
            let mut core = Core::new(Rc::clone(&router), &mut groups);
            core.begin();
            let connections = Connections {
                router: Rc::clone(&router),
                sessions: RefCell::default(),
                read_pool: RefCell::new(ReadPool::new(READ_POOL_BYTES)),
                next_id: Cell::new(1),
                mistake: options.mistake,
                members: RefCell::default(),
            };
            shards.push(Shard { router, core, inbox, connections });
        }
        Ok(Self {
            catalog: Writer::new(store, Arc::clone(&shared)),
            shared,
            shards,
            catalog_jobs,
            catalog_queue: VecDeque::new(),
            deleting: None,
            groups,
            group_jobs,
            group_writes: Vec::new(),
            io_jobs,
            mistake: options.mistake,
            stored: Vec::new(),
            moved: BTreeMap::new(),
            moves: 0,
        })
    }

    /// A client connects to one of the shards.
    pub fn connect(&mut self, shard: usize, address: std::net::SocketAddr) -> Peer {
        let connections = &self.shards[shard].connections;
        let id = connections.next_id.get();
        connections.next_id.set(id + 1);
        let now = self.shared.clock.now();
        let protocol = ServerConnection::new(Arc::clone(&self.shared.protocol), now);
        let mut session =
            Session::new(protocol, Rc::clone(&connections.router), id, rt::Peer::Tcp(address));
        session.begin(now);
        session.allow_moving();
        connections.sessions.borrow_mut().insert(id, session);
        Peer { shard, id }
    }

    fn with<T>(&self, peer: Peer, call: impl FnOnce(&mut Session<D>) -> T) -> Option<T> {
        let peer = self.whereabouts(peer);
        let mut sessions = self.shards[peer.shard].connections.sessions.borrow_mut();
        sessions.get_mut(&peer.id).map(call)
    }

    fn whereabouts(&self, peer: Peer) -> Peer {
        self.moved.get(&peer).copied().unwrap_or(peer)
    }

    /// Has a connection go to the shard that it wants to go to, if it does.
    fn send_off(&mut self, peer: Peer) {
        let from = self.whereabouts(peer);
        let Some(Some(shard)) = self.with(peer, |session| session.destination()) else {
            return;
        };
        let session =
            self.shards[from.shard].connections.sessions.borrow_mut().remove(&from.id);
        let Some(parcel) = session.and_then(Session::pack) else { return };
        let now = self.shared.clock.now();
        let connections = &self.shards[shard].connections;
        let id = connections.next_id.get();
        connections.next_id.set(id + 1);
        let session = Session::unpack(parcel, Rc::clone(&connections.router), id, now);
        connections.sessions.borrow_mut().insert(id, session);
        self.moved.insert(peer, Peer { shard, id });
        self.moves += 1;
    }

    /// Whether a connection takes bytes now.
    pub fn wants_input(&self, peer: Peer) -> bool {
        self.with(peer, |session| session.wants_input() || session.is_closed()).unwrap_or(true)
    }

    /// Bytes arrived on a connection.
    pub fn receive(&mut self, peer: Peer, bytes: &[u8]) {
        let now = self.shared.clock.now();
        let shard = self.whereabouts(peer).shard;
        let mut pool = self.shards[shard].connections.read_pool.borrow_mut();
        self.with(peer, |session| {
            let mut buf = session.take_read_buf(&mut pool);
            buf.extend_from_slice(bytes);
            session.handle_input(now, buf);
        });
        drop(pool);
        self.send_off(peer);
    }

    /// The peer of a connection is gone.
    pub fn receive_end(&mut self, peer: Peer) {
        let now = self.shared.clock.now();
        self.with(peer, |session| session.handle_eof(now));
    }

    /// What a connection has to say; nothing if `out` stays empty.
    pub fn transmit(&mut self, peer: Peer, out: &mut Vec<Bytes>) {
        self.with(peer, |session| session.poll_transmit(out));
    }

    /// Bytes that wait to be transmitted on a connection.
    pub fn queued_bytes(&self, peer: Peer) -> usize {
        self.with(peer, |session| session.queued_bytes()).unwrap_or(0)
    }

    /// Whether a connection is over, once what it has to say is said.
    pub fn is_over(&self, peer: Peer) -> bool {
        self.with(peer, |session| session.is_closed()).unwrap_or(true)
    }

    /// Forgets a connection that is over.
    pub fn forget(&mut self, peer: Peer) {
        let at = self.whereabouts(peer);
        self.shards[at.shard].connections.sessions.borrow_mut().remove(&at.id);
        self.moved.remove(&peer);
    }

    /// Carries out every message there is, as the shards would in their turns.
    pub fn turn(&mut self) {
        loop {
            self.go_on_deleting();
            let mut idle = true;
            for at in 0..self.shards.len() {
                while let Some(message) = self.next_message(at) {
                    idle = false;
                    self.handle(at, message);
                }
                let shard = &mut self.shards[at];
                shard.core.flush(&shard.connections);
            }
            if idle && self.shards.iter().all(|shard| shard.inbox.is_empty()) {
                return;
            }
        }
    }

    fn next_message(&mut self, at: usize) -> Option<ShardMessage<D>> {
        let shard = &self.shards[at];
        shard.router.pop_local().or_else(|| shard.inbox.try_recv().ok())
    }

    fn handle(&mut self, at: usize, mut message: ShardMessage<D>) {
        self.note_membership(&message);
        let wanted = match &message {
            ShardMessage::Group { request, .. } => self.look_at(at, request),
            _ => Vec::new(),
        };
        if let Some(mistake) = self.mistake {
            self.bend(at, mistake, &mut message);
        }
        let shard = &mut self.shards[at];
        shard.core.handle(message, &shard.connections);
        for mut stored in wanted {
            let found = shard.core.offset(&stored.group, &stored.topic, stored.partition);
            stored.after = found.1;
            self.stored.push(stored);
        }
    }

    /// What a request to store offsets is about.
    fn look_at(&self, at: usize, request: &GroupRequest) -> Vec<Stored> {
        let GroupRequest::Store(store) = request else { return Vec::new() };
        let core = &self.shards[at].core;
        let look = |offset: &tidewire_protocol::message::StoreOffset| {
            let (owner, before) = core.offset(&store.group, &offset.topic, offset.partition);
            Stored {
                group: store.group.clone(),
                member: (store.member_id, store.member_epoch),
                owner,
                topic: offset.topic.clone(),
                partition: offset.partition,
                before,
                after: None,
            }
        };
        store.offsets.iter().map(look).collect()
    }

    fn note_membership(&self, message: &ShardMessage<D>) {
        if let ShardMessage::Group { request, .. } = message
            && let GroupRequest::Join { join, member, .. } = &**request
        {
            // Events go to the shard of the connection.
            let members = &self.shards[member.shard].connections.members;
            members.borrow_mut().insert(*member, join.group.clone());
        }
    }

    fn bend(&self, at: usize, mistake: Mistake, message: &mut ShardMessage<D>) {
        match (mistake, message) {
            (
                Mistake::SharedSequences,
                ShardMessage::Partition { request: PartitionRequest::Append(append), .. },
            ) if append.claim.producer_id != 0 => append.claim.producer_id = 1,
            (Mistake::StaleCommits, ShardMessage::Group { request, .. }) => {
                if let GroupRequest::Store(store) = &mut **request
                    && let Some(first) = store.offsets.first()
                {
                    let core = &self.shards[at].core;
                    let owner = core.offset(&store.group, &first.topic, first.partition).0;
                    if let Some((id, epoch)) = owner {
                        (store.member_id, store.member_epoch) = (id, epoch);
                    }
                }
            }
            _ => {}
        }
    }

    /// What has to be done elsewhere since the last call.
    pub fn take_work(&mut self) -> Vec<Work<D>> {
        let mut work: Vec<Work<D>> =
            self.io_jobs.try_iter().map(|job| Work::Log(LogWork(job))).collect();
        let jobs = self.catalog_jobs.try_iter();
        work.extend(jobs.map(|job| Work::Catalog(CatalogWork(job))));
        let written = self.group_writes.len();
        self.group_writes.extend(self.group_jobs.try_iter());
        if written == 0 && !self.group_writes.is_empty() {
            work.push(Work::Groups);
        }
        work
    }

    /// Does some work, now. The shards hear of it in their next turn.
    pub fn run(&mut self, work: Work<D>) {
        match work {
            Work::Log(LogWork(job)) => io_pool::carry_out(job),
            Work::Catalog(CatalogWork(job)) => {
                self.catalog_queue.push_back(job);
                self.go_on_deleting();
            }
            Work::Groups => {
                let jobs = std::mem::take(&mut self.group_writes).into_iter();
                let writes: Vec<_> = jobs.filter_map(GroupJob::into_writes).collect();
                let done = if self.mistake == Some(Mistake::ForgottenGroups) {
                    writes.iter().map(|(shard, _)| (*shard, Ok(()))).collect()
                } else {
                    writer::write(&self.groups, &writes)
                };
                for (shard, result) in done {
                    let message = ShardMessage::GroupsWritten { result };
                    let _ = self.shared.inboxes[shard].send(message);
                }
            }
        }
    }

    /// Carries out what waits for the catalog, as far as it need not wait for shards.
    fn go_on_deleting(&mut self) {
        loop {
            if let Some(answered) = &self.deleting {
                let over = |gone: &crate::catalog::Gone| {
                    gone.let_go.try_recv() == Err(flume::TryRecvError::Disconnected)
                };
                if !answered.gone.iter().all(over) {
                    return;
                }
            }
            if let Some(Answered { origin, answer, gone }) = self.deleting.take() {
                for topic in gone {
                    self.catalog.remove_files(topic.id);
                }
                self.catalog.tell(origin, answer);
            }
            let Some(job) = self.catalog_queue.pop_front() else { return };
            self.deleting = self.catalog.carry_out(job);
        }
    }

    /// When to call [`Server::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        let clock = &self.shared.clock;
        let mut next: Option<Time> = None;
        let mut at = |time: Option<Time>| next = next.into_iter().chain(time).min();
        for shard in &self.shards {
            at(shard.core.groups_due().map(|due| clock.time(due)));
            at(shard.core.partitions_due().map(|due| clock.time(due)));
            for session in shard.connections.sessions.borrow().values() {
                at(if session.is_closed() { None } else { session.poll_timeout() });
            }
        }
        next
    }

    /// A time that [`Server::poll_timeout`] named has come.
    pub fn handle_timeout(&mut self) {
        let clock = self.shared.clock;
        let now = clock.now();
        for shard in &mut self.shards {
            if shard.core.groups_due().is_some_and(|due| clock.time(due) <= now) {
                shard.core.handle_timeout();
            }
            for session in shard.connections.sessions.borrow_mut().values_mut() {
                if !session.is_closed() && session.poll_timeout().is_some_and(|at| at <= now) {
                    session.handle_timeout(now);
                }
            }
        }
    }

    /// The server is to stop: connections answer what they accepted, and close.
    pub fn drain(&mut self) {
        let now = self.shared.clock.now();
        let error = Error::new(Code::SHUTTING_DOWN, "the server is shutting down");
        for shard in &self.shards {
            for session in shard.connections.sessions.borrow_mut().values_mut() {
                session.drain(now, &error);
            }
        }
    }

    /// Whether something waits for work under way.
    pub fn is_busy(&self) -> bool {
        self.shards.iter().any(|shard| shard.core.is_busy())
    }

    /// Syncs and closes every log. Only when it is not busy.
    pub fn close(mut self) {
        self.shards.iter_mut().for_each(|shard| shard.core.close_all());
    }

    /// Offsets that somebody wanted to store since the last call.
    pub fn take_stored(&mut self) -> Vec<Stored> {
        std::mem::take(&mut self.stored)
    }

    /// Connections that moved to another shard since the last call.
    pub fn take_moves(&mut self) -> u64 {
        std::mem::take(&mut self.moves)
    }

    /// Who has a partition in a group, and what is stored for it.
    pub fn offset(
        &self,
        group: &str,
        topic: &str,
        partition: u32,
    ) -> (Option<(u64, u32)>, Option<u64>) {
        self.shards[shard_of(group, self.shards.len())].core.offset(group, topic, partition)
    }

    /// The epoch of a member of a group, if there is such a member.
    pub fn member(&self, group: &str, id: u64) -> Option<u32> {
        self.shards[shard_of(group, self.shards.len())].core.member(group, id)
    }
}

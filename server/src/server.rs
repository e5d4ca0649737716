//! Starting and stopping a server: the order in which its parts come and go.
//!
//! Start: the data directory is locked, the catalog opened, the sockets bound, then threads
//! start. Stop: shards drain and close their logs, then the threads that served them end, then
//! the directory is released.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use tidewire_protocol::auth::Secret;
use tidewire_protocol::connection::ServerConfig;
use tidewire_storage::catalog::remove_orphans;
use tidewire_storage::disk::RealDisk;
use tidewire_storage::groups::{GroupStore, StoredGroup};
use tidewire_storage::{CatalogStore, DataDir};

use crate::auth::{self, Auth};
use crate::catalog::CatalogJob;
use crate::clock::Clock;
use crate::config::{Config, Credentials, MAX_SHARDS, READ_MEMORY_BYTES_RANGE};
use crate::error::{Error, ErrorKind};
use crate::group::writer::GroupJob;
use crate::limits::{Limits, LiveLimits};
use crate::message::ShardMessage;
use crate::read_budget::ReadBudget;
use crate::shard::APPENDS_BEFORE_MOVING;
use crate::shared::Shared;
use crate::tls::Tls;
use crate::{catalog, group, io_pool, listen, rt, shard};

/// Producer ids reserved at each start: more than a server can give out before the next one.
const PRODUCER_IDS: u64 = 1 << 40;

/// A running server.
pub struct Server {
    address: SocketAddr,
    shards: Vec<JoinHandle<std::io::Result<()>>>,
    io_threads: Vec<JoinHandle<()>>,
    catalog_thread: JoinHandle<()>,
    group_thread: JoinHandle<()>,
    stopper: Stopper,
    shared: Arc<Shared>,
    data_dir: Arc<DataDir>,
    socket: Option<listen::LocalSocket>,
    first_token: Option<Secret>,
}

/// Asks a server to stop, from any thread.
#[derive(Clone)]
pub struct Stopper {
    inboxes: Vec<flume::Sender<ShardMessage>>,
}

impl Stopper {
    /// Asks the server to drain, sync and end; [`Server::join`] waits for it.
    pub fn stop(&self) {
        for inbox in &self.inboxes {
            let _ = inbox.send(ShardMessage::Stop);
        }
    }
}

/// What can be changed of a running server, from any thread.
#[derive(Clone)]
pub struct Reloader {
    limits: Arc<LiveLimits>,
    tls: Option<Arc<Tls>>,
}

/// Certificates that were read and can be used.
pub struct NewCertificates {
    tls: Arc<Tls>,
    config: rustls::ServerConfig,
}

impl Reloader {
    /// Has other limits hold from now on. Connections that are over one stay; what is asked of
    /// them from now on is judged by it.
    pub fn set_limits(&self, limits: &Limits) {
        self.limits.set(limits);
    }

    /// Reads the certificates again; `None` if the server has none. Nothing changes before
    /// [`NewCertificates::use_them`].
    pub fn read_certificates(&self) -> Result<Option<NewCertificates>, Error> {
        let Some(tls) = &self.tls else { return Ok(None) };
        Ok(Some(NewCertificates { tls: Arc::clone(tls), config: tls.read_again()? }))
    }
}

impl NewCertificates {
    /// Shows them to the connections that are made from now on.
    pub fn use_them(self) {
        self.tls.replace(self.config);
    }
}

impl Server {
    /// Starts a server; it takes connections when this returns.
    pub fn start(config: &Config) -> Result<Self, Error> {
        if !(1..=MAX_SHARDS).contains(&config.shards) {
            return Err(Error::new(
                ErrorKind::Config,
                format!("{} shards: the number is 1 to {MAX_SHARDS}", config.shards),
            ));
        }
        let tls = config.tls.as_ref().map(Tls::load).transpose()?.map(Arc::new);
        rt::raise_limits();
        let clock = Clock::new();
        let data_dir = DataDir::open(&config.data_dir)?;
        let data_dir = Arc::new(data_dir.with_keys(config.at_rest_keys.clone())?);
        data_dir.note_key()?;
        let mut store = CatalogStore::open(&data_dir, clock.wall_us())?;
        let snapshot = store.snapshot();
        remove_orphans(&RealDisk, &data_dir.topic_dirs(), &snapshot)?;
        let groups = GroupStore::open(&data_dir)?;
        let stored = groups.load()?;
        let server_id = store.server_id(random())?;
        let producer_ids = store.reserve_producer_ids(PRODUCER_IDS)?;
        let listeners = listen::bind(config.listen, config.shards).map_err(|error| {
            let text = match error.kind() {
                std::io::ErrorKind::AddrInUse => format!(
                    "cannot listen on {}: the port is in use by another program",
                    config.listen
                ),
                _ => format!("cannot listen on {}: {error}", config.listen),
            };
            Error::new(ErrorKind::Listen, text)
        })?;
        let address =
            listeners[0].local_addr().map_err(|error| system("the address", &error))?;
        let (socket, mut local) = match &config.socket_dir {
            Some(directory) => {
                let bound = listen::LocalSocket::bind(directory, address.port());
                let (socket, listener) = bound.map_err(|error| {
                    let text = format!(
                        "cannot make a Unix socket in {}: {error}",
                        directory.display()
                    );
                    Error::new(ErrorKind::Listen, text)
                })?;
                (Some(socket), Some(listener))
            }
            None => (None, None),
        };
        let required = config.credentials == Credentials::Required;
        let first_token = match required {
            true => auth::first_start(&mut store, clock.wall_us())?,
            false => None,
        };
        let auth = Auth::new(required, &mut store)?;

        let (least, most) = (*READ_MEMORY_BYTES_RANGE.start(), *READ_MEMORY_BYTES_RANGE.end());
        let read_memory_bytes = config.read_memory_bytes.clamp(least, most);
        let (catalog_jobs, catalog_inbox) = flume::unbounded();
        let (group_jobs, group_inbox) = flume::unbounded();
        let (io_jobs, io_inbox) = flume::unbounded();
        let (read_jobs, read_inbox) = flume::unbounded();
        let (inboxes, receivers): (Vec<_>, Vec<_>) =
            (0..config.shards).map(|_| flume::unbounded()).unzip();
        let stopper = Stopper { inboxes: inboxes.clone() };
        let shared = Arc::new(Shared {
            clock,
            disk: data_dir.disk(),
            topic_dirs: data_dir.topic_dirs(),
            catalog: ArcSwap::new(snapshot),
            auth,
            limits: Arc::new(LiveLimits::new(&config.limits)),
            usage: Arc::default(),
            tls,
            leader_epoch: store.leader_epoch(),
            protocol: Arc::new(ServerConfig { server_id, ..ServerConfig::default() }),
            drain_timeout_ms: config.drain_timeout_ms,
            appends_before_moving: APPENDS_BEFORE_MOVING,
            busy_poll: Duration::from_micros(u64::from(config.busy_poll_us)),
            serving_shards: AtomicUsize::new(config.shards),
            inboxes,
            catalog_jobs,
            group_jobs,
            io_jobs,
            read_jobs,
            read_budget: ReadBudget::new(read_memory_bytes),
            next_producer_id: AtomicU64::new(producer_ids.start),
        });
        let threads = config.io_threads.max(1);
        let mut io_threads = io_pool::start("io", threads, &io_inbox)
            .map_err(|error| system("an I/O thread", &error))?;
        let read_threads = io_pool::start("read", threads, &read_inbox)
            .map_err(|error| system("a reading thread", &error))?;
        io_threads.extend(read_threads);
        let catalog_thread = catalog::start(store, Arc::clone(&shared), catalog_inbox)
            .map_err(|error| system("the catalog's thread", &error))?;
        let group_thread = group::writer::start(groups, Arc::clone(&shared), group_inbox)
            .map_err(|error| system("the groups' thread", &error))?;
        let limits = group::Limits::default();
        let mut stored = by_shard(stored, config.shards);

        let (ready, all_ready) = flume::unbounded();
        let mut shards = Vec::with_capacity(config.shards);
        for (number, (inbox, listener)) in receivers.into_iter().zip(listeners).enumerate() {
            let groups = shard::StoredGroups {
                groups: std::mem::take(&mut stored[number]),
                limits: limits.clone(),
            };
            let shared = Arc::clone(&shared);
            let socket = local.take();
            let start = shard::Start { shard: number, shared, inbox, listener, socket, groups };
            let ready = ready.clone();
            let thread = std::thread::Builder::new()
                .name(format!("tidewire-shard-{number}"))
                .spawn(move || run_shard(start, ready))
                .map_err(|error| system("a shard", &error))?;
            shards.push(thread);
        }
        drop(ready);
        // Each shard drops its sender once it runs, or cannot.
        let drivers: Vec<rt::Driver> = all_ready.iter().collect();
        let server = Self {
            address,
            shards,
            io_threads,
            catalog_thread,
            group_thread,
            stopper,
            shared,
            data_dir,
            socket,
            first_token,
        };
        if drivers.len() < config.shards {
            server.stopper.stop();
            return match server.join() {
                Err(error) => Err(error),
                Ok(()) => Err(Error::new(ErrorKind::System, "a shard did not start")),
            };
        }
        if let Some(key) = config.at_rest_keys.last() {
            tracing::info!(key = key.id(), "new segments are encrypted at rest");
        }
        tracing::info!(
            address = %server.address, shards = config.shards, driver = %drivers[0],
            data = %config.data_dir.display(), epoch = server.shared.leader_epoch,
            "serving"
        );
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its Unix socket, if it has one.
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_ref().map(listen::LocalSocket::path)
    }

    /// A token of `root`, if this was the first start with credentials: it is told here only.
    pub fn first_token(&self) -> Option<&Secret> {
        self.first_token.as_ref()
    }

    /// A way to change what can be changed while it runs.
    pub fn reloader(&self) -> Reloader {
        Reloader { limits: Arc::clone(&self.shared.limits), tls: self.shared.tls.clone() }
    }

    /// A way to stop it.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Waits until it was stopped and everything is on the disk.
    pub fn join(self) -> Result<(), Error> {
        let mut result = Ok(());
        for shard in self.shards {
            // A panic has ended the process before it could get here.
            if let Ok(Err(error)) = shard.join() {
                result = Err(system("a shard", &error));
            }
        }
        let _ = self.shared.catalog_jobs.send(CatalogJob::Stop);
        let _ = self.catalog_thread.join();
        let _ = self.shared.group_jobs.send(GroupJob::Stop);
        let _ = self.group_thread.join();
        // The last sender of jobs goes with it, which ends the I/O threads.
        drop(self.shared);
        for thread in self.io_threads {
            let _ = thread.join();
        }
        drop(self.socket);
        drop(self.data_dir);
        result
    }
}

/// The groups that each shard has.
fn by_shard(stored: Vec<StoredGroup>, shards: usize) -> Vec<Vec<StoredGroup>> {
    let mut lists: Vec<Vec<StoredGroup>> = (0..shards).map(|_| Vec::new()).collect();
    for group in stored {
        lists[group::shard_of(&group.name, shards)].push(group);
    }
    lists
}

/// A number from the system's randomness, by way of the keys that the standard library takes
/// from it for its maps.
#[expect(
    clippy::disallowed_methods,
    reason = "the server's one random number, drawn at its first start"
)]
fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// A panic in a shard leaves partitions in an unknown state and their clients without an answer:
/// the process ends, and recovery starts from what is on the disk.
fn run_shard(start: shard::Start, ready: flume::Sender<rt::Driver>) -> std::io::Result<()> {
    let (number, shared) = (start.shard, Arc::clone(&start.shared));
    let result =
        catch_unwind(AssertUnwindSafe(|| shard::run(start, ready))).unwrap_or_else(|_| {
            tracing::error!(shard = number, "a shard panicked; ending the process");
            std::process::abort()
        });
    if result.is_err() {
        // It did not get as far as serving; the others must not wait for it.
        shared.drained();
    }
    result
}

fn system(what: &str, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::System, format!("{what} could not be set up: {error}"))
}

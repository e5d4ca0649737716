//! What a server is told when it starts.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use tidewire_protocol::batch::EncryptionKeys;

use crate::limits::Limits;
use crate::tls::TlsFiles;

/// Most shards that a server may have.
pub const MAX_SHARDS: usize = 256;

/// Fewest and most bytes of batches that readers may be allowed to hold: room for a few reads, and
/// what a large machine has.
pub const READ_MEMORY_BYTES_RANGE: RangeInclusive<usize> = 1 << 20..=1 << 40;
/// Bytes of batches that readers may hold, unless it is said otherwise.
pub const DEFAULT_READ_MEMORY_BYTES: usize = 64 << 20;

/// The longest that a shard may look for requests before it sleeps, in microseconds: what is not
/// there after a millisecond is not worth a processor.
pub const MAX_BUSY_POLL_US: u32 = 1_000;
/// How long a shard looks for requests, unless it is said otherwise, in microseconds: a few
/// times what a client needs that is woken by the reply before it asks again.
pub const DEFAULT_BUSY_POLL_US: u32 = 200;

/// Settings of a server. `Config::new` gives the defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data directory, created if it is missing.
    pub data_dir: PathBuf,
    /// Where to listen. Port 0 lets the system choose: see [`Server::address`](crate::Server::address).
    pub listen: SocketAddr,
    /// Number of shards, 1 to [`MAX_SHARDS`]; one per core by default.
    pub shards: usize,
    /// Threads for syncs and other calls that block, shared by all shards; and as many for reads
    /// that miss what is in memory.
    pub io_threads: usize,
    /// Bytes of batches that all readers together may hold in the server's memory: what is kept of
    /// the ends of partitions and of recent reads, at most half of it, and what is queued for
    /// consumers. When they are used up, each consumer gets on in steps of 32 KiB or a batch. Held
    /// within [`READ_MEMORY_BYTES_RANGE`].
    pub read_memory_bytes: usize,
    /// Time that a stop gives to requests under way, in milliseconds.
    pub drain_timeout_ms: u32,
    /// How long a shard that was found to be worth it looks for the next request before it sleeps,
    /// in microseconds: 0 (never) to [`MAX_BUSY_POLL_US`].
    pub busy_poll_us: u32,
    /// How much of everything there may be; can be changed while the server runs.
    pub limits: Limits,
    /// Whether clients must say who they are.
    pub credentials: Credentials,
    /// The keys that segments are encrypted with before they reach the disk: the last for new
    /// ones, the others to read older ones. Without a key nothing is encrypted.
    pub at_rest_keys: EncryptionKeys,
    /// Has every TCP connection speak TLS.
    pub tls: Option<TlsFiles>,
    /// Where a Unix socket is made for the programs of this machine, if one is: its directory,
    /// which is created if it is missing and has to be this user's own. The socket is called after
    /// the port.
    pub socket_dir: Option<PathBuf>,
}

/// Whether clients must say who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Everybody who reaches the server may do everything.
    #[default]
    None,
    /// They must. The first start makes the user `root`, and a token: see
    /// [`Server::first_token`](crate::Server::first_token).
    Required,
}

impl Config {
    /// Defaults, for a data directory and an address.
    pub fn new(data_dir: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self {
            data_dir: data_dir.into(),
            listen,
            shards: std::thread::available_parallelism().map_or(1, usize::from).min(MAX_SHARDS),
            io_threads: 4,
            read_memory_bytes: DEFAULT_READ_MEMORY_BYTES,
            drain_timeout_ms: 5_000,
            busy_poll_us: DEFAULT_BUSY_POLL_US,
            limits: Limits::default(),
            credentials: Credentials::None,
            at_rest_keys: EncryptionKeys::default(),
            tls: None,
            socket_dir: None,
        }
    }
}

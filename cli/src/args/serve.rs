//! `tidewire serve`: its flags.

use std::path::PathBuf;

use clap::Args;

/// What the help of `serve` ends with.
const AFTER: &str = "\
Every setting may also stand in the file of --config, in TOML, under the name of its flag with
underscores (drain_timeout_ms = 5000), or in the environment as TIDEWIRE_ and that name in
capitals (TIDEWIRE_DATA). Flags win over the environment, the environment over the file. The log
names a variable that begins so and sets nothing.

Once the server takes connections it prints one line on stdout:
  listening on tidewire://127.0.0.1:8433
The first start without --dev makes the user root, prints one URL to log in with, and keeps it in
the file root.url of the data directory, for this user's eyes only. Programs of the same user on the
same machine need none: they come in through the Unix socket.

SIGHUP has the settings read again: limits and the log filter change, certificates are read again
for new connections, and the audit log is opened anew. If anything is wrong with them, or a setting
was changed that cannot change, nothing changes, and the log says why. Where it means that the
server's terminal is closed, it stops the server as SIGTERM does.
SIGTERM and Ctrl-C let requests under way finish, sync everything to the disk, and exit with 0;
a second one exits at once.

Examples:
  tidewire serve --data ./data                  with credentials
  tidewire serve --data ./data --listen 0.0.0.0:8433 --tls-cert cert.pem --tls-key key.pem
  tidewire serve --dev                          try it out; data in a temporary directory
  tidewire serve --dev --data ./data            keep the data
  tidewire serve --dev --listen 127.0.0.1:0     on a free port, named on stdout

Exit codes: 0 fine, 1 failed, 2 wrong usage, 130 or 143 ended by a second signal";

/// Run a server
#[derive(Args, Clone, Debug)]
#[command(after_help = AFTER)]
pub struct ServeArgs {
    /// Where the data lies; created if it is missing. With --dev, a temporary directory by default
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8433]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,

    /// Threads that own partitions and connections [default: one per core]
    #[arg(long, value_name = "N")]
    pub shards: Option<usize>,

    /// No credentials, and loopback addresses only: for trying things out
    #[arg(long)]
    pub dev: bool,

    /// Directory of the Unix socket by which this user's programs come in without credentials,
    /// as root; 'none' for no socket [default: $XDG_RUNTIME_DIR/tidewire or /tmp/tidewire-UID;
    /// none with --dev]
    #[arg(long, value_name = "DIR")]
    pub socket_dir: Option<PathBuf>,

    /// Have every TCP connection speak TLS: a file with the server's certificate, in PEM, and
    /// those between it and its root. SIGHUP reads it again
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// The private key of --tls-cert, in PEM
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Roots of clients' certificates, in PEM: who has one of theirs is the user that its DNS name
    /// says
    #[arg(long, value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,

    /// TLS with a certificate of the server's own making, kept in the data directory: for trials
    #[arg(long)]
    pub tls_self_signed: bool,

    /// Encrypt segments before they reach the disk: a file with keys as 'tidewire keygen' prints
    /// them, one a line. The last is for new segments, the others read older ones
    #[arg(long, value_name = "FILE")]
    pub at_rest_key_file: Option<PathBuf>,

    /// A file of settings, in TOML
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Threads for syncs and other calls that block, and as many for reads of old records
    /// [default: 4]
    #[arg(long, value_name = "N")]
    pub io_threads: Option<usize>,

    /// Memory for what consumers are sent: recent records, and what is queued for slow ones
    /// [default: 67108864]
    #[arg(long, value_name = "BYTES")]
    pub read_memory_bytes: Option<usize>,

    /// Time that a stop gives to requests under way, in milliseconds [default: 5000]
    #[arg(long, value_name = "MS")]
    pub drain_timeout_ms: Option<u32>,

    /// How long a thread looks for the next request before it sleeps, where that was worth it
    /// lately, in microseconds: 0 (never) to 1000 [default: 200]
    #[arg(long, value_name = "US")]
    pub busy_poll_us: Option<u32>,

    /// What to log: error, warn, info, debug, trace, or a filter such as tidewire_server=debug
    /// [default: info]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,

    /// A file that who changed what, who came in and what was refused is added to, as lines of JSON
    #[arg(long, value_name = "FILE")]
    pub audit_log: Option<PathBuf>,

    /// How much of everything there may be.
    #[command(flatten)]
    pub limits: LimitArgs,

    /// Stop when stdin ends, as when the process that started this one is gone
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,
}

/// How much of everything there may be; SIGHUP has it read again.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits, of which 'tidewire describe limits' tells")]
pub struct LimitArgs {
    /// Most connections, of all users and those that are not known yet; others are told so and
    /// closed [default: 16384]
    #[arg(long, value_name = "N")]
    pub max_connections: Option<u64>,

    /// Most connections of a user; 0 is no limit
    #[arg(long, value_name = "N")]
    pub max_user_connections: Option<u64>,

    /// Most connections from an address; 0 is no limit
    #[arg(long, value_name = "N")]
    pub max_address_connections: Option<u64>,

    /// Payload bytes of unanswered requests past which a shard reads only from connections
    /// that have none [default: 268435456]
    #[arg(long, value_name = "BYTES")]
    pub max_shard_in_flight_bytes: Option<u64>,

    /// Time in which a frame that has begun has to end, or to grow by 1024 bytes for each second
    /// of it, in milliseconds; else its connection is closed [default: 60000]
    #[arg(long, value_name = "MS")]
    pub frame_timeout_ms: Option<u64>,

    /// Requests of a user that are carried out in a second; others wait; 0 is no limit
    #[arg(long, value_name = "N")]
    pub max_user_requests_per_sec: Option<u64>,

    /// Bytes of batches of a user that are appended in a second; others wait; 0 is no limit
    #[arg(long, value_name = "BYTES")]
    pub max_user_in_bytes_per_sec: Option<u64>,

    /// Bytes of batches that are sent to a user in a second; others wait; 0 is no limit
    #[arg(long, value_name = "BYTES")]
    pub max_user_out_bytes_per_sec: Option<u64>,

    /// Most topics, in all streams [default: 100000]
    #[arg(long, value_name = "N")]
    pub max_server_topics: Option<u64>,

    /// Most partitions, of all topics [default: 1000000]
    #[arg(long, value_name = "N")]
    pub max_server_partitions: Option<u64>,
}

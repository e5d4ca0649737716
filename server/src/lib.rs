//! The Tidewire server.
//!
//! * `shard`: one pinned thread per core, with its runtime, partitions and connections.
//! * `session`: what a connection's requests mean.
//! * `partition`: appends in groups, acknowledgements, reads that wait; a state machine.
//! * `group`: who reads what, and stored offsets; a state machine, and its one writer.
//! * `auth`: who may come in, and as whom; users and tokens.
//! * `limits`: how much is allowed; `usage`: how much there is, of connections and by users.
//! * `tls`: certificates; how TLS moves is `rt`'s.
//! * `catalog`: the one writer of streams and topics.
//! * `io_pool`: threads for calls that block.
//! * `rt`: the only room that knows the runtime, monoio.
//!
//! A request goes from a connection's task to the shard that owns the partition and back, as
//! messages; there are no locks on that way.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "tests of the real thing"
    )
)]

mod auth;
mod catalog;
mod clock;
mod config;
mod error;
mod group;
mod io_pool;
mod limits;
mod listen;
mod message;
mod names;
mod partition;
mod read_budget;
mod rt;
mod server;
mod session;
mod shard;
mod shared;
#[cfg(feature = "sim")]
#[doc(hidden)]
pub mod sim;
mod tls;
mod usage;

pub use config::{
    Config, Credentials, DEFAULT_BUSY_POLL_US, DEFAULT_READ_MEMORY_BYTES, MAX_BUSY_POLL_US,
    MAX_SHARDS, READ_MEMORY_BYTES_RANGE,
};
pub use error::{Error, ErrorKind};
pub use limits::Limits;
pub use server::{NewCertificates, Reloader, Server, Stopper};
pub use tls::TlsFiles;

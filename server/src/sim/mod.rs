//! The server's insides for a simulation: the real state machines, with nothing around them.
//!
//! * `partition`: one partition over one log, as its shard owns it.
//! * `groups`: the groups of one shard, with what is stored of them.
//! * `server`: all of it but sockets, threads and the runtime: sessions, shards, catalog, groups.
//!
//! Not a public interface: it exists with the feature `sim` only, which nothing but the simulator
//! asks for, and changes with the insides.

mod groups;
mod mistakes;
mod partition;
mod server;

use tidewire_protocol::connection::Time;

pub use groups::{Groups, Told};
pub use mistakes::Mistake;
pub use partition::{
    Effect, FetchJob, FetchOutcome, LookupJob, LookupOutcome, Partition, ReadReply,
};
pub use server::{Options, Peer, Server, Stored, Work};

/// Sets the time for every server on this thread: monotonic, and of the day in microseconds since
/// the Unix epoch. `None` gives the real clock back.
pub fn set_time(time: Option<(Time, i64)>) {
    crate::clock::simulated::set(time);
}

//! Sessions and groups on simulated time and network: programs with the client's real state
//! machines against the server's real sessions, shards, partitions, groups and catalog.
//!
//! * [`world`]: time, what is to come, and what must hold in the end.
//! * [`net`]: connections that are slow, cut, half open, or linger.
//! * [`host`]: the server's life, its work and its disk.
//! * [`client`]: a program: its way to a connection, and what it makes of what arrives.
//! * [`producer`], [`reader`], [`member`]: what a program holds beyond a connection.

mod client;
mod host;
mod member;
mod net;
mod plan;
mod producer;
mod reader;
mod world;

pub(crate) use world::World;

/// The data directory.
const DIR: &str = "/data";
const STREAM: &str = "default";
const TOPIC: &str = "t";
const GROUP: &str = "g";
/// Most bytes that may wait for a socket: what the server lets lie, and a delivery on top.
const MAX_QUEUED_BYTES: usize = 4 << 20;

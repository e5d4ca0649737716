//! Connections as state machines, without sockets, clocks, threads or randomness.
//!
//! A driver moves bytes and tells the time; the connection does the rest. Both sides have the
//! same few verbs:
//!
//! | verb | the driver calls it |
//! |---|---|
//! | `take_read_buf`, `handle_input` | to get a buffer, fill it from the socket and give it back |
//! | `handle_eof` | when the peer closed, or the socket failed |
//! | `poll_transmit` | to get bytes to write, until there are none |
//! | `poll_event` | to learn what happened, until nothing did |
//! | `poll_timeout`, `handle_timeout` | to know when to come back, and to come back |
//!
//! `take_read_buf_from` does what `take_read_buf` does with buffers that are used again: see
//! [`ReadPool`].
//!
//! They may be called in any order and as often as one likes; nothing is lost if one verb is not
//! called after another. A fault of the peer's ends the connection once, as a `Closed` event; the
//! driver then writes what `poll_transmit` still gives (the GOAWAY that says why) and closes.
//!
//! ```
//! use tidewire_protocol::connection::{
//!     ClientConfig, ClientConnection, ClientEvent, ServerConfig, ServerConnection, Time,
//! };
//!
//! let now = Time::ZERO;
//! let mut client = ClientConnection::new(ClientConfig::default(), now);
//! let mut server = ServerConnection::new(ServerConfig::default().into(), now);
//! let mut ready = false;
//! for _ in 0..4 {
//!     // In place of a socket: what one side transmits is the other's input.
//!     let mut bytes = Vec::new();
//!     client.poll_transmit(&mut bytes);
//!     let mut buf = server.take_read_buf();
//!     bytes.drain(..).for_each(|part| buf.extend_from_slice(&part));
//!     server.handle_input(now, buf);
//!     while server.poll_event().is_some() {}
//!
//!     server.poll_transmit(&mut bytes);
//!     let mut buf = client.take_read_buf();
//!     bytes.drain(..).for_each(|part| buf.extend_from_slice(&part));
//!     client.handle_input(now, buf);
//!     while let Some(event) = client.poll_event() {
//!         ready |= matches!(event, ClientEvent::Ready(_));
//!     }
//! }
//! assert!(ready);
//! ```

mod client;
mod courtesy;
mod progress;
mod read_pool;
mod rx;
mod server;
#[cfg(test)]
mod tests;
mod time;
mod tx;

pub use client::{ClientConfig, ClientConnection, ClientEvent, RequestId};
pub use read_pool::ReadPool;
pub use server::{Challenge, ServerConfig, ServerConnection, ServerEvent, Ticket};
pub use time::Time;

/// Heartbeat intervals of silence after which a peer is taken for dead.
pub const HEARTBEATS_TO_DEATH: u32 = 3;

/// Requests that a client keeps free below the server's limit, so that a heartbeat always has room.
pub const RESERVED_REQUESTS: usize = 1;

/// The optional field of an error reply that says which records were seen.
// SPEC I-15
const SEEN_TAG: u16 = 1;

//! What a server's connections are given.
//!
//! Owns the server's limits and what it says of itself, and what a client has to show.

use crate::limits;
use crate::message::{KINDS, KindRange};

/// What a server says of itself, and its limits. One for all its connections.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Its name, for logs.
    pub server_name: String,
    /// Its version.
    pub server_version: String,
    /// A number that stays with its data.
    pub server_id: u64,
    /// Largest frame that it takes and sends, in bytes.
    pub max_frame_len: u32,
    /// Most unanswered requests.
    pub max_in_flight: u32,
    /// Most open channels.
    pub max_channels: u32,
    /// Bytes queued for the socket past which nothing more is read from it.
    pub max_queued_bytes: usize,
    /// Time for the handshake, in milliseconds.
    pub handshake_timeout_ms: u32,
    /// Time in which a frame that has begun has to go on, in milliseconds, unless
    /// [`ServerConnection::set_frame_timeout_ms`](super::ServerConnection::set_frame_timeout_ms) says
    /// otherwise.
    pub frame_timeout_ms: u32,
    /// Versions of the kinds that it carries out, by kind; HELLO states them, and others are
    /// answered with `UNKNOWN_KIND`.
    pub kinds: Vec<KindRange>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            server_name: "tidewire".to_owned(),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            server_id: 0,
            max_frame_len: limits::MAX_FRAME_LEN,
            max_in_flight: limits::MAX_IN_FLIGHT,
            max_channels: limits::MAX_CHANNELS,
            max_queued_bytes: 4 << 20,
            handshake_timeout_ms: limits::HANDSHAKE_TIMEOUT_MS,
            frame_timeout_ms: limits::ServerLimit::FrameTimeoutMs.info().default as u32,
            kinds: KINDS
                .iter()
                .filter(|row| !row.planned)
                .map(|row| KindRange {
                    kind: row.kind.0,
                    min_version: row.version,
                    max_version: row.version,
                })
                .collect(),
        }
    }
}

/// What a client has to show before its connection is ready.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// Ways to authenticate that it may choose from: see [`method`](crate::auth::method).
    pub methods: u32,
    /// Random bytes, of this connection alone.
    pub nonce: Vec<u8>,
}

//! The Tidewire protocol: the wire format, the batch format, and the state machines of both
//! sides of a connection. No I/O, no clock, no randomness, no runtime.
//!
//! A client in any language, or on any runtime, is a driver around this crate:
//!
//! * [`connection`] holds the two ends of a connection, driven by a few verbs;
//! * [`frame`] and [`message`] say what travels between them;
//! * [`batch`] builds and reads the one set of bytes that goes from producer to disk to consumer;
//! * [`session`] is what survives a connection: reconnecting, producing, consuming;
//! * [`partitioner`] decides where a key belongs, [`idempotence`] what was sent twice;
//! * [`error`], [`options`] and [`limits`] are the tables that every language shares, generated
//!   from `protocol/spec`.
//!
//! Numbers are little-endian. Nothing is allocated by a length that was not checked first.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "tests of the real thing"
    )
)]

pub mod auth;
pub mod batch;
pub mod codec;
pub mod connection;
pub mod crc;
pub mod error;
pub mod frame;
mod generated;
pub mod idempotence;
pub mod limits;
pub mod message;
pub mod name;
pub mod options;
pub mod partitioner;
pub mod session;
pub mod url;

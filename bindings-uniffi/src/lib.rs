//! What Tidewire's packages for Kotlin, Java, Ruby and Swift are made of: the core client, as
//! UniFFI carries it into a language.
//!
//! * Calls are few and coarse. Records cross by the batch: into the core as a chunk of packed
//!   records (`producer`), out of it as memory that the language reads itself (`batch`).
//! * What waits is asynchronous here, and a coroutine, a fiber or a blocked thread there. It runs
//!   on the runtime that the core shares within the process. UniFFI drops the future when the
//!   language cancels; then what it waited for is cancelled, too (`call`), and what was
//!   delivered meanwhile stays to be taken.
//! * Numbers of 32 and 64 bits cross with a sign, because Java has no others; what is negative
//!   and may not be is refused here.
//!
//! The layer that users see is written by hand in each language: `kotlin`, `ruby`, `swift`.

#![allow(
    clippy::result_large_err,
    reason = "UniFFI carries errors by value, and no call is so hot"
)]

mod admin;
mod batch;
mod call;
mod client;
mod consumer;
mod events;
mod failure;
mod groups;
mod info;
mod options;
mod producer;
mod users;

uniffi::setup_scaffolding!("tidewire_native");

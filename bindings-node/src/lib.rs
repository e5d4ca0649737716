//! The native module of Tidewire's Node.js package: as thin as it can be. What a user sees stands
//! in `ts/`; here is only what has to cross.
//!
//! * `hub`: the one way back into JavaScript, with one wake-up for whatever has happened;
//! * `client`, `admin`, `users`, `producer`, `consumer`: handles on the core's;
//! * `batch`: a delivered batch as one `ArrayBuffer`;
//! * `options`, `failure`, `info`: values on their way across.
//!
//! The one invariant: no call waits. What takes time is given a number by JavaScript and runs on
//! the core's runtime; its result comes back through the hub under that number.
// In a build for tests, which `--all-targets` makes, nothing is registered with Node.
#![cfg_attr(test, allow(dead_code, reason = "nothing is called from Rust"))]
#![expect(clippy::result_large_err, reason = "failures go straight to JavaScript")]

mod admin;
mod batch;
mod client;
mod consumer;
mod failure;
mod groups;
mod hub;
mod info;
mod options;
mod producer;
mod users;

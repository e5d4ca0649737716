//! What process-level tests share: the real server in a process of its own, and a raw client.
//!
//! Each test binary uses a part of it.
#![allow(dead_code)]

pub mod raw;
pub mod server;

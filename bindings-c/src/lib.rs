//! `libtidewire`: the client for C, and for every language that can call C.
//!
//! Every function of the header is here: [`client`] connects, [`producer`] and [`ticket`] send,
//! [`consumer`] and [`batch`] read, [`admin`] and [`groups`] manage, [`hub`] serves event loops.
//! Nothing is decided here: each function hands on what `tidewire::blocking` does. The header is
//! made from this source by `cargo xtask gen`; its comments are the ones below.
//!
//! What every function keeps:
//!
//! * No panic leaves it ([`guard`]). What cannot be right (NULL, a handle of another kind or one
//!   that was freed, text that is not UTF-8, a handle that is not open) is an error.
//! * Handles are made with `Box` and freed by the function of their own; what a function returns
//!   belongs to the caller, what it is given is only borrowed for the call.
//! * It may be called from any thread, but for freeing what another thread still uses.
//!
//! # Safety
//! All functions are unsafe in the same way, which the header states: a pointer is NULL where
//! that is allowed, or leads to what its type says, for as long as the call (or, of handles,
//! until they are freed).
#![allow(non_camel_case_types, clippy::missing_safety_doc)]

pub mod admin;
pub mod arrow;
pub mod batch;
pub mod client;
pub mod consumer;
pub mod error;
mod fd;
pub mod groups;
pub mod guard;
pub mod hub;
pub mod limits;
pub mod lists;
pub mod options;
pub mod producer;
pub mod ticket;
pub mod users;

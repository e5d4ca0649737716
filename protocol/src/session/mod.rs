//! What survives a connection: the client's sessions, as state machines without sockets, clocks,
//! threads or randomness.
//!
//! A [`connection`](crate::connection) ends with its socket. What an application holds does not:
//! it goes on over the next connection, so that the application does not notice. Five machines
//! say how; a driver tells them the time and what happened, and does what they ask for:
//!
//! * [`Backoff`] says how long to wait before what failed is tried again;
//! * [`Reconnect`] says which server to try, and when to give up;
//! * [`ProducerSession`] keeps the batches that are not acknowledged, says which to send next and
//!   what became of each;
//! * [`Subscription`] keeps the place in one partition, and says where to go on;
//! * [`Member`] keeps the place in a group, and says what to read.
//!
//! The one invariant of them all: what cannot be known is called unknown, never done or failed.

mod backoff;
mod member;
mod producer;
mod reconnect;
mod subscription;

pub use backoff::Backoff;
pub use member::{Change, Fate, Key, Member};
pub use producer::{
    Attempt, Identity, ProducerConfig, ProducerCounters, ProducerEvent, ProducerSession,
    Sending,
};
pub use reconnect::{Reconnect, Step};
pub use subscription::{From, Place, Subscription};

//! Judges a history: what clients sent, what they were told, what readers saw, when the server
//! crashed. Whoever makes the history — a simulation, a loop of `kill -9`, a conformance case —
//! feeds it event by event to a [`Checker`], which answers each with `Ok` or with the
//! [`Violation`] of a promise.
//!
//! The promises:
//! * what was acknowledged as written survives the death of the process, what was acknowledged
//!   as synced survives the loss of power, and so does everything before it;
//! * what a reader saw survives as if it had been acknowledged at the level its producer asked
//!   for, and at least the death of the process;
//! * no record is altered, and none appears that was not sent, or that was refused;
//! * offsets are dense, and one offset holds one record, for every reader;
//! * batches are there whole or not at all;
//! * a producer's records keep its order;
//! * an exactly-once producer's record is there at most once, without a gap before it; any other
//!   record at most once for each time it was sent;
//! * what was found missing after a crash does not come back by itself;
//! * a log begins where it was said to begin, or later as far as somebody allowed it;
//! * what failed for certain is never there;
//! * a group's committed offset never goes back, unless somebody sets it.
//!
//! It knows nothing of the server, the wire or the disk. Contents are compared by [`Digest`], so
//! every record of a history must differ from all others.
//!
//! ```
//! use tidewire_checker::{Checker, Crash, Digest, Event, Level, Order, Retries, ViolationKind};
//!
//! let mut checker = Checker::new();
//! let records = vec![Digest::of([Some(&b"first"[..])]), Digest::of([Some(&b"second"[..])])];
//! checker.observe(Event::Sent {
//!     send: 1,
//!     partition: 0,
//!     producer: 7,
//!     order: Order::ExactlyOnce { epoch: 0, sequence: 0 },
//!     retries: Retries::Told,
//!     level: Level::Synced,
//!     records: records.clone(),
//! })?;
//! checker.observe(Event::Acknowledged { send: 1, level: Level::Synced, base_offset: 0 })?;
//! checker.observe(Event::Crashed(Crash::Power))?;
//! // The log as it was found has lost the second record.
//! let found = Event::Audited { partition: 0, start: 0, records: records[..1].to_vec() };
//! assert_eq!(checker.observe(found).unwrap_err().kind, ViolationKind::Lost);
//! # Ok::<(), tidewire_checker::Violation>(())
//! ```
#![forbid(unsafe_code)]

mod checker;
mod commits;
mod digest;
mod event;
mod partition;
mod violation;

#[cfg(test)]
mod tests;

pub use checker::Checker;
pub use digest::Digest;
pub use event::{Crash, Event, Level, Order, Retries};
pub use violation::{Violation, ViolationKind};

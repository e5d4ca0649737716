//! Tickets: what an enqueued record is acknowledged by.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tidewire_protocol::message::Acks;

use crate::error::Error;

/// What the server answered for one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The record's partition.
    pub partition: u32,
    /// Its offset there.
    pub offset: u64,
    /// When it was appended, in microseconds since the Unix epoch.
    pub append_time_us: i64,
    /// The promise that holds, at least the one asked for.
    pub acks: Acks,
    /// It was there already; the offset is its first one.
    pub duplicate: bool,
}

/// A future of an enqueued record's [`Receipt`].
#[derive(Debug)]
pub struct Ticket {}

impl Future for Ticket {
    type Output = Result<Receipt, Error>;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Pending
    }
}

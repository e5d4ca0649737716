//! Batches and records as streams, for programs that combine them with others.
//!
//! Owns only the waiting between two items. The one invariant: a stream that is dropped closes
//! its consumer, and one that is not polled holds back nothing but what was delivered ahead.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::Error;
use crate::{Batch, Consumer, ConsumerControl, OwnedRecord};

type Waiting<T> = Pin<Box<dyn Future<Output = (Consumer, Result<Option<T>, Error>)> + Send>>;

/// A consumer's batches, from [`Consumer::into_stream`].
pub struct BatchStream {
    inner: Items<Batch>,
}

/// A consumer's records, from [`Consumer::into_record_stream`].
pub struct RecordStream {
    inner: Items<OwnedRecord>,
}

struct Items<T> {
    control: ConsumerControl,
    wait: fn(Consumer) -> Waiting<T>,
    /// None once it is over.
    waiting: Option<Waiting<T>>,
}

impl Consumer {
    /// The batches as a stream; it ends when the consumer or its client is closed, or, after the
    /// error that says so, when no partition is left. Take its [`control`](Consumer::control)
    /// before, to end it and to commit.
    pub fn into_stream(self) -> BatchStream {
        let wait = |mut consumer: Self| -> Waiting<Batch> {
            Box::pin(async move {
                let result = consumer.next_batch().await;
                (consumer, result)
            })
        };
        BatchStream { inner: Items::new(self, wait) }
    }

    /// The records as a stream, as [`into_stream`](Consumer::into_stream).
    pub fn into_record_stream(self) -> RecordStream {
        let wait = |mut consumer: Self| -> Waiting<OwnedRecord> {
            Box::pin(async move {
                let result = consumer.next_record().await;
                (consumer, result)
            })
        };
        RecordStream { inner: Items::new(self, wait) }
    }
}

impl<T> Items<T> {
    fn new(consumer: Consumer, wait: fn(Consumer) -> Waiting<T>) -> Self {
        Self { control: consumer.control(), wait, waiting: Some(wait(consumer)) }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, Error>>> {
        let Some(waiting) = &mut self.waiting else {
            return Poll::Ready(None);
        };
        let Poll::Ready((consumer, result)) = waiting.as_mut().poll(cx) else {
            return Poll::Pending;
        };
        let over = match &result {
            Ok(item) => item.is_none(),
            Err(_) => self.control.is_closed(),
        };
        self.waiting = if over { None } else { Some((self.wait)(consumer)) };
        Poll::Ready(result.transpose())
    }
}

impl Stream for BatchStream {
    type Item = Result<Batch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.poll(cx)
    }
}

impl Stream for RecordStream {
    type Item = Result<OwnedRecord, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.poll(cx)
    }
}

impl fmt::Debug for BatchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchStream").finish_non_exhaustive()
    }
}

impl fmt::Debug for RecordStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordStream").finish_non_exhaustive()
    }
}

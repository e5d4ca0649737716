//! Producing from threads that may block.
//!
//! Owns the waiting; queueing and sending is the asynchronous producer's. The one invariant: what
//! does not wait there does not wait here, and may be called anywhere, also on an asynchronous
//! runtime.

use std::time::Duration;

use tidewire_protocol::batch::RecordRef;

use super::{Client, options};
use crate::error::Error;
use crate::producer::{self, EnqueueError};
use crate::runtime::{Bound, Kept};
use crate::{
    Acks, CloseError, Codec, CompletionQueue, ProducerStats, QueueFull, Receipt, Record,
};

/// Options of a [`Producer`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build()"]
pub struct ProducerBuilder {
    client: Client,
    inner: producer::ProducerBuilder,
}

impl ProducerBuilder {
    pub(super) fn new(client: &Client, topic: &str) -> Self {
        Self { client: client.clone(), inner: client.bound().unchecked().producer(topic) }
    }

    options!(ProducerBuilder:
        name(impl Into<String>),
        acks(Acks),
        linger_ms(u32),
        batch_bytes(u32),
        batch_records(u32),
        queue_bytes(u32),
        max_in_flight(u32),
        encryption_key_id(u32),
        codec(Codec),
        delivery_timeout_ms(u32),
        queue_full(QueueFull),
    );

    /// See [`ProducerBuilder::completions`](crate::ProducerBuilder::completions).
    pub fn completions(mut self, queue: &CompletionQueue, producer: u64) -> Self {
        self.inner = self.inner.completions(queue, producer);
        self
    }

    /// See [`ProducerBuilder::option`](crate::ProducerBuilder::option).
    ///
    /// # Errors
    /// `INVALID_OPTION`.
    pub fn option(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.inner = self.inner.option(name, value)?;
        Ok(self)
    }

    /// The asynchronous builder with these options, for [`Runtime::spawn`](super::Runtime::spawn).
    pub fn into_async(self) -> producer::ProducerBuilder {
        self.inner
    }

    /// Opens the producer.
    ///
    /// # Errors
    /// Those of [`ProducerBuilder::build`](crate::ProducerBuilder::build).
    pub fn build(self) -> Result<Producer, Error> {
        let runtime = self.client.runtime().clone();
        let producer = runtime.wait("opening a producer", None, self.inner.build())??;
        Ok(Producer { bound: Bound::new(runtime, producer) })
    }
}

/// Sends records to a topic, from any thread. Cheap to clone; clones share the queue. See
/// [`crate::Producer`] for what outcomes mean.
#[derive(Clone, Debug)]
pub struct Producer {
    bound: Bound<producer::Producer>,
}

impl Producer {
    /// A producer of the shared runtime, made from an asynchronous one that was opened there.
    ///
    /// # Errors
    /// `INTERNAL` if the runtime's threads cannot be made.
    pub fn from_async(producer: crate::Producer) -> Result<Self, Error> {
        Ok(Self { bound: Bound::new(super::Runtime::shared()?, producer) })
    }

    /// The asynchronous producer behind it.
    ///
    /// # Errors
    /// `FORKED`.
    pub fn as_async(&self) -> Result<&crate::Producer, Error> {
        self.bound.value("producer")
    }

    /// Puts a record into the queue, without waiting. See [`crate::Producer::enqueue`].
    ///
    /// # Errors
    /// Those of [`crate::Producer::enqueue`]; the record comes back with the error.
    pub fn enqueue(&self, record: Record) -> Result<Ticket, EnqueueError> {
        match self.as_async() {
            Ok(producer) => Ok(Self::ticket(producer.enqueue(record)?)),
            Err(error) => Err(EnqueueError::new(error, record)),
        }
    }

    /// As [`enqueue`](Self::enqueue), for a record that is borrowed.
    ///
    /// # Errors
    /// Those of [`crate::Producer::enqueue`].
    pub fn enqueue_ref(
        &self,
        record: &RecordRef<'_>,
        partition: Option<u32>,
    ) -> Result<Ticket, Error> {
        Ok(Self::ticket(self.as_async()?.enqueue_ref(record, partition)?))
    }

    /// As [`enqueue_ref`](Self::enqueue_ref), for a record that is waited for: its batch does not
    /// linger.
    ///
    /// # Errors
    /// Those of [`crate::Producer::enqueue`].
    pub fn enqueue_now_ref(
        &self,
        record: &RecordRef<'_>,
        partition: Option<u32>,
    ) -> Result<Ticket, Error> {
        Ok(Self::ticket(self.as_async()?.enqueue_now_ref(record, partition)?))
    }

    /// Puts records into the queue, in order, at less cost than one by one, without waiting. See
    /// [`crate::Producer::enqueue_many`].
    ///
    /// # Errors
    /// `FORKED`. Why a record was not taken comes beside the tickets of those before it.
    pub fn enqueue_many(
        &self,
        records: &[RecordRef<'_>],
        partition: Option<u32>,
    ) -> Result<(Tickets, Option<Error>), Error> {
        let (tickets, refused) = self.as_async()?.enqueue_many(records, partition);
        Ok((Tickets { bound: Bound::new(self.bound.runtime().clone(), tickets) }, refused))
    }

    fn ticket(ticket: crate::Ticket) -> Ticket {
        let number = ticket.number();
        Ticket { kept: Kept::new(ticket), number }
    }

    /// Waits until the queue has room for a record.
    ///
    /// # Errors
    /// `TIMEOUT` after `limit`; `CLOSED`, or why the producer has ended.
    pub fn ready(&self, limit: Option<Duration>) -> Result<(), Error> {
        let producer = self.as_async()?;
        self.bound.runtime().wait("waiting for room", limit, producer.ready())?
    }

    /// Sends a record and waits for its acknowledgement, at most `delivery_timeout_ms` once the
    /// queue had room for it.
    ///
    /// # Errors
    /// Those of [`crate::Producer::send`]. After `INTERRUPTED` the record may be sent all the
    /// same.
    pub fn send(&self, record: Record) -> Result<Receipt, Error> {
        let producer = self.as_async()?;
        self.bound.runtime().wait("send", None, producer.send(record))?
    }

    /// As [`send`](Self::send), for at most `limit`.
    ///
    /// # Errors
    /// Those of [`send`](Self::send), and `TIMEOUT`, after which the record may be sent all the
    /// same.
    pub fn send_within(&self, record: Record, limit: Duration) -> Result<Receipt, Error> {
        let producer = self.as_async()?;
        self.bound.runtime().wait("send", Some(limit), producer.send(record))?
    }

    /// Sends all that is enqueued and waits until it has its outcome.
    ///
    /// # Errors
    /// Those of [`crate::Producer::flush`]; `TIMEOUT` after `limit`, when the rest goes on being
    /// sent.
    pub fn flush(&self, limit: Option<Duration>) -> Result<(), Error> {
        let producer = self.as_async()?;
        self.bound.runtime().wait("flush", limit, producer.flush())?
    }

    /// Takes no more records, flushes, and closes the producer on the server; for every clone.
    /// After `limit` what is left fails.
    ///
    /// # Errors
    /// How many records of which partitions were not acknowledged; see
    /// [`crate::Producer::close_within`].
    pub fn close(&self, limit: Option<Duration>) -> Result<(), CloseError> {
        let producer = self.as_async()?;
        let closing = async {
            match limit {
                Some(limit) => producer.close_within(limit).await,
                None => producer.close().await,
            }
        };
        self.bound.runtime().wait("close", None, closing)?
    }

    /// What it did so far, and what waits.
    ///
    /// # Errors
    /// `FORKED`.
    pub fn stats(&self) -> Result<ProducerStats, Error> {
        Ok(self.as_async()?.stats())
    }

    /// How many partitions the topic has.
    ///
    /// # Errors
    /// `FORKED`.
    pub fn partitions(&self) -> Result<u32, Error> {
        Ok(self.as_async()?.partitions())
    }
}

/// The outcome of an enqueued record, to come. Dropping it changes nothing for the record.
#[derive(Debug)]
pub struct Ticket {
    kept: Kept<crate::Ticket>,
    number: u64,
}

impl Ticket {
    /// See [`crate::Ticket::number`].
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The outcome, if there is one yet.
    pub fn try_receipt(&mut self) -> Option<Result<Receipt, Error>> {
        match self.kept.value_mut("ticket") {
            Ok(ticket) => ticket.try_receipt(),
            Err(error) => Some(Err(error)),
        }
    }

    /// Waits for the outcome. After `TIMEOUT` or `INTERRUPTED` it may be called again.
    ///
    /// # Errors
    /// Those of the record; `TIMEOUT` after `limit`, with the outcome still to come.
    pub fn wait(&mut self, limit: Option<Duration>) -> Result<Receipt, Error> {
        let ticket = self.kept.value_mut("ticket")?;
        super::Runtime::shared()?.wait("waiting for an acknowledgement", limit, ticket)?
    }
}

/// The outcomes, to come, of records that were enqueued together. Dropping them changes nothing for
/// the records.
#[derive(Debug)]
pub struct Tickets {
    bound: Bound<crate::Tickets>,
}

impl Tickets {
    /// How many records were taken.
    ///
    /// # Errors
    /// `FORKED`.
    pub fn len(&self) -> Result<usize, Error> {
        Ok(self.bound.value("tickets")?.len())
    }

    /// Whether no record was taken.
    ///
    /// # Errors
    /// `FORKED`.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// Waits for the outcomes, and tells them in order: a receipt or an error for each record.
    /// After `TIMEOUT` or `INTERRUPTED` it may be called again.
    ///
    /// # Errors
    /// `TIMEOUT` after `limit`, with outcomes still to come.
    pub fn wait(
        &mut self,
        limit: Option<Duration>,
    ) -> Result<Vec<Result<Receipt, Error>>, Error> {
        let runtime = self.bound.runtime().clone();
        let tickets = self.bound.value("tickets")?;
        runtime.wait("waiting for acknowledgements", limit, tickets.outcomes())
    }
}

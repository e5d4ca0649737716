//! Producing: records in, batches out, acknowledgements back.

pub(crate) mod ticket;

use crate::Acks;
use crate::client::Client;
use crate::error::{Code, Error};
use crate::record::Record;
use ticket::{Receipt, Ticket};

/// Options of a [`Producer`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build()"]
pub struct ProducerBuilder {
    client: Client,
    topic: String,
    acks: Option<Acks>,
    linger_ms: Option<u32>,
    batch_bytes: Option<u32>,
    batch_records: Option<u32>,
    queue_bytes: Option<u32>,
    max_in_flight: Option<u32>,
}

impl ProducerBuilder {
    pub(crate) fn new(client: Client, topic: &str) -> Self {
        Self {
            client,
            topic: topic.to_owned(),
            acks: None,
            linger_ms: None,
            batch_bytes: None,
            batch_records: None,
            queue_bytes: None,
            max_in_flight: None,
        }
    }

    /// What an acknowledgement promises; on the disk if not set.
    pub fn acks(mut self, acks: Acks) -> Self {
        self.acks = Some(acks);
        self
    }

    /// How long enqueued records may wait for company, in milliseconds; a `send` or `flush` does
    /// not wait.
    pub fn linger_ms(mut self, linger_ms: u32) -> Self {
        self.linger_ms = Some(linger_ms);
        self
    }

    /// Size at which a batch is sent without waiting further, in bytes.
    pub fn batch_bytes(mut self, batch_bytes: u32) -> Self {
        self.batch_bytes = Some(batch_bytes);
        self
    }

    /// Record count at which a batch is sent without waiting further.
    pub fn batch_records(mut self, batch_records: u32) -> Self {
        self.batch_records = Some(batch_records);
        self
    }

    /// Bound of the records that wait to be sent or acknowledged, in bytes; the last one may
    /// pass it.
    pub fn queue_bytes(mut self, queue_bytes: u32) -> Self {
        self.queue_bytes = Some(queue_bytes);
        self
    }

    /// Unacknowledged batches that a partition may have on the wire.
    pub fn max_in_flight(mut self, max_in_flight: u32) -> Self {
        self.max_in_flight = Some(max_in_flight);
        self
    }

    /// Opens the producer.
    ///
    /// # Errors
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`, `INVALID_NAME`, `INVALID_OPTION`.
    pub async fn build(self) -> Result<Producer, Error> {
        Err(Error::new(Code::INTERNAL, "producing is not built yet"))
    }
}

/// A record that was not enqueued, and why.
#[derive(Debug)]
pub struct EnqueueError {
    inner: Box<(Error, Record)>,
}

impl EnqueueError {
    /// Why.
    pub fn error(&self) -> &Error {
        &self.inner.0
    }

    /// The record back.
    pub fn into_record(self) -> Record {
        self.inner.1
    }

    /// Why, and the record back.
    pub fn into_parts(self) -> (Error, Record) {
        *self.inner
    }
}

impl std::fmt::Display for EnqueueError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.inner.0, f)
    }
}

impl std::error::Error for EnqueueError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.0.source()
    }
}

impl From<EnqueueError> for Error {
    fn from(error: EnqueueError) -> Self {
        error.inner.0
    }
}

/// Sends records to a topic. Cheap to clone; clones share the queue.
#[derive(Clone, Debug)]
pub struct Producer {}

impl Producer {
    /// Puts a record into the queue, without waiting.
    pub fn enqueue(&self, record: Record) -> Result<Ticket, EnqueueError> {
        let error = Error::new(Code::INTERNAL, "producing is not built yet");
        Err(EnqueueError { inner: Box::new((error, record)) })
    }

    /// Waits until there is room in the queue.
    pub async fn ready(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Sends a record and waits for its acknowledgement.
    pub async fn send(&self, record: Record) -> Result<Receipt, Error> {
        self.enqueue(record)?.await
    }

    /// Waits until all that was enqueued before is acknowledged.
    pub async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Flushes, then closes the producer on the server.
    pub async fn close(&self) -> Result<(), Error> {
        Ok(())
    }

    /// How many partitions the topic has.
    pub fn partitions(&self) -> u32 {
        1
    }

    /// Bytes of records that wait to be sent or acknowledged.
    pub fn queued_bytes(&self) -> usize {
        0
    }
}

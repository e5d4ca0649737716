//! Producing: records in, batches out, acknowledgements back.
//!
//! Owns the handle that the application holds and its options. The [`queue`] decides which
//! records travel together, the [`sender`] sends them, a [`ticket`] tells what became of one. The
//! one invariant: a record that was taken ends in exactly one outcome, even if every handle and
//! ticket is dropped.

mod queue;
mod sender;
pub(crate) mod ticket;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tidewire_protocol::batch::{Codec, Compressor, RecordRef, ZSTD_LEVEL};
use tidewire_protocol::limits;
use tidewire_protocol::message::{CloseProducer, OpenProducer};
use tidewire_protocol::name::check_name;
use tidewire_protocol::options::producer as defaults;

use crate::Acks;
use crate::client::{Client, topic_name};
use crate::connection::{Connection, decode_reply};
use crate::error::{Code, Error};
use crate::record::Record;
use queue::{Bounds, Identity, Queue};
use sender::Sender;
use ticket::{Receipt, Ticket};

/// Bytes of a frame that are kept for what goes with a batch.
const FRAME_OVERHEAD: u32 = 1 << 10;
/// Headers of a record up to which enqueueing it allocates nothing.
const INLINE_HEADERS: usize = 8;

/// Options of a [`Producer`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build()"]
pub struct ProducerBuilder {
    client: Client,
    topic: String,
    name: Option<String>,
    acks: Option<Acks>,
    linger_ms: Option<u32>,
    batch_bytes: Option<u32>,
    batch_records: Option<u32>,
    queue_bytes: Option<u32>,
    max_in_flight: Option<u32>,
    codec: Option<Codec>,
}

impl ProducerBuilder {
    pub(crate) fn new(client: Client, topic: &str) -> Self {
        Self {
            client,
            topic: topic.to_owned(),
            name: None,
            acks: None,
            linger_ms: None,
            batch_bytes: None,
            batch_records: None,
            queue_bytes: None,
            max_in_flight: None,
            codec: None,
        }
    }

    /// A name within the topic, 1 to 255 bytes without `/`, for the program's task and not its
    /// process: who opens the name again takes the place of whoever has it, and the other one's
    /// records are refused with `PRODUCER_FENCED` from then on.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
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

    /// Compression of batches, in place of the topic's. A batch that would not shrink stays
    /// plain.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = Some(codec);
        self
    }

    /// Opens the producer.
    ///
    /// # Errors
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`, `INVALID_NAME`, `INVALID_OPTION`, and for a new name
    /// `TOO_MANY_PRODUCERS`.
    pub async fn build(self) -> Result<Producer, Error> {
        let topic = topic_name(&self.topic)?;
        if let Some(name) = &self.name {
            check_name("producer", name)?;
        }
        let settings = &self.client.settings;
        let number = |name, given, default| settings.number::<u32>(name, given, default);
        let linger_ms = number("linger_ms", self.linger_ms, defaults::LINGER_MS)?;
        let batch_bytes = number("batch_bytes", self.batch_bytes, defaults::BATCH_BYTES)?;
        let batch_records =
            number("batch_records", self.batch_records, defaults::BATCH_RECORDS)?;
        let queue_bytes = number("queue_bytes", self.queue_bytes, defaults::QUEUE_BYTES)?;
        let max_in_flight =
            number("max_in_flight", self.max_in_flight, defaults::MAX_IN_FLIGHT)?;
        let acks = settings.acks(self.acks)?;
        let codec = settings.codec(self.codec)?;

        let link = Arc::clone(&self.client.link);
        let connection = link.connection(None).await?;
        let hello = connection.hello();
        let max_batch_len = limits::MAX_BATCH_LEN
            .min(hello.max_batch_len)
            .min(hello.max_frame_len.saturating_sub(FRAME_OVERHEAD));
        let bounds = Bounds {
            linger: Duration::from_millis(u64::from(linger_ms)),
            batch_bytes: batch_bytes.min(max_batch_len) as usize,
            batch_records: batch_records.min(hello.max_batch_records).max(1) as usize,
            max_batch_len: max_batch_len as usize,
            queue_bytes: queue_bytes as usize,
            max_in_flight: max_in_flight as usize,
        };

        let channel = link.new_channel();
        let request = OpenProducer {
            stream: topic.stream().into(),
            topic: topic.topic().into(),
            name: self.name,
            resume: None,
        };
        let timeout_ms = connection.request_timeout_ms();
        let reply = connection.start(channel, &request, timeout_ms).await?;
        // From here on the channel may be open, whoever drops this future.
        let opened = OpenChannel { connection: &connection, channel };
        let frame = connection.receive(reply).await?;
        let open = decode_reply::<OpenProducer>(&frame)?;
        if !(1..=limits::MAX_PARTITIONS).contains(&open.partitions) {
            return Err(Error::new(
                Code::MALFORMED_META,
                format!("the server says that {topic} has {} partitions", open.partitions),
            ));
        }
        std::mem::forget(opened);
        let identity =
            Identity { producer_id: open.producer_id, producer_epoch: open.producer_epoch };
        // A codec of a later version leaves batches plain.
        let compressor = Compressor::new(codec.unwrap_or(open.codec), ZSTD_LEVEL);
        let queue = Queue::new(topic.clone(), bounds, identity, open.partitions, compressor);
        let sender = Arc::new(Sender::new(link, connection, topic, channel, acks, queue));
        tokio::spawn(Arc::clone(&sender).run());
        Ok(Producer { handle: Arc::new(Handle { sender, partitions: open.partitions }) })
    }
}

/// Closes a producer's channel on the server.
struct OpenChannel<'a> {
    connection: &'a Arc<Connection>,
    channel: u32,
}

impl Drop for OpenChannel<'_> {
    fn drop(&mut self) {
        self.connection.request_and_forget(self.channel, CloseProducer {});
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
///
/// When the last clone is dropped, what was enqueued is still sent; [`Producer::close`] waits for
/// it.
#[derive(Clone, Debug)]
pub struct Producer {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    sender: Arc<Sender>,
    partitions: u32,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.sender.abandon();
    }
}

impl Producer {
    /// Puts a record into the queue, without waiting and without crossing a thread. It is sent
    /// when its batch is full, after `linger_ms`, or with the next `send` or `flush`.
    ///
    /// A record with a partition goes there, else one with a key to the key's partition; the
    /// others stay together on one partition until its batch is sent, then move on to the next.
    ///
    /// # Errors
    /// `QUEUE_FULL`: wait for [`Producer::ready`]. `RECORD_TOO_LARGE`, `PARTITION_NOT_FOUND`, or
    /// `INVALID_ARGUMENT` for a header name that is empty or over 65,535 bytes: nothing of this
    /// record is sent, and the producer goes on. `CLOSED` or `DISCONNECTED`: it does not go on.
    /// The record comes back with the error.
    pub fn enqueue(&self, record: Record) -> Result<Ticket, EnqueueError> {
        self.push(&record, false)
            .map_err(|error| EnqueueError { inner: Box::new((error, record)) })
    }

    /// As [`Producer::enqueue`], for a record that is borrowed; what it consists of is copied
    /// into the batch.
    ///
    /// # Errors
    /// See [`Producer::enqueue`].
    pub fn enqueue_ref(
        &self,
        record: &RecordRef<'_>,
        partition: Option<u32>,
    ) -> Result<Ticket, Error> {
        self.push_ref(record, partition, false)
    }

    fn push(&self, record: &Record, expedite: bool) -> Result<Ticket, Error> {
        let count = record.headers.len();
        let mut inline = [("", &[][..]); INLINE_HEADERS];
        let many: Vec<(&str, &[u8])>;
        fn borrow((name, value): &(String, Bytes)) -> (&str, &[u8]) {
            (name, value)
        }
        let headers = if count <= INLINE_HEADERS {
            for (place, header) in inline.iter_mut().zip(&record.headers) {
                *place = borrow(header);
            }
            &inline[..count]
        } else {
            many = record.headers.iter().map(borrow).collect();
            &many
        };
        let borrowed = RecordRef {
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers,
            timestamp_us: record.timestamp_us.unwrap_or_else(now_us),
            id: record.id,
        };
        self.push_ref(&borrowed, record.partition, expedite)
    }

    fn push_ref(
        &self,
        record: &RecordRef<'_>,
        partition: Option<u32>,
        expedite: bool,
    ) -> Result<Ticket, Error> {
        let sender = &self.handle.sender;
        let result = sender.queue().push(record, partition, expedite, Instant::now);
        let (ticket, pushed) = match result {
            Ok(pushed) => pushed,
            Err(error) => {
                // A record that fits into no batch may have ended the one before it.
                if error.code() == Code::RECORD_TOO_LARGE {
                    sender.pump();
                }
                return Err(error);
            }
        };
        if pushed.send {
            sender.pump();
        }
        if pushed.sooner {
            sender.wake();
        }
        Ok(ticket)
    }

    /// Waits until the queue has room for a record. With several tasks enqueueing, another may
    /// be faster.
    ///
    /// # Errors
    /// `CLOSED` or `DISCONNECTED`: there will be none.
    pub async fn ready(&self) -> Result<(), Error> {
        self.handle.sender.ready().await
    }

    /// Sends a record and waits for its acknowledgement. It does not linger; records that are
    /// enqueued already travel with it. Waits first if the queue is full.
    ///
    /// # Errors
    /// Those of [`Producer::enqueue`] but `QUEUE_FULL`, and the server's. If
    /// [`Error::is_outcome_unknown`], the record may or may not have been appended.
    pub async fn send(&self, record: Record) -> Result<Receipt, Error> {
        let ticket = loop {
            match self.push(&record, true) {
                Ok(ticket) => break ticket,
                Err(error) if error.code() == Code::QUEUE_FULL => self.ready().await?,
                Err(error) => return Err(error),
            }
        };
        // The batch has its copy.
        drop(record);
        ticket.await
    }

    /// Sends all that is enqueued and waits until all that was enqueued before is acknowledged.
    ///
    /// # Errors
    /// The first failure since the last flush that no ticket has told.
    pub async fn flush(&self) -> Result<(), Error> {
        self.handle.sender.flush().await
    }

    /// Takes no more records, flushes, and closes the producer on the server; for every clone.
    ///
    /// # Errors
    /// Those of [`Producer::flush`].
    pub async fn close(&self) -> Result<(), Error> {
        self.handle.sender.close().await
    }

    /// How many partitions the topic has.
    pub fn partitions(&self) -> u32 {
        self.handle.partitions
    }

    /// Bytes of records that wait to be sent or acknowledged.
    pub fn queued_bytes(&self) -> usize {
        self.handle.sender.queue().queued_bytes()
    }
}

/// Microseconds since the Unix epoch; 0 on a clock that is set before it.
fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

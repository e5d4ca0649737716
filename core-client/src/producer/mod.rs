//! Producing: records in, batches out, acknowledgements back.
//!
//! Owns the handle that the application holds and its options. The [`queue`] decides which
//! records travel together, the protocol's `ProducerSession` what is sent when and what became of
//! it, the [`sender`] moves it, a [`ticket`] tells what became of one record. The one invariant:
//! a record that was taken ends in exactly one outcome, even if every handle and ticket is
//! dropped, and whatever becomes of the connection.

mod open;
mod queue;
mod sender;
pub(crate) mod stats;
pub(crate) mod ticket;
pub(crate) mod tickets;

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tidewire_protocol::batch::{Codec, RecordRef, Sealing};
use tidewire_protocol::frame;
use tidewire_protocol::limits;
use tidewire_protocol::name::check_name;
use tidewire_protocol::options::producer as defaults;
use tidewire_protocol::session::{ProducerConfig, ProducerSession};
use tracing::Instrument;

use crate::Acks;
use crate::client::{Client, topic_name};
use crate::completion::{Attached, CompletionQueue};
use crate::encryption;
use crate::error::{Code, Error};
use crate::link::random_seed;
use crate::options::option_by_name;
use crate::record::Record;
use open::{As, open};
use queue::{Bounds, Pushed, Queue};
use sender::{Channel, Sender};
use stats::{CloseError, ProducerStats};
use ticket::{Receipt, Ticket};
use tickets::Tickets;

/// Headers of a record up to which enqueueing it allocates nothing.
const INLINE_HEADERS: usize = 8;

/// What happens to a record for which the producer's queue has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueueFull {
    /// `send` waits for room. `enqueue`, which never waits, gives the record back with
    /// `QUEUE_FULL`; [`Producer::ready`] waits.
    #[default]
    Block,
    /// `send` and `enqueue` give it back with `QUEUE_FULL`.
    Error,
    /// It is dropped: `enqueue` succeeds, and the ticket's outcome, as that of `send`, is
    /// `QUEUE_FULL`. [`ProducerStats::dropped_records`] counts them.
    Drop,
}

/// `block`, `error` or `drop`.
impl FromStr for QueueFull {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "block" => Self::Block,
            "error" => Self::Error,
            "drop" => Self::Drop,
            _ => {
                let text =
                    format!("queue_full is \"{text}\", but should be block, error or drop");
                return Err(Error::new(Code::INVALID_OPTION, text));
            }
        })
    }
}

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
    delivery_timeout_ms: Option<u32>,
    queue_full: Option<QueueFull>,
    encryption_key_id: Option<u32>,
    completions: Option<Attached>,
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
            delivery_timeout_ms: None,
            queue_full: None,
            encryption_key_id: None,
            completions: None,
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

    /// Time from enqueueing a record to its outcome, in milliseconds, with all retries and
    /// reconnects.
    pub fn delivery_timeout_ms(mut self, delivery_timeout_ms: u32) -> Self {
        self.delivery_timeout_ms = Some(delivery_timeout_ms);
        self
    }

    /// What happens to a record for which the queue has no room.
    pub fn queue_full(mut self, queue_full: QueueFull) -> Self {
        self.queue_full = Some(queue_full);
        self
    }

    /// The number of the client's key that batches are encrypted with; 0, as if not set, encrypts
    /// nothing. Values, keys, headers and times are then read by nobody who does not have the key,
    /// the server and its disks included; ids stay readable, and so do the number of records in a
    /// batch and the earliest of their times. Consumers read batches of all keys that their client
    /// has, and plain ones: to change the key, first give the new one to all of them.
    pub fn encryption_key_id(mut self, encryption_key_id: u32) -> Self {
        self.encryption_key_id = Some(encryption_key_id);
        self
    }

    option_by_name!(Producer: acks, linger_ms, batch_bytes, batch_records, queue_bytes,
        max_in_flight, codec, delivery_timeout_ms, queue_full, encryption_key_id);

    /// Has the outcomes of all records settled into a queue, too, in which this producer is known
    /// by a number of the application's choice. A queue may be given to several producers. What
    /// it tells of failures, [`Producer::flush`] does not tell again later.
    pub fn completions(mut self, queue: &CompletionQueue, producer: u64) -> Self {
        self.completions = Some(Attached { queue: queue.clone(), producer });
        self
    }

    /// Opens the producer.
    ///
    /// # Errors
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`, `INVALID_NAME`, `INVALID_OPTION` (also if the client
    /// does not have the key), and for a new name `TOO_MANY_PRODUCERS`.
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
        let delivery_timeout_ms = number(
            "delivery_timeout_ms",
            self.delivery_timeout_ms,
            defaults::DELIVERY_TIMEOUT_MS,
        )?;
        let queue_full = settings.queue_full(self.queue_full);
        let acks = settings.acks(self.acks)?;
        let codec = settings.codec(self.codec)?;
        let key_id =
            number("encryption_key_id", self.encryption_key_id, defaults::ENCRYPTION_KEY_ID)?;
        let sealing = encryption::sealing(&settings.keys, key_id, &topic)?;

        let link = Arc::clone(&self.client.link);
        let number = link.new_channel();
        let (name, topic_name) = (self.name.as_deref(), &topic);
        let who = As::New(random_seed());
        let (connection, opened) = link
            .attempt(|connection, left_ms| async move {
                let opened = open(&connection, number, topic_name, name, who, left_ms).await?;
                Ok((connection, opened))
            })
            .await?;
        let hello = connection.hello();
        let max_batch_len = limits::MAX_BATCH_LEN
            .min(hello.max_batch_len)
            .min(hello.max_frame_len.saturating_sub(frame::OVERHEAD));
        let bounds = Bounds {
            linger_ms,
            delivery_timeout_ms,
            batch_bytes: batch_bytes.min(max_batch_len) as usize,
            batch_records: batch_records.min(hello.max_batch_records).max(1) as usize,
            max_batch_len: max_batch_len as usize,
            queue_bytes: queue_bytes as usize,
            queue_full,
            takes_ids: acks != Acks::None,
        };
        let (retry_backoff_ms, retry_backoff_max_ms) = link.retry_backoff_ms();
        let config = ProducerConfig {
            max_in_flight: max_in_flight as usize,
            // SPEC I-10: without acknowledgements a refusal goes unreported, and all that
            // follows it would be refused, too.
            idempotent: acks != Acks::None,
            acks,
            retry_backoff_ms,
            retry_backoff_max_ms,
            seed: random_seed(),
        };
        let mut session = ProducerSession::new(config, opened.identity);
        if let Some(sealing) = &sealing {
            session.encrypt_with(Sealing::clone(sealing));
        }
        // A codec of a later version leaves batches plain.
        let codec = codec.unwrap_or(opened.codec);
        let partitions = opened.partitions;
        let inline = codec == Codec::None && sealing.is_none();
        let mut queue = Queue::new(topic.clone(), bounds, session, partitions, codec, sealing);
        queue.channel = Some(Channel { connection, number });
        queue.completions = self.completions;
        let sender = Sender::new(link, topic, opened.topic_id, self.name, acks, inline, queue);
        let sender = Arc::new(sender);
        tokio::spawn(Arc::clone(&sender).run());
        Ok(Producer { handle: Arc::new(Handle { sender, partitions, queue_full }) })
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

impl EnqueueError {
    pub(crate) fn new(error: Error, record: Record) -> Self {
        Self { inner: Box::new((error, record)) }
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
    queue_full: QueueFull,
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
    /// The ticket tells the outcome, the only one, at the latest `delivery_timeout_ms` from now:
    ///
    /// * a [`Receipt`]: the record is there, once, and what `acks` asked for holds; or, with
    ///   `duplicate`, it was there before, or another of its [id](crate::Record::id);
    /// * an error with [`Error::is_outcome_unknown`]: it may be there, once, or not. Sent again by
    ///   the application, it may be there twice, unless its id is remembered;
    /// * any other error: it is certainly not there.
    ///
    /// What can be tried again is tried again until then, on as many connections as it takes:
    /// only what will never succeed fails earlier.
    ///
    /// # Errors
    /// `QUEUE_FULL`: wait for [`Producer::ready`] (see [`QueueFull`]). `RECORD_TOO_LARGE`,
    /// `PARTITION_NOT_FOUND`, or `INVALID_ARGUMENT` for a header name that is empty or over
    /// 65,535 bytes: nothing of this record is sent, and the producer goes on. `CLOSED`, or why
    /// the producer has ended: it does not go on. The record comes back with the error.
    pub fn enqueue(&self, record: Record) -> Result<Ticket, EnqueueError> {
        self.push(&record, false).map_err(|error| EnqueueError::new(error, record))
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

    /// As [`Producer::enqueue_ref`], for a record that is waited for, as [`Producer::send`] does:
    /// its batch does not linger.
    ///
    /// # Errors
    /// See [`Producer::enqueue`].
    pub fn enqueue_now_ref(
        &self,
        record: &RecordRef<'_>,
        partition: Option<u32>,
    ) -> Result<Ticket, Error> {
        self.push_ref(record, partition, true)
    }

    /// Puts records into the queue, in order, as [`Producer::enqueue_ref`] does each of them, at
    /// less cost: what is the same for neighbours is done once. `partition` is for all of them.
    ///
    /// Returns the tickets of those that were taken, which are the first ones, and, if they were
    /// not all, why the one behind them was refused.
    ///
    /// ```
    /// # use tidewire::{Error, Producer, RecordRef};
    /// # async fn example(producer: &Producer, values: &[&[u8]]) -> Result<(), Error> {
    /// let now = 1_767_225_600_000_000;
    /// let records: Vec<_> = values
    ///     .iter()
    ///     .map(|value| RecordRef { value: Some(value), ..RecordRef::at(now) })
    ///     .collect();
    /// let (tickets, refused) = producer.enqueue_many(&records, None);
    /// if let Some(error) = refused {
    ///     eprintln!("only {} of {} were taken: {error}", tickets.len(), records.len());
    /// }
    /// producer.flush().await
    /// # }
    /// ```
    pub fn enqueue_many(
        &self,
        records: &[RecordRef<'_>],
        partition: Option<u32>,
    ) -> (Tickets, Option<Error>) {
        let sender = &self.handle.sender;
        let mut tickets = Tickets::default();
        let mut left = records;
        let mut error = None;
        while error.is_none() && !left.is_empty() {
            let mut pushed = Pushed::default();
            let result = sender.queue().push_many(
                &mut left,
                partition,
                &mut tickets,
                &mut pushed,
                || sender.now(),
            );
            error = result.err();
            self.pushed(pushed, error.as_ref());
        }
        (tickets, error)
    }

    /// Does what a push called for.
    fn pushed(&self, pushed: Pushed, error: Option<&Error>) {
        let sender = &self.handle.sender;
        // A record that was dropped has its outcome already.
        if self.handle.queue_full == QueueFull::Drop {
            sender.notify_queue();
        }
        // A record that fits into no batch may have ended the one before it.
        if pushed.send || error.is_some_and(|error| error.code() == Code::RECORD_TOO_LARGE) {
            sender.pump();
        }
        if pushed.sooner {
            sender.wake();
        }
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
        let result = sender.queue().push(record, partition, expedite, || sender.now());
        let (ticket, pushed) = match result {
            Ok(pushed) => pushed,
            Err(error) => {
                self.pushed(Pushed::default(), Some(&error));
                return Err(error);
            }
        };
        self.pushed(pushed, None);
        Ok(ticket)
    }

    /// Waits until the queue has room for a record. With several tasks enqueueing, another may
    /// be faster.
    ///
    /// # Errors
    /// `CLOSED`, or why the producer has ended: there will be none.
    pub async fn ready(&self) -> Result<(), Error> {
        self.handle.sender.ready().await
    }

    /// Sends a record and waits for its acknowledgement. It does not linger; records that are
    /// enqueued already travel with it. Waits first if the queue is full, unless `queue_full`
    /// says otherwise. The time of `delivery_timeout_ms` begins once there is room.
    ///
    /// If the future is dropped while it waits for room, nothing is sent; later, the record is
    /// sent all the same.
    ///
    /// # Errors
    /// Those of [`Producer::enqueue`] and of its ticket. If [`Error::is_outcome_unknown`], the
    /// record may or may not have been appended.
    pub async fn send(&self, record: Record) -> Result<Receipt, Error> {
        let span = tracing::debug_span!("send", topic = %self.handle.sender.topic);
        self.send_and_wait(record).instrument(span).await
    }

    async fn send_and_wait(&self, record: Record) -> Result<Receipt, Error> {
        let waits = self.handle.queue_full == QueueFull::Block;
        let ticket = loop {
            match self.push(&record, true) {
                Ok(ticket) => break ticket,
                Err(error) if waits && error.code() == Code::QUEUE_FULL => self.ready().await?,
                Err(error) => return Err(error),
            }
        };
        // The batch has its copy.
        drop(record);
        ticket.await
    }

    /// Has all that is enqueued sent without lingering; waits for nothing. For those who then wait
    /// for tickets.
    pub fn expedite(&self) {
        self.handle.sender.expedite();
    }

    /// Sends all that is enqueued and waits until all that was enqueued before is acknowledged.
    ///
    /// # Errors
    /// The first failure since the last flush that no ticket has told.
    pub async fn flush(&self) -> Result<(), Error> {
        self.handle.sender.flush().await
    }

    /// Takes no more records, flushes, and closes the producer on the server; for every clone.
    /// Every record has its outcome within `delivery_timeout_ms`, so that it takes no longer.
    ///
    /// # Errors
    /// The first failure, as that of [`Producer::flush`], and how many records of which
    /// partitions were not acknowledged.
    pub async fn close(&self) -> Result<(), CloseError> {
        self.handle.sender.close(None).await
    }

    /// As [`Producer::close`], within a time: then what is left fails with `TIMEOUT`, or is
    /// unknown if it was sent.
    ///
    /// # Errors
    /// Those of [`Producer::close`].
    pub async fn close_within(&self, limit: Duration) -> Result<(), CloseError> {
        self.handle.sender.close(Some(limit)).await
    }

    /// What it did so far, and what waits.
    pub fn stats(&self) -> ProducerStats {
        self.handle.sender.queue().stats()
    }

    /// Whether a full queue is to be waited for: its `queue_full` is [`QueueFull::Block`].
    pub fn waits_for_room(&self) -> bool {
        self.handle.queue_full == QueueFull::Block
    }

    /// How many partitions the topic has.
    pub fn partitions(&self) -> u32 {
        self.handle.partitions
    }

    /// What happens to a record for which the queue has no room.
    pub fn queue_full(&self) -> QueueFull {
        self.handle.queue_full
    }

    /// Bytes of records that wait to be sent or acknowledged.
    pub fn queued_bytes(&self) -> usize {
        self.handle.sender.queue().queued_bytes()
    }
}

/// Microseconds since the Unix epoch; 0 on a clock that is set before it.
pub fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

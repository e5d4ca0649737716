//! Producing.
//!
//! Owns the handle of a producer: a blocking one, or one that is still being opened. Queueing and
//! sending is the core's. The one invariant: a record that was taken has its number, also if the
//! call fails for a later one.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

use tidewire::blocking::{Canceller, Client, Producer, ProducerBuilder, Runtime};
use tidewire::{CloseError, Code, Error, RecordRef, Ticket};

use crate::client::{ClientValue, tw_client};
use crate::error::{Failure, tw_error};
use crate::guard::{
    Grows, array, boxed, failed, free, guard, handle, invalid, limit, place, read_sized, text,
    tw_status, value, write_sized,
};
use crate::hub::{Handle, Hub, Opaque, TW_EVENT_CLOSED, TW_EVENT_FLUSHED, TW_EVENT_OPENED};
use crate::options::{switch, tw_producer_options};
use crate::ticket::{TicketValue, now_us, tw_receipt, tw_record, tw_ticket};

/// A producer, perhaps still being opened.
#[derive(Debug)]
pub struct ProducerValue {
    producer: Arc<OnceLock<Producer>>,
    hub: Arc<Hub>,
    number: u64,
    begun: OnceLock<Canceller>,
}

handle! {
    /// Sends records to a topic. Any number of threads may use it; it is freed by
    /// `tw_producer_free`.
    tw_producer(ProducerValue), b"twproduc", "producer"
}

impl ProducerValue {
    #[inline]
    fn producer(&self) -> Result<&Producer, Error> {
        self.producer.get().ok_or_else(|| {
            invalid("the producer is not open yet: wait for its TW_EVENT_OPENED")
        })
    }

    fn new(hub: &Arc<Hub>) -> Self {
        Self {
            producer: Arc::default(),
            hub: Arc::clone(hub),
            number: hub.number(),
            begun: OnceLock::new(),
        }
    }
}

impl Drop for ProducerValue {
    fn drop(&mut self) {
        if let Some(canceller) = self.begun.get()
            && self.hub.is_here()
        {
            canceller.cancel();
        }
        self.hub.forget(self.number);
    }
}

/// # Safety
/// As the header says.
unsafe fn builder(
    client: &Client,
    topic: *const c_char,
    options: &tw_producer_options,
    made: &ProducerValue,
) -> Result<ProducerBuilder, Error> {
    // SAFETY: as the caller says.
    let builder = unsafe { options.apply(client.producer(text(topic, "topic")?)) }?;
    Ok(if switch(options.completions, "completions")? {
        builder.completions(made.hub.completions(), made.number)
    } else {
        builder
    })
}

/// Boxes a producer, whose events lead to it from then on.
fn hand_out(made: ProducerValue, options: &tw_producer_options) -> *mut tw_producer {
    let (hub, number) = (Arc::clone(&made.hub), made.number);
    let handle: *mut tw_producer = boxed(made);
    hub.bind(number, Handle::Producer(Opaque::new(handle), Opaque::new(options.user_data)));
    handle
}

/// Opens a producer for `topic`, such as `stream/topic`. `options` may be NULL.
///
/// `*producer` belongs to the caller, and may outlive the client's handle; on failure it is NULL.
/// It waits up to `request_timeout_ms`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_open(
    client: Option<&tw_client>,
    topic: *const c_char,
    options: *const tw_producer_options,
    producer: Option<&mut MaybeUninit<*mut tw_producer>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let out = place(producer, "producer")?;
        out.write(std::ptr::null_mut());
        let it: &ClientValue = value(client)?;
        let (client, made) = (it.client()?, ProducerValue::new(it.hub()?));
        // SAFETY: as the header says.
        let (builder, options) = unsafe {
            let options = read_sized(options)?;
            (builder(client, topic, &options, &made)?, options)
        };
        // Nobody else has it yet.
        let _ = made.producer.set(builder.build()?);
        out.write(hand_out(made, &options));
        Ok(())
    })
}

/// As `tw_producer_open`, without waiting: `tw_client_poll` tells with `TW_EVENT_OPENED` when it is
/// open, or with the event's error that it cannot be opened. Until then only `tw_producer_free` may
/// be called for it; others fail with `TW_E_INVALID_ARGUMENT`.
///
/// `*producer` belongs to the caller, also if the event has an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_start(
    client: Option<&tw_client>,
    topic: *const c_char,
    options: *const tw_producer_options,
    producer: Option<&mut MaybeUninit<*mut tw_producer>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let out = place(producer, "producer")?;
        out.write(std::ptr::null_mut());
        let it: &ClientValue = value(client)?;
        let (client, made) = (it.client()?, ProducerValue::new(it.hub()?));
        // SAFETY: as the header says.
        let (builder, options) = unsafe {
            let options = read_sized(options)?;
            (builder(client, topic, &options, &made)?, options)
        };
        let (slot, hub) = (Arc::clone(&made.producer), Arc::downgrade(&made.hub));
        let number = made.number;
        let handle = hand_out(made, &options);
        let done = move |result: Result<tidewire::Producer, Error>| {
            let failure = result.and_then(Producer::from_async).map(|it| slot.set(it));
            if let Some(hub) = hub.upgrade() {
                hub.done(TW_EVENT_OPENED, number, None, failure.err().map(Into::into));
            }
        };
        let builder = builder.into_async();
        let spawned = client.runtime().spawn(async move { builder.build().await }, done);
        // SAFETY: made above, and nobody else has it yet.
        let handed = unsafe { handle.as_ref() };
        match spawned {
            Ok(canceller) => {
                let _ = value(handed)?.begun.set(canceller);
                out.write(handle);
                Ok(())
            }
            Err(error) => {
                // SAFETY: as above.
                unsafe { free(handle) };
                Err(error.into())
            }
        }
    })
}

#[inline]
fn enqueue(producer: &tidewire::Producer, record: &tw_record) -> Result<Ticket, Error> {
    // SAFETY: whoever passed the record says that it points to what the header says.
    unsafe { record.with(|record, partition| producer.enqueue_ref(record, partition)) }
}

/// Puts a record into the queue, without waiting. It is sent when its batch is full, after
/// `linger_ms`, or with the next send or flush. `number`, which may be NULL, is the number by which
/// `TW_EVENT_SETTLED` speaks of it; without events, `tw_producer_flush` tells whether all went well.
///
/// Everything in `record` is copied before the call returns. Any thread may call this.
///
/// Errors: `TW_E_QUEUE_FULL` if there is no room (see `tw_producer_ready`),
/// `TW_E_RECORD_TOO_LARGE`, `TW_E_PARTITION_NOT_FOUND`, `TW_E_INVALID_ARGUMENT`; the producer goes
/// on. `TW_E_CLOSED`, or why the producer has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_enqueue(
    producer: Option<&tw_producer>,
    record: Option<&tw_record>,
    number: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let producer = value(producer)?.producer()?.as_async()?;
        let record = record.ok_or_else(|| invalid("record is NULL"))?;
        let ticket = enqueue(producer, record)?;
        if let Some(number) = number {
            number.write(ticket.number());
        }
        Ok(())
    })
}

/// As `tw_producer_enqueue`, with a ticket that can be waited for. `*ticket` belongs to the caller;
/// on failure it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_enqueue_ticket(
    producer: Option<&tw_producer>,
    record: Option<&tw_record>,
    ticket: Option<&mut MaybeUninit<*mut tw_ticket>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let out = place(ticket, "ticket")?;
        out.write(std::ptr::null_mut());
        let blocking = value(producer)?.producer()?;
        let record = record.ok_or_else(|| invalid("record is NULL"))?;
        let ticket = enqueue(blocking.as_async()?, record)?;
        out.write(boxed(TicketValue::new(ticket, blocking)));
        Ok(())
    })
}

/// The first of many records, as far as they are alike: without headers and ids, for the same
/// partition, or for none in particular.
struct Run<'a>([RecordRef<'a>; RUN]);

/// Most records of a [`Run`]: so few that they lie on the stack, and enough that what is done for
/// all of them at once is not felt.
const RUN: usize = 64;

impl Run<'_> {
    /// # Safety
    /// The records point to what the header says.
    unsafe fn of(records: &[tw_record]) -> (Self, usize) {
        let mut run = [RecordRef::at(0); RUN];
        let partition = records.first().and_then(tw_record::named_partition);
        let (now_us, mut len) = (now_us(), 0);
        for (place, record) in run.iter_mut().zip(records) {
            // SAFETY: as the caller says.
            let plain = unsafe { record.plain(now_us) };
            let Some(plain) = plain.filter(|_| record.named_partition() == partition) else {
                break;
            };
            *place = plain;
            len += 1;
        }
        (Self(run), len)
    }
}

/// Puts many records into the queue with one call, in order and without waiting. `numbers`, which
/// may be NULL, has room for `count` numbers. `*taken`, which may not be NULL, is how many were
/// taken: fewer than `count` only on failure, which is then that of `records[*taken]`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_enqueue_many(
    producer: Option<&tw_producer>,
    records: *const tw_record,
    count: usize,
    numbers: *mut u64,
    taken: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let taken = place(taken, "taken")?.write(0);
        let producer = value(producer)?.producer()?.as_async()?;
        // SAFETY: as the header says.
        let mut left = unsafe { array(records, count, "records") }?;
        while let Some(record) = left.first() {
            // SAFETY: as the header says.
            let (run, len) = unsafe { Run::of(left) };
            let mut note = |number| {
                if !numbers.is_null() {
                    // SAFETY: there is room for as many as there are records.
                    unsafe { numbers.add(*taken).write(number) };
                }
                *taken += 1;
            };
            if len == 0 {
                note(enqueue(producer, record)?.number());
                left = &left[1..];
                continue;
            }
            let (tickets, refused) =
                producer.enqueue_many(&run.0[..len], record.named_partition());
            tickets.numbers().for_each(note);
            if let Some(error) = refused {
                return Err(error.into());
            }
            left = &left[len..];
        }
        Ok(())
    })
}

/// Waits until the queue has room, for up to `timeout_ms`, without end if negative: then
/// `TW_E_TIMEOUT`. With several threads enqueueing, another may be faster.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_ready(
    producer: Option<&tw_producer>,
    timeout_ms: i64,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || Ok(value(producer)?.producer()?.ready(limit(timeout_ms))?))
}

/// Sends a record and waits for its acknowledgement: first for room in the queue, unless
/// `queue_full` says otherwise, then up to `delivery_timeout_ms`. It does not linger. `receipt` may
/// be NULL.
///
/// If the error's outcome is unknown (`tw_error_is_outcome_unknown`), the record may be there or
/// not, as after `TW_E_INTERRUPTED`; after any other error it certainly is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_send(
    producer: Option<&tw_producer>,
    record: Option<&tw_record>,
    receipt: Option<&mut MaybeUninit<tw_receipt>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let producer = value(producer)?.producer()?;
        let record = record.ok_or_else(|| invalid("record is NULL"))?;
        // SAFETY: as the header says.
        let record = unsafe { record.copied() }?;
        let partition = record.partition.unwrap_or_default();
        let outcome = producer.send(record);
        if let Some(receipt) = receipt {
            receipt.write(tw_receipt::of(&outcome, partition));
        }
        outcome?;
        Ok(())
    })
}

/// Sends many records and waits until each has its outcome: for room in the queue, unless
/// `queue_full` says otherwise, and then up to `delivery_timeout_ms`. `receipts`, which may be
/// NULL, has room for `count`; the status of each is that of its record, and those that were not
/// tried have `TW_E_INTERRUPTED`.
///
/// Returns `TW_OK` if all were acknowledged, else the first failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_send_batch(
    producer: Option<&tw_producer>,
    records: *const tw_record,
    count: usize,
    receipts: *mut tw_receipt,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let producer = value(producer)?.producer()?;
        // SAFETY: as the header says.
        let records = unsafe { array(records, count, "records") }?;
        let mut first = None;
        let mut told = 0;
        let mut tell = |outcome: Result<tidewire::Receipt, Error>, partition| {
            if !receipts.is_null() {
                let receipt = tw_receipt::of(&outcome, partition);
                // SAFETY: there is room for as many as there are records.
                unsafe { receipts.add(told).write(receipt) };
            }
            told += 1;
            if let Err(error) = outcome {
                first.get_or_insert(error);
            }
        };
        let mut tickets = Vec::with_capacity(count);
        let mut stopped = None;
        for record in records {
            let ticket = match &stopped {
                Some(error) => Err(Error::clone(error)),
                None => enqueue_waiting(producer, record),
            };
            if let Err(error) = &ticket
                && matches!(error.code(), Code::INTERRUPTED | Code::WOULD_BLOCK)
            {
                stopped = Some(error.clone());
            }
            tickets.push(ticket);
        }
        producer.as_async()?.expedite();
        for (ticket, record) in tickets.into_iter().zip(records) {
            match ticket {
                Ok(mut ticket) => {
                    let partition = ticket.partition();
                    let outcome = match ticket.try_receipt() {
                        Some(outcome) => outcome,
                        None => wait(ticket),
                    };
                    tell(outcome, partition);
                }
                Err(error) => tell(Err(error), record.partition),
            }
        }
        match first {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    })
}

fn wait(ticket: Ticket) -> Result<tidewire::Receipt, Error> {
    let waited = Runtime::shared()?.try_wait("waiting for an acknowledgement", None, ticket)?;
    // Without a limit it ends with an outcome.
    waited.unwrap_or_else(|| Err(failed(Code::TIMEOUT, "no outcome")))
}

fn enqueue_waiting(producer: &Producer, record: &tw_record) -> Result<Ticket, Error> {
    loop {
        match enqueue(producer.as_async()?, record) {
            Err(error)
                if error.code() == Code::QUEUE_FULL
                    && producer.as_async()?.waits_for_room() =>
            {
                producer.ready(None)?;
            }
            result => return result,
        }
    }
}

/// Sends all that is enqueued and waits, for up to `timeout_ms`, without end if negative, until it
/// has its outcome. Returns the first failure since the last flush that no ticket or event has
/// told; `TW_E_TIMEOUT` when the time is over, and the rest goes on being sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_flush(
    producer: Option<&tw_producer>,
    timeout_ms: i64,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || Ok(value(producer)?.producer()?.flush(limit(timeout_ms))?))
}

/// As `tw_producer_flush`, without waiting: `tw_client_poll` tells the end with
/// `TW_EVENT_FLUSHED`, which has this `user_data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_flush_start(
    producer: Option<&tw_producer>,
    user_data: *mut std::ffi::c_void,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let it = value(producer)?;
        let producer = it.producer()?.as_async()?.clone();
        let flushing = async move { producer.flush().await };
        let told = tells(it, TW_EVENT_FLUSHED, user_data);
        Runtime::shared()?.spawn(flushing, move |result| told(result.err().map(Into::into)))?;
        Ok(())
    })
}

/// Takes no more records, flushes, and closes the producer on the server. It waits up to
/// `timeout_ms`, after which what is left fails; without end if negative, though every record has
/// its outcome within `delivery_timeout_ms`. The handle is still to be freed.
///
/// Returns the first failure; `tw_error_unsent` tells how many records of which partitions were not
/// acknowledged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_close(
    producer: Option<&tw_producer>,
    timeout_ms: i64,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || Ok(value(producer)?.producer()?.close(limit(timeout_ms))?))
}

/// As `tw_producer_close`, without waiting: `tw_client_poll` tells the end with
/// `TW_EVENT_CLOSED`, which has this `user_data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_close_start(
    producer: Option<&tw_producer>,
    timeout_ms: i64,
    user_data: *mut std::ffi::c_void,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let it = value(producer)?;
        let producer = it.producer()?.as_async()?.clone();
        let told = tells(it, TW_EVENT_CLOSED, user_data);
        let closing = async move {
            Ok(match limit(timeout_ms) {
                Some(limit) => producer.close_within(limit).await,
                None => producer.close().await,
            })
        };
        let done = move |result: Result<Result<(), CloseError>, Error>| {
            told(match result {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.into()),
                Err(error) => Some(error.into()),
            });
        };
        Runtime::shared()?.spawn(closing, done)?;
        Ok(())
    })
}

/// Tells the end of something that was begun.
fn tells(
    it: &ProducerValue,
    kind: u32,
    user_data: *mut std::ffi::c_void,
) -> impl FnOnce(Option<Failure>) + Send + 'static {
    let (hub, number) = (Arc::downgrade(&it.hub), it.number);
    let user_data = Opaque::new(user_data);
    move |failure| {
        if let Some(hub) = hub.upgrade() {
            let user_data = (user_data != Opaque::NULL).then_some(user_data);
            hub.done(kind, number, user_data, failure);
        }
    }
}

/// How many partitions the topic had when the producer was opened; 0 if it is not open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_partitions(producer: Option<&tw_producer>) -> u32 {
    crate::guard::guard_value(0, || {
        value(producer).and_then(|it| it.producer()?.partitions()).unwrap_or(0)
    })
}

/// What a producer did so far, and what waits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_producer_stats {
    /// Bytes of this struct; set by `TW_PRODUCER_STATS_INIT`.
    pub size: usize,
    /// Records without an outcome.
    pub queued_records: u64,
    /// Their bytes, as they count against `queue_bytes`.
    pub queued_bytes: u64,
    /// Batches on the wire that are not answered.
    pub in_flight_batches: u64,
    /// Batches sent, each time counted.
    pub sent_batches: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Of them, those that had been sent before.
    pub retried_batches: u64,
    /// Batches that an earlier sending had appended already.
    pub duplicate_batches: u64,
    /// Records acknowledged.
    pub acknowledged_records: u64,
    /// Records that were certainly not appended.
    pub failed_records: u64,
    /// Records whose outcome is unknown.
    pub unknown_records: u64,
    /// Records dropped because the queue was full, with `TW_QUEUE_FULL_DROP`.
    pub dropped_records: u64,
}

// SAFETY: integers only; `size` stands first.
unsafe impl Grows for tw_producer_stats {
    const NAME: &'static str = "tw_producer_stats";
    const FIRST_SIZE: usize = size_of::<Self>();

    fn unset() -> Self {
        Self {
            size: size_of::<Self>(),
            queued_records: 0,
            queued_bytes: 0,
            in_flight_batches: 0,
            sent_batches: 0,
            sent_bytes: 0,
            retried_batches: 0,
            duplicate_batches: 0,
            acknowledged_records: 0,
            failed_records: 0,
            unknown_records: 0,
            dropped_records: 0,
        }
    }
}

/// Fills `stats`, which begins with `TW_PRODUCER_STATS_INIT`. It does not ask the server.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_get_stats(
    producer: Option<&tw_producer>,
    stats: *mut tw_producer_stats,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let found = value(producer)?.producer()?.stats()?;
        let filled = tw_producer_stats {
            queued_records: found.queued_records,
            queued_bytes: found.queued_bytes,
            in_flight_batches: found.in_flight_batches,
            sent_batches: found.sent_batches,
            sent_bytes: found.sent_bytes,
            retried_batches: found.retried_batches,
            duplicate_batches: found.duplicate_batches,
            acknowledged_records: found.acknowledged_records,
            failed_records: found.failed_records,
            unknown_records: found.unknown_records,
            dropped_records: found.dropped_records,
            ..tw_producer_stats::unset()
        };
        // SAFETY: as the header says.
        unsafe { write_sized(stats, filled) }?;
        Ok(())
    })
}

/// Frees a producer; NULL is nothing to free. What was enqueued is still sent, without anybody
/// being told; call `tw_producer_close` first to know. No other thread may use the handle any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_producer_free(producer: *mut tw_producer) {
    // SAFETY: as the header says.
    unsafe { free(producer) }
}

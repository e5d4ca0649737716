//! Consuming, with a group and without.
//!
//! Owns the handle of a consumer, and waiting for it; what is delivered stays in the core's queue,
//! within its credit. The one invariant: whoever waits is woken by what it waits for, also if
//! several wait.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tidewire::blocking::{Canceller, Client, ConsumerBuilder, Runtime};
use tidewire::{
    AutoCommit, Batch, Code, ConsumerStats, Delivery, DeliveryQueue, Error, OnOutOfRange,
};

use crate::batch::tw_batch;
use crate::client::{ClientValue, tw_client};
use crate::error::{Failure, tw_error};
use crate::guard::{
    Grows, array, boxed, failed, free, guard, guard_value, handle, invalid, limit,
    optional_text, place, read_sized, text, tw_status, value, write_sized,
};
use crate::hub::{Handle, Hub, Opaque, TW_EVENT_COMMITTED, TW_EVENT_OPENED};
use crate::lists::{Items, Texts, hand_out, take_back};
use crate::options::{
    TW_AUTO_COMMIT_AFTER, TW_AUTO_COMMIT_BEFORE, TW_AUTO_COMMIT_INTERVAL, TW_AUTO_COMMIT_OFF,
    TW_OUT_OF_RANGE_EARLIEST, TW_OUT_OF_RANGE_ERROR, TW_OUT_OF_RANGE_LATEST, TW_UNSET, hand_on,
    start, tw_consumer_options,
};

/// Whom a wake-up wakes.
#[derive(Debug)]
struct Bell {
    waiting: tokio::sync::Notify,
    waiters: AtomicUsize,
    /// The hub has been told, and has not told it on.
    told: Arc<AtomicBool>,
}

/// A consumer, perhaps still being opened.
#[derive(Debug)]
pub struct ConsumerValue {
    queue: Arc<OnceLock<DeliveryQueue>>,
    bell: Arc<Bell>,
    hub: Arc<Hub>,
    number: u64,
    begun: OnceLock<Canceller>,
}

handle! {
    /// Receives a topic's records. Any number of threads may use it; it is freed by
    /// `tw_consumer_free`.
    tw_consumer(ConsumerValue), b"twconsum", "consumer"
}

impl ConsumerValue {
    fn new(hub: &Arc<Hub>) -> Self {
        Self {
            queue: Arc::default(),
            bell: Arc::new(Bell {
                waiting: tokio::sync::Notify::new(),
                waiters: AtomicUsize::new(0),
                told: Arc::default(),
            }),
            hub: Arc::clone(hub),
            number: hub.number(),
            begun: OnceLock::new(),
        }
    }

    fn queue(&self) -> Result<&DeliveryQueue, Error> {
        self.queue.get().ok_or_else(|| {
            invalid("the consumer is not open yet: wait for its TW_EVENT_OPENED")
        })
    }

    /// What the queue calls when it has something. Its first call, when it is made, counts only
    /// once the handle can be used: `tell` makes up for it.
    fn wake(&self) -> impl Fn() + Send + Sync + 'static {
        let (bell, queue) = (Arc::clone(&self.bell), Arc::downgrade(&self.queue));
        let tell = self.tell();
        move || {
            bell.waiting.notify_one();
            if queue.upgrade().is_some_and(|queue| queue.get().is_some()) {
                tell();
            }
        }
    }

    /// Has the hub tell that there may be something.
    fn tell(&self) -> impl Fn() + Send + Sync + 'static {
        let (told, hub, number) =
            (Arc::clone(&self.bell.told), Arc::downgrade(&self.hub), self.number);
        move || {
            if let Some(hub) = hub.upgrade() {
                hub.readable(number, &told);
            }
        }
    }

    /// The next batch; `None` once the time is over, or there will be none.
    fn next(&self, limit: Option<Duration>) -> Result<Option<Batch>, Error> {
        let queue = self.queue()?;
        let until = limit.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            // Made before looking, so that the end is told to all who look now.
            let rung = self.bell.waiting.notified();
            match queue.try_next()? {
                Some(Delivery::Batch(batch)) => {
                    self.pass_on();
                    return Ok(Some(batch));
                }
                Some(Delivery::Error(error)) => {
                    self.pass_on();
                    return Err(error);
                }
                Some(Delivery::Closed) => self.bell.waiting.notify_waiters(),
                Some(_) => continue,
                None => {}
            }
            if queue.is_closed() || limit == Some(Duration::ZERO) {
                return Ok(None);
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            self.bell.waiters.fetch_add(1, Ordering::AcqRel);
            let waited = Runtime::shared()
                .and_then(|runtime| runtime.try_wait("waiting for a batch", left, rung));
            self.bell.waiters.fetch_sub(1, Ordering::AcqRel);
            if waited?.is_none() {
                return Ok(None);
            }
        }
    }

    /// One wake-up may stand for many batches: another who waits looks for the next one.
    fn pass_on(&self) {
        if self.bell.waiters.load(Ordering::Acquire) > 0 {
            self.bell.waiting.notify_one();
        }
    }

    /// Tells the end of something that was begun.
    fn tells(
        &self,
        kind: u32,
        user_data: *mut c_void,
    ) -> impl FnOnce(Option<Failure>) + Send + 'static {
        let (hub, number) = (Arc::downgrade(&self.hub), self.number);
        let user_data = Opaque::new(user_data);
        move |failure| {
            if let Some(hub) = hub.upgrade() {
                let user_data = (user_data != Opaque::NULL).then_some(user_data);
                hub.done(kind, number, user_data, failure);
            }
        }
    }
}

impl Drop for ConsumerValue {
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
    options: &tw_consumer_options,
) -> Result<ConsumerBuilder, Error> {
    // SAFETY: as the caller says.
    let (topic, group, member_name, topics, partitions, offsets) = unsafe {
        (
            text(topic, "topic")?,
            optional_text(options.group, "group")?,
            optional_text(options.member_name, "member_name")?,
            array(options.topics, options.topic_count, "topics")?,
            array(options.partitions, options.partition_count, "partitions")?,
            array(options.offsets, options.offset_count, "offsets")?,
        )
    };
    // SAFETY: as the caller says.
    let name = unsafe { optional_text(options.name, "name") }?;
    let mut builder = client.consumer(topic);
    hand_on!(options => builder: prefetch_bytes, session_timeout_ms, rebalance_timeout_ms,
        auto_commit_interval_ms);
    if options.start != TW_UNSET {
        builder = builder.start(start(options.start, options.start_at)?);
    }
    for (text, set) in [
        (group, ConsumerBuilder::group as fn(ConsumerBuilder, &str) -> ConsumerBuilder),
        (name, ConsumerBuilder::name),
        (member_name, ConsumerBuilder::member_name),
    ] {
        if let Some(text) = text {
            builder = set(builder, text);
        }
    }
    for &further in topics {
        // SAFETY: as the caller says.
        builder = builder.topic(unsafe { text(further, "one of the topics") }?);
    }
    if !options.partitions.is_null() {
        builder = builder.partitions(partitions.iter().copied());
    }
    for place in offsets {
        builder = builder.start_at(place.partition, place.offset);
    }
    builder = match options.on_out_of_range {
        TW_UNSET => builder,
        TW_OUT_OF_RANGE_ERROR => builder.on_out_of_range(OnOutOfRange::Error),
        TW_OUT_OF_RANGE_EARLIEST => builder.on_out_of_range(OnOutOfRange::Earliest),
        TW_OUT_OF_RANGE_LATEST => builder.on_out_of_range(OnOutOfRange::Latest),
        other => {
            let text =
                format!("on_out_of_range is {other}, which is none of TW_OUT_OF_RANGE_…");
            return Err(invalid(text));
        }
    };
    Ok(match options.auto_commit {
        TW_UNSET => builder,
        TW_AUTO_COMMIT_OFF => builder.auto_commit(AutoCommit::Off),
        TW_AUTO_COMMIT_INTERVAL => builder.auto_commit(AutoCommit::Interval),
        TW_AUTO_COMMIT_AFTER => builder.auto_commit(AutoCommit::After),
        TW_AUTO_COMMIT_BEFORE => builder.auto_commit(AutoCommit::Before),
        other => {
            let text = format!("auto_commit is {other}, which is none of TW_AUTO_COMMIT_…");
            return Err(invalid(text));
        }
    })
}

fn hand_over(made: ConsumerValue, options: &tw_consumer_options) -> *mut tw_consumer {
    let (hub, number) = (Arc::clone(&made.hub), made.number);
    let handle: *mut tw_consumer = boxed(made);
    hub.bind(number, Handle::Consumer(Opaque::new(handle), Opaque::new(options.user_data)));
    handle
}

/// Opens a consumer of `topic`, such as `stream/topic`; with the option `group` it joins the group.
/// `options` may be NULL.
///
/// `*consumer` belongs to the caller, and may outlive the client's handle; on failure it is NULL.
/// It waits up to `request_timeout_ms`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_open(
    client: Option<&tw_client>,
    topic: *const c_char,
    options: *const tw_consumer_options,
    consumer: Option<&mut MaybeUninit<*mut tw_consumer>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let out = place(consumer, "consumer")?;
        out.write(std::ptr::null_mut());
        let it: &ClientValue = value(client)?;
        let (client, made) = (it.client()?, ConsumerValue::new(it.hub()?));
        // SAFETY: as the header says.
        let (builder, options) = unsafe {
            let options = read_sized(options)?;
            (builder(client, topic, &options)?, options)
        };
        let queue = builder.deliveries(None, made.wake())?;
        // Nobody else has it yet.
        let _ = made.queue.set(queue);
        let tell = made.tell();
        out.write(hand_over(made, &options));
        tell();
        Ok(())
    })
}

/// As `tw_consumer_open`, without waiting: `tw_client_poll` tells with `TW_EVENT_OPENED` when it is
/// open, or with the event's error that it cannot be opened. Until then only `tw_consumer_free` may
/// be called for it; others fail with `TW_E_INVALID_ARGUMENT`.
///
/// `*consumer` belongs to the caller, also if the event has an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_start(
    client: Option<&tw_client>,
    topic: *const c_char,
    options: *const tw_consumer_options,
    consumer: Option<&mut MaybeUninit<*mut tw_consumer>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let out = place(consumer, "consumer")?;
        out.write(std::ptr::null_mut());
        let it: &ClientValue = value(client)?;
        let (client, made) = (it.client()?, ConsumerValue::new(it.hub()?));
        // SAFETY: as the header says.
        let (builder, options) = unsafe {
            let options = read_sized(options)?;
            (builder(client, topic, &options)?, options)
        };
        let (slot, wake, tell) = (Arc::clone(&made.queue), made.wake(), made.tell());
        let (hub, number) = (Arc::downgrade(&made.hub), made.number);
        let handle = hand_over(made, &options);
        let opened = move |result: Result<DeliveryQueue, Error>| {
            let failure = result.map(|queue| slot.set(queue)).err();
            let is_open = failure.is_none();
            if let Some(hub) = hub.upgrade() {
                hub.done(TW_EVENT_OPENED, number, None, failure.map(Into::into));
            }
            if is_open {
                tell();
            }
        };
        let runtime = client.runtime();
        let builder = builder.into_async();
        let spawned = runtime.spawn(async move { builder.build().await }, move |result| {
            opened(result.and_then(|it| DeliveryQueue::new(it, None, wake)));
        });
        match spawned {
            Ok(canceller) => {
                // SAFETY: made above, and nobody else has it yet.
                let handed = unsafe { handle.as_ref() };
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

/// Waits for the next batch for up to `timeout_ms`, without end if negative, not at all if 0.
/// `*batch` belongs to the caller; it is NULL if none came in time, or if none will
/// (`tw_consumer_is_closed`).
///
/// An error is that of a partition, which gives nothing more unless `tw_consumer_seek` moves it;
/// the others go on. A lost connection is not an error. In a group, a batch counts as done when
/// the next one is asked for. Several threads may wait; each batch goes to one of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_next_batch(
    consumer: Option<&tw_consumer>,
    timeout_ms: i64,
    batch: Option<&mut MaybeUninit<*mut tw_batch>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let out = place(batch, "batch")?;
        out.write(std::ptr::null_mut());
        if let Some(batch) = value(consumer)?.next(limit(timeout_ms))? {
            out.write(tw_batch::of(batch));
        }
        Ok(())
    })
}

/// Whether nothing will come any more: it was closed, or every partition has ended with an error
/// that was told. True for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_is_closed(consumer: Option<&tw_consumer>) -> bool {
    guard_value(true, || {
        // One that is not open yet is not closed.
        value(consumer).map_or(true, |it| it.queue.get().is_some_and(DeliveryQueue::is_closed))
    })
}

/// Goes on reading a partition at another place, one of `TW_START_…` with `start_at` beside it.
/// What was delivered of it and not yet returned is dropped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_seek(
    consumer: Option<&tw_consumer>,
    partition: u32,
    start: u32,
    start_at: u64,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let to = crate::options::start(start, start_at)?;
        Ok(value(consumer)?.queue()?.seek(partition, to)?)
    })
}

/// Returns nothing of a partition until it is resumed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_pause(
    consumer: Option<&tw_consumer>,
    partition: u32,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || Ok(value(consumer)?.queue()?.pause(partition)?))
}

/// Ends a pause.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_resume(
    consumer: Option<&tw_consumer>,
    partition: u32,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || Ok(value(consumer)?.queue()?.resume(partition)?))
}

/// Reads a further partition, from one of `TW_START_…` on. Whether it exists is told by
/// `tw_consumer_next_batch`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_add_partition(
    consumer: Option<&tw_consumer>,
    partition: u32,
    start: u32,
    start_at: u64,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let to = crate::options::start(start, start_at)?;
        Ok(value(consumer)?.queue()?.add_partition(partition, to)?)
    })
}

/// Stops reading a partition.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_remove_partition(
    consumer: Option<&tw_consumer>,
    partition: u32,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        value(consumer)?.queue()?.remove_partition(partition)?;
        Ok(())
    })
}

/// Stores how far the batches reach that were returned, and waits until that is on the server's
/// disk, up to `request_timeout_ms`. For a consumer with a
/// group or a name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_commit(
    consumer: Option<&tw_consumer>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let control = value(consumer)?.queue()?.control()?;
        Ok(waited("commit", control.commit())?)
    })
}

/// As `tw_consumer_commit`, without waiting: `tw_client_poll` tells the end with
/// `TW_EVENT_COMMITTED`, which has this `user_data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_commit_start(
    consumer: Option<&tw_consumer>,
    user_data: *mut c_void,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let it = value(consumer)?;
        let control = it.queue()?.control()?;
        let told = it.tells(TW_EVENT_COMMITTED, user_data);
        let done = move |result: Result<(), Error>| told(result.err().map(Into::into));
        Runtime::shared()?.spawn(async move { control.commit().await }, done)?;
        Ok(())
    })
}

/// Stores that a batch was done, and all before it in its partition. For a consumer with a
/// group or a name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_commit_batch(
    consumer: Option<&tw_consumer>,
    batch: Option<&tw_batch>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let control = value(consumer)?.queue()?.control()?;
        Ok(waited("commit", control.commit_batch(&value(batch)?.batch))?)
    })
}

/// Stores the offset of the next record to read in a partition. For a consumer with a
/// group or a name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_commit_offset(
    consumer: Option<&tw_consumer>,
    topic: *const c_char,
    partition: u32,
    offset: u64,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let topic = unsafe { text(topic, "topic") }?;
        let control = value(consumer)?.queue()?.control()?;
        Ok(waited("commit", control.commit_offset((topic, partition), offset))?)
    })
}

fn waited(what: &str, future: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    Runtime::shared()?.try_wait(what, None, future)?.unwrap_or(Ok(()))
}

/// What a consumer reads: its partitions, and where it stands in them.
#[repr(C)]
#[derive(Debug)]
pub struct tw_position {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// The topic, `stream/topic`.
    pub topic: *const c_char,
    /// The partition.
    pub partition: u32,
    /// Whether it is known what is stored for the consumer's group or name: 1 or 0.
    pub stored: u32,
    /// Offset of the record that the consumer returns next.
    pub next_offset: u64,
    /// Offset after the partition's last record, as far as it is known.
    pub end_offset: u64,
    /// What is stored, if `stored`.
    pub stored_offset: u64,
}

/// Positions, by partition.
#[repr(C)]
#[derive(Debug)]
pub struct tw_positions {
    /// How many.
    pub count: usize,
    /// Pointers to them.
    pub items: *const *const tw_position,
}

/// Where a consumer stands in what it reads at the moment. It does not ask
/// the server. What `positions` is given is freed by `tw_positions_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_positions(
    consumer: Option<&tw_consumer>,
    positions: Option<&mut MaybeUninit<*mut tw_positions>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let out = place(positions, "positions")?;
        let mut texts = Texts::default();
        let size = size_of::<tw_position>();
        let positions = value(consumer)?.queue()?.positions()?;
        let found: Vec<tw_position> = positions
            .iter()
            .map(|it| tw_position {
                size,
                topic: texts.keep(&it.topic),
                partition: it.partition,
                stored: it.stored_offset.is_some().into(),
                next_offset: it.next_offset,
                end_offset: it.end_offset,
                stored_offset: it.stored_offset.unwrap_or_default(),
            })
            .collect();
        let items = Items::new(found);
        let list = tw_positions { count: items.len(), items: items.as_ptr() };
        out.write(hand_out(list, (items, texts)));
        Ok(())
    })
}

/// Frees positions. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_positions_free(positions: *mut tw_positions) {
    // SAFETY: as the header says.
    unsafe { take_back(positions) }
}

/// Records known to follow what was returned, over all partitions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_lag(
    consumer: Option<&tw_consumer>,
    lag: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let out = place(lag, "lag")?;
        out.write(value(consumer)?.queue()?.lag()?);
        Ok(())
    })
}

/// What a consumer did so far, and what it holds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_consumer_stats {
    /// Bytes of this struct; set by `TW_CONSUMER_STATS_INIT`.
    pub size: usize,
    /// Partitions that it reads.
    pub partitions: u64,
    /// Those that are subscribed on the current connection.
    pub live_partitions: u64,
    /// Bytes of batches that were delivered and not yet taken.
    pub buffered_bytes: u64,
    /// Batches taken.
    pub batches: u64,
    /// Their bytes, as they travelled.
    pub bytes: u64,
    /// How often a partition was subscribed again.
    pub resubscriptions: u64,
    /// Offsets that were left out because their records were deleted before they were read.
    pub skipped_offsets: u64,
    /// Offsets that were stored, by hand or by themselves.
    pub stored_offsets: u64,
}

// SAFETY: integers only; `size` stands first.
unsafe impl Grows for tw_consumer_stats {
    const NAME: &'static str = "tw_consumer_stats";
    const FIRST_SIZE: usize = size_of::<Self>();

    fn unset() -> Self {
        Self {
            size: size_of::<Self>(),
            partitions: 0,
            live_partitions: 0,
            buffered_bytes: 0,
            batches: 0,
            bytes: 0,
            resubscriptions: 0,
            skipped_offsets: 0,
            stored_offsets: 0,
        }
    }
}

/// Fills `stats`, which begins with `TW_CONSUMER_STATS_INIT`. It does not ask the server.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_get_stats(
    consumer: Option<&tw_consumer>,
    stats: *mut tw_consumer_stats,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let found: ConsumerStats = value(consumer)?.queue()?.stats()?;
        let filled = tw_consumer_stats {
            partitions: found.partitions as u64,
            live_partitions: found.live_partitions as u64,
            buffered_bytes: found.buffered_bytes,
            batches: found.batches,
            bytes: found.bytes,
            resubscriptions: found.resubscriptions,
            skipped_offsets: found.skipped_offsets,
            stored_offsets: found.stored_offsets,
            ..tw_consumer_stats::unset()
        };
        // SAFETY: as the header says.
        unsafe { write_sized(stats, filled) }?;
        Ok(())
    })
}

/// Ends all waiting, now and for ever, and unsubscribes; a member of a group stores what was done,
/// if it does so by itself, and leaves. Waits until the server knows, for up to `timeout_ms`,
/// without end if negative: but never longer than `request_timeout_ms` for each request. Any thread
/// may call it while another waits. The handle is still to be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_close(
    consumer: Option<&tw_consumer>,
    timeout_ms: i64,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let queue = value(consumer)?.queue()?;
        queue.close()?;
        let control = queue.control()?;
        let runtime = Runtime::shared()?;
        match runtime.try_wait("closing a consumer", limit(timeout_ms), control.closed())? {
            Some(()) => Ok(()),
            None => {
                let text = format!("the server has not answered within {timeout_ms} ms");
                Err(failed(Code::TIMEOUT, text).into())
            }
        }
    })
}

/// Frees a consumer; NULL is nothing to free. It unsubscribes, or leaves its group, without waiting
/// for it. No other thread may use the handle any more; batches that it gave stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_consumer_free(consumer: *mut tw_consumer) {
    // SAFETY: as the header says.
    unsafe { free(consumer) }
}

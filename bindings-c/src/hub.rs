//! What happens to a client and all that was made from it, for programs with a loop of their own.
//!
//! Owns the file descriptor and what waits to be told: outcomes of records, ends of what was
//! begun, consumers that have something, and what happens to the connection. The one invariant:
//! the descriptor is readable exactly while something waits (or may wait), so that a loop may
//! watch it by level or by edge.

use std::collections::{HashMap, VecDeque};
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Instant;

use tidewire::blocking::Runtime;
use tidewire::{CompletionQueue, Error, Event, Settled, TopicPartition};

use crate::client::tw_client;
use crate::consumer::tw_consumer;
use crate::error::{Failure, tw_error};
use crate::fd::Signal;
use crate::guard::{failed, guard, invalid, limit, place, tw_status, value};
use crate::lists::{Items, Texts, hand_out, take_back};
use crate::producer::tw_producer;
use crate::ticket::tw_receipt;

/// What `tw_client_start`, `tw_producer_start` or `tw_consumer_start` began is done: the handle
/// can be used, unless `error` says why not.
pub const TW_EVENT_OPENED: u32 = 1;
/// `tw_producer_flush_start` is done; `error` is the first failure.
pub const TW_EVENT_FLUSHED: u32 = 2;
/// `tw_producer_close_start` is done; `error` tells of records that were not acknowledged.
pub const TW_EVENT_CLOSED: u32 = 3;
/// `tw_consumer_commit_start` is done.
pub const TW_EVENT_COMMITTED: u32 = 4;
/// Records have their outcome: `record_count` of them from the number `first_number` on, at
/// consecutive offsets from `receipt` on, or all with `error`.
pub const TW_EVENT_SETTLED: u32 = 5;
/// The consumer has something: call `tw_consumer_next_batch` until it gives nothing.
pub const TW_EVENT_READABLE: u32 = 6;
/// A connection was made, to `address`.
pub const TW_EVENT_CONNECTED: u32 = 16;
/// The connection to `address` has ended, for the reason `error`.
pub const TW_EVENT_DISCONNECTED: u32 = 17;
/// `address` is about to be tried, for the `attempt`th time.
pub const TW_EVENT_RECONNECTING: u32 = 18;
/// There will be no further attempt, for the reason `error`.
pub const TW_EVENT_GAVE_UP: u32 = 19;
/// The server refused a batch for `topic` and `partition` for now, for the reason `error`; or, where
/// `topic` is empty, the client's user is over a rate that `error` names, and what it asks for is
/// carried out later.
pub const TW_EVENT_THROTTLED: u32 = 20;
/// A member of `group` got `partitions` to read.
pub const TW_EVENT_PARTITIONS_ASSIGNED: u32 = 21;
/// A member of `group` gives up `partitions`.
pub const TW_EVENT_PARTITIONS_REVOKED: u32 = 22;
/// A member of `group` has lost `partitions`.
pub const TW_EVENT_PARTITIONS_LOST: u32 = 23;
/// `missed` events of the kinds from `TW_EVENT_CONNECTED` on were lost here: nobody polled.
pub const TW_EVENT_MISSED: u32 = 24;
/// Records of `partition` of `topic` were deleted before a consumer read them: it goes on at
/// `to_offset`, where `from_offset` was due, as its `on_out_of_range` says.
pub const TW_EVENT_RECORDS_SKIPPED: u32 = 25;
/// One that this version has no number for.
pub const TW_EVENT_OTHER: u32 = 255;

/// Events of the connection that wait to be polled.
const KEPT_EVENTS: usize = 1_024;
/// Events told by one call at most.
const MOST_EVENTS: usize = 65_536;

/// A partition of a topic.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_topic_partition {
    /// The topic, `stream/topic`.
    pub topic: *const c_char,
    /// The partition.
    pub partition: u32,
    /// Zero.
    pub reserved: u32,
}

/// Something that happened. What a kind does not speak of is NULL or zero.
#[repr(C)]
#[derive(Debug)]
pub struct tw_event {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// One of `TW_EVENT_…`.
    pub kind: u32,
    /// Which attempt it is since the connection was lost, from 1.
    pub attempt: u32,
    /// The producer that it is about; NULL for others, and once it was freed.
    pub producer: *mut tw_producer,
    /// The consumer that it is about; NULL for others, and once it was freed.
    pub consumer: *mut tw_consumer,
    /// What was given for it: with the call that began it, else with the options of its handle.
    pub user_data: *mut c_void,
    /// What went wrong, or NULL. It belongs to the list.
    pub error: *const tw_error,
    /// Number of the first record.
    pub first_number: u64,
    /// How many records.
    pub record_count: u64,
    /// The receipt of the first record; the others have the offsets that follow.
    pub receipt: tw_receipt,
    /// The server's address, `host:port`.
    pub address: *const c_char,
    /// The topic, `stream/topic`.
    pub topic: *const c_char,
    /// The group.
    pub group: *const c_char,
    /// Partitions of a group's member.
    pub partitions: *const tw_topic_partition,
    /// How many.
    pub partition_count: usize,
    /// How many events were lost.
    pub missed: u64,
    /// The partition.
    pub partition: u32,
    /// Zero.
    pub reserved: u32,
    /// The record that was due.
    pub from_offset: u64,
    /// The record at which it goes on.
    pub to_offset: u64,
}

/// Events, the oldest of a kind first.
#[repr(C)]
#[derive(Debug)]
pub struct tw_events {
    /// How many.
    pub count: usize,
    /// Pointers to them.
    pub items: *const *const tw_event,
}

/// A pointer of the application's, or to one of its handles. Only handed back, never followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opaque(*mut c_void);

// SAFETY: the library does not follow it.
unsafe impl Send for Opaque {}
// SAFETY: as above.
unsafe impl Sync for Opaque {}

impl Opaque {
    pub(crate) const NULL: Self = Self(ptr::null_mut());

    pub(crate) fn new<T>(pointer: *mut T) -> Self {
        Self(pointer.cast())
    }
}

/// Who an event is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Handle {
    Client(Opaque),
    Producer(Opaque, Opaque),
    Consumer(Opaque, Opaque),
}

#[derive(Debug)]
enum Told {
    /// A kind, whom it is about, what was given with the call, and what went wrong.
    Done(u32, u64, Option<Opaque>, Option<Failure>),
    Happened(Event),
    /// A consumer has something; the flag says that this is told.
    Readable(u64, Arc<AtomicBool>),
}

/// The events of one client.
#[derive(Debug)]
pub(crate) struct Hub {
    state: Mutex<State>,
    signal: OnceLock<Signal>,
    /// Wakes who waits in `tw_client_poll`.
    bell: tokio::sync::Notify,
    completions: CompletionQueue,
    process: u32,
}

#[derive(Debug, Default)]
struct State {
    told: VecDeque<Told>,
    happened: usize,
    missed: u64,
    handles: HashMap<u64, Handle>,
    next: u64,
    /// Outcomes that were found and not told yet.
    settled: VecDeque<Settled>,
    /// There may be more outcomes, of which no wake-up will tell.
    undrained: bool,
}

impl Hub {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new_cyclic(|hub: &Weak<Self>| {
            let hub = Weak::clone(hub);
            let wake = move || {
                if let Some(hub) = hub.upgrade() {
                    hub.ring();
                }
            };
            Self {
                state: Mutex::default(),
                signal: OnceLock::new(),
                bell: tokio::sync::Notify::new(),
                completions: CompletionQueue::new(wake),
                process: std::process::id(),
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process made it; another one must not touch its locks.
    pub(crate) fn is_here(&self) -> bool {
        self.process == std::process::id()
    }

    pub(crate) fn completions(&self) -> &CompletionQueue {
        &self.completions
    }

    /// A number for a handle that is about to be made.
    pub(crate) fn number(&self) -> u64 {
        let mut state = self.lock();
        state.next += 1;
        state.next
    }

    /// Whom a number stands for.
    pub(crate) fn bind(&self, number: u64, handle: Handle) {
        self.lock().handles.insert(number, handle);
    }

    /// The handle is being freed: no event may lead to it.
    pub(crate) fn forget(&self, number: u64) {
        if self.is_here() {
            self.lock().handles.remove(&number);
        }
    }

    fn ring(&self) {
        if let Some(signal) = self.signal.get() {
            signal.raise();
        }
        self.bell.notify_one();
    }

    /// Tells that something was done, or may be.
    pub(crate) fn done(
        &self,
        kind: u32,
        number: u64,
        user_data: Option<Opaque>,
        failure: Option<Failure>,
    ) {
        self.lock().told.push_back(Told::Done(kind, number, user_data, failure));
        self.ring();
    }

    /// Tells that a consumer has something, unless that waits to be told.
    pub(crate) fn readable(&self, number: u64, told: &Arc<AtomicBool>) {
        if !told.swap(true, Ordering::AcqRel) {
            self.lock().told.push_back(Told::Readable(number, Arc::clone(told)));
            self.ring();
        }
    }

    /// Tells what happened to the connection.
    pub(crate) fn happened(&self, event: Event) {
        {
            let mut state = self.lock();
            if state.happened == KEPT_EVENTS {
                let oldest = state.told.iter().position(|it| matches!(it, Told::Happened(_)));
                if let Some(at) = oldest {
                    state.told.remove(at);
                    state.happened -= 1;
                    state.missed += 1;
                }
            }
            state.told.push_back(Told::Happened(event));
            state.happened += 1;
        }
        self.ring();
    }

    fn fd(&self) -> Result<i32, Error> {
        if let Some(signal) = self.signal.get() {
            return Ok(signal.fd());
        }
        let made = Signal::new()
            .map_err(|why| failed(tidewire::Code::INTERNAL, format!("no descriptor: {why}")))?;
        let signal = self.signal.get_or_init(|| made);
        // What came before it is told at once.
        signal.raise();
        Ok(signal.fd())
    }

    /// Takes up to `most` events.
    fn take(&self, most: usize) -> Result<Vec<Shown>, Error> {
        if let Some(signal) = self.signal.get() {
            signal.lower();
        }
        let mut shown = Vec::new();
        let mut state = self.lock();
        if state.missed > 0 {
            let missed = std::mem::take(&mut state.missed);
            shown.push(Shown::of(Event::Missed(missed)));
        }
        while shown.len() < most
            && let Some(told) = state.told.pop_front()
        {
            match told {
                Told::Done(kind, number, user_data, failure) => {
                    let handle = state.handles.get(&number).copied();
                    shown.push(Shown { user_data, failure, ..Shown::about(kind, handle) });
                }
                Told::Readable(number, told) => {
                    told.store(false, Ordering::Release);
                    // One that was freed has nothing to tell.
                    if let Some(&handle) = state.handles.get(&number) {
                        shown.push(Shown::about(TW_EVENT_READABLE, Some(handle)));
                    }
                }
                Told::Happened(event) => {
                    state.happened -= 1;
                    shown.push(Shown::of(event));
                }
            }
        }
        let looked = shown.len() < most && state.settled.is_empty();
        if looked {
            // Asked for one more than fits, so that the queue is known to be empty if it is.
            let asked = most - shown.len() + 1;
            let mut found = Vec::new();
            self.completions.drain_into(&mut found, asked)?;
            state.undrained = found.len() == asked;
            state.settled.extend(found);
        }
        while shown.len() < most
            && let Some(settled) = state.settled.pop_front()
        {
            let handle = state.handles.get(&settled.producer).copied();
            shown.push(Shown {
                settled: Some(settled),
                ..Shown::about(TW_EVENT_SETTLED, handle)
            });
        }
        // The wake-up of outcomes that were not looked for may just have been lowered.
        let more = !state.told.is_empty()
            || !state.settled.is_empty()
            || state.undrained
            || (!looked && !self.completions.is_empty());
        drop(state);
        if more {
            self.ring();
        }
        Ok(shown)
    }
}

/// An event on its way to C.
struct Shown {
    kind: u32,
    handle: Option<Handle>,
    user_data: Option<Opaque>,
    failure: Option<Failure>,
    settled: Option<Settled>,
    event: Option<Event>,
}

impl Shown {
    fn about(kind: u32, handle: Option<Handle>) -> Self {
        Self { kind, handle, user_data: None, failure: None, settled: None, event: None }
    }

    fn of(event: Event) -> Self {
        Self { event: Some(event), ..Self::about(TW_EVENT_OTHER, None) }
    }
}

/// What the structs of a list point to.
#[derive(Default)]
struct Behind {
    texts: Texts,
    errors: Errors,
    partitions: Vec<Vec<tw_topic_partition>>,
}

#[derive(Default)]
struct Errors(Vec<*mut tw_error>);

impl Errors {
    fn keep(&mut self, failure: Failure) -> *const tw_error {
        let error = tw_error::boxed(failure);
        self.0.push(error);
        error
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        for &error in &self.0 {
            // SAFETY: made above; whoever has the list is done with it.
            unsafe { crate::guard::free(error) };
        }
    }
}

impl Behind {
    fn partitions(&mut self, event: &mut tw_event, group: &str, of: &[TopicPartition]) {
        let kept: Vec<tw_topic_partition> = of
            .iter()
            .map(|each| tw_topic_partition {
                topic: self.texts.keep(&each.topic),
                partition: each.partition,
                reserved: 0,
            })
            .collect();
        event.group = self.texts.keep(group);
        event.partitions = kept.as_ptr();
        event.partition_count = kept.len();
        self.partitions.push(kept);
    }

    fn show(&mut self, shown: Shown) -> tw_event {
        let mut event = tw_event {
            size: size_of::<tw_event>(),
            kind: shown.kind,
            attempt: 0,
            producer: ptr::null_mut(),
            consumer: ptr::null_mut(),
            user_data: ptr::null_mut(),
            error: ptr::null(),
            first_number: 0,
            record_count: 0,
            receipt: tw_receipt::default(),
            address: ptr::null(),
            topic: ptr::null(),
            group: ptr::null(),
            partitions: ptr::null(),
            partition_count: 0,
            missed: 0,
            partition: 0,
            reserved: 0,
            from_offset: 0,
            to_offset: 0,
        };
        match shown.handle {
            Some(Handle::Client(user_data)) => event.user_data = user_data.0,
            Some(Handle::Producer(producer, user_data)) => {
                event.producer = producer.0.cast();
                event.user_data = user_data.0;
            }
            Some(Handle::Consumer(consumer, user_data)) => {
                event.consumer = consumer.0.cast();
                event.user_data = user_data.0;
            }
            None => {}
        }
        if let Some(user_data) = shown.user_data {
            event.user_data = user_data.0;
        }
        if let Some(failure) = shown.failure {
            event.error = self.errors.keep(failure);
        }
        if let Some(settled) = shown.settled {
            event.first_number = settled.first_ticket;
            event.record_count = u64::from(settled.count);
            event.receipt = tw_receipt::of(&settled.outcome, settled.partition);
            if let Err(error) = settled.outcome {
                event.error = self.errors.keep(error.into());
            }
        }
        if let Some(happened) = shown.event {
            self.happened(&mut event, happened);
        }
        event
    }

    fn happened(&mut self, event: &mut tw_event, happened: Event) {
        event.kind = match &happened {
            Event::Connected { .. } => TW_EVENT_CONNECTED,
            Event::Disconnected { .. } => TW_EVENT_DISCONNECTED,
            Event::Reconnecting { .. } => TW_EVENT_RECONNECTING,
            Event::GaveUp { .. } => TW_EVENT_GAVE_UP,
            Event::Throttled { .. } => TW_EVENT_THROTTLED,
            Event::PartitionsAssigned { .. } => TW_EVENT_PARTITIONS_ASSIGNED,
            Event::PartitionsRevoked { .. } => TW_EVENT_PARTITIONS_REVOKED,
            Event::PartitionsLost { .. } => TW_EVENT_PARTITIONS_LOST,
            Event::Missed(_) => TW_EVENT_MISSED,
            Event::RecordsSkipped { .. } => TW_EVENT_RECORDS_SKIPPED,
            _ => TW_EVENT_OTHER,
        };
        match happened {
            Event::Connected { address } => event.address = self.texts.keep(&address),
            Event::Disconnected { address, error } => {
                event.address = self.texts.keep(&address);
                event.error = self.errors.keep(error.into());
            }
            Event::Reconnecting { address, attempt } => {
                event.address = self.texts.keep(&address);
                event.attempt = attempt;
            }
            Event::GaveUp { error } => event.error = self.errors.keep(error.into()),
            Event::Throttled { topic, partition, error } => {
                event.topic = self.texts.keep(&topic);
                event.partition = partition;
                event.error = self.errors.keep(error.into());
            }
            Event::PartitionsAssigned { group, partitions }
            | Event::PartitionsRevoked { group, partitions }
            | Event::PartitionsLost { group, partitions } => {
                self.partitions(event, &group, &partitions);
            }
            Event::Missed(missed) => event.missed = missed,
            Event::RecordsSkipped { topic, partition, from_offset, to_offset } => {
                event.topic = self.texts.keep(&topic);
                event.partition = partition;
                (event.from_offset, event.to_offset) = (from_offset, to_offset);
            }
            _ => {}
        }
    }
}

/// A descriptor to watch for being readable, with poll, epoll, kqueue or libuv: there is
/// something for `tw_client_poll`. It stays readable until that has told everything.
///
/// It belongs to the client, is the same with each call, and ends when the client is freed; do not
/// read from it or close it. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_fd(
    client: Option<&tw_client>,
    fd: Option<&mut MaybeUninit<i32>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let hub = value(client)?.hub()?;
        place(fd, "fd")?.write(hub.fd()?);
        Ok(())
    })
}

/// Tells what happened to a client and to what was made from it: up to `max` events (at least 1),
/// waiting up to `timeout_ms` for the first one, without end if negative, not at all if 0. In time
/// without an event, the list is empty.
///
/// The list belongs to the caller, and is freed by `tw_events_free`. What waits is told once. Any
/// thread may call this; of several, one at a time should.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_poll(
    client: Option<&tw_client>,
    timeout_ms: i64,
    max: usize,
    events: Option<&mut MaybeUninit<*mut tw_events>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let hub = value(client)?.hub()?;
        let out = place(events, "events")?;
        if max == 0 {
            return Err(invalid("max is 0: no event could be told").into());
        }
        let max = max.min(MOST_EVENTS);
        let until = limit(timeout_ms).and_then(|limit| Instant::now().checked_add(limit));
        let shown = loop {
            let shown = hub.take(max)?;
            if !shown.is_empty() || timeout_ms == 0 {
                break shown;
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let rung = hub.bell.notified();
            if Runtime::shared()?.try_wait("waiting for an event", left, rung)?.is_none() {
                break Vec::new();
            }
        };
        let mut behind = Behind::default();
        let items: Vec<tw_event> = shown.into_iter().map(|each| behind.show(each)).collect();
        let items = Items::new(items);
        let list = tw_events { count: items.len(), items: items.as_ptr() };
        out.write(hand_out(list, (items, behind)));
        Ok(())
    })
}

/// Frees a list of events, and the errors within it. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_events_free(events: *mut tw_events) {
    // SAFETY: as the header says.
    unsafe { take_back(events) }
}

//! Deliveries in a queue: for programs that are woken and then take what there is, as those behind
//! a binding.
//!
//! Owns when the wake-up is called; what was delivered stays in the consumer, within its credit,
//! until it is taken here. The one invariant: once `try_next` found nothing, the
//! next thing that comes calls the wake-up once.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::task::unconstrained;

use crate::blocking::{Runtime, control};
use crate::completion::Wake;
use crate::error::Error;
use crate::events::{Event, Events};
use crate::runtime::Bound;
use crate::{
    Batch, Consumer, ConsumerControl, ConsumerStats, PartitionRef, Position, Start,
    TopicPartition,
};

/// What a [`DeliveryQueue`] gives.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "nearly all are batches")]
pub enum Delivery {
    /// Records.
    Batch(Batch),
    /// Something happened to the connection, or to the consumer's part in a group.
    Event(Event),
    /// A partition has ended; see [`Consumer::next_batch`] for which errors there are.
    Error(Error),
    /// The consumer or its client was closed: the last one. Or every partition has ended, which
    /// each was told of: the last one until [`DeliveryQueue::seek`] or
    /// [`DeliveryQueue::add_partition`] begins anew.
    Closed,
}

type Waiting<C, T> = Pin<Box<dyn Future<Output = (C, T)> + Send>>;

/// A consumer that wakes instead of being waited for.
///
/// When there was nothing and something comes, the wake-up is called once; it is not called again
/// until [`try_next`](Self::try_next) has found nothing. So one wake-up serves many batches:
/// whoever is woken takes deliveries until there are none, and then sleeps. What is delivered
/// ahead is bounded by `prefetch_bytes`, as ever. Any thread may call any of it.
///
/// A batch counts as done when the next delivery is asked for. With events, the partitions of a
/// member of a group come as [`Event::PartitionsAssigned`] and the like.
#[derive(Debug)]
pub struct DeliveryQueue {
    bound: Bound<Shared>,
}

struct Shared {
    control: ConsumerControl,
    bell: Arc<Bell>,
    waker: Waker,
    state: Mutex<State>,
}

struct State {
    next: Option<Waiting<Consumer, Result<Option<Batch>, Error>>>,
    events: Option<Waiting<Events, Option<Event>>>,
    end: End,
}

/// Whether there is anything to come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// There may be.
    Open,
    /// No partition is left: what is polled is whether that still holds. `Closed` is to be given.
    Untold,
    /// As before, and `Closed` was given.
    Told,
    /// It was closed, and `Closed` was given.
    Over,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("control", &self.control).finish_non_exhaustive()
    }
}

/// Calls the wake-up once for each time that nothing was found.
#[derive(Debug)]
struct Bell {
    wake: Wake,
    armed: AtomicBool,
}

impl std::task::Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.armed.swap(false, Ordering::AcqRel) {
            self.wake.call();
        }
    }
}

impl Shared {
    fn new(
        consumer: Consumer,
        events: Option<Events>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let bell = Arc::new(Bell { wake: Wake::new(wake), armed: AtomicBool::new(false) });
        bell.wake.call();
        Self {
            control: consumer.control(),
            waker: Waker::from(Arc::clone(&bell)),
            bell,
            state: Mutex::new(State {
                next: Some(next_batch(consumer)),
                events: events.map(next_event),
                end: End::Open,
            }),
        }
    }

    fn try_next(&self) -> Option<Delivery> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Armed before looking, so that what comes in between is told.
        self.bell.armed.store(true, Ordering::Release);
        let found = state.poll(&self.control, &mut Context::from_waker(&self.waker));
        // Whoever was given `Closed` asks no more, and is told should it begin anew.
        if found.is_some() && state.end != End::Told {
            self.bell.armed.store(false, Ordering::Release);
        }
        found
    }
}

control!(DeliveryQueue);

impl DeliveryQueue {
    /// A queue of what a consumer is delivered, and of what happens meanwhile if `events` are
    /// given. The consumer has to be of the shared runtime. `wake` is called as
    /// [`CompletionQueue::new`](crate::CompletionQueue::new) says; the first time at once, so
    /// that whoever is woken looks for what there is already.
    ///
    /// # Errors
    /// `INTERNAL` if the runtime's threads cannot be made.
    pub fn new(
        consumer: Consumer,
        events: Option<Events>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        Ok(Self::on(Runtime::shared()?, consumer, events, wake))
    }

    pub(crate) fn on(
        runtime: Runtime,
        consumer: Consumer,
        events: Option<Events>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self { bound: Bound::new(runtime, Shared::new(consumer, events, wake)) }
    }

    /// Takes the next delivery, without waiting; `None` if there is none now, or none any
    /// more.
    ///
    /// # Errors
    /// `FORKED`. What happens to the consumer comes as [`Delivery::Error`].
    pub fn try_next(&self) -> Result<Option<Delivery>, Error> {
        let shared = self.bound.value("consumer")?;
        let _inside = self.bound.runtime().enter();
        Ok(shared.try_next())
    }

    /// As [`try_next`](Self::try_next), if it is a batch; anything else is left to
    /// `other`.
    ///
    /// # Errors
    /// `FORKED`.
    pub fn try_next_batch(
        &self,
        mut other: impl FnMut(Delivery),
    ) -> Result<Option<Batch>, Error> {
        while let Some(delivery) = self.try_next()? {
            match delivery {
                Delivery::Batch(batch) => return Ok(Some(batch)),
                delivery => other(delivery),
            }
        }
        Ok(None)
    }

    /// Takes up to `max` deliveries. If it gives `max` of them there may be more, of
    /// which no wake-up will tell.
    ///
    /// # Errors
    /// `FORKED`.
    pub fn drain(&self, max: usize) -> Result<Vec<Delivery>, Error> {
        let mut out = Vec::new();
        while out.len() < max
            && let Some(delivery) = self.try_next()?
        {
            out.push(delivery);
        }
        Ok(out)
    }

    fn controlled(&self) -> Result<&ConsumerControl, Error> {
        Ok(&self.bound.value("consumer")?.control)
    }

    /// What commits, asks and moves; its futures are for [`Runtime::spawn`].
    ///
    /// # Errors
    /// `FORKED`.
    pub fn control(&self) -> Result<ConsumerControl, Error> {
        self.controlled().cloned()
    }

    /// Ends the deliveries, without waiting: the consumer unsubscribes, stores what it stores by
    /// itself, and leaves its group ([`ConsumerControl::closed`] waits for all of that).
    ///
    /// # Errors
    /// `FORKED`.
    pub fn close(&self) -> Result<(), Error> {
        let control = self.controlled()?;
        let _inside = self.bound.runtime().enter();
        control.close();
        Ok(())
    }
}

impl State {
    fn poll(&mut self, control: &ConsumerControl, cx: &mut Context<'_>) -> Option<Delivery> {
        if self.end == End::Over {
            return None;
        }
        if self.end != End::Open && !control.is_closed() {
            // It begins anew.
            self.end = End::Open;
        }
        if self.end == End::Open
            && let Some(waiting) = &mut self.events
            && let Poll::Ready((events, event)) = waiting.as_mut().poll(cx)
        {
            self.events = None;
            if let Some(event) = event {
                self.events = Some(next_event(events));
                return Some(Delivery::Event(event));
            }
        }
        let (consumer, result) = match self.next.as_mut()?.as_mut().poll(cx) {
            Poll::Ready(ready) => ready,
            Poll::Pending if self.end == End::Untold => {
                self.end = End::Told;
                return Some(Delivery::Closed);
            }
            Poll::Pending => return None,
        };
        self.next = None;
        match result {
            Ok(Some(batch)) => {
                self.end = End::Open;
                self.next = Some(next_batch(consumer));
                Some(Delivery::Batch(batch))
            }
            Ok(None) if std::mem::replace(&mut self.end, End::Over) == End::Told => None,
            Ok(None) => Some(Delivery::Closed),
            Err(error) => {
                self.end = match control.is_closed() {
                    // Without a partition left the same error would be told for ever.
                    true => End::Untold,
                    false => End::Open,
                };
                self.next = Some(match self.end {
                    End::Untold => revived(consumer),
                    _ => next_batch(consumer),
                });
                Some(Delivery::Error(error))
            }
        }
    }
}

// The turns of a task, which `unconstrained` takes away, are for those who wait; here nobody does.

fn next_batch(mut consumer: Consumer) -> Waiting<Consumer, Result<Option<Batch>, Error>> {
    Box::pin(unconstrained(async move {
        let result = consumer.next_batch().await;
        (consumer, result)
    }))
}

/// As [`next_batch`], once there is a partition again.
fn revived(mut consumer: Consumer) -> Waiting<Consumer, Result<Option<Batch>, Error>> {
    Box::pin(unconstrained(async move {
        consumer.revived().await;
        let result = consumer.next_batch().await;
        (consumer, result)
    }))
}

fn next_event(mut events: Events) -> Waiting<Events, Option<Event>> {
    Box::pin(unconstrained(async move {
        let event = events.next().await;
        (events, event)
    }))
}

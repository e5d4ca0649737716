//! Producers at work.
//!
//! Owns the loop that enqueues, its pace, and the timing of acknowledgements. The one invariant: a
//! latency begins when its record was due, not when there was room for it, so that a server that
//! stalls is charged for every record that it kept waiting.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tidewire::{Code, Producer, RecordRef, Ticket};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use super::meter::Meter;
use super::shape::{Records, Shape};
use crate::failure::Failure;

/// Records of a measurement that says neither how many nor how long.
pub const DEFAULT_RECORDS: u64 = 2_000_000;

/// The part of the records that warms up, and its bounds.
const WARMUP_PART: u64 = 5;
const MIN_WARMUP_RECORDS: u64 = 1_000;
const MAX_WARMUP_RECORDS: u64 = 1_000_000;

/// Most records between two looks at the clock.
const TURN_RECORDS: u64 = 64;

/// Looks at the clock a second, at a given rate.
const TURNS: u64 = 1_000;

/// Most latencies that a second of measurement may time; more would be a load of their own.
const TIMED_RECORDS: u32 = 50_000;

/// Latencies that may wait to be timed.
const MAX_TIMED: usize = 65_536;

/// Most that the kernel may add to a sleep to save wake-ups: 1 µs in place of 50.
const TIMER_SLACK: NonZeroU64 = NonZeroU64::new(1_000).expect("not zero");

/// What to send.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many, over all producers; without it and `duration`, [`DEFAULT_RECORDS`].
    pub records: Option<u64>,
    /// For how long.
    pub duration: Option<Duration>,
    /// How many a second, over all producers.
    pub rate: Option<u64>,
}

impl Load {
    /// So many records or so long; a default if nothing is said.
    pub fn new(records: Option<u64>, duration: Option<Duration>, rate: Option<u64>) -> Self {
        let records = records.or_else(|| duration.is_none().then_some(DEFAULT_RECORDS));
        Self { records, duration, rate }
    }

    /// The same, shorter.
    pub fn warmup(self) -> Self {
        let records = self.records.unwrap_or(DEFAULT_RECORDS) / WARMUP_PART;
        Self {
            records: Some(records.clamp(MIN_WARMUP_RECORDS, MAX_WARMUP_RECORDS)),
            duration: self.duration.map(|duration| duration / WARMUP_PART as u32),
            rate: self.rate,
        }
    }
}

/// The time of records, so that whoever reads one knows how old it is. Not the system's clock,
/// which may be set while a measurement runs.
#[derive(Clone, Copy)]
pub struct Clock {
    base: Instant,
    base_us: i64,
}

impl Clock {
    /// Begins at the system's time.
    pub fn new() -> Self {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self { base: Instant::now(), base_us: now.as_micros() as i64 }
    }

    /// The time of a record that is due at `due`.
    pub fn stamp(&self, due: Instant) -> i64 {
        self.base_us + due.saturating_duration_since(self.base).as_micros() as i64
    }

    /// How long before `now` the record with this time was due.
    pub fn age(&self, stamp: i64, now: Instant) -> Duration {
        Duration::from_micros(u64::try_from(self.stamp(now) - stamp).unwrap_or(0))
    }
}

/// Sends a load through all producers and waits for what they are owed; counts records and times
/// of acknowledgements.
pub async fn send(
    producers: &[Producer],
    shape: &Shape,
    load: Load,
    clock: Clock,
    meter: &Meter,
) -> Result<(), Failure> {
    let stop = StopOnDrop(Arc::new(AtomicBool::new(false)));
    let left = Arc::new(AtomicU64::new(load.records.unwrap_or(u64::MAX)));
    let begun = meter.begun();
    let mut tasks = JoinSet::new();
    for (number, producer) in producers.iter().enumerate() {
        let (tickets, timing) = mpsc::channel(MAX_TIMED);
        let worker = Worker {
            producer: producer.clone(),
            shape: shape.clone(),
            records: shape.records(number as u64),
            left: Arc::clone(&left),
            stop: Arc::clone(&stop.0),
            begun,
            deadline: load.duration.map(|duration| begun + duration),
            rate: load.rate.map(|rate| rate as f64 / producers.len() as f64),
            turn: load.rate.map_or(TURN_RECORDS, |rate| (rate / TURNS).clamp(1, TURN_RECORDS)),
            clock,
            meter: meter.clone(),
            tickets,
        };
        let runtime = Handle::current();
        let timed = tokio::spawn(time(timing, meter.clone()));
        let producer = producer.clone();
        let meter = meter.clone();
        tasks.spawn(async move {
            tokio::task::spawn_blocking(move || worker.run(&runtime)).await.map_err(died)??;
            producer.flush().await?;
            timed.await.map_err(died)??;
            meter.count(Instant::now(), 0, 0);
            Ok::<(), Failure>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        // The others would only make the failure wait: dropping `stop` ends them.
        ended.map_err(died)??;
    }
    Ok(())
}

fn died(error: JoinError) -> Failure {
    Failure::new(format!("a producer ended: {error}"))
}

/// Ends the threads of a measurement that is dropped.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One producer, on a thread of its own: a runtime's timers are a millisecond apart.
struct Worker {
    producer: Producer,
    shape: Shape,
    records: Records,
    /// Records that no producer has taken yet.
    left: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    begun: Instant,
    deadline: Option<Instant>,
    /// Records a second.
    rate: Option<f64>,
    /// Records between two looks at the clock.
    turn: u64,
    clock: Clock,
    meter: Meter,
    tickets: mpsc::Sender<(Instant, Ticket)>,
}

impl Worker {
    fn run(mut self, runtime: &Handle) -> Result<(), Failure> {
        // Without it, sleeps are a little longer.
        let _ = rustix::thread::set_current_timer_slack(Some(TIMER_SLACK));
        let apart = Duration::from_secs(1) / TIMED_RECORDS;
        let mut next_timed = self.begun;
        let mut sent = 0;
        let shape = self.shape.clone();
        let mut together = Vec::new();
        while let Some(count) = self.take() {
            let (mut bytes, mut left) = (0, count);
            let mut now = Instant::now();
            while left > 0 {
                now = self.due(sent);
                // At a rate each record is due by itself.
                let many = if self.rate.is_some() { 1 } else { left };
                let timestamp_us = self.clock.stamp(now);
                together.clear();
                for _ in 0..many {
                    let (key, value) = shape.show(self.records.next());
                    bytes += value.len() as u64;
                    let record = RecordRef::at(timestamp_us);
                    together.push(RecordRef { key, value: Some(value), ..record });
                }
                let ticket = enqueue(&self.producer, &together, runtime)?;
                (sent, left) = (sent + many, left - many);
                if now >= next_timed
                    && let Some(ticket) = ticket
                {
                    next_timed = now + apart;
                    // A full channel drops a sample, which is better than holding up the load.
                    let _ = self.tickets.try_send((now, ticket));
                }
            }
            self.meter.count(now, count, bytes);
        }
        Ok(())
    }

    /// How many records to send before the next look; `None` at the end.
    fn take(&self) -> Option<u64> {
        if self.stop.load(Ordering::Relaxed)
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
        {
            return None;
        }
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(self.turn.min(left)).filter(|_| left > 0)
        });
        taken.ok().map(|left| left.min(self.turn))
    }

    /// Waits until record `number` is due, if there is a rate; when it was.
    fn due(&self, number: u64) -> Instant {
        let Some(rate) = self.rate else { return Instant::now() };
        let due = self.begun + Duration::from_secs_f64(number as f64 / rate);
        let now = Instant::now();
        if due > now {
            std::thread::sleep(due - now);
        }
        due
    }
}

/// Enqueues records, waiting for room; the ticket of one of them.
fn enqueue(
    producer: &Producer,
    mut records: &[RecordRef<'_>],
    runtime: &Handle,
) -> Result<Option<Ticket>, Failure> {
    let mut first = None;
    loop {
        let (tickets, refused) = producer.enqueue_many(records, None);
        records = &records[tickets.len()..];
        first = first.or_else(|| tickets.into_iter().next());
        match refused {
            None => return Ok(first),
            Some(error) if error.code() == Code::QUEUE_FULL => {
                runtime.block_on(producer.ready())?;
            }
            Some(error) => return Err(error.into()),
        }
    }
}

/// Times acknowledgements as they come, in any order.
async fn time(
    mut tickets: mpsc::Receiver<(Instant, Ticket)>,
    meter: Meter,
) -> Result<(), Failure> {
    let mut waiting = JoinSet::new();
    loop {
        tokio::select! {
            ticket = tickets.recv() => {
                let Some((due, ticket)) = ticket else { break };
                waiting.spawn(async move { ticket.await.map(|_| (due, Instant::now())) });
            }
            Some(ended) = waiting.join_next() => note(&meter, ended)?,
        }
    }
    while let Some(ended) = waiting.join_next().await {
        note(&meter, ended)?;
    }
    Ok(())
}

type Timed = Result<(Instant, Instant), tidewire::Error>;

fn note(meter: &Meter, ended: Result<Timed, JoinError>) -> Result<(), Failure> {
    let (due, now) = ended.map_err(died)??;
    meter.latencies(now, [now - due]);
    Ok(())
}

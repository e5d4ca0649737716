//! The demo's records on their way: one producer, two consumers, at the same time.
//!
//! Owns the tasks and their clocks; the verdict on what they saw is in [`check`](super::check).
//! The one invariant: reading ends, whatever the server does: with the last record, or when
//! nothing has come for [`STALL`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tidewire::{Acks, Batch, Code, Consumer, Error, Producer, RecordRef, Start};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::check::{Checker, INDEX_HEADER, Problems, Seen};
use super::quakes::{Quake, Quakes};
use super::{PARTITIONS, TOPIC};
use crate::client;
use crate::failure::Failure;

/// Consumers, each with a connection and an equal share of the partitions.
const CONSUMERS: u32 = 2;

/// Silence after which no more records are waited for.
const STALL: Duration = Duration::from_secs(20);

/// Records whose acknowledgement is timed; of more, every so manieth.
const TIMED_RECORDS: u64 = 10_000;

/// What happened.
pub struct Outcome {
    /// Whether what came is what was sent.
    pub verdict: Result<(), Problems>,
    /// How many keys there were.
    pub keys: usize,
    /// Records by partition.
    pub per_partition: BTreeMap<u32, u64>,
    /// The reports of the week, as they were read.
    pub quakes: Vec<Quake>,
    /// From the first send to the last record read.
    pub elapsed: Duration,
    /// From a record's enqueueing to its arrival at a consumer, in microseconds.
    pub end_to_end_us: Histogram<u64>,
    /// From a record's enqueueing to its acknowledgement, in microseconds.
    pub acks_us: Histogram<u64>,
}

/// What the consumers share.
struct Reading {
    checker: Checker,
    per_partition: BTreeMap<u32, u64>,
    quakes: Vec<Quake>,
    week: u64,
    end_to_end_us: Histogram<u64>,
    progress: ProgressBar,
}

/// Sends all records and reads them while they arrive.
pub async fn send_and_read(url: &str, quakes: &Arc<Quakes>) -> Result<Outcome, Failure> {
    run(url, quakes, true).await
}

/// Reads all records from the beginning.
pub async fn read(url: &str, quakes: &Arc<Quakes>) -> Result<Outcome, Failure> {
    run(url, quakes, false).await
}

async fn run(url: &str, quakes: &Arc<Quakes>, send: bool) -> Result<Outcome, Failure> {
    let reading = Arc::new(Mutex::new(Reading {
        checker: Checker::new(Arc::clone(quakes)),
        per_partition: (0..PARTITIONS).map(|partition| (partition, 0)).collect(),
        quakes: Vec::new(),
        week: quakes.week(),
        end_to_end_us: histogram()?,
        progress: progress(quakes.records()),
    }));
    let (done, all_read) = watch::channel(false);
    let done = Arc::new(done);
    let mut consumers = JoinSet::new();
    for number in 0..CONSUMERS {
        let client = client::connect(url).await?;
        let consumer = client
            .consumer(TOPIC)
            .start(Start::Earliest)
            .partitions((0..PARTITIONS).filter(|partition| partition % CONSUMERS == number))
            .build()
            .await?;
        let (reading, done, all_read) =
            (Arc::clone(&reading), Arc::clone(&done), all_read.clone());
        consumers.spawn(consume(consumer, reading, done, all_read));
    }

    // Synced whatever the environment says, as the report says so.
    let producer =
        client::connect(url).await?.producer(TOPIC).acks(Acks::Synced).build().await?;
    let begun = Instant::now();
    let acks_us = if send {
        let sending = tokio::spawn(produce(producer, Arc::clone(quakes)));
        sending
            .await
            .map_err(|error| Failure::new(format!("the producer ended: {error}")))??
    } else {
        histogram()?
    };
    while let Some(ended) = consumers.join_next().await {
        ended.map_err(|error| Failure::new(format!("a consumer ended: {error}")))??;
    }
    let elapsed = begun.elapsed();

    let reading = Arc::into_inner(reading)
        .ok_or_else(|| Failure::new("a consumer is still reading"))?
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    reading.progress.finish_and_clear();
    Ok(Outcome {
        keys: reading.checker.keys(),
        verdict: reading.checker.finish(),
        per_partition: reading.per_partition,
        quakes: reading.quakes,
        elapsed,
        end_to_end_us: reading.end_to_end_us,
        acks_us,
    })
}

/// Sends all records; the times of their acknowledgements.
async fn produce(producer: Producer, quakes: Arc<Quakes>) -> Result<Histogram<u64>, Failure> {
    let every = quakes.records().div_ceil(TIMED_RECORDS);
    let mut timed = JoinSet::new();
    for index in 0..quakes.records() {
        let (key, value) = quakes.get(index);
        let index_text = index.to_string();
        let record = RecordRef {
            key: Some(key),
            value: Some(value),
            headers: &[(INDEX_HEADER, index_text.as_bytes())],
            timestamp_us: now_us(),
            id: None,
        };
        let ticket = loop {
            match producer.enqueue_ref(&record, None) {
                Ok(ticket) => break ticket,
                Err(error) if error.code() == Code::QUEUE_FULL => producer.ready().await?,
                Err(error) => return Err(error.into()),
            }
        };
        if index.is_multiple_of(every) {
            let enqueued = Instant::now();
            timed.spawn(async move {
                ticket.await?;
                Ok::<Duration, Error>(enqueued.elapsed())
            });
        }
    }
    producer.close().await?;
    let mut acks_us = histogram()?;
    while let Some(time) = timed.join_next().await {
        let time =
            time.map_err(|error| Failure::new(format!("an ack was lost: {error}")))??;
        acks_us.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }
    Ok(acks_us)
}

async fn consume(
    mut consumer: Consumer,
    reading: Arc<Mutex<Reading>>,
    done: Arc<watch::Sender<bool>>,
    mut all_read: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let mut came_before = 0;
    loop {
        let batch = tokio::select! {
            batch = consumer.next_batch() => batch?,
            // An error says that the sender is gone, which this task holds.
            _ = all_read.wait_for(|done| *done) => return Ok(()),
            () = tokio::time::sleep(STALL) => {
                let came = lock(&reading).checker.came();
                if std::mem::replace(&mut came_before, came) == came {
                    return Ok(());
                }
                continue;
            }
        };
        let Some(batch) = batch else { return Ok(()) };
        let mut reading = lock(&reading);
        reading.take(&batch);
        if reading.checker.is_complete() {
            done.send_replace(true);
        }
    }
}

impl Reading {
    fn take(&mut self, batch: &Batch) {
        let now_us = now_us();
        for record in batch.iter() {
            let index = record.headers().find(|(name, _)| *name == INDEX_HEADER);
            let index = self.checker.observe(Seen {
                partition: record.partition(),
                offset: record.offset(),
                index: index.map(|(_, value)| value),
                key: record.key(),
                value: record.value(),
            });
            let time_us = u64::try_from(now_us - record.timestamp_us()).unwrap_or(0);
            self.end_to_end_us.saturating_record(time_us);
            // What cannot be read as a report differs from what was sent, which the checker tells.
            if index.is_some_and(|index| index < self.week)
                && let Some(Ok(quake)) = record.value().map(Quake::parse)
            {
                self.quakes.push(quake);
            }
        }
        *self.per_partition.entry(batch.partition()).or_default() += batch.len() as u64;
        self.progress.inc(batch.len() as u64);
    }
}

/// A consumer that panicked fails the demo by itself.
fn lock(reading: &Mutex<Reading>) -> MutexGuard<'_, Reading> {
    reading.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From a microsecond to a minute, in three digits.
fn histogram() -> Result<Histogram<u64>, Failure> {
    Histogram::new_with_bounds(1, 60_000_000, 3)
        .map_err(|error| Failure::new(format!("a histogram could not be made: {error}")))
}

/// Shows nothing where stderr is not a terminal.
fn progress(records: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(records), ProgressDrawTarget::stderr());
    let template = "  {bar:40.cyan/dim} {human_pos} of {human_len} read";
    // The template is a constant; a plain bar is what a mistake in it would lead to.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

/// Microseconds since the Unix epoch; 0 on a clock that is set before it.
fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

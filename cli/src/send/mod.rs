//! `tidewire send`: one record, or one a line.
//!
//! Owns the way from the command line to the producer and what is said about it afterwards;
//! [`lines`] reads, [`key`] finds keys. The one invariant: what was read and could be a record is
//! sent and counted, whatever stops the reading.

mod key;
mod lines;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tidewire::{Acks, Code, Producer, Receipt, Record, RecordRef, Ticket};
use tidewire_protocol::limits;
use tidewire_protocol::name::TopicName;

use crate::args::records::SendArgs;
use crate::client;
use crate::failure::Failure;
use crate::output::{self, number};
use lines::ReadError;

/// Time after which a progress bar is shown.
const PROGRESS_AFTER: Duration = Duration::from_millis(500);

/// Records for which one acknowledgement is looked at, to notice soon when they fail.
const SAMPLE_RECORDS: u64 = 256;

/// Acknowledgements that may be waited for at the same time.
const MAX_SAMPLES: usize = 4096;

/// Sends what the arguments name.
pub fn run(mut args: SendArgs) -> Result<(), Failure> {
    // The name in full, as all other commands show it.
    args.topic = TopicName::parse(&args.topic).map_err(tidewire::Error::from)?.to_string();
    client::run_to_end(async {
        let connected = tokio::select! {
            client = client::connect_with_keys(&args.server.url, args.keys.encryption_key_file.as_deref()) => client?,
            failure = client::interrupted() => return Err(failure),
        };
        let mut builder = connected.producer(&args.topic);
        if let Some(acks) = args.acks {
            builder = builder.acks(acks);
        }
        if let Some(codec) = args.codec {
            builder = builder.codec(codec);
        }
        if let Some(id) = args.encryption_key_id {
            builder = builder.encryption_key_id(id);
        }
        if let Some(name) = &args.producer_name {
            builder = builder.name(name);
        }
        let producer = builder.build().await?;
        match &args.value {
            Some(value) => send_one(&producer, &args, value).await,
            None => send_lines(&producer, &args).await,
        }
    })
}

async fn send_one(producer: &Producer, args: &SendArgs, value: &str) -> Result<(), Failure> {
    let mut record = Record::new(value.to_owned());
    if let Some(key) = &args.key {
        record = record.key(key.clone());
    } else if let Some(field) = &args.key_field {
        let key = key::from_json(value.as_bytes(), field)
            .map_err(|why| Failure::new(format!("the record has no key: {why}")))?;
        record = record.key(key);
    }
    for (name, value) in &args.header {
        record = record.header(name.clone(), value.clone());
    }
    record.partition = args.partition;
    let receipt = tokio::select! {
        receipt = producer.send(record) => receipt?,
        failure = client::interrupted() => return Err(failure),
    };
    output::line(&place(&args.topic, &receipt))
}

/// `shop/orders[2] @ 17`. Without acknowledgements there is no offset to tell.
fn place(topic: &str, receipt: &Receipt) -> String {
    match receipt.acks {
        Acks::None => format!("{topic}[{}]", receipt.partition),
        _ => format!("{topic}[{}] @ {}", receipt.partition, receipt.offset),
    }
}

async fn send_lines(producer: &Producer, args: &SendArgs) -> Result<(), Failure> {
    let (input, len) = open(args.file.as_deref())?;
    let max_line_bytes = limits::MAX_BATCH_LEN as usize;
    let mut blocks = lines::read(input, max_line_bytes)
        .map_err(|error| Failure::io("starting to read", &error))?;
    let mut sending = Sending::new(producer, args, Progress::new(len));
    let interrupted = client::interrupted();
    tokio::pin!(interrupted);

    let stopped: Result<(), Failure> = loop {
        let block = tokio::select! {
            biased;
            failure = &mut interrupted => break Err(failure),
            block = blocks.recv() => block,
        };
        let block = match block {
            None => break Ok(()),
            Some(Ok(block)) => block,
            Some(Err(ReadError::Io(error))) => {
                break Err(Failure::io("reading records", &error));
            }
            Some(Err(ReadError::TooLong)) => {
                break Err(Failure::new(format!(
                    "line {} is longer than a record may be, {}",
                    sending.line + 1,
                    number::size(limits::MAX_BATCH_LEN.into())
                )));
            }
        };
        let sent = tokio::select! {
            sent = sending.block(&block) => sent,
            failure = &mut interrupted => Err(failure),
        };
        if let Err(failure) = sent {
            break Err(failure);
        }
    };
    // What was read is sent, unless someone insists on not waiting.
    let flushed = tokio::select! {
        flushed = producer.close() => flushed.map_err(Failure::from),
        failure = client::interrupted() => Err(failure),
    };
    sending.finish(&flushed)?;
    flushed.and(stopped)
}

/// The input, and its size if it has one.
fn open(file: Option<&Path>) -> Result<(Box<dyn Read + Send>, Option<u64>), Failure> {
    match file {
        Some(path) if path != Path::new("-") => {
            let failed = |error: io::Error| {
                Failure::io(format_args!("opening {}", path.display()), &error)
            };
            let file = File::open(path).map_err(failed)?;
            let metadata = file.metadata().map_err(failed)?;
            Ok((Box::new(file), metadata.is_file().then_some(metadata.len())))
        }
        _ => {
            if io::stdin().is_terminal() {
                output::note("reading records from the terminal, one a line; Ctrl-D ends");
            }
            Ok((Box::new(io::stdin()), None))
        }
    }
}

/// Many records on their way.
struct Sending<'a> {
    producer: &'a Producer,
    args: &'a SendArgs,
    headers: Vec<(&'a str, &'a [u8])>,
    progress: Progress,
    /// Lines that became records.
    line: u64,
    bytes: u64,
    samples: VecDeque<Ticket>,
}

impl<'a> Sending<'a> {
    fn new(producer: &'a Producer, args: &'a SendArgs, progress: Progress) -> Self {
        let headers =
            args.header.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let samples = VecDeque::new();
        Self { producer, args, headers, progress, line: 0, bytes: 0, samples }
    }

    async fn block(&mut self, block: &lines::Block) -> Result<(), Failure> {
        for line in block.lines() {
            self.record(line).await?;
        }
        // The oldest first; later ones are rarely done before it.
        while let Some(outcome) = self.samples.front_mut().and_then(Ticket::try_receipt) {
            self.samples.pop_front();
            outcome?;
        }
        self.progress.advance(block.len(), self.line);
        Ok(())
    }

    async fn record(&mut self, value: &[u8]) -> Result<(), Failure> {
        let about = |why: &dyn std::fmt::Display| format!("line {}: {why}", self.line + 1);
        let found;
        let key = match (&self.args.key, &self.args.key_field) {
            (Some(key), _) => Some(key.as_bytes()),
            (None, Some(field)) => {
                found = key::from_json(value, field).map_err(|why| {
                    Failure::new(about(&format_args!("the record has no key: {why}")))
                })?;
                Some(&found[..])
            }
            (None, None) => None,
        };
        let record = RecordRef {
            key,
            value: Some(value),
            headers: &self.headers,
            timestamp_us: now_us(),
            id: None,
        };
        let ticket = loop {
            match self.producer.enqueue_ref(&record, self.args.partition) {
                Ok(ticket) => break ticket,
                Err(error) if error.code() == Code::QUEUE_FULL => self.producer.ready().await?,
                Err(error) if error.code() == Code::RECORD_TOO_LARGE => {
                    return Err(Failure::new(about(&error)));
                }
                Err(error) => return Err(error.into()),
            }
        };
        if self.line.is_multiple_of(SAMPLE_RECORDS) {
            if self.samples.len() >= MAX_SAMPLES
                && let Some(oldest) = self.samples.pop_front()
            {
                oldest.await?;
            }
            self.samples.push_back(ticket);
        }
        self.line += 1;
        self.bytes += value.len() as u64;
        Ok(())
    }

    /// Says what was sent.
    fn finish(self, flushed: &Result<(), Failure>) -> Result<(), Failure> {
        let time = self.progress.begun.elapsed();
        self.progress.bar.finish_and_clear();
        let records = number::counted(self.line, "record", "records");
        if self.line == 0 {
            return output::line(&format!("sent {records} to {}", self.args.topic));
        }
        if flushed.is_err() {
            output::note(&format!(
                "handed over {records} to {}; not all of them were acknowledged",
                self.args.topic
            ));
            return Ok(());
        }
        output::line(&format!(
            "sent {records} ({}) to {} in {}, {} records/s",
            number::size(self.bytes),
            self.args.topic,
            number::time(time),
            number::rate(self.line as f64 / time.as_secs_f64())
        ))
    }
}

/// A progress bar that appears only when there is something to wait for.
struct Progress {
    bar: ProgressBar,
    begun: Instant,
    hidden: bool,
}

impl Progress {
    fn new(len: Option<u64>) -> Self {
        let template = match len {
            Some(_) => "{bar:32.cyan/dim} {bytes}/{total_bytes}  {bytes_per_sec}  {msg}",
            None => "{spinner:.cyan} {bytes}  {bytes_per_sec}  {msg}",
        };
        let bar = ProgressBar::with_draw_target(len, ProgressDrawTarget::hidden());
        // The template is a constant; a plain bar is what a mistake in it would lead to.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self { bar, begun: Instant::now(), hidden: true }
    }

    fn advance(&mut self, bytes: u64, records: u64) {
        if self.hidden && self.begun.elapsed() > PROGRESS_AFTER {
            self.hidden = false;
            // Draws nothing where stderr is not a terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(bytes);
        if !self.hidden {
            self.bar.set_message(number::counted(records, "record", "records"));
        }
    }
}

/// Microseconds since the Unix epoch; 0 on a clock that is set before it.
fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

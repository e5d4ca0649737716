//! `tidewire bench`: how fast records go in and out.
//!
//! * here: the server and the topic to measure against, and their removal.
//! * [`produce`], [`consume`]: the measurements. [`report`]: the figures.
//!
//! The one invariant: what is measured begins after a warm-up of the same work, unless asked
//! otherwise: the first touch of memory and files costs several times what follows.

mod consume;
mod produce;
mod report;

use std::time::Duration;

use indicatif::ProgressBar;
use tempfile::TempDir;
use tidewire::{Client, Code, ProducerBuilder, TopicConfig};
use tidewire_protocol::limits;
use tidewire_protocol::name::TopicName;

use crate::args::bench::{BenchCommand, CommonArgs};
use crate::child::ServerProcess;
use crate::client;
use crate::failure::Failure;
use crate::output;
use report::Figures;

/// The stream of topics that a measurement makes for itself.
const STREAM: &str = "bench";

/// How often a terminal is told that work goes on; rarely enough not to be part of it.
const TICK: Duration = Duration::from_millis(100);

/// What a batch needs beside the value of a record.
const RECORD_OVERHEAD: u32 = 1024;

/// Carries out a measurement.
pub fn run(command: BenchCommand) -> Result<(), Failure> {
    client::run(async {
        let common = match &command {
            BenchCommand::Produce(args) => args.common.clone(),
            BenchCommand::Consume(args) => args.common.clone(),
        };
        check(&common)?;
        let bench = Bench::prepare(&common).await?;
        let measured = match &command {
            BenchCommand::Produce(args) => produce::run(&bench, args).await,
            BenchCommand::Consume(args) => consume::run(&bench, args).await,
        };
        let cleared = bench.clear().await;
        let figures = measured?;
        cleared?;
        show(&figures, common.json)
    })
}

fn check(common: &CommonArgs) -> Result<(), Failure> {
    let max = limits::MAX_BATCH_LEN - RECORD_OVERHEAD;
    if common.size > max {
        let size = common.size;
        return Err(Failure::usage(format!("--size is {size}, over the limit of {max} bytes")));
    }
    Ok(())
}

fn show(figures: &Figures, json: bool) -> Result<(), Failure> {
    if json { output::json(&figures.to_json()) } else { figures.print() }
}

/// What is measured against.
struct Bench {
    url: String,
    topic: String,
    partitions: u32,
    /// The topic is this measurement's, and goes at the end.
    owns_topic: bool,
    /// So does the stream.
    owns_stream: bool,
    own: Option<(ServerProcess, TempDir)>,
    client: Client,
    common: CommonArgs,
}

impl Bench {
    async fn prepare(common: &CommonArgs) -> Result<Self, Failure> {
        let (url, own) = match &common.url {
            Some(url) => (url.clone(), None),
            None => {
                let directory = tempfile::Builder::new()
                    .prefix("tidewire-bench-")
                    .tempdir()
                    .map_err(|error| Failure::io("creating a temporary directory", &error))?;
                let server = ServerProcess::start(directory.path()).await?;
                (server.url().to_owned(), Some((server, directory)))
            }
        };
        let client = client::connect(&url).await?;
        let topic = common
            .topic
            .clone()
            .unwrap_or_else(|| format!("{STREAM}/records-{}", std::process::id()));
        let stream = TopicName::parse(&topic).map_err(tidewire::Error::from)?;
        let owns_stream = match client.create_stream(stream.stream()).await {
            Ok(_) => !common.keep,
            Err(error) if error.code() == Code::STREAM_EXISTS => false,
            Err(error) => return Err(error.into()),
        };
        let config = TopicConfig::default().partitions(common.partitions);
        let (partitions, owns_topic) = match client.create_topic(&topic, config).await {
            Ok(info) => (info.partitions, !common.keep),
            Err(error) if error.code() == Code::TOPIC_EXISTS => {
                (client.describe_topic(&topic).await?.partitions, false)
            }
            Err(error) => return Err(error.into()),
        };
        let common = common.clone();
        Ok(Self { url, topic, partitions, owns_topic, owns_stream, own, client, common })
    }

    /// A client with a connection of its own.
    async fn connect(&self) -> Result<Client, Failure> {
        client::connect(&self.url).await
    }

    /// A producer as the arguments describe it.
    fn producer(&self, client: &Client) -> ProducerBuilder {
        let mut builder = client.producer(&self.topic).acks(self.common.acks);
        if let Some(batch_bytes) = self.common.batch_bytes {
            builder = builder.batch_bytes(batch_bytes);
        }
        if let Some(linger_ms) = self.common.linger_ms {
            builder = builder.linger_ms(linger_ms);
        }
        builder
    }

    /// Says what happens now, until the value is dropped; nothing where stderr is not a terminal.
    fn phase(&self, what: &'static str) -> Phase {
        let bar = ProgressBar::new_spinner().with_message(what);
        bar.enable_steady_tick(TICK);
        Phase(bar)
    }

    /// Removes what was made for the measurement.
    async fn clear(self) -> Result<(), Failure> {
        if let Some((server, directory)) = self.own {
            server.stop().await?;
            return directory
                .close()
                .map_err(|error| Failure::io("removing the temporary directory", &error));
        }
        if self.owns_topic {
            self.client.delete_topic(&self.topic).await?;
        }
        if self.owns_stream
            && let Ok(name) = TopicName::parse(&self.topic)
        {
            // Someone else may use it by now.
            let _ = self.client.delete_stream(name.stream(), false).await;
        }
        Ok(())
    }
}

/// A line on the terminal that goes when what it tells is over.
struct Phase(ProgressBar);

impl Drop for Phase {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

//! `tidewire demo`: what a newcomer runs first.
//!
//! * here: the order of things.
//! * [`quakes`]: the records. [`traffic`]: sending and reading them.
//! * [`check`]: the verdict. [`report`]: what is printed.
//!
//! The one invariant: it succeeds only if every promise that it prints was checked in this run.

mod check;
mod quakes;
mod report;
mod traffic;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tidewire::{Client, TopicConfig};

use crate::args::DemoArgs;
use crate::child::ServerProcess;
use crate::client;
use crate::failure::Failure;
use check::Problems;
use quakes::Quakes;
use report::Report;

/// Where the records go.
const STREAM: &str = "quakes";
const TOPIC: &str = "quakes/reported";
const PARTITIONS: u32 = 4;

/// Runs all of it.
pub fn run(args: DemoArgs) -> Result<(), Failure> {
    client::run(async {
        let quakes = Arc::new(Quakes::new(args.records)?);
        let directory = Directory::new()?;
        let report = Report::new();

        let server = ServerProcess::start(directory.path()).await?;
        report.opening(server.url(), TOPIC, PARTITIONS, &quakes)?;
        let client = client::connect(server.url()).await?;
        client.create_stream(STREAM).await?;
        client.create_topic(TOPIC, TopicConfig::default().partitions(PARTITIONS)).await?;

        let outcome = traffic::send_and_read(server.url(), &quakes).await?;
        check_count(&client, &quakes).await?;
        report.strongest(&outcome.quakes)?;
        report.partitions(&outcome.per_partition)?;
        report.speed(&outcome, &quakes)?;
        let keys = outcome.keys;
        outcome.verdict.map_err(|problems| spoilt("what came back", &problems))?;
        report.held(&format!(
            "all {} came back identical, once each, and in order for each of {keys} keys",
            report::records(&quakes)
        ))?;

        client.close().await?;
        server.stop().await?;
        let server = ServerProcess::start(directory.path()).await?;
        let again = traffic::read(server.url(), &quakes).await?;
        check_count(&client::connect(server.url()).await?, &quakes).await?;
        again
            .verdict
            .map_err(|problems| spoilt("what the server had after a restart", &problems))?;
        server.stop().await?;
        report.held(
            "the server stopped with exit code 0 and started again: all of them are still there, \
             identical",
        )?;
        let kept = args.keep.then(|| directory.keep());
        report.closing(kept.as_deref())
    })
}

fn spoilt(what: &str, problems: &Problems) -> Failure {
    Failure::new(format!("{what} is not what was sent: {problems}"))
        .hint("this is a bug in Tidewire; please report it")
}

/// A record too many would come after the last one that was waited for.
async fn check_count(client: &Client, quakes: &Quakes) -> Result<(), Failure> {
    let partitions = client.partitions(TOPIC).await?;
    let stored: u64 =
        partitions.iter().map(|p| p.end_offset.saturating_sub(p.start_offset)).sum();
    if stored == quakes.records() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the topic {TOPIC} holds {stored} records, but {} were sent",
        quakes.records()
    ))
    .hint("this is a bug in Tidewire; please report it"))
}

/// The data directory of the demo; it goes at the end unless it is kept.
struct Directory {
    temporary: TempDir,
}

impl Directory {
    fn new() -> Result<Self, Failure> {
        let temporary = tempfile::Builder::new()
            .prefix("tidewire-demo-")
            .tempdir()
            .map_err(|error| Failure::io("creating a temporary data directory", &error))?;
        Ok(Self { temporary })
    }

    fn path(&self) -> &Path {
        self.temporary.path()
    }

    fn keep(self) -> PathBuf {
        self.temporary.keep()
    }
}

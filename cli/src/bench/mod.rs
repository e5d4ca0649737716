//! `tidewire bench`: how fast records go in and out, and what this machine gives at most.
//!
//! * [`target`]: the server and the topic to measure against. [`shape`]: what records look like.
//! * [`load`]: producers at work. [`read`]: consumers at work. [`meter`] counts both.
//! * [`produce`], [`consume`], [`request`], [`together`], [`ceiling`]: the measurements.
//! * [`progress`]: what is shown meanwhile. [`report`], [`plot`]: the figures.
//!
//! The one invariant: what is measured begins after a warm-up of the same work, unless asked
//! otherwise: the first touch of memory and files costs several times what follows.

mod ceiling;
mod consume;
mod load;
mod meter;
mod plot;
mod produce;
mod progress;
mod read;
mod report;
mod request;
mod shape;
mod target;
mod together;

use tokio::task::spawn_blocking;

use crate::args::bench::{BenchCommand, CommonArgs, ShowArgs};
use crate::client;
use crate::failure::Failure;
use crate::output;
use load::Load;
use report::Figures;
use target::Bench;
use together::Plan;

/// Carries out a measurement.
pub fn run(command: BenchCommand) -> Result<(), Failure> {
    client::run(async {
        let figures = match command.common() {
            Some(common) => against_server(&command, common).await?,
            None => measure_machine(&command).await?,
        };
        present(&figures, command.show())
    })
}

async fn against_server(
    command: &BenchCommand,
    common: &CommonArgs,
) -> Result<Figures, Failure> {
    let mut common = common.clone();
    if let BenchCommand::Latency(_) = command {
        common.linger_ms.get_or_insert(0);
    }
    let bench = Bench::prepare(&common).await?;
    let measured = measure(&bench, command).await;
    let cleared = bench.clear().await;
    let figures = measured?;
    cleared?;
    Ok(figures)
}

async fn measure(bench: &Bench, command: &BenchCommand) -> Result<Figures, Failure> {
    let common = &bench.common;
    match command {
        BenchCommand::Produce(args) => {
            let records = args.records.unwrap_or(load::DEFAULT_RECORDS);
            let bytes = ceiling::Bytes::new(
                common.size,
                records,
                common.batch_bytes,
                args.producers,
                common.acks,
            );
            let run = produce::run(bench, args);
            below(args.ceiling, move || ceiling::produce(bytes), run).await
        }
        BenchCommand::Consume(args) => {
            let bytes = ceiling::Bytes::new(
                common.size,
                args.records,
                common.batch_bytes,
                args.consumers,
                common.acks,
            );
            let run = consume::run(bench, args);
            below(args.ceiling, move || ceiling::consume(bytes), run).await
        }
        BenchCommand::Request(args) => {
            let records = args.records.unwrap_or(request::DEFAULT_RECORDS);
            let bytes = ceiling::Bytes::new(common.size, records, None, 1, common.acks);
            let clients = args.producers;
            let run = request::run(bench, args);
            below(args.ceiling, move || ceiling::requests(bytes, clients), run).await
        }
        BenchCommand::EndToEnd(args) => {
            let plan = Plan {
                what: "end-to-end",
                load: Load::new(args.records, args.duration, args.rate),
                producers: args.producers,
                consumers: args.consumers,
                readers: 0,
                history: 0,
            };
            together::run(bench, &plan).await
        }
        BenchCommand::Latency(args) => {
            let plan = Plan {
                what: "latency",
                load: Load::new(None, Some(args.duration), Some(args.rate)),
                producers: args.producers,
                consumers: args.consumers,
                readers: 0,
                history: 0,
            };
            together::run(bench, &plan).await
        }
        BenchCommand::Mixed(args) => {
            let plan = Plan {
                what: "mixed",
                load: Load::new(args.records, args.duration, args.rate),
                producers: args.producers,
                consumers: args.consumers,
                readers: args.readers,
                history: args.history,
            };
            together::run(bench, &plan).await
        }
        BenchCommand::Ceiling(_) => measure_machine(command).await,
    }
}

/// A measurement that needs no server.
async fn measure_machine(command: &BenchCommand) -> Result<Figures, Failure> {
    let BenchCommand::Ceiling(args) = command else {
        return Err(Failure::usage("only the ceiling is measured without a server"));
    };
    let args = args.clone();
    on_thread(move || ceiling::run(&args)).await
}

/// Measures between two looks at the ceiling, if that is asked for: the machine changes.
async fn below(
    asked: bool,
    ceiling: impl Fn() -> Result<f64, Failure> + Clone + Send + 'static,
    measure: impl Future<Output = Result<Figures, Failure>>,
) -> Result<Figures, Failure> {
    if !asked {
        return measure.await;
    }
    // The first touches the memory.
    on_thread(ceiling.clone()).await?;
    let before = on_thread(ceiling.clone()).await?;
    let mut figures = measure.await?;
    let after = on_thread(ceiling).await?;
    figures.ceiling = Some((before + after) / 2.0);
    Ok(figures)
}

async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let ended = spawn_blocking(work).await;
    ended.map_err(|error| Failure::new(format!("the measurement ended: {error}")))?
}

fn present(figures: &Figures, show: &ShowArgs) -> Result<(), Failure> {
    if let Some(path) = &show.plot {
        plot::write(figures, path)?;
    }
    if show.json { output::json(&figures.to_json()) } else { figures.print() }
}

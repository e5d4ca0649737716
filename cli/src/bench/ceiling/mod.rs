//! `tidewire bench ceiling`: what this machine gives to the barest program.
//!
//! * [`pipe`]: the same bytes over the same sockets, into and out of the same file system, without
//!   a protocol. [`echo`]: one request at a time.
//!
//! The one invariant: it does what a server must do at least, and nothing else: no checksum, no
//! index, no record is looked at. What is measured against it cannot do less.

mod echo;
mod pipe;

use std::path::Path;

use tempfile::TempDir;
use tidewire::Acks;

use super::meter::Meter;
use super::report::{Figures, Row};
use crate::args::bench::CeilingArgs;
use crate::args::values::Sizes;
use crate::failure::Failure;

/// Bytes of a batch unless said otherwise: the producer's default.
const BATCH_BYTES: u32 = 256 << 10;

/// What goes through.
#[derive(Clone, Copy)]
pub struct Bytes {
    /// Bytes in a record.
    pub size: u32,
    /// Records in all.
    pub records: u64,
    /// Bytes that are written at once.
    pub batch: u32,
    /// Connections, each with a file.
    pub connections: u32,
    /// What an answer promises.
    pub acks: Acks,
}

impl Bytes {
    /// As a measurement has it.
    pub fn new(
        sizes: Sizes,
        records: u64,
        batch: Option<u32>,
        connections: u32,
        acks: Acks,
    ) -> Self {
        let size = (sizes.min / 2 + sizes.max / 2).max(1);
        let batch = batch.unwrap_or(BATCH_BYTES).max(size);
        Self { size, records, batch, connections, acks }
    }

    /// Blocks of one connection.
    fn blocks(&self) -> u64 {
        let all = self.records * u64::from(self.size);
        all.div_ceil(u64::from(self.batch) * u64::from(self.connections)).max(1)
    }

    fn in_block(&self) -> u64 {
        u64::from((self.batch / self.size).max(1))
    }
}

/// Measures all of it.
pub fn run(args: &CeilingArgs) -> Result<Figures, Failure> {
    let directory = place(args.directory.as_deref())?;
    let bytes =
        Bytes::new(args.size, args.records, args.batch_bytes, args.connections, args.acks);
    let warmup = Bytes { records: (args.records / 5).max(1), ..bytes };
    pipe::produce(directory.path(), warmup)?;
    let rows = vec![
        Row {
            name: "produce",
            clients: args.connections,
            counts: pipe::produce(directory.path(), bytes)?.counts(),
            latency_of: "from the first byte of a batch to its answer, with eight under way",
        },
        Row {
            name: "consume",
            clients: args.connections,
            counts: pipe::consume(directory.path(), bytes)?.counts(),
            latency_of: "a reader's wait for a batch",
        },
        request(directory.path(), bytes, 1, args)?,
        request(directory.path(), bytes, 16, args)?,
    ];
    Ok(Figures::bare("ceiling", args.size, args.acks, rows))
}

fn request(
    directory: &Path,
    bytes: Bytes,
    clients: u32,
    args: &CeilingArgs,
) -> Result<Row, Failure> {
    Ok(Row {
        name: "request",
        clients,
        counts: echo::requests(directory, bytes, clients, args.requests)?.counts(),
        latency_of: "from sending one record to the answer that it is written",
    })
}

/// What producing so many bytes gives at most, in bytes a second.
pub fn produce(bytes: Bytes) -> Result<f64, Failure> {
    rate(|directory| pipe::produce(directory, bytes))
}

/// The same of consuming.
pub fn consume(bytes: Bytes) -> Result<f64, Failure> {
    rate(|directory| {
        pipe::produce(directory, Bytes { acks: Acks::Written, ..bytes })?;
        pipe::consume(directory, bytes)
    })
}

/// The same of one record after the other, each answered before the next.
pub fn requests(bytes: Bytes, clients: u32) -> Result<f64, Failure> {
    rate(|directory| echo::requests(directory, bytes, clients, bytes.records))
}

fn rate(measure: impl Fn(&Path) -> Result<Meter, Failure>) -> Result<f64, Failure> {
    let directory = place(None)?;
    let meter = measure(directory.path())?;
    let row = Row { name: "", clients: 1, counts: meter.counts(), latency_of: "" };
    Ok(row.bytes_rate())
}

fn place(directory: Option<&Path>) -> Result<TempDir, Failure> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("tidewire-bench-");
    match directory {
        Some(directory) => builder.tempdir_in(directory),
        None => builder.tempdir(),
    }
    .map_err(|error| Failure::io("creating a temporary directory", &error))
}

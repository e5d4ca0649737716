//! `tidewire bench`: its flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use tidewire::{Acks, Codec};

use super::values::{self, Sizes};

/// Measure how fast records go in and out
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tidewire bench produce --records 5M --size 100
  tidewire bench produce --duration 10s --acks written --producers 2 --ceiling
  tidewire bench consume --records 5M --json
  tidewire bench request --producers 16 --acks written --ceiling
  tidewire bench latency --rate 5k --duration 30s --plot latency.svg
  tidewire bench ceiling --size 1KiB

Exit codes: 0 fine, 1 failed, 2 wrong usage, 130 ended by Ctrl-C")]
pub enum BenchCommand {
    /// Send records as fast as they are taken, or at a rate
    Produce(ProduceArgs),
    /// Send records, then read them as fast as they come
    Consume(ConsumeArgs),
    /// Send one record after the other, each once the one before is acknowledged
    Request(RequestArgs),
    /// Send and receive at the same time; latency is from sending to receiving
    EndToEnd(EndToEndArgs),
    /// Send at a steady rate, whatever the answers do, and tell how late each record was
    Latency(LatencyArgs),
    /// Send and receive while others read old records again and again
    Mixed(MixedArgs),
    /// Measure what this machine gives to the barest program, without a server
    Ceiling(CeilingArgs),
}

impl BenchCommand {
    /// The flags of measurements against a server.
    pub fn common(&self) -> Option<&CommonArgs> {
        match self {
            Self::Produce(args) => Some(&args.common),
            Self::Consume(args) => Some(&args.common),
            Self::Request(args) => Some(&args.common),
            Self::EndToEnd(args) => Some(&args.common),
            Self::Latency(args) => Some(&args.common),
            Self::Mixed(args) => Some(&args.common),
            Self::Ceiling(_) => None,
        }
    }

    /// How the figures are shown.
    pub fn show(&self) -> &ShowArgs {
        match self {
            Self::Ceiling(args) => &args.show,
            Self::Produce(ProduceArgs { common, .. })
            | Self::Consume(ConsumeArgs { common, .. })
            | Self::Request(RequestArgs { common, .. })
            | Self::EndToEnd(EndToEndArgs { common, .. })
            | Self::Latency(LatencyArgs { common, .. })
            | Self::Mixed(MixedArgs { common, .. }) => &common.show,
        }
    }
}

/// How the figures are shown.
#[derive(Args, Clone, Debug)]
pub struct ShowArgs {
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,

    /// Draw throughput and latency over time into this file, as SVG
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
}

/// Flags of all that measure a server.
#[derive(Args, Clone, Debug)]
pub struct CommonArgs {
    /// Bytes in the value of a record, or a range: 100..1KiB
    #[arg(long, value_name = "SIZE", default_value = "100", value_parser = values::sizes)]
    pub size: Sizes,

    /// Different keys, which decide the partition; 0 is none
    #[arg(long, value_name = "N", default_value = "0", value_parser = values::count_or_none)]
    pub keys: u64,

    /// Size at which a batch is sent [default: 256KiB]
    #[arg(long, value_name = "SIZE", value_parser = values::small_size)]
    pub batch_bytes: Option<u32>,

    /// Number of records at which a batch is sent
    #[arg(long, value_name = "N")]
    pub batch_records: Option<u32>,

    /// How long records wait for company, in milliseconds [default: 5; 0 to measure latency]
    #[arg(long, value_name = "MS")]
    pub linger_ms: Option<u32>,

    /// What an acknowledgement promises: none, written or synced
    #[arg(long, default_value = "synced", value_parser = values::acks)]
    pub acks: Acks,

    /// Compression of batches: none, lz4 or zstd
    #[arg(long)]
    pub codec: Option<Codec>,

    /// Partitions of the topic, if it is created
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub partitions: u32,

    /// The topic; created if it is missing, then deleted at the end [default: one of its own]
    #[arg(long)]
    pub topic: Option<String>,

    /// Keep the topic that was created
    #[arg(long)]
    pub keep: bool,

    /// Measure from the first record on; it is slower, as memory and files are touched first
    #[arg(long)]
    pub no_warmup: bool,

    /// The server; without one here or in the environment, one is started for the measurement
    #[arg(long, value_name = "URL", env = "TIDEWIRE_URL", hide_env_values = true)]
    pub url: Option<String>,

    /// How the figures are shown.
    #[command(flatten)]
    pub show: ShowArgs,
}

/// Send records as fast as they are taken
#[derive(Args, Clone, Debug)]
pub struct ProduceArgs {
    /// How many records, over all producers [default: 2M, unless --duration]
    #[arg(long, value_name = "N", value_parser = values::count, conflicts_with = "duration")]
    pub records: Option<u64>,

    /// For how long
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub duration: Option<Duration>,

    /// Producers, each with a connection
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub producers: u32,

    /// Send this many records a second and no more; latency then shows the server, not the queue
    #[arg(long, value_name = "N", value_parser = values::count)]
    pub rate: Option<u64>,

    /// Measure before and after what the barest program gives for the same bytes, and tell the
    /// share of it
    #[arg(long)]
    pub ceiling: bool,

    /// Flags of all.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Send records, then read them as fast as they come
#[derive(Args, Clone, Debug)]
pub struct ConsumeArgs {
    /// How many records
    #[arg(long, value_name = "N", value_parser = values::count, default_value = "2M")]
    pub records: u64,

    /// Stop reading after this time
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub duration: Option<Duration>,

    /// Consumers, each with a connection; they share the partitions
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub consumers: u32,

    /// Measure before and after what the barest program gives for the same bytes, and tell the
    /// share of it
    #[arg(long)]
    pub ceiling: bool,

    /// Flags of all.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Send one record after the other
#[derive(Args, Clone, Debug)]
pub struct RequestArgs {
    /// How many records, over all producers [default: 20k, unless --duration]
    #[arg(long, value_name = "N", value_parser = values::count, conflicts_with = "duration")]
    pub records: Option<u64>,

    /// For how long
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub duration: Option<Duration>,

    /// Producers, each with a connection
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub producers: u32,

    /// Measure before and after what the barest program gives that answers requests of as many
    /// bytes, and tell the share of it
    #[arg(long)]
    pub ceiling: bool,

    /// Flags of all.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Send and receive at the same time
#[derive(Args, Clone, Debug)]
pub struct EndToEndArgs {
    /// How many records, over all producers [default: 2M, unless --duration]
    #[arg(long, value_name = "N", value_parser = values::count, conflicts_with = "duration")]
    pub records: Option<u64>,

    /// For how long
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub duration: Option<Duration>,

    /// Producers, each with a connection
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub producers: u32,

    /// Consumers, each with a connection; they share the partitions
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub consumers: u32,

    /// Send this many records a second and no more
    #[arg(long, value_name = "N", value_parser = values::count)]
    pub rate: Option<u64>,

    /// Flags of all.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Send at a steady rate, whatever the answers do, and tell how late each record was
#[derive(Args, Clone, Debug)]
pub struct LatencyArgs {
    /// Records a second, over all producers
    #[arg(long, value_name = "N", value_parser = values::count, default_value = "1000")]
    pub rate: u64,

    /// For how long
    #[arg(long, value_name = "TIME", value_parser = values::duration, default_value = "10s")]
    pub duration: Duration,

    /// Producers, each with a connection
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub producers: u32,

    /// Consumers, each with a connection; they share the partitions
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub consumers: u32,

    /// Flags of all.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Send and receive while others read old records again and again
#[derive(Args, Clone, Debug)]
pub struct MixedArgs {
    /// How many records, over all producers [default: 2M, unless --duration]
    #[arg(long, value_name = "N", value_parser = values::count, conflicts_with = "duration")]
    pub records: Option<u64>,

    /// For how long
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub duration: Option<Duration>,

    /// Producers, each with a connection
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub producers: u32,

    /// Consumers of what is sent, each with a connection; they share the partitions
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub consumers: u32,

    /// Consumers of old records, each with a connection; they share the partitions
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub readers: u32,

    /// Old records, sent before the measurement
    #[arg(long, value_name = "N", value_parser = values::count, default_value = "1M")]
    pub history: u64,

    /// Send this many records a second and no more
    #[arg(long, value_name = "N", value_parser = values::count)]
    pub rate: Option<u64>,

    /// Flags of all.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Measure what this machine gives to the barest program
#[derive(Args, Clone, Debug)]
pub struct CeilingArgs {
    /// Bytes in a record
    #[arg(long, value_name = "SIZE", default_value = "100", value_parser = values::sizes)]
    pub size: Sizes,

    /// How many records
    #[arg(long, value_name = "N", value_parser = values::count, default_value = "5M")]
    pub records: u64,

    /// How many requests of one record each
    #[arg(long, value_name = "N", value_parser = values::count, default_value = "20k")]
    pub requests: u64,

    /// Bytes that are written at once [default: 256KiB]
    #[arg(long, value_name = "SIZE", value_parser = values::small_size)]
    pub batch_bytes: Option<u32>,

    /// Connections, each with a file
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub connections: u32,

    /// What is done before an answer: none, written or synced
    #[arg(long, default_value = "written", value_parser = values::acks)]
    pub acks: Acks,

    /// Where the files are made, which are removed afterwards [default: the temporary directory]
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,

    /// How the figures are shown.
    #[command(flatten)]
    pub show: ShowArgs,
}

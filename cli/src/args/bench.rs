//! `tidewire bench`: its flags.

use std::time::Duration;

use clap::{Args, Subcommand};
use tidewire::Acks;

use super::values;

/// Measure how fast records go in and out
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tidewire bench produce --records 5M --size 100
  tidewire bench produce --duration 10s --acks written --producers 2
  tidewire bench consume --records 5M --json

Exit codes: 0 fine, 1 failed, 2 wrong usage, 130 ended by Ctrl-C")]
pub enum BenchCommand {
    /// Send records as fast as they are taken; latency is from enqueueing to acknowledgement
    Produce(ProduceArgs),
    /// Send records, then read them as fast as they come; latency is a consumer's wait for a batch
    Consume(ConsumeArgs),
}

/// Flags of both.
#[derive(Args, Clone, Debug)]
pub struct CommonArgs {
    /// Bytes in the value of a record
    #[arg(long, value_name = "SIZE", default_value = "100", value_parser = values::small_size)]
    pub size: u32,

    /// Size at which a batch is sent [default: 256KiB]
    #[arg(long, value_name = "SIZE", value_parser = values::small_size)]
    pub batch_bytes: Option<u32>,

    /// How long records wait for company, in milliseconds [default: 5]
    #[arg(long, value_name = "MS")]
    pub linger_ms: Option<u32>,

    /// What an acknowledgement promises: none, written or synced
    #[arg(long, default_value = "synced", value_parser = values::acks)]
    pub acks: Acks,

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

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,

    /// The server; without one here or in the environment, one is started for the measurement
    #[arg(long, value_name = "URL", env = "TIDEWIRE_URL", hide_env_values = true)]
    pub url: Option<String>,
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

    /// Flags of both.
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

    /// Flags of both.
    #[command(flatten)]
    pub common: CommonArgs,
}

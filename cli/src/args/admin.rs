//! `tidewire stream` and `tidewire topic`: their flags.

use clap::Subcommand;
use tidewire::Codec;

use super::{ServerArgs, values};

/// Create, list, describe and delete streams
#[derive(Debug, Subcommand)]
#[command(after_help = "\
A stream is a namespace of topics. The stream 'default' is there from the start.

Examples:
  tidewire stream create shop
  tidewire stream list --json
  tidewire stream delete shop --with-topics

Exit codes: 0 fine, 1 failed, 2 wrong usage")]
pub enum StreamCommand {
    /// Create a stream
    Create {
        /// Its name: 1 to 255 bytes of UTF-8, no '/'
        stream: String,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List all streams
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Describe a stream and its topics
    Describe {
        /// Its name
        stream: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Delete all records of all topics of a stream; offsets go on
    Purge {
        /// Its name
        stream: String,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Delete a stream
    Delete {
        /// Its name
        stream: String,
        /// Delete its topics and their records with it
        #[arg(long)]
        with_topics: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
}

/// Create, list, describe, change and delete topics
#[derive(Debug, Subcommand)]
#[command(after_help = "\
A topic is named STREAM/TOPIC; TOPIC alone is one of the stream 'default'.

Examples:
  tidewire topic create shop/orders --partitions 4
  tidewire topic create logs --retention 7d --retention-bytes 10GiB
  tidewire topic update logs --retention 30d
  tidewire topic add-partitions shop/orders --partitions 8
  tidewire topic list shop
  tidewire topic describe shop/orders
  tidewire topic truncate shop/orders --partition 0 --before 5000
  tidewire topic purge shop/orders
  tidewire topic producers shop/orders
  tidewire topic delete shop/orders

Exit codes: 0 fine, 1 failed, 2 wrong usage")]
pub enum TopicCommand {
    /// Create a topic
    Create {
        /// Its name, STREAM/TOPIC
        topic: String,
        /// Number of partitions, 1 to 100,000 [default: 1]
        #[arg(long, value_name = "N")]
        partitions: Option<u32>,
        /// Size at which a partition's log begins a new file, 1MiB to 1GiB [default: 256MiB]
        #[arg(long, value_name = "SIZE", value_parser = values::size)]
        segment_bytes: Option<u64>,
        /// Compression of batches, for producers that do not choose their own: none, lz4 or zstd
        /// [default: none]
        #[arg(long)]
        codec: Option<Codec>,
        /// Age at which records may be deleted, like 12h or 7d; 'none' keeps them for ever [default: none]
        #[arg(long, value_name = "AGE", value_parser = values::age_ms)]
        retention: Option<u64>,
        /// Size of a partition above which its oldest records are deleted, like 10GiB; 'none' is
        /// unlimited [default: none]
        #[arg(long, value_name = "SIZE", value_parser = values::size_or_none)]
        retention_bytes: Option<u64>,
        /// How long ids of records are remembered, to refuse those that come again, like 10m;
        /// 'none' is not at all [default: none]
        #[arg(long, value_name = "AGE", value_parser = values::age_ms)]
        dedup_window: Option<u64>,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Change settings of a topic; those that are not given stay as they are
    #[command(group(clap::ArgGroup::new("change").required(true).multiple(true).args(
        ["segment_bytes", "codec", "retention", "retention_bytes", "dedup_window"],
    )))]
    Update {
        /// Its name, STREAM/TOPIC
        topic: String,
        /// Size at which a partition's log begins a new file from now on, 1MiB to 1GiB
        #[arg(long, value_name = "SIZE", value_parser = values::size)]
        segment_bytes: Option<u64>,
        /// Compression of batches, for producers that do not choose their own: none, lz4 or zstd
        #[arg(long)]
        codec: Option<Codec>,
        /// Age at which records may be deleted, like 12h or 7d; 'none' keeps them for ever
        #[arg(long, value_name = "AGE", value_parser = values::age_ms)]
        retention: Option<u64>,
        /// Size of a partition above which its oldest records are deleted, like 10GiB; 'none' is
        /// unlimited
        #[arg(long, value_name = "SIZE", value_parser = values::size_or_none)]
        retention_bytes: Option<u64>,
        /// How long ids of records are remembered, to refuse those that come again, like 10m;
        /// 'none' is not at all
        #[arg(long, value_name = "AGE", value_parser = values::age_ms)]
        dedup_window: Option<u64>,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Give a topic more partitions; a key's records may go to another partition from then on
    AddPartitions {
        /// Its name, STREAM/TOPIC
        topic: String,
        /// How many partitions it is to have in all
        #[arg(long, value_name = "N")]
        partitions: u32,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the topics of a stream, or of all streams
    List {
        /// The stream; all of them if not given
        stream: Option<String>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the producers of a topic that have a name, or forget one of the names
    Producers {
        /// Its name, STREAM/TOPIC
        topic: String,
        /// Forget this name, and refuse whoever sends under it now
        #[arg(long, value_name = "NAME", conflicts_with = "json")]
        forget: Option<String>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Describe a topic and its partitions: offsets, sizes, shards, errors
    Describe {
        /// Its name, STREAM/TOPIC
        topic: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Delete all records of a topic; offsets go on
    Purge {
        /// Its name, STREAM/TOPIC
        topic: String,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Delete the records of a partition below an offset
    Truncate {
        /// Its name, STREAM/TOPIC
        topic: String,
        /// The partition
        #[arg(short, long, value_name = "N")]
        partition: u32,
        /// The offset of the first record to keep
        #[arg(long, value_name = "OFFSET")]
        before: u64,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Delete a topic and all its records
    Delete {
        /// Its name, STREAM/TOPIC
        topic: String,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
}

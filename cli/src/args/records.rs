//! `tidewire send` and `tidewire tail`: their flags.

use std::path::PathBuf;

use clap::Args;
use tidewire::{Acks, Codec, Start};

use super::{ServerArgs, values};

/// The keys of encrypted records.
#[derive(Args, Debug)]
pub struct KeyArgs {
    /// A file of keys to encrypt or to read encrypted records with, as 'tidewire keygen' prints
    /// them, one a line; TIDEWIRE_ENCRYPTION_KEYS may have some, too
    #[arg(long, value_name = "FILE")]
    pub encryption_key_file: Option<PathBuf>,
}

/// Make a key to encrypt records with
#[derive(Args, Debug)]
#[command(after_help = "\
The key is printed and kept nowhere: whoever has it reads everything that is encrypted with it, and
without it nobody does. A file may hold several, one a line; what follows a # is ignored.

To change the key of a topic: make one with a new number, give it to all readers, then to those who
send, and keep the old one for as long as there are records of it.

Examples:
  (umask 077; tidewire keygen --id 1 > keys)
  tidewire send shop/orders 'hello' --encryption-key-file keys --encryption-key-id 1
  tidewire tail shop/orders --from earliest --encryption-key-file keys
  (umask 077; tidewire keygen --id 2 >> keys)

Exit codes: 0 fine, 1 failed, 2 wrong usage")]
pub struct KeygenArgs {
    /// The number that encrypted records name the key by, 1 to 4294967294
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = values::key_id)]
    pub id: u32,
}

/// Send records to a topic
#[derive(Args, Debug)]
#[command(after_help = "\
A file or stdin is one record a line: the line feed is not part of it, every other byte is, a
carriage return included. An empty line is an empty record; a last line without a line feed counts.

Examples:
  tidewire send shop/orders 'hello' --key customer-7 --header trace=1
  tidewire send quakes/reported -f earthquakes.ndjson --key-field net
  journalctl -f -o json | tidewire send logs --acks written
  tidewire send shop/orders 'hello' --encryption-key-file keys --encryption-key-id 1

Exit codes: 0 fine, 1 failed, 2 wrong usage, 130 ended by Ctrl-C (what was read is still sent)")]
pub struct SendArgs {
    /// The topic, STREAM/TOPIC; TOPIC alone is one of the stream 'default'
    pub topic: String,

    /// The value of a single record; without it and without -f, records are read from stdin
    #[arg(conflicts_with = "file")]
    pub value: Option<String>,

    /// Read records from a file, one a line; '-' is stdin
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// The key of every record; equal keys share a partition and keep their order
    #[arg(short, long, value_name = "KEY")]
    pub key: Option<String>,

    /// Take the key from this field of each record, which then must be a JSON object
    #[arg(long, value_name = "FIELD", conflicts_with = "key")]
    pub key_field: Option<String>,

    /// A header of every record; may be given several times
    #[arg(short = 'H', long, value_name = "NAME=VALUE", value_parser = values::header)]
    pub header: Vec<(String, String)>,

    /// The partition, instead of the one of the key
    #[arg(short, long, value_name = "N")]
    pub partition: Option<u32>,

    /// What the server promises before it acknowledges: none, written (survives its death) or
    /// synced (survives a loss of power) [default: synced]
    #[arg(long, value_parser = values::acks)]
    pub acks: Option<Acks>,

    /// Compression of batches: none, lz4 or zstd [default: the topic's]
    #[arg(long)]
    pub codec: Option<Codec>,

    /// A name for the sender: whoever sends under the same name to this topic after it takes its
    /// place, and it is refused from then on
    #[arg(long, value_name = "NAME")]
    pub producer_name: Option<String>,

    /// Encrypt with the key of this number: the server gets neither values nor keys and headers to
    /// see [default: nothing is encrypted]
    #[arg(long, value_name = "N", value_parser = values::key_id)]
    pub encryption_key_id: Option<u32>,

    /// Keys.
    #[command(flatten)]
    pub keys: KeyArgs,

    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Print the records of a topic as they arrive
#[derive(Args, Debug)]
#[command(after_help = "\
Values are printed as they are, each followed by a line feed; a record without a value (a
tombstone) is an empty line. --json tells them apart, one object a line:
  {\"partition\":2,\"offset\":17,\"timestamp\":\"2026-01-02T03:04:05.678901Z\",
   \"key\":\"customer-7\",\"value\":\"hello\",\"headers\":[{\"name\":\"trace\",\"value\":\"1\"}]}
Bytes that are not UTF-8 are {\"base64\":\"…\"}, a missing key or value is null.

Examples:
  tidewire tail shop/orders
  tidewire tail shop/orders --first 10
  tidewire tail shop/orders --since 10m
  tidewire tail shop/orders --last 100 --partition 0
  tidewire tail quakes/reported --from earliest | head -3
  tidewire tail shop/orders --partition 2 --from 17 --json
  tidewire tail shop/orders --group billing --from earliest
  tidewire tail shop/orders --name audit --first 100

With --group or --name the server remembers how far it is, and it goes on there the next time;
--from, --since, --last and --first say where to begin if nothing is remembered. What was printed
since the last second is printed again after a crash.

Exit codes: 0 fine (also if the output was closed), 1 failed, 2 wrong usage, 130 ended by Ctrl-C")]
pub struct TailArgs {
    /// The topic, STREAM/TOPIC; TOPIC alone is one of the stream 'default'
    pub topic: String,

    /// Where to begin: earliest, latest, or an offset of the partition that --partition names
    #[arg(long, value_name = "START", default_value = "latest", value_parser = values::start)]
    pub from: Start,

    /// Begin with the first record that the server got at this time or later: an age like 10m or
    /// 12h, or an RFC 3339 time
    #[arg(long, value_name = "MOMENT", value_parser = values::since, conflicts_with = "from")]
    pub since: Option<i64>,

    /// Begin with the last N records of each partition
    #[arg(long, value_name = "N", value_parser = values::count, conflicts_with_all = ["from", "since"])]
    pub last: Option<u64>,

    /// Print the first N records there are, and stop
    #[arg(
        long,
        value_name = "N",
        value_parser = values::count,
        conflicts_with_all = ["from", "since", "last", "count"]
    )]
    pub first: Option<u64>,

    /// Only this partition
    #[arg(short, long, value_name = "N", conflicts_with = "group")]
    pub partition: Option<u32>,

    /// Read as a member of this group: its members divide the partitions
    #[arg(short, long, value_name = "NAME", conflicts_with = "name")]
    pub group: Option<String>,

    /// Remember under this name how far it is, and read everything
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Stop after this many records
    #[arg(short = 'n', long, value_name = "N", value_parser = values::count)]
    pub count: Option<u64>,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,

    /// Keys.
    #[command(flatten)]
    pub keys: KeyArgs,

    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

impl TailArgs {
    /// Where to begin, however it was said.
    pub fn start(&self) -> Start {
        match (self.since, self.last, self.first) {
            (Some(time_us), _, _) => Start::Timestamp(time_us),
            (_, Some(records), _) => Start::Last(records),
            (_, _, Some(_)) => Start::Earliest,
            _ => self.from,
        }
    }
}

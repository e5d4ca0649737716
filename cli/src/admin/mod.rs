//! `tidewire stream`, `tidewire topic`, `tidewire group` and `tidewire ping`.
//!
//! Owns what is shown of streams, topics and partitions, to people and as JSON; carrying it out
//! is the client's. The one invariant: JSON has the names of the protocol and all that it tells,
//! so that programs need not read tables.

pub mod group;
pub mod limits;
pub mod stream;
pub mod topic;
pub mod users;

use serde_json::{Value, json};
use tidewire::{Client, Code, PartitionInfo, ProducerInfo, StreamInfo, TopicInfo};

use crate::args::ServerArgs;
use crate::client;
use crate::failure::Failure;
use crate::output::{self, Style, number, table::Side, table::Table};

/// Asks a server for a sign of life.
pub fn ping(server: &ServerArgs) -> Result<(), Failure> {
    client::run(async {
        let client = client::connect(&server.url).await?;
        let time = client.ping().await?;
        let info = client.server();
        output::line(&format!(
            "{} answered in {} ({} {})",
            info.address,
            number::time(time),
            info.name,
            info.version
        ))
    })
}

fn stream_json(stream: &StreamInfo) -> Value {
    json!({
        "name": stream.name,
        "id": stream.id,
        "created": number::rfc3339(stream.created_us),
        "topics": stream.topics,
    })
}

fn topic_json(topic: &TopicInfo) -> Value {
    json!({
        "stream": topic.stream,
        "name": topic.name,
        "id": topic.id,
        "created": number::rfc3339(topic.created_us),
        "partitions": topic.partitions,
        "segment_bytes": topic.segment_bytes,
        "codec": topic.codec.to_string(),
        "retention_ms": topic.retention_ms,
        "retention_bytes": topic.retention_bytes,
        "dedup_window_ms": topic.dedup_window_ms,
    })
}

fn partition_json(partition: &PartitionInfo) -> Value {
    json!({
        "partition": partition.partition,
        "shard": partition.shard,
        "start_offset": partition.start_offset,
        "end_offset": partition.end_offset,
        "synced_offset": partition.synced_offset,
        "size_bytes": partition.size_bytes,
        "segments": partition.segments,
        "error": (partition.error != 0).then(|| partition_state(partition)),
    })
}

fn producer_json(producer: &ProducerInfo) -> Value {
    json!({
        "name": producer.name,
        "producer_id": producer.producer_id,
        "producer_epoch": producer.producer_epoch,
        "opened": number::rfc3339(producer.opened_us),
    })
}

/// Producers of one topic that have a name.
fn producer_table(producers: &[ProducerInfo]) -> Table {
    let mut table = Table::new([
        ("name", Side::Left),
        ("epoch", Side::Right),
        ("opened (UTC)", Side::Left),
    ]);
    for producer in producers {
        table.row([
            producer.name.clone(),
            number::count(producer.producer_epoch.into()),
            number::date(producer.opened_us),
        ]);
    }
    table
}

/// `ok`, or the name of the error because of which it takes no appends.
fn partition_state(partition: &PartitionInfo) -> String {
    match partition.error {
        0 => "ok".to_owned(),
        error => Code(error).name().map_or_else(|| format!("error {error}"), str::to_owned),
    }
}

/// Topics of one or several streams.
fn topic_table(topics: &[TopicInfo]) -> Table {
    let mut table = Table::new([
        ("topic", Side::Left),
        ("partitions", Side::Right),
        ("segments of", Side::Right),
        ("created (UTC)", Side::Left),
    ]);
    for topic in topics {
        table.row([
            format!("{}/{}", topic.stream, topic.name),
            number::count(topic.partitions.into()),
            number::size(topic.segment_bytes),
            number::date(topic.created_us),
        ]);
    }
    table
}

async fn topics_of_all_streams(client: &Client) -> Result<Vec<TopicInfo>, Failure> {
    let mut topics = Vec::new();
    for stream in client.list_streams().await? {
        match client.list_topics(&stream.name).await {
            Ok(listed) => topics.extend(listed),
            // Deleted since it was listed.
            Err(error) if error.code() == Code::STREAM_NOT_FOUND => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(topics)
}

fn print_table(table: &Table) -> Result<(), Failure> {
    output::write(table.render(Style::stdout()).as_bytes())
}

//! `tidewire topic`.
//!
//! Owns the commands on topics; what a topic looks like is in the module above.

use serde_json::Value;
use tidewire::{Codec, PartitionInfo, TopicConfig, TopicInfo};

use super::{
    partition_json, partition_state, print_table, producer_json, producer_table, topic_json,
    topic_table, topics_of_all_streams,
};
use crate::args::admin::TopicCommand;
use crate::client;
use crate::failure::Failure;
use crate::output::{self, number, table::Side, table::Table};

/// Carries out a command.
pub fn run(command: TopicCommand) -> Result<(), Failure> {
    client::run(async {
        match command {
            TopicCommand::Create {
                topic,
                partitions,
                segment_bytes,
                codec,
                retention,
                retention_bytes,
                dedup_window,
                server,
            } => {
                let mut config =
                    config(segment_bytes, codec, retention, retention_bytes, dedup_window);
                if let Some(partitions) = partitions {
                    config = config.partitions(partitions);
                }
                let client = client::connect(&server.url).await?;
                let info = client.create_topic(&topic, config).await?;
                output::line(&format!("created topic {}", summary(&info)))
            }
            TopicCommand::Update {
                topic,
                segment_bytes,
                codec,
                retention,
                retention_bytes,
                dedup_window,
                server,
            } => {
                let config =
                    config(segment_bytes, codec, retention, retention_bytes, dedup_window);
                let client = client::connect(&server.url).await?;
                let info = client.update_topic(&topic, config).await?;
                output::line(&format!("changed topic {}", summary(&info)))
            }
            TopicCommand::AddPartitions { topic, partitions, server } => {
                let client = client::connect(&server.url).await?;
                let info = client.add_partitions(&topic, partitions).await?;
                output::line(&format!("changed topic {}", summary(&info)))
            }
            TopicCommand::Producers { topic, forget: Some(name), server, .. } => {
                let client = client::connect(&server.url).await?;
                client.forget_producer(&topic, &name).await?;
                output::line(&format!("forgot producer '{name}' of topic {topic}"))
            }
            TopicCommand::Producers { topic, forget: None, json, server } => {
                let client = client::connect(&server.url).await?;
                let producers = client.producers(&topic).await?;
                if json {
                    let producers = producers.iter().map(producer_json).collect();
                    return output::json(&Value::Array(producers));
                }
                print_table(&producer_table(&producers))
            }
            TopicCommand::List { stream, json, server } => {
                list(&server.url, stream.as_deref(), json).await
            }
            TopicCommand::Describe { topic, json, server } => {
                describe(&server.url, &topic, json).await
            }
            TopicCommand::Purge { topic, server } => {
                client::connect(&server.url).await?.purge_topic(&topic).await?;
                output::line(&format!("deleted all records of topic {topic}"))
            }
            TopicCommand::Truncate { topic, partition, before, server } => {
                let client = client::connect(&server.url).await?;
                let start = client.truncate(&topic, partition, before).await?;
                output::line(&format!("{topic}[{partition}] begins at offset {start}"))
            }
            TopicCommand::Delete { topic, server } => {
                client::connect(&server.url).await?.delete_topic(&topic).await?;
                output::line(&format!("deleted topic {topic}"))
            }
        }
    })
}

/// What was asked for; the rest is the server's business.
fn config(
    segment_bytes: Option<u64>,
    codec: Option<Codec>,
    retention_ms: Option<u64>,
    retention_bytes: Option<u64>,
    dedup_window_ms: Option<u64>,
) -> TopicConfig {
    let mut config = TopicConfig::default();
    if let Some(segment_bytes) = segment_bytes {
        config = config.segment_bytes(segment_bytes);
    }
    if let Some(codec) = codec {
        config = config.codec(codec);
    }
    if let Some(retention_ms) = retention_ms {
        config = config.retention_ms(retention_ms);
    }
    if let Some(retention_bytes) = retention_bytes {
        config = config.retention_bytes(retention_bytes);
    }
    if let Some(dedup_window_ms) = dedup_window_ms {
        config = config.dedup_window_ms(dedup_window_ms);
    }
    config
}

fn summary(info: &TopicInfo) -> String {
    let mut text = format!(
        "{}/{}: {}, segments of {}",
        info.stream,
        info.name,
        number::counted(info.partitions.into(), "partition", "partitions"),
        number::size(info.segment_bytes)
    );
    if info.codec != Codec::None {
        text += &format!(", compressed with {}", info.codec);
    }
    match (info.retention_ms, info.retention_bytes) {
        (0, 0) => {}
        (age, 0) => text += &format!(", kept for {}", number::age(age)),
        (0, size) => text += &format!(", kept up to {} a partition", number::size(size)),
        (age, size) => {
            let (age, size) = (number::age(age), number::size(size));
            text += &format!(", kept for {age} and up to {size} a partition");
        }
    }
    if info.dedup_window_ms > 0 {
        text += &format!(", ids remembered for {}", number::age(info.dedup_window_ms));
    }
    text
}

async fn list(url: &str, stream: Option<&str>, json: bool) -> Result<(), Failure> {
    let client = client::connect(url).await?;
    let topics = match stream {
        Some(stream) => client.list_topics(stream).await?,
        None => topics_of_all_streams(&client).await?,
    };
    if json {
        return output::json(&topics.iter().map(topic_json).collect());
    }
    if topics.is_empty() {
        output::note("there are no topics; 'tidewire topic create NAME' makes one");
        return Ok(());
    }
    print_table(&topic_table(&topics))
}

async fn describe(url: &str, topic: &str, json: bool) -> Result<(), Failure> {
    let client = client::connect(url).await?;
    let info = client.describe_topic(topic).await?;
    let partitions = client.partitions(topic).await?;
    if json {
        let mut value = topic_json(&info);
        value["partition_details"] =
            partitions.iter().map(partition_json).collect::<Vec<Value>>().into();
        return output::json(&value);
    }
    let records: u64 = partitions.iter().map(records).sum();
    let bytes: u64 = partitions.iter().map(|partition| partition.size_bytes).sum();
    output::line(&format!(
        "topic {}, created {} UTC\n{} in {}\n",
        summary(&info),
        number::date(info.created_us),
        number::counted(records, "record", "records"),
        number::size(bytes)
    ))?;
    print_table(&partition_table(&partitions))
}

fn records(partition: &PartitionInfo) -> u64 {
    partition.end_offset.saturating_sub(partition.start_offset)
}

fn partition_table(partitions: &[PartitionInfo]) -> Table {
    let mut table = Table::new([
        ("partition", Side::Right),
        ("shard", Side::Right),
        ("records", Side::Right),
        ("first offset", Side::Right),
        ("next offset", Side::Right),
        ("synced to", Side::Right),
        ("size", Side::Right),
        ("segments", Side::Right),
        ("state", Side::Left),
    ]);
    for partition in partitions {
        table.row([
            partition.partition.to_string(),
            partition.shard.to_string(),
            number::count(records(partition)),
            partition.start_offset.to_string(),
            partition.end_offset.to_string(),
            partition.synced_offset.to_string(),
            number::size(partition.size_bytes),
            number::count(partition.segments.into()),
            partition_state(partition),
        ]);
    }
    table
}

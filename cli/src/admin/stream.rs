//! `tidewire stream`.
//!
//! Owns the four commands on streams; what a stream looks like is in the module above.

use serde_json::Value;

use super::{print_table, stream_json, topic_json, topic_table};
use crate::args::admin::StreamCommand;
use crate::client;
use crate::failure::Failure;
use crate::output::{self, number, table::Side, table::Table};

/// Carries out a command.
pub fn run(command: StreamCommand) -> Result<(), Failure> {
    client::run(async {
        match command {
            StreamCommand::Create { stream, server } => {
                client::connect(&server.url).await?.create_stream(&stream).await?;
                output::line(&format!("created stream {stream}"))
            }
            StreamCommand::List { json, server } => list(&server.url, json).await,
            StreamCommand::Describe { stream, json, server } => {
                describe(&server.url, &stream, json).await
            }
            StreamCommand::Purge { stream, server } => {
                client::connect(&server.url).await?.purge_stream(&stream).await?;
                output::line(&format!("deleted all records of stream {stream}"))
            }
            StreamCommand::Delete { stream, with_topics, server } => {
                let client = client::connect(&server.url).await?;
                client.delete_stream(&stream, with_topics).await?;
                output::line(&format!("deleted stream {stream}"))
            }
        }
    })
}

async fn list(url: &str, json: bool) -> Result<(), Failure> {
    let streams = client::connect(url).await?.list_streams().await?;
    if json {
        return output::json(&streams.iter().map(stream_json).collect());
    }
    let mut table = Table::new([
        ("stream", Side::Left),
        ("topics", Side::Right),
        ("created (UTC)", Side::Left),
    ]);
    for stream in &streams {
        table.row([
            stream.name.clone(),
            number::count(stream.topics.into()),
            number::date(stream.created_us),
        ]);
    }
    print_table(&table)
}

async fn describe(url: &str, stream: &str, json: bool) -> Result<(), Failure> {
    let client = client::connect(url).await?;
    let info = client.describe_stream(stream).await?;
    let topics = client.list_topics(stream).await?;
    if json {
        let mut value = stream_json(&info);
        value["topic_details"] = topics.iter().map(topic_json).collect::<Vec<Value>>().into();
        return output::json(&value);
    }
    output::line(&format!(
        "stream {}: {}, created {} UTC",
        info.name,
        number::counted(topics.len() as u64, "topic", "topics"),
        number::date(info.created_us)
    ))?;
    if topics.is_empty() {
        return Ok(());
    }
    output::line("")?;
    print_table(&topic_table(&topics))
}

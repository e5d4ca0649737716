//! Sends lines from the standard input to a topic: `produce STREAM/TOPIC < FILE`.
//!
//! Each line is enqueued without waiting; the queue's bound is the only brake. At the end one
//! `close` waits until the server has acknowledged everything.

use std::io::BufRead;

use tidewire::{Client, Code, Record, TopicConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let topic = std::env::args().nth(1).unwrap_or_else(|| "lines".to_owned());
    let url = std::env::var("TIDEWIRE_URL");
    let url = url.unwrap_or_else(|_| "tidewire://127.0.0.1:8433".to_owned());
    let client = Client::connect(&url).await?;
    match client.create_topic(&topic, TopicConfig::default().partitions(4)).await {
        Err(error) if error.code() != Code::TOPIC_EXISTS => return Err(error.into()),
        _ => {}
    }

    let producer = client.producer(&topic).build().await?;
    let mut count = 0u64;
    for line in std::io::stdin().lock().lines() {
        // The queue takes a record without waiting, unless too much waits for its
        // acknowledgement already.
        producer.ready().await?;
        // Without a key, records go where their batches become largest.
        producer.enqueue(Record::new(line?))?;
        count += 1;
    }
    producer.close().await?;
    println!("{count} records are on the disk");
    Ok(())
}

//! Consumes, processes, produces: `transform FROM TO` writes what it reads in capitals. It ends
//! when it has read what was there.
//!
//! Each record it writes carries an id made from where it came from. The topic that it writes to
//! remembers ids for an hour, so that a second run, or one after a crash, repeats none of them
//! within that time. Its name fences: a second instance takes the place of the first.

use tidewire::{Client, Code, Record, Start, TopicConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let from = std::env::args().nth(1).unwrap_or_else(|| "lines".to_owned());
    let to = std::env::args().nth(2).unwrap_or_else(|| "capitals".to_owned());
    let url = std::env::var("TIDEWIRE_URL");
    let url = url.unwrap_or_else(|_| "tidewire://127.0.0.1:8433".to_owned());
    let client = Client::connect(&url).await?;
    let count = client.describe_topic(&from).await?.partitions;
    let config = TopicConfig::default().partitions(count).dedup_window_ms(3_600_000);
    match client.create_topic(&to, config).await {
        Err(error) if error.code() != Code::TOPIC_EXISTS => return Err(error.into()),
        _ => {}
    }

    let mut consumer = client.consumer(&from).start(Start::Earliest).build().await?;
    let producer = client.producer(&to).name("capitals").build().await?;
    let mut written = 0;
    while consumer.lag() > 0 {
        let Some(batch) = consumer.next_batch().await? else { break };
        let mut sent = Vec::new();
        for record in &batch {
            let value = record.value().unwrap_or_default().to_ascii_uppercase();
            // Never all zeros, which would be no id.
            let mut id = [1; 16];
            id[..4].copy_from_slice(&record.partition().to_be_bytes());
            id[4..12].copy_from_slice(&record.offset().to_be_bytes());
            let result = Record::new(value).partition(record.partition()).id(id);
            producer.ready().await?;
            sent.push((producer.enqueue(result.clone())?, result));
        }
        // What was read counts as done once what was made of it is there. The tickets tell of
        // failures, so that they need not be told here.
        let _ = producer.flush().await;
        for (ticket, record) in sent {
            match ticket.await {
                Ok(_) => written += 1,
                // One of those in its batch is there already; alone, each says it for itself.
                Err(error) if error.code() == Code::DUPLICATE_IDS => {
                    match producer.send(record).await {
                        Ok(_) => written += 1,
                        Err(error) if error.code() == Code::DUPLICATE_IDS => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    producer.close().await?;
    println!("{written} records");
    Ok(())
}

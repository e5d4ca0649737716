//! Several consumers that each see every record: `fan_out STREAM/TOPIC [RECORDS]` waits until each
//! has seen so many.
//!
//! Consumers know nothing of each other: each has its own place, and a slow one holds nobody up.

use tidewire::{Client, Consumer, Error, Start};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let topic = std::env::args().nth(1).unwrap_or_else(|| "lines".to_owned());
    let records: usize = std::env::args().nth(2).map_or(Ok(10), |text| text.parse())?;
    let url = std::env::var("TIDEWIRE_URL");
    let url = url.unwrap_or_else(|_| "tidewire://127.0.0.1:8433".to_owned());
    let client = Client::connect(&url).await?;

    let mut running = Vec::new();
    for name in ["audit", "search", "mail"] {
        let consumer = client.consumer(&topic).start(Start::Earliest).build().await?;
        running.push(tokio::spawn(watch(name, consumer, records)));
    }
    for consumer in running {
        consumer.await??;
    }
    Ok(())
}

async fn watch(name: &str, mut consumer: Consumer, records: usize) -> Result<(), Error> {
    let mut bytes = 0;
    for _ in 0..records {
        let Some(record) = consumer.next_record().await? else { break };
        bytes += record.value().map_or(0, <[u8]>::len);
    }
    println!("{name}: {records} records, {bytes} bytes");
    consumer.close().await;
    Ok(())
}

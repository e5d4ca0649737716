//! Prints a topic from its beginning and goes on as records arrive: `consume STREAM/TOPIC`.
//!
//! Batches come as the server sends them; their records are views into one shared buffer.

use tidewire::{Client, Start};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let topic = std::env::args().nth(1).unwrap_or_else(|| "lines".to_owned());
    let url = std::env::var("TIDEWIRE_URL");
    let url = url.unwrap_or_else(|_| "tidewire://127.0.0.1:8433".to_owned());
    let client = Client::connect(&url).await?;

    let mut consumer = client.consumer(&topic).start(Start::Earliest).build().await?;
    while let Some(batch) = consumer.next_batch().await? {
        for record in &batch {
            // A record without a value is a tombstone: what its key named is gone.
            let value = record.value().map(String::from_utf8_lossy);
            println!(
                "{}/{}: {}",
                record.partition(),
                record.offset(),
                value.as_deref().unwrap_or("(gone)")
            );
        }
        eprintln!("{} records behind", consumer.lag());
    }
    Ok(())
}

//! Reads again what a topic was given in the last seconds: `replay STREAM/TOPIC [SECONDS]`. It ends
//! at what was the end when it began.
//!
//! The server finds the first record that it appended at a time or later.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tidewire::{Client, Start};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let topic = std::env::args().nth(1).unwrap_or_else(|| "lines".to_owned());
    let seconds: u64 = std::env::args().nth(2).map_or(Ok(60), |text| text.parse())?;
    let url = std::env::var("TIDEWIRE_URL");
    let url = url.unwrap_or_else(|_| "tidewire://127.0.0.1:8433".to_owned());
    let client = Client::connect(&url).await?;

    let since = SystemTime::now() - Duration::from_secs(seconds);
    let since_us = i64::try_from(since.duration_since(UNIX_EPOCH)?.as_micros())?;
    let start = Start::Timestamp(since_us);
    let mut consumer = client.consumer(&topic).start(start).build().await?;
    let mut count = 0;
    while consumer.lag() > 0 {
        let Some(batch) = consumer.next_batch().await? else { break };
        for record in &batch {
            let value = record.value().map(String::from_utf8_lossy);
            println!("{}: {}", record.append_time_us(), value.as_deref().unwrap_or("(gone)"));
            count += 1;
        }
    }
    eprintln!("{count} records since {seconds} seconds ago");
    Ok(())
}

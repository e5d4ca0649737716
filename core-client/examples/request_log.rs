//! A service that writes each request it answers to a topic, and answers only once it is there:
//! `request_log [REQUESTS]`.
//!
//! `send` waits for the acknowledgement; many requests at once share batches and round trips.

use tidewire::{Acks, Client, Code, Record, TopicConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let requests = std::env::args().nth(1).map_or(Ok(100), |text| text.parse())?;
    let url = std::env::var("TIDEWIRE_URL");
    let url = url.unwrap_or_else(|_| "tidewire://127.0.0.1:8433".to_owned());
    let client = Client::connect(&url).await?;
    match client.create_topic("requests", TopicConfig::default().partitions(2)).await {
        Err(error) if error.code() != Code::TOPIC_EXISTS => return Err(error.into()),
        _ => {}
    }

    // On the disk before anybody is answered.
    let producer = client.producer("requests").acks(Acks::Synced).build().await?;
    let mut answers = Vec::new();
    for number in 0..requests {
        let producer = producer.clone();
        answers.push(tokio::spawn(async move {
            let record = Record::new(format!("GET /orders/{number}"))
                .key(format!("user-{}", number % 7))
                .header("status", "200");
            // What can be tried again was tried again: an error here is for the caller to know.
            producer.send(record).await
        }));
    }
    for answer in answers {
        answer.await??;
    }
    producer.close().await?;
    println!("{requests} requests are on the disk");
    Ok(())
}

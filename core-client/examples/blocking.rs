//! Without a runtime: `blocking STREAM/TOPIC` sends some records, then reads the topic to its end.
//!
//! Every call waits on the thread that makes it; any thread may. A second thread could end the
//! waiting with a `Canceller`.

use std::time::Duration;

use tidewire::blocking::Client;
use tidewire::{Code, Record, Start, TopicConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let topic = std::env::args().nth(1).unwrap_or_else(|| "lines".to_owned());
    let url = std::env::var("TIDEWIRE_URL");
    let url = url.unwrap_or_else(|_| "tidewire://127.0.0.1:8433".to_owned());
    let client = Client::connect(&url)?;
    match client.create_topic(&topic, TopicConfig::default()) {
        Err(error) if error.code() != Code::TOPIC_EXISTS => return Err(error.into()),
        _ => {}
    }

    let producer = client.producer(&topic).build()?;
    let receipt = producer.send(Record::new("waits for its acknowledgement"))?;
    println!("partition {} offset {}", receipt.partition, receipt.offset);
    for number in 0..1_000 {
        producer.enqueue(Record::new(format!("does not wait {number}")))?;
    }
    // What is not on the disk by then is reported, by partition.
    producer.close(Some(Duration::from_secs(30)))?;

    let consumer = client.consumer(&topic).start(Start::Earliest).build()?;
    let mut count = 0;
    while let Some(batch) = consumer.poll(Some(Duration::from_millis(500)))? {
        count += batch.len();
    }
    println!("{count} records");
    Ok(())
}

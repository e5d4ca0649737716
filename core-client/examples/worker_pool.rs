//! Several workers that divide a topic's partitions: `worker_pool STREAM/TOPIC [WORKERS]`. It ends
//! when it has read what was there.
//!
//! Each worker reads its own partitions in order and at its own pace, on one connection.

use tidewire::{Client, Consumer, Error, Start};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let topic = std::env::args().nth(1).unwrap_or_else(|| "lines".to_owned());
    let workers: u32 = std::env::args().nth(2).map_or(Ok(2), |text| text.parse())?;
    let url = std::env::var("TIDEWIRE_URL");
    let url = url.unwrap_or_else(|_| "tidewire://127.0.0.1:8433".to_owned());
    let client = Client::connect(&url).await?;
    let count = client.describe_topic(&topic).await?.partitions;

    let mut running = Vec::new();
    for worker in 0..workers.clamp(1, count) {
        let partitions = (0..count).filter(|partition| partition % workers == worker);
        let consumer = client.consumer(&topic).partitions(partitions).start(Start::Earliest);
        let consumer = consumer.build().await?;
        running.push(tokio::spawn(work(worker, consumer)));
    }
    let mut total = 0;
    for worker in running {
        total += worker.await??;
    }
    println!("{total} records");
    Ok(())
}

async fn work(worker: u32, mut consumer: Consumer) -> Result<usize, Error> {
    let mut count = 0;
    while consumer.lag() > 0 {
        let Some(batch) = consumer.next_batch().await? else { break };
        for record in &batch {
            // The work would be here.
            count += usize::from(record.value().is_some());
        }
    }
    println!("worker {worker}: {count} records");
    consumer.close().await;
    Ok(count)
}

//! A worker of a group: `group STREAM/TOPIC GROUP`. Start as many as you like, wherever you like:
//! they divide the partitions, and when one dies the others go on where it had committed.
//!
//! At least once: a batch is committed when its work is done. Return makes it leave, and then its
//! partitions go to the others at once.

use tidewire::{Client, Event, Start};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let topic = std::env::args().nth(1).unwrap_or_else(|| "lines".to_owned());
    let group = std::env::args().nth(2).unwrap_or_else(|| "workers".to_owned());
    let url = std::env::var("TIDEWIRE_URL");
    let url = url.unwrap_or_else(|_| "tidewire://127.0.0.1:8433".to_owned());
    let client = Client::connect(&url).await?;

    let mut events = client.events();
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                Event::PartitionsAssigned { partitions, .. } => eprintln!("got {partitions:?}"),
                Event::PartitionsRevoked { partitions, .. } => eprintln!("gave {partitions:?}"),
                _ => {}
            }
        }
    });
    let consumer = client.consumer(&topic).group(&group).start(Start::Earliest);
    let mut consumer = consumer.build().await?;
    let control = consumer.control();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        control.close();
    });
    while let Some(batch) = consumer.next_batch().await? {
        // The work would be here.
        println!("partition {}: {} records", batch.partition(), batch.len());
        consumer.commit_batch(&batch).await?;
    }
    consumer.close().await;
    Ok(())
}

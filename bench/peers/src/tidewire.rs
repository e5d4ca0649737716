//! Tidewire, by its own client. A topic of one partition for each client.

use std::time::Instant;

use tidewire::{Acks, Client, Code, Producer, Record, RecordRef, Start, TopicConfig};

use crate::{Done, Load, Result, Sender, TOPIC, all, one_by_one};

async fn connect(load: &Load) -> Result<Client> {
    Ok(Client::connect(&load.address).await?)
}

fn acks(load: &Load) -> Acks {
    if load.synced { Acks::Synced } else { Acks::Written }
}

async fn topic(load: &Load) -> Result<Client> {
    let client = connect(load).await?;
    match client.delete_topic(TOPIC).await {
        Err(error) if error.code() != Code::TOPIC_NOT_FOUND => return Err(error.into()),
        _ => {}
    }
    let config = TopicConfig::default().partitions(load.clients as u32);
    client.create_topic(TOPIC, config).await?;
    Ok(client)
}

pub async fn produce(load: &Load) -> Result<Done> {
    topic(load).await?;
    let mut producers = Vec::new();
    for _ in 0..load.clients {
        let client = connect(load).await?;
        let producer =
            client.producer(TOPIC).acks(acks(load)).batch_bytes(1 << 20).batch_records(1000);
        producers.push(producer.build().await?);
    }
    let begun = Instant::now();
    all(load, |client| {
        let (producer, load) = (producers[client].clone(), load.clone());
        async move {
            let value = load.value();
            let records = [RecordRef { value: Some(&value), ..RecordRef::at(1) }; 100];
            let mut left = load.share();
            while left > 0 {
                let some = &records[..left.min(records.len())];
                let (tickets, refused) = producer.enqueue_many(some, Some(client as u32));
                left -= tickets.len();
                match refused {
                    Some(error) if error.code() == Code::QUEUE_FULL => producer.ready().await?,
                    Some(error) => return Err(error.into()),
                    None => {}
                }
            }
            producer.flush().await?;
            Ok(())
        }
    })
    .await?;
    Ok(Done::since(begun))
}

pub async fn consume(load: &Load) -> Result<Done> {
    let client = connect(load).await?;
    let begun = Instant::now();
    let mut consumer = client.consumer(TOPIC).start(Start::Earliest).build().await?;
    let (mut seen, mut bytes) = (0, 0);
    while seen < load.count {
        let batch = consumer.next_batch().await?.ok_or("the records end early")?;
        bytes +=
            batch.iter().map(|record| record.value().map_or(0, <[u8]>::len)).sum::<usize>();
        seen += batch.len();
    }
    let done = Done::since(begun);
    assert_eq!(bytes, seen * load.size);
    Ok(done)
}

struct One(Producer, Vec<u8>);

impl Sender for One {
    async fn send(&mut self) -> Result<()> {
        self.0.send(Record::new(self.1.clone())).await?;
        Ok(())
    }
}

pub async fn send(load: &Load) -> Result<Done> {
    topic(load).await?;
    one_by_one(load, async || {
        let producer = connect(load).await?.producer(TOPIC).acks(acks(load)).build().await?;
        Ok(One(producer, load.value()))
    })
    .await
}

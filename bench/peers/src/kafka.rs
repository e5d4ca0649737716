//! Kafka, by rdkafka (librdkafka below). A topic of one partition for each client; idempotence on,
//! as here, with what librdkafka has to be told for throughput.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::producer::{
    BaseRecord, DefaultProducerContext, FutureProducer, FutureRecord, Producer as _,
    ThreadedProducer,
};
use rdkafka::{Offset, TopicPartitionList};

use crate::{Done, Load, Result, Sender, TOPIC, one_by_one};

const PATIENCE: Duration = Duration::from_secs(60);

fn config(load: &Load) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &load.address);
    config
}

/// A name of its own for each count of clients and size: Kafka deletes topics when it likes.
fn topic_name(load: &Load) -> String {
    format!("{TOPIC}-{}-{}", load.clients, load.size)
}

async fn topic(load: &Load) -> Result<String> {
    let admin: AdminClient<DefaultClientContext> = config(load).create()?;
    let (name, options) = (topic_name(load), AdminOptions::new());
    let _ = admin.delete_topics(&[&name], &options).await?;
    let topic = NewTopic::new(&name, load.clients as i32, TopicReplication::Fixed(1));
    for _ in 0..200 {
        match admin.create_topics([&topic], &options).await?.pop() {
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Some(Ok(_)) => return Ok(name),
            other => return Err(format!("creating {name}: {other:?}").into()),
        }
    }
    Err(format!("{name} does not go away").into())
}

fn producing(load: &Load) -> ClientConfig {
    let mut config = config(load);
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("batch.size", "1048576")
        .set("batch.num.messages", "1000")
        .set("queue.buffering.max.messages", "100000");
    config
}

pub async fn produce(load: &Load) -> Result<Done> {
    let name = topic(load).await?;
    let mut producers = Vec::new();
    for _ in 0..load.clients {
        let producer: ThreadedProducer<DefaultProducerContext> =
            producing(load).set("linger.ms", "5").create()?;
        producer.client().fetch_metadata(Some(&name), PATIENCE)?;
        producers.push(producer);
    }
    let begun = Instant::now();
    // librdkafka's calls block.
    let threads: Vec<_> = producers
        .into_iter()
        .enumerate()
        .map(|(client, producer)| {
            let (name, load) = (name.clone(), load.clone());
            std::thread::spawn(move || produce_share(&producer, &name, client, &load))
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a producer panicked")??;
    }
    Ok(Done::since(begun))
}

fn produce_share(
    producer: &ThreadedProducer<DefaultProducerContext>,
    name: &str,
    client: usize,
    load: &Load,
) -> Result<()> {
    let value = load.value();
    for _ in 0..load.share() {
        let record: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(name).partition(client as i32).payload(&value);
        let mut unsent = producer.send(record);
        while let Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), record)) =
            unsent
        {
            std::thread::sleep(Duration::from_micros(200));
            unsent = producer.send(record);
        }
        unsent.map_err(|(error, _)| error)?;
    }
    producer.flush(PATIENCE)?;
    Ok(())
}

pub async fn consume(load: &Load) -> Result<Done> {
    let (name, load) = (topic_name(load), load.clone());
    tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        let consumer: BaseConsumer = config(&load)
            .set("group.id", "bench")
            .set("enable.auto.commit", "false")
            .create()?;
        let mut places = TopicPartitionList::new();
        for partition in 0..load.clients as i32 {
            places.add_partition_offset(&name, partition, Offset::Beginning)?;
        }
        consumer.assign(&places)?;
        let (mut seen, mut bytes) = (0, 0);
        while seen < load.count {
            let message = consumer.poll(PATIENCE).ok_or("nothing more comes")??;
            bytes += message.payload().map_or(0, <[u8]>::len);
            seen += 1;
        }
        let done = Done::since(begun);
        assert_eq!(bytes, seen * load.size);
        Ok(done)
    })
    .await?
}

struct One {
    producer: FutureProducer,
    topic: Arc<str>,
    value: Vec<u8>,
}

impl Sender for One {
    async fn send(&mut self) -> Result<()> {
        let record: FutureRecord<'_, [u8], [u8]> =
            FutureRecord::to(&self.topic).payload(&self.value);
        self.producer.send(record, PATIENCE).await.map_err(|(error, _)| error)?;
        Ok(())
    }
}

pub async fn send(load: &Load) -> Result<Done> {
    let name: Arc<str> = topic(load).await?.into();
    one_by_one(load, async || {
        let producer: FutureProducer = producing(load).set("linger.ms", "0").create()?;
        Ok(One { producer, topic: Arc::clone(&name), value: load.value() })
    })
    .await
}

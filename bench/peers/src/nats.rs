//! NATS JetStream, by async-nats. A stream in files, a subject for each client.

use std::collections::VecDeque;
use std::time::Instant;

use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::stream::{Config, StorageType};
use async_nats::jetstream::{self, Context};
use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::{Done, Load, Result, Sender, TOPIC, WINDOW, all, one_by_one};

async fn connect(load: &Load) -> Result<Context> {
    let client = async_nats::connect(&load.address).await?;
    Ok(jetstream::context::ContextBuilder::new().max_ack_inflight(WINDOW + 1).build(client))
}

async fn stream(load: &Load) -> Result<()> {
    let context = connect(load).await?;
    // It may not be there.
    let _ = context.delete_stream(TOPIC).await;
    let config = Config {
        name: TOPIC.to_owned(),
        subjects: vec![format!("{TOPIC}.*")],
        storage: StorageType::File,
        ..Config::default()
    };
    context.create_stream(config).await?;
    Ok(())
}

pub async fn produce(load: &Load) -> Result<Done> {
    stream(load).await?;
    let mut contexts = Vec::new();
    for _ in 0..load.clients {
        contexts.push(connect(load).await?);
    }
    let begun = Instant::now();
    all(load, |client| {
        let (context, load) = (contexts[client].clone(), load.clone());
        async move {
            let (subject, value) = (format!("{TOPIC}.{client}"), Bytes::from(load.value()));
            let mut waiting = VecDeque::new();
            for _ in 0..load.share() {
                if waiting.len() == WINDOW {
                    let first: jetstream::context::PublishAckFuture =
                        waiting.pop_front().ok_or("nothing waits")?;
                    first.await?;
                }
                waiting.push_back(context.publish(subject.clone(), value.clone()).await?);
            }
            for last in waiting {
                last.await?;
            }
            Ok(())
        }
    })
    .await?;
    Ok(Done::since(begun))
}

pub async fn consume(load: &Load) -> Result<Done> {
    let context = connect(load).await?;
    let begun = Instant::now();
    let stream = context.get_stream(TOPIC).await?;
    let consumer = stream.create_consumer(OrderedConfig::default()).await?;
    let mut messages = consumer.messages().await?;
    let (mut seen, mut bytes) = (0, 0);
    while seen < load.count {
        let message = messages.next().await.ok_or("the messages end early")??;
        bytes += message.payload.len();
        seen += 1;
    }
    let done = Done::since(begun);
    assert_eq!(bytes, seen * load.size);
    Ok(done)
}

struct One(Context, Vec<u8>);

impl Sender for One {
    async fn send(&mut self) -> Result<()> {
        let value = self.1.clone();
        self.0.publish(format!("{TOPIC}.0"), value.into()).await?.await?;
        Ok(())
    }
}

pub async fn send(load: &Load) -> Result<Done> {
    stream(load).await?;
    one_by_one(load, async || Ok(One(connect(load).await?, load.value()))).await
}

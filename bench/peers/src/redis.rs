//! Redis Streams, by redis-rs. A stream for each client; a pipeline carries a thousand entries.

use std::time::Instant;

use redis::aio::MultiplexedConnection;
use redis::streams::{StreamRangeReply, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands as _, Client};

use crate::{Done, Load, Result, Sender, TOPIC, all, one_by_one};

/// Entries in a pipeline, and most in a read.
const BATCH: usize = 1000;
/// Pipelines of a client that may be under way.
const PIPELINES: usize = 4;

async fn connect(load: &Load) -> Result<MultiplexedConnection> {
    Ok(Client::open(load.address.as_str())?.get_multiplexed_async_connection().await?)
}

fn key(client: usize) -> String {
    format!("{TOPIC}{client}")
}

async fn clear(load: &Load) -> Result<()> {
    let () = redis::cmd("FLUSHALL").query_async(&mut connect(load).await?).await?;
    Ok(())
}

pub async fn produce(load: &Load) -> Result<Done> {
    clear(load).await?;
    let mut connections = Vec::new();
    for _ in 0..load.clients {
        connections.push(connect(load).await?);
    }
    let begun = Instant::now();
    all(load, |client| {
        let (connection, load) = (connections[client].clone(), load.clone());
        async move {
            let (key, value) = (key(client), load.value());
            let mut left = load.share();
            let mut under_way = tokio::task::JoinSet::new();
            while left > 0 {
                let mut pipeline = redis::pipe();
                for _ in 0..left.min(BATCH) {
                    pipeline.cmd("XADD").arg(&key).arg("*").arg("v").arg(&value).ignore();
                }
                left -= left.min(BATCH);
                if under_way.len() == PIPELINES {
                    let ended: redis::RedisResult<()> =
                        under_way.join_next().await.ok_or("nothing is under way")??;
                    ended?;
                }
                let mut connection = connection.clone();
                under_way.spawn(async move { pipeline.query_async(&mut connection).await });
            }
            while let Some(ended) = under_way.join_next().await {
                ended??;
            }
            Ok(())
        }
    })
    .await?;
    Ok(Done::since(begun))
}

pub async fn consume(load: &Load) -> Result<Done> {
    let mut connection = connect(load).await?;
    let begun = Instant::now();
    let (mut seen, mut bytes) = (0, 0);
    let options = StreamReadOptions::default().count(BATCH);
    for client in 0..load.clients {
        let mut after = "0".to_owned();
        let key = key(client);
        let first: StreamRangeReply = connection.xrange_count(&key, "-", "+", 1).await?;
        if first.ids.is_empty() {
            return Err(format!("{key} is empty").into());
        }
        loop {
            let reply: Option<StreamReadReply> =
                connection.xread_options(&[&key], &[&after], &options).await?;
            let Some(entries) = reply.and_then(|mut reply| reply.keys.pop()) else { break };
            for entry in &entries.ids {
                bytes += entry.get::<Vec<u8>>("v").ok_or("an entry without a value")?.len();
            }
            seen += entries.ids.len();
            after = entries.ids.last().ok_or("no entries")?.id.clone();
        }
    }
    let done = Done::since(begun);
    if seen != load.count {
        return Err(format!("{seen} of {} entries", load.count).into());
    }
    assert_eq!(bytes, seen * load.size);
    Ok(done)
}

struct One(MultiplexedConnection, Vec<u8>);

impl Sender for One {
    async fn send(&mut self) -> Result<()> {
        let mut add = redis::cmd("XADD");
        let _: String =
            add.arg(TOPIC).arg("*").arg("v").arg(&self.1).query_async(&mut self.0).await?;
        Ok(())
    }
}

pub async fn send(load: &Load) -> Result<Done> {
    clear(load).await?;
    one_by_one(load, async || Ok(One(connect(load).await?, load.value()))).await
}

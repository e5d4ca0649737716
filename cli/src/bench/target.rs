//! What is measured against: a server, a topic, and their removal afterwards.
//!
//! The one invariant: what the measurement made goes with it, and nothing else does.

use tempfile::TempDir;
use tidewire::{Client, Code, Consumer, ProducerBuilder, TopicConfig};
use tidewire_protocol::name::TopicName;

use super::shape::Shape;
use crate::args::bench::CommonArgs;
use crate::child::ServerProcess;
use crate::client;
use crate::failure::Failure;

/// The stream of topics that a measurement makes for itself.
const STREAM: &str = "bench";

/// What is measured against.
pub struct Bench {
    url: String,
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: u32,
    /// The topic is this measurement's, and goes at the end.
    owns_topic: bool,
    /// So does the stream.
    owns_stream: bool,
    own: Option<(ServerProcess, TempDir)>,
    /// A connection for administration.
    pub client: Client,
    /// What the records look like.
    pub shape: Shape,
    /// The flags of all measurements.
    pub common: CommonArgs,
}

impl Bench {
    /// Starts a server unless one is named, and creates the topic unless it exists.
    pub async fn prepare(common: &CommonArgs) -> Result<Self, Failure> {
        let shape = Shape::new(common.size, common.keys)?;
        let (url, own) = match &common.url {
            Some(url) => (url.clone(), None),
            None => {
                let directory = tempfile::Builder::new()
                    .prefix("tidewire-bench-")
                    .tempdir()
                    .map_err(|error| Failure::io("creating a temporary directory", &error))?;
                let server = ServerProcess::start(directory.path()).await?;
                (server.url().to_owned(), Some((server, directory)))
            }
        };
        let client = client::connect(&url).await?;
        let topic = common
            .topic
            .clone()
            .unwrap_or_else(|| format!("{STREAM}/records-{}", std::process::id()));
        let stream = TopicName::parse(&topic).map_err(tidewire::Error::from)?;
        let owns_stream = match client.create_stream(stream.stream()).await {
            Ok(_) => !common.keep,
            Err(error) if error.code() == Code::STREAM_EXISTS => false,
            Err(error) => return Err(error.into()),
        };
        let config = TopicConfig::default().partitions(common.partitions);
        let (partitions, owns_topic) = match client.create_topic(&topic, config).await {
            Ok(info) => (info.partitions, !common.keep),
            Err(error) if error.code() == Code::TOPIC_EXISTS => {
                (client.describe_topic(&topic).await?.partitions, false)
            }
            Err(error) => return Err(error.into()),
        };
        let common = common.clone();
        Ok(Self { url, topic, partitions, owns_topic, owns_stream, own, client, shape, common })
    }

    /// A client with a connection of its own.
    pub async fn connect(&self) -> Result<Client, Failure> {
        client::connect(&self.url).await
    }

    /// A producer as the arguments describe it.
    pub fn producer(&self, client: &Client) -> ProducerBuilder {
        let mut builder = client.producer(&self.topic).acks(self.common.acks);
        if let Some(batch_bytes) = self.common.batch_bytes {
            builder = builder.batch_bytes(batch_bytes);
        }
        if let Some(batch_records) = self.common.batch_records {
            builder = builder.batch_records(batch_records);
        }
        if let Some(linger_ms) = self.common.linger_ms {
            builder = builder.linger_ms(linger_ms);
        }
        if let Some(codec) = self.common.codec {
            builder = builder.codec(codec);
        }
        builder
    }

    /// What consumer `number` of `of` reads: every partition whose number divided by `of` leaves
    /// it, from `starts`.
    pub fn share(&self, starts: &[(u32, u64)], number: u32, of: u32) -> Share {
        let mine = starts.iter().copied().filter(|(partition, _)| partition % of == number);
        Share { topic: self.topic.clone(), starts: mine.collect() }
    }

    /// Fails unless every consumer can have a partition.
    pub fn check_consumers(&self, consumers: u32) -> Result<(), Failure> {
        if consumers > self.partitions {
            return Err(Failure::usage(format!(
                "{consumers} consumers share {} partitions of {}: at most one each",
                self.partitions, self.topic
            )));
        }
        Ok(())
    }

    /// Where every partition ends now.
    pub async fn ends(&self) -> Result<Vec<(u32, u64)>, Failure> {
        let partitions = self.client.partitions(&self.topic).await?;
        Ok(partitions.iter().map(|p| (p.partition, p.end_offset)).collect())
    }

    /// Removes what was made for the measurement.
    pub async fn clear(self) -> Result<(), Failure> {
        if let Some((server, directory)) = self.own {
            // A connection that is there when the server stops would be told of as lost.
            let _ = self.client.close().await;
            server.stop().await?;
            return directory
                .close()
                .map_err(|error| Failure::io("removing the temporary directory", &error));
        }
        if self.owns_topic {
            self.client.delete_topic(&self.topic).await?;
        }
        if self.owns_stream
            && let Ok(name) = TopicName::parse(&self.topic)
        {
            // Someone else may use it by now.
            let _ = self.client.delete_stream(name.stream(), false).await;
        }
        Ok(())
    }
}

/// Partitions of one consumer, and where it begins.
pub struct Share {
    topic: String,
    starts: Vec<(u32, u64)>,
}

impl Share {
    /// A consumer of them.
    pub async fn consumer(&self, client: &Client) -> Result<Consumer, Failure> {
        let partitions = self.starts.iter().map(|(partition, _)| *partition);
        let mut builder = client.consumer(&self.topic).partitions(partitions);
        for (partition, offset) in &self.starts {
            builder = builder.start_at(*partition, *offset);
        }
        Ok(builder.build().await?)
    }
}

//! The client: one connection, and everything that is made from it.
//!
//! Owns the handle that the application holds; producing, consuming and administration stand in
//! their own modules. The one invariant: all handles of one client share one connection, which
//! closes when the last of them (clients, producers, consumers) is gone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tidewire_protocol::message::Ping;
use tidewire_protocol::name::TopicName;

use crate::builder::ClientBuilder;
use crate::connection::Connection;
use crate::consumer::ConsumerBuilder;
use crate::error::Error;
use crate::options::Settings;
use crate::producer::ProducerBuilder;

/// A connection to a Tidewire server. Cheap to clone; clones share the connection.
///
/// Any number of tasks may use it at once: their requests travel pipelined on one connection.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) connection: Arc<Connection>,
    pub(crate) settings: Arc<Settings>,
}

/// What a server said of itself when the connection was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The address at which it was reached, `host:port`.
    pub address: String,
    /// A number that stays with its data.
    pub id: u64,
    /// What it takes.
    pub limits: ServerLimits,
}

/// A server's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerLimits {
    /// Largest frame, in bytes.
    pub max_frame_len: u32,
    /// Largest batch, in bytes.
    pub max_batch_len: u32,
    /// Most records in a batch.
    pub max_batch_records: u32,
    /// Most unanswered requests.
    pub max_in_flight: u32,
    /// Most open producers and subscribed partitions on one connection.
    pub max_channels: u32,
}

impl Client {
    /// Connects to the first server of `url` that can be reached.
    ///
    /// A URL looks like `tidewire://host:8433,host2:8433/?option=value`. An option that it does
    /// not set is taken from the environment: `TIDEWIRE_` and its name in capitals.
    ///
    /// # Errors
    /// `INVALID_URL` or `INVALID_OPTION`; else why the server could not be used, naming its
    /// address, and with several servers each of them.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::builder().url(url).connect().await
    }

    /// Connects with options given in code.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// What the server said of itself.
    pub fn server(&self) -> ServerInfo {
        let hello = self.connection.hello();
        ServerInfo {
            name: hello.server_name.clone(),
            version: hello.server_version.clone(),
            address: self.connection.address().to_string(),
            id: hello.server_id,
            limits: ServerLimits {
                max_frame_len: hello.max_frame_len,
                max_batch_len: hello.max_batch_len,
                max_batch_records: hello.max_batch_records,
                max_in_flight: hello.max_in_flight,
                max_channels: hello.max_channels,
            },
        }
    }

    /// Asks the server for a sign of life; the time that it took.
    pub async fn ping(&self) -> Result<Duration, Error> {
        let begun = Instant::now();
        self.connection.request(0, &Ping {}).await?;
        Ok(begun.elapsed())
    }

    /// A producer for a topic, `stream/topic`.
    pub fn producer(&self, topic: &str) -> ProducerBuilder {
        ProducerBuilder::new(self.clone(), topic)
    }

    /// A consumer of a topic, `stream/topic`.
    pub fn consumer(&self, topic: &str) -> ConsumerBuilder {
        ConsumerBuilder::new(self.clone(), topic)
    }

    /// Closes the connection, for every clone of this client and for all that was made from
    /// them. Requests that wait for a reply fail; close producers first to have their records
    /// acknowledged.
    pub async fn close(&self) -> Result<(), Error> {
        self.connection.close().await;
        Ok(())
    }
}

/// Reads `stream/topic`.
pub(crate) fn topic_name(topic: &str) -> Result<TopicName, Error> {
    Ok(TopicName::parse(topic)?)
}

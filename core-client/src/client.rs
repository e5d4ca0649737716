//! The client: one connection at a time, and everything that is made from it.
//!
//! Owns the handle that the application holds; producing, consuming and administration stand in
//! their own modules, and what happens when the connection is lost in the [`link`](crate::link).
//! The one invariant: all handles of one client share one connection, which closes when the last
//! of them (clients, producers, consumers) is gone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tidewire_protocol::limits;
use tidewire_protocol::message::{HelloReply, Ping};
use tidewire_protocol::name::TopicName;

use crate::builder::ClientBuilder;
use crate::connection::Connection;
use crate::consumer::ConsumerBuilder;
use crate::error::Error;
use crate::events::Events;
use crate::link::{Link, Status};
use crate::options::Settings;
use crate::producer::ProducerBuilder;

/// A connection to a Tidewire server. Cheap to clone; clones share the connection.
///
/// Any number of tasks may use it at once: their requests travel pipelined on one connection.
///
/// When the connection is lost, the client makes another to one of its servers, for as long as
/// it takes, and what was made from it goes on: producers send again what was not acknowledged,
/// consumers go on at the record that is due, and requests wait, each within its own time. A
/// request that may change something is never made twice; if its connection is lost before the
/// reply, it fails with its outcome unknown. [`Client::events`] tells what happens meanwhile.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) link: Arc<Link>,
    /// What the server of the last connection said of itself.
    last: Arc<Mutex<ServerInfo>>,
    pub(crate) settings: Arc<Settings>,
}

/// What a server said of itself when the connection was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

impl ServerInfo {
    fn of(connection: &Connection) -> Self {
        Self::stated(connection.hello(), connection.address().to_string())
    }

    fn stated(hello: &HelloReply, address: String) -> Self {
        Self {
            name: hello.server_name.clone(),
            version: hello.server_version.clone(),
            address,
            id: hello.server_id,
            limits: ServerLimits {
                // SPEC P-5, L-1: whatever it states, nothing above the protocol's own limits.
                max_frame_len: hello
                    .max_frame_len
                    .clamp(limits::MAX_HANDSHAKE_FRAME_LEN, limits::MAX_FRAME_LEN),
                max_batch_len: hello.max_batch_len.min(limits::MAX_BATCH_LEN),
                max_batch_records: hello.max_batch_records.min(limits::MAX_BATCH_RECORDS),
                max_in_flight: hello.max_in_flight.clamp(1, limits::MAX_IN_FLIGHT),
                max_channels: hello.max_channels.min(limits::MAX_CHANNELS),
            },
        }
    }
}

impl Client {
    /// Connects to the first server of `url` that can be reached.
    ///
    /// A URL looks like `tidewire://host:8433,host2:8433/?option=value`. An option that it does
    /// not set is taken from the environment: `TIDEWIRE_` and its name in capitals. One that is
    /// unknown, or stands twice, is an error.
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

    pub(crate) fn new(link: Arc<Link>, settings: Settings) -> Self {
        let last = match &*link.status().borrow() {
            Status::Up(connection) => ServerInfo::of(connection),
            Status::Down(_) | Status::Over(_) => ServerInfo::default(),
        };
        Self { link, last: Arc::new(Mutex::new(last)), settings: Arc::new(settings) }
    }

    /// What the server said of itself; without a connection, what the last one said that was
    /// asked for here.
    pub fn server(&self) -> ServerInfo {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Status::Up(connection) = &*self.link.status().borrow() {
            *last = ServerInfo::of(connection);
        }
        last.clone()
    }

    /// What happens to the connection from now on. An application need not watch it.
    pub fn events(&self) -> Events {
        self.link.events().subscribe()
    }

    /// Asks the server for a sign of life; the time that it took. Without a connection it waits
    /// for one.
    ///
    /// # Errors
    /// `DISCONNECTED` if there was no connection in time, or it was lost before the reply.
    pub async fn ping(&self) -> Result<Duration, Error> {
        let begun = Instant::now();
        self.link.request(&Ping {}).await?;
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
        self.link.close().await;
        Ok(())
    }
}

/// Reads `stream/topic`.
pub(crate) fn topic_name(topic: &str) -> Result<TopicName, Error> {
    Ok(TopicName::parse(topic)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SPEC P-5, L-1
    #[test]
    fn limits_that_a_server_states_are_held_to_the_protocols() {
        let hello = HelloReply {
            max_frame_len: u32::MAX,
            max_batch_len: u32::MAX,
            max_batch_records: u32::MAX,
            max_in_flight: 0,
            max_channels: u32::MAX,
            server_name: String::new(),
            server_version: String::new(),
            server_id: 1,
            capabilities: 0,
            codecs: 0,
            auth: 0,
            nonce: Vec::new(),
            heartbeat_ms: 1,
            kinds: Vec::new(),
        };
        let stated = ServerInfo::stated(&hello, "a:1".to_owned()).limits;
        let expected = ServerLimits {
            max_frame_len: limits::MAX_FRAME_LEN,
            max_batch_len: limits::MAX_BATCH_LEN,
            max_batch_records: limits::MAX_BATCH_RECORDS,
            max_in_flight: 1,
            max_channels: limits::MAX_CHANNELS,
        };
        assert_eq!(stated, expected);
    }
}

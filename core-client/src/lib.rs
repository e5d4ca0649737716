//! The Tidewire client for Rust.
//!
//! * [`Client`] is a connection to a server; it creates streams and topics and makes the rest.
//! * [`Producer`] gathers records into batches and sends them pipelined: `enqueue` never waits,
//!   `send` waits for the acknowledgement.
//! * [`Consumer`] is sent what arrives; it returns whole batches, whose records are views. As a
//!   member of a group it divides the partitions with others, and stores how far it is.
//!
//! ```no_run
//! use tidewire::{Client, Record, Start, TopicConfig};
//!
//! # async fn example() -> Result<(), tidewire::Error> {
//! let client = Client::connect("tidewire://127.0.0.1:8433").await?;
//! client.create_topic("orders", TopicConfig::default().partitions(4)).await?;
//!
//! let producer = client.producer("orders").build().await?;
//! let receipt = producer.send(Record::new("hello").key("k")).await?;
//! println!("partition {} offset {}", receipt.partition, receipt.offset);
//!
//! let consumer = client.consumer("orders").group("billing").start(Start::Earliest);
//! let mut consumer = consumer.build().await?;
//! while let Some(batch) = consumer.next_batch().await? {
//!     for record in &batch {
//!         println!("{} {:?}", record.offset(), record.value());
//!     }
//!     consumer.commit().await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A lost connection is made again, and what was made from the client goes on: see [`Client`],
//! [`Producer::enqueue`] for what the outcomes of a record mean, and [`Consumer`].
//!
//! Everything runs on the tokio runtime that `connect` was called on: two tasks for a client (one
//! moves the bytes of the connection, one waits to replace it), one for each producer and
//! consumer. They sleep while nothing happens, and end when the handles that they serve are
//! dropped; a producer's once everything has its outcome.
//!
//! Without a runtime, and for clients in other languages, there is [`blocking`]; what would else
//! cost a wake-up for each record comes through a [`CompletionQueue`].
// But for counting forks and masking signals, which the standard library cannot.
#![deny(unsafe_code)]

mod admin;
pub mod blocking;
mod builder;
mod client;
mod completion;
mod connection;
mod consumer;
mod delivery;
mod encryption;
mod error;
mod events;
#[doc(hidden)]
pub mod foreign;
mod groups;
mod link;
mod login;
mod options;
mod producer;
mod record;
mod runtime;
mod stream;
mod tls;
mod users;

pub use admin::{FetchOptions, Fetched, TopicConfig};
pub use builder::ClientBuilder;
pub use client::{Client, ServerInfo, ServerLimits};
pub use completion::{CompletionQueue, Settled};
pub use consumer::batch::{Batch, Iter, OwnedRecord, RecordView};
pub use consumer::control::ConsumerControl;
pub use consumer::place::{ConsumerStats, PartitionRef, Position, TopicPartition};
pub use consumer::start::{AutoCommit, OnOutOfRange, Start};
pub use consumer::{Consumer, ConsumerBuilder};
pub use delivery::{Delivery, DeliveryQueue};
pub use encryption::new_encryption_key;
pub use error::{Code, Disposition, Error, ErrorKind};
pub use events::{Event, Events};
pub use groups::{CommittedOffset, GroupDescription};
pub use producer::stats::{CloseError, ProducerStats, Unsent};
pub use producer::ticket::{Receipt, Ticket};
pub use producer::tickets::Tickets;
pub use producer::{EnqueueError, Producer, ProducerBuilder, QueueFull};
pub use record::Record;
pub use stream::{BatchStream, RecordStream};
pub use tidewire_protocol::auth::Secret;
pub use tidewire_protocol::batch::{EncryptionKey, Headers, RecordRef};
pub use tidewire_protocol::message::{
    Acks, Codec, GroupInfo, GroupMember, GroupPartition, GroupState, LimitInfo, PartitionInfo,
    ProducerInfo, StreamInfo, TokenInfo, TopicInfo, UserInfo,
};
pub use tidewire_protocol::name::TopicName;
pub use users::{Grant, NewToken, UserDescription};

/// The README's example is compiled with the crate's own.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// So are those of the crate's own README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct CrateReadme;

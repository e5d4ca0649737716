//! The client for programs without an asynchronous runtime.
//!
//! The names are those of the asynchronous client; every call waits on the thread that makes it,
//! and any thread may. [`Client`] connects, [`Producer`] and [`Consumer`] are made from it. They share one
//! [`Runtime`] of few threads in the process.
//!
//! ```no_run
//! use std::time::Duration;
//! use tidewire::blocking::Client;
//! use tidewire::{Record, Start, TopicConfig};
//!
//! let client = Client::connect("tidewire://127.0.0.1:8433")?;
//! client.create_topic("orders", TopicConfig::default().partitions(4))?;
//!
//! let producer = client.producer("orders").build()?;
//! let receipt = producer.send(Record::new("hello").key("k"))?;
//! println!("partition {} offset {}", receipt.partition, receipt.offset);
//! producer.close(Some(Duration::from_secs(10)))?;
//!
//! let consumer = client.consumer("orders").start(Start::Earliest).build()?;
//! for batch in consumer.batches() {
//!     for record in &batch? {
//!         println!("{} {:?}", record.offset(), record.value());
//!     }
//! }
//! # Ok::<(), tidewire::Error>(())
//! ```
//!
//! Besides the errors of the asynchronous client every call may fail with
//!
//! * `WOULD_BLOCK` on a thread of an asynchronous runtime (tokio's, also within its
//!   `spawn_blocking`, and this client's own), instead of blocking it;
//! * `INTERRUPTED` within [`Canceller::run`];
//! * `FORKED` in the child of a fork, for handles that the parent made. The child connects anew.
//!   Handles of the parent that are dropped in the child tell the server nothing.

mod admin;
mod client;
mod consumer;
mod control;
mod producer;

pub use crate::runtime::Runtime;
pub use crate::runtime::canceller::Canceller;
pub use client::{Client, ClientBuilder};
pub use consumer::{Batches, Consumer, ConsumerBuilder, Records};
pub use producer::{Producer, ProducerBuilder, Ticket, Tickets};

/// Options of a builder, handed on to the asynchronous one.
macro_rules! options {
    ($inner:ident: $($name:ident($type:ty)),* $(,)?) => {
        $(
            #[doc = concat!(
                "See [`", stringify!($inner), "::", stringify!($name), "`](crate::",
                stringify!($inner), "::", stringify!($name), ")."
            )]
            pub fn $name(mut self, $name: $type) -> Self {
                self.inner = self.inner.$name($name);
                self
            }
        )*
    };
}
pub(crate) use control::control;
pub(crate) use options;

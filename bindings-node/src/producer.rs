//! Producing: chunks of packed records in, outcomes through the hub.
//!
//! Owns the handle. The one invariant: of a chunk that is taken only in part, exactly the first
//! records are taken, and JavaScript is told how many.

use std::sync::Arc;

use napi_derive::napi;
use tidewire::foreign::{now_us, push_chunk};
use tidewire::{Error, Producer};

use crate::client::NativeClient;
use crate::failure::Failure;
use crate::hub::{Hub, Shared};
use crate::info::ProducerStats;
use crate::options::Options;

/// A producer of the core's.
#[napi]
pub struct NativeProducer {
    producer: tidewire::blocking::Producer,
    hub: Arc<Shared>,
    failure: Option<Failure>,
}

#[napi]
impl NativeClient {
    /// Opens a producer, whose outcomes come with `id`; it comes under `number`.
    #[napi]
    pub fn producer(
        &self,
        hub: &Hub,
        number: u32,
        id: u32,
        topic: String,
        options: Vec<String>,
    ) {
        let opened = self.inner().map_err(|error| Failure::of(&error)).and_then(|client| {
            let builder =
                client.producer(&topic).completions(&hub.completions(), u64::from(id));
            Options::new(options).producer(builder)
        });
        let builder = match opened {
            Ok(builder) => builder,
            Err(failure) => return self.hub.fail(number, failure),
        };
        let opening =
            async move { tidewire::blocking::Producer::from_async(builder.build().await?) };
        let with = Arc::clone(&self.hub);
        self.hub.start(number, opening, move |producer| NativeProducer {
            producer,
            hub: with,
            failure: None,
        });
    }
}

#[napi]
impl NativeProducer {
    #[napi]
    pub fn partitions(&self) -> u32 {
        self.producer.partitions().unwrap_or(0)
    }

    /// Takes the records of `chunk` in order, and sends at once if `expedite`. Returns how many;
    /// if that is not all, [`NativeProducer::failure`] says why the next one was not.
    #[napi]
    pub fn push(&mut self, chunk: &[u8], expedite: bool) -> u32 {
        let producer = match self.producer.as_async() {
            Ok(producer) => producer,
            Err(error) => {
                self.failure = Some(Failure::of(&error));
                return 0;
            }
        };
        let mut taken = 0;
        let (_, result) = push_chunk(chunk, now_us(), |records, partition| {
            // Their outcomes come through the hub.
            let (tickets, refused) = producer.enqueue_many(records, partition);
            taken += tickets.len() as u32;
            (tickets.len(), refused)
        });
        if expedite {
            producer.expedite();
        }
        self.failure = result.err().map(|error| Failure::of(&error));
        taken
    }

    /// Why the last push took no more.
    #[napi]
    pub fn failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    fn call<F>(&self, number: u32, call: impl FnOnce(Producer) -> F)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        match self.producer.as_async() {
            Ok(producer) => self.hub.start(number, call(producer.clone()), |()| ()),
            Err(error) => self.hub.fail(number, Failure::of(&error)),
        }
    }

    /// Tells when there is room.
    #[napi]
    pub fn ready(&self, number: u32) {
        self.call(number, |producer| async move { producer.ready().await });
    }

    /// Tells when all that was pushed has its outcome.
    #[napi]
    pub fn flush(&self, number: u32) {
        self.call(number, |producer| async move { producer.flush().await });
    }

    /// Closes it; within a time, if one is given.
    #[napi]
    pub fn close(&self, number: u32, limit_ms: Option<u32>) {
        let producer = match self.producer.as_async() {
            Ok(producer) => producer.clone(),
            Err(error) => return self.hub.fail(number, Failure::of(&error)),
        };
        let closing = async move {
            Ok(match limit_ms {
                Some(ms) => {
                    let limit = std::time::Duration::from_millis(u64::from(ms));
                    producer.close_within(limit).await
                }
                None => producer.close().await,
            })
        };
        self.hub.start_fallible(number, closing, |closed| {
            closed.map_err(|error| Failure::of_close(&error))
        });
    }

    #[napi]
    pub fn stats(&self) -> Option<ProducerStats> {
        self.producer.stats().ok().map(Into::into)
    }
}

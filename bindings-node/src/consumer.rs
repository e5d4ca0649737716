//! Consuming: batches as `ArrayBuffer`s, taken when JavaScript is told that there are some.
//!
//! Owns the handle, of a consumer by itself or of a member of a group. The one invariant: what is
//! delivered stays in the core, within its credit, until JavaScript takes it.

use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{BigInt, ToNapiValue};
use napi::{Env, Unknown};
use napi_derive::napi;
use tidewire::{ConsumerControl, Delivery, DeliveryQueue, Error, TopicName};

use crate::batch;
use crate::client::NativeClient;
use crate::failure::Failure;
use crate::hub::Shared;
use crate::info::{ConsumerStats, Position, TopicPartition};
use crate::options::{self, Options};

struct Queue {
    deliveries: DeliveryQueue,
    control: ConsumerControl,
    /// Where offsets are stored; then nothing is asked of the consumer that is a group's.
    in_group: bool,
}

/// A consumer of the core's.
#[napi]
pub struct NativeConsumer {
    queue: Queue,
    hub: Arc<Shared>,
    /// Topics by the number that their batches carry.
    topics: Mutex<Vec<TopicName>>,
}

#[napi]
impl NativeClient {
    /// Subscribes; the consumer comes under `number`, and `id` is told when it has something.
    #[napi]
    #[allow(clippy::too_many_arguments, reason = "an options object would cross slower")]
    pub fn consumer(
        &self,
        number: u32,
        id: u32,
        topics: Vec<String>,
        group: Option<String>,
        name: Option<String>,
        partitions: Option<Vec<u32>>,
        start_at: Vec<(u32, BigInt)>,
        options: Vec<String>,
    ) {
        let options = Options::new(options);
        let client = match self.inner() {
            Ok(client) => client.clone(),
            Err(error) => return self.hub.fail(number, Failure::of(&error)),
        };
        let (hub, told) = (Arc::clone(&self.hub), Arc::clone(&self.hub));
        let wake = move || told.ready(id);
        let first = topics.first().map_or("", String::as_str);
        let mut builder = client.consumer(first);
        let consumer = move |queue| NativeConsumer { queue, hub, topics: Mutex::default() };
        for topic in topics.iter().skip(1) {
            builder = builder.topic(topic);
        }
        let in_group = group.is_some();
        if let Some(group) = group {
            builder = builder.group(&group);
        }
        if let Some(name) = name {
            builder = builder.name(&name);
        }
        if let Some(partitions) = partitions {
            builder = builder.partitions(partitions);
        }
        for (partition, offset) in start_at {
            builder = builder.start_at(partition, offset.get_u64().1);
        }
        let builder = match options.consumer(builder) {
            Ok(builder) => builder,
            Err(failure) => return self.hub.fail(number, failure),
        };
        let opening = async move {
            let deliveries = DeliveryQueue::new(builder.build().await?, None, wake)?;
            let control = deliveries.control()?;
            Ok(Queue { deliveries, control, in_group })
        };
        self.hub.start(number, opening, consumer);
    }
}

#[napi]
impl NativeConsumer {
    /// The next batch as an `ArrayBuffer`; null if there is none now; a failure; or true when
    /// there will be no more.
    #[napi(ts_return_type = "ArrayBuffer | Failure | boolean | null")]
    pub fn next<'env>(&self, env: &'env Env) -> napi::Result<Option<Unknown<'env>>> {
        match self.queue.deliveries.try_next() {
            Ok(None | Some(Delivery::Event(_))) => Ok(None),
            Ok(Some(Delivery::Batch(found))) => {
                let topic = self.topic_number(found.topic());
                batch::array_buffer(env, &found, topic).map(Some)
            }
            Ok(Some(Delivery::Error(error))) | Err(error) => {
                value(env, Failure::of(&error)).map(Some)
            }
            Ok(Some(_)) => value(env, true).map(Some),
        }
    }

    fn topic_number(&self, topic: &TopicName) -> u32 {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let number = topics.iter().position(|known| known == topic).unwrap_or_else(|| {
            topics.push(topic.clone());
            topics.len() - 1
        });
        number as u32
    }

    /// The topic, `stream/topic`, of batches that carry this number.
    #[napi]
    pub fn topic(&self, number: u32) -> Option<String> {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.get(number as usize).map(ToString::to_string)
    }

    fn call<T, V: ToNapiValue>(
        &self,
        call: impl FnOnce(&DeliveryQueue) -> Result<T, Error>,
        into: impl FnOnce(T) -> V,
        env: &Env,
    ) -> napi::Result<Option<Unknown<'static>>> {
        match call(&self.queue.deliveries) {
            Ok(found) => value(env, into(found)).map(Some),
            Err(error) => value(env, Failure::of(&error)).map(Some),
        }
    }

    /// True, or a failure; and so the next four.
    #[napi(ts_return_type = "Failure | boolean | null")]
    pub fn seek(
        &self,
        env: &Env,
        partition: u32,
        to: String,
    ) -> napi::Result<Option<Unknown<'static>>> {
        match options::start(&to) {
            Ok(to) => self.call(|queue| queue.seek(partition, to), |()| true, env),
            Err(failure) => value(env, failure).map(Some),
        }
    }

    #[napi(ts_return_type = "Failure | boolean | null")]
    pub fn pause(&self, env: &Env, partition: u32) -> napi::Result<Option<Unknown<'static>>> {
        self.call(|queue| queue.pause(partition), |()| true, env)
    }

    #[napi(ts_return_type = "Failure | boolean | null")]
    pub fn resume(&self, env: &Env, partition: u32) -> napi::Result<Option<Unknown<'static>>> {
        self.call(|queue| queue.resume(partition), |()| true, env)
    }

    #[napi(ts_return_type = "Failure | boolean | null")]
    pub fn add_partition(
        &self,
        env: &Env,
        partition: u32,
        start: String,
    ) -> napi::Result<Option<Unknown<'static>>> {
        match options::start(&start) {
            Ok(start) => {
                self.call(|queue| queue.add_partition(partition, start), |()| true, env)
            }
            Err(failure) => value(env, failure).map(Some),
        }
    }

    #[napi(ts_return_type = "Failure | boolean | null")]
    pub fn remove_partition(
        &self,
        env: &Env,
        partition: u32,
    ) -> napi::Result<Option<Unknown<'static>>> {
        self.call(|queue| queue.remove_partition(partition), |found| found.is_some(), env)
    }

    #[napi]
    pub fn positions(&self) -> Option<Vec<Position>> {
        Some(self.queue.control.positions().into_iter().map(Into::into).collect())
    }

    #[napi]
    pub fn stats(&self) -> Option<ConsumerStats> {
        Some(self.queue.control.stats().into())
    }

    #[napi]
    pub fn lag(&self) -> BigInt {
        self.queue.control.lag().into()
    }

    /// Of a member: what it reads.
    #[napi]
    pub fn assignment(&self) -> Option<Vec<TopicPartition>> {
        let all = || self.queue.control.assignment().into_iter().map(Into::into).collect();
        self.queue.in_group.then(all)
    }

    fn member<F>(&self, number: u32, call: impl FnOnce(ConsumerControl) -> F)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.hub.start(number, call(self.queue.control.clone()), |()| ());
    }

    /// Stores how far what was taken reaches.
    #[napi]
    pub fn commit(&self, number: u32) {
        self.member(number, |control| async move { control.commit().await });
    }

    /// As `commit`, but of one partition only up to an offset.
    #[napi]
    pub fn commit_until(&self, number: u32, topic: String, partition: u32, offset: BigInt) {
        let offset = offset.get_u64().1;
        self.member(number, move |control| async move {
            control.commit_until((topic.as_str(), partition), offset).await
        });
    }

    /// Stores the offset of the next record to read.
    #[napi]
    pub fn commit_offset(&self, number: u32, topic: String, partition: u32, offset: BigInt) {
        let offset = offset.get_u64().1;
        self.member(number, move |control| async move {
            control.commit_offset((topic.as_str(), partition), offset).await
        });
    }

    /// Whether nothing will come any more, unless it is moved.
    #[napi]
    pub fn is_closed(&self) -> bool {
        self.queue.deliveries.is_closed()
    }

    /// Ends it: it unsubscribes, and a member stores what it is to, and leaves. `number` is told
    /// when the server has answered.
    #[napi]
    pub fn close(&self, number: u32) {
        let _ = self.queue.deliveries.close();
        self.member(number, |control| async move {
            control.closed().await;
            Ok(())
        });
    }
}

fn value<'env, V: ToNapiValue>(env: &Env, value: V) -> napi::Result<Unknown<'env>> {
    // SAFETY: made in this environment, and returned from the call that is under way.
    unsafe {
        let raw = V::to_napi_value(env.raw(), value)?;
        Ok(Unknown::from_raw_unchecked(env.raw(), raw))
    }
}

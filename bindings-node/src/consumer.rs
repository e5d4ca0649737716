//! Consuming: batches as `ArrayBuffer`s, taken when JavaScript is told that there are some.
//!
//! Owns the handle, of a consumer by itself or of a member of a group. The one invariant: what is
//! delivered stays in the core, within its credit, until JavaScript takes it.

use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{BigInt, ToNapiValue};
use napi::{Env, Unknown};
use napi_derive::napi;
use tidewire::blocking::Runtime;
use tidewire::{Delivery, DeliveryQueue, Error, GroupControl, GroupDeliveryQueue, TopicName};

use crate::batch;
use crate::client::NativeClient;
use crate::failure::Failure;
use crate::hub::Shared;
use crate::info::{ConsumerStats, Position, TopicPartition};
use crate::options::{self, Options};

enum Queue {
    Alone(DeliveryQueue),
    Member(GroupDeliveryQueue, GroupControl),
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
        if let Some(group) = group {
            let mut builder = builder.group(&group);
            for topic in topics.iter().skip(1) {
                builder = builder.topic(topic);
            }
            let builder = match options.group(builder) {
                Ok(builder) => builder,
                Err(failure) => return self.hub.fail(number, failure),
            };
            let opening = async move {
                let queue = GroupDeliveryQueue::new(builder.build().await?, None, wake)?;
                let control = queue.control()?;
                Ok(Queue::Member(queue, control))
            };
            return self.hub.start(number, opening, consumer);
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
            Ok(Queue::Alone(DeliveryQueue::new(builder.build().await?, None, wake)?))
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
        let next = match &self.queue {
            Queue::Alone(queue) => queue.try_next(),
            Queue::Member(queue, _) => queue.try_next(),
        };
        match next {
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

    fn alone<T, V: ToNapiValue>(
        &self,
        call: impl FnOnce(&DeliveryQueue) -> Result<T, Error>,
        into: impl FnOnce(T) -> V,
        env: &Env,
    ) -> napi::Result<Option<Unknown<'static>>> {
        let Queue::Alone(queue) = &self.queue else { return Ok(None) };
        match call(queue) {
            Ok(found) => value(env, into(found)).map(Some),
            Err(error) => value(env, Failure::of(&error)).map(Some),
        }
    }

    /// Of a consumer by itself; null for a member of a group, and so the next four.
    #[napi(ts_return_type = "Failure | boolean | null")]
    pub fn seek(
        &self,
        env: &Env,
        partition: u32,
        to: String,
    ) -> napi::Result<Option<Unknown<'static>>> {
        match options::start(&to) {
            Ok(to) => self.alone(|queue| queue.seek(partition, to), |()| true, env),
            Err(failure) => value(env, failure).map(Some),
        }
    }

    #[napi(ts_return_type = "Failure | boolean | null")]
    pub fn pause(&self, env: &Env, partition: u32) -> napi::Result<Option<Unknown<'static>>> {
        self.alone(|queue| queue.pause(partition), |()| true, env)
    }

    #[napi(ts_return_type = "Failure | boolean | null")]
    pub fn resume(&self, env: &Env, partition: u32) -> napi::Result<Option<Unknown<'static>>> {
        self.alone(|queue| queue.resume(partition), |()| true, env)
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
                self.alone(|queue| queue.add_partition(partition, start), |()| true, env)
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
        self.alone(|queue| queue.remove_partition(partition), |found| found.is_some(), env)
    }

    /// Of a consumer by itself.
    #[napi]
    pub fn positions(&self) -> Option<Vec<Position>> {
        match &self.queue {
            Queue::Alone(queue) => {
                queue.positions().ok().map(|all| all.into_iter().map(Into::into).collect())
            }
            Queue::Member(..) => None,
        }
    }

    /// Of a consumer by itself.
    #[napi]
    pub fn stats(&self) -> Option<ConsumerStats> {
        match &self.queue {
            Queue::Alone(queue) => queue.stats().ok().map(Into::into),
            Queue::Member(..) => None,
        }
    }

    #[napi]
    pub fn lag(&self) -> BigInt {
        let lag = match &self.queue {
            Queue::Alone(queue) => queue.lag().unwrap_or(0),
            Queue::Member(_, control) => control.lag(),
        };
        lag.into()
    }

    /// Of a member: what it reads.
    #[napi]
    pub fn assignment(&self) -> Option<Vec<TopicPartition>> {
        match &self.queue {
            Queue::Alone(_) => None,
            Queue::Member(_, control) => {
                Some(control.assignment().into_iter().map(Into::into).collect())
            }
        }
    }

    fn member<F>(&self, number: u32, call: impl FnOnce(GroupControl) -> F)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        match &self.queue {
            Queue::Member(_, control) => {
                self.hub.start(number, call(control.clone()), |()| ());
            }
            Queue::Alone(_) => {
                let text = "a consumer without a group has no offsets to store".to_owned();
                self.hub.fail(number, Failure::invalid(tidewire::Code::INVALID_ARGUMENT, text));
            }
        }
    }

    /// Stores how far what was taken reaches.
    #[napi]
    pub fn commit(&self, number: u32) {
        self.member(number, |control| async move { control.commit().await });
    }

    /// Stores the offset of the next record to read.
    #[napi]
    pub fn commit_offset(&self, number: u32, topic: String, partition: u32, offset: BigInt) {
        let offset = offset.get_u64().1;
        self.member(number, move |control| async move {
            control.commit_offset(&topic, partition, offset).await
        });
    }

    /// Ends it; a member stores what it is to, and leaves.
    #[napi]
    pub fn close(&self) {
        // Without a runtime there is nothing to end.
        let _ = Runtime::shared();
        let _ = match &self.queue {
            Queue::Alone(queue) => queue.close(),
            Queue::Member(queue, _) => queue.close(),
        };
    }
}

fn value<'env, V: ToNapiValue>(env: &Env, value: V) -> napi::Result<Unknown<'env>> {
    // SAFETY: made in this environment, and returned from the call that is under way.
    unsafe {
        let raw = V::to_napi_value(env.raw(), value)?;
        Ok(Unknown::from_raw_unchecked(env.raw(), raw))
    }
}

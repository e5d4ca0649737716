//! Streams, topics, partitions, limits and reading once. The results come under `number`.

use napi::Env;
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;
use tidewire::FetchOptions;

use crate::batch;
use crate::client::NativeClient;
use crate::info::{LimitInfo, PartitionInfo, ProducerInfo, StreamInfo, TopicInfo};
use crate::options::Options;

/// What came of a fetch.
#[napi]
pub struct NativeFetched {
    fetched: tidewire::Fetched,
}

#[napi]
impl NativeFetched {
    /// Batch `index` as an `ArrayBuffer`, or null past the last.
    #[napi(ts_return_type = "ArrayBuffer | null")]
    pub fn batch<'env>(
        &self,
        env: &'env Env,
        index: u32,
    ) -> napi::Result<Option<napi::Unknown<'env>>> {
        let found = self.fetched.batches.get(index as usize);
        found.map(|found| batch::array_buffer(env, found, 0)).transpose()
    }

    #[napi]
    pub fn start_offset(&self) -> BigInt {
        self.fetched.start_offset.into()
    }

    #[napi]
    pub fn end_offset(&self) -> BigInt {
        self.fetched.end_offset.into()
    }

    #[napi]
    pub fn next_offset(&self) -> BigInt {
        self.fetched.next_offset.into()
    }
}

fn all<T, U: From<T>>(list: Vec<T>) -> Vec<U> {
    list.into_iter().map(U::from).collect()
}

#[napi]
impl NativeClient {
    #[napi]
    pub fn describe_limits(&self, number: u32) {
        self.call(
            number,
            |client| async move { client.describe_limits().await },
            all::<_, LimitInfo>,
        );
    }

    #[napi]
    pub fn create_stream(&self, number: u32, name: String) {
        self.call(
            number,
            |client| async move { client.create_stream(&name).await },
            StreamInfo::from,
        );
    }

    #[napi]
    pub fn describe_stream(&self, number: u32, name: String) {
        self.call(
            number,
            |client| async move { client.describe_stream(&name).await },
            StreamInfo::from,
        );
    }

    #[napi]
    pub fn delete_stream(&self, number: u32, name: String, with_topics: bool) {
        self.call(
            number,
            move |client| async move { client.delete_stream(&name, with_topics).await },
            |()| (),
        );
    }

    #[napi]
    pub fn purge_stream(&self, number: u32, name: String) {
        self.call(number, |client| async move { client.purge_stream(&name).await }, |()| ());
    }

    #[napi]
    pub fn list_streams(&self, number: u32) {
        self.call(
            number,
            |client| async move { client.list_streams().await },
            all::<_, StreamInfo>,
        );
    }

    #[napi]
    pub fn create_topic(&self, number: u32, topic: String, options: Vec<String>) {
        let config = match Options::new(options).topic() {
            Ok(config) => config,
            Err(failure) => return self.hub.fail(number, failure),
        };
        self.call(
            number,
            move |client| async move { client.create_topic(&topic, config).await },
            TopicInfo::from,
        );
    }

    #[napi]
    pub fn update_topic(&self, number: u32, topic: String, options: Vec<String>) {
        let config = match Options::new(options).topic() {
            Ok(config) => config,
            Err(failure) => return self.hub.fail(number, failure),
        };
        self.call(
            number,
            move |client| async move { client.update_topic(&topic, config).await },
            TopicInfo::from,
        );
    }

    #[napi]
    pub fn describe_topic(&self, number: u32, topic: String) {
        self.call(
            number,
            |client| async move { client.describe_topic(&topic).await },
            TopicInfo::from,
        );
    }

    #[napi]
    pub fn list_topics(&self, number: u32, stream: String) {
        self.call(
            number,
            |client| async move { client.list_topics(&stream).await },
            all::<_, TopicInfo>,
        );
    }

    #[napi]
    pub fn add_partitions(&self, number: u32, topic: String, partitions: u32) {
        self.call(
            number,
            move |client| async move { client.add_partitions(&topic, partitions).await },
            TopicInfo::from,
        );
    }

    #[napi]
    pub fn purge_topic(&self, number: u32, topic: String) {
        self.call(number, |client| async move { client.purge_topic(&topic).await }, |()| ());
    }

    #[napi]
    pub fn delete_topic(&self, number: u32, topic: String) {
        self.call(number, |client| async move { client.delete_topic(&topic).await }, |()| ());
    }

    #[napi]
    pub fn truncate(&self, number: u32, topic: String, partition: u32, before: BigInt) {
        let before = before.get_u64().1;
        self.call(
            number,
            move |client| async move { client.truncate(&topic, partition, before).await },
            BigInt::from,
        );
    }

    #[napi]
    pub fn partitions(&self, number: u32, topic: String) {
        self.call(
            number,
            |client| async move { client.partitions(&topic).await },
            all::<_, PartitionInfo>,
        );
    }

    #[napi]
    pub fn producers(&self, number: u32, topic: String) {
        self.call(
            number,
            |client| async move { client.producers(&topic).await },
            all::<_, ProducerInfo>,
        );
    }

    #[napi]
    pub fn forget_producer(&self, number: u32, topic: String, name: String) {
        self.call(
            number,
            |client| async move { client.forget_producer(&topic, &name).await },
            |()| (),
        );
    }

    #[napi]
    #[allow(clippy::too_many_arguments, reason = "an options object would cross slower")]
    pub fn fetch(
        &self,
        number: u32,
        topic: String,
        partition: u32,
        offset: BigInt,
        max_bytes: Option<u32>,
        min_bytes: Option<u32>,
        max_wait_ms: Option<u32>,
    ) {
        let mut options = FetchOptions::default();
        if let Some(max_bytes) = max_bytes {
            options = options.max_bytes(max_bytes);
        }
        if let Some(min_bytes) = min_bytes {
            options = options.min_bytes(min_bytes);
        }
        if let Some(max_wait_ms) = max_wait_ms {
            options = options.max_wait_ms(max_wait_ms);
        }
        let offset = offset.get_u64().1;
        self.call(
            number,
            move |client| async move { client.fetch(&topic, partition, offset, options).await },
            |fetched| NativeFetched { fetched },
        );
    }
}

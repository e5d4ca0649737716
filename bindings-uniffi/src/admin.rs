//! Streams, topics, partitions, limits, and reading once.
//!
//! Owns nothing: each call is the core client's of the same name, with its errors.

use std::sync::Arc;

use tidewire::FetchOptions;

use crate::batch::NativeBatches;
use crate::call::{unsigned, unsigned32};
use crate::client::NativeClient;
use crate::failure::NativeError;
use crate::info::{LimitInfo, PartitionInfo, ProducerInfo, StreamInfo, TopicInfo, all};
use crate::options::{self, Options};

#[uniffi::export]
impl NativeClient {
    pub async fn create_stream(&self, name: String) -> Result<StreamInfo, NativeError> {
        Ok(self.call(|client| async move { client.create_stream(&name).await }).await?.into())
    }

    pub async fn describe_stream(&self, name: String) -> Result<StreamInfo, NativeError> {
        Ok(self.call(|client| async move { client.describe_stream(&name).await }).await?.into())
    }

    pub async fn delete_stream(
        &self,
        name: String,
        with_topics: bool,
    ) -> Result<(), NativeError> {
        self.call(move |client| async move { client.delete_stream(&name, with_topics).await })
            .await
    }

    pub async fn purge_stream(&self, name: String) -> Result<(), NativeError> {
        self.call(|client| async move { client.purge_stream(&name).await }).await
    }

    pub async fn list_streams(&self) -> Result<Vec<StreamInfo>, NativeError> {
        Ok(all(self.call(|client| async move { client.list_streams().await }).await?))
    }

    pub async fn create_topic(
        &self,
        topic: String,
        options: Options,
    ) -> Result<TopicInfo, NativeError> {
        let config = options::topic(&options)?;
        let made =
            self.call(move |client| async move { client.create_topic(&topic, config).await });
        Ok(made.await?.into())
    }

    pub async fn update_topic(
        &self,
        topic: String,
        options: Options,
    ) -> Result<TopicInfo, NativeError> {
        let config = options::topic(&options)?;
        let made =
            self.call(move |client| async move { client.update_topic(&topic, config).await });
        Ok(made.await?.into())
    }

    pub async fn describe_topic(&self, topic: String) -> Result<TopicInfo, NativeError> {
        Ok(self.call(|client| async move { client.describe_topic(&topic).await }).await?.into())
    }

    pub async fn list_topics(&self, stream: String) -> Result<Vec<TopicInfo>, NativeError> {
        Ok(all(self.call(|client| async move { client.list_topics(&stream).await }).await?))
    }

    pub async fn add_partitions(
        &self,
        topic: String,
        partitions: i32,
    ) -> Result<TopicInfo, NativeError> {
        let partitions = unsigned32("partitions", partitions)?;
        let made = self
            .call(move |client| async move { client.add_partitions(&topic, partitions).await });
        Ok(made.await?.into())
    }

    pub async fn purge_topic(&self, topic: String) -> Result<(), NativeError> {
        self.call(|client| async move { client.purge_topic(&topic).await }).await
    }

    pub async fn delete_topic(&self, topic: String) -> Result<(), NativeError> {
        self.call(|client| async move { client.delete_topic(&topic).await }).await
    }

    pub async fn truncate(
        &self,
        topic: String,
        partition: i32,
        before: i64,
    ) -> Result<i64, NativeError> {
        let partition = unsigned32("partition", partition)?;
        let before = unsigned("before", before)?;
        let start =
            self.call(
                move |client| async move { client.truncate(&topic, partition, before).await },
            );
        Ok(start.await?.cast_signed())
    }

    pub async fn partitions(&self, topic: String) -> Result<Vec<PartitionInfo>, NativeError> {
        Ok(all(self.call(|client| async move { client.partitions(&topic).await }).await?))
    }

    pub async fn producers(&self, topic: String) -> Result<Vec<ProducerInfo>, NativeError> {
        Ok(all(self.call(|client| async move { client.producers(&topic).await }).await?))
    }

    pub async fn forget_producer(
        &self,
        topic: String,
        name: String,
    ) -> Result<(), NativeError> {
        self.call(|client| async move { client.forget_producer(&topic, &name).await }).await
    }

    pub async fn describe_limits(&self) -> Result<Vec<LimitInfo>, NativeError> {
        Ok(all(self.call(|client| async move { client.describe_limits().await }).await?))
    }

    pub async fn fetch(
        &self,
        topic: String,
        partition: i32,
        offset: i64,
        max_bytes: Option<i32>,
        min_bytes: Option<i32>,
        max_wait_ms: Option<i32>,
    ) -> Result<Arc<NativeBatches>, NativeError> {
        let mut options = FetchOptions::default();
        if let Some(max_bytes) = max_bytes {
            options = options.max_bytes(unsigned32("max_bytes", max_bytes)?);
        }
        if let Some(min_bytes) = min_bytes {
            options = options.min_bytes(unsigned32("min_bytes", min_bytes)?);
        }
        if let Some(max_wait_ms) = max_wait_ms {
            options = options.max_wait_ms(unsigned32("max_wait_ms", max_wait_ms)?);
        }
        let partition = unsigned32("partition", partition)?;
        let offset = unsigned("offset", offset)?;
        let fetched = self.call(move |client| async move {
            client.fetch(&topic, partition, offset, options).await
        });
        Ok(Arc::new(NativeBatches::new(&fetched.await?)))
    }
}

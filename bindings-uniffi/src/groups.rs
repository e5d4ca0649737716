//! Groups and stored offsets, from outside.
//!
//! Owns nothing: each call is the core client's of the same name, with its errors.

use crate::call::partitions;
use crate::client::NativeClient;
use crate::failure::NativeError;
use crate::info::{CommittedOffset, GroupDescription, GroupInfo, PartitionOffset, all};
use crate::options;

#[uniffi::export]
impl NativeClient {
    pub async fn create_group(&self, group: String) -> Result<GroupInfo, NativeError> {
        Ok(self.call(|client| async move { client.create_group(&group).await }).await?.into())
    }

    pub async fn list_groups(&self) -> Result<Vec<GroupInfo>, NativeError> {
        Ok(all(self.call(|client| async move { client.list_groups().await }).await?))
    }

    pub async fn describe_group(&self, group: String) -> Result<GroupDescription, NativeError> {
        Ok(self.call(|client| async move { client.describe_group(&group).await }).await?.into())
    }

    pub async fn delete_group(&self, group: String) -> Result<(), NativeError> {
        self.call(|client| async move { client.delete_group(&group).await }).await
    }

    /// Those partitions that have a stored offset, in order.
    pub async fn committed(
        &self,
        group: String,
        topic: String,
    ) -> Result<Vec<CommittedOffset>, NativeError> {
        let offsets =
            self.call(|client| async move { client.committed(&group, &topic).await }).await?;
        let stored = offsets.into_iter().enumerate().filter_map(|(partition, stored)| {
            let stored = stored?;
            Some(CommittedOffset {
                partition: partition as i32,
                offset: stored.offset.cast_signed(),
                commit_us: stored.commit_us,
                note: stored.note,
            })
        });
        Ok(stored.collect())
    }

    pub async fn reset_offsets(
        &self,
        group: String,
        topic: String,
        only: Option<Vec<i32>>,
        to: String,
        force: bool,
    ) -> Result<Vec<PartitionOffset>, NativeError> {
        let (to, only) = (options::start(&to)?, partitions(only)?);
        let offsets = self.call(move |client| async move {
            client.reset_offsets(&group, &topic, only.as_deref(), to, force).await
        });
        let offsets = offsets.await?.into_iter().map(|(partition, offset)| PartitionOffset {
            partition: partition.cast_signed(),
            offset: offset.cast_signed(),
        });
        Ok(offsets.collect())
    }

    pub async fn delete_offsets(
        &self,
        group: String,
        topic: String,
        only: Option<Vec<i32>>,
    ) -> Result<(), NativeError> {
        let only = partitions(only)?;
        self.call(|client| async move {
            client.delete_offsets(&group, &topic, only.as_deref()).await
        })
        .await
    }
}

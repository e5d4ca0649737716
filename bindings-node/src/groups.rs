//! Groups and stored offsets, from outside. The results come under `number`.

use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use crate::client::NativeClient;
use crate::info::{CommittedOffset, GroupDescription, GroupInfo, PartitionOffset};
use crate::options;

#[napi]
impl NativeClient {
    #[napi]
    pub fn create_group(&self, number: u32, group: String) {
        self.call(
            number,
            |client| async move { client.create_group(&group).await },
            GroupInfo::from,
        );
    }

    #[napi]
    pub fn list_groups(&self, number: u32) {
        self.call(
            number,
            |client| async move { client.list_groups().await },
            |list| list.into_iter().map(GroupInfo::from).collect::<Vec<_>>(),
        );
    }

    #[napi]
    pub fn describe_group(&self, number: u32, group: String) {
        self.call(
            number,
            |client| async move { client.describe_group(&group).await },
            GroupDescription::from,
        );
    }

    #[napi]
    pub fn delete_group(&self, number: u32, group: String) {
        self.call(number, |client| async move { client.delete_group(&group).await }, |()| ());
    }

    #[napi]
    pub fn committed(&self, number: u32, group: String, topic: String) {
        self.call(
            number,
            |client| async move { client.committed(&group, &topic).await },
            |offsets| {
                let stored =
                    offsets.into_iter().enumerate().filter_map(|(partition, stored)| {
                        let stored = stored?;
                        Some(CommittedOffset {
                            partition: partition as u32,
                            offset: stored.offset.into(),
                            commit_us: stored.commit_us.into(),
                            note: stored.note,
                        })
                    });
                stored.collect::<Vec<_>>()
            },
        );
    }

    #[napi]
    pub fn reset_offsets(
        &self,
        number: u32,
        group: String,
        topic: String,
        partitions: Option<Vec<u32>>,
        to: String,
        force: bool,
    ) {
        let to = match options::start(&to) {
            Ok(to) => to,
            Err(failure) => return self.hub.fail(number, failure),
        };
        self.call(
            number,
            move |client| async move {
                client.reset_offsets(&group, &topic, partitions.as_deref(), to, force).await
            },
            |offsets| {
                let offsets = offsets.into_iter().map(|(partition, offset)| PartitionOffset {
                    partition,
                    offset: BigInt::from(offset),
                });
                offsets.collect::<Vec<_>>()
            },
        );
    }

    #[napi]
    pub fn delete_offsets(
        &self,
        number: u32,
        group: String,
        topic: String,
        partitions: Option<Vec<u32>>,
    ) {
        self.call(
            number,
            |client| async move {
                client.delete_offsets(&group, &topic, partitions.as_deref()).await
            },
            |()| (),
        );
    }
}

//! Consuming: batches of some or all partitions of a topic, as they arrive.

pub(crate) mod batch;

use crate::client::Client;
use crate::error::{Code, Error};
use batch::{Batch, OwnedRecord};

/// Where a consumer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the first record that there is.
    Earliest,
    /// After the last record that there is.
    Latest,
    /// At this offset.
    Offset(u64),
}

/// Where a consumer stands in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The partition.
    pub partition: u32,
    /// Offset of the record that the consumer returns next.
    pub next_offset: u64,
    /// Offset after the partition's last record, as far as it is known.
    pub end_offset: u64,
}

/// Options of a [`Consumer`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build()"]
pub struct ConsumerBuilder {
    client: Client,
    topic: String,
    start: Option<Start>,
    partitions: Option<Vec<u32>>,
    start_at: Vec<(u32, u64)>,
    prefetch_bytes: Option<u32>,
}

impl ConsumerBuilder {
    pub(crate) fn new(client: Client, topic: &str) -> Self {
        Self {
            client,
            topic: topic.to_owned(),
            start: None,
            partitions: None,
            start_at: Vec::new(),
            prefetch_bytes: None,
        }
    }

    /// Where to begin; at the end of each partition if not set.
    pub fn start(mut self, start: Start) -> Self {
        self.start = Some(start);
        self
    }

    /// Which partitions; all of them if not set.
    pub fn partitions(mut self, partitions: impl IntoIterator<Item = u32>) -> Self {
        self.partitions = Some(partitions.into_iter().collect());
        self
    }

    /// Where to begin in one partition.
    pub fn start_at(mut self, partition: u32, offset: u64) -> Self {
        self.start_at.push((partition, offset));
        self
    }

    /// Bound of the batches that were delivered but not yet taken, over all partitions, in bytes.
    pub fn prefetch_bytes(mut self, prefetch_bytes: u32) -> Self {
        self.prefetch_bytes = Some(prefetch_bytes);
        self
    }

    /// Subscribes.
    pub async fn build(self) -> Result<Consumer, Error> {
        Err(Error::new(Code::INTERNAL, "consuming is not built yet"))
    }
}

/// Receives a topic's records.
#[derive(Debug)]
pub struct Consumer {}

impl Consumer {
    /// The next batch.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>, Error> {
        Ok(None)
    }

    /// The next record.
    pub async fn next_record(&mut self) -> Result<Option<OwnedRecord>, Error> {
        Ok(None)
    }

    /// Where the consumer stands, by partition.
    pub fn positions(&self) -> Vec<Position> {
        Vec::new()
    }

    /// Records known to follow what was returned, over all partitions.
    pub fn lag(&self) -> u64 {
        0
    }

    /// Unsubscribes.
    pub async fn close(self) {}
}

//! A record to produce.
//!
//! Owns the record as the application hands it over, by value; how it lies in a batch is the
//! protocol's. The one invariant: a missing value (a tombstone) and a missing key stay apart from
//! empty ones.

use bytes::Bytes;

/// A record to produce: a value, and perhaps a key, headers, a time and a partition.
///
/// ```
/// use tidewire::Record;
///
/// let record = Record::new("hello").key("k").header("trace", "1");
/// assert_eq!(record.key.as_deref(), Some(&b"k"[..]));
/// assert!(Record::tombstone().key("k").value.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The key; decides the partition unless one is named. A missing key is not an empty one.
    pub key: Option<Bytes>,
    /// The value; `None` is a tombstone.
    pub value: Option<Bytes>,
    /// Headers in order; names may repeat, and are 1 to 65,535 bytes long.
    pub headers: Vec<(String, Bytes)>,
    /// Microseconds since the Unix epoch; `None` is the time of enqueueing.
    pub timestamp_us: Option<i64>,
    /// The partition; `None` leaves it to the key, or to the producer.
    pub partition: Option<u32>,
    /// What the application knows the record by. A topic with a `dedup_window_ms` stores no second
    /// record of an id within that time, whoever sends it: the [`Receipt`](crate::Receipt) is then
    /// a `duplicate`, with the offset of the first. Sixteen zeros are the same as none.
    ///
    /// Ids are compared within a partition: give equal ids the same key, or the same partition.
    /// With `acks` none nobody learns of a duplicate, and the batch that holds it is lost whole.
    pub id: Option<[u8; 16]>,
}

impl Record {
    /// A record with this value.
    pub fn new(value: impl Into<Bytes>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    /// A record without a value: it says that what its key named is gone.
    pub fn tombstone() -> Self {
        Self::default()
    }

    /// Sets the key.
    pub fn key(mut self, key: impl Into<Bytes>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the time, in microseconds since the Unix epoch.
    pub fn timestamp_us(mut self, timestamp_us: i64) -> Self {
        self.timestamp_us = Some(timestamp_us);
        self
    }

    /// Names the partition.
    pub fn partition(mut self, partition: u32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Sets the id by which the server may find duplicates: a UUID, or the first bytes of a hash.
    /// A producer with `acks` none refuses it: nobody would learn what was found.
    pub fn id(mut self, id: [u8; 16]) -> Self {
        self.id = Some(id);
        self
    }
}

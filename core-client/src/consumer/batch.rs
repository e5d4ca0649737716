//! Batches and records as the application sees them.
//!
//! Owns the window over a stored batch that hides records before the wanted offset, and the
//! splitting of a delivery into its batches; reading a record is the protocol's. The one
//! invariant: no record is shown before its batch's checksums and layout were verified.

use std::sync::Arc;

use bytes::Bytes;
use tidewire_protocol::batch::{
    self as stored, EncryptionKeys, Fault, Header, Headers, Limits, Malformed, Place,
};
use tidewire_protocol::name::TopicName;

use crate::error::{Code, Error};

/// Consecutive records of one partition, in one shared buffer. Cloning shares the bytes.
///
/// Records before the offset that was asked for are hidden, and after
/// [`Consumer::next_record`](crate::Consumer::next_record) those that it returned already.
#[derive(Clone, Debug)]
pub struct Batch {
    stored: stored::Batch,
    topic: Arc<TopicName>,
    partition: u32,
    first: usize,
    pub(crate) end_offset: u64,
}

impl Batch {
    /// The topic that it belongs to.
    pub fn topic(&self) -> &TopicName {
        &self.topic
    }

    pub(crate) fn shared_topic(&self) -> &Arc<TopicName> {
        &self.topic
    }

    /// The partition that it belongs to.
    pub fn partition(&self) -> u32 {
        self.partition
    }

    /// Offset of its first record; if it has none, of the record that would follow.
    pub fn base_offset(&self) -> u64 {
        self.get(0).map_or_else(|| self.next_offset(), |record| record.offset())
    }

    /// Offset after its last record: where to go on reading.
    pub fn next_offset(&self) -> u64 {
        self.stored.last_offset().saturating_add(1)
    }

    /// Offset after the partition's last record, as known when the batch was delivered.
    pub fn end_offset(&self) -> u64 {
        self.end_offset
    }

    /// Records of the partition that were known to follow this batch.
    pub fn lag(&self) -> u64 {
        self.end_offset.saturating_sub(self.next_offset())
    }

    /// When the server appended it, in microseconds since the Unix epoch.
    pub fn append_time_us(&self) -> i64 {
        self.stored.header().append_time_us
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.stored.len() - self.first
    }

    /// Whether it has no records; one that a consumer returns has at least one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Record `index` of those shown, or `None` past the end.
    #[inline]
    pub fn get(&self, index: usize) -> Option<RecordView<'_>> {
        let view = self.stored.get(self.first.checked_add(index)?)?;
        Some(RecordView { view, batch: self })
    }

    /// The records in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { views: self.stored.iter_from(self.first), batch: self }
    }

    /// The whole batch as it is stored, hidden records included.
    pub fn bytes(&self) -> &Bytes {
        self.stored.bytes()
    }

    /// The whole batch with its layout, for readers of columns.
    pub fn stored(&self) -> &stored::Batch {
        &self.stored
    }

    /// How many records of [`Batch::stored`] are hidden at its start.
    pub fn hidden(&self) -> usize {
        self.first
    }

    /// The same batch without the first `count` of its records; it shares the bytes.
    pub fn skip(&self, count: usize) -> Self {
        let mut rest = self.clone();
        rest.hide(count);
        rest
    }

    /// Hides the first `count` of the records shown.
    pub(crate) fn hide(&mut self, count: usize) {
        self.first = (self.first + count).min(self.stored.len());
    }

    /// Verifies `bytes`, which are one batch, decrypts them if need be, and hides records before
    /// `offset`.
    // SPEC B-20
    pub(crate) fn verify(
        keys: &EncryptionKeys,
        topic: &Arc<TopicName>,
        partition: u32,
        offset: u64,
        end_offset: u64,
        bytes: Bytes,
    ) -> Result<Self, Error> {
        let stored = stored::Batch::decode_with(bytes, keys, Place { topic, partition })
            .map_err(|why| unread(topic, partition, offset, &why))?;
        let first = stored.index_of(offset);
        Ok(Self { stored, topic: Arc::clone(topic), partition, first, end_offset })
    }
}

/// Takes the first batch off a delivery, unverified but for its header.
pub(crate) fn split_first(
    topic: &TopicName,
    partition: u32,
    offset: u64,
    payload: &mut Bytes,
) -> Result<Bytes, Error> {
    let broken = |why: &dyn std::fmt::Display| corrupt(topic, partition, offset, why);
    let header = Header::parse(payload).map_err(|why| broken(&why))?;
    let len = header.total_len as usize;
    if len > payload.len() || header.total_len > Limits::PROTOCOL.max_batch_len {
        let why = format!("a batch of {len} bytes overruns the {} that came", payload.len());
        return Err(broken(&why));
    }
    Ok(payload.split_to(len))
}

/// An offset above that of the last batch's first record and not above that of the record after
/// it, as far as the headers of a delivery can be read.
pub(crate) fn reach(payload: &[u8]) -> u64 {
    let (mut at, mut reached) = (0, 0);
    while let Some(Ok(header)) = payload.get(at..).map(Header::parse) {
        reached = header.base_offset.saturating_add(u64::from(header.record_count));
        at = at.saturating_add(header.total_len as usize);
    }
    reached
}

/// Splits a payload of whole batches, verifies them, and hides records before `offset`.
pub(crate) fn split_batches(
    keys: &EncryptionKeys,
    topic: &TopicName,
    partition: u32,
    mut offset: u64,
    mut payload: Bytes,
) -> Result<Vec<Batch>, Error> {
    let (shared, mut batches) = (Arc::new(topic.clone()), Vec::new());
    while !payload.is_empty() {
        let bytes = split_first(topic, partition, offset, &mut payload)?;
        let batch = Batch::verify(keys, &shared, partition, offset, 0, bytes)?;
        offset = offset.max(batch.next_offset());
        batches.push(batch);
    }
    Ok(batches)
}

/// Why a batch is not shown.
fn unread(topic: &TopicName, partition: u32, offset: u64, why: &Malformed) -> Error {
    let (code, what) = match why.fault() {
        Fault::KeyMissing => (Code::ENCRYPTION_KEY_MISSING, "cannot be read"),
        Fault::KeyWrong => (Code::ENCRYPTION_KEY_WRONG, "cannot be read"),
        Fault::Forged => (Code::DECRYPTION_FAILED, "was tampered with"),
        _ => return corrupt(topic, partition, offset, why),
    };
    let place = format!("offset {offset} of {topic} partition {partition}");
    Error::new(code, format!("the batch for {place} {what}: {why}"))
}

fn corrupt(
    topic: &TopicName,
    partition: u32,
    offset: u64,
    why: &dyn std::fmt::Display,
) -> Error {
    Error::new(
        Code::CORRUPT_DELIVERY,
        format!(
            "the batch for offset {offset} of {topic} partition {partition} is damaged: {why}"
        ),
    )
}

impl<'a> IntoIterator for &'a Batch {
    type Item = RecordView<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The records of a [`Batch`], in order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    views: stored::Iter<'a>,
    batch: &'a Batch,
}

impl<'a> Iterator for Iter<'a> {
    type Item = RecordView<'a>;

    #[inline]
    fn next(&mut self) -> Option<RecordView<'a>> {
        Some(RecordView { view: self.views.next()?, batch: self.batch })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.views.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// One record of a [`Batch`], borrowed from it.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    view: stored::RecordView<'a>,
    batch: &'a Batch,
}

impl<'a> RecordView<'a> {
    /// Its partition.
    #[inline]
    pub fn partition(&self) -> u32 {
        self.batch.partition
    }

    /// Its offset in the partition.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.view.offset()
    }

    /// Its key. A missing key is not an empty one.
    #[inline]
    pub fn key(&self) -> Option<&'a [u8]> {
        self.view.key()
    }

    /// Its value; `None` is a tombstone.
    #[inline]
    pub fn value(&self) -> Option<&'a [u8]> {
        self.view.value()
    }

    /// Its headers in the producer's order; names may repeat.
    #[inline]
    pub fn headers(&self) -> Headers<'a> {
        self.view.headers()
    }

    /// Its producer's time, in microseconds since the Unix epoch.
    #[inline]
    pub fn timestamp_us(&self) -> i64 {
        self.view.timestamp_us()
    }

    /// When the server appended it, in microseconds since the Unix epoch.
    #[inline]
    pub fn append_time_us(&self) -> i64 {
        self.batch.append_time_us()
    }

    /// The record by itself; it shares the batch's bytes.
    pub fn to_owned(&self) -> OwnedRecord {
        OwnedRecord { index: self.view.index() - self.batch.first, batch: self.batch.clone() }
    }
}

/// One record that keeps its batch's bytes alive.
#[derive(Clone, Debug)]
pub struct OwnedRecord {
    batch: Batch,
    /// Among the records that `batch` shows.
    index: usize,
}

impl OwnedRecord {
    /// `None` if `batch` shows no record `index`.
    pub(crate) fn new(batch: Batch, index: usize) -> Option<Self> {
        (index < batch.len()).then_some(Self { batch, index })
    }

    /// The record as a view.
    pub fn view(&self) -> RecordView<'_> {
        self.batch.get(self.index).expect("the constructor saw the record")
    }

    /// Its partition.
    pub fn partition(&self) -> u32 {
        self.batch.partition
    }

    /// Its offset in the partition.
    pub fn offset(&self) -> u64 {
        self.view().offset()
    }

    /// Its key. A missing key is not an empty one.
    pub fn key(&self) -> Option<&[u8]> {
        self.view().key()
    }

    /// Its value; `None` is a tombstone.
    pub fn value(&self) -> Option<&[u8]> {
        self.view().value()
    }

    /// Its value as a shared buffer, without a copy.
    pub fn value_bytes(&self) -> Option<Bytes> {
        self.view().view.value_range().map(|range| self.batch.stored.slice(range))
    }

    /// Its key as a shared buffer, without a copy.
    pub fn key_bytes(&self) -> Option<Bytes> {
        self.view().view.key_range().map(|range| self.batch.stored.slice(range))
    }

    /// Its headers in the producer's order; names may repeat.
    pub fn headers(&self) -> Headers<'_> {
        self.view().headers()
    }

    /// Its producer's time, in microseconds since the Unix epoch.
    pub fn timestamp_us(&self) -> i64 {
        self.view().timestamp_us()
    }

    /// When the server appended it, in microseconds since the Unix epoch.
    pub fn append_time_us(&self) -> i64 {
        self.batch.append_time_us()
    }
}

#[cfg(test)]
mod tests {
    use tidewire_protocol::batch::{BatchBuilder, RecordRef, Sequence};

    use super::*;

    fn name() -> Arc<TopicName> {
        Arc::new(TopicName::parse("shop/orders").expect("good"))
    }

    /// Producer bytes have base offset 0, as the first batch of a partition has.
    fn sealed(count: u8) -> Bytes {
        let mut builder = BatchBuilder::new(1 << 20, 100);
        for value in 0..count {
            let value = [value];
            let record = RecordRef { value: Some(&value), ..RecordRef::at(7) };
            builder.push(&record).expect("room");
        }
        builder.seal(Sequence::default())
    }

    #[test]
    fn records_before_the_wanted_offset_are_hidden() {
        let keys = EncryptionKeys::default();
        let batch = Batch::verify(&keys, &name(), 3, 2, 9, sealed(5)).expect("valid");
        assert_eq!((batch.len(), batch.base_offset(), batch.next_offset()), (3, 2, 5));
        assert_eq!((batch.partition(), batch.end_offset(), batch.lag()), (3, 9, 4));
        let offsets: Vec<u64> = batch.iter().map(|record| record.offset()).collect();
        assert_eq!(offsets, [2, 3, 4]);
        assert_eq!(batch.get(1).and_then(|record| record.value()), Some(&[3u8][..]));
        let rest = batch.skip(2);
        assert_eq!((rest.len(), rest.base_offset(), rest.next_offset()), (1, 4, 5));
        assert!(batch.skip(9).is_empty());
        let owned = batch.get(2).expect("third").to_owned();
        assert_eq!((owned.offset(), owned.value_bytes()), (4, Some(Bytes::from_static(&[4]))));
    }

    #[test]
    fn a_delivery_is_split_into_its_batches() {
        let payload = [sealed(2), sealed(3)].concat();
        let keys = EncryptionKeys::default();
        let batches = split_batches(&keys, &name(), 0, 0, payload.into()).expect("valid");
        assert_eq!(
            batches.iter().map(|batch| batch.stored().len()).collect::<Vec<_>>(),
            [2, 3]
        );
    }

    #[test]
    fn the_reach_of_a_delivery_is_that_of_its_last_whole_header() {
        let payload = [sealed(2), sealed(3)].concat();
        assert_eq!((reach(&payload), reach(&payload[..90]), reach(b"")), (3, 2, 0));
    }

    #[test]
    fn damage_is_told_with_topic_partition_and_offset() {
        let mut bytes = sealed(2).to_vec();
        bytes[81] ^= 1;
        let keys = EncryptionKeys::default();
        let error = split_batches(&keys, &name(), 4, 1, bytes.into()).expect_err("damaged");
        assert_eq!(error.code(), Code::CORRUPT_DELIVERY);
        let text = error.to_string();
        assert!(text.contains("offset 1 of shop/orders partition 4"), "{text}");
    }

    #[test]
    fn a_length_that_overruns_the_delivery_is_refused() {
        let bytes = sealed(2);
        let cut = bytes.slice(..bytes.len() - 8);
        let error = split_batches(&EncryptionKeys::default(), &name(), 0, 0, cut);
        let error = error.expect_err("short");
        assert_eq!(error.code(), Code::CORRUPT_DELIVERY);
    }
}

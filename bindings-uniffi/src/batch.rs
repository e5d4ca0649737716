//! A batch as the languages read it: a head of 32 words that says where its columns are, and its
//! body as it is stored, decompressed.
//!
//! Owns the order of the words, which `Batch.kt` and `batch.rb` read; the columns are those of
//! `protocol/SPEC.md`. The one invariant: what is lent stays where it is until its owner takes
//! the next batch or is gone, and is never written.

use tidewire::Batch;
use tidewire_protocol::batch as stored;

use crate::failure::{Failure, NativeError};

/// Words of the head.
const WORDS: usize = 32;

/// Where a batch lies in memory. The bytes are read at once, and copied, while their owner is
/// held; they are valid until that gives the next batch.
#[derive(Clone, Copy, Debug, uniffi::Record)]
pub struct Lent {
    /// Address of the head.
    pub head: i64,
    /// Bytes of the head.
    pub head_len: i32,
    /// Address of the body.
    pub body: i64,
    /// Bytes of the body.
    pub body_len: i32,
}

/// A batch that is lent, and keeps its memory.
#[derive(Debug)]
pub(crate) struct Lending {
    head: Box<[u32; WORDS]>,
    batch: stored::Batch,
}

impl Lending {
    /// Of what was delivered; `topic` is a number that stands for its topic.
    pub(crate) fn new(batch: &Batch, topic: u32) -> Self {
        let place = [u64::from(topic), u64::from(batch.partition())];
        let stored = batch.stored();
        let head = head(
            stored,
            place.map(|word| word as u32),
            batch.hidden(),
            [batch.end_offset(), batch.next_offset()],
        );
        Self { head: Box::new(head), batch: stored.clone() }
    }

    /// Of a batch that was stored elsewhere.
    fn of_stored(batch: stored::Batch) -> Self {
        let next = batch.last_offset().saturating_add(1);
        Self { head: Box::new(head(&batch, [0, 0], 0, [next, next])), batch }
    }

    pub(crate) fn lent(&self) -> Lent {
        let body = self.batch.body();
        Lent {
            head: (self.head.as_ptr().addr() as u64).cast_signed(),
            head_len: (WORDS * 4) as i32,
            body: (body.as_ptr().addr() as u64).cast_signed(),
            // A body is far below 2 GiB: the protocol has a limit.
            body_len: body.len() as i32,
        }
    }
}

fn head(
    batch: &stored::Batch,
    [topic, partition]: [u32; 2],
    hidden: usize,
    [end_offset, next_offset]: [u64; 2],
) -> [u32; WORDS] {
    let (header, layout) = (batch.header(), batch.layout());
    let halves = |number: u64| [number as u32, (number >> 32) as u32];
    let [base_low, base_high] = halves(header.base_offset);
    let [append_low, append_high] = halves(header.append_time_us.cast_unsigned());
    let [time_low, time_high] = halves(header.base_time_us.cast_unsigned());
    let [end_low, end_high] = halves(end_offset);
    let [next_low, next_high] = halves(next_offset);
    // Little-endian in memory, whatever the machine is.
    [
        topic,
        partition,
        layout.count as u32,
        u32::from(layout.columns.0),
        hidden as u32,
        layout.values_end as u32,
        layout.keys_end as u32,
        layout.headers_end as u32,
        layout.value_ends as u32,
        layout.key_ends as u32,
        layout.header_ends as u32,
        layout.times as u32,
        layout.ids as u32,
        layout.offset_deltas as u32,
        layout.value_validity as u32,
        layout.key_validity as u32,
        base_low,
        base_high,
        append_low,
        append_high,
        time_low,
        time_high,
        end_low,
        end_high,
        next_low,
        next_high,
        batch.bytes().len() as u32,
        0,
        0,
        0,
        0,
        0,
    ]
    .map(u32::to_le)
}

/// Batches that were read once, or that were stored elsewhere.
#[derive(Debug, uniffi::Object)]
pub struct NativeBatches {
    batches: Vec<Lending>,
    offsets: [u64; 3],
}

impl NativeBatches {
    pub(crate) fn new(fetched: &tidewire::Fetched) -> Self {
        Self {
            batches: fetched.batches.iter().map(|batch| Lending::new(batch, 0)).collect(),
            offsets: [fetched.start_offset, fetched.end_offset, fetched.next_offset],
        }
    }
}

#[uniffi::export]
impl NativeBatches {
    /// How many there are.
    pub fn count(&self) -> i32 {
        self.batches.len() as i32
    }

    /// Where batch `index` lies, until this object is gone; none past the last.
    pub fn lent(&self, index: i32) -> Option<Lent> {
        self.batches.get(usize::try_from(index).ok()?).map(Lending::lent)
    }

    /// Offset of the partition's first record.
    pub fn start_offset(&self) -> i64 {
        self.offsets[0].cast_signed()
    }

    /// Offset after its last record.
    pub fn end_offset(&self) -> i64 {
        self.offsets[1].cast_signed()
    }

    /// Where to go on reading.
    pub fn next_offset(&self) -> i64 {
        self.offsets[2].cast_signed()
    }
}

/// Reads one batch as it is stored, with its header, after checking all of it; `CORRUPT_BATCH`
/// says what is wrong with it.
#[uniffi::export]
pub fn stored_batch(bytes: Vec<u8>) -> Result<NativeBatches, NativeError> {
    let batch = stored::Batch::decode(bytes.into()).map_err(|why| {
        let text = format!("no batch that could be read: {why}");
        Failure::invalid(tidewire::Code::CORRUPT_BATCH, text)
    })?;
    let first = batch.header().base_offset;
    let next = batch.last_offset().saturating_add(1);
    Ok(NativeBatches { batches: vec![Lending::of_stored(batch)], offsets: [first, next, next] })
}

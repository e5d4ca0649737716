//! A batch as the languages read it: a head that says where its columns are
//! (`tidewire::foreign`), and its body as it is stored, decompressed.
//!
//! Owns the lending. The one invariant: what is lent stays where it is until its owner takes the
//! next batch or is gone, and is never written.

use tidewire::Batch;
use tidewire::foreign::{HEAD_LEN, head, head_of_stored};
use tidewire_protocol::batch as stored;

use crate::failure::{Failure, NativeError};

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
    head: Box<[u32; HEAD_LEN / 4]>,
    batch: stored::Batch,
}

impl Lending {
    /// Of what was delivered; `topic` is a number that stands for its topic.
    pub(crate) fn new(batch: &Batch, topic: u32) -> Self {
        Self { head: Box::new(head(batch, topic)), batch: batch.stored().clone() }
    }

    /// Of a batch that was stored elsewhere.
    fn of_stored(batch: stored::Batch) -> Self {
        Self { head: Box::new(head_of_stored(&batch)), batch }
    }

    pub(crate) fn lent(&self) -> Lent {
        let body = self.batch.body();
        Lent {
            head: (self.head.as_ptr().addr() as u64).cast_signed(),
            head_len: HEAD_LEN as i32,
            body: (body.as_ptr().addr() as u64).cast_signed(),
            // A body is far below 2 GiB: the protocol has a limit.
            body_len: body.len() as i32,
        }
    }
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

//! The log's promises. Here: what the tests share.

mod at_rest;
mod crashes;
mod damage;
mod failures;
mod fetches;
mod mending;
mod round_trip;

use std::path::Path;

use bytes::Bytes;
use tidewire_protocol::batch::{BatchBuilder, RecordRef, STAMP_LEN, Sequence, Stamp};

use super::{Log, LogCopier, LogCopy, LogOptions, Recovery};
use crate::disk::Disk;
use crate::error::Error;

const DIR: &str = "/topics/1/0";
const EPOCH: u32 = 3;
const OPTIONS: LogOptions =
    LogOptions { segment_bytes: 4096, index_interval_bytes: 512, leader_epoch: EPOCH };

/// A batch of `records` values of `len` bytes, all of them `fill`.
fn batch(fill: u8, records: usize, len: usize) -> Bytes {
    let mut builder = BatchBuilder::new(8 << 20, 65_536);
    let value = vec![fill; len];
    for _ in 0..records {
        builder.push(&RecordRef { value: Some(&value), ..RecordRef::at(0) }).unwrap();
    }
    builder.seal(Sequence::default())
}

/// What the log should hold: each batch's offsets and stamped bytes.
#[derive(Clone, Debug, Default)]
struct Model {
    batches: Vec<Stored>,
}

#[derive(Clone, Debug)]
struct Stored {
    base: u64,
    next: u64,
    bytes: Bytes,
}

impl Model {
    fn end(&self) -> u64 {
        self.batches.last().map_or(0, |stored| stored.next)
    }

    fn append(&mut self, batch: &Bytes, records: usize, append_time_us: i64) {
        let base = self.end();
        let stamp = Stamp { base_offset: base, append_time_us, leader_epoch: EPOCH };
        let mut bytes = batch.to_vec();
        bytes[..STAMP_LEN].copy_from_slice(&stamp.encode_for(batch));
        self.batches.push(Stored { base, next: base + records as u64, bytes: bytes.into() });
    }

    fn bytes(&self) -> Vec<u8> {
        self.batches.iter().map(|stored| &stored.bytes[..]).collect::<Vec<_>>().concat()
    }

    fn size_bytes(&self) -> u64 {
        self.batches.iter().map(|stored| stored.bytes.len() as u64).sum()
    }
}

fn open<D: Disk>(disk: &D) -> (Log<D>, Recovery) {
    Log::open(disk.clone(), Path::new(DIR), OPTIONS).expect("the log opens")
}

/// Copies the log.
fn copy<D: Disk>(disk: &D, to: &Path) -> Result<LogCopy, Error> {
    LogCopier::begin(disk, Path::new(DIR), to)?.run(|_| {})
}

/// Appends to the log and the model alike.
fn append<D: Disk>(log: &mut Log<D>, model: &mut Model, fill: u8, records: usize, len: usize) {
    let batch = batch(fill, records, len);
    log.append(std::slice::from_ref(&batch), 0).expect("the append goes well");
    model.append(&batch, records, 0);
}

/// All bytes from the start to `end`, read in chunks of about `max_bytes`.
fn read_all<D: Disk>(log: &Log<D>, max_bytes: usize, end: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut offset = log.start_offset();
    while offset < end {
        let chunk = log.read(offset, max_bytes, end).expect("the read goes well");
        assert_eq!(chunk.base_offset, offset, "chunks follow on each other");
        assert!(chunk.next_offset > offset, "a chunk below the end is not empty");
        offset = chunk.next_offset;
        bytes.extend_from_slice(&chunk.bytes);
    }
    bytes
}

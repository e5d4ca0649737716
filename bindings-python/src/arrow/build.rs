//! A batch as an Arrow struct array.
//!
//! Owns the columns: `partition` int32, `offset` int64, `timestamp` in microseconds UTC, `key` and
//! `value` binary, `headers` a list of names and values. The one invariant: the schema is the same
//! for every batch.

use std::ffi::c_void;
use std::ptr;

use bytes::Bytes;
use tidewire::Batch;
use tidewire_protocol::batch::{Columns, Layout};

use super::abi::{ArrowArray, ArrowSchema, NULLABLE};

/// The schema of every batch.
pub(super) fn schema() -> ArrowSchema {
    let header = ArrowSchema::new(
        c"+s",
        "item",
        0,
        vec![
            ArrowSchema::new(c"u", "name", 0, Vec::new()),
            ArrowSchema::new(c"z", "value", 0, Vec::new()),
        ],
    );
    ArrowSchema::new(
        c"+s",
        "",
        0,
        vec![
            ArrowSchema::new(c"i", "partition", 0, Vec::new()),
            ArrowSchema::new(c"l", "offset", 0, Vec::new()),
            ArrowSchema::new(c"tsu:UTC", "timestamp", 0, Vec::new()),
            ArrowSchema::new(c"z", "key", NULLABLE, Vec::new()),
            ArrowSchema::new(c"z", "value", NULLABLE, Vec::new()),
            ArrowSchema::new(c"+l", "headers", 0, vec![header]),
        ],
    )
}

/// The records that a batch shows.
pub(super) fn array(batch: &Batch) -> ArrowArray {
    let len = batch.len();
    let columns = vec![
        fixed(vec![batch.partition().cast_signed(); len]),
        fixed(batch.iter().map(|record| record.offset().cast_signed()).collect::<Vec<i64>>()),
        fixed(batch.iter().map(|record| record.timestamp_us()).collect::<Vec<i64>>()),
        keys(batch),
        values(batch),
        headers(batch),
    ];
    ArrowArray::new(len, 0, 0, vec![ptr::null()], columns, Box::new(()))
}

/// A column of numbers.
fn fixed<T: Send + 'static>(numbers: Vec<T>) -> ArrowArray {
    let (at, len) = (numbers.as_ptr().cast::<c_void>(), numbers.len());
    ArrowArray::new(len, 0, 0, vec![ptr::null(), at], Vec::new(), Box::new(numbers))
}

fn values(batch: &Batch) -> ArrowArray {
    let layout = batch.stored().layout();
    let validity = layout.columns.has(Columns::VALUE_NULLS).then_some(layout.value_validity);
    binary(batch, layout, (0, layout.values_end), layout.value_ends, validity)
}

fn keys(batch: &Batch) -> ArrowArray {
    let layout = batch.stored().layout();
    if layout.columns.has(Columns::KEYS) {
        let validity = layout.columns.has(Columns::KEY_NULLS).then_some(layout.key_validity);
        let data = (layout.values_end, layout.keys_end);
        return binary(batch, layout, data, layout.key_ends, validity);
    }
    // Nobody has a key.
    let len = batch.len();
    let (bits, ends) = (vec![0u8; len.div_ceil(8)], vec![0i32; len + 1]);
    let buffers = vec![bits.as_ptr().cast(), ends.as_ptr().cast(), ends.as_ptr().cast()];
    ArrowArray::new(len, 0, len as i64, buffers, Vec::new(), Box::new((bits, ends)))
}

/// A column of bytes, where it lies: data, the table of its ends, a bitmap of those that exist.
fn binary(
    batch: &Batch,
    layout: &Layout,
    data: (usize, usize),
    ends: usize,
    validity: Option<usize>,
) -> ArrowArray {
    let body = batch.stored().slice(0..batch.stored().body().len());
    let at = |place: usize| body.as_ptr().wrapping_add(place).cast::<c_void>();
    let table = &body[ends..ends + 4 * (layout.count + 1)];
    // Arrow's offsets are native numbers, which have to lie where such numbers may.
    let lies_well = table.as_ptr().addr().is_multiple_of(align_of::<i32>());
    let copied: Option<Vec<i32>> = (!lies_well || cfg!(target_endian = "big")).then(|| {
        let entries = table.as_chunks::<4>().0;
        entries.iter().map(|entry| i32::from_le_bytes(*entry)).collect()
    });
    let offsets = copied.as_ref().map_or(at(ends), |copied| copied.as_ptr().cast());
    let buffers = vec![validity.map_or(ptr::null(), at), offsets, at(data.0)];
    // How many are null is counted by who wants to know.
    let nulls = if validity.is_some() { -1 } else { 0 };
    let owners: (Bytes, Option<Vec<i32>>) = (body.clone(), copied);
    ArrowArray::new(batch.len(), batch.hidden(), nulls, buffers, Vec::new(), Box::new(owners))
}

fn headers(batch: &Batch) -> ArrowArray {
    let mut lists = Vec::with_capacity(batch.len() + 1);
    let (mut names, mut values) = (Text::default(), Text::default());
    lists.push(0i32);
    for record in batch {
        for (name, value) in record.headers() {
            names.push(name.as_bytes());
            values.push(value);
        }
        lists.push(names.len() as i32);
    }
    let count = names.len();
    let pair = vec![names.into_array(), values.into_array()];
    let pairs = ArrowArray::new(count, 0, 0, vec![ptr::null()], pair, Box::new(()));
    let buffers = vec![ptr::null(), lists.as_ptr().cast()];
    ArrowArray::new(batch.len(), 0, 0, buffers, vec![pairs], Box::new(lists))
}

/// A column of bytes that is made anew.
struct Text {
    ends: Vec<i32>,
    data: Vec<u8>,
}

impl Default for Text {
    fn default() -> Self {
        Self { ends: vec![0], data: Vec::new() }
    }
}

impl Text {
    fn push(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        // A batch is far smaller than what this holds.
        self.ends.push(self.data.len() as i32);
    }

    fn len(&self) -> usize {
        self.ends.len() - 1
    }

    fn into_array(self) -> ArrowArray {
        let len = self.len();
        let buffers = vec![ptr::null(), self.ends.as_ptr().cast(), self.data.as_ptr().cast()];
        ArrowArray::new(len, 0, 0, buffers, Vec::new(), Box::new((self.ends, self.data)))
    }
}

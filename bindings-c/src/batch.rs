//! Batches and their records.
//!
//! Owns the handle of a batch and the views of its records. The one invariant: what a view points
//! to lives exactly as long as its batch.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;

use tidewire::{Batch, RecordView};
use tidewire_protocol::batch::Columns;

use crate::client::tw_client;
use crate::error::tw_error;
use crate::guard::{
    boxed, free, guard, guard_value, handle, place, read_sized, text, tw_status, value,
};
use crate::lists::{hand_out, take_back};
use crate::options::tw_fetch_options;
use crate::ticket::{tw_header, tw_slice};

/// A batch, and the name of its topic as C writes it.
#[derive(Debug)]
pub struct BatchValue {
    pub(crate) batch: Batch,
    topic: CString,
}

handle! {
    /// Consecutive records of one partition. What it shows never changes: any number of threads may
    /// read it. It is freed by `tw_batch_free`, unless it is part of something else.
    tw_batch(BatchValue), b"tw_batch", "batch"
}

impl tw_batch {
    pub(crate) fn of(batch: Batch) -> *mut Self {
        let topic = CString::new(batch.topic().to_string()).unwrap_or_default();
        boxed(BatchValue { batch, topic })
    }
}

/// A record of a batch. All that it points to belongs to the batch and lives as long.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_record_view {
    /// Its offset in the partition.
    pub offset: u64,
    /// Its producer's time, in microseconds since the Unix epoch.
    pub timestamp_us: i64,
    /// Its key; NULL is no key.
    pub key: tw_slice,
    /// Its value; NULL is a tombstone.
    pub value: tw_slice,
    /// Its headers, for `tw_header_next`.
    pub headers: tw_slice,
}

impl tw_record_view {
    #[inline]
    fn of(batch: &Batch, index: usize, record: &RecordView<'_>) -> Self {
        Self {
            offset: record.offset(),
            timestamp_us: record.timestamp_us(),
            key: tw_slice::of(record.key()),
            value: tw_slice::of(record.value()),
            headers: headers(batch, index),
        }
    }
}

/// The bytes of the headers of the record `index` of those shown.
#[inline]
fn headers(batch: &Batch, index: usize) -> tw_slice {
    let stored = batch.stored();
    let layout = stored.layout();
    if !layout.columns.has(Columns::HEADERS) {
        return tw_slice::NONE;
    }
    let at = layout.header_ends + 4 * (batch.hidden() + index);
    let body = stored.body();
    let end = |at: usize| {
        let bytes = body.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        layout.keys_end + bytes.map_or(0, u32::from_le_bytes) as usize
    };
    tw_slice::of(body.get(end(at)..end(at + 4)))
}

fn of(batch: Option<&tw_batch>) -> Option<&Batch> {
    value(batch).ok().map(|it| &it.batch)
}

/// How many records it has, at least one; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_batch_len(batch: Option<&tw_batch>) -> usize {
    guard_value(0, || of(batch).map_or(0, Batch::len))
}

/// The topic that it belongs to, `stream/topic`; lives as long as the batch. Empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_batch_topic(batch: Option<&tw_batch>) -> *const c_char {
    guard_value(c"".as_ptr(), || value(batch).map_or(c"".as_ptr(), |it| it.topic.as_ptr()))
}

/// The partition that it belongs to; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_batch_partition(batch: Option<&tw_batch>) -> u32 {
    guard_value(0, || of(batch).map_or(0, Batch::partition))
}

/// Offset of its first record; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_batch_base_offset(batch: Option<&tw_batch>) -> u64 {
    guard_value(0, || of(batch).map_or(0, Batch::base_offset))
}

/// Offset after its last record: where to go on reading; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_batch_next_offset(batch: Option<&tw_batch>) -> u64 {
    guard_value(0, || of(batch).map_or(0, Batch::next_offset))
}

/// Offset after the partition's last record, as known when the batch was delivered; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_batch_end_offset(batch: Option<&tw_batch>) -> u64 {
    guard_value(0, || of(batch).map_or(0, Batch::end_offset))
}

/// When the server appended it, in microseconds since the Unix epoch; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_batch_append_time_us(batch: Option<&tw_batch>) -> i64 {
    guard_value(0, || of(batch).map_or(0, Batch::append_time_us))
}

/// Shows record `index`, from 0. Returns false, and sets nothing, past the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_batch_get(
    batch: Option<&tw_batch>,
    index: usize,
    record: Option<&mut MaybeUninit<tw_record_view>>,
) -> bool {
    guard_value(false, || {
        let (Some(batch), Some(out)) = (of(batch), record) else { return false };
        let Some(record) = batch.get(index) else { return false };
        out.write(tw_record_view::of(batch, index, &record));
        true
    })
}

/// Shows up to `count` records from `first` on with one call; returns how many. `records` has room
/// for `count`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_batch_get_many(
    batch: Option<&tw_batch>,
    first: usize,
    records: *mut tw_record_view,
    count: usize,
) -> usize {
    guard_value(0, || {
        let Some(batch) = of(batch) else { return 0 };
        if records.is_null() || first >= batch.len() {
            return 0;
        }
        let count = count.min(batch.len() - first);
        for index in 0..count {
            let Some(record) = batch.get(first + index) else { return index };
            // SAFETY: as the header says, there is room for `count`.
            unsafe {
                records.add(index).write(tw_record_view::of(batch, first + index, &record))
            };
        }
        count
    })
}

/// Takes the next header off `rest`, which begins as a copy of a view's `headers`. Returns false,
/// and sets nothing, after the last one. What the header points to belongs to the batch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_header_next(
    rest: Option<&mut tw_slice>,
    header: Option<&mut MaybeUninit<tw_header>>,
) -> bool {
    guard_value(false, || {
        let (Some(rest), Some(header)) = (rest, header) else { return false };
        if rest.data.is_null() {
            return false;
        }
        // SAFETY: as the header says, it came from a view whose batch is still there.
        let bytes = unsafe { std::slice::from_raw_parts(rest.data.cast::<u8>(), rest.len) };
        let Some((lengths, bytes)) = bytes.split_first_chunk::<6>() else { return false };
        let name_len = usize::from(u16::from_le_bytes([lengths[0], lengths[1]]));
        let value_len = u32::from_le_bytes([lengths[2], lengths[3], lengths[4], lengths[5]]);
        let Some((name, bytes)) = bytes.split_at_checked(name_len) else { return false };
        let Some((value, left)) = bytes.split_at_checked(value_len as usize) else {
            return false;
        };
        header.write(tw_header {
            name: tw_slice::of(Some(name)),
            value: tw_slice::of(Some(value)),
        });
        *rest = tw_slice::of(Some(left));
        true
    })
}

/// Frees a batch; NULL is nothing to free. No view of it may be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_batch_free(batch: *mut tw_batch) {
    // SAFETY: as the header says.
    unsafe { free(batch) }
}

/// What a fetch read.
#[repr(C)]
#[derive(Debug)]
pub struct tw_fetched {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// Offset of the partition's first record.
    pub start_offset: u64,
    /// Offset after the last record that could be read.
    pub end_offset: u64,
    /// The offset to fetch next.
    pub next_offset: u64,
    /// How many batches.
    pub batch_count: usize,
    /// Batches in order; the first begins at the offset asked for, or after it. They belong to this
    /// struct.
    pub batches: *const *const tw_batch,
}

/// Batches that are freed together.
struct Batches(Vec<*const tw_batch>);

impl Drop for Batches {
    fn drop(&mut self) {
        for &batch in &self.0 {
            // SAFETY: made by `boxed`, and given away to be read only.
            unsafe { free(batch.cast_mut()) };
        }
    }
}

/// Reads batches of a partition once, from `offset` on. A consumer is the better way to read on and
/// on. `options` may be NULL. What `fetched` is given is freed by `tw_fetched_free`.
///
/// With `TW_E_OFFSET_OUT_OF_RANGE`, `tw_error_offsets` tells what there is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_fetch(
    client: Option<&tw_client>,
    topic: *const c_char,
    partition: u32,
    offset: u64,
    options: *const tw_fetch_options,
    fetched: Option<&mut MaybeUninit<*mut tw_fetched>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let out = place(fetched, "fetched")?;
        // SAFETY: as the header says.
        let (topic, options) = unsafe { (text(topic, "topic")?, read_sized(options)?) };
        let client = value(client)?.client()?;
        let found = client.fetch(topic, partition, offset, options.options())?;
        let batches = found.batches.into_iter().map(|batch| tw_batch::of(batch).cast_const());
        let batches = Batches(batches.collect());
        let shown = tw_fetched {
            size: size_of::<tw_fetched>(),
            start_offset: found.start_offset,
            end_offset: found.end_offset,
            next_offset: found.next_offset,
            batch_count: batches.0.len(),
            batches: batches.0.as_ptr(),
        };
        out.write(hand_out(shown, batches));
        Ok(())
    })
}

/// Frees what a fetch read, with its batches. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_fetched_free(fetched: *mut tw_fetched) {
    // SAFETY: as the header says.
    unsafe { take_back(fetched) }
}

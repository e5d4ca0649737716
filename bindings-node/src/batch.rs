//! A delivered batch as one `ArrayBuffer`: words that say where its columns are, then its body as
//! it is stored, decompressed.
//!
//! Owns the words' order, which `ts/batch.ts` reads. The one invariant: the body begins at a
//! multiple of 8, so that its tables are typed arrays of JavaScript without a copy.

use std::ptr;

use napi::sys;
use tidewire::Batch;

/// Bytes of the words before the body.
const HEAD: usize = 128;

/// The batch as a value of JavaScript. It is copied once: an external buffer over the core's
/// memory would be given back only when the event loop turns, and would hold the whole delivery.
pub(crate) fn array_buffer<'env>(
    env: &'env napi::Env,
    batch: &Batch,
    topic: u32,
) -> napi::Result<napi::Unknown<'env>> {
    let stored = batch.stored();
    let (header, layout, body) = (stored.header(), stored.layout(), stored.body());
    let low_high = |number: u64| [number as u32, (number >> 32) as u32];
    let [base_low, base_high] = low_high(header.base_offset);
    let [append_low, append_high] = low_high(header.append_time_us.cast_unsigned());
    let [time_low, time_high] = low_high(header.base_time_us.cast_unsigned());
    let [end_low, end_high] = low_high(batch.end_offset());
    let [next_low, next_high] = low_high(batch.next_offset());
    let words: [u32; HEAD / 4] = [
        topic,
        batch.partition(),
        layout.count as u32,
        u32::from(layout.columns.0),
        batch.hidden() as u32,
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
    ];
    let (mut value, mut data) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both out-pointers are valid for the call.
    let status = unsafe {
        sys::napi_create_arraybuffer(env.raw(), HEAD + body.len(), &mut data, &mut value)
    };
    if status != sys::Status::napi_ok {
        return Err(napi::Error::from_status(napi::Status::from(status)));
    }
    let data: *mut u8 = data.cast();
    // SAFETY: the new buffer has room for both, and nothing else refers to it yet. Its memory is
    // at least 8-aligned; the copies do not rely on it.
    unsafe {
        ptr::copy_nonoverlapping(words.as_ptr().cast(), data, HEAD);
        ptr::copy_nonoverlapping(body.as_ptr(), data.add(HEAD), body.len());
    }
    // SAFETY: just made in this environment.
    Ok(unsafe { napi::Unknown::from_raw_unchecked(env.raw(), value) })
}

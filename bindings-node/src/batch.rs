//! A delivered batch as one `ArrayBuffer`: a head that says where its columns are
//! (`tidewire::foreign`), then its body as it is stored, decompressed.
//!
//! Owns the copying. The one invariant: the body begins at a multiple of 8, so that its tables are
//! typed arrays of JavaScript without a copy.

use std::ptr;

use napi::sys;
use tidewire::Batch;
use tidewire::foreign::{HEAD_LEN, head};

/// The batch as a value of JavaScript. It is copied once: an external buffer over the core's
/// memory would be given back only when the event loop turns, and would hold the whole delivery.
pub(crate) fn array_buffer<'env>(
    env: &'env napi::Env,
    batch: &Batch,
    topic: u32,
) -> napi::Result<napi::Unknown<'env>> {
    let (words, body) = (head(batch, topic), batch.stored().body());
    let (mut value, mut data) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both out-pointers are valid for the call.
    let status = unsafe {
        sys::napi_create_arraybuffer(env.raw(), HEAD_LEN + body.len(), &mut data, &mut value)
    };
    if status != sys::Status::napi_ok {
        return Err(napi::Error::from_status(napi::Status::from(status)));
    }
    let data: *mut u8 = data.cast();
    // SAFETY: the new buffer has room for both, and nothing else refers to it yet. Its memory is
    // at least 8-aligned; the copies do not rely on it.
    unsafe {
        ptr::copy_nonoverlapping(words.as_ptr().cast(), data, HEAD_LEN);
        ptr::copy_nonoverlapping(body.as_ptr(), data.add(HEAD_LEN), body.len());
    }
    // SAFETY: just made in this environment.
    Ok(unsafe { napi::Unknown::from_raw_unchecked(env.raw(), value) })
}

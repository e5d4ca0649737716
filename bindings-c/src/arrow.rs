//! A batch as Arrow has it, through Arrow's C data interface.
//!
//! Owns the columns and who frees them: `partition` int32, `offset` int64, `timestamp` in
//! microseconds UTC, `key` and `value` binary, `headers` a list of names and values, as every
//! language of Tidewire's has them. Keys and values are not copied: the array keeps the batch's bytes.
//! The one invariant: what an array's buffers lie in lives until its `release`, whatever becomes of
//! the batch.

use std::any::Any;
use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use tidewire::Batch;
use tidewire_protocol::batch::Columns;

use crate::batch::tw_batch;
use crate::error::tw_error;
use crate::guard::{guard, guard_value, place, tw_status, value};

/// A type, as Arrow's C data interface lays it out.
#[repr(C)]
#[derive(Debug)]
pub struct ArrowSchema {
    /// How Arrow spells the type.
    pub format: *const c_char,
    /// The column's name.
    pub name: *const c_char,
    /// Not used.
    pub metadata: *const c_char,
    /// 2 if there may be nulls.
    pub flags: i64,
    /// How many children.
    pub n_children: i64,
    /// Pointers to them.
    pub children: *mut *mut ArrowSchema,
    /// Not used.
    pub dictionary: *mut ArrowSchema,
    /// Frees what it points to; NULL once that was done.
    pub release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    /// The library's own.
    pub private_data: *mut c_void,
}

/// Columns, as Arrow's C data interface lays them out.
#[repr(C)]
#[derive(Debug)]
pub struct ArrowArray {
    /// How many values.
    pub length: i64,
    /// How many of them are null; -1 is not known.
    pub null_count: i64,
    /// How many values to leave out at the buffers' start.
    pub offset: i64,
    /// How many buffers.
    pub n_buffers: i64,
    /// How many children.
    pub n_children: i64,
    /// Pointers to the buffers.
    pub buffers: *mut *const c_void,
    /// Pointers to the children.
    pub children: *mut *mut ArrowArray,
    /// Not used.
    pub dictionary: *mut ArrowArray,
    /// Frees what it points to; NULL once that was done.
    pub release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    /// The library's own.
    pub private_data: *mut c_void,
}

const NULLABLE: i64 = 2;

fn schema(
    format: &'static CStr,
    name: &'static CStr,
    flags: i64,
    children: Vec<ArrowSchema>,
) -> ArrowSchema {
    let children: Vec<*mut ArrowSchema> =
        children.into_iter().map(|child| Box::into_raw(Box::new(child))).collect();
    let mut children = Box::new(children);
    ArrowSchema {
        format: format.as_ptr(),
        name: name.as_ptr(),
        metadata: ptr::null(),
        flags,
        n_children: children.len() as i64,
        children: children.as_mut_ptr(),
        dictionary: ptr::null_mut(),
        release: Some(release_schema),
        private_data: Box::into_raw(children).cast(),
    }
}

unsafe extern "C" fn release_schema(it: *mut ArrowSchema) {
    guard_value((), || {
        // SAFETY: made by `schema`; it is released once, and then says so.
        unsafe {
            let children = Box::from_raw((*it).private_data.cast::<Vec<*mut ArrowSchema>>());
            for &child in children.iter() {
                if let Some(release) = (*child).release {
                    release(child);
                }
                drop(Box::from_raw(child));
            }
            (*it).release = None;
        }
    });
}

/// What an array points to.
struct Behind {
    buffers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
    _owner: Box<dyn Any>,
}

fn array(
    length: usize,
    offset: usize,
    null_count: i64,
    buffers: Vec<*const c_void>,
    children: Vec<ArrowArray>,
    owner: impl Any,
) -> ArrowArray {
    let children = children.into_iter().map(|child| Box::into_raw(Box::new(child))).collect();
    let mut behind = Box::new(Behind { buffers, children, _owner: Box::new(owner) });
    ArrowArray {
        length: length as i64,
        null_count,
        offset: offset as i64,
        n_buffers: behind.buffers.len() as i64,
        n_children: behind.children.len() as i64,
        buffers: behind.buffers.as_mut_ptr(),
        children: behind.children.as_mut_ptr(),
        dictionary: ptr::null_mut(),
        release: Some(release_array),
        private_data: Box::into_raw(behind).cast(),
    }
}

unsafe extern "C" fn release_array(it: *mut ArrowArray) {
    guard_value((), || {
        // SAFETY: made by `array`; it is released once, and then says so. A child that was moved
        // away has no release any more, but its place is still to be freed.
        unsafe {
            let behind = Box::from_raw((*it).private_data.cast::<Behind>());
            for &child in &behind.children {
                if let Some(release) = (*child).release {
                    release(child);
                }
                drop(Box::from_raw(child));
            }
            (*it).release = None;
        }
    });
}

fn batch_schema() -> ArrowSchema {
    let header =
        vec![schema(c"u", c"name", 0, Vec::new()), schema(c"z", c"value", 0, Vec::new())];
    let columns = vec![
        schema(c"i", c"partition", 0, Vec::new()),
        schema(c"l", c"offset", 0, Vec::new()),
        schema(c"tsu:UTC", c"timestamp", 0, Vec::new()),
        schema(c"z", c"key", NULLABLE, Vec::new()),
        schema(c"z", c"value", NULLABLE, Vec::new()),
        schema(c"+l", c"headers", 0, vec![schema(c"+s", c"item", 0, header)]),
    ];
    schema(c"+s", c"", 0, columns)
}

fn batch_array(batch: &Batch) -> ArrowArray {
    let len = batch.len();
    let layout = batch.stored().layout();
    let has = |column| layout.columns.has(column);
    let keys = match has(Columns::KEYS) {
        true => {
            let nulls = has(Columns::KEY_NULLS).then_some(layout.key_validity);
            binary(batch, layout.values_end, layout.key_ends, nulls)
        }
        false => no_keys(len),
    };
    let nulls = has(Columns::VALUE_NULLS).then_some(layout.value_validity);
    let columns = vec![
        fixed(vec![batch.partition().cast_signed(); len]),
        fixed(batch.iter().map(|record| record.offset().cast_signed()).collect()),
        fixed(batch.iter().map(|record| record.timestamp_us()).collect()),
        keys,
        binary(batch, 0, layout.value_ends, nulls),
        headers(batch),
    ];
    array(len, 0, 0, vec![ptr::null()], columns, ())
}

/// A column of numbers.
fn fixed<T: 'static>(numbers: Vec<T>) -> ArrowArray {
    let buffers = vec![ptr::null(), numbers.as_ptr().cast()];
    array(numbers.len(), 0, 0, buffers, Vec::new(), numbers)
}

/// A column of nulls.
fn no_keys(len: usize) -> ArrowArray {
    let (bits, ends) = (vec![0u8; len.div_ceil(8)], vec![0i32; len + 1]);
    let buffers = vec![bits.as_ptr().cast(), ends.as_ptr().cast(), ends.as_ptr().cast()];
    array(len, 0, len as i64, buffers, Vec::new(), (bits, ends))
}

/// A column of bytes where it lies in the batch: its data from `data` on, the table of its ends, and
/// a bitmap of those that are there.
fn binary(batch: &Batch, data: usize, ends: usize, validity: Option<usize>) -> ArrowArray {
    let body = batch.stored().slice(0..batch.stored().body().len());
    let at = |place: usize| body.as_ptr().wrapping_add(place).cast::<c_void>();
    let table = &body[ends..ends + 4 * (batch.stored().len() + 1)];
    // Arrow's numbers are the machine's, and lie where it wants them.
    let lies_well = table.as_ptr().addr().is_multiple_of(align_of::<i32>());
    let copied: Option<Vec<i32>> = (!lies_well || cfg!(target_endian = "big"))
        .then(|| table.as_chunks::<4>().0.iter().map(|it| i32::from_le_bytes(*it)).collect());
    let offsets = copied.as_ref().map_or(at(ends), |copied| copied.as_ptr().cast());
    let buffers = vec![validity.map_or(ptr::null(), at), offsets, at(data)];
    let nulls = if validity.is_some() { -1 } else { 0 };
    array(batch.len(), batch.hidden(), nulls, buffers, Vec::new(), (body.clone(), copied))
}

fn headers(batch: &Batch) -> ArrowArray {
    let (mut lists, mut name_ends, mut value_ends) = (vec![0i32], vec![0i32], vec![0i32]);
    let (mut names, mut values) = (Vec::<u8>::new(), Vec::<u8>::new());
    for record in batch {
        for (name, value) in record.headers() {
            names.extend_from_slice(name.as_bytes());
            values.extend_from_slice(value);
            // A batch is far smaller than what these hold.
            name_ends.push(names.len() as i32);
            value_ends.push(values.len() as i32);
        }
        lists.push(name_ends.len() as i32 - 1);
    }
    let count = name_ends.len() - 1;
    let text = |ends: Vec<i32>, data: Vec<u8>| {
        let buffers = vec![ptr::null(), ends.as_ptr().cast(), data.as_ptr().cast()];
        array(count, 0, 0, buffers, Vec::new(), (ends, data))
    };
    let pair = vec![text(name_ends, names), text(value_ends, values)];
    let pairs = array(count, 0, 0, vec![ptr::null()], pair, ());
    let buffers = vec![ptr::null(), lists.as_ptr().cast()];
    array(batch.len(), 0, 0, buffers, vec![pairs], lists)
}

/// Gives a batch to an Arrow implementation of the same process: a struct array with a row for each
/// record, and its schema. Keys and values are not copied. Both are the caller's, who passes them on
/// or calls their `release`; the batch may be freed before. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_batch_export_arrow(
    batch: Option<&tw_batch>,
    out_array: Option<&mut MaybeUninit<ArrowArray>>,
    out_schema: Option<&mut MaybeUninit<ArrowSchema>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let batch = &value(batch)?.batch;
        let (out_array, out_schema) =
            (place(out_array, "out_array")?, place(out_schema, "out_schema")?);
        out_schema.write(batch_schema());
        out_array.write(batch_array(batch));
        Ok(())
    })
}

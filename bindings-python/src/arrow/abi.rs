//! The structures of Arrow's C data and C stream interfaces.
//!
//! Owns their layout, which Arrow has fixed, and who frees what. The one invariant: a structure
//! whose `release` is null holds nothing.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use super::Empty;

/// A type, as Arrow's C data interface has it.
#[repr(C)]
pub(crate) struct ArrowSchema {
    pub(crate) format: *const c_char,
    pub(crate) name: *const c_char,
    pub(crate) metadata: *const c_char,
    pub(crate) flags: i64,
    pub(crate) n_children: i64,
    pub(crate) children: *mut *mut Self,
    pub(crate) dictionary: *mut Self,
    pub(crate) release: Option<unsafe extern "C" fn(*mut Self)>,
    pub(crate) private_data: *mut c_void,
}

/// An array, as Arrow's C data interface has it.
#[repr(C)]
pub(crate) struct ArrowArray {
    pub(crate) length: i64,
    pub(crate) null_count: i64,
    pub(crate) offset: i64,
    pub(crate) n_buffers: i64,
    pub(crate) n_children: i64,
    pub(crate) buffers: *mut *const c_void,
    pub(crate) children: *mut *mut Self,
    pub(crate) dictionary: *mut Self,
    pub(crate) release: Option<unsafe extern "C" fn(*mut Self)>,
    pub(crate) private_data: *mut c_void,
}

/// A stream of arrays, as Arrow's C stream interface has it.
#[repr(C)]
pub(crate) struct ArrowArrayStream {
    pub(crate) get_schema: Option<unsafe extern "C" fn(*mut Self, *mut ArrowSchema) -> c_int>,
    pub(crate) get_next: Option<unsafe extern "C" fn(*mut Self, *mut ArrowArray) -> c_int>,
    pub(crate) get_last_error: Option<unsafe extern "C" fn(*mut Self) -> *const c_char>,
    pub(crate) release: Option<unsafe extern "C" fn(*mut Self)>,
    pub(crate) private_data: *mut c_void,
}

/// A column may have nulls.
pub(crate) const NULLABLE: i64 = 2;

struct SchemaParts {
    _name: CString,
    children: Vec<*mut ArrowSchema>,
}

impl ArrowSchema {
    /// A type of a name; `format` as the interface spells it.
    pub(crate) fn new(
        format: &'static CStr,
        name: &str,
        flags: i64,
        children: Vec<Self>,
    ) -> Self {
        let name = CString::new(name).expect("names are written here");
        let children: Vec<*mut Self> =
            children.into_iter().map(|child| Box::into_raw(Box::new(child))).collect();
        let mut parts = Box::new(SchemaParts { _name: name, children });
        Self {
            format: format.as_ptr(),
            name: parts._name.as_ptr(),
            metadata: ptr::null(),
            flags,
            n_children: parts.children.len() as i64,
            children: parts.children.as_mut_ptr(),
            dictionary: ptr::null_mut(),
            release: Some(release_schema),
            private_data: Box::into_raw(parts).cast(),
        }
    }

    pub(crate) fn release(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: it is released once: the function takes itself away.
            unsafe { release(self) };
        }
    }

    /// The format's text.
    pub(crate) fn format(&self) -> &str {
        text(self.format)
    }

    /// The name; empty if it has none.
    pub(crate) fn name(&self) -> &str {
        text(self.name)
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = &Self> {
        let count = if self.children.is_null() { 0 } else { self.n_children.max(0) as usize };
        // SAFETY: there are as many pointers, each to a child, says the interface.
        (0..count).map(|at| unsafe { &**self.children.add(at) })
    }
}

fn text<'a>(at: *const c_char) -> &'a str {
    if at.is_null() {
        return "";
    }
    // SAFETY: the texts of a schema end in a zero and live as long as it.
    unsafe { CStr::from_ptr(at) }.to_str().unwrap_or_default()
}

unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    // SAFETY: `private_data` and the children are boxes of `ArrowSchema::new`, taken back once.
    unsafe {
        let schema = &mut *schema;
        let parts = Box::from_raw(schema.private_data.cast::<SchemaParts>());
        for &child in &parts.children {
            Box::from_raw(child).release();
        }
        schema.release = None;
        schema.private_data = ptr::null_mut();
    }
}

struct ArrayParts {
    buffers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
    /// What the buffers are parts of.
    _owners: Box<dyn std::any::Any + Send>,
}

impl ArrowArray {
    /// An array over buffers that `owners` keeps alive.
    pub(crate) fn new(
        length: usize,
        offset: usize,
        null_count: i64,
        buffers: Vec<*const c_void>,
        children: Vec<Self>,
        owners: Box<dyn std::any::Any + Send>,
    ) -> Self {
        let children: Vec<*mut Self> =
            children.into_iter().map(|child| Box::into_raw(Box::new(child))).collect();
        let mut parts = Box::new(ArrayParts { buffers, children, _owners: owners });
        Self {
            length: length as i64,
            null_count,
            offset: offset as i64,
            n_buffers: parts.buffers.len() as i64,
            n_children: parts.children.len() as i64,
            buffers: parts.buffers.as_mut_ptr(),
            children: parts.children.as_mut_ptr(),
            dictionary: ptr::null_mut(),
            release: Some(release_array),
            private_data: Box::into_raw(parts).cast(),
        }
    }

    pub(crate) fn release(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: it is released once: the function takes itself away.
            unsafe { release(self) };
        }
    }

    /// Child `at`, if there is one.
    pub(crate) fn child(&self, at: usize) -> Option<&Self> {
        if self.children.is_null() || at as i64 >= self.n_children {
            return None;
        }
        // SAFETY: there are `n_children` pointers, each to a child.
        Some(unsafe { &**self.children.add(at) })
    }

    /// Buffer `at`; null if there is none.
    pub(crate) fn buffer(&self, at: usize) -> *const c_void {
        if self.buffers.is_null() || at as i64 >= self.n_buffers {
            return ptr::null();
        }
        // SAFETY: there are `n_buffers` pointers.
        unsafe { *self.buffers.add(at) }
    }
}

unsafe extern "C" fn release_array(array: *mut ArrowArray) {
    // SAFETY: `private_data` and the children are boxes of `ArrowArray::new`, taken back once. A
    // child that was moved away has no release of its own any more.
    unsafe {
        let array = &mut *array;
        let parts = Box::from_raw(array.private_data.cast::<ArrayParts>());
        for &child in &parts.children {
            Box::from_raw(child).release();
        }
        array.release = None;
        array.private_data = ptr::null_mut();
    }
}

impl ArrowArrayStream {
    pub(crate) fn release(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: it is released once: the function takes itself away.
            unsafe { release(self) };
        }
    }
}

impl Empty for ArrowSchema {
    fn empty() -> Self {
        Self {
            format: ptr::null(),
            name: ptr::null(),
            metadata: ptr::null(),
            flags: 0,
            n_children: 0,
            children: ptr::null_mut(),
            dictionary: ptr::null_mut(),
            release: None,
            private_data: ptr::null_mut(),
        }
    }
}

impl Empty for ArrowArray {
    fn empty() -> Self {
        Self {
            length: 0,
            null_count: 0,
            offset: 0,
            n_buffers: 0,
            n_children: 0,
            buffers: ptr::null_mut(),
            children: ptr::null_mut(),
            dictionary: ptr::null_mut(),
            release: None,
            private_data: ptr::null_mut(),
        }
    }
}

impl Empty for ArrowArrayStream {
    fn empty() -> Self {
        Self {
            get_schema: None,
            get_next: None,
            get_last_error: None,
            release: None,
            private_data: ptr::null_mut(),
        }
    }
}

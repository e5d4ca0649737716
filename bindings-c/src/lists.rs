//! What the library allocates for its caller: structs with texts, one by one or in lists.
//!
//! Owns the memory behind them. A struct in a list is reached through a pointer of its own, so
//! that it may grow at its end without moving the next one; for the same reason each begins with
//! its size. The one invariant: all that such a struct points to is freed with it, and not before.

use std::any::Any;
use std::ffi::{CString, c_char};

use crate::guard::guard_value;

/// Things that structs point to. They are held by pointer alone, since moving a box would end
/// what was lent of it.
#[derive(Debug)]
pub(crate) struct Items<T>(Vec<*const T>);

impl<T> Items<T> {
    pub(crate) fn new(items: impl IntoIterator<Item = T>) -> Self {
        let mut kept = Self(Vec::new());
        for item in items {
            kept.keep(item);
        }
        kept
    }

    /// Keeps one more; where it is.
    pub(crate) fn keep(&mut self, item: T) -> *const T {
        let place = Box::into_raw(Box::new(item));
        self.0.push(place);
        place
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where the pointers to them are; only once all are kept.
    pub(crate) fn as_ptr(&self) -> *const *const T {
        self.0.as_ptr()
    }
}

impl<T> Drop for Items<T> {
    fn drop(&mut self) {
        for &item in &self.0 {
            // SAFETY: made above by `Box::into_raw`, and given away to be read only.
            drop(unsafe { Box::from_raw(item.cast_mut()) });
        }
    }
}

/// Texts that structs point to.
#[derive(Debug, Default)]
pub(crate) struct Texts(Vec<*mut c_char>);

impl Texts {
    /// Keeps a text; where it is, ending with a NUL.
    pub(crate) fn keep(&mut self, text: &str) -> *const c_char {
        let text = CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default().into_raw();
        self.0.push(text);
        text
    }
}

impl Drop for Texts {
    fn drop(&mut self) {
        for &text in &self.0 {
            // SAFETY: made above by `CString::into_raw`, and given away to be read only.
            drop(unsafe { CString::from_raw(text) });
        }
    }
}

/// A struct as C sees it, and what it points to behind it.
#[repr(C)]
struct Kept<T> {
    shown: T,
    behind: Box<dyn Any>,
}

/// Hands a struct out. `behind` owns all that it points to.
pub(crate) fn hand_out<T>(shown: T, behind: impl Any) -> *mut T {
    Box::into_raw(Box::new(Kept { shown, behind: Box::new(behind) })).cast()
}

/// Takes back what [`hand_out`] gave; NULL is nothing.
///
/// # Safety
/// It came from there with this very type, and nobody uses it any more.
pub(crate) unsafe fn take_back<T>(shown: *mut T) {
    if !shown.is_null() {
        // SAFETY: as the caller says; `Kept` begins with what is shown.
        guard_value((), || drop(unsafe { Box::from_raw(shown.cast::<Kept<T>>()) }));
    }
}

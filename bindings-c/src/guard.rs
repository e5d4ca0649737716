//! The border: panics end here, and what C hands over is looked at before it is used.
//!
//! Owns the tag by which a handle is known, the reading of texts and option structs, and turning
//! a `Result` into a status and an error. The one invariant: nothing behind a pointer is believed
//! before it was checked as far as it can be.

use std::any::Any;
use std::ffi::{CStr, c_char};
use std::mem::{MaybeUninit, offset_of};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tidewire::{Code, Error};

use crate::client::interruptible;
use crate::error::{Failure, tw_error};

/// What a function returns: `TW_OK`, or the number of an error, one of `TW_E_…`.
pub type tw_status = i32;

/// Nothing went wrong: `TW_OK`.
const OK: tw_status = 0;

/// An error of this side, with what is wrong in words.
pub(crate) fn invalid(text: impl Into<String>) -> Error {
    failed(Code::INVALID_ARGUMENT, text)
}

pub(crate) fn failed(code: Code, text: impl Into<String>) -> Error {
    tidewire_protocol::error::Error::new(code, text).into()
}

/// Runs `f`; what goes wrong, a panic included, becomes a status, and an error where `err` leads.
pub(crate) fn guard(
    err: Option<&mut MaybeUninit<*mut tw_error>>,
    f: impl FnOnce() -> Result<(), Failure>,
) -> tw_status {
    let failure = match catch_unwind(AssertUnwindSafe(|| interruptible(f))) {
        Ok(Ok(())) => return OK,
        Ok(Err(failure)) => failure,
        Err(panic) => panicked(&*panic).into(),
    };
    let status = i32::from(failure.error.code().0);
    if let Some(err) = err {
        // Making the error is no place to fail in, either.
        let made = catch_unwind(AssertUnwindSafe(|| tw_error::boxed(failure)));
        err.write(made.unwrap_or(std::ptr::null_mut()));
    }
    status
}

/// For functions without an error: what they return instead after a panic.
pub(crate) fn guard_value<T>(otherwise: T, f: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or(otherwise)
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text");
    failed(Code::INTERNAL, format!("libtidewire panicked, which is a defect of it: {text}"))
}

/// A value behind a handle. Its tag tells whether a pointer leads to one of its kind.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Tagged<T> {
    tag: AtomicU64,
    pub(crate) value: T,
}

/// What a freed handle says, for as long as nobody else has its memory.
const FREED: u64 = 0x6465_6572_665f_7774;

const _: () = assert!(offset_of!(Tagged<u8>, tag) == 0);

/// What a handle is: a tag of its own, and a name for errors.
pub(crate) trait Handle: Sized {
    type Value;
    /// Eight letters, as they would stand in memory.
    const TAG: u64;
    const NAME: &'static str;

    fn wrap(tagged: Tagged<Self::Value>) -> Self;
    fn tagged(&self) -> &Tagged<Self::Value>;
}

/// A type of handle: opaque to C, since it is not `repr(C)`.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident($value:ty), $tag:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(crate::guard::Tagged<$value>);

        impl crate::guard::Handle for $name {
            type Value = $value;
            const TAG: u64 = u64::from_le_bytes(*$tag);
            const NAME: &'static str = $what;

            fn wrap(tagged: crate::guard::Tagged<$value>) -> Self {
                Self(tagged)
            }

            fn tagged(&self) -> &crate::guard::Tagged<$value> {
                &self.0
            }
        }
    };
}
pub(crate) use handle;

/// A new handle; the caller owns it.
pub(crate) fn boxed<H: Handle>(value: H::Value) -> *mut H {
    const {
        // One field: its tag stands first, whatever the layout is called.
        assert!(size_of::<H>() == size_of::<Tagged<H::Value>>());
    }
    Box::into_raw(Box::new(H::wrap(Tagged { tag: AtomicU64::new(H::TAG), value })))
}

/// The value of a handle, if it is one.
pub(crate) fn value<H: Handle>(handle: Option<&H>) -> Result<&H::Value, Error> {
    let Some(handle) = handle else {
        return Err(invalid(format!("the {} is NULL", H::NAME)));
    };
    let tagged = handle.tagged();
    match tagged.tag.load(Ordering::Relaxed) {
        tag if tag == H::TAG => Ok(&tagged.value),
        FREED => Err(invalid(format!("the {} was freed", H::NAME))),
        _ => Err(invalid(format!("what was passed as a {} is none", H::NAME))),
    }
}

/// Frees a handle; NULL is nothing to free.
///
/// # Safety
/// It came from [`boxed`], and nobody uses it any more.
pub(crate) unsafe fn free<H: Handle>(handle: *mut H) {
    guard_value((), || {
        // SAFETY: NULL, or as the caller says.
        if value(unsafe { handle.as_ref() }).is_err() {
            // Freed before, or of another kind: to leave it is the lesser harm.
            return;
        }
        // SAFETY: it is one of its kind, which `boxed` made.
        let handle = unsafe { Box::from_raw(handle) };
        handle.tagged().tag.store(FREED, Ordering::Relaxed);
        drop(handle);
    });
}

/// A place for a result.
pub(crate) fn place<'a, T>(
    out: Option<&'a mut MaybeUninit<T>>,
    name: &str,
) -> Result<&'a mut MaybeUninit<T>, Error> {
    out.ok_or_else(|| invalid(format!("{name} is NULL")))
}

/// A text that ends with a NUL.
///
/// # Safety
/// NULL, or a text that lives as long as `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, Error> {
    // SAFETY: as the caller says.
    unsafe { optional_text(text, name) }?.ok_or_else(|| invalid(format!("{name} is NULL")))
}

/// As [`text`]; `None` for NULL.
///
/// # Safety
/// NULL, or a text that lives as long as `'a`.
pub(crate) unsafe fn optional_text<'a>(
    text: *const c_char,
    name: &str,
) -> Result<Option<&'a str>, Error> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: as the caller says, it ends with a NUL.
    let text = unsafe { CStr::from_ptr(text) };
    if text.to_bytes().windows(NUL.len()).any(|two| two == NUL) {
        let code =
            if NAMES.contains(&name) { Code::INVALID_NAME } else { Code::INVALID_ARGUMENT };
        return Err(failed(
            code,
            format!("{name} contains a NUL, which is a control character"),
        ));
    }
    text.to_str().map(Some).map_err(|why| invalid(format!("{name} is not UTF-8: {why}")))
}

/// What stands for a NUL within a text, which would end it: two bytes that are no UTF-8. A language
/// whose texts may contain NUL writes it so (Java's modified UTF-8 does), for it to be refused here
/// as any control character is, and not to cut the text short.
const NUL: &[u8] = &[0xC0, 0x80];

/// The arguments that are names.
const NAMES: &[&str] = &["topic", "stream", "group", "name", "user"];

/// An array; NULL only if it is empty.
///
/// # Safety
/// NULL, or `count` elements that live as long as `'a`.
pub(crate) unsafe fn array<'a, T>(
    items: *const T,
    count: usize,
    name: &str,
) -> Result<&'a [T], Error> {
    if count == 0 {
        return Ok(&[]);
    }
    if items.is_null() {
        return Err(invalid(format!("{name} is NULL, but {count} were announced")));
    }
    if count > isize::MAX as usize / size_of::<T>() {
        return Err(invalid(format!("{count} {name} do not fit into memory")));
    }
    // SAFETY: as the caller says.
    Ok(unsafe { std::slice::from_raw_parts(items, count) })
}

/// A struct that grows: its size stands first, and all that a program does not know of it is as
/// in `unset`.
///
/// # Safety
/// Plain data: any bytes of the caller's are a value of it. The first field is `size: usize`.
pub(crate) unsafe trait Grows: Copy {
    /// Its name in the header.
    const NAME: &'static str;
    /// The size it had when it was first released, which no program is below.
    const FIRST_SIZE: usize;
    /// With nothing set.
    fn unset() -> Self;
}

/// Reads a struct as far as the program that filled it knew it; `unset` for NULL.
///
/// # Safety
/// NULL, or as many bytes of a `T` as its size says.
pub(crate) unsafe fn read_sized<T: Grows>(from: *const T) -> Result<T, Error> {
    let mut value = T::unset();
    if from.is_null() {
        return Ok(value);
    }
    // SAFETY: whatever its size, it begins with it.
    let size = unsafe { from.cast::<usize>().read_unaligned() };
    if size < T::FIRST_SIZE || size > size_of::<T>() {
        let (name, most) = (T::NAME, size_of::<T>());
        let upper = name.to_uppercase();
        return Err(invalid(if size > most {
            format!(
                "{name} has the size {size}, but this libtidewire knows {most} bytes: the \
                 program was built with a later one, or did not begin with {upper}_INIT"
            )
        } else {
            format!("{name} has the size {size}: begin with {upper}_INIT")
        }));
    }
    // SAFETY: there are that many bytes, and any bytes are a value (`Grows`).
    unsafe {
        std::ptr::copy_nonoverlapping(
            from.cast::<u8>(),
            std::ptr::from_mut(&mut value).cast(),
            size,
        );
    }
    Ok(value)
}

/// Fills a struct of the caller's as far as it knows it; its size stays.
///
/// # Safety
/// As many bytes of a `T`, to be written to, as its size says.
pub(crate) unsafe fn write_sized<T: Grows>(to: *mut T, mut value: T) -> Result<(), Error> {
    if to.is_null() {
        return Err(invalid(format!("the place for a {} is NULL", T::NAME)));
    }
    // SAFETY: whatever its size, it begins with it.
    let size = unsafe { to.cast::<usize>().read_unaligned() };
    if size < T::FIRST_SIZE {
        let upper = T::NAME.to_uppercase();
        let text = format!("{} has the size {size}: begin with {upper}_INIT", T::NAME);
        return Err(invalid(text));
    }
    let known = size.min(size_of::<T>());
    // SAFETY: both have that many bytes; what the caller knows beyond is set to zero, which
    // stands for "not known".
    unsafe {
        std::ptr::from_mut(&mut value).cast::<usize>().write_unaligned(size);
        let bytes = std::ptr::from_ref(&value).cast::<u8>();
        std::ptr::copy_nonoverlapping(bytes, to.cast(), known);
        to.cast::<u8>().add(known).write_bytes(0, size - known);
    }
    Ok(())
}

/// A time to wait: negative is without end.
pub(crate) fn limit(timeout_ms: i64) -> Option<Duration> {
    u64::try_from(timeout_ms).ok().map(Duration::from_millis)
}

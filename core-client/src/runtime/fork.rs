//! Which process this is: forks are counted, and what was made before one is known by its count.
//!
//! Owns the count and values that each process makes for itself. The one invariant: nothing here
//! takes a lock, so that the child of a fork in the middle of anything goes on. Here is unsafe
//! code, since the standard library neither tells of forks nor has a lock that survives them.
#![allow(unsafe_code)]

use std::ptr;
#[cfg(unix)]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use crate::error::{Code, Error};

/// Forks between the first process that used this crate and this one.
static FORKS: AtomicU64 = AtomicU64::new(0);
/// Forks are being counted.
#[cfg(unix)]
static COUNTED: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

fn forks() -> u64 {
    #[cfg(unix)]
    if !COUNTED.load(Ordering::Relaxed) && !COUNTED.swap(true, Ordering::Relaxed) {
        // SAFETY: the handler only adds to an atomic, which is safe in the child of a fork, and
        // lives as long as the program.
        let failed = unsafe { libc::pthread_atfork(None, None, Some(in_child)) } != 0;
        if failed {
            COUNTED.store(false, Ordering::Relaxed);
        }
    }
    FORKS.load(Ordering::Relaxed)
}

/// The process in which something was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin(u64);

impl Origin {
    /// This process.
    pub(crate) fn here() -> Self {
        Self(forks())
    }

    /// Whether it is this process.
    pub(crate) fn is_here(self) -> bool {
        self.0 == forks()
    }

    /// An error for what was made in another process.
    pub(crate) fn check(self, what: &str) -> Result<(), Error> {
        if self.is_here() {
            return Ok(());
        }
        let text = format!(
            "this {what} was made before the process forked, and its connection and threads \
             stayed with the parent: connect again in the child"
        );
        Err(Error::new(Code::FORKED, text))
    }
}

struct Slot<T> {
    origin: Origin,
    value: T,
}

/// A value that each process makes for itself at its first use, and keeps.
pub(crate) struct PerProcess<T: Send + Sync + 'static> {
    current: AtomicPtr<Slot<T>>,
}

impl<T: Send + Sync + Default + 'static> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self { current: AtomicPtr::new(ptr::null_mut()) }
    }

    pub(crate) fn value(&self) -> &'static T {
        let origin = Origin::here();
        let mut current = self.current.load(Ordering::Acquire);
        loop {
            // SAFETY: null, or made by `Box::into_raw` below; what was stored is never freed.
            if let Some(slot) = unsafe { current.as_ref() }
                && slot.origin == origin
            {
                return &slot.value;
            }
            let fresh = Box::into_raw(Box::new(Slot { origin, value: T::default() }));
            let stored = self.current.compare_exchange(
                current,
                fresh,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            match stored {
                // That of the parent is left where it is: its threads may have held its locks.
                Ok(_) => current = fresh,
                Err(other) => {
                    // SAFETY: made above, and nobody else has seen it.
                    drop(unsafe { Box::from_raw(fresh) });
                    current = other;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_process_has_one_value_and_all_threads_see_it() {
        static VALUE: PerProcess<Mutex<u32>> = PerProcess::new();
        let threads: Vec<_> = (0..8)
            .map(|_| std::thread::spawn(|| *VALUE.value().lock().expect("no panic") += 1))
            .collect();
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert_eq!(*VALUE.value().lock().expect("no panic"), 8);
    }

    #[test]
    fn what_is_made_here_is_from_here() {
        assert!(Origin::here().is_here());
        assert!(Origin::here().check("client").is_ok());
        let error = Origin(u64::MAX).check("client").expect_err("of another process");
        assert_eq!(error.code(), Code::FORKED);
    }
}

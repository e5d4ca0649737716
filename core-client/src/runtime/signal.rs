//! Keeping signals away from the runtime's threads.
//!
//! Owns one mask. The one invariant: what happens on a connection never ends the program. A program
//! in Rust ignores `SIGPIPE` from its first line on; one in C that uses this crate through a binding
//! need not, and writing to a connection that the server has reset would end it.
#![allow(unsafe_code)]

/// Has the calling thread, one of the runtime's, keep `SIGPIPE` to itself: writing then fails with
/// an error instead.
pub(super) fn shield() {
    #[cfg(unix)]
    // SAFETY: a set of signals on this thread's stack, which the calls fill and read.
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGPIPE);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
    }
}

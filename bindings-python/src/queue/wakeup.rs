//! A file descriptor that is readable once it was written to.
//!
//! An eventfd on Linux, elsewhere a pair of sockets. The one invariant: neither end ever blocks.

use std::io;
use std::os::fd::AsRawFd;
#[cfg(target_os = "linux")]
use std::os::fd::{FromRawFd, OwnedFd};

#[cfg(target_os = "linux")]
pub(super) struct Wakeup {
    fd: OwnedFd,
}

#[cfg(target_os = "linux")]
impl Wakeup {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: it only makes a descriptor.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was just made, and belongs to nobody else.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    pub(super) fn fileno(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    pub(super) fn write(&self) {
        // It fails only when its count is at its end, and then it is readable.
        let one = 1u64;
        // SAFETY: the eight bytes are there.
        let _ = unsafe { libc::write(self.fileno(), (&raw const one).cast(), 8) };
    }

    pub(super) fn clear(&self) {
        let mut count = 0u64;
        // SAFETY: there is room for the eight bytes. Nothing to read is as good.
        let _ = unsafe { libc::read(self.fileno(), (&raw mut count).cast(), 8) };
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) struct Wakeup {
    reader: std::os::unix::net::UnixStream,
    writer: std::os::unix::net::UnixStream,
}

#[cfg(not(target_os = "linux"))]
impl Wakeup {
    pub(super) fn new() -> io::Result<Self> {
        let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        Ok(Self { reader, writer })
    }

    pub(super) fn fileno(&self) -> i32 {
        self.reader.as_raw_fd()
    }

    pub(super) fn write(&self) {
        // A socket that is full is readable.
        let _ = io::Write::write(&mut &self.writer, &[1]);
    }

    pub(super) fn clear(&self) {
        let mut bytes = [0; 64];
        while io::Read::read(&mut &self.reader, &mut bytes).is_ok_and(|len| len > 0) {}
    }
}

impl Wakeup {
    /// Waits until it is readable, at most so many milliseconds; whether it is.
    pub(super) fn wait(&self, most_ms: i32) -> bool {
        let mut told = libc::pollfd { fd: self.fileno(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry is there.
        unsafe { libc::poll(&raw mut told, 1, most_ms) > 0 }
    }
}

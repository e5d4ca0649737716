//! A file descriptor that is readable or is not.
//!
//! Owns an eventfd on Linux, and elsewhere a pipe. The one invariant: raising it never blocks and
//! never fails for long: one that is raised already stays so.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

#[derive(Debug)]
pub(crate) struct Signal {
    read: OwnedFd,
    /// The same as `read`, but for a pipe.
    write: Option<OwnedFd>,
}

impl Signal {
    #[cfg(target_os = "linux")]
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: takes no pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made, and nobody else has it.
        Ok(Self { read: unsafe { OwnedFd::from_raw_fd(fd) }, write: None })
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new() -> io::Result<Self> {
        let mut fds = [0; 2];
        // SAFETY: room for two descriptors.
        if unsafe { libc::pipe(fds.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made, and nobody else has them.
        let [read, write] = fds.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
        for fd in [&read, &write] {
            // SAFETY: takes no pointers.
            unsafe {
                libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK);
                libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC);
            }
        }
        Ok(Self { read, write: Some(write) })
    }

    pub(crate) fn fd(&self) -> i32 {
        self.read.as_raw_fd()
    }

    /// Makes it readable.
    pub(crate) fn raise(&self) {
        let one = 1u64.to_ne_bytes();
        let fd = self.write.as_ref().unwrap_or(&self.read).as_raw_fd();
        // One that is full is readable already.
        // SAFETY: as many bytes as there are.
        let _ = unsafe { libc::write(fd, one.as_ptr().cast(), one.len()) };
    }

    /// Makes it unreadable until it is raised again.
    pub(crate) fn lower(&self) {
        let mut bytes = [0u8; 512];
        loop {
            // SAFETY: as many bytes as there is room for.
            let read = unsafe { libc::read(self.fd(), bytes.as_mut_ptr().cast(), bytes.len()) };
            // An eventfd gives eight bytes and is empty then.
            if read < bytes.len() as isize {
                return;
            }
        }
    }
}

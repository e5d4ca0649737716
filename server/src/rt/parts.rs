//! A list of shared buffers as one vectored write.

use bytes::{Buf, Bytes};
use monoio::buf::IoVecBuf;

/// Buffers to write in order, with the kernel's view of what is left of them.
pub(super) struct Parts {
    bytes: Vec<Bytes>,
    iovecs: Vec<libc::iovec>,
    /// The first of `iovecs` that is not written yet.
    next: usize,
}

impl Parts {
    pub(super) fn new(bytes: Vec<Bytes>) -> Self {
        let mut parts = Self { bytes, iovecs: Vec::new(), next: 0 };
        parts.fill();
        parts
    }

    /// Exchanges the buffers, keeping the allocation of the kernel's view.
    pub(super) fn refill(&mut self, bytes: &mut Vec<Bytes>) {
        self.bytes.clear();
        std::mem::swap(&mut self.bytes, bytes);
        self.fill();
    }

    fn fill(&mut self) {
        self.next = 0;
        self.iovecs.clear();
        self.iovecs.extend(self.bytes.iter().map(|part| libc::iovec {
            iov_base: part.as_ptr().cast_mut().cast(),
            iov_len: part.len(),
        }));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.next == self.iovecs.len()
    }

    /// Passes over `written` bytes.
    pub(super) fn advance(&mut self, mut written: usize) {
        while written > 0 {
            let part = &mut self.bytes[self.next];
            let step = written.min(part.len());
            part.advance(step);
            written -= step;
            self.iovecs[self.next] =
                libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() };
            if part.is_empty() {
                self.next += 1;
            }
        }
        while self.next < self.iovecs.len() && self.iovecs[self.next].iov_len == 0 {
            self.next += 1;
        }
    }
}

// SAFETY: the kernel only reads through these pointers. They point into `bytes`, whose buffers
// are reference-counted and do not move while this value lives, and `iovecs` is not touched
// while the runtime owns the value.
unsafe impl IoVecBuf for Parts {
    fn read_iovec_ptr(&self) -> *const libc::iovec {
        self.iovecs[self.next..].as_ptr()
    }

    fn read_iovec_len(&self) -> usize {
        self.iovecs.len() - self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_writes_are_resumed_at_the_right_byte() {
        let mut parts = Parts::new(vec!["abc".into(), "".into(), "defg".into()]);
        let mut out = Vec::new();
        for step in [1, 2, 3, 1] {
            // What the kernel would take: from the first part that is left.
            let mut left = step;
            for part in &parts.bytes[parts.next..] {
                let take = left.min(part.len());
                out.extend_from_slice(&part[..take]);
                left -= take;
            }
            parts.advance(step);
        }
        assert!(parts.is_empty());
        assert_eq!(out, b"abcdefg");
    }
}

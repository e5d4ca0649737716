//! Receive buffers that are used again.
//!
//! Memory fresh from the system costs a page fault for each 4 KiB, which is more than receiving
//! into it costs. A buffer that frames were split off is therefore kept here, empty, and is whole
//! again once the last of those frames is gone.

use std::collections::VecDeque;

use bytes::BytesMut;

/// Large buffers have a multiple of this capacity, in bytes, so that one fits in another's place.
pub(super) const BLOCK: usize = 1 << 20;
/// The largest capacity that is kept, in bytes: what rare large frames needed is given back.
const LARGEST: usize = 2 * BLOCK;

/// The large receive buffers of one thread or connection, to be used again.
///
/// It belongs to a driver, which hands it to `take_read_buf_from` of every connection that it
/// drives. It never waits: while all that it keeps is in use, new buffers are made.
#[derive(Debug)]
pub struct ReadPool {
    /// With the capacity that each had when it was made; the oldest first.
    kept: VecDeque<(BytesMut, usize)>,
    kept_bytes: usize,
    max_bytes: usize,
}

impl ReadPool {
    /// A pool that keeps up to `max_bytes`, in buffers of 1 and 2 MiB; with 0 every buffer is new.
    pub fn new(max_bytes: usize) -> Self {
        Self { kept: VecDeque::new(), kept_bytes: 0, max_bytes }
    }

    /// Bytes of the buffers that it keeps, those that frames still hold among them.
    pub fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    /// An empty buffer for at least `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> BytesMut {
        let len = len.next_multiple_of(BLOCK);
        for at in 0..self.kept.len() {
            let (buf, whole) = &mut self.kept[at];
            if *whole >= len && buf.try_reclaim(*whole) {
                self.kept_bytes -= *whole;
                return self.kept.remove(at).map(|(buf, _)| buf).unwrap_or_default();
            }
        }
        BytesMut::with_capacity(len)
    }

    /// Keeps `buf`, which was made with a capacity of `whole`. The oldest make room for it.
    pub(super) fn keep(&mut self, mut buf: BytesMut, whole: usize) {
        if whole < BLOCK || whole > LARGEST.min(self.max_bytes) {
            return;
        }
        buf.clear();
        while self.kept_bytes + whole > self.max_bytes
            && let Some((_, oldest)) = self.kept.pop_front()
        {
            self.kept_bytes -= oldest;
        }
        self.kept_bytes += whole;
        self.kept.push_back((buf, whole));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_once_nothing_holds_it() {
        let mut pool = ReadPool::new(4 * BLOCK);
        let mut buf = pool.take(10);
        let (start, whole) = (buf.as_ptr(), buf.capacity());
        assert_eq!(whole, BLOCK);
        buf.extend_from_slice(b"frame and more");
        let frame = buf.split_to(5).freeze();
        pool.keep(buf, whole);
        assert_eq!(pool.kept_bytes(), BLOCK);
        let other = pool.take(10);
        assert_ne!(other.as_ptr(), start, "the frame is still there");
        assert_eq!(frame, "frame");
        drop(frame);
        let again = pool.take(BLOCK);
        assert_eq!((again.as_ptr(), again.len(), again.capacity()), (start, 0, BLOCK));
        assert_eq!(pool.kept_bytes(), 0);
    }

    #[test]
    fn what_is_kept_is_bounded_and_fits() {
        let mut pool = ReadPool::new(4 * BLOCK);
        for blocks in [1, 2, 1, 1, 3] {
            pool.keep(BytesMut::with_capacity(blocks * BLOCK), blocks * BLOCK);
            assert!(pool.kept_bytes() <= 4 * BLOCK);
        }
        // The first went for the fourth; the fifth is larger than those that are kept.
        assert_eq!(pool.take(BLOCK + 1).capacity(), 2 * BLOCK);
        assert_eq!(pool.kept_bytes(), 2 * BLOCK);
        pool.keep(BytesMut::with_capacity(100), 100);
        assert_eq!(pool.kept_bytes(), 2 * BLOCK, "small ones cost nothing to make");
        assert_eq!(ReadPool::new(0).take(1).capacity(), BLOCK);
    }
}

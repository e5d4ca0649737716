//! Buffers to read into: what arrives stays as it is, is seldom moved, and its memory is used
//! again.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::connection::read_pool::ReadPool;
use crate::connection::rx::Rx;

const MOST: u32 = limits::MAX_FRAME_LEN;

/// A frame of about `len` bytes that tells its number.
fn frame_of(number: usize, len: usize) -> Vec<u8> {
    // Frames are padded to 8 bytes.
    let len = len.next_multiple_of(8);
    let payload: Vec<u8> = (0..len).map(|at| (at / 7 + number * 31) as u8).collect();
    let size = (HEADER_LEN + len) as u32;
    crafted(Header { size, ..header(Kind::APPEND, number as u64, 0) }, &[], &payload)
}

/// A peer that sends `frames`, and a driver that reads as many bytes at a time as `steps` say.
struct Reader {
    rx: Rx,
    pool: ReadPool,
    sent: Vec<u8>,
    at: usize,
    /// Bytes that had to be moved to another buffer, for each frame.
    moved: Vec<usize>,
    moved_now: usize,
}

impl Reader {
    fn new(frames: &[Vec<u8>], pool_bytes: usize) -> Self {
        Self {
            rx: Rx::new(MOST),
            pool: ReadPool::new(pool_bytes),
            sent: frames.concat(),
            at: 0,
            moved: Vec::new(),
            moved_now: 0,
        }
    }

    /// One read of at most `most` bytes; the frames that are whole by then. `None` at the end.
    fn read(&mut self, most: usize) -> Option<Vec<Bytes>> {
        let before = (self.rx.bytes().as_ptr(), self.rx.bytes().len());
        let mut buf = self.rx.take(&mut self.pool);
        assert_eq!(buf.len(), before.1, "nothing is lost");
        if buf.as_ptr() != before.0 {
            self.moved_now += buf.len();
        }
        let room = buf.capacity() - buf.len();
        assert!(room > 0, "there is something to read into");
        let len = room.min(most).min(self.sent.len() - self.at);
        buf.extend_from_slice(&self.sent[self.at..self.at + len]);
        self.at += len;
        self.rx.put(buf);
        let mut frames = Vec::new();
        while let Some(frame) = self.rx.frame().expect("whole frames") {
            self.moved.push(std::mem::take(&mut self.moved_now));
            frames.push(frame.payload);
        }
        (len > 0).then_some(frames)
    }
}

#[test]
#[cfg_attr(miri, ignore = "too much data for Miri")]
fn large_frames_of_a_size_are_not_moved() {
    // Batches of 1000 records of 1 KiB, of 256 and of 100 bytes: as benchmarks send them.
    for (len, most_moved) in [(1_050_000, 0.0), (260_000, 0.01), (106_000, 0.06)] {
        let frames: Vec<_> = (0..80).map(|number| frame_of(number, len)).collect();
        let mut reader = Reader::new(&frames, 8 << 20);
        let (mut seen, mut step) = (0, 1usize);
        loop {
            // What a socket gives is of no even size.
            step = (step * 7919 + 104_729) % 500_000;
            let Some(frames) = reader.read(1 + step) else { break };
            for payload in frames {
                assert_eq!(payload, frame_of(seen, len)[HEADER_LEN..]);
                seen += 1;
            }
        }
        assert_eq!(seen, 80);
        // The first ones show how large they are.
        let moved = reader.moved[8..].iter().sum::<usize>() as f64 / (72 * len) as f64;
        assert!(moved <= most_moved, "{moved} of each byte of frames of {len} bytes");
        // As each frame was let go before the next came, two buffers do.
        assert!(reader.pool.kept_bytes() <= 4 << 20, "{}", reader.pool.kept_bytes());
    }
}

/// SPEC L-4: who waits for bytes between frames need not do so with a large buffer, and gets one
/// again for what comes.
#[test]
fn between_frames_a_large_buffer_is_given_back() {
    let frames: Vec<_> = (0..20).map(|number| frame_of(number, 1 << 20)).collect();
    let mut reader = Reader::new(&frames, 4 << 20);
    assert!(!reader.rx.is_empty_and_large(), "a quiet connection has none");
    let (mut released, mut whole) = (0, 0);
    while let Some(frames) = reader.read(100_000) {
        whole += frames.len();
        let there = reader.rx.bytes().len();
        drop(frames);
        let kept = reader.pool.kept_bytes();
        let given = reader.rx.is_empty_and_large();
        reader.rx.release(&mut reader.pool);
        assert!(!given || there == 0, "a part of a frame stays");
        assert!(!given || reader.pool.kept_bytes() > kept, "it can be used again");
        released += usize::from(given);
    }
    assert_eq!(whole, 20);
    assert!(released > 0);
    // Once it is quiet again a small one is as good as none.
    for _ in 0..200 {
        let mut buf = reader.rx.take(&mut reader.pool);
        buf.extend_from_slice(&crafted(header(Kind::PING, 1, 0), &[], &[]));
        reader.rx.put(buf);
        while reader.rx.frame().expect("whole frames").is_some() {}
    }
    assert!(!reader.rx.is_empty_and_large());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 60 }))]

    /// Whatever the frames, the reads, and the time for which somebody holds what was read.
    #[test]
    fn what_is_held_stays_as_it_is(
        lens in prop::collection::vec(
            prop_oneof![0usize..200, 1000usize..70_000, 200_000usize..1_500_000],
            1..if cfg!(miri) { 3 } else { 30 },
        ),
        steps in prop::collection::vec(1usize..600_000, 1..20),
        hold in 0usize..8,
        pool_blocks in 0usize..6,
    ) {
        let frames: Vec<_> =
            lens.iter().enumerate().map(|(number, len)| frame_of(number, *len)).collect();
        let mut reader = Reader::new(&frames, pool_blocks << 20);
        let mut held = VecDeque::new();
        let (mut seen, mut checked) = (0, 0);
        for step in steps.iter().cycle() {
            let Some(frames_now) = reader.read(*step) else { break };
            held.extend(frames_now);
            while held.len() > hold {
                let payload = held.pop_front().expect("some");
                prop_assert!(payload == frames[checked][HEADER_LEN..], "frame {checked}");
                checked += 1;
            }
            seen = checked + held.len();
            prop_assert!(reader.pool.kept_bytes() <= pool_blocks << 20);
        }
        prop_assert_eq!(seen, frames.len());
        for payload in held {
            prop_assert!(payload == frames[checked][HEADER_LEN..], "frame {checked}");
            checked += 1;
        }
    }
}

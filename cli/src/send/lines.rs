//! Records out of a file or stdin: one a line.
//!
//! Owns the thread that reads, as reading may block for ever and cannot be cancelled. The one
//! invariant: what is in memory is bounded by [`BLOCK_BYTES`], [`MAX_BLOCKS`] and the longest
//! line allowed, however much there is to read and however slowly it is taken.

use std::io::{self, Read};
use std::ops::Range;

use tokio::sync::mpsc;

/// What one read asks for.
const BLOCK_BYTES: usize = 256 << 10;

/// Blocks that may wait to be sent.
const MAX_BLOCKS: usize = 4;

/// Whole lines, in one buffer.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    lines: Vec<Range<usize>>,
}

impl Block {
    /// The lines, without their line feeds.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().map(|range| &self.bytes[range.clone()])
    }

    /// Its size in the file, about.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// Why there are no more lines.
#[derive(Debug)]
pub enum ReadError {
    /// The system refused.
    Io(io::Error),
    /// A line is longer than any record may be.
    TooLong,
}

/// Starts reading; ends at the end, after an error, or when the receiver is dropped.
pub fn read(
    input: impl Read + Send + 'static,
    max_line_bytes: usize,
) -> io::Result<mpsc::Receiver<Result<Block, ReadError>>> {
    let (blocks, receiver) = mpsc::channel(MAX_BLOCKS);
    std::thread::Builder::new().name("tidewire-lines".to_owned()).spawn(move || {
        let mut splitter = Splitter::new(input, max_line_bytes);
        while let Some(block) = splitter.next_block().transpose() {
            let ended = block.is_err();
            if blocks.blocking_send(block).is_err() || ended {
                return;
            }
        }
    })?;
    Ok(receiver)
}

struct Splitter<R> {
    input: R,
    /// The beginning of a line.
    rest: Vec<u8>,
    max_line_bytes: usize,
    ended: bool,
    /// The next line is too long.
    overlong: bool,
}

impl<R: Read> Splitter<R> {
    fn new(input: R, max_line_bytes: usize) -> Self {
        Self { input, rest: Vec::new(), max_line_bytes, ended: false, overlong: false }
    }

    /// The lines that are there, at least one; it waits for no more than the first, so that
    /// someone who types sees each line go.
    fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        while !self.ended && !self.overlong {
            let mut bytes = std::mem::take(&mut self.rest);
            let old = bytes.len();
            bytes.resize(old + BLOCK_BYTES, 0);
            let count = loop {
                match self.input.read(&mut bytes[old..]) {
                    Ok(count) => break count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(ReadError::Io(error)),
                }
            };
            bytes.truncate(old + count);
            self.ended = count == 0;
            let mut block = self.split(bytes, old);
            let too_long = |line: &Range<usize>| line.len() > self.max_line_bytes;
            let first = block.lines.iter().position(too_long);
            self.overlong = first.is_some() || self.rest.len() > self.max_line_bytes;
            block.lines.truncate(first.unwrap_or(usize::MAX));
            if !block.lines.is_empty() {
                return Ok(Some(block));
            }
        }
        if self.overlong { Err(ReadError::TooLong) } else { Ok(None) }
    }

    /// Takes whole lines off `bytes`, of which those before `searched` hold no line feed; the
    /// last line without one counts at the end.
    fn split(&mut self, mut bytes: Vec<u8>, searched: usize) -> Block {
        let mut lines = Vec::new();
        let mut start = 0;
        for (index, _) in
            bytes[searched..].iter().enumerate().filter(|(_, byte)| **byte == b'\n')
        {
            lines.push(start..searched + index);
            start = searched + index + 1;
        }
        if self.ended && start < bytes.len() {
            lines.push(start..bytes.len());
            start = bytes.len();
        }
        self.rest = bytes.split_off(start);
        Block { bytes, lines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    /// The lines before the end or an error.
    fn split(input: &[u8], step: usize, max: usize) -> (Vec<Vec<u8>>, Option<ReadError>) {
        let mut splitter = Splitter::new(Trickle(input, step), max);
        let mut lines = Vec::new();
        loop {
            match splitter.next_block() {
                Ok(Some(block)) => lines.extend(block.lines().map(<[u8]>::to_vec)),
                Ok(None) => return (lines, None),
                Err(error) => return (lines, Some(error)),
            }
        }
    }

    #[test]
    fn every_line_is_a_record_wherever_reads_end() {
        for (input, lines) in [
            (&b""[..], &[][..]),
            (b"\n", &[&b""[..]]),
            (b"a", &[b"a"]),
            (b"a\n", &[b"a"]),
            (b"\n\nab\r\n\ncde", &[b"", b"", b"ab\r", b"", b"cde"]),
        ] {
            for step in 1..=input.len().max(1) {
                let (came, error) = split(input, step, 100);
                assert_eq!(came, lines, "{input:?} by {step}");
                assert!(error.is_none());
            }
        }
    }

    #[test]
    fn a_line_has_a_limit_whether_it_ends_or_not_and_those_before_it_come() {
        assert_eq!(split(b"abc\nabc", 2, 3).0.len(), 2);
        for input in [&b"a\n\nabcd"[..], b"a\n\nabcd\n", b"a\n\nabcdefgh\nx"] {
            for step in 1..=input.len() {
                let (lines, error) = split(input, step, 3);
                assert!(matches!(error, Some(ReadError::TooLong)), "{input:?} by {step}");
                assert_eq!(lines, [&b"a"[..], b""], "{input:?} by {step}");
            }
        }
    }
}

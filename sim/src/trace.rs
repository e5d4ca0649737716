//! What happened, in lines, and a hash over them: two runs of one seed must agree on it.

use std::fmt::{self, Write};

/// The lines of one run.
#[derive(Debug)]
pub(crate) struct Trace {
    now_us: u64,
    hash: u64,
    count: u64,
    line: String,
    kept: Option<Vec<String>>,
    wanted: bool,
}

impl Trace {
    /// Keeps the lines if somebody wants to read them; makes none if nobody wants the hash.
    pub fn new(keep: bool, wanted: bool) -> Self {
        Self {
            now_us: 0,
            hash: 0xcbf2_9ce4_8422_2325,
            count: 0,
            line: String::new(),
            kept: keep.then(Vec::new),
            wanted: keep || wanted,
        }
    }

    pub fn set_now(&mut self, now_us: u64) {
        self.now_us = now_us;
    }

    pub fn say(&mut self, what: fmt::Arguments<'_>) {
        if !self.wanted {
            return;
        }
        self.line.clear();
        let (ms, us) = (self.now_us / 1000, self.now_us % 1000);
        // Writing to a string does not fail.
        let _ = write!(self.line, "{ms:6}.{us:03} {what}");
        for chunk in self.line.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let mixed =
                (self.hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.hash = mixed ^ (mixed >> 29);
        }
        self.count += 1;
        if let Some(kept) = &mut self.kept {
            kept.push(self.line.clone());
        }
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn take_lines(&mut self) -> Vec<String> {
        self.kept.take().unwrap_or_default()
    }
}

//! A record's content as one number.

use std::fmt;

/// 64 bits over a record's content. It is to tell honest records apart and to notice
/// alterations by accident, not by an adversary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// Over the record's parts in an order of the caller's choice: key, value, header names and
    /// values, time. A part that is absent differs from an empty one, and a byte that moves from
    /// one part to the next changes the digest.
    pub fn of<'a>(parts: impl IntoIterator<Item = Option<&'a [u8]>>) -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15;
        for part in parts {
            let Some(bytes) = part else {
                state = mix(state ^ 0x5851_f42d_4c95_7f2d);
                continue;
            };
            state = mix(state ^ (bytes.len() as u64 + 1));
            for chunk in bytes.chunks(8) {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                state = mix(state ^ u64::from_le_bytes(word));
            }
        }
        Self(state)
    }
}

/// The finalizer of SplitMix64 after an addition, so that zeros count.
fn mix(word: u64) -> u64 {
    let mut word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

//! What the records of a measurement look like.
//!
//! Owns their values, keys and sizes. The one invariant: making a record costs no allocation and
//! no more than a few nanoseconds, so that what is measured is not this.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use tidewire_protocol::limits;

use crate::args::values::Sizes;
use crate::failure::Failure;

/// Text that values are cut from, beside the longest value; more than a first-level cache.
const POOL_BYTES: usize = 256 << 10;

/// What a batch needs beside the value and key of a record.
const RECORD_OVERHEAD: u32 = 1024;

/// Most keys.
const MAX_KEYS: u64 = 1_000_000;

/// Sizes and keys of records. Cloning it is cheap.
#[derive(Clone)]
pub struct Shape {
    /// Bytes in a value.
    pub sizes: Sizes,
    pool: Bytes,
    keys: Arc<[Box<[u8]>]>,
}

impl Shape {
    /// Values of `sizes`, cut from text that compresses as logs do; `keys` different keys, or
    /// none.
    pub fn new(sizes: Sizes, keys: u64) -> Result<Self, Failure> {
        let max = limits::MAX_BATCH_LEN - RECORD_OVERHEAD;
        if sizes.max > max {
            let size = sizes.max;
            return Err(Failure::usage(format!(
                "--size is {size}, over the limit of {max} bytes"
            )));
        }
        if keys > MAX_KEYS {
            return Err(Failure::usage(format!(
                "--keys is {keys}, over the limit of {MAX_KEYS}"
            )));
        }
        let length = POOL_BYTES + sizes.max as usize;
        let mut text = String::with_capacity(length + 128);
        let mut random = Random(1);
        while text.len() < length {
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "{{\"id\":{},\"customer\":{},\"city\":\"{}\",\"cents\":{},\"paid\":{}}}",
                random.below(1 << 40),
                random.below(50_000),
                ["Aarhus", "Bern", "Lagos", "Osaka", "Quito"][random.below(5) as usize],
                random.below(1_000_000),
                random.below(2) == 0,
            );
        }
        let keys = (0..keys).map(|key| format!("key-{key:06}").into_bytes().into()).collect();
        Ok(Self { sizes, pool: text.into(), keys })
    }

    /// The key of a record, if there are any, and its value.
    pub fn show(&self, cut: Cut) -> (Option<&[u8]>, &[u8]) {
        let value = &self.pool[cut.at..cut.at + cut.size];
        (cut.key.map(|key| &*self.keys[key]), value)
    }

    /// Records without an end; another `seed` gives others.
    pub fn records(&self, seed: u64) -> Records {
        Records { shape: self.clone(), random: Random(seed.wrapping_add(1)), at: 0 }
    }
}

/// What a record consists of, by its places in a [`Shape`].
#[derive(Clone, Copy)]
pub struct Cut {
    at: usize,
    size: usize,
    key: Option<usize>,
}

/// Makes records.
pub struct Records {
    shape: Shape,
    random: Random,
    at: usize,
}

impl Records {
    /// The next one: what [`Shape::show`] shows.
    pub fn next(&mut self) -> Cut {
        let Sizes { min, max } = self.shape.sizes;
        let size = match max - min {
            0 => min,
            more => min + self.random.below(u64::from(more) + 1) as u32,
        } as usize;
        if self.at + size > self.shape.pool.len() {
            self.at = 0;
        }
        let at = self.at;
        self.at += size;
        let keys = self.shape.keys.len();
        let key = (keys > 0).then(|| self.random.below(keys as u64) as usize);
        Cut { at, size, key }
    }
}

/// Numbers that look random and are the same in every run (a linear congruential generator).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(self.0 >> 11) * u128::from(bound)) >> 53) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn records_have_the_sizes_and_keys_asked_for() {
        let shape = Shape::new(Sizes { min: 3, max: 40 }, 4).unwrap();
        let mut records = shape.records(7);
        let (mut sizes, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..20_000 {
            let (key, value) = shape.show(records.next());
            sizes.insert(value.len());
            keys.insert(key.unwrap().to_vec());
        }
        assert_eq!(sizes, (3..=40).collect());
        assert_eq!(keys.len(), 4);
        let plain = Shape::new(Sizes { min: 5, max: 5 }, 0).unwrap();
        assert_eq!(plain.show(plain.records(0).next()).0, None);
    }

    #[test]
    fn what_is_too_large_is_refused_by_name() {
        let max = limits::MAX_BATCH_LEN;
        let error = Shape::new(Sizes { min: 1, max }, 0).err().unwrap().to_string();
        assert!(error.contains("--size is"), "{error}");
        let error =
            Shape::new(Sizes { min: 1, max: 1 }, MAX_KEYS + 1).err().unwrap().to_string();
        assert!(error.contains("--keys is"), "{error}");
    }
}

//! Which partition a key belongs to: the same in every language, for ever.
//!
//! The hash is MurmurHash2 in the 32-bit form, with the seed and the sign-clearing that Kafka's
//! Java client uses for its default partitioner (`org.apache.kafka.common.utils.Utils.murmur2`),
//! so that a key has the same place in a topic of as many partitions on either side.

/// The partition of `key` among `partitions`.
///
/// # Panics
/// If `partitions` is 0; a topic has at least one.
// SPEC K-2
pub fn partition_of(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff) % partitions
}

/// MurmurHash2, 32 bits, with Kafka's seed.
// SPEC K-1
fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;
    // The algorithm is defined on 32-bit lengths; keys are far below that.
    let mut hash = SEED ^ bytes.len() as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k = (k ^ (k >> R)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (i, &byte) in rest.iter().enumerate() {
            hash ^= u32::from(byte) << (8 * i);
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SPEC K-1: the expected values are those of Kafka's `UtilsTest.testMurmur2`.
    #[test]
    fn agrees_with_kafkas_published_values() {
        for (key, expected) in [
            ("21", -973_932_308i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, expected, "{key}");
        }
    }

    /// SPEC K-2
    #[test]
    fn every_partition_is_reachable() {
        let mut seen = [false; 7];
        for i in 0..200u32 {
            seen[partition_of(&i.to_le_bytes(), 7) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
    }
}

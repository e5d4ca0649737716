//! Pauses between attempts.
//!
//! Owns how long they are: each about twice the one before, up to a bound, and shortened at
//! random by up to half, so that a thousand clients that lost the same server do not come back
//! in step. The seed is the driver's; the same seed gives the same pauses.

/// Pauses that grow.
#[derive(Clone, Debug)]
pub struct Backoff {
    base_ms: u32,
    max_ms: u32,
    failures: u32,
    random: u64,
}

impl Backoff {
    /// Pauses of about `base_ms`, twice that, and so on up to `max_ms` milliseconds. A `max_ms`
    /// below `base_ms` counts as `base_ms`.
    pub fn new(base_ms: u32, max_ms: u32, seed: u64) -> Self {
        Self { base_ms, max_ms: max_ms.max(base_ms), failures: 0, random: seed }
    }

    /// The pause after one more failure, in milliseconds: half to all of what is due.
    pub fn next_ms(&mut self) -> u32 {
        let due = self.base_ms.saturating_mul(1 << self.failures.min(20)).min(self.max_ms);
        self.failures = self.failures.saturating_add(1);
        let half = due / 2;
        // Below u32::MAX, as `half` is.
        due - (self.draw() % (u64::from(half) + 1)) as u32
    }

    /// The next failure is the first again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures since the last reset.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// The longest pause, in milliseconds.
    pub fn max_ms(&self) -> u32 {
        self.max_ms
    }

    /// SplitMix64: good enough to spread clients, and needs no state but a number.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_bound_and_begin_anew_after_a_reset() {
        let mut backoff = Backoff::new(100, 1_000, 7);
        for due in [100, 200, 400, 800, 1_000, 1_000] {
            let pause = backoff.next_ms();
            assert!((due / 2..=due).contains(&pause), "{pause} of {due}");
        }
        backoff.reset();
        assert!((50..=100).contains(&backoff.next_ms()));
    }

    #[test]
    fn the_seed_decides_and_two_seeds_differ() {
        let pauses = |seed| {
            let mut backoff = Backoff::new(1_000, 60_000, seed);
            (0..8).map(|_| backoff.next_ms()).collect::<Vec<_>>()
        };
        assert_eq!(pauses(1), pauses(1));
        assert_ne!(pauses(1), pauses(2));
    }

    #[test]
    fn extremes_neither_overflow_nor_panic() {
        let mut backoff = Backoff::new(u32::MAX, 1, 0);
        assert!((0..100).all(|_| backoff.next_ms() >= u32::MAX / 2));
        assert_eq!(Backoff::new(0, 0, 0).next_ms(), 0);
    }
}

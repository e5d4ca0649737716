//! The memory of what was read: every buffer that holds batches for readers is counted from the
//! moment it is filled until the last slice of it is gone, wherever that is: kept by a partition,
//! on its way to a session, or queued for a slow peer.
//!
//! Owns the count and what follows from it: how much a read may fetch, and when sessions are to
//! hold back. Who lets go of what is left to them.
//!
//! Invariant: past the limit each reader still gets on, with [`LEAST_BYTES`] (or one batch) at a
//! time and one delivery queued; so readers that stopped cost at most the limit, and that for each
//! connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// Bytes that a cold read fetches, while there is room, though its reader wants fewer: the next
/// ones will be wanted next, or by others.
const READ_AHEAD_BYTES: usize = 1 << 20;
/// Bytes that a read fetches at most once half of the budget is used.
const MODERATE_BYTES: usize = 256 << 10;
/// Bytes that a read fetches, and that are delivered at once, when the budget is used up; a single
/// batch may be larger.
pub(crate) const LEAST_BYTES: usize = 32 << 10;

/// The bytes that readers may hold, of all shards together.
#[derive(Debug)]
pub(crate) struct ReadBudget {
    limit: usize,
    used: AtomicUsize,
}

/// A buffer, counted for as long as this lives.
#[derive(Debug)]
pub(crate) struct Held {
    bytes: Bytes,
    budget: Arc<ReadBudget>,
}

impl ReadBudget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    /// The limit, in bytes.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Counts a buffer.
    pub(crate) fn hold(self: &Arc<Self>, bytes: Bytes) -> Held {
        self.used.fetch_add(bytes.len(), Ordering::Relaxed);
        Held { bytes, budget: Arc::clone(self) }
    }

    /// Whether readers hold all that they may.
    pub(crate) fn is_used_up(&self) -> bool {
        self.used() >= self.limit
    }

    /// How many bytes to fetch now for a reader that wants `wanted`.
    pub(crate) fn allowance(&self, wanted: usize) -> usize {
        match self.used() {
            used if used < self.limit / 2 => wanted.max(READ_AHEAD_BYTES),
            used if used < self.limit => wanted.min(MODERATE_BYTES),
            _ => wanted.min(LEAST_BYTES),
        }
    }

    fn used(&self) -> usize {
        // A count for decisions that need not be exact: no other memory hangs on it.
        self.used.load(Ordering::Relaxed)
    }
}

impl Held {
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_counts_until_its_last_slice_is_gone() {
        let budget = ReadBudget::new(4 << 20);
        let held = Arc::new(budget.hold(Bytes::from(vec![1; 3 << 20])));
        assert_eq!(budget.allowance(10), 10, "half of it is used: no read-ahead");
        struct Whole(Arc<Held>);
        impl AsRef<[u8]> for Whole {
            fn as_ref(&self) -> &[u8] {
                (*self.0).as_ref()
            }
        }
        let slice = Bytes::from_owner(Whole(held)).slice(5..7);
        let other = budget.hold(Bytes::from(vec![1; 1 << 20]));
        assert!(budget.is_used_up());
        assert_eq!(budget.allowance(1 << 20), LEAST_BYTES);
        drop(other);
        assert_eq!(budget.allowance(1 << 20), MODERATE_BYTES);
        drop(slice);
        assert_eq!(budget.allowance(10), READ_AHEAD_BYTES);
    }
}

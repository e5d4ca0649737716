//! What a shard's partitions keep in memory for readers to come, held within bounds and fairly:
//! when it is too much, the partition that keeps most lets go first.
//!
//! Owns the sizes; what a partition keeps, and in which order it lets go, is its own.

use std::collections::BTreeSet;

use crate::message::PartitionId;

/// Bytes that each partition keeps.
pub(super) struct Kept {
    limit: usize,
    total: usize,
    /// Partitions that keep something, by how much.
    by_size: BTreeSet<(usize, PartitionId)>,
}

impl Kept {
    /// For partitions that together may keep `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, total: 0, by_size: BTreeSet::new() }
    }

    /// A partition keeps `now` bytes, instead of `before`.
    pub(super) fn update(&mut self, id: PartitionId, before: usize, now: usize) {
        if before == now {
            return;
        }
        self.by_size.remove(&(before, id));
        if now > 0 {
            self.by_size.insert((now, id));
        }
        self.total = self.total - before + now;
    }

    /// The partition that is to let go of something, if one is.
    pub(super) fn excess(&self) -> Option<PartitionId> {
        if self.total <= self.limit {
            return None;
        }
        self.by_size.last().map(|(_, id)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_that_keeps_most_lets_go_first() {
        let id = |partition| PartitionId { topic: 1, partition };
        let mut kept = Kept::new(100);
        kept.update(id(1), 0, 60);
        kept.update(id(2), 0, 40);
        assert_eq!(kept.excess(), None);
        kept.update(id(3), 0, 10);
        assert_eq!(kept.excess(), Some(id(1)));
        kept.update(id(1), 60, 30);
        assert_eq!(kept.excess(), None);
        kept.update(id(2), 40, 75);
        assert_eq!(kept.excess(), Some(id(2)));
        kept.update(id(2), 75, 0);
        kept.update(id(1), 30, 0);
        kept.update(id(3), 10, 0);
        assert_eq!((kept.total, kept.by_size.len(), kept.excess()), (0, 0, None));
    }
}

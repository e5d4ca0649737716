//! Batches that were refused because ids of their records were seen.
//!
//! Owns which refusals are remembered: so that a copy of such a batch that comes late, from a
//! connection that its producer has given up, is refused as well, though its ids may be forgotten
//! by then. In memory alone: a copy does not outlive the connections of this process.
//!
//! Invariant: what is remembered of a producer has the sequence number that it has to use next;
//! anything else is refused by that number already.

use std::collections::{HashMap, VecDeque};

use tidewire_protocol::idempotence::Claim;
use tidewire_protocol::limits::{MAX_REMEMBERED_BATCHES, MAX_REMEMBERED_REFUSALS};

use super::dedup::Seen;

/// Refusals of one producer: it has no more batches than these on its way.
const PER_PRODUCER: usize = MAX_REMEMBERED_BATCHES as usize;
const MOST: usize = MAX_REMEMBERED_REFUSALS as usize;

/// The refusals of one partition, by producer.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    by_producer: HashMap<u64, VecDeque<Refusal>>,
    /// Producers, oldest first; perhaps some that have none any more.
    order: VecDeque<u64>,
    count: usize,
}

#[derive(Debug)]
struct Refusal {
    claim: Claim,
    seen: Seen,
}

impl Refusals {
    /// Why this very batch was refused before, if it was.
    pub(super) fn find(&self, claim: &Claim) -> Option<Seen> {
        let of_producer = self.by_producer.get(&claim.producer_id)?;
        let found = of_producer.iter().find(|refusal| refusal.claim == *claim)?;
        Some(found.seen.clone())
    }

    /// A batch of a producer was refused.
    pub(super) fn remember(&mut self, claim: &Claim, seen: &Seen) {
        if claim.producer_id == 0 {
            return;
        }
        let of_producer = self.by_producer.entry(claim.producer_id).or_insert_with(|| {
            self.order.push_back(claim.producer_id);
            VecDeque::new()
        });
        let before = of_producer.len();
        let place = |claim: &Claim| (claim.producer_epoch, claim.base_sequence);
        of_producer.retain(|refusal| place(&refusal.claim) == place(claim));
        if of_producer.len() == PER_PRODUCER {
            of_producer.pop_front();
        }
        of_producer.push_back(Refusal { claim: *claim, seen: seen.clone() });
        self.count = self.count + of_producer.len() - before;
        while self.count > MOST {
            let Some(oldest) = self.order.pop_front() else { break };
            self.drop_producer(oldest);
        }
    }

    /// The producer has appended something since.
    pub(super) fn forget(&mut self, producer_id: u64) {
        if !self.by_producer.is_empty() {
            self.drop_producer(producer_id);
            self.order.retain(|&other| other != producer_id);
        }
    }

    /// What was queued could not be written: refusals that point to it are void.
    pub(super) fn revoke(&mut self, end_offset: u64) {
        for of_producer in self.by_producer.values_mut() {
            of_producer.retain(|refusal| refusal.seen.end_offset <= end_offset);
        }
        self.count = self.by_producer.values().map(VecDeque::len).sum();
    }

    fn drop_producer(&mut self, producer_id: u64) {
        self.count -= self.by_producer.remove(&producer_id).map_or(0, |gone| gone.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(producer_id: u64, base_sequence: u64, body_crc: u32) -> Claim {
        Claim { producer_id, base_sequence, body_crc, record_count: 1, producer_epoch: 0 }
    }

    fn seen(end_offset: u64) -> Seen {
        Seen { ranges: Vec::new(), records: 1, end_offset }
    }

    /// SPEC I-14
    #[test]
    fn a_refusal_stands_until_its_producer_has_gone_on() {
        let mut refusals = Refusals::default();
        refusals.remember(&claim(1, 5, 77), &seen(3));
        refusals.remember(&claim(1, 5, 78), &seen(4));
        assert_eq!(refusals.find(&claim(1, 5, 77)), Some(seen(3)));
        assert_eq!(refusals.find(&claim(1, 5, 78)), Some(seen(4)));
        for other in [claim(2, 5, 77), claim(1, 6, 77), claim(1, 5, 79)] {
            assert_eq!(refusals.find(&other), None);
        }
        refusals.remember(&claim(1, 9, 80), &seen(5));
        assert_eq!(refusals.find(&claim(1, 5, 77)), None, "its number is used");
        refusals.forget(1);
        assert_eq!(refusals.find(&claim(1, 9, 80)), None);
        assert_eq!((refusals.count, refusals.order.len()), (0, 0));
        refusals.remember(&claim(0, 0, 1), &seen(5));
        assert_eq!(refusals.find(&claim(0, 0, 1)), None, "nobody's");
    }

    /// SPEC I-14: memory is bounded, by producer and in all.
    #[test]
    fn the_oldest_are_forgotten() {
        let mut refusals = Refusals::default();
        for crc in 0..20 {
            refusals.remember(&claim(1, 0, crc), &seen(0));
        }
        assert_eq!((refusals.find(&claim(1, 0, 3)), refusals.count), (None, PER_PRODUCER));
        for producer in 2..=2_000 {
            refusals.remember(&claim(producer, 0, 0), &seen(0));
            assert!(refusals.count <= MOST);
        }
        assert_eq!(refusals.count, MOST);
        assert_eq!(refusals.find(&claim(900, 0, 0)), None);
        assert!(refusals.find(&claim(2_000, 0, 0)).is_some());
    }

    #[test]
    fn a_refusal_that_points_to_what_was_not_written_is_void() {
        let mut refusals = Refusals::default();
        refusals.remember(&claim(1, 0, 7), &seen(10));
        refusals.remember(&claim(2, 0, 7), &seen(11));
        refusals.revoke(10);
        assert!(refusals.find(&claim(1, 0, 7)).is_some());
        assert_eq!((refusals.find(&claim(2, 0, 7)), refusals.count), (None, 1));
    }
}

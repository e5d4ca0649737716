//! Several records at once, under one lock.
//!
//! Owns the short way that a run of records takes into one open batch: what a record by itself
//! asks for each time (whether there is room, which batch, what it counts for) is asked once for
//! all that follow the same way. The one invariant: the outcome is that of pushing them one by one.

use tidewire_protocol::batch::RecordRef;
use tidewire_protocol::connection::Time;

use super::super::tickets::Tickets;
use super::{Pushed, Queue, RECORD_OVERHEAD, record_len};
use crate::completion::extend_runs;
use crate::error::Error;

impl Queue {
    /// Puts records into their partitions' open batches until all are taken, one is refused, or
    /// something may be sealed or sent: then `pushed` says so, and the call is to be repeated with
    /// what is left of `records`.
    pub(in super::super) fn push_many(
        &mut self,
        records: &mut &[RecordRef<'_>],
        partition: Option<u32>,
        tickets: &mut Tickets,
        pushed: &mut Pushed,
        now: impl Fn() -> Time,
    ) -> Result<(), Error> {
        while let Some((first, rest)) = records.split_first() {
            let (ticket, one) = self.push(first, partition, false, &now)?;
            tickets.add(ticket);
            *records = rest;
            pushed.send |= one.send;
            pushed.sooner |= one.sooner;
            if pushed.send {
                return Ok(());
            }
            // Those with keys go where each key says.
            if first.key.is_none() || partition.is_some() {
                let at = partition.unwrap_or(self.sticky);
                let taken = self.push_alike(records, at, partition.is_some(), tickets);
                *records = &records[taken..];
            }
        }
        Ok(())
    }

    /// Takes as many of `records` as go the same way as the one before them, into the open batch
    /// of partition `at`, and do not fill it; says how many. Those with a key only if it does not
    /// choose their partition.
    fn push_alike(
        &mut self,
        records: &[RecordRef<'_>],
        at: u32,
        with_key: bool,
        tickets: &mut Tickets,
    ) -> usize {
        let room = self.bounds.queue_bytes.saturating_sub(self.queued_bytes);
        let has_queue = match &self.completions {
            Some(to) if !to.queue.has_room() => return 0,
            to => to.is_some(),
        };
        let Some(place) = &mut self.partitions[at as usize] else {
            return 0;
        };
        let Some(pending) = &mut place.open else {
            return 0;
        };
        let builder = &mut place.builder;
        // A record that fills the batch goes the long way, as does one with an id.
        let most = self.bounds.batch_records.saturating_sub(builder.len() + 1);
        let mut size = builder.sealed_len();
        let (mut taken, mut cost) = (0, 0);
        for record in records.iter().take(most) {
            let len = record_len(record);
            // What a table takes for a record is no more than its overhead.
            size += len + RECORD_OVERHEAD;
            let alike = record.id.is_none() && (with_key || record.key.is_none());
            if !alike || size >= self.bounds.batch_bytes || cost >= room {
                break;
            }
            if builder.push(record).is_err() {
                break;
            }
            taken += 1;
            cost += len + RECORD_OVERHEAD;
        }
        if taken == 0 {
            return 0;
        }
        let (number, index) = (self.next_ticket, (builder.len() - taken) as u32);
        let count = taken as u32;
        if has_queue {
            extend_runs(&mut pending.runs, number, index, count);
        }
        pending.cost += cost;
        pending.completion.add_records(count);
        tickets.add_run(&pending.completion, number, index, count);
        self.next_ticket += u64::from(count);
        self.queued_bytes += cost;
        self.queued_records += u64::from(count);
        taken
    }
}

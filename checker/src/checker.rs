//! The way in: events go to the partition, reader or group that they are about.

use std::collections::BTreeMap;

use crate::commits::Commits;
use crate::partition::Partition;
use crate::violation::{Violation, ViolationKind};
use crate::{Digest, Event};

/// What is known from the events so far.
#[derive(Debug, Default)]
pub struct Checker {
    partitions: BTreeMap<u64, Partition>,
    /// The partition of each send.
    sends: BTreeMap<u64, u64>,
    readers: BTreeMap<u64, Reader>,
    commits: Commits,
}

#[derive(Debug)]
struct Reader {
    partition: u64,
    next: u64,
    /// The partition's losses when it subscribed.
    losses: u32,
}

impl Checker {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one event into account.
    ///
    /// # Errors
    /// The promise that it breaks. What is known is then in disorder: begin anew.
    pub fn observe(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Sent { send, partition, producer, order, retries, level, records } => {
                if records.is_empty() || self.sends.insert(send, partition).is_some() {
                    return Err(misuse(format!("send {send} is empty, or was sent before")));
                }
                let partition = self.partition(partition);
                partition.sent(send, producer, order, retries, level, records)
            }
            Event::Resent { send } => self.of_send(send)?.resent(send),
            Event::Acknowledged { send, level, base_offset } => {
                self.of_send(send)?.acknowledged(send, level, base_offset)
            }
            Event::Refused { send } => self.of_send(send)?.refused(send),
            Event::Failed { send } => self.of_send(send)?.failed(send),
            Event::Subscribed { reader, partition, offset } => {
                let losses = self.partition(partition).losses();
                self.readers.insert(reader, Reader { partition, next: offset, losses });
                Ok(())
            }
            Event::Read { reader, base_offset, records } => {
                self.read(reader, base_offset, &records)
            }
            Event::Durable { partition, end } => {
                self.partition(partition).durable(end);
                Ok(())
            }
            Event::TrimAllowed { partition, before } => {
                self.partition(partition).trim_allowed(before);
                Ok(())
            }
            Event::Trimmed { partition, start } => self.partition(partition).trimmed(start),
            Event::SyncFailed { partition } => {
                self.partition(partition).sync_failed();
                Ok(())
            }
            Event::Damaged { partition, offset } => {
                self.partition(partition).damaged(offset);
                Ok(())
            }
            Event::Crashed(crash) => {
                self.partitions.values_mut().for_each(|partition| partition.crashed(crash));
                self.commits.crashed();
                Ok(())
            }
            Event::Audited { partition, start, records } => {
                self.partition(partition).audited(start, &records)
            }
            Event::Deleted { partition } => {
                self.partition(partition).deleted();
                self.commits.forget_partition(partition);
                Ok(())
            }
            Event::CommitSent { group, partition, offset } => {
                self.commits.sent((group, partition), offset);
                Ok(())
            }
            Event::CommitAcknowledged { group, partition, offset } => {
                self.commits.acknowledged((group, partition), offset)
            }
            Event::ResetSent { group, partition, offset } => {
                self.commits.reset_sent((group, partition), offset);
                Ok(())
            }
            Event::ResetAcknowledged { group, partition, offset } => {
                self.commits.reset((group, partition), offset);
                Ok(())
            }
            Event::CommitAsked { ask, group, partition } => {
                self.commits.asked(ask, (group, partition));
                Ok(())
            }
            Event::CommitTold { ask, offset } => self.commits.told(ask, offset),
        }
    }

    fn read(
        &mut self,
        reader: u64,
        base_offset: u64,
        records: &[Digest],
    ) -> Result<(), Violation> {
        let Some(known) = self.readers.get_mut(&reader) else {
            return Err(misuse(format!("reader {reader} reads and has not subscribed")));
        };
        if base_offset != known.next {
            let text =
                format!("reader {reader} is given {base_offset}, the next is {}", known.next);
            return Err(Violation::new(ViolationKind::Skipped, text));
        }
        known.next = base_offset + records.len() as u64;
        let (partition, losses) = (known.partition, known.losses);
        let partition = self.partition(partition);
        if losses < partition.losses() {
            return partition.read_late(base_offset, records);
        }
        partition.read(base_offset, records)
    }

    fn partition(&mut self, id: u64) -> &mut Partition {
        self.partitions.entry(id).or_insert_with(|| Partition::new(id))
    }

    fn of_send(&mut self, send: u64) -> Result<&mut Partition, Violation> {
        let Some(&partition) = self.sends.get(&send) else {
            return Err(misuse(format!("send {send} is not known")));
        };
        Ok(self.partition(partition))
    }
}

fn misuse(text: String) -> Violation {
    Violation::new(ViolationKind::Misuse, text)
}

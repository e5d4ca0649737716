//! What goes wrong with the disk: calls that fail, room that ends, bits that change; and the look
//! at a whole log after each opening.

use std::io;

use bytes::Bytes;
use tidewire_checker::Event;
use tidewire_protocol::batch::Header;
use tidewire_protocol::error::Code;
use tidewire_protocol::message::Start;
use tidewire_server::sim::Effect;
use tidewire_storage::disk::Disk;
use tidewire_storage::disk::sim::{Fault, Operation};

use crate::batches::{self, Found};
use crate::disk;
use crate::host::dir;
use crate::world::{Task, World};

/// Reads of an audit that may fail before the log counts as unreadable.
const PATIENCE: u32 = 50;
/// The token of an audit's reads.
const AUDIT: u64 = u64::MAX;

impl World {
    pub fn inject_fault(&mut self) {
        if self.plan.failing.is_empty() {
            return;
        }
        let operation = *self.rng.pick(&self.plan.failing);
        let errors: &[io::ErrorKind] = match operation {
            Operation::Write | Operation::Name | Operation::SetLen => {
                &[io::ErrorKind::Other, io::ErrorKind::StorageFull]
            }
            _ => &[io::ErrorKind::Other],
        };
        let error = *self.rng.pick(errors);
        let after = self.rng.below(4);
        self.say(format_args!("fault: {operation:?} {error:?} after {after}"));
        self.tally.faults += 1;
        self.disk.sim.inject(Fault { after, ..Fault::once(operation, error) });
        self.host.slots.iter_mut().for_each(|slot| slot.rough = true);
    }

    pub fn fill_disk(&mut self) {
        let room = self.rng.below(3_000);
        self.say(format_args!("the disk has room for {room} bytes"));
        self.tally.full += 1;
        let used = self.disk.sim.used_bytes();
        self.disk.sim.limit_capacity(Some(used + room));
        self.host.slots.iter_mut().for_each(|slot| slot.rough = true);
        let delay = self.rng.below(10_000) + 1;
        self.after(delay, Task::Roomy);
    }

    /// Reads the whole log of a partition that was just opened, and compares.
    pub fn audit(&mut self, index: usize) {
        let Some((start, found)) = self.read_all(index) else { return };
        let slot = &self.host.slots[index];
        let (topic, damaged, rough) = (slot.topic, slot.damaged, slot.rough);
        let Some(partition) = &slot.partition else { return };
        let info = partition.describe();
        let quarantined = info.error == Code::PARTITION_CORRUPT.0;
        // A log that is quarantined can be read up to there.
        let refused = quarantined && start + found.records.len() as u64 == info.end_offset;
        if let Some(reason) = &found.damage
            && damaged.is_none()
            && !refused
        {
            self.fail(format!("topic {topic} cannot be read: {reason}"));
            return;
        }
        let times = found.headers.iter().map(|header| header.append_time_us);
        let epochs = found.headers.iter().map(|header| header.leader_epoch);
        if !times.is_sorted() || !epochs.is_sorted() {
            self.fail(format!("topic {topic}: times or epochs go back"));
            return;
        }
        let ids = found.ids;
        self.observe(Event::Audited { partition: topic, start, records: found.records });
        self.check_ids(index, &ids);
        if quarantined {
            self.tally.quarantined += 1;
            if !rough && damaged.is_none() {
                self.fail(format!("topic {topic} is quarantined though nothing was wrong"));
                return;
            }
        }
        if let Some((offset, followed)) = damaged
            && followed
            && !quarantined
            && info.end_offset <= offset
        {
            self.fail(format!(
                "topic {topic} was damaged at {offset}, and was cut although good batches follow"
            ));
            return;
        }
        if quarantined || damaged.is_some() {
            // Nobody can go on with it.
            return self.replace(index);
        }
        self.host.slots[index].rough = false;
    }

    /// Every record of an open partition, and the first offset. `None` if the server ended.
    fn read_all(&mut self, index: usize) -> Option<(u64, Found)> {
        let partition = self.host.slots[index].partition.as_mut()?;
        let start = partition.resolve(Start::Earliest, 0).unwrap_or_default();
        let mut all = Found { base_offset: start, ..Found::default() };
        let mut patience = PATIENCE;
        let mut next = start;
        loop {
            partition.read(next, 2_000, 0, AUDIT);
            let mut effect = partition.take_effects().pop();
            while let Some(Effect::Fetch(job)) = effect {
                partition.fetched(job.run());
                effect = partition.take_effects().pop();
            }
            if self.disk.sim.is_halted() {
                self.end_server(self.host.armed);
                return None;
            }
            match effect {
                Some(Effect::Read(_, Ok(reply))) if reply.bytes.is_empty() => break,
                Some(Effect::Read(_, Ok(reply))) => {
                    let found = batches::parse(reply.bytes, next);
                    next += found.records.len() as u64;
                    all.records.extend(found.records);
                    all.headers.extend(found.headers);
                    all.ids.extend(found.ids);
                    if found.damage.is_some() {
                        all.damage = found.damage;
                        break;
                    }
                }
                Some(Effect::Read(_, Err(error))) => {
                    patience -= 1;
                    if error.code == Code::PARTITION_CORRUPT || patience == 0 {
                        all.damage = Some(error.to_string());
                        break;
                    }
                }
                _ => {
                    all.damage = Some("a read was not answered".to_owned());
                    break;
                }
            }
        }
        Some((start, all))
    }

    /// A bit of some file changes.
    pub fn flip_bit(&mut self) {
        let index = self.rng.below(self.host.slots.len() as u64) as usize;
        let topic = self.host.topic(index);
        let dir = dir(topic);
        let Ok(mut names) = self.disk.sim.read_dir(&dir) else { return };
        // Where a log begins is said in one place only: if that is lost, all that it still holds
        // is back.
        names.retain(|name| !name.starts_with("start"));
        names.sort();
        if names.is_empty() {
            return;
        }
        let name = self.rng.pick(&names).clone();
        let path = dir.join(&name);
        let Ok(bytes) = self.disk.sim.contents(&path) else { return };
        if bytes.is_empty() {
            return;
        }
        let at = self.rng.below(bytes.len() as u64) as usize;
        let bit = 1 << self.rng.below(8);
        self.say(format_args!("a bit of byte {at} of {} changes", path.display()));
        self.tally.flips += 1;
        // What is known of producers may be in a snapshot alone.
        self.host.slots[index].losses += 1;
        let changed = self.disk.sim.corrupt(&path, |bytes| bytes[at] ^= bit);
        let segment = name
            .strip_suffix(".log")
            .or(name.strip_suffix(".next"))
            .and_then(|base| base.parse().ok());
        let (Ok(()), Some(base)) = (changed, segment) else { return };
        let whole = bytes.len();
        let bytes = disk::decrypted(&self.keys, &path, bytes);
        // Of two headers one is left, and nothing else is lost.
        let Some(at) = at.checked_sub(whole - bytes.len()) else { return };
        let (offset, good_after) = batch_at(&bytes, base, at);
        let later = |other: &String| other.ends_with(".log") && *other > name;
        let followed = name.ends_with(".log") && (good_after || names.iter().any(later));
        let slot = &mut self.host.slots[index];
        let before = slot.damaged.map_or(u64::MAX, |(offset, _)| offset);
        slot.damaged = Some((offset.min(before), followed && before == u64::MAX));
        self.observe(Event::Damaged { partition: topic, offset });
    }

    /// Cuts the last batch off the last segment file: a deliberate bug.
    pub fn cut_last_batch(&mut self, topic: u64) {
        let dir = dir(topic);
        let Ok(mut names) = self.disk.sim.read_dir(&dir) else { return };
        names.retain(|name| name.ends_with(".log"));
        names.sort();
        let Some(name) = names.last() else { return };
        let _ = self.disk.sim.corrupt(&dir.join(name), |bytes| {
            let mut last = 0;
            let mut at = 0;
            while let Ok(header) = Header::parse(&bytes[at..]) {
                if at + header.total_len as usize > bytes.len() {
                    break;
                }
                (last, at) = (at, at + header.total_len as usize);
            }
            bytes.truncate(last);
        });
    }
}

/// Base offset of the batch in a segment that holds a byte, and whether a good batch follows it.
fn batch_at(bytes: &[u8], base: u64, byte: usize) -> (u64, bool) {
    let mut offset = base;
    let mut at = 0;
    let mut holder = None;
    while let Ok(header) = Header::parse(&bytes[at..]) {
        let end = at + header.total_len as usize;
        if end > bytes.len() {
            break;
        }
        let whole = batches::parse(Bytes::copy_from_slice(&bytes[at..end]), offset);
        if whole.damage.is_some() {
            break;
        }
        if let Some(holder) = holder {
            return (holder, true);
        }
        if byte < end {
            holder = Some(offset);
        }
        (at, offset) = (end, header.next_offset().unwrap_or(u64::MAX));
    }
    (holder.unwrap_or(offset), false)
}

//! Look-ups by time: where the records since a moment begin, held against what the log's files
//! say.

use tidewire_protocol::batch::Header;
use tidewire_protocol::error::Error;
use tidewire_server::sim::{LookupJob, LookupOutcome};

use crate::disk::LogDisk;
use crate::host::Route;
use crate::world::{Task, World};

impl World {
    /// Somebody asks where the records since some time begin, of those that were appended lately
    /// or a while ago.
    pub fn ask_time(&mut self, index: usize) {
        let back_us = *self.rng.pick(&[0, 2_000, 20_000, 100_000]);
        let back_us = self.rng.below(back_us + 1) as i64;
        let time_us = self.wall_us() - back_us;
        let slot = &self.host.slots[index];
        let (Some(partition), topic) = (&slot.partition, slot.topic) else { return };
        let end = partition.describe().end_offset;
        let token = self.token(Route::Time { topic, time_us, end });
        self.drive(index, |partition| {
            partition.resolve_time(u64::try_from(time_us).unwrap_or(0), token);
        });
    }

    pub fn lookup_later(&mut self, index: usize, job: LookupJob<LogDisk>) {
        let start = self.host.slots[index].life;
        let delay = self.rng.below(self.plan.sync_us) + 1;
        self.after(delay, Task::RunLookup { start, slot: index, job });
    }

    pub fn run_lookup(&mut self, life: u64, index: usize, job: LookupJob<LogDisk>) {
        if self.host.slots[index].life != life || !self.host.is_slot_open(index) {
            return;
        }
        let outcome = job.run();
        if self.ends_here() {
            return;
        }
        let delay = self.rng.below(self.plan.sync_us) + 1;
        self.after(delay, Task::LookedUp { start: life, slot: index, outcome });
    }

    pub fn looked_up(&mut self, life: u64, index: usize, outcome: LookupOutcome<LogDisk>) {
        if self.host.slots[index].life == life {
            self.drive(index, |partition| partition.looked_up(outcome));
        }
    }

    /// Somebody is told where the records since a time begin.
    pub fn time_told(
        &mut self,
        index: usize,
        (topic, time_us, end): (u64, i64, u64),
        result: Result<u64, Error>,
    ) {
        let found = match result {
            Ok(found) => found,
            Err(error) => {
                self.say(format_args!("topic {topic} at {time_us} µs: {error}"));
                return;
            }
        };
        self.tally.times += 1;
        let slot = &self.host.slots[index];
        let Some(partition) = slot.partition.as_ref().filter(|_| slot.topic == topic) else {
            return;
        };
        let info = partition.describe();
        let stored = self.stored_headers(topic);
        let written = stored.headers.last().and_then(Header::next_offset).unwrap_or(0);
        // What a failed sync took away, or damage hides, nobody can tell.
        let whole = info.error == 0 && stored.damage.is_none() && written >= end;
        if !whole || self.host.is_damaged(topic) {
            return;
        }
        let first = stored.headers.iter().find(|header| header.append_time_us >= time_us);
        let expected = first.map_or(end, |header| header.base_offset.min(end));
        let expected = expected.max(info.start_offset);
        if found != expected {
            self.fail(format!(
                "topic {topic}: the records since {time_us} µs begin at {expected}, and {found} \
                 is told; the log begins at {}, ended at {end}",
                info.start_offset
            ));
        }
    }
}

//! What a topic keeps: its settings and their changes, records that go by request or by retention,
//! ids that are remembered. And the checks: that nothing goes but what may, and no id is seen but
//! those that were.

use std::collections::BTreeMap;

use bytes::Bytes;
use tidewire_checker::Event;
use tidewire_protocol::batch::{Codec, Header};
use tidewire_protocol::error::Error;
use tidewire_protocol::message::SeenRange;
use tidewire_storage::Topic;
use tidewire_storage::log::{RemoveJob, TrimJob, TrimOutcome};

use crate::batches::{self, Found, Id};
use crate::bug::Bug;
use crate::disk::{self, LogDisk};
use crate::host::{Route, Slot, dir};
use crate::world::{Task, World};

/// Most partitions that a run grows to.
const MAX_SLOTS: usize = 4;
/// Longest time between two looks at what is too old.
const RETAIN_US: u64 = 4_000;
/// What lies between the judgement of an id and the stamp of its record, besides syncs.
const SLACK_US: i64 = 1_000;

/// A topic's settings, in a simulation's dimensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub retention_ms: u64,
    pub retention_bytes: u64,
    pub window_ms: u64,
    pub segment_bytes: u64,
}

/// The least that was ever asked to be kept since a log was opened, at the latest time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Loosest {
    now_us: i64,
    ms: Option<u64>,
    bytes: Option<u64>,
}

impl Settings {
    pub fn topic(self, id: u64) -> Topic {
        Topic {
            id,
            stream: "sim".to_owned(),
            name: format!("t{id}"),
            partitions: 1,
            created_us: 0,
            segment_bytes: self.segment_bytes,
            codec: Codec::None,
            retention_ms: self.retention_ms,
            retention_bytes: self.retention_bytes,
            dedup_window_ms: self.window_ms,
        }
    }

    fn has_retention(self) -> bool {
        self.retention_ms > 0 || self.retention_bytes > 0
    }
}

impl World {
    /// What a topic is created with.
    pub fn new_settings(&mut self) -> Settings {
        let mut settings =
            Settings { segment_bytes: self.plan.segment_bytes, ..Settings::default() };
        if self.plan.retention {
            settings.retention_ms = *self.rng.pick(&[0, 2, 10, 40]);
            settings.retention_bytes = *self.rng.pick(&[0, 3_000, 12_000, 40_000]);
        }
        if self.plan.ids {
            settings.window_ms = *self.rng.pick(&[0, 3, 10, 30]);
        }
        settings
    }

    /// The settings as the server has them, which a bug may make others.
    pub fn server_topic(&self, index: usize) -> Topic {
        let slot = &self.host.slots[index];
        let mut settings = slot.settings;
        if self.bug == Some(Bug::KeepTooLittle) {
            settings.retention_ms = settings.retention_ms.div_ceil(2);
            settings.retention_bytes = settings.retention_bytes.div_ceil(2);
        }
        if self.bug == Some(Bug::RememberIds) {
            settings.window_ms *= 20;
        }
        settings.topic(slot.topic)
    }

    /// A topic gets other settings, or there is one more partition.
    pub fn change_topic(&mut self) {
        self.tally.changed += 1;
        if self.host.slots.len() < MAX_SLOTS && self.rng.one_in(3) {
            let settings = self.new_settings();
            let index = self.host.add_slot(settings);
            self.say(format_args!("one partition more: topic {}", self.host.topic(index)));
            let delay = self.rng.below(RETAIN_US) + 1;
            self.after(delay, Task::Open { start: self.host.start, slot: index });
            self.add_producer(index);
            self.add_reader(index);
            return self.catalog_changed();
        }
        let index = self.rng.below(self.host.slots.len() as u64) as usize;
        let mut settings = self.new_settings();
        settings.segment_bytes = *self.rng.pick(&[4 << 10, 8 << 10, 64 << 10]);
        let now_us = self.wall_us();
        let slot = &mut self.host.slots[index];
        if settings.window_ms != slot.settings.window_ms {
            slot.window_since_us = now_us;
        }
        slot.settings = settings;
        let topic = slot.topic;
        self.say(format_args!("topic {topic} is changed: {settings:?}"));
        let topic = self.server_topic(index);
        self.drive(index, |partition| partition.keep_to(&topic));
        self.expire_partition(index);
    }

    /// Deletes what is too old or too much, as a shard has it done.
    pub fn expire_partition(&mut self, index: usize) {
        let now_us = self.wall_us();
        let slot = &mut self.host.slots[index];
        if !slot.settings.has_retention() {
            return;
        }
        let loosest = &mut slot.loosest;
        let least = |known: Option<u64>, asked: u64| match asked {
            0 => known,
            asked => Some(known.map_or(asked, |known| known.min(asked))),
        };
        loosest.now_us = loosest.now_us.max(now_us);
        loosest.ms = least(loosest.ms, slot.settings.retention_ms);
        loosest.bytes = least(loosest.bytes, slot.settings.retention_bytes);
        self.drive(index, |partition| partition.expire(now_us));
    }

    pub fn retain(&mut self, life: u64, index: usize) {
        if self.host.slots[index].life != life {
            return;
        }
        self.expire_partition(index);
        self.retain_later(index);
    }

    pub fn retain_later(&mut self, index: usize) {
        if self.plan.retention && !self.resting {
            let delay = self.rng.below(RETAIN_US) + 1;
            let start = self.host.slots[index].life;
            self.after(delay, Task::Retain { start, slot: index });
        }
    }

    /// Somebody deletes the records before an offset, or all.
    pub fn delete_records(&mut self) {
        let index = self.rng.below(self.host.slots.len() as u64) as usize;
        let slot = &self.host.slots[index];
        let Some(partition) = &slot.partition else { return };
        let (info, topic) = (partition.describe(), slot.topic);
        let purge = self.rng.one_in(4);
        let before = if purge {
            let written =
                self.stored_headers(topic).headers.last().and_then(Header::next_offset);
            written.unwrap_or(0).max(info.end_offset)
        } else {
            self.rng.between(info.start_offset, info.end_offset)
        };
        self.say(format_args!("topic {topic}: delete before {before}, purge {purge}"));
        let slot = &mut self.host.slots[index];
        slot.requested = slot.requested.max(before);
        let token = self.token(Route::Trim { topic, before });
        if purge {
            self.drive(index, |partition| partition.purge(token));
        } else {
            self.drive(index, |partition| partition.truncate(before, token));
        }
    }

    /// Somebody who deleted records is told.
    pub fn records_deleted(&mut self, topic: u64, before: u64, result: Result<u64, Error>) {
        match result {
            Ok(start) if start < before => self.fail(format!(
                "topic {topic}: who deletes before {before} is told that it begins at {start}"
            )),
            Ok(start) => self.observe(Event::Trimmed { partition: topic, start }),
            Err(error) => self.say(format_args!("topic {topic}: nothing deleted: {error}")),
        }
    }

    /// A log's start is to be moved: it must be allowed.
    pub fn begin_trim(&mut self, index: usize, job: TrimJob<LogDisk>) {
        let to = job.start_offset();
        let slot = &self.host.slots[index];
        let (topic, life, requested, loosest) =
            (slot.topic, slot.life, slot.requested, slot.loosest);
        // What a failed sync took from the files still counts for who has not heard of it.
        let judged = to > requested && !slot.is_unsure();
        if judged && !may_go(&self.stored_headers(topic), to, loosest) {
            let settings = slot.settings;
            self.fail(format!(
                "topic {topic} is to begin at {to}: nobody asked for more than {requested}, and \
                 what goes is neither old nor too much: {settings:?}"
            ));
            return;
        }
        self.observe(Event::TrimAllowed { partition: topic, before: to });
        let delay = self.rng.below(self.plan.sync_us) + 1;
        self.after(delay, Task::RunTrim { start: life, slot: index, job });
    }

    pub fn run_trim(&mut self, life: u64, index: usize, job: TrimJob<LogDisk>) {
        if self.host.slots[index].life != life || !self.host.is_slot_open(index) {
            return;
        }
        let to = job.start_offset();
        self.disk.set_trimming(true);
        let outcome = job.run();
        self.disk.set_trimming(false);
        // A start that cannot be made durable takes no record with it.
        let failed = self.disk.take_failed_syncs();
        self.say(format_args!("start {to}, {} failed syncs", failed.len()));
        if self.ends_here() {
            return;
        }
        let delay = self.rng.below(self.plan.sync_us) + 1;
        self.after(delay, Task::Trimmed { start: life, slot: index, outcome });
    }

    pub fn trimmed(&mut self, life: u64, index: usize, outcome: TrimOutcome) {
        if self.host.slots[index].life != life {
            return;
        }
        let start_of = |slot: &Slot| {
            slot.partition.as_ref().map_or(0, |partition| partition.describe().start_offset)
        };
        let before = start_of(&self.host.slots[index]);
        self.drive(index, |partition| partition.trimmed(outcome));
        let after = start_of(&self.host.slots[index]);
        if after > before {
            self.tally.trims += 1;
            self.tally.trimmed += after - before;
            // Whoever asks from now on is told so.
            let partition = self.host.topic(index);
            self.observe(Event::Trimmed { partition, start: after });
        }
    }

    pub fn run_remove(&mut self, life: u64, index: usize, job: RemoveJob<LogDisk>) {
        if self.host.slots[index].life != life || !self.host.is_slot_open(index) {
            return;
        }
        let left = job.run();
        self.tally.removed += 1;
        self.say(format_args!("{} files remain", left.len()));
        self.ends_here();
    }

    /// A batch was refused for ids that were seen: they must have been.
    pub fn check_seen(&mut self, index: usize, send: u64, error: &Error) {
        self.tally.seen += 1;
        let Some(ids) = self.ids.get(&send).cloned() else {
            self.fail(format!("send {send} has no ids, and is told that some were seen"));
            return;
        };
        let slot = &self.host.slots[index];
        if slot.is_unsure() {
            // Its memory tells of records that a failed sync took from the files.
            return;
        }
        let (topic, window_ms) = (slot.topic, slot.settings.window_ms);
        let start = slot.partition.as_ref().map_or(0, |open| open.describe().start_offset);
        let stored = self.stored(topic);
        let written = stored.headers.last().and_then(Header::next_offset).unwrap_or(0);
        let known: BTreeMap<u64, (Id, i64)> =
            stored.ids.iter().map(|&(id, offset, time_us)| (offset, (id, time_us))).collect();
        // The answer waited for a sync, perhaps for one after another.
        let slack_us = SLACK_US + 4 * self.plan.sync_us as i64;
        let since_us = slot.window_since_us;
        let oldest_us = self.wall_us() - window_ms as i64 * 1_000 - slack_us;
        let mut wrong = None;
        for range in &error.seen {
            for step in 0..range.count {
                let at = (range.first_index + step) as usize;
                let offset = range.base_offset;
                let good = match ids.get(at) {
                    None => false,
                    Some(id) if offset == SeenRange::SAME_BATCH => ids[..at].contains(id),
                    Some(id) => match known.get(&(offset + u64::from(step))) {
                        Some((there, time_us)) => {
                            // A window that was just made shorter was longer a moment ago.
                            let settled = oldest_us > since_us;
                            let recent = *time_us >= oldest_us || !settled;
                            there == id && (recent || self.plan.clock_jumps)
                        }
                        // Deleted since; or queued, which is enough for who asks for no more.
                        None => {
                            let at = offset + u64::from(step);
                            at < start || at >= written
                        }
                    },
                };
                if !good {
                    let there = known.get(&(offset + u64::from(step))).copied();
                    wrong = Some((at, offset, ids.get(at).copied(), there));
                }
            }
        }
        if let Some((at, offset, id, there)) = wrong {
            self.fail(format!(
                "send {send} is told that the id of record {at} was seen within {window_ms} ms \
                 at {offset}: {:?}; its id is {id:?}, there is {there:?}",
                error.seen
            ));
        }
    }

    /// No id was appended twice within its window.
    pub fn check_ids(&mut self, index: usize, ids: &[(Id, u64, i64)]) {
        let slot = &self.host.slots[index];
        let (topic, since_us) = (slot.topic, slot.window_since_us);
        let window_us = slot.settings.window_ms as i64 * 1_000;
        if window_us == 0 || self.plan.clock_jumps {
            return;
        }
        let mut last: BTreeMap<Id, (u64, i64)> = BTreeMap::new();
        for &(id, offset, time_us) in ids {
            let before = last.insert(id, (offset, time_us));
            if let Some((first, first_us)) = before
                // One that was judged just before there was a window may be stamped within it.
                && first_us >= since_us.saturating_add(SLACK_US)
                && time_us - first_us < window_us - SLACK_US
            {
                self.fail(format!(
                    "topic {topic}: an id is at {first} and at {offset}, {} µs later; the \
                     window is {window_us} µs",
                    time_us - first_us
                ));
                return;
            }
        }
    }

    /// What the files of a log hold, as programs see them.
    fn stored(&self, topic: u64) -> Found {
        self.stored_by(topic, batches::parse)
    }

    /// As [`World::stored`], of headers alone.
    pub fn stored_headers(&self, topic: u64) -> Found {
        self.stored_by(topic, batches::headers)
    }

    fn stored_by(&self, topic: u64, read: fn(Bytes, u64) -> Found) -> Found {
        let dir = dir(topic);
        let mut names = self.disk.sim.names(&dir).unwrap_or_default();
        let base = |name: &String| {
            let stem = name.strip_suffix(".log").or(name.strip_suffix(".next"))?;
            stem.parse::<u64>().ok()
        };
        names.retain(|name| base(name).is_some());
        names.sort_by_key(base);
        let mut all = Found::default();
        for name in names {
            let path = dir.join(&name);
            let Ok(bytes) = self.disk.sim.contents(&path) else { continue };
            let bytes = disk::decrypted(&self.keys, &path, bytes);
            let found = read(Bytes::from(bytes), base(&name).unwrap_or(0));
            all.headers.extend(found.headers);
            all.ids.extend(found.ids);
            all.damage = all.damage.or(found.damage);
        }
        all
    }
}

/// Whether all before `to` may go: it is old, or there is enough without it.
fn may_go(stored: &Found, to: u64, loosest: Loosest) -> bool {
    let (gone, kept): (Vec<&Header>, Vec<&Header>) = stored
        .headers
        .iter()
        .partition(|header| header.next_offset().is_some_and(|next| next <= to));
    let old = |header: &&Header| {
        loosest.ms.is_some_and(|ms| header.append_time_us + ms as i64 * 1_000 <= loosest.now_us)
    };
    let kept: u64 = kept.iter().map(|header| u64::from(header.total_len)).sum();
    gone.iter().all(old) || loosest.bytes.is_some_and(|bytes| kept >= bytes)
}

//! What happened so far, as the checker wants to hear it, and how far each partition is safe.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidewire::Acks;
use tidewire_checker::{Checker, Crash, Digest, Event, Level, Order, Retries};

/// A history that tasks share. After the first violation it only keeps that.
#[derive(Clone, Default)]
pub struct History(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    checker: Checker,
    violation: Option<String>,
    sends: u64,
    readers: u64,
    counts: Counts,
    /// By partition, the offset before which no loss of power may take anything.
    safe_ends: BTreeMap<u32, u64>,
    /// Acknowledged as synced: what stands where.
    synced: BTreeMap<(u32, u64), Digest>,
    /// Every record that was ever sent.
    sent: BTreeMap<u32, Vec<Digest>>,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Records sent.
    pub sent: u64,
    /// Records acknowledged as written or synced.
    pub acknowledged: u64,
    /// Records that readers were shown while the server ran.
    pub read: u64,
    /// Records found by audits.
    pub audited: u64,
}

/// The content of a record by which it is told from all others.
pub fn digest(value: Option<&[u8]>) -> Digest {
    Digest::of([value])
}

fn level(acks: Acks) -> Level {
    match acks {
        Acks::Written => Level::Written,
        Acks::Synced => Level::Synced,
        _ => Level::None,
    }
}

impl History {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record is sent; returns the send's number.
    pub fn sent(
        &self,
        partition: u32,
        producer: u64,
        place: u64,
        acks: Acks,
        of: Digest,
    ) -> u64 {
        let mut state = self.lock();
        state.sends += 1;
        state.counts.sent += 1;
        state.sent.entry(partition).or_default().push(of);
        let send = state.sends;
        state.observe(Event::Sent {
            send,
            partition: u64::from(partition),
            producer,
            order: Order::Ordered { place },
            // The server never comes back under its old address: no retry of a client succeeds.
            retries: Retries::Told,
            level: level(acks),
            records: vec![of],
        });
        send
    }

    /// It was acknowledged.
    pub fn acknowledged(&self, send: u64, partition: u32, acks: Acks, offset: u64, of: Digest) {
        let mut state = self.lock();
        if acks == Acks::None {
            return;
        }
        state.counts.acknowledged += 1;
        if acks == Acks::Synced {
            state.safe(partition, offset + 1);
            state.synced.insert((partition, offset), of);
        }
        let level = level(acks);
        state.observe(Event::Acknowledged { send, level, base_offset: offset });
    }

    /// A reader begins; returns its number.
    pub fn subscribed(&self, partition: u32, offset: u64) -> u64 {
        let mut state = self.lock();
        state.readers += 1;
        let reader = state.readers;
        let partition = u64::from(partition);
        state.observe(Event::Subscribed { reader, partition, offset });
        reader
    }

    /// A reader was shown records.
    pub fn read(&self, reader: u64, partition: u32, base_offset: u64, records: Vec<Digest>) {
        let mut state = self.lock();
        state.counts.read += records.len() as u64;
        state.safe(partition, base_offset + records.len() as u64);
        state.observe(Event::Read { reader, base_offset, records });
    }

    /// The server said that everything before `end` is on the disk.
    pub fn durable(&self, partition: u32, end: u64) {
        let mut state = self.lock();
        state.safe(partition, end);
        state.observe(Event::Durable { partition: u64::from(partition), end });
    }

    /// The whole of a partition.
    pub fn audited(&self, partition: u32, start: u64, records: Vec<Digest>) {
        let mut state = self.lock();
        state.counts.audited += records.len() as u64;
        state.observe(Event::Audited { partition: u64::from(partition), start, records });
    }

    /// The process was killed.
    pub fn killed(&self) {
        self.lock().observe(Event::Crashed(Crash::Process));
    }

    /// The end of a partition's file was damaged as a loss of power would.
    pub fn unsynced_lost(&self, partition: u32) {
        self.lock().observe(Event::SyncFailed { partition: u64::from(partition) });
    }

    /// The offset before which no loss of power may take anything.
    pub fn safe_end(&self, partition: u32) -> u64 {
        self.lock().safe_ends.get(&partition).copied().unwrap_or(0)
    }

    /// What was acknowledged as synced up to now.
    pub fn synced(&self) -> BTreeMap<(u32, u64), Digest> {
        self.lock().synced.clone()
    }

    /// Every record that was ever sent to a partition.
    pub fn everything_sent(&self, partition: u32) -> Vec<Digest> {
        let mut sent = self.lock().sent.get(&partition).cloned().unwrap_or_default();
        sent.sort_unstable();
        sent
    }

    /// The first broken promise, if there is one.
    pub fn verdict(&self) -> Result<Counts, String> {
        let state = self.lock();
        match &state.violation {
            Some(violation) => Err(violation.clone()),
            None => Ok(state.counts),
        }
    }
}

impl State {
    fn observe(&mut self, event: Event) {
        if self.violation.is_none()
            && let Err(violation) = self.checker.observe(event)
        {
            self.violation = Some(format!("{violation}"));
        }
    }

    fn safe(&mut self, partition: u32, end: u64) {
        let known = self.safe_ends.entry(partition).or_default();
        *known = (*known).max(end);
    }
}

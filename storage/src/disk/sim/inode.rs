//! The bytes of one file: as they are seen, as they are on the disk, and what lies between.

use super::rng::Rng;

/// What a disk writes at once.
const SECTOR_BYTES: usize = 512;

/// How much of the unsynced changes a crash leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Survival {
    Nothing,
    Everything,
    /// The first ones, and part of the one after them.
    Prefix,
    /// Any sectors, in any order.
    Sectors,
}

impl Survival {
    pub fn by_chance(rng: &mut Rng) -> Self {
        match rng.below(8) {
            0 => Self::Nothing,
            1 => Self::Everything,
            2..6 => Self::Prefix,
            _ => Self::Sectors,
        }
    }

    /// By chance, and in order: nothing survives behind what did not.
    pub fn in_order(rng: &mut Rng) -> Self {
        match rng.below(8) {
            0 => Self::Nothing,
            1 => Self::Everything,
            _ => Self::Prefix,
        }
    }
}

#[derive(Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    SetLen(usize),
}

#[derive(Debug, Default)]
pub(super) struct Inode {
    seen: Vec<u8>,
    synced: Vec<u8>,
    /// Changes since the last sync, in order.
    changes: Vec<Change>,
    /// A sync has failed: what comes after what it lost does not survive in order.
    has_gap: bool,
}

impl Inode {
    pub fn bytes(&self) -> &[u8] {
        &self.seen
    }

    pub fn write(&mut self, at: u64, bytes: Vec<u8>) {
        let at = usize::try_from(at).expect("a simulated file fits in memory");
        self.change(Change::Write { at, bytes });
    }

    pub fn set_len(&mut self, len: u64) {
        let len = usize::try_from(len).expect("a simulated file fits in memory");
        self.change(Change::SetLen(len));
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.seen, &change);
        self.changes.push(change);
    }

    /// How much survives of a disk that keeps what it is given in order.
    pub fn survival_in_order(&self, rng: &mut Rng) -> Survival {
        if self.has_gap { Survival::Nothing } else { Survival::in_order(rng) }
    }

    pub fn sync(&mut self) {
        self.has_gap = false;
        for change in self.changes.drain(..) {
            apply(&mut self.synced, &change);
        }
    }

    /// The changes will never reach the disk, but for those that happened to.
    pub fn fail_sync(&mut self, survival: Survival, rng: &mut Rng) {
        let changes = std::mem::take(&mut self.changes);
        self.has_gap |= survival != Survival::Everything && !changes.is_empty();
        survive(&mut self.synced, &changes, survival, rng);
    }

    pub fn forget_cached(&mut self) {
        self.seen.clone_from(&self.synced);
        for change in &self.changes {
            apply(&mut self.seen, change);
        }
    }

    pub fn crash(&mut self, survival: Survival, rng: &mut Rng) {
        self.fail_sync(survival, rng);
        self.has_gap = false;
        self.seen.clone_from(&self.synced);
    }

    pub fn corrupt(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.seen);
        self.synced.clone_from(&self.seen);
        self.changes.clear();
    }
}

fn apply(file: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes } => put(file, *at, bytes),
        Change::SetLen(len) => file.resize(*len, 0),
    }
}

/// Writes, with zeros in the gap if there is one.
fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}

fn survive(file: &mut Vec<u8>, changes: &[Change], survival: Survival, rng: &mut Rng) {
    match survival {
        Survival::Nothing => {}
        Survival::Everything => changes.iter().for_each(|change| apply(file, change)),
        Survival::Prefix => {
            let whole = rng.below(changes.len() as u64 + 1) as usize;
            changes[..whole].iter().for_each(|change| apply(file, change));
            if let Some(Change::Write { at, bytes }) = changes.get(whole) {
                let cut = rng.below(bytes.len() as u64 + 1) as usize;
                put(file, *at, &bytes[..cut]);
                // A file may have grown before its bytes arrived.
                if rng.one_in(3) && file.len() < at + bytes.len() {
                    file.resize(at + bytes.len(), 0);
                }
            }
        }
        Survival::Sectors => {
            for change in changes {
                let Change::Write { at, bytes } = change else {
                    if rng.one_in(2) {
                        apply(file, change);
                    }
                    continue;
                };
                let mut from = 0;
                while from < bytes.len() {
                    let sector_end = (at + from + 1).next_multiple_of(SECTOR_BYTES) - at;
                    let to = sector_end.min(bytes.len());
                    if rng.one_in(2) {
                        put(file, at + from, &bytes[from..to]);
                    }
                    from = to;
                }
            }
        }
    }
}

//! Committed offsets of groups. Invariant: what is told lies between the highest commit that was
//! acknowledged before the question and the highest that was ever sent, as far as nobody has set
//! it elsewhere since.
//!
//! What is under way at one time may be carried out in any order: a commit beside a reset may come
//! before it, and is then gone, or after it, and then stands. Neither is a promise.

use std::collections::BTreeMap;

use crate::violation::{Violation, ViolationKind};

#[derive(Debug, Default)]
struct Group {
    /// The highest that may be there.
    highest: Option<u64>,
    /// The lowest that may be there.
    floor: Option<u64>,
    /// Commits without an answer.
    commits: Vec<Commit>,
    /// Resets without an answer.
    resets: Vec<Reset>,
}

#[derive(Debug)]
struct Commit {
    offset: u64,
    /// A reset was under way meanwhile.
    crossed: bool,
}

#[derive(Debug)]
struct Reset {
    offset: u64,
    /// The highest of what was under way meanwhile.
    highest: u64,
    /// The lowest that others set meanwhile.
    lowest: u64,
    /// The server that it was sent to has ended: it is carried out by now, or never.
    over: bool,
}

#[derive(Debug)]
struct Ask {
    group: (u64, u64),
    /// The lowest that may be told.
    floor: Option<u64>,
    /// The group was reset meanwhile: either side of it may be told.
    loose: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Commits {
    groups: BTreeMap<(u64, u64), Group>,
    asks: BTreeMap<u64, Ask>,
}

impl Group {
    fn sent(&mut self, offset: u64) {
        let mut crossed = false;
        for reset in self.resets.iter_mut().filter(|reset| !reset.over) {
            reset.highest = reset.highest.max(offset);
            crossed = true;
        }
        self.highest = self.highest.max(Some(offset));
        self.commits.push(Commit { offset, crossed });
    }

    /// False if there is no such commit.
    fn acknowledged(&mut self, offset: u64) -> bool {
        let answered = |commit: &Commit| commit.offset == offset;
        // Of two alike, the one that promises less.
        let crossed = self.commits.iter().position(|commit| answered(commit) && commit.crossed);
        let Some(at) = crossed.or_else(|| self.commits.iter().position(answered)) else {
            return false;
        };
        if !self.commits.swap_remove(at).crossed {
            self.floor = self.floor.max(Some(offset));
        }
        true
    }

    fn reset_sent(&mut self, offset: u64) {
        let (mut highest, mut lowest) = (offset, offset);
        for commit in &mut self.commits {
            commit.crossed = true;
            highest = highest.max(commit.offset);
        }
        for other in self.resets.iter_mut().filter(|reset| !reset.over) {
            other.highest = other.highest.max(offset);
            other.lowest = other.lowest.min(offset);
            highest = highest.max(other.offset);
            lowest = lowest.min(other.offset);
        }
        self.highest = self.highest.max(Some(offset));
        self.floor = self.floor.min(Some(offset));
        self.resets.push(Reset { offset, highest, lowest, over: false });
    }

    fn reset(&mut self, offset: u64) {
        let Some(at) = self.resets.iter().position(|reset| reset.offset == offset) else {
            return;
        };
        let reset = self.resets.swap_remove(at);
        if !reset.over {
            self.highest = Some(reset.highest);
            self.floor = Some(reset.lowest);
        }
    }

    fn crashed(&mut self) {
        self.resets.iter_mut().for_each(|reset| reset.over = true);
    }
}

impl Commits {
    pub fn sent(&mut self, group: (u64, u64), offset: u64) {
        self.groups.entry(group).or_default().sent(offset);
    }

    pub fn acknowledged(&mut self, group: (u64, u64), offset: u64) -> Result<(), Violation> {
        if self.groups.entry(group).or_default().acknowledged(offset) {
            return Ok(());
        }
        let text = format!("group {group:?}: commit {offset} was acknowledged, never sent");
        Err(Violation::new(ViolationKind::Misuse, text))
    }

    /// From here on both what was and what is set may be told.
    pub fn reset_sent(&mut self, group: (u64, u64), offset: u64) {
        self.groups.entry(group).or_default().reset_sent(offset);
        self.loosen(group);
    }

    /// What was before is no more.
    pub fn reset(&mut self, group: (u64, u64), offset: u64) {
        self.groups.entry(group).or_default().reset(offset);
        self.loosen(group);
    }

    /// The server has ended: what was sent to it is carried out by now, or never. What it had
    /// answered may still be on its way.
    pub fn crashed(&mut self) {
        self.groups.values_mut().for_each(Group::crashed);
    }

    fn loosen(&mut self, group: (u64, u64)) {
        let asks = self.asks.values_mut().filter(|ask| ask.group == group);
        asks.for_each(|ask| ask.loose = true);
    }

    pub fn asked(&mut self, ask: u64, group: (u64, u64)) {
        let known = self.groups.get(&group);
        let floor = known.and_then(|known| known.floor);
        // A reset without an answer may still be carried out, and again lower things be told.
        let loose = known.is_some_and(|known| known.resets.iter().any(|reset| !reset.over));
        self.asks.insert(ask, Ask { group, floor, loose });
    }

    pub fn told(&mut self, ask: u64, offset: Option<u64>) -> Result<(), Violation> {
        let Some(Ask { group, floor, loose }) = self.asks.remove(&ask) else {
            let text = format!("question {ask} was never asked");
            return Err(Violation::new(ViolationKind::Misuse, text));
        };
        if loose {
            return Ok(());
        }
        if offset < floor {
            let text = format!(
                "group {group:?} is told {offset:?}, though {floor:?} was acknowledged before"
            );
            return Err(Violation::new(ViolationKind::CommitWentBack, text));
        }
        let highest = self.groups.get(&group).and_then(|known| known.highest);
        if offset > highest {
            let text =
                format!("group {group:?} is told {offset:?}, at most {highest:?} was sent");
            return Err(Violation::new(ViolationKind::CommitInvented, text));
        }
        Ok(())
    }

    pub fn forget_partition(&mut self, partition: u64) {
        self.groups.retain(|&(_, of), _| of != partition);
        self.asks.retain(|_, ask| ask.group.1 != partition);
    }
}

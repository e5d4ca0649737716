//! Committed offsets of groups. Invariant: what is told lies between the highest commit that was
//! acknowledged before the question and the highest that was ever sent, as far as nobody has set
//! it elsewhere since.

use std::collections::BTreeMap;

use crate::violation::{Violation, ViolationKind};

#[derive(Debug, Default)]
struct Group {
    sent: Option<u64>,
    acknowledged: Option<u64>,
}

#[derive(Debug)]
struct Ask {
    group: (u64, u64),
    /// What was acknowledged when it was asked.
    floor: Option<u64>,
    /// The group was reset meanwhile: either side of it may be told.
    loose: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Commits {
    groups: BTreeMap<(u64, u64), Group>,
    asks: BTreeMap<u64, Ask>,
}

impl Commits {
    pub fn sent(&mut self, group: (u64, u64), offset: u64) {
        let group = self.groups.entry(group).or_default();
        group.sent = group.sent.max(Some(offset));
    }

    pub fn acknowledged(&mut self, group: (u64, u64), offset: u64) -> Result<(), Violation> {
        let known = self.groups.entry(group).or_default();
        if known.sent < Some(offset) {
            let text = format!("group {group:?}: commit {offset} was acknowledged, never sent");
            return Err(Violation::new(ViolationKind::Misuse, text));
        }
        known.acknowledged = known.acknowledged.max(Some(offset));
        Ok(())
    }

    /// From here on both what was and what is set may be told.
    pub fn reset_sent(&mut self, group: (u64, u64), offset: u64) {
        let known = self.groups.entry(group).or_default();
        known.sent = known.sent.max(Some(offset));
        if known.acknowledged > Some(offset) {
            known.acknowledged = Some(offset);
        }
        self.loosen(group);
    }

    /// What was before is no more.
    pub fn reset(&mut self, group: (u64, u64), offset: u64) {
        self.groups.insert(group, Group { sent: Some(offset), acknowledged: Some(offset) });
        self.loosen(group);
    }

    fn loosen(&mut self, group: (u64, u64)) {
        let asks = self.asks.values_mut().filter(|ask| ask.group == group);
        asks.for_each(|ask| ask.loose = true);
    }

    pub fn asked(&mut self, ask: u64, group: (u64, u64)) {
        let floor = self.groups.get(&group).and_then(|known| known.acknowledged);
        self.asks.insert(ask, Ask { group, floor, loose: false });
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
        let sent = self.groups.get(&group).and_then(|known| known.sent);
        if offset > sent {
            let text = format!("group {group:?} is told {offset:?}, at most {sent:?} was sent");
            return Err(Violation::new(ViolationKind::CommitInvented, text));
        }
        Ok(())
    }

    pub fn forget_partition(&mut self, partition: u64) {
        self.groups.retain(|&(_, of), _| of != partition);
        self.asks.retain(|_, ask| ask.group.1 != partition);
    }
}

//! Whether what came back is what was sent.
//!
//! Owns the verdict: every record exactly once, byte for byte, in order for each key, with no gap
//! in the offsets. A record carries its index in a header, so that a missing, doubled, altered or
//! reordered one is told by its number. The one invariant: nothing is taken on trust; a record
//! that cannot be placed is a problem of its own.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::quakes::Quakes;

/// The header with a record's index, in decimal.
pub const INDEX_HEADER: &str = "index";

/// Problems that are told one by one; the rest is counted.
const MAX_TOLD: usize = 5;

/// A record as it came back.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Where it came from.
    pub partition: u32,
    /// Its place there.
    pub offset: u64,
    /// What stands in its [`INDEX_HEADER`].
    pub index: Option<&'a [u8]>,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value.
    pub value: Option<&'a [u8]>,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Records that never came.
    Missing { count: u64, first: u64 },
    /// A record that came before.
    Doubled { index: u64 },
    /// A record with another key or value than was sent.
    Altered { index: u64 },
    /// A record that came after a later one of its key.
    Reordered { index: u64, after: u64 },
    /// Offsets that do not follow each other.
    OffsetGap { partition: u32, expected: u64, offset: u64 },
    /// A key in more than one partition.
    KeyMoved { index: u64, from: u32, to: u32 },
    /// A record that was not sent.
    Unknown { partition: u32, offset: u64 },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { count: 1, first } => write!(f, "record {first} is missing"),
            Self::Missing { count, first } => {
                write!(f, "{count} records are missing, the first is {first}")
            }
            Self::Doubled { index } => write!(f, "record {index} came twice"),
            Self::Altered { index } => write!(f, "record {index} is not what was sent"),
            Self::Reordered { index, after } => {
                write!(f, "record {index} came after {after}, which has the same key")
            }
            Self::OffsetGap { partition, expected, offset } => {
                write!(f, "partition {partition} goes on at offset {offset}, not {expected}")
            }
            Self::KeyMoved { index, from, to } => {
                write!(f, "record {index} is in partition {to}, others of its key in {from}")
            }
            Self::Unknown { partition, offset } => {
                write!(f, "offset {offset} of partition {partition} was never sent")
            }
        }
    }
}

/// What is known of a key.
#[derive(Debug)]
struct KeyState {
    partition: u32,
    last_index: u64,
}

/// Checks records as they come, in any order of partitions.
#[derive(Debug)]
pub struct Checker {
    sent: Arc<Quakes>,
    seen: Vec<bool>,
    came: u64,
    keys: HashMap<Vec<u8>, KeyState>,
    next_offsets: HashMap<u32, u64>,
    problems: Vec<Problem>,
    untold: u64,
}

impl Checker {
    /// A checker that has seen nothing.
    pub fn new(sent: Arc<Quakes>) -> Self {
        let seen = vec![false; usize::try_from(sent.records()).unwrap_or(usize::MAX)];
        Self {
            sent,
            seen,
            came: 0,
            keys: HashMap::new(),
            next_offsets: HashMap::new(),
            problems: Vec::new(),
            untold: 0,
        }
    }

    /// Takes note of a record; its index, if it has one that was sent.
    pub fn observe(&mut self, record: Seen<'_>) -> Option<u64> {
        let Seen { partition, offset, .. } = record;
        self.came += 1;
        let expected = self.next_offsets.insert(partition, offset + 1).unwrap_or(0);
        if offset != expected {
            self.problem(Problem::OffsetGap { partition, expected, offset });
        }
        let Some((index, place)) = self.place(record.index) else {
            self.problem(Problem::Unknown { partition, offset });
            return None;
        };
        if std::mem::replace(&mut self.seen[place], true) {
            self.problem(Problem::Doubled { index });
            return Some(index);
        }
        let sent = Arc::clone(&self.sent);
        let (key, value) = sent.get(index);
        if record.key != Some(key) || record.value != Some(value) {
            self.problem(Problem::Altered { index });
        }
        self.order(key, partition, index);
        Some(index)
    }

    /// An index of a record that was sent.
    fn place(&self, header: Option<&[u8]>) -> Option<(u64, usize)> {
        let index: u64 = std::str::from_utf8(header?).ok()?.parse().ok()?;
        let place = usize::try_from(index).ok()?;
        (place < self.seen.len()).then_some((index, place))
    }

    fn order(&mut self, key: &[u8], partition: u32, index: u64) {
        let Some(state) = self.keys.get_mut(key) else {
            self.keys.insert(key.to_vec(), KeyState { partition, last_index: index });
            return;
        };
        let (from, after) = (state.partition, state.last_index);
        state.last_index = after.max(index);
        if from != partition {
            self.problem(Problem::KeyMoved { index, from, to: partition });
        }
        if index < after {
            self.problem(Problem::Reordered { index, after });
        }
    }

    fn problem(&mut self, problem: Problem) {
        if self.problems.len() < MAX_TOLD {
            self.problems.push(problem);
        } else {
            self.untold += 1;
        }
    }

    /// Whether as many records came as were sent.
    pub fn is_complete(&self) -> bool {
        self.came >= self.sent.records()
    }

    /// How many records came.
    pub fn came(&self) -> u64 {
        self.came
    }

    /// How many keys there were.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// The verdict, once nothing more can come.
    pub fn finish(mut self) -> Result<(), Problems> {
        let mut missing = self.seen.iter().enumerate().filter(|(_, seen)| !**seen);
        if let Some((first, _)) = missing.next() {
            let count = missing.count() as u64 + 1;
            // The most important one is told, whatever came before it.
            self.problems.insert(0, Problem::Missing { count, first: first as u64 });
        }
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(Problems { told: self.problems, untold: self.untold })
    }
}

/// All that was not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub struct Problems {
    told: Vec<Problem>,
    untold: u64,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told: Vec<String> = self.told.iter().map(Problem::to_string).collect();
        f.write_str(&told.join("; "))?;
        if self.untold > 0 {
            write!(f, "; and {} more", self.untold)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record on its way back; tests spoil some.
    #[derive(Clone, Debug)]
    struct Came {
        partition: u32,
        index: Vec<u8>,
        key: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
    }

    /// What a server without faults gives back, partition by partition.
    fn faultless(sent: &Quakes) -> Vec<Came> {
        let mut records: Vec<Came> = (0..sent.records())
            .map(|index| {
                let (key, value) = sent.get(index);
                Came {
                    partition: u32::from(key[0] % 4),
                    index: index.to_string().into_bytes(),
                    key: Some(key.to_vec()),
                    value: Some(value.to_vec()),
                }
            })
            .collect();
        records.sort_by_key(|record| record.partition);
        records
    }

    /// The verdict on what came, with offsets as a server would give them.
    fn verdict(sent: &Arc<Quakes>, came: &[Came]) -> Result<(), Vec<Problem>> {
        let mut checker = Checker::new(Arc::clone(sent));
        let mut next = HashMap::<u32, u64>::new();
        for record in came {
            let offset = next.entry(record.partition).or_default();
            checker.observe(Seen {
                partition: record.partition,
                offset: *offset,
                index: Some(&record.index),
                key: record.key.as_deref(),
                value: record.value.as_deref(),
            });
            *offset += 1;
        }
        checker.finish().map_err(|problems| problems.told)
    }

    fn index(record: &Came) -> u64 {
        std::str::from_utf8(&record.index).unwrap().parse().unwrap()
    }

    fn sent() -> Arc<Quakes> {
        Arc::new(Quakes::new(Some(4000)).unwrap())
    }

    #[test]
    fn what_came_back_as_it_was_sent_passes() {
        let sent = sent();
        assert_eq!(verdict(&sent, &faultless(&sent)), Ok(()));
    }

    #[test]
    fn a_missing_record_is_found_wherever_it_is() {
        let sent = sent();
        for at in [0, 1, 1999, 3999] {
            let mut came = faultless(&sent);
            let first = index(&came.remove(at));
            let problems = verdict(&sent, &came).unwrap_err();
            assert_eq!(problems, [Problem::Missing { count: 1, first }]);
        }
        let problems = verdict(&sent, &[]).unwrap_err();
        assert_eq!(problems, [Problem::Missing { count: 4000, first: 0 }]);
    }

    #[test]
    fn a_doubled_record_is_found() {
        let sent = sent();
        let mut came = faultless(&sent);
        came.insert(18, came[17].clone());
        let index = index(&came[17]);
        assert_eq!(verdict(&sent, &came), Err(vec![Problem::Doubled { index }]));
    }

    #[test]
    fn one_altered_bit_is_found_in_key_or_value() {
        let sent = sent();
        let faultless = faultless(&sent);
        let index = index(&faultless[7]);
        let spoilers: [fn(&mut Came); 5] = [
            |record| record.value.as_mut().unwrap()[100] ^= 1,
            |record| record.value = None,
            |record| record.value.as_mut().unwrap().push(b'\n'),
            |record| record.key.as_mut().unwrap()[0] ^= 1,
            |record| record.key = None,
        ];
        for spoil in spoilers {
            let mut came = faultless.clone();
            spoil(&mut came[7]);
            assert_eq!(verdict(&sent, &came), Err(vec![Problem::Altered { index }]));
        }
    }

    #[test]
    fn two_records_of_a_key_that_changed_places_are_found() {
        let sent = sent();
        let mut came = faultless(&sent);
        let at = (0..came.len() - 1).find(|&at| came[at].key == came[at + 1].key).unwrap();
        came.swap(at, at + 1);
        let (after, index) = (index(&came[at]), index(&came[at + 1]));
        assert_eq!(verdict(&sent, &came), Err(vec![Problem::Reordered { index, after }]));
    }

    #[test]
    fn records_of_different_keys_may_come_in_any_order() {
        let sent = sent();
        let mut came = faultless(&sent);
        came.sort_by_key(|record| (record.partition, record.key.clone()));
        assert_eq!(verdict(&sent, &came), Ok(()));
    }

    #[test]
    fn a_key_in_two_partitions_and_a_record_of_nobody_are_found() {
        let sent = sent();
        let mut came = faultless(&sent);
        came.last_mut().unwrap().partition = 9;
        assert!(matches!(verdict(&sent, &came).unwrap_err()[..], [Problem::KeyMoved { .. }]));

        for stranger in ["4000", "-1", "x", ""] {
            let mut came = faultless(&sent);
            came[0].index = stranger.as_bytes().to_vec();
            let problems = verdict(&sent, &came).unwrap_err();
            assert!(problems.contains(&Problem::Unknown { partition: 0, offset: 0 }));
            assert!(matches!(problems[0], Problem::Missing { count: 1, .. }));
        }
    }

    #[test]
    fn a_gap_in_the_offsets_is_found() {
        let sent = Arc::new(Quakes::new(Some(1)).unwrap());
        let (key, value) = sent.get(0);
        let mut checker = Checker::new(Arc::clone(&sent));
        let record = Seen {
            partition: 2,
            offset: 1,
            index: Some(b"0"),
            key: Some(key),
            value: Some(value),
        };
        checker.observe(record);
        let problems = checker.finish().unwrap_err().told;
        assert_eq!(problems, [Problem::OffsetGap { partition: 2, expected: 0, offset: 1 }]);
    }

    #[test]
    fn many_problems_are_told_in_a_few_words() {
        let sent = Arc::new(Quakes::new(Some(100)).unwrap());
        let mut checker = Checker::new(Arc::clone(&sent));
        for offset in 0..100 {
            let record = Seen { partition: 0, offset, index: None, key: None, value: None };
            checker.observe(record);
        }
        let problems = checker.finish().unwrap_err();
        assert_eq!(problems.told.len(), MAX_TOLD + 1);
        let text = problems.to_string();
        assert!(text.starts_with("100 records are missing, the first is 0; "), "{text}");
        assert!(text.ends_with("; and 95 more"), "{text}");
    }
}

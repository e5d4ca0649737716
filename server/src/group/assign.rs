//! Who reads what: a pure function from members, topics and the division so far to the next one.
//!
//! It is *balanced*: no member has two partitions more than another that could take one of them.
//! It is *sticky*: a partition stays where it is unless balance needs it elsewhere, and where all
//! members read the same topics no division that is as balanced moves fewer. It is
//! *deterministic*: the same input gives the same division, whatever came before.

use std::collections::{BTreeMap, BTreeSet};

/// A partition, by its topic's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The topic's number.
    pub topic: u64,
    /// The partition's number in its topic.
    pub partition: u32,
}

/// Divides partitions among members.
///
/// `members` has the topics that each of them reads, by its number; `topics` how many partitions
/// a topic has, by its number; `before` the member that each partition had. Partitions of topics
/// that nobody reads stay without a member.
pub fn assign(
    members: &BTreeMap<u64, BTreeSet<u64>>,
    topics: &BTreeMap<u64, u32>,
    before: &BTreeMap<Place, u64>,
) -> BTreeMap<Place, u64> {
    let mut division = Division::new(members, topics);
    let mut free = Vec::new();
    for (&topic, &partitions) in topics {
        let Some(&class) = division.class_of_topic.get(&topic) else { continue };
        for partition in 0..partitions {
            let place = Place { topic, partition };
            match before.get(&place) {
                Some(&member) if division.classes[class].contains(member) => {
                    division.give(place, member);
                }
                _ => free.push(place),
            }
        }
    }
    for place in free {
        let class = division.class_of_topic[&place.topic];
        if let Some((_, member)) = division.classes[class].least() {
            division.give(place, member);
        }
    }
    while division.level() {}
    division.into_places()
}

/// Members that read the same topic, by what they have: topics with the same readers share one.
#[derive(Default)]
struct Class {
    by_load: BTreeSet<(usize, u64)>,
    members: BTreeSet<u64>,
}

impl Class {
    fn contains(&self, member: u64) -> bool {
        self.members.contains(&member)
    }

    fn least(&self) -> Option<(usize, u64)> {
        self.by_load.first().copied()
    }
}

struct Division {
    classes: Vec<Class>,
    class_of_topic: BTreeMap<u64, usize>,
    /// What each member has, by class.
    owned: BTreeMap<u64, BTreeMap<usize, BTreeSet<Place>>>,
    /// All members, by what they have.
    by_load: BTreeSet<(usize, u64)>,
    load: BTreeMap<u64, usize>,
}

impl Division {
    fn new(members: &BTreeMap<u64, BTreeSet<u64>>, topics: &BTreeMap<u64, u32>) -> Self {
        let mut readers: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        for (&member, wanted) in members {
            for &topic in wanted.iter().filter(|topic| topics.contains_key(topic)) {
                readers.entry(topic).or_default().insert(member);
            }
        }
        let mut classes: Vec<Class> = Vec::new();
        let mut class_of: BTreeMap<BTreeSet<u64>, usize> = BTreeMap::new();
        let mut class_of_topic = BTreeMap::new();
        for (topic, members) in readers {
            let class = *class_of.entry(members).or_insert_with_key(|members| {
                let by_load = members.iter().map(|&member| (0, member)).collect();
                classes.push(Class { by_load, members: members.clone() });
                classes.len() - 1
            });
            class_of_topic.insert(topic, class);
        }
        Self {
            classes,
            class_of_topic,
            owned: members.keys().map(|&member| (member, BTreeMap::new())).collect(),
            by_load: members.keys().map(|&member| (0, member)).collect(),
            load: members.keys().map(|&member| (member, 0)).collect(),
        }
    }

    fn give(&mut self, place: Place, member: u64) {
        let class = self.class_of_topic[&place.topic];
        let owned = self.owned.entry(member).or_default();
        owned.entry(class).or_default().insert(place);
        self.set_load(member, self.load[&member] + 1);
    }

    fn take(&mut self, place: Place, member: u64) {
        let class = self.class_of_topic[&place.topic];
        if let Some(places) = self.owned.entry(member).or_default().get_mut(&class) {
            places.remove(&place);
        }
        self.set_load(member, self.load[&member] - 1);
    }

    fn set_load(&mut self, member: u64, load: usize) {
        let before = self.load.insert(member, load).unwrap_or(0);
        let all = std::iter::once(&mut self.by_load);
        let classes = self.classes.iter_mut().filter(|class| class.contains(member));
        for by_load in all.chain(classes.map(|class| &mut class.by_load)) {
            by_load.remove(&(before, member));
            by_load.insert((load, member));
        }
    }

    /// Moves one partition from the member that has most, of those that have two more than
    /// somebody who could take one. False if there is none. A member that gave never receives
    /// later: so no partition moves twice.
    fn level(&mut self) -> bool {
        let step = self.by_load.iter().rev().find_map(|&(load, giver)| {
            let classes = self.owned[&giver].iter().filter(|(_, places)| !places.is_empty());
            let (least, taker, place) = classes
                .filter_map(|(&class, places)| {
                    let (least, taker) = self.classes[class].least()?;
                    Some((least, taker, *places.last()?))
                })
                .min()?;
            (load >= least + 2).then_some((giver, taker, place))
        });
        let Some((giver, taker, place)) = step else { return false };
        self.take(place, giver);
        self.give(place, taker);
        true
    }

    fn into_places(self) -> BTreeMap<Place, u64> {
        let mut places = BTreeMap::new();
        for (member, owned) in self.owned {
            for place in owned.into_values().flatten() {
                places.insert(place, member);
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Members = BTreeMap<u64, BTreeSet<u64>>;
    type Topics = BTreeMap<u64, u32>;

    fn members(readers: impl IntoIterator<Item = u64>, topics: &Topics) -> Members {
        readers.into_iter().map(|member| (member, topics.keys().copied().collect())).collect()
    }

    fn loads(members: &Members, division: &BTreeMap<Place, u64>) -> Vec<usize> {
        let of = |member: &u64| division.values().filter(|owner| *owner == member).count();
        members.keys().map(of).collect()
    }

    fn moved(before: &BTreeMap<Place, u64>, after: &BTreeMap<Place, u64>) -> usize {
        before.iter().filter(|(place, member)| after.get(place) != Some(*member)).count()
    }

    #[test]
    fn the_first_member_gets_all_and_a_second_half_of_it() {
        let topics = Topics::from([(1, 4), (2, 3)]);
        let one = assign(&members([10], &topics), &topics, &BTreeMap::new());
        assert_eq!(one.len(), 7);
        let both = members([10, 20], &topics);
        let two = assign(&both, &topics, &one);
        assert_eq!((loads(&both, &two), moved(&one, &two)), (vec![4, 3], 3));
    }

    #[test]
    fn what_a_member_leaves_goes_to_the_others_and_nothing_else_moves() {
        let topics = Topics::from([(1, 12)]);
        let four = assign(&members(1..=4, &topics), &topics, &BTreeMap::new());
        let three = assign(&members(1..=3, &topics), &topics, &four);
        assert_eq!(loads(&members(1..=3, &topics), &three), [4, 4, 4]);
        assert_eq!(moved(&four, &three), 3, "only those of member 4");
    }

    #[test]
    fn more_members_than_partitions_leave_some_with_none() {
        let topics = Topics::from([(1, 2)]);
        let all = members(1..=5, &topics);
        let division = assign(&all, &topics, &BTreeMap::new());
        assert_eq!(loads(&all, &division), [1, 1, 0, 0, 0]);
        assert!(assign(&Members::new(), &topics, &division).is_empty());
    }

    #[test]
    fn a_member_gets_only_what_it_reads() {
        let topics = Topics::from([(1, 6), (2, 2)]);
        let all = Members::from([(1, BTreeSet::from([1])), (2, BTreeSet::from([1, 2]))]);
        let division = assign(&all, &topics, &BTreeMap::new());
        assert_eq!(loads(&all, &division), [4, 4]);
        assert!(division.iter().all(|(place, &member)| place.topic == 1 || member == 2));
    }

    fn topics() -> impl Strategy<Value = Topics> {
        prop::collection::btree_map(0u64..5, 0u32..12, 1..5)
    }

    fn any_members() -> impl Strategy<Value = Members> {
        let wanted = prop::collection::btree_set(0u64..5, 0..5);
        prop::collection::btree_map(0u64..12, wanted, 0..9)
    }

    fn before() -> impl Strategy<Value = BTreeMap<Place, u64>> {
        let place =
            (0u64..5, 0u32..12).prop_map(|(topic, partition)| Place { topic, partition });
        prop::collection::btree_map(place, 0u64..12, 0..40)
    }

    proptest! {
        /// SPEC G-4: every partition that somebody reads has one member, who reads its topic; no
        /// member could give one to another who has two fewer.
        #[test]
        fn a_division_is_complete_allowed_and_balanced(
            topics in topics(), members in any_members(), before in before(),
        ) {
            let division = assign(&members, &topics, &before);
            for (&topic, &partitions) in &topics {
                let read = members.values().any(|wanted| wanted.contains(&topic));
                for partition in 0..partitions {
                    let place = Place { topic, partition };
                    prop_assert_eq!(division.contains_key(&place), read);
                }
            }
            let load = |of: u64| division.values().filter(|&&member| member == of).count();
            for (place, &member) in &division {
                prop_assert!(topics[&place.topic] > place.partition);
                prop_assert!(members[&member].contains(&place.topic));
                for (&other, wanted) in &members {
                    let could = wanted.contains(&place.topic);
                    prop_assert!(!could || load(member) < load(other) + 2, "{:?}", place);
                }
            }
        }

        /// SPEC G-4: with equal subscriptions nothing moves that need not.
        #[test]
        fn a_division_moves_as_little_as_balance_allows(
            topics in topics(),
            readers in prop::collection::btree_set(0u64..12, 1..9),
            before in before(),
        ) {
            let members = members(readers.iter().copied(), &topics);
            let division = assign(&members, &topics, &before);
            let total: usize = topics.values().map(|&count| count as usize).sum();
            let kept: BTreeMap<Place, u64> = before
                .into_iter()
                .filter(|(place, member)| {
                    readers.contains(member)
                        && topics.get(&place.topic).is_some_and(|&n| place.partition < n)
                })
                .collect();
            let (floor, extra) = (total / readers.len(), total % readers.len());
            let mut had: Vec<usize> = loads(&members, &kept);
            had.sort_unstable_by(|a, b| b.cmp(a));
            let surplus = had.iter().enumerate().map(|(at, &load)| {
                load.saturating_sub(floor + usize::from(at < extra))
            });
            prop_assert_eq!(moved(&kept, &division), surplus.sum::<usize>());
        }

        /// SPEC G-4: a division that is in balance stays; so it is the same from whatever state.
        #[test]
        fn dividing_again_changes_nothing(
            topics in topics(), members in any_members(), before in before(),
        ) {
            let once = assign(&members, &topics, &before);
            prop_assert_eq!(&assign(&members, &topics, &once), &once);
            prop_assert_eq!(&assign(&members, &topics, &before), &once);
        }
    }
}

//! Members that join, leave, crash, lose their connection and their acknowledgements, topics
//! that come and go, a disk that fails and a server that dies: by seed, on virtual time.
//!
//! Whatever happens: only the member that was last told to read a partition has its offsets
//! stored; an offset never goes back; and once the world is quiet every partition has exactly
//! one member that knows of it.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const TOPICS: [&str; 3] = ["t", "u", "v"];
const SEEDS: u64 = 60;
const STEPS: usize = 400;

/// A small generator of the test's own, so that a seed gives the same run for ever.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

type Key = (String, u32);

/// A topic's number and a position in a partition of it.
type Place = (u64, u64);

/// A program that reads in the group.
struct Client {
    name: String,
    topics: Vec<&'static str>,
    /// Its place in the group, once it knows it.
    member: Option<(u64, u32)>,
    /// Its connection, while it has one.
    origin: Option<Origin>,
    /// What it reads, and up to where.
    held: BTreeMap<Key, Place>,
    /// What it lists while it is told all anew.
    listed: Option<BTreeSet<Key>>,
    /// Asked to release, and not done yet.
    to_release: Vec<PartitionRef>,
    dead: bool,
}

enum Asked {
    /// Of a client, on this connection.
    Join(usize, Origin),
    /// Of a client, a topic's number, a partition and an offset.
    Store(usize, u64, u32, u64),
    Other,
}

struct Churn {
    seed: u64,
    bench: Bench,
    rng: Rng,
    clients: Vec<Client>,
    asked: BTreeMap<Origin, Asked>,
    /// The client that was last told to read a partition of a topic (by number).
    holder: BTreeMap<(u64, u32), usize>,
    /// The highest offset that was stored, by topic's number.
    highest: BTreeMap<(u64, u32), u64>,
    failing: bool,
}

impl Churn {
    fn new(seed: u64) -> Self {
        let mut bench = Bench::new();
        bench.set_topic("t", Some(5));
        bench.set_topic("u", Some(2));
        let (clients, asked) = (Vec::new(), BTreeMap::new());
        let (holder, highest) = (BTreeMap::new(), BTreeMap::new());
        let rng = Rng(seed);
        Self { seed, bench, rng, clients, asked, holder, highest, failing: false }
    }

    fn id_of(&self, topic: &str) -> Option<u64> {
        self.bench.catalog.topic("s", topic).map(|topic| topic.id)
    }

    fn ask(&mut self, asked: Asked, request: GroupRequest) {
        let origin = self.bench.origin();
        self.asked.insert(origin, asked);
        self.bench.with(|groups, world| groups.request(world, origin, request));
    }

    fn step(&mut self) {
        match self.rng.below(100) {
            0..8 if self.clients.iter().filter(|client| !client.dead).count() < 8 => {
                self.born()
            }
            8..30 => self.connect(),
            30..33 => self.crash(),
            33..38 => self.cut(),
            38..40 => self.leave(),
            40..62 => self.commit(),
            62..76 => self.release(),
            76..80 => {
                let ms = [1, 100, 3_000, SESSION_MS][self.rng.below(4)];
                self.bench.advance(ms);
            }
            80..83 => self.change_topics(),
            83 => self.kill_server(),
            _ => self.write(),
        }
        self.listen();
    }

    fn born(&mut self) {
        let number = self.clients.len();
        // Some keep their place by name; a later client may have the name of one that died.
        let name =
            if self.rng.chance(40) { format!("m{}", self.rng.below(4)) } else { String::new() };
        let used = |client: &Client| !client.dead && client.name == name;
        let name = if self.clients.iter().any(used) { String::new() } else { name };
        let topics = match number % 3 {
            0 => vec!["t"],
            1 => vec!["t", "u"],
            _ => TOPICS.to_vec(),
        };
        self.clients.push(Client {
            name,
            topics,
            member: None,
            origin: None,
            held: BTreeMap::new(),
            listed: None,
            to_release: Vec::new(),
            dead: false,
        });
    }

    fn pick(&mut self, is: impl Fn(&Client) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..self.clients.len())
            .filter(|&at| !self.clients[at].dead && is(&self.clients[at]))
            .collect();
        (!all.is_empty()).then(|| all[self.rng.below(all.len())])
    }

    fn connect(&mut self) {
        if let Some(at) = self.pick(|client| client.origin.is_none()) {
            self.join(at);
        }
    }

    fn join(&mut self, at: usize) {
        let member = self.bench.origin();
        let client = &mut self.clients[at];
        client.origin = Some(member);
        client.listed = Some(BTreeSet::new());
        let (member_id, member_epoch) = client.member.unwrap_or_default();
        let join = GroupJoin { member_id, member_epoch, ..join(&client.name, &client.topics) };
        let (client_name, address) = (String::new(), String::new());
        let request = GroupRequest::Join { join, member, client_name, address };
        self.ask(Asked::Join(at, member), request);
    }

    /// The connection is lost; the program goes on.
    fn cut(&mut self) {
        if let Some(at) = self.pick(|client| client.origin.is_some()) {
            self.detach(at);
        }
    }

    fn detach(&mut self, at: usize) {
        let Some(member) = self.clients[at].origin.take() else { return };
        self.clients[at].to_release.clear();
        let request = GroupRequest::Detach { group: "g".to_owned(), member };
        self.bench.with(|groups, world| groups.request(world, member, request));
    }

    /// The program ends without a word.
    fn crash(&mut self) {
        if let Some(at) = self.pick(|_| true) {
            self.detach(at);
            self.clients[at].dead = true;
        }
    }

    fn leave(&mut self) {
        let Some(at) = self.pick(|client| client.origin.is_some()) else { return };
        let member = self.clients[at].origin.take().expect("just looked at");
        self.clients[at].dead = true;
        let keep = self.rng.chance(30);
        self.ask(Asked::Other, GroupRequest::Leave { group: "g".to_owned(), member, keep });
    }

    fn commit(&mut self) {
        // Who has no connection may still send what it read on its last one: it is too late.
        let Some(at) = self.pick(|client| client.member.is_some() && !client.held.is_empty())
        else {
            return;
        };
        let client = &mut self.clients[at];
        let (id, epoch) = client.member.expect("just looked at");
        let nth = self.rng.below(client.held.len());
        let Some((key, (id_read, position))) = client.held.iter_mut().nth(nth) else { return };
        *position += self.rng.next() % 5;
        let offset = position.saturating_sub(self.rng.next() % 3);
        let (key, topic_id) = (key.clone(), *id_read);
        let member = Member { id, epoch, origin: NOBODY.origin };
        let mut request = store(member, &key.0, key.1, offset);
        request.offsets[0].topic_id = topic_id;
        let asked = Asked::Store(at, topic_id, key.1, offset);
        self.ask(asked, GroupRequest::Store(request));
    }

    /// Acknowledges what was revoked, some of it or all.
    fn release(&mut self) {
        let Some(at) = self.pick(|c| c.origin.is_some() && c.listed.is_none()) else { return };
        if self.rng.chance(10) {
            // The acknowledgement is lost: its time will run out.
            return;
        }
        let client = &mut self.clients[at];
        let member = client.origin.expect("just looked at");
        let partitions = std::mem::take(&mut client.to_release);
        for partition in &partitions {
            client.held.remove(&(partition.topic.clone(), partition.partition));
        }
        let request = GroupRequest::Release { group: "g".to_owned(), member, partitions };
        self.ask(Asked::Other, request);
    }

    fn change_topics(&mut self) {
        let topic = TOPICS[self.rng.below(3)];
        let partitions = self.bench.catalog.topic("s", topic).map(|found| found.partitions);
        match partitions {
            None => self.bench.set_topic(topic, Some(1 + self.rng.below(5) as u32)),
            Some(_) if self.rng.chance(40) => self.bench.set_topic(topic, None),
            Some(n) => self.bench.set_topic(topic, Some((n + 1).min(9))),
        }
    }

    fn kill_server(&mut self) {
        self.check_disk();
        self.bench.restart();
        self.asked.clear();
        for client in &mut self.clients {
            client.origin = None;
            client.to_release.clear();
        }
    }

    fn write(&mut self) {
        self.bench.start_write();
        if self.failing && self.rng.chance(20) {
            self.bench.end_write(Err("broken".to_owned()));
        } else if self.rng.chance(70) {
            self.bench.end_write(Ok(()));
            self.check_disk();
        }
    }

    /// No offset on the disk is lower than one that was acknowledged.
    fn check_disk(&self) {
        let Some(group) = self.bench.disk.get("g") else { return };
        for (key, &highest) in &self.highest {
            if let Some(row) = group.offsets.get(key) {
                assert!(row.offset >= highest, "seed {}: {key:?} went back", self.seed);
            }
        }
    }

    /// Clients take what they are told.
    fn listen(&mut self) {
        for output in std::mem::take(&mut self.bench.outputs) {
            match output {
                Output::Answer(origin, result) => self.answered(origin, result),
                Output::Event(origin, event) => self.told(origin, event),
                Output::Ended(origin, _) => {
                    if let Some(at) = self.at(origin) {
                        self.give_up(at);
                    }
                }
            }
        }
    }

    /// A client finds that its place is gone: it begins anew.
    fn give_up(&mut self, at: usize) {
        let client = &mut self.clients[at];
        client.origin = None;
        client.member = None;
        client.held.clear();
        client.to_release.clear();
    }

    fn at(&self, origin: Origin) -> Option<usize> {
        self.clients.iter().position(|client| client.origin == Some(origin))
    }

    fn answered(&mut self, origin: Origin, result: Result<GroupReply, Error>) {
        match (self.asked.remove(&origin), result) {
            // If the connection was lost meanwhile, nobody hears it.
            (Some(Asked::Join(at, on)), _) if self.clients[at].origin != Some(on) => {}
            (Some(Asked::Join(at, _)), Ok(GroupReply::Join(reply))) => {
                self.clients[at].member = Some((reply.member_id, reply.member_epoch));
            }
            (Some(Asked::Join(at, _)), Err(error)) => {
                // As a session does: the outcome may be unknown.
                self.detach(at);
                if [Code::UNKNOWN_MEMBER, Code::STALE_GENERATION].contains(&error.code) {
                    self.give_up(at);
                }
            }
            (
                Some(Asked::Store(at, topic, partition, offset)),
                Ok(GroupReply::Store(reply)),
            ) => {
                self.stored(at, (topic, partition), offset, reply.results[0].clone());
            }
            _ => {}
        }
    }

    fn stored(&mut self, at: usize, place: (u64, u32), offset: u64, result: StoreResult) {
        if result.code != 0 {
            return;
        }
        assert!(result.offset >= offset, "seed {}", self.seed);
        assert_eq!(self.holder.get(&place), Some(&at), "seed {}: {place:?}", self.seed);
        let highest = self.highest.entry(place).or_default();
        assert!(result.offset >= *highest, "seed {}: {place:?} went back", self.seed);
        *highest = result.offset;
    }

    fn told(&mut self, origin: Origin, event: GroupEvent) {
        let Some(at) = self.at(origin) else { return };
        let client = &mut self.clients[at];
        for removed in &event.removed {
            client.held.remove(&(removed.topic.clone(), removed.partition));
            client.to_release.retain(|partition| partition != removed);
        }
        for revoked in event.revoked {
            if let Some(listed) = &mut client.listed {
                listed.insert((revoked.topic.clone(), revoked.partition));
            }
            client.to_release.push(revoked);
        }
        for assigned in &event.assigned {
            let key = (assigned.topic.clone(), assigned.partition);
            let place = (assigned.topic_id, assigned.partition);
            self.holder.insert(place, at);
            if let Some(&highest) = self.highest.get(&place) {
                let seed = self.seed;
                assert!(assigned.offset >= highest, "seed {seed}: {key:?} repeats");
            }
            let client = &mut self.clients[at];
            let (topic, position) = client.held.entry(key.clone()).or_default();
            if *topic != assigned.topic_id {
                (*topic, *position) = (assigned.topic_id, 0);
            }
            *position = (*position).max(assigned.offset);
            if let Some(listed) = &mut client.listed {
                listed.insert(key);
            }
        }
        let client = &mut self.clients[at];
        if event.complete
            && let Some(listed) = client.listed.take()
        {
            client.held.retain(|key, _| listed.contains(key));
        }
    }

    /// Everyone who lives is connected and answers, until nothing happens any more.
    fn settle(&mut self) {
        self.failing = false;
        for topic in TOPICS {
            // A new member must name topics that exist.
            if self.id_of(topic).is_none() {
                self.bench.set_topic(topic, Some(2));
            }
        }
        for _ in 0..60 {
            self.bench.advance(SESSION_MS / 4);
            for at in 0..self.clients.len() {
                if !self.clients[at].dead && self.clients[at].origin.is_none() {
                    self.join(at);
                }
            }
            self.bench.flush();
            self.listen();
            for at in 0..self.clients.len() {
                let client = &mut self.clients[at];
                let Some(member) = client.origin else { continue };
                let partitions = std::mem::take(&mut client.to_release);
                for partition in &partitions {
                    client.held.remove(&(partition.topic.clone(), partition.partition));
                }
                let group = "g".to_owned();
                self.ask(Asked::Other, GroupRequest::Release { group, member, partitions });
            }
            self.bench.flush();
            self.listen();
        }
        self.check_disk();
    }

    /// Each partition that somebody wants to read is read by exactly one, who may.
    fn check_settled(&self) {
        let mut readers: BTreeMap<Key, usize> = BTreeMap::new();
        for client in self.clients.iter().filter(|client| !client.dead) {
            assert!(client.origin.is_some(), "seed {}: nobody is left out", self.seed);
            for key in client.held.keys() {
                assert!(client.topics.contains(&key.0.as_str()), "seed {}", self.seed);
                *readers.entry(key.clone()).or_default() += 1;
            }
        }
        for topic in TOPICS {
            let Some(found) = self.bench.catalog.topic("s", topic) else { continue };
            let alive = self.clients.iter().filter(|client| !client.dead);
            let wanted = alive.into_iter().any(|client| client.topics.contains(&topic));
            for partition in 0..found.partitions {
                let count = readers.remove(&(topic.to_owned(), partition)).unwrap_or(0);
                let seed = self.seed;
                assert_eq!(count, usize::from(wanted), "seed {seed}: {topic}[{partition}]");
            }
        }
        assert!(readers.is_empty(), "seed {}: {readers:?} do not exist", self.seed);
    }
}

/// SPEC G-6, G-7, G-8, O-3: fencing, whatever happens.
#[test]
fn whatever_happens_a_partition_has_one_member_and_offsets_never_go_back() {
    for seed in 0..SEEDS {
        let mut churn = Churn::new(seed);
        churn.failing = seed % 3 == 0;
        for _ in 0..4 {
            for _ in 0..STEPS / 4 {
                churn.step();
            }
            churn.settle();
            churn.check_settled();
            churn.failing = seed % 3 == 0;
        }
    }
}

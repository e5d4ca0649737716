//! A producer against a partition that keeps section 8 of SPEC.md, over connections that are cut
//! and whose late bytes may still arrive.

mod seen;

use std::collections::{HashSet, VecDeque};

use super::*;
use crate::batch::{Batch, BatchBuilder, RecordRef};
use crate::idempotence::{Claim, ProducerState, Verdict};
use crate::message::SeenRange;

const IDENTITY: Identity = Identity { producer_id: 9, producer_epoch: 0 };

fn session(max_in_flight: usize) -> ProducerSession<u32> {
    let config = ProducerConfig {
        max_in_flight,
        idempotent: true,
        acks: Acks::Synced,
        retry_backoff_ms: 10,
        retry_backoff_max_ms: 100,
        seed: 1,
    };
    ProducerSession::new(config, IDENTITY)
}

/// A batch of `records` records, whose values are `tag` and their index.
fn batch(tag: u32, records: u32) -> Bytes {
    let mut builder = BatchBuilder::new(1 << 16, 100);
    for index in 0..records {
        let value = [tag.to_le_bytes(), index.to_le_bytes()].concat();
        builder.push(&RecordRef { value: Some(&value), ..RecordRef::at(0) }).expect("room");
    }
    builder.seal(Sequence::default())
}

fn ms(ms: u32) -> Time {
    Time::ZERO.plus_ms(ms)
}

fn push(session: &mut ProducerSession<u32>, tag: u32, records: u32) {
    session.push(0, batch(tag, records), records, ms(1_000), tag);
}

fn ok(base_offset: u64) -> Result<AppendReply, Error> {
    Ok(AppendReply { base_offset, append_time_us: 1, acks: Acks::Synced, duplicate: false })
}

fn err(code: Code) -> Result<AppendReply, Error> {
    Err(Error::new(code, "as the test says"))
}

/// All that may be sent: tag of its first record, and base sequence.
fn send_all(session: &mut ProducerSession<u32>, now: Time) -> Vec<(Attempt, u32, u64)> {
    let mut sent = Vec::new();
    while let Some(sending) = session.poll_send(now) {
        let (tag, sequence) = read(&sending.bytes);
        sent.push((sending.attempt, tag, sequence.base_sequence));
    }
    sent
}

fn read(bytes: &Bytes) -> (u32, Sequence) {
    let stored = Batch::decode(bytes.clone()).expect("a valid batch");
    let value = stored.get(0).and_then(|record| record.value()).expect("a value");
    let tag = u32::from_le_bytes(value[..4].try_into().expect("4 bytes"));
    (tag, sequence_of(bytes).expect("a header"))
}

/// Outcomes so far: tag, and the error's code and whether it is unknown.
fn settled(session: &mut ProducerSession<u32>) -> Vec<(u32, Option<(Code, bool)>)> {
    let mut all = Vec::new();
    while let Some(event) = session.poll_event() {
        if let ProducerEvent::Settled { tag, outcome, .. } = event {
            all.push((tag, outcome.err().map(|e| (e.code, e.is_outcome_unknown()))));
        }
    }
    all
}

fn tags_and_sequences(sent: &[(Attempt, u32, u64)]) -> Vec<(u32, u64)> {
    sent.iter().map(|(_, tag, sequence)| (*tag, *sequence)).collect()
}

#[test]
fn batches_are_numbered_when_they_are_first_sent_and_the_window_holds() {
    let mut session = session(2);
    for tag in 0..3 {
        push(&mut session, tag, 10);
    }
    assert_eq!(session.predict(0).base_sequence, 30);
    let sent = send_all(&mut session, Time::ZERO);
    assert_eq!(tags_and_sequences(&sent), [(0, 0), (1, 10)]);
    session.handle_reply(Time::ZERO, sent[0].0, ok(0));
    assert_eq!(tags_and_sequences(&send_all(&mut session, Time::ZERO)), [(2, 20)]);
    assert_eq!(settled(&mut session), [(0, None)]);
}

/// SPEC I-8
#[test]
fn after_a_lost_connection_the_same_bytes_are_sent_in_the_same_order() {
    let mut session = session(3);
    for tag in 0..4 {
        push(&mut session, tag, 2);
    }
    let before: Vec<Bytes> =
        std::iter::from_fn(|| session.poll_send(Time::ZERO)).map(|s| s.bytes).collect();
    session.handle_disconnected(Time::ZERO);
    assert!(session.poll_send(Time::ZERO).is_none(), "there is no connection");
    session.handle_connected();
    let after: Vec<Bytes> =
        std::iter::from_fn(|| session.poll_send(Time::ZERO)).map(|s| s.bytes).collect();
    assert_eq!(before, after);
    assert_eq!(session.counters().retried_batches, 3);
}

/// SPEC I-9: what was refused for now, and all behind it, is sent again as it is.
#[test]
fn a_refusal_for_now_holds_the_partition_until_all_is_answered() {
    let mut session = session(3);
    for tag in 0..4 {
        push(&mut session, tag, 2);
    }
    let sent = send_all(&mut session, Time::ZERO);
    session.handle_reply(Time::ZERO, sent[0].0, err(Code::DISK_FULL));
    session.handle_reply(Time::ZERO, sent[2].0, err(Code::SEQUENCE_GAP));
    let later = ms(20);
    session.handle_timeout(later);
    assert_eq!(send_all(&mut session, later), [], "one is not answered yet");
    session.handle_reply(later, sent[1].0, err(Code::SEQUENCE_GAP));
    assert_eq!(tags_and_sequences(&send_all(&mut session, later)), [(0, 0), (1, 2), (2, 4)]);
    assert_eq!(settled(&mut session), []);
}

/// SPEC I-9: numbers of a batch that was refused for good are given to those behind it.
#[test]
fn a_refusal_for_good_leaves_no_hole() {
    let mut session = session(3);
    for tag in 0..4 {
        push(&mut session, tag, 2);
    }
    let sent = send_all(&mut session, Time::ZERO);
    session.handle_reply(Time::ZERO, sent[0].0, err(Code::CORRUPT_BATCH));
    assert_eq!(settled(&mut session), [(0, Some((Code::CORRUPT_BATCH, false)))]);
    for (attempt, ..) in &sent[1..] {
        assert_eq!(send_all(&mut session, Time::ZERO), []);
        session.handle_reply(Time::ZERO, *attempt, err(Code::SEQUENCE_GAP));
    }
    let sent = send_all(&mut session, Time::ZERO);
    assert_eq!(tags_and_sequences(&sent), [(1, 0), (2, 2), (3, 4)]);
    assert!(!session.wants_identity());
}

#[test]
fn a_number_in_doubt_is_not_given_to_others() {
    let mut session = session(3);
    for tag in 0..3 {
        push(&mut session, tag, 2);
    }
    let sent = send_all(&mut session, Time::ZERO);
    session.handle_reply(Time::ZERO, sent[0].0, err(Code::DISK_FULL));
    session.handle_disconnected(Time::ZERO);
    session.handle_connected();
    let sent = send_all(&mut session, Time::ZERO);
    assert_eq!(sent.len(), 3);
    // The first was certainly never appended, a late copy of the others may still come.
    session.handle_reply(Time::ZERO, sent[0].0, err(Code::CORRUPT_BATCH));
    for (attempt, ..) in &sent[1..] {
        session.handle_reply(Time::ZERO, *attempt, err(Code::SEQUENCE_GAP));
    }
    assert!(session.wants_identity());
    assert_eq!(send_all(&mut session, Time::ZERO), []);
    session.renew(Identity { producer_id: 10, producer_epoch: 0 });
    let sending = session.poll_send(Time::ZERO).expect("the second");
    let (tag, sequence) = read(&sending.bytes);
    assert_eq!((tag, sequence.producer_id, sequence.base_sequence), (1, 10, 0));
}

/// SPEC I-7, I-9: that the server has forgotten the producer, or lost records, is told with the
/// first batch that it concerns; those behind it go on under another identity.
#[test]
fn a_gap_without_a_reason_is_told_and_asks_for_another_identity() {
    let mut session = session(2);
    push(&mut session, 0, 2);
    let sent = send_all(&mut session, Time::ZERO);
    session.handle_reply(Time::ZERO, sent[0].0, ok(0));
    push(&mut session, 1, 2);
    push(&mut session, 2, 2);
    let sent = send_all(&mut session, Time::ZERO);
    session.handle_reply(Time::ZERO, sent[0].0, err(Code::SEQUENCE_GAP));
    session.handle_reply(Time::ZERO, sent[1].0, err(Code::SEQUENCE_GAP));
    assert!(session.wants_identity());
    session.renew(Identity { producer_id: 10, producer_epoch: 0 });
    assert_eq!(tags_and_sequences(&send_all(&mut session, Time::ZERO)), [(2, 0)]);
    let expected = [(0, None), (1, Some((Code::SEQUENCE_GAP, false)))];
    assert_eq!(settled(&mut session), expected);
}

/// SPEC I-9: a copy of it may have been appended before the server lost it.
#[test]
fn a_gap_for_a_batch_in_doubt_leaves_it_unknown() {
    let mut session = session(1);
    push(&mut session, 0, 2);
    send_all(&mut session, Time::ZERO);
    session.handle_disconnected(Time::ZERO);
    session.handle_connected();
    let sent = send_all(&mut session, Time::ZERO);
    session.handle_reply(Time::ZERO, sent[0].0, err(Code::SEQUENCE_GAP));
    assert_eq!(settled(&mut session), [(0, Some((Code::SEQUENCE_GAP, true)))]);
    assert!(session.wants_identity());
}

#[test]
fn a_deadline_gives_each_batch_the_outcome_that_is_known() {
    let mut session = session(2);
    for tag in 0..3 {
        push(&mut session, tag, 2);
    }
    let sent = send_all(&mut session, Time::ZERO);
    session.handle_reply(Time::ZERO, sent[0].0, ok(0));
    assert_eq!(send_all(&mut session, Time::ZERO).len(), 1);
    push(&mut session, 3, 2);
    let late = session.poll_timeout().expect("a deadline");
    assert_eq!(late, ms(1_000));
    session.handle_timeout(late);
    let expected = [
        (0, None),
        (1, Some((Code::TIMEOUT, true))),
        (2, Some((Code::TIMEOUT, true))),
        (3, Some((Code::TIMEOUT, false))),
    ];
    assert_eq!(settled(&mut session), expected);
    assert_eq!(session.poll_timeout(), None);
    // They keep their place, and what follows is numbered behind them.
    session.handle_disconnected(late);
    session.handle_connected();
    session.push(0, batch(4, 2), 2, ms(5_000), 4);
    assert_eq!(tags_and_sequences(&send_all(&mut session, late)), [(1, 2), (2, 4)]);
}

#[test]
fn a_batch_refused_to_the_end_fails_with_the_reason_and_not_in_doubt() {
    let mut session = session(2);
    push(&mut session, 0, 2);
    let mut now = Time::ZERO;
    while now < ms(1_000) {
        for (attempt, ..) in send_all(&mut session, now) {
            session.handle_reply(now, attempt, err(Code::DISK_FULL));
        }
        now = session.poll_timeout().expect("a pause or the deadline");
        session.handle_timeout(now);
    }
    assert_eq!(settled(&mut session), [(0, Some((Code::DISK_FULL, false)))]);
    assert!(session.is_idle() && session.poll_timeout().is_none());
}

/// SPEC I-6
#[test]
fn a_fenced_producer_is_over() {
    let mut session = session(1);
    for tag in 0..2 {
        push(&mut session, tag, 2);
    }
    let sent = send_all(&mut session, Time::ZERO);
    session.handle_reply(Time::ZERO, sent[0].0, err(Code::PRODUCER_FENCED));
    push(&mut session, 2, 1);
    let fenced = Some((Code::PRODUCER_FENCED, false));
    assert_eq!(settled(&mut session), [(0, fenced), (1, fenced), (2, fenced)]);
    assert!(session.fatal().is_some() && session.poll_send(Time::ZERO).is_none());
}

/// SPEC I-10: without an identity nothing is sent twice.
#[test]
fn without_idempotence_what_was_on_the_wire_is_unknown() {
    let config = ProducerConfig {
        max_in_flight: 2,
        idempotent: false,
        acks: Acks::None,
        retry_backoff_ms: 1,
        retry_backoff_max_ms: 1,
        seed: 1,
    };
    let mut session = ProducerSession::new(config, IDENTITY);
    for tag in 0..3 {
        push(&mut session, tag, 1);
    }
    for sending in std::iter::from_fn(|| session.poll_send(Time::ZERO)) {
        assert_eq!(read(&sending.bytes).1, Sequence::default());
    }
    session.handle_disconnected(Time::ZERO);
    let unknown = Some((Code::DISCONNECTED, true));
    assert_eq!(settled(&mut session), [(0, unknown), (1, unknown)]);
    session.handle_connected();
    assert_eq!(tags_and_sequences(&send_all(&mut session, Time::ZERO)), [(2, 0)]);
}

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// A record, by its batch's tag and its index there, and its id or 0.
type Stored = (u32, u32, u8);

fn stored(bytes: &Bytes) -> Vec<Stored> {
    let batch = Batch::decode(bytes.clone()).expect("a valid batch");
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("4 bytes"));
    let records = batch.iter().map(|record| {
        let value = record.value().expect("a value");
        (number(&value[..4]), number(&value[4..]), record.id().map_or(0, |id| id[0]))
    });
    records.collect()
}

/// A batch with a record for each id; 0 is none.
fn batch_of_ids(tag: u32, ids: &[u8]) -> Bytes {
    let mut builder = BatchBuilder::new(1 << 16, 1_000);
    for (index, &id) in (0u32..).zip(ids) {
        let value = [tag.to_le_bytes(), index.to_le_bytes()].concat();
        let id = (id != 0).then_some([id; 16]);
        let record = RecordRef { value: Some(&value), id, ..RecordRef::at(0) };
        builder.push(&record).expect("room");
    }
    builder.seal(Sequence::default())
}

/// Ranges that a refusal has room for: few, so that a second one follows often.
const MAX_RANGES: usize = 2;

/// A partition with its rules, and connections of which the last is the client's.
#[derive(Default)]
struct World {
    log: Vec<Stored>,
    producers: HashMap<u64, ProducerState>,
    /// Requests that lie unread on each connection; those of lost ones may still be carried out.
    requests: Vec<VecDeque<(Attempt, Bytes)>>,
    replies: Vec<(Attempt, Result<AppendReply, Error>)>,
}

impl World {
    fn carry_out(&mut self, rng: &mut Rng, bytes: &Bytes) -> Result<AppendReply, Error> {
        match rng.below(40) {
            0 => return err(Code::DISK_FULL),
            1 => return err(Code::DENIED),
            2 => return err(Code::INTERNAL),
            _ => {}
        }
        let header = Claim::from(&Header::parse(bytes).expect("sealed"));
        let state = self.producers.entry(header.producer_id).or_default();
        let reply = match state.judge(&header)? {
            Verdict::Append => {
                let records = stored(bytes);
                judge_ids(&self.log, &records)?;
                let base_offset = self.log.len() as u64;
                state.accept(&header, base_offset, 1);
                self.log.extend(records);
                ok(base_offset)
            }
            Verdict::Duplicate(first) => {
                ok(first.base_offset).map(|reply| AppendReply { duplicate: true, ..reply })
            }
        };
        // Appended, but the server cannot say so.
        if rng.one_in(40) { err(Code::INTERNAL) } else { reply }
    }

    fn requests(&mut self) -> &mut VecDeque<(Attempt, Bytes)> {
        self.requests.last_mut().expect("a connection")
    }

    fn step(&mut self, rng: &mut Rng, connection: usize) {
        let Some((attempt, bytes)) = self.requests[connection].pop_front() else {
            return;
        };
        let reply = self.carry_out(rng, &bytes);
        if connection + 1 == self.requests.len() {
            self.replies.push((attempt, reply));
        }
    }
}

/// SPEC I-14, with ids that are never forgotten.
fn judge_ids(log: &[Stored], records: &[Stored]) -> Result<(), Error> {
    let mut seen: Vec<SeenRange> = Vec::new();
    for (index, &(.., id)) in (0u32..).zip(records) {
        let in_log = log.iter().position(|&(.., other)| id != 0 && other == id);
        let earlier = &records[..index as usize];
        let base_offset = match in_log {
            Some(offset) => offset as u64,
            None if id != 0 && earlier.iter().any(|&(.., other)| other == id) => u64::MAX,
            None => continue,
        };
        match seen.last_mut() {
            Some(last)
                if last.first_index + last.count == index
                    && last.base_offset.checked_add(u64::from(last.count))
                        == Some(base_offset) =>
            {
                last.count += 1;
            }
            _ => seen.push(SeenRange { first_index: index, count: 1, base_offset }),
        }
    }
    if seen.is_empty() {
        return Ok(());
    }
    seen.truncate(MAX_RANGES);
    Err(Error { seen, ..Error::new(Code::DUPLICATE_IDS, "seen") })
}

/// What a run showed, for the judgement after it.
fn run(seed: u64) {
    const BATCHES: u32 = 120;
    let mut rng = Rng(seed);
    let mut session = session(1 + rng.below(5) as usize);
    let mut world = World { requests: vec![VecDeque::new()], ..World::default() };
    // Every second run is without ids.
    let ids = if seed.is_multiple_of(2) { 0 } else { 20 + rng.below(200) };
    let mut pushed: Vec<Vec<u8>> = Vec::new();
    let mut outcomes: HashMap<u32, Vec<Fate>> = HashMap::new();
    let mut connected = true;
    let mut now = Time::ZERO;
    let mut steps = 0;
    while outcomes.len() < BATCHES as usize || pushed.len() < BATCHES as usize {
        steps += 1;
        assert!(steps < 200_000, "seed {seed}: it does not end");
        now = now.plus_ms(rng.below(3) as u32);
        match rng.below(12) {
            0 | 1 if pushed.len() < BATCHES as usize => {
                let records = 1 + rng.below(if ids == 0 { 4 } else { 9 });
                let records: Vec<u8> = (0..records).map(|_| rng.below(ids + 1) as u8).collect();
                let tag = pushed.len() as u32;
                let deadline = now.plus_ms(100 + rng.below(400) as u32);
                let batch = batch_of_ids(tag, &records);
                session.push(0, batch, records.len() as u32, deadline, tag);
                pushed.push(records);
            }
            2..=4 => {
                if let Some(sending) = session.poll_send(now) {
                    world.requests().push_back((sending.attempt, sending.bytes));
                }
            }
            5..=7 if connected => {
                let last = world.requests.len() - 1;
                world.step(&mut rng, last);
            }
            8 => {
                // A late copy on a connection that was lost.
                let connection = rng.below(world.requests.len() as u64) as usize;
                if connection + 1 < world.requests.len() || connected {
                    world.step(&mut rng, connection);
                }
            }
            9 | 10 if connected && !world.replies.is_empty() => {
                let index = rng.below(world.replies.len() as u64) as usize;
                let (attempt, reply) = world.replies.remove(index);
                session.handle_reply(now, attempt, reply);
            }
            11 if connected && rng.one_in(4) => {
                session.handle_disconnected(now);
                world.replies.clear();
                connected = false;
            }
            _ if !connected && rng.one_in(3) => {
                world.requests.push(VecDeque::new());
                session.handle_connected();
                connected = true;
            }
            _ => {}
        }
        if connected && session.wants_identity() && rng.one_in(2) {
            let producer_id = session.identity().producer_id + 1;
            // Opened on the same connection; what it still has unread comes first.
            session.renew(Identity { producer_id, producer_epoch: 0 });
        }
        if session.poll_timeout().is_some_and(|due| due <= now) {
            session.handle_timeout(now);
        }
        while let Some(event) = session.poll_event() {
            if let ProducerEvent::Settled { tag, records, parts, outcome, .. } = event {
                let before = outcomes.insert(tag, fates(records, &parts, &outcome));
                assert!(before.is_none(), "seed {seed}: {tag} settled twice");
            }
        }
    }
    // Whatever is still on its way arrives.
    for connection in 0..world.requests.len() {
        while !world.requests[connection].is_empty() {
            world.step(&mut rng, connection);
        }
    }
    judge(seed, &world.log, &pushed, &outcomes);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    At { offset: u64, duplicate: bool },
    Unknown,
    Failed,
}

/// What became of each record of a batch.
fn fates(records: u32, parts: &[Part], outcome: &Result<AppendReply, Error>) -> Vec<Fate> {
    let rest = match outcome {
        Ok(reply) => Ok(reply),
        Err(error) if error.is_outcome_unknown() => Err(Fate::Unknown),
        Err(_) => Err(Fate::Failed),
    };
    let one = [Part { first_index: 0, count: records, reply: None }];
    let mut fates = Vec::new();
    for part in if parts.is_empty() { &one } else { parts } {
        assert_eq!(part.first_index as usize, fates.len(), "a gap between the parts");
        fates.extend((0..u64::from(part.count)).map(|step| {
            match part.reply.as_ref().map_or(rest, Ok) {
                Ok(reply) => {
                    Fate::At { offset: reply.base_offset + step, duplicate: reply.duplicate }
                }
                Err(fate) => fate,
            }
        }));
    }
    assert_eq!(fates.len(), records as usize);
    fates
}

fn judge(seed: u64, log: &[Stored], pushed: &[Vec<u8>], outcomes: &HashMap<u32, Vec<Fate>>) {
    let distinct: HashSet<(u32, u32)> = log.iter().map(|&(tag, at, _)| (tag, at)).collect();
    assert_eq!(distinct.len(), log.len(), "seed {seed}: a record is there twice");
    let ids: Vec<u8> = log.iter().map(|&(.., id)| id).filter(|&id| id != 0).collect();
    let distinct_ids: HashSet<u8> = ids.iter().copied().collect();
    assert_eq!(distinct_ids.len(), ids.len(), "seed {seed}: an id is there twice");
    let mut last_acknowledged = None;
    for (tag, ids) in (0u32..).zip(pushed) {
        for ((index, &id), fate) in (0u32..).zip(ids).zip(&outcomes[&tag]) {
            let record = (tag, index, id);
            match *fate {
                Fate::At { offset, duplicate } => {
                    let there = log[offset as usize];
                    let same_id = duplicate && id != 0 && there.2 == id;
                    assert!(there == record || same_id, "seed {seed}: {record:?} at {offset}");
                    if there == record {
                        let at = Some(offset);
                        assert!(at > last_acknowledged, "seed {seed}: {record:?} out of order");
                        last_acknowledged = at;
                    }
                }
                Fate::Failed => {
                    let absent = !distinct.contains(&(tag, index));
                    assert!(absent, "seed {seed}: {record:?} failed and is there");
                }
                Fate::Unknown => {}
            }
        }
        if ids.iter().all(|&id| id == 0) && outcomes[&tag][0] == Fate::Unknown {
            let there = log.iter().filter(|&&(other, ..)| other == tag).count();
            assert!(there == 0 || there == ids.len(), "seed {seed}: a part of {tag}");
        }
    }
}

/// SPEC I-8, I-9, I-15: nothing acknowledged is lost, nothing is there twice, what failed is not there,
/// order is kept, every batch has one outcome, and what was seen is where the outcome says.
#[test]
fn no_fault_loses_repeats_or_reorders_a_record() {
    // Under Miri a seed takes seconds.
    let seeds = if cfg!(miri) { 4 } else { 400 };
    for seed in 0..seeds {
        run(seed);
    }
}

//! Each promise, broken and kept.

use super::*;

const P: u64 = 0;

/// A history in the making: of a violation only the kind is of interest.
#[derive(Default)]
struct History(Checker);

fn records(send: u64, count: u64) -> Vec<Digest> {
    (0..count).map(|index| Digest(send * 100 + index)).collect()
}

impl History {
    fn go(&mut self, event: Event) -> Result<(), ViolationKind> {
        self.0.observe(event).map_err(|violation| violation.kind)
    }

    fn sent(&mut self, send: u64, order: Order, level: Level, count: u64) {
        let event = Event::Sent {
            send,
            partition: P,
            producer: 1,
            order,
            retries: Retries::Told,
            level,
            records: records(send, count),
        };
        self.go(event).unwrap();
    }

    fn once(&mut self, send: u64, sequence: u64, level: Level, count: u64) {
        self.sent(send, Order::ExactlyOnce { epoch: 0, sequence }, level, count);
    }

    fn acked(&mut self, send: u64, level: Level, base: u64) -> Result<(), ViolationKind> {
        self.go(Event::Acknowledged { send, level, base_offset: base })
    }

    fn audited(&mut self, start: u64, parts: &[Vec<Digest>]) -> Result<(), ViolationKind> {
        self.go(Event::Audited { partition: P, start, records: parts.concat() })
    }

    fn crashed(&mut self, crash: Crash) {
        self.go(Event::Crashed(crash)).unwrap();
    }

    fn resent(&mut self, send: u64) {
        self.go(Event::Resent { send }).unwrap();
    }
}

#[test]
fn what_was_synced_survives_power_and_what_was_written_only_a_process() {
    for (level, crash, lost) in [
        (Level::Synced, Crash::Power, true),
        (Level::Synced, Crash::Process, true),
        (Level::Written, Crash::Process, true),
        (Level::Written, Crash::Power, false),
        (Level::None, Crash::Process, false),
    ] {
        let mut history = History::default();
        history.sent(1, Order::Loose, level, 2);
        history.acked(1, level, 0).unwrap();
        history.crashed(crash);
        let expected = if lost { Err(ViolationKind::Lost) } else { Ok(()) };
        assert_eq!(history.audited(0, &[]), expected, "{level:?} {crash:?}");
    }
}

#[test]
fn everything_before_a_synced_record_survives_with_it() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Written, 1);
    history.sent(2, Order::Loose, Level::Synced, 1);
    history.acked(1, Level::Written, 0).unwrap();
    history.acked(2, Level::Synced, 1).unwrap();
    history.crashed(Crash::Power);
    assert_eq!(history.audited(0, &[records(2, 1)]), Err(ViolationKind::OffsetReused));
}

#[test]
fn what_was_said_to_be_durable_is_there() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Written, 3);
    history.go(Event::Durable { partition: P, end: 3 }).unwrap();
    history.crashed(Crash::Power);
    assert_eq!(history.audited(0, &[]), Err(ViolationKind::Lost));
}

#[test]
fn a_reader_has_seen_what_lasts() {
    for (level, crash, lost) in [
        (Level::Synced, Crash::Power, true),
        (Level::Written, Crash::Power, false),
        (Level::None, Crash::Process, true),
    ] {
        let mut history = History::default();
        history.sent(1, Order::Loose, level, 1);
        history.go(Event::Subscribed { reader: 1, partition: P, offset: 0 }).unwrap();
        let read = Event::Read { reader: 1, base_offset: 0, records: records(1, 1) };
        history.go(read.clone()).unwrap();
        assert_eq!(history.go(read), Err(ViolationKind::Skipped));
        history.crashed(crash);
        let expected = if lost { Err(ViolationKind::Lost) } else { Ok(()) };
        assert_eq!(history.audited(0, &[]), expected, "{level:?} {crash:?}");
    }
}

#[test]
fn a_late_reader_says_nothing_about_now() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Written, 1);
    history.go(Event::Subscribed { reader: 1, partition: P, offset: 0 }).unwrap();
    history.crashed(Crash::Power);
    history.go(Event::Read { reader: 1, base_offset: 0, records: records(1, 1) }).unwrap();
    let altered = Event::Read { reader: 1, base_offset: 1, records: vec![Digest(7)] };
    assert_eq!(history.go(altered), Err(ViolationKind::Altered));
    history.audited(0, &[]).unwrap();
}

#[test]
fn what_was_lost_makes_room_and_does_not_come_back() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Written, 2);
    history.acked(1, Level::Written, 0).unwrap();
    history.crashed(Crash::Power);
    history.audited(0, &[]).unwrap();
    history.sent(2, Order::Loose, Level::Written, 1);
    history.acked(2, Level::Written, 0).unwrap();
    let back = history.audited(0, &[records(2, 1), records(1, 2)]);
    assert_eq!(back, Err(ViolationKind::Resurrected));
}

#[test]
fn what_never_arrived_does_not_come_after_the_crash() {
    let mut history = History::default();
    history.once(1, 0, Level::Synced, 1);
    history.crashed(Crash::Process);
    history.audited(0, &[]).unwrap();
    let mut again = History::default();
    again.once(1, 0, Level::Synced, 1);
    again.crashed(Crash::Process);
    again.audited(0, &[]).unwrap();
    assert_eq!(history.audited(0, &[records(1, 1)]), Err(ViolationKind::Resurrected));
    again.resent(1);
    again.audited(0, &[records(1, 1)]).unwrap();
}

#[test]
fn one_offset_holds_one_record() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Written, 2);
    history.sent(2, Order::Loose, Level::Written, 1);
    history.acked(1, Level::Written, 0).unwrap();
    assert_eq!(history.acked(2, Level::Written, 1), Err(ViolationKind::OffsetReused));
}

#[test]
fn nothing_is_made_up() {
    let mut history = History::default();
    assert_eq!(history.audited(0, &[vec![Digest(9)]]), Err(ViolationKind::Altered));
}

#[test]
fn a_copy_for_each_attempt_and_no_more() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Written, 1);
    history.acked(1, Level::Written, 0).unwrap();
    history.resent(1);
    history.acked(1, Level::Written, 1).unwrap();
    let thrice = history.audited(0, &[records(1, 1), records(1, 1), records(1, 1)]);
    assert_eq!(thrice, Err(ViolationKind::Duplicate));
}

#[test]
fn an_exactly_once_batch_has_one_place() {
    let mut history = History::default();
    history.once(1, 0, Level::Synced, 2);
    history.acked(1, Level::Synced, 0).unwrap();
    history.resent(1);
    history.acked(1, Level::Synced, 0).unwrap();
    assert_eq!(history.acked(1, Level::Synced, 2), Err(ViolationKind::Duplicate));
}

#[test]
fn an_exactly_once_batch_that_may_be_lost_may_have_another_place() {
    let mut history = History::default();
    history.once(1, 0, Level::Written, 1);
    history.once(2, 1, Level::Written, 1);
    history.acked(1, Level::Written, 0).unwrap();
    history.acked(2, Level::Written, 1).unwrap();
    history.crashed(Crash::Power);
    history.sent(3, Order::Loose, Level::Written, 1);
    history.acked(3, Level::Written, 0).unwrap();
    history.resent(1);
    history.resent(2);
    history.acked(1, Level::Written, 1).unwrap();
    history.acked(2, Level::Written, 2).unwrap();
    history.audited(0, &[records(3, 1), records(1, 1), records(2, 1)]).unwrap();
}

#[test]
fn an_acknowledgement_of_before_a_loss_proves_nothing() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Written, 1);
    history.crashed(Crash::Power);
    history.acked(1, Level::Written, 0).unwrap();
    history.audited(0, &[]).unwrap();
}

#[test]
fn a_producers_order_is_kept_without_gaps() {
    let mut history = History::default();
    history.once(1, 0, Level::None, 1);
    history.once(2, 1, Level::None, 1);
    let swapped = history.audited(0, &[records(2, 1), records(1, 1)]);
    assert_eq!(swapped, Err(ViolationKind::OutOfOrder));
    let mut history = History::default();
    history.once(1, 0, Level::None, 1);
    history.once(2, 1, Level::None, 1);
    assert_eq!(history.audited(0, &[records(2, 1)]), Err(ViolationKind::Gap));
    let mut history = History::default();
    history.sent(1, Order::Ordered { place: 0 }, Level::None, 1);
    history.sent(2, Order::Ordered { place: 1 }, Level::None, 1);
    let swapped = history.audited(0, &[records(2, 1), records(1, 1)]);
    assert_eq!(swapped, Err(ViolationKind::OutOfOrder));
}

#[test]
fn what_was_refused_is_not_there() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Written, 1);
    history.go(Event::Refused { send: 1 }).unwrap();
    let found = history.audited(0, &[records(1, 1)]);
    assert_eq!(found, Err(ViolationKind::RefusedYetThere));
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Written, 1);
    history.acked(1, Level::Written, 0).unwrap();
    assert_eq!(history.go(Event::Refused { send: 1 }), Err(ViolationKind::RefusedYetThere));
}

#[test]
fn a_batch_is_there_whole() {
    for part in [0..1, 1..2] {
        let mut history = History::default();
        history.sent(1, Order::Loose, Level::Written, 2);
        let found = history.audited(0, &[records(1, 2)[part].to_vec()]);
        assert_eq!(found, Err(ViolationKind::TornBatch));
    }
}

#[test]
fn a_log_begins_where_it_may() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Synced, 2);
    history.sent(2, Order::Loose, Level::Synced, 2);
    history.acked(1, Level::Synced, 0).unwrap();
    history.acked(2, Level::Synced, 2).unwrap();
    history.go(Event::TrimAllowed { partition: P, before: 3 }).unwrap();
    history.audited(3, &[records(2, 2)[1..].to_vec()]).unwrap();
    assert_eq!(history.audited(0, &[]), Err(ViolationKind::StartWentBack));
    assert_eq!(history.audited(4, &[]), Err(ViolationKind::TrimmedTooMuch));
}

#[test]
fn a_trimmed_batch_is_still_known_as_sent() {
    let mut history = History::default();
    history.once(1, 0, Level::Synced, 2);
    history.acked(1, Level::Synced, 0).unwrap();
    history.go(Event::TrimAllowed { partition: P, before: 2 }).unwrap();
    history.audited(2, &[]).unwrap();
    history.resent(1);
    history.acked(1, Level::Synced, 0).unwrap();
    assert_eq!(history.acked(1, Level::Synced, 2), Err(ViolationKind::Duplicate));
}

#[test]
fn a_batch_in_doubt_that_the_start_cuts_is_not_another_copy() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Written, 3);
    history.acked(1, Level::Written, 0).unwrap();
    history.go(Event::TrimAllowed { partition: P, before: 2 }).unwrap();
    history.go(Event::Crashed(Crash::Power)).unwrap();
    let tail = records(1, 3)[2..].to_vec();
    history.audited(2, std::slice::from_ref(&tail)).unwrap();
    let twice = history.audited(2, &[tail, records(1, 3)]);
    assert_eq!(twice, Err(ViolationKind::Duplicate));
}

#[test]
fn a_batch_in_doubt_that_the_start_cuts_may_be_gone() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Written, 3);
    history.acked(1, Level::Written, 0).unwrap();
    history.go(Event::TrimAllowed { partition: P, before: 2 }).unwrap();
    history.go(Event::Crashed(Crash::Power)).unwrap();
    history.sent(2, Order::Loose, Level::Written, 1);
    history.audited(2, &[records(2, 1)]).unwrap();
}

#[test]
fn damage_may_hide_records_and_alters_none() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Synced, 1);
    history.sent(2, Order::Loose, Level::Synced, 1);
    history.acked(1, Level::Synced, 0).unwrap();
    history.acked(2, Level::Synced, 1).unwrap();
    history.go(Event::Damaged { partition: P, offset: 1 }).unwrap();
    // An acknowledgement that was under way changes nothing.
    history.resent(2);
    history.acked(2, Level::Synced, 1).unwrap();
    history.audited(0, &[records(1, 1)]).unwrap();
    assert_eq!(history.audited(0, &[]), Err(ViolationKind::Lost));
    let altered = history.audited(0, &[records(1, 1), vec![Digest(5)]]);
    assert_eq!(altered, Err(ViolationKind::Altered));
}

#[test]
fn a_failed_sync_leaves_what_was_synced() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Synced, 1);
    history.sent(2, Order::Loose, Level::Written, 1);
    history.acked(1, Level::Synced, 0).unwrap();
    history.acked(2, Level::Written, 1).unwrap();
    history.go(Event::SyncFailed { partition: P }).unwrap();
    history.audited(0, &[records(1, 1)]).unwrap();
    assert_eq!(history.audited(0, &[]), Err(ViolationKind::Lost));
}

#[test]
fn a_level_is_reached_or_an_error_is_told() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Synced, 1);
    assert_eq!(history.acked(1, Level::Written, 0), Err(ViolationKind::TooLowALevel));
}

#[test]
fn a_deleted_partition_shows_nothing() {
    let mut history = History::default();
    history.sent(1, Order::Loose, Level::Written, 1);
    history.go(Event::Deleted { partition: P }).unwrap();
    let found = history.audited(0, &[records(1, 1)]);
    assert_eq!(found, Err(ViolationKind::DeletedYetThere));
}

#[test]
fn a_group_goes_forward_only() {
    let (group, partition) = (5, P);
    let told =
        |history: &mut History, ask, offset| history.go(Event::CommitTold { ask, offset });
    let mut history = History::default();
    history.go(Event::CommitAsked { ask: 0, group, partition }).unwrap();
    history.go(Event::CommitSent { group, partition, offset: 4 }).unwrap();
    history.go(Event::CommitAcknowledged { group, partition, offset: 4 }).unwrap();
    history.go(Event::CommitSent { group, partition, offset: 9 }).unwrap();
    for ask in 1..=4 {
        history.go(Event::CommitAsked { ask, group, partition }).unwrap();
    }
    told(&mut history, 0, None).unwrap();
    told(&mut history, 1, Some(9)).unwrap();
    told(&mut history, 2, Some(4)).unwrap();
    assert_eq!(told(&mut history, 3, Some(3)), Err(ViolationKind::CommitWentBack));
    assert_eq!(told(&mut history, 4, Some(10)), Err(ViolationKind::CommitInvented));
}

#[test]
fn digests_tell_parts_apart() {
    let digest = |parts: &[Option<&[u8]>]| Digest::of(parts.iter().copied());
    let all = [
        digest(&[]),
        digest(&[None]),
        digest(&[Some(b"")]),
        digest(&[Some(b"\0")]),
        digest(&[Some(b"ab"), Some(b"c")]),
        digest(&[Some(b"a"), Some(b"bc")]),
        digest(&[Some(b"abc"), None]),
        digest(&[None, Some(b"abc")]),
    ];
    let distinct: std::collections::BTreeSet<Digest> = all.into_iter().collect();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn what_failed_for_certain_is_never_there() {
    let mut history = History::default();
    history.sent(1, Order::Once { place: 0 }, Level::Synced, 1);
    history.go(Event::Failed { send: 1 }).unwrap();
    let there = history.audited(0, &[records(1, 1)]);
    assert_eq!(there, Err(ViolationKind::RefusedYetThere));
    let mut history = History::default();
    history.sent(1, Order::Once { place: 0 }, Level::Synced, 1);
    history.audited(0, &[records(1, 1)]).unwrap();
    assert_eq!(history.go(Event::Failed { send: 1 }), Err(ViolationKind::RefusedYetThere));
}

#[test]
fn once_is_in_order_and_once_and_may_leave_out() {
    let mut history = History::default();
    for (send, place) in [(1, 0), (2, 1), (3, 2)] {
        history.sent(send, Order::Once { place }, Level::Synced, 1);
    }
    history.audited(0, &[records(1, 1), records(3, 1)]).unwrap();
    assert_eq!(
        history.audited(0, &[records(1, 1), records(3, 1), records(2, 1)]),
        Err(ViolationKind::OutOfOrder)
    );
    let mut history = History::default();
    history.sent(1, Order::Once { place: 0 }, Level::Synced, 1);
    history.acked(1, Level::Synced, 0).unwrap();
    assert_eq!(history.acked(1, Level::Synced, 1), Err(ViolationKind::Duplicate));
}

#[test]
fn a_start_that_was_told_never_goes_back() {
    let mut history = History::default();
    history.once(1, 0, Level::Synced, 4);
    history.acked(1, Level::Synced, 0).unwrap();
    let early = history.go(Event::Trimmed { partition: P, start: 2 });
    assert_eq!(early, Err(ViolationKind::TrimmedTooMuch), "nobody asked for it");
    let mut history = History::default();
    history.once(1, 0, Level::Synced, 4);
    history.acked(1, Level::Synced, 0).unwrap();
    history.go(Event::TrimAllowed { partition: P, before: 2 }).unwrap();
    history.go(Event::Trimmed { partition: P, start: 2 }).unwrap();
    // A reply that was under way.
    history.go(Event::Subscribed { reader: 1, partition: P, offset: 0 }).unwrap();
    history.go(Event::Read { reader: 1, base_offset: 0, records: records(1, 4) }).unwrap();
    history.crashed(Crash::Power);
    let back = history.audited(0, &[records(1, 4)]);
    assert_eq!(back, Err(ViolationKind::StartWentBack));
}

#[test]
fn a_commit_goes_back_only_when_somebody_sets_it() {
    let key = |offset| (1, P, offset);
    let mut history = History::default();
    let sent = |(group, partition, offset)| Event::CommitSent { group, partition, offset };
    let acked =
        |(group, partition, offset)| Event::CommitAcknowledged { group, partition, offset };
    let mut ask = 0;
    let mut told = |history: &mut History, offset| {
        ask += 1;
        history.go(Event::CommitAsked { ask, group: 1, partition: P }).unwrap();
        history.go(Event::CommitTold { ask, offset: Some(offset) })
    };
    history.go(sent(key(9))).unwrap();
    history.go(acked(key(9))).unwrap();
    history.go(Event::ResetSent { group: 1, partition: P, offset: 3 }).unwrap();
    told(&mut history, 9).unwrap();
    told(&mut history, 3).unwrap();
    history.go(Event::ResetAcknowledged { group: 1, partition: P, offset: 3 }).unwrap();
    told(&mut history, 3).unwrap();
    assert_eq!(told(&mut history, 9), Err(ViolationKind::CommitInvented));
    history.go(sent(key(5))).unwrap();
    history.go(acked(key(5))).unwrap();
    assert_eq!(told(&mut history, 3), Err(ViolationKind::CommitWentBack));
}

/// Commits and resets of a group, and what is told of it.
#[derive(Default)]
struct Offsets {
    history: History,
    ask: u64,
}

impl Offsets {
    fn sent(&mut self, offset: u64) {
        self.history.go(Event::CommitSent { group: 1, partition: P, offset }).unwrap();
    }

    fn acked(&mut self, offset: u64) {
        self.history.go(Event::CommitAcknowledged { group: 1, partition: P, offset }).unwrap();
    }

    fn reset_sent(&mut self, offset: u64) {
        self.history.go(Event::ResetSent { group: 1, partition: P, offset }).unwrap();
    }

    fn reset_acked(&mut self, offset: u64) {
        self.history.go(Event::ResetAcknowledged { group: 1, partition: P, offset }).unwrap();
    }

    fn told(&mut self, offset: u64) -> Result<(), ViolationKind> {
        self.ask += 1;
        let ask = self.ask;
        self.history.go(Event::CommitAsked { ask, group: 1, partition: P })?;
        self.history.go(Event::CommitTold { ask, offset: Some(offset) })
    }
}

#[test]
fn a_commit_beside_a_reset_comes_before_it_or_after() {
    let mut offsets = Offsets::default();
    offsets.sent(31);
    offsets.reset_sent(2);
    offsets.sent(33);
    offsets.reset_acked(2);
    offsets.acked(33);
    offsets.acked(31);
    offsets.told(2).unwrap();
    offsets.told(33).unwrap();
    assert_eq!(offsets.told(1), Err(ViolationKind::CommitWentBack));
    assert_eq!(offsets.told(34), Err(ViolationKind::CommitInvented));
    // What is sent behind the reset is a promise again.
    offsets.sent(20);
    offsets.acked(20);
    assert_eq!(offsets.told(2), Err(ViolationKind::CommitWentBack));
}

#[test]
fn of_two_resets_at_once_either_is_the_last() {
    let mut offsets = Offsets::default();
    offsets.sent(10);
    offsets.acked(10);
    offsets.reset_sent(3);
    offsets.reset_sent(6);
    offsets.reset_acked(3);
    offsets.reset_acked(6);
    offsets.told(3).unwrap();
    offsets.told(6).unwrap();
    assert_eq!(offsets.told(2), Err(ViolationKind::CommitWentBack));
    assert_eq!(offsets.told(10), Err(ViolationKind::CommitInvented));
}

#[test]
fn a_reset_of_a_server_that_ended_is_carried_out_or_never() {
    let mut offsets = Offsets::default();
    offsets.sent(10);
    offsets.acked(10);
    offsets.reset_sent(3);
    offsets.history.crashed(Crash::Process);
    offsets.told(3).unwrap();
    offsets.told(10).unwrap();
    assert_eq!(offsets.told(2), Err(ViolationKind::CommitWentBack));
    // Its answer was on its way; what is stored now comes after it.
    offsets.sent(12);
    offsets.reset_acked(3);
    offsets.acked(12);
    assert_eq!(offsets.told(3), Err(ViolationKind::CommitWentBack));
}

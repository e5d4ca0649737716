//! The queue by itself: no wake-up is lost, and none is called in vain.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::error::Code;

const PATIENCE: Duration = Duration::from_secs(60);

fn entry(first_ticket: u64) -> Settled {
    let outcome = Err(Error::new(Code::TIMEOUT, "late"));
    Settled { producer: 7, first_ticket, count: 1, partition: 0, outcome }
}

fn counted() -> (CompletionQueue, Arc<AtomicUsize>) {
    let wakes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&wakes);
    let queue = CompletionQueue::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    (queue, wakes)
}

#[test]
fn many_entries_wake_once_until_the_queue_was_found_empty() {
    let (queue, wakes) = counted();
    for ticket in 0..10 {
        queue.push(entry(ticket));
        queue.notify();
    }
    assert_eq!(wakes.load(Ordering::SeqCst), 1);
    // Left over entries are known to the one who drains: no further wake-up.
    assert_eq!(queue.drain(4).expect("here").len(), 4);
    queue.push(entry(10));
    queue.notify();
    assert_eq!(wakes.load(Ordering::SeqCst), 1);
    let rest: Vec<u64> =
        queue.drain(100).expect("here").iter().map(|entry| entry.first_ticket).collect();
    assert_eq!(rest, (4..=10).collect::<Vec<_>>());
    queue.push(entry(11));
    queue.notify();
    assert_eq!(wakes.load(Ordering::SeqCst), 2);
}

#[test]
fn a_drain_that_takes_exactly_all_has_not_found_it_empty() {
    let (queue, wakes) = counted();
    queue.push(entry(0));
    queue.notify();
    assert_eq!(queue.drain(1).expect("here").len(), 1);
    queue.push(entry(1));
    queue.notify();
    assert_eq!(wakes.load(Ordering::SeqCst), 1);
    assert_eq!(queue.drain(2).expect("here").len(), 1);
}

#[test]
fn a_panicking_wake_up_goes_no_further() {
    let queue = CompletionQueue::new(|| panic!("on purpose"));
    queue.push(entry(0));
    queue.notify();
    assert_eq!(queue.drain(8).expect("here").len(), 1);
}

/// Threads settle while one sleeps until woken; if a wake-up were lost it would sleep
/// for ever, and with one for each entry there would be as many as entries.
#[test]
fn no_wake_up_is_lost_between_threads() {
    const THREADS: u64 = 4;
    const EACH: u64 = 20_000;
    let (wake, woken) = mpsc::channel();
    let queue = CompletionQueue::new(move || {
        let _ = wake.send(());
    });
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let queue = queue.clone();
            std::thread::spawn(move || {
                for at in 0..EACH {
                    queue.push(entry(thread * EACH + at));
                    queue.notify();
                    if at % 64 == 0 {
                        std::thread::yield_now();
                    }
                }
            })
        })
        .collect();
    let mut next = [0; THREADS as usize];
    let (mut seen, mut wakes) = (0, 0u64);
    let mut out = Vec::new();
    while seen < THREADS * EACH {
        woken.recv_timeout(PATIENCE).expect("a wake-up was lost");
        wakes += 1;
        loop {
            out.clear();
            let count = queue.drain_into(&mut out, 100).expect("here");
            for entry in &out {
                let thread = (entry.first_ticket / EACH) as usize;
                assert_eq!(entry.first_ticket % EACH, next[thread], "in the order settled");
                next[thread] += 1;
            }
            seen += count as u64;
            if count < 100 {
                break;
            }
        }
    }
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert!(wakes <= seen, "{wakes} wake-ups for {seen} entries");
    assert!(woken.try_recv().is_err() || queue.is_empty());
}

#[test]
fn producers_wait_while_too_many_entries_do() {
    let (queue, _) = counted();
    for ticket in 0..MAX_WAITING as u64 {
        queue.push(entry(ticket));
    }
    assert!(!queue.has_room());
    let told = AtomicBool::new(false);
    let mut space = std::pin::pin!(queue.space().notified());
    space.as_mut().enable();
    queue.drain(1).expect("here");
    assert!(queue.has_room());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    if Future::poll(space.as_mut(), &mut cx).is_ready() {
        told.store(true, Ordering::SeqCst);
    }
    assert!(told.load(Ordering::SeqCst));
}

#[test]
fn runs_hold_consecutive_tickets() {
    let mut runs = Vec::new();
    for (index, ticket) in [3, 4, 5, 9, 10, 12].into_iter().enumerate() {
        extend_runs(&mut runs, ticket, index as u32, 1);
    }
    let run = |first_ticket, first_index, count| Run { first_ticket, first_index, count };
    assert_eq!(runs, [run(3, 0, 3), run(9, 3, 2), run(12, 5, 1)]);
}

/// Outcomes that end in the middle of a run of tickets, and runs that end in that of an outcome.
#[test]
fn outcomes_are_cut_where_tickets_are_not_consecutive() {
    let (queue, _) = counted();
    let attached = Attached { queue: queue.clone(), producer: 7 };
    let run = |first_ticket, first_index, count| Run { first_ticket, first_index, count };
    let runs = [run(10, 0, 3), run(20, 3, 1), run(30, 4, 4)];
    let receipt = |offset, duplicate| {
        let acks = tidewire_protocol::message::Acks::Synced;
        Ok(Receipt { partition: 2, offset, append_time_us: 0, acks, duplicate })
    };
    let failed = Err(Error::new(Code::TIMEOUT, "late"));
    let outcomes = [(0, 2, receipt(100, true)), (2, 4, receipt(500, false)), (6, 2, failed)];
    attached.settle(2, &runs, outcomes.into_iter());
    let entries = queue.drain(100).expect("not forked");
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            let offset =
                entry.outcome.as_ref().ok().map(|first| (first.offset, first.duplicate));
            (entry.first_ticket, entry.count, offset)
        })
        .collect();
    let expected = [
        (10, 2, Some((100, true))),
        (12, 1, Some((500, false))),
        (20, 1, Some((501, false))),
        (30, 2, Some((502, false))),
        (32, 2, None),
    ];
    assert_eq!(told, expected);
}

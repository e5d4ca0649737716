//! Looking for the one outcome that is waited for, before the event loop sleeps.
//!
//! Owns for how long the loop's thread does so, a slice at a time, with turns of the loop in between.
//! The one invariant: whoever stops looking has seen all that nobody wrote to the descriptor for.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tidewire::foreign::{Look, Looking};

use super::Shared;

/// How long the thread looks before its event loop gets a turn. The interpreter's lock is kept: to
/// get it back from a thread that computes takes a thousand times as long.
const SLICE: Duration = Duration::from_micros(20);

/// When a turn of the loop that has not come is given up.
const LOST: Duration = Duration::from_millis(10);

/// What a glance finds.
pub(super) enum Found {
    /// There is something to drain.
    Something,
    /// Not yet.
    Nothing,
    /// It is time to stop looking.
    Over,
}

#[derive(Default)]
pub(super) struct Glance {
    look: Look,
    /// The right to look, while the thread does.
    looking: Option<Looking>,
    /// It had it when it began to wait.
    looked: bool,
    /// When what is waited for was asked, if it is one thing.
    asked: Option<Instant>,
}

impl Glance {
    /// Something more is waited for, and nothing else if it is `alone`. Whether to begin to look.
    pub(super) fn asked(&mut self, alone: bool, shared: &Shared) -> bool {
        let before = self.asked.take();
        if !alone {
            if before.is_some() {
                self.look.busy();
            }
            self.stop(shared);
            return false;
        }
        self.asked = Some(Instant::now());
        if self.looking.is_some() {
            // What was cancelled may have left the thread looking. A signal may have taken its turn.
            if before.is_some_and(|before| before.elapsed() < LOST) {
                return false;
            }
            self.stop(shared);
        }
        self.looking = self.look.begin();
        self.looked = self.looking.is_some();
        shared.looking.store(self.looked, Ordering::SeqCst);
        self.looked
    }

    /// Looks no more; what nobody wrote for is written for now.
    pub(super) fn stop(&mut self, shared: &Shared) {
        if self.looking.take().is_some() {
            shared.looking.store(false, Ordering::SeqCst);
            if shared.signalled.load(Ordering::SeqCst) {
                shared.wakeup.write();
            }
        }
    }

    /// Nothing is waited for any more.
    pub(super) fn came(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.look.came(asked.elapsed(), self.looked);
        }
    }

    pub(super) fn look(&mut self, shared: &Shared) -> Found {
        let begun = Instant::now();
        let over = match (&self.looking, self.asked) {
            (Some(looking), Some(asked)) => begun - asked >= looking.limit(),
            _ => true,
        };
        while !over && !shared.signalled.load(Ordering::Acquire) {
            if begun.elapsed() > SLICE {
                return Found::Nothing;
            }
            std::thread::yield_now();
        }
        self.looking = None;
        shared.looking.store(false, Ordering::SeqCst);
        match shared.signalled.load(Ordering::SeqCst) {
            true => Found::Something,
            false => Found::Over,
        }
    }
}

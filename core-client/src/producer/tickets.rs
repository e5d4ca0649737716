//! Tickets of records that were enqueued together.
//!
//! Owns them by runs: neighbours in a batch take one entry, however many they are, and become
//! [`Ticket`]s of their own only when they are asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::ticket::{Completion, Receipt, Ticket};
use crate::error::Error;

/// The tickets of records that were enqueued by one call, in order; see
/// [`Producer::enqueue_many`](super::Producer::enqueue_many). Dropping them changes nothing for
/// the records.
#[derive(Debug, Default)]
pub struct Tickets {
    runs: Vec<Run>,
    len: usize,
}

/// Neighbours in one batch.
#[derive(Debug)]
struct Run {
    completion: Arc<Completion>,
    number: u64,
    index: u32,
    count: u32,
    /// Its outcomes were told, which counts once however often they are asked for.
    told: AtomicBool,
}

impl Run {
    fn ticket(&self, at: u32) -> Ticket {
        let completion = Arc::clone(&self.completion);
        let told = self.told.load(Ordering::Relaxed);
        Ticket::new(completion, self.number + u64::from(at), self.index + at).claimed(told)
    }
}

impl Tickets {
    /// How many there are: how many records were taken.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no record was taken.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Their [numbers](Ticket::number), in order.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.runs.iter().flat_map(|run| run.number..run.number + u64::from(run.count))
    }

    /// Adds those of another call, behind.
    pub fn append(&mut self, mut more: Self) {
        self.len += more.len;
        self.runs.append(&mut more.runs);
    }

    /// Waits until all have their outcome, and tells them in order: a receipt or an error for each
    /// record.
    pub async fn outcomes(&self) -> Vec<Result<Receipt, Error>> {
        let mut outcomes = Vec::with_capacity(self.len);
        for run in &self.runs {
            run.completion.settled().await;
            outcomes.extend((0..run.count).filter_map(|at| run.ticket(at).try_receipt()));
            run.told.store(true, Ordering::Relaxed);
        }
        outcomes
    }

    /// As [`Tickets::outcomes`], by runs of neighbours: the receipt of the first of so many records,
    /// of which each stands at the offset behind the one before it, or the error of all of them.
    pub async fn into_runs(self) -> Vec<(Result<Receipt, Error>, u32)> {
        let mut runs = Vec::with_capacity(self.runs.len());
        for run in &self.runs {
            run.completion.settled().await;
            let told = run.told.load(Ordering::Relaxed);
            let mut at = 0;
            while let Some((outcome, count)) = (at < run.count)
                .then(|| run.completion.claim(run.index + at, run.count - at, told))
                .flatten()
            {
                runs.push((outcome, count));
                at += count;
            }
        }
        runs
    }

    pub(super) fn add(&mut self, ticket: Ticket) {
        let (completion, number, index) = ticket.into_parts();
        self.add_run(&completion, number, index, 1);
    }

    pub(super) fn add_run(
        &mut self,
        completion: &Arc<Completion>,
        number: u64,
        index: u32,
        count: u32,
    ) {
        self.len += count as usize;
        match self.runs.last_mut() {
            Some(run)
                if !run.told.load(Ordering::Relaxed)
                    && Arc::ptr_eq(&run.completion, completion)
                    && run.number + u64::from(run.count) == number =>
            {
                run.count += count;
            }
            _ => {
                let completion = Arc::clone(completion);
                self.runs.push(Run {
                    completion,
                    number,
                    index,
                    count,
                    told: AtomicBool::new(false),
                });
            }
        }
    }
}

/// One by one.
impl IntoIterator for Tickets {
    type Item = Ticket;
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter { runs: self.runs.into_iter(), at: 0, current: None }
    }
}

/// The tickets, one by one.
#[derive(Debug)]
pub struct IntoIter {
    runs: std::vec::IntoIter<Run>,
    current: Option<Run>,
    at: u32,
}

impl Iterator for IntoIter {
    type Item = Ticket;

    fn next(&mut self) -> Option<Ticket> {
        loop {
            if let Some(run) = &self.current
                && self.at < run.count
            {
                self.at += 1;
                return Some(run.ticket(self.at - 1));
            }
            self.current = Some(self.runs.next()?);
            self.at = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::producer::ticket::Outcome;

    fn failed(records: u32) -> (Tickets, Arc<Completion>) {
        let completion = Completion::new(0);
        completion.add_records(records);
        completion.settle(Outcome::of_all(Err(Error::new(Code::DISK_FULL, "full"))));
        let mut tickets = Tickets::default();
        tickets.add_run(&completion, 7, 0, records);
        (tickets, completion)
    }

    /// A flush tells of what nobody was told, and of nothing else.
    #[tokio::test]
    async fn outcomes_that_are_asked_for_again_count_as_told_once() {
        let (tickets, completion) = failed(3);
        assert!(!completion.is_claimed());
        for _ in 0..2 {
            assert_eq!(tickets.outcomes().await.len(), 3);
            assert!(completion.is_claimed());
        }
        assert_eq!(tickets.into_runs().await.len(), 1);
        assert!(completion.is_claimed());

        let (tickets, completion) = failed(3);
        tickets.outcomes().await;
        for mut ticket in tickets {
            assert!(ticket.try_receipt().is_some_and(|outcome| outcome.is_err()));
        }
        assert!(completion.is_claimed());
    }
}

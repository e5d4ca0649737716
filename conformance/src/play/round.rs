//! A case for pairs, played for every ordered pair of languages in one go: what `a` does first is
//! done once for each language, and the rest with every language as `b`, whose processes go on
//! from row to row.
//!
//! Owns which processes live when; what a step means is `play`'s. The one invariant: of a pair
//! whose verdict is bad only because of another one, the runner finds that out by playing it again
//! by itself.

use std::time::{Duration, Instant};

use super::{Adapter, Outcome, Player, Record, Stop, World, outcome};
use crate::adapter::Launch;
use crate::case::{Body, Case, Step};
use crate::server::Server;

/// The leading steps of `a`, and the rest.
fn split(steps: &[Step]) -> (&[Step], &[Step]) {
    let own = steps.iter().take_while(|step| step.on.as_deref() == Some("a")).count();
    steps.split_at(own)
}

/// Plays a case for pairs for all ordered pairs of `launches`, and tells how each went, by their
/// places in it.
pub fn play(
    world: &World,
    case: &Case,
    launches: &[&Launch],
    mut done: impl FnMut(usize, usize, Record),
) {
    let Body::Steps { steps, .. } = &case.body else { return };
    let (first, rest) = split(steps);
    let mut readers: Vec<Option<Adapter>> = launches.iter().map(|_| None).collect();
    for (a, launch) in launches.iter().enumerate() {
        // A server of its own for each row.
        let mut player = Player::new(world, case);
        let begun = Instant::now();
        let writing = player.write(launch, first);
        let written = player.take(outcome(writing));
        let writer = player.adapters.pop();
        let mut row = Row { player, writer, written, took: begun.elapsed() };
        for (b, reader) in readers.iter_mut().enumerate() {
            let record = row.pair(launches[b], reader, rest, first.len());
            done(a, b, record);
        }
        if let Some(mut writer) = row.writer {
            writer.stop();
        }
    }
    for mut reader in readers.into_iter().flatten() {
        reader.stop();
    }
}

/// All pairs with one language as `a`.
struct Row<'a> {
    player: Player<'a>,
    writer: Option<Adapter>,
    /// What the writer did.
    written: Record,
    took: Duration,
}

impl Row<'_> {
    /// Plays what is left of the case with `launch` as `b`. A reader with which something went
    /// wrong is not used again.
    fn pair(
        &mut self,
        launch: &Launch,
        reader: &mut Option<Adapter>,
        steps: &[Step],
        before: usize,
    ) -> Record {
        let Some(writer) = self.writer.take() else { return self.written.clone() };
        if self.written.outcome != Outcome::Pass {
            self.writer = Some(writer);
            return self.written.clone();
        }
        let begun = Instant::now();
        self.player.adapters.push(writer);
        let (variables, kept) = (self.player.variables.clone(), self.player.kept.clone());
        let result = self.player.read(launch, reader.take(), steps, before);
        let mut record = self.player.take(outcome(result));
        (self.player.variables, self.player.kept) = (variables, kept);
        self.player.started.clear();
        let mut left = self.player.adapters.drain(..);
        self.writer = left.next();
        let mut used = left.next();
        drop(left);
        if let Some(used) = &used {
            record.stderr.push_str(&used.stderr());
        }
        if record.outcome != Outcome::Pass
            && let Some(mut used) = used.take()
        {
            used.stop();
        }
        *reader = used;
        record.steps.splice(0..0, self.written.steps.iter().cloned());
        record.trace.splice(0..0, self.written.trace.iter().cloned());
        let reached = self.written.reached.clone();
        record.reached.kinds.extend(reached.kinds);
        record.reached.options.extend(reached.options);
        record.reached.errors.extend(reached.errors);
        // What was done once is counted with each.
        record.took = self.took + begun.elapsed();
        record
    }
}

impl Player<'_> {
    /// What `a` does before `b` does anything.
    fn write(&mut self, launch: &Launch, steps: &[Step]) -> Result<(), Stop> {
        let adapter = self.adapter(launch)?;
        self.adapters.push(adapter);
        self.prepare()?;
        self.steps(steps, 0)
    }

    /// What is done with `b`.
    fn read(
        &mut self,
        launch: &Launch,
        reader: Option<Adapter>,
        steps: &[Step],
        before: usize,
    ) -> Result<(), Stop> {
        let adapter = match reader {
            Some(reader) => reader,
            None => self.adapter(launch)?,
        };
        self.adapters.push(adapter);
        self.steps(steps, before)
    }

    /// What was played since this was asked last.
    fn take(&mut self, outcome: Outcome) -> Record {
        let trace = self.trace();
        let failed = outcome != Outcome::Pass;
        let server_log = self.server.as_ref().filter(|_| failed).map(Server::log);
        Record {
            outcome,
            steps: std::mem::take(&mut self.steps),
            trace,
            stderr: self.adapters.first().map(Adapter::stderr).unwrap_or_default(),
            server_log: server_log.unwrap_or_default(),
            took: Duration::ZERO,
            reached: std::mem::take(&mut self.reached),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_does_before_b_is_done_once() {
        let on = |names: &[&str]| -> Vec<Step> {
            names.iter().map(|&on| Step { on: Some(on.into()), ..Step::default() }).collect()
        };
        assert_eq!(split(&on(&["a", "a", "b", "a"])).0.len(), 2);
        assert_eq!(split(&on(&["b", "a"])).0.len(), 0);
        // A step that does not say is the first adapter's, too, but not before it was asked.
        assert_eq!(split(&[Step::default()]).0.len(), 0);
    }

    /// Every case for pairs is written so that producing is what is done once.
    #[test]
    fn cases_for_pairs_begin_with_what_is_done_once() {
        let mut pairs = 0;
        for case in crate::case::load(None).expect("the cases can be read") {
            let Body::Steps { steps, pair: true, .. } = &case.body else { continue };
            let (first, rest) = split(steps);
            assert!(
                first.iter().any(|step| step.op.starts_with("producer.send")),
                "{}",
                case.id
            );
            let last = rest.last().map(|step| (step.op.as_str(), step.on.as_deref()));
            // Its process goes on with the next row.
            assert_eq!(last, Some(("client.close", Some("b"))), "{}", case.id);
            pairs += 1;
        }
        assert!(pairs >= 7, "{pairs} cases for pairs");
    }
}

//! A run: which cases, through which adapters, side by side, and what each came to.
//!
//! The one invariant: every case that was chosen has exactly one verdict in the end, whatever
//! became of its processes.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::adapter::Launch;
use crate::attack::Siege;
use crate::case::{Body, Case};
use crate::known::Known;
use crate::play::{Outcome, Played, Reached, Record, World, play, round};
use crate::proxy::Line;
use crate::server::Server;

/// The column of cases that no SDK takes part in.
pub const SERVER: &str = "server";

/// What a case came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    Fail,
    /// Fails, and is known to.
    Known,
    /// Passes, though it is known to fail.
    Stale,
    Unsupported,
    /// Failed, and passed when it was played again.
    Flaky,
}

impl Verdict {
    pub fn fails_the_run(self) -> bool {
        matches!(self, Self::Fail | Self::Stale)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Known => "known",
            Self::Stale => "STALE",
            Self::Unsupported => "unsupported",
            Self::Flaky => "flaky",
        }
    }
}

/// A case through one column.
#[derive(Clone, Debug, Serialize)]
pub struct Result {
    pub case: String,
    /// An SDK, `a→b` for a pair, or `server`.
    pub column: String,
    pub verdict: Verdict,
    /// Why, unless it passed.
    pub reason: String,
    pub took_ms: u64,
    pub steps: Vec<Played>,
    pub trace: Vec<Line>,
    pub stderr: String,
    pub server_log: String,
    #[serde(skip)]
    pub reached: Reached,
}

/// What is to be run.
pub struct Plan<'a> {
    pub world: World,
    pub cases: Vec<&'a Case>,
    pub launches: Vec<Launch>,
    pub known: BTreeMap<String, Known>,
    /// How many at once.
    pub jobs: usize,
    /// Attacks and other cases without an SDK, too.
    pub with_server: bool,
    /// How often a failure is played again.
    pub retries: u32,
    pub quiet: bool,
}

enum Job<'a> {
    Case {
        case: &'a Case,
        launch: &'a Launch,
    },
    /// One case for all ordered pairs.
    Pairs(&'a Case),
    /// One after the other, on one server.
    Attacks(Vec<&'a Case>),
}

/// Plays everything.
pub fn run(plan: &Plan<'_>) -> Vec<Result> {
    let jobs = Mutex::new(jobs(plan));
    let total = count(&jobs.lock().unwrap_or_else(PoisonError::into_inner), plan);
    let progress = Progress::new(total, plan.quiet);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..plan.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(job) = job else { return };
                    let done = |result: Result| {
                        progress.tell(&result);
                        results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                    };
                    match job {
                        Job::Case { case, launch } => done(one(plan, case, launch)),
                        Job::Pairs(case) => pairs(plan, case, done),
                        Job::Attacks(cases) => attacks(plan, &cases, done),
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by(|a, b| (&a.case, &a.column).cmp(&(&b.case, &b.column)));
    results
}

fn jobs<'a>(plan: &'a Plan<'a>) -> VecDeque<Job<'a>> {
    let mut jobs = VecDeque::new();
    let mut attacks: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for &case in &plan.cases {
        match &case.body {
            Body::Attack { .. } => {
                let file = case.id.split('/').next().unwrap_or_default();
                attacks.entry(file).or_default().push(case);
            }
            // They take long: they come early.
            Body::Steps { pair: true, .. } => jobs.push_front(Job::Pairs(case)),
            Body::Steps { .. } => {
                let case = |launch| Job::Case { case, launch };
                jobs.extend(plan.launches.iter().map(case));
            }
        }
    }
    if plan.with_server {
        for cases in attacks.into_values() {
            // They take longest: they come first.
            jobs.push_front(Job::Attacks(cases));
        }
    }
    jobs
}

fn count(jobs: &VecDeque<Job<'_>>, plan: &Plan<'_>) -> usize {
    jobs.iter()
        .map(|job| match job {
            Job::Case { .. } => 1,
            Job::Pairs(_) => plan.launches.len().pow(2),
            Job::Attacks(cases) => cases.len(),
        })
        .sum()
}

/// One case through one SDK.
fn one(plan: &Plan<'_>, case: &Case, launch: &Launch) -> Result {
    let record = play(&plan.world, case, &[launch]);
    judged(plan, case, launch.name.clone(), &[launch], record)
}

/// One case for all ordered pairs. What failed is played again by itself, once the rest is over.
fn pairs(plan: &Plan<'_>, case: &Case, mut done: impl FnMut(Result)) {
    let launches: Vec<&Launch> = plan.launches.iter().collect();
    let mut failed = Vec::new();
    let mut tell = |a: usize, b: usize, record| {
        let pair = [launches[a], launches[b]];
        let column = format!("{}→{}", pair[0].name, pair[1].name);
        done(judged(plan, case, column, &pair, record));
    };
    round::play(&plan.world, case, &launches, |a, b, record| match record.outcome {
        Outcome::Fail(_) => failed.push((a, b, record)),
        _ => tell(a, b, record),
    });
    for (a, b, record) in failed {
        tell(a, b, record);
    }
}

/// A case as it went, again if it failed, with its verdict.
fn judged(
    plan: &Plan<'_>,
    case: &Case,
    column: String,
    launches: &[&Launch],
    mut record: Record,
) -> Result {
    let today = jiff::Zoned::now().date();
    let known = launches
        .iter()
        .find_map(|launch| plan.known.get(&launch.name)?.failure(&case.id, today));
    let mut first_fault = None;
    let mut tries = 0;
    while let Outcome::Fail(fault) = &record.outcome {
        // What is known to fail is not played again.
        if known.is_some() || tries >= plan.retries {
            break;
        }
        tries += 1;
        let fault = fault.clone();
        let again = play(&plan.world, case, launches);
        if again.outcome == Outcome::Pass {
            first_fault = Some(fault);
            break;
        }
        record = again;
    }
    let (verdict, reason) = match (&record.outcome, first_fault, known) {
        (Outcome::Pass, None, Some(known)) => {
            (Verdict::Stale, format!("passes, though known to fail: {}", known.reason))
        }
        (Outcome::Pass, None, None) => (Verdict::Pass, String::new()),
        (_, Some(fault), _) => (Verdict::Flaky, format!("passed when played again: {fault}")),
        (Outcome::Fail(fault), None, Some(known)) => {
            (Verdict::Known, format!("{} ({fault})", known.reason))
        }
        (Outcome::Fail(fault), None, None) => (Verdict::Fail, fault.clone()),
        (Outcome::Unsupported(what), None, _) => (Verdict::Unsupported, what.clone()),
    };
    result(case, column, verdict, reason, record)
}

fn result(
    case: &Case,
    column: String,
    verdict: Verdict,
    reason: String,
    record: Record,
) -> Result {
    Result {
        case: case.id.clone(),
        column,
        verdict,
        reason,
        took_ms: record.took.as_millis() as u64,
        steps: record.steps,
        trace: record.trace,
        stderr: record.stderr,
        server_log: record.server_log,
        reached: record.reached,
    }
}

fn attacks(plan: &Plan<'_>, cases: &[&Case], mut done: impl FnMut(Result)) {
    let mut siege: Option<(Server, Siege)> = None;
    for case in cases {
        let begun = Instant::now();
        let Body::Attack { send, answer } = &case.body else { continue };
        let mut outcome = Ok(());
        if siege.is_none() {
            match begin(plan, case) {
                Ok(begun) => siege = Some(begun),
                Err(fault) => outcome = Err(fault),
            }
        }
        let mut log = String::new();
        if let Some((server, siege)) = &mut siege {
            outcome = siege.attack(server, send, answer);
            if outcome.is_err() {
                log = server.log();
            }
        }
        if outcome.is_err() {
            // The next one gets a server that nothing has happened to.
            siege = None;
        }
        let today = jiff::Zoned::now().date();
        let known = plan.known.get(SERVER).and_then(|known| known.failure(&case.id, today));
        let (verdict, reason) = match (outcome, known) {
            (Ok(()), None) => (Verdict::Pass, String::new()),
            (Ok(()), Some(known)) => {
                (Verdict::Stale, format!("passes, though known to fail: {}", known.reason))
            }
            (Err(fault), Some(known)) => {
                (Verdict::Known, format!("{} ({fault})", known.reason))
            }
            (Err(fault), None) => (Verdict::Fail, fault),
        };
        done(Result {
            case: case.id.clone(),
            column: SERVER.to_owned(),
            verdict,
            reason,
            took_ms: begun.elapsed().as_millis() as u64,
            steps: Vec::new(),
            trace: Vec::new(),
            stderr: String::new(),
            server_log: log,
            reached: Reached::default(),
        });
    }
}

fn begin(plan: &Plan<'_>, case: &Case) -> std::result::Result<(Server, Siege), String> {
    let server = Server::start(&plan.world.binary, &plan.world.place, &case.server)?;
    let siege = Siege::begin(&server)?;
    Ok((server, siege))
}

/// What is seen while it runs: a line that is rewritten on a terminal, and a line for everything
/// that did not pass.
struct Progress {
    total: usize,
    state: Mutex<(usize, usize)>,
    begun: Instant,
    terminal: bool,
    quiet: bool,
}

impl Progress {
    fn new(total: usize, quiet: bool) -> Self {
        use std::io::IsTerminal as _;
        let terminal = std::io::stderr().is_terminal();
        Self { total, state: Mutex::new((0, 0)), begun: Instant::now(), terminal, quiet }
    }

    fn tell(&self, result: &Result) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        state.1 += usize::from(result.verdict.fails_the_run());
        if self.quiet {
            return;
        }
        let mut out = std::io::stderr().lock();
        if !matches!(result.verdict, Verdict::Pass | Verdict::Unsupported) {
            let clear = if self.terminal { "\r\x1b[K" } else { "" };
            let reason: String = result.reason.chars().take(600).collect();
            let _ = writeln!(
                out,
                "{clear}{:<11} {} ({}): {reason}",
                result.verdict.word(),
                result.case,
                result.column
            );
        }
        let every = if self.terminal { 1 } else { 50 };
        if state.0.is_multiple_of(every) || state.0 == self.total {
            let line = format!(
                "{}/{} played, {} failed, {:.0} s",
                state.0,
                self.total,
                state.1,
                self.begun.elapsed().as_secs_f64()
            );
            let _ = match (self.terminal, state.0 == self.total) {
                (true, false) => write!(out, "\r\x1b[K{line}"),
                (true, true) => writeln!(out, "\r\x1b[K{line}"),
                (false, _) => writeln!(out, "{line}"),
            };
            let _ = out.flush();
        }
    }
}

//! `tidewire-sim`: many seeds on all cores, or one seed with its trace.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tidewire_sim::{Kind, Options, Report, add_counts, run};

const USAGE: &str = "\
usage: tidewire-sim [--seeds A..B | --seconds N [--base SEED] | --seed N] [options]

  --sessions       of sessions and groups, not of storage
  --at-rest        of storage, with logs that are encrypted whatever the seed
  --seeds A..B     run the seeds from A on, before B
  --seconds N      run seeds for N seconds, from a fresh base that is printed
  --base SEED      where --seconds begins
  --seed N         run one seed and print its trace
  --bug NAME       with a deliberate bug; --bug help lists them
  --jobs N         threads; one for each core by default
";

/// Seeds that a thread takes at once.
const CHUNK: u64 = 16;
/// Failing seeds after which the rest is not tried.
const MAX_FAILURES: usize = 10;

struct Wanted {
    from: u64,
    to: u64,
    seconds: Option<u64>,
    one: bool,
    jobs: usize,
    options: Options,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments) {
        Ok(Some(wanted)) if wanted.one => show(&wanted),
        Ok(Some(wanted)) => run_many(&wanted),
        Ok(None) => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{USAGE}\nerror: {error}");
            ExitCode::from(2)
        }
    }
}

fn parse(arguments: &[String]) -> Result<Option<Wanted>, String> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options { no_hash: true, ..Options::default() };
    let mut wanted = Wanted { from: 0, to: 1_000, seconds: None, one: false, jobs, options };
    let (mut base, mut bug) = (None, None);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if ["-h", "--help", "help"].contains(&word.as_str()) {
            return Ok(None);
        }
        if word == "--sessions" {
            wanted.options.kind = Kind::Sessions;
            continue;
        }
        if word == "--at-rest" {
            wanted.options.at_rest = true;
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word} wants a value"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{word} wants a whole number, not {value}"))
        };
        match word.as_str() {
            "--seeds" => {
                let range = value.split_once("..").and_then(|(from, to)| {
                    Some((from.parse::<u64>().ok()?, to.parse::<u64>().ok()?))
                });
                (wanted.from, wanted.to) = range
                    .filter(|(from, to)| from < to)
                    .ok_or_else(|| format!("--seeds wants A..B with A below B, not {value}"))?;
            }
            "--seconds" => wanted.seconds = Some(number()?),
            "--base" => base = Some(number()?),
            "--seed" => {
                (wanted.from, wanted.to, wanted.one) =
                    (number()?, number()?.saturating_add(1), true);
            }
            "--jobs" => wanted.jobs = number()?.clamp(1, 1_024) as usize,
            "--bug" => bug = Some(value.clone()),
            _ => return Err(format!("unknown option: {word}")),
        }
    }
    if let Some(name) = bug {
        let bugs = wanted.options.kind.bugs();
        let names: Vec<&str> = bugs.iter().map(|(name, _)| *name).collect();
        let known = bugs.iter().find(|(known, _)| *known == name);
        let (_, bug) = known.ok_or_else(|| format!("the bugs are: {}", names.join(", ")))?;
        wanted.options.bug = Some(*bug);
    }
    if wanted.seconds.is_some() {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH);
        let fresh = clock.map_or(0, |since| since.as_secs() * 1_000_000);
        (wanted.from, wanted.to) = (base.unwrap_or(fresh), u64::MAX);
    }
    Ok(Some(wanted))
}

/// One seed, with its trace.
fn show(wanted: &Wanted) -> ExitCode {
    let report = run(wanted.from, &Options { keep_lines: true, ..wanted.options });
    for line in &report.lines {
        println!("{line}");
    }
    println!("hash {:016x}", report.hash);
    match report.failure {
        Some(failure) => {
            println!("seed {} FAILS: {failure}", wanted.from);
            ExitCode::FAILURE
        }
        None => {
            println!("seed {} is clean", wanted.from);
            ExitCode::SUCCESS
        }
    }
}

/// What the threads share.
struct Progress {
    next: AtomicU64,
    done: AtomicU64,
    stop: AtomicBool,
    counts: Mutex<Vec<(&'static str, u64)>>,
    failures: Mutex<Vec<(u64, String)>>,
}

fn run_many(wanted: &Wanted) -> ExitCode {
    let begun = Instant::now();
    let progress = Progress {
        next: AtomicU64::new(wanted.from),
        done: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        counts: Mutex::default(),
        failures: Mutex::default(),
    };
    println!("sim: seeds from {} on, {} threads", wanted.from, wanted.jobs);
    // A panic is a finding like another; its text is printed with the seed.
    std::panic::set_hook(Box::new(|_| {}));
    std::thread::scope(|scope| {
        for _ in 0..wanted.jobs {
            scope.spawn(|| work(wanted, &progress, begun));
        }
        let mut said = Instant::now();
        while !is_over(wanted, &progress, begun) {
            std::thread::sleep(Duration::from_millis(50));
            if said.elapsed() > Duration::from_secs(5) {
                said = Instant::now();
                let done = progress.done.load(Ordering::Relaxed);
                let rate = done as f64 / begun.elapsed().as_secs_f64();
                println!("sim: {done} seeds, {rate:.0} a second");
            }
        }
    });
    let _ = std::panic::take_hook();
    conclude(wanted, progress, begun)
}

fn is_over(wanted: &Wanted, progress: &Progress, begun: Instant) -> bool {
    let late = wanted.seconds.is_some_and(|seconds| begun.elapsed().as_secs() >= seconds);
    late || progress.stop.load(Ordering::Relaxed)
        || progress.next.load(Ordering::Relaxed) >= wanted.to
}

fn work(wanted: &Wanted, progress: &Progress, begun: Instant) {
    let mut sum = Vec::new();
    while !is_over(wanted, progress, begun) {
        let from = progress.next.fetch_add(CHUNK, Ordering::Relaxed);
        for seed in from..from.saturating_add(CHUNK).min(wanted.to) {
            let failure = match std::panic::catch_unwind(|| run(seed, &wanted.options)) {
                Ok(Report { counts, failure, .. }) => {
                    add_counts(&mut sum, &counts);
                    failure
                }
                Err(panic) => Some(format!("panic: {}", text_of(&*panic))),
            };
            progress.done.fetch_add(1, Ordering::Relaxed);
            if let (Some(failure), Ok(mut failures)) = (failure, progress.failures.lock()) {
                failures.push((seed, failure));
                if failures.len() >= MAX_FAILURES {
                    progress.stop.store(true, Ordering::Relaxed);
                }
            }
        }
    }
    if let Ok(mut counts) = progress.counts.lock() {
        add_counts(&mut counts, &sum);
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

fn conclude(wanted: &Wanted, progress: Progress, begun: Instant) -> ExitCode {
    let done = progress.done.into_inner();
    let counts = progress.counts.into_inner().unwrap_or_default();
    let mut failures = progress.failures.into_inner().unwrap_or_default();
    failures.sort();
    let counts: Vec<String> =
        counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    println!("sim: {}", counts.join(", "));
    for (seed, failure) in &failures {
        println!("sim: seed {seed} FAILS: {failure}");
        let kind = wanted.options.kind;
        let bug = kind.bugs().iter().find(|(_, bug)| Some(*bug) == wanted.options.bug);
        let bug = bug.map_or_else(String::new, |(name, _)| format!(" --bug {name}"));
        let sessions = if kind == Kind::Sessions { " --sessions" } else { "" };
        let at_rest = if wanted.options.at_rest { " --at-rest" } else { "" };
        println!("     replay: cargo xtask sim{sessions}{at_rest} --seed {seed}{bug}");
    }
    let took = begun.elapsed().as_secs_f64();
    let clean = done - failures.len() as u64;
    println!("sim: {clean} of {done} seeds ran clean from {} on, in {took:.1} s", wanted.from);
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

//! Whether a client of Tidewire does what it should: the conformance suite's command.
//!
//! `cases/` says what must hold, adapters do it, this program plays the one through the other and
//! judges. `README.md` beside `cases/` is for people who write an adapter.
//!
//! The one invariant: what is not tried is not reported as if it had been.

mod adapter;
mod attack;
mod case;
mod coverage;
mod disk;
mod fake;
mod frames;
mod known;
mod login;
mod play;
mod proxy;
mod raw;
mod report;
mod run;
mod server;
mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};

use adapter::{Adapter, Launch};
use case::{Body, Case, Level, fits};
use known::Known;
use play::World;
use report::Report;
use run::{Plan, Verdict};

/// The list of what no case shows.
const SUITE: &str = "suite";

/// Plays the conformance cases through client libraries.
#[derive(Debug, Parser)]
#[command(name = "tidewire-conformance", version)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Plays cases through the adapters of the repository.
    Run(Run),
    /// Lists cases.
    List {
        /// Only those that fit, `*` and `**` allowed; several separated by commas.
        #[arg(long, default_value = "**")]
        case: String,
    },
    /// Shows a case as it is written, and why it is there.
    Describe {
        /// Its name.
        case: String,
    },
    /// Tries a client of your own.
    Certify(Certify),
}

#[derive(Clone, Debug, clap::Args)]
struct Common {
    /// Only cases that fit, `*` and `**` allowed; several separated by commas.
    #[arg(long, default_value = "**")]
    case: String,
    /// Write report.json, junit.xml and index.html here.
    #[arg(long)]
    report: Option<PathBuf>,
    /// The tidewire binary; otherwise the one beside this program.
    #[arg(long)]
    server: Option<PathBuf>,
    /// How many cases at once; otherwise two for each core.
    #[arg(long)]
    jobs: Option<usize>,
    /// How long an answer may take, in milliseconds.
    #[arg(long, default_value_t = 30_000)]
    patience_ms: u64,
    /// What chance is made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often a failed case is played again, to tell a flaky one.
    #[arg(long, default_value_t = 2)]
    retries: u32,
    /// Cases from this directory instead of those in the program.
    #[arg(long)]
    cases: Option<PathBuf>,
    /// Where the servers' data is kept meanwhile.
    #[arg(long)]
    data: Option<PathBuf>,
    /// No progress.
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Debug, clap::Args)]
struct Run {
    /// Only these SDKs, separated by commas; `server` is the cases that need none.
    #[arg(long)]
    sdk: Option<String>,
    /// Say what would be played, and play nothing.
    #[arg(long)]
    dry_run: bool,
    /// Where the adapters are.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/adapters"))]
    adapters: PathBuf,
    /// Where the lists of known failures are.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/known"))]
    known: PathBuf,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Debug, clap::Args)]
struct Certify {
    /// The adapter, and what else its command has.
    #[arg(long, num_args = 1.., required = true, allow_hyphen_values = false)]
    adapter: Vec<String>,
    /// How much it must have.
    #[arg(long, value_enum, default_value_t = Level::Core)]
    level: Level,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Task::Run(run) => run_repository(&run),
        Task::List { case } => list(&case),
        Task::Describe { case } => describe(&case),
        Task::Certify(certify) => run_certify(&certify),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn chosen<'a>(cases: &'a [Case], patterns: &str) -> Result<Vec<&'a Case>, String> {
    let chosen: Vec<&Case> = cases
        .iter()
        .filter(|case| patterns.split(',').any(|pattern| fits(pattern.trim(), &case.id)))
        .collect();
    if chosen.is_empty() {
        return Err(format!("no case fits {patterns:?}; `list` shows them"));
    }
    Ok(chosen)
}

fn list(patterns: &str) -> Result<bool, String> {
    let cases = case::load(None)?;
    for case in chosen(&cases, patterns)? {
        println!("{:<40} {:<14} {}", case.id, case.rules.join(" "), case.why);
    }
    Ok(true)
}

fn describe(name: &str) -> Result<bool, String> {
    let cases = case::load(None)?;
    let Some(case) = cases.iter().find(|case| case.id == name) else {
        return Err(no_such_case(name, &cases));
    };
    println!("{}\n\n{}\n", case.id, case.why);
    if !case.rules.is_empty() {
        println!("rules of protocol/SPEC.md: {}", case.rules.join(", "));
    }
    if !case.needs.is_empty() {
        println!("needs: {}", case.needs.join(", "));
    }
    println!("level: {:?}", case.level);
    let source =
        serde_json::to_string_pretty(&case.source).map_err(|error| error.to_string())?;
    println!("\n{source}");
    Ok(true)
}

/// Says what was perhaps meant: names that contain a part of it, or that are spelt nearly so.
fn no_such_case(name: &str, cases: &[Case]) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    let near = |id: &&str| {
        let own = id.rsplit('/').next().unwrap_or(id);
        id.contains(name) || own.contains(last) || strsim::damerau_levenshtein(own, last) <= 3
    };
    let close: Vec<&str> =
        cases.iter().map(|case| case.id.as_str()).filter(near).take(8).collect();
    match close[..] {
        [] => format!("there is no case {name}; `list` shows all {}", cases.len()),
        _ => format!("there is no case {name}; perhaps {}", in_words(&close, "or")),
    }
}

/// `a, b and c`.
fn in_words(names: &[&str], and: &str) -> String {
    match names {
        [] => "none".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} {and} {last}", first.join(", ")),
    }
}

/// The directory of this program: cargo puts the others there, too.
fn bin() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(own.parent().unwrap_or(Path::new(".")).to_owned())
}

fn world(common: &Common) -> Result<World, String> {
    let binary = match &common.server {
        Some(binary) => binary.clone(),
        None => bin()?.join("tidewire"),
    };
    if !binary.is_file() {
        return Err(format!(
            "there is no server at {}: build it with `cargo build -p tidewire-cli` (or everything \
             with `cargo xtask sdk`), or name one with --server",
            binary.display()
        ));
    }
    Ok(World {
        binary,
        place: common.data.clone().unwrap_or_else(server::default_place),
        patience: Duration::from_millis(common.patience_ms),
        seed: common.seed,
    })
}

fn jobs(common: &Common) -> usize {
    // A case mostly waits: for processes to start, and for disks.
    common.jobs.unwrap_or_else(|| {
        std::thread::available_parallelism().map_or(2, |cores| cores.get() * 2)
    })
}

fn run_repository(run: &Run) -> Result<bool, String> {
    let cases = case::load(run.common.cases.as_deref())?;
    let chosen = chosen(&cases, &run.common.case)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let all = adapter::find(&run.adapters, &bin()?, root)?;
    let wanted: Option<Vec<&str>> = run.sdk.as_ref().map(|list| list.split(',').collect());
    for name in wanted.iter().flatten() {
        if *name != run::SERVER && !all.iter().any(|launch| launch.name == *name) {
            let mut names: Vec<&str> = all.iter().map(|launch| launch.name.as_str()).collect();
            names.push(run::SERVER);
            return Err(format!(
                "there is no SDK {name}; there are {}",
                in_words(&names, "and")
            ));
        }
    }
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|names| names.contains(&name));
    let (launches, left_out): (Vec<Launch>, Vec<Launch>) = all
        .into_iter()
        .filter(|each| is_wanted(&each.name))
        .partition(|each| each.lacks.is_none());
    for Launch { name, lacks, .. } in &left_out {
        let program = lacks.as_deref().unwrap_or_default();
        println!("SKIPPED: the adapter {name} needs {program}, which this machine has not");
    }
    if run.dry_run {
        let names: Vec<&str> = launches.iter().map(|launch| launch.name.as_str()).collect();
        println!("{} cases through {}:", chosen.len(), in_words(&names, "and"));
        chosen.iter().for_each(|case| println!("  {}", case.id));
        return Ok(true);
    }
    let mut known = BTreeMap::new();
    for name in [run::SERVER, SUITE] {
        known.insert(name.to_owned(), Known::read(&run.known, name)?);
    }
    for launch in &launches {
        known.insert(launch.name.clone(), Known::read(&run.known, &launch.name)?);
    }
    let plan = Plan {
        world: world(&run.common)?,
        cases: chosen,
        known,
        jobs: jobs(&run.common),
        with_server: wanted.is_none() || is_wanted(run::SERVER),
        retries: run.common.retries,
        quiet: run.common.quiet,
        launches,
    };
    // What a part of the cases does not reach says nothing.
    let whole = run.common.case == "**" && run.common.cases.is_none();
    Ok(play_and_report(&plan, &cases, &run.common, whole)?.good)
}

/// Starts each adapter once, so that a missing one is one clear error and not two hundred.
fn greet(plan: &Plan<'_>) -> Result<BTreeMap<String, String>, String> {
    let mut sdks = BTreeMap::new();
    for launch in &plan.launches {
        let mut adapter = Adapter::start(launch, plan.world.patience)
            .map_err(|error| format!("{error}; `cargo xtask sdk` builds the adapters"))?;
        let version = adapter.hello["sdk_version"].as_str().unwrap_or("?").to_owned();
        sdks.insert(launch.name.clone(), version);
        adapter.stop();
    }
    Ok(sdks)
}

/// What became of a run.
struct Outcome {
    results: Vec<run::Result>,
    good: bool,
}

/// Plays, prints and writes; with `whole` completeness counts, too.
fn play_and_report(
    plan: &Plan<'_>,
    cases: &[Case],
    common: &Common,
    whole: bool,
) -> Result<Outcome, String> {
    let sdks = greet(plan)?;
    let begun = Instant::now();
    let results = run::run(plan);
    let empty = Known::default();
    let suite = plan.known.get(SUITE).unwrap_or(&empty);
    let missing = coverage::missing(cases, suite);
    let mut parity = Vec::new();
    if whole {
        for launch in &plan.launches {
            let known = plan.known.get(&launch.name).unwrap_or(&empty);
            parity.push(coverage::parity(&launch.name, &results, known));
        }
    }
    let report = Report {
        format: 1,
        suite_version: env!("CARGO_PKG_VERSION"),
        server: server_version(&plan.world.binary),
        made: jiff::Timestamp::now().to_string(),
        seed: plan.world.seed,
        took_ms: begun.elapsed().as_millis() as u64,
        sdks,
        totals: report::totals(&results),
        missing: &missing,
        parity: &parity,
        results: &results,
        cases,
    };
    report.print();
    let mut good = !results.iter().any(|result| result.verdict.fails_the_run());
    if whole {
        good &= print_completeness(&missing, &parity);
    }
    if let Some(directory) = &common.report {
        report.write(directory)?;
        println!("the report is in {}", directory.join("index.html").display());
    }
    Ok(Outcome { results, good })
}

/// Says what no case or no SDK reaches; false if that fails the run.
fn print_completeness(missing: &coverage::Missing, parity: &[coverage::Parity]) -> bool {
    for (what, list) in [("rules", &missing.rules), ("errors", &missing.errors)] {
        if !list.is_empty() {
            println!("{what} without a case: {}", list.join(" "));
        }
    }
    let mut good = true;
    for coverage::Parity { sdk, reached, of, unknown, stale, .. } in parity {
        println!("{sdk}: {reached} of {of} kinds, options and errors reached");
        if !unknown.is_empty() {
            good = false;
            println!("  not reached, and no gap of known/{sdk}.toml: {}", unknown.join(" "));
        }
        if !stale.is_empty() {
            good = false;
            println!("  reached, but a gap of known/{sdk}.toml: {}", stale.join(" "));
        }
    }
    good
}

fn server_version(binary: &Path) -> String {
    std::process::Command::new(binary)
        .arg("--version")
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

fn run_certify(certify: &Certify) -> Result<bool, String> {
    let cases = case::load(certify.common.cases.as_deref())?;
    let chosen: Vec<&Case> = chosen(&cases, &certify.common.case)?
        .into_iter()
        .filter(|case| case.level <= certify.level && matches!(case.body, Body::Steps { .. }))
        .collect();
    let launch =
        Launch { name: "candidate".into(), command: certify.adapter.clone(), lacks: None };
    let plan = Plan {
        world: world(&certify.common)?,
        cases: chosen,
        launches: vec![launch],
        known: BTreeMap::new(),
        jobs: jobs(&certify.common),
        with_server: false,
        retries: certify.common.retries,
        quiet: certify.common.quiet,
    };
    let Outcome { results, good } = play_and_report(&plan, &cases, &certify.common, false)?;
    let lacks: Vec<&run::Result> =
        results.iter().filter(|result| result.verdict == Verdict::Unsupported).collect();
    for result in &lacks {
        println!("lacks {}: {}", result.case, result.reason);
    }
    let level = format!("{:?}", certify.level).to_lowercase();
    // A client that leaves out what its level asks for is not certified by leaving it out.
    let good = good && lacks.is_empty();
    if good {
        println!("certified: level {level}, suite {}", env!("CARGO_PKG_VERSION"));
    } else {
        println!("not certified for level {level}");
    }
    Ok(good)
}

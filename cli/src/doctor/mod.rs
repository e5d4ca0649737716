//! `tidewire doctor`.
//!
//! Owns the progress bar, the question before records are given up, and the exit codes; what is
//! wrong and what can be repaired is told by the storage crate's `doctor`. The one invariant: 0
//! means that nothing is wrong any more, 1 that something is, 2 that it could not be looked at.

mod report;

use std::io::{self, BufRead, IsTerminal};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tidewire_storage::doctor::{self, Progress, Report};
use tidewire_storage::log::Loss;
use tidewire_storage::{DataDir, ErrorKind};

use crate::args::upkeep::{AcceptLoss, DoctorArgs};
use crate::at_rest;
use crate::failure::Failure;
use crate::output;

/// Examines a data directory, and repairs it if that is wanted.
pub fn run(args: DoctorArgs) -> Result<(), Failure> {
    let keys = at_rest::keys(args.at_rest_key_file.as_deref());
    let keys = keys.map_err(Failure::before_it_began)?;
    let data_dir = open(&args.dir)?.with_keys(keys).map_err(cannot_look)?;
    let bar = progress_bar();
    let examined = doctor::examine(&data_dir, |progress| show(&bar, progress));
    bar.finish_and_clear();
    let mut report = examined.map_err(cannot_look)?;
    let mut done = Vec::new();
    if args.repair {
        let loss = match args.accept_loss {
            None => Loss::Refuse,
            Some(AcceptLoss::Fill) => Loss::Fill,
            Some(AcceptLoss::Cut) => Loss::Cut,
        };
        announce(&report, loss, &args)?;
        let stamp = stamp();
        let repaired = doctor::repair(
            &data_dir,
            loss,
            &stamp,
            |progress| show(&bar, progress),
            |place, mended| done.push(report::done(place, mended, &args.dir)),
        );
        bar.finish_and_clear();
        report = repaired.map_err(|error| Failure::new(error.to_string()))?.0;
    }
    if args.json {
        output::json(&report::json(&report, &done, &args.dir))?;
    } else {
        output::write(report::text(&report, &done, &args.dir, args.repair).as_bytes())?;
    }
    if report.is_clean() {
        return Ok(());
    }
    Err(Failure::new(report::verdict(&report)))
}

fn open(dir: &Path) -> Result<DataDir, Failure> {
    DataDir::open_existing(dir).map_err(|error| {
        let failure = Failure::cannot_run(error.to_string());
        match error.kind() {
            ErrorKind::Locked => failure.hint("stop the server first, or examine a backup"),
            _ => failure,
        }
    })
}

fn cannot_look(error: tidewire_storage::Error) -> Failure {
    Failure::cannot_run(error.to_string())
}

/// Says which records will be given up, and asks.
fn announce(report: &Report, loss: Loss, args: &DoctorArgs) -> Result<(), Failure> {
    let losses = doctor::losses(report, loss);
    if losses.is_empty() {
        return Ok(());
    }
    output::note("these records will be lost for good:");
    for (place, ranges) in &losses {
        for range in ranges {
            output::note(&format!("  {place}  {}", report::offsets(range)));
        }
    }
    if args.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::cannot_run("records would be lost, and nobody can be asked")
            .hint("add --yes to lose them"));
    }
    output::note("type 'lose them' to go on:");
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::io("reading the answer", &error))?;
    if answer.trim() == "lose them" {
        return Ok(());
    }
    Err(Failure::cannot_run("nothing was changed"))
}

fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    // Hidden where stderr is no terminal.
    ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()).with_style(style)
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.total_bytes);
    bar.set_position(progress.done_bytes);
}

/// The time, as part of file names.
fn stamp() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_us = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
    output::number::date(now_us).replace(' ', "T").replace(':', "")
}

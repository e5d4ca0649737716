//! Kills a real server with `kill -9` at random moments, over and over, while producers with
//! different acks and readers work, and has the checker judge what each next life finds. Between
//! lives it sometimes damages the ends of files as a loss of power would, or flips a bit in what
//! was acknowledged as a failing disk would; and it takes backups under load. One data directory in
//! four is encrypted, or all of them, with keys that are added as it goes on.
//!
//! ```text
//! tidewire-torture [--rounds N] [--seed S] [--at-rest] [--server PATH]
//! ```
//!
//! What is left to chance comes from the seed, which is printed. The processes' own timing does
//! not, so the same seed makes the same plan, not the same run.

mod damage;
mod history;
mod keys;
mod life;
mod rng;
mod round;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use round::{Extras, World};
use server::Binary;

/// Rounds on one data directory; then its log is long enough.
const ROUNDS_OF_A_WORLD: u64 = 8;
/// One data directory in so many is encrypted.
const AT_REST_ONE_IN: u64 = 4;

struct Arguments {
    rounds: u64,
    seed: u64,
    /// Every data directory is encrypted.
    at_rest: bool,
    server: PathBuf,
}

fn main() -> ExitCode {
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!(
                "{error}\nusage: tidewire-torture [--rounds N] [--seed S] [--at-rest] \
                 [--server PATH]"
            );
            return ExitCode::from(2);
        }
    };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let ran = match builder.worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime.block_on(torture(&arguments)),
        Err(error) => Err(error.to_string()),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn torture(arguments: &Arguments) -> Result<(), String> {
    let Arguments { rounds, seed, at_rest, server } = arguments;
    println!("torture: {rounds} rounds, --seed {seed}, {}", server.display());
    let start = Instant::now();
    let binary = Binary(server.clone());
    let mut extras = Extras::default();
    let mut total = history::Counts::default();
    let mut done = 0;
    while done < *rounds {
        // The second of four: so is one of the few of a short run.
        let at_rest = *at_rest || done / ROUNDS_OF_A_WORLD % AT_REST_ONE_IN == 1;
        let mut world = World::new(&binary, at_rest).await?;
        let mut counts = history::Counts::default();
        let mut failed = None;
        for _ in 0..ROUNDS_OF_A_WORLD.min(rounds - done) {
            let round_seed = seed.wrapping_add(done);
            match world.round(round_seed, &mut extras).await {
                Ok(now) => counts = now,
                Err(error) => {
                    let option = if at_rest { " --at-rest" } else { "" };
                    failed =
                        Some(format!("round {done}, --seed {round_seed}{option}: {error}"));
                    break;
                }
            }
            done += 1;
        }
        if failed.is_none() {
            match world.finish(&mut extras).await {
                Ok(now) => counts = now,
                Err(error) => failed = Some(format!("after round {done}: {error}")),
            }
        }
        if let Some(failed) = failed {
            return Err(format!("{failed}\nthe files are kept in {}", world.keep().display()));
        }
        total.sent += counts.sent;
        total.acknowledged += counts.acknowledged;
        total.read += counts.read;
        total.audited += counts.audited;
        if done.is_multiple_of(ROUNDS_OF_A_WORLD * 5) {
            println!("{done} rounds, {:.0} s", start.elapsed().as_secs_f64());
        }
    }
    let Extras { cuts, flips, backups, doctors, keys, sealed } = extras;
    println!(
        "no promise was broken in {rounds} rounds: {} records sent, {} acknowledged, {} shown \
         to readers, {} found by audits; {cuts} ends damaged, {flips} flips of acknowledged bytes \
         noticed, {backups} backups under load checked, {doctors} more doctors asked, {sealed} \
         segments encrypted with {keys} keys; {:.0} s",
        total.sent,
        total.acknowledged,
        total.read,
        total.audited,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn parse() -> Result<Arguments, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut arguments = Arguments {
        rounds: 30,
        seed: now.as_micros() as u64 % 1_000_000_000,
        at_rest: false,
        server: own.with_file_name("tidewire"),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--at-rest" {
            arguments.at_rest = true;
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word} wants a value"))?;
        let number =
            || value.parse().map_err(|_| format!("{word} wants a number, not {value}"));
        match word.as_str() {
            "--rounds" => arguments.rounds = number()?,
            "--seed" => arguments.seed = number()?,
            "--server" => arguments.server = PathBuf::from(value),
            _ => return Err(format!("unknown option {word}")),
        }
    }
    if !arguments.server.exists() {
        return Err(format!("there is no server at {}", arguments.server.display()));
    }
    Ok(arguments)
}

//! A fuzzer for stable Rust: no coverage, but the corpus and simple mutations of it, for a bounded
//! time, as many targets at once as there are cores, and from a seed that is printed.
//!
//! `cargo run -p tidewire-fuzz --bin smoke -- SECONDS_PER_TARGET [TARGET …]`

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tidewire_fuzz::{MAX_LEN, TARGETS, Target, find};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(seconds) = arguments.next().and_then(|text| text.parse::<f64>().ok()) else {
        eprintln!("usage: smoke SECONDS_PER_TARGET [TARGET …]");
        return ExitCode::from(2);
    };
    let names: Vec<String> = arguments.collect();
    let targets: Vec<Target> = if names.is_empty() {
        TARGETS.to_vec()
    } else {
        names.iter().filter_map(|name| find(name)).collect()
    };
    if targets.is_empty() {
        eprintln!("no such target: {}", names.join(" "));
        return ExitCode::from(2);
    }
    let seed = std::env::var("TIDEWIRE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64)
    });
    println!("TIDEWIRE_SEED={seed}");
    let time = Duration::from_secs_f64(seconds);
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    // A panic in a target ends its thread, and with it the scope: see `run`.
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(&target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let corpus = corpus(target.name);
                    let runs = smoke(target, &corpus, seed, time);
                    println!("{:16} {runs:9} runs from {} inputs", target.name, corpus.len());
                }
            });
        }
    });
    ExitCode::SUCCESS
}

/// The committed inputs of a target.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let dir: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    // The same seed gives the same run, whatever the directory's order.
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

fn smoke(target: Target, corpus: &[Vec<u8>], seed: u64, time: Duration) -> u64 {
    for input in corpus {
        run(target, input);
    }
    let mut rng = Rng(seed | 1);
    let start = Instant::now();
    let mut runs = corpus.len() as u64;
    while start.elapsed() < time {
        for _ in 0..64 {
            let mut input = match corpus {
                [] => Vec::new(),
                some => some[rng.below(some.len())].clone(),
            };
            for _ in 0..=rng.below(6) {
                mutate(&mut input, corpus, &mut rng);
            }
            input.truncate(MAX_LEN);
            run(target, &input);
            runs += 1;
        }
    }
    runs
}

/// Runs a target once; the input is shown if it panics.
fn run(target: Target, input: &[u8]) {
    let result = std::panic::catch_unwind(|| (target.run)(input));
    if let Err(panic) = result {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("target {} fails on {hex}", target.name);
        std::panic::resume_unwind(panic);
    }
}

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], rng: &mut Rng) {
    let at = rng.below(input.len() + 1);
    match rng.below(7) {
        0 if at < input.len() => input[at] ^= 1 << rng.below(8),
        1 if at < input.len() => input[at] = rng.next() as u8,
        2 => input.insert(at, rng.next() as u8),
        3 if at < input.len() => {
            let end = (at + 1 + rng.below(16)).min(input.len());
            input.drain(at..end);
        }
        4 => {
            let len = rng.below(24);
            input.splice(at..at, (0..len).map(|_| rng.next() as u8).collect::<Vec<_>>());
        }
        5 if at + 4 <= input.len() => {
            const TELLING: [u32; 6] = [0, 1, 8, 0x7fff_ffff, u32::MAX, 1 << 24];
            input[at..at + 4].copy_from_slice(&TELLING[rng.below(6)].to_le_bytes());
        }
        6 if !corpus.is_empty() => {
            let other = &corpus[rng.below(corpus.len())];
            input.truncate(at);
            input.extend_from_slice(&other[rng.below(other.len() + 1)..]);
        }
        _ => input.push(rng.next() as u8),
    }
}

/// Xorshift: enough to choose mutations with.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

//! What the log costs beside the bare system calls, in one run, as ratios.
//!
//! ```text
//! cargo xtask bench-log            # or: cargo bench -p tidewire-storage --bench log -- [DIR [PART …]]
//! ```
//!
//! * **Synced appends.** A partition is one thread with one sync in flight on another, and both look
//!   for what comes next if they are asked one thing after the other, as in the server; each producer
//!   waits for its acknowledgement before it sends again. Producers are tasks of one more thread, as
//!   connections are tasks of a shard; the same with a thread for each is printed, too: there, most
//!   of the time is waking them. Beside it, the bare calls: `pwrite` and `fdatasync` of as many
//!   bytes, one after the other.
//! * **Ways to write.** What the bare calls cost on a file that grows, as segments do, on one that
//!   was allocated before, on one that was written before, and past the page cache.
//! * **Reads.** Chunks of 1 MiB by the log, and by bare `pread`: hot from the page cache, and cold
//!   after the kernel was asked to drop it.
//!
//! * **At rest.** Appends without a sync, and reads from the page cache, encrypted and not: what
//!   encryption takes of the processor.
//! * **Opening.** A small log and one sixteen times as large, after a close and after a kill.
//!
//! Files stay until the end: removing one would be paid by whoever syncs next.
//!
//! Rounds alternate, after one that does not count; printed are the median, and the range.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it measures the real disk"
)]

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::fs::{Advice, FallocateFlags, OFlags, fadvise, fallocate};
use tidewire_protocol::batch::{
    BatchBuilder, EncryptionKey, EncryptionKeys, RecordRef, Sequence,
};
use tidewire_storage::disk::{RealDisk, ServerDisk};
use tidewire_storage::log::{Log, LogOptions, Pace, SyncJob, SyncOutcome};

/// Rounds that count.
const ROUNDS: usize = 7;
/// Length of a round of appends.
const ROUND: Duration = Duration::from_millis(700);
/// How long one producer's next append is looked for before a thread sleeps, as by the server unless
/// it is told otherwise; and the end of its sync.
const LOOK: Duration = Duration::from_micros(200);
const LOOK_FOR_SYNC: Duration = Duration::from_millis(1);
/// Bytes of a record's value.
const VALUE_BYTES: usize = 900;
/// Bytes that are read in a round.
const READ_BYTES: u64 = 128 << 20;
const CHUNK_BYTES: usize = 1 << 20;

/// Measures something in a directory, and prints it.
type Part = fn(&Path);

fn main() {
    // `cargo test --all-targets` runs this, too; `cargo bench` says so.
    if !std::env::args().any(|word| word == "--bench") {
        return;
    }
    let mut dirs = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let place = dirs.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let own = tempfile::Builder::new()
        .prefix("tidewire-bench-")
        .tempdir_in(&place)
        .expect("a directory to write in");
    println!("on {}; {ROUNDS} rounds, alternating, median (least to most)\n", place.display());
    let chosen: Vec<String> = dirs.collect();
    let parts: [(&str, Part); 5] = [
        ("appends", appends),
        ("ways", ways),
        ("reads", reads),
        ("at-rest", at_rest),
        ("opening", opening),
    ];
    for (name, part) in parts {
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == name) {
            part(own.path());
        }
    }
}

fn batch() -> Bytes {
    let mut builder = BatchBuilder::new(1 << 20, 10);
    let value = vec![7; VALUE_BYTES];
    builder.push(&RecordRef { value: Some(&value), ..RecordRef::at(0) }).expect("small");
    builder.seal(Sequence::default())
}

/// What a round of appends came to.
struct Appended {
    per_second: f64,
    p50_us: f64,
    p99_us: f64,
    /// Acknowledgements for each sync, on average.
    group: f64,
}

fn appended(mut latencies: Vec<Duration>, took: Duration, syncs: usize) -> Appended {
    latencies.sort_unstable();
    let at = |part: f64| {
        let index = ((latencies.len() - 1) as f64 * part) as usize;
        latencies[index].as_secs_f64() * 1e6
    };
    Appended {
        per_second: latencies.len() as f64 / took.as_secs_f64(),
        p50_us: at(0.5),
        p99_us: at(0.99),
        group: latencies.len() as f64 / syncs.max(1) as f64,
    }
}

/// `pwrite` and `fdatasync`, one after the other.
fn bare_appends(dir: &Path, round: usize) -> Appended {
    let path = dir.join(format!("bare-{round}"));
    let file = OpenOptions::new().write(true).create_new(true).open(&path).expect("a new file");
    let bytes = batch();
    let mut latencies = Vec::new();
    let start = Instant::now();
    let mut at = 0;
    while start.elapsed() < ROUND {
        let before = Instant::now();
        file.write_all_at(&bytes, at).expect("room");
        file.sync_data().expect("a disk that syncs");
        latencies.push(before.elapsed());
        at += bytes.len() as u64;
    }
    let syncs = latencies.len();
    appended(latencies, start.elapsed(), syncs)
}

/// Who appends: `threads` threads with `tasks` producers each.
#[derive(Clone, Copy)]
struct Producers {
    threads: usize,
    tasks: usize,
}

const ONE: Producers = Producers { threads: 1, tasks: 1 };
const SIXTEEN: Producers = Producers { threads: 1, tasks: 16 };
const SIXTEEN_THREADS: Producers = Producers { threads: 16, tasks: 1 };

/// A partition with its own thread and a sync in flight on another, and producers that each wait
/// for their acknowledgement.
fn log_appends(dir: &Path, round: usize, producers: Producers, gathers: bool) -> Appended {
    let Producers { threads, tasks } = producers;
    let path = dir.join(format!("log-{round}-{threads}-{tasks}-{gathers}"));
    let (log, _) = Log::open(RealDisk, &path, LogOptions::default()).expect("a new log");
    let (jobs, jobs_inbox) = channel::<SyncJob<RealDisk>>();
    let (events, inbox) = channel();
    let outcomes = events.clone();
    let looks = threads == 1;
    let syncer = std::thread::spawn(move || {
        let look = if looks { LOOK } else { Duration::ZERO };
        while let Ok(job) = receive(&jobs_inbox, look, Duration::MAX) {
            if outcomes.send(Event::Synced(job.run())).is_err() {
                return;
            }
        }
    });
    let partition = std::thread::spawn(move || serve(log, &inbox, &jobs, gathers, looks));
    let start = Instant::now();
    let threads: Vec<_> = (0..threads)
        .map(|_| {
            let events = events.clone();
            std::thread::spawn(move || produce(&events, tasks, start))
        })
        .collect();
    drop(events);
    let latencies: Vec<Duration> =
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
    let took = start.elapsed();
    let groups = partition.join().expect("no panic");
    syncer.join().expect("no panic");
    appended(latencies, took, groups.len())
}

/// What comes within `patience`: looks for it at first, giving the core away in between.
fn receive<T>(
    inbox: &Receiver<T>,
    look: Duration,
    patience: Duration,
) -> Result<T, RecvTimeoutError> {
    let start = Instant::now();
    while start.elapsed() < look {
        if let Ok(next) = inbox.try_recv() {
            return Ok(next);
        }
        std::thread::yield_now();
    }
    if patience == Duration::MAX {
        return inbox.recv().map_err(|_| RecvTimeoutError::Disconnected);
    }
    inbox.recv_timeout(patience)
}

enum Event {
    Append(Bytes, Acknowledge),
    Synced(SyncOutcome),
}

/// Where the acknowledgement goes, and of which producer's append it is.
struct Acknowledge {
    to: Sender<usize>,
    producer: usize,
}

/// As many producers as `tasks`: each appends again when it has its acknowledgement.
fn produce(events: &Sender<Event>, tasks: usize, start: Instant) -> Vec<Duration> {
    let bytes = batch();
    let (to, acknowledged) = channel();
    let append = |producer| {
        let acknowledge = Acknowledge { to: to.clone(), producer };
        events.send(Event::Append(bytes.clone(), acknowledge)).expect("the partition serves");
        Instant::now()
    };
    let mut began: Vec<Instant> = (0..tasks).map(append).collect();
    let mut latencies = Vec::new();
    let mut waiting = tasks;
    while waiting > 0 {
        let producer = acknowledged.recv().expect("an acknowledgement");
        latencies.push(began[producer].elapsed());
        if start.elapsed() < ROUND {
            began[producer] = append(producer);
        } else {
            waiting -= 1;
        }
    }
    latencies
}

/// All that waits becomes one write; what arrives during a sync is the next group.
/// Returns how many each sync served.
fn serve(
    mut log: Log<RealDisk>,
    inbox: &Receiver<Event>,
    jobs: &Sender<SyncJob<RealDisk>>,
    gathers: bool,
    looks: bool,
) -> Vec<usize> {
    let mut groups = Vec::new();
    let mut waiting: Vec<(u64, Acknowledge)> = Vec::new();
    let mut group = Vec::new();
    let mut syncing = false;
    let mut pace = Pace::default();
    let mut sync_began = Instant::now();
    let mut gather_until: Option<Instant> = None;
    // The syncing thread holds a sender of its own, so the producers' end is told by what they do:
    // nothing arrives any more, and nothing waits.
    loop {
        let patience =
            gather_until.map_or(ROUND, |until| until.saturating_duration_since(Instant::now()));
        let look = match (gather_until, looks, syncing) {
            // No timer is as fine.
            (Some(_), ..) => patience,
            (None, false, _) => Duration::ZERO,
            (None, true, false) => LOOK,
            (None, true, true) => LOOK_FOR_SYNC,
        };
        let mut next = match receive(inbox, look, patience) {
            Ok(event) => Some(event),
            // The disk may take its time.
            Err(_) if gather_until.is_none() && !syncing => return groups,
            Err(_) if gather_until.is_none() => continue,
            Err(_) => {
                gather_until = None;
                pace.late(waiting.len());
                None
            }
        };
        let mut callers = Vec::new();
        while let Some(event) = next {
            match event {
                Event::Append(bytes, acknowledge) => {
                    group.push(bytes);
                    callers.push(acknowledge);
                }
                Event::Synced(outcome) => {
                    syncing = false;
                    let end = log.finish_sync(outcome).expect("a disk that syncs");
                    let covered = waiting.partition_point(|(offset, _)| *offset < end);
                    for (_, acknowledge) in waiting.drain(..covered) {
                        let _ = acknowledge.to.send(acknowledge.producer);
                    }
                    let took_us = sync_began.elapsed().as_micros() as u64;
                    let gather = if gathers {
                        pace.synced(covered, waiting.len() + group.len(), took_us)
                    } else {
                        None
                    };
                    gather_until = gather.map(|us| Instant::now() + Duration::from_micros(us));
                }
            }
            next = inbox.try_recv().ok();
        }
        if !group.is_empty() {
            let offsets = log.append(&group, 0).expect("room");
            waiting.extend(offsets.zip(callers));
            group.clear();
        }
        let wanted = !syncing && !waiting.is_empty();
        if wanted
            && pace.may_begin(waiting.len())
            && let Some(job) = log.begin_sync()
        {
            syncing = true;
            gather_until = None;
            sync_began = Instant::now();
            groups.push(waiting.len());
            jobs.send(job).expect("the thread waits for it");
        }
    }
}

fn appends(dir: &Path) {
    let mut bare = Vec::new();
    let mut one = Vec::new();
    let mut sixteen = Vec::new();
    // The same without waiting for those that the last sync served.
    let mut ungathered = Vec::new();
    // The same where a sync takes no time: what the hand-overs between threads leave at best.
    let memory = tempfile::Builder::new().prefix("tidewire-bench-").tempdir_in("/dev/shm");
    let memory = memory.expect("a file system in memory at /dev/shm");
    let mut threads = Vec::new();
    let mut handed_over = Vec::new();
    for round in 0..=ROUNDS {
        let results = (
            bare_appends(dir, round),
            log_appends(dir, round, ONE, true),
            log_appends(dir, round, SIXTEEN, true),
            log_appends(dir, round, SIXTEEN, false),
            log_appends(dir, round, SIXTEEN_THREADS, true),
            log_appends(memory.path(), round, SIXTEEN_THREADS, true),
        );
        if round > 0 {
            bare.push(results.0);
            one.push(results.1);
            sixteen.push(results.2);
            ungathered.push(results.3);
            threads.push(results.4);
            handed_over.push(results.5);
        }
    }
    println!("synced appends of {} bytes, a second, and their latency", batch().len());
    for (name, results) in [
        ("bare pwrite + fdatasync", &bare),
        ("one producer", &one),
        ("16 producers", &sixteen),
        ("16, nobody waited for", &ungathered),
        ("16 threads", &threads),
        ("16 threads, no sync", &handed_over),
    ] {
        let of = |value: fn(&Appended) -> f64| spread(results.iter().map(value).collect());
        println!(
            "  {name:24}{:>26} /s   p50 {:>24} µs   p99 {:>24} µs   a sync {:>20}",
            of(|result| result.per_second),
            of(|result| result.p50_us),
            of(|result| result.p99_us),
            of(|result| result.group),
        );
    }
    let ratio = |over: &[Appended], under: &[Appended], value: fn(&Appended) -> f64| {
        spread(over.iter().zip(under).map(|(over, under)| value(over) / value(under)).collect())
    };
    println!(
        "  16 producers / one            {}   goal: 10 or more",
        ratio(&sixteen, &one, |result| result.per_second)
    );
    println!(
        "  the same, nobody waited for   {}",
        ratio(&ungathered, &one, |result| result.per_second)
    );
    println!(
        "  the same, with 16 threads     {}",
        ratio(&threads, &one, |result| result.per_second)
    );
    println!(
        "  these, if a sync took no time {}   what waking sixteen threads leaves",
        ratio(&handed_over, &one, |result| result.per_second)
    );
    println!(
        "  p50 of one producer / bare    {}   goal: 1.25 or less\n",
        ratio(&one, &bare, |result| result.p50_us)
    );
}

/// How a file is prepared, and written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Growing,
    Allocated,
    Written,
    Direct,
}

/// Bytes that a file is prepared for.
const PREPARED_BYTES: u64 = 32 << 20;
/// What is written at once past the page cache.
const BLOCK_BYTES: usize = 4096;

/// Batches one after the other, each on the disk before the next. `None` if it cannot be had here.
fn way(dir: &Path, round: usize, way: Way) -> Option<Appended> {
    let path = dir.join(format!("way-{way:?}-{round}"));
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).open(&path).expect("a new file");
    match way {
        Way::Growing => {}
        Way::Allocated => {
            fallocate(&file, FallocateFlags::empty(), 0, PREPARED_BYTES).ok()?;
        }
        Way::Written | Way::Direct => {
            let zeros = vec![0; CHUNK_BYTES];
            for at in (0..PREPARED_BYTES).step_by(CHUNK_BYTES) {
                file.write_all_at(&zeros, at).expect("room");
            }
        }
    }
    file.sync_all().expect("a disk that syncs");
    let file = if way == Way::Direct {
        let flags = OFlags::DIRECT | OFlags::DSYNC;
        let flags = i32::try_from(flags.bits()).expect("flags of open");
        OpenOptions::new().write(true).custom_flags(flags).open(&path).ok()?
    } else {
        file
    };
    let bytes = batch();
    let room = vec![7; 3 * BLOCK_BYTES];
    let aligned = room.as_ptr().align_offset(BLOCK_BYTES);
    let mut latencies = Vec::new();
    let start = Instant::now();
    let mut at = 0;
    while start.elapsed() < ROUND && at + 2 * (BLOCK_BYTES as u64) < PREPARED_BYTES {
        let before = Instant::now();
        if way == Way::Direct {
            // The block that the batch begins in, and the next one if it ends there.
            let first = at - at % BLOCK_BYTES as u64;
            let end = (at + bytes.len() as u64).next_multiple_of(BLOCK_BYTES as u64);
            let len = usize::try_from(end - first).expect("two blocks");
            file.write_all_at(&room[aligned..aligned + len], first).ok()?;
        } else {
            file.write_all_at(&bytes, at).expect("room");
            file.sync_data().expect("a disk that syncs");
        }
        latencies.push(before.elapsed());
        at += bytes.len() as u64;
    }
    let syncs = latencies.len();
    Some(appended(latencies, start.elapsed(), syncs))
}

fn ways(dir: &Path) {
    let all = [Way::Growing, Way::Allocated, Way::Written, Way::Direct];
    let mut results: [Vec<Appended>; 4] = Default::default();
    for round in 0..=ROUNDS {
        for (way_of, results) in all.into_iter().zip(&mut results) {
            let result = way(dir, round, way_of);
            results.extend(result.filter(|_| round > 0));
        }
    }
    println!("one batch after the other, each on the disk, by bare calls; p50 in µs");
    let names =
        ["a file that grows", "allocated before", "written before", "written before, direct"];
    for (name, of_way) in names.into_iter().zip(&results) {
        if of_way.len() < ROUNDS {
            println!("  {name:24} cannot be had on this file system");
            continue;
        }
        let p50 = spread(of_way.iter().map(|result| result.p50_us).collect());
        let ratio =
            of_way.iter().zip(&results[0]).map(|(way, grows)| way.p50_us / grows.p50_us);
        println!("  {name:24}{p50:>26}   to the first {}", spread(ratio.collect()));
    }
    println!();
}

/// Appends and reads, in GB/s, by way of encryption or not.
fn at_rest(dir: &Path) {
    const BYTES: u64 = 64 << 20;
    let mut builder = BatchBuilder::new(1 << 20, 100);
    let value = vec![7; VALUE_BYTES];
    for _ in 0..70 {
        builder.push(&RecordRef { value: Some(&value), ..RecordRef::at(0) }).expect("small");
    }
    let batch = builder.seal(Sequence::default());
    let mut results: [[Vec<f64>; 2]; 2] = Default::default();
    for round in 0..=ROUNDS {
        for encrypted in [false, true] {
            let mut keys = EncryptionKeys::default();
            if encrypted {
                let key = EncryptionKey::new(1, [7; 32]).expect("a good number");
                keys.add(key).expect("the first");
            }
            let disk = ServerDisk::new(RealDisk, keys);
            let path = dir.join(format!("at-rest-{round}-{encrypted}"));
            let (mut log, _) =
                Log::open(disk, &path, LogOptions::default()).expect("a new log");
            let begun = Instant::now();
            while log.size_bytes() < BYTES {
                log.append(std::slice::from_ref(&batch), 0).expect("room");
            }
            let appended = log.size_bytes() as f64 / begun.elapsed().as_secs_f64() / 1e9;
            let begun = Instant::now();
            let (mut offset, end) = (0, log.end_offset());
            while offset < end {
                offset = log.read(offset, CHUNK_BYTES, end).expect("readable").next_offset;
            }
            let read = log.size_bytes() as f64 / begun.elapsed().as_secs_f64() / 1e9;
            if round > 0 {
                results[usize::from(encrypted)][0].push(appended);
                results[usize::from(encrypted)][1].push(read);
            }
            drop(log);
            fs::remove_dir_all(&path).expect("removable");
        }
    }
    println!("at rest, to and from the page cache, GB/s");
    for (at, what) in ["appends", "reads of 1 MiB"].into_iter().enumerate() {
        let [plain, encrypted] = [&results[0][at], &results[1][at]];
        let ratio = encrypted.iter().zip(plain).map(|(over, under)| over / under).collect();
        println!(
            "  {what:24} plain {:>24}   encrypted {:>24}   ratio {}",
            spread(plain.clone()),
            spread(encrypted.clone()),
            spread(ratio),
        );
    }
    println!();
}

fn reads(dir: &Path) {
    let path = dir.join("read");
    let options = LogOptions { segment_bytes: 64 << 20, ..LogOptions::default() };
    let (mut log, _) = Log::open(RealDisk, &path, options).expect("a new log");
    let mut builder = BatchBuilder::new(1 << 20, 100);
    let value = vec![7; VALUE_BYTES];
    for _ in 0..70 {
        builder.push(&RecordRef { value: Some(&value), ..RecordRef::at(0) }).expect("small");
    }
    let large = builder.seal(Sequence::default());
    while log.size_bytes() < READ_BYTES + (65 << 20) {
        log.append(std::slice::from_ref(&large), 0).expect("room");
    }
    log.sync().expect("a disk that syncs");
    let mut segments: Vec<PathBuf> = fs::read_dir(&path)
        .expect("there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    segments.retain(|path| path.extension().is_some_and(|end| end == "log"));
    segments.sort();
    // The last segment is not sealed; the others hold at least what is read.
    segments.pop();
    let files: Vec<File> =
        segments.iter().map(|path| File::open(path).expect("there")).collect();
    println!("reads in chunks of 1 MiB, GB/s");
    for cold in [false, true] {
        let (mut bare, mut ours) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let before = |files: &[File]| {
                for file in files.iter().filter(|_| cold) {
                    let _ = fadvise(file, 0, None, Advice::DontNeed);
                }
            };
            before(&files);
            let bare_rate = rate(|| bare_reads(&files));
            before(&files);
            let our_rate = rate(|| log_reads(&log));
            if round > 0 {
                bare.push(bare_rate);
                ours.push(our_rate);
            }
        }
        let name = if cold { "cold" } else { "hot" };
        let ratio = ours.iter().zip(&bare).map(|(ours, bare)| ours / bare).collect();
        println!("  {name:5} bare pread {:>24}", spread(bare));
        println!("  {name:5} the log    {:>24}   log / bare {}", spread(ours), spread(ratio));
    }
}

/// Sizes of the logs that are opened, in bytes.
const OPENED_BYTES: [u64; 2] = [128 << 20, 2 << 30];

fn opening(dir: &Path) {
    println!("\nopening a log in segments of 64 MiB, milliseconds");
    let options = LogOptions { segment_bytes: 64 << 20, ..LogOptions::default() };
    let mut builder = BatchBuilder::new(1 << 20, 100);
    let value = vec![7; 9_000];
    for _ in 0..100 {
        builder.push(&RecordRef { value: Some(&value), ..RecordRef::at(0) }).expect("small");
    }
    let large = builder.seal(Sequence::default());
    for bytes in OPENED_BYTES {
        let path = dir.join(format!("open-{bytes}"));
        let (mut log, _) = Log::open(RealDisk, &path, options).expect("a new log");
        // Half a segment into the newest one.
        while log.size_bytes() < bytes + (32 << 20) {
            log.append(std::slice::from_ref(&large), 0).expect("room");
        }
        log.sync().expect("a disk that syncs");
        drop(log);
        for closed in [false, true] {
            let mut times = Vec::new();
            for _ in 0..=ROUNDS {
                let start = Instant::now();
                let (log, recovery) = Log::open(RealDisk, &path, options).expect("it opens");
                times.push(start.elapsed().as_secs_f64() * 1e3);
                assert!(recovery.is_clean());
                if closed {
                    log.close().expect("a disk that syncs");
                }
            }
            times.remove(0);
            let after = if closed { "after a close" } else { "after a kill" };
            println!("  {:>5} MiB {after:14} {}", bytes >> 20, spread(times));
        }
        fs::remove_dir_all(&path).expect("there");
    }
}

fn rate(read: impl FnOnce() -> u64) -> f64 {
    let start = Instant::now();
    let bytes = read();
    bytes as f64 / start.elapsed().as_secs_f64() / 1e9
}

fn bare_reads(files: &[File]) -> u64 {
    let mut total = 0;
    for file in files {
        let mut at = 0;
        // A buffer for each chunk, as what is read is given away.
        while total < READ_BYTES {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            let read = rustix::io::pread(file, rustix::buffer::spare_capacity(&mut chunk), at);
            let count = read.expect("readable") as u64;
            if count == 0 {
                break;
            }
            std::hint::black_box(&chunk);
            at += count;
            total += count;
        }
    }
    total
}

fn log_reads(log: &Log<RealDisk>) -> u64 {
    let mut total = 0;
    let mut offset = log.start_offset();
    while total < READ_BYTES {
        let chunk = log.read(offset, CHUNK_BYTES, log.synced_end()).expect("readable");
        offset = chunk.next_offset;
        total += chunk.bytes.len() as u64;
        std::hint::black_box(&chunk);
    }
    total
}

/// `median (least to most)`.
fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let shown = |value: f64| match value {
        value if value >= 1000.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    };
    let (least, most) = (values[0], values[values.len() - 1]);
    format!("{} ({} to {})", shown(values[values.len() / 2]), shown(least), shown(most))
}

//! Threads for calls that block: syncs, snapshots, trims, and opening logs; and others for reads
//! that miss what is in memory, and look-ups by time, so that no acknowledgement waits behind somebody's old records.
//!
//! A shard hands over a closed piece of work and gets its result as a message. The pools keep a
//! shard's thread free for sockets while the disk works, on io_uring and epoll alike.
//!
//! A thread that has synced for a shard that looks for the next request looks for the next sync, too:
//! being woken would cost whoever waits for it as much.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tidewire_storage::disk::{Disk, ServerDisk};
use tidewire_storage::log::{Log, LogOptions, RemoveJob, SnapshotJob, SyncJob, TrimJob};

use crate::message::{PartitionId, ShardMessage};
use crate::partition::{FetchJob, LookupJob, Memory};

/// Work for an I/O thread, and the inbox that wants its result.
pub(crate) enum IoJob<D: Disk = ServerDisk> {
    Sync {
        id: PartitionId,
        job: SyncJob<D>,
        /// How long the next is to be looked for after this.
        look: Duration,
        inbox: flume::Sender<ShardMessage<D>>,
    },
    /// For the threads that read.
    Fetch {
        id: PartitionId,
        job: FetchJob<D>,
        inbox: flume::Sender<ShardMessage<D>>,
    },
    /// For the threads that read.
    Lookup {
        id: PartitionId,
        job: LookupJob<D>,
        inbox: flume::Sender<ShardMessage<D>>,
    },
    Snapshot {
        id: PartitionId,
        job: SnapshotJob<D>,
        inbox: flume::Sender<ShardMessage<D>>,
    },
    Trim {
        id: PartitionId,
        job: TrimJob<D>,
        inbox: flume::Sender<ShardMessage<D>>,
    },
    /// Nobody waits for it.
    Remove {
        job: RemoveJob<D>,
    },
    Open {
        id: PartitionId,
        disk: D,
        dir: PathBuf,
        options: LogOptions,
        dedup_window_ms: u64,
        now_us: i64,
        inbox: flume::Sender<ShardMessage<D>>,
    },
}

/// Starts the threads `tidewire-<name>-0` and so on; they end when every sender of `jobs` is gone.
pub(crate) fn start(
    name: &str,
    threads: usize,
    jobs: &flume::Receiver<IoJob>,
) -> std::io::Result<Vec<JoinHandle<()>>> {
    (0..threads)
        .map(|number| {
            let jobs = jobs.clone();
            std::thread::Builder::new()
                .name(format!("tidewire-{name}-{number}"))
                .spawn(move || work(&jobs))
        })
        .collect()
}

/// Does what comes until nothing more can.
fn work(jobs: &flume::Receiver<IoJob>) {
    let mut look = Duration::ZERO;
    loop {
        let found = if look.is_zero() { None } else { look_for(jobs, look) };
        let Some(job) = found.or_else(|| jobs.recv().ok()) else { return };
        look = match &job {
            IoJob::Sync { look, .. } => *look,
            _ => Duration::ZERO,
        };
        carry_out(job);
    }
}

/// The next piece of work, if it comes within `look`.
#[expect(
    clippy::disallowed_methods,
    reason = "a thread's own patience, which nothing hangs on"
)]
fn look_for(jobs: &flume::Receiver<IoJob>, look: Duration) -> Option<IoJob> {
    let until = Instant::now() + look;
    while Instant::now() < until {
        if let Ok(job) = jobs.try_recv() {
            return Some(job);
        }
        // Whoever else wants this core may be who it is waited for.
        std::thread::yield_now();
    }
    None
}

/// Does the work, and sends its result.
pub(crate) fn carry_out<D: Disk>(job: IoJob<D>) {
    // A shard that is gone wants no result.
    let _ = match job {
        IoJob::Sync { id, job, inbox, look: _ } => {
            let outcome = job.run();
            inbox.send(ShardMessage::Synced { id, outcome })
        }
        IoJob::Fetch { id, job, inbox } => {
            let outcome = Box::new(job.run());
            inbox.send(ShardMessage::Fetched { id, outcome })
        }
        IoJob::Lookup { id, job, inbox } => {
            let outcome = Box::new(job.run());
            inbox.send(ShardMessage::LookedUp { id, outcome })
        }
        IoJob::Snapshot { id, job, inbox } => {
            let outcome = job.run();
            inbox.send(ShardMessage::Snapshot { id, outcome })
        }
        IoJob::Trim { id, job, inbox } => {
            let outcome = job.run();
            inbox.send(ShardMessage::Trimmed { id, outcome })
        }
        IoJob::Remove { job } => {
            for (path, error) in job.run() {
                let path = path.display();
                tracing::warn!(file = %path, %error, "a deleted segment's file remains");
            }
            Ok(())
        }
        IoJob::Open { id, disk, dir, options, dedup_window_ms, now_us, inbox } => {
            let result = Log::open(disk, &dir, options).and_then(|(mut log, recovery)| {
                let memory = Memory::restore(&mut log, dedup_window_ms, now_us)?;
                Ok((log, recovery, memory))
            });
            let result = Box::new(result);
            inbox.send(ShardMessage::Opened { id, result })
        }
    };
}

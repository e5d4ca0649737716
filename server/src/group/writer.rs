//! The one writer of the groups' file: a thread that puts what all shards have to write by then
//! into one transaction, on the disk before any of them is told.

use std::sync::Arc;
use std::thread::JoinHandle;

use tidewire_storage::groups::{GroupStore, Writes};

use crate::message::ShardMessage;
use crate::shared::Shared;

/// What the writer is asked to do.
pub(crate) enum GroupJob {
    /// Write the rows of a shard, and tell it.
    Write { shard: usize, writes: Writes },
    /// End the thread.
    Stop,
}

/// Starts the writer.
pub(crate) fn start(
    store: GroupStore,
    shared: Arc<Shared>,
    jobs: flume::Receiver<GroupJob>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("tidewire-groups".to_owned()).spawn(move || {
        let mut stopping = false;
        while !stopping && let Ok(first) = jobs.recv() {
            // A shard has one write under way, so there are no more of them than shards.
            let mut all = Vec::new();
            for job in std::iter::once(first).chain(jobs.try_iter()) {
                match job {
                    GroupJob::Write { shard, writes } => all.push((shard, writes)),
                    GroupJob::Stop => stopping = true,
                }
            }
            if all.is_empty() {
                continue;
            }
            let writes: Vec<&Writes> = all.iter().map(|(_, writes)| writes).collect();
            let result = store.write(&writes).map_err(|error| {
                tracing::error!(%error, "groups and offsets could not be stored");
                error.to_string()
            });
            for (shard, _) in all {
                let message = ShardMessage::GroupsWritten { result: result.clone() };
                let _ = shared.inboxes[shard].send(message);
            }
        }
    })
}

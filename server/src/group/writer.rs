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
            let all: Vec<GroupJob> = std::iter::once(first).chain(jobs.try_iter()).collect();
            stopping = all.iter().any(|job| matches!(job, GroupJob::Stop));
            let writes: Vec<(usize, Writes)> =
                all.into_iter().filter_map(GroupJob::into_writes).collect();
            for (shard, result) in write(&store, &writes) {
                let message = ShardMessage::GroupsWritten { result };
                let _ = shared.inboxes[shard].send(message);
            }
        }
    })
}

impl GroupJob {
    pub(crate) fn into_writes(self) -> Option<(usize, Writes)> {
        match self {
            Self::Write { shard, writes } => Some((shard, writes)),
            Self::Stop => None,
        }
    }
}

/// Puts the rows of some shards into one transaction; what each of them is told.
pub(crate) fn write(
    store: &GroupStore,
    all: &[(usize, Writes)],
) -> Vec<(usize, Result<(), String>)> {
    if all.is_empty() {
        return Vec::new();
    }
    let writes: Vec<&Writes> = all.iter().map(|(_, writes)| writes).collect();
    let result = store.write(&writes).map_err(|error| {
        tracing::error!(%error, "groups and offsets could not be stored");
        error.to_string()
    });
    all.iter().map(|(shard, _)| (*shard, result.clone())).collect()
}

//! What of a consumer's progress is stored on the server, and when.
//!
//! Owns the requests, what counts as done, and the automatic storing in each of its ways. The one
//! invariant: an offset is stored only for records that the application was shown.

use std::sync::Arc;
use std::time::Duration;

use tidewire_protocol::message::{OffsetStore, StoreOffset};
use tidewire_protocol::name::TopicName;
use tidewire_protocol::session::Key;
use tokio::time::Instant;

use super::ledger::{Held, Ledger, Shown};
use super::{AutoCommit, PartitionRef};
use crate::client::topic_name;
use crate::consumer::batch::Batch;
use crate::error::{Code, Error};

/// Most offsets of one request; with the longest names they fit into a frame's meta.
const PART: usize = 64;

/// Something to store.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    topic: Arc<TopicName>,
    /// 0 if it is not known.
    topic_id: u64,
    partition: u32,
    offset: u64,
}

impl Ledger {
    /// Stores how far the application was shown everything.
    pub(super) async fn commit(&self) -> Result<(), Error> {
        self.check_stores()?;
        self.store(&self.ahead(None, |held| held.position)).await
    }

    /// As [`commit`](Self::commit), but of one partition only up to `offset`.
    pub(super) async fn commit_until(
        &self,
        which: PartitionRef<'_>,
        offset: u64,
    ) -> Result<(), Error> {
        self.check_stores()?;
        let topic = self.topic_of(which)?;
        let mut all = self.ahead(None, |held| held.position);
        for progress in &mut all {
            if progress.partition == which.partition && *progress.topic == topic {
                progress.offset = progress.offset.min(offset);
            }
        }
        self.store(&all).await
    }

    /// Stores that a batch was done.
    pub(super) async fn commit_batch(&self, batch: &Batch) -> Result<(), Error> {
        self.check_stores()?;
        self.store(&[self.progress(
            batch.shared_topic(),
            batch.partition(),
            batch.next_offset(),
        )])
        .await
    }

    /// Stores the offset of the next record to read.
    pub(super) async fn commit_offset(
        &self,
        which: PartitionRef<'_>,
        offset: u64,
    ) -> Result<(), Error> {
        self.check_stores()?;
        let topic = Arc::new(self.topic_of(which)?);
        self.store(&[self.progress(&topic, which.partition, offset)]).await
    }

    fn topic_of(&self, which: PartitionRef<'_>) -> Result<TopicName, Error> {
        match (which.topic, &self.settings.topics[..]) {
            (Some(topic), _) => topic_name(topic),
            (None, [only]) => Ok(only.clone()),
            (None, _) => {
                let text =
                    format!("partition {} has to be named with its topic", which.partition);
                Err(Error::new(Code::INVALID_ARGUMENT, text))
            }
        }
    }

    fn check_stores(&self) -> Result<(), Error> {
        if self.group().is_some() {
            return Ok(());
        }
        let text = "a consumer without a group or a name stores no offsets";
        Err(Error::new(Code::INVALID_ARGUMENT, text))
    }

    fn progress(&self, topic: &Arc<TopicName>, partition: u32, offset: u64) -> Progress {
        let state = self.lock();
        let of = |held: &&super::ledger::Topic| {
            *held.core.topic == **topic && held.held.contains_key(&partition)
        };
        let topic_id = state.topics.iter().find(of).map_or(0, |topic| topic.core.topic_id);
        Progress { topic: Arc::clone(topic), topic_id, partition, offset }
    }

    /// How far the application has done each partition, beyond what is stored; of one or of all.
    pub(super) fn done(&self, only: Option<&Key>) -> Vec<Progress> {
        self.ahead(only, |held| held.done)
    }

    fn ahead(&self, only: Option<&Key>, of: impl Fn(&Held) -> Option<u64>) -> Vec<Progress> {
        let state = self.lock();
        let mut all = Vec::new();
        for topic in &state.topics {
            let name = &topic.core.topic;
            let meant = |partition: u32| {
                only.is_none_or(|(s, t, p)| {
                    (s.as_str(), t.as_str(), *p) == (name.stream(), name.topic(), partition)
                })
            };
            for (&partition, held) in
                topic.held.iter().filter(|(partition, _)| meant(**partition))
            {
                let Some(offset) = of(held) else { continue };
                if held.stored.is_none_or(|stored| offset > stored) {
                    let (topic, topic_id) = (Arc::clone(name), topic.core.topic_id);
                    all.push(Progress { topic, topic_id, partition, offset });
                }
            }
        }
        all
    }

    /// Stores offsets. Sending them twice does no harm, so it is done again on a new connection.
    ///
    /// # Errors
    /// The first that was not stored, and why; all were tried.
    pub(super) async fn store(&self, offsets: &[Progress]) -> Result<(), Error> {
        let group = self.group().unwrap_or_default();
        let mut failed = None;
        for part in offsets.chunks(PART) {
            let (member_id, member_epoch) = self.place();
            let request = OffsetStore {
                group: group.to_owned(),
                member_id,
                member_epoch,
                offsets: part.iter().map(Progress::row).collect(),
            };
            let results = self.client.link.query(&request).await?.results;
            for (progress, result) in part.iter().zip(results) {
                self.settle(progress, Code(result.code), result.offset);
                if result.code != 0 && failed.is_none() {
                    let Progress { topic, partition, offset, .. } = progress;
                    let text = format!(
                        "offset {offset} of {topic}[{partition}] was not stored for \"{group}\""
                    );
                    failed = Some(Error::new(Code(result.code), text));
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn settle(&self, progress: &Progress, code: Code, stored: u64) {
        let mut state = self.lock();
        state.past.stored_offsets += u64::from(code.0 == 0);
        let Some(held) = state.held(progress.topic_id, progress.partition) else { return };
        match code {
            Code(0) => held.stored = held.stored.max(Some(stored)),
            // What is gone is not tried again.
            Code::TOPIC_NOT_FOUND | Code::STREAM_NOT_FOUND | Code::PARTITION_NOT_FOUND => {
                (held.position, held.done) = (None, None);
            }
            _ => {}
        }
    }

    /// With [`AutoCommit::After`]: stores what is done, and waits for it.
    pub(super) async fn store_after(&self) -> Result<(), Error> {
        if self.settings.auto_commit != AutoCommit::After || self.group().is_none() {
            return Ok(());
        }
        pass_on(self.store(&self.done(None)).await).map(drop)
    }

    /// With [`AutoCommit::Before`]: stores what is to be returned next; `None` if there is
    /// nothing of the kind, or another member will read it.
    pub(super) async fn store_pending(&self) -> Result<Option<Shown>, Error> {
        let progress = match &self.lock().pending {
            Some(shown) => Progress {
                topic: Arc::clone(&shown.core.topic),
                topic_id: shown.core.topic_id,
                partition: shown.partition,
                offset: shown.batch.next_offset(),
            },
            None => return Ok(None),
        };
        let kept = pass_on(self.store(&[progress]).await)?;
        let pending = self.lock().pending.take();
        if !kept {
            self.done_with_hand();
            return Ok(None);
        }
        Ok(pending)
    }
}

/// False if it was not stored because the partition is another member's by now: that one goes on
/// at what is stored.
fn pass_on(result: Result<(), Error>) -> Result<bool, Error> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if [Code::NOT_ASSIGNED, Code::UNKNOWN_MEMBER].contains(&error.code()) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

impl Progress {
    fn row(&self) -> StoreOffset {
        StoreOffset {
            stream: self.topic.stream().to_owned(),
            topic: self.topic.topic().to_owned(),
            partition: self.partition,
            topic_id: self.topic_id,
            offset: self.offset,
            note: String::new(),
        }
    }
}

/// Stores what was done without being asked, for a consumer's task.
#[derive(Debug, Default)]
pub(super) struct Plan {
    next: Option<Instant>,
}

impl Plan {
    /// Stores what was done, an interval after the first of it.
    pub(super) async fn run(&mut self, ledger: &Ledger) {
        if !ledger.is_planned() {
            return;
        }
        let interval = u64::from(ledger.settings.auto_commit_interval_ms);
        let interval = Duration::from_millis(interval);
        let due = *self.next.get_or_insert_with(|| Instant::now() + interval);
        if Instant::now() < due {
            return;
        }
        ledger.clear_plan();
        self.next = None;
        if let Err(error) = ledger.store(&ledger.done(None)).await {
            tracing::warn!(%error, "offsets were not stored; they are again with the next");
        }
    }

    /// When there is something to store.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.next
    }
}

/// Stores what was done last, of one partition or of all, before it is let go of.
pub(super) async fn store_last(ledger: &Ledger, only: Option<&Key>) {
    let stores =
        matches!(ledger.settings.auto_commit, AutoCommit::Interval | AutoCommit::After);
    if stores && let Err(error) = ledger.store(&ledger.done(only)).await {
        tracing::warn!(%error, "the last offsets were not stored");
    }
}

/// The task of a consumer with a name: stores until the consumer is closed.
pub(super) async fn run(ledger: Arc<Ledger>) {
    let _left = ledger.leaving();
    let mut plan = Plan::default();
    while !ledger.is_closed() {
        plan.run(&ledger).await;
        let sleep = async {
            match plan.deadline() {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ledger.work.notified() => {}
            () = sleep => {}
        }
    }
    store_last(&ledger, None).await;
}

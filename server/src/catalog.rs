//! The catalog's one writer: a thread that changes streams and topics, each change durable before
//! its answer, and publishes the new snapshot before anyone is told.

use std::sync::Arc;
use std::thread::JoinHandle;

use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits::ServerLimit;
use tidewire_protocol::message::{StreamInfo, TopicInfo};
use tidewire_storage::disk::Disk;
use tidewire_storage::{
    CatalogError, CatalogErrorKind, CatalogStore, Stream, Topic, TopicChange, TopicSettings,
};

use crate::auth::requests::{AccessChange, carry_out as carry_out_access};
use crate::message::{Answer, Origin, ShardMessage};
use crate::names::Names;
pub(crate) use crate::names::OpenNamed;
use crate::shared::Shared;

/// A change to make; names and limits were checked.
pub(crate) enum CatalogChange {
    CreateStream { name: String },
    DeleteStream { name: String, with_topics: bool },
    CreateTopic { stream: String, topic: String, settings: TopicSettings },
    UpdateTopic { stream: String, topic: String, change: TopicChange },
    DeleteTopic { stream: String, topic: String },
}

/// What the writer is asked to do.
pub(crate) enum CatalogJob {
    /// A change, and who asked for it.
    Change { origin: Origin, change: CatalogChange },
    /// A producer with a name is to be opened.
    OpenProducer { origin: Origin, open: OpenNamed },
    /// The names of a topic's producers are to be told.
    ListProducers { origin: Origin, topic: Arc<Topic>, after: String },
    /// The name of a producer is to be forgotten.
    DeleteProducer { origin: Origin, topic: Arc<Topic>, name: String },
    /// A change of users, tokens or grants; who asked for it, and from where.
    Access { origin: Origin, change: AccessChange, by: String, peer: String },
    /// End the thread.
    Stop,
}

/// Starts the writer.
pub(crate) fn start(
    store: CatalogStore,
    shared: Arc<Shared>,
    jobs: flume::Receiver<CatalogJob>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("tidewire-catalog".to_owned()).spawn(move || {
        let mut writer = Writer::new(store, shared);
        while let Ok(job) = jobs.recv()
            && let Some(answer) = writer.carry_out(job)
        {
            let Answered { origin, answer, gone } = answer;
            for topic in gone {
                // Disconnected once the last shard has dropped its sender.
                while topic.let_go.recv().is_ok() {}
                writer.remove_files(topic.id);
            }
            writer.tell(origin, answer);
        }
    })
}

/// The writer, without its thread.
pub(crate) struct Writer<D: Disk> {
    store: CatalogStore,
    names: Names,
    shared: Arc<Shared<D>>,
}

/// What a job came to.
pub(crate) struct Answered {
    pub(crate) origin: Origin,
    pub(crate) answer: Answer,
    /// Deleted topics, whose files are to be removed before anyone is told.
    pub(crate) gone: Vec<Gone>,
}

/// A deleted topic.
pub(crate) struct Gone {
    pub(crate) id: u64,
    /// Disconnected once every shard has let go of the topic's logs.
    pub(crate) let_go: flume::Receiver<()>,
}

impl<D: Disk> Writer<D> {
    pub(crate) fn new(store: CatalogStore, shared: Arc<Shared<D>>) -> Self {
        Self { store, names: Names::default(), shared }
    }

    /// Carries out a job, durably; `None` if that was to end.
    pub(crate) fn carry_out(&mut self, job: CatalogJob) -> Option<Answered> {
        let mut gone = Vec::new();
        let (origin, answer) = match job {
            CatalogJob::Change { origin, change } => {
                (origin, carry_out(&mut self.store, &self.shared, change, &mut gone))
            }
            CatalogJob::OpenProducer { origin, open } => {
                let now_us = self.shared.clock.wall_us();
                (origin, Answer::Producer(self.names.open(&mut self.store, open, now_us)))
            }
            CatalogJob::ListProducers { origin, topic, after } => {
                (origin, Answer::Producers(Names::list(&self.store, &topic, &after)))
            }
            CatalogJob::DeleteProducer { origin, topic, name } => {
                let deleted = self.names.delete(&mut self.store, &topic, &name);
                (origin, Answer::ProducerDeleted(deleted))
            }
            CatalogJob::Access { origin, change, by, peer } => {
                let store = &mut self.store;
                let whose = (origin.shard, by.as_str(), peer.as_str());
                (origin, change_access(store, &self.shared, change, whose))
            }
            CatalogJob::Stop => return None,
        };
        Some(Answered { origin, answer, gone })
    }

    /// Removes the files of a topic that every shard has let go of. A removal that fails or is cut
    /// by a crash is finished at the next start.
    pub(crate) fn remove_files(&self, topic: u64) {
        let dir = self.shared.topic_dirs.topic(topic);
        match self.shared.disk.remove_dir_all(&dir) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(dir = %dir.display(), error = %e, "a deleted topic's files remain");
            }
            _ => {}
        }
    }

    /// Tells who asked. The snapshot was published: whoever reads it after this answer sees the
    /// change.
    pub(crate) fn tell(&self, origin: Origin, answer: Answer) {
        let inbox = &self.shared.inboxes[origin.shard];
        let access = matches!(answer, Answer::Access(_));
        let _ = inbox.send(ShardMessage::Answer { origin, answer });
        if access {
            // Behind it, so that a connection which this ends has its answer.
            let _ = inbox.send(ShardMessage::AccessChanged);
        }
    }
}

fn carry_out<D: Disk>(
    store: &mut CatalogStore,
    shared: &Shared<D>,
    change: CatalogChange,
    gone: &mut Vec<Gone>,
) -> Answer {
    let now_us = shared.clock.wall_us();
    match change {
        CatalogChange::CreateStream { name } => {
            let made = store.create_stream(&name, now_us);
            publish(store, shared);
            Answer::Stream(made.map(|stream| stream_info(&stream)).map_err(|e| error(&e)))
        }
        CatalogChange::CreateTopic { stream, topic, settings } => {
            if let Err(error) = check_room(store, shared, &stream, &topic, settings.partitions)
            {
                return Answer::Topic(Err(error));
            }
            let made = create_topic(store, &stream, &topic, settings, now_us);
            publish(store, shared);
            Answer::Topic(made.map(|topic| topic_info(&topic)).map_err(|e| error(&e)))
        }
        CatalogChange::UpdateTopic { stream, topic, change } => {
            let known = store.snapshot().topic(&stream, &topic).map_or(0, |it| it.partitions);
            let added = change.partitions.unwrap_or(0).saturating_sub(known);
            if added > 0
                && known > 0
                && let Err(error) = check_partitions(store, shared, added)
            {
                return Answer::Topic(Err(error));
            }
            let made = store.update_topic(&stream, &topic, change);
            publish(store, shared);
            if let Ok(topic) = &made {
                for inbox in &shared.inboxes {
                    let _ = inbox.send(ShardMessage::TopicChanged(Arc::clone(topic)));
                }
            }
            Answer::Topic(made.map(|topic| topic_info(&topic)).map_err(|e| error(&e)))
        }
        CatalogChange::DeleteTopic { stream, topic } => {
            let deleted = store.delete_topic(&stream, &topic);
            publish(store, shared);
            Answer::Deleted(match deleted {
                Ok(topic) => {
                    gone.push(drop_logs(shared, &topic));
                    Ok(())
                }
                Err(e) => Err(error(&e)),
            })
        }
        CatalogChange::DeleteStream { name, with_topics } => {
            let topics = shared.catalog.load().streams.get(&name).map_or(0, |s| s.topics.len());
            if topics > 0 && !with_topics {
                return Answer::Deleted(Err(Error::new(
                    Code::STREAM_NOT_EMPTY,
                    format!("stream \"{name}\" is not empty: topics left {topics}"),
                )));
            }
            let deleted = store.delete_stream(&name);
            publish(store, shared);
            Answer::Deleted(match deleted {
                Ok(topics) => {
                    gone.extend(topics.iter().map(|topic| drop_logs(shared, topic)));
                    Ok(())
                }
                Err(e) => Err(error(&e)),
            })
        }
    }
}

/// Changes users or what they may do. Every shard is told before the answer is sent, and that of
/// whoever asked right behind it.
fn change_access<D: Disk>(
    store: &mut CatalogStore,
    shared: &Shared<D>,
    change: AccessChange,
    (asked, by, peer): (usize, &str, &str),
) -> Answer {
    let what = change.what();
    let changed = carry_out_access(store, change, shared.clock.wall_us());
    match &changed {
        Ok(_) => tracing::info!(target: "tidewire::audit", by, peer, "{what}"),
        Err(error) => {
            tracing::info!(target: "tidewire::audit", by, peer, %error, "refused: {what}");
        }
    }
    shared.auth.access.store(store.access());
    for (shard, inbox) in shared.inboxes.iter().enumerate() {
        if shard != asked {
            let _ = inbox.send(ShardMessage::AccessChanged);
        }
    }
    Answer::Access(changed)
}

/// Whether the server may have one topic more, of so many partitions.
// SPEC L-5
fn check_room<D: Disk>(
    store: &CatalogStore,
    shared: &Shared<D>,
    stream: &str,
    topic: &str,
    partitions: u32,
) -> Result<(), Error> {
    let snapshot = store.snapshot();
    if snapshot.topic(stream, topic).is_some() {
        // That is another error.
        return Ok(());
    }
    let most = shared.limits.get(ServerLimit::MaxServerTopics);
    if snapshot.topics().count() as u64 >= most {
        let text = format!(
            "topic {stream}/{topic} is one too many for this server: max_server_topics is {most}"
        );
        return Err(Error::new(Code::TOO_MANY_TOPICS, text));
    }
    check_partitions(store, shared, partitions)
}

/// Whether the server may have so many partitions more.
// SPEC L-5
fn check_partitions<D: Disk>(
    store: &CatalogStore,
    shared: &Shared<D>,
    more: u32,
) -> Result<(), Error> {
    let there: u64 = store.snapshot().topics().map(|topic| u64::from(topic.partitions)).sum();
    let most = shared.limits.get(ServerLimit::MaxServerPartitions);
    if there + u64::from(more) <= most {
        return Ok(());
    }
    let text = format!(
        "{more} partitions more than the {there} there are would be too many for this server: \
         max_server_partitions is {most}"
    );
    Err(Error::new(Code::TOO_MANY_PARTITIONS, text))
}

/// Creates a topic, and its stream if need be: who names a topic of a new stream wants both.
fn create_topic(
    store: &mut CatalogStore,
    stream: &str,
    topic: &str,
    settings: TopicSettings,
    now_us: i64,
) -> Result<Arc<Topic>, CatalogError> {
    if store.snapshot().stream(stream).is_none() {
        store.create_stream(stream, now_us)?;
    }
    store.create_topic(stream, topic, settings, now_us)
}

fn publish<D: Disk>(store: &CatalogStore, shared: &Shared<D>) {
    shared.catalog.store(store.snapshot());
    for inbox in &shared.inboxes {
        let _ = inbox.send(ShardMessage::CatalogChanged);
    }
}

/// Has every shard let go of a topic's logs.
fn drop_logs<D: Disk>(shared: &Shared<D>, topic: &Topic) -> Gone {
    let (done, let_go) = flume::bounded(0);
    for inbox in &shared.inboxes {
        let name = format!("{}/{}", topic.stream, topic.name);
        let _ =
            inbox.send(ShardMessage::DropTopic { topic: topic.id, name, done: done.clone() });
    }
    Gone { id: topic.id, let_go }
}

/// A stream as it is described on the wire.
pub(crate) fn stream_info(stream: &Stream) -> StreamInfo {
    StreamInfo {
        name: stream.name.clone(),
        id: stream.id,
        created_us: stream.created_us,
        topics: u32::try_from(stream.topics.len()).unwrap_or(u32::MAX),
    }
}

/// A topic as it is described on the wire.
pub(crate) fn topic_info(topic: &Topic) -> TopicInfo {
    TopicInfo {
        stream: topic.stream.clone(),
        name: topic.name.clone(),
        id: topic.id,
        created_us: topic.created_us,
        partitions: topic.partitions,
        segment_bytes: topic.segment_bytes,
        codec: topic.codec,
        retention_ms: topic.retention_ms,
        retention_bytes: topic.retention_bytes,
        dedup_window_ms: topic.dedup_window_ms,
    }
}

pub(crate) fn error(error: &CatalogError) -> Error {
    let code = match error.kind() {
        CatalogErrorKind::StreamNotFound => Code::STREAM_NOT_FOUND,
        CatalogErrorKind::TopicNotFound => Code::TOPIC_NOT_FOUND,
        CatalogErrorKind::StreamExists => Code::STREAM_EXISTS,
        CatalogErrorKind::TopicExists => Code::TOPIC_EXISTS,
        CatalogErrorKind::Full => Code::DISK_FULL,
        CatalogErrorKind::FewerPartitions => Code::INVALID_PARTITION_COUNT,
        CatalogErrorKind::TooManyProducers => Code::TOO_MANY_PRODUCERS,
        CatalogErrorKind::UserExists => Code::USER_EXISTS,
        CatalogErrorKind::UserNotFound => Code::USER_NOT_FOUND,
        CatalogErrorKind::TokenExists => Code::TOKEN_EXISTS,
        CatalogErrorKind::TokenNotFound => Code::TOKEN_NOT_FOUND,
        CatalogErrorKind::AccessLimit => Code::ACCESS_LIMIT,
        CatalogErrorKind::Root => Code::INVALID_ARGUMENT,
        _ => Code::INTERNAL,
    };
    Error::new(code, error.to_string())
}

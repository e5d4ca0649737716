//! The catalog's one writer: a thread that changes streams and topics, each change durable before
//! its answer, and publishes the new snapshot before anyone is told.

use std::sync::Arc;
use std::thread::JoinHandle;

use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{StreamInfo, TopicInfo};
use tidewire_storage::disk::{Disk, RealDisk};
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
    mut store: CatalogStore,
    shared: Arc<Shared>,
    jobs: flume::Receiver<CatalogJob>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("tidewire-catalog".to_owned()).spawn(move || {
        let mut names = Names::default();
        loop {
            let (origin, answer) = match jobs.recv() {
                Ok(CatalogJob::Change { origin, change }) => {
                    (origin, carry_out(&mut store, &shared, change))
                }
                Ok(CatalogJob::OpenProducer { origin, open }) => {
                    let now_us = shared.clock.wall_us();
                    (origin, Answer::Producer(names.open(&mut store, open, now_us)))
                }
                Ok(CatalogJob::ListProducers { origin, topic, after }) => {
                    (origin, Answer::Producers(Names::list(&store, &topic, &after)))
                }
                Ok(CatalogJob::DeleteProducer { origin, topic, name }) => {
                    let deleted = names.delete(&mut store, &topic, &name);
                    (origin, Answer::ProducerDeleted(deleted))
                }
                Ok(CatalogJob::Access { origin, change, by, peer }) => {
                    (origin, change_access(&mut store, &shared, change, &by, &peer))
                }
                Ok(CatalogJob::Stop) | Err(_) => return,
            };
            // The snapshot was published: whoever reads it after this answer sees the change.
            let _ = shared.inboxes[origin.shard].send(ShardMessage::Answer { origin, answer });
        }
    })
}

fn carry_out(store: &mut CatalogStore, shared: &Shared, change: CatalogChange) -> Answer {
    let now_us = shared.clock.wall_us();
    match change {
        CatalogChange::CreateStream { name } => {
            let made = store.create_stream(&name, now_us);
            publish(store, shared);
            Answer::Stream(made.map(|stream| stream_info(&stream)).map_err(|e| error(&e)))
        }
        CatalogChange::CreateTopic { stream, topic, settings } => {
            let made = create_topic(store, &stream, &topic, settings, now_us);
            publish(store, shared);
            Answer::Topic(made.map(|topic| topic_info(&topic)).map_err(|e| error(&e)))
        }
        CatalogChange::UpdateTopic { stream, topic, change } => {
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
                    drop_logs(shared, &[topic]);
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
                    drop_logs(shared, &topics);
                    Ok(())
                }
                Err(e) => Err(error(&e)),
            })
        }
    }
}

/// Changes users or what they may do. Every shard is told before the answer is sent.
fn change_access(
    store: &mut CatalogStore,
    shared: &Shared,
    change: AccessChange,
    by: &str,
    peer: &str,
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
    for inbox in &shared.inboxes {
        let _ = inbox.send(ShardMessage::AccessChanged);
    }
    Answer::Access(changed)
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

fn publish(store: &CatalogStore, shared: &Shared) {
    shared.catalog.store(store.snapshot());
    for inbox in &shared.inboxes {
        let _ = inbox.send(ShardMessage::CatalogChanged);
    }
}

/// Has every shard let go of the topics' logs, then removes their files. A removal that fails or
/// is cut by a crash is finished at the next start.
fn drop_logs(shared: &Shared, topics: &[Arc<Topic>]) {
    for topic in topics {
        let (done, all_done) = flume::bounded(0);
        for inbox in &shared.inboxes {
            let name = format!("{}/{}", topic.stream, topic.name);
            let _ = inbox.send(ShardMessage::DropTopic {
                topic: topic.id,
                name,
                done: done.clone(),
            });
        }
        drop(done);
        // Disconnected once the last shard has dropped its sender.
        while all_done.recv().is_ok() {}
        let dir = shared.data_dir.topic_dir(topic.id);
        match RealDisk.remove_dir_all(&dir) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(dir = %dir.display(), error = %e, "a deleted topic's files remain");
            }
            _ => {}
        }
    }
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

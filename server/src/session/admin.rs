//! Streams and topics: described from the catalog's snapshot, changed by its writer.

use std::ops::Bound;

use tidewire_protocol::batch::Codec;
use tidewire_protocol::connection::Ticket;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits;
use tidewire_protocol::message::{
    AnyRequest, Kind, PartitionsAdd, PartitionsAddReply, StreamCreateReply, StreamDeleteReply,
    StreamDescribeReply, StreamInfo, StreamListReply, TopicCreate, TopicCreateReply,
    TopicDeleteReply, TopicDescribeReply, TopicListReply, TopicUpdate, TopicUpdateReply,
};
use tidewire_protocol::name::{DEFAULT_STREAM, check_name};
use tidewire_protocol::options::OptionInfo;
use tidewire_protocol::options::topic::{CODEC, SEGMENT_BYTES};
use tidewire_storage::disk::Disk;
use tidewire_storage::{TopicChange, TopicSettings};

use super::{Pending, Refused, Session, no_stream};
use crate::catalog::{CatalogChange, CatalogJob, stream_info, topic_info};
use crate::message::Answer;

/// Bytes of names in one page of a list, so that its meta stays within the limit: half of it
/// leaves room for the fixed fields of `MAX_LIST_ITEMS` items.
const PAGE_NAME_BYTES: usize = limits::MAX_META_LEN as usize / 2;

impl<D: Disk> Session<D> {
    pub(super) fn administer(
        &mut self,
        ticket: Ticket,
        request: AnyRequest,
    ) -> Result<(), Refused> {
        let change = match request {
            AnyRequest::StreamDescribe(describe) => {
                return self.describe_stream(ticket, &describe.name);
            }
            AnyRequest::StreamList(list) => {
                self.list_streams(ticket, &list.after);
                return Ok(());
            }
            AnyRequest::TopicDescribe(describe) => {
                return match self.topic(&describe.stream, &describe.topic) {
                    Ok(topic) => {
                        let reply = TopicDescribeReply { topic: topic_info(&topic) };
                        self.protocol.reply(ticket, &reply, &[]);
                        Ok(())
                    }
                    Err(error) => Err((ticket, error)),
                };
            }
            AnyRequest::TopicList(list) => {
                return self.list_topics(ticket, &list.stream, &list.after);
            }
            AnyRequest::UserCreate(_)
            | AnyRequest::UserDelete(_)
            | AnyRequest::UserUpdate(_)
            | AnyRequest::UserPassword(_)
            | AnyRequest::UserDescribe(_)
            | AnyRequest::UserList(_)
            | AnyRequest::UserGrants(_)
            | AnyRequest::TokenCreate(_)
            | AnyRequest::TokenList(_)
            | AnyRequest::TokenDelete(_) => return self.access(ticket, request),
            other => change(ticket.kind, other),
        };
        match change {
            Ok(change) => {
                let origin = self.origin(ticket.correlation);
                let job = CatalogJob::Change { origin, change };
                if self.router.shared.catalog_jobs.send(job).is_err() {
                    return Err((ticket, Error::new(Code::SHUTTING_DOWN, "")));
                }
                self.pending.insert(ticket.correlation, Pending::Catalog(ticket));
                Ok(())
            }
            Err(error) => Err((ticket, error)),
        }
    }

    pub(super) fn answer_catalog(&mut self, ticket: Ticket, answer: Answer) {
        let protocol = &mut self.protocol;
        match answer {
            Answer::Stream(Ok(stream)) => {
                protocol.reply(ticket, &StreamCreateReply { stream }, &[]);
            }
            Answer::Topic(Ok(topic)) if ticket.kind == Kind::TOPIC_UPDATE => {
                protocol.reply(ticket, &TopicUpdateReply { topic }, &[]);
            }
            Answer::Topic(Ok(topic)) if ticket.kind == Kind::PARTITIONS_ADD => {
                protocol.reply(ticket, &PartitionsAddReply { topic }, &[]);
            }
            Answer::Topic(Ok(topic)) => {
                protocol.reply(ticket, &TopicCreateReply { topic }, &[]);
            }
            Answer::Deleted(Ok(())) if ticket.kind == Kind::STREAM_DELETE => {
                protocol.reply(ticket, &StreamDeleteReply {}, &[]);
            }
            Answer::Deleted(Ok(())) => protocol.reply(ticket, &TopicDeleteReply {}, &[]),
            Answer::Stream(Err(error))
            | Answer::Topic(Err(error))
            | Answer::Deleted(Err(error)) => protocol.reply_error(ticket, &error),
            _ => unreachable!("another answer than the catalog's"),
        }
    }

    fn describe_stream(&mut self, ticket: Ticket, name: &str) -> Result<(), Refused> {
        let catalog = self.router.shared.catalog.load();
        match catalog.streams.get(name) {
            Some(stream) => {
                let reply = StreamDescribeReply { stream: self.shown_stream(stream) };
                self.protocol.reply(ticket, &reply, &[]);
                Ok(())
            }
            None => Err((ticket, no_stream(name))),
        }
    }

    /// A stream as its user may see it: topics that are not for it are not counted.
    // SPEC R-5
    fn shown_stream(&self, stream: &tidewire_storage::Stream) -> StreamInfo {
        let mut info = stream_info(stream);
        if !self.sees_all() {
            let seen =
                stream.topics.keys().filter(|topic| self.sees_topic(&stream.name, topic));
            info.topics = u32::try_from(seen.count()).unwrap_or(u32::MAX);
        }
        info
    }

    fn list_streams(&mut self, ticket: Ticket, after: &str) {
        let catalog = self.router.shared.catalog.load();
        let items = catalog.streams.range::<str, _>((Bound::Excluded(after), Bound::Unbounded));
        let items = items.filter(|(name, _)| self.sees_stream(name));
        let (streams, more) =
            page(items.map(|(name, stream)| (name.len(), self.shown_stream(stream))));
        self.protocol.reply(ticket, &StreamListReply { streams, more }, &[]);
    }

    fn list_topics(
        &mut self,
        ticket: Ticket,
        stream: &str,
        after: &str,
    ) -> Result<(), Refused> {
        let catalog = self.router.shared.catalog.load();
        let Some(found) = catalog.streams.get(stream) else {
            return Err((ticket, no_stream(stream)));
        };
        let items = found.topics.range::<str, _>((Bound::Excluded(after), Bound::Unbounded));
        let items = items.filter(|(name, _)| self.sees_topic(stream, name));
        let (topics, more) =
            page(items.map(|(name, topic)| (name.len() + stream.len(), topic_info(topic))));
        self.protocol.reply(ticket, &TopicListReply { topics, more }, &[]);
        Ok(())
    }
}

/// As many items as a page holds, at least one, and whether some are left. Each comes with the bytes
/// of its names.
pub(crate) fn page<T>(items: impl Iterator<Item = (usize, T)>) -> (Vec<T>, bool) {
    let mut taken = Vec::new();
    let mut name_bytes = 0;
    for (names, item) in items {
        name_bytes += names;
        let full =
            taken.len() == limits::MAX_LIST_ITEMS as usize || name_bytes > PAGE_NAME_BYTES;
        if full && !taken.is_empty() {
            return (taken, true);
        }
        taken.push(item);
    }
    (taken, false)
}

/// Checks what a change asks for.
fn change(kind: Kind, request: AnyRequest) -> Result<CatalogChange, Error> {
    match request {
        AnyRequest::StreamCreate(create) => {
            check_name("stream", &create.name)?;
            Ok(CatalogChange::CreateStream { name: create.name })
        }
        AnyRequest::StreamDelete(delete) if delete.name == DEFAULT_STREAM => Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!("the stream \"{DEFAULT_STREAM}\" cannot be deleted"),
        )),
        AnyRequest::StreamDelete(delete) => Ok(CatalogChange::DeleteStream {
            name: delete.name,
            with_topics: delete.with_topics,
        }),
        AnyRequest::TopicCreate(create) => create_topic(create),
        AnyRequest::TopicUpdate(update) => update_topic(update),
        AnyRequest::PartitionsAdd(add) => add_partitions(add),
        AnyRequest::TopicDelete(delete) => {
            Ok(CatalogChange::DeleteTopic { stream: delete.stream, topic: delete.topic })
        }
        // Named by its kind alone: its fields may be nobody's business.
        _ => Err(Error::new(
            Code::UNKNOWN_KIND,
            format!("this server does not carry out {kind}"),
        )),
    }
}

fn create_topic(create: TopicCreate) -> Result<CatalogChange, Error> {
    check_name("stream", &create.stream)?;
    check_name("topic", &create.topic)?;
    check_partitions(&create.topic, create.partitions)?;
    let known = TopicSettings::default();
    let settings = TopicSettings {
        partitions: create.partitions,
        segment_bytes: check_segment_bytes(create.segment_bytes)?.unwrap_or(SEGMENT_BYTES),
        codec: match check_codec(create.codec)? {
            Some(codec) => codec,
            None => CODEC.parse()?,
        },
        retention_ms: check_option("retention_ms", create.retention_ms)?
            .unwrap_or(known.retention_ms),
        retention_bytes: check_option("retention_bytes", create.retention_bytes)?
            .unwrap_or(known.retention_bytes),
        dedup_window_ms: check_option("dedup_window_ms", create.dedup_window_ms)?
            .unwrap_or(known.dedup_window_ms),
    };
    Ok(CatalogChange::CreateTopic { stream: create.stream, topic: create.topic, settings })
}

fn update_topic(update: TopicUpdate) -> Result<CatalogChange, Error> {
    let change = TopicChange {
        partitions: None,
        segment_bytes: check_segment_bytes(update.segment_bytes)?,
        codec: check_codec(update.codec)?,
        retention_ms: check_option("retention_ms", update.retention_ms)?,
        retention_bytes: check_option("retention_bytes", update.retention_bytes)?,
        dedup_window_ms: check_option("dedup_window_ms", update.dedup_window_ms)?,
    };
    Ok(CatalogChange::UpdateTopic { stream: update.stream, topic: update.topic, change })
}

fn add_partitions(add: PartitionsAdd) -> Result<CatalogChange, Error> {
    check_partitions(&add.topic, add.partitions)?;
    let change = TopicChange { partitions: Some(add.partitions), ..TopicChange::default() };
    Ok(CatalogChange::UpdateTopic { stream: add.stream, topic: add.topic, change })
}

fn check_partitions(topic: &str, partitions: u32) -> Result<(), Error> {
    if (1..=limits::MAX_PARTITIONS).contains(&partitions) {
        return Ok(());
    }
    Err(Error::new(
        Code::INVALID_PARTITION_COUNT,
        format!(
            "topic \"{topic}\" cannot have {partitions} partitions: the count is 1 to {}",
            limits::MAX_PARTITIONS
        ),
    ))
}

fn check_segment_bytes(segment_bytes: Option<u64>) -> Result<Option<u64>, Error> {
    let range = u64::from(limits::MIN_SEGMENT_BYTES)..=u64::from(limits::MAX_SEGMENT_BYTES);
    match segment_bytes {
        Some(bytes) if !range.contains(&bytes) => Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!(
                "segment_bytes {bytes} is outside {} to {} bytes",
                range.start(),
                range.end()
            ),
        )),
        checked => Ok(checked),
    }
}

fn check_codec(codec: Option<Codec>) -> Result<Option<Codec>, Error> {
    match codec {
        Some(Codec::Other(codec)) => Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!("codec {codec} is not known here: 0 none, 1 lz4, 2 zstd"),
        )),
        checked => Ok(checked),
    }
}

/// Checks a number against the table of options.
fn check_option(name: &str, value: Option<u64>) -> Result<Option<u64>, Error> {
    let (Some(value), Some(option)) = (value, OptionInfo::find(name)) else { return Ok(value) };
    option.check(value).map(Some).map_err(|mut error| {
        error.code = Code::INVALID_ARGUMENT;
        error
    })
}

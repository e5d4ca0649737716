//! Streams, topics, groups, offsets and limits.
//!
//! Owns how the core's answers are handed to Python: as tuples, in the order of the fields of the
//! package's classes, which name them. The one invariant: nothing is decided here.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tidewire::{
    CommittedOffset, GroupDescription, GroupInfo, GroupState, LimitInfo, PartitionInfo,
    ProducerInfo, StreamInfo, TopicConfig, TopicInfo,
};

use crate::call::{call, none};
use crate::client::Client;
use crate::input::{Count, start};
use crate::options::{Options, codec_name};
use crate::queue::Queue;

pub(crate) fn object<'py, T: IntoPyObject<'py>>(
    py: Python<'py>,
    value: T,
) -> PyResult<Py<PyAny>> {
    value.into_py_any(py)
}

fn offset(py: Python<'_>, offset: u64) -> PyResult<Py<PyAny>> {
    object(py, offset)
}

type Stream = (String, u64, i64, u32);

fn stream(info: StreamInfo) -> Stream {
    (info.name, info.id, info.created_us, info.topics)
}

type Topic = (String, String, u64, i64, u32, u64, &'static str, u64, u64, u64);

fn topic(info: TopicInfo) -> Topic {
    (
        info.stream,
        info.name,
        info.id,
        info.created_us,
        info.partitions,
        info.segment_bytes,
        codec_name(info.codec),
        info.retention_ms,
        info.retention_bytes,
        info.dedup_window_ms,
    )
}

fn partition(info: PartitionInfo) -> (u32, u32, u64, u64, u64, u64, u32, u16) {
    (
        info.partition,
        info.shard,
        info.start_offset,
        info.end_offset,
        info.synced_offset,
        info.size_bytes,
        info.segments,
        info.error,
    )
}

fn producer(info: ProducerInfo) -> (String, u64, u32, i64) {
    (info.name, info.producer_id, info.producer_epoch, info.opened_us)
}

fn limit(info: LimitInfo) -> (String, u64, String, bool, u64) {
    (info.name, info.value, info.unit, info.configured, info.used)
}

fn group(info: GroupInfo) -> (String, i64, &'static str, u32, u32, u32, u32) {
    let state = match info.state {
        GroupState::Empty => "empty",
        GroupState::Stable => "stable",
        GroupState::Rebalancing => "rebalancing",
        _ => "other",
    };
    let GroupInfo { name, created_us, generation, members, partitions, offsets, .. } = info;
    (name, created_us, state, generation, members, partitions, offsets)
}

fn description(py: Python<'_>, found: GroupDescription) -> PyResult<Py<PyAny>> {
    let members: Vec<_> = found
        .members
        .into_iter()
        .map(|member| {
            let topics = member.topics.iter();
            let topics: Vec<String> =
                topics.map(|topic| format!("{}/{}", topic.stream, topic.topic)).collect();
            (
                member.member_id,
                member.member_epoch,
                member.member_name,
                member.client_name,
                member.address,
                member.connected,
                member.session_timeout_ms,
                member.rebalance_timeout_ms,
                member.partitions,
                topics,
            )
        })
        .collect();
    let partitions: Vec<_> = found
        .partitions
        .into_iter()
        .map(|part| {
            (
                format!("{}/{}", part.stream, part.topic),
                part.partition,
                (part.member_id != 0).then_some(part.member_id),
                part.revoking,
                part.stored.then_some(part.offset),
                part.stored.then_some(part.commit_us),
            )
        })
        .collect();
    object(py, (group(found.info), members, partitions))
}

fn committed(found: Option<CommittedOffset>) -> Option<(u64, i64, String)> {
    found.map(|found| (found.offset, found.commit_us, found.note))
}

fn config(options: &Bound<'_, PyDict>) -> PyResult<TopicConfig> {
    let options = Options::new(options);
    let mut config = TopicConfig::default();
    macro_rules! number {
        ($($name:ident)*) => {$(
            if let Some(value) = options.number(stringify!($name))? {
                config = config.$name(value);
            }
        )*};
    }
    number!(partitions segment_bytes retention_ms retention_bytes dedup_window_ms);
    if let Some(codec) = options.codec(false)? {
        config = config.codec(codec);
    }
    Ok(config)
}

/// Methods that make one request of what they are given.
macro_rules! requests {
    ($($name:ident($($arg:ident: $type:ty),*) as $what:literal
        |$client:ident| $request:expr => $make:expr;)*) => {
        #[pymethods]
        impl Client {
            $(
                fn $name(
                    &self,
                    py: Python<'_>,
                    queue: Option<&Queue>,
                    $($arg: $type),*
                ) -> PyResult<Py<PyAny>> {
                    let $client = self.core(py)?;
                    let request = async move { $request.await };
                    call(py, self.inner.runtime(), queue, $what, request, $make)
                }
            )*
        }
    };
}

pub(crate) use requests;

requests! {
    create_stream(name: String) as "create_stream"
        |client| client.create_stream(&name) => |py, info| object(py, stream(info));
    describe_stream(name: String) as "describe_stream"
        |client| client.describe_stream(&name) => |py, info| object(py, stream(info));
    delete_stream(name: String, with_topics: bool) as "delete_stream"
        |client| client.delete_stream(&name, with_topics) => none;
    purge_stream(name: String) as "purge_stream"
        |client| client.purge_stream(&name) => none;
    list_streams() as "list_streams"
        |client| client.list_streams() =>
        |py, all| object(py, all.into_iter().map(stream).collect::<Vec<_>>());
    describe_limits() as "describe_limits"
        |client| client.describe_limits() =>
        |py, all| object(py, all.into_iter().map(limit).collect::<Vec<_>>());
    add_partitions(name: String, partitions: Count<u32>) as "add_partitions"
        |client| client.add_partitions(&name, partitions.0) => |py, info| object(py, topic(info));
    describe_topic(name: String) as "describe_topic"
        |client| client.describe_topic(&name) => |py, info| object(py, topic(info));
    list_topics(stream: String) as "list_topics"
        |client| client.list_topics(&stream) =>
        |py, all| object(py, all.into_iter().map(topic).collect::<Vec<_>>());
    delete_topic(name: String) as "delete_topic"
        |client| client.delete_topic(&name) => none;
    purge_topic(name: String) as "purge_topic"
        |client| client.purge_topic(&name) => none;
    truncate(name: String, partition: Count<u32>, before: Count<u64>) as "truncate"
        |client| client.truncate(&name, partition.0, before.0) => offset;
    partitions(name: String) as "partitions"
        |client| client.partitions(&name) =>
        |py, all| object(py, all.into_iter().map(partition).collect::<Vec<_>>());
    producers(name: String) as "producers"
        |client| client.producers(&name) =>
        |py, all| object(py, all.into_iter().map(producer).collect::<Vec<_>>());
    forget_producer(topic: String, name: String) as "forget_producer"
        |client| client.forget_producer(&topic, &name) => none;
    create_group(name: String) as "create_group"
        |client| client.create_group(&name) => |py, info| object(py, group(info));
    list_groups() as "list_groups"
        |client| client.list_groups() =>
        |py, all| object(py, all.into_iter().map(group).collect::<Vec<_>>());
    describe_group(name: String) as "describe_group"
        |client| client.describe_group(&name) => description;
    delete_group(name: String) as "delete_group"
        |client| client.delete_group(&name) => none;
    committed(group: String, topic: String) as "committed"
        |client| client.committed(&group, &topic) =>
        |py, all| object(py, all.into_iter().map(committed).collect::<Vec<_>>());
    delete_offsets(group: String, topic: String, partitions: Option<Vec<u32>>) as "delete_offsets"
        |client| client.delete_offsets(&group, &topic, partitions.as_deref()) => none;
}

#[pymethods]
impl Client {
    fn create_topic(
        &self,
        py: Python<'_>,
        queue: Option<&Queue>,
        name: String,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Py<PyAny>> {
        let (client, config) = (self.core(py)?, config(options)?);
        let request = async move { client.create_topic(&name, config).await };
        call(py, self.inner.runtime(), queue, "create_topic", request, |py, info| {
            object(py, topic(info))
        })
    }

    fn update_topic(
        &self,
        py: Python<'_>,
        queue: Option<&Queue>,
        name: String,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Py<PyAny>> {
        let (client, config) = (self.core(py)?, config(options)?);
        let request = async move { client.update_topic(&name, config).await };
        call(py, self.inner.runtime(), queue, "update_topic", request, |py, info| {
            object(py, topic(info))
        })
    }

    #[expect(clippy::too_many_arguments, reason = "they are the call's")]
    fn reset_offsets(
        &self,
        py: Python<'_>,
        queue: Option<&Queue>,
        group: String,
        topic: String,
        partitions: Option<Vec<u32>>,
        to: &Bound<'_, PyAny>,
        force: bool,
    ) -> PyResult<Py<PyAny>> {
        let client = self.core(py)?;
        let Some(to) = start(Some(to))? else {
            let text = "to must be a place: \"earliest\", \"latest\", an offset or a time";
            return Err(pyo3::exceptions::PyTypeError::new_err(text));
        };
        let request = async move {
            client.reset_offsets(&group, &topic, partitions.as_deref(), to, force).await
        };
        call(py, self.inner.runtime(), queue, "reset_offsets", request, |py, all| {
            object(py, all)
        })
    }
}

//! The operations, each a call or two of the public SDK.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidewire::{
    Acks, Client, ClientBuilder, Codec, FetchOptions, Producer, ProducerBuilder, QueueFull,
    Secret, Start, StreamInfo, Ticket, TopicConfig,
};

use crate::values::{self, Digests, number, record_of};
use crate::{Failure, Handles, OpenConsumer, Shared};

pub(crate) type Outcome = Result<Value, Failure>;

const FEATURES: &[&str] = &[
    "admin",
    "fetch",
    "producer",
    "enqueue",
    "named_producer",
    "record_id",
    "codecs",
    "consumer",
    "next_record",
    "seek",
    "pause",
    "positions",
    "partitions",
    "stats",
    "events",
    "cancel",
    "concurrent",
    "reconnect",
    "timestamps",
    "retention",
    "option_structs",
    "topic_update",
    "truncate",
    "groups",
    "offsets",
    "users",
];

pub(crate) fn text<'a>(args: &'a Value, name: &str) -> Result<&'a str, Failure> {
    args[name].as_str().ok_or_else(|| Failure::Bad(format!("{name} is missing")))
}

pub(crate) fn with<T>(handles: &Shared, f: impl FnOnce(&mut Handles) -> T) -> T {
    f(&mut handles.lock().expect("no panic inside"))
}

pub(crate) fn client(handles: &Shared, args: &Value) -> Result<Client, Failure> {
    let name = text(args, "client")?;
    with(handles, |handles| handles.clients.get(name).cloned())
        .ok_or_else(|| Failure::Bad(format!("no client {name}")))
}

fn producer(handles: &Shared, args: &Value) -> Result<Producer, Failure> {
    let name = text(args, "producer")?;
    with(handles, |handles| handles.producers.get(name).cloned())
        .ok_or_else(|| Failure::Bad(format!("no producer {name}")))
}

pub(crate) fn consumer(handles: &Shared, args: &Value) -> Result<OpenConsumer, Failure> {
    let name = text(args, "consumer")?;
    with(handles, |handles| handles.consumers.get(name).cloned())
        .ok_or_else(|| Failure::Bad(format!("no consumer {name}")))
}

pub(crate) fn timeout(args: &Value) -> Duration {
    Duration::from_millis(number(&args["timeout_ms"]).unwrap_or(10_000))
}

pub(crate) fn narrow(value: &Value) -> Result<u32, Failure> {
    number(value)
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| Failure::Bad(format!("{value} is no u32")))
}

pub(crate) fn wide(value: &Value) -> Result<u64, Failure> {
    number(value).ok_or_else(|| Failure::Bad(format!("{value} is no u64")))
}

pub(crate) fn no_option(name: &str) -> Failure {
    Failure::Unsupported(format!("the SDK has no option {name}"))
}

pub(crate) fn options(args: &Value) -> impl Iterator<Item = (&str, &Value)> {
    args["options"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}

pub(crate) fn place(value: &Value) -> Result<Start, Failure> {
    Ok(match value.as_str() {
        Some("earliest") => Start::Earliest,
        Some("latest") => Start::Latest,
        _ => Start::Offset(wide(value)?),
    })
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn codec(value: &Value) -> Result<Codec, Failure> {
    Ok(match value.as_str() {
        Some("none") => Codec::None,
        Some("lz4") => Codec::Lz4,
        Some("zstd") => Codec::Zstd,
        _ => return Err(Failure::Bad(format!("codec {value}"))),
    })
}

fn acks(value: &Value) -> Result<Acks, Failure> {
    Ok(match value.as_str() {
        Some("none") => Acks::None,
        Some("written") => Acks::Written,
        Some("synced") => Acks::Synced,
        _ => return Err(Failure::Bad(format!("acks {value}"))),
    })
}

fn client_options(args: &Value) -> Result<ClientBuilder, Failure> {
    let mut builder = Client::builder();
    if let Some(url) = args["url"].as_str() {
        builder = builder.url(url);
    }
    for (name, value) in options(args) {
        builder = match name {
            "client_name" => builder.client_name(word(value)),
            "user" => builder.user(word(value)),
            "secret" => builder.secret(Secret::new(word(value))),
            "secret_file" => builder.secret_file(word(value)),
            "tls_ca_file" => builder.tls_ca_file(word(value)),
            "tls_cert_file" => builder.tls_cert_file(word(value)),
            "tls_key_file" => builder.tls_key_file(word(value)),
            "tls_danger" => builder.tls_danger(word(value)),
            "connect_timeout_ms" => builder.connect_timeout_ms(narrow(value)?),
            "request_timeout_ms" => builder.request_timeout_ms(narrow(value)?),
            "heartbeat_ms" => builder.heartbeat_ms(narrow(value)?),
            "retry_backoff_ms" => builder.retry_backoff_ms(narrow(value)?),
            "retry_backoff_max_ms" => builder.retry_backoff_max_ms(narrow(value)?),
            other => return Err(no_option(other)),
        };
    }
    Ok(builder)
}

fn topic_options(args: &Value) -> Result<TopicConfig, Failure> {
    let mut config = TopicConfig::default();
    for (name, value) in options(args) {
        config = match name {
            "partitions" => config.partitions(narrow(value)?),
            "segment_bytes" => config.segment_bytes(wide(value)?),
            "codec" => config.codec(codec(value)?),
            "retention_ms" => config.retention_ms(wide(value)?),
            "retention_bytes" => config.retention_bytes(wide(value)?),
            "dedup_window_ms" => config.dedup_window_ms(wide(value)?),
            other => return Err(no_option(other)),
        };
    }
    Ok(config)
}

fn producer_options(
    mut builder: ProducerBuilder,
    args: &Value,
) -> Result<ProducerBuilder, Failure> {
    if let Some(name) = args["name"].as_str() {
        builder = builder.name(name);
    }
    for (name, value) in options(args) {
        builder = match name {
            "acks" => builder.acks(acks(value)?),
            "linger_ms" => builder.linger_ms(narrow(value)?),
            "batch_bytes" => builder.batch_bytes(narrow(value)?),
            "batch_records" => builder.batch_records(narrow(value)?),
            "queue_bytes" => builder.queue_bytes(narrow(value)?),
            "max_in_flight" => builder.max_in_flight(narrow(value)?),
            "codec" => builder.codec(codec(value)?),
            "delivery_timeout_ms" => builder.delivery_timeout_ms(narrow(value)?),
            "queue_full" => builder.queue_full(match value.as_str() {
                Some("block") => QueueFull::Block,
                Some("error") => QueueFull::Error,
                Some("drop") => QueueFull::Drop,
                _ => return Err(Failure::Bad(format!("queue_full {value}"))),
            }),
            other => return Err(no_option(other)),
        };
    }
    Ok(builder)
}

fn stream(info: &StreamInfo) -> Value {
    json!({
        "name": info.name, "id": info.id.to_string(), "topics": info.topics,
        "created_us": info.created_us.to_string(),
    })
}

fn server(client: &Client) -> Value {
    let server = client.server();
    let limits = server.limits;
    json!({
        "name": server.name, "version": server.version, "address": server.address,
        "id": server.id.to_string(),
        "limits": {
            "max_frame_len": limits.max_frame_len,
            "max_batch_len": limits.max_batch_len,
            "max_batch_records": limits.max_batch_records,
            "max_in_flight": limits.max_in_flight,
            "max_channels": limits.max_channels,
        },
    })
}

async fn receipt(ticket: Ticket) -> Outcome {
    let receipt = ticket.await?;
    Ok(json!({
        "partition": receipt.partition,
        "offset": receipt.offset.to_string(),
        "append_time_us": receipt.append_time_us.to_string(),
        "acks": format!("{:?}", receipt.acks).to_lowercase(),
        "duplicate": receipt.duplicate,
    }))
}

async fn receipt_or_error(ticket: Ticket) -> Value {
    match receipt(ticket).await {
        Ok(value) => value,
        Err(Failure::Sdk(error)) => json!({"error": values::error(&error)}),
        Err(Failure::Unsupported(what) | Failure::Bad(what)) => json!({"error": what}),
    }
}

fn records(args: &Value) -> impl Iterator<Item = &Value> {
    args["records"].as_array().into_iter().flatten()
}

pub(crate) async fn run(handles: &Shared, op: &str, args: &Value) -> Outcome {
    match op.split('.').next().unwrap_or_default() {
        "producer" => produce(handles, op, args).await,
        "consumer" => consume(handles, op, args).await,
        "group" | "offsets" => crate::groups::run(handles, op, args).await,
        "user" | "token" => crate::users::run(handles, op, args).await,
        "stream" | "topic" => admin(handles, op, args).await,
        _ => general(handles, op, args).await,
    }
}

async fn general(handles: &Shared, op: &str, args: &Value) -> Outcome {
    match op {
        "hello" => Ok(json!({
            "protocol": 1, "sdk": "rust", "language": "Rust",
            "sdk_version": env!("CARGO_PKG_VERSION"), "features": FEATURES,
        })),
        "connect" => {
            let name = text(args, "client")?.to_owned();
            let client = client_options(args)?.connect().await?;
            let info = server(&client);
            with(handles, |handles| handles.clients.insert(name, client));
            Ok(info)
        }
        "server" => Ok(server(&client(handles, args)?)),
        "ping" => {
            client(handles, args)?.ping().await?;
            Ok(json!({}))
        }
        "client.close" => {
            client(handles, args)?.close().await?;
            Ok(json!({}))
        }
        "fetch" => {
            let mut options = FetchOptions::default();
            if let Some(bytes) = number(&args["max_bytes"]) {
                options = options.max_bytes(bytes as u32);
            }
            if let Some(bytes) = number(&args["min_bytes"]) {
                options = options.min_bytes(bytes as u32);
            }
            if let Some(wait) = number(&args["max_wait_ms"]) {
                options = options.max_wait_ms(wait as u32);
            }
            let (partition, offset) = (narrow(&args["partition"])?, wide(&args["offset"])?);
            let fetched = client(handles, args)?
                .fetch(text(args, "topic")?, partition, offset, options)
                .await?;
            let records: Vec<Value> = fetched
                .batches
                .iter()
                .flat_map(|batch| batch.iter().map(|each| values::record(&each)))
                .collect();
            Ok(json!({
                "records": records, "batches": fetched.batches.len(),
                "start_offset": fetched.start_offset.to_string(),
                "end_offset": fetched.end_offset.to_string(),
                "next_offset": fetched.next_offset.to_string(),
            }))
        }
        "events.watch" => {
            let events = client(handles, args)?.events();
            let events = Arc::new(tokio::sync::Mutex::new(events));
            let name = text(args, "client")?.to_owned();
            with(handles, |handles| handles.events.insert(name, events));
            Ok(json!({}))
        }
        "events.next" => {
            let name = text(args, "client")?;
            let events = with(handles, |handles| handles.events.get(name).cloned())
                .ok_or_else(|| Failure::Bad("events.watch comes first".to_owned()))?;
            let mut events = events.lock().await;
            let next = tokio::time::timeout(timeout(args), events.next()).await;
            let event = next.ok().flatten().map(|event| values::event(&event));
            Ok(json!({"event": event}))
        }
        other => Err(Failure::Unsupported(format!("no operation {other}"))),
    }
}

async fn admin(handles: &Shared, op: &str, args: &Value) -> Outcome {
    let client = client(handles, args)?;
    Ok(match op {
        "stream.create" => stream(&client.create_stream(text(args, "name")?).await?),
        "stream.describe" => stream(&client.describe_stream(text(args, "name")?).await?),
        "stream.list" => {
            let streams = client.list_streams().await?;
            json!({"streams": streams.iter().map(stream).collect::<Vec<_>>()})
        }
        "stream.delete" => {
            let with_topics = args["with_topics"].as_bool().unwrap_or_default();
            client.delete_stream(text(args, "name")?, with_topics).await?;
            json!({})
        }
        "topic.create" => {
            let config = topic_options(args)?;
            values::topic(&client.create_topic(text(args, "topic")?, config).await?)
        }
        "topic.describe" => values::topic(&client.describe_topic(text(args, "topic")?).await?),
        "topic.list" => {
            let topics = client.list_topics(text(args, "stream")?).await?;
            json!({"topics": topics.iter().map(values::topic).collect::<Vec<_>>()})
        }
        "topic.update" => {
            let config = topic_options(args)?;
            values::topic(&client.update_topic(text(args, "topic")?, config).await?)
        }
        "topic.add_partitions" => {
            let partitions = narrow(&args["partitions"])?;
            values::topic(&client.add_partitions(text(args, "topic")?, partitions).await?)
        }
        "topic.purge" => {
            client.purge_topic(text(args, "topic")?).await?;
            json!({})
        }
        "topic.truncate" => {
            let (partition, before) =
                (narrow(&args["partition"])?, wide(&args["before_offset"])?);
            let start = client.truncate(text(args, "topic")?, partition, before).await?;
            json!({"start_offset": start.to_string()})
        }
        "stream.purge" => {
            client.purge_stream(text(args, "name")?).await?;
            json!({})
        }
        "topic.delete" => {
            client.delete_topic(text(args, "topic")?).await?;
            json!({})
        }
        "topic.partitions" => {
            let partitions = client.partitions(text(args, "topic")?).await?;
            let partitions: Vec<Value> = partitions
                .iter()
                .map(|info| {
                    json!({
                        "partition": info.partition,
                        "start_offset": info.start_offset.to_string(),
                        "end_offset": info.end_offset.to_string(),
                        "synced_offset": info.synced_offset.to_string(),
                        "size_bytes": info.size_bytes.to_string(),
                        "segments": info.segments,
                        "error": info.error,
                    })
                })
                .collect();
            json!({ "partitions": partitions })
        }
        other => return Err(Failure::Unsupported(format!("no operation {other}"))),
    })
}

async fn produce(handles: &Shared, op: &str, args: &Value) -> Outcome {
    if op == "producer.open" {
        let client = client(handles, args)?;
        let builder = client.producer(text(args, "topic")?);
        let producer = producer_options(builder, args)?.build().await?;
        let partitions = producer.partitions();
        let name = text(args, "producer")?.to_owned();
        with(handles, |handles| handles.producers.insert(name, producer));
        return Ok(json!({ "partitions": partitions }));
    }
    let producer = producer(handles, args)?;
    Ok(match op {
        "producer.send" => {
            let record = record_of(&args["record"])?;
            let receipt = producer.send(record).await?;
            json!({
                "partition": receipt.partition,
                "offset": receipt.offset.to_string(),
                "append_time_us": receipt.append_time_us.to_string(),
                "acks": format!("{:?}", receipt.acks).to_lowercase(),
                "duplicate": receipt.duplicate,
            })
        }
        "producer.send_many" => {
            let mut tickets = Vec::new();
            for record in records(args) {
                let mut record = record_of(record)?;
                loop {
                    match producer.enqueue(record) {
                        Ok(ticket) => break tickets.push(ticket),
                        Err(refused)
                            if refused.error().code() == tidewire::Code::QUEUE_FULL =>
                        {
                            record = refused.into_record();
                            producer.ready().await?;
                        }
                        Err(refused) => return Err(refused.into_parts().0.into()),
                    }
                }
            }
            // What fails is told by its ticket.
            let _ = producer.flush().await;
            let mut receipts = Vec::new();
            for ticket in tickets {
                receipts.push(receipt_or_error(ticket).await);
            }
            json!({ "receipts": receipts })
        }
        "producer.enqueue" => {
            let mut names = Vec::new();
            for record in records(args) {
                let ticket = producer
                    .enqueue(record_of(record)?)
                    .map_err(|refused| refused.into_parts().0)?;
                names.push(with(handles, |handles| {
                    handles.next_ticket += 1;
                    let name = format!("t{}", handles.next_ticket);
                    handles.tickets.insert(name.clone(), ticket);
                    name
                }));
            }
            json!({ "tickets": names })
        }
        "producer.wait" => {
            let mut receipts = Vec::new();
            for name in args["tickets"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap_or_default();
                let ticket = with(handles, |handles| handles.tickets.remove(name))
                    .ok_or_else(|| Failure::Bad(format!("no ticket {name}")))?;
                receipts.push(receipt_or_error(ticket).await);
            }
            json!({ "receipts": receipts })
        }
        "producer.flush" => {
            producer.flush().await?;
            json!({})
        }
        "producer.close" => {
            producer.close().await.map_err(tidewire::Error::from)?;
            json!({})
        }
        "producer.stats" => json!({"queued_bytes": producer.queued_bytes().to_string()}),
        other => return Err(Failure::Unsupported(format!("no operation {other}"))),
    })
}

async fn consume(handles: &Shared, op: &str, args: &Value) -> Outcome {
    if op == "consumer.open" {
        return open_consumer(handles, args).await;
    }
    let open = consumer(handles, args)?;
    if op == "consumer.close" {
        // Whoever waits for the next batch is told first, and lets go of the consumer.
        open.control.close();
        if let Some(consumer) = open.consumer.lock().await.take() {
            consumer.close().await;
        }
        return Ok(json!({}));
    }
    let mut guard = open.consumer.lock().await;
    let Some(consumer) = guard.as_mut() else {
        // What a closed consumer says: in Rust it is gone, and its waiting has ended.
        return Ok(json!({"batch": null, "record": null, "closed": true}));
    };
    Ok(match op {
        "consumer.next_batch" => {
            match tokio::time::timeout(timeout(args), consumer.next_batch()).await {
                Ok(batch) => {
                    let batch = batch?;
                    json!({"batch": batch.as_ref().map(values::batch), "closed": batch.is_none()})
                }
                Err(_) => json!({"batch": null, "closed": false}),
            }
        }
        "consumer.next_record" => {
            match tokio::time::timeout(timeout(args), consumer.next_record()).await {
                Ok(record) => {
                    let record = record?;
                    let shown = record.as_ref().map(|record| values::record(&record.view()));
                    json!({"record": shown, "closed": record.is_none()})
                }
                Err(_) => json!({"record": null, "closed": false}),
            }
        }
        "consumer.read" => read(consumer, args).await?,
        "consumer.commit" => {
            consumer.commit().await?;
            json!({})
        }
        "consumer.seek" => {
            consumer.seek(narrow(&args["partition"])?, place(&args["to"])?)?;
            json!({})
        }
        "consumer.pause" => {
            consumer.pause(narrow(&args["partition"])?)?;
            json!({})
        }
        "consumer.resume" => {
            consumer.resume(narrow(&args["partition"])?)?;
            json!({})
        }
        "consumer.add_partition" => {
            consumer.add_partition(narrow(&args["partition"])?, place(&args["start"])?)?;
            json!({})
        }
        "consumer.remove_partition" => {
            consumer.remove_partition(narrow(&args["partition"])?)?;
            json!({})
        }
        "consumer.positions" => {
            let positions: Vec<Value> = consumer
                .positions()
                .iter()
                .map(|position| {
                    json!({
                        "topic": position.topic,
                        "partition": position.partition,
                        "stored_offset": position.stored_offset.map(|offset| offset.to_string()),
                        "next_offset": position.next_offset.to_string(),
                        "end_offset": position.end_offset.to_string(),
                    })
                })
                .collect();
            json!({"positions": positions, "lag": consumer.lag().to_string()})
        }
        "consumer.stats" => {
            let stats = consumer.stats();
            json!({
                "partitions": stats.partitions, "live_partitions": stats.live_partitions,
                "buffered_bytes": stats.buffered_bytes.to_string(),
                "batches": stats.batches.to_string(), "bytes": stats.bytes.to_string(),
                "resubscriptions": stats.resubscriptions.to_string(),
            })
        }
        other => return Err(Failure::Unsupported(format!("no operation {other}"))),
    })
}

async fn open_consumer(handles: &Shared, args: &Value) -> Outcome {
    let client = client(handles, args)?;
    let mut builder = client.consumer(text(args, "topic")?);
    for (name, value) in options(args) {
        builder = match name {
            "start" => builder.start(place(value)?),
            "prefetch_bytes" => builder.prefetch_bytes(narrow(value)?),
            "on_out_of_range" => builder.on_out_of_range(word(value).parse()?),
            "member_name" => builder.member_name(word(value)),
            "session_timeout_ms" => builder.session_timeout_ms(narrow(value)?),
            "rebalance_timeout_ms" => builder.rebalance_timeout_ms(narrow(value)?),
            "auto_commit" => builder.auto_commit(word(value).parse()?),
            "auto_commit_interval_ms" => builder.auto_commit_interval_ms(narrow(value)?),
            other => return Err(no_option(other)),
        };
    }
    if let Some(group) = args["group"].as_str() {
        builder = builder.group(group);
    }
    if let Some(name) = args["name"].as_str() {
        builder = builder.name(name);
    }
    if let Some(partitions) = args["partitions"].as_array() {
        let partitions: Result<Vec<u32>, Failure> = partitions.iter().map(narrow).collect();
        builder = builder.partitions(partitions?);
    }
    for (partition, offset) in args["start_at"].as_object().into_iter().flatten() {
        let partition = narrow(&Value::String(partition.clone()))?;
        builder = builder.start_at(partition, wide(offset)?);
    }
    let consumer = builder.build().await?;
    let control = consumer.control();
    let consumer = Arc::new(tokio::sync::Mutex::new(Some(consumer)));
    let name = text(args, "consumer")?.to_owned();
    with(handles, |handles| handles.consumers.insert(name, OpenConsumer { consumer, control }));
    Ok(json!({}))
}

/// Reads whole batches until there are `count` records, or the time is up.
async fn read(consumer: &mut tidewire::Consumer, args: &Value) -> Outcome {
    let count = wide(&args["count"])?;
    let digest = args["digest"].as_bool().unwrap_or_default();
    let deadline = tokio::time::Instant::now() + timeout(args);
    let (mut records, mut digests, mut seen) = (Vec::new(), Digests::default(), 0u64);
    while seen < count {
        let Ok(batch) = tokio::time::timeout_at(deadline, consumer.next_batch()).await else {
            break;
        };
        let Some(batch) = batch? else { break };
        for record in &batch {
            seen += 1;
            if digest {
                digests.add(&record);
            } else {
                records.push(values::record(&record));
            }
        }
    }
    Ok(if digest {
        json!({"count": seen.to_string(), "digests": digests.finish()})
    } else {
        json!({"count": seen.to_string(), "records": records})
    })
}

//! The operations, each a call or two of the public SDK.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidewire::{
    Client, ClientBuilder, Code, Consumer, FetchOptions, Producer, Secret, Start, StreamInfo,
    Ticket, TopicConfig,
};
use tokio::time::{timeout, timeout_at};

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
    "named_consumer",
    "users",
    "limits",
    "fork",
    "interrupt",
    "no_blocking",
];

/// The arguments of an operation, and what they refer to by name.
pub(crate) struct Args<'a> {
    handles: &'a Shared,
    pub(crate) args: &'a Value,
}

impl Args<'_> {
    pub(crate) fn text(&self, name: &str) -> Result<&str, Failure> {
        self.args[name].as_str().ok_or_else(|| Failure::Bad(format!("{name} is missing")))
    }

    pub(crate) fn wide(&self, name: &str) -> Result<u64, Failure> {
        number(&self.args[name]).ok_or_else(|| Failure::Bad(format!("{name} is no number")))
    }

    fn narrow(&self, name: &str) -> Result<u32, Failure> {
        u32::try_from(self.wide(name)?).map_err(|_| Failure::Bad(format!("{name} is no u32")))
    }

    fn place(&self, name: &str) -> Result<Start, Failure> {
        Ok(self.text(name)?.parse()?)
    }

    fn limit(&self) -> Duration {
        Duration::from_millis(number(&self.args["timeout_ms"]).unwrap_or(10_000))
    }

    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.args[name].as_array().into_iter().flatten()
    }

    /// A builder with all options that were given, in code.
    fn with_options<B>(
        &self,
        builder: B,
        set: impl Fn(B, &str, &str) -> Result<B, tidewire::Error>,
    ) -> Result<B, Failure> {
        let options = self.args["options"].as_object().into_iter().flatten();
        let text =
            |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        options
            .map(|(name, value)| (name, text(value)))
            .try_fold(builder, |builder, (name, value)| Ok(set(builder, name, &value)?))
    }

    fn topic_config(&self) -> Result<TopicConfig, Failure> {
        self.with_options(TopicConfig::default(), TopicConfig::option)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Handles) -> T) -> T {
        f(&mut self.handles.lock().expect("no panic inside"))
    }

    /// What was opened under the name that `what` gives.
    fn opened<T>(
        &self,
        what: &str,
        find: impl FnOnce(&mut Handles, &str) -> Option<T>,
    ) -> Result<T, Failure> {
        let name = self.text(what)?;
        self.with(|handles| find(handles, name))
            .ok_or_else(|| Failure::Bad(format!("no {what} {name}")))
    }

    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.opened("client", |handles, name| handles.clients.get(name).cloned())
    }

    fn producer(&self) -> Result<Producer, Failure> {
        self.opened("producer", |handles, name| handles.producers.get(name).cloned())
    }
}

pub(crate) async fn run(handles: &Shared, op: &str, args: &Value) -> Outcome {
    let args = Args { handles, args };
    match op.split_once('.') {
        // Of a producer that is open; the others are about names of producers.
        Some(("producer", "list" | "forget")) => admin(&args, op).await,
        Some(("producer", what)) => produce(&args, what).await,
        Some(("consumer", "open")) => open_consumer(&args).await,
        Some(("consumer", what)) => consume(&args, what).await,
        Some(("user" | "token", _)) => crate::users::run(&args, op).await,
        Some(("process", what)) => crate::process::run(&args, what).await,
        _ => admin(&args, op).await,
    }
}

/// All that returns nothing.
pub(crate) fn done((): ()) -> Value {
    json!({})
}

async fn admin(a: &Args<'_>, op: &str) -> Outcome {
    match op {
        "hello" => {
            return Ok(json!({
                "protocol": 1, "sdk": "rust", "language": "Rust",
                "sdk_version": env!("CARGO_PKG_VERSION"), "features": FEATURES,
            }));
        }
        "connect" => {
            let set = |builder: ClientBuilder, name: &str, value: &str| match name {
                "secret" => Ok(builder.secret(Secret::new(value))),
                _ => builder.option(name, value),
            };
            let builder = a.with_options(Client::builder(), set)?;
            let client = match a.text("url") {
                Ok(url) => builder.url(url),
                Err(_) => builder,
            };
            let client = client.connect().await?;
            let (name, info) = (a.text("client")?.to_owned(), values::server(&client.server()));
            a.with(|handles| handles.clients.insert(name, client));
            return Ok(info);
        }
        _ => {}
    }
    let client = a.client()?;
    Ok(match op {
        "server" => values::server(&client.server()),
        "ping" => client.ping().await.map(|_| json!({}))?,
        "limits.describe" => values::limits(&client.describe_limits().await?),
        "client.close" => done(client.close().await?),
        "stream.create" => stream(&client.create_stream(a.text("name")?).await?),
        "stream.describe" => stream(&client.describe_stream(a.text("name")?).await?),
        "stream.list" => {
            let streams = client.list_streams().await?;
            json!({"streams": streams.iter().map(stream).collect::<Vec<_>>()})
        }
        "stream.delete" => {
            let with_topics = a.args["with_topics"].as_bool().unwrap_or_default();
            done(client.delete_stream(a.text("name")?, with_topics).await?)
        }
        "stream.purge" => done(client.purge_stream(a.text("name")?).await?),
        "topic.create" => {
            values::topic(&client.create_topic(a.text("topic")?, a.topic_config()?).await?)
        }
        "topic.describe" => values::topic(&client.describe_topic(a.text("topic")?).await?),
        "topic.list" => {
            let topics = client.list_topics(a.text("stream")?).await?;
            json!({"topics": topics.iter().map(values::topic).collect::<Vec<_>>()})
        }
        "topic.update" => {
            values::topic(&client.update_topic(a.text("topic")?, a.topic_config()?).await?)
        }
        "topic.add_partitions" => {
            let partitions = a.narrow("partitions")?;
            values::topic(&client.add_partitions(a.text("topic")?, partitions).await?)
        }
        "topic.purge" => done(client.purge_topic(a.text("topic")?).await?),
        "topic.delete" => done(client.delete_topic(a.text("topic")?).await?),
        "topic.truncate" => {
            let (partition, before) = (a.narrow("partition")?, a.wide("before_offset")?);
            let start = client.truncate(a.text("topic")?, partition, before).await?;
            json!({"start_offset": start.to_string()})
        }
        "topic.partitions" => {
            let partitions = client.partitions(a.text("topic")?).await?;
            json!({"partitions": partitions.iter().map(values::partition).collect::<Vec<_>>()})
        }
        "fetch" => fetch(a, &client).await?,
        "producer.list" => {
            let producers = client.producers(a.text("topic")?).await?;
            let names: Vec<Value> =
                producers.iter().map(|each| json!({"name": each.name})).collect();
            json!({ "producers": names })
        }
        "producer.forget" => {
            done(client.forget_producer(a.text("topic")?, a.text("name")?).await?)
        }
        "group.create" => {
            json!({"name": client.create_group(a.text("group")?).await?.name})
        }
        "group.list" => {
            let groups = client.list_groups().await?;
            let groups: Vec<Value> = groups
                .iter()
                .map(|info| json!({"name": info.name, "members": info.members}))
                .collect();
            json!({ "groups": groups })
        }
        "group.describe" => {
            let group = client.describe_group(a.text("group")?).await?;
            json!({
                "name": group.info.name, "generation": group.info.generation,
                "members": group.members.len(), "partitions": group.partitions.len(),
            })
        }
        "group.delete" => done(client.delete_group(a.text("group")?).await?),
        "offsets.get" => {
            let stored = client.committed(a.text("group")?, a.text("topic")?).await?;
            let offsets = stored.iter().enumerate().filter_map(|(partition, stored)| {
                let offset = stored.as_ref()?.offset.to_string();
                Some(json!({"partition": partition, "offset": offset}))
            });
            json!({"offsets": offsets.collect::<Vec<_>>()})
        }
        "offsets.set" => {
            let (to, partition) = (Start::Offset(a.wide("offset")?), [a.narrow("partition")?]);
            let (group, topic) = (a.text("group")?, a.text("topic")?);
            let force = a.args["force"].as_bool().unwrap_or_default();
            let set = client.reset_offsets(group, topic, Some(&partition), to, force).await?;
            json!({"offset": set[0].1.to_string()})
        }
        "offsets.delete" => {
            let (group, topic) = (a.text("group")?, a.text("topic")?);
            let partition = [a.narrow("partition")?];
            done(client.delete_offsets(group, topic, Some(&partition)).await?)
        }
        "events.watch" => {
            let events = Arc::new(tokio::sync::Mutex::new(client.events()));
            let name = a.text("client")?.to_owned();
            a.with(|handles| handles.events.insert(name, events));
            json!({})
        }
        "events.next" => {
            let events =
                a.opened("client", |handles, name| handles.events.get(name).cloned())?;
            let mut events = events.lock().await;
            let event = timeout(a.limit(), events.next()).await.ok().flatten();
            json!({"event": event.as_ref().map(values::event)})
        }
        other => return Err(Failure::Unsupported(format!("no operation {other}"))),
    })
}

fn stream(info: &StreamInfo) -> Value {
    json!({
        "name": info.name, "id": info.id.to_string(), "topics": info.topics,
        "created_us": info.created_us.to_string(),
    })
}

async fn fetch(a: &Args<'_>, client: &Client) -> Outcome {
    let most = |name: &str, default: u32| a.narrow(name).unwrap_or(default);
    let options = FetchOptions::default()
        .max_bytes(most("max_bytes", 1 << 20))
        .min_bytes(most("min_bytes", 0))
        .max_wait_ms(most("max_wait_ms", 0));
    let (topic, partition) = (a.text("topic")?, a.narrow("partition")?);
    let fetched = client.fetch(topic, partition, a.wide("offset")?, options).await?;
    let records = fetched.batches.iter().flat_map(|batch| batch.iter());
    Ok(json!({
        "records": records.map(|each| values::record(&each)).collect::<Vec<_>>(),
        "batches": fetched.batches.len(),
        "start_offset": fetched.start_offset.to_string(),
        "end_offset": fetched.end_offset.to_string(),
        "next_offset": fetched.next_offset.to_string(),
    }))
}

async fn receipts(tickets: Vec<Ticket>) -> Value {
    let mut receipts = Vec::new();
    for ticket in tickets {
        receipts.push(match ticket.await {
            Ok(receipt) => values::receipt(&receipt),
            Err(error) => json!({"error": values::error(&error)}),
        });
    }
    json!({ "receipts": receipts })
}

async fn produce(a: &Args<'_>, what: &str) -> Outcome {
    if what == "open" {
        let builder = a.client()?.producer(a.text("topic")?);
        let mut builder = a.with_options(builder, tidewire::ProducerBuilder::option)?;
        if let Ok(name) = a.text("name") {
            builder = builder.name(name);
        }
        let producer = builder.build().await?;
        let (name, partitions) = (a.text("producer")?.to_owned(), producer.partitions());
        a.with(|handles| handles.producers.insert(name, producer));
        return Ok(json!({ "partitions": partitions }));
    }
    let producer = a.producer()?;
    Ok(match what {
        "send" => values::receipt(&producer.send(record_of(&a.args["record"])?).await?),
        "send_many" => {
            let mut tickets = Vec::new();
            for record in a.list("records") {
                let mut record = record_of(record)?;
                loop {
                    match producer.enqueue(record) {
                        Ok(ticket) => break tickets.push(ticket),
                        Err(refused) if refused.error().code() == Code::QUEUE_FULL => {
                            record = refused.into_record();
                            producer.ready().await?;
                        }
                        Err(refused) => return Err(refused.into_parts().0.into()),
                    }
                }
            }
            // What fails is told by its ticket.
            let _ = producer.flush().await;
            receipts(tickets).await
        }
        "enqueue" => {
            let mut names = Vec::new();
            for record in a.list("records") {
                let ticket = producer.enqueue(record_of(record)?);
                let ticket = ticket.map_err(|refused| refused.into_parts().0)?;
                names.push(a.with(|handles| handles.keep_ticket(ticket)));
            }
            json!({ "tickets": names })
        }
        "wait" => {
            let mut tickets = Vec::new();
            for name in a.list("tickets").filter_map(Value::as_str) {
                let ticket = a.with(|handles| handles.tickets.remove(name));
                tickets.push(ticket.ok_or_else(|| Failure::Bad(format!("no ticket {name}")))?);
            }
            receipts(tickets).await
        }
        "flush" => done(producer.flush().await?),
        "close" => done(producer.close().await.map_err(tidewire::Error::from)?),
        "stats" => json!({"queued_bytes": producer.queued_bytes().to_string()}),
        other => return Err(Failure::Unsupported(format!("no operation producer.{other}"))),
    })
}

async fn open_consumer(a: &Args<'_>) -> Outcome {
    let builder = a.client()?.consumer(a.text("topic")?);
    let mut builder = a.with_options(builder, tidewire::ConsumerBuilder::option)?;
    if let Ok(group) = a.text("group") {
        builder = builder.group(group);
    }
    if let Ok(name) = a.text("name") {
        builder = builder.name(name);
    }
    if a.args["partitions"].is_array() {
        builder = builder.partitions(a.list("partitions").filter_map(number).map(|n| n as u32));
    }
    for (partition, offset) in a.args["start_at"].as_object().into_iter().flatten() {
        let (partition, offset) = (partition.parse().ok(), number(offset));
        let (Some(partition), Some(offset)) = (partition, offset) else {
            return Err(Failure::Bad("start_at".to_owned()));
        };
        builder = builder.start_at(partition, offset);
    }
    let consumer = builder.build().await?;
    let control = consumer.control();
    let open = OpenConsumer { consumer: Arc::new(Some(consumer).into()), control };
    let name = a.text("consumer")?.to_owned();
    a.with(|handles| handles.consumers.insert(name, open));
    Ok(json!({}))
}

async fn consume(a: &Args<'_>, what: &str) -> Outcome {
    let open = a.opened("consumer", |handles, name| handles.consumers.get(name).cloned())?;
    // What does not take records does not wait for who does.
    let control = &open.control;
    Ok(match what {
        "commit" => done(control.commit().await?),
        "seek" => done(control.seek(a.narrow("partition")?, a.place("to")?)?),
        "pause" => done(control.pause(a.narrow("partition")?)?),
        "resume" => done(control.resume(a.narrow("partition")?)?),
        "add_partition" => {
            done(control.add_partition(a.narrow("partition")?, a.place("start")?)?)
        }
        "remove_partition" => {
            control.remove_partition(a.narrow("partition")?)?;
            json!({})
        }
        "positions" => {
            let positions = control.positions();
            json!({
                "positions": positions.iter().map(values::position).collect::<Vec<_>>(),
                "lag": control.lag().to_string(),
            })
        }
        "stats" => values::consumer_stats(&control.stats()),
        "close" => {
            // Whoever waits for the next batch is told, and lets go of the consumer.
            control.close();
            if let Some(consumer) = open.consumer.lock().await.take() {
                consumer.close().await;
            }
            json!({})
        }
        _ => match open.consumer.lock().await.as_mut() {
            Some(consumer) => take(a, what, consumer).await?,
            // In Rust a closed consumer is gone.
            None => json!({"batch": null, "record": null, "closed": true}),
        },
    })
}

async fn take(a: &Args<'_>, what: &str, consumer: &mut Consumer) -> Outcome {
    Ok(match what {
        "next_batch" => match timeout(a.limit(), consumer.next_batch()).await {
            Ok(batch) => {
                let batch = batch?;
                json!({"batch": batch.as_ref().map(values::batch), "closed": batch.is_none()})
            }
            Err(_) => json!({"batch": null, "closed": false}),
        },
        "next_record" => match timeout(a.limit(), consumer.next_record()).await {
            Ok(record) => {
                let record = record?;
                let shown = record.as_ref().map(|record| values::record(&record.view()));
                json!({"record": shown, "closed": record.is_none()})
            }
            Err(_) => json!({"record": null, "closed": false}),
        },
        "read" => {
            let (count, digest) = (a.wide("count")?, a.args["digest"] == true);
            let deadline = tokio::time::Instant::now() + a.limit();
            let (mut records, mut digests, mut seen) = (Vec::new(), Digests::default(), 0u64);
            while seen < count {
                let Ok(batch) = timeout_at(deadline, consumer.next_batch()).await else {
                    break;
                };
                let Some(batch) = batch? else { break };
                seen += batch.len() as u64;
                match digest {
                    true => batch.iter().for_each(|record| digests.add(&record)),
                    false => records.extend(batch.iter().map(|record| values::record(&record))),
                }
            }
            match digest {
                true => json!({"count": seen.to_string(), "digests": digests.finish()}),
                false => json!({"count": seen.to_string(), "records": records}),
            }
        }
        other => return Err(Failure::Unsupported(format!("no operation consumer.{other}"))),
    })
}

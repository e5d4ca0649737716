//! Groups and stored offsets: consumers that are members, and what can be done from outside.

use std::sync::Arc;

use serde_json::{Value, json};
use tidewire::{GroupConsumer, Start};

use crate::ops::{
    Outcome, client, narrow, no_option, options, place, text, timeout, wide, with,
};
use crate::values::{self, Digests};
use crate::{Failure, Shared};

pub(crate) async fn run(handles: &Shared, op: &str, args: &Value) -> Outcome {
    let client = client(handles, args)?;
    let partition = |args: &Value| narrow(&args["partition"]).map(|partition| [partition]);
    Ok(match op {
        "group.create" => {
            let info = client.create_group(text(args, "group")?).await?;
            json!({"name": info.name})
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
            let group = client.describe_group(text(args, "group")?).await?;
            json!({
                "name": group.info.name, "generation": group.info.generation,
                "members": group.members.len(), "partitions": group.partitions.len(),
            })
        }
        "group.delete" => {
            client.delete_group(text(args, "group")?).await?;
            json!({})
        }
        "offsets.get" => {
            let stored = client.committed(text(args, "group")?, text(args, "topic")?).await?;
            let offsets: Vec<Value> = stored
                .iter()
                .enumerate()
                .filter_map(|(partition, stored)| {
                    let offset = stored.as_ref()?.offset.to_string();
                    Some(json!({"partition": partition, "offset": offset}))
                })
                .collect();
            json!({ "offsets": offsets })
        }
        "offsets.set" => {
            let to = Start::Offset(wide(&args["offset"])?);
            let partition = partition(args)?;
            let (group, topic) = (text(args, "group")?, text(args, "topic")?);
            client.reset_offsets(group, topic, Some(&partition), to, false).await?;
            json!({})
        }
        "offsets.delete" => {
            let partition = partition(args)?;
            let (group, topic) = (text(args, "group")?, text(args, "topic")?);
            client.delete_offsets(group, topic, Some(&partition)).await?;
            json!({})
        }
        other => return Err(Failure::Unsupported(format!("no operation {other}"))),
    })
}

/// A consumer that is a member of a group.
pub(crate) async fn member(handles: &Shared, op: &str, args: &Value) -> Outcome {
    let name = text(args, "consumer")?.to_owned();
    if op == "consumer.open" {
        let member = open(handles, args).await?;
        let member = Arc::new(tokio::sync::Mutex::new(Some(member)));
        with(handles, |handles| handles.members.insert(name, member));
        return Ok(json!({}));
    }
    let member = with(handles, |handles| handles.members.get(&name).cloned())
        .ok_or_else(|| Failure::Bad(format!("no consumer {name}")))?;
    let mut guard = member.lock().await;
    if op == "consumer.close" {
        if let Some(member) = guard.take() {
            member.close().await;
        }
        return Ok(json!({}));
    }
    let Some(member) = guard.as_mut() else {
        return Ok(json!({"batch": null, "record": null, "closed": true}));
    };
    Ok(match op {
        "consumer.next_batch" => {
            match tokio::time::timeout(timeout(args), member.next_batch()).await {
                Ok(batch) => {
                    let batch = batch?;
                    json!({"batch": batch.as_ref().map(values::batch), "closed": batch.is_none()})
                }
                Err(_) => json!({"batch": null, "closed": false}),
            }
        }
        "consumer.read" => read(member, args).await?,
        "consumer.commit" => {
            member.commit().await?;
            json!({})
        }
        "consumer.positions" => {
            let assigned: Vec<Value> = member
                .assignment()
                .iter()
                .map(|each| json!({"topic": each.topic, "partition": each.partition}))
                .collect();
            json!({"positions": assigned, "lag": member.lag().to_string()})
        }
        other => return Err(Failure::Unsupported(format!("a member has no {other}"))),
    })
}

async fn open(handles: &Shared, args: &Value) -> Result<GroupConsumer, Failure> {
    let builder = client(handles, args)?.consumer(text(args, "topic")?);
    let mut builder = builder.group(text(args, "group")?);
    for (name, value) in options(args) {
        builder = match name {
            "start" => builder.start(place(value)?),
            "prefetch_bytes" => builder.prefetch_bytes(narrow(value)?),
            "member_name" => builder.member_name(value.as_str().unwrap_or_default()),
            "session_timeout_ms" => builder.session_timeout_ms(narrow(value)?),
            "rebalance_timeout_ms" => builder.rebalance_timeout_ms(narrow(value)?),
            "auto_commit_interval_ms" => builder.auto_commit_interval_ms(narrow(value)?),
            other => return Err(no_option(other)),
        };
    }
    Ok(builder.build().await?)
}

/// Reads whole batches until there are `count` records, or the time is up.
async fn read(member: &mut GroupConsumer, args: &Value) -> Outcome {
    let count = wide(&args["count"])?;
    let digest = args["digest"].as_bool().unwrap_or_default();
    let deadline = tokio::time::Instant::now() + timeout(args);
    let (mut records, mut digests, mut seen) = (Vec::new(), Digests::default(), 0u64);
    while seen < count {
        let Ok(batch) = tokio::time::timeout_at(deadline, member.next_batch()).await else {
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

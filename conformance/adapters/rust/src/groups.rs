//! Groups and stored offsets, from outside.

use serde_json::{Value, json};
use tidewire::Start;

use crate::ops::{Outcome, client, narrow, text, wide};
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

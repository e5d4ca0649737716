//! `tidewire group`.
//!
//! Owns what is shown of groups, their members and offsets. Lag is the partition's end less the
//! stored offset, asked for at nearly the same time: it is a number for people.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidewire::{
    Client, Code, GroupDescription, GroupInfo, GroupMember, GroupPartition, GroupState,
};

use super::print_table;
use crate::args::group::{GroupCommand, ResetArgs};
use crate::client;
use crate::failure::Failure;
use crate::output::{self, number, table::Side, table::Table};

/// Ends of partitions, by stream, topic and number.
type Ends = BTreeMap<(String, String, u32), u64>;

/// Carries out a command.
pub fn run(command: GroupCommand) -> Result<(), Failure> {
    client::run(async {
        match command {
            GroupCommand::Create { group, server } => {
                client::connect(&server.url).await?.create_group(&group).await?;
                output::line(&format!("created group {group}"))
            }
            GroupCommand::List { json, server } => list(&server.url, json).await,
            GroupCommand::Describe { group, json, server } => {
                describe(&server.url, &group, json).await
            }
            GroupCommand::Delete { group, server } => {
                client::connect(&server.url).await?.delete_group(&group).await?;
                output::line(&format!("deleted group {group}"))
            }
            GroupCommand::Reset(args) => reset(args).await,
            GroupCommand::Forget { group, topic, partition, server } => {
                let client = client::connect(&server.url).await?;
                client.delete_offsets(&group, &topic, chosen(&partition)).await?;
                output::line(&format!("group {group} has forgotten its offsets in {topic}"))
            }
        }
    })
}

fn chosen(partitions: &[u32]) -> Option<&[u32]> {
    (!partitions.is_empty()).then_some(partitions)
}

async fn list(url: &str, json: bool) -> Result<(), Failure> {
    let groups = client::connect(url).await?.list_groups().await?;
    if json {
        return output::json(&groups.iter().map(group_json).collect());
    }
    if groups.is_empty() {
        output::note("there are no groups; the first consumer that joins one makes it");
        return Ok(());
    }
    let mut table = Table::new([
        ("group", Side::Left),
        ("state", Side::Left),
        ("members", Side::Right),
        ("partitions", Side::Right),
        ("offsets", Side::Right),
        ("generation", Side::Right),
    ]);
    for group in &groups {
        table.row([
            group.name.clone(),
            state(group.state),
            number::count(group.members.into()),
            number::count(group.partitions.into()),
            number::count(group.offsets.into()),
            number::count(group.generation.into()),
        ]);
    }
    print_table(&table)
}

async fn describe(url: &str, name: &str, json: bool) -> Result<(), Failure> {
    let client = client::connect(url).await?;
    let group = client.describe_group(name).await?;
    let ends = ends(&client, &group).await?;
    if json {
        let mut value = group_json(&group.info);
        value["member_details"] = group.members.iter().map(member_json).collect();
        value["partition_details"] =
            group.partitions.iter().map(|p| partition_json(p, &ends)).collect();
        return output::json(&value);
    }
    let info = &group.info;
    output::line(&format!(
        "group {}: {}, {}, generation {}, created {} UTC\n",
        info.name,
        state(info.state),
        number::counted(info.members.into(), "member", "members"),
        info.generation,
        number::date(info.created_us)
    ))?;
    if !group.members.is_empty() {
        print_table(&member_table(&group.members))?;
        output::line("")?;
    }
    if group.partitions.is_empty() {
        output::note("it has no partitions and no offsets");
        return Ok(());
    }
    print_table(&partition_table(&group, &ends))
}

async fn reset(args: ResetArgs) -> Result<(), Failure> {
    let client = client::connect(&args.server.url).await?;
    let partitions = chosen(&args.partition);
    let done =
        client.reset_offsets(&args.group, &args.topic, partitions, args.to, args.force).await;
    let done = done.map_err(|error| {
        let occupied = error.code() == Code::GROUP_NOT_EMPTY;
        let failure = Failure::from(error);
        if occupied {
            failure.hint("stop its members first, or send them there with --force")
        } else {
            failure
        }
    })?;
    if args.json {
        let row = |(partition, offset): &(u32, u64)| json!({ "partition": partition, "offset": offset });
        return output::json(&done.iter().map(row).collect());
    }
    for (partition, offset) in &done {
        output::line(&format!(
            "group {} goes on at {}[{partition}] @ {offset}",
            args.group, args.topic
        ))?;
    }
    Ok(())
}

/// Where the partitions of a group end; those of a topic that is gone by now are left out.
async fn ends(client: &Client, group: &GroupDescription) -> Result<Ends, Failure> {
    let mut ends = Ends::new();
    let mut topics: Vec<(&str, &str)> =
        group.partitions.iter().map(|p| (p.stream.as_str(), p.topic.as_str())).collect();
    topics.dedup();
    for (stream, topic) in topics {
        match client.partitions(&format!("{stream}/{topic}")).await {
            Ok(infos) => ends.extend(infos.into_iter().map(|info| {
                ((stream.to_owned(), topic.to_owned(), info.partition), info.end_offset)
            })),
            Err(error)
                if [Code::TOPIC_NOT_FOUND, Code::STREAM_NOT_FOUND].contains(&error.code()) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ends)
}

fn state(state: GroupState) -> String {
    match state {
        GroupState::Empty => "empty".to_owned(),
        GroupState::Stable => "stable".to_owned(),
        GroupState::Rebalancing => "rebalancing".to_owned(),
        other => format!("state {}", u8::from(other)),
    }
}

fn group_json(group: &GroupInfo) -> Value {
    json!({
        "name": group.name,
        "created": number::rfc3339(group.created_us),
        "state": state(group.state),
        "generation": group.generation,
        "members": group.members,
        "partitions": group.partitions,
        "offsets": group.offsets,
    })
}

fn member_json(member: &GroupMember) -> Value {
    let topics: Vec<String> =
        member.topics.iter().map(|topic| format!("{}/{}", topic.stream, topic.topic)).collect();
    json!({
        // As text: such numbers are too large for some readers of JSON.
        "member_id": member.member_id.to_string(),
        "member_epoch": member.member_epoch,
        "member_name": (!member.member_name.is_empty()).then_some(&member.member_name),
        "client_name": member.client_name,
        "address": (!member.address.is_empty()).then_some(&member.address),
        "connected": member.connected,
        "session_timeout_ms": member.session_timeout_ms,
        "rebalance_timeout_ms": member.rebalance_timeout_ms,
        "partitions": member.partitions,
        "topics": topics,
    })
}

fn end_of(partition: &GroupPartition, ends: &Ends) -> Option<u64> {
    let key = (partition.stream.clone(), partition.topic.clone(), partition.partition);
    ends.get(&key).copied()
}

fn lag_of(partition: &GroupPartition, ends: &Ends) -> Option<u64> {
    let end = end_of(partition, ends)?;
    partition.stored.then(|| end.saturating_sub(partition.offset))
}

fn partition_json(partition: &GroupPartition, ends: &Ends) -> Value {
    json!({
        "stream": partition.stream,
        "topic": partition.topic,
        "partition": partition.partition,
        "member_id": (partition.member_id != 0).then(|| partition.member_id.to_string()),
        "revoking": partition.revoking,
        "committed_offset": partition.stored.then_some(partition.offset),
        "committed": partition.stored.then(|| number::rfc3339(partition.commit_us)),
        "end_offset": end_of(partition, ends),
        "lag": lag_of(partition, ends),
    })
}

fn member_table(members: &[GroupMember]) -> Table {
    let mut table = Table::new([
        ("member", Side::Right),
        ("name", Side::Left),
        ("client", Side::Left),
        ("address", Side::Left),
        ("partitions", Side::Right),
    ]);
    for member in members {
        let address = if member.connected { member.address.clone() } else { "away".to_owned() };
        table.row([
            member.member_id.to_string(),
            member.member_name.clone(),
            member.client_name.clone(),
            address,
            number::count(member.partitions.into()),
        ]);
    }
    table
}

fn partition_table(group: &GroupDescription, ends: &Ends) -> Table {
    let mut table = Table::new([
        ("topic", Side::Left),
        ("partition", Side::Right),
        ("committed", Side::Right),
        ("end", Side::Right),
        ("lag", Side::Right),
        ("member", Side::Right),
    ]);
    let shown = |number: Option<u64>| number.map_or_else(String::new, |n| n.to_string());
    for partition in &group.partitions {
        let member = match (partition.member_id, partition.revoking) {
            (0, _) => String::new(),
            (id, false) => id.to_string(),
            (id, true) => format!("{id} (revoking)"),
        };
        table.row([
            format!("{}/{}", partition.stream, partition.topic),
            partition.partition.to_string(),
            shown(partition.stored.then_some(partition.offset)),
            shown(end_of(partition, ends)),
            shown(lag_of(partition, ends)),
            member,
        ]);
    }
    table
}

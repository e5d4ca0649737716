//! `tidewire tail`: records as they arrive.
//!
//! Owns how a record is printed, raw or as JSON. The one invariant: what was printed was printed
//! whole, and each batch is flushed before the next is waited for.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tidewire::{AutoCommit, Batch, Client, Code, Consumer, Error, RecordView, Start};

use crate::args::records::TailArgs;
use crate::client;
use crate::failure::Failure;
use crate::output::{self, number};

/// Bytes gathered before they are written.
const WRITE_BYTES: usize = 256 << 10;

/// Prints records until there were enough, or it is interrupted.
pub fn run(args: TailArgs) -> Result<(), Failure> {
    client::run_to_end(async {
        let interrupted = client::interrupted();
        tokio::pin!(interrupted);
        let begin = begin(&args);
        let mut consumer = tokio::select! {
            consumer = begin => consumer?,
            failure = &mut interrupted => return Err(failure),
        };
        let mut left = args.count.or(args.first).unwrap_or(u64::MAX);
        let mut end = Ok(());
        while left > 0 {
            let next = tokio::select! {
                next = consumer.next_batch() => next,
                failure = &mut interrupted => {
                    end = Err(failure);
                    break;
                }
            };
            let Some(batch) = next.map_err(|error| ended(&args.topic, &error))? else { break };
            let printed = print(&batch, left, args.json)?;
            left -= printed as u64;
            if printed < batch.len() && (args.group.is_some() || args.name.is_some()) {
                // What was not printed is to come the next time.
                let after = batch.base_offset() + printed as u64;
                consumer.seek(batch.partition(), Start::Offset(after))?;
            }
        }
        // All that was printed is remembered.
        consumer.close().await;
        end
    })
}

async fn begin(args: &TailArgs) -> Result<Consumer, Failure> {
    let key_file = args.keys.encryption_key_file.as_deref();
    let client = client::connect_with_keys(&args.server.url, key_file).await?;
    check_offset(&client, args).await?;
    let mut builder = client.consumer(&args.topic).start(args.start());
    if let Some(partition) = args.partition {
        builder = builder.partitions([partition]);
    }
    if let Some(group) = &args.group {
        builder = builder.group(group).auto_commit(AutoCommit::Interval);
    }
    if let Some(name) = &args.name {
        builder = builder.name(name).auto_commit(AutoCommit::Interval);
    }
    Ok(builder.build().await?)
}

/// Prints up to `most` records of a batch; how many it were.
fn print(batch: &Batch, most: u64, json: bool) -> Result<usize, Failure> {
    let mut out = Vec::new();
    let mut printed = 0;
    for record in batch.iter().take(usize::try_from(most).unwrap_or(usize::MAX)) {
        if json {
            out.extend_from_slice(to_json(&record).to_string().as_bytes());
        } else {
            out.extend_from_slice(record.value().unwrap_or_default());
        }
        out.push(b'\n');
        printed += 1;
        if out.len() >= WRITE_BYTES {
            output::write(&out)?;
            out.clear();
        }
    }
    output::write(&out)?;
    Ok(printed)
}

/// The failure of a subscription. What was printed stays true, so there is no outcome to doubt.
fn ended(topic: &str, error: &Error) -> Failure {
    let next = match error.code() {
        Code::ENCRYPTION_KEY_MISSING | Code::ENCRYPTION_KEY_WRONG => client::WHERE_KEYS_ARE,
        _ => {
            "'tidewire topic describe' shows what is there; --partition and --from go on from it"
        }
    };
    Failure::new(format!("reading {topic} ended: {error}")).hint(next)
}

/// An offset means something in one partition only.
async fn check_offset(client: &Client, args: &TailArgs) -> Result<(), Failure> {
    let (Start::Offset(offset), None) = (args.from, args.partition) else { return Ok(()) };
    let partitions = client.describe_topic(&args.topic).await?.partitions;
    if partitions == 1 {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "offsets are counted by partition and {} has {partitions}: say in which of them to begin \
         at {offset}, with --partition 0 to {}",
        args.topic,
        partitions - 1
    )))
}

fn to_json(record: &RecordView<'_>) -> Value {
    let headers: Vec<Value> = record
        .headers()
        .map(|(name, value)| json!({ "name": name, "value": bytes(Some(value)) }))
        .collect();
    json!({
        "partition": record.partition(),
        "offset": record.offset(),
        "timestamp": number::rfc3339(record.timestamp_us()),
        "key": bytes(record.key()),
        "value": bytes(record.value()),
        "headers": headers,
    })
}

/// Text as it is, other bytes in base64, nothing as null.
fn bytes(bytes: Option<&[u8]>) -> Value {
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => Value::Null,
        Some((_, Ok(text))) => text.into(),
        Some((bytes, Err(_))) => json!({ "base64": BASE64_STANDARD.encode(bytes) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_other_bytes_and_nothing_can_be_told_apart() {
        assert_eq!(bytes(None), Value::Null);
        assert_eq!(bytes(Some(b"")), json!(""));
        assert_eq!(bytes(Some("é\n".as_bytes())), json!("é\n"));
        assert_eq!(bytes(Some(b"\xff\x00")), json!({ "base64": "/wA=" }));
    }
}

//! `tidewire tail`: records as they arrive.
//!
//! Owns how a record is printed, raw or as JSON. The one invariant: what was printed was printed
//! whole, and each batch is flushed before the next is waited for.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tidewire::{Client, Error, RecordView, Start};

use crate::args::records::TailArgs;
use crate::client;
use crate::failure::Failure;
use crate::output::{self, number};

/// Bytes gathered before they are written.
const WRITE_BYTES: usize = 256 << 10;

/// Prints records until there were enough, or it is interrupted.
pub fn run(args: TailArgs) -> Result<(), Failure> {
    client::run(async {
        let client = client::connect(&args.server.url).await?;
        check_offset(&client, &args).await?;
        let mut builder = client.consumer(&args.topic).start(args.start());
        if let Some(partition) = args.partition {
            builder = builder.partitions([partition]);
        }
        let mut consumer = builder.build().await?;
        let mut left = args.count.or(args.first).unwrap_or(u64::MAX);
        let mut out = Vec::new();
        while left > 0 {
            let next = consumer.next_batch().await;
            let Some(batch) = next.map_err(|error| ended(&args.topic, &error))? else { break };
            for record in batch.iter() {
                if args.json {
                    out.extend_from_slice(to_json(&record).to_string().as_bytes());
                } else {
                    out.extend_from_slice(record.value().unwrap_or_default());
                }
                out.push(b'\n');
                left -= 1;
                if left == 0 {
                    break;
                }
                if out.len() >= WRITE_BYTES {
                    output::write(&out)?;
                    out.clear();
                }
            }
            output::write(&out)?;
            out.clear();
        }
        consumer.close().await;
        Ok(())
    })
}

/// The failure of a subscription. What was printed stays true, so there is no outcome to doubt.
fn ended(topic: &str, error: &Error) -> Failure {
    Failure::new(format!("reading {topic} ended: {error}")).hint(
        "'tidewire topic describe' shows what is there; --partition and --from go on from it",
    )
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

//! How the SDK's values are written in JSON: numbers of 64 bits as strings, bytes by content or,
//! when they are many, by length and checksum.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use tidewire::{
    Batch, ConsumerStats, Error, Event, LimitInfo, PartitionInfo, Position, Receipt, Record,
    RecordView, ServerInfo, TopicInfo,
};

use crate::Failure;

/// Bytes up to which a value is answered by content.
const SHORT: usize = 1024;

/// `null`, `{"utf8": …}`, `{"base64": …}` or `{"repeat": …, "times": …}`.
pub(crate) fn bytes_of(value: &Value) -> Result<Option<Vec<u8>>, Failure> {
    let bytes = if value.is_null() {
        return Ok(None);
    } else if let Some(text) = value["utf8"].as_str() {
        text.as_bytes().to_vec()
    } else if let Some(text) = value["base64"].as_str() {
        BASE64.decode(text).map_err(|error| Failure::Bad(error.to_string()))?
    } else if let (Some(text), Some(times)) =
        (value["repeat"].as_str(), value["times"].as_u64())
    {
        text.as_bytes().repeat(times as usize)
    } else {
        return Err(Failure::Bad(format!("{value} is no bytes")));
    };
    Ok(Some(bytes))
}

pub(crate) fn bytes(bytes: Option<&[u8]>) -> Value {
    match bytes {
        None => Value::Null,
        Some(bytes) if bytes.len() <= SHORT => json!({"base64": BASE64.encode(bytes)}),
        Some(bytes) => {
            let mut crc = Crc32::default();
            crc.add(bytes);
            json!({"len": bytes.len(), "crc32": crc.hex()})
        }
    }
}

/// A number that is written as a string or as a number.
pub(crate) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

pub(crate) fn record_of(value: &Value) -> Result<Record, Failure> {
    let mut record =
        Record { value: bytes_of(&value["value"])?.map(Into::into), ..Record::default() };
    record.key = bytes_of(&value["key"])?.map(Into::into);
    for header in value["headers"].as_array().into_iter().flatten() {
        let name = header[0].as_str().unwrap_or_default();
        record = record.header(name, bytes_of(&header[1])?.unwrap_or_default());
    }
    if let Some(time) = value["timestamp_us"].as_str() {
        let time = time.parse().map_err(|_| Failure::Bad(format!("timestamp_us {time}")))?;
        record = record.timestamp_us(time);
    }
    record.partition = value["partition"].as_u64().map(|partition| partition as u32);
    if let Some(id) = bytes_of(&value["id"])? {
        let id = id.try_into().map_err(|_| Failure::Bad("an id has 16 bytes".to_owned()))?;
        record = record.id(id);
    }
    Ok(record)
}

pub(crate) fn record(record: &RecordView<'_>) -> Value {
    let headers: Vec<Value> =
        record.headers().map(|(name, value)| json!([name, bytes(Some(value))])).collect();
    json!({
        "partition": record.partition(),
        "offset": record.offset().to_string(),
        "timestamp_us": record.timestamp_us().to_string(),
        "append_time_us": record.append_time_us().to_string(),
        "key": bytes(record.key()),
        "value": bytes(record.value()),
        "headers": headers,
    })
}

pub(crate) fn batch(batch: &Batch) -> Value {
    json!({
        "partition": batch.partition(),
        "base_offset": batch.base_offset().to_string(),
        "next_offset": batch.next_offset().to_string(),
        "records": batch.iter().map(|each| record(&each)).collect::<Vec<_>>(),
    })
}

pub(crate) fn topic(info: &TopicInfo) -> Value {
    json!({
        "stream": info.stream,
        "name": info.name,
        "id": info.id.to_string(),
        "created_us": info.created_us.to_string(),
        "partitions": info.partitions,
        "segment_bytes": info.segment_bytes.to_string(),
        "codec": format!("{:?}", info.codec).to_lowercase(),
        "retention_ms": info.retention_ms.to_string(),
        "retention_bytes": info.retention_bytes.to_string(),
        "dedup_window_ms": info.dedup_window_ms.to_string(),
    })
}

/// Limits by their names.
pub(crate) fn limits(limits: &[LimitInfo]) -> Value {
    let each = |limit: &LimitInfo| {
        let told = json!({
            "value": limit.value.to_string(), "unit": limit.unit,
            "configured": limit.configured, "used": limit.used.to_string(),
        });
        (limit.name.clone(), told)
    };
    json!({"limits": limits.iter().map(each).collect::<Map<_, _>>()})
}

pub(crate) fn server(server: &ServerInfo) -> Value {
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

pub(crate) fn partition(info: &PartitionInfo) -> Value {
    json!({
        "partition": info.partition,
        "start_offset": info.start_offset.to_string(),
        "end_offset": info.end_offset.to_string(),
        "synced_offset": info.synced_offset.to_string(),
        "size_bytes": info.size_bytes.to_string(),
        "segments": info.segments,
        "error": info.error,
    })
}

pub(crate) fn receipt(receipt: &Receipt) -> Value {
    json!({
        "partition": receipt.partition,
        "offset": receipt.offset.to_string(),
        "append_time_us": receipt.append_time_us.to_string(),
        "acks": format!("{:?}", receipt.acks).to_lowercase(),
        "duplicate": receipt.duplicate,
    })
}

pub(crate) fn position(position: &Position) -> Value {
    json!({
        "topic": position.topic,
        "partition": position.partition,
        "next_offset": position.next_offset.to_string(),
        "end_offset": position.end_offset.to_string(),
        "stored_offset": position.stored_offset.map(|offset| offset.to_string()),
    })
}

pub(crate) fn consumer_stats(stats: &ConsumerStats) -> Value {
    json!({
        "partitions": stats.partitions, "live_partitions": stats.live_partitions,
        "buffered_bytes": stats.buffered_bytes.to_string(),
        "batches": stats.batches.to_string(), "bytes": stats.bytes.to_string(),
        "resubscriptions": stats.resubscriptions.to_string(),
        "skipped_offsets": stats.skipped_offsets.to_string(),
        "stored_offsets": stats.stored_offsets.to_string(),
    })
}

pub(crate) fn error(error: &Error) -> Value {
    let mut value = json!({
        "code": error.code().0,
        "disposition": error.disposition().0,
        "kind": snake(&format!("{:?}", error.kind())),
        "message": error.to_string(),
    });
    if let Some(offsets) = error.offsets() {
        value["offsets"] = json!([offsets.start.to_string(), offsets.end.to_string()]);
    }
    value
}

pub(crate) fn event(event: &Event) -> Value {
    match event {
        Event::Connected { address } => json!({"type": "connected", "address": address}),
        Event::Disconnected { address, error: why } => {
            json!({"type": "disconnected", "address": address, "error": error(why)})
        }
        Event::Reconnecting { address, attempt } => {
            json!({"type": "reconnecting", "address": address, "attempt": attempt})
        }
        Event::GaveUp { error: why } => json!({"type": "gave_up", "error": error(why)}),
        Event::Throttled { topic, partition, error: why } => {
            json!({"type": "throttled", "topic": topic, "partition": partition, "error": error(why)})
        }
        Event::RecordsSkipped { topic, partition, from_offset, to_offset } => json!({
            "type": "records_skipped", "topic": topic, "partition": partition,
            "from_offset": from_offset.to_string(), "to_offset": to_offset.to_string(),
        }),
        Event::Missed(count) => json!({"type": "missed", "count": count.to_string()}),
        other => json!({"type": "other", "text": format!("{other:?}")}),
    }
}

/// `NotFound` is `not_found`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (i, letter) in name.char_indices() {
        if letter.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// What was read of each partition, for reads too large to be written out.
#[derive(Default)]
pub(crate) struct Digests {
    partitions: Map<String, Value>,
    states: std::collections::BTreeMap<u32, (u64, u64, u64, Crc32)>,
}

impl Digests {
    pub(crate) fn add(&mut self, record: &RecordView<'_>) {
        let first = record.offset();
        let state = self
            .states
            .entry(record.partition())
            .or_insert_with(|| (0, first, 0, Crc32::default()));
        state.0 += 1;
        state.2 = record.offset() + 1;
        let crc = &mut state.3;
        crc.add(&record.offset().to_le_bytes());
        crc.add(&record.timestamp_us().to_le_bytes());
        let part = |crc: &mut Crc32, bytes: Option<&[u8]>| {
            crc.add(&bytes.map_or(u32::MAX, |bytes| bytes.len() as u32).to_le_bytes());
            crc.add(bytes.unwrap_or_default());
        };
        part(crc, record.key());
        part(crc, record.value());
        crc.add(&(record.headers().count() as u32).to_le_bytes());
        for (name, value) in record.headers() {
            part(crc, Some(name.as_bytes()));
            part(crc, Some(value));
        }
    }

    pub(crate) fn finish(mut self) -> Value {
        for (partition, (count, first, next, crc)) in self.states {
            let digest = json!({
                "count": count.to_string(),
                "first_offset": first.to_string(),
                "next_offset": next.to_string(),
                "crc32": crc.hex(),
            });
            self.partitions.insert(partition.to_string(), digest);
        }
        Value::Object(self.partitions)
    }
}

/// CRC-32 as in zlib, which every language has.
pub(crate) struct Crc32(u32);

impl Default for Crc32 {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

/// The checksums of the 256 bytes.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut crc = n as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[n] = crc;
        n += 1;
    }
    table
};

impl Crc32 {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = TABLE[usize::from(self.0 as u8 ^ byte)] ^ (self.0 >> 8);
        }
    }

    pub(crate) fn hex(&self) -> String {
        format!("{:08x}", !self.0)
    }
}

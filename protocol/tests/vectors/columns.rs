//! Batches written column by column, as SPEC.md section 6 says, without the crate's builder: with
//! every combination of columns, and with whatever fault a test wants.

use serde_json::{Value, json};
use tidewire_protocol::batch::{
    Batch, BatchBuilder, Codec, Columns, HEADER_LEN, Header, RecordRef, Sequence,
};
use tidewire_protocol::crc::{crc32c, crc32c_append};

use super::json::{Json, hex, unhex};

/// A record to write.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) time_delta: u32,
    pub(super) id: [u8; 16],
    pub(super) offset_delta: u32,
}

/// A batch to write.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) header: Header,
    pub(super) records: Vec<Record>,
}

impl Plan {
    /// A batch of `records` with `columns`, unstamped.
    pub(super) fn new(columns: u16, records: Vec<Record>) -> Self {
        let header = Header {
            base_offset: 0,
            append_time_us: 0,
            leader_epoch: 0,
            body_crc: 0,
            total_len: 0,
            codec: Codec::None,
            columns: Columns(columns),
            record_count: records.len() as u32,
            base_time_us: 1_700_000_000_000_000,
            producer_id: 9,
            base_sequence: 3,
            producer_epoch: 1,
            raw_len: 0,
            key_id: 0,
        };
        Self { header, records }
    }

    /// The body that the columns ask for.
    pub(super) fn body(&self) -> Vec<u8> {
        let has = |column: Columns| self.header.columns.has(column);
        let (mut values, mut keys, mut headers) = (Vec::new(), Vec::new(), Vec::new());
        let (mut value_ends, mut key_ends, mut header_ends) = (vec![0u32], vec![0], vec![0]);
        for record in &self.records {
            values.extend_from_slice(record.value.as_deref().unwrap_or_default());
            value_ends.push(values.len() as u32);
            if has(Columns::KEYS) {
                keys.extend_from_slice(record.key.as_deref().unwrap_or_default());
            }
            key_ends.push(keys.len() as u32);
            if has(Columns::HEADERS) {
                for (name, value) in &record.headers {
                    headers.extend_from_slice(&(name.len() as u16).to_le_bytes());
                    headers.extend_from_slice(&(value.len() as u32).to_le_bytes());
                    headers.extend_from_slice(name.as_bytes());
                    headers.extend_from_slice(value);
                }
            }
            header_ends.push(headers.len() as u32);
        }
        let mut body = [values, keys, headers].concat();
        pad(&mut body);
        let words = |body: &mut Vec<u8>, words: Vec<u32>| {
            body.extend(words.into_iter().flat_map(u32::to_le_bytes));
            pad(body);
        };
        words(&mut body, value_ends);
        if has(Columns::KEYS) {
            words(&mut body, key_ends);
        }
        if has(Columns::HEADERS) {
            words(&mut body, header_ends);
        }
        if has(Columns::TIMES) {
            words(&mut body, self.records.iter().map(|record| record.time_delta).collect());
        }
        if has(Columns::IDS) {
            body.extend(self.records.iter().flat_map(|record| record.id));
        }
        if has(Columns::OFFSET_DELTAS) {
            words(&mut body, self.records.iter().map(|record| record.offset_delta).collect());
        }
        let bits = |body: &mut Vec<u8>, valid: Vec<bool>| {
            for byte in valid.chunks(8) {
                body.push(byte.iter().rev().fold(0, |bits, &bit| bits << 1 | u8::from(bit)));
            }
            pad(body);
        };
        if has(Columns::VALUE_NULLS) {
            bits(&mut body, self.records.iter().map(|record| record.value.is_some()).collect());
        }
        if has(Columns::KEY_NULLS) {
            bits(&mut body, self.records.iter().map(|record| record.key.is_some()).collect());
        }
        body
    }

    /// The whole batch, with good lengths and checksums.
    pub(super) fn write(&self) -> Vec<u8> {
        self.write_body(&self.body())
    }

    /// As [`Plan::write`], with another body.
    pub(super) fn write_body(&self, body: &[u8]) -> Vec<u8> {
        let mut header = self.header;
        header.total_len = (HEADER_LEN + body.len()) as u32;
        header.raw_len = body.len() as u32;
        let mut bytes = header.encode().to_vec();
        bytes.extend_from_slice(body);
        reseal(&mut bytes);
        bytes
    }
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
}

/// Makes both checksums right for whatever the bytes say.
pub(super) fn reseal(bytes: &mut [u8]) {
    let body_crc = crc32c(&bytes[28..]);
    bytes[24..28].copy_from_slice(&body_crc.to_le_bytes());
    reseal_header(bytes);
}

/// Makes the header's checksum right.
pub(super) fn reseal_header(bytes: &mut [u8]) {
    let crc = crc32c_append(crc32c(&bytes[..20]), &bytes[24..HEADER_LEN]);
    bytes[20..24].copy_from_slice(&crc.to_le_bytes());
}

/// What a batch holds.
pub(super) fn to_json(batch: &Batch) -> Value {
    let header = batch.header();
    let records: Vec<Value> = batch
        .iter()
        .map(|record| {
            let headers: Vec<Value> =
                record.headers().map(|(name, value)| json!([name, hex(value)])).collect();
            json!({
                "offset": record.offset().to_json(),
                "time_us": record.timestamp_us().to_json(),
                "key": record.key().map(hex),
                "value": record.value().map(hex),
                "headers": headers,
                "id": record.id().map(|id| hex(&id)),
            })
        })
        .collect();
    json!({
        "base_offset": header.base_offset.to_json(),
        "append_time_us": header.append_time_us.to_json(),
        "leader_epoch": header.leader_epoch,
        "columns": header.columns.0,
        "base_time_us": header.base_time_us.to_json(),
        "producer_id": header.producer_id.to_json(),
        "base_sequence": header.base_sequence.to_json(),
        "producer_epoch": header.producer_epoch,
        "records": records,
    })
}

/// The batch that `value` describes.
pub(super) fn from_json(value: &Value) -> Plan {
    let base_offset = u64::from_json(&value["base_offset"]);
    let base_time_us = i64::from_json(&value["base_time_us"]);
    let records = value["records"].as_array().expect("records").iter().map(|record| {
        let bytes = |name: &str| record[name].as_str().map(unhex);
        let headers = record["headers"].as_array().expect("headers").iter();
        Record {
            key: bytes("key"),
            value: bytes("value"),
            headers: headers
                .map(|pair| (String::from_json(&pair[0]), Json::from_json(&pair[1])))
                .collect(),
            time_delta: (i64::from_json(&record["time_us"]) - base_time_us) as u32,
            id: bytes("id").map_or([0; 16], |id| id.try_into().expect("16 bytes")),
            offset_delta: (u64::from_json(&record["offset"]) - base_offset) as u32,
        }
    });
    let mut plan = Plan::new(u16::from_json(&value["columns"]), records.collect());
    plan.header.base_offset = base_offset;
    plan.header.append_time_us = i64::from_json(&value["append_time_us"]);
    plan.header.leader_epoch = u32::from_json(&value["leader_epoch"]);
    plan.header.base_time_us = base_time_us;
    plan.header.producer_id = u64::from_json(&value["producer_id"]);
    plan.header.base_sequence = u64::from_json(&value["base_sequence"]);
    plan.header.producer_epoch = u32::from_json(&value["producer_epoch"]);
    plan
}

/// The same records through the crate's builder, unstamped.
pub(super) fn built(plan: &Plan) -> Vec<u8> {
    let mut builder = BatchBuilder::new(8 << 20, 65_536);
    for record in &plan.records {
        let headers: Vec<(&str, &[u8])> =
            record.headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
        let record = RecordRef {
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &headers,
            ..RecordRef::at(plan.header.base_time_us + i64::from(record.time_delta))
        };
        builder.push(&record).expect("room");
    }
    let sequence = Sequence {
        producer_id: plan.header.producer_id,
        producer_epoch: plan.header.producer_epoch,
        base_sequence: plan.header.base_sequence,
    };
    builder.seal(sequence).to_vec()
}

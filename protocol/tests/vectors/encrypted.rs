//! Vectors of encrypted batches. They are all for partition 3 of `shop/orders`, and whoever reads
//! them has the keys 1 (the bytes 00 01 .. 1f) and 2 (the bytes 20 21 .. 3f).

use bytes::Bytes;
use serde_json::{Value, json};
use tidewire_protocol::batch::{
    Batch, BatchBuilder, Codec, Compressor, EncryptionKey, EncryptionKeys, Place, RecordRef,
    STAMP_LEN, Sealing, Sequence, Stamp,
};
use tidewire_protocol::error::Error;
use tidewire_protocol::name::TopicName;

use super::columns::{reseal, to_json};
use super::generate::{Id, Vectors, refused, understood};

const PARTITION: u32 = 3;

fn topic() -> TopicName {
    TopicName::parse("shop/orders").expect("a name")
}

fn key(id: u32, first: u8) -> EncryptionKey {
    EncryptionKey::new(id, std::array::from_fn(|i| first + i as u8)).expect("a number")
}

/// What a vector means to whoever has the two keys.
pub(super) fn judge(bytes: &[u8]) -> Result<Value, Error> {
    let mut keys = EncryptionKeys::default();
    keys.add(key(1, 0))?;
    keys.add(key(2, 0x20))?;
    let place = Place { topic: &topic(), partition: PARTITION };
    let batch = Batch::decode_with(Bytes::copy_from_slice(bytes), &keys, place)?;
    let mut value = to_json(&batch);
    value["key_id"] = json!(batch.header().key_id);
    Ok(value)
}

fn nonce() -> [u8; 24] {
    std::array::from_fn(|i| 7 * i as u8)
}

fn sealed(key: EncryptionKey, codec: Codec, partition: u32, with_ids: bool) -> Vec<u8> {
    let mut builder = BatchBuilder::of_encrypted(1 << 20, 1000);
    for i in 0..6u8 {
        let value =
            format!("{{\"order\":{i},\"city\":\"Aarhus\",\"note\":\"Aarhus, Aarhus\"}}");
        let record = RecordRef {
            key: (i % 3 != 0).then_some(b"ada"),
            value: (i != 4).then_some(value.as_bytes()),
            headers: if i == 2 { &[("trace", b"1")] } else { &[] },
            id: (with_ids && i != 1).then_some([i + 1; 16]),
            timestamp_us: 1_700_000_000_000_000 + i64::from(i),
        };
        builder.push(&record).expect("room");
    }
    let sequence = Sequence { producer_id: 9, producer_epoch: 1, base_sequence: 3 };
    let sealing = Sealing::new(key, topic(), nonce);
    let mut compressor = Compressor::new(codec, 3);
    builder.seal_encrypted(sequence, &mut compressor, &sealing, partition).to_vec()
}

fn id<'a>(name: &'a str, rule: &'a str) -> Id<'a> {
    Id { file: "batch/encrypted", name, rule, kind: "ENCRYPTED_BATCH" }
}

pub(super) fn batches(out: &mut Vectors) {
    let good = sealed(key(1, 0), Codec::None, PARTITION, false);
    understood(out, id("encrypted", "B-17"), "decode", &good);
    let other = sealed(key(2, 0x20), Codec::None, PARTITION, false);
    understood(out, id("encrypted-key-2", "B-18"), "decode", &other);
    let with_ids = sealed(key(1, 0), Codec::None, PARTITION, true);
    understood(out, id("encrypted-ids", "B-17"), "decode", &with_ids);
    let lz4 = sealed(key(1, 0), Codec::Lz4, PARTITION, false);
    understood(out, id("encrypted-lz4", "B-17"), "decode", &lz4);
    let zstd = sealed(key(1, 0), Codec::Zstd, PARTITION, true);
    understood(out, id("encrypted-zstd-ids", "B-17"), "decode", &zstd);
    let stamp = Stamp { base_offset: 41, append_time_us: 2, leader_epoch: 3 };
    let stamped = [&stamp.encode_for(&good)[..], &good[STAMP_LEN..]].concat();
    understood(out, id("encrypted-stamped", "B-19"), "decode", &stamped);
    let mut moved = good.clone();
    moved[56] = 99;
    reseal(&mut moved);
    understood(out, id("encrypted-another-sequence", "B-19"), "decode", &moved);

    let without_keys = Id { kind: "BATCH", ..id("encrypted-without-keys", "B-20") };
    refused(out, without_keys, &good, "ENCRYPTION_KEY_MISSING");
    let missing = sealed(key(3, 0), Codec::None, PARTITION, false);
    refused(out, id("encrypted-key-3", "B-20"), &missing, "ENCRYPTION_KEY_MISSING");
    let wrong = sealed(key(1, 0x20), Codec::None, PARTITION, false);
    refused(out, id("encrypted-another-key-1", "B-20"), &wrong, "ENCRYPTION_KEY_WRONG");
    let elsewhere = sealed(key(1, 0), Codec::None, PARTITION + 1, false);
    refused(out, id("encrypted-elsewhere", "B-19"), &elsewhere, "DECRYPTION_FAILED");
    let mut damaged = good.clone();
    damaged[200] ^= 1;
    refused(out, id("encrypted-damaged", "B-20"), &damaged, "CORRUPT_BATCH");

    let ids = &with_ids;
    let (failed, corrupt) = ("DECRYPTION_FAILED", "CORRUPT_BATCH");
    let unsupported = "UNSUPPORTED_BATCH";
    let last = ids.len() - 1;
    let padding = lz4.len() - 1;
    assert_eq!(lz4[padding], 0, "there is padding");
    // Name and rule, the batch, which byte of it changes by which bits, and how it is refused.
    type Patch<'a> = (&'a str, &'a str, &'a [u8], usize, u8, &'a str);
    let patches: [Patch<'_>; 15] = [
        ("nonce", "B-19", ids, 88, 1, failed),
        ("nonce-end", "B-19", ids, 111, 1, failed),
        ("id", "B-19", ids, 120, 1, failed),
        ("data", "B-20", ids, 120 + 6 * 16, 1, failed),
        ("tag", "B-20", ids, last, 1, failed),
        ("time", "B-19", ids, 40, 1, failed),
        ("columns", "B-19", ids, 34, 2, failed),
        ("key-check", "B-20", ids, 80, 1, "ENCRYPTION_KEY_WRONG"),
        ("key-id", "B-20", ids, 72, 3, "ENCRYPTION_KEY_WRONG"),
        ("sealed-len", "B-17", ids, 112, 8, corrupt),
        ("sealed-len-4-gib", "B-17", ids, 115, 0xff, corrupt),
        ("second-word", "B-17", ids, 116, 1, unsupported),
        ("more-records", "B-17", ids, 36, 1, corrupt),
        ("offset-deltas", "B-17", ids, 34, 64, unsupported),
        ("padding", "B-15", &lz4, padding, 1, corrupt),
    ];
    for (name, rule, from, at, bits, error) in patches {
        let mut bad = from.to_vec();
        bad[at] ^= bits;
        reseal(&mut bad);
        refused(out, id(&format!("encrypted-{name}"), rule), &bad, error);
    }
    let mut short = good[..80 + 32].to_vec();
    let len = short.len() as u32;
    short[28..32].copy_from_slice(&len.to_le_bytes());
    reseal(&mut short);
    refused(out, id("encrypted-too-short", "B-17"), &short, corrupt);
}

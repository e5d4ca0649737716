//! The examples of SPEC.md, byte by byte: what they show is what the code says.

use std::collections::HashMap;

use super::*;
use crate::batch::{Batch, Compressor, EncryptionKey, STAMP_LEN, Sealing, Stamp};
use crate::message::{KindRange, Ping, PingReply};
use crate::name::TopicName;

/// The bytes of each code block of SPEC.md that starts with `example:`.
fn examples() -> HashMap<String, Vec<u8>> {
    let text = include_str!("../../../SPEC.md");
    let mut examples = HashMap::new();
    for block in text.split("```text\nexample: ").skip(1) {
        let (block, _) = block.split_once("```").expect("the block ends");
        let (name, lines) = block.split_once('\n').expect("lines follow");
        let mut bytes: Vec<u8> = Vec::new();
        for line in lines.lines() {
            let (at, rest) = line.trim_start().split_once("  ").expect("offset, two spaces");
            assert_eq!(at.parse(), Ok(bytes.len()), "{name}: {line}");
            let hex = rest.split("  ").next().expect("bytes");
            for byte in hex.split(' ').filter(|byte| !byte.is_empty()) {
                bytes.push(u8::from_str_radix(byte, 16).expect("two digits"));
            }
        }
        examples.insert(name.to_owned(), bytes);
    }
    examples
}

/// Lists what differs rather than two columns of bytes.
fn same(name: &str, code: &[u8]) {
    let text = &examples()[name];
    let differs: Vec<_> =
        (0..text.len().max(code.len())).filter(|&at| text.get(at) != code.get(at)).collect();
    assert!(differs.is_empty(), "{name} differs at {differs:?}; the code says {code:02x?}");
}

/// SPEC W-1, W-2, W-12: PING and its reply.
#[test]
fn ping() {
    let head = Head { correlation: 7, ..Head::default() };
    same("ping", &raw(head, &Ping {}));
    same("ping-reply", &raw(Head { flags: Flags::RESPONSE, ..head }, &PingReply {}));
}

/// SPEC P-1, P-2, P-5, W-13: what both sides of a connection really send.
#[test]
fn hello() {
    let range = |kind: Kind| KindRange { kind: kind.0, min_version: 1, max_version: 1 };
    let client = ClientConfig {
        client_name: "demo".to_owned(),
        client_version: "1".to_owned(),
        ..ClientConfig::default()
    };
    let server = ServerConfig {
        server_name: "s".to_owned(),
        server_version: "1".to_owned(),
        server_id: 7,
        kinds: vec![range(Kind::PING), range(Kind::APPEND)],
        ..ServerConfig::default()
    };
    let pair = Pair::ready_with(client, server);
    same("hello", &pair.up.sent);
    same("hello-reply", &pair.down.sent);
}

fn example_batch() -> Bytes {
    let mut builder = BatchBuilder::new(1 << 20, 10);
    let record = RecordRef { key: Some(b"k"), value: Some(b"hi"), ..RecordRef::at(1) };
    builder.push(&record).expect("room");
    builder.seal(Sequence { producer_id: 9, ..Sequence::default() })
}

/// SPEC B-17, B-18, B-19: the same batch, encrypted.
#[test]
#[cfg_attr(miri, ignore = "AES-256-GCM is assembly")]
fn encrypted_batch() {
    let key = EncryptionKey::new(1, std::array::from_fn(|i| i as u8)).expect("a number");
    let topic = TopicName::parse("shop/orders").expect("a name");
    let sealing = Sealing::new(key, topic, || std::array::from_fn(|i| i as u8));
    let mut builder = BatchBuilder::of_encrypted(1 << 20, 10);
    let record = RecordRef { key: Some(b"k"), value: Some(b"hi"), ..RecordRef::at(1) };
    builder.push(&record).expect("room");
    let sequence = Sequence { producer_id: 9, ..Sequence::default() };
    let batch = builder.seal_encrypted(sequence, &mut Compressor::default(), &sealing, 3);
    same("batch-encrypted", &batch);
}

/// SPEC W-8, W-15: APPEND and its reply.
#[test]
fn appending() {
    let batch = example_batch();
    let head = Head { correlation: 3, channel: 1, aux: 30_000, ..Head::default() };
    let mut out = BytesMut::new();
    frame::encode(&mut out, head, &append(), batch.len(), limits::MAX_FRAME_LEN)
        .expect("small");
    out.extend_from_slice(&batch);
    same("append", &out);
    let reply = Head { flags: Flags::RESPONSE, aux: 0, ..head };
    same("append-reply", &raw(reply, &appended(41)));
}

/// SPEC B-2, B-3, B-4, B-5, B-8: a batch as its producer built it, and stamped.
#[test]
fn batches() {
    let batch = example_batch();
    same("batch", &batch);
    let stamp = Stamp { base_offset: 41, append_time_us: 2, leader_epoch: 3 };
    let stamped = [&stamp.encode_for(&batch)[..], &batch[STAMP_LEN..]].concat();
    same("batch-stamped", &stamped);
    let record = Batch::decode(stamped.into()).expect("valid");
    assert_eq!(record.get(0).expect("one").offset(), 41);
}

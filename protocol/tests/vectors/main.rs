//! The golden vectors of `protocol/vectors`, driven through this crate's codecs.
//!
//! A vector is a line of a file: bytes, and what they mean or why they are refused. It has a
//! class: `roundtrip` (the bytes give the value and the value gives the bytes), `decode` (bytes of
//! an older or newer peer give the value) or `reject` (the bytes are refused with the error). A
//! vector that was released is frozen: `frozen.txt` has its checksum, and nothing but additions
//! pass. `cargo xtask vectors` adds what `generate` has and the files do not.

#![allow(clippy::disallowed_methods, reason = "the vectors are files")]

mod batches;
mod codecs;
mod columns;
mod encrypted;
mod generate;
mod json;
mod messages_json;
mod metas;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use serde_json::{Map, Value, json};
use tidewire_protocol::batch::Batch;
use tidewire_protocol::codec::{Field, Reader, Writer};
use tidewire_protocol::crc::crc32c;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::frame::{self, Flags, HEADER_LEN, Header};
use tidewire_protocol::limits;
use tidewire_protocol::message::{Direction, KINDS, Kind, SeenRange};
use tidewire_protocol::partitioner::partition_of;

use json::{Json, unhex};
use messages_json::codec_of;

/// Counts of partitions in a vector of the partitioner; the last gives the hash itself.
const PARTITION_COUNTS: [u32; 6] = [1, 2, 7, 12, 100_000, 1 << 31];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// All vectors by file, relative to the directory.
fn load() -> BTreeMap<String, Vec<Value>> {
    let mut files = BTreeMap::new();
    let Ok(areas) = std::fs::read_dir(directory()) else {
        return files;
    };
    for area in areas.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir())
    {
        for entry in std::fs::read_dir(area).expect("a directory") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("text");
            let vectors: Vec<Value> =
                serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path:?}: {e}"));
            let name = path.strip_prefix(directory()).expect("below").to_string_lossy();
            files.insert(name.into_owned(), vectors);
        }
    }
    files
}

fn all() -> Vec<Value> {
    load().into_values().flatten().collect()
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap_or_else(|| panic!("{vector} has no {field}"))
}

/// What the bytes of a vector mean, by the crate's own codecs.
fn judge(kind: &str, bytes: &[u8]) -> Result<Value, Error> {
    match kind {
        "PREFACE" => {
            frame::check_preface(bytes)?;
            Ok(json!({ "major": bytes[4], "minor": bytes[5] }))
        }
        "PARTITION" => Ok(partitions(bytes)),
        "BATCH" => Ok(columns::to_json(&Batch::decode(Bytes::copy_from_slice(bytes))?)),
        "ENCRYPTED_BATCH" => encrypted::judge(bytes),
        _ => judge_frame(bytes),
    }
}

fn partitions(key: &[u8]) -> Value {
    let of = PARTITION_COUNTS.map(|n| (n.to_string(), json!(partition_of(key, n))));
    Value::Object(Map::from_iter(of))
}

/// The optional field of an error reply that says which records were seen.
const SEEN_TAG: u16 = 1;

/// SPEC I-15
fn seen(mut reader: Reader<'_>) -> Result<Vec<SeenRange>, Error> {
    let mut seen = None;
    while let Some(tlv) = reader.tlv()? {
        match tlv.tag {
            SEEN_TAG => tlv.fill(&mut seen)?,
            _ => tlv.skip()?,
        }
    }
    Ok(seen.unwrap_or_default())
}

fn judge_frame(bytes: &[u8]) -> Result<Value, Error> {
    let head = bytes.first_chunk::<HEADER_LEN>().expect("a whole header");
    let header = Header::parse(head, limits::MAX_FRAME_LEN)?;
    let meta_end = HEADER_LEN + header.meta_len as usize;
    let meta = &bytes[HEADER_LEN..meta_end];
    Header::check_meta(head, meta)?;
    assert_eq!(bytes.len(), header.size as usize, "a vector is one frame");
    let malformed = |why: &str| Error::new(Code::MALFORMED_META, why);
    let response = header.flags.has(Flags::RESPONSE);
    let (fields, payload) = if response && header.status().0.0 != 0 {
        let mut reader = Reader::new(meta);
        let message = String::take(&mut reader)?;
        if header.status().0 == Code::DUPLICATE_IDS {
            (json!({ "message": message, "seen": seen(reader)?.to_json() }), false)
        } else {
            reader.finish()?;
            (json!({ "message": message }), false)
        }
    } else {
        let unknown = || Error::new(Code::UNKNOWN_KIND, "");
        let row = header.kind.info().ok_or_else(unknown)?;
        if row.version != header.kind_version {
            return Err(Error::new(Code::UNSUPPORTED_VERSION, ""));
        }
        let one_way = row.direction != Direction::Request;
        if header.flags.has(Flags::ONE_WAY) != one_way {
            return Err(malformed("ONE_WAY"));
        }
        let codec = codec_of(header.kind, response).ok_or_else(unknown)?;
        let payload = if response { row.response_payload } else { row.request_payload };
        ((codec.decode)(meta)?, payload)
    };
    let mut rest = Bytes::copy_from_slice(&bytes[meta_end..]);
    if !rest.is_empty() && !payload {
        return Err(malformed("payload"));
    }
    let mut batches = Vec::new();
    while !rest.is_empty() {
        let len = tidewire_protocol::batch::Header::parse(&rest)?.total_len as usize;
        batches.push(columns::to_json(&Batch::decode(rest.split_to(len))?));
    }
    Ok(json!({
        "header": {
            "size": header.size,
            "kind": header.kind.0,
            "kind_version": header.kind_version,
            "flags": header.flags.0,
            "correlation": header.correlation.to_json(),
            "channel": header.channel,
            "aux": header.aux,
            "meta_len": header.meta_len,
        },
        "fields": fields,
        "batches": batches,
    }))
}

/// The bytes that a value has.
fn encode(kind: &str, value: &Value) -> Vec<u8> {
    match kind {
        "PREFACE" => {
            let byte = |name: &str| u8::from_json(&value[name]);
            let mut preface = frame::PREFACE;
            (preface[4], preface[5]) = (byte("major"), byte("minor"));
            preface.to_vec()
        }
        "BATCH" => columns::from_json(value).write(),
        _ => encode_frame(value),
    }
}

fn encode_frame(value: &Value) -> Vec<u8> {
    let head = &value["header"];
    let fields = &value["fields"];
    let mut header = Header {
        size: 0,
        kind: Kind(u16::from_json(&head["kind"])),
        kind_version: u8::from_json(&head["kind_version"]),
        flags: Flags(u8::from_json(&head["flags"])),
        correlation: u64::from_json(&head["correlation"]),
        channel: u32::from_json(&head["channel"]),
        aux: u32::from_json(&head["aux"]),
        meta_len: 0,
    };
    let response = header.flags.has(Flags::RESPONSE);
    let mut meta = if response && header.status().0.0 != 0 {
        let message = text(fields, "message");
        let mut meta = BytesMut::new();
        let mut writer = Writer::new(&mut meta);
        message.to_owned().put(&mut writer);
        if header.status().0 == Code::DUPLICATE_IDS {
            writer.tlv(SEEN_TAG, false, &Vec::<SeenRange>::from_json(&fields["seen"]));
        }
        meta.to_vec()
    } else {
        (codec_of(header.kind, response).expect("a known kind").encode)(fields)
    };
    meta.resize(meta.len().next_multiple_of(8), 0);
    let batches = value["batches"].as_array().expect("batches");
    let payload: Vec<u8> =
        batches.iter().flat_map(|batch| columns::from_json(batch).write()).collect();
    header.meta_len = meta.len() as u32;
    header.size = (HEADER_LEN + meta.len() + payload.len()) as u32;
    [&header.encode(&meta)[..], &meta, &payload].concat()
}

/// A value without the fields that came after it was frozen (V-2): it cannot have them.
fn without_later(value: &Value, frozen: &Value) -> Value {
    let mut value = value.clone();
    if let Some(fields) = value.get_mut("fields").and_then(Value::as_object_mut) {
        fields.retain(|name, field| !field.is_null() || frozen["fields"].get(name).is_some());
    }
    value
}

/// SPEC V-1: every vector means what it always meant.
#[test]
fn every_vector_is_kept() {
    let vectors = all();
    assert!(vectors.len() >= 150, "{} vectors", vectors.len());
    for vector in &vectors {
        let name = text(vector, "name");
        let kind = text(vector, "kind");
        let bytes = unhex(text(vector, "hex"));
        let judged = judge(kind, &bytes);
        match text(vector, "class") {
            "reject" => {
                let error = judged.expect_err(name);
                assert_eq!(error.code.name(), vector["error"].as_str(), "{name}: {error}");
            }
            class => {
                let value = judged.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(without_later(&value, &vector["value"]), vector["value"], "{name}");
                if class == "roundtrip" && kind != "PARTITION" {
                    assert_eq!(json::hex(&encode(kind, &value)), text(vector, "hex"), "{name}");
                } else {
                    assert!(["roundtrip", "decode"].contains(&class), "{name}: {class}");
                }
            }
        }
    }
}

/// SPEC V-1: names are unique, each names a rule, and each row of the tables has its vectors.
#[test]
fn the_vectors_cover_every_kind_in_both_directions() {
    let mut names = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for vector in all() {
        assert!(names.insert(text(&vector, "name").to_owned()), "{} twice", vector["name"]);
        assert!(text(&vector, "rule").contains('-'));
        if text(&vector, "class") == "roundtrip" && vector["value"]["header"].is_object() {
            let flags = Flags(u8::from_json(&vector["value"]["header"]["flags"]));
            seen.insert((text(&vector, "kind").to_owned(), flags.has(Flags::RESPONSE)));
        }
    }
    for row in KINDS {
        assert!(seen.contains(&(row.name.to_owned(), false)), "{}", row.name);
        if row.direction == Direction::Request {
            assert!(seen.contains(&(row.name.to_owned(), true)), "reply to {}", row.name);
        }
    }
}

/// The checksum under which a vector is frozen.
fn freeze(file: &str, vector: &Value) -> String {
    format!("{:08x} {file} {}", crc32c(vector.to_string().as_bytes()), text(vector, "name"))
}

/// SPEC V-1: released vectors are never edited and never taken away.
#[test]
fn released_vectors_are_frozen() {
    let list = std::fs::read_to_string(directory().join("frozen.txt")).expect("the list");
    let frozen: BTreeSet<&str> = list.lines().collect();
    let now: BTreeSet<String> = load()
        .iter()
        .flat_map(|(file, vectors)| vectors.iter().map(|vector| freeze(file, vector)))
        .collect();
    for line in &frozen {
        assert!(now.contains(*line), "changed or missing: {line}");
    }
    for line in &now {
        assert!(
            frozen.contains(line.as_str()),
            "not frozen, run `cargo xtask vectors`: {line}"
        );
    }
}

/// The decoder that was written from SPEC.md alone agrees, and notices lies.
#[test]
fn the_independent_decoder_agrees() {
    let version = std::process::Command::new("python3")
        .args(["-c", "import tomllib"])
        .stderr(std::process::Stdio::null())
        .status();
    if !version.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: vectors/check.py needs python3 of version 3.11 or later");
        return;
    }
    for args in [&[][..], &["--self-test"][..]] {
        let output = std::process::Command::new("python3")
            .arg(directory().join("check.py"))
            .args(args)
            .output()
            .expect("python3 runs");
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

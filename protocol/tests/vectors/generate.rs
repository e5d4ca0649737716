//! What the vectors say: samples of every field of every kind, and faults one at a time.
//!
//! Writes only what the files do not have. It is not a test but a task; `cargo xtask vectors`
//! starts it.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tidewire_protocol::frame::{Flags, HEADER_LEN, Header, PREFACE};
use tidewire_protocol::limits;
use tidewire_protocol::message::{Direction, KINDS, Kind, KindInfo};

use super::codecs;
use super::columns::{Plan, Record, reseal, reseal_header};
use super::encrypted;
use super::json::hex;
use super::messages_json::codec_of;
use super::{directory, encode, freeze, judge, load, partitions, text};

/// Optional fields of requests that came when the vectors of their kind were frozen: each has one of
/// its own.
const LATER: [(&str, &str); 1] = [("OPEN_PRODUCER", "opener")];

/// Adds missing vectors to the files and freezes them.
#[test]
#[ignore = "a task: run by `cargo xtask vectors`"]
fn missing_vectors_are_written() {
    let mut files = load();
    let mut added = 0;
    for (file, vector) in wanted() {
        let vectors = files.entry(file).or_default();
        if vectors.iter().all(|old| text(old, "name") != text(&vector, "name")) {
            vectors.push(vector);
            added += 1;
        }
    }
    let mut frozen = Vec::new();
    for (file, vectors) in &files {
        let lines: Vec<String> = vectors.iter().map(Value::to_string).collect();
        let path = directory().join(file);
        std::fs::create_dir_all(path.parent().expect("an area")).expect("a directory");
        std::fs::write(&path, format!("[\n{}\n]\n", lines.join(",\n"))).expect("written");
        frozen.extend(vectors.iter().map(|vector| freeze(file, vector)));
    }
    let list = frozen.iter().fold(String::new(), |mut list, line| {
        writeln!(list, "{line}").expect("writing to a String");
        list
    });
    // Additions only: what was frozen must still be there, word by word.
    let path = directory().join("frozen.txt");
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    for line in old.lines() {
        assert!(frozen.iter().any(|new| new == line), "a frozen vector changed: {line}");
    }
    std::fs::write(path, list).expect("written");
    println!("{added} vectors added, {} in all", frozen.len());
}

pub(super) type Vectors = Vec<(String, Value)>;

fn wanted() -> Vectors {
    let mut out = Vec::new();
    prefaces(&mut out);
    headers(&mut out);
    errors(&mut out);
    messages(&mut out);
    batch_columns(&mut out);
    batch_records(&mut out);
    codecs::compressed(&mut out);
    codecs::zstandard(&mut out);
    batch_faults(&mut out);
    encrypted::batches(&mut out);
    keys(&mut out);
    out
}

/// Name and rule of a vector, where it goes, and of what kind it is.
#[derive(Clone, Copy)]
pub(super) struct Id<'a> {
    pub(super) file: &'a str,
    pub(super) name: &'a str,
    pub(super) rule: &'a str,
    pub(super) kind: &'a str,
}

/// Where vectors go, and of what kind they are.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a str,
    kind: &'a str,
}

impl Place<'_> {
    fn of<'b>(&'b self, name: &'b str, rule: &'b str) -> Id<'b> {
        Id { file: self.file, name, rule, kind: self.kind }
    }
}

/// A vector that must be understood, as `class`; its value is what the codecs say today.
pub(super) fn understood(out: &mut Vectors, id: Id<'_>, class: &str, bytes: &[u8]) {
    let value = judge(id.kind, bytes).unwrap_or_else(|e| panic!("{}: {e}", id.name));
    if class == "roundtrip" && id.kind != "PARTITION" {
        assert_eq!(encode(id.kind, &value), bytes, "{}", id.name);
    }
    push(out, id, class, bytes, value, Value::Null);
}

/// A vector that must be refused with the error called `error`.
pub(super) fn refused(out: &mut Vectors, id: Id<'_>, bytes: &[u8], error: &str) {
    let refusal = judge(id.kind, bytes).expect_err(id.name);
    assert_eq!(refusal.code.name(), Some(error), "{}: {refusal}", id.name);
    push(out, id, "reject", bytes, Value::Null, json!(error));
}

fn push(out: &mut Vectors, id: Id<'_>, class: &str, bytes: &[u8], value: Value, error: Value) {
    let version = Kind::of_name(id.kind).map_or(1, |row| row.version);
    let vector = json!({
        "name": id.name,
        "rule": id.rule,
        "kind": id.kind,
        "version": version,
        "class": class,
        "hex": hex(bytes),
        "value": value,
        "error": error,
    });
    out.push((format!("{}.json", id.file), vector));
}

trait OfName {
    fn of_name(name: &str) -> Option<&'static KindInfo>;
}

impl OfName for Kind {
    fn of_name(name: &str) -> Option<&'static KindInfo> {
        KINDS.iter().find(|row| row.name == name)
    }
}

fn prefaces(out: &mut Vectors) {
    let id = Place { file: "preface/preface", kind: "PREFACE" };
    understood(out, id.of("preface", "P-2"), "roundtrip", &PREFACE);
    understood(out, id.of("preface-newer-minor", "P-3"), "decode", b"TIDE\x01\x09\0\0");
    understood(out, id.of("preface-reserved-set", "P-3"), "decode", b"TIDE\x01\0\xff\xff");
    for (name, bytes, error) in [
        ("preface-http", &b"GET / HT"[..], "NOT_TIDEWIRE"),
        ("preface-tls", b"\x16\x03\x01\x02\0\x01\0\x01", "NOT_TIDEWIRE"),
        ("preface-lower-case", b"tide\x01\0\0\0", "NOT_TIDEWIRE"),
        ("preface-zeros", &[0; 8], "NOT_TIDEWIRE"),
        ("preface-major-0", b"TIDE\0\0\0\0", "UNSUPPORTED_PROTOCOL"),
        ("preface-major-2", b"TIDE\x02\0\0\0", "UNSUPPORTED_PROTOCOL"),
        ("preface-major-255", b"TIDE\xff\0\0\0", "UNSUPPORTED_PROTOCOL"),
    ] {
        refused(out, id.of(name, "P-3"), bytes, error);
    }
}

fn header(kind: Kind, meta_len: usize) -> Header {
    Header {
        size: (HEADER_LEN + meta_len) as u32,
        kind,
        kind_version: 1,
        flags: Flags::default(),
        correlation: 7,
        channel: 0,
        aux: 0,
        meta_len: meta_len as u32,
    }
}

fn crafted(header: Header, meta: &[u8], payload: &[u8]) -> Vec<u8> {
    [&header.encode(meta)[..], meta, payload].concat()
}

fn headers(out: &mut Vectors) {
    let id = Place { file: "frame/header", kind: "PING" };
    let ping = header(Kind::PING, 0);
    let most = Header {
        correlation: limits::MAX_CORRELATION,
        channel: u32::MAX,
        aux: u32::MAX,
        ..ping
    };
    understood(out, id.of("frame-ping", "W-2"), "roundtrip", &crafted(ping, &[], &[]));
    understood(out, id.of("frame-most", "W-2"), "roundtrip", &crafted(most, &[], &[]));
    let reply = Header { flags: Flags::RESPONSE, ..ping };
    understood(out, id.of("frame-ping-reply", "W-7"), "roundtrip", &crafted(reply, &[], &[]));
    let limit = limits::MAX_FRAME_LEN;
    let faults: [(&str, &str, Header, &str); 14] = [
        ("frame-size-0", "W-3", Header { size: 0, ..ping }, "MALFORMED_FRAME"),
        ("frame-size-24", "W-3", Header { size: 24, ..ping }, "MALFORMED_FRAME"),
        ("frame-size-33", "W-3", Header { size: 33, ..ping }, "MALFORMED_FRAME"),
        ("frame-size-36", "W-3", Header { size: 36, ..ping }, "MALFORMED_FRAME"),
        ("frame-size-limit", "W-3", Header { size: limit + 8, ..ping }, "FRAME_TOO_LARGE"),
        ("frame-size-limit-1", "W-3", Header { size: limit + 1, ..ping }, "FRAME_TOO_LARGE"),
        ("frame-size-4-gib", "W-10", Header { size: u32::MAX, ..ping }, "FRAME_TOO_LARGE"),
        ("frame-meta-overrun", "W-4", Header { meta_len: 8, ..ping }, "MALFORMED_FRAME"),
        ("frame-meta-4", "W-4", Header { size: 40, meta_len: 4, ..ping }, "MALFORMED_FRAME"),
        (
            "frame-meta-limit",
            "W-4",
            Header { size: 1 << 20, meta_len: limits::MAX_META_LEN + 8, ..ping },
            "MALFORMED_FRAME",
        ),
        ("frame-flag-8", "W-5", Header { flags: Flags(8), ..ping }, "MALFORMED_FRAME"),
        ("frame-flag-16", "W-5", Header { flags: Flags(16), ..ping }, "MALFORMED_FRAME"),
        ("frame-flag-128", "W-5", Header { flags: Flags(128), ..ping }, "MALFORMED_FRAME"),
        ("frame-one-way-ping", "E-7", Header { flags: Flags(2), ..ping }, "MALFORMED_META"),
    ];
    for (name, rule, header, error) in faults {
        refused(out, id.of(name, rule), &crafted(header, &[], &[]), error);
    }
    let good = crafted(most, &[], &[]);
    for at in [6, 8, 16, 20, 31] {
        let mut bad = good.clone();
        bad[at] ^= 4;
        refused(out, id.of(&format!("frame-flipped-{at}"), "W-9"), &bad, "FRAME_CHECKSUM");
    }
    let unknown = Header { kind: Kind(0x7abc), ..ping };
    refused(
        out,
        id.of("frame-unknown-kind", "V-6"),
        &crafted(unknown, &[], &[]),
        "UNKNOWN_KIND",
    );
    for kind_version in [0, 2, 255] {
        let other = Header { kind_version, ..ping };
        let name = format!("frame-version-{kind_version}");
        let bytes = crafted(other, &[], &[]);
        refused(out, id.of(&name, "V-3"), &bytes, "UNSUPPORTED_VERSION");
    }
    let loaded = Header { size: 40, ..ping };
    let bytes = crafted(loaded, &[], &[0; 8]);
    refused(out, id.of("frame-payload", "W-15"), &bytes, "MALFORMED_META");
    let metas: [(&str, &str, &[u8], Option<&str>); 8] = [
        ("tlv-unknown", "W-14", &[1, 0, 4, 0, 9, 9, 9, 9], None),
        ("tlv-unknown-empty", "W-14", &[0xff, 0x7f, 0, 0, 0, 0, 0, 0], None),
        ("tlv-two-empty", "W-14", &[1, 0, 0, 0, 2, 0, 0, 0], None),
        ("tlv-critical", "V-2", &[1, 0x80, 4, 0, 9, 9, 9, 9], Some("UNSUPPORTED_FIELD")),
        ("tlv-tag-0", "W-14", &[0, 0, 4, 0, 9, 9, 9, 9], Some("MALFORMED_META")),
        ("tlv-critical-tag-0", "W-14", &[0, 0x80, 0, 0, 0, 0, 0, 0], Some("MALFORMED_META")),
        ("tlv-overrun", "W-14", &[1, 0, 5, 0, 9, 9, 9, 9], Some("MALFORMED_META")),
        ("padding-of-8", "W-12", &[0; 8], Some("MALFORMED_META")),
    ];
    for (name, rule, meta, error) in metas {
        let bytes = crafted(header(Kind::PING, 8), meta, &[]);
        match error {
            None => understood(out, id.of(name, rule), "decode", &bytes),
            Some(error) => refused(out, id.of(name, rule), &bytes, error),
        }
    }
    let create = |tlvs: &[u8]| {
        let mut meta = vec![0, 0, 1, 0, b't', 1, 0, 0, 0];
        meta.extend_from_slice(tlvs);
        meta.resize(meta.len().next_multiple_of(8), 0);
        crafted(header(Kind::TOPIC_CREATE, meta.len()), &meta, &[])
    };
    let id = Place { file: "frame/tlv", kind: "TOPIC_CREATE" };
    let known = [1, 0, 8, 0, 0, 0, 0x20, 0, 0, 0, 0, 0];
    let unknown = [9, 0, 1, 0, 5];
    understood(out, id.of("tlv-known-not-critical", "W-14"), "decode", &create(&known));
    let both = [&unknown[..], &known].concat();
    understood(out, id.of("tlv-any-order", "W-14"), "decode", &create(&both));
    let twice = create(&known.repeat(2));
    refused(out, id.of("tlv-twice", "W-14"), &twice, "MALFORMED_META");
    let short = create(&[1, 0, 4, 0, 0, 0, 0x20, 0]);
    refused(out, id.of("tlv-too-short", "W-14"), &short, "MALFORMED_META");
    let long = create(&[1, 0, 9, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0]);
    refused(out, id.of("tlv-too-long", "W-14"), &long, "MALFORMED_META");
    let not_utf8 = [0, 0, 1, 0, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let bytes = crafted(header(Kind::TOPIC_CREATE, 16), &not_utf8, &[]);
    refused(out, id.of("string-not-utf8", "W-13"), &bytes, "MALFORMED_META");
    let id = Place { file: "frame/tlv", kind: "STREAM_LIST" };
    let reply = |meta: &[u8]| {
        crafted(
            Header { flags: Flags::RESPONSE, ..header(Kind::STREAM_LIST, meta.len()) },
            meta,
            &[],
        )
    };
    let bytes = reply(&[0, 0, 0, 0, 2, 0, 0, 0]);
    refused(out, id.of("bool-2", "W-13"), &bytes, "MALFORMED_META");
    let bytes = reply(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    refused(out, id.of("list-count-4-gi", "W-10"), &bytes, "MALFORMED_META");
    let bytes = reply(&[1, 0, 0, 0, 0, 0, 0, 0]);
    refused(out, id.of("list-count-overruns", "W-13"), &bytes, "MALFORMED_META");
}

fn errors(out: &mut Vectors) {
    let id = Place { file: "frame/error", kind: "APPEND" };
    for (name, rule, aux, message) in [
        ("error-topic-not-found", "E-1", 0x0008_012d, "topic \"t\" does not exist"),
        ("error-overloaded", "E-3", 0x0001_0386, ""),
        ("error-unknown", "E-2", 0x001f_fffe, "é 世界"),
    ] {
        let mut meta = (message.len() as u16).to_le_bytes().to_vec();
        meta.extend_from_slice(message.as_bytes());
        meta.resize(meta.len().next_multiple_of(8), 0);
        let head = Header {
            flags: Flags::RESPONSE,
            channel: 3,
            aux,
            ..header(Kind::APPEND, meta.len())
        };
        understood(out, id.of(name, rule), "roundtrip", &crafted(head, &meta, &[]));
    }
    let mut meta = vec![4, 0, b's', b'e', b'e', b'n', 1, 0, 36, 0, 2, 0, 0, 0];
    for (first_index, count, base_offset) in [(0u32, 3u32, 41u64), (5, 1, u64::MAX)] {
        meta.extend_from_slice(&first_index.to_le_bytes());
        meta.extend_from_slice(&count.to_le_bytes());
        meta.extend_from_slice(&base_offset.to_le_bytes());
    }
    meta.resize(meta.len().next_multiple_of(8), 0);
    let head = Header { flags: Flags::RESPONSE, aux: 411, ..header(Kind::APPEND, meta.len()) };
    let bytes = crafted(head, &meta, &[]);
    understood(out, id.of("error-duplicate-ids", "I-15"), "roundtrip", &bytes);
    let head = Header { flags: Flags::RESPONSE, aux: 0x0002_0384, ..header(Kind::APPEND, 8) };
    let added = crafted(head, &[0, 0, 4, 0, 1, 0, 9, 0], &[]);
    understood(out, id.of("error-with-added-field", "V-2"), "decode", &added);
    let other_version = Header { kind_version: 9, ..head };
    let bytes = crafted(other_version, &[2, 0, b'n', b'o', 0, 0, 0, 0], &[]);
    understood(out, id.of("error-of-another-version", "V-1"), "decode", &bytes);
}

/// How large the sampled values are.
#[derive(Clone, Copy, PartialEq)]
enum Size {
    Least,
    Typical,
    Most,
}

fn messages(out: &mut Vectors) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/spec/kinds.toml");
    let spec: toml::Table =
        std::fs::read_to_string(path).expect("the table").parse().expect("TOML");
    for kind in spec["kind"].as_array().expect("kinds") {
        let name = kind["name"].as_str().expect("a name");
        let row = Kind::of_name(name).expect("generated");
        message(out, &spec, kind, row, false);
        if row.direction == Direction::Request {
            message(out, &spec, kind, row, true);
        }
    }
}

fn message(
    out: &mut Vectors,
    spec: &toml::Table,
    kind: &toml::Value,
    row: &KindInfo,
    response: bool,
) {
    let part = if response { "response" } else { "request" };
    let tlvs = format!("{part}_tlvs");
    let list = |name: &str| kind.get(name).and_then(toml::Value::as_array).cloned();
    let fields = list(part).unwrap_or_default();
    let tlvs = list(&tlvs).unwrap_or_default();
    let base = row.name.to_lowercase().replace('_', "-");
    let file = format!("message/{base}");
    let base = if response { format!("{base}-reply") } else { base };
    let one_way = row.direction != Direction::Request;
    let flags = match (response, one_way) {
        (true, _) => Flags::RESPONSE,
        (_, true) => Flags::ONE_WAY,
        _ => Flags::default(),
    };
    let head = Header {
        flags,
        kind_version: row.version,
        correlation: if one_way { 0 } else { 12 },
        channel: 3,
        aux: if response || one_way { 0 } else { 30_000 },
        ..header(row.kind, 0)
    };
    let codec = codec_of(row.kind, response).expect("generated");
    let payload: Vec<u8> = match (response, row.request_payload, row.response_payload) {
        (false, true, _) | (true, _, true) => {
            let mut plan = Plan::new(1, vec![record(0), record(1)]);
            for record in &mut plan.records {
                record.headers.clear();
                record.key = Some(b"k".to_vec());
                record.value = Some(b"v".to_vec());
                record.time_delta = 0;
            }
            plan.write()
        }
        _ => Vec::new(),
    };
    let frame = |meta: &[u8]| {
        let mut meta = meta.to_vec();
        meta.resize(meta.len().next_multiple_of(8), 0);
        let size = (HEADER_LEN + meta.len() + payload.len()) as u32;
        crafted(Header { size, meta_len: meta.len() as u32, ..head }, &meta, &payload)
    };
    let meta_of = |size: Size| {
        let mut value = sample_fields(spec, &fields, size);
        for tlv in &tlvs {
            let name = tlv["name"].as_str().expect("a name").to_owned();
            let ty = tlv["type"].as_str().expect("a type");
            value[name] =
                if size == Size::Least { Value::Null } else { sample(spec, ty, size) };
        }
        (codec.encode)(&value)
    };
    let id = Place { file: &file, kind: row.name };
    let sizes: &[(&str, &str, Size)] = if fields.is_empty() && tlvs.is_empty() {
        &[("", "W-16", Size::Least)]
    } else {
        &[
            ("-least", "W-12", Size::Least),
            ("", "W-16", Size::Typical),
            ("-most", "W-13", Size::Most),
        ]
    };
    for (end, rule, size) in sizes {
        let name = format!("{base}{end}");
        understood(out, id.of(&name, rule), "roundtrip", &frame(&meta_of(*size)));
    }
    for (_, later) in LATER.iter().filter(|(kind, _)| *kind == row.name && !response) {
        let mut value = sample_fields(spec, &fields, Size::Typical);
        for tlv in &tlvs {
            let name = tlv["name"].as_str().expect("a name");
            let ty = tlv["type"].as_str().expect("a type");
            let set = name == *later;
            let sample = if set { sample(spec, ty, Size::Typical) } else { Value::Null };
            value[name.to_owned()] = sample;
        }
        let name = format!("{base}-{later}");
        understood(out, id.of(&name, "V-2"), "roundtrip", &frame(&(codec.encode)(&value)));
    }
    let typical = meta_of(Size::Typical);
    let newer = [&typical[..], &[0xaa, 0x7a, 3, 0, 1, 2, 3]].concat();
    let name = format!("{base}-from-newer");
    understood(out, id.of(&name, "V-2"), "decode", &frame(&newer));
    let critical = [&typical[..], &[0xaa, 0xfa, 3, 0, 1, 2, 3]].concat();
    let name = format!("{base}-critical");
    refused(out, id.of(&name, "V-2"), &frame(&critical), "UNSUPPORTED_FIELD");
    if let Some(cut) = (meta_of(Size::Least).len()).checked_sub(1).map(|len| len & !7) {
        // All but the last bytes of the fields: what is missing cannot be padding.
        let name = format!("{base}-cut");
        let least = meta_of(Size::Least);
        refused(out, id.of(&name, "W-13"), &frame(&least[..cut]), "MALFORMED_META");
    }
}

fn sample_fields(spec: &toml::Table, fields: &[toml::Value], size: Size) -> Value {
    let mut object = serde_json::Map::new();
    for field in fields {
        let name = field["name"].as_str().expect("a name").to_owned();
        object.insert(name, sample(spec, field["type"].as_str().expect("a type"), size));
    }
    Value::Object(object)
}

fn sample(spec: &toml::Table, ty: &str, size: Size) -> Value {
    let three = |least: Value, typical: Value, most: Value| match size {
        Size::Least => least,
        Size::Typical => typical,
        Size::Most => most,
    };
    match ty {
        "u8" => three(json!(0), json!(5), json!(u8::MAX)),
        "u16" => three(json!(0), json!(301), json!(u16::MAX)),
        "u32" => three(json!(0), json!(70_000), json!(u32::MAX)),
        "u64" => three(json!("0"), json!("9007199254740993"), json!(u64::MAX.to_string())),
        "i64" => {
            let typical = json!("1700000000000001");
            three(json!("0"), typical, json!(i64::MIN.to_string()))
        }
        "bool" => three(json!(false), json!(true), json!(true)),
        "str" => three(json!(""), json!("orders"), json!("é/世界\u{1f30a}".repeat(12))),
        "bytes" => three(json!(""), json!("00ff10"), json!("ab".repeat(300))),
        _ => {
            if let Some(item) = ty.strip_prefix("list:") {
                let one = |size| sample(spec, item, size);
                return three(
                    json!([]),
                    json!([one(Size::Typical)]),
                    json!([one(Size::Least), one(Size::Most), one(Size::Typical)]),
                );
            }
            let row = |table: &str| {
                let rows = spec[table].as_array().expect("rows");
                rows.iter().find(|row| row["name"].as_str() == Some(ty)).cloned()
            };
            match row("struct") {
                Some(row) => {
                    sample_fields(spec, row["fields"].as_array().expect("fields"), size)
                }
                None => {
                    assert!(row("enum").is_some(), "the type {ty}");
                    three(json!(0), json!(1), json!(200))
                }
            }
        }
    }
}

/// A record with something in every column.
fn record(index: u32) -> Record {
    Record {
        key: (index % 3 != 1).then(|| format!("key{index}").into_bytes()),
        value: (index % 3 != 2).then(|| vec![index as u8; index as usize % 5]),
        headers: (0..index % 3)
            .map(|at| (format!("h{at}é"), vec![at as u8; at as usize]))
            .collect(),
        time_delta: index * 1000,
        id: [(index as u8).wrapping_add(1); 16],
        offset_delta: index * 2,
    }
}

/// Records that `columns` can say.
fn records(columns: u16, count: u32) -> Vec<Record> {
    let mut records: Vec<Record> = (0..count).map(record).collect();
    for record in &mut records {
        if columns & 1 == 0 {
            record.key = None;
        } else if columns & 32 == 0 {
            record.key.get_or_insert_default();
        }
        if columns & 16 == 0 {
            record.value.get_or_insert_default();
        }
        if columns & 2 == 0 {
            record.headers.clear();
        }
        if columns & 4 == 0 {
            record.time_delta = 0;
        }
    }
    records
}

fn batch_columns(out: &mut Vectors) {
    for columns in 0..128u16 {
        let name = format!("batch-columns-{columns}");
        let id = Id { file: "batch/columns", name: &name, rule: "B-8", kind: "BATCH" };
        let plan = Plan::new(columns, records(columns, 3));
        if columns & 33 == 32 {
            // A key bitmap without keys.
            let id = Id { rule: "B-10", ..id };
            refused(out, id, &plan.write(), "CORRUPT_BATCH");
        } else {
            understood(out, id, "roundtrip", &plan.write());
        }
    }
}

fn batch_records(out: &mut Vectors) {
    let id = Place { file: "batch/records", kind: "BATCH" };
    let one = |record: Record, columns| Plan::new(columns, vec![record]);
    let value = |bytes: &[u8]| Record { value: Some(bytes.to_vec()), ..Record::default() };
    let null = Record::default();
    let mut roundtrip = |name, rule, plan: &Plan| {
        understood(out, id.of(name, rule), "roundtrip", &plan.write());
    };
    roundtrip("batch-empty-value", "B-9", &one(value(b""), 0));
    roundtrip("batch-tombstone", "B-10", &one(null.clone(), 16));
    roundtrip("batch-hi", "B-8", &one(value(b"hi"), 0));
    roundtrip("batch-8-bytes", "B-15", &one(value(b"12345678"), 0));
    let empty_key = Record { key: Some(Vec::new()), ..value(b"v") };
    roundtrip("batch-empty-key", "B-10", &one(empty_key.clone(), 1));
    let keys = Plan::new(33, vec![empty_key, value(b"v")]);
    roundtrip("batch-empty-and-null-key", "B-10", &keys);
    roundtrip("batch-7-records", "B-10", &Plan::new(127, records(127, 7)));
    roundtrip("batch-8-records", "B-10", &Plan::new(127, records(127, 8)));
    roundtrip("batch-9-records", "B-10", &Plan::new(127, records(127, 9)));
    roundtrip("batch-65-records", "B-10", &Plan::new(127, records(127, 65)));
    roundtrip("batch-300-records", "B-9", &Plan::new(55, records(55, 300)));
    roundtrip("batch-1000-empty-records", "B-9", &Plan::new(0, vec![value(b""); 1000]));
    let mut stamped = one(value(b"hi"), 0);
    stamped.header.base_offset = 41;
    stamped.header.append_time_us = 1_700_000_000_000_002;
    stamped.header.leader_epoch = 3;
    roundtrip("batch-stamped", "B-5", &stamped);
    let mut most = one(value(b"hi"), 0);
    most.header.base_offset = u64::MAX;
    most.header.append_time_us = i64::MAX;
    most.header.leader_epoch = u32::MAX;
    most.header.producer_id = u64::MAX;
    most.header.base_sequence = u64::MAX;
    most.header.producer_epoch = u32::MAX;
    roundtrip("batch-largest-numbers", "I-1", &most);
    let mut early = Plan::new(4, records(4, 2));
    early.header.base_time_us = i64::MIN;
    early.records[1].time_delta = u32::MAX;
    roundtrip("batch-times-before-the-epoch", "B-12", &early);
    let no_producer = {
        let mut plan = one(value(b"hi"), 0);
        plan.header.producer_id = 0;
        plan
    };
    roundtrip("batch-without-producer", "I-1", &no_producer);
    let mut headers = value(b"v");
    headers.headers = vec![
        ("n".to_owned(), Vec::new()),
        ("n".to_owned(), vec![1, 2, 3]),
        ("é世界".to_owned(), vec![0; 40]),
        ("x".repeat(300), b"long".to_vec()),
    ];
    roundtrip("batch-headers", "B-11", &one(headers, 2));
    let ids = Plan::new(8, records(8, 5));
    roundtrip("batch-ids", "B-13", &ids);
    let mut thinned = Plan::new(64, records(64, 4));
    thinned.header.base_offset = 1000;
    for (record, delta) in thinned.records.iter_mut().zip([0, 1, 7, u32::MAX]) {
        record.offset_delta = delta;
    }
    roundtrip("batch-thinned", "B-14", &thinned);
    let mut first_gone = Plan::new(64, records(64, 1));
    first_gone.records[0].offset_delta = 3;
    roundtrip("batch-thinned-at-its-start", "B-14", &first_gone);
}

fn batch_faults(out: &mut Vectors) {
    let mut reject = |name: &str, rule: &str, bytes: &[u8], error: &str| {
        let id = Id { file: "batch/reject", name, rule, kind: "BATCH" };
        refused(out, id, bytes, error);
    };
    let corrupt = "CORRUPT_BATCH";
    let unsupported = "UNSUPPORTED_BATCH";
    let too_large = "BATCH_TOO_LARGE";
    let good = Plan::new(127, records(127, 3)).write();
    reject("batch-cut-in-header", "B-6", &good[..79], corrupt);
    reject("batch-cut-after-header", "B-6", &good[..80], corrupt);
    reject("batch-cut-at-end", "B-6", &good[..good.len() - 1], corrupt);
    reject("batch-trailing-bytes", "B-6", &[&good[..], &[0; 8]].concat(), corrupt);
    for at in [0, 8, 16, 20, 24, 28, 40, 79] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        reject(&format!("batch-header-crc-{at}"), "B-3", &bad, corrupt);
    }
    for at in [80, 100, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 0x80;
        reject(&format!("batch-body-crc-{at}"), "B-4", &bad, corrupt);
    }
    let patches: [(&str, &str, usize, &[u8], &str); 13] = [
        ("batch-format-0", "B-7", 32, &[0], unsupported),
        ("batch-format-2", "B-7", 32, &[2], unsupported),
        ("batch-codec-lz4", "B-16", 33, &[1], unsupported),
        ("batch-codec-zstd", "B-16", 33, &[2], unsupported),
        ("batch-codec-9", "B-7", 33, &[9], unsupported),
        ("batch-column-128", "B-7", 34, &[0x80, 0], unsupported),
        ("batch-column-32768", "B-7", 34, &[0, 0x80], unsupported),
        ("batch-encrypted", "B-7", 72, &[1], unsupported),
        ("batch-reserved", "B-7", 79, &[1], unsupported),
        ("batch-no-record", "B-1", 36, &[0; 4], corrupt),
        ("batch-more-records", "B-8", 36, &[4, 0, 0, 0], corrupt),
        ("batch-fewer-records", "B-8", 36, &[2, 0, 0, 0], corrupt),
        ("batch-raw-len", "B-6", 68, &[0xff; 4], corrupt),
    ];
    for (name, rule, at, bytes, error) in patches {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        reseal(&mut bad);
        reject(name, rule, &bad, error);
    }
    let header_only = |at: usize, bytes: &[u8], total_len: u32| {
        let mut bad = good[..80].to_vec();
        bad[28..32].copy_from_slice(&total_len.to_le_bytes());
        bad[68..72].copy_from_slice(&total_len.saturating_sub(80).to_le_bytes());
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        reseal_header(&mut bad);
        bad
    };
    let record_limit = (limits::MAX_BATCH_RECORDS + 1).to_le_bytes();
    reject(
        "batch-too-many-records",
        "B-1",
        &header_only(36, &record_limit, 1 << 20),
        too_large,
    );
    reject("batch-4-gi-records", "W-10", &header_only(36, &[0xff; 4], 1 << 20), too_large);
    let over = limits::MAX_BATCH_LEN + 8;
    reject("batch-too-long", "B-1", &header_only(72, &[0; 4], over), too_large);
    reject("batch-4-gib", "W-10", &header_only(72, &[0; 4], u32::MAX - 7), too_large);
    for len in [0, 8, 72, 81, 84] {
        let name = format!("batch-length-{len}");
        reject(&name, "B-6", &header_only(72, &[0; 4], len), corrupt);
    }

    // Faults of the body: what stands where, in bytes from its start, for three records.
    let body_fault = |plan: &Plan, at: usize, bytes: &[u8]| {
        let mut body = plan.body();
        body[at..at + bytes.len()].copy_from_slice(bytes);
        plan.write_body(&body)
    };
    let value = |bytes: &[u8]| Record { value: Some(bytes.to_vec()), ..Record::default() };
    // "ab", "c", padding of 5; value ends at 8: 0, 2, 3 and padding.
    let plain = Plan::new(0, vec![value(b"ab"), value(b"c")]);
    reject("ends-first-not-0", "B-9", &body_fault(&plain, 8, &[1]), corrupt);
    reject("ends-falling", "B-9", &body_fault(&plain, 12, &[4]), corrupt);
    reject("ends-last-too-high", "B-9", &body_fault(&plain, 16, &[9]), corrupt);
    reject("ends-last-too-low", "B-9", &body_fault(&plain, 8, &[0; 12]), corrupt);
    reject("ends-4-gi", "B-9", &body_fault(&plain, 16, &[0xff; 4]), corrupt);
    reject("padding-of-data", "B-15", &body_fault(&plain, 7, &[1]), corrupt);
    reject("padding-of-ends", "B-15", &body_fault(&plain, 20, &[1]), corrupt);
    let times = Plan::new(4, vec![value(b""), value(b""), value(b"")]);
    reject("padding-of-times", "B-15", &body_fault(&times, 28, &[1]), corrupt);
    let mut deltas = Plan::new(64, vec![value(b""), value(b""), value(b"")]);
    for (record, delta) in deltas.records.iter_mut().zip([0, 5, 5]) {
        record.offset_delta = delta;
    }
    reject("deltas-equal", "B-14", &deltas.write(), corrupt);
    deltas.records[2].offset_delta = 4;
    reject("deltas-falling", "B-14", &deltas.write(), corrupt);
    deltas.records[2].offset_delta = 6;
    reject("padding-of-deltas", "B-15", &body_fault(&deltas, 31, &[1]), corrupt);
    deltas.header.base_offset = u64::MAX - 5;
    reject("offset-past-the-end", "B-14", &deltas.write(), corrupt);
    let mut late = Plan::new(4, vec![value(b""), value(b"")]);
    late.header.base_time_us = i64::MAX - 5;
    late.records[1].time_delta = 6;
    reject("time-past-the-end", "B-12", &late.write(), corrupt);
    let nulls = Plan::new(16, vec![value(b"ab"), value(b"c")]);
    reject("null-value-with-bytes", "B-10", &body_fault(&nulls, 24, &[1]), corrupt);
    reject("bits-after-the-last", "B-10", &body_fault(&nulls, 24, &[7]), corrupt);
    reject("bits-in-the-padding", "B-10", &body_fault(&nulls, 31, &[1]), corrupt);
    let keyed = Record { key: Some(b"k".to_vec()), ..value(b"") };
    // Every bit says that there is a key.
    let unkeyed = Plan::new(32, vec![Record { key: Some(Vec::new()), ..value(b"v") }]);
    reject("key-bitmap-without-keys", "B-10", &unkeyed.write(), corrupt);
    let keys = Plan::new(33, vec![keyed.clone()]);
    reject("null-key-with-bytes", "B-10", &body_fault(&keys, 24, &[0]), corrupt);
    reject("key-ends-first-not-0", "B-9", &body_fault(&keys, 16, &[1]), corrupt);
    let header = |name: &str, bytes: &[u8]| {
        let mut record = value(b"");
        record.headers = vec![(name.to_owned(), bytes.to_vec())];
        Plan::new(2, vec![record])
    };
    let named = header("name", b"v");
    reject("header-name-empty", "B-11", &header("", b"value").write(), corrupt);
    reject("header-name-not-utf8", "B-11", &body_fault(&named, 6, &[0xff]), corrupt);
    reject("header-name-overruns", "B-11", &body_fault(&named, 0, &[9]), corrupt);
    reject("header-value-overruns", "B-11", &body_fault(&named, 2, &[2]), corrupt);
    reject("header-value-4-gib", "B-11", &body_fault(&named, 2, &[0xff; 4]), corrupt);
    reject("header-cut-off", "B-11", &body_fault(&named, 2, &[0]), corrupt);
    let small = Plan::new(0, vec![value(b"")]);
    reject("tables-missing", "B-8", &small.write_body(&[]), corrupt);
    let mut gap = small.body();
    gap.splice(0..0, [0; 8]);
    reject("bytes-that-belong-to-nobody", "B-9", &small.write_body(&gap), corrupt);
}

fn keys(out: &mut Vectors) {
    let known: [&str; 7] = [
        "21",
        "foobar",
        "a-little-bit-long-string",
        "a-little-bit-longer-string",
        "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
        "abc",
        "",
    ];
    for (index, key) in known.iter().enumerate() {
        let name = format!("key-kafka-{index}");
        let id = Id { file: "partition/keys", name: &name, rule: "K-1", kind: "PARTITION" };
        push(out, id, "roundtrip", key.as_bytes(), partitions(key.as_bytes()), Value::Null);
    }
    for len in 1..=12u8 {
        let name = format!("key-of-{len}-bytes");
        let id = Id { file: "partition/keys", name: &name, rule: "K-2", kind: "PARTITION" };
        let key: Vec<u8> = (0..len).map(|at| 0xff - 7 * at).collect();
        understood(out, id, "roundtrip", &key);
    }
}

//! The messages as JSON, for the test that drives the golden vectors: field by field from the
//! tables, so that a kind that is added can be written down and read back at once.

use std::fmt::Write as _;

use super::model::{Direction, Field, Spec, Tlv};
use super::rust::{HEAD, camel};

/// `fmt::Write` to a `String` cannot fail; this keeps the generator readable.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => { writeln!($out, $($arg)*).expect("writing to a String") };
}

/// `messages_json.rs`.
pub(super) fn messages(spec: &Spec) -> String {
    let mut out = format!("//! Every message as JSON and back.\n{HEAD}");
    put!(out, "use serde_json::{{Value, json}};");
    put!(out, "use tidewire_protocol::message::*;\n");
    put!(out, "use super::json::{{Json, JsonItem, MessageCodec, codec}};\n");
    let kinds = &spec.kinds;
    for e in &kinds.enums {
        put!(out, "impl Json for {} {{", e.name);
        put!(out, "fn to_json(&self) -> Value {{ json!(u8::from(*self)) }}");
        put!(out, "fn from_json(value: &Value) -> Self {{ match u8::from_json(value) {{");
        for v in &e.variants {
            put!(out, "{} => Self::{},", v.value, v.name);
        }
        put!(out, "other => Self::Other(other), }} }} }}\n");
    }
    for s in &kinds.structs {
        object(&mut out, &s.name, &s.fields, &[]);
        put!(out, "impl JsonItem for {} {{}}\n", s.name);
    }
    for kind in &kinds.kinds {
        let name = camel(&kind.name);
        object(&mut out, &name, &kind.request, &kind.request_tlvs);
        if kind.direction == Direction::Request {
            object(&mut out, &format!("{name}Reply"), &kind.response, &kind.response_tlvs);
        }
    }
    put!(out, "/// How to read and write the meta of a kind in one direction.");
    put!(out, "pub(super) fn codec_of(kind: Kind, response: bool) -> Option<MessageCodec> {{");
    put!(out, "Some(match (kind, response) {{");
    for kind in &kinds.kinds {
        let name = camel(&kind.name);
        put!(out, "(Kind::{}, false) => codec::<{name}>(),", kind.name);
        if kind.direction == Direction::Request {
            put!(out, "(Kind::{}, true) => codec::<{name}Reply>(),", kind.name);
        }
    }
    put!(out, "_ => return None, }}) }}");
    out
}

fn object(out: &mut String, name: &str, fields: &[Field], tlvs: &[Tlv]) {
    put!(out, "impl Json for {name} {{");
    put!(out, "fn to_json(&self) -> Value {{ json!({{");
    let names: Vec<&str> = fields
        .iter()
        .map(|f| f.name.as_str())
        .chain(tlvs.iter().map(|t| t.name.as_str()))
        .collect();
    for field in &names {
        put!(out, "{field:?}: self.{field}.to_json(),");
    }
    put!(out, "}}) }}");
    let value = if names.is_empty() { "_value" } else { "value" };
    put!(out, "fn from_json({value}: &Value) -> Self {{ Self {{");
    for field in &names {
        put!(out, "{field}: Json::from_json(&value[{field:?}]),");
    }
    put!(out, "}} }} }}\n");
}

//! The fuzz targets' table of messages: every kind that has a number, planned or not, with its
//! reply, so that no decoder is left out by forgetting it.

use std::fmt::Write as _;

use super::model::{Direction, Spec};
use super::rust::{HEAD, camel};

/// The ranges of `kinds.toml`: the high byte of a number, and the name of its family.
const FAMILIES: &[(u16, &str)] = &[
    (0x00, "connection"),
    (0x01, "user"),
    (0x02, "topic"),
    (0x03, "produce"),
    (0x04, "consume"),
    (0x05, "group"),
    (0x07, "statistic"),
];

/// `families.rs`.
pub(super) fn families(spec: &Spec) -> Result<String, String> {
    let mut body = String::new();
    for &(range, family) in FAMILIES {
        let mut rows = String::new();
        for kind in spec.kinds.kinds.iter().filter(|kind| kind.number >> 8 == range) {
            let name = camel(&kind.name);
            let mut row = |reply: bool, message: &str| {
                let _ = writeln!(
                    rows,
                    "Decoder {{ kind: {:#06x}, reply: {reply}, run: round_trip::<message::{message}> }},",
                    kind.number
                );
            };
            row(false, &name);
            if kind.direction == Direction::Request {
                row(true, &format!("{name}Reply"));
            }
        }
        let _ = writeln!(
            body,
            "/// Kinds {range:02x}xx.\npub(crate) const {}: &[Decoder] = &[{rows}];\n",
            family.to_uppercase()
        );
    }
    for kind in &spec.kinds.kinds {
        if !FAMILIES.iter().any(|&(range, _)| range == kind.number >> 8) {
            return Err(format!("kind {}: its range has no fuzz target", kind.name));
        }
    }
    Ok(format!(
        "//! Every message of every kind, by family.\n{HEAD}use tidewire_protocol::message;\n\n\
         use crate::decode::{{Decoder, round_trip}};\n\n{body}"
    ))
}

//! Frames and batches from a description, right or wrong: what attacks and the scripted server
//! send.
//!
//! The one invariant: nothing is corrected. A size that is given is written, whatever follows;
//! what is left out is made right.

use bytes::BytesMut;
use serde_json::{Map, Value};
use tidewire_protocol::batch::{BatchBuilder, Codec, Compressor, RecordRef, Sequence};
use tidewire_protocol::crc::crc32c;
use tidewire_protocol::error::{CODES, Code};
use tidewire_protocol::frame::{Flags, Header};
use tidewire_protocol::message::{KINDS, Kind};

use crate::value::Random;

/// The status of a success.
pub const OK: Code = Code(0);

/// What a frame takes over unless its description says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    pub kind: Kind,
    pub flags: u8,
    pub correlation: u64,
    pub channel: u32,
}

/// A kind by name or number.
pub fn kind(value: &Value) -> Result<Kind, String> {
    if let Some(number) = value.as_u64() {
        return Ok(Kind(number as u16));
    }
    let name = value.as_str().unwrap_or_default();
    KINDS
        .iter()
        .find(|info| info.name == name)
        .map(|info| info.kind)
        .ok_or_else(|| format!("no kind {value}"))
}

/// An error by name or number.
pub fn code(value: &Value) -> Result<Code, String> {
    if let Some(number) = value.as_u64() {
        return Ok(Code(number as u16));
    }
    let name = value.as_str().unwrap_or_default();
    if name == "OK" {
        return Ok(OK);
    }
    CODES
        .iter()
        .find(|info| info.name == name)
        .map(|info| info.code)
        .ok_or_else(|| format!("no error {value}"))
}

pub fn kind_name(kind: Kind) -> String {
    kind.info().map_or_else(|| format!("{:#06x}", kind.0), |info| info.name.to_owned())
}

pub fn code_name(code: Code) -> String {
    if code == OK {
        return "OK".into();
    }
    code.name().map_or_else(|| code.0.to_string(), str::to_owned)
}

pub fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| {
            let text = std::str::from_utf8(pair).unwrap_or("");
            u8::from_str_radix(text, 16).map_err(|_| format!("{text:?} is no byte"))
        })
        .collect()
}

fn number(map: &Map<String, Value>, name: &str) -> Option<u64> {
    let value = map.get(name)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Bytes of a list of fields: `{u8: …}`, `{u16: …}`, `{u32: …}`, `{u64: …}`, `{str: …}`,
/// `{bytes: hex}`, `{hex: …}`, `{zeros: n}`, `{text: …}`, `{noise: n}`, `{tlv: [tag, fields]}`.
pub fn fields(value: &Value) -> Result<Vec<u8>, String> {
    if let Some(text) = value.as_str() {
        return hex(text);
    }
    let mut out = Vec::new();
    for field in value.as_array().into_iter().flatten() {
        let Some((name, value)) = field.as_object().and_then(|map| map.iter().next()) else {
            return Err(format!("{field} is no field"));
        };
        let number = || {
            value
                .as_u64()
                .or_else(|| value.as_str()?.parse().ok())
                .ok_or_else(|| format!("{value} is no number"))
        };
        let text = value.as_str().unwrap_or_default();
        match name.as_str() {
            "u8" => out.push(number()? as u8),
            "u16" => out.extend((number()? as u16).to_le_bytes()),
            "u32" => out.extend((number()? as u32).to_le_bytes()),
            "u64" => out.extend(number()?.to_le_bytes()),
            "str" => {
                let text = match value.as_object() {
                    Some(map) => {
                        let times = self::number(map, "times").unwrap_or(1) as usize;
                        map["repeat"].as_str().unwrap_or_default().repeat(times)
                    }
                    None => text.to_owned(),
                };
                out.extend((text.len() as u16).to_le_bytes());
                out.extend(text.as_bytes());
            }
            "bytes" => {
                let bytes = hex(text)?;
                out.extend((bytes.len() as u32).to_le_bytes());
                out.extend(bytes);
            }
            "hex" => out.extend(hex(text)?),
            "text" => out.extend(text.as_bytes()),
            "zeros" => out.extend(vec![0; number()? as usize]),
            "noise" => out.extend(Random::new(number()?).bytes(number()? as usize)),
            "tlv" => {
                let body = fields(&value[1])?;
                out.extend((value[0].as_u64().unwrap_or_default() as u16).to_le_bytes());
                out.extend((body.len() as u16).to_le_bytes());
                out.extend(body);
            }
            other => return Err(format!("no field {other}")),
        }
    }
    Ok(out)
}

/// A frame of a description: any of `kind`, `version`, `flags`, `correlation`, `channel`, `aux`,
/// `size`, `meta_len`, `meta`, `payload`, `crc: bad`, `error: {code, disposition, message}`.
pub fn frame(value: &Value, defaults: Defaults) -> Result<Vec<u8>, String> {
    let empty = Map::new();
    let map = value.as_object().unwrap_or(&empty);
    let mut meta = map.get("meta").map(fields).transpose()?.unwrap_or_default();
    let mut aux = number(map, "aux").unwrap_or(0) as u32;
    if let Some(error) = map.get("error") {
        let code = code(&error["code"])?;
        let usual = code.info().map_or(0, |info| info.disposition.0);
        let disposition = error["disposition"].as_u64().map_or(usual, |bits| bits as u8);
        aux = u32::from(code.0) | u32::from(disposition) << 16;
        let message = error["message"].as_str().unwrap_or("because the script says so");
        meta = (message.len() as u16).to_le_bytes().to_vec();
        meta.extend(message.as_bytes());
    }
    if !map.contains_key("unpadded") {
        meta.resize(meta.len().next_multiple_of(8), 0);
    }
    let payload = map.get("payload").map(batch).transpose()?.unwrap_or_default();
    let kind = map.get("kind").map(kind).transpose()?.unwrap_or(defaults.kind);
    let header = Header {
        size: number(map, "size").unwrap_or((32 + meta.len() + payload.len()) as u64) as u32,
        kind,
        kind_version: number(map, "version").unwrap_or(1) as u8,
        flags: Flags(number(map, "flags").unwrap_or(u64::from(defaults.flags)) as u8),
        correlation: number(map, "correlation").unwrap_or(defaults.correlation),
        channel: number(map, "channel").unwrap_or(u64::from(defaults.channel)) as u32,
        aux,
        meta_len: number(map, "meta_len").unwrap_or(meta.len() as u64) as u32,
    };
    let mut out = header.encode(&meta).to_vec();
    if map.get("crc").is_some_and(|crc| crc == "bad") {
        out[28] ^= 0xFF;
    }
    out.extend(meta);
    out.extend(payload);
    Ok(out)
}

/// A batch of a description: `records` (count) or `values`, `value_len`, `keys`, `codec`,
/// `producer: [id, epoch, sequence]`, `at` (offset of its stamp), then changes of its bytes: `set: [[at, byte], …]`,
/// `extend` (hex; the lengths follow), `set_u32: [[at, number], …]`, `from_end: [[back, byte], …]`, `reseal`, `truncate`, `append`
/// (hex). A string is hex; a list is several batches without a gap.
pub fn batch(value: &Value) -> Result<Vec<u8>, String> {
    if let Some(text) = value.as_str() {
        return hex(text);
    }
    if let Some(list) = value.as_array() {
        return Ok(list.iter().map(batch).collect::<Result<Vec<_>, _>>()?.concat());
    }
    let count = value["records"].as_u64().unwrap_or(1);
    let len = value["value_len"].as_u64().unwrap_or(8) as usize;
    let mut builder = BatchBuilder::new(8 << 20, 65_536);
    for i in 0..count {
        let text = format!("{i:0len$}");
        let body = &text.as_bytes()[..len.min(text.len())];
        let key = value["keys"].as_bool().unwrap_or(false).then_some(&b"key"[..]);
        let id = value["id"].as_str().map(hex).transpose()?;
        let id = id.and_then(|id| <[u8; 16]>::try_from(id).ok());
        let record =
            RecordRef { value: Some(body), key, id, ..RecordRef::at(1_700_000_000_000_000) };
        builder.push(&record).map_err(|error| format!("{error:?}"))?;
    }
    let numbers: Vec<u64> = value["producer"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|number| number.as_u64().or_else(|| number.as_str()?.parse().ok()))
        .collect();
    let sequence = match numbers[..] {
        [producer_id, epoch, base_sequence] => {
            Sequence { producer_id, producer_epoch: epoch as u32, base_sequence }
        }
        _ => Sequence::default(),
    };
    let codec = match value["codec"].as_str() {
        Some("lz4") => Codec::Lz4,
        Some("zstd") => Codec::Zstd,
        _ => Codec::None,
    };
    let mut bytes = builder.seal_with(sequence, &mut Compressor::new(codec, 3)).to_vec();
    if let Some(more) = value["extend"].as_str() {
        bytes.extend(hex(more)?);
        let len = bytes.len() as u32;
        bytes[28..32].copy_from_slice(&len.to_le_bytes());
        bytes[68..72].copy_from_slice(&(len - 80).to_le_bytes());
    }
    let pairs = |name: &str| {
        value[name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|pair| Some((pair[0].as_u64()? as usize, pair[1].as_u64()?)))
    };
    for (at, byte) in pairs("set") {
        *bytes.get_mut(at).ok_or("set is past the end")? = byte as u8;
    }
    for (at, word) in pairs("set_u32") {
        let place = bytes.get_mut(at..at + 4).ok_or("set_u32 is past the end")?;
        place.copy_from_slice(&(word as u32).to_le_bytes());
    }
    for (back, byte) in pairs("from_end") {
        let at = bytes.len().checked_sub(back).ok_or("from_end is before the start")?;
        bytes[at] = byte as u8;
    }
    if let Some(offset) = value["at"].as_u64() {
        bytes[..8].copy_from_slice(&offset.to_le_bytes());
        reseal(&mut bytes);
    }
    if value["reseal"] == true {
        reseal(&mut bytes);
    }
    if let Some(len) = value["truncate"].as_u64() {
        bytes.truncate(len as usize);
    }
    if let Some(more) = value["append"].as_str() {
        bytes.extend(hex(more)?);
    }
    Ok(bytes)
}

/// Makes a batch's checksums right for whatever it now says.
pub fn reseal(bytes: &mut [u8]) {
    let body = crc32c(&bytes[28..]);
    bytes[24..28].copy_from_slice(&body.to_le_bytes());
    let mut covered = bytes[..20].to_vec();
    covered.extend_from_slice(&bytes[24..80]);
    let head = crc32c(&covered);
    bytes[20..24].copy_from_slice(&head.to_le_bytes());
}

/// Takes a whole frame off the front of `bytes`, if one is there.
pub fn split(bytes: &mut BytesMut) -> Option<Vec<u8>> {
    let size = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    if size < 32 || bytes.len() < size {
        return None;
    }
    // What is left stays where it is: there may be very many small frames.
    Some(bytes.split_to(size).to_vec())
}

/// A header as it stands, right or wrong.
pub fn header(frame: &[u8]) -> Header {
    let u32_at = |at: usize| {
        frame.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
    };
    let u64_at = u64::from(u32_at(8)) | u64::from(u32_at(12)) << 32;
    Header {
        size: u32_at(0),
        kind: Kind(u32_at(4) as u16),
        kind_version: frame.get(6).copied().unwrap_or(0),
        flags: Flags(frame.get(7).copied().unwrap_or(0)),
        correlation: u64_at,
        channel: u32_at(16),
        aux: u32_at(20),
        meta_len: u32_at(24),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLAIN: Defaults = Defaults { kind: Kind::PING, flags: 0, correlation: 7, channel: 0 };

    #[test]
    fn what_is_left_out_is_right_and_what_is_given_is_written() {
        let ping = frame(&json!({}), PLAIN).expect("a frame");
        // The example of SPEC.md.
        assert_eq!(ping[28..32], [0xd9, 0x0c, 0xec, 0xef]);
        let lie = frame(&json!({"size": 33}), PLAIN).expect("a frame");
        assert_eq!((lie[0], lie.len()), (33, 32));
    }

    #[test]
    fn a_batch_is_valid_until_it_is_changed() {
        use tidewire_protocol::batch::Batch;
        let good = batch(&json!({"records": 3})).expect("a batch");
        assert!(Batch::decode(good.into()).is_ok());
        let bad = batch(&json!({"records": 3, "set": [[81, 9]]})).expect("a batch");
        assert!(Batch::decode(bad.into()).is_err());
        let odd = batch(&json!({"records": 3, "set": [[81, 9]], "reseal": true})).expect("one");
        assert!(Batch::decode(odd.into()).is_ok());
    }
}

//! Values of cases: bytes in their forms, variables, generated records, and comparing what was
//! expected with what came.
//!
//! The one invariant: a comparison that fails says where, what was expected and what was there.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

/// Variables of a case.
pub type Variables = HashMap<String, Value>;

/// Numbers that look like chance and are the same for the same seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// Replaces `${name}` in all strings. A string that is nothing else becomes the variable itself.
pub fn substitute(value: &Value, variables: &Variables) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => substitute_text(text, variables)?,
        Value::Array(items) => Value::Array(
            items.iter().map(|item| substitute(item, variables)).collect::<Result<_, _>>()?,
        ),
        Value::Object(map) => {
            let mut out = Map::new();
            for (key, item) in map {
                let key = match substitute_text(key, variables)? {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                out.insert(key, substitute(item, variables)?);
            }
            Value::Object(out)
        }
        other => other.clone(),
    })
}

fn substitute_text(text: &str, variables: &Variables) -> Result<Value, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let Some(end) = rest[at..].find('}') else { break };
        let name = &rest[at + 2..at + end];
        let value = variables.get(name).ok_or_else(|| format!("no variable {name}"))?;
        if at == 0 && end + 1 == rest.len() && out.is_empty() {
            return Ok(value.clone());
        }
        out.push_str(&rest[..at]);
        match value {
            Value::String(text) => out.push_str(text),
            other => out.push_str(&other.to_string()),
        }
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    Ok(Value::String(out))
}

/// Bytes as a case writes them, as an adapter gets them: a string is UTF-8, and random bytes are
/// written out.
pub fn bytes_argument(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({"utf8": text}),
        Value::Number(number) => json!({"utf8": number.to_string()}),
        Value::Object(map) if map.contains_key("random") => {
            let seed = map["random"].as_u64().unwrap_or(1);
            let len = map.get("len").and_then(Value::as_u64).unwrap_or(16) as usize;
            json!({"base64": BASE64.encode(Random::new(seed).bytes(len))})
        }
        other => other.clone(),
    }
}

/// The bytes that a case or an adapter speaks of, if it gives them.
pub fn content(value: &Value) -> Option<Vec<u8>> {
    let value = bytes_argument(value);
    if let Some(text) = value["utf8"].as_str() {
        return Some(text.as_bytes().to_vec());
    }
    if let Some(text) = value["base64"].as_str() {
        return BASE64.decode(text).ok();
    }
    let times = value["times"].as_u64()? as usize;
    Some(value["repeat"].as_str()?.as_bytes().repeat(times))
}

/// A record as an adapter gets it.
pub fn record_argument(record: &Value) -> Value {
    let mut out = record.as_object().cloned().unwrap_or_default();
    for name in ["key", "value", "id"] {
        if let Some(value) = out.get(name) {
            out.insert(name.into(), bytes_argument(value));
        }
    }
    if let Some(Value::Number(time)) = out.get("timestamp_us") {
        let time = time.to_string();
        out.insert("timestamp_us".into(), Value::String(time));
    }
    let headers = match out.get("headers") {
        Some(Value::Object(map)) => {
            map.iter().map(|(name, value)| json!([name, bytes_argument(value)])).collect()
        }
        Some(Value::Array(list)) => {
            list.iter().map(|pair| json!([pair[0], bytes_argument(&pair[1])])).collect()
        }
        _ => Vec::new(),
    };
    if !headers.is_empty() {
        out.insert("headers".into(), Value::Array(headers));
    }
    Value::Object(out)
}

/// Records of a step: a list, `{count, …}` with `${i}`, or `{mix: n, …}`.
pub fn records_argument(value: &Value, variables: &Variables) -> Result<Vec<Value>, String> {
    if let Some(list) = value.as_array() {
        return list
            .iter()
            .map(|record| Ok(record_argument(&substitute(record, variables)?)))
            .collect();
    }
    if let Some(count) = value["mix"].as_u64() {
        return Ok(mix(count, value).iter().map(record_argument).collect());
    }
    let count = value["count"].as_u64().ok_or("records are a list, a count or a mix")?;
    let mut template = value.as_object().cloned().unwrap_or_default();
    template.remove("count");
    let template = Value::Object(template);
    let mut variables = variables.clone();
    let mut out = Vec::new();
    for i in 0..count {
        variables.insert("i".into(), json!(i));
        out.push(record_argument(&substitute(&template, &variables)?));
    }
    Ok(out)
}

/// Texts that programs get wrong: several planes, combining marks, right to left, a NUL.
const TEXTS: [&str; 8] =
    ["", "a", "grüße", "日本語", "🦀🌊", "e\u{301}", "שלום", "nul\u{0}inside"];

/// Records of every shape: nulls, nothing, text of many scripts, bytes that are no text, sizes up
/// to `max_len`; with `keys: false` and `headers: false` without those.
fn mix(count: u64, options: &Value) -> Vec<Value> {
    let seed = options["seed"].as_u64().unwrap_or(1);
    let max_len = options["max_len"].as_u64().unwrap_or(4096);
    let keys = options["keys"].as_bool().unwrap_or(true);
    let headers = options["headers"].as_bool().unwrap_or(true);
    let nulls = options["nulls"].as_bool().unwrap_or(true);
    let mut random = Random::new(seed);
    let part = |random: &mut Random, nulls: bool, max_len: u64| match random.below(6) {
        0 if nulls => Value::Null,
        1 => json!({"utf8": ""}),
        2 | 3 => json!({"utf8": TEXTS[random.below(8) as usize]}),
        4 => {
            let len = random.below(64) as usize;
            json!({"base64": BASE64.encode(random.bytes(len))})
        }
        _ => {
            let text = TEXTS[1 + random.below(7) as usize];
            json!({"repeat": text, "times": 1 + random.below(max_len / text.len() as u64)})
        }
    };
    (0..count)
        .map(|i| {
            let mut record = json!({
                "value": part(&mut random, nulls, max_len),
                "timestamp_us": (1_700_000_000_000_000u64 + i * 977).to_string(),
                "partition": 0,
            });
            if keys {
                record["key"] = part(&mut random, nulls, 100);
            }
            if headers {
                let list: Vec<Value> = (0..random.below(4))
                    .map(|_| {
                        let name = TEXTS[1 + random.below(6) as usize];
                        json!([name, part(&mut random, false, 50)])
                    })
                    .collect();
                record["headers"] = Value::Array(list);
            }
            record
        })
        .collect()
}

/// CRC-32 as in zlib.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// The digest that an adapter must have of these records, at offsets from `first` on.
pub fn digest(records: &[Value], first: u64) -> Value {
    let mut bytes = Vec::new();
    for (i, record) in records.iter().enumerate() {
        bytes.extend((first + i as u64).to_le_bytes());
        let time: i64 =
            record["timestamp_us"].as_str().and_then(|time| time.parse().ok()).unwrap_or(0);
        bytes.extend(time.to_le_bytes());
        let mut part = |value: Option<Vec<u8>>| {
            let len = value.as_ref().map_or(u32::MAX, |value| value.len() as u32);
            bytes.extend(len.to_le_bytes());
            bytes.extend(value.unwrap_or_default());
        };
        part(content(&record["key"]));
        part(content(&record["value"]));
        let headers = record["headers"].as_array().map(Vec::as_slice).unwrap_or_default();
        bytes.extend((headers.len() as u32).to_le_bytes());
        for header in headers {
            let mut part = |value: Vec<u8>| {
                bytes.extend((value.len() as u32).to_le_bytes());
                bytes.extend(value);
            };
            part(header[0].as_str().unwrap_or_default().as_bytes().to_vec());
            part(content(&header[1]).unwrap_or_default());
        }
    }
    json!({
        "count": records.len().to_string(),
        "first_offset": first.to_string(),
        "next_offset": (first + records.len() as u64).to_string(),
        "crc32": format!("{:08x}", crc32(&bytes)),
    })
}

/// Whether `actual` is as `expected`: objects may have more, lists are of the same length, bytes
/// are compared by content, numbers by value whether written as strings or not.
///
/// An object with one key that begins with `$` is a question: `$any`, `$ge`, `$gt`, `$le`, `$lt`,
/// `$ne`, `$len`, `$has`, `$says`, `$sent`, `$digest`, `$unordered`.
pub fn check(
    expected: &Value,
    actual: &Value,
    kept: &HashMap<String, Vec<Value>>,
    at: &str,
) -> Result<(), String> {
    let shown = |value: &Value| {
        let mut text = value.to_string();
        if text.len() > 400 {
            text = text.chars().take(400).collect::<String>() + "…";
        }
        text
    };
    let differs = || Err(format!("{at}: expected {}, got {}", shown(expected), shown(actual)));
    if let Value::Object(map) = expected
        && let Some((question, wanted)) = map.iter().next()
        && question.starts_with('$')
    {
        return ask(question, wanted, actual, kept, at);
    }
    if is_bytes(actual) && !expected.is_null() {
        return match (content(expected), content(actual)) {
            (Some(wanted), Some(there)) if wanted == there => Ok(()),
            (Some(wanted), None)
                if actual["len"] == wanted.len()
                    && actual["crc32"] == format!("{:08x}", crc32(&wanted)) =>
            {
                Ok(())
            }
            _ => differs(),
        };
    }
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(there)) => {
            for (key, value) in wanted {
                let path = format!("{at}.{key}");
                check(value, there.get(key).unwrap_or(&Value::Null), kept, &path)?;
            }
            Ok(())
        }
        (Value::Array(wanted), Value::Array(there)) => {
            if wanted.len() != there.len() {
                return Err(format!(
                    "{at}: expected {} items, got {}: {}",
                    wanted.len(),
                    there.len(),
                    shown(actual)
                ));
            }
            for (i, (value, item)) in wanted.iter().zip(there).enumerate() {
                check(value, item, kept, &format!("{at}[{i}]"))?;
            }
            Ok(())
        }
        (Value::Number(number), Value::String(text))
        | (Value::String(text), Value::Number(number))
            if same_number(number, text) =>
        {
            Ok(())
        }
        _ if expected == actual => Ok(()),
        _ => differs(),
    }
}

/// Whether a text is this number, digit by digit.
fn same_number(number: &serde_json::Number, text: &str) -> bool {
    let shown = number.to_string();
    shown == text
}

fn is_bytes(value: &Value) -> bool {
    value.as_object().is_some_and(|map| {
        map.contains_key("base64") || map.contains_key("crc32") && map.contains_key("len")
    })
}

fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.to_string().parse().ok(),
    }
}

fn ask(
    question: &str,
    wanted: &Value,
    actual: &Value,
    kept: &HashMap<String, Vec<Value>>,
    at: &str,
) -> Result<(), String> {
    let compared = || whole(actual).zip(whole(wanted));
    let good = match question {
        "$any" => !actual.is_null(),
        "$ge" => compared().is_some_and(|(a, b)| a >= b),
        "$gt" => compared().is_some_and(|(a, b)| a > b),
        "$le" => compared().is_some_and(|(a, b)| a <= b),
        "$lt" => compared().is_some_and(|(a, b)| a < b),
        "$ne" => check(wanted, actual, kept, at).is_err(),
        "$len" => {
            let len = match actual {
                Value::Array(items) => items.len(),
                Value::Object(map) => map.len(),
                Value::String(text) => text.chars().count(),
                _ => return Err(format!("{at}: {actual} has no length")),
            };
            return check(wanted, &json!(len), kept, &format!("{at}.len"));
        }
        "$has" => actual.as_array().is_some_and(|items| {
            items.iter().any(|item| check(wanted, item, kept, at).is_ok())
        }),
        "$says" => actual.as_str().is_some_and(|text| {
            let wanted = match wanted {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            text.contains(&wanted)
        }),
        "$unordered" => {
            let (Some(wanted), Some(there)) = (wanted.as_array(), actual.as_array()) else {
                return Err(format!("{at}: {actual} is no list"));
            };
            wanted.len() == there.len()
                && wanted
                    .iter()
                    .all(|each| there.iter().any(|item| check(each, item, kept, at).is_ok()))
        }
        "$sent" => {
            let sent =
                wanted.as_str().and_then(|name| kept.get(name)).ok_or("nothing is kept")?;
            let sent: Vec<Value> = sent.iter().map(without_placement).collect();
            return check(&Value::Array(sent), actual, kept, at);
        }
        "$digest" => {
            let sent =
                wanted.as_str().and_then(|name| kept.get(name)).ok_or("nothing is kept")?;
            return check(&digest(sent, 0), actual, kept, at);
        }
        other => return Err(format!("no question {other}")),
    };
    if good { Ok(()) } else { Err(format!("{at}: expected {question} {wanted}, got {actual}")) }
}

/// What must come back of a record that was sent: its key, value, headers, and its time if one
/// was given.
fn without_placement(record: &Value) -> Value {
    let mut out = record.as_object().cloned().unwrap_or_default();
    out.remove("partition");
    out.remove("id");
    out.entry("key").or_insert(Value::Null);
    out.entry("headers").or_insert_with(|| json!([]));
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(expected: Value, actual: Value) -> Result<(), String> {
        check(&expected, &actual, &HashMap::new(), "answer")
    }

    #[test]
    fn numbers_are_compared_by_value_and_bytes_by_content() {
        assert_eq!(checked(json!({"offset": 5}), json!({"offset": "5", "more": 1})), Ok(()));
        assert_eq!(checked(json!("hi"), json!({"base64": "aGk="})), Ok(()));
        assert!(checked(json!("ho"), json!({"base64": "aGk="})).is_err());
        assert!(checked(Value::Null, json!({"base64": ""})).is_err());
        let long = json!({"repeat": "x", "times": 2000});
        let crc = format!("{:08x}", crc32(&[b'x'; 2000]));
        assert_eq!(checked(long, json!({"len": 2000, "crc32": crc})), Ok(()));
    }

    #[test]
    fn a_difference_says_where_it_is() {
        let error = checked(json!({"a": [{"b": 1}]}), json!({"a": [{"b": 2}]}));
        assert_eq!(error, Err("answer.a[0].b: expected 1, got 2".to_owned()));
        assert!(checked(json!([1]), json!([1, 2])).is_err());
        assert!(checked(json!({"$ge": 3}), json!("2")).is_err());
        assert!(checked(json!({"a": {"$any": true}}), json!({})).is_err());
    }

    #[test]
    fn the_checksum_is_zlibs() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn variables_are_put_in() {
        let variables =
            Variables::from([("n".into(), json!("7")), ("o".into(), json!({"a": 1}))]);
        assert_eq!(substitute(&json!("x-${n}-y"), &variables), Ok(json!("x-7-y")));
        assert_eq!(substitute(&json!("${o}"), &variables), Ok(json!({"a": 1})));
        assert!(substitute(&json!("${nope}"), &variables).is_err());
    }

    #[test]
    fn the_same_seed_gives_the_same_records() {
        let options = json!({"mix": 50, "seed": 3});
        assert_eq!(mix(50, &options), mix(50, &options));
        let nulls = mix(50, &options).iter().filter(|record| record["value"].is_null()).count();
        assert!(nulls > 0);
    }
}

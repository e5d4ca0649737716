//! Keys out of records.
//!
//! Owns what the key of a JSON record is. The one invariant: only the named field is built up,
//! the rest of the record is checked and skipped.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The value of the field `name` of a JSON object: a string's text, or a number or boolean as it
/// is written in JSON.
pub fn from_json(record: &[u8], name: &str) -> Result<Vec<u8>, String> {
    let mut reader = serde_json::Deserializer::from_slice(record);
    let value = Field(name)
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| format!("it is not a JSON object: {}", place(&error)))?;
    match value {
        Some(Value::String(text)) => Ok(text.into_bytes()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string().into_bytes()),
        Some(Value::Null) => Err(format!("its field \"{name}\" is null")),
        Some(Value::Array(_) | Value::Object(_)) => {
            Err(format!("its field \"{name}\" is neither a text nor a number"))
        }
        None => Err(format!("it has no field \"{name}\"")),
    }
}

/// A record is one line to the reader, so that its own "line 1" would mislead.
fn place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    format!("{what} at column {}", error.column())
}

struct Field<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Field<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Field<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if name == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_numbers_and_booleans_are_keys() {
        for (record, key) in [
            (r#"{"a":{"net":"no"},"net":"uw"}"#, "uw"),
            (r#"{"net":17}"#, "17"),
            (r#"{"net":-1.5,"b":[1]}"#, "-1.5"),
            (r#"{"net":true}"#, "true"),
            (r#"{"net":""}"#, ""),
            (r#" {"n\u0065t":"\u00e9\n"} "#, "é\n"),
            (r#"{"net":1,"net":2}"#, "2"),
        ] {
            assert_eq!(
                from_json(record.as_bytes(), "net"),
                Ok(key.as_bytes().to_vec()),
                "{record}"
            );
        }
    }

    #[test]
    fn what_has_no_key_is_told_why() {
        for (record, why) in [
            (r#"{"a":1}"#, "no field \"net\""),
            (r#"{"net":null}"#, "null"),
            (r#"{"net":{}}"#, "neither"),
            ("", "not a JSON object"),
            ("[1]", "not a JSON object"),
            (r#"{"net":"uw"} x"#, "not a JSON object: trailing characters at column 14"),
            (r#"{"net":"uw""#, "not a JSON object"),
            ("{\"net\":\"\u{1}\"}", "not a JSON object"),
        ] {
            let error = from_json(record.as_bytes(), "net").expect_err(record);
            assert!(error.contains(why), "{record}: {error}");
        }
        assert!(from_json(b"{\"net\":\"\xff\"}", "net").is_err());
    }
}

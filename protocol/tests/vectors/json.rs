//! Values of fields as JSON: numbers of 64 bits as strings, bytes as hex.

use bytes::BytesMut;
use serde_json::{Value, json};
use tidewire_protocol::codec::{Reader, Writer};
use tidewire_protocol::error::Error;
use tidewire_protocol::message::Message;

/// A type that can be written down in a vector.
pub(super) trait Json {
    fn to_json(&self) -> Value;
    /// Panics if the vector does not hold such a value: vectors are ours.
    fn from_json(value: &Value) -> Self;
}

/// Marks what may stand in a list (bytes are no list).
pub(super) trait JsonItem: Json {}

macro_rules! small {
    ($($ty:ty),*) => { $(
        impl Json for $ty {
            fn to_json(&self) -> Value {
                json!(self)
            }
            fn from_json(value: &Value) -> Self {
                let number = value.as_u64().unwrap_or_else(|| panic!("{value} is no number"));
                Self::try_from(number).expect("in range")
            }
        }
    )* };
}
small!(u8, u16, u32);

macro_rules! large {
    ($($ty:ty),*) => { $(
        impl Json for $ty {
            fn to_json(&self) -> Value {
                json!(self.to_string())
            }
            fn from_json(value: &Value) -> Self {
                let text = value.as_str().unwrap_or_else(|| panic!("{value} is no string"));
                text.parse().expect("a number")
            }
        }
    )* };
}
large!(u64, i64);

impl Json for bool {
    fn to_json(&self) -> Value {
        json!(self)
    }
    fn from_json(value: &Value) -> Self {
        value.as_bool().unwrap_or_else(|| panic!("{value} is no truth value"))
    }
}

impl Json for String {
    fn to_json(&self) -> Value {
        json!(self)
    }
    fn from_json(value: &Value) -> Self {
        value.as_str().unwrap_or_else(|| panic!("{value} is no string")).to_owned()
    }
}

impl Json for Vec<u8> {
    fn to_json(&self) -> Value {
        json!(hex(self))
    }
    fn from_json(value: &Value) -> Self {
        unhex(value.as_str().unwrap_or_else(|| panic!("{value} is no hex")))
    }
}

impl<T: JsonItem> Json for Vec<T> {
    fn to_json(&self) -> Value {
        self.iter().map(T::to_json).collect()
    }
    fn from_json(value: &Value) -> Self {
        let items = value.as_array().unwrap_or_else(|| panic!("{value} is no list"));
        items.iter().map(T::from_json).collect()
    }
}

/// An optional field; absent is null.
impl<T: Json> Json for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_json)
    }
    fn from_json(value: &Value) -> Self {
        (!value.is_null()).then(|| T::from_json(value))
    }
}

/// Reads and writes one kind's meta through the crate's own codec.
pub(super) struct MessageCodec {
    /// The fields of a meta.
    pub(super) decode: fn(&[u8]) -> Result<Value, Error>,
    /// The meta of fields, not padded.
    pub(super) encode: fn(&Value) -> Vec<u8>,
}

pub(super) fn codec<M: Message + Json>() -> MessageCodec {
    MessageCodec {
        decode: |meta| M::decode(Reader::new(meta)).map(|message| message.to_json()),
        encode: |value| {
            let mut out = BytesMut::new();
            M::from_json(value).encode(&mut Writer::new(&mut out));
            out.to_vec()
        },
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "two digits a byte");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
        .collect()
}

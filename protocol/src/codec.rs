//! Encoding and decoding the meta of frames: fixed fields, then TLVs, then zero padding.
//!
//! A [`Reader`] is bounded by the bytes it was given; every count is checked against what is
//! left before anything is allocated for it, so a lying length costs nothing.

use bytes::{BufMut, BytesMut};

use crate::error::{Code, Error};

/// Bit of a TLV's tag that forbids a receiver that does not know it to go on.
pub const CRITICAL: u16 = 0x8000;

/// Appends fields to a meta.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut BytesMut,
}

impl<'a> Writer<'a> {
    /// Writes at the end of `out`.
    pub fn new(out: &'a mut BytesMut) -> Self {
        Self { out }
    }

    /// Writes an optional field.
    pub fn tlv<T: Field>(&mut self, tag: u16, critical: bool, value: &T) {
        self.out.put_u16_le(if critical { tag | CRITICAL } else { tag });
        let at = self.out.len();
        self.out.put_u16_le(0);
        value.put(self);
        // A value over 64 KiB would pass the meta limit as well, which the caller checks; the
        // length is cut here only on the way to that error.
        let len = (self.out.len() - at - 2) as u16;
        self.out[at..at + 2].copy_from_slice(&len.to_le_bytes());
    }
}

/// Takes fields from a meta.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `meta` from its start.
    pub fn new(meta: &'a [u8]) -> Self {
        Self { rest: meta }
    }

    /// A string: the whole meta of an error reply, but for fields added later.
    pub(crate) fn text(&mut self) -> Result<String, Error> {
        String::take(self)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], Error> {
        match self.rest.split_at_checked(len) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(Error::new(
                Code::MALFORMED_META,
                format!(
                    "a field of {len} bytes overruns the {} that are left",
                    self.rest.len()
                ),
            )),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.bytes(N).map(|bytes| bytes.try_into().expect("N bytes were taken"))
    }

    /// The next optional field, or `None` at the end.
    // SPEC W-12, W-14
    pub fn tlv(&mut self) -> Result<Option<Tlv<'a>>, Error> {
        if self.rest.len() < 8 && self.rest.iter().all(|&byte| byte == 0) {
            self.rest = &[];
            return Ok(None);
        }
        let tag = u16::take(self)?;
        let len = usize::from(u16::take(self)?);
        if tag & !CRITICAL == 0 {
            return Err(Error::new(Code::MALFORMED_META, "an optional field has tag 0"));
        }
        let value = self.bytes(len)?;
        Ok(Some(Tlv { tag: tag & !CRITICAL, critical: tag & CRITICAL != 0, value }))
    }

    /// Skips the optional fields that are left, which are all unknown here.
    pub fn finish(&mut self) -> Result<(), Error> {
        while let Some(tlv) = self.tlv()? {
            tlv.skip()?;
        }
        Ok(())
    }
}

/// An optional field: tag, and value bytes.
#[derive(Clone, Copy, Debug)]
pub struct Tlv<'a> {
    /// The field's number within its kind, without the critical bit.
    pub tag: u16,
    critical: bool,
    value: &'a [u8],
}

impl Tlv<'_> {
    /// The value, which must fill the field.
    pub fn value<T: Field>(&self) -> Result<T, Error> {
        let mut reader = Reader::new(self.value);
        let value = T::take(&mut reader)?;
        if !reader.rest.is_empty() {
            return Err(Error::new(
                Code::MALFORMED_META,
                format!("{} bytes too many in optional field {}", reader.rest.len(), self.tag),
            ));
        }
        Ok(value)
    }

    /// Takes the value into its place, which must be free: no field stands twice.
    // SPEC W-14
    pub fn fill<T: Field>(&self, place: &mut Option<T>) -> Result<(), Error> {
        let value = self.value()?;
        if place.replace(value).is_some() {
            return Err(Error::new(
                Code::MALFORMED_META,
                format!("optional field {} stands twice", self.tag),
            ));
        }
        Ok(())
    }

    /// Passes over a field that is not known here; an error if its sender said that it matters.
    // SPEC V-2
    pub fn skip(&self) -> Result<(), Error> {
        if self.critical {
            return Err(Error::new(
                Code::UNSUPPORTED_FIELD,
                format!("optional field {} is marked critical and not known here", self.tag),
            ));
        }
        Ok(())
    }
}

/// A type that can stand in a meta.
pub trait Field: Sized {
    /// Appends the value.
    fn put(&self, writer: &mut Writer<'_>);
    /// Takes a value.
    fn take(reader: &mut Reader<'_>) -> Result<Self, Error>;
}

macro_rules! integer {
    ($($ty:ty),*) => { $(
        impl Field for $ty {
            #[inline]
            fn put(&self, writer: &mut Writer<'_>) {
                writer.out.extend_from_slice(&self.to_le_bytes());
            }
            #[inline]
            fn take(reader: &mut Reader<'_>) -> Result<Self, Error> {
                reader.array().map(Self::from_le_bytes)
            }
        }
    )* };
}
integer!(u8, u16, u32, u64, i64);

impl Field for bool {
    fn put(&self, writer: &mut Writer<'_>) {
        u8::from(*self).put(writer);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Error> {
        match u8::take(reader)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Error::new(
                Code::MALFORMED_META,
                format!("a truth value is {other}, not 0 or 1"),
            )),
        }
    }
}

/// `u16` length and UTF-8. A longer string is cut at a character's end: only diagnostic texts
/// can be that long, names are checked before.
impl Field for String {
    fn put(&self, writer: &mut Writer<'_>) {
        let mut len = self.len().min(usize::from(u16::MAX));
        while !self.is_char_boundary(len) {
            len -= 1;
        }
        (len as u16).put(writer);
        writer.out.extend_from_slice(&self.as_bytes()[..len]);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let len = usize::from(u16::take(reader)?);
        let bytes = reader.bytes(len)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(Error::new(Code::MALFORMED_META, "a string is not UTF-8")),
        }
    }
}

/// `u32` length and bytes.
impl Field for Vec<u8> {
    fn put(&self, writer: &mut Writer<'_>) {
        (self.len() as u32).put(writer);
        writer.out.extend_from_slice(self);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let len = u32::take(reader)? as usize;
        reader.bytes(len).map(<[u8]>::to_vec)
    }
}

/// Marks the structures that may stand in a list (all but `u8`, whose lists are bytes).
// SPEC W-10, W-13
pub trait Item: Field {
    /// The fewest bytes that one takes, which bounds a count before it is believed.
    const MIN_LEN: usize;
}

/// `u32` count and items.
impl<T: Item> Field for Vec<T> {
    fn put(&self, writer: &mut Writer<'_>) {
        (self.len() as u32).put(writer);
        for item in self {
            item.put(writer);
        }
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let count = u32::take(reader)? as usize;
        if count > reader.rest.len() / T::MIN_LEN {
            return Err(Error::new(
                Code::MALFORMED_META,
                format!("a list of {count} overruns the {} bytes left", reader.rest.len()),
            ));
        }
        (0..count).map(|_| T::take(reader)).collect()
    }
}

//! Encrypting a body, after it was compressed, and getting it back.
//!
//! After the header, a batch whose `key_id` is not 0 holds:
//!
//! | at | field |
//! |---|---|
//! | 80 | check: 8 bytes that tell the key from others of its number |
//! | 88 | nonce: 24 bytes; the batch's key is derived with 12 of them, AES-256-GCM takes the others |
//! | 112 | sealed_len u32: bytes of sealed data, without the padding |
//! | 116 | zero u32 |
//! | 120 | ids: 16 bytes × n, if there is that column; a copy of what is sealed |
//! | then | sealed data: the body, or its compressed data, encrypted; then the tag of 16 bytes |
//! | then | zeros up to a multiple of 8, which is `total_len` |
//!
//! Owns that layout and what is authenticated beside it; keys are [`key`](super::key)'s. The one
//! invariant: nothing of what was sealed is looked at before its tag was found right, and what the
//! server or a retry writes into the header is not part of what is authenticated.

use std::fmt;

use bytes::Bytes;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use subtle::ConstantTimeEq;

use super::codec::Codec;
use super::header::{Columns, HEADER_LEN, Header};
use super::key::{CHECK_LEN, EncryptionKey, EncryptionKeys};
use super::layout::{pad8, u32_at};
use super::malformed::{Malformed, malformed};
use crate::name::TopicName;

/// Random bytes of a batch.
pub const ENCRYPTION_NONCE_LEN: usize = 24;
/// Bytes that encryption adds to a batch without ids, padding included.
pub(super) const OVERHEAD: usize = PREFIX_LEN + TAG_LEN;

const SALT_LEN: usize = 12;
const TAG_LEN: usize = 16;
const NONCE_AT: usize = CHECK_LEN;
const LEN_AT: usize = NONCE_AT + ENCRYPTION_NONCE_LEN;
/// What stands before the ids.
const PREFIX_LEN: usize = LEN_AT + 8;

/// Where a batch belongs. One that is moved elsewhere cannot be read.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Its topic.
    pub topic: &'a TopicName,
    /// Its partition.
    pub partition: u32,
}

/// With what a producer encrypts: a key, the topic, and where nonces come from.
#[derive(Clone)]
pub struct Sealing {
    key: EncryptionKey,
    topic: TopicName,
    nonces: fn() -> [u8; ENCRYPTION_NONCE_LEN],
}

impl Sealing {
    /// Of batches for `topic`. `nonces` gives other bytes each time, from the system's randomness:
    /// a program that makes the same twice gives its data away.
    pub fn new(
        key: EncryptionKey,
        topic: TopicName,
        nonces: fn() -> [u8; ENCRYPTION_NONCE_LEN],
    ) -> Self {
        Self { key, topic, nonces }
    }

    /// What opens what it sealed.
    pub(crate) fn keys(&self) -> EncryptionKeys {
        let mut keys = EncryptionKeys::default();
        keys.add(self.key.clone()).expect("there is room for one");
        keys
    }

    pub(crate) fn place(&self, partition: u32) -> Place<'_> {
        Place { topic: &self.topic, partition }
    }

    /// Encrypts a batch that is whole but for lengths and checksums. `header` says what it is; the
    /// `ids` are those of its records, as they stand in the body.
    // SPEC B-17, B-18, B-19
    pub(super) fn seal(
        &self,
        batch: &[u8],
        header: &mut Header,
        ids: &[u8],
        partition: u32,
    ) -> Vec<u8> {
        let stored = &batch[HEADER_LEN..];
        let plain = match header.codec {
            Codec::None => stored,
            // Without the length, which the tag's place tells, and the padding.
            _ => &stored[8..8 + u32_at(stored, 0) as usize],
        };
        let nonce = (self.nonces)();
        let sealed_len = plain.len() + TAG_LEN;
        header.key_id = self.key.id();
        let total_len = HEADER_LEN + PREFIX_LEN + ids.len() + pad8(sealed_len);
        let mut out = Vec::with_capacity(total_len);
        out.resize(HEADER_LEN, 0);
        out.extend_from_slice(&self.key.check());
        out.extend_from_slice(&nonce);
        // A batch is shorter than u32::MAX.
        out.extend_from_slice(&(sealed_len as u32).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(ids);
        let at = out.len();
        out.extend_from_slice(plain);
        let (cipher, counter) = cipher(&self.key, &nonce);
        let aad = Aad::from(authenticated(header, ids, self.place(partition)));
        let tag = cipher
            .seal_in_place_separate_tag(counter, aad, &mut out[at..])
            .expect("a batch is far below what GCM takes");
        out.extend_from_slice(tag.as_ref());
        out.resize(total_len, 0);
        out
    }
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealing").field("key", &self.key).field("topic", &self.topic).finish()
    }
}

/// What is stored of an encrypted batch, in its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    check: &'a [u8],
    nonce: &'a [u8; ENCRYPTION_NONCE_LEN],
    ids: &'a [u8],
    sealed: &'a [u8],
}

/// Takes an encrypted batch apart: everything that can be checked of it without a key.
// SPEC B-17
pub(super) fn parts<'a>(header: &Header, stored: &'a [u8]) -> Result<Parts<'a>, Malformed> {
    if header.columns.0 & !Columns::KNOWN.0 != 0 || header.columns.has(Columns::OFFSET_DELTAS) {
        return Err(malformed!(
            Unsupported,
            "columns {:#x} of an encrypted batch hold bits that are not known here",
            header.columns.0
        ));
    }
    let ids_len = match header.columns.has(Columns::IDS) {
        true => 16 * header.record_count as usize,
        false => 0,
    };
    let Some(padded_len) = stored.len().checked_sub(PREFIX_LEN + ids_len) else {
        return Err(malformed!(
            Layout,
            "an encrypted body of {} bytes has no room for what goes before it",
            stored.len()
        ));
    };
    let (sealed_len, zero) = (u32_at(stored, LEN_AT) as usize, u32_at(stored, LEN_AT + 4));
    if zero != 0 {
        return Err(malformed!(
            Unsupported,
            "the word after the sealed length is {zero}, not 0"
        ));
    }
    let plain_len = sealed_len.checked_sub(TAG_LEN);
    if pad8(sealed_len) != padded_len
        || plain_len.is_none()
        || header.codec == Codec::None && plain_len != Some(header.raw_len as usize)
    {
        return Err(malformed!(
            Layout,
            "{sealed_len} sealed bytes are not those of a body of {} bytes in {}",
            header.raw_len,
            stored.len()
        ));
    }
    let (ids, padded) = stored[PREFIX_LEN..].split_at(ids_len);
    let (sealed, padding) = padded.split_at(sealed_len);
    if padding.iter().any(|&byte| byte != 0) {
        return Err(malformed!(Layout, "the padding after the sealed data is not zero"));
    }
    let nonce = stored[NONCE_AT..LEN_AT].try_into().expect("24 bytes");
    Ok(Parts { check: &stored[..CHECK_LEN], nonce, ids, sealed })
}

/// Where the ids of an encrypted batch stand, in what is stored of it.
pub(super) fn id_range(ids: &[u8]) -> std::ops::Range<usize> {
    PREFIX_LEN..PREFIX_LEN + ids.len()
}

impl<'a> Parts<'a> {
    /// The ids, as they stand before the sealed data.
    pub(super) fn ids(&self) -> &'a [u8] {
        self.ids
    }

    /// What was sealed: the body, or what its codec made of it.
    // SPEC B-20
    pub(super) fn open(
        &self,
        header: &Header,
        keys: &EncryptionKeys,
        place: Option<Place<'_>>,
    ) -> Result<Bytes, Malformed> {
        let id = header.key_id;
        let (Some(key), Some(place)) = (keys.get(id), place) else {
            return Err(malformed!(
                KeyMissing,
                "it is encrypted with key {id}, there is {keys}"
            ));
        };
        if !bool::from(key.check().ct_eq(self.check)) {
            return Err(malformed!(
                KeyWrong,
                "it is encrypted with another key {id} than the one that is there"
            ));
        }
        let (cipher, counter) = cipher(key, self.nonce);
        let aad = Aad::from(authenticated(header, self.ids, place));
        let mut sealed = self.sealed.to_vec();
        let plain_len = match cipher.open_in_place(counter, aad, &mut sealed) {
            Ok(plain) => plain.len(),
            Err(_) => {
                return Err(malformed!(
                    Forged,
                    "it is not what was encrypted with key {id} for this partition: it was \
                     changed, or put there from elsewhere"
                ));
            }
        };
        sealed.truncate(plain_len);
        Ok(sealed.into())
    }
}

/// The key and nonce of one batch.
// SPEC B-18
fn cipher(key: &EncryptionKey, nonce: &[u8; ENCRYPTION_NONCE_LEN]) -> (LessSafeKey, Nonce) {
    let (salt, counter) = nonce.split_at(SALT_LEN);
    let key = UnboundKey::new(&AES_256_GCM, &key.derive(salt)[..]).expect("32 bytes");
    let counter = Nonce::try_assume_unique_for_key(counter).expect("12 bytes");
    (LessSafeKey::new(key), counter)
}

/// What is authenticated beside the sealed data: the header's fields that nobody writes after the
/// producer has sealed it, the place, and the ids.
// SPEC B-19
fn authenticated(header: &Header, ids: &[u8], place: Place<'_>) -> Vec<u8> {
    let head = header.encode();
    let mut out = Vec::with_capacity(64 + ids.len());
    out.extend_from_slice(&head[32..48]);
    out.extend_from_slice(&head[68..76]);
    out.extend_from_slice(&place.partition.to_le_bytes());
    for name in [place.topic.stream(), place.topic.topic()] {
        // A name has at most 255 bytes.
        out.extend_from_slice(&(name.len() as u16).to_le_bytes());
        out.extend_from_slice(name.as_bytes());
    }
    out.extend_from_slice(ids);
    out
}

#[cfg(test)]
#[cfg(not(miri))]
mod tests;

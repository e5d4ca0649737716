//! Decoders of everything that is not a batch.

use std::fmt::Debug;

use bytes::BytesMut;
use tidewire_protocol::codec::{Reader, Writer};
use tidewire_protocol::frame::{self, Header, PREFACE};
use tidewire_protocol::limits::MAX_FRAME_LEN;
use tidewire_protocol::message::{AnyRequest, KINDS, Message};
use tidewire_protocol::url::Url;

use crate::families;

/// Only the preface, or a start of it, is taken for one.
pub(crate) fn preface(data: &[u8]) {
    match frame::check_preface(data) {
        Ok(true) => assert!(data[..5] == PREFACE[..5] && data.len() >= PREFACE.len()),
        Ok(false) => assert!(data.len() < PREFACE.len()),
        Err(_) => assert!(!PREFACE.starts_with(data)),
    }
}

/// A header that parses has lengths within its limits, and encodes to the same bytes.
pub(crate) fn frame(data: &[u8]) {
    let Some((bytes, meta)) = data.split_first_chunk::<{ frame::HEADER_LEN }>() else { return };
    let Ok(header) = Header::parse(bytes, MAX_FRAME_LEN) else { return };
    assert!(header.size as usize >= frame::HEADER_LEN + header.meta_len as usize);
    assert!(header.size <= MAX_FRAME_LEN);
    if let Some(meta) = meta.get(..header.meta_len as usize) {
        let intact = Header::check_meta(bytes, meta).is_ok();
        assert_eq!(intact, header.encode(meta) == *bytes);
    }
    for row in KINDS {
        let _ = AnyRequest::decode(row.kind, Reader::new(meta));
    }
}

/// The decoder of one message, and what it promises.
pub(crate) struct Decoder {
    /// The number of its kind.
    pub(crate) kind: u16,
    /// Whether it is the reply.
    pub(crate) reply: bool,
    /// [`round_trip`] of its type.
    pub(crate) run: fn(&[u8]),
}

/// What decodes can be written, and read again as the same.
pub(crate) fn round_trip<M: Message + PartialEq + Debug>(data: &[u8]) {
    let Ok(message) = M::decode(Reader::new(data)) else { return };
    let mut out = BytesMut::new();
    message.encode(&mut Writer::new(&mut out));
    assert_eq!(M::decode(Reader::new(&out)), Ok(message));
}

/// The first byte is the low one of the kind's number, the second odd for a reply, the rest the
/// meta. What names no kind of the family goes to some kind of it all the same.
fn family(decoders: &[Decoder], data: &[u8]) {
    let Some((&[kind, reply], meta)) = data.split_first_chunk::<2>() else { return };
    let named = decoders.iter().find(|decoder| {
        decoder.kind.to_le_bytes()[0] == kind && decoder.reply == (reply % 2 == 1)
    });
    (named.unwrap_or(&decoders[usize::from(kind) % decoders.len()]).run)(meta);
}

macro_rules! families {
    ($($name:ident: $decoders:ident),* $(,)?) => {$(
        pub(crate) fn $name(data: &[u8]) {
            family(families::$decoders, data);
        }
    )*};
}

families! {
    connection_kinds: CONNECTION,
    user_kinds: USER,
    topic_kinds: TOPIC,
    produce_kinds: PRODUCE,
    consume_kinds: CONSUME,
    group_kinds: GROUP,
    statistic_kinds: STATISTIC,
}

/// A URL that parses names at least one server: by host and port, or one socket by its path.
pub(crate) fn url(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(url) = Url::parse(text)
    {
        assert!(!url.addresses.is_empty());
        for address in &url.addresses {
            assert!(!address.host.is_empty());
            let sole_path =
                url.addresses.len() == 1 && !url.tls && address.host.starts_with('/');
            assert!(address.socket().is_none() || sole_path, "{address}");
        }
    }
}

//! Decoders of everything that is not a batch.

use std::fmt::Debug;

use bytes::BytesMut;
use tidewire_protocol::codec::{Reader, Writer};
use tidewire_protocol::frame::{self, Header, PREFACE};
use tidewire_protocol::limits::MAX_FRAME_LEN;
use tidewire_protocol::message::{
    AnyRequest, Append, AppendReply, CloseProducer, CloseProducerReply, Credit, Deliver, Fetch,
    FetchReply, Goaway, Hello, HelloReply, KINDS, ListOffsets, ListOffsetsReply, Message,
    OpenProducer, OpenProducerReply, Ping, PingReply, StreamCreate, StreamCreateReply,
    StreamDelete, StreamDeleteReply, StreamDescribe, StreamDescribeReply, StreamList,
    StreamListReply, Subscribe, SubscribeReply, SubscriptionEvent, TopicCreate,
    TopicCreateReply, TopicDelete, TopicDeleteReply, TopicDescribe, TopicDescribeReply,
    TopicList, TopicListReply, Unsubscribe, UnsubscribeReply,
};
use tidewire_protocol::url::Url;

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

/// What decodes can be written, and read again as the same.
fn round_trip<M: Message + PartialEq + Debug>(data: &[u8]) {
    let Ok(message) = M::decode(Reader::new(data)) else { return };
    let mut out = BytesMut::new();
    message.encode(&mut Writer::new(&mut out));
    assert_eq!(M::decode(Reader::new(&out)), Ok(message));
}

macro_rules! kinds {
    ($name:ident: $($message:ty),* $(,)?) => {
        /// The first byte chooses the message, the rest is its meta.
        pub(crate) fn $name(data: &[u8]) {
            const ROUND_TRIPS: &[fn(&[u8])] = &[$(round_trip::<$message>),*];
            let Some((&choice, meta)) = data.split_first() else { return };
            ROUND_TRIPS[usize::from(choice) % ROUND_TRIPS.len()](meta);
        }
    };
}

kinds!(connection_kinds: Hello, HelloReply, Ping, PingReply, Goaway);
kinds!(admin_kinds: StreamCreate, StreamCreateReply, StreamDescribe, StreamDescribeReply,
    StreamList, StreamListReply, StreamDelete, StreamDeleteReply, TopicCreate, TopicCreateReply,
    TopicDescribe, TopicDescribeReply, TopicList, TopicListReply, TopicDelete, TopicDeleteReply);
kinds!(produce_kinds: OpenProducer, OpenProducerReply, Append, AppendReply, CloseProducer,
    CloseProducerReply);
kinds!(consume_kinds: Fetch, FetchReply, Subscribe, SubscribeReply, Credit, Unsubscribe,
    UnsubscribeReply, ListOffsets, ListOffsetsReply, Deliver, SubscriptionEvent);

/// A URL that parses names at least one server.
pub(crate) fn url(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(url) = Url::parse(text)
    {
        assert!(!url.addresses.is_empty());
        for address in &url.addresses {
            assert!(!address.host.is_empty() && address.port != 0);
        }
    }
}

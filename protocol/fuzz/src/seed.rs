//! Writes the first inputs of each target's corpus: one of everything, well formed. The fuzzer
//! finds the rest.
//!
//! `cargo run -p tidewire-fuzz --bin seed`

use std::path::Path;

use bytes::{Bytes, BytesMut};
use tidewire_protocol::batch::{BatchBuilder, Compressor, RecordRef, Sequence};
use tidewire_protocol::codec::Writer;
use tidewire_protocol::connection::{
    ClientConfig, ClientConnection, ServerConfig, ServerConnection, ServerEvent, Time,
};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::frame::PREFACE;
use tidewire_protocol::message::{
    Acks, Append, AppendReply, Codec, Credit, Deliver, Fetch, FetchReply, Goaway, Hello,
    HelloReply, KindRange, ListOffsets, ListOffsetsReply, Message, OpenProducer,
    OpenProducerReply, PartitionInfo, Ping, Start, StreamCreate, StreamCreateReply, StreamInfo,
    StreamListReply, Subscribe, SubscribeReply, SubscriptionEvent, TopicCreate,
    TopicCreateReply, TopicInfo, TopicListReply,
};

fn main() -> std::io::Result<()> {
    write("preface", &[PREFACE.to_vec(), b"TIDE".to_vec(), b"GET / HTTP/1.1".to_vec()])?;
    let stream = stream_to_server();
    write("frame", &[stream[8..].to_vec(), stream_to_client()[8..].to_vec()])?;
    write(
        "url",
        &[
            b"tidewire://127.0.0.1:8433".to_vec(),
            b"tidewire://a,b:1,[::1]:2/?linger_ms=7&client_name=x%20y&acks=none".to_vec(),
        ],
    )?;
    write("batch", &[batch(1).to_vec(), batch(9).to_vec()])?;
    write("decompression", &[compressed(Codec::Lz4), compressed(Codec::Zstd)])?;
    write(
        "records",
        &[b"\xff\xff\x07\x01k\x05value\x04name\x07content\x01\x02\x00\x03abc\x00\x00\x05"
            .to_vec()],
    )?;
    write("server_stream", &[with_head(0xfe, &stream), with_head(0xff, &stream[8..])])?;
    let stream = stream_to_client();
    write("client_stream", &[with_head(0xfe, &stream), with_head(0xff, &stream[8..])])?;
    write(
        "commands",
        &[
            vec![0, 0, 4, 0, 8, 0, 6, 0],
            vec![2, 1, 4, 0, 8, 0, 9, 1, 6, 0, 3, 60, 4, 0, 9, 1, 6, 0, 10, 200, 11, 0, 6, 0],
        ],
    )?;
    kinds()
}

fn kinds() -> std::io::Result<()> {
    let topic = TopicInfo {
        stream: "shop".into(),
        name: "orders".into(),
        id: 7,
        created_us: 1,
        partitions: 4,
        segment_bytes: 1 << 28,
        codec: Codec::Zstd,
    };
    let stream = StreamInfo { name: "shop".into(), id: 1, created_us: 2, topics: 3 };
    let hello = Hello {
        client_name: "c".into(),
        client_version: "v".into(),
        capabilities: 0,
        codecs: 1,
        max_frame_len: 1 << 24,
        heartbeat_ms: 30_000,
    };
    let hello_reply = HelloReply {
        server_name: "s".into(),
        server_version: "v".into(),
        server_id: 1,
        capabilities: 0,
        codecs: 1,
        auth: 0,
        nonce: vec![1, 2, 3],
        heartbeat_ms: 30_000,
        max_frame_len: 1 << 24,
        max_batch_len: 1 << 23,
        max_batch_records: 1 << 16,
        max_in_flight: 1024,
        max_channels: 4096,
        kinds: vec![KindRange { kind: 1, min_version: 1, max_version: 1 }],
    };
    let goaway = Goaway { last_accepted: 9, code: 2, message: "too large".into() };
    // The first byte is the message's place in the target's list.
    write(
        "connection_kinds",
        &[meta(0, &hello), meta(1, &hello_reply), meta(2, &Ping {}), meta(4, &goaway)],
    )?;
    let create = TopicCreate {
        stream: "shop".into(),
        topic: "orders".into(),
        partitions: 4,
        segment_bytes: Some(1 << 20),
        codec: Some(Codec::Lz4),
    };
    write(
        "admin_kinds",
        &[
            meta(0, &StreamCreate { name: "shop".into() }),
            meta(1, &StreamCreateReply { stream: stream.clone() }),
            meta(5, &StreamListReply { streams: vec![stream], more: true }),
            meta(8, &create),
            meta(9, &TopicCreateReply { topic: topic.clone() }),
            meta(13, &TopicListReply { topics: vec![topic], more: false }),
        ],
    )?;
    let appended =
        AppendReply { base_offset: 5, append_time_us: 6, acks: Acks::Synced, duplicate: true };
    write(
        "produce_kinds",
        &[
            meta(
                0,
                &OpenProducer {
                    stream: "shop".into(),
                    topic: "orders".into(),
                    name: None,
                    resume: None,
                },
            ),
            meta(
                1,
                &OpenProducerReply {
                    producer_id: 1,
                    producer_epoch: 2,
                    topic_id: 3,
                    partitions: 4,
                    codec: Codec::None,
                },
            ),
            meta(2, &Append { partition: 1, acks: Acks::Written }),
            meta(3, &appended),
        ],
    )?;
    let info = PartitionInfo {
        partition: 1,
        shard: 0,
        start_offset: 0,
        end_offset: 9,
        synced_offset: 9,
        size_bytes: 100,
        segments: 1,
        error: 0,
    };
    let ended = SubscriptionEvent { code: 301, disposition: 8, message: "gone".into() };
    write(
        "consume_kinds",
        &[
            meta(0, &fetch()),
            meta(1, &FetchReply { start_offset: 0, end_offset: 9 }),
            meta(2, &subscribe()),
            meta(3, &SubscribeReply { next_offset: 1, start_offset: 0, end_offset: 9 }),
            meta(4, &Credit { limit_bytes: 1 << 20 }),
            meta(7, &list()),
            meta(8, &ListOffsetsReply { partitions: vec![info] }),
            meta(9, &Deliver { end_offset: 9 }),
            meta(10, &ended),
        ],
    )
}

fn fetch() -> Fetch {
    Fetch {
        stream: "shop".into(),
        topic: "orders".into(),
        partition: 1,
        offset: 5,
        max_bytes: 1 << 20,
        min_bytes: 1,
        max_wait_ms: 500,
    }
}

fn subscribe() -> Subscribe {
    Subscribe {
        stream: "shop".into(),
        topic: "orders".into(),
        partition: 1,
        start: Start::Offset,
        offset: 5,
        credit_bytes: 1 << 20,
    }
}

fn list() -> ListOffsets {
    ListOffsets {
        stream: "shop".into(),
        topic: "orders".into(),
        first_partition: 0,
        max_partitions: 256,
    }
}

/// A batch with every column that a producer can make.
fn batch(records: i64) -> Bytes {
    let mut builder = BatchBuilder::new(1 << 16, 100);
    for i in 0..records {
        let headers: [(&str, &[u8]); 1] = [("trace", b"1")];
        let record = RecordRef {
            key: (i % 2 == 0).then_some(b"key"),
            value: (i % 3 != 1).then_some(b"value"),
            headers: if i % 2 == 0 { &headers } else { &[] },
            timestamp_us: i,
        };
        builder.push(&record).expect("small");
    }
    builder.seal(Sequence { producer_id: 1, producer_epoch: 2, base_sequence: 3 })
}

/// The target's three bytes, and data that decompresses to a whole body.
fn compressed(codec: Codec) -> Vec<u8> {
    let mut builder = BatchBuilder::new(1 << 16, 100);
    let value = "the same again and again, ".repeat(40);
    let record = RecordRef { value: Some(value.as_bytes()), ..RecordRef::at(0) };
    builder.push(&record).expect("small");
    let batch = builder.seal_with(Sequence::default(), &mut Compressor::new(codec, 1));
    let word = |at: usize| u32::from_le_bytes(batch[at..at + 4].try_into().expect("four"));
    let [low, high, ..] = (word(68) / 8).to_le_bytes();
    let mut out = vec![u8::from(codec == Codec::Zstd), low, high];
    out.extend_from_slice(&batch[88..88 + word(80) as usize]);
    out
}

/// What a client writes: the handshake, then one of several requests.
fn stream_to_server() -> Vec<u8> {
    let (mut client, _, mut bytes, _) = ready();
    let now = Time::ZERO;
    let open = OpenProducer {
        stream: "shop".into(),
        topic: "orders".into(),
        name: None,
        resume: None,
    };
    client.request(now, 1, &open, &[], 0).expect("ready");
    let append = Append { partition: 0, acks: Acks::Synced };
    client.request(now, 1, &append, &[batch(3)], 1000).expect("ready");
    client.request(now, 2, &subscribe(), &[], 0).expect("ready");
    client.request(now, 0, &fetch(), &[], 0).expect("ready");
    client.send_one_way(now, 2, &Credit { limit_bytes: 1 << 21 }).expect("ready");
    let mut parts = Vec::new();
    client.poll_transmit(&mut parts);
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// What a server writes: the handshake, replies, a delivery, the end of a subscription.
fn stream_to_client() -> Vec<u8> {
    let (mut client, mut server, _, mut bytes) = ready();
    let now = Time::ZERO;
    client.request(now, 2, &subscribe(), &[], 0).expect("ready");
    client.request(now, 0, &Ping {}, &[], 0).expect("ready");
    client.request(now, 0, &fetch(), &[], 0).expect("ready");
    let mut parts = Vec::new();
    client.poll_transmit(&mut parts);
    let mut buf = server.take_read_buf();
    parts.drain(..).for_each(|part| buf.extend_from_slice(&part));
    server.handle_input(now, buf);
    while let Some(event) = server.poll_event() {
        let ServerEvent::Request(ticket, _, _) = event else { continue };
        if ticket.channel == 2 {
            let reply = SubscribeReply { next_offset: 0, start_offset: 0, end_offset: 9 };
            server.reply(ticket, &reply, &[]);
            server.deliver(2, &Deliver { end_offset: 9 }, &[batch(3)]);
        } else {
            let reply = FetchReply { start_offset: 0, end_offset: 9 };
            server.reply(ticket, &reply, &[batch(2)]);
        }
    }
    server.end_subscription(2, &Error::new(Code::TOPIC_NOT_FOUND, "gone"));
    server.drain(&Error::new(Code::SHUTTING_DOWN, "bye"));
    server.poll_transmit(&mut parts);
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// Two ends after their handshake, and the bytes of it in both directions.
fn ready() -> (ClientConnection, ServerConnection, Vec<u8>, Vec<u8>) {
    let mut client = ClientConnection::new(ClientConfig::default(), Time::ZERO);
    let mut server = ServerConnection::new(ServerConfig::default().into(), Time::ZERO);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let mut parts = Vec::new();
    client.poll_transmit(&mut parts);
    let mut buf = server.take_read_buf();
    for part in parts.drain(..) {
        up.extend_from_slice(&part);
        buf.extend_from_slice(&part);
    }
    server.handle_input(Time::ZERO, buf);
    while server.poll_event().is_some() {}
    server.poll_transmit(&mut parts);
    let mut buf = client.take_read_buf();
    for part in parts.drain(..) {
        down.extend_from_slice(&part);
        buf.extend_from_slice(&part);
    }
    client.handle_input(Time::ZERO, buf);
    while client.poll_event().is_some() {}
    (client, server, up, down)
}

fn meta<M: Message>(place: u8, message: &M) -> Vec<u8> {
    let mut out = BytesMut::from(&[place][..]);
    message.encode(&mut Writer::new(&mut out));
    out.to_vec()
}

fn with_head(head: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![head];
    out.extend_from_slice(bytes);
    out
}

fn write(target: &str, inputs: &[Vec<u8>]) -> std::io::Result<()> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&dir)?;
    for (number, input) in inputs.iter().enumerate() {
        std::fs::write(dir.join(format!("seed-{number}")), input)?;
    }
    Ok(())
}

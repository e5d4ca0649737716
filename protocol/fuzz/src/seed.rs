//! Writes the first inputs of each target's corpus: the golden vectors, and what they do not have.
//! The fuzzer finds the rest.
//!
//! `cargo run -p tidewire-fuzz --bin seed`

use std::collections::BTreeMap;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use tidewire_fuzz::logins;
use tidewire_protocol::auth::method;
use tidewire_protocol::batch::{BatchBuilder, Codec, Compressor, RecordRef, Sequence};
use tidewire_protocol::connection::{
    ClientConfig, ClientConnection, ServerConfig, ServerConnection, ServerEvent, Time,
};
use tidewire_protocol::crc::crc32c;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::frame::{self, Flags, Head, PREFACE};
use tidewire_protocol::limits::MAX_FRAME_LEN;
use tidewire_protocol::message::{
    Acks, Append, Auth, AuthSalt, Credit, Deliver, Fetch, FetchReply, Message, OpenProducer,
    Ping, Start, Subscribe, SubscribeReply,
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
    write("authentication", &logins())?;
    write(
        "commands",
        &[
            vec![0, 0, 4, 0, 8, 0, 6, 0],
            vec![2, 1, 4, 0, 8, 0, 9, 1, 6, 0, 3, 60, 4, 0, 9, 1, 6, 0, 10, 200, 11, 0, 6, 0],
        ],
    )?;
    from_vectors()
}

/// Every golden vector of a message or a batch, those to be refused too.
fn from_vectors() -> std::io::Result<()> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let mut inputs: BTreeMap<&str, Vec<Vec<u8>>> = BTreeMap::new();
    for class in ["message", "frame", "batch"] {
        let mut files: Vec<_> = std::fs::read_dir(vectors.join(class))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        for file in files {
            let rows: Vec<Vector> = serde_json::from_slice(&std::fs::read(&file)?)?;
            for row in rows {
                let Some(bytes) = unhex(&row.hex) else { continue };
                if ["BATCH", "ENCRYPTED_BATCH"].contains(&row.kind.as_str()) {
                    inputs.entry("batch").or_default().push(bytes);
                } else if let Some((target, input)) = kind_input(&bytes) {
                    inputs.entry(target).or_default().push(input);
                    inputs.entry("frame").or_default().push(bytes);
                }
            }
        }
    }
    for (target, inputs) in inputs {
        write(target, &inputs)?;
    }
    Ok(())
}

/// What a vector's row has of interest here.
#[derive(serde::Deserialize)]
struct Vector {
    kind: String,
    hex: String,
}

fn unhex(hex: &str) -> Option<Vec<u8>> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// A frame as the input of its family's target.
fn kind_input(frame: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let (header, rest) = frame.split_first_chunk::<{ frame::HEADER_LEN }>()?;
    let header = frame::Header::parse(header, MAX_FRAME_LEN).ok()?;
    let [low, high] = header.kind.0.to_le_bytes();
    let target = match high {
        0x00 => "connection_kinds",
        0x01 => "user_kinds",
        0x02 => "topic_kinds",
        0x03 => "produce_kinds",
        0x04 => "consume_kinds",
        0x05 => "group_kinds",
        0x07 => "statistic_kinds",
        _ => return None,
    };
    let mut input = vec![low, u8::from(header.flags.has(Flags::RESPONSE))];
    input.extend_from_slice(rest.get(..header.meta_len as usize)?);
    Some((target, input))
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
        start_at: 5,
        credit_bytes: 1 << 20,
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
            ..RecordRef::at(i)
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
        opener: None,
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

/// What clients write that show who they are, rightly and wrongly, behind the handshake that the
/// target does.
fn logins() -> Vec<Vec<u8>> {
    let salt = AuthSalt { user: "ada".into() };
    let attempt = |method, token, right: bool| {
        let user = "ada".to_owned();
        let mut auth = Auth { method, user, token, nonce: vec![9; 32], proof: vec![0; 32] };
        if right {
            auth.proof = logins::key().proof(&logins::exchange(&auth)).to_vec();
        }
        auth
    };
    let password = attempt(method::PASSWORD, 0, true);
    let token = attempt(method::TOKEN, logins::TOKEN, true);
    let wrong = attempt(method::PASSWORD, 0, false);
    let transport =
        Auth { nonce: Vec::new(), proof: Vec::new(), ..attempt(method::TRANSPORT, 0, false) };
    let mut inputs = Vec::new();
    for auth in [&password, &token, &wrong, &transport] {
        let mut bytes = vec![0xff];
        request(&mut bytes, 2, &salt);
        request(&mut bytes, 3, auth);
        request(&mut bytes, 4, &fetch());
        inputs.push(bytes);
    }
    let mut many = vec![0x03];
    (2..12).for_each(|correlation| request(&mut many, correlation, &salt));
    let mut early = vec![0xff];
    request(&mut early, 2, &fetch());
    inputs.extend([many, early]);
    inputs
}

fn request<M: Message>(bytes: &mut Vec<u8>, correlation: u64, message: &M) {
    let mut out = BytesMut::new();
    let head = Head { correlation, ..Head::default() };
    frame::encode(&mut out, head, message, 0, MAX_FRAME_LEN).expect("small");
    bytes.extend_from_slice(&out);
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

fn with_head(head: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![head];
    out.extend_from_slice(bytes);
    out
}

/// Files are named by their content: what is there already is not written twice.
fn write(target: &str, inputs: &[Vec<u8>]) -> std::io::Result<()> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&dir)?;
    for input in inputs.iter().filter(|input| input.len() <= tidewire_fuzz::MAX_LEN) {
        std::fs::write(dir.join(format!("seed-{:08x}", crc32c(input))), input)?;
    }
    Ok(())
}

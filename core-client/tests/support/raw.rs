//! Peers that are no server at all.

use bytes::BytesMut;
use tidewire_protocol::frame::{self, Flags, Head};
use tidewire_protocol::limits;
use tidewire_protocol::message::HelloReply;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Listens, sends `answer` after the first bytes that arrive, and keeps the connection open.
/// The address.
pub async fn answering(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut buf = [0; 1024];
                let _ = stream.read(&mut buf).await;
                let _ = stream.write_all(&answer).await;
                while matches!(stream.read(&mut buf).await, Ok(count) if count > 0) {}
            });
        }
    });
    address
}

/// An address at which nothing listens.
pub async fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("bound").to_string()
}

/// A handshake; with `auth` other than 0 it asks for credentials.
pub fn hello(auth: u32, heartbeat_ms: u32) -> Vec<u8> {
    let reply = HelloReply {
        server_name: "strict".to_owned(),
        server_version: "1".to_owned(),
        server_id: 1,
        capabilities: 0,
        codecs: 1,
        auth,
        nonce: vec![1; 16],
        heartbeat_ms,
        max_frame_len: limits::MAX_FRAME_LEN,
        max_batch_len: limits::MAX_BATCH_LEN,
        max_batch_records: limits::MAX_BATCH_RECORDS,
        max_in_flight: 8,
        max_channels: 8,
        kinds: Vec::new(),
    };
    let mut out = BytesMut::from(&frame::PREFACE[..]);
    let head = Head { flags: Flags::RESPONSE, correlation: 1, ..Head::default() };
    frame::encode(&mut out, head, &reply, 0, limits::MAX_HANDSHAKE_FRAME_LEN)
        .expect("within the limit");
    out.to_vec()
}

//! The scripted server: a listener that answers as a server would, except where a case says
//! otherwise.
//!
//! A script is a list of rules, `{on: KIND, nth?, do: [actions]}`. `on: connect` is asked when a
//! client's preface has come. What no rule is about is answered well: HELLO, PING, opening,
//! describing, subscribing, appending at rising offsets. Actions: `answer` (the usual one),
//! `frame: {…}`, `error: {…}`, `hex`, `text`, `deliver: {batch, …}`, `delay_ms`, `close`,
//! `reset`, `silence`.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use serde_json::Value;
use tidewire_protocol::codec::Reader;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::frame::{self, Flags, Head, Header, PREFACE};
use tidewire_protocol::limits;
use tidewire_protocol::message::{
    Acks, AppendReply, CloseProducerReply, FlushReply, HelloReply, Kind, Message,
    OpenProducerReply, PingReply, Subscribe, SubscribeReply, TopicDescribe, TopicDescribeReply,
    TopicInfo, UnsubscribeReply,
};

use crate::frames::{self, Defaults};

/// A listener with a script.
pub struct Fake {
    pub address: SocketAddr,
    over: Arc<AtomicBool>,
    sockets: Arc<Mutex<Vec<TcpStream>>>,
}

#[derive(Clone, Debug)]
struct Rule {
    on: String,
    nth: u64,
    actions: Vec<Value>,
}

/// How often each kind came, over all connections.
type Counts = Arc<Mutex<HashMap<String, u64>>>;

impl Fake {
    pub fn start(script: &[Value]) -> Result<Self, String> {
        let rules: Vec<Rule> = script
            .iter()
            .map(|rule| {
                Ok(Rule {
                    on: rule["on"].as_str().ok_or("a rule has on")?.to_owned(),
                    nth: rule["nth"].as_u64().unwrap_or(0),
                    actions: rule["do"].as_array().cloned().ok_or("a rule has do")?,
                })
            })
            .collect::<Result<_, String>>()?;
        for action in rules.iter().flat_map(|rule| &rule.actions) {
            for name in ["error", "goaway"] {
                if let Some(description) = action.get(name) {
                    frames::code(&description["code"])?;
                }
            }
        }
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let over = Arc::new(AtomicBool::new(false));
        let sockets: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let counts = Counts::default();
        std::thread::spawn({
            let (over, sockets) = (Arc::clone(&over), Arc::clone(&sockets));
            move || {
                for socket in listener.incoming().flatten() {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    if let Ok(clone) = socket.try_clone() {
                        sockets.lock().unwrap_or_else(PoisonError::into_inner).push(clone);
                    }
                    let (rules, counts) = (rules.clone(), Arc::clone(&counts));
                    std::thread::spawn(move || {
                        let mut peer =
                            Peer { socket, rules, counts, last: None, offset: 0, taken: 0 };
                        // The client may leave at any time; whoever ends it, it has ended.
                        let _ = peer.serve();
                        let _ = peer.socket.shutdown(std::net::Shutdown::Both);
                    });
                }
            }
        });
        Ok(Self { address, over, sockets })
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for socket in self.sockets.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
        let _ = TcpStream::connect(self.address);
    }
}

struct Peer {
    socket: TcpStream,
    rules: Vec<Rule>,
    counts: Counts,
    /// The frame that is answered.
    last: Option<(Header, Vec<u8>)>,
    offset: u64,
    taken: u64,
}

/// What ends a connection.
struct End;

impl From<std::io::Error> for End {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl Peer {
    fn serve(&mut self) -> Result<(), End> {
        let mut preface = [0; 8];
        self.socket.read_exact(&mut preface)?;
        if !self.ruled("connect")? {
            self.socket.write_all(&PREFACE)?;
        }
        let mut buffer = BytesMut::new();
        let mut chunk = vec![0; 64 << 10];
        loop {
            while let Some(frame) = frames::split(&mut buffer) {
                let header = frames::header(&frame);
                self.taken = self.taken.max(header.correlation);
                let name = frames::kind_name(header.kind);
                self.last = Some((header, frame));
                if !self.ruled(&name)? {
                    self.answer()?;
                }
            }
            match self.socket.read(&mut chunk)? {
                0 => return Ok(()),
                len => buffer.extend_from_slice(&chunk[..len]),
            }
        }
    }

    /// Does what a rule says, if there is one.
    fn ruled(&mut self, name: &str) -> Result<bool, End> {
        let count = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(name.to_owned()).or_default();
            *count += 1;
            *count
        };
        let rule = self
            .rules
            .iter()
            .find(|rule| rule.on == name && (rule.nth == 0 || rule.nth == count))
            .cloned();
        let Some(rule) = rule else { return Ok(false) };
        for action in &rule.actions {
            self.act(action)?;
        }
        Ok(true)
    }

    fn act(&mut self, action: &Value) -> Result<(), End> {
        let (name, value) = match action {
            Value::String(name) => (name.as_str(), &Value::Null),
            Value::Object(map) => match map.iter().next() {
                Some((name, value)) => (name.as_str(), value),
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        match name {
            "answer" => self.answer()?,
            "preface" => self.socket.write_all(&PREFACE)?,
            "hex" => {
                let bytes = frames::hex(value.as_str().unwrap_or_default()).unwrap_or_default();
                self.socket.write_all(&bytes)?;
            }
            "text" => self.socket.write_all(value.as_str().unwrap_or_default().as_bytes())?,
            "frame" | "error" => {
                let description = match name {
                    "error" => serde_json::json!({"error": value}),
                    _ => value.clone(),
                };
                let bytes = frames::frame(&description, self.defaults()).map_err(|_| End)?;
                self.socket.write_all(&bytes)?;
            }
            "deliver" => {
                let end = value["end_offset"].as_u64().unwrap_or(1);
                let description = serde_json::json!({
                    "kind": "DELIVER", "flags": 2, "correlation": 0,
                    "meta": [{"u64": end}], "payload": value["batch"],
                });
                let bytes = frames::frame(&description, self.defaults()).map_err(|_| End)?;
                self.socket.write_all(&bytes)?;
            }
            "goaway" => {
                let code = frames::code(&value["code"]).map_err(|_| End)?;
                let last = value["last_accepted"].as_u64().unwrap_or(self.taken);
                let description = serde_json::json!({
                    "kind": "GOAWAY", "flags": 2, "correlation": 0, "channel": 0,
                    "meta": [{"u64": last}, {"u16": code.0}, {"str": "the script says so"}],
                });
                let bytes = frames::frame(&description, self.defaults()).map_err(|_| End)?;
                self.socket.write_all(&bytes)?;
            }
            "delay_ms" => {
                std::thread::sleep(Duration::from_millis(value.as_u64().unwrap_or(0)));
            }
            "reset" => {
                let _ = socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
                let _ = self.socket.shutdown(std::net::Shutdown::Both);
                return Err(End);
            }
            "close" => {
                let _ = self.socket.shutdown(std::net::Shutdown::Both);
                return Err(End);
            }
            // `silence`: nothing.
            _ => {}
        }
        Ok(())
    }

    fn defaults(&self) -> Defaults {
        let header = self.last.as_ref().map(|(header, _)| *header);
        Defaults {
            kind: header.map_or(Kind::PING, |header| header.kind),
            flags: Flags::RESPONSE.0,
            correlation: header.map_or(1, |header| header.correlation),
            channel: header.map_or(0, |header| header.channel),
        }
    }

    /// What a server would say.
    fn answer(&mut self) -> Result<(), End> {
        let Some((header, frame)) = self.last.clone() else { return Ok(()) };
        if header.flags.0 & Flags::ONE_WAY.0 != 0 {
            return Ok(());
        }
        let meta = &frame[32..(32 + header.meta_len as usize).min(frame.len())];
        match header.kind {
            Kind::HELLO => self.reply(&HelloReply {
                server_name: "scripted".into(),
                server_version: "0".into(),
                server_id: 7,
                capabilities: 0,
                codecs: 7,
                auth: 0,
                nonce: Vec::new(),
                heartbeat_ms: 30_000,
                max_frame_len: limits::MAX_FRAME_LEN,
                max_batch_len: limits::MAX_BATCH_LEN,
                max_batch_records: limits::MAX_BATCH_RECORDS,
                max_in_flight: limits::MAX_IN_FLIGHT,
                max_channels: limits::MAX_CHANNELS,
                kinds: Vec::new(),
            }),
            Kind::PING => self.reply(&PingReply {}),
            Kind::OPEN_PRODUCER => self.reply(&OpenProducerReply {
                producer_id: 9,
                producer_epoch: 0,
                topic_id: 1,
                partitions: 1,
                codec: tidewire_protocol::message::Codec::None,
            }),
            Kind::APPEND => {
                let base_offset = self.offset;
                let batch = frame.get(32 + meta.len()..).unwrap_or_default();
                let records = batch.get(36..40).and_then(|b| b.try_into().ok());
                self.offset += u64::from(records.map_or(1, u32::from_le_bytes));
                self.reply(&AppendReply {
                    base_offset,
                    append_time_us: 1,
                    acks: Acks::Synced,
                    duplicate: false,
                })
            }
            Kind::FLUSH => self.reply(&FlushReply { synced_offset: self.offset }),
            Kind::CLOSE_PRODUCER => self.reply(&CloseProducerReply {}),
            Kind::UNSUBSCRIBE => self.reply(&UnsubscribeReply {}),
            Kind::SUBSCRIBE => {
                // What is not one is no subscription.
                Subscribe::decode(Reader::new(meta)).map_err(|_| End)?;
                self.reply(&SubscribeReply { next_offset: 0, start_offset: 0, end_offset: 0 })
            }
            Kind::TOPIC_DESCRIBE => {
                let asked = TopicDescribe::decode(Reader::new(meta)).map_err(|_| End)?;
                let topic = TopicInfo {
                    stream: asked.stream,
                    name: asked.topic,
                    id: 1,
                    partitions: 1,
                    segment_bytes: 1 << 28,
                    created_us: 0,
                    codec: tidewire_protocol::message::Codec::None,
                    retention_ms: 0,
                    retention_bytes: 0,
                    dedup_window_ms: 0,
                };
                self.reply(&TopicDescribeReply { topic })
            }
            _ => {
                let error = Error::new(Code::UNKNOWN_KIND, "the script has no answer");
                let bytes = frames::frame(
                    &serde_json::json!({"error": {"code": error.code.0}}),
                    self.defaults(),
                );
                self.socket.write_all(&bytes.map_err(|_| End)?)?;
                Ok(())
            }
        }
    }

    fn reply<M: Message>(&mut self, message: &M) -> Result<(), End> {
        let defaults = self.defaults();
        let head = Head {
            flags: Flags::RESPONSE,
            correlation: defaults.correlation,
            channel: defaults.channel,
            aux: 0,
        };
        let mut out = BytesMut::new();
        frame::encode(&mut out, head, message, 0, limits::MAX_FRAME_LEN).map_err(|_| End)?;
        self.socket.write_all(&out)?;
        Ok(())
    }
}

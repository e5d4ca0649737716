//! One connection that speaks frames made by hand.
//!
//! Owns the socket, the bytes of each part of an attack, and what the server said. The one
//! invariant: nothing is sent but what was asked for, and no answer is waited for without an end.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use serde_json::{Value, json};
use tidewire_protocol::codec::Reader;
use tidewire_protocol::crc::crc32c;
use tidewire_protocol::error::Code;
use tidewire_protocol::frame::{Flags, PREFACE};
use tidewire_protocol::message::{Goaway, HelloReply, Kind, Message};

use crate::frames::{self, Defaults};
use crate::login;
use crate::value::Random;

/// Longest wait for what the server says: more than the ten seconds that a handshake may take.
const PATIENCE: Duration = Duration::from_secs(25);
/// Bytes of an answer that are read at most.
const MAX_ANSWER: usize = 32 << 20;

/// A connection, and what was said on it.
pub struct Raw {
    socket: TcpStream,
    correlation: u64,
    buffer: BytesMut,
    /// Everything the server sent.
    said: Vec<u8>,
    prefaced: bool,
    ended: bool,
    /// Byte by byte from now on.
    drip: bool,
    /// HELLO was sent, and what the reply has for a proof to be made of.
    greeted: bool,
    nonce: Option<Vec<u8>>,
}

impl Raw {
    pub fn connect(address: SocketAddr) -> Result<Self, String> {
        let socket =
            TcpStream::connect(address).map_err(|error| format!("connecting: {error}"))?;
        Self::over(socket)
    }

    /// Connects from a loopback address of its own: the guesses of one slow down no other.
    pub fn connect_from(source: Ipv4Addr, address: SocketAddr) -> Result<Self, String> {
        let failed = |error| format!("connecting from {source}: {error}");
        let stream = socket2::Type::STREAM;
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, stream, None).map_err(failed)?;
        socket.bind(&SocketAddr::new(IpAddr::V4(source), 0).into()).map_err(failed)?;
        socket.connect(&address.into()).map_err(failed)?;
        Self::over(socket.into())
    }

    fn over(socket: TcpStream) -> Result<Self, String> {
        let _ = socket.set_nodelay(true);
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .map_err(|error| error.to_string())?;
        Ok(Self {
            socket,
            correlation: 0,
            buffer: BytesMut::new(),
            said: Vec::new(),
            prefaced: false,
            ended: false,
            drip: false,
            greeted: false,
            nonce: None,
        })
    }

    /// Bytes of one part of an attack.
    fn part(&mut self, part: &Value) -> Result<Vec<u8>, String> {
        let mut rising = false;
        let (name, value) = match part {
            Value::String(name) => (name.as_str(), &Value::Null),
            Value::Object(map) => map
                .iter()
                .next()
                .map(|(name, value)| (name.as_str(), value))
                .ok_or("an empty part")?,
            other => return Err(format!("{other} is no part of an attack")),
        };
        Ok(match name {
            "preface" => PREFACE.to_vec(),
            "hello" => {
                self.greeted = true;
                let description = json!({"kind": "HELLO", "meta": [
                    {"str": "attacker"}, {"str": "0"}, {"u64": 0}, {"u32": 7},
                    {"u32": 16_777_216}, {"u32": 30_000}]});
                self.request(&description)?
            }
            "open" => {
                let description = json!({"kind": "OPEN_PRODUCER", "channel": value.as_u64().unwrap_or(1),
                    "meta": [{"str": "default"}, {"str": "victim"}]});
                self.request(&description)?
            }
            "frame" => {
                let times = value["times"].as_u64().unwrap_or(1);
                let mut value = value.clone();
                let mut out = Vec::new();
                for number in 1..=times {
                    if value["channel"] == "rising" || number > 1 && rising {
                        rising = true;
                        value["channel"] = json!(number);
                    }
                    out.extend(self.request(&value)?);
                }
                out
            }
            "append" => {
                let channel = value["channel"].as_u64().unwrap_or(1);
                let description = json!({"kind": "APPEND", "channel": channel,
                    "meta": [{"u32": value["partition"].as_u64().unwrap_or(0)},
                             {"u8": value["acks"].as_u64().unwrap_or(2)}],
                    "payload": value["batch"]});
                self.request(&description)?
            }
            "hex" => frames::hex(value.as_str().unwrap_or_default())?,
            "text" => value.as_str().unwrap_or_default().as_bytes().to_vec(),
            "zeros" => vec![0; value.as_u64().unwrap_or(0) as usize],
            "noise" => {
                let seed = value["seed"].as_u64().unwrap_or(1);
                Random::new(seed).bytes(value["len"].as_u64().unwrap_or(64) as usize)
            }
            other => return Err(format!("no part {other}")),
        })
    }

    fn request(&mut self, description: &Value) -> Result<Vec<u8>, String> {
        self.correlation += 1;
        let defaults =
            Defaults { kind: Kind::PING, flags: 0, correlation: self.correlation, channel: 0 };
        frames::frame(description, defaults)
    }

    /// Sends the parts of an attack.
    pub fn send(&mut self, parts: &[Value]) -> Result<(), String> {
        for part in parts {
            match part.as_str() {
                Some("drip") => {
                    self.drip = true;
                    continue;
                }
                Some("shutdown") => {
                    let _ = self.socket.shutdown(Shutdown::Write);
                    continue;
                }
                Some("reset") => {
                    let linger = Some(Duration::ZERO);
                    let _ = socket2::SockRef::from(&self.socket).set_linger(linger);
                    let _ = self.socket.shutdown(Shutdown::Both);
                    self.ended = true;
                    return Ok(());
                }
                _ => {}
            }
            if let Some(ms) = part["flood_ms"].as_u64() {
                self.flood(Duration::from_millis(ms))?;
                continue;
            }
            if let Some(ms) = part["sip_ms"].as_u64() {
                self.sip(Duration::from_millis(ms))?;
                continue;
            }
            if let Some(ms) = part["wait_ms"].as_u64() {
                std::thread::sleep(Duration::from_millis(ms));
                continue;
            }
            let bytes = self.part(part)?;
            let pieces: Vec<&[u8]> = if self.drip {
                bytes.chunks(1).collect()
            } else {
                bytes.chunks(1 << 20).collect()
            };
            for piece in pieces {
                // The server may have closed before all was sent: what it said counts.
                if self.socket.write_all(piece).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Sends PINGs and takes nothing, until the server stops reading; is silent for some time; and
    /// then takes everything.
    fn flood(&mut self, silence: Duration) -> Result<(), String> {
        let begun = Instant::now();
        let timeout = |ms| Some(Duration::from_millis(ms));
        self.socket.set_write_timeout(timeout(300)).map_err(|error| error.to_string())?;
        let mut rest: Vec<u8> = Vec::new();
        loop {
            if rest.is_empty() {
                rest = self.pings(10_000)?;
            }
            match self.socket.write(&rest) {
                Ok(len) => drop(rest.drain(..len)),
                Err(error) if is_timeout(&error) => break,
                Err(error) => return Err(format!("the server ended a flood: {error}")),
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("the server went on reading for {PATIENCE:?}"));
            }
        }
        std::thread::sleep(silence);
        self.socket.set_write_timeout(timeout(10)).map_err(|error| error.to_string())?;
        while !rest.is_empty() && !self.ended {
            match self.socket.write(&rest) {
                Ok(len) => drop(rest.drain(..len)),
                Err(error) if is_timeout(&error) => {}
                Err(_) => return Ok(()),
            }
            self.read();
        }
        self.socket.set_write_timeout(None).map_err(|error| error.to_string())
    }

    /// Many PINGs, made from one.
    fn pings(&mut self, count: usize) -> Result<Vec<u8>, String> {
        let mut ping = self.request(&json!({"kind": "PING"}))?;
        let mut all = Vec::with_capacity(count * ping.len());
        for _ in 0..count {
            all.extend_from_slice(&ping);
            self.correlation += 1;
            ping[8..16].copy_from_slice(&self.correlation.to_le_bytes());
            let sum = crc32c(&ping[..28]).to_le_bytes();
            ping[28..32].copy_from_slice(&sum);
        }
        self.correlation -= 1;
        Ok(all)
    }

    /// Takes what comes in small sips for some time, and shows twice a second that it lives.
    fn sip(&mut self, time: Duration) -> Result<(), String> {
        let begun = Instant::now();
        let (mut sip, mut beats) = (vec![0; 64 << 10], 0);
        while begun.elapsed() < time {
            if begun.elapsed() >= Duration::from_millis(500) * beats {
                beats += 1;
                let ping = self.pings(1)?;
                self.socket.write_all(&ping).map_err(|error| error.to_string())?;
            }
            match self.socket.read(&mut sip) {
                Ok(0) => return Err("the server ended the connection meanwhile".to_owned()),
                Ok(len) => self.buffer.extend_from_slice(&sip[..len]),
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(format!("the server ended it meanwhile: {error}")),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Reads once.
    fn read(&mut self) {
        let mut chunk = vec![0; 256 << 10];
        match self.socket.read(&mut chunk) {
            Ok(0) => self.ended = true,
            Ok(len) => {
                self.buffer.extend_from_slice(&chunk[..len]);
                if self.said.len() < MAX_ANSWER {
                    self.said.extend_from_slice(&chunk[..len]);
                }
            }
            Err(error) if is_timeout(&error) => {}
            Err(_) => self.ended = true,
        }
    }

    /// The next frame, or `None` at the end of the stream.
    pub fn frame(&mut self) -> Result<Option<Vec<u8>>, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if !self.prefaced && self.buffer.len() >= 8 {
                if self.buffer[..4] != PREFACE[..4] {
                    return Err(format!("no preface: {:02x?}", &self.buffer[..8]));
                }
                self.buffer.advance(8);
                self.prefaced = true;
            }
            if self.prefaced
                && let Some(frame) = frames::split(&mut self.buffer)
            {
                if frames::header(&frame).kind == Kind::HELLO {
                    let reply = login::decode::<HelloReply>(&frame);
                    self.nonce = reply.map(|reply| reply.nonce).ok();
                }
                return Ok(Some(frame));
            }
            if self.ended {
                return Ok(None);
            }
            if Instant::now() > deadline {
                return Err(format!("the server said nothing more within {PATIENCE:?}"));
            }
            self.read();
        }
    }

    /// What a proof is made for on this connection; zeros if nothing was agreed on.
    pub fn nonce(&mut self) -> Result<Vec<u8>, String> {
        while self.greeted && self.nonce.is_none() {
            self.frame()?.ok_or("the connection ended before the reply to HELLO")?;
        }
        Ok(self.nonce.clone().unwrap_or_else(|| vec![0; 32]))
    }

    /// Everything that was said and not taken, and everything that was said at all.
    pub fn left(&self) -> (&[u8], &[u8]) {
        (&self.buffer, &self.said)
    }

    /// The reply to the last request, skipping others.
    pub fn reply(&mut self) -> Result<Vec<u8>, String> {
        while let Some(frame) = self.frame()? {
            let header = frames::header(&frame);
            if header.kind == Kind::GOAWAY {
                let leave = goaway(&frame)?;
                return Err(format!(
                    "the server took leave with {}: {}",
                    frames::code_name(Code(leave.code)),
                    leave.message
                ));
            }
            if header.flags.0 & Flags::RESPONSE.0 != 0 && header.correlation == self.correlation
            {
                return Ok(frame);
            }
        }
        Err("the connection ended before the reply".into())
    }

    /// Everything that is said until the end of the stream.
    pub fn drain(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while !self.ended {
            if Instant::now() > deadline {
                return Err(format!("the server did not close within {PATIENCE:?}"));
            }
            self.read();
        }
        Ok(())
    }

    /// Sends a request and expects a status.
    pub fn call(&mut self, part: &Value, status: Code) -> Result<Vec<u8>, String> {
        self.send(std::slice::from_ref(part))?;
        let frame = self.reply()?;
        let got = Code(frames::header(&frame).aux as u16);
        if got != status {
            return Err(format!(
                "expected {}, got {}: {}",
                frames::code_name(status),
                frames::code_name(got),
                text(&frame)
            ));
        }
        Ok(frame)
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

/// The fields of a GOAWAY.
pub fn goaway(frame: &[u8]) -> Result<Goaway, String> {
    let header = frames::header(frame);
    let meta = frame.get(32..32 + header.meta_len as usize).unwrap_or_default();
    Goaway::decode(Reader::new(meta)).map_err(|error| format!("a GOAWAY that is none: {error}"))
}

/// The text of an error reply.
pub fn text(frame: &[u8]) -> String {
    let len = frame.get(32..34).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes);
    let bytes = frame.get(34..34 + usize::from(len)).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

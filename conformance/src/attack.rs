//! The attacker: sends the server what no client library would, and looks at what it says, at the
//! other clients, and at what it holds afterwards.
//!
//! Owns the raw sockets and the bystander. The one invariant: after every attack a bystander that
//! was there before reads and writes as ever, and the server's memory and descriptors are back
//! where they were; and on a server with credentials, who may come in and what there is, too.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidewire_protocol::auth::{Secret, Token};
use tidewire_protocol::error::Code;
use tidewire_protocol::frame::{Flags, PREFACE};
use tidewire_protocol::message::{Direction, KINDS, Kind, KindInfo};

use crate::frames;
use crate::login::Secrets;
use crate::raw::{Raw, goaway, text};
use crate::server::Server;

/// Growth of the server's memory that is no leak, in KiB: buffers that are kept for the next one.
const MAX_GROWTH_KIB: u64 = 24 << 10;

/// KiB that a connection may cost a server before it knows who is there, whatever it sends; sockets
/// are the kernel's.
const MAX_STRANGER_KIB: u64 = 64;
/// Kinds that a client may send before the server knows who it is.
const SPOKEN_BEFORE_LOGIN: [Kind; 4] = [Kind::HELLO, Kind::AUTH, Kind::AUTH_SALT, Kind::GOAWAY];

const NO_CREDENTIALS: &str = "the server asks for no credentials: the case lacks `secured`";

/// A server under attack, with a client that has nothing to do with it.
pub struct Siege {
    bystander: Raw,
    appended: u64,
    usage: (u64, usize),
    /// Of a server that asks for credentials.
    secrets: Option<Secrets>,
    /// What such a server lists, which no attack changes.
    listed: Vec<u8>,
    /// KiB of memory that the server had reserved before, used or not.
    reserved: u64,
    /// How many connections there were: each comes from an address of its own.
    connections: u32,
}

impl Siege {
    pub fn begin(server: &Server) -> Result<Self, String> {
        let mut bystander = Raw::connect(server.address)?;
        bystander.send(&[json!("preface")])?;
        bystander.call(&json!("hello"), frames::OK)?;
        let secrets = if server.is_secured() {
            let token = Token::parse(&Secret::new(server.root_token()?));
            let token = token.map_err(|error| error.to_string())?;
            let mut secrets = Secrets::new(token.ok_or("root's secret is no token")?);
            let login = secrets.attempt(&json!({"as": "root"}), &bystander.nonce()?)?;
            let reply = bystander.call(&json!({"frame": login}), frames::OK)?;
            secrets.hear(&login, &reply)?;
            bystander.call(&Secrets::user(), frames::OK)?;
            Some(secrets)
        } else {
            None
        };
        let create = json!({"frame": {"kind": "TOPIC_CREATE", "meta": [
            {"str": "default"}, {"str": "victim"}, {"u32": 1}]}});
        bystander.call(&create, frames::OK)?;
        bystander.call(&json!({"open": 1}), frames::OK)?;
        // A topic that nobody writes to. Its files are opened when it is first read: now, so that
        // no attack is blamed for them.
        let create = json!({"frame": {"kind": "TOPIC_CREATE", "meta": [
            {"str": "default"}, {"str": "quiet"}, {"u32": 1}]}});
        bystander.call(&create, frames::OK)?;
        let fetch = json!({"frame": {"kind": "FETCH", "meta": [
            {"str": "default"}, {"str": "quiet"}, {"u32": 0}, {"u64": 0},
            {"u32": 1024}, {"u32": 0}, {"u32": 0}]}});
        bystander.call(&fetch, frames::OK)?;
        let mut siege = Self {
            bystander,
            appended: 0,
            usage: (0, 0),
            secrets,
            listed: Vec::new(),
            reserved: 0,
            connections: 0,
        };
        siege.check_bystander()?;
        siege.listed = siege.list()?;
        siege.usage = at_rest(server)?;
        siege.reserved = server.reserved().ok_or("the server's usage cannot be read")?;
        Ok(siege)
    }

    /// The bystander writes a record.
    fn check_bystander(&mut self) -> Result<(), String> {
        let append = json!({"append": {"batch": {"records": 1}}});
        let reply = self
            .bystander
            .call(&append, frames::OK)
            .map_err(|error| format!("a bystander was harmed: {error}"))?;
        let offset =
            reply.get(32..40).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes);
        // Attacks that are answered well may append, too: what counts is that offsets rise. Who
        // has to log in first appends nothing.
        let stolen = self.secrets.is_some() && offset > self.appended;
        if offset < self.appended || stolen {
            return Err(format!(
                "a bystander's record got offset {offset} after {}",
                self.appended
            ));
        }
        self.appended = offset + 1;
        Ok(())
    }

    /// What a server with credentials has: topics, users and tokens.
    fn list(&mut self) -> Result<Vec<u8>, String> {
        let mut all = Vec::new();
        if self.secrets.is_some() {
            for request in [
                json!({"kind": "TOPIC_LIST", "meta": [{"str": "default"}, {"str": ""}]}),
                json!({"kind": "USER_LIST", "meta": [{"str": ""}]}),
            ] {
                let reply = self.bystander.call(&json!({"frame": request}), frames::OK)?;
                all.extend_from_slice(&reply[32..]);
            }
        }
        Ok(all)
    }

    /// Plays one attack, and looks around afterwards. One on a frame of the kind `each` is played
    /// with all kinds.
    pub fn attack(
        &mut self,
        server: &mut Server,
        send: &[Value],
        answer: &Value,
    ) -> Result<(), String> {
        if send.iter().any(|part| part["frame"]["kind"] == "each") {
            for info in KINDS {
                if SPOKEN_BEFORE_LOGIN.contains(&info.kind) {
                    continue;
                }
                let parts: Vec<Value> = send.iter().map(|part| of_kind(part, info)).collect();
                self.play(server, &parts, answer)
                    .map_err(|fault| format!("with {}: {fault}", info.name))?;
            }
        } else {
            self.play(server, send, answer)?;
        }
        if let Some(died) = server.has_died() {
            return Err(format!("{died}\n{}", server.log()));
        }
        self.check_bystander()?;
        if self.list()? != self.listed {
            return Err("topics or users are not what they were".to_owned());
        }
        self.check_usage(server)
    }

    fn play(&mut self, server: &Server, send: &[Value], answer: &Value) -> Result<(), String> {
        let mut raw = self.connect(server)?;
        let mut crowd = Vec::new();
        for part in send {
            if let Some(description) = part.get("auth") {
                let login = self.login(&mut raw, description)?;
                raw.send(&[login])?;
            } else if part == "in" {
                let status = frames::header(&raw.reply()?).aux as u16;
                if Code(status) != frames::OK {
                    return Err(format!("not let in: {}", frames::code_name(Code(status))));
                }
            } else if part == "end" {
                // What was said until then is judged all the same.
                raw.drain()?;
            } else if part["token"] == "create" {
                let secrets = self.secrets.as_mut().ok_or(NO_CREDENTIALS)?;
                let reply = self.bystander.call(&secrets.create_token(), frames::OK)?;
                secrets.token_created(&reply)?;
            } else if part["token"] == "delete" {
                let id = self.secrets.as_ref().ok_or(NO_CREDENTIALS)?.token_id()?;
                let delete = json!({"kind": "TOKEN_DELETE", "meta": [{"u64": id}]});
                self.bystander.call(&json!({"frame": delete}), frames::OK)?;
            } else if let Some(request) = part.get("root") {
                self.bystander.call(&json!({"frame": request}), frames::OK)?;
            } else if let Some(count) = part["crowd"].as_u64() {
                // All that was sent so far, from many more.
                for _ in 1..count {
                    crowd.push(self.one_of_a_crowd(server, send)?);
                }
                self.check_reserved(server, count)?;
            } else {
                raw.send(std::slice::from_ref(part))?;
            }
        }
        judge(&mut raw, answer)
    }

    fn connect(&mut self, server: &Server) -> Result<Raw, String> {
        if self.secrets.is_none() {
            return Raw::connect(server.address);
        }
        self.connections += 1;
        // 127.1.0.1 and the next ones.
        let source = Ipv4Addr::from(0x7F01_0000 + self.connections);
        Raw::connect_from(source, server.address)
    }

    fn login(&self, raw: &mut Raw, description: &Value) -> Result<Value, String> {
        let secrets = self.secrets.as_ref().ok_or(NO_CREDENTIALS)?;
        Ok(json!({"frame": secrets.attempt(description, &raw.nonce()?)?}))
    }

    /// A connection on which the parts before `crowd` were sent, and stay without an answer.
    fn one_of_a_crowd(&mut self, server: &Server, send: &[Value]) -> Result<Raw, String> {
        let mut raw = self.connect(server)?;
        for part in send.iter().take_while(|part| part.get("crowd").is_none()) {
            raw.send(std::slice::from_ref(part))?;
        }
        raw.nonce()?;
        Ok(raw)
    }

    /// Looks for a while at what strangers cost the server.
    fn check_reserved(&self, server: &Server, count: u64) -> Result<(), String> {
        for _ in 0..20 {
            let reserved = server.reserved().ok_or("the server's usage cannot be read")?;
            let each = reserved.saturating_sub(self.reserved) / count;
            if each > MAX_STRANGER_KIB {
                return Err(format!("each of {count} strangers costs the server {each} KiB"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Waits until descriptors and memory are back.
    fn check_usage(&self, server: &Server) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let (kib, descriptors) =
                server.usage().ok_or("the server's usage cannot be read")?;
            let grown = kib.saturating_sub(self.usage.0);
            if descriptors <= self.usage.1 && grown <= MAX_GROWTH_KIB {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!(
                    "the server holds {descriptors} descriptors, {} before; and {grown} KiB more",
                    self.usage.1
                ));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A part with its frame of the kind `each` as one of this kind.
fn of_kind(part: &Value, info: &KindInfo) -> Value {
    let mut part = part.clone();
    if part["frame"]["kind"] == "each" {
        part["frame"]["kind"] = json!(info.kind.0);
        part["frame"]["version"] = json!(info.version);
        if info.direction == Direction::OneWay {
            part["frame"]["flags"] = json!(Flags::ONE_WAY.0);
            part["frame"]["correlation"] = json!(0);
        }
    }
    part
}

/// What the server holds while nothing happens: the least of a few looks, since what it has just
/// done may have a file open for a moment more.
fn at_rest(server: &Server) -> Result<(u64, usize), String> {
    let mut least: Option<(u64, usize)> = None;
    for _ in 0..10 {
        let (kib, descriptors) = server.usage().ok_or("the server's usage cannot be read")?;
        // Memory only grows while it is touched for the first time.
        let fewest = least.map_or(descriptors, |(_, before)| descriptors.min(before));
        least = Some((kib, fewest));
        std::thread::sleep(Duration::from_millis(10));
    }
    least.ok_or_else(|| "nobody looked".to_owned())
}

/// What the server must say: `goaway: CODE`, `reply: CODE` (of the last request; the connection
/// then still answers; with `meta`, its fields begin with these bytes), `closed: true`, `preface: true` (and then closes), `http: true`,
/// `any: true` (whatever, but an end), `stays: true`; with `says`, a part of its text.
fn judge(raw: &mut Raw, answer: &Value) -> Result<(), String> {
    let says = answer["says"].as_str();
    let told = |text: &str| match says {
        Some(part) if !text.contains(part) => {
            Err(format!("expected a text with {part:?}: {text}"))
        }
        _ => Ok(()),
    };
    if !answer["goaway"].is_null() {
        let wanted = frames::code(&answer["goaway"])?;
        while let Some(frame) = raw.frame()? {
            if frames::header(&frame).kind != Kind::GOAWAY {
                continue;
            }
            let leave = goaway(&frame)?;
            if Code(leave.code) != wanted {
                let got = frames::code_name(Code(leave.code));
                return Err(format!(
                    "expected GOAWAY {}, got {got}: {}",
                    frames::code_name(wanted),
                    leave.message
                ));
            }
            told(&leave.message)?;
            raw.drain()?;
            let nothing = raw.left().0.is_empty();
            return if nothing { Ok(()) } else { Err("something follows GOAWAY".into()) };
        }
        return Err(format!(
            "expected GOAWAY {}, the server only closed",
            frames::code_name(wanted)
        ));
    }
    if !answer["reply"].is_null() {
        let wanted = frames::code(&answer["reply"])?;
        let frame = raw.reply()?;
        let got = Code(frames::header(&frame).aux as u16);
        if got != wanted {
            return Err(format!(
                "expected {}, got {}: {}",
                frames::code_name(wanted),
                frames::code_name(got),
                text(&frame)
            ));
        }
        if wanted != frames::OK {
            told(&text(&frame))?;
        }
        if let Some(wanted) = answer["meta"].as_str() {
            let meta = frame.get(32..).unwrap_or_default();
            if !meta.starts_with(&frames::hex(wanted)?) {
                return Err(format!("expected the fields {wanted}, got {meta:02x?}"));
            }
        }
        raw.call(&json!({"frame": {"kind": "PING"}}), frames::OK)
            .map_err(|error| format!("the connection did not stay: {error}"))?;
        return Ok(());
    }
    if answer["stays"] == true {
        raw.call(&json!({"frame": {"kind": "PING"}}), frames::OK)
            .map_err(|error| format!("the connection did not stay: {error}"))?;
        return Ok(());
    }
    raw.drain()?;
    let all = raw.left().1;
    let said = String::from_utf8_lossy(all).into_owned();
    if answer["http"] == true {
        if !said.starts_with("HTTP/1.1 400 ") {
            return Err(format!("expected an answer in HTTP: {said:?}"));
        }
        return told(&said);
    }
    if answer["closed"] == true && !all.is_empty() {
        return Err(format!("expected the end of the connection, got {all:02x?}"));
    }
    if answer["preface"] == true && all != PREFACE {
        return Err(format!("expected a preface and the end, got {all:02x?}"));
    }
    Ok(())
}

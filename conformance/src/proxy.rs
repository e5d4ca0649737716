//! The fault proxy: every byte between an adapter and the server goes through it.
//!
//! It knows frames, so that a case can say "the second APPEND" or "the reply to SUBSCRIBE", and
//! it writes down each frame that passes: the trace of the report, and what coverage is counted
//! from. Owns the sockets in between; which faults there are is the case's.
//!
//! The one invariant: without a fault, what goes in comes out, byte by byte and in order.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use serde::Serialize;
use serde_json::Value;
use tidewire_protocol::error::Code;
use tidewire_protocol::frame::Flags;
use tidewire_protocol::message::Kind;

use crate::frames::{self, Defaults};
use crate::value::Random;

/// Lines of a trace that are kept.
const MAX_TRACE: usize = 2_000;

/// One frame that passed, or did not.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Microseconds since the case began.
    pub at_us: u64,
    pub connection: u64,
    /// `client` or `server`.
    pub from: &'static str,
    pub kind: String,
    pub reply: bool,
    pub correlation: u64,
    pub channel: u32,
    /// Of a reply.
    pub status: String,
    pub size: usize,
    /// What a fault did to it.
    pub fault: String,
}

/// A fault as a case describes it.
#[derive(Clone, Debug)]
struct Fault {
    from: &'static str,
    kind: Option<Kind>,
    /// Which frame of that kind, from 1, since the fault was set; 0 is every one.
    nth: u64,
    seen: u64,
    spent: bool,
    action: String,
    options: Value,
}

#[derive(Default)]
struct Inner {
    upstream: Option<SocketAddr>,
    faults: Vec<Fault>,
    trace: Vec<Line>,
    lost_lines: u64,
    /// Kinds that passed from clients and, as pushes, from servers.
    kinds: BTreeSet<u16>,
    sockets: Vec<(TcpStream, TcpStream)>,
    /// Frames that are held back wait for this to be cleared.
    holding: bool,
    refusing: bool,
    random: Option<Random>,
}

struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
    begun: Instant,
    over: AtomicBool,
    connections: AtomicU64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A listener that passes on what it gets.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens on a free port, and connects to `upstream` for each connection.
    pub fn start(upstream: SocketAddr, seed: u64) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let inner = Inner {
            upstream: Some(upstream),
            random: Some(Random::new(seed)),
            ..Inner::default()
        };
        let shared = Arc::new(Shared {
            inner: Mutex::new(inner),
            changed: Condvar::new(),
            begun: Instant::now(),
            over: AtomicBool::new(false),
            connections: AtomicU64::new(0),
        });
        std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Ok(Self { address, shared })
    }

    /// Where connections go from now on.
    pub fn redirect(&self, upstream: SocketAddr) {
        self.shared.lock().upstream = Some(upstream);
    }

    /// Sets a fault: `{from, kind?, nth?, do, …}`.
    pub fn fault(&self, description: &Value) -> Result<(), String> {
        let from = match description["from"].as_str() {
            Some("client") | None => "client",
            Some("server") => "server",
            Some(other) => {
                return Err(format!("a fault is from client or server, not {other}"));
            }
        };
        let kind = description.get("kind").map(frames::kind).transpose()?;
        let action = description["do"].as_str().ok_or("a fault says what to do")?;
        if !ACTIONS.contains(&action) {
            return Err(format!("no fault {action}; there are {ACTIONS:?}"));
        }
        let mut inner = self.shared.lock();
        inner.holding |= action == "hold";
        inner.faults.push(Fault {
            from,
            kind,
            nth: description["nth"].as_u64().unwrap_or(1),
            seen: 0,
            spent: false,
            action: action.to_owned(),
            options: description.clone(),
        });
        drop(inner);
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Takes all faults away, and lets go what is held.
    pub fn clear(&self) {
        let mut inner = self.shared.lock();
        inner.faults.clear();
        inner.holding = false;
        inner.refusing = false;
        drop(inner);
        self.shared.changed.notify_all();
    }

    /// Ends every connection; with `reset` by RST.
    pub fn cut(&self, reset: bool) {
        let mut inner = self.shared.lock();
        for (client, server) in inner.sockets.drain(..) {
            end(&client, reset);
            end(&server, reset);
        }
    }

    /// Refuses new connections until the faults are cleared.
    pub fn refuse(&self) {
        self.shared.lock().refusing = true;
    }

    /// How many frames passed that fit: `kind`, `from`, `status`.
    pub fn count(&self, question: &Value) -> u64 {
        let inner = self.shared.lock();
        let fits = |line: &&Line| {
            question["kind"].as_str().is_none_or(|kind| line.kind == kind)
                && question["from"].as_str().is_none_or(|from| line.from == from)
                && question["status"].as_str().is_none_or(|status| line.status == status)
                && question["connection"].as_u64().is_none_or(|it| line.connection == it)
        };
        inner.trace.iter().filter(fits).count() as u64
    }

    /// How many connections were made.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// The trace, and the kinds that passed.
    pub fn take(&self) -> (Vec<Line>, BTreeSet<u16>) {
        let mut inner = self.shared.lock();
        (std::mem::take(&mut inner.trace), std::mem::take(&mut inner.kinds))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        self.clear();
        self.cut(false);
        // Wakes the one who accepts.
        let _ = TcpStream::connect(self.address);
    }
}

const ACTIONS: [&str; 17] = [
    "drop",
    "delay",
    "duplicate",
    "hold",
    "swap",
    "cut",
    "flip",
    "set",
    "error",
    "before",
    "after",
    "slices",
    "throttle",
    "blackhole",
    "half_close",
    "reset",
    "replace",
];

fn end(socket: &TcpStream, reset: bool) {
    if reset {
        // Closing sends RST instead of FIN.
        let _ = socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
    }
    let _ = socket.shutdown(Shutdown::Both);
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.over.load(Ordering::Relaxed) {
            return;
        }
        let Ok(client) = client else { continue };
        let upstream = {
            let inner = shared.lock();
            if inner.refusing {
                end(&client, true);
                continue;
            }
            inner.upstream
        };
        let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let server = upstream.and_then(|to| TcpStream::connect(to).ok());
        let Some(server) = server else {
            end(&client, false);
            continue;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let clones = (client.try_clone(), server.try_clone());
        let more = (client.try_clone(), server.try_clone());
        let ((Ok(client_out), Ok(server_out)), (Ok(a), Ok(b))) = (clones, more) else {
            continue;
        };
        shared.lock().sockets.push((a, b));
        let up = Direction::new("client", number, shared, client, server_out);
        let down = Direction::new("server", number, shared, server, client_out);
        std::thread::spawn(move || up.run());
        std::thread::spawn(move || down.run());
    }
}

/// One way of one connection.
struct Direction {
    from: &'static str,
    connection: u64,
    shared: Arc<Shared>,
    input: TcpStream,
    output: TcpStream,
    swapped: Option<Vec<u8>>,
    blackhole: bool,
    slices: bool,
    bytes_per_second: u64,
    over: bool,
}

impl Direction {
    fn new(
        from: &'static str,
        connection: u64,
        shared: &Arc<Shared>,
        input: TcpStream,
        output: TcpStream,
    ) -> Self {
        let shared = Arc::clone(shared);
        Self {
            from,
            connection,
            shared,
            input,
            output,
            swapped: None,
            blackhole: false,
            slices: false,
            bytes_per_second: 0,
            over: false,
        }
    }

    fn run(mut self) {
        let mut buffer = BytesMut::new();
        let mut chunk = vec![0; 64 << 10];
        let mut preface = false;
        while !self.over {
            match self.input.read(&mut chunk) {
                Ok(len) if len > 0 => buffer.extend_from_slice(&chunk[..len]),
                _ => break,
            }
            self.stream_faults();
            if !preface {
                if buffer.len() < 8 && b"TIDE".starts_with(&buffer[..buffer.len().min(4)]) {
                    continue;
                }
                preface = true;
                if buffer.starts_with(b"TIDE") {
                    let head = buffer.split_to(8);
                    self.write(&head);
                }
            }
            while !self.over
                && let Some(frame) = frames::split(&mut buffer)
            {
                self.pass(frame);
            }
            // What is no frame goes on as it is.
            let size = buffer.first_chunk().map_or(32, |bytes| u32::from_le_bytes(*bytes));
            if !(32..=64 << 20).contains(&size) {
                let rest = std::mem::take(&mut buffer);
                self.write(&rest);
            }
        }
        if !self.over {
            let rest = std::mem::take(&mut buffer);
            self.write(&rest);
        }
        let _ = self.output.shutdown(Shutdown::Write);
    }

    /// Faults of the stream rather than of a frame.
    fn stream_faults(&mut self) {
        let mut inner = self.shared.lock();
        for fault in &mut inner.faults {
            if fault.from != self.from || fault.kind.is_some() || fault.spent {
                continue;
            }
            match fault.action.as_str() {
                "slices" => self.slices = true,
                "throttle" => {
                    self.bytes_per_second =
                        fault.options["bytes_per_second"].as_u64().unwrap_or(10_000);
                }
                "blackhole" => self.blackhole = true,
                _ => {}
            }
        }
    }

    /// The fault that is due for a frame of this kind.
    fn due(&self, kind: Kind) -> Option<Fault> {
        let mut inner = self.shared.lock();
        for fault in &mut inner.faults {
            if fault.from != self.from || fault.kind != Some(kind) || fault.spent {
                continue;
            }
            fault.seen += 1;
            if fault.nth == 0 || fault.seen == fault.nth {
                fault.spent = fault.nth != 0;
                return Some(fault.clone());
            }
        }
        None
    }

    fn pass(&mut self, mut frame: Vec<u8>) {
        let header = frames::header(&frame);
        let fault = self.due(header.kind);
        let what = fault.as_ref().map(|fault| fault.action.clone()).unwrap_or_default();
        self.note(&frame, &what);
        let Some(fault) = fault else {
            self.write(&frame);
            if let Some(swapped) = self.swapped.take() {
                self.write(&swapped);
            }
            return;
        };
        let options = &fault.options;
        let like = Defaults {
            kind: header.kind,
            flags: header.flags.0,
            correlation: header.correlation,
            channel: header.channel,
        };
        let made = |value: &Value| frames::frame(value, like).unwrap_or_default();
        match fault.action.as_str() {
            "drop" => {}
            "delay" => {
                let ms = options["ms"].as_u64().unwrap_or(100);
                std::thread::sleep(Duration::from_millis(ms));
                self.write(&frame);
            }
            "duplicate" => {
                self.write(&frame);
                self.write(&frame);
            }
            "hold" => {
                let mut inner = self.shared.lock();
                while inner.holding && !self.shared.over.load(Ordering::Relaxed) {
                    inner =
                        self.shared.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
                }
                drop(inner);
                self.write(&frame);
            }
            "swap" => self.swapped = Some(frame),
            "cut" | "reset" | "half_close" => {
                let at = options["at"].as_u64().map_or(0, |at| at as usize).min(frame.len());
                self.write(&frame[..at]);
                if options["after"] == true {
                    self.write(&frame[at..]);
                }
                if fault.action == "half_close" {
                    let _ = self.output.shutdown(Shutdown::Write);
                } else {
                    let reset = fault.action == "reset";
                    end(&self.output, reset);
                    end(&self.input, reset);
                }
                self.over = true;
            }
            "flip" => {
                let bits = frame.len() as u64 * 8;
                let bit = options["bit"].as_u64().unwrap_or_else(|| {
                    let mut inner = self.shared.lock();
                    inner.random.as_mut().map_or(0, |random| random.below(bits))
                });
                let bit = bit.min(bits - 1) as usize;
                frame[bit / 8] ^= 1 << (bit % 8);
                self.write(&frame);
            }
            "set" => {
                let rewritten = rewrite(&frame, options);
                self.write(&rewritten);
            }
            "error" => {
                let mut reply = serde_json::Map::new();
                reply.insert("error".into(), options["error"].clone());
                let reply = made(&Value::Object(reply));
                self.write(&reply);
            }
            "replace" => {
                let other = made(&options["frame"]);
                self.write(&other);
            }
            "before" => {
                let other = made(&options["frame"]);
                self.write(&other);
                self.write(&frame);
            }
            "after" => {
                self.write(&frame);
                let other = made(&options["frame"]);
                self.write(&other);
            }
            "blackhole" => self.blackhole = true,
            "slices" => {
                self.slices = true;
                self.write(&frame);
            }
            _ => self.write(&frame),
        }
    }

    fn note(&self, frame: &[u8], fault: &str) {
        let header = frames::header(frame);
        let reply = header.flags.0 & Flags::RESPONSE.0 != 0;
        let status =
            if reply { frames::code_name(Code(header.aux as u16)) } else { String::new() };
        let mut inner = self.shared.lock();
        if self.from == "client" || !reply {
            inner.kinds.insert(header.kind.0);
        }
        if inner.trace.len() >= MAX_TRACE {
            inner.lost_lines += 1;
            return;
        }
        inner.trace.push(Line {
            at_us: self.shared.begun.elapsed().as_micros() as u64,
            connection: self.connection,
            from: self.from,
            kind: frames::kind_name(header.kind),
            reply,
            correlation: header.correlation,
            channel: header.channel,
            status,
            size: frame.len(),
            fault: fault.to_owned(),
        });
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.blackhole || self.over || bytes.is_empty() {
            return;
        }
        let sent = if self.slices {
            bytes.iter().try_for_each(|byte| self.output.write_all(std::slice::from_ref(byte)))
        } else if self.bytes_per_second > 0 {
            let piece = (self.bytes_per_second / 50).max(1) as usize;
            bytes.chunks(piece).try_for_each(|chunk| {
                std::thread::sleep(Duration::from_millis(20));
                self.output.write_all(chunk)
            })
        } else {
            self.output.write_all(bytes)
        };
        if sent.is_err() {
            self.over = true;
        }
    }
}

/// A frame with other fields in its header, and a right checksum: `kind`, `version`, `flags`,
/// `correlation`, `add_correlation`, `channel`, `status`, `disposition`.
fn rewrite(frame: &[u8], options: &Value) -> Vec<u8> {
    let mut header = frames::header(frame);
    if let Some(kind) = options.get("to_kind").and_then(|kind| frames::kind(kind).ok()) {
        header.kind = kind;
    }
    if let Some(version) = options["version"].as_u64() {
        header.kind_version = version as u8;
    }
    if let Some(flags) = options["flags"].as_u64() {
        header.flags = Flags(flags as u8);
    }
    if let Some(more) = options["add_correlation"].as_u64() {
        header.correlation = header.correlation.wrapping_add(more);
    }
    if let Some(channel) = options["channel"].as_u64() {
        header.channel = channel as u32;
    }
    if let Some(disposition) = options["disposition"].as_u64() {
        header.aux = header.aux & 0xFFFF | (disposition as u32) << 16;
    }
    let meta_end = (32 + header.meta_len as usize).min(frame.len());
    let mut out = header.encode(&frame[32..meta_end]).to_vec();
    out.extend_from_slice(&frame[32..]);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A server that sends back what it gets.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut out = socket.try_clone().expect("a socket");
                    let _ = std::io::copy(&mut &socket, &mut out);
                    let _ = out.shutdown(Shutdown::Write);
                });
            }
        });
        address
    }

    fn ping(correlation: u64) -> Vec<u8> {
        let defaults = Defaults { kind: Kind::PING, flags: 0, correlation, channel: 0 };
        frames::frame(&json!({}), defaults).expect("a frame")
    }

    fn exchange(proxy: &Proxy, frames: &[Vec<u8>]) -> Vec<u8> {
        let mut socket = TcpStream::connect(proxy.address).expect("the proxy listens");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
        let mut bytes = b"TIDE\x01\0\0\0".to_vec();
        bytes.extend(frames.concat());
        socket.write_all(&bytes).expect("connected");
        let _ = socket.shutdown(Shutdown::Write);
        let mut back = Vec::new();
        let _ = socket.read_to_end(&mut back);
        back
    }

    fn with(fault: Value) -> Vec<u8> {
        let proxy = Proxy::start(echo(), 1).expect("a port");
        proxy.fault(&fault).expect("a fault");
        exchange(&proxy, &[ping(1), ping(2)])
    }

    fn whole(frames: &[Vec<u8>]) -> Vec<u8> {
        [&b"TIDE\x01\0\0\0"[..], &frames.concat()].concat()
    }

    #[test]
    fn without_a_fault_what_goes_in_comes_out() {
        let proxy = Proxy::start(echo(), 1).expect("a port");
        assert_eq!(exchange(&proxy, &[ping(1), ping(2)]), whole(&[ping(1), ping(2)]));
        assert_eq!(proxy.count(&json!({"kind": "PING", "from": "client"})), 2);
    }

    #[test]
    fn frames_are_dropped_duplicated_and_swapped_by_number() {
        let at = |action: &str, nth: u64| {
            with(json!({"from": "client", "kind": "PING", "nth": nth, "do": action}))
        };
        assert_eq!(at("drop", 1), whole(&[ping(2)]));
        assert_eq!(at("drop", 2), whole(&[ping(1)]));
        assert_eq!(at("duplicate", 1), whole(&[ping(1), ping(1), ping(2)]));
        assert_eq!(at("swap", 1), whole(&[ping(2), ping(1)]));
        assert_eq!(at("drop", 0), whole(&[]));
    }

    #[test]
    fn a_connection_is_cut_within_a_frame() {
        let back = with(json!({"kind": "PING", "nth": 2, "do": "half_close", "at": 5}));
        assert_eq!(back, [&whole(&[ping(1)])[..], &ping(2)[..5]].concat());
    }

    #[test]
    fn a_bit_is_flipped_and_slices_change_nothing() {
        let back = with(json!({"kind": "PING", "do": "flip", "bit": 64}));
        assert_eq!(back[8 + 8], 0, "correlation 1 became 0");
        let back = with(json!({"do": "slices"}));
        assert_eq!(back, whole(&[ping(1), ping(2)]));
    }
}

//! Playing one case: its server, proxy and adapters, its steps, and whether each went as expected.
//!
//! Owns what a step means; what it is compared with is the case's. Pairs of languages are `round`'s.
//! The one invariant: whatever happens, everything that was started is ended, and the log says
//! which step it was.

pub mod round;

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Map, Value, json};
use tidewire_protocol::error::Code;

use crate::adapter::{Adapter, Launch};
use crate::case::{Body, Case, Step};
use crate::disk;
use crate::fake::Fake;
use crate::frames;
use crate::proxy::{Line, Proxy};
use crate::server::Server;
use crate::value::{self, Variables};

/// Where things are, and how long they may take.
#[derive(Clone, Debug)]
pub struct World {
    /// The `tidewire` binary.
    pub binary: PathBuf,
    /// Where data directories are made.
    pub place: PathBuf,
    pub patience: Duration,
    pub seed: u64,
}

/// What a case came to, before known failures are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Pass,
    Fail(String),
    Unsupported(String),
}

/// One step as it went.
#[derive(Clone, Debug, Serialize)]
pub struct Played {
    pub step: String,
    pub answer: String,
    pub fault: Option<String>,
}

/// What was reached, for coverage.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    /// Kinds of frames that passed.
    pub kinds: BTreeSet<u16>,
    /// Options that were given and taken, `scope.name`.
    pub options: BTreeSet<String>,
    /// Errors that an adapter reported.
    pub errors: BTreeSet<u16>,
}

/// A case as it went.
#[derive(Clone, Debug)]
pub struct Record {
    pub outcome: Outcome,
    pub steps: Vec<Played>,
    pub trace: Vec<Line>,
    /// Stderr of the adapters.
    pub stderr: String,
    pub server_log: String,
    pub took: Duration,
    pub reached: Reached,
}

/// Why a step did not go well.
enum Stop {
    Fault(String),
    Unsupported(String),
}

impl From<String> for Stop {
    fn from(fault: String) -> Self {
        Self::Fault(fault)
    }
}

impl From<&str> for Stop {
    fn from(fault: &str) -> Self {
        Self::Fault(fault.to_owned())
    }
}

struct Player<'a> {
    world: &'a World,
    case: &'a Case,
    adapters: Vec<Adapter>,
    server: Option<Server>,
    proxy: Option<Proxy>,
    fake: Option<Fake>,
    variables: Variables,
    kept: HashMap<String, Vec<Value>>,
    /// Requests whose answer is awaited later: adapter, id, step.
    started: HashMap<String, (usize, u64, Step)>,
    steps: Vec<Played>,
    reached: Reached,
}

/// Plays a case through one adapter, or two.
pub fn play(world: &World, case: &Case, launches: &[&Launch]) -> Record {
    let begun = Instant::now();
    let mut player = Player::new(world, case);
    let outcome = outcome(player.run(launches));
    let mut stderr = String::new();
    for adapter in &mut player.adapters {
        if matches!(outcome, Outcome::Fail(_)) {
            // What it has written a moment ago is to be seen too.
            std::thread::sleep(Duration::from_millis(20));
        }
        adapter.stop();
        stderr.push_str(&adapter.stderr());
    }
    let trace = player.trace();
    let server_log = player.server.as_ref().map(Server::log).unwrap_or_default();
    Record {
        outcome,
        steps: player.steps,
        trace,
        stderr,
        server_log,
        took: begun.elapsed(),
        reached: player.reached,
    }
}

fn outcome(result: Result<(), Stop>) -> Outcome {
    match result {
        Ok(()) => Outcome::Pass,
        Err(Stop::Fault(fault)) => Outcome::Fail(fault),
        Err(Stop::Unsupported(what)) => Outcome::Unsupported(what),
    }
}

impl<'a> Player<'a> {
    fn new(world: &'a World, case: &'a Case) -> Self {
        Self {
            world,
            case,
            adapters: Vec::new(),
            server: None,
            proxy: None,
            fake: None,
            variables: Variables::new(),
            kept: HashMap::new(),
            started: HashMap::new(),
            steps: Vec::new(),
            reached: Reached::default(),
        }
    }

    fn run(&mut self, launches: &[&Launch]) -> Result<(), Stop> {
        let Body::Steps { steps, .. } = &self.case.body else {
            return Err("an attack has no steps".into());
        };
        for launch in launches {
            let adapter = self.adapter(launch)?;
            self.adapters.push(adapter);
        }
        self.prepare()?;
        self.steps(steps, 0)
    }

    /// Starts an adapter, if it has what the case needs.
    fn adapter(&self, launch: &Launch) -> Result<Adapter, Stop> {
        let adapter = Adapter::start(launch, self.world.patience)?;
        for need in &self.case.needs {
            if !adapter.has(need) {
                return Err(Stop::Unsupported(format!("{} has no {need}", launch.name)));
            }
        }
        Ok(adapter)
    }

    /// Starts the server, or the scripted one, and the proxy before it.
    fn prepare(&mut self) -> Result<(), Stop> {
        let Body::Steps { fake, .. } = &self.case.body else { return Ok(()) };
        let upstream: SocketAddr = match fake {
            Some(script) => {
                let fake = Fake::start(script)?;
                let address = fake.address;
                self.fake = Some(fake);
                address
            }
            None => {
                let spec = &self.case.server;
                let server = Server::start(&self.world.binary, &self.world.place, spec)?;
                let address = server.address;
                self.server = Some(server);
                address
            }
        };
        let proxy = Proxy::start(upstream, self.world.seed)?;
        let url = format!("tidewire://{}", proxy.address);
        if let Some(server) = self.server.as_ref().filter(|_| self.case.server.secured) {
            let token = server.root_token()?;
            let file = server.data().join("root.token");
            std::fs::write(&file, format!("{token}\n")).map_err(|error| error.to_string())?;
            let root = format!("tidewire://root:{token}@{}", proxy.address);
            self.variables.insert("root".into(), json!(root));
            self.variables.insert("root_token_file".into(), json!(file));
        }
        self.variables.insert("url".into(), json!(url));
        self.variables.insert("proxy".into(), json!(proxy.address.to_string()));
        if let Some(server) = &self.server {
            let (cert, key) = ("self-signed.pem", "self-signed.key");
            self.variables.insert("tls".into(), json!(format!("tidewire+tls://{upstream}")));
            self.variables.insert("tls_cert".into(), json!(server.data().join(cert)));
            self.variables.insert("tls_key".into(), json!(server.data().join(key)));
        }
        for (name, id, bytes) in ENCRYPTION_KEYS {
            self.variables.insert(name.into(), json!(encryption_key(id, bytes)));
        }
        if let Some(server) = &self.server {
            let file = server.data().with_file_name("encryption-keys");
            let [(_, one, first), (_, two, second), ..] = ENCRYPTION_KEYS;
            let keys = format!(
                "# both\n{}\n{}\n",
                encryption_key(one, first),
                encryption_key(two, second)
            );
            std::fs::write(&file, keys).map_err(|error| error.to_string())?;
            self.variables.insert("encryption_key_file".into(), json!(file));
        }
        self.variables.insert("direct".into(), json!(format!("tidewire://{upstream}")));
        // A port where nobody listens: bound once, and let go.
        let dead = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(|error| error.to_string())?;
        self.variables.insert("dead".into(), json!(dead.to_string()));
        self.proxy = Some(proxy);
        // Names at the limit of 255 bytes, and past it.
        for (name, text) in [
            ("x255", "x".repeat(255)),
            ("x256", "x".repeat(256)),
            ("u127", "é".repeat(127)),
            ("u128", "é".repeat(128)),
        ] {
            self.variables.insert(name.into(), json!(text));
        }
        Ok(())
    }

    /// Plays steps, of which the first is the case's `before`-th, from 0.
    fn steps(&mut self, steps: &[Step], before: usize) -> Result<(), Stop> {
        for (at, step) in steps.iter().enumerate() {
            for i in 0..step.repeat {
                self.variables.insert("i".into(), json!(i));
                self.step(step).map_err(|stop| match stop {
                    Stop::Fault(fault) => {
                        Stop::Fault(format!("step {}, {}: {fault}", before + at + 1, step.op))
                    }
                    other => other,
                })?;
            }
        }
        if let Some(died) = self.server.as_mut().and_then(Server::has_died) {
            return Err(Stop::Fault(died));
        }
        Ok(())
    }

    /// What passed the proxy since it was asked last; the kinds are counted as reached.
    fn trace(&mut self) -> Vec<Line> {
        let (trace, kinds) = self.proxy.as_ref().map(Proxy::take).unwrap_or_default();
        self.reached.kinds.extend(kinds);
        trace
    }

    /// Plays one step, and writes down how it went.
    fn step(&mut self, step: &Step) -> Result<(), Stop> {
        let deadline = Instant::now() + self.world.patience;
        loop {
            let (shown, answer, outcome) = self.attempt(step);
            if step.until && matches!(outcome, Err(Stop::Fault(_))) && Instant::now() < deadline
            {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            let fault = match &outcome {
                Err(Stop::Fault(fault)) => Some(fault.clone()),
                _ => None,
            };
            if self.steps.len() < 200 || fault.is_some() {
                self.steps.push(Played { step: cut(&shown), answer: cut(&answer), fault });
            }
            return outcome;
        }
    }

    fn attempt(&mut self, step: &Step) -> (String, String, Result<(), Stop>) {
        // A template of records has `${i}` of its own.
        let mut plain = step.args.clone();
        let records = plain.as_object_mut().and_then(|map| map.remove("records"));
        let args = match value::substitute(&plain, &self.variables) {
            Ok(mut args) => {
                if let (Some(map), Some(records)) = (args.as_object_mut(), records) {
                    map.insert("records".into(), records);
                }
                args
            }
            Err(fault) => return (step.op.clone(), String::new(), Err(fault.into())),
        };
        let shown = format!("{} {args}", step.op);
        match self.own(step, &args) {
            Some(Ok(answer)) => {
                let outcome = self.judge(step, &answer);
                (shown, answer.to_string(), outcome)
            }
            Some(Err(stop)) => (shown, String::new(), Err(stop)),
            None => match self.tell(step, &args) {
                Ok((request, Some(answer))) => {
                    let outcome = self.judge(step, &answer);
                    (request, answer.to_string(), outcome)
                }
                Ok((request, None)) => (request, "(under way)".into(), Ok(())),
                Err(stop) => (shown, String::new(), Err(stop)),
            },
        }
    }

    /// The runner's own steps.
    fn own(&mut self, step: &Step, args: &Value) -> Option<Result<Value, Stop>> {
        let proxy = self.proxy.as_ref()?;
        let done = |result: Result<(), String>| {
            Some(result.map(|()| json!({"ok": {}})).map_err(Stop::Fault))
        };
        let server = |player: &mut Self, what: fn(&mut Server) -> Result<(), String>| {
            let server = player.server.as_mut().ok_or("the case has no server")?;
            what(server)?;
            let address = server.address;
            if let Some(proxy) = &player.proxy {
                proxy.redirect(address);
            }
            Ok(())
        };
        match step.op.as_str() {
            "fault" => done(proxy.fault(args)),
            "clear_faults" => {
                proxy.clear();
                done(Ok(()))
            }
            "cut" => {
                proxy.cut(args["reset"] == true);
                done(Ok(()))
            }
            "refuse" => {
                proxy.refuse();
                done(Ok(()))
            }
            "wire" => {
                let count = proxy.count(args);
                let connections = proxy.connections();
                Some(Ok(json!({"ok": {"count": count, "connections": connections}})))
            }
            "sleep_ms" => {
                std::thread::sleep(Duration::from_millis(args.as_u64().unwrap_or(0)));
                done(Ok(()))
            }
            "server.kill" => done(server(self, |server| {
                server.kill();
                Ok(())
            })),
            "server.stop" => done(server(self, |server| {
                server.ask_to_stop();
                server.wait()
            })),
            "server.ask_to_stop" => done(server(self, |server| {
                server.ask_to_stop();
                Ok(())
            })),
            "server.start" => done(server(self, Server::launch)),
            "server.restart" => done(server(self, |server| {
                server.kill();
                server.launch()
            })),
            "server.damage" => {
                let data = match &self.server {
                    Some(server) => server.data(),
                    None => return done(Err("the case has no server".into())),
                };
                done(disk::damage(&data, args))
            }
            "server.search" => {
                let data = match &self.server {
                    Some(server) => server.data(),
                    None => return done(Err("the case has no server".into())),
                };
                let text = args["text"].as_str().unwrap_or_default();
                if text.is_empty() {
                    return done(Err("server.search needs a text".into()));
                }
                let found = disk::holds(&data, text.as_bytes());
                Some(found.map(|found| json!({"ok": {"found": found}})).map_err(Stop::Fault))
            }
            "await" => {
                let name = args.as_str().unwrap_or_default();
                let Some((adapter, id, started)) = self.started.remove(name) else {
                    return done(Err(format!("nothing was started as {name}")));
                };
                let answer = match self.adapters.get_mut(adapter) {
                    Some(adapter) => adapter.wait(id),
                    None => Err("no such adapter".into()),
                };
                Some(
                    answer.map_err(Stop::Fault).inspect(|answer| self.credit(&started, answer)),
                )
            }
            "pending" => {
                let name = args.as_str().unwrap_or_default();
                let Some((adapter, id, _)) = self.started.get(name) else {
                    return done(Err(format!("nothing was started as {name}")));
                };
                let answered = match self.adapters.get_mut(*adapter) {
                    Some(adapter) => adapter.is_answered(*id),
                    None => Err("no such adapter".into()),
                };
                Some(answered.map(|is| json!({"ok": {"pending": !is}})).map_err(Stop::Fault))
            }
            "kept" => Some(Ok(
                json!({"ok": {"kept": self.kept.get(args.as_str().unwrap_or_default())}}),
            )),
            _ => None,
        }
    }

    /// Tells an adapter what to do.
    fn tell(&mut self, step: &Step, args: &Value) -> Result<(String, Option<Value>), Stop> {
        let at = usize::from(step.on.as_deref() == Some("b"));
        let args = self.arguments(step, args)?;
        let shown = format!("{} {args}", step.op);
        let concurrent = step.start.is_some() || !self.started.is_empty();
        let adapter = self.adapters.get_mut(at).ok_or("the case has one adapter")?;
        if concurrent && !adapter.has("concurrent") {
            return Err(Stop::Unsupported("the adapter has no concurrent".into()));
        }
        let id = adapter.send(&step.op, args.clone())?;
        if let Some(name) = &step.start {
            let mut started = step.clone();
            started.args = args;
            self.started.insert(name.clone(), (at, id, started));
            return Ok((shown, None));
        }
        let answer = adapter.wait(id)?;
        let mut told = step.clone();
        told.args = args;
        self.credit(&told, &answer);
        Ok((shown, Some(answer)))
    }

    /// The arguments of an operation, with the names that a case leaves out and bytes in the form
    /// that adapters get.
    fn arguments(&mut self, step: &Step, args: &Value) -> Result<Value, String> {
        let mut out = args.as_object().cloned().unwrap_or_default();
        let mut default = |name: &str, value: &str| {
            out.entry(name).or_insert_with(|| json!(value));
        };
        match step.op.as_str() {
            "connect" => {
                default("client", "c");
                let url = self.variables.get("url").and_then(Value::as_str).unwrap_or_default();
                default("url", url);
            }
            "producer.open" => {
                default("client", "c");
                default("producer", "p");
            }
            "consumer.open" => {
                default("client", "c");
                default("consumer", "r");
            }
            "cancel" => {
                let name =
                    out.get("what").and_then(Value::as_str).unwrap_or_default().to_owned();
                let (_, id, _) = self
                    .started
                    .get(&name)
                    .ok_or_else(|| format!("nothing started as {name}"))?;
                return Ok(json!({"request": id}));
            }
            "producer.list" | "producer.forget" => default("client", "c"),
            op if op.starts_with("producer.") => default("producer", "p"),
            op if op.starts_with("consumer.") => {
                default("consumer", "r");
                if matches!(
                    op,
                    "consumer.next_batch" | "consumer.next_record" | "consumer.read"
                ) {
                    out.entry("timeout_ms").or_insert_with(|| json!(10_000));
                }
            }
            "events.next" => {
                default("client", "c");
                out.entry("timeout_ms").or_insert_with(|| json!(10_000));
            }
            _ => default("client", "c"),
        }
        if step.op == "stream.delete" {
            out.entry("with_topics").or_insert(json!(false));
        }
        let mut records = Vec::new();
        if let Some(record) = out.get("record").filter(|_| step.op.starts_with("producer.")) {
            let record = value::record_argument(record);
            records.push(record.clone());
            out.insert("record".into(), record);
        }
        if let Some(list) = out.get("records") {
            records = value::records_argument(list, &self.variables)?;
            out.insert("records".into(), Value::Array(records.clone()));
        }
        if let Some(name) = &step.keep {
            self.kept.entry(name.clone()).or_default().extend(records);
        }
        Ok(Value::Object(out))
    }

    /// Counts what an answer shows to have been reached.
    fn credit(&mut self, step: &Step, answer: &Value) {
        let mut errors = Vec::new();
        if let Some(code) = answer["err"]["code"].as_u64() {
            errors.push(code);
        }
        for receipt in answer["ok"]["receipts"].as_array().into_iter().flatten() {
            errors.extend(receipt["error"]["code"].as_u64());
        }
        errors.extend(answer["ok"]["event"]["error"]["code"].as_u64());
        self.reached.errors.extend(errors.into_iter().map(|code| code as u16));
        let scope = match step.op.as_str() {
            "connect" => "client",
            "producer.open" => "producer",
            "consumer.open" => "consumer",
            "topic.create" => "topic",
            _ => return,
        };
        if answer.get("ok").is_some() {
            let names = step.args["options"].as_object().map(Map::keys);
            let names = names.into_iter().flatten().map(|name| format!("{scope}.{name}"));
            self.reached.options.extend(names);
        }
    }

    /// Compares an answer with what the step expects.
    fn judge(&mut self, step: &Step, answer: &Value) -> Result<(), Stop> {
        if let Some(what) = answer["unsupported"].as_str() {
            return Err(Stop::Unsupported(what.to_owned()));
        }
        if let Some(what) = answer["fail"].as_str() {
            return Err(Stop::Fault(format!("the adapter failed: {what}")));
        }
        check_error_form(answer)?;
        if let Some(wanted) = &step.error {
            let wanted = value::substitute(wanted, &self.variables)?;
            return self.judge_error(&wanted, answer);
        }
        if answer["cancelled"] == true {
            let wanted = step.expect.as_ref().is_some_and(|expect| expect["cancelled"] == true);
            return if wanted { Ok(()) } else { Err("it was cancelled".into()) };
        }
        if answer.get("err").is_some() {
            return Err(Stop::Fault(format!(
                "expected success, got {}",
                named(&answer["err"])
            )));
        }
        let ok = &answer["ok"];
        if matches!(step.op.as_str(), "producer.send_many" | "producer.wait") {
            check_receipts(step, &self.variables, ok)?;
        }
        if let Some(expect) = &step.expect {
            let expect = value::substitute(expect, &self.variables)?;
            value::check(&expect, ok, &self.kept, "answer")?;
        }
        for (name, path) in &step.save {
            let mut found = ok;
            for part in path.as_str().unwrap_or_default().split('.').filter(|p| !p.is_empty()) {
                found = match part.parse::<usize>() {
                    Ok(index) if found.is_array() => &found[index],
                    _ => &found[part],
                };
            }
            self.variables.insert(name.clone(), found.clone());
        }
        Ok(())
    }

    /// `NAME`, a list of names, or `{code, says, disposition, offsets}`.
    fn judge_error(&self, wanted: &Value, answer: &Value) -> Result<(), Stop> {
        let error = &answer["err"];
        if error.is_null() {
            return Err(Stop::Fault(format!("expected the error {wanted}, got {answer}")));
        }
        let code = error["code"].as_u64().unwrap_or_default();
        let names: Vec<&Value> = match wanted {
            Value::Array(names) => names.iter().collect(),
            Value::Object(map) => match map.get("code") {
                Some(Value::Array(names)) => names.iter().collect(),
                name => name.into_iter().collect(),
            },
            name => vec![name],
        };
        let mut fits = names.is_empty();
        for name in &names {
            fits |= u64::from(frames::code(name)?.0) == code;
        }
        if !fits {
            return Err(Stop::Fault(format!("expected {wanted}, got {}", named(error))));
        }
        if let Some(says) = wanted["says"].as_str()
            && !error["message"].as_str().is_some_and(|text| text.contains(says))
        {
            return Err(Stop::Fault(format!(
                "expected a text with {says:?}, got {}",
                error["message"]
            )));
        }
        for part in ["disposition", "kind", "offsets"] {
            if let Some(wanted) = wanted.get(part) {
                value::check(wanted, &error[part], &self.kept, &format!("error.{part}"))?;
            }
        }
        Ok(())
    }
}

/// What holds for every error that an SDK reports, whatever the case: its class is the table's,
/// and RETRIABLE and OUTCOME_UNKNOWN exclude each other (E-5).
fn check_error_form(answer: &Value) -> Result<(), String> {
    let receipts = answer["ok"]["receipts"].as_array().into_iter().flatten();
    let errors = receipts.map(|receipt| &receipt["error"]).chain([&answer["err"]]);
    for error in errors.filter(|error| error.is_object()) {
        let code = Code(error["code"].as_u64().unwrap_or_default() as u16);
        if let (Some(kind), Some(info)) = (error["kind"].as_str(), code.info()) {
            let class = snake(&format!("{:?}", info.class));
            if class != kind {
                return Err(format!("{} is of the class {class}, not {kind}", named(error)));
            }
        }
        let disposition = error["disposition"].as_u64().unwrap_or_default();
        if disposition & 3 == 3 {
            return Err(format!("{} is both retriable and of unknown outcome", named(error)));
        }
        if error["message"].as_str().is_none_or(str::is_empty) {
            return Err(format!("{} has no text", named(error)));
        }
    }
    Ok(())
}

/// One outcome for each record; and a success, unless the case looks at them itself.
fn check_receipts(step: &Step, variables: &Variables, ok: &Value) -> Result<(), String> {
    let receipts = ok["receipts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let count = match step.op.as_str() {
        "producer.send_many" => {
            value::records_argument(&step.args["records"], variables)?.len()
        }
        _ => match value::substitute(&step.args["tickets"], variables)? {
            Value::Array(tickets) => tickets.len(),
            _ => receipts.len(),
        },
    };
    if receipts.len() != count {
        return Err(format!("{} outcomes for {count} records", receipts.len()));
    }
    if step.expect.is_some() {
        return Ok(());
    }
    match receipts.iter().find(|receipt| receipt["error"].is_object()) {
        Some(failed) => Err(format!("a record failed: {}", named(&failed["error"]))),
        None => Ok(()),
    }
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (i, letter) in name.char_indices() {
        if letter.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// Keys of encrypted batches that cases know by a name: number, and the byte that they are made of.
const ENCRYPTION_KEYS: [(&str, u32, u8); 3] =
    [("key_1", 1, 0xa1), ("key_2", 2, 0xb2), ("other_key_1", 1, 0xc1)];

fn encryption_key(id: u32, byte: u8) -> String {
    format!("twk_{id}_{}", format!("{byte:02x}").repeat(32))
}

fn named(error: &Value) -> String {
    let code = Code(error["code"].as_u64().unwrap_or_default() as u16);
    format!("{} ({error})", frames::code_name(code))
}

/// A text that is not too long for a report.
fn cut(text: &str) -> String {
    if text.len() <= 2_000 {
        return text.to_owned();
    }
    text.chars().take(2_000).collect::<String>() + "…"
}

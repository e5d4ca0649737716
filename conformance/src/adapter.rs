//! An adapter: a process that is told what to do, one line at a time.
//!
//! Owns the process, its lines and its stderr; what the answers should be is `play`'s. The one
//! invariant: whatever the process does — dies, hangs, speaks nonsense — is a text to report, and
//! never stops the run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Version of the lines that this runner speaks.
pub const PROTOCOL: u64 = 1;
/// Bytes of an adapter's stderr that are kept.
const MAX_STDERR: usize = 64 << 10;
/// Longest line of an adapter, in bytes.
const MAX_LINE: u64 = 64 << 20;

/// How to start an adapter.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Its name in reports.
    pub name: String,
    pub command: Vec<String>,
    /// A program that it needs and this machine has not.
    pub lacks: Option<String>,
}

/// A running adapter.
pub struct Adapter {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Arc<Mutex<String>>,
    next_id: u64,
    pending: HashMap<u64, String>,
    answers: BTreeMap<u64, Value>,
    answered: HashSet<u64>,
    patience: Duration,
    /// What `hello` said.
    pub hello: Value,
}

static ANSWER_SCHEMA: LazyLock<Option<jsonschema::Validator>> = LazyLock::new(|| {
    let mut schema: Value =
        serde_json::from_str(include_str!("../schema/adapter.schema.json")).ok()?;
    let map = schema.as_object_mut()?;
    map.remove("oneOf");
    map.insert("$ref".into(), json!("#/$defs/answer"));
    jsonschema::validator_for(&schema).ok()
});

impl Adapter {
    /// Starts an adapter and asks what it is.
    pub fn start(launch: &Launch, patience: Duration) -> Result<Self, String> {
        let (program, arguments) =
            launch.command.split_first().ok_or("the adapter has no command")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // What the environment says is no part of a case.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TIDEWIRE_") {
                command.env_remove(name);
            }
        }
        let mut child = command.spawn().map_err(|error| {
            format!("the adapter {} could not be started ({program}): {error}", launch.name)
        })?;
        let stderr = Arc::new(Mutex::new(String::new()));
        let (Some(stdin), Some(stdout), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err("the adapter has no pipes".into());
        };
        std::thread::spawn({
            let stderr = Arc::clone(&stderr);
            move || {
                for line in BufReader::new(errors).lines().map_while(Result::ok) {
                    let mut kept = stderr.lock().unwrap_or_else(PoisonError::into_inner);
                    if kept.len() + line.len() < MAX_STDERR {
                        kept.push_str(&line);
                        kept.push('\n');
                    }
                }
            }
        });
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            loop {
                let mut line = Vec::new();
                match (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line) {
                    Ok(len) if len > 0 => {
                        if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                            return;
                        }
                    }
                    _ => return,
                }
            }
        });
        let mut adapter = Self {
            child,
            stdin: Some(stdin),
            lines,
            stderr,
            next_id: 1,
            pending: HashMap::new(),
            answers: BTreeMap::new(),
            answered: HashSet::new(),
            patience,
            hello: Value::Null,
        };
        let id = adapter.send("hello", json!({"protocol": PROTOCOL}))?;
        let answer = adapter.wait(id)?;
        if answer["ok"]["protocol"] != PROTOCOL {
            return Err(format!("the adapter does not speak protocol {PROTOCOL}: {answer}"));
        }
        adapter.hello = answer["ok"].clone();
        Ok(adapter)
    }

    pub fn has(&self, feature: &str) -> bool {
        self.hello["features"]
            .as_array()
            .is_some_and(|all| all.iter().any(|each| each == feature))
    }

    /// Sends a request.
    pub fn send(&mut self, op: &str, args: Value) -> Result<u64, String> {
        let id = self.next_id;
        self.next_id += 1;
        let line = format!("{}\n", json!({"id": id, "op": op, "args": args}));
        self.pending.insert(id, op.to_owned());
        let stdin = self.stdin.as_mut().ok_or("the adapter was closed")?;
        if let Err(error) = stdin.write_all(line.as_bytes()).and_then(|()| stdin.flush()) {
            return Err(format!("the adapter takes no more requests ({error}){}", self.end()));
        }
        Ok(id)
    }

    /// Waits for the answer to a request.
    pub fn wait(&mut self, id: u64) -> Result<Value, String> {
        let deadline = Instant::now() + self.patience;
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return Ok(answer);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.take(&line)?,
                Err(RecvTimeoutError::Timeout) => {
                    let op = self.pending.get(&id).cloned().unwrap_or_default();
                    return Err(format!(
                        "the adapter did not answer {op} within {} ms: it hangs",
                        self.patience.as_millis()
                    ));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("the adapter has ended{}", self.end()));
                }
            }
        }
    }

    /// Whether a request was answered by now.
    pub fn is_answered(&mut self, id: u64) -> Result<bool, String> {
        while let Ok(line) = self.lines.try_recv() {
            self.take(&line)?;
        }
        Ok(self.answers.contains_key(&id))
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let shown: String = line.trim().chars().take(300).collect();
        let answer: Value = serde_json::from_str(line)
            .map_err(|error| format!("the adapter wrote what is no JSON ({error}): {shown}"))?;
        if let Some(schema) = &*ANSWER_SCHEMA
            && let Some(fault) = schema.iter_errors(&answer).next()
        {
            let at = fault.instance_path().to_string();
            return Err(format!(
                "the adapter's answer breaks the schema at {at}: {fault}: {shown}"
            ));
        }
        let id = answer["id"].as_u64().unwrap_or_default();
        if self.pending.remove(&id).is_none() {
            let twice = self.answered.contains(&id);
            let why = if twice { "twice" } else { "though nobody asked" };
            return Err(format!("the adapter answered {id} {why}: {shown}"));
        }
        self.answered.insert(id);
        self.answers.insert(id, answer);
        Ok(())
    }

    fn end(&mut self) -> String {
        // It has closed its end: the status is there in a moment.
        for _ in 0..100 {
            if let Ok(Some(status)) = self.child.try_wait() {
                return format!(": {status}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        String::new()
    }

    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it: its input first, and the process if that does not do.
    pub fn stop(&mut self) {
        self.stdin = None;
        let deadline = Instant::now() + Duration::from_secs(2);
        while Instant::now() < deadline {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The adapters of a directory of `*/adapter.toml`, with `{bin}` and `{root}` put in.
pub fn find(directory: &Path, bin: &Path, root: &Path) -> Result<Vec<Launch>, String> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Manifest {
        name: String,
        #[allow(dead_code, reason = "for people, and in the answer to hello")]
        language: String,
        command: Vec<String>,
        #[allow(dead_code, reason = "read by `cargo xtask sdk`")]
        build: Vec<Vec<String>>,
        /// Without one of them it is left out.
        #[serde(default)]
        programs: Vec<String>,
        /// So it is without this file, which its build leaves out where it cannot be made.
        needs: Option<String>,
    }
    let shown = directory.display();
    let entries = std::fs::read_dir(directory).map_err(|error| format!("{shown}: {error}"))?;
    let mut found = Vec::new();
    for entry in entries {
        let path =
            entry.map_err(|error| format!("{shown}: {error}"))?.path().join("adapter.toml");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let manifest: Manifest =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let command = manifest
            .command
            .iter()
            .map(|word| {
                word.replace("{bin}", &bin.display().to_string())
                    .replace("{root}", &root.display().to_string())
            })
            .collect();
        let needs =
            manifest.needs.map(|file| file.replace("{root}", &root.display().to_string()));
        let lacks = manifest.programs.into_iter().find(|program| !is_installed(program));
        let lacks = lacks.or_else(|| needs.filter(|file| !Path::new(file).exists()));
        found.push(Launch { name: manifest.name, command, lacks });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Whether a program is in one of the directories of PATH.
fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

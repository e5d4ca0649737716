//! The server as a process, which never outlives this one, and the other commands of its binary.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// Most that is kept of what a server logs, in bytes.
const MAX_LOG_BYTES: usize = 1 << 20;
/// Time that a program has to start, to stop, or to do its work, whatever else its machine does.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How often it is asked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The binary under test.
#[derive(Clone, Debug)]
pub struct Binary(pub PathBuf);

/// A running server.
pub struct Server {
    child: Child,
    url: String,
    log: Arc<Mutex<String>>,
}

impl Binary {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        for (name, _) in std::env::vars_os() {
            // Settings of some other server do not belong here.
            if name.to_string_lossy().starts_with("TIDEWIRE_") {
                command.env_remove(name);
            }
        }
        command.env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    /// Starts a server on `data`, which it encrypts if there is a file of keys, and waits until
    /// it takes connections.
    pub fn serve(&self, data: &Path, keys: Option<&Path>) -> Result<Server, String> {
        let mut child = self
            .command()
            .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--shards", "2", "--data"])
            .arg(data)
            .args(at_rest(keys))
            .arg("--stop-with-stdin")
            // Its stdin ends with this process.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", self.0.display()))?;
        let log = Arc::new(Mutex::new(String::new()));
        if let Some(stderr) = child.stderr.take() {
            let log = Arc::clone(&log);
            std::thread::spawn(move || keep_log(stderr, &log));
        }
        let (said, first_line) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                let mut line = String::new();
                let _ = BufReader::new(stdout).read_line(&mut line);
                let _ = said.send(line);
            });
        }
        let mut server = Server { child, url: String::new(), log };
        let line = first_line.recv_timeout(PATIENCE).unwrap_or_default();
        match line.trim().strip_prefix("listening on ") {
            Some(url) => server.url = url.to_owned(),
            None => {
                server.end();
                return Err(format!("the server did not start:\n{}", server.log()));
            }
        }
        Ok(server)
    }

    /// Runs another command to its end: its exit code, stdout and stderr.
    pub fn run(&self, arguments: &[&str]) -> Result<(i32, String, String), String> {
        self.run_with(arguments, None)
    }

    /// The same, of a command that may need the file of keys.
    pub fn run_with(
        &self,
        arguments: &[&str],
        keys: Option<&Path>,
    ) -> Result<(i32, String, String), String> {
        let mut child = self
            .command()
            .args(arguments)
            .args(at_rest(keys))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", self.0.display()))?;
        let (stdout, stderr) = (read_all(child.stdout.take()), read_all(child.stderr.take()));
        let status = ended(&mut child);
        let text = |reader: std::thread::JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned()
        };
        let (stdout, stderr) = (text(stdout), text(stderr));
        match status {
            Ok(status) => Ok((status.code().unwrap_or(-1), stdout, stderr)),
            Err(error) => Err(format!("tidewire {}: {error}: {stderr}", arguments.join(" "))),
        }
    }
}

/// How a command is told of a file of keys.
fn at_rest(keys: Option<&Path>) -> impl Iterator<Item = &OsStr> {
    keys.into_iter().flat_map(|keys| [OsStr::new("--at-rest-key-file"), keys.as_os_str()])
}

/// Waits until a program has ended, and ends one that takes too long.
fn ended(child: &mut Child) -> Result<ExitStatus, String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK_EVERY),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it had not ended after {} s", PATIENCE.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn read_all(from: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn keep_log(stderr: impl Read, log: &Mutex<String>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if let Ok(mut log) = log.lock()
            && log.len() < MAX_LOG_BYTES
        {
            log.push_str(&line);
            log.push('\n');
        }
    }
}

impl Server {
    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it wrote to stderr.
    pub fn log(&self) -> String {
        self.log.lock().map(|log| log.clone()).unwrap_or_default()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.end();
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) -> Result<(), String> {
        drop(self.child.stdin.take());
        match ended(&mut self.child) {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("the server ended with {status}:\n{}", self.log())),
            Err(error) => Err(format!("the server was to stop: {error}:\n{}", self.log())),
        }
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

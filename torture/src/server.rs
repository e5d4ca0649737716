//! The server as a process, which never outlives this one, and the other commands of its binary.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// Most that is kept of what a server logs, in bytes.
const MAX_LOG_BYTES: usize = 1 << 20;

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
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            let _ = BufReader::new(stdout).read_line(&mut line);
        }
        let mut server = Server { child, url: String::new(), log };
        match line.trim().strip_prefix("listening on ") {
            Some(url) => server.url = url.to_owned(),
            None => {
                let _ = server.child.wait();
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
        let output = self
            .command()
            .args(arguments)
            .args(at_rest(keys))
            .output()
            .map_err(|error| format!("{}: {error}", self.0.display()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Ok((code, text(&output.stdout), text(&output.stderr)))
    }
}

/// How a command is told of a file of keys.
fn at_rest(keys: Option<&Path>) -> impl Iterator<Item = &OsStr> {
    keys.into_iter().flat_map(|keys| [OsStr::new("--at-rest-key-file"), keys.as_os_str()])
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
        match self.child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("the server ended with {status}:\n{}", self.log())),
            Err(error) => Err(error.to_string()),
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

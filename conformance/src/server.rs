//! `tidewire serve` as a child process on a fresh directory and a port of its own choice.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::case::ServerSpec;

/// Longest that a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of its log that are kept.
const MAX_LOG: usize = 256 << 10;

/// A server and its data.
pub struct Server {
    child: Option<Child>,
    pub address: SocketAddr,
    binary: PathBuf,
    spec: ServerSpec,
    directory: TempDir,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Starts a server on a fresh directory.
    pub fn start(binary: &Path, place: &Path, spec: &ServerSpec) -> Result<Self, String> {
        let directory = tempfile::Builder::new()
            .prefix("tidewire-conformance-")
            .tempdir_in(place)
            .map_err(|error| format!("{}: {error}", place.display()))?;
        let mut server = Self {
            child: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            binary: binary.to_owned(),
            spec: spec.clone(),
            directory,
            log: Arc::default(),
        };
        server.launch()?;
        Ok(server)
    }

    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Whether it asks for credentials.
    pub fn is_secured(&self) -> bool {
        self.spec.secured
    }

    /// The token that a server which asks for credentials has made for root.
    pub fn root_token(&self) -> Result<String, String> {
        let path = self.data().join("root.url");
        let url = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let secret = url.split_once('@').and_then(|(before, _)| before.rsplit_once(':'));
        let (_, secret) = secret.ok_or("root.url has no secret")?;
        Ok(secret.to_owned())
    }

    /// Starts the process, on the data there is.
    pub fn launch(&mut self) -> Result<(), String> {
        if self.child.is_some() {
            return Err("the server runs already".into());
        }
        let mut command = Command::new(&self.binary);
        command.arg("serve");
        if self.spec.secured {
            command.arg("--socket-dir").arg(self.directory.path().join("sockets"));
        } else {
            command.arg("--dev");
        }
        command
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(self.data())
            .args(&self.spec.args)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !self.spec.args.iter().any(|argument| argument == "--shards") {
            command.args(["--shards", "2"]);
        }
        let mut child =
            command.spawn().map_err(|error| format!("{}: {error}", self.binary.display()))?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err("the server has no pipes".into());
        };
        let log = Arc::clone(&self.log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut kept = log.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() + line.len() < MAX_LOG {
                    kept.push_str(&line);
                    kept.push('\n');
                }
            }
        });
        let mut line = String::new();
        // It prints the line or ends: both end this read.
        let _ = BufReader::new(stdout).read_line(&mut line);
        let said = line.trim().strip_prefix("listening on ");
        let address = said.and_then(|url| url.split_once("://")).map(|(_, at)| at.parse());
        let Some(Ok(address)) = address else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("the server did not start: {line}{}", self.log()));
        };
        self.address = address;
        self.child = Some(child);
        Ok(())
    }

    pub fn process_id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Whether the process has ended by itself.
    pub fn has_died(&mut self) -> Option<String> {
        let status = self.child.as_mut()?.try_wait().ok()??;
        Some(format!("the server has ended: {status}"))
    }

    /// What it wrote to stderr.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the process at once; nothing is flushed.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks the process to end, without waiting for it.
    pub fn ask_to_stop(&self) {
        if let Some(child) = &self.child {
            // SAFETY: no memory is involved; the child was not waited for, so its number is its own.
            unsafe {
                libc::kill(child.id() as libc::pid_t, libc::SIGTERM);
            }
        }
    }

    /// Waits for the process to end.
    pub fn wait(&mut self) -> Result<(), String> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("the server ended with {status}")),
                _ if Instant::now() > deadline => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(format!("the server did not stop within {PATIENCE:?}"));
                }
                _ => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    /// Resident memory in KiB and open descriptors of the process.
    pub fn usage(&self) -> Option<(u64, usize)> {
        let descriptors =
            std::fs::read_dir(format!("/proc/{}/fd", self.process_id()?)).ok()?.count();
        Some((self.status_kib("VmRSS:")?, descriptors))
    }

    /// Memory in KiB that the process has asked for, whether or not it has used it.
    pub fn reserved(&self) -> Option<u64> {
        self.status_kib("VmData:")
    }

    fn status_kib(&self, name: &str) -> Option<u64> {
        let status = format!("/proc/{}/status", self.process_id()?);
        let status = std::fs::read_to_string(status).ok()?;
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where data directories are made: in memory where that is possible, so that a run measures no
/// disk.
pub fn default_place() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

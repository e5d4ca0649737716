//! A server of one's own: a child process of the same program.
//!
//! Owns its start, its orderly stop and the guarantee that it never outlives this process. The
//! one invariant: the child's stdin is a pipe from here, and it stops when that closes; so it
//! goes even if this process is killed and no destructor runs.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::failure::Failure;

/// Longest wait for a server to take connections, recovery included.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest wait for a server to stop; more than it gives to requests under way.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// Most that is kept of what a server said before it failed, in bytes.
const MAX_SAID: u64 = 4096;

/// A running server, killed when dropped.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    url: String,
}

impl ServerProcess {
    /// Starts a server on a free port, and waits until it takes connections.
    pub async fn start(data: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::io("starting a server", &error);
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--stop-with-stdin", "--data"])
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C on the terminal is for this process, which then stops the server.
            .process_group(0)
            .kill_on_drop(true);
        // Settings of some other server do not belong here; only its log is of interest.
        for name in ["DATA", "LISTEN", "SHARDS", "DEV", "IO_THREADS", "DRAIN_TIMEOUT_MS"] {
            command.env_remove(format!("TIDEWIRE_{name}"));
        }
        if std::env::var_os("TIDEWIRE_LOG").is_some() {
            command.stderr(Stdio::inherit());
        } else {
            command.env("TIDEWIRE_LOG", "error");
        }
        let mut child = command.spawn().map_err(failed)?;
        let url = match tokio::time::timeout(START_TIMEOUT, first_line(&mut child)).await {
            Ok(Ok(url)) => url,
            Ok(Err(failure)) => return Err(failure),
            Err(_) => {
                return Err(Failure::new(format!(
                    "the server took no connections within {} s",
                    START_TIMEOUT.as_secs()
                )));
            }
        };
        drain_stderr(&mut child);
        Ok(Self { child, url })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks it to stop with SIGTERM, and waits until it has ended well.
    pub async fn stop(mut self) -> Result<(), Failure> {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let pid = pid.ok_or_else(|| Failure::new("the server ended by itself"))?;
        kill_process(pid, Signal::TERM)
            .map_err(|error| Failure::io("stopping the server", &error.into()))?;
        let status: ExitStatus = tokio::time::timeout(STOP_TIMEOUT, self.child.wait())
            .await
            .map_err(|_| {
                let seconds = STOP_TIMEOUT.as_secs();
                Failure::new(format!("the server did not stop within {seconds} s"))
            })?
            .map_err(|error| Failure::io("waiting for the server", &error))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!("the server ended with {status} when it was asked to stop")))
    }
}

/// Reads where the server listens.
async fn first_line(child: &mut Child) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::io("reading what the server says", &error);
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout.take(MAX_SAID)).read_line(&mut line).await.map_err(failed)?;
    }
    if let Some(url) = line.trim().strip_prefix("listening on ") {
        return Ok(url.to_owned());
    }
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        stderr.take(MAX_SAID).read_to_string(&mut said).await.map_err(failed)?;
    }
    let said = said.trim().trim_start_matches("error: ");
    Err(Failure::new(format!("the server did not start: {said}")))
}

/// Passes on what the server logs; a full pipe would stop it.
fn drain_stderr(child: &mut Child) {
    if let Some(mut stderr) = child.stderr.take() {
        tokio::spawn(
            async move { tokio::io::copy(&mut stderr, &mut tokio::io::stderr()).await },
        );
    }
}

//! `tidewire serve` as a child process that never outlives its test.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::raw::{PATIENCE, RawClient, batch};

/// The binary under test.
pub fn tidewire() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidewire"));
    command.env_remove("TIDEWIRE_URL").env_remove("XDG_RUNTIME_DIR").env("NO_COLOR", "1");
    command
}

/// Runs the binary to its end.
pub fn run(arguments: &[&str]) -> Output {
    let child = tidewire()
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    finish(child)
}

/// Waits for a child's end, and kills it if that takes too long.
pub fn finish(mut child: Child) -> Output {
    let read = |stream: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut stream) = stream {
                let _ = stream.read_to_end(&mut bytes);
            }
            bytes
        })
    };
    let stdout = read(child.stdout.take().map(|s| Box::new(s) as _));
    let stderr = read(child.stderr.take().map(|s| Box::new(s) as _));
    let status = wait(&mut child);
    Output {
        status,
        stdout: stdout.join().expect("reads"),
        stderr: stderr.join().expect("reads"),
    }
}

fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("the process did not end within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A running server.
pub struct TestServer {
    child: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
    logger: Option<JoinHandle<()>>,
    data: PathBuf,
    _own: Option<TempDir>,
}

impl TestServer {
    /// A server with a fresh data directory and two shards.
    pub fn start() -> Self {
        let own = tempfile::tempdir().expect("a temporary directory");
        let mut server = Self::start_in(&own.path().join("data"));
        server._own = Some(own);
        server
    }

    /// A server on a data directory.
    pub fn start_in(data: &Path) -> Self {
        Self::start_with(data, &["--shards", "2"])
    }

    pub fn start_with(data: &Path, arguments: &[&str]) -> Self {
        Self::start_by(tidewire(), data, arguments)
    }

    /// A server by a command that may have an environment of its own.
    pub fn start_by(command: Command, data: &Path, arguments: &[&str]) -> Self {
        Self::launch(command, data, &[&["--dev"], arguments].concat())
    }

    /// A server that asks for credentials, with its Unix socket beside the data directory.
    pub fn start_secured(data: &Path) -> Self {
        Self::start_secured_with(data, &[])
    }

    /// The same, with further arguments.
    pub fn start_secured_with(data: &Path, arguments: &[&str]) -> Self {
        let sockets = data.with_extension("sockets");
        let sockets = sockets.to_str().expect("a path of our own");
        let own = ["--shards", "2", "--socket-dir", sockets];
        Self::launch(tidewire(), data, &[&own, arguments].concat())
    }

    fn launch(mut command: Command, data: &Path, arguments: &[&str]) -> Self {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().expect("piped");
        let logger = std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let mut log = log.lock().expect("no panic while logging");
                    log.push_str(&line);
                    log.push('\n');
                }
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line or the end");
        let said = line.trim().strip_prefix("listening on tidewire");
        let address = said.and_then(|rest| rest.strip_prefix("+tls").or(Some(rest)));
        let Some(address) = address.and_then(|rest| rest.strip_prefix("://")) else {
            let status = wait(&mut child);
            logger.join().expect("reads");
            let log = log.lock().expect("no panic while logging");
            panic!("the server did not start ({status}), it said {line:?} and:\n{log}");
        };
        Self {
            address: address.parse().expect("an address"),
            child,
            log,
            logger: Some(logger),
            data: data.to_owned(),
            _own: None,
        }
    }

    pub fn url(&self) -> String {
        format!("tidewire://{}", self.address)
    }

    /// The same with a user and a secret.
    pub fn url_of(&self, user: &str, secret: &str) -> String {
        format!("tidewire://{user}:{secret}@{}", self.address)
    }

    /// The URL of its Unix socket, if it was started with one.
    pub fn socket_url(&self) -> String {
        let directory = self.data.with_extension("sockets");
        format!("tidewire+unix://{}/{}.sock", directory.display(), self.address.port())
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to stderr so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic while logging").clone()
    }

    pub fn wait_for_log(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log().contains(text) {
            assert!(Instant::now() < deadline, "the log never said {text:?}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn connect(&self) -> RawClient {
        RawClient::connect(self.address)
    }

    /// Ends the process as the kernel would: nothing is flushed.
    pub fn kill(mut self) {
        self.child.kill().expect("a running child");
        self.child.wait().expect("a child of ours");
    }

    /// Tells the process that its files have changed.
    pub fn hang_up(&self) {
        // SAFETY: no memory is involved; the process is our child and was not waited for.
        unsafe {
            libc::kill(self.child.id() as libc::pid_t, libc::SIGHUP);
        }
    }

    /// Asks the process to end, as an operator would.
    pub fn terminate(&mut self) -> ExitStatus {
        // SAFETY: no memory is involved; the process is our child and was not waited for.
        unsafe {
            libc::kill(self.child.id() as libc::pid_t, libc::SIGTERM);
        }
        let status = wait(&mut self.child);
        if let Some(logger) = self.logger.take() {
            logger.join().expect("reads");
        }
        status
    }

    /// Whether a newcomer is served as if nothing had happened: the check after every attack.
    pub fn assert_serves(&self) {
        let mut client = self.connect();
        let topic = format!("after-{}", std::process::id());
        // There already after the first check on this server.
        let _ = client.create_topic(&topic, 1);
        let (channel, _) = client.open(&topic).expect("the topic exists");
        client
            .append(channel, 0, tidewire_protocol::message::Acks::Synced, batch(&[b"alive"]))
            .expect("a healthy server appends");
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the server's log ---\n{}", self.log());
        }
    }
}

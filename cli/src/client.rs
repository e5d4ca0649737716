//! What all commands that talk to a server share.
//!
//! Owns the runtime, Ctrl-C, and what to do next for each of the client's errors. The one
//! invariant: a command that is interrupted is dropped, so whatever it holds (a server, a
//! directory) goes with it before the process ends.

use std::future::Future;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use tidewire::{Client, CloseError, Code, Error, Event, Events};
use tidewire_protocol::limits::DEFAULT_PORT;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::output;

/// Worker threads: one for the command, one for the client.
const WORKERS: usize = 2;

/// Runs a command until it ends or is interrupted.
pub fn run(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    run_to_end(async {
        tokio::select! {
            result = command => result,
            failure = interrupted() => Err(failure),
        }
    })
}

/// Runs a command that looks after [`interrupted`] itself.
pub fn run_to_end(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    log_if_asked()?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|error| Failure::io("starting the runtime", &error))?;
    let result = runtime.block_on(command);
    // A thread that waits for stdin would hold up the end until the next line.
    runtime.shutdown_background();
    result
}

/// Waits for Ctrl-C, SIGTERM or the end of the terminal, and gives what the command then fails
/// with.
pub async fn interrupted() -> Failure {
    let kinds = [SIGINT, SIGTERM, SIGHUP].map(|number| signal(SignalKind::from_raw(number)));
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds else {
        // Without handlers, the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Failure::Interrupted(SIGINT),
        _ = terminate.recv() => Failure::Interrupted(SIGTERM),
        _ = hangup.recv() => Failure::Interrupted(SIGHUP),
    }
}

/// Where a server listens that was started without options.
const DEFAULT_URL: &str = "tidewire://127.0.0.1:8433";

/// What to do about encrypted records that cannot be read.
pub const WHERE_KEYS_ARE: &str =
    "--encryption-key-file names a file with the keys, or TIDEWIRE_ENCRYPTION_KEYS has them";

/// The directory of the Unix sockets of this user's servers.
pub fn socket_directory() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()) {
        Some(path) => PathBuf::from(path).join("tidewire"),
        None => PathBuf::from(format!("/tmp/tidewire-{}", rustix::process::geteuid().as_raw())),
    }
}

/// The server that a command talks to that names none: this user's own, through its Unix socket,
/// where its word is enough.
pub fn default_url() -> String {
    let directory = socket_directory();
    let socket = directory.join(format!("{DEFAULT_PORT}.sock"));
    // In a directory that others could write to, they could put a socket of their own.
    let own = std::fs::symlink_metadata(&directory).is_ok_and(|found| {
        found.is_dir()
            && found.uid() == rustix::process::geteuid().as_raw()
            && found.mode() & 0o022 == 0
    });
    match socket.to_str() {
        Some(path) if own && UnixStream::connect(&socket).is_ok() => {
            format!("tidewire+unix://{path}")
        }
        _ => DEFAULT_URL.to_owned(),
    }
}

/// Connects to the server that the command names.
pub async fn connect(url: &str) -> Result<Client, Failure> {
    connect_with_keys(url, None).await
}

/// As [`connect`], with a file of the keys of encrypted batches.
pub async fn connect_with_keys(url: &str, key_file: Option<&Path>) -> Result<Client, Failure> {
    let mut builder = Client::builder().url(url).client_name("tidewire-cli");
    if let Some(path) = key_file {
        builder = builder.encryption_key_file(path.to_string_lossy());
    }
    let client = builder.connect().await?;
    tokio::spawn(tell(client.events()));
    Ok(client)
}

/// Tells on stderr that a connection was lost, which a command survives, and when it is back.
async fn tell(mut events: Events) {
    while let Some(event) = events.next().await {
        match event {
            Event::Disconnected { address, error } => {
                output::note(&format!("the connection to {address} was lost: {error}"));
            }
            Event::Connected { address } => output::note(&format!("connected to {address}")),
            Event::Throttled { topic, error, .. } if topic.is_empty() => {
                output::note(&format!("the server takes its time: {error}"));
            }
            Event::Throttled { topic, partition, error } => output::note(&format!(
                "{topic} partition {partition} takes nothing for now: {error}"
            )),
            _ => {}
        }
    }
}

/// The client says nothing by itself; with `TIDEWIRE_LOG` it does.
fn log_if_asked() -> Result<(), Failure> {
    match std::env::var("TIDEWIRE_LOG") {
        Ok(filter) => crate::serve::log_to_stderr(&filter),
        Err(_) => Ok(()),
    }
}

impl From<CloseError> for Failure {
    fn from(error: CloseError) -> Self {
        let all = error.to_string();
        match Self::from(Error::from(error)) {
            Self::Failed { hint, .. } => Self::Failed { text: all, hint },
            other => other,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::new(error.to_string());
        let next = match error.code() {
            Code::CONNECT_FAILED => {
                "'tidewire serve --dev' starts a server; --url or TIDEWIRE_URL names another"
            }
            Code::AUTH_REQUIRED => {
                "put the URL with credentials into TIDEWIRE_URL; the server's first start printed \
                 one, and 'root.url' in its data directory has it"
            }
            Code::AUTH_FAILED => "look at the user and secret in TIDEWIRE_URL, or --url",
            Code::DENIED => "'tidewire user whoami' shows what you may do",
            Code::USER_NOT_FOUND => "'tidewire user list' shows the users",
            Code::NOT_TIDEWIRE => "something else listens there; name a server with --url",
            Code::INVALID_URL => "look at --url, or TIDEWIRE_URL in the environment",
            Code::STREAM_NOT_FOUND => {
                "'tidewire stream list' shows what there is, 'tidewire stream create' adds to it"
            }
            Code::TOPIC_NOT_FOUND => {
                "'tidewire topic list' shows what there is, 'tidewire topic create' adds to it"
            }
            Code::PARTITION_NOT_FOUND => "'tidewire topic describe' shows the partitions",
            Code::STREAM_NOT_EMPTY => "--with-topics deletes its topics and their records too",
            Code::OFFSET_OUT_OF_RANGE => "'tidewire topic describe' shows the offsets",
            Code::DISCONNECTED if error.is_outcome_unknown() => {
                "what was under way may or may not have happened; look before you repeat it"
            }
            Code::PARTITION_FENCED | Code::PARTITION_CORRUPT => {
                "the server's log says what happened to that partition"
            }
            Code::ENCRYPTION_KEY_MISSING | Code::ENCRYPTION_KEY_WRONG => WHERE_KEYS_ARE,
            Code::TOO_MANY_CONNECTIONS | Code::TOO_MANY_TOPICS | Code::TOO_MANY_PARTITIONS => {
                "'tidewire describe limits' shows what the server allows, and its configuration \
                 sets it"
            }
            Code::DISK_FULL => "make room where the server keeps its data, then try again",
            _ if error.is_retriable() => "nothing happened; try again",
            _ => return failure,
        };
        failure.hint(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreachable_server_is_named_with_what_to_do() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        // Port 1 of loopback: nobody listens there without being root and meaning to.
        let failure = runtime.block_on(connect("tidewire://127.0.0.1:1")).unwrap_err();
        let Failure::Failed { text, hint } = failure else { panic!("{failure}") };
        assert!(text.contains("127.0.0.1:1"), "{text}");
        assert!(hint.is_some_and(|hint| hint.contains("tidewire serve --dev")));
    }
}

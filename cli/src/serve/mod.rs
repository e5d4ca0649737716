//! `tidewire serve`: the server as a process.
//!
//! Owns signals and the line on stdout that says where the server listens; what a setting
//! means is in [`settings`], serving itself is the server crate's. The one invariant: that line
//! is printed only once a signal leads to an orderly stop.

mod audit;
mod environment;
mod log;
mod reload;
mod root_url;
mod self_signed;
mod settings;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tempfile::TempDir;
use tidewire_server::{Server, Stopper};

use crate::args::serve::ServeArgs;
use crate::failure::Failure;
use crate::output;
use audit::AuditLog;
use reload::{Changeable, Terminal};
use settings::Settings;

/// Runs a server until a signal.
pub fn run(args: ServeArgs) -> Result<(), Failure> {
    let terminal = Terminal::now();
    let stop_with_stdin = args.stop_with_stdin;
    let settings = Settings::gather(args.clone(), |name| std::env::var(name).ok())?;
    let listen = settings.listen()?;
    let audit = match &settings.audit_log {
        Some(path) => Some(AuditLog::open(path).map_err(|error| {
            Failure::io(format_args!("opening the audit log {}", path.display()), &error)
        })?),
        None => None,
    };
    let log = log::log_to(settings.log_filter(), audit.clone())?;
    if settings.is_dev() {
        tracing::warn!(
            "no credentials (--dev): any program on this machine may read and write; listening \
             on loopback only"
        );
    } else if !listen.ip().is_loopback() && !settings.speaks_tls() {
        tracing::warn!(
            %listen, "other machines can reach this address, and what travels is not encrypted; \
             --tls-cert and --tls-key change that"
        );
    }

    for unread in environment::unread(std::env::vars_os()) {
        tracing::warn!("{unread}");
    }

    let data = Data::new(settings.data.clone())?;
    let config = settings.config(&data.path, listen)?;
    let running = heed_signals(terminal, data.temporary_path())?;
    let server = Server::start(&config).map_err(|error| start_failure(&error))?;
    // The cell was empty, and nobody else fills it.
    let _ = running.set(Running {
        stopper: server.stopper(),
        changeable: Changeable {
            args,
            settings: Mutex::new(settings.clone()),
            reloader: server.reloader(),
            log,
            audit,
        },
    });
    if stop_with_stdin {
        stop_at_end_of_stdin(server.stopper())?;
    }
    let scheme = if config.tls.is_some() { "tidewire+tls" } else { "tidewire" };
    let mut lines = format!("listening on {scheme}://{}\n", server.address());
    if let Some(tls) = config.tls.as_ref().filter(|_| settings.tls_self_signed == Some(true)) {
        tracing::warn!(
            cert = %tls.cert.display(),
            "TLS with a certificate of our own making; clients trust it by the option tls_ca_file"
        );
    }
    if let Some(token) = server.first_token() {
        let url = root_url::write(&data.path, scheme, server.address(), token)?;
        lines.push_str(&format!("the user root logs in with {url}\n"));
    }
    if let Some(socket) = server.socket() {
        tracing::info!(socket = %socket.display(), "this user's programs need no credentials");
    }
    if let Err(Failure::Failed { text, .. }) = output::write(lines.as_bytes()) {
        tracing::warn!("{text}");
    }
    let stopped = server.join();
    drop(data);
    stopped.map_err(|error| Failure::new(format!("the server did not stop well: {error}")))?;
    tracing::info!("stopped");
    Ok(())
}

/// The data directory; a temporary one goes when this does.
struct Data {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Data {
    fn new(path: Option<PathBuf>) -> Result<Self, Failure> {
        if let Some(path) = path {
            return Ok(Self { path, temporary: None });
        }
        let temporary = tempfile::Builder::new()
            .prefix("tidewire-dev-")
            .tempdir()
            .map_err(|error| Failure::io("creating a temporary data directory", &error))?;
        tracing::info!(
            path = %temporary.path().display(),
            "data in a temporary directory, removed at the end; --data DIR keeps it"
        );
        Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary) })
    }

    fn temporary_path(&self) -> Option<PathBuf> {
        self.temporary.as_ref().map(|_| self.path.clone())
    }
}

/// What signals act on.
struct Running {
    stopper: Stopper,
    changeable: Changeable,
}

/// Starts the thread that takes signals, before anything that one could harm. Until the cell is
/// filled there is nothing to drain, and recovery may be cut short anywhere: a signal ends the
/// process, and a temporary directory with it.
fn heed_signals(
    terminal: Terminal,
    temporary: Option<PathBuf>,
) -> Result<Arc<OnceLock<Running>>, Failure> {
    let failed = |error: io::Error| Failure::io("setting up signals", &error);
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(failed)?;
    let cell = Arc::new(OnceLock::<Running>::new());
    let running = Arc::clone(&cell);
    std::thread::Builder::new()
        .name("tidewire-signals".to_owned())
        .spawn(move || {
            let mut stopping = false;
            for signal in signals.forever() {
                // The one signal is both a request and what a terminal says when it is closed.
                let reload = signal == SIGHUP && !terminal.is_gone();
                match running.get() {
                    Some(Running { changeable, .. }) if reload => changeable.reload(),
                    None if reload => {}
                    Some(Running { stopper, .. }) if !stopping => {
                        tracing::info!("stopping; a second signal exits at once");
                        stopping = true;
                        stopper.stop();
                    }
                    // A shell and the system both tell of a closed terminal.
                    Some(_) if signal == SIGHUP => {}
                    _ => {
                        if let Some(path) = &temporary {
                            // A server that still writes may leave something behind.
                            let _ = std::fs::remove_dir_all(path);
                        }
                        std::process::exit(128 + signal);
                    }
                }
            }
        })
        .map_err(failed)?;
    Ok(cell)
}

/// Stops the server when stdin ends. Whoever asks for this holds the other end.
fn stop_at_end_of_stdin(stopper: Stopper) -> Result<(), Failure> {
    std::thread::Builder::new()
        .name("tidewire-stdin".to_owned())
        .spawn(move || {
            let mut ignored = [0; 64];
            let mut stdin = io::stdin().lock();
            while stdin.read(&mut ignored).is_ok_and(|count| count > 0) {}
            stopper.stop();
        })
        .map(drop)
        .map_err(|error| Failure::io("starting a thread", &error))
}

fn start_failure(error: &tidewire_server::Error) -> Failure {
    use tidewire_server::ErrorKind;
    let failure = Failure::new(error.to_string());
    match error.kind() {
        ErrorKind::Listen => {
            failure.hint("choose another with --listen 127.0.0.1:PORT; port 0 takes a free one")
        }
        ErrorKind::Storage => failure.hint("choose another directory with --data DIR"),
        _ => failure,
    }
}

/// Logs to stderr what passes the filter.
pub fn log_to_stderr(filter: &str) -> Result<(), Failure> {
    log::log_to(filter, None).map(drop)
}

/// Checks a file of settings.
pub fn check(path: &Path) -> Result<(), Failure> {
    Settings::check(path)?;
    output::line(&format!("{}: a server would take it", path.display()))
}

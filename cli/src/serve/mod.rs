//! `tidewire serve`: the server as a process.
//!
//! Owns logs, signals and the line on stdout that says where the server listens; what a setting
//! means is in [`settings`], serving itself is the server crate's. The one invariant: that line
//! is printed only once a signal leads to an orderly stop.

mod audit;
mod root_url;
mod self_signed;
mod settings;

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tempfile::TempDir;
use tidewire_server::{Certificates, Server, Stopper};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::args::serve::ServeArgs;
use crate::failure::Failure;
use crate::{output, output::Style};
use audit::AuditLog;
use settings::Settings;

/// Runs a server until a signal.
pub fn run(args: ServeArgs) -> Result<(), Failure> {
    let stop_with_stdin = args.stop_with_stdin;
    let settings = Settings::gather(args, |name| std::env::var(name).ok())?;
    let listen = settings.listen()?;
    let audit = match &settings.audit_log {
        Some(path) => Some(AuditLog::open(path).map_err(|error| {
            Failure::io(format_args!("opening the audit log {}", path.display()), &error)
        })?),
        None => None,
    };
    log_to(settings.log.as_deref().unwrap_or("info"), audit.clone())?;
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

    let data = Data::new(settings.data.clone())?;
    let config = settings.config(&data.path, listen)?;
    let stopper = stop_on_signals(data.temporary_path())?;
    let server = Server::start(&config).map_err(|error| start_failure(&error))?;
    // The cell was empty, and nobody else fills it.
    let _ = stopper.set(Running {
        stopper: server.stopper(),
        certificates: server.certificates(),
        audit,
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
    certificates: Option<Certificates>,
    audit: Option<AuditLog>,
}

impl Running {
    /// Reads again what can change while the server runs.
    fn reload(&self) {
        match self.certificates.as_ref().map(Certificates::reload) {
            Some(Ok(())) => tracing::info!("read the certificates again"),
            Some(Err(error)) => tracing::error!(%error, "the certificates stay as they were"),
            None => {}
        }
        match self.audit.as_ref().map(AuditLog::reopen) {
            Some(Ok(())) => tracing::info!("opened the audit log anew"),
            Some(Err(error)) => tracing::error!(%error, "the audit log stays where it was"),
            None => {}
        }
    }
}

/// Starts the thread that takes signals, before anything that one could harm. Until the cell is
/// filled there is nothing to drain, and recovery may be cut short anywhere: a signal ends the
/// process, and a temporary directory with it.
fn stop_on_signals(temporary: Option<PathBuf>) -> Result<Arc<OnceLock<Running>>, Failure> {
    let failed = |error: io::Error| Failure::io("setting up signals", &error);
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(failed)?;
    let cell = Arc::new(OnceLock::<Running>::new());
    let running = Arc::clone(&cell);
    std::thread::Builder::new()
        .name("tidewire-signals".to_owned())
        .spawn(move || {
            let mut stopping = false;
            for signal in signals.forever() {
                match running.get() {
                    Some(running) if signal == SIGHUP => running.reload(),
                    None if signal == SIGHUP => {}
                    Some(Running { stopper, .. }) if !stopping => {
                        tracing::info!("stopping; a second signal exits at once");
                        stopping = true;
                        stopper.stop();
                    }
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
    log_to(filter, None)
}

/// Checks a file of settings.
pub fn check(path: &Path) -> Result<(), Failure> {
    Settings::check(path)?;
    output::line(&format!("{}: a server would take it", path.display()))
}

fn filter(text: &str) -> Result<EnvFilter, Failure> {
    EnvFilter::try_new(text).map_err(|error| {
        Failure::new(format!("the log filter \"{text}\" cannot be read: {error}"))
            .hint("it looks like info, or info,tidewire_server=debug")
    })
}

/// Logs to stderr what passes the filter, and to the audit log what is for it.
fn log_to(text: &str, audit: Option<AuditLog>) -> Result<(), Failure> {
    let shown = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && Style::stderr().colour())
        .with_filter(filter(text)?);
    let audit = audit.map(|log| log.with_filter(filter_fn(|it| it.target() == audit::TARGET)));
    tracing_subscriber::registry().with(shown).with(audit).init();
    Ok(())
}

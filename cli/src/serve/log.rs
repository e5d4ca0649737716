//! The log on stderr, and what passes into it.
//!
//! Owns the filter, which can change while the server runs. The one invariant: a filter that cannot
//! be read changes nothing.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use super::audit::{self, AuditLog};
use crate::failure::Failure;
use crate::output::Style;

/// What is logged unless it is said otherwise.
pub const DEFAULT_FILTER: &str = "info";

/// The filter of a running log.
pub struct LogFilter(reload::Handle<EnvFilter, Registry>);

impl LogFilter {
    /// Lets others pass from now on.
    pub fn set(&self, filter: EnvFilter) {
        // It fails only where there is no log any more.
        let _ = self.0.reload(filter);
    }
}

/// Reads a filter.
pub fn filter(text: &str) -> Result<EnvFilter, Failure> {
    EnvFilter::try_new(text).map_err(|error| {
        Failure::new(format!("the log filter \"{text}\" cannot be read: {error}"))
            .hint("it looks like info, or info,tidewire_server=debug")
    })
}

/// Logs to stderr what passes the filter, and to the audit log what is for it.
pub fn log_to(text: &str, audit: Option<AuditLog>) -> Result<LogFilter, Failure> {
    let (filter, handle) = reload::Layer::new(filter(text)?);
    let shown = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && Style::stderr().colour())
        .with_filter(filter);
    let audit = audit.map(|log| log.with_filter(filter_fn(|it| it.target() == audit::TARGET)));
    tracing_subscriber::registry().with(shown).with(audit).init();
    Ok(LogFilter(handle))
}

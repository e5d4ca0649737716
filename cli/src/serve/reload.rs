//! Settings that change while the server runs: SIGHUP has them read again, from where they came.
//!
//! Owns what may change, and in which order. The one invariant: everything is read and checked
//! before anything changes, so that it changes as a whole or not at all.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use tidewire_protocol::limits::SERVER_LIMITS;
use tidewire_server::{Limits, Reloader};

use super::audit::AuditLog;
use super::log::{self, LogFilter};
use super::settings::Settings;
use crate::args::serve::ServeArgs;
use crate::failure::Failure;

/// What can be changed, and how it is now.
pub struct Changeable {
    pub args: ServeArgs,
    pub settings: Mutex<Settings>,
    pub reloader: Reloader,
    pub log: LogFilter,
    pub audit: Option<AuditLog>,
}

impl Changeable {
    /// Reads the settings again and has them hold; the log says what changed, or what is wrong.
    pub fn reload(&self) {
        match self.try_reload() {
            Ok(changes) if changes.is_empty() => tracing::info!("reloaded: nothing changed"),
            Ok(changes) => tracing::info!("reloaded: {}", changes.join("; ")),
            Err(failure) => tracing::error!("nothing was reloaded: {failure}"),
        }
    }

    fn try_reload(&self) -> Result<Vec<String>, Failure> {
        let new = Settings::gather(self.args.clone(), |name| std::env::var(name).ok())?;
        let mut current = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let fixed = current.fixed_changes(&new);
        if !fixed.is_empty() {
            return Err(Failure::new(format!(
                "{} cannot change while the server runs",
                fixed.join(", ")
            )));
        }
        let (before, limits) = (current.limits()?, new.limits()?);
        let filter = log::filter(new.log_filter())?;
        let certificates = self
            .reloader
            .read_certificates()
            .map_err(|error| Failure::new(format!("the certificates: {error}")))?;
        let audit = match &self.audit {
            Some(audit) => Some((audit, audit.open_anew()?)),
            None => None,
        };

        // Nothing below can fail.
        let mut changes = changed_limits(&before, &limits);
        self.reloader.set_limits(&limits);
        if current.log_filter() != new.log_filter() {
            changes.push(format!("log: {} → {}", current.log_filter(), new.log_filter()));
            self.log.set(filter);
        }
        if let Some(certificates) = certificates {
            certificates.use_them();
            changes.push("read the certificates again".to_owned());
        }
        if let Some((audit, file)) = audit {
            audit.write_to(file);
            changes.push("opened the audit log anew".to_owned());
        }
        *current = new;
        Ok(changes)
    }
}

fn changed_limits(before: &Limits, after: &Limits) -> Vec<String> {
    let both =
        SERVER_LIMITS.iter().map(|row| (row, before.get(row.limit), after.get(row.limit)));
    both.filter(|(_, before, after)| before != after)
        .map(|(row, before, after)| format!("{}: {before} → {after}", row.name))
        .collect()
}

/// The terminal that a server was started on, if it was.
#[derive(Clone, Copy, Debug)]
pub struct Terminal([bool; 3]);

impl Terminal {
    /// As it is now.
    pub fn now() -> Self {
        let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
        Self([stdin.is_terminal(), stdout.is_terminal(), stderr.is_terminal()])
    }

    /// Whether it has been closed since: what was a terminal is none any more once it has hung up.
    pub fn is_gone(self) -> bool {
        let now = Self::now();
        self.0.iter().zip(now.0).any(|(before, now)| *before && !now)
    }
}

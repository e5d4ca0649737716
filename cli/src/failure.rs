//! How a command ends when it does not end well.
//!
//! Owns the exit codes and the form `error: …` on stderr. The one invariant: an error names the
//! thing that it is about and, where there is one, what to do next.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use crate::output::Style;

/// What a shell adds to a signal's number: 130 is Ctrl-C, 143 SIGTERM.
const SIGNALLED: i32 = 128;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// It could not be done.
    Failed {
        /// What went wrong, with the name of the thing.
        text: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// It could not even be begun, which for some commands is another exit code.
    CannotRun {
        /// What stands in the way, with the name of the thing.
        text: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// What was asked for makes no sense.
    Usage(String),
    /// Ctrl-C, or another signal of this number.
    Interrupted(i32),
    /// Whoever read the output has seen enough.
    OutputClosed,
}

impl Failure {
    /// It could not be done.
    pub fn new(text: impl Into<String>) -> Self {
        Self::Failed { text: text.into(), hint: None }
    }

    /// What was asked for makes no sense.
    pub fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// It could not even be begun: exit code 2.
    pub fn cannot_run(text: impl Into<String>) -> Self {
        Self::CannotRun { text: text.into(), hint: None }
    }

    /// The same, of a command that had not begun: exit code 2.
    pub fn before_it_began(self) -> Self {
        match self {
            Self::Failed { text, hint } => Self::CannotRun { text, hint },
            other => other,
        }
    }

    /// Adds what to do next.
    pub fn hint(self, next: impl Into<String>) -> Self {
        match self {
            Self::Failed { text, .. } => Self::Failed { text, hint: Some(next.into()) },
            Self::CannotRun { text, .. } => Self::CannotRun { text, hint: Some(next.into()) },
            other => other,
        }
    }

    /// The failure of reading or writing something: `doing` is a gerund with its object.
    pub fn io(doing: impl fmt::Display, error: &io::Error) -> Self {
        Self::new(format!("{doing} failed: {error}"))
    }

    /// The failure of a write to stdout: a reader that left is no error.
    pub fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::io("writing to stdout", error),
        }
    }

    /// Says it on stderr, and gives the exit code.
    pub fn report(&self) -> ExitCode {
        let style = Style::stderr();
        let (code, text, hint) = match self {
            Self::Failed { text, hint } => (1, text, hint.as_deref()),
            Self::CannotRun { text, hint } => (2, text, hint.as_deref()),
            Self::Usage(text) => {
                (2, text, Some("'tidewire help' lists commands and their options"))
            }
            Self::Interrupted(signal) => {
                // The prompt should not follow on a half-drawn line.
                if io::stderr().is_terminal() {
                    let _ = io::stderr().write_all(b"\n");
                }
                return ExitCode::from(u8::try_from(SIGNALLED + signal).unwrap_or(1));
            }
            Self::OutputClosed => return ExitCode::SUCCESS,
        };
        let mut message = format!("{} {text}\n", style.red("error:"));
        if let Some(hint) = hint {
            message += &format!("  {} {hint}\n", style.dim("→"));
        }
        // There is nowhere left to report a failure to.
        let _ = io::stderr().write_all(message.as_bytes());
        ExitCode::from(code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { text, .. } | Self::CannotRun { text, .. } | Self::Usage(text) => {
                f.write_str(text)
            }
            Self::Interrupted(_) => f.write_str("interrupted"),
            Self::OutputClosed => f.write_str("the output was closed"),
        }
    }
}

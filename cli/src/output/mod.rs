//! How things are shown.
//!
//! * here: writing to stdout, and colours: only on a terminal, never with `NO_COLOR`.
//! * [`table`]: aligned columns.
//! * [`number`]: counts, sizes, times, bars.

pub mod number;
pub mod table;

use std::io::{self, IsTerminal, Write};

use crate::failure::Failure;

/// Writes all to stdout.
pub fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|e| Failure::output(&e))
}

/// Writes a line to stdout.
pub fn line(text: &str) -> Result<(), Failure> {
    write(format!("{text}\n").as_bytes())
}

/// Writes a JSON value to stdout, on one line.
pub fn json(value: &serde_json::Value) -> Result<(), Failure> {
    line(&value.to_string())
}

/// Writes to stderr what a person should know and no program needs. Not an error, so nothing
/// is lost if it cannot be said.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether colours are wanted in one of the outputs.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// For stdout.
    pub fn stdout() -> Self {
        Self { colour: io::stdout().is_terminal() && colours_allowed() }
    }

    /// For stderr.
    pub fn stderr() -> Self {
        Self { colour: io::stderr().is_terminal() && colours_allowed() }
    }

    /// Without any, whatever the output.
    #[cfg(test)]
    pub fn plain() -> Self {
        Self { colour: false }
    }

    /// Whether there is colour at all.
    pub fn colour(self) -> bool {
        self.colour
    }

    /// For what went wrong.
    pub fn red(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// For what held.
    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// For the little that should be seen first.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// For bars.
    pub fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// For what stands back.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// <https://no-color.org>: any value that is not empty.
fn colours_allowed() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

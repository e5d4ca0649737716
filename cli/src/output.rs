//! How things are shown: colours, sizes, tables.
//!
//! Owns the rules of colour (only on a terminal, never with `NO_COLOR`) and all formatting of
//! numbers. The one invariant: text is padded by what a terminal shows of it, not by its bytes.

use std::io::{self, IsTerminal, Write};

use crate::failure::Failure;

/// Writes all to stdout.
pub fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|e| Failure::output(&e))
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

    /// Whether there is colour at all.
    pub fn colour(self) -> bool {
        self.colour
    }

    /// For what went wrong.
    pub fn red(self, text: &str) -> String {
        self.paint("1;31", text)
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

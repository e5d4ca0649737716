//! Every command and flag, with its help.
//!
//! Owns what may be said on the command line, and nothing of what it does. The one invariant:
//! parsing, help and completions come from these definitions alone.

pub mod serve;

use clap::{Parser, Subcommand};

/// What every help ends with.
const EXIT_CODES: &str = "\
Exit codes: 0 fine, 1 failed, 2 wrong usage, 130 ended by Ctrl-C";

/// Tidewire: a persistent message-streaming server, and what you need to use it.
#[derive(Debug, Parser)]
#[command(name = "tidewire", version, after_help = EXIT_CODES, propagate_version = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a server
    Serve(serve::ServeArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

//! Every command and flag, with its help.
//!
//! Owns what may be said on the command line, and nothing of what it does. The one invariant:
//! parsing, help and completions come from these definitions alone.

pub mod admin;
pub mod bench;
pub mod group;
pub mod records;
pub mod serve;
pub mod upkeep;
pub mod users;
pub mod values;

use clap::{Args, Parser, Subcommand};

/// What the help ends with.
const AFTER: &str = "\
Examples:
  tidewire demo                                  see it work, with real earthquake reports
  tidewire serve --dev --data ./data             run a server
  tidewire topic create orders --partitions 4
  tidewire send orders 'hello' --key customer-7
  tidewire tail orders --from earliest

Exit codes: 0 fine, 1 failed, 2 wrong usage, 130 ended by Ctrl-C
Colour is used on terminals only, and never if NO_COLOR is set.";

/// Tidewire: a persistent message-streaming server, and what you need to use it.
#[derive(Debug, Parser)]
#[command(name = "tidewire", version, after_help = AFTER)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show Tidewire at work: a server, real records, two consumers, a restart
    Demo(DemoArgs),
    /// Run a server
    Serve(Box<serve::ServeArgs>),
    /// Create, list, describe and delete streams
    #[command(subcommand)]
    Stream(admin::StreamCommand),
    /// Create, list, describe, change and delete topics
    #[command(subcommand)]
    Topic(admin::TopicCommand),
    /// List, describe, reset and delete consumer groups and stored offsets
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Create, list, describe, change and delete users
    #[command(subcommand)]
    User(users::UserCommand),
    /// Create, list and delete access tokens
    #[command(subcommand)]
    Token(users::TokenCommand),
    /// Give rights to users, and take them away
    #[command(subcommand)]
    Grant(users::GrantCommand),
    /// Send records to a topic
    Send(records::SendArgs),
    /// Print the records of a topic as they arrive
    Tail(records::TailArgs),
    /// Make a key to encrypt records with
    Keygen(records::KeygenArgs),
    /// Measure how fast records go in and out
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Examine a data directory, and repair it
    Doctor(upkeep::DoctorArgs),
    /// Copy a data directory, also while a server runs on it
    Backup(upkeep::BackupArgs),
    /// Check a file of a server's settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Describe what a server allows
    #[command(subcommand)]
    Describe(DescribeCommand),
    /// Ask a server for a sign of life
    Ping {
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Print a completion script for a shell
    #[command(after_help = "Example, for bash:\n  source <(tidewire completions bash)")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Check a file of a server's settings
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Say whether a server would take it: keys, values, and what the files in it hold
    #[command(after_help = "\
Example:
  tidewire config check tidewire.toml

Exit codes: 0 fine, 1 it would not start with it, 2 wrong usage")]
    Check {
        /// The file, in TOML
        file: std::path::PathBuf,
    },
}

/// Describe what a server allows
#[derive(Subcommand, Debug)]
pub enum DescribeCommand {
    /// The limits that it enforces, and how much of them is used
    #[command(after_help = "\
Those of the server's configuration come first; 'tidewire serve --help' says how they are set. What
is used of a user's limit is told of the one who asks; how much there is in all, to those who may
read everything.

Examples:
  tidewire describe limits
  tidewire describe limits --json | jq '.[] | select(.name == \"max_connections\")'

Exit codes: 0 fine, 1 failed, 2 wrong usage, 130 ended by Ctrl-C")]
    Limits {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
}

/// Which server to talk to.
#[derive(Args, Clone, Debug)]
pub struct ServerArgs {
    /// The server: tidewire://HOST:PORT[,HOST2:PORT2][/?option=value], or
    /// tidewire+unix:///PATH. Credentials (tidewire://USER:PASSWORD@HOST, tidewire://TOKEN@HOST) are
    /// better put into TIDEWIRE_URL, since others can read a command line [default: the Unix
    /// socket of this user's server on port 8433 if there is one, else tidewire://127.0.0.1:8433]
    #[arg(
        long,
        value_name = "URL",
        env = "TIDEWIRE_URL",
        hide_env_values = true,
        hide_default_value = true,
        default_value_t = crate::client::default_url()
    )]
    pub url: String,
}

/// Show Tidewire at work
#[derive(Args, Debug)]
#[command(after_help = "\
It starts a server of its own on a free port, sends it one week of earthquake reports from the
U.S. Geological Survey, reads them with two consumers while they arrive, checks every byte, then
stops the server, starts it again and checks that all is still there.

Exit codes: 0 all of it held, 1 something did not, 2 wrong usage, 130 ended by Ctrl-C")]
pub struct DemoArgs {
    /// How many records to send; the week is repeated as often as needed [default: 1707]
    #[arg(long, value_name = "N", value_parser = values::count)]
    pub records: Option<u64>,

    /// Keep the data directory, and print where it is
    #[arg(long)]
    pub keep: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_flag_has_help() {
        fn check(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some() || path == " tidewire", "{path}");
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{path} {}", arg.get_id());
            }
            for sub in command.get_subcommands() {
                check(sub, &path);
            }
        }
        check(&Cli::command(), "");
    }
}

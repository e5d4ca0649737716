//! `tidewire user`, `tidewire token` and `tidewire grant`: their flags.
//!
//! The one invariant: no secret is an argument, since arguments are seen by every user of the
//! machine.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use tidewire::Grant;

use super::{ServerArgs, values};

/// Where a new password comes from.
#[derive(Args, Clone, Debug)]
pub struct PasswordArgs {
    /// A file whose first line is the password; - is stdin. Without it, it is asked for on a
    /// terminal, or read from stdin
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Create, list, describe, change and delete users
#[derive(Debug, Subcommand)]
#[command(after_help = "\
A password is asked for, or comes from a file, never from the command line. What a server keeps
of it cannot log in; it never learns the password itself.

Examples:
  tidewire user create ada --grant 'read,write topic shop/*' --grant 'read group *'
  tidewire user create sensor --no-password --grant 'write topic default/readings'
  tidewire token create --user sensor greenhouse
  tidewire user whoami

Exit codes: 0 fine, 1 failed, 2 wrong usage")]
pub enum UserCommand {
    /// Create a user
    Create {
        /// Its name: 1 to 255 bytes of UTF-8, no '/' or ':'
        user: String,
        /// It logs in with tokens only
        #[arg(long, conflicts_with = "password_file")]
        no_password: bool,
        /// Where its password comes from.
        #[command(flatten)]
        password: PasswordArgs,
        /// What it may do, such as 'read,write topic shop/*'; may be given several times. See
        /// 'tidewire grant --help'
        #[arg(long = "grant", value_name = "GRANT", value_parser = values::grant)]
        grants: Vec<Grant>,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List all users
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Describe a user and what it may do
    Describe {
        /// Its name
        user: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Tell who you are to the server, and what you may do
    Whoami {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Change a password; connections that were made with the old one end
    Password {
        /// Whose; your own if it is left out
        user: Option<String>,
        /// Where it comes from.
        #[command(flatten)]
        password: PasswordArgs,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Let a user log in again
    Enable {
        /// Its name
        user: String,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Keep a user out, and end its connections
    Disable {
        /// Its name
        user: String,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Delete a user and its tokens, and end its connections
    Delete {
        /// Its name
        user: String,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
}

/// Create, list and delete access tokens
#[derive(Debug, Subcommand)]
#[command(after_help = "\
A token stands for its user, and is shown once: when it is created. It is used in place of the
password: tidewire://TOKEN@host:8433 in TIDEWIRE_URL, or as the first line of a file that
TIDEWIRE_SECRET_FILE names. On a command line, other users of the machine could read it.

Examples:
  tidewire token create greenhouse --user sensor --expires 90d
  tidewire token list --user sensor
  tidewire token delete 7

Exit codes: 0 fine, 1 failed, 2 wrong usage")]
pub enum TokenCommand {
    /// Create a token, and print its secret on stdout: nobody can print it again
    Create {
        /// What it is called
        name: String,
        /// Whose; your own if it is left out
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        /// How long it is valid: 90d, 12h, 30m, 45s [default: for ever]
        #[arg(long, value_name = "TIME", value_parser = values::lifetime)]
        expires: Option<Duration>,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the tokens of a user, without their secrets
    List {
        /// Whose; your own if it is left out
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Delete a token, and end the connections that were made with it
    Delete {
        /// Its number: see 'tidewire token list'
        id: u64,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
}

/// Give rights to users, and take them away
#[derive(Debug, Subcommand)]
#[command(after_help = "\
A grant is RIGHTS SCOPE PATTERN: rights are read, write, manage and admin, joined by commas; the
scope is server, stream, topic or group; the pattern is a name, or its beginning and '*'. A topic
is given with its stream: shop/orders, or shop/* for all of a stream. A grant to a stream is one to
its topics; one to the server, which has no pattern, is one to everything. Changes hold at once, on
open connections too.

  read     fetch and tail records; take part in a group and store its offsets
  write    send records
  manage   create, change, empty and delete; reset a group
  admin    users, tokens and grants; on the server only

Examples:
  tidewire grant add ada read,write topic 'shop/*'
  tidewire grant add ada read group 'billing*'
  tidewire grant remove ada write topic 'shop/*'
  tidewire grant add ops read,write,manage,admin server

Exit codes: 0 fine, 1 failed, 2 wrong usage")]
pub enum GrantCommand {
    /// Give a user rights
    Add {
        /// The user
        user: String,
        /// RIGHTS SCOPE [PATTERN], such as: read,write topic 'shop/*'
        #[arg(required = true, num_args = 2..=3, value_name = "GRANT")]
        grant: Vec<String>,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Take rights away, from grants of exactly this pattern
    Remove {
        /// The user
        user: String,
        /// RIGHTS SCOPE [PATTERN], such as: write topic 'shop/*'
        #[arg(required = true, num_args = 2..=3, value_name = "GRANT")]
        grant: Vec<String>,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List what a user may do
    List {
        /// The user
        user: String,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
}

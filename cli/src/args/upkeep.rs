//! `tidewire doctor` and `tidewire backup`: their flags.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Examine a data directory, and repair it
#[derive(Args, Debug)]
#[command(after_help = "\
It reads every segment, index and the catalog, checks every checksum, and says what is wrong in
words. No server may run on the directory; without --repair nothing in it is changed.

--repair does what loses nothing: it cuts torn tails off, makes indexes anew and moves left-over
files away. What it takes out of a log is kept in DIR/removed, with a note of where it came from.
Damaged records are left where they are unless --accept-loss says what to do about them:
  fill   puts empty records with the header 'tidewire-lost' in their place; all others stay,
         under their offsets
  cut    ends the log where the damage begins; everything after it is moved to DIR/removed
Both print which offsets are lost before they act, and ask unless --yes is given.

Examples:
  tidewire doctor /var/lib/tidewire
  tidewire doctor /var/lib/tidewire --json | jq .findings
  tidewire doctor /var/lib/tidewire --repair
  tidewire doctor /var/lib/tidewire --repair --accept-loss fill

Exit codes: 0 all is well, or was repaired; 1 something is wrong; 2 it could not look")]
pub struct DoctorArgs {
    /// The data directory
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,

    /// Repair what can be repaired without losing a record
    #[arg(long)]
    pub repair: bool,

    /// What to do about records that are damaged
    #[arg(long, value_name = "HOW", requires = "repair")]
    pub accept_loss: Option<AcceptLoss>,

    /// Do not ask before records are given up
    #[arg(long, requires = "accept_loss")]
    pub yes: bool,

    /// A file with the keys that the server encrypts its segments with, if it does
    #[arg(long, value_name = "FILE", env = "TIDEWIRE_AT_REST_KEY_FILE")]
    pub at_rest_key_file: Option<PathBuf>,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// What to do about records that are damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AcceptLoss {
    /// Put empty records in their place
    Fill,
    /// End the log before them
    Cut,
}

/// Copy a data directory, also while a server runs on it
#[derive(Args, Debug)]
#[command(after_help = "\
The copy is what a server would find after a crash at one moment during the backup, whole: every
record that was acknowledged as synced before the backup began is in it, every checksum is
verified while it is copied, and no log is cut within a batch. Run it on the machine of the
server, as its user. To restore, start a server on the copy, or on a copy of it.

Examples:
  tidewire backup /var/lib/tidewire /backup/tidewire-2026-01-31
  tidewire serve --dev --data /backup/tidewire-2026-01-31

Exit codes: 0 fine, 1 failed, 2 wrong usage, 130 ended by Ctrl-C; a copy that failed has no FORMAT
file, and no server starts on it")]
pub struct BackupArgs {
    /// The data directory
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,

    /// Where the copy goes: a directory that does not exist, or is empty
    #[arg(value_name = "OUT")]
    pub out: PathBuf,

    /// A file with the keys that the server encrypts its segments with, if it does
    #[arg(long, value_name = "FILE", env = "TIDEWIRE_AT_REST_KEY_FILE")]
    pub at_rest_key_file: Option<PathBuf>,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

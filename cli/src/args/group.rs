//! `tidewire group`: its flags.

use clap::{Args, Subcommand};

use super::ServerArgs;

/// List, describe, reset and delete consumer groups and stored offsets
#[derive(Debug, Subcommand)]
#[command(after_help = "\
A consumer with a name stores its offsets as a group without members, so these commands are for
both.

Examples:
  tidewire group list
  tidewire group describe billing
  tidewire group reset billing shop/orders --to earliest
  tidewire group reset billing shop/orders --to 120 --partition 3 --force
  tidewire group delete billing

Exit codes: 0 fine, 1 failed, 2 wrong usage")]
pub enum GroupCommand {
    /// Create a group without members, to set its offsets before the first one comes
    Create {
        /// Its name: 1 to 255 bytes of UTF-8, no '/'
        group: String,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List all groups
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Describe a group: members, who reads what, stored offsets, lag
    Describe {
        /// Its name
        group: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Delete a group that has no members, and its offsets
    Delete {
        /// Its name
        group: String,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Set where a group goes on in a topic
    Reset(ResetArgs),
    /// Forget the stored offsets of a topic that no member reads
    Forget {
        /// Its name
        group: String,
        /// The topic, STREAM/TOPIC
        topic: String,
        /// Only of this partition; may be given several times
        #[arg(long, value_name = "N")]
        partition: Vec<u32>,
        /// The server.
        #[command(flatten)]
        server: ServerArgs,
    },
}

/// What `tidewire group reset` takes.
#[derive(Args, Debug)]
pub struct ResetArgs {
    /// Its name
    pub group: String,
    /// The topic, STREAM/TOPIC
    pub topic: String,
    /// Where to go on, as of 'tidewire tail --from'; an offset is moved to the nearest that there
    /// is
    #[arg(long, value_name = "PLACE", value_parser = super::values::start)]
    pub to: tidewire::Start,
    /// Only this partition; may be given several times
    #[arg(long, value_name = "N")]
    pub partition: Vec<u32>,
    /// Do it while the group has members: they are sent to the new place
    #[arg(long)]
    pub force: bool,
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

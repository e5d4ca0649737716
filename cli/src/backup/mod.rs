//! `tidewire backup`.
//!
//! Owns the progress and what is said of the copy; how a consistent copy comes about is told by
//! the storage crate's `backup`. The one invariant: 0 is returned only for a copy on which
//! everything is whole.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use tidewire_storage::ErrorKind;
use tidewire_storage::backup::{Backup, backup};

use crate::args::upkeep::BackupArgs;
use crate::at_rest;
use crate::failure::Failure;
use crate::output::{self, number};

/// Copies a data directory.
pub fn run(args: BackupArgs) -> Result<(), Failure> {
    let style = ProgressStyle::with_template("{spinner} {bytes} copied, {bytes_per_sec}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    // Hidden where stderr is no terminal.
    let bar =
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
    let keys = at_rest::keys(args.at_rest_key_file.as_deref())?;
    let copied = backup(&args.dir, &args.out, &keys, |bytes| bar.inc(bytes));
    bar.finish_and_clear();
    let copied = copied.map_err(|error| {
        let failure = Failure::new(error.to_string());
        match error.kind() {
            ErrorKind::Corrupt => failure.hint("'tidewire doctor DIR' says what can be done"),
            ErrorKind::Full => failure.hint("make room, remove the copy, and begin again"),
            _ => failure,
        }
    })?;
    if args.json {
        output::json(&as_json(&copied, &args))?;
    } else {
        output::line(&summary(&copied, &args))?;
    }
    if copied.damaged.is_empty() {
        return Ok(());
    }
    for (place, why) in &copied.damaged {
        output::note(&format!("{place} is damaged and was copied as it is: {why}"));
    }
    let count = copied.damaged.len() as u64;
    let partitions = number::counted(count, "damaged partition", "damaged partitions");
    Err(Failure::new(format!("the copy is complete, but has {partitions}"))
        .hint("'tidewire doctor OUT' says what can be done"))
}

fn summary(copied: &Backup, args: &BackupArgs) -> String {
    format!(
        "copied {} with {}, {} in {}, to {}{}",
        number::counted(copied.topics as u64, "topic", "topics"),
        number::counted(copied.partitions as u64, "partition", "partitions"),
        number::counted(copied.segments as u64, "segment", "segments"),
        number::size(copied.bytes),
        args.out.display(),
        if copied.online { ", while a server ran" } else { "" },
    )
}

fn as_json(copied: &Backup, args: &BackupArgs) -> serde_json::Value {
    json!({
        "directory": args.dir.display().to_string(),
        "copy": args.out.display().to_string(),
        "online": copied.online,
        "topics": copied.topics,
        "partitions": copied.partitions,
        "segments": copied.segments,
        "bytes": copied.bytes,
        "damaged": copied.damaged.iter().map(|(place, why)| json!({
            "place": place,
            "reason": why,
        })).collect::<Vec<_>>(),
    })
}

//! What a fault means and what can be done about it, in words for an operator.
//!
//! Owns every sentence of a report. The one invariant: each says what is at stake, and names a
//! command or a decision.

use std::path::PathBuf;

use super::Finding;
use crate::log::{self, Fault};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a word, and in order.
    Note,
    /// Something is wrong, and nothing is lost: a start or a repair mends it.
    Repairable,
    /// Records that may have been acknowledged cannot be read.
    Damage,
}

impl Severity {
    /// A short name, for programs and the head of a line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Repairable => "repairable",
            Self::Damage => "damage",
        }
    }
}

/// What to tell of a log's fault.
pub(super) fn of_log(place: &str, found: &log::Finding, file: PathBuf) -> Finding {
    let fault = found.fault;
    let severity = match fault {
        fault if fault.is_loss() || fault == Fault::KeyMissing => Severity::Damage,
        fault if fault.is_note() => Severity::Note,
        _ => Severity::Repairable,
    };
    let (meaning, remedy) = match fault {
        Fault::TornTail => (
            "a write was cut short, by a loss of power or of the process; nothing valid follows, \
             so nothing that was acknowledged as synced is part of it",
            "nothing needs to be done: the next start cuts it off; --repair does so now and keeps \
             the bytes aside",
        ),
        Fault::Damaged | Fault::Missing | Fault::Unreadable => (
            "these records cannot be read; those before and after are whole. If the damage is in \
             the newest segment, or the segment has no index, the server quarantines the \
             partition there: it serves what lies before, and takes no appends",
            "restore the file from a backup. Without one: --repair --accept-loss fill puts empty \
             records in their place and keeps everything after them; --accept-loss cut ends the \
             log there",
        ),
        Fault::KeyMissing => (
            "the file is encrypted at rest, and what is in it can be read with its key only; \
             until then the server answers for this partition that it is damaged, and nothing of \
             it is repaired",
            "give the file of keys that has this key, too: --at-rest-key-file, and the server's \
             option at_rest_key_file",
        ),
        Fault::IndexMissing => (
            "the server walks the segment when it opens the partition, which takes time and \
             loses nothing",
            "nothing needs to be done; --repair makes it now",
        ),
        Fault::IndexDamaged | Fault::IndexStale => (
            "an index only says where to look; the segment itself is what counts",
            "--repair makes it anew from the segment",
        ),
        Fault::SnapshotDamaged => (
            "it holds which batches of each producer the log has; the server uses the one before \
             it, or reads the log from its start",
            "nothing needs to be done; --repair moves it aside",
        ),
        Fault::LeftOver => (
            "a crash left it behind; nothing that was acknowledged as synced is in it",
            "nothing needs to be done: the next start removes it; --repair moves it aside now",
        ),
        _ => (
            "it is not one of Tidewire's, and is left alone",
            "move it elsewhere if it does not belong there",
        ),
    };
    Finding {
        severity,
        fault: fault.name(),
        place: place.to_owned(),
        file,
        position: found.position,
        bytes: found.bytes,
        offsets: found.offsets.clone(),
        reason: found.reason.clone(),
        meaning: meaning.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// What to tell of a problem of the catalog.
pub(super) fn of_catalog(reason: String) -> Finding {
    Finding {
        severity: Severity::Damage,
        fault: "catalog",
        place: "catalog".to_owned(),
        file: PathBuf::from("catalog.redb"),
        position: 0,
        bytes: 0,
        offsets: 0..0,
        reason,
        meaning:
            "it holds which streams and topics there are; without it the logs under topics/ \
                  have no names, and the server does not start or forgets what was changed last"
                .to_owned(),
        remedy:
            "restore catalog.redb from a backup of this data directory; the logs need not be \
                 restored with it"
                .to_owned(),
    }
}

/// What to tell of a problem of the groups' file.
pub(super) fn of_groups(reason: String) -> Finding {
    Finding {
        severity: Severity::Damage,
        fault: "groups",
        place: "groups".to_owned(),
        file: PathBuf::from(crate::groups::FILE),
        position: 0,
        bytes: 0,
        offsets: 0..0,
        reason,
        meaning: "it holds how far each group has read; without it the server does not start, or \
                  groups begin where their consumers are told to, and may read records again or \
                  pass over some. No record is concerned"
            .to_owned(),
        remedy: "restore groups.redb from a backup of this data directory; the logs need not be \
                 restored with it. Without one: move it away, start the server, and reset the \
                 groups' offsets"
            .to_owned(),
    }
}

/// What to tell of a stored offset that lies after its log's end.
pub(super) fn of_offset_past_end(place: &str, group: &str, offset: u64, end: u64) -> Finding {
    Finding {
        severity: Severity::Note,
        fault: "offset_past_end",
        place: place.to_owned(),
        file: PathBuf::from(crate::groups::FILE),
        position: 0,
        bytes: 0,
        offsets: end..offset,
        reason: format!("group \"{group}\" has read up to offset {offset}, the log ends at {end}"),
        meaning: "the group has seen records that the log does not hold any more: a loss of power \
                  took what was acknowledged as written and not yet as synced, or the log was cut, \
                  or the file is of another copy. The offsets will be given out again"
            .to_owned(),
        remedy: "reset the group's offset to the log's end before its consumers go on, or they \
                 begin by the policy that they were given"
            .to_owned(),
    }
}

/// What to tell of a directory of a topic that is not in the catalog.
pub(super) fn of_orphan(id: u64, dir: PathBuf) -> Finding {
    Finding {
        severity: Severity::Note,
        fault: "deleted_topic",
        place: format!("topic {id}"),
        file: dir,
        position: 0,
        bytes: 0,
        offsets: 0..0,
        reason: format!("the catalog has no topic with id {id}"),
        meaning: "the topic was deleted, and a crash came before its files were removed"
            .to_owned(),
        remedy: "nothing needs to be done: the next start removes them".to_owned(),
    }
}

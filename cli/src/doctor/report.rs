//! What an examination found, as text and as JSON.

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

use serde_json::{Value, json};
use tidewire_storage::doctor::{Finding, REMOVED_DIR, Report, Severity};
use tidewire_storage::log::Mended;

use crate::output::{Style, number};

/// Something that a repair did.
pub struct Done {
    place: String,
    file: String,
    fault: &'static str,
    what: String,
    lost: Range<u64>,
}

/// Takes note of what a repair did.
pub fn done(place: &str, mended: &Mended, root: &Path) -> Done {
    let file = mended.file.strip_prefix(root).unwrap_or(&mended.file);
    Done {
        place: place.to_owned(),
        file: file.display().to_string(),
        fault: mended.fault.name(),
        what: mended.what.clone(),
        lost: mended.lost.clone(),
    }
}

/// `offsets 5 to 9 (5 records)`.
pub fn offsets(range: &Range<u64>) -> String {
    match range.end.saturating_sub(range.start) {
        0 => format!("at offset {}, number of records unknown", range.start),
        1 => format!("offset {} (1 record)", range.start),
        count => format!(
            "offsets {} to {} ({} records)",
            range.start,
            range.end - 1,
            number::count(count)
        ),
    }
}

/// The whole report for a person.
pub fn text(report: &Report, done: &[Done], dir: &Path, repaired: bool) -> String {
    let style = Style::stdout();
    let mut out = String::new();
    let sum = |of: fn(&tidewire_storage::log::LogCheck) -> u64| -> u64 {
        report.partitions.iter().map(|partition| of(&partition.check)).sum()
    };
    let _ = writeln!(
        out,
        "{}: {}, {}, {} with data, {}, {} in {}",
        style.bold(&dir.display().to_string()),
        number::counted(report.topics as u64, "topic", "topics"),
        number::counted(report.groups as u64, "group", "groups"),
        number::counted(report.partitions.len() as u64, "partition", "partitions"),
        number::counted(sum(|check| check.segments as u64), "segment", "segments"),
        number::counted(sum(|check| check.batches), "good batch", "good batches"),
        number::size(sum(|check| check.bytes)),
    );
    if !report.encrypted.is_empty() {
        let of_key = |(id, count): (&u32, &u64)| {
            format!("{} with key {id}", number::counted(*count, "file", "files"))
        };
        let keys: Vec<String> = report.encrypted.iter().map(of_key).collect();
        let plain = number::counted(report.plain, "file is not", "files are not");
        let _ = writeln!(out, "encrypted at rest: {}; {plain}", keys.join(", "));
    }
    for Done { place, file, what, lost, .. } in done {
        let lost =
            if lost.is_empty() { String::new() } else { format!("; lost: {}", offsets(lost)) };
        let _ = writeln!(out, "\n{}  {place}\n  {file}: {what}{lost}", style.green("repaired"));
    }
    if !done.is_empty() {
        let _ = writeln!(
            out,
            "\nwhat was taken out is kept in {}",
            dir.join(REMOVED_DIR).display()
        );
    }
    for finding in &report.findings {
        out += &finding_text(finding, style);
    }
    if report.more_findings > 0 {
        let _ = writeln!(
            out,
            "\nand {} more, past the limit of {} for each partition",
            number::count(report.more_findings),
            number::count(tidewire_storage::log::MAX_FINDINGS as u64)
        );
    }
    if report.is_clean() {
        let all = if repaired && !done.is_empty() { "now all is well" } else { "all is well" };
        let _ = writeln!(out, "{}", style.green(all));
    }
    out
}

fn finding_text(finding: &Finding, style: Style) -> String {
    let head = match finding.severity {
        Severity::Damage => style.red("damage"),
        Severity::Repairable => style.bold("repairable"),
        Severity::Note => style.dim("note"),
    };
    let mut out = format!("\n{head}  {}", finding.place);
    let of_log = !matches!(finding.fault, "catalog" | "groups");
    if finding.severity == Severity::Damage && of_log {
        let _ = write!(out, "  {}", offsets(&finding.offsets));
    }
    let _ = write!(out, "\n  file     {}", finding.file.display());
    if finding.bytes > 0 || finding.position > 0 {
        let end = finding.position + finding.bytes;
        let _ = write!(out, ", bytes {} to {end}", finding.position);
    }
    let Finding { fault, reason, meaning, remedy, .. } = finding;
    let _ = writeln!(
        out,
        "\n  found    {}: {reason}\n  meaning  {meaning}\n  remedy   {remedy}",
        fault.replace('_', " ")
    );
    out
}

/// The last line of a report that is not clean.
pub fn verdict(report: &Report) -> String {
    let (damage, repairable) =
        (report.count(Severity::Damage), report.count(Severity::Repairable));
    let mut parts = Vec::new();
    if damage > 0 {
        let more = if report.more_findings > 0 { " at least" } else { "" };
        parts.push(format!("damage found in {}{more}", places(damage)));
    }
    if repairable > 0 {
        parts.push(format!("nothing lost, but something to repair in {}", places(repairable)));
    }
    parts.join("; ")
}

fn places(count: usize) -> String {
    number::counted(count as u64, "place", "places")
}

/// The whole report for a program.
pub fn json(report: &Report, done: &[Done], dir: &Path) -> Value {
    let range = |offsets: &Range<u64>| {
        (!offsets.is_empty()).then(|| json!({"start": offsets.start, "end": offsets.end}))
    };
    json!({
        "directory": dir.display().to_string(),
        "clean": report.is_clean(),
        "topics": report.topics,
        "groups": report.groups,
        "partitions": report.partitions.iter().map(|partition| json!({
            "name": partition.name,
            "directory": partition.dir.display().to_string(),
            "start_offset": partition.check.start,
            "end_offset": partition.check.end,
            "segments": partition.check.segments,
            "batches": partition.check.batches,
            "bytes": partition.check.bytes,
        })).collect::<Vec<_>>(),
        "findings": report.findings.iter().map(|finding| json!({
            "severity": finding.severity.name(),
            "fault": finding.fault,
            "place": finding.place,
            "file": finding.file.display().to_string(),
            "position": finding.position,
            "bytes": finding.bytes,
            "offsets": range(&finding.offsets),
            "reason": finding.reason,
            "meaning": finding.meaning,
            "remedy": finding.remedy,
        })).collect::<Vec<_>>(),
        "more_findings": report.more_findings,
        "at_rest": {"files_by_key": report.encrypted, "plain_files": report.plain},
        "repaired": done.iter().map(|done| json!({
            "place": done.place,
            "file": done.file,
            "fault": done.fault,
            "what": done.what,
            "lost_offsets": range(&done.lost),
        })).collect::<Vec<_>>(),
    })
}

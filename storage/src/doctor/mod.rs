//! Examining and repairing a data directory that no server has open.
//!
//! Owns what is looked at and in which words it is reported; what is wrong with one log is told
//! by [`crate::log::check()`], and mended by [`crate::log::mend()`].
//!
//! Invariant: an examination changes nothing. A repair takes nothing away that it did not keep
//! aside first, under `removed/`.

#![expect(clippy::disallowed_methods, reason = "a tool for people, on real directories")]

mod aside;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::catalog::{Catalog, check_catalog};
use crate::data_dir::DataDir;
use crate::disk::{Disk, DiskFile, OpenMode, RealDisk, crypt, read_up_to_at};
use crate::error::{Error, ErrorKind};
use crate::groups::{self, StoredGroup, check_groups};
use crate::log::{self, LogCheck, Loss};
pub use aside::{KeptAside, REMOVED_DIR};
pub use words::Severity;

/// One thing to tell the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A short name of the fault, for programs.
    pub fault: &'static str,
    /// `stream/topic[partition]`, or `catalog`.
    pub place: String,
    /// The file, relative to the data directory.
    pub file: PathBuf,
    /// Where in the file it begins, in bytes, and how many bytes are concerned.
    pub position: u64,
    /// How many bytes are concerned; 0 for all of the file.
    pub bytes: u64,
    /// Offsets of the records concerned; empty if none are, or their number is unknown.
    pub offsets: Range<u64>,
    /// What was found.
    pub reason: String,
    /// What it means.
    pub meaning: String,
    /// What can be done about it.
    pub remedy: String,
}

/// A log, and whose it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PartitionReport {
    /// `stream/topic[partition]`.
    pub name: String,
    /// Where its files are, relative to the data directory.
    pub dir: PathBuf,
    /// What it holds.
    pub check: LogCheck,
}

/// What an examination found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Topics in the catalog.
    pub topics: usize,
    /// Groups with stored offsets or members.
    pub groups: usize,
    /// Logs that have files.
    pub partitions: Vec<PartitionReport>,
    /// What is wrong or worth a word, the worst of each log first come.
    pub findings: Vec<Finding>,
    /// Findings past the limit of one log.
    pub more_findings: u64,
    /// How many files of logs are encrypted at rest, by the number of their key.
    pub encrypted: BTreeMap<u32, u64>,
    /// How many are not.
    pub plain: u64,
}

impl Report {
    /// Findings of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Whether there is nothing that a repair could mend or an operator should know of.
    pub fn is_clean(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity == Severity::Note)
    }
}

/// How far an examination is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Bytes checked.
    pub done_bytes: u64,
    /// Bytes of all segment files.
    pub total_bytes: u64,
}

/// A log's directory, and whose it is.
struct Place {
    /// Its topic's number, and its own.
    id: (u64, u32),
    name: String,
    dir: PathBuf,
}

/// Examines everything in a data directory.
///
/// # Errors
/// If a directory cannot be listed. Whatever is wrong with a file is a finding.
pub fn examine(
    data_dir: &DataDir,
    mut progress: impl FnMut(Progress),
) -> Result<Report, Error> {
    let mut report = Report::default();
    let catalog = examine_catalog(data_dir.path(), &mut report);
    let places = places(data_dir, catalog.as_ref(), &mut report)?;
    let groups = examine_groups(data_dir.path(), &mut report);
    let mut state = Progress { done_bytes: 0, total_bytes: total_bytes(&places) };
    progress(state);
    let disk = data_dir.disk();
    for Place { id, name, dir } in places {
        let check = log::check(&disk, &dir, |bytes| {
            state.done_bytes += bytes;
            progress(state);
        })?;
        count_keys(&dir, &mut report);
        let shown = relative(data_dir, &dir);
        for found in &check.findings {
            let file = relative(data_dir, &found.file);
            report.findings.push(words::of_log(&name, found, file));
        }
        report.more_findings += check.more_findings;
        for group in &groups {
            let stored = group.offsets.get(&id).map(|row| row.offset);
            if let Some(offset) = stored.filter(|offset| *offset > check.end) {
                let found = words::of_offset_past_end(&name, &group.name, offset, check.end);
                report.findings.push(found);
            }
        }
        report.partitions.push(PartitionReport { name, dir: shown, check });
    }
    Ok(report)
}

/// Repairs what is safe to repair, and with `loss` what is not, until an examination finds
/// nothing more that it can. `say` is told of each thing done.
///
/// # Errors
/// If the disk refuses. What was done until then stays.
pub fn repair(
    data_dir: &DataDir,
    loss: Loss,
    stamp: &str,
    mut progress: impl FnMut(Progress),
    mut say: impl FnMut(&str, &log::Mended),
) -> Result<(Report, usize), Error> {
    let mut aside = KeptAside::new(data_dir, stamp);
    let disk = data_dir.disk();
    let mut done = 0;
    loop {
        let report = examine(data_dir, &mut progress)?;
        let before = done;
        for partition in &report.partitions {
            let dir = data_dir.path().join(&partition.dir);
            let mended = log::mend(&disk, &dir, &partition.check, loss, &mut aside)?;
            done += mended.len();
            mended.iter().for_each(|mended| say(&partition.name, mended));
        }
        if done == before {
            return Ok((report, done));
        }
    }
}

/// The offsets that a repair with `loss` gives up, by partition.
pub fn losses(report: &Report, loss: Loss) -> Vec<(String, Vec<Range<u64>>)> {
    let lost = report
        .partitions
        .iter()
        .map(|partition| (partition.name.clone(), log::losses(&partition.check, loss)));
    lost.filter(|(_, ranges)| !ranges.is_empty()).collect()
}

fn examine_catalog(dir: &Path, report: &mut Report) -> Option<Catalog> {
    match check_catalog(dir) {
        Ok(check) => {
            report.findings.extend(check.problems.into_iter().map(words::of_catalog));
            report.topics = check.catalog.topics().count();
            Some(check.catalog)
        }
        Err(error) => {
            let missing = error.kind() == ErrorKind::Io
                && !dir.join("catalog.redb").exists()
                && !dir.join("topics").exists();
            if missing {
                // A directory whose first start was cut short.
                return Some(Catalog::default());
            }
            report.findings.push(words::of_catalog(error.to_string()));
            None
        }
    }
}

fn examine_groups(dir: &Path, report: &mut Report) -> Vec<StoredGroup> {
    match check_groups(dir) {
        Ok((groups, problems)) => {
            report.findings.extend(problems.into_iter().map(words::of_groups));
            report.groups = groups.len();
            groups
        }
        Err(error) => {
            let begun = dir.join("topics").exists();
            let missing = error.kind() == ErrorKind::Io && !dir.join(groups::FILE).exists();
            // Of a directory whose first start was cut short nothing is missed.
            if begun || !missing {
                report.findings.push(words::of_groups(error.to_string()));
            }
            Vec::new()
        }
    }
}

/// Every directory that holds a log.
fn places(
    data_dir: &DataDir,
    catalog: Option<&Catalog>,
    report: &mut Report,
) -> Result<Vec<Place>, Error> {
    let topics: BTreeMap<u64, (String, u32)> = catalog
        .into_iter()
        .flat_map(Catalog::topics)
        .map(|topic| (topic.id, (format!("{}/{}", topic.stream, topic.name), topic.partitions)))
        .collect();
    let mut places = Vec::new();
    for id in numbers_in(&data_dir.topics_dir())? {
        let dir = data_dir.topic_dir(id);
        let known = topics.get(&id);
        if known.is_none() && catalog.is_some() {
            report.findings.push(words::of_orphan(id, relative(data_dir, &dir)));
        }
        for partition in numbers_in(&dir)? {
            let Ok(partition) = u32::try_from(partition) else { continue };
            let name = match known {
                Some((name, count)) if partition < *count => format!("{name}[{partition}]"),
                Some((name, _)) => {
                    format!("{name}[{partition}], which the topic does not have")
                }
                None => format!("topic {id}[{partition}]"),
            };
            let dir = data_dir.partition_dir(id, partition);
            places.push(Place { id: (id, partition), name, dir });
        }
    }
    Ok(places)
}

/// The names in a directory that are numbers, as numbers; none if there is no directory.
fn numbers_in(dir: &Path) -> Result<Vec<u64>, Error> {
    let failed = |error| Error::io("listing", dir, error);
    if !RealDisk.exists(dir).map_err(failed)? {
        return Ok(Vec::new());
    }
    let names = RealDisk.read_dir(dir).map_err(failed)?;
    let number =
        |name: &String| name.parse::<u64>().ok().filter(|number| number.to_string() == *name);
    let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Which keys the files of a log are encrypted with: a key that no file has may go. What cannot
/// be read is found elsewhere.
fn count_keys(dir: &Path, report: &mut Report) {
    for name in RealDisk.read_dir(dir).unwrap_or_default() {
        let path = dir.join(&name);
        if !crypt::is_ours(&path) {
            continue;
        }
        let mut area = vec![0; crypt::BODY_AT];
        let read = RealDisk.open(&path, OpenMode::Read).and_then(|file| {
            let held = read_up_to_at(&file, &mut area, 0)?;
            area.truncate(held);
            file.len()
        });
        let Ok(whole) = read else { continue };
        match crypt::key_id(&path, &area, whole) {
            Some(id) => *report.encrypted.entry(id).or_default() += 1,
            None => report.plain += 1,
        }
    }
}

/// For the progress alone: what cannot be measured counts nothing.
fn total_bytes(places: &[Place]) -> u64 {
    let mut total = 0;
    for Place { dir, .. } in places {
        let names = RealDisk.read_dir(dir).unwrap_or_default();
        for name in
            names.iter().filter(|name| name.ends_with(".log") || name.ends_with(".next"))
        {
            let file = RealDisk.open(&dir.join(name), OpenMode::Read);
            total += file.and_then(|file| file.len()).unwrap_or(0);
        }
    }
    total
}

fn relative(data_dir: &DataDir, path: &Path) -> PathBuf {
    path.strip_prefix(data_dir.path()).unwrap_or(path).to_owned()
}

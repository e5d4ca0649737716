//! Copying a data directory, also while a server runs on it.
//!
//! The order makes the copy consistent: the catalog and the groups first, under the locks that their
//! writers take, then each log. Logs only grow, so nothing that is said of one (how far a group has
//! read, say) lies beyond the copied end. Where each log ends is looked up before the first of them is
//! copied, so that a copy has an end whatever is written meanwhile. `FORMAT` comes last: a server
//! refuses a copy without.
//!
//! Invariant: whatever was acknowledged as synced before [`backup`] was called is in the copy.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a tool for people, on real directories"
)]

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tidewire_protocol::batch::EncryptionKeys;

use crate::catalog::{
    Catalog, check_bytes, forget_topics, read_catalog_file, read_guarded_file,
};
use crate::data_dir::{DataDir, expect_format, write_format};
use crate::disk::{Disk, RealDisk, ServerDisk, create_dir_durable};
use crate::error::{Error, ErrorKind};
use crate::log::LogCopier;
use crate::{at_rest, groups};

/// What was copied.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Backup {
    /// Whether a server held the directory meanwhile.
    pub online: bool,
    /// Topics in the copy.
    pub topics: usize,
    /// Logs in the copy.
    pub partitions: usize,
    /// Segment files.
    pub segments: usize,
    /// Bytes of segments.
    pub bytes: u64,
    /// Logs that are damaged and were copied as they are: `stream/topic[partition]`, and why.
    pub damaged: Vec<(String, String)>,
}

/// Copies the data directory at `from` to `to`, which must not exist, or be empty. What is
/// encrypted at rest needs its keys, and is encrypted in the copy with the last of them.
/// `progress` is told of bytes as they are copied.
///
/// # Errors
/// [`ErrorKind::Format`] if `from` is not a data directory of this format; [`ErrorKind::Invalid`]
/// if `to` is not empty or lies in `from`, or a key is missing; [`ErrorKind::Corrupt`] if the
/// catalog is damaged;
/// [`ErrorKind::Full`] or [`ErrorKind::Io`] if a disk refuses. `to` then has no `FORMAT` file.
pub fn backup(
    from: &Path,
    to: &Path,
    keys: &EncryptionKeys,
    mut progress: impl FnMut(u64),
) -> Result<Backup, Error> {
    expect_format(from)?;
    // Held to the end if no server has it: none may start and change names meanwhile.
    let held = match DataDir::open_existing(from) {
        Ok(held) => Some(held),
        Err(error) if error.kind() == ErrorKind::Locked => None,
        Err(error) => return Err(error),
    };
    at_rest::expect_key(from, keys)?;
    prepare(from, to)?;
    at_rest::note_key(to, keys)?;
    let mut done = Backup { online: held.is_none(), ..Backup::default() };

    let catalog_path = to.join("catalog.redb");
    let bytes = read_catalog_file(from)?;
    let catalog = check_bytes(&bytes, &from.join("catalog.redb"))?;
    if let Some(problem) = catalog.problems.first() {
        let text = format!("the catalog in {} is damaged: {problem}", from.display());
        return Err(Error::new(ErrorKind::Corrupt, text));
    }
    write_file(&catalog_path, &bytes)
        .map_err(|error| Error::io("writing", &catalog_path, error))?;
    // A directory of before there were groups has no file of them.
    if from.join(groups::FILE).exists() {
        let bytes = read_guarded_file(from, groups::FILE, groups::LOCK_FILE)?;
        let path = to.join(groups::FILE);
        write_file(&path, &bytes).map_err(|error| Error::io("writing", &path, error))?;
    }
    let disk = ServerDisk::new(RealDisk, keys.clone());
    copy_logs(&disk, from, to, &catalog.catalog, &mut done, &mut progress)?;

    // A topic that was deleted meanwhile may be there in part.
    let now = check_bytes(&read_catalog_file(from)?, &from.join("catalog.redb"))?;
    let gone: Vec<u64> = catalog
        .catalog
        .topics()
        .filter(|topic| now.catalog.topics().all(|other| other.id != topic.id))
        .map(|topic| topic.id)
        .collect();
    let is_gone = |name: &str| {
        let mut topics = catalog.catalog.topics().filter(|topic| gone.contains(&topic.id));
        topics.any(|topic| name.starts_with(&format!("{}/{}[", topic.stream, topic.name)))
    };
    done.damaged.retain(|(name, _)| !is_gone(name));
    for id in &gone {
        let dir = to.join("topics").join(id.to_string());
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(|error| Error::io("removing", &dir, error))?;
        }
    }
    if !gone.is_empty() {
        forget_topics(&catalog_path, &gone)?;
    }
    done.topics = catalog.catalog.topics().count() - gone.len();
    write_format(to).map_err(|error| Error::io("writing to", to, error))?;
    Ok(done)
}

fn prepare(from: &Path, to: &Path) -> Result<(), Error> {
    let invalid = |why: &str| {
        Error::new(ErrorKind::Invalid, format!("the copy cannot go to {}: {why}", to.display()))
    };
    if to.exists() {
        let names = RealDisk.read_dir(to).map_err(|error| Error::io("listing", to, error))?;
        if names.iter().any(|name| name != "lost+found") {
            return Err(invalid("it is not empty"));
        }
    }
    create_dir_durable(&RealDisk, to).map_err(|error| Error::io("creating", to, error))?;
    let real =
        |path: &Path| fs::canonicalize(path).map_err(|error| Error::io("finding", path, error));
    if real(to)?.starts_with(real(from)?) {
        return Err(invalid("it lies in the data directory itself"));
    }
    Ok(())
}

fn copy_logs(
    disk: &ServerDisk,
    from: &Path,
    to: &Path,
    catalog: &Catalog,
    done: &mut Backup,
    progress: &mut impl FnMut(u64),
) -> Result<(), Error> {
    let mut copiers = Vec::new();
    for topic in catalog.topics() {
        let topic_dir = Path::new("topics").join(topic.id.to_string());
        for partition in 0..topic.partitions {
            let dir = topic_dir.join(partition.to_string());
            let exists = RealDisk
                .exists(&from.join(&dir))
                .map_err(|error| Error::io("looking for", &from.join(&dir), error))?;
            if exists {
                let copier = LogCopier::begin(disk, &from.join(&dir), &to.join(&dir))?;
                copiers.push((topic, partition, copier));
            }
        }
    }
    for (topic, partition, copier) in copiers {
        let copied = copier.run(&mut *progress)?;
        done.partitions += 1;
        done.segments += copied.segments;
        done.bytes += copied.bytes;
        if let Some(damage) = copied.damage {
            let name = format!("{}/{}[{partition}]", topic.stream, topic.name);
            done.damaged.push((name, damage));
        }
    }
    Ok(())
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    // As the original: it may hold what passwords can be tried against.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(bytes)?;
    file.sync_all()
}

//! The tables of `groups.redb`.
//!
//! Owns their layout. Groups and members are JSON, so that a later version can add to them;
//! offsets, which are many, are plain columns. Keys begin with the group's name, so that what
//! belongs to a group lies together.

use std::collections::BTreeMap;
use std::path::Path;

use redb::{
    ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};
use serde::{Deserialize, Serialize};

use super::{GroupRow, MemberRow, OffsetRow, StoredGroup, Writes};
use crate::catalog::{GuardedDatabase, open_file};
use crate::data_dir::DataDir;
use crate::disk::Disk;
use crate::error::{Error, ErrorKind};

const GROUPS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("groups");
const MEMBERS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("members");
type OffsetKey<'a> = (&'a str, u64, u32);
type OffsetValue<'a> = (u64, i64, &'a str);
const OFFSETS: TableDefinition<'_, OffsetKey<'_>, OffsetValue<'_>> =
    TableDefinition::new("offsets");

pub(crate) const FILE: &str = "groups.redb";
/// Beside it; empty.
pub(crate) const LOCK_FILE: &str = "groups.lock";
/// Offsets that are stored again and again stay in memory.
const CACHE_BYTES: usize = 1 << 20;

/// The one writer of groups. Its calls block; use it from a thread that may.
#[derive(Debug)]
pub struct GroupStore {
    database: GuardedDatabase,
}

impl GroupStore {
    /// Opens the file, or creates it.
    ///
    /// # Errors
    /// It is damaged, of a version that cannot be read, or the disk fails.
    pub fn open(data_dir: &DataDir) -> Result<Self, Error> {
        Self::with(GuardedDatabase::open(data_dir, FILE, LOCK_FILE, CACHE_BYTES)?)
    }

    /// Opens the file in the directory `dir` of a disk that nobody shares, or creates it: for a
    /// simulation.
    ///
    /// # Errors
    /// As [`GroupStore::open`].
    pub fn over<D: Disk>(disk: &D, dir: &Path) -> Result<Self, Error> {
        Self::with(GuardedDatabase::over(disk, &dir.join(FILE), CACHE_BYTES)?)
    }

    fn with(database: GuardedDatabase) -> Result<Self, Error> {
        let store = Self { database };
        // Opening a table creates it, so that reading finds it later.
        store.write(&[])?;
        Ok(store)
    }

    /// All groups, by name.
    ///
    /// # Errors
    /// A row cannot be read, or the disk fails.
    pub fn load(&self) -> Result<Vec<StoredGroup>, Error> {
        load(&self.database.begin_read().map_err(failed)?)
    }

    /// Carries out all writes, in order, as one transaction that is on the disk when this
    /// returns.
    ///
    /// # Errors
    /// The disk fails or is full; then nothing of it was done.
    pub fn write(&self, writes: &[&Writes]) -> Result<(), Error> {
        self.database.locked(failed, |database| {
            let transaction = database.begin_write().map_err(failed)?;
            for writes in writes {
                apply(&transaction, writes)?;
            }
            if writes.is_empty() {
                apply(&transaction, &Writes::default())?;
            }
            transaction.commit().map_err(failed)
        })
    }
}

/// All groups, by name, as a transaction sees them.
fn load(transaction: &ReadTransaction) -> Result<Vec<StoredGroup>, Error> {
    let mut groups = BTreeMap::new();
    let rows = transaction.open_table(GROUPS).map_err(failed)?;
    for row in rows.iter().map_err(failed)? {
        let (key, bytes) = row.map_err(failed)?;
        let name = key.value().to_owned();
        let row: GroupRow = decode(&name, bytes.value())?;
        let group = StoredGroup {
            name: name.clone(),
            row,
            members: BTreeMap::new(),
            offsets: BTreeMap::new(),
        };
        groups.insert(name, group);
    }
    let rows = transaction.open_table(MEMBERS).map_err(failed)?;
    for row in rows.iter().map_err(failed)? {
        let (key, bytes) = row.map_err(failed)?;
        let (name, id) = key.value();
        let row: MemberRow = decode(name, bytes.value())?;
        if let Some(group) = groups.get_mut(name) {
            group.members.insert(id, row);
        }
    }
    let rows = transaction.open_table(OFFSETS).map_err(failed)?;
    for row in rows.iter().map_err(failed)? {
        let (key, value) = row.map_err(failed)?;
        let (name, topic, partition) = key.value();
        let (offset, commit_us, note) = value.value();
        let row = OffsetRow { offset, commit_us, note: note.to_owned() };
        if let Some(group) = groups.get_mut(name) {
            group.offsets.insert((topic, partition), row);
        }
    }
    Ok(groups.into_values().collect())
}

fn apply(transaction: &WriteTransaction, writes: &Writes) -> Result<(), Error> {
    let mut groups = transaction.open_table(GROUPS).map_err(failed)?;
    let mut members = transaction.open_table(MEMBERS).map_err(failed)?;
    let mut offsets = transaction.open_table(OFFSETS).map_err(failed)?;
    for name in &writes.cleared {
        let name = name.as_str();
        groups.remove(name).map_err(failed)?;
        members.retain_in((name, 0)..=(name, u64::MAX), |_, _| false).map_err(failed)?;
        let all = (name, 0, 0)..=(name, u64::MAX, u32::MAX);
        offsets.retain_in(all, |_, _| false).map_err(failed)?;
    }
    for (name, row) in &writes.groups {
        groups.insert(name.as_str(), encode(row).as_slice()).map_err(failed)?;
    }
    for ((name, id), row) in &writes.members {
        let key = (name.as_str(), *id);
        match row {
            Some(row) => members.insert(key, encode(row).as_slice()).map_err(failed)?,
            None => members.remove(key).map_err(failed)?,
        };
    }
    for ((name, topic, partition), row) in &writes.offsets {
        let key = (name.as_str(), *topic, *partition);
        match row {
            Some(row) => offsets
                .insert(key, (row.offset, row.commit_us, row.note.as_str()))
                .map_err(failed)?,
            None => offsets.remove(key).map_err(failed)?,
        };
    }
    Ok(())
}

/// Examines the file in the data directory at `dir`, which nobody writes to: the groups, and what
/// is wrong with it, in words. Changes nothing.
///
/// # Errors
/// [`ErrorKind::Corrupt`] if it cannot be read at all, [`ErrorKind::Io`] if its file cannot.
pub fn check_groups(dir: &Path) -> Result<(Vec<StoredGroup>, Vec<String>), Error> {
    let (database, mut problems) = open_file(dir, FILE)?;
    let transaction = database.begin_read().map_err(failed)?;
    let groups = load(&transaction)?;
    let known = |name: &str| groups.iter().any(|group| group.name == name);
    let rows = transaction.open_table(OFFSETS).map_err(failed)?;
    let mut ownerless = 0_u64;
    for row in rows.iter().map_err(failed)? {
        let (key, _) = row.map_err(failed)?;
        ownerless += u64::from(!known(key.value().0));
    }
    if ownerless > 0 {
        problems.push(format!("{ownerless} stored offsets belong to no group"));
    }
    Ok((groups, problems))
}

fn encode(row: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(row).expect("a row is a plain struct")
}

fn decode<'a, T: Deserialize<'a>>(group: &str, bytes: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = format!("{FILE}: group \"{group}\" cannot be read: {error}");
        Error::new(ErrorKind::Corrupt, text)
    })
}

fn failed(error: impl Into<redb::Error>) -> Error {
    let error = error.into();
    let kind = match &error {
        redb::Error::Corrupted(_) => ErrorKind::Corrupt,
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            ErrorKind::Full
        }
        _ => ErrorKind::Io,
    };
    Error::new(kind, format!("{FILE}: {error}"))
}

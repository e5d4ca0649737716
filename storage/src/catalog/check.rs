//! Examining a catalog that nobody writes to, and copying one that somebody may.
//!
//! Works on a copy in memory: redb repairs a database when it opens it, and an examination must
//! change nothing.

#![expect(
    clippy::disallowed_types,
    reason = "the database opens its file by itself; this reads a copy of it"
)]

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use redb::backends::InMemoryBackend;
use redb::{ReadableDatabase, StorageBackend};

use super::guard::{LOCK_FILE, open_lock};
use super::store::{
    COUNTERS, FILE, NEXT_STREAM_ID, NEXT_TOPIC_ID, STREAMS, TOPICS, load, open_error,
};
use super::{Catalog, CatalogError};
use crate::error::{Error, ErrorKind};

/// Largest catalog that is examined, in bytes: it is held in memory.
const MAX_CATALOG_BYTES: u64 = 4 << 30;

/// What an examination of a catalog found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogCheck {
    /// What it holds.
    pub catalog: Catalog,
    /// What is wrong with it, in words.
    pub problems: Vec<String>,
}

/// Examines the catalog in the data directory at `dir`: every checksum, every row.
///
/// # Errors
/// [`ErrorKind::Corrupt`] if it cannot be read at all, [`ErrorKind::Io`] if its file cannot.
pub fn check_catalog(dir: &Path) -> Result<CatalogCheck, Error> {
    let path = dir.join(FILE);
    let bytes = read(&path).map_err(|error| Error::io("reading", &path, error))?;
    check_bytes(&bytes, &path)
}

/// The catalog's file as it is between two changes of a server that may run on `dir` meanwhile.
///
/// # Errors
/// [`ErrorKind::Io`] if it cannot be read.
pub fn read_catalog_file(dir: &Path) -> Result<Vec<u8>, Error> {
    read_guarded_file(dir, FILE, LOCK_FILE)
}

/// A database's file as it is between two writes.
pub(crate) fn read_guarded_file(
    dir: &Path,
    file: &str,
    lock_file: &str,
) -> Result<Vec<u8>, Error> {
    let lock_path = dir.join(lock_file);
    let lock = open_lock(&lock_path)
        .and_then(|lock| lock.lock().map(|()| lock))
        .map_err(|error| Error::io("locking", &lock_path, error))?;
    let path = dir.join(file);
    let bytes = read(&path).map_err(|error| Error::io("reading", &path, error));
    drop(lock);
    bytes
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    if len > MAX_CATALOG_BYTES {
        let text = format!("it has {len} bytes, the limit is {MAX_CATALOG_BYTES}");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    file.take(MAX_CATALOG_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Examines the bytes of a catalog's file.
pub(crate) fn check_bytes(bytes: &[u8], path: &Path) -> Result<CatalogCheck, Error> {
    let (database, mut problems) = open_copy(bytes, path)?;
    let corrupt = |error: &dyn std::fmt::Display| damaged(path, error);
    let catalog = load(&database).map_err(|error| corrupt(&error))?;
    problems.extend(check_counters(&database).map_err(|error| corrupt(&error))?);
    Ok(CatalogCheck { catalog, problems })
}

/// Examines the database in the data directory at `dir` as far as its own format goes: a copy in
/// memory, every checksum of which was checked, and what is wrong, in words.
pub(crate) fn open_file(
    dir: &Path,
    file: &str,
) -> Result<(redb::Database, Vec<String>), Error> {
    let path = dir.join(file);
    let bytes = read(&path).map_err(|error| Error::io("reading", &path, error))?;
    open_copy(&bytes, &path)
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{} is damaged: {error}", path.display()))
}

fn open_copy(bytes: &[u8], path: &Path) -> Result<(redb::Database, Vec<String>), Error> {
    let corrupt = |error: &dyn std::fmt::Display| damaged(path, error);
    if bytes.is_empty() {
        return Err(corrupt(&"it is empty"));
    }
    let backend = InMemoryBackend::new();
    backend
        .set_len(bytes.len() as u64)
        .and_then(|()| backend.write(0, bytes))
        .map_err(|error| Error::io("copying", path, error))?;
    let mut database = redb::Builder::new().create_with_backend(backend).map_err(|error| {
        let error = open_error(path, error);
        // Of a file in memory nothing can fail but its contents.
        if error.kind() == ErrorKind::Io { corrupt(&error) } else { error }
    })?;
    let mut problems = Vec::new();
    match database.check_integrity() {
        Ok(true) => {}
        Ok(false) => problems
            .push("its last changes are damaged; an older state can still be read".to_owned()),
        Err(error) => return Err(corrupt(&error)),
    }
    Ok((database, problems))
}

/// An id that is given out twice would join the logs of two topics.
fn check_counters(database: &redb::Database) -> Result<Vec<String>, CatalogError> {
    use redb::ReadableTable;
    let mut problems = Vec::new();
    let transaction = database.begin_read().map_err(CatalogError::storage)?;
    let counters = transaction.open_table(COUNTERS).map_err(CatalogError::storage)?;
    for (table, counter) in [(STREAMS, NEXT_STREAM_ID), (TOPICS, NEXT_TOPIC_ID)] {
        let rows = transaction.open_table(table).map_err(CatalogError::storage)?;
        let last = rows.last().map_err(CatalogError::storage)?.map(|(id, _)| id.value());
        let next = counters.get(counter).map_err(CatalogError::storage)?;
        let next = next.map_or(0, |next| next.value());
        if let Some(last) = last.filter(|last| *last >= next) {
            problems.push(format!("{counter} is {next}, though id {last} is in use"));
        }
    }
    Ok(problems)
}

/// Removes topics from a copied catalog that nobody else has open.
pub(crate) fn forget_topics(path: &Path, ids: &[u64]) -> Result<(), Error> {
    let failed = |error: CatalogError| {
        let text = format!("changing {} failed: {error}", path.display());
        Error::new(ErrorKind::Io, text)
    };
    let database =
        redb::Builder::new().create(path).map_err(|error| open_error(path, error))?;
    let transaction = database.begin_write().map_err(CatalogError::storage).map_err(failed)?;
    super::producers::remove(&transaction, ids).map_err(failed)?;
    super::store::remove(&transaction, TOPICS, ids).map_err(failed)?;
    transaction.commit().map_err(CatalogError::storage).map_err(failed)
}

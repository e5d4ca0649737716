//! The catalog on the disk: one redb file, one writer.
//!
//! Streams and topics are rows of JSON under their ids, so that a later version can add fields
//! and an older one passes over them. Counters stand beside them and only ever grow.
//!
//! Invariant: the snapshot is replaced after the transaction is durable, and only then.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use redb::{ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::access::{self, Access};
use super::guard::{GuardedDatabase, LOCK_FILE};
use super::producers;
use super::{
    Catalog, CatalogError, CatalogErrorKind, Stream, Topic, TopicChange, TopicSettings,
};
use crate::data_dir::{DataDir, TopicDirs};
use crate::disk::{Disk, RealDisk};
use crate::error::{Error, ErrorKind};

pub(super) const COUNTERS: TableDefinition<'_, &str, u64> = TableDefinition::new("counters");
pub(super) const STREAMS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("streams");
pub(super) const TOPICS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("topics");

/// Starts of the server on this data directory.
const LEADER_EPOCH: &str = "leader_epoch";
const SERVER_ID: &str = "server_id";
const SALT_KEY: &str = "salt_key_";
pub(super) const NEXT_STREAM_ID: &str = "next_stream_id";
pub(super) const NEXT_TOPIC_ID: &str = "next_topic_id";
const NEXT_PRODUCER_ID: &str = "next_producer_id";
/// 0 means "none" wherever an id may be absent.
const FIRST_ID: u64 = 1;

pub(super) const FILE: &str = "catalog.redb";
/// Readers use the snapshot, so redb needs little memory of its own.
const CACHE_BYTES: usize = 256 << 10;
/// The stream of topics that are named without one.
pub(super) const DEFAULT_STREAM: &str = "default";

#[derive(Serialize, Deserialize)]
struct StreamRow {
    name: String,
    created_us: i64,
}

#[derive(Serialize, Deserialize)]
struct TopicRow {
    stream_id: u64,
    name: String,
    partitions: u32,
    created_us: i64,
    segment_bytes: u64,
    /// The codec's number; rows of before it existed are of topics without one.
    #[serde(default)]
    codec: u8,
    /// Rows of before there was retention are of topics that keep all.
    #[serde(default)]
    retention_ms: u64,
    #[serde(default)]
    retention_bytes: u64,
    #[serde(default)]
    dedup_window_ms: u64,
}

/// The catalog's one writer. Its calls block; use it from a thread that may.
#[derive(Debug)]
pub struct CatalogStore {
    database: GuardedDatabase,
    snapshot: Arc<Catalog>,
    pub(super) access: Arc<Access>,
    leader_epoch: u32,
}

impl CatalogStore {
    /// Opens the catalog and counts the leader epoch up, durably. The first time, the catalog is
    /// created with the stream `default`.
    pub fn open(data_dir: &DataDir, now_us: i64) -> Result<Self, Error> {
        let path = data_dir.path().join(FILE);
        refuse_to_begin_anew(data_dir, &path)?;
        let database = GuardedDatabase::open(data_dir, FILE, LOCK_FILE, CACHE_BYTES)?;
        Self::with(database, &path, now_us)
    }

    /// Opens the catalog in the directory `dir` of a disk that nobody shares, or creates it: for a
    /// simulation.
    ///
    /// # Errors
    /// As [`CatalogStore::open`].
    pub fn over<D: Disk>(disk: &D, dir: &Path, now_us: i64) -> Result<Self, Error> {
        let path = dir.join(FILE);
        let database = GuardedDatabase::over(disk, &path, CACHE_BYTES)?;
        Self::with(database, &path, now_us)
    }

    fn with(database: GuardedDatabase, path: &Path, now_us: i64) -> Result<Self, Error> {
        let failed = |error: CatalogError| {
            let text = format!("opening {} failed: {error}", path.display());
            Error::new(ErrorKind::Io, text)
        };
        let leader_epoch = count_start(&database, now_us).map_err(failed)?;
        let snapshot = Arc::new(load(&database).map_err(failed)?);
        let access = Arc::new(access::load(&database).map_err(failed)?);
        Ok(Self { database, snapshot, access, leader_epoch })
    }

    /// The catalog as it is now.
    pub fn snapshot(&self) -> Arc<Catalog> {
        Arc::clone(&self.snapshot)
    }

    /// How often the catalog was opened, this time included.
    pub fn leader_epoch(&self) -> u32 {
        self.leader_epoch
    }

    /// The number that stays with this data directory. The first time, `if_new` becomes it: the
    /// caller makes it random.
    pub fn server_id(&mut self, if_new: u64) -> Result<u64, Error> {
        self.commit(|transaction| {
            let mut counters =
                transaction.open_table(COUNTERS).map_err(CatalogError::storage)?;
            let known = counters.get(SERVER_ID).map_err(CatalogError::storage)?;
            if let Some(id) = known.map(|id| id.value()) {
                return Ok(id);
            }
            counters.insert(SERVER_ID, if_new).map_err(CatalogError::storage)?;
            Ok(if_new)
        })
        .map_err(|error| Error::new(ErrorKind::Io, error.to_string()))
    }

    /// A secret number of four words that stays with this data directory. The first time,
    /// `if_new` becomes it: the caller makes it random.
    pub fn salt_key(&mut self, if_new: [u64; 4]) -> Result<[u64; 4], Error> {
        self.commit(|transaction| {
            let mut counters =
                transaction.open_table(COUNTERS).map_err(CatalogError::storage)?;
            let mut words = if_new;
            for (at, word) in words.iter_mut().enumerate() {
                let name = format!("{SALT_KEY}{at}");
                let known = counters.get(name.as_str()).map_err(CatalogError::storage)?;
                if let Some(known) = known.map(|known| known.value()) {
                    *word = known;
                    continue;
                }
                counters.insert(name.as_str(), *word).map_err(CatalogError::storage)?;
            }
            Ok(words)
        })
        .map_err(|error| Error::new(ErrorKind::Io, error.to_string()))
    }

    /// Takes `count` producer ids that were never given out and never will be again.
    pub fn reserve_producer_ids(&mut self, count: u64) -> Result<Range<u64>, Error> {
        self.commit(|transaction| take_ids(transaction, NEXT_PRODUCER_ID, count))
            .map_err(|error| Error::new(ErrorKind::Io, error.to_string()))
    }

    /// Creates a stream.
    pub fn create_stream(
        &mut self,
        name: &str,
        now_us: i64,
    ) -> Result<Arc<Stream>, CatalogError> {
        if self.snapshot.stream(name).is_some() {
            let text = format!("stream {name} exists already");
            return Err(CatalogError::new(CatalogErrorKind::StreamExists, text));
        }
        let id = self.commit(|transaction| insert_stream(transaction, name, now_us))?;
        let stream = Arc::new(Stream {
            id,
            name: name.to_owned(),
            created_us: now_us,
            topics: BTreeMap::new(),
        });
        self.publish(Arc::clone(&stream));
        Ok(stream)
    }

    /// Deletes a stream with its topics and returns these, so that their logs can be removed.
    pub fn delete_stream(&mut self, name: &str) -> Result<Vec<Arc<Topic>>, CatalogError> {
        let stream = self.stream(name)?;
        let topics: Vec<_> = stream.topics.values().cloned().collect();
        self.commit(|transaction| {
            remove(transaction, STREAMS, &[stream.id])?;
            let ids: Vec<u64> = topics.iter().map(|topic| topic.id).collect();
            producers::remove(transaction, &ids)?;
            remove(transaction, TOPICS, &ids)
        })?;
        Arc::make_mut(&mut self.snapshot).streams.remove(name);
        Ok(topics)
    }

    /// Creates a topic in a stream that exists.
    pub fn create_topic(
        &mut self,
        stream: &str,
        name: &str,
        settings: TopicSettings,
        now_us: i64,
    ) -> Result<Arc<Topic>, CatalogError> {
        let parent = self.stream(stream)?;
        if parent.topics.contains_key(name) {
            let text = format!("topic {stream}/{name} exists already");
            return Err(CatalogError::new(CatalogErrorKind::TopicExists, text));
        }
        let TopicSettings {
            partitions,
            segment_bytes,
            codec,
            retention_ms,
            retention_bytes,
            dedup_window_ms,
        } = settings;
        let row = TopicRow {
            stream_id: parent.id,
            name: name.to_owned(),
            partitions,
            created_us: now_us,
            segment_bytes,
            codec: codec.into(),
            retention_ms,
            retention_bytes,
            dedup_window_ms,
        };
        let id = self.commit(|transaction| {
            let id = take_ids(transaction, NEXT_TOPIC_ID, 1)?.start;
            insert(transaction, TOPICS, id, &row)?;
            Ok(id)
        })?;
        let topic = Arc::new(topic(id, stream, row));
        let mut changed = Stream::clone(&parent);
        changed.topics.insert(name.to_owned(), Arc::clone(&topic));
        self.publish(Arc::new(changed));
        Ok(topic)
    }

    /// Changes a topic, and returns it as it is now.
    ///
    /// # Errors
    /// [`CatalogErrorKind::FewerPartitions`] if it has more partitions already.
    pub fn update_topic(
        &mut self,
        stream: &str,
        name: &str,
        change: TopicChange,
    ) -> Result<Arc<Topic>, CatalogError> {
        let parent = self.stream(stream)?;
        let old = parent
            .topics
            .get(name)
            .ok_or_else(|| CatalogError::topic_not_found(stream, name))?;
        let partitions = change.partitions.unwrap_or(old.partitions);
        if partitions < old.partitions {
            let text = format!(
                "topic {stream}/{name} has {} partitions: it cannot have {partitions}",
                old.partitions
            );
            return Err(CatalogError::new(CatalogErrorKind::FewerPartitions, text));
        }
        let row = TopicRow {
            stream_id: parent.id,
            name: name.to_owned(),
            partitions,
            created_us: old.created_us,
            segment_bytes: change.segment_bytes.unwrap_or(old.segment_bytes),
            codec: change.codec.unwrap_or(old.codec).into(),
            retention_ms: change.retention_ms.unwrap_or(old.retention_ms),
            retention_bytes: change.retention_bytes.unwrap_or(old.retention_bytes),
            dedup_window_ms: change.dedup_window_ms.unwrap_or(old.dedup_window_ms),
        };
        self.commit(|transaction| insert(transaction, TOPICS, old.id, &row))?;
        let topic = Arc::new(topic(old.id, stream, row));
        let mut changed = Stream::clone(&parent);
        changed.topics.insert(name.to_owned(), Arc::clone(&topic));
        self.publish(Arc::new(changed));
        Ok(topic)
    }

    /// Deletes a topic and returns it, so that its logs can be removed.
    pub fn delete_topic(
        &mut self,
        stream: &str,
        name: &str,
    ) -> Result<Arc<Topic>, CatalogError> {
        let mut changed = Stream::clone(&*self.stream(stream)?);
        let topic = changed
            .topics
            .remove(name)
            .ok_or_else(|| CatalogError::topic_not_found(stream, name))?;
        self.commit(|transaction| {
            producers::remove(transaction, &[topic.id])?;
            remove(transaction, TOPICS, &[topic.id])
        })?;
        self.publish(Arc::new(changed));
        Ok(topic)
    }

    fn stream(&self, name: &str) -> Result<Arc<Stream>, CatalogError> {
        self.snapshot.stream(name).cloned().ok_or_else(|| CatalogError::stream_not_found(name))
    }

    fn publish(&mut self, stream: Arc<Stream>) {
        Arc::make_mut(&mut self.snapshot).streams.insert(stream.name.clone(), stream);
    }

    pub(super) fn database(&self) -> &GuardedDatabase {
        &self.database
    }

    fn commit<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        commit(&self.database, change)
    }
}

/// Runs `change` as one transaction, which is on the disk when this returns.
pub(super) fn commit<T>(
    database: &GuardedDatabase,
    change: impl FnOnce(&WriteTransaction) -> Result<T, CatalogError>,
) -> Result<T, CatalogError> {
    database.locked(CatalogError::storage, |database| {
        let transaction = database.begin_write().map_err(CatalogError::storage)?;
        // A transaction that is dropped changes nothing.
        let done = change(&transaction)?;
        transaction.commit().map_err(CatalogError::storage)?;
        Ok(done)
    })
}

/// Counts the leader epoch up and returns it; the first time, creates the tables.
fn count_start(database: &GuardedDatabase, now_us: i64) -> Result<u32, CatalogError> {
    commit(database, |transaction| {
        // Opening a table creates it, so that reading finds it later.
        transaction.open_table(STREAMS).map_err(CatalogError::storage)?;
        transaction.open_table(TOPICS).map_err(CatalogError::storage)?;
        producers::create_tables(transaction)?;
        access::create_tables(transaction)?;
        let epoch = take_ids(transaction, LEADER_EPOCH, 1)?.start;
        if epoch == FIRST_ID {
            insert_stream(transaction, DEFAULT_STREAM, now_us)?;
        }
        u32::try_from(epoch).map_err(|_| {
            let text = format!("leader epoch {epoch} is over the limit of {}", u32::MAX);
            CatalogError::new(CatalogErrorKind::Storage, text)
        })
    })
}

pub(super) fn load(database: &redb::Database) -> Result<Catalog, CatalogError> {
    let transaction = database.begin_read().map_err(CatalogError::storage)?;
    let mut streams = BTreeMap::new();
    let rows = transaction.open_table(STREAMS).map_err(CatalogError::storage)?;
    for row in rows.iter().map_err(CatalogError::storage)? {
        let (id, bytes) = row.map_err(CatalogError::storage)?;
        let StreamRow { name, created_us } = decode("stream", id.value(), bytes.value())?;
        let stream = Stream { id: id.value(), name, created_us, topics: BTreeMap::new() };
        streams.insert(stream.id, stream);
    }
    let rows = transaction.open_table(TOPICS).map_err(CatalogError::storage)?;
    for row in rows.iter().map_err(CatalogError::storage)? {
        let (id, bytes) = row.map_err(CatalogError::storage)?;
        let row: TopicRow = decode("topic", id.value(), bytes.value())?;
        // A topic goes in the same transaction as its stream, so none is left without one.
        if let Some(stream) = streams.get_mut(&row.stream_id) {
            let topic = Arc::new(topic(id.value(), &stream.name, row));
            stream.topics.insert(topic.name.clone(), topic);
        }
    }
    let by_name = |stream: Stream| (stream.name.clone(), Arc::new(stream));
    Ok(Catalog { streams: streams.into_values().map(by_name).collect() })
}

fn topic(id: u64, stream: &str, row: TopicRow) -> Topic {
    Topic {
        id,
        stream: stream.to_owned(),
        name: row.name,
        partitions: row.partitions,
        created_us: row.created_us,
        segment_bytes: row.segment_bytes,
        codec: row.codec.into(),
        retention_ms: row.retention_ms,
        retention_bytes: row.retention_bytes,
        dedup_window_ms: row.dedup_window_ms,
    }
}

/// Advances a counter by `count` and returns the values passed over.
pub(super) fn take_ids(
    transaction: &WriteTransaction,
    counter: &str,
    count: u64,
) -> Result<Range<u64>, CatalogError> {
    let mut counters = transaction.open_table(COUNTERS).map_err(CatalogError::storage)?;
    let next = counters.get(counter).map_err(CatalogError::storage)?.map(|next| next.value());
    let start = next.unwrap_or(FIRST_ID);
    let end = start.checked_add(count).ok_or_else(|| {
        let text = format!("{counter} is used up: {count} more do not follow {start}");
        CatalogError::new(CatalogErrorKind::Storage, text)
    })?;
    counters.insert(counter, end).map_err(CatalogError::storage)?;
    Ok(start..end)
}

fn insert_stream(
    transaction: &WriteTransaction,
    name: &str,
    now_us: i64,
) -> Result<u64, CatalogError> {
    let id = take_ids(transaction, NEXT_STREAM_ID, 1)?.start;
    let row = StreamRow { name: name.to_owned(), created_us: now_us };
    insert(transaction, STREAMS, id, &row)?;
    Ok(id)
}

pub(super) fn insert(
    transaction: &WriteTransaction,
    table: TableDefinition<'_, u64, &[u8]>,
    id: u64,
    row: &impl Serialize,
) -> Result<(), CatalogError> {
    let bytes = serde_json::to_vec(row).expect("a row is a plain struct");
    let mut table = transaction.open_table(table).map_err(CatalogError::storage)?;
    table.insert(id, bytes.as_slice()).map_err(CatalogError::storage)?;
    Ok(())
}

pub(super) fn remove(
    transaction: &WriteTransaction,
    table: TableDefinition<'_, u64, &[u8]>,
    ids: &[u64],
) -> Result<(), CatalogError> {
    let mut table = transaction.open_table(table).map_err(CatalogError::storage)?;
    for id in ids {
        table.remove(id).map_err(CatalogError::storage)?;
    }
    Ok(())
}

pub(super) fn decode<'a, T: Deserialize<'a>>(
    what: &str,
    id: u64,
    bytes: &'a [u8],
) -> Result<T, CatalogError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = format!("{what} {id} cannot be read: {error}");
        CatalogError::new(CatalogErrorKind::Storage, text)
    })
}

pub(super) fn open_error(path: &Path, error: redb::DatabaseError) -> Error {
    let kind = match &error {
        redb::DatabaseError::DatabaseAlreadyOpen => ErrorKind::Locked,
        redb::DatabaseError::Storage(redb::StorageError::Corrupted(_)) => ErrorKind::Corrupt,
        redb::DatabaseError::UpgradeRequired(_) => ErrorKind::Format,
        _ => ErrorKind::Io,
    };
    Error::new(kind, format!("opening {} failed: {error}", path.display()))
}

/// Refuses a directory that holds topics and no catalog: a new one would know none of them, and
/// their logs would go as those of deleted topics do.
fn refuse_to_begin_anew(data_dir: &DataDir, path: &Path) -> Result<(), Error> {
    let topics = data_dir.topics_dir();
    let exists = |path: &Path| {
        RealDisk.exists(path).map_err(|error| Error::io("looking for", path, error))
    };
    if exists(path)? || !exists(&topics)? {
        return Ok(());
    }
    let names =
        RealDisk.read_dir(&topics).map_err(|error| Error::io("listing", &topics, error))?;
    if names.is_empty() {
        return Ok(());
    }
    let text = format!(
        "{} is missing, though {} holds the logs of topics: restore it from a backup",
        path.display(),
        topics.display()
    );
    Err(Error::new(ErrorKind::Corrupt, text))
}

/// Removes the directories of topics that are not in `catalog`: a deletion that a crash cut
/// short. Returns their ids. Directories that are not named by an id are left alone.
pub fn remove_orphans(
    disk: &impl Disk,
    dirs: &TopicDirs,
    catalog: &Catalog,
) -> Result<Vec<u64>, Error> {
    let topics = dirs.path();
    let exists = disk.exists(topics);
    if !exists.map_err(|error| Error::io("looking for", topics, error))? {
        return Ok(Vec::new());
    }
    let names = disk.read_dir(topics).map_err(|error| Error::io("listing", topics, error))?;
    let known: Vec<u64> = catalog.topics().map(|topic| topic.id).collect();
    let mut removed = Vec::new();
    for id in names.iter().filter_map(|name| name.parse::<u64>().ok()) {
        let path = dirs.topic(id);
        // "+7" parses as an id but does not name its directory.
        if known.contains(&id) || !matches!(disk.exists(&path), Ok(true)) {
            continue;
        }
        disk.remove_dir_all(&path).map_err(|error| Error::io("removing", &path, error))?;
        removed.push(id);
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use tidewire_protocol::batch::Codec;

    use super::*;

    #[test]
    fn a_row_with_fields_of_a_later_version_can_be_read() {
        let row = br#"{"name":"shop","created_us":3,"owner":"later"}"#;
        assert_eq!(decode::<StreamRow>("stream", 1, row).unwrap().created_us, 3);
    }

    #[test]
    fn a_topic_of_before_there_were_codecs_and_retention_has_none() {
        let row =
            br#"{"stream_id":1,"name":"t","partitions":2,"created_us":3,"segment_bytes":4}"#;
        let topic = topic(7, "shop", decode("topic", 7, row).unwrap());
        assert_eq!((topic.codec, topic.segment_bytes), (Codec::None, 4));
        assert_eq!((topic.retention_ms, topic.retention_bytes), (0, 0));
        assert_eq!(topic.dedup_window_ms, 0);
    }
}

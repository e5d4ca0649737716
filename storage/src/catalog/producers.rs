//! Named producers: which id a name has within its topic, and how often it was opened.
//!
//! Rows of JSON under topic and name. They go with their topic, in the same transaction. Nobody
//! reads them on the way of a record, so they are not part of the snapshot.
//!
//! Invariant: an epoch is on the disk before anyone is told of it, and never given out twice.

use std::ops::Bound;

use redb::{ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};
use tidewire_protocol::limits::MAX_NAMED_PRODUCERS;

use super::store::{CatalogStore, commit, decode, take_ids};
use super::{CatalogError, CatalogErrorKind};

/// By topic and name.
const PRODUCERS: TableDefinition<'_, (u64, &str), &[u8]> = TableDefinition::new("producers");
/// How many names each topic has.
const PRODUCER_COUNTS: TableDefinition<'_, u64, u32> = TableDefinition::new("producer_counts");
const NEXT_NAMED_PRODUCER: &str = "next_named_producer";

/// Ids of producers that have a name are this and above, so that nobody can go on as one of them
/// without naming it. Those below are given out in ranges.
pub const FIRST_NAMED_PRODUCER_ID: u64 = 1 << 62;

/// A named producer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedProducer {
    /// Stays with the name; [`FIRST_NAMED_PRODUCER_ID`] or above, never used for another.
    pub id: u64,
    /// How often it was opened.
    pub epoch: u32,
    /// When it was last opened, in microseconds since the Unix epoch.
    pub opened_us: i64,
    /// Who opened it last, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opener: Option<u64>,
}

impl CatalogStore {
    /// Opens the producer `name` of a topic: its epoch is one more than it was, 1 the first time,
    /// and on the disk when this returns. An opener that was the last to open it has it already:
    /// its request was sent again, or comes late. Whether the topic exists is the caller's to know.
    ///
    /// # Errors
    /// [`CatalogErrorKind::TooManyProducers`] for a new name past the limit.
    pub fn open_producer(
        &mut self,
        topic: u64,
        name: &str,
        opener: Option<u64>,
        now_us: i64,
    ) -> Result<NamedProducer, CatalogError> {
        commit(self.database(), |transaction| {
            let mut rows = transaction.open_table(PRODUCERS).map_err(CatalogError::storage)?;
            let known = match rows.get((topic, name)).map_err(CatalogError::storage)? {
                Some(row) => Some(decode::<NamedProducer>("producer", topic, row.value())?),
                None => None,
            };
            let producer = match known {
                Some(same) if opener.is_some() && same.opener == opener => return Ok(same),
                Some(NamedProducer { id, epoch, .. }) => {
                    let epoch = epoch.checked_add(1).ok_or_else(|| {
                        let text = format!("producer \"{name}\" was opened {epoch} times");
                        CatalogError::new(CatalogErrorKind::Storage, text)
                    })?;
                    NamedProducer { id, epoch, opened_us: now_us, opener }
                }
                None => {
                    count_one_more(transaction, topic, name)?;
                    let number = take_ids(transaction, NEXT_NAMED_PRODUCER, 1)?.start;
                    let id = FIRST_NAMED_PRODUCER_ID + number;
                    NamedProducer { id, epoch: 1, opened_us: now_us, opener }
                }
            };
            let row = serde_json::to_vec(&producer).expect("a row is a plain struct");
            rows.insert((topic, name), row.as_slice()).map_err(CatalogError::storage)?;
            Ok(producer)
        })
    }

    /// The producer `name` of a topic, as it was last opened.
    pub fn producer(
        &self,
        topic: u64,
        name: &str,
    ) -> Result<Option<NamedProducer>, CatalogError> {
        let transaction = self.database().begin_read().map_err(CatalogError::storage)?;
        let rows = transaction.open_table(PRODUCERS).map_err(CatalogError::storage)?;
        match rows.get((topic, name)).map_err(CatalogError::storage)? {
            Some(row) => decode("producer", topic, row.value()).map(Some),
            None => Ok(None),
        }
    }
}

impl CatalogStore {
    /// The named producers of a topic whose names come after `after`, by name, at most `limit`.
    pub fn producers(
        &self,
        topic: u64,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, NamedProducer)>, CatalogError> {
        let transaction = self.database().begin_read().map_err(CatalogError::storage)?;
        let rows = transaction.open_table(PRODUCERS).map_err(CatalogError::storage)?;
        let range = (Bound::Excluded((topic, after)), Bound::Excluded((topic + 1, "")));
        let found = rows.range::<(u64, &str)>(range).map_err(CatalogError::storage)?;
        found
            .take(limit)
            .map(|row| {
                let (key, row) = row.map_err(CatalogError::storage)?;
                let producer = decode("producer", topic, row.value())?;
                Ok((key.value().1.to_owned(), producer))
            })
            .collect()
    }

    /// Forgets the producer `name` of a topic and returns it as it was, if there was one.
    pub fn delete_producer(
        &mut self,
        topic: u64,
        name: &str,
    ) -> Result<Option<NamedProducer>, CatalogError> {
        commit(self.database(), |transaction| {
            let mut rows = transaction.open_table(PRODUCERS).map_err(CatalogError::storage)?;
            let Some(row) = rows.remove((topic, name)).map_err(CatalogError::storage)? else {
                return Ok(None);
            };
            let mut counts =
                transaction.open_table(PRODUCER_COUNTS).map_err(CatalogError::storage)?;
            let count = counts.get(topic).map_err(CatalogError::storage)?;
            let count = count.map_or(0, |count| count.value());
            counts.insert(topic, count.saturating_sub(1)).map_err(CatalogError::storage)?;
            decode("producer", topic, row.value()).map(Some)
        })
    }
}

/// Creates the tables, so that reading finds them later.
pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), CatalogError> {
    transaction.open_table(PRODUCERS).map_err(CatalogError::storage)?;
    transaction.open_table(PRODUCER_COUNTS).map_err(CatalogError::storage)?;
    Ok(())
}

/// Removes all producers of these topics.
pub(super) fn remove(
    transaction: &WriteTransaction,
    topics: &[u64],
) -> Result<(), CatalogError> {
    let mut rows = transaction.open_table(PRODUCERS).map_err(CatalogError::storage)?;
    let mut counts = transaction.open_table(PRODUCER_COUNTS).map_err(CatalogError::storage)?;
    for &topic in topics {
        if counts.remove(topic).map_err(CatalogError::storage)?.is_some() {
            let all = (Bound::Included((topic, "")), Bound::Excluded((topic + 1, "")));
            rows.retain_in::<(u64, &str), _>(all, |_, _| false)
                .map_err(CatalogError::storage)?;
        }
    }
    Ok(())
}

fn count_one_more(
    transaction: &WriteTransaction,
    topic: u64,
    name: &str,
) -> Result<(), CatalogError> {
    let mut counts = transaction.open_table(PRODUCER_COUNTS).map_err(CatalogError::storage)?;
    let count = counts.get(topic).map_err(CatalogError::storage)?.map_or(0, |row| row.value());
    if count >= MAX_NAMED_PRODUCERS {
        let text = format!(
            "the topic has {MAX_NAMED_PRODUCERS} named producers already, the limit; \
             \"{name}\" is not one of them"
        );
        return Err(CatalogError::new(CatalogErrorKind::TooManyProducers, text));
    }
    counts.insert(topic, count + 1).map_err(CatalogError::storage)?;
    Ok(())
}

/// Opens `count` producers, in one transaction.
#[cfg(test)]
pub(super) fn fill(store: &CatalogStore, topic: u64, count: u32) {
    commit(store.database(), |transaction| {
        let mut rows = transaction.open_table(PRODUCERS).map_err(CatalogError::storage)?;
        for number in 0..count {
            let name = number.to_string();
            let id = FIRST_NAMED_PRODUCER_ID + u64::from(number);
            let row =
                serde_json::to_vec(&NamedProducer { id, epoch: 1, opened_us: 0, opener: None })
                    .unwrap();
            rows.insert((topic, name.as_str()), row.as_slice())
                .map_err(CatalogError::storage)?;
            count_one_more(transaction, topic, &name)?;
        }
        Ok(())
    })
    .unwrap();
}

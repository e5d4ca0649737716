//! Producers with a name: who holds one, and who held it before and is fenced.
//!
//! Owns one number for each name in use, its highest epoch. Every channel of the producer shares
//! it, and every append of such a channel takes it along to the partition, on whatever shard that
//! lives. It lives on the catalog's thread, which opens one producer after the other.
//!
//! Invariant: the number is raised after the epoch is on the disk and before anyone is told of
//! it: once a producer is open, nothing of an older epoch is appended any more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits;
use tidewire_protocol::message::{ProducerIdentity, ProducerInfo, ProducerListReply};
use tidewire_storage::catalog::NamedProducer;
use tidewire_storage::{CatalogStore, Topic};

use crate::catalog::error;
use crate::message::OpenedProducer;
use crate::session::page;

/// A producer to open.
pub(crate) struct OpenNamed {
    pub(crate) topic: Arc<Topic>,
    pub(crate) name: String,
    /// Who goes on, instead of a new instance.
    pub(crate) resume: Option<ProducerIdentity>,
    /// Who opens it, if that is said.
    pub(crate) opener: Option<u64>,
}

/// The epochs of producers that channels are open for, by id.
#[derive(Default)]
pub(crate) struct Names {
    epochs: HashMap<u64, Weak<AtomicU32>>,
    /// Size at which those that nobody holds any more are looked for.
    sweep_at: usize,
}

impl Names {
    /// Opens a producer, durably.
    // SPEC I-6, I-12
    pub(crate) fn open(
        &mut self,
        store: &mut CatalogStore,
        open: OpenNamed,
        now_us: i64,
    ) -> Result<OpenedProducer, Error> {
        let OpenNamed { topic, name, resume, opener } = open;
        let catalog = store.snapshot();
        if catalog.topic(&topic.stream, &topic.name).is_none_or(|now| now.id != topic.id) {
            let text = format!("topic {}/{} was deleted", topic.stream, topic.name);
            return Err(Error::new(Code::TOPIC_NOT_FOUND, text));
        }
        let opened = match resume {
            None => {
                store.open_producer(topic.id, &name, opener, now_us).map_err(|e| error(&e))?
            }
            Some(resumed) => {
                let known = store.producer(topic.id, &name).map_err(|e| error(&e))?;
                check(&name, &resumed, known)?
            }
        };
        let NamedProducer { id: producer_id, epoch: producer_epoch, .. } = opened;
        let opened_epoch = self.epoch(producer_id);
        opened_epoch.fetch_max(producer_epoch, Ordering::AcqRel);
        let producer = ProducerIdentity { producer_id, producer_epoch };
        Ok(OpenedProducer { producer, opened_epoch })
    }

    /// A page of a topic's names.
    pub(crate) fn list(
        store: &CatalogStore,
        topic: &Topic,
        after: &str,
    ) -> Result<ProducerListReply, Error> {
        let limit = limits::MAX_LIST_ITEMS as usize;
        let mut found = store.producers(topic.id, after, limit + 1).map_err(|e| error(&e))?;
        let more = found.len() > limit;
        found.truncate(limit);
        let producers = found.into_iter().map(|(name, producer)| ProducerInfo {
            name,
            producer_id: producer.id,
            producer_epoch: producer.epoch,
            opened_us: producer.opened_us,
        });
        let (producers, cut) = page(producers.map(|info| (info.name.len(), info)));
        Ok(ProducerListReply { producers, more: more || cut })
    }

    /// Forgets a name, durably, and fences whoever has it.
    // SPEC I-12
    pub(crate) fn delete(
        &mut self,
        store: &mut CatalogStore,
        topic: &Topic,
        name: &str,
    ) -> Result<(), Error> {
        let gone = store.delete_producer(topic.id, name).map_err(|e| error(&e))?;
        let Some(gone) = gone else {
            let text =
                format!("topic {}/{} has no producer \"{name}\"", topic.stream, topic.name);
            return Err(Error::new(Code::PRODUCER_NOT_FOUND, text));
        };
        if let Some(epoch) = self.epochs.remove(&gone.id).and_then(|epoch| epoch.upgrade()) {
            epoch.store(u32::MAX, Ordering::Release);
        }
        Ok(())
    }

    fn epoch(&mut self, id: u64) -> Arc<AtomicU32> {
        if let Some(epoch) = self.epochs.get(&id).and_then(Weak::upgrade) {
            return epoch;
        }
        if self.epochs.len() >= self.sweep_at {
            self.epochs.retain(|_, epoch| epoch.strong_count() > 0);
            self.sweep_at = 2 * self.epochs.len() + 64;
        }
        let epoch = Arc::new(AtomicU32::new(0));
        self.epochs.insert(id, Arc::downgrade(&epoch));
        epoch
    }
}

/// Whether who says to be the producer `name` is the one that was opened last.
fn check(
    name: &str,
    resumed: &ProducerIdentity,
    known: Option<NamedProducer>,
) -> Result<NamedProducer, Error> {
    let ProducerIdentity { producer_id, producer_epoch } = *resumed;
    let invalid = |text| Err(Error::new(Code::INVALID_ARGUMENT, text));
    let Some(known) = known else {
        return invalid(format!("producer \"{name}\" was never opened"));
    };
    if known.id != producer_id {
        return invalid(format!("producer \"{name}\" is {}, not {producer_id}", known.id));
    }
    if producer_epoch < known.epoch {
        return Err(Error::new(
            Code::PRODUCER_FENCED,
            format!(
                "producer \"{name}\" was opened anew: its epoch is {}, that of this instance \
                 {producer_epoch}",
                known.epoch
            ),
        ));
    }
    if producer_epoch > known.epoch {
        return invalid(format!(
            "producer \"{name}\" was opened {} times, never in epoch {producer_epoch}",
            known.epoch
        ));
    }
    Ok(known)
}

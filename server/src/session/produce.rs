//! Producing: channels, and batches that are validated here before a partition sees them.
//!
//! Invariant: a batch that names a producer is of the channel's own, and of no epoch that was not
//! opened yet.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use bytes::Bytes;
use tidewire_protocol::batch::{self, Codec, Columns, HEADER_LEN, Limits, validate};
use tidewire_protocol::connection::Ticket;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::idempotence::Claim;
use tidewire_protocol::message::{
    Acks, Append, CloseProducerReply, Flush, FlushReply, OpenProducer, OpenProducerReply,
    ProducerIdentity,
};
use tidewire_protocol::name::check_name;
use tidewire_storage::Topic;
use tidewire_storage::catalog::FIRST_NAMED_PRODUCER_ID;
use tidewire_storage::disk::Disk;

use super::{Pending, Refused, Session, check_partition};
use crate::catalog::{CatalogJob, OpenNamed};
use crate::message::{OpenedProducer, PartitionRequest};
use crate::partition::AppendRequest;

/// An open producer channel.
pub(super) struct Producing {
    topic: Arc<Topic>,
    producer: ProducerIdentity,
    /// The highest epoch that was opened, of a producer with a name.
    opened_epoch: Option<Arc<AtomicU32>>,
}

impl Producing {
    /// The topic of the channel.
    pub(super) fn topic(&self) -> &Topic {
        &self.topic
    }
}

impl<D: Disk> Session<D> {
    pub(super) fn open_producer(
        &mut self,
        ticket: Ticket,
        open: OpenProducer,
    ) -> Result<(), Refused> {
        let topic = match self.topic(&open.stream, &open.topic) {
            Ok(topic) => topic,
            Err(error) => return Err((ticket, error)),
        };
        let Some(name) = open.name else {
            let producer = match open.resume {
                Some(producer) => match self.check_resumed(&producer) {
                    Ok(()) => producer,
                    Err(error) => return Err((ticket, error)),
                },
                None => ProducerIdentity {
                    producer_id: self.router.shared.producer_id(),
                    producer_epoch: 0,
                },
            };
            self.producer_opened(ticket, Producing { topic, producer, opened_epoch: None });
            return Ok(());
        };
        if let Err(error) = check_name("producer", &name) {
            return Err((ticket, error));
        }
        let token = ticket.correlation;
        let OpenProducer { resume, opener, .. } = open;
        let open = OpenNamed { topic: Arc::clone(&topic), name, resume, opener };
        let job = CatalogJob::OpenProducer { origin: self.origin(token), open };
        if self.router.shared.catalog_jobs.send(job).is_err() {
            return Err((ticket, Error::new(Code::SHUTTING_DOWN, "")));
        }
        self.opening.insert(ticket.channel, token);
        self.pending.insert(token, Pending::OpenProducer { ticket, topic });
        Ok(())
    }

    /// The catalog's answer for a producer with a name.
    pub(super) fn answer_open_producer(
        &mut self,
        ticket: Ticket,
        topic: Arc<Topic>,
        opened: Result<OpenedProducer, Error>,
    ) {
        let current = self.opening.get(&ticket.channel) == Some(&ticket.correlation);
        if current {
            self.opening.remove(&ticket.channel);
        }
        match opened {
            Ok(OpenedProducer { producer, opened_epoch }) => {
                let opened_epoch = Some(opened_epoch);
                let producing = Producing { topic, producer, opened_epoch };
                if current {
                    self.producer_opened(ticket, producing);
                } else {
                    // The channel was closed meanwhile, and may be open for another.
                    let reply = producing.reply();
                    self.protocol.reply(ticket, &reply, &[]);
                }
            }
            Err(error) => self.protocol.reply_error(ticket, &error),
        }
    }

    /// The topic of an open channel.
    pub(super) fn produced_topic(&self, channel: u32) -> Option<&Topic> {
        self.producers.get(&channel).map(|producing| &*producing.topic)
    }

    fn producer_opened(&mut self, ticket: Ticket, producing: Producing) {
        let reply = producing.reply();
        self.producers.insert(ticket.channel, producing);
        self.protocol.reply(ticket, &reply, &[]);
    }

    /// Whether a producer without a name can have been opened before.
    // SPEC I-11, I-12
    fn check_resumed(&self, producer: &ProducerIdentity) -> Result<(), Error> {
        let ProducerIdentity { producer_id, producer_epoch } = *producer;
        let text = if producer_id >= FIRST_NAMED_PRODUCER_ID {
            format!("producer {producer_id} has a name and is resumed with it")
        } else if producer_id == 0 || producer_id >= self.router.shared.producer_ids_end() {
            format!("producer {producer_id} was never opened")
        } else if producer_epoch != 0 {
            format!("producer {producer_id} has no name and so no epoch but 0")
        } else {
            return Ok(());
        };
        Err(Error::new(Code::INVALID_ARGUMENT, text))
    }

    pub(super) fn close_producer(&mut self, ticket: Ticket) -> Result<(), Refused> {
        self.producers.remove(&ticket.channel);
        self.opening.remove(&ticket.channel);
        self.protocol.reply(ticket, &CloseProducerReply {}, &[]);
        Ok(())
    }

    pub(super) fn append(
        &mut self,
        ticket: Ticket,
        append: &Append,
        batch: Bytes,
    ) -> Result<(), Refused> {
        self.refresh(ticket.channel, append.partition);
        let Some(producing) = self.producers.get(&ticket.channel) else {
            return Err(not_open(ticket));
        };
        let request = match producing.check(append, batch) {
            Ok(request) => PartitionRequest::Append(request),
            Err(error) => return Err((ticket, error)),
        };
        let token = ticket.correlation;
        let origin = self.origin(token);
        self.router.partition(&producing.topic, append.partition, origin, request);
        self.pending.insert(token, Pending::Append(ticket));
        Ok(())
    }

    /// Looks its topic up again if a producer's channel names a partition that there was not when
    /// the channel was opened: it may have been added since.
    fn refresh(&mut self, channel: u32, partition: u32) {
        let Some(Producing { topic: known, .. }) = self.producers.get(&channel) else { return };
        if partition < known.partitions {
            return;
        }
        if let Ok(now) = self.topic(&known.stream, &known.name)
            && now.id == known.id
            && let Some(producing) = self.producers.get_mut(&channel)
        {
            producing.topic = now;
        }
    }

    // SPEC C-12
    pub(super) fn flush(&mut self, ticket: Ticket, flush: &Flush) -> Result<(), Refused> {
        self.refresh(ticket.channel, flush.partition);
        let Some(Producing { topic, .. }) = self.producers.get(&ticket.channel) else {
            return Err(not_open(ticket));
        };
        if let Err(error) = check_partition(topic, flush.partition) {
            return Err((ticket, error));
        }
        let token = ticket.correlation;
        let origin = self.origin(token);
        self.router.partition(topic, flush.partition, origin, PartitionRequest::Flush);
        self.pending.insert(token, Pending::Flush(ticket));
        Ok(())
    }

    pub(super) fn answer_flush(&mut self, ticket: Ticket, flushed: Result<FlushReply, Error>) {
        match flushed {
            Ok(reply) => self.protocol.reply(ticket, &reply, &[]),
            Err(error) => self.protocol.reply_error(ticket, &error),
        }
    }
}

impl Producing {
    fn reply(&self) -> OpenProducerReply {
        OpenProducerReply {
            producer_id: self.producer.producer_id,
            producer_epoch: self.producer.producer_epoch,
            topic_id: self.topic.id,
            partitions: self.topic.partitions,
            codec: self.topic.codec,
        }
    }

    /// Everything that can be wrong with a batch by itself, before anything is done with it. A
    /// compressed one is looked into, an encrypted one cannot be; what is stored and delivered is
    /// what came.
    fn check(&self, append: &Append, batch: Bytes) -> Result<AppendRequest, Error> {
        check_partition(&self.topic, append.partition)?;
        if let Acks::Other(other) = append.acks {
            return Err(Error::new(
                Code::INVALID_ARGUMENT,
                format!("acks {other} is not known here: 0 none, 1 written, 2 synced"),
            ));
        }
        let (header, layout) = validate(&batch, Limits::PROTOCOL)?;
        if header.columns.has(Columns::OFFSET_DELTAS) {
            return Err(Error::new(
                Code::UNSUPPORTED_BATCH,
                "a producer's batch has no offset deltas: the server gives offsets",
            ));
        }
        let claim = Claim::from(&header);
        self.check_claim(&claim)?;
        // Whether the topic has a window, the partition knows: it may have changed meanwhile.
        let ids = if !header.columns.has(Columns::IDS) {
            Bytes::new()
        } else if let (Codec::None, Some(layout)) = (header.codec, layout) {
            let from = HEADER_LEN + layout.ids;
            batch.slice(from..from + 16 * layout.count)
        } else {
            batch::ids(&batch)?
        };
        let opened_epoch = self.opened_epoch.clone();
        Ok(AppendRequest { batch, claim, acks: append.acks, opened_epoch, ids })
    }

    // SPEC I-11
    fn check_claim(&self, claim: &Claim) -> Result<(), Error> {
        let ProducerIdentity { producer_id, producer_epoch } = self.producer;
        if claim.producer_id == 0
            || claim.producer_id == producer_id && claim.producer_epoch <= producer_epoch
        {
            return Ok(());
        }
        Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!(
                "the batch is of producer {} in epoch {}, the channel is open for producer \
                 {producer_id} in epoch {producer_epoch}",
                claim.producer_id, claim.producer_epoch
            ),
        ))
    }
}

fn not_open(ticket: Ticket) -> Refused {
    let text = format!("channel {} is not open as a producer", ticket.channel);
    (ticket, Error::new(Code::UNKNOWN_CHANNEL, text))
}

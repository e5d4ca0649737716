//! Producing: channels, and batches that are validated here before a partition sees them.

use std::sync::Arc;

use bytes::Bytes;
use tidewire_protocol::batch::{Columns, Limits, validate};
use tidewire_protocol::connection::Ticket;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{
    Acks, Append, CloseProducerReply, OpenProducer, OpenProducerReply,
};
use tidewire_storage::Topic;

use super::{Pending, Refused, Session, check_partition};
use crate::message::PartitionRequest;

impl Session {
    pub(super) fn open_producer(
        &mut self,
        ticket: Ticket,
        open: &OpenProducer,
    ) -> Result<(), Refused> {
        let topic = match self.topic(&open.stream, &open.topic) {
            Ok(topic) => topic,
            Err(error) => return Err((ticket, error)),
        };
        let reply = OpenProducerReply {
            producer_id: self.router.shared.producer_id(),
            producer_epoch: 0,
            topic_id: topic.id,
            partitions: topic.partitions,
            codec: topic.codec,
        };
        self.producers.insert(ticket.channel, topic);
        self.protocol.reply(ticket, &reply, &[]);
        Ok(())
    }

    pub(super) fn close_producer(&mut self, ticket: Ticket) -> Result<(), Refused> {
        self.producers.remove(&ticket.channel);
        self.protocol.reply(ticket, &CloseProducerReply {}, &[]);
        Ok(())
    }

    pub(super) fn append(
        &mut self,
        ticket: Ticket,
        append: &Append,
        batch: Bytes,
    ) -> Result<(), Refused> {
        let Some(topic) = self.producers.get(&ticket.channel).cloned() else {
            let text = format!("channel {} is not open as a producer", ticket.channel);
            return Err((ticket, Error::new(Code::UNKNOWN_CHANNEL, text)));
        };
        let topic = if append.partition < topic.partitions {
            topic
        } else {
            self.grown(ticket.channel, topic)
        };
        let records = match check_append(&topic, append, &batch) {
            Ok(records) => records,
            Err(error) => return Err((ticket, error)),
        };
        let token = ticket.correlation;
        let request = PartitionRequest::Append { batch, records, acks: append.acks };
        self.router.partition(&topic, append.partition, self.origin(token), request);
        self.pending.insert(token, Pending::Append(ticket));
        Ok(())
    }

    /// The topic of a producer's channel as it is now: it may have more partitions than when the
    /// channel was opened.
    fn grown(&mut self, channel: u32, known: Arc<Topic>) -> Arc<Topic> {
        match self.topic(&known.stream, &known.name) {
            Ok(now) if now.id == known.id => {
                self.producers.insert(channel, Arc::clone(&now));
                now
            }
            _ => known,
        }
    }
}

/// Everything that can be wrong with a batch, before anything is done with it. A compressed one is
/// looked into; what is stored and delivered is what came. Returns its number of records.
fn check_append(topic: &Topic, append: &Append, batch: &[u8]) -> Result<u32, Error> {
    check_partition(topic, append.partition)?;
    if let Acks::Other(other) = append.acks {
        return Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!("acks {other} is not known here: 0 none, 1 written, 2 synced"),
        ));
    }
    let (header, _) = validate(batch, Limits::PROTOCOL)?;
    if header.columns.has(Columns::OFFSET_DELTAS) {
        return Err(Error::new(
            Code::UNSUPPORTED_BATCH,
            "a producer's batch has no offset deltas: the server gives offsets",
        ));
    }
    Ok(header.record_count)
}

//! Deleting records by request: below an offset of a partition, or all of a topic or stream.
//!
//! A request for many partitions is answered when the last of them has answered; if one failed,
//! with its error, and the others are done all the same.

use std::sync::Arc;

use tidewire_protocol::connection::Ticket;
use tidewire_protocol::error::Error;
use tidewire_protocol::message::{
    Kind, StreamPurgeReply, TopicPurge, TopicPurgeReply, Truncate, TruncateReply,
};
use tidewire_storage::Topic;
use tidewire_storage::disk::Disk;

use super::{Pending, Refused, Session, check_partition, no_stream};
use crate::message::PartitionRequest;

impl<D: Disk> Session<D> {
    pub(super) fn truncate(
        &mut self,
        ticket: Ticket,
        truncate: &Truncate,
    ) -> Result<(), Refused> {
        let checked = self.topic(&truncate.stream, &truncate.topic).and_then(|topic| {
            check_partition(&topic, truncate.partition)?;
            Ok(topic)
        });
        let topic = match checked {
            Ok(topic) => topic,
            Err(error) => return Err((ticket, error)),
        };
        let token = ticket.correlation;
        let request = PartitionRequest::Truncate { before: truncate.before_offset };
        self.router.partition(&topic, truncate.partition, self.origin(token), request);
        self.pending.insert(token, Pending::Trim { ticket, missing: 1, failed: None });
        Ok(())
    }

    pub(super) fn purge_topic(
        &mut self,
        ticket: Ticket,
        purge: &TopicPurge,
    ) -> Result<(), Refused> {
        match self.topic(&purge.stream, &purge.topic) {
            Ok(topic) => {
                self.purge(ticket, &[topic]);
                Ok(())
            }
            Err(error) => Err((ticket, error)),
        }
    }

    pub(super) fn purge_stream(&mut self, ticket: Ticket, name: &str) -> Result<(), Refused> {
        let catalog = self.router.shared.catalog.load_full();
        let Some(stream) = catalog.streams.get(name) else {
            return Err((ticket, no_stream(name)));
        };
        let topics: Vec<Arc<Topic>> = stream.topics.values().cloned().collect();
        self.purge(ticket, &topics);
        Ok(())
    }

    fn purge(&mut self, ticket: Ticket, topics: &[Arc<Topic>]) {
        let token = ticket.correlation;
        let mut missing = 0;
        for topic in topics {
            for partition in 0..topic.partitions {
                let origin = self.origin(token);
                self.router.partition(topic, partition, origin, PartitionRequest::Purge);
                missing += 1;
            }
        }
        if missing == 0 {
            self.protocol.reply(ticket, &StreamPurgeReply {}, &[]);
            return;
        }
        self.pending.insert(token, Pending::Trim { ticket, missing, failed: None });
    }

    pub(super) fn answer_trim(
        &mut self,
        token: u64,
        ticket: Ticket,
        missing: usize,
        failed: Option<Error>,
        result: Result<u64, Error>,
    ) {
        let start_offset = *result.as_ref().unwrap_or(&0);
        let failed = failed.or(result.err());
        if missing > 1 {
            let pending = Pending::Trim { ticket, missing: missing - 1, failed };
            self.pending.insert(token, pending);
            return;
        }
        match failed {
            Some(error) => self.protocol.reply_error(ticket, &error),
            None if ticket.kind == Kind::TRUNCATE => {
                self.protocol.reply(ticket, &TruncateReply { start_offset }, &[]);
            }
            None if ticket.kind == Kind::TOPIC_PURGE => {
                self.protocol.reply(ticket, &TopicPurgeReply {}, &[]);
            }
            None => self.protocol.reply(ticket, &StreamPurgeReply {}, &[]),
        }
    }
}

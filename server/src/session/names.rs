//! Named producers of a topic, listed and forgotten by the catalog's thread.

use tidewire_protocol::connection::Ticket;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{
    ProducerDelete, ProducerDeleteReply, ProducerList, ProducerListReply,
};

use tidewire_storage::disk::Disk;

use super::{Pending, Refused, Session};
use crate::catalog::CatalogJob;

impl<D: Disk> Session<D> {
    pub(super) fn list_producers(
        &mut self,
        ticket: Ticket,
        list: ProducerList,
    ) -> Result<(), Refused> {
        let topic = match self.topic(&list.stream, &list.topic) {
            Ok(topic) => topic,
            Err(error) => return Err((ticket, error)),
        };
        let origin = self.origin(ticket.correlation);
        self.ask_catalog(ticket, CatalogJob::ListProducers { origin, topic, after: list.after })
    }

    pub(super) fn delete_producer(
        &mut self,
        ticket: Ticket,
        delete: ProducerDelete,
    ) -> Result<(), Refused> {
        let topic = match self.topic(&delete.stream, &delete.topic) {
            Ok(topic) => topic,
            Err(error) => return Err((ticket, error)),
        };
        let origin = self.origin(ticket.correlation);
        self.ask_catalog(
            ticket,
            CatalogJob::DeleteProducer { origin, topic, name: delete.name },
        )
    }

    fn ask_catalog(&mut self, ticket: Ticket, job: CatalogJob) -> Result<(), Refused> {
        if self.router.shared.catalog_jobs.send(job).is_err() {
            return Err((ticket, Error::new(Code::SHUTTING_DOWN, "")));
        }
        self.pending.insert(ticket.correlation, Pending::Catalog(ticket));
        Ok(())
    }

    pub(super) fn answer_producers(
        &mut self,
        ticket: Ticket,
        listed: Result<ProducerListReply, Error>,
    ) {
        match listed {
            Ok(reply) => self.protocol.reply(ticket, &reply, &[]),
            Err(error) => self.protocol.reply_error(ticket, &error),
        }
    }

    pub(super) fn answer_producer_deleted(
        &mut self,
        ticket: Ticket,
        deleted: Result<(), Error>,
    ) {
        match deleted {
            Ok(()) => self.protocol.reply(ticket, &ProducerDeleteReply {}, &[]),
            Err(error) => self.protocol.reply_error(ticket, &error),
        }
    }
}

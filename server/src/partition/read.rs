//! Reading: at once where there is something, later where there is not.

use tidewire_protocol::error::{Code, Error};
use tidewire_storage::disk::Disk;

use super::{Effect, MAX_WAITERS, Partition, storage_error};
use crate::message::{Origin, ReadReply, ReadRequest};

/// A read that waits for more bytes.
pub(super) struct Waiter {
    request: ReadRequest,
    pub(super) origin: Origin,
    /// Value of `appended_bytes` at which it has enough.
    enough_at: u64,
}

impl Waiter {
    /// The first record that it wants.
    pub(super) fn offset(&self) -> u64 {
        self.request.offset
    }
}

impl<D: Disk> Partition<D> {
    /// Answers a read, now or when there is enough.
    pub(crate) fn read(
        &mut self,
        request: ReadRequest,
        origin: Origin,
        effects: &mut Vec<Effect<D>>,
    ) {
        let reply = match self.read_now(&request) {
            Ok(reply) => reply,
            Err(error) => {
                effects.push(Effect::Read(origin, Err(error)));
                return;
            }
        };
        let wanted = request.min_bytes.min(request.max_bytes);
        if reply.bytes.len() >= wanted {
            effects.push(Effect::Read(origin, Ok(reply)));
        } else if self.waiters.len() >= MAX_WAITERS {
            let text = format!("{MAX_WAITERS} reads wait on {} already, the limit", self.name);
            effects.push(Effect::Read(origin, Err(Error::new(Code::OVERLOADED, text))));
        } else {
            // What was appended but is not visible yet counts too soon; the read is then tried
            // once in vain and waits on.
            let missing = (wanted - reply.bytes.len()) as u64;
            let enough_at = self.appended_bytes + missing;
            self.waiters.push(Waiter { request, origin, enough_at });
        }
    }

    /// Answers a waiting read with what there is.
    pub(crate) fn expire_read(&mut self, origin: Origin, effects: &mut Vec<Effect<D>>) {
        if let Some(waiter) = self.take_waiter(origin) {
            let reply = self.read_now(&waiter.request);
            effects.push(Effect::Read(origin, reply));
        }
    }

    /// Forgets a waiting read.
    pub(crate) fn cancel_read(&mut self, origin: Origin) {
        self.take_waiter(origin);
    }

    fn take_waiter(&mut self, origin: Origin) -> Option<Waiter> {
        let at = self.waiters.iter().position(|waiter| waiter.origin == origin)?;
        Some(self.waiters.swap_remove(at))
    }

    /// Answers the waiting reads that have enough. Readers at one place share the bytes.
    pub(super) fn serve_waiters(&mut self, effects: &mut Vec<Effect<D>>) {
        let mut shared: Option<(u64, usize, ReadReply)> = None;
        let mut index = 0;
        while index < self.waiters.len() {
            let waiter = &self.waiters[index];
            let request = waiter.request;
            if request.min_bytes > 1 && self.appended_bytes < waiter.enough_at {
                index += 1;
                continue;
            }
            let reply = match &shared {
                Some((offset, max_bytes, reply))
                    if (*offset, *max_bytes) == (request.offset, request.max_bytes) =>
                {
                    Ok(reply.clone())
                }
                _ => self.read_now(&request),
            };
            let enough = match &reply {
                Ok(reply) => reply.bytes.len() >= request.min_bytes.min(request.max_bytes),
                Err(_) => true,
            };
            if let Ok(reply) = &reply {
                shared = Some((request.offset, request.max_bytes, reply.clone()));
            }
            if !enough {
                index += 1;
                continue;
            }
            let waiter = self.waiters.swap_remove(index);
            effects.push(Effect::Read(waiter.origin, reply));
        }
    }

    fn read_now(&self, request: &ReadRequest) -> Result<ReadReply, Error> {
        let (start_offset, end_offset) = (self.log.start_offset(), self.visible_end);
        if !(start_offset..=end_offset).contains(&request.offset) {
            return Err(self.out_of_range(request.offset));
        }
        let chunk = self
            .log
            .read(request.offset, request.max_bytes, end_offset)
            .map_err(|error| storage_error(&self.name, &error))?;
        Ok(ReadReply {
            bytes: chunk.bytes,
            next_offset: chunk.next_offset.max(request.offset),
            start_offset,
            end_offset,
        })
    }
}

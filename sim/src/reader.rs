//! Readers: each follows one partition, and begins again where it was after a broken connection.

use tidewire_checker::Event;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::Start;
use tidewire_server::sim::ReadReply;

use crate::batches;
use crate::world::{Task, World};

/// Longest time that a reader waits before it tries again.
const RETRY_US: u64 = 5_000;
/// Longest time that a read waits for bytes.
const PATIENCE_US: u64 = 3_000;

pub(crate) struct Reader {
    slot: usize,
    topic: u64,
    pub connection: u64,
    start: u64,
    /// Where it goes on; `None` while it has not subscribed.
    next: Option<u64>,
    /// Where it was.
    last: Option<u64>,
    pub last_answer_us: u64,
}

impl World {
    pub fn add_readers(&mut self) {
        for _ in 0..self.plan.readers {
            let slot = self.rng.below(self.plan.partitions as u64) as usize;
            self.add_reader(slot);
        }
    }

    /// One reader more, of this slot's topic.
    pub fn add_reader(&mut self, slot: usize) {
        let reader = self.readers.len();
        self.readers.push(Reader {
            slot,
            topic: 0,
            connection: 0,
            start: 0,
            next: None,
            last: None,
            last_answer_us: 0,
        });
        self.after(1, Task::ReadOn { reader, connection: 0 });
    }

    /// Subscribes, or asks for more.
    pub fn read_on(&mut self, index: usize, connection: u64) {
        if self.readers[index].connection != connection {
            return;
        }
        let slot = self.readers[index].slot;
        let (start, topic) = (self.host.start, self.host.topic(slot));
        if !self.host.is_slot_open(slot) {
            return self.try_again(index);
        }
        let reader = &mut self.readers[index];
        if reader.start != start || reader.topic != topic {
            if reader.topic != topic {
                reader.last = None;
            }
            (reader.start, reader.topic, reader.next) = (start, topic, None);
        }
        if self.rng.one_in(6) {
            self.ask_time(slot);
        }
        let Some(offset) = self.readers[index].next else { return self.subscribe(index) };
        let max_bytes = *self.rng.pick(&[1, 300, 3_000, 100_000]);
        let min_bytes = *self.rng.pick(&[0, 1, 1, 500]);
        let token = self.read(slot, index, connection, offset, max_bytes, min_bytes);
        if min_bytes > 0 {
            let patience = self.rng.below(PATIENCE_US) + 1;
            self.after(patience, Task::Expire { reader: index, token });
        }
    }

    fn subscribe(&mut self, index: usize) {
        let reader = &self.readers[index];
        let (slot, connection) = (reader.slot, reader.connection);
        let (start, offset) = match reader.last {
            Some(last) => (Start::Offset, last),
            None if self.rng.one_in(2) => (Start::Earliest, 0),
            None => (Start::Latest, 0),
        };
        match self.resolve(slot, start, offset) {
            Some(Ok(offset)) => {
                self.readers[index].next = Some(offset);
                let partition = self.readers[index].topic;
                self.observe(Event::Subscribed { reader: index as u64, partition, offset });
                self.after(1, Task::ReadOn { reader: index, connection });
            }
            Some(Err(_)) => {
                // Where it was is lost, or trimmed.
                self.readers[index].last = None;
                self.try_again(index);
            }
            None => self.try_again(index),
        }
    }

    pub fn read_done(
        &mut self,
        index: usize,
        connection: u64,
        offset: u64,
        result: Result<ReadReply, Error>,
    ) {
        if self.readers[index].connection != connection {
            return;
        }
        let reply = match result {
            Ok(reply) => reply,
            Err(error) => {
                self.say(format_args!("reader {index} fails at {offset}: {error}"));
                if error.code == Code::OFFSET_OUT_OF_RANGE {
                    self.readers[index].last = None;
                }
                self.readers[index].next = None;
                return self.try_again(index);
            }
        };
        let found = batches::parse(reply.bytes, offset);
        let partition = self.readers[index].topic;
        if let Some(damage) = &found.damage
            && !self.host.is_damaged(partition)
        {
            self.fail(format!("reader {index} is given damaged bytes at {offset}: {damage}"));
            return;
        }
        if !found.records.is_empty() {
            let next = offset + found.records.len() as u64;
            self.tally.read += found.records.len() as u64;
            let (reader, base_offset) = (index as u64, found.base_offset);
            self.observe(Event::Read { reader, base_offset, records: found.records });
            let reader = &mut self.readers[index];
            (reader.next, reader.last) = (Some(next), Some(next));
        }
        if found.damage.is_some() {
            return self.try_again(index);
        }
        let pause = self.rng.below(self.plan.pause_us) + 1;
        self.after(pause, Task::ReadOn { reader: index, connection });
    }

    fn try_again(&mut self, index: usize) {
        let delay = self.rng.below(RETRY_US) + 1;
        let connection = self.readers[index].connection;
        self.after(delay, Task::ReadOn { reader: index, connection });
    }

    /// The server is gone: every reader notices after what is still under way to it.
    pub fn disconnect_readers(&mut self) {
        for index in 0..self.readers.len() {
            let delay = self.rng.below(RETRY_US) + 1;
            let reader = &mut self.readers[index];
            reader.connection += 1;
            reader.next = None;
            let connection = reader.connection;
            self.after(delay, Task::ReadOn { reader: index, connection });
        }
    }
}

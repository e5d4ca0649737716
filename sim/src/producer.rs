//! Producers: each has a connection, a window of batches under way, and a way to deal with
//! answers that do not come.

use std::collections::VecDeque;

use bytes::Bytes;
use tidewire_checker::{Digest, Event, Level, Order, Retries};
use tidewire_protocol::batch::Sequence;
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::limits::MAX_REMEMBERED_BATCHES;
use tidewire_protocol::message::{Acks, AppendReply};

use crate::batches::{self, Make};
use crate::world::{Task, World};

/// Longest time until a producer tries again.
const RETRY_US: u64 = 5_000;

/// What a producer does about a batch whose answer is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Idempotent: sends it again, and all after it.
    ExactlyOnce,
    /// Leaves it.
    Ordered,
    /// Sends it again without an id.
    Loose,
}

/// A batch on its way to the server.
pub(crate) struct Arrival {
    pub producer: usize,
    pub connection: u64,
    /// The server's start to which the connection leads.
    pub start: u64,
    pub slot: usize,
    pub topic: u64,
    pub send: u64,
    pub batch: Bytes,
    pub level: Level,
}

struct Batch {
    send: u64,
    bytes: Bytes,
    level: Level,
    /// Sent on this connection.
    on_wire: bool,
    /// Tried before.
    tried: bool,
    /// Counts the producer's batches.
    number: u64,
}

pub(crate) struct Producer {
    pub slot: usize,
    /// The topic's number when it began; a topic that is deleted makes it begin anew.
    topic: u64,
    manner: Manner,
    window: usize,
    id: u64,
    epoch: u32,
    next_sequence: u64,
    next_place: u64,
    next_number: u64,
    unanswered: VecDeque<Batch>,
    /// Counts its connections.
    pub connection: u64,
    /// The server's start to which it is connected.
    start: u64,
    /// Nothing that it sends arrives later than this: the connection was cut.
    cut_us: u64,
    last_arrival_us: u64,
    pub last_answer_us: u64,
    /// A try is due.
    reconnecting: bool,
    /// Records could have been lost since it began: it may find its sequence gone.
    losses: u64,
    /// It has a name: another instance may take its place.
    named: bool,
}

impl Producer {
    pub fn unanswered(&self) -> usize {
        self.unanswered.len()
    }
}

impl World {
    pub fn add_producers(&mut self) {
        for _ in 0..self.plan.producers {
            let slot = self.rng.below(self.plan.partitions as u64) as usize;
            self.add_producer(slot);
        }
    }

    /// One producer more, of this slot's topic.
    pub fn add_producer(&mut self, slot: usize) {
        let producer = self.producers.len();
        let manner = *self.rng.pick(&[
            Manner::ExactlyOnce,
            Manner::ExactlyOnce,
            Manner::Ordered,
            Manner::Loose,
        ]);
        let window = *self.rng.pick(&[1, 2, 5]);
        self.producers.push(Producer {
            slot,
            topic: 0,
            manner,
            window,
            id: producer as u64 + 1,
            epoch: 0,
            next_sequence: 0,
            next_place: 0,
            next_number: 0,
            unanswered: VecDeque::new(),
            connection: 0,
            start: 0,
            cut_us: u64::MAX,
            last_arrival_us: 0,
            last_answer_us: 0,
            reconnecting: false,
            losses: 0,
            named: manner == Manner::ExactlyOnce && self.plan.reopen_every_us.is_some(),
        });
        self.say(format_args!("producer {producer}: {manner:?}, slot {slot}, window {window}"));
        self.after(1, Task::Produce(producer));
    }

    pub fn produce(&mut self, index: usize) {
        if self.resting {
            return;
        }
        let pause = 1 + self.rng.below(self.plan.pause_us);
        self.after(pause, Task::Produce(index));
        let topic = self.host.topic(self.producers[index].slot);
        let producer = &mut self.producers[index];
        // A partition remembers so many batches: what is sent again must be among them.
        let oldest = producer.unanswered.front().map_or(producer.next_number, |b| b.number);
        let far = producer.next_number - oldest >= u64::from(MAX_REMEMBERED_BATCHES);
        if producer.unanswered.len() >= producer.window || far || producer.start == 0 {
            return self.connect(index);
        }
        if producer.topic != topic {
            // A new topic: nothing of before counts.
            producer.topic = topic;
            producer.unanswered.clear();
            producer.next_sequence = 0;
            producer.losses = self.host.losses(producer.slot);
        }
        let records = if self.rng.one_in(3) { self.rng.between(2, 4) } else { 1 };
        let producer = &mut self.producers[index];
        let (mut sequence, order) = match producer.manner {
            Manner::ExactlyOnce => {
                let base_sequence = producer.next_sequence;
                producer.next_sequence += records;
                let sequence = Sequence {
                    producer_id: producer.id,
                    producer_epoch: producer.epoch,
                    base_sequence,
                };
                let order =
                    Order::ExactlyOnce { epoch: producer.epoch, sequence: base_sequence };
                (sequence, order)
            }
            Manner::Ordered => {
                producer.next_place += 1;
                (Sequence::default(), Order::Ordered { place: producer.next_place })
            }
            Manner::Loose => (Sequence::default(), Order::Loose),
        };
        if sequence.producer_id != 0 {
            sequence.producer_id = producer_id(sequence.producer_id, topic);
        }
        let send = self.next_send;
        self.next_send += 1;
        // What is left of a batch after its ids were seen would need another sequence: that is
        // the client's to do, and not here.
        let make = Make {
            ids: self.plan.ids && self.producers[index].manner != Manner::ExactlyOnce,
            codecs: self.plan.codecs,
        };
        let (bytes, digests, ids) =
            batches::build(&mut self.rng, send, records, sequence, make);
        if !ids.is_empty() {
            self.ids.insert(send, ids);
        }
        let levels =
            [Level::None, Level::Written, Level::Written, Level::Synced, Level::Synced];
        let mut level = *self.rng.pick(&levels);
        if producer_waits(self.producers[index].manner) {
            // Without an answer there is nothing to try again.
            level = level.max(Level::Written);
        }
        self.note_sent(index, topic, send, order, level, digests);
        let number = self.producers[index].next_number;
        self.producers[index].next_number += 1;
        let batch = Batch { send, bytes, level, on_wire: false, tried: false, number };
        self.producers[index].unanswered.push_back(batch);
        self.tally.sent += 1;
        self.transmit(index);
    }

    fn note_sent(
        &mut self,
        index: usize,
        partition: u64,
        send: u64,
        order: Order,
        level: Level,
        records: Vec<Digest>,
    ) {
        let producer = self.producers[index].id;
        let retries = Retries::Told;
        let event = Event::Sent { send, partition, producer, order, retries, level, records };
        self.observe(event);
    }

    /// Sends what was not sent on this connection.
    fn transmit(&mut self, index: usize) {
        for at in 0..self.producers[index].unanswered.len() {
            let latency = self.rng.below(self.plan.latency_us) + 1;
            let producer = &mut self.producers[index];
            let batch = &mut producer.unanswered[at];
            if batch.on_wire {
                continue;
            }
            batch.on_wire = true;
            let again = std::mem::replace(&mut batch.tried, true);
            let arrival = Arrival {
                producer: index,
                connection: producer.connection,
                start: producer.start,
                slot: producer.slot,
                topic: producer.topic,
                send: batch.send,
                batch: batch.bytes.clone(),
                level: batch.level,
            };
            let at_us = (self.now_us + latency).max(producer.last_arrival_us + 1);
            producer.last_arrival_us = at_us;
            let (send, cut) = (batch.send, at_us > producer.cut_us);
            if again {
                self.tally.resent += 1;
                self.observe(Event::Resent { send });
            }
            if !cut {
                self.at(at_us, Task::Arrive(arrival));
            }
        }
    }

    /// A batch arrives; the server may have ended, and the connection with it.
    pub fn arrive(&mut self, arrival: Arrival) {
        let producer = &self.producers[arrival.producer];
        let cut = arrival.connection == producer.connection && self.now_us > producer.cut_us;
        if arrival.start != self.host.start || cut {
            return;
        }
        self.say(format_args!("arrives send {} at slot {}", arrival.send, arrival.slot));
        self.append(arrival);
    }

    /// A producer is told what became of a batch.
    pub fn appended(
        &mut self,
        index: usize,
        connection: u64,
        send: u64,
        result: Result<AppendReply, Error>,
    ) {
        let producer = &self.producers[index];
        if producer.connection != connection || self.now_us > producer.cut_us {
            return;
        }
        let Some(at) = producer.unanswered.iter().position(|batch| batch.send == send) else {
            return;
        };
        match result {
            Ok(reply) => {
                self.producers[index].unanswered.remove(at);
                let level = match reply.acks {
                    Acks::Synced => Level::Synced,
                    Acks::Written => Level::Written,
                    _ => Level::None,
                };
                self.tally.acknowledged += 1;
                self.tally.duplicates += u64::from(reply.duplicate);
                let base_offset = reply.base_offset;
                self.observe(Event::Acknowledged { send, level, base_offset });
            }
            Err(error) => self.append_failed(index, at, send, &error),
        }
    }

    fn append_failed(&mut self, index: usize, at: usize, send: u64, error: &Error) {
        self.tally.refused += 1;
        self.say(format_args!("send {send} fails: {} {}", error.code, error.message));
        let unknown = error.is_outcome_unknown();
        if !unknown {
            self.observe(Event::Refused { send });
        }
        let losses = self.host.losses(self.producers[index].slot);
        let lossy = losses > self.producers[index].losses;
        let producer = &mut self.producers[index];
        match producer.manner {
            _ if error.code == Code::DUPLICATE_IDS => _ = producer.unanswered.remove(at),
            Manner::Ordered => _ = producer.unanswered.remove(at),
            Manner::Loose => {
                producer.unanswered[at].on_wire = false;
                self.reconnect_later(index);
            }
            Manner::ExactlyOnce => {
                let broken =
                    [Code::SEQUENCE_GAP, Code::SEQUENCE_OVERLAP, Code::PRODUCER_FENCED]
                        .contains(&error.code);
                if broken && at == 0 {
                    if !lossy {
                        let code = error.code;
                        self.fail(format!(
                            "producer {index} is told {code} of its first batch, though nothing was lost: {error}"
                        ));
                        return;
                    }
                    // What it was told as written is gone: it begins again, as a new instance.
                    producer.epoch += 1;
                    producer.next_sequence = 0;
                    producer.unanswered.clear();
                    producer.losses = losses;
                    producer.connection += 1;
                    producer.start = 0;
                    if producer.named {
                        let (id, epoch) =
                            (producer_id(producer.id, producer.topic), producer.epoch);
                        self.host.opened(id, epoch);
                    }
                    return;
                }
                self.reconnect_later(index);
            }
        }
    }

    fn reconnect_later(&mut self, index: usize) {
        let delay = self.rng.below(RETRY_US) + 1;
        let producer = &mut self.producers[index];
        if !producer.reconnecting {
            producer.reconnecting = true;
            let connection = producer.connection;
            self.after(delay, Task::Reconnect { producer: index, connection });
        }
    }

    /// Connects to the server as it is now, if that is not so already.
    fn connect(&mut self, index: usize) {
        if self.producers[index].start == 0 {
            self.reconnect_later(index);
        }
    }

    pub fn reconnect(&mut self, index: usize, connection: u64) {
        let running = self.host.is_running();
        let topic = self.host.topic(self.producers[index].slot);
        let producer = &mut self.producers[index];
        producer.reconnecting = false;
        if producer.connection != connection {
            return self.connect(index);
        }
        producer.connection += 1;
        producer.start = 0;
        if !running {
            return self.reconnect_later(index);
        }
        producer.start = self.host.start;
        producer.cut_us = u64::MAX;
        if producer.topic != topic {
            producer.unanswered.clear();
        }
        match producer.manner {
            // What became of these is not known, and not asked for.
            Manner::Ordered => producer.unanswered.clear(),
            Manner::Loose | Manner::ExactlyOnce => {
                producer.unanswered.iter_mut().for_each(|batch| batch.on_wire = false);
            }
        }
        self.transmit(index);
    }

    /// A producer's process is started anew, and takes its name over: what the old instance has
    /// sent and what arrives from now on is of the past.
    pub fn reopen_producer(&mut self) {
        let named: Vec<usize> =
            (0..self.producers.len()).filter(|&at| self.producers[at].named).collect();
        if named.is_empty() {
            return;
        }
        let index = *self.rng.pick(&named);
        let topic = self.producers[index].topic;
        if topic == 0 || !self.host.is_running() {
            return;
        }
        let producer = &mut self.producers[index];
        producer.epoch += 1;
        producer.next_sequence = 0;
        producer.unanswered.clear();
        producer.connection += 1;
        producer.start = 0;
        let (id, epoch) = (producer_id(producer.id, topic), producer.epoch);
        self.tally.reopened += 1;
        self.say(format_args!("producer {index} is opened anew: epoch {epoch}"));
        self.host.opened(id, epoch);
        self.reconnect_later(index);
    }

    /// Somebody's connection is cut: of what is under way, what is late does not arrive.
    pub fn cut(&mut self) {
        let index = self.rng.below(self.producers.len() as u64) as usize;
        let cut_us = self.now_us + self.rng.below(self.plan.latency_us);
        self.say(format_args!("producer {index} is cut"));
        self.tally.cuts += 1;
        self.producers[index].cut_us = cut_us;
        self.reconnect_later(index);
    }

    /// The server is gone: every producer will notice.
    pub fn disconnect_producers(&mut self) {
        for index in 0..self.producers.len() {
            self.reconnect_later(index);
        }
    }
}

/// Ids are the server's to give: one for each topic's life.
fn producer_id(id: u64, topic: u64) -> u64 {
    id + (topic << 8)
}

fn producer_waits(manner: Manner) -> bool {
    manner == Manner::ExactlyOnce
}

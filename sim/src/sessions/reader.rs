//! Readers beyond their connections: the protocol's `Subscription`, its channel, and what was
//! delivered and not yet taken. A member of a group has one for each of its partitions.

use std::collections::VecDeque;

use bytes::Bytes;
use tidewire_checker::{Digest, Event};
use tidewire_protocol::batch::Header;
use tidewire_protocol::connection::{ClientConnection, Time};
use tidewire_protocol::error::Error;
use tidewire_protocol::frame::Frame;
use tidewire_protocol::message::{Credit, Start, Subscribe, Unsubscribe};
use tidewire_protocol::session::{From, Subscription};

use super::client::{Access, Pending};
use super::world::World;
use super::{STREAM, TOPIC};
use crate::batches;
use crate::bug::Bug;

/// What a delivery may hold beyond the credit: one batch.
const SLACK_BYTES: u64 = 64 << 10;

/// One partition's subscription.
pub(crate) struct Reading {
    pub partition: u32,
    pub subscription: Subscription,
    /// On this connection.
    pub channel: Option<u32>,
    deliveries: VecDeque<Bytes>,
    pub ended: Option<Error>,
    /// It was subscribed before.
    resumes: bool,
    /// Of a bug: the records that were left out.
    left_out: bool,
}

/// A batch that was taken: its first record shown, and those from there on.
pub(crate) struct Taken {
    pub base_offset: u64,
    pub next_offset: u64,
    pub records: Vec<Digest>,
}

impl Reading {
    pub fn new(partition: u32, from: From, window: u64, seed: u64) -> Self {
        Self {
            partition,
            subscription: Subscription::new(from, window, seed),
            channel: None,
            deliveries: VecDeque::new(),
            ended: None,
            resumes: false,
            left_out: false,
        }
    }

    /// Subscribes, if that is due.
    pub fn drive(&mut self, access: &mut Access<'_>, bug: Option<Bug>) {
        if self.ended.is_some() || !access.has_room() {
            return;
        }
        let Some(mut place) = self.subscription.poll_subscribe(access.now) else { return };
        let channel = access.new_channel();
        self.left_out = bug == Some(Bug::ResumeLate)
            && self.resumes
            && place.start == Start::Offset
            && self.subscription.end_offset() > place.start_at;
        place.start_at += u64::from(self.left_out);
        let subscribe = Subscribe {
            stream: STREAM.to_owned(),
            topic: TOPIC.to_owned(),
            partition: self.partition,
            start: place.start,
            start_at: place.start_at,
            credit_bytes: place.credit_bytes,
        };
        if access.ask(channel, &subscribe, Pending::Subscribe { channel }) {
            self.channel = Some(channel);
        } else {
            self.subscription.handle_disconnected();
        }
    }

    pub fn disconnected(&mut self) {
        self.resumes |= self.channel.is_some();
        self.channel = None;
        self.subscription.handle_disconnected();
    }

    /// The reply to a subscription; the place that it begins at, the first time, and the credit to
    /// grant.
    pub fn subscribed(
        &mut self,
        now: Time,
        result: Result<Frame, Error>,
    ) -> (Option<u64>, Option<u64>) {
        let reply =
            result.and_then(|frame| ClientConnection::decode_reply::<Subscribe>(&frame));
        let known = self.subscription.next_offset().is_some();
        let result = reply.and_then(|reply| {
            let next = reply.next_offset - u64::from(self.left_out);
            self.subscription.handle_subscribed(next, reply.end_offset)
        });
        match result {
            Ok(grant) if !known => (self.subscription.next_offset(), grant),
            Ok(grant) => (None, grant),
            Err(error) => {
                self.end(now, &error);
                (None, None)
            }
        }
    }

    /// The subscription ended, for now or for ever.
    pub fn end(&mut self, now: Time, error: &Error) {
        self.channel = None;
        self.resumes = true;
        if self.subscription.handle_ended(now, error) {
            self.ended = Some(error.clone());
        }
    }

    pub fn deliver(&mut self, now: Time, end_offset: u64, payload: Bytes) {
        if payload.is_empty() {
            return;
        }
        let len = payload.len() as u64;
        match self.subscription.handle_delivery(len, reach(&payload), end_offset) {
            Ok(()) => self.deliveries.push_back(payload),
            Err(error) => self.end(now, &error),
        }
    }

    /// Where it stands, in words.
    pub fn describe(&self) -> String {
        let Self { subscription, channel, deliveries, .. } = self;
        format!(
            "at {:?} of {} on channel {channel:?}, {}, {} deliveries, {} bytes held",
            subscription.next_offset(),
            subscription.end_offset(),
            if subscription.is_live() { "live" } else { "not subscribed" },
            deliveries.len(),
            subscription.held_bytes(),
        )
    }

    pub fn has_delivery(&self) -> bool {
        !self.deliveries.is_empty()
    }

    /// What is held beyond what may be, in words.
    pub fn overflow(&self, window: u64) -> Option<String> {
        let held = self.subscription.held_bytes();
        let most = window + SLACK_BYTES;
        (held > most).then(|| format!("{held} bytes are held, the window is {window}"))
    }

    /// Takes the next batch that has records to show.
    pub fn take(&mut self, access: Option<&mut Access<'_>>) -> Result<Option<Taken>, String> {
        let mut grant = None;
        let mut taken = None;
        while let Some(delivery) = self.deliveries.front_mut() {
            let wanted = self.subscription.next_offset().unwrap_or(0);
            let header = Header::parse(delivery).map_err(|why| why.to_string())?;
            let bytes = delivery.split_to(header.total_len as usize);
            if delivery.is_empty() {
                self.deliveries.pop_front();
            }
            let len = bytes.len() as u64;
            let found = batches::parse(bytes, wanted);
            if let Some(damage) = found.damage {
                return Err(damage);
            }
            grant = self.subscription.handle_taken(len).or(grant);
            if found.records.is_empty() {
                continue;
            }
            let next_offset = header.next_offset().unwrap_or(0);
            let base_offset = next_offset - found.records.len() as u64;
            self.subscription.advance(next_offset);
            taken = Some(Taken { base_offset, next_offset, records: found.records });
            break;
        }
        if let (Some(limit_bytes), Some(channel), Some(access)) = (grant, self.channel, access)
        {
            access.tell(channel, &Credit { limit_bytes });
        }
        Ok(taken)
    }

    /// Goes on elsewhere.
    pub fn seek(&mut self, access: Option<&mut Access<'_>>, from: From) {
        self.leave(access);
        self.subscription.seek(from);
        self.ended = None;
    }

    /// Leaves the channel, and what came on it.
    pub fn leave(&mut self, access: Option<&mut Access<'_>>) {
        self.deliveries.clear();
        if let (Some(channel), Some(access)) = (self.channel.take(), access) {
            access.ask(channel, &Unsubscribe {}, Pending::Nothing);
        }
    }
}

/// An offset above that of the last batch's first record, and not above that of the record after
/// it.
fn reach(payload: &[u8]) -> u64 {
    let (mut at, mut reached) = (0, 0);
    while let Some(Ok(header)) = payload.get(at..).map(Header::parse) {
        reached = header.base_offset + u64::from(header.record_count);
        at += header.total_len as usize;
    }
    reached
}

/// A program that reads one partition.
pub(crate) struct Reader {
    number: u64,
    reading: Option<Reading>,
}

impl Reader {
    pub fn unrest(&self) -> Option<String> {
        let reading = self.reading.as_ref()?;
        if !reading.subscription.is_live() {
            return Some(format!("reader {} is not subscribed", self.number));
        }
        let next = reading.subscription.next_offset();
        let end = reading.subscription.end_offset();
        (next < Some(end)).then(|| format!("reader {} is at {next:?} of {end}", self.number))
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        self.reading.as_ref().and_then(|reading| reading.subscription.poll_timeout())
    }
}

impl World {
    pub fn new_reader(&mut self, number: usize) {
        self.next_reader += 1;
        let reader = Reader { number: self.next_reader, reading: None };
        self.clients[number].reader = Some(reader);
    }

    pub fn drive_readers(&mut self, number: usize) {
        if self.topic_id.is_none() {
            return;
        }
        let (partitions, window, bug) =
            (self.plan.partitions, self.plan.window_bytes, self.bug);
        let Some(mut reader) = self.clients[number].reader.take() else { return };
        if reader.reading.is_none() {
            let partition = self.rng.below(u64::from(partitions)) as u32;
            let from = if self.rng.one_in(3) { From::Latest } else { From::Earliest };
            reader.reading = Some(Reading::new(partition, from, window, self.rng.next()));
        }
        if let Some(reading) = &mut reader.reading {
            self.with_access(number, |access| reading.drive(access, bug));
            if let Some(error) = &reading.ended {
                let text = format!("reader {} is over: {error}", reader.number);
                self.fail(text);
            }
        }
        self.clients[number].reader = Some(reader);
    }

    pub fn readers_disconnected(&mut self, number: usize) {
        if let Some(reader) = &mut self.clients[number].reader
            && let Some(reading) = &mut reader.reading
        {
            reading.disconnected();
        }
    }

    /// The application takes a batch.
    pub fn read(&mut self, number: usize) {
        let pause = self.pause(self.plan.work_us);
        self.act_later(number, pause);
        let window = self.plan.window_bytes;
        let Some(mut reader) = self.clients[number].reader.take() else { return };
        if let Some(reading) = &mut reader.reading {
            if let Some(text) = reading.overflow(window) {
                self.fail(format!("reader {}: {text}", reader.number));
            }
            let mut without = None;
            let taken = self.with_access(number, |access| reading.take(Some(access)));
            let taken = taken.unwrap_or_else(|| reading.take(without.take()));
            match taken {
                Ok(Some(taken)) => {
                    self.tally.read += taken.records.len() as u64;
                    let Taken { base_offset, records, .. } = taken;
                    let reader = reader.number;
                    self.observe(Event::Read { reader, base_offset, records });
                }
                Ok(None) => {}
                Err(damage) => {
                    self.fail(format!(
                        "reader {} is given damaged bytes: {damage}",
                        reader.number
                    ));
                }
            }
        }
        self.clients[number].reader = Some(reader);
    }

    /// The reading that a channel of a program stands for.
    fn reading_on(&mut self, number: usize, channel: u32) -> Option<&mut Reading> {
        let client = &mut self.clients[number];
        let own = client.reader.as_mut().and_then(|reader| reader.reading.as_mut());
        let of_group = client.member.iter_mut().flat_map(|member| member.readings());
        own.into_iter().chain(of_group).find(|reading| reading.channel == Some(channel))
    }

    pub fn subscribed(&mut self, number: usize, channel: u32, result: Result<Frame, Error>) {
        let now = self.time();
        let Some(reading) = self.reading_on(number, channel) else { return };
        let (begins, grant) = reading.subscribed(now, result);
        let partition = u64::from(reading.partition);
        if let Some(limit_bytes) = grant {
            self.with_access(number, |access| access.tell(channel, &Credit { limit_bytes }));
        }
        if let (Some(offset), Some(reader)) = (begins, &self.clients[number].reader) {
            let reader = reader.number;
            self.observe(Event::Subscribed { reader, partition, offset });
        }
    }

    pub fn delivered(&mut self, number: usize, channel: u32, end_offset: u64, payload: Bytes) {
        let now = self.time();
        if let Some(reading) = self.reading_on(number, channel) {
            reading.deliver(now, end_offset, payload);
        }
        // Whoever waits for it acts at once.
        self.act_later(number, 1);
    }

    pub fn subscription_ended(&mut self, number: usize, channel: u32, error: &Error) {
        let now = self.time();
        if let Some(reading) = self.reading_on(number, channel) {
            reading.end(now, error);
        }
    }
}

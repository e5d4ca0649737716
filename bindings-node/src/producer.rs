//! Producing: chunks of packed records in, outcomes through the hub.
//!
//! Owns the handle and the reading of chunks, whose form `ts/packer.ts` writes. The one invariant:
//! of a chunk that is taken only in part, exactly the first records are taken, and JavaScript is
//! told how many.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use napi_derive::napi;
use tidewire::{Code, Error, Producer, RecordRef};

use crate::client::NativeClient;
use crate::failure::Failure;
use crate::hub::{Hub, Shared};
use crate::info::ProducerStats;
use crate::options::Options;

const KEY: u32 = 1;
const VALUE: u32 = 2;
const TIMESTAMP: u32 = 4;
const PARTITION: u32 = 8;
const ID: u32 = 16;

/// Most records that are handed over together.
const RUN: usize = 64;

/// A producer of the core's.
#[napi]
pub struct NativeProducer {
    producer: tidewire::blocking::Producer,
    hub: Arc<Shared>,
    failure: Option<Failure>,
}

#[napi]
impl NativeClient {
    /// Opens a producer, whose outcomes come with `id`; it comes under `number`.
    #[napi]
    pub fn producer(
        &self,
        hub: &Hub,
        number: u32,
        id: u32,
        topic: String,
        options: Vec<String>,
    ) {
        let opened = self.inner().map_err(|error| Failure::of(&error)).and_then(|client| {
            let builder =
                client.producer(&topic).completions(&hub.completions(), u64::from(id));
            Options::new(options).producer(builder)
        });
        let builder = match opened {
            Ok(builder) => builder,
            Err(failure) => return self.hub.fail(number, failure),
        };
        let opening =
            async move { tidewire::blocking::Producer::from_async(builder.build().await?) };
        let with = Arc::clone(&self.hub);
        self.hub.start(number, opening, move |producer| NativeProducer {
            producer,
            hub: with,
            failure: None,
        });
    }
}

#[napi]
impl NativeProducer {
    #[napi]
    pub fn partitions(&self) -> u32 {
        self.producer.partitions().unwrap_or(0)
    }

    /// Takes the records of `chunk` in order, and sends at once if `expedite`. Returns how many;
    /// if that is not all, [`NativeProducer::failure`] says why the next one was not.
    #[napi]
    pub fn push(&mut self, chunk: &[u8], expedite: bool) -> u32 {
        let (mut reader, mut taken) = (Reader { rest: chunk, now_us: now_us() }, 0);
        let failure = loop {
            if reader.rest.is_empty() {
                break None;
            }
            match self.push_next(&mut reader) {
                Ok(count) => taken += count,
                Err((count, failure)) => {
                    taken += count;
                    break Some(failure);
                }
            }
        };
        self.failure = failure;
        if expedite && let Ok(producer) = self.producer.as_async() {
            producer.expedite();
        }
        taken
    }

    /// Pushes the next records that are alike: without headers, for the same partition or none.
    /// Or else one. Returns how many.
    fn push_next(&self, reader: &mut Reader<'_>) -> Result<u32, (u32, Failure)> {
        let producer = self.producer.as_async().map_err(|error| (0, Failure::of(&error)))?;
        let mut run = [RecordRef::at(0); RUN];
        let (mut len, mut of) = (0, None);
        let mut ahead = *reader;
        while len < RUN
            && let Some(Packed { record, partition, names }) = ahead.record()
            && names.rest.is_empty()
            && *of.get_or_insert(partition) == partition
        {
            run[len] = record;
            len += 1;
            *reader = ahead;
        }
        if len == 0 {
            return self.push_one(producer, reader).map(|()| 1).map_err(|failure| (0, failure));
        }
        match producer.enqueue_many(&run[..len], of.flatten()) {
            (_, None) => Ok(len as u32),
            (tickets, Some(error)) => Err((tickets.len() as u32, Failure::of(&error))),
        }
    }

    fn push_one(&self, producer: &Producer, reader: &mut Reader<'_>) -> Result<(), Failure> {
        let record = reader.record().ok_or_else(|| {
            let text = "a chunk of records ends before its last record does".to_owned();
            Failure::invalid(Code::INVALID_ARGUMENT, text)
        })?;
        let Packed { record, partition, mut names } = record;
        // Nearly all records have few headers.
        let mut few = [("", &[][..]); 8];
        let mut many = Vec::new();
        let mut count = 0;
        while let Some(header) = names.header() {
            if count < few.len() {
                few[count] = header;
            } else {
                if many.is_empty() {
                    many.extend_from_slice(&few);
                }
                many.push(header);
            }
            count += 1;
        }
        let headers = if many.is_empty() { &few[..count] } else { &many };
        let record = RecordRef { headers, ..record };
        producer.enqueue_ref(&record, partition).map_err(|error| Failure::of(&error))?;
        Ok(())
    }

    /// Why the last push took no more.
    #[napi]
    pub fn failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    fn call<F>(&self, number: u32, call: impl FnOnce(Producer) -> F)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        match self.producer.as_async() {
            Ok(producer) => self.hub.start(number, call(producer.clone()), |()| ()),
            Err(error) => self.hub.fail(number, Failure::of(&error)),
        }
    }

    /// Tells when there is room.
    #[napi]
    pub fn ready(&self, number: u32) {
        self.call(number, |producer| async move { producer.ready().await });
    }

    /// Tells when all that was pushed has its outcome.
    #[napi]
    pub fn flush(&self, number: u32) {
        self.call(number, |producer| async move { producer.flush().await });
    }

    /// Closes it; within a time, if one is given.
    #[napi]
    pub fn close(&self, number: u32, limit_ms: Option<u32>) {
        let producer = match self.producer.as_async() {
            Ok(producer) => producer.clone(),
            Err(error) => return self.hub.fail(number, Failure::of(&error)),
        };
        let closing = async move {
            Ok(match limit_ms {
                Some(ms) => {
                    let limit = std::time::Duration::from_millis(u64::from(ms));
                    producer.close_within(limit).await
                }
                None => producer.close().await,
            })
        };
        self.hub.start_fallible(number, closing, |closed| {
            closed.map_err(|error| Failure::of_close(&error))
        });
    }

    #[napi]
    pub fn stats(&self) -> Option<ProducerStats> {
        self.producer.stats().ok().map(Into::into)
    }
}

/// A record of a chunk, and where its headers are.
struct Packed<'a> {
    record: RecordRef<'a>,
    partition: Option<u32>,
    names: Reader<'a>,
}

/// What is left of a chunk. Every length is checked against it.
#[derive(Clone, Copy)]
struct Reader<'a> {
    rest: &'a [u8],
    /// The time of records that have none.
    now_us: i64,
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*bytes)
    }

    fn word(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Four words: what there is, and how long value, key and headers are. Then time, partition
    /// and id, where there are any, the value, the key and the headers, and zeros to a multiple
    /// of 4.
    fn record(&mut self) -> Option<Packed<'a>> {
        let before = self.rest.len();
        let what = self.word()?;
        let value_len = self.word()? as usize;
        let key_len = self.word()? as usize;
        let headers_len = self.word()? as usize;
        let timestamp_us = if what & TIMESTAMP == 0 {
            self.now_us
        } else {
            self.array().map(i64::from_le_bytes)?
        };
        let partition = if what & PARTITION == 0 { None } else { Some(self.word()?) };
        let id = if what & ID == 0 { None } else { Some(self.array()?) };
        let value = self.bytes(value_len)?;
        let key = self.bytes(key_len)?;
        let names = Reader { rest: self.bytes(headers_len)?, now_us: self.now_us };
        let len = before - self.rest.len();
        self.bytes(len.wrapping_neg() & 3)?;
        let record = RecordRef {
            key: (what & KEY != 0).then_some(key),
            value: (what & VALUE != 0).then_some(value),
            headers: &[],
            timestamp_us,
            id,
        };
        Some(Packed { record, partition, names })
    }

    /// Two lengths as words, then name and value.
    fn header(&mut self) -> Option<(&'a str, &'a [u8])> {
        let name_len = self.word()? as usize;
        let value_len = self.word()? as usize;
        let name = std::str::from_utf8(self.bytes(name_len)?).ok()?;
        Some((name, self.bytes(value_len)?))
    }
}

/// Microseconds since the Unix epoch; 0 on a clock that is set before it.
fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

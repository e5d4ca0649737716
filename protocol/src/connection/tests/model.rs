//! A partition in a few lines, as a statement of what SPEC.md promises of one: acks, visibility,
//! reads. It answers real requests over a real connection; the server's own partition has to
//! behave like it.

use super::*;
use crate::batch::{Batch, Limits, STAMP_LEN, Stamp, validate};
use crate::message::{Deliver, Fetch, FetchReply};

/// One partition, whose disk syncs when the test says so.
#[derive(Default)]
struct Partition {
    batches: Vec<Appended>,
    waiting: Vec<(Ticket, usize)>,
}

struct Appended {
    stamped: Bytes,
    base_offset: u64,
    end_offset: u64,
    acks: Acks,
    synced: bool,
}

impl Partition {
    fn end_offset(&self) -> u64 {
        self.batches.last().map_or(0, |batch| batch.end_offset)
    }

    /// SPEC C-9
    fn visible_end(&self) -> u64 {
        let reached = |batch: &&Appended| batch.acks != Acks::Synced || batch.synced;
        self.batches.iter().take_while(reached).last().map_or(0, |batch| batch.end_offset)
    }

    fn append(
        &mut self,
        server: &mut ServerConnection,
        ticket: Ticket,
        acks: Acks,
        bytes: &Bytes,
    ) {
        let header = match validate(bytes, Limits::PROTOCOL) {
            Ok((header, _)) => header,
            Err(malformed) => return server.reply_error(ticket, &malformed.into()),
        };
        let base_offset = self.end_offset();
        let stamp = Stamp { base_offset, append_time_us: 2, leader_epoch: 1 };
        let stamped = [&stamp.encode_for(bytes)[..], &bytes[STAMP_LEN..]].concat().into();
        let end_offset = base_offset + u64::from(header.record_count);
        let appended = Appended { stamped, base_offset, end_offset, acks, synced: false };
        self.batches.push(appended);
        match acks {
            Acks::Synced => self.waiting.push((ticket, self.batches.len() - 1)),
            acks => {
                server.reply(ticket, &AppendReply { acks, ..appended_at(base_offset) }, &[])
            }
        }
    }

    fn sync(&mut self, server: &mut ServerConnection) {
        self.batches.iter_mut().for_each(|batch| batch.synced = true);
        for (ticket, at) in self.waiting.drain(..) {
            server.reply(ticket, &appended_at(self.batches[at].base_offset), &[]);
        }
    }

    /// SPEC C-8, C-11: whole visible batches from the one that holds `offset`.
    fn read(&self, offset: u64, max_bytes: usize) -> Vec<Bytes> {
        let visible = self.visible_end();
        let mut taken = Vec::new();
        let mut bytes = 0;
        for batch in &self.batches {
            if batch.end_offset <= offset || batch.end_offset > visible {
                continue;
            }
            if !taken.is_empty() && bytes + batch.stamped.len() > max_bytes {
                break;
            }
            bytes += batch.stamped.len();
            taken.push(batch.stamped.clone());
        }
        taken
    }

    fn handle(
        &mut self,
        server: &mut ServerConnection,
        ticket: Ticket,
        request: &AnyRequest,
        payload: &Bytes,
    ) {
        match request {
            AnyRequest::Append(append) => self.append(server, ticket, append.acks, payload),
            AnyRequest::Fetch(fetch) => {
                let end_offset = self.visible_end();
                if fetch.offset > end_offset {
                    let error = Error::new(Code::OFFSET_OUT_OF_RANGE, "beyond the end");
                    return server.reply_error(ticket, &error);
                }
                let payload = self.read(fetch.offset, fetch.max_bytes as usize);
                server.reply(ticket, &FetchReply { start_offset: 0, end_offset }, &payload);
            }
            other => answer(server, ticket, other),
        }
    }
}

fn appended_at(base_offset: u64) -> AppendReply {
    AppendReply { base_offset, append_time_us: 2, acks: Acks::Synced, duplicate: false }
}

/// A pair whose server keeps a partition.
struct Model {
    pair: Pair,
    partition: Partition,
}

impl Model {
    fn new() -> Self {
        let mut pair = Pair::ready();
        pair.open_producer(1);
        Self { pair, partition: Partition::default() }
    }

    fn drive(&mut self) {
        self.pair.drive();
        while let Some((ticket, request, payload)) = self.pair.asked.pop_front() {
            self.partition.handle(&mut self.pair.server, ticket, &request, &payload);
            self.pair.drive();
        }
    }

    fn append(&mut self, acks: Acks, bytes: Bytes) {
        let now = self.pair.now;
        let append = Append { partition: 0, acks };
        self.pair.client.request(now, 1, &append, &[bytes], 0).expect("room");
        self.drive();
    }

    /// Levels and offsets that were acknowledged since the last call.
    fn acknowledged(&mut self) -> Vec<(Acks, u64)> {
        let read = |frame: &Frame| ClientConnection::decode_reply::<Append>(frame);
        let replies = self.pair.replies().into_iter();
        replies
            .map(|(_, result)| read(&result.expect("acknowledged")).expect("readable"))
            .map(|reply| (reply.acks, reply.base_offset))
            .collect()
    }

    fn fetch(&mut self, offset: u64, max_bytes: u32) -> Result<(FetchReply, Bytes), Error> {
        let fetch = Fetch {
            stream: "default".to_owned(),
            topic: "t".to_owned(),
            partition: 0,
            offset,
            max_bytes,
            min_bytes: 0,
            max_wait_ms: 0,
        };
        self.pair.request(0, &fetch, 0);
        self.drive();
        let (_, result) = self.pair.replies().pop().expect("a reply");
        let frame = result?;
        Ok((ClientConnection::decode_reply::<Fetch>(&frame)?, frame.payload))
    }
}

/// The offsets of all records in a payload of whole batches.
fn offsets(mut payload: Bytes) -> Vec<u64> {
    let mut offsets = Vec::new();
    while !payload.is_empty() {
        let len = crate::batch::Header::parse(&payload).expect("a header").total_len as usize;
        let batch = Batch::decode(payload.split_to(len)).expect("whole");
        offsets.extend(batch.iter().map(|record| record.offset()));
    }
    offsets
}

/// SPEC C-9, C-10: nothing is shown that an earlier record's acknowledgement still waits for.
#[test]
fn a_record_is_readable_once_all_before_it_reached_their_level() {
    let mut model = Model::new();
    model.append(Acks::Written, batch(8));
    assert_eq!(model.acknowledged(), [(Acks::Written, 0)]);
    assert_eq!(model.fetch(0, 1 << 20).expect("good").0.end_offset, 1);
    model.append(Acks::Synced, batch(8));
    model.append(Acks::Written, batch(8));
    model.append(Acks::None, batch(8));
    assert_eq!(model.acknowledged(), [(Acks::Written, 2), (Acks::None, 3)]);
    let (reply, payload) = model.fetch(0, 1 << 20).expect("good");
    assert_eq!((reply.end_offset, offsets(payload)), (1, vec![0]));
    let mut partition = std::mem::take(&mut model.partition);
    partition.sync(&mut model.pair.server);
    model.partition = partition;
    model.drive();
    assert_eq!(model.acknowledged(), [(Acks::Synced, 1)]);
    let (reply, payload) = model.fetch(0, 1 << 20).expect("good");
    assert_eq!((reply.end_offset, offsets(payload)), (4, vec![0, 1, 2, 3]));
}

/// SPEC C-8, C-11: whole batches, the first whatever its size, and it may begin earlier.
#[test]
fn a_read_returns_whole_batches() {
    let mut model = Model::new();
    let mut builder = BatchBuilder::new(1 << 20, 100);
    for _ in 0..5 {
        builder.push(&RecordRef { value: Some(b"v"), ..RecordRef::at(1) }).expect("room");
    }
    model.append(Acks::Written, builder.seal(Sequence::default()));
    model.append(Acks::Written, batch(8));
    let (_, payload) = model.fetch(3, 1).expect("good");
    assert_eq!(offsets(payload), [0, 1, 2, 3, 4], "one batch, from before the offset");
    let (_, payload) = model.fetch(3, 1 << 20).expect("good");
    let batch = Batch::decode(payload.slice(..payload.len() - 96)).expect("the first");
    assert_eq!(batch.index_of(3), 3, "a client skips what is below");
    let (reply, payload) = model.fetch(6, 1 << 20).expect("the end");
    assert_eq!((reply.end_offset, payload.len()), (6, 0));
    assert_eq!(model.fetch(7, 1).expect_err("beyond").code, Code::OFFSET_OUT_OF_RANGE);
}

/// SPEC C-8: deliveries go on where the one before ended.
#[test]
fn deliveries_leave_nothing_out() {
    let mut model = Model::new();
    model.pair.subscribe(2, 1 << 20);
    for _ in 0..10 {
        model.append(Acks::Written, batch(100));
    }
    let mut next = 0;
    while next < model.partition.visible_end() {
        let payload = model.partition.read(next, 300);
        let message = Deliver { end_offset: model.partition.visible_end() };
        assert!(model.pair.server.deliver(2, &message, &payload));
        next += payload.len() as u64;
    }
    model.drive();
    let mut seen = Vec::new();
    for event in model.pair.client_events.drain(..) {
        if let ClientEvent::Deliver { payload, .. } = event {
            seen.extend(offsets(payload));
        }
    }
    assert_eq!(seen, (0..10).collect::<Vec<u64>>());
}

/// SPEC E-8, I-8: a damaged batch is refused whole, and the same bytes may be sent again.
#[test]
fn a_malformed_batch_is_refused_and_the_connection_stays() {
    let mut model = Model::new();
    let good = batch(8);
    let mut damaged = good.to_vec();
    damaged[90] ^= 1;
    model.append(Acks::Written, damaged.into());
    assert_eq!(model.pair.refusal(), Code::CORRUPT_BATCH);
    model.append(Acks::Written, good.clone());
    assert_eq!(model.acknowledged(), [(Acks::Written, 0)]);
    assert!(model.pair.server_closed.is_empty());
}
